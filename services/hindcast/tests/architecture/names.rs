//! A bare type name means one thing in the workspace, so that a search for it leads to one place.
//!
//! Structs, enums, traits, type aliases and unions of product code count, private ones too; those inside functions and
//! associated types do not. The domain's event payloads are named by their aggregate (`incident::Resolved`,
//! `alert::Resolved`), which is the style of that crate, so that its files may share names with each other alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{code, product, tokens, without_tests};

/// Names that mean "the one of this crate or module" by convention of the language, with the convention.
const EACH_ITS_OWN: [(&str, &str); 6] = [
    ("Error", "what can go wrong in this module"),
    ("Result", "a result with the module's own error"),
    ("Options", "what a service is given at its start"),
    ("Handle", "the cheap handle on a running service"),
    ("Shared", "a port behind an `Arc`"),
    ("Inner", "what the clones of a handle share; never outside its file"),
];

/// Names that still mean more than one thing, with how many files declare them. Entries are only lowered and deleted.
#[rustfmt::skip]
const STILL_TWICE: [(&str, usize); 218] = [
    ("About", 4), ("Act", 2), ("Action", 2), ("Advice", 2), ("Advising", 2), ("Alert", 3), ("Aliases", 2),
    ("Answer", 4), ("Args", 2), ("AsOf", 2), ("Ask", 2), ("Asked", 7), ("Asker", 2), ("Bad", 2), ("Batch", 5),
    ("Block", 3), ("Builder", 2), ("Candidate", 4), ("Case", 3), ("Chain", 2), ("Change", 3), ("Channel", 2),
    ("Chat", 4), ("Chats", 2), ("Checkpoint", 2), ("Class", 2), ("Client", 2), ("Clock", 2), ("Closed", 2),
    ("Command", 5), ("Committer", 2), ("Context", 3), ("Copilot", 3), ("Core", 4), ("Counted", 2),
    ("Counts", 4), ("Cursor", 4), ("Damage", 2), ("Decided", 2), ("Decoded", 2), ("Deliverer", 2),
    ("Delivery", 2), ("Desk", 2), ("Disagreement", 2), ("Disk", 2), ("Done", 6), ("Door", 4), ("Draft", 3),
    ("Duration", 2), ("Encoding", 2), ("Ended", 4), ("Entry", 5), ("Event", 2), ("Factory", 3), ("Facts", 2),
    ("FailPoint", 4), ("Fault", 6), ("Faults", 2), ("Feed", 2), ("Feedback", 2), ("Fields", 3), ("Figure", 2),
    ("Figures", 5), ("File", 2), ("Filled", 2), ("Fired", 2), ("Firing", 3), ("Flat", 2), ("Form", 3),
    ("Found", 7), ("Frame", 2), ("Hashed", 2), ("Head", 2), ("Header", 2), ("Heard", 2), ("Held", 3),
    ("Histogram", 2), ("Identity", 2), ("Incident", 2), ("Index", 3), ("Invalid", 3), ("Item", 5), ("Job", 2),
    ("Judged", 4), ("Keeper", 2), ("Kept", 2), ("Key", 6), ("Keys", 2), ("Kind", 9), ("Known", 3), ("Label", 3),
    ("Labels", 4), ("Lane", 3), ("Ledger", 2), ("Level", 2), ("Line", 12), ("Lines", 2), ("ListArgs", 2),
    ("Live", 2), ("LogRecord", 2), ("Made", 4), ("Manifest", 2), ("Memory", 5), ("Merge", 2), ("Message", 4),
    ("Messages", 2), ("Metrics", 2), ("Moment", 2), ("Names", 2), ("Near", 2),
    ("NotATime", 2), ("Note", 3), ("Notice", 2), ("Numbers", 2), ("Open", 2), ("OpenError", 4), ("Opened", 2),
    ("Outcome", 5), ("Page", 4), ("Param", 2), ("Parked", 2), ("Pending", 4), ("Piece", 2), ("Place", 7),
    ("Placed", 5), ("Plan", 4), ("Played", 2), ("Point", 2), ("Problem", 2), ("Progress", 3), ("Raised", 2),
    ("Ranked", 2), ("Read", 3), ("Reader", 11), ("Reading", 3), ("Receiver", 2),
    ("Recorded", 2), ("Recording", 3), ("Redactor", 2), ("Refusal", 2), ("Replay", 2), ("Replies", 2),
    ("Reply", 2), ("Report", 5), ("Request", 4), ("Rest", 2), ("Restored", 2), ("Role", 3), ("Row", 5),
    ("Rule", 2), ("Rules", 4), ("Run", 3), ("Running", 3), ("Said", 6), ("Sample", 2), ("Scan", 2),
    ("Seen", 9), ("Series", 2), ("Server", 3), ("Service", 4), ("Session", 2), ("Settings", 2),
    ("Settled", 3), ("Shadow", 2), ("Share", 2), ("Shelf", 2), ("Shift", 2), ("ShowArgs", 3), ("Shown", 5),
    ("Sign", 4), ("Silence", 3), ("Site", 3), ("Slack", 2), ("Source", 4), ("Spend", 2), ("Split", 2),
    ("Stamp", 2), ("State", 17), ("Status", 6), ("Step", 3), ("Stopped", 2), ("Store", 3), ("Stored", 2),
    ("Stream", 2), ("Stretch", 4), ("Subject", 2), ("Summary", 4), ("Symptom", 2), ("Table", 2), ("Tail", 2),
    ("Taken", 2), ("Teams", 2), ("Telemetry", 2), ("Template", 3), ("Tip", 3), ("Token", 2), ("Tokens", 2),
    ("Told", 11), ("Tools", 2), ("Truth", 2), ("Turn", 4), ("Undone", 2), ("Unit", 2), ("Unreadable", 2),
    ("Verb", 2), ("Verdict", 6), ("Version", 2), ("View", 15), ("Want", 2), ("Wanted", 2), ("Weights", 2),
    ("Wire", 2), ("Word", 3), ("Work", 3), ("World", 3), ("Writer", 4), ("Written", 2), ("Wrong", 2),
];

