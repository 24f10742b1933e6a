//! Who is on call, for whoever asks that in words. Owns how the question is recognised and the sentence; the schedules
//! are the domain's.

use hindcast_api::{AsOf, Claim, ClaimVerdict, Problem};
use hindcast_domain::Time;
use hindcast_domain::oncall::{self, OnCall, OnCallRules};
use hindcast_queries::Snapshot;

/// Why no event says it.
const REASON: &str = "computed from the schedules of the configuration, which no event repeats";

/// One claim for each schedule, where a question asks who is on call. `now` is the time of the question; of a question
/// about the past it is the time that is asked about.
///
/// # Errors
/// When the views cannot be read.
pub(crate) async fn claims(moment: &Snapshot, question: &str, now: Time) -> Result<Vec<Claim>, Problem> {
    if !asks(question) {
        return Ok(Vec::new());
    }
    let at = match moment.asked() {
        Some(AsOf::Time(time)) => time,
        Some(AsOf::Position(_)) => moment.recorded_at(),
        None => now,
    };
    let section = moment.configured(oncall::SECTION).await?;
    let rules: OnCallRules = section.and_then(|(_, content)| serde_json::from_value(content).ok()).unwrap_or_default();
    Ok(rules.at(at, None).iter().map(claim).collect())
}

/// Whether a question asks who is on call.
fn asks(question: &str) -> bool {
    let words: Vec<String> =
        question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.iter().any(|word| word == "oncall") || words.windows(2).any(|pair| pair == ["on", "call"])
}

fn claim(call: &OnCall) -> Claim {
    let until = call.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let next = call.next.as_ref().map(|next| format!(", then {next}")).unwrap_or_default();
    Claim {
        assertion: None,
        text: format!("{} is on call ({}, by {}){until}{next}", call.who, call.schedule, call.by),
        citations: Vec::new(),
        verdict: ClaimVerdict::Unverifiable,
        reason: Some(REASON.to_owned()),
        path: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_who_is_on_call_is_understood() {
        assert!(asks("Who is on call?") && asks("who's on-call for checkout") && asks("ONCALL now?"));
        assert!(!asks("Who is on it?") && !asks("what did the call return on Monday"));
    }
}
