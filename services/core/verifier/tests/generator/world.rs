//! A world from a seed: services that depend on each other, a fault that spreads from one of them upwards, and
//! the events that a ledger would hold of it.

use std::collections::BTreeMap;

use hindcast_api::{Citation, Event};
use hindcast_domain::catalog::{Catalog, Service, Topology};
use hindcast_domain::{EventId, Span, Time};
use serde_json::{Value, json};

use super::Rng;

/// The months by name.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const NAMES: [(&str, &[&str]); 14] = [
    ("postgres", &["shop-db", "orders-database"]),
    ("redis", &["shop-cache"]),
    ("checkout", &["shop-checkout", "checkout-api"]),
    ("catalog", &["product-catalog"]),
    ("nginx", &["edge", "front-door"]),
    ("payments", &["payment-service"]),
    ("kafka", &["event-bus"]),
    ("billing", &["invoice-worker"]),
    ("auth", &["login-service"]),
    ("inventory", &["stock-keeper"]),
    ("mailer", &["mail-sender"]),
    ("ledger-db", &["mysql-main"]),
    ("search-api", &["finder"]),
    ("media", &["image-resizer"]),
];

const LINES: [&str; 10] = [
    "FATAL: remaining connection slots are reserved for superusers",
    "could not extend file <*> No space left on device",
    "connection to <*> refused after <*> attempts",
    "OOM command not allowed when used memory is above the limit",
    "unhandled TypeError: cannot read property of undefined in <*>",
    "deadline exceeded while waiting for upstream <*>",
    "certificate verify failed: certificate has expired",
    "too many open files",
    "replication slot <*> is lagging behind by <*> bytes",
    "leader election lost, stepping down",
];

const PEOPLE: [&str; 5] = ["ada", "grace", "dana", "linus", "margaret"];
const AUTHORS: [&str; 4] = ["wim", "petra", "joao", "mei"];

pub struct World {
    pub seed: u64,
    pub topology: Topology,
    pub services: Vec<Service>,
    /// Everything, also what the asker may not see.
    pub events: Vec<Event>,
    pub incident: String,
    pub root: String,
    /// Root first, each depending on the one before.
    pub chain: Vec<String>,
    /// The position of the question.
    pub position: u64,
    pub now: Time,
}

pub fn cite(event: &Event) -> Citation {
    Citation { event: event.id.clone(), position: event.position }
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let services = services(&mut rng);
        let topology = Topology::new(&Catalog { services: services.clone() });
        let length = usize::try_from(rng.between(3, 4)).unwrap();
        let chain: Vec<String> = services.iter().take(length).map(|service| service.name.clone()).collect();
        let mut maker = Maker { rng, events: Vec::new(), commit: 100, seed };
        let begin = Time::from_millis(1_795_000_000_000 + maker.rng.between(0, 40_000_000));
        let incident = hindcast_domain::IncidentId::derive(&[b"world", &seed.to_be_bytes()]).to_string();
        maker.story(&chain, &services, &incident, begin);
        let position = maker.events.iter().map(|event| event.position).max().unwrap();
        let now = maker.events.iter().map(|event| event.recorded_at).max().unwrap()
            + Span::seconds(maker.rng.between(5, 4_000));
        maker.hidden(&services, now);
        let Maker { events, .. } = maker;
        Self { seed, topology, services, events, incident, root: chain[0].clone(), chain, position, now }
    }

    /// What the asker may see by then.
    pub fn seen(&self) -> Vec<&Event> {
        let may = |event: &&Event| {
            event.tenant == "default" && event.environment == "production" && event.position <= self.position
        };
        self.events.iter().filter(may).collect()
    }

    /// Seen events of a type.
    pub fn of(&self, kind: &str) -> Vec<&Event> {
        self.seen().into_iter().filter(|event| event.event_type == kind).collect()
    }

    /// Findings of a kind.
    pub fn findings(&self, kind: &str) -> Vec<&Event> {
        self.of("finding.raised").into_iter().filter(|event| event.data["kind"] == kind).collect()
    }

    /// A name of a service: its own, or now and then an alias.
    pub fn name(&self, service: &str, rng: &mut Rng) -> String {
        let known = self.services.iter().find(|known| known.name == service).unwrap();
        if rng.chance(25) { rng.pick(&known.aliases).clone() } else { service.to_owned() }
    }
}

