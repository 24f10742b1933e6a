//! What a program said, out of what carried it: colours, a container runtime's prefix, JSON inside of a text, a level at
//! the beginning of one. Owns what of a line stands in its text; refuses to know which door it came through.

use hindcast_domain::Time;
use hindcast_log_templates::plain as template;
use hindcast_telemetry::LogLevel;
use serde_json::Value;

use super::fields;
use super::line::Line;
use crate::time;

/// Texts inside of texts that are opened: a container runtime's, and the program's own.
const DEPTH_MAX: usize = 2;

/// Bytes after which Docker cuts a line in two.
const DOCKER_BYTES: usize = 16 * 1024;

/// A line's rest that is still to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RestFollows {
    /// The control sequence in whose middle the line was cut; it belongs before the rest.
    pub(super) unfinished: String,
}

impl RestFollows {
    /// What follows a text that was cut at its end.
    pub(super) fn after(text: &str) -> Self {
        Self { unfinished: template::unfinished(text).to_owned() }
    }
}

/// The line with what its text says of itself, and its rest if that follows. What the sender says outside counts more.
pub(super) fn plain(mut line: Line, now: Time) -> (Line, Option<RestFollows>) {
    let mut is_partial = is_cut_by_docker(&line);
    let rest = RestFollows::after(&line.message);
    line.message = template::uncoloured(&line.message).into_owned();
    line.message.truncate(line.message.trim_end_matches(['\r', '\n']).len());
    if let Some((service, text)) = template::compose(&line.message).filter(|(_, text)| !text.trim().is_empty()) {
        line.service = line.service.or_else(|| Some(service.to_owned()));
        line.message = text.to_owned();
    }
    if let Some(cri) = template::cri(&line.message) {
        is_partial = cri.is_partial;
        line.time = line.time.or(time::any(Some(&Value::String(cri.time.to_owned())), now).0);
        let text = cri.text.to_owned();
        if !text.trim().is_empty() {
            line.message = text;
        }
    }
    for _ in 0..DEPTH_MAX {
        match opened(&line.message, now) {
            Some(inner) => line = within(line, inner),
            None => break,
        }
    }
    line.level = line.level.or_else(|| template::level(&line.message).map(LogLevel::of_word));
    line.time = line.time.or_else(|| written(&line.message, now));
    (line, is_partial.then_some(rest))
}

/// The time that stands at the beginning of a text, or under a key of its own.
fn written(message: &str, now: Time) -> Option<Time> {
    let stamps = template::stamps(message);
    stamps.into_iter().find_map(|stamp| time::any(Some(&Value::String(stamp.to_owned())), now).0)
}

/// Whether Docker cut the line and its rest comes in the next one: as its log driver says, or because a line of its
/// files is as long as one can be and has no end.
fn is_cut_by_docker(line: &Line) -> bool {
    let label = |name: &str| line.labels.get(name).map(String::as_str);
    match (label("partial_message"), label("partial_last")) {
        (Some("true"), last) => last != Some("true"),
        _ => {
            let is_docker = matches!(label("stream"), Some("stdout" | "stderr"));
            is_docker && line.message.len() >= DOCKER_BYTES && !line.message.ends_with('\n')
        }
    }
}

/// A text that is one JSON object with a text of its own.
fn opened(message: &str, now: Time) -> Option<Line> {
    let message = message.trim();
    if !message.starts_with('{') || !message.ends_with('}') {
        return None;
    }
    let value = hindcast_http::json(message.as_bytes()).ok()?;
    fields::line(value, now).ok().filter(|inner| !inner.message.trim().is_empty() && inner.message != message)
}

/// What stood in the text, beneath what stood around it.
fn within(outer: Line, inner: Line) -> Line {
    let mut labels = inner.labels;
    labels.extend(outer.labels);
    Line {
        environment: outer.environment.or(inner.environment),
        time: outer.time.or(inner.time),
        service: outer.service.or(inner.service),
        level: outer.level.or(inner.level),
        message: template::uncoloured(&inner.message).into_owned(),
        labels,
        time_unread: outer.time_unread,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Line {
        let now = "2026-11-30T05:00:00Z".parse().unwrap();
        plain(fields::line(value, now).unwrap(), now).0
    }

    #[test]
    fn level_time_and_text_are_found_where_they_stand() {
        let time: Option<Time> = "2026-11-30T04:00:00Z".parse().ok();
        for (value, level, message) in [
            (
                json!({"log": "2026-11-30 04:00:00 ERROR database refused"}),
                LogLevel::Error,
                "2026-11-30 04:00:00 ERROR database refused",
            ),
            (json!({"log": "{\"level\":\"error\",\"msg\":\"refused\"}"}), LogLevel::Error, "refused"),
            (
                json!({"log": "{\"log\":\"{\\\"lvl\\\":\\\"warn\\\",\\\"msg\\\":\\\"slow\\\"}\"}"}),
                LogLevel::Warning,
                "slow",
            ),
            (
                json!({"message": "\u{1b}[31m[error]\u{1b}[0m upstream timed out"}),
                LogLevel::Error,
                "[error] upstream timed out",
            ),
            (
                json!({"level": "info", "message": "ERROR is only a word here"}),
                LogLevel::Info,
                "ERROR is only a word here",
            ),
            (json!({"message": "{\"a\":1}"}), LogLevel::Info, "{\"a\":1}"),
        ] {
            let line = read(value.clone());
            assert_eq!((line.level.unwrap_or(LogLevel::Info), line.message.as_str()), (level, message), "{value}");
        }
        for text in [
            "2026-11-30 04:00:00,000 [main] ERROR c.e.Shop - refused",
            "[30/Nov/2026:04:00:00 +0000] refused",
            "E1130 04:00:00.000000       1 shop.go:17] refused",
            "ts=2026-11-30T04:00:00Z level=error msg=refused",
            "2026-11-30T04:00:00.000000000Z refused",
        ] {
            assert_eq!(read(json!({ "log": text })).time, time, "{text}");
        }
        let composed = read(json!({"log": "cart-1  | 2026-11-30T04:00:00Z ERROR refused\n"}));
        assert_eq!((composed.service.as_deref(), composed.time), (Some("cart"), time));
        assert_eq!(composed.message, "2026-11-30T04:00:00Z ERROR refused");
        let line =
            read(json!({"log": "{\"ts\":\"2026-11-30T04:00:00Z\",\"msg\":\"m\",\"app\":\"cart\",\"n\":1}", "n": 2}));
        assert_eq!((line.time, line.service.as_deref(), line.labels["n"].as_str()), (time, Some("cart"), "2"));
    }
}
