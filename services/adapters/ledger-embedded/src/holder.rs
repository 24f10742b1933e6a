//! Who has a ledger's folder, as its lock file and a refusal to open say it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who has a ledger's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process that holds the folder, as the system numbers it.
    pub pid: u32,
    /// Where it listens, once it does.
    pub address: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.pid) {
            (Some(address), pid) => write!(f, "process {pid}, which listens on {address}"),
            (None, 0) => write!(f, "another process"),
            (None, pid) => write!(f, "process {pid}"),
        }
    }
}
