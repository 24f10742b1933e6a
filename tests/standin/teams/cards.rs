//! Whether Teams would show a message, as far as a card's own shape tells it; and the buttons of a card.

use serde_json::{Value, json};

/// The most actions that one row of a card shows.
const ACTIONS_MAX: usize = 6;

/// The action of that title, wherever in a message or card it stands.
pub fn action(within: &Value, title: &str) -> Option<Value> {
    let is_action = within["type"].as_str().is_some_and(|kind| kind.starts_with("Action."));
    if is_action && within["title"] == title && within["type"] != "Action.ShowCard" {
        return Some(within.clone());
    }
    match within {
        Value::Array(items) => items.iter().find_map(|item| action(item, title)),
        Value::Object(fields) => fields.values().find_map(|item| action(item, title)),
        _ => None,
    }
}

/// Whether Teams would show a message: text or Adaptive Cards of a version and of elements that it knows.
pub fn check_activity(activity: &Value) -> Result<(), String> {
    if activity["type"] != "message" {
        return Err(format!("expected type message, got {}", activity["type"]));
    }
    let cards = activity["attachments"].as_array().cloned().unwrap_or_default();
    if cards.is_empty() && activity["text"].as_str().is_none_or(str::is_empty) {
        return Err("a message needs text or attachments".into());
    }
    cards.iter().try_for_each(|attached| {
        if attached["contentType"] != "application/vnd.microsoft.card.adaptive" {
            return Err(format!("unknown contentType {}", attached["contentType"]));
        }
        check_card(&attached["content"])
    })
}

/// Whether a card is one.
pub fn check_card(card: &Value) -> Result<(), String> {
    if card["type"] != "AdaptiveCard" {
        return Err(format!("expected type AdaptiveCard, got {}", card["type"]));
    }
    let version = card["version"].as_str().unwrap_or_default();
    if !["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"].contains(&version) {
        return Err(format!("Teams shows no cards of version {version:?}"));
    }
    let body = card["body"].as_array().ok_or("a card needs a body")?;
    body.iter().try_for_each(check_element)?;
    check_actions(&card["actions"])
}

fn list<'a>(of: &'a Value, name: &str) -> Result<&'a Vec<Value>, String> {
    of[name].as_array().ok_or_else(|| format!("{} needs {name}", of["type"]))
}

fn text(of: &Value, name: &str) -> Result<(), String> {
    let there = of[name].as_str().is_some_and(|text| !text.is_empty());
    if there { Ok(()) } else { Err(format!("{} needs {name}", of["type"])) }
}

fn check_element(element: &Value) -> Result<(), String> {
    match element["type"].as_str().unwrap_or_default() {
        "TextBlock" => text(element, "text"),
        "Image" => text(element, "url"),
        "RichTextBlock" => list(element, "inlines").map(|_| ()),
        "FactSet" => list(element, "facts")?.iter().try_for_each(|fact| {
            let good = fact["title"].is_string() && fact["value"].is_string();
            if good { Ok(()) } else { Err(format!("a fact is a title and a value, got {fact}")) }
        }),
        "Container" | "Column" => list(element, "items")?.iter().try_for_each(check_element),
        "ColumnSet" => list(element, "columns")?.iter().try_for_each(check_element),
        "ActionSet" => check_actions(&element["actions"]),
        "Table" => list(element, "columns").map(|_| ()),
        "Input.ChoiceSet" => list(element, "choices").and_then(|_| text(element, "id")),
        "Input.Text" | "Input.Number" | "Input.Toggle" | "Input.Date" | "Input.Time" => text(element, "id"),
        other => Err(format!("Teams knows no element {other:?}")),
    }
}

fn check_actions(actions: &Value) -> Result<(), String> {
    let Some(actions) = actions.as_array() else {
        return if actions.is_null() { Ok(()) } else { Err("actions are a list".into()) };
    };
    if actions.len() > ACTIONS_MAX {
        return Err(format!("expected at most {ACTIONS_MAX} actions, got {}", actions.len()));
    }
    actions.iter().try_for_each(|action| {
        text(action, "title")?;
        match action["type"].as_str().unwrap_or_default() {
            "Action.OpenUrl" => text(action, "url"),
            "Action.Execute" => text(action, "verb"),
            "Action.Submit" | "Action.ToggleVisibility" => Ok(()),
            "Action.ShowCard" => check_inner(&action["card"]),
            other => Err(format!("Teams knows no action {other:?}")),
        }
    })
}

/// A card within a card names no version.
fn check_inner(card: &Value) -> Result<(), String> {
    let mut card = card.clone();
    if card["version"].is_null() && card.is_object() {
        card["version"] = json!("1.5");
    }
    check_card(&card)
}
