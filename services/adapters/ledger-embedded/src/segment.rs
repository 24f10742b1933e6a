//! Segment files: their names, their zeroes written ahead, and reading at a place. Written-out zeroes, and
//! not a hole, so that the sync of a block has no metadata to sync with it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use hindcast_ledger::{Seq, heads};

const ENDING: &str = "seg";
const PREPARED: &str = "next.prepared";
static ZEROES: [u8; 64 * 1024] = [0; 64 * 1024];

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) bytes: u32,
}

impl Segment {
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let bytes = u32::try_from(file.metadata()?.len()).unwrap_or(u32::MAX);
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    /// Reads `length` bytes at `offset`.
    pub(crate) fn read(&self, offset: u32, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, u64::from(offset))?;
        Ok(bytes)
    }
}

/// The segments of a folder in order, each with the sequence that it begins with.
pub(crate) fn list(folder: &Path) -> std::io::Result<Vec<(Seq, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let first = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if path.extension().is_some_and(|ending| ending == ENDING)
            && let Some(first) = first
        {
            found.push((first, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Makes the segment that begins with `first`, durably with its name.
pub(crate) fn create(folder: &Path, first: Seq, bytes: u32) -> std::io::Result<Segment> {
    let prepared = prepare(folder, bytes)?;
    adopt(folder, first, &prepared)
}

/// Writes a segment's zeroes ahead of its need, under a name that no open takes for a segment.
pub(crate) fn prepare(folder: &Path, bytes: u32) -> std::io::Result<PathBuf> {
    let path = folder.join(PREPARED);
    let mut file = File::create(&path)?;
    let mut left = bytes as usize;
    while left > 0 {
        let chunk = ZEROES.get(..left.min(ZEROES.len())).unwrap_or(&ZEROES);
        file.write_all(chunk)?;
        left -= chunk.len();
    }
    file.sync_all()?;
    Ok(path)
}

/// Gives a prepared segment its name.
pub(crate) fn adopt(folder: &Path, first: Seq, prepared: &Path) -> std::io::Result<Segment> {
    let path = folder.join(format!("{first:020}.{ENDING}"));
    std::fs::rename(prepared, &path)?;
    heads::sync_folder(folder)?;
    Segment::open(&path)
}

/// Removes a segment that was prepared and never needed; it may be half written.
pub(crate) fn discard_prepared(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(folder.join(PREPARED)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
