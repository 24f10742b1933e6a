//! `source`: connects a sender, tests its door with an alert that wakes nobody, and lists what has sent
//! something. Owns the test from the request to the receipt; the senders stand in [`super::senders`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use hindcast_api::{Accepted, Alert};
use hindcast_domain::{Span, Time, id};
use reqwest::Method;
use serde_json::json;
use serde_json::value::RawValue;

use super::senders::{self, Probe, SENDERS, Sender, SenderEndpoint};
use super::r#where;
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::ink::Ink;
use crate::text::table::{Table, inked, left, right, text};

/// How often a receipt is asked for, and how long is waited before.
const PATIENCE: (u32, Duration) = (40, Duration::from_millis(250));
/// How long a test alert fires where its form can say so.
const PROBE: Span = Span::minutes(5);

/// What to do with sources.
#[derive(Subcommand, Debug)]
pub enum SourceCommand {
    /// Print the configuration to paste into a sender, send a test alert to its intake endpoint, and show the receipt.
    Add(SourceAdd),
    /// Send a test alert to an intake endpoint and show its receipt.
    Test(SourceTest),
    /// List the intake endpoints, with what each received lately.
    List,
    /// Show what a payload file would become: entity, service, severity and what nothing reads; stores nothing.
    Explain(SourceExplain),
}

/// The file, and the source that would receive it.
#[derive(Args, Debug)]
pub struct SourceExplain {
    /// The body that a sender sends, as a file of JSON, plain or gzipped.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A configured source, or a format's name [default: the format that the payload looks like].
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
}

/// The source and its format, in `hindcast source test` and `hindcast source add`.
#[derive(Args, Debug)]
pub struct SourceTest {
    /// A format's name, such as alertmanager, or the name of a configured source.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The format of a configured source whose name is not that of a format.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
}

/// Which source, and how far.
#[derive(Args, Debug)]
pub struct SourceAdd {
    /// Which source.
    #[command(flatten)]
    pub which: SourceTest,
    /// Print the configuration, and send no test alert.
    #[arg(long)]
    pub no_test: bool,
}

/// Does it.
///
/// # Errors
/// When there is no such sender, or its door refuses.
pub async fn run(command: SourceCommand, context: &mut CliContext<'_>) -> Result<()> {
    match command {
        SourceCommand::Add(args) => add(args, context).await,
        SourceCommand::Test(which) => {
            let sender = sender(&which)?;
            let receipt = test(&which.name, sender, context).await?;
            show(&receipt, context).await
        }
        SourceCommand::List => list(context).await,
        SourceCommand::Explain(args) => Err(Error::failed(
            format!("expected the binary to read {}", args.file.display()),
            "Run `hindcast source explain`, which asks no server.",
        )),
    }
}

fn sender(which: &SourceTest) -> Result<&'static Sender> {
    let format = which.format.as_deref().unwrap_or(&which.name);
    senders::of(format).ok_or_else(|| {
        let known = senders::names();
        Error::Usage(format!(
            "expected one of the formats {known}, got {format:?}; --format names that of {}",
            which.name
        ))
    })
}

async fn add(args: SourceAdd, context: &mut CliContext<'_>) -> Result<()> {
    let (name, sender) = (args.which.name.trim(), sender(&args.which)?);
    let base = context.client.base().to_owned();
    let lines = sender.lines(SenderEndpoint { base: &base, name });
    // The test comes first, so that nobody pastes what leads to a door that is not built.
    let tested = match (args.no_test, sender.probe) {
        (true, _) => Ok(None),
        (false, None) => knock(name, sender, context).await.map(|()| None),
        (false, Some(_)) => test(name, sender, context).await.map(Some),
    };
    if let Err(error) = &tested
        && error.is_absent()
    {
        return tested.map(drop);
    }
    if context.json {
        let receipt = match tested? {
            Some(path) => Some(context.client.get(&path).await?),
            None => None,
        };
        let address = format!("{base}{}", sender.path(name));
        return context.print_json(&json!({"source": name, "address": address, "paste": lines, "receipt": receipt}));
    }
    context.terminal.say(&format!("paste these {} lines into {}:", lines.len(), sender.into));
    context.terminal.write(&format!("{}\n", lines.join("\n")))?;
    context.terminal.flush()?;
    if context.client.has_token() {
        context.terminal.say("the sender also has to send `Authorization: Bearer` with the server's token");
    }
    match tested? {
        Some(path) => {
            context.terminal.write("\n")?;
            show(&path, context).await
        }
        None if args.no_test => Ok(()),
        None => {
            context.terminal.say(&untestable(sender));
            Ok(())
        }
    }
}

/// Whether a door that takes no test alert is built: an empty request is refused everywhere and leaves nothing.
async fn knock(name: &str, sender: &Sender, context: &CliContext<'_>) -> Result<()> {
    let request = context.client.request(Method::POST, &Path::new(&sender.path(name)));
    match context.client.send(request).await {
        Err(Error::Refused(problem)) if !matches!(problem.status, 401 | 403 | 404 | 405 | 501) => Ok(()),
        other => other.map(drop),
    }
}

