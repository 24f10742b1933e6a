//! Forms in Teams: what an act needs, as the inputs of a card. Those that stand on an incident's card unfold there;
//! those with a list of what is open now are shown to whoever presses, because the card would change with the list.

use hindcast_api::Incident;
use hindcast_domain::act::{ActArgument, ActEntry, ArgumentForm, SNOOZES};
use hindcast_domain::{IncidentId, Severity};
use serde_json::{Value, json};

use super::elements::{execute, text_block, within, words_alone};
use super::limits::{CHOICES_MAX, TITLE_MAX};
use crate::buttons;
use crate::card::{self, Button, Style};
use crate::interaction::ChatVerb;
use crate::text::{QUESTION, cut};
use crate::view::{DialogChoices, current};

/// A form of its own for an act, for whoever pressed.
#[must_use]
pub fn act(act: &ActEntry, incident: &Incident, choices: &DialogChoices) -> Value {
    let title = format!("{} {}", act.button, incident.title);
    let mut body = vec![text_block(&title, &json!({"weight": "Bolder", "wrap": true}))];
    let Some(inputs) = inputs(act, incident, choices) else {
        let none = crate::slack::dialogs::nothing(act);
        body.push(text_block(none, &json!({"wrap": true})));
        return within(body, Vec::new(), none);
    };
    body.extend(inputs);
    body.extend(left_out(act, incident, choices));
    let Ok(id) = incident.id.parse() else { return words_alone(&title) };
    within(body, vec![send(act, id, None)], &title)
}

/// What else can be done about an incident, for whoever asked: a button for each act, which unfolds its form.
#[must_use]
pub fn more(incident: &Incident, choices: &DialogChoices) -> Value {
    let title = format!("{} {}", card::short(&incident.id), incident.title);
    let body = vec![text_block(&title, &json!({"weight": "Bolder", "wrap": true}))];
    let Ok(id) = incident.id.parse::<IncidentId>() else { return words_alone(&title) };
    let unfolded = |act: &'static ActEntry| {
        let inputs = inputs(act, incident, choices)?;
        Some(unfolds(&format!("{}…", act.button), inputs, &send(act, id.clone(), None)))
    };
    let actions = buttons::in_menu(incident.status).filter_map(|(act, _)| unfolded(act)).collect();
    within(body, actions, &title)
}

/// A button of an incident's card that unfolds a form, where its form stands on the card.
pub(super) fn unfolded(button: &Button, incident: &Incident) -> Option<Value> {
    match &button.verb {
        ChatVerb::OpenAct { act, incident: id } => {
            let act = act.entry();
            let is_listed = |one: &ActArgument| matches!(one.form, ArgumentForm::Incident | ArgumentForm::Fingerprints);
            if act.fields().any(is_listed) {
                return None;
            }
            let inputs = inputs(act, incident, &DialogChoices::default())?;
            let title = button.text.trim_end_matches('…');
            let verb = ChatVerb::act(act.name, id.clone());
            let send = Button { text: title.to_owned(), style: Style::Primary, verb, seen: button.seen };
            Some(unfolds(&button.text, inputs, &execute(&send)))
        }
        ChatVerb::OpenAsk(id) => {
            let verb = ChatVerb::Ask { incident: Some(id.clone()), text: String::new() };
            let title = button.text.trim_end_matches('…').to_owned();
            let send = Button { text: title, style: Style::Primary, verb, seen: button.seen };
            let question = written(QUESTION, "Your question", None, true);
            Some(unfolds(&button.text, vec![question], &execute(&send)))
        }
        _ => None,
    }
}

fn unfolds(title: &str, inputs: Vec<Value>, send: &Value) -> Value {
    json!({
        "type": "Action.ShowCard",
        "title": cut(title, TITLE_MAX),
        "card": {"type": "AdaptiveCard", "version": "1.5", "body": inputs, "actions": [send]},
    })
}

fn send(act: &ActEntry, id: IncidentId, seen: Option<u64>) -> Value {
    let verb = ChatVerb::act(act.name, id);
    execute(&Button { text: act.button.to_owned(), style: Style::Primary, verb, seen })
}

/// The inputs of an act; nothing where there is nothing to choose from.
fn inputs(act: &ActEntry, incident: &Incident, choices: &DialogChoices) -> Option<Vec<Value>> {
    act.fields().map(|argument| input(argument, incident, choices)).collect()
}

fn input(argument: &ActArgument, incident: &Incident, choices: &DialogChoices) -> Option<Value> {
    let (name, label) = (argument.name, argument.label);
    let now = current(incident, name);
    let known = |words: &[(&str, &str)]| words.iter().map(|(value, shown)| choice(shown, value)).collect();
    let options: Vec<Value> = match argument.form {
        ArgumentForm::Incident => others(incident, choices)
            .take(CHOICES_MAX)
            .map(|other| choice(&format!("{} {}", card::short(&other.id), other.title), &other.id))
            .collect(),
        ArgumentForm::Fingerprints => {
            choices.alerts.iter().take(CHOICES_MAX).map(|(name, fingerprint)| choice(name, fingerprint)).collect()
        }
        ArgumentForm::Severity => {
            Severity::ALL.iter().map(|severity| choice(severity.as_str(), severity.as_str())).collect()
        }
        ArgumentForm::Minutes => known(SNOOZES),
        ArgumentForm::OneOf(words) => known(words),
        ArgumentForm::Text => return Some(written(name, label, now, true)),
        _ => {
            let mut input = written(name, label, now, false);
            input["placeholder"] = json!(argument.example);
            return Some(input);
        }
    };
    if options.is_empty() {
        return None;
    }
    let what = if argument.form == ArgumentForm::Incident { "Choose an incident" } else { "Choose one" };
    let mut list = json!({
        "type": "Input.ChoiceSet", "id": name, "style": "compact", "label": label,
        "placeholder": "Choose", "isRequired": true, "errorMessage": what, "choices": options,
    });
    if argument.form == ArgumentForm::Fingerprints {
        list["isMultiSelect"] = json!(true);
    }
    if let Some(now) = now {
        list["value"] = json!(now);
    }
    Some(list)
}

fn others<'a>(incident: &'a Incident, choices: &'a DialogChoices) -> impl Iterator<Item = &'a Incident> {
    choices.incidents.iter().filter(|other| other.id != incident.id)
}

/// How much a list leaves out, and what to write instead.
fn left_out(act: &ActEntry, incident: &Incident, choices: &DialogChoices) -> Option<Value> {
    let of = |argument: &ActArgument| match argument.form {
        ArgumentForm::Incident => others(incident, choices).count(),
        ArgumentForm::Fingerprints => choices.alerts.len(),
        _ => 0,
    };
    let more = act.fields().map(of).max().unwrap_or_default().checked_sub(CHOICES_MAX).filter(|more| *more > 0)?;
    let said = card::more_are_left(act, incident, more, "write");
    Some(text_block(&said, &json!({"isSubtle": true, "wrap": true})))
}

fn choice(shown: &str, value: &str) -> Value {
    let shown = cut(&shown.replace(['\n', '\r'], " "), TITLE_MAX);
    json!({"title": if shown.trim().is_empty() { "–".to_owned() } else { shown }, "value": value})
}

fn written(id: &str, label: &str, now: Option<&str>, multiline: bool) -> Value {
    let mut input =
        json!({"type": "Input.Text", "id": id, "label": label, "isMultiline": multiline, "maxLength": 2_000});
    if let Some(now) = now {
        input["value"] = json!(cut(now, 1_000));
    }
    input
}
