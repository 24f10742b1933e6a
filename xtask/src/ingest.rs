//! `cargo xtask ingest BIN`: alerts a second and processor time an alert, beside a real Alertmanager in the same run.
//! Both are sent the same bodies over kept connections. Processor time is that of the process, counted until ours
//! says that all of it is decided and shown; Alertmanager decides nothing after its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::receiver::Receiver;
use crate::server::{Connection, Server, failed, size};

/// Bytes that one alert is padded to.
const ALERT_BYTES: usize = 880;
/// How long what was sent has to be decided.
const PATIENCE: Duration = Duration::from_secs(600);

/// How much is sent, and how.
#[derive(Clone, Copy)]
struct Load {
    alerts: usize,
    a_post: usize,
    clients: usize,
}

/// What one server did with a load.
struct Measured {
    rate: f64,
    cpu_us: f64,
    settled_s: f64,
    resident_mb: f64,
    disk_mb: f64,
}

/// Runs the loads; `arguments` are the binary, and the number of alerts where it is not 100,000.
pub fn run(arguments: &[String]) -> Outcome {
    let binary = arguments.first().ok_or("expected the binary that is measured, such as target/release/hindcast")?;
    let alerts =
        arguments.get(1).map_or(Ok(100_000), |text| text.parse()).map_err(|_| "expected a number of alerts")?;
    let loads = [Load { alerts, a_post: 64, clients: 8 }, Load { alerts, a_post: 1, clients: 64 }];
    println!("load average {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    for load in loads {
        println!("{} alerts, {} a POST, {} clients", load.alerts, load.a_post, load.clients);
        let theirs = measure(load, &Server::alertmanager()?)?;
        theirs.print("alertmanager");
        let ours = measure(load, &Server::hindcast(binary, &[])?)?;
        ours.print("hindcast");
        println!("  ratios: rate {:.2}, cpu {:.2}", ours.rate / theirs.rate, ours.cpu_us / theirs.cpu_us);
    }
    Ok(())
}

impl Measured {
    fn print(&self, name: &str) {
        let Self { rate, cpu_us, settled_s, resident_mb, disk_mb } = self;
        println!(
            "  {name:<13} {rate:>8.0} alerts/s {cpu_us:>7.1} us CPU an alert, settled after {settled_s:.1} s, \
             {resident_mb:.0} MB resident, {disk_mb:.0} MB on disk"
        );
    }
}

fn measure(load: Load, server: &Server) -> Result<Measured, String> {
    let bodies: Arc<Vec<String>> = Arc::new(bodies(load));
    let next = Arc::new(AtomicUsize::new(0));
    let (before, _) = server.spent();
    let began = Instant::now();
    let clients: Vec<_> = (0..load.clients)
        .map(|_| {
            let (bodies, next, port) = (Arc::clone(&bodies), Arc::clone(&next), server.port);
            std::thread::spawn(move || send(port, &bodies, &next))
        })
        .collect();
    for client in clients {
        client.join().map_err(|_| "a client panicked".to_owned())?.map_err(|error| format!("a client: {error}"))?;
    }
    let sent = began.elapsed().as_secs_f64();
    let waiting = Instant::now();
    while !server.is_settled() {
        if waiting.elapsed() > PATIENCE {
            return Err("what was sent is not decided".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1_000));
    }
    let (after, resident_mb) = server.spent();
    let alerts = load.alerts as f64;
    Ok(Measured {
        rate: alerts / sent,
        cpu_us: (after - before) * 1e6 / alerts,
        settled_s: waiting.elapsed().as_secs_f64(),
        resident_mb,
        disk_mb: size(&server.folder) as f64 / 1e6,
    })
}

fn send(port: u16, bodies: &[String], next: &AtomicUsize) -> std::io::Result<()> {
    let mut connection = Connection::open(port)?;
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        loop {
            let (status, text) = connection.ask("POST", "/api/v2/alerts", body)?;
            match status {
                200..=299 => break,
                // It asks for patience, and is given it.
                429 | 503 => std::thread::sleep(Duration::from_millis(100)),
                _ => return Err(std::io::Error::other(format!("{status} {text}"))),
            }
        }
    }
    Ok(())
}

