//! The one table from vendors' words to our severities. Owns the words; refuses to guess: what stands in
//! no row is `medium`, and whoever asked names the field as unmapped.

use hindcast_domain::Severity;

/// Words by severity, lower case. `docs/formats.md` shows the same table, which a test compares.
pub const WORDS: [(Severity, &[&str]); 5] = [
    (
        Severity::Critical,
        &["critical", "crit", "page", "p1", "sev1", "sev0", "p0", "emergency", "emerg", "fatal", "disaster", "blocker"],
    ),
    (Severity::High, &["high", "error", "err", "major", "p2", "sev2", "alert", "severe", "urgent"]),
    (Severity::Medium, &["medium", "warning", "warn", "minor", "p3", "sev3", "moderate", "average", "ticket"]),
    (Severity::Low, &["low", "p4", "sev4", "notice", "trivial"]),
    (Severity::Info, &["info", "information", "informational", "none", "debug", "p5", "sev5", "ok", "normal", "test"]),
];

/// The severity of a word, in any case and with any of `-`, `_` and blanks inside (`SEV-1`, `P 1`).
#[must_use]
pub fn of_word(word: &str) -> Option<Severity> {
    let plain: String =
        word.chars().filter(|c| !matches!(c, '-' | '_') && !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    WORDS.iter().find(|(_, words)| words.contains(&plain.as_str())).map(|(severity, _)| *severity)
}

/// What an alert gets whose word is missing or stands in no row.
pub const UNMAPPED: Severity = Severity::Medium;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_spelling_and_others_are_not_guessed() {
        for (word, expected) in [
            ("critical", Some(Severity::Critical)),
            (" PAGE ", Some(Severity::Critical)),
            ("SEV-1", Some(Severity::Critical)),
            ("Error", Some(Severity::High)),
            ("P2", Some(Severity::High)),
            ("warning", Some(Severity::Medium)),
            ("notice", Some(Severity::Low)),
            ("none", Some(Severity::Info)),
            ("purple", None),
            ("", None),
            ("1", None),
        ] {
            assert_eq!(of_word(word), expected, "{word:?}");
        }
    }

    #[test]
    fn the_document_shows_every_word() {
        let document = include_str!("../../../docs/formats.md");
        for (severity, words) in WORDS {
            let shown = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            assert!(document.contains(&format!("| {severity} | {shown} |")), "{severity}: {shown}");
        }
    }
}
