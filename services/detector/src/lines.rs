//! Log lines into findings: what the watch of a partition calls remarkable, in the ledger's words. Pure but
//! for the watch's own state; refuses to know how a finding is written.

use hindcast_domain::catalog::Topology;
use hindcast_domain::finding::{Kind, Raised, Template};
use hindcast_domain::limits::{CLAMP_FUTURE, CLAMP_PAST};
use hindcast_domain::{FindingId, Partition, Time};
use hindcast_log_templates::trace;
use hindcast_log_templates::watch::{self, TemplateSign, WatchedLine, Weight};
use hindcast_redact::Redactor;
use hindcast_telemetry::{LogLevel, LogRecord};

use crate::raise::New;
use crate::state::PartitionStream;
use crate::{VERSION, words};

/// Takes a record; says what follows from it.
pub(crate) fn read(
    stream: &mut PartitionStream,
    partition: &Partition,
    record: &LogRecord,
    clock: Time,
    topology: &Topology,
) -> Option<New> {
    let time = believed(record.time, clock);
    stream.now = stream.now.max(time);
    // A frame that lost the record it belongs to says where and not what.
    if !record.message.contains('\n') && trace::is_frame(&record.message) {
        return None;
    }
    let text = trace::headline(&record.message);
    let line = WatchedLine { time, service: &record.service, weight: weight(record.level), text: &text };
    stream.watch.line(line).map(|sign| finding(partition, sign, topology))
}

/// A sender's clock that is far off does not move ours.
pub(crate) fn believed(time: Time, clock: Time) -> Time {
    time.clamped(clock - CLAMP_PAST, clock + CLAMP_FUTURE)
}

const fn weight(level: LogLevel) -> Weight {
    match level {
        LogLevel::Debug | LogLevel::Info => Weight::Quiet,
        LogLevel::Warning => Weight::Warning,
        LogLevel::Error => Weight::Error,
        LogLevel::Fatal => Weight::Fatal,
    }
}

const fn level(weight: Weight) -> &'static str {
    match weight {
        Weight::Quiet => "info",
        Weight::Warning => "warning",
        Weight::Error => "error",
        Weight::Fatal => "fatal",
    }
}

/// The article by sound of a line of this weight.
const fn article(weight: Weight) -> &'static str {
    match weight {
        Weight::Error => "an",
        Weight::Quiet | Weight::Warning | Weight::Fatal => "a",
    }
}

fn finding(partition: &Partition, sign: TemplateSign, topology: &Topology) -> New {
    let kind = match sign.kind {
        watch::TemplateSignKind::New => Kind::NewTemplate,
        watch::TemplateSignKind::Burst => Kind::BurstingTemplate,
    };
    let id = FindingId::derive(&[
        b"lines",
        partition.to_string().as_bytes(),
        sign.service.as_bytes(),
        sign.template.as_bytes(),
        kind.name().as_bytes(),
        level(sign.weight).as_bytes(),
        &sign.at.nanos().to_be_bytes(),
    ]);
    let service = topology.resolve(&sign.service).unwrap_or(&sign.service).to_owned();
    let mut redactor = Redactor::default();
    let text = redactor.text(&sign.text);
    let bad = if sign.weight > Weight::Quiet { format!("{} ", level(sign.weight)) } else { String::new() };
    let said = match kind {
        Kind::NewTemplate => {
            format!("{service} writes {} {bad}line that it never wrote before: {text}", article(sign.weight))
        }
        _ => format!(
            "{service} writes {} {bad}lines a minute, {} before: {text}",
            words::number(sign.after),
            words::number(sign.before)
        ),
    };
    let raised = Raised {
        kind,
        service: words::cut(&service, 256),
        title: words::title(&said, sign.left_out),
        at: sign.at,
        until: sign.until,
        template: Some(Template {
            id: sign.template,
            version: sign.version,
            text,
            sample: redactor.text(&sign.sample),
        }),
        metric: None,
        request: None,
        before: sign.before,
        after: sign.after,
        count: sign.count,
        score: sign.score,
        level: Some(level(sign.weight).into()),
        incident: None,
        detector: VERSION,
    };
    New { id, partition: partition.clone(), raised }
}
