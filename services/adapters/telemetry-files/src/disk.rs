//! The door to the disk: writing at a place and the sync. Tests put a disk behind it that loses in a crash
//! what was not synced, as real ones do, or that refuses.

use std::fs::File;
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
            write_all_at(file, &bytes, at)?;
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
            Self::Real => write_all_at(file, bytes, at),
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
    write_all_at(&file, bytes, 0)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    sync_folder(folder)
}

/// Makes names in a folder durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes names in a folder durable: a rename is, here.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, at)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes = bytes.get_mut(read..).unwrap_or_default();
        at += read as u64;
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(written..).unwrap_or_default();
        at += written as u64;
    }
    Ok(())
}
