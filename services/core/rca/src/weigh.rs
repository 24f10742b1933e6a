//! What shows, made ready for the hypotheses, and the candidates that come of them. Owns which services may be a cause
//! and what is known of them beside their signs; refuses to know how it is told.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Citation, Similar};
use hindcast_domain::catalog::Topology;
use hindcast_domain::{Span, Time};

use super::change::{MARGIN, WeighedChange};
use super::hypotheses::{ServiceHypothesis, TermKind, hypotheses};
use super::kind::{self, SignalKind};
use super::observed::{AlarmView, KnownBeside, Observed};
use super::parameters::CauseParameters;
use super::scene::{CauseCandidate, Scene, Tie};
use super::sign::{self, ServiceSign};
use crate::effect::SignalEffect;
use hindcast_domain::text::mentions;

/// After how long behind the first sign earliness is halved.
const HALVED: Span = Span::seconds(60);
/// Everything that may have broken.
pub(super) fn candidates(scene: &Scene, changes: &[WeighedChange], past: &[Similar]) -> Vec<CauseCandidate> {
    // without an alarm, metrics that moved are what load and recoveries do too
    let enough = |signs: &[ServiceSign]| scene.rang || sign::solid(signs);
    let possible: BTreeSet<&String> = scene
        .signs
        .iter()
        .filter(|(service, signs)| matches!(scene.tie(service), Tie::Beneath | Tie::Unknown) && enough(signs))
        .map(|(service, _)| service)
        .collect();
    let mut observed = observed(scene, past);
    let parameters = CauseParameters::DEFAULT;
    // What is explained from beneath was not broken by its change; so changes count in a second pass.
    let first = hypotheses(&observed, &parameters);
    let mut guilty: BTreeMap<String, Citation> = BTreeMap::new();
    for hypothesis in first.iter().filter(|hypothesis| possible.contains(&hypothesis.service)) {
        let share = explained(hypothesis, &parameters);
        let of = changes.iter().filter(|judged| judged.service == hypothesis.service && judged.guilty(share));
        let most =
            of.max_by(|a, b| a.weight.total_cmp(&b.weight).then_with(|| a.change.position.cmp(&b.change.position)));
        if let Some(most) = most {
            observed.beside.entry(hypothesis.service.clone()).or_default().changed = most.weight;
            guilty.insert(hypothesis.service.clone(), most.citation());
        }
    }
    let mut all: Vec<ServiceHypothesis> = hypotheses(&observed, &parameters);
    all.retain(|hypothesis| possible.contains(&hypothesis.service));
    let trust = if observed.calls.is_empty() { parameters.trust_blind } else { parameters.trust };
    let none = if scene.rang { 0.0 } else { parameters.unheard };
    let top = all.iter().map(|hypothesis| hypothesis.score).fold(none, f64::max);
    let total = all.iter().map(|hypothesis| (hypothesis.score - top).exp()).sum::<f64>() + (none - top).exp();
    let candidate = |hypothesis: &ServiceHypothesis| {
        let mut candidate = candidate(hypothesis, scene, &observed, guilty.get(&hypothesis.service), &parameters)?;
        candidate.score = thousandths(trust * (hypothesis.score - top).exp() / total);
        Some(candidate)
    };
    let mut named: Vec<CauseCandidate> = all.iter().filter_map(candidate).collect();
    let leads = |own: &CauseCandidate| {
        let others = named.iter().filter(|other| other.service != own.service && !other.explained_by(&own.service));
        others.map(|other| own.odds - other.odds).fold(f64::INFINITY, f64::min) >= MARGIN
    };
    let leading: BTreeSet<String> = named.iter().filter(|own| leads(own)).map(|own| own.service.clone()).collect();
    named.iter_mut().filter(|own| !leading.contains(&own.service)).for_each(|own| own.change = None);
    named
}

fn thousandths(share: f64) -> i32 {
    #[allow(clippy::cast_possible_truncation)] // between 0 and 1,000
    let score = (1_000.0 * share).round() as i32;
    score.clamp(1, 999)
}

/// Which share of a hypothesis' symptoms what lies beneath explains.
fn explained(hypothesis: &ServiceHypothesis, parameters: &CauseParameters) -> f64 {
    let terms = hypothesis.terms.iter().filter(|term| term.kind == TermKind::Explained);
    terms.map(|term| (-term.llr / parameters.explained).clamp(0.0, 1.0)).fold(0.0, f64::max)
}

fn candidate(
    hypothesis: &ServiceHypothesis,
    scene: &Scene,
    observed: &Observed,
    change: Option<&Citation>,
    parameters: &CauseParameters,
) -> Option<CauseCandidate> {
    let service = &hypothesis.service;
    let effects = |at: &usize| observed.effects.get(*at);
    let beneath = hypothesis.terms.iter().filter(|term| term.kind == TermKind::Explained);
    let by: BTreeSet<String> =
        beneath.flat_map(|term| term.effects.iter().filter_map(effects)).map(|effect| effect.service.clone()).collect();
    let mut own: Vec<_> = hypothesis.terms.iter().filter(|term| term.kind == TermKind::Own).collect();
    own.sort_by(|a, b| b.llr.total_cmp(&a.llr));
    let grounds = own.into_iter().flat_map(|term| term.effects.iter().filter_map(effects));
    Some(CauseCandidate {
        service: service.clone(),
        score: 0,
        odds: hypothesis.score,
        first: sign::first(scene.signs_of(service))?.time,
        explained: explained(hypothesis, parameters),
        by: by.into_iter().collect(),
        change: change.cloned(),
        named: named(service, scene),
        grounds: grounds.filter_map(|effect| effect.citation.clone()).collect(),
    })
}

