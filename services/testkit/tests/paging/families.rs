//! Families of situations, each drawn many times: what people are told of them, and when.

use hindcast_domain::alert::Signal;
use hindcast_domain::command::Command;
use hindcast_domain::event::Event;
use hindcast_domain::incident::Status;
use hindcast_domain::notice::{DeliveredMessage, Requested};
use hindcast_domain::{Partition, Severity, Span, Time};
use hindcast_mlops::seeded::Seeded;

use super::history::{PagedHistory, Tampering};

const DRAWN: u64 = 60;
/// An alert of a kind and a service; the others of its service are `OF_SERVICE`.
const FIRST: usize = 0;
const OF_SERVICE: [usize; 3] = [2, 3, 5];

fn families() -> impl Iterator<Item = (u64, Seeded)> {
    let first = super::seed();
    (first..first + DRAWN).map(|seed| (seed, Seeded::new(seed)))
}

fn seconds(draws: &mut Seeded, from: usize, to: usize) -> Span {
    Span::seconds(i64::try_from(from + draws.below(to - from)).unwrap())
}

/// What receivers took after a time.
fn taken(history: &PagedHistory, after: Time) -> Vec<(Time, &DeliveredMessage)> {
    let later = history.log.iter().filter(|event| event.time > after);
    later
        .filter_map(|event| match &event.event {
            Event::NoticeDelivered(delivered) => Some((event.time, delivered.message.as_ref()?)),
            _ => None,
        })
        .collect()
}

fn titles(history: &PagedHistory, after: Time) -> Vec<&Requested> {
    let later = history.log.iter().filter(|event| event.time > after);
    later
        .filter_map(|event| match &event.event {
            Event::NoticeRequested(asked) => Some(asked),
            _ => None,
        })
        .collect()
}

fn acknowledge(history: &mut PagedHistory) {
    let open = history.incidents_that(|status| status == Status::Open);
    for incident in open {
        let subject = incident.to_string();
        history.ask(Partition::of_environment("production"), &subject, Command::AcknowledgeIncident { incident });
    }
}

#[test]
fn another_critical_rule_is_paged_by_name_however_old_the_incident_is() {
    for (seed, mut draws) in families() {
        let mut history = PagedHistory::new(seed, Tampering::default());
        history.say(FIRST, Severity::Critical, Signal::Firing);
        history.pass(history.now + Span::minutes(1));
        let acknowledged = draws.chance(500);
        if acknowledged {
            acknowledge(&mut history);
        }
        // While nobody cares, sooner than that it is of the fault that people were paged for a moment ago.
        let least = if acknowledged { 60 } else { 300 };
        history.pass(history.now + seconds(&mut draws, least, 40_000));
        let (began, other) = (history.now, OF_SERVICE[draws.below(OF_SERVICE.len())]);
        let fingerprint = history.say(other, Severity::Critical, Signal::Firing);
        history.pass(began + Span::seconds(60));
        let paged = taken(&history, began)
            .into_iter()
            .any(|(_, message)| message.page && message.alerts.iter().any(|named| named.fingerprint == fingerprint));
        assert!(paged, "seed {seed}: {:?}", taken(&history, began));
    }
}

#[test]
fn one_delivery_that_ends_one_instance_and_begins_another_says_no_end_and_keeps_the_acknowledgement() {
    for (seed, mut draws) in families() {
        let mut history = PagedHistory::new(seed, Tampering::default());
        history.say(FIRST, Severity::Critical, Signal::Firing);
        history.pass(history.now + Span::seconds(20));
        let acknowledged = draws.chance(500);
        if acknowledged {
            acknowledge(&mut history);
        }
        history.pass(history.now + Span::seconds(20));
        let began = history.now;
        for _ in 0..2 + draws.below(8) {
            let fingerprint = history.churn_of(FIRST, Severity::Critical);
            let churned = history.now;
            history.pass(churned + seconds(&mut draws, 61, 200));
            let named = |(_, message): &(Time, &DeliveredMessage)| {
                message.alerts.iter().any(|named| named.fingerprint == fingerprint)
            };
            let told = taken(&history, churned);
            assert!(told.iter().any(|it| named(it) && it.0 <= churned + Span::seconds(60)), "seed {seed}: {told:?}");
        }
        let told = taken(&history, began);
        assert!(told.iter().all(|(_, message)| message.status != Some(Status::Resolved)), "seed {seed}: {told:?}");
        assert!(told.iter().all(|(_, message)| !message.page), "seed {seed}: nothing in it is new");
        let of_status = |wanted: Status| history.incidents_that(|status| status == wanted).len();
        let expected = if acknowledged { (0, 1) } else { (1, 0) };
        assert_eq!((of_status(Status::Open), of_status(Status::Acknowledged)), expected, "seed {seed}");
    }
}

#[test]
fn whoever_heard_of_the_end_hears_of_the_return_and_is_paged_if_it_stays() {
    for (seed, mut draws) in families() {
        let mut history = PagedHistory::new(seed, Tampering::default());
        history.say(FIRST, Severity::Critical, Signal::Firing);
        history.pass(history.now + seconds(&mut draws, 3, 100));
        history.say(FIRST, Severity::Critical, Signal::Resolved);
        history.pass(history.now + seconds(&mut draws, 13, 110));
        assert!(taken(&history, Time::ZERO).iter().any(|(_, message)| message.status == Some(Status::Resolved)));
        let back = history.now;
        let fingerprint = history.say(FIRST, Severity::Critical, Signal::Firing);
        history.pass(back + Span::seconds(60));
        let told = taken(&history, back);
        let names = |message: &DeliveredMessage| {
            let firing = |named: &&hindcast_domain::notice::NamedAlert| named.status == Signal::Firing;
            message.alerts.iter().filter(firing).any(|named| named.fingerprint == fingerprint)
        };
        assert!(told.iter().any(|(_, message)| names(message)), "seed {seed}: {told:?}");
        assert!(told.iter().any(|(_, message)| message.page), "seed {seed}: it stays critical: {told:?}");
        assert_eq!(told.last().and_then(|(_, message)| message.status), Some(Status::Open), "seed {seed}: {told:?}");
    }
}

#[test]
fn what_makes_it_worse_is_in_the_title() {
    for (seed, mut draws) in families() {
        let mut history = PagedHistory::new(seed, Tampering::default());
        history.say(FIRST, Severity::Medium, Signal::Firing);
        history.pass(history.now + seconds(&mut draws, 20, 10_000));
        let began = history.now;
        let mut worse: Vec<usize> = OF_SERVICE.to_vec();
        worse.rotate_left(draws.below(OF_SERVICE.len()));
        worse.truncate(1 + draws.below(2));
        let fingerprints: Vec<_> =
            worse.iter().map(|number| history.say(*number, Severity::Critical, Signal::Firing)).collect();
        history.pass(began + Span::seconds(60));
        let asked = titles(&history, began);
        let pages: Vec<&&Requested> = asked.iter().filter(|asked| asked.page).collect();
        assert!(!pages.is_empty(), "seed {seed}: {asked:?}");
        for page in &pages {
            let old = page.title.starts_with("HighLatency");
            assert!(!old, "seed {seed}: the title is of what was there before: {}", page.title);
        }
        let named = |fingerprint: &hindcast_domain::Fingerprint| {
            pages.iter().any(|page| page.alerts.iter().any(|it| it.fingerprint == *fingerprint))
        };
        assert!(fingerprints.iter().all(named), "seed {seed}: {pages:?}");
    }
}
