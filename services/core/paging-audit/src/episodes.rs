//! When each alert fires, by what its senders say. Owns what is one stretch of firing; refuses to know what anybody
//! decided about it. A sender that falls silent ends no stretch here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::limits::{CLAMP_FUTURE, CLAMP_PAST};
use hindcast_domain::rhythm::OWN_SOURCE;
use hindcast_domain::{Fingerprint, Severity, Span, Time};

use crate::SLACK;

/// Stretches of one alert that are remembered.
const KEPT: usize = 12;
/// How long after it said itself that a stretch ended a source that says the same start again is late and not back.
const LAGS: Span = Span::minutes(15);

/// A time between two words of a sender: that it is wrong, and that it is over.
#[derive(Clone, Debug)]
struct FiringStretch {
    began: Time,
    starts_at: Time,
    starts_sent: BTreeSet<Time>,
    /// Who said first that it fires.
    first: String,
    /// Who says that it fires, and until when each may be silent.
    fires: BTreeMap<String, Time>,
    /// Who said that it is over: when that came, and when it was by the sender's clock.
    ends: BTreeMap<String, (Time, Option<Time>)>,
    ended: Option<Time>,
}

/// An alert by its senders.
#[derive(Clone, Debug)]
pub(crate) struct ObservedAlert {
    pub(crate) name: String,
    pub(crate) service: Option<String>,
    /// What it is about, or its service where no label names a thing.
    pub(crate) entity: String,
    pub(crate) severity: Severity,
    stretches: VecDeque<FiringStretch>,
    silent_after: Time,
}

/// What an observation changed.
pub(crate) enum AlertChange {
    /// Nothing that people are to know.
    Nothing,
    /// A stretch began, or became worse.
    Began,
    /// A stretch ended; it had begun then.
    Ended(Time),
}

impl ObservedAlert {
    /// Whether it fires, by its last word.
    pub(crate) fn fires(&self) -> bool {
        self.stretches.back().is_some_and(|stretch| stretch.ended.is_none())
    }

    /// When the newest stretch began.
    pub(crate) fn began(&self) -> Option<Time> {
        self.stretches.back().map(|stretch| stretch.began)
    }

    /// Whether it was so that it fired, or that it did not, at some moment shortly before `at`.
    pub(crate) fn was(&self, signal: Signal, at: Time) -> bool {
        let from = at - SLACK;
        let real = self.stretches.iter().filter(|stretch| stretch.ended != Some(stretch.began));
        match signal {
            Signal::Firing => {
                real.clone().any(|stretch| stretch.began <= at && stretch.ended.is_none_or(|ended| ended >= from))
            }
            // A sender that is silent for long may have been taken for one that has ended.
            Signal::Resolved if at > self.silent_after => true,
            Signal::Resolved => {
                !real.clone().any(|stretch| stretch.began < from && stretch.ended.is_none_or(|ended| ended > at))
            }
        }
    }
}

/// All alerts by their senders.
#[derive(Clone, Debug, Default)]
pub(crate) struct ObservedAlerts(pub(crate) BTreeMap<Fingerprint, ObservedAlert>);

impl ObservedAlerts {
    /// Takes in what a sender says at `now`.
    pub(crate) fn observe(&mut self, seen: &Observation, now: Time, late: Span) -> AlertChange {
        let alert = self.0.entry(seen.fingerprint.clone()).or_insert_with(|| ObservedAlert {
            name: seen.name.clone(),
            service: None,
            entity: String::new(),
            severity: Severity::Info,
            stretches: VecDeque::new(),
            silent_after: now,
        });
        match seen.signal {
            Signal::Firing => alert.firing(seen, now, late),
            Signal::Resolved => alert.resolved(seen, now),
        }
    }

    /// Takes in that a sender said the same again: it may be silent until then.
    pub(crate) fn repeat(&mut self, fingerprint: &Fingerprint, sender: Option<&str>, silent_after: Time) {
        if let Some(alert) = self.0.get_mut(fingerprint).filter(|alert| alert.fires()) {
            alert.silent_after = alert.silent_after.max(silent_after);
            let Some(open) = alert.stretches.back_mut() else { return };
            let sender = sender.unwrap_or(&open.first).to_owned();
            if let Some(lease) = open.fires.get_mut(&sender) {
                *lease = silent_after;
            }
        }
    }
}

