//! What happens in a random history: senders, people, silences, receivers that fail, and restarts.

use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::command::Command;
use hindcast_domain::entity::{AlertSubject, Entity, EntityKind};
use hindcast_domain::event::Event;
use hindcast_domain::incident::Status;
use hindcast_domain::silence::{self, Matcher, SilenceState, Terms};
use hindcast_domain::{Fingerprint, IncidentId, Partition, Severity, SilenceId, Span, Time};
use serde_json::json;

use super::PagedHistory;

const KINDS: [&str; 6] = ["HighLatency", "DiskFull", "Down", "ErrorRate", "Backlog", "LedgerOutOfBalance"];
const SERVICES: [&str; 5] = ["db", "web", "queue", "billing", "search"];
const ALERTS: usize = 48;
const SEVERITIES: [Severity; 6] =
    [Severity::Low, Severity::Medium, Severity::High, Severity::High, Severity::Critical, Severity::Critical];
const RECEIVERS: [&str; 2] = ["phone", "channel"];

/// One alert of the world, by its number.
fn observation(number: usize, rank: u32, severity: Severity, signal: Signal, now: Time, began: Time) -> Observation {
    let (kind, service) = (KINDS[number % KINDS.len()], SERVICES[(number / KINDS.len()) % SERVICES.len()]);
    let mut mac = [0_u8; 32];
    mac[..8].copy_from_slice(&hindcast_mlops::seeded::hash(7, &format!("{number}/{rank}")).to_be_bytes());
    let entity =
        Entity { kind: EntityKind::Node, name: format!("{service}-{}", number % 4), namespace: None, cluster: None };
    let mut seen = Observation {
        severity,
        signal,
        source: format!("sender-{}", number % 3),
        about: Some(AlertSubject { entity: Some(entity), observed_by: None, rule: "test".into() }.into()),
        starts_at: (!number.is_multiple_of(5)).then_some(began),
        ends_at: (signal == Signal::Resolved).then_some(now),
        ..hindcast_testkit::observation(Fingerprint::from_mac(&mac), kind, service)
    };
    seen.labels.insert("rank".to_owned(), rank.to_string());
    seen
}

impl PagedHistory {
    pub fn say(&mut self, number: usize, severity: Severity, signal: Signal) -> Fingerprint {
        let rank = self.ranks.get(&number).copied().unwrap_or(1);
        let began = match signal {
            Signal::Firing => *self.firing.entry(number).or_insert(self.now),
            Signal::Resolved => self.firing.remove(&number).unwrap_or(self.now),
        };
        let seen = observation(number, rank, severity, signal, self.now, began);
        let partition = Partition::of_environment("production");
        let fingerprint = seen.fingerprint.clone();
        self.fact(partition, fingerprint.as_str(), Event::Observed(seen));
        fingerprint
    }

    /// One delivery that ends an instance of an alert and begins the next one.
    pub fn churn_of(&mut self, number: usize, severity: Severity) -> Fingerprint {
        self.say(number, severity, Signal::Resolved);
        *self.ranks.entry(number).or_insert(1) += 1;
        self.say(number, severity, Signal::Firing)
    }

    fn severity_of(&mut self, number: usize) -> Severity {
        let drawn = SEVERITIES[self.draws.below(SEVERITIES.len())];
        // Most rules have one severity.
        if self.draws.chance(700) { SEVERITIES[number % SEVERITIES.len()] } else { drawn }
    }

    /// Lives through a history of so many steps, and lets everything come to its end.
    pub fn live(&mut self, steps: usize) {
        self.begin();
        for _ in 0..steps {
            self.step();
            let most = [3, 15, 60, 60, 400][self.draws.below(5)];
            let seconds = i64::try_from(self.draws.below(most)).unwrap_or(1);
            self.pass(self.now + Span::seconds(seconds));
        }
        self.down_until.clear();
        self.flaps.clear();
        self.pass(self.now + Span::minutes(30));
    }

