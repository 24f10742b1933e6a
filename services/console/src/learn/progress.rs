//! Work that takes its time: an answer at its end, or its progress as a stream of events.

use std::convert::Infallible;
use std::pin::Pin;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hindcast_api::{LearnProgress, Problem};
use hindcast_http::Result;
use hindcast_training as learning;
use serde::Serialize;
use tokio::sync::mpsc;

use super::KEEP_ALIVE;

/// Words of progress that wait for a slow reader.
const AHEAD: usize = 64;

/// Work that takes long; dropping it stops it.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = core::result::Result<T, Problem>> + Send>>;
/// Work that is checked and not begun.
pub(crate) type Begin<T> = Box<dyn FnOnce(learning::Listener) -> Work<T> + Send>;

/// Answers at the end; or as server-sent events named `progress`, `done` and `error` where that is asked for.
pub(super) async fn long<T: Serialize + Send + 'static>(headers: &HeaderMap, begin: Begin<T>) -> Result<Response> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/event-stream") {
        return Ok(Json(begin(None).await?).into_response());
    }
    let events = stream::unfold(Running::begun(begin), |mut running| async move {
        let event = sse_of(running.next().await?);
        Some((Ok::<_, Infallible>(event), running))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Work that runs, and what it says while it does. Dropping it stops it.
pub(crate) struct Running<T> {
    work: Option<Work<T>>,
    progress: mpsc::Receiver<LearnProgress>,
    ended: Option<core::result::Result<T, Problem>>,
}

/// What is heard of work that runs.
pub(crate) enum Heard<T> {
    /// How far it is.
    Progress(LearnProgress),
    /// What came of it: the last word.
    Ended(core::result::Result<T, Problem>),
}

impl<T> Running<T> {
    /// Begins.
    pub(crate) fn begun(begin: Begin<T>) -> Self {
        let (sender, progress) = mpsc::channel::<LearnProgress>(AHEAD);
        Self { work: Some(begin(Some(sender))), progress, ended: None }
    }

    /// The next word; none after the last. Dropping this future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Heard<T>> {
        while let Some(work) = self.work.as_mut() {
            tokio::select! {
                biased;
                Some(progress) = self.progress.recv() => return Some(Heard::Progress(progress)),
                ended = work => {
                    self.work = None;
                    self.ended = Some(ended);
                }
            }
        }
        // What it said before it ended comes before how it ended.
        match self.progress.try_recv() {
            Ok(progress) => Some(Heard::Progress(progress)),
            Err(_) => self.ended.take().map(Heard::Ended),
        }
    }
}

fn sse_of<T: Serialize>(heard: Heard<T>) -> sse::Event {
    let (name, text) = match &heard {
        Heard::Progress(progress) => ("progress", serde_json::to_string(progress)),
        Heard::Ended(Ok(done)) => ("done", serde_json::to_string(done)),
        Heard::Ended(Err(problem)) => ("error", serde_json::to_string(problem)),
    };
    sse::Event::default().event(name).data(text.unwrap_or_else(|_| "null".to_owned()))
}
