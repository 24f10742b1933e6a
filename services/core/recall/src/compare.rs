//! Compares an incident with remembered ones. Owns the weights and the words; refuses to know how the others
//! were found.
//!
//! The signs of two incidents are matched sort by sort (log templates, alerts, metric shifts). A sign weighs
//! what its place, its rarity and its spread give it; the agreement of a sort is the weight of what is
//! common by the weight of all there is, on the side of now and on the side of then. A side that has no such
//! signs because it has no telemetry says nothing about the other.

use std::collections::BTreeSet;

use hindcast_api::{Citation, Similar};
use hindcast_domain::incident::Status;
use hindcast_similarity::unit;

use super::signs::{RecallSign, Sort, alert_words, short, signs};
use super::{AlertSign, Rarity, Remembered};

/// What each sort of sign counts.
const SORTS: [(Sort, f64); 3] = [(Sort::Template, 4.0), (Sort::Alert, 3.0), (Sort::Shift, 1.5)];
/// What a sign away from the root counts, by sort: a log line often repeats the root's own words, an alert or
/// a metric seldom does.
const AWAY: [(Sort, f64); 3] = [(Sort::Template, 0.35), (Sort::Alert, 0.2), (Sort::Shift, 0.15)];
/// How much the side of now counts in an agreement: an incident that has just begun has few signs, and these
/// must be among those of then, not the other way round.
const NOW: f64 = 0.6;
/// How much what only then showed can weigh: now may have just begun.
const ONLY_THEN: f64 = 0.5;
/// What is left of the agreement of alerts where each of the two began with one that the other never showed:
/// causes ring before their consequences, and consequences are alike.
const BEGAN_ELSEWISE: f64 = 0.5;
/// From this agreement on it is the same problem.
const SAME: f64 = 0.5;
/// The same where the two are thought to have broken at different services.
const SAME_ELSEWHERE: f64 = 0.75;
/// A common sign that weighs as much sets a problem apart.
const TELLING: f64 = 0.5;
/// How much the signs count in the score; the rest is the cosine.
const SIGNS: f64 = 0.7;
/// The score that a look-alike does not exceed.
const LOOK_ALIKE_MAX: f64 = 0.69;
/// Reasons that are told on either side.
const REASONS_MAX: usize = 5;
/// Events that are cited.
const CITATIONS_MAX: usize = 8;

/// Compares now with one of the past. `cosine` is that of the angle between their vectors.
#[must_use]
pub fn compare(now: &Remembered, then: &Remembered, cosine: f32, rarity: &Rarity) -> Similar {
    let matched = Matched::of(now, then, rarity);
    let same = matched.is_same(now, then);
    let signs = matched.agreement();
    let cosine = unit(cosine);
    let mut score = SIGNS * signs + (1.0 - SIGNS) * cosine;
    if !same {
        score = score.min(LOOK_ALIKE_MAX);
    }
    Similar {
        incident: then.incident.clone(),
        title: then.title.clone(),
        opened_at: then.opened_at,
        status: then.status,
        score: (score * 1_000.0).round() / 1_000.0,
        same,
        why: matched.why(now, then),
        differs: matched.differs(now, then, same),
        cause: cause(then).map(str::to_owned),
        resolution: then.resolution.clone(),
        quiet_for_s: quiet_for_s(now, then, same),
        citations: matched.citations(then),
    }
}

/// A remembered incident as it is shown where nothing is compared with it: found by a text.
#[must_use]
pub fn shown(then: &Remembered, cosine: f32) -> Similar {
    let score = unit(cosine);
    Similar {
        incident: then.incident.clone(),
        title: then.title.clone(),
        opened_at: then.opened_at,
        status: then.status,
        score: (score * 1_000.0).round() / 1_000.0,
        same: false,
        why: Vec::new(),
        differs: Vec::new(),
        cause: cause(then).map(str::to_owned),
        resolution: then.resolution.clone(),
        quiet_for_s: None,
        citations: then.citations.iter().take(CITATIONS_MAX).cloned().collect(),
    }
}

/// Whether two are one problem.
pub(super) fn is_same(now: &Remembered, then: &Remembered, rarity: &Rarity) -> bool {
    Matched::of(now, then, rarity).is_same(now, then)
}

/// For how long it stayed quiet: until now, or until the same problem began again now.
fn quiet_for_s(now: &Remembered, then: &Remembered, same: bool) -> Option<u64> {
    let over = then.resolved_at.filter(|_| then.status == Status::Resolved)?;
    let until = if same { now.started_at } else { now.known_at };
    let nanos = until.since(over).nanos();
    (nanos >= 0).then(|| u64::try_from(nanos / 1_000_000_000).unwrap_or(0))
}

