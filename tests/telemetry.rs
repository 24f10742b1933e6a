//! Telemetry into the built binary by other doors than HTTP/1.1: OTLP over gRPC on the listen address and on its own, and
//! syslog over TCP and UDP.

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
    counted(server, "hindcast_telemetry_records_total{kind=\"span\"} ").await
}

/// The value of a series of our own metrics.
async fn counted(server: &Server, series: &str) -> u64 {
    let text = reqwest::get(server.url("/metrics")).await.unwrap().text().await.unwrap();
    text.lines().find_map(|line| line.strip_prefix(series)).map_or(0, |count| count.parse().unwrap())
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

#[tokio::test(flavor = "multi_thread")]
async fn syslog_comes_over_tcp_and_udp_in_both_standards() {
    use tokio::io::AsyncWriteExt as _;
    let (data, listen) = (folder(), format!("127.0.0.1:{}", free_port()));
    let mut server = Server::start(data.path(), Ledger::Embedded, &["--syslog-listen", &listen]).await;
    let rfc5424 = "<131>1 2026-11-30T04:00:00Z web-1 nginx 7 - [origin ip=\"10.0.0.7\"] upstream timed out";
    let rfc3164 = "<11>Nov 30 04:00:00 web-1 sshd[77]: Connection closed";
    // Counted, on a line, without a priority, with a time that is none: four messages, and none costs another.
    let stream =
        format!("{} {rfc5424}{rfc3164}\nno priority at all\n<13>1 not-a-time h app 7 - - odd\n", rfc5424.len());
    let mut tcp = tokio::net::TcpStream::connect(&listen).await.unwrap();
    for piece in stream.as_bytes().chunks(50) {
        tcp.write_all(piece).await.unwrap();
        tcp.flush().await.unwrap();
    }
    tcp.shutdown().await.unwrap();
    let udp = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for datagram in [rfc5424, rfc3164, "<13>app: caf\u{e9} \u{1b}[31mred\u{1b}[0m", ""] {
        udp.send_to(datagram.as_bytes(), &listen).await.unwrap();
    }
    let series = "hindcast_telemetry_records_total{kind=\"log\"} ";
    let taken = async {
        while counted(&server, series).await < 7 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), taken).await.expect("seven messages are stored");
    assert!(server.stop().success());
}
