//! Tests against a server of their own, which answers from the contract's types and notes what it was asked.

mod acts;
mod advice;
mod asking;
mod doctors;
mod ledger;
mod lines;
mod mcp;
mod pages;
mod server;
mod sources;
mod statuses;
mod talking;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use clap::Parser;
use hindcast_clock::Stepped;
use hindcast_domain::Time;

use crate::{ClientCommand, Connection, ExitStatus, Terminal};

/// The binary's command line, as it is to be made.
#[derive(Parser, Debug)]
#[command(name = "hindcast")]
struct Line {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Own,
}

#[derive(clap::Subcommand, Debug)]
enum Own {
    /// Start everything.
    Up {
        /// Where the data lie.
        #[arg(long)]
        data: Option<std::path::PathBuf>,
    },
    #[command(flatten)]
    Client(Box<ClientCommand>),
}

/// The time at which tests look.
const NOW: &str = "2026-11-20T02:47:07Z";

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command ended with.
#[derive(Debug)]
struct Ended {
    status: ExitStatus,
    out: String,
    err: String,
}

/// Runs a line as the binary would, with words parted by blanks; `_` inside a word stands for a blank.
async fn hindcast(base: &str, line: &str) -> Ended {
    typing(base, line, "", false).await
}

/// The same with what is typed, and perhaps somebody who watches standard error.
async fn typing(base: &str, line: &str, input: &str, watched: bool) -> Ended {
    let words = line.split_whitespace().map(|word| word.replace('_', " "));
    let words = std::iter::once("hindcast".to_owned()).chain(words).chain(["--actor=ada".to_owned()]);
    let line = match Line::try_parse_from(words) {
        Ok(line) => line,
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "{error}");
            return Ended { status: ExitStatus::Usage, out: String::new(), err: error.to_string() };
        }
    };
    let Own::Client(command) = line.command else { panic!("expected a command of the client") };
    let (out, err) = (Buffer::default(), Buffer::default());
    let clock = Arc::new(Stepped::new(time(NOW)));
    let input = Box::new(io::Cursor::new(input.to_owned().into_bytes()));
    let mut terminal = Terminal::new(Box::new(out.clone()), Box::new(err.clone()), clock).typed(input);
    if watched {
        terminal = terminal.watched();
    }
    let status = crate::run(*command, &line.connection, base, &mut terminal).await;
    Ended { status, out: out.text(), err: err.text() }
}
