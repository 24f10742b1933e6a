//! Tests of the module above.

use super::packages::Piece;
use super::*;

/// A package of one file, whose content is known.
fn package(content: &[u8]) -> (Package, Piece) {
    let sha256: &'static str = Box::leak(hex(&Sha256::digest(content)).into_boxed_str());
    let piece = || Piece { from: "package/file.bin", name: "file.bin", sha256 };
    let files: &'static [Piece] = Box::leak(vec![piece()].into_boxed_slice());
    (Package { requirement: "package==1", megabytes: 1, files }, piece())
}

fn staged(dir: &Path, content: &[u8]) -> PathBuf {
    let staging = dir.join("staging");
    std::fs::create_dir_all(staging.join("package")).unwrap();
    std::fs::write(staging.join("package/file.bin"), content).unwrap();
    staging
}

#[test]
fn a_file_is_put_into_place_only_where_it_is_the_one_that_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (right, piece) = package(b"right");
    let wrong = put_in_place(&[right], &staged(dir.path(), b"wrong"), dir.path()).unwrap_err().to_string();
    assert!(wrong.contains(piece.sha256) && wrong.contains("remedy"), "{wrong}");
    assert!(!dir.path().join("file.bin").exists() && !dir.path().join(MANIFEST).exists(), "nothing was installed");
    let (right, _) = package(b"right");
    put_in_place(&[right], &staged(dir.path(), b"right"), dir.path()).unwrap();
    assert_eq!(std::fs::read(dir.path().join("file.bin")).unwrap(), b"right");
    assert!(dir.path().join(MANIFEST).exists());
}

#[tokio::test]
async fn a_model_of_somebodys_own_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("model.onnx"), b"mine").unwrap();
    let refused = install(dir.path(), Duration::from_secs(1)).await.unwrap_err().to_string();
    assert!(refused.contains("contains another model"), "{refused}");
    assert_eq!(std::fs::read(dir.path().join("model.onnx")).unwrap(), b"mine");
}

#[tokio::test]
async fn where_the_model_does_not_run_hashed_words_stand_in_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let (embedder, why) = open(Some(dir.path())).await;
    assert!(embedder.identity().stand_in);
    assert!(why.unwrap().contains("does not run"));
    assert_eq!(find(Some(dir.path())).as_deref(), Some(dir.path()), "what is named is meant");
}

#[test]
fn every_known_file_has_a_hash_and_the_tokenizer_is_whole() {
    let packages = [MODEL, TOKENIZER].into_iter().chain(LIBRARY);
    let manifest = manifest(&packages.collect::<Vec<_>>());
    assert!(manifest.files.values().all(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())));
    for name in std::iter::once(hindcast_embed_fastembed::MODEL).chain(hindcast_embed_fastembed::TOKENIZER) {
        assert!(manifest.files.contains_key(name), "{name}");
    }
}
