//! What each vendor takes and answers, after its public documents. Owns the checks that a real vendor makes, and one
//! that it does not: that foreign text is inert.

use serde_json::{Value, json};

use super::{TakenMessage, VendorKind, VendorRefusal, VendorRequest};

/// One vendor's protocol.
pub(super) struct VendorProtocol {
    /// Reads a request, or refuses it as the vendor does.
    pub(super) judge: fn(&VendorRequest, &str) -> Result<TakenMessage, VendorRefusal>,
    /// The answer to what was taken, by its number.
    pub(super) took: fn(&TakenMessage, usize) -> (u16, Value),
    /// The body of a 429.
    pub(super) limited: fn(u64) -> Value,
    /// The body of a 400.
    pub(super) invalid: fn(&str) -> Value,
}

impl VendorProtocol {
    /// What is known of a request of Opsgenie.
    pub(super) fn status(&self, request: &VendorRequest) -> Option<Value> {
        let asked = request.method == "GET" && request.target.contains("/v2/alerts/requests/");
        asked.then(|| {
            json!({"data": {"success": true, "isSuccess": true, "action": "Close", "status": "Closed alert"},
                   "took": 0.01, "requestId": "00000000"})
        })
    }
}

pub(super) fn of(kind: VendorKind) -> VendorProtocol {
    let plain = |judge| VendorProtocol {
        judge,
        took: |_, _| (202, json!("")),
        limited: |_| json!("too many requests"),
        invalid: |why| json!(why),
    };
    match kind {
        VendorKind::Webhook => plain(webhook),
        VendorKind::Alertmanager => plain(alertmanager),
        VendorKind::Http => plain(http),
        VendorKind::PagerDuty => VendorProtocol {
            judge: pagerduty,
            took: |taken, _| (202, json!({"status": "success", "message": "Event processed", "dedup_key": taken.key})),
            limited: |_| json!({"status": "throttle exceeded", "message": "Requests for this service are arriving too quickly.  Please retry later."}),
            invalid: |why| json!({"status": "invalid event", "message": "Event object is invalid", "errors": [why]}),
        },
        VendorKind::Opsgenie => VendorProtocol {
            judge: opsgenie,
            took: |_, number| {
                (
                    202,
                    json!({"result": "Request will be processed", "took": 0.302, "requestId": format!("req-{number}")}),
                )
            },
            limited: |_| json!({"message": "You are making too many requests! To avoid this error, please wait.", "took": 0.0, "requestId": "0"}),
            invalid: |why| json!({"message": why, "took": 0.0, "requestId": "0"}),
        },
        VendorKind::Slack => VendorProtocol {
            judge: slack,
            took: |_, _| (200, json!("ok")),
            limited: |_| json!("rate_limited"),
            invalid: |_| json!("invalid_payload"),
        },
        VendorKind::Discord => VendorProtocol {
            judge: discord,
            took: |_, number| (200, json!({"id": format!("99{number}"), "channel_id": "1", "type": 0})),
            limited: |seconds| json!({"message": "You are being rate limited.", "retry_after": seconds, "global": false}),
            invalid: |why| json!({"message": why, "code": 50035}),
        },
        VendorKind::Mattermost => VendorProtocol {
            judge: mattermost,
            took: |_, _| (200, json!("ok")),
            limited: |_| json!("limit exceeded"),
            invalid: |why| json!({"id": "api.webhook.bad", "message": why, "status_code": 400}),
        },
        VendorKind::Telegram => VendorProtocol {
            judge: telegram,
            took: |_, number| {
                (200, json!({"ok": true, "result": {"message_id": number, "date": 1, "chat": {"id": -100}}}))
            },
            limited: |seconds| {
                json!({"ok": false, "error_code": 429, "description": format!("Too Many Requests: retry after {seconds}"),
                       "parameters": {"retry_after": seconds}})
            },
            invalid: |why| json!({"ok": false, "error_code": 400, "description": format!("Bad Request: {why}")}),
        },
        VendorKind::Ntfy => VendorProtocol {
            judge: ntfy,
            took: |_, number| (200, json!({"id": format!("n{number}"), "time": 1, "event": "message", "topic": "t"})),
            limited: |_| json!({"code": 42901, "http": 429, "error": "limit reached: too many requests"}),
            invalid: |why| json!({"code": 40024, "http": 400, "error": why}),
        },
    }
}

/// Text of a field, of so many characters at most.
fn text(value: &Value, max: usize) -> Option<String> {
    value.as_str().filter(|text| text.encode_utf16().count() <= max).map(str::to_owned)
}

