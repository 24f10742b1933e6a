//! `lab alerts`: which incident each alert of a file opens or joins, by the decider that the correlator runs, over a
//! ledger in memory and at the alerts' own times. Owns the step of that clock; refuses to know what is grouped.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, ensure};
use hindcast_correlator::{Correlator, CorrelatorState};
use hindcast_domain::alert::{Labels, Observation, Signal};
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::Configured;
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::lane::Decider as _;
use hindcast_domain::yaml;
use hindcast_domain::{EventId, Fingerprint, Partition, Severity, Span, Time};
use hindcast_entities::{EntityRules, LabelledAlert};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::input;

/// How long an alert of which nothing more is heard fires on. Each line of the file is an alert of its own that nobody
/// sends again, so this is what an Alertmanager waits for the next word.
const STALE_AFTER: Span = Span::minutes(5);
/// How long after the last line what was decided may still be decided otherwise.
const AFTER: Span = Span::minutes(5);

/// An alert as it stands in the file.
#[derive(Debug, Deserialize)]
struct LabAlert {
    id: String,
    time: Time,
    name: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct LabPlacement<'a> {
    alert: &'a str,
    incident: Option<&'a str>,
}

/// Writes `{"alert":id,"incident":id or null}` for each alert, in their order: the incident that it belongs to in the
/// end, after merges and splits, and null where it was suppressed as usual.
///
/// # Errors
/// When the file or the catalogue cannot be read, alerts are not in the order of time, or the answer cannot be written.
pub fn run(file: &Path, catalog: Option<&Path>, out: &mut impl Write) -> anyhow::Result<()> {
    let alerts: Vec<LabAlert> = input::ndjson(file)?;
    let mut lane = LabLane::default();
    if let Some(catalog) = catalog {
        let text = std::fs::read_to_string(catalog).with_context(|| format!("cannot read {}", catalog.display()))?;
        let catalog: Catalog = yaml::read(&text).with_context(|| catalog.display().to_string())?;
        catalog.check()?;
        lane.configure("catalog", serde_json::to_value(&catalog)?);
    }
    let mut placed = Vec::with_capacity(alerts.len());
    for alert in &alerts {
        ensure!(
            alert.time >= lane.now,
            "expected alerts in the order of time, {:?} at {} comes after {}\nremedy: sort the file by time",
            alert.id,
            alert.time,
            lane.now
        );
        placed.push(lane.take(alert));
    }
    lane.pass(lane.now + AFTER);
    for (alert, fingerprint) in alerts.iter().zip(placed) {
        let incident = lane.incident(&fingerprint);
        serde_json::to_writer(&mut *out, &LabPlacement { alert: &alert.id, incident: incident.as_deref() })?;
        writeln!(out)?;
    }
    Ok(())
}

/// A lane in memory.
struct LabLane {
    partition: Partition,
    state: CorrelatorState,
    now: Time,
    inputs: u64,
    decisions: u64,
}

impl Default for LabLane {
    fn default() -> Self {
        let partition = Partition::of_environment("lab");
        Self { partition, state: CorrelatorState::default(), now: Time::ZERO, inputs: 0, decisions: 0 }
    }
}

impl LabLane {
    /// Takes in a section of configuration.
    fn configure(&mut self, section: &str, content: serde_json::Value) {
        let configured = Configured { section: section.into(), hash: String::new(), content };
        let input = Recorded {
            id: EventId::derive(&[b"lab", section.as_bytes()]),
            position: 0,
            partition: self.partition.clone(),
            subject: section.to_owned(),
            revision: None,
            time: Time::ZERO,
            actor: "lab".to_owned(),
            cause: None,
            event: Event::Configured(configured),
        };
        Correlator.seen(&mut self.state, &input);
    }

    /// The incident that an alert belongs to now.
    fn incident(&self, fingerprint: &Fingerprint) -> Option<String> {
        let incident = self.state.book.alerts.get(fingerprint)?.incident.as_ref()?;
        self.state.book.home(incident).map(|home| home.id.to_string())
    }

    /// Decides about one alert, the timers before it first; says which it is.
    fn take(&mut self, alert: &LabAlert) -> Fingerprint {
        let observation = observation(alert);
        let fingerprint = observation.fingerprint.clone();
        self.inputs += 1;
        let id = EventId::derive(&[b"lab", &self.inputs.to_be_bytes()]);
        let input = Recorded {
            id: id.clone(),
            position: self.inputs * 4_096,
            partition: self.partition.clone(),
            subject: fingerprint.to_string(),
            revision: None,
            time: alert.time,
            actor: "lab".to_owned(),
            cause: None,
            event: Event::Observed(observation),
        };
        self.pass(alert.time);
        self.now = self.now.max(alert.time);
        let drafts = Correlator.decide(&self.state, &self.partition, &input, self.now);
        self.adopt(drafts, Some(&id));
        Correlator.seen(&mut self.state, &input);
        fingerprint
    }

