//! Commands of people: what is sent, and what is said of the answer.

use serde_json::{Value, json};

use super::hindcast;
use super::server::{Server, alert, event, incident};
use crate::ExitStatus;

const ID: &str = "INC-3K7Q000000000000";

fn silence() -> Value {
    json!({
        "id": "SIL-7Q2K000000000000", "state": "active", "created_at": "2026-11-20T02:47:07Z",
        "updated_at": "2026-11-20T02:47:07Z", "event": "EVT-1", "revision": 1,
        "matchers": [{"name": "service", "value": "pg", "isRegex": false, "isEqual": true}],
        "starts_at": "2026-11-20T02:47:07Z", "ends_at": "2026-11-20T04:47:07Z", "created_by": "ada",
        "comment": "c", "kind": "silence",
    })
}

#[tokio::test]
async fn each_command_sends_the_body_of_its_route() {
    let on = |word: &str| format!("POST /api/v1/incidents/INC-3K7Q/{word}");
    for (line, word, body) in [
        ("unack INC-3K7Q", "unacknowledge", json!({})),
        ("reopen INC-3K7Q", "reopen", json!({})),
        (
            "resolve INC-3K7Q --cause disk_full --resolution grown",
            "resolve",
            json!({"cause": "disk full", "resolution": "grown"}),
        ),
        ("merge INC-3K7Q INC-1F2M", "merge", json!({"into": "INC-1F2M"})),
        ("split INC-3K7Q 9f3c 77aa", "split", json!({"fingerprints": ["9f3c", "77aa"]})),
        ("assign INC-3K7Q bob", "assign", json!({"owner": "bob"})),
        ("assign INC-3K7Q --nobody", "assign", json!({"owner": null})),
        ("note INC-3K7Q it is the disk", "note", json!({"text": "it is the disk"})),
        ("severity INC-3K7Q low", "severity", json!({"severity": "low"})),
        ("snooze INC-3K7Q --for 90m", "snooze", json!({"minutes": 90})),
        ("snooze INC-3K7Q --until 03:00", "snooze", json!({"until": "2026-11-20T03:00:00Z"})),
        ("feedback INC-3K7Q noise --text again", "feedback", json!({"verdict": "noise", "text": "again"})),
    ] {
        let server = Server::default().gives(&on(word), 200, incident(ID, "checkout fails"));
        let ended = hindcast(&server.start().await, line).await;
        assert_eq!(ended.status, ExitStatus::Done, "{line}: {}", ended.err);
        assert_eq!(server.asked()[0].body, body, "{line}");
        assert!(ended.out.starts_with("INC-3K7Q ") && ended.out.contains("revision 7"), "{line}: {}", ended.out);
    }
}

#[tokio::test]
async fn alerts_that_leave_may_be_named() {
    let server = Server::default()
        .list(
            "GET /api/v1/incidents/INC-3K7Q/alerts",
            vec![alert("9f3c", "Disk"), alert("77aa", "Disk"), alert("ab12", "Net")],
        )
        .gives("POST /api/v1/incidents/INC-3K7Q/split", 201, incident(ID, "x"));
    let base = server.start().await;
    assert_eq!(hindcast(&base, "split INC-3K7Q Disk ab12").await.status, ExitStatus::Done);
    let asked = server.asked();
    let split = asked.iter().find(|asked| !asked.body.is_null()).unwrap();
    assert_eq!(split.body, json!({"fingerprints": ["9f3c", "77aa", "ab12"]}));
    assert_eq!(hindcast(&base, "split INC-3K7Q Ghost").await.status, ExitStatus::NothingFound);
}

