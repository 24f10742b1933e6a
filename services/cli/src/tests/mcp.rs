//! The bridge: lines in, lines out, and the server between.

use serde_json::{Value, json};

use super::server::Server;
use super::typing;
use crate::ExitStatus;
use hindcast_api::Code;

const MCP: &str = "POST /mcp";

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[tokio::test]
async fn each_line_is_posted_and_each_answer_is_a_line() {
    let reply = json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18"}});
    let server = Server::default().gives(MCP, 200, reply.clone());
    let base = server.start().await;
    let input = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}\n\n";
    let ended = typing(&base, "mcp --token t", input, false).await;
    assert_eq!((ended.status, lines(&ended.out)), (ExitStatus::Done, vec![reply]), "{}", ended.err);
    let asked = server.asked().remove(0);
    assert_eq!(asked.body, json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"}));
    assert_eq!(asked.headers["authorization"], "Bearer t");
    assert_eq!(asked.headers["accept"], "application/json, text/event-stream");
    assert!(asked.headers.get("mcp-protocol-version").is_none());
}

#[tokio::test]
async fn a_request_that_names_its_version_says_so_in_headers() {
    let server = Server::default().gives(MCP, 200, json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    let base = server.start().await;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "get_incident", "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}});
    typing(&base, "mcp", &format!("{message}\n"), false).await;
    let headers = server.asked().remove(0).headers;
    assert_eq!(headers["mcp-protocol-version"], "2026-07-28");
    assert_eq!(
        (&headers["mcp-method"], &headers["mcp-name"]),
        (&"tools/call".parse().unwrap(), &"get_incident".parse().unwrap())
    );
}

#[tokio::test]
async fn a_streamed_answer_is_as_many_lines_as_it_has_messages() {
    let stream =
        "event: message\ndata: {\"method\":\"notifications/x\"}\n\n: ping\n\ndata: {\"id\":1,\ndata: \"result\":{}}";
    let base = Server::default().says(MCP, "text/event-stream", stream).start().await;
    let ended = typing(&base, "mcp", "{\"id\":1,\"method\":\"x\"}\n", false).await;
    assert_eq!(lines(&ended.out), [json!({"method": "notifications/x"}), json!({"id": 1, "result": {}})]);
}

#[tokio::test]
async fn what_goes_wrong_is_an_error_of_the_request_and_the_bridge_goes_on() {
    let base = Server::default().refuses(MCP, Code::Unauthorized, "a token is missing").start().await;
    let input = "nonsense\n{\"id\":7,\"method\":\"tools/list\"}\n{\"method\":\"notifications/initialized\"}\n";
    let ended = typing(&base, "mcp", input, false).await;
    assert_eq!(ended.status, ExitStatus::Done);
    let told = lines(&ended.out);
    assert_eq!(told.len(), 2, "nobody waits for a notification: {told:?}");
    assert_eq!((&told[0]["id"], &told[0]["error"]["code"]), (&json!(null), &json!(-32_700)));
    assert_eq!(told[1]["id"], 7);
    let said = told[1]["error"]["message"].as_str().unwrap();
    assert!(said.contains("a token is missing") && said.contains("HINDCAST_TOKEN"), "{said}");
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let told =
        lines(&typing(&base, "mcp", "{\"id\":1,\"method\":\"x\"}\n{\"id\":2,\"method\":\"x\"}\n", false).await.out);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0]["error"]["message"].as_str().unwrap().contains("hindcast up"), "{told:?}");
}