fn webhook(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    if !request.target.ends_with(secret) {
        return Err((401, json!("unauthorized")));
    }
    let said = request.json();
    let key = said["key"].as_str().unwrap_or_default().to_owned();
    if key.is_empty() || request.header("idempotency-key") != key {
        return Err((400, json!("no key")));
    }
    Ok(TakenMessage { key, action: "open", text: said["title"].to_string() })
}

fn http(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    if request.header("x-api-key") != secret {
        return Err((403, json!("forbidden")));
    }
    let text = request.json()["text"].as_str().map(str::to_owned).ok_or((400, json!("no text")))?;
    Ok(TakenMessage { key: request.header("idempotency-key").to_owned(), action: "open", text })
}

fn alertmanager(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    if request.header("authorization") != format!("Bearer {secret}") {
        return Err((401, json!("unauthorized")));
    }
    let said = request.json();
    let strings = ["version", "groupKey", "status", "receiver", "externalURL"];
    let whole = strings.iter().all(|name| said[*name].is_string())
        && said["version"] == "4"
        && said["truncatedAlerts"].is_u64()
        && ["groupLabels", "commonLabels", "commonAnnotations"].iter().all(|name| said[*name].is_object());
    let alerts = said["alerts"].as_array().filter(|alerts| !alerts.is_empty());
    let good = |alert: &Value| {
        let fires = alert["status"] == "firing";
        let ended = alert["endsAt"].as_str().is_some_and(|at| at.starts_with("0001-") == fires && at.ends_with('Z'));
        ended
            && alert["labels"]["alertname"].is_string()
            && ["startsAt", "generatorURL", "fingerprint"].iter().all(|name| alert[*name].is_string())
    };
    let fires = alerts.is_some_and(|alerts| alerts.iter().any(|alert| alert["status"] == "firing"));
    if !whole || !alerts.is_some_and(|alerts| alerts.iter().all(good)) || fires != (said["status"] == "firing") {
        return Err((400, json!("this is no message of an Alertmanager")));
    }
    let action = if fires { "open" } else { "close" };
    let key = said["groupKey"].as_str().unwrap_or_default().to_owned();
    Ok(TakenMessage { key, action, text: said["commonAnnotations"]["summary"].to_string() })
}

fn pagerduty(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    let invalid = |why: &str| (400, (of(VendorKind::PagerDuty).invalid)(why));
    let said = request.json();
    if said["routing_key"] != secret {
        return Err(invalid("Length of 'routing_key' is incorrect (should be 32 characters)"));
    }
    let key = text(&said["dedup_key"], 255).ok_or_else(|| invalid("'dedup_key' is too long"))?;
    let action = match said["event_action"].as_str() {
        Some("trigger") => "open",
        Some("acknowledge") => "acknowledge",
        Some("resolve") => "close",
        _ => return Err(invalid("'event_action' is invalid")),
    };
    let payload = &said["payload"];
    if action == "open" {
        text(&payload["summary"], 1024).ok_or_else(|| invalid("'payload.summary' is missing, blank or too long"))?;
        payload["source"].as_str().filter(|it| !it.is_empty()).ok_or_else(|| invalid("'payload.source' is missing"))?;
        let severity = payload["severity"].as_str().unwrap_or_default();
        if !["critical", "error", "warning", "info"].contains(&severity) || request.body.len() > 512 * 1024 {
            return Err(invalid("'payload.severity' is invalid"));
        }
    }
    Ok(TakenMessage { key, action, text: payload["summary"].as_str().unwrap_or_default().to_owned() })
}

fn opsgenie(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    let invalid = |why: &str| (422, (of(VendorKind::Opsgenie).invalid)(why));
    if request.header("authorization") != format!("GenieKey {secret}") {
        return Err((401, json!({"message": "Could not authenticate", "took": 0.0, "requestId": "0"})));
    }
    let said = request.json();
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if path == "/v2/alerts" {
        let message = text(&said["message"], 130).ok_or_else(|| invalid("message can not be longer than 130"))?;
        text(&said["description"], 15_000).ok_or_else(|| invalid("description is too long"))?;
        let priority = said["priority"].as_str().unwrap_or_default();
        if !["P1", "P2", "P3", "P4", "P5"].contains(&priority) || !said["details"].is_object() {
            return Err(invalid("priority or details are wrong"));
        }
        let key = text(&said["alias"], 512).ok_or_else(|| invalid("alias is too long"))?;
        return Ok(TakenMessage { key, action: "open", text: message });
    }
    let rest = path.strip_prefix("/v2/alerts/").filter(|_| query == "identifierType=alias");
    let (key, verb) = rest.and_then(|rest| rest.split_once('/')).ok_or_else(|| invalid("identifierType is missing"))?;
    let action = match verb {
        "acknowledge" => "acknowledge",
        "close" => "close",
        _ => return Err(invalid("no such action")),
    };
    Ok(TakenMessage { key: key.to_owned(), action, text: said["note"].to_string() })
}

