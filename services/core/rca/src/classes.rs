//! What the effects on one service say together, by class of sign. Owns how several signals of one thing become one
//! figure; refuses to know who calls whom.

use std::collections::BTreeMap;

use crate::effect::{EffectSource, SignalEffect};
use crate::kind::{SignalKind, SignalSide, SignalWay};
use crate::observed::Observed;
use crate::parameters::CauseParameters;

/// A class of sign that a hypothesis expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SignClass {
    /// A resource runs out.
    Resource,
    /// It takes longer, by its own account.
    Latency,
    /// It takes longer, by the account of its callers.
    Called,
    /// Its calls take longer.
    Client,
    /// The slower of its own and its callers' account.
    Slower,
    /// It fails.
    Errors,
    /// It is asked for less.
    Idle,
}

/// What is known of one class of sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClassSign {
    /// Log Bayes factor.
    pub llr: f64,
    /// The effect that says most of it, by its place.
    pub effect: Option<usize>,
}

/// What is known of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServiceClasses {
    signs: BTreeMap<SignClass, ClassSign>,
    /// Usual requests behind the onset.
    pub requests: Option<f64>,
    /// Absolute change of times, where they grew.
    pub slower_by: f64,
    /// Absolute change of failures, where they grew.
    pub failing_by: f64,
    /// Whether spans or lines of it were seen.
    pub traced: bool,
}

impl ServiceClasses {
    /// The log Bayes factor of a class; `None` where it was not measured.
    pub fn llr(&self, class: SignClass) -> Option<f64> {
        self.signs.get(&class).map(|sign| sign.llr)
    }

    /// What is known of a class.
    pub fn sign(&self, class: SignClass) -> Option<ClassSign> {
        self.signs.get(&class).copied()
    }

    fn set(&mut self, class: SignClass, sign: Option<ClassSign>) {
        match sign {
            Some(sign) => self.signs.insert(class, sign),
            None => self.signs.remove(&class),
        };
    }
}

/// Signals of one kind, side and way.
type SignalKey = (SignalKind, SignalSide, SignalWay);

/// Every service of which anything is measured, by what its effects say.
pub(crate) fn classes(observed: &Observed, parameters: &CauseParameters) -> BTreeMap<String, ServiceClasses> {
    let mut all: BTreeMap<String, ServiceClasses> =
        observed.services.iter().map(|service| (service.clone(), ServiceClasses::default())).collect();
    let mut by_service: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, effect) in observed.effects.iter().enumerate() {
        by_service.entry(&effect.service).or_default().push(at);
    }
    for (service, effects) in by_service {
        let known = all.entry(service.to_owned()).or_default();
        metrics(known, &observed.effects, &effects, observed, parameters);
        known.requests = observed.requests.get(service).copied();
        requests(known, &observed.effects, &effects, observed.traced, parameters);
    }
    if observed.traced {
        all.values_mut().for_each(only_traced);
    }
    for known in all.values_mut() {
        let slower = [SignClass::Latency, SignClass::Called].into_iter().filter_map(|class| known.sign(class));
        known.set(SignClass::Slower, slower.max_by(|a, b| a.llr.total_cmp(&b.llr)));
    }
    weigh_by_volume(&mut all, parameters);
    all
}

