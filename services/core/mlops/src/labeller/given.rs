//! The decisions of this lane: a label is given, or retracted. Owns a label's id; refuses to know why it is given.

use hindcast_domain::event::{Draft, Event};
use hindcast_domain::label::{About, Given, Kind, Retracted};
use hindcast_domain::{EventId, LabelId};

use crate::table::LabelRule;

/// What a label is about, without the words that may differ between two labels about one thing.
pub(crate) fn topic(kind: Kind, about: &About) -> String {
    let what = match about {
        About::Incident { incident } => incident.to_string(),
        About::Alert { fingerprint, .. } => fingerprint.to_string(),
        About::Pair { fired, older, .. } => format!("{fired}/{older}"),
        About::Proposal { proposal } => proposal.to_string(),
        About::Recall { incident, similar } => format!("{incident}/{similar}"),
        About::Notice { notice } => notice.to_string(),
        About::Conversation { conversation } => conversation.to_string(),
    };
    format!("{}/{what}", crate::table::kind_word(kind))
}

/// The decision that gives a label.
pub(crate) fn give(rule: &LabelRule, about: About, value: Option<String>, from: &EventId, actor: &str) -> Draft {
    let id = LabelId::derive(&[from.as_str().as_bytes(), rule.name.as_bytes(), topic(rule.kind, &about).as_bytes()]);
    let given = Given {
        kind: rule.kind,
        about,
        value: value.as_deref().unwrap_or(rule.value).into(),
        weight: rule.weight,
        provenance: rule.provenance,
        rule: rule.name.into(),
        from: from.clone(),
    };
    Draft::by(actor, &id, Event::LabelGiven(given))
}

/// The decision that retracts a label.
pub(crate) fn retract(id: &LabelId, why: &str, actor: &str) -> Draft {
    Draft::by(actor, id, Event::LabelRetracted(Retracted { label: id.clone(), why: why.to_owned() }))
}
