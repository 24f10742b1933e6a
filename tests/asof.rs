//! As of a position, every answer is what it was then, whatever happened since: while a world is played, at moments
//! that a seed picks, everything is asked live; after all of it was played, asked again as of those moments; after
//! a restart; and after everything that can be rebuilt was deleted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::world::{Dice, Fault, Happened, World, Wrong, citations, quiet, settings};
use support::{Ledger, Server, folder};

const QUESTION: &str = "what is going on, have we seen this, what do I do?";
/// Moments at which everything is asked.
const MOMENTS: usize = 6;

/// A moment, and what was said then: answers by what was asked.
struct Moment {
    position: u64,
    incidents: Vec<String>,
    said: BTreeMap<String, Said>,
}

/// An answer, with the position that it is about, and the last event that was known by then.
struct Said {
    position: u64,
    last: u64,
    recorded_at: String,
    answer: Value,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_then_is_said_as_of_then() {
    on(Ledger::Embedded, 21).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_then_is_said_as_of_then_on_nats() {
    on(Ledger::Nats, 22).await;
}

async fn on(ledger: Ledger, seed: u64) {
    let data = folder();
    let config = settings(data.path(), "");
    let more = ["--config", config.as_str()];
    let mut server = Server::start(data.path(), ledger, &more).await;
    let mut wrong = Wrong::default();
    let moments = play(&server, seed, &mut wrong).await;
    wrong.unless(moments.len() == MOMENTS, || format!("only {} moments were asked about", moments.len()));

    let stage = |name: &str| format!("{name}, {ledger:?}, seed {seed}");
    compare(&stage("after all of it"), &server, &moments, &mut wrong).await;
    blind(&server, &moments, &mut wrong).await;

    let port = server.port;
    assert!(server.stop().success(), "{}", server.log());
    drop(server);
    let mut server = Server::start_on(port, data.path(), ledger, &more).await;
    quiet(&server).await;
    compare(&stage("after a restart"), &server, &moments, &mut wrong).await;

    assert!(server.stop().success(), "{}", server.log());
    drop(server);
    let mut deleted = 0;
    for rebuilt in ["memory", "views", "snapshots"] {
        deleted += usize::from(std::fs::remove_dir_all(data.path().join(rebuilt)).is_ok());
    }
    wrong.unless(deleted >= 2, || format!("expected memory and views to delete, found {deleted} of them"));
    let server = Server::start_on(port, data.path(), ledger, &more).await;
    quiet(&server).await;
    if let Some(last) = moments.last() {
        level(&server, last.position).await;
    }
    compare(&stage("rebuilt"), &server, &moments, &mut wrong).await;
    wrong.none(&stage("as of"));
}

/// Plays faults in an order of the seed's, and asks at six of the twelve moments that there are: in the midst of
/// a fault, and after it.
async fn play(server: &Server, seed: u64, wrong: &mut Wrong) -> Vec<Moment> {
    let mut dice = Dice::new(seed ^ 0xA5);
    let mut faults = vec![Fault::Connections, Fault::Disk, Fault::Memory, Fault::Release, Fault::Queue];
    for index in (1..faults.len()).rev() {
        faults.swap(index, usize::try_from(dice.below(index as u64 + 1)).unwrap());
    }
    // One of them comes back.
    faults.push(faults[usize::try_from(dice.below(3)).unwrap()]);
    let mut picked: Vec<usize> = Vec::new();
    while picked.len() < MOMENTS {
        let one = usize::try_from(dice.below(12)).unwrap();
        if !picked.contains(&one) {
            picked.push(one);
        }
    }
    println!("seed {seed}: {faults:?}, asked at {picked:?}");

    let mut world = World::begun(seed, server).await;
    let (mut moments, mut known) = (Vec::new(), Vec::new());
    for (index, fault) in faults.into_iter().enumerate() {
        if fault == Fault::Release {
            world.deploy(server, "payments", "4.2.0").await;
        }
        let happened: Happened = world.strike(server, fault).await;
        known.push(happened.incident.clone());
        if picked.contains(&(2 * index)) {
            moments.push(live(server, &known, wrong).await);
        }
        world.mend(server, &happened).await;
        if picked.contains(&(2 * index + 1)) {
            moments.push(live(server, &known, wrong).await);
        }
    }
    moments
}

/// Everything that is asked by reading, by path.
fn paths(incidents: &[String]) -> Vec<String> {
    let mut paths = vec!["/api/v1/incidents".to_owned(), "/api/v1/findings".to_owned(), "/api/v1/runbooks".to_owned()];
    for id in incidents {
        for part in ["causes", "similar", "proposals", "postmortem"] {
            paths.push(format!("/api/v1/incidents/{id}/{part}"));
        }
    }
    paths
}

fn question(incident: &str) -> Value {
    json!({"question": QUESTION, "incident": incident})
}

/// Asks everything as it is asked live, without `as_of`. Reading writes nothing; questions do, so they come last
/// and each says which position it is about.
async fn live(server: &Server, known: &[String], wrong: &mut Wrong) -> Moment {
    let mut tries = 0;
    let (position, mut all) = loop {
        let position = quiet(server).await;
        level(server, position).await;
        let all = reads(server, known, position, wrong).await;
        // A finding may still come in between; then what was read is of two moments.
        tries += 1;
        if server.settled().await["position"] == position {
            break (position, all);
        }
        assert!(tries < 10, "never quiet for long enough to read everything");
    };
    for id in known {
        // A question is asked when what came in since is remembered: an answer waits for no memory.
        let reached = server.settled().await["position"].as_u64().unwrap();
        level(server, reached).await;
        let (status, answer) = server.post("/api/v1/ask", &question(id)).await;
        assert_eq!(status, 200, "{answer}");
        let at = answer["position"].as_u64().unwrap();
        // What an earlier question left in the ledger is no knowledge about incidents.
        wrong.unless(at >= position, || format!("a live answer is about {at}, the head was {position}"));
        let told = said(server, at, answer).await;
        all.insert(format!("ask {id}"), told);
    }
    Moment { position, incidents: known.to_vec(), said: all }
}

async fn reads(server: &Server, known: &[String], position: u64, wrong: &mut Wrong) -> BTreeMap<String, Said> {
    let mut all = BTreeMap::new();
    for path in paths(known) {
        let (status, answer) = server.try_get(&path).await;
        wrong.unless(status == 200, || format!("{path}: {status} {answer}"));
        if status == 200 {
            let told = said(server, position, answer).await;
            all.insert(path, told);
        }
    }
    all
}

/// The last event up to a position: commits without events stand between.
async fn said(server: &Server, position: u64, answer: Value) -> Said {
    let from = position.saturating_sub(40 * 4_096);
    let events = server.all(&format!("/api/v1/events?from={from}&to={position}")).await;
    let last = events.last().unwrap_or_else(|| panic!("no event is near {position}"));
    let recorded_at = last["recorded_at"].as_str().unwrap().to_owned();
    Said { position, last: last["position"].as_u64().unwrap(), recorded_at, answer }
}

/// A document without what tells when and where it was asked, and at which position: a time names the last
/// commit with an event, which may lie before the position that was shown live.
fn essence(value: &Value) -> Value {
    let position = value["position"].as_u64().map(|position| format!("position {position}"));
    stripped(value.clone(), position.as_deref())
}

fn stripped(mut value: Value, position: Option<&str>) -> Value {
    if let Some(fields) = value.as_object_mut() {
        for name in ["elapsed_ms", "conversation", "recorded", "position", "url"] {
            if name != "position" || !fields.contains_key("event") {
                fields.remove(name);
            }
        }
        fields.values_mut().for_each(|field| *field = stripped(field.take(), position));
    } else if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(|item| *item = stripped(item.take(), position));
    } else if let (Value::String(text), Some(position)) = (&mut value, position) {
        *text = text.replace(position, "position …");
    }
    value
}

/// The first place at which two documents differ.
fn difference(path: &str, one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let of =
                |fields: &serde_json::Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or_default();
            names.into_iter().find_map(|name| difference(&format!("{path}.{name}"), &of(a, name), &of(b, name)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(at, (a, b))| difference(&format!("{path}[{at}]"), a, b))
        }
        _ if one == other => None,
        (Value::String(a), Value::String(b)) => {
            let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
            let from = |text: &str| text.chars().skip(same.saturating_sub(30)).take(160).collect::<String>();
            Some(format!("{path}, from character {same} on: then {:?}, now {:?}", from(a), from(b)))
        }
        _ => Some(format!("{path}: then {one}, now {other}")),
    }
}

