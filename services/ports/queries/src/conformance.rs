//! What all views answer alike, over a ledger or in memory. It knows views only through the read port and [`FilledViews`],
//! and computes what a question must answer from the whole lists, by the plainest code there is.
//!
//! A `tests/conformance.rs` calls [`crate::conformance_suite!`] with a [`FilledViewsFactory`]. Each case panics with what it
//! expected and what came.

// A suite is made of expectations; a panic with its reason is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod snapshots;

use async_trait::async_trait;
use hindcast_api::{AsOf, Code, Event, Incident, LIMIT_MAX, Page, Problem};
use hindcast_domain::Time;

pub use snapshots::{
    a_snapshot_answers_of_its_position_alone, a_snapshot_counts_what_its_own_lists_hold,
    what_was_earlier_is_never_later_than_the_snapshot,
};

use crate::{AlertFilter, EventFilter, IncidentFilter, NoticeFilter, Shared, Window};

/// Views with a history that is in no case empty: at least three incidents in two environments, each with an alert and
/// an `incident.opened` event, a silence, a notice and a dead letter.
#[async_trait]
pub trait FilledViews: Send + Sync {
    /// What is asked.
    fn views(&self) -> Shared;

    /// Something more happens: an incident opens, and the views have read it.
    async fn grow(&mut self);
}

/// Makes views with a history.
#[async_trait]
pub trait FilledViewsFactory: Send + Sync {
    /// New views, apart from all others.
    async fn site(&self) -> Box<dyn FilledViews>;
}

/// Makes one test of each case; `$make` is a [`FilledViewsFactory`].
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_cases! { $make =>
            nothing_is_known_before_it_was_recorded,
            a_list_is_read_page_by_page_as_it_is_read_whole,
            a_page_stays_at_the_position_of_the_first,
            a_limit_or_cursor_that_is_none_is_refused,
            lists_begin_with_the_newest_and_events_with_the_oldest,
            a_filter_takes_what_fits_and_nothing_else,
            alerts_are_found_by_incident_name_and_sender,
            an_id_is_found_by_any_unique_prefix,
            an_empty_id_names_nothing,
            a_position_beyond_the_end_is_refused,
            events_are_filtered_by_kind_subject_and_range,
            a_moment_is_a_position_and_when_it_was_recorded,
            counts_agree_with_the_lists,
            a_snapshot_answers_of_its_position_alone,
            a_snapshot_counts_what_its_own_lists_hold,
            what_was_earlier_is_never_later_than_the_snapshot,
        }
    };
}

/// The tests of a list of cases.
#[macro_export]
#[doc(hidden)]
macro_rules! conformance_cases {
    ($make:expr => $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$case(&$make).await;
            }
        )+
    };
}

fn whole() -> Window {
    Window { limit: Some(LIMIT_MAX), ..Window::default() }
}

fn at(position: u64) -> Option<AsOf> {
    Some(AsOf::Position(position))
}

fn code<T: std::fmt::Debug>(answer: Result<T, Problem>) -> String {
    answer.expect_err("an answer where a refusal was expected").code.to_string()
}

fn says(code: Code) -> String {
    code.parts().0.to_owned()
}

async fn incidents(views: &Shared, filter: IncidentFilter, as_of: Option<AsOf>) -> Vec<Incident> {
    views.incidents(filter, Window { as_of, ..whole() }).await.unwrap().items
}

/// The events by which incidents opened, oldest first.
async fn openings(views: &Shared) -> Vec<Event> {
    let filter = EventFilter { kind: Some("incident.opened".to_owned()), ..EventFilter::default() };
    views.events(filter, whole()).await.unwrap().items
}

/// As of just before it opened an incident is in no list and cannot be asked for; as of then it is there.
pub async fn nothing_is_known_before_it_was_recorded(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    let opened = openings(&views).await;
    assert!(opened.len() >= 3, "a site has three incidents, got {}", opened.len());
    for event in opened {
        let id = event.subject.as_str();
        let before = event.position - 1;
        assert_eq!(code(views.incident(Some(id), at(before)).await), says(Code::NotFound), "{id}");
        let known = |all: Vec<Incident>| all.iter().any(|incident| incident.id == id);
        assert!(!known(incidents(&views, IncidentFilter::default(), at(before)).await), "{id} before it opened");
        assert!(known(incidents(&views, IncidentFilter::default(), at(event.position)).await), "{id} when it opened");
        assert_eq!(views.incident(Some(id), at(event.position)).await.unwrap().id, id);
        assert_eq!(code(views.event(&event.id, at(before)).await), says(Code::NotFound));
    }
    assert!(incidents(&views, IncidentFilter::default(), at(0)).await.is_empty(), "nothing is known at position 0");
}

