//! An answer of the copilot and a note of a thread as parts of a card.

use hindcast_api::{Answer, ClaimVerdict};
use hindcast_domain::IncidentId;
use hindcast_domain::label::About;

use super::CLAIMS_MAX;
use super::parts::{Button, CardLine, Section, Style, judge};
use super::wording::short;
use crate::interaction::ChatVerb;
use crate::view::ThreadNote;

/// A line in a card's thread.
#[must_use]
pub fn note(of: &ThreadNote) -> Section {
    match of {
        ThreadNote::Said { text, url } => {
            let line = match url {
                Some(url) => CardLine::Link { text: text.clone(), url: url.clone(), rest: String::new() },
                None => CardLine::Text(text.clone()),
            };
            Section { heading: String::new(), lines: vec![line], buttons: Vec::new() }
        }
        ThreadNote::Fixed { text, proposal, recall, incident, revision } => {
            let mut lines = vec![CardLine::Text(text.clone())];
            let mut buttons = Vec::new();
            let id = incident.parse::<IncidentId>().ok();
            if let (Some((proposed, words)), Some(id)) = (proposal, &id)
                && let Ok(proposal) = proposed.parse()
            {
                lines.push(CardLine::Text(format!("Was this what fixed it: {words}?")));
                let about = About::Proposal { proposal };
                buttons.push(judge("That fixed it", id, about.clone(), "fixed", None, *revision));
                buttons.push(judge("It did not", id, about, "not_fixed", None, *revision));
            }
            if let (Some((earlier, words)), Some(id)) = (recall, &id)
                && let Ok(similar) = earlier.parse()
            {
                lines.push(CardLine::Text(format!("Was it the same problem as {}, {words}?", short(earlier))));
                let about = About::Recall { incident: id.clone(), similar };
                buttons.push(judge("The same", id, about.clone(), "confirmed", None, *revision));
                buttons.push(judge("Another", id, about, "dismissed", None, *revision));
            }
            Section { heading: String::new(), lines, buttons }
        }
    }
}

/// An answer: what stands of it, what was struck, what is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerBlock {
    /// Claims that were not removed, each with where its first event is read; one that is not checked says so.
    pub claims: Vec<CardLine>,
    /// What else there is to say: struck claims, what is missing.
    pub remarks: Vec<String>,
    /// How it came about.
    pub footer: String,
    /// Whether it helped.
    pub buttons: Vec<Button>,
    /// All of it in a line or two.
    pub fallback: String,
}

/// An answer, for any vendor.
#[must_use]
pub fn answer(of: &Answer, public_url: &str) -> AnswerBlock {
    let base = public_url.trim_end_matches('/');
    let told = of.told();
    let is_removed =
        |claim: &Option<&hindcast_api::Claim>| claim.is_some_and(|claim| claim.verdict == ClaimVerdict::Unsupported);
    let stands: Vec<_> = told.iter().filter(|(_, claim)| !is_removed(claim)).collect();
    let struck = told.len() - stands.len();
    let claims = stands.iter().take(CLAIMS_MAX).map(|(line, claim)| {
        let is_open = claim.is_some_and(|claim| claim.verdict == ClaimVerdict::Unverifiable);
        let words = if is_open { format!("{line} (not checked)") } else { (*line).to_owned() };
        match claim.and_then(|claim| claim.citations.first()) {
            Some(citation) => CardLine::Link {
                text: format!("#{}", citation.position),
                url: format!("{base}/events/{}", citation.event),
                rest: words,
            },
            None => CardLine::Text(words),
        }
    });
    let mut claims: Vec<CardLine> = claims.collect();
    if claims.is_empty() {
        claims.push(CardLine::Text(of.answer.clone()));
    }
    let mut remarks = Vec::new();
    if stands.len() > CLAIMS_MAX {
        remarks.push(format!("and {} more claims on the web page", stands.len() - CLAIMS_MAX));
    }
    if !of.details.is_empty() {
        remarks.push(format!("{} more lines on the web page", of.details.len()));
    }
    if struck > 0 {
        remarks.push(format!("{struck} removed: not supported by the evidence"));
    }
    if !of.missing.is_empty() {
        remarks.push(format!("missing: {}", of.missing.join("; ")));
    }
    let by =
        of.model.as_deref().map_or("from evidence, without a model".to_owned(), |model| format!("written by {model}"));
    let cost = of.cost.map_or(String::new(), |cost| format!(" · ${cost:.4}"));
    let about = of.conversation.parse().ok().map(|conversation| About::Conversation { conversation });
    let incident: Option<IncidentId> = of.incident.as_ref().and_then(|id| id.parse().ok());
    let button = |text: &str, about: &About, verdict: &str| Button {
        text: text.to_owned(),
        style: Style::Plain,
        verb: ChatVerb::Judge {
            incident: incident.clone(),
            about: about.clone(),
            verdict: verdict.to_owned(),
            text: None,
        },
        seen: None,
    };
    AnswerBlock {
        claims,
        remarks,
        footer: format!("{by} · {} ms{cost} · as of position {}", of.elapsed_ms, of.position),
        buttons: about
            .map(|about| vec![button("Helpful", &about, "helpful"), button("Not helpful", &about, "not_helpful")])
            .unwrap_or_default(),
        fallback: of.answer.clone(),
    }
}
