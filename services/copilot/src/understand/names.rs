//! What is known by a name as of a snapshot: services with their aliases, alerts, incidents, people, teams, versions,
//! runbooks, and the values of labels that name machines and databases. Owns how a name in a question is recognised.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Alert, Incident, Problem};
use hindcast_domain::catalog::Catalog;
use hindcast_queries::{AlertFilter, EventFilter, IncidentFilter, ListPart, Snapshot};

/// Alerts, incidents and changes that names are taken from, newest first.
const READ_MAX: usize = 500;
/// Words of the longest name.
const NAME_WORDS_MAX: usize = 6;
/// Names that are offered for one that nothing is known by.
const NEAREST_MAX: usize = 3;
/// Labels whose values name a thing.
const NAMING_LABELS: [&str; 23] = [
    "instance",
    "node",
    "host",
    "hostname",
    "pod",
    "container",
    "namespace",
    "cluster",
    "deployment",
    "database",
    "datname",
    "db",
    "queue",
    "topic",
    "mountpoint",
    "device",
    "target",
    "slo",
    "region",
    "zone",
    "shard",
    "disk",
    "volume",
];

/// What people call a kind of service, and the products that are of it.
const KINDS: [(&[&str], &[&str]); 4] = [
    (
        &["database", "db", "the db", "dbs"],
        &["postgres", "mysql", "mariadb", "mongo", "oracle", "mssql", "sqlserver", "cockroach", "cassandra", "db"],
    ),
    (&["cache", "caches"], &["redis", "memcache", "valkey", "varnish"]),
    (
        &["web server", "webserver", "reverse proxy", "load balancer", "loadbalancer", "proxy", "ingress"],
        &["nginx", "haproxy", "envoy", "traefik", "apache", "httpd", "caddy", "ingress"],
    ),
    (&["message broker", "broker", "message queue"], &["kafka", "rabbitmq", "nats", "pulsar", "activemq"]),
];

/// What kind of thing a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamedKind {
    Service,
    Alert,
    Incident,
    Person,
    Team,
    Version,
    /// A machine, database or other value of a label.
    Thing,
}

impl NamedKind {
    /// What people call such a thing.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Alert => "alert",
            Self::Incident => "incident",
            Self::Person => "person",
            Self::Team => "team",
            Self::Version => "version",
            Self::Thing => "label value",
        }
    }
}

/// A thing that is known by a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NamedThing {
    pub(crate) kind: NamedKind,
    /// As the ledger spells it, whatever alias was used.
    pub(crate) name: String,
}

/// Everything that is known by a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameBook {
    by_words: BTreeMap<String, NamedThing>,
    /// The catalogue, for owners and dependencies.
    pub(crate) catalog: Catalog,
    /// Incidents, newest first.
    pub(crate) incidents: Vec<Incident>,
    /// Alerts, newest first.
    pub(crate) alerts: Vec<Alert>,
    /// Services that were ever seen or are in the catalogue.
    pub(crate) services: BTreeSet<String>,
}

