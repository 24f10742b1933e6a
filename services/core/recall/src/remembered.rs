//! What is kept of an incident. Owns its form, its bounds and how it is made of evidence; refuses to compare.

use std::collections::BTreeSet;

use hindcast_api::{Citation, Finding, Hypothesis};
use hindcast_domain::finding::Kind;
use hindcast_domain::{Severity, Time, incident};
use hindcast_similarity as similarity;
use serde::{Deserialize, Serialize};

use hindcast_rca::Evidence;

/// The version of what is kept and embedded. It rises when either changes, and vectors are made anew.
pub const TEXTS: u32 = 1;

/// Alerts that are kept: one for each name and service.
const ALERTS_MAX: usize = 48;
/// Log templates that are kept.
const TEMPLATES_MAX: usize = 24;
/// Metric shifts that are kept.
const SHIFTS_MAX: usize = 32;
/// Words of symptoms that are kept.
const WORDS_MAX: usize = 64;
/// Services that are kept.
const SERVICES_MAX: usize = 64;
/// Citations that are kept beside those of the signs.
const CITATIONS_MAX: usize = 12;
/// Bytes of a text that is kept.
const TEXT_BYTES_MAX: usize = 400;

/// An alert that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSign {
    /// The service that it is about; empty where it names none.
    pub service: String,
    /// The rule's name.
    pub name: String,
    /// The event by which it began to fire.
    pub citation: Citation,
}

/// A log template that was new or burst.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedTemplate {
    /// The service that wrote it.
    pub service: String,
    /// The template's id.
    pub id: String,
    /// Its text, with `<*>` for what varies.
    pub text: String,
    /// The worst severity among its lines.
    pub level: String,
    /// The event of the finding.
    pub citation: Citation,
}

/// A metric that went to another level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedShift {
    /// The service that it is about.
    pub service: String,
    /// The metric, with the labels that tell it from others.
    pub metric: String,
    /// Whether it rose.
    pub up: bool,
    /// The event of the finding.
    pub citation: Citation,
}

/// Where it broke, as far as that was known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// Name of the service that the incident began in.
    pub service: String,
    /// What ranked first, in plain words; absent where nothing did and the first symptom stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How well that explained it, 0 to 1; 0 where the first symptom stands in.
    pub score: f64,
}

/// What is kept of an incident, as of a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// The version of the form and of the text that is embedded.
    pub texts: u32,
    /// `INC-…`, whole.
    pub incident: String,
    /// In plain words.
    pub title: String,
    /// Environment of the incident and of its alerts.
    pub environment: String,
    /// Where it is in its life.
    pub status: incident::Status,
    /// How bad it ever was.
    pub severity: Severity,
    /// What its alerts are about.
    pub services: Vec<String>,
    /// Its alerts, one for each name and service, by when they began.
    pub alerts: Vec<AlertSign>,
    /// Words of titles and of what its alerts say, without numbers, sorted.
    pub words: Vec<String>,
    /// What its services wrote that they did not write before, worst first.
    pub templates: Vec<RememberedTemplate>,
    /// Metrics that went to another level.
    pub shifts: Vec<RememberedShift>,
    /// Where it broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// What a person said it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What a person said ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// The earliest symptom.
    pub started_at: Time,
    /// Time of the decision that opened the incident.
    pub opened_at: Time,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// How often it came back.
    pub reopened: u64,
    /// The earlier incident of which it is a recurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence_of: Option<String>,
    /// The incident that it became a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// When the position that it shows was recorded.
    pub known_at: Time,
    /// The position that it shows.
    pub position: u64,
    /// Its beginning, its end, and what its cause rests on.
    pub citations: Vec<Citation>,
}

impl Remembered {
    /// Whether anything of telemetry is known of it.
    #[must_use]
    pub fn has_telemetry(&self) -> bool {
        !self.templates.is_empty() || !self.shifts.is_empty()
    }

    /// Every text of it that others wrote, handed through `clean`; ids, times and figures stay.
    pub fn clean(&mut self, mut clean: impl FnMut(&str) -> String) {
        let alerts = self.alerts.iter_mut().map(|alert| &mut alert.name);
        let templates = self.templates.iter_mut().map(|template| &mut template.text);
        let shifts = self.shifts.iter_mut().map(|shift| &mut shift.metric);
        let root = self.root.iter_mut().filter_map(|root| root.cause.as_mut());
        let people = [&mut self.cause, &mut self.resolution].into_iter().filter_map(Option::as_mut);
        let texts = alerts.chain(templates).chain(shifts).chain(root).chain(people);
        for text in texts.chain(&mut self.words).chain(std::iter::once(&mut self.title)) {
            *text = clean(text);
        }
    }
}

/// What is kept of an incident. `root` is what ranked first among its causes, if anything did.
#[must_use]
pub fn remember(evidence: &Evidence, root: Option<&Hypothesis>) -> Remembered {
    let incident = &evidence.incident;
    let root_of_alerts = || {
        let first = evidence.symptoms.iter().find_map(|symptom| symptom.alert.service.clone());
        first.or_else(|| incident.services.first().cloned()).map(|service| Root { service, cause: None, score: 0.0 })
    };
    let ranked = root.map(|root| Root {
        service: root.service.clone(),
        cause: Some(cut(&root.cause)),
        score: root.score.clamp(0.0, 1.0),
    });
    let findings = own(evidence, root);
    Remembered {
        texts: TEXTS,
        incident: incident.id.clone(),
        title: cut(&incident.title),
        environment: incident.environment.clone(),
        status: incident.status,
        severity: incident.peak_severity,
        services: incident.services.iter().take(SERVICES_MAX).cloned().collect(),
        alerts: alerts(evidence),
        words: words(evidence),
        templates: templates(&findings),
        shifts: shifts(&findings),
        root: ranked.or_else(root_of_alerts),
        cause: incident.cause.as_deref().map(cut),
        resolution: incident.resolution.as_deref().map(cut),
        started_at: evidence.onset(),
        opened_at: incident.opened_at,
        resolved_at: incident.resolved_at,
        reopened: incident.reopened,
        recurrence_of: incident.recurrence_of.clone(),
        merged_into: incident.merged_into.clone(),
        known_at: evidence.now,
        position: evidence.position,
        citations: citations(evidence, root),
    }
}

