//! Asks a server's monitoring address what a client cannot see: whether it syncs before it acknowledges. A
//! tiny HTTP GET, since that is all it takes; it refuses to know TLS, for the address is on loopback or in
//! a private network.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(3);
/// No page of a server is larger.
const PAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Why a page could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MonitorError {
    #[error("expected a monitoring address such as http://127.0.0.1:8222, got {0:?}")]
    Address(String),
    #[error("the monitoring address {0} does not answer in time")]
    Late(String),
    #[error("the monitoring address {address} cannot be read")]
    Io { address: String, source: std::io::Error },
    #[error("the monitoring address {0} answered no JSON page")]
    Page(String),
}

/// Reads one page, such as `/varz`.
pub(crate) async fn page(address: &str, path: &str) -> Result<Value, MonitorError> {
    let bytes = tokio::time::timeout(TIMEOUT, get(address, path))
        .await
        .map_err(|_| MonitorError::Late(address.to_owned()))??;
    let text = String::from_utf8_lossy(&bytes);
    let no_page = || MonitorError::Page(address.to_owned());
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(no_page)?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(no_page());
    }
    serde_json::from_str(body).map_err(|_| no_page())
}

async fn get(address: &str, path: &str) -> Result<Vec<u8>, MonitorError> {
    let host = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
    if host.is_empty() || host.contains('/') {
        return Err(MonitorError::Address(address.to_owned()));
    }
    let io = |source| MonitorError::Io { address: address.to_owned(), source };
    let mut stream = TcpStream::connect(host).await.map_err(io)?;
    // HTTP/1.0: no chunks, and the end of the page is the end of the connection.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(io)?;
    let mut bytes = Vec::new();
    stream.take(PAGE_BYTES_MAX).read_to_end(&mut bytes).await.map_err(io)?;
    Ok(bytes)
}

/// Whether the server with that id says that it syncs before it acknowledges; why not, otherwise.
pub(crate) async fn syncs_always(address: &str, server_id: &str) -> Result<(), String> {
    let varz = page(address, "/varz").await.map_err(|error| error.to_string())?;
    if varz.get("server_id").and_then(Value::as_str) != Some(server_id) {
        return Err(format!("the monitoring address {address} is another server's"));
    }
    if always(varz.pointer("/jetstream/config")) {
        return Ok(());
    }
    let jsz = page(address, "/jsz?config=true").await.map_err(|error| error.to_string())?;
    if always(jsz.get("config")) {
        return Ok(());
    }
    Err("the server syncs later than it acknowledges".to_owned())
}

fn always(config: Option<&Value>) -> bool {
    config.and_then(|config| config.get("sync_always")).and_then(Value::as_bool) == Some(true)
}
