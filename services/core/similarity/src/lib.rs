//! How alike two things look: labels and resources of alerts, words of texts, vectors. Owns the measures, each 0 to 1;
//! refuses to weigh them.
//!
//! - [`labels`], [`words`] and [`same_resource`] compare two alerts.
//! - [`jaccard`] compares two sets, [`dot`] two vectors; [`rarity`] says how much what few have weighs.
//! - [`Lexicon`] says which texts share a question's telling words; [`passages`] takes a long text apart.

mod lexicon;

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::entity::{AlertSubject, Entity, EntityKind};

pub use lexicon::{Lexicon, LikenessShares, passages};

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

/// Labels that a scraper adds from its target. Where somebody else observed the alert, they are the observer's.
const TARGET: [&str; 10] =
    ["namespace", "pod", "container", "service", "job", "instance", "endpoint", "node", "metrics_path", "uid"];

/// What labels and their resolution say that an alert is about.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// All labels.
    pub labels: &'a BTreeMap<String, String>,
    /// What the alert is about, where that was resolved.
    pub about: Option<&'a AlertSubject>,
}

impl<'a> Described<'a> {
    /// Whether an exporter observed it, so that the labels of its scrape target name the exporter.
    fn is_observed(self) -> bool {
        self.about.is_some_and(|about| about.observed_by.is_some())
    }

    fn entity(self) -> Option<&'a Entity> {
        self.about.and_then(|about| about.entity.as_ref())
    }
}

/// Whether two alerts name the same thing that can break.
#[must_use]
pub fn same_resource(a: Described<'_>, b: Described<'_>) -> bool {
    resources(a).names_one_of(&resources(b))
}

/// What an alert names that can break, looked up once.
pub struct Resources<'a> {
    entity: Option<&'a Entity>,
    pairs: Vec<(&'a str, &'a str)>,
}

/// The things that an alert names: the entity that it is about, and those that labels name, unless the labels are an
/// observer's.
#[must_use]
pub fn resources(alert: Described<'_>) -> Resources<'_> {
    let entity = alert.entity();
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    if !alert.is_observed() {
        pairs.extend(RESOURCES.iter().filter_map(|name| Some((*name, alert.labels.get(*name)?.as_str()))));
        pairs.retain(|(_, value)| !value.is_empty());
    }
    // A service is compared as a service; another entity is also known to those who name it by a label.
    let label = entity.and_then(|entity| match entity.kind {
        EntityKind::Pod => Some("pod"),
        EntityKind::Node => Some("node"),
        EntityKind::Database => Some("database"),
        EntityKind::Queue => Some("queue"),
        _ => None,
    });
    if let (Some(label), Some(entity)) = (label, entity) {
        pairs.push((label, entity.name.as_str()));
    }
    Resources { entity: entity.filter(|entity| entity.kind != EntityKind::Service), pairs }
}

impl<'a> Resources<'a> {
    /// The resources as labels name them, or would.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let entity = self.entity.map(|entity| (entity.kind.as_str(), entity.name.as_str()));
        self.pairs.iter().copied().chain(entity)
    }
}

impl Resources<'_> {
    /// Whether other resources name one of them, in a scope that may be the same.
    #[must_use]
    pub fn names_one_of(&self, other: &Resources<'_>) -> bool {
        let scopes = self.entity.zip(other.entity);
        if scopes.is_some_and(|(a, b)| !a.may_share_scope_with(b)) {
            return false;
        }
        scopes.is_some_and(|(a, b)| a.is_same_as(b)) || self.pairs.iter().any(|pair| other.pairs.contains(pair))
    }
}

/// Whether a label names a thing that can break.
#[must_use]
pub fn names_a_resource(label: &str) -> bool {
    RESOURCES.contains(&label)
}

/// The label pairs that say something of what is wrong, in the order of their names.
pub fn telling(alert: Described<'_>) -> impl Iterator<Item = (&str, &str)> {
    let is_observed = alert.is_observed();
    let is_observers =
        move |name: &str| is_observed && TARGET.contains(&name.strip_prefix("exported_").unwrap_or(name));
    let says = move |name: &str, value: &str| !GENERIC.contains(&name) && !value.is_empty() && !is_observers(name);
    let pairs = alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    pairs.filter(move |(name, value)| says(name, value))
}

/// Jaccard similarity of the label pairs that say something.
#[must_use]
pub fn labels(a: Described<'_>, b: Described<'_>) -> f64 {
    shared(telling(a), telling(b))
}

/// Jaccard similarity of two sorted sequences without repeats; 0 where both are empty.
#[allow(clippy::cast_precision_loss)] // sets of a few dozen
pub fn shared<T: Ord>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> f64 {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    let (mut both, mut either) = (0_u32, 0_u32);
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        either += 1;
        match left.cmp(right) {
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
            std::cmp::Ordering::Equal => {
                both += 1;
                a.next();
                b.next();
            }
        }
    }
    let rest = a.count() + b.count();
    let either = f64::from(either) + rest as f64;
    if either == 0.0 { 0.0 } else { f64::from(both) / either }
}

/// Jaccard similarity of the words of two texts; numbers and short words are no words.
#[must_use]
pub fn words(a: &str, b: &str) -> f64 {
    jaccard(&split(a), &split(b))
}

/// The words of a text: lower case, camel case taken apart, three letters or more, no digits inside.
#[must_use]
pub fn split(text: &str) -> BTreeSet<String> {
    let is_word = |word: &String| word.chars().count() >= 3 && !word.chars().any(|c| c.is_ascii_digit());
    camel_words(text).filter(is_word).collect()
}

