//! Alertmanager's `filter=` parameter: matchers such as `severity=~"high|critical"`. Refuses to know their syntax, which
//! is the domain's, and what is filtered.

use std::collections::BTreeMap;

use hindcast_api::{Code, Problem};
use hindcast_domain::limits::MATCHERS_MAX;
use hindcast_domain::matcher::{Matcher, matchers, re2};
use regex::Regex;

/// All matchers of a list.
#[derive(Debug, Default)]
pub(super) struct Filter(Vec<Matcher>);

impl Filter {
    /// Reads every `filter` parameter.
    ///
    /// # Errors
    /// When one is no matcher.
    pub(super) fn of(query: &[(String, String)]) -> Result<Self, Problem> {
        let mut found = Vec::new();
        for (_, text) in query.iter().filter(|(name, _)| name == "filter") {
            let refuse = |why| bad(format!("expected a matcher such as severity=\"high\", {why}: {text:.128?}"));
            found.extend(matchers(text).map_err(refuse)?);
        }
        match found.len() {
            many if many > MATCHERS_MAX => Err(bad(format!("expected at most {MATCHERS_MAX} filters, got {many}"))),
            _ => Ok(Self(found)),
        }
    }

    /// Whether labels satisfy all of them; a missing label counts as empty.
    pub(super) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|matcher| matcher.matches(labels))
    }
}

/// An anchored regular expression of bounded size.
pub(super) fn anchored(pattern: &str) -> Result<Regex, Problem> {
    re2::anchored(pattern).map_err(|why| bad(format!("expected a regular expression, {why}: {pattern:.128?}")))
}

fn bad(detail: String) -> Problem {
    Problem::new(Code::BadParameter, detail).remedy("Use filters such as severity=~\"high|critical\".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_quotes_and_several_in_braces_are_read() {
        let of = |text: &str| Filter::of(&[("filter".to_owned(), text.to_owned())]);
        let labels = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
        assert!(of(r#""a=b"="x""#).unwrap().matches(&labels("a=b", "x")));
        assert!(!of(r#"{"q\"uote"="x",other=""}"#).unwrap().matches(&labels("q\"uote", "y")));
        for bad in ["", "alertname", "=x", "a!b", "a=\"x", "a=~\"(\"", "{}"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn all_must_match_and_a_missing_label_is_empty() {
        let query = [r#"a=~"x.*""#, r#"b="""#].map(|text| ("filter".to_owned(), text.to_owned()));
        let filter = Filter::of(&query).unwrap();
        assert!(filter.matches(&[("a".to_owned(), "xy".to_owned())].into()));
        assert!(!filter.matches(&[("a".to_owned(), "yx".to_owned())].into()));
    }
}