fn slack(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    if !request.target.ends_with(secret) {
        return Err((404, json!("no_service")));
    }
    let said = request.json();
    let blocks = said["blocks"].as_array().filter(|blocks| blocks.len() <= 50).ok_or((400, json!("invalid_blocks")))?;
    let mut shown = said["text"].as_str().ok_or((400, json!("no_text")))?.to_owned();
    for block in blocks {
        let (object, max) = match block["type"].as_str() {
            Some("header") => (&block["text"], 150),
            Some("section") => (&block["text"], 3000),
            Some("context") => (&block["elements"][0], 3000),
            _ => return Err((400, json!("invalid_blocks"))),
        };
        let words = text(&object["text"], max).filter(|it| !it.is_empty()).ok_or((400, json!("invalid_blocks")))?;
        // Plain text is shown as it is; only the rest can act.
        if object["type"] == "mrkdwn" {
            shown.push_str(&words);
        } else if object["type"] != "plain_text" || object["emoji"] != false {
            return Err((400, json!("invalid_blocks")));
        }
    }
    Ok(TakenMessage { key: String::new(), action: "open", text: shown })
}

fn discord(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if !path.ends_with(secret) {
        return Err((401, json!({"message": "Invalid Webhook Token", "code": 50027})));
    }
    let invalid = |why: &str| (400, json!({"message": why, "code": 50035}));
    let said = request.json();
    if said["allowed_mentions"]["parse"] != json!([]) || query != "wait=true" {
        return Err(invalid("mentions would ring"));
    }
    let embed = &said["embeds"][0];
    let title = text(&embed["title"], 256).ok_or_else(|| invalid("title is too long"))?;
    let rest = text(&embed["description"], 4096).ok_or_else(|| invalid("description is too long"))?;
    if !embed["color"].is_u64() {
        return Err(invalid("no colour"));
    }
    Ok(TakenMessage { key: String::new(), action: "open", text: format!("{title}\n{rest}") })
}

fn mattermost(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    let wrong =
        |status: u16, id: &str| (status, json!({"id": id, "message": "Invalid webhook", "status_code": status}));
    if !request.target.ends_with(secret) {
        return Err(wrong(400, "web.incoming_webhook.invalid.app_error"));
    }
    let said = request.json();
    let attachment = &said["attachments"][0];
    let title = text(&attachment["title"], 1000).ok_or_else(|| wrong(400, "api.post.title"))?;
    let rest = text(&attachment["text"], 4000).ok_or_else(|| wrong(400, "api.post.text"))?;
    Ok(TakenMessage { key: String::new(), action: "open", text: format!("{title}\n{rest}") })
}

fn telegram(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    if request.target != format!("/bot{secret}/sendMessage") {
        return Err((401, json!({"ok": false, "error_code": 401, "description": "Unauthorized"})));
    }
    let invalid = |why: &str| (400, (of(VendorKind::Telegram).invalid)(why));
    let said = request.json();
    let shown = text(&said["text"], 4096).ok_or_else(|| invalid("message is too long"))?;
    if said["parse_mode"] != "HTML" || said["chat_id"].as_str().is_none_or(str::is_empty) {
        return Err(invalid("chat not found"));
    }
    // Telegram knows few tags, and refuses any other angle bracket.
    let known = ["<b>", "</b>", "<a href=\"", "\">Open the incident</a>"];
    let bare = known.iter().fold(shown.clone(), |text, tag| text.replacen(tag, "", 1));
    if bare.contains(['<', '>']) {
        return Err(invalid("can't parse entities: unsupported start tag"));
    }
    Ok(TakenMessage { key: String::new(), action: "open", text: shown })
}

fn ntfy(request: &VendorRequest, secret: &str) -> Result<TakenMessage, VendorRefusal> {
    if request.header("authorization") != format!("Bearer {secret}") {
        return Err((401, json!({"code": 40101, "http": 401, "error": "unauthorized"})));
    }
    let invalid = |why: &str| (400, (of(VendorKind::Ntfy).invalid)(why));
    let said = request.json();
    let message = said["message"].as_str().filter(|it| it.len() <= 4096).ok_or_else(|| invalid("too long"))?;
    let priority = said["priority"].as_u64().filter(|it| (1..=5).contains(it));
    if said["topic"].as_str().is_none_or(str::is_empty) || priority.is_none() || said["markdown"] == true {
        return Err(invalid("invalid topic or priority"));
    }
    Ok(TakenMessage { key: String::new(), action: "open", text: format!("{} {message}", said["title"]) })
}
