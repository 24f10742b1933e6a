//! Figures over a stretch of time. Owns what each figure counts and what it leaves out; refuses to know where
//! the history is kept. Nothing is said of an empty sample.
//!
//! Two populations stand side by side, each by its own time: *incidents* that were opened in the stretch, and
//! *firings* with the *pages* that were asked for in it. A stretch holds its beginning and not its end.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Duration, ReportRow};
use hindcast_domain::Time;
use hindcast_domain::incident::Status;
use hindcast_domain::label::{Kind, Provenance};

use crate::project::reported::{IncidentRow, LabelNote};

/// What each figure means, by the name that it has in a row.
pub const DEFINITIONS: [(&str, &str); 20] = [
    ("incidents", "incidents opened in the period; incidents that were merged into another one are not counted"),
    ("messages", "messages of senders about the alerts of these incidents, repeats included"),
    ("alerts", "distinct alerts of these incidents"),
    ("pages", "requested notifications about these incidents that may wake somebody; suppressed ones are not counted"),
    ("firings", "changes of an alert to firing in the period; silenced ones are counted, repeats are not"),
    ("paged", "times in the period at which a page was requested; several receivers at once count once"),
    ("noise_removed", "thousandths of the firings without a page of their own: grouped, repeated or suppressed"),
    (
        "missed",
        "incidents that people declared, or that were reopened after a person had resolved them; each counted once",
    ),
    ("declared", "incidents that people declared: no alert reported them before"),
    ("came_back", "incidents that were reopened, by their alerts or by a person, after a person had resolved them"),
    ("wrongly_merged", "incidents with alerts that a person marked as another problem"),
    (
        "unaccounted",
        "incidents of a paging severity, opened by alerts, without a notification and without a recorded suppression; must be 0",
    ),
    ("mttd", "from the earliest symptom, as its sender reports it, to the opening; declared incidents are not counted"),
    (
        "mtta",
        "from the opening to the last valid acknowledgement; incidents without one are not counted, a snooze is not one",
    ),
    ("mttr", "from the earliest symptom to the resolution; unresolved incidents are not counted"),
    ("with_cause", "resolved incidents with a cause that a person recorded"),
    ("labels", "valid labels of these incidents, given in the period"),
    ("useful", "of these, incidents with the label useful: acknowledged by a person, or marked by one"),
    ("noise", "of these, incidents with the label noise; a disputed one counts in both"),
    ("no_action", "of these, incidents that were acknowledged and resolved automatically, without an action"),
];

/// From when to when, in one service or in all.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// At or after.
    pub since: Time,
    /// Before.
    pub until: Time,
    /// Of this service alone.
    pub service: Option<String>,
}

impl Stretch {
    /// Whether a moment is in it.
    #[must_use]
    pub fn holds(&self, at: Time) -> bool {
        at >= self.since && at < self.until
    }

    fn wants<'a>(&self, mut services: impl Iterator<Item = &'a String>) -> bool {
        self.service.as_ref().is_none_or(|wanted| services.any(|service| service == wanted))
    }
}

/// What is known of an incident beside its fold.
#[derive(Clone, Debug, Default)]
pub struct IncidentFigures {
    /// Number of alerts that joined the incident.
    pub alerts: u64,
    /// Messages about them.
    pub messages: u64,
    /// Pages that were asked for.
    pub pages: u64,
    /// Whether any notice or hold names it.
    pub accounted: bool,
    /// Whether it came back after a person had ended it, or a person reopened it.
    pub came_back: bool,
    /// Labels that count.
    pub labels: u64,
    /// What labels say of whether it was worth somebody's time.
    pub attention: BTreeSet<String>,
    /// Whether a person named its cause, apart from resolving it.
    pub cause: bool,
    /// Whether a person said that alerts of it are two problems.
    pub wrongly_merged: bool,
}

impl IncidentFigures {
    /// Takes a label of the stretch in that counts.
    ///
    /// `together`: whether the alerts of a pair were in the incident when they were spoken of. To say that two are
    /// apart that were kept apart finds no fault.
    pub(crate) fn label(&mut self, given: &LabelNote, together: bool) {
        self.labels += 1;
        match given.kind {
            Kind::Attention => {
                self.attention.insert(given.value.to_string());
            }
            // A merge of people that was taken back was no doing of ours.
            Kind::Grouping if given.value == "different" && given.provenance == Provenance::Explicit => {
                self.wrongly_merged |= given.rule == "split" || given.rule == "pair_different" && together;
            }
            _ => {}
        }
    }
}

