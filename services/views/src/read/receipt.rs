//! An alert's whole way from the socket to the page, and whether it is accounted for: it paged, its incident
//! paged, or something with an end holds it.

use hindcast_domain::events;
use hindcast_domain::words::{HoldReason, LineageKind};
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Code, PageAccount, Problem, Receipt, ReceiptStage, ReceiptStep};
use hindcast_domain::alert::Alert;
use hindcast_domain::event::Recorded;
use hindcast_domain::notice::{self, Notice};
use hindcast_domain::{Event, Span, Time};
use serde_json::{Value, json};

use super::Reader;
use crate::error::Error;
use crate::limits::{RECEIPT_EVENTS_MAX, RECEIPT_STEPS_FIRST, RECEIPT_STEPS_MAX};
use crate::project::index;
use crate::project::repeats::RepeatCount;
use crate::project::write::grouping;
use crate::store::keys::{DocumentKind, MentionIndex};
use crate::words;

/// An alert that nothing accounts for: a defect.
pub(crate) const UNACCOUNTED: PageAccount = PageAccount::Unaccounted;

/// What an alert's notices say.
struct AlertNotices {
    notice: Notice,
    /// Whether it tells of the alert: it names it, or counts it under its kind.
    names: bool,
    /// Whether it is of before notifications named their alerts, so that nothing is known of whom it names.
    unnamed: bool,
}

/// How long after an alert fires its notification may be under way.
const UNDER_WAY: Span = Span::seconds(60);

impl Reader {
    /// Of an alert, by its whole fingerprint.
    pub(crate) fn receipt(&self, fingerprint: &str) -> Result<Receipt, Problem> {
        let (partition, alert) = self
            .alert_fold(fingerprint)?
            .ok_or_else(|| Problem::new(Code::NotFound, format!("expected an alert, found none for {fingerprint}")))?;
        let mut positions = BTreeSet::new();
        for mention in self.store.about(MentionIndex::Receipt, fingerprint, self.at).take(RECEIPT_EVENTS_MAX) {
            let mention = mention?;
            positions.insert(mention.position);
            positions.extend(index::delivery(&mention.value));
        }
        let incidents = self.homes(&alert)?;
        let told = self.told(&alert, &incidents, &mut positions)?;
        let repeats = self.repeats(fingerprint)?;
        positions.extend(Some(repeats.position).filter(|_| repeats.count > 0));
        let (steps, omitted) = self.steps(&positions, &repeats)?;
        let (accounted, until) = self.account(&alert, &told)?;
        let alert = self.show_alert(&partition, alert)?;
        Ok(Receipt { alert, steps, accounted, until, omitted, position: self.at })
    }

    /// The incident that an alert belongs to, and those that became a part of it.
    fn homes(&self, alert: &Alert) -> Result<Vec<String>, Error> {
        let Some(home) = &alert.incident else {
            return Ok(Vec::new());
        };
        let mut homes = vec![home.to_string()];
        if let Some((_, incident)) = self.incident_fold(home.as_str())? {
            let merged =
                incident.lineage.iter().filter(|past| past.how == LineageKind::Merged && past.undone_by.is_none());
            let brought = merged.filter(|past| past.fingerprints.contains(&alert.fingerprint));
            homes.extend(brought.map(|past| past.other.to_string()));
            homes.extend(incident.split_from.map(|from| from.to_string()));
        }
        homes.sort();
        homes.dedup();
        Ok(homes)
    }

    /// The notices that concern an alert; their events become steps.
    fn told(&self, alert: &Alert, homes: &[String], positions: &mut BTreeSet<u64>) -> Result<Vec<AlertNotices>, Error> {
        let mut ids: BTreeMap<String, u64> = BTreeMap::new();
        for home in homes {
            for mention in self.store.about(MentionIndex::NoticesOf, home, self.at).take(RECEIPT_EVENTS_MAX) {
                let mention = mention?;
                ids.insert(self.noted(&mention.value)?, mention.position);
            }
        }
        let mut told = Vec::new();
        for (id, asked) in ids {
            let Some(document) = self.store.document(DocumentKind::Notice, &id, self.at)? else {
                continue;
            };
            let (_, notice) = document.read::<Notice>("a notice")?;
            if notice.alert.as_ref().is_some_and(|about| *about != alert.fingerprint) {
                continue;
            }
            let asked = self.recorded(asked)?;
            let (mut names_it, mut unnamed) = (false, true);
            if let Some(Event::NoticeRequested(asked)) = asked.as_ref().map(|asked| &asked.event) {
                (names_it, unnamed) = (names(asked, alert), asked.through.is_none());
            }
            told.push(AlertNotices { notice, names: names_it, unnamed });
            for mention in self.store.about(MentionIndex::Notice, &id, self.at) {
                positions.insert(mention?.position);
            }
        }
        told.sort_by_key(|told| told.notice.at);
        Ok(told)
    }

