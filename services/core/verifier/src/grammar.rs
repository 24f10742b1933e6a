//! Reads a free text as assertions: a small grammar in which each clause has one verb, each verb a frame, and each word
//! a place in it. A clause with a word that has no place is not read, and what is not read is not checked.

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role};

use crate::clauses::{Clause, clauses};
use crate::court::Court;
use crate::filling::UnreadClause;
use crate::frames;
use crate::lexemes::{Lex, lexemes};
use crate::read::{TextAssertion, TextReading};
use crate::vocabulary::{ClauseLink, Entry, Verb};

/// What one clause, or two that an order joins, was read as.
pub(crate) type ClauseReading = Result<Assertion, UnreadClause>;

/// Reads a text.
pub(crate) fn parse(reading: &TextReading, court: &Court) -> Vec<ClauseReading> {
    let lexemes = lexemes(reading, court.names());
    if lexemes.iter().any(|lexeme| lexeme.what == Lex::Mark('?')) {
        return vec![Err(UnreadClause::new("a question says nothing"))];
    }
    let mut parser = GrammarParser { reading, court, done: Vec::new(), before: None };
    let all = clauses(&lexemes);
    let mut index = 0;
    while let Some(clause) = all.get(index) {
        index += 1;
        let next = all.get(index).filter(|next| next.goes_on);
        match next.map(|next| (next, next.link)) {
            Some((next, Some(link @ (ClauseLink::Before | ClauseLink::After | ClauseLink::Until)))) => {
                parser.ordered(clause, next, link);
                index += 1;
            }
            Some((next, Some(ClauseLink::Causes | ClauseLink::CausedBy))) => {
                parser.caused(clause, next);
                index += 1;
            }
            // "because A" is no sentence
            _ if !matches!(clause.link, None | Some(ClauseLink::And)) => {
                parser.done.push(Err(UnreadClause::new("what it is joined with is not said")));
            }
            _ => parser.clause(clause),
        }
    }
    parser.done
}

struct GrammarParser<'a> {
    reading: &'a TextReading,
    court: &'a Court,
    done: Vec<ClauseReading>,
    /// What the clause before said, for "it" and for a verb that is left out.
    before: Option<Assertion>,
}

impl GrammarParser<'_> {
    fn read(&self, clause: &Clause) -> Result<Vec<Assertion>, UnreadClause> {
        frames::read(clause, self.before.as_ref(), self.reading, self.court)
    }

    fn side(&self, clause: &Clause) -> Result<Vec<Assertion>, UnreadClause> {
        frames::read_side(clause, self.before.as_ref(), self.reading, self.court)
    }

    fn clause(&mut self, clause: &Clause) {
        match self.read(clause) {
            Ok(all) => {
                self.before = all.last().cloned();
                self.done.extend(all.into_iter().map(Ok));
            }
            Err(unread) => {
                self.before = None;
                self.done.push(Err(unread));
            }
        }
    }

    /// `A before B`, `B 12 s after A`, `it took 12 s until B`.
    fn ordered(&mut self, left: &Clause, right: &Clause, link: ClauseLink) {
        let (mut left, length) = self.without_length(left);
        left.link = None;
        let took = left.verb().is_some_and(|(_, verb, _)| verb == Verb::Take);
        let read = if took {
            self.side(right).and_then(|all| Ok((vec![begun(all.first())?], all)))
        } else {
            self.side(&left).and_then(|left| {
                self.before = left.last().cloned();
                self.side(right).map(|right| (left, right))
            })
        };
        self.before = None;
        let sides = match read {
            Ok(sides) => sides,
            Err(unread) => {
                let doubt = doubt(&left, right, link != ClauseLink::After).into_iter().collect();
                return self.done.push(Err(UnreadClause { doubt, ..unread }));
            }
        };
        let (Ok([left]), Ok([right])) = (<[Assertion; 1]>::try_from(sides.0), <[Assertion; 1]>::try_from(sides.1))
        else {
            return self.done.push(Err(UnreadClause::new("an order of several things is not read")));
        };
        if left.denied || right.denied {
            return self.done.push(Err(UnreadClause::new("an order of what did not happen is not read")));
        }
        let mut order = Assertion::new(Kind::Order).with_some(Role::Length, length);
        order.parts = if link == ClauseLink::After { vec![right, left] } else { vec![left, right] };
        self.done.push(Ok(order));
    }

    /// A clause without the length of time at its end, which belongs to the order behind it.
    fn without_length(&self, clause: &Clause) -> (Clause, Option<String>) {
        let mut clause = clause.clone();
        let last =
            clause.lexemes.iter().rposition(|lexeme| matches!(lexeme.what, Lex::Thing(TextAssertion::Stretch(_))));
        let Some(last) = last else {
            return (clause, None);
        };
        let Lex::Thing(TextAssertion::Stretch(span)) = &clause.lexemes[last].what else {
            return (clause, None);
        };
        let tail = clause.lexemes.get(last + 1..).unwrap_or_default();
        if span.ago || tail.iter().any(|lexeme| lexeme.what != Lex::Entry(Entry::Free)) {
            return (clause, None);
        }
        let written = self.reading.written(&clause.lexemes[last].at).to_owned();
        clause.lexemes.truncate(last);
        (clause, Some(written))
    }

    /// One thing is said to have caused another: no event says so. Only the order can be looked up, and can be wrong.
    fn caused(&mut self, left: &Clause, right: &Clause) {
        let fore = right.link == Some(ClauseLink::Causes);
        self.before = None;
        let unread = UnreadClause::new("that one thing caused another is in no event");
        match doubt(left, right, fore) {
            Some(order) if !self.court.checks.causes => self.done.push(Ok(order)),
            Some(order) => self.done.push(Err(UnreadClause { doubt: vec![order], ..unread })),
            None => {
                // what is given a reason happened, or it did not
                let doubt = if fore { Vec::new() } else { self.read(left).unwrap_or_default() };
                self.done.push(Err(UnreadClause { doubt, ..unread }));
            }
        }
    }
}

/// The order of two services' signs, where each side names one service and its trouble.
fn doubt(left: &Clause, right: &Clause, left_first: bool) -> Option<Assertion> {
    let (left, right) = (frames::sign_of(left)?, frames::sign_of(right)?);
    let mut order = Assertion::new(Kind::Order);
    order.parts = if left_first { vec![left, right] } else { vec![right, left] };
    Some(order)
}

/// When what took a while began.
fn begun(end: Option<&Assertion>) -> Result<Assertion, UnreadClause> {
    let unread = || UnreadClause::new("from when on is not said");
    let end = end.ok_or_else(unread)?;
    let (kind, role) = match end.kind {
        Kind::IncidentAcknowledged | Kind::IncidentResolved => (Kind::IncidentOpened, Role::Incident),
        Kind::AlertReceived => (Kind::AlertFired, Role::Service),
        _ => return Err(unread()),
    };
    Ok(Assertion::new(kind).with_some(role, end.role(role)))
}
