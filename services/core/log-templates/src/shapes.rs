//! The shapes of values inside one word: numbers, addresses, paths, identifiers, times. Owns how a word becomes
//! words and `<*>`; refuses to know the words around it.

use crate::forms::{
    colons, digits, is_deep, is_hex, is_host, is_ip, is_mail, is_number_with_unit, is_server_error, says_status, stamp,
    time, until,
};
use crate::hosts::{is_host_name, is_source_file};
use crate::settings::TemplateSettings;
use crate::units::WILDCARD;

/// Where a masked word goes: the text for people, and the canonical form that is hashed.
pub(crate) struct ShapeWriter<'a> {
    pub text: &'a mut String,
    pub canon: &'a mut String,
    pub settings: &'a TemplateSettings,
    /// The word before says that the status of a request follows.
    pub is_status_next: bool,
}

impl ShapeWriter<'_> {
    fn literal(&mut self, text: &str) {
        self.text.push_str(text);
        self.canon.push_str(text);
    }

    fn value(&mut self) {
        self.literal(WILDCARD);
    }

    /// A value that shows its parts: how it is written does not tell lines apart.
    fn parted(&mut self, written: &str) {
        self.canon.push_str(WILDCARD);
        if !self.settings.parts {
            self.text.push_str(WILDCARD);
            return;
        }
        let mut is_open = false;
        for byte in written.bytes() {
            let parts = matches!(byte, b':' | b'-' | b'/' | b'\\' | b'@');
            if parts {
                self.text.push(char::from(byte));
            } else if !is_open {
                self.text.push_str(WILDCARD);
            }
            is_open = !parts;
        }
        if written.ends_with('%') {
            self.text.push('%');
        }
    }

    /// A name that is shown as it is until it varies.
    fn soft(&mut self, name: &str) {
        self.text.push_str(name);
        self.canon.push_str(WILDCARD);
    }
}

/// What belongs to a segment of a word; all else parts segments.
const INNER: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let byte = at as u8;
        table[at] = byte.is_ascii_alphanumeric()
            || byte >= 0x80
            || matches!(byte, b'_' | b'.' | b'/' | b'\\' | b'-' | b'@' | b'+' | b'~' | b'%' | b'$' | b'*' | b'^');
        at += 1;
    }
    table
};

/// Whether a word consists of letters, with a sign behind them perhaps, and is no value.
pub(crate) fn is_plain(word: &str, settings: &TemplateSettings) -> bool {
    let bytes = word.as_bytes();
    let letters = match bytes {
        [front @ .., b',' | b'.' | b':' | b';'] => front,
        _ => bytes,
    };
    letters.iter().all(u8::is_ascii_alphabetic) && !is_word_value(letters, settings) && !is_hex(letters, 0)
}

/// Masks one word; tells whether nothing but values and punctuation is left of it.
pub(crate) fn mask_word(word: &str, out: &mut ShapeWriter<'_>) -> bool {
    let bytes = word.as_bytes();
    let (mut at, mut values, mut words) = (0, 0_u32, 0_u32);
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && !INNER[usize::from(bytes[at])] && !is_wildcard(&bytes[at..]) {
            at += 1;
        }
        out.literal(&word[start..at]);
        let masked = masked_before(&bytes[at..]);
        if masked > 0 {
            out.text.push_str(&word[at..at + masked]);
            out.canon.push_str(WILDCARD);
            values += 1;
            at += masked;
            continue;
        }
        let start = at;
        while at < bytes.len() && INNER[usize::from(bytes[at])] {
            at += 1;
        }
        if start == at {
            break;
        }
        let (end, found) = spanning(word, start, at, out);
        at = end;
        match found {
            ShapeMatch::Value => values += 1,
            ShapeMatch::Words => words += 1,
            ShapeMatch::Both => {
                values += 1;
                words += 1;
            }
            ShapeMatch::Nothing => {}
        }
    }
    values > 0 && words == 0
}

fn is_wildcard(bytes: &[u8]) -> bool {
    matches!(bytes, [b'<', b'*', b'>', ..])
}

