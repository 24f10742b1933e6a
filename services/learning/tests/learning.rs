//! Training and backtests over a ledger: what is learnt is a function of its range, what must not pass does
//! not, and nothing of it changes what is decided.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use crate::harness;
use std::collections::BTreeMap;
use std::time::Duration;

use harness::common::{at, world};
use harness::{Past, types};
use hindcast_api::{BacktestRequest, ModelStatus, TrainRequest};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::command::Configured;
use hindcast_domain::event::Event;
use hindcast_domain::model::Verdict;
use hindcast_mlops::train::to_map;
use hindcast_training::Learning;
use serde_json::json;
use tokio::sync::{OnceCell, mpsc};

fn up_to(position: u64) -> TrainRequest {
    TrainRequest { to: Some(position.to_string()), ..TrainRequest::default() }
}

fn with(weights: &[(&str, i64)]) -> BacktestRequest {
    let weights = weights.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
    BacktestRequest { weights: Some(weights), ..BacktestRequest::default() }
}

/// A past that several tests only read.
async fn shared() -> &'static Past {
    static SHARED: OnceCell<Past> = OnceCell::const_new();
    SHARED.get_or_init(|| Past::of(1, 2, 2, 0)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_range_seed_and_code_are_one_version_and_another_seed_is_another() {
    let past = Past::of(1, 1, 1, 0).await;
    let service = past.service();
    let first = service.train(up_to(past.learnt_to), "ada", None).await.unwrap();
    assert_eq!((first.version, first.status, first.registered_by.as_deref()), (2, ModelStatus::Candidate, Some("ada")));
    let again = service.train(up_to(past.learnt_to), "bob", None).await.unwrap();
    assert_eq!((again.hash.clone(), again.version, again.registered_by), (first.hash.clone(), 2, Some("ada".into())));
    let other = service.train(TrainRequest { seed: Some(9), ..up_to(past.learnt_to) }, "ada", None).await.unwrap();
    assert_ne!(other.hash, first.hash);
    assert_eq!(other.version, 3);
    // In a ledger of its own, from the same past, it is the same model under whatever number.
    let elsewhere = Past::of(1, 1, 1, 0).await;
    let there = elsewhere.service().train(up_to(elsewhere.learnt_to), "eve", None).await.unwrap();
    assert_eq!((there.hash, there.lineage), (first.hash, first.lineage));
    assert_eq!(types(&past.events().await)["model.registered"], 2, "what was learnt already is not registered again");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_labels_are_refused_and_what_is_missing_is_said() {
    let past = Past::empty();
    let refused = past.service().train(TrainRequest::default(), "ada", None).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.status), ("too_few_labels", 422));
    assert!(refused.detail.contains("at least 20 labelled pairs, got 0"), "{}", refused.detail);
    assert_eq!(past.ledger.head().await.unwrap(), 0, "nothing was registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_labels_lift_passes_and_two_backtests_give_the_same_bytes() {
    let past = Past::of(1, 2, 2, 0).await;
    let service = past.service();
    let version = service.train(up_to(past.learnt_to), "ada", None).await.unwrap();
    let request = BacktestRequest { version: Some(version.version), ..BacktestRequest::default() };
    let head = past.ledger.head().await.unwrap();
    let first = service.backtest(request.clone(), "ada", false, None).await.unwrap();
    assert_eq!(past.ledger.head().await.unwrap(), head, "who only looks writes nothing");
    println!("{:?} {:?}", first.verdict, first.reasons);
    assert_eq!((first.verdict, first.against), (Verdict::Pass, 1), "{:?}", first.reasons);
    assert_eq!(first.from, past.learnt_to + 1, "what was learnt from judges nothing");
    // This past was written by hand, as if before engines were numbered.
    assert!(first.engine.as_deref().unwrap().starts_with("engine changed: engine 0 decided"), "{:?}", first.engine);
    let judged = service.backtest(request, "ada", true, None).await.unwrap();
    assert_eq!((&judged.decided, &judged.report, judged.inputs), (&first.decided, &first.report, first.inputs));
    let events = past.events().await;
    let written = events.iter().find(|event| event.id.as_str() == judged.event.as_deref().unwrap()).unwrap();
    let Event::ModelJudged(fact) = &written.event else { panic!("{written:?}") };
    assert_eq!((fact.version, fact.against, fact.verdict), (2, 1, Verdict::Pass));
    assert_eq!((written.subject.as_str(), written.partition.is_whole()), ("pair-scorer/2", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learnt_from_judges_nothing_here_either() {
    let past = Past::of(1, 1, 1, 0).await;
    let service = past.service();
    service.train(up_to(past.learnt_to), "ada", None).await.unwrap();
    let request = BacktestRequest { since: Some("1".into()), ..BacktestRequest::default() };
    let compared = service.backtest(request, "ada", false, None).await.unwrap();
    assert_eq!(compared.verdict, Verdict::Error, "{:?}", compared.reasons);
    assert!(compared.reasons[0].contains("learnt from"), "{:?}", compared.reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scorer_that_merges_everything_fails_with_incidents_named() {
    let past = shared().await;
    let compared = past.service().backtest(with(&[("bias", 9_000), ("no_path", 0)]), "ada", false, None).await.unwrap();
    assert_eq!((compared.verdict, compared.version), (Verdict::Fail, None));
    let named = compared.reasons.iter().filter(|reason| reason.contains("INC-")).count();
    assert!(named >= 2, "{:?}", compared.reasons);
    assert!(compared.reasons[0].contains("wrongly merged"), "{:?}", compared.reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_of_which_a_fifth_is_flipped_promote_nothing() {
    let past = Past::of(1, 2, 2, 200).await;
    let service = past.service();
    service.train(up_to(past.learnt_to), "ada", None).await.unwrap();
    let compared = service.backtest(BacktestRequest::default(), "ada", true, None).await.unwrap();
    assert_ne!(compared.verdict, Verdict::Pass);
    assert!(compared.reasons[0].contains("contradict"), "{:?}", compared.reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_and_a_tiny_past_are_inconclusive_and_say_what_they_need() {
    let empty = Past::empty();
    let compared = empty.service().backtest(with(&[("bias", -1_000)]), "ada", false, None).await.unwrap();
    assert_eq!((compared.verdict, compared.inputs), (Verdict::Inconclusive, 0));
    let mut lived = harness::common::Ledger::new(1);
    world::live(&mut lived, &world::week(5, 0, 2), 1_000, 5);
    let mut tiny = Past::empty();
    tiny.write(&lived, 0).await;
    let compared = tiny.service().backtest(with(&[("bias", -1_000)]), "ada", false, None).await.unwrap();
    assert_eq!(compared.verdict, Verdict::Inconclusive);
    assert!(compared.inputs > 0 && compared.reasons[0].contains("needs 20"), "{:?}", compared.reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_nobody_registered_are_compared_and_never_judged() {
    let past = shared().await;
    let service = past.service();
    let refused = service.backtest(with(&[("bias", 0)]), "ada", true, None).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (422, "invalid"));
    let unknown = service.backtest(with(&[("baas", 0)]), "ada", false, None).await.unwrap_err();
    assert!(unknown.detail.contains("bias") && unknown.detail.contains("baas"), "{}", unknown.detail);
    let nobody = service.backtest(BacktestRequest::default(), "ada", false, None).await.unwrap_err();
    assert_eq!(nobody.code, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_do_not_give_their_hash_decide_nothing() {
    let mut past = Past::of(1, 1, 0, 0).await;
    let version = past.service().train(up_to(past.learnt_to), "ada", None).await.unwrap();
    let mut weights: BTreeMap<String, i64> = version.weights.clone();
    *weights.get_mut("bias").unwrap() += 1;
    weights.insert("version".into(), 3);
    let forged = hindcast_domain::model::Registered {
        name: hindcast_domain::model::PAIR_SCORER.into(),
        version: 3,
        hash: version.hash.clone().unwrap(),
        lineage: version.lineage.clone().unwrap(),
        weights,
        metrics: BTreeMap::new(),
        card: String::new(),
    };
    past.say(at(90 * 86_400), "pair-scorer/3", Event::ModelRegistered(forged)).await;
    let request = BacktestRequest { version: Some(3), ..BacktestRequest::default() };
    let refused = past.service().backtest(request, "ada", true, None).await.unwrap_err();
    assert!(refused.detail.contains("cannot be loaded"), "{}", refused.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_one_is_what_this_house_set_by_hand() {
    let mut past = Past::empty();
    let nothing_joins = GroupingWeights { bias: -12_000, ..GroupingWeights::default() };
    let content = json!({ "weights": nothing_joins });
    let configured = Configured { section: "correlation".into(), hash: "h".into(), content };
    past.say(at(-100), "correlation", Event::Configured(configured)).await;
    let mut lived = harness::common::Ledger::new(1);
    world::live(&mut lived, &world::week(5, 0, 30), 1_000, 5);
    past.write(&lived, 0).await;
    let service = past.service();
    let mut same = to_map(&nothing_joins);
    same.remove("version");
    let request = BacktestRequest { weights: Some(same), ..BacktestRequest::default() };
    let compared = service.backtest(request, "ada", false, None).await.unwrap();
    assert_eq!(compared.report["champion"], compared.report["candidate"], "{:?}", compared.reasons);
    let compared = service.backtest(with(&[("bias", -3_200)]), "ada", false, None).await.unwrap();
    let split = |side: &str| compared.report[side]["split"].as_u64().unwrap();
    assert!(split("champion") > split("candidate"), "the champion is not that of the defaults: {}", compared.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_listening_stops_the_work() {
    let past = Past::of(1, 2, 2, 0).await;
    let held = std::sync::Arc::strong_count(&past.ledger);
    let service = past.service();
    let (told, mut hears) = mpsc::channel(1_000);
    let work = service.backtest(with(&[("bias", -1_000)]), "ada", false, Some(told));
    let deciding = async {
        while let Some(progress) = hears.recv().await {
            if progress.step.starts_with("deciding") {
                return;
            }
        }
    };
    tokio::select! {
        ended = work => panic!("it ended before anybody heard of it: {ended:?}"),
        () = deciding => {}
    }
    drop(service);
    // Reader and lanes let go of the ledger and of the listener.
    let over = async {
        while std::sync::Arc::strong_count(&past.ledger) > held || hears.recv().await.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), over).await.expect("the work ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_back_from_the_end_is_judged_alone_with_a_day_before_it() {
    let past = shared().await;
    let service = past.service();
    let all = service.backtest(with(&[("bias", -2_000)]), "ada", false, None).await.unwrap();
    let late = BacktestRequest { since: Some("9d".into()), ..with(&[("bias", -2_000)]) };
    let late = service.backtest(late, "ada", false, None).await.unwrap();
    assert!(late.from > all.from && late.inputs < all.inputs && late.inputs > 0, "{} {}", late.from, late.inputs);
    assert!(late.report["problems"].as_u64() < all.report["problems"].as_u64());
    assert_eq!(late.report["unknown"], json!([0, 0]), "every judged firing was decided again");
}
