//! The wire: one client that follows no redirect, replies read up to a bound, and refusals as errors with a remedy.
//! Refuses to show addresses and tokens.

use std::time::Duration;

use hindcast_messaging::chat::Error;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, Url};
use serde_json::Value;

use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;

/// The most that a reply may be long, in bytes.
const REPLY_MAX: usize = 1024 * 1024;
/// The longest that we are put off by a `Retry-After`.
const PUT_OFF_MAX: Duration = Duration::from_secs(3_600);

/// Slack's Web API at one address with one token.
#[derive(Clone, Debug)]
pub(crate) struct SlackWebApi {
    client: Client,
    base: Url,
    token: Secret,
}

impl SlackWebApi {
    /// The API at `base`, such as `https://slack.com/api`. Plain HTTP is for this very machine, for tests.
    pub(crate) fn new(base: &str, token: Secret, timeout: Duration) -> Result<Self, Misconfigured> {
        let bad = |got: &str| Misconfigured {
            what: "slack.api_url",
            expected: "an https address such as https://slack.com/api",
            got: got.to_owned(),
        };
        let base = Url::parse(&format!("{}/", base.trim_end_matches('/'))).map_err(|_| bad("no address"))?;
        if base.scheme() != "https" && !is_loopback(&base) {
            return Err(bad("an address that is not https"));
        }
        if token.expose().trim().is_empty() {
            return Err(Misconfigured { what: "slack", expected: "a token", got: "nothing".to_owned() });
        }
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("hindcast")
            .build()
            .map_err(|error| bad(&error.without_url().to_string()))?;
        Ok(Self { client, base, token })
    }

    /// Whether an address may be answered to: the vendor's own, or this machine where the API is.
    pub(crate) fn is_vendors(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| {
            let host = url.host_str().unwrap_or_default();
            let vendors = url.scheme() == "https" && (host == "slack.com" || host.ends_with(".slack.com"));
            vendors && url.username().is_empty() || is_loopback(&self.base) && is_loopback(&url)
        })
    }

    /// Whether plain connections to this machine are allowed.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Calls a method; the answer that says `ok`.
    pub(crate) async fn call(&self, method: &str, body: &Value) -> Result<Value, Error> {
        let url = self.base.join(method).map_err(|_| Error::Never(format!("{method} is no method")))?;
        let request = self.client.post(url).bearer_auth(self.token.expose()).json(body);
        self.answer(method, request.send().await.map_err(|error| unreached(method, error))?).await
    }

    /// Calls a method that reads: its arguments are a form.
    pub(crate) async fn ask(&self, method: &str, arguments: &[(&str, String)]) -> Result<Value, Error> {
        let mut url = self.base.join(method).map_err(|_| Error::Never(format!("{method} is no method")))?;
        url.query_pairs_mut().extend_pairs(arguments);
        let request = self.client.get(url).bearer_auth(self.token.expose());
        self.answer(method, request.send().await.map_err(|error| unreached(method, error))?).await
    }

    /// Answers to an address that a delivery brought; the token does not go there.
    pub(crate) async fn respond(&self, address: &str, body: &Value) -> Result<(), Error> {
        if !self.is_vendors(address) {
            return Err(Error::Never("the response address is not Slack's".to_owned()));
        }
        let sent = self.client.post(address).json(body).send().await.map_err(|error| unreached("the answer", error))?;
        match sent.status().as_u16() {
            200..=299 => Ok(()),
            404 | 410 => Err(Error::Gone("the response address is used up".to_owned())),
            429 | 500.. => {
                Err(Error::Again { detail: format!("Slack answered {}", sent.status()), after: after(&sent) })
            }
            other => Err(Error::Never(format!("Slack answered {other} to an answer"))),
        }
    }

    async fn answer(&self, method: &str, response: Response) -> Result<Value, Error> {
        let (status, after) = (response.status().as_u16(), after(&response));
        match status {
            200..=299 => {}
            429 => return Err(Error::Again { detail: format!("Slack wants {method} slower"), after }),
            408 | 425 | 500.. => {
                return Err(Error::Again { detail: format!("Slack answered {status} to {method}"), after });
            }
            300..=399 => {
                return Err(Error::Never(format!("Slack answered {status} to {method}: check slack.api_url")));
            }
            _ => return Err(Error::Never(format!("Slack answered {status} to {method}"))),
        }
        let bytes = bounded(method, response).await?;
        let answer: Value = serde_json::from_slice(&bytes)
            .map_err(|_| Error::Again { detail: format!("Slack's answer to {method} cannot be read"), after: None })?;
        if answer["ok"] == true {
            return Ok(answer);
        }
        Err(refused(method, answer["error"].as_str().unwrap_or("no reason"), after))
    }
}

fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str().unwrap_or_default(), "127.0.0.1" | "localhost" | "[::1]")
}

fn after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(PUT_OFF_MAX))
}

async fn bounded(method: &str, mut response: Response) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreached(method, error))? {
        if bytes.len() + chunk.len() > REPLY_MAX {
            let detail = format!("Slack answered more than {REPLY_MAX} bytes to {method}");
            return Err(Error::Again { detail, after: None });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Why nothing came back, without the address. Whether it was taken is not known.
pub(crate) fn unreached(method: &str, error: reqwest::Error) -> Error {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off"
    };
    Error::Again { detail: format!("Slack {what} at {method}"), after: None }
}

/// A refusal by the vendor's word for it, with what to do.
fn refused(method: &str, code: &str, after: Option<Duration>) -> Error {
    let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
    let said = format!("Slack refuses {method}: {code}");
    match code.as_str() {
        "ratelimited"
        | "rate_limited"
        | "service_unavailable"
        | "internal_error"
        | "fatal_error"
        | "request_timeout"
        | "team_added_to_org" => Error::Again { detail: said, after },
        "message_not_found" | "channel_not_found" | "is_archived" | "thread_not_found" | "cant_update_message" => {
            Error::Gone(said)
        }
        "not_in_channel" => Error::Never(format!("{said}; invite the bot there: /invite @hindcast")),
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" => {
            Error::Never(format!("{said}; install the app anew and exchange the token"))
        }
        "missing_scope" => Error::Never(format!("{said}; add the scopes of the manifest and install the app anew")),
        "restricted_action" | "ekm_access_denied" => Error::Never(format!("{said}; ask the workspace's administrator")),
        "invalid_blocks" | "invalid_blocks_format" | "msg_too_long" | "no_text" => {
            Error::Never(format!("{said}; this is a defect of ours: please report it"))
        }
        _ => Error::Never(said),
    }
}
