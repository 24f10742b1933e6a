//! The examples of the documents, run: every block that is marked `bash run` must end with 0 when a shell runs it
//! beside a fresh server, and every relative link must lead to a file and a heading that exist.
//!
//! `HINDCAST_TEST_DOCUMENTS=update` writes what the commands printed into the `text` block that follows each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ledger, Server, binary, folder};

const RUN: &str = "```bash run";
const FENCE: &str = "```";
/// The address that documents show.
const SHOWN: &str = "127.0.0.1:7171";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every Markdown file that a reader is sent to.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/adr", "docs/specs"].map(|folder| root().join(folder));
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let mut documents: Vec<PathBuf> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    documents.sort();
    documents
}

/// The lines of the fenced block whose fence is at `at`, and the index after its end.
fn block<'a>(lines: &[&'a str], at: usize) -> (Vec<&'a str>, usize) {
    let length = lines[at + 1..].iter().position(|line| *line == FENCE).expect("a block ends");
    (lines[at + 1..at + 1 + length].to_vec(), at + length + 2)
}

/// Runs one block in a shell that keeps the variables of the blocks before it, and answers what was printed.
fn run(folder: &Path, server: &Server, command: &str) -> Result<String, String> {
    let here = format!("127.0.0.1:{}", server.port);
    let script = format!(". ./.variables\nset -a\n{}\nexport -p > .variables\n", command.replace(SHOWN, &here));
    let programs = binary().parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-ec", &script])
        .current_dir(folder)
        .env("PATH", path)
        .env("HINDCAST_SERVER", format!("http://{here}"))
        .env("NO_COLOR", "1")
        .env("USER", "ada")
        .output()
        .expect("a shell can be run");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("{}\n{command}\n{out}{err}", output.status));
    }
    let lines: Vec<&str> = out.trim_end().lines().map(str::trim_end).collect();
    Ok(lines.join("\n").replace(&here, SHOWN))
}

/// Runs all examples of one document and answers the document with the outputs of this run.
async fn run_all(text: &str) -> Result<String, String> {
    let folder = folder();
    fs::write(folder.path().join(".variables"), "").unwrap();
    let server = Server::start(&folder.path().join("hindcast-data"), Ledger::Embedded, &[]).await;
    let lines: Vec<&str> = text.lines().collect();
    let (mut written, mut at) = (Vec::new(), 0);
    while at < lines.len() {
        if lines[at] != RUN {
            written.push(lines[at].to_owned());
            at += 1;
            continue;
        }
        let (command, end) = block(&lines, at);
        let output = run(folder.path(), &server, &command.join("\n"))?;
        written.extend(lines[at..end].iter().map(|line| (*line).to_owned()));
        at = end;
        if lines.get(end..end + 2) == Some(&["", "```text"]) {
            if output.is_empty() {
                return Err(format!("expected an output, got none\n{}", command.join("\n")));
            }
            written.extend([String::new(), "```text".to_owned(), output, FENCE.to_owned()]);
            at = block(&lines, end + 1).1;
        }
    }
    Ok(written.join("\n") + "\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs() {
    let update = std::env::var("HINDCAST_TEST_DOCUMENTS").is_ok_and(|asked| asked == "update");
    let mut count = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        if !text.lines().any(|line| line == RUN) {
            continue;
        }
        count += text.lines().filter(|line| *line == RUN).count();
        let written = run_all(&text).await.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if update {
            fs::write(&path, written).unwrap();
        }
    }
    assert!(count >= 10, "{count} examples are run");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_that_fails_is_seen() {
    let document = "```bash run\nhindcast show INC-NONE\n```\n";
    assert!(run_all(document).await.is_err_and(|error| error.contains("expected an incident")));
}

/// The name under which a heading can be linked to.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
    kept.map(|sign| if sign == ' ' { '-' } else { sign }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    text.lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

/// The relative links of a text outside its fenced blocks: what stands between `](` and `)`.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split(FENCE).step_by(2);
    let ends = prose.flat_map(|text| text.split("](").skip(1)).filter_map(|rest| rest.split_once(')'));
    ends.map(|(link, _)| link).filter(|link| !link.contains("://") && !link.contains(char::is_whitespace)).collect()
}

/// The links of a document that lead nowhere.
fn dead_links(path: &Path, text: &str) -> Vec<String> {
    let leads_somewhere = |link: &str| {
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let target = if file.is_empty() { path.to_owned() } else { path.parent().unwrap().join(file) };
        if heading.is_empty() {
            return target.exists();
        }
        fs::read_to_string(target).is_ok_and(|text| anchors(&text).contains(heading))
    };
    links(text).into_iter().filter(|link| !leads_somewhere(link)).map(ToOwned::to_owned).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let of_file = dead_links(&path, &text);
        dead.extend(of_file.into_iter().map(|link| format!("{}: {link}", path.display())));
    }
    assert!(dead.is_empty(), "these links lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn a_dead_link_is_seen() {
    let path = root().join("README.md");
    let text = "[a](docs/nowhere.md) [b](docs/security.md#no-such-heading) [c](docs/security.md)";
    assert_eq!(dead_links(&path, text), ["docs/nowhere.md", "docs/security.md#no-such-heading"]);
}
