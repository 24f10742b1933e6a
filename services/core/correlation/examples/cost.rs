//! What grouping one alert costs with 1, 25, 200 and 2,000 open incidents: reading it, comparing it, and taking the
//! decision in. `cargo run --release -p hindcast-correlation --example cost`

#![allow(clippy::unwrap_used, clippy::print_stdout)] // an example prints

use std::time::Instant;

use hindcast_correlation::assign::assign;
use hindcast_correlation::baseline::AlertBaseline;
use hindcast_correlation::evidence::AlertEvidence;
use hindcast_correlation::groups::IncidentGroups;
use hindcast_correlation::pair::PairScorer;
use hindcast_correlation::traits::{AlertTraits, Newcomer};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::alert::Labels;
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::{Fingerprint, IncidentId, Severity, Span, Time};

const NAMES: [&str; 8] = [
    "HighErrorRate",
    "HighLatencyP99",
    "PodCrashLooping",
    "PodNotReady",
    "ReplicasMismatch",
    "QueueGrowing",
    "MemoryNearLimit",
    "SloBurnRate",
];

struct Partition {
    baseline: AlertBaseline,
    groups: IncidentGroups,
    topology: Topology,
    weights: GroupingWeights,
    count: u64,
    now: Time,
}

impl Partition {
    /// Groups one alert of a service; how long it took, in nanoseconds.
    fn fire(&mut self, service: usize, name: usize, opens: bool) -> u64 {
        self.count += 1;
        let service = format!("service-{service}");
        let mut mac = [0; 32];
        mac[..8].copy_from_slice(&self.count.to_be_bytes());
        let fingerprint = Fingerprint::from_mac(&mac);
        let pod = format!("{service}-{}", self.count % 3);
        let labels: Labels = [
            ("alertname", NAMES[name % 8]),
            ("service", &service),
            ("pod", &pod),
            ("dc", "fra1"),
            ("grafana_folder", "Prod"),
            ("release", "2026-11"),
            ("severity", "critical"),
        ]
        .map(|(label, value)| (label.to_owned(), value.to_owned()))
        .into();
        let summary = format!("{service}: the share of failed requests is above five percent for ten minutes");
        let annotations = Labels::from([("summary".to_owned(), summary)]);
        let newcomer = Newcomer {
            fingerprint: &fingerprint,
            source: "prometheus",
            name: NAMES[name % 8],
            service: Some(&service),
            about: None,
            severity: Severity::Critical,
            labels: &labels,
            annotations: &annotations,
            starts_at: self.now,
        };
        let start = Instant::now();
        let traits = AlertTraits::of(&newcomer);
        let evidence = AlertEvidence::of(&newcomer, traits.clone(), &self.baseline, self.now);
        let scorer = PairScorer::new(&self.weights, &self.topology);
        let found = assign(&evidence, &self.groups, &scorer, self.now, |_| true);
        let id = found.incident.filter(|_| !opens).unwrap_or_else(|| IncidentId::derive(&[&self.count.to_be_bytes()]));
        self.baseline.observe(&traits, self.now);
        match self.groups.get(&id) {
            Some(_) => self.groups.join(&id, evidence, found.second.as_ref(), self.now),
            None => self.groups.open(&id, evidence, self.now),
        }
        u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

fn main() {
    for open in [1_usize, 25, 200, 2_000] {
        let service = |at: usize| {
            let calls = format!("service-{}", (at * 7 + 1) % open.max(2));
            serde_json::json!({"name": format!("service-{at}"), "depends_on": [calls]})
        };
        let services: Vec<_> = (0..open.max(2)).map(service).collect();
        let catalog: Catalog = serde_json::from_value(serde_json::json!({"services": services})).unwrap();
        let mut partition = Partition {
            baseline: AlertBaseline::default(),
            groups: IncidentGroups::default(),
            topology: Topology::new(&catalog),
            weights: GroupingWeights::default(),
            count: 0,
            now: Time::from_millis(1_763_996_400_000),
        };
        for at in 0..open {
            // Each incident has a few kinds, so that comparing costs something.
            partition.fire(at, at, true);
            for kind in 1..6 {
                partition.fire(at, at + kind, false);
            }
            partition.now = partition.now + Span::millis(200);
        }
        let mut took: Vec<u64> = (0..4_000)
            .map(|at| {
                partition.now = partition.now + Span::millis(50);
                partition.fire((at * 31) % open, at, false)
            })
            .collect();
        took.sort_unstable();
        let at = |share: usize| took[took.len() * share / 100] as f64 / 1_000.0;
        println!("{open:>5} open incidents: median {:>6.1} µs, 99 % {:>6.1} µs an alert", at(50), at(99));
    }
}
