//! What is usual in this tenant: how often a value, a rule at an entity and a novelty were seen. Owns these counts, what
//! they say of an alert (information, rate, verdict), and their bound; refuses to know what is open.
//!
//! A count is one of *slots*: a burst counts once. It halves in [`GroupingParameters::half_life_s`]. What is read about
//! an alert leaves the present slot out, so that a fault's own alerts make nothing known. HashedCounts are whole millionths:
//! a state that was written and read again is the same to the bit.
//!
//! [`GroupingParameters::half_life_s`]: crate::parameters::GroupingParameters::half_life_s

use hindcast_domain::Time;
use serde::{Deserialize, Serialize};

use crate::counts::{DecayingCount, HashedCounts, Moment, ONE};
use crate::math::{ln, thousandths};
use crate::parameters::PARAMETERS as P;
use crate::traits::AlertTraits;

/// How usual an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usualness {
    /// Its rule was never seen at its entity.
    New,
    /// It was seen, and too seldom to be usual.
    Rare,
    /// It returns as it does.
    Usual,
    /// It returns as it does, and far more often at once.
    Burst,
    /// It returns after a gap that is long for it.
    Returned,
}

/// The baseline of a kind: a rule at an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KindBaseline {
    count: DecayingCount,
    /// The first and the last time, in seconds.
    first_s: i64,
    last_s: i64,
    /// Slots so far.
    slots: u32,
    /// Mean gap between slots, in seconds.
    gap_s: i64,
    /// Different hours so far, and the last of them.
    hours: u32,
    hour: i64,
    /// Alerts in the last slot, and the highest past count of a slot in thousandths.
    in_slot: u32,
    peak: u32,
}

/// All counts of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertBaseline {
    /// When the first alert came, in seconds.
    start_s: Option<i64>,
    /// Slots in which there was any alert.
    active: DecayingCount,
    values: HashedCounts<DecayingCount>,
    kinds: HashedCounts<KindBaseline>,
    novelties: HashedCounts<DecayingCount>,
}

fn seconds(time: Time) -> i64 {
    time.millis().div_euclid(1_000)
}

/// Millionths as a number.
#[allow(clippy::cast_precision_loss)] // far below 2^53
fn number(millionths: u64) -> f64 {
    millionths as f64 / ONE as f64
}

#[allow(clippy::cast_precision_loss)] // seconds of years
fn float(seconds: i64) -> f64 {
    seconds as f64
}

impl AlertBaseline {
    pub(crate) fn moment(&self, now: Time) -> Moment {
        let now_s = seconds(now);
        let slot = now_s.div_euclid(P.slot_s.value);
        let before = self.active.at(now_s, P.half_life_s.value);
        Moment { now_s, slot, active: if self.active.slot == slot { before } else { before + ONE } }
    }

    /// Takes in that an alert began to fire.
    pub fn observe(&mut self, alert: &AlertTraits, now: Time) {
        let (now_s, half) = (seconds(now), P.half_life_s.value);
        let slot = now_s.div_euclid(P.slot_s.value);
        self.start_s.get_or_insert(now_s);
        self.active.add(now_s, half, slot);
        self.observe_kind(alert, now_s, slot);
        for value in alert.values() {
            self.values.entry(value).add(now_s, half, slot);
        }
        self.values.sweep(|count| count.at(now_s, half));
        self.kinds.sweep(|kind| kind.count.at(now_s, half));
        self.novelties.sweep(|count| count.at(now_s, P.novel_half_life_s.value));
    }

    fn observe_kind(&mut self, alert: &AlertTraits, now_s: i64, slot: i64) {
        if self.kinds.get(alert.kind).is_none() {
            self.novelties.entry(alert.subject_key).add(now_s, P.novel_half_life_s.value, slot);
            self.kinds.insert(alert.kind, KindBaseline::born(now_s));
        }
        if let Some(kind) = self.kinds.get_mut(alert.kind) {
            kind.observe(now_s, slot);
        }
    }

