//! What a delivery of Teams means. Owns the shapes of Bot Framework activities; refuses to look at a token or a
//! signature, which holds already when anything here is called. Unknown fields are ignored.
//! Source: Microsoft, "Bot Framework Activity schema", "Universal Actions for Adaptive Cards".

use serde_json::Value;

use crate::interaction::{ChatReply, ChatVerb, Interaction, Meaning, UnreadableDelivery, Vendor};
use crate::text::{self, FilledText, cut};

/// Characters of an id of Teams'.
const ID_MAX: usize = 512;
/// Characters of a text that is looked at.
const TEXT_MAX: usize = 8_000;
/// Bytes of an address that a conversation is served at.
const ADDRESS_MAX: usize = 2_048;

type TeamsRead = Result<Meaning, UnreadableDelivery>;

/// An activity for a bot.
///
/// # Errors
/// What is no activity of a known shape.
pub fn activity(body: &[u8]) -> TeamsRead {
    let activity = json(body)?;
    match string(&activity, "/type") {
        Some("message") => {
            // A form that was sent with the older kind of button comes as a message without words.
            if let Some(value) = activity.get("value").filter(|value| value.is_object()) {
                return pressed(&activity, value);
            }
            said(&activity, text::parse(&plain(string(&activity, "/text").unwrap_or_default())))
        }
        Some("invoke") if string(&activity, "/name") == Some("adaptiveCard/action") => {
            let data = activity.pointer("/value/action/data").ok_or_else(|| unreadable("an action's data", "none"))?;
            pressed(&activity, data)
        }
        Some("invoke") => Ok(Meaning::Nothing("unknown invoke")),
        Some(
            "conversationUpdate" | "installationUpdate" | "messageReaction" | "typing" | "event" | "endOfConversation",
        ) => Ok(Meaning::Nothing("no person's message")),
        Some("messageUpdate" | "messageDelete") => Ok(Meaning::Nothing("what becomes of a message later")),
        other => Err(unreadable("a message or an invoke", other.unwrap_or("no type"))),
    }
}

/// A message of an outgoing webhook: questions alone.
///
/// # Errors
/// What is no message.
pub fn outgoing(body: &[u8]) -> TeamsRead {
    let activity = json(body)?;
    if string(&activity, "/type") != Some("message") {
        return Err(unreadable("a message", string(&activity, "/type").unwrap_or("no type")));
    }
    let typed = plain(string(&activity, "/text").unwrap_or_default());
    // Nobody proves here who speaks, so what would act is no more than a question about what can be said.
    let verb = match text::parse(&typed) {
        ChatVerb::Typed { word, .. } if !matches!(word.as_str(), "show" | "list") => ChatVerb::Help,
        ChatVerb::Typed { .. } => ChatVerb::Ask { incident: None, text: typed },
        other => other,
    };
    said(&activity, verb)
}

fn pressed(activity: &Value, data: &Value) -> TeamsRead {
    let fields = data.as_object().into_iter().flatten();
    let given = |value: &Value| value.as_str().map(|text| cut(text, TEXT_MAX));
    let filled = FilledText::of(fields.filter_map(|(name, value)| Some((name.as_str(), given(value)?))));
    let Some((verb, seen)) = data.get("h").and_then(|carried| text::of_value(carried, &filled)) else {
        return Ok(Meaning::Nothing("a button of another version, or a form that was left empty"));
    };
    let mut meaning = said(activity, verb)?;
    if let Meaning::Person(person) = &mut meaning {
        person.seen = seen;
        person.message = named(activity, "/replyToId");
    }
    Ok(meaning)
}

fn said(activity: &Value, verb: ChatVerb) -> TeamsRead {
    let id = |path, what| string(activity, path).filter(|id| is_id(id)).ok_or_else(|| unreadable(what, "none"));
    let conversation = id("/conversation/id", "a conversation")?;
    let activity_id = id("/id", "an activity's id")?;
    // In a channel the conversation names its thread; elsewhere there are no threads.
    let (channel, thread) = match conversation.split_once(";messageid=") {
        Some((channel, root)) => (channel, Some(root)),
        None => (conversation, None),
    };
    Ok(Meaning::Person(Box::new(Interaction {
        vendor: Vendor::Teams,
        key: format!("{conversation}/{activity_id}"),
        team: directory(activity)?,
        user: string(activity, "/from/aadObjectId").filter(|id| is_id(id)).map_or_else(
            || id("/from/id", "whoever says it").map(str::to_owned),
            |directory| Ok(directory.to_owned()),
        )?,
        user_name: string(activity, "/from/name").map(|name| cut(name, 80)),
        channel: channel.to_owned(),
        thread: thread.map(str::to_owned),
        service_url: string(activity, "/serviceUrl").filter(|url| url.len() <= ADDRESS_MAX).map(str::to_owned),
        message: None,
        seen: None,
        verb,
        reply: ChatReply::default(),
    })))
}

