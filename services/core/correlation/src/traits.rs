//! What an alert has that another one may share, as hashes. Owns the reading of an alert; refuses to know how usual
//! anything is.

use hindcast_domain::alert::{Alert, Labels};
use hindcast_domain::entity::{AlertSubject, EntityKind};
use hindcast_domain::{Fingerprint, Severity, Time};
use hindcast_similarity::{self as similarity, Described};

/// Labels, words and other things of one alert that are read, at the most.
const VALUES_MAX: usize = 24;
/// Bytes of a label's value that still names something.
const LABEL_BYTES_MAX: usize = 120;
/// Words that say that an alert explains itself: no other alert is needed to understand it.
const SELF_EXPLAINING: [&str; 4] = ["certificate", "cert", "backup", "expiry"];
/// Words of what runs out. While it only runs low it explains itself; at a severity that pages others suffer from it.
const RUNS_OUT: [&str; 4] = ["disk", "filesystem", "quota", "volume"];

/// An alert that looks for its incident.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// Which alert it is.
    pub fingerprint: &'a Fingerprint,
    /// The configured source's name.
    pub source: &'a str,
    /// The rule's name.
    pub name: &'a str,
    /// Its service by the catalogue's name, or as the sender says.
    pub service: Option<&'a str>,
    /// What it is about, apart from who observed it.
    pub about: Option<&'a AlertSubject>,
    /// How bad it says it is.
    pub severity: Severity,
    /// All labels.
    pub labels: &'a Labels,
    /// All annotations.
    pub annotations: &'a Labels,
    /// When it began, as the sender says.
    pub starts_at: Time,
}

impl<'a> Newcomer<'a> {
    /// An alert as it stands.
    #[must_use]
    pub fn of(alert: &'a Alert) -> Self {
        Self {
            fingerprint: &alert.fingerprint,
            source: &alert.source,
            name: &alert.name,
            service: alert.service.as_deref(),
            about: alert.about.as_deref(),
            severity: alert.severity,
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: alert.occurrence().starts_at,
        }
    }
}

/// What an alert is and has, as hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTraits {
    /// The rule at the entity.
    pub kind: u64,
    /// The entity with its scope, as it is counted; 0 for none.
    pub(crate) subject_key: u64,
    /// The entity by its name alone, as other alerts may name it.
    pub(crate) subject: Option<u64>,
    pub(crate) namespace: Option<u64>,
    pub(crate) cluster: Option<u64>,
    pub(crate) name: u64,
    pub(crate) things: Vec<u64>,
    pub(crate) labels: Vec<u64>,
    pub(crate) words: Vec<u64>,
    pub(crate) explains_itself: bool,
    /// Whether it names a service, or an exporter watches what it is about: people wrote its rule.
    pub(crate) is_watched: bool,
}

impl AlertTraits {
    /// Reads an alert.
    #[must_use]
    pub fn of(alert: &Newcomer<'_>) -> Self {
        let described = Described { labels: alert.labels, about: alert.about };
        let entity = alert.about.and_then(|about| about.entity.as_ref());
        // A pod's or a database's trouble is its service's; who has no service stands for itself.
        let subject = alert.service.or_else(|| entity.map(|entity| entity.name.as_str()));
        let namespace = entity.and_then(|entity| entity.namespace.as_deref());
        let cluster = entity.and_then(|entity| entity.cluster.as_deref());
        let scope = [subject.unwrap_or_default(), namespace.unwrap_or_default(), cluster.unwrap_or_default()];
        let subject_key = subject.map_or(0, |_| hash(b'e', &scope));
        let is_subject = |value: &str| subject == Some(value);
        let resources = similarity::resources(described);
        let named = resources.pairs().filter(|(label, value)| *label != "container" && !is_subject(value));
        let things = sorted(named.map(|(_, value)| thing(value)));
        let telling = similarity::telling(described).filter(|(label, value)| {
            !similarity::names_a_resource(label)
                && !is_subject(value)
                && value.len() <= LABEL_BYTES_MAX
                && !is_number(value)
        });
        let labels = sorted(telling.map(|(label, value)| hash(b'l', &[label, value])));
        let words = words(alert.name, alert.annotations);
        let is_observed = alert.about.is_some_and(|about| about.observed_by.is_some());
        let is_certificate = entity.is_some_and(|e| matches!(e.kind, EntityKind::Certificate | EntityKind::Backup));
        let says = |known: &[&str]| known.iter().any(|word| words.contains(&word_hash(word)));
        let runs_low = !alert.severity.pages() && says(&RUNS_OUT);
        let explains_itself = is_certificate || says(&SELF_EXPLAINING) || runs_low;
        Self {
            kind: hash(b'k', &[alert.name]) ^ subject_key.rotate_left(17),
            subject_key,
            subject: subject.map(thing),
            namespace: namespace.map(|namespace| hash(b's', &[namespace])),
            cluster: cluster.map(|cluster| hash(b'c', &[cluster])),
            name: hash(b'n', &[alert.name]),
            things,
            labels,
            explains_itself,
            words,
            is_watched: alert.service.is_some() || (entity.is_some() && is_observed),
        }
    }

    /// Everything of it that is counted.
    pub(crate) fn values(&self) -> impl Iterator<Item = u64> + '_ {
        let subject = self.subject.map(|_| self.subject_key);
        let one = subject.into_iter().chain(self.namespace).chain([self.name]);
        one.chain([&self.things, &self.labels, &self.words].into_iter().flatten().copied())
    }
}

/// The hash of a thing by its name alone: what is a service to one alert is a host or a queue to another.
pub(crate) fn thing(name: &str) -> u64 {
    hash(b't', &[name])
}

fn is_number(value: &str) -> bool {
    value.parse::<f64>().is_ok()
}

fn word_hash(word: &str) -> u64 {
    similarity::hashed(word).first().map_or(0, |hash| word_key(*hash))
}

/// Words are hashed elsewhere; this keeps them apart from everything else that is counted.
const fn word_key(hash: u64) -> u64 {
    hash.rotate_left(7) ^ 0x7f4a_7c15_9e37_79b9
}

fn words(name: &str, annotations: &Labels) -> Vec<u64> {
    let summary = annotations.get("summary").or_else(|| annotations.get("title")).map_or("", String::as_str);
    sorted(similarity::hashed(&format!("{name} {summary}")).into_iter().map(word_key))
}

fn sorted(hashes: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut hashes: Vec<u64> = hashes.take(VALUES_MAX).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// FNV-1a over a class and its parts, mixed once more (the finaliser of `SplitMix64`), so that every bit counts.
pub(crate) fn hash(class: u8, parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    let fnv = std::iter::once(class)
        .chain(bytes)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
