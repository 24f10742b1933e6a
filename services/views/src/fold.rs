//! The folds: what recorded decisions make of alerts, incidents, silences and notices. The projector keeps
//! them beside the documents; a replay makes them afresh. Pure: refuses to know a store, a clock or a ledger.

use hindcast_domain::events;
use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::alert::Alert;
use hindcast_domain::book::Book;
use hindcast_domain::canonical::{self, EntityDigest};
use hindcast_domain::event::{Kind, Recorded};
use hindcast_domain::incident::Incident;
use hindcast_domain::label::{Label, Labels};
use hindcast_domain::model::{Aliases, InForce};
use hindcast_domain::notice::Notices;
use hindcast_domain::silence::{Silence, Silences};
use hindcast_domain::{Event, Fingerprint, IncidentId, LabelId, NoticeId, Partition, SilenceId};

/// All folds of a ledger. Everything that is alive in it is held in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folds {
    /// Alerts and incidents.
    pub(crate) books: BTreeMap<Partition, Book>,
    pub(crate) silences: BTreeMap<Partition, Silences>,
    pub(crate) notices: Notices,
    pub(crate) labels: BTreeMap<Partition, Labels>,
    /// Which version of each model is in force.
    pub(crate) aliases: BTreeMap<Partition, Aliases>,
}

/// What the types of events begin with that no fold reads: they are facts, and no notice's.
const UNREAD: [&str; 6] = ["intake.", "finding.", "evidence.", "conversation.", "proposal.", "shadow."];

/// Whether some fold may read events of a type.
pub(crate) fn reads(kind: &str) -> bool {
    !UNREAD.iter().any(|family| kind.starts_with(family))
}

/// Digests by fold and partition, then by id: there is one for each alert that ever was.
pub(crate) type DigestsByFold = BTreeMap<(&'static str, String), BTreeMap<Box<str>, EntityDigest>>;

/// The state hash over digests.
pub(crate) fn hash_of(digests: &DigestsByFold) -> String {
    canonical::sorted_state_hash(digests.iter().flat_map(|((fold, partition), ids)| {
        ids.iter().map(move |(id, digest)| ((*fold, partition.as_str(), &**id), digest))
    }))
}

/// What an event changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Alerts whose state it changed.
    pub(crate) alerts: BTreeSet<Fingerprint>,
    /// Incidents that it is about, or whose alerts it is about.
    pub(crate) incidents: BTreeSet<IncidentId>,
    /// The silence that it is about.
    pub(crate) silence: Option<SilenceId>,
    /// The notice that it is about.
    pub(crate) notice: Option<NoticeId>,
    /// The label that it is about.
    pub(crate) label: Option<LabelId>,
    /// The model whose version in force it changes.
    pub(crate) alias: Option<String>,
}

