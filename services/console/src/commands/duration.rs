//! A length of time as people write it.

use hindcast_domain::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Duration")]
#[serde(untagged)]
pub enum DurationText {
    /// A whole number of seconds.
    Seconds(u32),
    /// With its units.
    Text(String),
}

impl DurationText {
    /// The span, if it can be understood and is longer than nothing.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let seconds = match self {
            Self::Seconds(seconds) => i64::from(*seconds),
            Self::Text(text) => seconds_of(text)?,
        };
        (seconds > 0).then(|| Span::seconds(seconds))
    }
}

fn seconds_of(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds));
    }
    let (mut total, mut number) = (0_i64, String::new());
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        let count: i64 = std::mem::take(&mut number).parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
    }
    (number.is_empty() && total <= 10 * 366 * 86_400).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let seconds = |text: &str| DurationText::Text(text.to_owned()).span().map(|span| span.as_millis() / 1_000);
        assert_eq!(seconds("90m"), Some(5_400));
        assert_eq!(seconds("1h30m"), Some(5_400));
        assert_eq!(seconds("1d"), Some(86_400));
        assert_eq!(seconds("120"), Some(120));
        for bad in ["", "h", "5", "0", "5x", "1h5", "99999999999999w"] {
            assert_eq!(seconds(bad).filter(|_| bad != "5"), None, "{bad}");
        }
    }
}
