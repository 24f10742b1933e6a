//! The role of each value by its place in the clause: by the word before it, by the side of the verb, by its noun.

use hindcast_api::{AssertionKind as Kind, AssertionRole as Role};

use crate::figures::{FigureUnit, WrittenFigure};
use crate::filling::{ClausePlace, Filling, UnreadClause};
use crate::lexemes::{Lex, Lexeme};
use crate::orders::is_order;
use crate::read::TextAssertion as Said;
use crate::vocabulary::{Entry, Noun, Prep, Verb};

/// Kinds in which each noun may stand.
const fn may_stand(noun: Noun, kind: Kind) -> bool {
    use Kind as K;
    match noun {
        Noun::Alert => matches!(
            kind,
            K::AlertFired
                | K::AlertReceived
                | K::AlertResolved
                | K::AlertSuppressed
                | K::AlertJoined
                | K::Said
                | K::Sign
        ),
        Noun::Alerts | Noun::Services => matches!(kind, K::Count | K::Sign),
        Noun::Incident => kind.is_of_incident() || matches!(kind, Kind::AlertJoined),
        Noun::Line => matches!(kind, K::LogLine | K::LogBurst | K::LogWritten),
        Noun::New => matches!(kind, K::LogLine),
        Noun::Minute => matches!(kind, K::LogBurst | K::LogWritten),
        Noun::Deploy | Noun::Version | Noun::Change | Noun::Config | Noun::Flag => matches!(kind, K::Change),
        Noun::Deploys => matches!(kind, K::Count),
        Noun::Sign => matches!(kind, K::Sign),
        Noun::Page => matches!(kind, K::Page),
        Noun::Severity => {
            matches!(kind, K::AlertFired | K::IncidentSeveritySet | K::IncidentOpened | K::AlertJoined | K::Page)
        }
        Noun::Score => matches!(kind, K::AlertJoined),
        Noun::Time => matches!(kind, K::AlertFired | K::LogLine | K::LogBurst | K::LogWritten),
        Noun::Service => true,
        Noun::Cause => matches!(kind, K::Cause),
    }
}

