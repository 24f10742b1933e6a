//! Times in words: a clock time, a day, "ten minutes ago", "before the deploy". Owns how they are read against a
//! "now" that is given; refuses to look anything up: what a happening was is looked up by who knows the ledger.

use std::sync::LazyLock;

use hindcast_domain::{Span, Time};
use regex::{Captures, Regex};

use super::calendar::{self, DayPart};

/// A happening that a time is named by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Landmark {
    /// A deploy or another change; of this version or service, where one is named behind it.
    Change(Option<String>),
    /// The incident began.
    Began,
    /// Somebody acknowledged it.
    Acknowledged,
    /// It was over.
    Ended,
}

/// How a time in words bounds what is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimeMeant {
    /// What was known by then.
    By(Time),
    /// From then on.
    Since(Time),
    /// From, until.
    During(Time, Time),
    /// What was known just before, or when, a happening was; so long before or after it.
    ByLandmark { landmark: Landmark, before: bool, distance: Span },
    /// From a happening on.
    SinceLandmark(Landmark),
}

/// A time that was found in a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordedMoment {
    pub(crate) meant: TimeMeant,
    /// The words, in lower case.
    pub(crate) words: String,
    /// Whether the day was not said.
    pub(crate) bare_clock: bool,
}

macro_rules! patterns {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());)*
    };
}

patterns! {
    STAMP = r"(?:\b(at|as of|by|until|till|before|since|after|from|around|for|on)\s+)?\b(\d{4}-\d\d-\d\d)(?:(?:[t ]|\s+at\s+)(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s?(?:z\b|utc\b)?)?";
    BETWEEN = r"\b(?:(?:between|from|zwischen|von|entre|de|desde)\s+)?(?:the\s+|las\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:utc|z|uhr)?\s*(?:\band\b|\bto\b|\buntil\b|\btill\b|\bthrough\b|\bund\b|\bbis\b|\bet\b|\by\b|\bhasta\b|-|–)\s*(?:à\s+|las\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?(?:\s*(?:utc|z|uhr)\b)?";
    PAST = r"\b(\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|a few|a couple of|half a|a quarter of an)\s+(seconds?|secs?|minutes?|mins?|hours?)\s+(past|after|before|to)\s+(\d{1,2}):(\d\d)(?::(\d\d))?";
    AGO = r"\b(?:what\s+it\s+was\s+)?(?:about\s+)?((?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|forty-five|sixty|half an?|a couple of|a few|a quarter of an)\s+)(seconds?|secs?|minutes?|mins?|min|hours?|hrs?|h|days?|weeks?)\s+(?:ago|earlier|back)\b";
    LAST = r"\b(?:in|during|over|within|of|for)?\s*(?:the\s+)?(?:last|past|previous)\s+((?:\d+|one|two|three|four|five|six|ten|twelve|fifteen|twenty|thirty|few|couple of)\s+)?(minutes?|mins?|hours?|h|days?|weeks?|months?)\b";
    DAY = r"\b(?:(on|since|by|until|before|after|at)\s+)?(?:(the\s+day\s+before\s+yesterday)|(last|on|this|past)?\s*(monday|tuesday|wednesday|thursday|friday|saturday|sunday)|(yesterday|today|tonight|last night|overnight|this morning|this afternoon|this evening|last evening))(?:'s)?(?:\s+(?:in the\s+|at\s+)?(morning|noon|afternoon|evening|night)\b)?(?:,?\s+(?:at|around)?\s*(\d{1,2})(?::(\d\d))?(?::(\d\d))?\s*(am|pm|utc|z|o'clock)?\b)?";
    DATE = r"\b(?:(on|since|by|until|before|after|at)\s+)?(?:the\s+)?(?:(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\s+(\d{1,2})(?:st|nd|rd|th)?\b)(?:,?\s+(\d{4}))?(?:,?\s+(?:at\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?)?";
    CLOCK = r"\b(?:(at|as of|by|until|till|before|since|after|from|around|about|um|à|a las|alle|om)\s+)?(?:(\d{1,2})[:h](\d\d)(?::(\d\d))?\s*(am|pm|a\.m\.|p\.m\.)?(?:\s*(?:utc|z|uhr)\b)?|(\d{1,2})\s*(am|pm|o'clock|uhr)\b|(noon|midday|midnight)\b)";
    NEAR = r"(?:\b((?:\d+|an?|one|two|three|four|five|ten|fifteen|twenty|thirty|half an?)\s+)(seconds?|minutes?|mins?|hours?)\s+)?(?:just\s+|right\s+|shortly\s+|immediately\s+)?\b(before|after|until|since|into|when|at the time of|at the moment of|by the time)\s+(?:of\s+)?(?:the\s+|it\s+was\s+|we\s+|they\s+)?(?:(deploy(?:ment|s|ed)?|release|rollout|roll-?out|change|rollback|v\d[\w.]*)(?:\s+of\s+(?:the\s+)?([\w.-]+))?|(incident|outage|it|this|problem|trouble|everything|all of this|page)(?:\s+(?:was\s+|has\s+)?(start\w*|beg[au]n|begins|broke|happened|opened|was opened|went down|occurred))?|(acknowledged|acked|ack|acknowledgement)|(resolved|over|fixed|recovered|the end))(?:\s+(?:started|began|happened|went out|was made|was deployed|landed))?\b";
}

