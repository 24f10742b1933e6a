//! The door to the disk: writing at a place and the sync. Tests put a disk behind it that loses in a crash
//! what was not synced, as real ones do, or that refuses.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The disk of a test. Cheap to clone; all clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct FrameFaults {
    state: Arc<Mutex<FrameDiskState>>,
}

#[derive(Debug, Default)]
struct FrameDiskState {
    pending: Vec<(u64, Vec<u8>)>,
    crashed: bool,
    failing_syncs: u32,
    acknowledge_before_sync: bool,
    syncs: u64,
}

impl FrameFaults {
    /// The power goes off: what was not synced is lost, and nothing is written any more.
    pub fn crash(&self) {
        let mut state = self.lock();
        state.pending.clear();
        state.crashed = true;
    }

    /// The next so many syncs fail.
    pub fn fail_syncs(&self, count: u32) {
        self.lock().failing_syncs = count;
    }

    /// The guarantee broken on purpose: appends are answered before the sync, which then never comes.
    pub fn acknowledge_before_sync(&self) {
        self.lock().acknowledge_before_sync = true;
    }

    /// Syncs so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    fn lock(&self) -> MutexGuard<'_, FrameDiskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        let mut state = self.lock();
        if state.crashed {
            return Err(std::io::Error::other("the power is off"));
        }
        state.pending.push((at, bytes.to_vec()));
        Ok(())
    }

    fn sync(&self, file: &File) -> std::io::Result<()> {
        let mut state = self.lock();
        if state.crashed {
            return Err(std::io::Error::other("the power is off"));
        }
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            state.pending.clear();
            return Err(std::io::Error::other("the disk fails on purpose"));
        }
        if state.acknowledge_before_sync {
            return Ok(());
        }
        state.syncs += 1;
        for (at, bytes) in std::mem::take(&mut state.pending) {
            file.write_all_at(&bytes, at)?;
        }
        file.sync_data()
    }
}

/// Where frames are written.
pub(crate) enum FrameDisk {
    Real,
    Faulty(FrameFaults),
}

impl FrameDisk {
    pub(crate) fn write(&self, file: &File, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Real => file.write_all_at(bytes, at),
            Self::Faulty(faults) => faults.write(at, bytes),
        }
    }

    pub(crate) fn sync(&self, file: &File) -> std::io::Result<()> {
        match self {
            Self::Real => file.sync_data(),
            Self::Faulty(faults) => faults.sync(file),
        }
    }
}

/// Writes a file whole and durably: under another name first, so that nobody ever sees half of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let draft = path.with_extension("draft");
    let file = File::create(&draft)?;
    file.write_all_at(bytes, 0)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    sync_folder(folder)
}

/// Makes names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
