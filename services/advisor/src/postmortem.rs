//! Drafts a postmortem: what the ledger says, and what we would have said at the moments that mattered.

use hindcast_api::{AsOf, Causes, Postmortem, Problem};
use hindcast_domain::{Span, Time};

use crate::Rca;

/// How long after its opening we look again at what was known.
const LATER: Span = Span::minutes(5);

impl Rca {
    /// Writes the draft; the newest incident and the present where they are absent.
    pub(crate) async fn draft(&self, incident: Option<&str>, as_of: Option<AsOf>) -> Result<Postmortem, Problem> {
        let conclusion = self.conclude(incident, as_of).await?;
        let evidence = &conclusion.evidence;
        let id = &evidence.incident.id;
        let proposals = self.all_proposals(Some(id), Some(AsOf::Position(evidence.position))).await?;
        let opened = evidence.incident.opened_at;
        let moments = [Some(opened), Some(opened + LATER), evidence.incident.resolved_at];
        let mut knew: Vec<(Time, Causes)> = Vec::new();
        for moment in moments.into_iter().flatten().filter(|moment| *moment <= evidence.now) {
            let known = knew.iter().any(|(at, _)| *at == moment);
            if !known && let Ok(then) = self.conclude(Some(id), Some(AsOf::Time(moment))).await {
                knew.push((moment, then.causes.clone()));
            }
        }
        knew.sort_by_key(|(at, _)| *at);
        let (markdown, citations) =
            hindcast_postmortem::draft(evidence, &conclusion.causes, &conclusion.similar.items, &proposals, &knew);
        Ok(Postmortem { incident: id.clone(), markdown, citations, position: evidence.position })
    }
}
