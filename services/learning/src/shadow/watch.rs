//! Which version is to run as a shadow, as the control lane says. Owns that fold; refuses to run anything.

use hindcast_domain::events;
use std::collections::BTreeMap;

use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::event::Event;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_ledger::{ReadError, Shared};
use hindcast_mlops::registry::BY_HAND;
use tokio::sync::watch::Sender;

use crate::history;
use crate::known::KnownVersions;

/// One run of a version beside the one in force.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ShadowSession {
    /// The version's weights, proven by its hash.
    pub(super) weights: GroupingWeights,
    /// The first position that it decides on.
    pub(super) from: u64,
    /// Where the decision stands that began it.
    pub(super) begun_at: u64,
    /// Where the version was registered: no fact of it is older.
    pub(super) registered_at: u64,
}

impl ShadowSession {
    pub(super) const fn version(&self) -> u32 {
        self.weights.version
    }
}

/// Follows the tenant's own partition for ever, and says what is wished for once it has caught up.
pub(super) async fn watch(ledger: Shared, tenant: &str, wish: &Sender<Option<ShadowSession>>) -> Result<(), ReadError> {
    let mut known = KnownVersions::as_of(u64::MAX);
    let mut registered: BTreeMap<u32, u64> = BTreeMap::new();
    let mut session = None;
    let caught_up = loop {
        match ledger.head().await {
            Ok(head) => break head,
            Err(ReadError::Unavailable(error)) => {
                tracing::warn!(%error, "the ledger cannot be read; trying again");
                tokio::time::sleep(super::PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    };
    let mut feed = OrderedFeed::start(ledger, 1);
    let mut through = 0;
    loop {
        if through >= caught_up {
            wish.send_if_modified(|before| {
                let changed = *before != session;
                before.clone_from(&session);
                changed
            });
        }
        for record in feed.next().await? {
            through = record.seq;
            let of = record.subject.partition();
            if !of.is_whole() || of.tenant != tenant {
                continue;
            }
            let wanted = |kind: &str| kind.starts_with("model.") || kind == "control.configured";
            for recorded in history::events(&record, wanted)? {
                known.evolve(&recorded);
                match &recorded.event {
                    Event::ModelRegistered(version) if version.name == PAIR_SCORER => {
                        registered.entry(version.version).or_insert(recorded.position);
                    }
                    Event::ModelShadowed(shadowed) if shadowed.name == PAIR_SCORER => {
                        let registered_at = registered.get(&shadowed.version).copied().unwrap_or(0);
                        session = begun(&known, shadowed.version).map(|weights| ShadowSession {
                            weights,
                            from: shadowed.from,
                            begun_at: recorded.position,
                            registered_at,
                        });
                    }
                    Event::ModelUnshadowed(ended) if ended.name == PAIR_SCORER => session = None,
                    Event::ModelRegistered(_)
                    | Event::ModelJudged(_)
                    | Event::ShadowPlaced(_)
                    | Event::ModelPromoted(_)
                    | Event::ModelRolledBack(_)
                    | Event::ModelShadowed(_)
                    | Event::ModelUnshadowed(_)
                    | events! { intake, finding, conversation, proposal, label, chat, alert, incident, silence, control, notice } =>
                        {}
                }
            }
        }
    }
}

fn begun(known: &KnownVersions, version: u32) -> Option<GroupingWeights> {
    match known.registry.weights(version, &known.by_hand) {
        Ok(weights) => Some(GroupingWeights { version, ..weights }),
        Err(error) => {
            tracing::error!(%error, by_hand = version == BY_HAND, "a shadow was wished for that cannot be run");
            None
        }
    }
}
