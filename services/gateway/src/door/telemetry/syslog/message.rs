//! One message of syslog as a log line: RFC 5424, RFC 3164, and what senders make of the latter. Owns which part says
//! what; refuses to lose a message because a part of it is odd.

use hindcast_domain::Time;
use hindcast_telemetry::LogLevel;
use serde_json::Value;

use super::super::RecordLabels;
use super::super::line::Line;
use crate::time;

/// The highest priority: facility 23, severity 7.
const PRIORITY_MAX: u32 = 191;
/// The words for facilities, by their numbers.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
/// What stands for a part that is not told.
const NIL: &str = "-";
/// Bytes of a name before a message, such as `sshd[77]:`.
const TAG_BYTES_MAX: usize = 64;
/// Nanoseconds of the steps in which time zones lie apart, and of the farthest one from another.
const ZONE_STEP: i64 = 15 * 60 * 1_000_000_000;
const ZONE_MAX: i64 = 27 * 60 * 60 * 1_000_000_000;

/// A part of a message while it is read.
struct SyslogParts<'a> {
    time: (Option<Time>, bool),
    host: &'a str,
    name: &'a str,
    process: &'a str,
    labels: RecordLabels,
    text: &'a str,
}

/// Reads a message that came at `now`.
pub(super) fn line(message: &[u8], now: Time) -> Line {
    let text = String::from_utf8_lossy(message);
    let text = text.trim_end_matches(['\r', '\n', '\0']);
    let (priority, rest) = priority(text);
    let mut parts = rest.strip_prefix("1 ").and_then(|rest| rfc5424(rest, now)).unwrap_or_else(|| rfc3164(rest, now));
    for (name, value) in [("host", parts.host), ("pid", parts.process)] {
        if !value.is_empty() && value != NIL {
            parts.labels.insert(name.to_owned(), value.to_owned());
        }
    }
    let facility = priority.and_then(|priority| FACILITIES.get(usize::try_from(priority / 8).ok()?));
    parts.labels.extend(facility.map(|facility| ("facility".to_owned(), (*facility).to_owned())));
    let service = Some(parts.name).filter(|name| !name.is_empty() && *name != NIL);
    Line {
        environment: None,
        time: parts.time.0,
        time_unread: parts.time.1,
        service: service.map(|name| file_of(name).to_owned()),
        level: priority.map(|priority| LogLevel::of_word(&(priority % 8).to_string())),
        message: parts.text.strip_prefix("@cee:").unwrap_or(parts.text).trim().to_owned(),
        labels: parts.labels,
    }
}

/// A program that names itself by its path is the one of that file.
fn file_of(name: &str) -> &str {
    if name.starts_with('/') { name.rsplit('/').next().unwrap_or(name) } else { name }
}

/// `<PRI>`, and what stands behind it; a message without one says nothing of how bad it is.
fn priority(text: &str) -> (Option<u32>, &str) {
    let read = || {
        let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
        let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        let priority = number.parse().ok().filter(|priority| is_number && *priority <= PRIORITY_MAX)?;
        Some((priority, rest))
    };
    read().map_or((None, text), |(priority, rest)| (Some(priority), rest))
}

/// `TIME HOST NAME PROCESS KIND DATA TEXT`, behind the version.
fn rfc5424(rest: &str, now: Time) -> Option<SyslogParts<'_>> {
    let mut rest = rest;
    let mut word = || {
        let (word, behind) = rest.split_once(' ')?;
        rest = behind;
        Some(word)
    };
    let (time, host, name, process, kind) = (word()?, word()?, word()?, word()?, word()?);
    let (mut labels, text) = data(rest).unwrap_or_else(|| (RecordLabels::new(), rest));
    if kind != NIL {
        labels.insert("msgid".to_owned(), kind.to_owned());
    }
    let time = if time == NIL { (None, false) } else { read(time, now) };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Some(SyslogParts { time, host, name, process, labels, text })
}

fn read(time: &str, now: Time) -> (Option<Time>, bool) {
    time::any(Some(&Value::String(time.to_owned())), now)
}

