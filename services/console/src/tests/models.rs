//! The pages of models: what they show, that their forms do what the API does, and work that takes long.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use hindcast_api::{Code as Fault, ModelStatus, ModelVersion, Problem};
use hindcast_domain::command::{Code, Command, Rejected};
use hindcast_queries::CommandOutcome;
use hindcast_testkit::work::LearningRequest;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{Bench, learnt, request, sample, views};

#[tokio::test]
async fn versions_are_listed_with_what_they_do_and_how_they_were_judged() {
    let bench = Bench::new();
    for path in ["/models", "/models/pair-scorer"] {
        let page = bench.page(path).await.text;
        for told in ["Production", "Shadow", "Candidate", "480 labels", "95.8 %", ">pass<", ">fail<", "default weights"]
        {
            assert!(page.contains(told), "{path}, {told}: {page}");
        }
        assert!(page.contains("href=\"/models/pair-scorer/2\"") && page.contains("does not train models"), "{page}");
        assert!(!page.contains("Roll back"), "nothing was promoted");
    }
    assert_eq!(bench.page("/models/nope").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.page("/models/pair-scorer/9").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.page("/models/pair-scorer/two").await.status, StatusCode::BAD_REQUEST);
    let past = bench.page("/models?as_of=36095300").await.text;
    assert!(!past.contains("method=\"post\"") && past.contains("/models/pair-scorer/2?as_of=36095300"), "{past}");
}

#[tokio::test]
async fn a_version_can_be_promoted_only_where_its_last_judgement_is_a_pass() {
    let bench = Bench::new();
    let passed = bench.page("/models/pair-scorer/2").await.text;
    assert!(passed.contains("formaction=\"/models/pair-scorer/promote\"") && passed.contains("better: its wrongs"));
    let failed = bench.page("/models/pair-scorer/3").await.text;
    assert!(
        !failed.contains("/promote\"") && failed.contains("with version 1, the production version, failed"),
        "{failed}"
    );
    for id in [sample::OPEN, sample::OVER] {
        assert!(
            failed.contains(&format!("<a class=\"mono\" href=\"/{id}\">{id}</a>")),
            "{id} is named and leads there"
        );
    }
    let fresh = bench.page("/models/pair-scorer/4").await.text;
    assert!(!fresh.contains("/promote\"") && fresh.contains("was not compared with version 1"), "{fresh}");
    let hand = bench.page("/models/pair-scorer/1").await.text;
    assert!(
        hand.contains("It is the production version") && !hand.contains("formaction="),
        "nothing to be done: {hand}"
    );
    let past = bench.page("/models/pair-scorer/2?as_of=36095300").await.text;
    assert!(!past.contains("formaction=") && !past.contains("method=\"post\""), "the past cannot be changed");
}

