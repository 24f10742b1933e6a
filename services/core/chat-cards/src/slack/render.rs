//! Cards as Slack's blocks, within its limits. Owns how a card looks there; what it says is [`crate::card`]'s.
//!
//! No text of ours is `mrkdwn`: plain text and rich text are shown as they are, so that nothing from telemetry can
//! mention, link or format, and a break in a line of it begins no other. What is too long is cut and says so.

use hindcast_api::{Answer, Incident};
use hindcast_domain::Severity;
use serde_json::{Value, json};

use super::limits::{ACTIONS_MAX, BLOCKS_MAX, BUTTON_MAX, FIELD_MAX, FIELDS_MAX, HEADER_MAX, MENU_MAX, SECTION_MAX};
use crate::card::{self, Button, CardLine, Section, Style};
use crate::text::{self, cut};
use crate::view::{IncidentView, ThreadNote};

/// Characters of the text that notifications show.
const FALLBACK_MAX: usize = 300;
/// Characters of one line.
const LINE_MAX: usize = 600;
/// Lines of one section.
const LINES_MAX: usize = 14;
/// Characters of plain words: what is left out of them is said in the room behind.
const WORDS_MAX: usize = SECTION_MAX - 40;
/// Lines of plain words.
const WORDS_LINES_MAX: usize = 60;
/// Characters for which another line is begun.
const ROOM_MIN: usize = 20;

/// An incident's card.
#[must_use]
pub fn card(view: &IncidentView) -> Value {
    let card = card::card(view);
    let mut blocks = vec![header(&format!("{} {}", mark(card.severity, card.over), card.title))];
    blocks.push(context(&card.status));
    blocks.push(facts(&card.facts));
    // Whoever was woken finds these without reading on.
    if !card.buttons.is_empty() {
        let mut row = actions(&card.buttons);
        if let (Some(menu), Some(row)) = (menu(&card.more), row["elements"].as_array_mut()) {
            row.push(menu);
        }
        blocks.push(row);
    }
    for section in &card.sections {
        blocks.extend(of_section(section));
    }
    blocks.push(rich(&[foot(&card.footer, Some(&card.url))]));
    message(&one_line(&card.fallback), blocks)
}

/// A line in a card's thread.
#[must_use]
pub fn note(of: &ThreadNote) -> Value {
    let section = card::note(of);
    let fallback: Vec<&str> = section.lines.iter().map(words).collect();
    message(&one_line(&fallback.join(" ")), of_section(&section))
}

/// The Block Kit message of a copilot answer.
#[must_use]
pub fn answer(of: &Answer, public_url: &str) -> Value {
    let said = card::answer(of, public_url);
    // Words that no claim was found in keep their lines.
    let lines = match said.claims.as_slice() {
        [CardLine::Text(words)] => words.lines().map(|line| CardLine::Text(line.to_owned())).collect(),
        _ => said.claims,
    };
    let claims = Section { heading: String::new(), lines, buttons: Vec::new() };
    let mut blocks = of_section(&claims);
    blocks.extend(said.remarks.iter().map(|remark| context(remark)));
    blocks.push(context(&said.footer));
    if !said.buttons.is_empty() {
        blocks.push(actions(&said.buttons));
    }
    message(&said.fallback, blocks)
}

/// A few plain words.
#[must_use]
pub fn words_alone(said: &str) -> Value {
    let lines = text::lines(said, WORDS_MAX, WORDS_LINES_MAX, WORDS_MAX);
    message(said, vec![rich(&[text_element(&lines.join("\n"))])])
}

/// A list of incidents.
#[must_use]
pub fn list(incidents: &[Incident]) -> Value {
    let lines: Vec<CardLine> = incidents.iter().map(card::listed).collect();
    let heading = if lines.is_empty() { "Nothing is open." } else { "Open incidents" };
    let section = Section { heading: heading.to_owned(), lines, buttons: Vec::new() };
    message(heading, of_section(&section))
}

fn message(fallback: &str, mut blocks: Vec<Value>) -> Value {
    if blocks.len() > BLOCKS_MAX {
        let left_out = blocks.len() - (BLOCKS_MAX - 1);
        blocks.truncate(BLOCKS_MAX - 1);
        blocks.push(context(&format!("{left_out} more parts on the web page")));
    }
    json!({"text": escaped(&cut(fallback, FALLBACK_MAX)), "blocks": blocks})
}

/// The notification's text is the one place where Slack reads marks: what would begin one is written out, and no
/// name follows an `@` at once, whichever way the message is parsed.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@\u{2060}")
}

/// A text whose breaks begin no line of their own.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\u{2028}', '\u{2029}'], " ")
}

fn mark(severity: Severity, over: bool) -> &'static str {
    if over {
        return "✅";
    }
    match severity {
        Severity::Critical => "🔴",
        Severity::High => "🟠",
        Severity::Medium => "🟡",
        Severity::Low => "🔵",
        Severity::Info => "⚪",
    }
}

