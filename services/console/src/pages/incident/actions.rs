//! What can be done about an incident, as one form: every button names its own act, and the name of whoever acts is
//! written once. It works without script. The acts, their fields and their words are the catalogue's.

use hindcast_api::Incident;
use hindcast_domain::Severity;
use hindcast_domain::act::{self, ActArgument, ActEntry, ActName, ArgumentForm, SNOOZES};
use hindcast_domain::incident::Status;
use maud::{Markup, html};

use super::judging::Judging;
use crate::pages::{Frame, parts};

/// Verdicts that a form offers; the rest are other words for them.
const VERDICTS_OFFERED: usize = 3;

pub(super) fn section(frame: &Frame, incident: &Incident, judging: &Judging) -> Markup {
    html! {
        section.card.actions {
            form #act method="post" action=(to(ActName::Note.entry(), incident)) {
                @if incident.merged_into.is_some() {
                    p.sub { "This incident was merged into another one: act on that one, or undo the merge there." }
                    (parts::name_field(frame.value("me")))
                } @else {
                    (main(incident))
                    (parts::name_field(frame.value("me")))
                    (more(incident, judging))
                }
            }
        }
    }
}

fn to(act: &ActEntry, incident: &Incident) -> String {
    act.form.replace("{id}", &incident.id)
}

/// Acts that ask for nothing more.
fn main(incident: &Incident) -> Markup {
    let acts = act::on_incident().filter(|act| !act.asks() && act.is_offered(incident.status));
    html! {
        div.buttons {
            @for act in acts {
                button.primary[act.name == ActName::Acknowledge] type="submit" formaction=(to(act, incident)) { (act.button) }
            }
        }
    }
}

/// Acts that ask for more; alerts that leave are chosen where they are listed.
fn more(incident: &Incident, judging: &Judging) -> Markup {
    let acts = act::on_incident().filter(|act| act.asks() && act.name != ActName::Split);
    html! {
        @for act in acts.filter(|act| act.is_offered(incident.status)) {
            details open[act.name == ActName::Resolve && incident.status == Status::Acknowledged] {
                summary { (title(act, incident)) }
                @for argument in act.fields() { (field(argument, incident)) }
                button type="submit" formaction=(to(act, incident)) { (press(act, incident)) }
                @if act.name == ActName::Feedback { p.judge { (judging.of_worth()) } }
            }
        }
    }
}

fn title(act: &ActEntry, incident: &Incident) -> &'static str {
    match (act.name, incident.status) {
        (ActName::Resolve, Status::Resolved) => "Add a cause",
        (ActName::Feedback, _) => "Did Hindcast help?",
        _ => act.button,
    }
}

fn press(act: &ActEntry, incident: &Incident) -> &'static str {
    match (act.name, incident.status) {
        (ActName::Resolve, Status::Resolved) => "Save",
        _ => act.button,
    }
}

fn field(argument: &ActArgument, incident: &Incident) -> Markup {
    let now = match argument.name {
        "cause" => incident.cause.as_deref(),
        "resolution" => incident.resolution.as_deref(),
        "owner" => incident.owner.as_deref(),
        _ => None,
    };
    let name = argument.name;
    html! {
        label { (argument.label)
            @match argument.form {
                ArgumentForm::Severity => select name=(name) {
                    @for severity in Severity::ALL { option value=(severity.as_str()) selected[severity == incident.severity] { (severity.as_str()) } }
                },
                ArgumentForm::Minutes => (select(name, SNOOZES)),
                ArgumentForm::OneOf(words) => (select(name, words.get(..VERDICTS_OFFERED).unwrap_or(words))),
                ArgumentForm::Text if argument.required => textarea name=(name) rows="3" {},
                _ => input type="text" name=(name) value=(now.unwrap_or_default()) placeholder=(argument.example);,
            }
        }
    }
}

fn select(name: &str, words: &[(&str, &str)]) -> Markup {
    html! { select name=(name) { @for (value, word) in words { option value=(value) { (word) } } } }
}
