//! What spans around an onset show: calls that fail, operations that take longer, and who calls whom. Owns to which service
//! an outcome and a time belong; refuses to know who caused it.
//!
//! An error is charged to the deepest span that erred: the spans around it only passed it on. Where that span is a call
//! of a service that sends no spans of its own, as databases do, the error and the time belong to that service, in the
//! view of its caller. A time is what a span took without the spans beneath it.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::finding::{Kind, Raised, RequestWork};
use hindcast_domain::text::{figure, one_line};
use hindcast_domain::{IncidentId, Span, Time};

use crate::parameters::CauseParameters;
use crate::requests::{RequestSpan, TimesBeforeAfter, longer, rate_change};

/// Rules wait before they fire: spans this long before the onset are no longer what is usual.
const WAITED: Span = Span::seconds(60);
/// Findings of one service in one look.
const PER_SERVICE_MAX: usize = 3;
/// Findings of one look.
const FINDINGS_MAX: usize = 20;
/// Calls that are told of one look, the most frequent first.
const CALLS_MAX: usize = 500;
/// The evidence, in nats, whose score is half of what a score can be; a finding has that much at the least.
pub(crate) const NATS: f64 = 4.0;

/// Something that spans show about an operation of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanEffect {
    /// The service that fails or is slow.
    pub service: String,
    /// Whether it fails; else it is slow.
    pub fails: bool,
    /// What was done.
    pub work: RequestWork,
    /// The first span that shows it.
    pub since: Time,
    /// Share of failures, or milliseconds, before.
    pub before: f64,
    /// The same after.
    pub after: f64,
    /// Spans after the onset that it rests on.
    pub count: u64,
    /// Log Bayes factor, in nats.
    pub llr: f64,
}

/// What a look at spans found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanLook {
    /// The surest effects.
    pub effects: Vec<SpanEffect>,
    /// Effects that had no room.
    pub left_out: u64,
    /// Caller, callee and how often.
    pub calls: Vec<(String, String, u64)>,
}

impl SpanEffect {
    /// The finding that says so.
    #[must_use]
    pub fn raised(&self, incident: &IncidentId, until: Time, detector: u32) -> Raised {
        #[allow(clippy::cast_possible_truncation)] // 0 to 999
        let score = (1_000.0 * self.llr / (self.llr + NATS)).clamp(0.0, 999.0) as i32;
        let mut raised = Raised {
            kind: if self.fails { Kind::FailingRequests } else { Kind::SlowRequests },
            service: self.service.clone(),
            title: String::new(),
            at: self.since,
            until,
            template: None,
            metric: None,
            request: Some(self.work.clone()),
            before: self.before,
            after: self.after,
            count: self.count,
            score,
            level: None,
            incident: Some(incident.clone()),
            detector,
        };
        raised.title = format!("{}: {}", one_line(&self.service), words(&raised));
        raised
    }
}

/// What such a finding says, without the service's name.
#[must_use]
pub fn words(found: &Raised) -> String {
    let work = found.request.clone().unwrap_or_default();
    let caller = work.caller.map(|caller| format!(" called by {}", one_line(&caller))).unwrap_or_default();
    let (operation, before, after) = (one_line(&work.operation), figure(found.before), figure(found.after));
    match found.kind {
        Kind::FailingRequests => format!("share of failed {operation}{caller} rose from {before} to {after}"),
        _ => format!("time of {operation}{caller} rose from {before} to {after} ms"),
    }
}

/// The evidence of a finding, from its score.
pub(crate) fn evidence(found: &Raised) -> f64 {
    let sure = f64::from(found.score.clamp(0, 999)) / 1_000.0;
    NATS * sure / (1.0 - sure)
}

/// Where an outcome and a time belong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CallSite {
    service: String,
    operation: String,
    /// Whose view it is, where it is not the service's own.
    caller: Option<String>,
}

/// What one site shows.
#[derive(Default)]
struct SiteSpans {
    failed: [f64; 2],
    all: [f64; 2],
    times: TimesBeforeAfter,
    first_failed: Option<Time>,
    /// When each span behind the onset began, with what it took.
    after: Vec<(Time, f64)>,
}

