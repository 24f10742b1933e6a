//! Figures over a stretch of time, from the documents as of a position. Owns what each figure counts and what it
//! leaves out; every one is told with its definition and its sample, and nothing is said of an empty one.

use std::collections::BTreeMap;

use hindcast_api::{Duration, ModelSpend, Report, ReportRow, Spend};
use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::notice::{self, Notice};
use hindcast_domain::{Event, IncidentId, Span, Time};
use hindcast_queries::ReportFilter;

use super::Reader;
use crate::error::Error;
use crate::project;
use crate::project::load::partition_of;
use crate::store::keys::{About, Kind, List};

/// The stretch where none is named.
const STRETCH: Span = Span::hours(24 * 30);

/// What each figure means.
const DEFINITIONS: [(&str, &str); 12] = [
    ("incidents", "incidents opened in the stretch; those that became a part of another one are left out"),
    ("messages", "messages of senders about the alerts of these incidents, repeats included"),
    ("alerts", "distinct alerts of these incidents"),
    ("pages", "notices about these incidents that may wake somebody and were asked for; held ones are left out"),
    ("noise_removed", "thousandths of the alerts for which no page of their own was asked: grouped, repeated or held"),
    ("missed", "incidents that people had to declare by hand, and incidents that people reopened after their end"),
    ("unaccounted", "incidents at a paging severity of which nobody was told and that no hold names; must be 0"),
    ("mttd", "from the earliest symptom, as its sender says, to the opening; declared incidents are left out"),
    ("mtta", "from the opening to the first acknowledgement that stands; incidents without one are left out"),
    ("mttr", "from the earliest symptom to the end; incidents that are not over are left out"),
    ("with_cause", "closed incidents of which a person named the cause"),
    ("labels", "labels given in the stretch in these incidents that count"),
];

/// What is gathered of one line before the figures are made.
#[derive(Default)]
struct Sums {
    row: ReportRow,
    detect: Vec<f64>,
    acknowledge: Vec<f64>,
    resolve: Vec<f64>,
}

/// What is known of an incident from elsewhere.
#[derive(Default)]
struct Told {
    pages: u64,
    any: bool,
    labels: u64,
    reopened_by_people: u64,
}

impl Reader {
    /// Figures of a stretch.
    pub(crate) fn report(&self, filter: &ReportFilter) -> Result<Report, Error> {
        let until = filter.until.unwrap_or(self.recorded_at()? + Span::seconds(1));
        let since = filter.since.unwrap_or(until - STRETCH);
        let within = |at: Time| at >= since && at < until;
        let told = self.told_of_each(&within)?;
        let (mut total, mut services) = (Sums::default(), BTreeMap::<String, Sums>::new());
        for entry in self.store.list(List::Incidents, self.at, None) {
            let (_, id) = entry?;
            let Some((partition, incident)) = self.incident_fold(&id)? else { continue };
            if !within(incident.opened_at) || incident.merged_into.is_some() {
                continue;
            }
            let environment = partition_of(&partition)?.environment;
            if filter.environment.as_ref().is_some_and(|wanted| *wanted != environment) {
                continue;
            }
            if filter.service.as_ref().is_some_and(|wanted| !incident.services.contains(wanted)) {
                continue;
            }
            let tally = self.tally(&id)?;
            let nothing = Told::default();
            let about = told.get(&id).unwrap_or(&nothing);
            total.add(&incident, (tally.alerts, tally.occurrences), about);
            for service in &incident.services {
                services.entry(service.clone()).or_default().add(&incident, (tally.alerts, tally.occurrences), about);
            }
        }
        Ok(Report {
            since: Some(since),
            until: Some(until),
            total: total.figures(),
            services: services.into_iter().map(|(service, sums)| (service, sums.figures())).collect(),
            definitions: DEFINITIONS.map(|(name, what)| (name.to_owned(), what.to_owned())).into(),
            spend: self.spend(&within)?,
            position: self.at,
        })
    }

    /// What people were told of each incident, said of it, and took back.
    fn told_of_each(&self, within: &impl Fn(Time) -> bool) -> Result<BTreeMap<String, Told>, Error> {
        let mut told = BTreeMap::<String, Told>::new();
        for entry in self.store.list(List::Notices, self.at, None) {
            let (_, id) = entry?;
            let Some(document) = self.store.document(Kind::Notice, &id, self.at)? else { continue };
            let (_, notice) = document.read::<Notice>("a notice")?;
            let Some(incident) = &notice.incident else { continue };
            let of = told.entry(incident.to_string()).or_default();
            of.any = true;
            let asked = !matches!(notice.status, notice::Status::Held | notice::Status::Released);
            of.pages += u64::from(notice.page && asked);
        }
        for entry in self.store.list(List::Labels, self.at, None) {
            let (_, id) = entry?;
            let Some((_, label)) = self.label(&id)? else { continue };
            if within(label.at)
                && label.counts_at(self.at)
                && let Some(incident) = project::about(&label.given.about)
            {
                told.entry(incident.to_string()).or_default().labels += 1;
            }
        }
        for mention in self.store.about(About::Type, "incident.reopened", self.at) {
            let Some(recorded) = self.recorded(mention?.position)? else { continue };
            if recorded.actor != hindcast_domain::event::SYSTEM && recorded.subject.parse::<IncidentId>().is_ok() {
                told.entry(recorded.subject).or_default().reopened_by_people += 1;
            }
        }
        Ok(told)
    }

