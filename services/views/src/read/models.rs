//! Versions of models as of a position: what they were learnt from, how they were judged, which one decides, and
//! what a shadow would have done otherwise.

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_api as api;
use hindcast_api::{Code, ModelStatus, Page, Problem};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::model::Placed;
use hindcast_domain::{Event, event::Recorded};
use hindcast_mlops::status::VersionStatuses;
use hindcast_mlops::train;

use super::{PageBounds, Reader};
use crate::error::Error;
use crate::store::keys::{self, DocumentKind, MentionIndex, PackedIndex};

/// Words of a shadow that are looked at, the newest.
const PLACED_MAX: usize = 20_000;
/// Members of an incident of which a shadow's word is looked for.
const MEMBERS_MAX: usize = 500;
/// Incidents in which a shadow differs that are told.
const DIFFERS_MAX: usize = 50;
/// Alerts that one difference names.
const NAMED_MAX: usize = 20;

/// What was decided about versions up to a position.
#[derive(Default)]
struct DecidedModel {
    statuses: VersionStatuses,
    /// Since when the version in force is, and why; `None` where none was promoted.
    in_force: Option<(Recorded, String)>,
    /// Versions that were in force once, with why they are not any more.
    left: BTreeMap<u32, String>,
    /// Versions that ran as one, with where they began.
    shadowed: BTreeMap<u32, u64>,
}

impl Reader {
    /// A page of versions, newest first.
    pub(crate) fn models(&self, asked: &PageBounds) -> Result<Page<api::ModelVersion>, Problem> {
        let decided = self.decided()?;
        let mut versions = Vec::new();
        for recorded in self.of_type("model.registered")? {
            if let Some(version) = self.version(&recorded, &decided)? {
                versions.push(version);
            }
        }
        versions.push(self.by_hand(&decided)?);
        versions.sort_by(|a, b| (&a.name, b.version).cmp(&(&b.name, a.version)));
        let after = asked.after.map_or(u64::MAX, |after| after);
        let mut found: Vec<_> = versions.into_iter().filter(|version| u64::from(version.version) < after).collect();
        let more = found.len() > asked.limit;
        found.truncate(asked.limit);
        for version in &mut found {
            version.card = None;
        }
        let last = found.last().map(|version| u64::from(version.version)).filter(|_| more);
        Ok(self.cut(found, last))
    }

    /// One version with its card; the one in force where none is named.
    pub(crate) fn model(&self, name: &str, version: Option<u32>) -> Result<api::ModelVersion, Problem> {
        let missing = |what: String| {
            Problem::new(Code::NotFound, format!("expected a version of a model, found none for {what:?}"))
                .remedy("List them with: hindcast models list")
        };
        if name != PAIR_SCORER {
            return Err(missing(name.to_owned()));
        }
        let decided = self.decided()?;
        let number = version.unwrap_or_else(|| decided.statuses.in_force());
        let mut found = if number == 1 {
            Some(self.by_hand(&decided)?)
        } else {
            let subject = format!("{PAIR_SCORER}/{number}");
            let registered = self.of_type("model.registered")?.into_iter().find(|one| one.subject == subject);
            registered.map(|registered| self.version(&registered, &decided)).transpose()?.flatten()
        };
        if let Some(found) = &mut found
            && let Some(from) = decided.shadowed.get(&number)
        {
            found.shadow = Some(self.shadow_report(number, *from)?);
        }
        found.ok_or_else(|| missing(format!("{name} {number}")))
    }

    /// Events of a type, oldest first.
    fn of_type(&self, kind: &str) -> Result<Vec<Recorded>, Error> {
        let mut found = Vec::new();
        for mention in self.store.packed(PackedIndex::Type, kind, 0, self.at) {
            found.extend(self.recorded(mention?.position)?);
        }
        Ok(found)
    }

