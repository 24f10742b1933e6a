//! Durations as people type them: `90m`, `2h`, `1d`, `1h30m`. Owns the units; refuses to guess one where a
//! number stands alone.

use hindcast_domain::Span;

/// Units, with their milliseconds. `ms` stands before `m`, because the longest one is meant.
const UNITS: [(&str, i64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// Reads a duration.
///
/// # Errors
/// When it is none, or nothing at all.
pub fn span(text: &str) -> Result<Span, String> {
    let bad = || format!("expected a duration such as 90m, 2h, 1d or 1h30m, got {text:?}");
    let mut rest = text.trim();
    let mut millis = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let number: i64 = number.parse().map_err(|_| bad())?;
        let (unit, factor) = UNITS.into_iter().find(|(unit, _)| tail.starts_with(unit)).ok_or_else(bad)?;
        millis = number.checked_mul(factor).and_then(|part| millis.checked_add(part)).ok_or_else(bad)?;
        rest = tail.strip_prefix(unit).ok_or_else(bad)?;
    }
    // Longer ones would leave the years that a time covers.
    if millis == 0 || millis > 100 * 366 * 86_400_000 {
        return Err(bad());
    }
    Ok(Span::millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, expect) in [
            ("90m", Span::minutes(90)),
            ("2h", Span::hours(2)),
            ("1d", Span::hours(24)),
            ("1h30m", Span::minutes(90)),
            ("1w", Span::hours(168)),
            ("45s", Span::seconds(45)),
            ("250ms", Span::millis(250)),
            (" 5m ", Span::minutes(5)),
        ] {
            assert_eq!(span(text), Ok(expect), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_named() {
        for text in ["", "90", "m", "0s", "-5m", "2 h", "1y", "h2", "99999999999999999999d", "1.5h"] {
            assert!(span(text).unwrap_err().contains("such as 90m"), "{text}");
        }
    }
}
