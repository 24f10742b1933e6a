//! Templates of a file of log messages, one a line, as CSV: `line,template_id,template`.
//!
//! `lab_logs FILE [SETTINGS]`: settings as JSON, for measuring others than those in use.

use std::io::{BufWriter, Write as _};

use hindcast_log_templates::TemplateSettings;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let text = std::fs::read_to_string(arguments.next().unwrap_or_default())?;
    let settings = arguments.next().map(|json| serde_json::from_str::<TemplateSettings>(&json)).transpose()?;
    let mined = hindcast_log_templates::mine(text.lines(), settings.unwrap_or_default());
    let rows: Vec<String> =
        mined.templates.iter().map(|(id, text)| format!("{id},\"{}\"", text.replace('"', "\"\""))).collect();
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "line,template_id,template")?;
    for (number, (line, place)) in (1..).zip(text.lines().zip(&mined.lines)) {
        match place.and_then(|place| rows.get(place)) {
            Some(row) => writeln!(out, "{number},{row}")?,
            None => writeln!(out, "{number},,\"{}\"", line.replace('"', "\"\""))?,
        }
    }
    out.flush()
}
