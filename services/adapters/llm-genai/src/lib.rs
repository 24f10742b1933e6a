//! Models behind any server that speaks OpenAI's chat protocol, through the genai crate.
//!
//! The one contract of this crate is that of its port: *a call is bounded in time, bytes and tokens, whatever the
//! server does*. genai builds requests and reads the stream of events; it holds an event until its end and an
//! error's body until its end, however long those are. So what a server sends runs through a pipe of ours that
//! is shut when it is over its bound ([`pipe`]), every call is a stream, and nothing is inflated or redirected.
//! Nobody else sees genai's types, and no error tells the key.

mod convert;
mod error;
mod gather;
mod pipe;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use genai::chat::{ChatOptions, ChatStreamEvent};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, Headers, ModelIden, ServiceTarget};
use hindcast_llm::{Bounds, Error, Llm, ModelReply, ModelRequest};
use reqwest::Url;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::gather::{Gathered, StreamFacts};

/// What a server may send for one byte of a reply: each token of a few letters comes in an event of its own.
const WIRE_BYTES_PER_BYTE: usize = 128;
/// Bytes on the wire for each token of a reply: an event of its own for each. The client library looks through an
/// unfinished event anew with each piece of it, so that room beyond this costs time with its square.
const WIRE_BYTES_PER_TOKEN: usize = 1024;
/// The least that a server may send for one reply.
const WIRE_BYTES_MIN: usize = 1024 * 1024;
/// The most that a server may send for one reply.
const WIRE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What genai is told that the model is called. The real name stands in the body: genai takes endings such as
/// `-high` off a name, since some vendors mean an option by them.
const NEUTRAL_NAME: &str = "model";

/// How a model is reached.
#[derive(Clone)]
pub struct Options {
    /// Where the server is, such as `http://127.0.0.1:8080/v1`; `/v1` is added where there is no path.
    pub base_url: String,
    /// The model's name, as its server knows it.
    pub model: String,
    /// The key, if the server wants one.
    pub api_key: Option<String>,
    /// How freely it chooses words: 0 for the same words each time. Absent for servers that take none.
    pub temperature: Option<f64>,
    /// More fields of the request's body, for servers that have their own.
    pub extra_body: Option<Value>,
    /// Until a connection is there.
    pub connect_timeout: Duration,
    /// Until the next piece of a reply, the first one too; a call's own bound counts beside it.
    pub idle_timeout: Duration,
}

impl Options {
    /// A model without a key, with the usual bounds.
    #[must_use]
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            model: model.into(),
            api_key: None,
            temperature: Some(0.0),
            extra_body: None,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

impl std::fmt::Debug for Options {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("base_url", &self.base_url).field("model", &self.model).finish_non_exhaustive()
    }
}

/// Settings that no model can be reached with.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an address.
    #[error("expected the address of a model's server, such as http://127.0.0.1:8080/v1, got {0:?}")]
    Address(String),
    /// No name.
    #[error("expected the name of a model, got an empty one")]
    Model,
    /// A key that no header can carry.
    #[error("expected a key of visible ASCII letters, got another")]
    Key,
    /// Fields that are none.
    #[error("expected an object of more fields for the request's body")]
    Extra,
}

/// A model behind an OpenAI-compatible server.
pub struct Genai {
    options: Options,
    address: Url,
}

impl Genai {
    /// Prepares a model. Nothing is sent until it is asked.
    ///
    /// # Errors
    /// When the settings cannot be right.
    pub fn open(options: Options) -> Result<Arc<dyn Llm>, OpenError> {
        Ok(Arc::new(Self::prepare(options)?))
    }

    fn prepare(options: Options) -> Result<Self, OpenError> {
        let address =
            address(&options.base_url).ok_or_else(|| OpenError::Address(without_secrets(&options.base_url)))?;
        if options.model.trim().is_empty() {
            return Err(OpenError::Model);
        }
        if options
            .api_key
            .as_deref()
            .is_some_and(|key| key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(OpenError::Key);
        }
        if options.extra_body.as_ref().is_some_and(|extra| !extra.is_object()) {
            return Err(OpenError::Extra);
        }
        Ok(Self { options, address })
    }

    fn target(&self) -> ServiceTarget {
        let bearer = self.options.api_key.as_ref().map(|key| ("Authorization".to_owned(), format!("Bearer {key}")));
        let headers: Headers = bearer.into_iter().collect::<Vec<_>>().into();
        ServiceTarget {
            endpoint: Endpoint::from_owned(self.address.as_str()),
            auth: AuthData::RequestOverride { url: format!("{}chat/completions", self.address), headers },
            model: ModelIden::new(genai::adapter::AdapterKind::OpenAI, NEUTRAL_NAME),
        }
    }

