//! What stands for a value, and the units that may follow one. Owns the list of units; refuses to know words.

/// What stands for a value.
pub const WILDCARD: &str = "<*>";

/// The units that make a quantity of the number before them, in lower case.
pub(crate) const UNITS: [&str; 49] = [
    "b",
    "bit",
    "bits",
    "bps",
    "byte",
    "bytes",
    "day",
    "days",
    "gb",
    "gbps",
    "ghz",
    "gib",
    "hour",
    "hours",
    "hr",
    "hrs",
    "hz",
    "kb",
    "kbps",
    "kbytes",
    "khz",
    "kib",
    "mb",
    "mbps",
    "mbytes",
    "mhz",
    "mib",
    "microseconds",
    "millis",
    "millisecond",
    "milliseconds",
    "min",
    "mins",
    "minute",
    "minutes",
    "ms",
    "msec",
    "msecs",
    "nanoseconds",
    "ns",
    "percent",
    "sec",
    "second",
    "seconds",
    "secs",
    "tb",
    "tib",
    "us",
    "usec",
];

/// A unit and the punctuation behind it.
pub(crate) fn unit(word: &str) -> Option<(&str, &str)> {
    let end = word.bytes().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(word.len());
    let (name, trail) = word.split_at(end);
    let mut lower = [0_u8; 12];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    let known = UNITS.binary_search_by(|unit| unit.as_bytes().cmp(lower)).is_ok();
    let punctuated = trail.bytes().all(|byte| b",;:.)]}\"'".contains(&byte));
    (known && punctuated).then_some((name, trail))
}
