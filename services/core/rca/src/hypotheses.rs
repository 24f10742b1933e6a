//! Hypotheses "this service broke in this mode", scored by what each expects of the service, of those that call it
//! and of those that it calls. Owns the modes and their terms; refuses to know words and citations.
//!
//! A sign that a mode expects with chance π counts ln(1 − π + π·e^llr): a missing measurement is neutral, a signal
//! that was seen and did not move speaks against, and no single neighbour can outvote what the service itself shows.
//! A symptom travels against the direction of calls, so an unharmed caller speaks against a service and a harmed
//! callee explains it. That something alarmed says that something is wrong, not where.

use std::collections::{BTreeMap, BTreeSet};

use crate::classes::{ServiceClasses, SignClass, classes};
use crate::effect::SignalEffect;
use crate::graph::CallGraph;
use crate::kind::SignalKind;
pub use crate::modes::{CauseMode, ScoreTerm, ServiceHypothesis, TermKind};
use crate::modes::{ModeRules, Whose, modes};
use crate::observed::{KnownBeside, Observed};
use crate::parameters::CauseParameters;

/// Every service that is measured or called, the likeliest cause first; by name among equals.
#[must_use]
pub fn hypotheses(observed: &Observed, parameters: &CauseParameters) -> Vec<ServiceHypothesis> {
    let scene = CauseScene {
        observed,
        parameters,
        classes: classes(observed, parameters),
        graph: CallGraph::of(&observed.calls),
    };
    let services: BTreeSet<&String> = scene.classes.keys().chain(scene.graph.known()).collect();
    let mut all: Vec<ServiceHypothesis> = services.into_iter().map(|service| scene.weigh(service)).collect();
    #[allow(clippy::cast_possible_truncation)] // log odds of some thousand at the most
    let rounded = |score: f64| (score * 1e6).round() as i64;
    all.sort_by(|a, b| rounded(b.score).cmp(&rounded(a.score)).then_with(|| a.service.cmp(&b.service)));
    probabilities(&mut all, parameters);
    all
}

/// From which part of the share of "none of them" on a share is made a probability; the labelled cases lie above it.
const NAMED_FROM: f64 = 0.5;

/// Shares among all services and the null hypothesis, which has log odds 0; that of the likeliest is calibrated, and the
/// others keep their part of the rest.
fn probabilities(all: &mut [ServiceHypothesis], parameters: &CauseParameters) {
    let top = all.iter().map(|other| other.score).fold(0.0, f64::max);
    let total = all.iter().map(|other| (other.score - top).exp()).sum::<f64>() + (-top).exp();
    let share = |hypothesis: &ServiceHypothesis| (hypothesis.score - top).exp() / total;
    let Some(first) = all.first().map(share) else { return };
    // Where "none of them" is far likelier than the likeliest, nothing is named.
    let is_named = first >= NAMED_FROM * (-top).exp() / total;
    let sure = if is_named { parameters.calibration.probability(first) } else { first };
    let rest = (1.0 - sure) / (1.0 - first).max(1e-9);
    for (place, hypothesis) in all.iter_mut().enumerate() {
        hypothesis.probability = if place == 0 { sure } else { (share(hypothesis) * rest).min(sure) };
    }
}

/// What a sign counts where a hypothesis expects it with this chance.
fn expected(chance: f64, llr: f64) -> f64 {
    if llr > 30.0 { llr + chance.ln() } else { (1.0 - chance + chance * llr.exp()).ln() }
}

struct CauseScene<'a> {
    observed: &'a Observed,
    parameters: &'a CauseParameters,
    classes: BTreeMap<String, ServiceClasses>,
    graph: CallGraph,
}

/// A service among its neighbours.
struct Neighbours<'a> {
    service: &'a str,
    callers: &'a BTreeSet<String>,
    above: BTreeSet<String>,
    further: BTreeSet<String>,
    callees: BTreeSet<String>,
}

/// What lies beneath a service explains of its symptoms, with their size against the alarm's.
struct Explanations {
    slower: Explained,
    failing: Explained,
}

/// How far callees explain a symptom.
struct Explained {
    /// Log odds against the service.
    llr: f64,
    /// The part of the symptom's own evidence that is left.
    left: f64,
    /// The effects that explain it.
    by: Vec<usize>,
}

impl Explained {
    const fn nothing() -> Self {
        Self { llr: 0.0, left: 1.0, by: Vec::new() }
    }
}

