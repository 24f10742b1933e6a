//! What is promised and not built yet: one table. Owns the refusal; a command that is built leaves the table.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, FromArgMatches, Subcommand};

use crate::error::Error;

/// Names, and what each will do.
const PROMISED: [(&str, &str); 18] = [
    ("ask", "Ask the copilot a question, answered from the ledger with evidence"),
    ("chat", "Talk with the copilot about an incident"),
    ("mcp", "Serve the ledger's answers to other copilots over MCP"),
    ("memory", "Import, search, show or forget what past incidents taught"),
    ("embedder", "Install the embedding model, or show it"),
    ("runbook", "List runbooks, dry-run one, approve a proposal"),
    ("policy", "Check what the policy lets run"),
    ("labels", "List labels from operators' work"),
    ("models", "List model versions, promote one, roll one back"),
    ("backtest", "Decide real history again with a candidate and compare"),
    ("drift", "Show what drifts"),
    ("postmortem", "Draft a postmortem that cites events"),
    ("bundle", "Export an incident as a signed slice of the ledger"),
    ("compare", "Compare two bundles or two versions"),
    ("lab", "Run the engines on files of your own"),
    ("report", "Show figures over time"),
    ("causes", "Rank the causes of an incident"),
    ("similar", "Find similar incidents of the past, and what resolved them"),
];

/// A command that is promised and not built yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    name: &'static str,
}

impl Promised {
    /// What it ends with.
    #[must_use]
    pub fn refusal(&self) -> Error {
        Error::failed(
            format!("`hindcast {}` is promised and not built yet", self.name),
            "See CHANGELOG.md for what is built; `hindcast help` lists it.",
        )
    }
}

fn named(name: &str) -> Option<Promised> {
    PROMISED.iter().find(|(known, _)| *known == name).map(|(name, _)| Promised { name })
}

impl FromArgMatches for Promised {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let name = matches.subcommand_name();
        name.and_then(named).ok_or_else(|| clap::Error::new(ErrorKind::InvalidSubcommand))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Promised {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        // Whatever their arguments will be, they are not refused for them.
        let rest = || Arg::new("rest").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true);
        PROMISED.iter().fold(command, |command, (name, about)| {
            let about = format!("{about} (promised, not built yet)");
            command.subcommand(clap::Command::new(*name).about(about).arg(rest()))
        })
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        named(name).is_some()
    }
}
