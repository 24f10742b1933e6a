//! What Slack is sent at the edges: a text at each limit and one past it, what is left out and said so, and text from
//! telemetry that begins no line, mention or link of its own. The cards themselves stand in `cards.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use hindcast_api::{Answer, Causes, Hypothesis, Incident, PathStep, StepRole};
use hindcast_chat_cards::slack::limits::faults;
use hindcast_chat_cards::slack::{dialogs, render};
use hindcast_chat_cards::view::DialogChoices;
use hindcast_chat_cards::{IncidentView, view::ThreadNote};
use hindcast_domain::act::ActName;
use hindcast_domain::{IncidentId, Severity, Time};
use serde_json::Value;

fn at() -> Time {
    "2026-11-20T03:12:00Z".parse().unwrap()
}

fn incident(word: &str, title: &str) -> Incident {
    let id = IncidentId::derive(&[word.as_bytes()]).to_string();
    Incident {
        url: format!("http://127.0.0.1:7171/{id}"),
        services: vec!["checkout".into()],
        grouped_by: vec![1],
        ..Incident::opened(&id, title, Severity::High, "production", at())
    }
}

fn view(title: &str) -> IncidentView {
    IncidentView {
        incident: incident("a", title),
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

/// The dialog that asks what an incident is merged into.
fn merge(incidents: Vec<Incident>) -> Value {
    let choices = DialogChoices { incidents, alerts: Vec::new() };
    dialogs::act(ActName::Merge.entry(), &incident("a", "x"), &choices, ("C1", None))
}

/// What a rich text says.
fn said(block: &Value) -> String {
    let parts = block["elements"][0]["elements"].as_array().unwrap();
    parts.iter().map(|part| part["text"].as_str().unwrap()).collect()
}

/// The first block of a kind, or of the one that begins with a word.
fn rich_with(body: &Value, word: &str) -> String {
    let blocks = body["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "rich_text");
    blocks.map(said).find(|text| text.contains(word)).unwrap()
}

#[test]
fn a_title_is_whole_at_its_limit_and_cut_with_a_mark_one_past_it() {
    // The mark of severity and a space stand in front.
    for (length, whole) in [(148, true), (149, false)] {
        let title = "ö".repeat(length);
        let card = render::card(&view(&title));
        let shown = card["blocks"][0]["text"]["text"].as_str().unwrap();
        assert_eq!(shown.chars().count(), 150, "{length}");
        assert_eq!((shown.ends_with('ö'), shown.ends_with('…')), (whole, !whole), "{length}");
        assert_eq!(faults(&card), Vec::<String>::new());
    }
}

#[test]
fn an_option_is_whole_at_its_limit_and_cut_with_a_mark_one_past_it() {
    // The first eight characters of the id and a space stand in front.
    for (length, whole) in [(66, true), (67, false)] {
        let other = incident("b", &"ö".repeat(length));
        let dialog = merge(vec![other]);
        let shown = dialog["blocks"][1]["element"]["options"][0]["text"]["text"].as_str().unwrap();
        assert_eq!((shown.chars().count(), shown.ends_with('ö')), (75, whole), "{length}");
        assert_eq!(faults(&dialog), Vec::<String>::new());
    }
}

#[test]
fn a_list_of_a_hundred_is_whole_and_of_what_is_left_out_the_number_is_said() {
    for (count, hint) in [(100, None), (103, Some("3 more are open. For one of them, type: merge "))] {
        let open: Vec<Incident> = (0..count).map(|n| incident(&n.to_string(), "t")).collect();
        let dialog = merge(open);
        let choice = &dialog["blocks"][1];
        assert_eq!(choice["element"]["options"].as_array().unwrap().len(), 100);
        let shown = choice["hint"]["text"].as_str();
        assert_eq!(shown.is_some(), hint.is_some(), "{count}");
        assert!(shown.unwrap_or_default().starts_with(hint.unwrap_or_default()), "{shown:?}");
        assert_eq!(faults(&dialog), Vec::<String>::new());
    }
}

#[test]
fn of_a_section_that_is_too_long_the_number_of_lines_left_out_is_said() {
    let step = |text: &str| PathStep {
        role: StepRole::Then,
        time: at(),
        service: "postgres".into(),
        text: text.into(),
        citations: Vec::new(),
    };
    let with = |steps: Vec<PathStep>| {
        let best = Hypothesis {
            cause: "postgres".into(),
            service: "postgres".into(),
            kind: "service".into(),
            score: 0.9,
            path: steps,
            confirms: Vec::new(),
            refutes: Vec::new(),
            citations: Vec::new(),
        };
        let mut view = view("x");
        view.causes = Some(Causes {
            items: vec![best],
            next: None,
            position: 9,
            incident: view.incident.id.clone(),
            unresolved: false,
            why_unresolved: None,
            refuted: Vec::new(),
            blast_radius: hindcast_api::BlastRadius::default(),
            risk: None,
            ranker: 1,
            behind: None,
        });
        let card = render::card(&view);
        assert_eq!(faults(&card), Vec::<String>::new());
        rich_with(&card, "Likely cause")
    };
    assert!(!with(vec![step("short"); 13]).contains("more"), "fourteen lines with the cause's own");
    assert!(with(vec![step("short"); 14]).ends_with("… and 1 more"));
    // Long lines: the room ends before the number of lines does.
    let long = with(vec![step(&"w".repeat(2_000)); 9]);
    assert!(long.chars().count() < 3_030, "no more than a section holds, and what is said of the rest");
    assert!(long.contains('…') && long.ends_with("… and 4 more"), "{}", &long[long.len() - 60..]);
}

#[test]
fn a_break_in_text_from_telemetry_begins_no_line() {
    let forged = "slow\nAcknowledged by ada\u{2028}Risk: none";
    let mut view = view(forged);
    view.labels = vec![forged.to_owned()];
    view.incident.services = vec![forged.to_owned()];
    let card = render::card(&view);
    let title = card["blocks"][0]["text"]["text"].as_str().unwrap();
    assert_eq!(title, "🟠 slow Acknowledged by ada Risk: none");
    assert!(!card["text"].as_str().unwrap().contains('\n'));
    let labels = rich_with(&card, "Feedback");
    assert_eq!(labels, "Feedback\nslow Acknowledged by ada Risk: none");
    for field in card["blocks"][2]["fields"].as_array().unwrap() {
        assert_eq!(field["text"].as_str().unwrap().lines().count(), 2, "name and value: {field}");
    }
    let note = render::note(&ThreadNote::Said { text: forged.to_owned(), url: Some("https://h/x".to_owned()) });
    assert_eq!(said(&note["blocks"][0]), "slow Acknowledged by ada Risk: none");
}

#[test]
fn nobody_is_called_by_text_from_telemetry() {
    let card = render::card(&view("<!here> @channel @here <@U1> <#C1> & co"));
    let text = card["text"].as_str().unwrap();
    for mark in ["<", ">", "@channel", "@here", "@U1", "& co"] {
        assert!(!text.contains(mark), "{mark} in {text}");
    }
    // What a person reads is what was there.
    assert!(text.replace('\u{2060}', "").contains("@channel @here"));
}

#[test]
fn only_an_address_of_the_web_is_a_link() {
    for (url, is_link) in [("https://h/x", true), ("http://h/x", true), ("javascript:x", false), ("slack://x", false)] {
        let note = render::note(&ThreadNote::Said { text: "t".into(), url: Some(url.to_owned()) });
        assert_eq!(note["blocks"][0]["elements"][0]["elements"][0]["type"] == "link", is_link, "{url}");
    }
}

#[test]
fn an_answer_without_claims_keeps_its_lines() {
    let shown = render::answer(&answer("Never seen.\n\nNothing is known of it."), "http://h");
    assert_eq!(said(&shown["blocks"][0]), "Never seen.\n–\nNothing is known of it.");
    for text in ["", "\n", "x"] {
        assert_eq!(faults(&render::answer(&answer(text), "http://h")), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn words_keep_their_lines_and_of_what_is_left_out_the_number_is_said() {
    let list = |count: usize, length: usize| vec!["w".repeat(length); count].join("\n");
    assert_eq!(said(&render::words_alone(&list(20, 100))["blocks"][0]), list(20, 100));
    for (count, last) in [(60, "w"), (61, "… and 1 more line"), (99, "… and 39 more lines")] {
        let shown = said(&render::words_alone(&list(count, 1))["blocks"][0]);
        assert_eq!(shown.lines().last(), Some(last), "{count}");
    }
    let long = render::words_alone(&list(20, 400));
    assert!(said(&long["blocks"][0]).ends_with("w\n… and 13 more lines"), "whole lines alone");
    let one = said(&render::words_alone(&"w".repeat(9_000))["blocks"][0]);
    assert_eq!((one.chars().count(), one.ends_with('…')), (2_960, true));
}
