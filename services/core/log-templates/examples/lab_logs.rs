//! Templates of a file of log messages, one a line, as CSV: `line,template_id,template`.

use std::io::{BufWriter, Write as _};

fn main() -> std::io::Result<()> {
    let path = std::env::args().next_back().unwrap_or_default();
    let text = std::fs::read_to_string(path)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "line,template_id,template")?;
    for (line, id, template) in hindcast_log_templates::mine(text.lines()) {
        writeln!(out, "{line},{id},\"{}\"", template.replace('"', "\"\""))?;
    }
    out.flush()
}
