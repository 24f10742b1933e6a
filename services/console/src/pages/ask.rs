//! Questions and answers: the form, and an answer claim by claim with the verifier's marks and its events.

use hindcast_api::{Answer, AssertionKind, Claim, ClaimVerdict, Incident};
use hindcast_domain::words::AnswerMode;
use maud::{Markup, html};

use super::incident::{cause, proposals, similar};
use super::{Frame, parts, words};

/// What a question begins with.
#[derive(Clone, Debug, Default)]
pub struct QuestionForm {
    /// The question so far.
    pub question: String,
    /// About which incident.
    pub incident: Option<String>,
    /// Which conversation it goes on with.
    pub conversation: Option<String>,
}

/// What may be asked, for whoever has no question yet.
const IDEAS: [&str; 5] =
    ["What is going on?", "Have we seen this before?", "What changed?", "What do I do?", "Who is affected?"];

/// The page that asks.
#[must_use]
pub fn page(frame: &Frame, form: &QuestionForm, about: Option<&Incident>) -> Markup {
    frame.page(&html! {
        h1 { "Ask" }
        p.lead { "Answered from the ledger. Every claim cites its events, and its words are compared with theirs; read the events where it matters. Nothing runs." }
        section.card.asking { (ask(frame, form, true)) }
        @if let Some(incident) = about {
            p.sub.behind { "About " a href=(frame.link(&format!("/{}", incident.id))) { (incident.title) } }
        } @else {
            p.sub.behind { "The answer is about the incident that the question names. Without a name it is the most severe open incident, then the newest." }
        }
    })
}

/// The form of a question; it works without script.
#[must_use]
pub fn ask(frame: &Frame, form: &QuestionForm, ideas: bool) -> Markup {
    let action = form.incident.as_ref().map_or_else(|| "/ask".to_owned(), |id| format!("/{id}/ask"));
    html! {
        form.ask method="post" action=(action) {
            @if let Some(seen) = &frame.seen { input type="hidden" name="as_of" value=(seen.asked); }
            @if let Some(conversation) = &form.conversation { input type="hidden" name="conversation" value=(conversation); }
            input.wide type="text" name="question" value=(form.question) maxlength="4096" required aria-label="Question" placeholder="What is going on, have we seen this, what do I do?";
            button.primary type="submit" { "Ask" }
        }
        @if ideas {
            form.ideas method="post" action=(action) {
                @if let Some(seen) = &frame.seen { input type="hidden" name="as_of" value=(seen.asked); }
                @for idea in IDEAS { button.small type="submit" name="question" value=(idea) { (idea) } " " }
            }
        }
    }
}

/// What the page of an answer shows.
#[derive(Clone, Debug)]
pub struct AnswerPage {
    /// What stands around it.
    pub frame: Frame,
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub answer: Answer,
}

/// The page of an answer.
#[must_use]
pub fn answered(view: &AnswerPage) -> Markup {
    let (frame, answer) = (&view.frame, &view.answer);
    let form = QuestionForm {
        question: String::new(),
        incident: answer.incident.clone(),
        conversation: Some(answer.conversation.clone()),
    };
    frame.page(&html! {
        p.crumb {
            a href=(frame.link("/")) { "Incidents" }
            @if let Some(incident) = &answer.incident { " / " a.mono href=(frame.link(&format!("/{incident}"))) { (incident) } }
            " / Ask"
        }
        section.head {
            p.badges {
                @if let Some(severity) = answer.severity { (words::severity(severity)) }
                @if answer.mode == AnswerMode::Model { span.kind { "model " (answer.model.as_deref().unwrap_or_default()) } }
                @else { span.kind.soft { "evidence alone" } }
                span { (answer.elapsed_ms) " ms" }
                span { (tokens(answer)) }
                span { "as of #" (answer.position) }
            }
            h1 { (view.question) }
        }
        div.columns {
            div.main {
                (claims(frame, answer))
                @if !answer.hypotheses.is_empty() {
                    h2 { "Cause" }
                    div.card.cause { @for hypothesis in &answer.hypotheses { (cause::hypothesis(frame, hypothesis, None)) } }
                }
                @if !answer.proposals.is_empty() { h2 { "Proposed" } (proposals::list(frame, &answer.proposals, None)) }
                @if !answer.similar.is_empty() { h2 { "Seen before" } (similar::list(frame, &answer.similar, None)) }
            }
            aside {
                section.card.asking { h2 { "Go on" } (ask(frame, &form, false)) }
                (missing(&answer.missing))
                (facts(frame, answer))
            }
        }
    })
}

