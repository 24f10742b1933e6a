//! TLS to a real server with a certificate of our own. Where several providers of cryptography are compiled
//! in, the client panics at its first handshake unless one was installed for the process.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use crate::common;
use std::process::Stdio;
use std::time::Duration;

use hindcast_ledger_nats::{NatsLedger, Options};
use hindcast_testkit::conformance::toy::{Chains, intake};

#[tokio::test]
async fn a_ledger_is_used_over_tls_and_an_unknown_certificate_is_refused() {
    // What the first line of every `main` does.
    rustls::crypto::aws_lc_rs::default_provider().install_default().expect("the first one of this process");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(at("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(at("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let config = format!(
        "listen: \"127.0.0.1:{port}\"\ntls {{ cert_file: {:?}, key_file: {:?} }}\n\
         jetstream {{ store_dir: {:?}, sync_interval: always }}\n",
        at("cert.pem"),
        at("key.pem"),
        at("store")
    );
    std::fs::write(at("server.conf"), config).unwrap();
    let _server = tokio::process::Command::new(common::program().await)
        .arg("-c")
        .arg(at("server.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let options = Options { accept_lossy: true, ..Options::at(&format!("tls://localhost:{port}")) };
    let trusting = Options { root_certificates: Some(at("cert.pem")), ..options.clone() };
    let ledger = loop {
        match NatsLedger::connect(trusting.clone()).await {
            Ok(ledger) => break ledger,
            Err(error) if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() => {
                panic!("expected a ledger over TLS, got {error:?}");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    Chains::default().append(&ledger, &intake("a")).await.expect("an append over TLS");
    assert!(NatsLedger::connect(options).await.is_err(), "expected an unknown certificate to be refused");
}