/// The signs as effects, with who calls whom, what alarmed, and what is known beside them.
fn observed(scene: &Scene, past: &[Similar]) -> Observed {
    let mut observed = Observed { alarm: alarm(scene), calls: calls(scene.topology), ..Observed::default() };
    observed.catalogued = scene.topology.services().map(|service| service.name.clone()).collect();
    for (service, signs) in &scene.signs {
        observed.services.insert(service.clone());
        let begin = signs.iter().map(|sign| sign.time - sign.tolerance).min();
        if let (Some(begin), Some(first)) = (begin, sign::first(signs)) {
            observed.since.insert(service.clone(), (begin, first.time + first.tolerance));
        }
        observed.beside.insert(service.clone(), beside(service, signs, scene, past));
        observed.effects.extend(signs.iter().map(|sign| effect(service, sign)));
    }
    observed
}

fn effect(service: &str, sign: &ServiceSign) -> SignalEffect {
    SignalEffect {
        service: service.to_owned(),
        kind: sign.kind,
        side: sign.side,
        way: sign.way,
        llr: sign.llr,
        // Changes of unlike units are not compared: an alert has none, and findings name series of any unit.
        change: 0.0,
        since: sign.time,
        source: sign.source,
        alarmed: false,
        text: sign.text.clone(),
        citation: Some(sign.citation.clone()),
    }
}

fn calls(topology: &Topology) -> BTreeSet<(String, String)> {
    let of = |service: &hindcast_domain::catalog::Service| {
        let name = service.name.clone();
        let to = service.depends_on.clone();
        to.into_iter().map(move |to| (name.clone(), to))
    };
    let one = |name: String| topology.resolve(&name).map_or(name.clone(), str::to_owned);
    topology.services().flat_map(of).map(|(from, to)| (one(from), one(to))).collect()
}

/// What alarmed; of several kinds none is the alarm's.
fn alarm(scene: &Scene) -> AlarmView {
    let about = |name: &str| match kind::of_alert(name) {
        SignalKind::Availability => SignalKind::Errors,
        kind => kind,
    };
    let kinds: BTreeSet<SignalKind> =
        scene.evidence.symptoms.iter().map(|symptom| about(&symptom.alert.name)).collect();
    let kind = kinds.first().copied().filter(|_| kinds.len() == 1);
    AlarmView { services: if scene.rang { scene.alarmed.clone() } else { BTreeMap::new() }, kind }
}

fn beside(service: &str, signs: &[ServiceSign], scene: &Scene, past: &[Similar]) -> KnownBeside {
    let unknown = scene.topology.resolve(service).is_none();
    KnownBeside {
        early: sign::first(signs).zip(scene.first).map_or(0.0, |(sign, first)| early(sign, first)),
        changed: 0.0,
        named: if named(service, scene).is_empty() { 0.0 } else { 1.0 },
        past: past_share(service, scene.topology, past),
        strange: if unknown && scene.alarmed.len() > 1 { 1.0 } else { 0.0 },
    }
}

/// 1 among the first, halved with every minute behind them.
fn early(sign: &ServiceSign, first: Time) -> f64 {
    let late = sign.time.since(first + sign.tolerance);
    (-late.as_secs_f64() / HALVED.as_secs_f64()).exp2()
}

/// Lines of services that depend on it and name it, or an alias of it.
fn named(service: &str, scene: &Scene) -> Vec<(String, String, Citation)> {
    let names: Vec<&str> = scene.topology.names().filter(|(_, one)| *one == service).map(|(name, _)| name).collect();
    let mut all = Vec::new();
    for (other, signs) in &scene.signs {
        if !scene.depends(other, service) {
            continue;
        }
        let naming = signs.iter().find(|sign| sign.solid && names.iter().any(|name| mentions(&sign.raw, name)));
        all.extend(naming.map(|sign| (other.clone(), sign.raw.clone(), sign.citation.clone())));
    }
    all
}

/// The best score among the same problems of the past that turned out to be this service.
fn past_share(service: &str, topology: &Topology, past: &[Similar]) -> f64 {
    past.iter().filter(|similar| was(similar, service, topology)).map(|similar| similar.score).fold(0.0, f64::max)
}

/// Whether a same problem of the past turned out to be this service.
pub(super) fn was(similar: &Similar, service: &str, topology: &Topology) -> bool {
    let Some(cause) = similar.cause.as_deref().filter(|_| similar.same) else {
        return false;
    };
    mentions(cause, service) || topology.names().any(|(name, one)| one == service && mentions(cause, name))
}
