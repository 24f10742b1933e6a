//! The engine as a specification, over alerts that a test writes: what joins, what does not, and that a past decides
//! itself again to the bit.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use hindcast_correlation::assign::{Assignment, assign};
use hindcast_correlation::baseline::{AlertBaseline, Usualness};
use hindcast_correlation::evidence::AlertEvidence;
use hindcast_correlation::groups::IncidentGroups;
use hindcast_correlation::pair::PairScorer;
use hindcast_correlation::parameters::PARAMETERS;
use hindcast_correlation::second::{SecondLook, SecondStep};
use hindcast_correlation::traits::{AlertTraits, Newcomer};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::alert::Labels;
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_domain::{Fingerprint, IncidentId, Severity, Span, Time};
use serde_json::json;

const START: Time = Time::from_millis(1_763_996_400_000);

/// A partition in memory that opens and joins as the correlator would.
#[derive(Default)]
struct Yard {
    baseline: AlertBaseline,
    groups: IncidentGroups,
    topology: Topology,
    count: u32,
}

#[derive(Clone)]
struct Told {
    at: i64,
    name: String,
    service: Option<String>,
    labels: Labels,
    severity: Severity,
    number: u32,
}

fn told(at: i64, name: &str, service: &str, labels: &[(&str, &str)]) -> Told {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let service = Some(service.to_owned()).filter(|service| !service.is_empty());
    Told { at, name: name.to_owned(), service, labels, severity: Severity::Medium, number: 0 }
}

impl Yard {
    fn shop() -> Self {
        let services = json!([
            {"name": "nginx", "depends_on": ["checkout"]},
            {"name": "checkout", "depends_on": ["postgres"]},
            {"name": "postgres"},
            {"name": "backup"},
        ]);
        let catalog: Catalog = serde_json::from_value(json!({"services": services})).unwrap();
        Self { topology: Topology::new(&catalog), ..Self::default() }
    }

