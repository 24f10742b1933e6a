//! Labels: what people do with incidents, as history that models learn from. Owns the events and their fold;
//! the table that says which event gives which label, and how much it weighs, stands in `core/learn`.
//!
//! A [`Judged`] is a *fact*: a person said something, and no rule of ours can make it unsaid. [`Given`] and
//! [`Retracted`] are *decisions* of the lane of labels: another table would conclude others from the same
//! facts, so a backtest may decide them again.

use crate::events;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canonical::{self, EntityDigest};
use crate::event::{Event, Recorded};
use crate::id::{ConversationId, EventId, Fingerprint, IncidentId, LabelId, NoticeId, ProposalId};
use crate::time::Time;
use crate::words::{LabelValue, RuleName, UserVerdict};

/// What a label says something of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum About {
    /// An incident as a whole.
    Incident {
        /// The judged incident.
        incident: IncidentId,
    },
    /// An alert as a whole.
    Alert {
        /// Fingerprint of the judged alert.
        fingerprint: Fingerprint,
        /// The incident that it belonged to then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
    /// Two alerts, with the moment at which the younger one looked for its place: features are taken then.
    Pair {
        /// The one that fired later.
        younger: Fingerprint,
        /// The `alert.fired` event by which it did.
        fired: EventId,
        /// The one that fired before.
        older: Fingerprint,
        /// The incident that the label was given in.
        incident: IncidentId,
    },
    /// A runbook proposal.
    Proposal {
        /// The judged proposal.
        proposal: ProposalId,
    },
    /// An earlier incident that was shown as similar.
    Recall {
        /// The incident that it was shown for.
        incident: IncidentId,
        /// The earlier one.
        similar: IncidentId,
    },
    /// A notification decision.
    Notice {
        /// The judged notice.
        notice: NoticeId,
    },
    /// A conversation with the copilot.
    Conversation {
        /// The judged conversation.
        conversation: ConversationId,
    },
}

/// What kind of thing a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Whether two alerts are one problem: `same` or `different`.
    Grouping,
    /// What an incident was, in a person's words.
    Cause,
    /// Whether it was worth somebody's time: `useful`, `noise`, `no_action`.
    Attention,
    /// How bad it was, as a person says.
    Severity,
    /// Whether what ended it held, and whose it was: `came_back`, `fixed_outside`.
    Resolution,
    /// What became of a proposal: `approved`, `rejected`, `ignored`.
    Proposal,
    /// Whether an earlier incident was of use: `confirmed`, `dismissed`.
    Recall,
    /// Whether a notice was looked at: `opened`, `unopened`.
    Notice,
    /// Whether an answer was of use: `helpful`, `not_helpful`.
    Answer,
}

/// Whether a person said it, or it was concluded from what people did and did not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A person said it.
    Explicit,
    /// Nobody said it.
    Implicit,
}

/// A person's judgement that no command of an incident holds. A fact. Subject: what is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// What is judged.
    pub about: About,
    /// The verdict; with `cause` of an incident, the text is the cause.
    pub verdict: UserVerdict,
    /// More words, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A label. A decision: the table of rules concluded it. Subject: the label's id; the actor is whoever did
/// what it follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// What kind of thing it says.
    pub kind: Kind,
    /// The judged item.
    pub about: About,
    /// What it says, by the kind.
    pub value: LabelValue,
    /// How much it counts, in thousandths.
    pub weight: u32,
    /// Said, or concluded.
    pub provenance: Provenance,
    /// The rule of the table.
    pub rule: RuleName,
    /// The event that it follows from.
    pub from: EventId,
}

/// A label counts no more. A decision. Subject: the label's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retracted {
    /// The label that is taken back.
    pub label: LabelId,
    /// Why, in plain words.
    pub why: String,
}

