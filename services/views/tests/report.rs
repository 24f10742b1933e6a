//! A report counts what a look through everything counts: random histories, random positions, and what is expected is
//! computed here from whole lists. And a pair that a person takes apart counts where its alerts stood together.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{AsOf, Incident, Label, Notice};
use hindcast_domain::command::Command;
use hindcast_domain::event::Draft;
use hindcast_domain::incident::Status;
use hindcast_domain::label::{About, Given, Kind, Provenance};
use hindcast_domain::{Event, EventId, Fingerprint, IncidentId, LabelId, Partition, Span, notice};
use hindcast_queries::{EventFilter, IncidentFilter, LabelFilter, NoticeFilter, Queries, ReportFilter, Window};
use hindcast_views::Views;
use proptest::prelude::*;

use crate::as_of::{action, history, positions, runtime};
use crate::common::{Running, World, fingerprint};

/// Everything that a report is made of, as of a position.
struct WholeLists {
    incidents: Vec<Incident>,
    notices: Vec<Notice>,
    labels: Vec<Label>,
    firings: usize,
}

fn whole(position: u64) -> Window {
    Window { as_of: Some(AsOf::Position(position)), limit: Some(500), cursor: None }
}

impl WholeLists {
    async fn read(views: &Views, position: u64) -> Self {
        let fired = EventFilter { kind: Some("alert.fired".into()), ..EventFilter::default() };
        Self {
            incidents: views.incidents(IncidentFilter::default(), whole(position)).await.unwrap().items,
            notices: views.notices(NoticeFilter::default(), whole(position)).await.unwrap().items,
            labels: views.labels(LabelFilter::default(), whole(position)).await.unwrap().items,
            firings: views.events(fired, whole(position)).await.unwrap().items.len(),
        }
    }

    fn of<'a>(&'a self, filter: &'a ReportFilter) -> impl Iterator<Item = &'a Incident> {
        let wanted = |one: &&Incident| {
            filter.environment.as_ref().is_none_or(|wanted| *wanted == one.environment)
                && filter.service.as_ref().is_none_or(|wanted| one.services.contains(wanted))
        };
        self.incidents.iter().filter(|one| one.merged_into.is_none()).filter(wanted)
    }

    fn said_of<'a>(&'a self, incident: &'a Incident) -> impl Iterator<Item = &'a Label> {
        let of = |label: &&Label| label.incident.as_ref() == Some(&incident.id) && label.retracted.is_none();
        self.labels.iter().filter(of)
    }

    fn told_of<'a>(&'a self, incident: &'a Incident) -> impl Iterator<Item = &'a Notice> {
        self.notices.iter().filter(|notice| notice.incident.as_ref() == Some(&incident.id))
    }
}

fn is_page(notice: &&Notice) -> bool {
    notice.page && !matches!(notice.status, notice::Status::Held | notice::Status::Released)
}

/// The report of a filter says what the lists say.
async fn is_what_the_lists_say(views: &Views, lists: &WholeLists, filter: ReportFilter, position: u64) {
    let total = views.report(filter.clone(), Some(AsOf::Position(position))).await.unwrap().total;
    let (mut expected, mut severities) = (BTreeMap::<&str, u64>::new(), BTreeMap::new());
    for incident in lists.of(&filter) {
        let over = incident.status == Status::Resolved;
        let named = incident.cause.is_some() || lists.said_of(incident).any(|label| label.kind == Kind::Cause);
        let counts = [
            ("incidents", 1),
            ("alerts", incident.alerts),
            ("messages", incident.occurrences),
            ("pages", lists.told_of(incident).filter(is_page).count() as u64),
            ("reopened", incident.reopened),
            ("labels", lists.said_of(incident).count() as u64),
            ("closed", u64::from(over)),
            ("with_cause", u64::from(over && named)),
            ("mtta", u64::from(incident.acknowledged_at.is_some())),
        ];
        counts.into_iter().for_each(|(name, count)| *expected.entry(name).or_default() += count);
        *severities.entry(incident.peak_severity).or_insert(0_u64) += 1;
    }
    let counted = [
        ("incidents", total.incidents),
        ("alerts", total.alerts),
        ("messages", total.messages),
        ("pages", total.pages),
        ("reopened", total.reopened),
        ("labels", total.labels),
        ("closed", total.closed),
        ("with_cause", total.with_cause),
        ("mtta", total.mtta.sample),
    ];
    for (name, count) in counted {
        assert_eq!(count, expected.get(name).copied().unwrap_or(0), "{name} of {filter:?} as of {position}");
    }
    assert_eq!(total.by_severity, severities, "{filter:?} as of {position}");
    if filter.service.is_none() && filter.environment.is_none() {
        let moments = lists.notices.iter().filter(is_page).map(|page| (page.at, &page.incident, page.reason));
        assert_eq!(total.paged as usize, moments.collect::<BTreeSet<_>>().len(), "moments as of {position}");
        assert_eq!(total.firings as usize, lists.firings, "as of {position}");
    }
}

