//! The first messages of an answer: who the model is, what was asked, what is concluded, and the events that it
//! may cite. All text of others stands in fences, and has no secrets.

use std::collections::BTreeMap;

use hindcast_api::{Citation, Hypothesis};
use hindcast_domain::Time;
use hindcast_llm::{PromptMessage, Speaker};
use hindcast_redact::Redactor;

use super::{ModelSession, prompts_fail};
use crate::evidence::cut;
use crate::failure::AskFailure;
use crate::fence::fence;
use crate::history;
use crate::limits::{PROMPT_EVENT_BYTES_MAX, PROMPT_EVENTS_MAX, PROPOSALS_TOLD_MAX, SIMILAR_TOLD_MAX};
use crate::prompts::{IncidentWords, UserWords};
use crate::situation::Situation;

/// Causes that a prompt tells.
const CAUSES_TOLD_MAX: usize = 3;
/// Findings that a prompt tells.
const FINDINGS_TOLD_MAX: usize = 6;
/// Changes that a prompt tells.
const CHANGES_TOLD_MAX: usize = 4;

/// One event as a prompt tells it.
struct PromptEvent {
    citation: Citation,
    at: Time,
    text: String,
    /// What is cited for a conclusion comes first when there is no room for all.
    weight: u8,
}

impl ModelSession<'_> {
    pub(super) fn first_messages(&mut self, tools: bool) -> Result<Vec<PromptMessage>, AskFailure> {
        let prompts = &self.options.prompts;
        let system = prompts.system().map_err(|error| prompts_fail(&error))?;
        let events = self.events();
        let situation = self.situation;
        let words = UserWords {
            earlier: self.earlier(),
            question: fence(&self.taken.question),
            now: self.taken.moment.recorded_at().to_string(),
            live: self.taken.moment.is_now(),
            incident: IncidentWords {
                id: situation.incident.id.clone(),
                status: word(&situation.incident.status),
                severity: situation.incident.severity.to_string(),
            },
            cause: self.cause(),
            seen: self.seen(),
            runbooks: runbooks(situation),
            events: fence(&events),
            tools,
        };
        let user = prompts.user(&words).map_err(|error| prompts_fail(&error))?;
        Ok(vec![PromptMessage::new(Speaker::System, system), PromptMessage::new(Speaker::User, user)])
    }

    /// The events, oldest first, each with its short name.
    fn events(&mut self) -> String {
        let mut redactor = Redactor::default();
        let mut told = String::new();
        for line in lines(self.situation) {
            let Some(name) = self.aliases.name(&line.citation) else { break };
            let text = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = cut(&redactor.text(&text), PROMPT_EVENT_BYTES_MAX);
            told.push_str(&format!("{name} {} {text}\n", line.at));
        }
        told
    }

    fn named(&self, citations: &[Citation]) -> String {
        let names: Vec<String> = citations.iter().filter_map(|citation| self.aliases.known(citation)).take(4).collect();
        if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
    }

    fn cause(&self) -> String {
        let causes = self.situation.causes.as_ref();
        let ranked = causes.map(|causes| causes.items.as_slice()).unwrap_or_default();
        if ranked.is_empty() || self.situation.unresolved() {
            let why = causes.and_then(|causes| causes.why_unresolved.clone()).unwrap_or_default();
            return format!("unresolved. {}", fenced(&why));
        }
        let one = |(index, hypothesis): (usize, &Hypothesis)| {
            format!("{}. {}{}", index + 1, hypothesis.cause, self.named(&hypothesis.citations))
        };
        fenced(&ranked.iter().take(CAUSES_TOLD_MAX).enumerate().map(one).collect::<Vec<_>>().join("\n"))
    }

    fn seen(&self) -> String {
        let Some(page) = self.situation.similar.as_ref() else { return "not known".to_owned() };
        let same: Vec<String> = page
            .items
            .iter()
            .filter(|similar| similar.same)
            .take(SIMILAR_TOLD_MAX)
            .map(|similar| {
                let ended = similar.resolution.as_deref().map(|text| format!("; ended by: {text}")).unwrap_or_default();
                let cause = similar.cause.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
                format!("{}{cause}{ended}{}", similar.incident, self.named(&similar.citations))
            })
            .collect();
        if same.is_empty() { "never seen".to_owned() } else { fenced(&same.join("\n")) }
    }

    fn earlier(&self) -> String {
        let turns = history::told(&self.taken.earlier, self.taken.moment.position());
        if turns.is_empty() {
            return String::new();
        }
        let told = turns.iter().map(|turn| format!("Asked: {}\nAnswered: {}", turn.question, turn.answer));
        fenced(&told.collect::<Vec<_>>().join("\n"))
    }
}

