//! The commands that ask a server, as one enum to be flattened into the binary's own. Owns their names and
//! aliases; what each does stands in [`crate::commands`].

use clap::Subcommand;
use hindcast_domain::act::ActName;

use crate::commands::advice::{causes, findings, postmortem, proposals, similar};
use crate::commands::{
    acts, alerts, ask, catalog, doctor, events, incidents, labels, mcp, memory, models, notices, openapi, parked,
    promised, proof, report, runbook, show, silence, source, state, timeline, undo, r#where, why,
};
use crate::context::Context;
use crate::error::Result;

/// Everything that asks a server.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List incidents, newest first.
    Incidents(incidents::IncidentsArgs),
    /// Show an incident: what it is, who is in it and why, and what to do next.
    Show(show::ShowArgs),
    /// Show what happened in an incident, oldest first.
    Timeline(timeline::TimelineArgs),
    /// Show what holds an incident together, and what was kept out.
    Why(why::WhyArgs),
    /// Show what may have been the cause of an incident, with the path from there to the alarm.
    Causes(causes::CausesArgs),
    /// Show incidents of the past that are like one, and what ended them.
    Similar(similar::SimilarArgs),
    /// List runbooks that fit an incident. Nothing runs.
    Proposals(proposals::ProposalsArgs),
    /// Propose a runbook for an incident: it is checked and recorded. Nothing runs.
    Propose(proposals::ProposeArgs),
    /// List what detectors concluded from logs and metrics, newest first.
    Findings(findings::FindingsArgs),
    /// Draft a postmortem that cites events, as Markdown.
    Postmortem(postmortem::PostmortemArgs),
    /// Ask a question, answered from the ledger with evidence.
    Ask(ask::AskArgs),
    /// Talk about an incident: one question a line.
    Chat(ask::AboutArgs),
    /// List runbooks, show one, or check a file of your own.
    #[command(subcommand)]
    Runbook(runbook::RunbookCommand),
    /// Look for what past incidents taught.
    #[command(subcommand)]
    Memory(memory::MemoryCommand),
    /// Serve the server's answers to other copilots over MCP, on standard input and output.
    Mcp,
    /// List alerts, newest first.
    Alerts(alerts::AlertsArgs),
    /// Show an alert's receipt: its whole way from the socket to the page.
    #[command(visible_alias = "receipt")]
    Where(r#where::WhereArgs),
    /// Everything that a person can do to an incident.
    #[command(flatten)]
    Act(acts::ActCommand),
    #[command(about = acts::help(ActName::Silence))]
    #[allow(missing_docs)]
    Silence(silence::SilenceArgs),
    /// List silences and maintenance windows, newest first.
    Silences(silence::SilencesArgs),
    #[command(about = acts::help(ActName::Unsilence))]
    #[allow(missing_docs)]
    Unsilence(silence::UnsilenceArgs),
    #[command(about = acts::help(ActName::Undo))]
    #[allow(missing_docs)]
    Undo(undo::UndoArgs),
    /// Print the ledger, oldest first, one event a line as JSON.
    Events(events::EventsArgs),
    /// List what was sent, held or suppressed, and why; newest first.
    Notices(notices::NoticesArgs),
    /// List, retry or discard what was accepted and could not be handled.
    #[command(subcommand)]
    Parked(parked::ParkedCommand),
    /// List labels from people's work, judge, take one back, export.
    Labels(labels::LabelsArgs),
    /// List versions of models, learn one, judge it against the past, promote it, roll it back.
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Decide real history again with a candidate, in isolation, and compare.
    Backtest(models::BacktestArgs),
    /// Show figures over a stretch of time: noise removed and what it cost, times, labels, spend; per service.
    Report(report::ReportArgs),
    /// Show counts, versions and the state hash.
    State(state::StateArgs),
    /// Fold the ledger afresh beside the live state and compare; ends with 1 on any difference.
    Replay(proof::ReplayArgs),
    /// Walk the chains of the ledger; ends with 1 on any damage.
    Verify,
    /// Check, show or replace the service catalogue.
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Check that all is well, and say what to do where it is not; ends with 1 then.
    Doctor,
    /// Print the description of the API.
    Openapi,
    /// Connect a sender of alerts, test its door, or list what has sent something.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// What is promised and not built yet.
    #[command(flatten)]
    Promised(promised::Promised),
}

impl Command {
    /// Whether it can be done without asking a server.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        match self {
            Self::Promised(_) => true,
            Self::Catalog(command) => command.is_local(),
            Self::Memory(command) => command.is_local(),
            Self::Runbook(command) => command.is_local(),
            _ => false,
        }
    }

    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<()> {
        match self {
            Self::Incidents(args) => incidents::run(args, context).await,
            Self::Show(args) => show::run(args, context).await,
            Self::Timeline(args) => timeline::run(args, context).await,
            Self::Why(args) => why::run(args, context).await,
            Self::Causes(args) => causes::run(args, context).await,
            Self::Similar(args) => similar::run(args, context).await,
            Self::Proposals(args) => proposals::list(args, context).await,
            Self::Propose(args) => proposals::propose(args, context).await,
            Self::Findings(args) => findings::run(args, context).await,
            Self::Postmortem(args) => postmortem::run(args, context).await,
            Self::Ask(args) => ask::run(args, context).await,
            Self::Chat(about) => ask::chat(about, context).await,
            Self::Runbook(command) => runbook::run(command, context).await,
            Self::Memory(command) => memory::run(command, context).await,
            Self::Mcp => mcp::run(context).await,
            Self::Alerts(args) => alerts::run(args, context).await,
            Self::Where(args) => r#where::run(args, context).await,
            Self::Act(act) => act.run(context).await,
            Self::Silence(args) => silence::create(args, context).await,
            Self::Silences(args) => silence::list(args, context).await,
            Self::Unsilence(args) => silence::end(args, context).await,
            Self::Undo(args) => undo::run(args, context).await,
            Self::Events(args) => events::run(args, context).await,
            Self::Notices(args) => notices::run(args, context).await,
            Self::Parked(command) => parked::run(command, context).await,
            Self::Labels(args) => labels::run(args, context).await,
            Self::Models(command) => models::run(command, context).await,
            Self::Backtest(args) => models::backtest(args, context).await,
            Self::Report(args) => report::run(args, context).await,
            Self::State(args) => state::run(args, context).await,
            Self::Replay(args) => proof::replay(args, context).await,
            Self::Verify => proof::verify(context).await,
            Self::Catalog(command) => catalog::run(command, context).await,
            Self::Doctor => doctor::run(context).await,
            Self::Openapi => openapi::run(context).await,
            Self::Source(command) => source::run(command, context).await,
            Self::Promised(command) => Err(command.refusal()),
        }
    }
}