    fn decided(&self) -> Result<DecidedModel, Error> {
        let mut all = Vec::new();
        for kind in ["model.promoted", "model.rolled_back", "model.shadowed", "model.unshadowed"] {
            all.extend(self.of_type(kind)?);
        }
        all.sort_by_key(|recorded| recorded.position);
        let mut decided = DecidedModel::default();
        for recorded in all {
            decided.statuses.evolve(&recorded.event);
            match &recorded.event {
                Event::ModelPromoted(promoted) => {
                    decided.left.insert(promoted.previous, format!("version {} was promoted", promoted.version));
                    let why = format!("promoted by {}", recorded.actor);
                    decided.in_force = Some((recorded, why));
                }
                Event::ModelRolledBack(back) => {
                    decided.left.insert(back.from, format!("rolled back by {}: {}", recorded.actor, back.why));
                    let why = format!("version {} was rolled back: {}", back.from, back.why);
                    decided.in_force = Some((recorded, why));
                }
                Event::ModelShadowed(shadowed) => {
                    decided.shadowed.insert(shadowed.version, shadowed.from);
                }
                Event::ModelUnshadowed(_)
                | Event::ModelRegistered(_)
                | Event::ModelJudged(_)
                | Event::ShadowPlaced(_)
                | events! { intake, finding, conversation, proposal, label, chat, alert, incident, silence, control, notice } =>
                    {}
            }
        }
        Ok(decided)
    }

    /// The version that people set, which needs no event.
    fn by_hand(&self, decided: &DecidedModel) -> Result<api::ModelVersion, Error> {
        let rules = self.section("correlation")?;
        let weights = rules.and_then(|rules| serde_json::from_value(rules.content.get("weights")?.clone()).ok());
        let weights = GroupingWeights { version: 1, ..weights.unwrap_or_default() };
        let mut version = api::ModelVersion {
            name: PAIR_SCORER.to_owned(),
            version: 1,
            status: ModelStatus::Retired,
            hash: None,
            lineage: None,
            weights: train::to_map(&weights),
            metrics: BTreeMap::new(),
            judged: Vec::new(),
            registered_at: None,
            registered_by: None,
            event: None,
            in_force_since: None,
            why: None,
            shadow: None,
            card: Some(format!("# {PAIR_SCORER} 1\n\nThe weights that people set, in the section `correlation`.\n")),
        };
        state(&mut version, decided);
        Ok(version)
    }

    fn version(&self, recorded: &Recorded, decided: &DecidedModel) -> Result<Option<api::ModelVersion>, Error> {
        let Event::ModelRegistered(registered) = &recorded.event else { return Ok(None) };
        let mut judged = Vec::new();
        for one in self.of_type("model.judged")?.into_iter().filter(|one| one.subject == recorded.subject) {
            let Event::ModelJudged(judgement) = one.event else { continue };
            judged.push(api::ModelJudgement {
                against: judgement.against,
                verdict: judgement.verdict,
                reasons: judgement.reasons,
                at: one.time,
                event: one.id.to_string(),
                report: judgement.report,
            });
        }
        let mut version = api::ModelVersion {
            name: registered.name.clone(),
            version: registered.version,
            status: ModelStatus::Candidate,
            hash: Some(registered.hash.clone()),
            lineage: Some(registered.lineage.clone()),
            weights: registered.weights.clone(),
            metrics: registered.metrics.clone(),
            judged,
            registered_at: Some(recorded.time),
            registered_by: Some(recorded.actor.clone()),
            event: Some(recorded.id.to_string()),
            in_force_since: None,
            why: None,
            shadow: None,
            card: Some(registered.card.clone()),
        };
        state(&mut version, decided);
        Ok(Some(version))
    }

    // ── shadows ────────────────────────────────────────────────────────────────────────────────────

    /// What the version that runs as a shadow would have done otherwise with an incident.
    pub(crate) fn shadow_of(&self, incident: &str) -> Result<Option<api::ShadowDifference>, Error> {
        let Some(version) = self.decided()?.statuses.shadow() else { return Ok(None) };
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (fingerprint, _) in self.members(incident)?.into_iter().take(MEMBERS_MAX) {
            let id = keys::shadowed(&fingerprint);
            for mention in self.store.about(MentionIndex::Subject, &id, self.at).rev() {
                let placed = self.recorded(mention?.position)?;
                if let Some(Event::ShadowPlaced(placed)) = placed.map(|placed| placed.event)
                    && placed.version == version
                {
                    groups.entry(placed.group).or_default().push(fingerprint.clone());
                    break;
                }
            }
        }
        Ok(difference(incident, version, &groups, &BTreeSet::new()))
    }

