//! What a finding says, in plain words. Pure.

use std::collections::BTreeMap;

use crate::limits::TITLE_BYTES_MAX;

/// A number for people: three digits that count.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if value == 0.0 => return "0".to_owned(),
        _ if !(1e-4..1e12).contains(&size) => return format!("{value:.2e}"),
        _ if size >= 100.0 => format!("{value:.0}"),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 1.0 => format!("{value:.2}"),
        _ if size >= 0.1 => format!("{value:.3}"),
        _ if size >= 0.01 => format!("{value:.4}"),
        _ => format!("{value:.6}"),
    };
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    trimmed.to_owned()
}

/// A metric with the labels that tell it from others.
pub(crate) fn metric(name: &str, labels: &BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return name.to_owned();
    }
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    format!("{name}{{{}}}", labels.join(","))
}

/// The beginning of a text, with a sign where it was cut.
pub(crate) fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(bytes_max)])
}

/// A title of bounded length, with what was left out.
pub(crate) fn title(text: &str, left_out: u64) -> String {
    let mut title = cut(text, TITLE_BYTES_MAX);
    if left_out > 0 {
        title.push_str(&format!(" ({left_out} more findings were left out before this one)"));
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (37.0, "37"), (0.641_6, "0.642"), (157_283_300.0, "157283300"), (-2.5, "-2.5")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(0.000_128_8), "0.000129");
    }

    #[test]
    fn a_title_is_bounded_and_tells_what_was_left_out() {
        let title = title(&"é".repeat(400), 3);
        assert!(
            title.len() < TITLE_BYTES_MAX + 80 && title.ends_with("3 more findings were left out before this one)")
        );
    }
}