/// Whoever gives an id meant one: an empty one is not the newest, and neither is a prefix without a digit.
pub async fn an_empty_id_names_nothing(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    assert!(views.incident(None, None).await.is_ok(), "nothing at all is the newest");
    for nothing in ["", " ", "\t", "INC-", " inc- "] {
        assert_eq!(code(views.incident(Some(nothing), None).await), says(Code::NotFound), "{nothing:?}");
        assert_eq!(code(views.timeline(nothing, whole()).await), says(Code::NotFound), "{nothing:?}");
        assert_eq!(code(views.partition_of(nothing).await), says(Code::NotFound), "{nothing:?}");
    }
    for nothing in ["", "  "] {
        assert_eq!(code(views.receipt(Some(nothing), None).await), says(Code::NotFound), "{nothing:?}");
        assert_eq!(code(views.silence(nothing, None).await), says(Code::NotFound), "{nothing:?}");
    }
}

/// A position that nothing has reached, such as a time in seconds, is no other word for now.
pub async fn a_position_beyond_the_end_is_refused(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    let end = *views.position().borrow();
    assert!(views.incident(None, at(end)).await.is_ok());
    for beyond in [end + (1 << 20), 1_796_009_379_000, (1 << 53) - 1] {
        assert_eq!(code(views.incident(None, at(beyond)).await), says(Code::BadAsOf), "{beyond}");
        assert_eq!(code(views.moment(at(beyond)).await), says(Code::BadAsOf), "{beyond}");
        let window = Window { as_of: at(beyond), ..whole() };
        assert_eq!(code(views.incidents(IncidentFilter::default(), window).await), says(Code::BadAsOf), "{beyond}");
    }
}

/// Pages of one and of two hold the same items as the whole list, and each says the same position.
pub async fn a_list_is_read_page_by_page_as_it_is_read_whole(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    for limit in [1, 2] {
        let window = |cursor| Window { limit: Some(limit), cursor, ..Window::default() };
        macro_rules! check {
            ($list:literal, $ask:expr) => {{
                let ask = $ask;
                let all: Page<_> = ask(whole()).await.unwrap();
                let (mut seen, mut next) = (Vec::new(), None);
                loop {
                    let page: Page<_> = ask(window(next)).await.unwrap();
                    assert!(page.items.len() <= limit, "{}: {} items", $list, page.items.len());
                    assert_eq!(page.position, all.position, "{}", $list);
                    seen.extend(page.items);
                    next = page.next;
                    if next.is_none() {
                        break;
                    }
                }
                assert!(!all.items.is_empty(), "a site has {}", $list);
                assert_eq!(seen, all.items, "{} in pages of {limit}", $list);
            }};
        }
        check!("incidents", |window| views.incidents(IncidentFilter::default(), window));
        check!("alerts", |window| views.alerts(AlertFilter::default(), window));
        check!("silences", |window| views.silences(window));
        check!("notices", |window| views.notices(NoticeFilter::default(), window));
        check!("dead letters", |window| views.parked(false, window));
        check!("events", |window| views.events(EventFilter::default(), window));
    }
}

/// What happens between two pages is on neither.
pub async fn a_page_stays_at_the_position_of_the_first(make: &dyn FilledViewsFactory) {
    let mut site = make.site().await;
    let views = site.views();
    let before = incidents(&views, IncidentFilter::default(), None).await;
    let limit = Some(before.len() - 1);
    let first = views.incidents(IncidentFilter::default(), Window { limit, ..Window::default() }).await.unwrap();
    site.grow().await;
    let now = incidents(&views, IncidentFilter::default(), None).await;
    assert_eq!(now.len(), before.len() + 1, "one more has opened");
    let window = Window { cursor: first.next, ..whole() };
    let second = views.incidents(IncidentFilter::default(), window).await.unwrap();
    assert_eq!(second.position, first.position);
    let ids = |all: &[Incident]| all.iter().map(|incident| incident.id.clone()).collect::<Vec<_>>();
    assert_eq!([ids(&first.items), ids(&second.items)].concat(), ids(&before));
}

