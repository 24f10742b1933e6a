//! What each version of the pair scorer is doing. Owns the one rule by which a version is in production, a shadow, a
//! candidate or retired; the views and the learning service both ask here.

use std::collections::BTreeSet;

use hindcast_api::ModelStatus;
use hindcast_domain::event::Event;
use hindcast_domain::events;
use hindcast_domain::model::PAIR_SCORER;

use crate::registry::BY_HAND;

/// A fold over promotions, roll-backs and shadows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionStatuses {
    in_force: Option<u32>,
    shadow: Option<u32>,
    former: BTreeSet<u32>,
}

impl VersionStatuses {
    /// Folds one event; events about other things and other models change nothing.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::ModelPromoted(promoted) if promoted.name == PAIR_SCORER => {
                self.replace(promoted.previous, promoted.version);
            }
            Event::ModelRolledBack(back) if back.name == PAIR_SCORER => self.replace(back.from, back.to),
            Event::ModelShadowed(shadowed) if shadowed.name == PAIR_SCORER => self.shadow = Some(shadowed.version),
            Event::ModelUnshadowed(ended) if ended.name == PAIR_SCORER => self.shadow = None,
            Event::ModelRegistered(_)
            | Event::ModelJudged(_)
            | Event::ShadowPlaced(_)
            | Event::ModelPromoted(_)
            | Event::ModelRolledBack(_)
            | Event::ModelShadowed(_)
            | Event::ModelUnshadowed(_)
            | events! { intake, finding, conversation, proposal, label, chat, alert, incident, silence, control, notice } =>
                {}
        }
    }

    fn replace(&mut self, former: u32, now: u32) {
        self.former.insert(former);
        self.in_force = Some(now);
    }

    /// The version in production; [`BY_HAND`] where none was promoted.
    #[must_use]
    pub fn in_force(&self) -> u32 {
        self.in_force.unwrap_or(BY_HAND)
    }

    /// The version that runs as a shadow.
    #[must_use]
    pub const fn shadow(&self) -> Option<u32> {
        self.shadow
    }

    /// What a version is doing.
    ///
    /// A version is retired when it was in production at any time before, not only directly before the production
    /// version: a version that was rolled back, or replaced two promotions ago, is no candidate that waits for its
    /// first comparison. A retired version that runs as a shadow is shown as a shadow, because that is what it does.
    #[must_use]
    pub fn of(&self, version: u32) -> ModelStatus {
        if version == self.in_force() {
            ModelStatus::InForce
        } else if self.shadow == Some(version) {
            ModelStatus::Shadow
        } else if self.former.contains(&version) {
            ModelStatus::Retired
        } else {
            ModelStatus::Candidate
        }
    }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::model::{Promoted, RolledBack, Shadowed, Unshadowed};

    use super::*;

    fn promoted(previous: u32, version: u32) -> Event {
        Event::ModelPromoted(Promoted {
            name: PAIR_SCORER.into(),
            version,
            previous,
            evidence: Vec::new(),
            previous_hash: None,
        })
    }

    fn after(events: &[Event]) -> Vec<ModelStatus> {
        let mut statuses = VersionStatuses::default();
        for event in events {
            statuses.evolve(event);
        }
        (1..=4).map(|version| statuses.of(version)).collect()
    }

    #[test]
    fn the_version_set_by_hand_decides_until_another_is_promoted() {
        use ModelStatus::{Candidate, InForce, Retired};
        assert_eq!(after(&[]), [InForce, Candidate, Candidate, Candidate]);
        assert_eq!(after(&[promoted(1, 2)]), [Retired, InForce, Candidate, Candidate]);
    }

    #[test]
    fn a_version_stays_retired_after_further_promotions_and_after_a_roll_back() {
        use ModelStatus::{Candidate, InForce, Retired};
        let past = [promoted(1, 2), promoted(2, 3)];
        assert_eq!(after(&past), [Retired, Retired, InForce, Candidate]);
        let back = Event::ModelRolledBack(RolledBack {
            name: PAIR_SCORER.into(),
            from: 3,
            to: 2,
            why: "split".into(),
            to_hash: None,
        });
        assert_eq!(after(&[&past[..], &[back]].concat()), [Retired, InForce, Retired, Candidate]);
    }

    #[test]
    fn a_shadow_is_one_while_it_runs_and_while_it_does_not_decide() {
        use ModelStatus::{Candidate, InForce, Retired, Shadow};
        let shadow = |version| Event::ModelShadowed(Shadowed { name: PAIR_SCORER.into(), version, from: 0 });
        let ended = Event::ModelUnshadowed(Unshadowed { name: PAIR_SCORER.into(), version: 2, why: "enough".into() });
        assert_eq!(after(&[shadow(2)]), [InForce, Shadow, Candidate, Candidate]);
        assert_eq!(after(&[shadow(2), ended]), [InForce, Candidate, Candidate, Candidate]);
        assert_eq!(after(&[promoted(1, 2), shadow(1)]), [Shadow, InForce, Candidate, Candidate]);
        assert_eq!(after(&[shadow(2), promoted(1, 2)]), [Retired, InForce, Candidate, Candidate]);
    }

    #[test]
    fn events_of_another_model_change_nothing() {
        let other = Event::ModelPromoted(Promoted {
            name: "other".into(),
            version: 2,
            previous: 1,
            evidence: Vec::new(),
            previous_hash: None,
        });
        assert_eq!(after(&[other]), after(&[]));
    }
}
