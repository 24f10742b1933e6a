//! Alertmanager's `filter=` parameter: matchers such as `severity=~"high|critical"`. Owns their syntax;
//! refuses to know what is filtered.

use std::collections::BTreeMap;

use hindcast_api::{Code, Problem};
use hindcast_domain::limits::MATCHERS_MAX;
use hindcast_domain::silence::Matcher;
use regex::Regex;

/// Matchers, compiled once for a whole list.
#[derive(Debug, Default)]
pub(super) struct Filter(Vec<(Matcher, Option<Regex>)>);

impl Filter {
    /// Reads every `filter` parameter.
    ///
    /// # Errors
    /// When one is no matcher.
    pub(super) fn of(query: &[(String, String)]) -> Result<Self, Problem> {
        let texts: Vec<&str> = query.iter().filter(|(name, _)| name == "filter").map(|(_, text)| &**text).collect();
        if texts.len() > MATCHERS_MAX {
            return Err(bad(format!("expected at most {MATCHERS_MAX} filters, got {}", texts.len())));
        }
        let compiled = |text: &&str| {
            let matcher = parse(text)?;
            let regex = if matcher.is_regex { Some(anchored(&matcher.value)?) } else { None };
            Ok((matcher, regex))
        };
        texts.iter().map(compiled).collect::<Result<_, Problem>>().map(Self)
    }

    /// Whether labels satisfy all of them; a missing label counts as empty.
    pub(super) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(matcher, regex)| {
            let value = labels.get(&matcher.name).map_or("", String::as_str);
            let equal = regex.as_ref().map_or_else(|| matcher.value == value, |regex| regex.is_match(value));
            equal == matcher.is_equal
        })
    }
}

/// An anchored regular expression of bounded size.
pub(super) fn anchored(pattern: &str) -> Result<Regex, Problem> {
    let built = regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build();
    built.map_err(|_| bad(format!("expected a regular expression, got {pattern:.128?}")))
}

fn bad(detail: String) -> Problem {
    Problem::new(Code::BadParameter, detail).remedy("Use filters such as severity=~\"high|critical\".")
}

fn parse(text: &str) -> Result<Matcher, Problem> {
    let refuse = || bad(format!("expected a matcher such as severity=\"high\", got {text:.128?}"));
    let trimmed = text.trim();
    let trimmed = trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(trimmed);
    let at = trimmed.find(['=', '!']).ok_or_else(refuse)?;
    let (name, rest) = trimmed.split_at(at);
    let signs = [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];
    let found = signs.iter().find_map(|(sign, regex, equal)| Some((rest.strip_prefix(sign)?, *regex, *equal)));
    let (value, is_regex, is_equal) = found.ok_or_else(refuse)?;
    let name = name.trim().trim_matches('"');
    if name.is_empty() {
        return Err(refuse());
    }
    let value = unquoted(value.trim()).ok_or_else(refuse)?;
    Ok(Matcher { name: name.to_owned(), value, is_regex, is_equal })
}

fn unquoted(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else {
        return Some(text.to_owned());
    };
    let mut plain = String::new();
    let mut characters = inner.strip_suffix('"')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                'n' => plain.push('\n'),
                escaped @ ('"' | '\\') => plain.push(escaped),
                // Go's own reader keeps the sign of an escape that it does not know, as regexes need it.
                other => plain.extend(['\\', other]),
            },
            '"' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_is_read_as_amtool_writes_it() {
        for (text, name, value, is_regex, is_equal) in [
            (r#"alertname="High""#, "alertname", "High", false, true),
            ("alertname=High", "alertname", "High", false, true),
            (r#"severity=~"high|critical""#, "severity", "high|critical", true, true),
            (r#"a!="b c""#, "a", "b c", false, false),
            (r#"a!~"x\.y""#, "a", r"x\.y", true, false),
            (r#"{a="q\"r"}"#, "a", "q\"r", false, true),
        ] {
            let expected = Matcher { name: name.into(), value: value.into(), is_regex, is_equal };
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        for bad in ["", "alertname", "=x", "a!b", "a=\"x", "a=~\"(\""] {
            assert!(Filter::of(&[("filter".to_owned(), bad.to_owned())]).is_err(), "{bad}");
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