/// The directory, which stands in two places: where these differ, it is nobody's.
fn directory(activity: &Value) -> Result<Option<String>, UnreadableDelivery> {
    let (of_conversation, of_channel) =
        (named(activity, "/conversation/tenantId"), named(activity, "/channelData/tenant/id"));
    match (of_conversation, of_channel) {
        (Some(one), Some(other)) if !one.eq_ignore_ascii_case(&other) => Err(unreadable("one directory", "two")),
        (one, other) => Ok(one.or(other)),
    }
}

/// A text as a person typed it: mentions are taken off, and what Teams writes as HTML is undone, once.
fn plain(said: &str) -> String {
    let said: String = said.chars().take(TEXT_MAX).collect();
    let mut text = String::with_capacity(said.len());
    let mut left = said.as_str();
    while let Some((before, behind)) = left.split_once("<at>") {
        let Some((_, after)) = behind.split_once("</at>") else { break };
        text.push_str(before);
        left = after;
    }
    text.push_str(left);
    for (written, meant) in [
        ("&nbsp;", " "),
        ("\u{a0}", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(written, meant);
    }
    cut(text.trim(), TEXT_MAX)
}

fn is_id(word: &str) -> bool {
    !word.is_empty() && word.len() <= ID_MAX && !word.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn json(body: &[u8]) -> Result<Value, UnreadableDelivery> {
    let value: Value = serde_json::from_slice(body).map_err(|_| unreadable("a JSON document", "something else"))?;
    if value.is_object() { Ok(value) } else { Err(unreadable("a JSON object", "another value")) }
}

fn string<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

/// An id of Teams', where one stands there.
fn named(value: &Value, path: &str) -> Option<String> {
    string(value, path).filter(|id| is_id(id)).map(str::to_owned)
}

fn unreadable(expected: &'static str, got: &str) -> UnreadableDelivery {
    let word: String = got.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ')).take(40).collect();
    UnreadableDelivery { expected, got: word }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::IncidentId;
    use hindcast_domain::act::ActName;
    use serde_json::json;

    use super::*;

    fn base(kind: &str) -> Value {
        json!({"type": kind, "id": "1795", "serviceUrl": "https://smba.trafficmanager.net/emea/", "channelId": "msteams",
            "from": {"id": "29:1X", "name": "Zoë", "aadObjectId": "00-1"},
            "conversation": {"id": "19:abc@thread.tacv2;messageid=1790", "tenantId": "t"}})
    }

    fn person(meaning: TeamsRead) -> Interaction {
        match meaning {
            Ok(Meaning::Person(said)) => *said,
            other => panic!("no person: {other:?}"),
        }
    }

    #[test]
    fn a_message_is_a_question_in_its_thread() {
        let mut message = base("message");
        message["text"] = json!("<at>Hindcast</at>&nbsp;what changed?\n");
        let asked = person(activity(message.to_string().as_bytes()));
        assert_eq!(asked.verb, ChatVerb::Ask { incident: None, text: "what changed?".into() });
        assert_eq!((asked.channel.as_str(), asked.thread.as_deref()), ("19:abc@thread.tacv2", Some("1790")));
        assert_eq!((asked.user.as_str(), asked.team.as_deref()), ("00-1", Some("t")));
    }

    #[test]
    fn a_button_carries_its_verb_and_a_form_fills_it_in() {
        let id = IncidentId::derive(&[b"x"]);
        let verb = ChatVerb::act(ActName::Resolve, id.clone());
        let mut invoke = base("invoke");
        invoke["name"] = json!("adaptiveCard/action");
        invoke["replyToId"] = json!("1790");
        invoke["value"] = json!({"action": {"type": "Action.Execute", "verb": "resolve",
            "data": {"h": text::value(&verb, Some(2)), "cause": "disk full", "resolution": ""}}, "trigger": "manual"});
        let pressed = person(activity(invoke.to_string().as_bytes()));
        let expected = ChatVerb::filled(ActName::Resolve, id, json!({"cause": "disk full"}));
        assert_eq!((pressed.verb, pressed.seen, pressed.message.as_deref()), (expected, Some(2), Some("1790")));
    }

    #[test]
    fn an_outgoing_webhook_asks_and_never_acts() {
        let said = |text: &str| {
            let mut message = base("message");
            message["text"] = json!(text);
            person(outgoing(message.to_string().as_bytes())).verb
        };
        assert_eq!(said("<at>Hindcast</at> ack 7Q2K"), ChatVerb::Help);
        assert_eq!(said("<at>Hindcast</at> list"), ChatVerb::Ask { incident: None, text: "list".into() });
        assert_eq!(said("<at>Hindcast</at> why?"), ChatVerb::Ask { incident: None, text: "why?".into() });
    }

    #[test]
    fn what_is_no_persons_word_or_cannot_be_read_acts_on_nothing() {
        for kind in ["conversationUpdate", "installationUpdate", "typing", "messageReaction", "messageDelete"] {
            assert!(matches!(activity(base(kind).to_string().as_bytes()), Ok(Meaning::Nothing(_))), "{kind}");
        }
        for name in ["composeExtension/query", "composeExtension/submitAction", "task/fetch", ""] {
            let mut invoke = base("invoke");
            invoke["name"] = json!(name);
            invoke["value"] = json!({"action": {"data": {"h": {"v": "help"}}}});
            assert_eq!(activity(invoke.to_string().as_bytes()), Ok(Meaning::Nothing("unknown invoke")), "{name:?}");
        }
        for body in ["[]", "{}", "x", "", "{\"type\":\"message\"}", "{\"type\":\"<script>secret</script>\"}"] {
            let refused = activity(body.as_bytes()).unwrap_err().to_string();
            assert!(!refused.contains('<'), "{refused}");
            assert!(outgoing(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_mention_is_taken_off_and_what_was_written_as_html_is_undone_once() {
        for (text, expected) in [
            ("<at>Hindcast</at>&nbsp;why?\n", "why?"),
            ("hey <at>Hindcast</at>\u{a0}is a &lt; b &amp;&amp; b &gt; c?", "hey  is a < b && b > c?"),
            ("why &amp;lt;at&amp;gt;?", "why &lt;at&gt;?"),
            ("&lt;at&gt;x&lt;/at&gt; why?", "<at>x</at> why?"),
            ("why <at>?", "why <at>?"),
        ] {
            assert_eq!(plain(text), expected);
        }
        let many = plain(&format!("why? {} what is behind", "<at></at>".repeat(1_000_000)));
        assert!(many.starts_with("why?") && !many.contains("behind"), "a long text is looked at up to its bound");
    }

    #[test]
    fn the_same_delivery_has_the_same_key_and_another_one_another() {
        let key = |change: &Value| {
            let mut message = base("message");
            message["text"] = json!("why?");
            message.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            person(activity(message.to_string().as_bytes())).key
        };
        let first = key(&json!({}));
        assert_eq!(key(&json!({"timestamp": "later"})), first);
        assert_ne!(key(&json!({"id": "1796"})), first);
        assert_ne!(key(&json!({"conversation": {"id": "a:1pL6i"}})), first);
    }

    #[test]
    fn a_button_of_another_version_and_a_form_that_was_left_empty_act_on_nothing() {
        let id = IncidentId::derive(&[b"x"]);
        let ask = text::value(&ChatVerb::Ask { incident: Some(id), text: String::new() }, None);
        for data in [
            json!({}),
            json!({"run": "r-1"}),
            json!({"h": "ack"}),
            json!({"h": {"v": "run"}}),
            json!({"h": ask}),
            json!({"h": ask, "question": "  "}),
        ] {
            let mut invoke = base("invoke");
            invoke["name"] = json!("adaptiveCard/action");
            invoke["value"] = json!({"action": {"type": "Action.Execute", "verb": "x", "data": data}});
            assert!(matches!(activity(invoke.to_string().as_bytes()), Ok(Meaning::Nothing(_))), "{data}");
            // The older kind of button sends its data as a message's value.
            let mut sent = base("message");
            sent["value"] = data.clone();
            assert!(matches!(activity(sent.to_string().as_bytes()), Ok(Meaning::Nothing(_))), "{data}");
        }
    }

    #[test]
    fn what_is_no_id_is_taken_for_none() {
        let mut message = base("message");
        message["conversation"]["tenantId"] = json!("a tenant");
        message["serviceUrl"] = json!("h".repeat(ADDRESS_MAX + 1));
        message["from"]["aadObjectId"] = json!("0\n1");
        let taken = person(activity(message.to_string().as_bytes()));
        assert_eq!((taken.user.as_str(), taken.team, taken.service_url), ("29:1X", None, None));
        for (field, value) in [
            ("id", json!("")),
            ("id", json!("1 2")),
            ("id", json!(1795)),
            ("conversation", json!({"id": "c".repeat(ID_MAX + 1)})),
            ("from", json!({"name": "Zoë"})),
        ] {
            let mut message = base("message");
            message[field] = value.clone();
            assert!(activity(message.to_string().as_bytes()).is_err(), "{field} {value}");
        }
    }
}
