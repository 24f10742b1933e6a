//! Live changes as server-sent events, resumable by `Last-Event-ID`. A reader pulls pages of events as the
//! position advances, so nothing queues for a slow one: it is only further behind.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use hindcast_api::{AsOf, Code, Event};
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{EventFilter, ListPart};
use tokio::sync::watch;

use crate::Console;
use crate::params::QueryParams;

/// Events that are read ahead for one reader.
const PAGE: usize = 100;
/// How often a comment keeps an idle connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a reader waits before it asks again after a failed read.
const REST: Duration = Duration::from_secs(1);

/// Streams events from `Last-Event-ID`, or `from`, or now.
///
/// # Errors
/// 400 for a position that is none.
pub async fn stream(State(console): State<Console>, asked: QueryParams, headers: HeaderMap) -> Result<Response> {
    let changes = console.queries().position();
    let head = *changes.borrow();
    let from = match last_event_id(&headers)? {
        Some(last) => last + 1,
        None => asked.number("from")?.unwrap_or(head + 1),
    };
    let to = match asked.as_of()? {
        None => None,
        Some(AsOf::Position(position)) => Some(position),
        Some(time @ AsOf::Time(_)) => Some(console.queries().open(Some(time)).await?.position()),
    };
    let stopping = console.stopping();
    let reader =
        StreamReader { console, kind: asked.one("kind"), next: from, to, changes, stopping, buffer: VecDeque::new() };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("still here");
    Ok(Sse::new(reader.into_stream()).keep_alive(keep_alive).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let bad = |_| HttpRefusal::new(Code::BadParameter, format!("expected a position as Last-Event-ID, got {text:?}"));
    text.parse().map(Some).map_err(bad)
}

struct StreamReader {
    console: Console,
    kind: Option<String>,
    /// The first position that was not looked at yet.
    next: u64,
    to: Option<u64>,
    changes: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    buffer: VecDeque<Event>,
}

impl StreamReader {
    fn into_stream(self) -> impl Stream<Item = std::result::Result<sse::Event, Infallible>> {
        futures::stream::unfold(self, |mut reader| async move {
            let event = reader.event().await?;
            Some((Ok(message(&event)), reader))
        })
    }

    /// The next event; `None` at the end, or when the server stops.
    async fn event(&mut self) -> Option<Event> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if let Some(event) = self.buffer.pop_front() {
                return Some(event);
            }
            if self.is_over() {
                return None;
            }
            // Seen before the page is read, so that a change in between is not slept through.
            self.changes.mark_unchanged();
            match self.page().await {
                StreamPage::Some => {}
                StreamPage::Empty if self.is_over() => return None,
                StreamPage::Empty => self.change().await?,
                StreamPage::Failed => self.rest().await,
            }
        }
    }

    /// Whether all that was asked for has been looked at.
    fn is_over(&self) -> bool {
        self.to.is_some_and(|to| self.next > to)
    }

    async fn page(&mut self) -> StreamPage {
        let filter =
            EventFilter { kind: self.kind.clone(), from: Some(self.next), to: self.to, ..EventFilter::default() };
        let page = async { self.console.queries().now().await?.events(filter, ListPart::first(PAGE)).await };
        let page = match page.await {
            Ok(page) => page,
            Err(problem) => {
                tracing::warn!(code = %problem.code, "a stream could not read on");
                return StreamPage::Failed;
            }
        };
        let last = page.items.last().map(|event| event.position);
        // Where a page is the last one, all up to its own position has been looked at.
        let through = if page.next.is_none() { last.max(Some(page.position)) } else { last };
        if let Some(through) = through {
            self.next = self.next.max(through + 1);
        }
        self.buffer.extend(page.items);
        if self.buffer.is_empty() { StreamPage::Empty } else { StreamPage::Some }
    }

    /// Waits until the views advance; `None` when they or the server end.
    async fn change(&mut self) -> Option<()> {
        tokio::select! {
            changed = self.changes.changed() => changed.ok(),
            stopped = self.stopping.changed() => stopped.ok(),
        }
    }

    async fn rest(&mut self) {
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            stopped = self.stopping.changed() => {
                if stopped.is_err() {
                    tracing::debug!("the console is gone");
                }
            }
        }
    }
}

enum StreamPage {
    Some,
    Empty,
    Failed,
}

fn message(event: &Event) -> sse::Event {
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default().id(event.position.to_string()).event(&event.event_type).data(data)
}