    fn begin(&mut self) {
        let receiver = |name: &str, at_least: &str, pages_only: bool, pages_max: u32| json!({"name": name, "at_least": at_least, "pages_only": pages_only, "pages_max": pages_max, "window_s": 300});
        let few = [2, 4, 20][self.draws.below(3)];
        let receivers = match self.draws.below(4) {
            0 => return,
            1 => vec![receiver("phone", "low", false, few)],
            2 => vec![receiver("phone", "high", true, 20), receiver("channel", "low", false, few)],
            _ => vec![receiver("phone", "critical", false, few), receiver("channel", "medium", false, 20)],
        };
        self.configure("paging", json!({ "receivers": receivers }));
    }

    fn step(&mut self) {
        match self.draws.below(24) {
            0..=8 => self.delivery(),
            9..=10 => self.churn(),
            11 => self.begin_flapping(),
            12..=15 => self.person(),
            16..=17 => self.silence(),
            18 => self.end_silence(),
            19 => self.fail(),
            20 => {
                let away = i64::try_from(self.draws.below(120)).unwrap_or(1);
                self.restart(Span::seconds(away));
            }
            21 => self.breadth(),
            22 => self.end_all(),
            _ => self.churn_of_what_somebody_takes_care_of(),
        }
    }

    /// One delivery of several alerts of one sender.
    fn delivery(&mut self) {
        for _ in 0..1 + self.draws.below(4) {
            let number = self.draws.below(ALERTS);
            let over = self.firing.contains_key(&number) && self.draws.chance(500);
            let severity = self.severity_of(number);
            self.say(number, severity, if over { Signal::Resolved } else { Signal::Firing });
        }
    }

    /// One delivery that ends one instance of an alert and begins another.
    fn churn(&mut self) {
        let firing: Vec<usize> = self.firing.keys().copied().collect();
        if firing.is_empty() {
            return;
        }
        let number = firing[self.draws.below(firing.len())];
        let severity = SEVERITIES[number % SEVERITIES.len()];
        let severity = if self.draws.chance(300) { Severity::Critical } else { severity };
        self.churn_of(number, severity);
    }

    fn begin_flapping(&mut self) {
        let number = self.draws.below(ALERTS);
        let (mut at, mut fires) = (self.now, true);
        for _ in 0..2 + self.draws.below(14) {
            self.flaps.push((at, number, fires));
            fires = !fires;
            let seconds = 1 + self.draws.below([4, 30, 90][self.draws.clone().below(3)]);
            at = at + Span::seconds(i64::try_from(seconds).unwrap_or(1));
        }
    }

    pub(super) fn flap(&mut self, at: Time) {
        let Some(index) = self.flaps.iter().position(|(time, _, _)| *time == at) else { return };
        let (_, number, fires) = self.flaps.remove(index);
        let severity = SEVERITIES[number % SEVERITIES.len()];
        self.say(number, severity, if fires { Signal::Firing } else { Signal::Resolved });
    }

    /// Everything that fires ends in one delivery, or begins anew in the next one.
    fn end_all(&mut self) {
        let firing: Vec<usize> = self.firing.keys().copied().collect();
        for number in firing {
            self.say(number, SEVERITIES[number % SEVERITIES.len()], Signal::Resolved);
        }
    }

    /// One alert alone, which somebody acknowledges and whose label changes.
    fn churn_of_what_somebody_takes_care_of(&mut self) {
        self.end_all();
        self.pass(self.now + Span::minutes(5));
        let number = self.draws.below(ALERTS);
        self.say(number, Severity::Critical, Signal::Firing);
        self.pass(self.now + Span::seconds(20));
        for incident in self.incidents_that(|status| status == Status::Open) {
            let subject = incident.to_string();
            let command = Command::AcknowledgeIncident { incident };
            self.ask(Partition::of_environment("production"), &subject, command);
        }
        self.pass(self.now + Span::seconds(20));
        self.churn_of(number, Severity::Critical);
    }

    /// Many entities of many services fail at a severity that pages nobody.
    fn breadth(&mut self) {
        for number in 0..ALERTS {
            if SEVERITIES[number % SEVERITIES.len()] == Severity::Medium || self.draws.chance(400) {
                self.say(number, Severity::Medium, Signal::Firing);
            }
        }
    }

    pub fn incidents_that(&self, which: impl Fn(Status) -> bool) -> Vec<IncidentId> {
        let book = &self.incidents.engine.state().book;
        book.incidents.values().filter(|incident| which(incident.status)).map(|incident| incident.id.clone()).collect()
    }

