//! More telemetry never makes the answer worse: the recordings with alerts alone, then with lines, with metrics and with spans
//! of the same requests, each case with itself.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use hindcast_domain::Span;
use hindcast_domain::catalog::Topology;
use hindcast_rca::rank;
use hindcast_testkit::recording::{EvidenceRecording, RecordedFault, TelemetryParts};

const NONE: TelemetryParts = TelemetryParts { logs: false, metrics: false, spans: false };
const LOGS: TelemetryParts = TelemetryParts { logs: true, ..NONE };
const METRICS: TelemetryParts = TelemetryParts { metrics: true, ..LOGS };
const SPANS: TelemetryParts = TelemetryParts { spans: true, ..METRICS };

/// Whether the right service comes first, by what is looked at.
fn right(recording: &mut EvidenceRecording, fault: &RecordedFault, after: Span, topology: &Topology) -> [bool; 4] {
    [NONE, LOGS, METRICS, SPANS].map(|parts| {
        recording.parts = parts;
        let causes = rank(&recording.evidence(fault, fault.from + after), topology, &[]);
        causes.items.first().is_some_and(|first| first.service == fault.service)
    })
}

#[test]
fn more_telemetry_never_lowers_what_is_right() {
    let mut sums = [[0_usize; 4]; 2];
    let (mut cases, mut worse) = (0, [Vec::new(), Vec::new()]);
    for name in ["pg-pool", "shop-day", "calm-day"] {
        for ours in [false, true] {
            let read = if ours { EvidenceRecording::read_ours } else { EvidenceRecording::read };
            let mut recording = read(name);
            let faults: Vec<RecordedFault> = recording.faults.clone();
            let catalogues = [recording.topology.clone(), Topology::default()];
            for fault in &faults {
                for after in [Span::seconds(25), Span::seconds(35), fault.to.since(fault.from)] {
                    for (at, topology) in catalogues.iter().enumerate() {
                        let right = right(&mut recording, fault, after, topology);
                        if !right.is_sorted() {
                            worse[at].push(format!("{name} {} ours {ours} after {after}: {right:?}", fault.id));
                        }
                        sums[at].iter_mut().zip(right).for_each(|(sum, right)| *sum += usize::from(right));
                        cases += usize::from(at == 0);
                    }
                }
            }
        }
    }
    eprintln!("right of {cases} with alerts alone, with lines, with metrics, with spans: {sums:?}, worse: {worse:?}");
    assert_eq!(worse[0], Vec::<String>::new(), "with a catalogue no case becomes worse");
    // Without one some case may change hands; all of them together become no worse.
    assert!(sums.iter().all(|sums| sums[3] >= sums[0] && sums[3] >= sums[2]), "{sums:?} {:?}", worse[1]);
    assert!(cases >= 50);
}
