//! Replies of a model, kept and played again: [`RecordingModel`] asks a model and writes down what it said,
//! [`RecordedModel`] answers from what was written and never asks anybody.
//!
//! A transcript is newline-delimited JSON, one [`TranscriptEntry`] a line. A request that was never recorded is an error
//! that says so: the prompts or the tools have changed since, and the transcript is stale.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{Bounds, Error, Llm, ModelReply, ModelRequest, Shared};

/// Bytes of a transcript that is read.
pub const TRANSCRIPT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One request with its reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TranscriptEntry {
    /// SHA-256 of the request in canonical form.
    pub request_hash: String,
    /// The request, for whoever reads the file.
    pub request: ModelRequest,
    /// What came.
    pub reply: ModelReply,
    /// The model's name.
    pub model: String,
    /// When it was recorded, as a date.
    pub date: String,
    /// SHA-256 of the model's weights, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_sha256: Option<String>,
}

/// A transcript that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// No such file, or it cannot be read or written.
    #[error("the transcript {0} cannot be read or written")]
    Io(PathBuf, #[source] std::io::Error),
    /// A line that is no entry.
    #[error("line {0} of the transcript is no entry")]
    Line(usize, #[source] serde_json::Error),
    /// An entry whose hash is not that of its request.
    #[error("line {0} of the transcript has another hash than its request; it was edited by hand")]
    Hash(usize),
}

/// A model that says what was recorded.
#[derive(Debug, Default)]
pub struct RecordedModel {
    model: String,
    replies: Mutex<BTreeMap<String, Vec<ModelReply>>>,
}

impl RecordedModel {
    /// From a transcript's lines. Equal requests get their replies in order; the last one repeats.
    ///
    /// # Errors
    /// When a line is no entry, or its hash is not that of its request.
    pub fn parse(text: &str) -> Result<Self, TranscriptError> {
        let mut pairs = Vec::new();
        let mut model = String::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let entry: TranscriptEntry =
                serde_json::from_str(line).map_err(|error| TranscriptError::Line(index + 1, error))?;
            if entry.request.hash() != entry.request_hash {
                return Err(TranscriptError::Hash(index + 1));
            }
            model = entry.model;
            pairs.push((entry.request_hash, entry.reply));
        }
        Ok(Self::of(model, pairs))
    }

    /// From a transcript's file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> Result<Self, TranscriptError> {
        let io = |error| TranscriptError::Io(path.to_owned(), error);
        if std::fs::metadata(path).map_err(io)?.len() > TRANSCRIPT_BYTES_MAX {
            return Err(io(std::io::Error::other(format!("it is over {TRANSCRIPT_BYTES_MAX} bytes"))));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(io)?)
    }

    /// From pairs of a request's hash and its reply, as the ledger keeps them.
    pub fn of(model: String, pairs: impl IntoIterator<Item = (String, ModelReply)>) -> Self {
        let mut replies: BTreeMap<String, Vec<ModelReply>> = BTreeMap::new();
        for (hash, reply) in pairs {
            replies.entry(hash).or_default().insert(0, reply);
        }
        Self { model, replies: Mutex::new(replies) }
    }
}

#[async_trait]
impl Llm for RecordedModel {
    fn model(&self) -> &str {
        &self.model
    }

    async fn chat(
        &self,
        request: ModelRequest,
        bounds: Bounds,
        deltas: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        let hash = request.hash();
        let reply = {
            let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
            let stale = || Error::Stale(hash.get(..12).unwrap_or(&hash).to_owned());
            let left = replies.get_mut(&hash).ok_or_else(stale)?;
            let next = if left.len() > 1 { left.pop() } else { left.last().cloned() };
            next.ok_or_else(stale)?
        };
        if reply.text.len() > bounds.bytes_max {
            return Err(Error::TooLarge(bounds.bytes_max));
        }
        if let Some(deltas) = deltas {
            // Nobody may listen; the reply is whole all the same.
            drop(deltas.try_send(reply.text.clone()));
        }
        Ok(reply)
    }
}

/// What every entry of a transcript says of its model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TranscriptHeader {
    /// The date of the recording.
    pub date: String,
    /// SHA-256 of the model's weights, where they are known.
    pub weights_sha256: Option<String>,
}

