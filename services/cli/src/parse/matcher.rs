//! Matchers as `amtool` takes them: `name=value` with its four signs, and a word alone, which is an alert's name. The
//! grammar is the domain's.

use hindcast_domain::matcher::{Matcher, NotAMatcher};

/// Reads a matcher.
///
/// # Errors
/// When it has no label's name, quotes that do not end, or no regular expression where one is meant.
pub fn matcher(text: &str) -> Result<Matcher, String> {
    let text = text.trim();
    match text.parse() {
        Err(NotAMatcher::NoSign) if !text.is_empty() && !text.contains(['!', '~', '"', '{']) => {
            Ok(Matcher::equal("alertname", text))
        }
        read => read.map_err(|why| {
            format!("expected a matcher such as service=postgres or instance=~\"db.*\", {why}: {text:?}")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_alone_is_an_alerts_name() {
        assert_eq!(matcher("HighErrorRate"), Ok(Matcher::equal("alertname", "HighErrorRate")));
        assert_eq!(matcher("Disk is full"), Ok(Matcher::equal("alertname", "Disk is full")));
        assert_eq!(matcher(r#""host.name"=~"db.*""#), Ok(Matcher::new("host.name", "db.*", true, true)));
    }

    #[test]
    fn what_is_no_matcher_is_named() {
        for text in ["", "=x", "a b=c", "team=\"open", "team=\"a\"b", "team~x", "\"x\"", "a=~(", "{a=b"] {
            assert!(matcher(text).unwrap_err().contains("such as service=postgres"), "{text}");
        }
    }
}
