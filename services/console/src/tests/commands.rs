//! Commands: what is refused on the view, what is written, and what is answered.

use axum::http::{Method, StatusCode};
use hindcast_domain::command::{Code, Command, Received, Rejected};
use hindcast_domain::{EventId, Span};
use hindcast_queries::CommandOutcome;

use super::{Bench, request, sample};

const ACK: &str = "/api/v1/incidents/INC-3K/acknowledge";

#[tokio::test]
async fn a_command_is_written_to_its_partition_under_the_actors_name() {
    let bench = Bench::new();
    let answer = bench.post(ACK, &[("x-hindcast-actor", "ada"), ("idempotency-key", "k1")], "").await;
    assert_eq!((answer.status, answer.header("etag")), (StatusCode::OK, "\"7\""));
    assert_eq!(answer.json()["id"], sample::OPEN);
    let written = bench.written().await;
    let (received, actor, partition) = &written[0];
    assert_eq!((received.key.as_str(), actor.as_str(), partition.as_str()), ("k1", "ada", "default/production"));
    assert_eq!(received.command, Command::AcknowledgeIncident { incident: sample::OPEN.parse().unwrap() });
}

#[tokio::test]
async fn without_a_key_every_command_has_a_fresh_one() {
    let bench = Bench::new();
    bench.post(ACK, &[], "").await;
    bench.post(ACK, &[], "").await;
    let written = bench.written().await;
    assert_ne!(written[0].0.key, written[1].0.key);
}

#[tokio::test]
async fn what_the_view_refuses_is_not_written() {
    let bench = Bench::new();
    for (path, headers, body, code) in [
        (ACK, &[("if-match", "\"6\"")][..], "", "stale_revision"),
        (ACK, &[("if-match", "x")], "", "bad_parameter"),
        (ACK, &[("x-hindcast-actor", "system")], "", "bad_parameter"),
        (ACK, &[], "{", "malformed"),
        (ACK, &[], "{\"x\":1}", "invalid"),
        ("/api/v1/incidents/INC-0000/acknowledge", &[], "", "not_found"),
        ("/api/v1/incidents/INC-3K/note", &[], "{\"text\":\" \"}", "invalid"),
        ("/api/v1/incidents/INC-3K/assign", &[], "{}", "invalid"),
        ("/api/v1/incidents/INC-3K/merge", &[], "{\"into\":\"INC-1F\"}", "cross_partition"),
        ("/api/v1/incidents/INC-3K/merge", &[], "{\"into\":\"INC-3K\"}", "invalid"),
        ("/api/v1/incidents/INC-3K/split", &[], "{\"fingerprints\":[]}", "invalid"),
        ("/api/v1/incidents/INC-3K/split", &[], "{\"fingerprints\":[\"zz\"]}", "invalid"),
        ("/api/v1/incidents/INC-3K/split", &[], "{\"fingerprints\":[\"0000\"]}", "ambiguous"),
        ("/api/v1/incidents/INC-3K/snooze", &[], "{\"until\":\"2026-11-20T02:00:00Z\"}", "invalid"),
        ("/api/v1/incidents/INC-3K/severity", &[], "{\"severity\":\"awful\"}", "invalid"),
        ("/api/v1/incidents", &[], "{\"title\":\"x\"}", "invalid"),
        ("/api/v1/silences", &[], "{\"matchers\":[],\"duration\":\"2h\",\"comment\":\"c\"}", "invalid"),
        ("/api/v1/silences", &[], "{\"matchers\":[\"a=b\"],\"comment\":\"c\"}", "invalid"),
        ("/api/v1/undo", &[], "{\"event\":\"EVT-nope\"}", "not_found"),
        ("/api/v1/incidents/INC-3K/acknowledge?now=1", &[], "", "bad_parameter"),
    ] {
        let answer = bench.post(path, headers, body).await;
        assert_eq!(answer.code(), code, "{path} {headers:?} {body}: {}", answer.text);
    }
    let text = bench.ask(request(Method::POST, ACK, &[("content-type", "text/plain")], "x")).await;
    assert_eq!(text.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(bench.written().await.is_empty(), "a refused command leaves nothing but a counter");
}

#[tokio::test]
async fn a_key_tells_the_earlier_outcome_and_refuses_another_command() {
    let bench = Bench::new();
    let earlier = Received {
        key: "k1".into(),
        if_match: None,
        command: Command::AcknowledgeIncident { incident: sample::OPEN.parse().unwrap() },
    };
    let event: EventId = sample::event_id("36095300").parse().unwrap();
    bench.views.command("k1", event.clone(), earlier);
    assert_eq!(bench.post(ACK, &[("idempotency-key", "k1")], "").await.status, StatusCode::OK);
    let other = bench.post("/api/v1/incidents/INC-3K/reopen", &[("idempotency-key", "k1")], "").await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::CONFLICT, "key_reused"));
    assert!(bench.written().await.is_empty(), "a retry is not written again");

    let at = sample::at("02:45:30");
    let incident = sample::OPEN.parse().unwrap();
    let snooze = Command::SnoozeIncident { incident, until: at + Span::minutes(30) };
    let received = Received { key: "k2".into(), if_match: None, command: snooze };
    bench.views.command("k2", event, received);
    let path = "/api/v1/incidents/INC-3K/snooze";
    let again = bench.post(path, &[("idempotency-key", "k2")], "{\"minutes\":30}").await;
    assert_eq!(again.status, StatusCode::OK, "so many minutes mean the same in a retry: {}", again.text);
    assert_eq!(bench.post(path, &[("idempotency-key", "k2")], "{\"minutes\":31}").await.code(), "key_reused");
}

