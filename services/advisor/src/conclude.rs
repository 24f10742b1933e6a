//! A conclusion about one incident as of one position: evidence, causes, and what it was like before. Drawn
//! once for all who ask at the same time, since the page, the answer and the proposals all start from it; and
//! not kept for longer, since the memory may have been behind.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hindcast_advice::gather;
use hindcast_api::{AsOf, Causes, Problem, SimilarPage};
use hindcast_domain::catalog::Topology;
use hindcast_rca::{self as cause, Evidence};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::Rca;

/// How long a conclusion is kept for others.
const KEPT: Duration = Duration::from_secs(1);

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

/// A conclusion that is being drawn, or was a moment ago. Whoever asks for the same meanwhile waits for it.
#[derive(Clone)]
pub(crate) struct Drawn {
    began: Instant,
    conclusion: Arc<OnceCell<Arc<Conclusion>>>,
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
        let incident = queries.incident(incident, Some(AsOf::Position(position))).await?.id;
        let cell = self.drawn(&incident, position);
        let drawn = cell.get_or_try_init(|| async { self.draw(&incident, position).await.map(Arc::new) }).await?;
        Ok(Arc::clone(drawn))
    }

    async fn draw(&self, incident: &str, position: u64) -> Result<Conclusion, Problem> {
        let queries = self.inner.options.queries.as_ref();
        let then = Some(AsOf::Position(position));
        let evidence = gather::evidence(queries, Some(incident), then).await?;
        let topology = Topology::new(&queries.catalog(then).await?);
        // What it looks like by itself is what is compared; what the past turned out to be then counts too.
        let alone = cause::rank(&evidence, &topology, &[]);
        let similar = self.similar_to(&evidence, &alone).await;
        let causes = cause::rank(&evidence, &topology, &similar.items);
        Ok(Conclusion { evidence, causes, similar })
    }

    /// The place of a conclusion; those that were drawn longer ago are let go.
    fn drawn(&self, incident: &str, position: u64) -> Arc<OnceCell<Arc<Conclusion>>> {
        let mut drawn = self.inner.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.retain(|_, drawn| drawn.began.elapsed() < KEPT);
        let fresh = || Drawn { began: Instant::now(), conclusion: Arc::default() };
        Arc::clone(&drawn.entry((incident.to_owned(), position)).or_insert_with(fresh).conclusion)
    }
}
