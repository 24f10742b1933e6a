//! Cards as Adaptive Cards 1.5, within what Teams takes. Owns how a card looks there; what it says is
//! [`crate::card`]'s. A text block reads Markdown, so everything that would be read as such is written out.

use hindcast_api::{Answer, Incident};
use hindcast_domain::Severity;
use serde_json::{Value, json};

use super::limits::{ACTIONS_MAX, MESSAGE_MAX, TEXT_MAX, TITLE_MAX};
use crate::card::{self, Button, Line, Section, Style};
use crate::interaction::Verb;
use crate::text::{self, cut};
use crate::view::{Note, View};

/// Characters of one line, before they are written out.
const LINE_MAX: usize = 500;
/// Lines of one section.
const LINES_MAX: usize = 12;
/// Bytes of a card: the message around it wants some of what Teams takes.
const CARD_MAX: usize = MESSAGE_MAX - 2_048;

/// An incident's card.
#[must_use]
pub fn card(view: &View) -> Value {
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
    let mut actions: Vec<Value> = card.buttons.iter().map(|button| action(button, view)).collect();
    actions.truncate(ACTIONS_MAX - 1);
    actions.extend(open_url("Open", &card.url));
    within(body, actions, &card.fallback)
}

/// A line in a card's thread.
#[must_use]
pub fn note(of: &Note) -> Value {
    let section = card::note(of);
    let fallback: Vec<&str> = section.lines.iter().map(words).collect();
    within(of_section(&section), Vec::new(), &fallback.join(" "))
}

/// An answer.
#[must_use]
pub fn answer(of: &Answer, public_url: &str) -> Value {
    let said = card::answer(of, public_url);
    let mut body = of_section(&Section { heading: String::new(), lines: said.claims, buttons: Vec::new() });
    let small = json!({"isSubtle": true, "size": "Small", "wrap": true});
    body.extend(said.remarks.iter().map(|remark| text_block(remark, &small)));
    body.push(text_block(&said.footer, &small));
    within(body, said.buttons.iter().map(execute).collect(), &said.fallback)
}

/// A few plain words.
#[must_use]
pub fn words_alone(said: &str) -> Value {
    within(vec![text_block(said, &json!({"wrap": true}))], Vec::new(), said)
}

/// A list of incidents.
#[must_use]
pub fn list(incidents: &[Incident]) -> Value {
    let lines: Vec<Line> = incidents.iter().map(card::listed).collect();
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

/// A card that fits: what stands last goes first, and that is said.
fn within(mut body: Vec<Value>, actions: Vec<Value>, fallback: &str) -> Value {
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

/// Text as Markdown that reads as it stands.
fn written_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '!' | '|' | '~' | '<' | '>'
        ) {
            out.push('\\');
        }
        out.push(if c == '\n' || c == '\r' { ' ' } else { c });
    }
    // `{{…}}` is a template's and `<at>` a mention's: both are broken by the marks in front.
    if out.trim().is_empty() { "–".to_owned() } else { out }
}

fn text_block(text: &str, look: &Value) -> Value {
    block(&written_out(&cut(text, LINE_MAX)), look)
}

fn block(markdown: &str, look: &Value) -> Value {
    let mut block = json!({"type": "TextBlock", "text": cut(markdown, TEXT_MAX)});
    if let (Some(block), Some(look)) = (block.as_object_mut(), look.as_object()) {
        block.extend(look.clone());
    }
    block
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
            Line::Text(text) => written_out(&cut(text, LINE_MAX)),
            Line::Link { text, url, rest } => {
                let rest = if rest.is_empty() { String::new() } else { written_out(&cut(rest, LINE_MAX)) };
                let gap = if rest.is_empty() || rest.starts_with(' ') { "" } else { " " };
                format!("{}{gap}{rest}", link(&cut(text, LINE_MAX), url))
            }
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

fn link(text: &str, url: &str) -> String {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let fits =
        is_web && url.len() <= 500 && !url.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>'));
    if fits { format!("[{}]({url})", written_out(text)) } else { written_out(text) }
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

fn open_url(title: &str, url: &str) -> Option<Value> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web.then(|| json!({"type": "Action.OpenUrl", "title": title, "url": url}))
}

fn execute(button: &Button) -> Value {
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

/// A button. What opens a dialog elsewhere unfolds a form here.
fn action(button: &Button, view: &View) -> Value {
    let incident = &view.incident;
    let (verb, inputs) = match &button.verb {
        Verb::OpenResolve(id) => (
            Verb::Resolve { incident: id.clone(), cause: None, resolution: None },
            vec![
                input("cause", "What was it?", incident.cause.as_deref()),
                input("resolution", "What ended it?", incident.resolution.as_deref()),
            ],
        ),
        Verb::OpenAsk(id) => (
            Verb::Ask { incident: Some(id.clone()), text: String::new() },
            vec![input("question", "Your question", None)],
        ),
        // A list would change with every incident that opens, and the card with it.
        Verb::OpenMerge(id) => (
            Verb::Merge { incident: id.clone(), into: id.clone() },
            vec![
                json!({"type": "Input.Text", "id": "into", "label": "It is a part of (the beginning of an id)", "maxLength": 40}),
            ],
        ),
        _ => return execute(button),
    };
    let send =
        Button { text: button.text.trim_end_matches('…').to_owned(), style: Style::Primary, verb, seen: button.seen };
    json!({
        "type": "Action.ShowCard",
        "title": cut(&button.text, TITLE_MAX),
        "card": {"type": "AdaptiveCard", "version": "1.5", "body": inputs, "actions": [execute(&send)]},
    })
}

fn input(id: &str, label: &str, now: Option<&str>) -> Value {
    let mut input = json!({"type": "Input.Text", "id": id, "label": label, "isMultiline": true, "maxLength": 2_000});
    if let Some(now) = now {
        input["value"] = json!(cut(now, 1_000));
    }
    input
}
