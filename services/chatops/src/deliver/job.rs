//! One message on its way: found or made, handed to the vendor, and what came of it written as a fact. Owns the
//! order of these steps; refuses to know when a message is tried.

use hindcast_api::ChatMessageKind;
use std::time::Duration;

use hindcast_chat_cards::Vendor;
use hindcast_clock as clock;
use hindcast_domain::chat::{Delivered, Expired, Failed, Message, Place, Received, Updated, What};
use hindcast_domain::event::SYSTEM;
use hindcast_domain::fact::Fact;
use hindcast_domain::{IncidentId, MessageId, Partition};
use hindcast_facts::NewFact;
use hindcast_messaging::chat::{Error, Outgoing, Shared, VendorLookup, Whisper};
use serde_json::Value;

use super::desk::{PendingCard, Refusal};
use crate::{FailPoint, Options, key, surface};

/// How long a vendor may take over one call.
const CALL_MAX: Duration = Duration::from_secs(15);
/// Failures of one message that are written down; further ones are only counted.
const FAILURES_WRITTEN_MAX: u32 = 5;
/// The pause before what could not be written is written again.
const PAUSE: Duration = Duration::from_millis(500);
/// Characters of a vendor's error that are kept.
const ERROR_CHARS_MAX: usize = 300;

/// What is done about a message.
#[derive(Debug)]
pub(crate) enum DeliveryStep {
    /// It is shown for the first time.
    Post {
        thread: Option<String>,
        service_url: Option<String>,
        /// Whoever asked, for an answer.
        received: Option<Box<Received>>,
        /// Whether an attempt's outcome is unknown.
        suspect: bool,
        attempt: u32,
    },
    /// A card shows a newer state.
    Update { place: Place, told: PendingCard },
    /// It is given up.
    Expire { error: String },
}

/// A message with what is to be done about it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: MessageId,
    pub(crate) message: Message,
    pub(crate) step: DeliveryStep,
    /// How far the views are.
    pub(crate) position: u64,
    /// Failures of it that stand in the ledger.
    pub(crate) written: u32,
    /// Whether its incident goes on.
    pub(crate) live: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum StepOutcome {
    /// It is shown for the first time, and that is durable.
    Delivered,
    /// It is given up, and that is durable.
    Expired {
        /// Whether the vendor was heard.
        heard: bool,
    },
    /// A card shows what was true at `through`; nothing was sent where it did so already.
    Shown { through: u64, told: PendingCard, sent: bool },
    /// It was tried, and whether the vendor took it is not known.
    Later { error: String, after: Option<Duration> },
    /// The vendor refuses it.
    Refused { error: String },
    /// The views are not ready for it.
    NotReady,
}

impl Options {
    pub(crate) async fn carry_out(&self, chat: &Shared, vendor: Vendor, job: &Job) -> StepOutcome {
        clock::assert_allowed("a chat vendor");
        match &job.step {
            DeliveryStep::Expire { error } => self.expire(job, error, false).await,
            DeliveryStep::Update { place, told } => self.update(chat, vendor, job, place, *told).await,
            DeliveryStep::Post { thread, service_url, received, suspect, attempt } => {
                let outgoing = Outgoing {
                    key: job.id.to_string(),
                    channel: job.message.requested.channel.clone(),
                    thread: thread.clone(),
                    service_url: service_url.clone(),
                    body: Value::Null,
                    since: job.message.at,
                };
                let posted = self.post(chat, vendor, job, outgoing, received.as_deref(), *suspect, *attempt).await;
                posted.unwrap_or_else(|outcome| outcome)
            }
        }
    }

    // ── for the first time ─────────────────────────────────────────────────────────────────────────

    #[allow(clippy::too_many_arguments)] // the parts of one step
    async fn post(
        &self,
        chat: &Shared,
        vendor: Vendor,
        job: &Job,
        mut outgoing: Outgoing,
        received: Option<&Received>,
        suspect: bool,
        attempt: u32,
    ) -> Result<StepOutcome, StepOutcome> {
        if suspect && let Some(place) = self.find(chat, job, &outgoing, attempt).await? {
            self.metrics.count("hindcast_chat_found_total", &[("vendor", vendor.word())], 1.0);
            // What it shows is not known, so a card is rendered anew.
            let delivered = (place, 0, String::new());
            return Ok(self.delivered(vendor, job, delivered, attempt, true).await);
        }
        let through = job.position;
        outgoing.body = self.body(vendor, job, received).await?;
        let hash = surface::hash(&outgoing.body);
        match bounded(chat.post(&outgoing)).await {
            Ok(place) => Ok(self.delivered(vendor, job, (place, through, hash), attempt, false).await),
            Err(error) => Err(self.failed(job, attempt, error).await),
        }
    }

