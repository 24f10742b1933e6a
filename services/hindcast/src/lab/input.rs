//! Files as people have them: plain or gzipped, whole or with a few odd lines. Owns reading, unpacking and the
//! bounds of both; an error says which file and which line, and what was expected there.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use flate2::bufread::MultiGzDecoder;
use hindcast_domain::Time;
use serde::de::DeserializeOwned;

/// Bytes of one file, unpacked.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// The first bytes of a gzipped file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The text of a file, unpacked where it is gzipped. `NAME.gz` stands for `NAME`. Bytes that are no UTF-8 become
/// replacement characters.
///
/// # Errors
/// When there is no such file, or it is damaged or too large.
pub fn text(path: &Path) -> anyhow::Result<String> {
    let Some(found) = find(path) else {
        bail!("expected a file {} (or with .gz behind it), there is none", path.display());
    };
    let read = || -> anyhow::Result<Vec<u8>> {
        let mut file = BufReader::new(File::open(&found)?);
        let packed = std::io::BufRead::fill_buf(&mut file)?.starts_with(&GZIP);
        let mut bytes = Vec::new();
        if packed {
            MultiGzDecoder::new(file).take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        } else {
            file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        }
        ensure!(bytes.len() as u64 <= FILE_BYTES_MAX, "expected at most {FILE_BYTES_MAX} bytes, unpacked");
        Ok(bytes)
    };
    let bytes = read().with_context(|| found.display().to_string())?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The file of that name, or the gzipped one that stands for it.
pub fn find(path: &Path) -> Option<PathBuf> {
    let mut packed = path.as_os_str().to_owned();
    packed.push(".gz");
    [path.to_path_buf(), PathBuf::from(packed)].into_iter().find(|path| path.is_file())
}

/// The items of a file with one JSON document a line. Empty lines are passed over.
///
/// # Errors
/// When it cannot be read, or a line is none of what is expected.
pub fn ndjson<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = text(path)?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (u64, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}, line {number}", path.display()))
    };
    lines.map(read).collect()
}

/// The cells of one line of CSV: quotation marks around a cell, and two for one within it.
pub fn cells(line: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                push(&mut all, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            other => push(&mut all, other),
        }
    }
    all
}

fn push(cells: &mut [String], c: char) {
    if let Some(last) = cells.last_mut() {
        last.push(c);
    }
}

/// A time as RFC 3339, or as seconds since 1970.
pub fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Time>() {
        return Some(time);
    }
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.abs() < 1e11)?;
    #[allow(clippy::cast_possible_truncation)] // milliseconds of some thousand years
    Some(Time::from_millis((seconds * 1_000.0).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_gzipped_file_stands_for_the_one_without_the_ending() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = File::create(folder.path().join("a.txt.gz"))?;
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packed.write_all(b"one\ntwo\xff\n")?;
        packed.finish()?;
        assert_eq!(text(&folder.path().join("a.txt"))?, "one\ntwo\u{fffd}\n");
        assert_eq!(text(&folder.path().join("a.txt.gz"))?, "one\ntwo\u{fffd}\n");
        let missing = text(&folder.path().join("b.txt")).err().map(|error| error.to_string());
        assert!(missing.is_some_and(|said| said.contains("b.txt")));
        std::fs::write(folder.path().join("c.txt"), [0x1f, 0x8b, 0, 0])?;
        assert!(text(&folder.path().join("c.txt")).is_err(), "a damaged one is no empty one");
        Ok(())
    }

    #[test]
    fn a_line_that_is_wrong_is_named() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.ndjson");
        std::fs::write(&path, "{\"a\":1}\n\n{\"a\":\n")?;
        let said = ndjson::<serde_json::Value>(&path).err().map(|error| format!("{error:#}"));
        assert!(said.is_some_and(|said| said.contains("line 3")));
        Ok(())
    }

    #[test]
    fn cells_and_times_are_read() {
        assert_eq!(cells("a,\"b, \"\"c\"\"\",,d"), ["a", "b, \"c\"", "", "d"]);
        assert_eq!(time("2026-11-24T12:00:00Z"), time("1795521600"));
        assert_eq!(time("noon"), None);
    }
}
