//! What an event says: its text, numbers, times, services and severities, read from its data and envelope
//! alike. Owns what counts as said; refuses to know what is claimed.

use std::collections::BTreeSet;

use hindcast_api::Event;
use hindcast_domain::Time;
use serde_json::Value;

use crate::figures::{FigureUnit, WrittenFigure};
use crate::happening::{Happening, happenings};
use crate::known::KnownNames;
use crate::named::services_named;
use crate::read::{self, TextAssertion};
use crate::times::WrittenTime;
use crate::words::{fold, has_word};

/// Bytes of an event's text that are looked at.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Leaves of an event's data that are looked at.
const LEAVES_MAX: usize = 2_000;
/// Levels of an event's data.
const DEPTH_MAX: usize = 32;
/// Fields whose numbers are bookkeeping: nobody means them.
const BOOKKEEPING: [&str; 9] =
    ["revision", "position", "detector", "weights", "redaction", "normaliser", "unmapped", "hashes", "as_of"];
/// Fields whose numbers are thousandths.
const THOUSANDTHS: [&str; 2] = ["score", "threshold"];
/// Fields that say how bad something is.
const SEVERITIES: [&str; 5] = ["severity", "peak_severity", "level", "priority", "worst"];

/// A number that an event says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    /// With its factor.
    pub value: f64,
    /// Whether it is a share of a hundred.
    pub percent: bool,
    /// Whether it stood in a text with a unit of bytes.
    pub bytes: bool,
    /// Whether it is a field of its own, so that its unit is not known.
    pub field: bool,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EventFacts {
    pub id: String,
    pub position: u64,
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// When it was decided or written.
    pub time: Time,
    /// When what it tells of happened, as it says itself.
    pub begun: Time,
    /// Times between which somebody may count.
    pub marks: Vec<Time>,
    /// All times that it says.
    pub times: Vec<Time>,
    pub numbers: Vec<Number>,
    /// How many items its lists have.
    pub lengths: Vec<usize>,
    /// Lengths of time, in seconds.
    pub stretches: Vec<f64>,
    /// Every leaf with its name, folded, a line each.
    pub text: String,
    /// Services that it is about, by their one names.
    pub about: BTreeSet<String>,
    /// Services that it names anywhere.
    pub services: BTreeSet<String>,
    pub severities: BTreeSet<String>,
    /// Levels before and after, where it tells of a move.
    pub moved: Option<(f64, f64)>,
    /// What happened by it, typed.
    pub happened: Vec<Happening>,
}

/// Reads an event.
pub(crate) fn facts(event: &Event, known: &KnownNames) -> EventFacts {
    let mut reader = FactsReader { facts: empty(event), leaves: 0 };
    for (name, text) in [("type", &event.event_type), ("subject", &event.subject), ("actor", &event.actor)] {
        reader.line(name, text);
    }
    reader.line("id", &event.id);
    reader.time(event.time);
    reader.facts.times.push(event.recorded_at);
    reader.leaf("environment", &Value::String(event.environment.clone()));
    reader.walk("", &event.data, 0);
    reader.names(event, known);
    let mut facts = reader.facts;
    facts.begun = begun(event);
    facts.marks.push(facts.begun);
    facts.marks.sort_unstable();
    facts.marks.dedup();
    let level = |name: &str| event.data.get(name).and_then(Value::as_f64);
    facts.moved = level("before").zip(level("after"));
    facts.about = services_named(event).iter().map(|name| known.resolve(name).to_owned()).collect();
    for name in alerts_in(event).iter().flat_map(|fingerprint| known.alert(fingerprint)) {
        if let Some(one) = known.services.get(&name.to_lowercase()) {
            facts.about.insert(one.clone());
        }
    }
    let named = known.services.iter().filter(|(name, _)| has_word(&facts.text, name)).map(|(_, one)| one.clone());
    facts.services = named.chain(facts.about.iter().cloned()).collect();
    facts.happened = happenings(event, known);
    facts
}

fn empty(event: &Event) -> EventFacts {
    EventFacts {
        id: event.id.clone(),
        position: event.position,
        kind: event.event_type.clone(),
        subject: event.subject.clone(),
        time: event.time,
        begun: event.time,
        marks: Vec::new(),
        times: Vec::new(),
        numbers: Vec::new(),
        lengths: Vec::new(),
        stretches: Vec::new(),
        text: String::new(),
        about: BTreeSet::new(),
        services: BTreeSet::new(),
        severities: BTreeSet::new(),
        moved: None,
        happened: Vec::new(),
    }
}

