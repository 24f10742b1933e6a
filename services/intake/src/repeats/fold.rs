//! From requests to the events that are written for them: repeats become one batch, everything else stays as it is.
//! Owns which event answers for which message of a request.

use std::collections::BTreeMap;

use hindcast_domain::event::{Delivery, Event, SYSTEM, Verdict};
use hindcast_domain::repeats::{REPEATED_ALERTS_MAX, RepeatBatch, RepeatedAlert, RepeatingSender};
use hindcast_domain::{Fingerprint, Span, Time};
use hindcast_events::NewEvent;
use hindcast_facts::{Appended, SubmitError};
use tokio::sync::oneshot;

use super::RepeatIndex;
use super::known::{KnownAlerts, hash};
use crate::submission::Submission;

/// The subject of a batch.
const SUBJECT: &str = "repeats";
/// How long a batch of repeats may wait for more of them; their senders wait with it. A commit costs as much as the
/// repeats of some twenty alerts, so that a few milliseconds are worth it.
pub(crate) const LINGER: std::time::Duration = std::time::Duration::from_millis(5);

/// What is written for some requests.
pub(crate) struct GatheredEvents {
    pub(crate) events: Vec<NewEvent>,
    pub(crate) shares: Vec<RequestShare>,
    /// Alerts of which messages are written as they are.
    pub(crate) written: Vec<Fingerprint>,
}

/// Which events answer for a request, and where it waits.
pub(crate) struct RequestShare {
    pub(crate) places: Vec<usize>,
    pub(crate) answer: oneshot::Sender<Result<Appended, SubmitError>>,
}

/// Which event answers for a message: one of its own, or the batch that holds its alert.
enum MessagePlace {
    Own(usize),
    Batch(Option<Fingerprint>),
}

/// One batch while requests are gathered into it.
#[derive(Default)]
struct RepeatsInMaking {
    alerts: BTreeMap<(Fingerprint, Option<String>), (u32, Span)>,
    requests: Vec<RepeatingSender>,
    window: Option<(Time, Time)>,
}

impl GatheredEvents {
    /// Requests as they are.
    pub(crate) fn plain(submissions: Vec<Submission>) -> Self {
        let mut gathered = Self { events: Vec::new(), shares: Vec::new(), written: Vec::new() };
        for Submission { events, answer, .. } in submissions {
            let places = (gathered.events.len()..gathered.events.len() + events.len()).collect();
            gathered.events.extend(events);
            gathered.shares.push(RequestShare { places, answer });
        }
        gathered
    }
}

impl RepeatIndex {
    /// Whether requests hold nothing but repeats.
    pub(crate) fn are_repeats(&self, submissions: &[Submission], now: Time) -> bool {
        let known = self.lock();
        submissions.iter().all(|submission| {
            flags(&known, submission, now).iter().zip(&submission.events).all(|(repeats, event)| {
                *repeats || matches!(&event.event, Event::Delivery(delivery) if is_plain(delivery))
            })
        })
    }

