//! The stand-ins for the ports of messaging: a receiver of notifications, and a chat vendor that takes messages, loses
//! replies, refuses, and keeps what it took. They refuse to know what a message says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::chat::Place;
use hindcast_domain::event::Event;
use hindcast_eventlog::read::{self, ReadEvent};
use hindcast_ledger::memory::MemoryLedger;
use hindcast_ledger::port::Ledger as _;
use hindcast_messaging::chat::{Chat, Error, Outgoing, VendorLookup, Whisper};
use hindcast_messaging::notify::{self, Notification, Notifier};
use serde_json::Value;
use tokio::time::Instant;

/// What a receiver does with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverBehaviour {
    /// It takes the notification and replies at once.
    Take,
    /// It says that it may take it later.
    Again,
    /// It says that it will never take it.
    Never,
    /// It takes it, and never replies.
    Hang,
}

/// A receiver that keeps what it was sent.
pub struct MemoryNotifier {
    behaviour: Mutex<ReceiverBehaviour>,
    of_title: Mutex<BTreeMap<String, ReceiverBehaviour>>,
    sent: Mutex<Vec<Notification>>,
}

impl MemoryNotifier {
    /// A receiver that was sent nothing yet.
    #[must_use]
    pub fn new(behaviour: ReceiverBehaviour) -> Self {
        Self { behaviour: Mutex::new(behaviour), of_title: Mutex::default(), sent: Mutex::default() }
    }

    /// What it does from now on.
    pub fn always(&self, behaviour: ReceiverBehaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// What it does with one title from now on.
    pub fn with_title(&self, title: &str, behaviour: ReceiverBehaviour) {
        self.of_title.lock().unwrap().insert(title.to_owned(), behaviour);
    }

    /// Every attempt so far, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Notification> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl Notifier for MemoryNotifier {
    async fn send(&self, message: &Notification) -> Result<String, notify::Error> {
        self.sent.lock().unwrap().push(message.clone());
        let of_title = self.of_title.lock().unwrap().get(&message.title).copied();
        let behaviour = of_title.unwrap_or_else(|| *self.behaviour.lock().unwrap());
        match behaviour {
            ReceiverBehaviour::Take => Ok("202 Accepted".to_owned()),
            ReceiverBehaviour::Again => Err(notify::Error::again("503 Service Unavailable")),
            ReceiverBehaviour::Never => Err(notify::Error::Never("400 Bad Request".to_owned())),
            ReceiverBehaviour::Hang => std::future::pending().await,
        }
    }
}

/// What becomes of a call of a chat vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendorBehaviour {
    /// It does what it is asked, and replies.
    Take,
    /// It takes it, and the reply is cut.
    LoseReply,
    /// It takes it, and never replies.
    Hang,
    /// It takes nothing.
    Down,
    /// It wants to be left alone for so many seconds.
    Busy(u64),
    /// The message or channel is no more.
    Gone,
    /// It refuses this very message.
    Never,
}

/// A chat vendor that keeps what it was sent. It looks into the ledger to see what it is sent needlessly.
pub struct MemoryChat {
    vendor: &'static str,
    ledger: MemoryLedger,
    held: Mutex<ChatContents>,
}

struct ChatContents {
    always: VendorBehaviour,
    next: VecDeque<VendorBehaviour>,
    roll: Option<Roll>,
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

/// A message that a vendor took.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The message as it was sent.
    pub message: Outgoing,
    /// The place that it was given.
    pub place: Place,
    /// When it was taken.
    pub at: Instant,
}

/// A change of a message that a vendor took.
#[derive(Clone, Debug)]
pub struct Update {
    /// The message's place.
    pub place: Place,
    /// What it shows now.
    pub body: Value,
    /// When it was taken.
    pub at: Instant,
}

type Roll = Box<dyn FnMut(u64) -> u64 + Send>;

impl MemoryChat {
    /// A vendor that takes everything.
    #[must_use]
    pub fn new(vendor: &'static str, ledger: MemoryLedger) -> Self {
        let held = ChatContents {
            always: VendorBehaviour::Take,
            next: VecDeque::new(),
            roll: None,
            can_look: true,
            calls: 0,
            standing: Vec::new(),
            updates: Vec::new(),
            whispers: Vec::new(),
            dialogs: Vec::new(),
            finds: 0,
            needless: Vec::new(),
        };
        Self { vendor, ledger, held: Mutex::new(held) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut ChatContents) -> T) -> T {
        work(&mut self.held.lock().unwrap())
    }

