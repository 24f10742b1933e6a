//! The parts of an answer put together and judged: one line that answers, at most five more, the rest folded.

use hindcast_api::{Answer, Claim, ClaimVerdict, Problem};
use hindcast_domain::Time;

use crate::answer::line::{AnswerLine, IntentAnswer, LINES_MAX, PartsShown};
use crate::answer::scene::AnswerScene;
use crate::evidence::DraftSentence;
use crate::resolve::NOTHING_TODAY;
use crate::situation::Situation;
use crate::taken::TakenQuestion;
use crate::verify::Judge;
use crate::{Options, answer};

/// What stands before a claim and outside of it: how the claim answers what was asked. No event says that, so the tick of
/// the claim is not its.
const BEFORE: [&str; 18] = [
    "Yes: ",
    "No: ",
    "Yes, ",
    "By the ranking, ",
    "Nobody: ",
    "It has not ended: ",
    "Not yet: ",
    "Probably not: ",
    "It is not known: ",
    "What ranks first: ",
    "For it: ",
    "Against it: ",
    "Also against it: ",
    "Refuted as the cause: ",
    "First: ",
    "Then: ",
    "Before: ",
    "The last one before: ",
];

/// An answer whose lines are chosen and not judged.
#[derive(Debug, Default)]
pub(crate) struct ComposedAnswer {
    lines: Vec<AnswerLine>,
    folded: Vec<AnswerLine>,
    pub(crate) missing: Vec<String>,
    pub(crate) shows: PartsShown,
}

impl ComposedAnswer {
    /// Answers every part of a question, first things first.
    ///
    /// # Errors
    /// When the views cannot be read.
    pub(crate) async fn of(
        options: &Options,
        taken: &TakenQuestion,
        situation: Option<&Situation>,
    ) -> Result<Self, Problem> {
        let resolved = &taken.resolved;
        let mut parts: Vec<IntentAnswer> = Vec::new();
        for part in &resolved.parts {
            let scene = AnswerScene {
                options,
                seen: &taken.moment,
                book: &resolved.book,
                part: &part.part,
                stretch: resolved.stretch,
                now: now(taken),
                incident: taken.incident.as_ref(),
                situation,
            };
            parts.push(answer::answer(&scene, part.intent, &part.readings).await?);
        }
        Ok(Self::put(parts, &resolved.notes))
    }

    fn put(parts: Vec<IntentAnswer>, notes: &[String]) -> Self {
        let mut all = Self::default();
        let (mut rest, mut folded) = (Vec::new(), Vec::new());
        for part in parts {
            if !all.lines.contains(&part.lead) {
                all.lines.push(part.lead);
            }
            rest.push(part.lines);
            folded.extend(part.folded);
            all.missing.extend(part.missing);
            all.shows.causes |= part.shows.causes;
            all.shows.similar |= part.shows.similar;
            all.shows.proposals |= part.shows.proposals;
        }
        // In turns, so that each part has some of the room.
        let longest = rest.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..longest {
            let turn: Vec<AnswerLine> = rest.iter().filter_map(|lines| lines.get(index).cloned()).collect();
            for line in turn {
                if all.lines.contains(&line) {
                } else if all.lines.len() <= LINES_MAX {
                    all.lines.push(line);
                } else {
                    folded.push(line);
                }
            }
        }
        all.folded = folded.into_iter().filter(|line| !all.lines.contains(line)).collect();
        // That there is nothing of the day that is asked about goes before what there is of another one.
        let empty = notes.iter().find(|note| note.starts_with(NOTHING_TODAY));
        if let (Some(empty), Some(lead)) = (empty, all.lines.first_mut()) {
            let empty = hindcast_domain::text::capitalized(empty);
            match lead {
                AnswerLine::Stated(text) => *text = format!("{empty}: {text}"),
                AnswerLine::Said(_) => all.lines.insert(0, AnswerLine::Stated(empty)),
            }
        }
        all.missing.extend(notes.iter().cloned());
        all
    }

