//! The catalogue of acts, walked: each act has its route, its body and its form, so that one that is forgotten turns
//! this red.

use axum::http::StatusCode;
use hindcast_domain::act::{ACTS, ActName, ActTarget};
use hindcast_domain::incident::Status;
use serde_json::Value;

use super::{Bench, sample};

#[test]
fn every_act_has_its_route_and_its_body() {
    let document = crate::openapi::document("1", "http://127.0.0.1", &[]);
    for act in &ACTS {
        let operation = &document["paths"][act.path][act.method];
        let summary = operation["summary"].as_str().unwrap_or_else(|| panic!("{} has no route", act.word));
        assert!(summary.starts_with(act.help), "{}: {summary}", act.word);
        assert_eq!(operation["responses"][if act.creates { "201" } else { "200" }]["description"], "Done.");
        let reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let Some(reference) = reference else {
            assert_eq!(act.name, ActName::Unsilence, "{} has no body", act.word);
            continue;
        };
        let body = document.pointer(reference.trim_start_matches('#')).unwrap();
        let fields = |value: &Value| value.as_object().map(|fields| fields.len()).unwrap_or_default();
        assert_eq!(fields(&body["properties"]), act.arguments.len(), "{}: {body}", act.word);
        for argument in act.arguments {
            assert!(body["properties"][argument.name].is_object(), "{} {}", act.word, argument.name);
            let required = body["required"].as_array().is_some_and(|names| names.contains(&argument.name.into()));
            assert_eq!(required, argument.required, "{} {}", act.word, argument.name);
        }
    }
}

#[tokio::test]
async fn every_act_has_its_form() {
    let bench = Bench::new();
    for act in &ACTS {
        let id = if act.on == ActTarget::Silence { "SIL-0000" } else { sample::OPEN };
        let answer = bench.form(&act.form.replace("{id}", id), &[], "").await;
        assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{}", act.form);
        let is_there = answer.status != StatusCode::NOT_FOUND || answer.text.contains("SIL-0000");
        assert!(is_there, "{}: {} {}", act.form, answer.status, answer.text);
    }
}

#[tokio::test]
async fn an_incident_offers_what_its_state_allows() {
    let bench = Bench::new();
    let page = bench.get(&format!("/{}", sample::OPEN)).await.text;
    for act in ACTS.iter().filter(|act| act.on == ActTarget::Incident && act.name != ActName::Split) {
        let button = format!("formaction=\"{}\"", act.form.replace("{id}", sample::OPEN));
        assert_eq!(page.contains(&button), act.is_offered(Status::Open), "{}", act.word);
        for argument in act.fields().filter(|_| act.is_offered(Status::Open)) {
            assert!(page.contains(&format!("name=\"{}\"", argument.name)), "{} {}", act.word, argument.name);
        }
    }
}
