//! HTTP to a server: one request, one answer or a refusal. Owns addresses, credentials and what a failed
//! connection is called; refuses to know what any answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hindcast_api::{Code, Problem};
use hindcast_domain::Time;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::connection::Connection;
use crate::error::{Error, Result};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take, unless it is one of those that walk the ledger.
const ANSWER: Duration = Duration::from_secs(60);

/// A server, as it is asked.
#[derive(Clone, Debug)]
pub struct ApiClient {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    actor: String,
    /// What time the server said it was, in nanoseconds; 0 where it has not.
    heard: Arc<AtomicI64>,
}

/// The header in which a server tells its own time, which in a demo is the recording's.
pub const SERVER_TIME: &str = "x-hindcast-time";

/// The header in which a server names the position that an answer is of.
pub const SERVER_POSITION: &str = "x-hindcast-position";

/// A path with its query, built piece by piece so that nothing has to be escaped by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    has_query: bool,
}

impl Path {
    /// From a path's literal beginning, such as `/api/v1/incidents`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), has_query: false }
    }

    /// One more segment, escaped.
    #[must_use]
    pub fn join(mut self, segment: &str) -> Self {
        self.text.push('/');
        escape(&mut self.text, segment);
        self
    }

    /// One more parameter, escaped.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        escape(&mut self.text, name);
        self.text.push('=');
        escape(&mut self.text, &value.to_string());
        self
    }

    /// One more parameter where there is a value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }
}

fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

impl ApiClient {
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// When that is no address, or HTTP cannot be set up.
    pub fn new(base: &str, connection: &Connection) -> Result<Self> {
        let base = base.trim();
        let base = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        let bad = || Error::Usage(format!("expected a URL such as {}, got {base:?}", crate::connection::SERVER));
        let url = Url::parse(&base).map_err(|_| bad())?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or_else(bad)?;
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT);
        if is_local(host) {
            builder = builder.no_proxy();
        }
        let agent = concat!("hindcast/", env!("CARGO_PKG_VERSION"));
        let http = builder.user_agent(agent).build().map_err(|error| unreachable(&base, error))?;
        let (base, actor) = (base.trim_end_matches('/').to_owned(), connection.actor().to_owned());
        Ok(Self { http, base, token: connection.token.clone(), actor, heard: Arc::default() })
    }

    /// Where it asks.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether the server runs on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        Url::parse(&self.base).ok().and_then(|url| url.host_str().map(is_local)).unwrap_or(false)
    }

    /// Who asks.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The token, for what is shown to be pasted.
    #[must_use]
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// What time it is for the server, where it has said so.
    #[must_use]
    pub fn server_time(&self) -> Option<Time> {
        Some(self.heard.load(Ordering::Relaxed)).filter(|nanos| *nanos != 0).map(Time::from_nanos)
    }

    /// A request with credentials.
    pub fn request(&self, method: Method, path: &Path) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{}", self.base, path.text));
        if let Some(token) = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
            request = request.bearer_auth(token);
        }
        // A header holds no line breaks; a name is not worth a refusal.
        let actor: String = self.actor.chars().filter(|c| !c.is_control()).collect();
        request.header("x-hindcast-actor", actor.as_bytes())
    }

    /// Sends a request that is answered soon.
    ///
    /// # Errors
    /// When nobody answers, or it is refused.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response> {
        self.send_and_wait(request.timeout(ANSWER)).await
    }

    /// Sends a request whose answer takes as long as it takes.
    ///
    /// # Errors
    /// When nobody answers, or it is refused.
    pub async fn send_and_wait(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| unreachable(&self.base, error))?;
        let heard = response.headers().get(SERVER_TIME).and_then(|value| value.to_str().ok());
        if let Some(time) = heard.and_then(|text| text.parse::<Time>().ok()) {
            self.heard.store(time.nanos(), Ordering::Relaxed);
        }
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let path = response.url().path().to_owned();
        let body = response.bytes().await.map_err(|error| unreachable(&self.base, error))?;
        Err(Error::Refused(Box::new(problem(status, &path, &body))))
    }

    /// Reads a JSON document as it came.
    ///
    /// # Errors
    /// When nobody answers, it is refused, or the answer is no JSON.
    pub async fn get(&self, path: &Path) -> Result<Box<RawValue>> {
        let request = self.request(Method::GET, path).header(header::ACCEPT, "application/json");
        self.json(self.send(request).await?).await
    }

    /// The same, and the position that it is of, where the server names it.
    ///
    /// # Errors
    /// When nobody answers, it is refused, or the answer is no JSON.
    pub async fn get_of(&self, path: &Path) -> Result<(Box<RawValue>, Option<u64>)> {
        let request = self.request(Method::GET, path).header(header::ACCEPT, "application/json");
        let response = self.send(request).await?;
        let position = response.headers().get(SERVER_POSITION).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok((self.json(response).await?, position))
    }

    /// The JSON document of an answer.
    ///
    /// # Errors
    /// When it is none.
    pub async fn json(&self, response: Response) -> Result<Box<RawValue>> {
        let path = response.url().path().to_owned();
        let body = response.bytes().await.map_err(|error| unreachable(&self.base, error))?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(RawValue::NULL.to_owned());
        }
        serde_json::from_slice(&body).map_err(|error| strange(&path, &error))
    }
}

