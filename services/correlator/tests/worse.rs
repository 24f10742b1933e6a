//! An alert that becomes worse while no incident that goes on holds it, read as a specification: what pages is never
//! left to an incident that a person resolved, or to none.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod harness;

use harness::{Lane, at, fingerprint};
use hindcast_domain::Severity::{self, Critical, High, Info, Low, Medium};
use hindcast_domain::command::Command;
use hindcast_domain::event::Event;
use hindcast_domain::words::GroupingRule;

const ALL: [Severity; 5] = [Info, Low, Medium, High, Critical];

#[test]
fn what_was_too_harmless_for_an_incident_opens_one_when_it_is_worse() {
    for severity in ALL.into_iter().filter(|severity| *severity > Info) {
        let mut lane = Lane::shop();
        lane.fire(10, "DiskFull", "postgres", Info);
        assert!(lane.incidents().is_empty());
        lane.fire(40, "DiskFull", "postgres", severity);
        assert_eq!(lane.only().severity, severity);
        assert!(lane.only().members.contains_key(&fingerprint("DiskFull", "postgres")));
    }
}

#[test]
fn what_a_person_resolved_opens_anew_when_it_pages_and_was_less_before() {
    for before in ALL.into_iter().filter(|before| *before > Info) {
        for after in ALL {
            let mut lane = Lane::shop();
            lane.fire(10, "DiskFull", "postgres", before);
            let resolved = lane.id(0);
            lane.command(20, Command::ResolveIncident { incident: resolved, cause: None, resolution: None });
            lane.fire(40, "DiskFull", "postgres", after);
            let live: Vec<_> = lane.live().into_iter().map(|incident| incident.severity).collect();
            let opens = after > before && after.pages();
            assert_eq!(live, if opens { vec![after] } else { Vec::new() }, "{before} and then {after}");
            if opens {
                let joined = &lane.live()[0].members[&fingerprint("DiskFull", "postgres")];
                assert_eq!(joined.joined_at, at(40));
                let mut said = lane.log.iter().filter_map(|recorded| match &recorded.event {
                    Event::IncidentOpened(opened) => Some(&opened.grouping.rule),
                    _ => None,
                });
                assert_eq!(said.next_back(), Some(&GroupingRule::StillFiring));
            }
        }
    }
}
