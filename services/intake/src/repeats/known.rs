//! What is known of each alert that fires: the messages that say no more than that, and whether anything about it is
//! undecided. Pure; refuses to know where messages go.

use std::collections::HashMap;

use hindcast_domain::alert::{Observation, Repeat, Repeated, Signal};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Time, events};
use sha2::{Digest, Sha256};

/// A message by its content, without how long its sender may be silent.
pub(crate) type MessageHash = [u8; 16];

/// Messages of one alert that are known to say nothing new: a pair of replicas says the same with two start times.
const SAID_MAX: usize = 2;

/// An alert that fires, as far as it is known.
#[derive(Debug, Default)]
struct KnownAlert {
    /// Messages that change nothing, newest first.
    said: [Option<MessageHash>; SAID_MAX],
    /// The newest message that is not decided.
    pending: Option<PendingMessage>,
    /// Messages that were written here and not read back.
    unread: u32,
    home: KnownHome,
    /// When its sender's silence becomes a fact.
    stale_at: Time,
    /// The sender that fired it first, where that is known.
    sender: Option<String>,
}

#[derive(Debug)]
struct PendingMessage {
    id: EventId,
    hash: MessageHash,
    stale_at: Time,
}

/// The incident that an alert belongs to.
#[derive(Debug, Default, PartialEq, Eq)]
enum KnownHome {
    /// None is known.
    #[default]
    None,
    Incident(IncidentId),
    /// It was moved, and where to was not followed.
    Moved,
}

/// An incident that alerts which fire belong to.
#[derive(Debug, Default)]
struct HomeStatus {
    is_over: bool,
    alerts: usize,
}

/// All alerts that are known to fire, or that something undecided was said of.
#[derive(Debug, Default)]
pub(crate) struct KnownAlerts {
    alerts: HashMap<Fingerprint, KnownAlert>,
    homes: HashMap<IncidentId, HomeStatus>,
}

/// A message's hash: of all that an alert is made of.
pub(crate) fn hash(seen: &Observation) -> MessageHash {
    let mut hasher = Sha256::new();
    let mut text = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    for (name, value) in seen.labels.iter().chain(&seen.annotations) {
        text(name);
        text(value);
    }
    for part in [&seen.source_fingerprint, &seen.service, &seen.url].into_iter().flatten() {
        text(part);
    }
    text(&seen.source);
    text(seen.sender());
    text(&seen.name);
    text(seen.severity.as_str());
    seen.unmapped.iter().for_each(|field| text(field));
    hasher.update(seen.starts_at.map_or(i64::MIN, Time::nanos).to_be_bytes());
    hasher.update([u8::from(seen.signal == Signal::Firing)]);
    let sizes = [seen.labels.len(), seen.annotations.len(), seen.unmapped.len()];
    sizes.iter().for_each(|size| hasher.update((*size as u64).to_be_bytes()));
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize()[..16]);
    hash
}

impl KnownAlerts {
    /// Whether a message changes nothing, as far as is known.
    pub(crate) fn is_repeat(&self, seen: &Observation, hash: &MessageHash, now: Time) -> bool {
        if seen.signal != Signal::Firing {
            return false;
        }
        let Some(alert) = self.alerts.get(&seen.fingerprint) else { return false };
        let is_over = match &alert.home {
            KnownHome::None => false,
            KnownHome::Incident(id) => self.homes.get(id).is_none_or(|home| home.is_over),
            KnownHome::Moved => true,
        };
        let is_undecided = alert.pending.is_some() || alert.unread > 0;
        !is_over && !is_undecided && now < alert.stale_at && alert.said.iter().flatten().any(|said| said == hash)
    }

    /// Notes that a repeat is about to be gathered; the answer is who sends it, where another fired the alert first.
    pub(crate) fn repeat(&mut self, seen: &Observation, now: Time) -> Option<String> {
        let alert = self.alerts.get_mut(&seen.fingerprint)?;
        alert.stale_at = now + seen.stale_after;
        (alert.sender.as_deref() != Some(seen.sender())).then(|| seen.sender().to_owned())
    }

    /// Notes that a message is about to be written: until it is read back and decided, nothing repeats anything.
    pub(crate) fn write(&mut self, seen: &Observation) {
        match self.alerts.get_mut(&seen.fingerprint) {
            Some(alert) => alert.unread += 1,
            None if seen.signal == Signal::Firing => {
                self.alerts.insert(seen.fingerprint.clone(), KnownAlert { unread: 1, ..KnownAlert::default() });
            }
            None => {}
        }
    }

    /// Notes that it is not known whether a message was written.
    pub(crate) fn lose(&mut self, fingerprint: &Fingerprint) {
        self.forget(fingerprint);
    }

