//! One card for each incident and channel, through crashes at any moment, with a vendor that takes messages and
//! cuts the reply, hangs, or is down.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use crate::harness;
use std::time::Duration;

use harness::{Dice, VendorBehaviour, World, interaction, rules, signed};
use hindcast_chat_cards::ChatVerb;
use hindcast_chatops::{ChatEndpoints, FailPoint};
use hindcast_domain::Severity;
use hindcast_domain::chat::{Status, What};
use hindcast_domain::command::Command;

/// Crashes of one run.
const CRASHES: u64 = 20;

/// Crashes the deliverer at random moments while incidents come and change, then lets it finish in peace.
async fn storm(seed: u64, can_look: bool, fail: FailPoint) -> World {
    let world = World::new(rules()).await;
    let mut dice = Dice::new(seed);
    if !can_look {
        world.vendor.cannot_look();
    }
    let mut rolled = Dice::new(seed);
    world.vendor.rolls(move |n| rolled.below(n));
    let options = || {
        let mut options = world.options();
        options.fail = fail;
        options
    };
    let door = ChatEndpoints::new(world.options());
    let mut incidents = Vec::new();
    for crash in 0..CRASHES {
        let run = World::delivers_with(options());
        if crash % 4 == 0 {
            incidents.push(world.declares(&format!("{seed}/{crash}"), Severity::High, &[]).await);
        }
        let at = usize::try_from(dice.below(incidents.len() as u64)).unwrap();
        match dice.below(3) {
            0 => world.command(Command::AcknowledgeIncident { incident: incidents[at].clone() }).await,
            1 => {
                let asked = ChatVerb::Ask { incident: None, text: "why?".to_owned() };
                door.receive(interaction(&format!("{crash}"), "U-VIC", asked), signed()).await.unwrap();
            }
            _ => {
                let severity = Severity::ALL[usize::try_from(dice.below(5)).unwrap()];
                world.command(Command::SetIncidentSeverity { incident: incidents[at].clone(), severity }).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.below(3_000))).await;
        run.abort();
        assert!(run.await.unwrap_err().is_cancelled());
    }
    world.vendor.always(VendorBehaviour::Take);
    World::delivers_with(options());
    world.settle().await;
    world
}

#[tokio::test(start_paused = true)]
async fn through_two_hundred_crashes_each_message_stands_there_once() {
    let mut found = 0;
    for seed in 1..=10 {
        let world = storm(seed, true, FailPoint::None).await;
        let messages = world.messages().await;
        let taken = world.vendor.taken();
        assert!(messages.0.len() >= 8, "seed {seed}: {}", messages.0.len());
        for (id, message) in &messages.0 {
            assert_eq!(message.status, Status::Delivered, "seed {seed}: {message:?}");
            assert_eq!(taken.get(id.as_str()), Some(&1), "seed {seed}: {message:?}");
        }
        assert_eq!(taken.len(), messages.0.len(), "seed {seed}");
        assert!(world.vendor.needless().is_empty(), "seed {seed}");
        // What the ledger says is where it stands, and each card shows the last state.
        for standing in world.vendor.standing() {
            let message = &messages.0[&standing.message.key.parse().unwrap()];
            assert_eq!(message.place.as_ref(), Some(&standing.place), "seed {seed}");
        }
        let cards = messages.0.values().filter(|message| message.requested.what == What::Card);
        for card in cards {
            let place = card.place.as_ref().unwrap();
            let last = world.vendor.updates().into_iter().rev().find(|update| update.place == *place);
            let posted = || world.vendor.standing().into_iter().find(|standing| standing.place == *place);
            let shown = last.map_or_else(|| posted().unwrap().message.body, |update| update.body);
            assert_eq!(hindcast_chat_cards::hash(&shown), card.hash, "seed {seed}: the ledger knows what it shows");
        }
        found += world.events().await.iter().filter(|event| is_found(event)).count();
    }
    assert!(found > 0, "some replies were lost");
}

fn is_found(event: &hindcast_domain::event::Recorded) -> bool {
    matches!(&event.event, hindcast_domain::Event::ChatDelivered(delivered) if delivered.found)
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_cannot_be_asked_is_never_sent_again_what_is_known_to_stand_there() {
    let mut doubles = 0;
    for seed in 1..=5 {
        let world = storm(seed, false, FailPoint::None).await;
        assert_eq!(world.vendor.needless(), Vec::<String>::new(), "seed {seed}: its outcome was known");
        assert_eq!(world.vendor.taken().len(), world.messages().await.0.len(), "seed {seed}");
        doubles += world.vendor.doubles();
    }
    assert!(doubles > 0, "a lost reply cannot be told from a lost message there");
}

#[tokio::test(start_paused = true)]
async fn with_the_look_switched_off_messages_stand_there_twice() {
    let mut doubles = 0;
    for seed in 1..=5 {
        doubles += storm(seed, true, FailPoint::SkipFind).await.vendor.doubles();
    }
    assert!(doubles > 0, "the test of the guarantee can turn red");
}
