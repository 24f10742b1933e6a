//! Links in a model's words: those that this installation or the ledger names stay, any other is taken out.
//! A model that was talked into it could otherwise send people, or what they know, anywhere.

use std::collections::BTreeSet;

use serde_json::Value;

/// What stands where a link was.
const REMOVED: &str = "(link removed)";
/// Links that are kept in mind.
const LINKS_MAX: usize = 1_000;

/// Links that may stand in an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    /// Addresses below this one.
    base: Option<String>,
    /// Exactly these.
    known: BTreeSet<String>,
}

impl Links {
    pub(crate) fn new(public_url: Option<&str>) -> Self {
        let base = public_url.map(|url| url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty());
        Self { base, known: BTreeSet::new() }
    }

    /// Learns the links that something of the ledger is, or holds as a whole field.
    pub(crate) fn learn(&mut self, value: &Value) {
        match value {
            Value::String(text) if is_link(text) && self.known.len() < LINKS_MAX => {
                self.known.insert(text.trim().to_owned());
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => fields.values().for_each(|item| self.learn(item)),
            _ => {}
        }
    }

    fn allows(&self, link: &str) -> bool {
        let below = |base: &String| {
            let rest = link.strip_prefix(base.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        };
        self.known.contains(link) || self.base.as_ref().is_some_and(below)
    }

    /// The text with what is not allowed taken out, and how many links that were.
    pub(crate) fn clean(&self, text: &str) -> (String, u32) {
        let mut out = String::with_capacity(text.len());
        let mut removed = 0;
        let mut rest = text;
        while let Some((start, end)) = next_link(rest) {
            let link = rest.get(start..end).unwrap_or_default();
            out.push_str(rest.get(..start).unwrap_or_default());
            if self.allows(link) {
                out.push_str(link);
            } else {
                out.push_str(REMOVED);
                removed += 1;
            }
            rest = rest.get(end..).unwrap_or_default();
        }
        out.push_str(rest);
        (out, removed)
    }
}

/// Whether a field is a link and nothing else.
fn is_link(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with("http://") || text.starts_with("https://")) && !text.contains(char::is_whitespace)
}

/// Where the next thing lies that a reader's program might make a link of: `scheme:…` of the schemes that do
/// something, anything with `://`, and `www.`.
fn next_link(text: &str) -> Option<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let with_scheme = lower.find("://").map(|at| scheme_start(&lower, at));
    let others = ["www.", "javascript:", "data:", "mailto:", "vbscript:"];
    let start = others.iter().filter_map(|mark| find_word(&lower, mark)).chain(with_scheme).min()?;
    let tail = text.get(start..)?;
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '`' | ')' | ']' | '}' | '|' | '\\');
    let length = tail.find(ends).unwrap_or(tail.len());
    // A full stop or comma behind a link belongs to the sentence.
    let link = tail.get(..length)?.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    let length = link.len().max(1);
    // Never in the middle of a character, and always forward.
    let end = (start + length..=text.len()).find(|end| text.is_char_boundary(*end))?;
    Some((start, end))
}

fn scheme_start(lower: &str, at: usize) -> usize {
    let before = lower.get(..at).unwrap_or_default();
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    at - before.chars().rev().take_while(|c| is_scheme(*c)).count()
}

/// A mark that does not stand inside of a word; and of `data:` only what looks like an address.
fn find_word(lower: &str, mark: &str) -> Option<usize> {
    let at = lower.find(mark)?;
    let inside = lower.get(..at).and_then(|before| before.chars().next_back()).is_some_and(char::is_alphanumeric);
    let next = lower.get(at + mark.len()..).and_then(|rest| rest.chars().next());
    (!inside && next.is_some_and(|next| !next.is_whitespace())).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let mut links = Links::new(Some("https://hindcast.example/"));
        links.learn(
            &json!({"annotations": {"runbook_url": "https://wiki.example/pg"}, "text": "see https://no.example"}),
        );
        assert_eq!(links.clean(text).0, expect);
    }

    #[test]
    fn only_links_of_ours_and_of_the_ledger_stay() {
        check("see https://hindcast.example/INC-1.", "see https://hindcast.example/INC-1.");
        check("see https://wiki.example/pg, now", "see https://wiki.example/pg, now");
        check("see https://wiki.example/pg/evil", "see (link removed)");
        check("[here](http://evil.example/x?a=1)", "[here]((link removed))");
        check("https://hindcast.example.evil.org/", "(link removed)");
        check("see https://no.example", "see (link removed)");
        check("ftp://a and www.evil.example", "(link removed) and (link removed)");
        check("click javascript:alert(1)", "click (link removed))");
        check("<a href=\"data:text/html,x\">", "<a href=\"(link removed)\">");
        check("no link: at all; ratio 3:1, data: 5", "no link: at all; ratio 3:1, data: 5");
        check("ünïcödé://ü", "ünïcödé(link removed)");
    }

    #[test]
    fn what_was_removed_is_counted() {
        assert_eq!(Links::default().clean("http://a http://b c").1, 2);
    }
}
