//! How things look at each vendor: one word for both, so that nobody else asks which vendor it is. Owns the
//! choice; what a message looks like is `hindcast_chat`'s.

use hindcast_api::{Answer, Incident};
use hindcast_chat_cards::interaction::{Meaning, UnreadableDelivery};
use hindcast_chat_cards::view::{DialogChoices, ThreadNote};
use hindcast_chat_cards::{IncidentView, Vendor, slack, teams};
use hindcast_domain::Time;
use hindcast_domain::act::ActEntry;
use serde_json::Value;

/// The vendor of a word in events and settings.
#[must_use]
pub(crate) fn vendor(word: &str) -> Option<Vendor> {
    [Vendor::Slack, Vendor::Teams].into_iter().find(|vendor| vendor.word() == word)
}

/// An incident's card.
pub(crate) fn card(vendor: Vendor, view: &IncidentView) -> Value {
    match vendor {
        Vendor::Slack => slack::render::card(view),
        Vendor::Teams => teams::render::card(view),
    }
}

/// A line in a card's thread.
pub(crate) fn note(vendor: Vendor, note: &ThreadNote) -> Value {
    match vendor {
        Vendor::Slack => slack::render::note(note),
        Vendor::Teams => teams::render::note(note),
    }
}

pub(crate) fn answer(vendor: Vendor, answer: &Answer, public_url: &str) -> Value {
    match vendor {
        Vendor::Slack => slack::render::answer(answer, public_url),
        Vendor::Teams => teams::render::answer(answer, public_url),
    }
}

/// Incidents that go on.
pub(crate) fn list(vendor: Vendor, incidents: &[Incident]) -> Value {
    match vendor {
        Vendor::Slack => slack::render::list(incidents),
        Vendor::Teams => teams::render::list(incidents),
    }
}

/// A few plain words.
pub(crate) fn words(vendor: Vendor, text: &str) -> Value {
    match vendor {
        Vendor::Slack => slack::render::words_alone(text),
        Vendor::Teams => teams::render::words_alone(text),
    }
}

pub(crate) enum Dialog<'a> {
    /// Asks for what an act needs.
    Act(&'static ActEntry, &'a Incident, &'a DialogChoices),
    /// Asks which of the acts behind the menu.
    More(&'a Incident, &'a DialogChoices),
    /// Asks for a question.
    Ask(&'a Incident),
}

/// How a vendor asks for more.
pub(crate) enum DialogKind {
    /// As a dialog that opens.
    Dialog(Value),
    /// As a message for whoever pressed.
    Message(Value),
    /// Inside the card already.
    InPlace,
}

/// A dialog, with the channel and thread that it was opened from.
pub(crate) fn dialog(vendor: Vendor, dialog: &Dialog<'_>, from: (&str, Option<&str>)) -> DialogKind {
    match (vendor, dialog) {
        (Vendor::Slack, Dialog::Act(act, incident, choices)) => {
            DialogKind::Dialog(slack::dialogs::act(act, incident, choices, from))
        }
        (Vendor::Slack, Dialog::Ask(incident)) => DialogKind::Dialog(slack::dialogs::ask(incident, from)),
        (Vendor::Teams, Dialog::Act(act, incident, choices)) => {
            DialogKind::Message(teams::forms::act(act, incident, choices))
        }
        (Vendor::Teams, Dialog::More(incident, choices)) => DialogKind::Message(teams::forms::more(incident, choices)),
        // A menu of Slack's and a form that unfolds ask nobody.
        (Vendor::Slack, Dialog::More(..)) | (Vendor::Teams, Dialog::Ask(_)) => DialogKind::InPlace,
    }
}

/// The hash of what is shown.
pub(crate) fn hash(body: &Value) -> String {
    hindcast_chat_cards::hash(body)
}

/// Checks Slack's signature over the bytes as they came.
pub(crate) fn slack_is_genuine(
    secrets: &[&str],
    timestamps: &[&str],
    signatures: &[&str],
    body: &[u8],
    now: Time,
) -> Result<(), String> {
    slack::signature::verify(secrets, timestamps, signatures, body, now).map_err(|fault| fault.to_string())
}

/// Checks the signature of Teams' outgoing webhook over the bytes as they came.
pub(crate) fn teams_is_genuine(secret: &str, authorization: &[&str], body: &[u8]) -> Result<(), String> {
    teams::outgoing::verify(secret, authorization, body).map_err(|fault| fault.to_string())
}

/// What a delivery of Slack's means, by the door that it came through.
pub(crate) fn slack_meaning(kind: &str, body: &[u8]) -> Result<Meaning, UnreadableDelivery> {
    match kind {
        "interactive" => slack::read::interactive(body),
        "slash_commands" => slack::read::command(body),
        _ => slack::read::events(body),
    }
}

/// What a delivery of Slack's over a connection of ours means.
pub(crate) fn slack_meaning_of(kind: &str, payload: &Value) -> Result<Meaning, UnreadableDelivery> {
    slack::read::socket(kind, payload)
}

/// What Teams shows, as the answer to a delivery.
pub(crate) fn activity(shown: Value) -> Value {
    teams::render::activity(shown)
}

/// What an activity of Teams' means.
pub(crate) fn teams_meaning(activity: &[u8]) -> Result<Meaning, UnreadableDelivery> {
    teams::read::activity(activity)
}

/// What a message of an outgoing webhook means: questions alone.
pub(crate) fn teams_outgoing(activity: &[u8]) -> Result<Meaning, UnreadableDelivery> {
    teams::read::outgoing(activity)
}
