//! A plain detector for tests: new and bursting log lines, and metrics whose level moved. It only has to give
//! findings of the sort that a detector gives, noise included; how well it detects is not tested here.

use std::collections::BTreeMap;

use hindcast_domain::finding::{Kind, Raised, Template};
use hindcast_domain::{IncidentId, Span, Time};

use super::RecordedLine;

/// Lines of this long since the beginning are what is usual.
const WARM: Span = Span::seconds(60);

/// New and bursting templates of a recording.
pub fn templates(lines: &[RecordedLine], begin: Time) -> Vec<Raised> {
    let mut all: BTreeMap<(String, String), Vec<&RecordedLine>> = BTreeMap::new();
    for line in lines {
        all.entry((line.service.clone(), masked(&line.message))).or_default().push(line);
    }
    all.values_mut().for_each(|lines| lines.sort_by_key(|line| line.time));
    let mut raised = Vec::new();
    for ((service, text), lines) in &all {
        let times: Vec<Time> = lines.iter().map(|line| line.time).collect();
        let until = |time: Time| times.partition_point(|known| *known < time);
        let mut quiet_until = begin + WARM;
        for line in lines {
            let fresh = until(line.time) == 0;
            let before = until(line.time - Span::seconds(30)) - until(line.time - Span::seconds(150));
            let after = until(line.time + Span::seconds(30)) - until(line.time);
            let bad = line.severity != "info";
            if line.time < quiet_until {
                continue;
            }
            let kind = if fresh {
                Kind::NewTemplate
            } else if after >= 20 && after > 8 * (before / 4).max(1) {
                Kind::BurstingTemplate
            } else {
                continue;
            };
            if !bad && (kind != Kind::NewTemplate || after < 3) {
                continue;
            }
            quiet_until = line.time + Span::seconds(180);
            raised.push(finding(kind, service, text, line, before, after));
        }
    }
    raised
}

#[allow(clippy::cast_precision_loss)]
fn finding(kind: Kind, service: &str, text: &str, line: &RecordedLine, before: usize, after: usize) -> Raised {
    Raised {
        kind,
        service: service.to_owned(),
        title: format!("{service} logs something"),
        at: line.time,
        until: line.time + Span::seconds(30),
        template: Some(Template {
            id: hindcast_domain::id::derive(&[service.as_bytes(), text.as_bytes()]),
            version: 1,
            text: text.to_owned(),
            sample: line.message.clone(),
        }),
        metric: None,
        request: None,
        before: before as f64 / 2.0,
        after: after as f64 * 2.0,
        count: after as u64,
        score: if line.severity == "info" { 550 } else { 900 },
        level: Some(line.severity.as_str().into()),
        incident: None,
        detector: 1,
    }
}

/// Every word with a digit becomes `<*>`, and so does what varies in a request.
fn masked(message: &str) -> String {
    message
        .split_whitespace()
        .map(|word| if word.bytes().any(|b| b.is_ascii_digit()) || word.contains('?') { "<*>" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Metrics whose level after an onset is another than before.
pub fn shifts(
    series: &BTreeMap<(String, String), Vec<(Time, f64)>>,
    onset: Time,
    incident: &IncidentId,
) -> Vec<Raised> {
    let mut raised = Vec::new();
    for ((service, metric), points) in series {
        let within = |from: Time, to: Time| -> Vec<f64> {
            points.iter().filter(|(at, _)| *at >= from && *at < to).map(|(_, value)| *value).collect()
        };
        let before = within(onset - Span::seconds(120), onset - Span::seconds(15));
        let after = within(onset - Span::seconds(4), onset + Span::seconds(24));
        if before.len() < 8 || after.len() < 5 {
            continue;
        }
        let (low, high) = (median(&before), median(&after));
        let spread: Vec<f64> = before.iter().map(|value| (value - low).abs()).collect();
        let scale = (1.5 * median(&spread)).max(0.05 * low.abs()).max(1e-6);
        let sure = (high - low).abs() / scale;
        if sure < 8.0 {
            continue;
        }
        let half = low + 0.5 * (high - low);
        let moved = |value: f64| if high > low { value >= half } else { value <= half };
        let at = points.iter().find(|(at, value)| *at >= onset - Span::seconds(20) && moved(*value)).unwrap().0;
        #[allow(clippy::cast_possible_truncation)]
        let score = (1_000.0 * sure / (sure + 4.0)) as i32;
        raised.push(Raised {
            kind: Kind::MetricShift,
            service: service.clone(),
            title: format!("{metric} of {service} moved"),
            at,
            until: onset + Span::seconds(24),
            template: None,
            metric: Some(metric.clone()),
            request: None,
            before: low,
            after: high,
            count: after.len() as u64,
            score,
            level: None,
            incident: Some(incident.clone()),
            detector: 1,
        });
    }
    raised
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