/// Limits of 0 and beyond the greatest, and text that is no cursor.
pub async fn a_limit_or_cursor_that_is_none_is_refused(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    for limit in [0, LIMIT_MAX + 1] {
        let window = Window { limit: Some(limit), ..Window::default() };
        assert_eq!(code(views.alerts(AlertFilter::default(), window).await), says(Code::BadLimit), "{limit}");
    }
    let window = Window { cursor: Some("!".to_owned()), ..Window::default() };
    assert_eq!(code(views.events(EventFilter::default(), window).await), says(Code::BadCursor));
}

/// Incidents stand in the order in which they opened, the newest first; events by position.
pub async fn lists_begin_with_the_newest_and_events_with_the_oldest(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    let mut opened: Vec<String> = openings(&views).await.into_iter().map(|event| event.subject).collect();
    opened.reverse();
    let listed = incidents(&views, IncidentFilter::default(), None).await;
    assert_eq!(listed.iter().map(|incident| incident.id.clone()).collect::<Vec<_>>(), opened);
    assert_eq!(views.incident(None, None).await.unwrap().id, opened[0], "the newest where none is named");
    let events = views.events(EventFilter::default(), whole()).await.unwrap().items;
    assert!(events.is_sorted_by_key(|event| event.position));
}

/// Whether an incident is among those that a filter asks for.
type IncidentPredicate = Box<dyn Fn(&Incident) -> bool>;

/// Each filter of incidents answers those of the whole list that fit it.
pub async fn a_filter_takes_what_fits_and_nothing_else(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    let all = incidents(&views, IncidentFilter::default(), None).await;
    let environments: std::collections::BTreeSet<&str> = all.iter().map(|one| one.environment.as_str()).collect();
    assert!(environments.len() >= 2, "a site has two environments, got {environments:?}");
    for one in &all {
        let service = one.services[0].clone();
        let middle = one.opened_at;
        let cases: [(IncidentFilter, IncidentPredicate); 7] = [
            (IncidentFilter { status: vec![one.status], ..Default::default() }, {
                let status = one.status;
                Box::new(move |other| other.status == status)
            }),
            (IncidentFilter { severity: vec![one.severity], ..Default::default() }, {
                let severity = one.severity;
                Box::new(move |other| other.severity == severity)
            }),
            (IncidentFilter { environment: Some(one.environment.clone()), ..Default::default() }, {
                let environment = one.environment.clone();
                Box::new(move |other| other.environment == environment)
            }),
            (IncidentFilter { service: Some(service.clone()), ..Default::default() }, {
                let service = service.clone();
                Box::new(move |other| other.services.contains(&service))
            }),
            (IncidentFilter { since: Some(middle), ..Default::default() }, Box::new(move |o| o.opened_at >= middle)),
            (IncidentFilter { until: Some(middle), ..Default::default() }, Box::new(move |o| o.opened_at < middle)),
            (IncidentFilter { q: Some("no-such-word".into()), ..Default::default() }, Box::new(|_| false)),
        ];
        for (filter, fits) in cases {
            let expected: Vec<&Incident> = all.iter().filter(|other| fits(other)).collect();
            let found = incidents(&views, filter.clone(), None).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
        }
        let q = Some(format!("{} {}", one.title.to_uppercase(), service));
        let found = incidents(&views, IncidentFilter { q, ..Default::default() }, None).await;
        assert!(found.contains(one), "words are found in any case");
    }
}

/// Alerts by each way in which they are asked for.
pub async fn alerts_are_found_by_incident_name_and_sender(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    let all = views.alerts(AlertFilter::default(), whole()).await.unwrap().items;
    for alert in &all {
        let ask = |filter: AlertFilter| async { views.alerts(filter, whole()).await.unwrap().items };
        let named = ask(AlertFilter { name: Some(alert.name.clone()), ..Default::default() }).await;
        assert_eq!(named, all.iter().filter(|other| other.name == alert.name).cloned().collect::<Vec<_>>());
        let members = ask(AlertFilter { incident: alert.incident.clone(), ..Default::default() }).await;
        let expected: Vec<_> =
            all.iter().filter(|o| alert.incident.is_none() || o.incident == alert.incident).collect();
        assert_eq!(members.iter().collect::<Vec<_>>(), expected);
        for text in alert.source_fingerprint.iter().chain([&alert.fingerprint]) {
            let found = ask(AlertFilter { fingerprint: Some(text.clone()), ..Default::default() }).await;
            assert_eq!(found, std::slice::from_ref(alert), "{text}");
        }
        let labels: Vec<_> = alert.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        assert!(ask(AlertFilter { labels, ..Default::default() }).await.contains(alert));
    }
    assert!(!all.is_empty(), "a site has alerts");
}

