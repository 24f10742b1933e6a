//! Any HTTP API, by a template of the body. Owns what a template may name and do: it sees the message and nothing
//! else, reads no file, and its work is bounded.

use std::collections::BTreeMap;

use async_trait::async_trait;
use hindcast_domain::notice::Reason;
use hindcast_domain::{Secret, Severity, Time};
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::pace::CallRate;
use crate::webhook::said;
use crate::wire::{HttpVendor, VendorLine, address, address_secrets};
use crate::words::plain;

/// Steps that a template may take.
const FUEL: u64 = 100_000;
/// Templates that call one another, at most.
const DEPTH_MAX: usize = 20;
/// The longest body, in bytes.
const BODY_MAX: usize = 256 * 1024;
/// The name of the one template.
const BODY: &str = "body";

const VENDOR: HttpVendor = HttpVendor {
    who: "the HTTP receiver",
    rate: CallRate::FREE,
    credential: &[401, 403],
    remedy: "it refuses the credential; check headers_env or headers_file, and url",
};

/// What an HTTP API is called by.
#[derive(Clone, Debug)]
pub struct HttpTemplateOptions {
    /// Its address.
    pub url: Secret,
    /// `POST`, `PUT` or `PATCH`.
    pub method: String,
    /// Headers that are no secret.
    pub headers: BTreeMap<String, String>,
    /// Headers whose values are.
    pub secret_headers: BTreeMap<String, Secret>,
    /// The body as a template.
    pub body: String,
}

/// An HTTP API that takes a body of any form.
pub struct HttpTemplate {
    line: VendorLine,
    url: Url,
    method: Method,
    headers: HeaderMap,
    environment: Environment<'static>,
}

impl std::fmt::Debug for HttpTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpTemplate").finish_non_exhaustive()
    }
}

impl HttpTemplate {
    /// Calls an API. The template is tried on a message with odd text first.
    ///
    /// # Errors
    /// When the address, the method or a header is none, or when the template does not work.
    pub fn new(options: HttpTemplateOptions) -> Result<Self, Misconfigured> {
        let HttpTemplateOptions { url, method, headers, secret_headers, body } = options;
        let url = address("the url of kind http", &url)?;
        let known = [Method::POST, Method::PUT, Method::PATCH].into_iter().find(|known| known.as_str() == method);
        let bad = |what, expected, got: String| Misconfigured { what, expected, got };
        let method = known.ok_or_else(|| bad("method", "POST, PUT or PATCH", method))?;
        let secrets = address_secrets(&url).into_iter().chain(secret_headers.values().cloned()).collect();
        let headers = header_map(headers, &secret_headers)?;
        let environment = environment(body, media(&headers))
            .map_err(|error| bad("body", "a template that can be read", detail(&error)))?;
        let line = VendorLine::new(VENDOR, secrets)?;
        let this = Self { line, url, method, headers, environment };
        let tried = this.body(&odd()).map_err(|got| bad("body", "a template that works on every message", got))?;
        let is_json = media(&this.headers) == AutoEscape::Json;
        match serde_json::from_str::<Value>(&tried) {
            Err(error) if is_json => Err(bad(
                "body",
                "a template of JSON: values bring their own quotation marks, so write {\"text\": {{ title }}}",
                error.to_string(),
            )),
            _ => Ok(this),
        }
    }

    fn body(&self, message: &Notification) -> Result<String, String> {
        let template = self.environment.get_template(BODY).map_err(|error| detail(&error))?;
        let words = serde_json::to_value(message).map_err(|error| error.to_string())?;
        let body =
            template.render(minijinja::value::Serde(&context(message, words))).map_err(|error| detail(&error))?;
        if body.len() > BODY_MAX {
            return Err(format!("expected a body of at most {BODY_MAX} bytes, got {}", body.len()));
        }
        Ok(body)
    }
}

#[async_trait]
impl Notifier for HttpTemplate {
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let body = self.body(message).map_err(|why| Error::Never(format!("the template of the body failed: {why}")))?;
        let request = self.line.client().request(self.method.clone(), self.url.clone());
        let request = request.headers(self.headers.clone()).header("idempotency-key", &message.key).body(body);
        let answer = self.line.call(request).await?;
        if answer.is_success() { Ok(said(answer.status)) } else { Err(self.line.refused(&answer, &answer.body)) }
    }
}

/// What a template can name: the fields of our webhook, and words made of them.
fn context(message: &Notification, mut words: Value) -> Value {
    let optional = ["incident", "url", "status"];
    for name in optional {
        if words.get(name).is_none() {
            words[name] = Value::Null;
        }
    }
    words["title"] = json!(plain(&message.title));
    words["lines"] = message.lines.iter().map(|line| json!(plain(line))).collect();
    words["headline"] = json!(plain(&message.headline()));
    words["text"] = json!(plain(&message.lines.join("\n")));
    words["state"] = json!(message.state());
    words["group"] = json!(message.group());
    words["resolved"] = json!(message.is_end());
    words["test"] = json!(message.test);
    words
}

/// An environment without files and functions of its own, that writes values in the form of the body.
fn environment(body: String, escape: AutoEscape) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH_MAX);
    environment.add_template_owned(BODY, body)?;
    Ok(environment)
}

fn detail(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    hindcast_domain::text::cut(&format!("{error}{line}"), 200)
}

/// How values are written: as JSON unless the media type is another.
fn media(headers: &HeaderMap) -> AutoEscape {
    match headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("json") {
        media if media.contains("json") => AutoEscape::Json,
        media if media.contains("html") || media.contains("xml") => AutoEscape::Html,
        _ => AutoEscape::None,
    }
}

fn header_map(plain: BTreeMap<String, String>, secret: &BTreeMap<String, Secret>) -> Result<HeaderMap, Misconfigured> {
    let mut map = HeaderMap::new();
    map.insert("content-type", HeaderValue::from_static("application/json"));
    let secrets = secret.iter().map(|(name, value)| (name.clone(), value.expose().to_owned(), true));
    for (name, value, is_secret) in plain.into_iter().map(|(name, value)| (name, value, false)).chain(secrets) {
        let bad = |got: String| Misconfigured { what: "headers", expected: "names and values of HTTP headers", got };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(format!("the name {name:?}")))?;
        let mut value =
            HeaderValue::from_str(&value).map_err(|_| bad(format!("a value of {name} with odd characters")))?;
        value.set_sensitive(is_secret);
        map.insert(key, value);
    }
    Ok(map)
}

/// A message with every optional field absent and with text that breaks out where it is not escaped.
fn odd() -> Notification {
    Notification {
        key: "EVT-0".to_owned(),
        notice: "NTC-0".to_owned(),
        incident: None,
        url: None,
        reason: Reason::Opened,
        page: false,
        severity: Severity::Info,
        title: "a \"quoted\" \\ {{ title }} </b>".to_owned(),
        lines: vec!["one".to_owned(), "two\nthree".to_owned()],
        status: None,
        alerts: Vec::new(),
        at: Time::ZERO,
        position: 0,
        test: true,
    }
}
