//! The comparison of two versions, or of two weights, over recorded time.

use std::path::PathBuf;

use futures::StreamExt as _;
use hindcast_api::{BacktestRequest, Comparison, LearnProgress, Problem};
use hindcast_domain::model::Verdict;
use reqwest::{Method, header};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{BacktestArgs, PATIENCE};
use crate::client::{Path, typed};
use crate::context::CliContext;
use crate::error::{Error, Result};
use crate::sse::EventParser;
use crate::text::ink::Ink;
use crate::text::table::{Table, left, right};
use crate::text::word;

/// Decides the past again; nothing is recorded.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn backtest(args: BacktestArgs, context: &mut CliContext<'_>) -> Result<()> {
    compared(Path::new("/api/v1/backtest"), args, context).await
}

pub(super) async fn compared(path: Path, args: BacktestArgs, context: &mut CliContext<'_>) -> Result<()> {
    let (version, weights) = candidate(args.candidate.as_deref())?;
    let body = BacktestRequest {
        environment: args.environment,
        version,
        weights,
        against: args.against,
        since: args.since,
        to: args.to,
        seed: args.seed,
    };
    let document = long(path, &body, "deciding the past again", context).await?;
    let compared: Comparison = typed("a comparison", &document)?;
    if context.json {
        context.print_json(&document)?;
    } else {
        let text = told(&compared, context);
        context.terminal.write(&text)?;
    }
    // So that a script need not read the verdict: what failed is not in order, what shows nothing yet is.
    match compared.verdict {
        Verdict::Fail | Verdict::Error => Err(Error::NotInOrder),
        Verdict::Pass | Verdict::Inconclusive => Ok(()),
    }
}

type Weights = std::collections::BTreeMap<String, i64>;

pub(super) fn candidate(text: Option<&str>) -> Result<(Option<u32>, Option<Weights>)> {
    let Some(text) = text else { return Ok((None, None)) };
    if let Ok(version) = text.parse() {
        return Ok((Some(version), None));
    }
    let file = PathBuf::from(text);
    let read = std::fs::read_to_string(&file)
        .map_err(|error| Error::failed(format!("{}: {error}", file.display()), "Name a version's number or a file."))?;
    let weights = serde_json::from_str(&read).map_err(|error| {
        Error::failed(format!("{}: {error}", file.display()), "Expected weights by name, such as {\"threshold\": 600}.")
    })?;
    Ok((None, Some(weights)))
}

/// A comparison for people.
fn told(of: &Comparison, context: &CliContext<'_>) -> String {
    let colour = context.terminal.colour();
    let ink = match of.verdict {
        Verdict::Pass => Ink::Good,
        Verdict::Fail | Verdict::Error => Ink::Bad,
        Verdict::Inconclusive => Ink::Strong,
    };
    let candidate = of.version.map_or_else(|| "these weights".to_owned(), |version| format!("version {version}"));
    let mut text = format!(
        "{}: {candidate} against version {}, {} inputs decided again, positions {} to {}\n",
        ink.on(word(&of.verdict).to_uppercase().as_str(), colour),
        of.against,
        of.inputs,
        of.from,
        of.to
    );
    for reason in of.reasons.iter().chain(&of.engine) {
        text.push_str(&format!("  {reason}\n"));
    }
    let report = &of.report;
    let mut table =
        Table::new(&[left("OVER"), right("CHAMPION"), right("CANDIDATE"), right("DIFFERENCE"), left("95 %")]);
    for name in ["missed", "merged", "split", "pages"] {
        let number = |side: &str| report[side][name].as_u64().unwrap_or_default().to_string();
        table.row([
            name.into(),
            number("champion").into(),
            number("candidate").into(),
            estimate(&report[name]["seen"]).into(),
            format!("{} to {}", estimate(&report[name]["low"]), estimate(&report[name]["high"])).into(),
        ]);
    }
    table.row([
        "minutes to the page".into(),
        "".into(),
        "".into(),
        estimate(&report["minutes"]["seen"]).into(),
        format!("{} to {}", estimate(&report["minutes"]["low"]), estimate(&report["minutes"]["high"])).into(),
    ]);
    text.push_str(&format!("{} labelled problems\n", report["problems"].as_u64().unwrap_or_default()));
    text.push_str(&table.render(context.terminal.width(), colour));
    text.push_str(&format!("decided  {}\n", of.decided));
    text
}

fn estimate(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".to_owned(), |value| format!("{value:+.1}"))
}

/// Sends what takes long; a bar tells how far it is where somebody watches.
pub(super) async fn long(
    path: Path,
    body: &impl Serialize,
    what: &'static str,
    context: &mut CliContext<'_>,
) -> Result<Box<RawValue>> {
    let request = context.client.request(Method::POST, &path).json(body).timeout(PATIENCE);
    if !context.terminal.is_watched() {
        let request = request.header(header::ACCEPT, "application/json");
        let response = context.client.send_and_wait(request).await?;
        return context.client.json(response).await;
    }
    let response = context.client.send_and_wait(request.header(header::ACCEPT, "text/event-stream")).await?;
    let base = context.client.base().to_owned();
    let (mut chunks, mut messages) = (response.bytes_stream(), EventParser::default());
    let bar = context.terminal.bar(what, 0);
    let strange = |error: serde_json::Error| {
        Error::failed(format!("expected JSON on the stream, {error}"), "Use the server's own version.")
    };
    while let Some(chunk) = chunks.next().await {
        let broke = |source| Error::Unreachable {
            url: base.clone(),
            detail: "the connection closed before the end".to_owned(),
            source,
        };
        for message in messages.feed(&chunk.map_err(broke)?)? {
            match message.event.as_str() {
                "progress" => {
                    let progress: LearnProgress = serde_json::from_str(&message.data).map_err(strange)?;
                    bar.set_length(progress.of);
                    bar.set_position(progress.done);
                    bar.set_message(progress.step);
                }
                "done" => {
                    bar.finish_and_clear();
                    return serde_json::from_str(&message.data).map_err(strange);
                }
                "error" => {
                    bar.finish_and_clear();
                    let problem: Problem = serde_json::from_str(&message.data).map_err(strange)?;
                    return Err(Error::Refused(Box::new(problem)));
                }
                // A newer server may tell more.
                _ => {}
            }
        }
    }
    Err(Error::failed("expected an outcome, the stream ended before it", "Look at the log of the server."))
}
