//! What Slack takes: the documented limits of messages and dialogs, and a check of any document against them that
//! knows nothing of how ours are made. Source: Slack, "Block Kit reference", "Views reference".

use serde_json::Value;

/// Blocks of a message.
pub const BLOCKS_MAX: usize = 50;
/// Blocks of a dialog.
pub const VIEW_BLOCKS_MAX: usize = 100;
/// Characters of a header.
pub const HEADER_MAX: usize = 150;
/// Characters of a section's text.
pub const SECTION_MAX: usize = 3_000;
/// Fields of a section.
pub const FIELDS_MAX: usize = 10;
/// Characters of a field.
pub const FIELD_MAX: usize = 2_000;
/// Elements of a context.
pub const CONTEXT_MAX: usize = 10;
/// Elements of a row of actions.
pub const ACTIONS_MAX: usize = 25;
/// Characters on a button, or of an option.
pub const BUTTON_MAX: usize = 75;
/// Characters that a button carries.
pub const VALUE_MAX: usize = 2_000;
/// Characters that an option carries.
pub const OPTION_VALUE_MAX: usize = 150;
/// Characters of an id of ours.
pub const ID_MAX: usize = 255;
/// Characters of a dialog's title and of its buttons.
pub const TITLE_MAX: usize = 24;
/// Options of a list.
pub const OPTIONS_MAX: usize = 100;
/// Characters that a dialog carries.
pub const METADATA_MAX: usize = 3_000;
/// Characters of a message's text.
pub const TEXT_MAX: usize = 40_000;

/// What is wrong with a message or a dialog; empty where Slack would take it.
#[must_use]
pub fn faults(body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let view = body["type"] == "modal";
    let most = if view { VIEW_BLOCKS_MAX } else { BLOCKS_MAX };
    let mut all: Vec<&Value> = Vec::new();
    for blocks in std::iter::once(&body["blocks"]).chain(items(&body["attachments"]).map(|one| &one["blocks"])) {
        let count = items(blocks).count();
        over(&mut faults, "blocks", count, most);
        all.extend(items(blocks));
    }
    over(&mut faults, "text", length(&body["text"]), TEXT_MAX);
    if view {
        over(&mut faults, "title", length(&body["title"]["text"]), TITLE_MAX);
        over(&mut faults, "submit", length(&body["submit"]["text"]), TITLE_MAX);
        over(&mut faults, "close", length(&body["close"]["text"]), TITLE_MAX);
        over(&mut faults, "private_metadata", length(&body["private_metadata"]), METADATA_MAX);
        if items(&body["blocks"]).any(|block| block["type"] == "input") && body["submit"].is_null() {
            faults.push("a dialog with inputs needs a submit".to_owned());
        }
    } else if all.is_empty() && length(&body["text"]) == 0 {
        faults.push("a message says something".to_owned());
    }
    let mut ids = std::collections::BTreeSet::new();
    for block in all {
        check(&mut faults, block);
        if let Some(id) = block["block_id"].as_str() {
            over(&mut faults, "block_id", id.chars().count(), ID_MAX);
            if !ids.insert(id) {
                faults.push(format!("block_id {id} comes twice"));
            }
        }
    }
    faults
}