fn untestable(sender: &Sender) -> String {
    match sender.format {
        "cloudwatch-sns" => "no test from here: AWS signs what it sends; raise a test alarm there".to_owned(),
        _ => "no test from here: it sends changes, which have no receipt; `hindcast events --kind intake.change`"
            .to_owned(),
    }
}

/// Sends a test alert, waits until it is seen, and answers where its receipt is.
async fn test(name: &str, sender: &Sender, context: &mut CliContext<'_>) -> Result<Path> {
    let Some(make) = sender.probe else {
        return Err(Error::failed(untestable(sender), "Send something from there, then `hindcast source list`."));
    };
    let now = context.now();
    let nonce = id::derive(&[name.as_bytes(), &now.nanos().to_be_bytes(), &std::process::id().to_be_bytes()]);
    let alert = format!("HindcastTest-{}", nonce.get(..6).unwrap_or(&nonce));
    let (starts_at, ends_at) = (now.to_string(), (now + PROBE).to_string());
    let probe = Probe { name: &alert, starts_at: &starts_at, ends_at: &ends_at, over: false };
    let path = sender.path(name);
    context.terminal.say(&format!("sending {alert} through POST {path}"));
    let request = context.client.request(Method::POST, &Path::new(&path)).json(&make(probe));
    let answer = context.client.json(context.client.send(request).await?).await?;
    let receipt = Path::new("/api/v1/alerts").join(&named(&answer)?.unwrap_or_else(|| alert.clone())).join("receipt");
    let (times, rest) = PATIENCE;
    for _ in 0..times {
        match context.client.get(&receipt).await {
            Ok(_) => {
                if sender.ends() {
                    // It ends at its own time too; a test that was seen is over at once.
                    let now = context.now().to_string();
                    let over = make(Probe { ends_at: &now, over: true, ..probe });
                    context.client.send(context.client.request(Method::POST, &Path::new(&path)).json(&over)).await?;
                }
                return Ok(receipt);
            }
            Err(error) if error.is_absent() => tokio::time::sleep(rest).await,
            Err(error) => return Err(error),
        }
    }
    Err(Error::failed(
        format!("expected the receipt of {alert} after it was accepted, it is not there yet"),
        "`hindcast doctor` shows whether everything is processed; `hindcast parked list` shows dead letters.",
    ))
}

/// The fingerprint that a door of ours names; other protocols name none.
fn named(answer: &RawValue) -> Result<Option<String>> {
    let Ok(accepted) = serde_json::from_str::<Accepted>(answer.get()) else {
        return Ok(None);
    };
    if let Some(rejected) = accepted.rejected.first().filter(|_| accepted.accepted == 0) {
        return Err(Error::failed(rejected.detail.clone(), rejected.remedy.clone()));
    }
    let fingerprint = |url: &String| url.trim_end_matches('/').rsplit('/').nth(1).map(str::to_owned);
    Ok(accepted.receipts.first().and_then(fingerprint))
}

async fn show(receipt: &Path, context: &mut CliContext<'_>) -> Result<()> {
    r#where::show(receipt, &AsOfArgs::default(), context).await
}

/// What came from one source, among the newest alerts.
#[derive(Default)]
struct SourceSeen {
    alerts: u64,
    last: Option<Time>,
}

async fn list(context: &mut CliContext<'_>) -> Result<()> {
    let page = context.page(&Path::new("/api/v1/alerts"), None, hindcast_api::LIMIT_MAX).await?;
    let mut heard: BTreeMap<String, SourceSeen> =
        SENDERS.iter().map(|sender| (sender.format.to_owned(), SourceSeen::default())).collect();
    for item in &page.items {
        let alert: Alert = typed("an alert", item)?;
        let source = heard.entry(alert.source).or_default();
        source.alerts += 1;
        source.last = source.last.max(Some(alert.last_seen_at));
    }
    let path = |name: &str| senders::of(name).map_or_else(|| format!("/ingest/{name}"), |sender| sender.path(name));
    if context.json {
        let item = |(name, it): (&String, &SourceSeen)| json!({"source": name, "path": path(name), "alerts": it.alerts, "last_seen_at": it.last});
        let items: Vec<_> = heard.iter().map(item).collect();
        return context.print_json(&json!({"items": items, "next": null, "position": page.position}));
    }
    let times = context.times(&AsOfArgs::default());
    let mut table = Table::new(&[text("SOURCE"), left("DOOR"), right("ALERTS"), left("LAST SEEN")]);
    for (name, it) in &heard {
        let last = it.last.map_or_else(|| "never".to_owned(), |last| times.both(last));
        table.row([
            inked(name, Ink::Strong),
            format!("POST {}", path(name)).into(),
            it.alerts.to_string().into(),
            last.into(),
        ]);
    }
    context.terminal.write(&table.render(context.terminal.width(), context.terminal.colour()))?;
    if page.next.is_some() {
        context.terminal.say(&format!("counted among the newest {} alerts", page.items.len()));
    }
    Ok(())
}
