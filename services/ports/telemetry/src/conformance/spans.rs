//! Spans of requests: kept beside lines and samples, found by their own time, and pinned with them.

use super::{Factory, all_arrived, at, between, line, pinned_lines, production, sample};
use crate::{ArrivalCursor, LogLevel, SpanFilter, SpanKind, TelemetryBatch, TraceSpan};

fn span(seconds: i64, service: &str, id: u64, failed: bool) -> TraceSpan {
    TraceSpan {
        time: at(seconds),
        nanos: 1_500_000,
        service: service.to_owned(),
        name: "GET /cart".to_owned(),
        kind: SpanKind::Server,
        trace: u128::from(id) << 64,
        id,
        parent: id - 1,
        failed,
        peer: "postgres".to_owned(),
    }
}

/// By service and stretch, oldest first; of more than the limit the newest; lines and samples of the same batch stay as
/// they are, and a pin holds all.
pub async fn spans_of_a_stretch_come_oldest_first_and_the_newest_of_many(make: &dyn Factory) {
    let site = make.site().await;
    let store = site.store();
    let mixed = TelemetryBatch {
        logs: vec![line(1, "a", LogLevel::Error, "m")],
        samples: vec![sample(1, "a", "m", 1.0)],
        spans: vec![span(3, "a", 4, true), span(1, "a", 2, false)],
    };
    let alone = TelemetryBatch { spans: vec![span(2, "b", 3, false), span(9, "b", 9, false)], ..Default::default() };
    for batch in [mixed.clone(), alone.clone()] {
        store.append(&production(), batch).await.unwrap();
    }
    let ids = async |stretch, service: Option<&str>, limit| -> Vec<u64> {
        let filter = SpanFilter { service: service.map(str::to_owned), limit };
        store.spans(&production(), stretch, filter).await.unwrap().iter().map(|span| span.id).collect()
    };
    assert_eq!(ids(between(0, 10), None, 10).await, [2, 3, 4, 9]);
    assert_eq!(ids(between(1, 3), None, 10).await, [2, 3]);
    assert_eq!(ids(between(0, 10), Some("b"), 10).await, [3, 9]);
    assert_eq!(ids(between(0, 10), None, 2).await, [4, 9]);
    assert!(ids(between(0, 10), None, 0).await.is_empty());
    let found = store.spans(&production(), between(3, 4), SpanFilter::default()).await.unwrap();
    assert_eq!(found, [span(3, "a", 4, true)], "a span comes back as it was given");
    let arrived: Vec<TelemetryBatch> =
        all_arrived(&store, ArrivalCursor(0)).await.into_iter().map(|arrived| arrived.batch).collect();
    assert_eq!(arrived, [mixed, alone]);
    let kept = store.pin(&production(), between(0, 9), 1 << 20).await.unwrap();
    assert_eq!((kept.records, kept.missing), (5, 0));
    let pinned = pinned_lines(&store, &kept).await;
    assert_eq!(pinned.iter().filter(|line| line.contains("\"trace\":\"00")).count(), 3, "{pinned:?}");
    let mut read: Vec<TraceSpan> = pinned.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    read.sort_by_key(|span| span.id);
    assert_eq!(read, [span(1, "a", 2, false), span(2, "b", 3, false), span(3, "a", 4, true)]);
}
