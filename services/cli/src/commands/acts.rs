//! What a person does: commands made from the catalogue of acts, with its names, arguments and help. Owns how the
//! terminal takes an argument and what it says afterwards; what each act does is the server's.

use std::collections::BTreeMap;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, FromArgMatches, Subcommand};
use hindcast_api::{Alert, Event, Incident};
use hindcast_domain::act::{self, ActArgument, ActEntry, ActName, ActTarget, ActUndo, ArgumentForm, CliForm};
use hindcast_domain::{Severity, Span};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::order::{OrderOutcome, SeenArgs, submit};
use crate::client::Path;
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::parse::id::id;
use crate::parse::span::span;
use crate::parse::when::{When, when};
use crate::text::clean;
use crate::text::ink::Ink;

/// The argument that names the incident.
const ID: &str = "id";

/// An act as it was typed.
#[derive(Clone, Debug)]
pub struct ActCommand {
    act: &'static ActEntry,
    /// The incident, where the act is done to one.
    id: String,
    /// What was given, by the names of the catalogue.
    given: BTreeMap<&'static str, Typed>,
    seen: SeenArgs,
}

/// What an argument was given.
#[derive(Clone, Debug)]
enum Typed {
    Words(Vec<String>),
    Severity(Severity),
    Span(Span),
    When(When),
}

/// The acts whose commands are made from the catalogue alone. The others have an argument that only the terminal can
/// read; their names and help are the catalogue's too.
fn made() -> impl Iterator<Item = &'static ActEntry> {
    act::ACTS.iter().filter(|act| act.on == ActTarget::Incident || act.name == ActName::Declare)
}

/// What the command of an act is about, for those with arguments of their own.
pub(crate) fn help(act: ActName) -> String {
    act.entry().help.to_owned()
}

impl Subcommand for ActCommand {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        made().fold(command, |command, act| command.subcommand(command_of(act)))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        made().any(|act| act.cli.name == name)
    }
}