/// Looks at the spans of a window from before the onset until `until`. `known` gives the one name of a service that spans
/// name as one that they call, where there is such a service.
#[must_use]
pub fn look(
    spans: &[RequestSpan],
    (onset, until): (Time, Time),
    known: impl Fn(&str) -> Option<String>,
    parameters: &CauseParameters,
) -> SpanLook {
    let spans: Vec<&RequestSpan> = spans.iter().filter(|span| span.start <= until).collect();
    let traced: BTreeSet<&str> = spans.iter().map(|span| span.service.as_str()).collect();
    let by_id: BTreeMap<&str, &RequestSpan> = spans.iter().map(|span| (span.id.as_str(), *span)).collect();
    let mut beneath: BTreeMap<&str, Vec<&RequestSpan>> = BTreeMap::new();
    for span in spans.iter().filter(|span| by_id.contains_key(span.parent.as_str())) {
        beneath.entry(&span.parent).or_default().push(span);
    }
    let mut sites: BTreeMap<CallSite, SiteSpans> = BTreeMap::new();
    let mut calls: BTreeMap<(String, String), u64> = BTreeMap::new();
    for span in &spans {
        let children = beneath.get(span.id.as_str()).map_or(&[][..], Vec::as_slice);
        let parent = by_id.get(span.parent.as_str()).copied();
        // One that sends spans itself says more of a call than its caller does.
        let peer = || Some(span.peer.as_str()).filter(|peer| !peer.is_empty() && !traced.contains(peer));
        let reaches = peer().filter(|_| children.is_empty()).and_then(&known).filter(|peer| *peer != span.service);
        let caller = parent.map(|parent| parent.service.clone()).filter(|caller| *caller != span.service);
        for (from, to) in [(caller.clone(), span.service.clone())]
            .into_iter()
            .chain(reaches.clone().map(|to| (Some(span.service.clone()), to)))
        {
            if let Some(from) = from {
                *calls.entry((from, to)).or_default() += 1;
            }
        }
        let site = match reaches {
            Some(service) => CallSite { service, operation: span.name.clone(), caller: Some(span.service.clone()) },
            None => CallSite { service: span.service.clone(), operation: span.name.clone(), caller: None },
        };
        sites.entry(site).or_default().add(span, children, onset - WAITED);
    }
    let mut look = SpanLook { calls: most(calls), ..SpanLook::default() };
    let mut effects: Vec<SpanEffect> =
        sites.iter().flat_map(|(site, spans)| [spans.failing(site), spans.slow(site, parameters)]).flatten().collect();
    effects.sort_by(|a, b| {
        b.llr.total_cmp(&a.llr).then_with(|| (&a.service, &a.work, a.fails).cmp(&(&b.service, &b.work, b.fails)))
    });
    let mut of_service: BTreeMap<String, usize> = BTreeMap::new();
    for effect in effects {
        let count = of_service.entry(effect.service.clone()).or_default();
        if *count >= PER_SERVICE_MAX || look.effects.len() >= FINDINGS_MAX {
            look.left_out += 1;
            continue;
        }
        *count += 1;
        look.effects.push(effect);
    }
    look
}

fn most(calls: BTreeMap<(String, String), u64>) -> Vec<(String, String, u64)> {
    let mut all: Vec<_> = calls.into_iter().map(|((from, to), count)| (from, to, count)).collect();
    all.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.cmp(b)));
    all.truncate(CALLS_MAX);
    all
}

impl SiteSpans {
    fn add(&mut self, span: &RequestSpan, beneath: &[&RequestSpan], onset: Time) {
        let side = usize::from(span.start >= onset);
        let rest = (span.micros - beneath.iter().map(|child| child.micros).sum::<f64>()).max(0.0);
        let is_charged = span.failed && !beneath.iter().any(|child| child.failed);
        if let (Some(all), Some(failed), Some(times)) =
            (self.all.get_mut(side), self.failed.get_mut(side), self.times.get_mut(side))
        {
            *all += 1.0;
            *failed += f64::from(u8::from(is_charged));
            // What failed may have been quick or have waited in vain: its time says nothing of the operation.
            if !span.failed {
                times.push(rest);
            }
        }
        if side == 1 {
            self.after.push((span.start, rest));
            if is_charged {
                self.first_failed = Some(self.first_failed.map_or(span.start, |first| first.min(span.start)));
            }
        }
    }

