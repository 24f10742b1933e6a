//! When a sender counts as dead, read as a specification: a sender with a rhythm that falls silent is told of within
//! three of its intervals, and nobody who lives is.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod harness;

use harness::{Lane, START, alert, at, fingerprint, types};
use hindcast_domain::Severity::{Critical, Info, Medium};
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::command::Configured;
use hindcast_domain::event::{DoorOpened, Event, Recorded};
use hindcast_domain::repeats::{RepeatBatch, RepeatedAlert};
use hindcast_domain::{Span, Time};
use proptest::prelude::*;

const DAY: Span = Span::hours(24);

/// An alert that does not go stale while a test lasts.
fn lasting(name: &str, source: &str) -> Observation {
    Observation { source: source.to_owned(), stale_after: DAY, ..alert(name, "postgres", Medium) }
}

fn say(lane: &mut Lane, time: Time, observation: &Observation) -> Vec<Recorded> {
    lane.input(time, observation.fingerprint.as_str(), Event::Observed(observation.clone()))
}

/// When each silence began, by the incidents that it opened.
fn silences(lane: &Lane) -> Vec<Time> {
    let fired = |event: &&Recorded| matches!(&event.event, Event::AlertFired(fired) if fired.name == "SenderSilent");
    lane.log.iter().filter(fired).map(|event| event.time).collect()
}

fn ended(lane: &Lane) -> usize {
    let silent = |incident: &&hindcast_domain::incident::Incident| incident.title.contains("silent");
    lane.state.book.incidents.values().filter(silent).filter(|incident| !incident.is_live()).count()
}

/// A sender that says the same every `every` seconds, `count` times.
fn regular(lane: &mut Lane, seen: &Observation, every: i64, count: i64) -> i64 {
    for beat in 0..count {
        say(lane, at(beat * every), seen);
    }
    (count - 1) * every
}

#[test]
fn a_sender_that_stops_opens_an_incident_within_three_intervals_and_its_next_word_ends_it() {
    let mut lane = Lane::shop();
    let last = regular(&mut lane, &lasting("PgDown", "prom"), 60, 10);
    lane.pass(at(last + 149));
    assert_eq!(silences(&lane), []);
    let decided = lane.pass(at(last + 180));
    assert_eq!(types(&decided), ["alert.fired", "incident.opened"]);
    assert_eq!(silences(&lane), [at(last + 150)]);
    let Event::IncidentOpened(opened) = &decided[1].event else { panic!("{decided:#?}") };
    assert_eq!(opened.severity, Critical);
    assert!(opened.title.starts_with("Sender prom is silent: nothing since"), "{}", opened.title);
    lane.pass(at(last + 3_000));
    assert_eq!(silences(&lane).len(), 1, "a silence is told once");
    let back = say(&mut lane, at(last + 3_000), &lasting("PgDown", "prom"));
    assert_eq!(types(&back), ["alert.resolved", "incident.resolved", "alert.repeated"]);
    assert_eq!(ended(&lane), 1);
}

#[test]
fn gathered_repeats_are_a_rhythm_too() {
    let mut lane = Lane::shop();
    let seen = lasting("PgDown", "prom");
    say(&mut lane, at(0), &seen);
    let again = |lane: &mut Lane, seconds| {
        let alerts = vec![RepeatedAlert {
            fingerprint: seen.fingerprint.clone(),
            count: 1,
            stale_after_s: 86_400,
            sender: None,
        }];
        let batch = RepeatBatch { from: at(seconds), to: at(seconds), requests: Vec::new(), alerts };
        lane.input(at(seconds), "repeats", Event::Repeats(batch))
    };
    for beat in 1..10 {
        again(&mut lane, beat * 30);
    }
    lane.pass(at(270 + 89));
    assert_eq!(silences(&lane), [at(270 + 75)]);
    assert_eq!(types(&again(&mut lane, 1_000)), ["alert.resolved", "incident.resolved"]);
}

#[test]
fn a_sender_of_which_nothing_fires_owes_nothing() {
    let mut lane = Lane::shop();
    let last = regular(&mut lane, &lasting("PgDown", "prom"), 60, 20);
    let over = Observation { signal: Signal::Resolved, ..lasting("PgDown", "prom") };
    say(&mut lane, at(last + 60), &over);
    lane.pass(at(last + 100_000));
    assert_eq!(silences(&lane), []);
}