    async fn body(&self, vendor: Vendor, job: &Job, received: Option<&Received>) -> Result<Value, StepOutcome> {
        let requested = &job.message.requested;
        let unread = |error: hindcast_api::Problem| {
            tracing::debug!(code = %error.code, message = %job.id, "what a message shows cannot be read yet");
            StepOutcome::NotReady
        };
        match (&requested.what, &requested.incident, received) {
            (What::Card, Some(incident), _) => self.card(vendor, incident, job.position).await.map_err(unread),
            (What::Note { event }, Some(incident), _) => {
                let note = self.told(event, incident).await.map_err(unread)?;
                Ok(surface::note(vendor, &note))
            }
            (What::Answer { .. }, _, Some(received)) => match self.answered(received).await {
                Ok(answer) => Ok(surface::answer(vendor, &answer, &self.public_url)),
                Err(problem) if matches!(problem.status, 429 | 503) => Err(unread(problem)),
                Err(problem) => Ok(surface::words(vendor, &format!("{}. {}", problem.detail, problem.remedy))),
            },
            _ => Err(self.expire(job, "what it was to show is not known any more", false).await),
        }
    }

    async fn card(&self, vendor: Vendor, incident: &IncidentId, position: u64) -> Result<Value, hindcast_api::Problem> {
        let view = self.view(incident, position).await?;
        Ok(surface::card(vendor, &view))
    }

    /// Looks for what an earlier attempt may have left at the vendor's.
    async fn find(
        &self,
        chat: &Shared,
        job: &Job,
        outgoing: &Outgoing,
        attempt: u32,
    ) -> Result<Option<Place>, StepOutcome> {
        if self.fail == FailPoint::SkipFind {
            return Ok(None);
        }
        match bounded(chat.find(outgoing)).await {
            Ok(VendorLookup::At(place)) => Ok(Some(place)),
            Ok(VendorLookup::No) => Ok(None),
            Ok(VendorLookup::CannotLook) | Err(Error::Never(_)) => {
                self.metrics.count("hindcast_chat_doubles_possible_total", &[("vendor", chat.vendor())], 1.0);
                Ok(None)
            }
            Err(error) => Err(self.failed(job, attempt, error).await),
        }
    }

    async fn delivered(
        &self,
        vendor: Vendor,
        job: &Job,
        (place, through, hash): (Place, u64, String),
        attempt: u32,
        found: bool,
    ) -> StepOutcome {
        let what = kind_of(&job.message.requested.what);
        self.metrics.count("hindcast_chat_delivered_total", &[("vendor", vendor.word()), ("what", what.as_str())], 1.0);
        let request = job.message.request.clone();
        let fact = Delivered { request, place, through, hash, attempt, found };
        self.write(&job.id, fact).await;
        StepOutcome::Delivered
    }

    // ── a newer state ──────────────────────────────────────────────────────────────────────────────

    async fn update(&self, chat: &Shared, vendor: Vendor, job: &Job, place: &Place, told: PendingCard) -> StepOutcome {
        let Some(incident) = &job.message.requested.incident else { return StepOutcome::NotReady };
        let body = match self.card(vendor, incident, job.position).await {
            Ok(body) => body,
            Err(error) => {
                tracing::debug!(code = %error.code, message = %job.id, "a card cannot be rendered yet");
                return StepOutcome::NotReady;
            }
        };
        let (through, hash) = (job.position, surface::hash(&body));
        if hash == job.message.hash {
            self.metrics.count("hindcast_chat_unchanged_total", &[("vendor", vendor.word())], 1.0);
            return StepOutcome::Shown { through, told, sent: false };
        }
        match bounded(chat.update(place, &body)).await {
            Ok(()) => {
                let coalesced = told.events.max(1);
                self.metrics.count("hindcast_chat_updated_total", &[("vendor", vendor.word())], 1.0);
                let saved = f64::from(coalesced - 1);
                self.metrics.count("hindcast_chat_coalesced_total", &[("vendor", vendor.word())], saved);
                self.write(&job.id, Updated { through, hash, coalesced }).await;
                StepOutcome::Shown { through, told, sent: true }
            }
            Err(error) => self.failed(job, 1, error).await,
        }
    }

