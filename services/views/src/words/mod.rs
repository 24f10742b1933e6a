//! Events in plain words, one function per family of types. Pure: what an alert is called is asked of
//! [`Names`]; refuses to know where names and events come from.

mod advice;
mod grouping;
mod links;
mod people;

use hindcast_domain::event::{Change, Delivery};
use hindcast_domain::events;
use hindcast_domain::text::count;
use hindcast_domain::words::{AuthScheme, HoldReason, LineageKind, ResolvedBy};
use hindcast_domain::{Event, Span, alert, incident, notice, silence};

pub(crate) use self::grouping::{kept_out, why_joined};

/// What things are called.
pub(crate) trait Names {
    /// An alert, such as `nginx: HighErrorRate`; its fingerprint where nothing is known of it.
    fn alert(&self, fingerprint: &str) -> String;
}

/// A score of thousandths as a number between 0 and 1.
pub(crate) fn score(thousandths: i32) -> f64 {
    f64::from(thousandths) / 1000.0
}

/// One event as a line.
pub(crate) fn line(event: &Event, subject: &str, actor: &str, names: &dyn Names) -> String {
    match event {
        Event::Delivery(delivery) => received(delivery),
        Event::Observed(observation) => observed(observation),
        Event::Repeats(batch) => match batch.alerts.len() {
            1 => "an alert was received again, without a change".to_owned(),
            alerts => format!("{alerts} alerts were received again, without a change"),
        },
        Event::Change(change) => changed(change),
        Event::Command(received) => people::command(received, actor),
        Event::Parked(parked) => format!("dead letter: {}", parked.item.detail),
        Event::Unparked(unparked) => format!("{} by {actor}", unparked.how),
        Event::SilenceCreated(_) | Event::SilenceStarted(_) | Event::SilenceEnded(_) => silence(event, actor),
        Event::Configured(section) => format!("{} configured by {actor}", section.section),
        Event::LinkProposed(proposed) => links::proposed(proposed),
        Event::LinkJudged(judged) => links::judged(judged, actor),
        Event::Activated(_) => "notification effects activated: this installation may page".to_owned(),
        Event::Restored(_) => "the ledger was restored from a backup".to_owned(),
        Event::Owned(_) => "the partition has a new owner".to_owned(),
        Event::CommandRejected(rejected) => format!("refused: {}", rejected.detail),
        events! { notice } => notice(event),
        Event::FindingRaised(_)
        | Event::LinkObserved(_)
        | Event::EvidencePinned(_)
        | Event::CallsSeen(_)
        | Event::ConversationAsked(_)
        | Event::ConversationToolUsed(_)
        | Event::ConversationReplied(_)
        | Event::ConversationAnswered(_)
        | Event::ProposalMade(_)
        | Event::ProposalRejected(_) => advice::line(event, actor),
        events! { alert } => alert(event, &names.alert(subject)),
        Event::DoorOpened(_) | events! { label, model, chat, incident } => incident(event, actor, names),
    }
}

/// A request that arrived.
pub(crate) fn received(delivery: &Delivery) -> String {
    let mut text = format!("received from {} as {}", delivery.source, delivery.format);
    if delivery.verified.scheme == AuthScheme::Open {
        text.push_str(", without a credential");
    } else {
        text.push_str(&format!(", authenticated by {}", delivery.verified.scheme));
    }
    if delivery.redacted > 0 {
        text.push_str(&format!(", {} redacted", count(u64::from(delivery.redacted), "value")));
    }
    text
}

/// What a sender said of an alert.
pub(crate) fn observed(observation: &alert::Observation) -> String {
    let signal = match observation.signal {
        alert::Signal::Firing => "firing",
        alert::Signal::Resolved => "resolved",
    };
    let mut text = format!("{} reported {signal}, {}", observation.source, observation.severity);
    if !observation.unmapped.is_empty() {
        text.push_str(&format!("; unmapped fields: {}", observation.unmapped.join(", ")));
    }
    text
}

/// A deploy, flag or configuration change.
pub(crate) fn changed(change: &Change) -> String {
    let service = change.service.as_deref().map(|service| format!("{service}: ")).unwrap_or_default();
    let status = change.status.as_deref().map(|status| format!(" ({status})")).unwrap_or_default();
    format!("{service}{} {}{status}", change.kind, change.title)
}