#[tokio::test]
async fn an_incident_is_declared() {
    let server = Server::default().gives("POST /api/v1/incidents", 201, incident(ID, "shop down"));
    let ended =
        hindcast(&server.start().await, "declare shop down --severity critical --service a,b --started-at 20m").await;
    assert_eq!(ended.out, "INC-3K7Q declared: shop down (revision 7)\n");
    let body = &server.asked()[0].body;
    assert_eq!((&body["title"], &body["services"]), (&json!("shop down"), &json!(["a", "b"])));
    assert_eq!(body["started_at"], "2026-11-20T02:27:07Z");
}

#[tokio::test]
async fn a_command_that_is_not_decided_yet_says_where_it_stands() {
    let pending = json!({"position": 8_200, "command": "EVT-0123456789ABCDEF"});
    let base = Server::default().gives("POST /api/v1/incidents/INC-3K7Q/reopen", 202, pending).start().await;
    let ended = hindcast(&base, "reopen INC-3K7Q").await;
    assert_eq!((ended.status, ended.out.as_str()), (ExitStatus::Done, ""));
    assert!(ended.err.contains("#8200"), "{}", ended.err);
    assert!(hindcast(&base, "reopen INC-3K7Q --json").await.out.contains("EVT-0123456789ABCDEF"));
}

#[tokio::test]
async fn silences_are_made_as_amtool_makes_them() {
    let server = Server::default().gives("POST /api/v1/silences", 201, silence());
    let base = server.start().await;
    let ended =
        hindcast(&base, "silence DiskFull service=pg instance=~db.* team!=a host!~b --for 2h --comment work").await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    assert_eq!(ended.out, "SIL-7Q2K active, until 2026-11-20 04:47:07Z, in 2 h: service=\"pg\"\n");
    let window = "silence a=b --maintenance --starts-at 22:00 --ends-at 2026-11-21T01:00:00Z --environment eu";
    assert_eq!(hindcast(&base, window).await.status, ExitStatus::Done);
    assert_eq!(hindcast(&base, "silence a=b").await.status, ExitStatus::Done);
    let asked = server.asked();
    let matcher = |name: &str, value: &str, regex: bool, equal: bool| json!({"name": name, "value": value, "isRegex": regex, "isEqual": equal});
    let expect = json!({
        "matchers": [
            matcher("alertname", "DiskFull", false, true),
            matcher("service", "pg", false, true),
            matcher("instance", "db.*", true, true),
            matcher("team", "a", false, false),
            matcher("host", "b", true, false),
        ],
        "comment": "work", "created_by": "ada", "kind": "silence", "duration": 7_200,
    });
    assert_eq!(asked[0].body, expect);
    assert_eq!(asked[1].body["starts_at"], "2026-11-20T22:00:00Z");
    assert_eq!(asked[1].body["kind"], "maintenance");
    assert!(asked[1].body.get("duration").is_none() && asked[1].body["environment"] == "eu");
    assert_eq!(asked[2].body["duration"], 3_600);
    assert!(!asked[2].body["comment"].as_str().unwrap().is_empty(), "a server wants words");
}

#[tokio::test]
async fn silences_are_listed_and_ended() {
    let mut over = silence();
    over["state"] = json!("expired");
    over["ended"] = json!("elapsed");
    over["id"] = json!("SIL-0000000000000000");
    let server = Server::default().list("GET /api/v1/silences", vec![silence(), over.clone()]).gives(
        "DELETE /api/v1/silences/SIL-7Q2K",
        200,
        over,
    );
    let base = server.start().await;
    assert_eq!(hindcast(&base, "silences").await.out.lines().count(), 3);
    assert_eq!(hindcast(&base, "silences --state active").await.out.lines().count(), 2);
    let ended = hindcast(&base, "unsilence SIL-7Q2K").await;
    assert!(ended.out.contains("expired, ended (elapsed)"), "{}", ended.out);
}

