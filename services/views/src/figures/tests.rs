//! Each definition at its borders, over histories made by hand.

use hindcast_domain::{IncidentId, LabelId, Severity};

use hindcast_domain::Span;
use hindcast_domain::incident::Incident;

use super::*;

fn at(minute: i64) -> Time {
    Time::ZERO + Span::minutes(minute)
}

fn stretch() -> Stretch {
    Stretch { since: at(100), until: at(200), service: None }
}

/// One that a rule grouped, opened two minutes behind its first symptom.
fn incident(opened: i64, services: &[&str]) -> Incident {
    let id = IncidentId::derive(&[&opened.to_be_bytes()]);
    Incident {
        services: services.iter().map(|service| (*service).to_owned()).collect(),
        started_at: at(opened - 2),
        weights: 1,
        grouped_by: BTreeSet::from([1]),
        revision: 1,
        ..Incident::born(id, "checkout fails", Severity::High, at(opened))
    }
}

fn row(incident: &Incident) -> IncidentRow {
    IncidentRow::of(incident, "production", None)
}

fn told() -> IncidentFigures {
    IncidentFigures { alerts: 3, messages: 9, pages: 1, accounted: true, ..IncidentFigures::default() }
}

fn total(incidents: &[(Incident, IncidentFigures)]) -> ReportRow {
    let mut figures = Figures::new(stretch());
    incidents.iter().for_each(|(incident, told)| figures.incident(&row(incident), told));
    figures.rows().0
}

fn label(kind: Kind, value: &str, rule: &str, provenance: Provenance) -> LabelNote {
    let (label, incident) = (LabelId::derive(&[rule.as_bytes()]), IncidentId::derive(&[b"x"]));
    LabelNote {
        label: label.to_string(),
        at: at(150).nanos(),
        incident: Some(incident.to_string()),
        kind,
        value: value.into(),
        provenance,
        rule: rule.into(),
    }
}

#[test]
fn a_stretch_holds_its_beginning_and_not_its_end() {
    let opened = [99, 100, 199, 200].map(|minute| (incident(minute, &["a"]), told()));
    assert_eq!(total(&opened).incidents, 2);
    let mut figures = Figures::new(stretch());
    for minute in [99, 100, 199, 200] {
        figures.firing(at(minute), None);
        figures.paged(at(minute), &[]);
    }
    let row = figures.rows().0;
    assert_eq!((row.firings, row.paged), (2, 2));
}

#[test]
fn an_incident_of_two_services_counts_for_both_and_once_in_the_total() {
    let mut figures = Figures::new(stretch());
    figures.incident(&row(&incident(120, &["a", "b"])), &told());
    figures.incident(&row(&incident(121, &["b"])), &told());
    let (total, services) = figures.rows();
    assert_eq!((total.incidents, services["a"].incidents, services["b"].incidents), (2, 1, 2));
    assert_eq!((total.alerts, services["a"].alerts, services["b"].messages), (6, 3, 18));
}

