//! One incident as the demo tells it: what broke, what it did, what alarmed; what it was not; whom it hit; what
//! it was like before; what may be done. Everything is what the API said in the midst of it.

use hindcast_api::HypothesisKind;
use hindcast_api::{ClaimVerdict, Hypothesis, PathStep, Similar, StepRole};

use super::advice::Advised;
use super::played::{clock, short};

/// Characters of a line of text.
const LINE_MAX: usize = 130;

/// Prints what was said about an incident.
pub fn print(advised: &Advised) {
    match advised.causes.items.first() {
        Some(cause) => self::cause(cause),
        None => println!("  root cause    unresolved: {}", advised.causes.why_unresolved.as_deref().unwrap_or("-")),
    }
    for refuted in advised.causes.refuted.iter().filter(|refuted| refuted.kind == HypothesisKind::Change).take(2) {
        let why = refuted.refutes.first();
        let cited = why.and_then(|why| why.citations.first()).map(|cited| cited.position);
        println!("  ruled out     {}: {}{}", cut(&refuted.cause), why.map_or("-", |why| &why.text), place(cited));
    }
    let hit = &advised.causes.blast_radius;
    println!("  affected      {} · no sign seen: {}", list(&hit.hit), list(&hit.unharmed));
    seen(&advised.similar.items);
    if let Some(proposal) = advised.proposals.first() {
        let params: Vec<String> = proposal.params.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let worked = match proposal.worked.of {
            0 => String::new(),
            of => format!(" · resolved the same problem {} of {of} times", proposal.worked.ended),
        };
        let risk = proposal.risk.split(':').next().unwrap_or_default();
        println!(
            "  proposed      {} {{{}}} · {risk} risk{worked} · a person decides, Hindcast runs nothing",
            proposal.runbook,
            params.join(", ")
        );
    }
    asked(advised);
}

fn cause(cause: &Hypothesis) {
    for step in &cause.path {
        let label = match step.role {
            StepRole::Broke => "root cause",
            StepRole::Then => "propagated",
            StepRole::Alarmed => "first alert",
        };
        println!("  {label:<13} {}", self::step(step));
    }
    println!("  score         {:.2}, not calibrated yet · {}", cause.score, cut(&cause.cause));
}

fn step(step: &PathStep) -> String {
    let cited = step.citations.first().map(|cited| cited.position);
    format!("{} {:<9} {}{}", clock(step.time), step.service, cut(&step.text), place(cited))
}

fn seen(similar: &[Similar]) {
    let mut label = "past";
    let tell = |label: &str, text: String| println!("  {label:<13} {text}");
    if !similar.iter().any(|one| one.same) {
        tell(label, "no matching past incident".to_owned());
        label = "";
    }
    for one in similar.iter().filter(|one| one.same || one.score >= 0.1).take(2) {
        let text = if one.same {
            let ended = one.resolution.as_deref().unwrap_or("not recorded");
            format!("same problem as {}: {} · resolution: {ended}", short(&one.incident), one.why.join(", "))
        } else {
            format!("{}: similar symptoms, different cause: {}", short(&one.incident), one.differs.join("; "))
        };
        tell(label, cut(&text));
        label = "";
    }
}

fn asked(advised: &Advised) {
    let claims = &advised.answer.claims;
    let count = |verdict: ClaimVerdict| claims.iter().filter(|claim| claim.verdict == verdict).count();
    println!(
        "  asked         {} ms, {} tokens, ${}: {} claims, {} supported, {} removed",
        advised.answered_us / 1_000,
        advised.answer.tokens.map_or(0, |tokens| tokens.input + tokens.output),
        advised.answer.cost.unwrap_or(0.0),
        claims.len(),
        count(ClaimVerdict::Supported),
        count(ClaimVerdict::Unsupported),
    );
}

fn list(services: &[String]) -> String {
    if services.is_empty() { "-".to_owned() } else { services.join(", ") }
}

fn place(position: Option<u64>) -> String {
    position.map(|position| format!("  #{position}")).unwrap_or_default()
}

fn cut(text: &str) -> String {
    hindcast_domain::text::cut(&text.replace('\n', " "), LINE_MAX)
}
