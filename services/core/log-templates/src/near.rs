//! Which templates a line is near to, and whether it is one with them. Owns the index over a service's
//! templates and the evidence for a merge; refuses to change a template.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::forms::{is_server_error, says_state};
use crate::mask::Masked;
use crate::settings::TemplateSettings;
use crate::templates::{MinedTemplate, common};
use crate::units::WILDCARD;

/// Templates near a line that are compared with each other.
pub(crate) const NEAR_MAX: usize = 64;
/// Signatures are hashes already.
#[derive(Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::mask::hash(bytes);
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Finds the templates that a line may be near to, without looking at all of them: those that share one of the
/// first two or last two words that are no values, and those that are open somewhere. What differs in so much
/// that it shares none of them is hardly from one statement.
#[derive(Debug, Default)]
pub(crate) struct TemplateIndex {
    /// Templates with a word of this hash in one of the places, among those of as many words.
    agreeing: HashMap<u64, Vec<u32>, BuildHasherDefault<AsIs>>,
    /// Templates of so many words that are open.
    open: BTreeMap<usize, Vec<u32>>,
}

impl TemplateIndex {
    /// The keys under which so many words are found.
    fn keys<'a>(words: impl DoubleEndedIterator<Item = (&'a str, u64)> + Clone + ExactSizeIterator) -> [u64; 4] {
        let len = words.len() as u64;
        let key = |place: u64, sig: u64| sig ^ ((len << 8 | place) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut first = words.clone().filter(|(text, _)| is_wordy(text)).map(|(_, sig)| sig);
        let mut last = words.rev().filter(|(text, _)| is_wordy(text)).map(|(_, sig)| sig);
        let places = [first.next(), first.next(), last.next(), last.next()];
        let mut place = 0;
        places.map(|sig| {
            place += 1;
            key(place, sig.unwrap_or(0))
        })
    }

    pub fn add(&mut self, index: u32, template: &MinedTemplate) {
        for key in Self::keys(template.words.iter().map(|word| (word.text.as_str(), word.sig))) {
            self.agreeing.entry(key).or_default().push(index);
        }
        self.open(index, template);
    }

    /// Takes note of a template that may be open now.
    pub fn open(&mut self, index: u32, template: &MinedTemplate) {
        if template.words.iter().any(|word| word.open.is_some()) {
            let open = self.open.entry(template.words.len()).or_default();
            if !open.contains(&index) {
                open.push(index);
            }
        }
    }

    /// In order, each once.
    pub fn candidates(&self, line: &Masked) -> Vec<u32> {
        let mut found: Vec<u32> = self.open.get(&line.tokens().len()).cloned().unwrap_or_default();
        for key in Self::keys(line.tokens().iter().map(|token| (line.text(token), token.sig))) {
            found.extend(self.agreeing.get(&key).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Templates near a line.
#[derive(Default)]
pub(crate) struct NearTemplate {
    /// One that it fits.
    pub fitting: Option<u32>,
    /// Others, with the words in which they differ as bits.
    pub others: Vec<(u32, u128)>,
}

impl NearTemplate {
    /// Those with which the line is one template, oldest first.
    pub fn kin(&self, line: &Masked, templates: &[MinedTemplate], settings: &TemplateSettings) -> Option<Vec<u32>> {
        let mut masks: Vec<u128> = self.others.iter().map(|(_, mask)| *mask).collect();
        masks.sort_unstable_by_key(|mask| (mask.count_ones(), *mask));
        masks.dedup();
        masks.into_iter().find_map(|mask| {
            let alike = self.others.iter().filter(|(_, other)| other & !mask == 0);
            let alike: Vec<u32> = alike.map(|(index, _)| *index).collect();
            is_one(line, mask, &alike, templates, settings).then_some(alike)
        })
    }
}

/// Whether a line and templates that differ from it in the words of `mask` come from one statement.
fn is_one(line: &Masked, mask: u128, alike: &[u32], templates: &[MinedTemplate], settings: &TemplateSettings) -> bool {
    let texts = |at: usize| {
        let of = move |index: &u32| templates.get(*index as usize).and_then(|template| template.words.get(at));
        alike.iter().filter_map(of).map(|word| word.text.as_str())
    };
    let (mut agreeing, mut named) = (0, true);
    let mut needed = if mask.count_ones() == 1 { settings.variants } else { settings.variants_two };
    for (at, token) in line.tokens().iter().enumerate() {
        let text = line.text(token);
        if mask >> at & 1 == 0 {
            agreeing += u32::from(is_wordy(text));
            continue;
        }
        for other in texts(at) {
            let (before, behind) = common(text.as_bytes(), other.as_bytes());
            let inner = [text, other].map(|text| &text.as_bytes()[before..text.len() - behind]);
            let looks = inner.map(|inner| Looks::of(inner, settings));
            if looks.contains(&Looks::Mark) || inner.iter().any(|inner| is_server_error(inner)) {
                return false;
            }
            let is_state = says_state(&text[..before]) || inner.iter().all(|inner| is_shouted(inner));
            let marked = settings.marked(&text[..before]).filter(|_| !is_state);
            let is_opened =
                !is_state && settings.opened > u8::from(marked.is_none()) && inner.contains(&WILDCARD.as_bytes());
            named &= looks == [Looks::Name; 2] || is_opened;
            if is_state {
                needed = needed.max(settings.shouted_variants);
            } else if let Some(enough) = marked {
                needed = needed.min(enough);
            }
        }
    }
    let variants = alike.len() + 1;
    match mask.count_ones() {
        1 => (named && agreeing >= settings.named_agreeing) || (agreeing >= settings.agreeing && variants >= needed),
        _ => agreeing >= settings.named_agreeing && variants >= needed,
    }
}

/// Whether all letters are capitals, as in names of states.
fn is_shouted(bytes: &[u8]) -> bool {
    bytes.len() >= 2 && bytes.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
}

/// At least two letters that are no value.
fn is_wordy(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_alphabetic).count() >= 2
}

/// What that looks like in which two words differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    /// Punctuation: two shapes of a line.
    Mark,
    /// Letters: words of a language, constants of a program, states.
    Word,
    /// Identifiers: numbers, or names with signs in them.
    Name,
}

impl Looks {
    fn of(bytes: &[u8], settings: &TemplateSettings) -> Self {
        let mut digits = 0;
        let (mut letters, mut signs) = (false, false);
        for byte in bytes {
            digits += u32::from(byte.is_ascii_digit());
            letters |= byte.is_ascii_alphabetic() || *byte >= 0x80;
            signs |= match byte {
                b'*' => true,
                b'/' | b'\\' | b'@' => settings.signs >= 1,
                b'-' => settings.signs >= 2,
                b'.' => settings.signs >= 3,
                _ => false,
            };
        }
        match (digits, letters) {
            (0, false) if !signs || !bytes.windows(3).any(|part| part == WILDCARD.as_bytes()) => Self::Mark,
            _ if digits >= 2 || signs => Self::Name,
            _ => Self::Word,
        }
    }
}
