//! Tests of the module above.

use hindcast_domain::IncidentId;
use hindcast_domain::act::ActName;
use serde_json::json;

use super::*;

fn said(meaning: SlackRead) -> Interaction {
    match meaning {
        Ok(Meaning::Person(said)) => *said,
        other => panic!("no person: {other:?}"),
    }
}

fn mention(text: &str) -> Value {
    json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {
        "type": "app_mention", "user": "U1", "channel": "C1", "ts": "1795.1", "thread_ts": "1790.2", "text": text}})
}

fn pressed(value: &Value) -> Value {
    json!({"type": "block_actions", "user": {"id": "U1", "name": "zoe"}, "team": {"id": "T1"},
        "container": {"type": "message", "message_ts": "1790.2", "channel_id": "C1"}, "channel": {"id": "C1"},
        "trigger_id": "t.1", "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"action_id": "ack", "action_ts": "1795.3", "type": "button", "value": value.to_string()}]})
}

#[test]
fn a_mention_is_a_question_in_its_thread() {
    let asked = said(events(mention("<@U0BOT> is a &lt; b in <https://x.example|this>?").to_string().as_bytes()));
    assert_eq!(asked.verb, ChatVerb::Ask { incident: None, text: "is a < b in this?".into() });
    assert_eq!((asked.key.as_str(), asked.thread.as_deref()), ("Ev1", Some("1790.2")));
}

#[test]
fn what_no_person_said_concerns_nobody() {
    for change in [json!({"bot_id": "B1"}), json!({"subtype": "message_changed"}), json!({"type": "reaction_added"})] {
        let mut body = mention("x");
        body["event"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert!(matches!(socket("events_api", &body), Ok(Meaning::Nothing(_))), "{change}");
    }
}

#[test]
fn the_same_press_has_the_same_key_and_another_one_another() {
    let id = IncidentId::derive(&[b"x"]);
    let value = text::value(&ChatVerb::act(ActName::Acknowledge, id.clone()), Some(3));
    let encode = |payload: &Value| {
        form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
    };
    let first = said(interactive(encode(&pressed(&value)).as_bytes()));
    assert_eq!((&first.verb, first.seen), (&ChatVerb::act(ActName::Acknowledge, id), Some(3)));
    assert!(first.reply.response_url.is_some() && !format!("{first:?}").contains("hooks"));
    let mut later = pressed(&value);
    assert_eq!(said(socket("interactive", &later)).key, first.key);
    later["actions"][0]["action_ts"] = json!("1795.4");
    assert_ne!(said(socket("interactive", &later)).key, first.key);
}

#[test]
fn a_dialog_fills_in_what_it_asked_for_and_goes_back_where_it_came_from() {
    let incident = IncidentId::derive(&[b"x"]);
    let verb = ChatVerb::act(ActName::Resolve, incident.clone());
    let mut carried = text::value(&verb, Some(4));
    carried["c"] = json!("C1");
    carried["m"] = json!("1790.2");
    let view = json!({"id": "V1", "private_metadata": carried.to_string(), "state": {"values": {
        "cause": {"a": {"type": "plain_text_input", "value": "disk full"}},
        "resolution": {"a": {"type": "plain_text_input", "value": null}}}}});
    let payload = json!({"type": "view_submission", "user": {"id": "U1"}, "view": view});
    let given = said(socket("interactive", &payload));
    let expected = ChatVerb::filled(ActName::Resolve, incident, json!({"cause": "disk full"}));
    assert_eq!((given.verb, given.channel.as_str(), given.thread.as_deref()), (expected, "C1", Some("1790.2")));
}

#[test]
fn a_typed_command_is_read_from_a_form() {
    let body = b"command=%2Fhindcast&text=ack+7Q2K&user_id=U1&user_name=zoe&channel_id=C1&trigger_id=1.2&team_id=T1";
    let typed = said(command(body));
    assert_eq!(typed.verb, ChatVerb::Typed { word: "ack".into(), incident: Some("7Q2K".into()), rest: String::new() });
    assert_eq!((typed.key.as_str(), typed.channel.as_str()), ("U1/1.2", "C1"));
    assert!(command(b"text=ack").is_err());
    assert!(command(b"text=ack&user_id=U1&channel_id=C1&trigger_id=").is_err(), "without a key nothing is taken");
    assert_eq!(command(b"ssl_check=1"), Ok(Meaning::Nothing("a check of the certificate")));
}

#[test]
fn a_direct_message_is_a_question_and_a_channels_talk_is_none() {
    let message = |kind: &str| {
        let mut body = mention("why &amp;lt;?");
        body["event"]["type"] = json!("message");
        body["event"]["channel_type"] = json!(kind);
        body["event"]["thread_ts"] = json!(null);
        body
    };
    let asked = said(socket("events_api", &message("im")));
    assert_eq!(asked.verb, ChatVerb::Ask { incident: None, text: "why &lt;?".into() }, "an escape is undone once");
    assert_eq!(asked.thread.as_deref(), Some("1795.1"), "the answer opens a thread");
    assert_eq!(socket("events_api", &message("channel")), Ok(Meaning::Nothing("unknown event")));
}

#[test]
fn a_question_with_a_picture_is_one_and_a_bots_is_none() {
    let with = |field: &str, value: Value| {
        let mut body = mention("what is this?");
        body["event"][field] = value;
        socket("events_api", &body)
    };
    for (field, value) in [
        ("subtype", json!("file_share")),
        ("subtype", json!("thread_broadcast")),
        ("subtype", json!(null)),
        ("bot_id", json!(null)),
    ] {
        assert!(matches!(said(with(field, value.clone())).verb, ChatVerb::Ask { .. }), "{field} {value}");
    }
    for (field, value) in [
        ("subtype", json!("message_deleted")),
        ("subtype", json!("bot_message")),
        ("subtype", json!(7)),
        ("bot_id", json!("B1")),
        ("bot_id", json!(7)),
    ] {
        assert_eq!(with(field, value.clone()), Ok(Meaning::Nothing("no person's message")), "{field} {value}");
    }
}

#[test]
fn a_shortcut_shows_what_can_be_said_each_time() {
    let shortcut = |at: Value| {
        json!({"type": "message_action", "user": {"id": "U1"}, "channel": {"id": "C1"},
            "message": {"ts": "1790.2"}, "trigger_id": "t.1", "action_ts": at})
    };
    let first = said(socket("interactive", &shortcut(json!("1795.1"))));
    assert_eq!((&first.verb, first.message.as_deref()), (&ChatVerb::Help, Some("1790.2")));
    assert_ne!(said(socket("interactive", &shortcut(json!("1795.2")))).key, first.key);
    assert!(socket("interactive", &shortcut(json!(null))).is_err());
}

#[test]
fn what_is_no_id_is_taken_for_none() {
    let id = IncidentId::derive(&[b"x"]);
    let mut body = pressed(&text::value(&ChatVerb::act(ActName::Acknowledge, id), None));
    body["channel"]["id"] = json!("<!channel>");
    body["team"]["id"] = json!("T".repeat(ID_MAX + 1));
    body["response_url"] = json!("h".repeat(ADDRESS_MAX + 1));
    let taken = said(socket("interactive", &body));
    assert_eq!((taken.channel.as_str(), taken.team, taken.reply.response_url), ("C1", None, None));
    body["user"]["id"] = json!("U1 U2");
    assert!(socket("interactive", &body).is_err());
}

#[test]
fn what_cannot_be_read_is_told_without_its_content() {
    for body in [&b"not json"[..], b"[1]", b"{\"type\":\"<script>secret</script>\"}", b""] {
        let refused = events(body).unwrap_err().to_string();
        assert!(!refused.contains('<'), "{refused}");
    }
    assert!(interactive(b"payload=x").is_err());
    assert_eq!(events(br#"{"type":"url_verification","challenge":"abc"}"#), Ok(Meaning::Challenge("abc".into())));
}
