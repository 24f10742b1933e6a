//! What was seen of incidents: who belonged to them and since when, what people did with them, what was
//! paged and proposed. Owns that fold, which the labeller decides on and the data set is read from; refuses
//! to know any label.

use hindcast_domain::events;
use hindcast_domain::words::{LineageKind, ResolvedBy, UserVerdict};
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::event::{Event, Recorded, SYSTEM};
use hindcast_domain::incident::{self, Grouping};
use hindcast_domain::label::{About, Judged};
use hindcast_domain::{EventId, Fingerprint, IncidentId, NoticeId, ProposalId, Span, Time};
use serde::{Deserialize, Serialize};

/// How long a closed incident is remembered: after that nobody labels it any more.
pub const REMEMBERED: Span = Span::hours(24 * 30);
/// Members of one incident that are remembered.
const MEMBERS_MAX: usize = 1_000;
/// Pages of one incident that are remembered.
const PAGES_MAX: usize = 16;
/// Incidents that one alert was kept out of.
const APART_MAX: usize = 3;

/// How an alert came to its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertPlacement {
    /// The `alert.fired` event with which it looked for its place.
    pub fired: EventId,
    /// Where that stands; it orders alerts by age.
    pub position: u64,
    /// The member that it was most like.
    pub like: Option<Fingerprint>,
    /// Incidents that it was kept out of.
    pub apart: Vec<IncidentId>,
}

/// How an incident ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEnd {
    /// Time of the event that closed it.
    pub at: Time,
    /// The event that closed the incident.
    pub event: EventId,
    /// Whether a person said so.
    pub by_person: bool,
}

/// What was seen of one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedIncident {
    /// The alerts that belong to the incident, with how each came there.
    pub members: BTreeMap<Fingerprint, AlertPlacement>,
    /// Its alerts' services.
    pub services: BTreeSet<String>,
    /// How it ended; `None` while it lives.
    pub closed: Option<IncidentEnd>,
    /// The incident that it became a part of.
    pub merged_into: Option<IncidentId>,
    /// Whether a person ever acknowledged it.
    pub acknowledged: bool,
    /// Whether a person did more than that: noted, assigned, resolved, merged, split, …
    pub acted: bool,
    /// The cause that each person named.
    pub causes: BTreeMap<String, String>,
    /// Pages about it.
    pub pages: Vec<NoticeId>,
    /// Pages among them that somebody opened.
    pub opened: BTreeSet<NoticeId>,
    /// Runbook proposals made for the incident.
    pub proposals: u32,
    /// Of these, approved, or said to have fixed it.
    pub approved: u32,
}

impl ObservedIncident {
    /// Whether a person had anything to do with it.
    #[must_use]
    pub const fn is_touched(&self) -> bool {
        self.acknowledged || self.acted
    }
}

/// A proposal that nobody judged yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The incident that the runbook was proposed for.
    pub incident: IncidentId,
    /// When it was made.
    pub at: Time,
    /// The event that records the proposal.
    pub event: EventId,
}

/// What was seen of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedPartition {
    /// By incident.
    pub cases: BTreeMap<IncidentId, ObservedIncident>,
    /// The newest `alert.fired` of each alert, and where it stands.
    fired: BTreeMap<Fingerprint, (EventId, u64)>,
    /// Where each alert belongs.
    pub homes: BTreeMap<Fingerprint, IncidentId>,
    /// Proposals that nobody judged yet.
    pub proposals: BTreeMap<ProposalId, Proposed>,
    judged: BTreeMap<ProposalId, IncidentId>,
    notices: BTreeMap<NoticeId, IncidentId>,
    closed_at: BTreeSet<(Time, IncidentId)>,
}

impl ObservedPartition {
    /// Folds an event; the incident that it concerned, if it did.
    pub fn see(&mut self, recorded: &Recorded) -> Option<IncidentId> {
        match &recorded.event {
            Event::AlertFired(_) => {
                let fingerprint = recorded.subject.parse().ok()?;
                self.fired.insert(fingerprint, (recorded.id.clone(), recorded.position));
                None
            }
            Event::NoticeRequested(asked) => {
                let incident = asked.incident.clone().filter(|_| asked.page)?;
                let case = self.cases.get_mut(&incident).filter(|case| case.pages.len() < PAGES_MAX)?;
                let notice: NoticeId = recorded.subject.parse().ok()?;
                self.notices.insert(notice.clone(), incident.clone());
                case.pages.push(notice);
                Some(incident)
            }
            Event::ProposalMade(made) => {
                let id: ProposalId = recorded.subject.parse().ok()?;
                self.cases.get_mut(&made.incident)?.proposals += 1;
                let (at, event) = (recorded.time, recorded.id.clone());
                self.proposals.insert(id, Proposed { incident: made.incident.clone(), at, event });
                Some(made.incident.clone())
            }
            Event::LabelJudged(judged) => self.judged(judged, &recorded.actor),
            Event::ProposalRejected(_)
            | Event::LabelGiven(_)
            | Event::LabelRetracted(_)
            | Event::NoticeHeld(_)
            | events! { intake, finding, conversation, model, chat, incident, silence, control, alert_course, notice_course } => {
                self.incident(recorded)
            }
        }
    }

