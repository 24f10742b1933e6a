//! The last reply of a model, read as claims; and the one thing that the verifier cannot know: that a model
//! names no other cause than the ranking does. Owns the schema of that reply.

use hindcast_api::{Citation, Claim, ClaimVerdict, Hypothesis};
use serde_json::{Value, json};

use super::aliases::CitationAliases;
use crate::evidence::cut;
use crate::limits::{CITATIONS_MAX, CLAIM_BYTES_MAX, MODEL_CLAIMS_MAX};
use crate::links::Links;

/// The schema of the last reply. What is cited stands before what is said of it, and the names sort so too, for
/// servers that sort them.
pub(crate) fn schema(aliases: &CitationAliases) -> Value {
    let mut names = aliases.names();
    if names.is_empty() {
        // An empty list of words is no schema.
        names.push("E0".to_owned());
    }
    json!({
        "type": "object",
        "properties": {
            "claims": {
                "type": "array",
                "minItems": 1,
                "maxItems": MODEL_CLAIMS_MAX,
                "items": {
                    "type": "object",
                    "properties": {
                        "events": {
                            "type": "array", "minItems": 1, "maxItems": 3,
                            "items": {"type": "string", "enum": names},
                        },
                        "says": {"type": "string"},
                        "text": {"type": "string"},
                    },
                    "required": ["events", "says", "text"],
                    "additionalProperties": false,
                },
            },
        },
        "required": ["claims"],
        "additionalProperties": false,
    })
}

/// Claims as they were read.
#[derive(Debug, PartialEq)]
pub(crate) struct ReadClaims {
    pub(crate) claims: Vec<Claim>,
    pub(crate) links_removed: u32,
}

/// Reads a reply. What is no claim is left out; a reply without any is an error that says why.
pub(crate) fn read(text: &str, aliases: &CitationAliases, links: &Links) -> Result<ReadClaims, String> {
    let value = json_of(text).ok_or("the model's answer is no JSON")?;
    let items = match &value {
        Value::Array(items) => items,
        other => other.get("claims").and_then(Value::as_array).ok_or("the model's answer has no claims")?,
    };
    let mut read = ReadClaims { claims: Vec::new(), links_removed: 0 };
    for item in items.iter().take(MODEL_CLAIMS_MAX) {
        let Some(text) = item.get("text").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()) else {
            continue;
        };
        let (text, removed) = links.clean(&in_one_line(text));
        read.links_removed += removed;
        let claim = Claim {
            assertion: None,
            text: cut(&without_names(&text), CLAIM_BYTES_MAX),
            citations: cited(item.get("events").unwrap_or(&Value::Null), aliases),
            verdict: ClaimVerdict::Unverifiable,
            reason: None,
            path: Vec::new(),
        };
        if !claim.text.is_empty() && read.claims.iter().all(|known| known.text != claim.text) {
            read.claims.push(claim);
        }
    }
    if read.claims.is_empty() { Err("the model's answer has no claims".to_owned()) } else { Ok(read) }
}

