//! An invented evening: one incident going on, one over, their alerts, and what people were told.

use std::collections::BTreeMap;

use hindcast_api::{
    Alert, Change, Event, Finding, Incident, Notice, Receipt, ReceiptStep, Silence, TimelineEntry, Why, WhyKeptOut,
    WhyMember,
};
use hindcast_domain::incident::Grouping;
use hindcast_domain::silence::{Kind, Matcher, Terms};
use hindcast_domain::{EventId, Severity, Time, alert, incident, notice, silence};
use hindcast_testkit as testkit;
use serde_json::json;

/// The link of a sample: shop depends on postgres.
pub(super) const LINK: &str = "LNK-6DW1F037K0N3A4PH";
pub(super) const OPEN: &str = "INC-3K7Q5M8N3P4R6S9T";
pub(super) const OVER: &str = "INC-1F2M0A1B2C3D4E5F";
pub(super) const OTHER: &str = "INC-9Z8Y7X6W5V4T3S2R";
pub(super) const EVIL: &str = "<script>alert(1)</script>";

pub(super) fn at(clock: &str) -> Time {
    format!("2026-11-20T{clock}Z").parse().unwrap()
}

pub(super) fn now() -> Time {
    at("02:47:30")
}

pub(super) fn event_id(name: &str) -> String {
    EventId::derive(&[name.as_bytes()]).to_string()
}

pub(super) fn fingerprint(n: u8) -> String {
    format!("{:020x}", 0x9f3c_0000_0000_u64 + u64::from(n))
}

pub(super) fn incident(id: &str, title: &str, severity: Severity, status: incident::Status) -> Incident {
    let over = status == incident::Status::Resolved;
    let acknowledged = status == incident::Status::Acknowledged;
    Incident {
        title: title.to_owned(),
        status,
        severity,
        peak_severity: severity,
        services: vec!["checkout".into(), "postgres".into(), "nginx".into()],
        teams: vec!["payments".into()],
        owner: acknowledged.then(|| "ada".to_owned()),
        started_at: at("02:41:07"),
        opened_at: at("02:41:44"),
        updated_at: at("02:46:10"),
        acknowledged_at: acknowledged.then(|| at("02:43:00")),
        acknowledged_by: acknowledged.then(|| "ada".to_owned()),
        resolved_at: over.then(|| at("02:46:10")),
        resolved_by: over.then(|| "quiet".into()),
        cause: over.then(|| "96 idle transactions held every connection".to_owned()),
        resolution: over.then(|| "closed them; pool limit lowered".to_owned()),
        alerts: 4,
        firing: if over { 0 } else { 3 },
        occurrences: 1_204,
        reopened: u64::from(over),
        environment: if id == OVER { "staging" } else { "production" }.to_owned(),
        recurrence_of: (id == OPEN).then(|| OVER.to_owned()),
        grouped_by: vec![1],
        revision: 7,
        url: format!("http://127.0.0.1:7171/{id}"),
        ..testkit::incident(id)
    }
}

pub(super) fn incidents() -> Vec<Incident> {
    use incident::Status::{Acknowledged, Open, Resolved};
    vec![
        incident(OPEN, "checkout fails because postgres has no free connection", Severity::Critical, Open),
        incident(OTHER, "search answers slowly in eu-west", Severity::High, Acknowledged),
        incident("INC-5555555555555555", "disk of backup-2 fills up", Severity::Medium, Open),
        incident(OVER, "PostgresTooManyConnections on shop", Severity::Critical, Resolved),
    ]
}

