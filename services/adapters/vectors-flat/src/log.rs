//! The file: batches one after the other, each with its checkpoint, each checked. Owns the bytes; refuses to
//! know what a search is.
//!
//! ```text
//! file   = "HCVECTOR" version:u32 dimension:u32 crc32c:u32 record…
//! record = length:u32 crc32c-of-length:u32 crc32c-of-body:u32 body
//! body   = text(checkpoint as JSON) count:u32 point…
//! point  = position:u64 gone:u8 text(item) text(kind) text(partition) text(payload as JSON) number:f32…
//! text   = length:u32 bytes
//! ```
//! All numbers little-endian. A record is written in one call and synced before it is answered, so a batch is
//! there whole or not at all, and its checkpoint with it. What a crash left half written at the end is cut;
//! what is wrong before the end is damage.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use hindcast_vectors::{Checkpoint, Error, Point};

const MAGIC: &[u8; 8] = b"HCVECTOR";
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 20;
const RECORD_BYTES: usize = 12;
/// Longest frame that is written or read.
pub(crate) const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;
const NAME: &str = "vectors.log";

/// Where a point's parts lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PointSpan {
    pub(crate) vector: u64,
    pub(crate) payload: u64,
    pub(crate) payload_bytes: u32,
}

/// A point as it is read: the payload stays in the file.
#[derive(Debug)]
pub(crate) struct PointRow {
    pub(crate) item: String,
    pub(crate) kind: String,
    pub(crate) partition: String,
    pub(crate) position: u64,
    pub(crate) gone: bool,
    pub(crate) vector: Vec<f32>,
    pub(crate) place: PointSpan,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    end: u64,
    dimension: usize,
}

pub(crate) fn unavailable(error: &std::io::Error) -> Error {
    Error::Unavailable(error.to_string())
}

