//! The elements that cards and forms of Teams are made of, within their limits. Refuses to know what a card says.

use serde_json::{Value, json};

use super::limits::{self, TEXT_MAX, TITLE_MAX};
use super::markdown::written_out;
use crate::card::{Button, Style};
use crate::text::{self, cut};

/// Characters of one line, before they are written out.
pub(super) const LINE_MAX: usize = 500;
/// Lines of plain words.
const WORDS_LINES_MAX: usize = 40;
/// Characters of plain words.
const WORDS_MAX: usize = 6_000;
/// Bytes of a card: what is left out of it wants to be said too.
const CARD_MAX: usize = limits::CARD_MAX - 1_024;

// Each character of a line may be marked.
const _: () = assert!(2 * LINE_MAX <= TEXT_MAX);

/// A few plain words.
#[must_use]
pub fn words_alone(said: &str) -> Value {
    within(paragraphs(said), Vec::new(), said)
}

/// Words as they were written: a text for each line that says something.
pub(super) fn paragraphs(said: &str) -> Vec<Value> {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let lines = text::lines(&lines.join("\n"), LINE_MAX, WORDS_LINES_MAX, WORDS_MAX);
    let look = json!({"wrap": true, "spacing": "Small"});
    if lines.is_empty() {
        return vec![text_block("", &look)];
    }
    lines.iter().map(|line| text_block(line, &look)).collect()
}

/// A card that fits: what stands last goes first, and that is said.
pub(super) fn within(mut body: Vec<Value>, actions: Vec<Value>, fallback: &str) -> Value {
    let mut left_out = 0;
    loop {
        let mut shown = body.clone();
        if left_out > 0 {
            let said = format!("… {left_out} more parts on the web page");
            shown.push(text_block(&said, &json!({"isSubtle": true, "wrap": true})));
        }
        let mut card = json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.5",
            "msteams": {"width": "Full"},
            "fallbackText": cut(fallback, 300),
            "body": shown,
        });
        if !actions.is_empty() {
            card["actions"] = Value::Array(actions.clone());
        }
        if card.to_string().len() <= CARD_MAX || body.len() <= 2 {
            return card;
        }
        body.pop();
        left_out += 1;
    }
}

pub(super) fn text_block(text: &str, look: &Value) -> Value {
    block(&written_out(&cut(text, LINE_MAX)), look)
}

/// A text that is Markdown already and short enough: cut here it might end within a mark or a link.
pub(super) fn block(markdown: &str, look: &Value) -> Value {
    let mut block = json!({"type": "TextBlock", "text": markdown});
    if let (Some(block), Some(look)) = (block.as_object_mut(), look.as_object()) {
        block.extend(look.clone());
    }
    block
}

pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

pub(super) fn open_url(title: &str, url: &str) -> Option<Value> {
    is_web(url).then(|| json!({"type": "Action.OpenUrl", "title": title, "url": url}))
}

pub(super) fn execute(button: &Button) -> Value {
    let mut action = json!({
        "type": "Action.Execute",
        "title": cut(&button.text, TITLE_MAX),
        "verb": text::word(&button.verb),
        "data": {"h": text::value(&button.verb, button.seen)},
    });
    match button.style {
        Style::Plain => {}
        Style::Primary => action["style"] = json!("positive"),
        Style::Danger => action["style"] = json!("destructive"),
    }
    action
}