pub(super) fn plain(text: &str) -> Value {
    let text = if text.trim().is_empty() { "–" } else { text };
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": plain(&cut(&one_line(text), HEADER_MAX))})
}

pub(super) fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [plain(&cut(&one_line(text), FIELD_MAX))]})
}

fn facts(facts: &[(String, String)]) -> Value {
    let field = |(name, value): &(String, String)| plain(&cut(&format!("{name}\n{}", one_line(value)), LINE_MAX));
    json!({"type": "section", "fields": facts.iter().take(FIELDS_MAX).map(field).collect::<Vec<_>>()})
}

fn of_section(section: &Section) -> Vec<Value> {
    let mut parts = Vec::new();
    if !section.heading.is_empty() {
        parts.push(json!({"type": "text", "text": section.heading, "style": {"bold": true}}));
    }
    let mut room = SECTION_MAX;
    let mut shown = 0;
    for line in section.lines.iter().take(LINES_MAX) {
        if room < ROOM_MIN {
            break;
        }
        if !parts.is_empty() {
            parts.push(json!({"type": "text", "text": "\n"}));
        }
        let line = cut_line(line, LINE_MAX.min(room));
        room = room.saturating_sub(length(&line) + 1);
        parts.extend(elements(&line));
        shown += 1;
    }
    if section.lines.len() > shown {
        parts.push(text_element(&format!("\n… and {} more", section.lines.len() - shown)));
    }
    let mut blocks = Vec::new();
    if !parts.is_empty() {
        blocks.push(rich(&parts));
    }
    if !section.buttons.is_empty() {
        blocks.push(actions(&section.buttons));
    }
    blocks
}

/// A line within so many characters, all in one.
fn cut_line(line: &CardLine, max: usize) -> CardLine {
    match line {
        CardLine::Text(text) => CardLine::Text(cut(&one_line(text), max)),
        CardLine::Link { text, url, rest } => {
            let text = cut(&one_line(text), max);
            let left = max.saturating_sub(text.chars().count());
            // Where the link's words fill the line, nothing stands behind them.
            let rest = if left == 0 { String::new() } else { cut(&one_line(rest), left) };
            CardLine::Link { rest, text, url: url.clone() }
        }
    }
}

/// Characters that a line shows.
fn length(line: &CardLine) -> usize {
    match line {
        CardLine::Text(text) => text.chars().count(),
        CardLine::Link { text, rest, .. } => text.chars().count() + rest.chars().count(),
    }
}

fn words(line: &CardLine) -> &str {
    match line {
        CardLine::Text(text) => text,
        CardLine::Link { text, rest, .. } => {
            if rest.is_empty() {
                text
            } else {
                rest
            }
        }
    }
}

fn elements(line: &CardLine) -> Vec<Value> {
    match line {
        CardLine::Text(text) => vec![text_element(text)],
        CardLine::Link { text, url, rest } => {
            let mut parts = vec![link(text, url)];
            if !rest.is_empty() {
                let gap = if rest.starts_with(' ') { "" } else { " " };
                parts.push(text_element(&format!("{gap}{rest}")));
            }
            parts
        }
    }
}

pub(super) fn text_element(text: &str) -> Value {
    json!({"type": "text", "text": if text.is_empty() { "–" } else { text }})
}

fn link(text: &str, url: &str) -> Value {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web {
        json!({"type": "link", "url": url, "text": if text.is_empty() { url } else { text }})
    } else {
        text_element(text)
    }
}

fn foot(text: &str, url: Option<&str>) -> Value {
    url.map_or_else(|| text_element(text), |url| link(text, url))
}

pub(super) fn rich(parts: &[Value]) -> Value {
    json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]})
}

fn actions(buttons: &[Button]) -> Value {
    let button = |(index, button): (usize, &Button)| {
        let mut shown = json!({
            "type": "button",
            "action_id": format!("{}-{index}", text::word(&button.verb)),
            "text": plain(&cut(&button.text, BUTTON_MAX)),
            "value": text::value(&button.verb, button.seen).to_string(),
        });
        match button.style {
            Style::Plain => {}
            Style::Primary => shown["style"] = json!("primary"),
            Style::Danger => shown["style"] = json!("danger"),
        }
        shown
    };
    json!({"type": "actions", "elements": buttons.iter().take(ACTIONS_MAX).enumerate().map(button).collect::<Vec<_>>()})
}

/// Acts behind a menu, where there are some.
fn menu(more: &[Button]) -> Option<Value> {
    let option = |button: &Button| {
        let value = text::value(&button.verb, button.seen).to_string();
        json!({"text": plain(&cut(&button.text, BUTTON_MAX)), "value": value})
    };
    let options: Vec<Value> = more.iter().take(MENU_MAX).map(option).collect();
    (!options.is_empty()).then(|| json!({"type": "overflow", "action_id": "more", "options": options}))
}