/// What happened to an alert.
pub(crate) fn alert(event: &Event, name: &str) -> String {
    match event {
        Event::AlertFired(fired) if fired.occurrence > 1 => {
            format!("{name} fired again ({}), for the {} time", fired.severity, ordinal(fired.occurrence))
        }
        Event::AlertFired(fired) => format!("{name} fired ({})", fired.severity),
        Event::AlertRepeated(repeated) => format!("{name} {}", repeat(repeated)),
        Event::AlertResolved(resolved) => {
            format!("{name} resolved (ended at {})", resolved.ends_at)
        }
        Event::AlertStale(stale) => format!("{name} is no longer sent; last received at {}", stale.last_seen_at),
        Event::AlertSuppressed(held) => {
            format!("{name} suppressed by {} {} until {}", held.kind, held.by, held.until)
        }
        Event::AlertUnsuppressed(lifted) => format!("{name} no longer suppressed: {} {}", lifted.by, lifted.reason),
        Event::AlertFlapping(flapping) => {
            format!(
                "{name} is flapping: {} transitions; its changes count again after {}",
                flapping.transitions, flapping.until
            )
        }
        Event::AlertSettled(_) => format!("{name} stopped flapping"),
        events! { intake, finding, conversation, proposal, label, model, chat, incident, silence, control, notice } => {
            name.to_owned()
        }
    }
}

/// How often an alert was sent again without a change.
pub(crate) fn repeated(count: u64) -> String {
    match count {
        1 => "received again once, without a change".to_owned(),
        count => format!("received again {count} times without a change, up to here"),
    }
}

fn repeat(repeated: &alert::Repeated) -> String {
    let why = match repeated.why {
        alert::Repeat::Resent => "received again",
        alert::Repeat::Replica => "received from another replica of its sender",
        alert::Repeat::Late => "received again late; that period has ended",
        alert::Repeat::ResolvedAgain => "reported resolved again",
        alert::Repeat::FiresElsewhere => "reported resolved by one sender while another reports it firing",
    };
    let mut text = why.to_owned();
    if let Some(severity) = repeated.severity {
        text.push_str(&format!(", now {severity}"));
    }
    if repeated.labels.is_some() || repeated.annotations.is_some() {
        text.push_str(", with other labels or annotations");
    }
    text
}

/// What happened to an incident.
pub(crate) fn incident(event: &Event, actor: &str, names: &dyn Names) -> String {
    match event {
        Event::IncidentOpened(opened) => {
            let before = opened.recurrence_of.as_ref().map(|id| format!("; recurrence of {id}")).unwrap_or_default();
            format!("opened by {}: {}{before}", names.alert(opened.fingerprint.as_str()), opened.title)
        }
        Event::IncidentAlertJoined(joined) => {
            let name = names.alert(joined.fingerprint.as_str());
            match &joined.grouping {
                Some(grouping) if grouping.rule == "same_fingerprint" => {
                    format!("{name} joined again: same alert as before")
                }
                Some(grouping) => format!("{name} {}", why_joined(grouping, names)),
                None => format!("{name} is now {}", joined.severity),
            }
        }
        Event::IncidentReopened(reopened) => {
            let by = reopened.fingerprint.as_ref().map_or_else(|| actor.to_owned(), |id| names.alert(id.as_str()));
            let worse = if reopened.worse { ", worse than before" } else { "" };
            format!("reopened by {by} for the {} time{worse}", ordinal(reopened.count))
        }
        Event::IncidentResolved(resolved) => resolution(resolved, actor),
        Event::IncidentMerged(merged) => {
            format!(
                "merged {} into this incident, with {}, by {actor}{}",
                merged.incident,
                alerts(merged.fingerprints.len()),
                evidence(merged.evidence.as_ref(), names)
            )
        }
        Event::IncidentSplit(split) => {
            let why = evidence(split.evidence.as_ref(), names);
            format!("split off {} as {} by {actor}{why}", alerts(split.fingerprints.len()), split.incident)
        }
        Event::IncidentUndone(undone) => {
            let what = if undone.how == LineageKind::Merged { "merge" } else { "split" };
            format!("{what} with {} undone, {} moved, by {actor}", undone.other, alerts(undone.fingerprints.len()))
        }
        other @ (Event::IncidentDeclared(_)
        | Event::IncidentAcknowledged(_)
        | Event::IncidentUnacknowledged(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, care }) => {
            people::incident(other, actor)
        }
    }
}

/// Why the engine merged or split; nothing where a person did.
fn evidence(evidence: Option<&incident::LinkEvidence>, names: &dyn Names) -> String {
    let Some(evidence) = evidence else { return String::new() };
    let sign = if evidence.mean >= evidence.needed { "≥" } else { "<" };
    let pair = |pair: &incident::LinkedPair| {
        let (one, other) = (names.alert(pair.one.as_str()), names.alert(pair.other.as_str()));
        format!("{:+.1} {one} with {other}", f64::from(pair.log_odds) / 1_000.0)
    };
    let (mean, needed) = (f64::from(evidence.mean) / 1_000.0, f64::from(evidence.needed) / 1_000.0);
    let (best, worst) = (pair(&evidence.best), pair(&evidence.worst));
    format!(": mean evidence {mean:+.1} {sign} {needed:+.1}; most: {best}; least: {worst}")
}

