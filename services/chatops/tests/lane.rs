//! The lane of chat, read as a specification: what is shown where, once, and what is never asked for twice.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::harness;
use harness::{Dice, World, interaction, production, rules, signed};
use hindcast_chat_cards::ChatVerb;
use hindcast_chatops::{ChatDecider, ChatEndpoints, ChatState};
use hindcast_domain::chat::{Messages, What};
use hindcast_domain::command::Command;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::{Decider, Input, names};
use hindcast_domain::{Partition, Severity, Span};
use hindcast_ledger::port::Ledger as _;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn an_incident_has_one_card_in_each_channel_that_shows_it() {
    let world = World::new(json!({"channels": [
        {"vendor": "slack", "channel": "all"},
        {"vendor": "slack", "channel": "bad", "at_least": "high"},
        {"vendor": "slack", "channel": "shop", "services": ["shop"]},
        {"vendor": "slack", "channel": "staging", "environments": ["staging"]},
        {"vendor": "slack", "channel": "team", "teams": ["payments"]},
    ]}))
    .await;
    world.declares("checkout is slow", Severity::Medium, &["shop"]).await;
    assert_eq!(world.asked().await, [("card", "all".to_owned()), ("card", "shop".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_channel_gets_its_card_when_the_incident_gets_bad_enough_for_it() {
    let world = World::new(json!({"channels": [{"vendor": "slack", "channel": "bad", "at_least": "high"}]})).await;
    let incident = world.declares("checkout is slow", Severity::Low, &[]).await;
    assert!(world.asked().await.is_empty());
    for severity in [Severity::Critical, Severity::Low, Severity::Critical] {
        world.command(Command::SetIncidentSeverity { incident: incident.clone(), severity }).await;
        world.quiet().await;
    }
    let asked = world.asked().await;
    assert_eq!(asked.iter().filter(|(what, _)| *what == "card").count(), 1, "{asked:?}");
    assert_eq!(asked.iter().filter(|(what, _)| *what == "note").count(), 1, "it rose again: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_people_must_see_is_told_once_in_the_thread_of_every_card() {
    let world = World::new(json!({"channels": [
        {"vendor": "slack", "channel": "C1"}, {"vendor": "slack", "channel": "C2"},
    ]}))
    .await;
    let one = world.declares("one", Severity::High, &[]).await;
    let other = world.declares("other", Severity::High, &[]).await;
    let notes = async || world.asked().await.iter().filter(|(what, _)| *what == "note").count();
    let steps = [
        (Command::NoteIncident { incident: one.clone(), text: "hm".into() }, 0),
        (Command::AcknowledgeIncident { incident: one.clone() }, 2),
        (Command::AssignIncident { incident: one.clone(), owner: Some("ada".into()) }, 0),
        (Command::ResolveIncident { incident: one.clone(), cause: None, resolution: None }, 2),
        // Whoever adds later what it was ends nothing.
        (Command::ResolveIncident { incident: one.clone(), cause: Some("a deploy".into()), resolution: None }, 0),
        (Command::ReopenIncident { incident: one.clone() }, 2),
        (Command::SetIncidentSeverity { incident: one.clone(), severity: Severity::Critical }, 2),
        (Command::SetIncidentSeverity { incident: one.clone(), severity: Severity::Low }, 0),
        // Both incidents' threads are told.
        (Command::MergeIncident { incident: one, into: other }, 4),
    ];
    for (command, more) in steps {
        let before = notes().await;
        world.clock.set(hindcast_clock::Clock::now(&world.clock) + Span::seconds(1));
        world.command(command.clone()).await;
        world.quiet().await;
        assert_eq!(notes().await - before, more, "{command:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_where_it_was_asked_and_a_repeated_one_once() {
    let world = World::new(rules()).await;
    let door = ChatEndpoints::new(world.options());
    for key in ["q1", "q1", "q2"] {
        let asked = ChatVerb::Ask { incident: None, text: "what is going on?".into() };
        door.receive(interaction(key, "U-VIC", asked), signed()).await.unwrap();
    }
    world.quiet().await;
    assert_eq!(world.asked().await.len(), 2);
    let messages = world.messages().await;
    let answers = messages.0.values().filter(|message| matches!(message.requested.what, What::Answer { .. }));
    for answer in answers {
        assert_eq!(answer.requested.thread.as_deref(), Some("1.1"));
        assert_eq!(answer.requested.expires_at, Some(answer.at + Span::seconds(900)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_question_written_twice_is_still_one_answer() {
    let world = World::new(rules()).await;
    // Two processes that know nothing of each other take the same delivery.
    for _ in 0..2 {
        let door = ChatEndpoints::new(world.options());
        let asked = ChatVerb::Ask { incident: None, text: "what is going on?".into() };
        door.receive(interaction("q1", "U-VIC", asked), signed()).await.unwrap();
    }
    world.quiet().await;
    assert_eq!(world.count(|event| matches!(event, Event::ChatReceived(_))).await, 2);
    assert_eq!(world.asked().await, [("answer", "C1".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_ledger_does_not_grow_and_a_restart_asks_for_nothing_again() {
    let mut world = World::new(rules()).await;
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.command(Command::AcknowledgeIncident { incident }).await;
    world.quiet().await;
    let head = world.ledger.head().await.unwrap();
    world.restarts_lanes().await;
    world.settle().await;
    assert_eq!(world.ledger.head().await.unwrap(), head);
    assert_eq!(world.asked().await, [("card", "C1".to_owned()), ("note", "C1".to_owned())]);
}

/// The inputs and the decisions of the lane in a ledger, in their order.
fn split(events: &[Recorded]) -> (Vec<Recorded>, Vec<Recorded>) {
    let whole = Partition::whole("default");
    let is_own = |event: &Recorded| matches!(event.event, Event::ChatRequested(_));
    let reads = |event: &Recorded| match &event.event {
        Event::Configured(_) => ChatDecider.reads(&whole, Input::Lane(names::CONTROL), &event.partition),
        event_of if event_of.kind() == hindcast_domain::event::Kind::Intake => {
            ChatDecider.reads(&whole, Input::Intake, &event.partition)
        }
        Event::CommandRejected(_) => false,
        _ => ChatDecider.reads(&whole, Input::Lane(names::INCIDENTS), &event.partition),
    };
    let inputs = events.iter().filter(|event| !is_own(event) && reads(event)).cloned().collect();
    (inputs, events.iter().filter(|event| is_own(event)).cloned().collect())
}

#[tokio::test(start_paused = true)]
async fn the_state_after_a_restart_equals_the_one_that_decided_and_an_input_seen_twice_decides_nothing() {
    for seed in 1..=20_u64 {
        let mut dice = Dice::new(seed);
        let world = World::new(rules()).await;
        let mut incidents = vec![world.declares("first", Severity::Low, &[]).await];
        for step in 0..30 {
            world
                .clock
                .set(hindcast_clock::Clock::now(&world.clock) + Span::hours(i64::try_from(dice.below(48)).unwrap()));
            let at = usize::try_from(dice.below(incidents.len() as u64)).unwrap();
            let (incident, into) = (incidents[at].clone(), incidents[0].clone());
            match dice.below(8) {
                0 => incidents.push(world.declares(&format!("{step}"), Severity::Medium, &[]).await),
                1 => world.command(Command::AcknowledgeIncident { incident }).await,
                2 | 3 => {
                    world.command(Command::ResolveIncident { incident, cause: None, resolution: None }).await;
                }
                4 => world.command(Command::ReopenIncident { incident }).await,
                5 => world.command(Command::MergeIncident { incident, into }).await,
                _ => {
                    let severity = Severity::ALL[usize::try_from(dice.below(5)).unwrap()];
                    world.command(Command::SetIncidentSeverity { incident, severity }).await;
                }
            }
            world.quiet().await;
        }
        let (inputs, decisions) = split(&world.events().await);
        assert!(decisions.len() > 3, "seed {seed}: {}", decisions.len());

        let whole = Partition::whole("default");
        let (mut live, mut decided) = (ChatState::default(), Vec::new());
        for input in &inputs {
            ChatDecider.seen(&mut live, input);
            for draft in ChatDecider.decide(&live, &whole, input, input.time) {
                let own = decisions.iter().find(|own| own.subject == draft.subject).expect("it stands in the ledger");
                decided.push(draft.subject);
                ChatDecider.evolve(&mut live, own);
            }
            assert!(ChatDecider.decide(&live, &whole, input, input.time).is_empty(), "seed {seed}: twice: {input:?}");
        }
        let recorded: Vec<_> = decisions.iter().map(|own| own.subject.clone()).collect();
        assert_eq!(decided, recorded, "seed {seed}: the ledger holds what is decided anew");

        let mut restarted = ChatState::default();
        inputs.iter().for_each(|input| ChatDecider.seen(&mut restarted, input));
        decisions.iter().for_each(|own| ChatDecider.evolve(&mut restarted, own));
        assert_eq!(restarted, live, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_long_ago_is_forgotten() {
    let world = World::new(rules()).await;
    for n in 0..20 {
        let incident = world.declares(&format!("{n}"), Severity::High, &[]).await;
        world.command(Command::ResolveIncident { incident, cause: None, resolution: None }).await;
        world.quiet().await;
        world.clock.set(hindcast_clock::Clock::now(&world.clock) + Span::hours(24 * 5));
    }
    let (inputs, decisions) = split(&world.events().await);
    let mut state = ChatState::default();
    inputs.iter().for_each(|input| ChatDecider.seen(&mut state, input));
    decisions.iter().for_each(|own| ChatDecider.evolve(&mut state, own));
    assert_eq!(decisions.len(), 40);
    assert!(state.seen.incidents() <= 7 && state.messages() <= 14, "{} {}", state.seen.incidents(), state.messages());
}

#[test]
fn the_lane_reads_what_it_decides_on_and_nothing_else() {
    let whole = Partition::whole("default");
    assert!(ChatDecider.reads(&whole, Input::Lane(names::INCIDENTS), &production()));
    assert!(ChatDecider.reads(&whole, Input::Lane(names::CONTROL), &whole));
    assert!(ChatDecider.reads(&whole, Input::Intake, &whole));
    assert!(!ChatDecider.reads(&whole, Input::Intake, &production()), "alerts are none of its business");
    assert!(!ChatDecider.reads(&whole, Input::Lane(names::NOTICES), &whole), "nor is paging");
    assert!(!ChatDecider.reads(&Partition::whole("other"), Input::Lane(names::INCIDENTS), &production()));
    let incident = hindcast_domain::IncidentId::derive(&[b"x"]);
    assert_ne!(
        Messages::card_id(&incident, &"slack".into(), "C1"),
        Messages::card_id(&incident, &"teams".into(), "C1")
    );
}