fn captured<'a>(pattern: &LazyLock<Option<Regex>>, text: &'a str) -> Option<Captures<'a>> {
    pattern.as_ref()?.captures(text)
}

fn text<'a>(found: &'a Captures<'_>, group: usize) -> &'a str {
    found.get(group).map_or("", |group| group.as_str())
}

fn number(found: &Captures<'_>, group: usize) -> Option<i64> {
    found.get(group)?.as_str().parse().ok()
}

/// The time that a question names, read against `now`.
pub(crate) fn find(question: &str, now: Time) -> Option<WordedMoment> {
    let lower = question.to_lowercase().replace(['’', '‘'], "'");
    let readers: [fn(&str, Time) -> Option<WordedMoment>; 9] =
        [between, past, stamp, ago, last, date, day, near, clock_of_day];
    readers.iter().find_map(|read| read(&lower, now))
}

fn moment(meant: TimeMeant, words: &str) -> WordedMoment {
    WordedMoment { meant, words: words.trim().to_owned(), bare_clock: false }
}

/// What a word before a moment makes of it.
fn bounded(preposition: &str, at: Time) -> TimeMeant {
    match preposition {
        "since" | "after" | "from" => TimeMeant::Since(at),
        _ => TimeMeant::By(at),
    }
}

fn between(lower: &str, now: Time) -> Option<WordedMoment> {
    let found = captured(&BETWEEN, lower)?;
    let of = |h, m, s| calendar::clock(number(&found, h)?, number(&found, m)?, number(&found, s).unwrap_or(0));
    let (from, to) = (of(1, 2, 3)?, of(4, 5, 6)?);
    let to = calendar::last_at(now, to);
    let from = calendar::last_at(to, from);
    Some(WordedMoment { bare_clock: true, ..moment(TimeMeant::During(from, to), text(&found, 0)) })
}

/// "Two seconds past 17:16".
fn past(lower: &str, now: Time) -> Option<WordedMoment> {
    let found = captured(&PAST, lower)?;
    let distance = calendar::span(text(&found, 1), text(&found, 2))?;
    let clock = calendar::clock(number(&found, 4)?, number(&found, 5)?, number(&found, 6).unwrap_or(0))?;
    let before = matches!(text(&found, 3), "before" | "to");
    let at = calendar::last_at(now, clock);
    let at = if before { at - distance } else { at + distance };
    Some(WordedMoment { bare_clock: true, ..moment(TimeMeant::By(at), text(&found, 0)) })
}

fn stamp(lower: &str, _: Time) -> Option<WordedMoment> {
    let found = captured(&STAMP, lower)?;
    let day: Time = format!("{}T00:00:00Z", text(&found, 2)).parse().ok()?;
    let meant = match (number(&found, 3), number(&found, 4)) {
        (Some(hours), Some(minutes)) => {
            let at = day + calendar::clock(hours, minutes, number(&found, 5).unwrap_or(0))?;
            bounded(text(&found, 1), at)
        }
        _ => whole_day(text(&found, 1), day),
    };
    Some(moment(meant, text(&found, 0)))
}

fn whole_day(preposition: &str, day: Time) -> TimeMeant {
    match preposition {
        "since" | "from" => TimeMeant::Since(day),
        "after" => TimeMeant::Since(day + calendar::DAY),
        "before" => TimeMeant::By(day),
        _ => TimeMeant::During(day, day + calendar::DAY - Span::millis(1)),
    }
}

fn ago(lower: &str, now: Time) -> Option<WordedMoment> {
    let found = captured(&AGO, lower)?;
    let span = calendar::span(text(&found, 1), text(&found, 2))?;
    Some(moment(TimeMeant::By(now - span), text(&found, 0)))
}