pub(super) fn alert(n: u8, name: &str, severity: Severity, status: alert::Status) -> Alert {
    let summary = "connections 100/100; new log line \"FATAL: sorry, too many clients already\"".to_owned();
    Alert {
        source_fingerprint: Some(format!("am-{n:04x}")),
        source: "alertmanager".into(),
        service: Some(["postgres", "api", "nginx", "redis"][usize::from(n) % 4].to_owned()),
        status,
        severity,
        labels: BTreeMap::from([
            ("alertname".into(), name.to_owned()),
            ("instance".into(), "pg-1:9187".into()),
            ("severity".into(), "page".into()),
        ]),
        annotations: BTreeMap::from([("summary".into(), summary)]),
        starts_at: at("02:41:07"),
        ends_at: (status == alert::Status::Resolved).then(|| at("02:46:00")),
        first_seen_at: at("02:41:44"),
        last_seen_at: at("02:46:10"),
        occurrences: 301,
        incident: Some(OPEN.to_owned()),
        suppressed_by: (n == 3).then(|| "SIL-7Q2K5M8N3P4R6S9T".to_owned()),
        suppressed_until: (n == 3).then(|| at("04:00:00")),
        url: Some("http://prometheus:9090/graph".into()),
        revision: 3,
        receipt: format!("/api/v1/alerts/{}/receipt", fingerprint(n)),
        ..testkit::alert(&fingerprint(n), name)
    }
}

pub(super) fn alerts() -> Vec<Alert> {
    use alert::Status::{Firing, Resolved};
    vec![
        alert(0, "PostgresTooManyConnections", Severity::Critical, Firing),
        alert(1, EVIL, Severity::High, Firing),
        alert(2, "NginxHighErrorRate", Severity::Critical, Firing),
        alert(3, "RedisClockSkew", Severity::Low, Resolved),
    ]
}

fn entry(clock: &str, kind: &str, text: &str, actor: &str, position: u64) -> TimelineEntry {
    TimelineEntry {
        time: at(clock),
        text: text.to_owned(),
        event_type: kind.to_owned(),
        actor: actor.to_owned(),
        event: event_id(&position.to_string()),
        position,
        subject: if kind.starts_with("alert.") { fingerprint(0) } else { OPEN.to_owned() },
    }
}

pub(super) fn timeline() -> Vec<TimelineEntry> {
    let system = "system";
    vec![
        entry("02:41:44", "alert.fired", "postgres: PostgresTooManyConnections fires", system, 36_093_953),
        entry("02:41:44", "incident.opened", "opened with postgres: PostgresTooManyConnections", system, 36_093_954),
        entry("02:41:45", "notice.requested", "a page to webhook: an incident began", system, 36_093_960),
        entry("02:41:46", "notice.delivered", "webhook took it (HTTP 200)", system, 36_094_977),
        entry("02:42:03", "incident.alert_joined", "api: HighErrorRate joined, 0.91 of 0.50", system, 36_094_981),
        entry("02:43:00", "incident.acknowledged", "acknowledged by ada", "ada", 36_095_100),
        entry("02:44:12", "incident.noted", "killing idle transactions", "ada", 36_095_200),
        entry("02:45:30", "incident.merged", "INC-5555 became a part of it (1 alert)", "ada", 36_095_300),
        entry("02:46:00", "alert.resolved", "redis: RedisClockSkew is over", system, 36_095_400),
        entry("02:46:10", "incident.snoozed", "pages wait until 03:10", "grace", 36_095_500),
    ]
}

pub(super) fn why() -> Why {
    let member = |n: u8, name: &str, text: &str, grouping: Option<Grouping>| WhyMember {
        fingerprint: fingerprint(n),
        name: name.to_owned(),
        clock: None,
        service: Some(["postgres", "api", "nginx", "redis"][usize::from(n) % 4].to_owned()),
        text: text.to_owned(),
        grouping,
        event: event_id("joined"),
        position: 36_094_981,
    };
    let grouping = |rule: &str, score: i32| Grouping {
        rule: rule.into(),
        weights: 1,
        score,
        threshold: 500,
        parts: BTreeMap::from([("time".into(), 1_300), ("topology".into(), 2_100), ("text".into(), -400)]),
        like: None,
        considered: Vec::new(),
    };
    let out = WhyKeptOut {
        fingerprint: fingerprint(3),
        name: "RedisClockSkew".into(),
        score: 0.11,
        text: "no path between redis and postgres, other words".into(),
        incident: Some(OTHER.into()),
        event: event_id("out"),
        position: 36_095_001,
    };
    Why {
        incident: OPEN.into(),
        members: vec![
            member(0, "PostgresTooManyConnections", "it began with this one", Some(grouping("first", 0))),
            member(1, EVIL, "postgres is called by api; 19 s after it", Some(grouping("score", 914))),
            member(2, "NginxHighErrorRate", "nginx calls api; 37 s after it", Some(grouping("score", 731))),
        ],
        kept_out: vec![out],
        position: 36_095_500,
    }
}

