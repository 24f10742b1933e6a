//! Folds the ledger afresh, beside the live state, and says whether they are the same. The folding runs
//! where clock and network are forbidden: what is not in the ledger cannot help it.

use std::collections::VecDeque;
use std::time::Instant;

use hindcast_api::{DamageFound, Replay, Verification};
use hindcast_clock::forbidden;
use hindcast_domain::event::Recorded;
use hindcast_eventlog::read::{self, FilteredEvent, UnreadableRecord};
use hindcast_eventlog::verify;
use hindcast_ledger::{ReadError, Record, Shared, commit};

use crate::error::Error;
use crate::fold::{self, Folds};

/// A fold in the making.
#[derive(Default)]
struct Fresh {
    folds: Folds,
    events: u64,
}

/// What a batch of records holds for the folds.
struct Unpacked {
    events: Vec<Recorded>,
    /// All events that this binary knows, those that no fold reads among them.
    known: u64,
}

/// Batches of records that are unpacked beside the fold.
const AHEAD: usize = 3;

/// Folds everything up to `position` and compares it with `live_hash`. Records are unpacked ahead of the fold, which
/// takes them in their order.
pub(crate) async fn replay(ledger: &Shared, position: u64, live_hash: String) -> Result<Replay, Error> {
    let began = Instant::now();
    let last = commit::seq_of(position);
    let mut fresh = Fresh::default();
    let mut read = 0;
    let mut tail = ledger.tail(1);
    let mut unpacked = VecDeque::new();
    loop {
        while unpacked.len() < AHEAD && read < last {
            let records = tail.next().await?;
            read = records.last().map_or(last, |record| record.seq);
            unpacked.push_back(tokio::task::spawn_blocking(move || unpack(&records, position)));
        }
        let Some(events) = unpacked.pop_front() else { break };
        let unpacked = events.await??;
        fresh = tokio::task::spawn_blocking(move || fold(fresh, &unpacked)).await?;
    }
    let (replayed_hash, events) = tokio::task::spawn_blocking(move || (fresh.folds.state_hash(), fresh.events)).await?;
    Ok(Replay {
        identical: replayed_hash == live_hash,
        replayed_hash,
        live_hash,
        position,
        events,
        elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// Unpacks and checks every commit; what no fold reads is not taken apart.
fn unpack(records: &[Record], position: u64) -> Result<Unpacked, Error> {
    forbidden(|| {
        let mut unpacked = Unpacked { events: Vec::new(), known: 0 };
        for record in records.iter().filter(|record| record.seq <= commit::seq_of(position)) {
            let damaged = |source| ReadError::from(UnreadableRecord::Commit { seq: record.seq, source });
            let filtered = |index: usize, bytes: &[u8]| {
                let within = commit::position(record.seq, index) <= position;
                Ok(within.then(|| read::event_if(record, index, bytes, fold::reads)))
            };
            let (_, _, items) = commit::decode_each(&record.payload, filtered).map_err(damaged)?;
            for item in items.into_iter().flatten() {
                match item.map_err(ReadError::from)? {
                    FilteredEvent::Known(recorded) => unpacked.events.push(*recorded),
                    FilteredEvent::PassedOver => {}
                    FilteredEvent::Unknown => continue,
                }
                unpacked.known += 1;
            }
        }
        Ok(unpacked)
    })
}

fn fold(mut fresh: Fresh, unpacked: &Unpacked) -> Fresh {
    forbidden(|| {
        for recorded in &unpacked.events {
            fresh.folds.evolve(recorded);
        }
        fresh.events += unpacked.known;
        fresh
    })
}

/// Walks the chains.
pub(crate) async fn walk(ledger: &Shared) -> Result<Verification, Error> {
    let report = verify::verify(ledger.as_ref(), |through, head| {
        tracing::debug!(through, head, "the chains are being walked");
    })
    .await?;
    let place = |damage: &verify::ChainDamage| DamageFound {
        position: commit::position(damage.seq, 0),
        subject: damage.subject.clone(),
        detail: damage.detail.clone(),
    };
    Ok(Verification {
        intact: report.is_sound(),
        commits: report.commits,
        events: report.events,
        position: commit::position(report.head, 0),
        damage: report.damage.iter().map(place).collect(),
        bound: report.bound,
    })
}
