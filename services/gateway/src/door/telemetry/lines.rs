//! Log lines as JSON: newline-delimited, a list, or a single object. Owns how a body becomes lines and what its
//! sender is answered; refuses to lose the good lines for a bad one.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hindcast_api::{Accepted, Code, Problem};
use hindcast_domain::Time;
use hindcast_domain::event::RejectedItem;
use hindcast_domain::words::ItemFault;
use hindcast_http::{HttpRefusal, Result};
use serde_json::Value;

use super::intake::{Intake, RecordKind};
use super::reading::{keep, media, off, store};
use super::{RECORDS_MAX, fields, line, too_many};
use crate::Gateway;
use crate::auth::Verified;
use crate::format::Bad;
use crate::source::Source;

/// What is read as lines of JSON.
const MEDIA: [&str; 7] = [
    "",
    "application/json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "text/plain",
];

/// Whether a body says that it is what is read here.
pub(crate) fn is_lines(headers: &HeaderMap) -> Result<()> {
    let kind = media(headers);
    if MEDIA.contains(&kind.as_str()) {
        return Ok(());
    }
    let problem = Problem::new(Code::UnsupportedMediaType, format!("expected lines of JSON, got {kind:.64?}"));
    Err(HttpRefusal(problem.remedy("Send application/x-ndjson, one JSON object a line.")))
}

/// Takes the lines of a source; answered once they are on disk.
pub(crate) async fn take(gateway: &Gateway, source: Arc<Source>, body: Verified<Bytes>) -> Result<Response> {
    store(gateway)?;
    let body = body.into_parts().0;
    let now = gateway.now();
    let mut intake = off(body.len(), move || read(&body, &source, now)).await?;
    if intake.taken == 0 {
        intake.count_bad(&gateway.inner.metrics);
        return Err(none_good(&intake));
    }
    keep(gateway, &mut intake).await?;
    let position = gateway.queries().map_or(0, |queries| *queries.position().borrow());
    let mut rejected = std::mem::take(&mut intake.rejected);
    rejected.extend(unlisted(intake.bad, rejected.len()));
    let accepted = Accepted { accepted: intake.taken, position, rejected, unmapped: Vec::new(), receipts: Vec::new() };
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// The refusal of a request of which nothing is good.
fn none_good(intake: &Intake) -> HttpRefusal {
    let Some(first) = intake.rejected.first() else {
        let problem = Problem::new(Code::Invalid, "expected at least one line, got none");
        return HttpRefusal(problem.remedy("Send one JSON object a line."));
    };
    let detail = match intake.bad {
        1 => format!("line {}: {}", first.index, first.detail),
        many => format!("none of {many} lines is good; line {}: {}", first.index, first.detail),
    };
    HttpRefusal(Problem::new(Code::Invalid, detail).remedy(first.remedy.clone()))
}

/// What stands for the bad lines that an answer does not list.
fn unlisted(bad: u64, listed: usize) -> Option<RejectedItem> {
    let more = bad.saturating_sub(listed as u64);
    (more > 0).then(|| RejectedItem {
        index: u32::MAX,
        code: ItemFault::NotListed,
        detail: format!("{more} more lines are bad and not listed"),
        remedy: "Correct the lines that are listed, and send fewer lines per request.".to_owned(),
    })
}

fn read(body: &[u8], source: &Source, now: Time) -> Result<Intake> {
    let default = source.service.as_deref().unwrap_or(&source.name);
    let mut intake = Intake::new(RecordKind::Log, now, default);
    let mut lines = 0;
    each(body, |index, value| {
        lines = index + 1;
        if lines > RECORDS_MAX {
            return Err(too_many("lines", RECORDS_MAX));
        }
        let line = value.and_then(|value| fields::line(value, now)).map(|mut line| {
            line.environment = source.environment.clone().or(line.environment.take());
            // Fields without a text are what it says.
            if line.message.trim().is_empty()
                && let Some(said) = line::said(&line.labels)
            {
                line.message = said;
                intake.mend("text", 1);
            }
            line
        });
        if let Err(bad) = line.and_then(|line| intake.line(line)) {
            intake.reject(index, 1, &bad);
        }
        intake.check_room()
    })?;
    Ok(intake)
}

/// Hands out the values of a body, numbered from 0; what is no JSON is bad by itself.
fn each(body: &[u8], mut on: impl FnMut(usize, std::result::Result<Value, Bad>) -> Result<()>) -> Result<()> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii();
    let one = match body.first() {
        // A line that is a list by itself is a bad line, and no list of all.
        Some(b'[') => match hindcast_http::json(body) {
            Err(_) if first_line(body).is_some_and(|line| parsed(line).is_ok()) => None,
            list => Some(list?),
        },
        // A single object may be written over many lines.
        Some(b'{') if first_line(body).is_some_and(|line| parsed(line).is_err()) => hindcast_http::json(body).ok(),
        _ => None,
    };
    match one {
        Some(Value::Array(items)) => items.into_iter().enumerate().try_for_each(|(index, item)| on(index, Ok(item))),
        Some(one) => on(0, Ok(one)),
        None => {
            let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
            lines.enumerate().try_for_each(|(index, line)| on(index, parsed(line)))
        }
    }
}

/// The first line of a body that has several.
fn first_line(body: &[u8]) -> Option<&[u8]> {
    let end = body.iter().position(|byte| *byte == b'\n')?;
    body.get(..end)
}

fn parsed(line: &[u8]) -> std::result::Result<Value, Bad> {
    hindcast_http::json(line).map_err(|HttpRefusal(problem)| {
        let code = if problem.code == Code::OverLimit { "over_limit" } else { "malformed" };
        Bad::new(code, problem.detail, "Write one JSON object a line.")
    })
}
