//! The rules of the repository that no compiler holds: which crate may see which, who owns a heavy
//! dependency, how files open, how long they may be, and that what a stranger runs first is there.
//!
//! A new edge between crates is the largest class of change: it is allowed here first, with its reason.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[path = "architecture/cookbooks.rs"]
mod cookbooks;
#[path = "architecture/specs.rs"]
mod specs;

// ── what is allowed ────────────────────────────────────────────────────────────────────────────────

/// Where a crate stands in the house, and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Core(String),
    Port(String),
    Adapter(String),
    /// The event-log runtime: the protocol over the ledger port, which every service speaks.
    Runtime,
    Service(String),
    Binary,
    /// What tests share; only tests may name it.
    Testkit,
}

/// Edges from core to core, beyond those to the domain.
const CORE_TO_CORE: [(&str, &str, &str); 12] = [
    ("chat-cards", "api", "a card shows what the API says"),
    ("correlation", "similarity", "labels and words of two alerts are compared one way"),
    ("mlops", "correlation", "features are computed by the one code path that serves"),
    ("postmortem", "api", "a draft is what the API says"),
    ("postmortem", "rca", "a draft rests on the evidence that the ranking rests on"),
    ("rca", "api", "a ranked cause is what the API says"),
    ("recall", "api", "a recalled incident is what the API says"),
    ("recall", "rca", "an incident is remembered from the evidence that the ranking rests on"),
    ("recall", "similarity", "words are taken apart one way, whoever compares them"),
    ("runbooks", "api", "a proposal is what the API says"),
    ("runbooks", "rca", "a proposal rests on the evidence that the ranking rests on"),
    ("verifier", "api", "what is checked is what the API says"),
];

/// Edges from port to port.
const PORT_TO_PORT: [(&str, &str, &str); 2] = [
    ("advice", "queries", "evidence and tools are read from the views"),
    ("advice", "telemetry", "one tool reads log lines while they are kept"),
];

/// The one port of each adapter.
const ADAPTERS: [(&str, &str); 11] = [
    ("chat-slack", "messaging"),
    ("chat-teams", "messaging"),
    ("train-linfa", "mlops"),
    ("ledger-embedded", "ledger"),
    ("ledger-nats", "ledger"),
    ("notify-webhook", "messaging"),
    ("telemetry-files", "telemetry"),
    ("vectors-flat", "vectors"),
    ("vectors-qdrant", "vectors"),
    ("embed-fastembed", "vectors"),
    ("llm-genai", "llm"),
];

/// Edges of an adapter beyond its port.
const ADAPTER_TO_MORE: [(&str, &str, &str); 1] =
    [("telemetry-files", "hindcast-clock", "what is kept for a time is kept by the clock")];

/// Edges that exist for tests alone.
const ONLY_IN_TESTS: [(&str, &str, &str); 11] = [
    ("hindcast-ledger-embedded", "hindcast-eventlog", "an adapter runs the suite of the protocol over its port"),
    ("hindcast-ledger-nats", "hindcast-eventlog", "an adapter runs the suite of the protocol over its port"),
    ("hindcast-ledger-nats", "hindcast-clock", "a writer's clock is set ahead of the broker's"),
    ("hindcast-ledger-nats", "hindcast-ledger-embedded", "the suite copies a ledger to the other adapter and back"),
    ("hindcast-learning", "hindcast-correlator", "the past is decided again by the decider that serves"),
    ("hindcast-learning", "hindcast-train-linfa", "a service is judged with the trainer that trains"),
    ("hindcast-log-templates", "hindcast-metric-shifts", "recordings are judged by both detectors together"),
    ("hindcast-mlops", "hindcast-correlator", "history is decided again by the decider that serves"),
    ("hindcast-mlops", "hindcast-train-linfa", "what is learnt is judged with the trainer that trains"),
    ("hindcast-rca", "hindcast-postmortem", "a draft cites nothing that the ranking's evidence lacks"),
    ("hindcast-rca", "hindcast-verifier", "what is concluded must stand before the verifier"),
];

