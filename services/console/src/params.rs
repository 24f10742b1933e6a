//! Query parameters: which names a route takes, and how each is read. Owns strictness (an unknown name or
//! an ill-formed value is a 400 that says what was expected); refuses to know what an answer holds.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use hindcast_api::{AsOf, Code, Cursor, LIMIT_DEFAULT, LIMIT_MAX, Problem};
use hindcast_domain::Time;
use hindcast_http::{HttpRefusal, Result};
use hindcast_queries::ListPart;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The form of a parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A time in RFC 3339.
    Time,
    /// A position or a time.
    AsOf,
    /// One of these words, or several with commas between.
    Words(&'static [&'static str]),
}

/// One query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// The key in the query string.
    pub name: &'static str,
    /// The form of its value.
    pub form: Form,
    /// What it means.
    pub about: &'static str,
}

/// A parameter of any text.
#[must_use]
pub const fn text(name: &'static str, about: &'static str) -> Param {
    Param { name, form: Form::Text, about }
}

/// A parameter of a given form.
#[must_use]
pub const fn of(name: &'static str, form: Form, about: &'static str) -> Param {
    Param { name, form, about }
}

/// The parameter `as_of`, shared by every route that can look back.
pub const AS_OF: Param = of("as_of", Form::AsOf, "What was known by then: a position, or a time in RFC 3339.");
/// How many.
pub const LIMIT: Param = of("limit", Form::Integer, "Items a page, 1 to 500; 50 where absent.");
/// Where it goes on.
pub const CURSOR: Param = text("cursor", "The `next` of the page before; it stays at that page's position.");

/// Where the table of alerts on an incident's page goes on.
pub const ALERTS_CURSOR: Param = text("alerts", "Where the table of alerts goes on; it stays at that page's position.");

/// The query of one request, read as it came; empty values count as absent.
#[derive(Clone, Debug, Default)]
pub struct QueryParams {
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for QueryParams {
    type Rejection = HttpRefusal;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Self::of(&parts.uri)
    }
}

fn bad(detail: String) -> HttpRefusal {
    HttpRefusal::new(Code::BadParameter, detail)
}

impl QueryParams {
    /// Reads the query of a URI.
    ///
    /// # Errors
    /// When it is not url-encoded.
    pub fn of(uri: &Uri) -> Result<Self> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("expected a url-encoded query, it cannot be read".to_owned()))?;
        Ok(Self { pairs: pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect() })
    }

    /// A query as if it had been asked.
    #[must_use]
    pub fn made(pairs: &[(&str, &str)]) -> Self {
        Self { pairs: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
    }

    /// Refuses names that are not in the table, and twice the same where one is meant.
    ///
    /// # Errors
    /// 400, naming what is allowed.
    pub fn check(&self, allowed: &[Param]) -> Result<()> {
        for (index, (name, value)) in self.pairs.iter().enumerate() {
            let Some(param) = allowed.iter().find(|param| param.name == name) else {
                return Err(unknown(name, allowed));
            };
            let repeats = matches!(param.form, Form::Words(_)) || param.name == "label";
            if !repeats && self.pairs.iter().take(index).any(|(before, _)| before == name) {
                return Err(bad(format!("expected {name} once, got it several times")));
            }
            if let Form::Words(words @ [_, ..]) = param.form {
                let mut given = value.split(',').map(str::trim).filter(|word| !word.is_empty());
                if let Some(other) = given.find(|word| !words.iter().any(|known| known.eq_ignore_ascii_case(word))) {
                    return Err(bad(format!("expected {name} to be one of {}, got {other:?}", words.join(", "))));
                }
            }
        }
        Ok(())
    }

    /// A text.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<String> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim().to_owned())
    }

    /// One word of a closed vocabulary.
    ///
    /// # Errors
    /// 400, where it is another word.
    pub fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.one(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let read = serde_json::from_value(Value::String(text.to_lowercase()));
        read.map(Some).map_err(|_| bad(format!("expected one word of {name}, got {text:?}")))
    }

    /// Everything but some names, in the order in which it came.
    #[must_use]
    pub fn rest(&self, without: &[&str]) -> Vec<(String, String)> {
        self.pairs.iter().filter(|(name, _)| !without.contains(&name.as_str())).cloned().collect()
    }

    /// Every value, untouched.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    /// Words with commas between, or the name several times, each one of an enum's.
    ///
    /// # Errors
    /// When a word is none of them.
    pub fn words<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>> {
        let values = self.all(name);
        let words = values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty());
        words
            .map(|word| {
                let value = serde_json::Value::String(word.to_lowercase());
                serde_json::from_value(value).map_err(|error| bad(format!("{name}: {error}")))
            })
            .collect()
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&self, name: &str) -> Result<Option<u64>> {
        let read =
            |value: String| value.parse().map_err(|_| bad(format!("expected a whole number as {name}, got {value:?}")));
        self.one(name).map(read).transpose()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.one(name).as_deref() {
            None => Ok(None),
            Some("true" | "1" | "yes") => Ok(Some(true)),
            Some("false" | "0" | "no") => Ok(Some(false)),
            Some(other) => Err(bad(format!("expected true or false as {name}, got {other:?}"))),
        }
    }

    /// A time in RFC 3339.
    ///
    /// # Errors
    /// When it is none.
    pub fn time(&self, name: &str) -> Result<Option<Time>> {
        // A plus sign that was not escaped arrives as a space.
        let read = |value: String| value.replace(' ', "+").parse().map_err(|error| bad(format!("{name}: {error}")));
        self.one(name).map(read).transpose()
    }

    /// As of when.
    ///
    /// # Errors
    /// When it is neither a position nor a time.
    pub fn as_of(&self) -> Result<Option<AsOf>> {
        self.one(AS_OF.name).map(|value| value.parse()).transpose().map_err(HttpRefusal)
    }

    /// Which part of a list.
    ///
    /// # Errors
    /// For a limit outside 1 to 500.
    pub fn part(&self) -> Result<ListPart> {
        let limit = self.one(LIMIT.name).map(|value| limit(&value)).transpose()?;
        Ok(ListPart { limit, cursor: self.one(CURSOR.name) })
    }

    /// Where a list goes on, the position of its first part: a cursor stays there.
    ///
    /// # Errors
    /// 400 for a cursor that is none.
    pub fn turned(&self) -> Result<Option<u64>> {
        let cursor = [CURSOR, ALERTS_CURSOR].into_iter().find_map(|param| self.one(param.name));
        Ok(cursor.map(|cursor| Cursor::decode(&cursor)).transpose()?.map(|cursor| cursor.position))
    }

    /// Cuts such a list to the page that is asked for, and says where the next one goes on.
    ///
    /// # Errors
    /// 400 for a limit that is out of range, or a cursor that is none.
    pub fn cut<T>(&self, items: &mut Vec<T>, position: u64) -> Result<Option<String>> {
        let part = self.part()?;
        let from = match &part.cursor {
            Some(cursor) => {
                let bad = |_| HttpRefusal::new(Code::BadCursor, "expected a cursor that this list gave");
                Cursor::decode(cursor)?.after.parse::<usize>().map_err(bad)?
            }
            None => 0,
        };
        let to = from.saturating_add(part.limit.unwrap_or(LIMIT_DEFAULT));
        let more = to < items.len();
        items.truncate(to);
        items.drain(..from.min(items.len()));
        Ok(more.then(|| Cursor { position, after: to.to_string() }.encode()))
    }
}

