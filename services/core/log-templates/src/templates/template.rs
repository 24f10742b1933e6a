//! One template and its words: what a line must be to be its, and what it shows.

use hindcast_domain::id;
use serde::{Deserialize, Serialize};

use crate::mask::{MaskToken, Masked};
use crate::settings::TemplateSettings;
use crate::units::WILDCARD;

/// Words in which two templates may differ and become one.
const DIFFERING_MAX: u32 = 2;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MinedTemplate {
    pub(super) id: String,
    pub(super) version: u32,
    pub(super) lines: u64,
    pub(crate) words: Vec<TemplateWord>,
    /// The template that it became a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) into: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TemplateWord {
    /// The signature of what was there first.
    pub(crate) sig: u64,
    pub(crate) text: String,
    /// Bytes before and behind the `<*>` that any word fits which begins and ends so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) open: Option<(u16, u16)>,
}

impl MinedTemplate {
    pub(super) fn first(service: &str, line: &Masked) -> Self {
        let words: Vec<TemplateWord> = line.tokens().iter().map(|token| TemplateWord::new(token, line)).collect();
        let mut template = Self { id: String::new(), version: 1, lines: 1, words, into: None };
        template.id = format!("TPL-{}", id::derive(&[service.as_bytes(), template.text().as_bytes()]));
        template
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for word in &self.words {
            if !text.is_empty() {
                text.push(' ');
            }
            show(&word.text, &mut text);
        }
        text
    }

    /// Masks its words by the rules in use. What a snapshot by other rules holds is then found by new lines too.
    pub(super) fn mask_anew(&mut self, masked: &mut Masked, settings: &TemplateSettings) {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        masked.read(&words.join(" "), settings);
        if masked.tokens().len() == self.words.len() {
            for (word, token) in self.words.iter_mut().zip(masked.tokens()) {
                word.sig = token.sig;
            }
        } else {
            self.words = masked.tokens().iter().map(|token| TemplateWord::new(token, masked)).collect();
        }
    }

    /// The words in which a line of as many words differs, as bits; `None` for too many.
    pub(super) fn differing(&self, line: &Masked) -> Option<u128> {
        let mut mask = 0_u128;
        for (at, (word, token)) in self.words.iter().zip(line.tokens()).enumerate() {
            if word.sig != token.sig && !word.fits(line.text(token)) {
                mask |= 1 << at;
                if mask.count_ones() > DIFFERING_MAX {
                    return None;
                }
            }
        }
        Some(mask)
    }

    /// Counts a line that fits; whether it made the text wider.
    pub(super) fn absorb(&mut self, line: &Masked) -> bool {
        self.lines += 1;
        let mut wider = false;
        for (word, token) in self.words.iter_mut().zip(line.tokens()) {
            wider |= word.widen_to(line.text(token), token.sig);
        }
        self.version += u32::from(wider);
        wider
    }
}

impl TemplateWord {
    fn new(token: &MaskToken, line: &Masked) -> Self {
        Self { sig: token.sig, text: line.text(token).to_owned(), open: None }
    }

    fn fits(&self, text: &str) -> bool {
        let Some((before, behind)) = self.open else {
            return false;
        };
        let (before, behind) = (usize::from(before), usize::from(behind));
        let (mine, theirs) = (self.text.as_bytes(), text.as_bytes());
        theirs.len() >= before + behind
            && mine[..before] == theirs[..before]
            && mine[mine.len() - behind..] == theirs[theirs.len() - behind..]
    }

    /// Makes room for another text; whether that changed anything.
    pub(super) fn widen_to(&mut self, text: &str, sig: u64) -> bool {
        if self.text == text || self.fits(text) {
            return false;
        }
        if sig == self.sig && self.open.is_none() {
            return self.blur(text);
        }
        let (before, behind) = common(self.text.as_bytes(), text.as_bytes());
        let tail = self.text.split_off(self.text.len() - behind);
        self.text.truncate(before);
        self.text.push_str(WILDCARD);
        self.text.push_str(&tail);
        self.open = Some((u16::try_from(before).unwrap_or(0), u16::try_from(behind).unwrap_or(0)));
        true
    }

    /// Takes in the same word, written in another way: with other parts, another unit, or as one more of a list.
    /// Whether that changed anything.
    fn blur(&mut self, text: &str) -> bool {
        let (mine, theirs) = (self.text.as_bytes(), text.as_bytes());
        let (before, behind) = if text.starts_with(WILDCARD) && self.text.starts_with(WILDCARD) {
            let trail = |text: &[u8]| {
                text.iter().rev().take_while(|byte| byte.is_ascii_punctuation() && **byte != b'>').count()
            };
            let (one, other) = (trail(mine), trail(theirs));
            (0, if mine[mine.len() - one..] == theirs[theirs.len() - other..] { one } else { 0 })
        } else {
            common(mine, theirs)
        };
        let blurred = [&self.text[..before], WILDCARD, &self.text[self.text.len() - behind..]].concat();
        let changed = blurred != self.text;
        self.text = blurred;
        changed
    }
}

/// Writes a word as people read it: what is glued to a value is of the value, unless it is a step of a path. This is the
/// rule of Khan et al. (ICSE 2022) for a word that is concatenated with a variable.
fn show(word: &str, text: &mut String) {
    if !word.contains(WILDCARD) {
        text.push_str(word);
        return;
    }
    const ENDS: [char; 24] = [
        ' ', ',', '!', ';', ':', '=', '|', '"', '\'', '[', ']', '(', ')', '{', '}', '.', '-', '+', '@', '#', '$', '%',
        '&', '/',
    ];
    for piece in word.split_inclusive(ENDS) {
        let glued = piece.trim_end_matches(ENDS);
        text.push_str(if glued.contains(WILDCARD) { WILDCARD } else { glued });
        text.push_str(&piece[glued.len()..]);
    }
}

/// The bytes that two words share at their beginning and end, cut back to where a name begins or ends.
pub(crate) fn common(one: &[u8], other: &[u8]) -> (usize, usize) {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 || b"<*>".contains(&byte);
    let most = one.len().min(other.len());
    let mut before = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    while before > 0 && part(one[before - 1]) {
        before -= 1;
    }
    let mut behind = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count().min(most - before);
    while behind > 0 && part(one[one.len() - behind]) {
        behind -= 1;
    }
    (before, behind)
}
