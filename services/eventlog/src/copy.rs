//! Copies a ledger commit by commit into another, verbatim: the same sequences, the same bytes, hence the
//! same hashes. It refuses a target that holds anything else, and knows nothing of what the bytes mean.

use hindcast_ledger::port::{AppendError, Ledger, ReadError, Record, Seq};

/// Why a copy ended early. What was copied by then is a true beginning of the source.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target was made for another ledger; a copy keeps the id that stands in its commits.
    #[error("expected a target for ledger {source_id}, got one for {target_id}; open it with that id")]
    OtherLedger {
        /// The source's id.
        source_id: String,
        /// The target's id.
        target_id: String,
    },
    /// The target holds something that the source does not.
    #[error("the target's commit {0} is not the source's; copy into an empty ledger")]
    Differs(Seq),
    /// The source cannot be read.
    #[error("the source of a copy cannot be read")]
    Read(#[source] ReadError),
    /// The target cannot be read.
    #[error("the target of a copy cannot be read")]
    Target(#[source] ReadError),
    /// The target did not take a commit.
    #[error("the target of a copy did not take commit {seq}")]
    Append {
        /// Sequence number of the rejected commit.
        seq: Seq,
        /// The target ledger's error.
        #[source]
        source: AppendError,
    },
    /// The target put a commit elsewhere: somebody else writes to it.
    #[error("commit {expected} came to lie at {got}: another writer is at work in the target")]
    Moved {
        /// Where it had to lie.
        expected: Seq,
        /// Where it lies.
        got: Seq,
    },
}

/// Copies what `target` does not have yet of `source`, up to the source's head now, and answers the head.
/// A copy that was cut short goes on where it ended.
///
/// # Errors
/// When the target is another ledger's, or either of them fails.
pub async fn copy_into(source: &dyn Ledger, target: &dyn Ledger) -> Result<Seq, CopyError> {
    if source.info().ledger_id != target.info().ledger_id {
        return Err(CopyError::OtherLedger {
            source_id: source.info().ledger_id.clone(),
            target_id: target.info().ledger_id.clone(),
        });
    }
    let head = source.head().await.map_err(CopyError::Read)?;
    let mut copied = common(source, target).await?;
    let mut last = std::collections::BTreeMap::new();
    for (subject, seq) in target.subjects().await.map_err(CopyError::Target)? {
        last.insert(subject, seq);
    }
    let mut tail = source.tail(copied + 1);
    while copied < head {
        for record in tail.next().await.map_err(CopyError::Read)? {
            let Record { seq, subject, payload, .. } = record;
            if seq > head {
                break;
            }
            let expected = last.get(&subject).copied().unwrap_or(0);
            let got =
                target.append(&subject, expected, payload).await.map_err(|source| CopyError::Append { seq, source })?;
            if got != seq {
                return Err(CopyError::Moved { expected: seq, got });
            }
            last.insert(subject, seq);
            copied = seq;
        }
    }
    Ok(copied)
}

/// How far the target already is; its last commit must be the source's.
async fn common(source: &dyn Ledger, target: &dyn Ledger) -> Result<Seq, CopyError> {
    let seq = target.head().await.map_err(CopyError::Target)?;
    if seq == 0 {
        return Ok(0);
    }
    let theirs = target.get(seq).await.map_err(CopyError::Target)?;
    let ours = source.get(seq).await.map_err(CopyError::Read)?;
    if ours.is_some() && ours == theirs { Ok(seq) } else { Err(CopyError::Differs(seq)) }
}
