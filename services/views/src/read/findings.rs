//! What detectors found, by when it began, and which services were ever seen.

use std::collections::BTreeSet;

use hindcast_api::{Finding, Page, Problem};
use hindcast_domain::{Event, Time};
use hindcast_ledger::commit;
use hindcast_queries::FindingFilter;

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::limits::FINDINGS_READ_MAX;
use crate::store::keys::{self, DocumentKind};

impl Reader {
    /// A page of findings, newest first by when they began. A page goes on behind a count, since many may
    /// have begun at one moment.
    pub(crate) fn findings(&self, filter: &FindingFilter, asked: &PageBounds) -> Result<Page<Finding>, Problem> {
        let from = filter.since.map_or(i64::MIN, |since| since.nanos());
        let to = filter.until.map_or(i64::MAX, |until| until.nanos().saturating_sub(1));
        let skip = asked.after.unwrap_or(0);
        let mut seen = 0;
        let mut found = Vec::new();
        for (position, environment) in self.store.findings(from, to, self.at, FINDINGS_READ_MAX)? {
            if filter.environment.as_ref().is_some_and(|wanted| *wanted != environment) {
                continue;
            }
            let Some(finding) = self.finding(position, environment)? else { continue };
            if filter.service.as_ref().is_some_and(|wanted| *wanted != finding.finding.service) {
                continue;
            }
            seen += 1;
            if seen <= skip {
                continue;
            }
            if found.len() == asked.limit {
                return Ok(self.cut(found, Some(seen - 1)));
            }
            found.push(finding);
        }
        Ok(self.cut(found, None))
    }

    fn finding(&self, position: u64, environment: String) -> Result<Option<Finding>, Error> {
        let Some(recorded) = self.recorded(position)? else { return Ok(None) };
        let Event::FindingRaised(finding) = recorded.event else { return Ok(None) };
        let recorded_at = self.store.recorded_at(commit::seq_of(position))?;
        Ok(Some(Finding {
            id: recorded.subject,
            event: recorded.id.to_string(),
            position,
            recorded_at: recorded_at.map_or(Time::ZERO, Time::from_nanos),
            environment,
            finding,
        }))
    }

    /// Services of an environment that were ever seen, and those of the catalogue.
    pub(crate) fn watched(&self, environment: &str) -> Result<Vec<String>, Error> {
        let prefix = keys::watched(environment, "");
        let seen = self.store.ids(DocumentKind::Watched, &prefix, self.at, FINDINGS_READ_MAX)?;
        let mut services: BTreeSet<String> =
            seen.iter().filter_map(|id| id.strip_prefix(&prefix)).map(ToOwned::to_owned).collect();
        services.extend(self.catalog()?.services.into_iter().map(|service| service.name));
        Ok(services.into_iter().collect())
    }
}
