//! Finds the index again by reading every segment at open, and tells a torn tail from damage. A block that
//! is not whole was torn by a crash only if nothing good stands behind it: each block is synced before the
//! next is written. Nothing is changed here; a torn tail is cut later, once the known heads agree.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hindcast_ledger::Seq;

use crate::frame::{self, BlockProbe};
use crate::index::RecordIndex;
use crate::options::{OpenError, io};
use crate::segment::{self, Segment};

/// What the segments hold.
pub(crate) struct Scanned {
    pub(crate) index: RecordIndex,
    /// The segment that is written to; `None` in an empty folder.
    pub(crate) last: Option<Arc<Segment>>,
    /// Where the next block goes.
    pub(crate) offset: u32,
    /// Bytes behind it that a crash left there.
    pub(crate) torn: u32,
}

pub(crate) fn scan(folder: &Path, mark: u64) -> Result<Scanned, OpenError> {
    let listed = segment::list(folder).map_err(io("list", folder))?;
    let mut scanned = Scanned { index: RecordIndex::default(), last: None, offset: 0, torn: 0 };
    let count = listed.len();
    for (at, (first, path)) in listed.into_iter().enumerate() {
        let expected = scanned.index.head() + 1;
        if first != expected {
            let detail = format!("expected a segment that begins with {expected}; one is missing or cut");
            return Err(OpenError::Corrupt { segment: path, offset: 0, detail });
        }
        let is_last = at + 1 == count;
        one(&mut scanned, path, mark, is_last)?;
    }
    Ok(scanned)
}

fn one(scanned: &mut Scanned, path: PathBuf, mark: u64, is_last: bool) -> Result<(), OpenError> {
    let bytes = std::fs::read(&path).map_err(io("read", &path))?;
    let file = Arc::new(Segment::open(&path).map_err(io("open", &path))?);
    scanned.index.add_segment(Arc::clone(&file));
    let mut at = 0;
    loop {
        let expected: Seq = scanned.index.head() + 1;
        let rest = bytes.get(at..).unwrap_or_default();
        match frame::read_block(rest, mark, expected) {
            BlockProbe::Block { records, bytes } => {
                scanned.index.add_block(u32::try_from(at).unwrap_or(u32::MAX), records);
                at += bytes;
            }
            found => {
                let used = rest.get(..used(rest)).unwrap_or_default();
                tail(&path, at, used, mark, is_last, &found)?;
                scanned.torn = u32::try_from(used.len()).unwrap_or(u32::MAX);
                break;
            }
        }
    }
    scanned.offset = u32::try_from(at).unwrap_or(u32::MAX);
    scanned.last = Some(file);
    Ok(())
}

/// How many bytes there are up to the last one that is not zero. By pages: most of a segment is zeroes.
fn used(bytes: &[u8]) -> usize {
    const PAGE: usize = 4_096;
    let zeroes = [0; PAGE];
    let mut end = bytes.len();
    for page in bytes.rchunks(PAGE) {
        if zeroes.get(..page.len()) != Some(page) {
            return end - page.len() + page.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        }
        end -= page.len();
    }
    0
}

/// Whether what stands behind the last good block (without the zeroes at its end) may stand there.
fn tail(path: &Path, at: usize, rest: &[u8], mark: u64, is_last: bool, found: &BlockProbe) -> Result<(), OpenError> {
    let why = match found {
        BlockProbe::Bad(why) => *why,
        _ => "nothing stands where a block is expected",
    };
    let corrupt = |offset: usize, detail: String| {
        Err(OpenError::Corrupt { segment: path.to_owned(), offset: offset as u64, detail })
    };
    if let Some(behind) = frame::find_block(rest, mark) {
        return corrupt(at, format!("{why}, and a whole block stands behind it at byte {}", at + behind));
    }
    // A segment is left only after its last block was synced.
    if !is_last && !rest.is_empty() {
        return corrupt(at, format!("{why}, and another segment follows"));
    }
    Ok(())
}
