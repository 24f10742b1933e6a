//! The API's surface: parameters, refusals, headers, credentials, and the document that describes it.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::{Bench, request, sample, views};
use crate::routes;
use hindcast_domain::SecretHash;

#[tokio::test]
async fn parameters_are_strict_and_reach_the_views() {
    let bench = Bench::new();
    let wrong = bench.get("/api/v1/incidents?state=open").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"));
    assert!(wrong.json()["detail"].as_str().unwrap().contains("status, severity, service"), "{}", wrong.text);
    for (query, code) in [
        ("limit=501", "bad_limit"),
        ("limit=0", "bad_limit"),
        ("as_of=noon", "bad_as_of"),
        ("status=odd", "bad_parameter"),
        ("since=x", "bad_parameter"),
    ] {
        assert_eq!(bench.get(&format!("/api/v1/incidents?{query}")).await.code(), code, "{query}");
    }
    let good = bench
        .get("/api/v1/incidents?status=open,acknowledged&severity=high&q=eu-west&limit=7&as_of=8192&cursor=")
        .await;
    assert_eq!(good.status, StatusCode::OK);
    assert_eq!(good.json()["items"].as_array().unwrap().len(), 1);
    let (filter, window) = views::last_incidents(&bench.views);
    assert_eq!(
        (filter.status.len(), filter.severity.len(), filter.q.as_deref(), window.limit),
        (2, 1, Some("eu-west"), Some(7))
    );
    assert_eq!(window.as_of, Some(hindcast_api::AsOf::Position(8_192)));
}

