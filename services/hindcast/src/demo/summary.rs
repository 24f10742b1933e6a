//! What a person wants to see after the demo: what came in, what went out, against the truth; each incident
//! in plain words; a receipt; the proof by replay; what it cost; and what to do next.

use hindcast_api::{PageAccount, ReceiptStage};
use std::path::Path;
use std::time::Instant;

use hindcast_api::{Alert, AsOf, Incident, Notice, Receipt, Why};
use hindcast_domain::Time;
use hindcast_queries::{AlertFilter, IncidentFilter, NoticeFilter, Queries, Window};
use hindcast_recorder::format::{RecordedChannel, StoredRecording};
use hindcast_views::Views;
use serde::Serialize;

use super::advice::Advised;
use super::judge::DemoVerdict;
use super::played::{Played, Probed, clock, short, time};
use super::told;
use crate::audit::{self, AuditAnswer, AuditSpan};
use crate::node::Node;

/// Incidents that are told at length; the rest gets a line.
const AT_LENGTH_MAX: usize = 8;

/// Everything that the summary says, computed in this run.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    alerts: usize,
    messages: u64,
    incidents: Vec<SummaryTold>,
    pages: usize,
    held: usize,
    unaccounted: Vec<String>,
    audit: AuditAnswer,
    refused: u64,
    durable_p99_us: u64,
    page_p99_us: u64,
    telemetry: u64,
    verdict: DemoVerdict,
    advised: Vec<Advised>,
    probed: Vec<Probed>,
    receipt: Option<Receipt>,
    replay: hindcast_api::Replay,
    redecided: hindcast_api::Redecided,
    as_of: Option<(Time, u64)>,
    seconds: f64,
    memory_mb: u64,
    disk_mb: f64,
    address: String,
}

#[derive(Clone, Debug, Serialize)]
struct SummaryTold {
    incident: Incident,
    names: Vec<String>,
    why: Why,
    pages: Vec<Notice>,
}

/// The first lines.
pub fn head(recording: &StoredRecording, channel: RecordedChannel, speed: f64, embedder: &str) {
    let manifest = &recording.manifest;
    let pace = if speed > 0.0 { format!("{speed}×") } else { "as fast as it goes".to_owned() };
    println!(
        "hindcast {} · demo {}: {}; {} faults; recorded {}, played {pace} through POST {}",
        env!("CARGO_PKG_VERSION"),
        manifest.name,
        manifest.title,
        recording.truth.faults.len(),
        manifest.recorded_at.to_string().get(..10).unwrap_or_default(),
        channel.path(),
    );
    println!("no key, no model, no cluster · embedder: {embedder} · data in a temporary folder, deleted on exit");
}

impl Facts {
    /// Asks the running service.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn gather(
        node: &Node,
        played: &Played,
        verdict: DemoVerdict,
        advised: Vec<Advised>,
        folder: &Path,
        began: Instant,
        now: Time,
    ) -> anyhow::Result<Self> {
        let views = &node.views;
        let all = || Window { limit: Some(500), ..Window::default() };
        let alerts = views.alerts(AlertFilter::default(), all()).await?.items;
        let notices = views.notices(NoticeFilter::default(), all()).await?.items;
        let mut incidents = Vec::new();
        for incident in views.incidents(IncidentFilter::default(), all()).await?.items.into_iter().rev() {
            let members = AlertFilter { incident: Some(incident.id.clone()), ..AlertFilter::default() };
            let mut names: Vec<String> =
                views.alerts(members, all()).await?.items.into_iter().map(|a| a.name).collect();
            names.sort_unstable();
            names.dedup();
            let pages =
                notices.iter().filter(|n| n.page && n.incident.as_ref() == Some(&incident.id)).cloned().collect();
            let why = views.why(&incident.id, None).await?;
            incidents.push(SummaryTold { incident, names, why, pages });
        }
        let unaccounted = unaccounted(views, &alerts).await?;
        // One alert that joined an incident and paged, as it stood when the page was asked for.
        let paged = incidents.iter().find_map(|told| Some((told.pages.last()?, told.why.members.get(1)?)));
        let receipt = match paged {
            Some((page, member)) => {
                let then = Some(AsOf::Position(page.position));
                views.receipt(Some(&member.fingerprint), then).await.ok()
            }
            None => None,
        };
        let first = incidents.first().map(|told| told.incident.opened_at);
        let as_of = match first {
            Some(at) => Some((at, views.state(Some(AsOf::Time(at))).await?.incidents.open)),
            None => None,
        };
        Ok(Self {
            messages: alerts.iter().map(|alert| alert.occurrences).sum(),
            alerts: alerts.len(),
            pages: notices.iter().filter(|n| n.page && n.status != hindcast_domain::notice::Status::Held).count(),
            held: notices.iter().filter(|n| n.status == hindcast_domain::notice::Status::Held).count(),
            incidents,
            unaccounted,
            audit: audit::pages(&node.ledger, AuditSpan { from: Time::ZERO, to: Some(now), as_of: None }).await?,
            refused: played.refused,
            durable_p99_us: percentile(&played.durable_us),
            page_p99_us: percentile(&played.page_us),
            telemetry: played.telemetry,
            verdict,
            advised,
            probed: played.probed.clone(),
            receipt,
            replay: views.replay(None).await?,
            redecided: crate::redecide::all(&node.ledger).await?,
            as_of,
            seconds: began.elapsed().as_secs_f64(),
            memory_mb: memory_mb(),
            disk_mb: disk_mb(folder),
            address: node.address.to_string(),
        })
    }
}

