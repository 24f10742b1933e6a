//! What was given to an act: read from a body, or from texts as forms, dialogs and typed lines have them. Owns the
//! bounds; each error names the field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ActArgument, ActEntry, ArgumentForm};
use crate::limits::{SPLIT_FINGERPRINTS_MAX, TEXT_BYTES_MAX};
use crate::severity::Severity;
use crate::time::Time;

/// An argument that is missing or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ArgumentError {
    /// The field; empty where it is the body as a whole.
    pub field: String,
    /// What was expected and what came.
    pub detail: String,
}

impl ArgumentError {
    /// An error about a field.
    #[must_use]
    pub fn new(field: &str, detail: impl Into<String>) -> Self {
        Self { field: field.to_owned(), detail: detail.into() }
    }
}

/// The value of an argument.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum GivenValue {
    Text(String),
    Texts(Vec<String>),
    Severity(Severity),
    Time(Time),
    Minutes(u32),
}

/// The arguments of one act, within their bounds. An owner that is named and empty is nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenArguments {
    pub(super) act: &'static ActEntry,
    pub(super) values: BTreeMap<&'static str, GivenValue>,
}

impl PartialEq for ActEntry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl ActEntry {
    /// Reads a body.
    ///
    /// # Errors
    /// A field that is missing, unknown, too long or of another form.
    pub fn read(&'static self, body: &Value) -> Result<GivenArguments, ArgumentError> {
        let Some(fields) = body.as_object() else {
            return Err(ArgumentError::new("", "expected the body as an object"));
        };
        if let Some(unknown) = fields.keys().find(|name| self.argument(name).is_none()) {
            return Err(ArgumentError::new(unknown, format!("the body: unknown field `{unknown}`{}", self.expected())));
        }
        let mut values = BTreeMap::new();
        for argument in self.arguments {
            let value = match fields.get(argument.name) {
                None if argument.required => {
                    let detail = format!("the body: missing field `{}`", argument.name);
                    return Err(ArgumentError::new(argument.name, detail));
                }
                None => continue,
                Some(Value::Null) if !argument.required || argument.form == ArgumentForm::Owner => continue,
                Some(value) => value,
            };
            if let Some(value) = argument.read(value)? {
                values.insert(argument.name, value);
            }
        }
        if !self.one_of.is_empty() && self.one_of.iter().filter(|name| values.contains_key(*name)).count() != 1 {
            // Minutes are the only choice that there is beside a time.
            let detail = "expected either until (a time) or minutes (more than 0)";
            return Err(ArgumentError::new(self.one_of[0], detail));
        }
        Ok(GivenArguments { act: self, values })
    }

    fn expected(&self) -> String {
        let names: Vec<String> = self.arguments.iter().map(|argument| format!("`{}`", argument.name)).collect();
        match names.as_slice() {
            [] => ", there are no fields".to_owned(),
            [one] => format!(", expected {one}"),
            several => format!(", expected one of {}", several.join(", ")),
        }
    }

    /// The body of what was filled in: the texts of each field that forms and dialogs ask for.
    #[must_use]
    pub fn filled(&self, texts: impl Fn(&str) -> Vec<String>) -> Value {
        let mut body = Map::new();
        for argument in self.fields() {
            let texts: Vec<String> = texts(argument.name).into_iter().filter(|text| !text.trim().is_empty()).collect();
            if let Some(value) = argument.of_text(&texts.join("\n")) {
                body.insert(argument.name.to_owned(), value);
            }
        }
        Value::Object(body)
    }
}

impl ActArgument {
    fn read(&self, value: &Value) -> Result<Option<GivenValue>, ArgumentError> {
        let bad = |expected: &str| {
            ArgumentError::new(self.name, format!("the body: expected {expected} as {}, got {value}", self.name))
        };
        let text = || value.as_str().ok_or_else(|| bad("a text"));
        Ok(Some(match self.form {
            ArgumentForm::Text | ArgumentForm::Word | ArgumentForm::Owner => {
                let text = text()?.trim();
                if text.is_empty() && (!self.required || self.form == ArgumentForm::Owner) {
                    return Ok(None);
                }
                GivenValue::Text(self.words(text)?)
            }
            ArgumentForm::Names | ArgumentForm::Fingerprints | ArgumentForm::Matchers => {
                let items = value.as_array().ok_or_else(|| bad("a list"))?;
                let texts = items.iter().map(|item| self.words(item.as_str().ok_or_else(|| bad("texts"))?));
                GivenValue::Texts(self.several(texts.collect::<Result<_, ArgumentError>>()?)?)
            }
            ArgumentForm::Severity => {
                let known = Severity::ALL.into_iter().find(|severity| Some(severity.as_str()) == value.as_str());
                GivenValue::Severity(known.ok_or_else(|| bad("critical, high, medium, low or info"))?)
            }
            ArgumentForm::OneOf(words) => {
                let text = self.words(text()?)?;
                if !words.iter().any(|(word, _)| *word == text) {
                    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                    let detail = format!("expected a {} of {}, got {text:?}", self.name, words.join(", "));
                    return Err(ArgumentError::new(self.name, detail));
                }
                GivenValue::Text(text)
            }
            ArgumentForm::Incident | ArgumentForm::Event | ArgumentForm::Silence => {
                GivenValue::Text(text()?.trim().to_owned())
            }
            ArgumentForm::Since | ArgumentForm::Until => {
                GivenValue::Time(text()?.parse().map_err(|_| bad("a time such as 2026-11-20T18:00:00Z"))?)
            }
            ArgumentForm::Minutes => {
                let minutes = value.as_u64().and_then(|minutes| u32::try_from(minutes).ok());
                match minutes.ok_or_else(|| bad("a whole number of minutes"))? {
                    0 => {
                        return Err(ArgumentError::new(
                            self.name,
                            "expected either until (a time) or minutes (more than 0)",
                        ));
                    }
                    minutes => GivenValue::Minutes(minutes),
                }
            }
            ArgumentForm::Duration => GivenValue::Text(self.words(text()?)?),
        }))
    }

