//! `cargo xtask ingest BIN`: alerts a second and processor time an alert, beside a real Alertmanager in the same run.
//! Both are sent the same bodies over kept connections. Processor time is that of the process, counted until ours
//! says that all of it is decided and shown; Alertmanager decides nothing after its answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Outcome;

/// Ticks of a second in `/proc/PID/stat`, on every Linux of today.
const TICKS: f64 = 100.0;
/// Bytes of one alert.
const ALERT_BYTES: usize = 880;
/// How long a server has to start, and what was sent to be decided.
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
        let ours = measure(load, &Server::hindcast(binary)?)?;
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

/// A server under load, with a folder of its own that goes with it.
struct Server {
    child: std::sync::Mutex<Child>,
    pid: u32,
    port: u16,
    folder: PathBuf,
    settles: bool,
}

impl Server {
    fn alertmanager() -> Result<Self, String> {
        let name = ["prometheus-alertmanager", "alertmanager"].into_iter().find(|name| {
            Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
        });
        let name = name.ok_or("expected an Alertmanager on the path (Debian: prometheus-alertmanager)")?;
        let folder = folder("alertmanager")?;
        let config = folder.join("alertmanager.yml");
        std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").map_err(failed)?;
        let port = free_port()?;
        let mut command = Command::new(name);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--cluster.listen-address=", "--log.level=error"]);
        Self::start(&mut command, port, folder, "/-/ready", false)
    }

    fn hindcast(binary: &str) -> Result<Self, String> {
        let (folder, port) = (folder("hindcast")?, free_port()?);
        let mut command = Command::new(binary);
        command
            .arg("--data")
            .arg(&folder)
            .args(["up", "--listen", &format!("127.0.0.1:{port}")])
            .env("RUST_LOG", "error");
        Self::start(&mut command, port, folder, "/readyz", true)
    }

    fn start(command: &mut Command, port: u16, folder: PathBuf, ready: &str, settles: bool) -> Result<Self, String> {
        let log = std::fs::File::create(folder.join("log")).map_err(failed)?;
        let child = command.stdout(Stdio::null()).stderr(log).spawn().map_err(failed)?;
        let server = Self { pid: child.id(), child: std::sync::Mutex::new(child), port, folder, settles };
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if server.ask("GET", ready, "").is_ok_and(|(status, _)| status == 200) {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("{command:?} did not become ready"))
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        Connection::open(self.port)?.ask(method, path, body)
    }

    fn is_settled(&self) -> bool {
        !self.settles
            || self.ask("GET", "/api/v1/state", "").is_ok_and(|(_, body)| {
                body.split_once("\"settled\":").is_some_and(|(_, rest)| rest.trim_start().starts_with("true"))
            })
    }

    /// Seconds of processor time so far, and megabytes resident.
    fn spent(&self) -> (f64, f64) {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        ((number(11) + number(12)) / TICKS, number(21) * 4096.0 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            // Whoever is gone already needs no signal.
            child.kill().and_then(|()| child.wait()).map(drop).unwrap_or_default();
        }
        std::fs::remove_dir_all(&self.folder).unwrap_or_default();
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

/// A kept HTTP/1.1 connection.
struct Connection {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Connection {
    fn open(port: u16) -> std::io::Result<Self> {
        let writer = TcpStream::connect(("127.0.0.1", port))?;
        writer.set_nodelay(true)?;
        Ok(Self { reader: BufReader::new(writer.try_clone()?), writer })
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.writer.write_all(request.as_bytes())?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        let (mut length, mut chunked) = (0, false);
        loop {
            line.clear();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(std::io::Error::other("the connection was closed"));
            }
            let header = line.trim().to_ascii_lowercase();
            match header.split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
                Some(("transfer-encoding", _)) => chunked = true,
                Some(_) => {}
                None => break,
            }
        }
        let mut answer = Vec::new();
        if chunked {
            self.chunks(&mut answer)?;
        } else {
            answer.resize(length, 0);
            self.reader.read_exact(&mut answer)?;
        }
        Ok((status, String::from_utf8_lossy(&answer).into_owned()))
    }

    fn chunks(&mut self, answer: &mut Vec<u8>) -> std::io::Result<()> {
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            let mut chunk = vec![0; length + 2];
            self.reader.read_exact(&mut chunk)?;
            if length == 0 {
                return Ok(());
            }
            answer.extend_from_slice(&chunk[..length]);
        }
    }
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

fn folder(name: &str) -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("hindcast-ingest-{name}-{}", std::process::id()));
    std::fs::remove_dir_all(&folder).unwrap_or_default();
    std::fs::create_dir_all(&folder).map_err(failed)?;
    Ok(folder)
}

fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    Ok(listener.local_addr().map_err(failed)?.port())
}

fn size(path: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else {
        return std::fs::metadata(path).map_or(0, |data| data.blocks() * 512);
    };
    entries.filter_map(Result::ok).map(|entry| size(&entry.path())).sum()
}

fn failed(error: std::io::Error) -> String {
    format!("the measurement could not be made: {error}")
}
