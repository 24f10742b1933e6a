//! Cards as the vendors are sent them: golden documents for each state, limits that hold whatever a view holds, and
//! text from telemetry that stays text. `HINDCAST_REWRITE_GOLDEN=1` writes the documents anew; look at them then.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod samples;

use std::collections::BTreeMap;
use std::path::PathBuf;

use hindcast_api::{Claim, ClaimVerdict, Incident, StepRole};
use hindcast_chat_cards::card::{self, CardLine};
use hindcast_chat_cards::view::{DialogChoices, ThreadNote};
use hindcast_chat_cards::{IncidentView, hash, slack, teams};
use hindcast_domain::act::{self, ActName};
use hindcast_domain::incident::Status;
use hindcast_domain::{ProposalId, Severity};
use serde_json::Value;

use samples::{acknowledged, answer, fixed, hostile, hypothesis, id, incident, merged, reopened, resolved, step, view};

/// A document with what buttons carry unpacked too: whether a map keeps its order depends on what else is built.
fn unpacked(value: Value) -> Value {
    match value {
        Value::String(text) if text.starts_with('{') => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Value::Array(items) => items.into_iter().map(unpacked).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, field)| (name, unpacked(field))).collect(),
        other => other,
    }
}

/// A document with its fields in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            fields.into_iter().map(|(name, field)| (name, sorted(field))).collect()
        }
        other => other,
    }
}

/// Compares with the document, or writes it.
fn golden(name: &str, shown: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    let text = format!("{}\n", serde_json::to_string_pretty(&sorted(shown.clone())).unwrap());
    if std::env::var_os("HINDCAST_REWRITE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        unpacked(kept),
        unpacked(shown.clone()),
        "{name} looks otherwise; look at it, then HINDCAST_REWRITE_GOLDEN=1"
    );
}

#[test]
fn every_state_has_its_card() {
    for (name, view) in [
        ("open", view()),
        ("acknowledged", acknowledged()),
        ("resolved", resolved()),
        ("merged", merged()),
        ("reopened", reopened()),
        ("hostile", hostile()),
    ] {
        golden(&format!("slack.{name}"), &slack::render::card(&view));
        golden(&format!("teams.{name}"), &teams::render::card(&view));
    }
    let from = ("C1", Some("1.1"));
    let none = DialogChoices::default();
    golden("slack.resolve", &slack::dialogs::act(ActName::Resolve.entry(), &incident(), &none, from));
    let other = Incident { id: id("other"), title: "the queue grows".into(), ..incident() };
    let choices = DialogChoices {
        incidents: vec![incident(), other.clone()],
        alerts: vec![("PostgresDown".into(), "9f3c77aa".into())],
    };
    golden("slack.ask", &slack::dialogs::ask(&incident(), from));
    for (act, _) in act::in_chat().filter(|(act, _)| act.asks() && act.name != ActName::Resolve) {
        golden(&format!("slack.{}", act.word), &slack::dialogs::act(act, &incident(), &choices, from));
        let shown = teams::forms::act(act, &incident(), &choices);
        assert_eq!(adaptive_faults(&shown), Vec::<String>::new(), "{}", act.word);
    }
    golden("teams.merge", &teams::forms::act(ActName::Merge.entry(), &incident(), &choices));
    golden("teams.more", &teams::forms::more(&incident(), &choices));
    golden("slack.list", &slack::render::list(&[incident(), other.clone()]));
    golden("teams.list", &teams::render::list(&[incident(), other]));
    golden("slack.answer", &slack::render::answer(&answer(), "http://127.0.0.1:7171"));
    golden("teams.answer", &teams::render::answer(&answer(), "http://127.0.0.1:7171"));
    golden("slack.fixed", &slack::render::note(&fixed()));
    golden("teams.fixed", &teams::render::note(&fixed()));
    let lines = ["postgres has no free connection", "checkout fails"];
    golden(
        "teams.notice",
        &teams::render::notice(Severity::Critical, "postgres is down", &lines, Some("https://h/INC-1")),
    );
}

