//! OTLP log records as lines. Owns which field says what; refuses to read bytes.

use hindcast_http::Result;
use hindcast_telemetry::LogLevel;

use super::super::intake::Intake;
use super::super::line::{Line, said};
use super::super::wire::Shape;
use super::super::{RECORDS_MAX, too_many};
use super::messages::{ExportLogs, OtlpLogRecord};
use super::value::{ANY, ATTRIBUTE, Origin, RESOURCE, id, labels, text, time};

/// The nesting of an export of logs.
pub(super) static SHAPE: Shape = Shape(&[(1, &RESOURCE_LOGS)]);
static RESOURCE_LOGS: Shape = Shape(&[(1, &RESOURCE), (2, &SCOPE_LOGS)]);
static SCOPE_LOGS: Shape = Shape(&[(2, &RECORD)]);
static RECORD: Shape = Shape(&[(5, &ANY), (6, &ATTRIBUTE)]);

/// What stands for a record that says nothing at all.
const NO_TEXT: &str = "(no text)";

/// Gathers all records of an export.
pub(super) fn gather(request: ExportLogs, intake: &mut Intake) -> Result<()> {
    let mut index = 0;
    for resource in request.resource_logs {
        let origin = Origin::of(&resource.resource.unwrap_or_default().attributes);
        for record in resource.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            if index >= RECORDS_MAX {
                return Err(too_many("records", RECORDS_MAX));
            }
            let line = line(&origin, record);
            intake.mend("text", u64::from(line.message == NO_TEXT));
            if let Err(bad) = intake.line(line) {
                intake.reject(index, 1, &bad);
            }
            intake.check_room()?;
            index += 1;
        }
    }
    Ok(())
}

fn line(origin: &Origin, record: OtlpLogRecord) -> Line {
    let mut own = labels(&record.attributes);
    for (name, bytes) in [("trace_id", &record.trace_id), ("span_id", &record.span_id)] {
        let id = id(bytes);
        if !id.is_empty() {
            own.insert(name.to_owned(), id);
        }
    }
    let message = text(record.body.as_ref()).filter(|text| !text.trim().is_empty());
    let level = match (record.severity_number, record.severity_text.trim()) {
        (0, "") => None,
        (0, word) => Some(LogLevel::of_word(word)),
        (number, _) => Some(LogLevel::of_otel(number)),
    };
    // An event may have no body: then its exception, its name, or what its attributes say is the line.
    let message = message.or_else(|| own.get("exception.message").cloned());
    let message = message.or_else(|| Some(record.event_name).filter(|name| !name.trim().is_empty()));
    let message = message.or_else(|| said(&own)).unwrap_or_else(|| NO_TEXT.to_owned());
    Line {
        environment: origin.environment.clone(),
        time: time(record.time_unix_nano).or_else(|| time(record.observed_time_unix_nano)),
        service: origin.service.clone(),
        level,
        message,
        time_unread: false,
        labels: origin.with(own),
    }
}
