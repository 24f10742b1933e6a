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

/// The line with what its text says of itself, and whether its rest follows. What the sender says outside counts more.
pub(super) fn plain(mut line: Line, now: Time) -> (Line, bool) {
    let mut is_partial = false;
    line.message = template::uncoloured(&line.message).into_owned();
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
    (line, is_partial)
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
        let line =
            read(json!({"log": "{\"ts\":\"2026-11-30T04:00:00Z\",\"msg\":\"m\",\"app\":\"cart\",\"n\":1}", "n": 2}));
        assert_eq!((line.time, line.service.as_deref(), line.labels["n"].as_str()), (time, Some("cart"), "2"));
    }
}
