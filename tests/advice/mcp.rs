//! The same advice over MCP.

use std::io::BufRead;
use std::io::{BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::QUESTION;
use crate::support;
use crate::support::Server;
use crate::support::world::{Happened, Wrong};

fn call(id: u64, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn hello() -> Value {
    let client = json!({"name": "a-test", "version": "1"});
    call(1, "initialize", &json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}))
}

fn uses(again: &Happened) -> Vec<(&'static str, Value)> {
    let id = &again.incident;
    vec![
        ("list_incidents", json!({})),
        ("get_incident", json!({"incident": id})),
        ("get_causes", json!({"incident": id})),
        ("get_similar", json!({"incident": id})),
        ("get_timeline", json!({"incident": id})),
        ("get_findings", json!({"incident": id})),
        ("ask", json!({"question": QUESTION, "incident": id})),
    ]
}

/// What an answer to a call says; an error in it is wrong.
pub(super) fn said(place: &str, answer: &Value, wrong: &mut Wrong) -> Value {
    let result = &answer["result"];
    wrong.unless(result.is_object() && result["isError"] != true, || format!("{place}: {answer}"));
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    if result["structuredContent"].is_object() {
        return result["structuredContent"].clone();
    }
    serde_json::from_str(text).unwrap_or_default()
}

pub(super) async fn mcp_over_http(server: &Server, again: &Happened, wrong: &mut Wrong) {
    let (status, answer) = server.post("/mcp", &hello()).await;
    wrong.unless(status == 200 && answer["result"]["serverInfo"]["name"] == "hindcast", || {
        format!("initialize: {status} {answer}")
    });
    let (_, listed) = server.post("/mcp", &call(2, "tools/list", &json!({}))).await;
    let tools = listed["result"]["tools"].as_array().cloned().unwrap_or_default();
    wrong.unless(tools.iter().all(|tool| tool["inputSchema"]["type"] == "object"), || format!("{listed}"));
    for (name, arguments) in uses(again) {
        wrong.unless(tools.iter().any(|tool| tool["name"] == name), || format!("no tool {name}"));
        let (_, answer) =
            server.post("/mcp", &call(3, "tools/call", &json!({"name": name, "arguments": arguments}))).await;
        let document = said(name, &answer, wrong);
        wrong.unless(document.to_string().contains(&again.incident), || format!("{name} over MCP: {document}"));
        wrong.resolve(server, name, &document, u64::MAX).await;
    }
    let bad = [
        ("tools/call", json!({"name": "erase", "arguments": {}})),
        ("tools/call", json!({"name": "get_causes", "arguments": {"incident": "INC-ZZZZZZZZ"}})),
        ("tools/call", json!({"name": "get_causes", "arguments": {"colour": "red"}})),
        ("no/such/method", json!({})),
    ];
    for (method, params) in bad {
        let (_, answer) = server.post("/mcp", &call(4, method, &params)).await;
        let refused = answer["error"].is_object() || answer["result"]["isError"] == true;
        wrong.unless(refused, || format!("{method} {params} over MCP: {answer}"));
    }
    let (status, _) = server.post_raw("/mcp", "application/json", "{\"jsonrpc\"").await;
    wrong.unless((400..500).contains(&status), || format!("garbage over MCP: {status}"));
}

pub(super) fn mcp_over_stdio(server: &Server, again: &Happened, wrong: &mut Wrong) {
    let mut command = Command::new(support::binary());
    command
        .args(["mcp", "--server", &server.url("")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut bridge = command.spawn().unwrap();
    let mut input = bridge.stdin.take().unwrap();
    let mut output = BufReader::new(bridge.stdout.take().unwrap()).lines();
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let causes = json!({"name": "get_causes", "arguments": {"incident": again.incident}});
    writeln!(input, "{}", hello()).unwrap();
    let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap_or_default();
    wrong.unless(answer["id"] == 1 && answer["result"]["serverInfo"].is_object(), || format!("stdio: {answer}"));
    writeln!(input, "{note}\n{}", call(2, "tools/list", &json!({}))).unwrap();
    let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap_or_default();
    wrong.unless(answer["result"]["tools"].as_array().is_some_and(|all| all.len() > 5), || format!("stdio: {answer}"));
    writeln!(input, "{}", call(3, "tools/call", &causes)).unwrap();
    let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap_or_default();
    let document = said("stdio", &answer, wrong);
    wrong.unless(document.to_string().contains("ledger-db"), || format!("get_causes over stdio: {document}"));
    drop(input);
    let status = bridge.wait().unwrap();
    wrong.unless(status.success(), || format!("the bridge ends with {status}"));
}
