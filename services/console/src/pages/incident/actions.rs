//! What can be done about an incident, as one form: every button names its own action, and the name of
//! whoever acts is written once. It works without script.

use hindcast_api::Incident;
use hindcast_domain::Severity;
use hindcast_domain::incident::Status;
use maud::{Markup, html};

use super::judging::Judging;
use crate::pages::{Frame, parts};

pub(super) fn section(frame: &Frame, incident: &Incident, judging: &Judging) -> Markup {
    let to = |action: &str| format!("/{}/{action}", incident.id);
    html! {
        section.card.actions {
            form #act method="post" action=(to("note")) {
                @if incident.merged_into.is_some() {
                    p.sub { "It is a part of another incident; act on that one, or undo the merge there." }
                    (parts::name_field(frame.value("me")))
                } @else {
                    (main(incident, &to))
                    (parts::name_field(frame.value("me")))
                    (more(incident, &to, judging))
                }
            }
        }
    }
}

fn main(incident: &Incident, to: &dyn Fn(&str) -> String) -> Markup {
    html! {
        div.buttons {
            @match incident.status {
                Status::Open => button.primary type="submit" formaction=(to("acknowledge")) { "Acknowledge" },
                Status::Acknowledged => button type="submit" formaction=(to("unacknowledge")) { "Let go" },
                Status::Resolved => button type="submit" formaction=(to("reopen")) { "Reopen" },
            }
        }
    }
}

fn more(incident: &Incident, to: &dyn Fn(&str) -> String, judging: &Judging) -> Markup {
    let over = incident.status == Status::Resolved;
    html! {
        details open[incident.status == Status::Acknowledged] {
            summary { @if over { "What was it?" } @else { "Resolve" } }
            label { "Cause" input type="text" name="cause" value=(incident.cause.as_deref().unwrap_or_default()) placeholder="what it was"; }
            label { "Resolution" input type="text" name="resolution" value=(incident.resolution.as_deref().unwrap_or_default()) placeholder="what ended it"; }
            button type="submit" formaction=(to("resolve")) { @if over { "Write down" } @else { "Resolve" } }
        }
        details {
            summary { "Note" }
            label { "Note" textarea name="text" rows="3" {} }
            button type="submit" formaction=(to("note")) { "Write down" }
        }
        details {
            summary { "Assign" }
            label { "Owner" input type="text" name="owner" value=(incident.owner.as_deref().unwrap_or_default()) placeholder="a person or a team; empty for nobody"; }
            button type="submit" formaction=(to("assign")) { "Assign" }
        }
        @if !over {
            details {
                summary { "Snooze" }
                label { "No page for" select name="minutes" {
                    @for (minutes, word) in [("15", "15 min"), ("60", "1 h"), ("240", "4 h"), ("1440", "1 d")] { option value=(minutes) { (word) } }
                } }
                button type="submit" formaction=(to("snooze")) { "Snooze" }
            }
        }
        details {
            summary { "Severity" }
            label { "Severity" select name="severity" {
                @for severity in Severity::ALL { option value=(severity.as_str()) selected[severity == incident.severity] { (severity.as_str()) } }
            } }
            button type="submit" formaction=(to("severity")) { "Set" }
        }
        details {
            summary { "Merge" }
            label { "It is a part of" input type="text" name="into" placeholder="INC-…"; }
            button type="submit" formaction=(to("merge")) { "Merge" }
        }
        details {
            summary { "Did Hindcast help?" }
            label { "Verdict" select name="verdict" {
                @for (value, word) in [("helpful", "helpful"), ("not_helpful", "not helpful"), ("noise", "it was noise")] { option value=(value) { (word) } }
            } }
            button type="submit" formaction=(to("feedback")) { "Tell" }
            p.judge { (judging.of_worth()) }
        }
    }
}
