//! The catalogue of acts, walked: names in order, what each needs is said, and what is given becomes its command or an
//! error that names the field.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use hindcast_domain::act::{self, ACTS, ActName, ActReferences, ActTarget, ArgumentForm, CliForm};
use hindcast_domain::command::Command;
use hindcast_domain::{Fingerprint, IncidentId, Span, Time};
use serde_json::{Value, json};

const NOW: Time = Time::from_millis(1_763_996_400_000);

fn found() -> ActReferences {
    ActReferences {
        incident: Some(IncidentId::derive(&[b"a"])),
        other: Some(IncidentId::derive(&[b"b"])),
        fingerprints: vec![Fingerprint::from_mac(&[7; 32]); 2],
    }
}

/// A body that an act takes.
fn body(name: ActName) -> Value {
    match name {
        ActName::Declare => json!({"title": "slow", "severity": "high", "services": ["shop"], "started_at": null}),
        ActName::Resolve => json!({"cause": " disk ", "resolution": ""}),
        ActName::Merge => json!({"into": "INC-9F3C"}),
        ActName::Split => json!({"fingerprints": ["9f3c"]}),
        ActName::Assign => json!({"owner": "anna"}),
        ActName::Note => json!({"text": "it is the disk"}),
        ActName::Severity => json!({"severity": "low"}),
        ActName::Snooze => json!({"minutes": 30}),
        ActName::Feedback => json!({"verdict": "noise"}),
        _ => json!({}),
    }
}

#[test]
fn every_act_has_its_place_and_its_words() {
    for (index, act) in ACTS.iter().enumerate() {
        assert_eq!(act.name as usize, index, "{}", act.word);
        assert_eq!(act.name.entry().word, act.word);
        for words in [act.word, act.path, act.form, act.button, act.past, act.help, act.cli.name] {
            assert!(!words.is_empty() && !words.ends_with('.'), "{}: {words:?}", act.word);
        }
        assert_eq!(act.offered.is_empty(), act.on != ActTarget::Incident, "{}", act.word);
        for argument in act.arguments {
            let is_said = act.name == ActName::Silence || !argument.help.is_empty();
            assert!(is_said && !argument.help.ends_with('.'), "{} {}", act.word, argument.name);
            assert!(
                !argument.asked || act.on != ActTarget::Incident || !argument.label.is_empty(),
                "{}",
                argument.name
            );
            assert!(!argument.required || argument.cli != CliForm::Absent, "{} {}", act.word, argument.name);
        }
        let is_known = |name: &&'static str| act.argument(name).is_some();
        assert!(act.one_of.iter().all(is_known) && act.chat.and_then(|chat| chat.rest).iter().all(is_known));
    }
}

#[test]
fn what_is_given_becomes_the_acts_command() {
    for act in ACTS.iter().filter(|act| matches!(act.on, ActTarget::Incident) || act.name == ActName::Declare) {
        let command = act.read(&body(act.name)).unwrap().command(found(), NOW).unwrap();
        let written = serde_json::to_value(&command).unwrap();
        let expected = match act.name {
            ActName::Declare => "declare_incident".to_owned(),
            ActName::Severity => "set_incident_severity".to_owned(),
            ActName::Feedback => "give_feedback".to_owned(),
            _ => format!("{}_incident", act.word),
        };
        assert_eq!(written["command"], expected);
    }
    let snoozed = ActName::Snooze.entry().read(&json!({"minutes": 30})).unwrap();
    assert_eq!(snoozed.span(), Some(Span::minutes(30)));
    let Command::SnoozeIncident { until, .. } = snoozed.command(found(), NOW).unwrap() else { panic!() };
    assert_eq!(until, NOW + Span::minutes(30));
    let Command::SplitIncident { fingerprints, .. } =
        ActName::Split.entry().read(&body(ActName::Split)).unwrap().command(found(), NOW).unwrap()
    else {
        panic!()
    };
    assert_eq!(fingerprints.len(), 1, "an alert leaves once");
}

#[test]
fn what_makes_no_sense_names_its_field() {
    let long = "w".repeat(20_000);
    for (name, body, field) in [
        (ActName::Acknowledge, json!({"x": 1}), "x"),
        (ActName::Acknowledge, json!([]), ""),
        (ActName::Note, json!({}), "text"),
        (ActName::Note, json!({"text": "  "}), "text"),
        (ActName::Note, json!({"text": null}), "text"),
        (ActName::Note, json!({"text": long}), "text"),
        (ActName::Resolve, json!({"cause": long}), "cause"),
        (ActName::Assign, json!({}), "owner"),
        (ActName::Severity, json!({"severity": "awful"}), "severity"),
        (ActName::Snooze, json!({}), "until"),
        (ActName::Snooze, json!({"minutes": 0}), "minutes"),
        (ActName::Snooze, json!({"minutes": 5, "until": "2030-01-01T00:00:00Z"}), "until"),
        (ActName::Feedback, json!({"verdict": "meh"}), "verdict"),
        (ActName::Split, json!({"fingerprints": []}), "fingerprints"),
        (ActName::Merge, json!({"into": 7}), "into"),
    ] {
        let error = name.entry().read(&body).unwrap_err();
        assert_eq!(error.field, field, "{body}: {error}");
    }
    let past = ActName::Snooze.entry().read(&json!({"until": "2000-01-01T00:00:00Z"})).unwrap();
    assert_eq!(past.command(found(), NOW).unwrap_err().field, "until");
    let twice = ActReferences { other: found().incident, ..found() };
    let merge = ActName::Merge.entry().read(&body(ActName::Merge)).unwrap();
    assert_eq!(merge.command(twice, NOW).unwrap_err().field, "into");
}

#[test]
fn a_text_becomes_what_its_field_holds() {
    let of = |name: ActName, field: &str, text: &str| name.entry().argument(field).unwrap().of_text(text);
    assert_eq!(of(ActName::Snooze, "minutes", "1h30m"), Some(json!(90)));
    assert_eq!(of(ActName::Snooze, "minutes", "soon"), Some(json!("soon")), "the body says what is wrong");
    assert_eq!(of(ActName::Split, "fingerprints", "9f3c, 77aa\nab12"), Some(json!(["9f3c", "77aa", "ab12"])));
    assert_eq!(of(ActName::Assign, "owner", "nobody"), Some(Value::Null));
    assert_eq!(of(ActName::Severity, "severity", " HIGH "), Some(json!("high")));
    assert_eq!(of(ActName::Note, "text", "  "), None);
    for (text, minutes) in [("30m", Some(30)), ("2 h", Some(120)), ("45", Some(45)), ("1d", Some(1_440)), ("0", None)] {
        assert_eq!(act::minutes(text), minutes, "{text}");
    }
    for text in ["", "m", "5x", "-5m", "99999999999d", "ö"] {
        assert_eq!(act::minutes(text), None, "{text:?}");
    }
    assert!(ACTS.iter().flat_map(|act| act.arguments).any(|argument| argument.form == ArgumentForm::Minutes));
}
