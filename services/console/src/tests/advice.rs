//! The advising routes: what they answer, as of when, and what they refuse.

use axum::http::{Method, StatusCode};
use hindcast_api::{AsOf, Code, Problem};
use serde_json::json;

use super::advised::{DRAFT, of_sample};
use super::{Bench, request, sample, views};

#[tokio::test]
async fn each_route_answers_as_of_what_was_asked() {
    let bench = Bench::new();
    for path in [of_sample("causes"), of_sample("similar"), of_sample("proposals"), of_sample("postmortem")] {
        let answer = bench.get(&format!("{path}?as_of=36095300")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(bench.advice.asked().last().unwrap().1, Some(AsOf::Position(36_095_300)), "{path}");
        assert!(answer.json()["position"].is_u64(), "{path}");
        let wrong = bench.get(&format!("{path}?as_of=noon")).await;
        assert_eq!(wrong.code(), "bad_as_of", "{path}");
        if path.ends_with("postmortem") {
            assert_eq!(bench.get(&format!("{path}?limit=3")).await.code(), "bad_parameter", "{path} is no list");
            continue;
        }
        let one = bench.get(&format!("{path}?limit=1")).await.json();
        assert!(one["items"].as_array().unwrap().len() <= 1, "{path}: {one}");
        assert_eq!(bench.get(&format!("{path}?limit=501")).await.code(), "bad_limit", "{path}");
    }
    let causes = bench.get(&of_sample("causes")).await.json();
    assert_eq!(causes["items"][0]["path"][0]["role"], "broke");
    assert_eq!(causes["next"], json!(null));
    let runbooks = bench.get("/api/v1/runbooks").await.json();
    assert_eq!(runbooks["items"][0]["params"]["idle_over"], "a span of 1m to 1h");
    assert_eq!(bench.advice.asked().last().unwrap().1, Some(AsOf::Position(36_095_500)), "lists are pinned");
}

#[tokio::test]
async fn a_postmortem_is_json_or_markdown() {
    let bench = Bench::new();
    let json = bench.get(&of_sample("postmortem")).await.json();
    assert_eq!((json["markdown"].as_str(), json["incident"].as_str()), (Some(DRAFT), Some(sample::OPEN)));
    let path = of_sample("postmortem");
    let text = bench.ask(request(Method::GET, &path, &[("accept", "text/markdown")], "")).await;
    assert_eq!((text.header("content-type"), text.text.as_str()), ("text/markdown; charset=utf-8", DRAFT));
}

#[tokio::test]
async fn findings_are_a_list_like_any_other() {
    let bench = Bench::new();
    let path =
        "/api/v1/findings?service=postgres&since=2026-11-20T02:00:00Z&until=2026-11-20T03:00:00Z&limit=7&as_of=8192";
    let answer = bench.get(path).await.json();
    assert_eq!((answer["items"].as_array().unwrap().len(), &answer["items"][0]["kind"]), (1, &json!("new_template")));
    let (filter, window) = views::last_findings(&bench.views);
    assert_eq!(
        (filter.service.as_deref(), filter.since, filter.until),
        (Some("postgres"), Some(sample::at("02:00:00")), Some(sample::at("03:00:00")))
    );
    assert_eq!((window.limit, window.as_of), (Some(7), Some(AsOf::Position(8_192))));
}

#[tokio::test]
async fn memory_is_searched_by_words() {
    let bench = Bench::new();
    let found = bench.get("/api/v1/memory?q=too+many+clients&limit=1").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    for (query, code) in [("q=", "bad_parameter"), ("", "bad_parameter"), ("q=x&limit=51", "bad_limit")] {
        assert_eq!(bench.get(&format!("/api/v1/memory?{query}")).await.code(), code, "{query}");
    }
    let long = bench.get(&format!("/api/v1/memory?q={}", "x".repeat(4_097))).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_proposal_is_checked_and_recorded_as_made_or_as_refused() {
    let bench = Bench::new();
    let path = "/api/v1/incidents/INC-3K/proposals";
    let body = r#"{"runbook":"pg-end-idle-transactions","params":{"idle_over":"5m"}}"#;
    let made = bench.post(path, &[("x-hindcast-actor", "ada")], body).await;
    assert_eq!((made.status, made.json()["status"].as_str()), (StatusCode::CREATED, Some("proposed")));
    assert_eq!(made.header("location"), of_sample("proposals"));
    let refused = bench.post(path, &[], r#"{"runbook":"pg-end-idle-transactions","params":{"idle_over":"9d"}}"#).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    assert!(refused.json()["detail"].as_str().unwrap().contains("1m to 1h"), "{}", refused.text);
    let named = bench.advice.named();
    assert_eq!(named.len(), 2, "both reached the port, which records both");
    assert_eq!((named[0].incident.as_str(), named[0].by.as_str()), (sample::OPEN, "ada"));
    for body in [r#"{"runbook":"x","command":"rm"}"#, r#"{"runbook":" "}"#, "{}", r#"{"runbook":"x","params":[1]}"#] {
        assert_eq!(bench.post(path, &[], body).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    assert_eq!(bench.post("/api/v1/incidents/INC-0000/proposals", &[], body).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.advice.named().len(), 2, "what makes no sense does not reach the port");
}

#[tokio::test]
async fn what_cannot_be_had_is_a_refusal_of_the_route_and_a_line_of_the_page() {
    let bench = Bench::new();
    bench.advice.refuse(Problem::new(Code::Unavailable, "the index is being rebuilt"));
    let refused = bench.get(&of_sample("causes")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    let page = bench.page("/INC-3K7Q").await;
    assert_eq!(page.status, StatusCode::OK, "the rest is shown");
    assert_eq!(page.text.matches("the index is being rebuilt").count(), 3, "{}", page.text);
    assert!(page.text.contains("Timeline"));
}
