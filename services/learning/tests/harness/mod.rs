//! What the tests share: a synthetic past written into a ledger as the services write it, the service over it,
//! and views that answer which position a time means and nothing else.

#![allow(dead_code, unreachable_pub, missing_docs)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

#[path = "../../../core/mlops/tests/common/mod.rs"]
pub mod common;
pub mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::world;
use hindcast_clock::{self as clock, Stepped};
use hindcast_correlator::Correlator;
use hindcast_domain::event::{Event, Kind, Recorded};
use hindcast_domain::lane::names;
use hindcast_domain::{Partition, Time};
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_events::Envelope;
use hindcast_intake::IntakeWriter;
use hindcast_learning::{LearningService, Options};
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::{LedgerProgress, Shared, Subject, commit};
use hindcast_testkit::conformance::toy::Chains;
use hindcast_train_linfa::Linfa;

const WEEK: i64 = 9 * 86_400;
/// Events of one commit: more than one, so that places within a commit count.
const COMMIT: usize = 400;

pub fn production() -> Partition {
    Partition::of_environment("production")
}

pub fn whole() -> Partition {
    Partition::whole(Partition::TENANT)
}

/// Where an event is written.
pub fn subject_of(event: &Event) -> Subject {
    match event {
        Event::Configured(_) | Event::ModelShadowed(_) | Event::ModelUnshadowed(_) | Event::ModelPromoted(_) => {
            Subject::lane(&whole(), names::CONTROL)
        }
        Event::ModelRegistered(_) | Event::ModelJudged(_) => Subject::intake(&whole(), "door"),
        Event::LabelGiven(_) | Event::LabelRetracted(_) => Subject::lane(&production(), names::LABELS),
        event if event.kind() == Kind::Intake => Subject::intake(&production(), "door"),
        _ => Subject::lane(&production(), names::INCIDENTS),
    }
}

/// A ledger, and who writes its past by hand.
pub struct Past {
    pub memory: MemoryLedger,
    pub ledger: Shared,
    pub chains: Chains,
    /// The position of the last event that belongs to what is learnt from.
    pub learnt_to: u64,
}

impl Past {
    pub fn empty() -> Self {
        let memory = MemoryLedger::new("past");
        Self { ledger: memory.share(), memory, chains: Chains::default(), learnt_to: 0 }
    }

    /// Weeks to learn from and weeks held apart.
    pub async fn of(seed: u64, learn: u64, apart: u64, flipped: u64) -> Self {
        let mut lived = common::Ledger::new(seed);
        lived.flipped = flipped;
        let mut learnt_to = 0;
        for index in 0..learn + apart {
            let week = world::week(seed * 100 + index, i64::try_from(index).unwrap() * WEEK, 30);
            world::live(&mut lived, &week, 900, seed + index);
            if index + 1 == learn {
                learnt_to = lived.position();
            }
        }
        let mut past = Self::empty();
        past.learnt_to = past.write(&lived, learnt_to).await;
        past
    }

    /// Writes what was lived; where the last event up to `mark` stands now.
    pub async fn write(&mut self, lived: &common::Ledger, mark: u64) -> u64 {
        let decided = lived.history.iter().filter(|event| !matches!(event.event, Event::Configured(_)));
        let mut all: Vec<&Recorded> = lived.inputs.iter().chain(decided).collect();
        all.sort_by_key(|event| event.position);
        let mut marked = 0;
        let mut rest = all.as_slice();
        while let Some(first) = rest.first() {
            let subject = subject_of(&first.event);
            // What follows from an input stands behind it; no commit spans the mark, or two times.
            let same = |event: &&&Recorded| {
                subject_of(&event.event) == subject
                    && event.time == first.time
                    && (event.position <= mark) == (first.position <= mark)
            };
            let length = rest.iter().take_while(same).take(COMMIT).count();
            let (now, later) = rest.split_at(length);
            let last = self.append(&subject, now).await;
            if first.position <= mark {
                marked = last;
            }
            rest = later;
        }
        marked
    }

    /// Appends one commit; the position of its last event.
    pub async fn append(&mut self, subject: &Subject, events: &[&Recorded]) -> u64 {
        let bytes: Vec<Vec<u8>> =
            events.iter().map(|event| hindcast_events::encode(&Envelope::of((*event).clone()))).collect();
        let stamped_at = events.iter().map(|event| event.time).max().unwrap_or(Time::from_millis(1));
        let (expected, payload) = self.chains.next_at(self.ledger.as_ref(), subject, &bytes, stamped_at);
        let seq = self.ledger.append(subject, expected, payload.clone()).await.unwrap();
        self.chains.follow(subject, seq, &payload);
        commit::position(seq, events.len() - 1)
    }

    /// Appends one event of its own.
    pub async fn say(&mut self, time: Time, about: &str, event: Event) -> u64 {
        let head = self.ledger.head().await.unwrap();
        let recorded = Recorded {
            id: hindcast_domain::EventId::derive(&[b"said", &head.to_be_bytes()]),
            position: 0,
            partition: production(),
            subject: about.to_owned(),
            revision: None,
            time,
            actor: "ada".to_owned(),
            cause: None,
            event,
        };
        let subject = subject_of(&recorded.event);
        self.append(&subject, &[&recorded]).await
    }

    pub fn options(&self) -> Options {
        let clock: clock::Shared = Arc::new(Stepped::new(common::at(90 * 86_400)));
        Options {
            ledger: Shared::clone(&self.ledger),
            writer: IntakeWriter::new(
                Shared::clone(&self.ledger),
                Arc::clone(&clock),
                LedgerProgress::default(),
                "learning",
            )
            .facts(),
            queries: views::over(&self.ledger),
            clock,
            trainer: Arc::new(Linfa),
            code: "test".to_owned(),
            holder: "test".to_owned(),
        }
    }

    pub fn service(&self) -> LearningService<fn() -> Correlator> {
        LearningService::new(self.options(), || Correlator)
    }

    pub async fn events(&self) -> Vec<Recorded> {
        events(&self.ledger).await
    }
}

/// Everything that lies in a ledger.
pub async fn events(ledger: &Shared) -> Vec<Recorded> {
    let mut known = Vec::new();
    for record in hindcast_testkit::conformance::toy::all(ledger.as_ref()).await {
        let commit = read::commit(&record).unwrap();
        for item in read::events(&record, &commit).unwrap() {
            let ReadEvent::Known(event) = item else { panic!("an event of ours") };
            known.push(*event);
        }
    }
    known
}

/// How often each type stands in a ledger.
pub fn types(events: &[Recorded]) -> BTreeMap<String, usize> {
    let mut types = BTreeMap::new();
    for event in events {
        let kind = serde_json::to_value(&event.event).unwrap()["type"].as_str().unwrap().to_owned();
        *types.entry(kind).or_default() += 1;
    }
    types
}