/// What the state hash covers.
enum HashedEntity<'a> {
    Alert(&'a Alert),
    Incident(&'a Incident),
    Silence(&'a Silence),
    Label(&'a Label),
    Alias(&'a InForce),
}

impl HashedEntity<'_> {
    fn digest(&self) -> EntityDigest {
        match self {
            Self::Alert(alert) => canonical::digest(alert),
            Self::Incident(incident) => canonical::digest(incident),
            Self::Silence(silence) => canonical::digest(silence),
            Self::Label(label) => label.digest(),
            Self::Alias(alias) => canonical::digest(alias),
        }
    }
}

impl Folds {
    /// Folds one recorded event. Alerts, incidents and silences follow from decisions alone; notices from
    /// what became of them too.
    pub(crate) fn evolve(&mut self, recorded: &Recorded) -> Changed {
        let mut changed = Changed::default();
        if self.notices.evolve(recorded) {
            changed.notice = recorded.subject.parse().ok();
            return changed;
        }
        if recorded.event.kind() == Kind::Intake {
            return changed;
        }
        if is_silence(&recorded.event) {
            let silences = self.silences.entry(recorded.partition.clone()).or_default();
            silences.evolve(recorded);
            changed.silence = recorded.subject.parse().ok().filter(|id| silences.0.contains_key(id));
            return changed;
        }
        if matches!(recorded.event, Event::LabelGiven(_) | Event::LabelRetracted(_)) {
            changed.label = self.labels.entry(recorded.partition.clone()).or_default().evolve(recorded);
            return changed;
        }
        if matches!(recorded.event, Event::ModelPromoted(_) | Event::ModelRolledBack(_)) {
            let aliases = self.aliases.entry(recorded.partition.clone()).or_default();
            changed.alias = aliases.evolve(recorded).then(|| recorded.subject.clone());
            return changed;
        }
        if !self.books.contains_key(&recorded.partition) {
            self.books.insert(recorded.partition.clone(), Book::default());
        }
        let Some(book) = self.books.get_mut(&recorded.partition) else { return changed };
        let touched = book.evolve(recorded);
        changed.alerts.extend(touched.alerts);
        changed.incidents.extend(touched.incidents.into_iter().filter(|id| book.incidents.contains_key(id)));
        changed
    }

    /// The digest of every entity that the state hash covers.
    pub(crate) fn digests(&self) -> DigestsByFold {
        let mut digests = DigestsByFold::new();
        self.each(|fold, partition, id, entity| {
            let of = digests.entry((fold, partition.to_string())).or_default();
            of.insert(id.into(), entity.digest());
        });
        digests
    }

    fn each<'a>(&'a self, mut visit: impl FnMut(&'static str, &Partition, &str, HashedEntity<'a>)) {
        for (partition, book) in &self.books {
            let alerts = book.alerts.iter();
            alerts.for_each(|(id, alert)| visit("alerts", partition, id.as_str(), HashedEntity::Alert(alert)));
            let incidents = book.incidents.iter();
            incidents.for_each(|(id, it)| visit("incidents", partition, id.as_str(), HashedEntity::Incident(it)));
        }
        for (partition, silences) in &self.silences {
            let all = silences.0.iter();
            all.for_each(|(id, silence)| visit("silences", partition, id.as_str(), HashedEntity::Silence(silence)));
        }
        for (partition, labels) in &self.labels {
            let all = labels.0.iter();
            all.for_each(|(id, label)| visit("labels", partition, id.as_str(), HashedEntity::Label(label)));
        }
        for (partition, aliases) in &self.aliases {
            let all = aliases.0.iter();
            all.for_each(|(name, alias)| visit("aliases", partition, name, HashedEntity::Alias(alias)));
        }
    }

    pub(crate) fn state_hash(&self) -> String {
        hash_of(&self.digests())
    }
}

const fn is_silence(event: &Event) -> bool {
    matches!(event, Event::SilenceCreated(_) | Event::SilenceStarted(_) | Event::SilenceEnded(_))
}

/// The alerts that an incident's event names as joining, leaving or moving.
pub(crate) fn movers(event: &Event) -> &[Fingerprint] {
    match event {
        Event::IncidentOpened(opened) => std::slice::from_ref(&opened.fingerprint),
        Event::IncidentAlertJoined(joined) => std::slice::from_ref(&joined.fingerprint),
        Event::IncidentMerged(merged) => &merged.fingerprints,
        Event::IncidentSplit(split) => &split.fingerprints,
        Event::IncidentUndone(undone) => &undone.fingerprints,
        Event::IncidentDeclared(_)
        | events! { intake, finding, conversation, proposal, label, model, chat, alert, silence, control, notice, incident_status, care } => {
            &[]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A replay does not take these events apart, so none of them may change what it compares.
    #[test]
    fn what_a_replay_passes_over_no_fold_reads() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/events/fixtures");
        let (mut passed, mut read) = (0, 0);
        for file in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let hindcast_events::Decoded::Known(envelope) = hindcast_events::decode(&bytes).unwrap() else {
                panic!("a fixture of ours is known")
            };
            let recorded = envelope.at(1, &Partition::of_environment("production"));
            if reads(recorded.event.type_name()) {
                read += 1;
                continue;
            }
            let mut folds = Folds::default();
            let empty = folds.state_hash();
            assert_eq!(folds.evolve(&recorded), Changed::default(), "{}", recorded.event.type_name());
            assert_eq!((folds.state_hash(), recorded.event.kind()), (empty, Kind::Intake));
            passed += 1;
        }
        assert!(passed > 20 && read > 20, "{passed} are passed over, {read} are read");
    }
}
