//! The wire: one client that follows no redirect, replies read up to a bound, and refusals as errors with a
//! remedy. Refuses to show addresses, tokens and long texts of others.

use std::time::Duration;

use hindcast_messaging::chat::Error;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use hindcast_messaging::Misconfigured;

/// The most that a reply to a message may be long, in bytes.
pub(crate) const REPLY_MAX: usize = 64 * 1024;
/// The longest that we are put off by a `Retry-After`.
const PUT_OFF_MAX: Duration = Duration::from_secs(3600);
/// The most that is shown of a vendor's words, in characters.
const WORDS_MAX: usize = 160;

/// A client of which no attempt takes longer than `timeout`.
pub(crate) fn client(timeout: Duration) -> Result<Client, Misconfigured> {
    let connect = timeout.min(Duration::from_secs(5));
    Client::builder()
        .timeout(timeout)
        .connect_timeout(connect)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("hindcast")
        .build()
        .map_err(|error| Misconfigured {
            what: "teams",
            expected: "an HTTP client that can be made",
            got: error.without_url().to_string(),
        })
}

/// Why nothing came back, without the address.
pub(crate) fn unreached(who: &str, error: reqwest::Error) -> Error {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off"
    };
    let error = error.without_url();
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    Error::Again { detail: format!("{who} {what}: {}", plain(&deepest.to_string())), after: None }
}

/// The whole of a reply.
///
/// # Errors
/// When it breaks off or is longer than `max` bytes: what became of the request is then unknown.
pub(crate) async fn body(who: &str, mut response: Response, max: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreached(who, error))? {
        if bytes.len() + chunk.len() > max {
            return Err(Error::Again { detail: format!("{who} answered more than {max} bytes"), after: None });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// How long a reply wants us to wait.
fn after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(PUT_OFF_MAX))
}

/// A refusal as an error: what came, and what to do.
pub(crate) async fn refusal(who: &str, response: Response) -> Error {
    let status = response.status();
    let after = after(&response);
    // A refusal without words is a refusal all the same.
    let said = body(who, response, REPLY_MAX).await.unwrap_or_default();
    let (code, words) = vendors_words(&said);
    told(who, status, after, &code, &words)
}

/// The vendor's code and words, where it gave any.
fn vendors_words(said: &[u8]) -> (String, String) {
    let said: Value = serde_json::from_slice(said).unwrap_or_default();
    let word = |key: &str| plain(said["error"][key].as_str().or_else(|| said[key].as_str()).unwrap_or_default());
    let code = word("code");
    (if code.chars().all(|c| c.is_ascii_alphanumeric()) { code } else { String::new() }, word("message"))
}

fn told(who: &str, status: StatusCode, after: Option<Duration>, code: &str, words: &str) -> Error {
    let number = status.as_u16();
    let came =
        if code.is_empty() { format!("{who} answered {number}") } else { format!("{who} answered {number} {code}") };
    match number {
        408 | 412 | 425 | 429 => Error::Again { detail: format!("{came}: too much or too soon"), after },
        500.. => Error::Again { detail: came, after },
        404 | 410 => Error::Gone(format!("{came}: the conversation or message is no more")),
        413 => Error::Never(format!("{came}: the message is too large")),
        401 => Error::Never(format!("{came}: it refuses our token; check the app id, its password and tenant")),
        403 => Error::Never(format!("{came}: {}", remedy(code))),
        300..=399 => Error::Never(format!("{came}: redirects are not followed; check the address")),
        _ if code == "MessageSizeTooBig" => Error::Never(format!("{came}: the message is too large")),
        _ if words.is_empty() => Error::Never(came),
        _ => Error::Never(format!("{came}: {words}")),
    }
}

/// What to do about a refusal of rights.
fn remedy(code: &str) -> &'static str {
    match code {
        "BotDisabledByAdmin" => "an administrator disabled the app; have it allowed in the Teams admin center",
        "BotNotInConversationRoster" => "the app is not in that conversation; add it to the team or chat",
        "ConversationBlockedByUser" => "the person blocked the app; ask them to unblock it",
        "InvalidBotApiHost" => "the service URL is not that of the conversation; check teams.service_url",
        "NotEnoughPermissions" => "the app may not do that there; check its permissions in the team",
        _ => "the app may not write there; check that it is installed, allowed, and in the conversation",
    }
}

/// A text of others in one short line. What looks like a token is taken out.
fn plain(text: &str) -> String {
    let line: String = text.chars().take(WORDS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    // A base64url JSON object begins so; no word of a language does.
    if line.contains("eyJ") { String::new() } else { line.trim().to_owned() }
}

/// An identifier as one segment of a path. `None` where it cannot be one: empty, of dots alone, or too long.
pub(crate) fn segment(id: &str) -> Option<String> {
    let odd = id.is_empty() || id.len() > 1024 || id.bytes().all(|byte| byte == b'.') || id.contains(char::is_control);
    (!odd).then(|| encoded(id))
}

/// Percent-encoded, all but what no URL gives a meaning to.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").ok();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, code: &str) -> Error {
        told("it", StatusCode::from_u16(status).unwrap(), Some(Duration::from_secs(7)), code, "words")
    }

    #[test]
    fn a_refusal_says_whether_to_try_again_and_what_to_do() {
        for again in [408, 412, 429, 500, 502, 503, 504] {
            assert!(matches!(kind(again, ""), Error::Again { after: Some(_), .. }), "{again}");
        }
        for gone in [404, 410] {
            assert!(matches!(kind(gone, ""), Error::Gone(_)), "{gone}");
        }
        for never in [301, 307, 400, 401, 403, 405, 413] {
            assert!(matches!(kind(never, ""), Error::Never(_)), "{never}");
        }
        assert!(kind(403, "BotDisabledByAdmin").to_string().contains("admin center"));
        assert!(kind(403, "BotNotInConversationRoster").to_string().contains("add it"));
        assert!(kind(400, "MessageSizeTooBig").to_string().contains("too large"));
        assert_eq!(kind(400, "BadSyntax").to_string(), "it answered 400 BadSyntax: words");
    }

    #[test]
    fn words_of_others_are_short_plain_and_hold_no_token() {
        let said = |message: &str| {
            vendors_words(
                &serde_json::to_vec(&serde_json::json!({"error": {"code": "Bad", "message": message}})).unwrap(),
            )
        };
        assert_eq!(said("a\nb"), ("Bad".to_owned(), "a b".to_owned()));
        assert_eq!(said(&"x".repeat(9999)).1.len(), WORDS_MAX);
        assert_eq!(said("token eyJhbGciOiJSUzI1NiJ9.e30.c2ln").1, "");
        assert_eq!(vendors_words(b"<html>"), (String::new(), String::new()));
        assert_eq!(vendors_words(br#"{"error":{"code":"<b>","message":7}}"#), (String::new(), String::new()));
    }

    #[test]
    fn an_identifier_stays_one_segment() {
        assert_eq!(segment("19:a@thread.tacv2;messageid=1").unwrap(), "19%3Aa%40thread.tacv2%3Bmessageid%3D1");
        assert_eq!(segment("../admin?x#y").unwrap(), "..%2Fadmin%3Fx%23y");
        assert_eq!(segment("ü%2e").unwrap(), "%C3%BC%252e");
        for odd in ["", ".", "..", "...", "a\nb", &"x".repeat(2000)] {
            assert_eq!(segment(odd), None, "{odd}");
        }
    }
}