#[tokio::test]
async fn the_owners_word_is_the_answer() {
    let bench = Bench::new();
    bench.views.decide(CommandOutcome::Pending);
    let answer = bench.post(ACK, &[], "").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert!(
        answer.json()["position"].as_u64().unwrap() > 0
            && answer.json()["command"].as_str().unwrap().starts_with("EVT-")
    );
    bench.views.decide(CommandOutcome::Rejected(Rejected::new(Code::MergedAway, "it became a part of INC-1")));
    let answer = bench.post(ACK, &[], "").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "merged_away"));
}

#[tokio::test]
async fn what_is_new_is_answered_with_its_place() {
    let bench = Bench::new();
    let declared =
        bench.post("/api/v1/incidents", &[], "{\"title\":\"x\",\"severity\":\"high\",\"environment\":\"EU 1\"}").await;
    assert_eq!(
        (declared.status, declared.header("location")),
        (StatusCode::CREATED, "/api/v1/incidents/INC-3K7Q5M8N3P4R6S9T")
    );
    // A prefix that is unique, a sender's own name, and twice the same.
    let body = "{\"fingerprints\":[\"am-0003\",\"am-0003\"]}";
    let split = bench.post("/api/v1/incidents/INC-3K/split", &[], body).await;
    assert_eq!(
        (split.status, split.json()["id"].as_str()),
        (StatusCode::CREATED, Some(sample::OTHER)),
        "the one that was born"
    );
    let written = bench.written().await;
    assert_eq!(written[0].2, "default/eu-1");
    let Command::SplitIncident { fingerprints, .. } = &written[1].0.command else { panic!("{written:?}") };
    assert_eq!(fingerprints, &[sample::fingerprint(3).parse().unwrap()]);
}

#[tokio::test]
async fn a_silence_is_read_in_both_spellings() {
    let bench = Bench::new();
    bench.views.decide(CommandOutcome::Accepted { subjects: vec!["SIL-7Q2K5M8N3P4R6S9T".into()], position: 1 });
    for body in [
        r#"{"matchers":[{"name":"a","value":"b","isRegex":true,"isEqual":true}],"startsAt":"2026-11-20T02:00:00Z","endsAt":"2026-11-20T04:00:00Z","createdBy":"ada","comment":"c"}"#,
        r#"{"matchers":["a=~b"],"starts_at":"2026-11-20T02:00:00Z","duration":"2h","created_by":"ada","comment":"c"}"#,
    ] {
        let answer = bench.post("/api/v1/silences", &[], body).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::CREATED, "/api/v1/silences/SIL-7Q2K5M8N3P4R6S9T"),
            "{}",
            answer.text
        );
    }
    let written = bench.written().await;
    assert_eq!(written[0].0.command, written[1].0.command);
    assert_eq!(written[0].2, "default/_", "silences belong to the tenant as a whole");
    let gone = bench.ask(request(Method::DELETE, "/api/v1/silences/SIL-7Q", &[], "")).await;
    assert_eq!(gone.status, StatusCode::OK);
}

