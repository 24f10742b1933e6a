//! `lab rca`: which service of a case broke, by the ranking of causes. Owns the ranking of a folder of cases;
//! [`super::case`] reads them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use hindcast_rca::hypotheses::{self, ServiceHypothesis};
use hindcast_rca::observed::Observed;
use hindcast_rca::parameters::CauseParameters;
use serde::Serialize;

use super::case::Case;
use super::input;

/// Signs that are told of a service.
const SIGNS_MAX: usize = 3;

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
/// When there is no case, a file cannot be read, a constant lies outside of its bounds, or the answer cannot be written.
pub fn run(folder: &Path, weights: Option<&Path>, out: &mut impl Write) -> anyhow::Result<()> {
    let parameters: CauseParameters = match weights {
        Some(file) => serde_json::from_str(&input::text(file)?).with_context(|| file.display().to_string())?,
        None => CauseParameters::DEFAULT,
    };
    ensure!(
        parameters.is_within_bounds(),
        "expected constants within their bounds, one of these is not: {parameters:?}"
    );
    for folder in cases(folder)? {
        let case = Case::read(&folder).with_context(|| folder.display().to_string())?;
        let ranked = rank(&case, &parameters);
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

/// Every service of the case, the likeliest cause first.
fn rank(case: &Case, parameters: &CauseParameters) -> Vec<RankedService> {
    let observed = case.observed(parameters);
    let ranked = hypotheses::hypotheses(&observed, parameters);
    ranked.iter().map(|hypothesis| service(hypothesis, &observed)).collect()
}

fn service(hypothesis: &ServiceHypothesis, observed: &Observed) -> RankedService {
    let signs = hypotheses::effects_of(hypothesis, observed);
    let words: Vec<String> = signs
        .iter()
        .take(SIGNS_MAX)
        .map(|sign| {
            let of = if sign.service == hypothesis.service { "" } else { sign.service.as_str() };
            format!("{of}{}{}", if of.is_empty() { "" } else { ": " }, sign.text)
        })
        .collect();
    let why = if words.is_empty() { "nothing of it stands out".to_owned() } else { words.join("; ") };
    RankedService { service: hypothesis.service.clone(), score: hypothesis.probability, why }
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
        run(folder, None, &mut out)?;
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
    fn constants_are_read_by_name_and_within_their_bounds() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        case(&folder.path().join("a"), "{}")?;
        let weights = folder.path().join("weights.json");
        let with = |text: &str| {
            std::fs::write(&weights, text)?;
            let mut out = Vec::new();
            run(folder.path(), Some(&weights), &mut out).map(|()| out)
        };
        assert_ne!(with("{\"explained\":0.5}")?, with("{}")?, "a constant counts");
        assert!(with("{\"outside\":3.0}").is_err_and(|error| error.to_string().contains("bounds")));
        assert!(with("{\"colour\":3.0}").is_err());
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
