//! The constants by which lines become templates, in one place. Owns their bounds; refuses to know any one source of
//! logs: there is one set of them for all.

use serde::{Deserialize, Serialize};

/// What may be chosen about the miner. The values in use are those of [`TemplateSettings::default`]; others are for
/// measuring, as `bench/templates.py` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateSettings {
    /// Constant words that must agree where one pair of identifiers is evidence enough; 1 to 6.
    pub named_agreeing: u32,
    /// Constant words that must agree where many variants are the evidence; 1 to 6.
    pub agreeing: u32,
    /// Variants in one word that show it to be a value, whatever it looks like; 2 to 12.
    pub variants: usize,
    /// The same for two words at once; 2 to 12.
    pub variants_two: usize,
    /// Variants in a word behind `=`; 2 to 12.
    pub keyed_variants: usize,
    /// Variants in a word in quotation marks; 2 to 12.
    pub quoted_variants: usize,
    /// Variants in a word in brackets; 2 to 12.
    pub bracketed_variants: usize,
    /// Variants in a word that shouts, as states do: `LOOKING`, `LEADING`; 2 to 12.
    pub shouted_variants: usize,
    /// Signs that make an identifier of a word without digits: 0 none, 1 `/ \ @`, 2 also `-`, 3 also `.`.
    pub signs: u8,
    /// Values in a row that are a list at once; fewer are one only where their number varies; 1 to 64.
    pub list: usize,
    /// Words in double quotation marks that are one word; more are words each. 0 to 32.
    pub quoted: usize,
    /// Names with one or two digits stay as they are until they vary: 0 never, 1 `U11` and `core27`, 2 also `eth0`.
    pub soft: u8,
    /// `2026-11-30`, `03:12:00` and `3-7` show their parts, until they are written in another way.
    pub parts: bool,
    /// A word that begins with a digit is a value: no name of a program does.
    pub digit_first: bool,
    /// Names of hosts are values without a port behind them too.
    pub hosts: bool,
    /// `root` and `admin` are values: names of accounts.
    pub accounts: bool,
    /// Where a value stood, a word is one too: `chdir(/home)`, `chdir(pwd)`: 0 no, 1 behind `=`, quotation marks and
    /// brackets, 2 everywhere.
    pub opened: u8,
    /// A relative path of letters alone is none: `read/write/close`.
    pub wordy_paths: bool,
}

impl Default for TemplateSettings {
    fn default() -> Self {
        Self {
            named_agreeing: 2,
            agreeing: 3,
            variants: 4,
            variants_two: 6,
            keyed_variants: 2,
            quoted_variants: 3,
            bracketed_variants: 4,
            shouted_variants: 8,
            signs: 2,
            opened: 2,
            list: 8,
            quoted: 16,
            soft: 1,
            parts: true,
            digit_first: true,
            hosts: true,
            accounts: true,
            wordy_paths: true,
        }
    }
}

impl TemplateSettings {
    /// How many variants are enough behind this beginning of a word, where it marks a place for values.
    pub(crate) fn marked(&self, before: &str) -> Option<usize> {
        match before.as_bytes().last()? {
            b'=' => Some(self.keyed_variants),
            b'"' | b'\'' => Some(self.quoted_variants),
            b'[' | b'(' | b'{' => Some(self.bracketed_variants),
            _ => None,
        }
    }
}
