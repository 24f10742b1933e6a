//! Owns what the stored recordings must hold between them, so that the demo and the tests can rest on it.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hindcast_recorder::format::{RecordedChannel, RecordedRequest, StoredRecording};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings")
}

fn stored() -> Vec<(PathBuf, StoredRecording)> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let recordings = entries.filter(|path| path.join("recording.json").exists());
    recordings.map(|path| (path.clone(), StoredRecording::load(&path).unwrap())).collect()
}

#[test]
fn every_line_of_every_recording_can_be_read_and_requests_are_in_order() {
    for (path, recording) in stored() {
        let requests: Vec<RecordedRequest> = recording.requests().unwrap().map(Result::unwrap).collect();
        assert!(requests.windows(2).all(|pair| pair[0].at <= pair[1].at), "{}", path.display());
        for channel in [RecordedChannel::Prometheus, RecordedChannel::Alertmanager] {
            assert!(requests.iter().any(|request| request.channel == channel), "{} lacks {channel:?}", path.display());
        }
        assert!(requests.iter().all(|request| request.path == request.channel.path() && request.method == "POST"));
        assert!(recording.logs().unwrap().unwrap().map(Result::unwrap).count() > 1000, "{}", path.display());
        assert!(recording.catalog.unwrap().starts_with("services:"));
        assert_eq!(recording.manifest.name, path.file_name().unwrap().to_string_lossy());
    }
}

#[test]
fn every_fault_ended_and_every_alert_that_it_causes_was_sent_by_both_channels() {
    for (path, recording) in stored() {
        for channel in [RecordedChannel::Prometheus, RecordedChannel::Alertmanager] {
            let bodies: String =
                recording.played(Some(channel)).unwrap().map(|request| request.unwrap().body).collect();
            for fault in &recording.truth.faults {
                assert!(
                    fault.ended_at.is_some_and(|end| end > fault.injected_at) && fault.ended_by.is_some(),
                    "{}",
                    fault.id
                );
                for alert in &fault.alerts {
                    let sent = bodies.contains(&format!("\"alertname\":\"{alert}\""));
                    assert!(sent, "{}: {channel:?} never sent {alert} of {}", path.display(), fault.id);
                }
            }
        }
    }
}

#[test]
fn between_them_they_hold_what_the_demo_has_to_show() {
    let truths: Vec<_> = stored().into_iter().map(|(_, recording)| recording.truth).collect();
    let faults: Vec<_> = truths.iter().flat_map(|truth| &truth.faults).collect();
    let changes: Vec<_> = truths.iter().flat_map(|truth| &truth.changes).collect();
    let kinds: BTreeSet<_> =
        faults.iter().map(|fault| fault.kind.as_str()).filter(|kind| *kind != "unrelated").collect();
    assert!(kinds.len() >= 3, "kinds of fault: {kinds:?}");
    assert!(faults.iter().any(|fault| fault.same_as.is_some()), "one kind comes twice");
    assert!(faults.iter().any(|fault| fault.looks_like.is_some()), "one fault looks like another");
    assert!(changes.iter().any(|change| change.innocent) && changes.iter().any(|change| !change.innocent));
    let healthy = truths.iter().flat_map(|truth| &truth.healthy);
    let windows: i64 = healthy.map(|stretch| stretch.to.duration_since(stretch.from).as_secs() / 60).sum();
    assert!(windows >= 20, "healthy windows of 60 s: {windows}");
}

#[test]
fn an_unrelated_alert_overlaps_a_fault() {
    for name in ["pg-pool", "shop-day"] {
        let faults = StoredRecording::load(&folder().join(name)).unwrap().truth.faults;
        let (unrelated, others): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.kind == "unrelated");
        let overlaps = |a: &hindcast_recorder::format::InjectedFault| {
            others.iter().any(|b| Some(a.injected_at) < b.ended_at && Some(b.injected_at) < a.ended_at)
        };
        assert!(unrelated.iter().any(overlaps), "{name}");
    }
}

#[test]
fn the_recording_that_goes_into_the_binary_is_small_and_every_file_can_be_committed() {
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let small = ["recording.json", "truth.json", "requests.ndjson.zst", "catalog.yaml"];
    let embedded: u64 = small.iter().map(|name| size(&folder().join("pg-pool").join(name))).sum();
    assert!(embedded < 400_000, "{embedded} bytes");
    for (path, _) in stored() {
        for file in std::fs::read_dir(&path).unwrap() {
            let file = file.unwrap().path();
            assert!(size(&file) < 2 << 20, "{}", file.display());
        }
    }
}
