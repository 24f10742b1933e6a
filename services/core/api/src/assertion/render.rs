//! The sentence of an assertion: one order of words for each kind, which the verifier's grammar reads back. Refuses to
//! know whether it is true.

use super::{Assertion, AssertionKind as Kind, AssertionRole as Role, AssertionSource};

/// The sentence, without a full stop.
#[must_use]
pub fn render(assertion: &Assertion) -> String {
    let of = Words(assertion);
    match assertion.kind {
        Kind::AlertFired | Kind::AlertReceived | Kind::AlertResolved | Kind::AlertSuppressed => alert(&of),
        Kind::Owned => format!("{} belongs to {}", of.or(Role::Service, "it"), of.or(Role::To, "a team")),
        Kind::Sign if !assertion.parts.is_empty() => signs(assertion),
        Kind::Sign => format!("{} showed a sign{}", of.or(Role::Service, "it"), of.tail()),
        Kind::IncidentOpened
        | Kind::IncidentDeclared
        | Kind::IncidentAcknowledged
        | Kind::IncidentUnacknowledged
        | Kind::IncidentResolved
        | Kind::IncidentReopened
        | Kind::IncidentMerged
        | Kind::IncidentSplit
        | Kind::IncidentAssigned
        | Kind::IncidentSnoozed
        | Kind::IncidentSeveritySet
        | Kind::IncidentLasted
        | Kind::IncidentRecurred => incident(&of),
        Kind::AlertJoined => {
            let what = of.alert("an alert");
            let score = of.put(" with a score of ", Role::Score);
            format!("{what} joined {}{}{score}", of.or(Role::Incident, "it"), of.tail())
        }
        Kind::Change => change(&of),
        Kind::MetricMoved => moved(&of),
        Kind::LogLine | Kind::LogBurst | Kind::LogWritten => line(&of),
        Kind::Page => format!("{} was paged{}", of.or(Role::Receiver, "somebody"), of.tail()),
        Kind::Count => format!("{} {} fired", of.or(Role::Count, "0"), of.or(Role::Noun, "alerts")),
        Kind::Order => order(assertion),
        Kind::Said => said(&of),
        Kind::Statement => of.or(Role::Quote, "").to_owned(),
        Kind::Depends => format!("{} depends on {}", of.or(Role::Service, "it"), of.or(Role::On, "it")),
        Kind::Cause | Kind::Reason | Kind::Affected | Kind::SameProblem | Kind::LooksLike | Kind::NotRecorded => {
            concluded(&of)
        }
    }
}

/// Words of ours that a sentence may begin with.
const OPENERS: [&str; 7] = ["it ", "a ", "an ", "no ", "the ", "another ", "somebody "];

/// The sentence as it stands alone: with a capital where it begins with a word of ours, and not with a name.
#[must_use]
pub fn sentence(assertion: &Assertion) -> String {
    let made = render(assertion);
    let is_ours = assertion.kind != Kind::Statement && assertion.kind != Kind::Reason;
    if is_ours && OPENERS.iter().any(|word| made.starts_with(word)) {
        return hindcast_domain::text::capitalized(&made);
    }
    made
}

/// The values of one assertion, as pieces of its sentence.
struct Words<'a>(&'a Assertion);

impl Words<'_> {
    fn or<'b>(&'b self, role: Role, other: &'b str) -> &'b str {
        self.0.role(role).unwrap_or(other)
    }

    fn put(&self, before: &str, role: Role) -> String {
        self.0.role(role).map(|value| format!("{before}{value}")).unwrap_or_default()
    }

    /// An alert with its service, or the service's alert where it has no name.
    fn alert(&self, other: &str) -> String {
        format!("{}{}", self.or(Role::Alert, other), self.put(" on ", Role::Service))
    }

    /// When, how bad, for which time, and how long ago.
    fn tail(&self) -> String {
        let occurrence = self.0.role(Role::Occurrence).map(|n| format!(" for the {n} time")).unwrap_or_default();
        let ago = self.0.role(Role::Ago).map(|ago| format!(" {ago} ago")).unwrap_or_default();
        let severity = self.put(" with severity ", Role::Severity);
        let event = self.0.role(Role::Event).map(|event| format!(" ({event})")).unwrap_or_default();
        format!("{}{severity}{occurrence}{ago}{event}", self.put(" at ", Role::Time))
    }

    fn quote(&self, before: &str) -> String {
        self.0.role(Role::Quote).map(|quote| format!("{before}{}", quoted(quote))).unwrap_or_default()
    }

    /// `did not fire` or `fired`.
    fn verb(&self, base: &str, past: &str) -> String {
        if self.0.denied { format!("did not {base}") } else { past.to_owned() }
    }

    fn was(&self) -> &'static str {
        if self.0.denied { "was not" } else { "was" }
    }
}

/// Text in quotation marks; marks of its own become single ones.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace(['"', '“', '”'], "'"))
}

fn alert(of: &Words) -> String {
    let what = of.alert("an alert");
    let verb = match of.0.kind {
        Kind::AlertFired => of.verb("fire", "fired"),
        Kind::AlertReceived => format!("{} received", of.was()),
        Kind::AlertSuppressed => format!("{} suppressed{}", of.was(), of.put(" until ", Role::Until)),
        _ => of.verb("clear", "cleared"),
    };
    format!("{what} {verb}{}", of.tail())
}

