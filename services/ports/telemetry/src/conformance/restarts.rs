//! What survives a restart.

use super::{Factory, all_arrived, between, line, lines, messages, pinned_lines, production, sample, series};
use crate::{ArrivalCursor, LogFilter, LogLevel, SampleFilter, TelemetryBatch};

/// Lines, samples, pins and figures come back.
pub async fn what_was_answered_is_there_after_a_restart(make: &dyn Factory) {
    let mut site = make.site().await;
    let store = site.store();
    for second in 0..30 {
        let logs = vec![line(second, "a", LogLevel::Error, &second.to_string())];
        store
            .append(
                &production(),
                TelemetryBatch { logs, samples: vec![sample(second, "a", "m", 1.0)], ..TelemetryBatch::default() },
            )
            .await
            .unwrap();
    }
    let kept = store.pin(&production(), between(0, 30), 1 << 20).await.unwrap();
    let pinned = pinned_lines(&store, &kept).await;
    let before = store.figures();
    drop(store);
    let store = site.reopen().await;
    let expected: Vec<String> = (0..30).map(|second| second.to_string()).collect();
    assert_eq!(messages(&store, between(0, 30), LogFilter::default()).await, expected);
    assert_eq!(series(&store, between(0, 30), SampleFilter::default()).await.first().unwrap().points.len(), 30);
    assert_eq!(pinned_lines(&store, &kept).await, pinned);
    let after = store.figures();
    assert_eq!((after.records, after.pinned_bytes, after.oldest), (before.records, before.pinned_bytes, before.oldest));
    assert_eq!(store.pin(&production(), between(0, 30), 1 << 20).await.unwrap(), kept);
}

/// A place that was read to before a restart means the same after it, and new ones follow.
pub async fn a_cursor_goes_on_after_a_restart(make: &dyn Factory) {
    let mut site = make.site().await;
    let store = site.store();
    for number in 0..20 {
        store.append(&production(), lines(vec![line(0, "a", LogLevel::Info, &number.to_string())])).await.unwrap();
    }
    let all = all_arrived(&store, ArrivalCursor(0)).await;
    let (head, middle) = (store.head(), all.get(9).unwrap().next);
    drop(store);
    let store = site.reopen().await;
    assert_eq!(store.head(), head);
    assert_eq!(all_arrived(&store, middle).await, all.get(10..).unwrap());
    store.append(&production(), lines(vec![line(0, "a", LogLevel::Info, "new")])).await.unwrap();
    assert!(store.head() > head, "places rise on");
    let new = all_arrived(&store, head).await;
    let found: Vec<&str> = new.iter().flat_map(|a| &a.batch.logs).map(|record| record.message.as_str()).collect();
    assert_eq!(found, ["new"]);
}
