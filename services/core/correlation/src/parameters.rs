//! Every constant of grouping that is no weight of a pair, in one place: what it means, where it may lie, and the run
//! that fixed it. Owns the numbers; refuses to decide with them.
//!
//! Runs are named as in `docs/measurements.md`, "grouping": *search* is a random search over the two beds of the tuned
//! half, *sweep* moved one constant at a time, *faults* are the generated faults of the tuned seeds, *hand* is a choice
//! that the sweep found to matter little.

/// A bounded constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded<T> {
    /// What is used.
    pub value: T,
    /// The least that makes sense.
    pub least: T,
    /// The most that makes sense.
    pub most: T,
    /// The run that fixed it.
    pub fixed_by: &'static str,
}

const fn bounded<T>(value: T, least: T, most: T, fixed_by: &'static str) -> Bounded<T>
where
    T: Copy,
{
    Bounded { value, least, most, fixed_by }
}

/// The constants of the grouping engine. Log-odds are in thousandths of nats, times in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupingParameters {
    /// A value, a kind or a novelty counts once in a slot of so many seconds.
    pub slot_s: Bounded<i64>,
    /// Half-life of what is counted of values and kinds.
    pub half_life_s: Bounded<i64>,
    /// Half-life of what is counted of novelties.
    pub novel_half_life_s: Bounded<i64>,
    /// Slots that a value was seen in before it was ever seen (Laplace, Lidstone), in thousandths.
    pub seen_before: Bounded<i64>,
    /// Values that share the slots before any was seen.
    pub values_before: Bounded<i64>,
    /// Seconds of observation that stand under every rate before anything was observed.
    pub prior_s: Bounded<i64>,
    /// The same for an alert that names a service, or a thing that an exporter watches: people wrote its rule, and it
    /// comes seldomer for nothing.
    pub prior_service_s: Bounded<i64>,
    /// What the i-th most telling shared value is worth, as a power of this, in thousandths.
    pub damping: Bounded<i64>,
    /// Log-odds that all shared values give together at the most.
    pub shared_most: Bounded<i32>,
    /// Log-odds of what is shared and of the relation below which nothing is shared: time alone joins nothing.
    pub shared_least: Bounded<i32>,
    /// Time scale of one cause before a source taught its own.
    pub tempo_s: Bounded<i64>,
    /// Gaps that this prior counts as.
    pub tempo_gaps: Bounded<i64>,
    /// The shortest time scale.
    pub tempo_least_s: Bounded<i64>,
    /// The longest gap that teaches a source's time scale.
    pub tempo_most_s: Bounded<i64>,
    /// What an alert has that comes back the same, without paging, against coincidence; falls with the hours.
    pub returning: Bounded<i32>,
    /// How long after its last alert an incident takes back such an alert.
    pub returning_s: Bounded<i64>,
    /// Kinds of alerts of an incident that takes one back so late, at the most.
    pub returning_kinds: Bounded<usize>,
    /// Weight of the share of an incident's kinds that an alert is related to: resistance to chains.
    pub support: Bounded<i32>,
    /// Log-odds from which on a pair counts as related.
    pub related: Bounded<i32>,
    /// Weight of a pause that is longer than the incident's own tempo.
    pub pause: Bounded<i32>,
    /// Multiple of its own tempo from which on a pause counts.
    pub pause_times: Bounded<i64>,
    /// Newest kinds that an alert is compared with.
    pub compared: Bounded<usize>,
    /// Newest kinds that an incident remembers.
    pub remembered: Bounded<usize>,
    /// Incidents that are listed under one value.
    pub listed: Bounded<usize>,
    /// Incidents that an alert is compared with.
    pub candidates: Bounded<usize>,
    /// Information from which on a label or word is looked up, in thousandths of nats.
    pub telling: Bounded<i32>,
    /// Mean evidence of two incidents' kinds from which on they are merged.
    pub merge: Bounded<i32>,
    /// The same after several alerts in a row fitted both.
    pub merge_bridged: Bounded<i32>,
    /// How many alerts in a row.
    pub bridge: Bounded<u32>,
    /// Mean evidence from which on two parts of an incident stay one.
    pub split: Bounded<i32>,
    /// Kinds that a part needs to become an incident of its own.
    pub split_kinds: Bounded<usize>,
    /// Alerts of an incident that is not split any more.
    pub split_alerts: Bounded<u32>,
    /// What one pair says in a mean, at the most and at the least.
    pub clip: Bounded<i32>,
    /// What a pair that shares nothing says in a mean.
    pub silent: Bounded<i32>,
    /// How long after its last alert an incident is joined, as a multiple of its own tempo.
    pub end_times: Bounded<i64>,
    /// The shortest such time for any incident, in seconds.
    pub end_least_s: Bounded<i64>,
    /// The longest such time for any incident, in seconds.
    pub end_most_s: Bounded<i64>,
    /// First second step after an incident opened.
    pub review_s: Bounded<i64>,
    /// Last one, at which it may be split.
    pub divide_s: Bounded<i64>,
    /// Slots that a kind was seen in before it is usual.
    pub usual_slots: Bounded<u32>,
    /// Different hours that it was seen in.
    pub usual_hours: Bounded<u32>,
    /// Slots a day, in thousandths.
    pub usual_a_day: Bounded<i64>,
    /// A burst is more in a slot than this multiple of the highest past slot and [`Self::burst_more`].
    pub burst_times: Bounded<i64>,
    /// Alerts in a slot that a burst has beyond the multiple.
    pub burst_more: Bounded<i64>,
    /// A kind has returned after a gap of this multiple of its mean gap, which counts as an hour at least.
    pub gap_times: Bounded<i64>,
    /// How long a usual alert is suppressed; it is asked again if it fires still.
    pub usual_for_s: Bounded<i64>,
}