    /// Which of the ways accounts for a firing alert of paging severity, and until when.
    fn account(&self, alert: &Alert, told: &[AlertNotices]) -> Result<(PageAccount, Option<Time>), Error> {
        if !alert.is_firing() || !alert.severity.pages() {
            return Ok((PageAccount::NotRequired, None));
        }
        if let Some(held) = &alert.suppressed {
            return Ok((PageAccount::Suppressed, Some(held.until)));
        }
        // What was sent before it fired is no notification of it.
        let began = alert.occurrence().first_seen_at;
        let sent = |told: &&AlertNotices| {
            told.notice.at >= began
                && matches!(told.notice.status, notice::Status::Requested | notice::Status::Delivered)
        };
        if told.iter().filter(sent).any(|told| told.names && told.notice.page) {
            return Ok((PageAccount::Paged, None));
        }
        let of_incident = |told: &AlertNotices| told.names || told.unnamed && told.notice.page;
        let digest = |told: &AlertNotices| {
            let is_told = told.notice.status == notice::Status::Released && told.notice.why == Some(HoldReason::Told);
            is_told && told.notice.until >= began
        };
        if told.iter().any(|told| sent(&told) && of_incident(told) || digest(told)) {
            return Ok((PageAccount::IncidentPaged, None));
        }
        let held = told.iter().filter(|told| told.notice.status == notice::Status::Held).map(|told| told.notice.until);
        if let Some(until) = held.max() {
            return Ok((PageAccount::Held, Some(until)));
        }
        let snoozed = match &alert.incident {
            Some(home) => self.incident_fold(home.as_str())?.and_then(|(_, incident)| incident.snoozed_until),
            None => None,
        };
        let due = began + UNDER_WAY;
        let under_way = self.latest()?.filter(|now| *now <= due).map(|_| due);
        Ok(snoozed.or(under_way).map_or((UNACCOUNTED, None), |until| (PageAccount::Held, Some(until))))
    }

    /// The time up to which this reader knows what happened.
    fn latest(&self) -> Result<Option<Time>, Error> {
        Ok(self.store.recorded_at(hindcast_ledger::commit::seq_of(self.at))?.map(Time::from_nanos))
    }

    /// The steps at these positions; of too many, the first and the last ones.
    fn steps(&self, positions: &BTreeSet<u64>, repeats: &RepeatCount) -> Result<(Vec<ReceiptStep>, u64), Error> {
        let too_many = positions.len().saturating_sub(RECEIPT_STEPS_MAX);
        let mut steps = Vec::new();
        for (index, position) in positions.iter().enumerate() {
            let in_the_middle = index >= RECEIPT_STEPS_FIRST && index < RECEIPT_STEPS_FIRST + too_many;
            if in_the_middle {
                continue;
            }
            let Some(recorded) = self.recorded(*position)? else {
                continue;
            };
            if let Event::Repeats(_) = recorded.event {
                let text = words::repeated(repeats.count);
                steps.push(step(&recorded, stage(&recorded.event), text, json!({ "count": repeats.count })));
                continue;
            }
            steps.push(step(&recorded, stage(&recorded.event), self.say(&recorded)?, detail(&recorded)));
            let Some(grouping) = grouping(&recorded.event) else { continue };
            for considered in &grouping.considered {
                let detail = serde_json::to_value(considered).unwrap_or_default();
                let text = words::kept_out(considered, grouping.threshold);
                steps.push(step(&recorded, ReceiptStage::KeptOut, text, detail));
            }
        }
        Ok((steps, too_many as u64))
    }
}

/// Whether a message names an alert, or counts it under its kind.
fn names(asked: &notice::Requested, alert: &Alert) -> bool {
    asked
        .alerts
        .iter()
        .any(|named| named.fingerprint == alert.fingerprint || named.count.is_some() && named.name == alert.name)
}

fn step(recorded: &Recorded, stage: ReceiptStage, text: String, detail: Value) -> ReceiptStep {
    ReceiptStep {
        time: recorded.time,
        stage,
        text,
        event: recorded.id.to_string(),
        position: recorded.position,
        detail,
    }
}

