//! The rhythms of senders as the ledger of this process has them, now or as of a position. Owns how the ledger is read
//! for it; what a rhythm is, the domain says, and what follows from a silence, the correlator decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_api::{HeartbeatStatus, Page, SenderHeartbeat};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::rhythm::{Rhythm, RhythmKey, Rhythms};
use hindcast_domain::{Fingerprint, IncidentId, Partition, Time, events};
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::read;
use hindcast_ledger::{ReadError, Seq, Shared, commit};
use tokio::sync::Mutex;

/// Up to where is read.
#[derive(Clone, Copy)]
pub enum HeartbeatMoment {
    /// All that is recorded.
    Now,
    /// Up to a position.
    Position(u64),
    /// What was recorded by then.
    Time(Time),
}

/// What was read so far, so that the next question reads on from there.
#[derive(Clone, Default)]
pub struct Heartbeats(Arc<Mutex<HeartbeatBoard>>);

impl Heartbeats {
    /// Senders and watchdogs by name, with their rhythms.
    ///
    /// # Errors
    /// When the ledger cannot be read or is damaged.
    pub async fn list(&self, ledger: &Shared, moment: HeartbeatMoment) -> Result<Page<SenderHeartbeat>, ReadError> {
        if let HeartbeatMoment::Now = moment {
            let mut board = self.0.lock().await;
            board.read(ledger, moment).await?;
            return Ok(board.page());
        }
        let mut board = HeartbeatBoard::default();
        board.read(ledger, moment).await?;
        Ok(board.page())
    }
}

#[derive(Default)]
struct HeartbeatBoard {
    partitions: BTreeMap<Partition, Rhythms>,
    /// Alerts that say that somebody is silent, each with its incident.
    silent: BTreeMap<Fingerprint, Option<IncidentId>>,
    /// Names of alerts that fire as long as their sender is well.
    watchdogs: Vec<String>,
    through: Seq,
    position: u64,
}

impl HeartbeatBoard {
    async fn read(&mut self, ledger: &Shared, moment: HeartbeatMoment) -> Result<(), ReadError> {
        let head = ledger.head().await?;
        let last = match moment {
            HeartbeatMoment::Position(position) => commit::seq_of(position).min(head),
            HeartbeatMoment::Now | HeartbeatMoment::Time(_) => head,
        };
        if self.through == 0 {
            self.watchdogs = hindcast_correlator::rules::HeartbeatRules::default().watchdogs;
        }
        let mut feed = OrderedFeed::start(Shared::clone(ledger), self.through + 1);
        while self.through < last {
            for record in feed.next().await? {
                if record.seq > last {
                    return Ok(());
                }
                for event in &read::decoded(&record)?.events {
                    let is_later = match moment {
                        HeartbeatMoment::Now => false,
                        HeartbeatMoment::Position(position) => event.position > position,
                        HeartbeatMoment::Time(time) => event.time > time,
                    };
                    if is_later {
                        return Ok(());
                    }
                    self.take(event);
                }
                self.through = record.seq;
            }
        }
        Ok(())
    }

    fn take(&mut self, event: &Recorded) {
        self.position = event.position;
        match &event.event {
            Event::Observed(_) | Event::Repeats(_) | Event::Delivery(_) | Event::DoorOpened(_) => {
                let rhythms = self.partitions.entry(event.partition.clone()).or_default();
                rhythms.see(event, &self.watchdogs);
            }
            Event::Configured(configured) if configured.section == hindcast_correlator::rules::SECTION => {
                let rules = serde_json::from_value(configured.content.clone());
                self.watchdogs = rules.map_or_else(|_| std::mem::take(&mut self.watchdogs), watchdogs);
            }
            Event::AlertFired(fired) if RhythmKey::of(&fired.source, &fired.name, &fired.labels).is_some() => {
                self.silent.extend(event.subject.parse().ok().map(|fingerprint| (fingerprint, None)));
            }
            Event::AlertResolved(_) | Event::AlertStale(_) if !self.silent.is_empty() => {
                if let Ok(fingerprint) = event.subject.parse::<Fingerprint>() {
                    self.silent.remove(&fingerprint);
                }
            }
            Event::IncidentOpened(opened) => self.placed(&opened.fingerprint, &event.subject),
            Event::IncidentAlertJoined(joined) => self.placed(&joined.fingerprint, &event.subject),
            Event::IncidentReopened(reopened) => {
                if let Some(fingerprint) = &reopened.fingerprint {
                    self.placed(fingerprint, &event.subject);
                }
            }
            Event::Change(_)
            | Event::Command(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | Event::IncidentResolved(_)
            | events! { finding, conversation, proposal, label, model, chat, alert, lineage, care, silence, control, notice } =>
                {}
        }
    }

    fn placed(&mut self, fingerprint: &Fingerprint, incident: &str) {
        if let Some(known) = self.silent.get_mut(fingerprint) {
            *known = incident.parse().ok();
        }
    }

    fn page(&self) -> Page<SenderHeartbeat> {
        let of = |(partition, rhythms): (&Partition, &Rhythms)| {
            rhythms.iter().map(|(key, rhythm)| self.item(partition, rhythms, key, rhythm)).collect::<Vec<_>>()
        };
        let items = self.partitions.iter().filter(|(partition, _)| !partition.is_whole()).flat_map(of).collect();
        Page { items, next: None, position: self.position }
    }

    fn item(&self, partition: &Partition, rhythms: &Rhythms, key: &RhythmKey, rhythm: &Rhythm) -> SenderHeartbeat {
        let silent = self.silent.get(&key.alert(partition));
        let silent_at = rhythms.deadline(key).filter(|_| silent.is_none());
        let status = match (silent, rhythm.interval(), silent_at) {
            (Some(_), _, _) => HeartbeatStatus::Silent,
            (None, None, _) => HeartbeatStatus::Irregular,
            (None, Some(_), None) => HeartbeatStatus::Idle,
            (None, Some(_), Some(_)) => HeartbeatStatus::Regular,
        };
        SenderHeartbeat {
            source: key.source.clone(),
            watchdog: rhythm.alert.clone(),
            fingerprint: key.watchdog.clone(),
            environment: partition.environment.clone(),
            status,
            interval_s: rhythm.interval().and_then(|interval| u64::try_from((interval.as_millis() + 500) / 1_000).ok()),
            samples: rhythm.samples(),
            firing: rhythm.firing(),
            last_heard_at: rhythm.heard_at,
            silent_at,
            incident: silent.cloned().flatten(),
        }
    }
}

fn watchdogs(rules: hindcast_correlator::CorrelationRules) -> Vec<String> {
    rules.heartbeats.watchdogs
}
