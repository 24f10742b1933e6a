//! The page of labels, and judging on an incident's page: what is shown, and that a form does what the API does.

use axum::http::StatusCode;
use hindcast_advice::memory::NamedRunbook;
use hindcast_domain::command::Command;
use hindcast_domain::label::{Judged, Kind, Provenance};
use hindcast_domain::words::RuleName;
use hindcast_domain::{Event, LabelId};

use super::{Bench, learnt, sample, views};
use crate::pages::words::escaped;

/// What the judging buttons of a page carry.
fn carried(page: &str) -> Vec<String> {
    let buttons = page.split("name=\"judgement\" value=\"").skip(1);
    let values = buttons.map(|rest| rest.split('"').next().unwrap_or_default());
    values
        .map(|value| value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .collect()
}

async fn judged(bench: &Bench) -> Vec<(Judged, String, String)> {
    let recorded = bench.recorded().await.into_iter();
    let judged = recorded.filter_map(|recorded| match recorded.event {
        Event::LabelJudged(judged) => Some((judged, recorded.actor, recorded.partition.to_string())),
        _ => None,
    });
    judged.collect()
}

#[tokio::test]
async fn labels_show_coverage_disagreements_and_who_said_what_of_which() {
    let bench = Bench::new();
    let page = bench.page("/labels").await.text;
    for told in [
        "1,234",
        "10 of 40",
        "Closed without a cause",
        "search answers slowly in eu-west",
        "People disagree",
        "<b>ada</b> says idle transactions",
        "PostgresTooManyConnections",
        "fixed by it",
        "inferred",
        "0.20",
        "no longer counts: a person took it back",
        "disputed",
        "as a past incident",
        "#proposals",
        "cause confirmed",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let from = format!("href=\"/events/{}\"", sample::event_id("from recall"));
    assert!(page.contains(&from), "a label leads to the event that it follows from");
    assert!(page.contains("href=\"/api/v1/labels?format=ndjson\"") && page.contains("format=csv"), "{page}");
    assert_eq!(page.matches(">svc-").count(), 10, "services are bounded");
    assert!(page.contains("20 services more") && page.contains("5 more in the API"), "{page}");
    assert!(page.contains("and older ones: the API names 31"), "{page}");
}

#[tokio::test]
async fn labels_are_filtered_and_turned_page_by_page_at_the_same_time() {
    let bench = Bench::new();
    let query = "kind=cause&rule=merged&provenance=explicit&incident=INC-3K&by=ada&retracted=false&disputed=true";
    let page = bench.page(&format!("/labels?{query}&limit=2&as_of=36095300")).await.text;
    let (filter, window) = views::last_labels(&bench.views);
    assert_eq!(filter.incident.as_deref(), Some(sample::OPEN), "a prefix names the whole incident");
    assert_eq!((filter.kind, filter.rule), (Some(Kind::Cause), Some(RuleName::Merged)));
    assert_eq!((filter.provenance, filter.by.as_deref()), (Some(Provenance::Explicit), Some("ada")));
    assert_eq!((filter.retracted, filter.disputed, window.limit), (Some(false), Some(true), Some(2)));
    assert!(page.contains("/api/v1/labels?format=csv&amp;kind=cause"), "an export is of what is shown: {page}");
    assert!(page.contains("by=ada&amp;retracted=false&amp;disputed=true&amp;as_of=36095300\">CSV"), "{page}");
    let first = bench.page("/labels?limit=2&as_of=36095300").await.text;
    let next = first.split("limit=2&amp;as_of=36095300&amp;cursor=").nth(1).unwrap_or_else(|| panic!("{first}"));
    let second =
        bench.page(&format!("/labels?limit=2&as_of=36095300&cursor={}", next.split('"').next().unwrap())).await;
    for label in &learnt::labels()[2..4] {
        let from = format!("href=\"/events/{}", label.from);
        assert!(second.text.contains(&from) && !first.contains(&from), "{}", second.text);
    }
    for wrong in ["limit=0", "cursor=x&x=1", "retracted=maybe", "format=csv", "incident=INC-0000"] {
        let refused = bench.page(&format!("/labels?{wrong}")).await;
        assert!(refused.status.is_client_error() && refused.text.contains("trouble"), "{wrong}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_label_is_taken_back_by_a_form_and_not_in_the_past() {
    let bench = Bench::new();
    let all = bench.page("/labels").await.text;
    let counting = learnt::labels().iter().filter(|label| label.retracted.is_none()).count();
    assert_eq!(all.matches(">Retract</button>").count(), counting, "what no longer counts cannot be retracted");
    let page = bench.page("/labels?kind=cause&me=ada").await.text;
    assert!(
        page.contains("name=\"actor\" value=\"ada\"") && page.contains("type=\"hidden\" name=\"kind\" value=\"cause\"")
    );
    let past = bench.page("/labels?as_of=36095300").await.text;
    assert!(!past.contains("Retract</button>") && !past.contains("method=\"post\""), "{past}");
    let label = LabelId::derive(&[b"confirmed"]);
    bench.views.record(sample::event(36_095_400, "label.given", label.as_str()));
    let event = sample::event_id("36095400");
    let answer = bench.form("/undo", &[], &format!("event={event}&kind=cause&actor=ada&rule=")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/labels?kind=cause&me=ada"),
        "{}",
        answer.text
    );
    let (received, actor, partition) = bench.written().await.remove(0);
    assert_eq!((actor.as_str(), partition.as_str()), ("ada", "default/production"));
    assert!(matches!(received.command, Command::UndoEvent { subject, .. } if subject == label.as_str()));
}

#[tokio::test]
async fn every_button_of_judgement_records_what_the_api_records() {
    let bench = Bench::new();
    bench.views.record(sample::event(36_095_350, "proposal.made", learnt::PROPOSAL));
    let page = bench.page("/INC-3K7Q").await.text;
    let carried = carried(&page);
    assert_eq!(carried.len(), 2 + 4 + 4, "two causes, two alike, one proposal: {carried:?}");
    for body in &carried {
        let answer = bench.form("/INC-3K7Q/judge", &[], &format!("actor=ada&text=x&judgement={}", escaped(body))).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, "/INC-3K7Q5M8N3P4R6S9T?me=ada"),
            "{body}: {}",
            answer.text
        );
        let api = bench.post("/api/v1/labels", &[("x-hindcast-actor", "ada")], body).await;
        assert_eq!(api.status, StatusCode::CREATED, "{body}: {}", api.text);
    }
    let judged = judged(&bench).await;
    assert_eq!(judged.len(), 2 * carried.len());
    for both in judged.chunks(2) {
        assert_eq!(both[0], both[1]);
    }
    let verdicts: Vec<&str> = judged.iter().step_by(2).map(|(judged, ..)| judged.verdict.as_str()).collect();
    let expected = ["cause", "cause", "approved", "rejected", "fixed", "not_fixed", "confirmed", "dismissed"];
    assert_eq!(verdicts[..8], expected);
    assert_eq!(judged[2].0.text.as_deref(), Some("nginx <script>alert(1)</script>"), "a hostile cause stays its text");
}

#[tokio::test]
async fn what_rules_propose_is_recorded_before_it_is_judged() {
    let bench = Bench::new();
    let page = bench.page("/INC-3K7Q").await.text;
    let approve = carried(&page).into_iter().find(|body| body.contains("approved")).unwrap();
    let answer = bench.form("/INC-3K7Q/judge", &[], &format!("judgement={}", escaped(&approve))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let expected = NamedRunbook {
        incident: sample::OPEN.into(),
        runbook: "pg-end-idle-transactions".into(),
        params: serde_json::json!({"database": "shop", "idle_over": "5m"}),
        by: "rules".into(),
    };
    assert_eq!(bench.advice.named(), [expected]);
    assert_eq!(judged(&bench).await[0].2, "default/production");
    let other = approve.replace(learnt::PROPOSAL, "PRP-0000000000000000");
    let gone = bench.form("/INC-3K7Q/judge", &[], &format!("judgement={}", escaped(&other))).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{}", gone.text);
    let odd = approve.replace("approved", "same");
    let odd = bench.form("/INC-3K7Q/judge", &[], &format!("judgement={}", escaped(&odd))).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(judged(&bench).await.len(), 1, "what is refused leaves nothing");
    assert_eq!(bench.advice.named().len(), 1);
}

#[tokio::test]
async fn a_judgement_that_makes_no_sense_is_refused_as_a_page() {
    let bench = Bench::new();
    let recall = r#"{"about":{"what":"recall","incident":"INC-3K7Q5M8N3P4R6S9T","similar":"INC-1F2M0A1B2C3D4E5F"},"verdict":"same"}"#;
    for (path, body, status) in [
        ("/INC-3K7Q/judge", "judgement=", StatusCode::UNPROCESSABLE_ENTITY),
        ("/INC-3K7Q/judge", "judgement=%5B%5D", StatusCode::UNPROCESSABLE_ENTITY),
        ("/INC-3K7Q/judge", &format!("judgement={}", escaped(recall)), StatusCode::UNPROCESSABLE_ENTITY),
        ("/INC-0000/judge", &format!("judgement={}", escaped(recall)), StatusCode::NOT_FOUND),
        ("/nope/judge", "judgement=", StatusCode::NOT_FOUND),
    ] {
        let refused = bench.form(path, &[], body).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text);
        assert!(refused.header("content-type").starts_with("text/html") && refused.text.contains("trouble"));
    }
    let foreign = bench.form("/INC-3K7Q/judge", &[("origin", "https://evil.example")], "judgement=").await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert!(judged(&bench).await.is_empty());
}

#[tokio::test]
async fn what_was_said_stands_beside_the_buttons() {
    let bench = Bench::new();
    let silent = bench.page("/INC-3K7Q").await.text;
    assert!(!silent.contains("<b>grace</b>: not the same"));
    assert!(bench.views.count("labels") == 0, "where nothing was judged no label is read");
    let mut entry = sample::timeline().remove(0);
    entry.event_type = "label.judged".to_owned();
    bench.views.tell(sample::OPEN, entry);
    let page = bench.page("/INC-3K7Q").await.text;
    for said in [
        "<b>ada</b>: this was the cause",
        "<b>grace</b>: not the same",
        "<b>ada</b>: fixed it",
        "<b>linus</b> says it was: the NTP pool was wrong",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let past = bench.page("/INC-3K7Q?as_of=36095300").await.text;
    assert!(past.contains("<b>grace</b>: not the same") && carried(&past).is_empty(), "{past}");
    let window = views::last_labels(&bench.views).1;
    assert_eq!(window.as_of, Some(hindcast_api::AsOf::Position(36_095_300)), "what was known by then");
}

#[tokio::test]
async fn an_incident_that_is_over_can_be_judged_and_the_return_key_presses_nothing() {
    let bench = Bench::new();
    let page = bench.page("/INC-1F2M").await.text;
    assert!(carried(&page).iter().any(|body| body.contains("\"verdict\":\"cause\"")), "{page}");
    // The default button of a form is its first one in the page.
    let first = page.split("<button").find(|button| button.contains("form=\"act\"")).unwrap();
    let first = first.split('>').next().unwrap();
    assert!(first.contains("disabled") && first.contains("hidden"), "{first}");
}
