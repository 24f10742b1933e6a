//! What is read from an index is what a look through everything finds: alerts of an incident, open notices, disputes,
//! coverage and counts. Random histories, random positions; what is expected is computed here from whole lists.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::{AsOf, Label};
use hindcast_domain::incident::Status;
use hindcast_domain::label::{Kind, Provenance};
use hindcast_domain::notice;
use hindcast_queries::{AlertFilter, IncidentFilter, LabelFilter, NoticeFilter, Queries, Window};
use hindcast_views::Views;
use proptest::prelude::*;

use crate::as_of::{action, history, positions, runtime};
use crate::common::{Running, World};

fn whole(position: u64) -> Window {
    Window { as_of: Some(AsOf::Position(position)), limit: Some(500), cursor: None }
}

/// Alerts of each incident, whole and page by page, are those that hold it together.
async fn alerts_of_incidents(views: &Views, position: u64) {
    let at = Some(AsOf::Position(position));
    for incident in views.incidents(IncidentFilter::default(), whole(position)).await.unwrap().items {
        let why = views.why(&incident.id, at).await.unwrap();
        let expected: BTreeSet<String> = why.members.iter().map(|member| member.fingerprint.clone()).collect();
        let filter = AlertFilter { incident: Some(incident.id.clone()), ..AlertFilter::default() };
        let all = views.alerts(filter.clone(), whole(position)).await.unwrap().items;
        let listed: Vec<String> = all.iter().map(|alert| alert.fingerprint.clone()).collect();
        assert_eq!(listed.len(), expected.len(), "{}: {listed:?}, not {expected:?}", incident.id);
        assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), expected, "{} as of {position}", incident.id);
        assert_eq!(listed.len() as u64, incident.alerts, "the head counts what is listed");
        let (mut turned, mut cursor) = (Vec::new(), None);
        loop {
            let window = Window { as_of: at, limit: Some(1), cursor };
            let page = views.alerts(filter.clone(), window).await.unwrap();
            turned.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(turned, all, "{} page by page", incident.id);
        let cited = views.joined(&incident.id, &listed, at).await.unwrap();
        let told = why.members.iter().map(|it| (it.fingerprint.clone(), (it.event.clone(), it.position)));
        let cited: BTreeMap<_, _> = cited.into_iter().map(|(id, cited)| (id, (cited.event, cited.position))).collect();
        assert_eq!(cited, told.collect(), "{} as of {position}", incident.id);
        let one = views.why_of(&incident.id, &listed[..listed.len().min(1)], at).await.unwrap();
        let of_one: Vec<_> = why.members.iter().filter(|member| listed.first() == Some(&member.fingerprint)).collect();
        assert_eq!(one.members.iter().collect::<Vec<_>>(), of_one);
    }
}

async fn open_notices(views: &Views, position: u64) {
    let all = views.notices(NoticeFilter::default(), whole(position)).await.unwrap().items;
    for status in [vec![notice::Status::Requested], vec![notice::Status::Held, notice::Status::Requested]] {
        let filter = NoticeFilter { status: status.clone(), ..NoticeFilter::default() };
        let found = views.notices(filter, whole(position)).await.unwrap().items;
        let expected: Vec<_> = all.iter().filter(|notice| status.contains(&notice.status)).cloned().collect();
        assert_eq!(found, expected, "{status:?} as of {position}");
    }
    for incident in all.iter().filter_map(|notice| notice.incident.clone()).collect::<BTreeSet<_>>() {
        let filter = NoticeFilter { incident: Some(incident.clone()), ..NoticeFilter::default() };
        let found = views.notices(filter, whole(position)).await.unwrap().items;
        let expected: Vec<_> =
            all.iter().filter(|notice| notice.incident.as_ref() == Some(&incident)).cloned().collect();
        assert_eq!(found, expected, "of {incident} as of {position}");
    }
}

/// Labels that count and by which people say different things of one incident.
fn disputed(labels: &[Label]) -> BTreeSet<String> {
    let mut topics: BTreeMap<(String, String), Vec<&Label>> = BTreeMap::new();
    for label in labels.iter().filter(|it| it.provenance == Provenance::Explicit && it.retracted.is_none()) {
        let topic = (format!("{:?}", label.kind), label.incident.clone().unwrap_or_default());
        topics.entry(topic).or_default().push(label);
    }
    let differ = |said: &Vec<&Label>| {
        let people: BTreeSet<_> = said.iter().map(|label| &label.by).collect();
        let values: BTreeSet<_> = said.iter().map(|label| &label.value).collect();
        people.len() > 1 && values.len() > 1
    };
    topics.into_values().filter(differ).flatten().map(|label| label.id.clone()).collect()
}

