//! `lab rca`: which service of a case broke, by the detector's engines and the ranking of causes. Owns the ranking of a
//! folder of cases; [`super::case`] makes the evidence.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use hindcast_reason::cause;
use serde::Serialize;

use super::case::{Case, Seen};

#[derive(Debug, Serialize)]
struct Answer<'a> {
    case: &'a str,
    ranked: Vec<Ranked>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Ranked {
    service: String,
    /// 0 to 1.
    score: f64,
    /// Why, in plain words.
    why: String,
}

/// Writes `{"case":id,"ranked":[{"service","score","why"}]}` for a case, or for each case of a folder.
///
/// # Errors
/// When there is no case, a file cannot be read, or the answer cannot be written.
pub fn run(folder: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    for folder in cases(folder)? {
        let case = Case::read(&folder).with_context(|| folder.display().to_string())?;
        let ranked = rank(&case);
        serde_json::to_writer(&mut *out, &Answer { case: &case.id, ranked })?;
        writeln!(out)?;
    }
    Ok(())
}

/// The folder itself where it is a case, else those in it that are, by name.
fn cases(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_case = |path: &Path| path.join("case.json").is_file();
    if is_case(folder) {
        return Ok(vec![folder.to_owned()]);
    }
    let read = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut all: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_case(path)).collect();
    all.sort();
    ensure!(!all.is_empty(), "expected case.json in {} or in a folder within it", folder.display());
    Ok(all)
}

/// Every service of the case, the likeliest cause first: those that the ranking weighs, then the others by how much
/// their metrics moved.
fn rank(case: &Case) -> Vec<Ranked> {
    let Seen { evidence, topology, moved } = case.seen();
    let mut ranked: Vec<Ranked> = cause::standing(&evidence, &topology, &[])
        .into_iter()
        .map(|standing| Ranked {
            service: standing.service,
            score: f64::from(standing.score) / 1_000.0,
            why: standing.why,
        })
        .collect();
    let known: BTreeSet<String> = ranked.iter().map(|ranked| ranked.service.clone()).collect();
    let mut others: Vec<(i32, String)> = moved
        .into_iter()
        .filter(|(service, _)| !known.contains(service))
        .map(|(service, score)| (score, service))
        .collect();
    others.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ranked.extend(others.into_iter().map(|(score, service)| Ranked {
        service,
        // Below anything that the ranking weighs: it is 0.001 at the least.
        score: f64::from(score) / 1_000_000.0,
        why: "nothing of it stands out".to_owned(),
    }));
    ranked
}