    fn chat_options(&self, request: &ModelRequest, bounds: Bounds, seen: &Arc<Mutex<StreamFacts>>) -> ChatOptions {
        let seen = Arc::clone(seen);
        let idle = self.options.idle_timeout.min(bounds.timeout);
        ChatOptions {
            temperature: self.options.temperature,
            seed: request.seed,
            capture_usage: Some(true),
            stream_header_timeout: Some(idle),
            stream_read_timeout: Some(idle),
            response_format: request.schema.as_ref().map(|(name, schema)| convert::format(name, schema)),
            extra_body: Some(convert::body(&self.options, request.tokens_max)),
            ..ChatOptions::default()
        }
        .with_raw_frame_fn(move |_, frame| seen.lock().unwrap_or_else(PoisonError::into_inner).look(frame.data))
    }

    async fn stream(
        &self,
        client: Client,
        request: ModelRequest,
        bounds: Bounds,
        deltas: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        let key = self.options.api_key.as_deref();
        let seen = Arc::new(Mutex::new(StreamFacts::default()));
        let chat_options = self.chat_options(&request, bounds, &seen);
        let chat = convert::request(request);
        let opened = client.exec_chat_stream(self.target(), chat, Some(&chat_options)).await;
        let mut stream = opened.map_err(|error| error::of(&error, bounds, key))?.stream;
        let mut gathered = Gathered::new(bounds.bytes_max);
        while let Some(event) = stream.next().await {
            match event.map_err(|error| error::of(&error, bounds, key))? {
                ChatStreamEvent::Chunk(chunk) => {
                    gathered.text(&chunk.content)?;
                    if let Some(deltas) = &deltas {
                        // Whoever is slow or gone misses a piece; the reply is whole all the same.
                        drop(deltas.try_send(chunk.content));
                    }
                }
                ChatStreamEvent::ToolCallChunk(chunk) => gathered.call(chunk.tool_call)?,
                ChatStreamEvent::ReasoningChunk(chunk) | ChatStreamEvent::ThoughtSignatureChunk(chunk) => {
                    gathered.weigh(chunk.content.len())?;
                }
                ChatStreamEvent::End(end) => {
                    gathered.end(&end);
                    break;
                }
                ChatStreamEvent::Start | ChatStreamEvent::Heartbeat => {}
            }
        }
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        gathered.finish(seen)
    }

    /// A client for one call. A connection is never used twice: its bound is that of its call.
    fn client(&self, on: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Result<Client, Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(self.options.connect_timeout)
            .pool_max_idle_per_host(0)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd();
        let http = on(http).build().map_err(|error| Error::Unreachable(error.to_string()))?;
        Client::builder().with_reqwest(http).build().map_err(|error| Error::Unreachable(error.to_string()))
    }

    async fn bounded(
        &self,
        request: ModelRequest,
        bounds: Bounds,
        deltas: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        let by_bytes = bounds.bytes_max.saturating_mul(WIRE_BYTES_PER_BYTE);
        let by_tokens = usize::try_from(request.tokens_max).unwrap_or(usize::MAX).saturating_mul(WIRE_BYTES_PER_TOKEN);
        let wire_bytes_max = by_bytes.min(by_tokens).clamp(WIRE_BYTES_MIN, WIRE_BYTES_MAX);
        let pipe = pipe::Pipe::open(&self.address, self.options.connect_timeout, wire_bytes_max)?;
        let client = self.client(|builder| builder.unix_socket(pipe.path()))?;
        let reply = self.stream(client, request, bounds, deltas).await;
        // Whatever genai made of a pipe that was shut, this is why it was.
        match pipe.why_shut() {
            Some(pipe::Shut::Full) => Err(Error::TooLarge(bounds.bytes_max)),
            Some(pipe::Shut::Unreachable(why)) if reply.is_err() => Err(Error::Unreachable(why)),
            _ => reply,
        }
    }
}

#[async_trait]
impl Llm for Genai {
    fn model(&self) -> &str {
        &self.options.model
    }

    async fn chat(
        &self,
        request: ModelRequest,
        bounds: Bounds,
        deltas: Option<mpsc::Sender<String>>,
    ) -> Result<ModelReply, Error> {
        let asked = self.bounded(request, bounds, deltas);
        let reply = tokio::time::timeout(bounds.timeout, asked).await;
        let mut reply = reply.unwrap_or(Err(Error::Timeout(bounds.timeout)))?;
        if reply.model.is_empty() {
            reply.model.clone_from(&self.options.model);
        }
        Ok(reply)
    }
}

/// The server's address with a path that ends in a slash; `/v1/` where it has none.
fn address(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    if !is_web || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return None;
    }
    let path = match url.path().trim_end_matches('/') {
        "" => "/v1/".to_owned(),
        path => format!("{path}/"),
    };
    url.set_path(&path);
    Some(url)
}

/// An address as it may be shown.
fn without_secrets(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    match text.split_once('@') {
        Some((before, after)) if before.contains("//") => format!("…@{after}"),
        _ => text,
    }
}