#[test]
fn an_alert_that_its_sender_lets_go_while_it_speaks_of_others_is_no_silence() {
    let mut lane = Lane::shop();
    let last = regular(&mut lane, &lasting("PgDown", "prom"), 60, 20);
    let other = lasting("Other", "prom");
    for beat in 1..=5 {
        say(&mut lane, at(last + beat * 60), &other);
    }
    say(&mut lane, at(last + 360), &Observation { signal: Signal::Resolved, ..other });
    lane.pass(at(last + 100_000));
    assert_eq!(silences(&lane), []);
}

#[test]
fn time_in_which_the_endpoint_was_closed_is_no_silence() {
    let mut lane = Lane::shop();
    let seen = lasting("PgDown", "prom");
    let last = regular(&mut lane, &seen, 60, 10);
    lane.input(at(last + 7_200), "door", Event::DoorOpened(DoorOpened { version: "1".to_owned() }));
    lane.pass(at(last + 7_200 + 149));
    assert_eq!(silences(&lane), []);
    lane.pass(at(last + 7_200 + 151));
    assert_eq!(silences(&lane), [at(last + 7_200 + 150)]);
}

#[test]
fn the_clocks_of_senders_are_not_looked_at() {
    let mut lane = Lane::shop();
    for beat in 0..40 {
        let wrong = Some(at(beat * 60 - 3_600));
        say(&mut lane, at(beat * 60), &Observation { starts_at: wrong, ..lasting("PgDown", "prom") });
        let ahead = Some(at(3_600));
        say(&mut lane, at(beat * 60 + 7), &Observation { starts_at: ahead, ..lasting("Ahead", "other") });
    }
    assert_eq!(silences(&lane), []);
}

#[test]
fn a_watchdog_that_stops_is_told_although_its_sender_lives() {
    let mut lane = Lane::shop();
    let watchdog = Observation { severity: Info, ..lasting("Watchdog", "relay") };
    let other = lasting("PgDown", "relay");
    for beat in 0..10 {
        say(&mut lane, at(beat * 60), &watchdog);
        say(&mut lane, at(beat * 60 + 20), &other);
    }
    // The relay says that it ended; it speaks of the other alert as before.
    say(&mut lane, at(600), &Observation { signal: Signal::Resolved, ..watchdog.clone() });
    for beat in 10..20 {
        say(&mut lane, at(beat * 60 + 20), &other);
    }
    assert_eq!(silences(&lane), [at(540 + 150)]);
    let open = lane.state.book.incidents.values().find(|incident| incident.title.contains("silent")).unwrap();
    assert!(open.title.starts_with("Watchdog of relay is silent"), "{}", open.title);
    let back = say(&mut lane, at(1_300), &watchdog);
    assert_eq!(types(&back)[..2], ["alert.resolved", "incident.resolved"]);
}

#[test]
fn a_watchdog_falls_silent_with_its_sender_once() {
    let mut lane = Lane::shop();
    let watchdog = Observation { severity: Info, ..lasting("Watchdog", "prom") };
    for beat in 0..20 {
        say(&mut lane, at(beat * 60), &watchdog);
        say(&mut lane, at(beat * 60), &lasting("PgDown", "prom"));
    }
    lane.pass(at(20_000));
    assert_eq!(silences(&lane).len(), 1);
}

#[test]
fn it_can_be_switched_off() {
    let mut lane = Lane::shop();
    let content = serde_json::json!({"heartbeats": {"enabled": false}});
    lane.input(at(0), "c", Event::Configured(Configured { section: "correlation".into(), hash: "h".into(), content }));
    let last = regular(&mut lane, &lasting("PgDown", "prom"), 60, 20);
    lane.pass(at(last + 100_000));
    assert_eq!(silences(&lane), []);
}

/// How a sender of the property speaks.
#[derive(Clone, Copy, Debug)]
enum Speaks {
    /// Every so many milliseconds, give or take a share in thousandths; one message in so many is lost.
    Regular { every_ms: u64, off: u64, lost_of: u64, alerts: u64, spread: bool },
    /// After pauses that have no memory.
    Poisson { mean_ms: u64 },
    /// After pauses anywhere between two lengths, at least three times as long as the other.
    Anyhow { least_ms: u64, times: u64 },
    /// A new alert each time, none again.
    Once { every_ms: u64 },
}

fn speaks() -> impl Strategy<Value = Speaks> {
    let every = 5_000_u64..600_000;
    prop_oneof![
        4 => (every.clone(), 0_u64..90, prop_oneof![Just(0_u64), 60..200_u64], 1_u64..6, any::<bool>()).prop_map(
            |(every_ms, off, lost_of, alerts, spread)| Speaks::Regular { every_ms, off, lost_of, alerts, spread }
        ),
        2 => every.clone().prop_map(|mean_ms| Speaks::Poisson { mean_ms }),
        2 => (every.clone(), 3_u64..20).prop_map(|(least_ms, times)| Speaks::Anyhow { least_ms, times }),
        1 => every.prop_map(|every_ms| Speaks::Once { every_ms }),
    ]
}

