//! What a pin holds, and how much.

use super::{Factory, at, between, line, lines, pinned_lines, production, sample};
use crate::{LogLevel, LogRecord, Sample, TelemetryBatch};

/// A pin's blocks are JSON of all of the stretch, and the same when it is pinned again.
pub async fn a_pin_holds_lines_and_samples_and_is_the_same_again(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let logs: Vec<LogRecord> = (0..20).map(|n| line(19 - n, "a", LogLevel::Info, &format!("m{n}"))).collect();
    let values: Vec<Sample> = (0..20).map(|n| sample(n, "a", "m", 0.5)).collect();
    store
        .append(
            &production(),
            TelemetryBatch { logs: logs.clone(), samples: values.clone(), ..TelemetryBatch::default() },
        )
        .await
        .unwrap();
    let kept = store.pin(&production(), between(0, 10), 1 << 20).await.unwrap();
    assert_eq!((kept.records, kept.missing), (20, 0));
    assert!(kept.bytes > 0 && !kept.hashes.is_empty());
    let pinned = pinned_lines(&store, &kept).await;
    let mut expected: Vec<String> = logs.iter().filter(|record| record.time < at(10)).map(json).collect();
    expected.extend(values.iter().filter(|sample| sample.time < at(10)).map(json));
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(pinned), sorted(expected));
    let pinned_bytes = store.figures().pinned_bytes;
    assert!(pinned_bytes > 0);
    assert_eq!(store.pin(&production(), between(0, 10), 1 << 20).await.unwrap(), kept);
    assert_eq!(store.figures().pinned_bytes, pinned_bytes, "the same block is kept once");
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

/// Lines at warning or worse and samples come before other lines, and what does not fit is counted.
pub async fn a_pin_is_bounded_and_keeps_what_warns_first(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let noise = |n: i64| {
        // Text that does not compress away.
        let text: String =
            (0..40).map(|k: i64| char::from(b'a' + ((n * 7_919 + k * k * 104_729) % 26) as u8)).collect();
        line(n % 100, "a", LogLevel::Info, &format!("{n} {text}"))
    };
    store.append(&production(), lines((0..2_000).map(noise).collect())).await.unwrap();
    let late = TelemetryBatch {
        logs: vec![line(99, "a", LogLevel::Warning, "the one")],
        samples: vec![sample(99, "a", "m", 1.0)],
        ..TelemetryBatch::default()
    };
    store.append(&production(), late).await.unwrap();
    let whole = store.pin(&production(), between(0, 100), 1 << 26).await.unwrap();
    assert_eq!((whole.records, whole.missing), (2_002, 0));
    let bound = whole.bytes / 4;
    let part = store.pin(&production(), between(0, 100), bound).await.unwrap();
    assert!(part.bytes <= bound && part.missing > 0 && part.records + part.missing == 2_002, "{part:?}");
    let lines = pinned_lines(&store, &part).await;
    assert_eq!(lines.len() as u64, part.records);
    assert!(lines.iter().any(|line| line.contains("the one")), "what warns is kept first");
    assert!(lines.iter().any(|line| line.contains("\"metric\"")), "samples are kept first");
    let none = store.pin(&production(), between(0, 100), 1).await.unwrap();
    assert_eq!((none.records, none.missing, none.hashes.len()), (0, 2_002, 0));
}

/// A hash is nothing but a hash.
pub async fn a_hash_that_is_none_finds_nothing(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    for hash in ["", "../lock", "/etc/passwd", &"0".repeat(64), &"A".repeat(64), &format!("{}/x", "0".repeat(62))] {
        assert_eq!(store.pinned(hash).await.unwrap(), None, "{hash}");
    }
}
