//! What people type and press: which act follows, who may do it, and what is said where it makes no sense.

use hindcast_chat_cards::ChatVerb;
use hindcast_chatops::{ChatEndpoints, DeliveryResult, Say};
use hindcast_domain::act::ActName;
use hindcast_domain::chat::Act;
use hindcast_domain::event::Event;
use hindcast_domain::label::About;
use hindcast_domain::{IncidentId, Severity};
use hindcast_ledger::Ledger;
use serde_json::json;

use crate::harness::{World, interaction, rules, signed};

/// The words that a person is told at once; none where they see something else.
fn words(done: DeliveryResult) -> String {
    match done.say {
        Some(Say::Words(words)) => words,
        _ => String::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_is_shown_as_it_looks_elsewhere() {
    let world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let other = world.declares("search is slow", Severity::Low, &[]).await;
    let door = ChatEndpoints::new(world.options());
    let typed = |word: &str, named: Option<&IncidentId>| ChatVerb::Typed {
        word: word.into(),
        incident: named.map(ToString::to_string),
        rest: String::new(),
    };
    let mut n = 0;
    let mut say = async |verb: ChatVerb| {
        n += 1;
        door.receive(interaction(&n.to_string(), "U-ADA", verb), signed()).await.unwrap().say
    };
    assert_eq!(say(typed("show", Some(&incident))).await, Some(Say::Incident(incident.clone())));
    let Some(Say::List(listed)) = say(typed("list", None)).await else { panic!("a list is listed") };
    let ids: Vec<&str> = listed.iter().map(|one| one.id.as_str()).collect();
    assert!(ids.contains(&incident.as_str()) && ids.contains(&other.as_str()), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn who_may_do_what_follows_from_the_vendors_id() {
    let world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let door = ChatEndpoints::new(world.options());
    let id = || incident.clone();
    let verbs: Vec<(ChatVerb, bool)> = vec![
        (ChatVerb::Help, true),
        (ChatVerb::Ask { incident: None, text: "why?".into() }, true),
        (ChatVerb::Typed { word: "list".into(), incident: None, rest: String::new() }, true),
        (ChatVerb::Typed { word: "show".into(), incident: Some(id().to_string()), rest: String::new() }, true),
        (ChatVerb::OpenAsk(id()), true),
        (ChatVerb::OpenAct { act: ActName::Resolve, incident: id() }, false),
        (ChatVerb::OpenAct { act: ActName::Merge, incident: id() }, false),
        (ChatVerb::act(ActName::Acknowledge, id()), false),
        (ChatVerb::act(ActName::Unacknowledge, id()), false),
        (ChatVerb::act(ActName::Reopen, id()), false),
        (ChatVerb::act(ActName::Resolve, id()), false),
        (ChatVerb::filled(ActName::Merge, id(), json!({"into": id()})), false),
        (ChatVerb::Typed { word: "ack".into(), incident: Some(id().to_string()), rest: String::new() }, false),
        (
            ChatVerb::Judge {
                incident: Some(id()),
                about: About::Incident { incident: id() },
                verdict: "useful".into(),
                text: None,
            },
            false,
        ),
    ];
    let mut n = 0;
    for (verb, viewer) in &verbs {
        // A stranger with a person's name in the vendor's profile is a stranger.
        for (user, may) in [("U-VIC", *viewer), ("U-STRANGER", *viewer), ("U-ADA", true), ("U-ROOT", true)] {
            n += 1;
            let before = world.ledger.head().await.unwrap();
            let received = door.receive(interaction(&n.to_string(), user, verb.clone()), signed()).await;
            let said = received.map(words).unwrap_or_default();
            assert_eq!(said.starts_with("That needs the role responder"), !may, "{user} {verb:?}: {said}");
            if !may {
                assert_eq!(world.ledger.head().await.unwrap(), before, "{user} {verb:?} left something");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_told_and_written_nowhere() {
    let world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let door = ChatEndpoints::new(world.options());
    let head = world.ledger.head().await.unwrap();
    let typed = |word: &str, incident: Option<&str>| ChatVerb::Typed {
        word: word.into(),
        incident: incident.map(ToOwned::to_owned),
        rest: String::new(),
    };
    let wrong = [
        (typed("ack", None), "Expected the beginning"),
        (typed("ack", Some("ZZZZ")), "found none"),
        (typed("merge", Some(incident.as_str())), "Expected more after `merge"),
        (ChatVerb::act(ActName::Acknowledge, IncidentId::derive(&[b"none"])), "found none"),
        (ChatVerb::filled(ActName::Merge, incident.clone(), json!({"into": incident})), "twice"),
        (
            ChatVerb::filled(ActName::Resolve, incident.clone(), json!({"cause": "x".repeat(20_000)})),
            "at most 16384 bytes",
        ),
    ];
    for (n, (verb, expected)) in wrong.into_iter().enumerate() {
        let done = door.receive(interaction(&n.to_string(), "U-ADA", verb), signed()).await.unwrap();
        assert!(words(done.clone()).contains(expected), "{done:?}");
    }
    assert_eq!(world.ledger.head().await.unwrap(), head);
}

#[tokio::test(start_paused = true)]
async fn secrets_that_somebody_types_do_not_reach_the_ledger() {
    let world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let door = ChatEndpoints::new(world.options());
    let secret = "password=hunter2";
    let verbs = [
        ChatVerb::Ask { incident: None, text: format!("is {secret} right?") },
        ChatVerb::filled(ActName::Resolve, incident.clone(), json!({"cause": secret, "resolution": secret})),
    ];
    for (n, verb) in verbs.into_iter().enumerate() {
        door.receive(interaction(&n.to_string(), "U-ADA", verb), signed()).await.unwrap();
    }
    world.quiet().await;
    let events = format!("{:?}", world.events().await);
    assert!(!events.contains("hunter2") && events.contains("[redacted:secret]"));
}

#[tokio::test(start_paused = true)]
async fn a_dialog_opens_and_a_judgement_is_written_once() {
    let world = World::new(rules()).await;
    let options = world.options();
    World::delivers_with(options.clone());
    let door = ChatEndpoints::new(options);
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    for _ in 0..3 {
        door.receive(
            interaction("d", "U-ADA", ChatVerb::OpenAct { act: ActName::Resolve, incident: incident.clone() }),
            signed(),
        )
        .await
        .unwrap();
        let judged = ChatVerb::Judge {
            incident: Some(incident.clone()),
            about: About::Incident { incident: incident.clone() },
            verdict: "useful".into(),
            text: None,
        };
        door.receive(interaction("j", "U-ADA", judged), signed()).await.unwrap();
    }
    assert_eq!(world.vendor.dialogs().len(), 1);
    assert_eq!(world.count(|event| matches!(event, Event::LabelJudged(_))).await, 1);
    let looked = world.count(|event| matches!(event, Event::ChatReceived(r) if r.act == Act::Looked)).await;
    assert_eq!(looked, 1);
}

#[tokio::test(start_paused = true)]
async fn a_judgement_is_not_taken_before_the_ledger_was_read() {
    let world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    let door = ChatEndpoints::new(world.options());
    let judged = ChatVerb::Judge {
        incident: Some(incident.clone()),
        about: About::Incident { incident },
        verdict: "useful".into(),
        text: None,
    };
    let refused = door.receive(interaction("j", "U-ADA", judged), signed()).await.unwrap_err();
    assert_eq!(refused.0.status, 503, "the vendor, or the person, tries again");
    assert_eq!(world.count(|event| matches!(event, Event::LabelJudged(_))).await, 0);
}
