//! Owns the ways in which a recording can fail, one variant for each step.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a recording could not be made, or not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder exists and holds something already.
    #[error("{} is not empty; name a new folder, so that no recording is overwritten", .0.display())]
    NotEmpty(PathBuf),
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written; what had been kept by then is still beside it, as `*.part`.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {listen}; choose another with --listen")]
    Listen {
        /// The address that could not be listened on.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The HTTP server ended by itself.
    #[error("the HTTP server stopped")]
    Serve(#[source] io::Error),
    /// A part of the recorder ended without saying why.
    #[error("the {0} stopped unexpectedly")]
    Lost(&'static str),
    /// The scenario could not be started.
    #[error("cannot start the scenario `{program}`")]
    Start {
        /// The program of the command.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The scenario failed; the recording was written, but its truth may lack something.
    #[error("the scenario ended with {status}; the recording is written, but its truth may be incomplete")]
    Scenario {
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// Prometheus did not answer a query.
    #[error("prometheus did not answer the query of metric {metric}")]
    Query {
        /// The metric's name in the recording.
        metric: String,
        /// What the client said.
        source: reqwest::Error,
    },
    /// Prometheus refused a query.
    #[error("prometheus refused the query of metric {metric}: {detail}")]
    Refused {
        /// The metric's name in the recording.
        metric: String,
        /// What it said.
        detail: String,
    },
    /// A query gave two series for one service.
    #[error("the query of metric {metric} gives several series for service {service}; aggregate them in the query")]
    Ambiguous {
        /// The metric's name in the recording.
        metric: String,
        /// The service for which the query gave several series.
        service: String,
    },
    /// More samples than a recording may hold.
    #[error("more than {max} samples; ask for fewer metrics or a longer step")]
    TooManySamples {
        /// Bytes that a request may have.
        max: usize,
    },
    /// The address of Prometheus is no URL.
    #[error("`{0}` is not the address of a Prometheus; expected something like http://127.0.0.1:9090")]
    Address(String),
    /// A part of a recording is not what it should be.
    #[error("{part}, line {line}: not what a recording holds there")]
    Malformed {
        /// The file's name within the recording.
        part: &'static str,
        /// The line, from 1.
        line: u64,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A part of a recording could not be unpacked.
    #[error("{part}: cannot unpack it")]
    Unpack {
        /// The file's name within the recording.
        part: &'static str,
        /// What the decoder said.
        source: io::Error,
    },
    /// A recording of a format that this version does not know.
    #[error("the recording has format {found}, this version reads format {known}; use a newer hindcast")]
    Format {
        /// What the recording says.
        found: u32,
        /// What this version reads.
        known: u32,
    },
}
