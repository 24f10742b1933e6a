//! Counters and gauges that every service of the process shares, as Prometheus text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

/// Shared figures. Names are fixed by whoever counts; label values must come from bounded sets.
#[derive(Clone, Debug, Default)]
pub struct MetricRegistry {
    figures: Arc<Mutex<BTreeMap<MetricKey, f64>>>,
}

type MetricKey = (&'static str, Vec<(&'static str, String)>);

impl MetricRegistry {
    /// Adds to a counter; its name ends in `_total`.
    pub fn count(&self, name: &'static str, labels: &[(&'static str, &str)], by: f64) {
        *self.lock().entry(key(name, labels)).or_default() += by;
    }

    /// Sets a gauge.
    pub fn set(&self, name: &'static str, labels: &[(&'static str, &str)], to: f64) {
        self.lock().insert(key(name, labels), to);
    }

    /// One figure as it stands; 0 where nobody counted.
    #[must_use]
    pub fn get(&self, name: &'static str, labels: &[(&'static str, &str)]) -> f64 {
        self.lock().get(&key(name, labels)).copied().unwrap_or(0.0)
    }

    /// All figures in the Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut before = "";
        for ((name, labels), value) in self.lock().iter() {
            if *name != before {
                let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
                line(&mut text, format_args!("# TYPE {name} {kind}\n"));
                before = name;
            }
            let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            line(&mut text, format_args!("{name}{labels} {value}\n"));
        }
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<MetricKey, f64>> {
        self.figures.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> MetricKey {
    (name, labels.iter().map(|(key, value)| (*key, (*value).to_owned())).collect())
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    text.write_fmt(line).unwrap_or_default();
}