fn last(lower: &str, now: Time) -> Option<WordedMoment> {
    let found = captured(&LAST, lower)?;
    let count = if text(&found, 1).is_empty() { "one" } else { text(&found, 1) };
    let span = calendar::span(count, text(&found, 2))?;
    Some(moment(TimeMeant::During(now - span, now), text(&found, 0)))
}

fn date(lower: &str, now: Time) -> Option<WordedMoment> {
    let found = captured(&DATE, lower)?;
    let day_of_month = number(&found, 2).or_else(|| number(&found, 5))?;
    let month = if text(&found, 3).is_empty() { text(&found, 4) } else { text(&found, 3) };
    let day = calendar::date(now, day_of_month, month, number(&found, 6))?;
    let meant = match (number(&found, 7), number(&found, 8)) {
        (Some(hours), Some(minutes)) => {
            bounded(text(&found, 1), day + calendar::clock(hours, minutes, number(&found, 9).unwrap_or(0))?)
        }
        _ => whole_day(text(&found, 1), day),
    };
    Some(moment(meant, text(&found, 0)))
}

fn day(lower: &str, now: Time) -> Option<WordedMoment> {
    let found = captured(&DAY, lower)?;
    let midnight = calendar::midnight(now);
    let named = text(&found, 5);
    let (day, mut part) = if found.get(2).is_some() {
        (midnight - calendar::DAY - calendar::DAY, None)
    } else if let Some(weekday) = found.get(4) {
        let past = calendar::weekday_before(now, weekday.as_str(), text(&found, 3) == "last")?;
        (past, None)
    } else {
        match named {
            "yesterday" => (midnight - calendar::DAY, None),
            "last evening" => (midnight - calendar::DAY, Some(DayPart::Evening)),
            "last night" | "overnight" => (midnight - calendar::DAY, Some(DayPart::Night)),
            "this morning" => (midnight, Some(DayPart::Morning)),
            "this afternoon" => (midnight, Some(DayPart::Afternoon)),
            "this evening" | "tonight" => (midnight, Some(DayPart::Evening)),
            _ => (midnight, None),
        }
    };
    part = DayPart::of(text(&found, 6)).or(part);
    if let Some(hours) = number(&found, 7) {
        let hours = calendar::hour(hours, text(&found, 10))?;
        let at = calendar::clock(hours, number(&found, 8).unwrap_or(0), number(&found, 9).unwrap_or(0))?;
        let at = if part == Some(DayPart::Night) && hours < 12 { day + calendar::DAY + at } else { day + at };
        return Some(moment(bounded(text(&found, 1), at), text(&found, 0)));
    }
    let (from, to) = part.map_or((day, day + calendar::DAY), |part| part.of_day(day));
    let meant = match text(&found, 1) {
        "since" => TimeMeant::Since(from),
        "before" => TimeMeant::By(from),
        "by" | "until" => TimeMeant::By(to.min(now)),
        _ => TimeMeant::During(from, (to - Span::millis(1)).min(now)),
    };
    Some(moment(meant, text(&found, 0)))
}

fn clock_of_day(lower: &str, now: Time) -> Option<WordedMoment> {
    let found = captured(&CLOCK, lower)?;
    let clock = if let Some(hours) = number(&found, 2) {
        let half = text(&found, 5).replace('.', "");
        calendar::clock(calendar::hour(hours, &half)?, number(&found, 3)?, number(&found, 4).unwrap_or(0))?
    } else if let Some(hours) = number(&found, 6) {
        calendar::clock(calendar::hour(hours, text(&found, 7))?, 0, 0)?
    } else if text(&found, 8) == "midnight" {
        Span::ZERO
    } else {
        Span::hours(12)
    };
    let at = calendar::last_at(now, clock);
    Some(WordedMoment { bare_clock: true, ..moment(bounded(text(&found, 1), at), text(&found, 0)) })
}

