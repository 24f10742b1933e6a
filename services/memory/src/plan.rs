//! Which versions of which incidents a stretch of events asks for. Pure; owns the rule, refuses to make them.
//!
//! What changes where an incident stands in its life, or what a person says of it, is a version of its own,
//! so that the past can be asked about at each of these moments. Everything else (another alert, another
//! finding) is gathered into one version at the end of the stretch: a storm costs one vector, not one an
//! alert.

use std::collections::BTreeMap;

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
const IDLE: [&str; 5] =
    ["incident.assigned", "incident.noted", "incident.snoozed", "incident.awoken", "incident.feedback"];

/// One version to be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// As of when, and from when on it is known.
    pub(crate) position: u64,
    pub(crate) incident: String,
}

/// The versions of a stretch, by position.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// By incident: positions of versions of their own, and the last of the others.
    touched: BTreeMap<String, (Vec<u64>, Option<u64>)>,
}

impl Plan {
    /// Takes an event about an incident in.
    pub(crate) fn incident(&mut self, event: &Event) {
        let kind = event.event_type.as_str();
        if IDLE.contains(&kind) {
            return;
        }
        let own = OWN.contains(&kind);
        self.touch(&event.subject, event.position, own);
        // The other incident of a merge, a split or of taking one back.
        for field in ["incident", "other"] {
            if let Some(other) = event.data.get(field).and_then(Value::as_str).filter(|_| own) {
                self.touch(other, event.position, own);
            }
        }
    }

    /// An incident of which more is known as of a position.
    pub(crate) fn more(&mut self, incident: &str, position: u64) {
        self.touch(incident, position, false);
    }

    fn touch(&mut self, incident: &str, position: u64, own: bool) {
        let (firm, last) = self.touched.entry(incident.to_owned()).or_default();
        if own {
            firm.push(position);
        } else {
            *last = Some(last.map_or(position, |last| last.max(position)));
        }
    }

    /// What is to be made, in the order in which it became known.
    pub(crate) fn versions(self) -> Vec<Version> {
        let mut versions = Vec::new();
        for (incident, (mut positions, last)) in self.touched {
            let newest = positions.iter().max().copied();
            positions.extend(last.filter(|last| newest.is_none_or(|newest| *last > newest)));
            versions.extend(positions.into_iter().map(|position| Version { position, incident: incident.clone() }));
        }
        versions.sort();
        versions.dedup();
        versions
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
            kind: "decision".to_owned(),
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
        let mut plan = Plan::default();
        events.iter().for_each(|event| plan.incident(event));
        plan.versions().into_iter().map(|version| (version.position, version.incident)).collect()
    }

    #[test]
    fn a_storm_is_one_version_and_a_change_of_status_is_one_of_its_own() {
        let mut events = vec![event(10, "incident.opened", "INC-A", json!({}))];
        events.extend((11..60).map(|position| event(position, "incident.alert_joined", "INC-A", json!({}))));
        let storm = planned(&events);
        assert_eq!(storm, [(10, "INC-A".to_owned()), (59, "INC-A".to_owned())]);

        events.push(event(60, "incident.resolved", "INC-A", json!({"by": "quiet"})));
        assert_eq!(planned(&events), [(10, "INC-A".to_owned()), (60, "INC-A".to_owned())], "which gathers the rest");
        events.push(event(61, "incident.reopened", "INC-A", json!({})));
        events.push(event(62, "incident.resolved", "INC-A", json!({"by": "person"})));
        let positions: Vec<u64> = planned(&events).into_iter().map(|(position, _)| position).collect();
        assert_eq!(positions, [10, 60, 61, 62], "each of them can be asked about");
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
