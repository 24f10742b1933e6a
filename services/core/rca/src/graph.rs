//! Who calls whom, in both directions and through others. Owns reach; refuses to know what a service shows.

use std::collections::{BTreeMap, BTreeSet};

/// Calls between services.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallGraph {
    callees: BTreeMap<String, BTreeSet<String>>,
    callers: BTreeMap<String, BTreeSet<String>>,
}

static NOBODY: BTreeSet<String> = BTreeSet::new();

impl CallGraph {
    /// From pairs of caller and callee; a service that calls itself is no edge.
    pub fn of(calls: &BTreeSet<(String, String)>) -> Self {
        let mut all = Self::default();
        for (caller, callee) in calls.iter().filter(|(caller, callee)| caller != callee) {
            all.callees.entry(caller.clone()).or_default().insert(callee.clone());
            all.callers.entry(callee.clone()).or_default().insert(caller.clone());
        }
        all
    }

    /// Every service with an edge.
    pub fn known(&self) -> impl Iterator<Item = &String> {
        self.callees.keys().chain(self.callers.keys())
    }

    pub fn is_known(&self, service: &str) -> bool {
        self.callees.contains_key(service) || self.callers.contains_key(service)
    }

    pub fn callees(&self, service: &str) -> &BTreeSet<String> {
        self.callees.get(service).unwrap_or(&NOBODY)
    }

    pub fn callers(&self, service: &str) -> &BTreeSet<String> {
        self.callers.get(service).unwrap_or(&NOBODY)
    }

    /// Those that it calls, through others too; not itself.
    pub fn beneath(&self, service: &str) -> BTreeSet<String> {
        reach(&self.callees, service)
    }

    /// Those that call it, through others too; not itself.
    pub fn above(&self, service: &str) -> BTreeSet<String> {
        reach(&self.callers, service)
    }
}

fn reach(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(service) = open.pop() {
        for next in edges.get(service).into_iter().flatten() {
            if next != from && seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen
}