impl NameBook {
    /// Reads what is known by names as of a snapshot.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub(crate) async fn read(seen: &Snapshot) -> Result<Self, Problem> {
        let page = || ListPart::first(READ_MAX);
        let mut book = Self {
            catalog: seen.catalog().await?,
            incidents: seen.incidents(IncidentFilter::default(), page()).await?.items,
            alerts: seen.alerts(AlertFilter::default(), page()).await?.items,
            ..Self::default()
        };
        let environments: BTreeSet<String> = book
            .incidents
            .iter()
            .map(|one| &one.environment)
            .chain(book.alerts.iter().map(|one| &one.environment))
            .cloned()
            .collect();
        for environment in environments {
            book.services.extend(seen.watched(&environment).await?);
        }
        let changes = EventFilter { kind: Some("intake.change".to_owned()), ..EventFilter::default() };
        let changes = seen.events(changes, page()).await?.items;
        book.fill();
        for change in &changes {
            let Ok(change) = serde_json::from_value::<hindcast_domain::event::Change>(change.data.clone()) else {
                continue;
            };
            for text in change.version.iter().chain([&change.title]) {
                for word in text.split(|c: char| c.is_whitespace() || c == ':' || c == ',').filter(|it| is_version(it))
                {
                    book.add(NamedKind::Version, word, word);
                }
            }
            book.services.extend(change.service);
        }
        book.name_services();
        Ok(book)
    }

    /// A book of these services and alerts.
    #[cfg(test)]
    pub(crate) fn of_names(services: &[&str], alerts: &[&str]) -> Self {
        let mut book = Self::default();
        services.iter().for_each(|name| book.put(NamedKind::Service, name, name));
        for name in alerts {
            book.add(NamedKind::Alert, name, name);
            book.add(NamedKind::Alert, &words_of_name(name), name);
        }
        book
    }

    fn fill(&mut self) {
        let (alerts, incidents) = (self.alerts.clone(), self.incidents.clone());
        for alert in &alerts {
            self.add(NamedKind::Alert, &alert.name, &alert.name);
            let apart = words_of_name(&alert.name);
            // "postgres down" is said of a service too; three words in a row are a name.
            if apart.matches(' ').count() >= 2 {
                self.add(NamedKind::Alert, &apart, &alert.name);
            }
            self.services.extend(alert.service.clone());
            for (label, value) in &alert.labels {
                if NAMING_LABELS.contains(&label.as_str()) && value.len() >= 3 {
                    self.add(NamedKind::Thing, value, value);
                    // People call a folder or device by its last part.
                    if let Some(last) = value.rsplit('/').next().filter(|last| last.len() >= 4 && *last != value) {
                        self.add(NamedKind::Thing, last, value);
                    }
                }
            }
        }
        for incident in &incidents {
            self.add(NamedKind::Incident, &incident.id, &incident.id);
            self.services.extend(incident.services.iter().cloned());
            for person in incident.acknowledged_by.iter().chain(&incident.owner).filter(|it| *it != "on-call") {
                self.add(NamedKind::Person, person, person);
            }
            for team in &incident.teams {
                self.add(NamedKind::Team, team, team);
            }
        }
    }

    fn name_services(&mut self) {
        let services: Vec<String> = self.services.iter().cloned().collect();
        for service in services {
            self.put(NamedKind::Service, &service, &service);
        }
        for service in self.catalog.services.clone() {
            self.put(NamedKind::Service, &service.name, &service.name);
            for alias in &service.aliases {
                self.put(NamedKind::Service, alias, &service.name);
            }
            self.services.insert(service.name);
            if let Some(owner) = &service.owner {
                self.add(NamedKind::Team, owner, owner);
            }
        }
        self.name_by_kind();
    }

    /// "The database" is the one service that is one.
    fn name_by_kind(&mut self) {
        for (words, products) in KINDS {
            let is_one = |name: &&String| {
                let parts: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
                products.iter().any(|product| parts.iter().any(|part| part.starts_with(product)))
            };
            let mut found = self.services.iter().filter(is_one).cloned();
            if let (Some(one), None) = (found.next(), found.next()) {
                words.iter().for_each(|word| self.add(NamedKind::Service, word, &one));
            }
        }
    }

    /// Adds a name, unless something is known by it already.
    fn add(&mut self, kind: NamedKind, words: &str, name: &str) {
        let key = words.to_lowercase();
        self.by_words.entry(key).or_insert_with(|| NamedThing { kind, name: name.to_owned() });
    }

    /// Adds a name that goes before others.
    fn put(&mut self, kind: NamedKind, words: &str, name: &str) {
        self.by_words.insert(words.to_lowercase(), NamedThing { kind, name: name.to_owned() });
    }

    /// The thing of exactly these words, in lower case.
    pub(crate) fn exactly(&self, words: &str) -> Option<&NamedThing> {
        self.by_words.get(words)
    }

    /// The longest name that begins at a word, with how many words it has.
    pub(crate) fn at(&self, words: &[&str]) -> Option<(NamedThing, usize)> {
        (1..=words.len().min(NAME_WORDS_MAX)).rev().find_map(|length| {
            let thing = self.exactly(&words.get(..length)?.join(" "))?;
            Some((thing.clone(), length))
        })
    }

    /// The one thing whose name is spelt nearly like that.
    pub(crate) fn nearly(&self, word: &str) -> Option<&NamedThing> {
        const LEAST: usize = 5;
        if word.len() < LEAST {
            return None;
        }
        let product = |known: &str| {
            let (short, long) = if known.len() <= word.len() { (known, word) } else { (word, known) };
            short.len() >= LEAST && long.strip_prefix(short).is_some_and(|tail| tail.len() <= 3)
        };
        let near = |known: &&String| product(known) || known.len() >= LEAST && near_by_one(known, word);
        let mut found = self
            .by_words
            .iter()
            .filter(|(known, thing)| matches!(thing.kind, NamedKind::Service | NamedKind::Alert) && near(known));
        let first = found.next()?;
        found.all(|(_, thing)| thing == first.1).then_some(first.1)
    }

    /// Names that look most like one that nothing is known by.
    pub(crate) fn nearest(&self, word: &str) -> Vec<String> {
        let limit = (word.chars().count() / 2).max(2);
        let mut all: Vec<(usize, &str)> = self
            .by_words
            .iter()
            .filter(|(_, thing)| matches!(thing.kind, NamedKind::Service | NamedKind::Alert))
            .map(|(known, thing)| {
                let begins = word.len() >= 3 && (known.starts_with(word) || word.starts_with(known.as_str()));
                (if begins { 1 } else { distance(known, word) }, thing.name.as_str())
            })
            .filter(|(distance, _)| *distance <= limit)
            .collect();
        all.sort_unstable();
        let mut names: Vec<String> = Vec::new();
        for (_, name) in all {
            if !names.iter().any(|known| known == name) && names.len() < NEAREST_MAX {
                names.push(name.to_owned());
            }
        }
        names
    }
}

