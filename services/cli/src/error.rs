//! How a command ends: its status, and what stands on standard error where it failed. Owns the mapping from
//! refusals to statuses; refuses to know which command it was.

use hindcast_api::Problem;

/// What every command gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[must_use]
pub enum ExitStatus {
    /// It did what was asked.
    Done = 0,
    /// It did not; or what it checked is not in order.
    Failed = 1,
    /// It was asked in the wrong way.
    Usage = 2,
    /// There is no such thing.
    NothingFound = 3,
}

impl ExitStatus {
    /// The process's exit status.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line contradicts itself, beyond what its grammar can say.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers.
    #[error("expected a server at {url}, {detail}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What went wrong, in short.
        detail: String,
        /// What the transport says.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// There is nothing to show.
    #[error("{0}")]
    NothingFound(String),
    /// Anything else that went wrong, and what to do.
    #[error("{detail}")]
    Failed {
        /// What was expected and what came.
        detail: String,
        /// What to do.
        remedy: String,
    },
    /// What was found has been written, and it is not in order.
    #[error("not valid")]
    NotInOrder,
    /// Standard output cannot be written.
    #[error("expected to write the output: {0}")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// A failure with what to do about it.
    #[must_use]
    pub fn failed(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed { detail: detail.into(), remedy: remedy.into() }
    }

    /// Whether the server knows no such thing or route.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Refused(problem) if matches!(problem.status, 404 | 405 | 501))
    }

    /// The status that the command ends with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Usage(_) => ExitStatus::Usage,
            Self::NothingFound(_) => ExitStatus::NothingFound,
            Self::Refused(problem) => match (problem.status, problem.code.as_str()) {
                (404, _) => ExitStatus::NothingFound,
                (_, "bad_parameter" | "bad_limit" | "bad_as_of" | "bad_cursor") => ExitStatus::Usage,
                _ => ExitStatus::Failed,
            },
            // Whoever read the output has seen enough.
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitStatus::Done,
            Self::Unreachable { .. } | Self::Failed { .. } | Self::NotInOrder | Self::Output(_) => ExitStatus::Failed,
        }
    }

    /// What to do, where that can be said.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let remedy = match self {
            Self::Usage(_) => "See `hindcast help` and the command's --help.".to_owned(),
            Self::Unreachable { .. } => {
                "Run `hindcast up`, name a running server with --server URL, or a folder with --data DIR.".to_owned()
            }
            Self::Refused(problem) if problem.status == 401 => {
                "Give the server's token with --token or HINDCAST_TOKEN.".to_owned()
            }
            Self::Refused(problem) => problem.remedy.clone(),
            Self::Failed { remedy, .. } => remedy.clone(),
            Self::NothingFound(_) | Self::NotInOrder | Self::Output(_) => return None,
        };
        Some(remedy).filter(|remedy| !remedy.is_empty())
    }

    /// Whether there is anything left to say on standard error.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        match self {
            Self::NotInOrder => true,
            Self::Output(error) => error.kind() == std::io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }
}
