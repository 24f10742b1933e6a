//! Cards as Adaptive Cards 1.5, within what Teams takes. Owns how a card looks there; what it says is
//! [`crate::card`]'s. A text block and a fact read Markdown, so everything that would be read as such is written out.

use hindcast_api::{Answer, Incident};
use hindcast_domain::Severity;
use serde_json::{Value, json};

use super::elements::{LINE_MAX, block, execute, is_web, open_url, paragraphs, text_block, within};
use super::forms;
use super::limits::{ACTIONS_MAX, TEXT_MAX};
use super::markdown::written_out;
use crate::buttons::MORE;
use crate::card::{self, Button, CardLine, Section, Style};
use crate::interaction::ChatVerb;
use crate::text::cut;
use crate::view::{IncidentView, ThreadNote};

pub use super::elements::words_alone;

/// Lines of one section.
const LINES_MAX: usize = 12;
/// Bytes of an address that a text leads to.
const ADDRESS_MAX: usize = 500;
/// An incident's card.
#[must_use]
pub fn card(view: &IncidentView) -> Value {
    let card = card::card(view);
    let mut body = vec![
        text_block(&card.title, &json!({"size": "Large", "weight": "Bolder", "wrap": true})),
        text_block(
            &card.status,
            &json!({"color": colour(card.severity, card.over), "weight": "Bolder", "wrap": true, "spacing": "None"}),
        ),
        facts(&card.facts),
    ];
    for section in &card.sections {
        body.extend(of_section(section));
    }
    body.push(text_block(&card.footer, &json!({"isSubtle": true, "size": "Small", "wrap": true})));
    let mut buttons = card.buttons;
    if let (false, Ok(id)) = (card.more.is_empty(), view.incident.id.parse()) {
        let (text, verb) = (MORE.to_owned(), ChatVerb::OpenMore(id));
        buttons.push(Button { text, style: Style::Plain, verb, seen: Some(view.incident.revision) });
    }
    // What opens a dialog elsewhere unfolds a form here.
    let action = |button: &Button| forms::unfolded(button, &view.incident).unwrap_or_else(|| execute(button));
    let mut actions: Vec<Value> = buttons.iter().map(action).collect();
    actions.truncate(ACTIONS_MAX - 1);
    actions.extend(open_url("Open", &card.url));
    within(body, actions, &card.fallback)
}

/// A line in a card's thread.
#[must_use]
pub fn note(of: &ThreadNote) -> Value {
    let section = card::note(of);
    let fallback: Vec<&str> = section.lines.iter().map(words).collect();
    within(of_section(&section), Vec::new(), &fallback.join(" "))
}

/// The Adaptive Card message of a copilot answer.
#[must_use]
pub fn answer(of: &Answer, public_url: &str) -> Value {
    let said = card::answer(of, public_url);
    // Words that no claim was found in keep their lines.
    let mut body = match said.claims.as_slice() {
        [CardLine::Text(words)] => paragraphs(words),
        _ => of_section(&Section { heading: String::new(), lines: said.claims, buttons: Vec::new() }),
    };
    let small = json!({"isSubtle": true, "size": "Small", "wrap": true});
    body.extend(said.remarks.iter().map(|remark| text_block(remark, &small)));
    body.push(text_block(&said.footer, &small));
    within(body, said.buttons.iter().map(execute).collect(), &said.fallback)
}

/// A list of incidents.
#[must_use]
pub fn list(incidents: &[Incident]) -> Value {
    let lines: Vec<CardLine> = incidents.iter().map(card::listed).collect();
    let heading = if lines.is_empty() { "Nothing is open." } else { "Open incidents" };
    within(of_section(&Section { heading: heading.to_owned(), lines, buttons: Vec::new() }), Vec::new(), heading)
}

/// A notice for a workflow, which takes no answer: `{"type":"message","attachments":[…]}`.
#[must_use]
pub fn notice(severity: Severity, title: &str, lines: &[&str], url: Option<&str>) -> Value {
    let mut body = vec![
        text_block(title, &json!({"size": "Large", "weight": "Bolder", "wrap": true})),
        text_block(
            &severity.to_string().to_uppercase(),
            &json!({"color": colour(severity, false), "weight": "Bolder", "spacing": "None"}),
        ),
    ];
    body.extend(lines.iter().take(LINES_MAX).map(|line| text_block(line, &json!({"wrap": true}))));
    let card = within(body, url.and_then(|url| open_url("Open", url)).into_iter().collect(), title);
    json!({"type": "message", "attachments": [attachment(card)]})
}

/// A message activity that shows a card.
#[must_use]
pub fn activity(card: Value) -> Value {
    json!({"type": "message", "attachments": [attachment(card)]})
}

fn attachment(card: Value) -> Value {
    json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card})
}

fn colour(severity: Severity, over: bool) -> &'static str {
    if over {
        return "Good";
    }
    match severity {
        Severity::Critical | Severity::High => "Attention",
        Severity::Medium => "Warning",
        Severity::Low | Severity::Info => "Accent",
    }
}

fn facts(facts: &[(String, String)]) -> Value {
    let fact = |(name, value): &(String, String)| json!({"title": name, "value": written_out(&cut(value, LINE_MAX))});
    json!({"type": "FactSet", "facts": facts.iter().map(fact).collect::<Vec<_>>()})
}

fn of_section(section: &Section) -> Vec<Value> {
    let mut parts = Vec::new();
    if !section.heading.is_empty() {
        parts.push(text_block(&section.heading, &json!({"weight": "Bolder", "separator": true, "wrap": true})));
    }
    for line in section.lines.iter().take(LINES_MAX) {
        let markdown = match line {
            CardLine::Text(text) => written_out(&cut(text, LINE_MAX)),
            CardLine::Link { text, url, rest } => link(text, url, rest),
        };
        parts.push(block(&markdown, &json!({"wrap": true, "spacing": "Small"})));
    }
    if section.lines.len() > LINES_MAX {
        let more = format!("… and {} more", section.lines.len() - LINES_MAX);
        parts.push(text_block(&more, &json!({"isSubtle": true, "wrap": true})));
    }
    if !section.buttons.is_empty() {
        let actions: Vec<Value> = section.buttons.iter().take(ACTIONS_MAX).map(execute).collect();
        parts.push(json!({"type": "ActionSet", "actions": actions}));
    }
    parts
}

/// Words that lead somewhere and what stands behind them, as Markdown. Where the address is none of the web, or would
/// not be read as one, the words stand alone.
fn link(text: &str, url: &str, rest: &str) -> String {
    let leads = is_web(url) && url.len() <= ADDRESS_MAX && !url.contains(ends_an_address);
    // Each character may be marked; `[](` and `)` and a space are no characters of either.
    let around = if leads { url.len() + 5 } else { 1 };
    let room = (TEXT_MAX - around) / 2;
    let text = cut(text, LINE_MAX.min(room));
    let rest = cut(rest.trim(), LINE_MAX.min(room.saturating_sub(text.chars().count())));
    let words = written_out(&text);
    let linked = if leads { format!("[{words}]({url})") } else { words };
    if rest.is_empty() { linked } else { format!("{linked} {}", written_out(&rest)) }
}

/// Whether a character would end a link's address, or be read as a mark in it.
fn ends_an_address(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>' | '[' | ']' | '\\' | '`' | '"' | '*')
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