    /// What a value says when it is shared, in thousandths of nats: the less usual, the more.
    pub(crate) fn information(&self, value: u64, moment: Moment) -> i32 {
        let seen = self.values.get(value).map_or(0, |count| count.past(moment, P.half_life_s.value));
        let before = float(P.seen_before.value) / 1_000.0;
        let share = (number(seen) + before) / (number(moment.active) + before * float(P.values_before.value));
        thousandths(-ln(share)).max(0)
    }

    /// The same for a namespace, a label or a word. All alerts of a new installation may have them, and that one is rare
    /// is known only once slots passed without it.
    pub(crate) fn information_of_text(&self, value: u64, moment: Moment) -> i32 {
        self.information(value, moment).min(thousandths(ln(1.0 + number(moment.active))))
    }

    /// The logarithm of how often such an alert comes by itself, in thousandths of nats a second: its kind's rate, and
    /// the chance of something new at its entity (Good 1953, on what was seen once).
    pub(crate) fn ln_rate(&self, alert: &AlertTraits, moment: Moment) -> i32 {
        let age = float(moment.now_s - self.start_s.unwrap_or(moment.now_s));
        let seen = self.kinds.get(alert.kind).map_or(0, |kind| kind.count.past(moment, P.half_life_s.value));
        let novel = self.novelties.get(alert.subject_key);
        let novel = novel.map_or(0, |count| count.past(moment, P.novel_half_life_s.value));
        // The mean age of what a half-life leaves over is 1.44 of it.
        let prior = if alert.is_watched { P.prior_service_s.value } else { P.prior_s.value };
        let over = |half: i64| age.min(float(half) * 1.44) + float(prior);
        let rate = number(seen) / over(P.half_life_s.value) + (number(novel) + 0.5) / over(P.novel_half_life_s.value);
        thousandths(ln(rate))
    }

    /// How usual an alert is that fires now; asked before it is taken in.
    #[must_use]
    pub fn usualness(&self, alert: &AlertTraits, now: Time) -> Usualness {
        let moment = self.moment(now);
        match self.kinds.get(alert.kind) {
            None => Usualness::New,
            Some(kind) => kind.usualness(moment),
        }
    }
}

impl KindBaseline {
    fn born(now_s: i64) -> Self {
        Self {
            count: DecayingCount::default(),
            first_s: now_s,
            last_s: now_s,
            slots: 0,
            gap_s: 0,
            hours: 0,
            hour: i64::MIN,
            in_slot: 0,
            peak: 0,
        }
    }

    fn usualness(&self, moment: Moment) -> Usualness {
        let half = P.half_life_s.value;
        let over = float(moment.now_s - self.first_s).min(float(half) * 1.44) + 3_600.0;
        let a_day = number(self.count.at(moment.now_s, half)) / over * 86_400.0;
        let is_usual = self.slots >= P.usual_slots.value
            && self.hours >= P.usual_hours.value
            && a_day * 1_000.0 >= float(P.usual_a_day.value);
        if !is_usual {
            return Usualness::Rare;
        }
        let in_slot = if self.count.slot == moment.slot { i64::from(self.in_slot) + 1 } else { 1 };
        if in_slot * 1_000 > P.burst_times.value * i64::from(self.peak) + P.burst_more.value * 1_000 {
            Usualness::Burst
        } else if moment.now_s - self.last_s > P.gap_times.value * self.gap_s.max(3_600) {
            Usualness::Returned
        } else {
            Usualness::Usual
        }
    }

    fn observe(&mut self, now_s: i64, slot: i64) {
        let before = self.slots;
        if self.count.slot != slot {
            if before > 0 {
                self.peak = (self.peak - self.peak / 50).max(self.in_slot * 1_000);
            }
            self.in_slot = 0;
        }
        self.in_slot = self.in_slot.saturating_add(1).min(1_000_000);
        if self.count.add(now_s, P.half_life_s.value, slot) {
            self.slots = before.saturating_add(1);
            if before > 0 {
                let gap = now_s - self.last_s;
                self.gap_s = if self.gap_s == 0 { gap } else { (self.gap_s * 4 + gap) / 5 };
            }
            let hour = now_s.div_euclid(3_600);
            self.hours += u32::from(hour != self.hour);
            self.hour = hour;
        }
        self.last_s = now_s;
    }
}
