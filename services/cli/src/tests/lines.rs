//! The command line itself: it is consistent, its completions are made, and global options stand anywhere.

use clap::{CommandFactory as _, Parser as _};

use super::{Line, Own};
use crate::connection::SERVER;

#[test]
fn the_command_line_is_consistent() {
    Line::command().debug_assert();
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
        let mut out = Vec::new();
        clap_complete::generate(shell, &mut Line::command(), "hindcast", &mut out);
        let text = String::from_utf8(out).unwrap();
        for word in ["incidents", "where", "postmortem", "as-of"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn options_of_every_command_stand_anywhere() {
    for words in [
        "hindcast --server http://h:1 --json show INC-3K7Q",
        "hindcast show --server http://h:1 --json INC-3K7Q",
        "hindcast show INC-3K7Q --json --server http://h:1",
    ] {
        let line = Line::try_parse_from(words.split(' ')).unwrap();
        assert_eq!((line.connection.base_url(), line.connection.json), ("http://h:1", true), "{words}");
    }
    let line = Line::try_parse_from(["hindcast", "up", "--data", "d"]).unwrap();
    assert!(matches!(line.command, Own::Up { data: Some(_) }), "the binary's own --data is its own");
}

#[test]
fn the_contract_s_commands_all_exist() {
    let command = Line::command();
    let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    for name in "incidents show timeline why alerts where declare ack unack resolve reopen merge split assign note \
                 silence silences undo similar causes events notices parked report state replay verify doctor source \
                 ask chat mcp memory runbook policy labels models backtest drift postmortem bundle compare \
                 openapi findings proposals propose severity snooze feedback unsilence catalog audit"
        .split_whitespace()
    {
        assert!(known.contains(&name), "{name}");
    }
}

#[test]
fn without_options_the_default_address_is_asked() {
    let connection = crate::Connection { server: Some(" ".to_owned()), ..Default::default() };
    assert_eq!(connection.base_url(), SERVER);
    assert_eq!(connection.actor(), "cli");
}

#[test]
fn a_token_is_never_shown_in_help() {
    let help = Line::command().render_long_help().to_string();
    assert!(help.contains("HINDCAST_TOKEN") && !help.contains("HINDCAST_TOKEN="), "{help}");
}