/// The JSON of a reply: as it is, or in a fence of a model that writes one.
fn json_of(text: &str) -> Option<Value> {
    let text = text.trim();
    serde_json::from_str(text).ok().or_else(|| {
        let (from, to) = (text.find('{')?, text.rfind('}')?);
        serde_json::from_str(text.get(from..=to)?).ok()
    })
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without the short names of events, which mean nothing to its readers: `(E1, E2)`, `[E3]`, `E4:`.
fn without_names(text: &str) -> String {
    let is_name = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.strip_prefix('E').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let words: Vec<&str> = text.split(' ').collect();
    let bracketed = |word: &str| word.starts_with(['(', '[']) || word.ends_with([')', ']', ':', ',']);
    let kept: Vec<&str> = words.into_iter().filter(|word| !(is_name(word) && bracketed(word))).collect();
    kept.join(" ").trim().to_owned()
}

fn cited(value: &Value, aliases: &CitationAliases) -> Vec<Citation> {
    let words: Vec<&str> = match value {
        Value::String(word) => vec![word],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut found: Vec<Citation> = Vec::new();
    for citation in words.into_iter().take(CITATIONS_MAX).map(|word| aliases.resolve(word)) {
        if !found.contains(&citation) {
            found.push(citation);
        }
    }
    found
}

/// Words by which a sentence names a cause.
const CAUSE: &[&str] = &[
    "root cause",
    "the cause",
    "cause of",
    "cause is",
    "cause was",
    "caused by",
    "culprit",
    "to blame",
    "broke first",
    "failed first",
    "origin of",
    "originated",
    "responsible for",
    "is at fault",
    "faulty",
];
/// Words by which a sentence says that it is not sure.
const HEDGE: &[&str] =
    &["may ", "might ", "could ", "possibl", "perhaps", "less likely", "ruled out", "not the ", "no cause"];

/// Why a claim of a model may not be said, whatever its events say.
pub(crate) fn forbidden(claim: &Claim, ranked: &[Hypothesis], services: &[String]) -> Option<String> {
    if hindcast_verifier::advises(&claim.text) {
        return Some("it tells its reader to do something, or promises it: only a runbook may".to_owned());
    }
    overrides(claim, ranked, services)
}

/// Why a claim of a model goes against the ranking, if it does: it names a cause, and not the one that ranks
/// first. A cause that ranks lower may be named as a possibility.
fn overrides(claim: &Claim, ranked: &[Hypothesis], services: &[String]) -> Option<String> {
    let text = format!(" {} ", claim.text.to_lowercase());
    if !CAUSE.iter().any(|words| text.contains(words)) {
        return None;
    }
    let Some(first) = ranked.first() else {
        let denies =
            ["unresolved", "unknown", "not known", "no cause", "unclear"].iter().any(|word| text.contains(word));
        return (!denies).then(|| "no cause is ranked: it is unresolved, and a model does not change that".to_owned());
    };
    let names = |service: &str| names(&text, service);
    let hedged = HEDGE.iter().any(|word| text.contains(word));
    let may_name = |hypothesis: &&Hypothesis| hedged || hypothesis.service == first.service;
    if ranked.iter().filter(may_name).any(|hypothesis| names(&hypothesis.service)) {
        return None;
    }
    let others = services.iter().any(|service| names(service));
    let rests_on_it = claim.citations.iter().any(|citation| first.citations.contains(citation));
    (others || !rests_on_it)
        .then(|| format!("{} ranks first as the cause, and a model does not change that", first.service))
}

/// Whether a text names a service as a whole word.
fn names(text: &str, service: &str) -> bool {
    let service = service.to_lowercase();
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    !service.is_empty()
        && text.match_indices(&service).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + service.len()..).and_then(|text| text.chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u64) -> Citation {
        Citation { event: format!("EVT-{n}"), position: n }
    }

    fn aliases() -> CitationAliases {
        let mut aliases = CitationAliases::default();
        aliases.name(&event(1));
        aliases.name(&event(2));
        aliases
    }

    fn claim(text: &str, cites: u64) -> Claim {
        Claim {
            assertion: None,
            text: text.into(),
            citations: vec![event(cites)],
            verdict: ClaimVerdict::Unverifiable,
            reason: None,
            path: vec![],
        }
    }

    fn ranked(service: &str, cites: u64) -> Hypothesis {
        Hypothesis {
            cause: format!("{service}: it broke"),
            service: service.into(),
            kind: "service".into(),
            score: 0.8,
            path: vec![],
            confirms: vec![],
            refutes: vec![],
            citations: vec![event(cites)],
        }
    }

    #[test]
    fn what_is_cited_stands_before_what_is_said() {
        let text = schema(&aliases()).to_string();
        let at = |name: &str| text.find(&format!("\"{name}\":{{")).unwrap();
        assert!(at("events") < at("says") && at("says") < at("text"), "{text}");
    }

    #[test]
    fn a_reply_is_read_with_what_it_cites() {
        let reply = r#"```json
            {"claims":[{"events":["E2","E1","E2"],"says":"…","text":"It broke (E2),\n see http://evil.example"},
                       {"events":"E9","text":"Nobody said"},{"events":["E1"],"text":" "}]}
        ```"#;
        let read = read(reply, &aliases(), &Links::default()).unwrap();
        assert_eq!(read.links_removed, 1);
        assert_eq!(read.claims.len(), 2);
        assert_eq!(read.claims[0].citations, [event(2), event(1)]);
        assert_eq!(read.claims[0].text, "It broke see (link removed)");
        assert_eq!(read.claims[1].citations, [Citation { event: "E9".into(), position: 0 }], "kept, to be struck");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for reply in
            ["", "no", "{", "[]", "{}", r#"{"claims":[]}"#, r#"{"claims":[{"text":5}]}"#, "{\"claims\":[{\"text\":\"a"]
        {
            assert!(read(reply, &aliases(), &Links::default()).is_err(), "{reply}");
        }
    }

    #[track_caller]
    fn check(text: &str, cites: u64, against: bool) {
        let ranked = [ranked("postgres", 1), ranked("checkout", 2)];
        let services = ["redis", "nginx", "postgres", "checkout"].map(ToOwned::to_owned);
        assert_eq!(overrides(&claim(text, cites), &ranked, &services).is_some(), against, "{text}");
    }

    #[test]
    fn a_model_names_no_other_cause_than_the_ranking() {
        check("postgres is the root cause", 1, false);
        check("redis is the root cause", 1, true);
        check("The root cause is Redis.", 9, true);
        check("The cause is that connections ran out", 1, false);
        check("The cause is that connections ran out", 9, true);
        check("checkout is the culprit", 2, true);
        check("checkout could be the culprit, less likely", 2, false);
        check("redis might be the culprit", 2, true);
        check("redis-cache fired at 12:00", 9, false);
        check("errors on nginx were caused by postgres", 1, false);
    }

    #[test]
    fn where_nothing_ranks_a_model_names_no_cause_at_all() {
        let services = ["redis".to_owned()];
        assert!(overrides(&claim("redis is the root cause", 1), &[], &services).is_some());
        assert!(overrides(&claim("the cause is unresolved", 1), &[], &services).is_none());
        assert!(overrides(&claim("redis fired", 1), &[], &services).is_none());
    }
}