/// A sign with its weight and whether the other side has it.
struct Weighed<'a> {
    sign: RecallSign<'a>,
    weight: f64,
    /// Whether it stands at the root of either side.
    at_root: bool,
    common: bool,
}

struct Matched<'a> {
    now: Vec<Weighed<'a>>,
    then: Vec<Weighed<'a>>,
    /// Whether a side that lacks a template or a shift lacks it for want of telemetry.
    blind: (bool, bool),
    /// The alerts with which now and then began, where neither showed the other's.
    began: Option<(&'a AlertSign, &'a AlertSign)>,
}

impl<'a> Matched<'a> {
    fn of(now: &'a Remembered, then: &'a Remembered, rarity: &Rarity) -> Self {
        let roots: BTreeSet<&str> =
            [now, then].into_iter().filter_map(|one| one.root.as_ref()).map(|root| root.service.as_str()).collect();
        let mut ours = weigh(now, &roots, rarity);
        let mut theirs = weigh(then, &roots, rarity);
        for our in &mut ours {
            for their in &mut theirs {
                if our.sign.is(&their.sign) {
                    our.common = true;
                    their.common = true;
                }
            }
        }
        let began = began_without(now, then).zip(began_without(then, now));
        Self { now: ours, then: theirs, blind: (!now.has_telemetry(), !then.has_telemetry()), began }
    }

    /// How well they agree, 0 to 1.
    fn agreement(&self) -> f64 {
        let (mut sum, mut of) = (0.0, 0.0);
        for (sort, counts) in SORTS {
            let Some((agreement, mass)) = self.agreement_of(sort) else { continue };
            sum += counts * mass * agreement;
            of += counts * mass;
        }
        if of > 0.0 { sum / of } else { 0.0 }
    }

    /// How well one sort of sign agrees, and the weight of its most telling sign. `None` where it says nothing.
    fn agreement_of(&self, sort: Sort) -> Option<(f64, f64)> {
        let (now, then) = (Sum::of(&self.now, sort), Sum::of(&self.then, sort));
        if now.all <= 0.0 {
            // Nothing yet, or no telemetry: what is not there contradicts nothing.
            return None;
        }
        if then.all <= 0.0 {
            let blind = sort != Sort::Alert && self.blind.1;
            return (!blind).then_some((0.0, now.most));
        }
        let mut agreement = NOW * now.common / now.all + (1.0 - NOW) * then.common / then.all;
        if sort == Sort::Alert && self.began.is_some() {
            agreement *= BEGAN_ELSEWISE;
        }
        Some((agreement, now.most.max(ONLY_THEN * then.most).min(1.0)))
    }

