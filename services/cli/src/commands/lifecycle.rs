//! What a person does about an incident: take care, end, merge, split, assign, note, and so on. Owns the
//! arguments and what is said afterwards; what each does is the server's.

use clap::{ArgGroup, Args};
use hindcast_api::{Alert, Incident};
use hindcast_domain::{Severity, Span};
use reqwest::Method;
use serde_json::{Value, json};

use super::order::{Outcome, SeenArgs, submit};
use crate::client::Path;
use crate::context::{AsOfArgs, Context};
use crate::error::{Error, Result};
use crate::parse::span::span;
use crate::parse::when::{When, when};
use crate::text::clean;
use crate::text::ink::Ink;

/// Which incident.
#[derive(Args, Debug)]
pub struct OnIncident {
    /// The incident: its id or a unique prefix.
    #[arg(value_name = "ID")]
    pub id: String,
    /// What you had seen.
    #[command(flatten)]
    pub seen: SeenArgs,
}

/// It is over.
#[derive(Args, Debug)]
pub struct ResolveArgs {
    /// Which incident.
    #[command(flatten)]
    pub on: OnIncident,
    /// What it was.
    #[arg(long, value_name = "TEXT")]
    pub cause: Option<String>,
    /// What ended it.
    #[arg(long, value_name = "TEXT")]
    pub resolution: Option<String>,
}

/// It is a part of another one.
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// Which incident ends.
    #[command(flatten)]
    pub on: OnIncident,
    /// The incident that remains.
    #[arg(value_name = "INTO")]
    pub into: String,
}

/// Some alerts are another problem.
#[derive(Args, Debug)]
pub struct SplitArgs {
    /// Which incident.
    #[command(flatten)]
    pub on: OnIncident,
    /// The alerts that leave: fingerprints, unique prefixes, or names (all alerts of that name).
    #[arg(value_name = "FINGERPRINT|NAME", required = true)]
    pub alerts: Vec<String>,
}

/// Somebody else takes care.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("to").required(true))]
pub struct AssignArgs {
    /// Which incident.
    #[command(flatten)]
    pub on: OnIncident,
    /// A person or a team.
    #[arg(value_name = "OWNER", group = "to")]
    pub owner: Option<String>,
    /// Nobody.
    #[arg(long, group = "to")]
    pub nobody: bool,
}

/// Write something down.
#[derive(Args, Debug)]
pub struct NoteArgs {
    /// Which incident.
    #[command(flatten)]
    pub on: OnIncident,
    /// What.
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
}

/// It is better or worse than it looks.
#[derive(Args, Debug)]
pub struct SeverityArgs {
    /// Which incident.
    #[command(flatten)]
    pub on: OnIncident,
    /// critical, high, medium, low or info.
    #[arg(value_name = "SEVERITY")]
    pub severity: Severity,
}

/// Do not page for it for a while.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("end").required(true))]
pub struct SnoozeArgs {
    /// Which incident.
    #[command(flatten)]
    pub on: OnIncident,
    /// For how long, such as 90m or 2h; whole minutes.
    #[arg(long = "for", value_name = "DURATION", value_parser = span, group = "end")]
    pub span: Option<Span>,
    /// Until when, such as 18:00 or 2026-11-20T18:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = when, group = "end")]
    pub until: Option<When>,
}

/// Did it help?
#[derive(Args, Debug)]
pub struct FeedbackArgs {
    /// Which incident.
    #[command(flatten)]
    pub on: OnIncident,
    /// helpful, not_helpful, noise, …
    #[arg(value_name = "VERDICT")]
    pub verdict: String,
    /// More words.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
}

/// One action of the API, with its body and what is said of it.
pub struct Action {
    word: &'static str,
    body: Value,
    said: String,
}

impl Action {
    fn new(word: &'static str, body: Value, said: impl Into<String>) -> Self {
        Self { word, body, said: said.into() }
    }

    /// Take care of it.
    #[must_use]
    pub fn acknowledge() -> Self {
        Self::new("acknowledge", json!({}), "acknowledged")
    }

    /// Stop taking care of it.
    #[must_use]
    pub fn unacknowledge() -> Self {
        Self::new("unacknowledge", json!({}), "nobody takes care of it now")
    }

    /// It is not over.
    #[must_use]
    pub fn reopen() -> Self {
        Self::new("reopen", json!({}), "reopened")
    }

