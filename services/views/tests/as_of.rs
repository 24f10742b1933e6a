//! The guarantee: an answer as of a position is the answer of a ledger that ended there. Random histories of
//! alerts, incidents, merges, splits, undoing, silences, notices, changes and configuration; random places,
//! in the middle of commits too; every question. With the filter switched off the same check turns red.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::common;
use common::{Running, World};
use hindcast_api::AsOf;
use hindcast_domain::command::Command;
use hindcast_domain::{Severity, Time, notice};
use hindcast_queries::{
    AlertFilter, EventFilter, IncidentFilter, LabelFilter, NoticeFilter, Queries, ReportFilter, Window,
};
use hindcast_views::{FailPoint, Views};
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub enum Action {
    Observe(usize, bool, usize),
    Repeat(usize, usize),
    Merge(usize, usize),
    Split(usize),
    Undo(usize),
    People(usize, usize),
    Silence(usize),
    Unsilence(usize),
    Notify(usize, bool),
    Change(usize),
    Park,
    Unpark(usize),
    Configure(usize),
    CursorOnly,
    Teach(usize, usize, usize),
    Retract(usize),
    Wait(i64),
}

pub fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0..8_usize, prop::bool::weighted(0.7), 0..5_usize).prop_map(|(a, f, s)| Action::Observe(a, f, s)),
        5 => (1..256_usize, prop_oneof![8 => 1..4_usize, 1 => 200..300_usize]).prop_map(|(a, n)| Action::Repeat(a, n)),
        3 => (0..9_usize, 0..9_usize).prop_map(|(a, b)| Action::Merge(a, b)),
        3 => (0..9_usize).prop_map(Action::Split),
        3 => (0..9_usize).prop_map(Action::Undo),
        3 => (0..9_usize, 0..6_usize).prop_map(|(a, b)| Action::People(a, b)),
        1 => (0..8_usize).prop_map(Action::Silence),
        1 => (0..8_usize).prop_map(Action::Unsilence),
        2 => (0..9_usize, any::<bool>()).prop_map(|(a, b)| Action::Notify(a, b)),
        1 => (0..8_usize).prop_map(Action::Change),
        1 => Just(Action::Park),
        1 => (0..4_usize).prop_map(Action::Unpark),
        1 => (0..4_usize).prop_map(Action::Configure),
        1 => Just(Action::CursorOnly),
        3 => (0..9_usize, 0..4_usize, 0..6_usize).prop_map(|(a, b, c)| Action::Teach(a, b, c)),
        1 => (0..9_usize).prop_map(Action::Retract),
        2 => (1..400_000_i64).prop_map(Action::Wait),
    ]
}

async fn act(world: &mut World, number: usize, action: &Action) {
    let key = format!("key-{}", number % 7);
    let pick = |index: usize| world.incidents.get(index % world.incidents.len().max(1)).cloned();
    match action {
        Action::Observe(alert, firing, grade) => world.observe(*alert, *firing, *grade).await,
        Action::Repeat(alerts, batches) => world.repeat(*alerts, *batches).await,
        Action::Merge(from, into) => {
            if let (Some((partition, incident)), Some((_, into))) = (pick(*from), pick(*into)) {
                world.person(&partition, &key, Command::MergeIncident { incident, into }).await;
            }
        }
        Action::Split(index) => {
            if let Some((partition, incident)) = pick(*index) {
                let members = world.books.get(&partition).and_then(|book| book.incidents.get(&incident));
                let fingerprints =
                    members.into_iter().flat_map(|found| found.members.keys()).take(1).cloned().collect();
                world.person(&partition, &key, Command::SplitIncident { incident, fingerprints }).await;
            }
        }
        Action::Undo(index) => {
            if let Some((partition, incident)) = pick(*index) {
                let found = world.books.get(&partition).and_then(|book| book.incidents.get(&incident));
                let last = found.and_then(|found| found.lineage.last()).map(|past| past.event.clone());
                if let Some(event) = last {
                    let subject = incident.to_string();
                    world.person(&partition, &key, Command::UndoEvent { event, subject }).await;
                }
            }
        }
        Action::People(index, what) => {
            if let Some((partition, incident)) = pick(*index) {
                let until = world.now + hindcast_domain::Span::hours(1);
                let command = match what {
                    0 => Command::AcknowledgeIncident { incident },
                    1 => Command::ResolveIncident { incident, cause: Some("a bad release".into()), resolution: None },
                    2 => Command::NoteIncident { incident, text: "looking".into() },
                    3 => Command::SnoozeIncident { incident, until },
                    4 => Command::ReopenIncident { incident },
                    _ => Command::SetIncidentSeverity { incident, severity: Severity::Low },
                };
                world.person(&partition, &key, command).await;
            }
        }
        Action::Silence(index) => world.silence(*index).await,
        Action::Unsilence(index) => world.unsilence(*index).await,
        Action::Notify(index, held) => world.notify(*index, *held).await,
        Action::Change(index) => world.change(*index).await,
        Action::Park => world.park().await,
        Action::Unpark(index) => world.unpark(*index).await,
        Action::Configure(index) => world.configure(*index).await,
        Action::CursorOnly => world.cursor_only().await,
        Action::Teach(index, person, value) => world.teach(*index, *person, *value).await,
        Action::Retract(index) => world.retract(*index).await,
        Action::Wait(millis) => world.wait(*millis),
    }
}

