//! What was found, asked, answered and proposed, in plain words.

use hindcast_domain::Event;
use hindcast_domain::events;
use hindcast_domain::text::count;

/// One event as a line.
pub(super) fn line(event: &Event, actor: &str) -> String {
    match event {
        Event::FindingRaised(raised) => format!("found: {}", raised.title),
        Event::LinkObserved(seen) => super::links::observed(seen),
        Event::EvidencePinned(pinned) => {
            let missing = if pinned.missing == 0 { String::new() } else { format!(", {} are missing", pinned.missing) };
            format!(
                "telemetry from {} to {} pinned: {}{missing}",
                pinned.from,
                pinned.to,
                count(pinned.records, "record")
            )
        }
        Event::CallsSeen(seen) => {
            let shown: Vec<String> =
                seen.calls.iter().take(5).map(|call| format!("{} calls {}", call.caller, call.callee)).collect();
            let more = seen.calls.len().saturating_sub(shown.len());
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            format!("spans show calls: {}{more}", shown.join(", "))
        }
        Event::ConversationAsked(asked) => format!("{actor} asked: {}", asked.question),
        Event::ConversationToolUsed(used) => match &used.error {
            Some(error) => format!("used {} without an answer: {error}", used.tool),
            None => format!("used {}", used.tool),
        },
        Event::ConversationReplied(replied) => format!(
            "{} replied ({}), {} read and {} written in {} ms",
            replied.model,
            replied.finish,
            count(replied.tokens_in, "token"),
            replied.tokens_out,
            replied.elapsed_ms
        ),
        Event::ConversationAnswered(answered) => {
            let struck = if answered.struck == 0 { String::new() } else { format!(", {} removed", answered.struck) };
            format!("answered from {}: {}{struck}", answered.mode, count(u64::from(answered.claims), "claim"))
        }
        Event::ProposalMade(made) => format!("proposed by {}: {}", made.by, made.runbook),
        Event::ProposalRejected(rejected) => {
            format!("a proposal of {} was rejected: {}", rejected.runbook, rejected.reason)
        }
        events! { intake, label, model, chat, alert, incident, silence, control, notice } => String::new(),
    }
}