    /// Asks for it.
    ///
    /// # Errors
    /// When it is refused, or nobody answers.
    pub async fn run(self, on: &OnIncident, context: &mut Context<'_>) -> Result<()> {
        let path = Path::new("/api/v1/incidents").join(on.id.trim()).join(self.word);
        match submit::<Incident>(Method::POST, path, Some(self.body), &on.seen, context).await? {
            Outcome::Told => Ok(()),
            Outcome::Done(incident) => tell(&incident, &self.said, context),
        }
    }
}

/// One line about an incident after a command.
pub(super) fn tell(incident: &Incident, said: &str, context: &mut Context<'_>) -> Result<()> {
    let id = Ink::Strong.on(context.ids([]).short(&incident.id), context.terminal.colour());
    let line = format!("{id} {}: {} (revision {})", clean(said), clean(&incident.title), incident.revision);
    Ok(context.terminal.line(&line)?)
}

/// Ends an incident.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn resolve(args: ResolveArgs, context: &mut Context<'_>) -> Result<()> {
    let body = json!({"cause": args.cause, "resolution": args.resolution});
    Action::new("resolve", body, "resolved").run(&args.on, context).await
}

/// Merges one incident into another.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn merge(args: MergeArgs, context: &mut Context<'_>) -> Result<()> {
    let said = format!("remains, {} is a part of it now", args.on.id.trim());
    Action::new("merge", json!({"into": args.into.trim()}), said).run(&args.on, context).await
}

/// Splits alerts off an incident.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn split(args: SplitArgs, context: &mut Context<'_>) -> Result<()> {
    let is_prefix = |text: &String| text.len() >= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let fingerprints = if args.alerts.iter().all(is_prefix) {
        args.alerts
    } else {
        let path = Path::new("/api/v1/incidents").join(args.on.id.trim()).join("alerts");
        let members: Vec<Alert> = context.list_all(path, &AsOfArgs::default()).await?;
        named(&args.alerts, &members)?
    };
    let said = format!("is a new incident, split from {}", args.on.id.trim());
    Action::new("split", json!({"fingerprints": fingerprints}), said).run(&args.on, context).await
}

/// Fingerprints of members by their names; whatever else it is, the server knows best.
fn named(asked: &[String], members: &[Alert]) -> Result<Vec<String>> {
    let mut fingerprints = Vec::with_capacity(asked.len());
    for text in asked {
        let found = members.iter().filter(|alert| alert.name == *text).map(|alert| alert.fingerprint.clone());
        let found: Vec<String> = found.collect();
        let begins = |alert: &Alert| {
            let theirs = alert.source_fingerprint.as_deref().unwrap_or_default();
            alert.fingerprint.starts_with(&text.to_ascii_lowercase()) || theirs.starts_with(text.as_str())
        };
        match found.is_empty() {
            false => fingerprints.extend(found),
            true if members.iter().any(begins) => fingerprints.push(text.clone()),
            true => {
                let detail = format!("expected an alert of the incident, got {text:?}");
                return Err(Error::NothingFound(detail));
            }
        }
    }
    Ok(fingerprints)
}

/// Says who takes care.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn assign(args: AssignArgs, context: &mut Context<'_>) -> Result<()> {
    let said =
        args.owner.as_ref().map_or_else(|| "assigned to nobody".to_owned(), |owner| format!("assigned to {owner}"));
    Action::new("assign", json!({"owner": args.owner}), said).run(&args.on, context).await
}

/// Writes something down.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn note(args: NoteArgs, context: &mut Context<'_>) -> Result<()> {
    Action::new("note", json!({"text": args.text.join(" ")}), "noted").run(&args.on, context).await
}

/// Says how bad it is.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn severity(args: SeverityArgs, context: &mut Context<'_>) -> Result<()> {
    let said = format!("is {} now", args.severity);
    Action::new("severity", json!({"severity": args.severity}), said).run(&args.on, context).await
}

/// Holds its pages back.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn snooze(args: SnoozeArgs, context: &mut Context<'_>) -> Result<()> {
    let now = context.now();
    let body = match (args.span, args.until) {
        // Relative to the server's clock, which may not be ours.
        (Some(span), _) => json!({"minutes": (span.nanos() + 59_999_999_999) / 60_000_000_000}),
        (None, until) => json!({"until": until.map(|until| until.future(now))}),
    };
    Action::new("snooze", body, "snoozed").run(&args.on, context).await
}

/// Says whether it helped.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn feedback(args: FeedbackArgs, context: &mut Context<'_>) -> Result<()> {
    let body = json!({"verdict": args.verdict, "text": args.text});
    Action::new("feedback", body, "feedback taken").run(&args.on, context).await
}