impl Log {
    /// Opens the file of a folder, or makes both. A file of vectors of another length was made by another
    /// embedder, and is begun anew.
    pub(crate) fn open(folder: &Path, dimension: usize) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|error| unavailable(&error))?;
        let path = folder.join(NAME);
        let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::create(path, dimension),
            Err(error) => return Err(unavailable(&error)),
        };
        let end = file.metadata().map_err(|error| unavailable(&error))?.len();
        if end < HEADER_BYTES {
            // Its making was cut short; nothing was ever answered from it.
            return Self::create(path, dimension);
        }
        let mut header = [0_u8; HEADER_BYTES as usize];
        file.read_exact(&mut header).map_err(|error| unavailable(&error))?;
        match read_header(&header, &path)? {
            there if there == dimension => Ok(Self { path, file, end, dimension }),
            there => {
                tracing::info!(there, dimension, "vectors of another length are dropped and made anew");
                Self::create(path, dimension)
            }
        }
    }

    /// Makes an empty file under a name of its own and puts it into place, so that there is never half a file.
    fn create(path: PathBuf, dimension: usize) -> Result<Self, Error> {
        let io = |error: std::io::Error| unavailable(&error);
        let prepared = path.with_extension("prepared");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&prepared).map_err(io)?;
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&length(dimension)?.to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
        file.write_all(&header).map_err(io)?;
        file.sync_all().map_err(io)?;
        std::fs::rename(&prepared, &path).map_err(io)?;
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        Ok(Self { path, file, end: HEADER_BYTES, dimension })
    }

    /// Begins anew.
    pub(crate) fn clear(&mut self) -> Result<(), Error> {
        *self = Self::create(self.path.clone(), self.dimension)?;
        Ok(())
    }

    /// Appends a batch with its checkpoint, durably, and says where its points lie.
    pub(crate) fn append(&mut self, points: &[Point], checkpoint: &Checkpoint) -> Result<Vec<PointSpan>, Error> {
        let (body, relative) = body(points, checkpoint)?;
        let length = length(body.len())?;
        let mut record = Vec::with_capacity(RECORD_BYTES + body.len());
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(&crc32c::crc32c(&length.to_le_bytes()).to_le_bytes());
        record.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        record.extend_from_slice(&body);
        let written = self.file.write_all_at(&record, self.end).and_then(|()| self.file.sync_data());
        written.map_err(|error| unavailable(&error))?;
        let base = self.end + RECORD_BYTES as u64;
        self.end += record.len() as u64;
        let shift =
            |place: PointSpan| PointSpan { vector: place.vector + base, payload: place.payload + base, ..place };
        Ok(relative.into_iter().map(shift).collect())
    }

    /// Reads everything, batch by batch, and cuts what a crash left half written. Returns the last checkpoint.
    pub(crate) fn read(&mut self, mut take: impl FnMut(Vec<PointRow>)) -> Result<Option<Checkpoint>, Error> {
        let mut at = HEADER_BYTES;
        let mut last = None;
        while at < self.end {
            let Some(bytes) = self.record(at)? else {
                tracing::warn!(at, bytes = self.end - at, "a batch of vectors that was never answered is cut");
                self.file.set_len(at).and_then(|()| self.file.sync_all()).map_err(|error| unavailable(&error))?;
                self.end = at;
                break;
            };
            let (checkpoint, rows) = parse(&bytes, at + RECORD_BYTES as u64, self.dimension)
                .ok_or_else(|| self.damaged(at, "a batch does not parse"))?;
            last = Some(checkpoint);
            take(rows);
            at += (RECORD_BYTES + bytes.len()) as u64;
        }
        Ok(last)
    }

    /// The body of the record at a place; `None` where it is the half-written end.
    fn record(&self, at: u64) -> Result<Option<Vec<u8>>, Error> {
        let left = self.end - at;
        if left < RECORD_BYTES as u64 {
            return Ok(None);
        }
        let head = self.bytes(at, RECORD_BYTES)?;
        let mut head = PointReader { bytes: &head, at: 0 };
        let (Some(length), Some(of_length), Some(of_body)) = (head.u32(), head.u32(), head.u32()) else {
            return Ok(None);
        };
        if crc32c::crc32c(&length.to_le_bytes()) != of_length || length as usize > BATCH_BYTES_MAX {
            // Space that was given to the file and never written reads as zeroes.
            let rest = self.bytes(at, usize::try_from(left.min(BATCH_BYTES_MAX as u64)).unwrap_or(0))?;
            let never_written = rest.iter().all(|byte| *byte == 0);
            return if never_written { Ok(None) } else { Err(self.damaged(at, "a length is wrong")) };
        }
        let whole = RECORD_BYTES as u64 + u64::from(length);
        if whole > left {
            return Ok(None);
        }
        let body = self.bytes(at + RECORD_BYTES as u64, length as usize)?;
        if crc32c::crc32c(&body) == of_body {
            return Ok(Some(body));
        }
        if whole == left { Ok(None) } else { Err(self.damaged(at, "a checksum is wrong")) }
    }

    fn damaged(&self, at: u64, what: &str) -> Error {
        Error::Damaged(format!("{what} at byte {at} of {}", self.path.display()))
    }

    pub(crate) fn vector(&self, place: PointSpan) -> Result<Vec<f32>, Error> {
        let bytes = self.bytes(place.vector, self.dimension * 4)?;
        Ok(numbers(&bytes))
    }

    pub(crate) fn payload(&self, place: PointSpan) -> Result<serde_json::Value, Error> {
        let bytes = self.bytes(place.payload, place.payload_bytes as usize)?;
        serde_json::from_slice(&bytes).map_err(|_| self.damaged(place.payload, "a payload is no JSON"))
    }

    fn bytes(&self, at: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at).map_err(|error| unavailable(&error))?;
        Ok(bytes)
    }
}