pub(super) fn change() -> Change {
    Change {
        event: event_id("change"),
        position: 36_090_001,
        environment: "production".into(),
        change: hindcast_domain::event::Change {
            source: "github".into(),
            kind: "deploy".into(),
            title: "api rolled out".into(),
            service: Some("api".into()),
            version: Some("v42".into()),
            status: Some("succeeded".into()),
            at: at("02:38:00"),
            author: Some("linus".into()),
            url: None,
            source_id: None,
        },
    }
}

pub(super) fn notice(status: notice::Status, why: Option<&str>) -> Notice {
    Notice {
        status,
        receiver: Some("webhook".into()),
        incident: Some(OPEN.into()),
        severity: Severity::Critical,
        title: "checkout fails because postgres has no free connection".into(),
        why: why.map(Into::into),
        until: at("03:10:00"),
        at: at("02:41:45"),
        delivered_at: (status == notice::Status::Delivered).then(|| at("02:41:46")),
        attempts: 1,
        event: event_id("notice"),
        position: 36_093_960,
        ..testkit::notice("NTC-7Q2K5M8N3P4R6S9T")
    }
}

pub(super) fn silence(state: silence::SilenceState) -> Silence {
    Silence {
        id: "SIL-7Q2K5M8N3P4R6S9T".into(),
        state,
        terms: Terms {
            matchers: vec![Matcher::equal("service", "redis"), Matcher::new("severity", "low|medium", true, true)],
            starts_at: at("02:00:00"),
            ends_at: at("04:00:00"),
            created_by: "grace".into(),
            comment: "clock drift is known, the new NTP pool comes tonight".into(),
            kind: Kind::Maintenance,
            environment: Some("production".into()),
            repeats: None,
        },
        created_at: at("01:58:00"),
        updated_at: at("02:00:00"),
        ended: (state == silence::SilenceState::Expired).then(|| "elapsed".into()),
        event: event_id("silence"),
        revision: 2,
        holds: None,
        matched: None,
    }
}

pub(super) fn receipt(alert: Alert) -> Receipt {
    let step = |clock: &str, stage: &str, text: &str, position: u64, detail: serde_json::Value| ReceiptStep {
        time: at(clock),
        stage: stage.into(),
        text: text.to_owned(),
        event: event_id(&position.to_string()),
        position,
        detail,
    };
    let null = serde_json::Value::Null;
    Receipt {
        alert,
        steps: vec![
            step(
                "02:41:44",
                "received",
                "received from alertmanager, without a credential; durable",
                36_093_952,
                null.clone(),
            ),
            step(
                "02:41:44",
                "normalised",
                "by table alertmanager v1; nothing was left unmapped",
                36_093_953,
                json!({"normaliser": 1, "unmapped": []}),
            ),
            step("02:41:44", "deduplicated", "not seen before: the first occurrence", 36_093_953, null.clone()),
            step(
                "02:41:44",
                "grouped",
                "opened INC-3K7Q: nothing that goes on is like it",
                36_093_954,
                json!({"rule": "first", "weights": 1}),
            ),
            step(
                "02:41:45",
                "kept_out",
                "not grouped with INC-9Z8Y (0.11 < 0.50: no label in common)",
                36_093_954,
                null.clone(),
            ),
            step("02:41:45", "notified", "a page to webhook", 36_093_960, null.clone()),
            step("02:41:46", "delivered", "webhook took it (HTTP 200) after 1 s", 36_094_977, null),
        ],
        accounted: "paged".into(),
        until: None,
        omitted: 297,
        position: 36_095_500,
    }
}