    fn judged(&mut self, judged: &Judged, actor: &str) -> Option<IncidentId> {
        match &judged.about {
            About::Incident { incident } => {
                let cause = cause_of(judged)?;
                let case = self.cases.get_mut(incident)?;
                case.acted = true;
                case.causes.insert(actor.to_owned(), cause.to_owned());
                Some(incident.clone())
            }
            About::Notice { notice } => {
                let incident = self.notices.get(notice)?.clone();
                self.cases.get_mut(&incident)?.opened.insert(notice.clone());
                Some(incident)
            }
            About::Proposal { proposal } => {
                if let Some(made) = self.proposals.remove(proposal) {
                    self.judged.insert(proposal.clone(), made.incident);
                }
                let incident = self.judged.get(proposal)?.clone();
                // What is said to have fixed it was done, whoever approved it.
                let done = matches!(judged.verdict.as_str(), "approved" | "fixed");
                self.cases.get_mut(&incident)?.approved += u32::from(done);
                Some(incident)
            }
            _ => None,
        }
    }

    fn incident(&mut self, recorded: &Recorded) -> Option<IncidentId> {
        let id: IncidentId = recorded.subject.parse().ok()?;
        let by_person = recorded.actor != SYSTEM;
        match &recorded.event {
            Event::IncidentOpened(opened) => {
                let mut case = ObservedIncident::default();
                case.services.extend(opened.service.clone());
                self.cases.insert(id.clone(), case);
                self.place(&id, &opened.fingerprint, Some(&opened.grouping));
            }
            Event::IncidentDeclared(declared) => {
                let services = declared.services.iter().cloned().collect();
                self.cases
                    .insert(id.clone(), ObservedIncident { services, acted: true, ..ObservedIncident::default() });
            }
            Event::IncidentAlertJoined(joined) => {
                self.cases.get_mut(&id)?.services.extend(joined.service.clone());
                self.place(&id, &joined.fingerprint, joined.grouping.as_ref());
            }
            Event::IncidentAcknowledged(_) => self.cases.get_mut(&id)?.acknowledged = true,
            Event::IncidentResolved(resolved) => {
                let case = self.cases.get_mut(&id)?;
                case.acted |= by_person;
                if let Some(cause) = resolved.cause.as_ref().filter(|_| by_person) {
                    case.causes.insert(recorded.actor.clone(), cause.clone());
                }
                self.close(&id, recorded, resolved.by == ResolvedBy::Person);
            }
            Event::IncidentReopened(_) => {
                self.cases.get_mut(&id)?.acted |= by_person;
                self.open(&id);
            }
            Event::IncidentMerged(merged) => self.merged(&id, merged, recorded)?,
            Event::IncidentSplit(split) => self.split(&id, split, recorded)?,
            Event::IncidentUndone(undone) => self.undone(&id, undone, recorded)?,
            Event::IncidentAssigned(_)
            | Event::IncidentNoted(_)
            | Event::IncidentSeveritySet(_)
            | Event::IncidentSnoozed(_)
            | Event::IncidentFeedback(_) => self.cases.get_mut(&id)?.acted = true,
            Event::IncidentUnacknowledged(_)
            | Event::IncidentAwoken(_)
            | Event::IncidentReviewed(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice } =>
            {
                return None;
            }
        }
        Some(id)
    }

    /// Another incident became a part of this one. `None` where one of the two was never seen.
    fn merged(&mut self, id: &IncidentId, merged: &incident::Merged, recorded: &Recorded) -> Option<()> {
        self.move_all(&merged.fingerprints, &merged.incident, id);
        let services = self.cases.get(&merged.incident).map(|from| from.services.clone()).unwrap_or_default();
        let into = self.cases.get_mut(id)?;
        into.services.extend(services);
        into.acted |= recorded.actor != SYSTEM;
        self.cases.get_mut(&merged.incident)?.merged_into = Some(id.clone());
        self.close(&merged.incident, recorded, true);
        Some(())
    }

