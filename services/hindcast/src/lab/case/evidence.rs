//! The files of a case as evidence: its shifts, lines, alarm and changes in the words of the engines.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Alert, Change, Citation, Finding, Incident};
use hindcast_domain::catalog::{Catalog, Service, Topology};
use hindcast_domain::finding::{Kind, Raised, Template};
use hindcast_domain::{EventId, FindingId, IncidentId, Severity, Span, Time, event};
use hindcast_log_templates::watch::{self, Watch, Weight};
use hindcast_metric_shifts::{self as shift, shift};
use hindcast_rca::{Evidence, Symptom};

use super::{Case, CaseChange, CaseEvidence, CaseLine};

/// How long before the onset lines may tell of it.
const FINDINGS_BEFORE: Span = Span::minutes(15);
/// How long before it a change may have been made.
const CHANGES_BEFORE: Span = Span::hours(24);
/// What lies before the onset and is compared with what lies after: so long, or so many steps of the series.
const BEFORE: (Span, usize) = (Span::minutes(10), 64);
/// Shifts of one service, and of all, as the detector raises them.
const SHIFTS_MAX: (usize, usize) = (3, 30);
/// Parts of a window at whose ends it is looked.
const LOOKS: i64 = 5;
/// The environment of everything here.
const ENVIRONMENT: &str = "lab";
/// Characters of a line in which its level is looked for, where none is given.
const LEVEL_CHARS: usize = 80;

impl Case {
    /// Everything that its files say, as evidence.
    #[must_use]
    pub fn seen(&self) -> CaseEvidence {
        let topology = self.topology();
        let id = IncidentId::derive(&[b"lab", self.id.as_bytes()]);
        let (shifts, moved) = self.shifts(&id);
        let mut raised = self.templates();
        raised.extend(shifts);
        let mut findings: Vec<Finding> =
            raised.into_iter().enumerate().map(|(index, raised)| found(index, raised)).collect();
        findings.sort_by_key(|finding| (finding.finding.at, finding.position));
        let symptoms = self.symptoms();
        let evidence = Evidence {
            incident: self.incident(&id, &symptoms),
            symptoms,
            changes: self.changes(),
            findings,
            timeline: Vec::new(),
            watched: self.services().into_iter().collect(),
            position: u64::MAX,
            now: self.about.window_end,
        };
        CaseEvidence { evidence, topology, moved }
    }

    fn services(&self) -> BTreeSet<String> {
        let of_metrics = self.series.keys().map(|(service, _)| service.clone());
        let of_lines = self.lines.iter().map(|line| line.service.clone());
        of_metrics.chain(of_lines).collect()
    }

    /// The services that anything names, with who calls whom.
    fn topology(&self) -> Topology {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if self.edges.is_empty() {
            return Topology::default();
        }
        for (caller, callee) in &self.edges {
            all.entry(callee.clone()).or_default();
            let called = all.entry(caller.clone()).or_default();
            if caller != callee {
                called.insert(callee.clone());
            }
        }
        let service = |(name, depends_on): (String, BTreeSet<String>)| Service {
            name,
            aliases: Vec::new(),
            owner: None,
            tier: None,
            depends_on: depends_on.into_iter().collect(),
        };
        Topology::new(&Catalog { services: all.into_iter().map(service).collect() })
    }

    /// Metrics whose level changed about the onset: those that the detector would raise, and how much each service's
    /// surest one moved.
    fn shifts(&self, incident: &IncidentId) -> (Vec<Raised>, BTreeMap<String, i32>) {
        let (onset, end) = (self.about.window_start, self.about.window_end);
        let mut moved: BTreeMap<String, i32> = self.services().into_iter().map(|service| (service, 0)).collect();
        let mut all: Vec<(&(String, String), shift::LevelShift)> = Vec::new();
        for (key, points) in &self.series {
            let begin = points.partition_point(|(time, _)| *time < onset - BEFORE.0);
            let steps = points.partition_point(|(time, _)| *time < onset).saturating_sub(BEFORE.1);
            let points = points.get(begin.min(steps)..).unwrap_or_default();
            let Some(shift) = look(points, onset, end) else { continue };
            let best = moved.entry(key.0.clone()).or_default();
            *best = shift.score.max(*best);
            if shift.score >= shift::SCORE_MIN {
                all.push((key, shift));
            }
        }
        let alarmed = |key: &(String, String)| self.about.symptom.metric.as_ref() == Some(&key.1);
        all.sort_by(|a, b| (alarmed(b.0), b.1.score).cmp(&(alarmed(a.0), a.1.score)).then_with(|| a.0.cmp(b.0)));
        let mut of_service: BTreeMap<&str, usize> = BTreeMap::new();
        let mut raised = Vec::new();
        for ((service, metric), shift) in &all {
            let count = of_service.entry(service).or_default();
            if *count >= SHIFTS_MAX.0 || raised.len() >= SHIFTS_MAX.1 {
                continue;
            }
            *count += 1;
            raised.push(Raised {
                kind: Kind::MetricShift,
                service: service.clone(),
                title: format!("{service}: {metric} moved"),
                at: shift.at,
                until: end,
                template: None,
                metric: Some(metric.clone()),
                before: shift.before,
                after: shift.after,
                count: shift.count,
                score: shift.score,
                level: None,
                incident: Some(incident.clone()),
                detector: 1,
            });
        }
        (raised, moved)
    }

