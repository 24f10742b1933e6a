//! What gathered repeats mean for the correlator, read as a specification.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod harness;

use harness::{Lane, alert, at, fingerprint, types};
use hindcast_domain::Severity::{Critical, High};
use hindcast_domain::alert::{Observation, Status};
use hindcast_domain::command::Command;
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::repeats::{RepeatBatch, RepeatedAlert};
use hindcast_domain::{Fingerprint, Span};

fn again(lane: &mut Lane, seconds: i64, alerts: &[Fingerprint]) -> Vec<Recorded> {
    let one = |fingerprint: &Fingerprint| RepeatedAlert {
        fingerprint: fingerprint.clone(),
        count: 1,
        stale_after_s: 300,
        sender: None,
    };
    let alerts = alerts.iter().map(one).collect();
    let batch = RepeatBatch { from: at(seconds), to: at(seconds), requests: Vec::new(), alerts };
    lane.input(at(seconds), "repeats", Event::Repeats(batch))
}

fn short(name: &str, service: &str) -> Observation {
    Observation { stale_after: Span::seconds(300), ..alert(name, service, Critical) }
}

#[test]
fn a_repeat_decides_nothing_and_keeps_its_alert_from_going_stale() {
    let mut lane = Lane::shop();
    lane.see(10, short("PgDown", "postgres"));
    let pg = fingerprint("PgDown", "postgres");
    assert_eq!(again(&mut lane, 200, std::slice::from_ref(&pg)), []);
    assert_eq!(again(&mut lane, 450, std::slice::from_ref(&pg)), []);
    assert_eq!(types(&lane.pass(at(749))), Vec::<String>::new());
    let stale = lane.pass(at(751));
    let Event::AlertStale(last) = &stale[0].event else { panic!("{stale:#?}") };
    assert_eq!((stale[0].time, last.last_seen_at), (at(750), at(450)));
}

#[test]
fn a_repeat_of_what_is_stale_fires_again() {
    let mut lane = Lane::shop();
    lane.see(10, short("PgDown", "postgres"));
    let pg = fingerprint("PgDown", "postgres");
    let decided = again(&mut lane, 400, std::slice::from_ref(&pg));
    assert_eq!(types(&decided), ["alert.fired"]);
    assert_eq!(lane.state.book.alerts[&pg].status, Status::Firing);
    assert_eq!(lane.state.book.alerts[&pg].stale_at, Some(at(700)));
}

#[test]
fn a_repeat_that_was_overtaken_by_the_end_says_nothing() {
    let mut lane = Lane::shop();
    lane.see(10, short("PgDown", "postgres"));
    lane.resolve(200, "PgDown", "postgres");
    assert_eq!(again(&mut lane, 100, &[fingerprint("PgDown", "postgres")]), []);
    assert_eq!(again(&mut lane, 200, &[fingerprint("PgDown", "postgres")]), []);
    assert_eq!(again(&mut lane, 100, &[fingerprint("Unknown", "postgres")]), []);
}

#[test]
fn alerts_that_go_on_behind_a_resolved_incident_come_back_together() {
    let mut lane = Lane::shop();
    for (seconds, name, service) in [(10, "PgDown", "postgres"), (12, "CheckoutErrors", "checkout")] {
        lane.see(seconds, Observation { stale_after: Span::hours(12), ..alert(name, service, High) });
    }
    let both = [fingerprint("PgDown", "postgres"), fingerprint("CheckoutErrors", "checkout")];
    let incident = lane.only().id.clone();
    lane.command(20, Command::ResolveIncident { incident, cause: None, resolution: None });
    let lag = lane.state.seen.rules.lag_s;
    assert_eq!(again(&mut lane, 20 + lag, &both), []);
    assert!(!again(&mut lane, 30 + lag, &both).is_empty());
    assert_eq!(lane.live().len(), 1, "one problem, whether repeats come one by one or in a batch");
    assert_eq!(lane.live()[0].members.len(), 2);
    assert_eq!(again(&mut lane, 40 + lag, &both), []);
}
