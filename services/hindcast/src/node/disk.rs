//! How much disk the data folder takes, and how fast that grows: a diary of its size, an entry an hour for a week, kept
//! beside the data so that a restart goes on with it. Owns the diary; refuses to judge how soon is too soon.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use hindcast_domain::{Span, Time};
use serde::{Deserialize, Serialize};

/// The pause between two entries.
const EVERY: Span = Span::hours(1);
/// How long entries are kept: a week has its weekend.
const KEPT: Span = Span::hours(24 * 7);
/// The file beside the data.
const FILE: &str = "disk-diary.json";
const NANOS_A_DAY: f64 = 86_400e9;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DiaryEntry {
    at: Time,
    bytes: u64,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DiskLook {
    /// Bytes that the data folder takes.
    pub(super) used: u64,
    /// Bytes that are left on its disk.
    pub(super) free: u64,
    /// Bytes a day by which it grew; 0 where it did not, or the diary is shorter than an hour.
    pub(super) growth: f64,
}

/// The diary of one folder.
#[derive(Debug)]
pub(super) struct DiskDiary {
    folder: PathBuf,
    entries: VecDeque<DiaryEntry>,
}

impl DiskDiary {
    /// The diary as the process before left it; an unreadable one is begun anew.
    pub(super) fn open(folder: &Path) -> Self {
        let text = std::fs::read(folder.join(FILE)).unwrap_or_default();
        Self { folder: folder.to_owned(), entries: serde_json::from_slice(&text).unwrap_or_default() }
    }

    /// Looks at the folder. Blocks.
    ///
    /// # Errors
    /// When the disk cannot be asked, or the diary not written.
    pub(super) fn look(&mut self, now: Time) -> io::Result<DiskLook> {
        let used = allocated(&self.folder);
        let space = rustix::fs::statvfs(&self.folder)?;
        if self.note(DiaryEntry { at: now, bytes: used }) {
            let fresh = self.folder.join(FILE).with_extension("fresh");
            std::fs::write(&fresh, serde_json::to_vec(&self.entries)?)?;
            std::fs::rename(&fresh, self.folder.join(FILE))?;
        }
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        Ok(DiskLook { used, free, growth: self.growth(DiaryEntry { at: now, bytes: used }) })
    }

    /// Notes an entry where one is due.
    fn note(&mut self, entry: DiaryEntry) -> bool {
        // A clock that was set back makes a diary that says nothing.
        if self.entries.back().is_some_and(|last| last.at > entry.at) {
            self.entries.clear();
        }
        if self.entries.back().is_some_and(|last| entry.at.since(last.at) < EVERY) {
            return false;
        }
        self.entries.push_back(entry);
        while self.entries.front().is_some_and(|first| entry.at.since(first.at) > KEPT) {
            self.entries.pop_front();
        }
        true
    }

    #[allow(clippy::cast_precision_loss)] // a gauge
    fn growth(&self, now: DiaryEntry) -> f64 {
        let Some(first) = self.entries.front() else { return 0.0 };
        let span = now.at.since(first.at);
        if span < EVERY {
            return 0.0;
        }
        let days = (now.at.nanos() - first.at.nanos()) as f64 / NANOS_A_DAY;
        now.bytes.saturating_sub(first.bytes) as f64 / days
    }
}

/// Bytes that the disk has given to a file or to all in a folder.
fn allocated(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    // What goes away meanwhile takes nothing.
    let Ok(found) = std::fs::symlink_metadata(path) else { return 0 };
    if !found.is_dir() {
        return found.blocks() * 512;
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| allocated(&entry.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64, bytes: u64) -> DiaryEntry {
        DiaryEntry { at: Time::ZERO + Span::hours(hours), bytes }
    }

    #[test]
    fn growth_is_measured_over_what_the_diary_knows_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut diary = DiskDiary::open(folder.path());
        std::fs::write(folder.path().join("data"), vec![1; 40_960]).unwrap();
        let first = diary.look(Time::ZERO).unwrap();
        assert!(first.used >= 40_960 && first.free > 0, "{first:?}");
        assert_eq!(first.growth, 0.0, "one look says nothing of growth");
        std::fs::write(folder.path().join("more"), vec![1; 409_600]).unwrap();
        let mut again = DiskDiary::open(folder.path());
        let later = again.look(Time::ZERO + Span::hours(12)).unwrap();
        let grown = (later.used - first.used) as f64;
        assert!((later.growth - 2.0 * grown).abs() < 8_192.0, "{later:?}, after {first:?}");
    }

    #[test]
    fn an_entry_is_due_each_hour_and_kept_for_a_week() {
        let mut diary = DiskDiary { folder: PathBuf::new(), entries: VecDeque::new() };
        assert!(diary.note(at(0, 1)) && !diary.note(at(0, 2)));
        assert!((1..=200).all(|hour| diary.note(at(hour, 0))));
        assert_eq!(diary.entries.len(), 24 * 7 + 1);
        assert_eq!(diary.growth(at(200, 0)), 0.0, "a folder that shrinks does not fill the disk");
        assert!(diary.note(at(3, 9)) && diary.entries.len() == 1, "a clock that was set back begins anew");
    }
}
