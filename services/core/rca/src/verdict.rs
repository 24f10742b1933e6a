//! Says what was concluded: hypotheses with what speaks for and against them, and why nothing is named.

use hindcast_api::HypothesisKind;
use hindcast_api::{Citation, Hypothesis, Similar, Statement};
use hindcast_domain::text::listed;

use super::change::changes;
use super::path::path;
use super::scene::{CauseCandidate, Scene};
use super::sign::{self, ServiceSign};
use super::weigh::was;
use hindcast_api::cited;
use hindcast_domain::text::{clock, one_line, quoted};

/// Statements of each side.
const STATEMENTS_MAX: usize = 6;
/// Signs that the words for a cause tell of.
const TOLD: usize = 2;
/// Scores that lie nearer than this, in thousandths, cannot be told apart.
const TIE: i32 = 40;

/// A cause that is named.
pub(super) fn hypothesis(
    candidate: &CauseCandidate,
    scene: &Scene,
    named: &[&CauseCandidate],
    past: &[Similar],
) -> Hypothesis {
    let signs = scene.signs_of(&candidate.service);
    let path = path(&candidate.service, scene);
    let confirms = confirms(candidate, signs, scene, past);
    let refutes = refutes(candidate, signs, scene, named);
    let citations = cited(
        path.iter()
            .flat_map(|step| step.citations.iter())
            .chain(confirms.iter().chain(&refutes).flat_map(|statement| statement.citations.iter()))
            .cloned()
            .chain(told(signs)),
    );
    Hypothesis {
        cause: cause(candidate, signs, scene),
        service: candidate.service.clone(),
        kind: if candidate.change.is_some() { HypothesisKind::Change } else { HypothesisKind::Service },
        score: f64::from(candidate.score) / 1_000.0,
        path,
        confirms,
        refutes,
        citations,
    }
}

/// What was considered and is not it.
pub(super) fn refuted(candidate: &CauseCandidate, best: Option<&CauseCandidate>, scene: &Scene) -> Hypothesis {
    let signs = scene.signs_of(&candidate.service);
    let mut refutes = Vec::new();
    if let Some(best) = best.filter(|best| best.service != candidate.service) {
        refutes.push(less_than(candidate, best, signs, scene));
    }
    if refutes.is_empty() {
        let citations = sign::first(signs).map(|sign| sign.citation.clone());
        let text = format!("{} shows too little of its own, and too late, to explain what was seen", candidate.service);
        refutes.push(Statement { text, citations: cited(citations) });
    }
    Hypothesis {
        cause: format!("{}: {}", candidate.service, what(signs)),
        service: candidate.service.clone(),
        kind: HypothesisKind::Service,
        score: f64::from(candidate.score) / 1_000.0,
        path: Vec::new(),
        confirms: Vec::new(),
        citations: cited(refutes.iter().flat_map(|statement| statement.citations.iter().cloned()).chain(told(signs))),
        refutes,
    }
}

/// Why `best` is the better explanation.
fn less_than(candidate: &CauseCandidate, best: &CauseCandidate, signs: &[ServiceSign], scene: &Scene) -> Statement {
    let theirs = sign::first(scene.signs_of(&best.service));
    let mine = sign::first(signs);
    let citations = cited(theirs.into_iter().chain(mine).map(|sign| sign.citation.clone()));
    let (name, other) = (&candidate.service, &best.service);
    let since =
        |sign: Option<&ServiceSign>| sign.map_or_else(String::new, |sign| format!(" since {}", clock(sign.time)));
    let text = if candidate.explained_by(other) {
        format!(
            "{name} depends on {other}, which shows signs of its own{}; {name} shows them{}",
            since(theirs),
            since(mine)
        )
    } else {
        format!(
            "{name} shows signs{}, and {other}, with signs{}, explains more of what alarmed",
            since(mine),
            since(theirs)
        )
    };
    Statement { text, citations }
}

/// Begins with the service, then says what is wrong there by its strongest signs.
fn cause(candidate: &CauseCandidate, signs: &[ServiceSign], scene: &Scene) -> String {
    let what = what(signs);
    let service = &candidate.service;
    match changed(candidate, scene) {
        Some((words, _)) => format!("{service} failed with its {words}: {what}"),
        None => format!("{service} failed: {what}"),
    }
}

