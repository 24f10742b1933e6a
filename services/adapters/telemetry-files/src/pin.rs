//! Pinned blocks: a stretch of telemetry kept from expiring, as newline-delimited JSON in files that are named
//! by the SHA-256 of what they hold. Owns what is kept first when not all of it fits; refuses to let a block go.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hindcast_domain::{Partition, Time};
use hindcast_telemetry::{Error, KeptWindow, LogLevel, Sample, TelemetryWindow};
use sha2::{Digest, Sha256};

use crate::codec::BatchView;
use crate::disk;
use crate::index::{FrameRow, RowQuery};
use crate::merge::LineMerge;
use crate::options::PIN_BYTES_MAX;
use crate::shelf::{StoreCore, locked};

/// Bytes of JSON after which a block is full.
const BLOCK_BYTES: usize = 1024 * 1024;
/// Bytes of JSON that a block can have: a huge line makes a huge block.
const BLOCK_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Written once and kept for ever: worth more work than a frame.
const COMPRESSION: i32 = 6;
const ENDING: &str = "zst";

/// What is kept in which order: lines that warn of something, samples and spans that failed before all others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PinPriority {
    First,
    Rest,
}

impl PinPriority {
    fn takes(self, level: LogLevel) -> bool {
        (level >= LogLevel::Warning) == (self == Self::First)
    }

    /// Whether a frame may hold something for it.
    fn may_hold(self, row: &FrameRow) -> bool {
        match self {
            Self::First => row.samples > 0 || row.spans > 0 || row.worst > LogLevel::Warning as u8,
            Self::Rest => row.logs > 0 || row.spans > 0,
        }
    }

    /// Records of a frame that cannot be read.
    fn lost(self, row: &FrameRow) -> u64 {
        match self {
            Self::First => u64::from(row.samples),
            Self::Rest => u64::from(row.logs) + u64::from(row.spans),
        }
    }
}

/// A block on its way to the disk.
struct PinBlock {
    first: Time,
    hash: String,
    packed: Vec<u8>,
}

/// Fills blocks up to a budget of compressed bytes.
struct Blocks {
    budget: u64,
    spent: u64,
    full: bool,
    plain: Vec<u8>,
    /// Where each line of `plain` ends, and its time.
    lines: Vec<(usize, Time)>,
    done: Vec<PinBlock>,
    records: u64,
    missing: u64,
}

impl Blocks {
    fn new(budget: u64) -> Self {
        let (plain, lines, done) = (Vec::new(), Vec::new(), Vec::new());
        Self { budget, spent: 0, full: false, plain, lines, done, records: 0, missing: 0 }
    }

    fn push(&mut self, time: Time, line: &[u8]) -> std::io::Result<()> {
        if self.full {
            self.missing += 1;
            return Ok(());
        }
        self.plain.extend_from_slice(line);
        self.plain.push(b'\n');
        self.lines.push((self.plain.len(), time));
        if self.plain.len() >= BLOCK_BYTES { self.flush() } else { Ok(()) }
    }

    /// Closes a block. Where it does not fit, the half of it is tried, and so on; then nothing fits any more.
    fn flush(&mut self) -> std::io::Result<()> {
        let mut count = self.lines.len();
        while let Some((end, _)) = count.checked_sub(1).and_then(|last| self.lines.get(last)) {
            let plain = self.plain.get(..*end).unwrap_or_default();
            let packed = zstd::bulk::compress(plain, COMPRESSION)?;
            if self.spent + packed.len() as u64 <= self.budget {
                self.spent += packed.len() as u64;
                let first = self.lines.first().map_or(Time::ZERO, |(_, time)| *time);
                self.done.push(PinBlock { first, hash: hash_of(plain), packed });
                break;
            }
            self.full = true;
            count /= 2;
        }
        self.records += count as u64;
        self.missing += (self.lines.len() - count) as u64;
        self.plain.clear();
        self.lines.clear();
        Ok(())
    }
}

fn hash_of(plain: &[u8]) -> String {
    hindcast_domain::hex::hex(&Sha256::digest(plain))
}

/// Keeps a stretch. The blocks are on disk when this answers.
pub(crate) fn pin(
    core: &StoreCore,
    partition: &Partition,
    stretch: TelemetryWindow,
    bytes_max: u64,
) -> Result<KeptWindow, Error> {
    let want = RowQuery { partition, stretch, service: None, level: None, logs: true, samples: true, spans: true };
    let mut files = Vec::new();
    let mut rows: Vec<(FrameRow, usize)> = Vec::new();
    for found in core.find(&want)? {
        if let Some(file) = core.open(&found.path)? {
            rows.extend(found.rows.into_iter().map(|row| (row, files.len())));
            files.push((found.path, file));
        }
    }
    rows.sort_by_key(|(row, _)| (row.from, row.seq));
    let mut blocks = Blocks::new(bytes_max.min(PIN_BYTES_MAX));
    for turn in [PinPriority::First, PinPriority::Rest] {
        let of = rows.iter().filter(|(row, _)| turn.may_hold(row));
        let placed = of.filter_map(|(row, file)| Some((row, files.get(*file)?)));
        fill(core, stretch, turn, placed, &mut blocks)?;
    }
    let Blocks { mut done, records, missing, .. } = blocks;
    done.sort_by_key(|block| block.first);
    let bytes = done.iter().map(|block| block.packed.len() as u64).sum();
    let hashes = done.iter().map(|block| block.hash.clone()).collect();
    keep(core, &done)?;
    let gone = locked(&core.memory).missing(partition, stretch);
    Ok(KeptWindow { hashes, records, bytes, missing: missing + gone })
}

