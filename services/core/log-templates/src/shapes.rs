//! The shapes of values inside one word: numbers, addresses, paths, identifiers, times. Owns how a word becomes
//! words and `<*>`; refuses to know the words around it.

use crate::units::{WILDCARD, unit};

/// Where a masked word goes: the text for people, and the canonical form that is hashed.
pub(crate) struct ShapeWriter<'a> {
    pub text: &'a mut String,
    pub canon: &'a mut String,
}

impl ShapeWriter<'_> {
    fn literal(&mut self, text: &str) {
        self.text.push_str(text);
        self.canon.push_str(text);
    }

    fn value(&mut self) {
        self.literal(WILDCARD);
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

/// Masks one word; tells whether nothing but values and punctuation is left of it.
pub(crate) fn mask_word(word: &str, out: &mut ShapeWriter<'_>) -> bool {
    let bytes = word.as_bytes();
    let (mut at, mut values, mut words) = (0, 0_u32, 0_u32);
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && !INNER[usize::from(bytes[at])] {
            at += 1;
        }
        out.literal(&word[start..at]);
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
        if bytes[end..].starts_with(b"://") || (end - start == 1 && matches!(bytes.get(end + 1), Some(b'\\'))) {
            out.value();
            return (end + until(&bytes[end..], b"\"'<>)]},;|"), ShapeMatch::Value);
        }
        if let Some(len) = stamp(bytes, start, end) {
            out.value();
            return (len, ShapeMatch::Value);
        }
        if let Some(len) = time(&bytes[start..]).or_else(|| colons(&bytes[start..])) {
            out.value();
            return (start + len, ShapeMatch::Value);
        }
        let port = digits(&bytes[end + 1..]);
        let closed = bytes.get(end + 1 + port).is_none_or(|next| !INNER[usize::from(*next)] || *next == b'.');
        if (1..=5).contains(&port) && closed {
            let host = &bytes[start..end];
            if is_ip(host) {
                out.text.push_str("<*>:<*>");
                out.canon.push_str(WILDCARD);
                return (end + 1 + port, ShapeMatch::Value);
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
    (end, mask_segment(&word[start..end], out))
}

/// A time stamp such as `2026-11-20T03:12:00.123+01:00`: where it ends.
fn stamp(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let (date, hour) = {
        let segment = &bytes[start..end];
        let at = segment.iter().rposition(|byte| *byte == b'T')?;
        (&segment[..at], &segment[at + 1..])
    };
    let dated = date.len() >= 8 && date.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    if !dated || digits(hour) != hour.len() {
        return None;
    }
    let mut at = end - hour.len();
    at += time(&bytes[at..])?;
    if matches!(bytes.get(at), Some(b'+' | b'-')) {
        let zone = digits(&bytes[at + 1..]);
        at += 1 + zone;
        if bytes.get(at) == Some(&b':') {
            at += 1 + digits(&bytes[at + 1..]);
        }
    }
    Some(at)
}

pub(crate) fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn until(bytes: &[u8], stops: &[u8]) -> usize {
    bytes.iter().position(|byte| stops.contains(byte)).unwrap_or(bytes.len())
}

/// An IPv6 or hardware address: how long it is. At least three colons between hexadecimal groups.
fn colons(bytes: &[u8]) -> Option<usize> {
    let (mut groups, mut len, mut digit) = (0, 0, false);
    loop {
        let rest = &bytes[len..];
        let hex = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if hex > 4 {
            return None;
        }
        digit |= rest[..hex].iter().any(u8::is_ascii_digit);
        if rest.get(hex).is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        len += hex;
        match rest.get(hex) {
            Some(b':') if rest.get(hex + 1).is_some() || groups > 2 => {
                groups += 1;
                len += 1;
            }
            _ => break,
        }
    }
    let trailing = bytes[..len].last() == Some(&b':') && !bytes[..len].ends_with(b"::");
    let len = if trailing { len - 1 } else { len };
    (groups >= 4 && digit && len > 0).then_some(len)
}

/// A time of day, `2:03` to `02:03:04.567`: how long it is.
pub(crate) fn time(bytes: &[u8]) -> Option<usize> {
    let hour = digits(bytes);
    let minute = digits(bytes.get(hour + 1..)?);
    if !(1..=2).contains(&hour) || minute != 2 || bytes.get(hour) != Some(&b':') {
        return None;
    }
    let mut len = hour + 1 + minute;
    if bytes.get(len) == Some(&b':') && digits(&bytes[len + 1..]) == 2 {
        len += 3;
    }
    if matches!(bytes.get(len), Some(b'.' | b',')) {
        let fraction = digits(&bytes[len + 1..]);
        len += if fraction > 0 { fraction + 1 } else { 0 };
    }
    if bytes.get(len) == Some(&b'Z') {
        len += 1;
    }
    bytes.get(len).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b':').then_some(len)
}

/// `10.0.0.1`, `/10.0.0.1`, `name/10.0.0.1`.
fn is_ip(segment: &[u8]) -> bool {
    let from = segment.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let mut parts = 0;
    for part in segment[from..].split(|byte| *byte == b'.') {
        if part.is_empty() || part.len() > 3 || digits(part) != part.len() {
            return false;
        }
        parts += 1;
    }
    parts == 4
}

/// A name with dots, or `localhost`: what a port may follow.
fn is_host(segment: &[u8]) -> bool {
    let named = segment.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte));
    let dotted = segment.contains(&b'.') && segment.iter().any(u8::is_ascii_alphabetic);
    named && (dotted || segment == b"localhost")
}

