//! Several senders of one alert, with clocks that are wrong, replicas, late firings and doubled ends: over random
//! histories, each compared with what was true.
//!
//! `HINDCAST_TEST_SEED` repeats a run.

use std::collections::BTreeSet;

use crate::harness::{Lane, alert, at, fingerprint, types};
use hindcast_domain::Severity::Critical;
use hindcast_domain::alert::{Observation, Signal, Status};
use hindcast_domain::event::Event;
use hindcast_domain::incident;
use hindcast_domain::repeats::{RepeatBatch, RepeatedAlert};
use hindcast_domain::{Span, Time};
use hindcast_testkit::seeds::{asked, seed};

/// Histories of a run.
const HISTORIES: u64 = 300;
/// Stretches of firing of one history.
const STRETCHES: u64 = 6;
/// How late a sender learns of a change, at most, in seconds. A stretch is longer than that.
const LAG_MAX: u64 = 600;

/// A small generator (SplitMix64), so that a seed repeats a history.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn seconds(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }
}

/// A source: whose replica it is, how far its clock is ahead, and how late it learns what is so, in seconds.
#[derive(Clone, Debug)]
struct Sender {
    name: String,
    replica_of: Option<String>,
    ahead: i64,
    lag: i64,
}

impl Sender {
    fn group(&self) -> &str {
        self.replica_of.as_deref().unwrap_or(&self.name)
    }

    fn says(&self, signal: Signal, starts: i64, ends: Option<i64>) -> Observation {
        Observation {
            source: self.name.clone(),
            replica_of: self.replica_of.clone(),
            signal,
            starts_at: Some(at(starts + self.ahead)),
            ends_at: ends.map(|ends| at(ends + self.ahead)),
            stale_after: Span::hours(4),
            ..alert("PgDown", "postgres", Critical)
        }
    }
}

fn senders(draws: &mut Draws) -> Vec<Sender> {
    let count = 1 + draws.below(4);
    (0..count)
        .map(|n| {
            let replica_of = (n > 0 && draws.below(2) == 0).then(|| "am-0".to_owned());
            let ahead = if draws.below(3) == 0 { 0 } else { draws.seconds(7_201) - 3_600 };
            Sender { name: format!("am-{n}"), replica_of, ahead, lag: 1 + draws.seconds(LAG_MAX) }
        })
        .collect()
}

/// What one sender says of a stretch: that it fires, again and again, that it is over, again and again, and, of a second
/// process of it that lags, once more that it fires. In seconds.
fn words(sender: &Sender, (start, end): (i64, i64), first_end: i64, draws: &mut Draws) -> Vec<(i64, Observation)> {
    let (from, until) = (start + sender.lag, end + sender.lag);
    let mut words = vec![(from, sender.says(Signal::Firing, start, None))];
    words.extend((1..4).map(|n| (from + (until - from) * n / 4, sender.says(Signal::Firing, start, None))));
    for again in 0..1 + draws.seconds(4) {
        words.push((until + again * 60, sender.says(Signal::Resolved, start, Some(end))));
    }
    // Late is what comes within a quarter of an hour after the sender's own end.
    if draws.below(2) == 0 {
        let late = until + draws.seconds(280);
        if late < first_end + 890 {
            words.push((late, sender.says(Signal::Firing, start, None)));
        }
    }
    words
}

/// One history, and what is wrong with what was decided about it.
fn history(seed: u64) -> Result<(usize, i64), String> {
    let mut draws = Draws(seed);
    let senders = senders(&mut draws);
    let mut lane = Lane::shop();
    let (mut start, mut ends, mut corrected) = (100, Vec::new(), 0);
    for n in 0..STRETCHES {
        let end = start + 1_200 + draws.seconds(3_000);
        let group_end = |group: &str| senders.iter().filter(|s| s.group() == group).map(|s| end + s.lag).min().unwrap();
        let mut all: Vec<(i64, Observation)> = Vec::new();
        for sender in &senders {
            all.extend(words(sender, (start, end), group_end(sender.group()), &mut draws));
        }
        all.sort_by_key(|(time, said)| (*time, said.source.clone(), said.signal == Signal::Resolved));
        let groups: BTreeSet<&str> = senders.iter().map(Sender::group).collect();
        let over = groups.into_iter().map(group_end).max().unwrap();
        for (time, said) in all {
            let decided = lane.see(time, said.clone());
            check(&decided, time, start, &senders, &mut corrected)?;
            let known = &lane.state.book.alerts[&said.fingerprint];
            let expected = if time < over { Status::Firing } else { Status::Resolved };
            // In the second of the last end the order of what came decides.
            if known.status != expected && time != over {
                return Err(format!("stretch {n}, {time} s: expected {expected:?}, got {:?} ({said:?})", known.status));
            }
        }
        ends.push(over);
        start = over + 1_000 + draws.seconds(7_000);
    }
    let known = &lane.state.book.alerts[&fingerprint("PgDown", "postgres")];
    if known.fired != STRETCHES {
        return Err(format!("expected {STRETCHES} stretches, got {}", known.fired));
    }
    // A sender that falls silent opens one of its own.
    let own = fingerprint("PgDown", "postgres");
    let incidents: Vec<_> =
        lane.incidents().into_iter().filter(|incident| incident.members.contains_key(&own)).collect();
    let told = incidents.len() as u64 + incidents.iter().map(|incident| incident.reopened).sum::<u64>();
    if told != STRETCHES || !incidents.iter().all(|incident| incident.status == incident::Status::Resolved) {
        return Err(format!("expected {STRETCHES} resolved incidents, got {incidents:#?}"));
    }
    Ok((senders.len(), corrected))
}

