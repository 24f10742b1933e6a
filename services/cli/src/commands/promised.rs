//! What is promised and not built yet: one table. Owns the refusal; a command that is built leaves the table.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, FromArgMatches, Subcommand};

use crate::error::Error;

/// Names, and what each will do.
const PROMISED: [(&str, &str); 4] = [
    ("policy", "Check what the policy lets run"),
    ("drift", "Show what drifts"),
    ("bundle", "Export an incident as a signed slice of the ledger"),
    ("compare", "Compare two bundles or two versions"),
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
        refusal(self.name)
    }
}

/// What a command that is not built ends with.
pub(super) fn refusal(name: &str) -> Error {
    Error::failed(
        format!("`hindcast {name}` is promised and not built yet"),
        "See CHANGELOG.md for what is built; `hindcast help` lists it.",
    )
}

/// Whatever the arguments of a promised command will be: they are not refused for them.
#[derive(clap::Args, Clone, Debug)]
pub struct PromisedArgs {
    /// Not looked at.
    #[arg(num_args = 0.., trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<String>,
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
