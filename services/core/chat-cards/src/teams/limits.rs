//! What Teams takes: the documented size of a message, what a card may be made of, and a check of any document
//! against both that knows nothing of how ours are made. Source: Microsoft, "Limits and specifications for Teams",
//! "Adaptive Cards 1.5", "Cards reference".

use std::collections::BTreeSet;

use serde_json::Value;

use crate::faults::{items, length, over};

/// Bytes of a message with its card.
pub const MESSAGE_MAX: usize = 28 * 1024;
/// Bytes of a card: the message around it wants some of what a message may have.
pub const CARD_MAX: usize = MESSAGE_MAX - 1_024;
/// Actions that stand in a row; further ones are hidden.
pub const ACTIONS_MAX: usize = 6;
/// Characters on a button, of a label, of a fact's name. Ours: longer ones are cut by narrow clients.
pub const TITLE_MAX: usize = 60;
/// Characters of one text. Ours: Teams names none.
pub const TEXT_MAX: usize = 1_500;
/// Choices of a list. Ours: Teams names none.
pub const CHOICES_MAX: usize = 50;
/// Characters that an input may be given. Ours, as Slack's.
pub const INPUT_MAX: usize = 3_000;

/// What is wrong with a card, or with a message that shows some; empty where Teams would take it.
#[must_use]
pub fn faults(body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if body["type"] == "message" {
        over(&mut faults, "bytes of a message", body.to_string().len(), MESSAGE_MAX);
        if items(&body["attachments"]).next().is_none() && length(&body["text"]) == 0 {
            faults.push("a message says something".to_owned());
        }
        for attachment in items(&body["attachments"]) {
            if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" {
                faults.push(format!("unknown contentType {}", attachment["contentType"]));
            }
            faults.extend(self::faults(&attachment["content"]));
        }
        return faults;
    }
    over(&mut faults, "bytes of a card", body.to_string().len(), CARD_MAX);
    let mut ids = BTreeSet::new();
    card(&mut faults, &mut ids, body, false);
    faults
}

fn card<'a>(faults: &mut Vec<String>, ids: &mut BTreeSet<&'a str>, body: &'a Value, is_inner: bool) {
    if body["type"] != "AdaptiveCard" {
        faults.push(format!("expected an AdaptiveCard, got {}", body["type"]));
    }
    if !["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"].contains(&body["version"].as_str().unwrap_or_default()) {
        faults.push(format!("expected a version up to 1.5, got {}", body["version"]));
    }
    if items(&body["body"]).next().is_none() {
        faults.push("a card has a body".to_owned());
    }
    for element in items(&body["body"]) {
        check(faults, ids, element);
    }
    if !body["actions"].is_null() {
        actions(faults, ids, &body["actions"], is_inner);
    }
}

fn check<'a>(faults: &mut Vec<String>, ids: &mut BTreeSet<&'a str>, element: &'a Value) {
    match element["type"].as_str().unwrap_or_default() {
        "TextBlock" => said(faults, "a text", &element["text"], TEXT_MAX),
        "FactSet" => {
            if items(&element["facts"]).next().is_none() {
                faults.push("a set of facts has one".to_owned());
            }
            for fact in items(&element["facts"]) {
                said(faults, "a fact's name", &fact["title"], TITLE_MAX);
                said(faults, "a fact", &fact["value"], TEXT_MAX);
            }
        }
        "ActionSet" => actions(faults, ids, &element["actions"], true),
        kind @ ("Input.Text" | "Input.ChoiceSet") => {
            said(faults, "a label", &element["label"], TITLE_MAX);
            let id = element["id"].as_str().unwrap_or_default();
            if id.is_empty() || !ids.insert(id) {
                faults.push(format!("expected an id of its own for an input, got {id:?}"));
            }
            if kind == "Input.ChoiceSet" {
                choices(faults, &element["choices"]);
            } else {
                input(faults, element);
            }
        }
        other => faults.push(format!("unknown element {other:?}")),
    }
}

fn input(faults: &mut Vec<String>, element: &Value) {
    let most = element["maxLength"].as_u64().map_or(INPUT_MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    over(faults, "maxLength", most, INPUT_MAX);
    over(faults, "an input's value", length(&element["value"]), most);
}

fn choices(faults: &mut Vec<String>, choices: &Value) {
    let count = items(choices).count();
    over(faults, "choices", count, CHOICES_MAX);
    if count == 0 {
        faults.push("a list has a choice".to_owned());
    }
    for choice in items(choices) {
        said(faults, "a choice", &choice["title"], TEXT_MAX);
    }
}

fn actions<'a>(faults: &mut Vec<String>, ids: &mut BTreeSet<&'a str>, row: &'a Value, is_inner: bool) {
    let count = items(row).count();
    over(faults, "actions", count, ACTIONS_MAX);
    if count == 0 {
        faults.push("a row of actions has one".to_owned());
    }
    for action in items(row) {
        said(faults, "a title", &action["title"], TITLE_MAX);
        if !action["style"].is_null() && action["style"] != "positive" && action["style"] != "destructive" {
            faults.push(format!("unknown style {}", action["style"]));
        }
        match action["type"].as_str().unwrap_or_default() {
            "Action.Execute" => {
                if length(&action["verb"]) == 0 || !action["data"].is_object() {
                    faults.push("an Action.Execute has a verb and data".to_owned());
                }
            }
            "Action.OpenUrl" => {
                let url = action["url"].as_str().unwrap_or_default();
                if !url.starts_with("https://") && !url.starts_with("http://") {
                    faults.push("an Action.OpenUrl has an address of the web".to_owned());
                }
            }
            "Action.ShowCard" if !is_inner => card(faults, ids, &action["card"], true),
            other => faults.push(format!("unknown action {other:?} here")),
        }
    }
}

