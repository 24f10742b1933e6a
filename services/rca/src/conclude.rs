//! A conclusion about one incident as of one position: evidence, causes, and what it was like before. Drawn
//! once and kept for a while, since the page, the answer and the proposals all start from it.

use std::sync::{Arc, PoisonError};

use hindcast_advice::gather;
use hindcast_api::{AsOf, Causes, Problem, SimilarPage};
use hindcast_domain::catalog::Topology;
use hindcast_reason::{Evidence, cause};

use crate::Rca;

/// Conclusions that are kept.
const KEPT_MAX: usize = 64;

/// What was concluded.
#[derive(Clone, Debug)]
pub(crate) struct Conclusion {
    /// What it rests on.
    pub(crate) evidence: Evidence,
    /// What may have been the cause.
    pub(crate) causes: Causes,
    /// What it was like before.
    pub(crate) similar: SimilarPage,
}

impl Rca {
    /// Concludes about an incident as of `as_of`.
    pub(crate) async fn conclude(
        &self,
        incident: Option<&str>,
        as_of: Option<AsOf>,
    ) -> Result<Arc<Conclusion>, Problem> {
        let queries = self.inner.options.queries.as_ref();
        let (position, _) = queries.moment(as_of).await?;
        let then = Some(AsOf::Position(position));
        let incident = queries.incident(incident, then).await?.id;
        let key = (incident, position);
        if let Some(known) = self.drawn().get(&key) {
            return Ok(Arc::clone(known));
        }
        let evidence = gather::evidence(queries, Some(&key.0), then).await?;
        let topology = Topology::new(&queries.catalog(then).await?);
        // What it looks like by itself is what is compared; what the past turned out to be then counts too.
        let alone = cause::rank(&evidence, &topology, &[]);
        let similar = self.similar_to(&evidence, &alone).await;
        let causes = cause::rank(&evidence, &topology, &similar.items);
        let conclusion = Arc::new(Conclusion { evidence, causes, similar });
        let mut drawn = self.drawn();
        while drawn.len() >= KEPT_MAX {
            // The oldest position is the least likely to be asked for again.
            let Some(oldest) = drawn.keys().min_by_key(|(_, position)| *position).cloned() else { break };
            drawn.remove(&oldest);
        }
        drawn.insert(key, Arc::clone(&conclusion));
        Ok(conclusion)
    }

    fn drawn(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<(String, u64), Arc<Conclusion>>> {
        self.inner.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