/// The strongest signs, in words.
fn what(signs: &[ServiceSign]) -> String {
    sign::telling(signs, TOLD).iter().map(|sign| sign.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// The events of the strongest signs.
fn told(signs: &[ServiceSign]) -> Vec<Citation> {
    sign::telling(signs, TOLD).iter().map(|sign| sign.citation.clone()).collect()
}

/// The change that broke it, in words.
fn changed(candidate: &CauseCandidate, scene: &Scene) -> Option<(String, Citation)> {
    let event = candidate.change.as_ref()?;
    let judged = changes(scene).into_iter().find(|judged| judged.citation() == *event)?;
    Some((format!("{}, {}", judged.words(), quoted(&judged.change.change.title)), event.clone()))
}

fn confirms(candidate: &CauseCandidate, signs: &[ServiceSign], scene: &Scene, past: &[Similar]) -> Vec<Statement> {
    let service = &candidate.service;
    let mut all = Vec::new();
    if let Some((words, event)) = changed(candidate, scene)
        && let Some(first) = sign::first(signs)
    {
        let text = format!("{service} was changed by {words}, and showed its first sign at {}", clock(first.time));
        all.push(Statement { text, citations: cited([event, first.citation.clone()]) });
    }
    for sign in grounds(candidate, signs).into_iter().take(3) {
        let text = format!("{service} at {}: {}", clock(sign.time), sign.text);
        all.push(Statement { text, citations: vec![sign.citation.clone()] });
    }
    for (other, line, event) in candidate.named.iter().take(1) {
        let text = format!("{other} depends on {service} and names it: {}", quoted(line));
        all.push(Statement { text, citations: vec![event.clone()] });
    }
    all.extend(dependents(candidate, scene));
    for similar in past.iter().filter(|similar| was(similar, service, scene.topology)).take(1) {
        let text = format!("{} was the same problem, and its cause was there too", similar.incident);
        // The first of them is its opening; the rest are signs that it had, and need not name it.
        all.push(Statement { text, citations: similar.citations.first().cloned().into_iter().collect() });
    }
    all.truncate(STATEMENTS_MAX);
    all
}

/// Its own signs, those that its likeliest mode rests on first.
fn grounds<'s>(candidate: &CauseCandidate, signs: &'s [ServiceSign]) -> Vec<&'s ServiceSign> {
    let place = |sign: &ServiceSign| candidate.grounds.iter().position(|event| *event == sign.citation);
    let mut all = sign::strongest(signs);
    all.sort_by_key(|sign| place(sign).unwrap_or(usize::MAX));
    all
}

/// That what alarmed depends on it.
fn dependents(candidate: &CauseCandidate, scene: &Scene) -> Option<Statement> {
    let above: Vec<(&String, &ServiceSign)> = scene
        .alarmed
        .keys()
        .filter(|alarmed| scene.depends(alarmed, &candidate.service))
        .filter_map(|alarmed| {
            Some((alarmed, scene.signs_of(alarmed).iter().find(|sign| sign.time >= candidate.first)?))
        })
        .take(8)
        .collect();
    let names: Vec<&str> = above.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let own = sign::first(scene.signs_of(&candidate.service)).map(|sign| sign.citation.clone());
    let verb = if names.len() == 1 { "depends" } else { "depend" };
    let names = listed(&names, names.len());
    Some(Statement {
        text: format!("{names} {verb} on {} and showed signs no earlier", candidate.service),
        citations: cited(above.iter().map(|(_, sign)| sign.citation.clone()).chain(own)),
    })
}

fn refutes(
    candidate: &CauseCandidate,
    signs: &[ServiceSign],
    scene: &Scene,
    named: &[&CauseCandidate],
) -> Vec<Statement> {
    let service = &candidate.service;
    let mut all = Vec::new();
    let mine = sign::first(signs);
    for other in named.iter().filter(|other| other.service != *service && !other.explained_by(service)) {
        if (other.score - candidate.score).abs() < TIE
            && let Some(theirs) = sign::first(scene.signs_of(&other.service))
        {
            let text =
                format!("{} explains it about as well: it shows signs since {}", other.service, clock(theirs.time));
            all.push(Statement { text, citations: vec![theirs.citation.clone()] });
        }
    }
    let earlier = scene
        .signs
        .iter()
        .filter(|(other, _)| *other != service)
        .filter_map(|(other, theirs)| Some((other, sign::first(theirs)?)))
        .filter(|(_, theirs)| mine.is_some_and(|mine| theirs.time < mine.time))
        .min_by_key(|(other, theirs)| (theirs.time, other.as_str()));
    if let (Some((other, theirs)), Some(mine)) = (earlier, mine) {
        let text =
            format!("{other} showed a sign at {}, and {service} only at {}", clock(theirs.time), clock(mine.time));
        all.push(Statement { text, citations: cited([theirs.citation.clone(), mine.citation.clone()]) });
    }
    let uncovered = scene.alarmed.keys().filter(|alarmed| {
        *alarmed != service && scene.topology.depends(alarmed, service).is_none() && !scene.signs_of(alarmed).is_empty()
    });
    for alarmed in uncovered.take(3) {
        let theirs = sign::first(scene.signs_of(alarmed));
        let citations = theirs.into_iter().chain(mine).map(|sign| sign.citation.clone());
        let text = format!("{alarmed} alarmed too, and the catalogue does not say that it depends on {service}");
        all.push(Statement { text, citations: cited(citations) });
    }
    all.truncate(STATEMENTS_MAX);
    all
}

/// Why nothing is named.
pub(super) fn why_unresolved(scene: &Scene, candidates: &[CauseCandidate]) -> String {
    if scene.evidence.symptoms.is_empty() && scene.evidence.findings.is_empty() {
        return "no alert belongs to it and nothing abnormal was found: there is nothing to explain".to_owned();
    }
    if scene.alarmed.is_empty() {
        return "no alert of it names a service, and nobody named one".to_owned();
    }
    match candidates.iter().max_by_key(|candidate| candidate.score) {
        None => format!(
            "nothing abnormal was found on {} or on what it depends on",
            scene.alarmed.keys().map(|name| one_line(name)).collect::<Vec<_>>().join(", ")
        ),
        Some(best) => format!(
            "the best explanation, {}, scores {:.3}, below {:.3}",
            best.service,
            f64::from(best.score) / 1_000.0,
            f64::from(super::FLOOR) / 1_000.0
        ),
    }
}
