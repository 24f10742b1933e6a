//! Owns what a line of a log says about itself: its time, its severity, and the rest. It knows the common formats and nothing of their meaning.
//!
//! A line without a time of its own (a stack trace, a continued statement) takes time and severity of the line before it.
//! Times without a zone are taken as UTC.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// How a log file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// nginx's access log, its time first (RFC 3339) or in brackets (the combined format).
    NginxAccess,
    /// nginx's error log.
    NginxError,
    /// PostgreSQL's log with a `log_line_prefix` that begins with `%m` or `%t`.
    Postgres,
    /// The log of a Redis server.
    Redis,
    /// One JSON object a line.
    Json,
    /// Anything else: an RFC 3339 time at the start is understood, no more.
    Plain,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "nginx-access" => Self::NginxAccess,
            "nginx-error" => Self::NginxError,
            "postgres" => Self::Postgres,
            "redis" => Self::Redis,
            "json" => Self::Json,
            "plain" => Self::Plain,
            _ => {
                return Err(format!(
                    "unknown log format `{name}`; known: nginx-access, nginx-error, postgres, redis, json, plain"
                ));
            }
        })
    }
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParsedLine {
    pub(crate) time: Option<Timestamp>,
    pub(crate) severity: Option<&'static str>,
    pub(crate) message: String,
}

/// Reads one line.
pub(crate) fn read(format: LogFormat, line: &str) -> ParsedLine {
    let said = match format {
        LogFormat::NginxAccess => nginx_access(line),
        LogFormat::NginxError => nginx_error(line),
        LogFormat::Postgres => postgres(line),
        LogFormat::Redis => redis(line),
        LogFormat::Json => json(line),
        LogFormat::Plain => plain(line),
    };
    said.unwrap_or_else(|| ParsedLine { time: None, severity: None, message: line.to_owned() })
}

fn nginx_access(line: &str) -> Option<ParsedLine> {
    let status = line.match_indices("\" ").find_map(|(at, _)| {
        let status = line.get(at + 2..at + 5)?;
        status.bytes().all(|digit| digit.is_ascii_digit()).then_some(status)
    });
    let severity = match status.and_then(|status| status.chars().next()) {
        Some('5') => "error",
        Some('4') => "warning",
        _ => "info",
    };
    let (time, message) = match line.split_once(' ') {
        Some((first, rest)) if first.parse::<Timestamp>().is_ok() => (first.parse().ok(), rest.to_owned()),
        _ => {
            let (before, rest) = line.split_once('[')?;
            let (bracketed, after) = rest.split_once(']')?;
            (zoned("%d/%b/%Y:%H:%M:%S %z", bracketed), format!("{}{}", before, after.trim_start()))
        }
    };
    Some(ParsedLine { time, severity: Some(severity), message })
}

fn nginx_error(line: &str) -> Option<ParsedLine> {
    let (stamp, rest) = (line.get(..19)?, line.get(19..)?.trim_start());
    let time = utc("%Y/%m/%d %H:%M:%S", stamp)?;
    let (level, message) = rest.strip_prefix('[')?.split_once("] ")?;
    Some(ParsedLine { time: Some(time), severity: severity(level), message: message.to_owned() })
}

fn postgres(line: &str) -> Option<ParsedLine> {
    let mut words = line.splitn(4, ' ');
    let (day, hour, zone, rest) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let time = format!("{day}T{hour}").parse::<DateTime>().ok().filter(|_| zone == "UTC" || zone == "GMT")?;
    let time = TimeZone::UTC.to_timestamp(time).ok()?;
    let level = rest.match_indices(":  ").find_map(|(at, _)| severity(rest.get(..at)?.rsplit(' ').next()?));
    Some(ParsedLine { time: Some(time), severity: level, message: rest.to_owned() })
}

fn redis(line: &str) -> Option<ParsedLine> {
    let (process, rest) = line.split_once(' ')?;
    process.split_once(':')?;
    let (stamp, rest) = (rest.get(..rest.find(['.', '*', '#', '-'])?)?, rest.get(rest.find(['.', '*', '#', '-'])?..)?);
    let time = utc("%d %b %Y %H:%M:%S", stamp.trim_end())?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_once(' ')?,
        None => ("", rest),
    };
    let time = Timestamp::from_millisecond(time.as_millisecond() + fraction.parse::<i64>().unwrap_or(0)).ok()?;
    let (symbol, message) = rest.split_once(' ')?;
    let level = match symbol {
        "." | "-" => "debug",
        "*" => "info",
        "#" => "warning",
        _ => return None,
    };
    Some(ParsedLine { time: Some(time), severity: Some(level), message: message.to_owned() })
}

