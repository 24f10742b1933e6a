//! Lists through their pages, and how answers look.

use serde_json::{Value, json};

use super::server::{Server, alert, incident, receipt, state};
use super::{Buffer, NOW, hindcast, time};
use crate::{ClientCommand, Connection, ExitStatus, Terminal};

const ID: &str = "INC-3K7Q000000000000";

#[tokio::test]
async fn a_list_goes_on_through_its_pages() {
    let many = (0..1_203).map(|n| incident(&format!("INC-{n:016}"), "x")).collect();
    let server = Server::default().list("GET /api/v1/incidents", many);
    let base = server.start().await;
    let count = |out: &str| serde_json::from_str::<Value>(out).unwrap()["items"].as_array().unwrap().len();

    let all = hindcast(&base, "incidents --all --json").await;
    assert_eq!(count(&all.out), 1_203);
    assert!(all.out.ends_with("\"next\":null,\"position\":8192}\n"));
    assert_eq!(all.out.lines().count(), 1, "one JSON document");

    let some = hindcast(&base, "incidents --limit 700 --json").await;
    assert_eq!(count(&some.out), 700);
    let next = serde_json::from_str::<Value>(&some.out).unwrap()["next"].as_str().unwrap().to_owned();
    let rest = hindcast(&base, &format!("incidents --all --json --cursor {next}")).await;
    assert_eq!(count(&rest.out), 503);

    let few = hindcast(&base, "incidents").await;
    assert_eq!(few.out.lines().count(), 51, "a head and fifty rows");
    assert!(few.err.contains("--all"), "{}", few.err);
    assert!(server.lines().iter().any(|line| line.contains("limit=200&cursor=")), "{:?}", server.lines());
}

#[tokio::test]
async fn filters_are_sent_as_the_contract_names_them() {
    let server = Server::default().list("GET /api/v1/incidents", vec![]).list("GET /api/v1/alerts", vec![]);
    let base = server.start().await;
    let line = "incidents --status open,resolved --severity high --service pg --q disk_full --since 2h --as-of 02:41";
    assert_eq!(hindcast(&base, line).await.status, ExitStatus::Done);
    assert_eq!(
        hindcast(&base, "alerts --label team=db --label a=b&c --suppressed --limit 3").await.status,
        ExitStatus::Done
    );
    let lines = server.lines();
    let expect = "GET /api/v1/incidents?status=open%2Cresolved&severity=high&service=pg&q=disk%20full\
                  &since=2026-11-20T00%3A47%3A07Z&as_of=2026-11-20T02%3A41%3A00Z&limit=50";
    assert_eq!(lines[0], expect);
    assert_eq!(lines[1], "GET /api/v1/alerts?suppressed=true&label=team%3Ddb&label=a%3Db%26c&limit=3");
}

#[tokio::test]
async fn json_is_the_answer_as_it_came() {
    let base = Server::default()
        .gives(&format!("GET /api/v1/incidents/{ID}"), 200, incident(ID, "x"))
        .list("GET /api/v1/incidents", vec![incident(ID, "x")])
        .start()
        .await;
    let ended = hindcast(&base, "show --json").await;
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document, incident(ID, "x"), "with fields that this version does not know");
}