/// Whether a word is spelt like a version: `v42`, `4.2.0`.
pub(crate) fn is_version(word: &str) -> bool {
    let rest = word.strip_prefix(['v', 'V']);
    let digits = rest.unwrap_or(word);
    let numbers = digits.chars().next().is_some_and(|c| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_alphanumeric() || ".-+_".contains(c));
    numbers && (rest.is_some() || digits.matches('.').count() >= 2) && word.parse::<std::net::Ipv4Addr>().is_err()
}

/// `PostgresIdleInTransaction` in words: `postgres idle in transaction`.
pub(crate) fn words_of_name(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for sign in name.chars() {
        if sign.is_uppercase() && (before.is_lowercase() || before.is_numeric()) {
            words.push(' ');
        }
        words.extend(if sign == '_' || sign == '-' { ' ' } else { sign }.to_lowercase());
        before = sign;
    }
    words
}

/// Whether two words differ by one letter, or by two neighbours that changed places.
pub(crate) fn near_by_one(a: &str, b: &str) -> bool {
    if distance(a, b) <= 1 {
        return true;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let differ: Vec<usize> = (0..a.len().min(b.len())).filter(|at| a[*at] != b[*at]).collect();
    let swapped = |i: usize, j: usize| j == i + 1 && a[i] == b[j] && a[j] == b[i];
    a.len() == b.len() && matches!(differ.as_slice(), [i, j] if swapped(*i, *j))
}

/// How many letters differ between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> NameBook {
        let mut book = NameBook::default();
        book.put(NamedKind::Service, "postgres", "postgres");
        book.put(NamedKind::Service, "shop-db", "postgres");
        book.put(NamedKind::Service, "checkout", "checkout");
        book.add(NamedKind::Alert, "PostgresIsDown", "PostgresIsDown");
        book.add(NamedKind::Alert, &words_of_name("PostgresIsDown"), "PostgresIsDown");
        book
    }

    #[test]
    fn the_longest_name_is_found() {
        let book = book();
        let (thing, length) = book.at(&["postgres", "is", "down", "now"]).unwrap();
        assert_eq!((thing.name.as_str(), thing.kind, length), ("PostgresIsDown", NamedKind::Alert, 3));
        assert_eq!(book.at(&["shop-db"]).unwrap().0.name, "postgres");
        assert_eq!(book.at(&["lichen"]), None);
    }

    #[test]
    fn a_name_that_is_spelt_nearly_is_taken_and_another_is_offered_none() {
        let book = book();
        assert_eq!(book.nearly("postgresql").map(|it| it.name.as_str()), Some("postgres"));
        assert_eq!(book.nearly("chekout").map(|it| it.name.as_str()), Some("checkout"));
        assert_eq!(book.nearly("postgers").map(|it| it.name.as_str()), Some("postgres"));
        assert_eq!(book.nearly("lichen"), None);
        assert_eq!(book.nearest("check"), ["checkout"]);
        assert!(book.nearest("frobnicator").is_empty());
    }

    #[test]
    fn the_one_service_of_a_kind_is_known_by_the_kind() {
        let mut book = NameBook { services: ["postgres", "redis"].map(String::from).into(), ..NameBook::default() };
        book.name_services();
        assert_eq!(book.exactly("database").map(|it| it.name.as_str()), Some("postgres"));
        assert_eq!(book.exactly("cache").map(|it| it.name.as_str()), Some("redis"));
        let mut two = NameBook { services: ["orders-db", "users-db"].map(String::from).into(), ..NameBook::default() };
        two.name_services();
        assert_eq!(two.exactly("database"), None, "two are none");
    }

    #[test]
    fn versions_are_spelt_so() {
        assert!(is_version("v42") && is_version("4.2.0") && is_version("v1.2-rc1"));
        assert!(!is_version("42") && !is_version("127.0.0.1") && !is_version("vpn"));
    }
}
