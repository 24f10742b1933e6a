//! What comes in: requests, alerts, telemetry, and what of it is refused, redacted or set aside.

use super::declared::NameSet::{RefusalCodes, SecretKinds, Sources};
use super::declared::{FAST, LabelDeclaration, MetricDeclaration, any, counter, gauge, histogram, named, words};

/// Codes of bad items in a request whose other items may be good.
pub const ITEM_CODES: &[&str] = &[
    "bad_labels",
    "bad_time",
    "environments",
    "malformed",
    "no_change",
    "no_labels",
    "no_message",
    "no_name",
    "no_title",
    "not_an_object",
    "out_of_order",
    "over_limit",
];

const RECORD: LabelDeclaration = words("kind", &["log", "sample", "span"]);

pub(super) const ALL: &[MetricDeclaration] = &[
    counter(
        "hindcast_requests_total",
        "Requests to the intake endpoints, by route and status",
        &[any("door"), any("code")],
    ),
    histogram(
        "hindcast_intake_seconds",
        "Seconds from a request's head to the 2xx that says that its content is durable",
        FAST,
        &[words("kind", &["alerts", "telemetry"])],
    ),
    counter(
        "hindcast_intake_refused_total",
        "Requests that the intake endpoints refused, by code; nothing else of them is kept",
        &[named("code", RefusalCodes)],
    ),
    counter("hindcast_alerts_received_total", "Accepted alerts, repeats included", &[named("source", Sources)]),
    counter(
        "hindcast_alerts_rejected_total",
        "Items of requests that failed validation",
        &[named("source", Sources), words("code", ITEM_CODES)],
    ),
    counter(
        "hindcast_alerts_parked_total",
        "Dead letters that were stored: items that failed validation in a request whose other items were accepted",
        &[named("source", Sources)],
    ),
    counter(
        "hindcast_redacted_total",
        "Secrets that were replaced before anything was stored",
        &[named("kind", SecretKinds)],
    ),
    counter("hindcast_telemetry_records_total", "Accepted log records, samples and spans", &[RECORD]),
    counter(
        "hindcast_telemetry_rejected_total",
        "Log records, samples and spans that failed validation",
        &[RECORD, words("code", ITEM_CODES)],
    ),
    counter("hindcast_telemetry_skipped_total", "Samples without a value", &[RECORD]),
    counter(
        "hindcast_telemetry_truncated_total",
        "Log records, samples and spans that were cut to their bounds",
        &[RECORD],
    ),
    counter(
        "hindcast_telemetry_mended_total",
        "Values of log records, samples and spans that were missing or could not be read, while the record was kept",
        &[RECORD, words("what", &["duration", "id", "name", "no_time", "text", "time", "value"])],
    ),
    counter(
        "hindcast_syslog_dropped_total",
        "Connections and datagrams of syslog that were not read: from an address that may not send, or beyond what fits",
        &[words("why", &["address", "connections", "queue"])],
    ),
    gauge("hindcast_telemetry_kept_records", "Log records, samples and spans that are stored", &[]),
    gauge("hindcast_telemetry_kept_bytes", "Bytes of stored telemetry", &[]),
    gauge("hindcast_telemetry_pinned_bytes", "Bytes of telemetry that are pinned to incidents and do not expire", &[]),
    gauge("hindcast_telemetry_retention_hours", "The configured retention of telemetry in hours", &[]),
    gauge("hindcast_telemetry_max_bytes", "The configured size of the telemetry store in bytes", &[]),
    counter("hindcast_telemetry_expired_total", "Log records, samples and spans that expired", &[]),
    counter("hindcast_telemetry_damaged_total", "Blocks of telemetry that could not be read", &[]),
    counter(
        "hindcast_findings_total",
        "Findings that the detector raised",
        &[words("kind", &["new_template", "bursting_template", "metric_shift"])],
    ),
    counter("hindcast_findings_left_out_total", "Findings over the detector's bounds, which were not raised", &[]),
    counter("hindcast_evidence_pinned_total", "Windows of telemetry that were pinned to an incident", &[]),
    counter("hindcast_detector_lines_total", "Log records that the detector read", &[]),
    counter("hindcast_detector_lines_left_out_total", "Log records over the detector's bounds", &[]),
    counter("hindcast_detector_series_left_out_total", "Series over the detector's bounds", &[]),
    counter("hindcast_detector_incidents_left_out_total", "Incidents over the detector's bounds", &[]),
    counter(
        "hindcast_detector_failures_total",
        "Failed steps of the detector, which are tried again",
        &[words("step", &["begin", "incidents", "look", "raise", "snapshot", "telemetry"])],
    ),
    gauge("hindcast_detector_incidents", "Incidents whose telemetry the detector watches", &[]),
    gauge("hindcast_detector_templates", "Log templates that the detector knows", &[]),
];
