//! What caused it, whether it was what the asker names, and what that rests on. The ranking is not ours to change here.

use hindcast_api::{Change, Citation, Hypothesis, Statement};
use hindcast_domain::text::listed;

use super::line::{AnswerLine, IntentAnswer, said, stated};
use super::scene::AnswerScene;
use super::told::told;
use crate::evidence::{self, when};
use crate::situation::Situation;
use crate::understand::names::NamedKind;

/// Reasons that are told of one cause.
const REASONS_TOLD_MAX: usize = 2;

/// What caused it.
pub(super) fn cause(situation: &Situation) -> IntentAnswer {
    let (said_of, missing) = told(evidence::conclusions::cause, situation);
    let mut said_of = said_of.into_iter();
    let unresolved = situation.unresolved() || situation.causes.is_none();
    // What a person recorded goes before what is ranked.
    let lead = named_by_person(situation).or_else(|| if unresolved { None } else { said_of.next() });
    let mut answer = IntentAnswer::new(lead.unwrap_or_else(|| {
        let why = missing.first().cloned().unwrap_or_else(|| "unresolved".to_owned());
        stated(format!("The cause is not known: {why}"))
    }));
    answer.all(said_of);
    answer.missing.extend(missing);
    answer.shows.causes = true;
    answer
}

/// The cause that a person recorded.
fn named_by_person(situation: &Situation) -> Option<AnswerLine> {
    let cause = situation.incident.cause.as_ref()?;
    let entry = situation.last(&["incident.resolved"])?;
    let texts =
        [format!("{} named as the cause: {cause}", entry.actor), format!("A person named as the cause: {cause}")];
    let named = evidence::conclusions::named(entry, cause);
    Some(said(texts, [evidence::about::cited(entry)]).asserting(named))
}

fn reasons(of: &[Statement], before: &str) -> Vec<AnswerLine> {
    of.iter()
        .take(REASONS_TOLD_MAX)
        .map(|one| {
            let line = said([format!("{before}{}", one.text), one.text.clone()], one.citations.iter().cloned());
            line.asserting(hindcast_verifier::reason(one))
        })
        .collect()
}

/// A cause that the asker names.
struct Suspect<'a> {
    words: String,
    services: Vec<&'a str>,
    /// The changes that it may be.
    changes: Vec<&'a Change>,
    /// Whether a change is meant at all.
    is_change: bool,
}

fn suspect<'a>(scene: &'a AnswerScene<'_>, situation: &'a Situation) -> Suspect<'a> {
    let versions = scene.part.of(NamedKind::Version);
    let services = scene.services();
    let is_rollback = scene.part.has(&["rollback", "revert"])
        || scene.part.says("roll back")
        || scene.part.says("rolled back")
        || scene.part.has(&["roll", "rolled", "rolling"]) && scene.part.has(&["back"]);
    let says_change = scene.part.has(&[
        "deploy",
        "release",
        "rollout",
        "change",
        "deployment",
        "deployed",
        "released",
        "config",
        "flag",
    ]);
    let is_change = says_change || is_rollback || !versions.is_empty();
    let of_version = |change: &&Change| {
        let has = |text: &str| versions.iter().any(|version| has_version(text, version));
        versions.is_empty() || change.change.version.as_deref().is_some_and(has) || has(&change.change.title)
    };
    let of_service = |change: &&Change| {
        services.is_empty() || change.change.service.as_deref().is_some_and(|of| services.contains(&of))
    };
    let changes = situation.changes.iter().filter(|_| is_change).filter(of_version).filter(of_service).collect();
    let names: Vec<&str> = versions.iter().chain(&services).copied().collect();
    let topics: Vec<&str> = scene.part.topics.iter().map(|topic| topic.name.as_str()).collect();
    let words = match (is_change, names.is_empty(), topics.is_empty()) {
        (true, true, _) => "the change".to_owned(),
        (true, false, _) => format!("the change of {}", listed(&names, 3)),
        (false, false, _) => listed(&names, 3),
        (false, true, false) => format!("the {}", listed(&topics, 3)),
        _ => scene.part.unknown.first().cloned().unwrap_or_else(|| "that".to_owned()),
    };
    Suspect { words, services, changes, is_change }
}

/// Whether a text has a version as a word of its own.
fn has_version(text: &str, version: &str) -> bool {
    let bare = |word: &str| word.trim_start_matches(['v', 'V']).to_lowercase();
    text.split(|c: char| !(c.is_alphanumeric() || ".-+_".contains(c)))
        .any(|word| bare(word) == bare(version) && !word.is_empty())
}

impl Suspect<'_> {
    /// Whether a hypothesis is this suspect.
    fn is(&self, hypothesis: &Hypothesis, scene: &AnswerScene<'_>) -> bool {
        let by_change =
            self.changes.iter().any(|change| hypothesis.citations.iter().any(|cited| cited.event == change.event));
        if self.is_change {
            return by_change && hypothesis.kind.as_str() == "change";
        }
        if !self.services.is_empty() {
            let by_service = self.services.contains(&hypothesis.service.as_str());
            return by_service && scene.speaks_of_topics(&hypothesis.cause);
        }
        !scene.part.topics.is_empty() && scene.speaks_of_topics(&hypothesis.cause)
    }
}

