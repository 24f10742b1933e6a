//! Signs: what shows that a service is abnormal, read from alerts and findings alike. Owns how much a sign
//! weighs by itself; refuses to know who explains whom.

use hindcast_domain::words::LogLevel;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Alert, Citation, Finding};
use hindcast_domain::catalog::Topology;
use hindcast_domain::finding::{Kind, Raised};
use hindcast_domain::{Severity, Span, Time};

use crate::effect::EffectSource;
use crate::evidence::Evidence;
use crate::kind::{self, SignalKind, SignalSide, SignalWay};
use crate::parameters::CauseParameters;
use crate::requests::{rate_change, tempered};
use crate::traces;
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

/// Log Bayes factors of an alert, by severity. A rule that fires is about as good a sign as a metric that moved by
/// five of its scales, and says little where its author calls it information.
const ALERTS: [(Severity, f64); 5] = [
    (Severity::Critical, 4.0),
    (Severity::High, 3.5),
    (Severity::Medium, 2.5),
    (Severity::Low, 1.5),
    (Severity::Info, 0.7),
];
/// The unit in which evidence makes a sign sure.
const SURE: f64 = 3.0;
/// What a signal counts whose direction means nothing known.
const UNDIRECTED: f64 = 0.25;
/// What a sign keeps that showed after somebody took care of it: the repair shows too.
const AFTER_CARE: f64 = 0.25;
/// Minutes before the onset in which lines were counted.
const LINES_BEFORE: f64 = 10.0;
/// Lines from which on a fatal one counts in full.
const SAID_OFTEN: f64 = 3.0;
/// Lines that one thing writes at once: so many count as one.
const TOGETHER: f64 = 3.0;
/// The least that the death of a program says, though it is one line.
const DIES: f64 = 3.0;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ServiceSign {
    /// The service, by its one name where the catalogue knows it.
    pub service: String,
    /// When it began.
    pub time: Time,
    /// How much later than the thing itself it may show, by how it is measured.
    pub tolerance: Span,
    /// How strongly it speaks for something being wrong with this service: a log Bayes factor, in nats.
    pub llr: f64,
    /// The same between 0 and 1.
    pub strength: f64,
    /// What it was read from.
    pub source: EffectSource,
    /// What it is about.
    pub kind: SignalKind,
    /// Whose view it is.
    pub side: SignalSide,
    /// Which way it moved.
    pub way: SignalWay,
    /// By how much, in its own unit; 0 where it has none.
    pub change: f64,
    /// An alert names the very signal.
    pub alarmed: bool,
    /// Whether it says by itself that something is wrong: an alert, or lines at warning or worse.
    pub solid: bool,
    /// In plain words, without the service's name.
    pub text: String,
    /// Text that may name other services.
    pub raw: String,
    /// Whether it pages.
    pub pages: bool,
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
    let alarms: BTreeSet<&str> = evidence.symptoms.iter().map(|symptom| symptom.alert.name.as_str()).collect();
    let mut looked: BTreeSet<(&str, &str, Kind, bool)> = BTreeSet::new();
    let mut findings: Vec<&Finding> = evidence.findings.iter().collect();
    findings.sort_by_key(|finding| (finding.finding.at, finding.position, &finding.event));
    for finding in findings {
        let found = &finding.finding;
        // The same metric or operation is found again by the looks of every incident about that time.
        let operation = found.request.as_ref().map(|work| work.operation.as_str());
        let again = (bare(found).is_some() || operation.is_some())
            && !looked.insert((
                &found.service,
                found.metric.as_deref().or(operation).unwrap_or_default(),
                found.kind,
                found.after >= found.before,
            ));
        let sign = of_finding(finding, (onset, before), &alarms, topology);
        if !again && sign.strength >= WEIGHT_MIN {
            all.entry(sign.service.clone()).or_default().push(sign);
        }
    }
    let care = taken_care(evidence);
    for sign in all.values_mut().flatten().filter(|sign| care.is_some_and(|care| sign.time > care)) {
        sign.weigh(sign.llr * AFTER_CARE);
    }
    for signs in all.values_mut() {
        signs.sort_by(|a, b| (a.time, &a.citation).cmp(&(b.time, &b.citation)));
        signs.dedup_by(|a, b| a.citation == b.citation);
    }
    all
}

/// When somebody first took care of it: acknowledged it, or ended it.
pub(super) fn taken_care(evidence: &Evidence) -> Option<Time> {
    let incident = &evidence.incident;
    incident.acknowledged_at.into_iter().chain(incident.resolved_at).min()
}

fn of_alert(alert: &Alert, fired: &Citation, shared: bool, topology: &Topology) -> Option<ServiceSign> {
    let llr = ALERTS.iter().find(|(severity, _)| *severity == alert.severity).map_or(0.0, |(_, llr)| *llr);
    let kind = kind::of_alert(&alert.name);
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
        llr: llr * if shared { SHARED } else { 1.0 },
        strength: sure(llr * if shared { SHARED } else { 1.0 }),
        source: EffectSource::Alert,
        kind,
        side: SignalSide::Own,
        way: kind.bad_way().unwrap_or(SignalWay::Up),
        change: 0.0,
        alarmed: true,
        solid: true,
        raw: summary.unwrap_or_default(),
        text,
        pages: alert.severity.pages(),
        citation: fired.clone(),
    })
}

