//! What all views hold of a snapshot: it answers of its position alone, and counts what its own lists hold.

// A suite is made of expectations; a panic with its reason is what it is for.
#![allow(clippy::unwrap_used)]

use hindcast_api::{AsOf, Code, LIMIT_MAX};
use hindcast_domain::Time;
use hindcast_domain::incident::Status;

use super::{FilledViewsFactory, code, openings, says};
use crate::{AlertFilter, EventFilter, IncidentFilter, ListPart, NoticeFilter, Snapshots};

/// What happens after a snapshot was opened is in no answer of it, whichever question is asked; each list says its
/// position, and a cursor of another one is refused.
pub async fn a_snapshot_answers_of_its_position_alone(make: &dyn FilledViewsFactory) {
    let mut site = make.site().await;
    let snapshots = Snapshots::from(site.views());
    let seen = snapshots.now().await.unwrap();
    assert_eq!(seen.position(), *site.views().position().borrow(), "now is what was reached");
    assert!(seen.is_now() && !seen.is_provisional());
    let whole = || ListPart::first(LIMIT_MAX);
    macro_rules! answers {
        ($seen:expr) => {{
            let seen = $seen;
            let newest = seen.incident(None).await.unwrap();
            (
                seen.incidents(IncidentFilter::default(), whole()).await.unwrap(),
                seen.alerts(AlertFilter::default(), whole()).await.unwrap(),
                seen.notices(NoticeFilter::default(), whole()).await.unwrap(),
                seen.events(EventFilter::default(), whole()).await.unwrap(),
                seen.silences(whole()).await.unwrap(),
                seen.parked(false, whole()).await.unwrap(),
                seen.timeline(&newest.id, whole()).await.unwrap(),
                seen.why(&newest.id).await.unwrap(),
                seen.counted().await.unwrap(),
                newest,
            )
        }};
    }
    let before = answers!(&seen);
    let first = seen.incidents(IncidentFilter::default(), ListPart::first(1)).await.unwrap();
    site.grow().await;
    let after = answers!(&seen);
    assert_eq!(after, before, "a snapshot does not grow");
    let positions = [after.0.position, after.1.position, after.2.position, after.3.position, after.4.position];
    assert_eq!(positions, [seen.position(); 5]);
    assert_eq!([after.5.position, after.6.position, after.7.position], [seen.position(); 3]);
    let later = snapshots.now().await.unwrap();
    assert!(later.position() > seen.position(), "something has happened");
    assert_ne!(answers!(&later).0, before.0, "a later snapshot shows it");
    let further = ListPart { limit: Some(1), cursor: first.next };
    assert_eq!(seen.incidents(IncidentFilter::default(), further.clone()).await.unwrap().position, seen.position());
    assert_eq!(code(later.incidents(IncidentFilter::default(), further).await), says(Code::BadCursor));
    let subject = answers!(&later).9.id;
    let next = seen.next_event_of(&subject).await.unwrap();
    assert!(next.is_some_and(|next| next > seen.position() && next <= later.position()), "{next:?}");
    assert_eq!(later.next_event_of(&subject).await.unwrap(), None);
}

/// The counts of a snapshot are those of its lists, also once more has happened, and of a position long ago.
pub async fn a_snapshot_counts_what_its_own_lists_hold(make: &dyn FilledViewsFactory) {
    let mut site = make.site().await;
    let snapshots = Snapshots::from(site.views());
    let mut opened = vec![snapshots.at(0).await.unwrap(), snapshots.now().await.unwrap()];
    for event in openings(&site.views()).await {
        opened.push(snapshots.at(event.position).await.unwrap());
    }
    site.grow().await;
    opened.push(snapshots.now().await.unwrap());
    for seen in opened {
        let counted = seen.counted().await.unwrap();
        let (incidents, alerts) = (counted.incidents, counted.alerts);
        let listed = seen.incidents(IncidentFilter::default(), ListPart::first(LIMIT_MAX)).await.unwrap().items;
        let of = |status| listed.iter().filter(|incident| incident.status == status).count() as u64;
        let by_status = [of(Status::Open), of(Status::Acknowledged), of(Status::Resolved)];
        assert_eq!([incidents.open, incidents.acknowledged, incidents.resolved], by_status, "{seen:?}");
        let listed = seen.alerts(AlertFilter::default(), ListPart::first(LIMIT_MAX)).await.unwrap().items;
        assert_eq!(alerts.firing + alerts.resolved + alerts.stale, listed.len() as u64, "{seen:?}");
        let parked = seen.parked(true, ListPart::first(LIMIT_MAX)).await.unwrap().items;
        assert_eq!(counted.parked, parked.len() as u64, "{seen:?}");
    }
}

/// A look back from a snapshot stays behind it, whatever is asked for.
pub async fn what_was_earlier_is_never_later_than_the_snapshot(make: &dyn FilledViewsFactory) {
    let mut site = make.site().await;
    let snapshots = Snapshots::from(site.views());
    let seen = snapshots.now().await.unwrap();
    site.grow().await;
    for then in [AsOf::Position(u64::MAX), AsOf::Time(Time::MAX)] {
        assert_eq!(seen.earlier(then).await.unwrap().position(), seen.position(), "{then:?}");
    }
    let first = openings(&site.views()).await.remove(0);
    let then = seen.earlier(AsOf::Position(first.position)).await.unwrap();
    assert_eq!((then.position(), then.recorded_at()), (first.position, first.recorded_at));
    assert!(!then.is_now());
}
