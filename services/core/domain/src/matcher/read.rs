//! Reading matchers: `name="value"` with the signs `=`, `!=`, `=~` and `!~`, alone or several in braces. The rules of
//! escapes are Alertmanager's: in a value `\"`, `\\` and `\n` stand for one character each, and a backslash before
//! anything else stands for itself, as regular expressions need it.

use std::str::FromStr;

use super::Matcher;

/// Signs with (is regex, is equal). The two-letter ones stand first, because the longest one is meant.
const SIGNS: [(&str, bool, bool); 4] =
    [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];

/// What is wrong with the text of a matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMatcher {
    /// There is no `=`, `!=`, `=~` or `!~` behind the name.
    #[error("there is no sign")]
    NoSign,
    /// There is no name, or one that must stand in quotes.
    #[error("the label has no such name")]
    NoName,
    /// Quotes that do not end, or that end before the value does.
    #[error("the quotes do not end")]
    Quotes,
    /// A brace without its partner.
    #[error("the braces do not end")]
    Braces,
    /// A value that is no regular expression.
    #[error("the value is not a regular expression")]
    Regex,
}

/// Whether a label's name needs no quotes.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || "{}!=~,\\\"'`".contains(c))
}

impl FromStr for Matcher {
    type Err = NotAMatcher;

    /// Reads one matcher, in braces or not.
    fn from_str(text: &str) -> Result<Self, NotAMatcher> {
        let text = text.trim();
        match text.strip_prefix('{') {
            Some(inner) => one(inner.strip_suffix('}').ok_or(NotAMatcher::Braces)?),
            None => one(text),
        }
    }
}

