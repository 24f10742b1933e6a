//! What is said of a folder that lacks something, and, where a model is installed, the model itself.
//!
//! The real model is tested where `HINDCAST_MODEL_DIR` names its folder, or where `hindcast embedder install`
//! put one into the user's own; otherwise the test says that it was skipped.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use hindcast_embed_fastembed::{Installed, MANIFEST, MODEL, TOKENIZER};
use hindcast_vectors::embed::{Error, conformance};

#[allow(clippy::disallowed_methods)] // a test asks the environment where a model is
fn environment(name: &str) -> Option<PathBuf> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn installed() -> Option<PathBuf> {
    let own = || environment("XDG_DATA_HOME").or_else(|| Some(environment("HOME")?.join(".local/share")));
    let folder = environment("HINDCAST_MODEL_DIR").or_else(|| Some(own()?.join("hindcast/embedder")))?;
    folder.join(MODEL).is_file().then_some(folder)
}

fn trouble(folder: &Path) -> String {
    match Installed::open(folder) {
        Err(error @ Error::Load(_)) => error.to_string(),
        other => panic!("expected that it does not load, got {:?}", other.map(|embedder| embedder.identity().clone())),
    }
}

#[test]
fn what_a_folder_lacks_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(trouble(&folder.path().join("nowhere")).contains(MODEL));
    fs::write(folder.path().join(MODEL), b"no model").unwrap();
    for name in TOKENIZER {
        assert!(trouble(folder.path()).contains(name));
        fs::write(folder.path().join(name), b"{}").unwrap();
    }
    assert!(trouble(folder.path()).contains("ONNX Runtime"));
    fs::write(folder.path().join("libonnxruntime.so.1"), b"no library").unwrap();
    assert!(trouble(folder.path()).contains("libonnxruntime.so.1"), "{}", trouble(folder.path()));
}

#[test]
fn what_is_not_what_was_installed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in std::iter::once(MODEL).chain(TOKENIZER).chain(["libonnxruntime.so"]) {
        fs::write(folder.path().join(name), b"{}").unwrap();
    }
    let manifest = format!("{{\"files\": {{\"{MODEL}\": \"{}\"}}}}", "0".repeat(64));
    fs::write(folder.path().join(MANIFEST), manifest).unwrap();
    let said = trouble(folder.path());
    assert!(said.contains("sha256") && said.contains("install it anew"), "{said}");
    fs::write(folder.path().join(MANIFEST), b"{\"pooling\": \"guess\"}").unwrap();
    assert!(trouble(folder.path()).contains("mean or cls"));
    fs::write(folder.path().join(MANIFEST), b"not json").unwrap();
    assert!(trouble(folder.path()).contains(MANIFEST));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_installed_model_keeps_the_suite() {
    let Some(folder) = installed() else {
        eprintln!("skipped: no embedding model is installed; run `hindcast embedder install`");
        return;
    };
    let embedder = tokio::task::spawn_blocking(move || Installed::open(&folder)).await.unwrap().unwrap();
    let identity = embedder.identity().clone();
    assert!(!identity.stand_in && identity.sha256.len() == 64 && !identity.model.is_empty(), "{identity:?}");
    conformance::all(embedder.as_ref()).await;
    // Several callers at once get what they asked for.
    let texts: Vec<String> = (0..4).map(|n| format!("alert number {n} at service {n}")).collect();
    let mut callers = Vec::new();
    for text in texts.clone() {
        let embedder = embedder.clone();
        callers.push(tokio::spawn(async move { embedder.embed(&[text]).await.unwrap().remove(0) }));
    }
    let together = embedder.embed(&texts).await.unwrap();
    for (caller, expected) in callers.into_iter().zip(together) {
        assert_eq!(caller.await.unwrap(), expected);
    }
}
