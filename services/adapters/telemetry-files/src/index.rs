//! What is known of a segment without reading it: a summary that stays in memory, and one row a frame that is
//! read when a query needs it. Owns the index file's form; refuses to know what is asked.
//!
//! An index file is two sections, each `length (4) | crc32c (4) | bytes`: the summary as JSON, then the rows. It
//! is made from its segment and can be made again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use hindcast_domain::{Partition, Time};
use hindcast_telemetry::{LogLevel, TelemetryWindow};
use serde::{Deserialize, Serialize};

use crate::bytes::{ByteReader, ByteWriter};
use crate::frame::FrameHead;

/// The form of segments and indexes.
pub(crate) const FORMAT: u32 = 1;
/// Services that a summary lists for a partition; of one with more any may be in it.
const SERVICES_MAX: usize = 1_024;
/// The bit beside a row's worst level that says that the number of spans follows; rows of versions that knew no spans
/// have it nowhere.
const SPANS: u8 = 0x80;
/// Bytes of a section; a length beyond is no length.
const SECTION_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A segment in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentSummary {
    pub(crate) format: u32,
    /// The place of its first frame, which is also its name.
    pub(crate) first: u64,
    /// The place of its last frame; `first - 1` where it has none.
    pub(crate) last: u64,
    /// Bytes up to the end of its last frame.
    pub(crate) bytes: u64,
    /// When its first and its last frame arrived.
    pub(crate) opened: Option<Time>,
    pub(crate) closed: Option<Time>,
    /// Places at which there is no frame although there was one.
    pub(crate) damaged: u64,
    pub(crate) shares: Vec<PartitionShare>,
}

/// One partition's part of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartitionShare {
    pub(crate) partition: Partition,
    pub(crate) from: Time,
    pub(crate) to: Time,
    pub(crate) records: u64,
    /// `None`: too many to be listed.
    pub(crate) services: Option<BTreeSet<String>>,
}

/// A frame in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameRow {
    pub(crate) seq: u64,
    pub(crate) at: u64,
    pub(crate) length: u32,
    /// The number of its partition's share.
    pub(crate) share: u32,
    pub(crate) logs: u32,
    pub(crate) samples: u32,
    pub(crate) spans: u32,
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// 0 without lines, else the worst line's level and 1.
    pub(crate) worst: u8,
    /// One bit a service.
    services: u64,
}

/// What a query wants.
pub(crate) struct RowQuery<'a> {
    pub(crate) partition: &'a Partition,
    pub(crate) stretch: TelemetryWindow,
    pub(crate) service: Option<&'a str>,
    pub(crate) level: Option<LogLevel>,
    pub(crate) logs: bool,
    pub(crate) samples: bool,
    pub(crate) spans: bool,
}

impl SegmentSummary {
    pub(crate) const fn new(first: u64, bytes: u64) -> Self {
        let last = first.saturating_sub(1);
        Self { format: FORMAT, first, last, bytes, opened: None, closed: None, damaged: 0, shares: Vec::new() }
    }

    pub(crate) fn records(&self) -> u64 {
        self.shares.iter().map(|share| share.records).sum()
    }

    /// Notes a frame that lies at `at`.
    pub(crate) fn add(&mut self, head: &FrameHead, at: u64, length: usize) -> FrameRow {
        let records = u64::from(head.logs) + u64::from(head.samples) + u64::from(head.spans);
        let found = self.shares.iter().position(|share| share.partition == head.partition);
        let share = found.unwrap_or(self.shares.len());
        match self.shares.get_mut(share) {
            Some(share) => share.widen(head, records),
            None => self.shares.push(PartitionShare::of(head, records)),
        }
        self.last = self.last.max(head.seq);
        self.bytes = at + length as u64;
        self.opened = self.opened.or(Some(head.arrived));
        self.closed = self.closed.max(Some(head.arrived));
        FrameRow {
            seq: head.seq,
            at,
            length: u32::try_from(length).unwrap_or(u32::MAX),
            share: u32::try_from(share).unwrap_or(u32::MAX),
            logs: head.logs,
            samples: head.samples,
            spans: head.spans,
            from: head.from,
            to: head.to,
            worst: head.worst.map_or(0, |level| level as u8 + 1),
            services: head.services.as_ref().map_or(u64::MAX, |services| mask(services.iter().map(String::as_str))),
        }
    }

    /// The number of the share that may hold something that is wanted.
    pub(crate) fn share(&self, want: &RowQuery<'_>) -> Option<u32> {
        let at = self.shares.iter().position(|share| share.partition == *want.partition)?;
        let share = self.shares.get(at)?;
        let known = |services: &BTreeSet<String>| want.service.is_none_or(|service| services.contains(service));
        let holds = meets(share.from, share.to, want.stretch) && share.services.as_ref().is_none_or(known);
        holds.then(|| u32::try_from(at).unwrap_or(u32::MAX))
    }
}

impl PartitionShare {
    fn of(head: &FrameHead, records: u64) -> Self {
        let services = head.services.as_ref().map(|services| services.iter().cloned().collect());
        Self { partition: head.partition.clone(), from: head.from, to: head.to, records, services }
    }

    fn widen(&mut self, head: &FrameHead, records: u64) {
        self.from = self.from.min(head.from);
        self.to = self.to.max(head.to);
        self.records += records;
        if let (Some(known), Some(new)) = (&mut self.services, &head.services) {
            for service in new {
                if !known.contains(service) {
                    known.insert(service.clone());
                }
            }
        }
        if head.services.is_none() || self.services.as_ref().is_some_and(|known| known.len() > SERVICES_MAX) {
            self.services = None;
        }
    }
}

