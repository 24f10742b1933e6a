//! The wire to a vendor: one client that follows no redirect, answers read up to a bound, and refusals as errors that
//! say whether to come again. Owns that no credential leaves in a text.

use std::time::Duration;

use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, ReceiverTrouble};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;

use crate::pace::{CallRate, SendPace};
use crate::words::plain;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// The most that is read of an answer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;
/// The longest that we are put off by a vendor.
const PUT_OFF_MAX: Duration = Duration::from_secs(3600);
/// How long we stay away where a vendor wants fewer messages and names no time.
const PUT_OFF: Duration = Duration::from_secs(5);
/// The most that is shown of a vendor's words, in characters.
const WORDS_MAX: usize = 160;
/// A part of an address that is shorter is no secret, and taking it out would spoil plain words.
const SECRET_CHARS_MIN: usize = 6;

/// What is particular to a vendor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpVendor {
    /// Its name, in errors.
    pub(crate) who: &'static str,
    /// How often it may be called.
    pub(crate) rate: CallRate,
    /// Statuses by which it refuses the credential, an address that is a secret included.
    pub(crate) credential: &'static [u16],
    /// What to do when the credential is refused.
    pub(crate) remedy: &'static str,
}

/// The wire to one receiver.
pub(crate) struct VendorLine {
    pub(crate) vendor: HttpVendor,
    client: Client,
    pace: SendPace,
    secrets: Vec<Secret>,
}

/// What a vendor answered, without our credentials.
#[derive(Clone, Debug)]
pub(crate) struct VendorAnswer {
    pub(crate) status: u16,
    pub(crate) after: Option<Duration>,
    pub(crate) body: String,
}

impl VendorAnswer {
    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl VendorLine {
    /// A wire on which these secrets never leave in a text.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(crate) fn new(vendor: HttpVendor, secrets: Vec<Secret>) -> Result<Self, Misconfigured> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("hindcast")
            .build()
            .map_err(|error| Misconfigured {
                what: "a receiver",
                expected: "an HTTP client that can be made",
                got: error.without_url().to_string(),
            })?;
        Ok(Self { vendor, client, pace: SendPace::new(vendor.rate), secrets })
    }

    pub(crate) fn post(&self, url: &Url) -> RequestBuilder {
        self.client.post(url.clone())
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// One call. Whatever status comes back is an answer; a vendor that wants fewer messages is left alone from then
    /// on for as long as it says.
    ///
    /// # Errors
    /// When nothing came back, or it is not our turn for long.
    pub(crate) async fn call(&self, request: RequestBuilder) -> Result<VendorAnswer, Error> {
        if let Err(left) = self.pace.turn().await {
            return Err(self.limited(left, "takes no more messages for now"));
        }
        let response = request.send().await.map_err(|error| self.unreached(error))?;
        let answer = self.read(response).await?;
        if answer.status == 429 {
            self.pace.hold(answer.after.unwrap_or(PUT_OFF)).await;
        }
        Ok(answer)
    }

    /// The vendor asks for a pause by other means than the header.
    pub(crate) async fn held(&self, after: Option<Duration>) -> Error {
        let pause = after.unwrap_or(PUT_OFF).min(PUT_OFF_MAX);
        self.pace.hold(pause).await;
        self.limited(pause, "answered 429: too many messages")
    }

    fn limited(&self, after: Duration, what: &str) -> Error {
        let detail = format!("{} {what}; the next attempt is in {} s", self.vendor.who, after.as_secs().max(1));
        Error::Again { detail, after: Some(after), trouble: ReceiverTrouble::RateLimit }
    }

    /// The credential is refused.
    pub(crate) fn credential(&self, status: u16, words: &str) -> Error {
        let detail = format!("{}: {}", self.came(status, words), self.vendor.remedy);
        Error::Again { detail, after: None, trouble: ReceiverTrouble::Credential }
    }

    /// What an answer that is no success means; `words` are the vendor's.
    pub(crate) fn refused(&self, answer: &VendorAnswer, words: &str) -> Error {
        let status = answer.status;
        let came = || self.came(status, words);
        match status {
            429 => self.limited(answer.after.unwrap_or(PUT_OFF), "answered 429: too many messages"),
            _ if self.vendor.credential.contains(&status) => self.credential(status, words),
            408 | 425 | 500.. => {
                Error::Again { detail: came(), after: answer.after, trouble: ReceiverTrouble::Unavailable }
            }
            300..400 => Error::again(format!("{}: redirects are not followed; check its address", came())),
            _ => Error::Never(came()),
        }
    }

    fn came(&self, status: u16, words: &str) -> String {
        let words = short(&self.without_secrets(words));
        let who = self.vendor.who;
        if words.is_empty() { format!("{who} answered {status}") } else { format!("{who} answered {status}: {words}") }
    }

    async fn read(&self, mut response: Response) -> Result<VendorAnswer, Error> {
        let (status, after) = (response.status().as_u16(), after(&response));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreached(error))? {
            if bytes.len() + chunk.len() > ANSWER_MAX {
                // What it means stands in the status; the rest of a long page says nothing more.
                break;
            }
            bytes.extend_from_slice(&chunk);
        }
        let body = self.without_secrets(&String::from_utf8_lossy(&bytes));
        Ok(VendorAnswer { status, after, body })
    }

