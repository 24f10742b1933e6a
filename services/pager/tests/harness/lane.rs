//! An incident lane in memory: the domain's own deciders, and the simplest placing that there is. It says
//! what the correlator could say, without being it.

use std::collections::BTreeMap;

use hindcast_domain::alert::decide::{Rules, observe};
use hindcast_domain::alert::{Alert, Observation, Signal, Suppressed, Unsuppressed};
use hindcast_domain::book::Book;
use hindcast_domain::command::{Command, Received};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::{AlertJoined, Awoken, Grouping, Incident, Opened, Reopened, Resolved, decide};
use hindcast_domain::{EventId, Fingerprint, IncidentId, Partition, Severity, Span, Time};

/// How long after its end an incident is reopened by its own alerts.
const REOPEN_WITHIN: Span = Span::minutes(3);

#[derive(Default)]
pub struct Lane {
    pub book: Book,
    pub log: Vec<Recorded>,
    pub time: Time,
    /// Silences by the alert's name: until when.
    silences: BTreeMap<String, Time>,
    inputs: u64,
}

/// The fingerprint of an alert's name.
pub fn fingerprint(name: &str) -> Fingerprint {
    let mut mac = [0_u8; 32];
    for (index, byte) in name.bytes().enumerate() {
        mac[index % 10] = mac[index % 10].wrapping_mul(31).wrapping_add(byte);
    }
    Fingerprint::from_mac(&mac)
}

fn team_of(service: &str) -> String {
    format!("team-{}", service.split('-').next().unwrap())
}

impl Lane {
    pub fn alert(&self, name: &str) -> Option<&Alert> {
        self.book.alerts.get(&fingerprint(name))
    }

    /// The incident that an alert leads to.
    pub fn home(&self, name: &str) -> Option<IncidentId> {
        Some(self.book.home(self.alert(name)?.incident.as_ref()?)?.id.clone())
    }

    /// An alert fires: held back by its silence; back to its incident; into `join`; or into one of its own.
    pub fn fire(&mut self, name: &str, service: &str, severity: Severity, join: Option<&IncidentId>) {
        self.observe(name, service, severity, Signal::Firing);
        let alert = self.alert(name).unwrap().clone();
        let repeated = matches!(self.log.last().map(|last| &last.event), Some(Event::AlertRepeated(_)));
        let lives = self.home(name).is_some_and(|id| self.book.incidents[&id].is_live());
        match self.silences.get(name).copied().filter(|until| *until > self.time) {
            // What is said again changes nothing but a live incident's severity.
            _ if repeated && (!lives || alert.suppressed.is_some()) => {}
            Some(_) if repeated => {}
            Some(_) if alert.suppressed.is_some() => {}
            Some(until) => self.suppress(&alert, until),
            None => self.place(&alert, join),
        }
    }

    /// An alert ends; its incident too, where it was the last one.
    pub fn end(&mut self, name: &str) {
        let Some(alert) = self.alert(name) else { return };
        let (service, severity) = (alert.service.clone().unwrap(), alert.severity);
        self.observe(name, &service, severity, Signal::Resolved);
        let Some(home) = self.home(name).and_then(|id| self.book.incidents.get(&id)) else { return };
        if home.is_live() && self.book.alerts_of(home).all(|alert| !alert.is_firing()) {
            let over = Resolved { by: "quiet".into(), cause: None, resolution: None };
            let id = home.id.clone();
            self.adopt(vec![Draft::system(&id, Event::IncidentResolved(over))]);
        }
    }

    /// A silence holds an alert back from now on.
    pub fn silence(&mut self, name: &str, until: Time) {
        self.silences.insert(name.to_owned(), until);
        if let Some(alert) = self.alert(name).filter(|a| a.is_firing() && a.suppressed.is_none()).cloned() {
            self.suppress(&alert, until);
        }
    }

    /// A silence is ended before its time.
    pub fn unsilence(&mut self, name: &str) {
        self.silences.remove(name);
        if let Some(alert) = self.alert(name).filter(|alert| alert.suppressed.is_some()).cloned() {
            self.lift(&alert, "expired");
        }
    }

    /// Asks for something; true where it was decided and not refused.
    pub fn ask(&mut self, command: Command) -> bool {
        self.inputs += 1;
        let received = Received { key: self.inputs.to_string(), if_match: None, command };
        let decided = decide::command(&self.book, &received, &self.input_id(), "ada", self.time);
        let taken = decided.is_ok();
        self.adopt(decided.unwrap_or_default());
        taken
    }

    /// When something is due next: a silence or a snooze that ends.
    pub fn due(&self) -> Option<Time> {
        let silences = self.book.alerts.values().filter_map(|alert| Some(alert.suppressed.as_ref()?.until));
        let snoozes = self.book.incidents.values().filter(|i| i.is_live()).filter_map(|i| i.snoozed_until);
        silences.chain(snoozes).min()
    }

    /// What is due at that time happens.
    pub fn fire_due(&mut self, due: Time) -> Vec<Recorded> {
        self.time = self.time.max(due);
        let before = self.log.len();
        let ended = |alert: &&Alert| alert.suppressed.as_ref().is_some_and(|held| held.until <= due);
        let alerts: Vec<Alert> = self.book.alerts.values().filter(ended).cloned().collect();
        alerts.iter().for_each(|alert| self.lift(alert, "elapsed"));
        let awake = |incident: &&Incident| incident.is_live() && incident.snoozed_until.is_some_and(|at| at <= due);
        let awake: Vec<IncidentId> = self.book.incidents.values().filter(awake).map(|i| i.id.clone()).collect();
        self.adopt(awake.iter().map(|id| Draft::system(id, Event::IncidentAwoken(Awoken {}))).collect());
        assert!(self.log.len() > before, "something was due");
        self.log[before..].to_vec()
    }