/// Dependencies that are heavy, or that reach the world, with the crates that own them.
const OWNED: [(&str, &[&str]); 15] = [
    ("tokio-tungstenite", &["hindcast-chat-slack"]),
    ("jsonwebtoken", &["hindcast-chat-teams"]),
    ("linfa-logistic", &["hindcast-train-linfa"]),
    ("async-nats", &["hindcast-ledger-nats"]),
    ("fjall", &["hindcast-views"]),
    (
        "reqwest",
        &[
            "hindcast-chat-slack",
            "hindcast-chat-teams",
            "hindcast-cli",
            "hindcast-notify-webhook",
            "hindcast-llm-genai",
            "hindcast-recorder",
            "hindcast",
        ],
    ),
    ("maud", &["hindcast-console"]),
    ("qdrant-client", &["hindcast-vectors-qdrant"]),
    ("fastembed", &["hindcast-embed-fastembed"]),
    ("genai", &["hindcast-llm-genai"]),
    ("rmcp", &["hindcast-mcp"]),
    ("minijinja", &["hindcast-copilot"]),
    ("ort", &["hindcast-embed-fastembed"]),
    ("prost", &["hindcast-gateway"]),
    ("snap", &["hindcast-gateway"]),
];

/// Owners in tests alone.
const OWNED_IN_TESTS: [(&str, &str, &str); 2] = [
    ("fjall", "hindcast-ledger-embedded", "a benchmark compares our segments with it"),
    ("tokio-tungstenite", "hindcast", "a stand-in of Slack takes connections"),
];

/// What a core crate must not know: input, output, and whoever waits for them.
const NOT_IN_CORE: [&str; 8] =
    ["tokio", "axum", "reqwest", "async-nats", "fjall", "rustls", "getrandom", "async-trait"];

/// Lines of a file.
const LINES_MAX: usize = 700;
/// Files that may be longer, with the reason.
const LONGER: [(&str, &str); 0] = [];

// ── the edges ──────────────────────────────────────────────────────────────────────────────────────

struct Crate {
    name: String,
    role: Role,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    only_in_tests: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn crates() -> Vec<Crate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let crates: Vec<Crate> = metadata["packages"].as_array().unwrap().iter().map(of_package).collect();
    assert!(crates.len() > 15, "the workspace has {} crates", crates.len());
    crates
}

fn of_package(package: &Value) -> Crate {
    let dependency = |dependency: &Value| Dependency {
        name: dependency["name"].as_str().unwrap().to_owned(),
        only_in_tests: dependency["kind"] == "dev",
    };
    let manifest = Path::new(package["manifest_path"].as_str().unwrap()).canonicalize().unwrap();
    let folder = manifest.parent().unwrap().strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    Crate {
        name: package["name"].as_str().unwrap().to_owned(),
        role: role_of(&folder),
        dependencies: package["dependencies"].as_array().unwrap().iter().map(dependency).collect(),
    }
}

fn role_of(folder: &str) -> Role {
    match folder.split('/').collect::<Vec<_>>().as_slice() {
        ["services", "core", name] => Role::Core((*name).to_owned()),
        ["services", "ports", name] => Role::Port((*name).to_owned()),
        ["services", "adapters", name] => Role::Adapter((*name).to_owned()),
        ["services", "hindcast"] => Role::Binary,
        ["services", "eventlog"] => Role::Runtime,
        ["services", "testkit"] => Role::Testkit,
        ["services", name] => Role::Service((*name).to_owned()),
        other => panic!("{other:?} is no place for a crate: services/{{core,ports,adapters}}/NAME or services/NAME"),
    }
}

/// Whether `from` may depend on `to`, both ours.
fn allowed(from: &Role, to: &Role) -> bool {
    match (from, to) {
        (_, Role::Binary | Role::Testkit) => false,
        (Role::Binary | Role::Testkit, _) => true,
        // The domain knows nobody; the rest of the core knows the domain, and little else.
        (Role::Core(from), Role::Core(to)) => {
            from != "domain" && to == "domain" || CORE_TO_CORE.iter().any(|(a, b, _)| a == from && b == to)
        }
        (Role::Core(_), _) => false,
        (_, Role::Core(_)) => true,
        (Role::Service(_), Role::Runtime) | (Role::Runtime, Role::Port(_)) => true,
        (Role::Port(from), Role::Port(to)) => PORT_TO_PORT.iter().any(|(a, b, _)| a == from && b == to),
        (Role::Adapter(from), Role::Port(to)) => ADAPTERS.iter().any(|(adapter, port)| adapter == from && port == to),
        (Role::Service(_), Role::Port(_)) => true,
        (_, Role::Adapter(_) | Role::Service(_) | Role::Runtime) => false,
    }
}