async fn compare(stage: &str, server: &Server, moments: &[Moment], wrong: &mut Wrong) {
    for (asked, then) in moments.iter().flat_map(|moment| &moment.said) {
        let position = then.position;
        for as_of in [json!(position), json!(then.recorded_at)] {
            let now = again(server, asked, &as_of).await;
            let differs = difference("", &essence(&then.answer), &essence(&now));
            let place = format!("{stage}: {asked} as of {as_of}");
            wrong.unless(differs.is_none(), || format!("{place}: {}", differs.unwrap_or_default()));
            let about = now["position"].as_u64();
            let then = if as_of.is_string() { then.last } else { position };
            wrong.unless(about.is_some_and(|about| (then..=position).contains(&about)), || {
                format!("{place} is about {about:?}, not {position}")
            });
            let later = citations(&now).into_iter().find(|(_, cited)| *cited > position);
            wrong.unless(later.is_none(), || format!("{place} cites the future: {later:?}"));
        }
    }
}

/// The same question as of then.
async fn again(server: &Server, asked: &str, as_of: &Value) -> Value {
    let Some(id) = asked.strip_prefix("ask ") else {
        return server.try_get(&format!("{asked}?as_of={}", as_of.to_string().replace('"', ""))).await.1;
    };
    let mut body = question(id);
    body["as_of"] = as_of.clone();
    let (status, answer) = server.post("/api/v1/ask", &body).await;
    assert_eq!(status, 200, "{asked} as of {as_of}: {answer}");
    answer
}

