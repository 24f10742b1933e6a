//! A backtest of a million events: makes a seeded ledger of seven days, decides it again with what is in force
//! and with a candidate, twice, and prints seconds, memory and both hashes.
//!
//! `cargo run --release -p hindcast-learning --example million -- [events] [islands] [seed]`

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)] // a measurement that cannot go on stops

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::time::Instant;

use harness::common::{alert, at};
use harness::{Past, production, subject_of};
use hindcast_api::{BacktestRequest, Comparison};
use hindcast_correlator::Correlator;
use hindcast_domain::alert::{Observation, Signal};
use hindcast_domain::catalog::{Catalog, Service};
use hindcast_domain::command::{Command, Configured, Received};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::{EventId, Fingerprint, Time};
use hindcast_engine::InputTime;
use hindcast_ledger::commit;
use hindcast_mlops::Labeller;
use hindcast_mlops::redecide::MemoryLane;
use hindcast_mlops::seeded::Seeded;
use hindcast_training::Learning;

const WEEK: i64 = 7 * 86_400;
/// Services of one island: each calls the next, and no island calls another.
const SERVICES: usize = 8;
/// Events of one request to the door.
const DELIVERY: usize = 250;
const SYMPTOMS: [&str; 6] =
    ["HighErrorRate", "HighLatency", "SaturationHigh", "ProbeFailed", "QueueBacklog", "RestartLoop"];
const WORDS: [&str; 8] = [
    "connection pool exhausted",
    "certificate rejected by peer",
    "volume nearly full",
    "garbage collection pauses",
    "replication falls behind",
    "queue grows without consumers",
    "resolver answers slowly",
    "packets dropped on uplink",
];

/// One stretch of one alert.
struct Stretch {
    alert: Observation,
    begins: i64,
    ends: i64,
    /// Whoever sends it says so again after so many seconds.
    every: i64,
}

#[allow(clippy::large_enum_variant)] // made one at a time
enum Said {
    Alert(Observation),
    /// A person names the cause of the incident that an alert belongs to.
    Cause(Fingerprint),
}

fn service(island: usize, index: usize) -> String {
    format!("island{island}-svc{index}")
}

fn catalog(islands: usize) -> Catalog {
    let of = |island: usize| {
        (0..SERVICES).map(move |index| Service {
            name: service(island, index),
            aliases: Vec::new(),
            owner: Some(format!("team{}", island % 7)),
            tier: None,
            depends_on: (index + 1 < SERVICES).then(|| service(island, index + 1)).into_iter().collect(),
        })
    };
    Catalog { services: (0..islands).flat_map(of).collect() }
}

/// Problems until so many events are said, in the order of time.
fn lived(events: usize, islands: usize, seed: u64) -> Vec<(i64, Said)> {
    let mut draws = Seeded::new(seed);
    let mut says: Vec<(i64, Said)> = Vec::with_capacity(events + 100);
    while says.len() < events {
        let begins = draws.below(WEEK as usize - 7_200) as i64;
        let (island, root) = (draws.below(islands), draws.below(SERVICES));
        let (words, shard) = (draws.below(WORDS.len()), draws.below(3));
        let mut first = None;
        let mut over = begins;
        for index in 0..2 + draws.below(6) {
            let stretch = stretch(&mut draws, (island, root.saturating_sub(index / 2)), (words, shard, index), begins);
            first.get_or_insert_with(|| stretch.alert.fingerprint.clone());
            over = over.max(stretch.ends);
            say(&mut says, &stretch);
        }
        if draws.chance(120)
            && let Some(first) = first
        {
            says.push((over + 30, Said::Cause(first)));
        }
    }
    says.sort_by_key(|(second, _)| *second);
    says.truncate(events);
    says
}

fn stretch(draws: &mut Seeded, at: (usize, usize), what: (usize, usize, usize), begins: i64) -> Stretch {
    let service = service(at.0, at.1);
    let (words, shard, index) = what;
    let name = SYMPTOMS[(index + words) % SYMPTOMS.len()];
    let instance = format!("{service}-{shard}-{}:90", draws.below(2));
    let shard = format!("shard{shard}");
    let labels = [("instance", instance.as_str()), ("shard", shard.as_str())];
    let alert = alert(name, &service, &labels, &format!("{service}: {}", WORDS[words]));
    let begins = begins + (index as i64) * (15 + draws.below(120) as i64);
    Stretch { alert, begins, ends: begins + 900 + draws.below(3_600) as i64, every: 60 + draws.below(180) as i64 }
}

fn say(says: &mut Vec<(i64, Said)>, stretch: &Stretch) {
    let mut second = stretch.begins;
    while second < stretch.ends {
        says.push((second, Said::Alert(stretch.alert.clone())));
        second += stretch.every;
    }
    // An end is said four times, as senders do that do not know whether they were heard.
    let ended = Observation { signal: Signal::Resolved, ..stretch.alert.clone() };
    says.extend((0..4).map(|again| (stretch.ends + again * 240, Said::Alert(ended.clone()))));
}

/// The services that decide, as they stand while the past is written.
struct House {
    past: Past,
    correlator: MemoryLane<Correlator>,
    labeller: MemoryLane<Labeller>,
    inputs: u64,
}

