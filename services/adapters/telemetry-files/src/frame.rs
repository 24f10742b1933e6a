//! The unit that is written and read: one partition's records, compressed, under a checksum, with a head that
//! says what is in it. Owns the bytes of a frame; refuses to know in which file they lie.
//!
//! `magic (4) | length of the body (4) | crc32c of the body (4) | body`, all little-endian; the body is the head
//! and the content, compressed with zstd.

use std::collections::BTreeSet;

use hindcast_domain::{Partition, Time};
use hindcast_telemetry::{LogLevel, TelemetryBatch};

use crate::bytes::{ByteReader, ByteWriter};
use crate::codec;

/// What a frame begins with; it also tells where one may begin behind damage.
pub(crate) const MAGIC: [u8; 4] = *b"HtF1";
/// Bytes before the body.
pub(crate) const HEADER_BYTES: usize = 12;
/// Records of one frame; what is appended in a larger batch becomes several.
pub(crate) const RECORDS_MAX: usize = 1_000;
/// Bytes of content, roughly, after which a frame takes no more records.
pub(crate) const CONTENT_BYTES: usize = 1024 * 1024;
/// Bytes of content that a frame can have: that of one huge record.
pub(crate) const CONTENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a body; a length beyond is no length.
pub(crate) const BODY_BYTES_MAX: usize = CONTENT_BYTES_MAX + 1024 * 1024;
/// Services that a head lists; of a frame with more any may be in it.
const SERVICES_MAX: usize = 64;
/// Fast, and a third of the size; a higher level would cost the one thread that writes.
const COMPRESSION: i32 = 1;

/// The bit beside the worst level that says that the number of spans stands behind the services. Frames of versions that
/// knew no spans have it nowhere but in [`u8::MAX`], which is "no level" and no spans.
const SPANS: u8 = 0x40;
/// No level, where there are spans; also the bits of a level.
const NO_LEVEL: u8 = 0x3f;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// Its place in the order of arrival.
    pub(crate) seq: u64,
    pub(crate) arrived: Time,
    pub(crate) partition: Partition,
    pub(crate) logs: u32,
    pub(crate) samples: u32,
    pub(crate) spans: u32,
    /// The oldest and the newest time that a record says.
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// The worst line's level.
    pub(crate) worst: Option<LogLevel>,
    /// `None`: too many to be listed.
    pub(crate) services: Option<Vec<String>>,
}

impl FrameHead {
    fn of(seq: u64, arrived: Time, partition: &Partition, batch: &TelemetryBatch) -> Self {
        let (from, to) = batch.times().fold((Time::MAX, Time::from_nanos(i64::MIN)), |(a, b), t| (a.min(t), b.max(t)));
        let services: BTreeSet<&str> = batch.services().collect();
        let listed = || services.iter().map(|service| (*service).to_owned()).collect();
        Self {
            seq,
            arrived,
            partition: partition.clone(),
            logs: u32::try_from(batch.logs.len()).unwrap_or(u32::MAX),
            samples: u32::try_from(batch.samples.len()).unwrap_or(u32::MAX),
            spans: u32::try_from(batch.spans.len()).unwrap_or(u32::MAX),
            from,
            to,
            worst: batch.logs.iter().map(|record| record.level).max(),
            services: (services.len() <= SERVICES_MAX).then(listed),
        }
    }

    fn write(&self, to: &mut ByteWriter) {
        to.number(self.seq);
        to.signed(self.arrived.nanos());
        to.bytes(self.partition.tenant.as_bytes());
        to.bytes(self.partition.environment.as_bytes());
        to.number(u64::from(self.logs));
        to.number(u64::from(self.samples));
        to.signed(self.from.nanos());
        to.signed(self.to.nanos());
        to.0.push(match (self.worst, self.spans) {
            (None, 0) => u8::MAX,
            (worst, 0) => worst.map_or(NO_LEVEL, |level| level as u8),
            (worst, _) => SPANS | worst.map_or(NO_LEVEL, |level| level as u8),
        });
        match &self.services {
            None => to.number(0),
            Some(services) => {
                to.number(services.len() as u64 + 1);
                services.iter().for_each(|service| to.bytes(service.as_bytes()));
            }
        }
        if self.spans > 0 {
            to.number(u64::from(self.spans));
        }
    }

