//! Drafts a postmortem: what the ledger says, and what we would have said at the moments that mattered.

use hindcast_api::{AsOf, Causes, Postmortem, Problem};
use hindcast_domain::{Span, Time};
use hindcast_queries::Snapshot;

use crate::Rca;

/// How long after its opening we look again at what was known.
const LATER: Span = Span::minutes(5);

impl Rca {
    /// Writes the draft; of the newest incident where none is named. What we would have said at the moments that
    /// mattered is of their own positions, none later than the snapshot's.
    pub(crate) async fn draft(&self, seen: &Snapshot, incident: Option<&str>) -> Result<Postmortem, Problem> {
        let conclusion = self.conclude(seen, incident).await?;
        let evidence = &conclusion.evidence;
        let id = &evidence.incident.id;
        let proposals = self.all_proposals(seen, Some(id)).await?;
        let opened = evidence.incident.opened_at;
        let moments = [Some(opened), Some(opened + LATER), evidence.incident.resolved_at];
        let mut knew: Vec<(Time, Causes)> = Vec::new();
        for moment in moments.into_iter().flatten().filter(|moment| *moment <= evidence.now) {
            let known = knew.iter().any(|(at, _)| *at == moment);
            if known {
                continue;
            }
            let then = seen.earlier(AsOf::Time(moment)).await?;
            if let Ok(then) = self.conclude(&then, Some(id)).await {
                knew.push((moment, then.causes.clone()));
            }
        }
        knew.sort_by_key(|(at, _)| *at);
        let (markdown, citations) =
            hindcast_postmortem::draft(evidence, &conclusion.causes, &conclusion.similar.items, &proposals, &knew);
        Ok(Postmortem { incident: id.clone(), markdown, citations, position: evidence.position })
    }
}