async fn labels(views: &Views, position: u64) {
    let all = views.labels(LabelFilter::default(), whole(position)).await.unwrap().items;
    let expected = disputed(&all);
    let said: BTreeSet<_> = all.iter().filter(|label| label.disputed).map(|label| label.id.clone()).collect();
    assert_eq!(said, expected, "as of {position}");
    for wanted in [true, false] {
        let filter = LabelFilter { disputed: Some(wanted), ..LabelFilter::default() };
        let found = views.labels(filter, whole(position)).await.unwrap().items;
        let fitting: Vec<_> = all.iter().filter(|label| label.disputed == wanted).cloned().collect();
        assert_eq!(found, fitting, "disputed: {wanted}, as of {position}");
    }
    for incident in all.iter().filter_map(|label| label.incident.clone()).collect::<BTreeSet<_>>() {
        let filter = LabelFilter { incident: Some(incident.clone()), ..LabelFilter::default() };
        let found = views.labels(filter, whole(position)).await.unwrap().items;
        let fitting: Vec<_> = all.iter().filter(|label| label.incident.as_ref() == Some(&incident)).cloned().collect();
        assert_eq!(found, fitting, "of {incident}, as of {position}");
    }
    coverage(views, position, &all, &expected).await;
}

async fn coverage(views: &Views, position: u64, labels: &[Label], disputed: &BTreeSet<String>) {
    let coverage = views.label_coverage(Some(AsOf::Position(position))).await.unwrap();
    let counts = |label: &&Label| label.retracted.is_none();
    let explicit = |label: &&Label| counts(label) && label.provenance == Provenance::Explicit;
    let numbers = [coverage.labels, coverage.explicit, coverage.retracted];
    let expected = [
        labels.iter().filter(counts).count(),
        labels.iter().filter(explicit).count(),
        labels.iter().filter(|label| label.retracted.is_some()).count(),
    ];
    assert_eq!(numbers.map(|number| number as usize), expected, "as of {position}");
    let causes: BTreeSet<_> = labels
        .iter()
        .filter(counts)
        .filter(|label| label.kind == Kind::Cause)
        .flat_map(|it| it.incident.clone())
        .collect();
    let all = views.incidents(IncidentFilter::default(), whole(position)).await.unwrap().items;
    let closed = all.iter().filter(|one| one.status == Status::Resolved && one.merged_into.is_none());
    let named = |id: &String, cause: &Option<String>| cause.is_some() || causes.contains(id);
    let closed: Vec<_> = closed.map(|one| (one.id.clone(), named(&one.id, &one.cause), one.services.clone())).collect();
    let with_cause = closed.iter().filter(|(_, named, _)| *named).count();
    assert_eq!(
        (coverage.closed as usize, coverage.with_cause as usize),
        (closed.len(), with_cause),
        "as of {position}"
    );
    let missing: Vec<_> = closed.iter().filter(|(_, named, _)| !named).map(|(id, ..)| id.clone()).collect();
    assert_eq!(coverage.missing, missing, "as of {position}");
    let mut services: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for (_, named, of) in &closed {
        for service in of {
            let slot = services.entry(service.clone()).or_default();
            *slot = (slot.0 + 1, slot.1 + u32::from(*named));
        }
    }
    let told = coverage.services.iter().map(|(service, slot)| (service.clone(), (slot.closed, slot.with_cause)));
    assert_eq!(told.collect::<BTreeMap<_, _>>(), services, "as of {position}");
    let differ: BTreeSet<_> =
        coverage.disagreements.iter().flat_map(|one| &one.said).map(|one| one.label.clone()).collect();
    assert_eq!(&differ, disputed, "as of {position}");
}

async fn all_of(views: &Views, world: &World, position: u64) {
    alerts_of_incidents(views, position).await;
    open_notices(views, position).await;
    labels(views, position).await;
    let state = views.state(Some(AsOf::Position(position))).await.unwrap();
    let counted = views.counted(position).await.unwrap();
    let told = (counted.incidents, counted.alerts, counted.parked);
    assert_eq!(told, (state.incidents, state.alerts, state.parked), "as of {position} of {}", world.position());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_finds_what_a_look_through_everything_finds(
        actions in prop::collection::vec(action(), 1..60),
        places in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        runtime().block_on(async {
            let world = history(&actions).await;
            let running = Running::over(&world.ledger).await;
            let all = positions(&world);
            let at = places.iter().map(|place| *place.get(&all)).chain([world.position()]);
            for position in at {
                all_of(&running.views, &world, position).await;
            }
        });
    }
}
