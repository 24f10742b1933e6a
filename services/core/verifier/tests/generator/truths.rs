//! True things that can be said of a world, each in several wordings.

use hindcast_api::{Claim, ClaimVerdict, Event, PathStep, StepRole};
use hindcast_domain::{Span, Time};

use super::world::{cite, service_of};
use super::{Rng, Truth, World, claim};

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

fn an_alert<'a>(world: &'a World, rng: &mut Rng) -> Option<&'a Event> {
    rng.maybe(&world.of("alert.fired")).copied()
}

fn alert_at(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let (service, at) = (world.name(service_of(event)?, rng), clock(begun(event), rng));
    let wordings = [
        "ALERT fired on SERVICE at TIME.",
        "At TIME, SERVICE began to alarm: ALERT.",
        "SERVICE has had ALERT since TIME",
        "The alert ALERT (SERVICE) started at TIME",
        "SERVICE alarmed at TIME",
        "TIME: ALERT on SERVICE",
    ];
    Some(claim(say(rng, &wordings, &[("ALERT", text(event, "name")), ("SERVICE", &service), ("TIME", &at)]), &[event]))
}

fn alert_quoted(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let summary = event.data["annotations"]["summary"].as_str()?;
    let name = world.name(service_of(event)?, rng);
    let wordings = [
        "NAME says \"QUOTE\"",
        "The alert on NAME reads “QUOTE”.",
        "\"QUOTE\" is what the alert of NAME says",
        "NAME: `QUOTE`",
    ];
    Some(claim(say(rng, &wordings, &[("NAME", &name), ("QUOTE", summary)]), &[event]))
}

fn alert_words(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let summary = event.data["annotations"]["summary"].as_str()?;
    Some(claim(say(rng, &["SUMMARY", "SUMMARY.", "It was seen that SUMMARY"], &[("SUMMARY", summary)]), &[event]))
}

fn alert_figure(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let summary = event.data["annotations"]["summary"].as_str()?;
    let share =
        summary.split(" %").next()?.split(' ').next_back()?.parse::<f64>().ok().filter(|_| summary.contains("5xx"))?;
    let service = world.name(service_of(event)?, rng);
    let figure = match rng.between(0, 2) {
        0 => format!("{share:.1} %"),
        1 => format!("{share:.0}%"),
        _ => format!("about {:.0} percent", share),
    };
    let wordings = [
        "SHARE of the requests to SERVICE fail with 5xx",
        "SERVICE fails SHARE of its requests",
        "SHARE of what SERVICE answers are errors",
    ];
    Some(claim(say(rng, &wordings, &[("SHARE", &figure), ("SERVICE", &service)]), &[event]))
}

fn learnt(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let late = event.time.since(begun(event));
    if late.as_millis() < 1_500 {
        return None;
    }
    let service = world.name(service_of(event)?, rng);
    let wordings =
        ["SERVICE's alert was heard LATE after it began", "it took LATE until the alert on SERVICE was known"];
    let late = length(late, rng);
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("LATE", &late)]), &[event]))
}

fn ago(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let ago = length(world.now.since(begun(event)), rng);
    let wordings = ["SERVICE began to alarm AGO ago", "AGO ago an alert fired on SERVICE"];
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("AGO", &ago)]), &[event]))
}

