//! A vendor that takes messages, loses replies, refuses, and keeps what it took.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::chat::Place;
use hindcast_domain::event::Event;
use hindcast_ledger::memory::MemoryLedger;
use hindcast_messaging::chat::{Chat, Error, Outgoing, VendorLookup, Whisper};
use serde_json::Value;
use tokio::time::Instant;

use super::{Dice, events_of};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Take,
    /// It takes it, and the reply is cut.
    LoseReply,
    /// It takes it, and never replies.
    Hang,
    /// It takes nothing.
    Down,
    /// It wants to be left alone for so many seconds.
    Busy(u64),
    Gone,
    Never,
}

pub struct Fake {
    vendor: &'static str,
    ledger: MemoryLedger,
    inner: Mutex<Inner>,
}

struct Inner {
    always: Behaviour,
    next: VecDeque<Behaviour>,
    dice: Option<Dice>,
    can_look: bool,
    calls: u64,
    /// What stands there, in the order in which it was taken.
    standing: Vec<Standing>,
    updates: Vec<Update>,
    whispers: Vec<Whisper>,
    dialogs: Vec<(String, Value)>,
    finds: u64,
    /// Messages that were taken again although the ledger knew that they stood there.
    needless: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Standing {
    pub message: Outgoing,
    pub place: Place,
    pub at: Instant,
}

#[derive(Clone, Debug)]
pub struct Update {
    pub place: Place,
    pub body: Value,
    pub at: Instant,
}

impl Fake {
    pub fn new(vendor: &'static str, ledger: MemoryLedger) -> Self {
        let inner = Inner {
            always: Behaviour::Take,
            next: VecDeque::new(),
            dice: None,
            can_look: true,
            calls: 0,
            standing: Vec::new(),
            updates: Vec::new(),
            whispers: Vec::new(),
            dialogs: Vec::new(),
            finds: 0,
            needless: Vec::new(),
        };
        Self { vendor, ledger, inner: Mutex::new(inner) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap())
    }

    pub fn always(&self, behaviour: Behaviour) {
        self.with(|inner| {
            inner.always = behaviour;
            inner.dice = None;
            inner.next.clear();
        });
    }

    pub fn then(&self, behaviour: Behaviour) {
        self.with(|inner| inner.next.push_back(behaviour));
    }

    /// From now on it does anything.
    pub fn rolls(&self, seed: u64) {
        self.with(|inner| inner.dice = Some(Dice::new(seed)));
    }

    pub fn cannot_look(&self) {
        self.with(|inner| inner.can_look = false);
    }

    pub fn standing(&self) -> Vec<Standing> {
        self.with(|inner| inner.standing.clone())
    }

    /// How often each message was taken.
    pub fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for standing in self.standing() {
            *taken.entry(standing.message.key).or_default() += 1;
        }
        taken
    }

    pub fn doubles(&self) -> usize {
        self.taken().values().map(|times| times - 1).sum()
    }

    pub fn needless(&self) -> Vec<String> {
        self.with(|inner| inner.needless.clone())
    }

    pub fn updates(&self) -> Vec<Update> {
        self.with(|inner| inner.updates.clone())
    }

    pub fn whispers(&self) -> Vec<Whisper> {
        self.with(|inner| inner.whispers.clone())
    }

    pub fn dialogs(&self) -> Vec<(String, Value)> {
        self.with(|inner| inner.dialogs.clone())
    }

    pub fn finds(&self) -> u64 {
        self.with(|inner| inner.finds)
    }

    pub fn calls(&self) -> u64 {
        self.with(|inner| inner.calls)
    }

    fn behaves(&self) -> (Behaviour, u64) {
        self.with(|inner| {
            inner.calls += 1;
            if let Some(dice) = &mut inner.dice {
                let behaviour = match dice.below(8) {
                    0 => Behaviour::LoseReply,
                    1 => Behaviour::Hang,
                    2 => Behaviour::Down,
                    3 => Behaviour::Busy(2),
                    _ => Behaviour::Take,
                };
                return (behaviour, dice.below(40));
            }
            (inner.next.pop_front().unwrap_or(inner.always), 1)
        })
    }

    async fn behave(&self, take: impl FnOnce(&Self)) -> Result<(), Error> {
        let (behaviour, millis) = self.behaves();
        tokio::time::sleep(Duration::from_millis(millis)).await;
        match behaviour {
            Behaviour::Take | Behaviour::LoseReply | Behaviour::Hang => take(self),
            _ => {}
        }
        // Between what it took and its reply there is time to crash.
        tokio::time::sleep(Duration::from_millis(millis)).await;
        let again = |detail: &str, after| Err(Error::Again { detail: detail.to_owned(), after });
        match behaviour {
            Behaviour::Take => Ok(()),
            Behaviour::LoseReply => again("connection reset", None),
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Down => again("503 Service Unavailable", None),
            Behaviour::Busy(seconds) => again("429 Too Many Requests", Some(Duration::from_secs(seconds))),
            Behaviour::Gone => Err(Error::Gone("message_not_found".to_owned())),
            Behaviour::Never => Err(Error::Never("not_in_channel".to_owned())),
        }
    }

    async fn is_known(&self, key: &str) -> bool {
        events_of(&self.ledger)
            .await
            .iter()
            .any(|event| event.subject == key && matches!(event.event, Event::ChatDelivered(_)))
    }
}

#[async_trait]
impl Chat for Fake {
    fn vendor(&self) -> &'static str {
        self.vendor
    }

    async fn post(&self, message: &Outgoing) -> Result<Place, Error> {
        if self.is_known(&message.key).await {
            self.with(|inner| inner.needless.push(message.key.clone()));
        }
        let place = self.with(|inner| Place {
            channel: message.channel.clone(),
            message: format!("{}.{}", inner.calls, inner.standing.len()),
            thread: message.thread.clone(),
            service_url: None,
        });
        self.behave(|fake| {
            let standing = Standing { message: message.clone(), place: place.clone(), at: Instant::now() };
            fake.with(|inner| inner.standing.push(standing));
        })
        .await?;
        Ok(place)
    }

    async fn update(&self, place: &Place, body: &Value) -> Result<(), Error> {
        self.behave(|fake| {
            let update = Update { place: place.clone(), body: body.clone(), at: Instant::now() };
            fake.with(|inner| inner.updates.push(update));
        })
        .await
    }

    async fn find(&self, message: &Outgoing) -> Result<VendorLookup, Error> {
        self.with(|inner| inner.finds += 1);
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(self.with(|inner| {
            let found = inner.standing.iter().find(|standing| standing.message.key == message.key);
            match (inner.can_look, found) {
                (false, _) => VendorLookup::CannotLook,
                (true, Some(standing)) => VendorLookup::At(standing.place.clone()),
                (true, None) => VendorLookup::No,
            }
        }))
    }

    async fn whisper(&self, whisper: &Whisper) -> Result<(), Error> {
        self.with(|inner| inner.whispers.push(whisper.clone()));
        Ok(())
    }

    async fn open(&self, trigger: &str, dialog: &Value) -> Result<(), Error> {
        self.with(|inner| inner.dialogs.push((trigger.to_owned(), dialog.clone())));
        Ok(())
    }

    async fn hello(&self) -> Result<String, Error> {
        Ok("hindcast".to_owned())
    }
}
