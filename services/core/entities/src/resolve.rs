//! One alert read by the compiled rules. Owns the order in which exporters, services and shapes are asked; refuses
//! to change a label's value except by taking an address' host or a controller's suffix.

use std::borrow::Cow;

use hindcast_domain::alert::Labels;
use hindcast_domain::entity::{AlertSubject, Entity, EntityKind};

use crate::pattern::{any, best};
use crate::rules::{CompiledRules, Exporter, NameShape, Pick, Stands, SubjectRule};
use crate::{LabelledAlert, Resolution, workload};

/// Labels that a scraper adds from its target, so that they may name the exporter.
const TARGET: [&str; 8] = ["namespace", "pod", "container", "service", "job", "instance", "endpoint", "node"];
/// Labels beside `job` that name the program that was scraped.
const PROGRAMS: [&str; 6] = ["app_kubernetes_io_name", "app", "k8s_app", "service", "container", "component"];
/// Labels that are understood without a rule.
const UNDERSTOOD: [&str; 14] = [
    "alertname",
    "severity",
    "priority",
    "level",
    "environment",
    "env",
    "cluster",
    "namespace",
    "pod",
    "container",
    "service",
    "job",
    "instance",
    "endpoint",
];

/// What the alert is about, by these rules.
pub(crate) fn resolve(rules: &CompiledRules, alert: &LabelledAlert<'_>) -> Resolution {
    let reading = Reading::of(rules, alert);
    let found = reading.find();
    let service = found.as_ref().and_then(|found| reading.service_of(found));
    let observed_by = match (&found, reading.exporter) {
        (Some(found), Some(exporter)) if !found.itself => {
            (exporter.stands != Stands::Inside).then(|| exporter.name.clone())
        }
        (None, Some(exporter)) if exporter.stands != Stands::Inside => Some(exporter.name.clone()),
        _ => None,
    };
    match found {
        Some(Found { entity, rule, .. }) => {
            Resolution { about: AlertSubject { entity: Some(entity), observed_by, rule: rule.to_owned() }, service }
        }
        None => {
            Resolution { about: AlertSubject { entity: None, observed_by, rule: "none".to_owned() }, service: None }
        }
    }
}

/// The labels that no rule reads.
pub(crate) fn unmapped<'a>(rules: &CompiledRules, alert: &LabelledAlert<'a>) -> Vec<&'a str> {
    let reading = Reading::of(rules, alert);
    let subjects = reading.exporter.map_or(&rules.shapes, |exporter| &exporter.subjects);
    let is_read = |label: &str| {
        UNDERSTOOD.contains(&label)
            || rules.services.iter().any(|(service, _)| service == label)
            || subjects.iter().any(|subject| {
                let picks = subject.name.iter().chain(&subject.namespace);
                picks.into_iter().any(|pick| pick.label == label || pick.exported == label)
            })
    };
    alert.labels.keys().map(String::as_str).filter(|label| !is_read(label)).collect()
}

/// The subject that was found.
struct Found<'r> {
    entity: Entity,
    rule: &'r str,
    itself: bool,
}

/// One alert, with what is known of its exporter.
struct Reading<'r, 'a> {
    rules: &'r CompiledRules,
    labels: &'a Labels,
    /// The alert's name in lower case.
    name: String,
    exporter: Option<&'r Exporter>,
    /// Whether the scraper kept the metric's own labels aside: then the plain ones are the exporter's.
    has_exported: bool,
}

impl<'r, 'a> Reading<'r, 'a> {
    fn of(rules: &'r CompiledRules, alert: &LabelledAlert<'a>) -> Self {
        let is_target = |name: &str| name.strip_prefix("exported_").is_some_and(|label| TARGET.contains(&label));
        let mut reading = Self {
            rules,
            labels: alert.labels,
            name: alert.name.to_ascii_lowercase(),
            exporter: None,
            has_exported: alert
                .labels
                .range("exported_".to_owned()..)
                .take_while(|(name, _)| name.starts_with("exported_"))
                .any(|(name, _)| is_target(name)),
        };
        reading.exporter = reading.exporter();
        reading
    }

    fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The exporter whose alert this is.
    fn exporter(&self) -> Option<&'r Exporter> {
        let (exporters, known) = (&self.rules.exporters, &self.rules.known);
        let by_job = || {
            let job = self.label("job")?.to_ascii_lowercase();
            known.jobs.get(&job, || strongest(exporters, |exporter| best(&exporter.jobs, &job)).map(|found| found.1))
        };
        let by_name = || {
            let weigh = |exporter: &Exporter| best(&exporter.alerts, &self.name);
            known.alerts.get(&self.name, || strongest(exporters, weigh).map(|found| found.1))
        };
        let by_program = || {
            let programs = PROGRAMS.iter().filter_map(|label| self.label(label)).map(str::to_ascii_lowercase);
            let found = programs.filter_map(|program| {
                known.programs.get(&program, || strongest(exporters, |exporter| exporter.own(&program)))
            });
            // The strongest, and of equals the first in the file.
            found.max_by_key(|(weight, place)| (*weight, std::cmp::Reverse(*place))).map(|found| found.1)
        };
        let by_other_name = || {
            let weigh = |exporter: &Exporter| best(&exporter.alerts_maybe, &self.name);
            let found = known.alerts_maybe.get(&self.name, || strongest(exporters, weigh).map(|found| found.1));
            found.filter(|_| self.service_label(false).is_none())
        };
        let by_mark = || {
            let marks = self.labels.keys().filter(|label| self.label(label).is_some());
            marks.filter_map(|label| self.rules.marks.get(label)).min().copied()
        };
        let place = by_job().or_else(by_name).or_else(by_program).or_else(by_other_name).or_else(by_mark);
        place.and_then(|place| exporters.get(place))
    }

    fn find(&self) -> Option<Found<'r>> {
        let is_down = any(&self.rules.down, &self.name);
        let Some(exporter) = self.exporter else {
            return self.present(false).or_else(|| self.shape()).or_else(|| self.present(true));
        };
        // A scrape target that does not answer: the exporter itself, unless it stands beside one server.
        let is_target = is_down && (exporter.stands == Stands::Apart || self.label("instance").is_none());
        if is_target && let Some(found) = self.present(true) {
            return Some(found);
        }
        let own = exporter.subjects.iter().find_map(|subject| self.subject(subject, false));
        own.or_else(|| match exporter.stands {
            Stands::Inside => self.present(true).or_else(|| self.shape()),
            Stands::Apart | Stands::Beside => self.shape(),
        })
    }

    /// The service of a program that reports on itself. Unless `any`, names of exporters do not count.
    fn present(&self, any: bool) -> Option<Found<'r>> {
        let (name, kind) = self.service_label(any)?;
        let rule = if any && self.is_watcher(name) { "labels/observer" } else { "labels/service" };
        let namespace = self.label("namespace").map(ToOwned::to_owned);
        let entity = Entity { kind, name: name.trim().to_owned(), namespace, cluster: self.cluster() };
        Some(Found { entity, rule, itself: true })
    }

    fn service_label(&self, any: bool) -> Option<(&'a str, EntityKind)> {
        let named = self.rules.services.iter().filter_map(|(label, kind)| Some((self.label(label)?, kind.clone())));
        named.into_iter().find(|(value, _)| !value.trim().is_empty() && (any || !self.is_watcher(value)))
    }

    fn shape(&self) -> Option<Found<'r>> {
        self.rules.shapes.iter().find_map(|subject| self.subject(subject, true))
    }

    /// `is_shape` says that no rule of the exporter knows whose labels these are: then those of its target are its own.
    fn subject(&self, subject: &'r SubjectRule, is_shape: bool) -> Option<Found<'r>> {
        if !subject.alerts.is_empty() && !any(&subject.alerts, &self.name) {
            return None;
        }
        if !subject.with.iter().all(|label| self.label(label).is_some()) {
            return None;
        }
        // A rule that names the alert knows whose labels these are, and so does one about the exporter itself.
        let is_certain = subject.itself || !subject.alerts.is_empty();
        let is_observed = is_shape && self.exporter.is_some_and(|exporter| exporter.stands != Stands::Inside);
        let picks = subject.name.iter().filter(|pick| !(is_observed && TARGET.contains(&pick.label.as_str())));
        let named = picks.into_iter().find_map(|pick| self.pick(pick, is_certain));
        let name = named.map(Cow::into_owned).or_else(|| subject.is.clone())?;
        let namespace = subject.namespace.iter().find_map(|pick| self.pick(pick, true)).map(Cow::into_owned);
        let entity = Entity { kind: subject.kind.clone(), name, namespace, cluster: self.cluster() };
        Some(Found { entity, rule: &subject.rule, itself: subject.itself })
    }

    fn pick(&self, pick: &Pick, is_certain: bool) -> Option<Cow<'a, str>> {
        let stands = self.stands();
        let exported = (stands != Stands::Inside).then(|| self.label(&pick.exported)).flatten();
        let value = match exported {
            Some(value) => value,
            None => {
                let value = self.label(&pick.label)?;
                let is_target = stands != Stands::Inside && TARGET.contains(&pick.label.as_str());
                if is_target && stands == Stands::Apart && self.has_exported {
                    return None;
                }
                let names_program = is_target || PROGRAMS.contains(&pick.label.as_str());
                let is_checked = stands != Stands::Inside && !is_certain && pick.label != "namespace";
                if names_program && is_checked && self.is_own(value) {
                    return None;
                }
                value
            }
        };
        match pick.shape {
            NameShape::Whole => Some(Cow::Borrowed(value)),
            NameShape::Host => host(value).map(Cow::Borrowed),
        }
    }

    fn cluster(&self) -> Option<String> {
        let picked = |pick: &Pick| self.label(&pick.label);
        match self.exporter {
            Some(exporter) => exporter.cluster.iter().find_map(picked),
            None => self.label("cluster"),
        }
        .map(ToOwned::to_owned)
    }

    /// Whether a value names the exporter of this alert.
    fn is_own(&self, value: &str) -> bool {
        let value = value.to_ascii_lowercase();
        self.exporter.is_some_and(|exporter| exporter.own(&value).is_some()) || any(&self.rules.watchers, &value)
    }

    /// Whether a value names any exporter.
    fn is_watcher(&self, value: &str) -> bool {
        let value = value.to_ascii_lowercase();
        let watches = |exporter: &Exporter| exporter.stands != Stands::Inside && exporter.own(&value).is_some();
        self.rules
            .known
            .watchers
            .get(&value, || any(&self.rules.watchers, &value) || self.rules.exporters.iter().any(watches))
    }

    /// The service that an entity is, or is a part of: the one that a label names beside it, since a rule's author may
    /// have set it, else what the entity's own name says.
    fn service_of(&self, found: &Found<'_>) -> Option<String> {
        let entity = &found.entity;
        let name = entity.name.as_str();
        if entity.kind == EntityKind::Service {
            return Some(name.to_owned());
        }
        let told = self.label("exported_service").filter(|_| self.stands() != Stands::Inside);
        if let Some(told) = told.or_else(|| self.told_service()) {
            return Some(told.to_owned());
        }
        match &entity.kind {
            EntityKind::Workload => Some(workload::of_replica_set(name).to_owned()),
            EntityKind::Pod => Some(workload::of_pod(name).to_owned()),
            EntityKind::Job => Some(workload::of_job(name).to_owned()),
            EntityKind::Application
            | EntityKind::Autoscaler
            | EntityKind::DisruptionBudget
            | EntityKind::Ingress
            | EntityKind::Container
            | EntityKind::Database
            | EntityKind::Broker => Some(name.to_owned()),
            _ => None,
        }
    }

    /// The service that labels name, where it is no exporter. A scrape job is no service of what an exporter measures.
    fn told_service(&self) -> Option<&'a str> {
        let is_observed = self.stands() != Stands::Inside;
        let labels = self.rules.services.iter().filter(|(label, _)| !is_observed || label != "job");
        labels.filter(|(_, kind)| *kind == EntityKind::Service).filter_map(|(label, _)| self.label(label)).find(
            |value| {
                let value = value.trim().to_ascii_lowercase();
                let is_job =
                    self.stands() == Stands::Apart && self.exporter.is_some_and(|exporter| any(&exporter.jobs, &value));
                !value.is_empty() && !is_job && !self.is_watcher(&value)
            },
        )
    }

    fn stands(&self) -> Stands {
        self.exporter.map_or(Stands::Inside, |exporter| exporter.stands)
    }
}

