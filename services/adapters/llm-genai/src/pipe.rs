//! What a server sends, counted on its way: a socket of the file system in a folder of our own, behind which
//! each connection goes on to the server. Over its bound it is shut. It looks into nothing, so TLS goes through
//! it from end to end.
//!
//! The reason that it exists: the client library gathers one event of a stream, or an error's body, until it
//! ends, and offers no place between the wire and that gathering where bytes could be counted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hindcast_llm::Error;
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};

/// Bytes that are moved at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why a pipe was shut before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// The server sent more than the bound.
    Full,
    /// There is no way to the server.
    Unreachable(String),
}

/// A pipe for one call; closed when it is dropped.
pub(crate) struct Pipe {
    // Kept for its end: the folder goes with it.
    _folder: tempfile::TempDir,
    path: PathBuf,
    shut: Arc<Mutex<Option<Shut>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Pipe {
    /// A pipe to the address's host.
    pub(crate) fn open(address: &Url, connect_timeout: Duration, bytes_max: usize) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Unreachable(format!("no pipe could be made: {error}"));
        let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = address.port_or_known_default().unwrap_or(80);
        let folder = tempfile::Builder::new().prefix("hindcast-").tempdir().map_err(failed)?;
        let path = folder.path().join("llm");
        let listener = UnixListener::bind(&path).map_err(failed)?;
        let shut = Arc::new(Mutex::new(None));
        let server = Server { host, port, connect_timeout, left: bytes_max, shut: Arc::clone(&shut) };
        let task = tokio::spawn(server.serve(listener));
        Ok(Self { _folder: folder, path, shut, task })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn why_shut(&self) -> Option<Shut> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Server {
    host: String,
    port: u16,
    connect_timeout: Duration,
    /// Bytes that may still come, over all connections of the call.
    left: usize,
    shut: Arc<Mutex<Option<Shut>>>,
}

impl Server {
    /// One connection after the other: a call has one, and another only where the first could not be used.
    async fn serve(mut self, listener: UnixListener) {
        while let Ok((client, _)) = listener.accept().await {
            let connecting = TcpStream::connect((self.host.as_str(), self.port));
            let server = match tokio::time::timeout(self.connect_timeout, connecting).await {
                Ok(Ok(server)) => server,
                Ok(Err(error)) => {
                    self.close(Shut::Unreachable(error.kind().to_string()));
                    continue;
                }
                Err(_) => {
                    self.close(Shut::Unreachable(format!("no connection within {:?}", self.connect_timeout)));
                    continue;
                }
            };
            self.carry(client, server).await;
            if self.left == 0 {
                return;
            }
        }
    }

    fn close(&self, why: Shut) {
        *self.shut.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Carries bytes both ways until one side ends, or the bound is reached.
    async fn carry(&mut self, client: UnixStream, server: TcpStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let asked = async {
            tokio::io::copy(&mut from_client, &mut to_server).await.ok();
        };
        let left = &mut self.left;
        let mut full = false;
        let answered = async {
            let mut chunk = vec![0; CHUNK_BYTES];
            loop {
                let read = from_server.read(&mut chunk).await.unwrap_or(0);
                let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
                if bytes.len() >= *left {
                    *left = 0;
                    full = true;
                    break;
                }
                *left -= bytes.len();
                if to_client.write_all(bytes).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = asked => {}
            () = answered => {}
        }
        if full {
            self.close(Shut::Full);
        }
    }
}
