//! What amtool and operators read and ask for.

use crate::support::{World, now};
use hindcast_api::{Alert, Parked, Silence};
use hindcast_domain::command::{Code, Command, Rejected};
use hindcast_domain::silence::{Kind, Matcher, SilenceState, Terms};
use hindcast_domain::{Event, EventId};
use hindcast_queries::CommandOutcome;
use hindcast_queries::memory::Question;
use hindcast_testkit as testkit;
use serde_json::{Value, json};

fn shown(name: &str, suppressed: bool) -> Alert {
    Alert {
        source_fingerprint: Some("27018bff78d5fcce".into()),
        labels: [("alertname".to_owned(), name.to_owned())].into(),
        starts_at: now(),
        first_seen_at: now(),
        last_seen_at: now(),
        suppressed_by: suppressed.then(|| "SIL-0123456789ABCDEF".to_owned()),
        receipt: "/api/v1/alerts/0123456789abcdef0123/receipt".into(),
        ..testkit::alert(if suppressed { "b123456789abcdef0123" } else { "0123456789abcdef0123" }, name)
    }
}

fn silence(id: &str) -> Silence {
    Silence {
        id: id.into(),
        state: SilenceState::Active,
        terms: Terms {
            matchers: vec![Matcher::equal("alertname", "A")],
            starts_at: now(),
            ends_at: "2026-11-24T15:30:00Z".parse().unwrap(),
            created_by: "ada".into(),
            comment: "c".into(),
            kind: Kind::Silence,
            environment: None,
            repeats: None,
        },
        created_at: now(),
        updated_at: now(),
        ended: None,
        event: "EVT-0123456789ABCDEF".into(),
        revision: 1,
        holds: None,
        matched: None,
    }
}

#[tokio::test]
async fn alerts_are_shown_as_an_alertmanager_shows_them() {
    let world = World::new();
    world.views.put(0, shown("B", true));
    world.views.put(0, shown("A", false));
    let alerts = world.get("/api/v2/alerts?filter=alertname%3D%22A%22&inhibited=false").await.json();
    assert_eq!(
        alerts,
        json!([{
            "annotations": {}, "endsAt": "2026-11-24T13:35:00Z", "fingerprint": "27018bff78d5fcce",
            "receivers": [{"name": "hindcast"}], "startsAt": "2026-11-24T13:30:00Z",
            "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"}, "updatedAt": "2026-11-24T13:30:00Z",
            "generatorURL": "/api/v1/alerts/0123456789abcdef0123/receipt",
            "labels": {"alertname": "A"},
        }])
    );
    let groups = world.get("/api/v2/alerts/groups").await.json();
    assert_eq!((groups[1]["labels"]["alertname"].clone(), groups.as_array().unwrap().len()), (json!("B"), 2));
    assert_eq!(groups[1]["alerts"][0]["status"]["silencedBy"], json!(["SIL-0123456789ABCDEF"]));
    for (query, suppressed) in
        [("", None), ("?silenced=false", Some(false)), ("?active=false", Some(true)), ("?receiver=hind.*", None)]
    {
        world.get(&format!("/api/v2/alerts{query}")).await;
        let asked = world.views.asked();
        let Some(Question::Alerts(filter, _)) = asked.last() else { panic!("a question about alerts") };
        assert_eq!(filter.suppressed, suppressed, "{query}");
    }
    assert_eq!(world.get("/api/v2/alerts?receiver=other").await.json(), json!([]));
    assert_eq!(world.get("/api/v2/alerts?silenced=false&active=false").await.json(), json!([]));
    for bad in ["filter=%3D", "filter=a%3D~%22(%22", "active=maybe", "receiver=("] {
        let answer = world.get(&format!("/api/v2/alerts?{bad}")).await;
        assert_eq!(answer.status, 400, "{bad}");
        answer.alertmanagers();
    }
}

#[tokio::test]
async fn status_and_receivers_are_there_for_clients_that_ask() {
    let world = World::new();
    let status = world.get("/api/v2/status").await.json();
    assert_eq!((status["cluster"]["status"].clone(), status["uptime"].clone()), (json!("disabled"), json!(now())));
    assert_eq!(world.get("/api/v2/receivers").await.json(), json!([{"name": "hindcast"}]));
}

fn asked() -> Value {
    json!({"matchers": [{"name": "alertname", "value": "A", "isRegex": false, "isEqual": true}],
           "startsAt": "2026-11-24T13:00:00.000Z", "endsAt": "2026-11-24T15:30:00.000Z", "createdBy": "ada",
           "comment": "known, password=hunter2"})
}

#[tokio::test]
async fn a_silence_is_a_command_and_its_id_is_the_answer() {
    let world = World::new();
    let subjects = vec!["SIL-0000000000000000".to_owned(), "SIL-0123456789ABCDEF".to_owned()];
    world.views.decide(CommandOutcome::Accepted { subjects, position: 9 });
    let answer = world.post("/api/v2/silences", &asked()).await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"silenceID": "SIL-0000000000000000"})),
        "the new one comes first"
    );
    let events = world.events().await;
    assert!(events[0].partition.is_whole() && events[0].actor == "ada");
    let Event::Command(received) = &events[0].event else { panic!("a command") };
    let Command::CreateSilence { terms, replaces: None } = &received.command else { panic!("a new silence") };
    assert_eq!((terms.starts_at, terms.comment.as_str()), (now(), "known, password=[redacted:secret]"));
}

