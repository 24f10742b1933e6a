//! Where output goes: standard output and error, how wide they are, whether they take colours and bars, and the
//! clock for relative times. Owns writing; refuses to know what is written. Tests hand in buffers.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::Duration;

use hindcast_clock as clock;
use hindcast_domain::Time;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where output goes.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
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
        Self { out, err, width: None, colour: false, bars: false, interactive: false, clock }
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