fn said(faults: &mut Vec<String>, what: &str, text: &Value, most: usize) {
    over(faults, what, length(text), most);
    if length(text) == 0 {
        faults.push(format!("{what}: empty"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(element: Value) -> Value {
        json!({"type": "AdaptiveCard", "version": "1.5", "body": [element]})
    }

    fn text(length: usize) -> Value {
        json!({"type": "TextBlock", "text": "ö".repeat(length)})
    }

    fn pressed(change: &Value) -> Value {
        let mut action = json!({"type": "Action.Execute", "title": "x", "verb": "v", "data": {}});
        action.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        action
    }

    fn row(actions: &[Value]) -> Value {
        let mut card = with(text(1));
        card["actions"] = json!(actions);
        card
    }

    fn shown(card: Value) -> Value {
        json!({"type": "message", "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]})
    }

    fn written(change: &Value) -> Value {
        let mut input = json!({"type": "Input.Text", "id": "a", "label": "x"});
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        with(input)
    }

    fn list(count: usize) -> Value {
        let choices = vec![json!({"title": "x", "value": "x"}); count];
        with(json!({"type": "Input.ChoiceSet", "id": "a", "label": "x", "choices": choices}))
    }

    /// A card of exactly so many bytes.
    fn sized(bytes: usize) -> Value {
        let mut card = with(text(1));
        card["fallbackText"] = json!("");
        let around = card.to_string().len();
        card["fallbackText"] = json!("x".repeat(bytes - around));
        card
    }

    /// The figures stand here as numbers, whatever our constants say.
    #[test]
    fn each_limit_is_kept_at_its_figure_and_broken_one_past_it() {
        type Made = fn(usize) -> Value;
        let fact = |name: usize, value: usize| {
            with(json!({"type": "FactSet", "facts": [{"title": "n".repeat(name), "value": "v".repeat(value)}]}))
        };
        let cases: [(&str, usize, Made); 10] = [
            ("bytes of a card", 27_648, sized),
            ("a text", 1_500, |n| with(text(n))),
            ("actions of a card", 6, |n| row(&vec![pressed(&json!({})); n])),
            ("actions of a set", 6, |n| with(json!({"type": "ActionSet", "actions": vec![pressed(&json!({})); n]}))),
            ("a title", 60, |n| row(&[pressed(&json!({"title": "ö".repeat(n)}))])),
            ("choices", 50, list),
            ("a label", 60, |n| written(&json!({"label": "ö".repeat(n)}))),
            ("maxLength", 3_000, |n| written(&json!({"maxLength": n}))),
            ("a value", 40, |n| written(&json!({"maxLength": 40, "value": "ö".repeat(n)}))),
            ("a value without a limit", 3_000, |n| written(&json!({"value": "ö".repeat(n)}))),
        ];
        for (what, most, made) in cases {
            assert_eq!(faults(&made(most)), Vec::<String>::new(), "{what} at {most}");
            assert_eq!(faults(&made(most + 1)).len(), 1, "{what} past {most}: {:?}", faults(&made(most + 1)));
        }
        for (name, value, count) in [(60, 1_500, 0), (61, 1_500, 1), (60, 1_501, 1)] {
            assert_eq!(faults(&fact(name, value)).len(), count, "{name} {value}");
        }
        let mut message = shown(with(text(1)));
        let around = message.to_string().len();
        message["key"] = json!("k".repeat(28_672 - around - 9));
        assert_eq!((message.to_string().len(), faults(&message)), (28_672, Vec::new()));
        message["key"] = json!("k".repeat(28_672 - around - 8));
        assert_eq!(faults(&message), ["bytes of a message: 28673 of 28672"]);
    }

    #[test]
    fn what_teams_would_not_understand_is_a_fault() {
        let inner = |action: Value| {
            let mut card = with(text(1));
            card["actions"] = json!([action]);
            row(&[json!({"type": "Action.ShowCard", "title": "x", "card": card})])
        };
        let input = json!({"type": "Input.Text", "id": "a", "label": "x"});
        assert_eq!(faults(&inner(pressed(&json!({})))), Vec::<String>::new());
        for (what, body) in [
            ("a newer version", json!({"type": "AdaptiveCard", "version": "1.6", "body": [text(1)]})),
            ("another card", json!({"type": "HeroCard", "version": "1.5", "body": [text(1)]})),
            ("no body", json!({"type": "AdaptiveCard", "version": "1.5", "body": []})),
            ("an empty text", with(text(0))),
            ("no facts", with(json!({"type": "FactSet", "facts": []}))),
            ("an unknown element", with(json!({"type": "Chart"}))),
            ("an empty row", with(json!({"type": "ActionSet", "actions": []}))),
            ("an empty list", list(0)),
            ("an input without an id", written(&json!({"id": ""}))),
            ("one id twice", json!({"type": "AdaptiveCard", "version": "1.5", "body": [input, input]})),
            ("no verb", row(&[pressed(&json!({"verb": ""}))])),
            ("no data", row(&[pressed(&json!({"data": null}))])),
            ("an unknown style", row(&[pressed(&json!({"style": "loud"}))])),
            ("an unknown action", row(&[pressed(&json!({"type": "Action.Run"}))])),
            ("an address of a program", row(&[json!({"type": "Action.OpenUrl", "title": "x", "url": "javascript:x"})])),
            (
                "a card in a card in a card",
                inner(json!({"type": "Action.ShowCard", "title": "x", "card": with(text(1))})),
            ),
            ("a message of nothing", json!({"type": "message"})),
            ("a message with a fault in its card", shown(with(text(0)))),
        ] {
            assert_eq!(faults(&body).len(), 1, "{what}: {:?}", faults(&body));
        }
    }
}
