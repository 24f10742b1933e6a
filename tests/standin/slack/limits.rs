//! What Slack would refuse of a message or a dialog.

use serde_json::Value;

/// What Slack would refuse of a message or a dialog: an opinion of its own, in short.
pub fn faults(body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let blocks = body["blocks"].as_array().cloned().unwrap_or_default();
    let most = if body["type"] == "modal" { 100 } else { 50 };
    if blocks.len() > most || blocks.is_empty() && body["text"].as_str().is_none_or(str::is_empty) {
        faults.push(format!("{} blocks", blocks.len()));
    }
    let known = ["header", "section", "context", "actions", "divider", "input", "rich_text"];
    for block in &blocks {
        if !known.iter().any(|known| block["type"] == *known) {
            faults.push(format!("unknown block {}", block["type"]));
        }
        limit(&mut faults, block);
    }
    faults
}

fn limit(faults: &mut Vec<String>, value: &Value) {
    let text = |of: &Value| of["text"].as_str().map_or(0, |text| text.chars().count());
    match value["type"].as_str().unwrap_or_default() {
        "header" if !(1..=150).contains(&text(&value["text"])) => faults.push("header".into()),
        "button" if !(1..=75).contains(&text(&value["text"])) => faults.push("button".into()),
        "plain_text" if !(1..=3_000).contains(&text(value)) => faults.push("plain_text".into()),
        "actions" if !(1..=25).contains(&value["elements"].as_array().map_or(0, Vec::len)) => {
            faults.push("actions".into())
        }
        _ => {}
    }
    if value["value"].as_str().is_some_and(|carried| carried.len() > 2_000) {
        faults.push("value".into());
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| limit(faults, item)),
        Value::Object(fields) => fields.values().for_each(|item| limit(faults, item)),
        _ => {}
    }
}
