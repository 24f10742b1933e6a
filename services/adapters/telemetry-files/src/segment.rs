//! Segment files: their names, how one is made, closed and read. Owns the folder's layout; refuses to know
//! what is in a frame.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::frame::TelemetryFrame;
use crate::index::{self, FrameRow, SegmentSummary};

/// What every segment begins with.
pub(crate) const MAGIC: [u8; 8] = *b"HCTELSG1";
const SEGMENT: &str = "seg";
const INDEX: &str = "idx";

/// A closed segment.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) path: PathBuf,
    pub(crate) summary: SegmentSummary,
}

pub(crate) fn path_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{SEGMENT}"))
}

pub(crate) fn index_of(segment: &Path) -> PathBuf {
    segment.with_extension(INDEX)
}

/// The segments of a folder in order, each with the place of its first frame. What a crash left half made, and
/// indexes without a segment, are removed.
pub(crate) fn list(folder: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    let mut indexes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let first = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        match (path.extension().and_then(|ending| ending.to_str()), first) {
            (Some(SEGMENT), Some(first)) => found.push((first, path)),
            (Some(INDEX), Some(_)) => indexes.push(path),
            (Some("draft"), _) => std::fs::remove_file(&path)?,
            _ => {}
        }
    }
    for index in indexes.iter().filter(|index| !index.with_extension(SEGMENT).exists()) {
        std::fs::remove_file(index)?;
    }
    found.sort();
    Ok(found)
}

/// Makes the segment that begins with `first`, durably with its name.
pub(crate) fn create(folder: &Path, first: u64) -> std::io::Result<(PathBuf, File)> {
    let path = path_of(folder, first);
    disk::write_whole(&path, &MAGIC)?;
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    Ok((path, file))
}

/// Writes a closed segment's index.
pub(crate) fn seal(path: &Path, summary: &SegmentSummary, rows: &[FrameRow]) -> std::io::Result<()> {
    disk::write_whole(&index_of(path), &index::encode(summary, rows)?)
}

/// Removes a segment and its index. The segment first: an index without one is removed at the next start.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    for path in [path, &index_of(path)] {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The content of the frame at a row; `None` where what lies there is not what was written.
pub(crate) fn content(file: &File, row: &FrameRow) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; row.length as usize];
    match file.read_exact_at(&mut bytes, row.at) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let frame = TelemetryFrame::of(&bytes).filter(|frame| frame.head.seq == row.seq);
    Ok(frame.and_then(|frame| frame.content()))
}