#[tokio::test]
async fn an_event_is_undone_by_its_id_or_position() {
    let server = Server::default().list("GET /api/v1/events", vec![event(8_812)]).gives(
        "POST /api/v1/undo",
        200,
        incident(ID, "x"),
    );
    let base = server.start().await;
    let ended = hindcast(&base, "undo #8812").await;
    assert_eq!(ended.out, "EVT-0000000000008812 undone; INC-3K7Q is open now\n");
    assert_eq!(hindcast(&base, "undo EVT-9").await.status, ExitStatus::Done);
    let asked = server.asked();
    assert_eq!(asked[0].line, "GET /api/v1/events?from=8812&to=8812&limit=1");
    assert_eq!(asked[1].body, json!({"event": "EVT-0000000000008812"}));
    assert_eq!(asked[2].body, json!({"event": "EVT-9"}));
}

#[tokio::test]
async fn a_catalogue_is_checked_here_and_put_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string().replace('_', "")
    };
    let good = file("good.yaml", "services:\n- {name: shop, depends_on: [pg]}\n- {name: pg, owner: db}\n");
    let bad = file("bad.yaml", "services:\n- {name: shop, depends_on: [ghost]}\n");
    let server = Server::default().gives("PUT /api/v1/catalog", 200, json!({"services": [{"name": "pg"}]})).gives(
        "GET /api/v1/catalog",
        200,
        json!({"services": [{"name": "pg", "owner": "db"}]}),
    );
    let base = server.start().await;
    let ended = hindcast("http://127.0.0.1:1", &format!("catalog check {good}")).await;
    assert_eq!(ended.out, "valid: 2 services, 1 call between them\n", "{}", ended.err);
    let ended = hindcast(&base, &format!("catalog put {bad}")).await;
    assert!(ended.status == ExitStatus::Failed && ended.err.contains("ghost"), "{}", ended.err);
    assert!(server.asked().is_empty());
    assert_eq!(
        hindcast(&base, &format!("catalog put {good}")).await.out,
        "replaced: 1 service, 0 calls between them\n"
    );
    assert_eq!(server.asked()[0].body["services"][1]["owner"], "db");
    assert!(hindcast(&base, "catalog show").await.out.contains("pg"));
}

#[tokio::test]
async fn parked_items_are_listed_retried_and_discarded() {
    let item = |id: &str, status: &str| {
        json!({
            "id": id, "status": status, "source": "generic", "format": "generic", "code": "no_labels",
            "detail": "expected labels", "remedy": "Send some.", "at": "2026-11-20T02:40:00Z", "payload": {},
            "position": 8_200,
        })
    };
    let items = vec![item("EVT-1111000000000000", "parked"), item("EVT-2222000000000000", "discarded")];
    let rejected = json!([{"index": 0, "code": "no_labels", "detail": "expected labels", "remedy": "Send some."}]);
    let again = json!({"accepted": 0, "position": 1, "rejected": rejected});
    let server = Server::default()
        .list("GET /api/v1/parked", items)
        .gives("POST /api/v1/parked/EVT-1111/retry", 200, again)
        .gives("POST /api/v1/parked/EVT-1111/discard", 200, item("EVT-1111000000000000", "discarded"))
        .gives("POST /api/v1/parked/EVT-3333/retry", 202, json!({"accepted": 1, "position": 9}));
    let base = server.start().await;
    assert_eq!(hindcast(&base, "parked retry EVT-3333").await.out, "EVT-3333 retried\n");
    assert_eq!(hindcast(&base, "parked list --status discarded").await.out.lines().count(), 2);
    let ended = hindcast(&base, "parked list").await;
    assert_eq!(server.lines().pop().unwrap(), "GET /api/v1/parked?status=parked&limit=50");
    assert!(ended.out.contains("EVT-1111") && !ended.out.contains("EVT-2222"), "{}", ended.out);
    let ended = hindcast(&base, "parked retry EVT-1111").await;
    assert!(ended.status == ExitStatus::Failed && ended.err.contains("still cannot be processed"), "{}", ended.err);
    assert_eq!(hindcast(&base, "parked discard EVT-1111").await.out, "EVT-1111 discarded\n");
}
