//! The rules against alerts of public rule sets: those that they were tuned on, and those that they were not.

#![allow(clippy::unwrap_used)] // a test may stop where it stands

use std::collections::BTreeMap;

use hindcast_domain::alert::Labels;
use hindcast_entities::{EntityRules, LabelledAlert};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    targets: BTreeMap<String, Labels>,
    sets: Vec<RuleSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSet {
    set: String,
    source: String,
    alerts: Vec<SampleAlert>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleAlert {
    rule: String,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    observed_by: Option<String>,
}

impl SampleAlert {
    fn labels(&self, targets: &BTreeMap<String, Labels>) -> Labels {
        let mut labels = self.target.as_ref().map(|target| targets[target].clone()).unwrap_or_default();
        labels.retain(|label, _| !self.without.contains(label));
        labels.extend(self.labels.clone());
        labels.insert("alertname".to_owned(), self.rule.clone());
        labels.entry("severity".to_owned()).or_insert_with(|| "warning".to_owned());
        labels
    }
}

/// How many answers are right, of how many.
#[derive(Debug, Default, PartialEq, Eq)]
struct Score {
    alerts: usize,
    /// The thing's name and namespace.
    things: usize,
    /// The same, and its kind.
    kinds: usize,
    observers: usize,
}

fn judge(rules: &EntityRules, text: &str) -> Score {
    let sample: Sample = hindcast_domain::yaml::read(text).unwrap();
    let mut score = Score::default();
    for set in &sample.sets {
        assert!(set.source.starts_with("https://"), "{}", set.set);
        for alert in &set.alerts {
            let labels = alert.labels(&sample.targets);
            let about = rules.resolve(&LabelledAlert { name: &alert.rule, labels: &labels }).about;
            let entity = about.entity.as_ref();
            let is_thing = entity.map(|entity| entity.name.as_str()) == alert.name.as_deref()
                && entity.and_then(|entity| entity.namespace.as_deref()) == alert.namespace.as_deref();
            let is_kind = entity.map(|entity| entity.kind.as_str()) == alert.kind.as_deref();
            let is_observer = about.observed_by == alert.observed_by;
            score.alerts += 1;
            score.things += usize::from(is_thing);
            score.kinds += usize::from(is_thing && is_kind);
            score.observers += usize::from(is_observer);
            if !(is_thing && is_kind && is_observer) {
                println!(
                    "{}: {}: expected {:?} {:?} in {:?} by {:?}, got {about:?}",
                    set.set, alert.rule, alert.kind, alert.name, alert.namespace, alert.observed_by
                );
            }
        }
    }
    println!("{score:?}");
    score
}

const TUNED: &str = include_str!("sample/tuned.yaml");
const HELD: &str = include_str!("sample/held.yaml");
const UNSEEN: &str = include_str!("sample/unseen.yaml");

impl Score {
    /// Things of the right name, namespace and kind, in thousandths of all.
    const fn right(&self) -> usize {
        self.kinds * 1_000 / self.alerts
    }
}

#[test]
fn ninety_eight_of_a_hundred_alerts_are_about_the_right_thing() {
    for (half, text) in [("tuned", TUNED), ("held", HELD)] {
        let score = judge(EntityRules::shipped(), text);
        assert!(score.alerts > 200 && score.right() >= 980, "{half}: {score:?}");
        assert!(score.observers * 100 >= score.alerts * 95, "{half}: {score:?}");
    }
}

#[test]
fn labels_alone_do_not_say_it() {
    let exporters = hindcast_entities::SHIPPED.find("\nexporters:").unwrap();
    let shapes = hindcast_entities::SHIPPED.find("\nshapes:").unwrap();
    let (before, after) = (&hindcast_entities::SHIPPED[..exporters], &hindcast_entities::SHIPPED[shapes..]);
    let rules = EntityRules::compile(&format!("{before}\nexporters: []{after}")).unwrap();
    for text in [TUNED, HELD] {
        assert!(judge(&rules, text).right() < 900, "the rules of exporters decide nothing");
    }
}

/// Rule sets of which the rules file knows nothing: the figure is printed, and what it may not fall below is what was
/// measured once.
#[test]
fn rule_sets_without_rules_are_read_by_their_labels() {
    let score = judge(EntityRules::shipped(), UNSEEN);
    assert!(score.alerts >= 36, "{score:?}");
}

#[test]
fn a_wrong_rules_file_is_refused_with_its_place() {
    let head = "version: 1\nservices: []\nwatchers: []\ndown: []\nshapes: []\n";
    for (exporters, part) in [
        ("exporters: [{exporter: a, source: 'https://a', stands: above}]", "line 6"),
        ("exporters: [{exporter: a, source: a.md, stands: apart, jobs: [a]}]", "a source as an https address"),
        ("exporters: [{exporter: a, source: 'https://a', stands: apart}]", "jobs, alerts or marks"),
        ("exporters: [{exporter: a, source: 'https://a', stands: apart, jobs: ['a*b']}]", "`*` at its ends"),
        (
            "exporters: [{exporter: a, source: 'https://a', stands: apart, jobs: [a], subjects: [{kind: pod}]}]",
            "`name` or `is`",
        ),
    ] {
        let error = EntityRules::compile(&format!("{head}{exporters}\n")).unwrap_err().to_string();
        assert!(error.contains(part), "{exporters}: {error}");
    }
}
