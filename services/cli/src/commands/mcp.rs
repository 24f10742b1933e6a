//! `mcp`: MCP over standard input and output, for copilots that start a program instead of connecting to a server.
//! A bridge: each line is a JSON-RPC message, posted to the server's `/mcp`, and what comes back is a line again.
//! Owns lines, headers and failures; refuses to know what any message means.

use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::client::{ApiClient, Path};
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::sse::EventParser;

/// Requests that wait for their answers at the same time; more wait for one of them.
const AT_ONCE_MAX: usize = 16;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(600);
const ANSWER_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// From this version on, a request says in headers what its body says.
const HEADERS_SINCE: &str = "2026-07-28";
/// Where a request names its version.
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

const PARSE: i64 = -32_700;
const UNREACHABLE: i64 = -32_000;

/// Bridges until the input ends, and the answers to what was asked are written.
///
/// # Errors
/// When the input cannot be read, or the output not be written.
pub async fn run(context: &mut CliContext<'_>) -> Result<()> {
    let mut lines = context.terminal.lines();
    let mut asked = FuturesUnordered::new();
    let mut negotiated: Option<String> = None;
    let mut open = true;
    while open || !asked.is_empty() {
        tokio::select! {
            line = lines.recv(), if open && asked.len() < AT_ONCE_MAX => match line.transpose()? {
                None => open = false,
                Some(line) if line.trim().is_empty() => {}
                Some(line) => match serde_json::from_str::<Value>(&line) {
                    Ok(message) => asked.push(post(context.client.clone(), message, negotiated.clone()).boxed()),
                    Err(error) => write(&failure(&Value::Null, PARSE, &format!("expected JSON on a line: {error}")), context)?,
                },
            },
            Some(answers) = asked.next(), if !asked.is_empty() => {
                for answer in answers {
                    let version = answer.pointer("/result/protocolVersion").and_then(Value::as_str);
                    negotiated = version.map(str::to_owned).or(negotiated);
                    write(&answer, context)?;
                }
            }
        }
    }
    Ok(())
}

fn write(message: &Value, context: &mut CliContext<'_>) -> Result<()> {
    context.terminal.line(&message.to_string())?;
    Ok(context.terminal.flush()?)
}

fn failure(id: &Value, code: i64, said: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": said}})
}

/// What the server says to a message: nothing to a notification.
async fn post(client: ApiClient, message: Value, negotiated: Option<String>) -> Vec<Value> {
    let id = message.get("id").cloned().filter(|id| !id.is_null());
    let waits = id.is_some() && message.get("method").is_some();
    match send(&client, &message, negotiated.as_deref()).await {
        Ok(answers) => answers,
        // Nobody waits for what comes of a notification; the next request tells of the same failure.
        Err(_) if !waits => Vec::new(),
        Err(error) => {
            let remedy = error.remedy().map_or_else(String::new, |remedy| format!(". {remedy}"));
            vec![failure(&id.unwrap_or(Value::Null), UNREACHABLE, &format!("{error}{remedy}"))]
        }
    }
}

async fn send(client: &ApiClient, message: &Value, negotiated: Option<&str>) -> Result<Vec<Value>> {
    let mut request = client.request(Method::POST, &Path::new("/mcp")).timeout(PATIENCE).json(message);
    request = request.header(header::ACCEPT, "application/json, text/event-stream");
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).filter(|text| is_plain(text));
    let own = text(&format!("/params/_meta/{}", VERSION.replace('/', "~1")));
    let is_first = text("/method") == Some("initialize");
    if let Some(version) = own.or(negotiated).filter(|_| !is_first) {
        request = request.header("mcp-protocol-version", version);
    }
    if own.is_some_and(|version| version >= HEADERS_SINCE) {
        for (name, pointer) in [("mcp-method", "/method"), ("mcp-name", "/params/name")] {
            if let Some(value) = text(pointer) {
                request = request.header(name, value);
            }
        }
    }
    answers(client, request).await
}

/// What a header can carry as it is.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

async fn answers(client: &ApiClient, request: reqwest::RequestBuilder) -> Result<Vec<Value>> {
    let response = match client.send_and_wait(request).await {
        Ok(response) => response,
        Err(error) => return refused(error),
    };
    if matches!(response.status(), StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
        return Ok(Vec::new());
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let streamed = kind.starts_with("text/event-stream");
    let body = read(client, response).await?;
    let documents = if streamed {
        let mut messages = EventParser::default();
        // The last message may lack the line that ends it.
        let mut found = messages.feed(&body)?;
        found.extend(messages.feed(b"\n\n")?);
        found.into_iter().map(|message| message.data.into_bytes()).filter(|data| !data.is_empty()).collect()
    } else if body.iter().all(u8::is_ascii_whitespace) {
        Vec::new()
    } else {
        vec![body]
    };
    documents.iter().map(|document| serde_json::from_slice(document).map_err(|error| strange(&error))).collect()
}

/// A refusal that is an answer of the protocol itself.
fn refused(error: Error) -> Result<Vec<Value>> {
    match &error {
        Error::Refused(problem) if problem.status == 404 => {
            Err(Error::failed("expected the server to have /mcp, it has none", "Use a `hindcast up` of this version."))
        }
        _ => Err(error),
    }
}

async fn read(client: &ApiClient, response: reqwest::Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let broke = |source| Error::Unreachable {
            url: client.base().to_owned(),
            detail: "the connection closed".to_owned(),
            source,
        };
        body.extend_from_slice(&chunk.map_err(broke)?);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(Error::failed(
                format!("expected at most {ANSWER_BYTES_MAX} bytes as an answer"),
                "Ask for less.",
            ));
        }
    }
    Ok(body)
}

fn strange(error: &serde_json::Error) -> Error {
    Error::failed(format!("expected JSON-RPC of the server, {error}"), "Use the server's own version of `hindcast`.")
}