/// A model whose replies are written down.
pub struct RecordingModel {
    inner: Shared,
    stamp: TranscriptHeader,
    path: PathBuf,
    file: Mutex<std::fs::File>,
}

impl RecordingModel {
    /// Asks `inner` and appends what it says to the file `path`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(inner: Shared, path: &Path, stamp: TranscriptHeader) -> Result<Self, TranscriptError> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| TranscriptError::Io(path.to_owned(), error))?;
        Ok(Self { inner, stamp, path: path.to_owned(), file: Mutex::new(file) })
    }

    fn write(&self, request: ModelRequest, reply: &ModelReply) -> std::io::Result<()> {
        let entry = TranscriptEntry {
            request_hash: request.hash(),
            request,
            reply: reply.clone(),
            model: self.inner.model().to_owned(),
            date: self.stamp.date.clone(),
            weights_sha256: self.stamp.weights_sha256.clone(),
        };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

#[async_trait]
impl Llm for RecordingModel {
    fn model(&self) -> &str {
        self.inner.model()
    }

    async fn chat(
        &self,
        request: ModelRequest,
        bounds: Bounds,
        deltas: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        let reply = self.inner.chat(request.clone(), bounds, deltas).await?;
        let written = self.write(request, &reply);
        written.map_err(|error| Error::Malformed(format!("{} cannot be written: {error}", self.path.display())))?;
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::{PromptMessage, Scripted, Speaker};

    const BOUNDS: Bounds = Bounds { timeout: Duration::from_secs(1), bytes_max: 1_000 };

    fn request(text: &str) -> ModelRequest {
        ModelRequest {
            messages: vec![PromptMessage::new(Speaker::User, text)],
            tools: Vec::new(),
            schema: None,
            tokens_max: 10,
            seed: None,
        }
    }

    fn reply(text: &str) -> ModelReply {
        ModelReply { text: text.into(), ..ModelReply::default() }
    }

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("hindcast-llm-{name}-{}.ndjson", std::process::id()));
        if path.exists() {
            std::fs::remove_file(&path).unwrap();
        }
        path
    }

    #[tokio::test]
    async fn what_was_recorded_is_played_again_and_a_miss_says_that_it_is_stale() {
        let path = scratch("play");
        let model = Arc::new(Scripted::new([Ok(reply("one")), Ok(reply("two")), Ok(reply("three"))]));
        let stamp = TranscriptHeader { date: "2026-11-24".into(), weights_sha256: Some("ab".into()) };
        let recording = RecordingModel::open(model, &path, stamp).unwrap();
        for text in ["a", "b", "a"] {
            recording.chat(request(text), BOUNDS, None).await.unwrap();
        }
        let recorded = RecordedModel::open(&path).unwrap();
        assert_eq!(recorded.model(), "scripted");
        let mut said = Vec::new();
        for text in ["b", "a", "a", "a"] {
            said.push(recorded.chat(request(text), BOUNDS, None).await.unwrap().text);
        }
        assert_eq!(said, ["two", "one", "three", "three"]);
        let missed = recorded.chat(request("c"), BOUNDS, None).await.unwrap_err();
        assert!(matches!(missed, Error::Stale(_)), "{missed}");
        std::fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn a_failure_is_not_written() {
        let path = scratch("fail");
        let model = Arc::new(Scripted::new([Err(Error::Timeout(Duration::from_secs(1)))]));
        let recording = RecordingModel::open(model, &path, TranscriptHeader::default()).unwrap();
        recording.chat(request("a"), BOUNDS, None).await.unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_line_that_was_edited_is_refused() {
        let entry = TranscriptEntry {
            request_hash: request("a").hash(),
            request: request("b"),
            reply: reply("x"),
            model: "m".into(),
            date: "2026-11-24".into(),
            weights_sha256: None,
        };
        let line = serde_json::to_string(&entry).unwrap();
        assert!(matches!(RecordedModel::parse(&line), Err(TranscriptError::Hash(1))));
        assert!(matches!(RecordedModel::parse("\n{}"), Err(TranscriptError::Line(2, _))));
    }
}
