//! What is concluded, as it is asked for and as people read it.

use serde_json::{Value, json};

use super::hindcast;
use super::server::{Server, incident};
use crate::ExitStatus;
use hindcast_api::Code;

const ID: &str = "INC-3K7Q000000000000";

pub(super) fn cites(positions: &[u64]) -> Value {
    positions.iter().map(|position| json!({"event": format!("EVT-{position:016}"), "position": position})).collect()
}

pub(super) fn hypothesis() -> Value {
    let step = |role: &str, second: u32, service: &str, text: &str, positions: &[u64]| {
        json!({"role": role, "time": format!("2026-11-20T02:41:{second:02}Z"), "service": service, "text": text,
               "citations": cites(positions)})
    };
    json!({
        "cause": "postgres has no free connection", "service": "postgres", "kind": "service", "score": 0.912,
        "path": [
            step("broke", 7, "postgres", "connections 100/100", &[8_840, 8_812]),
            step("then", 19, "api", "errors 0.2 % → 38 %", &[8_871]),
            step("alarmed", 44, "nginx", "NginxHighErrorRate", &[8_903]),
        ],
        "confirms": [{"text": "the line was never written before", "citations": cites(&[8_812])}],
        "refutes": [{"text": "no slow query", "citations": cites(&[8_815])}],
        "citations": cites(&[8_812]),
    })
}

fn causes(items: Vec<Value>) -> Value {
    let unresolved = items.is_empty();
    json!({
        "items": items, "next": null, "position": 9_000, "incident": ID, "unresolved": unresolved,
        "why_unresolved": unresolved.then_some("no telemetry was sent"),
        "refuted": [{
            "cause": "deploy api v42 at 02:38", "service": "api", "kind": "change", "score": 0.1, "path": [],
            "confirms": [], "refutes": [{"text": "errors stayed flat until the pool filled", "citations": cites(&[8_790])}],
            "citations": [],
        }],
        "blast_radius": {"hit": ["checkout", "search"], "at_risk": [], "unharmed": ["redis"]}, "ranker": 1,
    })
}

pub(super) fn similar() -> Vec<Value> {
    let like = |id: &str, same: bool, differs: &[&str], resolution: Option<&str>| {
        json!({
            "incident": id, "title": "pg \u{1b}[2Jdown", "opened_at": "2026-11-20T00:41:00Z", "status": "resolved",
            "score": 0.94, "same": same, "why": ["same log line"], "differs": differs, "cause": "idle transactions",
            "resolution": resolution, "quiet_for_s": resolution.map(|_| 7_200), "citations": cites(&[4_410]),
        })
    };
    vec![
        like("INC-1F2M000000000000", true, &[], Some("closing 96 idle transactions")),
        like("INC-2B9X000000000000", false, &["\"No space left on device\""], None),
    ]
}

fn similar_page(items: &[Value]) -> Value {
    json!({"items": items, "next": null, "position": 9_000, "incident": ID, "never_seen": items.is_empty(),
           "embedder": "hashing", "stand_in": true})
}

pub(super) fn proposal() -> Value {
    json!({
        "id": "PRP-1", "incident": ID, "runbook": "pg-end-idle", "title": "End idle transactions", "version": "7b1e",
        "params": {"database": "shop", "idle_over": "5m"}, "targets": ["postgres"], "why": "it helped before",
        "effect": "connections fall", "risk": "low: clients begin again", "worked": {"ended": 1, "of": 1},
        "steps": ["list them", "end them"], "citations": cites(&[8_812]), "by": "rules", "status": "proposed",
    })
}

fn on(word: &str) -> String {
    format!("GET /api/v1/incidents/{ID}/{word}")
}

/// A server that knows all of it.
fn server() -> Server {
    let why = json!({"incident": ID, "position": 9_000, "members": [], "kept_out": []});
    Server::default()
        .gives(&format!("GET /api/v1/incidents/{ID}"), 200, incident(ID, "checkout fails"))
        .list("GET /api/v1/incidents", vec![incident(ID, "checkout fails")])
        .gives(&on("why"), 200, why)
        .list(&on("changes"), Vec::new())
        .gives(&on("causes"), 200, causes(vec![hypothesis()]))
        .gives(&on("similar"), 200, similar_page(&similar()))
        .list(&on("proposals"), vec![proposal()])
}

#[tokio::test]
async fn show_tells_the_cause_what_was_seen_and_what_is_proposed() {
    let base = server().start().await;
    let ended = hindcast(&base, "show").await;
    let expect = "
  cause     postgres has no free connection · score 0.91
  root cause 02:41:07Z postgres  connections 100/100                                                                #8812 #8840
  propagated to 02:41:19Z api  errors 0.2 % → 38 %                                                                     #8871
  first alert 02:41:44Z nginx  NginxHighErrorRate                                                                    #8903
  ruled out deploy api v42 at 02:38: errors stayed flat until the pool filled                                      #8790
  affected  checkout, search · no sign seen: redis
  past      same problem as INC-1F2M, 2 h 6 min ago: same log line; resolution: closing 96 idle transactions; no alert for 2 h after that  #4410
            INC-2B9X, 2 h 6 min ago: similar symptoms, different cause: \"No space left on device\"                    #4410
  proposed  pg-end-idle {database: shop, idle_over: 5m} · risk low · worked 1 of 1 · nothing runs
";
    let squeezed = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let (out, expect) = (squeezed(&ended.out), squeezed(expect));
    for line in expect.iter().filter(|line| !line.is_empty()) {
        assert!(out.contains(line), "{line}\nis not in\n{}", ended.out);
    }
    assert!(ended.out.contains("hindcast causes INC-3K7Q"), "{}", ended.out);
}