/// A view in which everything is as long and as many as telemetry may make it.
fn huge(size: usize) -> IncidentView {
    let mut view = resolved();
    let long = |word: &str| format!("{word} ").repeat(size);
    view.incident.status = Status::Open;
    view.incident.title = long("größer");
    view.incident.cause = None;
    view.incident.services = (0..size).map(|n| format!("service-{n}-{}", "x".repeat(40))).collect();
    view.labels = (0..size).map(|_| long("said")).collect();
    let causes = view.causes.as_mut().unwrap();
    causes.items[0].cause = long("cause");
    causes.items[0].path = (0..size).map(|n| step(StepRole::Then, n as i64, "svc", &long("step"))).collect();
    causes.refuted = (0..size).map(|_| hypothesis(&long("refuted"))).collect();
    let similar = view.similar.as_mut().unwrap();
    similar.items[0].title = long("title");
    similar.items[0].cause = Some(long("cause"));
    similar.items[0].why = vec![long("why")];
    view.proposals[0].title = long("proposal");
    view.proposals[0].params = (0..size).map(|n| (format!("p{n}"), long("v").into())).collect();
    view.proposals[0].risk = long("risk");
    view
}

fn adaptive_faults(card: &Value) -> Vec<String> {
    teams::limits::faults(card)
}

#[test]
fn what_is_not_checked_says_so_in_both_vendors_and_what_is_checked_does_not() {
    let mut said = answer();
    said.claims.truncate(1);
    let cards = |said: &hindcast_api::Answer| {
        [slack::render::answer(said, "http://h").to_string(), teams::render::answer(said, "http://h").to_string()]
    };
    assert!(cards(&said).iter().all(|card| !card.contains("not checked")));
    said.claims[0].verdict = ClaimVerdict::Unverifiable;
    assert!(cards(&said).iter().all(|card| card.contains("from 2 to 37 (not checked)")), "{:?}", cards(&said));
}

#[test]
fn no_view_leads_past_a_vendors_limits() {
    for size in [0, 1, 3, 10, 24, 25, 26, 49, 50, 51, 74, 75, 76, 149, 150, 151, 300, 1_000] {
        let view = huge(size);
        let shown = slack::render::card(&view);
        assert_eq!(slack::limits::faults(&shown), Vec::<String>::new(), "{size}");
        let shown = teams::render::card(&view);
        assert_eq!(adaptive_faults(&shown), Vec::<String>::new(), "{size}");
        let open: Vec<Incident> =
            (0..size).map(|n| Incident { id: id(&n.to_string()), title: "t".repeat(size), ..incident() }).collect();
        let alerts = (0..size).map(|n| ("a".repeat(size), format!("{n:016x}"))).collect();
        let choices = DialogChoices { incidents: open.clone(), alerts };
        let mut dialogs = vec![slack::dialogs::ask(&view.incident, ("C1", None)), slack::render::list(&open)];
        for (act, _) in act::in_chat().filter(|(act, _)| act.asks()) {
            dialogs.push(slack::dialogs::act(act, &view.incident, &choices, ("C1", None)));
            let shown = teams::forms::act(act, &view.incident, &choices);
            assert_eq!(adaptive_faults(&shown), Vec::<String>::new(), "{size} {}", act.word);
        }
        for dialog in dialogs {
            assert_eq!(slack::limits::faults(&dialog), Vec::<String>::new(), "{size}");
        }
        assert_eq!(adaptive_faults(&teams::forms::more(&view.incident, &choices)), Vec::<String>::new(), "{size}");
        let mut said = answer();
        said.answer = "a ".repeat(size * 50);
        said.claims = (0..size).map(|n| Claim { text: "c ".repeat(size), ..answer().claims[n % 2].clone() }).collect();
        assert_eq!(slack::limits::faults(&slack::render::answer(&said, "http://h")), Vec::<String>::new(), "{size}");
        assert_eq!(adaptive_faults(&teams::render::answer(&said, "http://h")), Vec::<String>::new(), "{size}");
        assert_eq!(adaptive_faults(&teams::render::list(&open)), Vec::<String>::new(), "{size}");
        let word = "w ".repeat(size * 20);
        assert_eq!(adaptive_faults(&teams::render::words_alone(&word)), Vec::<String>::new(), "{size}");
        let mut note = fixed();
        if let ThreadNote::Fixed { text, proposal, recall, .. } = &mut note {
            text.clone_from(&word);
            *proposal = Some((ProposalId::derive(&[b"p"]).to_string(), word.clone()));
            *recall = Some((id("earlier"), word.clone()));
        }
        assert_eq!(slack::limits::faults(&slack::render::note(&note)), Vec::<String>::new(), "{size}");
        assert_eq!(adaptive_faults(&teams::render::note(&note)), Vec::<String>::new(), "{size}");
        for state in [Status::Acknowledged, Status::Resolved] {
            let view = IncidentView { incident: Incident { status: state, ..view.incident.clone() }, ..view.clone() };
            let message = teams::render::activity(teams::render::card(&view));
            assert_eq!(adaptive_faults(&message), Vec::<String>::new(), "{size} {state:?}");
            assert_eq!(slack::limits::faults(&slack::render::card(&view)), Vec::<String>::new(), "{size} {state:?}");
        }
        assert_eq!(slack::limits::faults(&slack::render::words_alone(&word)), Vec::<String>::new(), "{size}");
    }
}