    fn with<T>(&self, alert: &Told, then: impl FnOnce(&Newcomer<'_>, Time) -> T) -> T {
        let (now, annotations) = (START + Span::seconds(alert.at), Labels::new());
        let mut mac = [0; 32];
        mac[..4].copy_from_slice(&alert.number.to_be_bytes());
        let newcomer = Newcomer {
            fingerprint: &Fingerprint::from_mac(&mac),
            source: "prometheus",
            name: &alert.name,
            service: alert.service.as_deref(),
            about: None,
            severity: alert.severity,
            labels: &alert.labels,
            annotations: &annotations,
            starts_at: now,
        };
        then(&newcomer, now)
    }

    /// Decides about an alert and folds the decision; the incident, with why.
    fn fire(&mut self, mut alert: Told) -> (IncidentId, Assignment) {
        self.count += 1;
        alert.number = self.count;
        let weights = GroupingWeights::default();
        let (assignment, traits, evidence, now) = self.with(&alert, |newcomer, now| {
            let traits = AlertTraits::of(newcomer);
            let evidence = AlertEvidence::of(newcomer, traits.clone(), &self.baseline, now);
            let scorer = PairScorer::new(&weights, &self.topology);
            (assign(&evidence, &self.groups, &scorer, now, |_| true), traits, evidence, now)
        });
        self.baseline.observe(&traits, now);
        let again = self.with(&alert, |newcomer, now| AlertEvidence::of(newcomer, traits, &self.baseline, now));
        assert_eq!(evidence, again, "an alert says the same before and after it was taken in");
        let id = assignment.incident.clone();
        let id = id.unwrap_or_else(|| IncidentId::derive(&[&self.count.to_be_bytes()]));
        match &assignment.incident {
            Some(id) => self.groups.join(id, evidence, assignment.second.as_ref(), now),
            None => self.groups.open(&id, evidence, now),
        }
        (id, assignment)
    }

    fn usualness(&self, alert: &Told) -> Usualness {
        self.with(alert, |newcomer, now| self.baseline.usualness(&AlertTraits::of(newcomer), now))
    }
}

/// A generator that a test can repeat (Knuth's MMIX constants).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Two days of alerts of a small fleet.
fn history(seed: u64) -> Vec<Told> {
    let mut draws = Draws(seed);
    let mut at = 0;
    let service = ["nginx", "checkout", "postgres", "backup", "search", "mail"];
    let names = ["HighLatency", "PodCrashLooping", "QueueGrowing", "ErrorRate", "ReplicaLag"];
    let mut all = Vec::new();
    for _ in 0..400 {
        at += i64::try_from(if draws.below(3) == 0 { draws.below(1_200) } else { draws.below(20) }).unwrap();
        let service = service[draws.below(6) as usize];
        let pod = format!("{service}-{}", draws.below(3));
        let mut alert = told(at, names[draws.below(5) as usize], service, &[("pod", pod.as_str()), ("folder", "prod")]);
        alert.severity = [Severity::Medium, Severity::Critical][draws.below(2) as usize];
        all.push(alert);
    }
    all
}

#[test]
fn the_parts_add_up_to_the_score_and_every_constant_lies_within_its_bounds() {
    let mut yard = Yard::shop();
    let mut joined = 0;
    for alert in history(1) {
        let (_, assignment) = yard.fire(alert);
        if assignment.incident.is_some() {
            let sum: i32 = assignment.grouping.parts.values().sum();
            assert_eq!(hindcast_correlation::weights::logistic(sum), assignment.grouping.score);
            assert!(assignment.grouping.score >= assignment.grouping.threshold);
            joined += 1;
        }
    }
    assert!(joined > 50, "{joined} joined");
    let p = PARAMETERS;
    assert!((p.merge.least..=p.merge.most).contains(&p.merge.value) && !p.merge.fixed_by.is_empty());
    assert!((p.damping.least..=p.damping.most).contains(&p.damping.value));
    assert!(p.end_least_s.value <= p.end_most_s.value && p.review_s.value < p.divide_s.value);
}

#[test]
fn a_past_that_is_cut_and_read_again_goes_on_to_the_bit() {
    for seed in 1..4 {
        let (mut whole, mut cut) = (Yard::shop(), Yard::shop());
        for (number, alert) in history(seed).into_iter().enumerate() {
            assert_eq!(whole.fire(alert.clone()), cut.fire(alert), "alert {number} of seed {seed}");
            if number % 37 == 0 {
                let baseline = serde_json::to_string(&cut.baseline).unwrap();
                let groups = serde_json::to_string(&cut.groups).unwrap();
                cut.baseline = serde_json::from_str(&baseline).unwrap();
                cut.groups = serde_json::from_str(&groups).unwrap();
                assert_eq!(cut.groups, whole.groups);
            }
        }
    }
}

#[test]
fn time_alone_joins_nothing() {
    let mut draws = Draws(5);
    for round in 0..200_u64 {
        let mut yard = Yard::default();
        let (one, other) = (format!("svc{}", draws.below(50)), format!("host{}", draws.below(50)));
        let (first, _) = yard.fire(told(0, "TunnelGone", &one, &[]));
        let gap = i64::try_from(draws.below(90)).unwrap();
        let (second, why) = yard.fire(told(gap, "LicenceExpires", &other, &[]));
        assert_ne!(first, second, "round {round}: {why:?}");
    }
}

#[test]
fn a_label_that_the_whole_fleet_shares_joins_no_strangers() {
    let names =
        ["grafana_folder", "alertgroup", "az", "dc", "owner", "tier", "platform", "source", "site", "fleet_ring"];
    let mut draws = Draws(7);
    for round in 0..200_u64 {
        let mut yard = Yard::default();
        let label = names[draws.below(names.len() as u64) as usize];
        let shared = [(label, "Prod")];
        // The tenant may be new, or it may know the label for long.
        for day in 0..draws.below(4) {
            let at = i64::try_from(day * 86_400).unwrap() - 400_000;
            yard.fire(told(at, "DailyReport", &format!("report{day}"), &shared));
        }
        let (first, _) = yard.fire(told(0, "DiskFull", &format!("billing{round}"), &shared));
        let gap = i64::try_from(draws.below(90)).unwrap();
        let (second, why) = yard.fire(told(gap, "CertificateExpires", &format!("mailer{round}"), &shared));
        assert_ne!(first, second, "round {round}, {label}: {why:?}");
    }
}

#[test]
fn calls_join_symptoms_to_their_cause_and_alerts_that_explain_themselves_stay_alone() {
    let mut yard = Yard::shop();
    let (cause, _) = yard.fire(told(0, "ConnectionsExhausted", "postgres", &[]));
    let (symptom, why) = yard.fire(told(30, "HighErrorRate", "checkout", &[]));
    assert_eq!(cause, symptom, "{why:?}");
    let (far, why) = yard.fire(told(40, "HighLatency", "nginx", &[]));
    assert_eq!(cause, far, "{why:?}");
    let (certificate, why) = yard.fire(told(45, "CertificateExpiresSoon", "checkout-edge", &[]));
    assert_ne!(cause, certificate, "{why:?}");
    let (stranger, why) = yard.fire(told(50, "BackupTooOld", "backup", &[]));
    assert_ne!(cause, stranger);
    assert!(why.grouping.considered.iter().any(|considered| considered.why.contains("no path")), "{why:?}");
}

#[test]
fn what_still_fires_does_not_keep_an_incident_open_for_others() {
    for hours in [1, 4, 20, 48] {
        let mut yard = Yard::shop();
        let (old, _) = yard.fire(told(0, "HighLatency", "postgres", &[]));
        let (new, _) = yard.fire(told(hours * 3_600, "LedgerOutOfBalance", "postgres", &[]));
        assert_ne!(old, new, "after {hours} h");
    }
}

#[test]
fn usual_alerts_are_known_by_their_kind_and_a_burst_or_a_gap_is_not_usual() {
    let mut yard = Yard::default();
    let nuisance = |at| told(at, "ClockSkew", "node-3", &[]);
    assert_eq!(yard.usualness(&nuisance(0)), Usualness::New);
    for hour in 0..8 {
        yard.fire(nuisance(hour * 3_600));
    }
    assert_eq!(yard.usualness(&nuisance(8 * 3_600)), Usualness::Usual);
    assert_eq!(yard.usualness(&told(8 * 3_600, "ClockSkew", "node-4", &[])), Usualness::New, "another entity");
    for second in 0..8 {
        yard.fire(nuisance(8 * 3_600 + second));
    }
    assert_eq!(yard.usualness(&nuisance(8 * 3_600 + 9)), Usualness::Burst);
    assert_eq!(yard.usualness(&nuisance(16 * 3_600)), Usualness::Returned, "it came every hour, and not for seven");
}

#[test]
fn two_incidents_are_merged_by_all_their_alerts_and_not_by_one_bridge() {
    let weights = GroupingWeights::default();
    let mut yard = Yard::shop();
    let evidence = |yard: &Yard, alert: &Told| {
        yard.with(alert, |newcomer, now| AlertEvidence::of(newcomer, AlertTraits::of(newcomer), &yard.baseline, now))
    };
    let (one, other) = (IncidentId::derive(&[b"one"]), IncidentId::derive(&[b"other"]));
    for (id, service, names) in [
        (&one, "postgres", ["ConnectionsExhausted", "LongTransactions", "ReplicaLag"]),
        (&other, "backup", ["BackupTooOld", "UploadFailed", "BucketMissing"]),
    ] {
        for (number, name) in (0..).zip(names) {
            let mut alert = told(i64::from(number), name, service, &[]);
            alert.number = 100 + number + if service == "backup" { 10 } else { 0 };
            let evidence = evidence(&yard, &alert);
            let now = START + Span::seconds(alert.at);
            if number == 0 { yard.groups.open(id, evidence, now) } else { yard.groups.join(id, evidence, None, now) }
        }
    }
    let mut bridge = told(5, "DumpFailed", "postgres", &[("host", "backup")]);
    bridge.number = 300;
    let bridge = evidence(&yard, &bridge);
    let scorer = PairScorer::new(&weights, &yard.topology);
    let look = SecondLook::new(&yard.groups, &scorer);
    assert_eq!(look.fits_both(&bridge, &one, &other), None, "one alert that fits both joins nothing");
    // The halves of one incident, taken apart, are found again; what a person takes apart is not.
    let half = [(*b"half").to_vec()];
    let born = IncidentId::derive(&[&half[0]]);
    let mut groups = yard.groups.clone();
    let mut mac = [0; 32];
    mac[..4].copy_from_slice(&102_u32.to_be_bytes());
    let leaving = [Fingerprint::from_mac(&mac)];
    groups.part(&one, &born, &leaving, false);
    let now = START + Span::seconds(20);
    let step = SecondLook::new(&groups, &scorer).review(&born, now, |_| true, &mut |_, _| {});
    assert!(
        matches!(&step, Some(SecondStep::Merge(found, linked)) if *found == one && linked.mean >= linked.needed),
        "{step:?}"
    );
    groups.take_apart(&one, &born, &[]);
    assert_eq!(SecondLook::new(&groups, &scorer).review(&born, now, |_| true, &mut |_, _| {}), None);
}

#[test]
fn an_incident_of_two_problems_is_split_and_one_that_a_person_put_together_is_not() {
    let weights = GroupingWeights::default();
    let mut yard = Yard::shop();
    let id = IncidentId::derive(&[b"both"]);
    let kinds = [
        ("postgres", ["ConnectionsExhausted", "LongTransactions", "ReplicaLag"]),
        ("backup", ["NightlyTooOld", "UploadFailed", "BucketMissing"]),
    ];
    let mut number = 0;
    for (service, names) in kinds {
        for name in names {
            let mut alert = told(i64::from(number), name, service, &[]);
            number += 1;
            alert.number = number;
            let evidence = yard.with(&alert, |newcomer, now| {
                AlertEvidence::of(newcomer, AlertTraits::of(newcomer), &yard.baseline, now)
            });
            let now = START + Span::seconds(alert.at);
            if number == 1 { yard.groups.open(&id, evidence, now) } else { yard.groups.join(&id, evidence, None, now) }
        }
    }
    let scorer = PairScorer::new(&weights, &yard.topology);
    let step = SecondLook::new(&yard.groups, &scorer).divide(&id);
    assert!(
        matches!(&step, Some(SecondStep::Split(kinds, linked)) if kinds.len() == 3 && linked.mean < linked.needed),
        "{step:?}"
    );
    let mut groups = yard.groups.clone();
    groups.put_back(&id, &IncidentId::derive(&[b"part"]));
    assert_eq!(SecondLook::new(&groups, &scorer).divide(&id), None);
}
