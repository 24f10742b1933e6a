//! Commands about silences and maintenance windows, which belong to the tenant as a whole. Owns the many
//! spellings of a matcher and of an end; what a silence does is its lane's business.

use axum::extract::{Path, State};
use hindcast_api::{Code, Silence};
use hindcast_domain::command::Command;
use hindcast_domain::silence::{Kind, Matcher, NotRepeating, RepeatingWindow, Terms};
use hindcast_domain::{Partition, SilenceId, Time};
use hindcast_http::{HttpRefusal, Result};
use hindcast_redact::Redactor;
use serde_json::Value;

use super::body::{self, Json, Match, RepeatSpelling, invalid};
use super::{CommandAnswer, CommandResult, Order, Relative, RequestActor};
use crate::Console;

/// Creates a silence.
///
/// # Errors
/// What [`Console::silence`] refuses.
pub async fn create(
    State(console): State<Console>,
    asker: RequestActor,
    Json(body): Json,
) -> Result<CommandAnswer<Silence>> {
    console.silence(asker, body).await
}

/// Ends a silence.
///
/// # Errors
/// What [`Console::unsilence`] refuses.
pub async fn expire(
    State(console): State<Console>,
    Path(id): Path<String>,
    asker: RequestActor,
) -> Result<CommandAnswer<Silence>> {
    console.unsilence(&id, asker).await
}

impl Console {
    /// Creates a silence, or replaces one.
    ///
    /// # Errors
    /// 422 for terms that make no sense, 404 for an unknown one to replace, and what [`Console::submit`] refuses.
    pub async fn silence(&self, asker: RequestActor, body: Value) -> Result<CommandAnswer<Silence>> {
        let body: body::SilenceBody = body::read(body)?;
        let replaces = match body.replaces.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => Some(silence_id(&self.queries().now().await?.silence(id).await?.id)?),
            None => None,
        };
        let now = self.now();
        let (mut terms, relative) = terms(body, &asker.actor, now)?;
        for matcher in &mut terms.matchers {
            let mut redactor = Redactor::telling_apart(self.inner.options.redaction.clone());
            matcher.clean(|name, value| redactor.label(name, value)).map_err(|error| invalid(error.to_string()))?;
        }
        terms.check(now).map_err(|error| invalid(error.to_string()))?;
        let order = Order {
            partition: Partition::whole(Partition::TENANT),
            subject: "silence".to_owned(),
            command: Command::CreateSilence { terms, replaces },
            relative,
        };
        match self.submit(&asker, order).await? {
            CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
            CommandResult::Accepted { subjects, .. } => {
                // A replacement also ends the old one, behind the new one.
                let seen = self.queries().now().await?;
                let mut newest: Option<Silence> = None;
                for id in subjects.iter().filter(|subject| subject.starts_with(SilenceId::PREFIX)) {
                    let silence = seen.silence(id).await?;
                    if newest.as_ref().is_none_or(|known| known.ended.is_some()) {
                        newest = Some(silence);
                    }
                }
                let silence =
                    newest.ok_or_else(|| HttpRefusal::new(Code::Internal, "the decision named no silence"))?;
                let at = format!("/api/v1/silences/{}", silence.id);
                Ok(CommandAnswer::Created(silence, at))
            }
        }
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// 404 and 412 by the view, and what [`Console::submit`] refuses.
    pub async fn unsilence(&self, id: &str, asker: RequestActor) -> Result<CommandAnswer<Silence>> {
        let silence = self.queries().now().await?.silence(id).await?;
        if let Some(seen) = asker.if_match.filter(|seen| *seen != silence.revision) {
            let detail = format!("expected revision {seen} of {}, it is at {}", silence.id, silence.revision);
            return Err(HttpRefusal::new(Code::StaleRevision, detail));
        }
        let order = Order {
            partition: Partition::whole(Partition::TENANT),
            subject: silence.id.clone(),
            command: Command::ExpireSilence { silence: silence_id(&silence.id)? },
            relative: Relative::No,
        };
        match self.submit(&asker, order).await? {
            CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
            CommandResult::Accepted { .. } => {
                Ok(CommandAnswer::Changed(self.queries().now().await?.silence(&silence.id).await?))
            }
        }
    }
}

