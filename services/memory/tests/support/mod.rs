//! A past made by hand: incidents with their versions, events and findings, each known from its position on.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)] // each test uses a part

pub mod store;

use std::sync::Arc;

use hindcast_api::{Alert, Event, Incident, Why, WhyMember};
use hindcast_domain::finding::{Kind, Raised, Template};
use hindcast_domain::{IncidentId, Severity, Time, incident};
use hindcast_queries::memory::MemoryViews;
use hindcast_testkit as testkit;
use serde_json::{Value, json};

/// Everything that was ever recorded.
#[derive(Default)]
pub struct Past {
    pub views: Arc<MemoryViews>,
}

pub fn id(name: &str) -> IncidentId {
    IncidentId::derive(&[name.as_bytes()])
}

fn at(position: u64) -> Time {
    Time::from_millis(i64::try_from(position).unwrap() * 1_000)
}

pub fn event(position: u64, event_type: &str, subject: &str, data: Value) -> Event {
    Event { time: at(position), recorded_at: at(position), data, ..testkit::event(position, event_type, subject) }
}

impl Past {
    /// Makes everything up to here visible.
    pub fn reach(&self, position: u64) {
        self.views.reach(position);
    }

    fn change(&self, name: &str, position: u64, change: impl FnOnce(&mut Incident)) {
        self.views.change(position, id(name).as_str(), |incident: &mut Incident| {
            incident.revision += 1;
            change(incident);
        });
    }

    fn tell(&self, position: u64, event_type: &str, name: &str, data: Value) {
        let id = id(name).to_string();
        let event = event(position, event_type, &id, data);
        self.views.tell(&id, testkit::told(&event));
        self.views.record(event);
    }

    /// It begins with an alert.
    pub fn open(&self, name: &str, position: u64, alert: &str, service: &str) {
        let id = id(name).to_string();
        let opened = Incident::opened(&id, name, Severity::High, "production", at(position));
        self.views.put(position, Incident { services: vec![service.to_owned()], ..opened });
        self.views.put(position, Why { incident: id, members: Vec::new(), kept_out: Vec::new(), position });
        self.alert(name, position, alert, service);
        self.tell(position, "incident.opened", name, json!({"title": name}));
    }

    /// Another alert joins.
    pub fn join(&self, name: &str, position: u64, alert: &str, service: &str) {
        self.change(name, position, |incident| incident.alerts += 1);
        self.alert(name, position, alert, service);
        self.tell(position, "incident.alert_joined", name, json!({}));
    }

    pub fn resolve(&self, name: &str, position: u64, resolution: &str) {
        self.change(name, position, |incident| {
            incident.status = incident::Status::Resolved;
            incident.resolved_at = Some(at(position));
            incident.resolution = Some(resolution.to_owned());
        });
        self.tell(position, "incident.resolved", name, json!({"by": "person"}));
    }

    pub fn merge(&self, into: &str, other: &str, position: u64) {
        self.change(into, position, |incident| incident.merged_from.push(id(other).to_string()));
        self.change(other, position, |incident| incident.merged_into = Some(id(into).to_string()));
        self.tell(position, "incident.merged", into, json!({"incident": id(other).to_string(), "fingerprints": []}));
    }

    /// Something that concerns nobody here.
    pub fn noise(&self, position: u64) {
        self.views.record(event(position, "alert.repeated", "f00d", json!({})));
    }

    pub fn find(&self, position: u64, service: &str, template: &str) {
        let id = format!("FND-{position}");
        let raised = Raised {
            title: template.to_owned(),
            template: Some(Template {
                id: format!("TPL-{position}"),
                version: 1,
                text: template.to_owned(),
                sample: template.to_owned(),
            }),
            after: 9.0,
            count: 9,
            level: Some("error".into()),
            ..testkit::raised(Kind::NewTemplate, service, at(position))
        };
        self.views.record(event(position, "finding.raised", &id, serde_json::to_value(&raised).unwrap()));
        self.views.put(position, testkit::finding(position, &id, raised));
    }

    fn alert(&self, name: &str, position: u64, alert: &str, service: &str) {
        let (id, fingerprint) = (id(name).to_string(), format!("{position:020x}"));
        let fired = Alert::fired(&fingerprint, alert, Severity::High, "production", at(position));
        self.views.put(position, Alert { service: Some(service.to_owned()), incident: Some(id.clone()), ..fired });
        let member = WhyMember {
            fingerprint,
            name: alert.to_owned(),
            clock: None,
            service: Some(service.to_owned()),
            text: String::new(),
            grouping: None,
            event: testkit::event(position, "", "").id,
            position,
        };
        self.views.change(position, &id, |why: &mut Why| why.members.push(member));
    }
}
