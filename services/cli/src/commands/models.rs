//! `models` and `backtest`: versions of the models that decide, what the past says of them, and which is in force.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use futures::StreamExt as _;
use hindcast_api::{BacktestRequest, Comparison, LearnProgress, ModelStatus, ModelVersion, Problem, TrainRequest};
use hindcast_domain::model::Verdict;
use reqwest::{Method, header};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext, ListArgs, items};
use crate::error::{Error, Result};
use crate::sse::EventParser;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::word;

/// The model there is.
const MODEL: &str = "pair-scorer";
/// How long a training or a backtest may take.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What is done with versions.
#[derive(Subcommand, Debug)]
pub enum ModelsCommand {
    /// List versions, newest first, and which one decides.
    List(ListArgs),
    /// Show a version: its training data, its comparisons, and the decisions of its shadow.
    Show(Which),
    /// Print a version's model card, in Markdown.
    Card(Which),
    /// Train a version on labels.
    Train(TrainArgs),
    /// Replay history with a candidate and the production version, compare, and record the verdict of the gate.
    Compare(BacktestArgs),
    /// Promote a version that passed its comparison to production.
    Promote(PromoteArgs),
    /// Roll back to the previous production version.
    Rollback(RollbackArgs),
    /// Run a version as a shadow of the production version: it decides nothing.
    Shadow(ShadowArgs),
}

/// Which version.
#[derive(Args, Debug)]
pub struct Which {
    /// The version's number [default: the production version].
    #[arg(value_name = "VERSION")]
    pub version: Option<u32>,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// The training data.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// Train on labels of this environment.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// The first position of the training data.
    #[arg(long, value_name = "POSITION")]
    pub from: Option<u64>,
    /// The last position or time of the training data.
    #[arg(long, value_name = "POSITION|TIME")]
    pub to: Option<String>,
    /// The seed of the random numbers, so that a training can be repeated.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Which past, and with what.
#[derive(Args, Debug)]
pub struct BacktestArgs {
    /// A version's number, or a JSON file with weights by name [default: the newest version].
    #[arg(long, value_name = "VERSION|FILE")]
    pub candidate: Option<String>,
    /// The version that it is compared with [default: the production version].
    #[arg(long, value_name = "VERSION")]
    pub against: Option<u32>,
    /// The start of the compared period: a position, a time, or a span before the end such as 30d [default: after
    /// the training data of the candidate].
    #[arg(long, value_name = "30d|POSITION|TIME")]
    pub since: Option<String>,
    /// The end of the compared period: a position or a time.
    #[arg(long, value_name = "POSITION|TIME")]
    pub to: Option<String>,
    /// The environment whose history is replayed.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// The seed of the resampling, so that a comparison can be repeated.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Which version.
#[derive(Args, Debug)]
pub struct PromoteArgs {
    /// The version's number.
    #[arg(value_name = "VERSION")]
    pub version: u32,
    /// What you had seen.
    #[command(flatten)]
    pub seen: SeenArgs,
}

/// Arguments of `hindcast models rollback`.
#[derive(Args, Debug)]
pub struct RollbackArgs {
    /// The reason, in plain words.
    #[arg(long, value_name = "WORDS")]
    pub why: String,
    /// What you had seen.
    #[command(flatten)]
    pub seen: SeenArgs,
}

/// Which version, from where.
#[derive(Args, Debug)]
pub struct ShadowArgs {
    /// The version's number.
    #[arg(value_name = "VERSION", required_unless_present = "end")]
    pub version: Option<u32>,
    /// The first position that it decides on, which may lie in the past [default: now].
    #[arg(long, value_name = "POSITION")]
    pub from: Option<u64>,
    /// End the shadow.
    #[arg(long, conflicts_with_all = ["version", "from"])]
    pub end: bool,
    /// What you had seen.
    #[command(flatten)]
    pub seen: SeenArgs,
}

/// Does it.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn run(command: ModelsCommand, context: &mut CliContext<'_>) -> Result<()> {
    let model = || Path::new("/api/v1/models").join(MODEL);
    match command {
        ModelsCommand::List(list) => listed(&list, context).await,
        ModelsCommand::Show(which) => show(&which, context).await,
        ModelsCommand::Card(which) => {
            let found = of(&which, context).await?;
            let version: ModelVersion = typed("a version", &found)?;
            if context.json {
                let card = serde_json::json!({"name": version.name, "version": version.version, "card": version.card});
                return context.print_json(&card);
            }
            Ok(context.terminal.write(version.card.as_deref().unwrap_or_default())?)
        }
        ModelsCommand::Train(args) => {
            let body = TrainRequest { environment: args.environment, from: args.from, to: args.to, seed: args.seed };
            let learnt = long(model().join("train"), &body, "learning", context).await?;
            if context.json {
                return context.print_json(&learnt);
            }
            let version: ModelVersion = typed("a version", &learnt)?;
            context.terminal.line(&format!("trained version {} of {MODEL}, a candidate", version.version))?;
            context.terminal.say(&format!("compare it: hindcast models compare --candidate {}", version.version));
            Ok(())
        }
        ModelsCommand::Compare(args) => compared(model().join("compare"), args, context).await,
        ModelsCommand::Promote(args) => {
            let body = json!({"version": args.version});
            moved(model().join("promote"), body, &args.seen, context).await
        }
        ModelsCommand::Rollback(args) => {
            let body = json!({"why": args.why});
            moved(model().join("rollback"), body, &args.seen, context).await
        }
        ModelsCommand::Shadow(args) => {
            let body = json!({"version": args.version, "from": args.from});
            moved(model().join("shadow"), body, &args.seen, context).await
        }
    }
}

/// Decides the past again; nothing is recorded.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn backtest(args: BacktestArgs, context: &mut CliContext<'_>) -> Result<()> {
    compared(Path::new("/api/v1/backtest"), args, context).await
}

