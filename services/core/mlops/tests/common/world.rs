//! Weeks of synthetic worlds: a topology, problems with their alerts, and people who put incidents right.
//!
//! A world has what makes grouping hard: cascades that spread slowly, two faults at once on services that
//! call each other, look-alikes (the same rule on the same service, twice, for two reasons), storms, alerts
//! of services that no catalogue knows, and alerts with labels missing. What tells is said by its senders:
//! alerts of one problem name the same shard and use some of the same words.

use hindcast_domain::Span;
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::catalog::{Catalog, Service};
use hindcast_domain::command::Command;
use hindcast_domain::{Fingerprint, IncidentId, Time};
use hindcast_mlops::seeded::Seeded;
use std::collections::BTreeSet;

use super::{Ledger, alert, at};

const DAY: i64 = 86_400;
const KINDS: [&str; 4] = ["cascade", "storm", "lookalike", "single"];
const WORDS: [&str; 12] = [
    "connection pool exhausted",
    "certificate rejected by peer",
    "volume nearly full",
    "garbage collection pauses",
    "replication falls behind",
    "queue grows without consumers",
    "resolver answers slowly",
    "packets dropped on uplink",
    "lease lost by leader",
    "quota reached for tenant",
    "clock drifts from reference",
    "memory pressure evicts pages",
];
const SYMPTOMS: [&str; 6] =
    ["HighErrorRate", "HighLatency", "SaturationHigh", "ProbeFailed", "QueueBacklog", "RestartLoop"];

/// What happens in a week.
pub struct Week {
    pub catalog: Catalog,
    /// (second, alert, problem)
    pub says: Vec<(i64, Observation, String)>,
    /// (problem, second at which all its alerts fired, second at which they ended, its alerts)
    pub problems: Vec<(String, i64, i64, Vec<Fingerprint>)>,
}

struct Names {
    services: Vec<String>,
    callers: Vec<Vec<usize>>,
}

fn topology(draws: &mut Seeded, tag: &str) -> (Names, Catalog) {
    let count = 14 + draws.below(10);
    let services: Vec<String> = (0..count).map(|index| format!("{tag}-svc{index}")).collect();
    let mut callers = vec![Vec::new(); count];
    let mut depends: Vec<Vec<String>> = vec![Vec::new(); count];
    for (index, depends) in depends.iter_mut().enumerate() {
        // Each service calls one to three of those behind it.
        for _ in 0..=draws.below(3) {
            if index + 1 < count {
                let to = index + 1 + draws.below((count - index - 1).min(5));
                if !callers[to].contains(&index) {
                    callers[to].push(index);
                    depends.push(services[to].clone());
                }
            }
        }
    }
    let hidden: Vec<bool> = (0..count).map(|_| draws.chance(150)).collect();
    let known = |name: &String| services.iter().position(|one| one == name).is_some_and(|at| !hidden[at]);
    let services_known = (0..count)
        .filter(|index| !hidden[*index])
        .map(|index| Service {
            name: services[index].clone(),
            aliases: Vec::new(),
            owner: Some(format!("team{}", index % 4)),
            tier: None,
            depends_on: depends[index].iter().filter(|to| known(to)).cloned().collect(),
        })
        .collect();
    (Names { services, callers }, Catalog { services: services_known })
}

/// A week of about `problems` problems, from a seed.
pub fn week(seed: u64, begins: i64, problems: usize) -> Week {
    let mut draws = Seeded::new(seed);
    let tag = format!("w{seed}");
    let (names, catalog) = topology(&mut draws, &tag);
    let mut week = Week { catalog, says: Vec::new(), problems: Vec::new() };
    let step = 6 * DAY / problems as i64;
    for index in 0..problems {
        let begin = begins + step * index as i64 + draws.below(600) as i64;
        let root = draws.below(names.services.len());
        let words = draws.below(WORDS.len());
        let shard = draws.below(6);
        let kind = KINDS[draws.below(KINDS.len())];
        let id = format!("{tag}-p{index}");
        add(&mut week, &mut draws, &names, &Fault { id: id.clone(), kind, root, words, shard, begin });
        // Often something else breaks nearby, at about the same time and for another reason.
        if draws.chance(400) {
            let near = names.callers[root].first().copied().unwrap_or(root);
            let fault = Fault {
                id: format!("{id}-other"),
                kind: if draws.chance(500) { "single" } else { kind },
                root: if kind == "lookalike" { root } else { near },
                words: (words + 1 + draws.below(WORDS.len() - 1)) % WORDS.len(),
                shard: (shard + 1 + draws.below(5)) % 6,
                begin: begin + draws.below(240) as i64,
            };
            add(&mut week, &mut draws, &names, &fault);
        }
    }
    week.says.sort_by_key(|(second, alert, _)| (*second, alert.fingerprint.clone()));
    week
}

struct Fault {
    id: String,
    kind: &'static str,
    root: usize,
    words: usize,
    shard: usize,
    begin: i64,
}