/// Whether the cause that a person recorded is the suspect: what it says behind "because" or "since" is the cause, and what
/// stands before it is what it did.
fn recorded(scene: &AnswerScene<'_>, suspect: &Suspect<'_>, situation: &Situation) -> Option<IntentAnswer> {
    let cause = situation.incident.cause.as_ref()?;
    let lower = cause.to_lowercase();
    let behind = [" because ", " since ", " due to ", " after "]
        .iter()
        .find_map(|word| lower.split_once(word))
        .map_or(lower.as_str(), |(_, behind)| behind);
    let versions = scene.part.of(NamedKind::Version);
    let is_version = versions.iter().any(|version| has_version(behind, version));
    let of_change = ["deploy", "release", "rollout", "change", "version", "config", "flag"];
    let is_change = behind.split(|c: char| !c.is_alphanumeric()).any(|word| of_change.contains(&word));
    let named =
        |name: &str| behind.contains(name) || scene.book.services.get(name).is_some_and(|_| spelt(behind, name));
    let is_service = suspect.services.iter().any(|service| named(service));
    let is_topic = !scene.part.topics.is_empty() && scene.speaks_of_topics(behind);
    let is_it = if !versions.is_empty() {
        is_version
    } else if suspect.is_change {
        is_change && (suspect.services.is_empty() || suspect.services.iter().any(|service| lower.contains(service)))
    } else if !scene.part.topics.is_empty() {
        is_topic
    } else {
        is_service
    };
    let entry = situation.last(&["incident.resolved"])?;
    let (yes, words) = if is_it { ("Yes", "the cause") } else { ("No", "another cause") };
    let texts = [
        format!("{yes}: {} named {words} than {}: {cause}", entry.actor, suspect.words),
        format!("{yes}: a person named {words}: {cause}"),
    ];
    let texts =
        if is_it { [format!("Yes: {} named as the cause: {cause}", entry.actor), texts[1].clone()] } else { texts };
    let line = said(texts, [evidence::about::cited(entry)]);
    Some(IntentAnswer::new(line.asserting(evidence::conclusions::named(entry, cause))))
}

/// Whether a text has a name in a longer spelling, as `postgresql` for `postgres`.
fn spelt(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|word| word.strip_prefix(name).is_some_and(|tail| tail.len() <= 3))
}

/// Whether it was what the asker names: ranked, refuted, or not considered.
pub(super) fn was_it(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let suspect = suspect(scene, situation);
    let ranking = by_ranking(scene, &suspect, situation);
    let Some(mut answer) = recorded(scene, &suspect, situation) else { return ranking };
    answer.line(of_the_ranking(ranking.lead));
    answer.all(ranking.lines);
    answer.shows.causes = true;
    answer
}

/// What the ranking answers, as its own word beside that of a person: two may say yes and no.
fn of_the_ranking(line: AnswerLine) -> AnswerLine {
    let reworded = |text: String| {
        let found = ["Yes, ", "Yes: ", "No: "].iter().find_map(|word| text.strip_prefix(word));
        found.map(|rest| format!("By the ranking, {rest}")).unwrap_or(text)
    };
    match line {
        AnswerLine::Said(mut draft) => {
            draft.texts = draft.texts.into_iter().map(reworded).collect();
            AnswerLine::Said(draft)
        }
        AnswerLine::Stated(text) => AnswerLine::Stated(reworded(text)),
    }
}

/// What the ranking says of a suspect.
fn by_ranking(scene: &AnswerScene<'_>, suspect: &Suspect<'_>, situation: &Situation) -> IntentAnswer {
    let Some(causes) = &situation.causes else {
        return IntentAnswer::new(stated("Not known: causes could not be had"));
    };
    let ranked = causes.items.iter().position(|hypothesis| suspect.is(hypothesis, scene));
    let refuted = causes.refuted.iter().find(|hypothesis| suspect.is(hypothesis, scene));
    let mut answer = match (ranked, refuted) {
        (Some(0), _) if !causes.unresolved => ranks_first(suspect, causes.items.first()),
        (Some(index), _) => ranks_behind(suspect, &causes.items, index, causes.unresolved),
        (None, Some(hypothesis)) => is_refuted(suspect, hypothesis),
        (None, None) => not_considered(scene, suspect, situation),
    };
    let was_first = ranked == Some(0) && !causes.unresolved;
    if !was_first {
        match causes.items.first() {
            Some(first) if !causes.unresolved => {
                let claim = hindcast_rca::claim(first);
                let line = said([format!("What ranks first: {}", claim.text), claim.text], claim.citations);
                answer.line(line.asserting(evidence::conclusions::ranked(first, 1)));
            }
            _ => answer.line(stated("No cause is ranked first: it is unresolved")),
        }
    }
    answer.line(named_by_person(situation));
    answer.shows.causes = true;
    answer
}

