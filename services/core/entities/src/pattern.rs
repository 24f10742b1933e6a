//! Patterns of the rules file: a text in which `*` stands for any characters, at either end. Letters compare without
//! regard to case, since rule sets write one name in several ways (`PostgreSQLDown`, `PostgresqlDown`).

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// In lower case, between the stars.
    literal: String,
    open_before: bool,
    open_after: bool,
}

impl Pattern {
    /// `None` when a star stands elsewhere than at an end, or nothing stands beside it.
    pub(crate) fn compile(text: &str) -> Option<Self> {
        let (open_before, rest) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        let (open_after, literal) = rest.strip_suffix('*').map_or((false, rest), |rest| (true, rest));
        let is_plain = !literal.is_empty() && !literal.contains('*');
        is_plain.then(|| Self { literal: literal.to_ascii_lowercase(), open_before, open_after })
    }

    /// How much it says: the bytes beside its stars. Of two patterns that fit, the longer one decides.
    pub(crate) const fn weight(&self) -> usize {
        self.literal.len()
    }

    /// Whether anything may stand before the literal.
    pub(crate) const fn is_open_before(&self) -> bool {
        self.open_before
    }

    /// Whether it fits; `text` is in lower case.
    pub(crate) fn fits(&self, text: &str) -> bool {
        match (self.open_before, self.open_after) {
            (false, false) => text == self.literal,
            (false, true) => text.starts_with(&self.literal),
            (true, false) => text.ends_with(&self.literal),
            (true, true) => text.len() >= self.literal.len() && text.contains(&self.literal),
        }
    }
}

/// The weight of the longest pattern that fits.
pub(crate) fn best(patterns: &[Pattern], text: &str) -> Option<usize> {
    patterns.iter().filter(|pattern| pattern.fits(text)).map(Pattern::weight).max()
}

/// Whether one of them fits.
pub(crate) fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.fits(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_at_an_end() {
        let fits = |pattern: &str, text: &str| Pattern::compile(pattern).unwrap().fits(text);
        assert!(fits("Kube*", "kubepodnotready") && !fits("Kube*", "mykube"));
        assert!(fits("*exporter", "pg-exporter") && fits("*state*", "kube-state-metrics"));
        assert!(fits("node", "node") && !fits("node", "nodes"));
        for bad in ["*", "a*b", "", "**"] {
            assert_eq!(Pattern::compile(bad), None, "{bad:?}");
        }
    }
}
