//! Whether a question is in English. Owns a few telling words of other languages; refuses to translate.

use super::foreign;

/// Languages with words that their questions have and English ones have not.
const LANGUAGES: [(&str, &[&str]); 8] = [
    (
        "German",
        &[
            "ist", "was", "der", "die", "das", "und", "wer", "warum", "wieso", "wann", "wie", "welche", "welcher",
            "nicht", "haben", "hat", "wir", "seit", "kaputt", "ursache", "war", "für", "sind", "gibt", "auf", "mit",
            "los", "bitte", "läuft", "geht", "viele", "zeig", "ich", "soll", "wurde", "eine", "ein", "den", "dem",
            "im", "vorfall",
        ],
    ),
    (
        "French",
        &[
            "est",
            "quel",
            "quelle",
            "quels",
            "quelles",
            "pourquoi",
            "qui",
            "que",
            "quoi",
            "les",
            "des",
            "le",
            "la",
            "une",
            "depuis",
            "quand",
            "combien",
            "ce",
            "avec",
            "sont",
            "dois",
            "je",
            "nous",
            "fait",
            "s'est",
            "panne",
            "pas",
            "il",
            "est-ce",
            "qu'est-ce",
            "cette",
            "déjà",
            "du",
            "au",
        ],
    ),
    (
        "Spanish",
        &[
            "qué", "que", "cuál", "cual", "por", "está", "esta", "el", "los", "las", "quién", "quien", "cuándo",
            "cuando", "cuánto", "cuanto", "desde", "cómo", "hay", "causa", "es", "fue", "pasa", "pasando", "debo",
            "hacer", "del", "una", "un", "cuántos", "cuantos", "caído",
        ],
    ),
    (
        "Italian",
        &[
            "che",
            "cosa",
            "qual",
            "è",
            "perché",
            "chi",
            "quando",
            "il",
            "gli",
            "sono",
            "della",
            "dove",
            "quanto",
            "sta",
            "succedendo",
            "come",
            "devo",
            "fare",
            "funziona",
            "non",
            "di",
        ],
    ),
    (
        "Portuguese",
        &[
            "qual",
            "quem",
            "quando",
            "está",
            "acontecendo",
            "não",
            "porque",
            "foi",
            "uma",
            "um",
            "o",
            "os",
            "isso",
            "há",
            "fazer",
        ],
    ),
    (
        "Dutch",
        &[
            "wat", "wie", "waarom", "wanneer", "hoe", "is", "het", "een", "er", "aan", "nog", "werkt", "oorzaak",
            "sinds", "welke", "moet", "doen", "niet", "van",
        ],
    ),
    (
        "Polish",
        &["co", "się", "dlaczego", "kto", "kiedy", "jest", "nie", "czy", "jak", "dzieje", "przyczyna", "jaka", "stało"],
    ),
    (
        "Turkish",
        &["ne", "neden", "kim", "nasıl", "mı", "mi", "oldu", "için", "bu", "ve", "sorun", "hangi", "çalışıyor"],
    ),
];
/// Words that questions in English have.
const ENGLISH: [&str; 59] = [
    "no", "what", "who", "why", "when", "how", "which", "where", "the", "is", "are", "was", "were", "did", "does",
    "do", "has", "have", "and", "of", "on", "it", "this", "that", "we", "i", "to", "for", "with", "in", "at", "show",
    "me", "any", "not", "been", "list", "give", "there", "be", "by", "from", "as", "a", "an", "many", "long", "should",
    "could", "can", "will", "you", "or", "all", "if", "but", "so", "about", "before",
];

/// The language of a question where it is not English; `another language` for a script that English does not use.
pub(crate) fn other_than_english(words: &[&str]) -> Option<&'static str> {
    let letters = words.iter().flat_map(|word| word.chars()).filter(|sign| sign.is_alphabetic());
    let (mut foreign, mut all) = (0_usize, 0_usize);
    for letter in letters {
        all += 1;
        foreign += usize::from(u32::from(letter) >= 0x0370);
    }
    if all > 0 && foreign * 2 > all {
        return Some("another language");
    }
    let count = |of: &[&str]| words.iter().filter(|word| of.contains(word)).count();
    let english = count(&ENGLISH);
    let telling: Vec<&str> = words.iter().copied().filter(|word| !ENGLISH.contains(word)).collect();
    let known = foreign::known(&telling);
    let of = |name: &str, words: &[&str]| count(words).max(known.get(name).copied().unwrap_or(0));
    let (name, best) =
        LANGUAGES.iter().map(|(name, words)| (*name, of(name, words))).max_by_key(|(_, count)| *count)?;
    let accented = words.iter().any(|word| word.chars().any(|sign| !sign.is_ascii() && sign.is_alphabetic()));
    let enough = best >= 2 || best == 1 && (words.len() <= 2 && english == 0 || accented);
    (enough && best > english).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(question: &str, expect: Option<&str>) {
        let words: Vec<String> =
            question.to_lowercase().split([' ', '?', ',']).filter(|w| !w.is_empty()).map(ToOwned::to_owned).collect();
        assert_eq!(other_than_english(&words.iter().map(String::as_str).collect::<Vec<_>>()), expect, "{question}");
    }

    #[test]
    fn other_languages_are_known_by_a_few_words() {
        check("Was ist die Ursache?", Some("German"));
        check("Warum ist checkout kaputt?", Some("German"));
        check("Brennt gerade was?", Some("German"));
        check("disque plein ?", Some("French"));
        check("Quelle est la cause de la panne?", Some("French"));
        check("¿Qué está pasando?", Some("Spanish"));
        check("что случилось", Some("another language"));
        check("何が起きた", Some("another language"));
    }

    #[test]
    fn english_is_english() {
        for question in [
            "What is going on?",
            "rollout problem?",
            "no alarm",
            "error budget",
            "is die-42 up",
            "was it the deploy",
            "why",
            "postgres",
            "who is on it",
            "status",
        ] {
            check(question, None);
        }
    }
}
