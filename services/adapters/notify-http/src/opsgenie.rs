//! Opsgenie, and the alerts of Jira Service Management, which have the same API under another address. Owns the form
//! of an alert and what an answer means.
//!
//! Our incident's id is the alert's `alias`: while an alert is open, a second one of its alias is none.
//! Source: Atlassian, "Alert API" of Opsgenie and "Integration events" of Jira Service Management: fields, limits,
//! the request id of an answer, and the status of a request.

use std::time::Duration;

use async_trait::async_trait;
use hindcast_domain::{Secret, Severity};
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::step::VendorStep;
use crate::wire::{HttpVendor, VendorLine, address};
use crate::words::{LengthUnit, fitted, lines, verbatim};

/// Where alerts go unless the settings say otherwise.
const URL: &str = "https://api.opsgenie.com/v2/alerts";
/// The longest of each field, in characters.
const MESSAGE_MAX: usize = 130;
const DESCRIPTION_MAX: usize = 15_000;
const NOTE_MAX: usize = 25_000;
const FIELD_MAX: usize = 100;
/// How often the status of a request is asked for, and how long is waited before.
const STATUS: (u32, Duration) = (6, Duration::from_millis(500));

const VENDOR: HttpVendor = HttpVendor {
    who: "Opsgenie",
    rate: CallRate { gap: Duration::from_millis(200), burst: 20 },
    credential: &[401, 403],
    remedy: "it refuses the API key; copy that of an API integration with the right to create and update alerts into \
             the place that token_env or token_file names, and check the region in url",
};

/// An API integration of a team.
pub struct Opsgenie {
    line: VendorLine,
    url: Url,
    key: Secret,
}

impl std::fmt::Debug for Opsgenie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opsgenie").finish_non_exhaustive()
    }
}

impl Opsgenie {
    /// Sends with this key; at `url` where one is given, as for Europe or for Jira Service Management.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(key: Secret, url: Option<&str>) -> Result<Self, Misconfigured> {
        let url = url.unwrap_or(URL).trim_end_matches('/');
        Ok(Self {
            line: VendorLine::new(VENDOR, vec![key.clone()])?,
            url: address("Opsgenie's url", &url.into())?,
            key,
        })
    }

    /// The address of a part of the API under that of alerts.
    fn at(&self, parts: &[&str], by_alias: bool) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(parts);
        }
        if by_alias {
            url.set_query(Some("identifierType=alias"));
        }
        url
    }

    /// Hands a request over and answers its id.
    async fn hand(&self, request: RequestBuilder) -> Result<String, Error> {
        let said = self.call(request).await?;
        Ok(said["requestId"].as_str().unwrap_or_default().to_owned())
    }

    async fn call(&self, request: RequestBuilder) -> Result<Value, Error> {
        let request = request.header("authorization", format!("GenieKey {}", self.key.expose()));
        let answer = self.line.call(request).await?;
        let said = answer.json();
        if answer.is_success() {
            return Ok(said);
        }
        let words = said["message"].as_str().unwrap_or_default();
        // A key of the wrong form is called an entity that cannot be processed.
        let is_key = answer.status == 422 && words.to_ascii_lowercase().contains("key");
        Err(if is_key { self.line.credential(answer.status, words) } else { self.line.refused(&answer, words) })
    }

    async fn act(&self, message: &Notification, verb: &str) -> Result<String, Error> {
        let note = fitted(&message.headline(), NOTE_MAX, LengthUnit::Utf16, verbatim);
        let body = json!({"source": "Hindcast", "user": "Hindcast", "note": note});
        self.hand(self.line.post(&self.at(&[message.group(), verb], true)).json(&body)).await
    }

    /// Waits until a request is worked off: what follows it must not overtake it.
    async fn done(&self, request: &str) -> Result<(), Error> {
        let (times, rest) = STATUS;
        for _ in 0..times {
            match self.call(self.line.client().get(self.at(&["requests", request], false))).await {
                Ok(_) => return Ok(()),
                Err(Error::Never(_)) => tokio::time::sleep(rest).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::again("Opsgenie has not closed the earlier alert yet; a new one would be taken for the same"))
    }
}

#[async_trait]
impl Notifier for Opsgenie {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let (verb, request) = match VendorStep::of(message) {
            VendorStep::Close => ("close", self.act(message, "close").await?),
            VendorStep::Acknowledge => ("acknowledge", self.act(message, "acknowledge").await?),
            step => {
                if step == VendorStep::TriggerAnew {
                    let closing = self.act(message, "close").await?;
                    self.done(&closing).await?;
                }
                ("create", self.hand(self.line.post(&self.url).json(&alert(message))).await?)
            }
        };
        Ok(format!("{verb}: accepted as request {}", hindcast_domain::text::cut(&request, FIELD_MAX)))
    }

    fn keeps_open(&self) -> bool {
        true
    }
}

fn alert(message: &Notification) -> Value {
    let field = |text: &str| fitted(text, FIELD_MAX, LengthUnit::Utf16, verbatim);
    let link = message.url.as_ref().map(|url| format!("{url}\n")).unwrap_or_default();
    let service = message.alerts.iter().find_map(|alert| alert.service.as_deref());
    json!({
        "message": fitted(&message.headline(), MESSAGE_MAX, LengthUnit::Utf16, verbatim),
        "alias": message.group(),
        "description": fitted(&format!("{link}{}", lines(message)), DESCRIPTION_MAX, LengthUnit::Utf16, verbatim),
        "priority": priority(message),
        "source": "Hindcast",
        "user": "Hindcast",
        "entity": field(service.unwrap_or_default()),
        "tags": ["hindcast", message.severity.as_str()],
        "details": {
            "incident": message.incident,
            "reason": message.reason,
            "page": message.page.to_string(),
            "notice": message.notice,
        },
    })
}

/// A page has one of the two priorities that wake by default, and anything else has not.
fn priority(message: &Notification) -> &'static str {
    match (message.page, message.severity) {
        (true, Severity::Critical) => "P1",
        (true, _) => "P2",
        (false, Severity::Low) => "P4",
        (false, Severity::Info) => "P5",
        (false, _) => "P3",
    }
}