/// The alerts that the pager's own rule does not account for.
async fn unaccounted(views: &Views, alerts: &[Alert]) -> anyhow::Result<Vec<String>> {
    let mut unaccounted = Vec::new();
    for alert in alerts {
        let receipt = views.receipt(Some(&alert.fingerprint), None).await?;
        if receipt.accounted == PageAccount::Unaccounted {
            unaccounted.push(alert.fingerprint.clone());
        }
    }
    Ok(unaccounted)
}

fn percentile(sorted: &[u64]) -> u64 {
    sorted.get((sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}

fn memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kb| kb / 1024)
}

#[allow(clippy::cast_precision_loss)] // for people
fn disk_mb(folder: &Path) -> f64 {
    use std::os::unix::fs::MetadataExt;
    fn walk(folder: &Path) -> u64 {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| match entry.metadata() {
                Ok(meta) if meta.is_dir() => walk(&entry.path()),
                Ok(meta) => meta.blocks() * 512,
                Err(_) => 0,
            })
            .sum()
    }
    walk(folder) as f64 / 1e6
}

/// Writes the summary to standard output.
pub fn print(recording: &StoredRecording, facts: &Facts) {
    headline(facts);
    truth(facts);
    for told in facts.incidents.iter().take(AT_LENGTH_MAX) {
        println!();
        incident(recording, told);
        if let Some(advised) = facts.advised.iter().find(|advised| advised.incident == told.incident.id) {
            told::print(advised);
        }
    }
    for told in facts.incidents.iter().skip(AT_LENGTH_MAX) {
        println!("{} {} {}", short(&told.incident.id), told.incident.severity, told.incident.title);
    }
    println!();
    kept_out(facts);
    if let Some(receipt) = &facts.receipt {
        print_receipt(receipt);
    }
    proof(facts);
    next(facts);
}

fn headline(facts: &Facts) {
    println!(
        "  {} alerts in {} messages, {} log lines and samples → {} incidents → {} pages · {} delayed · lost {} · durable p99 {} · socket → page p99 {}",
        facts.alerts,
        facts.messages,
        facts.telemetry,
        facts.incidents.len(),
        facts.pages,
        facts.held,
        facts.refused,
        micros(facts.durable_p99_us),
        micros(facts.page_p99_us),
    );
    let accounted = if facts.unaccounted.is_empty() {
        "every firing alert of a paging severity is accounted for, by the pager's own rule".to_owned()
    } else {
        format!("not accounted for, by the pager's own rule: {}", facts.unaccounted.join(", "))
    };
    println!("  {accounted}");
    let report = &facts.audit.report;
    println!(
        "  paging audit, which reads no decision of the pager: alerts fired {} times at a paging severity, {} named in a notification, {} suppressed by name, {} breaches",
        report.episodes,
        report.named,
        report.suppressed,
        report.violations.len(),
    );
    for breach in &report.violations {
        println!("  breach        {} {:?}: {}", clock(breach.at), breach.rule, breach.detail);
    }
}

fn truth(facts: &Facts) {
    let verdict = &facts.verdict;
    let median = verdict.noticed_after_ms.get(verdict.noticed_after_ms.len() / 2).copied().unwrap_or(0);
    println!(
        "  truth: {} faults injected, {} found with one incident each, {} missed, {} split, {} wrongly merged · opened {} after injection (median)",
        verdict.faults,
        verdict.found,
        verdict.missed.len(),
        verdict.split.len(),
        verdict.merged.len(),
        hindcast_domain::Span::millis(median),
    );
    for (label, list) in [("missed", &verdict.missed), ("split", &verdict.split), ("merged", &verdict.merged)] {
        if !list.is_empty() {
            println!("  {label}: {}", list.join(", "));
        }
    }
    if !verdict.strays.is_empty() {
        println!("  outside of any injected fault: {}", verdict.strays.join(", "));
    }
}

