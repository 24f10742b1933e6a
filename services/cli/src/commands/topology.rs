//! `topology`: which service depends on which and who answers for one, with the evidence; a proposal is confirmed or
//! denied here.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hindcast_api::TopologyLink;
use hindcast_domain::links::LinkKind;
use hindcast_domain::text::count;
use reqwest::{Method, header};
use serde_json::Value;

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::clean;
use crate::text::table::{Table, left, right, text};

/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What to do with links between services.
#[derive(Subcommand, Debug)]
pub enum TopologyCommand {
    /// List known and proposed links, each with its evidence and confidence.
    List(TopologyList),
    /// Confirm a proposed link.
    Confirm(JudgedLink),
    /// Deny a proposed link.
    Deny(JudgedLink),
    /// Propose the dependencies and owners of a catalog-info.yaml of Backstage.
    Import(BackstageImport),
}

/// As of when links are listed.
#[derive(Args, Debug)]
pub struct TopologyList {
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Arguments of `hindcast topology confirm` and `deny`.
#[derive(Args, Debug)]
pub struct JudgedLink {
    /// The link: its id or a unique prefix.
    #[arg(value_name = "LINK", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub link: String,
}

/// The file that is imported.
#[derive(Args, Debug)]
pub struct BackstageImport {
    /// A catalog-info.yaml, which may have several documents; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Does it.
///
/// # Errors
/// When the file cannot be read, or the server refuses.
pub async fn run(command: TopologyCommand, context: &mut CliContext<'_>) -> Result<()> {
    match command {
        TopologyCommand::List(args) => list(&args, context).await,
        TopologyCommand::Confirm(args) => judge(&args.link, "confirm", context).await,
        TopologyCommand::Deny(args) => judge(&args.link, "deny", context).await,
        TopologyCommand::Import(args) => import(&args, context).await,
    }
}

async fn list(args: &TopologyList, context: &mut CliContext<'_>) -> Result<()> {
    let links: Vec<TopologyLink> = context.list_all(Path::new("/api/v1/topology"), &args.as_of).await?;
    if context.json {
        for link in &links {
            context.print_json(link)?;
        }
        return Ok(());
    }
    if links.is_empty() {
        context
            .terminal
            .say("no link is known or proposed yet; `hindcast topology import FILE` proposes those of Backstage");
        return Ok(());
    }
    let columns = [left("LINK"), left("STATUS"), right("CONFIDENCE"), text("SAYS"), text("EVIDENCE")];
    let mut table = Table::new(&columns);
    for link in &links {
        let evidence = link.evidence.iter().map(|it| format!("{} ×{}", clean(it.source.as_str()), it.count));
        table.row([
            link.id.to_string().into(),
            link.status.as_str().into(),
            format!("{:.2}", link.confidence).into(),
            says(link).into(),
            evidence.collect::<Vec<_>>().join(", ").into(),
        ]);
    }
    Ok(context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?)
}

fn says(link: &TopologyLink) -> String {
    let says = match link.kind {
        LinkKind::DependsOn => "depends on",
        LinkKind::OwnedBy => "is owned by",
    };
    format!("{} {says} {}", clean(&link.from), clean(&link.to))
}

async fn judge(link: &str, verb: &str, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/topology").join(link).join(verb);
    match submit::<TopologyLink>(Method::POST, path, None, &SeenArgs::default(), context).await? {
        OrderOutcome::Told => Ok(()),
        OrderOutcome::Done(link) => Ok(context.terminal.line(&format!("{}: {}", link.status, says(&link)))?),
    }
}

async fn import(args: &BackstageImport, context: &mut CliContext<'_>) -> Result<()> {
    let text = read(args)?;
    let path = Path::new("/api/v1/topology/import");
    let request = context.client.request(Method::POST, &path);
    let response = context.client.send(request.header(header::CONTENT_TYPE, "application/yaml").body(text)).await?;
    let document: Value = typed("what was proposed", &context.client.json(response).await?)?;
    if context.json {
        return context.print_json(&document);
    }
    let number = |name: &str| document.get(name).and_then(Value::as_u64);
    let (Some(proposed), Some(named)) = (number("proposed"), number("named")) else {
        context.terminal.say("taken and not decided yet; `hindcast topology list` shows what comes of it");
        return Ok(());
    };
    let line =
        format!("proposed {} of {} in the file; `hindcast topology list` shows them", proposed, count(named, "link"));
    Ok(context.terminal.line(&line)?)
}

fn read(args: &BackstageImport) -> Result<String> {
    use std::io::Read as _;
    let name = args.file.display();
    let unreadable =
        |error| Error::failed(format!("expected to read {name}: {error}"), "Name a file of text that can be read.");
    let mut text = String::new();
    let reading = if args.file.as_os_str() == "-" {
        std::io::stdin().lock().take(FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(&args.file).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
    };
    reading.map_err(unreadable)?;
    Ok(text)
}
