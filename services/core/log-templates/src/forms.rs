//! What can be told of bytes by their form alone: times, addresses, numbers with units, hashes, statuses. Owns each
//! form; refuses to know what becomes of them.

use crate::settings::TemplateSettings;
use crate::units::unit;

/// A time stamp such as `2026-11-20T03:12:00.123+01:00`: where it ends.
pub(crate) fn stamp(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
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

pub(crate) fn until(bytes: &[u8], stops: &[u8]) -> usize {
    bytes.iter().position(|byte| stops.contains(byte)).unwrap_or(bytes.len())
}

/// An IPv6 or hardware address: how long it is. At least three colons between hexadecimal groups.
pub(crate) fn colons(bytes: &[u8]) -> Option<usize> {
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
pub(crate) fn is_ip(segment: &[u8]) -> bool {
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
pub(crate) fn is_host(segment: &[u8]) -> bool {
    let named = segment.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte));
    let dotted = segment.contains(&b'.') && segment.iter().any(u8::is_ascii_alphabetic);
    named && (dotted || segment == b"localhost")
}

/// Whether this is the status of a request that its server could not serve; RFC 9110, section 15.6.
pub(crate) fn is_server_error(bytes: &[u8]) -> bool {
    matches!(bytes, [b'5', b'0', b'0'..=b'5'])
}

/// Whether a status is what comes behind this: a key that says so, as `status=` and `"code":`, or a request's line in an
/// access log. In prose a status is a value like others.
pub(crate) fn says_status(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'']);
    if before.rsplit('"').next().is_some_and(|version| version.starts_with("HTTP/")) {
        return true;
    }
    before.ends_with(['=', ':']) && key_ends(before, &["status", "code"])
}

/// Whether a key before a value says that this is a state, which tells lines apart: `state=`, `"result":"`.
pub(crate) fn says_state(before: &str) -> bool {
    before.ends_with(['=', ':', '"', '\''])
        && key_ends(before, &["status", "state", "level", "result", "outcome", "severity", "phase"])
}

/// Whether the name of a key ends with one of these words.
fn key_ends(before: &str, words: &[&str]) -> bool {
    let key = before.trim_end_matches(['=', ':', '"', '\'']);
    let name = key.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    words.iter().any(|word| name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word))
}

/// `name@host.tld`.
pub(crate) fn is_mail(bytes: &[u8]) -> bool {
    let at = bytes.iter().position(|byte| *byte == b'@');
    at.is_some_and(|at| at > 0 && bytes[at..].contains(&b'.'))
}

/// A relative path of at least three steps.
pub(crate) fn is_deep(bytes: &[u8], settings: &TemplateSettings) -> bool {
    let steps = bytes.iter().filter(|byte| **byte == b'/' || **byte == b'\\').count();
    steps >= 2 && !(settings.wordy_paths && bytes.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'/'))
}

/// `10ms`, `5.2KB`, `1.5e9`, `30s`, `4x`.
pub(crate) fn is_number_with_unit(bytes: &[u8]) -> bool {
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
pub(crate) fn is_hex(bytes: &[u8], count: usize) -> bool {
    if !bytes.iter().take(2).all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') {
        return false;
    }
    let hex = bytes.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    hex >= 6 && (count >= 2 || hex >= 8) && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}
