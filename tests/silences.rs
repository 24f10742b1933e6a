//! Silences and ids as people and tools give them: an edit has no gap, every place takes the same matchers, refusals read
//! like an Alertmanager's, and an empty id or a position beyond the end means nothing.

use crate::support;
use serde_json::{Value, json};
use support::{Ledger, Server, alert, folder, now};

/// What each incident is and who cares for it: what a command that hit the wrong one would change.
async fn incidents(server: &Server) -> Vec<Value> {
    let mut all = server.all("/api/v1/incidents").await;
    all.sort_by_key(|incident| incident["id"].to_string());
    all
}

/// An id that is given and empty names no incident, for any act and at any place; the newest stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_id_acts_on_nothing() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    for name in ["backup", "search"] {
        server.fire(&format!("{name}Down"), name, "critical").await;
    }
    server.settled().await;
    let before = incidents(&server).await;
    let bodies = [
        ("acknowledge", json!({})),
        ("unacknowledge", json!({})),
        ("resolve", json!({"cause": "oops"})),
        ("reopen", json!({})),
        ("assign", json!({"to": "ada"})),
        ("note", json!({"text": "x"})),
        ("severity", json!({"severity": "low"})),
        ("snooze", json!({"minutes": 5})),
        ("merge", json!({"into": before[0]["id"]})),
        ("split", json!({"alerts": ["abcd"]})),
    ];
    for (act, body) in &bodies {
        for empty in ["", "%20", "%09", "INC-", "%20INC-%20"] {
            let (status, answer) = server.post(&format!("/api/v1/incidents/{empty}/{act}"), body).await;
            assert_eq!(status, 404, "{act} of {empty:?}: {answer}");
        }
    }
    let id = before[0]["id"].as_str().unwrap().to_owned();
    let id = id.as_str();
    for into in ["", "  ", "INC-"] {
        let (status, answer) = server.post(&format!("/api/v1/incidents/{id}/merge"), &json!({"into": into})).await;
        assert!(matches!(status, 404 | 422), "merge into {into:?}: {status} {answer}");
    }
    let (status, out, err) = server.cli(&["merge", before[1]["id"].as_str().unwrap(), id]);
    assert_eq!(status, 0, "{err}");
    let undo = out.lines().find_map(|line| line.split('`').nth(1)).unwrap_or_else(|| panic!("no way back: {out}"));
    let words: Vec<&str> = undo.split(' ').skip(1).collect();
    let (status, out, err) = server.cli(&words);
    assert_eq!(status, 0, "{words:?}: {out}{err}");
    server.settled().await;
    let before = incidents(&server).await;
    assert!(before.iter().all(|incident| incident["merged_into"].is_null()), "{before:#?}");
    for words in [
        vec!["ack", ""],
        vec!["unack", " "],
        vec!["resolve", "", "--cause", "oops"],
        vec!["reopen", "\t"],
        vec!["assign", "", "ada"],
        vec!["note", " ", "x"],
        vec!["severity", "", "low"],
        vec!["merge", "", id],
        vec!["merge", id, ""],
        vec!["show", ""],
        vec!["why", " "],
        vec!["timeline", ""],
        vec!["where", ""],
        vec!["undo", ""],
        vec!["unsilence", ""],
    ] {
        let (status, out, err) = server.cli(&words);
        assert_eq!(status, 2, "{words:?}: {out}{err}");
    }
    server.settled().await;
    assert_eq!(incidents(&server).await, before, "nothing has changed");
}

/// A position that the ledger does not have, such as a time in seconds, is refused by every reading route.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_beyond_the_end_is_refused() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    server.fire("BackupDown", "backup", "critical").await;
    let position = server.settled().await["position"].as_u64().unwrap();
    let id = incidents(&server).await[0]["id"].as_str().unwrap().to_owned();
    let paths = ["incidents", "alerts", "events", "silences", "notices", "reports", "state", "labels"];
    let paths = paths.map(|path| format!("/api/v1/{path}")).into_iter();
    for path in paths.chain([format!("/api/v1/incidents/{id}"), format!("/api/v1/incidents/{id}/timeline")]) {
        let (status, answer) = server.try_get(&format!("{path}?as_of={position}")).await;
        assert_eq!(status, 200, "{path}: {answer}");
        for beyond in [1_796_009_379, position + (1 << 30), (1 << 53) - 1, u64::MAX] {
            let (status, answer) = server.try_get(&format!("{path}?as_of={beyond}")).await;
            assert_eq!((status, &answer["code"]), (400, &json!("bad_as_of")), "{path} as of {beyond}: {answer}");
        }
    }
    let (status, _, err) = server.cli(&["incidents", "--as-of", "1796009379"]);
    assert_eq!(status, 2, "{err}");
}