fn fenced(text: &str) -> String {
    if text.is_empty() { String::new() } else { fence(&Redactor::default().text(text)) }
}

/// A word as it stands in JSON.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn runbooks(situation: &Situation) -> String {
    let one = |proposal: &hindcast_api::Proposal| {
        let targets =
            if proposal.targets.is_empty() { String::new() } else { format!(" on {}", proposal.targets.join(", ")) };
        format!("{}{targets}: {}", proposal.runbook, proposal.title)
    };
    let told: Vec<String> = situation.proposals.iter().take(PROPOSALS_TOLD_MAX).map(one).collect();
    if told.is_empty() { "none fits".to_owned() } else { fenced(&told.join("\n")) }
}

/// The events that a prompt tells, oldest first. Where there are more than fit, those behind conclusions stay.
fn lines(situation: &Situation) -> Vec<PromptEvent> {
    let mut found: BTreeMap<u64, PromptEvent> = BTreeMap::new();
    let mut add = |line: PromptEvent| {
        let weight = line.weight;
        let known = found.entry(line.citation.position).or_insert(line);
        known.weight = known.weight.max(weight);
    };
    let concluded = concluded(situation);
    let weight = |citation: &Citation, least: u8| if concluded.contains(citation) { 3 } else { least };
    for entry in &situation.timeline {
        let citation = Citation { event: entry.event.clone(), position: entry.position };
        let least = if entry.event_type.starts_with("incident.") { 2 } else { 0 };
        let weight = weight(&citation, least);
        add(PromptEvent { citation, at: entry.time, text: entry.text.clone(), weight });
    }
    for finding in situation.findings.iter().take(FINDINGS_TOLD_MAX) {
        let citation = Citation { event: finding.event.clone(), position: finding.position };
        let weight = weight(&citation, 1);
        let text = format!("{}: {}", finding.finding.service, finding.finding.title);
        add(PromptEvent { citation, at: finding.finding.at, text, weight });
    }
    for change in situation.changes.iter().take(CHANGES_TOLD_MAX) {
        let citation = Citation { event: change.event.clone(), position: change.position };
        let weight = weight(&citation, 1);
        let what = &change.change;
        let service = what.service.as_deref().unwrap_or("unknown service");
        let text = format!("{service}: {} {}", what.kind, what.title);
        add(PromptEvent { citation, at: what.at, text, weight });
    }
    let mut all: Vec<PromptEvent> = found.into_values().collect();
    // The heaviest stay, of equals the earliest; then they are told in the order of time.
    all.sort_by_key(|line| (std::cmp::Reverse(line.weight), line.citation.position));
    all.truncate(PROMPT_EVENTS_MAX);
    all.sort_by_key(|line| (line.at, line.citation.position));
    all
}

/// What is cited for the causes and their paths.
fn concluded(situation: &Situation) -> Vec<Citation> {
    let ranked = situation.causes.as_ref().map(|causes| causes.items.as_slice()).unwrap_or_default();
    let of = |hypothesis: &Hypothesis| {
        let steps = hypothesis.path.iter().flat_map(|step| step.citations.clone());
        hypothesis.citations.iter().cloned().chain(steps).collect::<Vec<_>>()
    };
    ranked.iter().take(CAUSES_TOLD_MAX).flat_map(of).collect()
}
