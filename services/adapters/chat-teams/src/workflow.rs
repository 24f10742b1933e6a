//! Notices to a workflow of Teams: one POST to the address that the workflow was given. Owns nothing but that
//! address, which is a secret as a whole: whoever has it may write. Refuses to show it.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_messaging::chat::Error;
use hindcast_messaging::notify::{self, Notification, Notifier, ReceiverTrouble};
use reqwest::{Client, Response, Url};
use serde_json::Value;

use crate::hosts::is_loopback;
use crate::wire;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;

/// Who is spoken to, in errors.
const WHO: &str = "the Teams workflow";

/// A workflow that waits for a webhook request.
pub struct Workflow {
    client: Client,
    url: Url,
}

impl std::fmt::Debug for Workflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workflow").finish_non_exhaustive()
    }
}

impl Workflow {
    /// A workflow at `url`; `timeout` is for one attempt. Plain HTTP to this very machine only where `loopback`
    /// says so, for tests.
    ///
    /// # Errors
    /// When the address is not https.
    pub fn new(url: &Secret, timeout: Duration, loopback: bool) -> Result<Self, Misconfigured> {
        let bad = |got: &str| Misconfigured {
            what: "teams workflow",
            expected: "the https URL that the workflow shows",
            got: got.to_owned(),
        };
        let url = Url::parse(url.expose().trim()).map_err(|_| bad("no URL"))?;
        if url.scheme() != "https" && !(loopback && is_loopback(&url)) {
            return Err(bad("a URL that is not https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("a URL that names a user"));
        }
        Ok(Self { client: wire::client(timeout)?, url })
    }

    /// Hands a message over: `{"type":"message","attachments":[…]}` with an Adaptive Card. `Ok` means that the
    /// workflow took it; whether it then shows it is not told.
    ///
    /// # Errors
    /// As of the chat port; the address is in none of them.
    pub async fn send(&self, body: &Value) -> Result<(), Error> {
        let response = self.start(body).await?;
        match (response.status().as_u16(), address_refused(response.status().as_u16())) {
            (200..300, _) => Ok(()),
            (404 | 410, Some(why)) => Err(Error::Gone(why)),
            (_, Some(why)) => Err(Error::Never(why)),
            (_, None) => Err(wire::refusal(WHO, response).await),
        }
    }

    async fn start(&self, body: &Value) -> Result<Response, Error> {
        let request = self.client.post(self.url.clone()).json(body);
        request.send().await.map_err(|error| wire::unreached(WHO, error))
    }
}

/// What an answer says that refuses the address itself, which is the credential here.
fn address_refused(status: u16) -> Option<String> {
    let why = match status {
        401 => "answered 401: its address is not the whole one; copy it anew",
        403 => "answered 403: only people of the tenant may start it; let anyone",
        404 | 410 => "is no more or is switched off; make it anew",
        _ => return None,
    };
    Some(format!("{WHO} {why}"))
}

/// A workflow is a receiver of notifications: each is a card, and the workflow answers nothing.
#[async_trait]
impl Notifier for Workflow {
    async fn send(&self, message: &Notification) -> Result<String, notify::Error> {
        let lines: Vec<&str> = message.lines.iter().map(String::as_str).collect();
        let url = message.url.as_deref();
        let card = hindcast_chat_cards::teams::render::notice(message.severity, &message.title, &lines, url);
        let again = |detail, after, trouble| notify::Error::Again { detail, after, trouble };
        let response = match self.start(&card).await {
            Ok(response) => response,
            Err(error) => return Err(again(error.to_string(), None, ReceiverTrouble::Unavailable)),
        };
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(format!("the workflow took it ({status})"));
        }
        if let Some(why) = address_refused(status) {
            return Err(again(why, None, ReceiverTrouble::Credential));
        }
        match wire::refusal(WHO, response).await {
            Error::Again { detail, after } if status == 429 => Err(again(detail, after, ReceiverTrouble::RateLimit)),
            Error::Again { detail, after } => Err(again(detail, after, ReceiverTrouble::Unavailable)),
            Error::Gone(detail) | Error::Never(detail) => Err(notify::Error::Never(detail)),
        }
    }
}
