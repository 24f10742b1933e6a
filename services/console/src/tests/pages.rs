//! The pages: what they show, what they escape, and what their forms do.

use axum::http::StatusCode;

use super::{Bench, sample, views};
use crate::guard::POLICY;

const PAGES: [&str; 21] = [
    "/",
    "/topology",
    "/INC-3K7Q",
    "/alerts",
    "/alerts/0000000000",
    "/silences",
    "/notices",
    "/?as_of=2026-11-20T02:43:00Z",
    "/INC-3K7Q?as_of=36095300",
    "/INC-3K7Q/postmortem",
    "/findings",
    "/ask",
    "/reports",
    "/labels",
    "/labels?kind=cause&as_of=36095300",
    "/models",
    "/models/pair-scorer",
    "/models/pair-scorer/2",
    "/models/pair-scorer/3?as_of=36095300",
    "/INC-1F2M",
    "/reports?as_of=36095300&service=checkout&since=2026-11-01T00:00:00Z",
];

fn concrete(path: &str) -> String {
    path.replace("/0000000000", &format!("/{}", sample::fingerprint(1)))
}

#[tokio::test]
async fn every_page_is_html_under_a_strict_policy_and_without_script() {
    let bench = Bench::new();
    for path in PAGES {
        let page = bench.page(&concrete(path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert_eq!(page.header("content-security-policy"), POLICY);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(!page.text.contains("<script"), "{path} carries a script");
        assert!(!page.text.contains(" style=\""), "{path} carries a style that the policy forbids");
    }
    assert!(POLICY.starts_with("default-src 'none'") && !POLICY.contains("unsafe"));
}

#[tokio::test]
async fn text_from_telemetry_is_escaped() {
    let bench = Bench::new();
    for path in [
        "/INC-3K7Q",
        "/alerts",
        "/alerts/0000000000",
        "/INC-3K7Q/postmortem",
        "/findings",
        "/reports",
        "/labels",
        "/models",
        "/models/pair-scorer/2",
        "/models/pair-scorer/3",
    ] {
        let page = bench.page(&concrete(path)).await.text;
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains(sample::EVIL), "{path}");
    }
    let page = bench.page(&format!("/events/{}", sample::event_id("36095300"))).await.text;
    assert!(page.contains("&lt;script&gt;") && !page.contains(sample::EVIL));
    let echoed = bench.page("/?q=%3Cscript%3E%22").await.text;
    assert!(echoed.contains("&lt;script&gt;&quot;") && !echoed.contains("<script>"));
}

#[tokio::test]
async fn the_past_has_a_banner_and_no_forms() {
    let bench = Bench::new();
    let now = bench.page("/INC-3K7Q").await.text;
    assert!(now.contains("formaction=\"/INC-3K7Q5M8N3P4R6S9T/acknowledge\"") && now.contains("formaction=\"/undo\""));
    let past = bench.page("/INC-3K7Q?as_of=36095300").await.text;
    assert!(past.contains("As of ") && past.contains("class=\"jump now\" href=\"/INC-3K7Q5M8N3P4R6S9T\""), "{past}");
    assert!(!past.contains("formaction=") && !past.contains("name=\"actor\""), "the past cannot be changed");
    for form in past.split("<form").skip(1).filter(|form| form.contains("method=\"post\"")) {
        let asks = form.contains("/ask\"") && form.contains("name=\"as_of\" value=\"36095300\"");
        assert!(asks, "it can be asked about, as of then: {form}");
    }
    assert!(past.contains("href=\"/alerts?as_of=36095300\""), "links stay at the same time");
}

#[tokio::test]
async fn an_incident_shows_what_is_concluded_with_links_to_each_event() {
    let bench = Bench::new();
    let page = bench.page("/INC-3K7Q?as_of=36095300").await.text;
    let order = ["class=\"broke\"", "class=\"then\"", "class=\"alarmed\"", "For it", "Against it", "Ruled out"];
    let places: Vec<usize> = order.iter().map(|what| page.find(what).unwrap_or_else(|| panic!("{what}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    let link = format!("href=\"/events/{}?as_of=36095300\"", sample::event_id("36093953"));
    assert!(page.matches(&link).count() > 2, "each step leads to its event, at the same time");
    for said in [
        "similar symptoms, different cause",
        "same problem",
        "ended 96 idle transactions",
        "no alert for 2 h",
        "pg-end-idle-transactions",
        "Hindcast runs nothing",
        "errors stayed flat",
        "At risk",
        "new log line",
        "Drafted postmortem",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let filter = views::last_findings(&bench.views).0;
    assert_eq!((filter.environment.as_deref(), filter.since), (Some("production"), Some(sample::at("02:26:07"))));
}

#[tokio::test]
async fn a_postmortem_is_read_as_a_page_whose_links_lead_to_events_or_nowhere() {
    let bench = Bench::new();
    let page = bench.page("/INC-3K7Q/postmortem?as_of=36095300").await.text;
    let event = format!("href=\"/events/{}?as_of=36095300\"", sample::event_id("36093953"));
    assert_eq!(page.matches(&event).count(), 2, "{page}");
    assert!(page.contains("href=\"/events/EVT-1?as_of=36095300\""), "{page}");
    assert!(!page.contains("href=\"javascript") && page.contains("not ours (javascript:alert(1))"), "{page}");
    assert!(page.contains("elsewhere (#77)") && page.contains("<b>postgres</b>"), "{page}");
}

#[tokio::test]
async fn the_stylesheet_is_named_by_its_content() {
    let bench = Bench::new();
    let path = crate::pages::style::path();
    assert!(bench.page("/").await.text.contains(path));
    let css = bench.get(path).await;
    assert_eq!((css.status, css.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(css.header("cache-control").contains("immutable"));
    assert_eq!(bench.get("/favicon.ico").await.header("content-type"), "image/svg+xml");
}

#[tokio::test]
async fn a_form_is_a_command_and_leads_back() {
    let bench = Bench::new();
    let fields = "actor=ada&cause=&resolution=closed+them&text=&owner=&severity=high&minutes=15&into=&verdict=helpful";
    let answer = bench.form("/INC-3K7Q5M8N3P4R6S9T/resolve", &[("origin", "http://127.0.0.1:7171")], fields).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/INC-3K7Q5M8N3P4R6S9T?me=ada"),
        "{}",
        answer.text
    );
    let (received, actor, _) = bench.written().await.remove(0);
    assert_eq!(actor, "ada");
    let hindcast_domain::command::Command::ResolveIncident { cause, resolution, .. } = received.command else {
        panic!()
    };
    assert_eq!((cause, resolution.as_deref()), (None, Some("closed them")));
    for (path, fields) in [
        ("/INC-3K/split", "fingerprints=am-0001&fingerprints=am-0003&actor="),
        ("/INC-3K/snooze", "minutes=15"),
        ("/INC-3K/assign", "owner="),
        ("/undo", &format!("event={}", sample::event_id("36095300"))),
        ("/declare", "title=x&severity=high&services=a,b"),
    ] {
        assert_eq!(bench.form(path, &[], fields).await.status, StatusCode::SEE_OTHER, "{path}");
    }
    let kept = bench.page("/INC-3K7Q?me=ada").await.text;
    assert!(kept.contains("name=\"actor\" value=\"ada\""), "the name travels in the address");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_and_mistakes_are_shown_as_a_page() {
    let bench = Bench::new();
    let refused = bench.form("/INC-3K/acknowledge", &[("origin", "https://evil.example")], "actor=ada").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(bench.written().await.is_empty());
    let mistake = bench.form("/INC-3K/note", &[], "text=").await;
    assert_eq!(mistake.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        mistake.header("content-type").starts_with("text/html") && mistake.text.contains("invalid"),
        "{}",
        mistake.text
    );
}

/// Writes the pages where a person can look at them: `CONSOLE_PAGES=1 cargo test -p hindcast-console`.
#[tokio::test]
async fn pages_can_be_looked_at() {
    if option_env!("CONSOLE_PAGES").is_none() {
        return;
    }
    let bench = Bench::new();
    let event = format!("/events/{}", sample::event_id("36095300"));
    let mut all: Vec<String> = PAGES.iter().map(|path| concrete(path)).collect();
    all.extend([event, "/nope".to_owned()]);
    let answered =
        bench.form("/INC-3K7Q/ask", &[], "question=what+is+going+on,+have+we+seen+this,+what+do+I+do%3F").await;
    let mut pages = Vec::new();
    for path in &all {
        pages.push(bench.page(path).await.text);
    }
    pages.push(answered.text);
    let learns = std::sync::Arc::new(super::learnt::learning());
    let learning = Bench::learning(&learns);
    pages.push(learning.form("/models/pair-scorer/compare", &[], "version=3").await.text);
    pages.push(learning.page("/models/pair-scorer/3").await.text);
    for (index, page) in pages.into_iter().enumerate() {
        let css = format!("<style>{}</style>", crate::pages::style::CSS.replace("/favicon.ico", "icon.svg"));
        let page = page.replace("<meta name=\"color-scheme\"", &format!("{css}<meta name=\"color-scheme\""));
        std::fs::write(format!("/tmp/console-{index}.html"), page).unwrap();
    }
    std::fs::write("/tmp/icon.svg", crate::pages::style::ICON).unwrap();
}

#[tokio::test]
async fn noise_removed_never_stands_without_what_was_missed() {
    let bench = Bench::new();
    let page = bench.page("/reports").await.text;
    for told in ["87.5 %", "(1 declared, 1 reopened)", "3 of 4", "median 2.0 min", "Unaccounted", "–"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let past = bench.page("/reports?as_of=36095300").await.text;
    assert!(past.contains("As of ") && past.contains("name=\"as_of\" value=\"36095300\""), "{past}");
}

#[tokio::test]
async fn the_table_of_a_report_holds_no_formula_and_the_document_is_absent_where_nothing_is_known() {
    let bench = Bench::new();
    let table = bench.get("/api/v1/reports?format=csv").await;
    assert!(table.header("content-type").starts_with("text/csv"), "{}", table.text);
    assert!(table.text.contains("\n'=cmd()") && !table.text.contains("\n=cmd()"), "{}", table.text);
    let document = bench.get("/api/v1/reports").await.json();
    assert_eq!(document["total"]["noise_removed"], 875);
    assert_eq!(document["total"]["mtta"]["median_s"], serde_json::Value::Null, "never 0 where the sample is empty");
    assert_eq!(bench.get("/api/v1/reports?since=yesterday").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_waits_for_chat_is_seen_with_its_age_and_where_to_read_it_meanwhile() {
    let bench = Bench::new();
    let page = bench.page("/notices").await.text;
    for told in ["slack", "cannot be reached", "7 pending", "3 min", "href=\"/INC-7Q2K\"", "503 "] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains(sample::EVIL), "what vendors say is data: {page}");
    let then = bench.page("/notices?as_of=36095300").await.text;
    assert!(!then.contains("7 pending"), "what waits is of now");
}