    /// Gathers the repeats of some requests, and notes what is written as it is.
    pub(crate) fn gather(&self, submissions: Vec<Submission>, now: Time) -> GatheredEvents {
        let mut known = self.lock();
        let (mut own, mut written, mut making) = (Vec::new(), Vec::new(), RepeatsInMaking::default());
        let mut placed = Vec::new();
        for submission in submissions {
            let flags = flags(&known, &submission, now);
            let Submission { events, answer, at } = submission;
            let kept = |(repeats, event): (&bool, &NewEvent)| !repeats && !matches!(event.event, Event::Delivery(_));
            let is_kept = flags.iter().zip(&events).any(kept) || !flags.contains(&true);
            let mut places = Vec::with_capacity(events.len());
            for (repeats, event) in flags.into_iter().zip(events) {
                if let Event::Observed(seen) = &event.event {
                    if repeats {
                        let sender = known.repeat(seen, now);
                        making.alert(&seen.fingerprint, sender, seen.stale_after, at);
                        places.push(MessagePlace::Batch(Some(seen.fingerprint.clone())));
                        continue;
                    }
                    known.write(seen);
                    written.push(seen.fingerprint.clone());
                }
                if let Event::Delivery(delivery) = &event.event
                    && !is_kept
                    && is_plain(delivery)
                {
                    making.request(&delivery.source, &delivery.verified);
                    places.push(MessagePlace::Batch(None));
                    continue;
                }
                places.push(MessagePlace::Own(own.len()));
                own.push(event);
            }
            placed.push((places, answer));
        }
        drop(known);
        // What repeats comes before what changes: an alert of both was repeated first.
        let (batches, batch_of) = making.batches();
        let before = batches.len();
        let place = |place: MessagePlace| match place {
            MessagePlace::Own(index) => before + index,
            MessagePlace::Batch(alert) => alert.and_then(|alert| batch_of.get(&alert).copied()).unwrap_or(0),
        };
        let share =
            |(places, answer): (Vec<_>, _)| RequestShare { places: places.into_iter().map(place).collect(), answer };
        let shares = placed.into_iter().map(share).collect();
        GatheredEvents { events: batches.into_iter().chain(own).collect(), shares, written }
    }

    /// Notes that it is not known whether messages about alerts were written.
    pub(crate) fn lose(&self, alerts: &[Fingerprint]) {
        let mut known = self.lock();
        alerts.iter().for_each(|alert| known.lose(alert));
    }
}

/// Which events of a request are repeats.
fn flags(known: &KnownAlerts, submission: &Submission, now: Time) -> Vec<bool> {
    let repeats = |event: &NewEvent| match &event.event {
        Event::Observed(seen) => known.is_repeat(seen, &hash(seen), now),
        _ => false,
    };
    submission.events.iter().map(repeats).collect()
}

/// Whether a request says nothing beside its items.
fn is_plain(delivery: &Delivery) -> bool {
    delivery.rejected.is_empty() && delivery.truncated == 0
}

impl RepeatsInMaking {
    fn alert(&mut self, fingerprint: &Fingerprint, sender: Option<String>, stale_after: Span, at: Time) {
        let known = self.alerts.entry((fingerprint.clone(), sender)).or_insert((0, stale_after));
        *known = (known.0.saturating_add(1), stale_after);
        let (from, to) = self.window.unwrap_or((at, at));
        self.window = Some((from.min(at), to.max(at)));
    }

    fn request(&mut self, source: &str, verified: &Verdict) {
        let same = |known: &&mut RepeatingSender| known.source == source && known.verified == *verified;
        match self.requests.iter_mut().find(same) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => {
                self.requests.push(RepeatingSender { source: source.to_owned(), verified: verified.clone(), count: 1 })
            }
        }
    }

    /// The batches, and which of them holds each alert.
    fn batches(self) -> (Vec<NewEvent>, BTreeMap<Fingerprint, usize>) {
        let Self { alerts, mut requests, window } = self;
        let Some((from, to)) = window else { return Default::default() };
        let mut batch_of = BTreeMap::new();
        let repeated: Vec<RepeatedAlert> = alerts
            .into_iter()
            .enumerate()
            .map(|(index, ((fingerprint, sender), (count, stale_after)))| {
                batch_of.insert(fingerprint.clone(), index / REPEATED_ALERTS_MAX);
                // Rounded up: nothing is stale earlier than its sender says.
                let stale_after_s = u32::try_from((stale_after.as_millis() + 999) / 1_000).unwrap_or(u32::MAX);
                RepeatedAlert { fingerprint, count, stale_after_s, sender }
            })
            .collect();
        let batch = |alerts: &[RepeatedAlert]| {
            let batch = RepeatBatch { from, to, requests: std::mem::take(&mut requests), alerts: alerts.to_vec() };
            let event = Event::Repeats(batch);
            NewEvent { subject: SUBJECT.to_owned(), actor: SYSTEM.to_owned(), event, traceparent: None }
        };
        (repeated.chunks(REPEATED_ALERTS_MAX).map(batch).collect(), batch_of)
    }
}
