//! An alert's whole way from the socket to the page, and whether it is accounted for: it paged, its incident
//! paged, or something with an end holds it.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{Code, Problem, Receipt, ReceiptStep};
use hindcast_domain::alert::Alert;
use hindcast_domain::event::Recorded;
use hindcast_domain::notice::{self, Notice};
use hindcast_domain::{Event, Time};
use serde_json::{Value, json};

use super::Reader;
use crate::error::Error;
use crate::limits::{RECEIPT_EVENTS_MAX, RECEIPT_STEPS_FIRST, RECEIPT_STEPS_MAX};
use crate::project::write::grouping;
use crate::store::keys::{About, Kind};
use crate::words;

/// An alert that nothing accounts for: a defect.
pub(crate) const UNACCOUNTED: &str = "unaccounted";

/// What an alert's notices say.
struct Told {
    notice: Notice,
    /// Whether the alert itself is what it was asked for.
    own: bool,
}

impl Reader {
    /// Of an alert, by its whole fingerprint.
    pub(crate) fn receipt(&self, fingerprint: &str) -> Result<Receipt, Problem> {
        let (partition, alert) = self
            .alert_fold(fingerprint)?
            .ok_or_else(|| Problem::new(Code::NotFound, format!("expected an alert, found none for {fingerprint}")))?;
        let mut positions = BTreeSet::new();
        for mention in self.store.about(About::Receipt, fingerprint, self.at).take(RECEIPT_EVENTS_MAX) {
            positions.insert(mention?.position);
        }
        let incidents = self.homes(&alert)?;
        let told = self.told(&alert, &incidents, &mut positions)?;
        let (steps, omitted) = self.steps(&positions)?;
        let (accounted, until) = self.account(&alert, &told)?;
        let alert = self.show_alert(&partition, alert)?;
        Ok(Receipt { alert, steps, accounted: accounted.to_owned(), until, omitted, position: self.at })
    }

    /// The incident that an alert belongs to, and those that became a part of it.
    fn homes(&self, alert: &Alert) -> Result<Vec<String>, Error> {
        let Some(home) = &alert.incident else {
            return Ok(Vec::new());
        };
        let mut homes = vec![home.to_string()];
        if let Some((_, incident)) = self.incident_fold(home.as_str())? {
            let merged = incident.lineage.iter().filter(|past| past.how == "merged" && past.undone_by.is_none());
            let brought = merged.filter(|past| past.fingerprints.contains(&alert.fingerprint));
            homes.extend(brought.map(|past| past.other.to_string()));
            homes.extend(incident.split_from.map(|from| from.to_string()));
        }
        homes.sort();
        homes.dedup();
        Ok(homes)
    }

    /// The notices that concern an alert; their events become steps.
    fn told(&self, alert: &Alert, homes: &[String], positions: &mut BTreeSet<u64>) -> Result<Vec<Told>, Error> {
        let own: BTreeSet<u64> = positions.clone();
        let mut ids: BTreeMap<String, u64> = BTreeMap::new();
        for home in homes {
            for mention in self.store.about(About::NoticesOf, home, self.at).take(RECEIPT_EVENTS_MAX) {
                let mention = mention?;
                ids.insert(self.noted(&mention.value)?, mention.position);
            }
        }
        let mut told = Vec::new();
        for (id, asked) in ids {
            let Some(document) = self.store.document(Kind::Notice, &id, self.at)? else {
                continue;
            };
            let (_, notice) = document.read::<Notice>("a notice")?;
            if notice.alert.as_ref().is_some_and(|about| *about != alert.fingerprint) {
                continue;
            }
            let cause = self.recorded(asked)?.and_then(|recorded| recorded.cause);
            let cause = match cause {
                Some(cause) => self.position_of(cause.as_str())?,
                None => None,
            };
            told.push(Told { notice, own: cause.is_some_and(|cause| own.contains(&cause)) });
            for mention in self.store.about(About::Notice, &id, self.at) {
                positions.insert(mention?.position);
            }
        }
        told.sort_by_key(|told| told.notice.at);
        Ok(told)
    }