impl Filling<'_> {
    pub(crate) fn noun(&mut self, noun: Noun, lexeme: &Lexeme, place: &mut ClausePlace) -> Result<(), UnreadClause> {
        // "fired at severity high" says which one; "fired to severity high" says that it changed
        let changes = matches!(place.prep, Some(Prep::To | Prep::Into | Prep::From | Prep::Until | Prep::Since));
        let misplaced =
            place.prep == Some(Prep::By) || noun == Noun::Severity && changes && self.kind != Kind::IncidentSeveritySet;
        if (!may_stand(noun, self.kind) || misplaced) && self.court.checks.frames {
            return Err(self.unknown(lexeme));
        }
        match noun {
            Noun::Alerts | Noun::Services | Noun::Deploys if self.kind == Kind::Count => {
                let word = match noun {
                    Noun::Alerts => "alerts",
                    Noun::Services => "services",
                    _ => "deploys",
                };
                self.put(Role::Noun, word.to_owned(), lexeme)?;
            }
            Noun::Deploy => self.put(Role::Change, "deploy".to_owned(), lexeme)?,
            Noun::Config => self.put(Role::Change, "config".to_owned(), lexeme)?,
            Noun::Flag => self.put(Role::Change, "flag".to_owned(), lexeme)?,
            _ => {}
        }
        (place.noun, place.prep, place.waits) = (Some(noun), None, false);
        Ok(())
    }

    pub(crate) fn severity(&mut self, word: &str, lexeme: &Lexeme, place: &ClausePlace) -> Result<(), UnreadClause> {
        let is_line = matches!(self.kind, Kind::LogLine | Kind::LogBurst | Kind::LogWritten);
        if is_line {
            let level = if word == "errors" { "error" } else { word };
            let role = if self.kind == Kind::LogWritten
                && self.clause.has_noun(Noun::Minute)
                && !self.clause.has_noun(Noun::Line)
            {
                // "logs an error 90 times a minute"
                Role::Level
            } else if self.after(place.index) == Some(&Lex::Entry(Entry::Noun(Noun::Line))) {
                Role::Level
            } else {
                return Err(self.unknown(lexeme));
            };
            return self.put(role, level.to_owned(), lexeme);
        }
        if self.kind == Kind::MetricMoved && word.starts_with("error") {
            let known = self.roles.entry(Role::Metric).or_default();
            let gap = if known.is_empty() { "" } else { " " };
            known.push_str(gap);
            known.push_str(word);
            return Ok(());
        }
        let severity = matches!(word, "critical" | "high" | "medium" | "low" | "info" | "warning");
        let next = self.after(place.index);
        let named = place.noun == Some(Noun::Severity)
            || matches!(next, Some(Lex::Entry(Entry::Noun(Noun::Severity | Noun::Alert)) | Lex::Thing(Said::Name(_))));
        if severity && named && may_stand(Noun::Severity, self.kind) {
            return self.put(Role::Severity, word.to_owned(), lexeme);
        }
        Err(self.unknown(lexeme))
    }

    pub(crate) fn thing(&mut self, thing: &Said, lexeme: &Lexeme, place: &mut ClausePlace) -> Result<(), UnreadClause> {
        let written = self.reading.written(&lexeme.at).to_owned();
        place.waits = false;
        match thing {
            Said::Service(service) => self.service(service, lexeme, place),
            Said::Name(_) => self.name(written, lexeme),
            Said::Person(_) => self.person(written, lexeme, place),
            Said::Moment(_) => self.moment(written, lexeme, place),
            Said::Stretch(span) if span.ago => {
                let length = written.trim_end_matches("ago").trim_end().to_owned();
                self.put(Role::Ago, length, lexeme)
            }
            Said::Stretch(_) if self.kind == Kind::IncidentLasted => self.put(Role::Length, written, lexeme),
            Said::Stretch(_) => self.level(written, lexeme, place),
            Said::Figure(figure) => self.figure(figure, written, lexeme, place),
            Said::Id(id) => self.id(id, written, lexeme, place),
            Said::Position(_) => self.put(Role::Event, written, lexeme),
            Said::Version(_) if self.kind == Kind::Change => self.put(Role::Version, written, lexeme),
            Said::Severity(word) => self.severity_thing(word, lexeme),
            Said::Quote(_) => self.quote(written, lexeme),
            Said::Version(_) => Err(self.unknown(lexeme)),
        }
    }

    fn severity_thing(&mut self, word: &str, lexeme: &Lexeme) -> Result<(), UnreadClause> {
        if may_stand(Noun::Severity, self.kind) {
            return self.put(Role::Severity, word.to_owned(), lexeme);
        }
        Err(self.unknown(lexeme))
    }

    fn service(&mut self, service: &str, lexeme: &Lexeme, place: &mut ClausePlace) -> Result<(), UnreadClause> {
        if self.kind == Kind::Depends {
            let role = if place.before_verb { Role::Service } else { Role::On };
            return self.put(role, service.to_owned(), lexeme);
        }
        let listed = place.service.is_some_and(|at| {
            let between = self.clause.lexemes.get(at + 1..place.index).unwrap_or_default();
            !between.is_empty() && between.iter().all(|lexeme| lexeme.what == Lex::Mark(','))
        });
        if !self.services.is_empty() && !listed && self.court.checks.frames {
            return Err(self.unknown(lexeme));
        }
        let misplaced = !matches!(place.prep, None | Some(Prep::On | Prep::Of | Prep::From | Prep::At | Prep::Since));
        if misplaced && self.court.checks.frames {
            return Err(self.unknown(lexeme));
        }
        place.service = Some(place.index);
        self.services.push(service.to_owned());
        Ok(())
    }

    fn name(&mut self, written: String, lexeme: &Lexeme) -> Result<(), UnreadClause> {
        match self.kind {
            Kind::MetricMoved => self.put(Role::Metric, written, lexeme),
            Kind::AlertFired
            | Kind::AlertReceived
            | Kind::AlertResolved
            | Kind::AlertSuppressed
            | Kind::AlertJoined
            | Kind::Said
            | Kind::Sign => self.put(Role::Alert, written, lexeme),
            _ => Err(self.unknown(lexeme)),
        }
    }

    /// Who did it: before an active verb, or behind *by*.
    fn person(&mut self, written: String, lexeme: &Lexeme, place: &ClausePlace) -> Result<(), UnreadClause> {
        let subject = place.before_verb && self.verb.is_some() && !self.passive && place.prep.is_none();
        let role = match self.kind {
            Kind::Page if place.before_verb && self.passive || place.prep == Some(Prep::To) => Role::Receiver,
            Kind::IncidentAssigned if place.prep == Some(Prep::To) => Role::To,
            _ if place.prep == Some(Prep::By) || subject || !self.court.checks.frames => Role::Person,
            _ => return Err(self.unknown(lexeme)),
        };
        self.put(role, written, lexeme)
    }

    fn moment(&mut self, written: String, lexeme: &Lexeme, place: &ClausePlace) -> Result<(), UnreadClause> {
        let ends = matches!(self.kind, Kind::IncidentLasted | Kind::AlertSuppressed | Kind::IncidentSnoozed);
        match place.prep {
            Some(Prep::To | Prep::Until) if ends => self.put(Role::Until, written, lexeme),
            None | Some(Prep::At | Prep::On | Prep::Since | Prep::From) => self.put(Role::Time, written, lexeme),
            Some(_) if self.roles.contains_key(&Role::Time) => Err(self.unknown(lexeme)),
            // "of checkout at 03:08" has its preposition; "nginx: 03:08" has none
            Some(Prep::Of | Prep::With) if self.service_before(place.index) => self.put(Role::Time, written, lexeme),
            Some(_) => Err(self.unknown(lexeme)),
        }
    }

    fn service_before(&self, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|index| self.clause.lexemes.get(index));
        before.is_some_and(|lexeme| matches!(lexeme.what, Lex::Mark(_)))
    }

    /// A level before or after.
    fn level(&mut self, written: String, lexeme: &Lexeme, place: &ClausePlace) -> Result<(), UnreadClause> {
        let around = |at: Option<usize>| at.and_then(|at| self.clause.lexemes.get(at)).map(|lexeme| &lexeme.what);
        let arrow = Some(&Lex::Mark('→'));
        let moves = matches!(self.kind, Kind::MetricMoved | Kind::LogBurst);
        let reached = self.verb.is_some_and(|(_, verb, _)| verb == Verb::Reach) && !place.before_verb;
        let role = match place.prep {
            _ if moves && around(Some(place.index + 1)) == arrow => Role::Before,
            _ if moves && around(place.index.checked_sub(1)) == arrow => Role::After,
            Some(Prep::From) if moves => Role::Before,
            Some(Prep::To) if moves => Role::After,
            None if reached && moves => Role::After,
            Some(Prep::Instead) => Role::Before,
            _ => return Err(self.unknown(lexeme)),
        };
        self.put(role, written, lexeme)
    }

    fn figure(
        &mut self,
        figure: &WrittenFigure,
        written: String,
        lexeme: &Lexeme,
        place: &ClausePlace,
    ) -> Result<(), UnreadClause> {
        let lines = matches!(self.kind, Kind::LogLine | Kind::LogBurst | Kind::LogWritten);
        let times = written.ends_with("times") || written.ends_with(['×', 'x']);
        let marked = written.contains('×') || times;
        let of_lines = || {
            let tail = self.clause.lexemes.get(place.index + 1..).unwrap_or_default();
            let mut next = tail.iter().map(|lexeme| &lexeme.what);
            let is_free =
                |what: &&Lex| matches!(what, Lex::Entry(Entry::Free | Entry::Severity(_) | Entry::Noun(Noun::New)));
            matches!(next.find(|what| !is_free(what)), Some(Lex::Entry(Entry::Noun(Noun::Line | Noun::Time))))
        };
        // "A wrote 12 lines and B wrote 5"
        let counted = |before: &hindcast_api::Assertion| before.kind == self.kind && before.role(Role::Count).is_some();
        let gapped = self.before.is_some_and(counted);
        match self.kind {
            Kind::Count if place.noun.is_none() => self.put(Role::Count, written, lexeme),
            Kind::AlertJoined if place.noun == Some(Noun::Score) => self.put(Role::Score, written, lexeme),
            Kind::LogWritten if self.clause.has_noun(Noun::Minute) => match place.prep {
                Some(Prep::Instead) => self.put(Role::Before, written, lexeme),
                _ => self.put(Role::After, written.trim_end_matches("times").trim().to_owned(), lexeme),
            },
            _ if lines && (marked || of_lines() || gapped) => {
                let count = written.trim_start_matches('×').trim_end_matches("times").trim();
                self.put(Role::Count, count.to_owned(), lexeme)
            }
            Kind::MetricMoved | Kind::LogBurst if figure.unit != FigureUnit::Times(1.0) => {
                self.level(written, lexeme, place)
            }
            _ => Err(self.unknown(lexeme)),
        }
    }

    fn id(&mut self, id: &str, written: String, lexeme: &Lexeme, place: &ClausePlace) -> Result<(), UnreadClause> {
        if id.starts_with("evt-") {
            return self.put(Role::Event, written, lexeme);
        }
        if !id.starts_with("inc-") {
            return Err(self.unknown(lexeme));
        }
        let role = match (self.kind, place.prep) {
            (Kind::IncidentMerged, Some(Prep::Into)) | (Kind::IncidentSplit, Some(Prep::From)) => Role::Incident,
            (Kind::IncidentMerged | Kind::IncidentSplit, None) => Role::Other,
            (Kind::IncidentRecurred, _) if !place.before_verb => Role::Other,
            (Kind::IncidentMerged | Kind::IncidentSplit, _) => return Err(self.unknown(lexeme)),
            _ => Role::Incident,
        };
        self.put(role, written, lexeme)
    }

    /// A quotation is somebody's words, and stands only where it is said whose.
    fn quote(&mut self, written: String, lexeme: &Lexeme) -> Result<(), UnreadClause> {
        let may = matches!(
            self.kind,
            Kind::Said
                | Kind::LogLine
                | Kind::LogBurst
                | Kind::LogWritten
                | Kind::Change
                | Kind::IncidentOpened
                | Kind::IncidentDeclared
                | Kind::IncidentResolved
                | Kind::Cause
        );
        if !may || (self.court.checks.senders && is_order(&written)) {
            return Err(self.unknown(lexeme));
        }
        self.put(Role::Quote, written, lexeme)
    }
}