/// A server to which that many alerts of one source were just sent.
fn stormed(binary: &str, alerts: usize, receiver: &Receiver) -> Result<Server, String> {
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let server = Server::hindcast(binary, &["--notify", &url])?;
    let bodies = Arc::new(bodies(Load { alerts, a_post: 64, clients: 8 }));
    let (next, port) = (Arc::new(AtomicUsize::new(0)), server.port);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (bodies, next) = (Arc::clone(&bodies), Arc::clone(&next));
            std::thread::spawn(move || send(port, &bodies, &next))
        })
        .collect();
    for client in clients {
        client.join().map_err(|_| "a client panicked".to_owned())?.map_err(|error| format!("a client: {error}"))?;
    }
    println!("{alerts} alerts of one source are sent; settled: {}", server.is_settled());
    Ok(server)
}

/// Pages of a critical alert while `alerts` of one source wait to be decided: how long until the receiver has them.
pub fn storm(arguments: &[String]) -> Outcome {
    let binary = arguments.first().ok_or("expected the binary that is measured, such as target/release/hindcast")?;
    let alerts =
        arguments.get(1).map_or(Ok(100_000), |text| text.parse()).map_err(|_| "expected a number of alerts")?;
    println!("load average {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    // A server for each, because a receiver has a budget of pages.
    for (who, path) in [("another source", "/ingest/alertmanager"), ("the same source", "/api/v2/alerts")] {
        let receiver = Receiver::start()?;
        let server = stormed(binary, alerts, &receiver)?;
        let mut waits = Vec::new();
        for n in 0..20 {
            let name = format!("Critical{}{n}", path.len());
            let labels = format!(
                "{{\"alertname\":\"{name}\",\"severity\":\"critical\",\"service\":\"pay-{n}\",\"instance\":\"pay-{n}:80\"}}"
            );
            let alert = format!("{{\"status\":\"firing\",\"labels\":{labels},\"annotations\":{{}}}}");
            let body = if path.starts_with("/ingest") {
                format!("{{\"version\":\"4\",\"status\":\"firing\",\"alerts\":[{alert}]}}")
            } else {
                format!("[{alert}]")
            };
            let began = Instant::now();
            let (status, text) = server.ask("POST", path, &body).map_err(failed)?;
            let answered = began.elapsed();
            if !(200..300).contains(&status) {
                return Err(format!("{path} answered {status} {text}"));
            }
            let paged = receiver.wait_for(&name, PATIENCE).ok_or("a page did not come")?;
            waits.push((paged.duration_since(began), answered));
        }
        waits.sort();
        let seconds = |at: usize| waits.get(at).map_or(0.0, |(paged, _)| paged.as_secs_f64());
        let answered = waits.iter().map(|(_, answered)| answered.as_secs_f64()).fold(0.0, f64::max);
        println!(
            "  critical of {who}: paged after {:.2} s (median), {:.2} s (worst of 20); answered after {answered:.3} s at worst; settled: {}",
            seconds(10),
            seconds(19),
            server.is_settled()
        );
    }
    Ok(())
}

/// Alerts with distinct labels, over 200 services, one a second apart.
fn bodies(load: Load) -> Vec<String> {
    let numbers: Vec<usize> = (0..load.alerts).collect();
    let body = |numbers: &[usize]| format!("[{}]", numbers.iter().map(|n| alert(*n)).collect::<Vec<_>>().join(","));
    numbers.chunks(load.a_post).map(body).collect()
}

fn alert(n: usize) -> String {
    let service = n % 200;
    let head = format!(
        "{{\"labels\":{{\"alertname\":\"QueueGrows{}\",\"severity\":\"warning\",\"service\":\"svc-{service}\",\
         \"instance\":\"10.{}.{}.{}:9100\",\"pod\":\"svc-{service}-{n:08x}\",\"zone\":\"eu-{}\"}},\
         \"annotations\":{{\"summary\":\"The queue of svc-{service} grows on pod {n:08x}\",\"description\":\"",
        n % 37,
        n / 65_536,
        (n / 256) % 256,
        n % 256,
        n % 3,
    );
    let tail = "\"},\"generatorURL\":\"http://prometheus.example:9090/graph?g0.expr=queue_depth\"}";
    let words = "the consumer reads more slowly than producers write and messages wait ";
    let room = ALERT_BYTES.saturating_sub(head.len() + tail.len());
    let filler: String = words.chars().cycle().skip(n % words.len()).take(room).collect();
    format!("{head}{filler}{tail}")
}
