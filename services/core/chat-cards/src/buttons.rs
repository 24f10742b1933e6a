//! Which acts stand on an incident's card: a few as buttons, the others behind a menu. Owns their order and look;
//! which acts there are, in which state each is offered, and their words, is the catalogue's.

use hindcast_domain::IncidentId;
use hindcast_domain::act::{self, ActEntry, ActName, ChatWord};
use hindcast_domain::incident::Status;
use hindcast_domain::label::About;

use crate::card::{Button, Style, judge};
use crate::interaction::ChatVerb;
use crate::view::IncidentView;

/// Acts that stand in the row before the question; the rest is behind the menu.
const IN_ROW: [ActName; 4] = [ActName::Acknowledge, ActName::Resolve, ActName::Merge, ActName::Reopen];
/// The one that stands behind it.
const LAST: ActName = ActName::Unacknowledge;

/// What the menu's button says.
pub const MORE: &str = "More…";

/// The row of buttons.
pub(crate) fn row(view: &IncidentView, id: &IncidentId) -> Vec<Button> {
    if view.merged_into.is_some() {
        return Vec::new();
    }
    let incident = &view.incident;
    let is_over = incident.status == Status::Resolved;
    let offered = |name: &ActName| name.entry().is_offered(incident.status);
    let mut row: Vec<Button> =
        IN_ROW.iter().filter(|name| offered(name)).map(|name| of_act(view, id, name.entry())).collect();
    if let Some(first) = row.first_mut().filter(|_| !is_over) {
        first.style = Style::Primary;
    }
    let seen = Some(incident.revision);
    if is_over {
        let about = About::Incident { incident: id.clone() };
        row.push(judge("Useful", id, about.clone(), "useful", None, incident.revision));
        row.push(judge("Noise", id, about, "noise", None, incident.revision));
    } else {
        let verb = ChatVerb::OpenAsk(id.clone());
        row.push(Button { text: "Ask…".to_owned(), style: Style::Plain, verb, seen });
    }
    row.extend(Some(LAST).filter(offered).map(|name| of_act(view, id, name.entry())));
    row
}

/// What is behind the menu.
pub(crate) fn more(view: &IncidentView, id: &IncidentId) -> Vec<Button> {
    if view.merged_into.is_some() {
        return Vec::new();
    }
    in_menu(view.incident.status).map(|(act, _)| of_act(view, id, act)).collect()
}

/// The acts behind the menu of an incident in this state.
pub fn in_menu(status: Status) -> impl Iterator<Item = (&'static ActEntry, ChatWord)> {
    let is_hidden = |act: &ActEntry| !IN_ROW.contains(&act.name) && act.name != LAST;
    act::in_chat().filter(move |(act, _)| is_hidden(act) && act.is_offered(status))
}

fn of_act(view: &IncidentView, id: &IncidentId, act: &'static ActEntry) -> Button {
    let style = if act.name == ActName::Reopen { Style::Danger } else { Style::Plain };
    let (text, verb) = if act.asks() {
        (format!("{}…", name(view, act)), ChatVerb::OpenAct { act: act.name, incident: id.clone() })
    } else {
        (act.button.to_owned(), ChatVerb::act(act.name, id.clone()))
    };
    Button { text, style, verb, seen: Some(view.incident.revision) }
}

fn name(view: &IncidentView, act: &ActEntry) -> &'static str {
    match (act.name, view.incident.status, &view.incident.cause) {
        (ActName::Resolve, Status::Resolved, Some(_)) => "Correct the cause",
        (ActName::Resolve, Status::Resolved, None) => "Add a cause",
        _ => act.button,
    }
}