    /// Lets time pass: each timer that is due fires at its own time.
    fn pass(&mut self, until: Time) {
        while let Some(timer) = Correlator.due(&self.state).filter(|timer| timer.due <= until) {
            let drafts = Correlator.fire(&self.state, &self.partition, &timer);
            self.now = self.now.max(timer.due);
            if drafts.is_empty() {
                // A timer that decides nothing would be due for ever.
                tracing::warn!(timer = timer.id, "a timer decided nothing");
                return;
            }
            self.adopt(drafts, None);
        }
    }

    fn adopt(&mut self, drafts: Vec<Draft>, cause: Option<&EventId>) {
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for draft in drafts {
            let next = Correlator.revision(&self.state, &draft.subject) + 1;
            let revision = *revisions.entry(draft.subject.clone()).or_insert(next);
            self.decisions += 1;
            let decided = Recorded {
                id: EventId::derive(&[b"lab decision", &self.decisions.to_be_bytes()]),
                position: self.inputs * 4_096,
                partition: self.partition.clone(),
                subject: draft.subject,
                revision: Some(revision),
                time: self.now,
                actor: draft.actor,
                cause: cause.cloned(),
                event: draft.event,
            };
            Correlator.evolve(&mut self.state, &decided);
        }
    }
}

/// The alert as the door would take it in.
fn observation(alert: &LabAlert) -> Observation {
    let mut labels = Labels::from(alert.labels.clone());
    labels.entry("alertname".to_owned()).or_insert_with(|| alert.name.clone());
    let resolved = EntityRules::shipped().resolve(&LabelledAlert { name: &alert.name, labels: &labels });
    Observation {
        fingerprint: fingerprint(alert),
        source_fingerprint: None,
        source: alert.source.clone(),
        replica_of: None,
        name: alert.name.clone(),
        service: alert.service.clone().or(resolved.service),
        about: Some(resolved.about.into()),
        severity: alert.severity.as_deref().and_then(severity).unwrap_or(Severity::Medium),
        signal: Signal::Firing,
        labels,
        annotations: alert.annotations.clone().into(),
        starts_at: Some(alert.time),
        ends_at: None,
        stale_after: STALE_AFTER,
        url: None,
        unmapped: Vec::new(),
    }
}

/// Which it is: each line is an alert of its own.
fn fingerprint(alert: &LabAlert) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in [alert.source.as_str(), alert.name.as_str(), alert.id.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    Fingerprint::from_mac(&hash.finalize().into())
}

fn severity(word: &str) -> Option<Severity> {
    Some(match word.to_lowercase().as_str() {
        "critical" | "fatal" | "emergency" | "page" => Severity::Critical,
        "high" | "error" | "major" => Severity::High,
        "medium" | "warning" | "warn" | "minor" => Severity::Medium,
        "low" => Severity::Low,
        "info" | "information" | "informational" | "debug" => Severity::Info,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(lines: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("alerts.ndjson");
        std::fs::write(&file, lines)?;
        let mut out = Vec::new();
        run(&file, None, &mut out)?;
        String::from_utf8(out)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    #[test]
    fn what_belongs_together_joins_and_what_does_not_stands_alone() -> anyhow::Result<()> {
        let alert = |id: &str, time: &str, name: &str, service: &str, severity: &str| {
            format!(
                "{{\"id\":{id:?},\"time\":\"2026-11-24T{time}Z\",\"name\":{name:?},\"source\":\"prom\",\
                 \"severity\":{severity:?},\"labels\":{{\"service\":{service:?}}}}}\n"
            )
        };
        let lines = [
            alert("a", "12:00:00", "PgDown", "postgres", "critical"),
            alert("b", "12:00:20", "PgSlow", "postgres", "high"),
            alert("c", "18:00:00", "CertExpires", "edge", "low"),
            alert("d", "21:00:00", "Chatter", "printer", "info"),
        ];
        let all = placed(&lines.concat())?;
        assert_eq!(all[0]["incident"], all[1]["incident"], "{all:?}");
        assert_ne!(all[0]["incident"], all[2]["incident"], "{all:?}");
        assert!(all[0]["incident"].is_string() && all[3]["incident"].is_null(), "{all:?}");
        let disordered = [lines[1].clone(), lines[0].clone()].concat();
        assert!(placed(&disordered).is_err_and(|error| error.to_string().contains("order of time")));
        Ok(())
    }
}