fn silence_id(id: &str) -> Result<SilenceId> {
    id.parse().map_err(|_| HttpRefusal::new(Code::Internal, "a view holds no id of a silence"))
}

fn terms(body: body::SilenceBody, actor: &str, now: Time) -> Result<(Terms, Relative)> {
    let repeats = body.repeats.map(repeat).transpose()?;
    let earliest = body.starts_at.unwrap_or(now);
    let first = repeats.as_ref().map(|repeats| first(repeats, earliest.max(now))).transpose()?;
    let starts_at = first.map_or(earliest, |(start, _)| start);
    let (ends_at, relative) = match (body.ends_at, body.duration) {
        (None, None) if first.is_some() => (first.map_or(starts_at, |(_, end)| end), Relative::No),
        _ if first.is_some() => {
            return Err(invalid("expected `repeats` alone, got an end as well: each window ends at `to`"));
        }
        (Some(end), None) if body.starts_at.is_none() => (end, Relative::Start),
        (Some(end), None) => (end, Relative::No),
        (None, Some(duration)) => {
            let span = duration.span().ok_or_else(|| invalid("expected a duration such as 90m, 2h or 1d"))?;
            (starts_at + span, if body.starts_at.is_none() { Relative::Both } else { Relative::No })
        }
        _ => {
            return Err(invalid("expected either ends_at (a time) or duration (such as 2h)"));
        }
    };
    let environment = body.environment.filter(|name| !name.trim().is_empty());
    let terms = Terms {
        matchers: body.matchers.into_iter().map(matcher).collect::<Result<_>>()?,
        starts_at,
        ends_at,
        created_by: body::maybe("created_by", body.created_by)?.unwrap_or_else(|| actor.to_owned()),
        comment: body::text("comment", &body.comment)?,
        kind: body.kind.unwrap_or(Kind::Silence),
        environment: environment.map(|name| Partition::of_environment(&name).environment),
        repeats,
    };
    Ok((terms, relative))
}

fn repeat(spelt: RepeatSpelling) -> Result<RepeatingWindow> {
    match spelt {
        RepeatSpelling::Object(repeats) => Ok(repeats),
        RepeatSpelling::Text(text) => text.parse().map_err(|error: NotRepeating| invalid(error.to_string())),
    }
}

/// The first window that is not over at `earliest`.
fn first(repeats: &RepeatingWindow, earliest: Time) -> Result<(Time, Time)> {
    let first = repeats.next(None, earliest).map_err(|error| invalid(error.to_string()))?;
    first.ok_or_else(|| invalid(NotRepeating::Never.to_string()))
}

fn matcher(spelt: Match) -> Result<Matcher> {
    match spelt {
        Match::Object(object) => {
            Ok(Matcher::new(object.name, object.value, object.is_regex, object.is_equal.unwrap_or(true)))
        }
        Match::Text(text) => matcher_of(&text),
    }
}

/// Reads `service=pg`, `service!="pg"`, `service=~"pg|redis"`, `"host.name"!~"pg.*"`.
///
/// # Errors
/// 422 for anything else.
pub fn matcher_of(text: &str) -> Result<Matcher> {
    text.parse().map_err(|why| {
        invalid(format!("expected a matcher such as service=\"pg\" or service=~\"pg|redis\", {why}: {text:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_by_the_one_grammar() {
        let read = |text: &str| matcher_of(text).ok();
        assert_eq!(read(r#""host.name"="srv-9""#), Some(Matcher::equal("host.name", "srv-9")));
        assert_eq!(read(r#"instance=~"10\.0\.0\..*""#), Some(Matcher::new("instance", r"10\.0\.0\..*", true, true)));
        for bad in ["", "service", "=x", "a=\"b", "!x"] {
            assert!(matcher_of(bad).is_err(), "{bad}");
        }
    }
}
