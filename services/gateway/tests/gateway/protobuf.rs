//! Protobuf written by hand, so that a test does not read with what wrote.

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn tagged(field: u64, kind: u64, value: &[u8]) -> Vec<u8> {
    [&varint(field << 3 | kind), value].concat()
}

/// A whole number, a truth value or an enumeration.
pub(crate) fn whole(field: u64, value: u64) -> Vec<u8> {
    tagged(field, 0, &varint(value))
}

/// A number of 64 bits of fixed size.
pub(crate) fn fixed(field: u64, value: u64) -> Vec<u8> {
    tagged(field, 1, &value.to_le_bytes())
}

pub(crate) fn double(field: u64, value: f64) -> Vec<u8> {
    fixed(field, value.to_bits())
}

/// A text, or bytes.
pub(crate) fn text(field: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    tagged(field, 2, &[&varint(value.len() as u64), value].concat())
}

/// A message in a field.
pub(crate) fn message(field: u64, parts: &[Vec<u8>]) -> Vec<u8> {
    text(field, parts.concat())
}

/// An attribute of OTLP with a text, in a field.
pub(crate) fn attribute(field: u64, key: &str, value: &str) -> Vec<u8> {
    message(field, &[text(1, key), message(2, &[text(1, value)])])
}

/// An export of logs with one resource of a service.
pub(crate) fn logs(service: &str, records: &[Vec<u8>]) -> Vec<u8> {
    let resource = [attribute(1, "service.name", service), attribute(1, "host.name", "h-1")];
    let records: Vec<Vec<u8>> = records.iter().map(|record| text(2, record)).collect();
    message(1, &[message(1, &resource), message(2, &records)])
}

/// A log record with a line, at a moment and of a severity.
pub(crate) fn record(nanos: u64, severity: u64, line: &str) -> Vec<u8> {
    [fixed(1, nanos), whole(2, severity), message(5, &[text(1, line)])].concat()
}

/// An export of metrics with one resource of a service; `metrics` are (name, field of the kind, kind).
pub(crate) fn metrics(service: &str, metrics: &[(&str, u64, Vec<u8>)]) -> Vec<u8> {
    let metric = |(name, field, data): &(&str, u64, Vec<u8>)| message(2, &[text(1, name), text(*field, data)]);
    let metrics: Vec<Vec<u8>> = metrics.iter().map(metric).collect();
    message(1, &[message(1, &[attribute(1, "service.name", service)]), message(2, &metrics)])
}

/// A series of remote write: labels, and (value, milliseconds) samples.
pub(crate) fn series(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> Vec<u8> {
    let labels = labels.iter().map(|(name, value)| message(1, &[text(1, name), text(2, value)]));
    let samples = samples.iter().map(|(value, at)| message(2, &[double(1, *value), whole(2, *at as u64)]));
    message(1, &labels.chain(samples).collect::<Vec<_>>())
}

/// Snappy's block format.
pub(crate) fn snappy(body: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(body).unwrap()
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
