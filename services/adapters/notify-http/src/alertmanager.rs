//! A webhook in the shape of an Alertmanager's, version 4, for programs that take one. Owns that shape.
//!
//! Source: Prometheus, "Alerting configuration", `webhook_config`; `groupKey` groups what concerns one incident.

use std::collections::BTreeMap;

use async_trait::async_trait;
use hindcast_domain::alert::Signal;
use hindcast_domain::notice::NamedAlert;
use hindcast_domain::{Secret, SecretHash};
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use reqwest::Url;
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::webhook::said;
use crate::wire::{HttpVendor, VendorLine, address, address_secrets};
use crate::words::{lines, plain};

/// The end of an alert that fires, as an Alertmanager says it.
const NO_END: &str = "0001-01-01T00:00:00Z";
/// The name of the alert that stands for an incident where a message names no alert that fits its state.
const INCIDENT: &str = "HindcastIncident";

const VENDOR: HttpVendor = HttpVendor {
    who: "the Alertmanager webhook",
    rate: CallRate::FREE,
    credential: &[401, 403],
    remedy: "it refuses the credential; check token_env or token_file, and url",
};

/// A program that takes what an Alertmanager sends.
pub struct AlertmanagerWebhook {
    line: VendorLine,
    url: Url,
    token: Option<Secret>,
    receiver: String,
}

impl std::fmt::Debug for AlertmanagerWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlertmanagerWebhook").finish_non_exhaustive()
    }
}

impl AlertmanagerWebhook {
    /// Posts to `url`, with a bearer token where there is one, under the receiver's name.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(url: &Secret, token: Option<Secret>, receiver: &str) -> Result<Self, Misconfigured> {
        let url = address("an Alertmanager webhook's url", url)?;
        let secrets = address_secrets(&url).into_iter().chain(token.clone()).collect();
        Ok(Self { line: VendorLine::new(VENDOR, secrets)?, url, token, receiver: receiver.to_owned() })
    }

    fn body(&self, message: &Notification) -> Value {
        let ends = message.is_end();
        let mut alerts: Vec<Value> = message.alerts.iter().map(|alert| named(message, alert, ends)).collect();
        let fires = message.alerts.iter().any(|alert| alert.status == Signal::Firing);
        if alerts.is_empty() || !ends && !fires {
            alerts.push(whole(message, ends));
        }
        let labels: BTreeMap<&str, &str> = message.incident.iter().map(|id| ("incident", id.as_str())).collect();
        json!({
            "version": "4",
            "groupKey": format!("{{}}:{{incident={:?}}}", message.group()),
            "truncatedAlerts": 0,
            "status": if ends { "resolved" } else { "firing" },
            "receiver": self.receiver,
            "groupLabels": labels,
            "commonLabels": labels,
            "commonAnnotations": {"summary": plain(&message.title), "description": plain(&lines(message))},
            "externalURL": message.url.as_deref().unwrap_or_default(),
            "alerts": alerts,
        })
    }
}

#[async_trait]
impl Notifier for AlertmanagerWebhook {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let mut request = self.line.post(&self.url).header("idempotency-key", &message.key).json(&self.body(message));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let answer = self.line.call(request).await?;
        if answer.is_success() { Ok(said(answer.status)) } else { Err(self.line.refused(&answer, &answer.body)) }
    }
}

fn named(message: &Notification, alert: &NamedAlert, ends: bool) -> Value {
    let resolved = ends || alert.status != Signal::Firing;
    let mut labels =
        BTreeMap::from([("alertname", plain(&alert.name)), ("severity", alert.severity.as_str().to_owned())]);
    let incident = alert.incident.as_ref().map(ToString::to_string).or_else(|| message.incident.clone());
    let more = [
        ("service", alert.service.as_deref().map(plain)),
        ("entity", alert.entity.as_ref().map(|entity| plain(&entity.to_string()))),
        ("incident", incident),
    ];
    labels.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let mut annotations = BTreeMap::from([("summary", plain(&message.title))]);
    if let Some(count) = alert.count {
        annotations.insert("count", count.to_string());
    }
    if let Some(runbook) = alert.links.get("runbook") {
        annotations.insert("runbook_url", runbook.clone());
    }
    let source = alert.links.get("source").or(message.url.as_ref());
    one(resolved, labels, annotations, &alert.since.to_string(), message, source, alert.fingerprint.as_str())
}

/// The incident as an alert.
fn whole(message: &Notification, ends: bool) -> Value {
    let mut labels =
        BTreeMap::from([("alertname", INCIDENT.to_owned()), ("severity", message.severity.as_str().to_owned())]);
    labels.extend(message.incident.clone().map(|incident| ("incident", incident)));
    let annotations = BTreeMap::from([("summary", plain(&message.title)), ("description", plain(&lines(message)))]);
    let digits = SecretHash::of(message.group()).hex();
    let fingerprint = digits.get(..16).unwrap_or(&digits);
    one(ends, labels, annotations, &message.at.to_string(), message, message.url.as_ref(), fingerprint)
}

fn one(
    resolved: bool,
    labels: BTreeMap<&str, String>,
    annotations: BTreeMap<&str, String>,
    since: &str,
    message: &Notification,
    source: Option<&String>,
    fingerprint: &str,
) -> Value {
    json!({
        "status": if resolved { "resolved" } else { "firing" },
        "labels": labels,
        "annotations": annotations,
        "startsAt": since,
        "endsAt": if resolved { message.at.to_string() } else { NO_END.to_owned() },
        "generatorURL": source.map_or("", String::as_str),
        "fingerprint": fingerprint,
    })
}
