//! Owns reading a recording back, from a folder or from bytes inside the binary. It refuses to guess: a line that it cannot read is an error.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{
    CATALOG, FORMAT, GroundTruth, LOGS, LogLine, MANIFEST, METRICS, REQUESTS, RecordedChannel, RecordedRequest,
    RecordingManifest, TRUTH,
};
use crate::error::Error;
use crate::limits::LINE_BYTES_MAX;

/// A recording, opened: its small parts read, its large ones read as they are iterated over.
#[derive(Debug, Clone)]
pub struct StoredRecording {
    /// Contents of the file `manifest.json`.
    pub manifest: RecordingManifest,
    /// What was really the case.
    pub truth: GroundTruth,
    /// The service catalogue, as YAML.
    pub catalog: Option<String>,
    requests: Part,
    logs: Option<Part>,
    metrics: Option<Part>,
}

/// The files of a recording that stands inside the binary; logs and metrics may be left out there.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// `recording.json`.
    pub manifest: &'static [u8],
    /// `truth.json`.
    pub truth: &'static [u8],
    /// `requests.ndjson.zst`.
    pub requests: &'static [u8],
    /// `catalog.yaml`.
    pub catalog: Option<&'static str>,
    /// `logs.ndjson.zst`.
    pub logs: Option<&'static [u8]>,
    /// `metrics.csv.zst`.
    pub metrics: Option<&'static [u8]>,
}

#[derive(Debug, Clone)]
enum Part {
    File(PathBuf),
    Bytes(Cow<'static, [u8]>),
}

/// Requests in the order of their arrival.
pub type Requests = NdjsonLines<RecordedRequest>;
/// Log lines as they were read.
pub type LogLines = NdjsonLines<LogLine>;

impl StoredRecording {
    /// Opens the recording in a folder.
    ///
    /// # Errors
    /// Where a part is missing, malformed, or of a format that this version does not know.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let optional = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let catalog =
            optional(CATALOG).map(|path| std::fs::read_to_string(&path).map_err(|source| Error::Read { path, source }));
        let requests = folder.join(REQUESTS);
        std::fs::metadata(&requests).map_err(|source| Error::Read { path: requests.clone(), source })?;
        Self::open(
            &read(&folder.join(MANIFEST))?,
            &read(&folder.join(TRUTH))?,
            catalog.transpose()?,
            Part::File(requests),
            optional(LOGS).map(Part::File),
            optional(METRICS).map(Part::File),
        )
    }

    /// Opens a recording that stands inside the binary.
    ///
    /// # Errors
    /// As [`StoredRecording::load`].
    pub fn load_embedded(parts: Embedded) -> Result<Self, Error> {
        let bytes = |part| Part::Bytes(Cow::Borrowed(part));
        Self::open(
            parts.manifest,
            parts.truth,
            parts.catalog.map(str::to_owned),
            bytes(parts.requests),
            parts.logs.map(bytes),
            parts.metrics.map(bytes),
        )
    }

    fn open(
        manifest: &[u8],
        truth: &[u8],
        catalog: Option<String>,
        requests: Part,
        logs: Option<Part>,
        metrics: Option<Part>,
    ) -> Result<Self, Error> {
        let manifest: RecordingManifest = parse(MANIFEST, 1, manifest)?;
        if manifest.format != FORMAT {
            return Err(Error::Format { found: manifest.format, known: FORMAT });
        }
        Ok(Self { manifest, truth: parse(TRUTH, 1, truth)?, catalog, requests, logs, metrics })
    }

    /// Every request of every channel, in the order of its arrival.
    ///
    /// # Errors
    /// Where the part cannot be opened; a line that cannot be read is an error of the iterator.
    pub fn requests(&self) -> Result<Requests, Error> {
        NdjsonLines::open(&self.requests, REQUESTS)
    }

    /// The requests to play by one of the two channels of alerts (the recording's own without one), with all changes.
    ///
    /// # Errors
    /// As [`StoredRecording::requests`].
    pub fn played(
        &self,
        by: Option<RecordedChannel>,
    ) -> Result<impl Iterator<Item = Result<RecordedRequest, Error>> + use<>, Error> {
        let by = by.unwrap_or(self.manifest.play);
        let wanted =
            move |channel| channel == by || matches!(channel, RecordedChannel::Change | RecordedChannel::Github);
        Ok(self.requests()?.filter(move |request| request.as_ref().map_or(true, |request| wanted(request.channel))))
    }

    /// The log lines; none where the recording came without them.
    ///
    /// # Errors
    /// As [`StoredRecording::requests`].
    pub fn logs(&self) -> Result<Option<LogLines>, Error> {
        self.logs.as_ref().map(|part| NdjsonLines::open(part, LOGS)).transpose()
    }

    /// The metrics as CSV; none where the recording came without them.
    ///
    /// # Errors
    /// Where the part cannot be opened.
    pub fn metrics(&self) -> Result<Option<Box<dyn BufRead + Send>>, Error> {
        self.metrics.as_ref().map(|part| part.unpack(METRICS)).transpose()
    }
}

impl Part {
    fn unpack(&self, part: &'static str) -> Result<Box<dyn BufRead + Send>, Error> {
        let raw: Box<dyn Read + Send> = match self {
            Self::File(path) => {
                Box::new(File::open(path).map_err(|source| Error::Read { path: path.clone(), source })?)
            }
            Self::Bytes(Cow::Borrowed(bytes)) => Box::new(*bytes),
            Self::Bytes(Cow::Owned(bytes)) => Box::new(std::io::Cursor::new(bytes.clone())),
        };
        let unpacked = zstd::stream::read::Decoder::new(raw).map_err(|source| Error::Unpack { part, source })?;
        Ok(Box::new(BufReader::new(unpacked)))
    }
}

/// An iterator over a part that holds one JSON document a line.
pub struct NdjsonLines<T> {
    from: Box<dyn BufRead + Send>,
    part: &'static str,
    line: u64,
    of: PhantomData<fn() -> T>,
}

impl<T> NdjsonLines<T> {
    fn open(part: &Part, name: &'static str) -> Result<Self, Error> {
        Ok(Self { from: part.unpack(name)?, part: name, line: 0, of: PhantomData })
    }
}

impl<T: DeserializeOwned> Iterator for NdjsonLines<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        self.line += 1;
        // A line longer than any that is written is cut here and then fails to parse.
        match (&mut self.from).take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(parse(self.part, self.line, &line)),
            Err(source) => Some(Err(Error::Unpack { part: self.part, source })),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn parse<T: DeserializeOwned>(part: &'static str, line: u64, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Malformed { part, line, source })
}
