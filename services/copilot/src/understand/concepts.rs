//! Symptoms in people's own words, such as "the disk is full", and how alerts and findings speak of them. The words are
//! data; owns how they are looked for.

use std::sync::LazyLock;

const TABLE: &str = include_str!("concepts.txt");

/// A symptom or part that people name by words of their own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SymptomTopic {
    /// What the file calls it, whatever people do.
    pub(crate) name: String,
    asked: Vec<String>,
    seen: Vec<String>,
}

static TOPICS: LazyLock<Vec<SymptomTopic>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| {
        let mut parts = line.split('|');
        let mut next = || parts.next().map(str::trim);
        let (name, asked, seen) = (next()?, next()?, next()?);
        let words = |text: &str| text.split_whitespace().map(|word| word.replace('_', " ")).collect();
        Some(SymptomTopic { name: name.to_owned(), asked: words(asked), seen: words(seen) })
    })
    .collect()
});

/// The topics that words name, in their order in the question; `words` are in lower case.
pub(crate) fn named(words: &[&str]) -> Vec<&'static SymptomTopic> {
    let text = format!(" {} ", words.join(" ").replace('-', " "));
    let mut found: Vec<(usize, &SymptomTopic)> = TOPICS
        .iter()
        .filter_map(|topic| {
            let places = topic.asked.iter().filter_map(|word| text.find(&format!(" {word} ")));
            Some((places.min()?, topic))
        })
        .collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, topic)| topic).collect()
}

/// The topic that one word or phrase of a question is for.
pub(crate) fn of_word(word: &str) -> Option<&'static SymptomTopic> {
    TOPICS.iter().find(|topic| topic.asked.iter().any(|asked| asked == word))
}

impl SymptomTopic {
    /// Whether of these words this one alone asks for it.
    pub(crate) fn is_asked_by_alone(&self, word: &str, words: &[&str]) -> bool {
        let asks = |word: &str| self.asked.iter().any(|asked| asked == word);
        let others = words.iter().copied().filter(|other| *other != word).collect::<Vec<_>>().join(" ");
        let others = format!(" {} ", others.replace('-', " "));
        asks(word) && !self.asked.iter().any(|asked| others.contains(&format!(" {asked} ")))
    }

    /// Whether a text of an alert, finding or log line speaks of it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let plain: String = spread(text);
        self.seen.iter().any(|part| plain.contains(part.as_str()))
    }
}

/// A text in lower case with names of several words taken apart: `FilesystemAlmostFull` has `filesystem almost full`.
fn spread(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 16);
    let mut before_lower = false;
    for sign in text.chars() {
        if sign.is_uppercase() && before_lower {
            plain.push(' ');
        }
        before_lower = sign.is_lowercase();
        if sign == '_' || sign == '-' {
            plain.push(' ');
        } else {
            plain.extend(sign.to_lowercase());
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(question: &str) -> Vec<&'static str> {
        named(&question.split(' ').collect::<Vec<_>>()).into_iter().map(|topic| topic.name.as_str()).collect()
    }

    #[test]
    fn people_name_symptoms_in_their_own_words() {
        assert_eq!(names("is the disk full"), ["disk"]);
        assert_eq!(names("are we out of memory or of connections"), ["memory", "connections"]);
        assert_eq!(names("the out-of-memory one"), ["memory"]);
        assert_eq!(names("who owns it"), Vec::<&str>::new());
    }

    #[test]
    fn alerts_and_lines_speak_of_them() {
        let topic = of_word("disk").unwrap();
        assert!(topic.is_in("FilesystemAlmostFull") && topic.is_in("No space left on device"));
        assert!(!topic.is_in("PostgresConnectionsNearLimit"));
        assert!(of_word("connections").unwrap().is_in("PostgresIdleInTransaction"));
    }
}
