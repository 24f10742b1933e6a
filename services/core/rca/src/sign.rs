//! Signs: what shows that a service is abnormal, read from alerts and findings alike. Owns how much a sign
//! weighs by itself; refuses to know who explains whom.

use hindcast_domain::words::LogLevel;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Alert, Citation, Finding};
use hindcast_domain::catalog::Topology;
use hindcast_domain::finding::{Kind, Raised};
use hindcast_domain::{Severity, Span, Time};

use crate::evidence::Evidence;
use hindcast_domain::text::{figure, mentions, one_line, quoted, thousands};

/// Signs this long before the onset count in full, because rules wait before they fire; earlier ones lose half of their weight every [`FADES`].
const BEFORE: Span = Span::minutes(10);
/// Likewise where no alert rang, but a person says that something is wrong: no rule waited.
const BEFORE_A_PERSON: Span = Span::minutes(1);
/// Signs this long after the onset count in full; later ones are rather consequences.
const AFTER: Span = Span::minutes(3);
/// After how long outside of that a sign weighs half as much.
const FADES: Span = Span::seconds(90);
/// What is left of the weight at the least, for a sign after the onset.
const LATE_WEIGHT_MIN: f64 = 0.4;
/// A sign that weighs less is not looked at.
const WEIGHT_MIN: f64 = 0.05;
/// How much an alert keeps that fires on several services at once: it tells that they suffer, not what broke.
const SHARED: f64 = 0.7;
/// Words of labels that may stand for the service of an alert whose sender names none.
const LABELS: [&str; 7] = ["service", "service_name", "app", "application", "job", "host", "instance"];

/// How much a metric says that moved.
const METRIC: f64 = 0.45;
/// How much it says where it is what an alarm speaks of, and moved the way that alarmed.
const ALARMED_METRIC: f64 = 0.8;
/// How much another one says then.
const OTHER_METRIC: f64 = 0.1;

/// What a sign was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SignSource {
    Alert,
    /// A log template, new or bursting.
    Log,
    /// A metric that moved.
    Metric,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ServiceSign {
    /// The service, by its one name where the catalogue knows it.
    pub service: String,
    /// When it began.
    pub time: Time,
    /// How much later than the thing itself it may show, by how it is measured.
    pub tolerance: Span,
    /// How much it says that this service is abnormal, 0 to 1.
    pub strength: f64,
    /// What it was read from.
    pub source: SignSource,
    /// Whether it says by itself that something is wrong: an alert, or lines at warning or worse.
    pub solid: bool,
    /// In plain words, without the service's name.
    pub text: String,
    /// Text that may name other services.
    pub raw: String,
    /// Whether it pages.
    pub pages: bool,
    /// How far a metric moved, in what is usual for it; 0 for anything else.
    pub size: f64,
    /// The event that says so.
    pub citation: Citation,
}

/// The one name of a service.
pub(super) fn resolve(topology: &Topology, name: &str) -> String {
    topology.resolve(name).unwrap_or(name).to_owned()
}

/// The service of an alert; by a label where its sender names none.
pub(super) fn service_of(alert: &Alert, topology: &Topology) -> Option<String> {
    let named = alert.service.as_deref().filter(|name| !name.trim().is_empty());
    let name = named.or_else(|| LABELS.iter().find_map(|label| alert.labels.get(*label).map(String::as_str)))?;
    Some(resolve(topology, name))
}

/// All signs, by service, each service's by when they began.
pub(super) fn signs(evidence: &Evidence, topology: &Topology) -> BTreeMap<String, Vec<ServiceSign>> {
    let onset = evidence.onset();
    let before = if evidence.symptoms.is_empty() { BEFORE_A_PERSON } else { BEFORE };
    let mut services: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for symptom in &evidence.symptoms {
        if let Some(service) = service_of(&symptom.alert, topology) {
            services.entry(&symptom.alert.name).or_default().insert(service);
        }
    }
    let mut all: BTreeMap<String, Vec<ServiceSign>> = BTreeMap::new();
    for symptom in &evidence.symptoms {
        let shared = services.get(symptom.alert.name.as_str()).is_some_and(|services| services.len() > 1);
        if let Some(sign) = of_alert(&symptom.alert, &symptom.fired, shared, topology) {
            all.entry(sign.service.clone()).or_default().push(sign);
        }
    }
    let alarms = Alarms::of(evidence, topology);
    for finding in evidence.findings.iter().filter(|finding| is_ours(finding, evidence)) {
        let sign = of_finding(finding, onset, before, &alarms, topology);
        if sign.strength >= WEIGHT_MIN {
            all.entry(sign.service.clone()).or_default().push(sign);
        }
    }
    for signs in all.values_mut() {
        signs.sort_by(|a, b| (a.time, &a.citation).cmp(&(b.time, &b.citation)));
        signs.dedup_by(|a, b| a.citation == b.citation);
    }
    all
}