const DOMAIN: &str = "services/core/domain/src/";

/// The types that a file declares at the level of a module.
fn declared(text: &str) -> BTreeSet<String> {
    let clean = code(text);
    let (words, _) = without_tests(&tokens(&clean));
    let words: Vec<&str> = words.into_iter().map(|(word, _)| word).collect();
    let mut found = BTreeSet::new();
    // A block is a module's when `mod NAME` stands before its brace; in any other one nothing counts.
    let mut blocks: Vec<bool> = Vec::new();
    for at in 0..words.len() {
        match words[at] {
            "{" => blocks.push(at >= 2 && words[at - 2] == "mod"),
            "}" => {
                blocks.pop();
            }
            "struct" | "enum" | "trait" | "type" | "union" if blocks.iter().all(|of_module| *of_module) => {
                let name = words.get(at + 1).copied().unwrap_or_default();
                if name.starts_with(|first: char| first.is_uppercase()) {
                    found.insert(name.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

/// Names with the files that declare them, where there is more than one.
fn twice(files: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in files {
        for name in declared(text) {
            places.entry(name).or_default().push(path.clone());
        }
    }
    places.retain(|_, files| files.len() > 1 && !files.iter().all(|file| file.starts_with(DOMAIN)));
    places
}

#[test]
fn a_type_name_means_one_thing() {
    let mut twice = twice(&product());
    for (name, convention) in EACH_ITS_OWN {
        assert!(twice.remove(name).is_some(), "{name} is declared at most once, no convention is needed: {convention}");
    }
    let listed = |name: &str, files: usize| STILL_TWICE.iter().any(|(known, most)| *known == name && files <= *most);
    let (known, new): (Vec<_>, Vec<_>) = twice.into_iter().partition(|(name, files)| listed(name, files.len()));
    println!("{} names still mean more than one thing", known.len());
    assert!(new.is_empty(), "expected one declaration of each name, got {new:#?}");
}

#[test]
fn a_name_for_two_things_is_found() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let one = file("a/src/lib.rs", "pub struct Told; mod inner { enum Seen {} }");
    let two = file("b/src/lib.rs", "type Told = u8; fn f() { struct Seen; } #[cfg(test)] mod tests { struct Told; }");
    assert_eq!(twice(&[one, two]).into_keys().collect::<Vec<_>>(), ["Told"]);
    let domain = |name: &str| file(&format!("{DOMAIN}{name}.rs"), "pub struct Resolved;");
    assert!(twice(&[domain("alert"), domain("incident")]).is_empty());
}
