//! Which services an incident affects, which are at risk, and of which watched services no sign was seen.

use std::collections::BTreeSet;

use hindcast_api::BlastRadius;

use super::scene::{CauseCandidate, Scene, Tie};
use super::sign;

/// The least strength of all signs of a service together, from which it counts as hit without an alert.
const HIT: f64 = 0.25;

pub(super) fn radius(scene: &Scene, best: Option<&CauseCandidate>) -> BlastRadius {
    let mut hit: BTreeSet<String> = if scene.rang { scene.alarmed.keys().cloned().collect() } else { BTreeSet::new() };
    let found = scene.signs.iter().filter(|(service, signs)| {
        sign::own(signs) >= HIT && (scene.tie(service) != Tie::Unknown || best.is_some_and(|b| b.service == **service))
    });
    hit.extend(found.map(|(service, _)| service.clone()));
    let firing: BTreeSet<String> =
        scene.evidence.firing.iter().map(|name| sign::resolve(scene.topology, name)).collect();
    // What fires in another incident and is connected with this one is affected by it as far as anybody knows.
    let connected = |name: &&String| scene.rang && matches!(scene.tie(name), Tie::Beneath | Tie::Above);
    hit.extend(firing.iter().filter(connected).cloned());
    let at_risk: BTreeSet<String> = best.map_or_else(BTreeSet::new, |best| {
        let names = scene.topology.services().map(|service| service.name.clone());
        names.filter(|name| scene.depends(name, &best.service) && !hit.contains(name)).collect()
    });
    let watched = scene.evidence.watched.iter().map(|name| sign::resolve(scene.topology, name));
    let open = scene.evidence.troubled.iter().map(|name| sign::resolve(scene.topology, name));
    // Whatever shows anything, in whichever incident, or in none.
    let shows: BTreeSet<String> =
        open.chain(firing).chain(scene.elsewhere.iter().cloned()).chain(scene.signs.keys().cloned()).collect();
    let unharmed: BTreeSet<String> =
        watched.filter(|name| !hit.contains(name) && !at_risk.contains(name) && !shows.contains(name)).collect();
    BlastRadius {
        hit: hit.into_iter().collect(),
        at_risk: at_risk.into_iter().collect(),
        unharmed: unharmed.into_iter().collect(),
    }
}
