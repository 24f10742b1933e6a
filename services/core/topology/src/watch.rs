//! The watch of one partition: what passes by, as evidence for links. Owns which services are known and which alerted
//! lately; each kind of evidence has its own file or function.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::catalog::Topology;
use hindcast_domain::links::{LinkKind, LinkObserved, LinkSource, ServiceLink};
use hindcast_domain::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::counted::CountedLinks;
use crate::lines::{named, of_host};
use crate::spans::{NewestSpans, SpanSeen};

/// Services, and addresses of services, that are known at once.
const SERVICES_MAX: usize = 5_000;
/// Labels that name the team that answers for a service, those of Kubernetes as exporters show them among them.
const OWNERS: [&str; 7] = ["team", "owner", "squad", "label_team", "label_owner", "label_squad", "owner_team"];
/// Alerts of another service follow within this time.
const LAG_MAX: Span = Span::minutes(5);
/// An alert of a service begins an episode after so long without one.
const EPISODE: Span = Span::minutes(30);
/// Services that began an episode at once from which on all of them say nothing of one another.
const TOGETHER_MAX: usize = 6;

/// What is read of an alert that began to fire.
#[derive(Clone, Copy, Debug)]
pub struct AlertSeen<'a> {
    /// The service that it is about.
    pub service: &'a str,
    /// The rule's name.
    pub name: &'a str,
    /// Start of the firing stretch.
    pub began: Time,
    /// All labels as stored.
    pub labels: &'a BTreeMap<String, String>,
    /// Whether another program observed it, whose address its labels have then.
    pub is_observed: bool,
}

/// What passed by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopologyWatch {
    counted: CountedLinks,
    services: BTreeSet<String>,
    hosts: BTreeMap<String, String>,
    /// When each service last alerted.
    alerted: BTreeMap<String, Time>,
    /// Services whose episodes began lately, oldest first.
    began: VecDeque<(Time, String)>,
    #[serde(skip)]
    spans: NewestSpans,
}

impl TopologyWatch {
    /// Takes in a log line.
    pub fn line(&mut self, service: &str, text: &str, topology: &Topology) -> Vec<LinkObserved> {
        let own = self.know(service, topology);
        let found = named(text, |name| self.known(name, topology));
        let calls = found.into_iter().filter(|(called, _)| *called != own);
        let calls: Vec<_> = calls.map(|(called, source)| (calls_to(&own, &called), source)).collect();
        calls.into_iter().filter_map(|(link, source)| self.counted.count(link, source, text)).collect()
    }

    /// Takes in a span.
    pub fn span(&mut self, span: &SpanSeen<'_>, topology: &Topology) -> Vec<LinkObserved> {
        let own = self.know(span.service, topology);
        let seen = SpanSeen { service: &own, ..*span };
        let mut calls = self.spans.note(&seen);
        if !span.peer.is_empty() {
            let peer = span.peer.split(':').next().unwrap_or_default();
            let called = of_host(peer, &|name: &str| self.known(name, topology));
            calls.extend(called.filter(|called| *called != own).map(|called| (own.clone(), called)));
        }
        let said = |(caller, called): &(String, String)| format!("a span of {called} within one of {caller}");
        let links = calls.into_iter().filter_map(|call| {
            let sample = said(&call);
            self.counted.count(calls_to(&call.0, &call.1), LinkSource::Spans, &sample)
        });
        links.collect()
    }

    /// Takes in an alert that began to fire.
    pub fn alert(&mut self, alert: &AlertSeen<'_>, topology: &Topology) -> Vec<LinkObserved> {
        let own = self.know(alert.service, topology);
        if let Some(host) = alert.labels.get("instance").filter(|_| !alert.is_observed) {
            let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host);
            if self.hosts.len() < SERVICES_MAX || self.hosts.contains_key(host) {
                self.hosts.insert(host.to_owned(), own.clone());
            }
        }
        let team = OWNERS.iter().find_map(|label| Some((*label, alert.labels.get(*label)?)));
        let owned = team.and_then(|(label, team)| {
            let link = ServiceLink { kind: LinkKind::OwnedBy, from: own.clone(), to: team.clone() };
            self.counted.count(link, LinkSource::OwnerLabels, &format!("{label}={team} on {}", alert.name))
        });
        owned.into_iter().chain(self.lagged(&own, alert)).collect()
    }

    /// Takes in that a person merged two incidents: the services of the one that began first, and of the other.
    pub fn merged(&mut self, first: &[String], second: &[String], incident: &str) -> Option<LinkObserved> {
        let ([cause], [effect]) = (first, second) else { return None };
        let sample = format!("a person merged incidents of {effect} and {cause} ({incident})");
        self.counted.count(calls_to(effect, cause), LinkSource::Merges, &sample)
    }

    /// Services whose episodes began shortly before are what this one may depend on.
    fn lagged(&mut self, own: &str, alert: &AlertSeen<'_>) -> Vec<LinkObserved> {
        let before = self.alerted.insert(own.to_owned(), alert.began);
        if self.alerted.len() > SERVICES_MAX {
            self.alerted.retain(|_, at| alert.began.since(*at) < EPISODE);
        }
        if before.is_some_and(|before| alert.began.distance(before) < EPISODE) {
            return Vec::new();
        }
        self.began.retain(|(at, _)| alert.began.since(*at) <= LAG_MAX);
        let before: Vec<(Time, String)> = self.began.iter().cloned().collect();
        self.began.push_back((alert.began, own.to_owned()));
        if before.len() >= TOGETHER_MAX {
            return Vec::new();
        }
        // What began in the same second has no order.
        let earlier = before.into_iter().filter(|(at, _)| alert.began.since(*at) >= Span::seconds(1));
        let links = earlier.filter_map(|(at, cause)| {
            let after = alert.began.since(at).as_millis() / 1_000;
            let sample = format!("{} of {own} {after} s after an alert of {cause}", alert.name);
            self.counted.count(calls_to(own, &cause), LinkSource::LaggedAlerts, &sample)
        });
        links.collect()
    }

    /// The one name of a service that names itself.
    fn know(&mut self, service: &str, topology: &Topology) -> String {
        let own = topology.resolve(service).unwrap_or(service).to_owned();
        if !self.services.contains(&own) && self.services.len() < SERVICES_MAX {
            self.services.insert(own.clone());
        }
        own
    }

    /// The one name of a service by any of its names.
    fn known(&self, name: &str, topology: &Topology) -> Option<String> {
        let own = || self.services.get(name).or_else(|| self.hosts.get(name)).cloned();
        topology.resolve(name).map(ToOwned::to_owned).or_else(own)
    }
}