impl ObservedAlerts {
    /// An alert that Hindcast raised itself is over; answers when it had begun.
    pub(crate) fn end_own(&mut self, fingerprint: &Fingerprint, now: Time) -> Option<Time> {
        let alert = self.0.get_mut(fingerprint).filter(|alert| alert.fires())?;
        let open = alert.stretches.back_mut().filter(|stretch| stretch.first == OWN_SOURCE)?;
        open.ended = Some(now);
        Some(open.began)
    }
}

impl ObservedAlert {
    fn firing(&mut self, seen: &Observation, now: Time, late: Span) -> AlertChange {
        let was_silent = now > self.silent_after;
        if self.is_late(seen, now, late) {
            return AlertChange::Nothing;
        }
        let lease = (sender_of(seen), now + seen.stale_after);
        if let Some(open) = self.stretches.back_mut().filter(|stretch| stretch.ended.is_none()) {
            open.starts_sent.extend(seen.starts_at);
            open.ends.remove(&lease.0);
            open.fires.extend([lease]);
            let rises = seen.severity > self.severity && seen.severity.pages() && !was_silent;
            self.take(seen, now);
            return if rises { AlertChange::Began } else { AlertChange::Nothing };
        }
        self.take(seen, now);
        if self.stretches.len() == KEPT {
            self.stretches.pop_front();
        }
        self.stretches.push_back(FiringStretch {
            began: now,
            starts_at: seen.starts_at.unwrap_or(now).clamped(now - CLAMP_PAST, now + CLAMP_FUTURE),
            starts_sent: seen.starts_at.into_iter().collect(),
            first: lease.0.clone(),
            fires: [lease].into(),
            ends: BTreeMap::new(),
            ended: None,
        });
        AlertChange::Began
    }

    /// Whether a sender that said that a stretch is over says late that it fires.
    fn is_late(&self, seen: &Observation, now: Time, late: Span) -> bool {
        let (Some(sent), sender) = (seen.starts_at, sender_of(seen)) else { return false };
        let means = |stretch: &FiringStretch| stretch.starts_sent.contains(&sent);
        let open = self.stretches.back().filter(|stretch| stretch.ended.is_none());
        if open.is_some_and(|open| means(open) && open.fires.contains_key(&sender)) {
            return false;
        }
        self.stretches.iter().any(|stretch| {
            stretch.ends.get(&sender).is_some_and(|(came, end)| {
                let lately = now.since(*came) <= late.max(LAGS);
                lately && (means(stretch) || end.is_some_and(|end| sent <= end))
            })
        })
    }

    fn take(&mut self, seen: &Observation, now: Time) {
        self.severity = seen.severity;
        self.service.clone_from(&seen.service);
        let entity = seen.about.as_ref().and_then(|about| about.entity.as_ref()).map(ToString::to_string);
        self.entity = entity.or_else(|| seen.service.clone()).unwrap_or_default();
        self.silent_after = now + seen.stale_after;
    }

    fn resolved(&mut self, seen: &Observation, now: Time) -> AlertChange {
        let older: Vec<&FiringStretch> = self.stretches.iter().rev().skip(1).collect();
        let means = |stretch: &FiringStretch| seen.starts_at.is_some_and(|sent| stretch.starts_sent.contains(&sent));
        let Some(open) = self.stretches.back().filter(|stretch| stretch.ended.is_none()) else {
            return AlertChange::Nothing;
        };
        let sender = sender_of(seen);
        let said_before = |stretch: &&FiringStretch| {
            stretch
                .ends
                .get(&sender)
                .is_some_and(|(_, end)| end.is_some_and(|end| seen.ends_at.is_some_and(|ends| ends <= end)))
        };
        let before_it = !older.is_empty() && seen.ends_at.is_some_and(|ends| ends < open.starts_at);
        let is_older = older.iter().any(|stretch| means(stretch)) || older.iter().any(said_before) || before_it;
        if !means(open) && is_older {
            return AlertChange::Nothing;
        }
        let began = open.began;
        let Some(open) = self.stretches.back_mut() else { return AlertChange::Nothing };
        if open.fires.remove(&sender).is_none() {
            return AlertChange::Nothing;
        }
        open.ends.insert(sender, (now, seen.ends_at));
        // It goes on where another that was heard of lately says so.
        if open.fires.values().any(|silent_after| *silent_after > now) {
            self.silent_after = open.fires.values().copied().max().unwrap_or(now);
            return AlertChange::Nothing;
        }
        open.ended = Some(now);
        AlertChange::Ended(began)
    }
}

/// Whose word it is: replicas of one another are one sender.
fn sender_of(seen: &Observation) -> String {
    seen.replica_of.as_ref().unwrap_or(&seen.source).clone()
}