    fn spend(&self, within: &impl Fn(Time) -> bool) -> Result<Spend, Error> {
        let mut spend = Spend::default();
        for kind in ["conversation.answered", "conversation.replied"] {
            for mention in self.store.about(About::Type, kind, self.at) {
                let Some(recorded) = self.recorded(mention?.position)? else { continue };
                if !within(recorded.time) {
                    continue;
                }
                match &recorded.event {
                    Event::ConversationAnswered(answered) => {
                        spend.answers += 1;
                        spend.with_model += u64::from(answered.mode == "model");
                    }
                    Event::ConversationReplied(replied) => {
                        #[allow(clippy::cast_precision_loss)] // dollars for people
                        let cost = replied.cost_micros as f64 / 1e6;
                        let of: &mut ModelSpend = spend.models.entry(replied.model.clone()).or_default();
                        of.replies += 1;
                        of.tokens += replied.tokens_in + replied.tokens_out;
                        of.cost += cost;
                        spend.tokens += replied.tokens_in + replied.tokens_out;
                        spend.cost += cost;
                    }
                    _ => {}
                }
            }
        }
        Ok(spend)
    }
}

impl Sums {
    fn add(&mut self, incident: &Incident, (alerts, occurrences): (u64, u64), told: &Told) {
        let row = &mut self.row;
        let declared = incident.grouped_by.is_empty() && incident.split_from.is_none();
        row.incidents += 1;
        *row.by_severity.entry(incident.peak_severity).or_default() += 1;
        row.alerts += alerts;
        row.messages += occurrences;
        row.pages += told.pages;
        row.missed += u64::from(declared) + told.reopened_by_people;
        row.unaccounted += u64::from(incident.peak_severity.pages() && !declared && !told.any);
        row.reopened += incident.reopened;
        row.labels += told.labels;
        let seconds = |from: Time, to: Time| to.since(from).as_secs_f64().max(0.0);
        if !declared {
            self.detect.push(seconds(incident.started_at, incident.opened_at));
        }
        self.acknowledge.extend(incident.acknowledged_at.map(|at| seconds(incident.opened_at, at)));
        if let (Status::Resolved, Some(at)) = (incident.status, incident.resolved_at) {
            self.resolve.push(seconds(incident.started_at, at));
            row.closed += 1;
            row.with_cause += u64::from(incident.cause.is_some());
        }
    }

    fn figures(mut self) -> ReportRow {
        self.row.mttd = duration(self.detect);
        self.row.mtta = duration(self.acknowledge);
        self.row.mttr = duration(self.resolve);
        let removed = self.row.alerts.saturating_sub(self.row.pages);
        self.row.noise_removed = (removed * 1_000).checked_div(self.row.alerts).and_then(|share| share.try_into().ok());
        self.row
    }
}

/// Mean, median and 90th percentile (nearest rank); nothing of an empty sample.
fn duration(mut seconds: Vec<f64>) -> Duration {
    seconds.sort_by(f64::total_cmp);
    let rank = |share: usize| seconds.get((seconds.len() * share).div_ceil(100).saturating_sub(1)).copied();
    #[allow(clippy::cast_precision_loss)] // a count of incidents
    let mean = |sum: f64| sum / seconds.len() as f64;
    Duration {
        mean_s: (!seconds.is_empty()).then(|| mean(seconds.iter().sum())),
        median_s: rank(50),
        p90_s: rank(90),
        sample: seconds.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Names of the figures that have a definition.
    fn named() -> BTreeSet<&'static str> {
        DEFINITIONS.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn nothing_is_said_of_an_empty_sample() {
        let empty = duration(Vec::new());
        assert_eq!((empty.mean_s, empty.median_s, empty.p90_s, empty.sample), (None, None, None, 0));
        assert_eq!(Sums::default().figures().noise_removed, None);
    }

    #[test]
    fn ranks_are_of_the_sample_itself() {
        let ten = duration((1..=10).rev().map(f64::from).collect());
        assert_eq!((ten.mean_s, ten.median_s, ten.p90_s, ten.sample), (Some(5.5), Some(5.0), Some(9.0), 10));
        let one = duration(vec![7.0]);
        assert_eq!((one.median_s, one.p90_s), (Some(7.0), Some(7.0)));
    }

    #[test]
    fn every_figure_has_a_definition() {
        let row = serde_json::to_value(Sums::default().figures()).unwrap();
        let told: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let plain = BTreeSet::from(["by_severity", "closed", "reopened"]);
        assert_eq!(told.difference(&named()).copied().collect::<BTreeSet<_>>(), plain, "these say what they are");
    }
}