/// No start lies after its receipt, and one by a clock that is known to be wrong is corrected.
fn check(
    decided: &[hindcast_domain::event::Recorded],
    time: i64,
    start: i64,
    senders: &[Sender],
    corrected: &mut i64,
) -> Result<(), String> {
    for decision in decided {
        let Event::AlertFired(fired) = &decision.event else { continue };
        if fired.starts_at > at(time) {
            return Err(format!("{time} s: a start after its receipt: {fired:?}"));
        }
        let sender = senders.iter().find(|sender| sender.name == fired.source).unwrap();
        let off = fired.starts_at.distance(at(start));
        // Before enough was heard the clock is not known. A delay looks like a clock that is behind.
        if fired.occurrence > 3 && sender.ahead > 120 {
            if off > Span::seconds(sender.lag + 60) {
                return Err(format!("{time} s: {off:?} off, of a clock {} s ahead: {fired:?}", sender.ahead));
            }
            *corrected += 1;
        }
        // Nor is it known of one that delays all by minutes.
        if sender.ahead.abs() <= 30 && sender.lag < 270 && fired.sender_ahead.is_some() {
            return Err(format!("{time} s: a right clock is called wrong: {fired:?}"));
        }
    }
    Ok(())
}

#[test]
fn whatever_clocks_lags_and_replicas_one_fault_is_one_incident_and_nothing_overrules_another_sender() {
    let asked = asked("HINDCAST_TEST_SEED");
    let (first, count) = (seed(), asked.map_or(HISTORIES, |_| 1));
    let (mut several, mut corrected) = (0, 0);
    for seed in first..first + count {
        let (senders, starts) = history(seed).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        several += usize::from(senders > 1);
        corrected += starts;
    }
    assert!(asked.is_some() || several > 100 && corrected > 100, "{several} with several senders, {corrected} starts");
}

fn named(name: &str, replica_of: Option<&str>, ahead: i64) -> Sender {
    Sender { name: name.to_owned(), replica_of: replica_of.map(ToOwned::to_owned), ahead, lag: 0 }
}

#[test]
fn one_senders_end_does_not_overrule_anothers_fire() {
    let (a, b) = (named("am-a", None, 0), named("am-b", None, 0));
    let mut lane = Lane::shop();
    lane.see(10, a.says(Signal::Firing, 5, None));
    lane.see(40, b.says(Signal::Firing, 5, None));
    assert_eq!(types(&lane.see(100, a.says(Signal::Resolved, 5, Some(95)))), ["alert.repeated"]);
    assert_eq!(lane.status(0), incident::Status::Open);
    // What it ended it does not fire again by a word that was under way.
    assert_eq!(types(&lane.see(110, a.says(Signal::Firing, 5, None))), ["alert.repeated"]);
    assert_eq!(types(&lane.see(160, b.says(Signal::Resolved, 5, Some(150)))), ["alert.resolved", "incident.resolved"]);
    // A source that never fired it ends nothing.
    let c = named("am-c", None, 0);
    lane.see(2_000, a.says(Signal::Firing, 1_995, None));
    assert_eq!(types(&lane.see(2_010, c.says(Signal::Resolved, 1_995, Some(2_005)))), ["alert.repeated"]);
    let status = lane.state.book.alerts[&fingerprint("PgDown", "postgres")].status;
    assert_eq!(status, Status::Firing);
}

