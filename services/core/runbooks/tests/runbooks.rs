//! The runbooks that are shipped, and the rules that hold for any.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::BTreeMap;

use hindcast_api::{Proposal, Similar};
use hindcast_domain::{Span, Time, incident};
use hindcast_rca::rank;
use hindcast_runbooks::{InvalidRunbook, Purpose, RiskLevel, Runbook, fill, propose};
use hindcast_testkit::recording::{EvidenceRecording, root};
use serde_json::{Value, json};

fn shipped() -> Vec<Runbook> {
    let mut all: Vec<(String, String)> = std::fs::read_dir(root().join("runbooks"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    all.sort();
    all.into_iter()
        .map(|(name, text)| {
            let runbook = Runbook::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(runbook.name, name, "a file has its runbook's name");
            runbook
        })
        .collect()
}

fn find(name: &str) -> Runbook {
    shipped().into_iter().find(|runbook| runbook.name == name).unwrap()
}

fn params(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn every_shipped_runbook_is_valid_and_says_what_it_risks() {
    let all = shipped();
    assert!(all.len() >= 6, "{} runbooks", all.len());
    for runbook in &all {
        assert_eq!(runbook.version().len(), 12);
        assert_eq!(runbook.version(), runbook.clone().version());
        let summary = runbook.summary();
        assert!(summary.params.keys().eq(runbook.params.keys()), "{}", runbook.name);
        assert!(runbook.purpose == Purpose::Diagnose || !runbook.known_as.is_empty(), "{}", runbook.name);
    }
}

#[test]
fn the_schema_is_that_of_the_type() {
    let kept: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("runbooks/schema.json")).unwrap()).unwrap();
    let now = serde_json::to_value(schemars::schema_for!(Runbook)).unwrap();
    assert_eq!(kept, now, "run: cargo run -p hindcast-runbooks --example runbook_schema");
}

#[test]
fn values_are_typed_bounded_and_safe() {
    let runbook = find("pg-end-idle-transactions");
    let filled = fill(&runbook, &params(&[("database", json!("shop")), ("idle_over", json!("90s"))])).unwrap();
    assert_eq!(filled.targets, ["database shop"]);
    assert_eq!(filled.params["at_most"], json!(100));
    assert!(filled.steps.iter().any(|step| step.contains("interval '90s'")), "{:?}", filled.steps);
    assert!(filled.steps.iter().all(|step| !step.contains("{{")), "{:?}", filled.steps);

    let refused = [
        ("database", json!("shop; drop table orders")),
        ("database", json!("$(reboot)")),
        ("database", json!("a'b")),
        ("database", json!("-c")),
        ("database", json!("x".repeat(64))),
        ("database", json!(["shop"])),
        ("database", json!("")),
        ("idle_over", json!("5 minutes")),
        ("idle_over", json!("1s")),
        ("idle_over", json!("48h")),
        ("idle_over", json!(300)),
        ("at_most", json!(0)),
        ("at_most", json!(1.5)),
        ("at_most", json!("many")),
        ("at_most", json!(1001)),
    ];
    for (name, value) in refused {
        let error = fill(&runbook, &params(&[(name, value.clone())])).unwrap_err();
        assert!(matches!(&error, InvalidRunbook::Value { name: told, .. } if told == name), "{name} {value}: {error}");
    }
    let error = fill(&runbook, &params(&[("force", json!(true))])).unwrap_err();
    assert!(matches!(&error, InvalidRunbook::Unknown { got, .. } if got == "force"), "{error}");
    let error = fill(&find("service-restart"), &BTreeMap::new()).unwrap_err();
    assert!(matches!(&error, InvalidRunbook::Missing { name, .. } if name == "service"), "{error}");
}

#[test]
fn what_is_wrong_with_a_runbook_is_named() {
    let good = std::fs::read_to_string(root().join("runbooks/service-restart.yaml")).unwrap();
    assert!(Runbook::parse(&good).is_ok());
    let bad = [
        (good.replace("title: Restart", "tittle: Restart"), "tittle"),
        (good.replace("name: service-restart", "name: Service Restart"), "name"),
        (good.replace("type: duration", "type: timespan"), "timespan"),
        (good.replace("min: 5s", "min: soon"), "min"),
        (good.replace("default: 30s", "default: 3s"), "pause"),
        (good.replace("[cause.service]", "[secrets.root]"), "from"),
        (good.replace("wait {{pause}}", "wait {{patience}}"), "patience"),
        (good.replace("wait {{pause}}", "wait a little"), "pause"),
        (good.replace("level: medium", "level: some"), "some"),
        (good.replace("'(?i)(leak|", "'(?i)((leak|"), "regular expression"),
        (good.replace("within: 10m", "within: soon"), "within"),
        (format!("{good}\n{}", "#".repeat(70_000)), "bytes"),
    ];
    for (text, named) in bad {
        assert_ne!(text, good, "{named}: the change was made");
        let error = Runbook::parse(&text).unwrap_err().to_string();
        assert!(error.contains(named), "expected {named:?} in: {error}");
    }
}

fn proposals(recording: &EvidenceRecording, id: &str, similar: &[Similar]) -> Vec<Proposal> {
    let fault = recording.faults.iter().find(|fault| fault.id == id).unwrap();
    let evidence = recording.evidence(fault, fault.to);
    let causes = rank(&evidence, &recording.topology, similar);
    propose(&evidence, &causes, similar, &shipped())
}

#[test]
fn each_fault_gets_the_runbook_that_fits_it() {
    let (pool, day) = (EvidenceRecording::read("pg-pool"), EvidenceRecording::read("shop-day"));
    let expected = [
        (&pool, "pool-1", "pg-end-idle-transactions"),
        (&pool, "pool-2", "pg-end-idle-transactions"),
        (&pool, "disk-1", "pg-free-disk-space"),
        (&pool, "backup-1", "backup-rerun"),
        (&day, "release-1", "deploy-rollback"),
        (&day, "redis-memory-1", "redis-free-memory"),
        (&day, "redis-down-1", "redis-start"),
        (&day, "certificate-1", "certificate-renew"),
    ];
    for (recording, fault, runbook) in expected {
        let all = proposals(recording, fault, &[]);
        let names: Vec<&str> = all.iter().map(|proposal| proposal.runbook.as_str()).collect();
        assert_eq!(names.first(), Some(&runbook), "{fault}: {names:?}");
        let first = &all[0];
        assert!(!first.citations.is_empty() && first.id.starts_with("PRP-") && first.by == "rules");
        assert_eq!(first.id, proposals(recording, fault, &[])[0].id, "an id is a function of what is proposed");
    }
    let first = &proposals(&pool, "pool-1", &[])[0];
    assert_eq!(first.params["database"], json!("shop"), "the label of its alert");
    assert_eq!(proposals(&pool, "disk-1", &[])[0].params["mountpoint"], json!("/srv/shop/pgdata"));
    assert_eq!(proposals(&day, "certificate-1", &[])[0].params["domain"], json!("vpn.example.com"));
}

fn same(resolution: &str, quiet: Option<u64>) -> Similar {
    Similar {
        incident: "INC-0123456789ABCDEF".into(),
        title: "checkout fails".into(),
        opened_at: Time::from_millis(1_795_000_000_000),
        status: incident::Status::Resolved,
        score: 0.9,
        same: true,
        why: Vec::new(),
        differs: Vec::new(),
        cause: Some("postgres: idle transactions".into()),
        resolution: Some(resolution.into()),
        quiet_for_s: quiet,
        citations: Vec::new(),
    }
}

#[test]
fn what_helped_before_is_counted_and_comes_first() {
    let pool = EvidenceRecording::read("pg-pool");
    let said = "the idle transactions were terminated with pg_terminate_backend";
    let similar = [same(said, Some(600)), same(said, None), same("restarted checkout", Some(60))];
    let all = proposals(&pool, "pool-2", &similar);
    assert_eq!(all[0].runbook, "pg-end-idle-transactions");
    assert_eq!((all[0].worked.ended, all[0].worked.of), (1, 2));
    assert!(all[0].why.contains("1 of 2 times"), "{}", all[0].why);
    let mut other = same(said, Some(600));
    other.same = false;
    assert_eq!(proposals(&pool, "pool-2", &[other])[0].worked.of, 0, "a look-alike teaches nothing");
}

#[test]
fn where_nothing_is_known_only_looking_is_proposed() {
    let pool = EvidenceRecording::read("pg-pool");
    let fault = &pool.faults[0];
    let mut evidence = pool.evidence(fault, fault.to);
    let mut causes = rank(&evidence, &pool.topology, &[]);
    causes.unresolved = true;
    causes.items.clear();
    for proposal in propose(&evidence, &causes, &[], &shipped()) {
        let runbook = find(&proposal.runbook);
        assert_eq!((runbook.purpose, runbook.risk.level), (Purpose::Diagnose, RiskLevel::Low));
    }
    evidence = pool.healthy(pool.begin + Span::seconds(70), pool.begin + Span::seconds(89), &[]);
    let causes = rank(&evidence, &pool.topology, &[]);
    assert!(propose(&evidence, &causes, &[], &shipped()).is_empty());
}

#[test]
fn a_hostile_label_fills_no_parameter() {
    let pool = EvidenceRecording::read("pg-pool");
    let fault = pool.faults.iter().find(|fault| fault.id == "pool-1").unwrap();
    let mut evidence = pool.evidence(fault, fault.to);
    for symptom in &mut evidence.symptoms {
        symptom.alert.labels.insert("datname".into(), "shop; rm -rf /".into());
    }
    let causes = rank(&evidence, &pool.topology, &[]);
    let all = propose(&evidence, &causes, &[], &shipped());
    let ours = all.iter().find(|proposal| proposal.runbook == "pg-end-idle-transactions").unwrap();
    assert_eq!(ours.params["database"], json!("postgres"), "the default stands");
    assert!(all.iter().flat_map(|proposal| &proposal.steps).all(|step| !step.contains("rm -rf")));
}
