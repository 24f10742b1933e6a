//! `declare`: an incident begun by hand.

use clap::Args;
use hindcast_api::Incident;
use hindcast_domain::Severity;
use reqwest::Method;
use serde_json::json;

use super::lifecycle::tell;
use super::order::{Outcome, SeenArgs, submit};
use crate::client::Path;
use crate::context::Context;
use crate::error::Result;
use crate::parse::when::{When, when};

/// What is wrong.
#[derive(Args, Debug)]
pub struct DeclareArgs {
    /// What is wrong, in plain words.
    #[arg(value_name = "TITLE", required = true)]
    pub title: Vec<String>,
    /// How bad it is: critical, high, medium, low or info.
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub severity: Severity,
    /// What it hits; may be given several times, or with commas between.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub service: Vec<String>,
    /// More words.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Where the software runs; production where absent.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// When it began, such as 03:12 or 20m (ago); now where absent.
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub started_at: Option<When>,
}

/// Declares it.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn run(args: DeclareArgs, context: &mut Context<'_>) -> Result<()> {
    let body = json!({
        "title": args.title.join(" "),
        "severity": args.severity,
        "services": args.service,
        "description": args.description,
        "environment": args.environment,
        "started_at": context.past(args.started_at),
    });
    let path = Path::new("/api/v1/incidents");
    match submit::<Incident>(Method::POST, path, Some(body), &SeenArgs::default(), context).await? {
        Outcome::Told => Ok(()),
        Outcome::Done(incident) => tell(&incident, "declared", context),
    }
}
