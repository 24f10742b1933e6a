//! Dialogs as Slack's modals: one for each act that needs something, made from the catalogue's fields, and one that
//! asks for a question.

use hindcast_api::Incident;
use hindcast_domain::act::{ActArgument, ActEntry, ActName, ArgumentForm, SNOOZES};
use hindcast_domain::{IncidentId, Severity};
use serde_json::{Value, json};

use super::limits::{BUTTON_MAX, METADATA_MAX, OPTIONS_MAX, TITLE_MAX};
use super::render::{context, one_line, plain, rich, text_element};
use crate::card;
use crate::interaction::ChatVerb;
use crate::text::{self, QUESTION, cut};
use crate::view::{DialogChoices, current};

/// Where a dialog was opened from: the channel, and the thread that an answer goes into.
pub type From<'a> = (&'a str, Option<&'a str>);

/// The dialog that asks for what an act needs.
#[must_use]
pub fn act(act: &ActEntry, incident: &Incident, choices: &DialogChoices, from: From<'_>) -> Value {
    let mut blocks = vec![context(&incident.title)];
    for (index, argument) in act.fields().enumerate() {
        // What comes first is why the dialog was opened; an owner that is left empty is nobody.
        let optional = index > 0 || argument.form == ArgumentForm::Owner;
        match field(act, argument, incident, choices, optional) {
            Some(block) => blocks.push(block),
            None => {
                blocks.push(rich(&[text_element(nothing(act))]));
                return bare(act.button, blocks);
            }
        }
    }
    dialog(act.button, act.button, blocks, incident, |id| ChatVerb::act(act.name, id), from)
}

/// Why there is nothing to choose from.
pub(crate) const fn nothing(act: &ActEntry) -> &'static str {
    match act.name {
        ActName::Merge => "No other incident is open: there is nothing to merge it into.",
        _ => "There is nothing to choose from.",
    }
}

/// The dialog that asks for a question.
#[must_use]
pub fn ask(incident: &Incident, from: From<'_>) -> Value {
    let verb = |incident| ChatVerb::Ask { incident: Some(incident), text: String::new() };
    let question = input(QUESTION, "Your question", "what changed before this?", None, true);
    let inputs = vec![context(&incident.title), block(QUESTION, "Your question", question, false)];
    dialog("Ask", "Ask", inputs, incident, verb, from)
}

/// A field; nothing where there is nothing to choose from.
fn field(
    act: &ActEntry,
    argument: &ActArgument,
    incident: &Incident,
    choices: &DialogChoices,
    optional: bool,
) -> Option<Value> {
    let name = argument.name;
    let now = current(incident, name);
    let words =
        |words: &[(&str, &str)]| -> Vec<Value> { words.iter().map(|(value, shown)| option(shown, value)).collect() };
    let (element, left_out) = match argument.form {
        ArgumentForm::Incident => {
            let others: Vec<&Incident> = choices.incidents.iter().filter(|other| other.id != incident.id).collect();
            let named = |other: &&Incident| option(&format!("{} {}", card::short(&other.id), other.title), &other.id);
            let options: Vec<Value> = others.iter().take(OPTIONS_MAX).map(named).collect();
            (select(name, "static_select", &options, None)?, others.len() - options.len())
        }
        ArgumentForm::Fingerprints => {
            let alerts = &choices.alerts;
            let options: Vec<Value> =
                alerts.iter().take(OPTIONS_MAX).map(|(name, fingerprint)| option(name, fingerprint)).collect();
            (select(name, "multi_static_select", &options, None)?, alerts.len() - options.len())
        }
        ArgumentForm::Severity => {
            let options: Vec<Value> =
                Severity::ALL.iter().map(|severity| option(severity.as_str(), severity.as_str())).collect();
            (select(name, "static_select", &options, now)?, 0)
        }
        ArgumentForm::Minutes => (select(name, "static_select", &words(SNOOZES), None)?, 0),
        ArgumentForm::OneOf(known) => (select(name, "static_select", &words(known), None)?, 0),
        ArgumentForm::Text => (input(name, argument.label, argument.example, now, true), 0),
        _ => (input(name, argument.label, argument.example, now, false), 0),
    };
    let mut block = block(name, argument.label, element, optional);
    if left_out > 0 {
        block["hint"] = plain(&card::more_are_left(act, incident, left_out, "type"));
    }
    Some(block)
}

fn option(shown: &str, value: &str) -> Value {
    json!({"text": plain(&cut(&one_line(shown), BUTTON_MAX)), "value": value})
}

fn select(id: &str, kind: &str, options: &[Value], now: Option<&str>) -> Option<Value> {
    if options.is_empty() {
        return None;
    }
    let mut list = json!({"type": kind, "action_id": id, "placeholder": plain("Choose"), "options": options});
    if let Some(chosen) = now.and_then(|now| options.iter().find(|option| option["value"] == now)) {
        list["initial_option"] = chosen.clone();
    }
    Some(list)
}

fn input(id: &str, label: &str, example: &str, now: Option<&str>, multiline: bool) -> Value {
    let example = if example.is_empty() { label } else { example };
    let mut element = json!({
        "type": "plain_text_input", "action_id": id, "multiline": multiline, "max_length": 2_000,
        "placeholder": plain(example),
    });
    if let Some(now) = now {
        element["initial_value"] = json!(cut(now, 2_000));
    }
    element
}

fn block(id: &str, label: &str, element: Value, optional: bool) -> Value {
    json!({"type": "input", "block_id": id, "optional": optional, "label": plain(label), "element": element})
}

fn dialog(
    title: &str,
    submit: &str,
    blocks: Vec<Value>,
    incident: &Incident,
    verb: impl Fn(IncidentId) -> ChatVerb,
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
