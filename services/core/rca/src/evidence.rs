//! What is known of an incident as of a position.

use std::collections::BTreeMap;

use hindcast_api::{Alert, Change, Citation, Finding, Incident, TimelineEntry};
use hindcast_domain::catalog::{Catalog, Service, Topology};
use hindcast_domain::{Span, Time};
use serde::{Deserialize, Serialize};

/// How long before its first alert and after its last an incident may show in telemetry.
const AROUND: Span = Span::minutes(2);
/// What shows this shortly before an incident is its own, whatever else was just over.
const JUST_BEFORE: Span = Span::seconds(20);

/// Everything that a conclusion may rest on. Whoever gathers it has left out what was recorded later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The incident to be explained, with its members.
    pub incident: Incident,
    /// Its alerts, by when they began.
    pub symptoms: Vec<Symptom>,
    /// Changes of its environment within the hours before it and while it lasted, newest first.
    pub changes: Vec<Change>,
    /// Findings of its environment from a quarter of an hour before it until its end, by when they began.
    pub findings: Vec<Finding>,
    /// Its timeline, oldest first; cut at the limit.
    pub timeline: Vec<TimelineEntry>,
    /// Services whose telemetry or alerts were seen at all by then: of those that are silent no sign was seen.
    pub watched: Vec<String>,
    /// Services with an alert that fires as of then, of any incident or none.
    #[serde(default)]
    pub firing: Vec<String>,
    /// Services of other incidents of its environment that are open as of then.
    #[serde(default)]
    pub troubled: Vec<String>,
    /// Who calls whom, as spans around it showed: caller and callee.
    #[serde(default)]
    pub calls: Vec<(String, String)>,
    /// The position: nothing later is in it.
    pub position: u64,
    /// When that position was recorded.
    pub now: Time,
}

/// An alert of the incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Symptom {
    /// The alert as it stands.
    pub alert: Alert,
    /// The event by which it began to fire in this incident: `alert.fired`.
    pub fired: Citation,
    /// The event by which it became a member: `incident.opened` or `incident.alert_joined`.
    pub joined: Option<Citation>,
}

impl Evidence {
    /// The earliest sign: of alerts and incident.
    #[must_use]
    pub fn onset(&self) -> Time {
        let first = self.symptoms.iter().map(|symptom| symptom.alert.starts_at).min();
        first.map_or(self.incident.started_at, |first| first.min(self.incident.started_at))
    }

    /// The catalogue with the calls that spans showed beside those that it names.
    #[must_use]
    pub fn with_calls(&self, topology: &Topology) -> Topology {
        if self.calls.is_empty() {
            return topology.clone();
        }
        let mut services: BTreeMap<String, Service> =
            topology.services().map(|service| (service.name.clone(), service.clone())).collect();
        let one = |name: &String| topology.resolve(name).map_or_else(|| name.clone(), str::to_owned);
        for (caller, callee) in self.calls.iter().map(|(caller, callee)| (one(caller), one(callee))) {
            for name in [&caller, &callee] {
                services.entry(name.clone()).or_insert_with(|| Service::named(name));
            }
            if let Some(service) = services.get_mut(&caller).filter(|service| !service.depends_on.contains(&callee)) {
                service.depends_on.push(callee);
            }
        }
        Topology::new(&Catalog { services: services.into_values().collect() })
    }

    /// Leaves out findings that lie within the time of an earlier incident that was over when this one began, given
    /// as (from, to). Without this, what broke a quarter of an hour ago looks like the first sign of what broke now.
    pub fn leave_out(&mut self, earlier: &[(Time, Time)]) {
        let onset = self.onset();
        let over: Vec<(Time, Time)> = earlier
            .iter()
            .filter(|(from, to)| *from < onset && *to < onset + AROUND)
            .map(|(from, to)| (*from - AROUND, (*to).min(onset - JUST_BEFORE)))
            .collect();
        self.findings.retain(|finding| {
            let at = finding.finding.at;
            !over.iter().any(|(from, to)| *from <= at && at <= *to)
        });
    }
}