/// A stream of numbers that are as good as random, from a seed.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a draw
    fn exponential(&mut self, mean: u64) -> u64 {
        let uniform = (self.below(1 << 40) + 1) as f64 / (1_u64 << 40) as f64;
        (-uniform.ln() * mean as f64) as u64
    }
}

/// The messages of one sender: when, and which of its alerts.
fn messages(speaks: Speaks, source: usize, rounds: u64, draws: &mut Draws) -> Vec<(u64, Observation)> {
    let name = format!("sender-{source}");
    let one =
        |n: u64| Observation { fingerprint: fingerprint(&format!("A{n}"), &name), ..lasting(&format!("A{n}"), &name) };
    let mut all = Vec::new();
    let (mut at_ms, start) = (0, draws.below(60_000));
    for round in 0..rounds {
        match speaks {
            Speaks::Regular { every_ms, off, lost_of, alerts, spread } => {
                at_ms = round * every_ms;
                let lost = lost_of > 0 && draws.below(lost_of) == 0;
                for alert in (0..alerts).filter(|_| !lost) {
                    let apart = if spread { alert * every_ms / alerts } else { 0 };
                    let jitter = draws.below(every_ms * off / 1_000 + 1);
                    all.push((start + at_ms + apart + jitter, one(alert)));
                }
            }
            Speaks::Poisson { mean_ms } => {
                at_ms += draws.exponential(mean_ms);
                all.push((start + at_ms, one(0)));
            }
            Speaks::Anyhow { least_ms, times } => {
                at_ms += least_ms + draws.below(least_ms * times);
                all.push((start + at_ms, one(0)));
            }
            Speaks::Once { every_ms } => {
                at_ms += every_ms;
                all.push((start + at_ms, one(round)));
            }
        }
    }
    all
}

fn time(ms: u64) -> Time {
    START + Span::millis(i64::try_from(ms).unwrap())
}

/// When the timers of the senders of a property stop: none of them may fire behind what it says last.
fn play(lane: &mut Lane, mut all: Vec<(u64, Observation)>) {
    all.sort_by_key(|(at, _)| *at);
    for (at, seen) in all {
        say(lane, time(at), &seen);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// 0 false silences over senders that live, with or without a rhythm, heard side by side.
    #[test]
    fn nobody_who_lives_is_told_to_be_dead(senders in prop::collection::vec(speaks(), 1..4), seed: u64) {
        let (mut lane, mut draws) = (Lane::new(), Draws(seed));
        let all: Vec<_> = senders
            .iter()
            .enumerate()
            .flat_map(|(source, speaks)| messages(*speaks, source, 40 + draws.below(80), &mut draws))
            .collect();
        // Nobody is dead before the first of them has said its last word.
        let last = |source: usize| {
            let name = format!("sender-{source}");
            all.iter().filter(|(_, seen)| seen.source == name).map(|(at, _)| *at).max().unwrap_or(0)
        };
        let until = (0..senders.len()).map(last).min().unwrap_or(0);
        play(&mut lane, all.into_iter().filter(|(at, _)| *at <= until).collect());
        prop_assert_eq!(silences(&lane), vec![]);
    }

    /// Every sender with a rhythm that is killed is found within three intervals of the kill.
    #[test]
    fn every_sender_with_a_rhythm_that_is_killed_is_found(
        every_ms in 5_000_u64..600_000, off in 0_u64..70, alerts in 1_u64..6, spread: bool, seed: u64, part in 0_u64..1_000,
    ) {
        let (mut lane, mut draws) = (Lane::new(), Draws(seed));
        let speaks = Speaks::Regular { every_ms, off, lost_of: 0, alerts, spread };
        let rounds = 9 + draws.below(60);
        let all = messages(speaks, 0, rounds, &mut draws);
        let kill = (rounds - 1) * every_ms + every_ms * part / 1_000 + every_ms / 10;
        play(&mut lane, all.into_iter().filter(|(at, _)| *at <= kill).collect());
        lane.pass(time(kill + 100 * every_ms));
        let found = silences(&lane);
        prop_assert_eq!(found.len(), 1);
        // Two seconds are left until people are notified.
        let within = found[0].since(time(kill)).as_millis();
        prop_assert!(within > 0 && within + 2_000 <= i64::try_from(3 * every_ms).unwrap(), "{within} ms of {every_ms}");
    }
}
