//! Circles between the files of one crate. Two files that need each other are one file in two places: neither can be
//! read, tested or moved alone.
//!
//! A file *needs* another file of its crate when its product code names, by a path or a `use`, something that the
//! other one defines; re-exports are followed to the definition. Three things are no need:
//! - a `mod` or `pub use` line: it says where something is;
//! - a module that is named without anything in it (`use crate::format;`): what is then taken from it counts;
//! - a type, trait, constant or macro of an *ancestor* that a file below it names: a parent module owns the words that
//!   its children speak in, which is the usual shape of Rust. A function of an ancestor is a need, so that a parent
//!   that calls its children while they call it back is a circle.
//!
//! A circle is a strongly connected set of more than one file. Each circle that stays is in [`STAYS`] with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{Module, Modules, modules, uses};
use crate::source::product;

/// Circles that stay: files by their paths from the repository's root, and why they are one idea in several files.
const STAYS: [(&[&str], &str); 1] = [(
    &[
        "services/core/domain/src/chat.rs",
        "services/core/domain/src/command.rs",
        "services/core/domain/src/event.rs",
        "services/core/domain/src/label.rs",
        "services/core/domain/src/model.rs",
        "services/core/domain/src/notice.rs",
        "services/core/domain/src/silence.rs",
    ],
    "an event is one of the payloads of the aggregates, and an aggregate folds recorded events",
)];

/// Circles that are still to be taken apart, with what makes them one. Nothing may be added.
const STILL_CIRCLES: [(&[&str], &str); 18] = [
    (
        &[
            "services/adapters/ledger-embedded/src/committer.rs",
            "services/adapters/ledger-embedded/src/ledger.rs",
            "services/adapters/ledger-embedded/src/tail.rs",
        ],
        "the ledger starts its committer and its readers, and both write into the state that the ledger shares",
    ),
    (
        &["services/adapters/ledger-embedded/src/folder.rs", "services/adapters/ledger-embedded/src/options.rs"],
        "options are checked while a folder opens, and name the errors of opening",
    ),
    (
        &["services/adapters/ledger-nats/src/ledger.rs", "services/adapters/ledger-nats/src/tail.rs"],
        "the ledger opens its readers, and a reader asks the ledger again after a gap",
    ),
    (
        &[
            "services/chatops/src/doors/mod.rs",
            "services/chatops/src/doors/slack.rs",
            "services/chatops/src/doors/teams.rs",
        ],
        "the endpoints are one type whose methods are a file for each vendor",
    ),
    (
        &[
            "services/cli/src/commands/checks.rs",
            "services/cli/src/commands/checks/advising.rs",
            "services/cli/src/commands/doctor.rs",
        ],
        "a check is made with helpers of the command that lists all checks",
    ),
    (
        &[
            "services/console/src/openapi.rs",
            "services/console/src/ops.rs",
            "services/console/src/routes.rs",
            "services/console/src/routes/table.rs",
        ],
        "the description is made from the table of routes, and a route answers with the description",
    ),
    (
        &[
            "services/core/mlops/src/labeller/later.rs",
            "services/core/mlops/src/labeller/people.rs",
            "services/core/mlops/src/labeller/state.rs",
            "services/core/mlops/src/seen.rs",
        ],
        "labels of people and of silence read one state, which is folded by what both saw",
    ),
    (
        &["services/core/rca/src/change.rs", "services/core/rca/src/weigh.rs"],
        "changes are weighed in the scene that weighs services, which counts changes",
    ),
    (
        &["services/core/recall/src/compare.rs", "services/core/recall/src/rarity.rs"],
        "signs are weighed by rarity, and rarity counts the signs that are compared",
    ),
    (
        &[
            "services/gateway/src/door/alertmanager.rs",
            "services/gateway/src/door/ingest.rs",
            "services/gateway/src/door/mod.rs",
            "services/gateway/src/door/parked.rs",
            "services/gateway/src/door/silences.rs",
            "services/gateway/src/door/telemetry/fields.rs",
            "services/gateway/src/door/telemetry/intake.rs",
            "services/gateway/src/door/telemetry/lines.rs",
            "services/gateway/src/door/telemetry/mod.rs",
            "services/gateway/src/door/telemetry/remote_write.rs",
            "services/gateway/src/door/telemetry/wire.rs",
        ],
        "each endpoint is registered by its parent and checks requests with its functions",
    ),
    (
        &["services/gateway/src/door/telemetry/otlp/messages.rs", "services/gateway/src/door/telemetry/otlp/value.rs"],
        "messages hold values, and a value may hold messages: the format is recursive",
    ),
    (
        &[
            "services/hindcast/src/settings.rs",
            "services/hindcast/src/settings/advising.rs",
            "services/hindcast/src/settings/chat.rs",
            "services/hindcast/src/settings/file.rs",
        ],
        "sections of the settings are read by the file, with the helpers for references to secrets",
    ),
    (
        &["services/learning/src/shadow.rs", "services/learning/src/shadow/beside.rs"],
        "a shadow runs two versions beside each other, with the facts of the shadow",
    ),
    (
        &["services/pager/src/decide.rs", "services/pager/src/decide/ending.rs", "services/pager/src/storm.rs"],
        "what ends and what storms are parts of one decision, which they may ask for another",
    ),
    (
        &["services/views/src/words/advice.rs", "services/views/src/words/mod.rs"],
        "the words of advice are one arm of the words of all events, with their helpers",
    ),
    (
        &["services/chatops/src/doors/act.rs", "services/chatops/src/doors/plan.rs"],
        "what follows from a press is planned in one file and carried out in the other, on one type",
    ),
    (
        &[
            "services/core/chat-cards/src/buttons.rs",
            "services/core/chat-cards/src/card.rs",
            "services/core/chat-cards/src/card/answer.rs",
            "services/core/chat-cards/src/card/wording.rs",
        ],
        "a card has buttons, and a button that judges is worded like the section that it stands in",
    ),
    (
        &["services/core/chat-cards/src/teams/forms.rs", "services/core/chat-cards/src/teams/render.rs"],
        "a card unfolds its forms in place, and a form is rendered with the elements of a card",
    ),
];

