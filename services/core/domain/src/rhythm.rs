//! How regularly a sender repeats what fires: a robust interval from the ledger alone, and when its silence means that
//! it is dead. Owns the model; refuses to decide what follows from a silence, and reads no clock but the times at which
//! messages were recorded here, so that a sender whose clock is wrong has the rhythm of its messages.
//!
//! A sample is the time between two messages about one alert that fires. It is the sender's own interval even where the
//! sender spreads its rules over a minute or splits a round into many requests. A sender has a rhythm if nearly all of
//! its samples are close to their median. Its silence counts only while it owes a repeat: something fires that it
//! repeated in its last round. Alerts that are named as watchdogs (they fire as long as their sender is well) have a
//! rhythm of their own, and owe a repeat even after somebody said that they ended.

pub mod as_pairs;
mod key;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::alert::{Observation, Signal, TEST_SERVICE};
use crate::event::{Event, Recorded};
use crate::events;
use crate::id::{EventId, Fingerprint};
use crate::repeats::RepeatBatch;
use crate::time::{Span, Time};

pub use key::{OWN_SOURCE, RhythmKey, SENDER_SILENT};

/// Samples of a rhythm that are kept.
const SAMPLES_MAX: usize = 48;
/// Samples from which on there can be a rhythm: seven messages about one alert.
const SAMPLES_MIN: usize = 6;
/// Samples from which on a sample may be a fifth off the median, where it may be 15 % off before.
const SAMPLES_SOME: usize = 8;
/// Samples from which on a tenth of them may be any size, so that a lost message costs no rhythm.
const SAMPLES_MANY: usize = 16;
/// The shortest interval that counts; whoever repeats faster is dead only when one of this length would be.
const SHORTEST: Span = Span::seconds(5);
/// The longest interval that counts: who speaks once a day may pause for a weekend.
const LONGEST: Span = Span::hours(6);
/// How many alerts of a sender are known, so that nobody fills the memory with alerts that end never.
const FIRING_MAX: usize = 20_000;
/// How long an alert that fires is remembered without a word about it.
const KEPT: Span = Span::hours(24);

/// How one sender, or one watchdog, repeats itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// The name of the watchdog's rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// When the last message arrived.
    pub heard_at: Time,
    /// The event that recorded it.
    pub heard_in: EventId,
    /// When it spoke again after a silence that was long enough to be one.
    resumed_at: Time,
    samples_ms: VecDeque<u64>,
    sampled_at: Time,
    interval: Option<Span>,
    /// What fires by its last word, by when it was last repeated.
    firing: BTreeSet<(Time, Fingerprint)>,
}

impl Rhythm {
    fn new(at: Time, event: &EventId) -> Self {
        Self {
            alert: None,
            heard_at: at,
            heard_in: event.clone(),
            resumed_at: Time::ZERO,
            samples_ms: VecDeque::new(),
            sampled_at: Time::ZERO,
            interval: None,
            firing: BTreeSet::new(),
        }
    }

    /// The interval at which it repeats what fires; `None` without a rhythm.
    #[must_use]
    pub const fn interval(&self) -> Option<Span> {
        self.interval
    }

    /// Samples so far, at most as many as are kept.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples_ms.len()
    }

    /// How many alerts fire by its last word.
    #[must_use]
    pub fn firing(&self) -> usize {
        self.firing.len()
    }

    /// How long it may be silent. It is below three intervals, so that there is time to notify people within three:
    /// half an interval of it where that is more than four seconds.
    fn patience(&self, interval: Span) -> Span {
        let rest = (interval.as_millis() / 2).max(4_000);
        let least = interval.as_millis() * 21 / 10;
        Span::millis((interval.as_millis() * 3 - rest).max(least))
    }

    /// Whether it owes a repeat: something fires that it repeated in its last round.
    fn owes(&self, interval: Span) -> bool {
        let round = Span::millis(interval.as_millis() * 3 / 2);
        self.firing.last().is_some_and(|(said, _)| self.heard_at.since(*said) <= round)
    }

    /// From when on its silence means that it is dead; `None` while it owes nothing. Time before `opened_at`, in which
    /// it could not be heard, does not count.
    #[must_use]
    pub fn deadline(&self, opened_at: Time) -> Option<Time> {
        let interval = self.interval.filter(|interval| self.owes(*interval))?;
        Some(self.heard_at.max(opened_at).max(self.resumed_at) + self.patience(interval))
    }

    fn hear(&mut self, at: Time, event: &EventId) {
        if self.interval.is_some_and(|interval| at.since(self.heard_at) >= self.patience(interval)) {
            self.resumed_at = at;
        }
        if at >= self.heard_at {
            self.heard_at = at;
            self.heard_in = event.clone();
        }
    }

    /// Takes a sample, unless the last one is so near that both are of one round.
    fn sample(&mut self, gap: Span, at: Time) {
        let far = at.since(self.sampled_at).as_millis().saturating_mul(4) >= gap.as_millis();
        let pause = self.interval.is_some_and(|interval| gap >= self.patience(interval));
        let Ok(gap) = u64::try_from(gap.as_millis()) else { return };
        if !far || pause || gap < 500 {
            return;
        }
        if self.samples_ms.len() == SAMPLES_MAX {
            self.samples_ms.pop_front();
        }
        self.samples_ms.push_back(gap);
        self.sampled_at = at;
        self.interval = interval_of(&self.samples_ms);
    }
}

