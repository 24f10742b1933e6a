//! From what was read to what is durable. Owns the shape of a request in the ledger: one delivery, then its
//! items, in one submit a partition; refuses to write anything that [`crate::redact`] has not cleaned.

use hindcast_domain::words::{ItemFault, ParkedStatus};
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hindcast_api::{Accepted, Code, Problem};
use hindcast_domain::event::{Delivery, Parked, RejectedItem, Verdict};
use hindcast_domain::fact::Fact;
use hindcast_domain::limits::ALERT_BYTES_MAX;
use hindcast_domain::{EventId, Partition};
use hindcast_facts::{NewFact, SubmitError};
use hindcast_http::HttpRefusal;
use serde_json::{Value, json};

use crate::auth::Verified;
use crate::format::{self, Context, Fault, Item, Payload};
use crate::redact::{self, Clean, RedactionCounts};
use crate::source::Source;
use crate::{Gateway, Inner};

/// Bad items that one delivery lists; all of them are parked.
const LISTED_MAX: usize = 100;
/// Environments that one request can mix.
const ENVIRONMENTS_MAX: usize = 64;
/// Characters that are kept of a payload that is too large to be kept whole.
const BEGINNING_MAX: usize = 4_096;
/// Bytes from which on a body is read off the threads that serve sockets.
const LARGE_BYTES: usize = 128 * 1024;

/// What of a request's headers goes on with its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct CarriedHeaders {
    pub(crate) event: Option<String>,
    pub(crate) delivery: Option<String>,
    pub(crate) traceparent: Option<String>,
}

/// What is going to be written, and answered once it is.
pub(crate) struct IntakePlan {
    pub(crate) partitions: BTreeMap<Partition, Vec<NewFact>>,
    accepted: Accepted,
    alerts: u64,
    rejected: Vec<RejectedItem>,
    counts: RedactionCounts,
}

impl Gateway {
    /// Takes a request in: 2xx may follow only after this.
    ///
    /// # Errors
    /// When none of it is good, or it is not durable.
    pub(crate) async fn take(
        &self,
        source: Arc<Source>,
        body: Verified<Bytes>,
        told: CarriedHeaders,
    ) -> Result<Accepted, HttpRefusal> {
        let inner = Arc::clone(&self.inner);
        let name = source.name.clone();
        let plan = if body.get().len() < LARGE_BYTES {
            plan(&inner, &source, body, told)
        } else {
            let read = tokio::task::spawn_blocking(move || plan(&inner, &source, body, told)).await;
            read.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "the body could not be read").into()))
        };
        self.carry_out(&name, plan?).await
    }

    /// Writes a plan and counts it.
    pub(crate) async fn carry_out(&self, source: &str, plan: IntakePlan) -> Result<Accepted, HttpRefusal> {
        let IntakePlan { partitions, mut accepted, alerts, rejected, counts } = plan;
        let metrics = &self.inner.metrics;
        for item in &rejected {
            metrics.count("hindcast_alerts_rejected_total", &[("source", source), ("code", item.code.as_str())], 1.0);
        }
        if accepted.accepted == 0 && !rejected.is_empty() {
            return Err(none_good(&rejected));
        }
        for (partition, events) in partitions {
            let receipt = self.inner.writer.submit(&partition, events).await.map_err(refused)?;
            accepted.position = accepted.position.max(receipt.position());
        }
        if accepted.accepted == 0
            && let Ok(queries) = self.queries()
        {
            accepted.position = *queries.position().borrow();
        }
        if alerts > 0 {
            metrics.count("hindcast_alerts_received_total", &[("source", source)], as_count(alerts));
        }
        if !rejected.is_empty() {
            // Something of the request was good, so that its bad items are kept beside it.
            metrics.count("hindcast_alerts_parked_total", &[("source", source)], as_count(rejected.len() as u64));
        }
        for (kind, found) in counts {
            metrics.count("hindcast_redacted_total", &[("kind", kind)], f64::from(found));
        }
        Ok(accepted)
    }
}