fn limit(value: &str) -> Result<usize> {
    match value.parse::<usize>() {
        Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        _ => Err(HttpRefusal::new(Code::BadLimit, format!("expected a limit of 1 to {LIMIT_MAX}, got {value:?}"))),
    }
}

fn unknown(name: &str, allowed: &[Param]) -> HttpRefusal {
    let names: Vec<&str> = allowed.iter().map(|param| param.name).collect();
    let detail = if names.is_empty() {
        format!("expected no parameters, got {name:?}")
    } else {
        format!("expected one of {}, got {name:?}", names.join(", "))
    };
    HttpRefusal(Problem::new(Code::BadParameter, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> QueryParams {
        QueryParams::of(&format!("/x?{query}").parse().unwrap()).unwrap()
    }

    #[test]
    fn a_list_that_is_made_whole_is_turned_page_by_page() {
        let whole: Vec<u32> = (0..7).collect();
        let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
        loop {
            let mut page = whole.clone();
            let next = asked(&query).cut(&mut page, 42).unwrap();
            seen.extend(page);
            let Some(next) = next else { break };
            query = format!("limit=3&cursor={next}");
            assert_eq!(asked(&query).turned().unwrap(), Some(42), "it stays where it began");
        }
        assert_eq!(seen, whole);
        assert_eq!(asked("cursor=zz").cut(&mut vec![1], 42).unwrap_err().0.code, "bad_cursor");
        assert_eq!(asked("limit=0").cut(&mut vec![1], 42).unwrap_err().0.code, "bad_limit");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let refusal = asked("statis=open").check(&[text("status", ""), AS_OF]).unwrap_err().0;
        assert_eq!((refusal.status, refusal.code.as_str()), (400, "bad_parameter"));
        assert!(refusal.detail.contains("status, as_of"), "{}", refusal.detail);
        assert!(asked("as_of=1&as_of=2").check(&[AS_OF]).is_err());
    }

    #[test]
    fn empty_values_count_as_absent() {
        let asked = asked("limit=&as_of=&cursor=&status=");
        assert!(asked.check(&[]).is_ok());
        assert!(asked.part().unwrap().limit.is_none() && asked.as_of().unwrap().is_none());
    }

    #[test]
    fn a_limit_is_one_to_five_hundred() {
        for (query, expect) in [("limit=1", true), ("limit=500", true), ("limit=0", false), ("limit=501", false)] {
            assert_eq!(asked(query).part().is_ok(), expect, "{query}");
        }
        assert_eq!(asked("limit=x").part().unwrap_err().0.code, "bad_limit");
        assert_eq!(asked("as_of=noon").as_of().unwrap_err().0.code, "bad_as_of");
    }

    #[test]
    fn words_come_with_commas_or_several_times() {
        use hindcast_domain::Severity;
        let expect = vec![Severity::High, Severity::Low];
        assert_eq!(asked("severity=high,LOW").words::<Severity>("severity").unwrap(), expect);
        assert_eq!(asked("severity=high&severity=low").words::<Severity>("severity").unwrap(), expect);
        assert!(asked("severity=bad").words::<Severity>("severity").unwrap_err().0.detail.contains("bad"));
    }
}
