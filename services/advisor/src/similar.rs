//! Similar incidents: what lies near in the vector store, compared feature by feature.

use hindcast_api::{Causes, LIMIT_MAX, Problem, SimilarPage};
use hindcast_domain::Partition;
use hindcast_queries::{IncidentFilter, ListPart, Snapshot};
use hindcast_rca::Evidence;
use hindcast_recall::Remembered;
use hindcast_redact::Redactor;
use hindcast_vectors::{Neighbour, PointKind, Query};

use crate::Rca;
use crate::error::unavailable;

/// Neighbours that are compared.
const NEAR_MAX: usize = 50;
/// Similar incidents that are told.
const TOLD_MAX: usize = 10;

impl Rca {
    /// Incidents like the one that the evidence is about, and whether the memory could be searched. A memory that cannot
    /// be asked is said, not hidden: the page is then empty and `never_seen` is not claimed. It is not claimed of one
    /// that is behind either.
    pub(crate) async fn similar_to(&self, evidence: &Evidence, causes: &Causes) -> (SimilarPage, bool) {
        let now = hindcast_recall::remember(evidence, causes.items.first());
        let partition = Partition::of_environment(&evidence.incident.environment).to_string();
        let mut page = self.page(evidence.position, &evidence.incident.id);
        page.behind = self.inner.memory.wait_for(evidence.position).await;
        let found = self.near(&hindcast_recall::text(&now), &partition, evidence.position, &evidence.incident.id).await;
        let searched = found.is_ok();
        match found {
            Ok(found) => {
                self.compare(&mut page, &now, found);
                page.never_seen = page.behind.is_none() && !page.items.iter().any(|similar| similar.same);
            }
            Err(problem) => {
                tracing::warn!(%problem, "the memory cannot be searched");
                self.inner.options.metrics.count("hindcast_rca_memory_failures_total", &[], 1.0);
            }
        }
        (page, searched)
    }

    /// Incidents like a text.
    pub(crate) async fn recall_text(&self, seen: &Snapshot, text: &str, limit: usize) -> Result<SimilarPage, Problem> {
        let position = seen.position();
        let environments = environments(seen).await?;
        let mut page = self.page(position, "");
        page.behind = self.inner.memory.wait_for(position).await;
        let mut found: Vec<(Remembered, f32)> = Vec::new();
        for environment in environments {
            let partition = Partition::of_environment(&environment).to_string();
            let near = self.near(text, &partition, position, "").await?;
            found.extend(near.iter().filter_map(|near| Some((remembered(near)?, near.score))));
        }
        // Names that an embedder does not hear are found by their words.
        let texts: Vec<String> = found.iter().map(|(then, _)| hindcast_recall::text(then)).collect();
        let cosines: Vec<f32> = found.iter().map(|(_, cosine)| *cosine).collect();
        let scores = hindcast_similarity::Lexicon::of(texts.iter().map(String::as_str)).near(text, &cosines);
        #[allow(clippy::cast_possible_truncation)] // 0 to 1
        page.items
            .extend(found.iter().zip(scores).map(|((then, _), score)| hindcast_recall::shown(then, score as f32)));
        page.items.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.incident.cmp(&b.incident)));
        page.items.truncate(limit);
        page.never_seen = page.items.is_empty() && page.behind.is_none();
        Ok(page)
    }

    fn page(&self, position: u64, incident: &str) -> SimilarPage {
        let identity = self.inner.options.embedder.identity();
        SimilarPage {
            items: Vec::new(),
            next: None,
            position,
            incident: incident.to_owned(),
            never_seen: false,
            embedder: identity.model.clone(),
            stand_in: identity.stand_in,
            behind: None,
        }
    }

    async fn near(&self, text: &str, partition: &str, as_of: u64, without: &str) -> Result<Vec<Neighbour>, Problem> {
        let text = Redactor::default().text(text);
        let mut vectors = self.inner.options.embedder.embed(&[text]).await.map_err(|error| unavailable(&error))?;
        let vector = vectors.pop().ok_or_else(|| unavailable(&"the embedder made no vector"))?;
        let query = Query {
            kind: PointKind::Incident,
            partition: partition.to_owned(),
            as_of,
            vector,
            limit: NEAR_MAX,
            without: if without.is_empty() { Vec::new() } else { vec![without.to_owned()] },
        };
        self.inner.options.vectors.search(query).await.map_err(|error| unavailable(&error))
    }

    fn compare(&self, page: &mut SimilarPage, now: &Remembered, found: Vec<Neighbour>) {
        let past: Vec<(Remembered, f32)> =
            found.into_iter().filter_map(|found| Some((remembered(&found)?, found.score))).collect();
        let past: Vec<(Remembered, f32)> =
            past.into_iter().filter(|(then, _)| hindcast_recall::is_past(now, then)).collect();
        page.items = hindcast_recall::recall(now, &past);
        page.items.retain(|similar| similar.same || similar.score >= hindcast_recall::SHOWN_MIN);
        page.items.truncate(TOLD_MAX);
    }
}

/// Environments of the newest incidents.
async fn environments(seen: &Snapshot) -> Result<Vec<String>, Problem> {
    let incidents = seen.incidents(IncidentFilter::default(), ListPart::first(LIMIT_MAX)).await?;
    let mut environments: Vec<String> = incidents.items.into_iter().map(|incident| incident.environment).collect();
    environments.sort_unstable();
    environments.dedup();
    Ok(environments)
}

fn remembered(found: &Neighbour) -> Option<Remembered> {
    match serde_json::from_value(found.payload.clone()) {
        Ok(remembered) => Some(remembered),
        Err(error) => {
            tracing::warn!(item = %found.item, %error, "a remembered incident cannot be read; rebuild the memory");
            None
        }
    }
}
