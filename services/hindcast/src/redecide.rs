//! The recorded past decided again by every lane that this binary has. Owns which deciders these are; compares
//! nothing itself.

use std::collections::BTreeSet;
use std::time::Instant;

use hindcast_api::{Redecided, RedecidedOtherwise};
use hindcast_domain::lane::Decider;
use hindcast_engine::ENGINE_VERSION;
use hindcast_eventlog::lane::{self, Divergence, Redecision};
use hindcast_ledger::{Seq, Shared, commit};

/// Decides again what the ledger holds now, lane by lane.
///
/// # Errors
/// When the ledger cannot be read, is damaged, or holds events of a newer binary.
pub async fn all(ledger: &Shared) -> Result<Redecided, lane::Error> {
    let began = Instant::now();
    let last = ledger.head().await?;
    let mut whole = Redecision::default();
    add(&mut whole, hindcast_control::Control, ledger, last).await?;
    add(&mut whole, hindcast_correlator::Correlator, ledger, last).await?;
    add(&mut whole, hindcast_pager::Pager, ledger, last).await?;
    add(&mut whole, hindcast_mlops::Labeller, ledger, last).await?;
    add(&mut whole, hindcast_chatops::ChatDecider, ledger, last).await?;
    let others: BTreeSet<u32> = whole.engines.iter().copied().filter(|engine| *engine != ENGINE_VERSION).collect();
    Ok(Redecided {
        identical: whole.divergences.is_empty(),
        engine: ENGINE_VERSION,
        other_engines: others.into_iter().collect(),
        commits: whole.commits,
        events: whole.events,
        folded: whole.folded,
        position: commit::position(last, 0),
        elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        differences: whole.divergences.into_iter().map(otherwise).collect(),
    })
}

async fn add<D: Decider>(whole: &mut Redecision, decider: D, ledger: &Shared, last: Seq) -> Result<(), lane::Error> {
    let more = lane::redecide(ledger, decider, last).await?;
    whole.commits += more.commits;
    whole.events += more.events;
    whole.folded += more.folded;
    whole.engines.extend(more.engines);
    whole.divergences.extend(more.divergences);
    Ok(())
}

fn otherwise(of: Divergence) -> RedecidedOtherwise {
    let position = commit::position(of.seq, of.index);
    RedecidedOtherwise { position, subject: of.subject, recorded: of.recorded, decided: of.decided }
}
