//! A receiver of our webhook that notes when each notification came.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::server::failed;

/// A receiver of our webhook that remembers when which name came.
pub struct Receiver {
    pub port: u16,
    seen: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Receiver {
    pub fn start() -> Result<Self, String> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let seen = Arc::<Mutex<Vec<(Instant, String)>>>::default();
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || receive(stream, &kept));
            }
        });
        Ok(Self { port, seen })
    }

    pub fn wait_for(&self, name: &str, patience: Duration) -> Option<Instant> {
        let began = Instant::now();
        while began.elapsed() < patience {
            let found = self.seen.lock().ok()?.iter().find(|(_, body)| body.contains(name)).map(|(at, _)| *at);
            if found.is_some() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

/// Reads requests of one connection and answers 200 to each, until it is closed.
fn receive(stream: TcpStream, seen: &Mutex<Vec<(Instant, String)>>) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        if let Ok(mut seen) = seen.lock() {
            seen.push((Instant::now(), String::from_utf8_lossy(&body).into_owned()));
        }
        if writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}
