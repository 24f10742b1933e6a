//! Which crate may know which, by where it stands in the house, and what each can reach through others.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::edges::{
    ADAPTER_TO_MORE, CORE_TO_CORE, MAY_COMMAND, NOT_IN_CORE, ONLY_IN_TESTS, OWNED, OWNED_IN_TESTS, PORT_TO_PORT,
    port_of,
};
use crate::source::root;

/// Where a crate stands in the house, and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Core(String),
    Port(String),
    Adapter(String),
    /// The event-log runtime: the protocol over the ledger port, which every service speaks.
    Runtime,
    /// What appends facts and commands from outside.
    Intake,
    Service(String),
    Binary,
    /// What tests share; only tests may name it.
    Testkit,
    /// What starts cargo for people: it knows no other crate, and none knows it.
    Tasks,
}

struct Crate {
    name: String,
    role: Role,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    only_in_tests: bool,
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
        ["services", "intake"] => Role::Intake,
        ["services", "testkit"] => Role::Testkit,
        ["xtask"] => Role::Tasks,
        ["services", name] => Role::Service((*name).to_owned()),
        other => panic!("{other:?} is no place for a crate: services/{{core,ports,adapters}}/NAME or services/NAME"),
    }
}

/// Whether `from` may depend on `to`, both ours.
fn allowed(from: &Role, to: &Role) -> bool {
    match (from, to) {
        (_, Role::Binary | Role::Testkit | Role::Tasks) | (Role::Tasks, _) => false,
        (Role::Binary | Role::Testkit, _) => true,
        // The domain knows nobody; the rest of the core knows the domain, and little else.
        (Role::Core(from), Role::Core(to)) => {
            from != "domain" && to == "domain" || CORE_TO_CORE.iter().any(|(a, b, _)| a == from && b == to)
        }
        (Role::Core(_), _) => false,
        (_, Role::Core(_)) => true,
        (Role::Service(_) | Role::Intake, Role::Runtime) | (Role::Runtime | Role::Intake, Role::Port(_)) => true,
        (Role::Service(from), Role::Intake) => MAY_COMMAND.iter().any(|(service, _)| service == from),
        (Role::Port(from), Role::Port(to)) => PORT_TO_PORT.iter().any(|(a, b, _)| a == from && b == to),
        (Role::Adapter(from), Role::Port(to)) => port_of(from) == Some(to.as_str()),
        (Role::Service(_), Role::Port(_)) => true,
        (_, Role::Adapter(_) | Role::Service(_) | Role::Runtime | Role::Intake) => false,
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
        ("hindcast-notify-http", "hindcast-ledger"),
        ("hindcast-ledger", "hindcast-eventlog"),
        ("hindcast-eventlog", "hindcast-pager"),
        ("hindcast-pager", "hindcast-testkit"),
        ("hindcast-copilot", "hindcast-intake"),
        ("hindcast-advisor", "hindcast-intake"),
        ("hindcast-eventlog", "hindcast-intake"),
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
        let port = port_of(name).unwrap_or_else(|| panic!("{name} is of no kind that has a port"));
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
fn the_paging_audit_knows_nothing_of_whoever_pages() {
    let crates = crates();
    let seen = reached(&crates, "hindcast-paging-audit");
    for pager in ["hindcast-pager", "hindcast-engine", "hindcast-messaging", "hindcast-eventlog", "hindcast-correlator"]
    {
        assert!(!seen.contains(pager), "the paging audit reaches {pager}");
    }
    assert!(!reached(&crates, "hindcast-pager").contains("hindcast-paging-audit"), "the pager reaches its auditor");
    assert!(seen.contains("hindcast-domain"), "the walk finds what is there");
}

/// What appends commands, reaches people, decides, or starts processes.
const HANDS: [&str; 9] = [
    "hindcast-intake",
    "hindcast-eventlog",
    "hindcast-messaging",
    "hindcast-notify-email",
    "hindcast-notify-http",
    "hindcast-control",
    "hindcast-correlator",
    "hindcast-pager",
    "rustix",
];

/// Hands that a crate which talks to a model can reach.
fn model_with_a_hand(crates: &[Crate]) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in crates.iter().filter(|one| !matches!(one.role, Role::Binary)) {
        let seen = reached(crates, &one.name);
        if !seen.contains("hindcast-llm") {
            continue;
        }
        wrong.extend(HANDS.iter().filter(|hand| seen.contains(**hand)).map(|hand| format!("{} ⇒ {hand}", one.name)));
    }
    wrong
}

#[test]
fn whoever_talks_to_a_model_can_act_on_nothing() {
    let mut crates = crates();
    let talk = crates.iter().filter(|one| reached(&crates, &one.name).contains("hindcast-llm")).count();
    assert!(talk >= 3, "the copilot, an adapter and the binary talk to a model, got {talk}");
    assert_eq!(model_with_a_hand(&crates), Vec::<String>::new());
    // And a way through a third crate is found as well.
    let of = |crates: &[Crate], name: &str| crates.iter().position(|one| one.name == name).unwrap();
    let advice = of(&crates, "hindcast-advice");
    crates[advice].dependencies.push(Dependency { name: "hindcast-intake".to_owned(), only_in_tests: false });
    assert!(model_with_a_hand(&crates).contains(&"hindcast-copilot ⇒ hindcast-intake".to_owned()));
}

#[test]
fn only_those_who_carry_what_a_person_asks_for_can_append_a_command() {
    let crates = crates();
    let reach = |one: &&Crate| reached(&crates, &one.name).contains("hindcast-intake");
    let reaching: BTreeSet<&str> = crates.iter().filter(reach).map(|one| one.name.as_str()).collect();
    let named = MAY_COMMAND.iter().map(|(service, _)| format!("hindcast-{service}"));
    let named: Vec<String> = named.chain(["hindcast".to_owned(), "hindcast-testkit".to_owned()]).collect();
    assert_eq!(reaching, named.iter().map(String::as_str).collect());
}
