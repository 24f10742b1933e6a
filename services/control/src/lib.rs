//! Control: what holds for a whole tenant. Silences and their times, configuration by hash, activations.
//!
//! The one contract of this crate: *[`Control`] is pure*, and a configuration that is in force already is
//! no event, so that a ledger does not grow by starting. [`models`] moves the pointer to the version in force.

pub mod links;
pub mod models;

use hindcast_domain::events;
use hindcast_domain::words::{ConfigSection, SilenceEnd};
use std::collections::{BTreeMap, VecDeque};

use hindcast_domain::command::{Activated, Code, Command, Configured, Received, Rejected};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::lane::{Decider, Input, Timer, names};
use hindcast_domain::links::ServiceLinks;
use hindcast_domain::silence::{Created, Ended, SilenceState, Silences, Started};
use hindcast_domain::{EventId, Partition, SilenceId, Time};
use hindcast_eventlog::lane;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::models::Models;

/// Idempotency keys that are remembered.
const KEYS_MAX: usize = 10_000;

/// Decides for a tenant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Control;

/// What it decides on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlState {
    silences: Silences,
    sections: BTreeMap<ConfigSection, String>,
    activated: Option<Activated>,
    keys: BTreeMap<String, EventId>,
    keys_in_order: VecDeque<String>,
    revisions: BTreeMap<String, u64>,
    models: Models,
    /// What is known between services besides the catalogue.
    #[serde(default)]
    links: ServiceLinks,
}

/// Runs control over a ledger until `shutdown`.
///
/// # Errors
/// When the ledger is damaged or holds events of a newer binary.
pub async fn run(options: lane::Options, shutdown: watch::Receiver<bool>) -> Result<(), lane::Error> {
    lane::Runner::new(Control, options).run(shutdown).await
}

impl Decider for Control {
    type State = ControlState;

    fn name(&self) -> &'static str {
        names::CONTROL
    }

    fn reads(&self, lane: &Partition, input: Input, of: &Partition) -> bool {
        input == Input::Intake && lane == of
    }

    fn founds(&self, input: Input, of: &Partition) -> Option<Partition> {
        (input == Input::Intake && of.is_whole()).then(|| of.clone())
    }

    fn seals(&self, input: &Recorded) -> bool {
        matches!(input.event, Event::Command(_) | Event::LinkObserved(_))
    }

    fn seen(&self, state: &mut ControlState, input: &Recorded) {
        state.models.seen(input);
        let Event::Command(received) = &input.event else {
            return;
        };
        if state.keys.contains_key(&received.key) {
            return;
        }
        if state.keys_in_order.len() == KEYS_MAX
            && let Some(oldest) = state.keys_in_order.pop_front()
        {
            state.keys.remove(&oldest);
        }
        state.keys.insert(received.key.clone(), input.id.clone());
        state.keys_in_order.push_back(received.key.clone());
    }

    fn evolve(&self, state: &mut ControlState, decision: &Recorded) {
        state.silences.evolve(decision);
        state.models.evolve(decision);
        match &decision.event {
            Event::Configured(configured) => {
                state.sections.insert(configured.section.clone(), configured.hash.clone());
            }
            Event::Activated(activated) => state.activated = Some(activated.clone()),
            Event::LinkProposed(_) | Event::LinkJudged(_) => {
                state.links.evolve(decision);
            }
            Event::Restored(_)
            | Event::Owned(_)
            | Event::CommandRejected(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, notice } =>
                {}
        }
        if decision.subject.parse::<SilenceId>().is_err()
            && let Some(revision) = decision.revision
        {
            state.revisions.insert(decision.subject.clone(), revision);
        }
    }

    fn decide(&self, state: &ControlState, _: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
        if let Event::LinkObserved(seen) = &input.event {
            return links::observed(&state.links, seen).into_iter().collect();
        }
        let Event::Command(received) = &input.event else {
            return Vec::new();
        };
        let decided = match state.keys.get(&received.key) {
            Some(first) => Err(Rejected::new(Code::KeyReused, format!("its key came with {first} already"))),
            None => command(state, received, input, now),
        };
        decided.unwrap_or_else(|rejected| vec![Draft::by(&input.actor, &input.id, Event::CommandRejected(rejected))])
    }

    fn due(&self, state: &ControlState) -> Option<Timer> {
        let of = |silence: &hindcast_domain::silence::Silence| match silence.state {
            SilenceState::Pending => Some(Timer { due: silence.terms.starts_at, id: format!("start/{}", silence.id) }),
            SilenceState::Active => Some(Timer { due: silence.terms.ends_at, id: format!("end/{}", silence.id) }),
            SilenceState::Expired => None,
        };
        state.silences.0.values().filter_map(of).min()
    }

    fn fire(&self, state: &ControlState, _: &Partition, timer: &Timer) -> Vec<Draft> {
        match timer.id.split_once('/') {
            Some(("start", id)) => vec![Draft::system(id, Event::SilenceStarted(Started {}))],
            Some(("end", id)) => {
                // Windows may touch: the next one holds before this one ends.
                let mut drafts: Vec<Draft> = following(state, id, timer.due).into_iter().collect();
                drafts.push(Draft::system(id, ended(SilenceEnd::Elapsed)));
                drafts
            }
            _ => Vec::new(),
        }
    }

    fn revision(&self, state: &ControlState, subject: &str) -> u64 {
        match subject.parse::<SilenceId>() {
            Ok(id) => state.silences.0.get(&id).map_or(0, |silence| silence.revision),
            Err(_) => state.revisions.get(subject).copied().unwrap_or(0),
        }
    }
}

