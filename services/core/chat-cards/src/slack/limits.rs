//! What Slack takes: the documented limits of messages and dialogs, and a check of any document against them that
//! knows nothing of how ours are made. Source: Slack, "Block Kit reference", "Views reference".

use serde_json::Value;

use crate::faults::{items, length, over};

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
/// Options of a menu.
pub const MENU_MAX: usize = 5;
/// Characters that an input may be given.
pub const INPUT_MAX: usize = 3_000;

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
            let count = items(&block["elements"]).count();
            over(faults, "context", count, CONTEXT_MAX);
            if count == 0 {
                faults.push("a context has an element".to_owned());
            }
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
        kind @ ("static_select" | "multi_static_select" | "overflow") => {
            let count = items(&of["options"]).count();
            over(faults, "options", count, if kind == "overflow" { MENU_MAX } else { OPTIONS_MAX });
            if count == 0 {
                faults.push("a list has an option".to_owned());
            }
            for option in items(&of["options"]) {
                over(faults, "option", length(&option["text"]["text"]), BUTTON_MAX);
                over(faults, "option value", length(&option["value"]), OPTION_VALUE_MAX);
                said(faults, "option", &option["text"]["text"]);
            }
        }
        "plain_text_input" => {
            over(faults, "placeholder", length(&of["placeholder"]["text"]), OPTION_VALUE_MAX);
            let most = of["max_length"].as_u64().map_or(INPUT_MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
            over(faults, "max_length", most, INPUT_MAX);
            over(faults, "initial_value", length(&of["initial_value"]), most);
        }
        other => faults.push(format!("unknown element {other:?}")),
    }
}

