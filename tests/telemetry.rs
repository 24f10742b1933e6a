//! Telemetry into the built binary by other doors than HTTP/1.1: OTLP over gRPC on the listen address and on its own.

use bytes::Bytes;
use serde_json::json;

use crate::support::{Ledger, Server, folder, free_port};

const TRACES: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// `ExportTraceServiceRequest` with one span named "pay" of the service "checkout", as protobuf.
fn export() -> Vec<u8> {
    fn field(number: u8, inner: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(inner.len()).unwrap()][..], inner].concat()
    }
    let name = field(1, &[field(1, b"service.name"), field(2, &field(1, b"checkout"))].concat());
    let span = [field(1, &[1; 16]), field(2, &[2; 8]), field(5, b"pay")].concat();
    field(1, &[field(1, &name), field(2, &field(2, &span))].concat())
}

/// Calls a method over HTTP/2 without TLS, with what is known beforehand: the answer and the status of gRPC.
async fn call(address: &str, message: &[u8]) -> (Bytes, String) {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let running = tokio::spawn(connection);
    let request = axum::http::Request::post(format!("http://{address}/{TRACES}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let (answer, mut body) = client.ready().await.unwrap().send_request(request, false).unwrap();
    let framed = [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat();
    body.send_data(framed.into(), true).unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    let refused = answer.headers().get("grpc-status").cloned();
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    let trailers = body.trailers().await.unwrap();
    let status = refused.or_else(|| trailers?.get("grpc-status").cloned()).unwrap();
    running.abort();
    (bytes.into(), status.to_str().unwrap().to_owned())
}

async fn spans(server: &Server) -> u64 {
    let text = reqwest::get(server.url("/metrics")).await.unwrap().text().await.unwrap();
    let of = text.lines().find_map(|line| line.strip_prefix("hindcast_telemetry_records_total{kind=\"span\"} "));
    of.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_is_served_on_the_listen_address_and_on_one_of_its_own() {
    let (data, otlp) = (folder(), format!("127.0.0.1:{}", free_port()));
    let mut server = Server::start(data.path(), Ledger::Embedded, &["--otlp-listen", &otlp]).await;
    let listen = server.url("").trim_start_matches("http://").to_owned();
    for address in [listen.as_str(), otlp.as_str()] {
        let (answer, status) = call(address, &export()).await;
        assert_eq!((&answer[..], status.as_str()), (&[0; 5][..], "0"), "{address}");
        assert_eq!(call(address, b"no protobuf").await.1, "3", "{address}");
    }
    assert_eq!(spans(&server).await, 2);
    let over_http = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "pay"}]}]}]});
    let client = reqwest::Client::new();
    let answer = client.post(format!("http://{otlp}/v1/traces")).json(&over_http).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let alerts = client.post(format!("http://{otlp}/api/v2/alerts")).json(&json!([])).send().await.unwrap();
    assert_eq!(alerts.status(), 404, "that address is OpenTelemetry's alone");
    assert_eq!(spans(&server).await, 3);
    assert!(server.stop().success());
}