/// The silence that follows one that has come to its end, where that one comes round again.
fn following(state: &ControlState, id: &str, now: Time) -> Option<Draft> {
    let before = state.silences.0.get(&id.parse().ok()?)?;
    let terms = before.terms.next(now)?;
    let next = SilenceId::derive(&[id.as_bytes(), &terms.starts_at.nanos().to_be_bytes()]);
    let created = Created { terms, replaces: None, follows: Some(before.id.clone()) };
    Some(Draft::system(next, Event::SilenceCreated(created)))
}

fn ended(reason: SilenceEnd) -> Event {
    Event::SilenceEnded(Ended { reason })
}

fn command(state: &ControlState, received: &Received, input: &Recorded, now: Time) -> Result<Vec<Draft>, Rejected> {
    let actor = &input.actor;
    if let Some(decided) = state.models.command(&received.command, input) {
        return decided;
    }
    match &received.command {
        Command::ProposeLinks { links } => links::proposed(&state.links, links, actor),
        Command::JudgeLink { link, verdict } => links::judged(&state.links, link, *verdict, actor),
        Command::CreateSilence { terms, replaces } => {
            terms.check(now).map_err(|invalid| Rejected::new(Code::Invalid, invalid.to_string()))?;
            let id = SilenceId::derive(&[input.id.as_str().as_bytes()]);
            let created = Created { terms: terms.clone(), replaces: replaces.clone(), follows: None };
            let mut drafts = vec![Draft::by(actor, id, Event::SilenceCreated(created))];
            // The new one holds before the old one ends: whoever follows these events sees no moment without either.
            if let Some(before) = replaces
                && state.silences.0.get(before).is_some_and(|silence| silence.state != SilenceState::Expired)
            {
                drafts.push(Draft::by(actor, before, ended(SilenceEnd::Replaced)));
            }
            Ok(drafts)
        }
        Command::ExpireSilence { silence } => end(state, received, silence, actor, SilenceEnd::Expired),
        Command::UndoEvent { subject, .. } => {
            let id = subject.parse().map_err(|_| Rejected::new(Code::NotUndoable, "this event cannot be undone"))?;
            end(state, received, &id, actor, SilenceEnd::Undone)
        }
        // In force already: nothing happens, and that is the answer.
        Command::Configure(configured) if state.sections.get(&configured.section) == Some(&configured.hash) => {
            Err(Rejected::new(Code::Conflict, format!("{} has this content already", configured.section)))
        }
        Command::Configure(configured) if configured.section == models::SECTION => {
            Err(Rejected::new(Code::Invalid, "a version of a model is promoted, not configured"))
        }
        Command::Configure(configured) => {
            configured_is_valid(configured)?;
            let set = Draft::by(actor, &configured.section, Event::Configured(configured.clone()));
            Ok(std::iter::once(set).chain(state.models.settings_changed(configured, actor)?).collect())
        }
        Command::Activate(activated) if state.activated.as_ref() == Some(activated) => {
            Err(Rejected::new(Code::Conflict, "this installation is active already"))
        }
        Command::Activate(activated) => Ok(vec![Draft::by(actor, "activation", Event::Activated(activated.clone()))]),
        Command::Restore(restored) => Ok(vec![Draft::by(actor, "ledger", Event::Restored(restored.clone()))]),
        Command::DeclareIncident { .. }
        | Command::AcknowledgeIncident { .. }
        | Command::UnacknowledgeIncident { .. }
        | Command::ResolveIncident { .. }
        | Command::ReopenIncident { .. }
        | Command::MergeIncident { .. }
        | Command::SplitIncident { .. }
        | Command::AssignIncident { .. }
        | Command::NoteIncident { .. }
        | Command::SetIncidentSeverity { .. }
        | Command::SnoozeIncident { .. }
        | Command::GiveFeedback { .. }
        | Command::PromoteModel { .. }
        | Command::RollBackModel { .. }
        | Command::ShadowModel { .. } => Err(Rejected::new(Code::Invalid, "expected a command for the whole tenant")),
    }
}

fn configured_is_valid(configured: &Configured) -> Result<(), Rejected> {
    if configured.section != ConfigSection::Catalog {
        return Ok(());
    }
    let invalid = |detail: String| Rejected::new(Code::Invalid, detail);
    let catalog: hindcast_domain::catalog::Catalog =
        serde_json::from_value(configured.content.clone()).map_err(|error| invalid(error.to_string()))?;
    catalog.check().map_err(|error| invalid(error.to_string()))
}

fn end(
    state: &ControlState,
    received: &Received,
    id: &SilenceId,
    actor: &str,
    reason: SilenceEnd,
) -> Result<Vec<Draft>, Rejected> {
    let silence = state
        .silences
        .0
        .get(id)
        .ok_or_else(|| Rejected::new(Code::NotFound, format!("expected a silence, got {id}")))?;
    if let Some(seen) = received.if_match
        && seen != silence.revision
    {
        let detail = format!("expected revision {seen} of {id}, it is at {}", silence.revision);
        return Err(Rejected::new(Code::StaleRevision, detail));
    }
    if silence.state == SilenceState::Expired {
        let code = if reason == SilenceEnd::Undone { Code::AlreadyUndone } else { Code::Conflict };
        return Err(Rejected::new(code, format!("{id} has ended already")));
    }
    Ok(vec![Draft::by(actor, id, ended(reason))])
}
