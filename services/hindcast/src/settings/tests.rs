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
