//! What receivers took: whom a message names, what it says last, and whether that was so.

use std::collections::BTreeSet;

use hindcast_domain::alert::Signal;
use hindcast_domain::incident::Status;
use hindcast_domain::notice::{DeliveredMessage, NamedAlert};
use hindcast_domain::{IncidentId, Severity};

use crate::BOUND;
use crate::duties::NamingDuty;
use crate::report::{AuditRule, PagingViolation};
use crate::said::LastWord;
use crate::watch::PageAuditor;

impl PageAuditor {
    pub(crate) fn failed(&mut self, receiver: Option<&str>) {
        if let Some(receiver) = receiver {
            self.words.fails(receiver);
        }
    }

    pub(crate) fn delivered(&mut self, message: &DeliveredMessage) {
        self.report.deliveries += 1;
        for severity in Severity::ALL {
            if self.settings.all_fail(severity, false, |receiver| self.words.is_failing(receiver)) {
                self.reachable.insert(severity, self.now);
            }
        }
        self.words.works(&message.receiver, self.now);
        self.hear(message);
        self.name(message);
        self.check_truth(message);
    }

    /// The last words, and whether it paged.
    fn hear(&mut self, message: &DeliveredMessage) {
        let told = message.incident.iter().map(|incident| (incident, message.status));
        for (incident, status) in told.chain(message.incidents.iter().map(|incident| (incident, None))) {
            let word = LastWord { status, taken_at: self.now, blamed: false };
            self.words.said(incident, &message.receiver, word, self.now + BOUND);
            if message.page {
                self.incidents.paged(incident, self.now);
            }
        }
    }

    /// Who is named, and who is counted.
    fn name(&mut self, message: &DeliveredMessage) {
        let mut touched = BTreeSet::new();
        for named in &message.alerts {
            self.know(message, named);
            let mut met = self.duties.of(&named.fingerprint);
            if named.count.is_some() {
                let home = self.home_of_named(message, named);
                let counted = |duty: &NamingDuty| {
                    let own = self.incidents.of_alert(&duty.fingerprint).map(|(id, _)| id);
                    duty.name == named.name && own == home.as_ref()
                };
                met.extend(self.duties.iter().filter(|(_, duty)| counted(duty)).map(|(id, _)| id));
            }
            for id in met {
                let Some(duty) = self.duties.of_mut(id).filter(|duty| duty.began <= message.at) else { continue };
                duty.named = true;
                touched.insert(id);
            }
            if message.page {
                touched.extend(self.wake(message, named));
            }
        }
        for id in touched {
            if self.duties.get(id).is_some_and(|duty| duty.named && !duty.new.is_any()) {
                self.report.named += 1;
                self.duties.close(id);
            }
        }
    }

    fn home_of_named(&self, message: &DeliveredMessage, named: &NamedAlert) -> Option<IncidentId> {
        let about = named.incident.as_ref().or(message.incident.as_ref())?;
        Some(self.incidents.home_of(about)?.0.clone())
    }

    /// A page that arrives wakes for everything in the same incident that is of the same kind, on the same entity, or no
    /// worse; that it names each of these is another rule's business.
    fn wake(&mut self, message: &DeliveredMessage, named: &NamedAlert) -> Vec<u64> {
        let Some(home) = self.home_of_named(message, named) else { return Vec::new() };
        let entity = entity_of(named);
        let mut woken = self.duties.of_page();
        woken.retain(|id| {
            let of = self.duties.get(*id).and_then(|duty| self.incidents.of_alert(&duty.fingerprint));
            of.is_some_and(|(id, _)| *id == home)
        });
        for id in &woken {
            let Some(duty) = self.duties.of_mut(*id) else { continue };
            duty.new.kind &= duty.name != named.name;
            duty.new.entity &= duty.entity != entity;
            duty.new.worse &= named.severity < duty.severity;
        }
        woken
    }

    /// What a page names is new to nobody any more.
    fn know(&mut self, message: &DeliveredMessage, named: &NamedAlert) {
        let home = self.home_of_named(message, named).filter(|_| message.page);
        let Some(incident) = home.and_then(|id| self.incidents.all.get_mut(&id)) else { return };
        incident.kinds.insert(named.name.clone());
        incident.entities.insert(entity_of(named));
    }

    fn check_truth(&mut self, message: &DeliveredMessage) {
        let mut wrong = Vec::new();
        for (id, status) in message.incident.iter().map(|id| (id, message.status)) {
            let incident = self.incidents.all.get(id);
            if let (Some(incident), Some(status)) = (incident, status)
                && !incident.was(status, message.at)
            {
                wrong.push((None, Some(id.clone()), format!("it says that the incident is {status:?}")));
            }
        }
        for id in &message.incidents {
            let incident = self.incidents.all.get(id);
            let live = |incident: &crate::incidents::AuditedIncident| {
                incident.was(Status::Open, message.at) || incident.was(Status::Acknowledged, message.at)
            };
            if incident.is_some_and(|incident| !live(incident)) {
                wrong.push((None, Some(id.clone()), "it says that the incident goes on".to_owned()));
            }
        }
        for named in message.alerts.iter().filter(|named| named.count.is_none()) {
            let alert = self.alerts.0.get(&named.fingerprint);
            if alert.is_some_and(|alert| !alert.was(named.status, message.at)) {
                let firing = if named.status == Signal::Firing { "fires" } else { "is over" };
                let detail = format!("it says that {} {firing}", named.name);
                wrong.push((Some(named.fingerprint.clone()), message.incident.clone(), detail));
            }
        }
        for (fingerprint, incident, detail) in wrong {
            let receiver = Some(message.receiver.clone());
            let detail = format!("{detail}, which was not so at {}", message.at);
            self.blame(PagingViolation {
                rule: AuditRule::FalseState,
                at: message.at,
                fingerprint,
                incident,
                receiver,
                detail,
            });
        }
    }
}

/// What a named alert is about, as the alerts themselves say it.
fn entity_of(named: &NamedAlert) -> String {
    named.entity.as_ref().map(ToString::to_string).or_else(|| named.service.clone()).unwrap_or_default()
}