/// Extending a silence, by each of the three ways, opens nothing and notifies nobody; narrowing it lets go what it no
/// longer covers.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_a_silence_has_no_gap() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let matchers = json!([{"name": "service", "value": "backup", "isRegex": false, "isEqual": true}]);
    let of = |id: Option<&str>, matchers: &Value| {
        json!({
            "id": id, "matchers": matchers, "startsAt": now(0), "endsAt": now(600), "createdBy": "ada", "comment": "work"
        })
    };
    let (status, made) = server.post("/api/v2/silences", &of(None, &matchers)).await;
    assert_eq!(status, 200, "{made}");
    let mut silence = made["silenceID"].as_str().unwrap().to_owned();
    for name in ["BackupDown", "BackupOld", "BackupSlow"] {
        server.fire(name, "backup", "critical").await;
    }
    for round in 0..6 {
        let next = match round % 3 {
            0 => {
                let (status, answer) = server.post("/api/v2/silences", &of(Some(&silence), &matchers)).await;
                assert_eq!(status, 200, "{answer}");
                answer["silenceID"].as_str().unwrap().to_owned()
            }
            1 => {
                let body =
                    json!({"matchers": ["service=backup"], "duration": "3h", "comment": "x", "replaces": silence});
                let (status, answer) = server.post("/api/v1/silences", &body).await;
                assert_eq!(status, 201, "{answer}");
                answer["id"].as_str().unwrap().to_owned()
            }
            _ => {
                let words =
                    ["silence", "service=backup", "--for", "3h", "--comment", "x", "--replaces", &silence, "--json"];
                let (status, out, err) = server.cli(&words);
                assert_eq!(status, 0, "{out}{err}");
                serde_json::from_str::<Value>(&out).unwrap()["id"].as_str().unwrap().to_owned()
            }
        };
        assert_ne!(next, silence);
        server.settled().await;
        assert_eq!(server.get(&format!("/api/v1/silences/{silence}")).await["ended"], "replaced");
        silence = next;
        assert!(incidents(&server).await.is_empty(), "round {round} opened an incident");
        let notices = server.all("/api/v1/notices").await;
        let is_quiet = |notice: &Value| ["held", "released"].contains(&notice["status"].as_str().unwrap());
        assert!(notices.iter().all(is_quiet), "round {round} notified somebody: {notices:#?}");
        let held = server.all("/api/v1/alerts").await;
        assert!(held.len() == 3 && held.iter().all(|alert| alert["suppressed_by"] == json!(silence)), "{held:#?}");
    }
    let narrower = json!([{"name": "alertname", "value": "Backup(Old|Slow)", "isRegex": true, "isEqual": true}]);
    assert_eq!(server.post("/api/v2/silences", &of(Some(&silence), &narrower)).await.0, 200);
    server.settled().await;
    let open = incidents(&server).await;
    assert!(open.len() == 1 && open[0]["alerts"] == 1, "only what is no longer covered: {open:#?}");
}

/// One grammar at every place: what a matcher holds does not depend on who was asked to hold it.
#[tokio::test(flavor = "multi_thread")]
async fn a_matcher_means_the_same_everywhere() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let odd = [
        ("a=b", "x"),
        ("c,d", "y"),
        ("sp ace", "z"),
        ("q\"uote", "w"),
        ("{br}", "u"),
        ("名前", "v"),
        ("host.name", "srv-1"),
    ];
    for (at, (name, value)) in odd.iter().enumerate() {
        let mut one = alert(&format!("Odd{at}"), "edge", "low");
        one["labels"][*name] = json!(value);
        assert_eq!(server.post("/api/v2/alerts", &json!([one])).await.0, 200);
    }
    server.settled().await;
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    for (at, (name, value)) in odd.iter().enumerate() {
        for (sign, value) in [("=", (*value).to_owned()), ("=~", format!("(?:x{{,2}}|\\Q{value}\\E)"))] {
            let text = format!("{}{sign}{}", quoted(name), quoted(&value));
            let filter = reqwest::Url::parse_with_params(&server.url("/api/v2/alerts"), [("filter", &text)]).unwrap();
            let found: Value = server.client.get(filter).send().await.unwrap().json().await.unwrap();
            assert_eq!(found.as_array().map(Vec::len), Some(1), "{text}: {found}");
            assert_eq!(found[0]["labels"]["alertname"], format!("Odd{at}"));
            let (status, made) =
                server.post("/api/v1/silences", &json!({"matchers": [text], "duration": "1h", "comment": "x"})).await;
            assert_eq!(status, 201, "{text}: {made}");
            let (status, out, err) = server.cli(&["silence", &text, "--for", "1h", "--json"]);
            assert_eq!(status, 0, "{text}: {err}");
            let by_cli: Value = serde_json::from_str(&out).unwrap();
            for made in [&made, &by_cli] {
                let expected = json!([{"name": name, "value": value, "isRegex": sign == "=~", "isEqual": true}]);
                assert_eq!(
                    made["terms"]["matchers"].as_array().or(made["matchers"].as_array()).unwrap(),
                    expected.as_array().unwrap()
                );
                server.settled().await;
                let held = server.all(&format!("/api/v1/alerts?name=Odd{at}")).await;
                assert!(held[0]["suppressed_by"].is_string(), "{text}: {held:#?}");
            }
            for made in [&made, &by_cli] {
                let id = made["id"].as_str().unwrap();
                let ended = server.client.delete(server.url(&format!("/api/v2/silence/{id}"))).send().await.unwrap();
                assert_eq!(ended.status().as_u16(), 200);
            }
            server.settled().await;
        }
    }
}