#[test]
fn an_alert_is_over_when_the_lease_of_the_last_sender_ends_after_another_said_so() {
    let (a, b) = (named("am-a", None, 0), named("am-b", None, 0));
    let lease = |said: Observation| Observation { stale_after: Span::minutes(5), ..said };
    let mut lane = Lane::shop();
    lane.see(10, lease(a.says(Signal::Firing, 5, None)));
    lane.see(20, lease(b.says(Signal::Firing, 5, None)));
    let again = |sender: Option<&str>| RepeatedAlert {
        fingerprint: fingerprint("PgDown", "postgres"),
        count: 1,
        stale_after_s: 300,
        sender: sender.map(ToOwned::to_owned),
    };
    let batch =
        |alert| Event::Repeats(RepeatBatch { from: at(0), to: at(0), requests: Vec::new(), alerts: vec![alert] });
    lane.input(at(200), "repeats", batch(again(Some("am-b"))));
    lane.input(at(250), "repeats", batch(again(None)));
    assert_eq!(types(&lane.see(300, a.says(Signal::Resolved, 5, Some(290)))), ["alert.repeated"]);
    assert!(lane.pass(at(499)).is_empty(), "the other was last heard of at 200 s");
    assert_eq!(types(&lane.pass(at(501))), ["alert.resolved", "incident.resolved"]);
    let known = &lane.state.book.alerts[&fingerprint("PgDown", "postgres")];
    assert_eq!(known.occurrence().ends_at, Some(at(290)));
    // Where nobody said that it is over, silence is no end.
    let mut lane = Lane::shop();
    lane.see(10, lease(a.says(Signal::Firing, 5, None)));
    lane.see(20, lease(b.says(Signal::Firing, 5, None)));
    lane.input(at(200), "repeats", batch(again(None)));
    assert!(lane.pass(at(499)).is_empty());
    assert_eq!(types(&lane.pass(at(501))), ["alert.stale"]);
}

#[test]
fn a_replica_that_is_ahead_opens_nothing_and_one_that_lags_is_late_by_its_own_times() {
    let (a, b) = (named("vm-a", None, 0), named("vm-b", Some("vm-a"), 600));
    for (heard_before, lags) in [(0, 5), (0, 40), (0, 130), (0, 480), (3, 130), (3, 600), (3, 880)] {
        let mut lane = Lane::shop();
        for n in 0..heard_before {
            let start = -20_000 + 5_000 * n;
            for sender in [&a, &b] {
                lane.see(start, sender.says(Signal::Firing, start, None));
                lane.see(start + 500, sender.says(Signal::Resolved, start, Some(start + 500)));
            }
        }
        let before = lane.incidents().len();
        lane.see(10, a.says(Signal::Firing, 5, None));
        assert_eq!(
            types(&lane.see(100, a.says(Signal::Resolved, 5, Some(95)))),
            ["alert.resolved", "incident.resolved"]
        );
        // The other says for the first time that it fires, by a clock of which nothing is known.
        assert_eq!(types(&lane.see(100 + lags, b.says(Signal::Firing, 5, None))), ["alert.repeated"], "{lags} s");
        assert_eq!(types(&lane.see(101 + lags, b.says(Signal::Resolved, 5, Some(95)))), ["alert.repeated"]);
        let reopened: u64 = lane.incidents().iter().map(|incident| incident.reopened).sum();
        assert_eq!((lane.incidents().len(), reopened), (before + 1, 0));
    }
}

#[test]
fn a_wrong_clock_is_named_on_the_alert_and_its_starts_are_corrected() {
    let late = named("edge", None, 3_600);
    let mut lane = Lane::shop();
    let (mut starts, mut aheads): (Vec<Time>, Vec<Option<Span>>) = (Vec::new(), Vec::new());
    for n in 0..4 {
        let start = 10_000 * n;
        for decision in lane.see(start + 300, late.says(Signal::Firing, start, None)) {
            let Event::AlertFired(fired) = &decision.event else { continue };
            starts.push(fired.starts_at);
            aheads.push(fired.sender_ahead);
        }
        lane.see(start + 1_010, late.says(Signal::Resolved, start, Some(start + 1_000)));
    }
    assert_eq!(aheads[0], Some(Span::seconds(3_300)), "one time in the future is named");
    assert_eq!(aheads[3], Some(Span::seconds(3_590)));
    assert_eq!((starts[0], starts[3]), (at(300), at(30_010)), "ten seconds are the delay");
    let known = &lane.state.book.alerts[&fingerprint("PgDown", "postgres")];
    assert_eq!(known.sender_ahead, Some(Span::seconds(3_590)));
}
