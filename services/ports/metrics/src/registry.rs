//! The handle by which every service of the process counts. It knows metrics by their names; what they mean is their
//! declaration's business.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use crate::catalog::{self, LabelValueSet, MetricDeclaration, MetricKind, NameSet};
use crate::exposition::Exposition;
use crate::family::{LabelledMetric, MetricFamily, cut};
use crate::histogram::AtomicHistogram;
use crate::process::ProcessCollector;

/// Labels of one series at most.
const LABELS_MAX: usize = 4;

/// All metrics of a process. Cheap to clone; all clones are the same one.
#[derive(Clone, Debug)]
pub struct MetricRegistry {
    inner: Arc<RegistryFamilies>,
}

#[derive(Debug)]
struct RegistryFamilies {
    /// Sorted by name.
    families: Vec<Arc<MetricFamily>>,
    registry: Registry,
}

/// What is known of label values before anything is counted.
#[derive(Debug, Default)]
pub struct RegistryBuilder {
    names: BTreeMap<NameSet, Vec<String>>,
    series: BTreeMap<&'static str, Vec<Vec<String>>>,
}

impl RegistryBuilder {
    /// The names that a process knows at its start: every series that they can be part of exists from then on.
    #[must_use]
    pub fn names<N: Into<String>>(mut self, set: NameSet, names: impl IntoIterator<Item = N>) -> Self {
        self.names.entry(set).or_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Single series of a metric whose label values do not combine freely.
    #[must_use]
    pub fn series(mut self, metric: &'static str, values: impl IntoIterator<Item = Vec<String>>) -> Self {
        self.series.entry(metric).or_default().extend(values);
        self
    }

    /// A registry of what was declared and named so far.
    #[must_use]
    pub fn build(mut self) -> MetricRegistry {
        let left_out = Counter::default();
        let mut declared: Vec<&'static MetricDeclaration> = catalog::all().collect();
        declared.sort_by_key(|metric| metric.name);
        let mut registry = Registry::default();
        let families = declared.into_iter().map(|metric| {
            let mut known = self.combinations(metric);
            let more = self.series.remove(metric.name).unwrap_or_default();
            known.extend(more.into_iter().map(|values| values.iter().map(|value| cut(value)).collect()));
            let family = Arc::new(MetricFamily::new(metric, known, left_out.clone()));
            let name = metric.name.strip_suffix("_total").filter(|_| metric.kind.is_counter());
            registry.register(name.unwrap_or(metric.name), metric.help, SharedFamily(Arc::clone(&family)));
            family
        });
        let families = families.collect();
        registry.register(catalog::LEFT_OUT.0, catalog::LEFT_OUT.1, left_out);
        registry.register_collector(Box::new(ProcessCollector::new()));
        MetricRegistry { inner: Arc::new(RegistryFamilies { families, registry }) }
    }

    /// Every combination of the label values that are known. A gauge says something only once it is set.
    fn combinations(&self, metric: &MetricDeclaration) -> Vec<Box<[Box<str>]>> {
        if metric.kind == MetricKind::Gauge {
            return Vec::new();
        }
        let mut rows: Vec<Vec<Box<str>>> = vec![Vec::new()];
        for label in metric.labels {
            let values: Vec<Box<str>> = match label.values {
                LabelValueSet::Words(words) => words.iter().map(|word| (*word).into()).collect(),
                LabelValueSet::Names(set) => self.names.get(&set).into_iter().flatten().map(|name| cut(name)).collect(),
                LabelValueSet::Any => Vec::new(),
            };
            let with = |row: &[Box<str>], value: &str| [row, &[value.into()]].concat();
            rows = rows.iter().flat_map(|row| values.iter().map(move |value| with(row, value))).collect();
        }
        rows.into_iter().map(Vec::into_boxed_slice).collect()
    }
}

impl Default for MetricRegistry {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl MetricRegistry {
    /// Collects what is known of label values.
    #[must_use]
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// Adds to a counter.
    pub fn count(&self, name: &'static str, labels: &[(&'static str, &str)], by: f64) {
        self.on(name, labels, |family, values| family.with(values, |series| series.add(by)));
    }

    /// Sets a gauge, or a counter that is kept elsewhere.
    pub fn set(&self, name: &'static str, labels: &[(&'static str, &str)], to: f64) {
        self.on(name, labels, |family, values| family.with(values, |series| series.set(to)));
    }

    /// Sets all series of a gauge at once, each with its label values in the declared order: the others end.
    pub fn replace(&self, name: &'static str, rows: &[(Vec<&str>, f64)]) {
        if let Some(family) = self.family(name) {
            family.replace(rows);
        }
    }

    /// One figure as it stands; 0 where nobody counted.
    #[must_use]
    pub fn get(&self, name: &'static str, labels: &[(&'static str, &str)]) -> f64 {
        self.on(name, labels, |family, values| family.find(values)).flatten().map_or(0.0, |series| series.value())
    }

    /// One counter, which costs an atomic addition from here on.
    #[must_use]
    pub fn counter(&self, name: &'static str, labels: &[(&'static str, &str)]) -> Counter<u64> {
        match self.on(name, labels, MetricFamily::series) {
            Some(LabelledMetric::Counter(counter)) => counter,
            _ => Counter::default(),
        }
    }

    /// One histogram, which costs two atomic additions from here on.
    #[must_use]
    pub fn histogram(&self, name: &'static str, labels: &[(&'static str, &str)]) -> AtomicHistogram {
        match self.on(name, labels, MetricFamily::series) {
            Some(LabelledMetric::Histogram(histogram)) => histogram,
            _ => AtomicHistogram::new(&[]),
        }
    }

    /// All metrics in a format.
    #[must_use]
    pub fn render(&self, format: Exposition) -> String {
        let mut out = String::new();
        let written = match format {
            Exposition::Text => prometheus_text::encode(&mut out, &self.inner.registry),
            Exposition::OpenMetrics => text::encode(&mut out, &self.inner.registry),
        };
        if written.is_err() {
            tracing::error!("the metrics could not be written");
        }
        out
    }

    fn family(&self, name: &str) -> Option<&MetricFamily> {
        let families = &self.inner.families;
        let found = families.binary_search_by(|family| family.declared.name.cmp(name)).ok();
        debug_assert!(found.is_some(), "the metric {name} is not in the catalogue");
        found.and_then(|found| families.get(found)).map(AsRef::as_ref)
    }

    /// Finds a metric and brings the label values into its order.
    fn on<T>(
        &self,
        name: &str,
        labels: &[(&'static str, &str)],
        act: impl FnOnce(&MetricFamily, &[&str]) -> T,
    ) -> Option<T> {
        let family = self.family(name)?;
        let declared = family.declared.labels;
        let mut values = [""; LABELS_MAX];
        let mut fits = declared.len() == labels.len();
        for (label, value) in declared.iter().zip(&mut values) {
            match labels.iter().find(|(name, _)| *name == label.name) {
                Some((_, said)) => *value = said,
                None => fits = false,
            }
        }
        debug_assert!(fits, "the metric {name} has other labels than {labels:?}");
        fits.then(|| act(family, values.get(..declared.len()).unwrap_or_default()))
    }
}

/// A family that the registry of `prometheus-client` and ours share.
#[derive(Debug)]
struct SharedFamily(Arc<MetricFamily>);

impl EncodeMetric for SharedFamily {
    fn encode(&self, encoder: MetricEncoder<'_>) -> std::fmt::Result {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.0.metric_type()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
