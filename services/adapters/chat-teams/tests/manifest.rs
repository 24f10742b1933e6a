//! The app's manifest that people fill in: it says what Teams needs to know, within the limits that Teams sets.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use serde_json::Value;

const MANIFEST: &str = include_str!("../../../../docs/teams-manifest.json");
/// What is to be filled in: the app's id at Microsoft, once as the app's and once as its bot's.
const PLACEHOLDER: &str = "00000000-0000-0000-0000-000000000000";

fn manifest() -> Value {
    serde_json::from_str(MANIFEST).expect("docs/teams-manifest.json is JSON")
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn it_is_a_bot_for_people_teams_and_groups() {
    let manifest = manifest();
    let version = manifest["manifestVersion"].as_str().unwrap();
    assert!(manifest["$schema"].as_str().unwrap().contains(&format!("/v{version}/")));
    assert_eq!((&manifest["id"], &manifest["bots"][0]["botId"]), (&PLACEHOLDER.into(), &PLACEHOLDER.into()));
    assert_eq!(words(&manifest["bots"][0]["scopes"]), ["personal", "team", "groupChat"]);
    assert_eq!(manifest["bots"][0]["isNotificationOnly"], false, "it is spoken to");
}

#[test]
fn its_words_fit() {
    let manifest = manifest();
    let within = |pointer: &str, max: usize| {
        let text = manifest.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).as_str().unwrap();
        assert!((1..=max).contains(&text.chars().count()), "{pointer}: {} characters", text.len());
    };
    within("/name/short", 30);
    within("/name/full", 100);
    within("/description/short", 80);
    within("/description/full", 4000);
    within("/developer/name", 32);
    for address in ["websiteUrl", "privacyUrl", "termsOfUseUrl"] {
        let address = manifest["developer"][address].as_str().unwrap();
        assert!(address.starts_with("https://") && address.len() <= 2048, "{address}");
    }
    let colour = manifest["accentColor"].as_str().unwrap();
    assert!(colour.len() == 7 && colour.starts_with('#'), "{colour}");
    for list in manifest["bots"][0]["commandLists"].as_array().unwrap() {
        assert!(!words(&list["scopes"]).is_empty());
        let commands = list["commands"].as_array().unwrap();
        assert!((1..=10).contains(&commands.len()));
        for command in commands {
            let (title, description) = (command["title"].as_str().unwrap(), command["description"].as_str().unwrap());
            assert!(title.len() <= 32 && description.len() <= 128, "{title}: {description}");
        }
    }
}
