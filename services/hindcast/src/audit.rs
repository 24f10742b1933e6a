//! The paging auditor over the ledger of this process: once, up to a position, or live as metrics. Owns how the ledger
//! is read for it; what is a breach is the auditor's.

use hindcast_domain::Time;
use hindcast_eventlog::feed::OrderedFeed;
use hindcast_eventlog::read;
use hindcast_ledger::{ReadError, Record, Seq, Shared, commit};
use hindcast_metrics::MetricRegistry;
use hindcast_paging_audit::{AuditRule, PageAuditReport, PageAuditor};
use serde::Serialize;
use tokio::sync::watch;

/// What the route answers: the report, and up to where it reads.
#[derive(Clone, Debug, Serialize)]
pub struct AuditAnswer {
    #[serde(flatten)]
    pub report: PageAuditReport,
    position: u64,
}

/// From when to when, and as of which position.
#[derive(Clone, Copy)]
pub struct AuditSpan {
    pub from: Time,
    pub to: Option<Time>,
    pub as_of: Option<u64>,
}

/// Compares the notifications that people received with what was true.
///
/// # Errors
/// When the ledger cannot be read or is damaged.
pub async fn pages(ledger: &Shared, span: AuditSpan) -> Result<AuditAnswer, ReadError> {
    let head = ledger.head().await?;
    let last = span.as_of.map_or(head, |position| commit::seq_of(position).min(head));
    let mut auditor = PageAuditor::since(span.from);
    let mut feed = OrderedFeed::start(Shared::clone(ledger), 1);
    let mut through: Seq = 0;
    'reading: while through < last {
        for record in feed.next().await? {
            if record.seq > last || !take(&mut auditor, &record, span)? {
                break 'reading;
            }
            through = record.seq;
        }
    }
    if let Some(to) = span.to {
        auditor.pass(to);
    }
    let position = span.as_of.unwrap_or_else(|| commit::position(through, 0));
    Ok(AuditAnswer { report: auditor.report(), position })
}

/// Hands a record to the auditor; false where it is later than what was asked for.
fn take(auditor: &mut PageAuditor, record: &Record, span: AuditSpan) -> Result<bool, ReadError> {
    for event in &read::decoded(record)?.events {
        if span.to.is_some_and(|to| event.time > to) {
            return Ok(false);
        }
        if span.as_of.is_none_or(|position| event.position <= position) {
            auditor.take(event);
        }
    }
    Ok(true)
}

/// Audits live, and counts breaches by rule.
///
/// # Errors
/// When the ledger is damaged.
pub async fn live(
    ledger: Shared,
    clock: hindcast_clock::Shared,
    metrics: MetricRegistry,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), ReadError> {
    const LOOK: std::time::Duration = std::time::Duration::from_secs(5);
    let whole = AuditSpan { from: Time::ZERO, to: None, as_of: None };
    let mut auditor = PageAuditor::default();
    let mut feed = OrderedFeed::start(Shared::clone(&ledger), 1);
    let (mut through, head) = (0, ledger.head().await.unwrap_or(0));
    while !*shutdown.borrow() {
        tokio::select! {
            _ = shutdown.changed() => break,
            records = feed.next() => {
                for record in records? {
                    take(&mut auditor, &record, whole)?;
                    through = record.seq;
                }
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        // What was owed while the past is read is judged by what comes after it.
        if through >= head {
            auditor.pass(clock.now());
            show(&metrics, &auditor);
        }
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // gauges
fn show(metrics: &MetricRegistry, auditor: &PageAuditor) {
    for rule in AuditRule::ALL {
        let breaches = auditor.violations().iter().filter(|violation| violation.rule == rule).count();
        metrics.set("hindcast_paging_breaches", &[("rule", rule.as_str())], breaches as f64);
    }
    metrics.set("hindcast_paging_episodes", &[], auditor.report().episodes as f64);
}
