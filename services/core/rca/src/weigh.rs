//! Candidates and their scores. Owns the parts of a score and their weights; refuses to know how it is told.

use hindcast_api::{Citation, Similar};
use hindcast_domain::catalog::Topology;
use hindcast_domain::{Span, Time};

use super::change::WeighedChange;
use super::scene::{CauseCandidate, SYMPTOM, Scene, Tie};
use super::sign::{self, ServiceSign};
use hindcast_domain::text::mentions;

/// Log-odds of a service that shows nothing at all.
const BIAS: f64 = -3.0;
/// Log-odds of signs of its own, all of them sure.
const OWN: f64 = 3.0;
/// Log-odds of being first.
const EARLY: f64 = 1.5;
/// Log-odds of explaining every alarmed service.
const COVERS: f64 = 2.0;
/// The share of the one alarm that anybody may cover where nobody knows who depends on whom.
const UNKNOWN_COVERS: f64 = 0.5;
/// Log-odds against it of a dependency that was abnormal by then.
const EXPLAINED: f64 = -3.5;
/// Log-odds of a change just before its first sign.
const CHANGE: f64 = 1.2;
/// Log-odds of being named by what depends on it.
const NAMED: f64 = 0.8;
/// Log-odds of having been the cause of the same problem before.
const PAST: f64 = 1.0;
/// Log-odds against whatever is not connected by the catalogue, because it is not in it.
const UNKNOWN: f64 = -0.7;
/// Log-odds against a service that only shows metrics that moved: load moves them too.
const WEAK: f64 = -1.0;
/// Log-odds against everything where neither an alert nor a person says that something is wrong where.
const UNHEARD: f64 = -1.0;
/// Log-odds against a service whose metrics moved, though hardly by the measure of the one that moved furthest.
const HARDLY: f64 = -1.5;
/// After how long behind the first sign earliness is halved.
const HALVED: Span = Span::seconds(60);
/// How abnormal a dependency must be to explain what depends on it.
const EXPLAINS_MIN: f64 = 0.30;
/// Everything that may have broken.
pub(super) fn candidates(scene: &Scene, changes: &[WeighedChange], past: &[Similar]) -> Vec<CauseCandidate> {
    // without an alarm, metrics that moved are what load and recoveries do too
    let enough = |signs: &[ServiceSign]| scene.rang || sign::solid(signs);
    scene
        .signs
        .iter()
        .filter(|(service, signs)| matches!(scene.tie(service), Tie::Beneath | Tie::Unknown) && enough(signs))
        .filter_map(|(service, signs)| weigh(service, signs, scene, changes, past))
        .collect()
}

fn weigh(
    service: &str,
    signs: &[ServiceSign],
    scene: &Scene,
    changes: &[WeighedChange],
    past: &[Similar],
) -> Option<CauseCandidate> {
    let first = sign::first(signs)?;
    let own = sign::own(signs);
    let early = early(first, scene.first?);
    let covers = covers(service, scene);
    let (explained, by) = explained(service, signs, scene);
    let change = changes
        .iter()
        .filter(|judged| judged.service == service && judged.guilty(explained))
        .max_by(|a, b| (a.weight.total_cmp(&b.weight)).then_with(|| a.change.position.cmp(&b.change.position)));
    let named = named(service, scene);
    let before = past_share(service, scene.topology, past);
    let unknown = scene.tie(service) == Tie::Unknown || scene.topology.resolve(service).is_none();
    let odds = BIAS
        + OWN * own
        + EARLY * early
        + COVERS * covers
        + EXPLAINED * explained
        + HARDLY * hardly(signs, scene)
        + CHANGE * change.map_or(0.0, |judged| judged.weight)
        + if named.is_empty() { 0.0 } else { NAMED }
        + PAST * before
        + if sign::solid(signs) { 0.0 } else { WEAK }
        + if scene.alarmed.is_empty() { UNHEARD } else { 0.0 }
        + if unknown && scene.alarmed.len() > 1 { UNKNOWN } else { 0.0 };
    Some(CauseCandidate {
        service: service.to_owned(),
        score: thousandths(odds),
        first: first.time,
        own,
        early,
        covers,
        explained,
        by,
        change: change.map(|judged| judged.citation()),
        named,
    })
}

fn thousandths(odds: f64) -> i32 {
    #[allow(clippy::cast_possible_truncation)] // between 0 and 1,000
    let score = (1_000.0 / (1.0 + (-odds).exp())).round() as i32;
    score.clamp(1, 999)
}

/// 1 among the first, halved with every minute behind them.
fn early(sign: &ServiceSign, first: Time) -> f64 {
    let late = sign.time.since(first + sign.tolerance);
    (-late.as_secs_f64() / HALVED.as_secs_f64()).exp2()
}

/// By how much its metrics moved less far than those of the service whose moved furthest, 0 to 1 on a scale of orders
/// of magnitude; 0 where none moved.
fn hardly(signs: &[ServiceSign], scene: &Scene) -> f64 {
    let size = |signs: &[ServiceSign]| signs.iter().map(|sign| sign.size).fold(0.0, f64::max).ln_1p();
    let (own, most) = (size(signs), scene.signs.values().map(|signs| size(signs)).fold(0.0, f64::max));
    if own > 0.0 && most > 0.0 { 1.0 - own / most } else { 0.0 }
}

/// The share of what alarmed that is it or depends on it.
fn covers(service: &str, scene: &Scene) -> f64 {
    let all: f64 = scene.alarmed.values().sum();
    let covered = |alarmed: &str| alarmed == service || scene.topology.depends(alarmed, service).is_some();
    let share: f64 = scene.alarmed.iter().filter(|(alarmed, _)| covered(alarmed)).map(|(_, weight)| weight).sum();
    // Where the catalogue knows nothing of the one that alarmed, it may depend on anybody; of several, each tells.
    let is_unknown = scene.alarmed.keys().all(|alarmed| scene.topology.resolve(alarmed).is_none());
    if is_unknown && scene.alarmed.len() == 1 {
        return (share / all).max(UNKNOWN_COVERS);
    }
    if all > 0.0 { share / all } else { 0.0 }
}

/// How far its dependencies explain it: how abnormal the worst of them is, times the share of its own signs
/// that are not older than that.
fn explained(service: &str, signs: &[ServiceSign], scene: &Scene) -> (f64, Vec<String>) {
    let total: f64 = signs.iter().map(|sign| sign.strength).sum();
    let mut all: Vec<(f64, &String)> = scene
        .signs
        .iter()
        .filter(|(other, _)| scene.depends(service, other))
        .filter_map(|(other, theirs)| {
            let own = sign::own(theirs);
            let begin = begin(theirs)?;
            let after: f64 = signs.iter().filter(|sign| sign.time + sign.tolerance >= begin).map(|s| s.strength).sum();
            let share = if total > 0.0 { after / total } else { 0.0 };
            let sure = if sign::solid(theirs) { 1.0 } else { 0.5 };
            (own >= EXPLAINS_MIN).then_some((own * sure * share, other))
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let worst = all.first().map_or(0.0, |(explained, _)| *explained);
    (worst, all.into_iter().filter(|(explained, _)| *explained >= SYMPTOM).map(|(_, other)| other.clone()).collect())
}

/// The earliest at which it may have begun, given how late its signs may show.
fn begin(signs: &[ServiceSign]) -> Option<Time> {
    let first = sign::first(signs)?;
    signs.iter().filter(|sign| sign.strength >= 0.25 || sign == &first).map(|sign| sign.time - sign.tolerance).min()
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
