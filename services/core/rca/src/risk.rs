//! How much trouble an incident is: impact × probability, of each service and of all. Owns both scales and their words;
//! refuses to rank causes.

use std::collections::BTreeSet;

use hindcast_api::{BlastRadius, Hypothesis, IncidentRisk, ServiceRisk};

use super::scene::Scene;
use super::sign::{self, ServiceSign};
use crate::effect::EffectSource;

/// How much a service matters by its tier, 1 first, and one of which no tier is known.
const TIERS: [f64; 4] = [1.0, 0.6, 0.3, 0.1];
const NO_TIER: f64 = 0.5;
/// How likely a call passes trouble on to the service that makes it.
const PASSES_ON: f64 = 0.5;
/// How likely a service is affected of which nothing but an alert elsewhere is known.
const FIRES: f64 = 0.9;
/// Services that are named as the reason.
const WHY_MAX: usize = 3;

/// The risk of everything that is affected or at risk.
pub(super) fn risk(scene: &Scene, radius: &BlastRadius, causes: &[Hypothesis]) -> IncidentRisk {
    let services: BTreeSet<&String> = radius.hit.iter().chain(&radius.at_risk).collect();
    let mut all: Vec<ServiceRisk> = services.into_iter().map(|service| of(service, scene, radius, causes)).collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.service.cmp(&b.service)));
    let spared: f64 = all.iter().map(|risk| 1.0 - risk.score).product();
    let why = all.iter().take(WHY_MAX).map(|risk| format!("{}: {}", risk.service, risk.why)).collect();
    IncidentRisk { score: rounded(1.0 - spared), why, services: all }
}

fn of(service: &str, scene: &Scene, radius: &BlastRadius, causes: &[Hypothesis]) -> ServiceRisk {
    let tier = scene.topology.service(service).and_then(|service| service.tier);
    let (impact, matters) = match tier {
        Some(tier) => {
            let at = usize::from(tier.saturating_sub(1)).min(TIERS.len() - 1);
            (TIERS.get(at).copied().unwrap_or(NO_TIER), format!("tier {tier}"))
        }
        None => (NO_TIER, "no tier is known".to_owned()),
    };
    let (probability, likely) = if radius.hit.iter().any(|hit| hit == service) {
        shown(service, scene)
    } else {
        threatened(service, scene, causes)
    };
    let (impact, probability) = (rounded(impact), rounded(probability));
    let why = format!("impact {impact} ({matters}) × probability {probability} ({likely})");
    ServiceRisk { service: service.to_owned(), score: rounded(impact * probability), impact, probability, why }
}

/// What a service shows itself.
fn shown(service: &str, scene: &Scene) -> (f64, String) {
    let signs = scene.signs_of(service);
    let alerts = |sign: &&ServiceSign| sign.source == EffectSource::Alert;
    match (signs.iter().filter(alerts).count(), signs.len()) {
        (_, 0) => (FIRES, "an alert of it fires".to_owned()),
        (0, findings) => (sign::own(signs), format!("findings show it: {findings}")),
        (alerts, _) => (sign::own(signs).max(FIRES), format!("alerts that fire: {alerts}")),
    }
}

/// What may come from the likeliest cause that it depends on.
fn threatened(service: &str, scene: &Scene, causes: &[Hypothesis]) -> (f64, String) {
    let from = causes.iter().filter_map(|cause| {
        let calls = scene.topology.depends(service, &cause.service)?;
        Some((cause.score * PASSES_ON.powi(i32::try_from(calls).unwrap_or(i32::MAX)), calls, &cause.service))
    });
    match from.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((probability, calls, cause)) => {
            let over = if calls == 1 { "directly".to_owned() } else { format!("over {calls} calls") };
            (probability, format!("it depends on {cause} {over}"))
        }
        None => (0.0, "nothing ties it to a cause".to_owned()),
    }
}

/// Hundredths are enough for people.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
