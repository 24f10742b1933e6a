//! Changes: which of them may have broken something, and what speaks against each of the others. Owns the
//! rules by which a change is refuted; refuses to know who wins.
//!
//! A change explains only its own service and what depends on it. It must precede the first sign, its service
//! must show signs of its own after it and none before, and nothing beneath may explain those. It is judged by
//! comparison: its service must be among the first to show anything, and services that were not changed must not show
//! the same (difference in differences; Card and Krueger, American Economic Review 84, 1994).

use hindcast_api::HypothesisKind;
use hindcast_api::{Change, Citation, Hypothesis, Statement};
use hindcast_domain::{Span, Time};

use super::scene::{CauseCandidate, SYMPTOM, Scene, Tie};
use super::sign::{self, ServiceSign};
use hindcast_api::cited;
use hindcast_domain::text::{clock, one_line, quoted};

/// How long before its first sign a change is suspected.
const SUSPECT: Span = Span::minutes(30);
/// After how long the suspicion is halved.
const HALVED: Span = Span::minutes(6);
/// How sure a sign must be for its service to lead.
const LEADS_MIN: f64 = 0.45;
/// A service that shows more than this before a change was abnormal already.
const BEFORE_MAX: f64 = 0.55;
/// From which part of a change's effect the same effect elsewhere says that it was not the change.
const SHARED_FROM: f64 = 0.8;
/// Log odds by which a changed service must lead the best other cause for its change to be blamed: three to one.
pub(super) const MARGIN: f64 = 1.1;

/// What a change is held to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ChangeRole {
    /// It may have broken its service.
    Suspect,
    /// Its service is not named.
    Nameless,
    /// Nothing that alarmed is its service or depends on it.
    Unconnected,
    /// Its service shows no sign of its own.
    Flat,
    /// It came after the first sign.
    Late(Citation, Time),
    /// It came too long before.
    LongAgo(Citation, Time),
    /// It was made when something had alarmed already.
    Afterwards(Citation, Time),
    /// A service that does not depend on it showed something first.
    Follows { other: String, began: (Citation, Time), own: (Citation, Time) },
    /// A service that was not changed and does not depend on it shows as much.
    Shared(String, Citation),
}

/// A change with what speaks for or against it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WeighedChange<'a> {
    pub change: &'a Change,
    pub service: String,
    pub fault: ChangeRole,
    /// How suspect it is, 0 to 1.
    pub weight: f64,
}

impl WeighedChange<'_> {
    pub fn citation(&self) -> Citation {
        Citation { event: self.change.event.clone(), position: self.change.position }
    }

    /// Whether it broke its service, of which `explained` is explained by what lies beneath.
    pub fn guilty(&self, explained: f64) -> bool {
        self.fault == ChangeRole::Suspect && explained < SYMPTOM
    }

    /// Such as `deploy v18 at 17:21:33`.
    pub fn words(&self) -> String {
        let change = &self.change.change;
        let version = change.version.as_deref().map(|version| format!(" {}", one_line(version))).unwrap_or_default();
        format!("{}{version} at {}", one_line(change.kind.as_str()), clock(change.at))
    }
}

/// Every change, the latest first.
pub(super) fn changes<'a>(scene: &Scene<'a>) -> Vec<WeighedChange<'a>> {
    let mut all: Vec<WeighedChange> = scene.evidence.changes.iter().map(|change| judge(change, scene)).collect();
    all.sort_by(|a, b| {
        (b.change.change.at, b.change.position, &b.change.event).cmp(&(
            a.change.change.at,
            a.change.position,
            &a.change.event,
        ))
    });
    all.dedup_by(|a, b| a.change.event == b.change.event);
    all
}

fn judge<'a>(change: &'a Change, scene: &Scene) -> WeighedChange<'a> {
    let Some(service) = change.change.service.as_deref().map(|name| sign::resolve(scene.topology, name)) else {
        return WeighedChange { change, service: String::new(), fault: ChangeRole::Nameless, weight: 0.0 };
    };
    let (fault, weight) = fault(change.change.at, &service, scene);
    WeighedChange { change, service, fault, weight }
}

fn fault(at: Time, service: &str, scene: &Scene) -> (ChangeRole, f64) {
    if matches!(scene.tie(service), Tie::None | Tie::Above) {
        return (ChangeRole::Unconnected, 0.0);
    }
    if let Some((event, began)) = alarmed_before(at, scene) {
        return (ChangeRole::Afterwards(event, began), 0.0);
    }
    let signs = scene.signs_of(service);
    let before: Vec<ServiceSign> = signs.iter().filter(|sign| sign.time < at).cloned().collect();
    if sign::own(&before) > BEFORE_MAX
        && let Some(first) = sign::first(&before)
    {
        return (ChangeRole::Late(first.citation.clone(), first.time), 0.0);
    }
    let after: Vec<ServiceSign> = signs.iter().filter(|sign| sign.time >= at).cloned().collect();
    let Some(first) = sign::first(&after).filter(|_| sign::own(&after) > BEFORE_MAX) else {
        return (ChangeRole::Flat, 0.0);
    };
    let gap = first.time.since(at);
    if gap > SUSPECT {
        return (ChangeRole::LongAgo(first.citation.clone(), first.time), 0.0);
    }
    if let Some(role) = compared(service, first, &after, scene) {
        return (role, 0.0);
    }
    (ChangeRole::Suspect, (-gap.as_secs_f64() / HALVED.as_secs_f64()).exp2())
}

