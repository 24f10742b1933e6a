//! When a message is a repeat, as a specification.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use hindcast_domain::alert::{Fired, Observation, Repeat, Repeated, Resolved, Signal};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::incident::{self, AlertJoined};
use hindcast_domain::words::ResolvedBy;
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Severity, Span, Time};

use super::known::{KnownAlerts, hash};

const NOW: Time = Time::from_millis(1_763_996_400_000);

fn seen(summary: &str) -> Observation {
    Observation {
        fingerprint: Fingerprint::from_mac(&[7; 32]),
        source_fingerprint: None,
        source: "prometheus".into(),
        replica_of: None,
        name: "PgDown".into(),
        service: Some("postgres".into()),
        about: None,
        severity: Severity::Critical,
        signal: Signal::Firing,
        labels: [("alertname".to_owned(), "PgDown".to_owned())].into_iter().collect(),
        annotations: [("summary".to_owned(), summary.to_owned())].into_iter().collect(),
        starts_at: Some(NOW),
        ends_at: None,
        stale_after: Span::seconds(300),
        url: None,
        unmapped: Vec::new(),
    }
}

#[derive(Default)]
struct Followed {
    known: KnownAlerts,
    events: u64,
}

impl Followed {
    fn take(&mut self, subject: &str, event: Event) -> EventId {
        self.events += 1;
        let id = EventId::derive(&[&self.events.to_be_bytes()]);
        self.known.take(&Recorded {
            id: id.clone(),
            position: self.events,
            partition: Partition::of_environment("production"),
            subject: subject.to_owned(),
            revision: None,
            time: NOW,
            actor: "system".into(),
            cause: None,
            event,
        });
        id
    }

    /// A message is written, read back and decided to fire.
    fn fires(&mut self, seen: &Observation) {
        let observed = self.written(seen);
        let fired = Fired {
            observed,
            occurrence: 1,
            source_fingerprint: None,
            source: seen.source.clone(),
            replica_of: None,
            sender_ahead: None,
            name: seen.name.clone(),
            service: None,
            about: None,
            severity: seen.severity,
            labels: seen.labels.clone(),
            annotations: seen.annotations.clone(),
            starts_at: NOW,
            starts_at_sent: seen.starts_at,
            stale_at: NOW,
            url: None,
        };
        self.take(seen.fingerprint.as_str(), Event::AlertFired(fired));
    }

    fn written(&mut self, seen: &Observation) -> EventId {
        self.known.write(seen);
        self.take(seen.fingerprint.as_str(), Event::Observed(seen.clone()))
    }

    fn repeated(&mut self, seen: &Observation, why: Repeat, changes: bool) {
        let observed = self.written(seen);
        let annotations = changes.then(|| seen.annotations.clone());
        let repeated = Repeated {
            observed,
            why,
            occurrence: 1,
            source: None,
            replica_of: None,
            starts_at_sent: None,
            ends_at: None,
            ends_at_sent: None,
            stale_at: None,
            severity: None,
            labels: None,
            annotations,
        };
        self.take(seen.fingerprint.as_str(), Event::AlertRepeated(repeated));
    }

    fn is_repeat(&self, seen: &Observation) -> bool {
        self.known.is_repeat(seen, &hash(seen), NOW)
    }
}

#[test]
fn what_is_decided_and_sent_again_as_it_was_is_a_repeat() {
    let (mut followed, first) = (Followed::default(), seen("3 of 400 left"));
    assert!(!followed.is_repeat(&first), "nothing is known");
    followed.written(&first);
    assert!(!followed.is_repeat(&first), "it is undecided");
    followed.fires(&first);
    assert!(followed.is_repeat(&first));
    assert!(!followed.is_repeat(&seen("2 of 400 left")));
    assert!(!followed.is_repeat(&Observation { severity: Severity::High, ..first.clone() }));
    assert!(!followed.is_repeat(&Observation { signal: Signal::Resolved, ..first.clone() }));
    assert!(followed.is_repeat(&Observation { stale_after: Span::seconds(299), ..first.clone() }));
    assert!(!followed.known.is_repeat(&first, &hash(&first), NOW + Span::seconds(300)), "it is stale by then");
    followed.known.repeat(&first, NOW + Span::seconds(200));
    assert!(followed.known.is_repeat(&first, &hash(&first), NOW + Span::seconds(300)));
}

#[test]
fn while_another_message_is_on_its_way_nothing_is_a_repeat() {
    let (mut followed, first) = (Followed::default(), seen("3 of 400 left"));
    followed.fires(&first);
    followed.known.write(&Observation { signal: Signal::Resolved, ..first.clone() });
    assert!(!followed.is_repeat(&first));
    let observed = EventId::derive(&[]);
    let over = Resolved { observed, ends_at: NOW, ends_at_sent: None, source: None, replica_of: None };
    followed.take(first.fingerprint.as_str(), Event::AlertResolved(over));
    assert!(!followed.is_repeat(&first));
}

#[test]
fn a_message_with_a_change_takes_the_place_of_what_was_known() {
    let (mut followed, first) = (Followed::default(), seen("3 of 400 left"));
    let second = seen("2 of 400 left");
    followed.fires(&first);
    followed.repeated(&second, Repeat::Resent, true);
    assert!(followed.is_repeat(&second) && !followed.is_repeat(&first));
}

#[test]
fn two_replicas_that_differ_in_their_start_are_both_known() {
    let (mut followed, first) = (Followed::default(), seen("3 of 400 left"));
    let second = Observation { starts_at: Some(NOW + Span::seconds(1)), ..first.clone() };
    followed.fires(&first);
    followed.repeated(&second, Repeat::Replica, false);
    assert!(followed.is_repeat(&first) && followed.is_repeat(&second));
}

#[test]
fn behind_an_incident_that_is_over_every_message_is_decided() {
    let (mut followed, first) = (Followed::default(), seen("3 of 400 left"));
    let incident = IncidentId::derive(&[b"incident"]);
    followed.fires(&first);
    let joined = AlertJoined {
        fingerprint: first.fingerprint.clone(),
        severity: first.severity,
        service: None,
        team: None,
        starts_at: NOW,
        grouping: None,
        title: None,
    };
    followed.take(incident.as_str(), Event::IncidentAlertJoined(joined));
    assert!(followed.is_repeat(&first));
    let over = incident::Resolved { by: ResolvedBy::Quiet, cause: None, resolution: None };
    followed.take(incident.as_str(), Event::IncidentResolved(over));
    assert!(!followed.is_repeat(&first));
    followed.repeated(&first, Repeat::Resent, false);
    assert!(!followed.is_repeat(&first), "it may go on long enough to come back");
}
