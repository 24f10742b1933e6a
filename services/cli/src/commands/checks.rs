//! What `doctor` looks at. Owns each check and its remedy; everything is learnt over HTTP as any client could,
//! but for the space on a local disk, and for models that run on this machine.

mod advising;
mod clocks;
mod figures;
mod outcome;
mod topology;

use std::time::Duration;

use hindcast_api::{
    BehindService, ChatStatus, Chats, HeartbeatStatus, Notice, Page, Problem, Readiness, SenderHeartbeat, State,
};
use hindcast_domain::{Span, Time};
use reqwest::{Method, header};
use serde_json::Value;

use self::figures::{FigureLabels, MetricFigures};
pub use self::outcome::{Check, CheckOutcome};
use crate::client::{Path, typed};
use crate::context::{AsOfArgs, CliContext};
use crate::error::{Error, Result};
use crate::text::clean;
use crate::text::times::brief;
use hindcast_domain::text::count;

/// How often a state that is not settled is asked for again, and how long is waited before.
const SETTLING: (u32, Duration) = (10, Duration::from_millis(300));
/// How far two clocks may lie apart. The header tells whole seconds.
const SKEW_MAX: Span = Span::seconds(5);
/// How long ago a failed delivery still counts.
const LATELY: Span = Span::hours(24);
/// From how many seconds on it is said that messages wait.
const CHAT_OLD_S: u64 = 60;
/// Bytes of a gibibyte.
const GIB: f64 = (1_u64 << 30) as f64;
/// Free bytes below which a disk is nearly full.
const DISK_FREE_MIN: f64 = GIB;
/// A disk that is full within so many days is a failure, or worth knowing.
const DAYS_FAILED: f64 = 3.0;
const DAYS_NOTED: f64 = 14.0;

/// Every check, in the order in which one rests on another.
pub(super) async fn all(context: &CliContext<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    match server(context).await {
        Ok(found) => checks.extend(found),
        Err(error) => {
            checks.push(Check::error("server", &error));
            return checks;
        }
    }
    checks.push(ready(context).await);
    match state(context).await {
        Ok(state) => checks.extend([settled(&state), durable(&state), parked(&state)]),
        Err(error) => {
            checks.push(Check::error("state", &error));
            return checks;
        }
    }
    let figures = figures(context).await;
    checks.push(figures.as_ref().map_or_else(|error| Check::error("effects", error), effects));
    checks.push(receivers(context).await.unwrap_or_else(|error| Check::error("receivers", &error)));
    checks.extend(figures.as_ref().map(troubled).unwrap_or_default());
    checks.push(deliveries(context).await.unwrap_or_else(|error| Check::error("deliveries", &error)));
    checks.extend(senders(context).await);
    checks.extend(clocks::all(context).await.unwrap_or_else(|error| vec![Check::error("senders", &error)]));
    checks.extend(topology::check(context).await);
    checks.extend(chat(context).await);
    checks.extend(disk(context, figures.as_ref().ok()));
    if let Ok(figures) = &figures {
        checks.extend(advising::all(figures, context.client.is_local()).await);
    }
    checks
}

/// Whether it answers, and how its clock goes.
async fn server(context: &CliContext<'_>) -> Result<Vec<Check>> {
    let response = context.client.send(context.client.request(Method::GET, &Path::new("/healthz"))).await?;
    let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok()).and_then(http_date);
    let health: Value = typed("/healthz", &context.client.json(response).await?)?;
    let version = health.get("version").and_then(Value::as_str).unwrap_or("of an unknown version");
    let mut checks = vec![Check::ok("server", format!("hindcast {version} answers at {}", context.client.base()))];
    if let Some(theirs) = date {
        let ours = context.terminal.now();
        let apart = ours.distance(theirs);
        checks.push(if apart <= SKEW_MAX {
            Check::ok("clock", "this machine's clock and the server's agree")
        } else {
            let side = if theirs > ours { "ahead of" } else { "behind" };
            let detail = format!("the server's clock is {} {side} this machine's", brief(apart));
            Check::failed("clock", detail, "Synchronise both clocks with NTP: relative times and as-of lean on them.")
        });
    }
    Ok(checks)
}

/// `Tue, 24 Nov 2026 17:02:43 GMT`.
fn http_date(text: &str) -> Option<Time> {
    let stamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Time::from_nanos)
}

