//! Reading bodies: bounded in bytes and depth, unpacked where they are packed.

use std::io::Read;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use hindcast_api::Code;
use hindcast_domain::limits::{JSON_DEPTH_MAX, REQUEST_BYTES_MAX};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use crate::refusal::{HttpRefusal, Result};

/// Bytes of a body that is too large which are read before it is refused.
const DRAINED_BYTES_MAX: usize = 4 * REQUEST_BYTES_MAX;

/// Reads a whole body, at most 16 MiB before and after unpacking (`gzip`).
///
/// # Errors
/// 413 when it is too large, 400 when it breaks off or does not unpack, 415 for another encoding.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes> {
    let too_large = || HttpRefusal::new(Code::TooLarge, format!("expected at most {REQUEST_BYTES_MAX} bytes"));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > REQUEST_BYTES_MAX as u64) {
        drain(body).await;
        return Err(too_large());
    }
    let raw = match Limited::new(body, REQUEST_BYTES_MAX).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(_) => {
            return Err(HttpRefusal::new(Code::Malformed, "the body broke off before its end"));
        }
    };
    match headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()) {
        None | Some("" | "identity") => Ok(raw),
        Some("gzip" | "x-gzip") => unpack(&raw).ok_or_else(too_large)?,
        Some(other) => {
            Err(HttpRefusal::new(Code::UnsupportedMediaType, format!("expected gzip or no encoding, got {other:?}")))
        }
    }
}

/// Reads on for a while and keeps nothing: a sender that is still writing would not hear the answer.
async fn drain(mut body: Body) {
    let mut left = DRAINED_BYTES_MAX;
    while left > 0 {
        match body.frame().await {
            Some(Ok(frame)) => left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) | None => return,
        }
    }
}

/// `None` when it is too large.
fn unpack(raw: &[u8]) -> Option<Result<Bytes>> {
    let mut plain = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(raw).take(REQUEST_BYTES_MAX as u64 + 1);
    if reader.read_to_end(&mut plain).is_err() {
        return Some(Err(HttpRefusal::new(Code::Malformed, "expected a gzip body, it does not unpack")));
    }
    (plain.len() <= REQUEST_BYTES_MAX).then(|| Ok(Bytes::from(plain)))
}

/// Reads JSON of at most 64 levels. A text that is broken, as senders write it that cut an emoji in two or know Latin-1
/// alone, costs its broken characters, which become U+FFFD, and nothing beside them.
///
/// # Errors
/// 400 when it is not JSON or nested deeper.
pub fn json(body: &[u8]) -> Result<Value> {
    if depth(body) > JSON_DEPTH_MAX {
        return Err(HttpRefusal::new(Code::OverLimit, format!("expected at most {JSON_DEPTH_MAX} levels of nesting")));
    }
    let read = serde_json::from_slice(body);
    let read = read.or_else(|error| mended(body).map_or(Err(error), |text| serde_json::from_str(&text)));
    read.map_err(|error| HttpRefusal::new(Code::Malformed, format!("expected JSON: {error}")))
}

/// The body with U+FFFD for bytes that are no UTF-8 and for halves of surrogate pairs, and without a byte order mark;
/// nothing where there is nothing to mend.
#[must_use]
pub fn mended(body: &[u8]) -> Option<String> {
    const HEX: usize = 4;
    let unmarked = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let text = String::from_utf8_lossy(unmarked);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    let unit = |rest: &str| {
        let digits = rest.strip_prefix("\\u")?.get(..HEX)?;
        u32::from_str_radix(digits, 16).ok()
    };
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let length = match (unit(from), from.get(HEX + 2..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * (HEX + 2),
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = from.get(HEX + 2..).unwrap_or_default();
                continue;
            }
            (Some(_), _) => HEX + 2,
            // An escape of one character, which may be a backslash.
            (None, _) => 1 + from.chars().nth(1).map_or(0, char::len_utf8),
        };
        out.push_str(from.get(..length).unwrap_or(from));
        rest = from.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    (out.as_bytes() != body).then_some(out)
}

/// The deepest nesting, without building anything: brackets outside of strings.
fn depth(body: &[u8]) -> usize {
    let (mut deepest, mut now, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        assert_eq!(depth(br#"{"a":["[[[[", {"b":"\"]"}]}"#), 3);
        assert!(json(&b"[".repeat(65)).unwrap_err().0.code == "over_limit");
        assert!(json(b"{").unwrap_err().0.code == "malformed");
    }

    #[test]
    fn a_broken_text_costs_its_broken_characters() {
        for (body, expected) in [
            (&br#"["a\ud83d","b"]"#[..], "a\u{fffd}"),
            (br#"["\udc00a\ud83d\ud83d\ude00","b"]"#, "\u{fffd}a\u{fffd}\u{1f600}"),
            (br#"["\\ud83d\u00e9\ud83dx","b"]"#, "\\ud83d\u{e9}\u{fffd}x"),
            (b"[\"caf\xe9\",\"b\"]", "caf\u{fffd}"),
            (b"\xef\xbb\xbf[\"a\",\"b\"]", "a"),
        ] {
            let value = json(body).unwrap();
            assert_eq!((value[0].as_str(), value[1].as_str()), (Some(expected), Some("b")), "{value}");
        }
        assert_eq!(mended(br#"{"a":"\ud83d\ude00\n"}"#), None, "what is whole stays as it is");
        assert!(json(br#"["\ud83d"#).is_err(), "what has no end is no JSON");
    }
}