/// What was masked before, in a template's own text: a value, with its parts.
fn masked_before(bytes: &[u8]) -> usize {
    let mut len = 0;
    while is_wildcard(&bytes[len..]) {
        len += WILDCARD.len();
        match bytes.get(len) {
            Some(b':' | b'-' | b'/' | b'\\' | b'@') if is_wildcard(&bytes[len + 1..]) => len += 1,
            Some(b'%') => return len + 1,
            _ => break,
        }
    }
    len
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ShapeMatch {
    Nothing,
    Value,
    Words,
    Both,
}

/// Shapes that go on behind the segment's end (URL, drive, time, host and port), else the segment itself.
fn spanning(word: &str, start: usize, end: usize, out: &mut ShapeWriter<'_>) -> (usize, ShapeMatch) {
    let bytes = word.as_bytes();
    if bytes.get(end) == Some(&b':') {
        if matches!(bytes[end..], [_, b'/', b'/', ..])
            || (end - start == 1 && matches!(bytes.get(end + 1), Some(b'\\')))
        {
            out.value();
            return (end + until(&bytes[end..], b"\"'<>)]},;|"), ShapeMatch::Value);
        }
        if let Some(len) = stamp(bytes, start, end) {
            out.value();
            return (len, ShapeMatch::Value);
        }
        if let Some(len) = time(&bytes[start..]) {
            out.parted(&word[start..start + len]);
            return (start + len, ShapeMatch::Value);
        }
        if let Some(len) = colons(&bytes[start..]) {
            out.value();
            return (start + len, ShapeMatch::Value);
        }
        let port = digits(&bytes[end + 1..]);
        let closed = bytes.get(end + 1 + port).is_none_or(|next| !INNER[usize::from(*next)] || *next == b'.');
        if (1..=5).contains(&port) && closed {
            let host = &bytes[start..end];
            if is_ip(host) {
                let is_twofold = host[1..].contains(&b'/') && !host.iter().any(u8::is_ascii_alphabetic);
                out.text.push_str(if is_twofold { "<*>/<*>:<*>" } else { "<*>:<*>" });
                out.canon.push_str(WILDCARD);
                return (end + 1 + port, ShapeMatch::Value);
            }
            if is_source_file(host) {
                out.literal(&word[start..=end]);
                out.value();
                return (end + 1 + port, ShapeMatch::Both);
            }
            if is_host(host) {
                out.value();
                return (end + 1 + port, ShapeMatch::Value);
            }
        }
    }
    if bytes.get(end) == Some(&b'?') && matches!(bytes[start..end], [b'/', ..]) && bytes.get(end + 1) != Some(&b' ') {
        out.value();
        return (end + until(&bytes[end..], b"\"'<>)]},;|"), ShapeMatch::Value);
    }
    if is_server_error(&bytes[start..end]) {
        let before = &word[..start];
        if says_status(before) || (out.is_status_next && !before.bytes().any(|byte| byte.is_ascii_alphanumeric())) {
            out.literal(&word[start..end]);
            return (end, ShapeMatch::Words);
        }
    }
    let is_closed = start > 0 && b")]}>".contains(&bytes[start - 1]);
    (end, mask_segment(&word[start..end], is_closed, out))
}

/// Masks what lies between two delimiters. Behind a bracket that `is_closed`, a `-` is no sign of a number.
fn mask_segment(segment: &str, is_closed: bool, out: &mut ShapeWriter<'_>) -> ShapeMatch {
    let leading = segment.bytes().take_while(|byte| *byte == b'.').count();
    let dash = usize::from(is_closed && segment.starts_with('-'));
    let (lead, segment) = segment.split_at(if leading > 1 { leading } else { dash });
    out.literal(lead);
    let core = segment.trim_end_matches(['.', '/', '-', '+']);
    let core = if core.is_empty() || segment.starts_with('/') { segment.trim_end_matches('.') } else { core };
    let found = mask_core(core, out);
    out.literal(&segment[core.len()..]);
    found
}

fn mask_core(core: &str, out: &mut ShapeWriter<'_>) -> ShapeMatch {
    let bytes = core.as_bytes();
    let mut count = 0;
    let mut letter = false;
    for byte in bytes {
        count += usize::from(byte.is_ascii_digit());
        letter |= byte.is_ascii_alphabetic() || *byte >= 0x80;
    }
    if count == 0 && !letter {
        out.literal(core);
        return ShapeMatch::Nothing;
    }
    if !letter {
        // Digits and signs.
        let number = core.trim_end_matches(['-', '/', '\\', '@']);
        if core.starts_with(['/', '\\', '@']) {
            out.value();
        } else {
            out.parted(number.trim_start_matches(['-', '+']));
        }
        out.literal(&core[number.len()..]);
        return ShapeMatch::Value;
    }
    if is_whole_value(bytes, count, out.settings) {
        out.value();
        return ShapeMatch::Value;
    }
    if count == 0 {
        out.literal(core);
        return ShapeMatch::Words;
    }
    mask_parts(core, out)
}

/// Shapes with letters of which nothing is worth keeping.
fn is_whole_value(bytes: &[u8], count: usize, settings: &TemplateSettings) -> bool {
    match bytes {
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() && rest.iter().all(u8::is_ascii_hexdigit) => return true,
        [b'/', next, ..] if next.is_ascii_alphanumeric() || b"._-~".contains(next) => return true,
        _ => {}
    }
    if is_mail(bytes) || is_deep(bytes, settings) || (settings.hosts && is_host_name(bytes)) {
        return true;
    }
    if count == 0 {
        return is_word_value(bytes, settings) || is_hex(bytes, count);
    }
    is_number_with_unit(bytes) || is_hex(bytes, count)
}

/// `true` and `false`, what says that there is no value, and names of accounts. That these are values is the rule of
/// Khan et al., Guidelines for Assessing the Accuracy of Log Message Template Identification Techniques (ICSE 2022).
fn is_word_value(bytes: &[u8], settings: &TemplateSettings) -> bool {
    let is = |word: &str| bytes.eq_ignore_ascii_case(word.as_bytes());
    match bytes.len() {
        3 => is("nil") || is("nan") || is("n/a"),
        4 => is("true") || is("null") || (settings.accounts && is("root")),
        5 => is("false") || (settings.accounts && is("admin")),
        _ => false,
    }
}

/// Masks the parts of a name that hold numbers: `core.2275`, `node-129`, `rdd_2_0`, `eth0`.
fn mask_parts(core: &str, out: &mut ShapeWriter<'_>) -> ShapeMatch {
    let bytes = core.as_bytes();
    let (mut at, mut words, mut values) = (0, false, false);
    // Where text and canonical form ended behind a value and the signs that parts may have between them.
    let mut behind: Option<(usize, usize)> = None;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && part_ends(bytes, at) {
            at += 1;
        }
        let part = &core[start..at];
        match value_part(part.as_bytes(), out.settings) {
            _ if part.is_empty() => {}
            PartLooks::Value => {
                values = true;
                match behind.take() {
                    // The canonical form of values in a row is one value, so that `1-2` and `1` are alike.
                    Some((text, canon)) => {
                        out.canon.truncate(canon);
                        if out.settings.parts && !out.text.ends_with('.') {
                            out.text.push_str(WILDCARD);
                        } else {
                            out.text.truncate(text);
                        }
                    }
                    None => out.value(),
                }
                behind = Some((out.text.len(), out.canon.len()));
            }
            PartLooks::Soft => {
                (values, words, behind) = (true, true, None);
                out.soft(part);
            }
            PartLooks::Word => {
                (words, behind) = (true, None);
                out.literal(part);
            }
        }
        let sign = at;
        while at < bytes.len() && !part_ends(bytes, at) {
            at += 1;
        }
        out.literal(&core[sign..at]);
        if at - sign > 1 {
            behind = None;
        }
    }
    match (values, words) {
        (true, true) => ShapeMatch::Both,
        (true, false) => ShapeMatch::Value,
        _ => ShapeMatch::Words,
    }
}