/// What is refused under `/api/v2` is a string in JSON, under a status that Alertmanager's clients know.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_read_like_an_alertmanagers() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let silence = |value: &str| {
        json!({
            "matchers": [{"name": "alertname", "value": value, "isRegex": true, "isEqual": true}],
            "startsAt": now(0), "endsAt": now(600), "createdBy": "ada", "comment": "x"
        })
    };
    let (status, made) = server.post("/api/v2/silences", &silence("Backup.*")).await;
    assert_eq!(status, 200);
    let known = format!("/api/v2/silence/{}", made["silenceID"].as_str().unwrap());
    let unknown = "/api/v2/silence/d839aca9-ed46-40be-84c4-dca8773671da".to_owned();
    let client = &server.client;
    let delete = |path: &str| client.delete(server.url(path));
    assert_eq!(delete(&known).send().await.unwrap().status().as_u16(), 200);
    let post = |body: Value| client.post(server.url("/api/v2/silences")).json(&body);
    let unfit = client.post(server.url("/api/v2/alerts")).header("accept", "application/json");
    for (request, status, says) in [
        (post(silence(".*")), 400, "does not match an empty value"),
        (post(silence("(")), 400, "regular expression"),
        (post(json!({"matchers": 1})), 400, "expected a silence"),
        (delete(&unknown), 404, "found none"),
        (delete(&known), 500, ""),
        (client.get(server.url(&unknown)), 404, "found none"),
        (client.get(server.url("/api/v2/alerts?filter=%3Dx")), 400, "matcher"),
        (client.get(server.url("/api/v2/alerts?active=perhaps")), 400, "true or false"),
        (client.get(server.url("/api/v2/silences?filter=a")), 400, "matcher"),
        (unfit.json(&json!([{"labels": {}}])), 400, ""),
    ] {
        let answer = request.send().await.unwrap();
        let address = answer.url().clone();
        assert_eq!(answer.status().as_u16(), status, "{address}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{address}");
        let text: Value = answer.json().await.unwrap();
        assert!(text.as_str().is_some_and(|text| !text.is_empty() && text.contains(says)), "{address}: {text}");
    }
    // Senders are told what our own doors tell.
    let answer = client.post(server.url("/api/v2/alerts")).json(&json!([{"labels": {}}])).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

