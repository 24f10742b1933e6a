//! What a stranger runs and reads first is there, and is what it says.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::source::root;

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
    let compose: Value = hindcast_domain::yaml::read(&text).unwrap();
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

#[test]
fn the_script_that_checks_everything_can_be_run() {
    use std::os::unix::fs::PermissionsExt;
    let script = root().join(".ci/run");
    let mode = fs::metadata(&script).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "{} is executable", script.display());
    assert!(fs::read_to_string(&script).unwrap().starts_with("#!"), "and says by what");
}
