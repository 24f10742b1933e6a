//! A conclusion about one incident as of one position: evidence, causes, and what it was like before. Drawn once for
//! all who ask of the same position, since the page, the answer and the proposals all start from it, and kept: of a
//! position nothing else can ever be concluded. What was drawn without all of the memory is kept for a moment only.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hindcast_advice::gather;
use hindcast_api::{Causes, Problem, SimilarPage};
use hindcast_domain::catalog::Topology;
use hindcast_queries::Snapshot;
use hindcast_rca::{self as cause, Evidence};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::Rca;

/// How long a conclusion is kept that was drawn before the memory had reached its position.
const INCOMPLETE_KEPT: Duration = Duration::from_secs(1);
/// Conclusions that are kept; each holds the evidence of one incident.
const KEPT_MAX: usize = 32;

/// What was concluded.
#[derive(Clone, Debug)]
pub(crate) struct Conclusion {
    /// What it rests on.
    pub(crate) evidence: Evidence,
    /// What may have been the cause.
    pub(crate) causes: Causes,
    /// What it was like before.
    pub(crate) similar: SimilarPage,
    /// Whether the memory could be searched and had reached the position.
    whole: bool,
}

/// A conclusion that is being drawn, or was drawn. Whoever asks for the same meanwhile waits for it.
#[derive(Clone)]
pub(crate) struct Drawn {
    began: Instant,
    conclusion: Arc<OnceCell<Arc<Conclusion>>>,
}

impl Drawn {
    fn is_kept(&self) -> bool {
        let is_being_drawn = Arc::strong_count(&self.conclusion) > 1;
        let whole = self.conclusion.get().is_some_and(|conclusion| conclusion.whole);
        is_being_drawn || whole || self.began.elapsed() < INCOMPLETE_KEPT
    }
}

/// Conclusions by incident and position.
pub(crate) type Conclusions = BTreeMap<(String, u64), Drawn>;

impl Rca {
    /// Concludes about an incident; the newest where none is named.
    pub(crate) async fn conclude(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Arc<Conclusion>, Problem> {
        let incident = seen.incident(incident).await?.id;
        let cell = self.drawn(&incident, seen.position());
        let drawn = cell.get_or_try_init(|| async { self.draw(seen, &incident).await.map(Arc::new) }).await?;
        Ok(Arc::clone(drawn))
    }

    async fn draw(&self, seen: &Snapshot, incident: &str) -> Result<Conclusion, Problem> {
        let evidence = gather::evidence(seen, Some(incident)).await?;
        let topology = Topology::new(&seen.catalog().await?.with_confirmed(&seen.links().await?));
        // What it looks like by itself is what is compared; what the past turned out to be then counts too.
        let alone = cause::rank(&evidence, &topology, &[]);
        let (similar, searched) = self.similar_to(&evidence, &alone).await;
        let mut causes = cause::rank(&evidence, &topology, &similar.items);
        causes.behind = similar.behind;
        let whole = searched && similar.behind.is_none();
        self.inner.options.metrics.count("hindcast_rca_ranked_total", &[], 1.0);
        Ok(Conclusion { evidence, causes, similar, whole })
    }

    /// The place of a conclusion; of those that are kept the oldest are let go.
    fn drawn(&self, incident: &str, position: u64) -> Arc<OnceCell<Arc<Conclusion>>> {
        let mut drawn = self.inner.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.retain(|_, drawn| drawn.is_kept());
        let key = (incident.to_owned(), position);
        if !drawn.contains_key(&key) && drawn.len() >= KEPT_MAX {
            let oldest = drawn.iter().min_by_key(|(_, drawn)| drawn.began).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| drawn.remove(&oldest));
        }
        let fresh = || Drawn { began: Instant::now(), conclusion: Arc::default() };
        Arc::clone(&drawn.entry(key).or_insert_with(fresh).conclusion)
    }
}
