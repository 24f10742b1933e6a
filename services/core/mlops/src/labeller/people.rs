//! What follows at once from what a person did: a label, several pairs of alerts, or a retraction.

use hindcast_domain::events;
use hindcast_domain::words::{LineageKind, SilenceEnd, SuppressionKind, UserVerdict};
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::command::{Code, Command, Rejected};
use hindcast_domain::event::{Draft, Event, Recorded, SYSTEM};
use hindcast_domain::label::{About, Judged, Kind, Label, Provenance};
use hindcast_domain::{EventId, Fingerprint, IncidentId, LabelId, Time, incident};

use super::LABELS_MAX;
use super::given::{give, retract};
use super::state::{LabellerState, SETTLES_AFTER};
use crate::seen::{AlertPlacement, ObservedIncident, cause_of};
use crate::table::{self, LabelRule};

/// Alerts of the other side that one alert is paired with: those nearest in age.
const NEAREST: usize = 4;

/// Decides about one input.
pub(crate) fn decide(state: &LabellerState, input: &Recorded, now: Time) -> Vec<Draft> {
    let mut out = Out::new(state, input);
    match &input.event {
        Event::Command(received) => {
            if let Command::UndoEvent { event, subject } = &received.command {
                return undo(state, input, event, subject);
            }
        }
        Event::LabelJudged(judged) => match (&judged.about, cause_of(judged)) {
            (About::Incident { incident }, Some(cause)) => {
                of_cause(state, input, incident, table::CAUSE_CONFIRMED, cause, &mut out)
            }
            _ => out.extend(judge(judged).map(|rule| (rule, judged.about.clone(), None))),
        },
        Event::AlertSuppressed(held) if held.kind == SuppressionKind::Silence => out.extend(of_alert(state, input)),
        Event::AlertUnsuppressed(lifted) if lifted.reason == SilenceEnd::Undone => {
            if let Some((rule, about, _)) = of_alert(state, input) {
                out.retract(
                    state.of_topic(rule.kind, &about).filter(|label| label.given.rule == rule.name),
                    "the silence was undone",
                );
            }
        }
        Event::Delivery(_)
        | Event::DoorOpened(_)
        | Event::Observed(_)
        | Event::Repeats(_)
        | Event::Change(_)
        | Event::Parked(_)
        | Event::Unparked(_)
        | Event::LabelGiven(_)
        | Event::LabelRetracted(_)
        | Event::AlertFired(_)
        | events! { finding, conversation, proposal, model, chat, incident, silence, control, notice, alert_course } => {
            if let Some((id, case)) = input.subject.parse().ok().and_then(|id| state.seen.cases.get_key_value(&id)) {
                of_incident(state, input, id, case, now, &mut out);
            }
        }
    }
    out.done()
}

fn of_alert(state: &LabellerState, input: &Recorded) -> Option<(LabelRule, About, Option<String>)> {
    let fingerprint: Fingerprint = input.subject.parse().ok()?;
    let incident = state.seen.homes.get(&fingerprint).cloned();
    Some((table::SILENCED, About::Alert { fingerprint, incident }, None))
}

fn of_incident(
    state: &LabellerState,
    input: &Recorded,
    id: &IncidentId,
    case: &ObservedIncident,
    now: Time,
    out: &mut Out<'_>,
) {
    let about = || About::Incident { incident: id.clone() };
    let by_person = input.actor != SYSTEM;
    match &input.event {
        Event::IncidentAcknowledged(_) if by_person => out.give(table::ACKNOWLEDGED, about(), None),
        Event::IncidentUnacknowledged(_) => {
            let acknowledged = state.of_topic(Kind::Attention, &about());
            out.retract(acknowledged.filter(|label| label.given.rule == table::ACKNOWLEDGED.name), "it was taken back");
        }
        Event::IncidentResolved(resolved) if by_person => {
            if let Some(cause) = &resolved.cause {
                of_cause(state, input, id, table::CAUSE, cause, out);
            }
        }
        Event::IncidentReopened(reopened) => {
            let ended = case.closed.as_ref().filter(|closed| now.since(closed.at) <= SETTLES_AFTER);
            if by_person && reopened.fingerprint.is_none() {
                out.give(table::REOPENED, about(), None);
            } else if ended.is_some() {
                out.give(table::CAME_BACK, about(), None);
            }
        }
        Event::IncidentMerged(merged) if by_person => merge(state, id, case, merged, out),
        Event::IncidentSplit(split) if by_person => apart(id, case, split, out),
        Event::IncidentUndone(undone) => take_back(state, id, case, undone, out),
        Event::IncidentSeveritySet(set) if by_person => {
            out.give(table::SEVERITY_SET, about(), Some(set.severity.to_string()));
        }
        Event::IncidentFeedback(feedback) if by_person => match UserVerdict::from(feedback.verdict.as_str().trim()) {
            UserVerdict::Helpful | UserVerdict::Useful | UserVerdict::Confirmed => {
                out.give(table::FEEDBACK_USEFUL, about(), None)
            }
            UserVerdict::Noise | UserVerdict::NotHelpful | UserVerdict::FalseAlarm => {
                out.give(table::FEEDBACK_NOISE, about(), None)
            }
            _ => {}
        },
        Event::IncidentDeclared(_)
        | Event::IncidentAcknowledged(_)
        | Event::IncidentResolved(_)
        | Event::IncidentMerged(_)
        | Event::IncidentSplit(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, placement, care } =>
            {}
    }
}

