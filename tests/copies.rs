//! A replay, a copy of the folder and a restored backup page nobody, until a person activates them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

use crate::support;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use support::{Ledger, Server, folder, free_port};

/// A receiver's stand-in: counts what it takes by its key.
async fn receiver() -> (String, Arc<Mutex<Vec<String>>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/page", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let keys = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                let mut chunk = [0; 4_096];
                loop {
                    let read = stream.read(&mut chunk).await.unwrap_or(0);
                    bytes.extend_from_slice(&chunk[..read]);
                    let text = String::from_utf8_lossy(&bytes).to_lowercase();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        if read == 0 {
                            return;
                        }
                        continue;
                    };
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
                    if body.len() >= length.unwrap_or(0) || read == 0 {
                        let key =
                            head.lines().find_map(|line| line.strip_prefix("idempotency-key: ").map(str::to_owned));
                        keys.lock().unwrap().extend(key);
                        stream
                            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                            .await
                            .ok();
                        return;
                    }
                }
            });
        }
    });
    (url, taken)
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: did not happen within ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_a_restored_backup_send_nothing_until_they_are_activated() {
    let root = folder();
    let original = root.path().join("original");
    let (url, taken) = receiver().await;
    let more = ["--notify", url.as_str()];
    let mut server = Server::start(&original, Ledger::Embedded, &more).await;
    server.fire("PgDown", "postgres", "critical").await;
    server.settled().await;
    until("the page", || taken.lock().unwrap().len() == 1).await;
    let backup = root.path().join("hindcast.backup");
    let (status, _, err) = server.cli(&["backup", backup.to_str().unwrap()]);
    assert_eq!(status, 0, "{err}");
    let before = server.settled().await;
    let (_, replay) = server.post("/api/v1/replay", &json!({})).await;
    assert_eq!(replay["identical"], true);
    assert!(server.stop().success());

    // A copy of the folder.
    let copy = root.path().join("copy");
    assert!(Command::new("cp").arg("-r").arg(&original).arg(&copy).status().unwrap().success());
    let mut server = Server::start(&copy, Ledger::Embedded, &more).await;
    assert_eq!(server.settled().await["state_hash"], before["state_hash"]);
    server.fire("Other", "elsewhere", "critical").await;
    server.settled().await;
    // Longer than a first page settles.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(taken.lock().unwrap().len(), 1, "the copy paged somebody");
    // Said so by the doctor, and lifted by a person.
    let (status, out, _) = server.cli(&["doctor"]);
    assert_eq!(status, 1, "{out}");
    let (status, _, err) = server.cli(&["activate"]);
    assert_eq!(status, 0, "{err}");
    until("the held page", || taken.lock().unwrap().len() == 2).await;
    assert!(server.stop().success());

    // A restored backup.
    let restored = root.path().join("restored");
    let (status, _, err) = support::cli(&["restore", backup.to_str().unwrap(), "--data", restored.to_str().unwrap()]);
    assert_eq!(status, 0, "{err}");
    let server = Server::start_on(free_port(), &restored, Ledger::Embedded, &more).await;
    assert_eq!(server.settled().await["state_hash"], before["state_hash"]);
    server.fire("Third", "anywhere", "critical").await;
    server.settled().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(taken.lock().unwrap().len(), 2, "the restored backup paged somebody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_before_anything_is_written() {
    let root = folder();
    let server = Server::start(&root.path().join("original"), Ledger::Embedded, &[]).await;
    server.fire("PgDown", "postgres", "critical").await;
    server.settled().await;
    let backup = root.path().join("hindcast.backup");
    assert_eq!(server.cli(&["backup", backup.to_str().unwrap()]).0, 0);
    let mut bytes = std::fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&backup, bytes).unwrap();
    let target = root.path().join("restored");
    let (status, _, err) = support::cli(&["restore", backup.to_str().unwrap(), "--data", target.to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(err.contains("damaged") && !target.exists(), "{err}");
}
