//! The same advice at the terminal, with a server and over the folder alone.

use std::process::Command;

use serde_json::Value;

use super::{QUESTION, items, part, sound};
use crate::support;
use crate::support::Server;
use crate::support::world::{Happened, Wrong, quiet};

const COMMANDS: [&str; 4] = ["causes", "similar", "postmortem", "proposals"];

/// What the terminal says, which is what the API says; and what it said, to be compared once the server is gone.
pub(super) async fn at_the_terminal(server: &Server, again: &Happened, wrong: &mut Wrong) -> Vec<(Vec<String>, Value)> {
    let (position, id) = (quiet(server).await.to_string(), again.incident.as_str());
    let mut kept = Vec::new();
    for name in COMMANDS {
        let line = [name, id, "--as-of", &position, "--json"];
        let (status, out, err) = server.cli(&line);
        wrong.unless(status == 0, || format!("{line:?}: {status} {err}"));
        let said: Value = serde_json::from_str(&out).unwrap_or_default();
        let (_, api) = server.try_get(&format!("{}?as_of={position}", part(again, name))).await;
        wrong.unless(said == api, || format!("{line:?} says something else than the API: {said:#}\n{api:#}"));
        kept.push((line.map(ToOwned::to_owned).to_vec(), said));
        let (status, text, err) = server.cli(&[name, id]);
        wrong.unless(status == 0 && !(text + &err).trim().is_empty(), || format!("{name} in words: {status} {err}"));
        let (status, out, err) = server.cli(&[name, "INC-ZZZZZZZZ", "--json"]);
        wrong.unless(status == 3, || format!("{name} of an unknown incident ends with {status}: {out}{err}"));
    }
    let line = ["findings", "--as-of", &position, "--json"];
    let (status, out, err) = server.cli(&line);
    let said: Value = serde_json::from_str(&out).unwrap_or_default();
    wrong.unless(status == 0 && !items(&said).is_empty(), || format!("findings: {status} {out}{err}"));
    kept.push((line.map(ToOwned::to_owned).to_vec(), said));
    let (status, out, err) = server.cli(&["ask", QUESTION, "--incident", id, "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap_or_default();
    wrong.unless(status == 0 && answer["incident"] == id, || format!("ask: {status} {out}{err}"));
    sound(server, "ask at the terminal", &answer, wrong).await;
    let (status, out, err) = server.cli(&["ask", "why?", "--incident", "INC-ZZZZZZZZ", "--json"]);
    wrong.unless(status == 3, || format!("ask about an unknown incident ends with {status}: {out}{err}"));
    kept
}

/// The terminal over a folder: it reads no settings file, so the environment names the server's embedding model.
fn folder_cli(server: &Server, line: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(support::binary());
    command.args(line).env("NO_COLOR", "1").env("HINDCAST_MODEL_DIR", support::world::model_dir(&server.data));
    let done = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code().unwrap_or(-1), text(&done.stdout), text(&done.stderr))
}

/// The same of the folder alone, as of the same position.
pub(super) fn over_the_folder(server: &Server, again: &Happened, kept: &[(Vec<String>, Value)], wrong: &mut Wrong) {
    let data = server.data.to_string_lossy().into_owned();
    for (line, before) in kept {
        let mut line: Vec<&str> = line.iter().map(String::as_str).collect();
        line.extend(["--data", &data]);
        let (status, out, err) = folder_cli(server, &line);
        let said: Value = serde_json::from_str(&out).unwrap_or_default();
        let strip = |value: &Value| value.to_string().replace(&server.url(""), "");
        let alike = strip(&without_urls(said.clone())) == strip(&without_urls(before.clone()));
        wrong.unless(status == 0 && alike, || format!("{line:?}: {status} {err}\nbefore {before:#}\nnow {said:#}"));
    }
    let (status, out, err) =
        folder_cli(server, &["ask", QUESTION, "--incident", &again.incident, "--json", "--data", &data]);
    let answer: Value = serde_json::from_str(&out).unwrap_or_default();
    wrong.unless(status == 0 && answer["incident"] == again.incident.as_str(), || {
        format!("ask --data: {status} {out}{err}")
    });
    let (status, out, err) = folder_cli(server, &["causes", "INC-ZZZZZZZZ", "--json", "--data", &data]);
    wrong.unless(status == 3, || format!("unknown in the folder: {status} {out}{err}"));
}

/// A folder is served on a port of its own, so links differ.
fn without_urls(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_urls(item.take())),
        Value::Object(fields) => fields.values_mut().for_each(|field| *field = without_urls(field.take())),
        Value::String(text) => {
            while let Some(at) = text.find("http://127.0.0.1:") {
                let rest = text[at + 17..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| at + 17 + end);
                text.replace_range(at..rest, "");
            }
        }
        _ => {}
    }
    value
}