    /// Some alerts of this incident became one of their own. `None` where one of the two was never seen.
    fn split(&mut self, id: &IncidentId, split: &incident::Split, recorded: &Recorded) -> Option<()> {
        let services = split.services.iter().cloned().collect();
        let acted = recorded.actor != SYSTEM;
        self.cases.insert(split.incident.clone(), ObservedIncident { services, acted, ..ObservedIncident::default() });
        self.move_all(&split.fingerprints, id, &split.incident);
        let stayed = self.cases.get_mut(id)?;
        stayed.services = split.services_left.iter().cloned().collect();
        stayed.acted |= acted;
        if !split.firing {
            self.close(&split.incident, recorded, false);
        }
        Some(())
    }

    /// A merge or a split was taken back. `None` where one of the two was never seen.
    fn undone(&mut self, id: &IncidentId, undone: &incident::Undone, recorded: &Recorded) -> Option<()> {
        let merged = undone.how == LineageKind::Merged;
        let (from, to) = if merged { (id, &undone.other) } else { (&undone.other, id) };
        self.move_all(&undone.fingerprints, from, to);
        let acted = recorded.actor != SYSTEM;
        if let Some(other) = self.cases.get_mut(&undone.other) {
            other.merged_into = (!merged).then(|| id.clone());
            other.acted |= acted;
        }
        match (merged, undone.other_firing) {
            (true, true) => self.open(&undone.other),
            (true, false) => self.close(&undone.other, recorded, false),
            (false, _) => self.close(&undone.other, recorded, true),
        }
        let case = self.cases.get_mut(id)?;
        case.services = undone.services.iter().cloned().collect();
        case.acted |= acted;
        Some(())
    }

    fn place(&mut self, id: &IncidentId, fingerprint: &Fingerprint, grouping: Option<&Grouping>) {
        self.homes.insert(fingerprint.clone(), id.clone());
        let Some((fired, position)) = self.fired.get(fingerprint).cloned() else { return };
        let Some(case) = self.cases.get_mut(id) else { return };
        // A member that came back keeps the moment at which it looked for its place.
        let known = case.members.contains_key(fingerprint);
        if (known && grouping.is_none()) || (!known && case.members.len() >= MEMBERS_MAX) {
            return;
        }
        let like = grouping.and_then(|grouping| grouping.like.clone());
        let considered = grouping.into_iter().flat_map(|grouping| &grouping.considered).take(APART_MAX);
        let apart = considered.map(|other| other.incident.clone()).collect();
        case.members.insert(fingerprint.clone(), AlertPlacement { fired, position, like, apart });
    }

    fn move_all(&mut self, moving: &[Fingerprint], from: &IncidentId, to: &IncidentId) {
        for fingerprint in moving {
            self.homes.insert(fingerprint.clone(), to.clone());
            let placed = self.cases.get_mut(from).and_then(|case| case.members.remove(fingerprint));
            if let (Some(placed), Some(case)) = (placed, self.cases.get_mut(to)) {
                case.members.insert(fingerprint.clone(), placed);
            }
        }
    }

    fn close(&mut self, id: &IncidentId, recorded: &Recorded, by_person: bool) {
        self.open(id);
        if let Some(case) = self.cases.get_mut(id) {
            case.closed = Some(IncidentEnd { at: recorded.time, event: recorded.id.clone(), by_person });
            self.closed_at.insert((recorded.time, id.clone()));
        }
    }

    fn open(&mut self, id: &IncidentId) {
        if let Some(closed) = self.cases.get_mut(id).and_then(|case| case.closed.take()) {
            self.closed_at.remove(&(closed.at, id.clone()));
        }
    }

    /// Lets go of what ended more than [`REMEMBERED`] ago.
    pub fn forget(&mut self, now: Time) {
        while let Some((at, id)) = self.closed_at.first().cloned() {
            if now.since(at) <= REMEMBERED {
                break;
            }
            self.closed_at.pop_first();
            if let Some(case) = self.cases.remove(&id) {
                self.homes.retain(|fingerprint, home| *home != id || !case.members.contains_key(fingerprint));
                case.pages.iter().for_each(|notice| {
                    self.notices.remove(notice);
                });
                self.judged.retain(|_, incident| *incident != id);
                self.proposals.retain(|_, proposed| proposed.incident != id);
            }
        }
    }
}

/// The cause that a judgement names.
pub(crate) fn cause_of(judged: &Judged) -> Option<&str> {
    let of_incident = matches!(judged.about, About::Incident { .. }) && judged.verdict == UserVerdict::Cause;
    judged.text.as_deref().filter(|text| of_incident && !text.trim().is_empty())
}