/// A person named the cause of an incident: what the same person said before counts no more.
fn of_cause(state: &LabellerState, input: &Recorded, id: &IncidentId, rule: LabelRule, cause: &str, out: &mut Out<'_>) {
    let about = About::Incident { incident: id.clone() };
    let before = state.of_topic(Kind::Cause, &about).filter(|label| label.by == input.actor);
    out.retract(before, "the same person named another cause");
    out.give(rule, about, Some(cause.trim().to_owned()));
    if let Some(case) = state.seen.cases.get(id) {
        confirmed(state, id, case, out);
    }
}

/// A merge: the alerts that moved, with those of the other incident that are nearest in age.
fn merge(
    state: &LabellerState,
    into: &IncidentId,
    target: &ObservedIncident,
    merged: &incident::Merged,
    out: &mut Out<'_>,
) {
    let Some(source) = state.seen.cases.get(&merged.incident) else { return };
    let moved = merged.fingerprints.iter().filter_map(|moved| source.members.get_key_value(moved));
    for (fingerprint, placed) in moved {
        for (other, theirs) in nearest(placed, &target.members) {
            out.give(table::MERGED, pair(into, (fingerprint, placed), (other, theirs)), None);
        }
    }
}

/// A split: the alerts that left with those that stayed, and with each other.
fn apart(from: &IncidentId, source: &ObservedIncident, split: &incident::Split, out: &mut Out<'_>) {
    let leaving: BTreeSet<&Fingerprint> = split.fingerprints.iter().collect();
    let (left, stayed): (BTreeMap<_, _>, BTreeMap<_, _>) =
        source.members.clone().into_iter().partition(|(fingerprint, _)| leaving.contains(fingerprint));
    for one in &left {
        for other in nearest(one.1, &stayed) {
            out.give(table::SPLIT, pair(from, one, other), None);
        }
    }
    for one in &left {
        let older = nearest(one.1, &left).into_iter().find(|other| other.1.position < one.1.position);
        if let Some(other) = older {
            out.give(table::SPLIT_TOGETHER, pair(&split.incident, one, other), None);
        }
    }
}

/// A merge or split was taken back: its labels are retracted, and its pairs say the opposite, half as loud. What was
/// merged or split automatically has no labels to take back; only the person who took it back said something of it.
fn take_back(
    state: &LabellerState,
    id: &IncidentId,
    case: &ObservedIncident,
    undone: &incident::Undone,
    out: &mut Out<'_>,
) {
    let labels: Vec<&Label> = state.of_cause(&undone.event).collect();
    out.retract(
        labels.iter().copied(),
        &format!("the {} was undone", if undone.how == LineageKind::Merged { "merge" } else { "split" }),
    );
    let is_merge = undone.how == LineageKind::Merged;
    let (rule, of) = if is_merge { (table::MERGE_UNDONE, table::MERGED) } else { (table::SPLIT_UNDONE, table::SPLIT) };
    if labels.is_empty() {
        return take_back_automatic(state, id, case, undone, &rule, out);
    }
    for label in labels.iter().filter(|label| label.given.rule == of.name) {
        out.give(rule.clone(), label.given.about.clone(), None);
    }
}