#[tokio::test]
async fn undo_goes_to_the_lane_of_its_subject() {
    let bench = Bench::new();
    let events = [
        sample::event(4_096, "silence.created", "SIL-7Q2K5M8N3P4R6S9T"),
        sample::event(8_192, "alert.suppressed", &sample::fingerprint(0)),
        sample::event(12_288, "alert.fired", &sample::fingerprint(0)),
    ];
    events.into_iter().for_each(|event| bench.views.record(event));
    let body = |position: u64| format!("{{\"event\":\"{}\"}}", sample::event_id(&position.to_string()));
    for (position, partition) in
        [(36_095_300, "default/production"), (4_096, "default/_"), (8_192, "default/production")]
    {
        let answer = bench.post("/api/v1/undo", &[], &body(position)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(bench.written().await.last().unwrap().2, partition);
    }
    assert_eq!(bench.post("/api/v1/undo", &[], &body(12_288)).await.code(), "not_undoable");
}

#[tokio::test]
async fn a_catalogue_that_contradicts_itself_is_refused() {
    let bench = Bench::new();
    let put = |kind: &'static str, body: &'static str| {
        bench.ask(request(Method::PUT, "/api/v1/catalog", &[("content-type", kind)], body))
    };
    assert_eq!(
        put("application/yaml", "services: [{name: a, depends_on: [ghost]}]").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(bench.written().await.is_empty());
    assert_eq!(put("application/yaml", "services: [{name: a}]").await.status, StatusCode::OK);
    assert_eq!(put("application/json", "{\"services\":[{\"name\":\"a\"}]}").await.status, StatusCode::OK);
    let written = bench.written().await;
    assert_eq!(written[0].0.command, written[1].0.command, "YAML and JSON have one hash");
}

#[tokio::test]
async fn a_link_is_judged_by_its_prefix_in_the_tenants_lane() {
    use hindcast_domain::links::LinkVerdict;
    let bench = Bench::new();
    let listed = bench.get("/api/v1/topology").await.json();
    let proposed = listed["items"].as_array().unwrap().iter().find(|link| link["id"] == sample::LINK).unwrap();
    assert_eq!((&proposed["status"], &proposed["confidence"]), (&"proposed".into(), &0.6.into()));
    assert_eq!(proposed["evidence"][0]["source"], "addresses");
    let answer = bench.post("/api/v1/topology/lnk-6d/deny", &[("x-hindcast-actor", "ada")], "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(bench.post("/api/v1/topology/LNK-0/confirm", &[], "").await.code(), "not_found");
    let (received, actor, partition) = &bench.written().await[0];
    assert_eq!((actor.as_str(), partition.as_str()), ("ada", "default/_"));
    let link = sample::LINK.parse().unwrap();
    assert_eq!(received.command, Command::JudgeLink { link, verdict: LinkVerdict::Denied });
}

#[tokio::test]
async fn a_file_of_backstage_becomes_one_command() {
    let bench = Bench::new();
    let file = "kind: Component\nmetadata: {name: shop}\nspec: {owner: team-a, dependsOn: [resource:pg]}\n";
    let yaml = [("content-type", "application/yaml")];
    let import = |body: &'static str| request(Method::POST, "/api/v1/topology/import", &yaml, body);
    let answer = bench.ask(import(file)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let Command::ProposeLinks { links } = &bench.written().await[0].0.command else { panic!("no command") };
    assert_eq!(links.len(), 2);
    for (body, code) in [("a: [", "malformed"), ("kind: Group", "invalid")] {
        assert_eq!(bench.ask(import(body)).await.code(), code, "{body}");
    }
}
