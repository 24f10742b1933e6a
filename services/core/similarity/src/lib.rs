//! How alike two alerts look: labels, words, resources. Owns the measures, each 0 to 1; refuses to weigh them.

use std::collections::{BTreeMap, BTreeSet};

/// Labels that say where the sender stands rather than what is wrong; nearly every alert shares them.
const GENERIC: [&str; 18] = [
    "alertname",
    "severity",
    "service",
    "job",
    "cluster",
    "region",
    "environment",
    "env",
    "prometheus",
    "replica",
    "monitor",
    "team",
    "tenant",
    "datacenter",
    "zone",
    "stage",
    "priority",
    "namespace",
];

/// Labels that name one thing that can break.
const RESOURCES: [&str; 9] =
    ["instance", "pod", "host", "hostname", "node", "device", "container", "database", "queue"];

/// Whether two alerts name the same instance, pod, host or the like.
#[must_use]
pub fn same_resource(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> bool {
    resources(a).names_one_of(b)
}

/// What an alert names that can break, looked up once.
pub struct Resources<'a>(Vec<(&'static str, &'a str)>);

/// The things that labels name.
pub fn resources(labels: &BTreeMap<String, String>) -> Resources<'_> {
    let named = RESOURCES.iter().filter_map(|name| Some((*name, labels.get(*name)?.as_str())));
    Resources(named.filter(|(_, value)| !value.is_empty()).collect())
}

impl Resources<'_> {
    /// Whether other labels name one of them.
    pub fn names_one_of(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().any(|(name, value)| labels.get(*name).is_some_and(|other| other == value))
    }
}

/// Label pairs that say something.
pub type Telling<'a> = BTreeSet<(&'a str, &'a str)>;

/// The label pairs that say something of what is wrong.
pub fn telling(labels: &BTreeMap<String, String>) -> Telling<'_> {
    let pairs = labels.iter().filter(|(name, value)| !GENERIC.contains(&name.as_str()) && !value.is_empty());
    pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Jaccard similarity of the label pairs that say something.
#[must_use]
pub fn labels(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> f64 {
    jaccard(&telling(a), &telling(b))
}

/// Jaccard similarity of the words of two texts; numbers and short words are no words.
#[must_use]
pub fn words(a: &str, b: &str) -> f64 {
    jaccard(&split(a), &split(b))
}

/// The words of a text: lower case, camel case taken apart, three letters or more, no digits inside.
#[must_use]
pub fn split(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    let mut before_lower = false;
    for c in text.chars() {
        let border = !c.is_alphanumeric() || (c.is_uppercase() && before_lower);
        if border {
            keep(&mut words, &mut word);
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before_lower = c.is_lowercase();
    }
    keep(&mut words, &mut word);
    words
}

fn keep(words: &mut BTreeSet<String>, word: &mut String) {
    let word = std::mem::take(word);
    if word.chars().count() >= 3 && !word.chars().any(|c| c.is_ascii_digit()) {
        words.insert(word);
    }
}

/// Jaccard similarity of two sets; 0 where both are empty.
#[allow(clippy::cast_precision_loss)] // sets of a few dozen
pub fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    let both = a.intersection(b).count();
    let either = a.len() + b.len() - both;
    if either == 0 { 0.0 } else { both as f64 / either as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_and_numbers_left_out() {
        let expect = ["error", "high", "nginx", "rate"].map(str::to_owned).into();
        assert_eq!(split("NginxHighErrorRate 5xx at 42%"), expect);
        assert!(words("Redis is down", "redis DOWN now") > 0.6);
    }

    #[test]
    fn generic_labels_do_not_make_alerts_alike() {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let a: BTreeMap<String, String> = of(&[("cluster", "eu"), ("team", "x"), ("instance", "a:1")]);
        let b = of(&[("cluster", "eu"), ("team", "x"), ("instance", "b:1")]);
        assert!(labels(&a, &b) < f64::EPSILON);
        assert!(!same_resource(&a, &b));
        assert!(same_resource(&a, &a));
    }
}
