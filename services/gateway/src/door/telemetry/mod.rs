//! The doors for telemetry: log lines, OTLP, Prometheus' remote write and syslog. Owns what all of them share: what is
//! gathered out of a request, its bounds, and that nothing is answered before the store has it on disk.
//!
//! Telemetry goes beside the ledger: no request of these doors becomes an event. A bad record is named and the
//! good ones are taken; what is refused leaves nothing but a counter.

mod clean;
mod fields;
mod intake;
mod joined;
mod line;
pub(super) mod lines;
pub(super) mod otlp;
mod reading;
pub(super) mod remote_write;
mod shaped;
pub(crate) mod syslog;
mod wire;

use std::collections::BTreeMap;

use hindcast_api::{Code, Problem};
use hindcast_http::HttpRefusal;

/// Names and values that stand beside a record.
type RecordLabels = BTreeMap<String, String>;

/// Records of one request, samples and spans included.
const RECORDS_MAX: usize = 200_000;
/// Messages inside of a request's protobuf: each becomes far larger in memory than it can be on the wire.
const NODES_MAX: usize = 1_000_000;
/// Objects in a request's JSON, for the same reason.
const OBJECTS_MAX: usize = 500_000;
/// Bad records that an answer lists; all of them are counted.
const LISTED_MAX: usize = 100;
/// Environments that one request can mix.
const ENVIRONMENTS_MAX: usize = 64;
/// Bytes of a line; the rest is cut off, which is counted.
const MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// Labels of a record; what is beyond is left out, which is counted.
const LABELS_MAX: usize = 64;
/// Bytes of a label's name, a service or a metric.
const NAME_BYTES_MAX: usize = 256;
/// Bytes of a label's value.
const VALUE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of records that one request can become: labels that stand once in it stand in each of its records.
const GATHERED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The refusal of a request that is too much to be looked at.
fn too_many(what: &str, most: usize) -> HttpRefusal {
    let problem = Problem::new(Code::TooLarge, format!("expected at most {most} {what} a request"));
    HttpRefusal(problem.remedy("Send them in several requests."))
}
