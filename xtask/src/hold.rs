//! `cargo xtask hold BIN [N]` and `cargo xtask repeats BIN [N]`: what it costs to hold many alerts and to hear the same
//! ones again: memory an alert, disk a repeat, how long a list and the page of a large incident take, and a replay.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::server::{Connection, Server, failed, size};

/// Alerts of one request.
const A_POST: usize = 64;
/// Looks at each page.
const LOOKS: usize = 25;
/// How long what was sent has to be decided.
const PATIENCE: Duration = Duration::from_secs(1_200);

/// Alerts of one incident that is held, and what is asked about it.
pub fn hold(arguments: &[String]) -> Outcome {
    let (binary, alerts) = asked(arguments, 20_000)?;
    load_average();
    let server = Server::hindcast(binary, &[])?;
    let (_, before) = server.spent();
    let bodies: Vec<String> = (0..alerts).collect::<Vec<_>>().chunks(A_POST).map(|some| body(some, "queue")).collect();
    send(&server, bodies.iter())?;
    let settled = settle(&server)?;
    let (cpu, resident) = server.spent();
    println!(
        "{alerts} alerts of one service: settled {settled:.1} s after the last answer, {:.0} us CPU an alert, \
         {resident:.0} MB resident ({before:.0} before), {:.0} bytes of disk an alert",
        cpu * 1e6 / alerts as f64,
        size(&server.folder) as f64 / alerts as f64
    );
    let (_, newest) = server.ask("GET", "/api/v1/incidents?limit=1", "").map_err(failed)?;
    let id = newest.split_once("\"id\":\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default().to_owned();
    let count = newest.split_once("\"alerts\":").and_then(|(_, rest)| rest.split([',', '}']).next()).unwrap_or("0");
    println!("the newest incident is {id} of {} alerts", count.trim());
    for path in ["/api/v1/incidents?limit=25".to_owned(), "/".to_owned(), format!("/{id}"), "/api/v1/state".to_owned()]
    {
        look(&server, &path)?;
    }
    let began = Instant::now();
    let (status, replayed) = server.ask("POST", "/api/v1/replay", "{}").map_err(failed)?;
    let events = replayed.split_once("\"events\":").and_then(|(_, rest)| rest.split([',', '}']).next());
    println!("replay: {status} in {:.2} s, {}", began.elapsed().as_secs_f64(), replayed.trim());
    println!("  {} events", events.unwrap_or("unknown").trim());
    Ok(())
}

/// 200 alerts that are sent again and again, as Prometheus does while they fire.
pub fn repeats(arguments: &[String]) -> Outcome {
    let (binary, repeats) = asked(arguments, 40_000)?;
    load_average();
    let server = Server::hindcast(binary, &[])?;
    let round: Vec<String> = (0..200).collect::<Vec<_>>().chunks(A_POST).map(|some| body(some, "again")).collect();
    send(&server, round.iter())?;
    settle(&server)?;
    let ((_, resident), disk) = (server.spent(), size(&server.folder));
    let began = Instant::now();
    for _ in 0..repeats.div_ceil(200) {
        send(&server, round.iter())?;
    }
    let sent = began.elapsed().as_secs_f64();
    let settled = settle(&server)?;
    let ((_, after), grown) = (server.spent(), size(&server.folder).saturating_sub(disk));
    println!(
        "{repeats} repeats of 200 alerts: {:.0}/s, settled {settled:.1} s after the last answer, {:.0} bytes of disk each, \
         {resident:.0} -> {after:.0} MB resident",
        repeats as f64 / sent,
        grown as f64 / repeats as f64
    );
    Ok(())
}

fn asked(arguments: &[String], usual: usize) -> Result<(&str, usize), String> {
    let binary = arguments.first().ok_or("expected the binary that is measured, such as target/release/hindcast")?;
    let many = arguments.get(1).map_or(Ok(usual), |text| text.parse()).map_err(|_| "expected a number of alerts")?;
    Ok((binary, many))
}

fn load_average() {
    println!("load average {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
}

fn body(numbers: &[usize], service: &str) -> String {
    let alert = |n: &usize| {
        format!(
            "{{\"labels\":{{\"alertname\":\"QueueGrows\",\"severity\":\"warning\",\"service\":\"{service}\",\
             \"instance\":\"10.0.{}.{}:9100\",\"pod\":\"{service}-{n:08x}\"}},\"annotations\":{{\"summary\":\
             \"The queue of {service} grows on pod {n:08x}\"}},\"startsAt\":\"2026-01-01T00:00:00Z\"}}",
            n / 256,
            n % 256
        )
    };
    format!("[{}]", numbers.iter().map(alert).collect::<Vec<_>>().join(","))
}

fn send<'a>(server: &Server, bodies: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut connection = Connection::open(server.port).map_err(failed)?;
    for body in bodies {
        let (status, text) = connection.ask("POST", "/api/v2/alerts", body).map_err(failed)?;
        if !(200..300).contains(&status) {
            return Err(format!("{status} {text}"));
        }
    }
    Ok(())
}

fn settle(server: &Server) -> Result<f64, String> {
    let began = Instant::now();
    while !server.is_settled() {
        if began.elapsed() > PATIENCE {
            return Err("what was sent is not decided".to_owned());
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(began.elapsed().as_secs_f64())
}

fn look(server: &Server, path: &str) -> Result<(), String> {
    let mut times = Vec::new();
    let (mut bytes, mut status) = (0, 0);
    for _ in 0..LOOKS {
        let began = Instant::now();
        let (answered, text) = server.ask("GET", path, "").map_err(failed)?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        (status, bytes) = (answered, text.len());
    }
    times.sort_by(f64::total_cmp);
    println!(
        "GET {path}: {status}, {:.1} ms (median), {:.1} ms (worst of {LOOKS}), {} kB",
        times[LOOKS / 2],
        times[LOOKS - 1],
        bytes / 1_000
    );
    Ok(())
}
