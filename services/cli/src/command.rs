//! The commands that ask a server, as one enum to be flattened into the binary's own. Owns their names and
//! aliases; what each does stands in [`crate::commands`].

use clap::Subcommand;
use hindcast_domain::act::ActName;

use crate::commands::advice::{causes, findings, postmortem, proposals, similar};
use crate::commands::{
    acts, alerts, ask, audit, catalog, doctor, events, heartbeats, incidents, labels, mcp, memory, models, notices,
    oncall, openapi, parked, promised, proof, receiver, report, runbook, show, silence, source, state, timeline,
    topology, undo, r#where, why,
};
use crate::context::CliContext;
use crate::error::Result;

/// Everything that asks a server.
#[derive(Subcommand, Debug)]
pub enum ClientCommand {
    /// List incidents, newest first.
    Incidents(incidents::IncidentsArgs),
    /// Show an incident: status, likely cause, alerts with the reason for their grouping, and the next commands.
    Show(show::ShowArgs),
    /// Show the timeline of an incident, oldest first.
    Timeline(timeline::TimelineArgs),
    /// Show why the alerts of an incident are grouped, and which alerts were not grouped with it.
    Why(why::WhyArgs),
    /// Show the likely root causes of an incident, with the path from the cause to the first alert.
    Causes(causes::CausesArgs),
    /// Show past incidents that are similar to one, and how they were resolved.
    Similar(similar::SimilarArgs),
    /// List runbooks that match an incident. Hindcast runs nothing.
    Proposals(proposals::ProposalsArgs),
    /// Propose a runbook for an incident. Hindcast checks and records the proposal, and runs nothing.
    Propose(proposals::ProposeArgs),
    /// List anomalies that detectors found in logs and metrics, newest first.
    Findings(findings::FindingsArgs),
    /// Draft a postmortem that cites events, as Markdown.
    Postmortem(postmortem::PostmortemArgs),
    /// Ask a question. The answer cites the recorded events.
    Ask(ask::AskArgs),
    /// Ask several questions about an incident, one per line.
    Chat(ask::AboutArgs),
    /// List runbooks, show one, or check a file of your own.
    #[command(subcommand)]
    Runbook(runbook::RunbookCommand),
    /// Search past incidents.
    #[command(subcommand)]
    Memory(memory::MemoryCommand),
    /// Serve the server's answers to other copilots over MCP, on standard input and output.
    Mcp,
    /// List alerts, newest first.
    Alerts(alerts::AlertsArgs),
    /// Show an alert's receipt: its history from intake to notification.
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
    /// Print the ledger, oldest first, one event per line as JSON.
    Events(events::EventsArgs),
    /// List notifications that were sent, delayed or suppressed, with the reason; newest first.
    Notices(notices::NoticesArgs),
    /// List, retry or discard dead letters: items that were accepted and could not be processed.
    #[command(subcommand)]
    Parked(parked::ParkedCommand),
    /// List labels (explicit feedback and inferred labels), give one, retract one, export.
    Labels(labels::LabelsArgs),
    /// List model versions, train one, compare it on recorded history, promote it, roll it back.
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Replay recorded history with a candidate, in isolation, and compare the decisions.
    Backtest(models::BacktestArgs),
    /// Show figures for a period: noise removed and its cost, times, labels, spend; per service.
    Report(report::ReportArgs),
    /// Show counts, versions and the state hash.
    State(state::StateArgs),
    /// Rebuild the state from the ledger and compare it with the live state; exits with 1 on any difference.
    Replay(proof::ReplayArgs),
    /// Verify the hash chains of the ledger; exits with 1 on any damage.
    Verify(proof::VerifyArgs),
    /// Check that people were notified of every alert, by name and in time.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// List senders with the interval at which each repeats what fires, and which of them are silent.
    Heartbeats(heartbeats::HeartbeatsArgs),
    /// Show who is on call, by each schedule.
    Oncall(oncall::OnCallArgs),
    /// Check, show or replace the service catalogue.
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// List, confirm, deny or import dependencies and owners of services.
    #[command(subcommand)]
    Topology(topology::TopologyCommand),
    /// Test a receiver of notifications.
    #[command(subcommand)]
    Receiver(receiver::ReceiverCommand),
    /// Check the installation and print a remedy for each problem; exits with 1 if there is one.
    Doctor,
    /// Print the OpenAPI description.
    Openapi,
    /// Connect a sender of alerts, test its intake endpoint, or list the sources and what they sent.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Promised and not built yet.
    #[command(flatten)]
    Promised(promised::Promised),
}

impl ClientCommand {
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

    pub(crate) async fn run(self, context: &mut CliContext<'_>) -> Result<()> {
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
            Self::Verify(args) => proof::verify(args, context).await,
            Self::Audit(command) => audit::run(command, context).await,
            Self::Heartbeats(args) => heartbeats::run(args, context).await,
            Self::Oncall(args) => oncall::run(args, context).await,
            Self::Catalog(command) => catalog::run(command, context).await,
            Self::Topology(command) => topology::run(command, context).await,
            Self::Receiver(command) => receiver::run(command, context).await,
            Self::Doctor => doctor::run(context).await,
            Self::Openapi => openapi::run(context).await,
            Self::Source(command) => source::run(command, context).await,
            Self::Promised(command) => Err(command.refusal()),
        }
    }
}
