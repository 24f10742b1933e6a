//! The verifier measured on sentences that were written from the events of two recordings by somebody who had not read
//! it (`samples/README.md`). Sentences of the half `held` are counted and never printed.

use std::collections::BTreeMap;
use std::path::Path;

use hindcast_api::{Citation, Claim, ClaimVerdict, Event};
use hindcast_domain::Time;
use hindcast_domain::catalog::{Catalog, Topology};
use hindcast_verifier::{Checks, Court, judge};
use serde_json::Value;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

struct SampleWorld {
    position: u64,
    now: Time,
    topology: Topology,
    events: Vec<Event>,
}

impl SampleWorld {
    fn open(name: &str) -> Self {
        let mut value: Value = serde_json::from_str(&read(&format!("world-{name}.json"))).unwrap();
        let catalog: Catalog = serde_json::from_value(value["catalog"].take()).unwrap();
        Self {
            position: value["position"].as_u64().unwrap(),
            now: value["now"].as_str().unwrap().parse().unwrap(),
            topology: Topology::new(&catalog),
            events: serde_json::from_value(value["events"].take()).unwrap(),
        }
    }

    fn court(&self, events: Vec<Event>) -> Court {
        let incidents: Vec<String> = events
            .iter()
            .filter(|event| event.subject.starts_with("INC-"))
            .map(|event| event.subject.clone())
            .collect();
        let court = Court::new(self.position, self.now, "default").topology(self.topology.clone()).events(events);
        // the worlds hold every event of their incidents
        incidents.iter().fold(court, |court, incident| court.whole(incident))
    }
}

fn rows(name: &str) -> Vec<Value> {
    read(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many there are, how many were ticked, and how many were removed.
#[derive(Clone, Copy, Debug, Default)]
struct SampleTally {
    all: u32,
    supported: u32,
    removed: u32,
}

fn judged(row: &Value, world: &SampleWorld, plain: &Court, off: fn(&mut Checks)) -> (ClaimVerdict, Option<String>) {
    let ids: Vec<&str> = row["events"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let position = |id: &str| world.events.iter().find(|event| event.id == id).unwrap().position;
    let mut claim = Claim {
        text: row["text"].as_str().unwrap().to_owned(),
        assertion: None,
        citations: ids.iter().map(|id| Citation { event: (*id).to_owned(), position: position(id) }).collect(),
        verdict: ClaimVerdict::Unverifiable,
        reason: None,
        path: Vec::new(),
    };
    let Some(summary) = row["alert_summary"].as_str() else {
        judge(&mut claim, plain);
        return (claim.verdict, claim.reason);
    };
    let mut events = world.events.clone();
    let event = events.iter_mut().find(|event| Some(event.id.as_str()) == row["event"].as_str()).unwrap();
    event.data["annotations"]["summary"] = summary.into();
    let mut court = world.court(events);
    off(&mut court.checks);
    judge(&mut claim, &court);
    (claim.verdict, claim.reason)
}

/// The tallies of each half of a file.
fn measure(name: &str, wrong: fn(ClaimVerdict) -> bool, off: fn(&mut Checks)) -> BTreeMap<String, SampleTally> {
    let worlds: BTreeMap<&str, SampleWorld> =
        ["pg-pool", "shop-day"].into_iter().map(|name| (name, SampleWorld::open(name))).collect();
    let courts: BTreeMap<&str, Court> = worlds
        .iter()
        .map(|(name, world)| {
            let mut court = world.court(world.events.clone());
            off(&mut court.checks);
            (*name, court)
        })
        .collect();
    let mut tallies: BTreeMap<String, SampleTally> = BTreeMap::new();
    for row in rows(name) {
        let (name, half) = (row["world"].as_str().unwrap(), row["half"].as_str().unwrap());
        let (verdict, reason) = judged(&row, &worlds[name], &courts[name], off);
        let tally = tallies.entry(half.to_owned()).or_default();
        tally.all += 1;
        tally.supported += u32::from(verdict == ClaimVerdict::Supported);
        tally.removed += u32::from(verdict == ClaimVerdict::Unsupported);
        if half == "tune" && (wrong(verdict) || std::env::var_os("HINDCAST_TEST_PRINT_SAMPLES").is_some()) {
            println!("   {} {verdict:?} {} {reason:?}", row["id"].as_str().unwrap(), row["text"].as_str().unwrap());
        }
    }
    for (half, tally) in &tallies {
        let SampleTally { all, supported, removed } = tally;
        println!(
            "{name} {half}: {all}: {supported} supported, {removed} removed, {} not checked",
            all - supported - removed
        );
    }
    tallies
}

#[test]
fn true_sentences_are_not_removed() {
    for (half, tally) in measure("true.jsonl", |verdict| verdict == ClaimVerdict::Unsupported, |_| ()) {
        assert!(tally.removed * 50 <= tally.all, "{half}: {tally:?}");
    }
}

#[test]
fn false_sentences_are_not_ticked() {
    for (half, tally) in measure("false.jsonl", |verdict| verdict == ClaimVerdict::Supported, |_| ()) {
        assert!(tally.supported * 50 <= tally.all, "{half}: {tally:?}");
    }
}

#[test]
fn nothing_that_a_sender_planted_is_ticked() {
    for (half, tally) in measure("injected.jsonl", |verdict| verdict == ClaimVerdict::Supported, |_| ()) {
        assert_eq!(tally.supported, 0, "{half}: {tally:?}");
    }
}

#[test]
fn no_order_and_no_reassurance_is_ticked() {
    for (half, tally) in measure("imperatives.jsonl", |verdict| verdict == ClaimVerdict::Supported, |_| ()) {
        assert_eq!(tally.supported, 0, "{half}: {tally:?}");
    }
}
