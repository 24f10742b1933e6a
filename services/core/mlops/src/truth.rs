//! What people say was right: labelled problems, each with its stretches of firing. Owns how labels become
//! problems, and how far they contradict each other; refuses to know what any run decided.
//!
//! A problem is an incident of which a person named the cause, plus what labels tie to it. A label that says that two
//! alerts of one problem are two contradicts the others; how many do is the measure of how far the labels
//! can be trusted, and a gate that reads them asks for it. A firing of which people only said what it is no part of is a
//! stranger: nothing is known of it but that.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::label::{About, Kind, Label, Labels, Provenance};
use hindcast_domain::words::LabelValue;
use hindcast_domain::{EventId, Fingerprint, IncidentId};
use serde::{Deserialize, Serialize};

use crate::seen::{ObservedIncident, ObservedPartition};

/// A problem of the history whose member alerts are labelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelledProblem {
    /// The incident in which people closed it; its first firing where they only said that alerts are one.
    pub name: String,
    /// The service of its first alert.
    pub service: Option<String>,
    /// Its stretches of firing, by the `intake.alert` event that began each.
    pub firings: BTreeSet<EventId>,
}

/// A firing that is a problem of its own as far as anybody said, and the firings that it is no one problem with. More
/// is not known of it: other firings may belong to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// The incident in which it stands, or the firing itself.
    pub name: String,
    /// Service of the alert that fires; absent when it names none.
    pub service: Option<String>,
    /// The `intake.alert` event that began it.
    pub firing: EventId,
    /// What it is no one problem with: the firings, by what they are called.
    pub apart: BTreeMap<EventId, String>,
}

/// How far labels can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Labels about pairs.
    pub labels: u32,
    /// Of these, against what the others say together.
    pub contradicted: u32,
}

impl Quality {
    /// Contradicted labels, in thousandths of all.
    #[must_use]
    pub const fn contradicted_thousandths(self) -> u32 {
        match self.labels {
            0 => 0,
            labels => (self.contradicted as u64 * 1_000 / labels as u64) as u32,
        }
    }
}

/// All problems of a history whose member alerts are labelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelledProblems {
    /// The first position at which a problem may have begun.
    pub from: u64,
    /// In the order of their first firing.
    pub problems: Vec<LabelledProblem>,
    /// Firings of no labelled problem of which people said what they are no part of.
    #[serde(default)]
    pub strangers: Vec<Stranger>,
    /// How far the labels agree.
    pub quality: Quality,
}

struct ProblemFiring {
    id: EventId,
    observed: EventId,
    service: Option<String>,
    position: u64,
}

/// Reads problems from a partition's history in the order of the ledger, with labels as known at `to`.
/// Problems that began before `from` are left out: what a version was learnt from says nothing of it.
pub fn read<'a>(history: impl IntoIterator<Item = &'a Recorded>, from: u64, to: u64) -> LabelledProblems {
    let mut reader = TruthReader::default();
    history.into_iter().take_while(|recorded| recorded.position <= to).for_each(|recorded| reader.see(recorded));
    reader.truth(from)
}

/// Reads problems from a history that is read once. It holds labels, incidents and the stretches of firing,
/// each as small as it can be; messages that repeat what is known leave nothing here.
#[derive(Default)]
pub struct TruthReader {
    labels: Labels,
    seen: ObservedPartition,
    /// Stretches of firing, oldest first, by alert.
    firings: BTreeMap<Fingerprint, Vec<ProblemFiring>>,
    at: u64,
}

impl TruthReader {
    /// Takes the next event of the history.
    pub fn see(&mut self, recorded: &Recorded) {
        self.at = recorded.position;
        self.labels.evolve(recorded);
        self.seen.see(recorded);
        if let Event::AlertFired(fired) = &recorded.event
            && let Ok(fingerprint) = recorded.subject.parse()
        {
            self.firings.entry(fingerprint).or_default().push(ProblemFiring {
                id: recorded.id.clone(),
                observed: fired.observed.clone(),
                service: fired.service.clone(),
                position: recorded.position,
            });
        }
    }