impl FromArgMatches for ActCommand {
    fn from_arg_matches(matches: &ArgMatches) -> core::result::Result<Self, clap::Error> {
        let (name, matches) = matches.subcommand().ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        let act = made().find(|act| act.cli.name == name);
        let act = act.ok_or_else(|| clap::Error::new(ErrorKind::InvalidSubcommand))?;
        let on_incident = act.on == ActTarget::Incident;
        let seen = if on_incident { SeenArgs::from_arg_matches(matches)? } else { SeenArgs::default() };
        let id = matches.try_get_one::<String>(ID).ok().flatten().cloned().unwrap_or_default();
        let given = act.arguments.iter().filter_map(|argument| Some((argument.name, typed(argument, matches)?)));
        Ok(Self { act, id, given: given.collect(), seen })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> core::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn typed(argument: &ActArgument, matches: &ArgMatches) -> Option<Typed> {
    let name = argument.name;
    match argument.form {
        ArgumentForm::Severity => matches.get_one(name).copied().map(Typed::Severity),
        ArgumentForm::Minutes => matches.get_one(name).copied().map(Typed::Span),
        ArgumentForm::Since | ArgumentForm::Until => matches.get_one(name).copied().map(Typed::When),
        _ => matches.get_many::<String>(name).map(|words| Typed::Words(words.cloned().collect())),
    }
}

/// The command of an act.
fn command_of(act: &'static ActEntry) -> clap::Command {
    let mut command = clap::Command::new(act.cli.name);
    if let Some(alias) = act.cli.alias {
        command = command.visible_alias(alias);
    }
    if act.on == ActTarget::Incident {
        let id = Arg::new(ID).value_name("ID").required(true).value_parser(ValueParser::new(id));
        let id = id.help("The incident: its id or a unique prefix");
        command = SeenArgs::augment_args(command.arg(id));
    }
    // The flattened arguments bring their own words for the command.
    command = command.about(act.help).long_about(None::<&str>);
    for argument in act.arguments {
        command = with(command, act, argument);
    }
    if !act.one_of.is_empty() {
        command = command.group(ArgGroup::new("end").args(act.one_of).required(true));
    }
    command
}

fn with(command: clap::Command, act: &ActEntry, argument: &'static ActArgument) -> clap::Command {
    let help = if argument.cli_help.is_empty() { argument.help } else { argument.cli_help };
    let arg = Arg::new(argument.name).help(help).value_parser(parser(argument));
    // One of a choice is asked for by the choice.
    let required = argument.required && act.one_of.is_empty();
    match argument.cli {
        CliForm::Absent => command,
        CliForm::Place(value) => command.arg(arg.value_name(value).required(required)),
        CliForm::Words(value) | CliForm::Many(value) => {
            command.arg(arg.value_name(value).required(required).num_args(1..).action(ArgAction::Append))
        }
        CliForm::Flag(long, value) => {
            let several = argument.form == ArgumentForm::Names;
            let arg = arg.long(long).value_name(value);
            command.arg(if several { arg.action(ArgAction::Append).value_delimiter(',') } else { arg })
        }
        CliForm::Default(long, value, default) => command.arg(arg.long(long).value_name(value).default_value(default)),
        CliForm::OrNone(value, none) => {
            let flag = Arg::new(none).long(none).action(ArgAction::SetTrue).help("Nobody");
            let group = ArgGroup::new("to").args([argument.name, none]).required(true);
            command.arg(arg.value_name(value)).arg(flag).group(group)
        }
        CliForm::Switch(long) => command.arg(arg.long(long).action(ArgAction::SetTrue)),
    }
}

fn parser(argument: &ActArgument) -> ValueParser {
    match argument.form {
        ArgumentForm::Severity => ValueParser::new(|text: &str| text.parse::<Severity>()),
        ArgumentForm::Minutes => ValueParser::new(span),
        ArgumentForm::Since | ArgumentForm::Until => ValueParser::new(when),
        ArgumentForm::Incident | ArgumentForm::Fingerprints | ArgumentForm::Event | ArgumentForm::Silence => {
            ValueParser::new(id)
        }
        _ => ValueParser::string(),
    }
}

impl ActCommand {
    /// Does it.
    ///
    /// # Errors
    /// When it is refused, or nobody answers.
    pub async fn run(self, context: &mut CliContext<'_>) -> Result<()> {
        let body = self.body(context).await?;
        let path = match self.act.on {
            ActTarget::Incident => Path::new("/api/v1/incidents").join(self.id.trim()).join(self.act.word),
            _ => Path::new(self.act.path),
        };
        match submit::<Incident>(Method::POST, path, Some(body), &self.seen, context).await? {
            OrderOutcome::Told => Ok(()),
            OrderOutcome::Done(incident) => {
                tell(&incident, &self.past(), context)?;
                self.tell_undo(&incident, context).await
            }
        }
    }

    /// How a merge or a split is taken back, which takes the id of its event.
    async fn tell_undo(&self, incident: &Incident, context: &mut CliContext<'_>) -> Result<()> {
        if self.act.undo != ActUndo::Undo || self.act.on != ActTarget::Incident {
            return Ok(());
        }
        let kind = format!("incident.{}", if self.act.name == ActName::Merge { "merged" } else { "split" });
        let mut newest: Option<Event> = None;
        for subject in [incident.id.as_str(), self.id.trim()] {
            let path = Path::new("/api/v1/events").query("kind", &kind).query("subject", subject);
            match context.list_all::<Event>(path, &AsOfArgs::default()).await {
                Ok(events) => newest = newest.into_iter().chain(events).max_by_key(|event| event.position),
                // It is done; that its event cannot be named changes nothing about that.
                Err(error) => context.terminal.say(&format!("the event of it cannot be named now: {error}")),
            }
        }
        match newest {
            Some(event) => Ok(context.terminal.line(&format!("`hindcast undo {}` takes it back", clean(&event.id)))?),
            None => Ok(()),
        }
    }

    async fn body(&self, context: &mut CliContext<'_>) -> Result<Value> {
        let mut body = Map::new();
        for argument in self.act.arguments {
            let value = match self.given.get(argument.name) {
                Some(Typed::Words(alerts)) if argument.form == ArgumentForm::Fingerprints => {
                    json!(self.leaving(alerts, context).await?)
                }
                Some(typed) => value(argument, typed, context),
                // What was not chosen is not said; whatever else is absent is said to be.
                None if self.act.one_of.contains(&argument.name) || argument.cli == CliForm::Absent => continue,
                None if argument.form == ArgumentForm::Names => json!([]),
                None => Value::Null,
            };
            body.insert(argument.name.to_owned(), value);
        }
        Ok(Value::Object(body))
    }

    /// Fingerprints of the alerts that leave; those that are named are looked up.
    async fn leaving(&self, alerts: &[String], context: &mut CliContext<'_>) -> Result<Vec<String>> {
        let is_prefix = |text: &String| text.len() >= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if alerts.iter().all(is_prefix) {
            return Ok(alerts.to_vec());
        }
        let path = Path::new("/api/v1/incidents").join(self.id.trim()).join("alerts");
        let members: Vec<Alert> = context.list_all(path, &AsOfArgs::default()).await?;
        named(alerts, &members)
    }

    /// What was done, with what was given in it.
    fn past(&self) -> String {
        let mut said = self.act.past.replace("{id}", self.id.trim());
        for argument in self.act.arguments {
            let given = match self.given.get(argument.name) {
                Some(Typed::Words(words)) => words.join(" "),
                Some(Typed::Severity(severity)) => severity.to_string(),
                _ if argument.form == ArgumentForm::Owner => "nobody".to_owned(),
                _ => continue,
            };
            said = said.replace(&format!("{{{}}}", argument.name), &given);
        }
        said
    }
}

fn value(argument: &ActArgument, typed: &Typed, context: &CliContext<'_>) -> Value {
    match typed {
        Typed::Words(words) if argument.form == ArgumentForm::Names => json!(words),
        Typed::Words(words) if argument.form == ArgumentForm::Incident => json!(words.join(" ").trim()),
        Typed::Words(words) => json!(words.join(" ")),
        Typed::Severity(severity) => json!(severity),
        // Relative to the server's clock, which may not be ours.
        Typed::Span(span) => json!((span.nanos() + 59_999_999_999) / 60_000_000_000),
        Typed::When(at) if argument.form == ArgumentForm::Since => json!(context.past(Some(*at))),
        Typed::When(at) => json!(at.future(context.now())),
    }
}

/// One line about an incident after a command.
fn tell(incident: &Incident, said: &str, context: &mut CliContext<'_>) -> Result<()> {
    let id = Ink::Strong.on(context.ids([]).short(&incident.id), context.terminal.colour());
    let line = format!("{id} {}: {} (revision {})", clean(said), clean(&incident.title), incident.revision);
    Ok(context.terminal.line(&line)?)
}

/// Fingerprints of members by their names; whatever else it is, the server knows best.
fn named(asked: &[String], members: &[Alert]) -> Result<Vec<String>> {
    let mut fingerprints = Vec::with_capacity(asked.len());
    for text in asked {
        let found = members.iter().filter(|alert| alert.name == *text).map(|alert| alert.fingerprint.clone());
        let found: Vec<String> = found.collect();
        let begins = |alert: &Alert| {
            let theirs = alert.source_fingerprint.as_deref().unwrap_or_default();
            alert.fingerprint.starts_with(&text.to_ascii_lowercase()) || theirs.starts_with(text.as_str())
        };
        match found.is_empty() {
            false => fingerprints.extend(found),
            true if members.iter().any(begins) => fingerprints.push(text.clone()),
            true => {
                let detail = format!("expected an alert of the incident, got {text:?}");
                return Err(Error::NothingFound(detail));
            }
        }
    }
    Ok(fingerprints)
}
