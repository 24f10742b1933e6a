//! Colours. Owns what each means (severity, and what stands back); refuses to know whether there is a terminal:
//! it is told so.

use hindcast_domain::Severity;

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Like everything else.
    #[default]
    Plain,
    /// What is looked for first.
    Strong,
    /// What stands back.
    Faint,
    /// As bad as this.
    Severity(Severity),
    /// All is well.
    Good,
    /// Something is wrong.
    Bad,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Severity(Severity::Critical) => "1;31",
            Self::Severity(Severity::High) | Self::Bad => "31",
            Self::Severity(Severity::Medium) => "33",
            Self::Severity(Severity::Low) => "36",
            Self::Severity(Severity::Info) => "34",
            Self::Good => "32",
        }
    }

    /// The text in this ink, where colours are wanted.
    #[must_use]
    pub fn on(self, text: &str, colour: bool) -> String {
        match self.code() {
            code if colour && !code.is_empty() && !text.is_empty() => {
                format!("\u{1b}[{code}m{text}\u{1b}[0m")
            }
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_text_stays_as_it_is() {
        assert_eq!(Ink::Bad.on("x", false), "x");
        assert_eq!(Ink::Severity(Severity::Critical).on("x", true), "\u{1b}[1;31mx\u{1b}[0m");
        assert_eq!(Ink::Plain.on("x", true), "x");
    }
}