fn is_excepted(from: &Crate, to: &Dependency) -> bool {
    let more =
        |(adapter, on, _): &(&str, &str, &str)| from.role == Role::Adapter((*adapter).to_owned()) && *on == to.name;
    let test = |(a, b, _): &(&str, &str, &str)| to.only_in_tests && *a == from.name && *b == to.name;
    let shared = to.only_in_tests && to.name == "hindcast-testkit";
    shared || ADAPTER_TO_MORE.iter().any(more) || ONLY_IN_TESTS.iter().any(test)
}

/// Edges between our own crates that are not allowed.
fn forbidden(crates: &[Crate]) -> Vec<String> {
    let role = |name: &str| crates.iter().find(|other| other.name == name).map(|other| &other.role);
    let mut wrong = Vec::new();
    for from in crates {
        for dependency in &from.dependencies {
            let Some(to) = role(&dependency.name) else { continue };
            if !allowed(&from.role, to) && !is_excepted(from, dependency) {
                wrong.push(format!("{} → {}", from.name, dependency.name));
            }
        }
    }
    wrong
}

#[test]
fn every_crate_knows_only_what_its_place_allows() {
    let wrong = forbidden(&crates());
    assert!(wrong.is_empty(), "edges that are not allowed: {wrong:#?}");
}

#[test]
fn an_edge_that_is_not_allowed_is_found() {
    let mut crates = crates();
    for (from, to) in [
        ("hindcast-domain", "hindcast-events"),
        ("hindcast-events", "hindcast-correlation"),
        ("hindcast-queries", "hindcast-ledger"),
        ("hindcast-notify-webhook", "hindcast-ledger"),
        ("hindcast-ledger", "hindcast-eventlog"),
        ("hindcast-eventlog", "hindcast-pager"),
        ("hindcast-pager", "hindcast-testkit"),
        ("hindcast-pager", "hindcast-correlator"),
        ("hindcast-views", "hindcast-ledger-embedded"),
        ("hindcast-gateway", "hindcast"),
    ] {
        let at = crates.iter().position(|one| one.name == from).unwrap();
        crates[at].dependencies.push(Dependency { name: to.to_owned(), only_in_tests: false });
        assert_eq!(forbidden(&crates), [format!("{from} → {to}")]);
        crates[at].dependencies.pop();
    }
}

#[test]
fn no_exception_outlives_its_edge() {
    let crates = crates();
    let has = |from: &str, to: &str| {
        crates.iter().any(|one| one.name == from && one.dependencies.iter().any(|other| other.name == to))
    };
    for (from, to, why) in CORE_TO_CORE.into_iter().chain(PORT_TO_PORT) {
        assert!(has(&format!("hindcast-{from}"), &format!("hindcast-{to}")), "{from} → {to} is gone: {why}");
    }
    for (from, to, why) in ADAPTER_TO_MORE {
        assert!(has(&format!("hindcast-{from}"), to), "{from} → {to} is gone: {why}");
    }
    for (from, to, why) in ONLY_IN_TESTS {
        assert!(has(from, to), "{from} → {to} is gone: {why}");
    }
    for (dependency, owner, why) in OWNED_IN_TESTS {
        assert!(has(owner, dependency), "{owner} → {dependency} is gone: {why}");
    }
}

#[test]
fn every_adapter_has_one_port() {
    for one in crates() {
        let Role::Adapter(name) = &one.role else { continue };
        let (_, port) =
            ADAPTERS.iter().find(|(adapter, _)| adapter == name).unwrap_or_else(|| panic!("{name} has no port"));
        assert!(one.dependencies.iter().any(|to| to.name == format!("hindcast-{port}")), "{name} → {port}");
    }
}

#[test]
fn the_core_reaches_nothing() {
    for one in crates().iter().filter(|one| matches!(one.role, Role::Core(_))) {
        for dependency in &one.dependencies {
            assert!(!NOT_IN_CORE.contains(&dependency.name.as_str()), "{} → {}", one.name, dependency.name);
        }
    }
}

#[test]
fn a_heavy_dependency_stays_with_its_owner() {
    for one in crates() {
        for dependency in &one.dependencies {
            let Some((heavy, owners)) = OWNED.iter().find(|(heavy, _)| *heavy == dependency.name) else { continue };
            let in_tests = OWNED_IN_TESTS.iter().any(|(what, who, _)| what == heavy && *who == one.name);
            let owns = owners.contains(&one.name.as_str()) || dependency.only_in_tests && in_tests;
            assert!(owns, "{} → {heavy}, which belongs to {owners:?}", one.name);
        }
    }
}