fn of_finding(
    finding: &Finding,
    (onset, before): (Time, Span),
    alarms: &BTreeSet<&str>,
    topology: &Topology,
) -> ServiceSign {
    let found = &finding.finding;
    let level = weight_of_level(found.level.as_ref().map(LogLevel::as_str));
    let way = if found.after >= found.before { SignalWay::Up } else { SignalWay::Down };
    let (llr, (kind, side), source, tolerance) = match found.kind {
        Kind::NewTemplate => (lines(found, level), ERRORS, EffectSource::Log, Span::seconds(5)),
        Kind::BurstingTemplate => (lines(found, level), ERRORS, EffectSource::Log, Span::seconds(10)),
        Kind::MetricShift => {
            let about = kind::kind(bare(found).unwrap_or_default());
            (moved(found, about.0, way), about, EffectSource::Metric, Span::seconds(20))
        }
        Kind::FailingRequests => (traces::evidence(found), ERRORS, EffectSource::Span, Span::seconds(5)),
        Kind::SlowRequests => {
            let is_called = found.request.as_ref().is_some_and(|work| work.caller.is_some());
            let side = if is_called { SignalSide::Called } else { SignalSide::Own };
            (traces::evidence(found), (SignalKind::Latency, side), EffectSource::Span, Span::seconds(10))
        }
    };
    let llr = llr * nearness(found.at, onset, before);
    let raw = found.template.as_ref().map_or("", |template| &template.sample).to_owned();
    ServiceSign {
        service: resolve(topology, &found.service),
        time: found.at,
        tolerance,
        llr,
        strength: sure(llr),
        source,
        kind,
        side,
        way: if source == EffectSource::Metric { way } else { SignalWay::Up },
        change: if source == EffectSource::Metric { (found.after - found.before).abs() } else { 0.0 },
        alarmed: bare(found).is_some_and(|name| alarms.iter().any(|alarm| mentions(alarm, name))),
        solid: (source == EffectSource::Log && level >= LineLevel::Warning) || found.kind == Kind::FailingRequests,
        text: words_of_finding(finding),
        raw,
        pages: false,
        citation: Citation { event: finding.event.clone(), position: finding.position },
    }
}

/// What lines are about.
const ERRORS: (SignalKind, SignalSide) = (SignalKind::Errors, SignalSide::Own);

/// How sure evidence makes a sign, 0 to 1.
fn sure(llr: f64) -> f64 {
    1.0 - (-llr.max(0.0) / SURE).exp()
}

impl ServiceSign {
    fn weigh(&mut self, llr: f64) {
        self.llr = llr;
        self.strength = sure(llr);
    }
}

/// What a metric says that moved: by how many scales it did, which is what its score was made of. Moving the way that
/// does no harm says nothing, and where the name does not tell the way, little.
fn moved(found: &Raised, kind: SignalKind, way: SignalWay) -> f64 {
    let sure = (f64::from(found.score.clamp(0, 1_000)) / 1_000.0).min(0.999);
    let llr = CauseParameters::DEFAULT.effect.evidence(4.0 * sure / (1.0 - sure));
    match kind.bad_way() {
        Some(bad) if bad == way => llr,
        Some(_) => 0.0,
        None => llr * UNDIRECTED,
    }
}

/// What lines say that are new, or more than before: a likelihood ratio of their rates, by how bad they say it is.
fn lines(found: &Raised, level: LineLevel) -> f64 {
    #[allow(clippy::cast_precision_loss)] // lines of minutes
    let count = found.count.max(1) as f64;
    let minutes = if found.after > 0.0 { (count / found.after).clamp(1.0, LINES_BEFORE) } else { 1.0 };
    let before = found.before.max(0.0) * LINES_BEFORE;
    let rate = rate_change([before / TOGETHER, LINES_BEFORE], [count / TOGETHER, minutes]);
    let weights = &CauseParameters::DEFAULT.line;
    let sure = tempered(rate).max(0.0);
    match level {
        LineLevel::Info => sure * weights.info,
        LineLevel::Warning => sure * weights.warning,
        LineLevel::Error => sure * weights.error,
        // One line or two may be a session that was turned away, and no program that died.
        LineLevel::Fatal => (sure * weights.error).max(DIES * (count / SAID_OFTEN).min(1.0)),
    }
}

/// A metric's name without its labels.
fn bare(found: &Raised) -> Option<&str> {
    found.metric.as_deref().map(|metric| metric.split('{').next().unwrap_or(metric))
}

/// How bad lines say it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LineLevel {
    Info,
    Warning,
    Error,
    Fatal,
}

/// The words are those of syslog and of common logging libraries.
fn weight_of_level(level: Option<&str>) -> LineLevel {
    match level.map(str::to_ascii_lowercase).as_deref() {
        Some("emergency" | "alert" | "critical" | "fatal" | "panic") => LineLevel::Fatal,
        Some("error" | "err") => LineLevel::Error,
        Some("warning" | "warn") => LineLevel::Warning,
        _ => LineLevel::Info,
    }
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
        (Kind::FailingRequests | Kind::SlowRequests, ..) => traces::words(found),
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
