//! Effects of spans and lines, counted per request. Owns what a span or a line says about its service; refuses to
//! know who caused it.
//!
//! What a request costs within a span, without the spans beneath it, is its self time: it does not propagate to
//! callers as a latency does. A span with one child in another service is the client's view of a call: what is left
//! of it is time on the way, and is charged to the service that is called. Lines and calls are compared per request
//! with a Poisson likelihood ratio, so that a busier minute is no change.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::Time;
use hindcast_domain::text::{figure, one_line, quoted};
use hindcast_metric_shifts::effect::quantile;

use crate::effect::{EffectSource, SignalEffect};
use crate::kind::{SignalKind, SignalSide, SignalWay, kind};
use crate::observed::Observed;
use crate::parameters::CauseParameters;

/// Microseconds that clocks blur.
const CLOCK: f64 = 20.0;
/// Spans of a kind that are needed on each side.
const SPANS_MIN: usize = 3;
/// Words of a line that tell its template.
const WORDS_MAX: usize = 14;
/// Bytes of a template.
const TEMPLATE_MAX: usize = 160;

/// What one service did for a request, and how long that took.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestSpan {
    /// Its id, unique in the window.
    pub id: String,
    /// The span that it is within; empty at the root.
    pub parent: String,
    /// The service that it ran in.
    pub service: String,
    /// What was done.
    pub name: String,
    /// When it began.
    pub start: Time,
    /// How long it took.
    pub micros: f64,
    /// Whether it says that it failed.
    pub failed: bool,
    /// Whom it calls, as far as it says; empty where it does not.
    pub peer: String,
}

/// How bad a line says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineGravity {
    /// Below a warning.
    Info,
    /// Something may go wrong.
    Warning,
    /// An error, or worse.
    Error,
}

/// One record of a service's log.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceLine {
    /// When it was written.
    pub time: Time,
    /// Who wrote it.
    pub service: String,
    /// How bad it says it is.
    pub gravity: LineGravity,
    /// What it says.
    pub text: String,
}

/// Counts before the onset and after it.
type BeforeAfter = [f64; 2];
/// Times before the onset and after it.
pub(crate) type TimesBeforeAfter = [Vec<f64>; 2];

/// Requests and calls, counted.
#[derive(Default)]
struct RequestCounts<'a> {
    /// Times within a span, by service and name.
    own: BTreeMap<(&'a str, &'a str), TimesBeforeAfter>,
    /// Times on the way, by caller and callee.
    way: BTreeMap<(&'a str, &'a str), TimesBeforeAfter>,
    /// Spans that other services, or nobody, called.
    requests: BTreeMap<&'a str, BeforeAfter>,
    /// Spans by service and name.
    operations: BTreeMap<(&'a str, &'a str), BeforeAfter>,
    /// Spans of an operation that called another.
    calls: BTreeMap<OperationCall<'a>, OperationCallCounts>,
    /// Who calls whom.
    edges: BTreeSet<(String, String)>,
}

/// An operation and one that it calls, each by service and name.
type OperationCall<'a> = ((&'a str, &'a str), (&'a str, &'a str));

/// How often a call was made.
#[derive(Clone, Copy, Default)]
struct OperationCallCounts {
    counts: BeforeAfter,
    failed: bool,
}

impl Observed {
    /// Adds what spans and lines say about the window from `onset` to `until`. Without spans nobody knows how many
    /// requests there were: lines are then counted by time, and count with the logarithm of what they say.
    pub fn add_requests(
        &mut self,
        spans: &[RequestSpan],
        lines: &[ServiceLine],
        (onset, until): (Time, Time),
        parameters: &CauseParameters,
    ) {
        let spans: Vec<&RequestSpan> = spans.iter().filter(|span| span.start <= until).collect();
        let counted = RequestCounts::of(&spans, onset);
        let mut found = RequestEffects { onset, all: Vec::new() };
        found.times(&counted, parameters);
        found.calls(&counted, parameters);
        found.lines(&counted, lines, until, parameters);
        self.traced |= !spans.is_empty();
        self.services.extend(found.all.iter().map(|effect| effect.service.clone()));
        self.calls.extend(counted.edges);
        self.effects.extend(found.all);
    }
}

