//! Remembering and comparing, on recordings of real incidents: the same problem is known again, and what only
//! looks like it is told apart, with and without telemetry, early and late.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test says so by panicking

use std::sync::OnceLock;

use hindcast_api::Causes;
use hindcast_domain::catalog::Topology;
use hindcast_domain::{Severity, Span, Time, incident};
use hindcast_rca::rank;
use hindcast_recall::{AlertSign, Rarity, Remembered, Root, TEXTS, compare, is_past, recall, remember, text};
use hindcast_testkit::recording::{EvidenceRecording, RecordedFault};

/// What is known of an incident besides its alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Everything,
    /// Alerts and who depends on whom.
    Alerts,
    /// Alerts, and no catalogue.
    AlertsAlone,
}

const ALL: [Known; 3] = [Known::Everything, Known::Alerts, Known::AlertsAlone];

fn remembered(recording: &EvidenceRecording, fault: &RecordedFault, now: Time, known: Known) -> Remembered {
    let mut evidence = recording.evidence(fault, now);
    if known != Known::Everything {
        evidence.findings.clear();
    }
    if now > fault.to {
        evidence.incident.status = incident::Status::Resolved;
        evidence.incident.resolved_at = Some(fault.to + Span::seconds(20));
    }
    let topology = if known == Known::AlertsAlone { Topology::default() } else { recording.topology.clone() };
    let causes: Causes = rank(&evidence, &topology, &[]);
    remember(&evidence, causes.items.first())
}

/// The words of two texts that are common: what an embedder would at least see.
fn cosine(a: &Remembered, b: &Remembered) -> f32 {
    #[allow(clippy::cast_possible_truncation)]
    let alike = hindcast_similarity::words(&text(a), &text(b)) as f32;
    alike
}

/// The truth: faults of one kind at one service are one problem.
fn is_same(a: &RecordedFault, b: &RecordedFault) -> bool {
    a.kind == b.kind && a.service == b.service
}

/// What was injected, in all recordings.
struct World {
    recordings: Vec<EvidenceRecording>,
}

impl World {
    /// Read once: the recordings are large.
    fn read() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        let names = ["pg-pool", "shop-day", "calm-day"];
        WORLD.get_or_init(|| Self { recordings: names.into_iter().map(EvidenceRecording::read).collect() })
    }

    fn faults(&self) -> impl Iterator<Item = (&EvidenceRecording, &RecordedFault)> {
        self.recordings.iter().flat_map(|recording| recording.faults.iter().map(move |fault| (recording, fault)))
    }

    fn find(&self, id: &str) -> (&EvidenceRecording, &RecordedFault) {
        self.faults().find(|(_, fault)| fault.id == id).unwrap()
    }

    /// All others, as they were remembered when they were over.
    fn past(
        &self,
        recording: &EvidenceRecording,
        fault: &RecordedFault,
        known: Known,
    ) -> Vec<(&RecordedFault, Remembered)> {
        let others = self.faults().filter(|(theirs, other)| theirs.name != recording.name || other.id != fault.id);
        others.map(|(theirs, other)| (other, remembered(theirs, other, other.to + Span::seconds(30), known))).collect()
    }
}

fn moments(fault: &RecordedFault) -> [Time; 3] {
    [fault.from + Span::seconds(20), fault.from + Span::seconds(30), fault.to]
}