fn calls_to(from: &str, to: &str) -> ServiceLink {
    ServiceLink { kind: LinkKind::DependsOn, from: from.to_owned(), to: to.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(1_700_000_000_000 + seconds * 1_000)
    }

    fn fires(watch: &mut TopologyWatch, service: &str, seconds: i64, labels: &[(&str, &str)]) -> Vec<LinkObserved> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let alert = AlertSeen { service, name: "Down", began: at(seconds), labels: &labels, is_observed: false };
        watch.alert(&alert, &Topology::default())
    }

    fn told(seen: &[LinkObserved]) -> Vec<(String, String, i32)> {
        seen.iter().map(|seen| (seen.link.from.clone(), seen.link.to.clone(), seen.sighting.confidence)).collect()
    }

    #[test]
    fn lines_propose_calls_to_services_that_are_known() {
        let (mut watch, none) = (TopologyWatch::default(), Topology::default());
        watch.line("postgres", "ready", &none);
        for _ in 0..2 {
            assert!(watch.line("shop", "dial postgres:5432: refused, stranger:80", &none).is_empty());
        }
        let seen = watch.line("shop", "dial postgres:5432: refused", &none);
        assert_eq!(told(&seen), [("shop".to_owned(), "postgres".to_owned(), 600)]);
        assert!(watch.line("shop", "dial postgres:5432: refused", &none).is_empty(), "no more than before");
    }

    #[test]
    fn an_address_is_that_of_the_service_whose_alert_has_it() {
        let (mut watch, none) = (TopologyWatch::default(), Topology::default());
        fires(&mut watch, "kafka", 0, &[("instance", "10.0.3.7:9092")]);
        let seen: Vec<_> = (0..3).flat_map(|_| watch.line("shop", "lost 10.0.3.7:9092", &none)).collect();
        assert_eq!(told(&seen), [("shop".to_owned(), "kafka".to_owned(), 600)]);
    }

    #[test]
    fn alerts_that_follow_again_and_again_propose_a_call_and_a_storm_proposes_none() {
        let mut watch = TopologyWatch::default();
        let mut seen = Vec::new();
        for day in 0..3 {
            fires(&mut watch, "pg", day * 86_400, &[]);
            fires(&mut watch, "pg", day * 86_400 + 20, &[]);
            seen.extend(fires(&mut watch, "shop", day * 86_400 + 40, &[]));
            seen.extend(fires(&mut watch, "other", day * 86_400 + 900 + day * 3_000, &[]));
        }
        assert_eq!(told(&seen), [("shop".to_owned(), "pg".to_owned(), 350)]);
        let mut watch = TopologyWatch::default();
        let storm = |watch: &mut TopologyWatch, day: i64| {
            let all: Vec<_> = (0..40).flat_map(|n| fires(watch, &format!("svc-{n}"), day * 86_400 + n, &[])).collect();
            all.len()
        };
        assert!((0..3).map(|day| storm(&mut watch, day)).sum::<usize>() <= 15, "the first ones alone");
    }

    #[test]
    fn a_label_proposes_an_owner_and_a_merge_a_call() {
        let mut watch = TopologyWatch::default();
        let seen = fires(&mut watch, "shop", 0, &[("label_team", "checkout")]);
        assert_eq!(seen[0].link.kind, LinkKind::OwnedBy);
        let one = |name: &str| vec![name.to_owned()];
        let merged = watch.merged(&one("pg"), &one("shop"), "INC-1").unwrap();
        assert_eq!((merged.link.from.as_str(), merged.link.to.as_str()), ("shop", "pg"));
        assert!(watch.merged(&one("pg"), &[], "INC-2").is_none());
    }

    #[test]
    fn spans_propose_calls_and_peers_that_are_known() {
        let (mut watch, none) = (TopologyWatch::default(), Topology::default());
        watch.line("pg", "ready", &none);
        let mut seen = Vec::new();
        for trace in 1..4 {
            let span = |service, id, parent, peer| SpanSeen { service, trace, id, parent, peer };
            seen.extend(watch.span(&span("web", 1, 0, ""), &none));
            seen.extend(watch.span(&span("shop", 2, 1, "pg:5432"), &none));
        }
        let expect = [("web", "shop"), ("shop", "pg")].map(|(a, b)| (a.to_owned(), b.to_owned(), 900));
        assert_eq!(told(&seen), expect);
    }
}
