//! What is in a segment whose index is missing: every frame is read and checked. A frame that is not whole at
//! the end was never answered and is cut; one in the middle is damage, which is counted and passed over.

use std::path::Path;

use crate::frame::{MAGIC, TelemetryFrame};
use crate::index::{FrameRow, SegmentSummary};
use crate::segment;

/// What a scan found.
pub(crate) struct SegmentScan {
    pub(crate) summary: SegmentSummary,
    pub(crate) rows: Vec<FrameRow>,
    /// Whether the file is a segment of ours at all.
    pub(crate) ours: bool,
}

/// Reads a whole segment. Its summary's `bytes` are the end of its last whole frame.
pub(crate) fn scan(path: &Path, first: u64) -> std::io::Result<SegmentScan> {
    let bytes = std::fs::read(path)?;
    let begin = segment::MAGIC.len();
    let mut scan = SegmentScan { summary: SegmentSummary::new(first, begin as u64), rows: Vec::new(), ours: true };
    if !bytes.starts_with(&segment::MAGIC) {
        // Shorter than its own beginning: it was being made.
        scan.ours = segment::MAGIC.starts_with(&bytes);
        scan.summary.bytes = 0;
        return Ok(scan);
    }
    let mut at = begin;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(frame) = TelemetryFrame::of(rest) {
            let row = scan.summary.add(&frame.head, at as u64, frame.length);
            scan.rows.push(row);
            at += frame.length;
            continue;
        }
        let Some(next) = next_frame(rest) else { break };
        scan.summary.damaged += 1;
        at += next;
    }
    Ok(scan)
}

/// How far behind a place that holds no frame the next whole one begins.
fn next_frame(rest: &[u8]) -> Option<usize> {
    let places = rest.windows(MAGIC.len()).enumerate().skip(1).filter(|(_, window)| *window == MAGIC);
    places.map(|(at, _)| at).find(|at| rest.get(*at..).and_then(TelemetryFrame::of).is_some())
}
