//! A server that is measured: ours or an Alertmanager, in a folder of its own that goes with it, and the plain
//! HTTP/1.1 to talk to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ticks of a second in `/proc/PID/stat`, on every Linux of today.
const TICKS: f64 = 100.0;
/// How long a server has to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server under load, with a folder of its own that goes with it.
pub struct Server {
    child: std::sync::Mutex<Child>,
    pid: u32,
    pub port: u16,
    pub folder: PathBuf,
    settles: bool,
}

impl Server {
    pub fn alertmanager() -> Result<Self, String> {
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

    pub fn hindcast(binary: &str, more: &[&str]) -> Result<Self, String> {
        let (folder, port) = (folder("hindcast")?, free_port()?);
        let mut command = Command::new(binary);
        command
            .arg("--data")
            .arg(&folder)
            .args(["up", "--listen", &format!("127.0.0.1:{port}")])
            .args(more)
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

    pub fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        Connection::open(self.port)?.ask(method, path, body)
    }

    pub fn is_settled(&self) -> bool {
        !self.settles
            || self.ask("GET", "/api/v1/state", "").is_ok_and(|(_, body)| {
                body.split_once("\"settled\":").is_some_and(|(_, rest)| rest.trim_start().starts_with("true"))
            })
    }

    /// Seconds of processor time so far, and megabytes resident.
    pub fn spent(&self) -> (f64, f64) {
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

/// A kept HTTP/1.1 connection.
pub struct Connection {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Connection {
    pub fn open(port: u16) -> std::io::Result<Self> {
        let writer = TcpStream::connect(("127.0.0.1", port))?;
        writer.set_nodelay(true)?;
        Ok(Self { reader: BufReader::new(writer.try_clone()?), writer })
    }

    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
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

pub fn folder(name: &str) -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("hindcast-ingest-{name}-{}", std::process::id()));
    std::fs::remove_dir_all(&folder).unwrap_or_default();
    std::fs::create_dir_all(&folder).map_err(failed)?;
    Ok(folder)
}

pub fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    Ok(listener.local_addr().map_err(failed)?.port())
}

pub fn size(path: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else {
        return std::fs::metadata(path).map_or(0, |data| data.blocks() * 512);
    };
    entries.filter_map(Result::ok).map(|entry| size(&entry.path())).sum()
}

pub fn failed(error: std::io::Error) -> String {
    format!("the measurement could not be made: {error}")
}
