//! Incidents as the API shows them, and lists of them.

use hindcast_api as api;
use hindcast_api::{Page, Problem};
use hindcast_domain::catalog::Topology;
use hindcast_domain::incident::Incident;
use hindcast_queries::IncidentFilter;

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::project::load::{partition_of, read_member};
use crate::project::tally::{StoredMember, Tally};
use crate::store::keys::{DocumentKind, List};

/// A filter with what has to be looked up once.
struct WantedIncidents {
    filter: IncidentFilter,
    /// The service's names: as it was asked for, and its one name in the catalogue.
    services: Vec<String>,
    words: Vec<String>,
}

impl Reader {
    /// An incident's fold without its members, and its environment.
    pub(crate) fn incident_fold(&self, id: &str) -> Result<Option<(String, Incident)>, Error> {
        let Some(document) = self.store.document(DocumentKind::Incident, id, self.at)? else {
            return Ok(None);
        };
        let (partition, incident) = document.read::<Incident>("an incident")?;
        Ok(Some((partition, incident)))
    }

    /// An incident's members: (fingerprint, membership).
    pub(crate) fn members(&self, id: &str) -> Result<Vec<(String, StoredMember)>, Error> {
        let prefix = format!("{id}\u{1}");
        let mut members = Vec::new();
        for (id, document) in self.store.documents(DocumentKind::Member, &prefix, self.at)? {
            if let Some((fingerprint, member)) = read_member(&id, &document.value)? {
                members.push((fingerprint.to_string(), member));
            }
        }
        Ok(members)
    }

    /// An incident as the API shows it, by its whole id.
    pub(crate) fn incident(&self, id: &str) -> Result<Option<api::Incident>, Error> {
        let Some((partition, incident)) = self.incident_fold(id)? else {
            return Ok(None);
        };
        let mut shown = self.show_incident(&partition, incident)?;
        shown.shadow = self.shadow_of(id)?;
        Ok(Some(shown))
    }

    pub(super) fn tally(&self, id: &str) -> Result<Tally, Error> {
        let Some(document) = self.store.document(DocumentKind::Tally, id, self.at)? else {
            return Ok(Tally::default());
        };
        let tally: Tally =
            serde_json::from_slice(&document.value).map_err(|source| Error::Json { expected: "a tally", source })?;
        Ok(Tally { occurrences: tally.occurrences + self.repeats(id)?.count, ..tally })
    }

    fn show_incident(&self, partition: &str, incident: Incident) -> Result<api::Incident, Error> {
        let tally = self.tally(incident.id.as_str())?;
        let url = format!("{}/{}", self.public_url, incident.id);
        let (alerts, firing, occurrences) = (tally.alerts, tally.firing, tally.occurrences);
        let shown = api::Incident::of(incident, partition_of(partition)?.environment, url);
        Ok(api::Incident { alerts, firing, occurrences, ..shown })
    }

    /// A page of incidents, newest first.
    pub(crate) fn incidents(&self, filter: IncidentFilter, asked: &PageBounds) -> Result<Page<api::Incident>, Problem> {
        let wanted = self.wanted(filter)?;
        Ok(self.newest(List::Incidents, asked, |id, _| {
            let Some((partition, incident)) = self.incident_fold(id)? else {
                return Ok(None);
            };
            if !self.is_wanted(&wanted, &partition, &incident)? {
                return Ok(None);
            }
            self.show_incident(&partition, incident).map(Some)
        })?)
    }

    fn wanted(&self, filter: IncidentFilter) -> Result<WantedIncidents, Error> {
        let mut services = Vec::new();
        if let Some(service) = &filter.service {
            let topology = Topology::new(&self.catalog()?);
            services.extend(topology.resolve(service).map(ToOwned::to_owned));
            services.push(service.clone());
        }
        let words = filter.q.iter().flat_map(|q| q.split_whitespace()).map(str::to_lowercase).collect();
        Ok(WantedIncidents { filter, services, words })
    }

    fn is_wanted(&self, wanted: &WantedIncidents, partition: &str, incident: &Incident) -> Result<bool, Error> {
        let filter = &wanted.filter;
        let any = |empty: bool, found: bool| empty || found;
        let environment = || partition.split_once('/').map_or("", |(_, environment)| environment);
        let plain = any(filter.status.is_empty(), filter.status.contains(&incident.status))
            && any(filter.severity.is_empty(), filter.severity.contains(&incident.severity))
            && any(filter.service.is_none(), wanted.services.iter().any(|name| incident.services.contains(name)))
            && filter.since.is_none_or(|since| incident.opened_at >= since)
            && filter.until.is_none_or(|until| incident.opened_at < until)
            && filter.environment.as_deref().is_none_or(|wanted| wanted == environment());
        Ok(plain && self.says_all(&wanted.words, incident)?)
    }

    /// Whether all words stand in what is said of an incident.
    fn says_all(&self, words: &[String], incident: &Incident) -> Result<bool, Error> {
        if words.is_empty() {
            return Ok(true);
        }
        let services = incident.services.iter().map(String::as_str);
        let texts = [Some(incident.title.as_str()), incident.cause.as_deref(), incident.resolution.as_deref()];
        let said: String = texts.into_iter().flatten().chain(services).collect::<Vec<_>>().join("\n").to_lowercase();
        let missing: Vec<&String> = words.iter().filter(|word| !said.contains(word.as_str())).collect();
        if missing.is_empty() {
            return Ok(true);
        }
        // Members are read only where the incident's own words do not suffice.
        let names: Vec<String> =
            self.members(incident.id.as_str())?.into_iter().map(|(_, member)| member.name.to_lowercase()).collect();
        Ok(missing.into_iter().all(|word| names.iter().any(|name| name.contains(word.as_str()))))
    }
}