#[tokio::test]
async fn what_cannot_be_concluded_now_leaves_the_rest() {
    let base = server().refuses(&on("causes"), Code::Unavailable, "the index is being rebuilt").start().await;
    let ended = hindcast(&base, "show").await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    assert!(ended.out.contains("not available: the index is being rebuilt") && ended.out.contains("past"));
    let ended = hindcast(&base, "causes").await;
    assert_eq!(ended.status, ExitStatus::Failed);
    assert!(ended.err.contains("the index is being rebuilt"), "{}", ended.err);
}

#[tokio::test]
async fn causes_are_told_with_what_speaks_for_and_against() {
    let server = server();
    let base = server.start().await;
    let ended = hindcast(&base, "causes --as-of 8192").await;
    let expect = "\
INC-3K7Q as of #9000, ranking v1

1. postgres has no free connection 0.91
   root cause     2026-11-20 02:41:07Z postgres  connections 100/100  #8812 #8840
   propagated to  2026-11-20 02:41:19Z api  errors 0.2 % → 38 %  #8871
   first alert    2026-11-20 02:41:44Z nginx  NginxHighErrorRate  #8903
   for            the line was never written before  #8812
   against        no slow query  #8815

ruled out  deploy api v42 at 02:38: errors stayed flat until the pool filled  #8790
affected   checkout, search · no sign seen: redis

scores rank the causes; they are not probabilities
";
    assert_eq!(ended.out, expect, "{}", ended.err);
    assert!(server.lines().iter().all(|line| line.contains("as_of=8192")), "{:?}", server.lines());
}

#[tokio::test]
async fn unresolved_and_never_seen_are_answers() {
    let base = Server::default()
        .list("GET /api/v1/incidents", vec![incident(ID, "x")])
        .gives(&on("causes"), 200, causes(Vec::new()))
        .gives(&on("similar"), 200, similar_page(&[]))
        .list(&on("proposals"), Vec::new())
        .start()
        .await;
    let ended = hindcast(&base, "causes").await;
    assert_eq!(ended.status, ExitStatus::Done);
    assert!(ended.out.contains("unresolved: no telemetry was sent"), "{}", ended.out);
    let ended = hindcast(&base, "similar").await;
    assert!(ended.out.contains("no past incident is similar"), "{}", ended.out);
    let ended = hindcast(&base, "proposals").await;
    assert_eq!((ended.status, ended.out.as_str()), (ExitStatus::Done, ""));
    assert!(ended.err.contains("no runbook fits it"));
}

