//! `lab rca`: which service of a case broke, by the detector's engines and the ranking of causes. Owns the ranking of a
//! folder of cases; [`super::case`] makes the evidence.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Serialize;

use super::case::{Case, CaseEvidence};

#[derive(Debug, Serialize)]
struct RankedAnswer<'a> {
    case: &'a str,
    ranked: Vec<RankedService>,
}

#[derive(Debug, PartialEq, Serialize)]
struct RankedService {
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
        serde_json::to_writer(&mut *out, &RankedAnswer { case: &case.id, ranked })?;
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
    let mut all: Vec<PathBuf> =
        read.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_case(path)).collect();
    all.sort();
    ensure!(!all.is_empty(), "expected case.json in {} or in a folder within it", folder.display());
    Ok(all)
}

/// Every service of the case, the likeliest cause first: those that the ranking weighs, then the others by how much
/// their metrics moved.
fn rank(case: &Case) -> Vec<RankedService> {
    let CaseEvidence { evidence, topology, moved } = case.seen();
    let mut ranked: Vec<RankedService> = hindcast_rca::standing(&evidence, &topology, &[])
        .into_iter()
        .map(|standing| RankedService {
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
    ranked.extend(others.into_iter().map(|(score, service)| RankedService {
        service,
        // Below anything that the ranking weighs: it is 0.001 at the least.
        score: f64::from(score) / 1_000_000.0,
        why: "nothing of it stands out".to_owned(),
    }));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// A shop that calls a database, twelve minutes at a step of ten seconds; from the tenth on the database is slow.
    fn case(folder: &Path, symptom: &str) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)?;
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let about = serde_json::json!({
            "id": id, "window_start": "2026-11-24T12:10:00Z", "window_end": "2026-11-24T12:12:00Z",
            "symptom": serde_json::from_str::<serde_json::Value>(symptom)?,
        });
        std::fs::write(folder.join("case.json"), about.to_string())?;
        std::fs::write(folder.join("topology.json"), r#"{"edges":[["shop","db"],["shop","mail"]]}"#)?;
        let mut rows = String::from("timestamp,service,metric,value\n");
        for second in (0..720_u32).step_by(10) {
            let time = format!("2026-11-24T12:{:02}:{:02}Z", second / 60, second % 60);
            let wrong = if second >= 600 { 1.0 } else { 0.0 };
            let noise = f64::from(second * 7 % 13) / 13.0;
            for (service, value) in
                [("db", 5.0 + noise + 90.0 * wrong), ("shop", 50.0 + noise * 5.0 + 60.0 * wrong), ("mail", 3.0 + noise)]
            {
                writeln!(rows, "{time},{service},latency_ms,{value}")?;
            }
        }
        std::fs::write(folder.join("metrics.csv"), rows)?;
        Ok(())
    }

    fn answers(folder: &Path) -> anyhow::Result<Vec<serde_json::Value>> {
        let mut out = Vec::new();
        run(folder, &mut out)?;
        String::from_utf8(out)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    #[test]
    fn what_others_depend_on_and_moved_furthest_comes_first_whatever_alarmed() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        for (name, symptom) in [("a", "{\"service\":\"shop\",\"metric\":\"latency_ms\"}"), ("b", "{}")] {
            case(&folder.path().join(name), symptom)?;
        }
        let all = answers(folder.path())?;
        assert_eq!(all.iter().map(|answer| answer["case"].as_str()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
        for answer in &all {
            let ranked = answer["ranked"].as_array().map(Vec::as_slice).unwrap_or_default();
            let services: Vec<_> = ranked.iter().filter_map(|ranked| ranked["service"].as_str()).collect();
            assert_eq!(services.first(), Some(&"db"), "{answer}");
            assert_eq!(services.len(), 3, "every service is ranked: {answer}");
            let scores: Vec<_> = ranked.iter().filter_map(|ranked| ranked["score"].as_f64()).collect();
            assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        }
        assert_eq!(answers(&folder.path().join("a"))?, all[..1], "one case by itself is the same");
        Ok(())
    }

    #[test]
    fn a_line_that_is_no_row_is_named_and_a_folder_without_a_case_too() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(answers(folder.path()).is_err_and(|error| error.to_string().contains("case.json")));
        case(&folder.path().join("a"), "{}")?;
        let rows = "timestamp,service,metric,value\n2026-11-24T12:00:00Z,db,cpu,1\nnoon,db,cpu,1\n";
        std::fs::write(folder.path().join("a/metrics.csv"), rows)?;
        assert!(answers(folder.path()).is_err_and(|error| format!("{error:#}").contains("line 3")));
        Ok(())
    }
}
