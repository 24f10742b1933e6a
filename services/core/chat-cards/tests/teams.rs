//! What Teams is sent at the edges: texts at their limits and one past them, what is left out and said so, and text from
//! telemetry that begins no mark, mention or link of its own. The cards themselves stand in `cards.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use hindcast_api::{Answer, Incident};
use hindcast_chat_cards::teams::limits::faults;
use hindcast_chat_cards::teams::{forms, render};
use hindcast_chat_cards::view::DialogChoices;
use hindcast_chat_cards::{IncidentView, view::ThreadNote};
use hindcast_domain::act::ActName;
use hindcast_domain::{IncidentId, Severity, Time};
use serde_json::{Value, json};

const URL: &str = "https://h/INC-1";

fn at() -> Time {
    "2026-11-20T03:12:00Z".parse().unwrap()
}

fn incident(title: &str) -> Incident {
    let id = IncidentId::derive(&[b"a"]).to_string();
    Incident {
        services: vec!["checkout".into()],
        grouped_by: vec![1],
        url: format!("http://127.0.0.1:7171/{id}"),
        ..Incident::opened(&id, title, Severity::High, "production", at())
    }
}

fn view(title: &str) -> IncidentView {
    IncidentView {
        incident: incident(title),
        causes: None,
        similar: None,
        proposals: Vec::new(),
        labels: Vec::new(),
        acknowledged_by: None,
        merged_into: None,
        position: 9,
        at: at(),
        public_url: "http://127.0.0.1:7171".into(),
    }
}

fn answer(text: &str) -> Answer {
    hindcast_testkit::answer(text, 9)
}

/// The texts of a card, one after the other.
fn texts(card: &Value) -> Vec<String> {
    let blocks = card["body"].as_array().unwrap().iter();
    blocks.filter_map(|block| block["text"].as_str()).map(str::to_owned).collect()
}

fn linked(text: &str, url: &str) -> String {
    let note = render::note(&ThreadNote::Said { text: text.into(), url: Some(url.into()) });
    assert_eq!(faults(&note), Vec::<String>::new(), "{text} {url}");
    texts(&note)[0].clone()
}

#[test]
fn a_title_is_whole_at_its_limit_and_cut_with_a_mark_one_past_it() {
    for (length, whole) in [(500, true), (501, false)] {
        let card = render::card(&view(&"ö".repeat(length)));
        let shown = &texts(&card)[0];
        assert_eq!((shown.chars().count(), shown.ends_with('ö'), shown.ends_with('…')), (500, whole, !whole));
        assert_eq!(faults(&card), Vec::<String>::new());
    }
}

#[test]
fn no_mark_and_no_link_is_cut_in_two() {
    // Every character wants a mark, so that each limit is met from within.
    let marks = "*".repeat(2_000);
    let card = render::card(&view(&marks));
    assert_eq!(texts(&card)[0], format!("{}…", "\\*".repeat(499)));
    assert_eq!(faults(&card), Vec::<String>::new());
    for length in [10, 100, 499, 500] {
        let url = format!("https://h/{}", "x".repeat(length - 10));
        let shown = linked(&marks, &url);
        assert!(shown.ends_with(&format!("\\*…]({url})")), "{length}: {shown}");
        assert!(shown.chars().count() <= 1_500, "{length}");
    }
    let shown = linked("a title", &format!("https://h/{}", "x".repeat(491)));
    assert_eq!(shown, "a title", "an address that is too long leads nowhere");
}

#[test]
fn only_an_address_of_the_web_is_a_link() {
    assert_eq!(linked("t", URL), format!("[t]({URL})"));
    for url in [
        "javascript:x",
        "msteams://x",
        "",
        "https://h/a b",
        "https://h/)(",
        "https://h/\n",
        "https://h/<x>",
        "https://h/\\",
        "https://h/[x]",
        "https://h/*x*",
    ] {
        assert_eq!(linked("t", url), "t", "{url:?}");
    }
    assert_eq!(linked("x](https://evil.example) [y", URL), format!(r"[x\]\(https://evil.example) \[y]({URL})"));
}

#[test]
fn words_keep_their_lines_and_of_what_is_left_out_the_number_is_said() {
    let list: Vec<String> = (0..20).map(|n| format!("high · open · INC-{n} · {}", "w".repeat(100))).collect();
    let shown = render::words_alone(&list.join("\n"));
    assert_eq!(texts(&shown), list, "a list of twenty is whole");
    for (count, said) in [(40, None), (41, Some("… and 1 more line")), (50, Some("… and 10 more lines"))] {
        let shown = texts(&render::words_alone(&"x\n\n".repeat(count)));
        assert_eq!(shown.iter().filter(|line| *line == "x").count(), 40, "{count}");
        assert_eq!(shown.last().filter(|line| *line != "x").map(String::as_str), said, "{count}");
    }
    for text in ["", "\n", " ", &"w".repeat(9_000), &format!("{}\n", "ö*".repeat(240)).repeat(99)] {
        assert_eq!(faults(&render::words_alone(text)), Vec::<String>::new());
    }
}

