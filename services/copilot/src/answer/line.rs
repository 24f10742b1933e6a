//! An answer before it is judged: the line that answers, at most five more, and what is folded. Owns the bounds; every
//! line rests on events, or says over what was looked.

use hindcast_api::{Assertion, Citation};

use crate::evidence::DraftSentence;

/// Lines behind the one that answers.
pub(crate) const LINES_MAX: usize = 5;
/// Lines that are folded.
pub(crate) const FOLDED_MAX: usize = 24;

/// A sentence that answers, or stands behind the one that does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AnswerLine {
    /// It rests on events.
    Said(DraftSentence),
    /// No event says it: a count, an absence, a proposal. It names what was looked at.
    Stated(String),
}

/// Which conclusions belong to an answer; surfaces show no others beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartsShown {
    pub(crate) causes: bool,
    pub(crate) similar: bool,
    pub(crate) proposals: bool,
}

/// The answer to one part of a question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IntentAnswer {
    pub(crate) lead: AnswerLine,
    pub(crate) lines: Vec<AnswerLine>,
    pub(crate) folded: Vec<AnswerLine>,
    /// What is not known, beside what the lines say.
    pub(crate) missing: Vec<String>,
    pub(crate) shows: PartsShown,
}

/// A line that rests on events, in ever fewer words.
pub(crate) fn said(texts: impl IntoIterator<Item = String>, cites: impl IntoIterator<Item = Citation>) -> AnswerLine {
    let draft = DraftSentence::new(texts, cites);
    if draft.citations.is_empty() {
        return AnswerLine::Stated(draft.texts.into_iter().next().unwrap_or_default());
    }
    AnswerLine::Said(draft)
}

impl AnswerLine {
    /// The same as an assertion.
    pub(crate) fn asserting(self, assertion: Assertion) -> Self {
        match self {
            Self::Said(draft) => Self::Said(draft.asserting(assertion)),
            Self::Stated(text) => Self::Stated(text),
        }
    }

    /// The same as what its first event says of itself.
    pub(crate) fn of_event(self) -> Self {
        match self {
            Self::Said(draft) => Self::Said(draft.of_event()),
            Self::Stated(text) => Self::Stated(text),
        }
    }
}

/// A line that says over what was looked.
pub(crate) fn stated(text: impl Into<String>) -> AnswerLine {
    AnswerLine::Stated(text.into())
}

impl IntentAnswer {
    pub(crate) const fn new(lead: AnswerLine) -> Self {
        let shows = PartsShown { causes: false, similar: false, proposals: false };
        Self { lead, lines: Vec::new(), folded: Vec::new(), missing: Vec::new(), shows }
    }

    /// One more line; behind the fifth it is folded.
    pub(crate) fn line(&mut self, line: impl Into<Option<AnswerLine>>) {
        let Some(line) = line.into() else { return };
        if line == self.lead || self.lines.contains(&line) {
            return;
        }
        if self.lines.len() < LINES_MAX { self.lines.push(line) } else { self.fold(line) }
    }

    /// More lines.
    pub(crate) fn all(&mut self, lines: impl IntoIterator<Item = AnswerLine>) {
        lines.into_iter().for_each(|line| self.line(line));
    }

    /// A line that is folded.
    pub(crate) fn fold(&mut self, line: AnswerLine) {
        if self.folded.len() < FOLDED_MAX
            && !self.folded.contains(&line)
            && !self.lines.contains(&line)
            && line != self.lead
        {
            self.folded.push(line);
        }
    }
}