    /// How far labels agree that count where the reading stands.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.grouped().1
    }

    /// The problems by the labels that count where the reading stands.
    #[must_use]
    pub fn truth(&self, from: u64) -> LabelledProblems {
        let (groups, quality) = self.grouped();
        let by_event: BTreeMap<&EventId, &ProblemFiring> =
            self.firings.values().flatten().map(|fired| (&fired.id, fired)).collect();
        let problems = groups.problems(&by_event, from);
        let strangers = self.strangers(&groups, &problems, from);
        LabelledProblems { from, problems, strangers, quality }
    }

    /// What people said is apart, where the comparison of problems does not see it: one of the two is of no problem.
    fn strangers(&self, groups: &Groups, problems: &[LabelledProblem], from: u64) -> Vec<Stranger> {
        let of_problem: BTreeMap<&EventId, &str> = problems
            .iter()
            .flat_map(|problem| problem.firings.iter().map(|firing| (firing, problem.name.as_str())))
            .collect();
        let homes: BTreeMap<&EventId, &str> = self
            .seen
            .cases
            .iter()
            .flat_map(|(id, case)| case.members.values().map(|placed| (&placed.fired, id.as_str())))
            .collect();
        let called = |fired: &ProblemFiring| {
            let known = of_problem.get(&fired.observed).or_else(|| homes.get(&fired.id)).copied();
            known.unwrap_or(fired.observed.as_str()).to_owned()
        };
        let mut strangers: BTreeMap<(u64, EventId), Stranger> = BTreeMap::new();
        for (younger, older, same, said) in self.pairs() {
            let is_apart = !same && said && groups.root(&younger.id) != groups.root(&older.id);
            if !is_apart || younger.position < from || older.position < from {
                continue;
            }
            for (one, other) in [(younger, older), (older, younger)] {
                if of_problem.contains_key(&one.observed) {
                    continue;
                }
                let stranger = strangers.entry((one.position, one.observed.clone())).or_insert_with(|| Stranger {
                    name: called(one),
                    service: one.service.clone(),
                    firing: one.observed.clone(),
                    apart: BTreeMap::new(),
                });
                stranger.apart.insert(other.observed.clone(), called(other));
            }
        }
        strangers.into_values().collect()
    }

    /// Pairs that labels speak of: whether they are one problem, and whether a person said so.
    fn pairs(&self) -> Vec<(&ProblemFiring, &ProblemFiring, bool, bool)> {
        let grouping = self.labels.counting_at(self.at).filter(|label| label.given.kind == Kind::Grouping);
        let pair = |label: &Label| match &label.given.about {
            About::Pair { younger, fired, older, .. } => {
                let (younger, older) = self.pair(younger, fired, older)?;
                let said = label.given.provenance == Provenance::Explicit;
                Some((younger, older, label.given.value == LabelValue::Same, said))
            }
            _ => None,
        };
        grouping.filter_map(pair).collect()
    }

    fn grouped(&self) -> (Groups, Quality) {
        let pairs: Vec<(&EventId, &EventId, bool)> =
            self.pairs().into_iter().map(|(younger, older, same, _)| (&younger.id, &older.id, same)).collect();
        let mut groups = Groups::default();
        for (id, case) in self.caused().filter(|(_, case)| case.merged_into.is_none()) {
            let members: Vec<&EventId> = case.members.values().map(|placed| &placed.fired).collect();
            groups.named(id.as_str(), &members);
        }
        for (younger, older, _) in pairs.iter().filter(|(.., same)| *same) {
            groups.join(younger, older);
        }
        let contradicted = pairs.iter().filter(|(a, b, same)| !same && groups.root(a) == groups.root(b)).count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (groups, Quality { labels: count(pairs.len()), contradicted: count(contradicted) })
    }

    /// Incidents of which a person's word about their cause still counts.
    fn caused(&self) -> impl Iterator<Item = (&IncidentId, &ObservedIncident)> {
        let causes = self.labels.counting_at(self.at).filter(|label| label.given.kind == Kind::Cause);
        let incidents: BTreeSet<&IncidentId> = causes
            .filter_map(|label| match &label.given.about {
                About::Incident { incident } => Some(incident),
                _ => None,
            })
            .collect();
        incidents.into_iter().filter_map(|id| self.seen.cases.get_key_value(id))
    }

    /// The stretch with which the younger one fired, and the one in which the older one was then.
    fn pair(
        &self,
        younger: &Fingerprint,
        fired: &EventId,
        older: &Fingerprint,
    ) -> Option<(&ProblemFiring, &ProblemFiring)> {
        let younger = self.firings.get(younger)?.iter().rev().find(|one| one.id == *fired)?;
        let older = self.firings.get(older)?.iter().rev().find(|one| one.position < younger.position)?;
        Some((younger, older))
    }
}

/// Firings that are one problem: a union-find by event.
#[derive(Default)]
struct Groups {
    parent: BTreeMap<EventId, EventId>,
    names: BTreeMap<EventId, String>,
}

impl Groups {
    fn root(&self, of: &EventId) -> EventId {
        let mut at = of;
        while let Some(next) = self.parent.get(at).filter(|next| *next != at) {
            at = next;
        }
        at.clone()
    }

    fn join(&mut self, a: &EventId, b: &EventId) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        if let Some(name) = self.names.remove(&high) {
            self.names.entry(low.clone()).or_insert(name);
        }
        self.parent.insert(low.clone(), low.clone());
        self.parent.insert(high, low);
    }

    fn named(&mut self, name: &str, members: &[&EventId]) {
        for member in members {
            if let Some(first) = members.first() {
                self.join(first, member);
            }
        }
        if let Some(first) = members.first() {
            let root = self.root(first);
            self.names.entry(root).or_insert_with(|| name.to_owned());
        }
    }

    fn problems(&self, firings: &BTreeMap<&EventId, &ProblemFiring>, from: u64) -> Vec<LabelledProblem> {
        let mut groups: BTreeMap<EventId, Vec<&ProblemFiring>> = BTreeMap::new();
        for event in self.parent.keys() {
            if let Some(fired) = firings.get(event).copied() {
                groups.entry(self.root(event)).or_default().push(fired);
            }
        }
        let mut problems: Vec<(u64, LabelledProblem)> = Vec::new();
        for (root, members) in groups {
            let Some(first) = members.iter().min_by_key(|fired| fired.position).filter(|it| it.position >= from) else {
                continue;
            };
            let name = self.names.get(&root).cloned().unwrap_or_else(|| first.observed.to_string());
            let service = first.service.clone();
            let firings = members.iter().map(|fired| fired.observed.clone()).collect();
            problems.push((first.position, LabelledProblem { name, service, firings }));
        }
        problems.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
        problems.into_iter().map(|(_, problem)| problem).collect()
    }
}
