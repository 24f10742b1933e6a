//! A question as it is taken: checked, with its moment and the name of its conversation. Owns what is refused.

use std::sync::atomic::{AtomicU64, Ordering};

use hindcast_api::{AsOf, Ask, Code, Problem};
use hindcast_domain::{ConversationId, Time};
use serde_json::Value;

use crate::limits::{CONVERSATION_BYTES_MAX, QUESTION_BYTES_MAX};

/// Answers that were begun by this process, so that two of one nanosecond differ.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// The text of a question.
pub(crate) fn text(ask: &Ask) -> Result<&str, Problem> {
    let text = ask.question.trim();
    if text.is_empty() {
        let said = "expected a question in plain words, got nothing";
        return Err(Problem::new(Code::Invalid, said).remedy("Ask, for example, what caused it."));
    }
    if text.len() > QUESTION_BYTES_MAX {
        let said = format!("expected a question of at most {QUESTION_BYTES_MAX} bytes, got {}", text.len());
        return Err(Problem::new(Code::Invalid, said).remedy("Ask shorter; name an incident by its id."));
    }
    Ok(text)
}

/// The moment that is asked about; now where none is named.
pub(crate) fn as_of(ask: &Ask) -> Result<Option<AsOf>, Problem> {
    match &ask.as_of {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some),
        Some(Value::Number(number)) => number.to_string().parse().map(Some),
        Some(other) => {
            let shown: String = other.to_string().chars().take(64).collect();
            Err(Problem::new(Code::BadAsOf, format!("expected a position or an RFC 3339 time, got {shown}")))
        }
    }
}

/// The conversation: the one that was named, by its id or by a word of the asker's own, else a new one.
pub(crate) fn conversation(ask: &Ask, position: u64, now: Time) -> Result<ConversationId, Problem> {
    let named = ask.conversation.as_deref().map(str::trim).filter(|word| !word.is_empty());
    let Some(word) = named else {
        let count = BEGUN.fetch_add(1, Ordering::Relaxed);
        let parts: [&[u8]; 4] =
            [&now.nanos().to_be_bytes(), &position.to_be_bytes(), ask.question.as_bytes(), &count.to_be_bytes()];
        return Ok(ConversationId::derive(&parts));
    };
    if word.len() > CONVERSATION_BYTES_MAX {
        let said = format!("expected a conversation's name of at most {CONVERSATION_BYTES_MAX} bytes");
        return Err(Problem::new(Code::Invalid, said).remedy("Use the `conversation` of the answer before."));
    }
    // Only what is spelt as an id is one; sixteen letters are a word like any other.
    let is_id = word.to_ascii_uppercase().starts_with(ConversationId::PREFIX);
    match word.parse::<ConversationId>() {
        Ok(id) if is_id => Ok(id),
        _ => Ok(ConversationId::derive(&[b"word", word.as_bytes()])),
    }
}

/// The incident that a question names, as it is spelt there.
pub(crate) fn named_incident(question: &str) -> Option<String> {
    let upper = question.to_ascii_uppercase();
    let at = upper.find("INC-")?;
    let digits: String = upper.get(at + 4..)?.chars().take_while(char::is_ascii_alphanumeric).collect();
    (!digits.is_empty()).then(|| format!("INC-{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(question: &str) -> Ask {
        Ask { question: question.into(), ..Ask::default() }
    }

    #[test]
    fn nothing_and_too_much_are_refused_with_a_remedy() {
        assert_eq!(text(&ask(" \n ")).unwrap_err().status, 422);
        let long = text(&ask(&"x".repeat(QUESTION_BYTES_MAX + 1))).unwrap_err();
        assert_eq!(long.status, 422);
        assert!(!long.remedy.is_empty());
        assert_eq!(text(&ask(" why? ")).unwrap(), "why?");
    }

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        let of = |value: Value| as_of(&Ask { as_of: Some(value), ..ask("why") });
        assert_eq!(of(json!(8_192)).unwrap(), Some(AsOf::Position(8_192)));
        assert_eq!(of(json!("8192")).unwrap(), Some(AsOf::Position(8_192)));
        assert!(matches!(of(json!("2026-11-20T03:12:00Z")), Ok(Some(AsOf::Time(_)))));
        assert_eq!(of(json!(-1)).unwrap_err().status, 400);
        assert_eq!(of(json!({"at": 1})).unwrap_err().status, 400);
        assert_eq!(as_of(&ask("why")).unwrap(), None);
    }

    #[test]
    fn a_conversation_has_one_id_whatever_it_is_called() {
        let of = |name: Option<&str>| {
            conversation(&Ask { conversation: name.map(Into::into), ..ask("why") }, 1, Time::ZERO).unwrap()
        };
        let id = of(Some("my thread"));
        assert_eq!(of(Some("my thread")), id);
        assert_eq!(of(Some(id.as_str())), id);
        assert_ne!(of(None), of(None), "two questions are two conversations");
    }

    #[test]
    fn an_incident_is_found_in_the_question() {
        assert_eq!(named_incident("what about inc-7q2k?"), Some("INC-7Q2K".into()));
        assert_eq!(named_incident("what about it"), None);
        assert_eq!(named_incident("INC-"), None);
    }
}
