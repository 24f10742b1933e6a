//! What a card is made of: sections with lines, and buttons. Refuses to know which stand on a card.

use hindcast_domain::IncidentId;
use hindcast_domain::label::About;

use crate::interaction::ChatVerb;

/// How a button looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As any.
    #[default]
    Plain,
    /// What most people want now.
    Primary,
    /// What is not taken back lightly.
    Danger,
}

/// A button: what it says, and what pressing it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    /// What it says, short.
    pub text: String,
    /// How it looks.
    pub style: Style,
    /// What pressing it means.
    pub verb: ChatVerb,
    /// The revision that the person sees.
    pub seen: Option<u64>,
}

/// A line of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardLine {
    /// Words.
    Text(String),
    /// Words that lead somewhere, and what stands behind them.
    Link {
        /// What is read.
        text: String,
        /// Where it leads.
        url: String,
        /// What stands behind it.
        rest: String,
    },
}

/// A part of a card.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// One or two words; empty where none is wanted.
    pub heading: String,
    /// What it says.
    pub lines: Vec<CardLine>,
    /// What can be done about it.
    pub buttons: Vec<Button>,
}

/// A button with which a person judges something.
pub(crate) fn judge(
    text: &str,
    id: &IncidentId,
    about: About,
    verdict: &str,
    words: Option<String>,
    seen: u64,
) -> Button {
    let verb = ChatVerb::Judge { incident: Some(id.clone()), about, verdict: verdict.to_owned(), text: words };
    Button { text: text.to_owned(), style: Style::Plain, verb, seen: Some(seen) }
}