fn add(week: &mut Week, draws: &mut Seeded, names: &Names, fault: &Fault) {
    let mut hit = vec![(fault.root, 0)];
    if fault.kind == "cascade" {
        let mut delay = 0;
        let mut wave = vec![fault.root];
        for _ in 0..2 {
            wave = wave.iter().flat_map(|at| names.callers[*at].iter().copied().take(2)).collect();
            for service in &wave {
                delay += 60 + draws.below(420) as i64;
                hit.push((*service, delay));
            }
        }
    }
    if matches!(fault.kind, "storm" | "lookalike") {
        hit.extend((0..2 + draws.below(3)).map(|index| (fault.root, 20 * (index as i64 + 1))));
    }
    let (shard, cell) = (format!("shard{}", fault.shard), format!("cell{}", fault.shard * 7 % 5));
    let (mut fired, mut last, mut over) = (BTreeSet::new(), fault.begin, fault.begin);
    for (index, (service, delay)) in hit.into_iter().enumerate() {
        let name = SYMPTOMS[(index + fault.words) % SYMPTOMS.len()];
        let service = &names.services[service];
        let instance = format!("{service}-{}-{}:90", fault.shard, draws.below(2));
        let mut labels = vec![("instance", instance.as_str())];
        if !draws.chance(80) {
            labels.push(("shard", shard.as_str()));
            labels.push(("cell", cell.as_str()));
        }
        // Rules are written by many hands: some say what is wrong, some only that something is.
        let words = match draws.below(10) {
            0..7 => WORDS[fault.words].to_owned(),
            7..9 => format!("{} on {shard}", WORDS[fault.words].split(' ').next().unwrap_or_default()),
            _ => format!("{} is above its limit", WORDS[draws.below(WORDS.len())]),
        };
        let summary = format!("{service}: {words}");
        let observation = alert(name, service, &labels, &summary);
        if !fired.insert(observation.fingerprint.clone()) {
            continue;
        }
        let begins = fault.begin + delay;
        let lasts = if index == 0 && draws.chance(100) { 40_000 } else { 1_500 + draws.below(900) as i64 };
        let ends = begins + lasts;
        let ended = Observation { signal: Signal::Resolved, ..observation.clone() };
        (last, over) = (last.max(begins), over.max(ends));
        week.says.push((begins, observation, fault.id.clone()));
        week.says.push((ends, ended, fault.id.clone()));
    }
    week.problems.push((fault.id.clone(), last, over, fired.into_iter().collect()));
}

/// Lets a week happen, with people who put right what is wrong and name causes when they resolve.
/// `diligence`: so many of a thousand problems they look at.
pub fn live(ledger: &mut Ledger, week: &Week, diligence: u64, seed: u64) {
    enum Act<'a> {
        Say(&'a Observation, &'a str),
        PutRight(usize),
        Close(usize),
    }
    let mut draws = Seeded::new(seed);
    let begins = week.says.first().map_or(0, |(second, ..)| *second) - 60;
    ledger.catalog(at(begins), &week.catalog);
    let mut acts: Vec<(i64, Act<'_>)> =
        week.says.iter().map(|(second, alert, problem)| (*second, Act::Say(alert, problem))).collect();
    for (index, (_, fired, over, _)) in week.problems.iter().enumerate() {
        if draws.chance(diligence) {
            acts.push((fired + 300, Act::PutRight(index)));
            acts.push((over + 600, Act::Close(index)));
        }
    }
    acts.sort_by_key(|(second, _)| *second);
    for (second, act) in acts {
        match act {
            Act::Say(observation, problem) => {
                ledger.observe(at(second), observation.clone(), problem);
            }
            Act::PutRight(index) => put_right(ledger, at(second), &week.problems[index].3),
            Act::Close(index) => close(ledger, at(second), &week.problems[index]),
        }
    }
    ledger.pass(at(begins) + Span::hours(24 * 8));
}

fn put_right(ledger: &mut Ledger, now: Time, alerts: &[Fingerprint]) {
    let mine: BTreeSet<&Fingerprint> = alerts.iter().collect();
    let homes =
        |ledger: &Ledger| -> BTreeSet<IncidentId> { alerts.iter().filter_map(|alert| ledger.home(alert)).collect() };
    for incident in homes(ledger) {
        let members: Vec<Fingerprint> =
            ledger.correlator.state().book.incidents[&incident].members.keys().cloned().collect();
        let at_home: Vec<&Fingerprint> =
            members.iter().filter(|member| ledger.home(member).as_ref() == Some(&incident)).collect();
        let leaving: Vec<Fingerprint> =
            at_home.iter().filter(|member| mine.contains(**member)).map(|m| (*m).clone()).collect();
        if !leaving.is_empty() && leaving.len() < at_home.len() {
            ledger.command(now, "ada", Command::SplitIncident { incident, fingerprints: leaving });
        }
    }
    let mut homes = homes(ledger).into_iter();
    if let Some(into) = homes.next() {
        for incident in homes {
            ledger.command(now, "ada", Command::MergeIncident { incident, into: into.clone() });
        }
    }
}

fn close(ledger: &mut Ledger, now: Time, problem: &(String, i64, i64, Vec<Fingerprint>)) {
    let homes: BTreeSet<IncidentId> = problem.3.iter().filter_map(|alert| ledger.home(alert)).collect();
    for incident in homes {
        let cause = Some(format!("it was {}", problem.0));
        ledger.command(now, "ada", Command::ResolveIncident { incident, cause, resolution: None });
    }
}