/// Masks what lies between two delimiters.
fn mask_segment(segment: &str, out: &mut ShapeWriter<'_>) -> ShapeMatch {
    let core = segment.trim_end_matches(['.', '/']);
    let core = if core.is_empty() || segment.as_bytes()[0] == b'/' { segment.trim_end_matches('.') } else { core };
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
    if is_whole_value(bytes, count, letter) {
        out.value();
        return ShapeMatch::Value;
    }
    if count == 0 {
        out.literal(core);
        return ShapeMatch::Words;
    }
    mask_parts(core, out)
}

/// Shapes of which nothing is worth keeping.
fn is_whole_value(bytes: &[u8], count: usize, letter: bool) -> bool {
    if !letter {
        return true; // digits and signs
    }
    match bytes {
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() && rest.iter().all(u8::is_ascii_hexdigit) => return true,
        [b'/', next, ..] if next.is_ascii_alphanumeric() || b"._-~".contains(next) => return true,
        _ => {}
    }
    if count == 0 {
        return is_word_value(bytes) || is_deep(bytes);
    }
    is_number_with_unit(bytes)
        || is_deep(bytes)
        || is_hex(bytes, count)
        || bytes.iter().position(|byte| *byte == b'@').is_some_and(|at| at > 0 && at + 1 < bytes.len())
}

/// `true`, `false`, `null` are values; so is `name@host.tld`.
fn is_word_value(bytes: &[u8]) -> bool {
    match bytes.len() {
        4 => bytes.eq_ignore_ascii_case(b"true") || bytes.eq_ignore_ascii_case(b"null"),
        5 => bytes.eq_ignore_ascii_case(b"false"),
        _ => {
            let at = bytes.iter().position(|byte| *byte == b'@');
            at.is_some_and(|at| at > 0 && bytes[at..].contains(&b'.'))
        }
    }
}

/// A relative path of at least three steps.
fn is_deep(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| **byte == b'/' || **byte == b'\\').count() >= 2
}

/// `10ms`, `5.2KB`, `1.5e9`, `30s`, `4x`.
fn is_number_with_unit(bytes: &[u8]) -> bool {
    let signs = bytes.iter().take_while(|byte| b"+-".contains(byte)).count();
    let number = bytes[signs..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let rest = &bytes[signs + number..];
    let starts = bytes.get(signs).is_some_and(u8::is_ascii_digit);
    starts && !rest.is_empty() && rest.len() <= 4 && {
        let text = std::str::from_utf8(rest).unwrap_or_default();
        unit(text).is_some_and(|(_, trail)| trail.is_empty())
            || matches!(rest, [b's' | b'h' | b'd' | b'm' | b'k' | b'x' | b'L' | b'K' | b'M' | b'G' | b'T'])
            || matches!(rest, [b'e' | b'E', ..] if rest[1..].iter().all(|b| b.is_ascii_digit() || b"+-".contains(b)))
    }
}

/// A number in hexadecimal, a hash, a UUID: groups of hexadecimal digits, at least six in all.
fn is_hex(bytes: &[u8], count: usize) -> bool {
    let hex = bytes.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    hex >= 6 && count >= 2 && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// Masks the parts of a name that hold numbers: `core.2275`, `node-129`, `rdd_2_0`, `eth0`.
fn mask_parts(core: &str, out: &mut ShapeWriter<'_>) -> ShapeMatch {
    let bytes = core.as_bytes();
    let (mut at, mut words, mut values) = (0, false, false);
    let mut joined = None;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && part_ends(bytes, at) {
            at += 1;
        }
        let part = &core[start..at];
        if !part.is_empty() {
            if is_value_part(part.as_bytes()) {
                values = true;
                match joined {
                    // `<*>-<*>` is one value.
                    Some((text, canon)) => {
                        out.text.truncate(text);
                        out.canon.truncate(canon);
                    }
                    None => out.value(),
                }
                joined = Some((out.text.len(), out.canon.len()));
            } else {
                words = true;
                joined = None;
                out.literal(part);
            }
        }
        let sign = at;
        while at < bytes.len() && !part_ends(bytes, at) {
            at += 1;
        }
        out.literal(&core[sign..at]);
        if at - sign > 1 {
            joined = None;
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

/// Whether a part with digits is surely a value: a number, one that ends in two digits or has three, one of
/// whose pieces is a number (`rdd_2_0`), or one letter with a number (`U11`).
fn is_value_part(part: &[u8]) -> bool {
    let count = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return false;
    }
    let last = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    count == part.len()
        || count >= 3
        || last >= 2
        || part
            .split(|byte| *byte == b'_' || *byte == b'-')
            .any(|piece| !piece.is_empty() && digits(piece) == piece.len())
        || matches!(part, [letter, rest @ ..] if letter.is_ascii_uppercase() && digits(rest) == rest.len())
}
