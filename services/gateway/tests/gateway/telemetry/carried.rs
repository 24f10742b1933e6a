//! One thing that a program said is one record, whatever carries it: seeded messages and stack traces of several services
//! in the prefixes of container runtimes, JSON inside of text, logfmt and colours, cut in two and between one another.

use hindcast_domain::{Span, Time};
use hindcast_telemetry::LogLevel;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::NDJSON;
use super::odd::run;
use crate::support::{World, now};

const LEVELS: [(LogLevel, &str); 5] = [
    (LogLevel::Info, "INFO"),
    (LogLevel::Warning, "WARN"),
    (LogLevel::Error, "ERROR"),
    (LogLevel::Fatal, "FATAL"),
    (LogLevel::Debug, "DEBUG"),
];

/// What stands behind the first line, and what is at the root of it.
const TRACES: [(&str, &str); 5] = [
    ("", ""),
    (
        "java.lang.IllegalStateException: no cart\n\tat com.example.A.b(A.java:1)\nCaused by: java.net.SocketTimeoutException: Read timed out\n\tat java.net.Socket.read(Socket.java:1)\n\t... 23 more",
        "SocketTimeoutException",
    ),
    (
        "Traceback (most recent call last):\n  File \"/app/shop.py\", line 5, in buy\n    take(1)\nshop.errors.NoStock: none left",
        "NoStock",
    ),
    ("goroutine 17 [running]:\nmain.(*Shop).take(0xc000)\n\t/app/main.go:17 +0x1d\nexit status 2", "goroutine 17"),
    ("    at take (/app/shop.js:5:11) {\n  [cause]: Error: connect ECONNREFUSED\n}", "ECONNREFUSED"),
];

#[derive(Clone, Debug)]
struct CarriedMessage {
    level: usize,
    trace: usize,
    form: usize,
    carrier: usize,
    seconds_ago: i64,
    words: Vec<String>,
    cut: prop::sample::Index,
}

impl CarriedMessage {
    fn time(&self) -> Time {
        let whole = now().nanos() / 1_000_000_000;
        Time::from_nanos((whole - self.seconds_ago) * 1_000_000_000)
    }

    /// JSON and logfmt are one line, so that no trace follows them.
    fn trace(&self) -> (&'static str, &'static str) {
        if (2..=4).contains(&self.form) { TRACES[0] } else { TRACES[self.trace] }
    }

    fn words(&self, number: usize) -> String {
        format!("{} order-{number}-failed", self.words.join(" "))
    }

    /// The lines as the program wrote them.
    fn lines(&self, number: usize) -> Vec<String> {
        let (words, level, time) = (self.words(number), LEVELS[self.level].1, self.time().to_string());
        let spaced = time.replace('T', " ").replace('Z', "");
        let lower = level.to_lowercase();
        let first = match self.form {
            0 => format!("{time} {level} {words}"),
            1 => format!("{spaced},000 [main] {level} c.e.Shop - {words}"),
            2 => json!({"ts": time, "level": lower, "msg": words}).to_string(),
            3 => json!({"log": json!({"time": time, "lvl": lower, "message": words}).to_string()}).to_string(),
            4 => format!("ts={time} level={lower} caller=shop.go:17 msg=\"{words}\""),
            _ => format!("\u{1b}[2m{time}\u{1b}[0m \u{1b}[1;33m{level}\u{1b}[0m {words}"),
        };
        let trace = self.trace().0;
        std::iter::once(first).chain(trace.lines().map(str::to_owned)).collect()
    }

    /// The records of a tail of them, each an object of the door of lines.
    fn records(&self, number: usize) -> Vec<Value> {
        let service = format!("s{number}");
        let lines = self.lines(number);
        let stamp = self.time().to_string().replace('Z', ".000000001Z");
        let record = |text: String| json!({"service": service, "log": text});
        let each = lines.iter();
        match self.carrier {
            0 => each.map(|line| record(line.clone())).collect(),
            1 => each
                .enumerate()
                .flat_map(|(place, line)| {
                    let cut = line.floor_char_boundary(self.cut.index(line.len().max(1)));
                    let (head, tail) = line.split_at(cut);
                    let whole = |tag: &str, text: &str| record(format!("{stamp} stderr {tag} {text}"));
                    // A runtime cuts at a size, and no line of a trace is as long as that.
                    if cut < 8 || place > 0 { vec![whole("F", line)] } else { vec![whole("P", head), whole("F", tail)] }
                })
                .collect(),
            2 => each
                .map(|line| json!({"service": service, "log": format!("{line}\n"), "stream": "stdout", "time": stamp}))
                .collect(),
            3 => each.map(|line| json!({"message": format!("{service}-1  | {line}")})).collect(),
            _ => vec![record(lines.join("\n"))],
        }
    }
}

