//! How commands end: 0 done, 1 failed, 2 wrong usage, 3 nothing found, and what is said then.

use hindcast_api::Code;
use serde_json::json;

use super::hindcast;
use super::server::{Server, incident, state};
use crate::ExitStatus;

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_what_to_do() {
    // Nobody listens on a port that was just given back.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let ended = hindcast(&base, "incidents").await;
    assert_eq!(ended.status, ExitStatus::Failed);
    assert!(ended.err.contains(&base), "{}", ended.err);
    assert!(ended.err.contains("hindcast up") && ended.err.contains("--server"), "{}", ended.err);
}

#[tokio::test]
async fn refusals_have_their_status_and_remedy() {
    let server = Server::default()
        .refuses("GET /api/v1/incidents/INC-AAAA", Code::NotFound, "no incident begins like INC-AAAA")
        .refuses("GET /api/v1/incidents/INC-BBBB", Code::Ambiguous, "several begin like INC-BBBB")
        .refuses("GET /api/v1/incidents/INC-CCCC", Code::BadAsOf, "expected a position")
        .refuses("GET /api/v1/incidents/INC-DDDD", Code::Unauthorized, "a token is missing")
        .refuses("GET /api/v1/incidents/INC-EEEE", Code::NotImplemented, "not built yet");
    let base = server.start().await;
    for (id, status, remedy) in [
        ("INC-AAAA", ExitStatus::NothingFound, "remedy: Find it in the lists"),
        ("INC-BBBB", ExitStatus::Failed, "remedy: Use more digits"),
        ("INC-CCCC", ExitStatus::Usage, "remedy: Use a position"),
        ("INC-DDDD", ExitStatus::Failed, "HINDCAST_TOKEN"),
        ("INC-EEEE", ExitStatus::Failed, "remedy: See CHANGELOG.md"),
    ] {
        let ended = hindcast(&base, &format!("show {id}")).await;
        assert_eq!(ended.status, status, "{id}: {}", ended.err);
        assert!(ended.err.starts_with("error: ") && ended.err.contains(remedy), "{id}: {}", ended.err);
        assert_eq!(ended.out, "", "{id}");
    }
}

#[tokio::test]
async fn nothing_to_show_is_three_and_an_empty_list_is_done() {
    let base = Server::default()
        .list("GET /api/v1/incidents", Vec::new())
        .list("GET /api/v1/alerts", Vec::new())
        .start()
        .await;
    for line in ["show", "timeline", "why", "where", "show --json"] {
        assert_eq!(hindcast(&base, line).await.status, ExitStatus::NothingFound, "{line}");
    }
    let ended = hindcast(&base, "incidents --json").await;
    assert_eq!(
        (ended.status, ended.out.as_str()),
        (ExitStatus::Done, "{\"items\":[],\"next\":null,\"position\":8192}\n")
    );
    assert_eq!(hindcast(&base, "alerts").await.status, ExitStatus::Done);
}

#[tokio::test]
async fn wrong_usage_is_two_before_anything_is_asked() {
    let server = Server::default();
    let base = server.start().await;
    for line in [
        "incidents --limit 0",
        "incidents --status closed",
        "incidents --since yesterday",
        "show --as-of never",
        "silence team~x",
        "silence a=b --for 2",
        "silence a=b --starts-at 2026-11-20T10:00:00Z --ends-at 2026-11-20T09:00:00Z",
        "snooze INC-3K7Q",
        "assign INC-3K7Q",
        "assign INC-3K7Q ada --nobody",
        "severity INC-3K7Q bad",
        "merge INC-3K7Q",
        "split INC-3K7Q",
        "events --from 9 --to 5",
        "source add nagios",
        "frobnicate",
        "ask",
        "memory search",
        "memory search x --limit 51",
        "runbook show",
        "propose pg --param x",
        "propose pg --param a=1 --param a=2",
    ] {
        let ended = hindcast(&base, line).await;
        assert_eq!(ended.status, ExitStatus::Usage, "{line}: {}", ended.err);
    }
    assert!(server.asked().is_empty(), "{:?}", server.lines());
    assert_eq!(hindcast("ftp://x", "incidents").await.status, ExitStatus::Usage);
}

#[tokio::test]
async fn what_is_promised_says_so_whatever_its_arguments() {
    for line in ["drift --since 30d", "memory import f.json", "memory forget -x"] {
        let ended = hindcast("http://127.0.0.1:1", line).await;
        assert_eq!(ended.status, ExitStatus::Failed, "{line}");
        assert!(ended.err.contains("promised and not built yet"), "{line}: {}", ended.err);
        assert_eq!(ended.out, "", "{line}");
    }
}

#[tokio::test]
async fn an_answer_of_another_form_is_told_as_one() {
    let base = Server::default().gives("GET /api/v1/state", 200, json!({"position": "x"})).start().await;
    let ended = hindcast(&base, "state").await;
    assert_eq!(ended.status, ExitStatus::Failed);
    assert!(ended.err.contains("server's own version"), "{}", ended.err);
}

#[tokio::test]
async fn credentials_and_the_actor_are_sent_wherever_they_stand() {
    let server = Server::default().gives("GET /api/v1/state", 200, state()).gives(
        "POST /api/v1/incidents/INC-3K7Q/acknowledge",
        200,
        incident("INC-3K7Q000000000000", "x"),
    );
    let base = server.start().await;
    assert_eq!(hindcast(&base, "state --token s3cret").await.status, ExitStatus::Done);
    assert_eq!(hindcast(&base, "ack INC-3K7Q --if-match 6 --as-of 8192").await.status, ExitStatus::Done);
    let asked = server.asked();
    assert_eq!(asked[0].headers["authorization"], "Bearer s3cret");
    assert_eq!(asked[1].headers["x-hindcast-actor"], "ada");
    assert_eq!(asked[1].headers["if-match"], "\"6\"");
    assert_eq!(asked[1].line, "POST /api/v1/incidents/INC-3K7Q/acknowledge?as_of=8192");
    assert!(asked[1].headers.get("authorization").is_none());
}