/// A timeline read a few lines at a time is the timeline.
async fn turned_is_whole(views: &Views, incident: &str, position: u64, limit: usize) {
    let all = views.timeline(incident, whole(position)).await.unwrap().items;
    let (mut turned, mut cursor) = (Vec::new(), None);
    loop {
        let window = Window { as_of: Some(AsOf::Position(position)), limit: Some(limit), cursor };
        let page = views.timeline(incident, window).await.unwrap();
        assert!(page.items.len() == limit || page.next.is_none(), "a part is full, or the last one");
        turned.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(turned, all, "{incident} as of {position}, {limit} at a time");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_report_counts_what_a_look_through_everything_counts(
        actions in prop::collection::vec(action(), 1..60),
        place in any::<prop::sample::Index>(),
        limit in 1_usize..5,
    ) {
        runtime().block_on(async {
            let world = history(&actions).await;
            let running = Running::over(&world.ledger).await;
            for position in [*place.get(&positions(&world)), world.position()] {
                let lists = WholeLists::read(&running.views, position).await;
                let of = |service: Option<&str>, environment: Option<&str>| ReportFilter {
                    service: service.map(Into::into),
                    environment: environment.map(Into::into),
                    ..ReportFilter::default()
                };
                for filter in [of(None, None), of(Some("svc-1"), None), of(None, Some("staging"))] {
                    is_what_the_lists_say(&running.views, &lists, filter, position).await;
                }
                for incident in &lists.incidents {
                    turned_is_whole(&running.views, &incident.id, position, limit).await;
                }
            }
        });
    }
}

/// A person says that two alerts are two problems.
async fn apart(world: &mut World, home: &Partition, incident: &IncidentId, pair: [Fingerprint; 2]) {
    let [younger, older] = pair;
    let id = LabelId::derive(&[younger.as_str().as_bytes(), older.as_str().as_bytes()]);
    let given = Given {
        kind: Kind::Grouping,
        about: About::Pair { younger, fired: EventId::derive(&[b"fired"]), older, incident: incident.clone() },
        value: "different".into(),
        weight: 1_000,
        provenance: Provenance::Explicit,
        rule: "pair_different".into(),
        from: EventId::derive(&[b"from"]),
    };
    let draft = Draft::by("ada", &id, Event::LabelGiven(given));
    world.decide(home, "labels", vec![draft], None, Span::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_is_wrongly_merged_where_its_alerts_stood_together_when_a_person_took_it_apart() {
    let mut world = World::new();
    for alert in [1, 2, 5] {
        world.observe(alert, true, 0).await;
        world.wait(1_000);
    }
    let [(home, both), (_, other)] = [world.incidents[0].clone(), world.incidents[1].clone()];
    let members = |world: &World, id| world.books[&home].incidents[id].members.len();
    assert_eq!((members(&world, &both), members(&world, &other)), (2, 1));
    // Alerts that were kept apart: nothing was merged.
    apart(&mut world, &home, &other, [fingerprint(5), fingerprint(1)]).await;
    let kept_apart = world.position();
    apart(&mut world, &home, &both, [fingerprint(2), fingerprint(1)]).await;
    let said = world.position();
    // What became of them later changes nothing of it.
    let split = Command::SplitIncident { incident: both.clone(), fingerprints: vec![fingerprint(2)] };
    world.person(&home, "split", split).await;
    assert_eq!(members(&world, &both), 1);
    let running = Running::over(&world.ledger).await;
    for (position, expected) in [(kept_apart, 0), (said, 1), (world.position(), 1)] {
        let report = running.views.report(ReportFilter::default(), Some(AsOf::Position(position))).await.unwrap();
        assert_eq!(report.total.wrongly_merged, expected, "as of {position}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_that_was_split_before_somebody_speaks_of_it_is_no_wrong_merge() {
    let mut world = World::new();
    for alert in [1, 2] {
        world.observe(alert, true, 0).await;
        world.wait(1_000);
    }
    let (home, both) = world.incidents[0].clone();
    let split = Command::SplitIncident { incident: both.clone(), fingerprints: vec![fingerprint(2)] };
    world.person(&home, "split", split).await;
    apart(&mut world, &home, &both, [fingerprint(2), fingerprint(1)]).await;
    let running = Running::over(&world.ledger).await;
    let report = running.views.report(ReportFilter::default(), None).await.unwrap();
    assert_eq!((report.total.labels, report.total.wrongly_merged), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_that_alternate_are_folded_alike_wherever_a_part_of_a_timeline_begins() {
    let mut world = World::new();
    for _ in 0..4 {
        for alert in [1, 2] {
            world.observe(alert, true, 0).await;
            world.wait(1_000);
        }
    }
    let (home, incident) = world.incidents[0].clone();
    // A line behind them, so that a part begins after the last of the folded ones too.
    let note = Command::NoteIncident { incident: incident.clone(), text: "looking".into() };
    world.person(&home, "note", note).await;
    let running = Running::over(&world.ledger).await;
    let whole = running.views.timeline(incident.as_str(), whole(world.position())).await.unwrap().items;
    let folded = whole.iter().filter(|line| line.text.contains("received again 3 times")).count();
    assert_eq!(folded, 2, "{whole:?}");
    for limit in 1..=whole.len() {
        turned_is_whole(&running.views, incident.as_str(), world.position(), limit).await;
    }
}