/// Structured data as labels, and the text behind it; nothing where it is not written as the standard says.
fn data(rest: &str) -> Option<(RecordLabels, &str)> {
    let mut labels = RecordLabels::new();
    if let Some(text) = rest.strip_prefix(NIL) {
        return (text.is_empty() || text.starts_with(' ')).then(|| (labels, text.trim_start_matches(' ')));
    }
    let mut left = rest;
    while let Some(element) = left.strip_prefix('[') {
        let end = element.find([' ', ']'])?;
        let (id, mut inner) = element.split_at(end);
        loop {
            inner = inner.trim_start_matches(' ');
            if let Some(behind) = inner.strip_prefix(']') {
                left = behind;
                break;
            }
            let (name, value) = inner.split_once("=\"")?;
            let (value, behind) = quoted(value)?;
            labels.insert(format!("{id}.{name}"), value);
            inner = behind;
        }
    }
    (left.len() < rest.len()).then(|| (labels, left.trim_start_matches(' ')))
}

/// A value up to its quotation mark, in which three characters are escaped; and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match letters.next()?.1 {
                escaped @ ('"' | '\\' | ']') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// `Mmm dd hh:mm:ss HOST NAME[PROCESS]: TEXT`, of which every part may be missing, and of which the time may be written
/// as RFC 3339.
fn rfc3164(rest: &str, now: Time) -> SyslogParts<'_> {
    let (time, behind) = stamp(rest, now);
    let (host, behind) = match behind.split_once(' ') {
        // Only a time promises a host behind it, and a name with a colon is none.
        Some((word, behind)) if time.is_some() && !word.is_empty() && !word.ends_with(':') && !word.contains('[') => {
            (word, behind.trim_start())
        }
        _ => ("", behind),
    };
    let (name, process, text) = tag(behind).unwrap_or(("", "", behind));
    SyslogParts { time: (time, false), host, name, process, labels: RecordLabels::new(), text }
}

/// The time before a message, and what stands behind it.
fn stamp(rest: &str, now: Time) -> (Option<Time>, &str) {
    let rest = rest.trim_start_matches(['*', '.', ' ']);
    if let Some((first, behind)) = rest.split_once(' ')
        && let Ok(Some(time)) = time::rfc3339(first)
    {
        return (Some(time), behind.trim_start());
    }
    // With a year behind the day, as routers write it, and without.
    for words in [4, 3] {
        let Some((written, behind)) = split_words(rest, words) else { continue };
        let is_month = written.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        let (found, unread) = if is_month { read(&one_spaced(written, words), now) } else { (None, true) };
        if let (Some(time), false) = (found, unread) {
            return (Some(in_zone_of_arrival(time, now)), behind.trim_start_matches([':', ' ']));
        }
    }
    (None, rest)
}

/// The first words of a text and what stands behind them.
fn split_words(text: &str, words: usize) -> Option<(&str, &str)> {
    let mut at = 0;
    for _ in 0..words {
        let rest = text.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        let word = text.get(at..)?;
        at += word.find(' ').unwrap_or(word.len());
    }
    text.split_at_checked(at)
}

/// `Nov  5 2026 04:00:00:` as it is read: without the colon behind it, and with the year where logs have it.
fn one_spaced(written: &str, words: usize) -> String {
    let parts: Vec<&str> = written.split_whitespace().map(|word| word.trim_end_matches(':')).collect();
    match parts.as_slice() {
        [month, day, year, time] if words == 4 => format!("{day} {month} {year} {time}"),
        parts => parts.join(" "),
    }
}

/// A time without a zone is the sender's own: of all zones the one in which it lies nearest to its arrival.
fn in_zone_of_arrival(time: Time, now: Time) -> Time {
    let apart = now.nanos().saturating_sub(time.nanos());
    if apart.abs() > ZONE_MAX {
        return time;
    }
    let steps = (apart + (ZONE_STEP / 2) * apart.signum()) / ZONE_STEP;
    Time::from_nanos(time.nanos().saturating_add(steps * ZONE_STEP))
}