#[tokio::test]
async fn similar_incidents_say_what_ended_them_and_what_sets_them_apart() {
    let base = server().start().await;
    let ended = hindcast(&base, "similar INC-3K7Q000000000000").await;
    for said in [
        "same problem",
        "different cause",
        "closing 96 idle transactions; no alert for 2 h",
        "No space left",
        "embedder",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    assert!(!ended.out.contains('\u{1b}'), "text of others cannot command the terminal");
    let found = Server::default().gives("GET /api/v1/memory", 200, similar_page(&similar()));
    let base = found.start().await;
    let ended = hindcast(&base, "memory search too_many clients --limit 3 --as-of 8192").await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    assert!(ended.out.starts_with("\"too many clients\" as of #9000"), "{}", ended.out);
    assert_eq!(found.lines(), ["GET /api/v1/memory?q=too%20many%20clients&limit=3&as_of=8192"]);
    let base = server().start().await;
    let ended = hindcast(&base, "memory show").await;
    assert!(ended.out.contains("not recorded") && ended.out.contains("INC-1F2M"), "{}", ended.out);
}

#[tokio::test]
async fn a_proposal_is_read_and_made() {
    let server = server().gives(&format!("POST /api/v1/incidents/{ID}/proposals"), 201, proposal());
    let base = server.start().await;
    let ended = hindcast(&base, "proposals").await;
    assert!(
        ended.out.starts_with("pg-end-idle {database: shop, idle_over: 5m}: End idle transactions\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("resolved 1 of 1 similar incidents") && ended.out.contains("nothing runs"));
    let ended = hindcast(&base, "propose pg-end-idle --param database=shop --param n=3").await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    let body = server.asked().pop().unwrap().body;
    assert_eq!(body, json!({"runbook": "pg-end-idle", "params": {"database": "shop", "n": 3}}));
    let base = Server::default()
        .list("GET /api/v1/incidents", vec![incident(ID, "x")])
        .refuses(&format!("POST /api/v1/incidents/{ID}/proposals"), Code::Invalid, "expected idle_over of 1m to 1h")
        .start()
        .await;
    let ended = hindcast(&base, "propose pg-end-idle --param idle_over=9d").await;
    assert_eq!(ended.status, ExitStatus::Failed);
    assert!(ended.err.contains("1m to 1h") && ended.err.contains("remedy"), "{}", ended.err);
}

#[tokio::test]
async fn findings_and_runbooks_are_tables() {
    let finding = json!({
        "id": "FND-1F2M000000000000", "event": "EVT-1", "position": 8_812, "recorded_at": "2026-11-20T02:41:30Z",
        "environment": "production", "kind": "new_template", "service": "postgres", "title": "never written before",
        "at": "2026-11-20T02:41:07Z", "until": "2026-11-20T02:42:00Z", "before": 0.0, "after": 12.0, "count": 12,
        "score": 930, "detector": 1,
    });
    let runbook = json!({"name": "pg-end-idle", "title": "End idle transactions", "version": "7b1e", "risk": "low",
                         "params": {"idle_over": "a span of 1m to 1h"}});
    let server =
        Server::default().list("GET /api/v1/findings", vec![finding]).list("GET /api/v1/runbooks", vec![runbook]);
    let base = server.start().await;
    let ended = hindcast(&base, "findings --service postgres --since 1h").await;
    let expect = "\
FINDING   BEGAN      SERVICE   KIND          SCORE  WHAT                  POSITION
FND-1F2M  02:41:07Z  postgres  new template   0.93  never written before  #8812
";
    assert_eq!(ended.out, expect, "{}", ended.err);
    assert!(server.lines().last().unwrap().starts_with("GET /api/v1/findings?service=postgres&since=2026-11-20T01"));
    assert!(hindcast(&base, "runbook list").await.out.contains("pg-end-idle  low"));
    assert!(hindcast(&base, "runbook show pg-end-idle").await.out.contains("idle_over: a span of 1m to 1h"));
    assert_eq!(hindcast(&base, "runbook show nope").await.status, ExitStatus::NothingFound);
}

#[tokio::test]
async fn a_postmortem_is_printed_or_written() {
    let drafted =
        json!({"incident": ID, "markdown": "# P\n\n  - a\u{1b}[2J\n", "citations": cites(&[8_812]), "position": 9_000});
    let base = Server::default()
        .list("GET /api/v1/incidents", vec![incident(ID, "x")])
        .gives(&on("postmortem"), 200, drafted)
        .start()
        .await;
    assert_eq!(hindcast(&base, "postmortem").await.out, "# P\n\n  - a\u{fffd}[2J\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.md");
    let ended = hindcast(&base, &format!("postmortem -o {}", file.display())).await;
    assert_eq!((ended.status, ended.out.as_str()), (ExitStatus::Done, ""), "{}", ended.err);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("# P\n"));
    let ended = hindcast(&base, &format!("postmortem -o {}/no/p.md", folder.path().display())).await;
    assert_eq!(ended.status, ExitStatus::Failed);
}

const RUNBOOK: &str = "\
name: pg-end-idle
title: End idle transactions
about: Frees connections that idle transactions hold.
applies: {signs: [{words: [too many clients]}]}
params:
  idle_over: {type: duration, about: how long, min: 1m, max: 1h, default: 5m}
targets: [postgres]
steps: [{text: \"End what is idle for {{idle_over}}.\"}]
effect: {text: connections fall, within: 5m}
risk: {level: low, what: clients begin again}
reversible: {possible: false, how: a transaction that ended is over}
";

#[tokio::test]
async fn a_runbook_of_one_s_own_is_checked_here() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (good, twin) = (file("good.yaml", RUNBOOK), file("twin.yaml", RUNBOOK));
    let nowhere = "http://127.0.0.1:1";
    let ended = hindcast(nowhere, &format!("runbook check {good}")).await;
    assert_eq!(ended.status, ExitStatus::Done, "{}", ended.err);
    assert!(ended.out.contains("valid: pg-end-idle, risk low"), "{}", ended.out);
    let json = hindcast(nowhere, &format!("runbook check {good} --json")).await.out;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()[0]["name"], "pg-end-idle");
    let wrong = file("wrong.yaml", &RUNBOOK.replace("{{idle_over}}", "{{nope}}"));
    for (line, said) in [
        (format!("runbook check {wrong} {good}"), "nope"),
        (format!("runbook check {good} {twin}"), "each name once"),
        (format!("runbook check {}/none.yaml", folder.path().display()), "expected to read the file"),
        (format!("runbook check {}", file("x.yaml", "a: [")), "expected a runbook"),
        (format!("runbook check {}", file("big.yaml", &"#".repeat(70_000))), "at most"),
    ] {
        let ended = hindcast(nowhere, &line).await;
        assert_eq!(ended.status, ExitStatus::Failed, "{line}");
        assert!(ended.err.contains(said), "{line}: {}", ended.err);
    }
}
