//! Lists and time travel: every list is a [`Page`], every reading route takes [`AsOf`].

use std::str::FromStr;

use hindcast_domain::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};

/// Items of a page where none was asked for.
pub const LIMIT_DEFAULT: usize = 50;
/// Items of the largest page.
pub const LIMIT_MAX: usize = 500;

/// One page of a list. It stays at the position of its first page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The items, at most `limit` of them.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one: only `A–Z a–z 0–9 - _`.
    pub next: Option<String>,
    /// The position that it shows.
    pub position: u64,
}

impl<T> Page<T> {
    /// The same page with every item turned into another.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), next: self.next, position: self.position }
    }
}

/// A place in a list: where it goes on, and the position at which it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The position of the first page.
    pub position: u64,
    /// The key behind which the next page begins; what it means is the list's business.
    pub after: String,
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Cursor {
    /// The cursor as it is handed out.
    #[must_use]
    pub fn encode(&self) -> String {
        let plain = format!("{:x}.{}", self.position, self.after);
        let mut text = String::with_capacity(plain.len() * 4 / 3 + 2);
        for chunk in plain.as_bytes().chunks(3) {
            let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for digit in 0..=chunk.len() {
                text.push(char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63]));
            }
        }
        text
    }

    /// Reads a cursor that was handed out.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn decode(text: &str) -> Result<Self, Problem> {
        let bad = || Problem::new(Code::BadCursor, format!("expected a cursor that a list gave, got {text:?}"));
        let mut bytes = Vec::with_capacity(text.len());
        for chunk in text.as_bytes().chunks(4) {
            let mut bits = 0_u32;
            for index in 0..4 {
                let digit = match chunk.get(index) {
                    Some(byte) => DIGITS.iter().position(|known| known == byte).ok_or_else(bad)?,
                    None => 0,
                };
                bits = bits << 6 | u32::try_from(digit).unwrap_or(0);
            }
            let whole = bits.to_be_bytes();
            bytes.extend(whole.into_iter().skip(1).take(chunk.len().saturating_sub(1)));
        }
        let plain = String::from_utf8(bytes).map_err(|_| bad())?;
        let (position, after) = plain.split_once('.').ok_or_else(bad)?;
        let position = u64::from_str_radix(position, 16).map_err(|_| bad())?;
        Ok(Self { position, after: after.to_owned() })
    }
}

/// As of when: what was known by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AsOf {
    /// Up to and with this position.
    Position(u64),
    /// Up to the last commit that was recorded by this time.
    Time(Time),
}

/// Positions are whole numbers that JSON readers keep exactly.
const POSITIONS: u64 = 1 << 53;

impl FromStr for AsOf {
    type Err = Problem;
    fn from_str(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let position = text.parse().ok().filter(|position| *position < POSITIONS);
            let bad = || Problem::new(Code::BadAsOf, format!("expected a position below 2^53, got {text:?}"));
            return position.map(Self::Position).ok_or_else(bad);
        }
        // A plus sign in a query that was not escaped arrives as a space.
        let time = text.replace(' ', "+").parse().map(Self::Time);
        time.map_err(|_| Problem::new(Code::BadAsOf, format!("expected a position or an RFC 3339 time, got {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written_whatever_its_length() {
        for after in ["", "a", "ab", "abc", "INC-0123456789ABCDEF/é"] {
            let cursor = Cursor { position: 4_096 * 77 + 5, after: after.to_owned() };
            let text = cursor.encode();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
            assert_eq!(Cursor::decode(&text).unwrap(), cursor);
        }
        assert!(Cursor::decode("no cursor").is_err());
    }

    #[test]
    fn as_of_is_a_position_or_a_time() {
        assert_eq!("8192".parse::<AsOf>().unwrap(), AsOf::Position(8_192));
        assert!(matches!("2026-11-20T03:12:00Z".parse::<AsOf>(), Ok(AsOf::Time(_))));
        assert_eq!("9007199254740991".parse::<AsOf>().unwrap(), AsOf::Position(POSITIONS - 1));
        for beyond in ["9007199254740992", "18446744073709551615", "18446744073709551616"] {
            assert_eq!(beyond.parse::<AsOf>().unwrap_err().code, "bad_as_of", "{beyond}");
        }
        assert_eq!("tomorrow".parse::<AsOf>().unwrap_err().status, 400);
    }
}
