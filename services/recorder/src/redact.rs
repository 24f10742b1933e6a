//! Owns what never reaches a recording: values that look like secrets, and words that the person who records wants replaced.
//!
//! It works on text, without parsing it, so that a body stays what it was but for the values taken out.
//! It knows names of secrets (`password=…`, `"token": "…"`), credentials in URLs and `Bearer`/`Basic` values; it does not guess by entropy.

use std::borrow::Cow;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";
const NAMES: [&str; 10] =
    ["password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "api-key", "access_key", "private_key"];
const SCHEMES: [&str; 2] = ["bearer ", "basic "];
/// Headers whose value is a credential, or a signature made with one.
const HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "x-auth-token",
    "x-hub-signature",
    "x-hub-signature-256",
];

/// Takes secrets out of text, and replaces what it was told to.
#[derive(Debug, Clone, Default)]
pub struct RecordingRedactor {
    replace: Vec<(String, String)>,
}

impl RecordingRedactor {
    /// One that also replaces each of the given words by its substitute, such as a host's name by a made-up one.
    #[must_use]
    pub fn new(replace: Vec<(String, String)>) -> Self {
        Self { replace: replace.into_iter().filter(|(from, _)| !from.is_empty()).collect() }
    }

    /// The text without secrets.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let spans = secrets(text);
        let mut clean = if spans.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(without(text, &spans)) };
        for (from, to) in &self.replace {
            if clean.contains(from.as_str()) {
                clean = Cow::Owned(clean.replace(from.as_str(), to));
            }
        }
        clean
    }

    /// A header's value without secrets; that of a header which carries credentials goes whole.
    #[must_use]
    pub fn header<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        if HEADERS.contains(&name) { Cow::Borrowed(REDACTED) } else { self.text(value) }
    }
}

/// Byte ranges of secrets, in order and apart.
fn secrets(text: &str) -> Vec<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let mut spans: Vec<(usize, usize)> = NAMES.iter().flat_map(|name| after_name(text, &lower, name)).collect();
    spans.extend(SCHEMES.iter().flat_map(|scheme| after_scheme(text, &lower, scheme)));
    spans.extend(in_urls(text));
    spans.sort_unstable();
    let mut apart: Vec<(usize, usize)> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match apart.last_mut() {
            Some((_, end)) if from < *end => *end = (*end).max(to),
            _ => apart.push((from, to)),
        }
    }
    apart
}

fn without(text: &str, spans: &[(usize, usize)]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut kept = 0;
    for &(from, to) in spans {
        clean.push_str(text.get(kept..from).unwrap_or_default());
        clean.push_str(REDACTED);
        kept = to;
    }
    clean.push_str(text.get(kept..).unwrap_or_default());
    clean
}

/// The value in `name=value`, `name: value`, `"name": "value"` and `\"name\": \"value\"` (JSON inside JSON).
fn after_name(text: &str, lower: &str, name: &str) -> Vec<(usize, usize)> {
    let at = |found: usize| {
        let mut cursor = TextCursor { text, at: found + name.len() };
        cursor.skip(&['\\', '"', '\'']);
        cursor.skip(&[' ']);
        let separator = cursor.one_of(&['=', ':'])?;
        if separator == ':' {
            cursor.skip(&[' '])
        }
        cursor.value()
    };
    lower.match_indices(name).filter_map(|(found, _)| at(found)).collect()
}

fn after_scheme(text: &str, lower: &str, scheme: &str) -> Vec<(usize, usize)> {
    let at = |found: usize| {
        let starts_word = !lower.get(..found)?.ends_with(|c: char| c.is_ascii_alphanumeric());
        let (from, to) = TextCursor { text, at: found + scheme.len() }.value()?;
        // Ordinary words follow these words as well ("basic auth failed"); credentials are long.
        (starts_word && to - from >= 16).then_some((from, to))
    };
    lower.match_indices(scheme).filter_map(|(found, _)| at(found)).collect()
}

