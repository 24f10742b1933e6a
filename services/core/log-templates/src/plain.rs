//! A log line without what carries it: colours, the prefix of a container runtime, a level and a time that stand in the
//! text. What is left is what the program said; what several lines of one trace say stands in [`crate::trace`].
//!
//! Sources: ECMA-48 for control sequences; the log format of the Container Runtime Interface (time, stream, `P` or `F`);
//! Docker's `json-file` and the prefix of `docker compose logs`; klog's header; logfmt.

use std::borrow::Cow;

/// Bytes at the beginning of a text in which a level is looked for.
const HEAD_BYTES: usize = 120;
/// Words at the beginning of a text in which a level is looked for: a time, a thread, a logger may stand before it.
const HEAD_WORDS: usize = 7;

/// A line of a container runtime, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CriLine<'a> {
    /// When, as it is written.
    pub time: &'a str,
    /// Whether the rest of the line follows in the next one.
    pub is_partial: bool,
    /// What the program wrote.
    pub text: &'a str,
}

const ESCAPE: char = '\u{1b}';

/// The text without control sequences: colours, cursor movements, titles, links.
#[must_use]
pub fn uncoloured(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[sequence(rest).unwrap_or(rest.len())..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The beginning of a control sequence with which a text ends, as one does that was cut in two; often empty.
#[must_use]
pub fn unfinished(text: &str) -> &str {
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        rest = &rest[at..];
        match sequence(rest) {
            Some(length) => rest = &rest[length..],
            None => return rest,
        }
    }
    ""
}

/// Bytes of the control sequence with which a text begins, if its end is there.
fn sequence(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).map(|(at, c)| (at + c.len_utf8(), c)).peekable();
    match characters.next()? {
        // A control sequence ends with a letter or one of a few signs.
        (_, '[') => characters.find(|(_, c)| ('@'..='~').contains(c)).map(|(end, _)| end),
        // A command of the operating system ends with a bell or a string terminator.
        (_, ']') => loop {
            match characters.next()? {
                (end, '\u{7}') => break Some(end),
                (_, ESCAPE) => {
                    if let Some((end, _)) = characters.next_if(|(_, c)| *c == '\\') {
                        break Some(end);
                    }
                }
                _ => {}
            }
        },
        // A character set is named by one more character.
        (_, '(' | ')') => characters.next().map(|(end, _)| end),
        (end, _) => Some(end),
    }
}

/// The parts of a line as container runtimes write it, if it is one.
#[must_use]
pub fn cri(line: &str) -> Option<CriLine<'_>> {
    let (time, rest) = line.split_once(' ')?;
    let is_time =
        time.len() >= 20 && time.as_bytes().get(10) == Some(&b'T') && time.starts_with(|c: char| c.is_ascii_digit());
    let rest = rest.strip_prefix("stdout ").or_else(|| rest.strip_prefix("stderr "))?;
    let (tag, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_partial = match tag.split(':').next()? {
        "P" => true,
        "F" => false,
        _ => return None,
    };
    is_time.then_some(CriLine { time, is_partial, text })
}

/// The name of the container and the text behind it, of a line as `docker compose logs` writes it: `web-1  | text`.
#[must_use]
pub fn compose(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(' ')?;
    let (service, number) = name.rsplit_once(['-', '_'])?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let is_name = service.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let text = rest.trim_start_matches(' ').strip_prefix('|')?;
    (is_number && is_name && !service.is_empty()).then(|| (service, text.strip_prefix(' ').unwrap_or(text)))
}

/// Keys under which logfmt writes the time.
const TIME_KEYS: [&str; 4] = ["time=", "ts=", "timestamp=", "t="];
/// Words that may follow a clock within a time: a zone, its letters, a year.
const BEHIND_CLOCK: usize = 2;