/// A service's place in a list is its depth: each depends on the one before it, and some on others below.
fn services(rng: &mut Rng) -> Vec<Service> {
    let mut names: Vec<(&str, &[&str])> = NAMES.to_vec();
    for index in (1..names.len()).rev() {
        let other = usize::try_from(rng.between(0, i64::try_from(index).unwrap())).unwrap();
        names.swap(index, other);
    }
    let count = usize::try_from(rng.between(7, 11)).unwrap();
    let mut all: Vec<Service> = Vec::new();
    for (index, (name, aliases)) in names.into_iter().take(count).enumerate() {
        let below = if index < 4 { index.checked_sub(1).map(|below| all[below].name.clone()) } else { None };
        all.push(Service {
            name: name.to_owned(),
            aliases: aliases.iter().map(ToString::to_string).collect(),
            owner: Some("data".into()),
            tier: Some(1),
            depends_on: below.into_iter().collect(),
        });
    }
    all
}

/// The event's own service.
pub fn service_of(event: &Event) -> Option<&str> {
    event.data["service"].as_str()
}

struct Maker {
    rng: Rng,
    events: Vec<Event>,
    commit: u64,
    seed: u64,
}

impl Maker {
    fn add(&mut self, kind: &str, subject: &str, actor: &str, time: Time, data: Value) -> usize {
        self.commit += u64::try_from(self.rng.between(1, 9)).unwrap();
        let position = self.commit * 4_096;
        let id = EventId::derive(&[&self.seed.to_be_bytes(), &position.to_be_bytes()]);
        self.events.push(Event {
            kind: if kind.starts_with("intake") || kind.starts_with("finding") { "intake" } else { "decision" }.into(),
            id: id.to_string(),
            time,
            recorded_at: time + Span::millis(self.rng.between(2, 60)),
            actor: actor.into(),
            data,
            ..hindcast_testkit::event(position, kind, subject)
        });
        self.events.len() - 1
    }

    fn later(&mut self, from: Time, low: i64, high: i64) -> Time {
        from + Span::millis(self.rng.between(low * 1_000, high * 1_000))
    }

    fn story(&mut self, chain: &[String], services: &[Service], incident: &str, begin: Time) {
        for service in services.iter().skip(4) {
            let at = begin - Span::seconds(self.rng.between(200, 3_000));
            self.change(&service.name, at);
        }
        let at = begin - Span::seconds(self.rng.between(400, 2_000));
        self.change(&chain[0], at);
        let mut at = begin;
        let mut alerts = Vec::new();
        for (depth, service) in chain.iter().enumerate() {
            at = self.later(at, 3, 40);
            self.template(service, at, "new_template");
            let shifted = self.later(at, 1, 6);
            self.shift(service, shifted);
            if depth == 1 {
                let again = self.later(at, 5, 20);
                self.template(service, again, "bursting_template");
            }
            let alarmed = self.later(at, 8, 70);
            alerts.push(self.alert(service, alarmed));
        }
        self.life(incident, &alerts, chain);
    }

