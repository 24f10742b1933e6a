//! Alerts as exporters label them, through the decider: what is broken divides incidents, and the exporter that they
//! share joins none.

use hindcast_domain::Severity;
use hindcast_domain::alert::{Labels, Observation};
use hindcast_entities::{EntityRules, LabelledAlert};

use crate::harness::{Lane, fingerprint};

/// The labels of the scrape target of kube-state-metrics in kube-prometheus-stack.
const KUBE_STATE_METRICS: [(&str, &str); 6] = [
    ("job", "kube-state-metrics"),
    ("service", "mon-kube-state-metrics"),
    ("endpoint", "http"),
    ("instance", "10.42.0.9:8080"),
    ("prometheus", "monitoring/k8s"),
    ("container", "kube-state-metrics"),
];

/// One alert: its rule, and the labels that it has beside those of its scrape target.
type Told<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// An observation, as the door makes one of these labels; unresolved, as it made one before there were rules.
fn observed(target: &[(&str, &str)], (name, more): Told<'_>, is_resolved: bool) -> Observation {
    let own = [("alertname", name), ("severity", "critical")];
    let labels: Labels =
        target.iter().chain(&own).chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let identity = format!("{labels:?}");
    let plain = hindcast_testkit::observation(fingerprint(name, &identity), name, "");
    let resolved = EntityRules::shipped().resolve(&LabelledAlert { name, labels: &labels });
    let (service, about) = if is_resolved {
        (resolved.service, Some(resolved.about.into()))
    } else {
        (labels.get("service").or_else(|| labels.get("job")).cloned(), None)
    };
    Observation { service, about, labels, severity: Severity::Critical, ..plain }
}

/// How many incidents a row of alerts gives, 20 seconds apart.
fn incidents(target: &[(&str, &str)], alerts: &[Told<'_>], is_resolved: bool) -> usize {
    let mut lane = Lane::new();
    for (alert, seconds) in alerts.iter().zip((10..).step_by(20)) {
        lane.see(seconds, observed(target, *alert, is_resolved));
    }
    lane.incidents().len()
}

#[test]
fn failures_of_four_namespaces_are_four_incidents() {
    let alerts: [Told<'_>; 4] = [
        ("KubePodCrashLooping", &[("namespace", "payments"), ("pod", "pay-7f9c5d8b4-x2k9z"), ("container", "app")]),
        ("KubeJobFailed", &[("namespace", "analytics"), ("job_name", "nightly-export-28123456")]),
        ("KubeDeploymentReplicasMismatch", &[("namespace", "search"), ("deployment", "query-api")]),
        ("KubeStatefulSetReplicasMismatch", &[("namespace", "queues"), ("statefulset", "rabbitmq")]),
    ];
    assert_eq!(incidents(&KUBE_STATE_METRICS, &alerts, true), 4);
    assert_eq!(incidents(&KUBE_STATE_METRICS, &alerts, false), 1, "the exporter's labels join them");
}

#[test]
fn one_name_in_four_namespaces_is_four_workloads() {
    let alerts: [Told<'_>; 4] = [
        ("KubePodCrashLooping", &[("namespace", "payments"), ("pod", "api-7f9c5d8b4-x2k9z")]),
        ("KubePodCrashLooping", &[("namespace", "analytics"), ("pod", "api-5d8b47f9c-k9zx2")]),
        ("KubePodNotReady", &[("namespace", "search"), ("pod", "api-6c5d8b4f9-zx2k9")]),
        ("KubeDeploymentReplicasMismatch", &[("namespace", "queues"), ("deployment", "api")]),
    ];
    assert_eq!(incidents(&KUBE_STATE_METRICS, &alerts, true), 4);
}

#[test]
fn failures_of_one_workload_are_one_incident() {
    let alerts: [Told<'_>; 3] = [
        ("KubePodCrashLooping", &[("namespace", "payments"), ("pod", "pay-7f9c5d8b4-x2k9z"), ("container", "app")]),
        ("KubePodNotReady", &[("namespace", "payments"), ("pod", "pay-7f9c5d8b4-q8w7r")]),
        ("KubeDeploymentReplicasMismatch", &[("namespace", "payments"), ("deployment", "pay")]),
    ];
    assert_eq!(incidents(&KUBE_STATE_METRICS, &alerts, true), 1);
}

#[test]
fn two_nodes_are_two_incidents_and_one_node_is_one() {
    let target = [("job", "node-exporter"), ("container", "node-exporter"), ("namespace", "monitoring")];
    let other: [Told<'_>; 2] = [
        ("NodeFilesystemAlmostOutOfSpace", &[("instance", "10.0.3.7:9100"), ("mountpoint", "/")]),
        ("NodeRAIDDegraded", &[("instance", "10.0.3.9:9100"), ("device", "md0")]),
    ];
    assert_eq!(incidents(&target, &other, true), 2);
    assert_eq!(incidents(&target, &other, false), 1, "the exporter's labels join them");
    let same: [Told<'_>; 2] = [
        ("NodeFilesystemAlmostOutOfSpace", &[("instance", "10.0.3.7:9100"), ("mountpoint", "/")]),
        ("NodeRAIDDegraded", &[("instance", "10.0.3.7:9100"), ("device", "md0")]),
    ];
    assert_eq!(incidents(&target, &same, true), 1);
}

#[test]
fn probes_of_two_sites_are_two_incidents() {
    let target = [("job", "blackbox-exporter"), ("service", "blackbox-exporter"), ("namespace", "monitoring")];
    let alerts: [Told<'_>; 2] = [
        ("BlackboxProbeFailed", &[("instance", "https://shop.example")]),
        ("BlackboxSslCertificateWillExpireSoon", &[("instance", "https://vpn.example")]),
    ];
    assert_eq!(incidents(&target, &alerts, true), 2);
    assert_eq!(incidents(&target, &alerts, false), 1, "the prober's labels join them");
}
