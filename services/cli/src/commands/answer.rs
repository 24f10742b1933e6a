//! An answer of the copilot as people read it: each claim with the verifier's mark and its events, what may have
//! been the cause, what was seen before, what is proposed, what is missing, and what it cost.

use hindcast_api::{Answer, Claim, ClaimVerdict};

use super::advice::{causes, positions, proposals, similar};
use crate::context::CliContext;
use crate::text::ink::Ink;
use crate::text::labelled::Labelled;
use crate::text::times::Times;

/// Similar incidents and proposals that are told with an answer.
const SHOWN: usize = 2;

/// The answer as text.
pub(super) fn told(answer: &Answer, times: Times, context: &CliContext<'_>) -> String {
    let (width, colour) = (context.terminal.width(), context.terminal.colour());
    let mut out = String::new();
    if let Some(incident) = &answer.incident {
        let id = Ink::Strong.on(context.ids([]).short(incident), colour);
        let severity = answer.severity.map_or_else(String::new, |severity| {
            format!(" {}", Ink::Severity(severity).on(&severity.as_str().to_uppercase(), colour))
        });
        out.push_str(&format!("{id}{severity}\n"));
    }
    let claims = claims(answer, times);
    if claims.is_empty() && answer.lead.is_none() {
        for line in answer.answer.lines().filter(|line| !line.trim().is_empty()) {
            out.push_str(&format!("  {}\n", crate::text::clean(line)));
        }
    } else {
        out.push_str(&claims.render(2, width, colour));
    }
    out.push_str(&beneath(answer, times, context).render(2, width, colour));
    let mut last = Labelled::default();
    last.inked(("asked", Ink::Faint), (&summary(answer), Ink::Faint), &[]);
    out.push_str(&last.render(0, width, colour));
    out
}

fn claims(answer: &Answer, times: Times) -> Labelled {
    let mut lines = Labelled::default();
    for (line, claim) in answer.told() {
        let Some(claim) = claim else {
            lines.inked(("·", Ink::Faint), (&crate::text::clean(line), Ink::Plain), &[]);
            continue;
        };
        let (mark, mark_ink, ink) = match claim.verdict {
            ClaimVerdict::Supported => ("✓", Ink::Good, Ink::Plain),
            ClaimVerdict::Unsupported => ("✗", Ink::Bad, Ink::Faint),
            ClaimVerdict::Unverifiable => ("?", Ink::Faint, Ink::Plain),
        };
        lines.inked((mark, mark_ink), (&worded(claim), ink), &positions(&claim.citations));
        // A path that a cause has too is told once, beneath.
        if answer.hypotheses.first().is_none_or(|hypothesis| hypothesis.path != claim.path) {
            causes::path(&mut lines, &claim.path, times);
        }
    }
    lines
}

/// A claim's words; a removed one says so, with the reason.
fn worded(claim: &Claim) -> String {
    let reason = claim.reason.as_deref();
    match claim.verdict {
        ClaimVerdict::Supported => claim.text.clone(),
        ClaimVerdict::Unsupported => {
            format!("removed: {} ({})", claim.text, reason.unwrap_or("not supported by the evidence"))
        }
        ClaimVerdict::Unverifiable => match reason {
            Some(reason) => format!("not checked: {} ({reason})", claim.text),
            None => format!("not checked: {}", claim.text),
        },
    }
}

fn beneath(answer: &Answer, times: Times, context: &CliContext<'_>) -> Labelled {
    let mut lines = Labelled::default();
    if let Some(hypothesis) = answer.hypotheses.first() {
        causes::first(&mut lines, hypothesis, times);
    }
    let ids = context.ids(answer.similar.iter().map(|item| item.incident.as_str()));
    similar::first(&mut lines, &answer.similar, SHOWN, times, &ids);
    proposals::first(&mut lines, &answer.proposals, SHOWN);
    for (index, missing) in answer.missing.iter().enumerate() {
        lines.add(if index == 0 { "missing" } else { "" }, missing, &[]);
    }
    if !answer.details.is_empty() {
        lines.add("folded", format!("{} more lines, in --json and on the web page", answer.details.len()), &[]);
    }
    lines
}

/// What it took: time, tokens, cost, and what the verifier found.
fn summary(answer: &Answer) -> String {
    let tokens = answer.tokens.map_or(0, |tokens| tokens.input + tokens.output);
    let cost = answer.cost.unwrap_or(0.0);
    let cost = if cost > 0.0 { format!("${cost:.4}") } else { "$0".to_owned() };
    let of = |verdict| answer.claims.iter().filter(|claim| claim.verdict == verdict).count();
    let by = answer.model.as_deref().map_or_else(|| "evidence".to_owned(), |model| format!("{} {model}", answer.mode));
    format!(
        "{} ms · {by} · {tokens} tokens, {cost} · {} claims: {} supported, {} removed, {} not checked · as of #{} · {}",
        answer.elapsed_ms,
        answer.claims.len(),
        of(ClaimVerdict::Supported),
        of(ClaimVerdict::Unsupported),
        of(ClaimVerdict::Unverifiable),
        answer.position,
        answer.conversation
    )
}