fn said() -> impl Strategy<Value = CarriedMessage> {
    let parts = (0..LEVELS.len(), 0..TRACES.len(), 0..6_usize, 0..5_usize, 0..1_000_i64);
    (parts, prop::collection::vec("[a-z]{3,9}", 1..6), any::<prop::sample::Index>()).prop_map(|(parts, words, cut)| {
        let (level, trace, form, carrier, seconds_ago) = parts;
        CarriedMessage { level, trace, form, carrier, seconds_ago, words, cut }
    })
}

/// Several streams as one, in an order that keeps that of each.
fn interleaved(streams: Vec<Vec<Value>>, picks: &[prop::sample::Index]) -> Vec<Value> {
    let mut streams: Vec<_> = streams.into_iter().map(std::collections::VecDeque::from).collect();
    let mut all = Vec::new();
    let mut picks = picks.iter().cycle();
    while streams.iter().any(|stream| !stream.is_empty()) {
        let open: Vec<usize> = (0..streams.len()).filter(|at| !streams[*at].is_empty()).collect();
        let at = open[picks.next().unwrap().index(open.len())];
        all.extend(streams[at].pop_front());
    }
    all
}

fn otlp(record: &Value) -> Value {
    let text = |value: &Value| json!({ "stringValue": value });
    let resource = record.get("service").map(|name| json!([{"key": "service.name", "value": text(name)}]));
    let attributes = record.get("stream").map(|stream| json!([{"key": "stream", "value": text(stream)}]));
    let body = record.get("log").or_else(|| record.get("message")).unwrap();
    json!({"resource": {"attributes": resource.unwrap_or(json!([]))}, "scopeLogs": [{"logRecords": [
        {"body": text(body), "attributes": attributes.unwrap_or(json!([]))}]}]})
}

#[test]
fn what_a_program_said_is_one_record_whatever_carries_it() {
    let picks = prop::collection::vec(any::<prop::sample::Index>(), 1..20);
    run(200, (prop::collection::vec(said(), 1..6), picks), async |(all, picks)| {
        let streams = all.iter().enumerate().map(|(number, said)| said.records(number)).collect();
        let records = interleaved(streams, &picks);
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        let export = json!({ "resourceLogs": records.iter().map(otlp).collect::<Vec<_>>() });
        for over_otlp in [false, true] {
            let world = World::new();
            let answer = if over_otlp { world.post("/v1/logs", &export).await } else { world.ndjson(&lines).await };
            assert!((200..300).contains(&answer.status), "{}: {lines}", answer.text);
            let kept = world.lines().await;
            for (number, said) in all.iter().enumerate() {
                let own: Vec<_> = kept.iter().filter(|record| record.service == format!("s{number}")).collect();
                assert_eq!(own.len(), 1, "{said:?}: {own:?}\n{lines}");
                let (message, words, root) = (&own[0].message, said.words(number), said.trace().1);
                assert!(message.contains(&words) && message.contains(root), "{said:?}: {message}");
                assert!(!message.contains(['\u{1b}', '|']) && !message.contains("stderr"), "{said:?}: {message}");
                assert_eq!(own[0].level, LEVELS[said.level].0, "{said:?}: {message}");
                let apart = own[0].time.since(said.time());
                assert!(apart.nanos().abs() < Span::seconds(1).nanos(), "{said:?}: {} {message}", own[0].time);
            }
        }
    });
}

#[tokio::test]
async fn a_line_that_docker_cut_is_one_record() {
    let world = World::new();
    let long = "x".repeat(16 * 1024 - 5);
    let file = |text: String| json!({"log": text, "stream": "stdout", "time": now().to_string()}).to_string();
    let driver = |text: &str, last: &str| {
        json!({"log": text, "partial_message": "true", "partial_last": last, "service": "driver"}).to_string()
    };
    let body = [
        file(format!("begin{long}")),
        file("end\n".to_owned()),
        file("next\n".to_owned()),
        driver("half a", "false"),
        driver(" line", "true"),
    ];
    assert_eq!(world.post_with("/ingest/logs", &[NDJSON], body.join("\n")).await.status, 202);
    let messages: Vec<String> = world.lines().await.into_iter().map(|line| line.message).collect();
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert!(messages.contains(&format!("begin{long}end")) && messages.contains(&"half a line".to_owned()));
}