    fn shadow_report(&self, version: u32, from: u64) -> Result<api::ShadowReport, Error> {
        let mut report = api::ShadowReport { from, ..api::ShadowReport::default() };
        let mut newest: BTreeMap<String, Placed> = BTreeMap::new();
        let mut seen = 0;
        for mention in self.store.packed(PackedIndex::Type, "shadow.placed", 0, self.at).rev().take(PLACED_MAX) {
            let Some(recorded) = self.recorded(mention?.position)? else { continue };
            let Event::ShadowPlaced(placed) = recorded.event else { continue };
            if placed.version != version {
                continue;
            }
            seen += 1;
            report.through = report.through.max(placed.at);
            newest.entry(placed.alert.to_string()).or_insert(placed);
        }
        report.placed = seen;
        // Where each alert is, and where the shadow would have it.
        let mut both: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (fingerprint, placed) in newest {
            let Some(document) = self.store.document(DocumentKind::Alert, &fingerprint, self.at)? else { continue };
            let (_, alert) = document.read::<hindcast_domain::alert::Alert>("an alert")?;
            if let Some(home) = alert.incident {
                both.entry((home.to_string(), placed.group)).or_default().push(fingerprint);
            }
        }
        let pairs = |count: usize| u32::try_from(count * count.saturating_sub(1) / 2).unwrap_or(u32::MAX);
        let (mut homes, mut groups) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
        let mut agreed = 0;
        for ((home, group), alerts) in &both {
            *homes.entry(home).or_default() += alerts.len();
            *groups.entry(group).or_default() += alerts.len();
            agreed += pairs(alerts.len());
        }
        report.would_part = homes.values().map(|count| pairs(*count)).sum::<u32>().saturating_sub(agreed);
        report.would_join = groups.values().map(|count| pairs(*count)).sum::<u32>().saturating_sub(agreed);
        let mut of: BTreeMap<&str, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for ((home, group), alerts) in &both {
            of.entry(home).or_default().insert(group.clone(), alerts.clone());
        }
        for (home, groups) in &of {
            let others = both.keys().filter(|(other, group)| other != home && groups.contains_key(group));
            let with: BTreeSet<String> = others.map(|(other, _)| other.clone()).collect();
            report.differs.extend(difference(home, version, groups, &with));
        }
        report.differs.truncate(DIFFERS_MAX);
        Ok(report)
    }
}

fn state(version: &mut api::ModelVersion, decided: &DecidedModel) {
    version.status = decided.statuses.of(version.version);
    match (version.status, &decided.in_force) {
        (ModelStatus::InForce, Some((recorded, why))) => {
            version.in_force_since = Some(recorded.time);
            version.why = Some(why.clone());
        }
        (ModelStatus::InForce, None) => {
            version.why = Some("the default weights; no other version was promoted".to_owned());
        }
        (ModelStatus::Retired, _) => version.why = decided.left.get(&version.version).cloned(),
        (ModelStatus::Shadow | ModelStatus::Candidate, _) => {}
    }
}

/// In words; `None` where the shadow would have done the same.
fn difference(
    incident: &str,
    version: u32,
    groups: &BTreeMap<String, Vec<String>>,
    with: &BTreeSet<String>,
) -> Option<api::ShadowDifference> {
    let all: usize = groups.values().map(Vec::len).sum();
    let largest = groups.iter().max_by_key(|(name, alerts)| (alerts.len(), std::cmp::Reverse((*name).clone())))?.0;
    let apart: Vec<String> =
        groups.iter().filter(|(name, _)| *name != largest).flat_map(|(_, alerts)| alerts.clone()).collect();
    let mut words = Vec::new();
    if !apart.is_empty() {
        words.push(format!("would keep {} of {all} alerts apart", apart.len()));
    }
    if !with.is_empty() {
        let named: Vec<&str> = with.iter().take(3).map(String::as_str).collect();
        words.push(format!("would put them with alerts of {}", named.join(", ")));
    }
    (!words.is_empty()).then(|| api::ShadowDifference {
        incident: incident.to_owned(),
        version,
        text: words.join("; "),
        apart: apart.into_iter().take(NAMED_MAX).collect(),
        with: with.iter().take(NAMED_MAX).cloned().collect(),
    })
}