fn incident(of: &Words) -> String {
    let id = of.or(Role::Incident, "it");
    let (was, tail) = (of.was(), of.tail());
    let by = of.put(" by ", Role::Person);
    match of.0.kind {
        Kind::IncidentLasted => {
            let from = of.put(", from ", Role::Time);
            format!("{id} lasted {}{from}{}", of.or(Role::Length, "0 s"), of.put(" to ", Role::Until))
        }
        Kind::IncidentRecurred => format!("{id} is a recurrence of {}", of.or(Role::Other, "it")),
        Kind::IncidentMerged => format!("{} {was} merged into {id}{by}{tail}", of.or(Role::Other, "another incident")),
        Kind::IncidentSplit => format!("{} {was} split from {id}{by}{tail}", of.or(Role::Other, "another incident")),
        Kind::IncidentAssigned => format!("{id} {was} assigned{}{by}{tail}", of.put(" to ", Role::To)),
        Kind::IncidentSnoozed => format!("{id} {was} snoozed{by}{}{tail}", of.put(" until ", Role::Until)),
        Kind::IncidentSeveritySet => {
            let to = of.put(" to ", Role::Severity);
            format!("the severity of {id} {was} set{to}{by}{}", of.put(" at ", Role::Time))
        }
        kind => {
            let verb = match kind {
                Kind::IncidentDeclared => "declared",
                Kind::IncidentAcknowledged => "acknowledged",
                Kind::IncidentUnacknowledged => "unacknowledged",
                Kind::IncidentResolved => "resolved",
                Kind::IncidentReopened => "reopened",
                _ => "opened",
            };
            format!("{id} {was} {verb}{by}{tail}{}", of.quote(": "))
        }
    }
}

fn change(of: &Words) -> String {
    let service = of.or(Role::Service, "it");
    let (by, at) = (of.put(" by ", Role::Person), of.tail());
    let title = of.quote(": ");
    match of.or(Role::Change, "deploy") {
        "deploy" => {
            let version = of.put(" ", Role::Version);
            format!("{service}{version} {} deployed{by}{at}{title}", of.was())
        }
        kind => {
            let version = of.put(" to ", Role::Version);
            format!("a {kind} change of {service}{version} {} recorded{by}{at}{title}", of.was())
        }
    }
}

fn moved(of: &Words) -> String {
    let verb = if of.or(Role::Direction, "up") == "up" { of.verb("rise", "rose") } else { of.verb("fall", "fell") };
    let (from, to) = (of.put(" from ", Role::Before), of.put(" to ", Role::After));
    let metric = of.or(Role::Metric, "a metric");
    format!("{metric}{} {verb}{from}{to}{}", of.put(" of ", Role::Service), of.tail())
}

fn line(of: &Words) -> String {
    let service = of.or(Role::Service, "it");
    let level = of.put(" ", Role::Level);
    let count = of.put(", ×", Role::Count);
    if of.0.kind == Kind::LogBurst {
        let rates = format!("{}{}", of.put(" from ", Role::Before), of.put(" to ", Role::After));
        return format!("a{level} log line of {service} rose{rates} a minute{}{count}{}", of.tail(), of.quote(": "));
    }
    if of.0.kind == Kind::LogWritten {
        return format!("{service} wrote a{level} log line{}{count}{}", of.tail(), of.quote(": "));
    }
    format!("a new{level} log line appeared in {service}{}{count}{}", of.tail(), of.quote(": "))
}

fn order(assertion: &Assertion) -> String {
    let mut parts = assertion.parts.iter().map(render);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match assertion.role(Role::Length) {
        Some(length) => format!("{second} {length} after {first}"),
        None => format!("{first} before {second}"),
    }
}

/// One sentence of the signs of several services.
fn signs(assertion: &Assertion) -> String {
    let names: Vec<&str> = assertion.parts.iter().filter_map(|part| part.role(Role::Service)).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last} showed signs", rest.join(", ")),
        _ => format!("{} showed signs", names.join(", ")),
    }
}

fn said(of: &Words) -> String {
    match of.0.source {
        AssertionSource::Person => {
            format!("{} said{}{}", of.or(Role::Person, "somebody"), of.put(" at ", Role::Time), of.quote(": "))
        }
        _ => {
            let alert =
                of.0.role(Role::Alert).map_or_else(|| "the alert".to_owned(), |name| format!("the alert {name}"));
            format!("{alert}{} says{}", of.put(" on ", Role::Service), of.quote(" "))
        }
    }
}

fn concluded(of: &Words) -> String {
    let service = of.or(Role::Service, "it");
    match (of.0.kind, of.0.source) {
        (Kind::Cause, AssertionSource::Person) => {
            let who = of.or(Role::Person, "a person");
            format!("{who} named the cause{}", of.quote(": "))
        }
        (Kind::Cause, _) => {
            let rank = match of.or(Role::Rank, "1") {
                "1" => "first".to_owned(),
                "2" => "second".to_owned(),
                "3" => "third".to_owned(),
                rank => format!("at place {rank}"),
            };
            let words = of.0.role(Role::Quote).map(|words| format!(": {words}")).unwrap_or_default();
            format!("{service} ranks {rank} as the cause{words}")
        }
        (Kind::Reason, _) => of.or(Role::Quote, "").to_owned(),
        (Kind::Affected, _) => format!("it affects {service}"),
        (Kind::SameProblem, _) => {
            let ended = of.quote("; what ended it: ");
            format!("{} was the same problem{ended}", of.or(Role::Other, "an earlier incident"))
        }
        (Kind::LooksLike, _) => {
            let other = of.or(Role::Other, "an earlier incident");
            format!("{other} has similar symptoms and is another problem{}", of.put(": ", Role::Quote))
        }
        _ => format!("no {} of {} is recorded", of.or(Role::Noun, "event"), of.or(Role::Incident, "it")),
    }
}
