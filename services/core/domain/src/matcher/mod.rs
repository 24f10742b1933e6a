//! A condition on a label: how it is written, read and tested. One grammar for every place that takes matchers, which
//! is Alertmanager's (quoted names for what is no plain name, `\"`, `\\` and `\n` in values), and its regular
//! expressions mean what they mean there ([`re2`]).

pub mod re2;
mod read;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, OnceLock};

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use read::{NotAMatcher, matchers};

/// One condition on a label, as Alertmanager has it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Matcher {
    /// The label's name. A missing label counts as empty.
    pub name: String,
    /// A value, or an anchored regular expression.
    pub value: String,
    /// Whether `value` is a regular expression.
    #[serde(default, rename = "isRegex")]
    pub is_regex: bool,
    /// Whether it must match (`true`) or must not.
    #[serde(default = "yes", rename = "isEqual")]
    pub is_equal: bool,
    /// `value` compiled, once somebody has asked; `None` where it is no regular expression.
    #[serde(skip)]
    compiled: OnceLock<Option<Arc<Regex>>>,
}

/// A regular expression about values that are redacted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected = or != in the matcher of {0:?}: its values are redacted, so they can be compared and not searched")]
pub struct NotTestable(String);

const fn yes() -> bool {
    true
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        let of = |one: &Self| (one.is_regex, one.is_equal);
        self.name == other.name && self.value == other.value && of(self) == of(other)
    }
}

impl Eq for Matcher {}

impl Matcher {
    /// Puts in the place of its value what stands in the ledger for it, as `clean` makes it of the label's name and a
    /// value: a redacted value is compared by its digest, and labels that were sent can be matched by what was sent.
    ///
    /// # Errors
    /// For a regular expression that would be changed: nothing that was sent can be tested against it any more.
    pub fn clean(&mut self, mut clean: impl FnMut(&str, &str) -> String) -> Result<(), NotTestable> {
        let value = clean(&self.name, &self.value);
        if value == self.value {
            return Ok(());
        }
        if self.is_regex {
            return Err(NotTestable(self.name.clone()));
        }
        *self = Self::new(std::mem::take(&mut self.name), value, false, self.is_equal);
        Ok(())
    }

    /// A matcher of its parts.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>, is_regex: bool, is_equal: bool) -> Self {
        Self { name: name.into(), value: value.into(), is_regex, is_equal, compiled: OnceLock::new() }
    }

    /// An equality.
    #[must_use]
    pub fn equal(name: &str, value: &str) -> Self {
        Self::new(name, value, false, true)
    }

    /// Whether its value is a regular expression, if it is meant to be one.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.is_regex || self.regex().is_some()
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| re2::anchored(&self.value).ok().map(Arc::new)).as_deref()
    }

    /// Whether a label's value satisfies it.
    #[must_use]
    pub fn matches_value(&self, value: &str) -> bool {
        let equal =
            if self.is_regex { self.regex().is_some_and(|regex| regex.is_match(value)) } else { self.value == value };
        equal == self.is_equal
    }

    /// Whether labels satisfy it.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches_value(labels.get(&self.name).map_or("", String::as_str))
    }
}

/// Written so that it reads back as the same matcher.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (true, true) => "=~",
            (false, false) => "!=",
            (false, true) => "!~",
        };
        if read::is_plain(&self.name) {
            f.write_str(&self.name)?
        } else {
            quoted(f, &self.name)?
        }
        f.write_str(sign)?;
        quoted(f, &self.value)
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_matcher_is_anchored_and_a_missing_label_is_empty() {
        let regex = Matcher::new("service", "pg|redis", true, true);
        assert!(regex.matches(&labels(&[("service", "pg")])));
        assert!(!regex.matches(&labels(&[("service", "pg-2")])));
        let unequal = Matcher::new("team", "db", false, false);
        assert!(unequal.matches(&labels(&[])));
    }

    #[test]
    fn its_form_in_json_is_alertmanagers() {
        let json = r#"{"name":"a","value":"x.*","isRegex":true,"isEqual":false}"#;
        let matcher: Matcher = serde_json::from_str(json).unwrap();
        assert_eq!(matcher, Matcher::new("a", "x.*", true, false));
        assert!(!matcher.matches_value("xy"), "asked once, it is compiled");
        assert_eq!(serde_json::to_string(&matcher).unwrap(), json);
    }
}
