//! What leaves: which segments are too old or too many, and what is remembered of them. Owns the count of what
//! expired; refuses to look at what a record says of its own time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use hindcast_domain::{Partition, Time};
use hindcast_telemetry::TelemetryWindow;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::index::SegmentSummary;

/// Shares of segments that left which are remembered, so that a pin can say what it misses.
const GONE_MAX: usize = 4_096;

/// What is remembered of what left. Written before a segment is removed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RetentionRecord {
    /// The place of the first frame of the newest segment that left.
    pub(crate) through: u64,
    /// The place of the last frame of it: no later frame has a place up to here.
    pub(crate) last: u64,
    /// Records that left.
    pub(crate) expired: u64,
    gone: VecDeque<Gone>,
}

/// One partition's part of a segment that left.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Gone {
    partition: Partition,
    from: Time,
    to: Time,
    records: u64,
}

impl RetentionRecord {
    fn path(folder: &Path) -> PathBuf {
        folder.join("expired.json")
    }

    /// What was remembered; nothing where there is no such file. One that cannot be read is made anew, since
    /// only the count is lost with it.
    pub(crate) fn load(folder: &Path) -> std::io::Result<Self> {
        match std::fs::read(Self::path(folder)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, "the count of expired telemetry cannot be read and begins anew");
                Self::default()
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn save(&self, folder: &Path) -> std::io::Result<()> {
        disk::write_whole(&Self::path(folder), &serde_json::to_vec(self)?)
    }

    /// Notes a segment that is going to leave.
    pub(crate) fn note(&mut self, summary: &SegmentSummary) {
        self.through = self.through.max(summary.first);
        self.last = self.last.max(summary.last);
        self.expired += summary.records();
        for share in &summary.shares {
            let (partition, records) = (share.partition.clone(), share.records);
            self.gone.push_back(Gone { partition, from: share.from, to: share.to, records });
        }
        while self.gone.len() > GONE_MAX {
            self.gone.pop_front();
        }
    }

    /// Records of a stretch that left, estimated by the share of time that a segment has in common with it.
    pub(crate) fn missing(&self, partition: &Partition, stretch: TelemetryWindow) -> u64 {
        let of = self.gone.iter().filter(|gone| gone.partition == *partition);
        of.map(|gone| gone.within(stretch)).sum()
    }
}

impl Gone {
    fn within(&self, stretch: TelemetryWindow) -> u64 {
        if self.from >= stretch.to || stretch.from > self.to {
            return 0;
        }
        let (from, to) = (self.from.max(stretch.from), self.to.min(stretch.to));
        let (common, whole) = (to.since(from).nanos().max(1), self.to.since(self.from).nanos().max(1));
        let share = i128::from(self.records) * i128::from(common) / i128::from(whole);
        u64::try_from(share).unwrap_or(self.records).clamp(1, self.records.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_is_estimated_by_its_time() {
        let partition = Partition::of_environment("production");
        let gone = Gone { partition: partition.clone(), from: Time::ZERO, to: Time::from_millis(1_000), records: 100 };
        let memory = RetentionRecord { gone: [gone].into(), ..RetentionRecord::default() };
        let within = |from, to| {
            memory.missing(&partition, TelemetryWindow { from: Time::from_millis(from), to: Time::from_millis(to) })
        };
        assert_eq!((within(0, 2_000), within(250, 500), within(1_001, 9_000)), (100, 25, 0));
        assert_eq!(within(1_000, 9_000), 1);
        let other = Partition::of_environment("staging");
        assert_eq!(memory.missing(&other, TelemetryWindow { from: Time::ZERO, to: Time::MAX }), 0);
    }
}
