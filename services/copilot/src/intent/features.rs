//! What a question's form says of its intent: its question word, what it names, a denial, an order. Owns what each of
//! these adds to or takes from the score that its words have.

use std::collections::BTreeMap;

use super::kind::Intent;
use super::orders::ORDERS;
use crate::understand::names::NamedKind;
use crate::understand::part::AskedPart;

/// Words with which a question for yes or no begins.
const POLAR: [&str; 22] = [
    "is", "are", "was", "were", "did", "does", "do", "has", "have", "had", "can", "could", "should", "shall", "would",
    "might", "may", "am", "any", "anything", "anyone", "anybody",
];
const WHO: [&str; 3] = ["who", "whom", "whose"];
const DENIALS: [&str; 7] = ["not", "no", "nobody", "never", "without", "none", "only"];
const PAGING: [&str; 24] = [
    "message",
    "ring",
    "rang",
    "sms",
    "phone",
    "pager",
    "email",
    "informed",
    "page",
    "paged",
    "pages",
    "paging",
    "notified",
    "notify",
    "notification",
    "notifications",
    "woken",
    "woke",
    "wake",
    "told",
    "sent",
    "alerted",
    "call",
    "called",
];
const GROUPING: [&str; 22] = [
    "bundled",
    "lumped",
    "combined",
    "clustered",
    "grouped",
    "group",
    "together",
    "joined",
    "join",
    "part",
    "separate",
    "one",
    "same",
    "apart",
    "kept",
    "belong",
    "belongs",
    "merged",
    "grouping",
    "two",
    "own",
    "separately",
];
const CHANGES: [&str; 16] = [
    "deploy",
    "deploys",
    "deployed",
    "deployment",
    "release",
    "released",
    "releases",
    "rollout",
    "rollback",
    "change",
    "changes",
    "changed",
    "flag",
    "flags",
    "config",
    "shipped",
];
const COMMANDS: [&str; 12] =
    ["command", "commands", "sql", "type", "steps", "step", "exact", "exactly", "parameters", "query", "cli", "paste"];
const NOTHING_OF_OURS: [&str; 16] = [
    "weather",
    "haiku",
    "poem",
    "joke",
    "song",
    "rain",
    "bitcoin",
    "president",
    "football",
    "pizza",
    "recipe",
    "horoscope",
    "movie",
    "lyrics",
    "password",
    "credentials",
];

/// What a feature adds.
const STRONG: f64 = 0.3;
const MEDIUM: f64 = 0.15;
const WEAK: f64 = 0.06;

/// Changes scores by the form of what is asked.
pub(crate) fn weigh(scores: &mut BTreeMap<Intent, f64>, part: &AskedPart) {
    let mut add = |intents: &[Intent], weight: f64| {
        for intent in intents {
            *scores.entry(*intent).or_insert(0.0) += weight;
        }
    };
    question_word(part, &mut add);
    denial(part, &mut add);
    order(part, &mut add);
    named(part, &mut add);
    topic(part, &mut add);
}

type Adder<'a> = dyn FnMut(&[Intent], f64) + 'a;