impl<'a> RequestCounts<'a> {
    fn of(spans: &[&'a RequestSpan], onset: Time) -> Self {
        let by_id: BTreeMap<&str, &RequestSpan> = spans.iter().map(|span| (span.id.as_str(), *span)).collect();
        let mut children: BTreeMap<&str, Vec<&'a RequestSpan>> = BTreeMap::new();
        for span in spans.iter().filter(|span| by_id.contains_key(span.parent.as_str())) {
            children.entry(&span.parent).or_default().push(span);
        }
        let mut all = Self::default();
        for span in spans {
            let beneath = children.get(span.id.as_str()).map_or(&[][..], Vec::as_slice);
            all.add(span, by_id.get(span.parent.as_str()).copied(), beneath, usize::from(span.start >= onset));
        }
        all
    }

    fn add(&mut self, span: &'a RequestSpan, parent: Option<&RequestSpan>, beneath: &[&'a RequestSpan], side: usize) {
        let service = span.service.as_str();
        let rest = (span.micros - beneath.iter().map(|child| child.micros).sum::<f64>()).max(0.0);
        let times = match beneath {
            [child] if child.service != service => self.way.entry((service, &child.service)).or_default(),
            _ => self.own.entry((service, &span.name)).or_default(),
        };
        if let Some(times) = times.get_mut(side) {
            times.push(rest);
        }
        let called = parent.is_none_or(|parent| parent.service != service);
        let operation = (service, span.name.as_str());
        count(self.operations.entry(operation).or_default(), side);
        if called {
            count(self.requests.entry(service).or_default(), side);
            self.edges.extend(parent.map(|parent| (parent.service.clone(), service.to_owned())));
        }
        let names: BTreeMap<(&str, &str), bool> =
            beneath.iter().map(|child| ((child.service.as_str(), child.name.as_str()), child.failed)).collect();
        for (child, failed) in names {
            let call = self.calls.entry((operation, child)).or_default();
            count(&mut call.counts, side);
            call.failed |= failed || kind(child.1).0 == SignalKind::Errors;
        }
    }
}

impl RequestCounts<'_> {
    /// The mean over all services.
    fn usual_requests(&self) -> BeforeAfter {
        #[allow(clippy::cast_precision_loss)] // services
        let services = self.requests.len().max(1) as f64;
        [0, 1].map(|side| self.requests.values().filter_map(|counts| counts.get(side)).sum::<f64>() / services)
    }
}

fn count(counts: &mut BeforeAfter, side: usize) {
    if let Some(count) = counts.get_mut(side) {
        *count += 1.0;
    }
}

/// What was found.
struct RequestEffects {
    onset: Time,
    all: Vec<SignalEffect>,
}

impl RequestEffects {
    fn push(
        &mut self,
        service: &str,
        (kind, side): (SignalKind, SignalSide),
        source: EffectSource,
        llr: f64,
        text: String,
    ) {
        self.all.push(SignalEffect {
            service: service.to_owned(),
            kind,
            side,
            way: SignalWay::Up,
            llr,
            change: 0.0,
            since: self.onset,
            source,
            alarmed: false,
            text,
            citation: None,
        });
    }

    fn times(&mut self, counted: &RequestCounts, parameters: &CauseParameters) {
        for ((service, name), times) in &counted.own {
            if let Some((llr, before, after)) = longer(times, parameters) {
                let text = format!("{} takes {} µs instead of {}", one_line(name), figure(after), figure(before));
                self.push(service, (SignalKind::Latency, SignalSide::Own), EffectSource::Span, llr, text);
            }
        }
        for ((caller, callee), times) in &counted.way {
            if let Some((llr, before, after)) = longer(times, parameters) {
                let text = format!("the way from {caller} takes {} µs instead of {}", figure(after), figure(before));
                self.push(callee, (SignalKind::Latency, SignalSide::Called), EffectSource::Span, llr, text);
            }
        }
    }

    fn calls(&mut self, counted: &RequestCounts, parameters: &CauseParameters) {
        for ((operation, child), call) in &counted.calls {
            let Some([before, after]) = counted.operations.get(operation) else { continue };
            if *before < 3.0 || *after < 2.0 {
                continue;
            }
            let [called_before, called_after] = call.counts;
            let rate = rate_change([called_before, *before], [called_after, *after]);
            let (name, called) = (one_line(operation.1), one_line(child.1));
            let errors = (SignalKind::Errors, SignalSide::Own);
            if rate > 0.0 && call.failed {
                let text = format!(
                    "{name} runs into {called} in {called_after} of {after} instead of {called_before} of {before}"
                );
                self.push(operation.0, errors, EffectSource::Span, rate * parameters.line.error, text);
            } else if rate < 0.0 && !call.failed {
                let text = format!(
                    "{name} calls {called} in {called_after} of {after} instead of {called_before} of {before}"
                );
                self.push(operation.0, errors, EffectSource::Span, -rate * parameters.line.call, text);
            }
        }
    }

