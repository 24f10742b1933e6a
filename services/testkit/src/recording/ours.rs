//! The findings of our own detector, as it raises them from the same telemetry.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::finding::{Kind, Raised, Template};
use hindcast_domain::{IncidentId, Span, Time};
use hindcast_log_templates::watch::{self, Watch, Weight};
use hindcast_metric_shifts::{self as shift, shift};

use super::RecordedLine;

/// New and bursting templates of a recording.
pub fn templates(lines: &[RecordedLine]) -> Vec<Raised> {
    let mut watch = Watch::default();
    let signs = lines.iter().filter_map(|line| {
        let weight = match line.severity.as_str() {
            "warning" => Weight::Warning,
            "error" => Weight::Error,
            "fatal" => Weight::Fatal,
            _ => Weight::Quiet,
        };
        watch.line(watch::WatchedLine { time: line.time, service: &line.service, weight, text: &line.message })
    });
    signs
        .map(|sign| Raised {
            kind: if matches!(sign.kind, watch::TemplateSignKind::New) {
                Kind::NewTemplate
            } else {
                Kind::BurstingTemplate
            },
            title: format!("{} logs {:?}", sign.service, sign.text),
            at: sign.at,
            until: sign.until,
            template: Some(Template { id: sign.template, version: sign.version, text: sign.text, sample: sign.sample }),
            metric: None,
            request: None,
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
            service: sign.service,
            incident: None,
            detector: 1,
        })
        .collect()
}

/// Metrics that moved about an onset, with when that was known.
pub fn shifts(
    series: &BTreeMap<(String, String), Vec<(Time, f64)>>,
    onset: Time,
    now: Time,
    incident: &IncidentId,
) -> Vec<(Raised, Time)> {
    let mut raised = Vec::new();
    let mut known = BTreeSet::new();
    for look in
        [Span::seconds(20), Span::seconds(90)].map(|after| onset + after).into_iter().filter(|look| *look <= now)
    {
        for ((service, metric), points) in series {
            let inside = |at: Time| at >= onset - Span::minutes(10) && at < look;
            let points: Vec<_> = points.iter().filter(|(at, _)| inside(*at)).copied().collect();
            let Some(shift) = shift(&points, onset).filter(|shift| shift.score >= shift::SCORE_MIN) else { continue };
            if !known.insert((service.clone(), metric.clone(), shift.up)) {
                continue;
            }
            let finding = Raised {
                kind: Kind::MetricShift,
                service: service.clone(),
                title: format!("{metric} of {service} moved"),
                at: shift.at,
                until: look,
                template: None,
                metric: Some(metric.clone()),
                request: None,
                before: shift.before,
                after: shift.after,
                count: shift.count,
                score: shift.score,
                level: None,
                incident: Some(incident.clone()),
                detector: 1,
            };
            raised.push((finding, look + Span::seconds(1)));
        }
    }
    raised
}