/// Everything of ours that a crate can reach.
fn reached(crates: &[Crate], from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut wanted = vec![from.to_owned()];
    while let Some(name) = wanted.pop() {
        let Some(one) = crates.iter().find(|one| one.name == name) else { continue };
        let more = one.dependencies.iter().filter(|to| !to.only_in_tests).map(|to| to.name.clone());
        wanted.extend(more.filter(|to| reached.insert(to.clone())));
    }
    reached
}

#[test]
fn the_verifier_sees_no_model() {
    let crates = crates();
    let seen = reached(&crates, "hindcast-verifier");
    for model in ["hindcast-llm", "hindcast-llm-genai", "hindcast-copilot", "genai", "hindcast-advice"] {
        assert!(!seen.contains(model), "the verifier reaches {model}");
    }
    assert!(reached(&crates, "hindcast-copilot").contains("hindcast-llm"), "the walk finds what is there");
}

#[test]
fn what_talks_to_a_model_can_act_on_nothing() {
    let seen = reached(&crates(), "hindcast-copilot");
    for hand in ["hindcast-notify", "hindcast-notify-webhook", "hindcast-control", "hindcast-correlator", "rustix"] {
        assert!(!seen.contains(hand), "the copilot reaches {hand}");
    }
}

// ── the files ──────────────────────────────────────────────────────────────────────────────────────

/// Every Rust file under services/ and tests/, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["services", "tests", "sim"] {
        walk(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_file_opens_by_saying_what_it_owns() {
    let silent: Vec<_> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "expected //! on the first line of {silent:#?}");
}

#[test]
fn no_file_is_too_long_to_be_one_idea() {
    let longer = |name: &str| LONGER.iter().any(|(path, _)| *path == name);
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(name, lines)| *lines > LINES_MAX && !longer(name))
        .collect();
    assert!(long.is_empty(), "expected at most {LINES_MAX} lines, got {long:#?}");
}

#[test]
fn nothing_is_left_to_be_done() {
    // Put together, so that this file does not find itself.
    let marks = [format!("{}!(", "todo"), format!("{}!(", "unimplemented")];
    let left: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| marks.iter().any(|mark| text.contains(mark.as_str())))
        .map(|(name, _)| name)
        .collect();
    assert!(left.is_empty(), "{left:#?}");
}

// ── what a stranger runs first ─────────────────────────────────────────────────────────────────────

#[test]
fn the_first_two_commands_of_the_readme_are_one_line_each() {
    let Ok(readme) = fs::read_to_string(root().join("README.md")) else { return };
    let blocks: Vec<&str> = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 2, "expected two fenced sh blocks at the least, got {}", blocks.len());
    for block in &blocks[..2] {
        assert_eq!(block.trim().lines().count(), 1, "expected one command of one line, got {block:?}");
    }
}

#[test]
fn compose_names_the_ledger_the_vectors_and_us() {
    let text = fs::read_to_string(root().join("compose.yaml")).unwrap();
    let compose: Value = serde_yaml_ng::from_str(&text).unwrap();
    let services: BTreeSet<&str> = compose["services"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(services, BTreeSet::from(["hindcast", "nats", "qdrant"]));
    for (name, service) in compose["services"].as_object().unwrap() {
        assert!(service["healthcheck"]["test"].is_array(), "{name} says whether it is well");
        assert!(service["volumes"].is_array(), "{name} keeps its data");
        if let Some(image) = service["image"].as_str() {
            let tag = image.rsplit_once(':').map_or("latest", |(_, tag)| tag);
            assert!(tag.starts_with(|first: char| first.is_ascii_digit() || first == 'v'), "{image} is pinned");
        }
    }
    let nats = compose["configs"]["nats.conf"]["content"].as_str().unwrap();
    assert!(nats.contains("sync_interval: always"), "what is acknowledged must be durable");
}

#[cfg(unix)]
#[test]
fn the_script_that_checks_everything_can_be_run() {
    use std::os::unix::fs::PermissionsExt;
    let script = root().join(".ci/run");
    let mode = fs::metadata(&script).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "{} is executable", script.display());
    assert!(fs::read_to_string(&script).unwrap().starts_with("#!"), "and says by what");
}