    fn read(reader: &mut ByteReader<'_>) -> Option<Self> {
        let seq = reader.number()?;
        let arrived = Time::from_nanos(reader.signed()?);
        let tenant = reader.text()?.to_owned();
        let environment = reader.text()?.to_owned();
        let logs = u32::try_from(reader.number()?).ok()?;
        let samples = u32::try_from(reader.number()?).ok()?;
        let from = Time::from_nanos(reader.signed()?);
        let to = Time::from_nanos(reader.signed()?);
        let worst = reader.byte()?;
        let has_spans = worst != u8::MAX && worst & SPANS != 0;
        let services = match reader.size()? {
            0 => None,
            many if many > SERVICES_MAX + 1 => return None,
            many => Some((1..many).map(|_| Some(reader.text()?.to_owned())).collect::<Option<Vec<_>>>()?),
        };
        let spans = if has_spans { u32::try_from(reader.number()?).ok()? } else { 0 };
        let worst = codec::level(if has_spans { worst & NO_LEVEL } else { worst });
        let partition = Partition { tenant, environment };
        Some(Self { seq, arrived, partition, logs, samples, spans, from, to, worst, services })
    }
}

/// Roughly what a record costs in memory and before compression.
pub(crate) fn cost<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    texts.into_iter().map(|text| text.len() + 8).sum::<usize>() + 16
}

/// Makes frames; one for the thread that writes.
pub(crate) struct Maker(zstd::bulk::Compressor<'static>);

impl Maker {
    pub(crate) fn new() -> std::io::Result<Self> {
        zstd::bulk::Compressor::new(COMPRESSION).map(Self)
    }

    /// A frame's head and its bytes.
    pub(crate) fn frame(
        &mut self,
        seq: u64,
        arrived: Time,
        partition: &Partition,
        batch: &TelemetryBatch,
    ) -> std::io::Result<(FrameHead, Vec<u8>)> {
        let head = FrameHead::of(seq, arrived, partition, batch);
        let content = codec::encode(batch);
        let mut body = ByteWriter::default();
        head.write(&mut body);
        body.number(content.len() as u64);
        body.0.extend_from_slice(&self.0.compress(&content)?);
        let length = u32::try_from(body.0.len()).map_err(std::io::Error::other)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.0.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&body.0).to_le_bytes());
        bytes.extend_from_slice(&body.0);
        Ok((head, bytes))
    }
}

/// A frame that was read and whose checksum holds.
pub(crate) struct TelemetryFrame<'a> {
    pub(crate) head: FrameHead,
    /// Bytes of the whole frame.
    pub(crate) length: usize,
    content_bytes: usize,
    content: &'a [u8],
}

impl<'a> TelemetryFrame<'a> {
    /// The frame that `bytes` begin with; `None` where they begin with none, or not with all of one.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let [m0, m1, m2, m3, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if [m0, m1, m2, m3] != MAGIC || length > BODY_BYTES_MAX {
            return None;
        }
        let body = bytes.get(HEADER_BYTES..HEADER_BYTES + length)?;
        if crc32c::crc32c(body) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return None;
        }
        let mut reader = ByteReader(body);
        let head = FrameHead::read(&mut reader)?;
        let content_bytes = reader.size().filter(|size| *size <= CONTENT_BYTES_MAX)?;
        Some(Self { head, length: HEADER_BYTES + length, content_bytes, content: reader.0 })
    }

    /// The content as [`codec::BatchView`] takes it; `None` where it does not unpack.
    pub(crate) fn content(&self) -> Option<Vec<u8>> {
        zstd::bulk::decompress(self.content, self.content_bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_telemetry::{LogRecord, SpanKind, TraceSpan};

    #[test]
    fn a_frame_comes_back_and_a_changed_one_does_not() {
        let record = LogRecord {
            time: Time::from_millis(5),
            service: "a".to_owned(),
            level: LogLevel::Error,
            message: "m".to_owned(),
            labels: [].into(),
        };
        let span = TraceSpan {
            time: Time::from_millis(6),
            nanos: 5,
            service: "b".to_owned(),
            name: "n".to_owned(),
            kind: SpanKind::Client,
            trace: 1,
            id: 2,
            parent: 0,
            failed: true,
            peer: String::new(),
        };
        for (logs, spans) in [(vec![record.clone()], vec![]), (vec![], vec![span.clone()]), (vec![record], vec![span])]
        {
            comes_back(&TelemetryBatch { logs, spans, samples: Vec::new() });
        }
    }

    fn comes_back(batch: &TelemetryBatch) {
        let partition = Partition::of_environment("production");
        let (head, bytes) = Maker::new().unwrap().frame(7, Time::from_millis(9), &partition, batch).unwrap();
        let read = TelemetryFrame::of(&bytes).unwrap();
        assert_eq!((&read.head, read.length), (&head, bytes.len()));
        assert_eq!(codec::BatchView::of(&read.content().unwrap()).unwrap().batch().as_ref(), Some(batch));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(TelemetryFrame::of(&changed).is_none(), "byte {at} is covered");
            assert!(TelemetryFrame::of(&bytes[..at]).is_none(), "cut at {at}");
        }
    }
}