    /// New and bursting log lines of the window.
    fn templates(&self) -> Vec<Raised> {
        let mut watch = Watch::default();
        let inside = self.lines.iter().filter(|line| line.timestamp <= self.about.window_end);
        let signs = inside.filter_map(|line| {
            let weight = weight(line);
            watch.line(watch::WatchedLine { time: line.timestamp, service: &line.service, weight, text: &line.body })
        });
        signs.filter(|sign| sign.at >= self.about.window_start - FINDINGS_BEFORE).map(raised).collect()
    }

    fn symptoms(&self) -> Vec<Symptom> {
        let said = &self.about.symptom;
        let name = said.metric.clone().unwrap_or_else(|| "alarm".to_owned());
        let detected = self.about.detected_at.unwrap_or(self.about.window_start);
        let alert = Alert {
            source: "lab".to_owned(),
            service: said.service.clone(),
            // The onset is given: whoever raised the alarm looked back from it.
            starts_at: self.about.window_start,
            ..Alert::fired("lab", &name, Severity::Info, ENVIRONMENT, detected)
        };
        vec![Symptom { alert, fired: cite(b"fired", 0), joined: None }]
    }

    fn incident(&self, id: &IncidentId, symptoms: &[Symptom]) -> Incident {
        let at = self.about.window_start;
        Incident {
            services: self.about.symptom.service.iter().cloned().collect(),
            alerts: symptoms.len() as u64,
            firing: symptoms.len() as u64,
            occurrences: symptoms.len() as u64,
            ..Incident::opened(id.as_str(), &self.id, Severity::High, ENVIRONMENT, at)
        }
    }

    fn changes(&self) -> Vec<Change> {
        let inside = |made: &&CaseChange| {
            made.at >= self.about.window_start - CHANGES_BEFORE && made.at <= self.about.window_end
        };
        let change = |(index, made): (usize, &CaseChange)| {
            let cited = cite(b"change", index);
            Change {
                event: cited.event,
                position: cited.position,
                environment: ENVIRONMENT.to_owned(),
                change: event::Change {
                    source: "lab".to_owned(),
                    kind: made.kind.as_str().into(),
                    title: made.title.clone(),
                    service: made.service.clone(),
                    version: made.version.clone(),
                    status: None,
                    at: made.at,
                    author: None,
                    url: None,
                    source_id: None,
                },
            }
        };
        let mut all: Vec<Change> = self.changes.iter().filter(inside).enumerate().map(change).collect();
        all.sort_by_key(|change| std::cmp::Reverse(change.change.at));
        all
    }
}

/// The surest shift of several looks: what is wrong may show late, and be over before the window is.
fn look(points: &[(Time, f64)], onset: Time, end: Time) -> Option<shift::LevelShift> {
    let part = |count: i64| Span::millis(end.since(onset).as_millis() * count / LOOKS);
    let mut best: Option<shift::LevelShift> = None;
    for late in 0..=LOOKS / 2 {
        for look in late + 2..=LOOKS {
            let until = if look == LOOKS { end } else { onset + part(look) };
            let known = points.partition_point(|(time, _)| *time <= until);
            let found = shift(points.get(..known).unwrap_or_default(), onset + part(late));
            best = best.into_iter().chain(found).max_by_key(|shift| shift.score);
        }
    }
    best
}

fn cite(kind: &[u8], index: usize) -> Citation {
    Citation { event: EventId::derive(&[kind, &index.to_be_bytes()]).to_string(), position: index as u64 + 1 }
}

fn found(index: usize, raised: Raised) -> Finding {
    let cited = cite(b"finding", index);
    Finding {
        id: FindingId::derive(&[&index.to_be_bytes()]).to_string(),
        event: cited.event,
        position: cited.position,
        recorded_at: raised.until,
        environment: ENVIRONMENT.to_owned(),
        finding: raised,
    }
}

fn raised(sign: watch::TemplateSign) -> Raised {
    Raised {
        kind: match sign.kind {
            watch::TemplateSignKind::New => Kind::NewTemplate,
            watch::TemplateSignKind::Burst => Kind::BurstingTemplate,
        },
        title: format!("{} writes {}", sign.service, sign.text),
        service: sign.service,
        at: sign.at,
        until: sign.until,
        template: Some(Template { id: sign.template, version: sign.version, text: sign.text, sample: sign.sample }),
        metric: None,
        before: sign.before,
        after: sign.after,
        count: sign.count,
        score: sign.score,
        level: Some(
            match sign.weight {
                Weight::Quiet => "info",
                Weight::Warning => "warning",
                Weight::Error => "error",
                Weight::Fatal => "fatal",
            }
            .into(),
        ),
        incident: None,
        detector: 1,
    }
}

/// How bad a line says it is: by its field, else by the first word at its beginning that is a level.
fn weight(line: &CaseLine) -> Weight {
    if let Some(weight) = line.severity.as_deref().and_then(level) {
        return weight;
    }
    let head: String = line.body.chars().take(LEVEL_CHARS).collect();
    let words =
        head.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.chars().all(|c| c.is_ascii_uppercase()));
    words.filter_map(level).next().unwrap_or(Weight::Quiet)
}

pub(super) fn level(word: &str) -> Option<Weight> {
    Some(match word.to_ascii_lowercase().as_str() {
        "trace" | "debug" | "info" | "notice" => Weight::Quiet,
        "warn" | "warning" => Weight::Warning,
        "error" | "err" | "severe" => Weight::Error,
        "fatal" | "critical" | "panic" | "emergency" => Weight::Fatal,
        _ => return None,
    })
}
