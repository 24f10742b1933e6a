//! The door to the disk: writing a block, and its sync. Tests put a disk behind it that keeps what was not
//! synced in memory, and loses any part of that in a crash, as real ones do.

use std::collections::HashMap;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::segment::Segment;

/// What a disk writes at once; a crash keeps or loses each of these as a whole.
const SECTOR: usize = 512;

/// What the disk of a test does.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskPlan {
    /// The machine loses its power during this sync (1 is the first).
    pub crash_at_sync: Option<u64>,
    /// The number of the sync that fails, counted from one; none fails when absent.
    pub fail_at_sync: Option<u64>,
    /// Decides which sectors a crash keeps.
    pub seed: u64,
    /// The guarantee broken on purpose: appends are answered before the sync.
    pub acknowledge_before_sync: bool,
}

/// The disk of a test. Cheap to clone; all clones are the same one.
#[derive(Clone, Debug)]
pub struct DiskFaults {
    plan: DiskPlan,
    state: Arc<Mutex<DiskState>>,
}

#[derive(Debug, Default)]
struct DiskState {
    pending: Vec<(PathBuf, u64, Vec<u8>)>,
    syncs: u64,
    crashed: bool,
}

impl DiskFaults {
    /// A disk that does as planned.
    #[must_use]
    pub fn new(plan: DiskPlan) -> Self {
        Self { plan, state: Arc::default() }
    }

    /// Whether the power was lost.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.lock().crashed
    }

    fn lock(&self) -> MutexGuard<'_, DiskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, segment: &Segment, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        let mut state = self.lock();
        if state.crashed {
            return Err(std::io::Error::other("the power is off"));
        }
        state.pending.push((segment.path.clone(), offset, bytes.to_vec()));
        Ok(())
    }

    fn sync(&self) -> std::io::Result<()> {
        let mut state = self.lock();
        state.syncs += 1;
        if self.plan.fail_at_sync == Some(state.syncs) {
            return Err(std::io::Error::other("the disk fails on purpose"));
        }
        state.crashed |= self.plan.crash_at_sync == Some(state.syncs);
        let mut files = HashMap::new();
        let mut random = self.plan.seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15);
        for (path, offset, bytes) in std::mem::take(&mut state.pending) {
            let file = match files.entry(path) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    let segment = Segment::open(entry.key())?;
                    entry.insert(segment)
                }
            };
            let mut at = 0;
            while at < bytes.len() {
                // Sectors are those of the disk, not of the write.
                let place = offset + at as u64;
                let room = SECTOR - usize::try_from(place).unwrap_or(0) % SECTOR;
                let sector = bytes.get(at..bytes.len().min(at + room)).unwrap_or_default();
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if !state.crashed || (random >> 33) & 1 == 1 {
                    file.file.write_all_at(sector, place)?;
                }
                at += sector.len();
            }
        }
        if state.crashed {
            return Err(std::io::Error::other("the power went off"));
        }
        files.values().try_for_each(|segment| segment.file.sync_data())
    }
}

/// Where blocks are written.
pub(crate) enum SegmentDisk {
    Real,
    Faulty(DiskFaults),
}

impl SegmentDisk {
    pub(crate) fn write(&self, segment: &Segment, offset: u32, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Real => segment.file.write_all_at(bytes, u64::from(offset)),
            Self::Faulty(faults) => faults.write(segment, u64::from(offset), bytes),
        }
    }

    pub(crate) fn sync(&self, segment: &Segment) -> std::io::Result<()> {
        match self {
            Self::Real => segment.file.sync_data(),
            Self::Faulty(faults) => faults.sync(),
        }
    }

    pub(crate) fn acknowledges_before_sync(&self) -> bool {
        matches!(self, Self::Faulty(faults) if faults.plan.acknowledge_before_sync)
    }

    /// Whether this is a simulated crash: then the process goes on and only the ledger is dead.
    pub(crate) fn crashed(&self) -> bool {
        matches!(self, Self::Faulty(faults) if faults.crashed())
    }
}
