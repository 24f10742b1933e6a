//! How lines are cut, joined and bounded.

use super::*;

fn line(message: &str) -> Line {
    Line::of_text(message.to_owned())
}

#[test]
fn a_cut_comes_after_the_rules_and_between_characters() {
    let mut intake = Intake::new(RecordKind::Log, Time::ZERO, "logs");
    // The secret lies across the bound: cut first, its beginning would stay.
    let message = format!("{} token=abcdefghijklmnop", "ä".repeat(MESSAGE_BYTES_MAX / 2 - 6));
    intake.line(line(&message)).unwrap();
    let labels: RecordLabels = (0..100).map(|n| (format!("l{n}"), "v".to_owned())).collect();
    intake.line(Line { labels, ..line("m") }).unwrap();
    let batches = intake.take_batches();
    let logs = &batches.values().next().unwrap().logs;
    assert!(logs[0].message.len() <= MESSAGE_BYTES_MAX && !logs[0].message.contains("abcd"));
    assert_eq!((logs[1].labels.len(), intake.truncated), (LABELS_MAX, 2));
}

#[test]
fn a_trace_that_comes_line_by_line_is_one_record() {
    let mut intake = Intake::new(RecordKind::Log, Time::ZERO, "logs");
    let trace = "ERROR order 17 failed\n\tat com.example.Stock.take(Stock.java:17)\nCaused by: java.net.SocketTimeoutException: Read timed out\n\t... 23 more";
    for text in trace.lines() {
        intake.line(line(text)).unwrap();
        intake.line(Line { service: Some("other".to_owned()), ..line("GET / 200") }).unwrap();
    }
    intake.line(line("ready")).unwrap();
    let batches = intake.take_batches();
    let logs = &batches.values().next().unwrap().logs;
    let own: Vec<&LogRecord> = logs.iter().filter(|record| record.service == "logs").collect();
    assert_eq!((own.len(), own[0].message.as_str(), own[0].level), (2, trace, LogLevel::Error));
    assert_eq!((logs.len(), intake.taken), (6, 9), "every line is counted");
}

#[test]
fn lines_of_a_container_runtime_are_joined() {
    let mut intake = Intake::new(RecordKind::Log, Time::ZERO, "logs");
    for text in [
        "2026-11-30T04:00:00.1+01:00 stdout P {\"level\":\"error\",",
        "2026-11-30T04:00:00.2+01:00 stdout F \"msg\":\"no stock\"}",
        "2026-11-30T04:00:01+01:00 stderr F \u{1b}[31mWARN\u{1b}[0m slow",
    ] {
        intake.line(line(text)).unwrap();
    }
    let batches = intake.take_batches();
    let logs = &batches.values().next().unwrap().logs;
    let shown: Vec<&str> = logs.iter().map(|record| record.message.as_str()).collect();
    assert_eq!(shown, ["no stock", "WARN slow"]);
    assert_eq!(logs[0].level, LogLevel::Error, "a text that was cut in two is read when it is whole");
    assert_eq!(logs[0].time, "2026-11-30T03:00:00.1Z".parse().unwrap());
    assert_eq!(logs[1].level, LogLevel::Warning);
}

#[test]
fn environments_are_bounded() {
    let mut intake = Intake::new(RecordKind::Log, Time::ZERO, "logs");
    let results = (0..65).map(|n| intake.line(Line { environment: Some(format!("e{n}")), ..line("m") }));
    assert_eq!(results.filter(Result::is_err).count(), 1);
}

#[test]
fn a_secret_that_a_runtime_cut_in_two_is_taken_out() {
    let mut intake = Intake::new(RecordKind::Log, Time::ZERO, "logs");
    for text in ["2026-11-30T04:00:00Z stdout P login token=abcd", "2026-11-30T04:00:00Z stdout F efghijklmnop done"] {
        intake.line(line(text)).unwrap();
    }
    let batches = intake.take_batches();
    let logs = &batches.values().next().unwrap().logs;
    assert_eq!(logs.len(), 1);
    assert!(!logs[0].message.contains("efgh"), "{}", logs[0].message);
}