#[test]
fn a_service_that_is_asked_for_stands_alone() {
    let mut figures = Figures::new(Stretch { service: Some("a".into()), ..stretch() });
    figures.incident(&row(&incident(120, &["a", "b"])), &told());
    figures.incident(&row(&incident(121, &["b"])), &told());
    figures.firing(at(120), Some(&"b".to_owned()));
    let (total, services) = figures.rows();
    assert_eq!((total.incidents, total.firings), (1, 0));
    assert_eq!(services.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn what_became_a_part_of_another_incident_is_left_out() {
    let merged = Incident { merged_into: Some(IncidentId::derive(&[b"other"])), ..incident(120, &["a"]) };
    assert_eq!(total(&[(merged, told())]), ReportRow::default());
}

#[test]
fn detection_leaves_out_what_people_declared_and_not_what_they_split_off() {
    let declared = Incident { grouped_by: BTreeSet::new(), ..incident(120, &["a"]) };
    let split = Incident { split_from: Some(IncidentId::derive(&[b"whole"])), ..declared.clone() };
    let row = total(&[(declared, told()), (split, told())]);
    assert_eq!((row.mttd.sample, row.mttd.mean_s), (1, Some(120.0)));
    assert_eq!((row.declared, row.missed), (1, 1));
}

#[test]
fn a_symptom_of_a_clock_that_runs_ahead_is_no_negative_span() {
    let ahead = Incident { started_at: at(130), ..incident(120, &["a"]) };
    assert_eq!(total(&[(ahead, told())]).mttd.mean_s, Some(0.0));
}

#[test]
fn a_snooze_is_no_acknowledgement() {
    let snoozed = Incident { snoozed_until: Some(at(180)), ..incident(120, &["a"]) };
    let taken = Incident { acknowledged_at: Some(at(126)), ..snoozed.clone() };
    let row = total(&[(snoozed, told()), (taken, told())]);
    assert_eq!((row.incidents, row.mtta.sample, row.mtta.median_s), (2, 1, Some(360.0)));
}

#[test]
fn the_end_counts_from_the_first_symptom_and_only_where_it_is_over() {
    let over = Incident { status: Status::Resolved, resolved_at: Some(at(150)), ..incident(120, &["a"]) };
    let known = Incident { cause: Some("a bad deploy".into()), ..over.clone() };
    // One that came back: its earlier end is no end.
    let back = Incident { status: Status::Open, cause: Some("not yet".into()), ..over.clone() };
    let row = total(&[(over, told()), (known, told()), (back, told())]);
    assert_eq!((row.mttr.sample, row.mttr.mean_s), (2, Some(32.0 * 60.0)));
    assert_eq!((row.closed, row.with_cause), (2, 1));
}

#[test]
fn an_incident_is_missed_once_however_often() {
    let declared = Incident { grouped_by: BTreeSet::new(), reopened: 3, ..incident(120, &["a"]) };
    let came_back = IncidentFigures { came_back: true, ..told() };
    let row = total(&[(declared, came_back.clone()), (incident(121, &["a"]), came_back), (incident(122, &[]), told())]);
    assert_eq!((row.missed, row.declared, row.came_back, row.reopened), (2, 1, 2, 3));
}

#[test]
fn only_what_pages_and_was_named_to_nobody_is_unaccounted() {
    let silent = IncidentFigures { accounted: false, ..told() };
    let low = Incident { peak_severity: Severity::Low, ..incident(120, &["a"]) };
    let declared = Incident { grouped_by: BTreeSet::new(), ..incident(120, &["a"]) };
    assert_eq!(total(&[(low, silent.clone()), (declared, silent.clone())]).unaccounted, 0);
    assert_eq!(total(&[(incident(120, &["a"]), told()), (incident(121, &["a"]), silent)]).unaccounted, 1);
}

#[test]
fn noise_removed_is_what_fired_beyond_the_moments_of_a_page() {
    let removed = |firings: i64, pages: i64| {
        let mut figures = Figures::new(stretch());
        (0..firings).for_each(|minute| figures.firing(at(110 + minute), None));
        (0..pages).for_each(|minute| figures.paged(at(110 + minute), &[]));
        figures.rows().0.noise_removed
    };
    assert_eq!(removed(8, 1), Some(875));
    assert_eq!(removed(2, 3), Some(0), "more pages than firings remove nothing");
    assert_eq!(removed(0, 1), None, "nothing is said of an empty sample");
}

#[test]
fn labels_say_what_was_worth_it_and_what_was_merged_wrongly() {
    let mut one = told();
    for (kind, value, rule, provenance) in [
        (Kind::Attention, "useful", "acknowledged", Provenance::Explicit),
        (Kind::Attention, "useful", "feedback_useful", Provenance::Explicit),
        (Kind::Attention, "noise", "feedback_noise", Provenance::Explicit),
        (Kind::Grouping, "different", "split", Provenance::Explicit),
    ] {
        one.label(&label(kind, value, rule, provenance), true);
    }
    let row = total(&[(incident(120, &["a"]), one)]);
    assert_eq!((row.labels, row.useful, row.noise, row.no_action, row.wrongly_merged), (4, 1, 1, 0, 1));
}

#[test]
fn what_was_kept_apart_or_merged_by_people_was_not_merged_wrongly_by_us() {
    for (value, rule, provenance) in [
        ("same", "split_undone", Provenance::Explicit),
        ("different", "merge_undone", Provenance::Explicit),
        ("different", "cause_apart", Provenance::Implicit),
    ] {
        let mut one = told();
        one.label(&label(Kind::Grouping, value, rule, provenance), true);
        assert!(!one.wrongly_merged, "{rule}");
    }
}

#[test]
fn nothing_is_said_of_an_empty_sample() {
    let empty = duration(Vec::new());
    assert_eq!((empty.mean_s, empty.median_s, empty.p90_s, empty.sample), (None, None, None, 0));
}

#[test]
fn ranks_are_of_the_sample_itself() {
    let ten = duration((1..=10).rev().map(f64::from).collect());
    assert_eq!((ten.mean_s, ten.median_s, ten.p90_s, ten.sample), (Some(5.5), Some(5.0), Some(9.0), 10));
    let one = duration(vec![7.0]);
    assert_eq!((one.median_s, one.p90_s), (Some(7.0), Some(7.0)));
}

#[test]
fn every_figure_has_a_definition() {
    let row = serde_json::to_value(ReportRow::default()).unwrap();
    let told: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    let named: BTreeSet<&str> = DEFINITIONS.iter().map(|(name, _)| *name).collect();
    let plain = BTreeSet::from(["by_severity", "closed", "reopened"]);
    assert_eq!(told.difference(&named).copied().collect::<BTreeSet<_>>(), plain, "these say what they are");
    assert_eq!(named.difference(&told).count(), 0);
}