/// What may be the time at the beginning of a text, as it is written, the longest first: up to a clock such as `04:00:00`
/// and what may follow it, or the value of a key of logfmt.
#[must_use]
pub fn stamps(text: &str) -> Vec<&str> {
    let end = (0..=HEAD_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let head = text.get(..end).unwrap_or_default().trim_start_matches([' ', '\t', '[', '(']);
    let keyed = TIME_KEYS.iter().find_map(|key| {
        let at = head
            .find(key)
            .filter(|at| head.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with(' ')))?;
        let value = head.get(at + key.len()..)?;
        match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').map(|(value, _)| value),
            None => value.split(' ').next(),
        }
    });
    if let Some(value) = keyed {
        return vec![value];
    }
    // klog's letter for the level stands before the date.
    let head = if klog(head).is_some() { head.get(1..).unwrap_or_default() } else { head };
    let mut ends = Vec::new();
    let mut at = 0;
    let mut clock = None;
    for (number, word) in head.split(' ').enumerate() {
        at += word.len();
        let is_clock = word.split(':').filter(|part| part.bytes().any(|b| b.is_ascii_digit())).count() >= 3;
        if clock.is_none() && is_clock {
            clock = Some(number);
        }
        if let Some(clock) = clock {
            ends.push(at);
            if number >= clock + BEHIND_CLOCK {
                break;
            }
        } else if number >= HEAD_WORDS {
            break;
        }
        at += 1;
    }
    let cut = |end: usize| head.get(..end).map(|stamp| stamp.trim_end_matches([']', ')', ':', ',', '|', ' ']));
    ends.into_iter().rev().filter_map(cut).collect()
}

/// The word for a level that stands at the beginning of a text: behind a time, in brackets, as `level=…`, in klog's header.
#[must_use]
pub fn level(text: &str) -> Option<&str> {
    let end = (0..=HEAD_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end))?;
    let head = text.get(..end)?.trim_start();
    if let Some(letter) = klog(head) {
        return Some(letter);
    }
    let mut words = head.split_whitespace();
    for at in 0..HEAD_WORDS {
        let word = words.next()?;
        for key in ["level=", "lvl=", "severity=", "loglevel="] {
            if let Some(value) = word.strip_prefix(key) {
                return Some(value.trim_matches('"')).filter(|value| is_level(value));
            }
        }
        let inner = word.trim_matches(|c: char| "[]()<>|:".contains(c));
        let is_marked = inner.len() < word.len();
        let shouts = inner.bytes().all(|b| b.is_ascii_uppercase());
        if is_level(inner) && (shouts || is_marked) && (at == 0 || shouts || word.starts_with(['[', '<', '('])) {
            return Some(inner);
        }
    }
    None
}

/// `E1130 04:00:00.123456`: a letter for the level, month and day.
fn klog(head: &str) -> Option<&str> {
    let letter = head.get(..1).filter(|letter| matches!(*letter, "I" | "W" | "E" | "F"))?;
    let date = head.get(1..5)?;
    (date.bytes().all(|b| b.is_ascii_digit()) && head.get(5..6) == Some(" ") && head.get(8..9) == Some(":"))
        .then_some(letter)
}