/// One line in the making.
#[derive(Clone, Debug, Default)]
struct FigureLine {
    row: ReportRow,
    detect: Vec<f64>,
    acknowledge: Vec<f64>,
    resolve: Vec<f64>,
}

/// All lines in the making.
#[derive(Clone, Debug)]
pub struct Figures {
    stretch: Stretch,
    total: FigureLine,
    services: BTreeMap<String, FigureLine>,
}

impl Figures {
    /// Nothing yet.
    #[must_use]
    pub fn new(stretch: Stretch) -> Self {
        Self { stretch, total: FigureLine::default(), services: BTreeMap::new() }
    }

    /// Counts an incident, if it is one of the stretch.
    pub(crate) fn incident(&mut self, incident: &IncidentRow, told: &IncidentFigures) {
        if !self.stretch.holds(Time::from_nanos(incident.opened_at)) || incident.merged {
            return;
        }
        self.each(&incident.services, |line| line.incident(incident, told));
    }

    /// Counts a change of an alert to firing.
    pub fn firing(&mut self, at: Time, service: Option<&String>) {
        if self.stretch.holds(at) {
            self.each(service, |line| line.row.firings += 1);
        }
    }

    /// Counts a moment at which a page was asked for, about something that hit `services`.
    pub(crate) fn paged(&mut self, at: Time, services: &[String]) {
        if self.stretch.holds(at) {
            self.each(services, |line| line.row.paged += 1);
        }
    }

    /// The figures: of all together, where each thing counts once, and by service.
    #[must_use]
    pub fn rows(self) -> (ReportRow, BTreeMap<String, ReportRow>) {
        let services = self.services.into_iter().map(|(service, line)| (service, line.row())).collect();
        (self.total.row(), services)
    }

    fn each<'a>(
        &mut self,
        services: impl IntoIterator<Item = &'a String> + Clone,
        mut count: impl FnMut(&mut FigureLine),
    ) {
        if !self.stretch.wants(services.clone().into_iter()) {
            return;
        }
        count(&mut self.total);
        for service in services {
            if self.stretch.service.as_ref().is_none_or(|wanted| wanted == service) {
                count(self.services.entry(service.clone()).or_default());
            }
        }
    }
}

impl FigureLine {
    fn incident(&mut self, incident: &IncidentRow, told: &IncidentFigures) {
        let row = &mut self.row;
        let declared = incident.declared;
        row.incidents += 1;
        *row.by_severity.entry(incident.peak).or_default() += 1;
        row.alerts += told.alerts;
        row.messages += told.messages;
        row.pages += told.pages;
        row.declared += u64::from(declared);
        row.came_back += u64::from(told.came_back);
        row.missed += u64::from(declared || told.came_back);
        row.wrongly_merged += u64::from(told.wrongly_merged);
        row.unaccounted += u64::from(incident.peak.pages() && !declared && !told.accounted);
        row.reopened += incident.reopened;
        row.labels += told.labels;
        row.useful += u64::from(told.attention.contains("useful"));
        row.noise += u64::from(told.attention.contains("noise"));
        row.no_action += u64::from(told.attention.contains("no_action"));
        if !declared {
            self.detect.push(seconds(incident.opened_at, incident.started_at));
        }
        self.acknowledge.extend(incident.acknowledged_at.map(|at| seconds(at, incident.opened_at)));
        if let (Status::Resolved, Some(at)) = (incident.status, incident.resolved_at) {
            self.resolve.push(seconds(at, incident.started_at));
            row.closed += 1;
            row.with_cause += u64::from(incident.cause || told.cause);
        }
    }

    fn row(mut self) -> ReportRow {
        self.row.mttd = duration(self.detect);
        self.row.mtta = duration(self.acknowledge);
        self.row.mttr = duration(self.resolve);
        let removed = self.row.firings.saturating_sub(self.row.paged);
        let share = removed.saturating_mul(1_000).checked_div(self.row.firings);
        self.row.noise_removed = share.and_then(|share| share.try_into().ok());
        self.row
    }
}

/// Seconds between two times in nanoseconds. A sender's clock that runs ahead makes no span that is less than nothing.
fn seconds(end: i64, start: i64) -> f64 {
    Time::from_nanos(end).since(Time::from_nanos(start)).as_secs_f64().max(0.0)
}

/// Mean, median and 90th percentile (nearest rank), in seconds; nothing of an empty sample.
#[must_use]
pub fn duration(mut seconds: Vec<f64>) -> Duration {
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
mod tests;