/// Whether a finding may be about this incident: not raised for another one.
fn is_ours(finding: &Finding, evidence: &Evidence) -> bool {
    let looked_for = finding.finding.incident.as_ref();
    looked_for.is_none_or(|incident| incident.as_str() == evidence.incident.id)
}

fn of_alert(alert: &Alert, fired: &Citation, shared: bool, topology: &Topology) -> Option<ServiceSign> {
    let strength = match alert.severity {
        Severity::Critical => 0.70,
        Severity::High => 0.65,
        Severity::Medium => 0.55,
        Severity::Low => 0.40,
        Severity::Info => 0.20,
    };
    let summary = ["summary", "description", "message", "title"]
        .iter()
        .find_map(|name| alert.annotations.get(*name))
        .map(|text| one_line(text))
        .filter(|text| !text.is_empty() && *text != alert.name);
    let text = match &summary {
        Some(summary) => format!("{} fired: \"{summary}\"", one_line(&alert.name)),
        None => format!("{} fired", one_line(&alert.name)),
    };
    Some(ServiceSign {
        service: service_of(alert, topology)?,
        time: alert.starts_at,
        tolerance: Span::seconds(60),
        strength: strength * if shared { SHARED } else { 1.0 },
        source: SignSource::Alert,
        solid: true,
        raw: summary.unwrap_or_default(),
        text,
        pages: alert.severity.pages(),
        size: 0.0,
        citation: fired.clone(),
    })
}

fn of_finding(finding: &Finding, onset: Time, before: Span, alarms: &Alarms<'_>, topology: &Topology) -> ServiceSign {
    let found = &finding.finding;
    let level = weight_of_level(found.level.as_ref().map(LogLevel::as_str));
    let (strength, source, tolerance) = match found.kind {
        Kind::NewTemplate => (level, SignSource::Log, Span::seconds(5)),
        Kind::BurstingTemplate => (level * 0.85, SignSource::Log, Span::seconds(10)),
        Kind::MetricShift => (alarms.weigh(found), SignSource::Metric, Span::seconds(20)),
    };
    let sure = f64::from(found.score.clamp(0, 1_000)) / 1_000.0;
    let raw = found.template.as_ref().map_or("", |template| &template.sample).to_owned();
    ServiceSign {
        service: resolve(topology, &found.service),
        time: found.at,
        tolerance,
        strength: strength * sure * often(found) * nearness(found.at, onset, before),
        source,
        solid: source == SignSource::Log && level >= 0.5,
        text: words_of_finding(finding),
        raw,
        pages: false,
        size: if source == SignSource::Metric { size(sure) * (strength / METRIC).min(1.0) } else { 0.0 },
        citation: Citation { event: finding.event.clone(), position: finding.position },
    }
}

/// How far it moved in scales: what a shift's score is made of.
fn size(sure: f64) -> f64 {
    let sure = sure.min(0.999);
    4.0 * sure / (1.0 - sure)
}

/// What alarms say of metrics.
struct Alarms<'a> {
    /// Metrics that an alarm speaks of, each with the way in which it moved where that alarmed, if that was seen.
    metrics: BTreeMap<&'a str, Option<bool>>,
}

impl<'a> Alarms<'a> {
    fn of(evidence: &'a Evidence, topology: &Topology) -> Self {
        let mut metrics = BTreeMap::new();
        for finding in evidence.findings.iter().filter(|finding| is_ours(finding, evidence)) {
            let found = &finding.finding;
            let Some(name) = bare(found) else { continue };
            let speaks = |symptom: &&crate::Symptom| mentions(&symptom.alert.name, name);
            for symptom in evidence.symptoms.iter().filter(speaks) {
                let way = metrics.entry(name).or_insert(None);
                if service_of(&symptom.alert, topology).as_deref() == Some(&*resolve(topology, &found.service)) {
                    *way = Some(found.after > found.before);
                }
            }
        }
        Self { metrics }
    }

