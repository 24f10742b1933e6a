//! From a log line to tokens in which what is obviously a value is masked. Owns the shapes of values
//! (numbers, addresses, paths, identifiers, times, quantities with their unit); refuses to know other lines:
//! whether a *word* varies is the miner's business.
//!
//! One pass over the bytes, no regular expressions, no allocation once the buffers have grown.

use crate::shapes::{ShapeWriter, digits, mask_word, time};
use crate::units::{WILDCARD, unit};

/// Bytes of a line that are looked at.
pub const LINE_BYTES_MAX: usize = 4_096;
/// Tokens of a line that are told apart; what follows is one value.
pub const TOKENS_MAX: usize = 128;
/// A word, or a number with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaskToken {
    /// A hash of the canonical form: equal for words that differ in values only.
    pub sig: u64,
    text: (u32, u32),
    /// Nothing but values and punctuation.
    pub value: bool,
}

/// A masked line; reused from line to line.
#[derive(Debug, Default)]
pub(crate) struct Masked {
    text: String,
    canon: String,
    tokens: Vec<MaskToken>,
    /// The line was longer, in bytes or tokens, than what was looked at.
    pub cut: bool,
}

impl Masked {
    /// Masks a line in place of the one before.
    pub fn read(&mut self, line: &str) {
        self.text.clear();
        self.canon.clear();
        self.tokens.clear();
        let (line, cut) = within(line, LINE_BYTES_MAX);
        self.cut = cut;
        let mut words = line.split_ascii_whitespace().peekable();
        while let Some(word) = words.next() {
            if self.tokens.len() + 1 >= TOKENS_MAX && words.peek().is_some() {
                self.push_rest();
                return;
            }
            let start = (self.text.len(), self.canon.len());
            if is_calendar(word) && self.join_date(start, word, &mut words) {
                continue;
            }
            let mut writer = ShapeWriter { text: &mut self.text, canon: &mut self.canon };
            let mut value = mask_word(word, &mut writer);
            if value && bare(&self.canon[start.1..]) {
                value = self.join_unit(start, &mut words);
            }
            self.push(start, value);
        }
    }

    /// Joins a number with the unit that follows it, and with the same quantity said again in parentheses:
    /// `5.2 KB,` and `1165 bytes (1.13 KB)` are one value, as `00:01` or `7` is.
    fn join_unit(
        &mut self,
        start: (usize, usize),
        words: &mut std::iter::Peekable<std::str::SplitAsciiWhitespace<'_>>,
    ) -> bool {
        let Some((unit, trail)) = words.peek().and_then(|next| unit(next)) else {
            return true;
        };
        words.next();
        self.text.push(' ');
        self.text.push_str(unit);
        self.text.push_str(trail);
        self.canon.truncate(start.1);
        self.canon.push_str(WILDCARD);
        if !trail.is_empty() {
            self.canon.push_str(trail);
            return true;
        }
        let mut ahead = words.clone();
        if let (Some(number), Some(again)) = (ahead.next(), ahead.next())
            && let Some(inner) = number.strip_prefix('(')
            && inner.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
            && let Some((unit, trail)) = crate::units::unit(again)
            && let Some(trail) = trail.strip_prefix(')')
        {
            words.next();
            words.next();
            self.text.push_str(" (<*> ");
            self.text.push_str(unit);
            self.text.push(')');
            self.text.push_str(trail);
            self.canon.push_str(trail);
        }
        true
    }

    /// Joins a date in words: `Fri Jul 15 20:10:10 PDT 2005`, `Jul 15, 2005`, `Jul 15 20:10:10`.
    fn join_date(
        &mut self,
        start: (usize, usize),
        word: &str,
        words: &mut std::iter::Peekable<std::str::SplitAsciiWhitespace<'_>>,
    ) -> bool {
        let mut ahead = words.clone();
        let mut taken = 0;
        let named = |word: &str| MONTHS.contains(&word);
        let first = if named(word) { Some(word) } else { ahead.next().inspect(|_| taken += 1) };
        let day = ahead.next().map(|day| day.trim_end_matches(','));
        let is_date = first.is_some_and(named)
            && day.is_some_and(|day| (1..=2).contains(&day.len()) && digits(day.as_bytes()) == day.len());
        if !is_date {
            return false;
        }
        taken += 1;
        let mut trail = "";
        for next in ahead {
            let core = next.trim_end_matches([',', ')', ']', ';', '.']);
            let clock = core.as_bytes();
            let year = clock.len() == 4 && digits(clock) == 4;
            let zone = (3..=4).contains(&clock.len()) && clock.iter().all(u8::is_ascii_uppercase);
            if !(year || zone || time(clock).is_some_and(|len| len == clock.len())) {
                break;
            }
            taken += 1;
            trail = &next[core.len()..];
            if year || !trail.is_empty() {
                break;
            }
        }
        for _ in 0..taken {
            words.next();
        }
        for buffer in [&mut self.text, &mut self.canon] {
            buffer.push_str(WILDCARD);
            buffer.push_str(trail);
        }
        self.push(start, true);
        true
    }

    fn push(&mut self, start: (usize, usize), value: bool) {
        let sig = hash(self.canon.as_bytes().get(start.1..).unwrap_or_default());
        #[allow(clippy::cast_possible_truncation)] // a masked line is at most a few times LINE_BYTES_MAX
        self.tokens.push(MaskToken { sig, text: (start.0 as u32, self.text.len() as u32), value });
    }

    fn push_rest(&mut self) {
        self.cut = true;
        let start = (self.text.len(), self.canon.len());
        self.text.push_str(WILDCARD);
        self.canon.push_str(WILDCARD);
        self.push(start, true);
    }

    /// The tokens, in order.
    pub fn tokens(&self) -> &[MaskToken] {
        &self.tokens
    }

    /// A token's text, with `<*>` for what is certainly a value.
    pub fn text(&self, token: &MaskToken) -> &str {
        self.text.get(token.text.0 as usize..token.text.1 as usize).unwrap_or_default()
    }

    /// A hash over all tokens: equal for lines that differ in values only.
    pub fn signature(&self) -> u64 {
        self.tokens.iter().fold(SEED, |hash, token| mix(hash, token.sig))
    }
}

/// The longest beginning of at most `bytes_max` bytes that ends between characters, and whether it is less.
pub(crate) fn within(line: &str, bytes_max: usize) -> (&str, bool) {
    let end = line.floor_char_boundary(bytes_max);
    (&line[..end], end < line.len())
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Folds a word into a hash: multiply and rotate. Stable for ever, since snapshots keep it.
const fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0xf135_7aea_2e62_a9c5).rotate_left(26)
}

/// A hash of bytes that no sender can be asked to avoid: a collision only joins two templates.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let mut hash = mix(SEED, bytes.len() as u64);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = mix(hash, u64::from_le_bytes(word));
    }
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(chunks.remainder()) {
        *to = *from;
    }
    mix(hash, u64::from_le_bytes(word))
}

/// Whether a canonical word is one value without punctuation behind it, so that a unit may follow.
fn bare(canon: &str) -> bool {
    canon.trim_start_matches(['<', '>', '~', '=']).strip_prefix("*>").is_some_and(str::is_empty)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 14] =
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"];

/// Whether a word may begin a date.
fn is_calendar(word: &str) -> bool {
    (3..=4).contains(&word.len())
        && word.as_bytes()[0].is_ascii_uppercase()
        && (MONTHS.contains(&word) || DAYS.contains(&word))
}

#[cfg(test)]
mod tests;