/// The exporter of the greatest weight, and its place; the first of equals, so that the file's order decides.
fn strongest(exporters: &[Exporter], weight: impl Fn(&Exporter) -> Option<usize>) -> Option<(usize, usize)> {
    let weighed = exporters.iter().enumerate().filter_map(|(place, exporter)| Some((weight(exporter)?, place)));
    weighed.fold(None, |best: Option<(usize, usize)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    })
}

impl Exporter {
    /// How well a program's name fits this exporter's own. Patterns without a star in front are names of scrape jobs,
    /// which services may bear too.
    fn own(&self, program: &str) -> Option<usize> {
        let named = self.jobs.iter().filter(|pattern| pattern.is_open_before() && pattern.fits(program));
        named.map(crate::pattern::Pattern::weight).max()
    }
}

/// The host of an address, without scheme, user, path and port.
#[must_use]
pub fn host(address: &str) -> Option<&str> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['/', '?']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = if let Some(inner) = rest.strip_prefix('[') {
        inner.split(']').next().unwrap_or(inner)
    } else {
        match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => rest,
        }
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_found() {
        for (address, expect) in [
            ("db-1.example:9187", Some("db-1.example")),
            ("redis://user:x@cache-2:6379/0", Some("cache-2")),
            ("[2001:db8::1]:9100", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("https://shop.example/health?x=1", Some("shop.example")),
            ("worker-5", Some("worker-5")),
            (":9100", None),
        ] {
            assert_eq!(host(address), expect, "{address}");
        }
    }
}
