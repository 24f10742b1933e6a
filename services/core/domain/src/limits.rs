//! Every bound of the core in one place, with its unit last in its name. A bound that grows is a decision.

use crate::time::Span;

/// Most events that one commit may append.
pub const COMMIT_EVENTS_MAX: usize = 4_096;
/// Bytes of one commit after compression.
pub const COMMIT_BYTES_MAX: usize = 512 * 1024;
/// Labels or annotations of one alert.
pub const LABELS_MAX: usize = 256;
/// Bytes of one label's name.
pub const LABEL_NAME_BYTES_MAX: usize = 1_024;
/// Bytes of one label's value.
pub const LABEL_VALUE_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one alert (labels and annotations together), so that any alert fits a commit.
pub const ALERT_BYTES_MAX: usize = 128 * 1024;
/// Bytes of one request's body, after decompression.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Levels of nesting in a request's JSON.
pub const JSON_DEPTH_MAX: usize = 64;
/// Bytes of a note, cause, resolution or comment that a person writes.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Occurrences that an alert remembers, so that an old state sent again is known.
pub const OCCURRENCES_KEPT_MAX: usize = 16;
/// Other start times (replicas) that one occurrence remembers.
pub const STARTS_KEPT_MAX: usize = 8;
/// Incidents that are named as considered and not chosen, for one alert.
pub const CONSIDERED_MAX: usize = 3;
/// Notes kept on an incident's state; the ledger has them all.
pub const NOTES_KEPT_MAX: usize = 100;
/// Fingerprints in one split command.
pub const SPLIT_FINGERPRINTS_MAX: usize = 1_000;
/// Services in a catalogue.
pub const CATALOG_SERVICES_MAX: usize = 10_000;
/// Matchers of one silence.
pub const MATCHERS_MAX: usize = 64;
/// Bytes of a matcher's regular expression.
pub const PATTERN_MAX: usize = 256 << 10;

/// How far in the past a sender's start time is believed.
pub const CLAMP_PAST: Span = Span::hours(24);
/// How far in the future a sender's start time is believed.
pub const CLAMP_FUTURE: Span = Span::minutes(5);

const _: () = assert!(ALERT_BYTES_MAX < COMMIT_BYTES_MAX / 2, "any alert must fit a commit");
const _: () = assert!(COMMIT_EVENTS_MAX == 1 << 12, "a position keeps the index in 12 bits");
