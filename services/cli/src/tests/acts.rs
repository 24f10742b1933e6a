//! The catalogue of acts, walked: each act has its command with its arguments, so that one that is forgotten turns this
//! red.

use clap::{CommandFactory, Parser};
use hindcast_domain::act::{ACTS, ActTarget, CliForm};

use super::Line;

#[test]
fn every_act_has_its_command_and_its_arguments() {
    let root = Line::command();
    for act in &ACTS {
        let command = root.find_subcommand(act.cli.name);
        let command = command.unwrap_or_else(|| panic!("{} has no command", act.word));
        assert_eq!(command.get_about().map(ToString::to_string).as_deref(), Some(act.help), "{}", act.cli.name);
        let aliases: Vec<&str> = command.get_visible_aliases().collect();
        assert_eq!(aliases, act.cli.alias.into_iter().collect::<Vec<_>>());
        let has_flag = |long: &str| command.get_arguments().any(|arg| arg.get_long() == Some(long));
        let has_value = |value: &str| {
            let names =
                |arg: &clap::Arg| arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == value));
            command.get_positionals().any(names)
        };
        for argument in act.arguments {
            let is_there = match argument.cli {
                CliForm::Absent => true,
                CliForm::Flag(long, _) | CliForm::Default(long, ..) | CliForm::Switch(long) => has_flag(long),
                CliForm::Place(value) | CliForm::Words(value) | CliForm::Many(value) => has_value(value),
                CliForm::OrNone(value, none) => has_value(value) && has_flag(none),
            };
            assert!(is_there, "{} {}", act.cli.name, argument.name);
        }
        assert_eq!(has_value("ID"), matches!(act.on, ActTarget::Incident | ActTarget::Silence), "{}", act.cli.name);
    }
}

#[test]
fn what_is_needed_is_asked_for() {
    for line in
        ["assign INC-1", "snooze INC-1", "note INC-1", "merge INC-1", "severity INC-1 awful", "split INC-1", "ack"]
    {
        let refused = Line::try_parse_from(["hindcast"].into_iter().chain(line.split(' '))).unwrap_err();
        assert_eq!(refused.exit_code(), 2, "{line}");
    }
    for line in ["assign INC-1 bob --nobody", "snooze INC-1 --for 1h --until 18:00"] {
        assert!(Line::try_parse_from(["hindcast"].into_iter().chain(line.split(' '))).is_err(), "{line}");
    }
}
