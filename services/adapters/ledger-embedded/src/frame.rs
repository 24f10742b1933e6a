//! The format on disk. One group of appends is one block, since one sync makes it durable: a block that is
//! not whole was never acknowledged, whichever of its pages reached the disk first.
//!
//! Block: mark u64 · body bytes u32 · records u32 · first sequence u64 · CRC-32C of the body u32 · CRC-32C of
//! this header u32. Record: subject and payload bytes u32 · CRC-32C over the rest u32 · sequence u64 ·
//! subject bytes u16 · subject · payload. All little endian. Eight zeroes in place of a mark: nothing yet.

use bytes::Bytes;
use hindcast_ledger::{Record, RecordMemo, Seq, Subject};

const BLOCK_HEADER: usize = 32;
const RECORD_HEADER: usize = 18;

/// Where a record lies, relative to its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordSpan {
    pub(crate) seq: Seq,
    pub(crate) subject: Subject,
    pub(crate) offset: u32,
    pub(crate) length: u32,
}

/// A block that is being filled.
pub(crate) struct BlockBuilder {
    mark: u64,
    first: Seq,
    bytes: Vec<u8>,
    placed: Vec<RecordSpan>,
}

impl BlockBuilder {
    pub(crate) fn new(mark: u64, first: Seq) -> Self {
        Self { mark, first, bytes: vec![0; BLOCK_HEADER], placed: Vec::new() }
    }

    pub(crate) fn push(&mut self, subject: &Subject, payload: &[u8]) -> Seq {
        let seq = self.first + self.placed.len() as Seq;
        let name = subject.to_string();
        let start = self.bytes.len();
        let length = u32::try_from(name.len() + payload.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&seq.to_le_bytes());
        self.bytes.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(payload);
        let crc = record_crc(&self.bytes[start..]);
        self.bytes[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
        self.placed.push(RecordSpan {
            seq,
            subject: subject.clone(),
            offset: u32::try_from(start).unwrap_or(u32::MAX),
            length: u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX),
        });
        seq
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.placed.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn finish(mut self) -> (Vec<u8>, Vec<RecordSpan>) {
        let body = u32::try_from(self.bytes.len() - BLOCK_HEADER).unwrap_or(u32::MAX);
        let count = u32::try_from(self.placed.len()).unwrap_or(u32::MAX);
        let crc = crc32c::crc32c(&self.bytes[BLOCK_HEADER..]);
        self.bytes[0..8].copy_from_slice(&self.mark.to_le_bytes());
        self.bytes[8..12].copy_from_slice(&body.to_le_bytes());
        self.bytes[12..16].copy_from_slice(&count.to_le_bytes());
        self.bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        self.bytes[24..28].copy_from_slice(&crc.to_le_bytes());
        let header = crc32c::crc32c(&self.bytes[..28]);
        self.bytes[28..32].copy_from_slice(&header.to_le_bytes());
        (self.bytes, self.placed)
    }
}

/// What lies at a place where a block may begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BlockProbe {
    /// Nothing was ever written here, as far as this place shows.
    Nothing,
    /// A whole block.
    Block { records: Vec<RecordSpan>, bytes: usize },
    /// Something else, and why.
    Bad(&'static str),
}

/// Reads the block at the beginning of `bytes`, whose first record must be `expected`.
pub(crate) fn read_block(bytes: &[u8], mark: u64, expected: Seq) -> BlockProbe {
    let Some((header, rest)) = bytes.split_at_checked(BLOCK_HEADER) else {
        return if bytes.iter().all(|byte| *byte == 0) {
            BlockProbe::Nothing
        } else {
            BlockProbe::Bad("a header is cut short")
        };
    };
    if header.iter().all(|byte| *byte == 0) {
        return BlockProbe::Nothing;
    }
    let (Some(body), Some(first)) = (block_body(header, rest, mark), u64_at(header, 16)) else {
        return BlockProbe::Bad("no block of this ledger, or its checksum does not match");
    };
    if first != expected {
        return BlockProbe::Bad("a block stands in another's place");
    }
    match read_records(body, expected, u32_at(header, 12).unwrap_or(0)) {
        Some(records) => BlockProbe::Block { records, bytes: BLOCK_HEADER + body.len() },
        None => BlockProbe::Bad("a block's records are not those that it announces"),
    }
}

/// Where the next whole block begins in `bytes`, if anywhere: what stands before it is no torn tail.
pub(crate) fn find_block(bytes: &[u8], mark: u64) -> Option<usize> {
    let wanted = mark.to_le_bytes();
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.windows(8).position(|window| window == wanted) {
        let start = from + at;
        let (header, rest) = bytes.get(start..)?.split_at_checked(BLOCK_HEADER)?;
        if block_body(header, rest, mark).is_some() {
            return Some(start);
        }
        from = start + 1;
    }
    None
}

fn block_body<'a>(header: &[u8], rest: &'a [u8], mark: u64) -> Option<&'a [u8]> {
    let sound = u64_at(header, 0)? == mark && u32_at(header, 28)? == crc32c::crc32c(header.get(..28)?);
    let body = rest.get(..u32_at(header, 8)? as usize)?;
    (sound && u32_at(header, 24)? == crc32c::crc32c(body)).then_some(body)
}