/// The interval of samples that are nearly all alike: their median.
fn interval_of(samples: &VecDeque<u64>) -> Option<Span> {
    if samples.len() < SAMPLES_MIN {
        return None;
    }
    let mut sorted: Vec<u64> = samples.iter().copied().collect();
    sorted.sort_unstable();
    let median = *sorted.get(sorted.len() / 2)?;
    let off = if sorted.len() < SAMPLES_SOME { median * 15 / 100 } else { median / 5 };
    let strange = sorted.iter().filter(|sample| sample.abs_diff(median) > off).count();
    let allowed = if sorted.len() < SAMPLES_MANY { 0 } else { sorted.len() / 10 };
    let interval = Span::millis(i64::try_from(median).ok()?).max(SHORTEST);
    (strange <= allowed && interval <= LONGEST).then_some(interval)
}

/// When an alert was last said to fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LastSaid {
    source: String,
    at: Time,
    is_watchdog: bool,
}

/// The rhythms of all senders of a partition. It is fed with facts alone, in the order of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythms {
    #[serde(with = "as_pairs")]
    all: BTreeMap<RhythmKey, Rhythm>,
    said: BTreeMap<Fingerprint, LastSaid>,
    /// When the endpoint opened last.
    opened_at: Time,
}

impl Rhythms {
    /// All of them, by whose they are.
    pub fn iter(&self) -> impl Iterator<Item = (&RhythmKey, &Rhythm)> {
        self.all.iter()
    }

    /// The rhythm of a sender or watchdog, where messages of it are known.
    #[must_use]
    pub fn get(&self, key: &RhythmKey) -> Option<&Rhythm> {
        self.all.get(key)
    }

    /// From when on a silence means that a sender or watchdog is dead. A watchdog that is silent because its sender is has
    /// none of its own.
    #[must_use]
    pub fn deadline(&self, key: &RhythmKey) -> Option<Time> {
        let rhythm = self.all.get(key)?;
        let due = rhythm.deadline(self.opened_at)?;
        if key.watchdog.is_none() {
            return Some(due);
        }
        let sender = self.all.get(&RhythmKey::sender(&key.source))?;
        let round = Span::millis(rhythm.interval?.as_millis() * 3 / 2);
        let falls_with_sender =
            sender.deadline(self.opened_at).is_some() && sender.heard_at.since(rhythm.heard_at) <= round;
        (!falls_with_sender).then(|| due.max(sender.resumed_at + rhythm.patience(rhythm.interval.unwrap_or(SHORTEST))))
    }

