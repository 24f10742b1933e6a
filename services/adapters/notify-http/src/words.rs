//! Words for a vendor: untrusted text without what would act there, and cut to what the vendor takes with a word that
//! says so. Owns no vendor's form.

use hindcast_domain::Severity;
use hindcast_messaging::notify::Notification;

/// What stands at the end of a text that was cut.
const CUT: &str = "… [cut; the whole text is on the page of the incident]";
/// The same where there is no room for a sentence.
const CUT_SHORT: &str = "… [cut]";
/// A text with less room than this gets the short word.
const ROOM: usize = 200;

/// In what a vendor counts the length of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LengthUnit {
    /// Code units of UTF-16, which are never fewer than characters.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl LengthUnit {
    fn of(self, text: &str) -> usize {
        match self {
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// A text without what no reader sees and some programs obey: control characters but for ends of lines, and marks
/// that turn the direction of text.
pub(crate) fn plain(text: &str) -> String {
    let hidden = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    let kept = |c: char| match c {
        '\n' => Some('\n'),
        c if c.is_control() => Some(' '),
        c if hidden(c) => None,
        c => Some(c),
    };
    text.chars().filter_map(kept).collect()
}

/// A text escaped for a vendor, of at most `max` units when it is escaped. `escape` writes one character.
pub(crate) fn fitted(text: &str, max: usize, unit: LengthUnit, escape: impl Fn(char, &mut String)) -> String {
    let text = plain(text);
    let escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        text.chars().for_each(|c| escape(c, &mut out));
        out
    };
    let whole = escaped(&text);
    if unit.of(&whole) <= max {
        return whole;
    }
    let word = escaped(if max < ROOM { CUT_SHORT } else { CUT });
    let room = max.saturating_sub(unit.of(&word));
    let (mut out, mut used, mut piece) = (String::new(), 0, String::new());
    for c in text.chars() {
        piece.clear();
        escape(c, &mut piece);
        used += unit.of(&piece);
        if used > room {
            break;
        }
        out.push_str(&piece);
    }
    out.push_str(&word);
    out
}

/// A text that is shown as it is.
pub(crate) fn verbatim(c: char, out: &mut String) {
    out.push(c);
}

/// The entities of HTML and of Slack's text.
pub(crate) fn entities(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        c => out.push(c),
    }
}

/// Characters that Markdown obeys, behind a backslash; a name that would be called is broken by a mark that is not
/// seen.
pub(crate) fn markdown(c: char, out: &mut String) {
    if "\\`*{}[]()#+-!_>~|<".contains(c) {
        out.push('\\');
    }
    out.push(c);
    if c == '@' {
        out.push('\u{200B}');
    }
}

/// The lines of a message as one text.
pub(crate) fn lines(message: &Notification) -> String {
    message.lines.join("\n")
}

/// The colour of a severity, or of an end, as 24 bits of red, green and blue.
pub(crate) fn colour(message: &Notification) -> u32 {
    if message.is_end() {
        return 0x2E_A0_43;
    }
    match message.severity {
        Severity::Critical => 0xD7_3A_49,
        Severity::High => 0xE3_6F_0B,
        Severity::Medium => 0xDB_AB_09,
        Severity::Low | Severity::Info => 0x5B_7D_B1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_fits_and_says_so() {
        for unit in [LengthUnit::Utf16, LengthUnit::Bytes] {
            for max in [40, 150, 256, 3000] {
                for text in ["a".repeat(9_000), "ä😀<".repeat(3_000), "_*".repeat(4_000)] {
                    for escape in [verbatim, entities, markdown] {
                        let cut = fitted(&text, max, unit, escape);
                        assert!(unit.of(&cut) <= max, "{unit:?} {max}: {}", unit.of(&cut));
                        assert!(cut.contains("cut"), "{cut}");
                    }
                }
            }
        }
        assert_eq!(fitted("short", 40, LengthUnit::Utf16, verbatim), "short");
    }

    #[test]
    fn what_would_act_is_inert() {
        assert_eq!(fitted("<!channel> & <@U1>", 99, LengthUnit::Utf16, entities), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
        assert_eq!(fitted("@all [x](y) *b*", 99, LengthUnit::Utf16, markdown), "@\u{200B}all \\[x\\]\\(y\\) \\*b\\*");
        assert_eq!(plain("a\u{202E}b\r\u{7}c\nd"), "ab  c\nd");
    }
}
