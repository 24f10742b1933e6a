//! `labels`: what people do and leave undone, as history that models learn from; judging, taking back, export.

use clap::{Args, Subcommand};
use hindcast_api::{Event, JudgeRequest, Label, LabelCoverage};
use hindcast_domain::label::About;
use reqwest::{Method, header};
use serde_json::{Value, json};

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext, ListArgs, items};
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};
use crate::text::word;

/// What is done with labels; without a word they are listed.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct LabelsArgs {
    /// Something else than listing.
    #[command(subcommand)]
    pub then: Option<LabelsCommand>,
    /// Which labels.
    #[command(flatten)]
    pub list: ListLabels,
}

/// Arguments of `hindcast labels list`.
#[derive(Args, Debug)]
pub struct ListLabels {
    /// Only labels of this kind: grouping, cause, attention, severity, resolution, proposal, recall, notice, answer.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only labels that this rule gave, such as merged.
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Only explicit feedback (explicit), or only inferred labels (implicit).
    #[arg(long, value_name = "WORD", value_parser = ["explicit", "implicit"])]
    pub provenance: Option<String>,
    /// Only labels given in this incident.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub incident: Option<String>,
    /// Only labels by this person.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Only labels that another person disputes.
    #[arg(long)]
    pub disputed: bool,
    /// List retracted labels too.
    #[arg(long)]
    pub retracted: bool,
    /// Export all labels to standard output, as NDJSON or CSV.
    #[arg(long, value_name = "FORM", value_parser = ["ndjson", "csv"])]
    pub export: Option<String>,
    /// How much of the list.
    #[command(flatten)]
    pub list: ListArgs,
}

/// What is done with labels.
#[derive(Subcommand, Debug)]
pub enum LabelsCommand {
    /// Show how many closed incidents have a cause, and where people disagree.
    Coverage(AsOfArgs),
    /// Label two alerts as one problem or two, or label the cause or the usefulness of an incident.
    Add(AddArgs),
    /// Retract a label: it is kept and no longer counts.
    Retract(RetractArgs),
}

/// A judgement.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// Two alerts: their fingerprints, or unique prefixes.
    #[arg(long, num_args = 2, value_names = ["ALERT", "ALERT"], conflicts_with = "incident", value_parser = id)]
    pub pair: Option<Vec<String>>,
    /// An incident: its id or a unique prefix.
    #[arg(long, value_name = "ID", value_parser = id)]
    pub incident: Option<String>,
    /// `same` or `different` of a pair; `cause`, `useful` or `noise` of an incident.
    #[arg(value_name = "VERDICT")]
    pub verdict: String,
    /// More words; for `cause` the cause.
    #[arg(value_name = "WORDS", num_args = 0..)]
    pub words: Vec<String>,
}

/// Which label.
#[derive(Args, Debug)]
pub struct RetractArgs {
    /// The label, or its `label.given` event.
    #[arg(value_name = "LABEL", value_parser = id)]
    pub label: String,
    /// What you had seen.
    #[command(flatten)]
    pub seen: SeenArgs,
}

/// Does it.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn run(args: LabelsArgs, context: &mut CliContext<'_>) -> Result<()> {
    match args.then {
        None => list(args.list, context).await,
        Some(LabelsCommand::Coverage(as_of)) => coverage(&as_of, context).await,
        Some(LabelsCommand::Add(args)) => add(args, context).await,
        Some(LabelsCommand::Retract(args)) => retract(args, context).await,
    }
}

