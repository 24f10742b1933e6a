//! Reading the past: records of a partition and of its tenant, in order, up to a place. Owns which records matter
//! and that others get their turn between two batches; refuses to know what is done with them.

use hindcast_domain::Partition;
use hindcast_domain::event::Recorded;
use hindcast_domain::lane::names;
use hindcast_ledger::read::{self, Item};
use hindcast_ledger::subject::Subject;
use hindcast_ledger::{ReadError, Shared, commit};

/// What of a partition is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What its incident lane reads: intake, and the decisions of its tenant's control.
    Inputs,
    /// What labels and features are made of: decisions about alerts, incidents and labels, and configuration.
    History,
}

impl Part {
    fn wants(self, partition: &Partition, subject: &Subject) -> bool {
        let of = subject.partition();
        match (self, subject.lane_name()) {
            (_, Some(names::CONTROL)) => of.tenant == partition.tenant,
            (Self::Inputs, None) => of == partition,
            (Self::History, Some(names::INCIDENTS | names::LABELS)) => of == partition,
            _ => false,
        }
    }
}

/// Reads what `wants` of `partition` in `from..=to` (positions), in the order of the ledger. `told` hears how far
/// it is, in commits; what `take` refuses with `false` ends it.
///
/// # Errors
/// When the ledger cannot be read, or holds what this binary does not know.
pub async fn walk(
    ledger: &Shared,
    partition: &Partition,
    part: Part,
    (from, to): (u64, u64),
    mut told: impl FnMut(u64, u64),
    mut take: impl FnMut(Recorded),
) -> Result<(), ReadError> {
    let last = commit::seq_of(to).min(ledger.head().await?);
    // Configuration of before is in force.
    let mut tail = ledger.tail(1);
    let mut through = 0;
    while through < last {
        for record in tail.next().await? {
            through = record.seq;
            if record.seq > last {
                break;
            }
            let before = record.seq < commit::seq_of(from);
            if !part.wants(partition, &record.subject)
                || before && record.subject.lane_name() != Some(names::CONTROL)
            {
                continue;
            }
            let commit = read::commit(&record)?;
            for item in read::events(&record, &commit)? {
                match item {
                    Item::Known(event) if event.position <= to => take(*event),
                    Item::Known(_) => {}
                    Item::Unknown { position, kind, version, .. } => {
                        let detail = format!("event {position} is {kind} {version}, which this binary does not know");
                        return Err(ReadError::Damaged { seq: record.seq, detail });
                    }
                }
            }
        }
        told(through.min(last), last);
        // Deciding takes long: whoever else runs here gets a turn.
        tokio::task::yield_now().await;
    }
    Ok(())
}