    fn lines(&mut self, counted: &RequestCounts, lines: &[ServiceLine], until: Time, parameters: &CauseParameters) {
        let mut templates: BTreeMap<(&str, String), (BeforeAfter, LineGravity)> = BTreeMap::new();
        for line in lines.iter().filter(|line| line.time <= until) {
            let known = templates.entry((&line.service, template(&line.text))).or_insert(([0.0; 2], line.gravity));
            count(&mut known.0, usize::from(line.time >= self.onset));
            known.1 = known.1.max(line.gravity);
        }
        let by_time = counted.requests.is_empty();
        let first = lines.first().map_or(self.onset, |line| line.time);
        let usual = if by_time {
            [self.onset.since(first).as_secs_f64(), until.since(self.onset).as_secs_f64()]
        } else {
            counted.usual_requests()
        };
        let unit = if by_time { "seconds" } else { "requests" };
        for ((service, text), (counts, gravity)) in templates {
            let requests = counted.requests.get(service).copied().unwrap_or(usual);
            let rate = rate_change([counts[0], requests[0]], [counts[1], requests[1]]);
            let rate = if by_time { tempered(rate) } else { rate };
            let weight = match gravity {
                LineGravity::Info => parameters.line.info,
                LineGravity::Warning => parameters.line.warning,
                LineGravity::Error => parameters.line.error,
            };
            let llr = match (rate > 0.0, gravity) {
                (true, _) => rate * weight,
                (false, LineGravity::Info) => -rate * parameters.line.vanished,
                (false, _) => continue,
            };
            let text = format!(
                "log line {} {} times in {} {unit} instead of {} in {}",
                quoted(&text),
                figure(counts[1]),
                figure(requests[1]),
                figure(counts[0]),
                figure(requests[0])
            );
            self.push(service, (SignalKind::Errors, SignalSide::Own), EffectSource::Log, llr, text);
        }
    }
}

/// What is left of a rate's evidence where lines come in bursts: its logarithm.
pub(crate) fn tempered(rate: f64) -> f64 {
    (2.0 * rate.abs().ln_1p()).copysign(rate)
}

/// Signed log likelihood ratio of a changed rate against one rate for both sides, each `[count, of]`; half a count
/// is added to each, so that nothing is never certain.
pub(crate) fn rate_change(before: [f64; 2], after: [f64; 2]) -> f64 {
    let rate = (before[0] + after[0] + 1.0) / (before[1] + after[1] + 1.0);
    let part = |[count, of]: [f64; 2]| (count + 0.5) * ((count + 0.5) / ((of + 0.5) * rate)).ln();
    let size = (part(before) + part(after)).max(0.0);
    let per = |[count, of]: [f64; 2]| (count + 0.5) / (of + 0.5);
    if per(after) > per(before) { size } else { -size }
}

/// How much longer something takes: evidence, and the medians before and after in microseconds.
pub(crate) fn longer(times: &TimesBeforeAfter, parameters: &CauseParameters) -> Option<(f64, f64, f64)> {
    let [before, after] = times;
    if before.len() < SPANS_MIN || after.len() < SPANS_MIN {
        return None;
    }
    let (before, after) = (LogTimes::of(before), LogTimes::of(after));
    let noise = 1.57 * (before.spread * before.spread / before.count + after.spread * after.spread / after.count);
    let scale = (parameters.span_floor * parameters.span_floor + noise).sqrt();
    let llr = parameters.effect.evidence((after.middle - before.middle) / scale);
    Some((llr, before.middle.exp() - CLOCK, after.middle.exp() - CLOCK))
}

/// Logarithms of times.
struct LogTimes {
    middle: f64,
    spread: f64,
    count: f64,
}

impl LogTimes {
    fn of(times: &[f64]) -> Self {
        let mut logs: Vec<f64> = times.iter().map(|time| (time + CLOCK).ln()).collect();
        logs.sort_by(f64::total_cmp);
        let middle = quantile(&logs, 0.5);
        let mut apart: Vec<f64> = logs.iter().map(|log| (log - middle).abs()).collect();
        apart.sort_by(f64::total_cmp);
        #[allow(clippy::cast_precision_loss)] // spans of minutes
        let count = logs.len() as f64;
        Self { middle, spread: 1.4826 * quantile(&apart, 0.5), count }
    }
}

/// The first words of a line, without what is different in each: a word with a digit in it is a place holder, but
/// for the letters of a place in code, such as `Class#12` or `name[3]`. Ids of traces and the words that announce
/// them are left out.
fn template(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX * 2).filter(|word| !is_clock(word)).collect();
    let announces = |at: usize| words.get(at).is_some_and(|word| word.ends_with([':', '=']));
    let kept = words.iter().enumerate().filter(|(at, word)| {
        let before_id = announces(*at) && words.get(at + 1).is_some_and(|next| is_id(next));
        !is_id(word) && !before_id
    });
    let mut shown = String::new();
    for (_, word) in kept.take(WORDS_MAX) {
        if !shown.is_empty() {
            shown.push(' ');
        }
        if !word.bytes().any(|byte| byte.is_ascii_digit()) {
            shown.push_str(word);
        } else if word.len() < 60 && word.contains(['#', '[']) {
            shown.extend(word.chars().filter(|c| c.is_ascii_alphabetic() || matches!(c, '.' | '#' | '[' | ']' | '_')));
        } else {
            shown.push('*');
        }
    }
    shown.truncate(shown.floor_char_boundary(TEMPLATE_MAX));
    shown
}

/// Whether a word is the id of a trace or of a span.
fn is_id(word: &str) -> bool {
    word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a word is a date or a time of day: digits with the signs between them.
fn is_clock(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let signs = word.bytes().filter(|byte| matches!(byte, b':' | b'-' | b'/')).count();
    digits >= 4 && signs >= 2 && word.bytes().all(|b| b.is_ascii_digit() || b":-/.,TZ+[]".contains(&b))
}
