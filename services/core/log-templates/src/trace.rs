//! Stack traces that come line by line: which lines go on with the record before, and what a whole trace says. Owns how
//! traces are printed; knows no record and no time.
//!
//! Sources: the stack traces of Java, Python, Go, Node, .NET, PHP, Ruby and Rust as their programs print them.

use std::borrow::Cow;

/// What Python says between two traces of one chain: what stands before it was beneath what stands behind it.
const CHAINED: [&str; 2] = ["During handling of the above exception", "The above exception was the direct cause"];
/// What a trace says of itself between its frames.
const BETWEEN: [&str; 8] = [
    "Traceback (most recent call last):",
    "--- End of inner exception",
    "--- End of stack trace",
    "stack backtrace:",
    "Stack trace:",
    "goroutine ",
    "note: run with `RUST_BACKTRACE",
    "exit status ",
];
/// How the line begins that names what was beneath an exception.
const CAUSES: [&str; 4] = ["Caused by: ", "Suppressed: ", "---> ", "[cause]: "];

/// Whether a line goes on with any record: a frame of a stack trace, its cause, or an indented rest.
#[must_use]
pub fn continues(line: &str) -> bool {
    let text = line.trim_start();
    if text.is_empty() {
        return false;
    }
    let is_said = BETWEEN.iter().chain(&CHAINED).any(|said| text.starts_with(said));
    is_said || is_frame(line) || is_cause(text) || (is_indented(line) && text.len() < line.len().saturating_sub(1))
}

/// Whether a line goes on with the record `before`: as with any, or because that record is a trace that is not at its end.
#[must_use]
pub fn continues_after(before: &str, line: &str) -> bool {
    if continues(line) {
        return true;
    }
    let last = before.trim_end().rsplit('\n').next().unwrap_or_default();
    let is_open = is_indented(last) || last.starts_with("Traceback (most recent");
    // Python names the exception behind its frames.
    if before.contains("Traceback (most recent") && is_open && is_exception(line) {
        return true;
    }
    // Go names a function before the place in its file.
    if before.contains("goroutine ") && (line.starts_with("created by ") || (line.ends_with(')') && line.contains('.')))
    {
        return true;
    }
    // Node closes the braces of what it printed.
    if is_open && matches!(line.trim_end(), "}" | "]" | "})") {
        return true;
    }
    // Java names the exception below the line that says what failed.
    !before.contains('\n') && is_qualified(line) && !is_exception(before)
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// The name of an exception at the beginning of a line, alone or with a colon behind it.
fn is_exception(line: &str) -> bool {
    let name = line.split_once(": ").map_or(line, |(name, _)| name).trim_end().trim_end_matches(':');
    let last = name.rsplit(['.', ':', '\\']).next().unwrap_or_default();
    let is_path = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b':' | b'\\'));
    is_path && last.starts_with(|c: char| c.is_ascii_uppercase()) && last.len() > 2
}

/// An exception whose name has the packages before it: `java.lang.IllegalStateException: …`.
fn is_qualified(line: &str) -> bool {
    let name = line.split_once(": ").map_or(line, |(name, _)| name).trim_end();
    let is_named = ["Exception", "Error", "Throwable", "Failure", "Timeout"].iter().any(|word| name.ends_with(word));
    is_exception(line) && is_named && name.contains(['.', '\\'])
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
        || (text.starts_with('#') && text.get(1..2).is_some_and(|digit| digit.bytes().all(|b| b.is_ascii_digit())) && (text.contains('(') || text.ends_with("{main}")))
}

/// Whether a line names what was beneath an exception.
fn is_cause(text: &str) -> bool {
    CAUSES.iter().any(|begins| text.starts_with(begins))
}

/// What a record of several lines says: its first line, the exception, and the deepest cause that it names. A record of
/// one line is that line.
#[must_use]
pub fn headline(text: &str) -> Cow<'_, str> {
    let Some((first, rest)) = text.split_once('\n') else {
        return Cow::Borrowed(text);
    };
    let first = first.trim_end();
    let lines = || rest.lines().filter(|line| !line.trim().is_empty());
    if let Some(cause) = lines().map(str::trim).rfind(|line| is_cause(line) && !line.starts_with("Suppressed: ")) {
        return Cow::Owned(format!("{first} {cause}"));
    }
    if first.starts_with("Traceback (most recent") || rest.contains("Traceback (most recent") {
        return python(first, rest);
    }
    match lines().next() {
        Some(exception) if is_qualified(exception) && !is_exception(first) => {
            Cow::Owned(format!("{first} {}", exception.trim_end()))
        }
        _ => Cow::Borrowed(first),
    }
}

