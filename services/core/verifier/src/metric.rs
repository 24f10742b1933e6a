//! What people call a metric: some of the words of its name, or words that mean the same. Owns these words.

/// Words that say nothing by themselves in a metric's name.
const WEAK: [&str; 16] = [
    "http", "total", "ratio", "rate", "bytes", "seconds", "p50", "p90", "p95", "p99", "count", "number", "sum",
    "usage", "of", "the",
];

/// Words of which the second may stand for the first.
const ALIKE: [(&str, &str); 12] = [
    ("available", "free"),
    ("bytes", "space"),
    ("ratio", "rate"),
    ("ratio", "share"),
    ("utilization", "usage"),
    ("utilisation", "usage"),
    ("mem", "memory"),
    ("conns", "connections"),
    ("conn", "connections"),
    ("reqs", "requests"),
    ("errs", "errors"),
    ("duration", "latency"),
];

/// A word without its plural.
fn singular(word: &str) -> &str {
    if word.len() > 3 && !word.ends_with("ss") { word.strip_suffix('s').unwrap_or(word) } else { word }
}

/// A metric's name without its labels.
fn bare(name: &str) -> &str {
    name.split('{').next().unwrap_or(name).trim()
}

/// The words of a metric's name.
fn words(name: &str) -> impl Iterator<Item = &str> {
    bare(name).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether a word may stand in a phrase for a metric of this name.
pub(crate) fn is_word_of(word: &str, name: &str) -> bool {
    let same = |a: &str, b: &str| singular(a) == singular(b);
    words(name).any(|known| {
        same(known, word) || ALIKE.iter().any(|(written, spoken)| same(written, known) && same(spoken, word))
    })
}

/// Whether what is written names the metric: by its name, or by words of it, one of which tells it from others.
pub(crate) fn is_metric(written: &str, name: &str) -> bool {
    if bare(written) == bare(name) {
        return true;
    }
    if written.contains('_') {
        return false;
    }
    let spoken: Vec<&str> = written.split_whitespace().filter(|word| !["the", "number", "of"].contains(word)).collect();
    !spoken.is_empty()
        && spoken.iter().all(|word| is_word_of(word, name))
        && spoken.iter().any(|word| !WEAK.contains(&singular(word)) && !WEAK.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_called_by_words_of_its_name() {
        assert!(is_metric("error ratio", "http_error_ratio") && is_metric("error rate", "http_error_ratio"));
        assert!(is_metric("number of active connections", "connections_active"));
        assert!(is_metric("free disk space", "disk_available_bytes"));
        assert!(!is_metric("idle connections", "connections_active") && !is_metric("ratio", "http_error_ratio"));
        assert!(!is_metric("latency", "http_error_ratio") && !is_metric("http_error_count", "http_error_ratio"));
    }
}