async fn ready(context: &CliContext<'_>) -> Check {
    match context.client.send(context.client.request(Method::GET, &Path::new("/readyz"))).await {
        Ok(response) => {
            let answer = context.client.json(response).await.and_then(|answer| typed("/readyz", &answer));
            answer.map_or_else(|error| Check::error("ready", &error), |readiness| lag(&readiness))
        }
        Err(Error::Refused(problem)) => {
            let Problem { detail, .. } = *problem;
            Check::failed("ready", detail, "Wait until it has caught up. If it does not, read its log.")
        }
        Err(error) => Check::error("ready", &error),
    }
}

/// Whether a service is behind by more than the server's limit.
fn lag(readiness: &Readiness) -> Check {
    let of = |behind: &BehindService| {
        let age = brief(Span::seconds(i64::try_from(behind.lag_s).unwrap_or(i64::MAX / 2_000_000_000)));
        format!("{} is {age} behind ({})", clean(&behind.service), count(behind.commits, "commit"))
    };
    let behind: Vec<String> = readiness.behind.iter().map(of).collect();
    if behind.is_empty() {
        return Check::ok("ready", "caught up with the head as it was at start, and accepting");
    }
    Check::failed(
        "ready",
        format!("accepting, and {}", behind.join(", ")),
        "What came in is stored. If it does not catch up, read the log of that service; hindcast_lag_seconds shows how far it is behind.",
    )
}

/// The state, once it is settled or after some patience.
async fn state(context: &CliContext<'_>) -> Result<State> {
    let (times, rest) = SETTLING;
    let mut state: State = typed("the state", &context.client.get(&Path::new("/api/v1/state")).await?)?;
    for _ in 0..times {
        if state.settled {
            break;
        }
        tokio::time::sleep(rest).await;
        state = typed("the state", &context.client.get(&Path::new("/api/v1/state")).await?)?;
    }
    Ok(state)
}

fn settled(state: &State) -> Check {
    if state.settled {
        return Check::ok("settled", format!("caught up: everything up to position #{} is processed", state.position));
    }
    let behind = state.services.iter().filter(|(_, service)| service.position < state.position);
    let behind: Vec<String> = behind.map(|(name, service)| format!("{name} is at #{}", service.position)).collect();
    let who = if behind.is_empty() { "timers or decisions are pending".to_owned() } else { behind.join(", ") };
    let detail = format!("still processing at position #{}: {who}", state.position);
    Check::failed("settled", detail, "This is normal under load. If it lasts, read the log of that service.")
}

fn durable(state: &State) -> Check {
    let kind = state.versions.get("ledger").map_or_else(String::new, |kind| format!("{kind}, "));
    match state.versions.get("durability").map(String::as_str) {
        Some("synced") => Check::ok("ledger", format!("{kind}every commit is synced before it is acknowledged")),
        Some(worth @ ("lossy" | "volatile")) => Check::failed(
            "ledger",
            format!("{kind}an acknowledged commit may be lost: it is {worth}"),
            "On NATS set `sync_interval: always` and file storage, and set --nats-monitor so that Hindcast can check it.",
        ),
        _ => Check::note("ledger", format!("{}, its durability is unknown", state.ledger), "Run `hindcast verify`."),
    }
}

fn parked(state: &State) -> Check {
    match state.parked {
        0 => Check::ok("parked", "no dead letters"),
        parked => Check::failed(
            "parked",
            format!("{}: accepted and not processed", count(parked, "dead letter")),
            "`hindcast parked list` shows them, `hindcast parked retry|discard ID` clears them.",
        ),
    }
}

/// What the server tells of itself in figures.
async fn figures(context: &CliContext<'_>) -> Result<MetricFigures> {
    let response = context.client.send(context.client.request(Method::GET, &Path::new("/metrics"))).await?;
    Ok(MetricFigures::read(&response.text().await.unwrap_or_default()))
}

fn effects(figures: &MetricFigures) -> Check {
    match figures.value("hindcast_effects_held") {
        Some(held) if held > 0.0 => Check::failed(
            "effects",
            "no notification is sent: this installation is not activated for this ledger (it was copied or restored)",
            "Make sure that no other installation pages from it, then run `hindcast activate`.",
        ),
        Some(_) => Check::ok("effects", "notification effects are on: this installation may page"),
        None => Check::note(
            "effects",
            "unknown whether this installation may send notifications",
            "Search its log for `activated`.",
        ),
    }
}