/// When what an event tells of happened.
fn begun(event: &Event) -> Time {
    let fields: &[&str] = match event.event_type.as_str() {
        "alert.resolved" => &["ends_at"],
        _ => &["at", "starts_at", "started_at"],
    };
    let said = fields.iter().find_map(|field| event.data.get(*field)?.as_str()?.parse().ok());
    said.unwrap_or(event.time)
}

/// The fingerprints that an event is about.
fn alerts_in(event: &Event) -> Vec<String> {
    let mut all = vec![event.subject.clone()];
    all.extend(event.data.get("fingerprint").and_then(Value::as_str).map(str::to_owned));
    let list = event.data.get("fingerprints").and_then(Value::as_array);
    all.extend(list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    all
}

struct FactsReader {
    facts: EventFacts,
    leaves: usize,
}

impl FactsReader {
    fn line(&mut self, name: &str, text: &str) {
        if self.facts.text.len() + text.len() <= TEXT_BYTES_MAX {
            self.facts.text.push_str(&format!("{}: {}\n", fold(name), fold(text)));
        }
    }

    fn time(&mut self, time: Time) {
        self.facts.times.push(time);
        self.facts.marks.push(time);
    }

    fn walk(&mut self, name: &str, value: &Value, depth: usize) {
        if depth > DEPTH_MAX || self.leaves > LEAVES_MAX {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.walk(name, value, depth + 1);
                }
            }
            Value::Array(items) => {
                self.facts.lengths.push(items.len());
                for value in items {
                    self.walk(name, value, depth + 1);
                }
            }
            leaf => self.leaf(name, leaf),
        }
    }

    fn leaf(&mut self, name: &str, value: &Value) {
        self.leaves += 1;
        match value {
            Value::String(text) => self.text(name, text),
            Value::Number(number) => {
                self.line(name, &number.to_string());
                if let Some(value) = number.as_f64().filter(|_| !BOOKKEEPING.contains(&name)) {
                    self.field(name, value);
                }
            }
            Value::Bool(value) => self.line(name, if *value { "true" } else { "false" }),
            _ => {}
        }
    }

    fn field(&mut self, name: &str, value: f64) {
        if THOUSANDTHS.contains(&name) {
            self.number(value / 1_000.0, true);
        } else if name.ends_with("_ms") {
            self.facts.stretches.push(value / 1_000.0);
        } else if name.ends_with("_s") || name.ends_with("_seconds") {
            self.facts.stretches.push(value);
        }
        self.number(value, true);
    }

    fn number(&mut self, value: f64, field: bool) {
        self.facts.numbers.push(Number { value, percent: false, bytes: false, field });
    }

    fn text(&mut self, name: &str, text: &str) {
        self.line(name, text);
        if SEVERITIES.contains(&name) {
            self.facts.severities.insert(text.to_lowercase());
        }
        if let Ok(time) = text.parse::<Time>() {
            self.facts.times.push(time);
            // how far telemetry was looked at, and when a sender's silence counts, is nothing that happened
            let looked = name == "until" && self.facts.kind == "finding.raised";
            if !(looked || matches!(name, "stale_at" | "expires_at")) {
                self.facts.marks.push(time);
            }
            return;
        }
        for said in read::read_foreign(text) {
            self.said(said);
        }
    }

    fn said(&mut self, said: TextAssertion) {
        match said {
            TextAssertion::Figure(figure) => self.facts.numbers.extend(numbers(&figure)),
            TextAssertion::Stretch(stretch) => self.facts.stretches.push(stretch.seconds),
            TextAssertion::Moment(WrittenTime::Instant(time, _)) => self.facts.times.push(time),
            _ => {}
        }
    }

    /// What the alerts that it is about are called.
    fn names(&mut self, event: &Event, known: &KnownNames) {
        let names: Vec<String> =
            alerts_in(event).iter().flat_map(|fingerprint| known.alert(fingerprint)).cloned().collect();
        for name in names {
            self.line("alert", &name);
        }
    }
}

fn numbers(figure: &WrittenFigure) -> Vec<Number> {
    let of =
        |value: f64, bytes: bool| Number { value, percent: figure.unit == FigureUnit::Percent, bytes, field: false };
    match figure.unit {
        FigureUnit::None | FigureUnit::Percent => vec![of(figure.value, false)],
        FigureUnit::Times(factor) => vec![of(figure.value * factor, false)],
        FigureUnit::Bytes(small, large) => vec![of(figure.value * small, true), of(figure.value * large, true)],
    }
}
