//! The chat port: how a message gets to a vendor, and how a vendor's deliveries get in. An adapter speaks one
//! vendor's wire; what is shown, when, and who may act is decided elsewhere.
//!
//! The one contract of this crate: *`Ok` means that the vendor took it*. The key of a message is the same for
//! every attempt, and an adapter whose vendor can be asked finds what it sent before ([`Chat::find`]).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::Time;
use hindcast_domain::chat::Place;
use serde_json::Value;

/// A shared vendor.
pub type Shared = Arc<dyn Chat>;

/// A message on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The same for every attempt: the message's id.
    pub key: String,
    /// The channel or conversation.
    pub channel: String,
    /// The thread that it goes into; a message of its own where absent.
    pub thread: Option<String>,
    /// Where the conversation is served, for vendors that say so.
    pub service_url: Option<String>,
    /// What it shows, as the vendor's renderer gave it.
    pub body: Value,
    /// When it was asked for: nothing older can be it.
    pub since: Time,
}

/// A word to one person alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Whisper {
    /// The channel or conversation.
    pub channel: String,
    /// The vendor's id of the thread; absent outside threads.
    pub thread: Option<String>,
    /// The person, as the vendor names them.
    pub user: String,
    /// Where the vendor takes an answer to this one delivery, while it does: a secret, never kept.
    pub response_url: Option<String>,
    /// Where the conversation is served, for vendors that say so.
    pub service_url: Option<String>,
    /// What it shows.
    pub body: Value,
}

/// Whether a message of ours stands at the vendor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VendorLookup {
    /// It does, there.
    At(Place),
    /// It does not.
    No,
    /// The vendor cannot be asked: a second one may come of an attempt whose outcome is unknown.
    CannotLook,
}

/// Why a vendor did not take it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It may work later.
    #[error("{detail}")]
    Again {
        /// What went wrong, in short.
        detail: String,
        /// How long the vendor wants to be left alone, where it says so.
        after: Option<Duration>,
    },
    /// The message or channel is no more.
    #[error("{0}")]
    Gone(String),
    /// It will never work: the vendor refuses this very message, or us.
    #[error("{0}")]
    Never(String),
}

/// One vendor.
#[async_trait]
pub trait Chat: Send + Sync + 'static {
    /// `slack` or `teams`.
    fn vendor(&self) -> &'static str;

    /// Shows a message.
    async fn post(&self, message: &Outgoing) -> Result<Place, Error>;

    /// Shows something else in its place.
    async fn update(&self, place: &Place, body: &Value) -> Result<(), Error>;

    /// Looks for a message of ours after an attempt whose outcome is unknown.
    async fn find(&self, message: &Outgoing) -> Result<VendorLookup, Error>;

    /// Shows a word to one person alone.
    async fn whisper(&self, whisper: &Whisper) -> Result<(), Error>;

    /// Opens a dialog for the person whose click gave `trigger`; vendors without dialogs refuse.
    async fn open(&self, trigger: &str, dialog: &Value) -> Result<(), Error>;

    /// Asks the vendor whether it knows us; what it calls us, in short. For `doctor` and tests of settings.
    async fn hello(&self) -> Result<String, Error>;
}

/// What a vendor delivers over a connection that we opened.
#[derive(Clone, Debug, PartialEq)]
pub struct VendorDelivery {
    /// The vendor's own word for what it is: `events_api`, `interactive`, `slash_commands`.
    pub kind: String,
    /// What it says.
    pub payload: Value,
}

/// Takes deliveries in. What it answers goes back as the acknowledgement; until then nothing is acknowledged.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Makes a delivery durable.
    ///
    /// # Errors
    /// In words, where it could not be; the vendor delivers again.
    async fn take(&self, delivery: VendorDelivery) -> Result<Option<Value>, String>;
}

/// Says whether a bearer token of a delivery is the vendor's own, for us, and for this conversation.
#[async_trait]
pub trait Authority: Send + Sync + 'static {
    /// Checks an `Authorization` header before anything of the delivery is believed. `service_url` and
    /// `channel_id` stand in the delivery and must be what the token is for. The id of the key that signed.
    ///
    /// # Errors
    /// Which check failed, without the token.
    async fn check(&self, authorization: &str, service_url: &str, channel_id: &str) -> Result<String, Denied>;
}

/// Why a token was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is not what it says to be.
    #[error("{0}")]
    Invalid(String),
    /// The vendor's keys could not be had, so nothing can be said.
    #[error("{0}")]
    Unavailable(String),
}