/// Brings the lines of one turn into blocks, oldest first.
fn fill<'a>(
    core: &StoreCore,
    stretch: TelemetryWindow,
    turn: PinPriority,
    rows: impl Iterator<Item = (&'a FrameRow, &'a (PathBuf, File))>,
    blocks: &mut Blocks,
) -> Result<(), Error> {
    let mut merge = LineMerge::default();
    let mut failed = Ok(());
    let mut push = |blocks: &mut Blocks, time, line: &[u8]| {
        if let Err(error) = blocks.push(time, line) {
            failed = Err(error);
        }
    };
    for (row, (path, file)) in rows {
        merge.release(row.from, |time, line| push(blocks, time, &line));
        let content = core.content(file, path, row)?;
        if content.and_then(|content| lines(&content, stretch, turn, row.seq, &mut merge)).is_none() {
            blocks.missing += turn.lost(row);
        }
    }
    merge.finish(|time, line| push(blocks, time, &line));
    failed?;
    Ok(blocks.flush()?)
}

/// The lines of one frame as JSON; `None` where it is damaged.
fn lines(content: &[u8], stretch: TelemetryWindow, turn: PinPriority, seq: u64, to: &mut LineMerge) -> Option<()> {
    let view = BatchView::of(content)?;
    let (mut at, mut whole) = (0, true);
    view.each_line(|line| {
        at += 1;
        if stretch.holds(line.time) && turn.takes(line.level) {
            match view.record(&line).and_then(|record| serde_json::to_vec(&record).ok()) {
                Some(json) => to.push((line.time, seq, at), json),
                None => whole = false,
            }
        }
    })?;
    if turn == PinPriority::First {
        let series = view.series()?;
        view.each_sample(|number, time, value| {
            at += 1;
            if stretch.holds(time) {
                let sample = series.get(number).map(|(service, metric, labels)| Sample {
                    time,
                    service: (*service).to_owned(),
                    metric: (*metric).to_owned(),
                    labels: labels.clone(),
                    value,
                });
                match sample.and_then(|sample| serde_json::to_vec(&sample).ok()) {
                    Some(json) => to.push((time, seq, at), json),
                    None => whole = false,
                }
            }
        })?;
    }
    view.each_span(|span| {
        at += 1;
        if stretch.holds(span.time) && span.failed == (turn == PinPriority::First) {
            match serde_json::to_vec(&span.span()) {
                Ok(json) => to.push((span.time, seq, at), json),
                Err(_) => whole = false,
            }
        }
    })?;
    whole.then_some(())
}

/// Writes blocks that are not there yet.
fn keep(core: &StoreCore, blocks: &[PinBlock]) -> Result<(), Error> {
    let mut pinned = locked(&core.pinned_bytes);
    let mut new = Vec::new();
    for block in blocks {
        // One that is there and damaged is written anew.
        if !matches!(read(&core.pins, &block.hash), Ok(Some(_))) {
            new.push(block);
        }
    }
    let more: u64 = new.iter().map(|block| block.packed.len() as u64).sum();
    let most = core.options.pins_bytes_max;
    if *pinned + more > most {
        return Err(Error::Refused(format!(
            "expected pinned blocks of at most {most} bytes, {} are there and {more} would come; allow more bytes of pins",
            *pinned
        )));
    }
    for block in new {
        let path = path_of(&core.pins, &block.hash);
        let before = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        disk::write_whole(&path, &block.packed)?;
        *pinned = (*pinned + block.packed.len() as u64).saturating_sub(before);
    }
    Ok(())
}

fn path_of(pins: &Path, hash: &str) -> PathBuf {
    pins.join(format!("{hash}.{ENDING}"))
}

/// A block, checked against its name; `None` where there is none.
pub(crate) fn read(pins: &Path, hash: &str) -> Result<Option<Bytes>, Error> {
    // A hash comes from outside and becomes a path: nothing but a hash may.
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return Ok(None);
    }
    let file = match File::open(path_of(pins, hash)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let damaged = || Error::Damaged(format!("the pinned block {hash} is not what its name says"));
    let mut plain = Vec::new();
    let mut unpacked = zstd::stream::read::Decoder::new(file)?.take(BLOCK_BYTES_MAX);
    unpacked.read_to_end(&mut plain).map_err(|_| damaged())?;
    if hash_of(&plain) == hash { Ok(Some(plain.into())) } else { Err(damaged()) }
}

/// Bytes of all pinned blocks. What a crash left half written is removed.
pub(crate) fn bytes(pins: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(pins)? {
        let entry = entry?;
        match entry.path().extension().and_then(|ending| ending.to_str()) {
            Some(ENDING) => bytes += entry.metadata()?.len(),
            Some("draft") => std::fs::remove_file(entry.path())?,
            _ => {}
        }
    }
    Ok(bytes)
}