fn window(as_of: Option<AsOf>) -> Window {
    Window { as_of, limit: Some(500), cursor: None }
}

fn told<T: serde::Serialize>(answer: Result<T, hindcast_api::Problem>) -> Value {
    match answer {
        Ok(answer) => serde_json::to_value(answer).unwrap(),
        Err(problem) => json!({ "problem": problem.code }),
    }
}

/// Every answer that there is.
async fn everything(views: &Views, world: &World, as_of: Option<AsOf>) -> Value {
    let mut all = json!({});
    let list = views.incidents(IncidentFilter::default(), window(as_of)).await;
    let searches = [
        IncidentFilter { q: Some("rule1 svc-1".into()), ..Default::default() },
        IncidentFilter { service: Some("alias-1".into()), ..Default::default() },
        IncidentFilter { status: vec![hindcast_domain::incident::Status::Open], ..Default::default() },
    ];
    for (index, filter) in searches.into_iter().enumerate() {
        all[format!("search {index}")] = told(views.incidents(filter, window(as_of)).await);
    }
    for (_, id) in &world.incidents {
        let id = id.to_string();
        all[format!("timeline {id}")] = told(views.timeline(&id, window(as_of)).await);
        all[format!("why {id}")] = told(views.why(&id, as_of).await);
        all[format!("changes {id}")] = told(views.changes(&id, as_of).await);
        let members = AlertFilter { incident: Some(id.clone()), ..Default::default() };
        all[format!("members {id}")] = told(views.alerts(members, window(as_of)).await);
        let about = NoticeFilter { incident: Some(id.clone()), ..Default::default() };
        all[format!("notices {id}")] = told(views.notices(about, window(as_of)).await);
        all[format!("incident {id}")] = told(views.incident(Some(&id[..8]), as_of).await);
    }
    all["incidents"] = told(list);
    all["newest"] = told(views.incident(None, as_of).await);
    all["alerts"] = told(views.alerts(AlertFilter::default(), window(as_of)).await);
    all["named"] =
        told(views.alerts(AlertFilter { name: Some("Rule2".into()), ..Default::default() }, window(as_of)).await);
    for index in 0..8 {
        let fingerprint = common::fingerprint(index).to_string();
        all[format!("receipt {index}")] = told(views.receipt(Some(&fingerprint), as_of).await);
        all[format!("receipt sent {index}")] = told(views.receipt(Some(&format!("sent-{index}")), as_of).await);
    }
    all["receipt"] = told(views.receipt(None, as_of).await);
    all["receipt named"] = told(views.receipt(Some("Rule0"), as_of).await);
    all["silences"] = told(views.silences(window(as_of)).await);
    all["notices"] = told(views.notices(NoticeFilter::default(), window(as_of)).await);
    all["parked"] = told(views.parked(false, window(as_of)).await);
    all["parked open"] = told(views.parked(true, window(as_of)).await);
    all["events"] = told(views.events(EventFilter::default(), window(as_of)).await);
    for kind in ["intake", "incident", "alert.fired"] {
        let filter = EventFilter { kind: Some(kind.into()), ..Default::default() };
        all[format!("events {kind}")] = told(views.events(filter, window(as_of)).await);
    }
    all["labels"] = told(views.labels(LabelFilter::default(), window(as_of)).await);
    let disputed = LabelFilter { disputed: Some(true), ..Default::default() };
    all["labels disputed"] = told(views.labels(disputed, window(as_of)).await);
    all["coverage"] = told(views.label_coverage(as_of).await);
    let open = NoticeFilter { status: vec![notice::Status::Requested, notice::Status::Held], ..Default::default() };
    all["notices open"] = told(views.notices(open, window(as_of)).await);
    all["report"] = told(views.report(ReportFilter::default(), as_of).await);
    all["catalog"] = told(views.catalog(as_of).await);
    let mut state = told(views.state(as_of).await);
    for live in ["settled", "services", "provisional"] {
        state.as_object_mut().unwrap().remove(live);
    }
    all["state"] = state;
    all
}

