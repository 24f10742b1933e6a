//! What the ledger says of versions: which exist, how they were judged, which one decides, and the weights that
//! are set by hand. Owns that fold over the tenant's own partition; refuses to move anything.

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hindcast_api::{ModelJudgement, ModelVersion};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::Time;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::names;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::Registered;
use hindcast_ledger::{ReadError, Record, Seq, commit};
use hindcast_mlops::redecide::{self, SECTION};
use hindcast_mlops::registry::{BY_HAND, Registry};
use hindcast_mlops::status::VersionStatuses;

use crate::history::{self, Range, ReadingEnd};

/// Versions of the model and their status, as recorded in the ledger.
#[derive(Clone, Default)]
pub struct KnownVersions {
    /// Versions, judgements and the alias, as of the last record that was read.
    pub registry: Registry,
    /// The registry as it stood at the asked position.
    pub then: Registry,
    /// The weights that were set by hand at the asked position.
    pub by_hand: GroupingWeights,
    /// The tenant's environments that have incidents.
    pub environments: BTreeSet<String>,
    statuses: VersionStatuses,
    written: BTreeMap<u32, WrittenVersion>,
    as_of: u64,
    /// The last record that was read.
    through: Seq,
}

#[derive(Clone)]
struct WrittenVersion {
    event: String,
    at: Time,
    by: String,
    judged: Vec<ModelJudgement>,
}

/// Judgements of one version that are shown.
const JUDGED_MAX: usize = 50;

impl KnownVersions {
    /// Reads the tenant's own partition up to the end of `range`, and notes what held at `as_of`.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub async fn read(range: &Range, tenant: &str, as_of: u64) -> Result<Self, ReadingEnd> {
        Self::as_of(as_of).catch_up(range, tenant).await
    }

    /// What is known before anything was read, for what holds at `as_of`.
    #[must_use]
    pub fn as_of(as_of: u64) -> Self {
        Self { as_of, ..Self::default() }
    }

    /// Reads on up to the end of `range`.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub async fn catch_up(self, range: &Range, tenant: &str) -> Result<Self, ReadingEnd> {
        let range = Range { first: range.first.max(self.through + 1), ..range.clone() };
        let last = range.last;
        let tenant = tenant.to_owned();
        let environments = Arc::new(Mutex::new(BTreeSet::new()));
        let seen = Arc::clone(&environments);
        let wants = move |subject: &hindcast_ledger::Subject, _| {
            let partition = subject.partition();
            if partition.tenant == tenant && history::is_lane(subject, names::INCIDENTS) {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                if !seen.contains(&partition.environment) {
                    seen.insert(partition.environment.clone());
                }
            }
            partition.is_whole() && partition.tenant == tenant
        };
        let mut known = range.fold(wants, self, Self::take).await?;
        known.environments.append(&mut environments.lock().unwrap_or_else(PoisonError::into_inner));
        known.through = known.through.max(last);
        Ok(known)
    }

    fn take(&mut self, record: &Record) -> Result<(), ReadError> {
        let wanted = |kind: &str| kind.starts_with("model.") || kind == "control.configured";
        for recorded in history::events(record, wanted)? {
            self.evolve(&recorded);
        }
        debug_assert!(commit::position(record.seq, 0) > 0, "a record stands at a sequence of 1 or more");
        Ok(())
    }

    /// Folds one event.
    pub fn evolve(&mut self, recorded: &Recorded) {
        let then = recorded.position <= self.as_of;
        self.registry.evolve(recorded);
        self.statuses.evolve(&recorded.event);
        if then {
            self.then.evolve(recorded);
        }
        match &recorded.event {
            Event::Configured(section) if section.section == SECTION && then => match redecide::by_hand(section) {
                Ok(weights) => self.by_hand = GroupingWeights { version: BY_HAND, ..weights },
                Err(error) => {
                    tracing::warn!(error, "weights that were set by hand cannot be read; they are passed over")
                }
            },
            Event::ModelRegistered(registered) if registered.name == PAIR_SCORER => {
                self.written.entry(registered.version).or_insert_with(|| WrittenVersion {
                    event: recorded.id.to_string(),
                    at: recorded.time,
                    by: recorded.actor.clone(),
                    judged: Vec::new(),
                });
            }
            Event::ModelJudged(judged) if judged.name == PAIR_SCORER => {
                let judgement = ModelJudgement {
                    against: judged.against,
                    verdict: judged.verdict,
                    reasons: judged.reasons.clone(),
                    at: recorded.time,
                    event: recorded.id.to_string(),
                    report: judged.report.clone(),
                };
                if let Some(written) = self.written.get_mut(&judged.version) {
                    written.judged.push(judgement);
                    let surplus = written.judged.len().saturating_sub(JUDGED_MAX);
                    written.judged.drain(..surplus);
                }
            }
            Event::ModelRegistered(_)
            | Event::ModelJudged(_)
            | Event::ShadowPlaced(_)
            | Event::ModelPromoted(_)
            | Event::ModelRolledBack(_)
            | Event::ModelShadowed(_)
            | Event::ModelUnshadowed(_)
            | Event::Configured(_)
            | Event::Activated(_)
            | Event::Restored(_)
            | Event::Owned(_)
            | Event::LinkProposed(_)
            | Event::LinkJudged(_)
            | Event::CommandRejected(_)
            | events! { intake, finding, conversation, proposal, label, chat, alert, incident, silence, notice } => {}
        }
    }

    /// A version as it is shown.
    #[must_use]
    pub fn shown(&self, registered: &Registered) -> ModelVersion {
        let written = self.written.get(&registered.version);
        let alias = self.registry.aliases.0.get(PAIR_SCORER).filter(|alias| alias.version == registered.version);
        ModelVersion {
            name: registered.name.clone(),
            version: registered.version,
            status: self.statuses.of(registered.version),
            hash: Some(registered.hash.clone()),
            lineage: Some(registered.lineage.clone()),
            weights: registered.weights.clone(),
            metrics: registered.metrics.clone(),
            judged: written.map(|written| written.judged.clone()).unwrap_or_default(),
            registered_at: written.map(|written| written.at),
            registered_by: written.map(|written| written.by.clone()),
            event: written.map(|written| written.event.clone()),
            in_force_since: alias.map(|alias| alias.since),
            why: alias.map(|alias| alias.why.clone()),
            shadow: None,
            card: Some(registered.card.clone()),
        }
    }

    /// The version that decided at the asked position.
    #[must_use]
    pub fn in_force_then(&self) -> u32 {
        self.then.aliases.version(PAIR_SCORER).unwrap_or(BY_HAND)
    }
}