    fn failing(&self, site: &CallSite) -> Option<SpanEffect> {
        let llr = rate_change([self.failed[0], self.all[0]], [self.failed[1], self.all[1]]);
        let share = |side: usize| {
            let all = self.all.get(side).copied().unwrap_or_default();
            if all > 0.0 { self.failed.get(side).copied().unwrap_or_default() / all } else { 0.0 }
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
        let count = self.failed[1] as u64;
        let effect = site.effect(true, self.first_failed?, (rounded(share(0)), rounded(share(1))), count, llr);
        (llr >= NATS).then_some(effect)
    }

    fn slow(&self, site: &CallSite, parameters: &CauseParameters) -> Option<SpanEffect> {
        let (llr, before, after) = longer(&self.times, parameters)?;
        let half = (before.max(1.0) * after.max(1.0)).sqrt();
        let first = self.after.iter().filter(|(_, took)| *took >= half).map(|(start, _)| *start).min()?;
        let millis = |micros: f64| rounded(micros.max(0.0) / 1_000.0);
        let effect = site.effect(false, first, (millis(before), millis(after)), self.times[1].len() as u64, llr);
        (llr >= NATS && after > before).then_some(effect)
    }
}

/// Thousandths are enough.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

impl CallSite {
    fn effect(&self, fails: bool, since: Time, (before, after): (f64, f64), count: u64, llr: f64) -> SpanEffect {
        let work = RequestWork { operation: self.operation.clone(), caller: self.caller.clone() };
        SpanEffect { service: self.service.clone(), fails, work, since, before, after, count, llr }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64) -> Time {
        Time::ZERO + Span::hours(1) + Span::seconds(seconds)
    }

    fn span(id: &str, parent: &str, service: &str, name: &str, at: i64, millis: f64) -> RequestSpan {
        RequestSpan {
            id: id.to_owned(),
            parent: parent.to_owned(),
            service: service.to_owned(),
            name: name.to_owned(),
            start: time(at),
            micros: millis * 1_000.0,
            failed: false,
            peer: String::new(),
        }
    }

    /// A shop asks its cart, which asks a database without spans of its own; one request a second.
    fn requests(broken: impl Fn(i64, &mut [RequestSpan; 3])) -> Vec<RequestSpan> {
        (0..600)
            .flat_map(|at| {
                let [a, b, c] = ["a", "b", "c"].map(|which| format!("{which}{at}"));
                let mut trace = [
                    span(&a, "", "shop", "GET /", at, 21.0),
                    span(&b, &a, "cart", "GET /cart", at, 15.0),
                    span(&c, &b, "cart", "SELECT", at, 10.0),
                ];
                trace[2].peer = "db".to_owned();
                broken(at, &mut trace);
                trace
            })
            .collect()
    }

    fn looked(spans: &[RequestSpan]) -> SpanLook {
        let known = |name: &str| (name == "db").then(|| "postgres".to_owned());
        look(spans, (time(520), time(600)), known, &CauseParameters::DEFAULT)
    }

    #[test]
    fn an_error_is_charged_to_the_deepest_span_that_erred() {
        let found = looked(&requests(|at, trace| {
            if at >= 500 {
                trace.iter_mut().for_each(|span| span.failed = true);
            }
        }));
        let charged: Vec<_> = found.effects.iter().map(|effect| (effect.service.as_str(), effect.fails)).collect();
        assert_eq!(charged, [("postgres", true)], "{found:?}");
        let effect = &found.effects[0];
        assert_eq!((effect.since, effect.before, effect.work.caller.as_deref()), (time(500), 0.0, Some("cart")));
        let calls: Vec<_> = found.calls.iter().map(|(from, to, _)| (from.as_str(), to.as_str())).collect();
        assert_eq!(calls, [("cart", "postgres"), ("shop", "cart")]);
        let own = looked(&requests(|at, trace| {
            if at >= 500 {
                (trace[0].failed, trace[1].failed) = (true, true);
            }
        }));
        assert_eq!(own.effects[0].service, "cart", "{own:?}");
        assert_eq!(own.effects.len(), 1);
    }

    #[test]
    fn a_time_belongs_to_the_service_that_takes_it() {
        let found = looked(&requests(|at, trace| {
            if at >= 500 {
                trace.iter_mut().for_each(|span| span.micros += 300_000.0);
            }
        }));
        let slow: Vec<_> = found.effects.iter().map(|effect| (effect.service.as_str(), effect.fails)).collect();
        assert_eq!(slow, [("postgres", false)], "those above only wait: {found:?}");
        assert!((found.effects[0].before - 10.0).abs() < 0.5 && (found.effects[0].after - 310.0).abs() < 5.0);
    }

    #[test]
    fn what_goes_on_as_before_shows_nothing() {
        let few_fail = |at: i64, trace: &mut [RequestSpan; 3]| trace[1].failed = at % 10 == 0;
        assert_eq!(looked(&requests(few_fail)).effects, []);
        assert_eq!(look(&[], (time(0), time(1)), |_| None, &CauseParameters::DEFAULT), SpanLook::default());
    }
}
