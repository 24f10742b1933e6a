//! The process's own metrics: which there are, how they are counted, and how Prometheus reads them.
//!
//! The one contract of this crate: *a series that can be known when the process starts exists from the start, counting
//! it takes no lock, and no sender can make more series than a bound.*
//!
//! - [`catalog`] declares every metric with its help, its labels and their values. Nothing else is exposed.
//! - [`MetricRegistry`] is the handle that every service has; it counts by name. [`MetricRegistry::counter`] and
//!   [`MetricRegistry::histogram`] hand out one series, which costs an atomic addition from then on.
//! - [`Exposition`] is the format that a scraper asked for.
//! - [`process`] reads what the operating system knows of the process, at each scrape.
//!
//! What is absent on purpose: no clock, no socket, and no meaning of a figure. `prometheus-client` owns the formats.

pub mod catalog;
mod exposition;
mod family;
mod histogram;
pub mod process;
mod registry;

#[cfg(test)]
mod tests;

pub use exposition::Exposition;
pub use histogram::AtomicHistogram;
pub use prometheus_client::metrics::counter::Counter;
pub use registry::{MetricRegistry, RegistryBuilder};
