//! Spans of a recording's requests, put together again from what it holds of them: the proxy's access line has the time and
//! the status of a request at the proxy and at the service behind it, and a service writes one line for each request that
//! its database or cache failed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::catalog::Topology;
use hindcast_domain::finding::Raised;
use hindcast_domain::{IncidentId, Span, Time};
use hindcast_rca::parameters::CauseParameters;
use hindcast_rca::requests::RequestSpan;
use hindcast_rca::traces;

use super::RecordedLine;

/// How far apart the proxy and a service may write of one request: the proxy's lines have whole seconds.
const APART: Span = Span::millis(2_500);
/// Words of a service's line, and whom its call failed.
const FAILED: [(&str, &str); 2] = [("database unavailable", "postgres"), ("cache failed", "redis")];
/// Whom a service calls.
const CALLS: [(&str, &str); 4] =
    [("checkout", "postgres"), ("search", "postgres"), ("search", "redis"), ("cart", "redis")];

/// One request as the proxy saw it.
struct ProxiedRequest<'a> {
    path: &'a str,
    failed: bool,
    micros: f64,
    /// The service behind the proxy, and whether it failed.
    behind: Option<(&'a str, bool)>,
}

/// `… "GET /path …" 503 15 rt=0.006 upstream=127.0.0.1:8102 ust=503 service=checkout`
fn request(message: &str) -> Option<ProxiedRequest<'_>> {
    let (_, rest) = message.split_once('"')?;
    let (asked, rest) = rest.split_once('"')?;
    let path = asked.split(' ').nth(1)?.split('?').next()?;
    let field = |name: &str| rest.split_once(name).and_then(|(_, value)| value.split(" service=").next());
    let status: u16 = rest.split_whitespace().next()?.parse().ok()?;
    let seconds: f64 = field("rt=")?.split(' ').next()?.parse().ok()?;
    let behind = field("ust=")?.rsplit([',', ' ']).next()?.parse::<u16>().ok();
    let service = rest.split_once("service=")?.1;
    let behind = behind.map(|status| (service, status >= 500));
    Some(ProxiedRequest { path, failed: status >= 500, micros: seconds * 1e6, behind })
}

/// All spans, by when they began.
pub fn spans(lines: &[RecordedLine]) -> Vec<RequestSpan> {
    let mut failures: BTreeMap<&str, VecDeque<&RecordedLine>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.service != "nginx" && line.severity == "error") {
        failures.entry(&line.service).or_default().push_back(line);
    }
    let mut all = Vec::new();
    let proxied = lines.iter().filter(|line| line.service == "nginx");
    for (number, (line, request)) in proxied.filter_map(|line| Some((line, request(&line.message)?))).enumerate() {
        let span = |which: &str, parent: &str, service: &str, failed: bool| RequestSpan {
            id: format!("{which}{number}"),
            parent: if parent.is_empty() { String::new() } else { format!("{parent}{number}") },
            service: service.to_owned(),
            name: format!("GET {}", request.path),
            start: line.time,
            micros: request.micros,
            failed,
            peer: String::new(),
        };
        all.push(span("proxy", "", "nginx", request.failed));
        let Some((service, failed)) = request.behind else { continue };
        all.push(span("service", "proxy", service, failed));
        let said = failed.then(|| said(failures.entry(service).or_default(), line.time)).flatten();
        let whom = FAILED.into_iter().find(|(words, _)| said.is_some_and(|said| said.message.starts_with(words)));
        for (_, callee) in CALLS.into_iter().filter(|(caller, _)| *caller == service) {
            let failed = whom.is_some_and(|(_, whom)| whom == callee);
            let mut call = span(callee, "service", service, failed);
            (call.name, call.peer, call.micros) = (format!("call of {callee}"), callee.to_owned(), 0.0);
            all.push(call);
        }
    }
    all.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    all
}

/// The line that a service wrote of a request that failed, each line for one request.
fn said<'a>(lines: &mut VecDeque<&'a RecordedLine>, at: Time) -> Option<&'a RecordedLine> {
    while lines.front().is_some_and(|line| line.time < at - APART) {
        lines.pop_front();
    }
    lines.front().filter(|line| line.time <= at + APART)?;
    lines.pop_front()
}

/// What looks at spans found.
#[derive(Default)]
pub struct ShownSpans {
    /// Findings, with when each was known.
    pub raised: Vec<(Raised, Time)>,
    /// Caller and callee.
    pub calls: Vec<(String, String)>,
}

/// What looks at the spans about an onset found, with when that was known, and who calls whom.
pub fn shown(
    spans: &[RequestSpan],
    topology: &Topology,
    (onset, now): (Time, Time),
    incident: &IncidentId,
) -> ShownSpans {
    let mut raised = Vec::new();
    let mut known = BTreeSet::new();
    let mut calls = BTreeSet::new();
    let looks = [Span::seconds(20), Span::seconds(90)].map(|after| onset + after);
    for until in looks.into_iter().filter(|until| *until <= now) {
        let from = spans.partition_point(|span| span.start < onset - Span::minutes(10));
        let to = spans.partition_point(|span| span.start < until);
        let window = spans.get(from..to).unwrap_or_default();
        let one = |name: &str| {
            topology
                .resolve(name)
                .map(str::to_owned)
                .or_else(|| CALLS.iter().any(|(_, to)| *to == name).then(|| name.to_owned()))
        };
        let look = traces::look(window, (onset, until), one, &CauseParameters::DEFAULT);
        calls.extend(look.calls.into_iter().map(|(caller, callee, _)| (caller, callee)));
        for effect in look.effects {
            if known.insert((effect.service.clone(), effect.work.clone(), effect.fails)) {
                raised.push((effect.raised(incident, until, 2), until + Span::seconds(1)));
            }
        }
    }
    ShownSpans { raised, calls: calls.into_iter().collect() }
}