/// The comparison can turn red: of the present, something else is said than of the first moment. And an incident
/// that was opened later is unknown as of before.
async fn blind(server: &Server, moments: &[Moment], wrong: &mut Wrong) {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return };
    let now = server.get("/api/v1/incidents").await;
    let differs = difference("", &essence(&first.said["/api/v1/incidents"].answer), &essence(&now));
    wrong.unless(differs.is_some(), || "the comparison sees no difference where there is one".to_owned());
    for id in last.incidents.iter().filter(|id| !first.incidents.contains(id)) {
        for part in ["causes", "similar", "proposals", "postmortem"] {
            let path = format!("/api/v1/incidents/{id}/{part}?as_of={}", first.position);
            let (status, body) = server.try_get(&path).await;
            wrong.unless(status == 404, || format!("{path}: an incident of the future: {status} {body}"));
        }
        let mut body = question(id);
        body["as_of"] = json!(first.position);
        let (status, answer) = server.post("/api/v1/ask", &body).await;
        wrong.unless(status == 404, || format!("asked about an incident of the future: {status} {answer}"));
    }
}

/// Waits until the memory has caught up: nothing is held back by it, so what was said before is less.
async fn level(server: &Server, position: u64) {
    let began = std::time::Instant::now();
    loop {
        let text = server.client.get(server.url("/metrics")).send().await.unwrap().text().await.unwrap();
        let at = text.lines().find_map(|line| line.strip_prefix("hindcast_memory_position ")?.parse::<f64>().ok());
        #[allow(clippy::cast_precision_loss)] // positions are below 2^53
        if at.is_some_and(|at| at >= position as f64) {
            return;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "the memory is at {at:?}, not at {position}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
