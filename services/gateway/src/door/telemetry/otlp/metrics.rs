//! OTLP metrics as samples. Owns how each kind of metric becomes plain series: a gauge and a sum as they are, a
//! histogram as `_count` and `_sum`, a summary as these and one series a quantile. Buckets are not kept.

use crate::door::telemetry::RecordLabels;
use hindcast_http::Result;

use super::super::intake::Intake;
use super::super::wire::{LEAF, Shape};
use super::super::{RECORDS_MAX, too_many};
use super::messages::{ExportMetrics, KeyValue, Metric, NumberPoint, SummaryPoint};
use super::value::{ATTRIBUTE, Origin, RESOURCE, labels, time};

/// The nesting of an export of metrics.
pub(super) static SHAPE: Shape = Shape(&[(1, &RESOURCE_METRICS)]);
static RESOURCE_METRICS: Shape = Shape(&[(1, &RESOURCE), (2, &SCOPE_METRICS)]);
static SCOPE_METRICS: Shape = Shape(&[(2, &METRIC)]);
static METRIC: Shape = Shape(&[(5, &NUMBERS), (7, &NUMBERS), (9, &HISTOGRAM), (10, &EXPONENTIAL), (11, &SUMMARY)]);
static NUMBERS: Shape = Shape(&[(1, &NUMBER)]);
static NUMBER: Shape = Shape(&[(7, &ATTRIBUTE)]);
static HISTOGRAM: Shape = Shape(&[(1, &HISTOGRAM_POINT)]);
static HISTOGRAM_POINT: Shape = Shape(&[(9, &ATTRIBUTE)]);
static EXPONENTIAL: Shape = Shape(&[(1, &EXPONENTIAL_POINT)]);
static EXPONENTIAL_POINT: Shape = Shape(&[(1, &ATTRIBUTE)]);
static SUMMARY: Shape = Shape(&[(1, &SUMMARY_POINT)]);
static SUMMARY_POINT: Shape = Shape(&[(6, &LEAF), (7, &ATTRIBUTE)]);

/// The flag of a point that has no value: its series ended.
const NO_VALUE: u32 = 1;

/// One value of a metric, on its way to a sample.
struct MetricPoint<'a> {
    suffix: &'static str,
    attributes: &'a [KeyValue],
    quantile: Option<f64>,
    time: u64,
    /// `None`: the sender says that there is none.
    value: Option<f64>,
}

/// Gathers all points of an export.
pub(super) fn gather(request: ExportMetrics, intake: &mut Intake) -> Result<()> {
    let mut index = 0;
    for resource in request.resource_metrics {
        let origin = Origin::of(&resource.resource.unwrap_or_default().attributes);
        for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            for point in points(metric) {
                if index >= RECORDS_MAX {
                    return Err(too_many("data points", RECORDS_MAX));
                }
                take(&origin, metric, &point, index, intake);
                intake.check_room()?;
                index += 1;
            }
        }
    }
    Ok(())
}

fn take(origin: &Origin, metric: &Metric, point: &MetricPoint<'_>, index: usize, intake: &mut Intake) {
    let Some(value) = point.value else {
        intake.skip();
        return;
    };
    let mut own: RecordLabels = labels(point.attributes);
    own.extend(point.quantile.map(|quantile| ("quantile".to_owned(), quantile.to_string())));
    let name = if metric.name.is_empty() { String::new() } else { format!("{}{}", metric.name, point.suffix) };
    match intake.place(origin.environment.as_deref(), origin.service.as_deref(), &name, origin.with(own)) {
        Ok(place) => intake.sample(&place, time(point.time), value),
        Err(bad) => intake.reject(index, 1, &bad),
    }
}

fn points(metric: &Metric) -> Vec<MetricPoint<'_>> {
    let numbers = [&metric.gauge, &metric.sum].into_iter().flatten().flat_map(|numbers| &numbers.data_points);
    let mut points: Vec<MetricPoint<'_>> = numbers.map(of_number).collect();
    for point in metric.histogram.iter().flat_map(|histogram| &histogram.data_points) {
        points.extend(of_counted(&point.attributes, point.time_unix_nano, point.count, point.sum, point.flags));
    }
    for point in metric.exponential_histogram.iter().flat_map(|histogram| &histogram.data_points) {
        points.extend(of_counted(&point.attributes, point.time_unix_nano, point.count, point.sum, point.flags));
    }
    for point in metric.summary.iter().flat_map(|summary| &summary.data_points) {
        points.extend(of_summary(point));
    }
    points
}

#[allow(clippy::cast_precision_loss)] // samples are doubles
fn of_number(point: &NumberPoint) -> MetricPoint<'_> {
    let value = point.as_double.or(point.as_int.map(|whole| whole as f64)).filter(|_| point.flags & NO_VALUE == 0);
    MetricPoint { suffix: "", attributes: &point.attributes, quantile: None, time: point.time_unix_nano, value }
}

/// `_count`, and `_sum` where there is one.
#[allow(clippy::cast_precision_loss)] // samples are doubles
fn of_counted(
    attributes: &[KeyValue],
    time: u64,
    count: u64,
    sum: Option<f64>,
    flags: u32,
) -> impl Iterator<Item = MetricPoint<'_>> {
    let there = flags & NO_VALUE == 0;
    let count =
        MetricPoint { suffix: "_count", attributes, quantile: None, time, value: Some(count as f64).filter(|_| there) };
    let sum = sum.map(|sum| MetricPoint {
        suffix: "_sum",
        attributes,
        quantile: None,
        time,
        value: Some(sum).filter(|_| there),
    });
    std::iter::once(count).chain(sum)
}

fn of_summary(point: &SummaryPoint) -> impl Iterator<Item = MetricPoint<'_>> {
    let (attributes, time) = (point.attributes.as_slice(), point.time_unix_nano);
    let there = point.flags & NO_VALUE == 0;
    // Protobuf leaves a sum of 0 out, and so a quantile 0 and a value 0.
    let counted = of_counted(attributes, time, point.count, Some(point.sum.unwrap_or_default()), point.flags);
    counted.chain(point.quantile_values.iter().map(move |at| MetricPoint {
        suffix: "",
        attributes,
        quantile: Some(at.quantile.unwrap_or_default()),
        time,
        value: Some(at.value.unwrap_or_default()).filter(|_| there),
    }))
}