    fn change(&mut self, service: &str, at: Time) {
        let version = match self.rng.between(0, 2) {
            0 => format!("v{}", self.rng.between(11, 480)),
            1 => format!("{}.{}.{}", self.rng.between(1, 9), self.rng.between(0, 40), self.rng.between(0, 30)),
            _ => format!("v{}.{}", self.rng.between(1, 9), self.rng.between(10, 99)),
        };
        let author = *self.rng.pick(&AUTHORS);
        let title = (*self.rng.pick(&[
            "new receipt layout",
            "rank by popularity",
            "smaller images",
            "retry on timeouts",
            "read from replicas",
        ]))
        .to_owned();
        let received = self.later(at, 0, 3);
        let data = json!({"source": "deployer", "kind": "deploy", "title": format!("{service} {version}: {title}"),
            "service": service, "version": version, "status": "succeeded", "at": at, "author": author});
        self.add("intake.change", service, "deployer", received, data);
    }

    fn template(&mut self, service: &str, at: Time, kind: &str) {
        let text = *self.rng.pick(&LINES);
        let mut sample = text.to_owned();
        while sample.contains("<*>") {
            let value = self.rng.between(1_000, 9_999).to_string();
            sample = sample.replacen("<*>", &value, 1);
        }
        let count = self.rng.between(20, 3_000);
        let (before, after) =
            if kind == "new_template" { (0, count * 2) } else { (self.rng.between(1, 9), self.rng.between(90, 900)) };
        let known = self.later(at, 10, 30);
        let data = json!({"kind": kind, "service": service, "title": format!("{service} logs {text:?}"), "at": at, "until": known,
            "template": {"id": hindcast_domain::id::derive(&[text.as_bytes()]), "version": 1, "text": text, "sample": sample},
            "before": before, "after": after, "count": count, "score": self.rng.between(700, 990), "level": "error", "detector": 1});
        let subject = format!("FND-{}", hindcast_domain::id::derive(&[service.as_bytes(), &at.nanos().to_be_bytes()]));
        self.add("finding.raised", &subject, "detector", known, data);
    }

    fn shift(&mut self, service: &str, at: Time) {
        #[allow(clippy::cast_precision_loss)]
        let ratio = |rng: &mut Rng, low: i64, high: i64| rng.between(low, high) as f64 / 10_000.0;
        let (metric, before, after) = match self.rng.between(0, 3) {
            0 => ("http_error_ratio", ratio(&mut self.rng, 5, 60), ratio(&mut self.rng, 1_500, 9_000)),
            1 => (
                "disk_available_bytes",
                self.rng.between(8_000_000_000, 90_000_000_000) as f64,
                self.rng.between(50_000_000, 900_000_000) as f64,
            ),
            2 => ("connections_active", self.rng.between(8, 30) as f64, self.rng.between(90, 400) as f64),
            _ => ("http_latency_p95_seconds", ratio(&mut self.rng, 100, 900), ratio(&mut self.rng, 20_000, 90_000)),
        };
        let known = self.later(at, 10, 30);
        let data = json!({"kind": "metric_shift", "service": service, "title": format!("{metric} of {service} moved"), "at": at,
            "until": known, "metric": metric, "before": before, "after": after, "count": self.rng.between(12, 60),
            "score": self.rng.between(700, 990), "detector": 1});
        let subject = format!("FND-{}", hindcast_domain::id::derive(&[metric.as_bytes(), &at.nanos().to_be_bytes()]));
        self.add("finding.raised", &subject, "detector", known, data);
    }