#[tokio::test]
async fn a_version_shows_lineage_metrics_weights_shadow_and_a_card_that_leads_nowhere() {
    let bench = Bench::new();
    let page = bench.page("/models/pair-scorer/4").await.text;
    for told in [
        "Trained on 480 labels up to #36000000",
        "href=\"/models/pair-scorer/1\"",
        "same service",
        "95.8 %",
        "would have grouped 17",
        "10 more in the API",
        "Model card",
        "End the shadow",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let named = format!("alerts of <a class=\"mono\" href=\"/{0}\">{0}</a>", sample::OTHER);
    assert_eq!(page.matches(&named).count(), 30, "differences are bounded, and lead to their incidents");
    assert!(!page.contains("href=\"javascript") && !page.contains("href=\"https://evil"), "{page}");
}

#[tokio::test]
async fn a_form_moves_the_pointer_as_the_api_does() {
    let bench = Bench::new();
    let at = "/api/v1/models/pair-scorer";
    for (form, api, body) in [
        ("promote", "promote", r#"{"version":2}"#),
        ("rollback", "rollback", r#"{"why":"it splits what is one"}"#),
        ("shadow", "shadow", r#"{"version":2,"from":7}"#),
        ("shadow", "shadow", "{}"),
    ] {
        let fields = match (form, body) {
            ("rollback", _) => "why=it+splits+what+is+one&version=2&actor=ada",
            ("shadow", "{}") => "version=4&end=true&from=&why=&actor=ada",
            _ => "version=2&from=7&why=&since=&actor=ada",
        };
        let answer = bench.form(&format!("/models/pair-scorer/{form}"), &[], fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{form}: {}", answer.text);
        let shown = if fields.starts_with("version=2") { 2 } else { 1 };
        assert_eq!(answer.header("location"), format!("/models/pair-scorer/{shown}?me=ada"), "{form}");
        let api = bench.post(&format!("{at}/{api}"), &[("x-hindcast-actor", "ada")], body).await;
        assert_eq!((api.status, api.json()["version"].as_u64()), (StatusCode::OK, Some(shown)), "{}", api.text);
    }
    let written = bench.written().await;
    for both in written.chunks(2) {
        assert_eq!((&both[0].0.command, &both[0].1, &both[0].2), (&both[1].0.command, &both[1].1, &both[1].2));
        assert_eq!((both[0].1.as_str(), both[0].2.as_str()), ("ada", "default/_"));
    }
    assert!(matches!(&written[6].0.command, Command::ShadowModel { version: None, from: None, .. }));
}

#[tokio::test]
async fn what_is_refused_is_a_page_and_leaves_nothing() {
    let bench = Bench::new();
    for (path, fields, status) in [
        ("/models/pair-scorer/promote", "version=two", StatusCode::UNPROCESSABLE_ENTITY),
        ("/models/pair-scorer/promote", "", StatusCode::UNPROCESSABLE_ENTITY),
        ("/models/pair-scorer/rollback", "why=+", StatusCode::UNPROCESSABLE_ENTITY),
        ("/models/pair-scorer/shadow", "version=2&from=-1", StatusCode::UNPROCESSABLE_ENTITY),
        ("/models/nope/promote", "version=2", StatusCode::NOT_FOUND),
        ("/models/nope/train", "", StatusCode::NOT_FOUND),
        ("/models/nope/compare", "", StatusCode::NOT_FOUND),
        ("/models/pair-scorer/train", "", StatusCode::NOT_IMPLEMENTED),
        ("/models/pair-scorer/compare", "version=2", StatusCode::NOT_IMPLEMENTED),
    ] {
        let refused = bench.form(path, &[], fields).await;
        assert_eq!(refused.status, status, "{path} {fields}: {}", refused.text);
        assert!(refused.header("content-type").starts_with("text/html") && refused.text.contains("trouble"), "{path}");
    }
    assert!(bench.written().await.is_empty());
    bench.views.decide(CommandOutcome::Rejected(Rejected::new(Code::Conflict, "version 2 did not pass")));
    let refused = bench.form("/models/pair-scorer/promote", &[], "version=2").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("version 2 did not pass"), "the lane's own words: {}", refused.text);
    bench.views.decide(CommandOutcome::Pending);
    let pending = bench.form("/models/pair-scorer/promote", &[], "version=2").await;
    assert_eq!(pending.status, StatusCode::ACCEPTED);
    assert!(pending.text.contains("still being processed"), "{}", pending.text);
}

#[tokio::test]
async fn a_version_in_force_is_left_by_a_form_with_a_reason() {
    let bench = Bench::new();
    for version in 1..=4 {
        bench.views.change(views::NOW, &format!("pair-scorer/{version}"), |one: &mut ModelVersion| {
            one.status = if version == 2 { ModelStatus::InForce } else { ModelStatus::Retired };
        });
    }
    for path in ["/models", "/models/pair-scorer/2"] {
        let page = bench.page(path).await.text;
        assert!(page.contains("/models/pair-scorer/rollback\"") && page.contains("name=\"why\""), "{path}: {page}");
    }
}

#[tokio::test]
async fn a_training_tells_how_far_it_is_and_what_came_of_it() {
    let learns = Arc::new(learnt::learning());
    let bench = Bench::learning(&learns);
    assert!(bench.page("/models").await.text.contains("action=\"/models/pair-scorer/train\""));
    let fields = "environment=staging&to=36000000&seed=7&actor=ada";
    let page = bench.form("/models/pair-scorer/train", &[], fields).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    assert_eq!(page.header("content-security-policy"), crate::guard::POLICY);
    for told in
        ["updates until the work ends", " 50 %</span>", " 100 %</span>", "2 is registered", "pair-scorer/2?me=ada"]
    {
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    assert_eq!(page.text.matches("reading labels").count(), 1, "a step is told once: {}", page.text);
    assert_eq!(page.text.matches(" %</span>").count(), 2, "and each tenth of it: {}", page.text);
    assert!(!page.text.contains(sample::EVIL) && page.text.contains("&lt;script&gt;"));
    assert!(page.text.trim_end().ends_with("</html>"), "{}", page.text);
    let (asked, by) = learns.asked().remove(0);
    assert_eq!(by, "ada");
    let LearningRequest::Train(asked) = asked else { panic!("{asked:?}") };
    assert_eq!((asked.environment.as_deref(), asked.seed), (Some("staging"), Some(7)));
    assert_eq!(asked.to.as_deref(), Some("36000000"));
}

#[tokio::test]
async fn a_comparison_ends_with_the_verdict_and_the_incidents_that_it_names() {
    let learns = Arc::new(learnt::learning());
    let bench = Bench::learning(&learns);
    let fields = "version=3&against=&since=30d&environment=&from=&why=&actor=";
    let page = bench.form("/models/pair-scorer/compare", &[], fields).await.text;
    let named = format!("href=\"/{}\"", sample::OVER);
    assert!(page.contains(">fail<") && page.contains(&named) && page.contains("12,345 inputs"), "{page}");
    assert!(!page.contains(sample::EVIL));
    let (asked, by) = learns.asked().remove(0);
    let LearningRequest::Backtest { request, judge } = asked else { panic!("{asked:?}") };
    assert!(judge, "it is recorded");
    assert_eq!((request.version, request.against), (Some(3), None));
    assert_eq!((request.since.as_deref(), by.as_str()), (Some("30d"), "anonymous"));
}

#[tokio::test]
async fn a_refusal_on_the_way_is_told_on_the_page() {
    let learns = Arc::new(learnt::learning());
    let few = format!("12 labelled pairs, needs 20 {}", sample::EVIL);
    learns.refuse(Problem::new(Fault::Conflict, few));
    let bench = Bench::learning(&learns);
    let page = bench.form("/models/pair-scorer/train", &[], "").await.text;
    assert!(page.contains("12 labelled pairs, needs 20 &lt;script&gt;") && page.ends_with("</html>"), "{page}");
}

#[tokio::test]
async fn whoever_leaves_the_page_ends_the_work() {
    let learns = Arc::new(learnt::learning());
    learns.wait();
    let bench = Bench::learning(&learns);
    let form = [("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")];
    let asked = request(Method::POST, "/models/pair-scorer/train", &form, "");
    let mut body = bench.router.clone().oneshot(asked).await.unwrap().into_body();
    let head = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(
        String::from_utf8_lossy(&head).contains("updates until the work ends"),
        "the page begins before the work ends"
    );
    let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(String::from_utf8_lossy(&line).contains("reading labels"), "{line:?}");
    assert_eq!(learns.dropped(), 0);
    drop(body);
    assert_eq!(learns.dropped(), 1);
}