fn question_word(part: &AskedPart, add: &mut Adder<'_>) {
    use Intent as I;
    let first = part.first();
    let counts = part.says("how many") || part.says("number of") || part.has(&["count"]);
    if counts {
        add(&[I::Count, I::Notified, I::Impact, I::Metrics], WEAK);
        add(&[I::Count], MEDIUM);
    }
    if part.says("how long") || part.has(&["duration", "downtime"]) {
        add(&[I::HowLong], STRONG);
    }
    if part.says("since when") || part.says("from when") {
        add(&[I::SinceWhen], STRONG);
    }
    if first == "when" || part.says("what time") {
        add(&[I::SinceWhen, I::EndWhen], WEAK);
        add(&[I::State, I::Cause, I::Fine, I::List, I::Owner, I::Beyond], -MEDIUM);
        let ends = part.has(&[
            "end",
            "ended",
            "resolved",
            "over",
            "recover",
            "recovered",
            "clear",
            "cleared",
            "back",
            "stop",
            "closed",
            "fixed",
        ]);
        add(&[if ends { I::EndWhen } else { I::SinceWhen }], WEAK);
    }
    if part.has(&WHO) || part.says("which team") {
        add(&[I::Who, I::Owner, I::Notified], WEAK);
        add(&[I::State, I::Cause, I::Fine, I::Timeline, I::Todo, I::List, I::Count], -MEDIUM);
        if part.has(&["owns", "owner", "responsible", "team", "call", "contact"]) || part.says("on call") {
            add(&[I::Owner], MEDIUM);
        }
    }
    if asks_why(part) {
        add(&[I::Cause, I::WhyGrouped, I::WhyApart, I::WhyPaged, I::WhyNotPaged], WEAK);
        add(&[I::State, I::Fine, I::Timeline, I::SinceWhen, I::List, I::AlertDetail, I::Who], -MEDIUM);
    }
    if POLAR.contains(&first) {
        add(&[I::Fine, I::Over, I::WasIt, I::Seen, I::Silences], WEAK);
        add(&[I::Cause, I::State, I::Timeline, I::HowLong, I::Fixed, I::KnownAt], -WEAK);
    }
    if first == "should" || part.says("do we need to") {
        add(&[I::Todo, I::WasIt], WEAK);
        add(&[I::Act], -STRONG);
    }
    if part.says("how do we")
        || part.says("how do i")
        || part.says("how can we")
        || part.says("how can i")
        || part.says("how to")
    {
        add(&[I::Todo], MEDIUM);
        add(&[I::Fine, I::State], -MEDIUM);
    }
    let is_plainly = matches!(first, "is" | "are") && !part.has(&["it", "because", "this"]);
    if is_plainly && !part.topics.is_empty() {
        add(&[I::Fine], WEAK);
        add(&[I::WasIt], -WEAK);
    }
    lies_ahead(part, add);
}

/// A question for what is to come.
fn lies_ahead(part: &AskedPart, add: &mut Adder<'_>) {
    use Intent as I;
    let first = part.first();
    if part.has(&["will", "tomorrow", "predict", "forecast"]) && first != "what" {
        add(&[I::Beyond], MEDIUM);
    }
    if first == "will" {
        add(&[I::Beyond], MEDIUM);
        add(&[I::Fixed, I::Over], -MEDIUM);
    }
}

/// Whether a reason is asked for.
fn asks_why(part: &AskedPart) -> bool {
    let phrases =
        ["how come", "what makes", "what made", "for what reason", "the reason", "and why", "but why", "explain"];
    part.first() == "why"
        || phrases.iter().any(|phrase| part.says(phrase))
        || part.words.last().is_some_and(|w| w == "why")
}

fn denial(part: &AskedPart, add: &mut Adder<'_>) {
    use Intent as I;
    let denied = part.has(&DENIALS);
    if part.has(&PAGING) && !part.says("on call") {
        let why = asks_why(part);
        add(&[I::Notified], if why { -MEDIUM } else { WEAK });
        add(&[I::WhyPaged, I::WhyNotPaged], if why { MEDIUM } else { -MEDIUM });
        if why {
            add(&[if denied { I::WhyNotPaged } else { I::WhyPaged }], MEDIUM);
            add(&[I::Cause, I::WhyGrouped, I::WhyApart], -MEDIUM);
        }
    } else {
        add(&[I::WhyPaged, I::WhyNotPaged], -WEAK);
    }
    if asks_why(part) && part.has(&GROUPING) && !part.has(&PAGING) {
        let apart = denied || part.has(&["separate", "separately", "apart", "kept", "own", "two"]);
        add(&[if apart { I::WhyApart } else { I::WhyGrouped }], MEDIUM);
        add(&[I::Cause], -MEDIUM);
    }
}