#[tokio::test]
async fn an_incident_carries_its_revision_and_is_found_by_a_prefix() {
    let bench = Bench::new();
    let found = bench.get("/api/v1/incidents/INC-3K").await;
    assert_eq!((found.status, found.header("etag")), (StatusCode::OK, "\"7\""));
    assert_eq!(found.json()["id"], sample::OPEN);
    let missing = bench.get("/api/v1/incidents/INC-0000/timeline").await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    assert_eq!(bench.get("/api/v1/incidents/INC-").await.status, StatusCode::NOT_FOUND, "no digit names nothing");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let bench = Bench::new();
    for path in ["/api/v1/nope", "/nope", "/a/b/c"] {
        let answer = bench.get(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::NOT_FOUND, "application/problem+json"),
            "{path}"
        );
        assert!(!answer.json()["remedy"].as_str().unwrap().is_empty());
    }
    let wrong = bench.ask(request(Method::PATCH, "/api/v1/incidents", &[], "")).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    assert!(wrong.header("allow").contains("POST"), "{:?}", wrong.headers);
    assert_eq!(bench.post("/nope", &[], "{}").await.status, StatusCode::NOT_FOUND);
    let elsewhere = bench.post("/api/v1/models/pair-scorer/train", &[], "{}").await;
    assert_eq!((elsewhere.status, elsewhere.code().as_str()), (StatusCode::NOT_IMPLEMENTED, "not_set_up"));
    let page = bench.page("/api/v1/nope").await;
    assert!(page.header("content-type").starts_with("text/html") && page.status == StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn refusals_leave_a_counter() {
    let bench = Bench::new();
    bench.get("/api/v1/incidents?x=1").await;
    assert!(bench.metrics.get("hindcast_refused_total", &[("code", "bad_parameter")]) > 0.0);
    let text = bench.get("/metrics").await.text;
    assert!(text.contains("hindcast_http_requests_total{route=\"/api/v1/incidents\",status=\"400\"} 1"), "{text}");
}

#[tokio::test]
async fn readiness_follows_the_views() {
    let bench = Bench::new();
    assert_eq!(bench.get("/readyz").await.status, StatusCode::OK);
    bench.views.ready(false);
    let answer = bench.get("/readyz").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    assert_eq!(bench.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_service_that_is_behind_is_named_and_requests_are_accepted_all_the_same() {
    let bench = Bench::new();
    let lag = |service: &str, seconds| hindcast_ledger::ServiceLag {
        service: service.to_owned(),
        commits: 40,
        age: std::time::Duration::from_secs(seconds),
    };
    bench.lags.show(vec![lag("views", 10), lag("incidents", 11)]);
    let answer = bench.get("/readyz").await;
    let expected = serde_json::json!({
        "status": "behind", "position": answer.json()["position"], "lag_limit_s": 10,
        "behind": [{"service": "incidents", "lag_s": 11, "commits": 40}],
    });
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    bench.lags.show(vec![lag("incidents", 0)]);
    assert_eq!(bench.get("/readyz").await.json()["status"], "ready");
}

#[tokio::test]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let bench = Bench::new();
    let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let open = bench.ask(request(Method::GET, "/metrics", &[("accept", prometheus)], "")).await;
    assert_eq!(open.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.text.ends_with("# EOF\n") && open.text.contains("# TYPE hindcast_commands counter"));
    let text = bench.get("/metrics").await;
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(!text.text.contains("# EOF") && text.text.contains("# TYPE hindcast_commands_total counter"));
}

#[tokio::test]
async fn a_token_opens_everything_and_nothing_opens_without_it() {
    let bench = Bench::with(Some(SecretHash::of("hc_secret")));
    for path in ["/api/v1/incidents", "/", "/openapi.json", "/metrics", "/api/v1/stream"] {
        let answer = bench.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthorized"), "{path}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    assert_eq!(bench.get("/healthz").await.status, StatusCode::OK);
    for (credential, status) in [
        ("Bearer hc_secret", StatusCode::OK),
        ("Basic YWRhOmhjX3NlY3JldA==", StatusCode::OK),
        ("Bearer hc_secre", StatusCode::UNAUTHORIZED),
        ("Basic YWRhOnh4", StatusCode::UNAUTHORIZED),
        ("Digest x", StatusCode::UNAUTHORIZED),
    ] {
        let answer = bench.ask(request(Method::GET, "/api/v1/state", &[("authorization", credential)], "")).await;
        assert_eq!(answer.status, status, "{credential}");
    }
    let browser = bench.page("/").await;
    assert!(browser.header("www-authenticate").starts_with("Basic"), "a browser asks its person");
}

#[tokio::test]
async fn routes_of_another_door_stand_behind_the_same_guards() {
    let bench = Bench::with(Some(SecretHash::of("hc_secret")));
    let door = axum::Router::new().route("/mcp", axum::routing::any(|| async { "open" }));
    let guarded = crate::guarded(door.clone(), &bench.console);
    let ask = async |router: &axum::Router, headers: &[(&str, &str)]| {
        let asked = request(Method::POST, "/mcp", headers, "{}");
        tower::ServiceExt::oneshot(router.clone(), asked).await.unwrap().status()
    };
    assert_eq!(ask(&door, &[]).await, StatusCode::OK, "nothing guards it by itself");
    assert_eq!(ask(&guarded, &[]).await, StatusCode::UNAUTHORIZED);
    let token = ("authorization", "Bearer hc_secret");
    assert_eq!(ask(&guarded, &[token]).await, StatusCode::OK);
    assert_eq!(ask(&guarded, &[token, ("origin", "https://evil.example")]).await, StatusCode::FORBIDDEN);
    let open = Bench::new();
    let guarded = crate::guarded(door, &open.console);
    let mut foreign = request(Method::POST, "/mcp", &[], "{}");
    foreign.headers_mut().insert("host", "evil.example".parse().unwrap());
    let answer = tower::ServiceExt::oneshot(guarded, foreign).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a foreign name is refused where no token is");
}

#[tokio::test]
async fn other_sites_and_foreign_names_are_refused() {
    let bench = Bench::new();
    let path = "/api/v1/incidents/INC-3K/acknowledge";
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("host", "evil.example")],
    ] {
        let mut all = headers.to_vec();
        all.push(("content-type", "application/json"));
        let mut asked = request(Method::POST, path, &[], "");
        for (name, value) in all {
            asked.headers_mut().insert(name, value.parse().unwrap());
        }
        assert_eq!(bench.ask(asked).await.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert!(bench.written().await.is_empty(), "what is refused leaves nothing");
    let own = bench.post(path, &[("origin", "http://127.0.0.1:7171"), ("sec-fetch-site", "same-origin")], "").await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
}

#[tokio::test]
async fn the_document_lists_every_route_and_every_route_of_it_answers() {
    let bench = Bench::new();
    let document = bench.get("/openapi.json").await.json();
    let mut listed = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            listed.insert((method.clone(), path.clone()));
        }
    }
    let built: BTreeSet<_> =
        routes::all().iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(listed, built);
    for (method, path) in listed {
        if path.ends_with("/stream") {
            continue; // it does not end; see the stream's own tests
        }
        let concrete = path
            .replace("/incidents/{id}", "/incidents/INC-3K7Q")
            .replace("/silences/{id}", "/silences/SIL-7Q2K")
            .replace("/events/{id}", &format!("/events/{}", sample::event_id("36095300")))
            .replace("{name}", "pair-scorer")
            .replace("{version}", "2")
            .replace("{edge}", "LNK-6D")
            .replace("{fingerprint}", &sample::fingerprint(0));
        let method = method.to_uppercase().parse().unwrap();
        let answer = bench.ask(request(method, &concrete, &[("content-type", "application/json")], "{}")).await;
        assert!(![404, 405].contains(&answer.status.as_u16()), "{path}: {} {}", answer.status, answer.text);
    }
    references(&document, &document);
}

/// Every reference of the document leads somewhere.
fn references(value: &Value, document: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(to)) = object.get("$ref") {
                assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to} leads nowhere");
            }
            object.values().for_each(|value| references(value, document));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, document)),
        _ => {}
    }
}
