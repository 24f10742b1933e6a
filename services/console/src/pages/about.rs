//! What labels say something of, as words that lead there, and ids within a text as links. Owns how a thing is
//! called on the pages of labels and models; refuses to look names up: they come with the page.

use std::collections::BTreeMap;

use hindcast_domain::IncidentId;
use hindcast_domain::label::About;
use maud::{Markup, html};

use super::{Frame, words};

/// What incidents and alerts are called, where it was looked up; the others are shown by their ids.
#[derive(Clone, Debug, Default)]
pub struct ShownNames {
    /// Titles of incidents, by id.
    pub incidents: BTreeMap<String, String>,
    /// Names of alerts, by fingerprint.
    pub alerts: BTreeMap<String, String>,
}

/// An incident as a link; its title where it is known.
#[must_use]
pub fn incident(frame: &Frame, names: &ShownNames, id: &str) -> Markup {
    html! {
        @match names.incidents.get(id) {
            Some(title) => a href=(frame.link(&format!("/{id}"))) title=(id) { (title) },
            None => a href=(frame.link(&format!("/{id}"))) { (words::id(id)) },
        }
    }
}

/// An alert as a link to its receipt.
fn alert(frame: &Frame, names: &ShownNames, fingerprint: &str) -> Markup {
    html! {
        @match names.alerts.get(fingerprint) {
            Some(name) => a href=(frame.link(&format!("/alerts/{fingerprint}"))) title=(fingerprint) { (name) },
            None => a href=(frame.link(&format!("/alerts/{fingerprint}"))) { (words::id(fingerprint)) },
        }
    }
}

/// What a label says something of. `given_in` is the incident that it was given in, where one is known.
#[must_use]
pub fn about(frame: &Frame, names: &ShownNames, about: &About, given_in: Option<&str>) -> Markup {
    let within = html! { @if let Some(id) = given_in { span.sub { " in " (incident(frame, names, id)) } } };
    html! {
        @match about {
            About::Incident { incident: id } => (incident(frame, names, id.as_str())),
            About::Alert { fingerprint, .. } => { "alert " (alert(frame, names, fingerprint.as_str())) (within) }
            About::Pair { younger, fired, older, .. } => {
                (alert(frame, names, younger.as_str())) " and " (alert(frame, names, older.as_str()))
                span.sub { ", as known when the first of them " a href=(frame.link(&format!("/events/{fired}"))) { "fired" } } (within)
            }
            About::Proposal { proposal } => {
                "proposal "
                @match given_in {
                    Some(id) => { a href=(format!("{}#proposals", frame.link(&format!("/{id}")))) { (words::id(proposal.as_str())) } (within) }
                    None => (words::id(proposal.as_str())),
                }
            }
            About::Recall { incident: id, similar } => {
                (incident(frame, names, similar.as_str())) span.sub { " as a past incident " (incident(frame, names, id.as_str())) }
            }
            About::Notice { notice } => { "notice " (words::id(notice.as_str())) (within) }
            About::Conversation { conversation } => { "answer in " (words::id(conversation.as_str())) (within) }
        }
    }
}

/// A text in which each incident's id is a link. The rest of it stays text.
#[must_use]
pub fn linked(frame: &Frame, text: &str) -> Markup {
    html! {
        @for (piece, is_id) in pieces(text) {
            @if is_id { a.mono href=(frame.link(&format!("/{piece}"))) { (piece) } } @else { (piece) }
        }
    }
}

/// The pieces of a text, and which of them are whole ids of incidents.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(IncidentId::PREFIX)) {
        let begin = at + found;
        let digits = text.get(begin + IncidentId::PREFIX.len()..).unwrap_or_default();
        let length = digits.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let end = begin + IncidentId::PREFIX.len() + length;
        let id = text.get(begin..end).unwrap_or_default();
        if id.parse::<IncidentId>().is_ok() {
            pieces.push((text.get(plain..begin).unwrap_or_default(), false));
            pieces.push((id, true));
            plain = end;
        }
        at = end;
    }
    pieces.push((text.get(plain..).unwrap_or_default(), false));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_within_a_text_are_found_and_nothing_is_lost() {
        let id = "INC-3K7Q5M8N3P4R6S9T";
        for (text, ids) in [
            (format!("wrongly merged: {id} with {id}, INC-3K"), 2),
            (format!("{id}x ünd {id}"), 1),
            ("INC-".to_owned(), 0),
            ("<b>INC-INC-</b>".to_owned(), 0),
            (String::new(), 0),
        ] {
            let found = pieces(&text);
            assert_eq!(found.iter().filter(|(_, is_id)| *is_id).count(), ids, "{text}");
            assert_eq!(found.iter().map(|(piece, _)| *piece).collect::<String>(), text);
        }
    }
}
