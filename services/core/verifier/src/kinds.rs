//! Which kind of assertion a clause makes, by its verb and its nouns. Refuses to know which role a value has.

use std::collections::BTreeMap;

use hindcast_api::{Assertion, AssertionKind as Kind, AssertionRole as Role};

use crate::clauses::Clause;
use crate::filling::UnreadClause;
use crate::lexemes::Lex;
use crate::read::TextAssertion as Said;
use crate::vocabulary::{Entry, Noun, Verb};

/// The kind of a clause.
pub(crate) fn kind(clause: &Clause, before: Option<&Assertion>) -> Result<Kind, UnreadClause> {
    match clause.verb() {
        Some((_, verb, _)) => of_verb(verb, clause, before),
        None => without_verb(clause, before),
    }
}

fn has(clause: &Clause, is: impl Fn(&Said) -> bool) -> bool {
    clause.has(|what| matches!(what, Lex::Thing(said) if is(said)))
}

fn has_figure(clause: &Clause) -> bool {
    has(clause, |said| matches!(said, Said::Figure(_)))
}

fn has_name(clause: &Clause) -> bool {
    has(clause, |said| matches!(said, Said::Name(_)))
}

fn has_service(clause: &Clause) -> bool {
    has(clause, |said| matches!(said, Said::Service(_)))
}

fn has_metric(clause: &Clause) -> bool {
    let errors = |what: &Lex| matches!(what, Lex::Metric(_) | Lex::Entry(Entry::Severity("error" | "errors")));
    clause.has(errors) || has_name(clause)
}

fn is_alert(clause: &Clause) -> bool {
    clause.has_noun(Noun::Alert) || has_name(clause)
}

fn is_change(clause: &Clause) -> bool {
    [Noun::Deploy, Noun::Change].iter().any(|noun| clause.has_noun(*noun))
}

fn of_verb(verb: Verb, clause: &Clause, before: Option<&Assertion>) -> Result<Kind, UnreadClause> {
    let line = clause.has_noun(Noun::Line);
    let counted =
        has_figure(clause) && [Noun::Alerts, Noun::Services, Noun::Deploys].iter().any(|noun| clause.has_noun(*noun));
    Ok(match verb {
        Verb::Fire | Verb::Happen | Verb::Deploy if counted => Kind::Count,
        Verb::Fire | Verb::Raise => Kind::AlertFired,
        Verb::Receive if is_alert(clause) => Kind::AlertReceived,
        Verb::Clear => Kind::AlertResolved,
        Verb::Resolve => {
            let of_alert = is_alert(clause) || has_service(clause);
            if of_alert { Kind::AlertResolved } else { Kind::IncidentResolved }
        }
        Verb::Suppress => Kind::AlertSuppressed,
        Verb::Open | Verb::Exist => Kind::IncidentOpened,
        Verb::Declare => Kind::IncidentDeclared,
        Verb::Acknowledge => Kind::IncidentAcknowledged,
        Verb::Unacknowledge => Kind::IncidentUnacknowledged,
        Verb::Reopen => Kind::IncidentReopened,
        Verb::Merge => Kind::IncidentMerged,
        Verb::Split => Kind::IncidentSplit,
        Verb::Assign => Kind::IncidentAssigned,
        Verb::Snooze => Kind::IncidentSnoozed,
        Verb::Set if clause.has_noun(Noun::Severity) => Kind::IncidentSeveritySet,
        Verb::Last => Kind::IncidentLasted,
        Verb::Join => Kind::AlertJoined,
        Verb::Recur => Kind::IncidentRecurred,
        Verb::Deploy if clause.has_noun(Noun::Page) => Kind::Page,
        Verb::Deploy | Verb::Reach if clause.has(|what| matches!(what, Lex::Metric(_))) => Kind::MetricMoved,
        Verb::Deploy => Kind::Change,
        Verb::Flag if is_change(clause) => Kind::Change,
        Verb::Up | Verb::Down | Verb::Went if line => Kind::LogBurst,
        Verb::Up | Verb::Down | Verb::Went | Verb::Reach if has_metric(clause) => Kind::MetricMoved,
        Verb::Appear if line => Kind::LogLine,
        Verb::Write if clause.has_noun(Noun::New) || clause.has(|what| *what == Lex::Ordinal(1)) => Kind::LogLine,
        Verb::Write => Kind::LogWritten,
        Verb::Page => Kind::Page,
        Verb::Go if clause.has_noun(Noun::Page) => Kind::Page,
        Verb::Show => Kind::Sign,
        Verb::Say => Kind::Said,
        Verb::Depend => Kind::Depends,
        Verb::Happen if is_change(clause) => Kind::Change,
        Verb::Happen if line && has_figure(clause) => Kind::LogWritten,
        Verb::Happen if line => Kind::LogLine,
        Verb::Happen if clause.has_noun(Noun::Sign) => Kind::Sign,
        Verb::Happen if is_alert(clause) => Kind::AlertFired,
        Verb::Happen if clause.has(|what| *what == Lex::Entry(Entry::It)) => before
            .map(|before| before.kind)
            .filter(|kind| *kind == Kind::AlertReceived)
            .map_or_else(|| Err(UnreadClause::new("what began is not said")), |_| Ok(Kind::AlertFired))?,
        Verb::Did => before.map(|before| before.kind).ok_or_else(|| UnreadClause::new("what was done is not said"))?,
        Verb::Rank | Verb::Name => Kind::Cause,
        _ => return Err(UnreadClause::new("its verb says nothing of an event")),
    })
}