fn read_header(header: &[u8], path: &Path) -> Result<usize, Error> {
    let damaged = |what: &str| Error::Damaged(format!("{what} in the header of {}", path.display()));
    let mut reader = PointReader { bytes: header, at: 0 };
    let magic = reader.take(MAGIC.len()).map(<[u8]>::to_vec);
    let (version, dimension, crc) = (reader.u32(), reader.u32(), reader.u32());
    let checked = header.get(..header.len() - 4).map(crc32c::crc32c);
    if magic.as_deref() != Some(MAGIC) || checked != crc {
        return Err(damaged("a checksum is wrong"));
    }
    if version != Some(VERSION) {
        return Err(Error::Damaged(format!("expected version {VERSION}, got {version:?} in {}", path.display())));
    }
    dimension.map(|dimension| dimension as usize).ok_or_else(|| damaged("the length of vectors is missing"))
}

fn length(bytes: usize) -> Result<u32, Error> {
    u32::try_from(bytes)
        .ok()
        .filter(|_| bytes <= BATCH_BYTES_MAX)
        .ok_or(Error::TooLarge { bytes, bytes_max: BATCH_BYTES_MAX })
}

/// A batch as bytes, and where its points lie in them.
fn body(points: &[Point], checkpoint: &Checkpoint) -> Result<(Vec<u8>, Vec<PointSpan>), Error> {
    let json = |value: serde_json::Result<Vec<u8>>| value.map_err(|error| Error::Unavailable(error.to_string()));
    let mut bytes = Vec::new();
    let mut places = Vec::with_capacity(points.len());
    text(&mut bytes, &json(serde_json::to_vec(checkpoint))?)?;
    bytes.extend_from_slice(&length(points.len())?.to_le_bytes());
    for point in points {
        bytes.extend_from_slice(&point.position.to_le_bytes());
        bytes.push(u8::from(point.gone));
        text(&mut bytes, point.item.as_bytes())?;
        text(&mut bytes, point.kind.as_str().as_bytes())?;
        text(&mut bytes, point.partition.as_bytes())?;
        let payload = json(serde_json::to_vec(&point.payload))?;
        text(&mut bytes, &payload)?;
        let at = bytes.len() as u64;
        let payload_bytes = length(payload.len())?;
        places.push(PointSpan { vector: at, payload: at - u64::from(payload_bytes), payload_bytes });
        for number in &point.vector {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
    Ok((bytes, places))
}

fn text(to: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
    to.extend_from_slice(&length(bytes.len())?.to_le_bytes());
    to.extend_from_slice(bytes);
    Ok(())
}

/// The batch of a body that begins at `base` of the file.
fn parse(body: &[u8], base: u64, dimension: usize) -> Option<(Checkpoint, Vec<PointRow>)> {
    let mut reader = PointReader { bytes: body, at: 0 };
    let checkpoint = serde_json::from_slice(reader.text()?).ok()?;
    let count = reader.u32()?;
    let mut rows = Vec::new();
    for _ in 0..count {
        let position = u64::from_le_bytes(reader.take(8)?.try_into().ok()?);
        let gone = *reader.take(1)?.first()? != 0;
        let item = reader.string()?;
        let kind = reader.string()?;
        let partition = reader.string()?;
        let payload_bytes = u32::try_from(reader.text()?.len()).ok()?;
        let vector = base + reader.at as u64;
        let place = PointSpan { vector, payload: vector - u64::from(payload_bytes), payload_bytes };
        let vector = numbers(reader.take(dimension.checked_mul(4)?)?);
        rows.push(PointRow { item, kind, partition, position, gone, vector, place });
    }
    (reader.at == body.len()).then_some((checkpoint, rows))
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|chunk| f32::from_le_bytes(chunk.try_into().unwrap_or_default())).collect()
}

struct PointReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> PointReader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    fn string(&mut self) -> Option<String> {
        String::from_utf8(self.text()?.to_vec()).ok()
    }
}
