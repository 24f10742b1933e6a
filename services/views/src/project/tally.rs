//! What is counted of an incident beside its fold: how many of its alerts fire, and how many messages came
//! about them while they belonged to it. Derived from the same events; refuses to know the store.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::alert::Alert;
use hindcast_domain::incident::{Incident, Member};
use hindcast_domain::{Event, Fingerprint, IncidentId, events};
use serde::{Deserialize, Serialize};

use super::live::Class;

/// An incident's counts, as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) alerts: u64,
    /// Those that fire and belong to it now.
    pub(crate) firing: u64,
    /// Messages about them while they belonged to it.
    pub(crate) occurrences: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredMember {
    /// The incident and status that the alert is counted under.
    pub(crate) member: Member,
    /// The alert's name, which never changes.
    pub(crate) name: String,
    /// Messages about it while it belonged to the incident.
    pub(crate) messages: u64,
}

/// One incident's counts in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    /// Messages by member; whoever stands here has a member's document.
    pub(crate) messages: BTreeMap<Fingerprint, u64>,
    /// The sum of these.
    pub(crate) occurrences: u64,
    /// Members that fire and belong to it.
    pub(crate) firing: BTreeSet<Fingerprint>,
    /// The counts as they were last stored.
    pub(crate) stored: Option<Tally>,
    /// How the incident itself is counted.
    pub(crate) class: Option<Class>,
}

impl Counted {
    /// How many alerts there are, how many fire, and how often they were received.
    pub(crate) fn tally(&self) -> Tally {
        Tally { alerts: self.messages.len() as u64, firing: self.firing.len() as u64, occurrences: self.occurrences }
    }

    /// Brings one alert's part up to date; false where it is no member (any more).
    pub(crate) fn place(&mut self, incident: &Incident, fingerprint: &Fingerprint, alert: Option<&Alert>) -> bool {
        let is_member = incident.members.contains_key(fingerprint);
        let fires =
            is_member && alert.is_some_and(|alert| alert.is_firing() && alert.incident.as_ref() == Some(&incident.id));
        if fires {
            self.firing.insert(fingerprint.clone());
        } else {
            self.firing.remove(fingerprint);
        }
        if is_member {
            self.messages.entry(fingerprint.clone()).or_insert(0);
        } else if let Some(messages) = self.messages.remove(fingerprint) {
            self.occurrences -= messages;
        }
        is_member
    }
}

/// All incidents' counts.
pub(crate) type AlertTally = BTreeMap<IncidentId, Counted>;

/// What an alert was before an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// Whether it was known.
    pub(crate) known: bool,
    /// The incident that it belonged to.
    pub(crate) incident: Option<IncidentId>,
    /// Messages about it.
    pub(crate) messages: u64,
    /// How it was counted.
    pub(crate) class: Option<Class>,
}

impl Before {
    /// Of an alert, if it exists.
    pub(crate) fn of(alert: Option<&Alert>) -> Self {
        alert.map_or_else(Self::default, |alert| Self {
            known: true,
            incident: alert.incident.clone(),
            messages: alert.messages,
            class: Some(Class::of_alert(alert)),
        })
    }
}

/// Counts the messages that an event brought or moved.
pub(crate) fn count(counts: &mut AlertTally, event: &Event, fingerprint: &Fingerprint, before: &Before, alert: &Alert) {
    let Some(now) = &alert.incident else { return };
    let fresh = alert.messages.saturating_sub(before.messages);
    if before.incident.as_ref() == Some(now) {
        if fresh > 0
            && let Some(counted) = counts.get_mut(now)
            && let Some(messages) = counted.messages.get_mut(fingerprint)
        {
            *messages += fresh;
            counted.occurrences += fresh;
        }
        return;
    }
    let moves = matches!(event, events! { lineage });
    let came = match &before.incident {
        None => alert.messages,
        Some(old) => {
            let there = counts.get_mut(old);
            let there = there.and_then(|it| Some((it.messages.get_mut(fingerprint)?, &mut it.occurrences)));
            match there {
                Some((messages, sum)) if moves => {
                    *sum -= *messages;
                    std::mem::take(messages)
                }
                // The message by which it fired again was counted where it belonged until then.
                Some((messages, sum)) => {
                    *sum -= u64::from(*messages > 0);
                    *messages = messages.saturating_sub(1);
                    1
                }
                None => 1,
            }
        }
    };
    let counted = counts.entry(now.clone()).or_default();
    *counted.messages.entry(fingerprint.clone()).or_insert(0) += came;
    counted.occurrences += came;
}
