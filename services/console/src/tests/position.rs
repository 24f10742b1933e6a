//! Every page and every reading route is of one position, whatever happens while it is made: here something does at
//! each single question that is asked of the views. A second "now" is planted to see that it would be noticed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use hindcast_api::{AsOf, Event};
use hindcast_domain::silence;
use hindcast_queries::memory::EventSource;
use hindcast_queries::{ListPart, Queries};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::views::{NOW, evening};
use super::{Bench, learnt, request, sample};
use crate::look::{Look, POSITION, position_header};
use crate::{Console, routes};

/// A ledger that grows at each look.
#[derive(Default)]
struct Restless {
    looks: AtomicU64,
}

#[async_trait]
impl EventSource for Restless {
    async fn events(&self) -> Vec<Event> {
        let at = NOW + 4_096 * (1 + self.looks.fetch_add(1, Ordering::SeqCst));
        vec![sample::event(at, "alert.repeated", sample::OPEN)]
    }
}

/// The sample evening in views that have moved on at the next question.
fn restless() -> Bench {
    Bench::over(evening().over(Arc::new(Restless::default())), None, |copilot| copilot, None)
}

/// Asks for a path, and says of which one position the answer is; or what is torn.
async fn position_of(bench: &Bench, router: &Router, path: &str) -> Result<u64, String> {
    let (before, concluded) = (bench.views.asked().len(), bench.advice.asked().len());
    let accept = if path.starts_with("/api/") { "application/json" } else { "text/html" };
    let asked = request(Method::GET, path, &[("accept", accept)], "");
    let response = router.clone().oneshot(asked).await.unwrap();
    let (head, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    if head.status != StatusCode::OK {
        return Err(format!("{}: {text}", head.status));
    }
    let named = head.headers.get(POSITION).ok_or("no position in the head")?.to_str().unwrap().to_owned();
    let position: u64 = named.parse().map_err(|_| format!("{named:?} is no position"))?;
    let asked = bench.views.asked().split_off(before);
    let opened = asked.iter().filter(|question| question.name() == "moment").count();
    if opened != 1 {
        return Err(format!("a moment became a position {opened} times"));
    }
    let of_views =
        asked.iter().filter(|question| question.name() != "moment").map(|question| (question.name(), question.as_of()));
    let of_advice = bench.advice.asked().split_off(concluded);
    for (name, as_of) in of_views.chain(of_advice) {
        if as_of != Some(AsOf::Position(position)) {
            return Err(format!("of {position}, and {name} was asked of {as_of:?}"));
        }
    }
    let printed = format!("<meta name=\"hindcast-position\" content=\"{position}\">");
    let is_page = text.starts_with("<!DOCTYPE");
    if is_page && !text.contains(&printed) {
        return Err("the page does not print its position".to_owned());
    }
    if is_page && text.contains("As of ") {
        return Err("a page of now looks like one of the past".to_owned());
    }
    Ok(position)
}

/// A path with the sample's names in place of its parameters.
fn filled(path: &str) -> String {
    let names = [
        ("/incidents/{id}", format!("/incidents/{}", sample::OPEN)),
        ("/silences/{id}", format!("/silences/{}", sample::silence(silence::SilenceState::Active).id)),
        ("/events/{id}", format!("/events/{}", sample::event(36_095_300, "incident.merged", sample::OPEN).id)),
        ("{fingerprint}", sample::fingerprint(1)),
        ("{name}", "pair-scorer".to_owned()),
        ("{version}", learnt::models()[0].version.to_string()),
    ];
    names.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

#[tokio::test]
async fn each_reading_route_and_each_page_is_of_one_position() {
    let bench = restless();
    // Of the server itself, of chat, a stream, and the state, which is one question with a position of its own.
    let no_look =
        ["/metrics", "/healthz", "/readyz", "/openapi.json", "/api/v1/stream", "/api/v1/chat", "/api/v1/state"];
    let routes = routes::all().into_iter().filter(|route| route.method == "get" && !no_look.contains(&route.path));
    let mut paths: Vec<String> = routes.map(|route| filled(route.path)).collect();
    paths.retain(|path| path != "/api/v1/memory");
    paths.push("/api/v1/memory?q=postgres".to_owned());
    assert!(paths.len() >= 28, "{paths:?}");
    let pages =
        ["/", "/topology", "/alerts", "/silences", "/notices", "/findings", "/labels", "/models", "/reports", "/ask"];
    paths.extend(pages.map(str::to_owned));
    paths.extend(["", "/postmortem", "/ask"].map(|word| format!("/{}{word}", sample::OPEN)));
    let things = ["/alerts/{fingerprint}", "/events/{id}", "/models/{name}", "/models/{name}/{version}"];
    paths.extend(things.map(filled));
    let mut positions = BTreeSet::new();
    for path in &paths {
        match position_of(&bench, &bench.router, path).await {
            Ok(position) => assert!(positions.insert(position), "{path}: something happens between two answers"),
            Err(torn) => panic!("{path}: {torn}"),
        }
    }
    let asked = bench.views.asked();
    let kinds: BTreeSet<&str> = asked.iter().map(|question| question.name()).collect();
    assert!(kinds.len() >= 18, "so many questions can be asked at all: {kinds:?}");
}

/// A page further on is of the position of the first one, and is a page of now all the same.
#[tokio::test]
async fn a_page_further_on_stays_where_it_began() {
    let bench = restless();
    let first =
        bench.views.timeline(sample::OPEN, hindcast_queries::Window { limit: Some(1), ..Default::default() }).await;
    let (next, position) = first.map(|page| (page.next.unwrap(), page.position)).unwrap();
    for list in ["cursor", "alerts"] {
        let path = format!("/{}?{list}={next}", sample::OPEN);
        assert_eq!(position_of(&bench, &bench.router, &path).await, Ok(position), "{path}");
    }
}

/// The check above with a second "now", a third one within a conclusion, and a page that prints none.
#[tokio::test]
async fn a_second_now_is_noticed() {
    async fn planted(State(console): State<Console>, look: Look) -> hindcast_http::Result<String> {
        look.seen().incidents(Default::default(), ListPart::default()).await?;
        let second = console.queries().now().await?;
        Ok(format!("{} alerts", second.alerts(Default::default(), ListPart::default()).await?.items.len()))
    }
    async fn concluded(State(console): State<Console>, look: Look) -> hindcast_http::Result<String> {
        let later = console.queries().at(look.seen().position() + 1).await?;
        Ok(console.advice().causes(&later, None).await?.incident)
    }
    async fn bare(State(_): State<Console>, _: Look) -> maud::Markup {
        maud::html! { (maud::DOCTYPE) html {} }
    }
    let bench = restless();
    let router: Router = Router::<Console>::new()
        .route("/planted", get(planted))
        .route("/concluded", get(concluded))
        .route("/bare", get(bare))
        .layer(axum::middleware::from_fn(position_header))
        .with_state(bench.console.clone());
    for path in ["/planted", "/concluded", "/bare"] {
        let said = position_of(&bench, &router, path).await;
        assert!(said.is_err(), "{path} passes for a page of one position: {said:?}");
    }
}
