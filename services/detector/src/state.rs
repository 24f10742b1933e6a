//! What the detector keeps between two runs, and its file. Owns the form of the snapshot: written whole beside
//! the one before and put in its place; one that is damaged or of another version is not used.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use hindcast_domain::links::LinkObserved;
use hindcast_domain::{IncidentId, Partition, Time};
use hindcast_log_templates::watch::Watch;
use hindcast_telemetry::ArrivalCursor;
use hindcast_topology::TopologyWatch;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cases::IncidentCase;
use crate::limits::RAISED_MAX;

/// The version of the form; another one is not read.
const FORM: u32 = 2;
const FILE: &str = "detector.snapshot";
const DIGEST: usize = 32;

/// Everything that it knows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct DetectorState {
    form: u32,
    /// Telemetry before it was read.
    pub cursor: ArrivalCursor,
    /// Incidents up to this position were seen.
    pub seen: u64,
    /// By the partition's name.
    pub streams: BTreeMap<String, PartitionStream>,
    /// Incidents that are looked after.
    pub cases: BTreeMap<IncidentId, IncidentCase>,
    raised: DurableFindings,
    /// Evidence for links that is not written yet.
    pub due_links: DueLinks,
}

/// One correlation domain's telemetry.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PartitionStream {
    /// What its log lines say.
    pub watch: Watch,
    /// The latest moment that its telemetry told.
    pub now: Time,
    /// Which services name, call and follow which others.
    pub links: TopologyWatch,
}

/// Evidence that is to be written, each with the tenant that it is of.
pub(crate) type DueLinks = VecDeque<(String, LinkObserved)>;

/// Findings that are durable, newest last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct DurableFindings {
    order: VecDeque<String>,
    #[serde(skip)]
    known: BTreeSet<String>,
}

impl DetectorState {
    /// The stream of a partition; `None` where there is no room for one more.
    pub fn stream(&mut self, partition: &Partition, most: usize) -> Option<&mut PartitionStream> {
        let name = partition.to_string();
        if !self.streams.contains_key(&name) && self.streams.len() >= most {
            return None;
        }
        Some(self.streams.entry(name).or_default())
    }

    /// The latest moment that a partition's telemetry told.
    pub fn now_of(&self, partition: &Partition) -> Time {
        self.streams.get(&partition.to_string()).map_or(Time::ZERO, |stream| stream.now)
    }

    /// Whether a finding is known to be durable.
    pub fn was_raised(&self, id: &str) -> bool {
        self.raised.known.contains(id)
    }

    /// Remembers that a finding is durable.
    pub fn remember(&mut self, id: String) {
        if self.raised.known.insert(id.clone()) {
            self.raised.order.push_back(id);
        }
        while self.raised.order.len() > RAISED_MAX {
            if let Some(old) = self.raised.order.pop_front() {
                self.raised.known.remove(&old);
            }
        }
    }

    /// The state that was written last; a fresh one where there is none that can be read.
    pub fn read(folder: &Path) -> Self {
        match std::fs::read(folder.join(FILE)) {
            Ok(bytes) => Self::decode(&bytes).unwrap_or_else(|| {
                tracing::warn!("the detector's snapshot is damaged or of another version and is not used");
                Self::default()
            }),
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::warn!(%error, "the detector's snapshot cannot be read and is not used");
                }
                Self::default()
            }
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (digest, json) = bytes.split_at_checked(DIGEST)?;
        if Sha256::digest(json).as_slice() != digest {
            return None;
        }
        let mut state: Self = serde_json::from_slice(json).ok().filter(|state: &Self| state.form == FORM)?;
        state.raised.known = state.raised.order.iter().cloned().collect();
        Some(state)
    }

    /// The bytes of a snapshot.
    pub fn encode(&mut self) -> std::io::Result<Vec<u8>> {
        self.form = FORM;
        let json = serde_json::to_vec(self).map_err(std::io::Error::other)?;
        let mut bytes = Sha256::digest(&json).to_vec();
        bytes.extend_from_slice(&json);
        Ok(bytes)
    }
}

/// Puts a snapshot in the place of the one before it: whole, or not at all.
pub(crate) fn write(folder: PathBuf, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(&folder)?;
    let fresh = folder.join("detector.fresh");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    std::fs::rename(&fresh, folder.join(FILE))?;
    std::fs::File::open(&folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_found_again_and_a_damaged_one_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = DetectorState { cursor: ArrivalCursor(7), seen: 9, ..DetectorState::default() };
        state.remember("FND-1".to_owned());
        let mut bytes = state.encode().unwrap();
        write(folder.path().to_owned(), &bytes).unwrap();
        let found = DetectorState::read(folder.path());
        assert_eq!((found.cursor, found.seen, found.was_raised("FND-1")), (ArrivalCursor(7), 9, true));

        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        write(folder.path().to_owned(), &bytes).unwrap();
        assert_eq!(DetectorState::read(folder.path()).cursor, ArrivalCursor(0), "one flipped bit and it starts afresh");
    }

    #[test]
    fn what_was_raised_is_remembered_up_to_a_bound() {
        let mut state = DetectorState::default();
        (0..=RAISED_MAX).for_each(|n| state.remember(format!("FND-{n}")));
        assert!(!state.was_raised("FND-0") && state.was_raised(&format!("FND-{RAISED_MAX}")));
        assert_eq!(state.raised.known.len(), RAISED_MAX);
    }
}
