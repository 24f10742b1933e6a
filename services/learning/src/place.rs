//! Which position a request means: a position, a time, a span back from the end. Owns how these are read;
//! refuses to know what stands there.

use hindcast_api::problem::Code;
use hindcast_api::{AsOf, Problem};
use hindcast_domain::{Span, Time};
use hindcast_ledger::{Seq, Shared, commit};

use crate::refused;

/// How long before the first judged problem a past is decided again: what fires then is known by the time it
/// counts. What fires longer begins anew with its next message, for both sides alike.
const WARM_UP: Span = Span::hours(24);

/// The last place of the ledger: its sequence, and the position of its last event; 0 where it is empty.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn head(ledger: &Shared) -> Result<(Seq, u64), Problem> {
    let unread = |error| refused::unread(&error);
    let seq = ledger.head().await.map_err(unread)?;
    let Some(record) = ledger.get(seq).await.map_err(unread)? else { return Ok((0, 0)) };
    let (header, _) = commit::decode_header(&record.payload)
        .map_err(|error| Problem::new(Code::Internal, format!("commit {seq} is damaged: {error}")))?;
    Ok((seq, commit::position(seq, (header.events as usize).saturating_sub(1))))
}

/// The last position that a request looks at, never behind the head.
///
/// # Errors
/// A text that is neither a position nor a time.
pub async fn to(queries: &hindcast_queries::Shared, asked: Option<&str>, head: u64) -> Result<u64, Problem> {
    match asked.map(str::parse).transpose()? {
        None => Ok(head),
        Some(AsOf::Position(position)) => Ok(position.min(head)),
        Some(time @ AsOf::Time(_)) => Ok(queries.moment(Some(time)).await?.0.min(head)),
    }
}

/// The first position of what is judged, for a position, a time, or a span back from `to`.
///
/// # Errors
/// A text that is none of them.
pub async fn since(queries: &hindcast_queries::Shared, asked: &str, to: u64) -> Result<u64, Problem> {
    if let Some(span) = span(asked) {
        let (_, end) = queries.moment(Some(AsOf::Position(to))).await?;
        return behind(queries, end - span).await;
    }
    let bad = |_| {
        Problem::new(
            Code::BadParameter,
            format!("expected a position, an RFC 3339 time or a span such as 30d, got {asked:?}"),
        )
    };
    match asked.parse().map_err(bad)? {
        AsOf::Position(position) => Ok(position),
        AsOf::Time(time) => behind(queries, time).await,
    }
}

/// The first position of intake that is decided again for problems from `from` on.
///
/// # Errors
/// When the views cannot say when that was.
pub async fn warm(queries: &hindcast_queries::Shared, from: u64) -> Result<u64, Problem> {
    if from <= 1 {
        return Ok(0);
    }
    let (_, at) = queries.moment(Some(AsOf::Position(from))).await?;
    Ok(behind(queries, at - WARM_UP).await?.min(from))
}

async fn behind(queries: &hindcast_queries::Shared, time: Time) -> Result<u64, Problem> {
    Ok(queries.moment(Some(AsOf::Time(time))).await?.0 + 1)
}

/// `90s`, `15m`, `12h`, `30d`, `8w`.
fn span(text: &str) -> Option<Span> {
    let text = text.trim();
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = digits.parse().ok().filter(|number| (1..=100_000).contains(number))?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    Some(Span::seconds(number * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!(span("30d"), Some(Span::hours(30 * 24)));
        assert_eq!(span("90s"), Some(Span::seconds(90)));
        for bad in ["", "d", "30", "0d", "-1d", "30y", "2026-11-20T03:12:00Z", "1é"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }
}