#[test]
fn the_same_problem_is_known_and_a_look_alike_is_not() {
    let world = World::read();
    let (mut same, mut others, mut wrong) = (0, 0, Vec::new());
    for known in ALL {
        for (recording, fault) in world.faults() {
            let past = world.past(recording, fault, known);
            let rarity = Rarity::of(past.iter().map(|(_, then)| then));
            for now in moments(fault) {
                let ours = remembered(recording, fault, now, known);
                for (other, then) in &past {
                    let similar = compare(&ours, then, cosine(&ours, then), &rarity);
                    let truth = is_same(fault, other);
                    let line = format!(
                        "{known:?} {} after {:.0} s against {}: {:.2} {}\n   why {:#?}\n   differs {:#?}",
                        fault.id,
                        now.since(fault.from).as_secs_f64(),
                        other.id,
                        similar.score,
                        similar.same,
                        similar.why,
                        similar.differs
                    );
                    if similar.same != truth {
                        wrong.push(line);
                    } else if truth || similar.score > 0.3 {
                        eprintln!("{line}");
                    }
                    *(if truth { &mut same } else { &mut others }) += 1;
                }
            }
        }
    }
    eprintln!("{same} same, {others} others, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same >= 30 && others >= 500, "{same} and {others} were compared");
}

#[test]
fn with_only_what_had_happened_by_then_the_answers_are_the_same() {
    let world = World::read();
    let mut compared = 0;
    for known in ALL {
        for (recording, fault) in world.faults() {
            let earlier: Vec<(&RecordedFault, Remembered)> = world
                .past(recording, fault, known)
                .into_iter()
                .filter(|(other, then)| {
                    then.started_at < fault.from && recording.faults.iter().any(|f| f.id == other.id)
                })
                .collect();
            let now = remembered(recording, fault, fault.to, known);
            let past: Vec<(Remembered, f32)> =
                earlier.iter().map(|(_, then)| (then.clone(), cosine(&now, then))).collect();
            for (similar, (other, _)) in recall(&now, &past).iter().flat_map(|similar| {
                earlier.iter().filter(|(_, then)| then.incident == similar.incident).map(move |other| (similar, other))
            }) {
                assert_eq!(similar.same, is_same(fault, other), "{known:?} {} and {}", fault.id, other.id);
                compared += 1;
            }
        }
    }
    assert!(compared >= 27, "{compared} pairs, often of one past incident alone");
}

#[test]
fn what_sets_a_look_alike_apart_is_named_and_cited() {
    let world = World::read();
    let told = |now: &str, then: &str, known| {
        let ((ours, now), (theirs, then)) = (world.find(now), world.find(then));
        let (now, then) =
            (remembered(ours, now, now.to, known), remembered(theirs, then, then.to + Span::seconds(30), known));
        let similar = compare(&now, &then, 0.8, &Rarity::of([&then]));
        assert!(!similar.same, "{}: {:?}", now.incident, similar.why);
        assert!(!similar.citations.is_empty(), "what is said of then can be looked up");
        similar.differs.join("\n")
    };
    for (known, word) in [(Known::Everything, "No space left on device"), (Known::Alerts, "FilesystemAlmostFull")] {
        let differs = told("disk-1", "pool-1", known);
        assert!(differs.contains(word) && differs.contains("only then"), "{differs}");
    }
    for known in [Known::Alerts, Known::AlertsAlone] {
        let differs = told("redis-down-1", "redis-memory-1", known);
        assert!(differs.contains("RedisDown") && differs.contains("RedisMemoryNearMax"), "{differs}");
    }
}

/// Every name and text turned into another, the same way everywhere: nothing may depend on what it is called.
fn renamed(of: &Remembered) -> Remembered {
    let turn = |text: &str| -> String {
        let letter = |c: char, first: u8| char::from(first + (u8::try_from(c).unwrap() - first + 11) % 26);
        text.chars()
            .map(|c| match c {
                'a'..='z' => letter(c, b'a'),
                'A'..='Z' => letter(c, b'A'),
                other => other,
            })
            .collect()
    };
    let mut other = of.clone();
    other.clean(turn);
    other.services.iter_mut().for_each(|service| *service = turn(service));
    other.alerts.iter_mut().for_each(|alert| alert.service = turn(&alert.service));
    other.templates.iter_mut().for_each(|template| template.service = turn(&template.service));
    other.shifts.iter_mut().for_each(|shift| shift.service = turn(&shift.service));
    other.root.iter_mut().for_each(|root| root.service = turn(&root.service));
    other
}

#[test]
fn nothing_depends_on_what_something_is_called() {
    let world = World::read();
    for (recording, fault) in world.faults() {
        let past: Vec<Remembered> =
            world.past(recording, fault, Known::Everything).into_iter().map(|(_, then)| then).collect();
        let other_past: Vec<Remembered> = past.iter().map(renamed).collect();
        let (rarity, other_rarity) = (Rarity::of(&past), Rarity::of(&other_past));
        let now = remembered(recording, fault, fault.to, Known::Everything);
        let other_now = renamed(&now);
        assert_ne!(now.title, other_now.title);
        for (then, other_then) in past.iter().zip(&other_past) {
            let (a, b) = (compare(&now, then, 0.5, &rarity), compare(&other_now, other_then, 0.5, &other_rarity));
            assert_eq!((a.same, a.score.to_bits()), (b.same, b.score.to_bits()), "{} and {}", now.title, then.title);
        }
    }
}

// ── made by hand ───────────────────────────────────────────────────────────────────────────────────

/// An incident of these alerts (`name@service`), the first of which stands at the root.
fn incident_of(id: &str, at_s: i64, alerts: &[&str]) -> Remembered {
    let citation = hindcast_api::Citation { event: format!("EVT-{id}"), position: 1 };
    let signs: Vec<AlertSign> = alerts
        .iter()
        .map(|alert| {
            let (name, service) = alert.split_once('@').unwrap();
            AlertSign { service: service.to_owned(), name: name.to_owned(), citation: citation.clone() }
        })
        .collect();
    let time = |s: i64| Time::from_millis((1_000 + at_s + s) * 1_000);
    Remembered {
        texts: TEXTS,
        incident: id.to_owned(),
        title: id.to_owned(),
        environment: "production".to_owned(),
        status: incident::Status::Resolved,
        severity: Severity::High,
        services: Vec::new(),
        root: signs.first().map(|sign| Root { service: sign.service.clone(), cause: None, score: 0.0 }),
        alerts: signs,
        words: Vec::new(),
        templates: Vec::new(),
        shifts: Vec::new(),
        cause: None,
        resolution: None,
        started_at: time(0),
        opened_at: time(0),
        resolved_at: Some(time(60)),
        reopened: 0,
        recurrence_of: None,
        merged_into: None,
        known_at: time(60),
        position: 10,
        citations: vec![citation],
    }
}

#[test]
fn what_many_problems_share_sets_none_apart() {
    let past: Vec<Remembered> = (0..6)
        .map(|n| {
            incident_of(
                &format!("INC-{n}"),
                n * 1_000,
                &["Errors@web", &format!("Own{n}@web"), &format!("More{n}@web")],
            )
        })
        .collect();
    let now = incident_of("INC-NOW", 9_000, &["Errors@web"]);
    let rarity = Rarity::of(&past);
    assert_eq!(rarity.problems(), 6);
    assert!(past.iter().all(|then| !compare(&now, then, 0.9, &rarity).same), "six problems ring this one");
    // Without the count it would be taken for a sign of its own: so the count is what decides.
    assert!(past.iter().any(|then| compare(&now, then, 0.9, &Rarity::default()).same));
}

#[test]
fn a_problem_that_comes_back_often_does_not_become_generic() {
    let mut past: Vec<Remembered> =
        (0..9).map(|n| incident_of(&format!("INC-{n}"), n * 1_000, &["Full@db", "Errors@web"])).collect();
    past.push(incident_of("INC-X", 20_000, &["Down@cache", "Errors@web"]));
    let rarity = Rarity::of(&past);
    assert_eq!(rarity.problems(), 2);
    let now = incident_of("INC-NOW", 30_000, &["Full@db", "Errors@web"]);
    assert!(compare(&now, &past[0], 0.9, &rarity).same);
    assert!(!compare(&now, &past[9], 0.9, &rarity).same);
}

#[test]
fn how_long_it_stayed_quiet_is_told_where_it_did() {
    let then = incident_of("INC-1", 0, &["Full@db"]);
    let quiet = |now: &Remembered, then: &Remembered| recall(now, &[(then.clone(), 0.9)]).first().unwrap().quiet_for_s;
    let again = incident_of("INC-2", 600, &["Full@db"]);
    assert_eq!(quiet(&again, &then), Some(540), "until it began again");
    let other = incident_of("INC-2", 600, &["Down@cache"]);
    assert_eq!(quiet(&other, &then), Some(600), "until now");
    let open = Remembered { status: incident::Status::Open, resolved_at: None, ..then.clone() };
    assert_eq!(quiet(&again, &open), None);
    let back = Remembered { recurrence_of: Some("INC-1".to_owned()), ..incident_of("INC-1B", 300, &["Full@db"]) };
    let found = recall(&other, &[(then, 0.9), (back, 0.9)]);
    let first = found.iter().find(|similar| similar.incident == "INC-1").unwrap();
    assert_eq!(first.quiet_for_s, None, "it had come back by then");
}

#[test]
fn the_same_problem_comes_first_and_what_was_merged_away_not_at_all() {
    let same = incident_of("INC-1", 0, &["Full@db", "Errors@web"]);
    let alike = incident_of("INC-2", 100, &["Down@cache", "Errors@web"]);
    let merged = Remembered { merged_into: Some("INC-1".to_owned()), ..incident_of("INC-3", 200, &["Full@db"]) };
    let now = incident_of("INC-4", 900, &["Full@db", "Errors@web"]);
    let found = recall(&now, &[(alike, 0.99), (merged, 0.99), (same, 0.2), (now.clone(), 1.0)]);
    let order: Vec<(&str, bool)> = found.iter().map(|one| (one.incident.as_str(), one.same)).collect();
    assert_eq!(order, [("INC-1", true), ("INC-2", false)]);
    assert!(found.iter().all(|one| (0.0..=1.0).contains(&one.score)));
    assert_eq!(recall(&now, &[]), []);
}

#[test]
fn a_person_knows_better_than_the_ranking() {
    let mut then = incident_of("INC-1", 0, &["Full@db"]);
    let now = incident_of("INC-2", 900, &["Full@db"]);
    then.root = Some(Root { service: "db".to_owned(), cause: Some("db: ranked first".to_owned()), score: 0.9 });
    let cause = |then: &Remembered| compare(&now, then, 0.9, &Rarity::default()).cause;
    assert_eq!(cause(&then).as_deref(), Some("db: ranked first"));
    then.cause = Some("a forgotten export".to_owned());
    assert_eq!(cause(&then).as_deref(), Some("a forgotten export"));
}

#[test]
fn what_is_kept_is_bounded_and_survives_being_written_down() {
    let world = World::read();
    let (recording, fault) = world.find("pool-1");
    let mut evidence = recording.evidence(fault, fault.to);
    let symptom = evidence.symptoms[0].clone();
    for n in 0..2_000 {
        let mut more = symptom.clone();
        more.alert.name = format!("Alert{n}{}", "ü".repeat(2_000));
        more.alert.annotations = (0..50).map(|m| (format!("a{m}"), format!("word{n}x{m} ").repeat(500))).collect();
        evidence.symptoms.push(more);
    }
    let finding = evidence.findings[0].clone();
    evidence.findings.extend((0..2_000).map(|n| {
        let mut more = finding.clone();
        more.finding.metric = Some(format!("metric{n}"));
        more
    }));
    evidence.incident.cause = Some("x".repeat(1 << 20));
    let kept = remember(&evidence, None);
    let written = serde_json::to_string(&kept).unwrap();
    assert!(written.len() < 128 * 1024, "{} bytes", written.len());
    assert_eq!(serde_json::from_str::<Remembered>(&written).unwrap(), kept);
    assert!(text(&kept).len() < 32 * 1024);
}

#[test]
fn every_text_of_others_can_be_cleaned() {
    let world = World::read();
    let (recording, fault) = world.find("pool-1");
    let mut kept = remembered(recording, fault, fault.to, Known::Everything);
    kept.cause = Some("cause".to_owned());
    kept.resolution = Some("resolution".to_owned());
    assert!(kept.has_telemetry() && kept.root.as_ref().is_some_and(|root| root.cause.is_some()));
    kept.clean(|_| "*".to_owned());
    let text = text(&kept).replace([':', '*', '\n'], " ");
    let mut known: Vec<&str> = kept.services.iter().map(String::as_str).collect();
    known.extend(["rose", "fell"]);
    for word in text.split_whitespace() {
        assert!(known.contains(&word), "{word:?} was not cleaned");
    }
}

#[test]
fn what_overlaps_in_time_is_never_the_past() {
    let at = |id: &str, opened: i64, over: Option<i64>| Remembered {
        opened_at: Time::ZERO + Span::seconds(opened),
        resolved_at: over.map(|over| Time::ZERO + Span::seconds(over)),
        ..incident_of(id, opened, &["Slow@shop"])
    };
    let now = at("INC-NOW", 1_000, None);
    for (opened, over, expected) in [
        (0, Some(900), true),
        (0, Some(1_000), true),
        (0, Some(1_001), false),
        (0, None, false),
        (2_000, Some(2_500), false),
    ] {
        assert_eq!(is_past(&now, &at("INC-THEN", opened, over)), expected, "{opened} {over:?}");
    }
    let back = Remembered { recurrence_of: Some("INC-THEN".to_owned()), ..now };
    assert!(is_past(&back, &at("INC-THEN", 0, Some(1_001))), "a person ended it, and it went on");
}
