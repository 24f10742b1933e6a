//! `catalog`: the service catalogue, checked here or put in force there. Owns reading the file; what is right is
//! the domain's.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hindcast_domain::catalog::Catalog;
use reqwest::Method;

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::table::{Table, right, text};
use hindcast_domain::text::count;

/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What to do with the catalogue.
#[derive(Subcommand, Debug)]
pub enum CatalogCommand {
    /// Check a catalogue file, YAML or JSON, without a server.
    Check(CatalogFile),
    /// Show the current catalogue.
    Show(CatalogShow),
    /// Replace the catalogue with a file.
    Put(CatalogFile),
}

/// Arguments of `hindcast catalog check` and `hindcast catalog put`.
#[derive(Args, Debug)]
pub struct CatalogFile {
    /// The catalogue, as YAML or JSON; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of `hindcast catalog show`.
#[derive(Args, Debug)]
pub struct CatalogShow {
    /// A point in the past to look at instead of the present.
    #[command(flatten)]
    pub as_of: AsOfArgs,
}

impl CatalogCommand {
    pub(crate) const fn is_local(&self) -> bool {
        matches!(self, Self::Check(_))
    }
}

/// Does it.
///
/// # Errors
/// When the file is wrong, or the server refuses.
pub async fn run(command: CatalogCommand, context: &mut CliContext<'_>) -> Result<()> {
    match command {
        CatalogCommand::Check(file) => {
            let catalog = read(&file)?;
            tell("valid", &catalog, context)
        }
        CatalogCommand::Show(args) => show(args, context).await,
        CatalogCommand::Put(file) => {
            let body = serde_json::to_value(read(&file)?);
            let body = body
                .map_err(|error| Error::failed(error.to_string(), "This is a defect of Hindcast: please report it."))?;
            let path = Path::new("/api/v1/catalog");
            match submit::<Catalog>(Method::PUT, path, Some(body), &SeenArgs::default(), context).await? {
                OrderOutcome::Told => Ok(()),
                OrderOutcome::Done(catalog) => tell("replaced", &catalog, context),
            }
        }
    }
}

fn tell(said: &str, catalog: &Catalog, context: &mut CliContext<'_>) -> Result<()> {
    if context.json {
        return context.print_json(catalog);
    }
    let services = u64::try_from(catalog.services.len()).unwrap_or(u64::MAX);
    let calls: usize = catalog.services.iter().map(|service| service.depends_on.len()).sum();
    let calls = count(u64::try_from(calls).unwrap_or(u64::MAX), "call");
    Ok(context.terminal.line(&format!("{said}: {}, {calls} between them", count(services, "service")))?)
}

fn read(file: &CatalogFile) -> Result<Catalog> {
    use std::io::Read as _;
    let name = file.file.display();
    let unreadable =
        |error| Error::failed(format!("expected to read {name}: {error}"), "Name a file that can be read.");
    let mut bytes = Vec::new();
    let reading = if file.file.as_os_str() == "-" {
        std::io::stdin().lock().take(FILE_BYTES_MAX).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(&file.file).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
    };
    reading.map_err(unreadable)?;
    // JSON is YAML.
    let catalog: Catalog = hindcast_domain::yaml::read_bytes(&bytes).map_err(|error| {
        Error::failed(
            format!("expected a catalogue in {name}: {error}"),
            "Write `services: [{name, aliases?, owner?, tier?, depends_on: [name]}]`, as YAML or JSON.",
        )
    })?;
    catalog.check().map_err(|error| Error::failed(format!("{name}: {error}"), "Correct the field that is named."))?;
    Ok(catalog)
}

async fn show(args: CatalogShow, context: &mut CliContext<'_>) -> Result<()> {
    let path = Path::new("/api/v1/catalog").maybe("as_of", context.as_of(&args.as_of));
    let document = context.client.get(&path).await?;
    if context.json {
        return context.print_json(&document);
    }
    let catalog: Catalog = typed("a catalogue", &document)?;
    if catalog.services.is_empty() {
        context.terminal.say("no catalogue yet; `hindcast catalog put FILE` sets one");
        return Ok(());
    }
    let mut table = Table::new(&[text("SERVICE"), right("TIER"), text("OWNER"), text("DEPENDS ON"), text("ALIASES")]);
    for service in &catalog.services {
        table.row([
            service.name.as_str().into(),
            service.tier.map_or_else(String::new, |tier| tier.to_string()).into(),
            service.owner.as_deref().unwrap_or_default().into(),
            service.depends_on.join(", ").into(),
            service.aliases.join(", ").into(),
        ]);
    }
    Ok(context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?)
}