/// What is used. They become a part of a model's version once something learns them.
pub const PARAMETERS: GroupingParameters = GroupingParameters {
    slot_s: bounded(600, 60, 3_600, "hand"),
    half_life_s: bounded(7 * 86_400, 86_400, 28 * 86_400, "sweep"),
    novel_half_life_s: bounded(86_400, 3_600, 7 * 86_400, "sweep"),
    seen_before: bounded(500, 1, 1_000, "hand"),
    values_before: bounded(20, 1, 1_000, "sweep"),
    prior_s: bounded(7_200, 600, 86_400, "sweep"),
    prior_service_s: bounded(86_400, 600, 7 * 86_400, "faults"),
    damping: bounded(510, 0, 1_000, "search"),
    shared_most: bounded(4_000, 1_000, 12_000, "search"),
    shared_least: bounded(700, 1, 4_000, "hand"),
    tempo_s: bounded(60, 1, 600, "search"),
    tempo_gaps: bounded(30, 1, 1_000, "search"),
    tempo_least_s: bounded(2, 1, 60, "hand"),
    tempo_most_s: bounded(300, 60, 3_600, "hand"),
    returning: bounded(6_300, 0, 12_000, "search"),
    returning_s: bounded(7_200, 0, 86_400, "search"),
    returning_kinds: bounded(3, 1, 16, "hand"),
    support: bounded(2_220, 0, 8_000, "search"),
    related: bounded(-2_000, -8_000, 0, "hand"),
    pause: bounded(700, 0, 4_000, "sweep"),
    pause_times: bounded(4, 1, 100, "search"),
    compared: bounded(16, 1, 36, "sweep"),
    remembered: bounded(36, 16, 64, "sweep"),
    listed: bounded(6, 1, 32, "hand"),
    candidates: bounded(12, 1, 64, "hand"),
    telling: bounded(1_500, 0, 6_000, "hand"),
    merge: bounded(520, -4_000, 8_000, "search"),
    merge_bridged: bounded(0, -4_000, 8_000, "sweep"),
    bridge: bounded(3, 1, 100, "sweep"),
    split: bounded(1_500, -4_000, 8_000, "sweep"),
    split_kinds: bounded(3, 2, 18, "sweep"),
    split_alerts: bounded(400, 4, 10_000, "sweep"),
    clip: bounded(8_000, 1_000, 16_000, "search"),
    silent: bounded(6_000, 0, 16_000, "sweep"),
    end_times: bounded(10, 1, 1_000, "search"),
    end_least_s: bounded(900, 60, 14_400, "hand"),
    end_most_s: bounded(14_400, 900, 86_400, "hand"),
    review_s: bounded(20, 1, 90, "hand"),
    divide_s: bounded(90, 20, 900, "hand"),
    usual_slots: bounded(3, 2, 100, "faults"),
    usual_hours: bounded(2, 1, 24, "hand"),
    usual_a_day: bounded(2_000, 100, 144_000, "hand"),
    burst_times: bounded(3, 1, 100, "sweep"),
    burst_more: bounded(3, 0, 1_000, "sweep"),
    gap_times: bounded(6, 1, 100, "sweep"),
    usual_for_s: bounded(3_600, 600, 86_400, "hand"),
};
