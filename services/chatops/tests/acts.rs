//! Acts in chat, end to end: each word of the catalogue, typed in Slack and in Teams, becomes its command once; those
//! behind the menu open their dialog; what is refused says why and leaves nothing.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::harness::{World, interaction, rules, signed};
use hindcast_chat_cards::{ChatVerb, Interaction, Vendor};
use hindcast_chatops::{ChatEndpoints, Say};
use hindcast_domain::act::{self, ActName};
use hindcast_domain::command::Command;
use hindcast_domain::event::Event;
use hindcast_domain::{IncidentId, Severity, Span};
use hindcast_ledger::port::Ledger as _;
use serde_json::json;

const LEAVES: &str = "9f3c77aa001122334455";

async fn world() -> (World, ChatEndpoints, IncidentId) {
    let mut rules = rules();
    rules["people"][0]["teams"] = json!(["T-ADA"]);
    let world = World::new(rules).await;
    let options = world.options();
    World::delivers_with(options.clone());
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    crate::harness::views::holds_alert(&world.views, LEAVES, "DiskFull", incident.as_str());
    (world, ChatEndpoints::new(options), incident)
}

fn typed(word: &str, incident: &IncidentId, rest: &str) -> ChatVerb {
    ChatVerb::Typed { word: word.into(), incident: Some(incident.as_str()[..10].to_owned()), rest: rest.into() }
}

/// The same from Teams.
fn in_teams(key: &str, verb: ChatVerb) -> Interaction {
    Interaction { vendor: Vendor::Teams, user: "T-ADA".to_owned(), ..interaction(key, "T-ADA", verb) }
}

async fn commands(world: &World) -> Vec<Command> {
    let events = world.events().await.into_iter();
    let asked = events.filter_map(|event| match event.event {
        Event::Command(received) if received.key.starts_with("chat/") => Some(received.command),
        _ => None,
    });
    asked.collect()
}

#[tokio::test(start_paused = true)]
async fn the_five_words_become_their_commands_once_at_both_vendors() {
    let (world, door, id) = world().await;
    let incident = || id.clone();
    let cases = [
        ("assign", "<@U-ROOT>", Command::AssignIncident { incident: incident(), owner: Some("root".into()) }),
        ("assign", "me", Command::AssignIncident { incident: incident(), owner: Some("ada".into()) }),
        ("assign", "nobody", Command::AssignIncident { incident: incident(), owner: None }),
        ("note", "it is the disk", Command::NoteIncident { incident: incident(), text: "it is the disk".into() }),
        ("severity", "low", Command::SetIncidentSeverity { incident: incident(), severity: Severity::Low }),
        (
            "split",
            &LEAVES[..6],
            Command::SplitIncident { incident: incident(), fingerprints: vec![LEAVES.parse().unwrap()] },
        ),
    ];
    let mut expected = 0;
    for (n, (word, rest, command)) in cases.into_iter().enumerate() {
        let is_mention = rest.starts_with('<');
        for made in [
            interaction(&n.to_string(), "U-ADA", typed(word, &id, rest)),
            in_teams(&n.to_string(), typed(word, &id, rest)),
        ] {
            if is_mention && made.vendor == Vendor::Teams {
                continue;
            }
            for _ in 0..3 {
                door.receive(made.clone(), signed()).await.unwrap();
            }
            expected += 1;
            let commands = commands(&world).await;
            assert_eq!((commands.len(), commands.last()), (expected, Some(&command)), "{word} {rest}");
        }
    }
    world.quiet().await;
    let events = world.events().await;
    let last = |wanted: &dyn Fn(&Event) -> bool| events.iter().filter(|event| wanted(&event.event)).count();
    assert_eq!(last(&|event| matches!(event, Event::IncidentNoted(_))), 2, "one from each vendor");
    assert_eq!(last(&|event| matches!(event, Event::IncidentAssigned(_))), 5);
    assert_eq!(last(&|event| matches!(event, Event::IncidentSeveritySet(_))), 2);
    let by_ada = events.iter().find(|event| matches!(event.event, Event::IncidentNoted(_))).unwrap();
    assert_eq!(by_ada.actor, "ada");
}

