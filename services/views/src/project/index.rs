//! Entries of the indexes: what is found by what. Pure writing; refuses to read.

use hindcast_api as api;
use hindcast_domain::alert::Alert;
use hindcast_domain::event::{Change, Parked, Recorded};
use hindcast_domain::finding::Raised;
use hindcast_domain::words::{ItemFault, ParkedStatus};
use hindcast_domain::{Event, Fingerprint, IncidentId};

use crate::store::Batch;
use crate::store::framed;
use crate::store::keys::{self, DocumentKind, List, MentionIndex, PackedIndex};

/// What stands beside the event of a receipt by which its alert began to fire.
pub(crate) const FIRED: &[u8] = b"f";

/// An event by its id, by its type with what is noted there, and by the command that it follows from.
pub(crate) fn event(batch: &mut Batch, position: u64, id: &str, (kind, noted): (&str, Vec<u8>), cause: Option<&str>) {
    batch.place(keys::event(id), position);
    batch.pack(PackedIndex::Type, kind, position, &noted);
    if let Some(cause) = cause {
        batch.index(keys::about(MentionIndex::Caused, cause, position, position), []);
    }
}

/// An event of a newer binary: shown as an event, and listed among the parked.
pub(crate) fn unknown(batch: &mut Batch, shown: &api::Event) {
    event(batch, shown.position, &shown.id, (&shown.event_type, Vec::new()), shown.causation_id.as_deref());
    let item = api::Parked {
        id: shown.id.clone(),
        status: ParkedStatus::Parked,
        source: shown.source.clone(),
        format: shown.event_type.clone(),
        code: ItemFault::UnknownEvent,
        detail: format!("expected an event that this binary knows, got one of type {}", shown.event_type),
        remedy: "Upgrade this binary; the event is kept as it is.".to_owned(),
        at: shown.recorded_at,
        payload: shown.data.clone(),
        position: shown.position,
    };
    park(batch, &item);
}

/// Something that was accepted and could not be handled.
pub(crate) fn parked(batch: &mut Batch, recorded: &Recorded, parked: &Parked) {
    let item = api::Parked {
        id: recorded.id.to_string(),
        status: ParkedStatus::Parked,
        source: parked.source.clone(),
        format: parked.format.clone(),
        code: parked.item.code.clone(),
        detail: parked.item.detail.clone(),
        remedy: parked.item.remedy.clone(),
        at: recorded.time,
        payload: parked.payload.clone(),
        position: recorded.position,
    };
    park(batch, &item);
}

fn park(batch: &mut Batch, item: &api::Parked) {
    first(batch, DocumentKind::Parked, List::Parked, &item.id, item.position);
    batch.document(DocumentKind::Parked, &item.id, item.position, framed("", item));
}

/// An entity that is seen for the first time.
pub(crate) fn first(batch: &mut Batch, kind: DocumentKind, list: List, id: &str, position: u64) {
    batch.place(keys::first(kind, id), position);
    batch.index(keys::list(list, position), id);
}

/// An alert that is seen for the first time: by its fingerprint, its sender's, and its name.
pub(crate) fn alert(batch: &mut Batch, alert: &Alert, position: u64) {
    let id = alert.fingerprint.as_str();
    first(batch, DocumentKind::Alert, List::Alerts, id, position);
    batch.index(keys::about(MentionIndex::Named, &alert.name, position, position), id);
    if let Some(sent) = &alert.source_fingerprint {
        batch.index(keys::about(MentionIndex::SentAs, sent, position, position), id);
    }
}

/// What a sender said of an alert, with the request that it came in beside it.
pub(crate) fn observation(batch: &mut Batch, alert: &Fingerprint, position: u64, delivery: Option<u64>) {
    let key = keys::about(MentionIndex::Receipt, alert.as_str(), position, position);
    batch.index(key, delivery.map_or_else(Vec::new, |delivery| delivery.to_be_bytes().to_vec()));
}

/// The request that an observation of a receipt came in, by what stands beside it.
pub(crate) fn delivery(noted: &[u8]) -> Option<u64> {
    noted.try_into().ok().map(u64::from_be_bytes)
}

/// A change, by when it happened.
pub(crate) fn change(batch: &mut Batch, recorded: &Recorded, change: &Change) {
    batch.index(keys::change(change.at.nanos(), recorded.position), recorded.partition.environment.as_str());
}

/// A finding, by when it began.
pub(crate) fn finding(batch: &mut Batch, recorded: &Recorded, raised: &Raised) {
    batch.index(keys::finding(raised.at.nanos(), recorded.position), recorded.partition.environment.as_str());
}

/// An event by its subject, for what has no document of its own.
pub(crate) fn subject(batch: &mut Batch, recorded: &Recorded) {
    let position = recorded.position;
    batch.index(keys::about(MentionIndex::Subject, &recorded.subject, position, position), []);
}

/// An event of an incident's timeline; repeats of an alert are marked, so that they are folded together
/// without being read.
pub(crate) fn timeline(batch: &mut Batch, incident: &IncidentId, recorded: &Recorded, known: u64) {
    let key = keys::about(MentionIndex::Timeline, incident.as_str(), recorded.position, known);
    let value = match &recorded.event {
        Event::AlertRepeated(_) => recorded.subject.as_bytes().to_vec(),
        _ => plain(),
    };
    batch.index(key, value);
}

/// What stands beside an event of a timeline that stands for itself.
pub(crate) const fn plain() -> Vec<u8> {
    Vec::new()
}
