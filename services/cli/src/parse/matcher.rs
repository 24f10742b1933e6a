//! Matchers as `amtool` takes them: `name=value`, `name!=value`, `name=~regex`, `name!~regex`; a word alone is
//! an alert's name. Owns the spelling; what a matcher matches is the domain's.

use hindcast_domain::silence::Matcher;

/// Signs with (is regex, is equal). The two-letter ones stand first, because the longest one is meant.
const SIGNS: [(&str, bool, bool); 4] =
    [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];

/// Reads a matcher.
///
/// # Errors
/// When it has no label's name, or quotes that do not end.
pub fn matcher(text: &str) -> Result<Matcher, String> {
    let bad = |why: &str| format!("expected a matcher such as service=postgres or instance=~\"db.*\", {why}: {text:?}");
    let text = text.trim();
    // The first sign counts: values may hold others.
    let at = |sign: &str| text.find(sign).map(|at| (at, std::cmp::Reverse(sign.len())));
    let first = SIGNS.into_iter().filter_map(|sign| at(sign.0).map(|at| (at, sign))).min();
    let Some(((at, _), (sign, is_regex, is_equal))) = first else {
        if text.is_empty() || text.contains(['!', '~', '"']) {
            return Err(bad("there is no sign"));
        }
        return Ok(Matcher::equal("alertname", text));
    };
    let (name, rest) = text.split_at(at);
    let value = rest.strip_prefix(sign).unwrap_or_default().trim();
    let name = name.trim();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_-./:".contains(c)) {
        return Err(bad("the label has no such name"));
    }
    let value = unquoted(value).ok_or_else(|| bad("the quotes do not end"))?;
    Ok(Matcher { name: name.to_owned(), value, is_regex, is_equal })
}

/// The value without its quotes, if it has any. Inside them `\"`, `\\` and `\n` stand for one character each.
fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return Some(value.to_owned());
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then_some(plain),
            '\\' => match chars.next()? {
                'n' => plain.push('\n'),
                c @ ('"' | '\\') => plain.push(c),
                // A regular expression's own escape.
                c => plain.extend(['\\', c]),
            },
            c => plain.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str, is_regex: bool, is_equal: bool) -> Matcher {
        Matcher { name: name.into(), value: value.into(), is_regex, is_equal }
    }

    #[test]
    fn matchers_are_read_as_amtool_reads_them() {
        for (text, expect) in [
            ("service=postgres", of("service", "postgres", false, true)),
            ("service!=postgres", of("service", "postgres", false, false)),
            ("instance=~db.*", of("instance", "db.*", true, true)),
            ("instance!~\"db-[0-9]+\"", of("instance", "db-[0-9]+", true, false)),
            ("url=http://a/?b=c", of("url", "http://a/?b=c", false, true)),
            ("team = \"the \\\"db\\\" team\"", of("team", "the \"db\" team", false, true)),
            ("path=~\"a\\.b\"", of("path", "a\\.b", true, true)),
            ("team=", of("team", "", false, true)),
            ("HighErrorRate", of("alertname", "HighErrorRate", false, true)),
            ("k8s.io/name=x!=y", of("k8s.io/name", "x!=y", false, true)),
        ] {
            assert_eq!(matcher(text), Ok(expect), "{text}");
        }
    }

    #[test]
    fn what_is_no_matcher_is_named() {
        for text in ["", "=x", "a b=c", "team=\"open", "team=\"a\"b", "team~x", "\"x\""] {
            assert!(matcher(text).unwrap_err().contains("such as service=postgres"), "{text}");
        }
    }
}