#[tokio::test(start_paused = true)]
async fn a_snooze_counts_from_the_press_and_is_one_however_often_it_comes() {
    let (world, door, id) = world().await;
    let snoozed = interaction("s", "U-ADA", typed("snooze", &id, "30m"));
    for _ in 0..3 {
        door.receive(snoozed.clone(), signed()).await.unwrap();
    }
    let until = hindcast_clock::Clock::now(&world.clock) + Span::minutes(30);
    assert_eq!(commands(&world).await, vec![Command::SnoozeIncident { incident: id.clone(), until }]);
    world.quiet().await;
    assert_eq!(world.count(|event| matches!(event, Event::IncidentSnoozed(_))).await, 1);
    // Another process that took nothing itself knows it from the ledger.
    let options = world.options();
    World::delivers_with(options.clone());
    world.settle().await;
    ChatEndpoints::new(options).receive(snoozed, signed()).await.unwrap();
    world.quiet().await;
    assert_eq!(commands(&world).await.len(), 1);
    assert_eq!(world.count(|event| matches!(event, Event::CommandRejected(_))).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_the_menu_opens_its_dialog_and_what_is_filled_in_is_done() {
    let (world, door, id) = world().await;
    let hidden: Vec<ActName> = act::in_chat().filter(|(act, _)| act.asks()).map(|(act, _)| act.name).collect();
    for (n, act) in hidden.iter().enumerate() {
        let opens = ChatVerb::OpenAct { act: *act, incident: id.clone() };
        let refused = door.receive(interaction(&format!("v{n}"), "U-VIC", opens.clone()), signed()).await.unwrap();
        assert!(matches!(refused.say, Some(Say::Words(words)) if words.starts_with("That needs the role responder")));
        door.receive(interaction(&format!("o{n}"), "U-ADA", opens), signed()).await.unwrap();
        let dialog = world.vendor.dialogs().last().unwrap().1.to_string();
        assert!(dialog.contains(act.entry().button), "{act:?}: {dialog}");
        assert_eq!(world.vendor.dialogs().len(), n + 1);
    }
    let more = door.receive(in_teams("m", ChatVerb::OpenMore(id.clone())), signed()).await.unwrap();
    let Some(Say::Message(card)) = more.say else { panic!("{more:?}") };
    for name in [ActName::Assign, ActName::Snooze, ActName::Note, ActName::Severity, ActName::Split] {
        assert!(card.to_string().contains(name.entry().button), "{name:?}: {card}");
    }
    let filled = ChatVerb::filled(ActName::Note, id.clone(), json!({"text": "password=hunter2"}));
    door.receive(interaction("f", "U-ADA", filled), signed()).await.unwrap();
    let Some(Command::NoteIncident { text, .. }) = commands(&world).await.pop() else { panic!("a note is written") };
    assert_eq!(text, "password=[redacted:secret]");
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_says_why_and_leaves_nothing() {
    let (world, door, id) = world().await;
    let head = world.ledger.head().await.unwrap();
    for (n, (word, rest, said)) in [
        ("snooze", "soon", "minutes"),
        ("snooze", "", "Expected more after `snooze"),
        ("severity", "awful", "critical, high, medium, low or info"),
        ("split", "zz11", "Expected an alert of"),
        ("note", "", "Expected more after `note"),
    ]
    .into_iter()
    .enumerate()
    {
        let done = door.receive(interaction(&n.to_string(), "U-ADA", typed(word, &id, rest)), signed()).await.unwrap();
        let Some(Say::Words(words)) = done.say else { panic!("{word}") };
        assert!(words.contains(said), "{word} {rest}: {words}");
        let forbidden = door.receive(interaction(&format!("v{n}"), "U-VIC", typed(word, &id, rest)), signed()).await;
        assert!(matches!(forbidden.unwrap().say, Some(Say::Words(words)) if words.starts_with("That needs the role")));
    }
    assert_eq!(world.ledger.head().await.unwrap(), head);
    let help = door.receive(interaction("h", "U-VIC", ChatVerb::Help), signed()).await.unwrap();
    let Some(Say::Words(words)) = help.say else { panic!("help is words") };
    for (_, chat) in act::in_chat() {
        assert!(words.contains(&format!("`{} 7Q2K", chat.word)), "{}: {words}", chat.word);
    }
}
