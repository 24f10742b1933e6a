//! What people did and asked for, in plain words.

use hindcast_domain::Event;
use hindcast_domain::command::{Command, Received};
use hindcast_domain::events;

/// What a person did to an incident.
pub(super) fn incident(event: &Event, actor: &str) -> String {
    match event {
        Event::IncidentDeclared(declared) => format!("declared by {actor}: {}", declared.title),
        Event::IncidentAcknowledged(_) => format!("acknowledged by {actor}"),
        Event::IncidentUnacknowledged(_) => format!("acknowledgement withdrawn by {actor}"),
        Event::IncidentAssigned(assigned) => match &assigned.owner {
            Some(owner) => format!("assigned to {owner} by {actor}"),
            None => format!("assignment removed by {actor}"),
        },
        Event::IncidentNoted(noted) => format!("{actor}: {}", noted.text),
        Event::IncidentSeveritySet(set) => format!("severity set to {} by {actor}", set.severity),
        Event::IncidentSnoozed(snoozed) => format!("snoozed until {} by {actor}", snoozed.until),
        Event::IncidentAwoken(_) => "the snooze ended".to_owned(),
        Event::IncidentReviewed(reviewed) => match reviewed.asked.len() {
            0 => "grouping reviewed".to_owned(),
            1 => "grouping reviewed: not merged with 1 other incident".to_owned(),
            n => format!("grouping reviewed: not merged with {n} other incidents"),
        },
        Event::IncidentFeedback(feedback) => {
            let text = feedback.text.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
            format!("feedback from {actor}: {}{text}", feedback.verdict.as_str().replace('_', " "))
        }
        Event::IncidentResolved(_)
        | Event::IncidentReopened(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, placement, lineage } => {
            String::new()
        }
    }
}

/// What a person asked for.
pub(super) fn command(received: &Received, actor: &str) -> String {
    let what = match &received.command {
        Command::DeclareIncident { title, .. } => format!("declare an incident: {title}"),
        Command::AcknowledgeIncident { incident } => format!("acknowledge {incident}"),
        Command::UnacknowledgeIncident { incident } => format!("withdraw the acknowledgement of {incident}"),
        Command::ResolveIncident { incident, .. } => format!("resolve {incident}"),
        Command::ReopenIncident { incident } => format!("reopen {incident}"),
        Command::MergeIncident { incident, into } => format!("merge {incident} into {into}"),
        Command::SplitIncident { incident, .. } => format!("split {incident}"),
        Command::AssignIncident { incident, .. } => format!("assign {incident}"),
        Command::NoteIncident { incident, .. } => format!("add a note to {incident}"),
        Command::SetIncidentSeverity { incident, severity } => {
            format!("set {incident} to {severity}")
        }
        Command::SnoozeIncident { incident, until } => format!("snooze {incident} until {until}"),
        Command::GiveFeedback { incident, .. } => format!("give feedback on {incident}"),
        Command::UndoEvent { event, .. } => format!("undo {event}"),
        Command::CreateSilence { terms, .. } => format!("suppress alerts until {}", terms.ends_at),
        Command::ExpireSilence { silence } => format!("end {silence}"),
        Command::Configure(section) => format!("configure {}", section.section),
        Command::PromoteModel { model, version } => format!("promote {model} {version}"),
        Command::RollBackModel { model, .. } => format!("roll back {model}"),
        Command::ShadowModel { model, version: Some(version), .. } => format!("run {model} {version} as a shadow"),
        Command::ShadowModel { model, version: None, .. } => format!("end the shadow of {model}"),
        Command::ProposeLinks { links } => format!("propose {} links between services", links.len()),
        Command::JudgeLink { link, verdict } => format!("call {link} {verdict}"),
        Command::Activate(_) => "activate notification effects".to_owned(),
        Command::Restore(_) => "record that the ledger was restored".to_owned(),
    };
    format!("{actor} asked to {what}")
}