fn said(faults: &mut Vec<String>, what: &str, text: &Value) {
    if length(text) == 0 {
        faults.push(format!("{what}: empty"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(length: usize) -> Value {
        json!({"type": "plain_text", "text": "ö".repeat(length)})
    }

    fn message(block: Value) -> Value {
        json!({"text": "x", "blocks": [block]})
    }

    fn section(length: usize) -> Value {
        json!({"type": "section", "text": plain(length)})
    }

    fn button(with: &Value) -> Value {
        let mut button = json!({"type": "button", "text": plain(3), "action_id": "a", "value": "v"});
        button.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        message(json!({"type": "actions", "elements": [button]}))
    }

    fn modal(with: &Value) -> Value {
        let mut view = json!({"type": "modal", "title": plain(3), "submit": plain(3), "close": plain(3),
            "blocks": [section(1)]});
        view.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        view
    }

    fn input(element: &Value) -> Value {
        modal(&json!({"blocks": [{"type": "input", "label": plain(3), "element": element}]}))
    }

    fn list(options: usize, text: usize, value: usize) -> Value {
        let option = json!({"text": plain(text), "value": "v".repeat(value)});
        input(&json!({"type": "static_select", "action_id": "a", "options": vec![option; options]}))
    }

    fn many(count: usize, one: impl Fn(usize) -> Value) -> Vec<Value> {
        (0..count).map(one).collect()
    }

    fn action(n: usize) -> Value {
        json!({"type": "button", "text": plain(3), "action_id": n.to_string()})
    }

    /// The figures stand here as numbers: they are the vendor's, whatever our constants say.
    #[test]
    fn each_limit_is_kept_at_its_figure_and_broken_one_past_it() {
        type Made = fn(usize) -> Value;
        let cases: [(&str, usize, Made); 28] = [
            ("blocks", 50, |n| json!({"text": "x", "blocks": many(n, |_| json!({"type": "divider"}))})),
            (
                "blocks in an attachment",
                50,
                |n| json!({"text": "x", "attachments": [{"blocks": many(n, |_| json!({"type": "divider"}))}]}),
            ),
            ("blocks of a dialog", 100, |n| modal(&json!({"blocks": many(n, |_| json!({"type": "divider"}))}))),
            ("text", 40_000, |n| json!({"text": "x".repeat(n)})),
            ("header", 150, |n| message(json!({"type": "header", "text": plain(n)}))),
            ("section", 3_000, |n| message(section(n))),
            ("fields", 10, |n| message(json!({"type": "section", "fields": many(n, |_| plain(1))}))),
            ("field", 2_000, |n| message(json!({"type": "section", "fields": [plain(n)]}))),
            ("context", 10, |n| message(json!({"type": "context", "elements": many(n, |_| plain(1))}))),
            ("context text", 2_000, |n| message(json!({"type": "context", "elements": [plain(n)]}))),
            ("actions", 25, |n| message(json!({"type": "actions", "elements": many(n, action)}))),
            ("button", 75, |n| button(&json!({"text": plain(n)}))),
            ("value", 2_000, |n| button(&json!({"value": "v".repeat(n)}))),
            ("action_id", 255, |n| button(&json!({"action_id": "a".repeat(n)}))),
            ("url", 3_000, |n| button(&json!({"url": "u".repeat(n)}))),
            ("block_id", 255, |n| message(json!({"type": "divider", "block_id": "b".repeat(n)}))),
            ("title", 24, |n| modal(&json!({"title": plain(n)}))),
            ("submit", 24, |n| modal(&json!({"submit": plain(n)}))),
            ("close", 24, |n| modal(&json!({"close": plain(n)}))),
            ("private_metadata", 3_000, |n| modal(&json!({"private_metadata": "m".repeat(n)}))),
            ("options", 100, |n| list(n, 3, 3)),
            ("option", 75, |n| list(1, n, 3)),
            ("option value", 150, |n| list(1, 3, n)),
            ("label", 2_000, |n| {
                let element = json!({"type": "plain_text_input", "action_id": "a"});
                modal(&json!({"blocks": [{"type": "input", "label": plain(n), "element": element}]}))
            }),
            ("hint", 2_000, |n| {
                let element = json!({"type": "plain_text_input", "action_id": "a"});
                modal(&json!({"blocks": [{"type": "input", "label": plain(1), "hint": plain(n), "element": element}]}))
            }),
            ("placeholder", 150, |n| input(&json!({"type": "plain_text_input", "placeholder": plain(n)}))),
            ("max_length", 3_000, |n| input(&json!({"type": "plain_text_input", "max_length": n}))),
            ("initial_value", 40, |n| {
                input(&json!({"type": "plain_text_input", "max_length": 40, "initial_value": "x".repeat(n)}))
            }),
        ];
        for (what, most, made) in cases {
            assert_eq!(faults(&made(most)), Vec::<String>::new(), "{what} at {most}");
            assert_eq!(faults(&made(most + 1)).len(), 1, "{what} past {most}: {:?}", faults(&made(most + 1)));
        }
    }

    #[test]
    fn what_slack_would_not_understand_is_a_fault() {
        let twice = |id: &str| json!([{"type": "divider", "block_id": id}, {"type": "divider", "block_id": id}]);
        for (what, body) in [
            ("nothing", json!({})),
            ("an empty text", message(section(0))),
            ("an empty section", message(json!({"type": "section"}))),
            ("an empty context", message(json!({"type": "context", "elements": []}))),
            ("an empty row", message(json!({"type": "actions", "elements": []}))),
            ("a header with marks", message(json!({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}))),
            ("an unknown block", message(json!({"type": "chart"}))),
            ("an unknown style", button(&json!({"style": "loud"}))),
            ("one id twice", json!({"text": "x", "blocks": twice("b")})),
            ("one action twice", message(json!({"type": "actions", "elements": [action(1), action(1)]}))),
            ("an empty list", list(0, 3, 3)),
            ("an input without a submit", {
                let mut view = input(&json!({"type": "plain_text_input"}));
                view["submit"] = Value::Null;
                view
            }),
        ] {
            assert_eq!(faults(&body).len(), 1, "{what}: {:?}", faults(&body));
        }
    }
}
