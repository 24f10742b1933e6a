//! `models` and `backtest`: versions of the models that decide, what the past says of them, and which is in force.

mod compare;

use std::time::Duration;

use clap::{Args, Subcommand};
use hindcast_api::{ModelStatus, ModelVersion, TrainRequest};
use reqwest::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext, ListArgs, items};
use crate::error::Result;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::word;
use hindcast_domain::model::PAIR_SCORER;

pub use compare::backtest;
use compare::{compared, long};

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
    let model = || Path::new("/api/v1/models").join(PAIR_SCORER);
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
            context.terminal.line(&format!("trained version {} of {PAIR_SCORER}, a candidate", version.version))?;
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
    let path = Path::new("/api/v1/models").join(PAIR_SCORER);
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
