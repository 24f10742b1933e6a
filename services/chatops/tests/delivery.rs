//! Delivery, read as a specification: one card for each incident and channel, kept current without a flood; what
//! is not known to stand at the vendor's is looked for first; and a vendor that is down holds up nobody.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

mod faults;

use std::time::Duration;

use hindcast_chat_cards::ChatVerb;
use hindcast_chatops::ChatEndpoints;
use hindcast_domain::chat::Status;
use hindcast_domain::command::{Activated, Command};
use hindcast_domain::event::Event;
use hindcast_domain::{IncidentId, Severity, Span};
use hindcast_ledger::memory::MemoryLedger;

use crate::harness;
use crate::harness::{VendorBehaviour, World, interaction, rules, signed};

async fn sets(world: &World, incident: &IncidentId, severity: Severity) {
    world.command(Command::SetIncidentSeverity { incident: incident.clone(), severity }).await;
    world.quiet().await;
}

async fn crash(run: tokio::task::JoinHandle<()>) {
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_card_is_shown_once_and_a_restart_shows_nothing_again() {
    let world = World::new(rules()).await;
    let run = world.delivers();
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    assert_eq!(world.vendor.standing().len(), 1);
    let messages = world.messages().await;
    let card = messages.card(&incident, &"slack".into(), "C1").unwrap();
    assert_eq!(card.status, Status::Delivered);
    assert_eq!(card.place.as_ref(), Some(&world.vendor.standing()[0].place));
    crash(run).await;
    world.delivers();
    world.settle().await;
    assert_eq!((world.vendor.standing().len(), world.vendor.updates().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_shown_by_an_installation_that_is_not_the_active_one() {
    let world = World::new(rules()).await;
    world.write("activation", Event::Activated(Activated { install: "theirs".into() })).await;
    world.delivers();
    world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    assert!(world.vendor.standing().is_empty(), "this is a copy of their ledger");
    let status = world.handle.status();
    assert_eq!((status.items[0].active, status.items[0].queued), (false, 1));
    world.write("activation", Event::Activated(Activated { install: "ours".into() })).await;
    world.settle().await;
    assert_eq!(world.vendor.standing().len(), 1, "it waited, and was not lost");
}

/// Two processes of one installation, while leases come and go; how many messages stand there twice.
async fn two_processes(holders: [&str; 2]) -> (World, usize) {
    let world = World::on(MemoryLedger::contended("L"), rules()).await;
    let process = |holder: &str| {
        let mut options = world.options();
        options.holder = holder.to_owned();
        World::delivers_with(options)
    };
    let (first, second) = (process(holders[0]), process(holders[1]));
    world.quiet().await;
    for n in 0..12 {
        if n % 3 == 2 {
            world.ledger.expire_leases();
        }
        world.declares(&format!("checkout is slow {n}"), Severity::High, &[]).await;
        tokio::time::sleep(Duration::from_millis(700 * n)).await;
    }
    crash(first).await;
    world.declares("the first is gone", Severity::High, &[]).await;
    world.settle().await;
    crash(second).await;
    let doubles = world.vendor.doubles();
    (world, doubles)
}

#[tokio::test(start_paused = true)]
async fn of_several_processes_of_one_installation_one_delivers_and_another_takes_over() {
    let (world, doubles) = two_processes(["ours/1", "ours/2"]).await;
    assert_eq!((world.vendor.taken().len(), doubles), (13, 0));
    let (_, doubles) = two_processes(["ours/1", "ours/1"]).await;
    assert!(doubles > 0, "with a lease that both hold this test turns red");
}

#[tokio::test(start_paused = true)]
async fn a_process_of_another_installation_holds_up_nobody() {
    let world = World::on(MemoryLedger::contended("L"), rules()).await;
    let mut theirs = world.options();
    (theirs.install, theirs.holder) = ("theirs".to_owned(), "theirs/1".to_owned());
    World::delivers_with(theirs);
    world.quiet().await;
    world.delivers();
    world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    assert_eq!((world.vendor.standing().len(), world.vendor.doubles()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn changes_are_shown_in_the_same_place_and_a_burst_of_them_is_one_update() {
    let world = World::new(rules()).await;
    world.delivers();
    let incident = world.declares("checkout is slow", Severity::Critical, &[]).await;
    world.settle().await;
    world.command(Command::AcknowledgeIncident { incident: incident.clone() }).await;
    world.quiet().await;
    assert_eq!(world.vendor.updates().len(), 1, "the first one after a rest is shown at once");
    for n in 0..100 {
        let command = match n % 2 {
            0 => Command::UnacknowledgeIncident { incident: incident.clone() },
            _ => Command::AcknowledgeIncident { incident: incident.clone() },
        };
        world.command(command).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.settle().await;
    let updates = world.vendor.updates();
    assert!(updates.len() <= 4, "{} updates", updates.len());
    let place = world.vendor.standing()[0].place.clone();
    assert!(updates.iter().all(|update| update.place == place));
    let gaps = updates.windows(2).map(|pair| pair[1].at - pair[0].at);
    assert!(gaps.min().unwrap_or(Duration::MAX) >= Duration::from_millis(990), "at most one a second");
    let coalesced: u32 = world
        .events()
        .await
        .iter()
        .filter_map(|event| match &event.event {
            Event::ChatUpdated(updated) => Some(updated.coalesced),
            _ => None,
        })
        .sum();
    assert!(coalesced >= 100, "every change is accounted for: {coalesced}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_change_the_card_sends_nothing() {
    let world = World::new(rules()).await;
    world.delivers();
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    // Two changes that cancel each other out while the vendor is busy.
    world.vendor.then(VendorBehaviour::Busy(30));
    world.command(Command::AcknowledgeIncident { incident: incident.clone() }).await;
    world.quiet().await;
    let before = world.vendor.updates().len();
    world.command(Command::UnacknowledgeIncident { incident }).await;
    world.settle().await;
    // The revision is a part of what is shown, so that exactly one update follows.
    assert!(world.vendor.updates().len() - before <= 1);
    let messages = world.messages().await;
    let card = messages.0.values().find(|message| message.place.is_some()).unwrap();
    assert!(card.through > 0);
}

#[tokio::test(start_paused = true)]
async fn a_card_whose_incident_moved_on_while_nobody_ran_is_brought_up_to_date() {
    let world = World::new(rules()).await;
    let run = world.delivers();
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.settle().await;
    crash(run).await;
    world.command(Command::AcknowledgeIncident { incident }).await;
    world.quiet().await;
    assert!(world.vendor.updates().is_empty());
    world.delivers();
    world.settle().await;
    assert_eq!(world.vendor.updates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_card_and_one_that_got_worse_jump_the_queue() {
    let world = World::new(rules()).await;
    world.delivers();
    let mut old = Vec::new();
    for n in 0..12 {
        old.push(world.declares(&format!("old {n}"), Severity::Low, &[]).await);
    }
    world.settle().await;
    // While the vendor wants to be left alone, all of them change, one gets worse, and a new one comes.
    world.vendor.then(VendorBehaviour::Busy(60));
    for incident in &old {
        world.command(Command::AcknowledgeIncident { incident: incident.clone() }).await;
    }
    world.quiet().await;
    // What was under way when the vendor said so is taken.
    let before = (world.vendor.standing().len(), world.vendor.updates().len());
    assert!(before.1 <= 4, "{before:?}");
    sets(&world, &old[7], Severity::Critical).await;
    let new = world.declares("new", Severity::High, &[]).await;
    assert_eq!((world.vendor.standing().len(), world.vendor.updates().len()), before, "it is left alone");
    tokio::time::sleep(Duration::from_secs(61)).await;
    world.settle().await;
    let standing = world.vendor.standing();
    let card = standing.iter().find(|s| s.message.body["title"] == "new" || s.message.body.to_string().contains("new"));
    let first = card.expect("the new card").at;
    let messages = world.messages().await;
    let worse = messages.card(&old[7], &"slack".into(), "C1").unwrap().place.clone().unwrap();
    let updates = world.vendor.updates();
    let worse_at = updates.iter().skip(before.1).find(|update| update.place == worse).unwrap().at;
    let others = updates.iter().skip(before.1).filter(|update| update.place != worse).map(|update| update.at);
    let others: Vec<_> = others.collect();
    // Whatever was under way when the vendor said so is tried first; then the queue is taken in its order.
    let earlier = |at| others.iter().filter(|other| **other < at).count();
    assert!(earlier(first) <= 1, "{} updates before the new card", earlier(first));
    assert!(earlier(worse_at) <= 2, "{} updates before the one that got worse", earlier(worse_at));
    assert!(others.len() + before.1 >= 11, "{}", others.len());
    assert!(messages.card(&new, &"slack".into(), "C1").unwrap().place.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_note_goes_into_the_thread_of_its_card_and_waits_for_it() {
    let world = World::new(rules()).await;
    world.vendor.then(VendorBehaviour::Down);
    world.delivers();
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    world.command(Command::AcknowledgeIncident { incident }).await;
    world.settle().await;
    let standing = world.vendor.standing();
    assert_eq!(standing.len(), 2);
    assert_eq!(standing[1].message.thread.as_ref(), Some(&standing[0].place.message));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_given_once_in_its_thread_and_given_up_when_it_comes_too_late() {
    let world = World::new(rules()).await;
    let door = ChatEndpoints::new(world.options());
    let run = world.delivers();
    world.settle().await;
    let asked = |text: &str| ChatVerb::Ask { incident: None, text: text.to_owned() };
    door.receive(interaction("q1", "U-VIC", asked("why?")), signed()).await.unwrap();
    world.settle().await;
    let standing = world.vendor.standing();
    assert_eq!((standing.len(), standing[0].message.thread.as_deref()), (1, Some("1.1")));
    let askers = world.copilot.asked();
    assert_eq!((askers[0].1.actor.as_str(), askers[0].1.channel.as_str()), ("vic", "slack"));
    assert_eq!((askers[0].0.question.as_str(), askers[0].0.as_of.is_none()), ("why?", true));

    // What was given and not known to be given is found.
    world.vendor.then(VendorBehaviour::Hang);
    door.receive(interaction("q2", "U-VIC", asked("when?")), signed()).await.unwrap();
    world.quiet().await;
    crash(run).await;
    world.delivers();
    world.settle().await;
    assert_eq!(world.vendor.standing().len(), 2);

    world.vendor.always(VendorBehaviour::Down);
    door.receive(interaction("q3", "U-VIC", asked("where?")), signed()).await.unwrap();
    world.quiet().await;
    world.clock.set(harness::START + Span::minutes(16));
    world.settle().await;
    assert_eq!(world.count(|event| matches!(event, Event::ChatExpired(_))).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stale_button_is_answered_with_the_new_state_and_a_restart_does_not_repeat_it() {
    let world = World::new(rules()).await;
    let options = world.options();
    let door = ChatEndpoints::new(options.clone());
    let run = World::delivers_with(options);
    let incident = world.declares("checkout is slow", Severity::High, &[]).await;
    for key in ["a", "b"] {
        door.receive(
            interaction(key, "U-ADA", ChatVerb::act(hindcast_domain::act::ActName::Acknowledge, incident.clone())),
            signed(),
        )
        .await
        .unwrap();
        world.quiet().await;
    }
    world.settle().await;
    let whispers = world.vendor.whispers();
    assert_eq!(whispers.len(), 1, "{whispers:?}");
    assert_eq!(whispers[0].user, "U-ADA");
    assert_eq!(whispers[0].response_url.as_deref(), Some("https://hooks.example/secret"));
    let said = whispers[0].body.to_string();
    assert!(said.contains("acknowledged already") && said.contains("acknowledged by ada"), "{said}");
    crash(run).await;
    world.clock.set(harness::START + Span::minutes(6));
    world.delivers();
    world.settle().await;
    assert_eq!(world.vendor.whispers().len(), 1);
}