/// What series and alerts say.
fn metrics(
    known: &mut ServiceClasses,
    effects: &[SignalEffect],
    own: &[usize],
    observed: &Observed,
    parameters: &CauseParameters,
) {
    let mut groups: BTreeMap<SignalKey, Vec<(usize, &SignalEffect)>> = BTreeMap::new();
    let told = own.iter().filter_map(|at| Some((*at, effects.get(*at)?)));
    for (at, effect) in told.filter(|(_, effect)| !is_of_requests(effect)) {
        groups.entry((effect.kind, effect.side, effect.way)).or_default().push((at, effect));
    }
    let of = |kind, side, way| groups.get(&(kind, side, way)).and_then(|group| together(group));
    let (up, down) = (SignalWay::Up, SignalWay::Down);
    let own = |kind, way| of(kind, SignalSide::Own, way);
    let keeps = |fits: &[SignalKind]| match observed.alarm.kind {
        None | Some(SignalKind::Unknown) => 1.0,
        Some(kind) if fits.contains(&kind) => 1.0,
        Some(_) => parameters.other_kind,
    };
    let slow = keeps(&[SignalKind::Latency]);
    let fails = keeps(&[SignalKind::Availability, SignalKind::Errors]);
    let resource = [
        own(SignalKind::Cpu, up),
        own(SignalKind::Memory, up),
        own(SignalKind::Saturation, up),
        own(SignalKind::Io, up).map(|(sign, change)| (scaled(sign, parameters.io), change)),
    ];
    let called = of(SignalKind::Latency, SignalSide::Called, up);
    let latency = own(SignalKind::Latency, up);
    let errors = [own(SignalKind::Errors, up), own(SignalKind::Availability, down)];
    known.set(SignClass::Resource, strongest(&resource));
    known.set(SignClass::Latency, latency.map(|(sign, _)| scaled(sign, slow)));
    known.set(SignClass::Called, called.map(|(sign, _)| scaled(sign, slow)));
    let client = of(SignalKind::Latency, SignalSide::Client, up);
    known.set(SignClass::Client, client.map(|(sign, _)| scaled(sign, slow)));
    known.set(SignClass::Errors, strongest(&errors).map(|sign| scaled(sign, fails)));
    known.set(SignClass::Idle, own(SignalKind::Traffic, down).map(|(sign, _)| sign));
    known.slower_by = grown(&[latency, called]);
    known.failing_by = grown(&errors);
}

fn is_of_requests(effect: &SignalEffect) -> bool {
    matches!(effect.source, EffectSource::Span | EffectSource::Log)
}

/// The signal that alarmed, where it is one of them; else of times what most of the percentiles say, and of anything
/// else the strongest. With the mean of the absolute changes.
fn together(group: &[(usize, &SignalEffect)]) -> Option<(ClassSign, f64)> {
    let (at, strongest) = group.iter().max_by(|a, b| a.1.llr.total_cmp(&b.1.llr).then_with(|| b.0.cmp(&a.0)))?;
    let mean = |of: fn(&SignalEffect) -> f64| {
        #[allow(clippy::cast_precision_loss)] // a few signals
        let count = group.len() as f64;
        group.iter().map(|(_, effect)| of(effect)).sum::<f64>() / count
    };
    let named = group.iter().find(|(_, effect)| effect.alarmed);
    let llr = match named {
        Some((_, alarmed)) => alarmed.llr,
        None if strongest.kind == SignalKind::Latency => mean(|effect| effect.llr),
        None => strongest.llr,
    };
    let effect = named.map_or(*at, |(at, _)| *at);
    Some((ClassSign { llr, effect: Some(effect) }, mean(|effect| effect.change)))
}

fn strongest(signs: &[Option<(ClassSign, f64)>]) -> Option<ClassSign> {
    signs.iter().flatten().map(|(sign, _)| *sign).max_by(|a, b| a.llr.total_cmp(&b.llr))
}

/// The largest change among those that speak for one.
fn grown(signs: &[Option<(ClassSign, f64)>]) -> f64 {
    signs.iter().flatten().filter(|(sign, _)| sign.llr > 0.0).map(|(_, change)| *change).fold(0.0, f64::max)
}

/// Evidence for a change keeps a part; evidence against it stays.
fn scaled(sign: ClassSign, by: f64) -> ClassSign {
    ClassSign { llr: if sign.llr > 0.0 { sign.llr * by } else { sign.llr }, ..sign }
}