fn check(faults: &mut Vec<String>, block: &Value) {
    match block["type"].as_str().unwrap_or_default() {
        "header" => {
            over(faults, "header", length(&block["text"]["text"]), HEADER_MAX);
            if block["text"]["type"] != "plain_text" {
                faults.push("a header is plain text".to_owned());
            }
            said(faults, "header", &block["text"]["text"]);
        }
        "section" => {
            over(faults, "section", length(&block["text"]["text"]), SECTION_MAX);
            over(faults, "fields", items(&block["fields"]).count(), FIELDS_MAX);
            for field in items(&block["fields"]) {
                over(faults, "field", length(&field["text"]), FIELD_MAX);
                said(faults, "field", &field["text"]);
            }
            if block["text"].is_null() && items(&block["fields"]).count() == 0 {
                faults.push("a section has a text or fields".to_owned());
            } else if !block["text"].is_null() {
                said(faults, "section", &block["text"]["text"]);
            }
            if !block["accessory"].is_null() {
                element(faults, &block["accessory"]);
            }
        }
        "context" => {
            over(faults, "context", items(&block["elements"]).count(), CONTEXT_MAX);
            for element in items(&block["elements"]) {
                over(faults, "context text", length(&element["text"]), FIELD_MAX);
                said(faults, "context", &element["text"]);
            }
        }
        "actions" => {
            let count = items(&block["elements"]).count();
            over(faults, "actions", count, ACTIONS_MAX);
            if count == 0 {
                faults.push("a row of actions has one".to_owned());
            }
            let mut ids = std::collections::BTreeSet::new();
            for one in items(&block["elements"]) {
                element(faults, one);
                if !ids.insert(one["action_id"].as_str().unwrap_or_default()) {
                    faults.push(format!("action_id {} comes twice", one["action_id"]));
                }
            }
        }
        "input" => {
            over(faults, "label", length(&block["label"]["text"]), FIELD_MAX);
            over(faults, "hint", length(&block["hint"]["text"]), FIELD_MAX);
            element(faults, &block["element"]);
        }
        "rich_text" => rich(faults, block),
        "divider" => {}
        other => faults.push(format!("unknown block {other:?}")),
    }
}

fn rich(faults: &mut Vec<String>, block: &Value) {
    let mut count = 0;
    for section in items(&block["elements"]) {
        for part in items(&section["elements"]) {
            match part["type"].as_str().unwrap_or_default() {
                "text" => said(faults, "rich text", &part["text"]),
                "link" => {
                    said(faults, "a link's address", &part["url"]);
                    over(faults, "a link's address", length(&part["url"]), SECTION_MAX);
                }
                other => faults.push(format!("unknown rich text {other:?}")),
            }
            count += length(&part["text"]);
        }
        if items(&section["elements"]).count() == 0 {
            faults.push("a rich text says something".to_owned());
        }
    }
    over(faults, "rich text", count, SECTION_MAX + FIELD_MAX);
}

fn element(faults: &mut Vec<String>, of: &Value) {
    over(faults, "action_id", length(&of["action_id"]), ID_MAX);
    match of["type"].as_str().unwrap_or_default() {
        "button" => {
            over(faults, "button", length(&of["text"]["text"]), BUTTON_MAX);
            over(faults, "value", length(&of["value"]), VALUE_MAX);
            over(faults, "url", length(&of["url"]), SECTION_MAX);
            said(faults, "button", &of["text"]["text"]);
            if !of["style"].is_null() && of["style"] != "primary" && of["style"] != "danger" {
                faults.push(format!("unknown style {}", of["style"]));
            }
        }
        "static_select" => {
            let count = items(&of["options"]).count();
            over(faults, "options", count, OPTIONS_MAX);
            if count == 0 {
                faults.push("a list has an option".to_owned());
            }
            for option in items(&of["options"]) {
                over(faults, "option", length(&option["text"]["text"]), BUTTON_MAX);
                over(faults, "option value", length(&option["value"]), OPTION_VALUE_MAX);
                said(faults, "option", &option["text"]["text"]);
            }
        }
        "plain_text_input" => over(faults, "placeholder", length(&of["placeholder"]["text"]), OPTION_VALUE_MAX),
        other => faults.push(format!("unknown element {other:?}")),
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn over(faults: &mut Vec<String>, what: &str, count: usize, most: usize) {
    if count > most {
        faults.push(format!("{what}: {count} of {most}"));
    }
}

fn said(faults: &mut Vec<String>, what: &str, text: &Value) {
    if length(text) == 0 {
        faults.push(format!("{what}: empty"));
    }
}
