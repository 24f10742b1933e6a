//! What the hypotheses conclude of series whose truth is known.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use hindcast_domain::{Span, Time};
use hindcast_rca::hypotheses::{ServiceHypothesis, hypotheses};
use hindcast_rca::observed::{AlarmView, Observed};
use hindcast_rca::parameters::CauseParameters;

fn at(seconds: i64) -> Time {
    Time::from_millis(1_700_000_000_000) + Span::seconds(seconds)
}

/// Ten minutes at a level with a little noise, then two minutes at another.
fn steps(before: f64, after: f64) -> Vec<(Time, f64)> {
    let value = |second: i64| {
        let level = if second < 600 { before } else { after };
        level * (1.0 + f64::from(i32::try_from(second * 7 % 13).unwrap()) / 1_000.0)
    };
    (0..720).step_by(10).map(|second| (at(second), value(second))).collect()
}

fn observed(series: &[(&str, &str, f64, f64)], calls: &[(&str, &str)], alarm: &str) -> Observed {
    let mut observed = Observed {
        calls: calls.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
        alarm: AlarmView { services: [(alarm.to_owned(), 1.0)].into(), kind: None },
        ..Observed::default()
    };
    for (service, metric, before, after) in series {
        let window = (at(600), at(720));
        observed.add_series((service, metric), &steps(*before, *after), window, false, &CauseParameters::DEFAULT);
    }
    observed
}

fn ranked(series: &[(&str, &str, f64, f64)], calls: &[(&str, &str)], alarm: &str) -> Vec<ServiceHypothesis> {
    hypotheses(&observed(series, calls, alarm), &CauseParameters::DEFAULT)
}

fn score(ranked: &[ServiceHypothesis], service: &str) -> f64 {
    ranked.iter().find(|hypothesis| hypothesis.service == service).unwrap().score
}

#[test]
fn an_availability_that_rises_is_no_sign_and_one_that_falls_is() {
    let all = ranked(&[("db", "availability", 97.0, 100.0), ("mail", "availability", 100.0, 97.0)], &[], "shop");
    assert_eq!(all[0].service, "mail");
    assert!(score(&all, "db") < 0.0 && score(&all, "mail") > 0.0, "{all:?}");
}

#[test]
fn an_enormous_change_beats_several_small_ones() {
    let all = ranked(
        &[
            ("cache", "errors", 10.0, 15.0),
            ("cache", "latency_ms", 10.0, 15.0),
            ("cache", "queue", 10.0, 15.0),
            ("db", "errors", 10.0, 50_000.0),
        ],
        &[],
        "shop",
    );
    assert_eq!(all[0].service, "db", "{all:?}");
}

#[test]
fn a_callee_that_is_slower_by_as_much_explains_its_caller() {
    let calls = [("shop", "db"), ("shop", "mail")];
    let slow =
        [("shop", "latency_ms", 50.0, 150.0), ("db", "latency_ms", 5.0, 105.0), ("mail", "latency_ms", 5.0, 5.0)];
    let all = ranked(&slow, &calls, "shop");
    assert_eq!(all[0].service, "db", "{all:?}");
    let turned = ranked(&slow, &[("db", "shop"), ("db", "mail")], "db");
    assert_eq!(turned[0].service, "shop", "the direction of calls decides: {turned:?}");
}

#[test]
fn an_unharmed_caller_speaks_against_a_service_and_an_unmeasured_one_does_not() {
    let calls = [("shop", "db"), ("admin", "db")];
    let base = [("shop", "latency_ms", 50.0, 150.0), ("db", "latency_ms", 5.0, 105.0)];
    let with = |more: &[(&'static str, &'static str, f64, f64)]| {
        let series: Vec<_> = base.iter().chain(more).copied().collect();
        score(&ranked(&series, &calls, "shop"), "db")
    };
    let unmeasured = with(&[]);
    assert!(with(&[("admin", "latency_ms", 20.0, 20.0)]) < unmeasured);
    assert!(with(&[("admin", "latency_ms", 20.0, 90.0)]) > with(&[("admin", "latency_ms", 20.0, 20.0)]));
}

#[test]
fn where_nothing_moves_none_of_them_is_the_likeliest() {
    let quiet = [("shop", "latency_ms", 50.0, 50.0), ("db", "latency_ms", 5.0, 5.0), ("db", "cpu", 30.0, 30.0)];
    let all = ranked(&quiet, &[("shop", "db")], "shop");
    let any: f64 = all.iter().map(|hypothesis| hypothesis.probability).sum();
    assert!(any < 0.5, "{all:?}");
    let names: Vec<&str> = all.iter().map(|hypothesis| hypothesis.service.as_str()).collect();
    assert_eq!(names.len(), 2, "every service is ranked");
}