impl FrameRow {
    /// Whether the frame may hold something that is wanted; `share` is that of [`SegmentSummary::share`].
    pub(crate) fn may_hold(&self, want: &RowQuery<'_>, share: u32) -> bool {
        let kind = (want.logs && self.logs > 0) || (want.samples && self.samples > 0) || (want.spans && self.spans > 0);
        self.share == share
            && kind
            && meets(self.from, self.to, want.stretch)
            && want.service.is_none_or(|service| self.services & mask([service]) != 0)
            && want.level.is_none_or(|level| self.worst > level as u8)
    }

    fn write(&self, to: &mut ByteWriter) {
        for number in [self.seq, self.at, self.length.into(), self.share.into(), self.logs.into(), self.samples.into()]
        {
            to.number(number);
        }
        to.signed(self.from.nanos());
        to.signed(self.to.nanos());
        to.0.push(self.worst | if self.spans > 0 { SPANS } else { 0 });
        to.0.extend_from_slice(&self.services.to_le_bytes());
        if self.spans > 0 {
            to.number(self.spans.into());
        }
    }

    fn read(reader: &mut ByteReader<'_>) -> Option<Self> {
        let small = |reader: &mut ByteReader<'_>| u32::try_from(reader.number()?).ok();
        let mut row = Self {
            seq: reader.number()?,
            at: reader.number()?,
            length: small(reader)?,
            share: small(reader)?,
            logs: small(reader)?,
            samples: small(reader)?,
            spans: 0,
            from: Time::from_nanos(reader.signed()?),
            to: Time::from_nanos(reader.signed()?),
            worst: reader.byte()?,
            services: u64::from_le_bytes(reader.take(8)?.try_into().ok()?),
        };
        if row.worst & SPANS != 0 {
            row.worst &= !SPANS;
            row.spans = small(reader)?;
        }
        Some(row)
    }
}

/// Whether `from..=to` and a stretch have a moment in common.
fn meets(from: Time, to: Time, stretch: TelemetryWindow) -> bool {
    from < stretch.to && stretch.from <= to
}

fn mask<'a>(services: impl IntoIterator<Item = &'a str>) -> u64 {
    services.into_iter().fold(0, |mask, service| mask | 1 << (crc32c::crc32c(service.as_bytes()) % 64))
}

/// An index as the bytes of its file.
pub(crate) fn encode(summary: &SegmentSummary, rows: &[FrameRow]) -> std::io::Result<Vec<u8>> {
    let mut listed = ByteWriter::default();
    listed.number(rows.len() as u64);
    rows.iter().for_each(|row| row.write(&mut listed));
    let mut bytes = Vec::new();
    for section in [serde_json::to_vec(summary)?, listed.0] {
        bytes.extend_from_slice(&u32::try_from(section.len()).map_err(std::io::Error::other)?.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&section).to_le_bytes());
        bytes.extend_from_slice(&section);
    }
    Ok(bytes)
}

/// The summary of an index file; `None` where the file is no index.
pub(crate) fn summary(path: &Path) -> std::io::Result<Option<SegmentSummary>> {
    let mut file = File::open(path)?;
    let Some(bytes) = section(&mut file)? else { return Ok(None) };
    Ok(serde_json::from_slice(&bytes).ok())
}

/// The rows of an index file; `None` where the file is no index.
pub(crate) fn rows(path: &Path) -> std::io::Result<Option<Vec<FrameRow>>> {
    let mut file = File::open(path)?;
    if section(&mut file)?.is_none() {
        return Ok(None);
    }
    let Some(bytes) = section(&mut file)? else { return Ok(None) };
    let mut reader = ByteReader(&bytes);
    let read = |reader: &mut ByteReader<'_>| {
        let count = reader.size().filter(|count| *count <= bytes.len())?;
        (0..count).map(|_| FrameRow::read(reader)).collect::<Option<Vec<_>>>()
    };
    Ok(read(&mut reader))
}

fn section(file: &mut File) -> std::io::Result<Option<Vec<u8>>> {
    let mut header = [0; 8];
    if let Err(error) = file.read_exact(&mut header) {
        return if error.kind() == std::io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3] = header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > SECTION_BYTES_MAX || length as u64 > file.metadata()?.len() {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    if let Err(error) = file.read_exact(&mut bytes) {
        return if error.kind() == std::io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    Ok((crc32c::crc32c(&bytes) == u32::from_le_bytes([c0, c1, c2, c3])).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_spans_and_without_come_back() {
        let mut summary = SegmentSummary::new(1, 8);
        let mut head = FrameHead {
            seq: 1,
            arrived: Time::from_millis(5),
            partition: Partition::of_environment("production"),
            logs: 3,
            samples: 0,
            spans: 0,
            from: Time::from_millis(1),
            to: Time::from_millis(2),
            worst: Some(LogLevel::Fatal),
            services: Some(vec!["a".to_owned()]),
        };
        let mut rows = vec![summary.add(&head, 8, 100)];
        head = FrameHead { seq: 2, spans: 70_000, worst: None, ..head };
        rows.push(summary.add(&head, 108, 50));
        head = FrameHead { seq: 3, worst: Some(LogLevel::Debug), ..head };
        rows.push(summary.add(&head, 158, 50));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        std::fs::write(&path, encode(&summary, &rows).unwrap()).unwrap();
        assert_eq!(super::rows(&path).unwrap(), Some(rows));
        assert_eq!(super::summary(&path).unwrap().map(|read| read.records()), Some(summary.records()));
    }
}
