//! The catalogue of acts, walked: each act on an incident has its word in chat, its button or its place in the menu, and
//! its dialog at both vendors, so that one that is forgotten turns this red.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use hindcast_chat_cards::interaction::Meaning;
use hindcast_chat_cards::{ChatVerb, buttons, slack, teams};
use hindcast_domain::IncidentId;
use hindcast_domain::act::{self, ActName};
use hindcast_domain::incident::Status;
use serde_json::{Value, json};

fn said(text: &str) -> ChatVerb {
    let body = json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {
        "type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.1", "text": format!("<@U0> {text}")}});
    match slack::read::events(body.to_string().as_bytes()).unwrap() {
        Meaning::Person(said) => said.verb,
        other => panic!("{other:?}"),
    }
}

fn pressed(h: &Value, fields: &Value) -> ChatVerb {
    let mut data = json!({"h": h});
    data.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let invoke = json!({"type": "invoke", "name": "adaptiveCard/action", "id": "1", "serviceUrl": "https://s.example/",
        "from": {"id": "29:1"}, "conversation": {"id": "19:c"}, "value": {"action": {"data": data}}});
    match teams::read::activity(invoke.to_string().as_bytes()).unwrap() {
        Meaning::Person(said) => said.verb,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_act_on_an_incident_has_its_word() {
    for act in act::on_incident() {
        // Whether an incident was helpful is said with the buttons of a judgement.
        let Some(chat) = act.chat else {
            assert_eq!(act.name, ActName::Feedback, "{} has no word in chat", act.word);
            continue;
        };
        let typed = format!("{} 7Q2K {}", chat.word, chat.example);
        let ChatVerb::Typed { word, incident, .. } = said(&typed) else { panic!("{typed} is a question") };
        assert_eq!((word.as_str(), incident.as_deref()), (chat.word, Some("7Q2K")), "{typed}");
        assert!(matches!(said(chat.word), ChatVerb::Typed { incident: None, .. }), "{}", chat.word);
    }
}

#[test]
fn every_act_is_a_button_or_in_the_menu() {
    let in_menu: Vec<&str> = buttons::in_menu(Status::Open).map(|(act, _)| act.word).collect();
    assert_eq!(in_menu, ["split", "assign", "note", "severity", "snooze"]);
    let over: Vec<&str> = buttons::in_menu(Status::Resolved).map(|(act, _)| act.word).collect();
    assert_eq!(over, ["split", "assign", "note", "severity"], "what is over pages nobody");
}

#[test]
fn what_a_button_carries_and_a_form_holds_is_the_act() {
    let id = IncidentId::derive(&[b"x"]);
    for (name, h, fields, body) in [
        (ActName::Assign, "assign", json!({"owner": " anna "}), json!({"owner": "anna"})),
        (ActName::Assign, "assign", json!({"owner": ""}), json!({"owner": null})),
        (ActName::Note, "note", json!({"text": "the disk"}), json!({"text": "the disk"})),
        (ActName::Severity, "severity", json!({"severity": "low"}), json!({"severity": "low"})),
        (ActName::Snooze, "snooze", json!({"minutes": "60"}), json!({"minutes": 60})),
        (ActName::Split, "split", json!({"fingerprints": "9f3c,77aa"}), json!({"fingerprints": ["9f3c", "77aa"]})),
        (ActName::Merge, "merge", json!({"into": "INC-9F3C"}), json!({"into": "INC-9F3C"})),
        (ActName::Resolve, "resolve", json!({"cause": "disk", "x": "y"}), json!({"cause": "disk"})),
    ] {
        let verb = pressed(&json!({"v": h, "i": id}), &fields);
        assert_eq!(verb, ChatVerb::filled(name, id.clone(), body));
    }
    let opened = pressed(&json!({"v": "open_assign", "i": id}), &json!({}));
    assert_eq!(opened, ChatVerb::OpenAct { act: ActName::Assign, incident: id.clone() });
    for (h, fields) in
        [("note", json!({"text": "  "})), ("snooze", json!({})), ("feedback", json!({"verdict": "noise"}))]
    {
        let invoke = json!({"type": "invoke", "name": "adaptiveCard/action", "id": "1", "from": {"id": "29:1"},
            "conversation": {"id": "19:c"}, "value": {"action": {"data": {"h": {"v": h, "i": id}, "f": fields}}}});
        let meaning = teams::read::activity(invoke.to_string().as_bytes()).unwrap();
        assert!(matches!(meaning, Meaning::Nothing(_)), "{h}: {meaning:?}");
    }
}

#[test]
fn several_that_were_chosen_in_a_dialog_are_read() {
    let id = IncidentId::derive(&[b"x"]);
    let chosen = json!([{"value": "9f3c"}, {"value": "77aa"}]);
    let view = json!({"id": "V1", "private_metadata": json!({"v": "split", "i": id, "c": "C1"}).to_string(),
        "state": {"values": {"fingerprints": {"a": {"type": "multi_static_select", "selected_options": chosen}}}}});
    let payload = json!({"type": "view_submission", "user": {"id": "U1"}, "view": view});
    let Ok(Meaning::Person(said)) = slack::read::socket("interactive", &payload) else { panic!("a dialog is read") };
    assert_eq!(said.verb, ChatVerb::filled(ActName::Split, id, json!({"fingerprints": ["9f3c", "77aa"]})));
}
