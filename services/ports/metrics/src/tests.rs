//! What the registry promises: series from the start, labels by the format's rules, and a bound that no sender breaks.

use std::collections::BTreeSet;

use crate::catalog::{self, LabelValueSet, MetricKind, NameSet};
use crate::family::{LATE_SERIES_MAX, OTHER, VALUE_CHARS_MAX};
use crate::{Exposition, MetricRegistry};

fn lines(text: &str, name: &str) -> Vec<String> {
    let of = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
    text.lines().filter(of).map(ToOwned::to_owned).collect()
}

#[test]
fn a_series_that_is_known_stands_at_zero_before_anything_is_counted() {
    let registry = MetricRegistry::builder()
        .names(NameSet::Receivers, ["pager", "screen"])
        .series("hindcast_requests_total", [vec!["/ingest/{source}".to_owned(), "503".to_owned()]])
        .build();
    let text = registry.render(Exposition::Text);
    assert_eq!(
        lines(&text, "hindcast_notices_failed_total"),
        ["hindcast_notices_failed_total{receiver=\"pager\"} 0", "hindcast_notices_failed_total{receiver=\"screen\"} 0"]
    );
    let requests = "hindcast_requests_total{door=\"/ingest/{source}\",code=\"503\"} 0";
    assert_eq!(lines(&text, "hindcast_requests_total"), [requests]);
    assert_eq!(lines(&text, "hindcast_memory_rebuilt_total"), ["hindcast_memory_rebuilt_total 0"]);
    let fallback = lines(&text, "hindcast_copilot_fallback_total");
    assert!(fallback.len() > 10 && fallback.iter().all(|line| line.ends_with("} 0")), "{fallback:?}");
    assert_eq!(lines(&text, "hindcast_ledger_sync_seconds_count"), ["hindcast_ledger_sync_seconds_count 0"]);
    // A state that nobody has told is not made up.
    assert!(!text.contains("hindcast_effects_held"));
}

#[test]
fn every_metric_has_its_help_and_type_in_both_formats() {
    let registry = MetricRegistry::builder().names(NameSet::Receivers, ["pager"]).build();
    for metric in catalog::all().filter(|metric| metric.kind == MetricKind::Gauge) {
        let labels: Vec<(&str, &str)> = metric
            .labels
            .iter()
            .map(|label| match label.values {
                LabelValueSet::Words(words) => (label.name, words[0]),
                LabelValueSet::Names(_) | LabelValueSet::Any => (label.name, "x"),
            })
            .collect();
        registry.set(metric.name, &labels, 1.0);
    }
    let (text, open) = (registry.render(Exposition::Text), registry.render(Exposition::OpenMetrics));
    for name in ["hindcast_notices_failed_total", "hindcast_effects_held", "hindcast_page_seconds"] {
        let family = name.strip_suffix("_total").unwrap_or(name);
        assert!(text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} ")), "{name}");
        assert!(open.contains(&format!("# HELP {family} ")) && open.contains(&format!("# TYPE {family} ")), "{name}");
    }
    let declared = text.lines().filter(|line| line.starts_with("# TYPE hindcast_")).count();
    let without = catalog::all()
        .filter(|metric| lines(&text, metric.name).is_empty() && !text.contains(&format!("{}_count", metric.name)));
    let without: Vec<&str> = without.map(|metric| metric.name).collect();
    // Of these nothing is known without sources, doors or codes.
    assert_eq!(declared + without.len(), catalog::all().count() + 1, "{without:?}");
    assert!(open.ends_with("# EOF\n") && !text.contains("# EOF"));
}

#[test]
fn a_label_value_is_escaped_as_the_format_wants_and_not_as_rust_does() {
    let registry = MetricRegistry::default();
    registry.count("hindcast_notices_failed_total", &[("receiver", "a\\b\"c\nd\te\u{7f}é{}")], 1.0);
    let expected = "hindcast_notices_failed_total{receiver=\"a\\\\b\\\"c\\nd\te\u{7f}é{}\"} 1";
    for format in [Exposition::Text, Exposition::OpenMetrics] {
        assert_eq!(lines(&registry.render(format), "hindcast_notices_failed_total"), [expected]);
    }
}

#[test]
fn hostile_names_make_no_more_series_than_the_bound() {
    let registry = MetricRegistry::builder().names(NameSet::Sources, ["prometheus"]).build();
    for n in 0..20_000 {
        let name = format!("{n}\"}} 1\n# TYPE x counter\nx{{a=\"{}", "λ".repeat(n % 500));
        registry.count("hindcast_alerts_received_total", &[("source", &name)], 1.0);
    }
    registry.count("hindcast_alerts_received_total", &[("source", "prometheus")], 5.0);
    let text = registry.render(Exposition::Text);
    let series = lines(&text, "hindcast_alerts_received_total");
    // Those that found room, the known one, and the rest as one.
    assert_eq!(series.len(), LATE_SERIES_MAX + 2);
    assert!(series.iter().all(|line| line.chars().count() < 2 * VALUE_CHARS_MAX + 60), "values are cut");
    assert!(
        !text.lines().any(|line| line.starts_with("# TYPE x") || line.starts_with("x{")),
        "nobody writes a line of ours"
    );
    assert!((registry.get("hindcast_alerts_received_total", &[("source", "prometheus")]) - 5.0).abs() < 0.1);
    let rest = registry.get("hindcast_alerts_received_total", &[("source", OTHER)]);
    assert!((rest - 19_800.0).abs() < 0.1, "nothing is lost: {rest}");
    assert!(lines(&text, "hindcast_metrics_left_out_total") == ["hindcast_metrics_left_out_total 19800"]);
}

#[test]
fn a_gauge_of_many_ends_with_what_it_was_about() {
    let registry = MetricRegistry::default();
    registry.replace("hindcast_lag_commits", &[(vec!["views"], 3.0), (vec!["one/notices"], 1.0)]);
    registry.replace("hindcast_lag_commits", &[(vec!["views"], 0.0)]);
    let text = registry.render(Exposition::Text);
    assert_eq!(lines(&text, "hindcast_lag_commits"), ["hindcast_lag_commits{service=\"views\"} 0.0"]);
}

#[test]
fn a_counter_that_is_handed_out_is_the_one_that_is_shown() {
    let registry = MetricRegistry::builder().names(NameSet::Sources, ["prometheus"]).build();
    let counter = registry.counter("hindcast_alerts_received_total", &[("source", "prometheus")]);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (counter, registry) = (counter.clone(), registry.clone());
            std::thread::spawn(move || {
                for _ in 0..10_000 {
                    counter.inc();
                    registry.count("hindcast_alerts_received_total", &[("source", "prometheus")], 2.0);
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(counter.get(), 120_000);
}

#[test]
fn names_are_unique_and_say_what_they_count() {
    let names: Vec<&str> = catalog::all().map(|metric| metric.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for metric in catalog::all() {
        let name = metric.name;
        assert!(name.starts_with("hindcast_") && !metric.help.ends_with('.') && !metric.help.is_empty(), "{name}");
        assert_eq!(metric.kind.is_counter(), name.ends_with("_total"), "{name}");
        assert!(!matches!(metric.kind, MetricKind::Histogram(_)) || name.ends_with("_seconds"), "{name}");
    }
}