#[test]
fn an_answer_without_claims_keeps_its_lines() {
    let shown = render::answer(&answer("Never seen.\n\n# Nothing is known of it."), "http://h");
    assert_eq!(texts(&shown)[..2], ["Never seen.", r"\# Nothing is known of it."]);
    for text in ["", "\n", "x", &"long\n".repeat(5_000)] {
        assert_eq!(faults(&render::answer(&answer(text), "http://h")), Vec::<String>::new());
    }
}

#[test]
fn what_is_left_out_of_a_card_that_is_too_large_is_counted() {
    let mut view = view("x");
    view.labels = vec!["said".to_owned(); 40];
    let card = render::card(&view);
    assert_eq!(faults(&card), Vec::<String>::new());
    assert!(texts(&card).contains(&"… and 28 more".to_owned()));
    // Four bytes a character, and a mark in front of every other one.
    let claim =
        |n: usize| json!({"text": format!("{n} {}", "🚨*".repeat(300)), "citations": [], "verdict": "supported"});
    let mut of = serde_json::to_value(answer("x")).unwrap();
    of["claims"] = (0..12).map(claim).collect();
    of["missing"] = json!(["🚨*".repeat(300)]);
    let shown = render::answer(&serde_json::from_value(of).unwrap(), "http://h");
    assert_eq!(faults(&shown), Vec::<String>::new());
    let message = render::activity(shown);
    assert_eq!(faults(&message), Vec::<String>::new(), "nor with the message around it");
}

#[test]
fn parts_that_find_no_room_are_counted_and_the_card_still_leads_to_the_rest() {
    let mut view = view("x");
    view.labels = vec!["x".to_owned(); 9];
    let incident = view.incident.clone();
    let full = render::card(&view);
    assert!(!texts(&full).iter().any(|text| text.contains("web page")));
    // Twelve lines of the most bytes that a line may have.
    view.labels = vec!["🚨".repeat(600); 12];
    view.incident.services = vec!["🚨".repeat(600)];
    view.incident.owner = Some("🚨".repeat(600));
    view.incident.title = "🚨".repeat(600);
    let card = render::card(&view);
    assert_eq!(faults(&card), Vec::<String>::new());
    let last = texts(&card).pop().unwrap();
    assert!(last.starts_with("… ") && last.ends_with("more parts on the web page"), "{last}");
    let open = card["actions"].as_array().unwrap().iter().find(|action| action["type"] == "Action.OpenUrl").unwrap();
    assert_eq!(open["url"], incident.url);
}

#[test]
fn a_notice_takes_no_answer_and_its_text_is_text() {
    let hostile = "<at>all</at> [x](https://evil.example) **b**";
    let shown = render::notice(Severity::Critical, hostile, &[hostile, "2026-11-20 (UTC)"], Some(URL));
    assert_eq!(faults(&shown), Vec::<String>::new());
    let all = shown.to_string();
    assert!(!all.contains("Action.Execute") && !all.contains("Action.ShowCard"), "a workflow takes no answer");
    let body = texts(&shown["attachments"][0]["content"]);
    let written = r"\<at>all\</at> \[x\]\(https://evil.example) \*\*b\*\*";
    assert_eq!(body, [written, "CRITICAL", written, "2026-11-20 (UTC)"]);
    let long = "🚨*".repeat(2_000);
    let many: Vec<&str> = vec![&long; 99];
    assert_eq!(faults(&render::notice(Severity::Info, &long, &many, Some("slack://x"))), Vec::<String>::new());
}

/// The form that asks what an incident is merged into.
fn merge(incident: &Incident, incidents: Vec<Incident>) -> Value {
    forms::act(ActName::Merge.entry(), incident, &DialogChoices { incidents, alerts: Vec::new() })
}

#[test]
fn what_it_can_be_merged_into_is_chosen_and_what_is_left_out_is_counted() {
    let incident = view("x").incident;
    let open = |count: usize| {
        let other = |n: usize| hindcast_api::Incident {
            id: hindcast_domain::IncidentId::derive(&[&n.to_le_bytes()]).to_string(),
            ..incident.clone()
        };
        (0..count).map(other).chain([incident.clone()]).collect::<Vec<_>>()
    };
    for (count, left_out) in [(1, 0), (50, 0), (51, 1), (400, 350)] {
        let shown = merge(&incident, open(count));
        assert_eq!(faults(&shown), Vec::<String>::new(), "{count}");
        let list = shown["body"].as_array().unwrap().iter().find(|part| part["type"] == "Input.ChoiceSet").unwrap();
        let values: Vec<&str> =
            list["choices"].as_array().unwrap().iter().map(|choice| choice["value"].as_str().unwrap()).collect();
        assert_eq!((list["id"].as_str(), values.len()), (Some("into"), count.min(50)));
        assert!(!values.contains(&incident.id.as_str()), "not into itself");
        let more = texts(&shown).iter().any(|text| text.starts_with(&format!("{left_out} more are open")));
        assert_eq!(more, left_out > 0, "{count}");
    }
    let alone = merge(&incident, open(0));
    assert_eq!(faults(&alone), Vec::<String>::new());
    assert!(texts(&alone)[1].contains("nothing to merge it into") && alone["actions"].is_null());
}