fn stage(event: &Event) -> ReceiptStage {
    match event {
        Event::Delivery(_) => ReceiptStage::Received,
        Event::Observed(_) => ReceiptStage::Normalised,
        Event::Command(_) => ReceiptStage::Asked,
        Event::AlertFired(_) => ReceiptStage::Fired,
        Event::AlertRepeated(_) | Event::Repeats(_) => ReceiptStage::Deduplicated,
        Event::AlertResolved(_) => ReceiptStage::Resolved,
        Event::AlertStale(_) => ReceiptStage::Stale,
        Event::AlertSuppressed(_) => ReceiptStage::Suppressed,
        Event::AlertUnsuppressed(_) => ReceiptStage::Unsuppressed,
        Event::AlertFlapping(_) => ReceiptStage::Flapping,
        Event::AlertSettled(_) => ReceiptStage::Settled,
        Event::IncidentOpened(_) | Event::IncidentAlertJoined(_) => ReceiptStage::Grouped,
        Event::IncidentReopened(_) => ReceiptStage::Reopened,
        Event::IncidentMerged(_) => ReceiptStage::Merged,
        Event::IncidentSplit(_) => ReceiptStage::Split,
        Event::IncidentUndone(_) => ReceiptStage::Undone,
        Event::NoticeRequested(_) | Event::NoticeDelivered(_) => ReceiptStage::Notified,
        Event::NoticeHeld(_) => ReceiptStage::Held,
        Event::NoticeReleased(_) => ReceiptStage::Released,
        Event::NoticeFailed(_) => ReceiptStage::Failed,
        Event::NoticeExpired(_) => ReceiptStage::Expired,
        Event::DoorOpened(_)
        | Event::Change(_)
        | Event::Parked(_)
        | Event::Unparked(_)
        | Event::IncidentDeclared(_)
        | Event::IncidentAcknowledged(_)
        | Event::IncidentUnacknowledged(_)
        | Event::IncidentResolved(_)
        | events! { finding, conversation, proposal, label, model, chat, silence, control, care } => {
            ReceiptStage::Unlisted
        }
    }
}

/// What a machine wants to know of a step.
fn detail(recorded: &Recorded) -> Value {
    let subject = &recorded.subject;
    match &recorded.event {
        Event::Delivery(delivery) => json!({
            "source": delivery.source, "format": delivery.format, "scheme": delivery.verified.scheme,
            "normaliser": delivery.normaliser, "redaction": delivery.redaction, "redacted": delivery.redacted,
            "unmapped": delivery.unmapped,
        }),
        Event::Observed(seen) => json!({
            "signal": seen.signal, "severity": seen.severity, "starts_at": seen.starts_at, "ends_at": seen.ends_at,
            "unmapped": seen.unmapped,
        }),
        Event::AlertRepeated(repeated) => {
            json!({ "why": repeated.why, "occurrence": repeated.occurrence })
        }
        Event::AlertFired(fired) => {
            json!({ "occurrence": fired.occurrence, "starts_at": fired.starts_at })
        }
        Event::AlertSuppressed(held) => {
            json!({ "by": held.by, "kind": held.kind, "until": held.until })
        }
        Event::AlertUnsuppressed(lifted) => json!({ "by": lifted.by, "reason": lifted.reason }),
        Event::AlertFlapping(flapping) => {
            json!({ "transitions": flapping.transitions, "until": flapping.until })
        }
        Event::IncidentOpened(_) | Event::IncidentAlertJoined(_) => {
            json!({ "incident": subject, "grouping": grouping(&recorded.event) })
        }
        Event::IncidentReopened(_) | events! { lineage } => {
            json!({ "incident": subject })
        }
        Event::NoticeRequested(asked) => {
            json!({ "notice": subject, "receiver": asked.receiver, "page": asked.page, "reason": asked.reason })
        }
        Event::NoticeHeld(held) => {
            json!({ "notice": subject, "receiver": held.receiver, "why": held.why, "until": held.until })
        }
        Event::NoticeDelivered(taken) => {
            json!({ "notice": subject, "attempt": taken.attempt, "answer": taken.answer })
        }
        Event::NoticeFailed(failed) => {
            json!({ "notice": subject, "attempt": failed.attempt, "error": failed.error })
        }
        Event::NoticeReleased(_) | Event::NoticeExpired(_) => json!({ "notice": subject }),
        Event::Repeats(batch) => json!({ "from": batch.from, "to": batch.to }),
        Event::DoorOpened(_)
        | Event::Change(_)
        | Event::Command(_)
        | Event::Parked(_)
        | Event::Unparked(_)
        | Event::AlertResolved(_)
        | Event::AlertStale(_)
        | Event::AlertSettled(_)
        | Event::IncidentDeclared(_)
        | Event::IncidentAcknowledged(_)
        | Event::IncidentUnacknowledged(_)
        | Event::IncidentResolved(_)
        | events! { finding, conversation, proposal, label, model, chat, silence, control, care } => Value::Null,
    }
}
