//! Which versions of which incidents a stretch of events asks for. Pure; owns the rule, refuses to make them.
//!
//! A version is a function of the ledger alone, never of how far a stretch reached: a memory that is built anew
//! holds the same ones. What changes where an incident stands in its life, or what a person says of it, is a
//! version of its own, and so is each finding about it. Of its other changes (another alert) the first few are,
//! and then those whose revision is a power of two: a storm of a thousand alerts costs a dozen vectors.

use std::collections::BTreeSet;

use hindcast_api::Event;
use serde_json::Value;

/// Types of events that are a version of their own.
const OWN: [&str; 9] = [
    "incident.opened",
    "incident.declared",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.merged",
    "incident.split",
    "incident.undone",
];
/// Types that change nothing of what is kept.
const IDLE: [&str; 6] = [
    "incident.assigned",
    "incident.noted",
    "incident.snoozed",
    "incident.awoken",
    "incident.reviewed",
    "incident.feedback",
];

/// One version to be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlannedVersion {
    /// As of when, and from when on it is known.
    pub(crate) position: u64,
    pub(crate) incident: String,
}

/// Revisions of an incident that are all kept.
const REVISIONS_KEPT: u64 = 4;

/// The versions of a stretch, by position.
#[derive(Debug, Default)]
pub(crate) struct VersionPlan {
    versions: BTreeSet<PlannedVersion>,
}

impl VersionPlan {
    /// Takes an event about an incident in.
    pub(crate) fn incident(&mut self, event: &Event) {
        let kind = event.event_type.as_str();
        if IDLE.contains(&kind) {
            return;
        }
        let own = OWN.contains(&kind);
        if own || event.revision.is_none_or(|revision| revision <= REVISIONS_KEPT || revision.is_power_of_two()) {
            self.more(&event.subject, event.position);
        }
        // The other incident of a merge, a split or of taking one back.
        for field in ["incident", "other"] {
            if let Some(other) = event.data.get(field).and_then(Value::as_str).filter(|_| own) {
                self.more(other, event.position);
            }
        }
    }

    /// An incident of which more is known as of a position.
    pub(crate) fn more(&mut self, incident: &str, position: u64) {
        self.versions.insert(PlannedVersion { position, incident: incident.to_owned() });
    }

    /// What is to be made, in the order in which it became known.
    pub(crate) fn versions(self) -> BTreeSet<PlannedVersion> {
        self.versions
    }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::Time;
    use serde_json::json;

    use super::*;

    fn event(position: u64, event_type: &str, subject: &str, data: Value) -> Event {
        Event {
            position,
            kind: "decision".into(),
            event_type: event_type.to_owned(),
            id: format!("EVT-{position}"),
            subject: subject.to_owned(),
            time: Time::ZERO,
            recorded_at: Time::ZERO,
            revision: None,
            actor: "system".to_owned(),
            causation_id: None,
            tenant: "default".to_owned(),
            environment: "production".to_owned(),
            source: "incidents".to_owned(),
            data,
        }
    }

    fn planned(events: &[Event]) -> Vec<(u64, String)> {
        let mut plan = VersionPlan::default();
        events.iter().for_each(|event| plan.incident(event));
        plan.versions().into_iter().map(|version| (version.position, version.incident)).collect()
    }

    fn storm() -> Vec<Event> {
        let joined = |revision| Event {
            revision: Some(revision),
            ..event(100 + revision, "incident.alert_joined", "INC-A", json!({}))
        };
        let mut events = vec![event(100, "incident.opened", "INC-A", json!({}))];
        events.extend((2..=1_000).map(joined));
        events.push(event(2_000, "incident.resolved", "INC-A", json!({"by": "quiet"})));
        events.push(event(2_001, "incident.resolved", "INC-A", json!({"by": "person"})));
        events
    }

    #[test]
    fn a_storm_is_a_dozen_versions_and_a_change_of_status_is_one_of_its_own() {
        let positions: Vec<u64> = planned(&storm()).into_iter().map(|(position, _)| position).collect();
        assert!(positions.len() < 25, "{positions:?}");
        assert!([100, 102, 104, 108, 612, 2_000, 2_001].iter().all(|kept| positions.contains(kept)), "{positions:?}");
    }

    #[test]
    fn however_events_are_cut_into_stretches_the_versions_are_the_same() {
        let events = storm();
        let whole = planned(&events);
        for length in [1, 2, 7, 100, 999] {
            let cut: Vec<_> = events.chunks(length).flat_map(planned).collect();
            assert_eq!(cut, whole, "stretches of {length}");
        }
    }

    #[test]
    fn a_merge_is_a_version_of_both_and_a_note_of_none() {
        let merged = event(20, "incident.merged", "INC-A", json!({"incident": "INC-B", "fingerprints": []}));
        assert_eq!(planned(&[merged]), [(20, "INC-A".to_owned()), (20, "INC-B".to_owned())]);
        let undone = event(21, "incident.undone", "INC-A", json!({"event": "EVT-20", "other": "INC-B"}));
        assert_eq!(planned(&[undone]), [(21, "INC-A".to_owned()), (21, "INC-B".to_owned())]);
        assert_eq!(planned(&[event(22, "incident.noted", "INC-A", json!({"text": "x"}))]), []);
    }
}
