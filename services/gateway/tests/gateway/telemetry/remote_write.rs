//! Metrics as Prometheus' remote write sends them.

use serde_json::json;

use super::{PROTOBUF, SNAPPY};
use crate::protobuf::{double, message, series, snappy, text, whole};
use crate::support::{World, now};

#[tokio::test]
async fn remote_write_is_kept_and_answered_without_a_body() {
    let at = now().millis();
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let body = [
        series(&[("__name__", "up"), ("instance", "i:1"), ("job", "node")], &[(1.0, at), (0.0, at + 15_000)]),
        series(
            &[("__name__", "q"), ("app", "cart"), ("env", "production"), ("job", "k8s")],
            &[(2.0, at), (stale, at + 1)],
        ),
        series(&[("__name__", "r"), ("service", "shop"), ("app", "a")], &[(f64::INFINITY, at), (3.0, at + 2)]),
        series(&[("__name__", "nobody")], &[(4.0, at)]),
        series(&[("__name__", "elsewhere"), ("environment", "staging")], &[(5.0, at)]),
        // A native histogram, and metadata, which comes in requests of its own.
        message(
            1,
            &[
                message(1, &[text(1, "__name__"), text(2, "h")]),
                message(4, &[whole(1, 6), double(3, 7.0), whole(15, at as u64)]),
            ],
        ),
        message(3, &[whole(1, 1), text(2, "up"), text(4, "help")]),
    ];
    let world = World::new();
    let answer = world.write(&body.concat()).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(
        world.values().await,
        json!({
            "node up{instance=i:1}": [1.0, 0.0], "cart q{job=k8s}": [2.0], "shop r{app=a}": [3.0],
            "prometheus nobody{}": [4.0], "prometheus h_count{}": [6.0], "prometheus h_sum{}": [7.0],
        })
    );
    assert_eq!(world.series_of("staging").await[0].metric, "elsewhere");
    assert_eq!(world.counted("hindcast_telemetry_skipped_total", "sample"), 2.0);
    assert_eq!(world.write(b"").await.status, 204, "an empty request says that somebody is there");
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn remote_write_keeps_the_good_and_names_the_bad() {
    let at = now().millis();
    let good = series(&[("__name__", "good")], &[(1.0, at)]);
    for (bad, says) in [
        (series(&[("__name__", "late")], &[(1.0, at), (2.0, at - 1)]), "order of their time"),
        (series(&[("job", "j")], &[(1.0, at)]), "metric's name"),
        (series(&[("__name__", "twice"), ("a", "1"), ("a", "2")], &[(1.0, at)]), "every label once"),
    ] {
        let world = World::new();
        let answer = world.write(&[good.clone(), bad].concat()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "malformed"), "{says}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says) && detail.contains("series 1"), "{detail}");
        let kept: Vec<String> = world.series_of("production").await.into_iter().map(|series| series.metric).collect();
        assert_eq!(kept[0], "good");
    }
    let world = World::new();
    let version_2 = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    let version_1 = ("content-type", "application/x-protobuf;proto=prometheus.WriteRequest");
    for (headers, status) in [
        (vec![version_2, SNAPPY[1]], 415),
        (vec![("content-type", "application/json"), SNAPPY[1]], 415),
        (vec![PROTOBUF, ("content-encoding", "gzip")], 415),
        (vec![version_1, SNAPPY[1]], 204),
        (vec![PROTOBUF], 204),
    ] {
        let answer = world.post_with("/api/v1/write", &headers, snappy(&good)).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.text);
        if headers[0] == version_2 {
            assert!(answer.json()["remedy"].as_str().unwrap().contains("protobuf_message"), "{}", answer.text);
        }
    }
}
