//! Which file a path in Rust text leads to. Owns reading `mod`, `use` and paths, and following re-exports.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{code, tokens, without_tests};

/// A module's path from the crate's root; the root itself is empty.
pub type Module = Vec<String>;

/// One source file, as far as paths are concerned.
#[derive(Default)]
pub struct File {
    /// Its path from the repository's root.
    pub path: String,
    /// Modules that it declares.
    pub children: BTreeSet<String>,
    /// Names that it defines.
    defines: BTreeSet<String>,
    /// What it gives on: the new name (`*` for everything) and the path behind `pub use`.
    gives: Vec<(String, Vec<String>)>,
    /// Every other path in it.
    paths: Vec<Vec<String>>,
}

/// The modules of one crate, by their paths.
pub type Modules = BTreeMap<Module, File>;

/// Reads the product files of one crate: their paths from the repository's root, and their text.
pub fn modules(src: &str, files: &[(String, String)]) -> Modules {
    let mut found = Modules::new();
    let mut only_in_tests = BTreeSet::new();
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with(src)) {
        let module = module_of(&path[src.len()..]);
        let clean = code(text);
        let (words, tests) = without_tests(&tokens(&clean));
        only_in_tests.extend(tests.into_iter().map(|name| [module.clone(), vec![name.to_owned()]].concat()));
        let words: Vec<&str> = words.into_iter().map(|(word, _)| word).collect();
        found.insert(module, read(path, &words));
    }
    found.retain(|module, _| !only_in_tests.iter().any(|test| module.starts_with(test)));
    found
}

fn module_of(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" || path == "main" { Vec::new() } else { path.split('/').map(ToOwned::to_owned).collect() }
}

fn read(path: &str, words: &[&str]) -> File {
    let mut file = File { path: path.to_owned(), ..File::default() };
    for pair in words.windows(3) {
        if pair[0] == "mod" && pair[2] == ";" {
            file.children.insert(pair[1].to_owned());
        }
    }
    let mut at = 0;
    while at < words.len() {
        match words[at] {
            "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union" | "mod" => {
                if let Some(name) = words.get(at + 1) {
                    file.defines.insert((*name).to_owned());
                }
                at += 1;
            }
            "use" if at == 0 || words[at - 1] != "<" => {
                let public = words[..at].iter().rev().take(4).any(|word| *word == "pub")
                    && !words[..at]
                        .iter()
                        .rev()
                        .take_while(|word| **word != "pub")
                        .any(|word| [";", "}", "]"].contains(word));
                let mut named = Vec::new();
                at = tree(words, at + 1, &[], &mut named);
                if public {
                    file.gives.extend(named);
                } else {
                    file.paths.extend(named.iter().map(|(_, path)| path.clone()));
                    file.aliases(named);
                }
            }
            word if words.get(at + 1) == Some(&"::")
                && (at == 0 || !["::", "$"].contains(&words[at - 1]))
                && is_name(word) =>
            {
                let mut path = vec![word.to_owned()];
                at += 1;
                while words.get(at) == Some(&"::") && words.get(at + 1).is_some_and(|next| is_name(next)) {
                    path.push(words[at + 1].to_owned());
                    at += 2;
                }
                file.paths.push(path);
            }
            _ => at += 1,
        }
    }
    file
}

impl File {
    /// A name that `use` brings in stands for its path wherever it begins another one.
    fn aliases(&mut self, named: Vec<(String, Vec<String>)>) {
        self.gives
            .extend(named.into_iter().filter(|(name, _)| name != "*").map(|(name, path)| (format!("={name}"), path)));
    }

    fn gives(&self, name: &str) -> Option<&Vec<String>> {
        self.gives.iter().find(|(given, _)| given == name).map(|(_, path)| path)
    }

    fn everything(&self) -> impl Iterator<Item = &Vec<String>> {
        self.gives.iter().filter(|(given, _)| given == "*").map(|(_, path)| path)
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads a use tree; the index behind it.
fn tree(words: &[&str], mut at: usize, before: &[String], named: &mut Vec<(String, Vec<String>)>) -> usize {
    let mut path = before.to_vec();
    loop {
        match words.get(at) {
            Some(&"::") => at += 1,
            Some(&"{") => {
                at += 1;
                while words.get(at).is_some_and(|word| *word != "}") {
                    let behind = tree(words, at, &path, named);
                    // A comma, or a mark that no use tree has: either way, go on.
                    at = if words.get(behind) == Some(&",") || behind == at { behind + 1 } else { behind };
                }
                return at + 1;
            }
            Some(&"*") => {
                path.push("*".to_owned());
                named.push(("*".to_owned(), path));
                return at + 1;
            }
            Some(&"as") => {
                named.push((words.get(at + 1).copied().unwrap_or("_").to_owned(), path));
                return at + 2;
            }
            Some(word) if is_name(word) => {
                if *word != "self" || path.is_empty() {
                    path.push((*word).to_owned());
                }
                at += 1;
            }
            _ => {
                if let Some(last) = path.last().cloned() {
                    named.push((last, path));
                }
                return at;
            }
        }
    }
}

/// What a file uses: the module that defines it, and the name there (`None` for the module itself).
pub fn uses(modules: &Modules, from: &Module) -> BTreeSet<(Module, Option<String>)> {
    let mut found = BTreeSet::new();
    for path in &modules[from].paths {
        found.extend(resolve(modules, from, path, 4));
    }
    found
}

/// Follows a path from a module to the file that defines what it names.
fn resolve(modules: &Modules, from: &Module, path: &[String], depth: u8) -> Option<(Module, Option<String>)> {
    let file = modules.get(from)?;
    let (first, rest) = path.split_first()?;
    let (mut at, mut rest) = match first.as_str() {
        "crate" => (Vec::new(), rest),
        "self" => (from.clone(), rest),
        "super" => (from.split_last()?.1.to_vec(), rest),
        name if file.children.contains(name) => ([from.clone(), vec![name.to_owned()]].concat(), rest),
        name => {
            let alias = file.gives(&format!("={name}"))?;
            if depth == 0 || alias.first().is_some_and(|first| first == name) && alias.len() == 1 {
                return None;
            }
            return resolve(modules, from, &[alias.as_slice(), rest].concat(), depth - 1);
        }
    };
    while let Some((next, more)) = rest.split_first() {
        if next == "super" {
            at.pop();
        } else {
            let inner = [at.clone(), vec![next.clone()]].concat();
            if !modules.contains_key(&inner) {
                break;
            }
            at = inner;
        }
        rest = more;
    }
    let Some(name) = rest.first() else { return Some((at, None)) };
    let there = modules.get(&at)?;
    if name == "*" || there.defines.contains(name) || depth == 0 {
        return Some((at, Some(name.clone())));
    }
    let follow = |given: &Vec<String>| resolve(modules, &at, given, depth - 1);
    if let Some(given) = there.gives(name) {
        return follow(&[given.as_slice(), &rest[1..]].concat());
    }
    let within = |given: &Vec<String>| {
        let inside = [&given[..given.len() - 1], rest].concat();
        let (module, name) = resolve(modules, &at, &inside, depth - 1)?;
        name.as_ref().is_some_and(|name| modules[&module].defines.contains(name)).then_some((module, name))
    };
    there.everything().find_map(within).or(Some((at.clone(), Some(name.clone()))))
}