    fn words(&self, text: &str) -> Result<String, ArgumentError> {
        let (name, text) = (self.name, text.trim());
        if text.is_empty() {
            return Err(ArgumentError::new(name, format!("expected words as {name}, got an empty text")));
        }
        if text.len() > TEXT_BYTES_MAX {
            let detail = format!("expected at most {TEXT_BYTES_MAX} bytes as {name}, got {}", text.len());
            return Err(ArgumentError::new(name, detail));
        }
        Ok(text.to_owned())
    }

    fn several(&self, texts: Vec<String>) -> Result<Vec<String>, ArgumentError> {
        let fits = self.form != ArgumentForm::Fingerprints || (1..=SPLIT_FINGERPRINTS_MAX).contains(&texts.len());
        if fits {
            return Ok(texts);
        }
        let detail = format!("expected 1 to {SPLIT_FINGERPRINTS_MAX} {}, got {}", self.name, texts.len());
        Err(ArgumentError::new(self.name, detail))
    }

    /// The value of a body for what somebody wrote into a field or behind a word; nothing where it says nothing.
    /// What cannot be read stays a text, so that reading the body says what is wrong with it.
    #[must_use]
    pub fn of_text(&self, text: &str) -> Option<Value> {
        let text = text.trim();
        if self.form == ArgumentForm::Owner {
            let is_nobody = text.is_empty() || text.eq_ignore_ascii_case("nobody");
            return Some(if is_nobody { Value::Null } else { json!(text) });
        }
        if text.is_empty() {
            return None;
        }
        Some(match self.form {
            ArgumentForm::Names | ArgumentForm::Fingerprints => {
                let parts = text.split([',', ' ', '\n', '\t', '\r']).map(str::trim).filter(|part| !part.is_empty());
                json!(parts.collect::<Vec<_>>())
            }
            ArgumentForm::Matchers => {
                json!(text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>())
            }
            ArgumentForm::Severity | ArgumentForm::OneOf(_) => json!(text.to_ascii_lowercase()),
            ArgumentForm::Minutes => minutes(text).map_or_else(|| json!(text), |minutes| json!(minutes)),
            _ => json!(text),
        })
    }

    /// Whether a text can be nothing else than this argument: a question does not read so.
    #[must_use]
    pub fn is_surely(&self, text: &str) -> bool {
        match self.form {
            ArgumentForm::Owner => text.split_whitespace().count() == 1,
            ArgumentForm::Severity => text.parse::<Severity>().is_ok(),
            ArgumentForm::Minutes => minutes(text).is_some(),
            ArgumentForm::Fingerprints => {
                let is_hex = |word: &str| word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
                !text.is_empty() && text.split_whitespace().all(is_hex)
            }
            _ => false,
        }
    }
}

impl GivenArguments {
    /// The text of an argument.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            GivenValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of an argument that has several.
    #[must_use]
    pub fn texts(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(GivenValue::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// The minutes of an argument.
    #[must_use]
    pub fn minutes(&self, name: &str) -> Option<u32> {
        match self.values.get(name)? {
            GivenValue::Minutes(minutes) => Some(*minutes),
            _ => None,
        }
    }

    /// The same with each free text changed, such as for taking secrets out.
    #[must_use]
    pub fn cleaned(mut self, mut clean: impl FnMut(&str) -> String) -> Self {
        for argument in self.act.arguments {
            let is_free = matches!(argument.form, ArgumentForm::Text | ArgumentForm::Word | ArgumentForm::Owner);
            if let (true, Some(GivenValue::Text(text))) = (is_free, self.values.get_mut(argument.name)) {
                *text = clean(text);
            }
        }
        self
    }
}

/// Whole minutes of `30m`, `2h`, `1h30m`, `1d` or a plain number of minutes; nothing for anything else.
#[must_use]
pub fn minutes(text: &str) -> Option<u32> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    if let Ok(plain) = text.parse::<u32>() {
        return Some(plain).filter(|minutes| *minutes > 0);
    }
    let (mut total, mut left) = (0_u32, text.as_str());
    while !left.is_empty() {
        let digits = left.bytes().take_while(u8::is_ascii_digit).count();
        let (count, behind) = left.split_at_checked(digits)?;
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = behind.split_at_checked(letters)?;
        let unit = match unit {
            "m" | "min" | "minutes" => 1,
            "h" | "hours" | "hour" => 60,
            "d" | "days" | "day" => 1_440,
            "w" => 10_080,
            _ => return None,
        };
        total = total.checked_add(count.parse::<u32>().ok()?.checked_mul(unit)?)?;
        left = after;
    }
    Some(total).filter(|minutes| *minutes > 0)
}