    fn alert(&mut self, service: &str, at: Time) -> usize {
        let (name, summary) = match self.rng.between(0, 4) {
            0 => (
                "HighErrorRate",
                format!(
                    "{service} answers {}.{} % of its requests with 5xx",
                    self.rng.between(11, 89),
                    self.rng.between(1, 9)
                ),
            ),
            1 => (
                "SaturationNearLimit",
                format!(
                    "{service} has {} of {} connections left",
                    self.rng.between(1, 9),
                    self.rng.between(2, 9) * 100
                ),
            ),
            2 => (
                "LatencyTooHigh",
                format!(
                    "the slowest requests of {service} take {}.{} s",
                    self.rng.between(2, 9),
                    self.rng.between(1, 9)
                ),
            ),
            3 => (
                "DiskAlmostFull",
                format!("{}.{} % of the disk of {service} are left", self.rng.between(1, 6), self.rng.between(1, 9)),
            ),
            _ => (
                "InstanceDown",
                format!(
                    "{} of {} instances of {service} do not answer",
                    self.rng.between(2, 4),
                    self.rng.between(5, 9)
                ),
            ),
        };
        let severity = *self.rng.pick(&["critical", "high", "medium"]);
        let fingerprint = hindcast_domain::id::derive(&[service.as_bytes(), name.as_bytes(), &self.seed.to_be_bytes()])
            .to_lowercase();
        let known = self.later(at, 0, 4);
        let labels: BTreeMap<&str, &str> = [("alertname", name), ("service", service), ("cluster", "eu-1")].into();
        let data = json!({"observed": "EVT-0000000000000000", "occurrence": 1, "source": "prometheus", "name": name,
            "service": service, "severity": severity, "labels": labels, "annotations": {"summary": summary},
            "starts_at": at, "stale_at": known + Span::hours(12)});
        self.add("alert.fired", &fingerprint, "system", known, data)
    }

    fn life(&mut self, incident: &str, alerts: &[usize], chain: &[String]) {
        let mut last = Time::ZERO;
        for (index, alert) in alerts.iter().enumerate() {
            let fired = self.events[*alert].clone();
            last = last.max(fired.time);
            if index == 0 {
                let data = json!({"title": fired.data["annotations"]["summary"], "fingerprint": fired.subject,
                    "severity": fired.data["severity"], "service": fired.data["service"], "team": "data", "started_at": fired.data["starts_at"],
                    "grouping": {"rule": "first", "weights": 1, "score": 0, "threshold": 500}});
                self.add("incident.opened", incident, "system", fired.time, data);
            } else {
                let data = json!({"fingerprint": fired.subject, "severity": fired.data["severity"], "service": fired.data["service"],
                    "team": "shop", "starts_at": fired.data["starts_at"],
                    "grouping": {"rule": "score", "weights": 1, "score": self.rng.between(610, 990), "threshold": 500}});
                self.add("incident.alert_joined", incident, "system", fired.time, data);
            }
        }
        let paged = self.later(last, 0, 3);
        let notice = json!({"incident": incident, "receiver": "on-call", "reason": "opened", "page": true, "severity": "critical",
            "title": "something broke", "lines": [], "services": chain, "expires_at": paged + Span::minutes(10)});
        self.add("notice.requested", "NTC-0123456789ABCDEF", "system", paged, notice);
        if self.rng.chance(70) {
            let person = *self.rng.pick(&PEOPLE);
            let acknowledged = self.later(last, 40, 900);
            self.add("incident.acknowledged", incident, person, acknowledged, json!({}));
            let person = *self.rng.pick(&PEOPLE);
            let resolved = self.later(acknowledged, 300, 4_000);
            let resolution = *self.rng.pick(&[
                "rolled the release back",
                "restarted the primary",
                "freed disk space on the volume",
                "ended the idle sessions",
            ]);
            self.add(
                "incident.resolved",
                incident,
                person,
                resolved,
                json!({"by": "person", "cause": "a full pool", "resolution": resolution}),
            );
        }
    }

    /// What may not be seen: later, of another tenant, of another environment.
    fn hidden(&mut self, services: &[Service], now: Time) {
        for (tenant, environment, position) in
            [("rival", "production", 7), ("default", "staging", 11), ("default", "production", 9_000_000)]
        {
            let service = &services[usize::try_from(self.rng.between(0, 3)).unwrap()].name.clone();
            let at = now - Span::seconds(600);
            for what in 0..2 {
                let index = if what == 0 {
                    self.alert(service, at)
                } else {
                    self.change(service, at);
                    self.events.len() - 1
                };
                let event = &mut self.events[index];
                event.tenant = tenant.into();
                event.environment = environment.into();
                event.position = if position > 1_000 { event.position + position } else { position + what };
            }
        }
    }
}
