//! The paging audit over what tests leave behind: with `HINDCAST_TEST_AUDIT=FILE`, each data folder with an embedded
//! ledger is audited when its server ends, and one line of figures is put behind the file.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::binary;

/// Audits a data folder that no process uses any longer, where it is asked for.
pub fn audit(data: &Path) {
    let Some(file) = std::env::var_os("HINDCAST_TEST_AUDIT") else { return };
    if !data.join("ledger").is_dir() {
        return;
    }
    let done = Command::new(binary()).args(["audit", "pages", "--json", "--data"]).arg(data).output();
    let told = match done {
        Ok(done) => serde_json::from_slice::<Value>(&done.stdout)
            .unwrap_or_else(|_| json!({ "unread": String::from_utf8_lossy(&done.stderr) })),
        Err(error) => json!({ "unread": error.to_string() }),
    };
    let line = json!({ "test": std::thread::current().name(), "audit": told });
    let kept = std::fs::OpenOptions::new().create(true).append(true).open(&file);
    let written = kept.and_then(|mut kept| writeln!(kept, "{line}"));
    written.expect("HINDCAST_TEST_AUDIT names a file that can be written");
}