fn tokens(answer: &Answer) -> String {
    let used = answer.tokens.map_or(0, |tokens| tokens.input + tokens.output);
    let cost = answer.cost.unwrap_or(0.0);
    let cost = if cost > 0.0 { format!("${cost:.4}") } else { "$0".to_owned() };
    format!("{}, {cost}", words::count(used, "token", "tokens"))
}

fn claims(frame: &Frame, answer: &Answer) -> Markup {
    let told = answer.told();
    html! {
        section {
            h2 { "Answer" }
            @if told.is_empty() { div.card { pre.plain { (answer.answer) } } }
            @else {
                ol.claims.card {
                    @for (line, claim) in told {
                        @match claim {
                            Some(claim) => (one(frame, claim, !is_shown(answer, claim))),
                            None => li.stated { span.mark aria-hidden="true" { "·" } div { p { (line) } } },
                        }
                    }
                }
                @if !answer.details.is_empty() {
                    details.folded {
                        summary { (words::count(answer.details.len() as u64, "more line", "more lines")) }
                        ol.claims.card { @for claim in &answer.details { (one(frame, claim, false)) } }
                    }
                }
                details.plain-text { summary { "as plain text" } pre.plain { (answer.answer) } }
            }
        }
    }
}

/// Whether a claim's path is that of a cause, which is shown beneath.
fn is_shown(answer: &Answer, claim: &Claim) -> bool {
    answer.hypotheses.iter().any(|hypothesis| hypothesis.path == claim.path)
}

fn one(frame: &Frame, claim: &Claim, with_path: bool) -> Markup {
    let is_statement = claim.assertion.as_ref().is_some_and(|one| one.kind == AssertionKind::Statement);
    let (class, mark, word) = match claim.verdict {
        ClaimVerdict::Supported if is_statement => {
            ("supported", "✓", "supported: its numbers, times, names and quotations stand in its events")
        }
        ClaimVerdict::Supported => ("supported", "✓", "supported: its events say all of this claim"),
        ClaimVerdict::Unsupported => ("struck", "✗", "removed: not supported by the evidence"),
        ClaimVerdict::Unverifiable => {
            ("open", "?", "not checked: not every word of it could be compared with its events")
        }
    };
    html! {
        li.(class) {
            span.mark title=(word) aria-label=(word) { (mark) }
            div {
                p {
                    @if claim.verdict == ClaimVerdict::Unsupported { s { (claim.text) } } @else { (claim.text) }
                    @if claim.verdict == ClaimVerdict::Unverifiable { " " em { "(not checked)" } }
                    " " (parts::cites(frame, &claim.citations))
                }
                @if let Some(reason) = &claim.reason { p.sub { (reason) } }
                @if with_path { (cause::path(frame, &claim.path)) }
            }
        }
    }
}

fn missing(missing: &[String]) -> Markup {
    html! {
        @if !missing.is_empty() {
            section.card { h2 { "Missing" } ul.missing { @for what in missing { li { (what) } } } }
        }
    }
}

fn facts(frame: &Frame, answer: &Answer) -> Markup {
    let of = |verdict| answer.claims.iter().filter(|claim| claim.verdict == verdict).count();
    html! {
        section.card {
            h2 { "How this answer was made" }
            dl.facts {
                dt { "Claims" } dd { (of(ClaimVerdict::Supported)) " supported, " (of(ClaimVerdict::Unsupported)) " removed, " (of(ClaimVerdict::Unverifiable)) " not checked" }
                dt { "By" } dd { @match &answer.model { Some(model) => (model), None => "evidence, no model" } }
                @if answer.model.is_some() { dt { "Prompts" } dd.mono { (answer.prompt_version) } }
                dt { "Conversation" } dd.mono { (answer.conversation) }
                @if !answer.recorded.is_empty() { dt { "Kept as" } dd { (parts::cites(frame, &answer.recorded)) } }
            }
        }
    }
}
