//! Plain words for times, figures and foreign text, spelt so that the verifier can look each of them up.
//! Owns the rounding; refuses to know what is said with it.

use crate::Time;

/// Characters of foreign text that are quoted at most.
const QUOTE_CHARS_MAX: usize = 140;

/// The time of day in UTC, to the second: `17:21:36`.
#[must_use]
pub fn clock(time: Time) -> String {
    let seconds = time.millis().div_euclid(1_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds % 3_600 / 60, seconds % 60)
}

/// A moment in UTC, to the second, with its zone: `2026-11-24T17:21:36Z`.
#[must_use]
pub fn stamp(time: Time) -> String {
    Time::from_millis(time.millis().div_euclid(1_000).saturating_mul(1_000)).to_string()
}

/// Day and time of day in UTC, to the second: `2026-11-24 17:21:36`.
#[must_use]
pub fn day_and_clock(time: Time) -> String {
    stamp(time).trim_end_matches('Z').replace('T', " ")
}

/// A whole number with separators: `1,204`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun, which takes an `s` in the plural: `1 alert`, `3 alerts`.
#[must_use]
pub fn count(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// Names as people list them: `a`, `a and b`, `a, b and c`. Names beyond `most` become "and others".
#[must_use]
pub fn listed(names: &[&str], most: usize) -> String {
    let (shown, more) = (names.get(..most).unwrap_or(names), names.len() > most);
    match (shown, more) {
        ([], _) => String::new(),
        (shown, true) => format!("{} and others", shown.join(", ")),
        ([one], false) => (*one).to_owned(),
        ([rest @ .., last], false) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The text with a capital as its first letter.
#[must_use]
pub fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// The first `chars_max` characters, with `…` behind them where more follow.
#[must_use]
pub fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A measured value as a person would write it: three significant digits, whole above that.
#[must_use]
pub fn figure(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size >= 100.0 || size == 0.0 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rounded, finite and not negative
        let whole = size.round().min(1e18) as u64;
        return format!("{}{}", if value < 0.0 && whole > 0 { "-" } else { "" }, thousands(whole));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 12
    let decimals = (2.0 - size.log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Foreign text on one line, cut to what is quoted at most, without the marks that would end the quotation.
#[must_use]
pub fn one_line(text: &str) -> String {
    let line = text
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('"', "'");
    if line.chars().count() <= QUOTE_CHARS_MAX {
        return line;
    }
    let cut: String = line.chars().take(QUOTE_CHARS_MAX).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    format!("{cut} …")
}

/// Foreign text in quotation marks.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text))
}

/// Whether `word` stands in `text` as a word of its own, whatever the case.
#[must_use]
pub fn mentions(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    if word.is_empty() {
        return false;
    }
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(&word).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_as_people_round() {
        let all = [(0.0, "0"), (0.413_7, "0.414"), (41.34, "41.3"), (100.0, "100"), (1_204.4, "1,204"), (6.0, "6")];
        for (value, text) in all {
            assert_eq!(figure(value), text);
        }
        assert_eq!(figure(-12_345.6), "-12,346");
    }

    #[test]
    fn a_number_stands_with_its_noun() {
        assert_eq!((count(1, "alert"), count(0, "alert")), ("1 alert".into(), "0 alerts".into()));
        assert_eq!(count(1_204, "event"), "1204 events");
        assert_eq!(
            (thousands(7), thousands(999), thousands(1_234_567)),
            ("7".into(), "999".into(), "1,234,567".into())
        );
    }

    #[test]
    fn names_are_listed_as_people_do() {
        assert_eq!(listed(&["a"], 8), "a");
        assert_eq!(listed(&["a", "b"], 8), "a and b");
        assert_eq!(listed(&["a", "b", "c"], 8), "a, b and c");
        assert_eq!(listed(&["a", "b", "c"], 2), "a, b and others");
        assert_eq!(listed(&[], 2), "");
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(
            (capitalized("no such"), capitalized("été"), capitalized("")),
            ("No such".into(), "Été".into(), String::new())
        );
    }

    #[test]
    fn a_cut_text_says_so_and_is_cut_between_characters() {
        assert_eq!(cut("héhé", 4), "héhé");
        assert_eq!(cut("héhé", 2), "hé…");
        assert_eq!((cut("", 0), cut("a", 0)), (String::new(), "…".into()));
    }

    #[test]
    fn a_time_of_day_is_told_in_utc() {
        let time: Time = "2026-11-24T17:21:36.999Z".parse().unwrap_or_default();
        assert_eq!(clock(time), "17:21:36");
        assert_eq!(day_and_clock(time), "2026-11-24 17:21:36");
    }

    #[test]
    fn a_word_is_a_word_of_its_own() {
        assert!(mentions("Redis is down", "redis"));
        assert!(!mentions("RedisDown", "redis") && !mentions("shop-redis-1", "redis"));
    }

    #[test]
    fn foreign_text_cannot_end_its_quotation() {
        assert_eq!(quoted("a \"b\"\nc"), "\"a 'b' c\"");
    }
}
