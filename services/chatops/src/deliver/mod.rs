//! Delivery: the only part that reaches people. It reads what was asked for, shows it, keeps cards current, and
//! writes what came of it as facts. It acts only where this installation is the active one of its ledger, only
//! while it holds the lease of delivery (of several processes of one installation, one acts), and only once it has
//! read all that stood there when it got it: what was asked for before may have been begun by whoever had it then.
//!
//! Every queue is derived from the fold of the ledger: nothing waits anywhere else, so a vendor that is down
//! costs no memory, and a restart forgets nothing. Nobody waits for this.

mod desk;
mod job;
mod pace;
mod room;
mod show;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hindcast_chat_cards::Vendor;
use hindcast_domain::chat::{Message, Status, What};
use hindcast_domain::{IncidentId, MessageId, Span, Time};
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::keep::{self, Hold};
use hindcast_ledger::{ReadError, commit};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(crate) use job::bounded;

use crate::status::{ChatStatus, ChatWaiting, Chats, WAITING_MAX};
use crate::{Options, surface};
use desk::Refusal;
use job::{DeliveryStep, Job, StepOutcome};

use room::{Candidate, DeliveryPriority, Room, SettledMessage};

/// The lease of whoever delivers for an installation.
const LEASE: &str = "chat-delivery";
/// How often it says how it is, at the least.
const TICK: Duration = Duration::from_secs(5);
/// How often it says how it is, at the most: it looks through all messages for that.
const REPORT_EVERY: Duration = Duration::from_millis(250);
/// The pause before the head of a ledger that cannot be reached is asked for again.
const HEAD_PAUSE: Duration = Duration::from_millis(500);
/// How long a refusal is worth telling.
const REFUSAL_WARRANTED: Span = Span::minutes(5);
/// Refusals that are told at once.
const REFUSALS_MAX: usize = 4;

/// Shows what was asked for, and keeps it current.
pub struct Deliverer {
    options: Options,
}

/// What happened to one thing that was under way.
enum FinishedStep {
    Message { id: MessageId, vendor: String, answer: bool, outcome: StepOutcome },
    Refusal,
}