/// The first alert, where that had begun before the change.
fn alarmed_before(at: Time, scene: &Scene) -> Option<(Citation, Time)> {
    let alerts = scene.evidence.symptoms.iter().map(|symptom| (symptom.alert.starts_at, &symptom.fired));
    let (began, event) = alerts.min()?;
    (began < at).then(|| (event.clone(), began))
}

/// What services that do not depend on the changed one, and that it does not depend on, say against its change.
fn compared(service: &str, first: &ServiceSign, after: &[ServiceSign], scene: &Scene) -> Option<ChangeRole> {
    let apart = |other: &str| other != service && !scene.depends(other, service) && !scene.depends(service, other);
    let others = || scene.signs.iter().filter(|(other, _)| apart(other));
    let leads =
        |sign: &&ServiceSign| sign.strength >= LEADS_MIN && sign.time + sign.tolerance < first.time - first.tolerance;
    let leader = others()
        .filter_map(|(other, signs)| Some((other, signs.iter().find(leads)?)))
        .min_by_key(|(other, sign)| (sign.time, other.as_str()));
    if let Some((other, sign)) = leader {
        let told = |sign: &ServiceSign| (sign.citation.clone(), sign.time);
        return Some(ChangeRole::Follows { other: other.clone(), began: told(sign), own: told(first) });
    }
    let strongest = after.iter().max_by(|a, b| a.llr.total_cmp(&b.llr).then_with(|| b.citation.cmp(&a.citation)))?;
    let same = |sign: &&ServiceSign| {
        (sign.kind, sign.way) == (strongest.kind, strongest.way) && sign.llr >= strongest.llr * SHARED_FROM
    };
    let sharing = others().find_map(|(other, signs)| Some((other, signs.iter().find(same)?)));
    sharing.map(|(other, sign)| ChangeRole::Shared(other.clone(), sign.citation.clone()))
}

/// Every change that is not held to be the cause, with what speaks against it.
pub(super) fn refuted(changes: &[WeighedChange], best: Option<&CauseCandidate>, scene: &Scene) -> Vec<Hypothesis> {
    let cause = best.and_then(|best| best.change.as_ref());
    changes
        .iter()
        .filter(|judged| cause != Some(&judged.citation()))
        .map(|judged| {
            let against = against(judged, best, scene);
            Hypothesis {
                cause: cause_words(judged),
                service: judged.service.clone(),
                kind: HypothesisKind::Change,
                score: 0.0,
                path: Vec::new(),
                confirms: Vec::new(),
                citations: cited(against.citations.iter().cloned()),
                refutes: vec![against],
            }
        })
        .collect()
}

/// Such as `search, by deploy v18 at 17:21:33: "search v18: rank by popularity"`.
fn cause_words(judged: &WeighedChange) -> String {
    let service = if judged.service.is_empty() { "no service" } else { &judged.service };
    format!("{service}, by {}: {}", judged.words(), quoted(&judged.change.change.title))
}

fn against(judged: &WeighedChange, best: Option<&CauseCandidate>, scene: &Scene) -> Statement {
    let change = judged.words();
    let service = &judged.service;
    let (text, more) = match &judged.fault {
        ChangeRole::Nameless => (format!("{change} names no service, so nothing ties it to what alarmed"), None),
        ChangeRole::Unconnected => (format!("nothing that alarmed is {service} or depends on it ({change})"), None),
        ChangeRole::Flat => (format!("{service} shows no sign of its own since its {change}"), None),
        ChangeRole::Late(event, first) => {
            (format!("{service} showed its first sign at {}, before its {change}", clock(*first)), Some(event.clone()))
        }
        ChangeRole::LongAgo(event, first) => (
            format!("{service} showed its first sign at {}, {} after its {change}", clock(*first), {
                first.since(judged.change.change.at)
            }),
            Some(event.clone()),
        ),
        ChangeRole::Afterwards(event, began) => {
            (format!("{change} came after the first alert began, at {}", clock(*began)), Some(event.clone()))
        }
        ChangeRole::Follows { other, began, own } => {
            let text = format!(
                "{other}, which does not depend on {service}, showed its first sign at {}; {service} showed its own at {} ({change})",
                clock(began.1),
                clock(own.1)
            );
            let events = std::iter::once(judged.citation()).chain([began.0.clone(), own.0.clone()]);
            return Statement { text, citations: cited(events) };
        }
        ChangeRole::Shared(other, event) => (
            format!("{other} was not changed, does not depend on {service} and shows as much ({change})"),
            Some(event.clone()),
        ),
        ChangeRole::Suspect => suspect_words(judged, &change, best, scene),
    };
    Statement { text, citations: cited(std::iter::once(judged.citation()).chain(more)) }
}

/// What speaks against a change that might have been it: what else broke.
fn suspect_words(
    judged: &WeighedChange,
    change: &str,
    best: Option<&CauseCandidate>,
    scene: &Scene,
) -> (String, Option<Citation>) {
    let service = &judged.service;
    let Some((best, first)) = best.and_then(|best| Some((best, sign::first(scene.signs_of(&best.service))?))) else {
        return (format!("{service} shows too little since its {change}"), None);
    };
    if best.service == *service && best.change.is_none() {
        return (format!("another cause explains about as much as {service} with its {change}"), None);
    }
    if best.service == *service {
        return (format!("a later change of {service} stands nearer to its first sign than its {change}"), None);
    }
    let text = if scene.depends(service, &best.service) {
        format!(
            "{service} depends on {}, which showed its first sign at {}; that explains {service} better than its {change}",
            best.service,
            clock(first.time)
        )
    } else {
        format!(
            "{} explains more of what alarmed, since {}, than {service} with its {change}",
            best.service,
            clock(first.time)
        )
    };
    (text, Some(first.citation.clone()))
}
