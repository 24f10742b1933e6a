//! Frames: what each verb may say of whom, and which role each value of its clause has. Owns the rules of place: who
//! did it stands before an active verb or behind *by*, a level before stands behind *from*, and so on.

use std::collections::BTreeMap;

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role, AssertionSource};

use crate::clauses::Clause;
use crate::court::Court;
use crate::filling::{ClausePlace, Filling, UnreadClause};
use crate::kinds;
use crate::lexemes::{Lex, Lexeme};
use crate::read::{TextAssertion, TextReading};
use crate::vocabulary::{Entry, Noun, Prep, Verb};

/// Words for trouble, which say no more than that there was a sign.
const TROUBLE: [&str; 21] = [
    "error", "errors", "failure", "failures", "trouble", "fail", "fails", "failed", "failing", "refusals", "outage",
    "broke", "broken", "breaks", "followed", "too", "showed", "shows", "sign", "signs", "began",
];

/// The sign of the one service that a clause names, where it says nothing else than that there was trouble.
pub(crate) fn sign_of(clause: &Clause) -> Option<Assertion> {
    let mut found = None;
    for lexeme in &clause.lexemes {
        match &lexeme.what {
            Lex::Thing(TextAssertion::Service(service)) if found.is_none() => found = Some(service.clone()),
            Lex::Unknown(word) | Lex::Metric(word) if TROUBLE.contains(&word.as_str()) => {}
            Lex::Entry(
                Entry::Be
                | Entry::Free
                | Entry::Prep(_)
                | Entry::Severity("error" | "errors")
                | Entry::Noun(Noun::Sign | Noun::Alert)
                | Entry::Verb(Verb::Fire | Verb::Show | Verb::Did | Verb::Happen)
                | Entry::Base(Verb::Fire),
            )
            | Lex::Ordinal(_) => {}
            _ => return None,
        }
    }
    found.map(|service| Assertion::new(Kind::Sign).with(Role::Service, service))
}

/// Reads a clause that is one side of an order: it may be a thing alone.
pub(crate) fn read_side(
    clause: &Clause,
    before: Option<&Assertion>,
    reading: &TextReading,
    court: &Court,
) -> Result<Vec<Assertion>, UnreadClause> {
    let kind = kinds::side(clause, before).or_else(|_| kinds::kind(clause, before));
    let kind = kind.map_err(|unread| named(clause, reading, unread))?;
    fill(kind, clause, before, reading, court)
}

/// Reads a clause as one assertion, or as one for each service of a list.
pub(crate) fn read(
    clause: &Clause,
    before: Option<&Assertion>,
    reading: &TextReading,
    court: &Court,
) -> Result<Vec<Assertion>, UnreadClause> {
    let kind = kinds::kind(clause, before).map_err(|unread| named(clause, reading, unread))?;
    fill(kind, clause, before, reading, court).map_err(|unread| {
        let doubt = beginning(clause).and_then(|head| fill(kind, &head, before, reading, court).ok());
        UnreadClause { doubt: doubt.unwrap_or_default(), ..unread }
    })
}

/// A clause without what stands behind the last comma or bracket before its first unknown word.
fn beginning(clause: &Clause) -> Option<Clause> {
    let unknown = clause.lexemes.iter().position(|lexeme| matches!(lexeme.what, Lex::Unknown(_)))?;
    let head = clause.lexemes.get(..unknown)?;
    let end = head.iter().rposition(|lexeme| matches!(lexeme.what, Lex::Mark(',' | '(')))?;
    let head = Clause { lexemes: clause.lexemes.get(..end)?.to_vec(), ..clause.clone() };
    head.verb().map(|_| head)
}

/// The words that are not known are the better reason.
fn named(clause: &Clause, reading: &TextReading, unread: UnreadClause) -> UnreadClause {
    let is_unknown = |lexeme: &&Lexeme| matches!(lexeme.what, Lex::Unknown(_));
    let unknown: Vec<&str> =
        clause.lexemes.iter().filter(is_unknown).map(|lexeme| reading.written(&lexeme.at)).take(4).collect();
    if unknown.is_empty() { unread } else { UnreadClause::new(format!("nothing says {:?}", unknown.join(" "))) }
}