/// What spans and lines say, which is more than metrics of the same symptoms do.
fn requests(
    known: &mut ServiceClasses,
    effects: &[SignalEffect],
    own: &[usize],
    traced: bool,
    parameters: &CauseParameters,
) {
    let told: Vec<(usize, &SignalEffect)> =
        own.iter().filter_map(|at| Some((*at, effects.get(*at)?))).filter(|(_, e)| is_of_requests(e)).collect();
    if told.is_empty() {
        return;
    }
    let best = |kind, side| {
        let mut best: Vec<(usize, f64)> =
            told.iter().filter(|(_, e)| (e.kind, e.side) == (kind, side)).map(|(at, e)| (*at, e.llr)).collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        best.truncate(3);
        best
    };
    let own_times = best(SignalKind::Latency, SignalSide::Own);
    let called = best(SignalKind::Latency, SignalSide::Called);
    let errors = best(SignalKind::Errors, SignalSide::Own);
    #[allow(clippy::cast_precision_loss)] // three at the most
    let mean = own_times.iter().map(|(_, llr)| llr).sum::<f64>() / own_times.len().max(1) as f64;
    let first = |best: &[(usize, f64)], llr: f64| best.first().map(|(at, _)| ClassSign { llr, effect: Some(*at) });
    let (largest, others) = (errors.first().map_or(0.0, |(_, llr)| *llr), errors.iter().skip(1).map(|(_, llr)| llr));
    let together = largest + 0.5 * others.sum::<f64>() - parameters.error_base;
    let none = ClassSign { llr: -parameters.error_base, effect: None };
    let are_lines = told.iter().any(|(_, effect)| effect.source == EffectSource::Log);
    let said = !errors.is_empty() || are_lines;
    let errors = first(&errors, together).unwrap_or(none);
    if traced {
        known.traced = true;
        known.set(SignClass::Latency, first(&own_times, mean));
        known.set(SignClass::Called, called.first().and_then(|(_, llr)| first(&called, *llr)));
        known.set(SignClass::Errors, Some(errors));
        return;
    }
    // Where not all requests were traced, what spans say stands beside what metrics and alerts say.
    let called = called.first().and_then(|(_, llr)| first(&called, *llr));
    let told = [
        (SignClass::Errors, said.then_some(errors)),
        (SignClass::Latency, first(&own_times, mean)),
        (SignClass::Called, called),
    ];
    for (class, sign) in told.into_iter().filter_map(|(class, sign)| Some((class, sign?))) {
        if known.llr(class).is_none_or(|llr| llr < sign.llr) {
            known.set(class, Some(sign));
        }
    }
}

/// Where spans were seen, they alone say who is slow and who fails; what they do not know shows no resource sign.
fn only_traced(known: &mut ServiceClasses) {
    known.set(SignClass::Client, None);
    known.set(SignClass::Idle, None);
    (known.requests, known.slower_by, known.failing_by) = (None, 0.0, 0.0);
    if known.traced {
        return;
    }
    for class in [SignClass::Latency, SignClass::Called, SignClass::Errors] {
        known.set(class, None);
    }
    let resource = known.sign(SignClass::Resource);
    known.set(SignClass::Resource, resource.map(|sign| ClassSign { llr: sign.llr.min(0.0), ..sign }));
}

/// Few requests say little: all of two that failed are less than half of a thousand.
fn weigh_by_volume(all: &mut BTreeMap<String, ServiceClasses>, parameters: &CauseParameters) {
    let most = all.values().filter_map(|known| known.requests).fold(0.0, f64::max);
    if most <= 0.0 {
        return;
    }
    for known in all.values_mut() {
        let Some(requests) = known.requests else { continue };
        let part = (requests + 1e-9) / (requests + parameters.volume * most + 1e-9);
        for class in [SignClass::Latency, SignClass::Called, SignClass::Slower, SignClass::Errors] {
            let sign = known.sign(class);
            known.set(class, sign.map(|sign| scaled(sign, part)));
        }
    }
}
