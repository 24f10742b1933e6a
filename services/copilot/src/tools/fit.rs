//! What does not fit an answer is cut, and what was cut is counted in it: `shortened` texts, `left_off` items.

use serde_json::{Value, json};

/// Longest tool output that a model is given; longer ones are cut.
pub const OUTPUT_BYTES_MAX: usize = 32 * 1024;
/// Bytes of one text in an output.
pub const TEXT_BYTES_MAX: usize = 2 * 1024;
/// Bytes that are kept free for the counts.
const RESERVE: usize = 96;
/// How often the longest list is cut before an output is given up on.
const CUTS_MAX: usize = 32;

/// Bytes of a value as JSON.
pub(super) fn weigh(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => quoted(text),
        Value::Array(items) => 2 + items.iter().map(|item| weigh(item) + 1).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(key, value)| quoted(key) + weigh(value) + 2).sum::<usize>(),
    }
}

/// Bytes of a text between its quotes, as serde_json escapes it.
fn quoted(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<usize>()
}

/// The value in at most `bytes_max` bytes (a few hundred at the least): texts shortened, lists cut at their end,
/// both counted in it.
#[must_use]
pub fn fit(mut value: Value, bytes_max: usize) -> Value {
    let mut shortened = 0;
    shorten(&mut value, &mut shortened);
    let mut left_off = 0;
    for _ in 0..CUTS_MAX {
        let bytes = weigh(&value);
        if bytes + RESERVE <= bytes_max {
            return counted(value, shortened, left_off);
        }
        let Some(list) = longest(&mut value) else { break };
        left_off += cut(list, bytes + RESERVE - bytes_max);
    }
    let said = "the answer does not fit; ask for less: name a service, a status or a shorter stretch of time";
    json!({"items": [], "left_off": left_off, "shortened": shortened, "note": said})
}

fn counted(mut value: Value, shortened: u64, left_off: u64) -> Value {
    if let Value::Object(fields) = &mut value {
        for (name, count) in [("shortened", shortened), ("left_off", left_off)] {
            if count > 0 {
                // Whoever cut before has a count of its own.
                let before = fields.get(name).and_then(Value::as_u64).unwrap_or(0);
                fields.insert(name.to_owned(), json!(before + count));
            }
        }
    }
    value
}

/// Shortens texts that are too long, and counts them.
fn shorten(value: &mut Value, count: &mut u64) {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES_MAX => {
            let mut end = TEXT_BYTES_MAX - '…'.len_utf8();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push('…');
            *count += 1;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, count)),
        Value::Object(fields) => fields.values_mut().for_each(|item| shorten(item, count)),
        _ => {}
    }
}

/// The heaviest list in a value, itself included; only one with items.
fn longest(value: &mut Value) -> Option<&mut Vec<Value>> {
    match value {
        // A list in a list is cut only where the outer one has a single item left.
        Value::Array(items) => match items.len() {
            0 => None,
            1 => items.first_mut().and_then(longest),
            _ => Some(items),
        },
        Value::Object(fields) => {
            let heaviest = fields.values_mut().filter(|value| holds_list(value)).max_by_key(|value| weigh(value))?;
            longest(heaviest)
        }
        _ => None,
    }
}

fn holds_list(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.len() > 1 || items.first().is_some_and(holds_list),
        Value::Object(fields) => fields.values().any(holds_list),
        _ => false,
    }
}

/// Takes items off a list's end until `excess` bytes are saved or one item is left.
fn cut(list: &mut Vec<Value>, excess: usize) -> u64 {
    let mut saved = 0;
    let mut count = 0;
    while saved < excess && list.len() > 1 {
        saved += list.pop().map_or(0, |item| weigh(&item) + 1);
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_the_length_as_json() {
        let value = json!({"a\n": [1, -2.5, "é\"\u{1}", null, true, false, {}], "b": {"c": []}});
        assert!(weigh(&value) >= value.to_string().len());
        assert!(weigh(&value) <= value.to_string().len() + 8, "a comma too many for each list at most");
    }

    #[test]
    fn what_fits_is_left_alone() {
        let value = json!({"items": [1, 2, 3], "position": 7});
        assert_eq!(fit(value.clone(), 1_000), value);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_counted() {
        let items: Vec<Value> = (0..5_000).map(|n| json!({"n": n, "text": "x".repeat(50)})).collect();
        let cut = fit(json!({"items": items, "position": 1}), OUTPUT_BYTES_MAX);
        assert!(cut.to_string().len() <= OUTPUT_BYTES_MAX);
        let left = cut["items"].as_array().unwrap().len() as u64;
        assert!(left > 300);
        assert_eq!(cut["left_off"].as_u64().unwrap() + left, 5_000);
    }

    #[test]
    fn long_texts_are_shortened_at_a_character() {
        let cut = fit(json!({"text": "é".repeat(4_000)}), OUTPUT_BYTES_MAX);
        assert!(cut["text"].as_str().unwrap().len() <= TEXT_BYTES_MAX);
        assert_eq!(cut["shortened"], 1);
    }

    #[test]
    fn what_cannot_be_cut_says_so() {
        let wide: serde_json::Map<String, Value> =
            (0..200).map(|n| (format!("key-{n}"), json!("y".repeat(1_000)))).collect();
        let cut = fit(Value::Object(wide), OUTPUT_BYTES_MAX);
        assert!(cut.to_string().len() <= OUTPUT_BYTES_MAX);
        assert!(cut["note"].as_str().unwrap().contains("does not fit"));
    }
}
