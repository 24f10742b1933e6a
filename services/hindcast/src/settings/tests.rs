//! Tests of the module above.

use super::*;

#[test]
fn a_folder_is_asked_with_the_settings_that_a_server_would_run_with() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("elsewhere.toml");
    std::fs::write(&file, "[memory]\nmodel_dir = \"/models/mine\"\nqdrant_url = \"http://127.0.0.1:6334\"\n")?;
    let settings = Settings::resolve(&Flags::of_environment(Some(&file))?, Some(folder.path()))?;
    assert_eq!(settings.advising.memory.model_dir.as_deref(), Some(Path::new("/models/mine")));
    assert_eq!(settings.advising.memory.qdrant_url.as_deref(), Some("http://127.0.0.1:6334"));
    assert_eq!(settings.data, folder.path());
    let missing = folder.path().join("missing.toml");
    let refused = Settings::resolve(&Flags::of_environment(Some(&missing))?, None).err();
    assert!(refused.is_some_and(|error| format!("{error:#}").contains("missing.toml")));
    Ok(())
}

#[test]
fn an_address_is_shown_without_its_password() {
    assert_eq!(without_credentials("nats://user:hunter2@broker:4222"), "nats://broker:4222");
    assert_eq!(without_credentials("http://127.0.0.1:7171"), "http://127.0.0.1:7171");
}

#[test]
fn receivers_are_tables_of_their_own_and_the_other_rules_of_paging_are_kept() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("hindcast.toml");
    let settings = |text: &str| {
        std::fs::write(&file, text)?;
        Settings::resolve(&Flags::of_environment(Some(&file))?, Some(folder.path()))
    };
    let named = settings("[paging]\nsettle_s = 7\n[[receivers]]\nname = \"phone\"\nurl = \"http://127.0.0.1:1\"\n")?;
    assert_eq!((named.paging.settle_s, named.paging.receivers[0].name.as_str()), (7, "phone"));
    let refused = settings("[paging]\nreceivers = [{ name = \"phone\" }]\n").err();
    assert!(refused.is_some_and(|error| format!("{error:#}").contains("[[receivers]]")));
    Ok(())
}