    /// Takes in the next event of the ledger.
    pub(crate) fn take(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Observed(seen) => self.observed(seen, recorded),
            Event::AlertFired(fired) => {
                self.decided(&recorded.subject, &fired.observed, |_| Some(true));
                let known = recorded.subject.parse().ok().and_then(|alert| self.alerts.get_mut::<Fingerprint>(&alert));
                if let Some(alert) = known {
                    alert.sender = Some(fired.replica_of.clone().unwrap_or_else(|| fired.source.clone()));
                }
            }
            Event::AlertRepeated(repeated) => {
                self.decided(&recorded.subject, &repeated.observed, |known| repeats(repeated, known));
            }
            Event::AlertResolved(_) | Event::AlertStale(_) => self.ended(&recorded.subject),
            Event::IncidentOpened(opened) => self.move_to(&opened.fingerprint, &recorded.subject),
            Event::IncidentAlertJoined(joined) => self.move_to(&joined.fingerprint, &recorded.subject),
            Event::IncidentMerged(merged) => {
                merged.fingerprints.iter().for_each(|alert| self.move_to(alert, &recorded.subject));
            }
            Event::IncidentSplit(split) => {
                split.fingerprints.iter().for_each(|alert| self.move_to(alert, split.incident.as_str()));
            }
            Event::IncidentUndone(undone) => undone.fingerprints.iter().for_each(|alert| self.moved(alert)),
            Event::IncidentResolved(_) => self.over(&recorded.subject, true),
            Event::IncidentReopened(reopened) => {
                if let Some(alert) = &reopened.fingerprint {
                    self.move_to(alert, &recorded.subject);
                }
                self.over(&recorded.subject, false);
            }
            Event::Delivery(_)
            | Event::Repeats(_)
            | Event::DoorOpened(_)
            | Event::Change(_)
            | Event::Command(_)
            | Event::Parked(_)
            | Event::Unparked(_)
            | Event::AlertSuppressed(_)
            | Event::AlertUnsuppressed(_)
            | Event::AlertFlapping(_)
            | Event::AlertSettled(_)
            | Event::IncidentDeclared(_)
            | Event::IncidentAcknowledged(_)
            | Event::IncidentUnacknowledged(_)
            | events! { finding, conversation, proposal, label, model, chat, silence, control, notice, care } => {}
        }
    }

    fn observed(&mut self, seen: &Observation, recorded: &Recorded) {
        if seen.signal == Signal::Resolved && !self.alerts.contains_key(&seen.fingerprint) {
            return;
        }
        let alert = self.alerts.entry(seen.fingerprint.clone()).or_default();
        alert.unread = alert.unread.saturating_sub(1);
        let (id, stale_at) = (recorded.id.clone(), recorded.time + seen.stale_after);
        alert.pending = Some(PendingMessage { id, hash: hash(seen), stale_at });
    }

    /// Something was decided about a message: `Some(true)` makes it all that is known, `Some(false)` one more that
    /// changes nothing, and `None` says that nothing is known to fire.
    fn decided(&mut self, subject: &str, observed: &EventId, is_news: impl FnOnce(bool) -> Option<bool>) {
        let Ok(fingerprint) = subject.parse::<Fingerprint>() else { return };
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        let decided = alert.pending.take_if(|pending| pending.id == *observed);
        let is_news = is_news(decided.is_some());
        match (is_news, decided) {
            (Some(true), Some(message)) => {
                alert.said = [Some(message.hash), None];
                alert.stale_at = message.stale_at;
            }
            (Some(false), Some(message)) => {
                if alert.said[0] != Some(message.hash) {
                    alert.said = [Some(message.hash), alert.said[0]];
                }
                alert.stale_at = message.stale_at;
            }
            (Some(false), None) => {}
            (Some(true), None) | (None, _) => alert.said = Default::default(),
        }
    }

    fn ended(&mut self, subject: &str) {
        let Ok(fingerprint) = subject.parse::<Fingerprint>() else { return };
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        alert.said = Default::default();
        // A message that fires it again may wait behind the one that ended it; one that waits no more is let go.
        alert.pending = None;
        if alert.unread == 0 {
            self.forget(&fingerprint);
        }
    }

    fn move_to(&mut self, fingerprint: &Fingerprint, incident: &str) {
        let Ok(id) = incident.parse::<IncidentId>() else { return };
        self.leave(fingerprint);
        if let Some(alert) = self.alerts.get_mut(fingerprint) {
            self.homes.entry(id.clone()).or_default().alerts += 1;
            alert.home = KnownHome::Incident(id);
        }
    }

    fn moved(&mut self, fingerprint: &Fingerprint) {
        self.leave(fingerprint);
        if let Some(alert) = self.alerts.get_mut(fingerprint) {
            alert.home = KnownHome::Moved;
        }
    }

    fn leave(&mut self, fingerprint: &Fingerprint) {
        let Some(alert) = self.alerts.get_mut(fingerprint) else { return };
        if let KnownHome::Incident(id) = std::mem::take(&mut alert.home)
            && let Some(home) = self.homes.get_mut(&id)
        {
            home.alerts = home.alerts.saturating_sub(1);
            if home.alerts == 0 {
                self.homes.remove(&id);
            }
        }
    }

    fn over(&mut self, incident: &str, is_over: bool) {
        if let Ok(id) = incident.parse::<IncidentId>()
            && let Some(home) = self.homes.get_mut(&id)
        {
            home.is_over = is_over;
        }
    }

    fn forget(&mut self, fingerprint: &Fingerprint) {
        self.leave(fingerprint);
        self.alerts.remove(fingerprint);
    }
}

/// What a decision that something was a repeat says of its message; `known` where that message is the newest.
fn repeats(repeated: &Repeated, known: bool) -> Option<bool> {
    let changes = repeated.severity.is_some() || repeated.labels.is_some() || repeated.annotations.is_some();
    match repeated.why {
        Repeat::Resent | Repeat::Replica => Some(changes),
        // What is over is not known to fire; where a newer message waits, that one will tell.
        Repeat::Late | Repeat::ResolvedAgain => (!known).then_some(false),
        // The one that ended may fire it again with the same words, which are news then.
        Repeat::FiresElsewhere => None,
    }
}
