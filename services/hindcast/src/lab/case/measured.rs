//! The files of a case as effects, in the words of the ranking.

use hindcast_log_templates::watch::Weight;
use hindcast_rca::kind;
use hindcast_rca::observed::{AlarmView, Observed};
use hindcast_rca::parameters::CauseParameters;
use hindcast_rca::requests::{LineGravity, RequestSpan, ServiceLine};

use super::{Case, CaseLine};

/// Characters of a line in which its level is looked for, where none is given.
const LEVEL_CHARS: usize = 80;

impl Case {
    /// Everything that its files say.
    #[must_use]
    pub fn observed(&self, parameters: &CauseParameters) -> Observed {
        let window = (self.about.window_start, self.about.window_end);
        let symptom = &self.about.symptom;
        let mut observed = Observed {
            calls: self.edges.iter().cloned().collect(),
            alarm: AlarmView {
                services: symptom.service.iter().map(|service| (service.clone(), 1.0)).collect(),
                kind: symptom.metric.as_deref().map(|metric| kind::kind(metric).0),
            },
            ..Observed::default()
        };
        for ((service, metric), points) in &self.series {
            let alarmed = symptom.metric.as_ref() == Some(metric);
            observed.add_series((service, metric), points, window, alarmed, parameters);
        }
        let spans: Vec<RequestSpan> = self
            .spans
            .iter()
            .map(|span| RequestSpan {
                id: span.span_id.clone(),
                parent: span.parent_span_id.clone(),
                service: span.service.clone(),
                name: span.name.clone(),
                start: span.start,
                micros: span.duration_us,
                failed: span.status.eq_ignore_ascii_case("error"),
                peer: String::new(),
            })
            .collect();
        let lines: Vec<ServiceLine> = self.lines.iter().map(line).collect();
        observed.add_requests(&spans, &lines, window, parameters);
        observed
    }
}

fn line(line: &CaseLine) -> ServiceLine {
    let gravity = match weight(line) {
        Weight::Quiet => LineGravity::Info,
        Weight::Warning => LineGravity::Warning,
        Weight::Error | Weight::Fatal => LineGravity::Error,
    };
    ServiceLine { time: line.timestamp, service: line.service.clone(), gravity, text: line.body.clone() }
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
