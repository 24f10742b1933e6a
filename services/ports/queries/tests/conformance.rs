//! Views in memory answer as all views do.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_api::{Alert, Event, Incident, Parked, Silence};
use hindcast_domain::silence::{Kind, Matcher, SilenceState, Terms};
use hindcast_domain::{EventId, IncidentId, Severity, Span};
use hindcast_queries::conformance::{FilledViews, FilledViewsFactory};
use hindcast_queries::memory::MemoryViews;
use hindcast_queries::{Shared, conformance_suite};
use hindcast_testkit as testkit;
use serde_json::Value;

struct Memory;

struct Filled {
    views: Arc<MemoryViews>,
    made: u64,
}

impl Filled {
    /// An incident opens with one alert.
    fn open(&mut self) {
        self.made += 1;
        let (n, position) = (self.made, self.made * 4_096);
        let now = testkit::start() + Span::minutes(i64::try_from(n).unwrap());
        let id = IncidentId::derive(&[&n.to_be_bytes()]).to_string();
        let (service, name) = (format!("svc-{n}"), format!("Rule{}", n % 2));
        let environment = if n % 3 == 0 { "staging" } else { "production" };
        let severity = if n % 2 == 0 { Severity::Low } else { Severity::Critical };
        let event = |at: u64, kind: &str, subject: &str| Event {
            time: now,
            recorded_at: now,
            environment: environment.to_owned(),
            ..testkit::event(at, kind, subject)
        };
        let fingerprint = format!("{n:04x}{n:016x}");
        self.views.record(event(position, "alert.fired", &fingerprint));
        self.views.record(event(position + 1, "incident.opened", &id));
        let opened = Incident::opened(&id, &format!("{name} on {service}"), severity, environment, now);
        self.views.put(position + 1, Incident { services: vec![service.clone()], ..opened });
        let alert = Alert {
            source_fingerprint: Some(format!("sent-{n}")),
            service: Some(service),
            labels: [("n".to_owned(), n.to_string())].into(),
            incident: Some(id.clone()),
            ..Alert::fired(&fingerprint, &name, severity, environment, now)
        };
        self.views.put(position, alert);
        self.views.reach(position + 1);
    }
}

#[async_trait]
impl FilledViewsFactory for Memory {
    async fn site(&self) -> Box<dyn FilledViews> {
        let mut site = Filled { views: Arc::default(), made: 0 };
        for _ in 0..4 {
            site.open();
        }
        let (now, position) = (testkit::start(), 4_096);
        for n in 1..=3_u8 {
            let event = EventId::derive(&[b"other", &[n]]).to_string();
            let terms = Terms {
                matchers: vec![Matcher::equal("n", "1")],
                starts_at: now,
                ends_at: now + Span::hours(1),
                created_by: "ada".to_owned(),
                comment: String::new(),
                kind: Kind::Silence,
                environment: None,
                repeats: None,
            };
            site.views.put(
                position,
                Silence {
                    id: format!("SIL-{n:016}"),
                    state: SilenceState::Active,
                    terms,
                    created_at: now,
                    updated_at: now,
                    ended: None,
                    event: event.clone(),
                    revision: 1,
                    holds: None,
                    matched: None,
                },
            );
            site.views.put(position, testkit::notice(&format!("NTC-{n:016}")));
            site.views.put(
                position,
                Parked {
                    id: event,
                    status: if n == 1 { "parked" } else { "retried" }.into(),
                    source: "prometheus".to_owned(),
                    format: "alertmanager".to_owned(),
                    code: "invalid".into(),
                    detail: String::new(),
                    remedy: String::new(),
                    at: now,
                    payload: Value::Null,
                    position,
                },
            );
        }
        Box::new(site)
    }
}

#[async_trait]
impl FilledViews for Filled {
    fn views(&self) -> Shared {
        self.views.clone()
    }

    async fn grow(&mut self) {
        self.open();
    }
}

conformance_suite!(Memory);
