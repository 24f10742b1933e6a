//! genai's errors in the words of the port: what kind of failure it is, and never the key.

use genai::webc::StreamTimeout;
use hindcast_llm::{Bounds, Error};

/// Letters of a server's own words that are told.
const WORDS_MAX: usize = 300;
/// Causes that are looked through.
const DEPTH_MAX: usize = 12;

/// The port's error.
pub(crate) fn of(error: &genai::Error, bounds: Bounds, key: Option<&str>) -> Error {
    match error {
        genai::Error::HttpError { status, body, .. } => refused(status.as_u16(), body, key),
        genai::Error::ChatResponse { body, .. } => Error::Refused(told(&body.to_string(), key)),
        genai::Error::StreamParse { serde_error, .. } => Error::Malformed(told(&serde_error.to_string(), key)),
        genai::Error::WebStream { error, .. } => of_stream(&**error, bounds, key),
        genai::Error::WebModelCall { webc_error, .. } => Error::Malformed(told(&webc_error.to_string(), key)),
        other => Error::Malformed(told(&other.to_string(), key)),
    }
}

/// An error of the transport: the innermost cause that says what it is.
fn of_stream(error: &(dyn std::error::Error + Send + Sync + 'static), bounds: Bounds, key: Option<&str>) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut last = String::new();
    for _ in 0..DEPTH_MAX {
        let Some(this) = cause else { break };
        if this.downcast_ref::<StreamTimeout>().is_some() {
            return Error::Timeout(bounds.timeout);
        }
        if let Some(genai::Error::HttpError { status, body, .. }) = this.downcast_ref() {
            return refused(status.as_u16(), body, key);
        }
        if let Some(http) = this.downcast_ref::<reqwest::Error>()
            && http.is_timeout()
        {
            return Error::Timeout(bounds.timeout);
        }
        last = this.to_string();
        cause = this.source();
    }
    if error.downcast_ref::<std::string::FromUtf8Error>().is_some() {
        return Error::Malformed("it is no UTF-8".to_owned());
    }
    Error::Unreachable(told(&last, key))
}

fn refused(status: u16, body: &str, key: Option<&str>) -> Error {
    // Most say it in {"error": {"message": …}}; what says it otherwise is shown as it is.
    let words = serde_json::from_str::<serde_json::Value>(body).ok();
    let message = words.as_ref().and_then(|words| {
        let said = words.pointer("/error/message").or_else(|| words.get("error")).or_else(|| words.get("message"));
        said.and_then(|said| said.as_str())
    });
    Error::Refused(told(&format!("{status} {}", message.unwrap_or(body)), key))
}

/// A server's words: in one line, cut, and without the key that some of them repeat.
fn told(text: &str, key: Option<&str>) -> String {
    let text = match key {
        Some(key) => text.replace(key, "[key]"),
        None => text.to_owned(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(WORDS_MAX).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