fn read_records(body: &[u8], first: Seq, count: u32) -> Option<Vec<RecordSpan>> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let length = RECORD_HEADER + u32_at(body, at)? as usize;
        let record = read_record(body.get(at..at + length)?, first + records.len() as Seq).ok()?;
        let offset = u32::try_from(BLOCK_HEADER + at).ok()?;
        records.push(RecordSpan {
            seq: record.seq,
            subject: record.subject,
            offset,
            length: u32::try_from(length).ok()?,
        });
        at += length;
    }
    (records.len() == count as usize && count > 0).then_some(records)
}

/// Reads one record that must be `expected`; why not, where it is not.
pub(crate) fn read_record(bytes: &[u8], expected: Seq) -> Result<Record, &'static str> {
    let short = "a record is cut short";
    let crc = u32_at(bytes, 4).ok_or(short)?;
    if crc != record_crc(bytes) {
        return Err("a record's checksum does not match");
    }
    let seq = u64_at(bytes, 8).ok_or(short)?;
    if seq != expected {
        return Err("another record stands in this place");
    }
    let name_bytes = bytes.get(16..18).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes).ok_or(short)?;
    let rest = bytes.get(RECORD_HEADER..).ok_or(short)?;
    let (name, payload) = rest.split_at_checked(usize::from(name_bytes)).ok_or(short)?;
    let subject = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok()).ok_or("a subject is none")?;
    Ok(Record { seq, subject, payload: Bytes::copy_from_slice(payload), memo: RecordMemo::default() })
}

/// Over everything but the checksum's own place.
fn record_crc(record: &[u8]) -> u32 {
    let length = crc32c::crc32c(record.get(..4).unwrap_or_default());
    crc32c::crc32c_append(length, record.get(8..).unwrap_or_default())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Vec<u8> {
        let mut builder = BlockBuilder::new(7, 5);
        let subject: Subject = "hc.default.production.incidents".parse().unwrap();
        assert_eq!(builder.push(&subject, b"one"), 5);
        assert_eq!(builder.push(&subject, b"two"), 6);
        builder.finish().0
    }

    #[test]
    fn a_block_reads_as_it_was_written() {
        let bytes = block();
        let BlockProbe::Block { records, bytes: length } = read_block(&bytes, 7, 5) else { panic!("a block") };
        assert_eq!((records.len(), length), (2, bytes.len()));
        let at = records[1].offset as usize;
        let record = read_record(&bytes[at..at + records[1].length as usize], 6).unwrap();
        assert_eq!(record.payload, "two");
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found() {
        let bytes = block();
        for at in 0..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[at / 8] ^= 1 << (at % 8);
            assert!(matches!(read_block(&broken, 7, 5), BlockProbe::Bad(_)), "bit {at}");
        }
    }

    #[test]
    fn a_cut_block_is_bad_and_zeroes_are_nothing() {
        let bytes = block();
        for length in 1..bytes.len() {
            assert!(matches!(read_block(&bytes[..length], 7, 5), BlockProbe::Bad(_)), "{length}");
        }
        assert_eq!(read_block(&[0; 64], 7, 5), BlockProbe::Nothing);
    }

    #[test]
    fn another_ledgers_block_is_not_found() {
        let bytes = [vec![1; 9], block()].concat();
        assert_eq!(find_block(&bytes, 7), Some(9));
        assert_eq!(find_block(&bytes, 8), None);
    }
}