/// A link that is proposed.
pub(super) fn proposed(position: u64) -> Event {
    let sample = "<script>alert(1)</script> postgres:5432 refused";
    let sighting = json!({"source": "addresses", "count": 3, "confidence": 600, "sample": sample});
    let link = json!({"kind": "depends_on", "from": "shop", "to": "postgres"});
    let data = json!({"link": link, "sightings": [sighting], "confidence": 600});
    Event { data, ..event(position, "topology.proposed", LINK) }
}

pub(super) fn event(position: u64, kind: &str, subject: &str) -> Event {
    Event {
        id: event_id(&position.to_string()),
        time: at("02:45:30"),
        recorded_at: at("02:45:30"),
        revision: Some(6),
        actor: "ada".into(),
        causation_id: Some(event_id("cause")),
        source: "lane.default.production.correlator".into(),
        data: json!({"incident": OTHER, "fingerprints": [fingerprint(3)], "note": EVIL}),
        ..testkit::event(position, kind, subject)
    }
}

pub(super) fn findings() -> Vec<Finding> {
    use hindcast_domain::finding::{Kind, Raised, Template};
    let raised = |kind, service: &str, title: &str, clock: &str, before, after| Raised {
        title: title.to_owned(),
        until: at("02:46:00"),
        before,
        after,
        count: 1_204,
        score: 930,
        ..testkit::raised(kind, service, at(clock))
    };
    let finding = |n: u64, finding| Finding {
        event: event_id(&format!("finding {n}")),
        recorded_at: at("02:41:40"),
        ..testkit::finding(36_093_900 + n, &format!("FND-{n:016}"), finding)
    };
    let text = format!("FATAL: sorry, too many clients already {EVIL}");
    let template = Template { id: "t1".into(), version: 1, text: text.clone(), sample: text };
    let line = raised(
        Kind::NewTemplate,
        "postgres",
        "never written before: \"FATAL: sorry, too many clients already\"",
        "02:41:07",
        0.0,
        1_204.0,
    );
    vec![
        finding(1, Raised { template: Some(template), level: Some("error".into()), ..line }),
        finding(2, raised(Kind::MetricShift, "api", "http_errors_ratio rises", "02:41:19", 0.002, 0.38)),
    ]
}

pub(super) fn report() -> hindcast_api::Report {
    use hindcast_api::{Duration, Report, ReportRow};
    let mttd = Duration { mean_s: Some(150.0), median_s: Some(120.0), p90_s: Some(300.0), sample: 4 };
    let counts = ReportRow { firings: 8, paged: 1, noise_removed: Some(875), mttd, ..ReportRow::default() };
    let total = ReportRow { missed: 2, declared: 1, came_back: 1, closed: 4, with_cause: 3, ..counts };
    let services = [EVIL, "=cmd()"].map(|name| (name.to_owned(), ReportRow::default())).into();
    Report { total, services, ..Report::default() }
}

pub(super) fn chats() -> hindcast_api::Chats {
    use hindcast_api::{ChatStatus, ChatWaiting, Chats};
    let waiting = ChatWaiting {
        message: "MSG-1".into(),
        what: "card".into(),
        channel: EVIL.into(),
        since: at("02:41:00"),
        attempts: 3,
        error: Some(format!("503 {EVIL}")),
        url: Some("http://127.0.0.1:7171/INC-7Q2K".into()),
    };
    let slack = ChatStatus {
        vendor: "slack".into(),
        active: true,
        queued: 7,
        oldest_s: 185,
        last_error: Some(format!("503 {EVIL}")),
        cards: 12,
        waiting: vec![waiting],
        ..ChatStatus::default()
    };
    Chats { set_up: true, caught_up: true, items: vec![slack] }
}