/// A label as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Derived from the event that gave the label.
    pub id: LabelId,
    /// What it says.
    pub given: Given,
    /// Who did what it follows from; `system` where nobody did.
    pub by: String,
    /// When it was given.
    pub at: Time,
    /// The `label.given` event, by which it is undone.
    pub event: EventId,
    /// Where that stands.
    pub position: u64,
    /// Why it counts no more, and where that stands.
    pub retracted: Option<(String, u64)>,
    /// Decisions on it so far.
    pub revision: u64,
}

impl Label {
    /// The digest of what it says, for the state hash: where it stands is no part of it.
    #[must_use]
    pub fn digest(&self) -> EntityDigest {
        let retracted = self.retracted.as_ref().map(|(why, _)| why);
        canonical::digest(&(&self.given, &self.by, self.at, &self.event, retracted, self.revision))
    }

    /// Whether it counted at `position`.
    #[must_use]
    pub fn counts_at(&self, position: u64) -> bool {
        self.position <= position && self.retracted.as_ref().is_none_or(|(_, at)| *at > position)
    }
}

/// All labels of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(pub BTreeMap<LabelId, Label>);

impl Labels {
    /// Folds one event; events about other things change nothing. The label that it was about.
    pub fn evolve(&mut self, recorded: &Recorded) -> Option<LabelId> {
        let id: LabelId = match &recorded.event {
            Event::LabelGiven(_) | Event::LabelRetracted(_) => recorded.subject.parse().ok()?,
            Event::LabelJudged(_)
            | events! { intake, finding, conversation, proposal, model, chat, alert, incident, silence, control, notice } =>
            {
                return None;
            }
        };
        match &recorded.event {
            Event::LabelGiven(given) => {
                let label = Label {
                    id: id.clone(),
                    given: given.clone(),
                    by: recorded.actor.clone(),
                    at: recorded.time,
                    event: recorded.id.clone(),
                    position: recorded.position,
                    retracted: None,
                    revision: recorded.revision.unwrap_or(1),
                };
                self.0.entry(id.clone()).or_insert(label);
            }
            Event::LabelRetracted(retracted) => {
                let label = self.0.get_mut(&id)?;
                label.retracted.get_or_insert((retracted.why.clone(), recorded.position));
                label.revision = recorded.revision.unwrap_or(label.revision);
            }
            Event::LabelJudged(_)
            | events! { intake, finding, conversation, proposal, model, chat, alert, incident, silence, control, notice } =>
            {
                return None;
            }
        }
        Some(id)
    }

    /// Those that count at `position`.
    pub fn counting_at(&self, position: u64) -> impl Iterator<Item = &Label> {
        self.0.values().filter(move |label| label.counts_at(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Recorded;
    use crate::id::Partition;

    fn recorded(position: u64, event: Event) -> Recorded {
        Recorded {
            id: EventId::derive(&[&position.to_be_bytes()]),
            position,
            partition: Partition::of_environment("production"),
            subject: LabelId::derive(&[b"one"]).to_string(),
            revision: Some(1),
            time: Time::ZERO,
            actor: "ada".into(),
            cause: None,
            event,
        }
    }

    #[test]
    fn a_retracted_label_counts_up_to_its_retraction() {
        let given = Given {
            kind: Kind::Attention,
            about: About::Incident { incident: IncidentId::derive(&[b"x"]) },
            value: "useful".into(),
            weight: 600,
            provenance: Provenance::Explicit,
            rule: "acknowledged".into(),
            from: EventId::derive(&[b"y"]),
        };
        let mut labels = Labels::default();
        labels.evolve(&recorded(10, Event::LabelGiven(given)));
        let retracted = Retracted { label: LabelId::derive(&[b"one"]), why: "undone".into() };
        labels.evolve(&recorded(20, Event::LabelRetracted(retracted)));
        let counts = [9, 10, 19, 20].map(|position| labels.counting_at(position).count());
        assert_eq!(counts, [0, 1, 1, 0]);
    }
}
