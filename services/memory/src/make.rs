//! Makes points: the evidence of an incident as of a position, what is kept of it, and its vector. Owns what
//! is stored; refuses to know when.

use std::collections::BTreeMap;
use std::sync::Arc;

use hindcast_advice::gather;
use hindcast_api::{Code, Finding, Problem};
use hindcast_domain::Partition;
use hindcast_domain::catalog::Topology;
use hindcast_domain::finding::Kind;
use hindcast_domain::words::LogLevel;
use hindcast_queries::Snapshots;
use hindcast_rca::{self as cause, Evidence};
use hindcast_recall::Remembered;
use hindcast_redact::Redactor;
use hindcast_vectors::{Point, PointKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Inner;
use crate::error::Error;
use crate::plan::PlannedVersion;

/// Vectors that are kept by their text.
const MADE_MAX: usize = 1_024;
/// Texts of one call of the embedder.
const TEXTS_MAX: usize = 64;

/// What is kept of a log template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTemplate {
    /// The service that wrote it.
    pub service: String,
    /// Its text, with `<*>` for what varies.
    pub text: String,
    /// One line.
    pub sample: String,
    /// Whether it was new or burst.
    pub kind: Kind,
    /// The worst severity among its lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// The event of the finding.
    pub event: String,
}

/// A point without its vector.
pub(crate) struct PointDraft {
    point: Point,
    text: String,
}

impl Inner {
    /// What is kept of an incident as of a version; `None` where there was no such incident then.
    pub(crate) async fn incident(&self, version: &PlannedVersion) -> Result<Option<PointDraft>, Error> {
        let seen = Snapshots::from(Arc::clone(&self.options.queries)).at(version.position).await?;
        match seen.incident(Some(&version.incident)).await {
            Err(problem) if is_gone(&problem) => {
                self.options.metrics.count("hindcast_memory_skipped_total", &[], 1.0);
                return Ok(None);
            }
            known => known.map(drop)?,
        }
        let evidence = gather::evidence(&seen, Some(&version.incident)).await?;
        let topology = Topology::new(&seen.catalog().await?);
        let partition = seen.partition_of(&evidence.incident.id).await?;
        let remembered = remembered(&evidence, &topology);
        Ok(Some(PointDraft {
            text: hindcast_recall::text(&remembered),
            point: Point {
                item: remembered.incident.clone(),
                kind: PointKind::Incident,
                partition: partition.to_string(),
                position: version.position,
                // What became a part of another incident is remembered there.
                gone: remembered.merged_into.is_some(),
                vector: Vec::new(),
                payload: serde_json::to_value(&remembered)?,
            },
        }))
    }

    /// The templates of findings, a version for each.
    pub(crate) fn templates(findings: &[(Partition, Finding)]) -> Result<Vec<PointDraft>, Error> {
        let mut drafts = Vec::new();
        for (partition, finding) in findings {
            let Some(template) = &finding.finding.template else { continue };
            let mut redactor = Redactor::default();
            let kept = KeptTemplate {
                service: finding.finding.service.clone(),
                text: redactor.text(&template.text),
                sample: redactor.text(&template.sample),
                kind: finding.finding.kind,
                level: finding.finding.level.clone(),
                event: finding.event.clone(),
            };
            let point = Point {
                item: template.id.clone(),
                kind: PointKind::Template,
                partition: partition.to_string(),
                position: finding.position,
                gone: false,
                vector: Vec::new(),
                payload: serde_json::to_value(&kept)?,
            };
            let text = hindcast_recall::template_text(&kept.service, &kept.text);
            drafts.push(PointDraft { point, text });
        }
        Ok(drafts)
    }

    /// Gives every draft its vector. Texts that were embedded lately are not embedded again.
    pub(crate) async fn points(&self, drafts: Vec<PointDraft>) -> Result<Vec<Point>, Error> {
        let mut made = self.made.lock().await;
        if made.len() + drafts.len() > MADE_MAX {
            made.clear();
        }
        let mut missing: BTreeMap<String, &str> = BTreeMap::new();
        for draft in &drafts {
            let key = key(&draft.text);
            if !made.contains_key(&key) {
                missing.insert(key, &draft.text);
            }
        }
        let missing: Vec<(String, String)> = missing.into_iter().map(|(key, text)| (key, text.to_owned())).collect();
        for chunk in missing.chunks(TEXTS_MAX) {
            let texts: Vec<String> = chunk.iter().map(|(_, text)| text.clone()).collect();
            let vectors = self.options.embedder.embed(&texts).await?;
            if vectors.len() != texts.len() {
                let wrong = format!("expected {} vectors, got {}", texts.len(), vectors.len());
                return Err(hindcast_vectors::embed::Error::Embed(wrong).into());
            }
            self.options.metrics.count("hindcast_memory_embedded_total", &[], vectors.len() as f64);
            made.extend(chunk.iter().map(|(key, _)| key.clone()).zip(vectors));
        }
        let with_vector = |draft: PointDraft| {
            let vector = made.get(&key(&draft.text)).cloned().unwrap_or_default();
            Point { vector, ..draft.point }
        };
        Ok(drafts.into_iter().map(with_vector).collect())
    }
}

/// What is kept of an incident, without secrets.
fn remembered(evidence: &Evidence, topology: &Topology) -> Remembered {
    let causes = cause::rank(evidence, topology, &[]);
    let mut remembered = hindcast_recall::remember(evidence, causes.items.first());
    let mut redactor = Redactor::default();
    remembered.clean(|text| redactor.text(text));
    remembered
}

fn is_gone(problem: &Problem) -> bool {
    problem.code == Code::NotFound
}

fn key(text: &str) -> String {
    hindcast_domain::hex::hex(&Sha256::digest(text.as_bytes()))
}