fn near(lower: &str, _: Time) -> Option<WordedMoment> {
    let found = captured(&NEAR, lower)?;
    let change = text(&found, 4);
    let landmark = if !change.is_empty() {
        let named = if change.starts_with('v') { Some(change) } else { found.get(5).map(|of| of.as_str()) };
        Landmark::Change(named.map(ToOwned::to_owned))
    } else if found.get(8).is_some() {
        Landmark::Acknowledged
    } else if found.get(9).is_some() {
        Landmark::Ended
    } else {
        // "before this" alone is no time, and neither is "when it": something must have begun.
        let begins = !text(&found, 7).is_empty() || matches!(text(&found, 6), "incident" | "outage");
        begins.then_some(Landmark::Began)?
    };
    let distance = match found.get(1) {
        Some(count) => calendar::span(count.as_str(), text(&found, 2))?,
        None => Span::ZERO,
    };
    let meant = match text(&found, 3) {
        "since" => TimeMeant::SinceLandmark(landmark),
        "after" if distance == Span::ZERO => TimeMeant::SinceLandmark(landmark),
        "before" | "until" => TimeMeant::ByLandmark { landmark, before: true, distance },
        _ => TimeMeant::ByLandmark { landmark, before: false, distance },
    };
    // A question for the time of a happening names no time.
    let asks_when = lower.starts_with("when ") && text(&found, 3) == "when";
    (!asks_when).then(|| moment(meant, text(&found, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn during(from: &str, to: &str) -> TimeMeant {
        TimeMeant::During(at(from), at(to))
    }

    #[track_caller]
    fn check(question: &str, meant: TimeMeant) {
        // A Thursday.
        let found = find(question, at("2026-11-26T10:30:00Z"));
        assert_eq!(found.map(|found| found.meant), Some(meant), "{question}");
    }

    #[test]
    fn clock_times_are_the_last_ones_before_now() {
        check("what was known at 04:44?", TimeMeant::By(at("2026-11-26T04:44:00Z")));
        check("what was known at 17:20:30", TimeMeant::By(at("2026-11-25T17:20:30Z")));
        check("what was open by 9pm", TimeMeant::By(at("2026-11-25T21:00:00Z")));
        check("what happened since 08:00 utc", TimeMeant::Since(at("2026-11-26T08:00:00Z")));
        check(
            "what happened between 23:50 and 00:10?",
            TimeMeant::During(at("2026-11-25T23:50:00Z"), at("2026-11-26T00:10:00Z")),
        );
        check("what fired from 09:10 until 09:20", during("2026-11-26T09:10:00Z", "2026-11-26T09:20:00Z"));
        check("alerts 9:10-9:20", during("2026-11-26T09:10:00Z", "2026-11-26T09:20:00Z"));
        check("what fired two seconds past 09:10", TimeMeant::By(at("2026-11-26T09:10:02Z")));
        check("what fired a minute before 09:10", TimeMeant::By(at("2026-11-26T09:09:00Z")));
        check("as of 2026-11-24T17:20:00Z what fired", TimeMeant::By(at("2026-11-24T17:20:00Z")));
    }

    #[test]
    fn distances_are_taken_from_now() {
        check("what did we know ten minutes ago", TimeMeant::By(at("2026-11-26T10:20:00Z")));
        check("half an hour ago, was it open?", TimeMeant::By(at("2026-11-26T10:00:00Z")));
        let hour = TimeMeant::During(at("2026-11-26T09:30:00Z"), at("2026-11-26T10:30:00Z"));
        check("what happened in the last hour", hour);
    }

    #[test]
    fn days_and_their_parts_are_stretches() {
        check(
            "what changed yesterday evening?",
            TimeMeant::During(at("2026-11-25T18:00:00Z"), at("2026-11-25T23:59:59.999Z")),
        );
        check(
            "any incidents last tuesday",
            TimeMeant::During(at("2026-11-24T00:00:00Z"), at("2026-11-24T23:59:59.999Z")),
        );
        check("last tuesday at 17:30, what fired", TimeMeant::By(at("2026-11-24T17:30:00Z")));
        check("on 24 november at 17:20", TimeMeant::By(at("2026-11-24T17:20:00Z")));
        check(
            "what happened last night",
            TimeMeant::During(at("2026-11-25T20:00:00Z"), at("2026-11-26T07:59:59.999Z")),
        );
    }

    #[test]
    fn happenings_name_times() {
        let by = |landmark, before, distance| TimeMeant::ByLandmark { landmark, before, distance };
        check("what was firing before the deploy?", by(Landmark::Change(None), true, Span::ZERO));
        check("was it fine before v42", by(Landmark::Change(Some("v42".into())), true, Span::ZERO));
        check(
            "was it fine before the deploy of checkout",
            by(Landmark::Change(Some("checkout".into())), true, Span::ZERO),
        );
        check("five minutes after it started, what was known", by(Landmark::Began, false, Span::minutes(5)));
        check("what was known when it was acknowledged", by(Landmark::Acknowledged, false, Span::ZERO));
        check("what fired after the deploy", TimeMeant::SinceLandmark(Landmark::Change(None)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let now = at("2026-11-26T10:30:00Z");
        for question in
            ["have we seen this before?", "when did it start", "what came before it", "how long", "is v42 bad"]
        {
            assert_eq!(find(question, now), None, "{question}");
        }
    }
}
