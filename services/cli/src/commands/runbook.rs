//! `runbook`: the runbooks in force, listed and shown, and a file of one's own, checked here. Owns reading the
//! file; what is right is the reasoning's own. What a person proposes stands in `propose`.

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hindcast_api::{Page, RunbookSummary};
use hindcast_runbooks::{BYTES_MAX, Runbook};

use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::clean;
use crate::text::ink::Ink;
use crate::text::labelled::Labelled;
use crate::text::table::{Table, inked, left, text};

/// What to do with them.
#[derive(Subcommand, Debug)]
pub enum RunbookCommand {
    /// List the runbooks.
    List(RunbookListArgs),
    /// Show one, with its parameters.
    Show(RunbookShowArgs),
    /// Check files, YAML or JSON, without asking a server; exits with 1 if one is wrong.
    Check(CheckArgs),
}

/// Which files.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The files; - is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// Arguments of `hindcast runbook list`.
#[derive(Args, Debug)]
pub struct RunbookListArgs {
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

/// Arguments of `hindcast runbook show`.
#[derive(Args, Debug)]
pub struct RunbookShowArgs {
    /// The runbook, as `hindcast runbook list` prints it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

impl RunbookCommand {
    pub(crate) const fn is_local(&self) -> bool {
        matches!(self, Self::Check(_))
    }
}

/// Does it.
///
/// # Errors
/// When the server refuses, there is no such runbook, or a file is wrong.
pub async fn run(command: RunbookCommand, context: &mut CliContext<'_>) -> Result<()> {
    match command {
        RunbookCommand::List(args) => list(&args, context).await,
        RunbookCommand::Show(args) => show(&args, context).await,
        RunbookCommand::Check(args) => check(&args, context),
    }
}

/// Checks every file and tells of each; names that stand twice are wrong too.
fn check(args: &CheckArgs, context: &mut CliContext<'_>) -> Result<()> {
    let mut good: Vec<RunbookSummary> = Vec::new();
    let mut wrong = false;
    for file in &args.files {
        let shown = clean(&file.display().to_string());
        let read = read(file).and_then(|text| Runbook::parse(&text).map_err(|invalid| invalid.to_string()));
        let said = match read {
            Ok(runbook) if good.iter().any(|other| other.name == runbook.name) => {
                Err(format!("expected each name once, {} is in another file too", runbook.name))
            }
            Ok(runbook) => Ok(runbook.summary()),
            Err(said) => Err(said),
        };
        match said {
            Ok(runbook) => {
                if !context.json {
                    let line =
                        format!("{shown}: valid: {}, risk {}, version {}", runbook.name, runbook.risk, runbook.version);
                    context.terminal.line(&clean(&line))?;
                }
                good.push(runbook);
            }
            Err(said) => {
                wrong = true;
                context.terminal.say(&format!("{shown}: {}", clean(&said)));
            }
        }
    }
    if context.json {
        context.print_json(&good)?;
    }
    if wrong { Err(Error::NotInOrder) } else { Ok(()) }
}

fn read(file: &std::path::Path) -> std::result::Result<String, String> {
    let failed = |error: std::io::Error| format!("expected to read the file: {error}");
    let input: Box<dyn std::io::Read> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(failed)?)
    };
    let mut text = String::new();
    input.take(BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

async fn list(args: &RunbookListArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/runbooks").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let page: Page<RunbookSummary> = typed("runbooks", &document)?;
    let mut table = Table::new(&[left("NAME"), left("RISK"), left("VERSION"), text("WHAT IT DOES")]);
    for runbook in &page.items {
        let risk = runbook.risk.as_str();
        let name = inked(&runbook.name, Ink::Strong);
        table.row([name, risk.into(), runbook.version.as_str().into(), runbook.title.as_str().into()]);
    }
    if page.items.is_empty() {
        context.terminal.say("no runbooks");
        return Ok(());
    }
    Ok(context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?)
}

async fn show(args: &RunbookShowArgs, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/runbooks").maybe("as_of", context.as_of(&args.as_of));
    let page: Page<RunbookSummary> = typed("runbooks", &context.client.get(&path).await?)?;
    let found = page.items.iter().find(|runbook| runbook.name == args.name);
    let runbook = found.ok_or_else(|| Error::NothingFound(format!("there is no runbook {:?}", args.name)))?;
    if context.json {
        return context.print_json(runbook);
    }
    let mut lines = Labelled::default();
    lines.add("risk", runbook.risk.as_str(), &[]).add("version", &runbook.version, &[]);
    for (index, (name, bounds)) in runbook.params.iter().enumerate() {
        lines.add(if index == 0 { "params" } else { "" }, format!("{name}: {bounds}"), &[]);
    }
    let name = Ink::Strong.on(&clean(&runbook.name), context.terminal.colour());
    let head = format!("{name}: {}\n", clean(&runbook.title));
    context.terminal.write(&head)?;
    Ok(context.terminal.write(&lines.render(2, context.terminal.width(), context.terminal.colour()))?)
}