    fn observe(&mut self, name: &str, service: &str, severity: Severity, signal: Signal) {
        self.inputs += 1;
        let observation = Observation {
            severity,
            signal,
            labels: [("service".to_owned(), service.to_owned())].into(),
            ..hindcast_testkit::observation(fingerprint(name), name, service)
        };
        let known = self.book.alerts.get(&observation.fingerprint);
        // Flapping is none of the pager's business.
        let rules = Rules { flap_transitions: u32::MAX, ..Rules::default() };
        let observed = self.input_id();
        let reception = hindcast_testkit::reception(&observed, Some(service), self.time);
        let drafts = observe(known, &observation, &reception, &rules);
        self.adopt(drafts);
    }

    fn suppress(&mut self, alert: &Alert, until: Time) {
        let held = Suppressed { by: "SIL-0123456789ABCDEF".to_owned(), kind: "silence".into(), until };
        self.adopt(vec![Draft::system(&alert.fingerprint, Event::AlertSuppressed(held))]);
    }

    fn lift(&mut self, alert: &Alert, reason: &str) {
        let by = alert.suppressed.as_ref().unwrap().by.clone();
        let lifted = Unsuppressed { by, reason: reason.into(), exempt: false };
        self.adopt(vec![Draft::system(&alert.fingerprint, Event::AlertUnsuppressed(lifted))]);
        let alert = self.book.alerts[&alert.fingerprint].clone();
        match self.silences.get(&alert.name).copied().filter(|until| *until > self.time) {
            _ if !alert.is_firing() => {}
            Some(until) => self.suppress(&alert, until),
            None => self.place(&alert, None),
        }
    }

    fn place(&mut self, alert: &Alert, join: Option<&IncidentId>) {
        let home = alert.incident.as_ref().and_then(|id| self.book.home(id));
        let joined = AlertJoined {
            fingerprint: alert.fingerprint.clone(),
            severity: alert.severity,
            service: alert.service.clone(),
            team: alert.service.as_deref().map(team_of),
            starts_at: alert.occurrence().starts_at,
            grouping: None,
            title: None,
        };
        let join = join.filter(|id| self.book.incidents[*id].is_live());
        let draft = match (home, join) {
            (Some(home), _) if home.is_live() => {
                let worse = !home.severity_set && alert.severity > home.severity;
                if home.members.contains_key(&alert.fingerprint) && !worse {
                    return;
                }
                Draft::system(&home.id, Event::IncidentAlertJoined(joined))
            }
            (Some(home), _) if self.time.since(home.resolved_at.unwrap()) <= REOPEN_WITHIN => {
                let reopened = Reopened {
                    count: home.reopened + 1,
                    fingerprint: Some(alert.fingerprint.clone()),
                    severity: Some(alert.severity),
                    worse: alert.severity > home.peak_severity,
                    keeps_acknowledgement: home.keeps_acknowledgement(self.time, Span::seconds(10)),
                };
                let mut drafts = vec![Draft::system(&home.id, Event::IncidentReopened(reopened))];
                if !home.members.contains_key(&alert.fingerprint) {
                    drafts.push(Draft::system(&home.id, Event::IncidentAlertJoined(joined)));
                }
                return self.adopt(drafts);
            }
            (_, Some(incident)) => Draft::system(incident, Event::IncidentAlertJoined(joined)),
            (_, None) => {
                let id = IncidentId::derive(&[&self.log.len().to_be_bytes(), alert.name.as_bytes()]);
                Draft::system(&id, Event::IncidentOpened(opened(alert)))
            }
        };
        self.adopt(vec![draft]);
    }

    fn input_id(&self) -> EventId {
        EventId::derive(&[b"input", &self.inputs.to_be_bytes()])
    }

    fn adopt(&mut self, drafts: Vec<Draft>) {
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for draft in drafts {
            let next = self.revision(&draft.subject) + 1;
            let recorded = Recorded {
                id: EventId::derive(&[b"incidents", &self.log.len().to_be_bytes()]),
                position: self.log.len() as u64,
                partition: Partition::of_environment("production"),
                revision: Some(*revisions.entry(draft.subject.clone()).or_insert(next)),
                subject: draft.subject,
                time: self.time,
                actor: draft.actor,
                cause: None,
                event: draft.event,
            };
            self.book.evolve(&recorded);
            self.log.push(recorded);
        }
    }

    fn revision(&self, subject: &str) -> u64 {
        let alert = subject.parse().ok().and_then(|id: Fingerprint| Some(self.book.alerts.get(&id)?.revision));
        let incident = subject.parse().ok().and_then(|id: IncidentId| Some(self.book.incidents.get(&id)?.revision));
        alert.or(incident).unwrap_or(0)
    }
}

fn opened(alert: &Alert) -> Opened {
    Opened {
        title: format!("{} on {}", alert.name, alert.service.as_deref().unwrap()),
        fingerprint: alert.fingerprint.clone(),
        severity: alert.severity,
        service: alert.service.clone(),
        team: alert.service.as_deref().map(team_of),
        started_at: alert.occurrence().starts_at,
        grouping: Grouping {
            rule: "first".into(),
            weights: 1,
            score: 0,
            threshold: 500,
            parts: BTreeMap::new(),
            like: None,
            considered: Vec::new(),
        },
        recurrence_of: None,
    }
}
