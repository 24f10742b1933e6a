//! What people type and what buttons carry, for both vendors: a line of text becomes a verb, a verb becomes the
//! value of a button and is found in it again. Refuses to know who may do it.

use std::collections::BTreeMap;

use hindcast_domain::IncidentId;
use hindcast_domain::act::{self, ActName};
use hindcast_domain::label::About;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::interaction::ChatVerb;

/// The name of the field that asks for a question.
pub(crate) const QUESTION: &str = "question";
/// Characters of a question; what is longer is cut.
const QUESTION_MAX: usize = 2_000;

/// What a line of text asks for. What is no command is a question.
#[must_use]
pub fn parse(text: &str) -> ChatVerb {
    let text = text.trim();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    let alone = words.next().is_none();
    let rest = behind(text, 2);
    let named = named(text, &first, rest);
    let typed = |word: &str, rest: &str| ChatVerb::Typed {
        word: word.to_owned(),
        incident: named.map(|id| cut(id, 64)),
        rest: cut(rest, QUESTION_MAX),
    };
    let has = named.is_some();
    match first.as_str() {
        "" | "help" | "?" if alone => ChatVerb::Help,
        "list" | "incidents" if alone => typed("list", ""),
        "show" if alone => typed("show", ""),
        "show" if has => typed("show", rest),
        _ => match act::of_chat(&first) {
            Some((_, chat)) if has || alone => {
                let rest = rest.trim_start_matches([':', ',', ' ']);
                typed(chat.word, chat.joint.map_or(rest, |joint| without(joint, rest)))
            }
            _ => ChatVerb::Ask { incident: None, text: cut(text, QUESTION_MAX) },
        },
    }
}

/// The incident that the second word names: what is surely an id, else what may be one where all around it is a
/// command. `resolve DISK alerts for me` is a question, `resolve BCDF because the disk was full` is none.
fn named<'a>(text: &'a str, first: &str, rest: &str) -> Option<&'a str> {
    let around = ['`', '.', ',', ':', ';', '!'];
    let word = text.split_whitespace().nth(1)?.trim_matches(around);
    let third = rest.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let is_command = third.is_empty()
        || act::of_chat(first).is_some_and(|(act, chat)| {
            let argument = chat.rest.and_then(|name| act.argument(name));
            chat.joint == Some(third.as_str()) || argument.is_some_and(|argument| argument.is_surely(rest))
        });
    (is_surely_an_id(word) || is_command && may_be_an_id(word)).then_some(word)
}

/// What stands behind the first words of a text.
fn behind(text: &str, words: usize) -> &str {
    let mut left = text;
    for _ in 0..words {
        left = left.trim_start();
        left = left.split_once(char::is_whitespace).map_or("", |(_, after)| after);
    }
    left.trim()
}

/// A text without a word in front, however it is written; all of it where another stands there.
fn without<'a>(word: &str, text: &'a str) -> &'a str {
    match text.split_once(char::is_whitespace) {
        Some((first, after)) if first.eq_ignore_ascii_case(word) => after.trim_start(),
        _ => text,
    }
}

/// Whether a word is the beginning of an incident's id: it has the prefix, or a digit.
fn is_surely_an_id(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    let digits = upper.strip_prefix(IncidentId::PREFIX).unwrap_or(&upper);
    (4..=16).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && (upper.starts_with(IncidentId::PREFIX) || digits.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Whether a word of letters alone may be the beginning of an id: one in five of four digits has no figure in it.
/// Ids have no I, L, O and U, and are shown in capitals; small letters are a word.
fn may_be_an_id(word: &str) -> bool {
    (4..=16).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'L' | b'O' | b'U'))
}