#[allow(clippy::cast_precision_loss)] // a request has fewer alerts than a float has whole numbers
const fn as_count(alerts: u64) -> f64 {
    alerts as f64
}

/// The refusal of a request of which nothing is good: that of its first item, with how many there are.
fn none_good(rejected: &[RejectedItem]) -> HttpRefusal {
    let Some(first) = rejected.first() else {
        return HttpRefusal::new(Code::Invalid, "expected at least one good item, got none");
    };
    let code =
        if rejected.iter().all(|item| item.code == ItemFault::OverLimit) { Code::OverLimit } else { Code::Invalid };
    let detail = match rejected.len() {
        1 => format!("item {}: {}", first.index, first.detail),
        many => format!("none of {many} items is good; item {}: {}", first.index, first.detail),
    };
    HttpRefusal(Problem::new(code, detail).remedy(first.remedy.clone()))
}

/// What a sender is told that has to come again. Some senders give up on 429, so it is always 503.
pub(crate) fn refused(error: SubmitError) -> HttpRefusal {
    match error {
        SubmitError::TooLarge(bytes) => {
            HttpRefusal::new(Code::TooLarge, format!("one item becomes {bytes} bytes, which is over the limit"))
        }
        SubmitError::Busy => HttpRefusal::new(Code::Unavailable, "too many requests wait for the ledger"),
        SubmitError::Stopped => HttpRefusal::new(Code::Unavailable, "the server stops"),
        SubmitError::Unavailable(reason) => {
            tracing::warn!(%reason, "the ledger takes nothing");
            HttpRefusal::new(Code::Unavailable, "the ledger takes nothing now")
        }
    }
}

fn plan(
    inner: &Inner,
    source: &Source,
    body: Verified<Bytes>,
    told: CarriedHeaders,
) -> Result<IntakePlan, HttpRefusal> {
    let CarriedHeaders { event, delivery, traceparent } = told;
    let payload =
        body.try_map(|bytes| hindcast_http::json(&bytes).map(|json| Payload { json, event: event.clone(), delivery }))?;
    let context =
        Context { source, key: &inner.key, now: inner.clock.now(), environment: None, event: event.as_deref() };
    let verdict = payload.verdict().clone();
    let normalised = format::normalise(payload, &context)?;
    let clean = Clean::of(inner.key.redactor(), normalised);
    plan_of(source, &verdict, clean, traceparent.as_deref())
}

/// Reads a parked item again; the plan holds what became of it, with `unparked` behind it.
pub(crate) fn plan_again(
    gateway: &Gateway,
    source: &Source,
    item: Value,
    parked: &EventId,
    partition: &Partition,
) -> Result<IntakePlan, HttpRefusal> {
    let item = Verified::from_ledger(item);
    let environment = Some(partition.environment.as_str()).filter(|_| !partition.is_whole());
    let context = Context { source, key: &gateway.inner.key, now: gateway.now(), environment, event: None };
    let verdict = item.verdict().clone();
    let normalised = format::again(item, &context)?;
    let clean = Clean::of(gateway.inner.key.redactor(), normalised);
    let mut plan = plan_of(source, &verdict, clean, None)?;
    if plan.accepted.accepted > 0 {
        plan.partitions.entry(partition.clone()).or_default().push(unparked(parked, ParkedStatus::Retried));
    }
    Ok(plan)
}

/// The event that a parked item is parked no more.
pub(crate) fn unparked(parked: &EventId, how: ParkedStatus) -> NewFact {
    let unparked = hindcast_domain::event::Unparked { parked: parked.clone(), how };
    NewFact::new(parked.to_string(), hindcast_domain::event::SYSTEM, unparked)
}

/// One partition's share of a request.
#[derive(Default)]
struct PartitionRequest {
    items: Vec<(String, Fact)>,
    parked: Vec<Fact>,
    rejected: Vec<RejectedItem>,
}