/// Reads one matcher, or several between braces with commas between them.
///
/// # Errors
/// What the first one that cannot be read lacks.
pub fn matchers(text: &str) -> Result<Vec<Matcher>, NotAMatcher> {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('{') else {
        return Ok(vec![one(text)?]);
    };
    let inner = inner.strip_suffix('}').ok_or(NotAMatcher::Braces)?;
    let mut found = Vec::new();
    let mut rest = inner;
    while !rest.trim().is_empty() {
        let end = comma(rest);
        found.push(one(rest.get(..end).unwrap_or_default())?);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    if found.is_empty() { Err(NotAMatcher::NoSign) } else { Ok(found) }
}

/// Where the first comma outside of quotes is, or the end.
fn comma(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn one(text: &str) -> Result<Matcher, NotAMatcher> {
    let text = text.trim();
    let (name, rest) = match text.strip_prefix('"') {
        Some(behind) => {
            let (name, rest) = until_quote(behind)?;
            (name, rest.trim_start())
        }
        None => {
            let at = text.find(['=', '!']).ok_or(NotAMatcher::NoSign)?;
            let (name, rest) = text.split_at_checked(at).ok_or(NotAMatcher::NoSign)?;
            let name = name.trim_end();
            if !is_plain(name) {
                return Err(NotAMatcher::NoName);
            }
            (name.to_owned(), rest)
        }
    };
    if name.is_empty() {
        return Err(NotAMatcher::NoName);
    }
    let found = SIGNS.iter().find_map(|(sign, regex, equal)| Some((rest.strip_prefix(sign)?, *regex, *equal)));
    let (value, is_regex, is_equal) = found.ok_or(NotAMatcher::NoSign)?;
    let matcher = Matcher::new(name, value_of(value.trim())?, is_regex, is_equal);
    if matcher.is_sound() { Ok(matcher) } else { Err(NotAMatcher::Regex) }
}

/// The value, with or without quotes. A quote inside must be escaped in both.
fn value_of(text: &str) -> Result<String, NotAMatcher> {
    match text.strip_prefix('"') {
        Some(behind) => match until_quote(behind)? {
            (value, "") => Ok(value),
            _ => Err(NotAMatcher::Quotes),
        },
        None => match plain_until(text, None) {
            (value, None) => Ok(value),
            _ => Err(NotAMatcher::Quotes),
        },
    }
}

/// A quoted text from behind its opening quote, and what follows the closing one.
fn until_quote(text: &str) -> Result<(String, &str), NotAMatcher> {
    match plain_until(text, Some('"')) {
        (value, Some(rest)) => Ok((value, rest)),
        (_, None) => Err(NotAMatcher::Quotes),
    }
}

/// The text without escapes up to an unescaped quote, and what is behind it if there is one. Without `closing` a quote
/// has no right to be there, and is reported the same way.
fn plain_until(text: &str, closing: Option<char>) -> (String, Option<&str>) {
    let end = closing.unwrap_or('"');
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == end {
            return (plain, Some(characters.as_str()));
        }
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some(escaped @ ('"' | '\\')) => plain.push(escaped),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    (plain, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str, is_regex: bool, is_equal: bool) -> Matcher {
        Matcher::new(name, value, is_regex, is_equal)
    }

    #[test]
    fn matchers_are_read_as_alertmanager_reads_them() {
        for (text, expect) in [
            ("service=postgres", of("service", "postgres", false, true)),
            (" service = pg 1", of("service", "pg 1", false, true)),
            ("service!=postgres", of("service", "postgres", false, false)),
            ("instance=~db.*", of("instance", "db.*", true, true)),
            ("instance!~\"db-[0-9]+\"", of("instance", "db-[0-9]+", true, false)),
            (r#"instance=~"10\.0\.0\..*""#, of("instance", r"10\.0\.0\..*", true, true)),
            ("url=http://a/?b=c", of("url", "http://a/?b=c", false, true)),
            ("team = \"the \\\"db\\\" team\"", of("team", "the \"db\" team", false, true)),
            ("team=", of("team", "", false, true)),
            ("k8s.io/name=x!=y", of("k8s.io/name", "x!=y", false, true)),
            (r#""host.name"="srv-1""#, of("host.name", "srv-1", false, true)),
            (r#""a=b"="x""#, of("a=b", "x", false, true)),
            (r#""q\"uote" != w"#, of("q\"uote", "w", false, false)),
            (r#"{"{br}"=~"u|v"}"#, of("{br}", "u|v", true, true)),
            ("名前=v", of("名前", "v", false, true)),
            (r#""sp ace"="z""#, of("sp ace", "z", false, true)),
        ] {
            assert_eq!(text.parse(), Ok(expect), "{text}");
        }
    }

    #[test]
    fn what_is_no_matcher_is_refused() {
        for (text, why) in [
            ("", NotAMatcher::NoSign),
            ("word", NotAMatcher::NoSign),
            ("=x", NotAMatcher::NoName),
            ("\"\"=x", NotAMatcher::NoName),
            ("a b=c", NotAMatcher::NoName),
            ("a!b", NotAMatcher::NoSign),
            ("team=\"open", NotAMatcher::Quotes),
            ("team=\"a\"b", NotAMatcher::Quotes),
            ("team=a\"b", NotAMatcher::Quotes),
            ("\"team=x", NotAMatcher::Quotes),
            ("{a=\"x\"", NotAMatcher::Braces),
            ("a=~\"(\"", NotAMatcher::Regex),
        ] {
            assert_eq!(text.parse::<Matcher>(), Err(why), "{text}");
        }
    }

    #[test]
    fn several_stand_in_braces() {
        let two = vec![of("a", "x,y", false, true), of("b,c", "}", true, false)];
        assert_eq!(matchers(r#"{a="x,y", "b,c"!~"}",}"#), Ok(two));
        assert_eq!(matchers("a=x,y").map(|found| found.len()), Ok(1), "without braces a comma is part of the value");
        for none in ["{}", "{ }", "{,}", "{a=x,,b=y}"] {
            assert!(matchers(none).is_err(), "{none}");
        }
    }

    /// Whatever its name and value hold, a matcher that is shown reads back as itself.
    #[test]
    fn a_matcher_reads_back_as_it_is_shown() {
        const PIECES: [&str; 24] = [
            "a", "=", "!", "~", "\"", "\\", "\n", "{", "}", ",", " ", ".", "é", "名", "n", "'", "`", "\t", "x", "-",
            "/", ":", "_", "0",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..2_000 {
            let mut text = |least: usize| -> String {
                let many = least + next(6);
                (0..many).map(|_| PIECES[next(PIECES.len())]).collect()
            };
            let (name, value) = (text(1), text(0));
            for (is_regex, is_equal) in [(false, true), (false, false), (true, true), (true, false)] {
                let matcher = Matcher::new(&name, &value, is_regex, is_equal);
                let shown = matcher.to_string();
                match shown.parse::<Matcher>() {
                    Ok(read) => assert_eq!(read, matcher, "{shown}"),
                    Err(why) => assert!(why == NotAMatcher::Regex && !matcher.is_sound(), "{shown}: {why}"),
                }
                if matcher.is_sound() {
                    assert_eq!(matchers(&format!("{{{shown},{shown}}}")).unwrap(), [matcher.clone(), matcher]);
                }
            }
        }
    }
}