/// A clause without a verb: a label with its values, or a form of *to be* between a thing and its values.
fn without_verb(clause: &Clause, before: Option<&Assertion>) -> Result<Kind, UnreadClause> {
    let be = clause.has(|what| *what == Lex::Entry(Entry::Be));
    let colon = clause.has(|what| *what == Lex::Mark(':'));
    let arrow = clause.has(|what| *what == Lex::Mark('→'));
    let it = clause.has(|what| *what == Lex::Entry(Entry::It));
    let severity = clause.has_noun(Noun::Severity)
        && clause.has(|what| matches!(what, Lex::Entry(Entry::Severity(_)) | Lex::Thing(Said::Severity(_))));
    let event = has(clause, |said| matches!(said, Said::Id(_) | Said::Position(_)));
    let moment = has(clause, |said| matches!(said, Said::Moment(_)));
    if clause.goes_on
        && let Some(before) = before
        && has_service(clause)
        && !be
    {
        return Ok(before.kind);
    }
    Ok(match () {
        () if arrow && has_metric(clause) => Kind::MetricMoved,
        () if be && severity && (is_alert(clause) || has_service(clause)) => Kind::AlertFired,
        () if be && event && clause.has_noun(Noun::Alert) => Kind::AlertFired,
        () if it && has_figure(clause) && clause.has_noun(Noun::Alerts) => Kind::Count,
        () if be && clause.has_noun(Noun::Line) && has_figure(clause) => Kind::LogWritten,
        () if clause.has_noun(Noun::New) && clause.has_noun(Noun::Line) && has_service(clause) => Kind::LogLine,
        () if colon && moment && has_name(clause) => Kind::AlertFired,
        () if colon && moment && has_service(clause) => Kind::Sign,
        () => return Err(UnreadClause::new("it says of no event that it happened")),
    })
}

/// The kind of one side of an order that is a thing alone: `the deploy of checkout`, `that of redis`, `redis`.
pub(crate) fn side(clause: &Clause, before: Option<&Assertion>) -> Result<Kind, UnreadClause> {
    let article = clause.has(|what| *what == Lex::Entry(Entry::Free));
    if clause.verb().is_some() {
        return Err(UnreadClause::new("its verb says nothing of an event"));
    }
    if is_change(clause) && article {
        return Ok(Kind::Change);
    }
    if clause.has_noun(Noun::Alert) {
        return Ok(Kind::AlertFired);
    }
    if has_service(clause) {
        let kind = before.map(|before| before.kind).filter(|kind| matches!(kind, Kind::AlertFired | Kind::Sign));
        return Ok(kind.unwrap_or(Kind::Sign));
    }
    Err(UnreadClause::new("one side of the order is no event"))
}

/// Whether a kind of event is about a thing of a role.
pub(crate) const fn is_about(kind: Kind, role: Role) -> bool {
    match role {
        Role::Incident => !matches!(
            kind,
            Kind::AlertFired
                | Kind::AlertReceived
                | Kind::AlertResolved
                | Kind::AlertSuppressed
                | Kind::Change
                | Kind::MetricMoved
                | Kind::LogLine
                | Kind::LogBurst
                | Kind::LogWritten
                | Kind::Sign
        ),
        Role::Alert => {
            matches!(
                kind,
                Kind::AlertFired
                    | Kind::AlertReceived
                    | Kind::AlertResolved
                    | Kind::AlertSuppressed
                    | Kind::AlertJoined
            )
        }
        _ => true,
    }
}

/// Whether a clause says enough to be looked up at all.
pub(crate) fn complete(kind: Kind, roles: &BTreeMap<Role, String>, services: &[String]) -> Result<(), UnreadClause> {
    let needs: &[Role] = match kind {
        Kind::Said => &[Role::Quote],
        Kind::IncidentLasted => &[Role::Length, Role::Until],
        Kind::Depends => &[Role::On],
        Kind::MetricMoved => &[Role::Metric],
        Kind::Count => &[Role::Count, Role::Noun],
        Kind::Cause => &[Role::Rank, Role::Quote],
        _ => &[],
    };
    let any = needs.is_empty() || needs.iter().any(|role| roles.contains_key(role));
    let about = matches!(kind, Kind::Sign) && services.is_empty() && !roles.contains_key(&Role::Service);
    if any && !about { Ok(()) } else { Err(UnreadClause::new("it says too little to be looked up")) }
}