fn fill(
    kind: Kind,
    clause: &Clause,
    before: Option<&Assertion>,
    reading: &TextReading,
    court: &Court,
) -> Result<Vec<Assertion>, UnreadClause> {
    let verb = clause.verb();
    let passive = verb.is_some_and(|(index, verb, _)| is_passive(clause, index, verb));
    let mut filling = Filling {
        kind,
        clause,
        reading,
        court,
        before,
        roles: BTreeMap::new(),
        services: Vec::new(),
        verb,
        passive,
        denied: 0,
        nobody: false,
        it: false,
    };
    filling.lexemes()?;
    filling.subject()?;
    filling.done()
}

fn is_passive(clause: &Clause, index: usize, verb: Verb) -> bool {
    let head = clause.lexemes.get(..index).unwrap_or_default();
    let last = head.iter().rev().find(|lexeme| !matches!(lexeme.what, Lex::Entry(Entry::Not | Entry::Free)));
    last.is_some_and(|lexeme| lexeme.what == Lex::Entry(Entry::Be)) && !matches!(verb, Verb::Recur)
}

impl Filling<'_> {
    fn lexemes(&mut self) -> Result<(), UnreadClause> {
        let mut place = ClausePlace::default();
        let clause = self.clause;
        for (index, lexeme) in clause.lexemes.iter().enumerate() {
            place.index = index;
            place.before_verb = self.verb.is_none_or(|(at, _, _)| index < at);
            match &lexeme.what {
                Lex::Entry(entry) => self.entry(*entry, lexeme, &mut place)?,
                Lex::Mark(',' | ':' | '(' | ')' | '–' | '—' | '-' | '→') => {}
                Lex::Metric(word) if self.kind == Kind::MetricMoved => self.metric(word)?,
                Lex::Ordinal(number) => self.ordinal(*number, lexeme, &place)?,
                Lex::Receiver(name) if self.kind == Kind::Page => self.put(Role::Receiver, name.clone(), lexeme)?,
                Lex::Thing(thing) => self.thing(thing, lexeme, &mut place)?,
                Lex::Unknown(_) | Lex::Mark(_) if !self.court.checks.words => {}
                _ => return Err(self.unknown(lexeme)),
            }
            place.waits &= !matches!(lexeme.what, Lex::Metric(_) | Lex::Receiver(_) | Lex::Ordinal(_));
        }
        match clause.lexemes.last() {
            Some(last) if place.waits && self.court.checks.frames => Err(self.unknown(last)),
            _ => Ok(()),
        }
    }

    fn entry(&mut self, entry: Entry, lexeme: &Lexeme, place: &mut ClausePlace) -> Result<(), UnreadClause> {
        match entry {
            Entry::Verb(_) | Entry::Base(_) => {
                if self.verb.is_some_and(|(at, _, _)| at != place.index) || place.waits && self.court.checks.frames {
                    return Err(self.unknown(lexeme));
                }
                let denied = self.clause.lexemes.get(..place.index).unwrap_or_default().last();
                let base = matches!(entry, Entry::Base(_));
                if base && !denied.is_some_and(|lexeme| lexeme.what == Lex::Entry(Entry::DidNot)) {
                    return Err(self.unknown(lexeme));
                }
                place.prep = None;
            }
            Entry::Not | Entry::DidNot => self.denied += 1,
            Entry::Nobody => {
                self.denied += 1;
                self.nobody = true;
            }
            Entry::It => {
                self.it = true;
                place.waits = false;
            }
            Entry::Be | Entry::Free | Entry::Somebody | Entry::Up | Entry::Down => {}
            Entry::Prep(prep) => {
                if place.waits && self.court.checks.frames {
                    return Err(self.unknown(lexeme));
                }
                // "from 03:11 on"
                let on = prep == Prep::On && matches!(place.prep, Some(Prep::From | Prep::Since));
                place.waits = !on;
                place.prep = Some(prep);
            }
            Entry::Noun(noun) => self.noun(noun, lexeme, place)?,
            Entry::Severity(word) => {
                place.waits = false;
                self.severity(word, lexeme, place)?;
            }
            Entry::ClauseLink(_) => return Err(self.unknown(lexeme)),
        }
        Ok(())
    }

    fn metric(&mut self, word: &str) -> Result<(), UnreadClause> {
        let known = self.roles.entry(Role::Metric).or_default();
        if known.contains('_') {
            return Err(UnreadClause::new(format!("nothing says {word:?}")));
        }
        if !known.is_empty() {
            known.push(' ');
        }
        known.push_str(word);
        Ok(())
    }

    fn ordinal(&mut self, number: u32, lexeme: &Lexeme, place: &ClausePlace) -> Result<(), UnreadClause> {
        let is_time = self.after(place.index) == Some(&Lex::Entry(Entry::Noun(Noun::Time)));
        match self.kind {
            Kind::AlertFired if is_time => {
                self.put(Role::Occurrence, self.reading.written(&lexeme.at).to_owned(), lexeme)
            }
            Kind::LogLine if is_time && number == 1 => Ok(()),
            Kind::Cause => self.put(Role::Rank, number.to_string(), lexeme),
            _ => Err(self.unknown(lexeme)),
        }
    }

    /// Somebody or something does it; an order to do it has no subject.
    fn subject(&mut self) -> Result<(), UnreadClause> {
        let Some((at, verb, _)) = self.verb else {
            return Ok(());
        };
        let head = self.clause.lexemes.get(..at).unwrap_or_default();
        let named = head.iter().any(|lexeme| match &lexeme.what {
            Lex::Thing(_) | Lex::Receiver(_) | Lex::Metric(_) => true,
            Lex::Entry(entry) => {
                matches!(entry, Entry::Noun(_) | Entry::It | Entry::Nobody | Entry::Somebody | Entry::Severity(_))
            }
            _ => false,
        });
        let inherited = self.clause.goes_on && self.before.is_some();
        if named || inherited || !self.court.checks.frames {
            return Ok(());
        }
        Err(UnreadClause::new(format!("who or what {:?} is not said", format!("{verb:?}").to_lowercase())))
    }

    fn done(mut self) -> Result<Vec<Assertion>, UnreadClause> {
        self.inherit();
        if self.denied > 1 {
            return Err(UnreadClause::new("it denies twice"));
        }
        if self.nobody && !matches!(self.kind, Kind::IncidentAcknowledged | Kind::IncidentResolved) {
            return Err(UnreadClause::new("of what nobody did is not read"));
        }
        kinds::complete(self.kind, &self.roles, &self.services)?;
        for (noun, role) in [(Noun::Severity, Role::Severity), (Noun::Score, Role::Score)] {
            if self.clause.has_noun(noun) && !self.roles.contains_key(&role) {
                return Err(UnreadClause::new("a noun has no value"));
            }
        }
        let person = self.kind == Kind::Said && self.roles.contains_key(&Role::Person)
            || self.kind == Kind::Cause && !self.roles.contains_key(&Role::Rank);
        match self.verb {
            Some((_, Verb::Up, _)) if self.kind == Kind::MetricMoved => {
                self.roles.insert(Role::Direction, "up".to_owned());
            }
            Some((_, Verb::Down, _)) if self.kind == Kind::MetricMoved => {
                self.roles.insert(Role::Direction, "down".to_owned());
            }
            Some((_, Verb::Deploy, _)) if self.kind == Kind::Change => {
                self.roles.entry(Role::Change).or_insert_with(|| "deploy".to_owned());
            }
            // a burst is a line that comes more often
            Some((_, Verb::Down, _)) if self.kind == Kind::LogBurst => {
                return Err(UnreadClause::new("that a line came less often is not read"));
            }
            _ => {}
        }
        let mut one = Assertion::new(self.kind);
        one.source = match self.kind {
            Kind::Said | Kind::Cause if person => AssertionSource::Person,
            Kind::Said => AssertionSource::Sender,
            Kind::Cause => AssertionSource::Concluded,
            _ => AssertionSource::Observed,
        };
        one.denied = self.denied > 0;
        one.roles = self.roles;
        if self.services.is_empty() {
            return Ok(vec![one]);
        }
        Ok(self.services.into_iter().map(|service| one.clone().with(Role::Service, service)).collect())
    }

    /// `it`, and a subject that is left out, are what the clause before was about.
    fn inherit(&mut self) {
        let Some(before) = self.before else {
            return;
        };
        let own = !self.services.is_empty()
            || [Role::Alert, Role::Incident, Role::Service].iter().any(|role| self.roles.contains_key(role));
        let left_out = self.clause.goes_on && !self.clause.has(|what| matches!(what, Lex::Entry(Entry::Noun(_))));
        if own || !(self.it || left_out) {
            return;
        }
        for role in [Role::Incident, Role::Service, Role::Alert] {
            let fits = role == Role::Service || kinds::is_about(self.kind, role);
            if let Some(value) = before.role(role).filter(|_| fits) {
                self.roles.insert(role, value.to_owned());
            }
        }
    }
}