async fn listed(args: &ListArgs, context: &mut CliContext<'_>) -> Result<()> {
    let listed = context.list(Path::new("/api/v1/models"), args).await?;
    if context.json {
        return context.print_json(&listed);
    }
    let versions: Vec<ModelVersion> = items(&listed)?;
    let times = context.times(&args.as_of);
    let mut table = Table::new(&[
        left("MODEL"),
        right("VERSION"),
        left("STATUS"),
        left("TRAINED"),
        right("LABELS"),
        left("COMPARED"),
        text("WHY"),
    ]);
    for version in &versions {
        let ink = if version.status == ModelStatus::InForce { Ink::Good } else { Ink::Plain };
        let judged = version.judged.last().map(|one| format!("{} against {}", word(&one.verdict), one.against));
        table.row([
            version.name.as_str().into(),
            version.version.to_string().into(),
            inked(status(version.status), ink),
            version.registered_at.map_or_else(|| "default weights".to_owned(), |at| times.short(at)).into(),
            version.lineage.as_ref().map_or_else(String::new, |lineage| lineage.labels.to_string()).into(),
            judged.unwrap_or_default().into(),
            version.why.clone().unwrap_or_default().into(),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}

/// The status as people read it: the JSON word for the version that decides is `in_force`.
const fn status(status: ModelStatus) -> &'static str {
    match status {
        ModelStatus::InForce => "production",
        ModelStatus::Shadow => "shadow",
        ModelStatus::Candidate => "candidate",
        ModelStatus::Retired => "retired",
    }
}

async fn of(which: &Which, context: &CliContext<'_>) -> Result<Box<RawValue>> {
    let path = Path::new("/api/v1/models").join(MODEL);
    let path = which.version.map_or_else(|| path.clone(), |version| path.clone().join(&version.to_string()));
    context.client.get(&path.maybe("as_of", context.as_of(&which.as_of))).await
}

async fn show(which: &Which, context: &mut CliContext<'_>) -> Result<()> {
    let document = of(which, context).await?;
    if context.json {
        return context.print_json(&document);
    }
    let version: ModelVersion = typed("a version", &document)?;
    let mut lines = vec![format!("{} {} · {}", version.name, version.version, status(version.status))];
    lines.extend(version.why.iter().map(|why| format!("  why       {why}")));
    if let Some(lineage) = &version.lineage {
        lines.push(format!(
            "  trained   on {} labels, positions {} to {}, seed {}, from version {}",
            lineage.labels, lineage.from, lineage.to, lineage.seed, lineage.parent
        ));
    }
    lines.extend(version.hash.iter().map(|hash| format!("  hash      {hash}")));
    for (service, of) in &version.metrics {
        lines.push(format!(
            "  {:<9} {} holdout pairs, {}.{} % accurate, {} wrongly grouped, {} missed",
            service,
            of.pairs,
            of.accuracy / 10,
            of.accuracy % 10,
            of.wrongly_same,
            of.missed
        ));
    }
    for judged in &version.judged {
        lines.push(format!(
            "  compared  {} against {}: {}",
            word(&judged.verdict),
            judged.against,
            judged.reasons.join("; ")
        ));
    }
    if let Some(shadow) = &version.shadow {
        lines.push(format!(
            "  shadow    {} alerts grouped up to {}: {} pairs it would group, {} it would separate",
            shadow.placed, shadow.through, shadow.would_join, shadow.would_part
        ));
        lines.extend(shadow.differs.iter().take(10).map(|one| format!("            {} {}", one.incident, one.text)));
    }
    for line in lines {
        context.terminal.line(&line)?;
    }
    Ok(())
}

async fn moved(path: Path, body: Value, seen: &SeenArgs, context: &mut CliContext<'_>) -> Result<()> {
    match submit::<ModelVersion>(Method::POST, path, Some(body), seen, context).await? {
        OrderOutcome::Told => Ok(()),
        OrderOutcome::Done(version) => {
            let status = status(version.status);
            Ok(context.terminal.line(&format!("{} {} is {status} now", version.name, version.version))?)
        }
    }
}

async fn compared(path: Path, args: BacktestArgs, context: &mut CliContext<'_>) -> Result<()> {
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

fn candidate(text: Option<&str>) -> Result<(Option<u32>, Option<Weights>)> {
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
    for reason in &of.reasons {
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
async fn long(
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