    /// Which of the ways accounts for a firing alert of paging severity, and until when.
    fn account(&self, alert: &Alert, told: &[Told]) -> Result<(&'static str, Option<Time>), Error> {
        if !alert.is_firing() || !alert.severity.pages() {
            return Ok(("not_required", None));
        }
        if let Some(held) = &alert.suppressed {
            return Ok(("suppressed", Some(held.until)));
        }
        let paged = |told: &&Told| {
            told.notice.page && matches!(told.notice.status, notice::Status::Requested | notice::Status::Delivered)
        };
        if told.iter().filter(paged).any(|told| told.own) {
            return Ok(("paged", None));
        }
        let digest =
            |told: &Told| told.notice.status == notice::Status::Released && told.notice.why.as_deref() == Some("told");
        if told.iter().any(|told| paged(&told) || digest(told)) {
            return Ok(("incident_paged", None));
        }
        let held = told.iter().filter(|told| told.notice.status == notice::Status::Held).map(|told| told.notice.until);
        if let Some(until) = held.max() {
            return Ok(("held", Some(until)));
        }
        let snoozed = match &alert.incident {
            Some(home) => self.incident_fold(home.as_str())?.and_then(|(_, incident)| incident.snoozed_until),
            None => None,
        };
        Ok(snoozed.map_or((UNACCOUNTED, None), |until| ("held", Some(until))))
    }

    /// The steps at these positions; of too many, the first and the last ones.
    fn steps(&self, positions: &BTreeSet<u64>) -> Result<(Vec<ReceiptStep>, u64), Error> {
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
            steps.push(step(&recorded, stage(&recorded.event), self.say(&recorded)?, detail(&recorded)));
            for considered in grouping(&recorded.event).iter().flat_map(|grouping| &grouping.considered) {
                let detail = serde_json::to_value(considered).unwrap_or_default();
                steps.push(step(&recorded, "kept_out", words::kept_out(considered), detail));
            }
        }
        Ok((steps, too_many as u64))
    }
}

fn step(recorded: &Recorded, stage: &str, text: String, detail: Value) -> ReceiptStep {
    ReceiptStep {
        time: recorded.time,
        stage: stage.to_owned(),
        text,
        event: recorded.id.to_string(),
        position: recorded.position,
        detail,
    }
}

const fn stage(event: &Event) -> &'static str {
    match event {
        Event::Delivery(_) => "received",
        Event::Observed(_) => "normalised",
        Event::Command(_) => "asked",
        Event::AlertFired(_) => "fired",
        Event::AlertRepeated(_) => "deduplicated",
        Event::AlertResolved(_) => "resolved",
        Event::AlertStale(_) => "stale",
        Event::AlertSuppressed(_) => "suppressed",
        Event::AlertUnsuppressed(_) => "unsuppressed",
        Event::AlertFlapping(_) => "flapping",
        Event::AlertSettled(_) => "settled",
        Event::IncidentOpened(_) | Event::IncidentAlertJoined(_) => "grouped",
        Event::IncidentReopened(_) => "reopened",
        Event::IncidentMerged(_) => "merged",
        Event::IncidentSplit(_) => "split",
        Event::IncidentUndone(_) => "undone",
        Event::NoticeRequested(_) | Event::NoticeDelivered(_) => "notified",
        Event::NoticeHeld(_) => "held",
        Event::NoticeReleased(_) => "released",
        Event::NoticeFailed(_) => "failed",
        Event::NoticeExpired(_) => "expired",
        _ => "other",
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
        Event::IncidentReopened(_) | Event::IncidentMerged(_) | Event::IncidentSplit(_) | Event::IncidentUndone(_) => {
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
        _ => Value::Null,
    }
}
