//! Cards as Slack's blocks, within its limits. Owns how a card looks there; what it says is [`crate::card`]'s.
//!
//! No text of ours is `mrkdwn`: plain text and rich text are shown as they are, so that nothing from telemetry can
//! mention, link or format, and a break in a line of it begins no other. What is too long is cut and says so.

use hindcast_api::{Answer, Incident};
use hindcast_domain::{IncidentId, Severity};
use serde_json::{Value, json};

use super::limits::{
    ACTIONS_MAX, BLOCKS_MAX, BUTTON_MAX, FIELD_MAX, FIELDS_MAX, HEADER_MAX, METADATA_MAX, OPTIONS_MAX, SECTION_MAX,
    TITLE_MAX,
};
use super::read::{CAUSE, INTO, QUESTION, RESOLUTION};
use crate::card::{self, Button, Line, Section, Style};
use crate::interaction::Verb;
use crate::text::{self, cut};
use crate::view::{Note, View};

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
pub fn card(view: &View) -> Value {
    let card = card::card(view);
    let mut blocks = vec![header(&format!("{} {}", mark(card.severity, card.over), card.title))];
    blocks.push(context(&card.status));
    blocks.push(facts(&card.facts));
    // Whoever was woken finds these without reading on.
    if !card.buttons.is_empty() {
        blocks.push(actions(&card.buttons));
    }
    for section in &card.sections {
        blocks.extend(of_section(section));
    }
    blocks.push(rich(&[foot(&card.footer, Some(&card.url))]));
    message(&one_line(&card.fallback), blocks)
}

/// A line in a card's thread.
#[must_use]
pub fn note(of: &Note) -> Value {
    let section = card::note(of);
    let fallback: Vec<&str> = section.lines.iter().map(words).collect();
    message(&one_line(&fallback.join(" ")), of_section(&section))
}

