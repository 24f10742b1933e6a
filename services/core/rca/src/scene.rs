//! What the parts of a ranking look at: everything that was seen, made ready, and a service that may have failed. Refuses
//! to know scores' weights and how a change is refuted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::Citation;
use hindcast_domain::Time;
use hindcast_domain::catalog::Topology;

use super::kind;
use super::sign::{self, ServiceSign};
use crate::evidence::Evidence;

/// From which share of being explained a service is held to be a symptom.
pub(super) const SYMPTOM: f64 = 0.35;

/// How a service stands to what alarmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// It alarmed, or something that alarmed depends on it.
    Beneath,
    /// It depends on something that alarmed, and did not alarm itself.
    Above,
    /// The catalogue does not know it.
    Unknown,
    /// The catalogue knows it, and nothing connects it.
    None,
}

/// Everything that was seen, made ready.
pub(super) struct Scene<'a> {
    pub evidence: &'a Evidence,
    pub topology: &'a Topology,
    /// Signs of services that are connected to what alarmed.
    pub signs: BTreeMap<String, Vec<ServiceSign>>,
    /// Services that show signs of their own and are not connected to what alarmed.
    pub elsewhere: BTreeSet<String>,
    /// What alarmed, with the weight of its worst alert; what a person named, where nothing alarmed.
    pub alarmed: BTreeMap<String, f64>,
    /// Whether an alert did.
    pub rang: bool,
    /// Whether every alert explains itself.
    pub alone: bool,
    /// The first sign of all.
    pub first: Option<Time>,
}

impl<'a> Scene<'a> {
    pub fn new(evidence: &'a Evidence, topology: &'a Topology) -> Self {
        let mut alarmed: BTreeMap<String, f64> = BTreeMap::new();
        for symptom in &evidence.symptoms {
            if let Some(service) = sign::service_of(&symptom.alert, topology) {
                let weight = if symptom.alert.severity.pages() { 1.0 } else { 0.5 };
                let known = alarmed.entry(service).or_insert(0.0);
                *known = known.max(weight);
            }
        }
        let rang = !evidence.symptoms.is_empty();
        let alone = rang && evidence.symptoms.iter().all(|symptom| kind::explains_itself(&symptom.alert.name));
        if alarmed.is_empty() {
            let named = evidence.incident.services.iter().map(|name| (sign::resolve(topology, name), 1.0));
            alarmed.extend(named);
        }
        let mut scene = Scene {
            evidence,
            topology,
            signs: sign::signs(evidence, topology),
            elsewhere: BTreeSet::new(),
            alarmed,
            rang,
            alone,
            first: None,
        };
        let connected: BTreeSet<String> =
            scene.signs.keys().filter(|service| scene.tie(service) != Tie::None).cloned().collect();
        let apart = scene.signs.keys().filter(|service| !connected.contains(*service)).cloned();
        scene.elsewhere = apart.collect();
        scene.signs.retain(|service, _| connected.contains(service));
        scene.first = scene.signs.values().filter_map(|signs| sign::first(signs)).map(|sign| sign.time).min();
        scene
    }

    /// How a service stands to what alarmed.
    pub fn tie(&self, service: &str) -> Tie {
        if self.alarmed.contains_key(service) {
            return Tie::Beneath;
        }
        let untold = if self.alone { Tie::None } else { Tie::Unknown };
        if self.topology.resolve(service).is_none() {
            return untold;
        }
        let alarmed = || self.alarmed.keys().map(String::as_str);
        if alarmed().any(|alarmed| self.depends(alarmed, service)) {
            return Tie::Beneath;
        }
        if alarmed().any(|alarmed| self.depends(service, alarmed)) {
            return Tie::Above;
        }
        if alarmed().all(|alarmed| self.topology.resolve(alarmed).is_none()) { untold } else { Tie::None }
    }

    /// Whether `from` depends on `to`, directly or through others, and `to` does not depend on `from`.
    pub fn depends(&self, from: &str, to: &str) -> bool {
        from != to && self.topology.depends(from, to).is_some() && self.topology.depends(to, from).is_none()
    }

    pub fn signs_of(&self, service: &str) -> &[ServiceSign] {
        self.signs.get(service).map_or(&[], Vec::as_slice)
    }
}

/// A service that may have failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CauseCandidate {
    pub service: String,
    /// Its share among all candidates and "none of them", in thousandths.
    pub score: i32,
    /// Log odds against "none of them".
    pub odds: f64,
    pub first: Time,
    /// How far what lies beneath explains it, 0 to 1.
    pub explained: f64,
    /// Services that explain it.
    pub by: Vec<String>,
    /// The change that broke it: its event.
    pub change: Option<Citation>,
    /// Services that depend on it, with a line that names it and its event.
    pub named: Vec<(String, String, Citation)>,
    /// The events of its own signs, those that its likeliest mode rests on first.
    pub grounds: Vec<Citation>,
}

impl CauseCandidate {
    /// Best first; the earlier one, then the name, among equals.
    pub fn order(a: &Self, b: &Self) -> Ordering {
        b.score.cmp(&a.score).then_with(|| (a.first, &a.service).cmp(&(b.first, &b.service)))
    }

    /// Whether it suffers because of that service.
    pub fn explained_by(&self, service: &str) -> bool {
        self.explained >= SYMPTOM && self.by.iter().any(|by| by == service)
    }
}
