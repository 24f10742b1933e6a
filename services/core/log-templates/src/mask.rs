//! From a log line to tokens in which what is obviously a value is masked. Owns the shapes of values
//! (numbers, addresses, paths, identifiers, times, quantities with their unit); refuses to know other lines:
//! whether a *word* varies is the miner's business.
//!
//! One pass over the bytes, no regular expressions, no allocation once the buffers have grown.

use crate::forms::{digits, says_status, time};
use crate::settings::TemplateSettings;
use crate::shapes::{ShapeWriter, is_plain, mask_word};
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
    /// Values that stand in a row here; none where there is something else.
    values: u16,
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
    pub fn read(&mut self, line: &str, settings: &TemplateSettings) {
        self.text.clear();
        self.canon.clear();
        self.tokens.clear();
        let (line, cut) = within(line, LINE_BYTES_MAX);
        self.cut = cut;
        let mut words = line.split_ascii_whitespace().peekable();
        let mut last = "";
        while let Some(word) = words.next() {
            if self.tokens.len() + 1 >= TOKENS_MAX && words.peek().is_some() {
                self.push_rest();
                return;
            }
            if !self.tokens.is_empty() {
                self.text.push(' ');
            }
            let start = (self.text.len(), self.canon.len());
            let before = std::mem::replace(&mut last, word);
            if is_plain(word, settings) && !is_calendar(word) {
                self.text.push_str(word);
                self.push_token(start.0, hash(word.as_bytes()), 0);
                continue;
            }
            if is_calendar(word) && self.join_date(start, word, &mut words, settings) {
                continue;
            }
            let is_status_next = word.contains("50") && says_status(before);
            let (text, canon) = (&mut self.text, &mut self.canon);
            let mut value = mask_word(word, &mut ShapeWriter { text, canon, settings, is_status_next });
            if value && bare(&self.canon[start.1..]) {
                value = self.join_unit(start, &mut words);
            } else if settings.quoted > 0 && opens_quote(word) {
                last = self.join_quoted(&mut words, settings).unwrap_or(word);
                value = false;
            }
            self.push(start, value, settings);
        }
    }

    /// Joins the words up to the quotation mark that closes what the word before opened, if it does so soon.
    /// The last of them.
    fn join_quoted<'a>(
        &mut self,
        words: &mut std::iter::Peekable<std::str::SplitAsciiWhitespace<'a>>,
        settings: &TemplateSettings,
    ) -> Option<&'a str> {
        let mut last = None;
        let closing = words.clone().take(settings.quoted).position(opens_quote);
        for word in words.take(closing.map_or(0, |closing| closing + 1)) {
            self.text.push(' ');
            self.canon.push(' ');
            let (text, canon) = (&mut self.text, &mut self.canon);
            mask_word(word, &mut ShapeWriter { text, canon, settings, is_status_next: false });
            last = Some(word);
        }
        last
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
        settings: &TemplateSettings,
    ) -> bool {
        let mut ahead = words.clone();
        let mut taken = 0;
        let first = if is_month(word) { Some(word) } else { ahead.next().inspect(|_| taken += 1) };
        let day = ahead.next().map(|day| day.trim_end_matches(','));
        let is_date = first.is_some_and(is_month)
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
        self.push(start, true, settings);
        true
    }

    /// Takes in a word that was written from `start` on. A value that follows a value is of one list with it: how many
    /// there are does not tell lines apart.
    fn push(&mut self, start: (usize, usize), value: bool, settings: &TemplateSettings) {
        let canon = self.canon.as_bytes().get(start.1..).unwrap_or_default();
        let sig = hash(canon);
        let trail = if value { canon.strip_prefix(WILDCARD.as_bytes()) } else { None };
        let values = u16::from(matches!(trail, Some(b"" | b"," | b";")));
        #[allow(clippy::cast_possible_truncation)] // a masked line is at most a few times LINE_BYTES_MAX
        match self.tokens.last_mut() {
            Some(last) if values > 0 && last.values > 0 && settings.list > 0 => {
                last.values += 1;
                last.sig = sig;
                if usize::from(last.values) > settings.list {
                    let trail = trail.is_some_and(|trail| !trail.is_empty());
                    self.text.truncate(last.text.0 as usize);
                    self.text.push_str(WILDCARD);
                    self.text.push_str(if trail { "," } else { "" });
                }
                last.text.1 = self.text.len() as u32;
            }
            _ => self.push_token(start.0, sig, values),
        }
    }

    /// Takes in a word whose text was written from `start` on.
    fn push_token(&mut self, start: usize, sig: u64, values: u16) {
        #[allow(clippy::cast_possible_truncation)] // a masked line is at most a few times LINE_BYTES_MAX
        let text = (start as u32, self.text.len() as u32);
        self.tokens.push(MaskToken { sig, text, values });
    }

    fn push_rest(&mut self) {
        self.cut = true;
        if !self.tokens.is_empty() {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.text.push_str(WILDCARD);
        self.push_token(start, hash(WILDCARD.as_bytes()), 0);
    }

    /// The tokens, in order.
    pub fn tokens(&self) -> &[MaskToken] {
        &self.tokens
    }

    /// A token's text, with `<*>` for what is certainly a value.
    pub fn text(&self, token: &MaskToken) -> &str {
        self.text.get(token.text.0 as usize..token.text.1 as usize).unwrap_or_default()
    }

    /// A hash over what is shown: equal for lines that need not be compared.
    pub fn shown(&self) -> u64 {
        hash(self.text.as_bytes())
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

/// Whether a word leaves a quotation open, or closes one that was.
fn opens_quote(word: &str) -> bool {
    word.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

/// Whether a canonical word is one value without punctuation behind it, so that a unit may follow.
fn bare(canon: &str) -> bool {
    canon.trim_start_matches(['<', '>', '~', '=']).strip_prefix("*>").is_some_and(str::is_empty)
}

/// Whether a word is a month's short name.
fn is_month(word: &str) -> bool {
    matches!(
        word.as_bytes(),
        b"Jan" | b"Feb" | b"Mar" | b"Apr" | b"May" | b"Jun" | b"Jul" | b"Aug" | b"Sep" | b"Oct" | b"Nov" | b"Dec"
    )
}

/// Whether a word may begin a date: a month, or a day of the week.
fn is_calendar(word: &str) -> bool {
    let day = word.as_bytes().strip_suffix(b",").unwrap_or(word.as_bytes());
    day.len() == 3
        && day[0].is_ascii_uppercase()
        && (is_month(word) || matches!(day, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun"))
}

#[cfg(test)]
mod tests;
