//! What stands around every page: navigation, the banner of time travel, the foot.

use hindcast_domain::{Span, Time};
use maud::{DOCTYPE, Markup, html};

use super::{style, words};

/// Which part of the console a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The list of incidents, which is the start page.
    Incidents,
    /// The list of alerts, and each alert's receipt.
    Alerts,
    /// The list of silences and maintenance windows.
    Silences,
    /// The list of notifications that were sent, delayed or suppressed.
    Notices,
    /// The list of what detectors found in logs and metrics.
    Findings,
    /// The list of explicit feedback and inferred labels.
    Labels,
    /// Versions of models.
    Models,
    /// Which service depends on which.
    Topology,
    /// Figures.
    Reports,
    /// Questions.
    Ask,
    /// None of them.
    Other,
}

const TABS: [(Tab, &str, &str); 10] = [
    (Tab::Incidents, "/", "Incidents"),
    (Tab::Alerts, "/alerts", "Alerts"),
    (Tab::Silences, "/silences", "Silences"),
    (Tab::Notices, "/notices", "Notifications"),
    (Tab::Findings, "/findings", "Findings"),
    (Tab::Labels, "/labels", "Labels"),
    (Tab::Models, "/models", "Models"),
    (Tab::Topology, "/topology", "Topology"),
    (Tab::Reports, "/reports", "Reports"),
    (Tab::Ask, "/ask", "Ask"),
];

/// A look into the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// As it was asked for, so that links keep it.
    pub asked: String,
    /// The position that it means.
    pub position: u64,
    /// The time that it means, where it is known.
    pub time: Option<Time>,
    /// Whether a later commit may still fall under it.
    pub provisional: bool,
    /// The positions one step before and after, where the page has steps.
    pub steps: Option<(Option<u64>, Option<u64>)>,
}

/// What every page needs.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The browser's title.
    pub title: String,
    /// Where it belongs.
    pub tab: Tab,
    /// The path of the request, without its query.
    pub path: String,
    /// Its query, without `as_of` and `cursor`.
    pub query: Vec<(String, String)>,
    /// The time that ages are told from: now, or that of the look into the past.
    pub now: Time,
    /// The look into the past, if it is one.
    pub seen: Option<Seen>,
    /// The position that is shown.
    pub position: u64,
    /// Whether nothing is outstanding.
    pub settled: bool,
    /// The binary's version.
    pub version: &'static str,
}

impl Frame {
    /// A link that stays at the same time.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        self.link_with(path, &[])
    }

    /// The same with parameters.
    #[must_use]
    pub fn link_with(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let seen = self.seen.iter().map(|seen| ("as_of", seen.asked.as_str()));
        words::href(path, pairs.iter().copied().chain(seen))
    }

    /// The same page as of another position or time; now where empty.
    #[must_use]
    pub fn at(&self, as_of: &str) -> String {
        let query = self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        words::href(&self.path, query.chain([("as_of", as_of)]))
    }

    /// The same list, further on.
    #[must_use]
    pub fn further(&self, cursor: &str) -> String {
        self.further_in("cursor", cursor)
    }

    /// The same page with one of its lists further on, by the parameter of that list.
    #[must_use]
    pub fn further_in(&self, list: &str, cursor: &str) -> String {
        let query = self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let seen = self.seen.iter().map(|seen| ("as_of", seen.asked.as_str()));
        words::href(&self.path, query.chain(seen).chain([(list, cursor)]))
    }

    /// A parameter of this page as it was asked for.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether forms make sense: the past cannot be changed.
    #[must_use]
    pub fn is_now(&self) -> bool {
        self.seen.is_none()
    }

    /// A time of day as this page tells it.
    #[must_use]
    pub fn clock(&self, time: Time) -> Markup {
        words::clock(time, self.now)
    }

    /// An age as this page tells it.
    #[must_use]
    pub fn age(&self, time: Time) -> String {
        words::age(time, self.now)
    }

    /// The whole page.
    #[must_use]
    pub fn page(&self, body: &Markup) -> Markup {
        document_of(
            &self.title,
            Some(self.position),
            html! {
                header.top {
                    nav.bar {
                        a.brand href=(self.link("/")) { span.mark {} "Hindcast" }
                        @for (tab, path, word) in TABS {
                            a.tab.on[tab == self.tab] href=(self.link(path)) aria-current=[(tab == self.tab).then_some("page")] { (word) }
                        }
                        span.fill {}
                        span.pulse.calm[self.settled] title="caught up: every service has processed every event" {
                            @if self.settled { "caught up" } @else { "processing" }
                        }
                        span.place title="the ledger's position that this page shows" { "#" (self.position) }
                    }
                }
                @if let Some(seen) = &self.seen { (self.banner(seen)) }
                main { (body) }
                (self.foot())
            },
        )
    }

    fn banner(&self, seen: &Seen) -> Markup {
        let jump = |word: &str, to: Time| html! { a.jump href=(self.at(&words::stamp(to))) { (word) } };
        html! {
            div.past role="status" {
                div.inner {
                    strong { "As of " @match seen.time { Some(time) => { (words::stamp(time)) }, None => { "#" (seen.position) } } }
                    span { "what was known by then · #" (seen.position) @if seen.provisional { " · provisional" } }
                    span.fill {}
                    @if let Some((before, after)) = seen.steps {
                        @if let Some(before) = before { a.jump href=(self.at(&before.to_string())) { "← step" } }
                        @if let Some(after) = after { a.jump href=(self.at(&after.to_string())) { "step →" } }
                    }
                    @if let Some(time) = seen.time {
                        span.group { "earlier" (jump("1 h", time - Span::hours(1))) (jump("10 min", time - Span::minutes(10))) (jump("1 min", time - Span::minutes(1))) }
                        span.group { "later" (jump("1 min", time + Span::minutes(1))) (jump("10 min", time + Span::minutes(10))) (jump("1 h", time + Span::hours(1))) }
                    }
                    a.jump.now href=(self.at("")) { "now" }
                }
            }
        }
    }

    fn foot(&self) -> Markup {
        let ago = |word: &str, span: Span| html! { a href=(self.at(&words::stamp(self.now - span))) { (word) } };
        html! {
            footer {
                form.travel method="get" action=(self.path) {
                    @for (name, value) in &self.query { input type="hidden" name=(name) value=(value); }
                    label { "Show this page as of "
                        input type="text" name="as_of" placeholder="2026-11-20T03:12:00Z or #" value=(self.seen.as_ref().map_or("", |seen| seen.asked.as_str()));
                    }
                    button type="submit" { "Go" }
                    span.quick { (ago("1 min", Span::minutes(1))) (ago("10 min", Span::minutes(10))) (ago("1 h", Span::hours(1))) (ago("1 d", Span::hours(24))) " ago" }
                }
                span.fill {}
                span { "Times are UTC · " (words::stamp(self.now)) " · Hindcast " (self.version) " · " a href="/openapi.json" { "API" } }
            }
        }
    }
}

/// A document around any body, which is of no position.
#[must_use]
pub fn document(title: &str, body: Markup) -> Markup {
    document_of(title, None, body)
}

/// A document around any body; its head names the position that all of it is of.
fn document_of(title: &str, position: Option<u64>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(position) = position { meta name="hindcast-position" content=(position); }
                title { (title) " · Hindcast" }
                link rel="stylesheet" href=(style::path());
                link rel="icon" href="/favicon.ico" type="image/svg+xml";
            }
            body { (body) }
        }
    }
}