    /// What becomes of every call from now on.
    pub fn always(&self, behaviour: VendorBehaviour) {
        self.with(|inner| {
            inner.always = behaviour;
            inner.roll = None;
            inner.next.clear();
        });
    }

    /// What becomes of the next call for which nothing else is said.
    pub fn then(&self, behaviour: VendorBehaviour) {
        self.with(|inner| inner.next.push_back(behaviour));
    }

    /// From now on it does anything. `below` draws a number below another one.
    pub fn rolls(&self, below: impl FnMut(u64) -> u64 + Send + 'static) {
        self.with(|inner| inner.roll = Some(Box::new(below)));
    }

    /// From now on it cannot be asked for a message.
    pub fn cannot_look(&self) {
        self.with(|inner| inner.can_look = false);
    }

    /// Every message that was taken, oldest first.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        self.with(|inner| inner.standing.clone())
    }

    /// How often each message was taken.
    #[must_use]
    pub fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for standing in self.standing() {
            *taken.entry(standing.message.key).or_default() += 1;
        }
        taken
    }

    /// How often a message was taken once more.
    #[must_use]
    pub fn doubles(&self) -> usize {
        self.taken().values().map(|times| times - 1).sum()
    }

    /// Messages that were sent although the ledger knew that they stood there.
    #[must_use]
    pub fn needless(&self) -> Vec<String> {
        self.with(|inner| inner.needless.clone())
    }

    /// Every change that was taken, oldest first.
    #[must_use]
    pub fn updates(&self) -> Vec<Update> {
        self.with(|inner| inner.updates.clone())
    }

    /// Every word to one person, oldest first.
    #[must_use]
    pub fn whispers(&self) -> Vec<Whisper> {
        self.with(|inner| inner.whispers.clone())
    }

    /// Every dialog that was opened, with its trigger.
    #[must_use]
    pub fn dialogs(&self) -> Vec<(String, Value)> {
        self.with(|inner| inner.dialogs.clone())
    }

    /// How often it was asked for a message.
    #[must_use]
    pub fn finds(&self) -> u64 {
        self.with(|inner| inner.finds)
    }

    /// How often it was called to show or change something.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.with(|inner| inner.calls)
    }

    fn behaves(&self) -> (VendorBehaviour, u64) {
        self.with(|inner| {
            inner.calls += 1;
            if let Some(below) = &mut inner.roll {
                let behaviour = match below(8) {
                    0 => VendorBehaviour::LoseReply,
                    1 => VendorBehaviour::Hang,
                    2 => VendorBehaviour::Down,
                    3 => VendorBehaviour::Busy(2),
                    _ => VendorBehaviour::Take,
                };
                return (behaviour, below(40));
            }
            (inner.next.pop_front().unwrap_or(inner.always), 1)
        })
    }

    async fn behave(&self, take: impl FnOnce(&Self)) -> Result<(), Error> {
        let (behaviour, millis) = self.behaves();
        tokio::time::sleep(Duration::from_millis(millis)).await;
        match behaviour {
            VendorBehaviour::Take | VendorBehaviour::LoseReply | VendorBehaviour::Hang => take(self),
            _ => {}
        }
        // Between what it took and its reply there is time to crash.
        tokio::time::sleep(Duration::from_millis(millis)).await;
        let again = |detail: &str, after| Err(Error::Again { detail: detail.to_owned(), after });
        match behaviour {
            VendorBehaviour::Take => Ok(()),
            VendorBehaviour::LoseReply => again("connection reset", None),
            VendorBehaviour::Hang => std::future::pending().await,
            VendorBehaviour::Down => again("503 Service Unavailable", None),
            VendorBehaviour::Busy(seconds) => again("429 Too Many Requests", Some(Duration::from_secs(seconds))),
            VendorBehaviour::Gone => Err(Error::Gone("message_not_found".to_owned())),
            VendorBehaviour::Never => Err(Error::Never("not_in_channel".to_owned())),
        }
    }

    async fn is_known(&self, key: &str) -> bool {
        for seq in 1..=self.ledger.head().await.unwrap() {
            let record = self.ledger.get(seq).await.unwrap().unwrap();
            let mut events = read::events(&record, &read::commit(&record).unwrap()).unwrap().into_iter();
            let delivered = |event: ReadEvent| match event {
                ReadEvent::Known(event) => event.subject == key && matches!(event.event, Event::ChatDelivered(_)),
                _ => false,
            };
            if events.any(delivered) {
                return true;
            }
        }
        false
    }
}

#[async_trait]
impl Chat for MemoryChat {
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
