//! Text that Teams shows as it stands, though what it is put into reads Markdown. Owns which characters are marked;
//! refuses to mark what would be read as itself: clients on phones show the marks, so a date, a path or the name of a
//! metric has none.
//! Source: CommonMark 0.31, "Inlines" and "Container blocks"; Microsoft, "Adaptive Cards: text features".

/// Characters that are looked through for the end of an entity.
const ENTITY_MAX: usize = 33;

/// A text in one line whose every character is read as itself; never empty.
pub(super) fn written_out(text: &str) -> String {
    let line = text.replace(['\n', '\r', '\t', '\u{2028}', '\u{2029}'], " ");
    let chars: Vec<char> = line.trim().chars().collect();
    let mut out = String::with_capacity(line.len() + 8);
    for (index, c) in chars.iter().enumerate() {
        let (before, behind) = chars.split_at(index);
        if is_mark(*c, before, behind.get(1..).unwrap_or_default()) {
            out.push('\\');
        }
        out.push(*c);
    }
    if out.is_empty() { "–".to_owned() } else { out }
}

/// Whether a character would be read as a mark where it stands.
fn is_mark(c: char, before: &[char], after: &[char]) -> bool {
    let (last, next) = (before.last().copied(), after.first().copied());
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match c {
        '*' | '`' | '[' | ']' | '<' => true,
        // Within a word it is no emphasis.
        '_' => !(is_word(last) && is_word(next)),
        // Clients that do not know the mark in front of `]` see a link's address otherwise.
        '(' => last == Some(']'),
        '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
        '~' => last == Some('~') || next == Some('~'),
        '#' | '+' | '-' | '>' => before.is_empty(),
        // A number in front of these begins a list.
        '.' | ')' => !before.is_empty() && before.iter().all(char::is_ascii_digit),
        '&' => is_entity(after),
        // `{{DATE(…)}}` is replaced before anything else is read, and whoever fills in templates takes more.
        '{' => last == Some('{'),
        _ => false,
    }
}

/// Whether what stands behind an `&` makes it an entity.
fn is_entity(after: &[char]) -> bool {
    let name: Vec<char> = after.iter().copied().take(ENTITY_MAX).take_while(|c| *c != ';').collect();
    let ends = after.get(name.len()) == Some(&';');
    ends && !name.is_empty() && name.iter().all(|c| c.is_ascii_alphanumeric() || *c == '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader of Markdown makes of the marks: one in front of punctuation is taken off.
    fn read(text: &str) -> String {
        let mut out = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let marks = c == '\\' && chars.peek().is_some_and(char::is_ascii_punctuation);
            out.extend(if marks { chars.next() } else { Some(c) });
        }
        out
    }

    #[test]
    fn what_no_reader_takes_for_a_mark_has_none() {
        for text in [
            "2026-11-20 03:11:40 UTC, for 1 min 30 s",
            "6 (4 firing) in 41 messages",
            "node_cpu_seconds_total > 0.9",
            r"C:\Users\ada",
            "INC-0AFX",
            "a & b; c",
            "~/data, 5 + 3 - 1 = 7!",
            "{ $value }",
            "größer_als_nötig",
        ] {
            assert_eq!(written_out(text), text);
        }
    }

    #[test]
    fn every_mark_is_written_out_and_reads_as_it_stood() {
        for (text, expected) in [
            ("*bold*", r"\*bold\*"),
            ("_it_ __init__", r"\_it\_ \_\_init\_\_"),
            ("`code`", r"\`code\`"),
            ("[x](https://evil.example)", r"\[x\]\(https://evil.example)"),
            ("<at>all</at>", r"\<at>all\</at>"),
            ("~~gone~~", r"\~\~gone\~\~"),
            ("# title", r"\# title"),
            ("- item", r"\- item"),
            ("> quote", r"\> quote"),
            ("12. item", r"12\. item"),
            ("3) item", r"3\) item"),
            ("&lt;b&#62; &; &a b;", r"\&lt;b\&#62; &; &a b;"),
            (r"\*", r"\\\*"),
            (r"ends with \", r"ends with \\"),
            ("{{DATE(2026-11-20T03:12:00Z)}}", r"{\{DATE(2026-11-20T03:12:00Z)}}"),
            ("{{{at}}}", r"{\{\{at}}}"),
        ] {
            assert_eq!(written_out(text), expected);
            assert_eq!(read(expected), text);
        }
    }

    #[test]
    fn a_text_is_one_line_and_never_nothing() {
        assert_eq!(written_out("a\n# b\r\n\tc\u{2028}d"), "a # b   c d");
        assert_eq!(written_out("    code"), "code", "what stands in is no code");
        assert_eq!((written_out(""), written_out(" \n ")), ("–".to_owned(), "–".to_owned()));
    }
}
