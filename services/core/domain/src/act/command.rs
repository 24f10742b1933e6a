//! How an act becomes a [`Command`]: a pure function of what was given, of the ids that its references were found to
//! be, and of the time.

use super::{ActName, ArgumentError, GivenArguments, GivenValue};
use crate::command::Command;
use crate::id::{Fingerprint, IncidentId};
use crate::severity::Severity;
use crate::time::{Span, Time};

/// What the names in an act's arguments were found to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActReferences {
    /// The incident that the act is done to.
    pub incident: Option<IncidentId>,
    /// The incident that is named as an argument.
    pub other: Option<IncidentId>,
    /// The alerts that are named.
    pub fingerprints: Vec<Fingerprint>,
}

impl GivenArguments {
    /// The command, as of `now`.
    ///
    /// # Errors
    /// A time on the wrong side of `now`, one incident where two are wanted, a reference that was not found.
    pub fn command(&self, found: ActReferences, now: Time) -> Result<Command, ArgumentError> {
        let text = |name: &str| self.text(name).map(ToOwned::to_owned);
        let needed = |name: &str| text(name).ok_or_else(|| missing(name));
        let on = || found.incident.clone().ok_or_else(|| missing("incident"));
        Ok(match self.act.name {
            ActName::Declare => Command::DeclareIncident {
                title: needed("title")?,
                severity: self.severity("severity")?,
                services: self.texts("services").to_vec(),
                description: text("description"),
                started_at: self.since("started_at", now)?,
            },
            ActName::Acknowledge => Command::AcknowledgeIncident { incident: on()? },
            ActName::Unacknowledge => Command::UnacknowledgeIncident { incident: on()? },
            ActName::Reopen => Command::ReopenIncident { incident: on()? },
            ActName::Resolve => {
                Command::ResolveIncident { incident: on()?, cause: text("cause"), resolution: text("resolution") }
            }
            ActName::Merge => {
                let (incident, into) = (on()?, found.other.clone().ok_or_else(|| missing("into"))?);
                if incident == into {
                    let detail = format!("expected two incidents to merge, got {incident} twice");
                    return Err(ArgumentError::new("into", detail));
                }
                Command::MergeIncident { incident, into }
            }
            ActName::Split => {
                let mut fingerprints: Vec<Fingerprint> = Vec::with_capacity(found.fingerprints.len());
                for fingerprint in found.fingerprints.iter() {
                    if !fingerprints.contains(fingerprint) {
                        fingerprints.push(fingerprint.clone());
                    }
                }
                if fingerprints.is_empty() {
                    return Err(missing("fingerprints"));
                }
                Command::SplitIncident { incident: on()?, fingerprints }
            }
            ActName::Assign => Command::AssignIncident { incident: on()?, owner: text("owner") },
            ActName::Note => Command::NoteIncident { incident: on()?, text: needed("text")? },
            ActName::Severity => Command::SetIncidentSeverity { incident: on()?, severity: self.severity("severity")? },
            ActName::Snooze => Command::SnoozeIncident { incident: on()?, until: self.end(now)? },
            ActName::Feedback => {
                Command::GiveFeedback { incident: on()?, verdict: needed("verdict")?.into(), text: text("text") }
            }
            // These need the terms of a silence, or an event's subject: whoever knows them makes the command.
            ActName::Silence | ActName::Unsilence | ActName::Undo => {
                return Err(ArgumentError::new("", format!("{} is no act on an incident", self.act.word)));
            }
        })
    }

    fn severity(&self, name: &str) -> Result<Severity, ArgumentError> {
        match self.values.get(name) {
            Some(GivenValue::Severity(severity)) => Ok(*severity),
            _ => Err(missing(name)),
        }
    }

    fn since(&self, name: &str, now: Time) -> Result<Option<Time>, ArgumentError> {
        match self.values.get(name) {
            Some(GivenValue::Time(at)) if *at > now => {
                Err(ArgumentError::new(name, format!("expected a start that lies in the past as {name}")))
            }
            Some(GivenValue::Time(at)) => Ok(Some(*at)),
            _ => Ok(None),
        }
    }

    fn end(&self, now: Time) -> Result<Time, ArgumentError> {
        match (self.values.get("until"), self.minutes("minutes")) {
            (Some(GivenValue::Time(until)), _) if *until > now => Ok(*until),
            (Some(GivenValue::Time(until)), _) => {
                Err(ArgumentError::new("until", format!("expected an end in the future as until, got {until}")))
            }
            (_, Some(minutes)) => Ok(now + Span::minutes(i64::from(minutes))),
            _ => Err(missing("until")),
        }
    }

    /// Whether the command's time was said relative to now, and how long after it.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.minutes("minutes").map(|minutes| Span::minutes(i64::from(minutes)))
    }
}

fn missing(name: &str) -> ArgumentError {
    ArgumentError::new(name, format!("expected {name}, got nothing"))
}
