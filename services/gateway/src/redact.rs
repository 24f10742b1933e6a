//! The one state in which what a sender wrote may be written: [`Clean`]. Owns which fields of a request are
//! cleaned; the rules are `hindcast_redact`'s. It runs after the fingerprint was made, so that what is redacted
//! does not change who an alert is.

use hindcast_domain::alert::Observation;
use hindcast_domain::event::Change;
pub use hindcast_redact::{RedactionCounts, RedactionKey, Redactor, VERSION};
use serde_json::Value;

use crate::format::{Fault, Item, Normalised};

/// What may be written: only [`Clean::of`] makes one.
#[derive(Debug)]
pub(crate) struct Clean {
    pub(crate) items: Vec<Item>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) unmapped: Vec<String>,
    pub(crate) truncated: u64,
    pub(crate) envelope: Value,
    pub(crate) counts: RedactionCounts,
}

impl Clean {
    /// Cleans everything of a request.
    pub(crate) fn of(mut redactor: Redactor, normalised: Normalised) -> Self {
        let Normalised { mut items, mut faults, unmapped, truncated, envelope } = normalised;
        for item in &mut items {
            match item {
                Item::Alert { observation, .. } => observation_of(&mut redactor, observation),
                Item::Change { change, .. } => change_of(&mut redactor, change),
            }
        }
        for fault in &mut faults {
            fault.item.detail = redactor.text(&fault.item.detail);
            fault.payload = redactor.value(std::mem::take(&mut fault.payload));
        }
        let unmapped = unmapped.iter().map(|pointer| redactor.text(pointer)).collect();
        let envelope = redactor.value(envelope);
        Self { items, faults, unmapped, truncated, envelope, counts: redactor.into_counts() }
    }
}

fn observation_of(redactor: &mut Redactor, observation: &mut Observation) {
    observation.name = redactor.text(&observation.name);
    observation.labels = redactor.labels(std::mem::take(&mut observation.labels).into()).into();
    observation.annotations = redactor.annotations(std::mem::take(&mut observation.annotations).into()).into();
    redactor.optional(&mut observation.source_fingerprint);
    redactor.optional(&mut observation.service);
    if let Some(about) = &mut observation.about {
        redactor.optional(&mut about.observed_by);
        if let Some(entity) = &mut about.entity {
            entity.name = redactor.text(&entity.name);
            redactor.optional(&mut entity.namespace);
            redactor.optional(&mut entity.cluster);
        }
    }
    redactor.optional(&mut observation.url);
    for pointer in &mut observation.unmapped {
        *pointer = redactor.text(pointer);
    }
}

fn change_of(redactor: &mut Redactor, change: &mut Change) {
    change.title = redactor.text(&change.title);
    change.kind = redactor.text(change.kind.as_str()).into();
    for field in [
        &mut change.service,
        &mut change.version,
        &mut change.status,
        &mut change.author,
        &mut change.url,
        &mut change.source_id,
    ] {
        redactor.optional(field);
    }
}