fn incident(recording: &StoredRecording, told: &SummaryTold) {
    let SummaryTold { incident, names, pages, .. } = told;
    let lasted = incident.resolved_at.map(|at| format!("lasted {}", at.since(incident.started_at)));
    println!(
        "{} {}, {}: {}",
        short(&incident.id),
        incident.peak_severity.as_str().to_uppercase(),
        lasted.unwrap_or_else(|| "not resolved".to_owned()),
        incident.title
    );
    println!(
        "  began         {}, opened {} later",
        clock(incident.started_at),
        incident.opened_at.since(incident.started_at)
    );
    println!("  alerts        {}: {}", incident.alerts, names.join(", "));
    for page in pages.iter().take(3) {
        println!(
            "  page          {} to {}: {}",
            clock(page.at),
            page.receiver.as_deref().unwrap_or("-"),
            words(page.reason)
        );
    }
    if let Some(before) = &incident.recurrence_of {
        println!("  recurrence    of {}", short(before));
    }
    let id = told_fault(recording, incident);
    if let Some(fault) = id {
        println!(
            "  truth         {} ({}), ended by: {}",
            fault.title,
            fault.service,
            fault.ended_by.as_deref().unwrap_or("-")
        );
    }
}

fn told_fault<'a>(
    recording: &'a StoredRecording,
    incident: &Incident,
) -> Option<&'a hindcast_recorder::format::InjectedFault> {
    let began = |fault: &&hindcast_recorder::format::InjectedFault| {
        time(fault.injected_at) <= incident.started_at
            && fault.services.iter().any(|service| incident.services.contains(service))
    };
    recording.truth.faults.iter().filter(began).max_by_key(|fault| fault.injected_at)
}

fn kept_out(facts: &Facts) {
    let mut told = 0;
    for incident in &facts.incidents {
        for other in incident.why.kept_out.iter().take(2) {
            println!("{} was {}", other.name, other.text);
            told += 1;
            if told == 4 {
                return;
            }
        }
    }
}

fn print_receipt(receipt: &Receipt) {
    println!(
        "receipt   {} {} · hindcast where {}",
        receipt.alert.name,
        receipt.accounted,
        short(&receipt.alert.fingerprint)
    );
    let interesting = receipt.steps.iter().skip_while(|step| step.stage != ReceiptStage::Received);
    for step in interesting.take(6) {
        println!("  {} {:<12} {}", clock(step.time), step.stage_in_words(), step.text);
    }
}

fn proof(facts: &Facts) {
    let replay = &facts.replay;
    let sign = if replay.identical { "=" } else { "≠" };
    println!(
        "proof     replayed {} events in {} ms: state {} {sign} live {} · used {:.0} s, {} MB RAM, {:.1} MB disk",
        replay.events,
        replay.elapsed_ms,
        hash(&replay.replayed_hash),
        hash(&replay.live_hash),
        facts.seconds,
        facts.memory_mb,
        facts.disk_mb,
    );
    let redecided = &facts.redecided;
    let sign = if redecided.identical { "byte for byte" } else { "otherwise in places" };
    println!(
        "          decided {} events in {} commits again: {sign} what is recorded",
        redecided.events, redecided.commits
    );
    if let Some((at, open)) = facts.as_of {
        println!("as of     {}: {} incident open, later events not visible", clock(at), open);
    }
}

fn next(facts: &Facts) {
    let id = facts.incidents.first().map_or_else(|| "INC-".to_owned(), |told| short(&told.incident.id));
    println!();
    println!(
        "next      open http://{}/{id} · hindcast ask \"what changed?\" · hindcast show {id} --as-of POSITION · hindcast postmortem {id}",
        facts.address
    );
    println!(
        "yours     hindcast up, then hindcast source add alertmanager: configuration to paste, a test alert, its receipt"
    );
}

fn hash(hash: &str) -> String {
    let digits = hash.split_once(':').map_or(hash, |(_, digits)| digits);
    format!("{}…{}", digits.get(..4).unwrap_or_default(), digits.get(60..).unwrap_or_default())
}

fn words(reason: hindcast_domain::notice::Reason) -> String {
    let word = serde_json::to_value(reason).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().replace('_', " ")
}

fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}
