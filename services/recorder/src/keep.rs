//! Owns the disk: one writer behind one bounded queue, which says of each request when it is written.
//!
//! What is kept streams to `*.part` files as plain lines, flushed one by one, so that a crash leaves a readable rest;
//! [`crate::compress`] turns them into their final form. The first failure ends the writer, and with it the recording.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::format::{LogLine, RecordedChannel, RecordedRequest};
use crate::limits::QUEUE_ITEMS_MAX;

/// What can be kept.
pub(crate) enum RecordedItem {
    /// A request, and who waits for it to be written.
    Request(RecordedRequest, oneshot::Sender<()>),
    /// A log line.
    Log(LogLine),
    /// Nothing more: what is still queued behind it is refused.
    End,
}

/// How much was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordedCounts {
    pub(crate) requests: BTreeMap<RecordedChannel, u64>,
    pub(crate) log_lines: u64,
}

/// The cheap end of the queue.
#[derive(Clone)]
pub(crate) struct RecordQueue(mpsc::Sender<RecordedItem>);

impl RecordQueue {
    /// Returns when the request is on its way to the disk for good; false if the writer has ended.
    pub(crate) async fn request(&self, request: RecordedRequest) -> bool {
        let (done, written) = oneshot::channel();
        self.0.send(RecordedItem::Request(request, done)).await.is_ok() && written.await.is_ok()
    }

    /// Ends the writer once everything before this is written, whoever else still holds a keeper.
    pub(crate) async fn end(&self) {
        // A writer that has ended already needs no telling; why it did is its own answer.
        self.0.send(RecordedItem::End).await.unwrap_or(());
    }

    /// Returns when there was room; false if the writer has ended.
    pub(crate) async fn log(&self, line: LogLine) -> bool {
        self.0.send(RecordedItem::Log(line)).await.is_ok()
    }
}

/// A queue, and the writer to run behind it on a thread of its own.
pub(crate) fn keeper(requests: &Path, logs: &Path) -> Result<(RecordQueue, RecordWriter), Error> {
    let (to, from) = mpsc::channel(QUEUE_ITEMS_MAX);
    Ok((
        RecordQueue(to),
        RecordWriter { from, requests: NdjsonFile::create(requests)?, logs: NdjsonFile::create(logs)? },
    ))
}

pub(crate) struct RecordWriter {
    from: mpsc::Receiver<RecordedItem>,
    requests: NdjsonFile,
    logs: NdjsonFile,
}

impl RecordWriter {
    /// Writes until it is told to end, or every [`RecordQueue`] is gone.
    pub(crate) fn run(mut self) -> Result<RecordedCounts, Error> {
        let mut counts = RecordedCounts::default();
        while let Some(item) = self.from.blocking_recv() {
            match item {
                RecordedItem::Request(request, done) => {
                    self.requests.append(&request)?;
                    *counts.requests.entry(request.channel).or_default() += 1;
                    // The sender may have hung up; what it sent is kept all the same.
                    done.send(()).unwrap_or(());
                }
                RecordedItem::Log(line) => {
                    self.logs.append(&line)?;
                    counts.log_lines += 1;
                }
                RecordedItem::End => break,
            }
        }
        self.requests.sync()?;
        self.logs.sync()?;
        Ok(counts)
    }
}

/// A file of one JSON document a line, each handed to the system whole.
struct NdjsonFile {
    file: File,
    path: PathBuf,
}

impl NdjsonFile {
    fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create_new(path).map_err(|source| Error::Write { path: path.to_owned(), source })?;
        Ok(Self { file, path: path.to_owned() })
    }

    fn append(&mut self, document: &impl Serialize) -> Result<(), Error> {
        let line = serde_json::to_vec(document).map_err(io::Error::from).map(|mut line| {
            line.push(b'\n');
            line
        });
        line.and_then(|line| self.file.write_all(&line)).map_err(|source| self.failed(source))
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_all().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn request() -> RecordedRequest {
        let (method, path) = ("POST".to_owned(), "/api/v2/alerts".to_owned());
        RecordedRequest {
            at: clock::now(),
            channel: RecordedChannel::Prometheus,
            method,
            path,
            headers: BTreeMap::new(),
            body: "[]".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_request_counts_as_kept_once_it_can_be_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let (requests, logs) = (folder.path().join("r"), folder.path().join("l"));
        let (keeper, writer) = keeper(&requests, &logs).unwrap();
        let writer = tokio::task::spawn_blocking(move || writer.run());
        assert!(keeper.request(request()).await);
        assert!(std::fs::read_to_string(&requests).unwrap().ends_with("\n"));
        keeper.end().await;
        assert_eq!(writer.await.unwrap().unwrap().requests[&RecordedChannel::Prometheus], 1);
        assert!(!keeper.request(request()).await, "nothing is kept after the end");
    }

    #[tokio::test]
    async fn a_full_disk_ends_the_writer_and_the_request_does_not_count_as_kept() {
        let full = |path: &str| NdjsonFile { file: File::options().write(true).open(path).unwrap(), path: path.into() };
        let (to, from) = mpsc::channel(1);
        let writer = RecordWriter { from, requests: full("/dev/full"), logs: full("/dev/null") };
        let writer = tokio::task::spawn_blocking(move || writer.run());
        assert!(!RecordQueue(to).request(request()).await);
        assert!(matches!(writer.await.unwrap(), Err(Error::Write { .. })));
    }
}