/// The message is the text, then every other scalar as `key=value`, so that nothing of the line is lost.
fn json(line: &str) -> Option<ParsedLine> {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
        return None;
    };
    let first = |names: &[&'static str]| names.iter().copied().find(|name| fields.contains_key(*name));
    let text = |name: Option<&'static str>| name.and_then(|name| fields.get(name)).and_then(Value::as_str);
    let time = first(&["time", "timestamp", "ts", "@timestamp"]);
    let level = first(&["severity", "level", "lvl"]);
    let said = first(&["message", "msg", "event"]);
    let mut message = text(said)?.to_owned();
    // In the order of their names, whatever order a map keeps.
    for (name, value) in fields.iter().collect::<std::collections::BTreeMap<_, _>>() {
        if [time, level, said].contains(&Some(name.as_str())) || name == "service" {
            continue;
        }
        match value {
            Value::String(value) => message.push_str(&format!(" {name}={value}")),
            Value::Number(_) | Value::Bool(_) => message.push_str(&format!(" {name}={value}")),
            Value::Null | Value::Array(_) | Value::Object(_) => {}
        }
    }
    Some(ParsedLine {
        time: text(time).and_then(|time| time.parse().ok()),
        severity: text(level).and_then(severity),
        message,
    })
}

fn plain(line: &str) -> Option<ParsedLine> {
    let (first, rest) = line.split_once(' ')?;
    Some(ParsedLine { time: Some(first.parse().ok()?), severity: None, message: rest.to_owned() })
}

/// The five severities of a recording, from the words of the formats above.
fn severity(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "trace" | "debug" | "debug1" | "debug2" | "debug3" | "debug4" | "debug5" => "debug",
        "info" | "notice" | "log" | "statement" | "detail" | "hint" | "context" => "info",
        "warn" | "warning" => "warning",
        "error" | "err" => "error",
        "crit" | "critical" | "alert" | "emerg" | "fatal" | "panic" => "fatal",
        _ => return None,
    })
}

fn utc(format: &str, text: &str) -> Option<Timestamp> {
    let civil = strtime::parse(format, text).ok()?.to_datetime().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn zoned(format: &str, text: &str) -> Option<Timestamp> {
    strtime::parse(format, text).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, line: &str, time: &str, severity: &str, message: &str) {
        let said = read(format.parse().unwrap(), line);
        assert_eq!(said.time, Some(time.parse().unwrap()), "time of {line:?}");
        assert_eq!(said.severity.unwrap_or("none"), severity, "severity of {line:?}");
        assert_eq!(said.message, message, "message of {line:?}");
    }

    #[test]
    fn each_format_says_its_time_severity_and_message() {
        check(
            "nginx-access",
            r#"2026-11-24T16:31:09+00:00 127.0.0.1 "GET /search?q=a HTTP/1.1" 500 228 rt=0.001"#,
            "2026-11-24T16:31:09Z",
            "error",
            r#"127.0.0.1 "GET /search?q=a HTTP/1.1" 500 228 rt=0.001"#,
        );
        check(
            "nginx-access",
            r#"127.0.0.1 - - [24/Nov/2026:18:31:09 +0200] "GET / HTTP/1.1" 404 9 "-" "curl/8""#,
            "2026-11-24T16:31:09Z",
            "warning",
            r#"127.0.0.1 - - "GET / HTTP/1.1" 404 9 "-" "curl/8""#,
        );
        check(
            "nginx-error",
            "2026/11/24 16:31:09 [error] 12#12: *45 connect() failed",
            "2026-11-24T16:31:09Z",
            "error",
            "12#12: *45 connect() failed",
        );
        check(
            "postgres",
            "2026-11-24 16:31:09.123 UTC [77] shop@shop FATAL:  sorry, too many clients already",
            "2026-11-24T16:31:09.123Z",
            "fatal",
            "[77] shop@shop FATAL:  sorry, too many clients already",
        );
        check(
            "redis",
            "65:M 24 Nov 2026 16:28:33.123 # Server started",
            "2026-11-24T16:28:33.123Z",
            "warning",
            "Server started",
        );
        check(
            "json",
            r#"{"time":"2026-11-24T16:31:09.5Z","level":"error","service":"a","message":"no","path":"/x","n":2}"#,
            "2026-11-24T16:31:09.5Z",
            "error",
            "no n=2 path=/x",
        );
        check("plain", "2026-11-24T16:31:09Z it began", "2026-11-24T16:31:09Z", "none", "it began");
    }

    #[test]
    fn a_line_of_another_shape_is_kept_as_it_is() {
        for format in ["nginx-access", "nginx-error", "postgres", "redis", "json", "plain"] {
            for line in ["", "\tat frame 3", "[", "1:M ", "2026", "äöü äöü äöü äöü äöü äöü", "{\"a\":1}"]
            {
                let said = read(format.parse().unwrap(), line);
                assert_eq!((said.time, said.message.as_str()), (None, line), "{format}");
            }
        }
    }
}