async fn list(args: ListLabels, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/labels")
        .maybe("kind", args.kind.as_deref())
        .maybe("rule", args.rule.as_deref())
        .maybe("provenance", args.provenance.as_deref())
        .maybe("incident", args.incident.as_deref())
        .maybe("by", args.by.as_deref())
        .maybe("disputed", args.disputed.then_some(true))
        .maybe("retracted", (!args.retracted).then_some(false));
    if let Some(form) = &args.export {
        let path = path.query("format", form).maybe("as_of", context.as_of(&args.list.as_of));
        let request = context.client.request(Method::GET, &path).header(header::ACCEPT, "*/*");
        let response = context.client.send_and_wait(request).await?;
        let broke = |source| Error::Unreachable {
            url: context.client.base().to_owned(),
            detail: "the connection closed before the end".to_owned(),
            source,
        };
        let text = response.text().await.map_err(broke)?;
        return Ok(context.terminal.write(&text)?);
    }
    let listed = context.list(path, &args.list).await?;
    if context.json {
        return context.print_json(&listed);
    }
    let labels: Vec<Label> = items(&listed)?;
    if labels.is_empty() {
        context.terminal.say("no labels");
        return Ok(());
    }
    let times = context.times(&args.list.as_of);
    let ids = context.ids(labels.iter().filter_map(|label| label.incident.as_deref()));
    let own = context.ids(labels.iter().map(|label| label.id.as_str()));
    let mut table = Table::new(&[
        left("TIME"),
        left("LABEL"),
        left("KIND"),
        text("VALUE"),
        right("WEIGHT"),
        left("BY"),
        left("RULE"),
        left("LEARNS"),
        left("INCIDENT"),
        text("NOTE"),
    ]);
    for label in &labels {
        let ink = if label.retracted.is_some() { Ink::Faint } else { Ink::Plain };
        let note = match &label.retracted {
            Some(why) => format!("retracted: {why}"),
            None if label.disputed => "disputed".to_owned(),
            None => String::new(),
        };
        table.row([
            times.short(label.at).into(),
            own.short(&label.id).into(),
            word(&label.kind).into(),
            inked(label.value.as_str(), ink),
            format!("{}.{:03}", label.weight / 1_000, label.weight % 1_000).into(),
            label.by.as_str().into(),
            label.rule.as_str().into(),
            label.learns.as_str().into(),
            label.incident.as_deref().map_or("", |id| ids.short(id)).into(),
            note.into(),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    context.say_if_more(&listed);
    Ok(())
}

async fn coverage(as_of: &AsOfArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/labels/coverage").maybe("as_of", context.as_of(as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let coverage: LabelCoverage = typed("the coverage", &document)?;
    let share =
        |part: u32, of: u32| (part * 100).checked_div(of).map_or_else(|| "–".to_owned(), |share| format!("{share} %"));
    context.terminal.line(&format!(
        "{} labels ({} explicit, {} inferred), {} retracted",
        coverage.labels,
        coverage.explicit,
        coverage.labels - coverage.explicit.min(coverage.labels),
        coverage.retracted
    ))?;
    context.terminal.line(&format!(
        "{} of {} closed incidents have a cause ({})",
        coverage.with_cause,
        coverage.closed,
        share(coverage.with_cause, coverage.closed)
    ))?;
    if !coverage.services.is_empty() {
        let mut table = Table::new(&[left("SERVICE"), right("CLOSED"), right("WITH CAUSE"), right("SHARE")]);
        for (service, of) in &coverage.services {
            table.row([
                service.as_str().into(),
                of.closed.to_string().into(),
                of.with_cause.to_string().into(),
                share(of.with_cause, of.closed).into(),
            ]);
        }
        context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    }
    for one in &coverage.disagreements {
        let said: Vec<String> = one.said.iter().map(|said| format!("{} says {}", said.by, said.value)).collect();
        context.terminal.line(&format!("disagreement about {}: {}", word(&one.kind), said.join(", ")))?;
    }
    if let Some(first) = coverage.missing.first() {
        let first = context.ids([]).short(first).to_owned();
        let hint = format!(
            "{} without a cause; name one: hindcast labels add --incident {first} cause …",
            coverage.missing.len()
        );
        context.terminal.say(&hint);
    }
    Ok(())
}

async fn add(args: AddArgs, context: &mut CliContext<'_>) -> Result<()> {
    let text = Some(args.words.join(" ")).filter(|text| !text.trim().is_empty());
    let about = match (&args.pair, &args.incident) {
        (Some(pair), _) => about_pair(pair, context).await?,
        (None, Some(named)) => {
            let path = Path::new("/api/v1/incidents").join(named.trim());
            let found: Value = typed("an incident", &context.client.get(&path).await?)?;
            let incident = found["id"].as_str().unwrap_or_default().parse();
            let bad = |_| Error::failed("expected an incident with an id", "Use the server's own version.");
            About::Incident { incident: incident.map_err(bad)? }
        }
        (None, None) => return Err(Error::Usage("expected --pair ALERT ALERT or --incident ID".to_owned())),
    };
    let body = JudgeRequest { about, verdict: args.verdict.as_str().into(), text, incident: None };
    let request = context.client.request(Method::POST, &Path::new("/api/v1/labels")).json(&body);
    let response = context.client.send_and_wait(request).await?;
    let document = context.client.json(response).await?;
    if context.json {
        return context.print_json(&document);
    }
    let answer: Value = typed("what was recorded", &document)?;
    Ok(context.terminal.line(&format!(
        "recorded as {} at position {}",
        answer["event"].as_str().unwrap_or("?"),
        answer["position"]
    ))?)
}

/// A pair, with the firing by which the younger one looked for its place.
async fn about_pair(pair: &[String], context: &CliContext<'_>) -> Result<About> {
    let mut found = Vec::new();
    for named in pair {
        let path = Path::new("/api/v1/alerts").join(named.trim());
        let alert: Value = typed("an alert", &context.client.get(&path).await?)?;
        let fingerprint = alert["fingerprint"].as_str().unwrap_or_default().to_owned();
        let path = Path::new("/api/v1/events").query("kind", "alert.fired").query("subject", &fingerprint);
        let fired: Vec<Event> = context.list_all(path, &AsOfArgs::default()).await?;
        let newest = fired.into_iter().max_by_key(|event| event.position);
        let newest = newest.ok_or_else(|| Error::NothingFound(format!("{fingerprint} never fired")))?;
        found.push((newest.position, fingerprint, newest.id, alert["incident"].as_str().map(str::to_owned)));
    }
    found.sort();
    let [older, younger] = found.as_slice() else {
        return Err(Error::Usage("expected two alerts".to_owned()));
    };
    let incident = younger.3.as_ref().or(older.3.as_ref());
    let strange = || Error::failed("expected alerts with ids and an incident", "Use the server's own version.");
    Ok(About::Pair {
        younger: younger.1.parse().map_err(|_| strange())?,
        fired: younger.2.parse().map_err(|_| strange())?,
        older: older.1.parse().map_err(|_| strange())?,
        incident: incident.and_then(|id| id.parse().ok()).ok_or_else(strange)?,
    })
}

async fn retract(args: RetractArgs, context: &mut CliContext<'_>) -> Result<()> {
    let named = args.label.trim().to_ascii_uppercase();
    let event = if named.starts_with("EVT-") {
        named
    } else {
        let wanted = if named.starts_with("LBL-") { named } else { format!("LBL-{named}") };
        let labels: Vec<Label> = context.list_all(Path::new("/api/v1/labels"), &AsOfArgs::default()).await?;
        let mut found = labels.into_iter().filter(|label| label.id.starts_with(&wanted));
        let first = found.next().ok_or_else(|| Error::NothingFound(format!("there is no label {wanted}")))?;
        if found.next().is_some() {
            return Err(Error::Usage(format!("several labels begin with {wanted}; use more digits")));
        }
        first.event
    };
    let path = Path::new("/api/v1/undo");
    match submit::<Value>(Method::POST, path, Some(json!({"event": event})), &args.seen, context).await? {
        OrderOutcome::Told => Ok(()),
        OrderOutcome::Done(_) => Ok(context.terminal.line("retracted; it is kept, and counts no more")?),
    }
}
