//! The endpoints as one value: the ports that they use, what is under way at once, how one person is told something,
//! and how a delivery is read from its socket. Refuses to know vendors' paths and what follows from a delivery.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use hindcast_api::{Code, Problem};
use hindcast_chat_cards::Vendor;
use hindcast_http::{HttpRefusal, Result};
use hindcast_messaging::chat::Whisper;
use tokio::sync::Semaphore;

use super::say::Say;
use crate::deliver::bounded;
use crate::{Options, surface};

/// Bytes of a delivery.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Words to people under way at once; more are not said, and counted.
const WHISPERS_MAX: usize = 16;
/// Questions of outgoing webhooks under way at once.
const QUESTIONS_MAX: usize = 8;
/// The endpoints of this process. Cheap to clone.
#[derive(Clone)]
pub struct ChatEndpoints {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    options: Options,
    whispers: Arc<Semaphore>,
    pub(super) questions: Arc<Semaphore>,
}

impl ChatEndpoints {
    /// Endpoints over these ports.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let whispers = Arc::new(Semaphore::new(WHISPERS_MAX));
        let questions = Arc::new(Semaphore::new(QUESTIONS_MAX));
        Self { inner: Arc::new(Inner { options, whispers, questions }) }
    }

    pub(super) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(super) fn count(&self, vendor: Vendor, outcome: &str) {
        let labels = [("vendor", vendor.word()), ("outcome", outcome)];
        self.options().metrics.count("hindcast_chat_received_total", &labels, 1.0);
    }

    /// Says something to one person, after the vendor was answered. What finds no room is counted.
    pub(super) fn whisper(&self, vendor: Vendor, to: To, say: Say) {
        let Some(chat) = self.options().vendor(vendor.word()).map(Arc::clone) else { return };
        let Ok(permit) = Arc::clone(&self.inner.whispers).try_acquire_owned() else {
            self.count(vendor, "unsaid");
            return;
        };
        let endpoints = self.clone();
        tokio::spawn(async move {
            let whisper = to.whisper(endpoints.shown(vendor, say).await);
            if bounded(chat.whisper(&whisper)).await.is_err() {
                endpoints.count(vendor, "unsaid");
            }
            drop(permit);
        });
    }
}

impl ChatEndpoints {
    async fn shown(&self, vendor: Vendor, say: Say) -> serde_json::Value {
        match say {
            Say::Words(text) => surface::words(vendor, &text),
            Say::Message(body) => body,
            Say::List(incidents) => surface::list(vendor, &incidents),
            Say::Incident(id) => match self.options().seen(&id).await {
                Ok(view) => surface::card(vendor, &view),
                Err(problem) => surface::words(vendor, &format!("{}. {}", problem.detail, problem.remedy)),
            },
        }
    }
}

/// Whom a word is for.
#[derive(Clone)]
pub(super) struct To {
    channel: String,
    thread: Option<String>,
    user: String,
    response_url: Option<String>,
    service_url: Option<String>,
}

impl To {
    pub(super) fn of(interaction: &hindcast_chat_cards::Interaction) -> Self {
        Self {
            channel: interaction.channel.clone(),
            thread: interaction.thread.clone(),
            user: interaction.user.clone(),
            response_url: interaction.reply.response_url.clone(),
            service_url: interaction.service_url.clone(),
        }
    }

    fn whisper(self, body: serde_json::Value) -> Whisper {
        let Self { channel, thread, user, response_url, service_url } = self;
        Whisper { channel, thread, user, response_url, service_url, body }
    }
}

/// The bytes as they came.
pub(super) async fn raw(body: Body) -> Result<axum::body::Bytes> {
    axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        let problem = Problem::new(Code::TooLarge, format!("expected a whole body of at most {BODY_BYTES_MAX} bytes"));
        HttpRefusal(problem.remedy("Send what the vendor sends, unchanged."))
    })
}

/// All values of a header: a doubled one must be seen.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect()
}

/// The refusal of an endpoint that is not set up.
pub(super) fn not_set_up(what: &str, section: &str) -> HttpRefusal {
    let problem = Problem::new(Code::NotSetUp, format!("{what} is not set up here"));
    HttpRefusal(problem.remedy(format!("Set it up in the section [{section}]; docs/chat.md says how.")))
}