/// Who is told, from the last configuration of paging that stands in the ledger.
async fn receivers(context: &CliContext<'_>) -> Result<Check> {
    let path = Path::new("/api/v1/events").query("kind", "control.configured");
    let events: Vec<Value> = context.list_all(path, &AsOfArgs::default()).await?;
    let paging = events.iter().rev().find_map(|event| {
        let data = event.get("data")?;
        (data.get("section")?.as_str()? == "paging").then(|| data.get("content")).flatten()
    });
    let receivers = paging.and_then(|paging| paging.get("receivers")).and_then(Value::as_array);
    let names = receivers.into_iter().flatten().filter_map(|receiver| receiver.get("name")?.as_str());
    let names: Vec<&str> = names.filter(|name| *name != "screen").collect();
    Ok(if names.is_empty() {
        Check::note(
            "receivers",
            "no receiver: pages are shown on the web pages and in the log only, and wake nobody",
            "Configure a receiver: `[[receivers]]` in hindcast.toml, or --notify URL.",
        )
    } else {
        Check::ok("receivers", format!("{}: {}", count(names.len() as u64, "receiver"), names.join(", ")))
    })
}

/// Receivers that did not take the last message that they were sent.
fn troubled(figures: &MetricFigures) -> Vec<Check> {
    let of = |told: FigureLabels<'_>| {
        let name = clean(told.label("receiver"));
        let (what, remedy) = match told.label("trouble") {
            "credential" => ("refuses the credential", "Put the right one into its place and start Hindcast again"),
            "rate_limit" => {
                ("wants fewer messages", "Raise its limit, or send it less: at_least, pages_only, pages_max")
            }
            "refused" => ("refused the last message", "`hindcast notices --status requested,expired` shows why"),
            _ => ("did not answer", "See whether it can be reached from the server"),
        };
        Check::failed("receiver", format!("{name} {what}"), format!("{remedy}; then `hindcast receiver test {name}`."))
    };
    figures.all_told("hindcast_receiver_trouble").map(of).collect()
}

/// Senders that have a rhythm and are silent.
async fn senders(context: &CliContext<'_>) -> Option<Check> {
    let document = context.client.get(&Path::new("/api/v1/heartbeats")).await;
    let page: Page<SenderHeartbeat> = match document.and_then(|document| typed("senders", &document)) {
        Ok(page) => page,
        // A server of before, or one that does not keep alerts.
        Err(error) if error.is_absent() => return None,
        Err(error) => return Some(Check::error("senders", &error)),
    };
    let silent: Vec<&SenderHeartbeat> =
        page.items.iter().filter(|item| item.status == HeartbeatStatus::Silent).collect();
    let regular = page.items.iter().filter(|item| item.status == HeartbeatStatus::Regular).count();
    if silent.is_empty() {
        let detail = format!("{} with a rhythm, none silent", count(regular as u64, "sender"));
        return (regular > 0).then(|| Check::ok("senders", detail));
    }
    let named = silent.iter().map(|item| {
        let every = item.interval_s.and_then(|seconds| i64::try_from(seconds).ok()).map(Span::seconds);
        let every = every.map(|every| format!(", usually every {}", brief(every))).unwrap_or_default();
        format!("{} silent since {}{every}", clean(&super::heartbeats::name(item)), item.last_heard_at)
    });
    let detail = named.collect::<Vec<_>>().join("; ");
    Some(Check::failed("senders", detail, "See whether it runs and reaches Hindcast; `hindcast heartbeats` lists all."))
}

