//! A log line without what carries it: colours, the prefix of a container runtime, a level and a time that stand in the
//! text, and which lines go on with the one before. What is left is what the program said.
//!
//! Sources: ECMA-48 for control sequences; the log format of the Container Runtime Interface (time, stream, `P` or `F`);
//! Docker's `json-file`; klog's header; the stack traces of Java, Python, Go, Node, .NET, PHP and Rust as they are printed.

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

/// The text without control sequences: colours, cursor movements, titles, links.
#[must_use]
pub fn uncoloured(text: &str) -> Cow<'_, str> {
    const ESCAPE: char = '\u{1b}';
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != ESCAPE {
            plain.push(character);
            continue;
        }
        match characters.next() {
            // A control sequence ends with a letter or one of a few signs.
            Some('[') => while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            // A command of the operating system ends with a bell or a string terminator.
            Some(']') => {
                while let Some(c) = characters.next() {
                    if c == '\u{7}' || (c == ESCAPE && characters.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            // A character set is named by one more character.
            Some('(' | ')') => {
                characters.next();
            }
            _ => {}
        }
    }
    Cow::Owned(plain)
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

/// Whether a line goes on with the record before it: a frame of a stack trace, its cause, or an indented rest.
#[must_use]
pub fn continues(line: &str) -> bool {
    let text = line.trim_start();
    if text.is_empty() {
        return false;
    }
    if is_frame(line) || is_cause(text) {
        return true;
    }
    // What a trace says of itself between its frames.
    [
        "Traceback (most recent call last):",
        "During handling of the above exception",
        "The above exception was the direct cause",
        "--- End of inner exception",
        "--- End of stack trace",
        "stack backtrace:",
        "goroutine ",
    ]
    .iter()
    .any(|said| text.starts_with(said))
        || (line.starts_with([' ', '\t']) && text.len() < line.len().saturating_sub(1))
}

/// Whether a line is one place in a stack trace, which says where and not what.
#[must_use]
pub fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let is_indented = text.len() < line.len();
    let more = text.strip_prefix("... ").and_then(|rest| rest.split(' ').next());
    // Java, Node and .NET.
    (text.starts_with("at ") && (is_indented || text.contains('(') || text.contains(" in ")))
        || more.is_some_and(|count| count.bytes().all(|b| b.is_ascii_digit()) && text.ends_with("more"))
        // Python.
        || (text.starts_with("File \"") && text.contains(", line "))
        // Go.
        || (is_indented && text.starts_with('/') && text.contains(".go:"))
        // PHP.
        || (text.starts_with('#') && text.get(1..2).is_some_and(|digit| digit.bytes().all(|b| b.is_ascii_digit())) && text.contains('('))
}

/// Whether a line names what was beneath an exception.
fn is_cause(text: &str) -> bool {
    text.starts_with("Caused by: ") || text.starts_with("Suppressed: ") || text.starts_with("---> ")
}

/// What a record of several lines says: its first line, and the deepest cause that it names. A record of one line is that
/// line.
#[must_use]
pub fn headline(text: &str) -> Cow<'_, str> {
    let Some((first, rest)) = text.split_once('\n') else {
        return Cow::Borrowed(text);
    };
    let first = first.trim_end();
    let lines = || rest.lines().filter(|line| !line.trim().is_empty());
    if let Some(cause) =
        lines().map(str::trim).rfind(|line| line.starts_with("Caused by: ") || line.starts_with("---> "))
    {
        return Cow::Owned(format!("{first} {cause}"));
    }
    // Python says what it was at the end, without an indent.
    let is_python = first.starts_with("Traceback (most recent") || rest.contains("Traceback (most recent");
    if is_python && let Some(said) = lines().rfind(|line| !line.starts_with([' ', '\t']) && !is_frame(line)) {
        return if first.starts_with("Traceback") {
            Cow::Owned(said.trim().to_owned())
        } else {
            Cow::Owned(format!("{first} {}", said.trim()))
        };
    }
    Cow::Borrowed(first)
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

    const JAVA: &str = "2026-11-30 04:00:00 ERROR order 17 failed\njava.lang.IllegalStateException: no stock\n\tat com.example.Stock.take(Stock.java:17)\n\tat com.example.Shop.buy(Shop.java:5)\nCaused by: java.net.SocketTimeoutException: Read timed out\n\tat java.net.Socket.read(Socket.java:1)\n\t... 23 more";
    const PYTHON: &str = "Traceback (most recent call last):\n  File \"/app/shop.py\", line 5, in buy\n    take(1)\n  File \"/app/stock.py\", line 17, in take\n    raise ValueError(\"no stock\")\nValueError: no stock";

    #[test]
    fn a_trace_is_one_record_that_names_its_cause() {
        assert_eq!(
            headline(JAVA),
            "2026-11-30 04:00:00 ERROR order 17 failed Caused by: java.net.SocketTimeoutException: Read timed out"
        );
        assert_eq!(headline(PYTHON), "ValueError: no stock");
        assert_eq!(headline(&format!("order failed\n{PYTHON}")), "order failed ValueError: no stock");
        assert_eq!(headline("one line"), "one line");
        assert_eq!(headline("first\nsecond"), "first");
        let goes_on: Vec<bool> = JAVA.lines().map(continues).collect();
        assert_eq!(goes_on, [false, false, true, true, true, true, true]);
        for line in [
            "    raise ValueError",
            "\t/go/src/shop/main.go:17 +0x1d",
            "#0 /app/a.php(17): buy()",
            "   at Shop.Buy() in a.cs:line 5",
        ] {
            assert!(continues(line), "{line}");
        }
        for line in ["GET / 200", "at noon the job began", "Caused by a storm", "#1 of 5 is done", ""] {
            assert!(!is_frame(line), "{line}");
            assert!(!continues(line), "{line}");
        }
    }
}
