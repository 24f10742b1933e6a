//! A look: the one snapshot that a request is answered from. Owns when it is opened, which is once, before the handler
//! runs; a handler that shows something gets a [`Look`] and nothing else, so that no second "now" is within its reach.

use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use hindcast_advice as advising;
use hindcast_api::AsOf;
use hindcast_domain::Time;
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::{ListPart, Snapshot};
use std::sync::{Arc, OnceLock};

use crate::Console;
use crate::pages::{Frame, Seen, Tab};
use crate::params::QueryParams;

/// The header that names the position that an answer is of.
pub const POSITION: &str = "x-hindcast-position";

/// One request's look at what is known.
pub struct Look {
    seen: Snapshot,
    asked: QueryParams,
    console: Console,
}

/// Where a request notes its position, for the answer's header.
#[derive(Clone, Default)]
struct NotedPosition(Arc<OnceLock<u64>>);

impl FromRequestParts<Console> for Look {
    type Rejection = HttpRefusal;
    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self> {
        let look = Self::open(console, QueryParams::of(&parts.uri)?).await?;
        if let Some(noted) = parts.extensions.get::<NotedPosition>() {
            let is_first = noted.0.set(look.seen.position()).is_ok();
            debug_assert!(is_first, "a request has one look");
        }
        Ok(look)
    }
}

/// Names the position of an answer in its head.
pub async fn position_header(mut request: Request, next: Next) -> Response {
    let noted = NotedPosition::default();
    request.extensions_mut().insert(noted.clone());
    let mut response = next.run(request).await;
    if let Some(position) = noted.0.get() {
        response.headers_mut().insert(POSITION, HeaderValue::from(*position));
    }
    response
}

impl Look {
    /// A look as of what a query asks for: the position of its cursor, else its `as_of`, else now. Where a list is
    /// turned without `as_of`, it is a look at now all the same.
    pub(crate) async fn open(console: &Console, asked: QueryParams) -> Result<Self> {
        let as_of = asked.as_of()?;
        let seen = match asked.turned()? {
            Some(position) => console.queries().at(position).await?.regarded(as_of),
            None => console.queries().open(as_of).await?,
        };
        Ok(Self { seen, asked, console: console.clone() })
    }

    /// A look at the position of something that was made as of it.
    pub(crate) async fn at(console: &Console, asked: QueryParams, position: u64) -> Result<Self> {
        let seen = console.queries().at(position).await?.regarded(asked.as_of()?);
        Ok(Self { seen, asked, console: console.clone() })
    }

    /// The snapshot that everything is asked of.
    pub(crate) const fn seen(&self) -> &Snapshot {
        &self.seen
    }

    /// When it is, for whoever looks: now, or the time that is looked back at.
    pub(crate) fn now(&self) -> Time {
        match self.seen.asked() {
            Some(AsOf::Time(time)) => time,
            Some(AsOf::Position(_)) => self.seen.recorded_at(),
            None => self.console.now(),
        }
    }

    /// The query as it came.
    pub(crate) const fn asked(&self) -> &QueryParams {
        &self.asked
    }

    /// Which part of a list is asked for.
    pub(crate) fn part(&self) -> Result<ListPart> {
        self.asked.part()
    }

    /// What is concluded, of a snapshot.
    pub(crate) fn advice(&self) -> &dyn advising::Advice {
        self.console.advice()
    }

    /// How chat is now; nothing as of an earlier moment.
    pub(crate) fn chats(&self) -> hindcast_api::Chats {
        if self.seen.is_now() { self.console.chats() } else { hindcast_api::Chats::default() }
    }

    /// Whether this process trains and compares.
    pub(crate) fn learns(&self) -> bool {
        self.console.learns()
    }

    /// What stands around a page of this look.
    pub(crate) async fn frame(&self, path: &str, tab: Tab, title: &str) -> Result<Frame> {
        let (seen, asked) = (&self.seen, &self.asked);
        let time = match seen.asked() {
            None => None,
            Some(AsOf::Time(time)) => Some(time),
            Some(AsOf::Position(_)) => Some(seen.recorded_at()).filter(|time| *time != Time::ZERO),
        };
        Ok(Frame {
            title: title.to_owned(),
            tab,
            path: path.to_owned(),
            query: asked.rest(&["as_of", "cursor", "alerts"]),
            now: time.unwrap_or_else(|| self.console.now()),
            seen: seen.asked().map(|_| Seen {
                asked: asked.one("as_of").unwrap_or_default(),
                position: seen.position(),
                time,
                provisional: seen.is_provisional(),
                steps: None,
            }),
            position: seen.position(),
            settled: seen.is_settled().await?,
            version: self.console.inner.options.version,
        })
    }
}