/// Python says what it was behind its frames, without an indent; of a chain the first was beneath the others.
fn python<'a>(first: &'a str, rest: &str) -> Cow<'a, str> {
    let is_said = |line: &&str| !is_indented(line) && !continues(line) && !line.trim().is_empty();
    let mut said: Vec<&str> = rest.lines().filter(is_said).map(str::trim_end).collect();
    let Some(last) = said.pop() else { return Cow::Borrowed(first) };
    let is_chain = rest.lines().any(|line| CHAINED.iter().any(|chained| line.starts_with(chained)));
    let root = said.iter().find(|line| is_exception(line)).filter(|root| is_chain && **root != last);
    let what = root.map_or_else(|| last.to_owned(), |root| format!("{last} Caused by: {root}"));
    if first.starts_with("Traceback") { Cow::Owned(what) } else { Cow::Owned(format!("{first} {what}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// A trace as each runtime prints it, whose lines behind the first all go on with what came before, and its headline.
    const TRACES: [(&str, &str); 7] = [
        (
            "ERROR c.e.Order - Failed order 5\njava.lang.IllegalStateException: order 5 has no cart\n\tat com.example.A.b(A.java:1)",
            "ERROR c.e.Order - Failed order 5 java.lang.IllegalStateException: order 5 has no cart",
        ),
        (
            "Traceback (most recent call last):\n  File \"/a.py\", line 1, in f\n    g()\nKeyError: 'cart'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"/a.py\", line 3, in f\n    raise\nshop.errors.NoCart: 5",
            "shop.errors.NoCart: 5 Caused by: KeyError: 'cart'",
        ),
        (
            "panic: assignment to entry in nil map\ngoroutine 1 [running]:\nmain.(*Shop).take(0xc0000b2000)\n\t/app/main.go:17 +0x1d\ncreated by main.main\n\t/app/main.go:5 +0x2a\nexit status 2",
            "panic: assignment to entry in nil map",
        ),
        (
            "Error: order 5 failed\n    at take (/app/shop.js:5:11) {\n  [cause]: Error: connect ECONNREFUSED\n      at net (node:net:1:1)\n}",
            "Error: order 5 failed [cause]: Error: connect ECONNREFUSED",
        ),
        (
            "Unhandled exception. System.Exception: no cart\n ---> System.TimeoutException: db\n   --- End of inner exception stack trace ---\n   at Shop.Buy() in a.cs:line 5",
            "Unhandled exception. System.Exception: no cart ---> System.TimeoutException: db",
        ),
        (
            "PHP Fatal error:  Uncaught PDOException: gone in /a.php:5\nStack trace:\n#0 /a.php(5): buy()\n#1 {main}\n  thrown in /a.php on line 5",
            "PHP Fatal error:  Uncaught PDOException: gone in /a.php:5",
        ),
        (
            "thread 'main' panicked at src/main.rs:5:10: no cart\nnote: run with `RUST_BACKTRACE=1` environment variable\nstack backtrace:\n   0: rust_begin_unwind\n             at /rustc/x.rs:5:5",
            "thread 'main' panicked at src/main.rs:5:10: no cart",
        ),
    ];

    #[test]
    fn every_runtimes_trace_is_one_record_with_its_root() {
        for (trace, expected) in TRACES {
            let mut record = String::new();
            for line in trace.lines().filter(|line| !line.is_empty()) {
                assert!(record.is_empty() || continues_after(&record, line), "{line:?} goes on with {record:?}");
                if !record.is_empty() {
                    record.push('\n');
                }
                record.push_str(line);
            }
            assert_eq!(headline(&record), expected);
            for next in
                ["GET / 200", "order 7 paid in 5 ms", "INFO ready", "ERROR order 8 failed", "2026-11-30 ERROR x"]
            {
                assert!(!continues_after(&record, next), "{next:?} is a record of its own behind {record:?}");
            }
        }
        assert!(!continues_after("java.io.IOException: a", "java.io.IOException: b"), "two exceptions are two records");
    }
}
