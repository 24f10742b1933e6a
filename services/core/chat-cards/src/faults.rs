//! What the checks of both vendors' limits count with. Each vendor's limits, and what a document of it may be made of,
//! stand with that vendor.

use serde_json::Value;

/// The items of a list; none where it is no list.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The characters of a text; 0 where it is none.
pub(crate) fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

/// Notes what is past a limit.
pub(crate) fn over(faults: &mut Vec<String>, what: &str, count: usize, most: usize) {
    if count > most {
        faults.push(format!("{what}: {count} of {most}"));
    }
}