/// The password in `scheme://user:password@host`.
fn in_urls(text: &str) -> Vec<(usize, usize)> {
    let at = |found: usize| {
        let start = found + "://".len();
        let rest = text.get(start..)?;
        let authority =
            rest.get(..rest.find(|c: char| c.is_whitespace() || "/\"'\\?#".contains(c)).unwrap_or(rest.len()))?;
        let credentials = authority.get(..authority.rfind('@')?)?;
        let colon = credentials.find(':')?;
        (colon + 1 < credentials.len()).then_some((start + colon + 1, start + credentials.len()))
    };
    text.match_indices("://").filter_map(|(found, _)| at(found)).collect()
}

struct TextCursor<'a> {
    text: &'a str,
    at: usize,
}

impl TextCursor<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, these: &[char]) {
        self.at += self.rest().len() - self.rest().trim_start_matches(these).len();
    }

    fn one_of(&mut self, these: &[char]) -> Option<char> {
        let first = self.rest().chars().next().filter(|c| these.contains(c))?;
        self.at += first.len_utf8();
        Some(first)
    }

    /// The span of the value that begins here: to its closing quote if it is quoted, else to the end of the word.
    fn value(&mut self) -> Option<(usize, usize)> {
        self.skip(&['\\']);
        let quote = self.one_of(&['"', '\'']);
        let ends = |c: char| match quote {
            Some(quote) => c == quote || c == '\\',
            None => c.is_whitespace() || "\"'\\,;&)}]".contains(c),
        };
        let length = self.rest().find(ends).unwrap_or(self.rest().len());
        let scalar = quote.is_none() && ["null", "true", "false"].contains(&self.rest().get(..length)?);
        (length > 0 && !scalar).then_some((self.at, self.at + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, then: &str) {
        assert_eq!(RecordingRedactor::default().text(given), then, "given {given:?}");
    }

    #[test]
    fn values_of_secrets_go_and_the_rest_stays() {
        check("connect host=db password=hunter2 user=shop", "connect host=db password=[redacted] user=shop");
        check(r#"{"token": "abc", "n": 1}"#, r#"{"token": "[redacted]", "n": 1}"#);
        check(r#"{"body":"{\"secret\":\"abc\"}"}"#, r#"{"body":"{\"secret\":\"[redacted]\"}"}"#);
        check("?api_key=abc&page=2", "?api_key=[redacted]&page=2");
        check("postgres://shop:hunter2@db/shop", "postgres://shop:[redacted]@db/shop");
        check("Authorization: Bearer abcdefghijklmnopqrst", "Authorization: Bearer [redacted]");
        check("PASSWORD='two words'", "PASSWORD='[redacted]'");
    }

    #[test]
    fn what_only_sounds_like_a_secret_stays() {
        for text in [
            "password authentication failed for user shop",
            "basic auth failed",
            r#"{"token":null,"secrets":[]}"#,
            "http://127.0.0.1:9090/graph?g0.expr=up",
            "mail to a@b.example",
            "token",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn redacted_json_is_still_json() {
        let given = r#"{"a":{"password":"x","url":"amqp://u:p@h/v"},"api_key":"k"}"#;
        let redactor = RecordingRedactor::default();
        let clean: serde_json::Value = serde_json::from_str(&redactor.text(given)).unwrap();
        assert_eq!(clean["a"]["password"], REDACTED);
        assert_eq!(clean["a"]["url"], "amqp://u:[redacted]@h/v");
        assert_eq!(clean["api_key"], REDACTED);
    }

    #[test]
    fn headers_with_credentials_go_whole_and_words_are_replaced() {
        let redactor =
            RecordingRedactor::new(vec![("db-17.internal".into(), "postgres".into()), (String::new(), "never".into())]);
        assert_eq!(redactor.header("authorization", "Basic x"), REDACTED);
        assert_eq!(redactor.header("content-type", "application/json"), "application/json");
        assert_eq!(redactor.text("db-17.internal is full"), "postgres is full");
    }
}