fn severity(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let wordings = [
        "the severity of ALERT on SERVICE is SEVERITY",
        "ALERT is a SEVERITY severity alert of SERVICE",
        "SERVICE raised ALERT with severity SEVERITY",
    ];
    let values = [("ALERT", text(event, "name")), ("SERVICE", service.as_str()), ("SEVERITY", text(event, "severity"))];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

fn new_line(world: &World, rng: &mut Rng) -> Option<Claim> {
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

fn line_counted(world: &World, rng: &mut Rng) -> Option<Claim> {
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

fn burst(world: &World, rng: &mut Rng) -> Option<Claim> {
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

fn moved(world: &World, rng: &mut Rng) -> Option<Claim> {
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

fn moved_rounded(world: &World, rng: &mut Rng) -> Option<Claim> {
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

fn a_change<'a>(world: &'a World, rng: &mut Rng) -> Option<&'a Event> {
    rng.maybe(&world.of("intake.change")).copied()
}

fn deploy(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = a_change(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let version = text(event, "version");
    let bare = version.trim_start_matches('v');
    let at = clock(begun(event), rng);
    let wordings = [
        "SERVICE VERSION was deployed at TIME",
        "SERVICE was released as version BARE at TIME",
        "At TIME SERVICE went to VERSION",
        "the deploy of SERVICE VERSION happened at TIME",
        "SERVICE was changed to VERSION",
    ];
    let values = [("SERVICE", service.as_str()), ("VERSION", version), ("BARE", bare), ("TIME", &at)];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

fn deploy_by(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = a_change(world, rng)?;
    let service = world.name(service_of(event)?, rng);
    let title = text(event, "title").split(": ").nth(1)?;
    let values = [
        ("SERVICE", service.as_str()),
        ("VERSION", text(event, "version")),
        ("AUTHOR", text(event, "author")),
        ("TITLE", title),
    ];
    let wordings = [
        "AUTHOR deployed SERVICE VERSION: \"TITLE\"",
        "SERVICE was deployed by AUTHOR (VERSION, TITLE)",
        "the release VERSION of SERVICE by AUTHOR brought \"TITLE\"",
    ];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

fn old_deploy(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = a_change(world, rng)?;
    let alert = *rng.maybe(&world.of("alert.fired"))?;
    let (changed, alarmed) = (service_of(event)?, service_of(alert)?);
    if begun(event) >= begun(alert) || changed == alarmed {
        return None;
    }
    let values = [("CHANGED", changed), ("ALARMED", alarmed), ("VERSION", text(event, "version"))];
    let wordings = [
        "CHANGED was deployed (VERSION) before ALARMED alarmed",
        "The deploy VERSION of CHANGED came before the alert on ALARMED",
    ];
    Some(claim(say(rng, &wordings, &values), &[event, alert]))
}

fn opened(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("incident.opened").into_iter().next()?;
    let id = if rng.chance(50) { world.incident.clone() } else { world.incident[..10].to_owned() };
    let at = clock(event.time, rng);
    let wordings =
        ["ID was opened at TIME", "the incident ID exists since TIME", "ID was opened at TIME because of SERVICE"];
    Some(claim(say(rng, &wordings, &[("ID", &id), ("TIME", &at), ("SERVICE", service_of(event)?)]), &[event]))
}

fn joined(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = *rng.maybe(&world.of("incident.alert_joined"))?;
    let score = event.data["grouping"]["score"].as_f64()? / 1_000.0;
    let (at, score) = (clock(event.time, rng), format!("{score:.2}"));
    let wordings = [
        "an alert on SERVICE joined ID at TIME",
        "SERVICE joined ID with a score of SCORE",
        "SERVICE's alert became a member of it at TIME (score SCORE)",
    ];
    let values = [("ID", world.incident.as_str()), ("TIME", &at), ("SCORE", &score), ("SERVICE", service_of(event)?)];
    Some(claim(say(rng, &wordings, &values), &[event]))
}

fn acknowledged(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("incident.acknowledged").into_iter().next()?;
    let at = clock(event.time, rng);
    let wordings = [
        "PERSON acknowledged it at TIME",
        "ID was acknowledged by PERSON at TIME",
        "PERSON takes care of ID since TIME",
    ];
    Some(claim(say(rng, &wordings, &[("PERSON", &event.actor), ("TIME", &at), ("ID", &world.incident)]), &[event]))
}

fn until_acknowledged(world: &World, rng: &mut Rng) -> Option<Claim> {
    let opened = world.of("incident.opened").into_iter().next()?;
    let acknowledged = world.of("incident.acknowledged").into_iter().next()?;
    let late = length(acknowledged.time.since(opened.time), rng);
    let wordings = ["it was acknowledged LATE after it was opened", "it took LATE until PERSON acknowledged it"];
    Some(claim(say(rng, &wordings, &[("LATE", &late), ("PERSON", &acknowledged.actor)]), &[opened, acknowledged]))
}

fn resolved(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("incident.resolved").into_iter().next()?;
    let at = clock(event.time, rng);
    let wordings = [
        "PERSON resolved it at TIME: \"WHAT\"",
        "it was resolved at TIME by PERSON, who WHAT",
        "what ended it: PERSON WHAT",
    ];
    Some(claim(
        say(rng, &wordings, &[("PERSON", &event.actor), ("TIME", &at), ("WHAT", text(event, "resolution"))]),
        &[event],
    ))
}

fn nobody(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event =
        world.of("incident.opened").into_iter().next().filter(|_| world.of("incident.acknowledged").is_empty())?;
    let wordings =
        ["nobody has acknowledged ID, which was opened at TIME", "ID, opened at TIME, was never acknowledged"];
    let at = clock(event.time, rng);
    Some(claim(say(rng, &wordings, &[("ID", &world.incident), ("TIME", &at)]), &[event]))
}

fn paged(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = world.of("notice.requested").into_iter().next()?;
    let wordings = ["on-call was paged at TIME", "at TIME a page went to on-call"];
    let at = clock(event.time, rng);
    Some(claim(say(rng, &wordings, &[("TIME", &at)]), &[event]))
}

fn how_many(world: &World, rng: &mut Rng) -> Option<Claim> {
    let alerts = world.of("alert.fired");
    let digits = alerts.len().to_string();
    let word = ["zero", "one", "two", "three", "four", "five", "six"].get(alerts.len())?;
    let count = if rng.chance(50) { digits.as_str() } else { word };
    let wordings = ["COUNT alerts fired", "it has COUNT alerts", "COUNT services alarmed"];
    Some(claim(say(rng, &wordings, &[("COUNT", count)]), &alerts))
}

fn who_is_hit(world: &World, rng: &mut Rng) -> Option<Claim> {
    let alerts = world.of("alert.fired");
    let names: Vec<String> = alerts.iter().map(|event| world.name(service_of(event).unwrap(), rng)).collect();
    let (last, rest) = names.split_last()?;
    let list = format!("{} and {last}", rest.join(", "));
    Some(claim(say(rng, &["LIST are hit", "LIST alarmed", "it hits LIST"], &[("LIST", &list)]), &alerts))
}

/// Two signs of the chain, the earlier one first, of two services of which the second depends on the first.
fn pair<'a>(world: &'a World, rng: &mut Rng) -> Option<(&'a Event, &'a Event)> {
    let depth = usize::try_from(rng.between(0, i64::try_from(world.chain.len()).unwrap() - 2)).unwrap();
    let of = |service: &str, rng: &mut Rng| {
        let kinds = [world.of("alert.fired"), world.findings("new_template"), world.findings("metric_shift")].concat();
        let theirs: Vec<&Event> = kinds.into_iter().filter(|event| service_of(event) == Some(service)).collect();
        rng.maybe(&theirs).copied()
    };
    let (first, second) = (of(&world.chain[depth], rng)?, of(&world.chain[depth + 1], rng)?);
    (begun(first) + Span::seconds(2) < begun(second)).then_some((first, second))
}

fn after(world: &World, rng: &mut Rng) -> Option<Claim> {
    let (first, second) = pair(world, rng)?;
    let (a, b) = (world.name(service_of(first)?, rng), world.name(service_of(second)?, rng));
    let wordings = [
        "FIRST showed signs before SECOND did",
        "SECOND began to fail after FIRST",
        "After FIRST broke, SECOND followed too",
        "first FIRST failed, then SECOND",
        "FIRST's sign came before that of SECOND",
    ];
    Some(claim(say(rng, &wordings, &[("FIRST", &a), ("SECOND", &b)]), &[first, second]))
}

fn led_to(world: &World, rng: &mut Rng) -> Option<Claim> {
    let (first, second) = pair(world, rng)?;
    let (a, b) = (world.name(service_of(first)?, rng), world.name(service_of(second)?, rng));
    let wordings = [
        "FIRST led to the errors of SECOND",
        "SECOND fails because of FIRST",
        "FIRST → SECOND",
        "SECOND's trouble is due to FIRST",
        "FIRST caused the failure of SECOND",
    ];
    Some(claim(say(rng, &wordings, &[("FIRST", &a), ("SECOND", &b)]), &[first, second]))
}

fn between(world: &World, rng: &mut Rng) -> Option<Claim> {
    let (first, second) = pair(world, rng)?;
    let span = length(begun(second).since(begun(first)), rng);
    let (a, b) = (world.name(service_of(first)?, rng), world.name(service_of(second)?, rng));
    let wordings = [
        "SECOND showed it SPAN after FIRST",
        "SPAN lie between the sign of FIRST and that of SECOND",
        "FIRST was SPAN ahead of SECOND",
    ];
    Some(claim(say(rng, &wordings, &[("FIRST", &a), ("SECOND", &b), ("SPAN", &span)]), &[first, second]))
}

fn on_a_day(world: &World, rng: &mut Rng) -> Option<Claim> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let event = an_alert(world, rng)?;
    let day = begun(event).to_string();
    let month = MONTHS[day[5..7].parse::<usize>().unwrap() - 1];
    let number: u32 = day[8..10].parse().unwrap();
    let said = match rng.between(0, 2) {
        0 => day[..10].to_owned(),
        1 => format!("{number} {month}"),
        _ => format!("{month} {number}, {}", &day[..4]),
    };
    let service = world.name(service_of(event)?, rng);
    let wordings = ["SERVICE alarmed on DAY", "on DAY an alert fired on SERVICE"];
    Some(claim(say(rng, &wordings, &[("SERVICE", &service), ("DAY", &said)]), &[event]))
}

fn by_id(world: &World, rng: &mut Rng) -> Option<Claim> {
    let event = an_alert(world, rng)?;
    let id = if rng.chance(50) { event.id.clone() } else { format!("#{}", event.position) };
    let service = world.name(service_of(event)?, rng);
    let wordings = ["ID is the alert of SERVICE", "the alert of SERVICE stands in ID"];
    Some(claim(say(rng, &wordings, &[("ID", &id), ("SERVICE", &service)]), &[event]))
}

/// Broke → then → alarmed, along the chain.
pub fn way(world: &World, rng: &mut Rng) -> Option<Claim> {
    let mut steps: Vec<PathStep> = Vec::new();
    let mut events: Vec<&Event> = Vec::new();
    for (depth, service) in world.chain.iter().enumerate() {
        let last = depth + 1 == world.chain.len();
        let kinds = if last { world.of("alert.fired") } else { world.findings("new_template") };
        let event = kinds.into_iter().find(|event| service_of(event) == Some(service))?;
        let text = if last {
            format!("{} fired: \"{}\"", text(event, "name"), event.data["annotations"]["summary"].as_str()?)
        } else {
            format!("new log line \"{}\" ×{}", event.data["template"]["text"].as_str()?, event.data["count"])
        };
        let role = if depth == 0 {
            StepRole::Broke
        } else if last {
            StepRole::Alarmed
        } else {
            StepRole::Then
        };
        steps.push(PathStep { role, time: begun(event), service: service.clone(), text, citations: vec![cite(event)] });
        events.push(event);
    }
    let names = world.chain.join(if rng.chance(50) { " → " } else { ", then " });
    Some(Claim { path: steps, verdict: ClaimVerdict::Unverifiable, ..claim(names, &events) })
}

/// Two alerts, each with its own time.
fn two_times(world: &World, rng: &mut Rng) -> Option<Claim> {
    let alerts = world.of("alert.fired");
    let (a, b) = (*rng.pick(&alerts), *rng.pick(&alerts));
    if begun(a).distance(begun(b)) < Span::seconds(5) {
        return None;
    }
    let (one, other) = (hms(begun(a)), hms(begun(b)));
    let (first, second) = (world.name(service_of(a)?, rng), world.name(service_of(b)?, rng));
    let wordings = [
        "FIRST alarmed at ONE and SECOND at OTHER",
        "FIRST alarmed at ONE, while SECOND alarmed at OTHER",
        "FIRST: ONE; SECOND: OTHER",
    ];
    Some(claim(
        say(rng, &wordings, &[("FIRST", &first), ("SECOND", &second), ("ONE", &one), ("OTHER", &other)]),
        &[a, b],
    ))
}

/// Two lines, each counted.
fn two_counts(world: &World, rng: &mut Rng) -> Option<Claim> {
    let lines = world.findings("new_template");
    let (a, b) = (*rng.pick(&lines), *rng.pick(&lines));
    let (one, other) = (a.data["count"].as_i64()?, b.data["count"].as_i64()?);
    if a.id == b.id || one == other {
        return None;
    }
    let (first, second) = (world.name(service_of(a)?, rng), world.name(service_of(b)?, rng));
    let wordings = [
        "FIRST wrote ONE error lines, and SECOND wrote OTHER",
        "there were ONE error lines from FIRST and OTHER from SECOND",
    ];
    let values =
        [("FIRST", first.as_str()), ("SECOND", &second), ("ONE", &one.to_string()), ("OTHER", &other.to_string())];
    Some(claim(say(rng, &wordings, &values), &[a, b]))
}

fn first_and_last(world: &World, rng: &mut Rng) -> Option<Claim> {
    let mut alerts = world.of("alert.fired");
    alerts.sort_by_key(|event| begun(event));
    let (first, last) = (alerts.first()?, alerts.last()?);
    let (from, to) = (hms(begun(first)), hms(begun(last)));
    let wordings = [
        "alerts fired from FROM to TO",
        "the alerts began between FROM and TO",
        "the first alert came at FROM, the last one at TO",
    ];
    Some(claim(say(rng, &wordings, &[("FROM", &from), ("TO", &to)]), &alerts))
}
