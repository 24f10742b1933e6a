//! The live stream: resumed where it broke off, filtered, and ended with the server.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use futures::StreamExt;
use tower::ServiceExt;

use super::{Bench, request, sample};

fn fill(bench: &Bench, count: u64) {
    let events = (1..=count).map(|n| sample::event(n * 4_096, "incident.noted", sample::OPEN));
    events.for_each(|event| bench.views.record(event));
    bench.views.reach(count * 4_096);
}

/// What a stream that ends says.
async fn whole(bench: &Bench, path: &str, headers: &[(&str, &str)]) -> (StatusCode, Vec<u64>, String) {
    let answer = bench.ask(request(Method::GET, path, headers, "")).await;
    let ids = answer.text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    (answer.status, ids, answer.text)
}

#[tokio::test]
async fn a_stream_resumes_behind_the_last_event_that_was_seen() {
    let bench = Bench::new();
    fill(&bench, 250);
    let end = (250 * 4_096).to_string();
    let path = format!("/api/v1/stream?from=0&as_of={end}");
    let (status, ids, text) = whole(&bench, &path, &[]).await;
    assert_eq!((status, ids.len()), (StatusCode::OK, 250), "more than one page is read");
    assert!(text.starts_with("id: 4096\nevent: incident.noted\ndata: {\"position\":4096,"), "{}", &text[..200]);
    let (_, ids, _) = whole(&bench, &path, &[("last-event-id", "1015808")]).await;
    assert_eq!(ids, [249 * 4_096, 250 * 4_096], "nothing twice, nothing left out");
    let (_, ids, _) = whole(&bench, &format!("{path}&kind=alert"), &[]).await;
    assert!(ids.is_empty());
    assert_eq!(whole(&bench, &path, &[("last-event-id", "x")]).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_live_stream_tells_what_happens_later_and_ends_with_the_server() {
    let bench = Bench::new();
    fill(&bench, 1);
    let response = bench.router.clone().oneshot(request(Method::GET, "/api/v1/stream", &[], "")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    assert!(tokio::time::timeout(Duration::from_millis(50), body.next()).await.is_err(), "nothing happened yet");
    fill(&bench, 2);
    let chunk = tokio::time::timeout(Duration::from_secs(5), body.next()).await.unwrap().unwrap().unwrap();
    assert!(chunk.starts_with(b"id: 8192\n"), "{chunk:?}");
    bench.console.stop();
    let end = tokio::time::timeout(Duration::from_secs(5), body.next()).await.unwrap();
    assert!(end.is_none(), "an open stream does not hold up the end");
}
