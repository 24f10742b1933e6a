//! PagerDuty, by its Events API v2. Owns the form of an event and what an answer of PagerDuty means.
//!
//! Our incident's id is the `dedup_key`, so that a message that is sent again adds nothing, and what is acknowledged
//! or resolved here is so there.
//! Source: PagerDuty, "Send an alert event" (Events API v2): fields, limits, answers 202, 400 and 429.

use async_trait::async_trait;
use hindcast_domain::{Secret, Severity};
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::Url;
use serde_json::{Value, json};
use std::time::Duration;

use crate::pace::CallRate;
use crate::step::VendorStep;
use crate::wire::{HttpVendor, VendorAnswer, VendorLine, address};
use crate::words::{LengthUnit, fitted, verbatim};

/// Where events go unless the settings say otherwise.
const URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// The longest `payload.summary`, in characters.
const SUMMARY_MAX: usize = 1024;
/// The longest line of the details; an event as a whole has at most 512 KiB.
const LINE_MAX: usize = 2000;
/// The longest of the short fields of the payload.
const FIELD_MAX: usize = 255;
/// Alerts that the details name.
const ALERTS_MAX: usize = 20;

const VENDOR: HttpVendor = HttpVendor {
    who: "PagerDuty",
    // 120 events a minute and integration key.
    rate: CallRate { gap: Duration::from_millis(500), burst: 20 },
    credential: &[401, 403],
    remedy: "it refuses the integration key; copy the one of an Events API v2 integration into the place that \
             token_env or token_file names",
};

/// A service of PagerDuty, by its integration key.
pub struct PagerDuty {
    line: VendorLine,
    url: Url,
    routing_key: Secret,
}

impl std::fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagerDuty").finish_non_exhaustive()
    }
}

impl PagerDuty {
    /// Sends to the service of this integration key; at `url` where one is given, as for the service region of Europe.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(routing_key: Secret, url: Option<&str>) -> Result<Self, Misconfigured> {
        let url = address("PagerDuty's url", &url.unwrap_or(URL).into())?;
        Ok(Self { line: VendorLine::new(VENDOR, vec![routing_key.clone()])?, url, routing_key })
    }

    async fn enqueue(&self, event: &Value) -> Result<VendorAnswer, Error> {
        let answer = self.line.call(self.line.post(&self.url).json(event)).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let said = answer.json();
        let mut words = vec![said["message"].as_str().unwrap_or_default()];
        words.extend(said["errors"].as_array().into_iter().flatten().filter_map(Value::as_str));
        let words = words.join("; ");
        // The key stands in the body, so that a wrong one is a wrong body to PagerDuty.
        let is_key = answer.status == 400 && words.to_ascii_lowercase().replace(' ', "_").contains("routing_key");
        Err(if is_key { self.line.credential(answer.status, &words) } else { self.line.refused(&answer, &words) })
    }

    fn event(&self, message: &Notification, action: &str) -> Value {
        let mut event = json!({
            "routing_key": self.routing_key.expose(),
            "event_action": action,
            "dedup_key": message.group(),
        });
        if action == "trigger" {
            event["payload"] = payload(message);
            event["client"] = json!("Hindcast");
            if let Some(url) = &message.url {
                event["client_url"] = json!(url);
            }
            event["links"] = links(message);
        }
        event
    }
}

#[async_trait]
impl Notifier for PagerDuty {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let action = match VendorStep::of(message) {
            VendorStep::Close => "resolve",
            VendorStep::Acknowledge => "acknowledge",
            VendorStep::Trigger => "trigger",
            VendorStep::TriggerAnew => {
                self.enqueue(&self.event(message, "resolve")).await?;
                "trigger"
            }
        };
        let answer = self.enqueue(&self.event(message, action)).await?;
        let said = answer.json();
        let key = said["dedup_key"].as_str().unwrap_or_else(|| message.group());
        let words = said["message"].as_str().unwrap_or("taken");
        let short = |text: &str| hindcast_domain::text::cut(text, FIELD_MAX);
        Ok(format!("{action}: {}, dedup_key {}", short(words), short(key)))
    }

    fn keeps_open(&self) -> bool {
        true
    }
}

fn field(text: &str) -> String {
    fitted(text, FIELD_MAX, LengthUnit::Utf16, verbatim)
}

fn payload(message: &Notification) -> Value {
    let first = message.alerts.first();
    let service = message.alerts.iter().find_map(|alert| alert.service.as_deref());
    let lines: Vec<String> =
        message.lines.iter().map(|line| fitted(line, LINE_MAX, LengthUnit::Utf16, verbatim)).collect();
    let named = message.alerts.iter().take(ALERTS_MAX);
    let alerts: Vec<String> = named.map(|alert| field(&format!("{} ({})", alert.name, alert.severity))).collect();
    let mut payload = json!({
        "summary": fitted(&message.headline(), SUMMARY_MAX, LengthUnit::Utf16, verbatim),
        "source": field(service.unwrap_or("hindcast")),
        "severity": severity(message),
        "timestamp": message.at.to_string(),
        "custom_details": {
            "reason": message.reason,
            "severity": message.severity,
            "page": message.page,
            "lines": lines,
            "alerts": alerts,
            "notice": message.notice,
        },
    });
    if let Some(service) = service {
        payload["component"] = json!(field(service));
    }
    if let Some(first) = first {
        payload["class"] = json!(field(&first.name));
    }
    payload
}

/// A page is at a severity that PagerDuty's services wake for, and anything else is not.
fn severity(message: &Notification) -> &'static str {
    match (message.page, message.severity) {
        (true, Severity::Critical) => "critical",
        (true, _) => "error",
        (false, Severity::Info) => "info",
        (false, _) => "warning",
    }
}

fn links(message: &Notification) -> Value {
    let ours = message.url.iter().map(|url| json!({"href": url, "text": "the incident in Hindcast"}));
    let theirs = message.alerts.first().into_iter().flat_map(|alert| &alert.links);
    ours.chain(theirs.map(|(what, url)| json!({"href": url, "text": field(what)}))).collect()
}