    /// Every sentence that rests on events.
    pub(crate) fn drafts(&self) -> impl Iterator<Item = &DraftSentence> {
        self.lines.iter().chain(&self.folded).filter_map(|line| match line {
            AnswerLine::Said(draft) => Some(draft),
            AnswerLine::Stated(_) => None,
        })
    }

    /// The line that answers, judged, where it rests on events.
    pub(crate) fn lead(&self, judge: &Judge) -> Option<Claim> {
        match self.lines.first() {
            Some(AnswerLine::Said(draft)) => Some(judged(judge, draft).1),
            Some(AnswerLine::Stated(_)) | None => None,
        }
    }

    /// The words of the line that answers.
    pub(crate) fn lead_words(&self, judge: &Judge) -> String {
        match self.lines.first() {
            Some(AnswerLine::Said(draft)) => worded(&judged(judge, draft)),
            Some(AnswerLine::Stated(text)) => ended(text),
            None => String::new(),
        }
    }

    /// Puts the lines into an answer, each judged: the words that answer first.
    pub(crate) fn told(&self, judge: &Judge, answer: &mut Answer) {
        let mut words = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            match line {
                AnswerLine::Said(draft) => {
                    let line = judged(judge, draft);
                    words.push(worded(&line));
                    answer.claims.push(line.1);
                }
                AnswerLine::Stated(text) => {
                    words.push(ended(text));
                    if index > 0 {
                        continue;
                    }
                    // What answers is never left off where only claims are read.
                    answer.missing.retain(|known| known != text);
                }
            }
        }
        answer.lead = words.first().cloned();
        answer.details.extend(self.folded.iter().map(|line| match line {
            AnswerLine::Said(draft) => judged(judge, draft).1,
            AnswerLine::Stated(text) => by_looking(text),
        }));
        answer.answer = words.join("\n");
        for what in &self.missing {
            if !answer.missing.contains(what) {
                answer.missing.push(what.clone());
            }
        }
        let of_notes = self.missing.iter().find(|text| text.starts_with("the question seems to be in"));
        if let Some(note) = of_notes {
            answer.answer.push('\n');
            answer.answer.push_str(&ended(&hindcast_domain::text::capitalized(note)));
        }
    }
}

/// The moment of a question: the time that was asked for, where one was, else that of the last event that was known.
fn now(taken: &TakenQuestion) -> Time {
    taken.moment.recorded_at()
}

/// What stands before a claim, and the claim in the words that stand; where the verifier finds none, in the fullest, which
/// is then not checked: our own lines are made of what the ledger holds, and what cannot be read back from one event is no
/// lie.
fn judged(judge: &Judge, draft: &DraftSentence) -> (&'static str, Claim) {
    let first = draft.texts.first().map(String::as_str).unwrap_or_default();
    let before = BEFORE.iter().find(|before| first.starts_with(**before)).copied().unwrap_or_default();
    let bare = |text: &String| text.strip_prefix(before).unwrap_or(text).to_owned();
    let bared = DraftSentence { texts: draft.texts.iter().map(bare).collect(), ..draft.clone() };
    let Some(mut claim) = judge.choose(&bared) else { return ("", by_looking(first)) };
    if claim.verdict == ClaimVerdict::Unsupported {
        claim.verdict = ClaimVerdict::Unverifiable;
    }
    (before, claim)
}

/// A line that rests on a look at everything and on no single event.
fn by_looking(text: &str) -> Claim {
    Claim {
        assertion: None,
        text: text.to_owned(),
        citations: Vec::new(),
        verdict: ClaimVerdict::Unverifiable,
        reason: Some("counted or compared by Hindcast; no single event says it".to_owned()),
        path: Vec::new(),
    }
}

fn worded((before, claim): &(&'static str, Claim)) -> String {
    match claim.verdict {
        ClaimVerdict::Supported => ended(&format!("{before}{}", claim.text)),
        ClaimVerdict::Unverifiable | ClaimVerdict::Unsupported => {
            ended(&format!("{before}{} (not checked)", claim.text.trim_end_matches('.')))
        }
    }
}

/// A text that ends like a sentence.
fn ended(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?', '…', ')', '`']) { text.to_owned() } else { format!("{text}.") }
}