/// An answer.
#[must_use]
pub fn answer(of: &Answer, public_url: &str) -> Value {
    let said = card::answer(of, public_url);
    // Words that no claim was found in keep their lines.
    let lines = match said.claims.as_slice() {
        [Line::Text(words)] => words.lines().map(|line| Line::Text(line.to_owned())).collect(),
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
    let lines: Vec<Line> = incidents.iter().map(card::listed).collect();
    let heading = if lines.is_empty() { "Nothing is open." } else { "Open incidents" };
    let section = Section { heading: heading.to_owned(), lines, buttons: Vec::new() };
    message(heading, of_section(&section))
}

/// Where a dialog was opened from: the channel, and the thread that an answer goes into.
pub type From<'a> = (&'a str, Option<&'a str>);

/// The dialog that asks what it was and what ended it.
#[must_use]
pub fn dialog_resolve(incident: &Incident, from: From<'_>) -> Value {
    let verb = |incident| Verb::Resolve { incident, cause: None, resolution: None };
    let inputs = vec![
        context(&incident.title),
        input(CAUSE, "What was it?", "idle transactions held every connection", incident.cause.as_deref(), false),
        input(RESOLUTION, "What ended it?", "terminated the sessions", incident.resolution.as_deref(), true),
    ];
    dialog("Resolve", "Resolve", inputs, incident, verb, from)
}

/// The dialog that asks which incident remains.
#[must_use]
pub fn dialog_merge(incident: &Incident, open: &[Incident], from: From<'_>) -> Value {
    // A merge's verb is read with the incident that is chosen; the one in the button is the one that ends.
    let verb = |incident: IncidentId| Verb::Merge { into: incident.clone(), incident };
    let others: Vec<&Incident> = open.iter().filter(|other| other.id != incident.id).collect();
    let mut blocks = vec![context(&incident.title)];
    if others.is_empty() {
        blocks.push(rich(&[text_element("No other incident is open: there is nothing to merge it into.")]));
        return bare("Merge", blocks);
    }
    let option = |other: &&Incident| {
        let name = one_line(&format!("{} {}", card::short(&other.id), other.title));
        json!({"text": plain(&cut(&name, BUTTON_MAX)), "value": other.id})
    };
    let options: Vec<Value> = others.iter().take(OPTIONS_MAX).map(option).collect();
    let left_out = others.len() - options.len();
    let list = json!({"type": "static_select", "action_id": INTO, "placeholder": plain("Choose"), "options": options});
    let label = plain("It is a part of");
    let mut choice = json!({"type": "input", "block_id": INTO, "label": label, "element": list});
    if left_out > 0 {
        let hint =
            format!("{left_out} more are open. For one of them, type: merge {} into …", card::short(&incident.id));
        choice["hint"] = plain(&hint);
    }
    blocks.push(choice);
    dialog("Merge", "Merge", blocks, incident, verb, from)
}

/// The dialog that asks for a question.
#[must_use]
pub fn dialog_ask(incident: &Incident, from: From<'_>) -> Value {
    let verb = |incident| Verb::Ask { incident: Some(incident), text: String::new() };
    let inputs =
        vec![context(&incident.title), input(QUESTION, "Your question", "what changed before this?", None, false)];
    dialog("Ask", "Ask", inputs, incident, verb, from)
}

fn dialog(
    title: &str,
    submit: &str,
    blocks: Vec<Value>,
    incident: &Incident,
    verb: impl Fn(IncidentId) -> Verb,
    (channel, thread): From<'_>,
) -> Value {
    let mut carried = incident.id.parse().map(|id| text::value(&verb(id), Some(incident.revision))).unwrap_or_default();
    carried["c"] = json!(channel);
    carried["m"] = json!(thread);
    let mut view = bare(title, blocks);
    view["submit"] = plain(&cut(submit, TITLE_MAX));
    view["private_metadata"] = json!(cut(&carried.to_string(), METADATA_MAX));
    view
}

fn bare(title: &str, blocks: Vec<Value>) -> Value {
    json!({"type": "modal", "title": plain(&cut(title, TITLE_MAX)), "close": plain("Cancel"), "blocks": blocks})
}

fn input(id: &str, label: &str, example: &str, now: Option<&str>, optional: bool) -> Value {
    let mut element = json!({
        "type": "plain_text_input", "action_id": id, "multiline": true, "max_length": 2_000,
        "placeholder": plain(example),
    });
    if let Some(now) = now {
        element["initial_value"] = json!(cut(now, 2_000));
    }
    json!({"type": "input", "block_id": id, "optional": optional, "label": plain(label), "element": element})
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
fn one_line(text: &str) -> String {
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

fn plain(text: &str) -> Value {
    let text = if text.trim().is_empty() { "–" } else { text };
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": plain(&cut(&one_line(text), HEADER_MAX))})
}

fn context(text: &str) -> Value {
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
fn cut_line(line: &Line, max: usize) -> Line {
    match line {
        Line::Text(text) => Line::Text(cut(&one_line(text), max)),
        Line::Link { text, url, rest } => {
            let text = cut(&one_line(text), max);
            let left = max.saturating_sub(text.chars().count());
            // Where the link's words fill the line, nothing stands behind them.
            let rest = if left == 0 { String::new() } else { cut(&one_line(rest), left) };
            Line::Link { rest, text, url: url.clone() }
        }
    }
}

/// Characters that a line shows.
fn length(line: &Line) -> usize {
    match line {
        Line::Text(text) => text.chars().count(),
        Line::Link { text, rest, .. } => text.chars().count() + rest.chars().count(),
    }
}

fn words(line: &Line) -> &str {
    match line {
        Line::Text(text) => text,
        Line::Link { text, rest, .. } => {
            if rest.is_empty() {
                text
            } else {
                rest
            }
        }
    }
}

fn elements(line: &Line) -> Vec<Value> {
    match line {
        Line::Text(text) => vec![text_element(text)],
        Line::Link { text, url, rest } => {
            let mut parts = vec![link(text, url)];
            if !rest.is_empty() {
                let gap = if rest.starts_with(' ') { "" } else { " " };
                parts.push(text_element(&format!("{gap}{rest}")));
            }
            parts
        }
    }
}

fn text_element(text: &str) -> Value {
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

fn rich(parts: &[Value]) -> Value {
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