/// `NAME[PROCESS]: TEXT` or `NAME: TEXT`.
fn tag(text: &str) -> Option<(&str, &str, &str)> {
    let (tag, behind) = text.split_once(':').filter(|(tag, _)| tag.len() <= TAG_BYTES_MAX)?;
    let (name, process) = match tag.split_once('[') {
        Some((name, process)) => (name, process.strip_suffix(']')?),
        None => (tag, ""),
    };
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./%@".contains(&b));
    (is_name && (behind.is_empty() || behind.starts_with([' ', '\t']))).then(|| (name, process, behind.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        "2026-11-30T05:00:10Z".parse().unwrap()
    }

    fn at(text: &str) -> Option<Time> {
        text.parse().ok()
    }

    #[test]
    fn messages_of_both_standards_and_of_common_senders() {
        for (message, time, service, level, text) in [
            (
                "<165>1 2026-11-30T05:00:00.003Z mymachine.example.com evntslog 7 ID47 [a@1 s=\"A\\]p\"][b] \u{feff}An event",
                "2026-11-30T05:00:00.003Z",
                "evntslog",
                LogLevel::Info,
                "An event",
            ),
            (
                "<34>1 2026-11-29T22:00:00.5-07:00 h su - - - 'su root' failed",
                "2026-11-30T05:00:00.5Z",
                "su",
                LogLevel::Fatal,
                "'su root' failed",
            ),
            ("<11>1 - - app - - -", "", "app", LogLevel::Error, ""),
            (
                "<34>Nov 30 05:00:00 mymachine su: 'su root' failed on /dev/pts/8",
                "2026-11-30T05:00:00Z",
                "su",
                LogLevel::Fatal,
                "'su root' failed on /dev/pts/8",
            ),
            (
                "<30>Nov 30 05:00:00 sshd[77]: no host is named",
                "2026-11-30T05:00:00Z",
                "sshd",
                LogLevel::Info,
                "no host is named",
            ),
            (
                "<28>Nov 30 06:00:00 berlin /usr/sbin/cron[5]: a local time",
                "2026-11-30T05:00:00Z",
                "cron",
                LogLevel::Warning,
                "a local time",
            ),
            (
                "<28>Nov 29 23:30:00 kolkata-is-wrong app: another one",
                "2026-11-30T05:00:00Z",
                "app",
                LogLevel::Warning,
                "another one",
            ),
            (
                "<30>2026-11-30T06:00:00.25+01:00 web nginx: forwarded",
                "2026-11-30T05:00:00.25Z",
                "nginx",
                LogLevel::Info,
                "forwarded",
            ),
            (
                "<189>Nov 30 2026 05:00:00: %SYS-5-CONFIG_I: Configured",
                "2026-11-30T05:00:00Z",
                "%SYS-5-CONFIG_I",
                LogLevel::Info,
                "Configured",
            ),
            ("<13>Nov  3 05:00:00 h app: an old one", "2026-11-03T05:00:00Z", "app", LogLevel::Info, "an old one"),
            ("<30>docker/web[9]: {\"level\":\"error\"}", "", "docker/web", LogLevel::Info, "{\"level\":\"error\"}"),
        ] {
            let line = line(message.as_bytes(), now());
            assert_eq!(line.time, at(time), "{message}");
            assert_eq!((line.service.as_deref(), line.level), (Some(service), Some(level)), "{message}");
            assert_eq!(line.message, text, "{message}");
        }
    }

    #[test]
    fn what_is_said_beside_becomes_labels() {
        let message = "<165>1 2026-11-30T05:00:00Z h app 7 ID47 [a@1 s=\"A\\]p \\\"q\\\"\" t=\"\"] text";
        let labels = line(message.as_bytes(), now()).labels;
        let expected = [
            ("a@1.s", "A]p \"q\""),
            ("a@1.t", ""),
            ("facility", "local4"),
            ("host", "h"),
            ("msgid", "ID47"),
            ("pid", "7"),
        ];
        assert_eq!(labels, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn an_odd_part_costs_itself() {
        for (message, text) in [
            ("plain words, no head", "plain words, no head"),
            ("<999>strange", "<999>strange"),
            ("<13>", ""),
            ("<13>1 2026-11-30T05:00:00Z h app 7 - [open x=\"1 text", "[open x=\"1 text"),
            ("<13>1 not-a-time h app 7 - - text", "text"),
            ("<13>1 2026", "1 2026"),
            ("<13>Nov 31 05:00:00 h app: no such day", "Nov 31 05:00:00 h app: no such day"),
        ] {
            assert_eq!(line(message.as_bytes(), now()).message, text, "{message}");
        }
        let odd = line(b"<13>1 not-a-time h app 7 - - text", now());
        assert_eq!((odd.time, odd.time_unread, odd.service.as_deref()), (None, true, Some("app")));
        assert_eq!(line(b"<13>app: caf\xe9", now()).message, "caf\u{fffd}");
        assert_eq!(line(b"no priority", now()).level, None);
    }
}