fn order(part: &AskedPart, add: &mut Adder<'_>) {
    use Intent as I;
    let mut words = part.words.iter().map(String::as_str).filter(|word| *word != "please");
    let first = words.next().unwrap_or_default();
    let asks_kindly = matches!(first, "can" | "could" | "would") && words.next() == Some("you");
    let verb = if asks_kindly { words.next().unwrap_or_default() } else { first };
    // In other languages what is to be done stands last.
    let is_told = asks_kindly && part.has(&["restart", "reboot", "redeploy", "revert", "kill", "terminate"]);
    if is_told || ORDERS.contains(&verb) && !(first == "do" && part.words.len() > 2) {
        add(&[I::Act], STRONG);
    } else {
        add(&[I::Act], -MEDIUM);
    }
    if part.has(&COMMANDS) {
        add(&[I::Command], MEDIUM);
    }
    if part.has(&NOTHING_OF_OURS) {
        add(&[I::Beyond], 2.0 * STRONG);
    }
}

fn named(part: &AskedPart, add: &mut Adder<'_>) {
    use Intent as I;
    if part.has(&["silenced", "muted", "suppressed"]) {
        add(&[I::Silences], MEDIUM);
    }
    let of_one = part.says("was it") || part.says("is it") || part.says("were it") || part.says("it was");
    if of_one && part.has(&CHANGES) {
        add(&[I::WasIt], MEDIUM);
        add(&[I::Changed], -WEAK);
    }
    if part.has(&["affected", "impacted", "hit", "hurt", "suffers", "touched"]) && !part.has(&["how"]) {
        add(&[I::Impact], MEDIUM);
        add(&[I::Fine], -MEDIUM);
    }
    // Of many incidents or alerts none is the one that is over or not.
    let is_muted = part.has(&["silenced", "muted", "suppressed", "snoozed", "mute", "silence"]);
    if part.has(&["incidents", "alerts", "outages"]) && POLAR.contains(&part.first()) && !is_muted {
        add(&[I::List], WEAK);
        add(&[I::Over], -MEDIUM);
    }
    let versions = !part.of(NamedKind::Version).is_empty();
    let alerts = part.of(NamedKind::Alert).len();
    let changed = part.has(&CHANGES) || part.says("roll back") || part.says("rolled back");
    if versions {
        add(&[I::WasIt, I::Changed], WEAK);
    }
    if !versions && !changed && part.names_nothing() {
        add(&[I::WasIt], -MEDIUM);
    }
    if alerts == 0 {
        add(&[I::AlertDetail], -WEAK);
    } else {
        add(&[I::AlertDetail, I::WhyApart, I::WhyGrouped], WEAK / 2.0);
    }
    if part.of(NamedKind::Incident).len() >= 2 {
        add(&[I::Compare], MEDIUM);
    }
    if part.has(&["{time}"]) && part.has(&["known", "know", "knew", "state", "situation", "look", "as"]) {
        add(&[I::KnownAt], MEDIUM);
    }
    if part.has(&["grouped", "grouping"]) && part.has(&["model", "version", "weights"]) {
        add(&[I::Models], MEDIUM);
    }
}

fn topic(part: &AskedPart, add: &mut Adder<'_>) {
    use Intent as I;
    let measured = part.says("how full")
        || part.says("how high")
        || part.says("how much")
        || part.says("how many")
        || part.says("how old")
        || part.says("how slow");
    if measured && !part.topics.is_empty() {
        add(&[I::Metrics], MEDIUM);
        add(&[I::Count], -WEAK);
    }
    if part.topics.is_empty() && part.things.is_empty() {
        add(&[I::Metrics], -WEAK / 2.0);
    }
    if part.has(&["log", "logs", "logged", "lines", "loglines"]) {
        add(&[I::Logs], MEDIUM);
    }
    if part.has(&["metric", "metrics", "graph", "plot", "p95", "p99"]) {
        add(&[I::Metrics], MEDIUM);
    }
}
