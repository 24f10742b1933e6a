//! What stands for a value, and the units that may follow one. Owns the list of units; refuses to know words.

/// What stands for a value.
pub const WILDCARD: &str = "<*>";

/// Whether this names a unit, in lower case: what makes a quantity of the number before it.
fn is_unit(name: &[u8]) -> bool {
    matches!(
        name,
        b"b" | b"bit"
            | b"bits"
            | b"bps"
            | b"byte"
            | b"bytes"
            | b"day"
            | b"days"
            | b"gb"
            | b"gbps"
            | b"ghz"
            | b"gib"
            | b"hour"
            | b"hours"
            | b"hr"
            | b"hrs"
            | b"hz"
            | b"kb"
            | b"kbps"
            | b"kbytes"
            | b"khz"
            | b"kib"
            | b"mb"
            | b"mbps"
            | b"mbytes"
            | b"mhz"
            | b"mib"
            | b"microseconds"
            | b"millis"
            | b"millisecond"
            | b"milliseconds"
            | b"min"
            | b"mins"
            | b"minute"
            | b"minutes"
            | b"ms"
            | b"msec"
            | b"msecs"
            | b"nanoseconds"
            | b"ns"
            | b"percent"
            | b"sec"
            | b"second"
            | b"seconds"
            | b"secs"
            | b"tb"
            | b"tib"
            | b"us"
            | b"usec"
    )
}

/// A unit and the punctuation behind it.
pub(crate) fn unit(word: &str) -> Option<(&str, &str)> {
    let end = word.bytes().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(word.len());
    let (name, trail) = word.split_at(end);
    let mut lower = [0_u8; 12];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    let known = is_unit(lower);
    let punctuated = trail.bytes().all(|byte| b",;:.)]}\"'".contains(&byte));
    (known && punctuated).then_some((name, trail))
}