    fn person(&mut self) {
        let live = self.incidents_that(|status| status != Status::Resolved);
        let all = self.incidents_that(|_| true);
        if live.is_empty() {
            return;
        }
        let (incident, other) =
            (live[self.draws.below(live.len())].clone(), live[self.draws.below(live.len())].clone());
        let any = all[self.draws.below(all.len())].clone();
        let subject = incident.to_string();
        let seconds = i64::try_from(5 + self.draws.below(600)).unwrap_or(5);
        let command = match self.draws.below(16) {
            0..=5 => Command::AcknowledgeIncident { incident },
            6 => Command::UnacknowledgeIncident { incident },
            7 => Command::ResolveIncident { incident, cause: None, resolution: None },
            8 => Command::ReopenIncident { incident: any },
            9..=10 => Command::MergeIncident { incident, into: other },
            11 => Command::SnoozeIncident { incident, until: self.now + Span::seconds(seconds) },
            12 => Command::SetIncidentSeverity { incident, severity: SEVERITIES[self.draws.below(SEVERITIES.len())] },
            13 => {
                let book = &self.incidents.engine.state().book;
                let members: Vec<Fingerprint> = book.incidents[&incident].members.keys().cloned().collect();
                let leaving = members.get(self.draws.below(members.len().max(1))).cloned();
                Command::SplitIncident { incident, fingerprints: leaving.into_iter().collect() }
            }
            14 => {
                let past = |event: &&hindcast_domain::event::Recorded| {
                    matches!(event.event, Event::IncidentMerged(_) | Event::IncidentSplit(_))
                };
                let past: Vec<_> = self.log.iter().filter(past).map(|it| (it.id.clone(), it.subject.clone())).collect();
                if past.is_empty() {
                    return;
                }
                let (event, subject) = past[self.draws.below(past.len())].clone();
                Command::UndoEvent { event, subject }
            }
            _ => Command::DeclareIncident {
                title: "by hand".into(),
                severity: Severity::High,
                services: Vec::new(),
                description: None,
                started_at: None,
            },
        };
        self.ask(Partition::of_environment("production"), &subject, command);
    }

    /// A silence or a maintenance window, at times in place of an earlier one.
    fn silence(&mut self) {
        let silences = self.silences();
        let replaces = silences.first().filter(|_| self.draws.clone().chance(400)).cloned();
        let matcher = match self.draws.below(2) {
            0 => Matcher::equal("service", SERVICES[self.draws.below(SERVICES.len())]),
            _ => Matcher::equal("alertname", KINDS[self.draws.below(KINDS.len())]),
        };
        let starts_at = self.now + Span::seconds(i64::try_from(self.draws.below(60)).unwrap_or(0));
        let seconds = 20 + i64::try_from(self.draws.below(900)).unwrap_or(0);
        let terms = Terms {
            matchers: vec![matcher],
            starts_at,
            ends_at: starts_at + Span::seconds(seconds),
            created_by: "ada".into(),
            comment: "work".into(),
            kind: if self.draws.chance(500) { silence::Kind::Silence } else { silence::Kind::Maintenance },
            environment: None,
            repeats: None,
        };
        self.ask(Partition::whole("default"), "silence", Command::CreateSilence { terms, replaces });
    }

    fn silences(&self) -> Vec<SilenceId> {
        let seen = &self.incidents.engine.state().seen.silences;
        seen.0.values().filter(|silence| silence.state != SilenceState::Expired).map(|it| it.id.clone()).collect()
    }

    fn end_silence(&mut self) {
        let silences = self.silences();
        if !silences.is_empty() {
            let silence = silences[self.draws.below(silences.len())].clone();
            self.ask(Partition::whole("default"), "silence", Command::ExpireSilence { silence });
        }
    }

    /// A receiver takes nothing for a while.
    fn fail(&mut self) {
        let seconds = 5 + i64::try_from(self.draws.below(1_200)).unwrap_or(0);
        let mut names: Vec<&str> = RECEIVERS.to_vec();
        names.push("screen");
        let name = names[self.draws.below(names.len())];
        self.down_until.insert(name.to_owned(), self.now + Span::seconds(seconds));
    }
}