/// Edges between the files of one crate.
fn needs(modules: &Modules) -> BTreeMap<&Module, BTreeSet<Module>> {
    let mut edges = BTreeMap::new();
    for module in modules.keys() {
        let needed = uses(modules, module).into_iter().filter(|(to, name)| {
            let below = to.len() < module.len() && module.starts_with(to);
            let function = name.as_ref().is_some_and(|name| name.starts_with(|first: char| first.is_lowercase()));
            to != module && name.is_some() && (!below || function)
        });
        edges.insert(module, needed.map(|(to, _)| to).collect());
    }
    edges
}

/// Sets of more than one module that reach each other.
fn circles(edges: &BTreeMap<&Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reach = |from: &Module| {
        let (mut seen, mut wanted) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = wanted.pop() {
            wanted.extend(edges.get(&next).into_iter().flatten().filter(|to| seen.insert((*to).clone())).cloned());
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = edges.keys().map(|from| (*from, reach(from))).collect();
    let mut found: Vec<BTreeSet<Module>> = Vec::new();
    for (from, to) in &reached {
        let mutual = to.iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*from)));
        let circle: BTreeSet<Module> = mutual.cloned().collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// Every circle of the workspace, as files.
fn all() -> Vec<BTreeSet<String>> {
    let files = product();
    let crates: BTreeSet<&str> =
        files.iter().map(|(path, _)| &path[..path.find("/src/").unwrap() + "/src/".len()]).collect();
    let mut found = Vec::new();
    for src in crates {
        let modules = modules(src, &files);
        for circle in circles(&needs(&modules)) {
            found.push(circle.iter().map(|module| modules[module].path.clone()).collect());
        }
    }
    found
}

#[test]
fn files_need_each_other_in_no_circle() {
    let listed = |circle: &BTreeSet<String>| {
        let within = |files: &[&str]| circle.iter().all(|file| files.contains(&file.as_str()));
        STAYS.iter().any(|(files, _)| within(files)) || STILL_CIRCLES.iter().any(|(files, _)| within(files))
    };
    let (known, new): (Vec<_>, Vec<_>) = all().into_iter().partition(listed);
    println!("{} circles stay with a reason, {} are still to be taken apart", STAYS.len(), STILL_CIRCLES.len());
    assert!(new.is_empty(), "circles between files: {new:#?}");
    for (files, why) in STAYS {
        let lives = known.iter().any(|circle| circle.iter().all(|file| files.contains(&file.as_str())));
        assert!(lives, "the circle {files:?} is gone: {why}");
    }
}

#[test]
fn a_circle_is_found_and_the_usual_shape_is_none() {
    let of = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(path, text)| (format!("x/src/{path}"), (*text).to_owned())).collect();
        circles(&needs(&modules("x/src/", &files))).len()
    };
    let root = ("lib.rs", "mod a; mod b;");
    assert_eq!(of(&[root, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "pub struct B(super::a::A);")]), 1);
    assert_eq!(of(&[root, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "pub struct B;")]), 0);
    assert_eq!(of(&[root, ("a.rs", "use crate::b; fn f() { b::g() }"), ("b.rs", "pub fn g() { crate::a::f() }")]), 1);
    let tested = "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }";
    assert_eq!(of(&[root, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", tested)]), 0);
    // A parent owns the words of its children; a child that calls it back is a circle.
    let parent = "mod b; pub struct P; pub fn p() { b::q(); }";
    assert_eq!(of(&[("lib.rs", "mod a;"), ("a.rs", parent), ("a/b.rs", "use super::P; pub fn q() {}")]), 0);
    assert_eq!(of(&[("lib.rs", "mod a;"), ("a.rs", parent), ("a/b.rs", "pub fn q() { super::p() }")]), 1);
    // A re-export is followed to the file that defines it.
    let gives = ("lib.rs", "mod a; mod b; pub use a::A;");
    assert_eq!(of(&[gives, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "pub struct B(crate::A);")]), 1);
}
