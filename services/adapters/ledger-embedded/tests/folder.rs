//! What a folder may look like when it is opened: held, torn, harmed, cut, moved, empty again.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests say what they expect

use std::path::{Path, PathBuf};

use bytes::Bytes;
use hindcast_ledger::heads::HeadsError;
use hindcast_ledger::{Ledger, Seq};
use hindcast_ledger_embedded::{EmbeddedLedger, OpenError, Options, exists, holder};
use hindcast_testkit::conformance::toy::intake;

fn options(dir: &Path) -> Options {
    Options { segment_bytes: 8 * 1024, first_segment_bytes: 8 * 1024, ..Options::at(dir) }
}

/// A closed ledger of `count` appends of about a kilobyte, hence of several segments.
async fn filled(count: Seq) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ledger = EmbeddedLedger::open(options(folder.path())).unwrap();
    for seq in 1..=count {
        let payload = Bytes::from(vec![u8::try_from(seq % 250).unwrap() + 1; 1_000]);
        ledger.append(&intake("a"), seq - 1, payload).await.unwrap();
    }
    ledger.close().await;
    folder
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("ledger")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "seg")).collect();
    paths.sort();
    paths
}

fn edit(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    edit(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn open(dir: &Path) -> Result<EmbeddedLedger, OpenError> {
    EmbeddedLedger::open(options(dir))
}

fn forget_heads(dir: &Path) {
    std::fs::remove_file(dir.join("heads.json")).unwrap();
}

#[tokio::test]
async fn a_second_holder_is_told_who_has_it_and_where_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    assert!(holder(folder.path()).is_none() && !exists(folder.path()));
    let ledger = open(folder.path()).unwrap();
    assert!(exists(folder.path()));
    ledger.announce("http://127.0.0.1:9090").unwrap();
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    let OpenError::Held { holder: named, .. } = &error else { panic!("expected it to be held, got {error:?}") };
    assert_eq!((named.pid, named.address.as_deref()), (std::process::id(), Some("http://127.0.0.1:9090")));
    assert_eq!(holder(folder.path()).as_ref(), Some(named));
    assert!(error.to_string().contains("http://127.0.0.1:9090") && error.to_string().contains("--server"));
    ledger.close().await;
    assert_eq!(holder(folder.path()), None);
    open(folder.path()).expect("it is free again");
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_what_stands_before_it_stays() {
    let folder = filled(3).await;
    forget_heads(folder.path());
    // The last block's end never reached the disk.
    edit(&segments(folder.path())[0], |bytes| {
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[used - 600..].fill(0);
    });
    let ledger = open(folder.path()).expect("a torn tail is no damage");
    assert_eq!(ledger.head().await.unwrap(), 2);
    assert_eq!(ledger.append(&intake("a"), 2, Bytes::from_static(b"again")).await.unwrap(), 3);
    ledger.close().await;
    assert_eq!(open(folder.path()).unwrap().head().await.unwrap(), 3);
}

#[tokio::test]
async fn a_bad_block_below_a_known_head_is_a_loss_and_not_a_torn_tail() {
    let folder = filled(3).await;
    let before = std::fs::read(&segments(folder.path())[0]).unwrap();
    edit(&segments(folder.path())[0], |bytes| {
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[used - 600..].fill(0);
    });
    let harmed = std::fs::read(&segments(folder.path())[0]).unwrap();
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Heads(HeadsError::Shorter { known: 3, got: 2 })), "{error:?}");
    assert_eq!(std::fs::read(&segments(folder.path())[0]).unwrap(), harmed, "a refusal changes nothing");
    assert_ne!(before, harmed);
}

#[tokio::test]
async fn a_bad_block_before_a_good_one_is_damage() {
    let folder = filled(5).await;
    forget_heads(folder.path());
    edit(&segments(folder.path())[0], |bytes| bytes[1_500] ^= 1);
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(&error, OpenError::Corrupt { detail, .. } if detail.contains("stands behind")), "{error:?}");
}

#[tokio::test]
async fn a_bad_block_in_a_segment_that_was_left_is_damage() {
    let folder = filled(20).await;
    forget_heads(folder.path());
    let segments = segments(folder.path());
    assert!(segments.len() > 2, "the case needs several segments");
    edit(&segments[0], |bytes| {
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[used] ^= 1;
    });
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_segment_is_damage() {
    for which in [0, 1] {
        let folder = filled(20).await;
        forget_heads(folder.path());
        std::fs::remove_file(&segments(folder.path())[which]).unwrap();
        let error = open(folder.path()).map(|_| ()).unwrap_err();
        assert!(matches!(&error, OpenError::Corrupt { detail, .. } if detail.contains("missing")), "{error:?}");
    }
    // The last one leaves no trace inside; only the known head tells.
    let folder = filled(20).await;
    std::fs::remove_file(segments(folder.path()).last().unwrap()).unwrap();
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Heads(HeadsError::Shorter { known: 20, .. })), "{error:?}");
}

#[tokio::test]
async fn a_folder_whose_ledger_is_gone_does_not_begin_anew() {
    let folder = filled(3).await;
    std::fs::remove_dir_all(folder.path().join("ledger")).unwrap();
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Heads(HeadsError::Shorter { known: 3, got: 0 })), "{error:?}");
}

#[tokio::test]
async fn another_ledger_under_the_same_known_head_is_refused() {
    let (ours, theirs) = (filled(3).await, filled(3).await);
    std::fs::copy(theirs.path().join("heads.json"), ours.path().join("heads.json")).unwrap();
    let error = open(ours.path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Heads(HeadsError::OtherLedger { .. })), "{error:?}");
    let error = EmbeddedLedger::open(options(theirs.path()).with_id("OURS")).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::OtherLedger { .. }), "{error:?}");
    let error = EmbeddedLedger::open(options(theirs.path()).with_id("no id")).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::NotAnId(_)), "{error:?}");
}

#[tokio::test]
async fn an_identity_that_is_gone_is_not_drawn_anew() {
    let folder = filled(3).await;
    std::fs::remove_file(folder.path().join("ledger").join("ledger.json")).unwrap();
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::IdentityMissing(_)), "{error:?}");
}

#[tokio::test]
async fn an_open_that_only_reads_changes_no_segment() {
    let folder = filled(20).await;
    let bytes = |dir: &Path| -> Vec<_> { segments(dir).iter().map(|path| std::fs::read(path).unwrap()).collect() };
    let before = bytes(folder.path());
    let ledger = open(folder.path()).unwrap();
    let mut tail = ledger.tail(1);
    assert_eq!(tail.next().await.unwrap()[0].seq, 1);
    ledger.close().await;
    assert_eq!(bytes(folder.path()), before);
    assert!(ledger.append(&intake("a"), 20, Bytes::from_static(b"late")).await.is_err(), "a closed one takes nothing");
    let mut tail = ledger.tail(21);
    assert!(tail.next().await.is_err(), "who waits on a closed one is told");
}