/// The positions of events, and the ids of those that were recorded after `position`.
fn later(world: &World, position: u64) -> Vec<String> {
    let mut ids = Vec::new();
    for record in &world.records {
        let commit = hindcast_eventlog::read::commit(record).unwrap();
        for item in hindcast_eventlog::read::events(record, &commit).unwrap() {
            if let hindcast_eventlog::read::ReadEvent::Known(recorded) = item
                && recorded.position > position
            {
                ids.push(recorded.id.to_string());
            }
        }
    }
    ids
}

fn differences(a: &Value, b: &Value) -> Vec<String> {
    let (a, b) = (a.as_object().unwrap(), b.as_object().unwrap());
    let keys = a.keys().chain(b.keys()).collect::<std::collections::BTreeSet<_>>();
    let differs = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    differs.map(|key| format!("{key}\n  as of: {:?}\n  cut:   {:?}", a.get(key), b.get(key))).collect()
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub async fn history(actions: &[Action]) -> World {
    let mut world = World::new();
    world.observe(0, true, 0).await;
    for (number, action) in actions.iter().enumerate() {
        act(&mut world, number, action).await;
        world.wait(500);
    }
    world
}

/// Every position of the ledger, the middle of commits included.
pub fn positions(world: &World) -> Vec<u64> {
    let mut all = Vec::new();
    for record in &world.records {
        let events = hindcast_ledger::commit::decode_header(&record.payload).unwrap().0.events as usize;
        all.extend((0..events.max(1)).map(|index| hindcast_ledger::commit::position(record.seq, index)));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_of_is_the_ledger_that_ended_there(
        actions in prop::collection::vec(action(), 1..45),
        places in prop::collection::vec(any::<prop::sample::Index>(), 3),
    ) {
        runtime().block_on(async {
            let world = history(&actions).await;
            let whole = Running::over(&world.ledger).await;
            let all = positions(&world);
            for place in &places {
                let position = *place.get(&all);
                let cut = Running::over(&world.cut(position).await).await;
                let then = everything(&whole.views, &world, Some(AsOf::Position(position))).await;
                let ended = everything(&cut.views, &world, None).await;
                let differences = differences(&then, &ended);
                prop_assert!(differences.is_empty(), "as of {position}:\n{}", differences.join("\n"));
                let text = then.to_string();
                for id in later(&world, position) {
                    prop_assert!(!text.contains(&id), "{id} was recorded after {position} and shows");
                }
                cut.stop().await;
            }
            let replay = whole.views.replay(None).await.unwrap();
            prop_assert!(replay.identical, "{replay:?}");
            let head = AsOf::Position(world.position());
            let now = whole.views.state(None).await.unwrap();
            let same = whole.views.state(Some(head)).await.unwrap();
            prop_assert_eq!((&now.state_hash, now.incidents, now.alerts, now.parked, &now.versions),
                (&same.state_hash, same.incidents, same.alerts, same.parked, &same.versions));
            Ok(())
        })?;
    }

    #[test]
    fn as_of_a_time_is_what_was_known_by_then(
        actions in prop::collection::vec(action(), 1..30),
        place in any::<prop::sample::Index>(),
        nudge in 0..3_i64,
    ) {
        runtime().block_on(async {
            let world = history(&actions).await;
            let whole = Running::over(&world.ledger).await;
            // What readers derive: the greatest stamp of all commits up to one.
            let mut known = Vec::new();
            let mut greatest = Time::ZERO;
            for record in &world.records {
                let header = hindcast_ledger::commit::decode_header(&record.payload).unwrap().0;
                greatest = greatest.max(header.stamped_at);
                let events = (header.events as usize).max(1);
                known.push((greatest, hindcast_ledger::commit::position(record.seq, events - 1)));
            }
            let time = place.get(&known).0 + hindcast_domain::Span::millis(nudge);
            let last = known.iter().rev().find(|(at, _)| *at <= time).unwrap();
            let state = whole.views.state(Some(AsOf::Time(time))).await.unwrap();
            prop_assert_eq!(state.position, last.1);
            prop_assert_eq!(state.provisional, last.1 == world.position());
            let by_time = everything(&whole.views, &world, Some(AsOf::Time(time))).await;
            let by_place = everything(&whole.views, &world, Some(AsOf::Position(last.1))).await;
            prop_assert!(differences(&by_time, &by_place).is_empty());
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_left_memory_changes_no_answer(actions in prop::collection::vec(action(), 8..60)) {
        runtime().block_on(async {
            let mut world = World::new();
            let forgetting = Running::forgetting(&world.ledger).await;
            let mut late = world.now;
            for (number, action) in actions.iter().enumerate() {
                act(&mut world, number, action).await;
                world.wait(500);
                forgetting.catch_up(&world.ledger).await;
                // Whatever is over is over for long by this clock.
                late = late.max(world.now) + hindcast_domain::Span::hours(3);
                forgetting.clock.set(late);
            }
            let whole = Running::over(&world.ledger).await;
            let (gone, kept) =
                (everything(&forgetting.views, &world, None).await, everything(&whole.views, &world, None).await);
            let differences = differences(&gone, &kept);
            prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
            prop_assert!(forgetting.views.replay(None).await.unwrap().identical);
            Ok(())
        })?;
    }
}

/// The folder as a crash leaves it: copied while the store is open and nothing was synced.
fn crash_image(folder: &std::path::Path) -> tempfile::TempDir {
    fn copy(from: &std::path::Path, to: &std::path::Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let image = tempfile::tempdir().unwrap();
    copy(folder, image.path());
    image
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_crash_or_a_restart_in_between_changes_no_answer(
        actions in prop::collection::vec(action(), 2..40),
        place in any::<prop::sample::Index>(),
        crash in any::<bool>(),
    ) {
        runtime().block_on(async {
            let world = history(&actions).await;
            let all = positions(&world);
            let seq = hindcast_ledger::commit::seq_of(*place.get(&all));
            // The ledger as it was at the crash, and as it is now: the same one, longer.
            let early = world.cut(hindcast_ledger::commit::position(seq, 4_095)).await;
            let first = Running::over(&early).await;
            let folder = if crash { crash_image(first.folder.as_ref().unwrap().path()) } else { first.stop().await };
            let again = Running::with(&world.ledger, folder, FailPoint::None).await;
            let fresh = Running::over(&world.ledger).await;
            let (a, b) = (everything(&again.views, &world, None).await, everything(&fresh.views, &world, None).await);
            let differences = differences(&a, &b);
            prop_assert!(differences.is_empty(), "stopped after {seq}:\n{}", differences.join("\n"));
            prop_assert!(again.views.replay(None).await.unwrap().identical);
            Ok(())
        })?;
    }
}

#[test]
fn with_the_filter_off_the_same_check_turns_red() {
    runtime().block_on(async {
        let actions = [Action::Observe(1, true, 0), Action::Merge(0, 1), Action::Notify(0, false), Action::Undo(1)];
        let world = history(&actions).await;
        let folder = tempfile::tempdir().unwrap();
        let broken = Running::with(&world.ledger, folder, FailPoint::ShowLater).await;
        let position = positions(&world)[3];
        let cut = Running::over(&world.cut(position).await).await;
        let then = everything(&broken.views, &world, Some(AsOf::Position(position))).await;
        let ended = everything(&cut.views, &world, None).await;
        assert!(!differences(&then, &ended).is_empty(), "a check that cannot fail is a defect");
        let text = then.to_string();
        assert!(later(&world, position).iter().any(|id| text.contains(id)));
    });
}
