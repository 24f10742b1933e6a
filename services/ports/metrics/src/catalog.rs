//! Every metric of the process: its name, its help, its labels and which values they can have. What is not declared here
//! is not exposed. `docs/metrics.md` is written from these declarations.

mod advice;
mod chat;
mod declared;
mod intake;
mod learning;
mod ledger;
mod paging;
mod server;

pub use self::declared::{LabelDeclaration, LabelValueSet, MetricDeclaration, MetricKind, NameSet};
pub use crate::family::OTHER;

/// The one metric of the registry itself: its name without `_total`, and its help.
pub const LEFT_OUT: (&str, &str) =
    ("hindcast_metrics_left_out", "Label values that found no room in a metric and count as other there");

/// Every metric that services count.
pub fn all() -> impl Iterator<Item = &'static MetricDeclaration> {
    [intake::ALL, ledger::ALL, paging::ALL, chat::ALL, advice::ALL, learning::ALL, server::ALL].into_iter().flatten()
}