    /// Takes in a fact; answers whose deadlines it may have moved.
    pub fn see(&mut self, input: &Recorded, watchdogs: &[String]) -> Vec<RhythmKey> {
        match &input.event {
            Event::Observed(seen) => self.observed(seen, input, watchdogs),
            Event::Delivery(delivery) => self.heard(&delivery.source, input),
            Event::Repeats(batch) => self.repeated(batch, input),
            Event::DoorOpened(_) => {
                self.opened_at = self.opened_at.max(input.time);
                self.all.keys().cloned().collect()
            }
            Event::Change(_)
            | Event::Command(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | events! { finding, conversation, proposal, label, model, chat, alert, incident, silence, control, notice } => {
                Vec::new()
            }
        }
    }

    /// Whose silence an input ends: its sender's, and that of each watchdog that it says to fire.
    #[must_use]
    pub fn heard_in(&self, input: &Recorded) -> Vec<RhythmKey> {
        match &input.event {
            Event::Observed(seen) => {
                let sender = RhythmKey::sender(&seen.source);
                let fires = seen.signal == Signal::Firing;
                let watchdog = RhythmKey { source: seen.source.clone(), watchdog: Some(seen.fingerprint.clone()) };
                std::iter::once(sender).chain(Some(watchdog).filter(|_| fires)).collect()
            }
            Event::Delivery(delivery) => vec![RhythmKey::sender(&delivery.source)],
            Event::Repeats(batch) => {
                let mut keys: BTreeSet<RhythmKey> =
                    batch.requests.iter().map(|request| RhythmKey::sender(&request.source)).collect();
                for repeated in &batch.alerts {
                    let Some(said) = self.said.get(&repeated.fingerprint) else { continue };
                    keys.insert(RhythmKey::sender(&said.source));
                    if said.is_watchdog {
                        let watchdog = Some(repeated.fingerprint.clone());
                        keys.insert(RhythmKey { source: said.source.clone(), watchdog });
                    }
                }
                keys.into_iter().collect()
            }
            Event::DoorOpened(_)
            | Event::Change(_)
            | Event::Command(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | events! { finding, conversation, proposal, label, model, chat, alert, incident, silence, control, notice } => {
                Vec::new()
            }
        }
    }

    fn heard(&mut self, source: &str, input: &Recorded) -> Vec<RhythmKey> {
        let key = RhythmKey::sender(source);
        self.rhythm(&key, input).hear(input.time, &input.id);
        // Whether a watchdog is silent alone depends on when its sender was heard.
        self.all.range(key..).take_while(|(key, _)| key.source == source).map(|(key, _)| key.clone()).collect()
    }

    fn rhythm(&mut self, key: &RhythmKey, input: &Recorded) -> &mut Rhythm {
        if !self.all.contains_key(key) {
            self.all.insert(key.clone(), Rhythm::new(input.time, &input.id));
        }
        self.all.entry(key.clone()).or_insert_with(|| Rhythm::new(input.time, &input.id))
    }

    fn observed(&mut self, seen: &Observation, input: &Recorded, watchdogs: &[String]) -> Vec<RhythmKey> {
        // A test of an endpoint is sent by people, and repeated by nobody.
        if seen.service.as_deref() == Some(TEST_SERVICE) {
            return self.heard(&seen.source, input);
        }
        let is_watchdog = watchdogs.contains(&seen.name);
        if seen.signal == Signal::Firing {
            self.fires(&seen.fingerprint, &seen.source, is_watchdog.then_some(seen.name.as_str()), input);
        } else if let Some(said) = self.said.remove(&seen.fingerprint)
            && let Some(rhythm) = self.all.get_mut(&RhythmKey::sender(&said.source))
        {
            rhythm.firing.remove(&(said.at, seen.fingerprint.clone()));
        }
        self.heard(&seen.source, input)
    }

    fn repeated(&mut self, batch: &RepeatBatch, input: &Recorded) -> Vec<RhythmKey> {
        let mut sources: BTreeSet<String> = batch.requests.iter().map(|request| request.source.clone()).collect();
        for repeated in &batch.alerts {
            let Some(said) = self.said.get(&repeated.fingerprint) else { continue };
            let (source, is_watchdog) = (said.source.clone(), said.is_watchdog);
            self.fires(&repeated.fingerprint, &source, is_watchdog.then_some(""), input);
            if !sources.contains(&source) {
                sources.insert(source);
            }
        }
        sources.iter().flat_map(|source| self.heard(source, input)).collect()
    }

    /// An alert is said to fire: the time since it was last said is a sample of its sender's interval, unless nobody could
    /// be heard meanwhile.
    fn fires(&mut self, fingerprint: &Fingerprint, source: &str, watchdog: Option<&str>, input: &Recorded) {
        let (at, opened_at) = (input.time, self.opened_at);
        let said = LastSaid { source: source.to_owned(), at, is_watchdog: watchdog.is_some() };
        let before = self.said.insert(fingerprint.clone(), said).filter(|before| before.source == source);
        let gap = before.as_ref().filter(|before| before.at >= opened_at).map(|before| at.since(before.at));
        let sender = self.rhythm(&RhythmKey::sender(source), input);
        if let Some(before) = &before {
            sender.firing.remove(&(before.at, fingerprint.clone()));
        }
        sender.firing.insert((at, fingerprint.clone()));
        if let Some(gap) = gap {
            sender.sample(gap, at);
        }
        let mut gone = Vec::new();
        while let Some((oldest, alert)) = sender.firing.first()
            && (sender.firing.len() > FIRING_MAX || at.since(*oldest) > KEPT)
        {
            gone.push(alert.clone());
            sender.firing.pop_first();
        }
        gone.iter().for_each(|alert| drop(self.said.remove(alert)));
        if let Some(name) = watchdog {
            self.watchdog(fingerprint, source, name, gap, input);
        }
    }

    /// A watchdog barks: it owes the next one from then on.
    fn watchdog(&mut self, fingerprint: &Fingerprint, source: &str, name: &str, gap: Option<Span>, input: &Recorded) {
        let key = RhythmKey { source: source.to_owned(), watchdog: Some(fingerprint.clone()) };
        let rhythm = self.rhythm(&key, input);
        rhythm.hear(input.time, &input.id);
        if !name.is_empty() {
            rhythm.alert = Some(name.to_owned());
        }
        if let Some(gap) = gap {
            rhythm.sample(gap, input.time);
        }
        rhythm.firing.clear();
        rhythm.firing.insert((input.time, fingerprint.clone()));
    }
}