/// The first characters of a text, with a mark where something is left out. What would turn the words around it, or
/// hide, is left out without one.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    let shown = || text.chars().filter(|c| is_shown(*c));
    if shown().count() <= max {
        return shown().collect();
    }
    let mut kept: String = shown().take(max.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// The lines of a text that find room: each of at most so many characters, so many of them, and so many characters in
/// all. What is left out is counted in a line of its own.
#[must_use]
pub fn lines(text: &str, line_max: usize, lines_max: usize, room: usize) -> Vec<String> {
    let (mut kept, mut left) = (Vec::new(), room);
    let all = text.lines().count();
    for line in text.lines().take(lines_max) {
        // The first one is always there, if only its beginning.
        let line = cut(line, if kept.is_empty() { line_max.min(room) } else { line_max });
        let length = line.chars().count() + 1;
        if !kept.is_empty() && length > left {
            break;
        }
        left = left.saturating_sub(length);
        kept.push(line);
    }
    match all - kept.len() {
        0 => {}
        1 => kept.push("… and 1 more line".to_owned()),
        left_out => kept.push(format!("… and {left_out} more lines")),
    }
    kept
}

/// Whether a character is seen as itself: no control, and none that changes the direction of what follows or that
/// stands there unseen.
fn is_shown(c: char) -> bool {
    let hides = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    c == '\n' || !c.is_control() && !hides
}

/// A verb as a button carries it.
#[derive(Serialize, Deserialize)]
struct Carried {
    /// What a press asks for, as a short word on the wire.
    v: String,
    /// The incident that it is about; absent in lists and help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    i: Option<IncidentId>,
    /// The revision that the person sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<u64>,
    /// What is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<About>,
    /// What a judgement says, such as `confirmed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<String>,
    /// More words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<String>,
}

/// Characters of the words that a button carries.
const CARRIED_MAX: usize = 400;

/// The value of a button; dialogs fill in what is missing there.
#[must_use]
pub fn value(verb: &ChatVerb, seen: Option<u64>) -> Value {
    let mut carried = Carried { v: word(verb), i: None, r: seen, a: None, w: None, t: None };
    match verb {
        ChatVerb::OpenMore(id) | ChatVerb::OpenAsk(id) => carried.i = Some(id.clone()),
        ChatVerb::Act { incident, .. } | ChatVerb::OpenAct { incident, .. } => carried.i = Some(incident.clone()),
        ChatVerb::Ask { incident, .. } => carried.i.clone_from(incident),
        ChatVerb::Judge { incident, about, verdict, text } => {
            carried.i.clone_from(incident);
            carried.a = Some(about.clone());
            carried.w = Some(verdict.clone());
            carried.t = text.as_ref().map(|text| cut(text, CARRIED_MAX));
        }
        ChatVerb::Typed { .. } | ChatVerb::Help => {}
    }
    serde_json::to_value(carried).unwrap_or_default()
}

/// The word of a verb.
#[must_use]
pub fn word(verb: &ChatVerb) -> String {
    let of_act = |act: &ActName| act.entry().chat.map_or(act.entry().word, |chat| chat.word);
    match verb {
        ChatVerb::Act { act, .. } => of_act(act).to_owned(),
        ChatVerb::OpenAct { act, .. } => format!("open_{}", of_act(act)),
        ChatVerb::OpenMore(_) => "open_more".to_owned(),
        ChatVerb::OpenAsk(_) => "open_ask".to_owned(),
        ChatVerb::Ask { .. } => "ask".to_owned(),
        ChatVerb::Judge { .. } => "judge".to_owned(),
        ChatVerb::Typed { .. } => "typed".to_owned(),
        ChatVerb::Help => "help".to_owned(),
    }
}

/// What a form was filled in with: texts by the names of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilledText(BTreeMap<String, String>);

impl FilledText {
    /// Of these fields.
    #[must_use]
    pub fn of<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self(fields.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
    }

    /// A field that says something.
    fn given(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.trim();
        (!text.is_empty()).then(|| cut(text, QUESTION_MAX))
    }
}

/// The verb that a value carries, with the revision that the person saw; what a form holds is filled in.
#[must_use]
pub fn of_value(value: &Value, filled: &FilledText) -> Option<(ChatVerb, Option<u64>)> {
    let carried = Carried::deserialize(value).ok()?;
    let verb = match (carried.v.as_str(), carried.i) {
        ("open_ask", Some(id)) => ChatVerb::OpenAsk(id),
        ("open_more", Some(id)) => ChatVerb::OpenMore(id),
        ("ask", incident) => ChatVerb::Ask { incident, text: filled.given(QUESTION)? },
        ("judge", incident) => {
            let (about, verdict) = (carried.a?, carried.w.filter(|verdict| is_verdict(verdict))?);
            ChatVerb::Judge { incident, about, verdict, text: carried.t.map(|text| cut(&text, CARRIED_MAX)) }
        }
        (word, Some(incident)) => of_act(word, incident, filled)?,
        _ => return None,
    };
    Some((verb, carried.r))
}

/// An act by the word that a button carries. A form without what the act needs acts on nothing.
fn of_act(word: &str, incident: IncidentId, filled: &FilledText) -> Option<ChatVerb> {
    let of = |word: &str| act::in_chat().find(|(_, chat)| chat.word == word).map(|(act, _)| act);
    if let Some(word) = word.strip_prefix("open_") {
        return of(word).map(|act| ChatVerb::OpenAct { act: act.name, incident });
    }
    let act = of(word)?;
    let body = act.filled(|name| filled.given(name).into_iter().collect());
    let has = |name: &str| body.get(name).is_some();
    let is_whole = act.fields().all(|argument| !argument.required || has(argument.name))
        && (act.one_of.is_empty() || act.one_of.iter().any(|name| has(name)));
    is_whole.then(|| ChatVerb::filled(act.name, incident, body))
}

/// Whether a word is a verdict. A client may send back what no button of ours carried.
fn is_verdict(word: &str) -> bool {
    let known = [
        "same",
        "different",
        "approved",
        "rejected",
        "fixed",
        "not_fixed",
        "confirmed",
        "dismissed",
        "helpful",
        "not_helpful",
        "opened",
        "useful",
        "noise",
        "cause",
    ];
    known.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(word: &str, incident: Option<&str>, rest: &str) -> ChatVerb {
        ChatVerb::Typed { word: word.into(), incident: incident.map(Into::into), rest: rest.into() }
    }

    #[test]
    fn commands_are_told_from_questions() {
        assert_eq!(parse("ack 7Q2K"), typed("ack", Some("7Q2K"), ""));
        assert_eq!(parse("  ACK inc-7q2k5m8n "), typed("ack", Some("inc-7q2k5m8n"), ""));
        assert_eq!(
            parse("resolve 7Q2K because the disk was full"),
            typed("resolve", Some("7Q2K"), "the disk was full")
        );
        assert_eq!(parse("merge 7Q2K into 9F3C"), typed("merge", Some("7Q2K"), "9F3C"));
        assert_eq!(parse("assign 7Q2K to anna"), typed("assign", Some("7Q2K"), "anna"));
        assert_eq!(parse("snooze inc-7q2k 30m"), typed("snooze", Some("inc-7q2k"), "30m"));
        assert_eq!(parse("Snooze BCDF for 2h"), typed("snooze", Some("BCDF"), "2h"));
        assert_eq!(parse("severity BCDF high"), typed("severity", Some("BCDF"), "high"));
        assert_eq!(parse("note 7Q2K: it is the disk"), typed("note", Some("7Q2K"), "it is the disk"));
        assert_eq!(parse("split 7Q2K 9f3c 77aa"), typed("split", Some("7Q2K"), "9f3c 77aa"));
        assert_eq!(parse("list"), typed("list", None, ""));
        assert_eq!(parse(""), ChatVerb::Help);
        for question in [
            "what changed?",
            "resolve this for me",
            "resolve DNS for us",
            "resolve CART errors for me",
            "show me the logs",
            "show HTTP errors",
            "show LOGS",
            "show them",
            "merge what with what?",
            "assign somebody to it",
            "note that CART is slow",
            "snooze ALARMS on fridays",
            "severity of this?",
            "split the difference",
            "help me understand this",
            "? what is it",
        ] {
            assert_eq!(parse(question), ChatVerb::Ask { incident: None, text: question.into() });
        }
        for help in ["", "help", " HELP ", "?"] {
            assert_eq!(parse(help), ChatVerb::Help, "{help:?}");
        }
    }

    #[test]
    fn a_command_is_read_however_it_is_written() {
        assert_eq!(parse("ack BCDF"), typed("ack", Some("BCDF"), ""), "an id may have no figure in it");
        assert_eq!(parse("Reopen BCDF."), typed("reopen", Some("BCDF"), ""));
        assert_eq!(parse("resolve BCDF"), typed("resolve", Some("BCDF"), ""));
        assert_eq!(parse("Resolve BCDF Because a  disk"), typed("resolve", Some("BCDF"), "a  disk"));
        assert_eq!(parse("merge BCDF INTO inc-9f3c"), typed("merge", Some("BCDF"), "inc-9f3c"));
        assert_eq!(parse("resolve 7Q2K: disk full"), typed("resolve", Some("7Q2K"), "disk full"));
        assert_eq!(parse("resolve 7Q2K, because\nit was full"), typed("resolve", Some("7Q2K"), "it was full"));
        assert_eq!(parse("show `7Q2K`"), typed("show", Some("7Q2K"), ""));
        assert_eq!(parse("merge 7Q2K"), typed("merge", Some("7Q2K"), ""));
        assert_eq!(parse("ack"), typed("ack", None, ""));
    }

    #[test]
    fn a_button_gives_back_the_verb_that_it_carries() {
        let id = IncidentId::derive(&[b"x"]);
        let about = About::Incident { incident: id.clone() };
        let verbs = [
            ChatVerb::act(ActName::Acknowledge, id.clone()),
            ChatVerb::OpenAct { act: ActName::Merge, incident: id.clone() },
            ChatVerb::OpenMore(id.clone()),
            ChatVerb::Judge { incident: Some(id.clone()), about, verdict: "noise".into(), text: Some("a".into()) },
        ];
        for verb in verbs {
            assert_eq!(of_value(&value(&verb, Some(7)), &FilledText::default()), Some((verb, Some(7))));
        }
        let form = FilledText::of([("cause", " disk ".into())]);
        let resolve = ChatVerb::act(ActName::Resolve, id.clone());
        let filled = ChatVerb::filled(ActName::Resolve, id, serde_json::json!({"cause": "disk"}));
        assert_eq!(of_value(&value(&resolve, None), &form), Some((filled, None)));
        assert_eq!(of_value(&serde_json::json!({"v": "ack"}), &form), None);
    }

    #[test]
    fn what_no_button_of_ours_carried_is_no_judgement() {
        let about = About::Incident { incident: IncidentId::derive(&[b"x"]) };
        let carried = |verdict: &str, text: &str| {
            let value = serde_json::json!({"v": "judge", "a": about, "w": verdict, "t": text});
            of_value(&value, &FilledText::default())
        };
        for verdict in ["", "Noise", "noise ", "anything"] {
            assert_eq!(carried(verdict, "x"), None, "{verdict:?}");
        }
        let Some((ChatVerb::Judge { text: Some(text), .. }, None)) = carried("cause", &"w".repeat(CARRIED_MAX + 1))
        else {
            panic!("a cause is a judgement");
        };
        assert_eq!((text.chars().count(), text.ends_with('…')), (CARRIED_MAX, true));
    }

    #[test]
    fn of_lines_that_find_no_room_the_number_is_said() {
        assert_eq!(lines("a\n\nb", 9, 9, 9), ["a", "", "b"]);
        assert_eq!(lines("a\nb\nc", 9, 2, 9), ["a", "b", "… and 1 more line"]);
        assert_eq!(lines("aaaa\nbbbb\ncccc", 9, 9, 10), ["aaaa", "bbbb", "… and 1 more line"]);
        assert_eq!(lines("aaaa\nbbbb\ncccc", 9, 9, 9), ["aaaa", "… and 2 more lines"]);
        assert_eq!(lines("aaaa", 3, 9, 9), ["aa…"]);
        assert_eq!(lines("aaaa\nb", 9, 9, 3), ["aa…", "… and 1 more line"]);
        assert_eq!(lines("", 9, 9, 9), Vec::<String>::new());
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(cut("größer", 4), "grö…");
        assert_eq!(cut("größer", 6), "größer");
        assert_eq!(cut("a\u{202e}b\u{7}\u{200b}c", 9), "abc", "nothing turns what stands behind it around");
        assert_eq!(cut("a\u{61c}b\u{2067}c\u{e0041}d\u{2028}e", 9), "abcde", "and nothing stands there unseen");
    }
}