impl Deliverer {
    /// A deliverer over these ports.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options }
    }

    /// Runs until `shutdown`; what is under way is cut, and found or begun anew by the next run.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) -> Result<(), ReadError> {
        let this = Arc::new(self);
        let mut room = Room::default();
        let mut feed = OrderedFeed::start(Arc::clone(&this.options.ledger), 1);
        let name = format!("{LEASE}/{}", this.options.install);
        let mut lease = keep::keep(Arc::clone(&this.options.ledger), name, this.options.holder.clone());
        let mut hold = Hold::Unknown;
        let mut views = this.options.queries.position();
        let mut views_live = true;
        let mut head = None;
        let mut under_way: JoinSet<FinishedStep> = JoinSet::new();
        while !*shutdown.borrow() {
            let held = *lease.borrow_and_update();
            if held != hold {
                hold = held;
                under_way.shutdown().await;
                room.lay_down();
                head = None;
            }
            if head.is_none() {
                head = this.options.ledger.head().await.ok();
                room.before = head.map_or(0, |head| commit::position(head + 1, 0));
            }
            let mut wake = Instant::now() + TICK;
            if head.is_some_and(|head| room.desk.through >= head) {
                this.options.taken.is_complete();
                let at = *views.borrow_and_update();
                wake = wake.min(this.start(&mut room, &mut under_way, at, hold.is_ours()));
            }
            tokio::select! {
                changed = shutdown.changed() => if changed.is_err() {
                    break;
                },
                records = feed.next() => records?.iter().try_for_each(|record| room.read(record, &this.options.taken))?,
                Some(done) = under_way.join_next() => match done {
                    Ok(done) => this.settle(&mut room, done),
                    Err(error) => tracing::error!(%error, "a delivery ended early"),
                },
                changed = views.changed(), if views_live => views_live = changed.is_ok(),
                Ok(()) = lease.changed() => {}
                () = tokio::time::sleep_until(wake) => {}
                () = tokio::time::sleep(HEAD_PAUSE), if head.is_none() => {}
            }
        }
        under_way.shutdown().await;
        Ok(())
    }

    /// Starts what can be started; when to look again at the latest.
    fn start(
        self: &Arc<Self>,
        room: &mut Room,
        under_way: &mut JoinSet<FinishedStep>,
        views: u64,
        ours: bool,
    ) -> Instant {
        let active = ours && room.desk.active.as_deref() == Some(self.options.install.as_str());
        let mut wake = Instant::now() + TICK;
        if active {
            for candidate in room.candidates() {
                if let Err(later) = self.begin(room, under_way, &candidate, views) {
                    wake = wake.min(later.unwrap_or(wake));
                }
            }
            self.tell_refusals(room, under_way);
        }
        let now = Instant::now();
        if room.reported.is_none_or(|at| now.duration_since(at) >= REPORT_EVERY) {
            room.reported = Some(now);
            self.report(room, active);
        }
        wake
    }

    /// Begins with a message; where it has to wait, until when, if that is known.
    fn begin(
        self: &Arc<Self>,
        room: &mut Room,
        under_way: &mut JoinSet<FinishedStep>,
        (class, _, id): &Candidate,
        views: u64,
    ) -> Result<(), Option<Instant>> {
        let now = Instant::now();
        let Some(message) = room.desk.messages.0.get(id) else { return Err(None) };
        let word = message.requested.vendor.clone();
        let (Some(chat), Some(vendor)) = (self.options.vendor(word.as_str()), surface::vendor(word.as_str())) else {
            return Err(None);
        };
        let of_message = room.messages.entry(id.clone()).or_default();
        let step = room.desk.step(id, message, of_message, room.before, self.options.clock.now());
        let Some(step) = step else { return Err(None) };
        let of_vendor = room.vendors.entry(word.to_string()).or_default();
        // What is given up needs no vendor.
        if !matches!(step, DeliveryStep::Expire { .. }) {
            if let Some(until) = of_vendor.rests_until(now) {
                return Err(Some(until));
            }
            if let Some(until) = of_message.waits_until(now, *class == DeliveryPriority::First) {
                return Err(Some(until));
            }
            let shows = room.desk.wants(message).max(room.desk.places.get(id).copied().unwrap_or(0));
            if !of_vendor.has_room(*class == DeliveryPriority::Answer) || views < shows {
                return Err(None);
            }
        }
        let live = room.desk.is_live(message.requested.incident.as_ref());
        let written = room.desk.failures.get(id).copied().unwrap_or(0);
        let job = Job { id: id.clone(), message: message.clone(), step, position: views, written, live };
        let answer = *class == DeliveryPriority::Answer;
        *of_vendor.busy(answer) += 1;
        room.busy.insert(id.clone());
        let (this, chat) = (Arc::clone(self), Arc::clone(chat));
        under_way.spawn(async move {
            let outcome = this.options.carry_out(&chat, vendor, &job).await;
            FinishedStep::Message { id: job.id, vendor: word.to_string(), answer, outcome }
        });
        Ok(())
    }

    fn settle(&self, room: &mut Room, done: FinishedStep) {
        let FinishedStep::Message { id, vendor, answer, outcome } = done else {
            room.refusals_busy = room.refusals_busy.saturating_sub(1);
            return;
        };
        let (now, at) = (Instant::now(), self.options.clock.now());
        room.busy.remove(&id);
        let of_vendor = room.vendors.entry(vendor).or_default();
        let busy = of_vendor.busy(answer);
        *busy = busy.saturating_sub(1);
        let of_message = room.messages.entry(id.clone()).or_default();
        match outcome {
            StepOutcome::Delivered => {
                of_vendor.answered();
                of_message.shown(now);
                room.wait_for(id, SettledMessage::Delivered);
            }
            StepOutcome::Expired { heard } => {
                if heard {
                    of_vendor.answered();
                }
                room.wait_for(id, SettledMessage::Expired);
            }
            StepOutcome::Shown { through, told, sent } => {
                if sent {
                    of_vendor.answered();
                }
                of_message.shown(now);
                room.desk.shown(&id, through, told);
            }
            StepOutcome::Later { error, after } => {
                of_vendor.failed(&error, after, now, at);
                of_message.failed(now);
            }
            StepOutcome::Refused { error } => {
                of_vendor.answered();
                of_vendor.error = Some((error, at));
                of_message.refused(now);
            }
            StepOutcome::NotReady => of_message.later(now),
        }
    }

    fn tell_refusals(self: &Arc<Self>, room: &mut Room, under_way: &mut JoinSet<FinishedStep>) {
        let now = self.options.clock.now();
        while room.refusals_busy < REFUSALS_MAX
            && let Some(refusal) = room.desk.refusals.pop_front()
        {
            if now.since(refusal.at) > REFUSAL_WARRANTED {
                continue;
            }
            let word = refusal.received.vendor.clone();
            let (Some(chat), Some(vendor)) = (self.options.vendor(word.as_str()), surface::vendor(word.as_str()))
            else {
                continue;
            };
            room.refusals_busy += 1;
            self.tell(under_way, Arc::clone(chat), vendor, refusal);
        }
    }

    fn tell(
        self: &Arc<Self>,
        under_way: &mut JoinSet<FinishedStep>,
        chat: hindcast_messaging::chat::Shared,
        vendor: Vendor,
        refusal: Refusal,
    ) {
        let this = Arc::clone(self);
        under_way.spawn(async move {
            this.options.tell(&chat, vendor, &refusal).await;
            FinishedStep::Refusal
        });
    }

    fn report(&self, room: &Room, active: bool) {
        let now = self.options.clock.now();
        let mut items: BTreeMap<&str, ChatStatus> = BTreeMap::new();
        for vendor in &self.options.vendors {
            items.insert(vendor.vendor(), of_vendor(vendor.vendor(), room, active));
        }
        for (id, message) in &room.desk.messages.0 {
            let word = message.requested.vendor.as_str();
            let item = items.entry(word).or_insert_with(|| not_set_up(word, active));
            let card = message.requested.what == What::Card;
            item.cards += u64::from(card && message.place.is_some());
            item.gone += u64::from(card && room.desk.gone.contains(id));
            if room.desk.todo.contains(id) && !room.told.contains_key(id) {
                self.waits(item, id, message, now);
            }
        }
        for (vendor, item) in &items {
            let labels = [("vendor", *vendor)];
            #[allow(clippy::cast_precision_loss)] // gauges
            for (name, value) in [
                ("hindcast_chat_queued", item.queued as f64),
                ("hindcast_chat_oldest_seconds", item.oldest_s as f64),
                ("hindcast_chat_cards", item.cards as f64),
                ("hindcast_chat_reachable", f64::from(u8::from(item.reachable))),
            ] {
                self.options.metrics.set(name, &labels, value);
            }
        }
        self.options.handle.tell(Chats { set_up: true, caught_up: true, items: items.into_values().collect() });
    }

    fn waits(&self, item: &mut ChatStatus, id: &MessageId, message: &Message, now: Time) {
        let age = now.since(message.at).nanos() / 1_000_000_000;
        item.queued += 1;
        if message.status == Status::Requested {
            item.oldest_s = item.oldest_s.max(u64::try_from(age).unwrap_or(0));
        }
        if item.waiting.len() < WAITING_MAX {
            let requested = &message.requested;
            item.waiting.push(ChatWaiting {
                message: id.to_string(),
                what: job::kind_of(&requested.what),
                channel: requested.channel.clone(),
                since: message.at,
                attempts: message.attempts,
                error: message.error.clone(),
                url: requested.incident.as_ref().map(|incident| self.options.page(incident)),
            });
        }
    }
}

impl Options {
    /// An incident's web page.
    pub(crate) fn page(&self, incident: &IncidentId) -> String {
        format!("{}/{incident}", self.public_url)
    }
}

fn of_vendor(vendor: &str, room: &Room, active: bool) -> ChatStatus {
    let known = room.vendors.get(vendor);
    ChatStatus {
        vendor: vendor.into(),
        reachable: known.is_none_or(|known| known.failures == 0),
        active,
        failures: known.map_or(0, |known| known.failures),
        last_error: known.and_then(|known| known.error.as_ref().map(|(error, _)| error.clone())),
        last_error_at: known.and_then(|known| known.error.as_ref().map(|(_, at)| *at)),
        ..ChatStatus::default()
    }
}

fn not_set_up(vendor: &str, active: bool) -> ChatStatus {
    ChatStatus {
        vendor: vendor.into(),
        active,
        last_error: Some(format!("{vendor} is not set up here: see its section in the settings")),
        ..ChatStatus::default()
    }
}