fn resolution(resolved: &incident::Resolved, actor: &str) -> String {
    let by = match resolved.by {
        ResolvedBy::Quiet => "resolved automatically: all alerts cleared".to_owned(),
        ResolvedBy::Stale => "resolved automatically: its alerts are no longer sent".to_owned(),
        ResolvedBy::Person | ResolvedBy::Merged | ResolvedBy::Other(_) => format!("resolved by {actor}"),
    };
    let cause = resolved.cause.as_deref().map(|cause| format!("; cause: {cause}")).unwrap_or_default();
    let ended = resolved.resolution.as_deref().map(|text| format!("; resolution: {text}")).unwrap_or_default();
    format!("{by}{cause}{ended}")
}

/// What happened to a silence.
pub(crate) fn silence(event: &Event, actor: &str) -> String {
    match event {
        Event::SilenceCreated(created) => {
            let what = match created.terms.kind {
                silence::Kind::Silence => "silence",
                silence::Kind::Maintenance => "maintenance window",
            };
            format!("{what} by {} until {}: {}", created.terms.created_by, created.terms.ends_at, created.terms.comment)
        }
        Event::SilenceStarted(_) => "the silence began".to_owned(),
        Event::SilenceEnded(ended) => format!("the silence ended ({}) by {actor}", ended.reason),
        events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, control, notice } => {
            String::new()
        }
    }
}

/// What people were told, or why not.
pub(crate) fn notice(event: &Event) -> String {
    match event {
        Event::NoticeRequested(asked) => {
            let what = if asked.page { "page" } else { "notification" };
            let late = asked.delayed_by.map(|span| format!(", {span} late")).unwrap_or_default();
            format!("{what} requested for receiver {}: {}{late}", asked.receiver, reason(asked.reason))
        }
        Event::NoticeHeld(held) => {
            let whom = held.receiver.as_deref().map(|name| format!(" for receiver {name}")).unwrap_or_default();
            format!("notification{whom} suppressed until {}: {} ({})", held.until, held.why, reason(held.reason))
        }
        Event::NoticeReleased(released) if released.why == HoldReason::Told => {
            "suppression ended: a later message covered it".to_owned()
        }
        Event::NoticeReleased(_) => "suppression ended: nothing left to notify".to_owned(),
        Event::NoticeDelivered(taken) => delivered(taken, None),
        Event::NoticeFailed(failed) => format!("not delivered, attempt {}: {}", failed.attempt, failed.error),
        Event::NoticeExpired(expired) => format!("not delivered, no further attempt: {}", expired.error),
        events! { intake, finding, conversation, proposal, label, model, chat, alert, incident, silence, control } => {
            String::new()
        }
    }
}

/// A receiver took it.
pub(crate) fn delivered(delivered: &notice::Delivered, after: Option<Span>) -> String {
    let after = after.map(|span| format!(" after {span}")).unwrap_or_default();
    let answer = if delivered.answer.is_empty() { String::new() } else { format!(": {}", delivered.answer) };
    format!("delivered{after}, attempt {}{answer}", delivered.attempt)
}

/// Why people are told.
pub(crate) const fn reason(reason: notice::Reason) -> &'static str {
    match reason {
        notice::Reason::Opened => "incident opened",
        notice::Reason::Worse => "severity increased",
        notice::Reason::NewService => "another service is affected",
        notice::Reason::NewTeam => "another team is affected",
        notice::Reason::NewAlert => "another alert of the incident fires",
        notice::Reason::Reopened => "it fires again",
        notice::Reason::Breadth => "many services fail",
        notice::Reason::Unacknowledged => "acknowledgement withdrawn",
        notice::Reason::StillThere => "suppression ended and the incident is not resolved",
        notice::Reason::Reminder => "nobody acknowledged it",
        notice::Reason::SilenceEnds => "a silence is about to end",
        notice::Reason::Retried => "an earlier page was not delivered",
        notice::Reason::Storm => "notification storm; further pages are delayed",
        notice::Reason::Digest => "notifications delayed during a storm",
        notice::Reason::Acknowledged => "incident acknowledged",
        notice::Reason::Merged => "incident became a part of another one",
        notice::Reason::Resolved => "incident resolved",
    }
}

fn alerts(count_of: usize) -> String {
    count(count_of as u64, "alert")
}

/// `1st`, `2nd`, `23rd`, …
fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_say_them() {
        let said: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].into_iter().map(ordinal).collect();
        assert_eq!(said, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
    }
}