#[tokio::test]
async fn incidents_stand_in_an_aligned_table() {
    let mut other = incident("INC-1F2M000000000000", "disk\u{1b}[2J full");
    other["severity"] = json!("low");
    other["status"] = json!("resolved");
    other["opened_at"] = json!("2026-11-18T02:00:00Z");
    other["services"] = json!([]);
    let base =
        Server::default().list("GET /api/v1/incidents", vec![incident(ID, "checkout fails"), other]).start().await;
    let expect = "\
ID        SEVERITY  STATUS    OPENED                AGE             ALERTS  SERVICES            TITLE
INC-3K7Q  critical  open      02:41:44Z             5 min 23 s ago       3  checkout, postgres  checkout fails
INC-1F2M  low       resolved  2026-11-18 02:00:00Z  2 d ago              3                      disk\u{fffd}[2J full
";
    assert_eq!(hindcast(&base, "incidents").await.out, expect);
    let full = hindcast(&base, "incidents --full").await;
    assert!(full.out.contains(ID), "{}", full.out);
}

fn why() -> Value {
    json!({
        "incident": ID, "position": 9_000,
        "members": [
            {"fingerprint": "9f3c0000000000000000", "name": "NginxHighErrorRate", "service": "nginx",
             "text": "the first alert", "event": "EVT-1", "position": 8_903,
             "grouping": {"rule": "first", "weights": 1, "score": 0, "threshold": 500}},
            {"fingerprint": "77aa0000000000000000", "name": "PgConnections", "service": "postgres",
             "text": "nginx calls postgres", "event": "EVT-2", "position": 8_912,
             "grouping": {"rule": "score", "weights": 1, "score": 910, "threshold": 500,
                          "parts": {"topology": 1800, "time": 700, "text": -200}}},
        ],
        "kept_out": [{"fingerprint": "ab120000000000000000", "name": "RedisClockSkew", "score": 0.11,
                      "text": "no path, other words", "event": "EVT-3", "position": 8_920}],
    })
}

#[tokio::test]
async fn an_incident_is_shown_in_plain_words() {
    let change = json!({"event": "EVT-4", "position": 8_790, "environment": "production", "source": "github",
        "kind": "deploy", "title": "checkout v42", "service": "checkout", "version": "v42", "at": "2026-11-20T02:38:00Z"});
    let base = Server::default()
        .gives("GET /api/v1/incidents/INC-3K", 200, incident(ID, "checkout fails"))
        .gives(&format!("GET /api/v1/incidents/{ID}/why"), 200, why())
        .list(&format!("GET /api/v1/incidents/{ID}/changes"), vec![change])
        .start()
        .await;
    let expect = "\
INC-3K7Q CRITICAL, open 5 min 23 s: checkout fails
  began        2026-11-20 02:41:07Z, 6 min ago
  opened       2026-11-20 02:41:44Z, 37 s later
  affected     checkout, postgres in production · teams: shop
  alerts       3 alerts, 2 firing, received 412 times
  members      9f3c NginxHighErrorRate on nginx: the first alert             #8903
               77aa PgConnections on postgres 0.91: nginx calls postgres     #8912
  not grouped  ab12 RedisClockSkew: no path, other words → its own incident  #8920
  changes      deploy checkout v42, 3 min 7 s before it: checkout v42        #8790

next  hindcast ack INC-3K7Q · hindcast timeline INC-3K7Q · hindcast why INC-3K7Q · hindcast where 9f3c · http://h/INC-3K7Q
";
    let ended = hindcast(&base, "show INC-3K").await;
    assert_eq!(ended.out, expect, "{}", ended.err);
}

#[tokio::test]
async fn why_tells_what_a_score_is_made_of() {
    let base = Server::default().gives("GET /api/v1/incidents/INC-3K/why", 200, why()).start().await;
    let ended = hindcast(&base, "why INC-3K").await;
    assert!(ended.out.contains("0.91") && ended.out.contains("topology +1.8, time +0.7, text -0.2"), "{}", ended.out);
    assert!(ended.out.contains("not grouped") && ended.out.contains("RedisClockSkew"), "{}", ended.out);
}

#[tokio::test]
async fn a_receipt_is_a_list_of_steps() {
    let fingerprint = "9f3c0000000000000000";
    let base = Server::default()
        .list("GET /api/v1/alerts", vec![alert(fingerprint, "NginxHighErrorRate")])
        .gives(&format!("GET /api/v1/alerts/{fingerprint}/receipt"), 200, receipt(fingerprint, "NginxHighErrorRate"))
        .start()
        .await;
    let expect = "\
9f3c0000000000000000 HIGH, firing: NginxHighErrorRate
  about     nginx in production, from alertmanager
  since     2026-11-20 02:41:44Z, 5 min 23 s ago
  received  6 times, last 2026-11-20 02:46:45Z, 22 s ago
  incident  INC-3K7Q
  page      sent for its incident

  2026-11-20 02:41:45Z  received     from alertmanager in a batch of 3          #8903
  2026-11-20 02:41:45Z  not grouped  of INC-1F2M: no path between the services  #8904
  2026-11-20 02:41:46Z  notified     screen took the page                       #8911
";
    assert_eq!(hindcast(&base, "where").await.out, expect, "without an argument it is the newest");
    assert_eq!(hindcast(&base, &format!("where {fingerprint}")).await.out, expect);
}

#[tokio::test]
async fn colours_and_widths_are_the_terminal_s() {
    let base = Server::default().list("GET /api/v1/incidents", vec![incident(ID, &"long ".repeat(40))]).start().await;
    let out = Buffer::default();
    let clock = std::sync::Arc::new(hindcast_clock::Stepped::new(time(NOW)));
    let mut terminal = Terminal::new(Box::new(out.clone()), Box::new(Buffer::default()), clock).fitted(110).coloured();
    let line = <super::Line as clap::Parser>::parse_from(["hindcast", "incidents"]);
    let super::Own::Client(command) = line.command else { panic!("expected a command of the client") };
    let command: ClientCommand = *command;
    assert_eq!(crate::run(command, &Connection::default(), &base, &mut terminal).await, ExitStatus::Done);
    let text = out.text();
    assert!(text.contains("\u{1b}[1;31mcritical\u{1b}[0m"), "{text}");
    let plain =
        text.lines().last().unwrap().replace("\u{1b}[1;31m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
    assert!(plain.chars().count() <= 110 && plain.ends_with('…'), "{plain}");
}

#[tokio::test]
async fn the_state_is_told_with_its_hash() {
    let server = Server::default().gives("GET /api/v1/state", 200, state());
    let base = server.start().await;
    let ended = hindcast(&base, "state --as-of 8192").await;
    assert!(ended.out.contains("9000, caught up") && ended.out.contains("1:7b1e"), "{}", ended.out);
    assert_eq!(server.lines(), ["GET /api/v1/state?as_of=8192"]);
}
