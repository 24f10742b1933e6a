//! True things that can be said of a world, each in several wordings.

mod alerts;
mod incidents;
mod several;
mod signs;

use hindcast_api::{Claim, Event};
use hindcast_domain::{Span, Time};

use super::{Rng, Truth, World};
use alerts::{ago, alert_at, alert_figure, alert_quoted, alert_words, by_id, learnt, on_a_day, severity};
use incidents::{
    acknowledged, deploy, deploy_by, how_many, joined, nobody, old_deploy, opened, paged, resolved, until_acknowledged,
    who_is_hit,
};

pub use several::way;
use several::{after, between, first_and_last, led_to, two_counts, two_times};
use signs::{burst, line_counted, moved, moved_rounded, new_line};

/// Everything true that is known how to say.
pub const TRUTHS: &[Truth] = &[
    truth("alert at a time", alert_at),
    truth("alert quoted", alert_quoted),
    truth("alert in its own words", alert_words),
    truth("alert's figure", alert_figure),
    truth("learnt later", learnt),
    truth("ago", ago),
    truth("severity", severity),
    truth("new line", new_line),
    truth("line counted", line_counted),
    truth("burst", burst),
    truth("level moved", moved),
    truth("level moved, rounded", moved_rounded),
    truth("deploy", deploy),
    truth("deploy by whom", deploy_by),
    truth("no deploy since", old_deploy),
    truth("opened", opened),
    truth("joined", joined),
    truth("acknowledged", acknowledged),
    truth("how long until somebody cared", until_acknowledged),
    truth("resolved", resolved),
    truth("nobody yet", nobody),
    truth("paged", paged),
    truth("how many", how_many),
    truth("who is hit", who_is_hit),
    truth("one after the other", after),
    truth("one led to the other", led_to),
    truth("seconds between", between),
    truth("on a day", on_a_day),
    truth("whole way", way),
    truth("by id", by_id),
    truth("two times in one sentence", two_times),
    truth("two figures in one sentence", two_counts),
    truth("within a list of times", first_and_last),
];

const fn truth(name: &'static str, say: fn(&World, &mut Rng) -> Option<Claim>) -> Truth {
    Truth { name, say }
}

pub fn begun(event: &Event) -> Time {
    ["at", "starts_at", "started_at"]
        .iter()
        .find_map(|name| event.data[*name].as_str())
        .map_or(event.time, |text| text.parse().unwrap())
}

/// `17:21:36`, cut off.
pub fn hms(time: Time) -> String {
    time.to_string()[11..19].to_owned()
}

/// `17:21`, or `5:21 pm`.
fn hm(time: Time, rng: &mut Rng) -> String {
    let text = time.to_string();
    if rng.chance(15) {
        let hour: u32 = text[11..13].parse().unwrap();
        let half = if hour >= 12 { "pm" } else { "am" };
        return format!("{}:{} {half}", if hour.is_multiple_of(12) { 12 } else { hour % 12 }, &text[14..16]);
    }
    text[11..16].to_owned()
}

/// Some spelling of a time.
fn clock(time: Time, rng: &mut Rng) -> String {
    match rng.between(0, 4) {
        0 => hms(time),
        1 => format!("{} UTC", hms(time)),
        2 => time.to_string(),
        3 => format!("{}T{}Z", &time.to_string()[..10], hms(time)),
        _ => hm(time, rng),
    }
}

/// Some spelling of a length of time.
fn length(span: Span, rng: &mut Rng) -> String {
    #[allow(clippy::cast_possible_truncation)]
    let seconds = span.as_secs_f64().round() as i64;
    match seconds {
        0..=120 => (*rng.pick(&["{} s", "{} seconds", "{}s"])).replace("{}", &seconds.to_string()),
        _ if rng.chance(40) => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => {
            #[allow(clippy::cast_possible_truncation)]
            let minutes = (span.as_secs_f64() / 60.0).round() as i64;
            (*rng.pick(&["{} min", "{} minutes", "about {} minutes"])).replace("{}", &minutes.to_string())
        }
    }
}

fn thousands(count: i64, rng: &mut Rng) -> String {
    if count >= 1_000 {
        return match rng.between(0, 2) {
            0 => format!("{},{:03}", count / 1_000, count % 1_000),
            1 => count.to_string(),
            _ => format!("about {:.1}k", count as f64 / 1_000.0),
        };
    }
    count.to_string()
}

fn text<'a>(event: &'a Event, name: &str) -> &'a str {
    event.data[name].as_str().unwrap()
}

fn say(rng: &mut Rng, wordings: &[&str], values: &[(&str, &str)]) -> String {
    let mut said = (*rng.pick(wordings)).to_owned();
    for (name, value) in values {
        said = said.replace(name, value);
    }
    said
}