/// Every word of a text in its order: lower case, camel case taken apart.
pub fn camel_words(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = text.chars().peekable();
    let mut before_lower = false;
    std::iter::from_fn(move || {
        let mut word = String::new();
        while let Some(&c) = rest.peek() {
            let is_border = !c.is_alphanumeric() || (c.is_uppercase() && before_lower);
            if is_border && !word.is_empty() {
                // A border of signs is skipped when the next word is looked for; a capital begins that word.
                before_lower = false;
                return Some(word);
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            before_lower = c.is_lowercase();
            rest.next();
        }
        (!word.is_empty()).then_some(word)
    })
}

/// The words of a text as hashes, sorted, each once: for texts that are compared often.
#[must_use]
pub fn hashed(text: &str) -> Vec<u64> {
    let mut hashes: Vec<u64> = Vec::with_capacity(16);
    let mut word = WordHash::default();
    let mut before_lower = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before_lower) {
            hashes.extend(std::mem::take(&mut word).taken());
        }
        if c.is_alphanumeric() {
            c.to_lowercase().for_each(|lower| word.add(lower));
        }
        before_lower = c.is_lowercase();
    }
    hashes.extend(word.taken());
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// A word in the making: FNV-1a over its characters.
#[derive(Default)]
struct WordHash {
    hash: u64,
    chars: u32,
    digit: bool,
}

impl WordHash {
    fn add(&mut self, c: char) {
        let before = if self.chars == 0 { 0xcbf2_9ce4_8422_2325 } else { self.hash };
        self.hash = (before ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3);
        self.chars += 1;
        self.digit |= c.is_ascii_digit();
    }

    /// By the rule of [`split`].
    fn taken(self) -> Option<u64> {
        (self.chars >= 3 && !self.digit).then_some(self.hash)
    }
}

/// Jaccard similarity of two sets; 0 where both are empty.
#[allow(clippy::cast_precision_loss)] // sets of a few dozen
pub fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    let both = a.intersection(b).count();
    let either = a.len() + b.len() - both;
    if either == 0 { 0.0 } else { both as f64 / either as f64 }
}

/// The product of two vectors, summed in their order: the cosine of the angle between vectors of length 1.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// A cosine as a measure: what points away is as unlike as what is at right angles.
#[must_use]
pub fn unit(cosine: f32) -> f64 {
    f64::from(cosine).clamp(0.0, 1.0)
}

/// How much a sign weighs that `having` of `all` have: 1 where one has it, 0 where all do. Inverse document frequency
/// (Spärck Jones, "A statistical interpretation of term specificity", 1972), by the greatest that it can be.
#[must_use]
pub fn rarity(all: usize, having: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let (all, having) = (number(all), number(having));
    (all / having).ln() / all.ln()
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

    fn of(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
    }

    const fn plain(labels: &BTreeMap<String, String>) -> Described<'_> {
        Described { labels, about: None }
    }

    #[test]
    fn camel_case_is_taken_apart_in_order() {
        let of = |text: &str| camel_words(text).collect::<Vec<_>>();
        assert_eq!(of("NginxHighErrorRate on eu-west_1"), ["nginx", "high", "error", "rate", "on", "eu", "west", "1"]);
        assert_eq!(of("HTTPServer aB aBC -Ä"), ["httpserver", "a", "b", "a", "bc", "ä"]);
        assert!(of(" -- ").is_empty());
    }

    #[test]
    fn what_few_have_weighs_more() {
        assert!(rarity(10, 1) > rarity(10, 3) && rarity(10, 3) > rarity(10, 9));
        assert!((rarity(10, 1) - 1.0).abs() < f64::EPSILON && rarity(10, 10).abs() < f64::EPSILON);
        assert!((unit(1.5) - 1.0).abs() < f64::EPSILON && unit(-0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn hashed_words_are_as_many_as_the_words() {
        for text in ["NginxHighErrorRate 5xx at 42%", "Redis is down", "", "Ärger mit ÖlPumpe ölpumpe", "a1b2 abc ABC"]
        {
            assert_eq!(hashed(text).len(), split(text).len(), "{text}");
        }
        let both = shared(hashed("Redis is down").into_iter(), hashed("redis DOWN now").into_iter());
        assert!((both - words("Redis is down", "redis DOWN now")).abs() < 1e-9);
    }

    #[test]
    fn generic_labels_do_not_make_alerts_alike() {
        let a = of(&[("cluster", "eu"), ("team", "x"), ("instance", "a:1")]);
        let b = of(&[("cluster", "eu"), ("team", "x"), ("instance", "b:1")]);
        assert!(labels(plain(&a), plain(&b)) < f64::EPSILON);
        assert!(!same_resource(plain(&a), plain(&b)));
        assert!(same_resource(plain(&a), plain(&a)));
    }

    #[test]
    fn an_observers_labels_are_no_evidence() {
        let exporter = [("instance", "10.42.0.9:8080"), ("container", "kube-state-metrics"), ("endpoint", "http")];
        let about = |namespace: &str, name: &str| AlertSubject {
            entity: Some(Entity {
                kind: EntityKind::Pod,
                name: name.into(),
                namespace: Some(namespace.into()),
                cluster: None,
            }),
            observed_by: Some("kube-state-metrics".into()),
            rule: "test".into(),
        };
        let labels_of = of(&exporter);
        let (pay, stock) = (about("payments", "api-0"), about("inventory", "api-0"));
        let [a, b] = [&pay, &stock].map(|about| Described { labels: &labels_of, about: Some(about) });
        assert!(same_resource(plain(&labels_of), plain(&labels_of)), "without a resolution labels decide");
        assert!(!same_resource(a, b) && labels(a, b) < f64::EPSILON, "pods of two namespaces are two");
        assert!(same_resource(a, a));
        let own = of(&[("pod", "api-0"), ("service", "api")]);
        assert!(same_resource(a, plain(&own)), "the pod itself may speak too");
    }
}
