//! The rules of the repository that no compiler holds, a rule a file: which crate may know which, circles between files,
//! how long files and functions are, what names mean, what comments say, and that documents are true.
//!
//! Each rule is a list of what is allowed, with reasons, and a test that also shows that it can be broken. Lists that
//! begin with `STILL_` hold what does not keep the rule yet; nothing is ever added to them.
//!
//! Rules about files, functions, comments, hexadecimal digits and what is left to do hold for tests and for `xtask` as
//! they do for the product. Those about circles, type names and matches on events hold for the product alone: a test is
//! read from its top, and may call its fake what it likes.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says so by panicking

#[path = "architecture/binaries.rs"]
mod binaries;
#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/comments.rs"]
mod comments;
#[path = "architecture/cookbooks.rs"]
mod cookbooks;
#[path = "architecture/crates.rs"]
mod crates;
#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/edges.rs"]
mod edges;
#[path = "architecture/events.rs"]
mod events;
#[path = "architecture/files.rs"]
mod files;
#[path = "architecture/names.rs"]
mod names;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/prose.rs"]
mod prose;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/specs.rs"]
mod specs;