fn plan_of(
    source: &Source,
    verdict: &Verdict,
    clean: Clean,
    traceparent: Option<&str>,
) -> Result<IntakePlan, HttpRefusal> {
    let Clean { items, faults, unmapped, truncated, envelope, counts } = clean;
    let rejected: Vec<RejectedItem> = faults.iter().map(|fault| fault.item.clone()).collect();
    let accepted = items.len() as u64;
    let mut receipts = Vec::new();
    let mut shares: BTreeMap<String, PartitionRequest> = BTreeMap::new();
    let mut alerts = 0;
    for item in items {
        match item {
            Item::Alert { environment, observation } => {
                alerts += 1;
                receipts.push(format!("/api/v1/alerts/{}/receipt", observation.fingerprint));
                let subject = observation.fingerprint.to_string();
                let fact = Fact::from(*observation);
                shares.entry(environment).or_default().items.push((subject, fact));
            }
            Item::Change { environment, change } => {
                let subject = change.service.clone().unwrap_or_else(|| source.name.clone());
                shares.entry(environment).or_default().items.push((subject, Fact::from(*change)));
            }
        }
    }
    receipts.sort_unstable();
    receipts.dedup();
    if accepted > 0 {
        for fault in faults {
            let share = shares.entry(fault.environment.clone()).or_default();
            share.rejected.push(fault.item.clone());
            share.parked.push(parked(source, fault));
        }
    }
    if shares.len() > ENVIRONMENTS_MAX {
        let detail = format!("expected at most {ENVIRONMENTS_MAX} environments a request, got {}", shares.len());
        return Err(Problem::new(Code::Invalid, detail).remedy("Send them in several requests.").into());
    }
    let about =
        RequestFacts { source, verdict, unmapped: &unmapped, truncated, envelope: bounded(envelope), counts: &counts };
    let partitions = shares
        .into_iter()
        .map(|(environment, share)| (Partition::of_environment(&environment), about.events(share, traceparent)))
        .collect();
    let answer = Accepted { accepted, position: 0, rejected: rejected.clone(), unmapped, receipts };
    Ok(IntakePlan { partitions, accepted: answer, alerts, rejected, counts })
}

fn parked(source: &Source, fault: Fault) -> Fact {
    Fact::from(Parked {
        source: source.name.clone(),
        format: source.format.name.to_owned(),
        item: fault.item,
        payload: bounded(fault.payload),
    })
}

/// A value that fits a commit: whole, or its beginning. It is redacted before, so that a cut hides nothing
/// from the rules.
fn bounded(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= ALERT_BYTES_MAX {
        return value;
    }
    let beginning: String = text.chars().take(BEGINNING_MAX).collect();
    json!({ "too_large_bytes": text.len(), "beginning": beginning })
}

/// What every share of a request says of it.
struct RequestFacts<'a> {
    source: &'a Source,
    verdict: &'a Verdict,
    unmapped: &'a [String],
    truncated: u64,
    envelope: Value,
    counts: &'a RedactionCounts,
}

impl RequestFacts<'_> {
    fn events(&self, share: PartitionRequest, traceparent: Option<&str>) -> Vec<NewFact> {
        let PartitionRequest { items, parked, mut rejected } = share;
        rejected.truncate(LISTED_MAX);
        let delivery = Fact::from(Delivery {
            source: self.source.name.clone(),
            format: self.source.format.name.to_owned(),
            verified: self.verdict.clone(),
            redaction: redact::VERSION,
            redacted: self.counts.values().sum(),
            normaliser: format::VERSION,
            taken: u32::try_from(items.len()).unwrap_or(u32::MAX),
            rejected,
            unmapped: self.unmapped.to_vec(),
            truncated: self.truncated,
            envelope: self.envelope.clone(),
        });
        let own = |fact| (self.source.name.clone(), fact);
        std::iter::once(own(delivery))
            .chain(items)
            .chain(parked.into_iter().map(own))
            .map(|(subject, fact)| NewFact {
                subject,
                actor: self.source.name.clone(),
                fact,
                traceparent: traceparent.map(ToOwned::to_owned),
            })
            .collect()
    }
}