#[tokio::test]
async fn a_silence_that_makes_no_sense_is_refused_before_it_is_written() {
    let world = World::new();
    let mut over = asked();
    over["endsAt"] = json!("2020-01-01T00:00:00Z");
    let mut everything = asked();
    everything["matchers"] = json!([{"name": "a", "value": ".*", "isRegex": true}]);
    let mut unknown = asked();
    unknown["id"] = json!("8465dd12-fc84-4ce0-8d5b-56bc482404e1");
    for (body, status) in [(over, 400), (everything, 400), (json!({}), 400), (unknown, 404)] {
        let answer = world.post("/api/v2/silences", &body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer.alertmanagers();
    }
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn a_silence_is_read_edited_and_ended_by_its_id() {
    let world = World::new();
    world.views.put(0, silence("SIL-0123456789ABCDEF"));
    let one = world.get("/api/v2/silence/SIL-0123456789ABCDEF").await.json();
    assert_eq!((one["status"]["state"].clone(), one["matchers"][0]["isEqual"].clone()), (json!("active"), json!(true)));
    assert_eq!(world.get("/api/v2/silences?filter=alertname%3DA").await.json(), json!([one]));
    assert_eq!(world.get("/api/v2/silences?filter=alertname%3DB").await.json(), json!([]));
    let mut edit = asked();
    edit["id"] = json!("SIL-0123456789ABCDEF");
    let answer = world.post("/api/v2/silences", &edit).await;
    assert_eq!(answer.status, 202, "nobody decides in this test");
    let delete = |id: &str| {
        axum::http::Request::delete(format!("/api/v2/silence/{id}")).body(axum::body::Body::empty()).unwrap()
    };
    world.views.decide(CommandOutcome::Accepted { subjects: Vec::new(), position: 9 });
    assert_eq!(world.send(delete("SIL-0123456789ABCDEF")).await.status, 200);
    assert_eq!(world.send(delete("8465dd12-fc84-4ce0-8d5b-56bc482404e1")).await.status, 404);
    world.views.decide(CommandOutcome::Rejected(Rejected::new(Code::Conflict, "it is over")));
    let answer = world.send(delete("SIL-0123456789ABCDEF")).await;
    assert!(answer.status == 500 && answer.alertmanagers().contains("it is over"), "{}", answer.text);
    let commands: Vec<Command> = world
        .events()
        .await
        .into_iter()
        .filter_map(|recorded| match recorded.event {
            Event::Command(received) => Some(received.command),
            _ => None,
        })
        .collect();
    assert!(matches!(&commands[0], Command::CreateSilence { replaces: Some(_), .. }));
    assert!(matches!(&commands[1], Command::ExpireSilence { .. }));
}

fn parked(id: &EventId, payload: Value) -> Parked {
    Parked {
        id: id.to_string(),
        status: "parked".into(),
        source: "prometheus".into(),
        format: "prometheus".into(),
        code: "no_labels".into(),
        detail: "d".into(),
        remedy: "r".into(),
        at: now(),
        payload,
        position: 4_096,
    }
}

#[tokio::test]
async fn a_parked_item_is_tried_again_by_the_code_that_read_it_first() {
    let world = World::new();
    let (good, bad, done) = (EventId::derive(&[b"good"]), EventId::derive(&[b"bad"]), EventId::derive(&[b"done"]));
    let discarded = Parked { status: "discarded".into(), ..parked(&done, json!({})) };
    let good_again = parked(&good, json!({"labels": {"alertname": "A"}}));
    for (n, item) in [good_again, parked(&bad, json!({"labels": {}})), discarded].into_iter().enumerate() {
        let event = testkit::event(n as u64 + 1, "intake.parked", "prometheus");
        world.views.record(hindcast_api::Event { id: item.id.clone(), environment: "staging".into(), ..event });
        world.views.put(0, item);
    }
    assert_eq!(world.get("/api/v1/parked").await.json()["items"].as_array().unwrap().len(), 3);
    assert_eq!(world.get("/api/v1/parked?status=parked").await.json()["items"].as_array().unwrap().len(), 2);
    for (query, code) in
        [("limit=0", "bad_limit"), ("limit=501", "bad_limit"), ("as_of=x", "bad_as_of"), ("x=1", "bad_parameter")]
    {
        assert_eq!(world.get(&format!("/api/v1/parked?{query}")).await.code(), code, "{query}");
    }
    let retry = |id: &EventId| format!("/api/v1/parked/{id}/retry");
    assert_eq!(world.post(&retry(&bad), &json!({})).await.code(), "invalid");
    assert_eq!(world.post(&retry(&done), &json!({})).await.code(), "conflict");
    assert_eq!(world.post(&retry(&EventId::derive(&[b"?"])), &json!({})).await.code(), "not_found");
    assert!(world.events().await.is_empty());
    let answer = world.post(&retry(&good), &json!({})).await;
    assert_eq!((answer.status, answer.json()["accepted"].clone()), (202, json!(1)));
    assert_eq!(world.types().await, ["intake.delivery", "intake.alert", "intake.unparked"]);
    let events = world.events().await;
    assert!(events.iter().all(|recorded| recorded.partition.environment == "staging"), "it stays where it lay");
    assert_eq!(events[2].subject, good.to_string());
    let answer = world.post(&format!("/api/v1/parked/{bad}/discard"), &json!({})).await;
    assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("discarded")));
}