fn is_level(word: &str) -> bool {
    const WORDS: [&str; 19] = [
        "trace",
        "debug",
        "verbose",
        "fine",
        "info",
        "notice",
        "warn",
        "warning",
        "error",
        "err",
        "severe",
        "fatal",
        "critical",
        "crit",
        "panic",
        "alert",
        "emerg",
        "emergency",
        "finest",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        for (text, expected) in [
            ("\u{1b}[33mINFO\u{1b}[0m ready", "INFO ready"),
            ("\u{1b}[1;31mERROR\u{1b}[0m db \u{1b}[1mdown\u{1b}[m", "ERROR db down"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7} \u{1b}(Bend\u{1b}", "link end"),
            ("[33m is no colour", "[33m is no colour"),
        ] {
            assert_eq!(uncoloured(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_sequence_that_was_cut_goes_on_in_the_next_text() {
        let whole = "\u{1b}[1;31mERROR\u{1b}[0m \u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7} \u{1b}(Bend";
        for cut in 0..=whole.len() {
            let (head, tail) = whole.split_at(cut);
            let joined = format!("{}{}{tail}", uncoloured(head), unfinished(head));
            assert_eq!(uncoloured(&joined), uncoloured(whole), "{head:?}");
        }
    }

    #[test]
    fn a_line_of_a_container_runtime_is_taken_apart() {
        let of = |line| cri(line).map(|line| (line.time, line.is_partial, line.text));
        let time = "2026-11-30T04:00:00.123456789+01:00";
        assert_eq!(of("2026-11-30T04:00:00.123456789+01:00 stdout F GET /  200"), Some((time, false, "GET /  200")));
        assert_eq!(of("2026-11-30T04:00:00.123456789+01:00 stderr P half a "), Some((time, true, "half a ")));
        assert_eq!(of("2026-11-30T04:00:00.123456789+01:00 stdout F"), Some((time, false, "")));
        for other in ["stdout F x", "2026-11-30T04:00:00Z stdout X y", "a b c d", "2026-11-30T04:00:00Z stdin F y", ""]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_time_stands_at_the_beginning_or_under_its_key() {
        for (text, expected) in [
            ("2026-11-30 04:00:00,123 [main] WARN  c.e.Shop - slow", "2026-11-30 04:00:00,123"),
            ("[30/Nov/2026:04:00:00 +0000] \"GET /\"", "30/Nov/2026:04:00:00 +0000"),
            ("Mon Nov 30 04:00:00 2026 [pid 7] x", "Mon Nov 30 04:00:00 2026"),
            ("E1130 04:00:00.123456       1 reflector.go:1] x", "1130 04:00:00.123456"),
            ("2026-11-30T04:00:00.5Z ERROR x", "2026-11-30T04:00:00.5Z"),
            ("level=info ts=2026-11-30T04:00:00Z msg=x", "2026-11-30T04:00:00Z"),
            ("time=\"2026-11-30 04:00:00\" level=error", "2026-11-30 04:00:00"),
        ] {
            assert!(stamps(text).contains(&expected), "{text}: {:?}", stamps(text));
        }
        for none in ["order 17 paid", "12:30 is no time of a log", "", "Foo::Bar::baz x", "é"] {
            assert!(stamps(none).is_empty(), "{none}: {:?}", stamps(none));
        }
    }

    #[test]
    fn a_line_of_compose_is_taken_apart() {
        assert_eq!(compose("web-1  | GET / 200"), Some(("web", "GET / 200")));
        assert_eq!(compose("shop_db_12 | ready"), Some(("shop_db", "ready")));
        assert_eq!(compose("web-1  |"), Some(("web", "")));
        for none in ["order | paid", "a-b | c", "web-1 x | y", "-1 | x", "", "x"] {
            assert_eq!(compose(none), None, "{none}");
        }
    }

    #[test]
    fn a_level_is_found_at_the_beginning_and_nowhere_else() {
        for (text, expected) in [
            ("2026-11-30 04:00:00 ERROR database connection refused", Some("ERROR")),
            ("2026-11-30 04:00:00,123 [main] WARN  c.e.Shop - slow", Some("WARN")),
            ("[error] 12#12: upstream timed out", Some("error")),
            ("2026/11/30 04:00:00 [warn] 7#7: x", Some("warn")),
            ("error: no space left", Some("error")),
            ("panic: runtime error", Some("panic")),
            ("E1130 04:00:00.123456       1 reflector.go:1] x", Some("E")),
            ("time=2026-11-30T04:00:00Z level=error msg=x", Some("error")),
            ("ts=1 lvl=\"warn\" msg=x", Some("warn")),
            ("the error is gone", None),
            ("GET /error 200 in 5 ms", None),
            ("no ERRORS here, INFOrmation", None),
            ("Every 5 s", None),
            ("", None),
        ] {
            assert_eq!(level(text), expected, "{text}");
        }
        let far = format!("{} ERROR", "word ".repeat(20));
        assert_eq!(level(&far), None);
        assert_eq!(level(&format!("{}é", "x".repeat(HEAD_BYTES - 1))), None, "cut between characters");
    }
}