    /// How much a metric that moved says.
    fn weigh(&self, found: &Raised) -> f64 {
        if self.metrics.is_empty() {
            return METRIC;
        }
        match bare(found).and_then(|name| self.metrics.get(name)) {
            Some(way) if way.is_none_or(|up| up == (found.after > found.before)) => ALARMED_METRIC,
            _ => OTHER_METRIC,
        }
    }
}

/// A metric's name without its labels.
fn bare(found: &Raised) -> Option<&str> {
    found.metric.as_deref().map(|metric| metric.split('{').next().unwrap_or(metric))
}

/// How much the worst severity of a template's lines says. The words are those of syslog and of common
/// logging libraries.
fn weight_of_level(level: Option<&str>) -> f64 {
    match level.map(str::to_ascii_lowercase).as_deref() {
        Some("emergency" | "alert" | "critical" | "fatal" | "panic" | "error" | "err") => 0.70,
        Some("warning" | "warn") => 0.50,
        _ => 0.25,
    }
}

/// How much the number of its lines says: one error is half as much as ten. A program dies but once, and a
/// metric has its score.
fn often(found: &Raised) -> f64 {
    let dies = ["emergency", "alert", "critical", "fatal", "panic"];
    let level = found.level.as_ref().map_or("", LogLevel::as_str).to_ascii_lowercase();
    if found.kind == Kind::MetricShift || dies.contains(&level.as_str()) {
        return 1.0;
    }
    #[allow(clippy::cast_precision_loss)] // a factor
    let lines = found.count.max(1) as f64;
    (0.5 + 0.5 * lines.log10()).min(1.0)
}

/// How much a sign's distance from the onset leaves of its weight.
fn nearness(at: Time, onset: Time, before: Span) -> f64 {
    let halved = |outside: Span| (-outside.as_secs_f64() / FADES.as_secs_f64()).exp2();
    if at < onset {
        return halved(onset.since(at + before));
    }
    halved(at.since(onset + AFTER)).max(LATE_WEIGHT_MIN)
}

fn words_of_finding(finding: &Finding) -> String {
    let found = &finding.finding;
    let line = found.template.as_ref().map(|template| &template.text);
    match (found.kind, line, &found.metric) {
        (Kind::NewTemplate, Some(text), _) => format!("new log line {} ×{}", quoted(text), thousands(found.count)),
        (Kind::BurstingTemplate, Some(text), _) => {
            format!("log line {} went from {} to {} a minute", quoted(text), figure(found.before), figure(found.after))
        }
        (_, _, Some(metric)) => {
            let verb = if found.after >= found.before { "rose" } else { "fell" };
            format!("{} {verb} from {} to {}", one_line(metric), figure(found.before), figure(found.after))
        }
        _ => one_line(&found.title),
    }
}

/// How abnormal a service is by its own signs, 0 to 1: the chance that not all of the best of them are false.
pub(super) fn own(signs: &[ServiceSign]) -> f64 {
    let mut best: Vec<f64> = signs.iter().map(|sign| sign.strength).collect();
    best.sort_by(|a, b| b.total_cmp(a));
    1.0 - best.iter().take(6).map(|strength| 1.0 - strength).product::<f64>()
}

/// Whether one of them says by itself that something is wrong.
pub(super) fn solid(signs: &[ServiceSign]) -> bool {
    signs.iter().any(|sign| sign.solid && sign.strength >= 0.30)
}

/// The first sign that weighs enough to begin with; the very first where none does.
pub(super) fn first(signs: &[ServiceSign]) -> Option<&ServiceSign> {
    signs.iter().find(|sign| sign.strength >= 0.25).or_else(|| signs.first())
}

/// The strongest first; the earlier one among equals.
pub(super) fn strongest(signs: &[ServiceSign]) -> Vec<&ServiceSign> {
    let mut all: Vec<&ServiceSign> = signs.iter().collect();
    all.sort_by(|a, b| {
        b.strength.total_cmp(&a.strength).then_with(|| (a.time, &a.citation).cmp(&(b.time, &b.citation)))
    });
    all
}

/// Those that tell most about what broke: the strongest, then the strongest of each other source, since an alert
/// says that something is wrong and a log line says what.
pub(super) fn telling(signs: &[ServiceSign], count: usize) -> Vec<&ServiceSign> {
    let mut left = strongest(signs);
    let mut told: Vec<&ServiceSign> = Vec::new();
    while told.len() < count && !left.is_empty() {
        let other = |sign: &&ServiceSign| sign.strength >= 0.2 && !told.iter().any(|known| known.source == sign.source);
        let at = left.iter().position(other).unwrap_or(0);
        told.push(left.remove(at));
    }
    told
}