#[test]
fn the_check_finds_what_is_past_a_limit() {
    let text = |length: usize| serde_json::json!({"type": "plain_text", "text": "x".repeat(length)});
    for (good, bad) in [
        (
            serde_json::json!({"type": "header", "text": text(150)}),
            serde_json::json!({"type": "header", "text": text(151)}),
        ),
        (
            serde_json::json!({"type": "section", "text": text(3_000)}),
            serde_json::json!({"type": "section", "text": text(3_001)}),
        ),
    ] {
        assert_eq!(slack::limits::faults(&serde_json::json!({"blocks": [good]})), Vec::<String>::new());
        assert_eq!(slack::limits::faults(&serde_json::json!({"blocks": [bad]})).len(), 1);
    }
    let divider = serde_json::json!({"type": "divider"});
    assert_eq!(slack::limits::faults(&serde_json::json!({"blocks": vec![divider.clone(); 50]})), Vec::<String>::new());
    assert_eq!(slack::limits::faults(&serde_json::json!({"blocks": vec![divider; 51]})).len(), 1);
}

/// All texts of a document that a vendor reads for marks.
fn marked(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| marked(item, out)),
        Value::Object(fields) => {
            if fields.get("type").is_some_and(|kind| kind == "mrkdwn" || kind == "TextBlock") {
                out.extend(fields.get("text").and_then(Value::as_str).map(str::to_owned));
            }
            fields.values().for_each(|item| marked(item, out));
        }
        _ => {}
    }
}

#[test]
fn text_from_telemetry_stays_text() {
    let shown = slack::render::card(&hostile());
    let mut marks = Vec::new();
    marked(&shown, &mut marks);
    assert_eq!(marks, Vec::<String>::new(), "nothing in a card is read for marks by Slack");
    assert!(!shown["text"].as_str().unwrap().contains('<'), "{}", shown["text"]);
    let urls = |value: &Value| value.to_string().matches("\"url\":\"https://evil").count();
    assert_eq!(urls(&shown), 0);
    let card = teams::render::card(&hostile());
    let mut marks = Vec::new();
    marked(&card, &mut marks);
    assert!(!marks.is_empty());
    for text in marks {
        for raw in ["](https://evil", "<at>", "**", "{{"] {
            let found = text.match_indices(raw).any(|(place, _)| !text[..place].ends_with('\\'));
            assert!(!found, "{raw} in {text}");
        }
    }
}

