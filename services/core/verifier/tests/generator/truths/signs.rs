//! What can be said of new log lines, bursts and levels of metrics.

use hindcast_api::{Claim, Event};

use super::{begun, clock, say, text, thousands};
use crate::generator::world::service_of;
use crate::generator::{Rng, World, claim};

pub(super) fn new_line(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&world.findings("new_template"))?;
    let service = world.name(service_of(event)?, rng);
    let line = event.data["template"][*rng.pick(&["text", "sample"])].as_str()?;
    let words: Vec<&str> = line.split(' ').collect();
    let quote = if rng.chance(40) && words.len() > 5 {
        format!("{} …", words[..words.len() - 2].join(" "))
    } else {
        line.to_owned()
    };
    let at = clock(begun(event), rng);
    let wordings = [
        "SERVICE logs \"LINE\" since TIME",
        "A new error line appeared in SERVICE at TIME: \"LINE\"",
        "From TIME on SERVICE wrote ‘LINE’ for the first time",
        "SERVICE logs \"LINE\"",
    ];
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("LINE", &quote), ("TIME", &at)]), &[event]))
}

pub(super) fn line_counted(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&world.findings("new_template"))?;
    let service = world.name(service_of(event)?, rng);
    let count = thousands(event.data["count"].as_i64()?, rng);
    let wordings = [
        "SERVICE wrote that line COUNT times",
        "COUNT such error lines came from SERVICE",
        "new error line of SERVICE, ×COUNT",
    ];
    Some(claim(
        say(rng, &wordings, &[("SERVICE", &service), ("COUNT", &count)]).replace("×about ", "about ×"),
        &[event],
    ))
}

pub(super) fn burst(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&world.findings("bursting_template"))?;
    let service = world.name(service_of(event)?, rng);
    let (before, after) = (event.data["before"].to_string(), event.data["after"].to_string());
    let wordings = [
        "an error line of SERVICE went from BEFORE to AFTER a minute",
        "SERVICE logs an error AFTER times a minute instead of BEFORE",
        "that line of SERVICE rose from BEFORE to AFTER per minute",
    ];
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("BEFORE", &before), ("AFTER", &after)]), &[event]))
}

fn levels(event: &Event, rounded: bool) -> Option<(String, String)> {
    let (before, after) = (event.data["before"].as_f64()?, event.data["after"].as_f64()?);
    let metric = text(event, "metric");
    let say = |value: f64| {
        if metric.ends_with("ratio") {
            if rounded { format!("{:.0} %", value * 100.0) } else { format!("{:.1} %", value * 100.0) }
        } else if metric.ends_with("bytes") {
            if value >= 1e9 { format!("{:.1} GB", value / 1e9) } else { format!("{:.0} MB", value / 1e6) }
        } else if metric.ends_with("seconds") {
            if value < 1.0 { format!("{:.0} ms", value * 1e3) } else { format!("{value:.1} s") }
        } else {
            format!("{value:.0}")
        }
    };
    Some((say(before), say(after)))
}

pub(super) fn moved(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&world.findings("metric_shift"))?;
    let service = world.name(service_of(event)?, rng);
    let (before, after) = levels(event, false)?;
    let up = event.data["after"].as_f64()? > event.data["before"].as_f64()?;
    let verb = *rng.pick(if up {
        &["rose", "went up", "climbed", "jumped"]
    } else {
        &["fell", "dropped", "went down", "decreased"]
    });
    let wordings = [
        "METRIC of SERVICE VERB from BEFORE to AFTER",
        "on SERVICE, METRIC VERB from BEFORE to AFTER",
        "SERVICE: METRIC BEFORE → AFTER",
    ];
    let values = [
        ("METRIC", text(event, "metric")),
        ("SERVICE", &service),
        ("VERB", verb),
        ("BEFORE", &before),
        ("AFTER", &after),
    ];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

pub(super) fn moved_rounded(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&world.findings("metric_shift"))?;
    let service = world.name(service_of(event)?, rng);
    let (_, after) = levels(event, true)?;
    let what = match text(event, "metric") {
        "http_error_ratio" => "the error ratio",
        "disk_available_bytes" => "the free disk space",
        "connections_active" => "the number of active connections",
        _ => "the latency",
    };
    let up = event.data["after"].as_f64()? > event.data["before"].as_f64()?;
    let verb = if up { "rose" } else { "fell" };
    let wordings =
        ["WHAT of SERVICE VERB to AFTER", "at TIME WHAT of SERVICE VERB to AFTER", "SERVICE saw WHAT reach AFTER"];
    let at = clock(begun(event), rng);
    let values = [("WHAT", what), ("SERVICE", service.as_str()), ("VERB", verb), ("AFTER", &after), ("TIME", &at)];
    Some(claim(say(rng, &wordings, &values), &[event]))
}
