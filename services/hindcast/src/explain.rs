//! `source explain`: what a payload file would become at an endpoint, without a server and without storing anything.
//! Owns which source is meant; the gateway reads the payload.

use std::path::Path;

use anyhow::{Context, ensure};
use hindcast_cli::commands::source::SourceExplain;
use hindcast_clock::{Clock as _, System};
use hindcast_gateway::SourceConfig;
use hindcast_gateway::explain::{AlertExplanation, PayloadExplanation, explain, format_of, unconfigured};

use crate::lab::input;
use crate::settings::{Flags, Settings};

/// Explains a file: one line of JSON an alert, or a block of text.
///
/// # Errors
/// When the file is no JSON, the source is not known, or the payload is not of its format.
pub fn run(args: &SourceExplain, config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let text = input::text(&args.file)?;
    let payload: serde_json::Value = serde_json::from_str(&text).with_context(|| {
        format!("{}: expected a payload as JSON\nremedy: save the body that the sender sends", args.file.display())
    })?;
    let source = match &args.source {
        Some(name) => configured(name, config)?,
        None => unconfigured(format_of(&payload)),
    };
    let explained = explain(&source, payload, System.now()).with_context(|| format!("as source {:?}", source.name))?;
    for alert in &explained.alerts {
        if json {
            println!("{}", serde_json::to_string(alert)?);
        } else {
            print!("{}", text_of(alert));
        }
    }
    rejected(&explained)?;
    Ok(())
}

/// A configured source of that name, else the format of that name.
fn configured(name: &str, config: Option<&Path>) -> anyhow::Result<SourceConfig> {
    let settings = Settings::resolve(&Flags::of_environment(config)?, None)?;
    let found = settings.sources.into_iter().find(|source| source.name == name);
    let source = found.unwrap_or_else(|| unconfigured(name));
    ensure!(
        hindcast_gateway::format::find(&source.format).is_some(),
        "expected a configured source or a format, got {name:?}\nremedy: name one of `hindcast source list`"
    );
    Ok(source)
}

fn rejected(explained: &PayloadExplanation) -> anyhow::Result<()> {
    for item in &explained.rejected {
        eprintln!("item {} would be rejected: {}\nremedy: {}", item.index, item.detail, item.remedy);
    }
    ensure!(!explained.alerts.is_empty() || explained.rejected.is_empty(), "no item of the payload would be accepted");
    Ok(())
}

fn text_of(alert: &AlertExplanation) -> String {
    let absent = || "none".to_owned();
    let entity = alert.entity.as_ref().map_or_else(absent, ToString::to_string);
    let observer = alert.observed_by.clone().unwrap_or_else(|| "itself".to_owned());
    let rule = alert.rule.as_deref().unwrap_or("none");
    let service = alert.service.clone().unwrap_or_else(absent);
    let unmapped = if alert.unmapped.is_empty() { absent() } else { alert.unmapped.join(" ") };
    let status = match alert.status {
        hindcast_domain::alert::Signal::Firing => "firing",
        hindcast_domain::alert::Signal::Resolved => "resolved",
    };
    format!(
        "{}\n  about        {entity}\n  observed by  {observer}\n  rule         {rule}\n  service      {service}\n  \
         severity     {}\n  status       {status}\n  unmapped     {unmapped}\n",
        alert.name,
        alert.severity.as_str()
    )
}
