//! Questions and answers on the terminal: whole, streamed, and one after another.

use serde_json::{Value, json};

use super::advice::{cites, hypothesis, proposal, similar};
use super::server::Server;
use super::{hindcast, typing};
use crate::ExitStatus;
use hindcast_api::Code;

const ASK: &str = "POST /api/v1/ask";

fn answer() -> Value {
    let claim = |text: &str, verdict: &str, reason: Option<&str>, positions: &[u64]| json!({"text": text, "citations": cites(positions), "verdict": verdict, "reason": reason});
    json!({
        "answer": "postgres ran out of connections.", "mode": "evidence",
        "claims": [
            claim("postgres ran out of connections at 02:41:07", "supported", None, &[8_812, 8_840]),
            claim("redis failed first\u{1b}[2J", "unsupported", Some("no cited event names redis"), &[8_890]),
            claim("look at it", "unverifiable", None, &[]),
        ],
        "hypotheses": [hypothesis()], "similar": similar(), "proposals": [proposal()],
        "missing": ["no language model is configured"], "incident": "INC-3K7Q000000000000", "severity": "critical",
        "prompt_version": "a1", "position": 9_000, "tokens": {"input": 0, "output": 0}, "cost": 0.0, "elapsed_ms": 41,
        "conversation": "CNV-1", "recorded": [],
    })
}

#[tokio::test]
async fn an_answer_is_told_claim_by_claim_with_its_marks() {
    let server = Server::default().gives(ASK, 200, answer());
    let base = server.start().await;
    let ended = hindcast(&base, "ask what_is going on? --incident INC-3K --as-of 8192 --conversation mine").await;
    let expect = "\
INC-3K7Q CRITICAL
  ✓  postgres ran out of connections at 02:41:07  #8812 #8840
  ✗  removed: redis failed first\u{fffd}[2J (no cited event names redis)  #8890
  ?  not checked: look at it
  cause          postgres has no free connection · score 0.91
  root cause     2026-11-20 02:41:07Z postgres  connections 100/100  #8812 #8840
  propagated to  2026-11-20 02:41:19Z api  errors 0.2 % → 38 %  #8871
  first alert    2026-11-20 02:41:44Z nginx  NginxHighErrorRate  #8903
  past           same problem as INC-1F2M: same log line; resolution: closing 96 idle transactions; no alert for 2 h after that  #4410
                 INC-2B9X: similar symptoms, different cause: \"No space left on device\"  #4410
  proposed       pg-end-idle {database: shop, idle_over: 5m} · risk low · worked 1 of 1 · nothing runs
  missing        no language model is configured
asked  41 ms · evidence · 0 tokens, $0 · 3 claims: 1 supported, 1 removed, 1 not checked · as of #9000 · CNV-1
";
    assert_eq!(ended.out, expect, "{}", ended.err);
    let asked = server.asked().remove(0);
    let body = json!({"question": "what is going on?", "incident": "INC-3K", "as_of": "8192", "conversation": "mine"});
    assert_eq!(asked.body, body);
    assert_eq!(asked.headers["x-hindcast-channel"], "cli");
    assert_eq!(asked.headers["accept"], "application/json", "nobody watches");
    let json = hindcast(&base, "ask x --json").await;
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap(), answer());
}

#[tokio::test]
async fn what_is_done_meanwhile_is_told_to_whoever_watches() {
    let stream = format!(
        "event: status\ndata: {{\"text\":\"gathers evidence\"}}\n\n: still here\n\nevent: tool\ndata: \
         {{\"name\":\"get_causes\",\"arguments\":{{\"a\":1}}}}\n\nevent: delta\ndata: {{\"text\":\"post\\u001b\"}}\n\n\
         event: of_tomorrow\ndata: 1\n\nevent: answer\ndata: {}\n\n",
        answer()
    );
    let server = Server::default().says(ASK, "text/event-stream", &stream);
    let base = server.start().await;
    let ended = typing(&base, "ask what_changed?", "", true).await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    assert_eq!(ended.err, "· gathers evidence\n· get_causes {\"a\":1}\npost \n");
    assert!(ended.out.starts_with("INC-3K7Q CRITICAL\n"), "the answer alone is output: {}", ended.out);
    assert_eq!(server.asked()[0].headers["accept"], "text/event-stream");
    typing(&base, "ask what_changed? --no-stream", "", true).await;
    assert_eq!(server.asked()[1].headers["accept"], "application/json");
}

#[tokio::test]
async fn a_stream_that_ends_in_an_error_or_nowhere_has_failed() {
    let problem = serde_json::to_string(&hindcast_api::Problem::new(Code::NotFound, "no incident begins so")).unwrap();
    for (stream, status, said) in [
        (format!("event: error\ndata: {problem}\n\n"), ExitStatus::NothingFound, "no incident begins so"),
        ("event: status\ndata: {\"text\":\"x\"}\n\n".to_owned(), ExitStatus::Failed, "the stream ended before it"),
        ("event: answer\ndata: {\n\n".to_owned(), ExitStatus::Failed, "expected JSON"),
    ] {
        let base = Server::default().says(ASK, "text/event-stream", &stream).start().await;
        let ended = typing(&base, "ask x", "", true).await;
        assert_eq!(ended.status, status, "{}", ended.err);
        assert!(ended.err.contains(said) && ended.out.is_empty(), "{}", ended.err);
    }
}

#[tokio::test]
async fn a_chat_keeps_its_conversation_through_the_lines() {
    let server = Server::default().gives(ASK, 200, answer());
    let base = server.start().await;
    let ended =
        typing(&base, "chat --incident INC-3K", "what is going on?\n\n  and now?\r\nquit\nnever asked\n", false).await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    assert_eq!(ended.out.matches("INC-3K7Q CRITICAL").count(), 2, "{}", ended.out);
    let asked: Vec<Value> = server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        asked,
        [
            json!({"question": "what is going on?", "incident": "INC-3K"}),
            json!({"question": "and now?", "incident": "INC-3K", "conversation": "CNV-1"}),
        ]
    );
    assert_eq!(server.asked()[0].headers["x-hindcast-channel"], "chat");
    assert!(!ended.err.contains('›'), "no prompt where nobody types");
    let lines = typing(&base, "chat --json", "a\nb\n", false).await.out;
    assert_eq!(lines.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 2);
}

#[tokio::test]
async fn a_question_without_an_answer_does_not_end_a_chat_and_is_not_forgotten() {
    let server = Server::default().refuses(ASK, Code::Unavailable, "the ledger takes nothing now");
    let base = server.start().await;
    let ended = typing(&base, "chat", "a\nb\n", false).await;
    assert_eq!(ended.status, ExitStatus::Failed);
    assert_eq!(ended.err.matches("error: the ledger takes nothing now").count(), 2, "{}", ended.err);
    assert_eq!(typing(&base, "chat", "", false).await.status, ExitStatus::Done);
}