fn ranks_first(suspect: &Suspect<'_>, first: Option<&Hypothesis>) -> IntentAnswer {
    let Some(first) = first else { return IntentAnswer::new(stated("Not known")) };
    let claim = hindcast_rca::claim(first);
    let texts = [format!("Yes, {} ranks first as the cause: {}", suspect.words, claim.text), claim.text];
    let line = said(texts, claim.citations);
    let mut answer = IntentAnswer::new(line.asserting(evidence::conclusions::ranked(first, 1)));
    answer.all(reasons(&first.confirms, "For it: "));
    answer.all(reasons(&first.refutes, "Against it: "));
    answer
}

fn ranks_behind(suspect: &Suspect<'_>, items: &[Hypothesis], index: usize, unresolved: bool) -> IntentAnswer {
    let Some(one) = items.get(index) else { return IntentAnswer::new(stated("Not known")) };
    let place = index + 1;
    let certain = if unresolved { "It is not known" } else { "Probably not" };
    let text = format!("{certain}: {} is ranked {place} of {}: {}", suspect.words, items.len(), one.cause);
    let line = said([text], one.citations.iter().cloned());
    let mut answer = IntentAnswer::new(line.asserting(evidence::conclusions::ranked(one, place)));
    answer.all(reasons(&one.refutes, "Against it: "));
    answer.all(reasons(&one.confirms, "For it: "));
    answer
}

fn is_refuted(suspect: &Suspect<'_>, one: &Hypothesis) -> IntentAnswer {
    let reason = one.refutes.first();
    let why = reason.map(|reason| format!(": {}", reason.text)).unwrap_or_default();
    let cites = reason.map(|reason| reason.citations.clone()).unwrap_or_default();
    let cites = cites.into_iter().chain(one.citations.iter().cloned());
    let mut answer = IntentAnswer::new(said([format!("No: {} is refuted as the cause{why}", suspect.words)], cites));
    answer
        .line(said([format!("What was considered: {}", one.cause), one.cause.clone()], one.citations.iter().cloned()));
    answer.all(reasons(one.refutes.get(1..).unwrap_or_default(), "Also against it: "));
    answer
}

/// A suspect of which no hypothesis was made.
fn not_considered(scene: &AnswerScene<'_>, suspect: &Suspect<'_>, situation: &Situation) -> IntentAnswer {
    let began = situation.incident.started_at;
    let id = &situation.incident.id;
    if suspect.is_change {
        let Some(change) = suspect.changes.first() else {
            let none =
                format!("No: {} is not recorded near {id} {}, so it was not considered", suspect.words, scene.as_of());
            return IntentAnswer::new(stated(none));
        };
        let cited = Citation { event: change.event.clone(), position: change.position };
        let at = when(change.change.at);
        let text = if change.change.at > began {
            format!("No: {} came at {at}, after it began at {}", suspect.words, when(began))
        } else {
            format!("Not considered: {} was recorded at {at}, and no sign ties it to {id}", suspect.words)
        };
        return IntentAnswer::new(said([text], [cited]));
    }
    let hit = situation.causes.as_ref().map(|causes| causes.blast_radius.hit.as_slice()).unwrap_or_default();
    let is_hit = suspect.services.iter().any(|service| hit.iter().any(|of| of == service));
    let signs = if is_hit {
        "it shows signs, and none of them is ranked as the cause"
    } else {
        "no sign of it is recorded in this incident"
    };
    let mut answer = IntentAnswer::new(stated(format!(
        "Nothing says so: {} was not considered as the cause of {id}; {signs}",
        suspect.words
    )));
    if let Some(name) = scene.part.unknown.first() {
        answer.line(stated(format!("Nothing is known by the name \"{name}\"")));
    }
    answer
}

/// What the conclusions rest on.
pub(super) fn evidence(scene: &AnswerScene<'_>, situation: &Situation) -> IntentAnswer {
    let first = situation.causes.as_ref().and_then(|causes| causes.items.first());
    let Some(first) = first.filter(|_| !situation.unresolved()) else {
        let mut answer = cause(situation);
        answer.line(stated(format!(
            "{} alerts, {} findings and {} changes were looked at {}",
            situation.symptoms.len(),
            situation.findings.len(),
            situation.changes.len(),
            scene.as_of()
        )));
        return answer;
    };
    let score = format!("{:.2}", first.score);
    let mut answer = IntentAnswer::new(stated(format!(
        "{} ranks first with score {score}, which is no probability; {} events speak for it",
        first.service,
        first.citations.len()
    )));
    answer.all(reasons(&first.confirms, "For it: "));
    answer.all(reasons(&first.refutes, "Against it: "));
    let steps = first.path.iter().map(|step| {
        said([format!("{} at {}: {}", step.service, when(step.time), step.text)], step.citations.iter().cloned())
    });
    answer.all(steps);
    answer.missing.extend(situation.missing.iter().cloned());
    answer.shows.causes = true;
    answer
}