/// The findings that are about this incident: of its services, of those on its cause's path, or raised
/// because it began. Findings of the same environment that concern something else are left out.
fn own<'a>(evidence: &'a Evidence, root: Option<&Hypothesis>) -> Vec<&'a Finding> {
    let mut services: BTreeSet<&str> = evidence.incident.services.iter().map(String::as_str).collect();
    services.extend(evidence.symptoms.iter().filter_map(|symptom| symptom.alert.service.as_deref()));
    if let Some(root) = root {
        services.insert(&root.service);
        services.extend(root.path.iter().map(|step| step.service.as_str()));
    }
    let is_own = |finding: &&Finding| {
        let asked = finding.finding.incident.as_ref().map(ToString::to_string);
        services.contains(finding.finding.service.as_str())
            || services.is_empty() && asked.as_deref() == Some(evidence.incident.id.as_str())
    };
    evidence.findings.iter().filter(is_own).collect()
}

fn alerts(evidence: &Evidence) -> Vec<AlertSign> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for symptom in &evidence.symptoms {
        let service = symptom.alert.service.clone().unwrap_or_default();
        if kept.len() < ALERTS_MAX && seen.insert((service.clone(), symptom.alert.name.clone())) {
            kept.push(AlertSign { service, name: cut(&symptom.alert.name), citation: symptom.fired.clone() });
        }
    }
    kept
}

/// Whether lines of this level may say what is wrong.
fn is_bad(level: &str) -> bool {
    let level = level.to_ascii_lowercase();
    ["warn", "err", "crit", "fatal", "panic", "alert", "emerg", "severe"].iter().any(|bad| level.starts_with(bad))
}

fn templates(findings: &[&Finding]) -> Vec<RememberedTemplate> {
    let mut found: Vec<(bool, bool, i32, RememberedTemplate)> = Vec::new();
    let mut seen = BTreeSet::new();
    for finding in findings {
        let Some(template) = &finding.finding.template else { continue };
        let service = &finding.finding.service;
        if !seen.insert((service.clone(), super::template::template_key(service, &template.text))) {
            continue;
        }
        let level = finding.finding.level.as_ref().map(ToString::to_string).unwrap_or_default();
        let sign = RememberedTemplate {
            service: service.clone(),
            id: template.id.clone(),
            text: cut(&template.text),
            level: level.clone(),
            citation: citation(finding),
        };
        found.push((!is_bad(&level), finding.finding.kind != Kind::NewTemplate, -finding.finding.score, sign));
    }
    // What is bad and new comes first, the surest before others; the order of the findings breaks ties.
    found.sort_by_key(|(harmless, known, less_sure, _)| (*harmless, *known, *less_sure));
    let any_bad = found.iter().any(|(harmless, ..)| !harmless);
    let kept = found.into_iter().filter(|(harmless, ..)| !any_bad || !harmless).map(|(.., sign)| sign);
    kept.take(TEMPLATES_MAX).collect()
}

fn shifts(findings: &[&Finding]) -> Vec<RememberedShift> {
    let mut seen = BTreeSet::new();
    let mut sure: Vec<&&Finding> =
        findings.iter().filter(|finding| finding.finding.kind == Kind::MetricShift).collect();
    sure.sort_by_key(|finding| -finding.finding.score);
    let mut kept = Vec::new();
    for finding in sure {
        let Some(metric) = &finding.finding.metric else { continue };
        // A metric that went up and came down again went up: its first step counts.
        if kept.len() < SHIFTS_MAX && seen.insert((finding.finding.service.clone(), metric.clone())) {
            kept.push(RememberedShift {
                service: finding.finding.service.clone(),
                metric: cut(metric),
                up: finding.finding.after > finding.finding.before,
                citation: citation(finding),
            });
        }
    }
    kept
}

fn words(evidence: &Evidence) -> Vec<String> {
    let mut words = similarity::split(&evidence.incident.title);
    for symptom in evidence.symptoms.iter().take(ALERTS_MAX) {
        words.extend(similarity::split(&symptom.alert.name));
        for text in symptom.alert.annotations.values().take(4) {
            words.extend(similarity::split(&cut(text)));
        }
    }
    words.into_iter().take(WORDS_MAX).collect()
}

fn citations(evidence: &Evidence, root: Option<&Hypothesis>) -> Vec<Citation> {
    let telling = ["incident.opened", "incident.declared", "incident.resolved"];
    let mut kept: Vec<Citation> = Vec::new();
    let mut keep = |citation: Citation| {
        if kept.len() < CITATIONS_MAX && !kept.contains(&citation) {
            kept.push(citation);
        }
    };
    for entry in &evidence.timeline {
        if telling.contains(&entry.event_type.as_str()) && entry.subject == evidence.incident.id {
            keep(Citation { event: entry.event.clone(), position: entry.position });
        }
    }
    root.iter().flat_map(|root| &root.citations).cloned().for_each(&mut keep);
    if let Some(first) = evidence.symptoms.first() {
        keep(first.fired.clone());
    }
    kept
}

fn citation(finding: &Finding) -> Citation {
    Citation { event: finding.event.clone(), position: finding.position }
}

/// A text of at most so many bytes, cut between characters.
fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}
