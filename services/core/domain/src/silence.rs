//! Silences and maintenance windows: who is held back, and until when. A silence loses nothing: an alert
//! that it holds back is recorded with its end, and counts when the silence ends.

mod repeat;

use crate::events;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::id::SilenceId;
use crate::limits::MATCHERS_MAX;
pub use crate::matcher::Matcher;
use crate::time::Time;
use crate::words::SilenceEnd;
pub use repeat::{Day, NotRepeating, RepeatingWindow};

/// What is wrong with a silence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// No matcher, or only ones that match everything.
    #[error("expected at least one matcher that does not match an empty value, got none")]
    MatchesEverything,
    /// Too many matchers.
    #[error("expected at most {MATCHERS_MAX} matchers, got {0}")]
    TooMany(usize),
    /// A regular expression that does not compile.
    #[error("expected a regular expression, got {0:?}")]
    NotARegex(String),
    /// A matcher without a label's name.
    #[error("expected a label's name in every matcher, got an empty one")]
    NoName,
    /// It ends before it starts.
    #[error("expected an end after the start, got {ends_at} after {starts_at}")]
    EndsFirst {
        /// The rejected start.
        starts_at: Time,
        /// The rejected end, which is not after the start.
        ends_at: Time,
    },
    /// It is over before it begins.
    #[error("expected an end in the future, got {0}")]
    AlreadyOver(Time),
    /// It cannot come round as it says.
    #[error(transparent)]
    RepeatingWindow(#[from] NotRepeating),
}

/// Whether it was made for a reason of the moment or planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody wants quiet.
    Silence,
    /// Work that was announced.
    Maintenance,
}

/// What a silence says. The same shape is the command and the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// All of these must match.
    pub matchers: Vec<Matcher>,
    /// Start of the silence; a silence may begin in the future.
    pub starts_at: Time,
    /// Until when.
    pub ends_at: Time,
    /// Who asked for it.
    pub created_by: String,
    /// The reason, in the person's words.
    pub comment: String,
    /// A silence or a maintenance window.
    pub kind: Kind,
    /// Only in this environment; in all of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// When it comes round again; once only where absent. Each time is a silence of its own, with the same terms and
    /// later times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<RepeatingWindow>,
}

impl Terms {
    /// Checks matchers and times against `now`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, now: Time) -> Result<(), Invalid> {
        if self.matchers.len() > MATCHERS_MAX {
            return Err(Invalid::TooMany(self.matchers.len()));
        }
        if self.matchers.iter().any(|matcher| matcher.name.is_empty()) {
            return Err(Invalid::NoName);
        }
        if let Some(bad) = self.matchers.iter().find(|matcher| !matcher.is_sound()) {
            return Err(Invalid::NotARegex(bad.value.clone()));
        }
        if self.matchers.iter().all(|matcher| matcher.matches_value("")) {
            return Err(Invalid::MatchesEverything);
        }
        if self.ends_at <= self.starts_at {
            return Err(Invalid::EndsFirst { starts_at: self.starts_at, ends_at: self.ends_at });
        }
        if self.ends_at <= now {
            return Err(Invalid::AlreadyOver(self.ends_at));
        }
        self.repeats.as_ref().map_or(Ok(()), |repeats| Ok(repeats.check()?))
    }

    /// The same terms at the next time that they come round after this one, where they do and that is not over at
    /// `now`.
    #[must_use]
    pub fn next(&self, now: Time) -> Option<Self> {
        let (starts_at, ends_at) = self.repeats.as_ref()?.next(Some(self.starts_at), now).ok()??;
        Some(Self { starts_at, ends_at, ..self.clone() })
    }

    /// Whether an alert of `environment` with `labels` is meant.
    #[must_use]
    pub fn covers(&self, environment: &str, labels: &BTreeMap<String, String>) -> bool {
        self.environment.as_deref().is_none_or(|only| only == environment)
            && self.matchers.iter().all(|matcher| matcher.matches(labels))
    }
}

/// A silence began to exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// What it says.
    #[serde(flatten)]
    pub terms: Terms,
    /// The one that it replaces, if it was an edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<SilenceId>,
    /// The one before it, where it comes round again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<SilenceId>,
}

/// Its time has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Started {}

/// It is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// Why it ended.
    pub reason: SilenceEnd,
}

/// Where a silence is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceState {
    /// Its start lies ahead.
    Pending,
    /// It holds alerts back.
    Active,
    /// It is over.
    Expired,
}

/// A silence as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// Derived from the event that created the silence.
    pub id: SilenceId,
    /// What it says.
    pub terms: Terms,
    /// Where it is in its life.
    pub state: SilenceState,
    /// When it was created, by the decision's `now`.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Why it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<SilenceEnd>,
    /// Decisions on it so far.
    pub revision: u64,
}

/// All silences of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Silences(pub BTreeMap<SilenceId, Silence>);

impl Silences {
    /// Folds one event; events about other things change nothing.
    pub fn evolve(&mut self, recorded: &Recorded) {
        let Ok(id) = recorded.subject.parse::<SilenceId>() else {
            return;
        };
        if let Event::SilenceCreated(created) = &recorded.event {
            let pending = created.terms.starts_at > recorded.time;
            self.0.insert(
                id.clone(),
                Silence {
                    id,
                    terms: created.terms.clone(),
                    state: if pending { SilenceState::Pending } else { SilenceState::Active },
                    created_at: recorded.time,
                    updated_at: recorded.time,
                    ended: None,
                    revision: recorded.revision.unwrap_or(1),
                },
            );
            return;
        }
        let Some(silence) = self.0.get_mut(&id) else {
            return;
        };
        match &recorded.event {
            Event::SilenceStarted(_) => silence.state = SilenceState::Active,
            Event::SilenceEnded(ended) => {
                silence.state = SilenceState::Expired;
                silence.ended = Some(ended.reason.clone());
            }
            Event::SilenceCreated(_)
            | events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, control, notice } =>
            {
                return;
            }
        }
        silence.updated_at = recorded.time;
        silence.revision = recorded.revision.unwrap_or(silence.revision);
    }

    /// The active silence that covers an alert and ends last, of those that `may` hold it; ties by id.
    #[must_use]
    pub fn covering(
        &self,
        environment: &str,
        labels: &BTreeMap<String, String>,
        may: impl Fn(&Silence) -> bool,
    ) -> Option<&Silence> {
        self.0
            .values()
            .filter(|silence| {
                silence.state == SilenceState::Active && may(silence) && silence.terms.covers(environment, labels)
            })
            .max_by(|a, b| (a.terms.ends_at, &a.id).cmp(&(b.terms.ends_at, &b.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_of_everything_is_refused() {
        let terms = Terms {
            matchers: vec![Matcher::new("a", ".*", true, true)],
            starts_at: Time::from_millis(0),
            ends_at: Time::from_millis(10),
            created_by: "ada".into(),
            comment: String::new(),
            kind: Kind::Silence,
            environment: None,
            repeats: None,
        };
        assert_eq!(terms.check(Time::from_millis(1)), Err(Invalid::MatchesEverything));
    }
}
