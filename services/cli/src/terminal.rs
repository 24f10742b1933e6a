//! Where output goes and what is typed: standard output, error and input, how wide they are, whether they take
//! colours and bars, and the clock for relative times. Owns writing and the reading of lines; refuses to know
//! what is written. Tests hand in buffers.

use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Read as _, Write};
use std::time::Duration;

use hindcast_clock as clock;
use hindcast_domain::Time;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

/// Bytes of the longest line that is read from standard input.
pub const LINE_BYTES_MAX: u64 = 1 << 20;

/// Where output goes.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    input: Option<Box<dyn BufRead + Send>>,
    asks: bool,
    watched: bool,
    width: Option<usize>,
    colour: bool,
    bars: bool,
    interactive: bool,
    clock: clock::Shared,
}

impl Terminal {
    /// Writers that are no terminals: no colours, no bars, nothing is cut.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, clock: clock::Shared) -> Self {
        let (input, asks, watched) = (None, false, false);
        Self { out, err, input, asks, watched, width: None, colour: false, bars: false, interactive: false, clock }
    }

    /// The process's own. Colours only where standard output is a terminal, bars only where standard error is.
    #[must_use]
    pub fn system(no_color: bool) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let interactive = out.is_terminal();
        let width = interactive.then(terminal_size::terminal_size).flatten();
        Self {
            width: width.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0),
            colour: interactive && !no_color,
            bars: err.is_terminal(),
            watched: err.is_terminal(),
            asks: io::stdin().is_terminal(),
            input: Some(Box::new(BufReader::new(io::stdin()))),
            interactive,
            out: Box::new(BufWriter::new(out)),
            err: Box::new(err),
            clock: clock::System::shared(),
        }
    }

    /// The same, fitted to a width.
    #[must_use]
    pub const fn fitted(mut self, width: usize) -> Self {
        self.width = Some(width);
        self
    }

    /// The same, with colours.
    #[must_use]
    pub const fn coloured(mut self) -> Self {
        self.colour = true;
        self
    }

    /// The same, with what is typed.
    #[must_use]
    pub fn typed(mut self, input: Box<dyn BufRead + Send>) -> Self {
        self.input = Some(input);
        self
    }

    /// The same, with somebody who watches standard error.
    #[must_use]
    pub const fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    /// Whether a person types what is read.
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.asks
    }

    /// Whether a person watches standard error.
    #[must_use]
    pub const fn is_watched(&self) -> bool {
        self.watched
    }

    /// What is typed, line by line, without its end; once. A thread of its own reads it, so that nothing else
    /// waits for a line that never comes, and one line at most is read ahead.
    #[must_use]
    pub fn lines(&mut self) -> mpsc::Receiver<io::Result<String>> {
        let (tell, lines) = mpsc::channel(1);
        if let Some(mut input) = self.input.take() {
            std::thread::spawn(move || {
                while let Some(line) = read_line(&mut *input).transpose() {
                    let ends = line.is_err();
                    if tell.blocking_send(line).is_err() || ends {
                        return;
                    }
                }
            });
        }
        lines
    }

    /// Whether a person reads standard output.
    #[must_use]
    pub const fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether colours are wanted.
    #[must_use]
    pub const fn colour(&self) -> bool {
        self.colour
    }

    /// How wide lines may be; without a bound where nobody looks at them.
    #[must_use]
    pub const fn width(&self) -> Option<usize> {
        self.width
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Writes to standard output.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Writes a line to standard output.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.write(text)?;
        self.write("\n")
    }

    /// Makes sure that standard output has all of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Says something on standard error. Where that cannot be written there is nobody left to tell.
    pub fn say(&mut self, text: &str) {
        if writeln!(self.err, "{text}").is_ok() {
            self.err.flush().ok();
        }
    }

    /// Says a piece of a line on standard error.
    pub fn say_piece(&mut self, text: &str) {
        if self.err.write_all(text.as_bytes()).is_ok() {
            self.err.flush().ok();
        }
    }

    /// A bar on standard error that knows how much there is; hidden where it is no terminal.
    #[must_use]
    pub fn bar(&self, what: &'static str, of: u64) -> ProgressBar {
        self.progress(ProgressBar::new(of), what, "{msg} {wide_bar} {percent} % {eta}")
    }

    /// A sign of life on standard error for what takes its time; hidden where it is no terminal.
    #[must_use]
    pub fn spinner(&self, what: &'static str) -> ProgressBar {
        let spinner = self.progress(ProgressBar::new_spinner(), what, "{spinner} {msg} {elapsed}");
        if self.bars {
            spinner.enable_steady_tick(Duration::from_millis(100));
        }
        spinner
    }

    fn progress(&self, bar: ProgressBar, what: &'static str, template: &str) -> ProgressBar {
        bar.set_draw_target(if self.bars { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_message(what)
    }
}

/// The next line; nothing at the end.
fn read_line(input: &mut dyn BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = input.take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.len() as u64 > LINE_BYTES_MAX {
        let said = format!("expected lines of at most {LINE_BYTES_MAX} bytes on standard input");
        return Err(io::Error::new(io::ErrorKind::InvalidData, said));
    }
    while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
