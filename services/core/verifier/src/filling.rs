//! What the reader of a clause has: the clause, where it stands in it, and the values that it found a role for. Refuses
//! to know which role that is.

use std::collections::BTreeMap;

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role};

use crate::clauses::Clause;
use crate::court::Court;
use crate::lexemes::{Lex, Lexeme};
use crate::read::TextReading;
use crate::vocabulary::{Entry, Noun, Prep, Verb};

/// Why a clause was not read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnreadClause {
    pub why: String,
    /// What it says at least, which may be contradicted.
    pub doubt: Vec<Assertion>,
}

impl UnreadClause {
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), doubt: Vec::new() }
    }
}

/// Where the reader of a clause stands.
#[derive(Debug, Default)]
pub(crate) struct ClausePlace {
    pub index: usize,
    pub prep: Option<Prep>,
    /// Whether nothing stands behind that word yet.
    pub waits: bool,
    pub noun: Option<Noun>,
    pub before_verb: bool,
    /// The place of the last service, for a list.
    pub service: Option<usize>,
}

/// What was filled in so far.
pub(crate) struct Filling<'a> {
    pub kind: Kind,
    pub clause: &'a Clause,
    pub reading: &'a TextReading,
    pub court: &'a Court,
    pub before: Option<&'a Assertion>,
    pub roles: BTreeMap<Role, String>,
    pub services: Vec<String>,
    pub verb: Option<(usize, Verb, bool)>,
    /// Whether the verb is passive.
    pub passive: bool,
    /// How often it denies.
    pub denied: u32,
    pub nobody: bool,
    pub it: bool,
}

impl Filling<'_> {
    /// A word that nothing licenses.
    pub fn unknown(&self, lexeme: &Lexeme) -> UnreadClause {
        UnreadClause::new(format!("nothing says {:?}", self.reading.written(&lexeme.at)))
    }

    /// Puts a value into its role; a second one has no place.
    pub fn put(&mut self, role: Role, value: String, lexeme: &Lexeme) -> Result<(), UnreadClause> {
        if self.roles.contains_key(&role) {
            return Err(self.unknown(lexeme));
        }
        self.roles.insert(role, value);
        Ok(())
    }

    /// The next lexeme that says something.
    pub fn after(&self, index: usize) -> Option<&Lex> {
        let tail = self.clause.lexemes.get(index + 1..)?;
        tail.iter().map(|lexeme| &lexeme.what).find(|what| !matches!(what, Lex::Entry(Entry::Free)))
    }
}
