//! Values of parameters: whether one has the type and lies within the bounds, and how it is written in a step.
//! Owns which characters are safe; refuses to quote: what would need quoting is refused.

use regex::Regex;
use serde_json::Value;

use super::{InvalidRunbook, RunbookParam, Type};

/// Characters of a string where the runbook sets no bound.
const LENGTH_MAX: usize = 128;

/// A parameter's type and bounds, in words.
pub(super) fn words(param: &RunbookParam) -> String {
    let mut text = match param.kind {
        Type::String => "text".to_owned(),
        Type::Integer => "a whole number".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::Duration => "a length of time such as 5m".to_owned(),
        Type::Boolean => "true or false".to_owned(),
    };
    if !param.one_of.is_empty() {
        text = format!("one of {}", param.one_of.join(", "));
    }
    if let Some(pattern) = &param.pattern {
        text.push_str(&format!(" matching {pattern}"));
    }
    if param.kind == Type::String && param.one_of.is_empty() {
        text.push_str(&format!(" of at most {} safe characters", param.max_length.unwrap_or(LENGTH_MAX)));
    }
    for (word, bound) in [("at least", &param.min), ("at most", &param.max)] {
        if let Some(bound) = bound {
            text.push_str(&format!(", {word} {}", written(bound)));
        }
    }
    if let Some(default) = &param.default {
        text.push_str(&format!(" ({} where absent)", written(default)));
    }
    text
}

/// A value as it stands in a step.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Seconds of `90s`, `5m`, `2h` or `1d`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    let factor = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3_600.0,
        'd' => 86_400.0,
        _ => return None,
    };
    let whole = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| digits.parse::<f64>().ok().map(|number| number * factor))?
}

/// Whether text needs no quoting in any common shell.
pub(super) fn is_safe(text: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._:/@%+=,-".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(safe)
}

/// Checks a value against its parameter; numbers that are written as text are read.
pub(super) fn checked(name: &str, param: &RunbookParam, value: &Value) -> Result<Value, InvalidRunbook> {
    let wrong =
        || InvalidRunbook::Value { name: name.to_owned(), expected: words(param), got: cut(&value.to_string()) };
    match param.kind {
        Type::String => string(param, value).ok_or_else(wrong),
        Type::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::String(text) if text == "true" => Ok(Value::Bool(true)),
            Value::String(text) if text == "false" => Ok(Value::Bool(false)),
            _ => Err(wrong()),
        },
        Type::Integer => {
            let read = value.as_i64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(wrong)?;
            #[allow(clippy::cast_precision_loss)] // bounds are far smaller
            let inside = within(param, read as f64);
            if inside { Ok(Value::from(read)) } else { Err(wrong()) }
        }
        Type::Number => {
            let read = value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|read| read.is_finite());
            let read = read.ok_or_else(wrong)?;
            if within(param, read) { Ok(Value::from(read)) } else { Err(wrong()) }
        }
        Type::Duration => {
            let text = value.as_str().ok_or_else(wrong)?;
            let read = seconds(text).ok_or_else(wrong)?;
            if within(param, read) { Ok(Value::from(text)) } else { Err(wrong()) }
        }
    }
}

fn string(param: &RunbookParam, value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let short = text.chars().count() <= param.max_length.unwrap_or(LENGTH_MAX);
    let listed = param.one_of.is_empty() || param.one_of.contains(&text);
    let pattern = param.pattern.as_deref().map(whole);
    let matched = match pattern {
        None => true,
        Some(Ok(pattern)) => pattern.is_match(&text),
        Some(Err(_)) => false,
    };
    (short && listed && matched && is_safe(&text)).then_some(Value::String(text))
}

/// A pattern that must match the whole.
pub(super) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

fn within(param: &RunbookParam, value: f64) -> bool {
    let least = param.min.as_ref().is_none_or(|bound| size(param.kind, bound).is_some_and(|bound| value >= bound));
    let most = param.max.as_ref().is_none_or(|bound| size(param.kind, bound).is_some_and(|bound| value <= bound));
    least && most
}

/// A bound as a number; seconds for a duration.
pub(super) fn size(kind: Type, bound: &Value) -> Option<f64> {
    match kind {
        Type::Duration => seconds(bound.as_str()?),
        Type::Integer => bound.as_i64().map(|_| bound.as_f64())?,
        Type::Number => bound.as_f64(),
        Type::String | Type::Boolean => None,
    }
}

/// Text that came from outside, short enough for a message.
pub(super) fn cut(text: &str) -> String {
    hindcast_domain::text::cut(text, 80)
}
