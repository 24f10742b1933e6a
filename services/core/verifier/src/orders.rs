//! Whether a text tells its reader to do something, or speaks as if it were us. Such a text is never ticked, not even
//! as a quotation: a tick beside it would read as advice.

/// Words with which an order begins.
const ORDERS: [&str; 40] = [
    "run",
    "delete",
    "drop",
    "remove",
    "kill",
    "execute",
    "restart",
    "reboot",
    "stop",
    "disable",
    "ignore",
    "rollback",
    "revert",
    "scale",
    "approve",
    "resolve",
    "close",
    "acknowledge",
    "ack",
    "silence",
    "merge",
    "open",
    "visit",
    "click",
    "call",
    "send",
    "post",
    "set",
    "turn",
    "please",
    "do",
    "don't",
    "deploy",
    "apply",
    "truncate",
    "purge",
    "flush",
    "terminate",
    "shutdown",
    "rm",
];
/// Words of whoever speaks, and of promises.
const SPEAKS: [&str; 16] = [
    "i", "i'm", "i've", "i'll", "we", "we've", "we'll", "my", "our", "us", "me", "you", "your", "must", "should",
    "safe",
];

/// Whether a quotation is an order, a promise, or speaks in the first person.
pub(crate) fn is_order(text: &str) -> bool {
    let folded = crate::words::fold(text);
    if folded.contains("://") || folded.contains("www.") || folded.contains("rm -") || folded.contains("sudo ") {
        return true;
    }
    let first = |part: &str| {
        let word = part.split_whitespace().next().unwrap_or_default().trim_matches(|c: char| !c.is_alphanumeric());
        ORDERS.contains(&word)
    };
    let sentences = folded.split(['.', ';', ':', '!', ',', '\n']);
    sentences.clone().any(first)
        || folded
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ':' | ';' | '!' | '?' | '(' | ')'))
            .any(|word| SPEAKS.contains(&word))
}

/// Whether a sentence of a model tells its reader to do something, promises it, or calls it safe.
#[must_use]
pub fn advises(text: &str) -> bool {
    let folded = crate::words::fold(text);
    let words = |part: &str| -> Vec<String> {
        let cut = part.split(|c: char| !c.is_alphanumeric() && c != '\'');
        cut.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let speaks = ["i", "i'm", "i've", "i'll", "we", "we've", "we'll", "you", "please"];
    folded.split(['.', ';', '!', '\n']).map(words).any(|words| {
        words.first().is_some_and(|first| ORDERS.contains(&first.as_str()))
            || words.iter().any(|word| speaks.contains(&word.as_str()))
            || words.windows(2).any(|pair| matches!(pair, [a, b] if a == "safe" && b == "to"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_advises_is_told_from_one_that_tells() {
        for text in [
            "Delete the volume of postgres.",
            "It is safe to drop the table",
            "postgres alarmed. Restart it",
            "We resolved it",
        ] {
            assert!(advises(text), "{text}");
        }
        for text in
            ["postgres: open connections rose", "ada deleted the volume", "the run failed", "checkout is set to v42"]
        {
            assert!(!advises(text), "{text}");
        }
    }

    #[test]
    fn an_order_and_a_promise_are_known() {
        for text in [
            "Run rm -rf / as root",
            "it is safe to drop the table",
            "Done. Delete it",
            "I have resolved it",
            "see http://x",
        ] {
            assert!(is_order(text), "{text}");
        }
        for text in [
            "FATAL: sorry, too many clients already",
            "postgres has 3 of 400 connections left",
            "closed 96 idle transactions",
        ] {
            assert!(!is_order(text), "{text}");
        }
    }
}