/// Letters, digits and `_` make a part; so does a sign behind `_`, as in `blk_-42`.
fn part_ends(bytes: &[u8], at: usize) -> bool {
    let byte = bytes[at];
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 || (byte == b'-' && at > 0 && bytes[at - 1] == b'_')
}

/// What a part of a name looks like.
enum PartLooks {
    Word,
    /// A name with few digits, which may well be a constant's.
    Soft,
    Value,
}

/// Surely a value is a number, what begins with one, has three digits or two numbers, holds a number as a piece
/// (`rdd_2_0`), or is a version (`v3`).
fn value_part(part: &[u8], settings: &TemplateSettings) -> PartLooks {
    let count = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return PartLooks::Word;
    }
    let last = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let runs = part.split(|byte| !byte.is_ascii_digit()).filter(|run| !run.is_empty()).count();
    let is_piece = |piece: &[u8]| !piece.is_empty() && digits(piece) == piece.len();
    if count == part.len()
        || count >= 3
        || runs >= 2
        || matches!(part, [b'v' | b'V', rest @ ..] if is_piece(rest))
        || (settings.digit_first && part[0].is_ascii_digit())
        || part.split(|byte| *byte == b'_' || *byte == b'-').any(is_piece)
    {
        return PartLooks::Value;
    }
    let is_numbered =
        last >= 2 || matches!(part, [letter, rest @ ..] if letter.is_ascii_uppercase() && digits(rest) == rest.len());
    match settings.soft {
        0 if is_numbered => PartLooks::Value,
        1 if is_numbered => PartLooks::Soft,
        2.. => PartLooks::Soft,
        _ => PartLooks::Word,
    }
}