/// The pairs across what was merged or split automatically: two problems after an undone merge, one after an undone split.
fn take_back_automatic(
    state: &LabellerState,
    id: &IncidentId,
    case: &ObservedIncident,
    undone: &incident::Undone,
    rule: &LabelRule,
    out: &mut Out<'_>,
) {
    let is_moving = |fingerprint: &&Fingerprint| undone.fingerprints.contains(*fingerprint);
    let stayed: BTreeMap<_, _> = case.members.clone().into_iter().filter(|(of, _)| !is_moving(&of)).collect();
    let holds = if undone.how == LineageKind::Merged { Some(case) } else { state.seen.cases.get(&undone.other) };
    let moving = holds.into_iter().flat_map(|case| &case.members).filter(|(fingerprint, _)| is_moving(fingerprint));
    for one in moving {
        for other in nearest(one.1, &stayed) {
            out.give(rule.clone(), pair(id, one, other), None);
        }
    }
}

/// A person knew what it was: so its alerts are one problem, and those that were kept out of it another, if
/// people worked on that by itself.
fn confirmed(state: &LabellerState, id: &IncidentId, case: &ObservedIncident, out: &mut Out<'_>) {
    for (fingerprint, placed) in &case.members {
        if let Some((like, theirs)) = placed.like.as_ref().and_then(|like| case.members.get_key_value(like)) {
            out.give(table::CAUSE_TOGETHER, pair(id, (fingerprint, placed), (like, theirs)), None);
        }
        for other in placed.apart.iter().filter(|other| *other != id) {
            let Some(other) = state.seen.cases.get(other) else { continue };
            if !other.is_touched() || other.merged_into.is_some() {
                continue;
            }
            let older =
                nearest(placed, &other.members).into_iter().find(|(_, theirs)| theirs.position < placed.position);
            if let Some(theirs) = older {
                out.give(table::CAUSE_APART, pair(id, (fingerprint, placed), theirs), None);
            }
        }
    }
}

/// Members by how near they fired, nearest first.
fn nearest<'a>(
    to: &AlertPlacement,
    members: &'a BTreeMap<Fingerprint, AlertPlacement>,
) -> Vec<(&'a Fingerprint, &'a AlertPlacement)> {
    let mut all: Vec<_> = members.iter().filter(|(_, placed)| placed.fired != to.fired).collect();
    all.sort_by_key(|(fingerprint, placed)| (placed.position.abs_diff(to.position), (*fingerprint).clone()));
    all.truncate(NEAREST);
    all
}

fn pair(incident: &IncidentId, a: (&Fingerprint, &AlertPlacement), b: (&Fingerprint, &AlertPlacement)) -> About {
    let (younger, older) = if a.1.position >= b.1.position { (a, b) } else { (b, a) };
    About::Pair {
        younger: younger.0.clone(),
        fired: younger.1.fired.clone(),
        older: older.0.clone(),
        incident: incident.clone(),
    }
}

/// The rule of a judgement; `None` where its verdict says nothing of what is judged.
fn judge(judged: &Judged) -> Option<LabelRule> {
    Some(match (&judged.about, &judged.verdict) {
        (About::Pair { .. }, UserVerdict::Same) => table::PAIR_SAME,
        (About::Pair { .. }, UserVerdict::Different) => table::PAIR_DIFFERENT,
        (About::Proposal { .. }, UserVerdict::Approved) => table::PROPOSAL_APPROVED,
        (About::Proposal { .. }, UserVerdict::Rejected) => table::PROPOSAL_REJECTED,
        (About::Proposal { .. }, UserVerdict::Fixed) => table::PROPOSAL_FIXED,
        (About::Proposal { .. }, UserVerdict::NotFixed) => table::PROPOSAL_DID_NOT_FIX,
        (About::Recall { .. }, UserVerdict::Confirmed) => table::RECALL_CONFIRMED,
        (About::Recall { .. }, UserVerdict::Dismissed) => table::RECALL_DISMISSED,
        (About::Conversation { .. }, UserVerdict::Helpful) => table::ANSWER_HELPFUL,
        (About::Conversation { .. }, UserVerdict::NotHelpful) => table::ANSWER_NOT_HELPFUL,
        (About::Notice { .. }, UserVerdict::Opened) => table::NOTICE_OPENED,
        (About::Incident { .. } | About::Alert { .. } | About::Notice { .. }, UserVerdict::Useful) => {
            table::FEEDBACK_USEFUL
        }
        (About::Incident { .. } | About::Alert { .. } | About::Notice { .. }, UserVerdict::Noise) => {
            table::FEEDBACK_NOISE
        }
        _ => return None,
    })
}

