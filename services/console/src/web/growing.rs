//! The page of work that takes long: it is sent while the work runs.
//!
//! Training and comparing take seconds to minutes. Their page is sent while they run: what is done first, a line for
//! each step, and what came of it at the end. So a browser shows without script that it runs and how far it is,
//! nothing has to be kept between two requests, and to close the page stops the work, as to close the stream of the
//! API does. The status of such a page is 200 before anybody knows how it ends: a refusal on the way is told on it.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use hindcast_api::{LearnProgress, Problem};
use maud::Markup;

use crate::learn::{Begin, Heard, KEEP_ALIVE, Running};
use crate::pages::models::work;

/// Pieces of progress that one page shows.
const PIECES_MAX: usize = 500;
/// What keeps a page's connection open while nothing is to be said, and finds out that nobody looks any more.
const IDLE: &str = "<!-- -->\n";

/// What came of work.
pub(super) type WorkEnd<T> = std::result::Result<T, Problem>;

/// Answers with a page that grows while the work runs. Dropping it stops the work.
pub(super) fn grows<T, E, F>((head, tail): (String, String), begin: Begin<T>, end: E) -> Response
where
    T: Send + 'static,
    E: FnOnce(WorkEnd<T>) -> F + Send + 'static,
    F: Future<Output = Markup> + Send + 'static,
{
    let growing = Growing {
        head: Some(head),
        tail,
        running: Running::begun(begin),
        end: Some(end),
        told: WorkProgress::default(),
    };
    let pieces = stream::unfold(growing, |mut growing| async move {
        let piece = growing.next().await?;
        Some((Ok::<_, Infallible>(piece), growing))
    });
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], Body::from_stream(pieces)).into_response()
}

/// A page that is being sent.
struct Growing<T, E> {
    head: Option<String>,
    tail: String,
    running: Running<T>,
    end: Option<E>,
    told: WorkProgress,
}

impl<T, E, F> Growing<T, E>
where
    E: FnOnce(WorkEnd<T>) -> F,
    F: Future<Output = Markup>,
{
    /// The next piece; none after the last.
    async fn next(&mut self) -> Option<String> {
        if let Some(head) = self.head.take() {
            return Some(head);
        }
        loop {
            match tokio::time::timeout(KEEP_ALIVE, self.running.next()).await {
                Err(_) => return Some(IDLE.to_owned()),
                Ok(None) => return None,
                Ok(Some(Heard::Progress(progress))) => match self.told.news_of(&progress) {
                    Some(News::Step) => return Some(work::step(&progress).into_string()),
                    Some(News::Tenth) => return Some(work::share(&progress).into_string()),
                    None => {}
                },
                Ok(Some(Heard::Ended(ended))) => {
                    let outcome = (self.end.take()?)(ended).await.into_string();
                    return Some(outcome + &self.tail);
                }
            }
        }
    }
}

/// What was told of work so far.
#[derive(Default)]
struct WorkProgress {
    step: Option<String>,
    tenths: u64,
    pieces: usize,
}

/// What is worth a piece of the page.
enum News {
    /// Another step.
    Step,
    /// Another tenth of the same one.
    Tenth,
}

impl WorkProgress {
    fn news_of(&mut self, progress: &LearnProgress) -> Option<News> {
        let tenths = progress.done.saturating_mul(10).checked_div(progress.of).unwrap_or(0);
        let is_step = self.step.as_ref() != Some(&progress.step);
        if self.pieces >= PIECES_MAX || !(is_step || tenths > self.tenths) {
            return None;
        }
        self.step = Some(progress.step.clone());
        self.tenths = tenths;
        self.pieces += 1;
        Some(if is_step { News::Step } else { News::Tenth })
    }
}