    /// Common signs that set a problem apart.
    fn telling(&self) -> impl Iterator<Item = &Weighed<'a>> {
        self.now.iter().filter(|one| one.common && one.weight >= TELLING)
    }

    fn is_same(&self, now: &Remembered, then: &Remembered) -> bool {
        let needed = if broke_elsewhere(now, then) { SAME_ELSEWHERE } else { SAME };
        self.telling().next().is_some() && self.agreement() >= needed
    }

    fn why(&self, now: &Remembered, then: &Remembered) -> Vec<String> {
        let mut why = Vec::new();
        if let (Some(a), Some(b)) = (&now.root, &then.root)
            && a.service == b.service
            && a.cause.is_some()
            && b.cause.is_some()
        {
            why.push(format!("both failed at {}", a.service));
        }
        why.extend(told(self.now.iter().filter(|one| one.common), "both have"));
        if why.is_empty() {
            let words: BTreeSet<&String> = now.words.iter().collect();
            let common: Vec<&str> = then.words.iter().filter(|word| words.contains(word)).map(String::as_str).collect();
            if !common.is_empty() {
                why.push(format!("common words: {}", common.into_iter().take(8).collect::<Vec<_>>().join(", ")));
            }
        }
        why
    }

    fn differs(&self, now: &Remembered, then: &Remembered, same: bool) -> Vec<String> {
        let mut differs = Vec::new();
        if broke_elsewhere(now, then)
            && let (Some(a), Some(b)) = (&now.root, &then.root)
        {
            differs.push(format!("then {} failed, now {}", b.service, a.service));
        }
        if let Some((ours, theirs)) = self.began {
            differs.push(format!("then it began with {}, now with {}", alert_words(theirs), alert_words(ours)));
        }
        if !same
            && let (Some(a), Some(b)) = (cause(now), cause(then))
            && a != b
        {
            differs.push(format!("then: {}; now: {}", short(b), short(a)));
        }
        differs.extend(told(self.then.iter().filter(|one| !one.common && self.counts(one, self.blind.0)), "only then"));
        differs.extend(told(self.now.iter().filter(|one| !one.common && self.counts(one, self.blind.1)), "only now"));
        if !same && differs.is_empty() {
            differs.extend(told(self.then.iter().filter(|one| !one.common), "only then"));
            differs.extend(told(self.now.iter().filter(|one| !one.common), "only now"));
        }
        if !same && differs.is_empty() {
            differs.push(
                "nothing that sets a problem apart is known of both; what they share, others share too".to_owned(),
            );
        }
        differs
    }

    /// Whether it is worth telling that the other side lacks this sign.
    fn counts(&self, one: &Weighed<'_>, other_is_blind: bool) -> bool {
        one.at_root && (one.sign.sort == Sort::Alert || !other_is_blind)
    }

    /// The events of then that stand behind what is common, its beginning and its end.
    fn citations(&self, then: &Remembered) -> Vec<Citation> {
        let mut telling: Vec<&Weighed<'_>> = self.then.iter().collect();
        telling.sort_by(|a, b| b.common.cmp(&a.common).then(b.weight.total_cmp(&a.weight)));
        let mut cited: Vec<Citation> = Vec::new();
        let events = then.citations.iter().take(CITATIONS_MAX / 2);
        for citation in events.chain(telling.into_iter().map(|one| one.sign.citation)) {
            if cited.len() < CITATIONS_MAX && !cited.contains(citation) {
                cited.push(citation.clone());
            }
        }
        cited
    }
}

/// Sums over one sort of sign on one side.
struct Sum {
    all: f64,
    common: f64,
    most: f64,
}

impl Sum {
    fn of(side: &[Weighed<'_>], sort: Sort) -> Self {
        let mut sum = Self { all: 0.0, common: 0.0, most: 0.0 };
        for one in side.iter().filter(|one| one.sign.sort == sort) {
            sum.all += one.weight;
            sum.common += if one.common { one.weight } else { 0.0 };
            sum.most = sum.most.max(one.weight);
        }
        sum
    }
}

fn weigh<'a>(of: &'a Remembered, roots: &BTreeSet<&str>, rarity: &Rarity) -> Vec<Weighed<'a>> {
    let weighed = signs(of).into_iter().map(|sign| {
        let at_root = roots.is_empty() || roots.contains(sign.service);
        let away = AWAY.iter().find(|(sort, _)| *sort == sign.sort).map_or(1.0, |(_, away)| *away);
        let place = if at_root { 1.0 } else { away };
        // The root's own words are its own even where others repeat them.
        let spread = if at_root && sign.sort == Sort::Template { 1 } else { sign.spread };
        let spread = f64::from(u32::try_from(spread).unwrap_or(u32::MAX));
        let weight = place * rarity.weight(&sign) / spread;
        Weighed { sign, weight, at_root, common: false }
    });
    weighed.collect()
}

/// The alert with which an incident began, where the other never showed one of that name.
fn began_without<'a>(one: &'a Remembered, other: &Remembered) -> Option<&'a AlertSign> {
    let first = one.alerts.first()?;
    let is_known = other.alerts.iter().any(|alert| alert.name == first.name);
    (!is_known).then_some(first)
}

/// The most telling signs in plain words.
fn told<'a>(signs: impl Iterator<Item = &'a Weighed<'a>>, what: &str) -> Vec<String> {
    let mut signs: Vec<&Weighed<'_>> = signs.collect();
    signs.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.sign.key.cmp(&b.sign.key)));
    let more = signs.len().saturating_sub(REASONS_MAX);
    let mut told: Vec<String> =
        signs.iter().take(REASONS_MAX).map(|one| format!("{what} {}", one.sign.words)).collect();
    if more > 0 {
        told.push(format!("{what} {more} more"));
    }
    told
}

fn broke_elsewhere(now: &Remembered, then: &Remembered) -> bool {
    matches!((&now.root, &then.root), (Some(a), Some(b)) if a.service != b.service)
}

/// A person's word, else what ranked first.
fn cause(of: &Remembered) -> Option<&str> {
    of.cause.as_deref().or_else(|| of.root.as_ref().and_then(|root| root.cause.as_deref()))
}
