//! Windows that repeat: each time is a silence of its own, the next one holds before this one ends, and whoever ends one
//! ends them all.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use hindcast_control::{Control, ControlState};
use hindcast_domain::command::{Command, Received};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::Decider;
use hindcast_domain::silence::{Created, Kind, Matcher, Terms};
use hindcast_domain::words::SilenceEnd;
use hindcast_domain::{EventId, Partition, SilenceId, Time};

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// A control lane that lives through its timers.
#[derive(Default)]
struct Lane {
    state: ControlState,
    events: Vec<Recorded>,
}

impl Lane {
    fn record(&mut self, now: Time, subject: &str, event: Event) {
        let position = self.events.len() as u64 + 1;
        let recorded = Recorded {
            id: EventId::derive(&[&position.to_be_bytes()]),
            position,
            partition: Partition::whole("default"),
            subject: subject.to_owned(),
            revision: Some(position),
            time: now,
            actor: "ada".to_owned(),
            cause: None,
            event,
        };
        if !matches!(recorded.event, Event::Command(_)) {
            Control.evolve(&mut self.state, &recorded);
        }
        self.events.push(recorded);
    }

    fn ask(&mut self, now: Time, command: Command) {
        let received = Received { key: format!("key-{}", self.events.len()), if_match: None, command };
        self.record(now, "silence", Event::Command(received));
        let input = self.events.last().unwrap().clone();
        let drafts = Control.decide(&self.state, &input.partition, &input, now);
        drafts.into_iter().for_each(|draft| self.record(now, &draft.subject, draft.event));
    }

    fn pass(&mut self, until: Time) {
        while let Some(timer) = Control.due(&self.state).filter(|timer| timer.due <= until) {
            let drafts = Control.fire(&self.state, &Partition::whole("default"), &timer);
            assert!(!drafts.is_empty(), "a dead timer: {timer:?}");
            drafts.into_iter().for_each(|draft| self.record(timer.due, &draft.subject, draft.event));
        }
    }

    fn created(&self) -> Vec<(SilenceId, &Created)> {
        let of = |event: &'_ Recorded| event.subject.parse().ok();
        self.events
            .iter()
            .filter_map(|event| match &event.event {
                Event::SilenceCreated(created) => Some((of(event)?, created)),
                _ => None,
            })
            .collect()
    }
}

fn window(repeats: &str, now: Time) -> Terms {
    let repeats: hindcast_domain::silence::RepeatingWindow = repeats.parse().unwrap();
    let (starts_at, ends_at) = repeats.next(None, now).unwrap().unwrap();
    Terms {
        matchers: vec![Matcher::equal("service", "backup")],
        starts_at,
        ends_at,
        created_by: "ada".into(),
        comment: "the nightly backup".into(),
        kind: Kind::Maintenance,
        environment: None,
        repeats: Some(repeats),
    }
}

#[test]
fn each_time_is_a_silence_of_its_own_that_follows_the_one_before() {
    let now = time("2026-03-27T12:00:00Z");
    let mut lane = Lane::default();
    lane.ask(now, Command::CreateSilence { terms: window("daily 01:00-03:00 Europe/Berlin", now), replaces: None });
    lane.pass(time("2026-03-30T12:00:00Z"));
    let created = lane.created();
    let starts: Vec<String> = created.iter().map(|(_, it)| it.terms.starts_at.to_string()).collect();
    let expected = ["2026-03-28T00:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", "2026-03-30T23:00:00Z"];
    assert_eq!(starts, expected, "one o'clock there, before and after the clocks change");
    let follows: Vec<_> = created.iter().map(|(_, it)| it.follows.clone()).collect();
    let before: Vec<_> = created.iter().map(|(id, _)| Some(id.clone())).collect();
    assert_eq!((follows[0].clone(), &follows[1..]), (None, &before[..3]));
}

#[test]
fn windows_that_touch_leave_no_moment_between_them() {
    let now = time("2026-05-01T12:00:00Z");
    let mut lane = Lane::default();
    lane.ask(now, Command::CreateSilence { terms: window("daily 00:00-00:00 UTC", now), replaces: None });
    lane.pass(now + hindcast_domain::Span::hours(72));
    let mut active = 0_i32;
    for event in &lane.events {
        match &event.event {
            Event::SilenceCreated(created) if created.terms.starts_at <= event.time => active += 1,
            Event::SilenceStarted(_) => active += 1,
            Event::SilenceEnded(_) => active -= 1,
            _ => continue,
        }
        assert!(active >= 1, "nothing holds after {event:?}");
    }
    assert_eq!(lane.created().len(), 4);
}

#[test]
fn whoever_ends_one_ends_them_all() {
    let now = time("2026-05-01T12:00:00Z");
    let mut lane = Lane::default();
    lane.ask(now, Command::CreateSilence { terms: window("daily 10:00-14:00 UTC", now), replaces: None });
    lane.pass(time("2026-05-02T12:00:00Z"));
    let running = lane.created().last().unwrap().0.clone();
    lane.ask(time("2026-05-02T12:00:00Z"), Command::ExpireSilence { silence: running });
    lane.pass(time("2026-06-02T12:00:00Z"));
    assert_eq!(lane.created().len(), 2);
    let is_expired =
        |event: &Recorded| matches!(&event.event, Event::SilenceEnded(it) if it.reason == SilenceEnd::Expired);
    assert!(lane.events.iter().any(is_expired) && Control.due(&lane.state).is_none());
}
