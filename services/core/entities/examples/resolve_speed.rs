//! How long one alert takes to resolve: `cargo run --release -p hindcast-entities --example resolve_speed`.
//! Prints the median and the slowest of a few label sets, in nanoseconds an alert.

#![allow(clippy::disallowed_methods)] // a clock is what this example is for

use std::hint::black_box;
use std::time::Instant;

use hindcast_domain::alert::Labels;
use hindcast_entities::{EntityRules, LabelledAlert};

const ROUNDS: u32 = 20_000;

/// Names and labels of alerts: by job, by name, by a label, by nothing that a rule knows.
const ALERTS: [(&str, &str); 5] = [
    (
        "KubePodCrashLooping",
        "job=kube-state-metrics service=mon-kube-state-metrics endpoint=http instance=10.42.0.9:8080 \
         prometheus=monitoring/k8s namespace=payments pod=pay-7f9c5d8b4-x2k9z container=app severity=critical",
    ),
    ("NodeFilesystemAlmostOutOfSpace", "instance=web-1:9100 device=/dev/sda1 mountpoint=/ severity=warning"),
    ("Slow", "app_kubernetes_io_name=prometheus-node-exporter job=kubernetes-service-endpoints node=pool-7"),
    ("HighErrorRate", "job=checkout service=checkout namespace=shop pod=checkout-0 instance=10.1.1.1:80 tier=1"),
    ("Unknown", "a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9"),
];

fn main() {
    let rules = EntityRules::shipped();
    let mut times: Vec<u128> = ALERTS.iter().map(|(name, labels)| nanos(rules, name, labels)).collect();
    times.sort_unstable();
    println!("median {} ns, slowest {} ns an alert", times[times.len() / 2], times[times.len() - 1]);
}

fn nanos(rules: &EntityRules, name: &str, labels: &str) -> u128 {
    let pairs = labels.split(' ').filter_map(|pair| pair.split_once('='));
    let labels: Labels = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let alert = LabelledAlert { name, labels: &labels };
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        black_box(rules.resolve(black_box(&alert)));
    }
    let each = begun.elapsed().as_nanos() / u128::from(ROUNDS);
    println!("{each:>7} ns  {name}");
    each
}