    // ── what went wrong ────────────────────────────────────────────────────────────────────────────

    async fn failed(&self, job: &Job, attempt: u32, error: Error) -> StepOutcome {
        let requested = &job.message.requested;
        self.metrics.count("hindcast_chat_failed_total", &[("vendor", requested.vendor.as_str())], 1.0);
        let text = short(&error.to_string());
        tracing::warn!(vendor = %requested.vendor, message = %job.id, attempt, error = text, "a message was not taken");
        if job.written < FAILURES_WRITTEN_MAX {
            let fact = Failed { request: job.message.request.clone(), attempt, error: text.clone() };
            self.write(&job.id, fact).await;
        }
        match error {
            Error::Again { after, .. } => StepOutcome::Later { error: text, after },
            Error::Gone(_) => self.expire(job, &text, true).await,
            // Somebody may invite us yet, and a card shows what is true whenever it comes.
            Error::Never(_) if requested.what == What::Card && job.live => StepOutcome::Refused { error: text },
            Error::Never(_) if matches!(job.step, DeliveryStep::Update { .. }) => StepOutcome::Refused { error: text },
            Error::Never(_) => self.expire(job, &text, true).await,
        }
    }

    async fn expire(&self, job: &Job, error: &str, heard: bool) -> StepOutcome {
        let vendor = job.message.requested.vendor.as_str();
        self.metrics.count("hindcast_chat_expired_total", &[("vendor", vendor)], 1.0);
        let fact = Expired { request: job.message.request.clone(), error: short(error) };
        self.write(&job.id, fact).await;
        StepOutcome::Expired { heard }
    }

    /// Writes until it is durable: what the vendor took must not be taken again for want of a fact.
    async fn write(&self, message: &MessageId, fact: impl Into<Fact>) {
        let whole = Partition::whole(Partition::TENANT);
        let new = NewFact::new(message.to_string(), SYSTEM, fact);
        loop {
            match self.writer.submit(&whole, vec![new.clone()]).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(%error, %message, "what became of a message is not durable yet; trying again");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    // ── refusals ───────────────────────────────────────────────────────────────────────────────────

    /// Tells whoever pressed a stale button why nothing came of it, and how it stands.
    pub(crate) async fn tell(&self, chat: &Shared, vendor: Vendor, refusal: &Refusal) {
        let received = &refusal.received;
        let mut text = format!("Refused: {}.", refusal.rejected.detail);
        if let Some(incident) = &received.incident
            && let Some(standing) = self.standing(incident.as_str()).await
        {
            text.push('\n');
            text.push_str(&standing);
        }
        let whisper = Whisper {
            channel: received.channel.clone(),
            thread: received.thread.clone(),
            user: received.user.clone(),
            response_url: self.replies.take(&key::of_command(received.vendor.as_str(), &received.key)),
            service_url: received.service_url.clone(),
            body: surface::words(vendor, &text),
        };
        let outcome = match bounded(chat.whisper(&whisper)).await {
            Ok(()) => "told",
            Err(error) => {
                tracing::warn!(vendor = vendor.word(), error = short(&error.to_string()), "a refusal was not sent");
                "failed"
            }
        };
        self.metrics.count("hindcast_chat_refusals_total", &[("vendor", vendor.word()), ("outcome", outcome)], 1.0);
    }
}

/// A call of a vendor, with its bound. What does not answer in time may have been taken.
pub(crate) async fn bounded<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = |_| Err(Error::Again { detail: format!("no answer within {CALL_MAX:?}"), after: None });
    tokio::time::timeout(CALL_MAX, call).await.unwrap_or_else(late)
}

pub(crate) const fn kind_of(what: &What) -> ChatMessageKind {
    match what {
        What::Card => ChatMessageKind::Card,
        What::Note { .. } => ChatMessageKind::Note,
        What::Answer { .. } => ChatMessageKind::Answer,
    }
}

/// A vendor's words as they are kept: short, on one line, without what looks like a secret.
fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_CHARS_MAX).collect();
    hindcast_redact::Redactor::default().text(&line)
}