fn is_local(host: &str) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    plain == "localhost" || plain.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The refusal that an answer holds, or one that says what came instead.
fn problem(status: StatusCode, path: &str, body: &[u8]) -> Problem {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        return problem;
    }
    let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
    let text = crate::text::clean(&text);
    let detail =
        format!("expected {path} to answer, got status {status}{}{text}", if text.is_empty() { "" } else { ": " });
    let mut problem = Problem::new(Code::Internal, detail);
    problem.status = status.as_u16();
    problem.remedy = match status.as_u16() {
        404 => "Check that --server names a Hindcast server of this version.".to_owned(),
        501 => Code::NotImplemented.parts().3.to_owned(),
        429 | 503 => Code::Unavailable.parts().3.to_owned(),
        _ => "Look at the log of the server.".to_owned(),
    };
    problem
}

fn unreachable(base: &str, error: reqwest::Error) -> Error {
    let detail = if error.is_timeout() {
        "it did not answer in time".to_owned()
    } else if error.is_connect() {
        "the connection failed".to_owned()
    } else {
        "the connection closed".to_owned()
    };
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Error::Unreachable { url: base.to_owned(), detail: format!("{detail} ({cause})"), source: error }
}

fn strange(path: &str, error: &serde_json::Error) -> Error {
    Error::failed(
        format!("expected {path} to answer in the form of this version, {error}"),
        "Use the `hindcast` of the server's own version; `hindcast openapi` shows what it speaks.",
    )
}

/// A typed answer from a document as it came.
///
/// # Errors
/// When it has another form.
pub fn typed<T: DeserializeOwned>(what: &str, document: &RawValue) -> Result<T> {
    serde_json::from_str(document.get()).map_err(|error| strange(what, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_escape_what_stands_in_them() {
        let path = Path::new("/api/v1/alerts").join("a/b?c").query("label", "k=v&w").maybe("q", None::<&str>);
        assert_eq!(path.query("x", 1).text, "/api/v1/alerts/a%2Fb%3Fc?label=k%3Dv%26w&x=1");
    }

    #[test]
    fn an_address_may_lack_its_scheme_and_not_its_host() {
        let client = |base: &str| ApiClient::new(base, &Connection::default());
        assert_eq!(client("127.0.0.1:7171/").unwrap().base(), "http://127.0.0.1:7171");
        assert!(client("[::1]:7171").unwrap().is_local());
        assert!(!client("https://hindcast.example.com").unwrap().is_local());
        assert!(matches!(client("ftp://x"), Err(Error::Usage(_))));
        assert!(matches!(client("http://"), Err(Error::Usage(_))));
    }

    #[test]
    fn a_refusal_that_is_no_problem_document_is_told_plainly() {
        let problem = problem(StatusCode::NOT_FOUND, "/x", b"<html>\x1b[2J");
        assert_eq!(problem.status, 404);
        assert!(problem.detail.contains("/x") && !problem.detail.contains('\u{1b}'), "{}", problem.detail);
    }
}