impl House {
    fn input(&mut self, time: Time, subject: &str, actor: &str, event: Event) -> Recorded {
        self.inputs += 1;
        Recorded {
            id: EventId::derive(&[b"million", &self.inputs.to_be_bytes()]),
            position: 0,
            partition: production(),
            subject: subject.to_owned(),
            revision: None,
            time,
            actor: actor.to_owned(),
            cause: None,
            event,
        }
    }

    /// Appends what stands together, and gives each event its place.
    async fn append(&mut self, mut events: Vec<Recorded>) -> Vec<Recorded> {
        for part in events.chunk_by_mut(|a, b| subject_of(&a.event) == subject_of(&b.event)) {
            for part in part.chunks_mut(DELIVERY) {
                let last = self.past.append(&subject_of(&part[0].event), &part.iter().collect::<Vec<_>>()).await;
                let seq = commit::seq_of(last);
                part.iter_mut().enumerate().for_each(|(index, event)| event.position = commit::position(seq, index));
            }
        }
        events
    }

    async fn take(&mut self, inputs: Vec<Recorded>) {
        let inputs = self.append(inputs).await;
        let mut decided = Vec::new();
        for input in &inputs {
            self.correlator.input(input, InputTime::in_order(input.time), &mut |decision| decided.push(decision));
        }
        let decided = self.append(decided).await;
        let mut labels = Vec::new();
        for event in inputs.iter().filter(|input| !matches!(input.event, Event::Configured(_))).chain(&decided) {
            self.labeller.input(event, InputTime::in_order(event.time), &mut |label| labels.push(label));
        }
        self.append(labels).await;
    }
}

async fn written(events: usize, islands: usize, seed: u64) -> Past {
    let mut house = House {
        past: Past::empty(),
        correlator: MemoryLane::new(Correlator, production()),
        labeller: MemoryLane::new(Labeller, production()),
        inputs: 0,
    };
    let content = serde_json::to_value(catalog(islands)).unwrap();
    let configured = Configured { section: "catalog".into(), hash: "h".into(), content };
    let first = house.input(at(-60), "catalog", "ada", Event::Configured(configured));
    house.take(vec![first]).await;
    let mut waiting = Vec::new();
    for (second, said) in lived(events, islands, seed) {
        match said {
            Said::Alert(observation) => {
                let subject = observation.fingerprint.to_string();
                waiting.push(house.input(at(second), &subject, "prometheus", Event::Observed(observation)));
            }
            Said::Cause(fingerprint) => {
                house.take(std::mem::take(&mut waiting)).await;
                let alert = house.correlator.state().book.alerts.get(&fingerprint);
                let Some(incident) = alert.and_then(|alert| alert.incident.clone()) else { continue };
                let cause = Some("it was that".to_owned());
                let command = Command::ResolveIncident { incident, cause, resolution: None };
                let received = Received { key: format!("key-{}", house.inputs), if_match: None, command };
                waiting.push(house.input(at(second), "command", "ada", Event::Command(received)));
            }
        }
        if waiting.len() >= DELIVERY {
            house.take(std::mem::take(&mut waiting)).await;
        }
    }
    house.take(waiting).await;
    let labels = house.labeller.state().labels.0.len();
    let incidents = house.correlator.state().book.incidents.len();
    let alerts = house.correlator.state().book.alerts.len();
    println!("{alerts} alerts, {incidents} incidents, {labels} labels");
    house.past
}

/// A figure of this process, in megabytes.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1_024
}

async fn measured(past: &Past) -> Comparison {
    // What making the ledger took is not what a backtest takes.
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        println!("the peak holds the making of the ledger too: {error}");
    }
    let before = memory("VmRSS");
    let began = Instant::now();
    let weights = BTreeMap::from([("bias".to_owned(), -2_600), ("words".to_owned(), 1_500)]);
    let request = BacktestRequest { weights: Some(weights), ..BacktestRequest::default() };
    let compared = past.service().backtest(request, "ada", false, None).await.unwrap();
    println!(
        "{:.1} s, {} inputs, peak {} MB over {before} MB before; {:?} on {} problems; decided {}",
        began.elapsed().as_secs_f64(),
        compared.inputs,
        memory("VmHWM").saturating_sub(before),
        compared.verdict,
        compared.report["problems"],
        compared.decided
    );
    compared
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().expect("a number"));
    let events = arguments.next().unwrap_or(1_000_000);
    let islands = arguments.next().unwrap_or(40);
    let seed = arguments.next().unwrap_or(1) as u64;
    let began = Instant::now();
    let past = written(events, islands, seed).await;
    println!(
        "{events} events over 7 days and {islands} islands, seed {seed}: {} commits, made in {:.1} s",
        past.ledger.head().await.unwrap(),
        began.elapsed().as_secs_f64()
    );
    let (first, second) = (measured(&past).await, measured(&past).await);
    assert_eq!(first.decided, second.decided, "two runs over the same past give the same bytes");
    assert_eq!(first.report, second.report);
    println!("champion {} candidate {}", first.report["champion"], first.report["candidate"]);
}
