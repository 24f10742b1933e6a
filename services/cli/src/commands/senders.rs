//! Senders of alerts: what to paste into each so that it sends here, and a test alert in its own form. Owns one
//! table; what a format means is the door's.

use serde_json::{Value, json};

/// Where a sender sends to.
#[derive(Clone, Copy, Debug)]
pub(super) struct SenderEndpoint<'a> {
    /// The server's address, without a slash at its end.
    pub(super) base: &'a str,
    /// The source's name, the last part of its address.
    pub(super) name: &'a str,
}

/// A test alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe<'a> {
    /// Its name, drawn for this test alone.
    pub(super) name: &'a str,
    /// When it begins, in RFC 3339.
    pub(super) starts_at: &'a str,
    pub(super) ends_at: &'a str,
    /// Whether the test is over, which is sent after it was seen.
    pub(super) over: bool,
}

impl Probe<'_> {
    const fn status(&self) -> &'static str {
        if self.over { "resolved" } else { "firing" }
    }
}

/// One kind of sender.
pub(super) struct Sender {
    /// Its format's name.
    pub(super) format: &'static str,
    /// Where the lines belong.
    pub(super) into: &'static str,
    /// The lines, with `{base}`, `{host}` and `{name}` to be filled in.
    paste: [&'static str; 4],
    /// The test alert in its form; absent where there can be none.
    pub(super) probe: Option<fn(Probe<'_>) -> Value>,
    /// Where the test alert goes, where that is not `/ingest/{name}`.
    pub(super) path: Option<&'static str>,
}

impl Sender {
    /// The lines to paste.
    pub(super) fn lines(&self, door: SenderEndpoint<'_>) -> Vec<String> {
        let host = door.base.split_once("://").map_or(door.base, |(_, host)| host);
        let fill = |line: &&str| line.replace("{base}", door.base).replace("{host}", host).replace("{name}", door.name);
        self.paste.iter().map(fill).collect()
    }

    /// Whether the end of a test alert is a message of the same form. Opsgenie closes an alert at another address, and an
    /// alert of a Prometheus ends at the time that it names.
    pub(super) fn ends(&self) -> bool {
        self.probe.is_some() && self.format != "opsgenie"
    }

    /// The path that it sends to.
    pub(super) fn path(&self, name: &str) -> String {
        self.path.map_or_else(|| format!("/ingest/{name}"), str::to_owned)
    }
}

/// The sender of a format.
pub(super) fn of(format: &str) -> Option<&'static Sender> {
    SENDERS.iter().find(|sender| sender.format == format)
}

/// Every format's name, for messages.
pub(super) fn names() -> String {
    SENDERS.iter().map(|sender| sender.format).collect::<Vec<_>>().join(", ")
}

const IN_ALERTMANAGER: &str = "alertmanager.yml, and name the receiver in a route";

/// All senders that are known here.
pub(super) static SENDERS: [Sender; 11] = [
    Sender {
        format: "alertmanager",
        into: IN_ALERTMANAGER,
        paste: ["receivers:", "  - name: hindcast", "    webhook_configs:", "      - url: {base}/ingest/{name}"],
        probe: Some(alertmanager),
        path: None,
    },
    Sender {
        format: "prometheus",
        into: "prometheus.yml",
        paste: ["alerting:", "  alertmanagers:", "    - static_configs:", "        - targets: [\"{host}\"]"],
        probe: Some(|probe| json!([alert(probe)])),
        path: Some("/api/v2/alerts"),
    },
    Sender {
        format: "grafana",
        into: "a file under provisioning/alerting, and name the contact point in a policy",
        paste: [
            "contactPoints:",
            "  - name: hindcast",
            "    receivers:",
            "      - {uid: hindcast, type: webhook, settings: {url: \"{base}/ingest/{name}\"}}",
        ],
        probe: Some(alertmanager),
        path: None,
    },
    Sender {
        format: "pagerduty",
        into: IN_ALERTMANAGER,
        paste: [
            "receivers:",
            "  - name: hindcast",
            "    pagerduty_configs:",
            "      - {routing_key: {name}, url: \"{base}/v2/enqueue\"}",
        ],
        probe: Some(pagerduty),
        path: None,
    },
    Sender {
        format: "opsgenie",
        into: IN_ALERTMANAGER,
        paste: [
            "receivers:",
            "  - name: hindcast",
            "    opsgenie_configs:",
            "      - {api_key: {name}, api_url: \"{base}/opsgenie/\"}",
        ],
        probe: Some(|probe| {
            json!({
                "message": probe.name, "alias": probe.name, "priority": "P5", "entity": SERVICE,
                "details": labels(probe),
            })
        }),
        path: None,
    },
    Sender {
        format: "cloudwatch-sns",
        into: "a shell with the AWS command line",
        paste: [
            "aws sns subscribe \\",
            "  --topic-arn arn:aws:sns:REGION:ACCOUNT:TOPIC \\",
            "  --protocol https \\",
            "  --notification-endpoint {base}/ingest/{name}",
        ],
        probe: None,
        path: None,
    },
    Sender {
        format: "gcp-monitoring",
        into: "a shell with the Google Cloud command line",
        paste: [
            "gcloud beta monitoring channels create \\",
            "  --display-name=hindcast \\",
            "  --type=webhook_tokenauth \\",
            "  --channel-labels=url={base}/ingest/{name}",
        ],
        probe: Some(gcp),
        path: None,
    },
    Sender {
        format: "cloudevents",
        into: "a shell, to see how an event is sent",
        paste: [
            "curl {base}/ingest/{name} -H 'content-type: application/cloudevents+json' -d '{",
            "  \"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"shop\", \"type\": \"alert\",",
            "  \"data\": {\"name\": \"CheckoutDown\", \"service\": \"checkout\", \"severity\": \"high\"}",
            "}'",
        ],
        probe: Some(|probe| {
            json!({
                "specversion": "1.0", "id": probe.name, "source": "hindcast-cli", "type": "alert",
                "data": generic(probe),
            })
        }),
        path: None,
    },
    Sender {
        format: "github",
        into: "a shell with the GitHub command line",
        paste: [
            "gh api repos/OWNER/REPO/hooks -f name=web -F active=true \\",
            "  -f 'events[]=deployment_status' \\",
            "  -f 'config[url]={base}/ingest/{name}' \\",
            "  -f 'config[content_type]=json'",
        ],
        probe: None,
        path: None,
    },
    Sender {
        format: "generic",
        into: "a shell, to see how an alert is sent",
        paste: [
            "curl {base}/ingest/{name} -H 'content-type: application/json' -d '{",
            "  \"name\": \"CheckoutDown\", \"service\": \"checkout\", \"severity\": \"high\",",
            "  \"status\": \"firing\", \"labels\": {\"region\": \"eu\"}",
            "}'",
        ],
        probe: Some(generic),
        path: None,
    },
    Sender {
        format: "change",
        into: "the last step of a deployment",
        paste: [
            "curl {base}/ingest/{name} -H 'content-type: application/json' -d '{",
            "  \"kind\": \"deploy\", \"service\": \"checkout\", \"version\": \"v42\",",
            "  \"title\": \"checkout v42\"",
            "}'",
        ],
        probe: None,
        path: None,
    },
];

/// The service and environment of test alerts, so that they stand beside nothing else.
const SERVICE: &str = hindcast_domain::alert::TEST_SERVICE;

/// Of no severity that opens an incident or pages.
fn labels(probe: Probe<'_>) -> Value {
    json!({"alertname": probe.name, "severity": "info", "service": SERVICE, "environment": SERVICE})
}

fn alert(probe: Probe<'_>) -> Value {
    json!({
        "status": probe.status(),
        "labels": labels(probe),
        "annotations": {"summary": "a test of `hindcast source`, which ends by itself"},
        "startsAt": probe.starts_at,
        "endsAt": probe.ends_at,
        "generatorURL": "",
    })
}

fn alertmanager(probe: Probe<'_>) -> Value {
    json!({
        "version": "4",
        "groupKey": probe.name,
        "status": probe.status(),
        "receiver": "hindcast",
        "groupLabels": {},
        "commonLabels": labels(probe),
        "commonAnnotations": {},
        "externalURL": "",
        "truncatedAlerts": 0,
        "alerts": [alert(probe)],
    })
}

fn pagerduty(probe: Probe<'_>) -> Value {
    json!({
        "routing_key": "hindcast",
        "event_action": if probe.over { "resolve" } else { "trigger" },
        "dedup_key": probe.name,
        "payload": {
            "summary": probe.name,
            "source": SERVICE,
            "severity": "info",
            "component": SERVICE,
            "timestamp": probe.starts_at,
            "custom_details": labels(probe),
        },
    })
}

fn gcp(probe: Probe<'_>) -> Value {
    json!({
        "version": "1.2",
        "incident": {
            "incident_id": probe.name,
            "state": if probe.over { "closed" } else { "open" },
            "severity": "No severity",
            "policy_name": probe.name,
            "condition_name": probe.name,
            "resource_name": SERVICE,
            "policy_user_labels": labels(probe),
            "summary": "a test of `hindcast source`",
        },
    })
}

fn generic(probe: Probe<'_>) -> Value {
    json!({
        "name": probe.name,
        "service": SERVICE,
        "environment": SERVICE,
        "severity": "info",
        "status": probe.status(),
        "starts_at": probe.starts_at,
        "labels": labels(probe),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sender_gets_its_address() {
        let door = SenderEndpoint { base: "http://127.0.0.1:7171", name: "mine" };
        for sender in &SENDERS {
            let lines = sender.lines(door).join("\n");
            assert!(lines.contains("127.0.0.1:7171"), "{}", sender.format);
            assert!(!lines.contains("{base}") && !lines.contains("{name}") && !lines.contains("{host}"), "{lines}");
        }
        assert_eq!(of("grafana").unwrap().path("mine"), "/ingest/mine");
        assert_eq!(of("prometheus").unwrap().path("mine"), "/api/v2/alerts");
    }

    #[test]
    fn test_alerts_wake_nobody() {
        let probe =
            Probe { name: "T", starts_at: "2026-11-20T00:00:00Z", ends_at: "2026-11-20T00:05:00Z", over: false };
        for sender in &SENDERS {
            let text = sender.probe.map(|make| make(probe).to_string()).unwrap_or_default();
            assert!(!text.contains("critical") && !text.contains("high"), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_test_alert_has_the_form_of_its_sender() {
        let begun =
            Probe { name: "T", starts_at: "2026-11-20T00:00:00Z", ends_at: "2026-11-20T00:05:00Z", over: false };
        for sender in SENDERS.iter().filter(|sender| sender.ends()) {
            let make = sender.probe.unwrap();
            let (begun, over) = (make(begun), make(Probe { over: true, ..begun }));
            assert_ne!(begun, over, "{}", sender.format);
        }
    }
}
