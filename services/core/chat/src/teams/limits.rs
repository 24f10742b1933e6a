//! What Teams takes: the documented size of a message, what a card may be made of, and a check of any document
//! against both that knows nothing of how ours are made. Source: Microsoft, "Limits and specifications for Teams",
//! "Adaptive Cards 1.5".

use serde_json::Value;

/// Bytes of a message with its card.
pub const MESSAGE_MAX: usize = 28 * 1024;
/// Actions that stand in a row; further ones are hidden.
pub const ACTIONS_MAX: usize = 6;
/// Characters on a button.
pub const TITLE_MAX: usize = 60;
/// Characters of one text.
pub const TEXT_MAX: usize = 1_500;
/// Choices of a list.
pub const CHOICES_MAX: usize = 50;

/// What is wrong with a card; empty where Teams would take it.
#[must_use]
pub fn faults(card: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let bytes = card.to_string().len();
    if bytes > MESSAGE_MAX - 1_024 {
        faults.push(format!("{bytes} bytes leave no room for the message around it"));
    }
    if card["type"] != "AdaptiveCard" || card["version"].as_str().is_none_or(|version| version > "1.5") {
        faults.push("no AdaptiveCard of version 1.5 or less".to_owned());
    }
    walk(&mut faults, card);
    faults
}

fn walk(faults: &mut Vec<String>, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(faults, item)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            let length = |name: &str| fields.get(name).and_then(Value::as_str).map_or(0, |text| text.chars().count());
            if kind == "TextBlock" && !(1..=TEXT_MAX).contains(&length("text")) {
                faults.push(format!("a TextBlock of {} characters", length("text")));
            }
            if kind.starts_with("Action.") && !(1..=TITLE_MAX).contains(&length("title")) {
                faults.push(format!("a title of {} characters", length("title")));
            }
            if let Some(Value::Array(actions)) = fields.get("actions")
                && actions.len() > ACTIONS_MAX
            {
                faults.push(format!("{} actions of {ACTIONS_MAX}", actions.len()));
            }
            if let Some(Value::Array(choices)) = fields.get("choices")
                && !(1..=CHOICES_MAX).contains(&choices.len())
            {
                faults.push(format!("{} choices of 1 to {CHOICES_MAX}", choices.len()));
            }
            if kind.starts_with("Input.") && length("id") == 0 {
                faults.push("an input has an id".to_owned());
            }
            fields.values().for_each(|value| walk(faults, value));
        }
        _ => {}
    }
}