impl CauseScene<'_> {
    fn llr(&self, service: &str, class: SignClass) -> Option<f64> {
        self.classes.get(service).and_then(|known| known.llr(class))
    }

    /// Evidence for a change; 0 where there is none, or where it speaks against one.
    fn positive(&self, service: &str, class: SignClass) -> f64 {
        self.llr(service, class).unwrap_or(0.0).max(0.0)
    }

    fn effect(&self, service: &str, class: SignClass) -> Option<usize> {
        self.classes.get(service).and_then(|known| known.sign(class)).and_then(|sign| sign.effect)
    }

    fn is_alarmed(&self, service: &str) -> bool {
        self.observed.alarm.services.contains_key(service)
    }

    /// Whether its symptoms may come from beneath: it alarmed, and it calls somebody, or nobody knows whether it does.
    fn passes_on(&self, service: &str) -> bool {
        let is_known = self.graph.is_known(service) || self.observed.catalogued.contains(service);
        self.is_alarmed(service) && (!is_known || !self.graph.callees(service).is_empty())
    }

    fn weigh(&self, service: &str) -> ServiceHypothesis {
        let above = self.graph.above(service);
        let callers = self.graph.callers(service);
        let near = Neighbours {
            service,
            callers,
            further: above.difference(callers).cloned().collect(),
            callees: self.graph.callees(service).difference(&above).cloned().collect(),
            above,
        };
        let explained = Explanations {
            slower: self.explained(&near, SignClass::Slower, |known| known.slower_by),
            failing: self.explained(&near, SignClass::Errors, |known| known.failing_by),
        };
        let beside = self.beside(service);
        let scored: Vec<(f64, CauseMode, Vec<ScoreTerm>)> = modes(self.parameters)
            .iter()
            .map(|rules| {
                let terms = self.terms(rules, &near, &explained);
                (terms.iter().map(|term| term.llr).sum(), rules.mode, terms)
            })
            .collect();
        let top = scored.iter().map(|(score, ..)| *score).fold(f64::NEG_INFINITY, f64::max);
        let total = top + scored.iter().map(|(score, ..)| (score - top).exp()).sum::<f64>().ln();
        let best = scored.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let (mode, mut terms) = best.map_or((CauseMode::Resource, Vec::new()), |(_, mode, terms)| (mode, terms));
        let score = total + beside.iter().map(|term| term.llr).sum::<f64>();
        terms.extend(beside);
        ServiceHypothesis { service: service.to_owned(), score, mode, terms, probability: 0.0 }
    }

    /// What holds for a service whatever its mode.
    fn beside(&self, service: &str) -> Vec<ScoreTerm> {
        let known = self.observed.beside.get(service).copied().unwrap_or_default();
        let KnownBeside { early, changed, named, past, strange } = known;
        let told = [
            (TermKind::Outside, self.outside(service)),
            (TermKind::Early, self.parameters.early * early),
            (TermKind::Changed, self.parameters.changed * changed),
            (TermKind::Named, self.parameters.named * named),
            (TermKind::Past, self.parameters.past * past),
            (TermKind::Strange, self.parameters.strange * strange),
        ];
        let term = |(kind, llr)| ScoreTerm { kind, llr, effects: Vec::new() };
        told.into_iter().filter(|(_, llr)| *llr != 0.0).map(term).collect()
    }

    /// What is against a service that alarmed ones do not reach, by their weight; nothing where no call of theirs is
    /// known.
    fn outside(&self, service: &str) -> f64 {
        let alarmed = &self.observed.alarm.services;
        let all: f64 = alarmed.values().sum();
        let reaches = |alarmed: &str| {
            alarmed == service || !self.graph.is_known(alarmed) || self.graph.beneath(alarmed).contains(service)
        };
        let missed: f64 = alarmed.iter().filter(|(alarmed, _)| !reaches(alarmed)).map(|(_, weight)| weight).sum();
        if missed > 0.0 { self.parameters.outside * missed / all } else { 0.0 }
    }

    fn terms(&self, rules: &ModeRules, near: &Neighbours, explained: &Explanations) -> Vec<ScoreTerm> {
        let mut terms = vec![self.prior(rules)];
        let term = |kind, llr, effects| ScoreTerm { kind, llr, effects };
        if !self.classes.contains_key(near.service) {
            terms.push(term(TermKind::Unmeasured, self.parameters.unmeasured, Vec::new()));
        }
        if self.llr(near.service, rules.main).is_none() {
            terms.push(term(TermKind::Unseen, self.parameters.unseen, Vec::new()));
        }
        if rules.mode == CauseMode::Errors {
            terms.extend(self.deeper(near.service));
        }
        let of_times = matches!(rules.mode, CauseMode::Slow | CauseMode::Network)
            || (rules.mode == CauseMode::Resource && self.positive(near.service, SignClass::Resource) <= 0.0);
        let (less, by) = match rules.mode {
            CauseMode::Errors => (explained.failing.llr, &explained.failing.by),
            _ if of_times => (explained.slower.llr, &explained.slower.by),
            _ => (0.0, &Vec::new()),
        };
        if less != 0.0 {
            terms.push(term(TermKind::Explained, less, by.clone()));
        }
        terms.extend(rules.expects.iter().filter_map(|expects| self.expects(*expects, near, explained)));
        terms
    }

    fn prior(&self, rules: &ModeRules) -> ScoreTerm {
        let of_errors = |kind| matches!(kind, SignalKind::Errors | SignalKind::Availability);
        let fits = match self.observed.alarm.kind {
            Some(kind) if of_errors(kind) || kind == SignalKind::Latency => {
                if (rules.mode == CauseMode::Errors) == of_errors(kind) {
                    self.parameters.fits
                } else {
                    -self.parameters.fits
                }
            }
            _ => 0.0,
        };
        ScoreTerm { kind: TermKind::Prior, llr: rules.prior + fits, effects: Vec::new() }
    }

    /// An error with as large an error beneath it was passed on.
    fn deeper(&self, service: &str) -> Option<ScoreTerm> {
        let own = self.positive(service, SignClass::Errors);
        if own <= 0.0 || !self.classes.get(service).is_some_and(|known| known.traced) {
            return None;
        }
        let beneath = self.graph.beneath(service);
        let worst = beneath.iter().max_by(|a, b| {
            self.positive(a, SignClass::Errors).total_cmp(&self.positive(b, SignClass::Errors)).then_with(|| b.cmp(a))
        })?;
        let share = (self.positive(worst, SignClass::Errors) / own).min(1.0);
        let effects = self.effect(worst, SignClass::Errors).into_iter().collect();
        (share > 0.0).then(|| ScoreTerm { kind: TermKind::Deeper, llr: -self.parameters.deeper * share, effects })
    }

    fn expects(
        &self,
        (whose, class, chance): (Whose, SignClass, f64),
        near: &Neighbours,
        explained: &Explanations,
    ) -> Option<ScoreTerm> {
        if class == SignClass::Idle {
            return Some(self.idle_callees(chance, near));
        }
        let (kind, others) = match whose {
            Whose::Own => return self.own(class, chance, near.service, explained),
            Whose::Callers => (TermKind::Callers, near.callers),
            Whose::Further => (TermKind::Further, &near.further),
            Whose::Above => (TermKind::Callers, &near.above),
            Whose::Callees => (TermKind::Callees, &near.callees),
        };
        let mut counted = Vec::new();
        let mut effects = Vec::new();
        for other in others {
            let Some(mut llr) = self.llr(other, class) else { continue };
            if whose == Whose::Callees {
                llr -= self.other_callers(other, near);
            }
            if llr > 0.0 {
                effects.extend(self.effect(other, class));
            }
            counted.push(expected(chance, llr));
        }
        #[allow(clippy::cast_precision_loss)] // services
        let mean = counted.iter().sum::<f64>() / counted.len() as f64;
        (!counted.is_empty()).then_some(ScoreTerm { kind, llr: self.parameters.neighbours * mean, effects })
    }

    fn own(&self, class: SignClass, chance: f64, service: &str, explained: &Explanations) -> Option<ScoreTerm> {
        let llr = self.llr(service, class)?;
        let left = match class {
            SignClass::Latency | SignClass::Called | SignClass::Slower => Some(explained.slower.left),
            SignClass::Errors => Some(explained.failing.left),
            SignClass::Resource | SignClass::Client | SignClass::Idle => None,
        };
        let passed = if self.passes_on(service) { self.parameters.alarmed } else { 1.0 };
        let factor = left.filter(|_| llr > 0.0).map_or(1.0, |left| left * passed);
        let effects = self.effect(service, class).into_iter().collect();
        Some(ScoreTerm { kind: TermKind::Own, llr: expected(chance, llr * factor), effects })
    }

    /// A callee that is no longer called while the service's own traffic goes on.
    fn idle_callees(&self, chance: f64, near: &Neighbours) -> ScoreTerm {
        let own = self.positive(near.service, SignClass::Idle);
        let idle = |callee: &String| self.llr(callee, SignClass::Idle).unwrap_or(0.0) - own;
        let most = near.callees.iter().max_by(|a, b| idle(a).total_cmp(&idle(b)).then_with(|| b.cmp(a)));
        let mut llr = most.map_or(-2.0, idle);
        if llr > 0.0 && self.is_alarmed(near.service) {
            llr *= self.parameters.alarmed;
        }
        let effect = most.filter(|_| llr > 0.0).and_then(|callee| self.effect(callee, SignClass::Idle));
        let llr = expected(chance, llr.min(self.parameters.calls_max));
        ScoreTerm { kind: TermKind::Callees, llr, effects: effect.into_iter().collect() }
    }

    /// Where another caller of a callee suffers too, the callee explains both.
    fn other_callers(&self, callee: &str, near: &Neighbours) -> f64 {
        let others = self.graph.callers(callee).iter();
        let others = others.filter(|other| *other != near.service && !near.above.contains(*other));
        others.map(|other| self.positive(other, SignClass::Latency)).fold(0.0, f64::max)
    }

    /// Where no size is known, as of alerts and lines: a callee that surely shows something explains a symptom of any
    /// size, if it did not begin later.
    fn explained_by_signs(&self, near: &Neighbours, class: SignClass) -> Explained {
        if self.positive(near.service, class) <= 0.0 || self.observed.traced {
            return Explained::nothing();
        }
        let since = |service: &str| self.observed.since.get(service);
        let began = |callee: &String| match (since(callee), since(near.service)) {
            (Some(callee), Some(own)) => callee.0 <= own.1,
            _ => true,
        };
        let strongest = |callee: &String| {
            let of = |class| (self.positive(callee, class), self.effect(callee, class));
            let signs = [SignClass::Resource, SignClass::Slower, SignClass::Errors].map(of);
            signs.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(llr, _)| *llr > 0.0)
        };
        let beneath = self.graph.beneath(near.service);
        let callees = beneath.iter().filter(|callee| !near.above.contains(*callee) && began(callee));
        let Some((llr, by)) = callees.filter_map(strongest).max_by(|a, b| a.0.total_cmp(&b.0)) else {
            return Explained::nothing();
        };
        let left = (-llr / self.parameters.surely).exp();
        Explained { llr: -self.parameters.explained * (1.0 - left), left, by: by.into_iter().collect() }
    }

    fn impact(&self, service: &str, size: fn(&ServiceClasses) -> f64) -> f64 {
        self.classes.get(service).map_or(0.0, |known| size(known) * known.requests.unwrap_or(1.0))
    }

    /// How far callees explain what a service shows, and how small that is for the alarm.
    fn explained(&self, near: &Neighbours, class: SignClass, size: fn(&ServiceClasses) -> f64) -> Explained {
        let own = self.impact(near.service, size);
        if own <= 0.0 {
            return self.explained_by_signs(near, class);
        }
        let requests = |service: &str| self.classes.get(service).and_then(|known| known.requests);
        let (mut share, mut by) = (0.0, Vec::new());
        for callee in near.callees.iter().filter(|callee| self.positive(callee, class) > 0.0) {
            if requests(callee).is_none() != requests(near.service).is_none() {
                continue;
            }
            let seen: Vec<f64> =
                self.graph.callers(callee).iter().filter_map(|caller| self.llr(caller, class)).collect();
            #[allow(clippy::cast_precision_loss)] // services
            let affected = seen.iter().filter(|llr| **llr > 0.0).count() as f64 / seen.len().max(1) as f64;
            share += affected * (self.impact(callee, size) / own).min(1.0);
            by.extend(self.effect(callee, class));
        }
        let mut llr = -self.parameters.explained * share.min(1.0);
        let alarmed = self.observed.alarm.services.keys().filter(|alarmed| requests(alarmed).is_some());
        let alarm = alarmed.map(|alarmed| self.impact(alarmed, size)).fold(0.0, f64::max);
        if alarm > 0.0 && requests(near.service).is_some() && !self.is_alarmed(near.service) {
            llr += self.parameters.share * ((own / alarm).min(1.0) * 0.95 + 0.05).ln();
        }
        Explained { llr, left: 1.0, by }
    }
}

/// The effects that the terms of a hypothesis rest on, those that say most first.
#[must_use]
pub fn effects_of<'a>(hypothesis: &ServiceHypothesis, observed: &'a Observed) -> Vec<&'a SignalEffect> {
    let mut terms: Vec<&ScoreTerm> = hypothesis.terms.iter().filter(|term| term.llr > 0.0).collect();
    terms.sort_by(|a, b| b.llr.total_cmp(&a.llr));
    let mut seen = BTreeSet::new();
    let places = terms.into_iter().flat_map(|term| term.effects.iter()).filter(|at| seen.insert(**at));
    places.filter_map(|at| observed.effects.get(*at)).collect()
}