/// Checks a judgement before it is taken in.
///
/// # Errors
/// Which verdicts were expected of what is judged, and what came.
pub fn check(judged: &Judged) -> Result<(), String> {
    if matches!(judged.about, About::Incident { .. }) && judged.verdict == UserVerdict::Cause {
        return cause_of(judged).map(|_| ()).ok_or_else(|| "expected the cause as text, got none".to_owned());
    }
    if let About::Pair { younger, older, .. } = &judged.about
        && younger == older
    {
        return Err("expected two alerts of a pair, got one twice".to_owned());
    }
    let expected = match judged.about {
        About::Pair { .. } => "same or different",
        About::Proposal { .. } => "approved, rejected, fixed or not_fixed",
        About::Recall { .. } => "confirmed or dismissed",
        About::Conversation { .. } => "helpful or not_helpful",
        About::Notice { .. } => "opened, useful or noise",
        About::Incident { .. } => "useful, noise or cause",
        About::Alert { .. } => "useful or noise",
    };
    match judge(judged) {
        Some(_) => Ok(()),
        None => Err(format!("expected a verdict of {expected}, got {:?}", judged.verdict.as_str())),
    }
}

/// A person takes a label back, by the event that gave it.
fn undo(state: &LabellerState, input: &Recorded, event: &EventId, subject: &str) -> Vec<Draft> {
    let Ok(id) = subject.parse::<LabelId>() else { return Vec::new() };
    if !subject.starts_with(LabelId::PREFIX) {
        return Vec::new();
    }
    let refused = |code, detail: String| {
        vec![Draft::by(&input.actor, &input.id, Event::CommandRejected(Rejected::new(code, detail)))]
    };
    match state.labels.0.get(&id) {
        None => refused(Code::NotFound, format!("expected a label of this partition, got {id}")),
        Some(label) if label.event != *event => refused(Code::NotUndoable, format!("{event} did not give {id}")),
        Some(label) if label.retracted.is_some() => refused(Code::AlreadyUndone, format!("{id} was retracted already")),
        Some(_) => vec![retract(&id, "a person took it back", &input.actor)],
    }
}

/// What one input decides, without saying anything twice.
struct Out<'a> {
    state: &'a LabellerState,
    input: &'a Recorded,
    drafts: Vec<Draft>,
    said: BTreeSet<LabelId>,
}

impl<'a> Out<'a> {
    fn new(state: &'a LabellerState, input: &'a Recorded) -> Self {
        Self { state, input, drafts: Vec::new(), said: BTreeSet::new() }
    }

    fn give(&mut self, rule: LabelRule, about: About, value: Option<String>) {
        let standing: Vec<&Label> = self.state.of_topic(rule.kind, &about).collect();
        let concluded = rule.provenance == Provenance::Implicit;
        // What a person said of it, nothing that is concluded may contradict or repeat.
        if concluded && rule.kind == Kind::Grouping && !standing.is_empty() {
            return;
        }
        if !concluded {
            let value = value.as_deref().unwrap_or(rule.value);
            // Saying it once more says nothing new.
            if standing.iter().any(|label| {
                label.by == self.input.actor && label.given.value == value && label.given.rule == rule.name
            }) {
                return;
            }
            let before = |label: &&&Label| label.by == self.input.actor && label.given.value != value;
            let changed: Vec<&Label> = standing.iter().filter(before).copied().collect();
            self.retract(changed.into_iter(), "the same person says something else now");
        }
        if !concluded && rule.kind == Kind::Grouping {
            let overruled = standing.into_iter().filter(|label| label.given.provenance == Provenance::Implicit);
            self.retract(overruled, "a person said what was only concluded");
        }
        let actor = if concluded { SYSTEM } else { &self.input.actor };
        let draft = give(&rule, about, value, &self.input.id, actor);
        let new = draft.subject.parse().is_ok_and(|id: LabelId| self.said.insert(id));
        if new && self.drafts.len() < LABELS_MAX {
            self.drafts.push(draft);
        }
    }

    fn retract<'b>(&mut self, labels: impl Iterator<Item = &'b Label>, why: &str) {
        for label in labels {
            if self.said.insert(label.id.clone()) {
                self.drafts.push(retract(&label.id, why, &self.input.actor));
            }
        }
    }

    fn extend(&mut self, labels: impl IntoIterator<Item = (LabelRule, About, Option<String>)>) {
        labels.into_iter().for_each(|(rule, about, value)| self.give(rule, about, value));
    }

    fn done(self) -> Vec<Draft> {
        self.drafts
    }
}
