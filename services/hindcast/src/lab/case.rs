//! A case of `lab rca` as it was measured: what an incident would have known at the end of its window. Owns the forms
//! of its files; what they say is made of them by the engines that run in the detector.

mod measured;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use hindcast_domain::Time;
use serde::Deserialize;

use super::input;

/// `case.json`.
#[derive(Debug, Deserialize)]
struct CaseFile {
    id: String,
    window_start: Time,
    window_end: Time,
    #[serde(default)]
    symptom: CaseSymptom,
}

/// What alarmed, where that is known.
#[derive(Debug, Default, Deserialize)]
struct CaseSymptom {
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    metric: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Edges {
    #[serde(default)]
    edges: Vec<(String, String)>,
}

/// A line of `logs.ndjson`.
#[derive(Debug, Deserialize)]
struct CaseLine {
    #[serde(alias = "time")]
    timestamp: Time,
    service: String,
    #[serde(alias = "message")]
    body: String,
    #[serde(default, alias = "level")]
    severity: Option<String>,
}

/// A line of `traces.ndjson`.
#[derive(Debug, Deserialize)]
struct CaseSpan {
    span_id: String,
    #[serde(default)]
    parent_span_id: String,
    service: String,
    name: String,
    start: Time,
    duration_us: f64,
    #[serde(default)]
    status: String,
}

/// By service and metric, oldest first.
type AllSeries = BTreeMap<(String, String), Vec<(Time, f64)>>;

/// One case, read.
#[derive(Debug)]
pub struct Case {
    /// As the file of the case names it.
    pub id: String,
    about: CaseFile,
    series: AllSeries,
    lines: Vec<CaseLine>,
    spans: Vec<CaseSpan>,
    edges: Vec<(String, String)>,
}

impl Case {
    /// Reads the files of a case.
    ///
    /// # Errors
    /// When one is missing that must be there, or one cannot be read.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let about: CaseFile = serde_json::from_str(&input::text(&folder.join("case.json"))?).context("case.json")?;
        let optional = |name: &str| input::find(&folder.join(name)).map(|_| folder.join(name));
        let edges: Edges = match optional("topology.json") {
            Some(path) => serde_json::from_str(&input::text(&path)?).context("topology.json")?,
            None => Edges::default(),
        };
        let mut lines: Vec<CaseLine> =
            optional("logs.ndjson").map(|path| input::ndjson(&path)).transpose()?.unwrap_or_default();
        lines.sort_by_key(|line| line.timestamp);
        Ok(Self {
            id: about.id.clone(),
            series: series(&folder.join("metrics.csv"))?,
            lines,
            edges: edges.edges,
            spans: optional("traces.ndjson").map(|path| input::ndjson(&path)).transpose()?.unwrap_or_default(),
            about,
        })
    }
}

/// `timestamp,service,metric,value`. A row without a value is passed over.
fn series(path: &Path) -> anyhow::Result<AllSeries> {
    let mut all = AllSeries::new();
    if input::find(path).is_none() {
        return Ok(all);
    }
    let text = input::text(path)?;
    for (number, line) in (1..).zip(text.lines()).skip(1) {
        if line.trim().is_empty() {
            continue;
        }
        let cells = input::cells(line);
        let [time, service, metric, value] = cells.as_slice() else {
            anyhow::bail!(
                "expected timestamp,service,metric,value in metrics.csv, line {number} has {} cells",
                cells.len()
            );
        };
        let time =
            input::time(time).with_context(|| format!("expected a time in metrics.csv, line {number} has {time:?}"))?;
        if let Ok(value) = value.trim().parse::<f64>() {
            all.entry((service.clone(), metric.clone())).or_default().push((time, value));
        }
    }
    all.values_mut().for_each(|points| points.sort_by_key(|(time, _)| *time));
    Ok(all)
}