/// Whole, in small letters, without what it begins with; none, and more than one.
pub async fn an_id_is_found_by_any_unique_prefix(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    for incident in incidents(&views, IncidentFilter::default(), None).await {
        let id = incident.id;
        for text in [id.clone(), id.to_lowercase(), id[4..].to_owned(), id[..14].to_lowercase()] {
            assert_eq!(views.incident(Some(&text), None).await.unwrap().id, id, "{text}");
        }
    }
    // Two that begin alike, where there are such.
    let first = |id: &str| id.get(..5).unwrap_or_default().to_owned();
    let all: Vec<String> =
        incidents(&views, IncidentFilter::default(), None).await.into_iter().map(|one| one.id).collect();
    for id in &all {
        if all.iter().filter(|other| first(other) == first(id)).count() > 1 {
            assert_eq!(code(views.incident(Some(&first(id)), None).await), says(Code::Ambiguous), "{id}");
        }
    }
    assert_eq!(code(views.incident(Some("INC-ZZZZZZ"), None).await), says(Code::NotFound));
    let event = openings(&views).await.remove(0);
    assert_eq!(views.event(&event.id[..12], None).await.unwrap(), event);
}

/// Events by the first word of their type, their whole type, kind, subject and range.
pub async fn events_are_filtered_by_kind_subject_and_range(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    let all = views.events(EventFilter::default(), whole()).await.unwrap().items;
    let ask = |filter: EventFilter| async { views.events(filter, whole()).await.unwrap().items };
    let fits = |keep: &dyn Fn(&&Event) -> bool| all.iter().filter(keep).cloned().collect::<Vec<_>>();
    let kind = |kind: &str| EventFilter { kind: Some(kind.to_owned()), ..Default::default() };
    assert_eq!(ask(kind("incident.opened")).await, fits(&|one| one.event_type == "incident.opened"));
    assert_eq!(ask(kind("incident")).await, fits(&|one| one.event_type.starts_with("incident.")));
    assert_eq!(ask(kind("decision")).await, fits(&|one| one.kind == "decision"));
    let middle = &all[all.len() / 2];
    let subject = EventFilter { subject: Some(middle.subject.clone()), ..Default::default() };
    assert_eq!(ask(subject).await, fits(&|one| one.subject == middle.subject));
    let (from, to) = (Some(middle.position), Some(middle.position));
    assert_eq!(ask(EventFilter { from, to, ..Default::default() }).await, std::slice::from_ref(middle));
    assert_eq!(ask(EventFilter { from, ..Default::default() }).await, fits(&|one| one.position >= middle.position));
}

/// Now, a position, and a time.
pub async fn a_moment_is_a_position_and_when_it_was_recorded(make: &dyn FilledViewsFactory) {
    let views = make.site().await.views();
    let reached = *views.position().borrow();
    assert_eq!(views.moment(None).await.unwrap().0, reached);
    assert_eq!(views.moment(at(reached)).await.unwrap().0, reached);
    let events = views.events(EventFilter::default(), whole()).await.unwrap().items;
    for event in &events {
        assert_eq!(views.moment(at(event.position)).await.unwrap(), (event.position, event.recorded_at));
    }
    let last = events.last().unwrap().recorded_at;
    assert_eq!(views.moment(Some(AsOf::Time(Time::ZERO))).await.unwrap().0, 0, "nothing was known when time began");
    assert!(views.moment(Some(AsOf::Time(last))).await.unwrap().0 >= events.last().unwrap().position);
}

/// The state counts what the lists hold.
pub async fn counts_agree_with_the_lists(make: &dyn FilledViewsFactory) {
    let mut site = make.site().await;
    let views = site.views();
    for _ in 0..2 {
        let state = views.state(None).await.unwrap();
        let all = incidents(&views, IncidentFilter::default(), None).await;
        let counts = state.incidents;
        assert_eq!(counts.open + counts.acknowledged + counts.resolved, all.len() as u64);
        let open = views.parked(true, whole()).await.unwrap().items;
        assert_eq!(state.parked, open.len() as u64);
        assert_eq!(state.position, *views.position().borrow());
        site.grow().await;
    }
}
