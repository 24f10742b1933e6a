//! A toolbox over views that hold as much as a test wants, all of it about one incident.

use std::sync::Arc;

use hindcast_advice::memory::MemoryAdvice;
use hindcast_api::{Alert, AsOf, Causes, Change, Event, Finding, Incident, SimilarPage, TimelineEntry};
use hindcast_domain::{Severity, Span, Time, finding};
use hindcast_queries::Snapshots;
use hindcast_queries::memory::MemoryViews;
use hindcast_testkit as testkit;
use serde_json::json;

use crate::tools::Toolbox;

/// The position that is now.
pub(super) const NOW: u64 = 9_000;
pub(super) const ID: &str = "INC-7Q2K5M8N3P4R6S9T";

/// What was asked: of the views, and of advice.
pub(super) struct Behind {
    views: Arc<MemoryViews>,
    advice: Arc<MemoryAdvice>,
}

impl Behind {
    /// As of when each question was asked, but for those that have no time.
    pub(super) fn asked(&self) -> Vec<(&'static str, Option<AsOf>)> {
        let views = self.views.asked().into_iter().map(|question| (question.name(), question.as_of()));
        views.chain(self.advice.asked()).filter(|(name, _)| *name != "partition_of").collect()
    }
}

pub(super) fn start() -> Time {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A toolbox over `many` things of each kind.
pub(super) fn toolbox(many: usize, telemetry: Option<hindcast_telemetry::Shared>) -> (Toolbox, Behind) {
    let (views, advice) = (Arc::new(views(many)), Arc::new(advice()));
    let behind = Behind { views: views.clone(), advice: advice.clone() };
    let queries = Snapshots::from(views as hindcast_queries::Shared);
    (Toolbox { queries, advice, telemetry }, behind)
}

fn views(many: usize) -> MemoryViews {
    let views = MemoryViews::at(NOW);
    // The one that is asked about is put last, which is the newest.
    (1..many)
        .for_each(|n| views.put(0, Incident { started_at: start(), ..testkit::incident(&format!("INC-{n:016}")) }));
    views.put(0, Incident::opened(ID, ID, Severity::Critical, "production", start()));
    for n in 0..many {
        let (position, service) = (n as u64, if n.is_multiple_of(2) { "postgres" } else { "nginx" });
        let alert = testkit::alert(&format!("{n:020x}"), "PgDown");
        views.put(0, Alert { service: Some(service.into()), incident: Some(ID.into()), ..alert });
        let raised = testkit::raised(finding::Kind::NewTemplate, "postgres", start());
        views.put(0, Finding { ..testkit::finding(position, "FND-1", raised) });
        views.put(
            0,
            Change {
                event: format!("EVT-{n:016}"),
                position,
                environment: "production".into(),
                change: testkit::change("x", "postgres", start()),
            },
        );
        let event = Event { data: json!({"text": "y".repeat(5_000)}), ..testkit::event(position, "intake.alert", "s") };
        let text = format!("line {n} {}", "x".repeat(200));
        views.tell(ID, TimelineEntry { text, ..testkit::told(&event) });
        views.record(event);
    }
    let now = start() + Span::minutes(30);
    views.record(Event { recorded_at: now, ..testkit::event(NOW, "notice.delivered", "NTC-1") });
    views
}

fn advice() -> MemoryAdvice {
    let advice = MemoryAdvice::default();
    advice.put_causes(Causes {
        items: vec![],
        next: None,
        position: NOW,
        incident: ID.into(),
        unresolved: true,
        why_unresolved: None,
        refuted: vec![],
        blast_radius: hindcast_api::BlastRadius { hit: vec![], at_risk: vec![], unharmed: vec![] },
        risk: None,
        ranker: 1,
        behind: None,
    });
    advice.put_similar(SimilarPage {
        items: vec![],
        next: None,
        position: NOW,
        incident: ID.into(),
        never_seen: true,
        embedder: "hashing".into(),
        stand_in: true,
        behind: None,
    });
    advice
}