/// Deliveries that failed lately or are failing now.
async fn deliveries(context: &CliContext<'_>) -> Result<Check> {
    let path = Path::new("/api/v1/notices").query("status", "requested,expired");
    let page = context.page(&path, None, hindcast_api::LIMIT_MAX).await?;
    let notices: Vec<Notice> = crate::context::items(&page)?;
    let since = context.now() - LATELY;
    let failed: Vec<&Notice> = notices.iter().filter(|it| it.at >= since && it.error.is_some()).collect();
    Ok(match failed.first() {
        None => Check::ok("deliveries", "no delivery failed in the last day"),
        Some(last) => {
            let receiver = last.receiver.as_deref().unwrap_or("a receiver");
            let error = last.error.as_deref().unwrap_or_default();
            let number = count(failed.len() as u64, "notification");
            let detail = format!("{number} not delivered in the last day, the last to {receiver}: {}", clean(error));
            Check::failed(
                "deliveries",
                detail,
                "Repair the receiver; see `hindcast notices --status requested,expired`.",
            )
        }
    })
}

/// Whether Slack and Teams can be reached, where they are set up.
async fn chat(context: &CliContext<'_>) -> Vec<Check> {
    let answer = context.client.get(&Path::new("/api/v1/chat")).await;
    let chats: Chats = match answer.and_then(|answer| typed("chat", &answer)) {
        Ok(chats) => chats,
        Err(error) => return vec![Check::error("chat", &error)],
    };
    let of_vendor = |chat: &ChatStatus| {
        let seconds = i64::try_from(chat.oldest_s).unwrap_or(i64::MAX / 2_000_000_000);
        let waits = format!("{} wait, the oldest for {}", chat.queued, brief(Span::seconds(seconds)));
        let name = chat.vendor.as_str();
        if !chat.reachable {
            let error = chat.last_error.as_deref().unwrap_or("no answer");
            let detail = format!("{name} cannot be reached: {}; {waits}", clean(error));
            return Check::failed("chat", detail, "Pages go out as ever; see docs/chat.md for tokens and rights.");
        }
        if chat.queued > 0 && chat.oldest_s >= CHAT_OLD_S {
            return Check::note(
                "chat",
                format!("{name} answers; {waits}"),
                "GET /api/v1/chat says what waits, and why.",
            );
        }
        Check::ok("chat", format!("{name} can be reached; {} cards shown there", chat.cards))
    };
    chats.items.iter().map(of_vendor).collect()
}

/// Free space where the data lie, as far as that is known: as the server says, or else by a look at a folder of this
/// machine. With the growth of the last week it says when the disk is full.
fn disk(context: &CliContext<'_>, figures: Option<&MetricFigures>) -> Option<Check> {
    let figure = |name| figures.and_then(|figures| figures.value(name)).filter(|bytes| *bytes > 0.0);
    let folder = std::path::Path::new("hindcast-data");
    let is_here = context.client.is_local() && folder.is_dir();
    let (free, place) = match figure("hindcast_disk_free_bytes") {
        Some(free) => (free, if is_here { folder.display().to_string() } else { "the data folder".to_owned() }),
        None if !is_here => return None,
        None => match rustix::fs::statvfs(folder) {
            #[allow(clippy::cast_precision_loss)] // gigabytes with one digit are shown
            Ok(space) => (space.f_bavail.saturating_mul(space.f_frsize) as f64, folder.display().to_string()),
            Err(error) => {
                let detail = format!("the free space of {} cannot be read: {error}", folder.display());
                return Some(Check::note("disk", detail, "Look with `df`."));
            }
        },
    };
    Some(fullness(&place, free, figure("hindcast_disk_growth_bytes")))
}

/// What so much free space says, and so many bytes of growth a day.
fn fullness(place: &str, free: f64, growth: Option<f64>) -> Check {
    let remedy = "Free some space: a full disk ends the acceptance of alerts.";
    let days = growth.map(|growth| free / growth);
    let mut detail = format!("{:.1} GiB free in {place}", free / GIB);
    if let (Some(growth), Some(days)) = (growth, days) {
        detail.push_str(&format!(", which grows by {:.2} GiB a day: full in {days:.0} days", growth / GIB));
    }
    if free < DISK_FREE_MIN || days.is_some_and(|days| days < DAYS_FAILED) {
        return Check::failed("disk", detail, remedy);
    }
    match days.filter(|days| *days < DAYS_NOTED) {
        Some(_) => Check::note("disk", detail, remedy),
        None => Check::ok("disk", detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_http_is_read() {
        assert_eq!(http_date("Tue, 24 Nov 2026 17:02:43 GMT"), "2026-11-24T17:02:43Z".parse().ok());
        assert_eq!(http_date("yesterday"), None);
    }
}
