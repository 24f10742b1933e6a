//! Metric series around an onset into findings. Pure; refuses to know when it is looked.

use std::collections::BTreeMap;

use hindcast_domain::catalog::Topology;
use hindcast_domain::finding::{Kind, Raised};
use hindcast_domain::{FindingId, IncidentId, Partition, Time};
use hindcast_metric_shifts::{self as shift, LevelShift, shift};
use hindcast_redact::Redactor;
use hindcast_telemetry::MetricSeries;

use crate::limits::{SERIES_MAX, SHIFTS_PER_LOOK_MAX, SHIFTS_PER_SERVICE_MAX};
use crate::raise::New;
use crate::{VERSION, words};

/// What a look found.
#[derive(Debug, Default)]
pub(crate) struct MetricLook {
    /// The surest shifts.
    pub new: Vec<New>,
    /// Shifts that were less sure and had no room.
    pub left_out: u64,
    /// Series that had no room.
    pub unseen: u64,
}

/// Compares all series; the surest of each service, and of all.
pub(crate) fn look(
    partition: &Partition,
    incident: &IncidentId,
    (onset, until): (Time, Time),
    series: &[MetricSeries],
    topology: &Topology,
) -> MetricLook {
    let shifts = series.iter().take(SERIES_MAX).filter_map(|series| {
        let shift = shift(&series.points, onset).filter(|shift| shift.score >= shift::SCORE_MIN)?;
        let numbers = [shift.before, shift.after];
        numbers.iter().all(|number| number.is_finite()).then_some((series, shift))
    });
    let mut shifts: Vec<(&MetricSeries, LevelShift)> = shifts.collect();
    let key = |series: &MetricSeries| (series.service.clone(), series.metric.clone(), series.labels.clone());
    shifts.sort_by(|(one, a), (other, b)| b.score.cmp(&a.score).then_with(|| key(one).cmp(&key(other))));
    let mut found = MetricLook { unseen: series.len().saturating_sub(SERIES_MAX) as u64, ..MetricLook::default() };
    let mut of_service: BTreeMap<&str, usize> = BTreeMap::new();
    for (series, shift) in &shifts {
        let service = topology.resolve(&series.service).unwrap_or(&series.service);
        let count = of_service.entry(service).or_default();
        if *count >= SHIFTS_PER_SERVICE_MAX || found.new.len() >= SHIFTS_PER_LOOK_MAX {
            found.left_out += 1;
            continue;
        }
        *count += 1;
        found.new.push(finding(partition, incident, (service, until), series, shift));
    }
    found
}

fn finding(
    partition: &Partition,
    incident: &IncidentId,
    (service, until): (&str, Time),
    series: &MetricSeries,
    shift: &LevelShift,
) -> New {
    let metric = Redactor::default().text(&words::cut(&words::metric(&series.metric, &series.labels), 512));
    let direction = if shift.up { "rose" } else { "fell" };
    let id = FindingId::derive(&[
        b"shift",
        incident.as_str().as_bytes(),
        service.as_bytes(),
        metric.as_bytes(),
        direction.as_bytes(),
    ]);
    let unit = if shift.as_rate { " a second" } else { "" };
    let (before, after) = (words::number(shift.before), words::number(shift.after));
    let said = format!("{service}: {metric} {direction} from {before} to {after}{unit}");
    let raised = Raised {
        kind: Kind::MetricShift,
        service: words::cut(service, 256),
        title: words::title(&said, 0),
        at: shift.at,
        until,
        template: None,
        metric: Some(metric),
        request: None,
        before: shift.before,
        after: shift.after,
        count: shift.count,
        score: shift.score,
        level: None,
        incident: Some(incident.clone()),
        detector: VERSION,
    };
    New { id, partition: partition.clone(), raised }
}
