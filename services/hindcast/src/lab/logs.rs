//! `lab logs`: the template of each line of a file, by the miner that the detector runs.

use std::io::Write;
use std::path::Path;

use super::input;

/// Writes `line,template_id,template` for each line; lines begin with 1.
///
/// # Errors
/// When the file cannot be read, or the answer not be written.
pub fn run(file: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let text = input::text(file)?;
    writeln!(out, "line,template_id,template")?;
    for (line, id, template) in hindcast_log_templates::mine(text.lines()) {
        writeln!(out, "{line},{id},\"{}\"", template.replace('"', "\"\""))?;
    }
    Ok(())
}
