//! `lab logs`: the template of each line of a file, by the miner that the detector runs.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use hindcast_log_templates::{TemplateSettings, plain};

use super::input;

/// Writes `line,template_id,template` for each line; lines begin with 1.
///
/// # Errors
/// When the file cannot be read, or the answer not be written.
pub fn run(file: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let text = input::text(file)?;
    writeln!(out, "line,template_id,template")?;
    let plain: Vec<Cow<'_, str>> = text.lines().map(said).collect();
    let mined = hindcast_log_templates::mine(plain.iter().map(AsRef::as_ref), TemplateSettings::default());
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let rows: Vec<String> = mined.templates.iter().map(|(id, text)| format!("{id},{}", quoted(text))).collect();
    for (number, (line, place)) in (1..).zip(plain.iter().zip(&mined.lines)) {
        match place.and_then(|place| rows.get(place)) {
            Some(row) => writeln!(out, "{number},{row}")?,
            None => writeln!(out, "{number},,{}", quoted(line))?,
        }
    }
    Ok(())
}

/// What the program said in a line, without colours and a container runtime's prefix.
fn said(line: &str) -> Cow<'_, str> {
    let owned = |text: Cow<'_, str>| plain::cri(&text).map(|line| line.text.to_owned());
    match plain::uncoloured(line) {
        Cow::Borrowed(text) => Cow::Borrowed(plain::cri(text).map_or(text, |line| line.text)),
        text @ Cow::Owned(_) => owned(text.clone()).map_or(text, Cow::Owned),
    }
}
