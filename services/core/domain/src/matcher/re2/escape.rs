//! What stands behind a backslash: a character by its number or letter, a class of ASCII, a class of Unicode.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use super::BadPattern;

/// Perl's classes, of ASCII alone.
pub(super) const fn perl(class: char) -> &'static str {
    match class {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\f\r ]",
        'S' => r"[^\t\n\f\r ]",
        'w' => "[0-9A-Za-z_]",
        _ => "[^0-9A-Za-z_]",
    }
}

/// A Unicode class from its `p` or `P` on: `pN`, `p{Greek}`, `p{^Greek}`.
pub(super) fn unicode(rest: &mut Peekable<Chars<'_>>) -> Result<String, BadPattern> {
    let mut negative = rest.next() == Some('P');
    let mut name = String::new();
    match rest.next() {
        Some('{') => loop {
            match rest.next() {
                Some('}') => break,
                Some('^') if name.is_empty() => negative = !negative,
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                _ => return Err(BadPattern::Class(name)),
            }
        },
        Some(letter) => name.push(letter),
        None => {}
    }
    let class = format!("\\{}{{{name}}}", if negative { 'P' } else { 'p' });
    // Whether there is such a class the engine knows.
    Regex::new(&class).map_err(|_| BadPattern::Class(name))?;
    Ok(class)
}

/// The character that an escape stands for, from behind its backslash.
pub(super) fn escaped(rest: &mut Peekable<Chars<'_>>) -> Result<char, BadPattern> {
    let bad = |text: String| BadPattern::Escape(format!("\\{text}"));
    let Some(letter) = rest.next() else {
        return Err(bad(String::new()));
    };
    match letter {
        'a' => Ok('\u{7}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\u{b}'),
        'x' => hexadecimal(rest).ok_or_else(|| bad("x".to_owned())),
        '0'..='7' => {
            // One digit that is not 0 would be a back reference, which there is none of.
            let is_octal = letter == '0' || rest.peek().is_some_and(|next| ('0'..='7').contains(next));
            let mut value = letter.to_digit(8).filter(|_| is_octal).ok_or_else(|| bad(letter.to_string()))?;
            for _ in 0..2 {
                match rest.peek().and_then(|next| next.to_digit(8)) {
                    Some(digit) => {
                        value = value * 8 + digit;
                        rest.next();
                    }
                    None => break,
                }
            }
            char::from_u32(value).ok_or_else(|| bad(letter.to_string()))
        }
        sign if sign.is_ascii() && !sign.is_ascii_alphanumeric() => Ok(sign),
        other => Err(bad(other.to_string())),
    }
}

/// `41` or `{1F600}`.
fn hexadecimal(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let mut digits = String::new();
    if rest.next_if_eq(&'{').is_some() {
        loop {
            match rest.next()? {
                '}' => break,
                digit => digits.push(digit),
            }
        }
    } else {
        digits.extend([rest.next()?, rest.next()?]);
    }
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}