    fn unreached(&self, error: reqwest::Error) -> Error {
        let what = match () {
            () if error.is_timeout() => "did not answer in time",
            () if error.is_connect() => "cannot be reached",
            () if error.is_builder() => "has an address that is no URL",
            () => "broke off",
        };
        let error = error.without_url();
        let mut deepest: &dyn std::error::Error = &error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let why = short(&self.without_secrets(&deepest.to_string()));
        Error::again(format!("{} {what}: {why}", self.vendor.who))
    }

    fn without_secrets(&self, text: &str) -> String {
        let secrets = self.secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "[secret]"))
    }
}

/// The secrets of an address: all of it, its path with the query, and each long part of the path.
pub(crate) fn address_secrets(url: &Url) -> Vec<Secret> {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let parts = url.path_segments().into_iter().flatten().chain(url.query());
    let long = parts.filter(|part| part.chars().count() >= SECRET_CHARS_MIN).map(Secret::from);
    let whole = [url.as_str().to_owned(), path].into_iter().filter(|it| it.chars().count() >= SECRET_CHARS_MIN);
    whole.map(Secret::from).chain(long).collect()
}

/// An address that works, over TLS or to this very machine.
///
/// # Errors
/// When it is none. The address is not shown, since it may be a secret.
pub(crate) fn address(what: &'static str, url: &Secret) -> Result<Url, Misconfigured> {
    let bad = |got: &str| Misconfigured { what, expected: "an http or https URL", got: got.to_owned() };
    let url = Url::parse(url.expose().trim()).map_err(|_| bad("no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(bad("a URL of another kind"));
    }
    Ok(url)
}

/// How long an answer wants us to wait: seconds, or the vendor's finer number of them.
fn after(response: &Response) -> Option<Duration> {
    let seconds: f64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    seconds_of(seconds)
}

/// So many seconds, within what we let ourselves be put off.
pub(crate) fn seconds_of(seconds: f64) -> Option<Duration> {
    let pause = Duration::try_from_secs_f64(seconds).ok()?;
    Some(pause.min(PUT_OFF_MAX))
}

/// A text of others in one short line.
fn short(text: &str) -> String {
    hindcast_domain::text::cut(plain(text).replace('\n', " ").trim(), WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VENDOR: HttpVendor =
        HttpVendor { who: "it", rate: CallRate::FREE, credential: &[401, 403], remedy: "check token_env" };

    fn told(status: u16) -> Error {
        let line = VendorLine::new(VENDOR, vec!["s3cret".into()]).unwrap();
        let answer = VendorAnswer { status, after: Some(Duration::from_secs(7)), body: String::new() };
        line.refused(&answer, "a\nb s3cret")
    }

    #[test]
    fn a_refusal_says_whether_to_come_again_and_what_is_wrong() {
        for (status, trouble) in [
            (429, ReceiverTrouble::RateLimit),
            (401, ReceiverTrouble::Credential),
            (403, ReceiverTrouble::Credential),
            (408, ReceiverTrouble::Unavailable),
            (500, ReceiverTrouble::Unavailable),
            (503, ReceiverTrouble::Unavailable),
            (301, ReceiverTrouble::Unavailable),
        ] {
            let error = told(status);
            assert!(matches!(error, Error::Again { .. }), "{status}: {error}");
            assert_eq!(error.trouble(), trouble, "{status}");
        }
        for status in [400, 404, 405, 413, 422] {
            assert!(matches!(told(status), Error::Never(_)), "{status}");
        }
        assert_eq!(told(503).after(), Some(Duration::from_secs(7)));
        assert_eq!(told(400).to_string(), "it answered 400: a b [secret]");
        assert!(told(401).to_string().contains("check token_env"));
    }

    #[test]
    fn an_address_gives_away_none_of_its_parts() {
        let url = Url::parse("https://hooks.example.com/services/T0AAAAAA/B0BBBBBB/cccccccc?key=dddddddd").unwrap();
        let line = VendorLine::new(VENDOR, address_secrets(&url)).unwrap();
        let said = line.without_secrets(&format!("no T0AAAAAA, no /x/cccccccc, nor {url} or key=dddddddd"));
        for part in ["T0AAAAAA", "cccccccc", "dddddddd"] {
            assert!(!said.contains(part), "{said}");
        }
    }
}
