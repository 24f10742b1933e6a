//! Clauses: a text cut at its marks and joining words so that each clause has one verb. Owns where a clause ends and
//! what joins it with the next; refuses to know what a verb needs.

use crate::lexemes::{Lex, Lexeme};
use crate::read::TextAssertion;
use crate::vocabulary::{ClauseLink, Entry, Noun, Prep, Verb};

/// A clause, and what joins it with the one before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clause {
    pub lexemes: Vec<Lexeme>,
    pub link: Option<ClauseLink>,
    /// Whether it is a part of the sentence that the clause before belongs to.
    pub goes_on: bool,
}

impl Clause {
    /// Its verb, with its place.
    pub fn verb(&self) -> Option<(usize, Verb, bool)> {
        self.lexemes.iter().enumerate().find_map(|(index, lexeme)| match lexeme.what {
            Lex::Entry(Entry::Verb(verb)) => Some((index, verb, false)),
            Lex::Entry(Entry::Base(verb)) => Some((index, verb, true)),
            _ => None,
        })
    }

    pub fn has(&self, is: impl Fn(&Lex) -> bool) -> bool {
        self.lexemes.iter().any(|lexeme| is(&lexeme.what))
    }

    pub fn has_noun(&self, noun: Noun) -> bool {
        self.has(|what| *what == Lex::Entry(Entry::Noun(noun)))
    }

    fn has_subject(&self) -> bool {
        self.has(|what| matches!(what, Lex::Thing(TextAssertion::Service(_) | TextAssertion::Name(_))))
    }

    fn has_value(&self) -> bool {
        self.has(|what| {
            matches!(what, Lex::Thing(TextAssertion::Moment(_) | TextAssertion::Figure(_) | TextAssertion::Stretch(_)))
        })
    }
}

/// Cuts a text into clauses.
pub(crate) fn clauses(lexemes: &[Lexeme]) -> Vec<Clause> {
    let mut all = Vec::new();
    for sentence in sentences(lexemes) {
        let mut pieces = pieces(sentence);
        fronted(&mut pieces);
        let mut merged: Vec<Clause> = Vec::new();
        for (index, piece) in pieces.into_iter().enumerate() {
            match merged.last_mut() {
                Some(last) if !is_own(last, &piece) => {
                    // a comma, or an "and" of a list
                    let at = piece.lexemes.first().map_or(0..0, |first| first.at.start..first.at.start);
                    last.lexemes.push(Lexeme { at, what: Lex::Mark(',') });
                    last.lexemes.extend(piece.lexemes);
                }
                _ => merged.push(Clause { goes_on: index > 0, ..piece }),
            }
        }
        all.extend(merged);
    }
    all
}

fn sentences(lexemes: &[Lexeme]) -> Vec<Vec<Lexeme>> {
    let is_end = |lexeme: &Lexeme| matches!(lexeme.what, Lex::Mark(';' | '.' | '!' | '\n'));
    lexemes.split(is_end).filter(|part| !part.is_empty()).map(<[Lexeme]>::to_vec).collect()
}

/// The parts of a sentence between commas and joining words.
fn pieces(sentence: Vec<Lexeme>) -> Vec<Clause> {
    let mut all = vec![Clause::default()];
    for lexeme in sentence {
        let link = match &lexeme.what {
            Lex::Mark(',') => Some(None),
            Lex::Mark('→') => Some(Some(ClauseLink::Causes)),
            Lex::Entry(Entry::ClauseLink(link)) => Some(Some(*link)),
            // "it took 5 min until"
            Lex::Entry(Entry::Prep(Prep::Until)) if all.last().is_some_and(takes) => Some(Some(ClauseLink::Until)),
            _ => None,
        };
        let Some(last) = all.last_mut() else { continue };
        match link {
            // the arrow of two levels is no cause
            Some(Some(ClauseLink::Causes)) if matches!(lexeme.what, Lex::Mark(_)) && is_level(last) => {
                last.lexemes.push(lexeme);
            }
            Some(link) if last.lexemes.is_empty() => last.link = stronger(last.link, link),
            Some(link) => all.push(Clause { link, ..Clause::default() }),
            None => last.lexemes.push(lexeme),
        }
    }
    all.retain(|piece| !piece.lexemes.is_empty());
    all
}

fn takes(clause: &Clause) -> bool {
    clause.verb().is_some_and(|(_, verb, _)| verb == Verb::Take)
}

/// `, and then`: what says the order is what counts.
fn stronger(known: Option<ClauseLink>, next: Option<ClauseLink>) -> Option<ClauseLink> {
    match (known, next) {
        (None | Some(ClauseLink::And), Some(next)) => Some(next),
        (known, _) => known,
    }
}

fn is_level(clause: &Clause) -> bool {
    let last = clause.lexemes.last().map(|lexeme| &lexeme.what);
    matches!(last, Some(Lex::Thing(TextAssertion::Figure(_) | TextAssertion::Stretch(_))))
}

/// `After A, B` is `B after A`.
fn fronted(pieces: &mut [Clause]) {
    let [first, second, ..] = pieces else {
        return;
    };
    if let Some(link @ (ClauseLink::Before | ClauseLink::After | ClauseLink::CausedBy)) = first.link
        && second.link.is_none()
    {
        std::mem::swap(first, second);
        (first.link, second.link) = (None, Some(link));
    }
}

/// Whether a piece is a clause of its own, and not the rest of the one before it.
fn is_own(before: &Clause, piece: &Clause) -> bool {
    match piece.link {
        None | Some(ClauseLink::And) => {
            let both = before.verb().is_some() && piece.verb().is_some();
            // "A alarmed at 1 and B at 2"
            let gapped = before.has_subject() && before.has_value() && piece.has_subject() && piece.has_value();
            both || gapped
        }
        Some(_) => true,
    }
}
