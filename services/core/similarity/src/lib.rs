//! How alike two things look: labels and resources of alerts, words of texts, vectors. Owns the measures, each 0 to 1;
//! refuses to weigh them.
//!
//! - [`labels`], [`words`] and [`same_resource`] compare two alerts.
//! - [`jaccard`] compares two sets, [`dot`] two vectors; [`rarity`] says how much what few have weighs.
//! - [`Lexicon`] says which texts share a question's telling words.

mod lexicon;

use std::collections::{BTreeMap, BTreeSet};

pub use lexicon::Lexicon;

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
    fn generic_labels_do_not_make_alerts_alike() {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let a: BTreeMap<String, String> = of(&[("cluster", "eu"), ("team", "x"), ("instance", "a:1")]);
        let b = of(&[("cluster", "eu"), ("team", "x"), ("instance", "b:1")]);
        assert!(labels(&a, &b) < f64::EPSILON);
        assert!(!same_resource(&a, &b));
        assert!(same_resource(&a, &a));
    }
}