/// Whatever is redacted, by its name or by its look, a silence holds the value that was named at any of the three places
/// and no other, and no place writes the value down.
#[tokio::test(flavor = "multi_thread")]
async fn a_silence_of_one_secret_holds_that_one() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let kinds = [
        ("token", "one-quartz", "two-quartz"),
        ("db_password", "quartz1", "quartz2"),
        ("dsn", "postgres://ada:quartz1@db:5432/shop", "postgres://ada:quartz2@db:5432/shop"),
        ("hook", "https://x.example.com/a?sig=quartz1", "https://x.example.com/a?sig=quartz2"),
    ];
    for (at, (label, one, two)) in kinds.iter().enumerate() {
        for (side, value) in [("A", one), ("B", two)] {
            let mut sent = alert(&format!("Secret{at}{side}"), "vault", "low");
            sent["labels"][*label] = json!(value);
            assert_eq!(server.post("/api/v2/alerts", &json!([sent])).await.0, 200);
        }
    }
    server.settled().await;
    for (at, (label, one, _)) in kinds.iter().enumerate() {
        let shown = |side: &str| format!("/api/v1/alerts?name=Secret{at}{side}");
        let labels = |alerts: &[Value]| alerts[0]["labels"][*label].clone();
        assert_ne!(
            labels(&server.all(&shown("A")).await),
            labels(&server.all(&shown("B")).await),
            "they can be told apart"
        );
        let text = format!("{label}=\"{one}\"");
        let made = [
            {
                let matcher = json!([{"name": label, "value": one, "isRegex": false, "isEqual": true}]);
                let body = json!({"matchers": matcher, "startsAt": now(0), "endsAt": now(600), "createdBy": "a", "comment": "x"});
                server.post("/api/v2/silences", &body).await.1["silenceID"].clone()
            },
            server.post("/api/v1/silences", &json!({"matchers": [text], "duration": "1h", "comment": "x"})).await.1["id"].clone(),
            serde_json::from_str::<Value>(&server.cli(&["silence", &text, "--for", "1h", "--json"]).1).unwrap()["id"].clone(),
        ];
        for id in made {
            let id = id.as_str().unwrap_or_else(|| panic!("{label}: no silence"));
            server.settled().await;
            let held = server.all(&shown("A")).await;
            assert!(held[0]["suppressed_by"].is_string(), "{label}: {held:#?}");
            let other = server.all(&shown("B")).await;
            assert!(other[0]["suppressed_by"].is_null(), "{label}: {other:#?}");
            let path = server.url(&format!("/api/v2/silence/{id}"));
            assert_eq!(server.client.delete(path).send().await.unwrap().status().as_u16(), 200);
            server.settled().await;
        }
        let pattern = json!({"matchers": [format!("{label}=~\"{one}|x\"")], "duration": "1h", "comment": "x"});
        let (status, answer) = server.post("/api/v1/silences", &pattern).await;
        assert_eq!(status, 422, "a pattern of what is redacted can hold nothing: {answer}");
    }
    let ledger = server.all("/api/v1/events").await;
    let written = serde_json::to_string(&ledger).unwrap();
    assert!(!written.contains("quartz"), "a secret is in the ledger");
}

/// A window that repeats is made from every place, says so, and is not lost by an edit of a client that knows of none.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_repeats_keeps_its_zone() {
    let data = folder();
    let server = Server::start(data.path(), Ledger::Embedded, &[]).await;
    let words =
        ["silence", "service=backup", "--repeat", "sat,sun 01:30-05:00 Europe/Berlin", "--maintenance", "--json"];
    let (status, out, err) = server.cli(&words);
    assert_eq!(status, 0, "{out}{err}");
    let made: Value = serde_json::from_str(&out).unwrap();
    let repeats = json!({"zone": "Europe/Berlin", "from": "01:30", "to": "05:00", "on": ["sat", "sun"]});
    assert_eq!((&made["repeats"], &made["kind"]), (&repeats, &json!("maintenance")), "{made}");
    for spelt in [json!("2nd tue 22:00-02:00 America/New_York"), repeats.clone()] {
        let body = json!({"matchers": ["service=backup"], "comment": "x", "repeats": spelt});
        let (status, answer) = server.post("/api/v1/silences", &body).await;
        assert_eq!(status, 201, "{answer}");
        assert!(answer["ends_at"].as_str() > answer["starts_at"].as_str(), "{answer}");
    }
    for (spelt, reason) in
        [("sun 01:30-05:00 Europe/Atlantis", "time zone"), ("sun 1:30-05:00 UTC", "time of day"), ("never", "such as")]
    {
        let body = json!({"matchers": ["service=backup"], "comment": "x", "repeats": spelt});
        let (status, answer) = server.post("/api/v1/silences", &body).await;
        assert!(status == 422 && answer["detail"].as_str().unwrap().contains(reason), "{status} {answer}");
        let (status, _, err) = server.cli(&["silence", "service=backup", "--repeat", spelt]);
        assert!(status == 2 && err.contains(reason), "{status} {err}");
    }
    let both = json!({"matchers": ["service=backup"], "comment": "x", "duration": "2h", "repeats": repeats});
    assert_eq!(server.post("/api/v1/silences", &both).await.0, 422);
    let edit = json!({
        "id": made["id"], "matchers": made["matchers"], "startsAt": made["starts_at"], "endsAt": made["ends_at"],
        "createdBy": "ada", "comment": "an edit by an old tool",
    });
    let (status, answer) = server.post("/api/v2/silences", &edit).await;
    assert_eq!(status, 200, "{answer}");
    let edited = server.get(&format!("/api/v1/silences/{}", answer["silenceID"].as_str().unwrap())).await;
    assert_eq!(edited["repeats"], repeats, "{edited}");
}
