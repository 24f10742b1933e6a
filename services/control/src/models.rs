//! Which version of a model is in force, and which one runs beside it. Owns the two decisions that move the
//! pointer, each with the configuration that the deciders read: a version and what it does change in one
//! commit, or not at all.

use hindcast_domain::events;
use std::collections::BTreeMap;

use hindcast_domain::command::{Code, Command, Configured, Rejected};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::{Shadowed, Unshadowed};
use hindcast_mlops::redecide;
use hindcast_mlops::registry::{Error, Registry};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The configuration section that the correlator reads the weights of the version in force from.
pub const SECTION: &str = PAIR_SCORER;

/// What is known of versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Models {
    /// Versions and judgements, which are seen, and what is in force, which is decided here.
    registry: Registry,
    /// The version that runs beside the one in force, by model.
    shadows: BTreeMap<String, u32>,
}

impl Models {
    /// Folds a fact: a version that was registered or judged.
    pub(crate) fn seen(&mut self, input: &Recorded) {
        if matches!(input.event, Event::ModelRegistered(_) | Event::ModelJudged(_)) {
            self.registry.evolve(input);
        }
    }

    /// Folds a decision of this lane.
    pub(crate) fn evolve(&mut self, decision: &Recorded) {
        match &decision.event {
            Event::ModelPromoted(_) | Event::ModelRolledBack(_) | Event::Configured(_) => {
                self.registry.evolve(decision)
            }
            Event::ModelShadowed(shadowed) => {
                self.shadows.insert(shadowed.name.clone(), shadowed.version);
            }
            Event::ModelUnshadowed(ended) => {
                self.shadows.remove(&ended.name);
            }
            Event::ModelRegistered(_)
            | Event::ModelJudged(_)
            | Event::ShadowPlaced(_)
            | Event::LinkProposed(_)
            | Event::LinkJudged(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::CommandRejected(_)
            | events! { intake, finding, conversation, proposal, label, chat, alert, incident, silence, notice } => {}
        }
    }

    /// Decides about a command; `None` where it is about no model.
    pub(crate) fn command(&self, command: &Command, input: &Recorded) -> Option<Result<Vec<Draft>, Rejected>> {
        let actor = input.actor.as_str();
        Some(match command {
            Command::PromoteModel { model, version } => known(model).and_then(|()| self.promote(*version, actor)),
            Command::RollBackModel { model, why } => known(model).and_then(|()| self.roll_back(why, actor)),
            Command::ShadowModel { model, version, from } => {
                known(model).and_then(|()| self.shadow(*version, from.unwrap_or(input.position), actor))
            }
            Command::ProposeLinks { .. }
            | Command::JudgeLink { .. }
            | Command::DeclareIncident { .. }
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
            | Command::UndoEvent { .. }
            | Command::CreateSilence { .. }
            | Command::ExpireSilence { .. }
            | Command::Configure { .. }
            | Command::Activate { .. }
            | Command::Restore { .. } => return None,
        })
    }

    fn promote(&self, version: u32, actor: &str) -> Result<Vec<Draft>, Rejected> {
        let pointer = self.registry.promote(version, actor).map_err(refused)?;
        let mut drafts = vec![pointer, self.in_force(version, actor)?];
        // What decides needs no shadow of itself.
        drafts.extend(self.shadows.get(PAIR_SCORER).filter(|shadow| **shadow == version).map(|shadow| {
            let ended =
                Unshadowed { name: PAIR_SCORER.to_owned(), version: *shadow, why: "it was promoted".to_owned() };
            Draft::by(actor, PAIR_SCORER, Event::ModelUnshadowed(ended))
        }));
        Ok(drafts)
    }

    fn roll_back(&self, why: &str, actor: &str) -> Result<Vec<Draft>, Rejected> {
        if why.trim().is_empty() {
            return Err(Rejected::new(Code::Invalid, "expected a reason for going back, got none"));
        }
        let pointer = self.registry.roll_back(why.trim(), actor).map_err(refused)?;
        let Event::ModelRolledBack(back) = &pointer.event else {
            return Err(Rejected::new(Code::Invalid, "going back gave another decision"));
        };
        let hash = back.to_hash.clone().unwrap_or_default();
        let again = self.registry.weights_again(back.to, &hash).map_err(refused)?;
        let in_force = configured(again.as_ref(), actor)?;
        Ok(vec![pointer, in_force])
    }

    /// The configuration by which a version decides; that of the one set by hand is none.
    fn in_force(&self, version: u32, actor: &str) -> Result<Draft, Rejected> {
        configured(self.registry.weights_for(version).map_err(refused)?.as_ref(), actor)
    }

    /// What settings by hand change besides: where a roll-back went to earlier ones, the new ones count from here on.
    pub(crate) fn settings_changed(&self, section: &Configured, actor: &str) -> Result<Option<Draft>, Rejected> {
        let pinned = section.section == redecide::SECTION && self.registry.pinned_by_hand().is_some();
        pinned.then(|| configured(None::<&()>, actor)).transpose()
    }

    fn shadow(&self, version: Option<u32>, from: u64, actor: &str) -> Result<Vec<Draft>, Rejected> {
        let running = self.shadows.get(PAIR_SCORER).copied();
        let ended = running.map(|running| {
            let why = format!("ended by {actor}");
            Draft::by(
                actor,
                PAIR_SCORER,
                Event::ModelUnshadowed(Unshadowed { name: PAIR_SCORER.to_owned(), version: running, why }),
            )
        });
        let Some(version) = version else {
            return ended
                .map(|ended| vec![ended])
                .ok_or_else(|| Rejected::new(Code::Conflict, "no version runs as a shadow"));
        };
        if running == Some(version) {
            return Err(Rejected::new(Code::Conflict, format!("version {version} runs as a shadow already")));
        }
        if version == self.registry.in_force() {
            return Err(Rejected::new(
                Code::Conflict,
                format!("version {version} is the production version: it needs no shadow"),
            ));
        }
        self.registry.weights_for(version).map_err(refused)?;
        let shadowed = Shadowed { name: PAIR_SCORER.to_owned(), version, from };
        Ok(ended.into_iter().chain([Draft::by(actor, PAIR_SCORER, Event::ModelShadowed(shadowed))]).collect())
    }
}

/// The configuration by which weights decide; none are those of the settings.
fn configured(weights: Option<&impl Serialize>, actor: &str) -> Result<Draft, Rejected> {
    let content = serde_json::to_value(weights).map_err(|error| Rejected::new(Code::Invalid, error.to_string()))?;
    let hash = hindcast_domain::hex::hex(&Sha256::digest(content.to_string()));
    let configured = Configured { section: SECTION.into(), hash, content };
    Ok(Draft::by(actor, SECTION, Event::Configured(configured)))
}

fn known(model: &str) -> Result<(), Rejected> {
    let detail = || format!("expected the model {PAIR_SCORER}, got {model:?}");
    (model == PAIR_SCORER).then_some(()).ok_or_else(|| Rejected::new(Code::NotFound, detail()))
}

fn refused(error: Error) -> Rejected {
    let code = match &error {
        Error::Unknown(_) => Code::NotFound,
        Error::Damaged { .. } => Code::Invalid,
        Error::NotPassed { .. } | Error::InForce(_) | Error::NothingToRollBack => Code::Conflict,
    };
    Rejected::new(code, error.to_string())
}