#[test]
fn a_card_is_a_function_of_its_view() {
    for view in [view(), resolved(), huge(30)] {
        assert_eq!(slack::render::card(&view).to_string(), slack::render::card(&view.clone()).to_string());
        assert_eq!(hash(&teams::render::card(&view)), hash(&teams::render::card(&view)));
    }
    assert_ne!(hash(&slack::render::card(&view())), hash(&slack::render::card(&acknowledged())));
    let (a, b) = (serde_json::json!({"a": 1, "b": [1, 2]}), serde_json::json!({"b": [1, 2], "a": 1}));
    assert_eq!(hash(&a), hash(&b), "the order of fields is no difference");
    assert_ne!(hash(&a), hash(&serde_json::json!({"a": 1, "b": [2, 1]})));
}

/// The lines of a card's section, without where they lead.
fn lines(view: &IncidentView, heading: &str) -> Vec<String> {
    let card = card::card(view);
    let section = card.sections.into_iter().find(|section| section.heading == heading).unwrap();
    let words = |line| match line {
        CardLine::Text(text) => text,
        CardLine::Link { text, rest, .. } => format!("{text}{rest}"),
    };
    section.lines.into_iter().map(words).collect()
}

#[test]
fn what_a_card_leaves_out_is_counted() {
    let mut view = view();
    let refuted = view.causes.as_ref().unwrap().refuted[0].clone();
    let (similar, proposal) = (view.similar.as_ref().unwrap().items[0].clone(), view.proposals[0].clone());
    for (count, more) in [(1, 0), (2, 0), (3, 1), (9, 7)] {
        view.causes.as_mut().unwrap().refuted = vec![refuted.clone(); count];
        let said = lines(&view, "Likely cause");
        assert_eq!(said.iter().filter(|line| line.starts_with("ruled out: checkout")).count(), count.min(2));
        let last = format!("and {more} more ruled out, on the web page");
        assert_eq!(said.contains(&last), more > 0, "{said:?}");
    }
    for (count, more) in [(1, 0), (2, 1), (9, 8)] {
        view.similar.as_mut().unwrap().items = vec![similar.clone(); count];
        view.proposals = vec![proposal.clone(); count];
        for (heading, what) in [("Past incidents", "times before"), ("Proposed", "proposed")] {
            let said = lines(&view, heading);
            let last = format!("and {more} more {what}, on the web page");
            assert_eq!(said.contains(&last), more > 0, "{said:?}");
        }
    }
    view.causes.as_mut().unwrap().unresolved = true;
    let said = lines(&view, "Cause");
    assert!(said[0].starts_with("Unresolved") && said[1].starts_with("ruled out: checkout"), "{said:?}");
}

#[test]
fn a_part_of_another_incident_leads_there_and_has_no_buttons() {
    let card = card::card(&merged());
    let (title, url) = merged().merged_into.unwrap();
    let line = CardLine::Link { text: title, url, rest: String::new() };
    assert_eq!((card.sections[0].lines.as_slice(), card.buttons.len()), (&[line][..], 0));
    assert!(card.sections.iter().all(|section| section.buttons.is_empty()));
}

#[test]
fn that_an_incident_was_opened_late_is_said_from_a_minute_on() {
    for (seconds, said) in [(0, None), (59, None), (60, Some("1 min 0 s later")), (7_200, Some("2 h 0 min later"))] {
        let mut view = view();
        view.incident.opened_at = view.incident.started_at + hindcast_domain::Span::seconds(seconds);
        let facts = card::card(&view).facts;
        let opened = facts.iter().find(|(name, _)| name == "Opened").map(|(_, value)| value.as_str());
        assert_eq!(opened, said, "{seconds}");
    }
}
