//! Training: labels as known at a position become a version, and the version a fact. Owns what is read for it,
//! and that what was learnt already is not registered twice; refuses to fit or to judge.

use std::sync::Arc;

use hindcast_api::problem::Code;
use hindcast_api::{ModelVersion, Problem, TrainRequest};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::Partition;
use hindcast_domain::label::Labels;
use hindcast_domain::lane::{Decider, names};
use hindcast_domain::model::PAIR_SCORER;
use hindcast_facts::NewFact;
use hindcast_ledger::{ReadError, Record, Shared, commit};
use hindcast_mlops::dataset::{self, Dataset};
use hindcast_mlops::train::{self, CandidateVersion, TrainingSettings};
use hindcast_training::Listener;

use crate::Options;
use crate::history::{self, Range, ReadingEnd};
use crate::known::KnownVersions;
use crate::place;
use crate::refused;
use crate::service::LearningService;

impl<D: Decider, F: Fn() -> D + Send + Sync + 'static> LearningService<F> {
    /// Learns a version and registers it; one that was learnt already is answered as it stands.
    pub(crate) async fn learn(
        &self,
        request: &TrainRequest,
        by: &str,
        listener: &Listener,
    ) -> Result<ModelVersion, Problem> {
        let Options { ledger, queries, .. } = &self.options;
        let partition = partition_of(request.environment.as_deref());
        let (last, head) = place::head(ledger).await?;
        let to = place::to(queries, request.to.as_deref(), head).await?;
        let from = request.from.unwrap_or(0);
        let range = |last, step: &str| Range {
            ledger: Shared::clone(ledger),
            first: 1,
            last,
            step: step.to_owned(),
            listener: listener.clone(),
        };
        let known = KnownVersions::read(&range(last, "reading versions"), &partition.tenant, to).await?;
        let begun_from = known.in_force_then();
        let parent = known.registry.weights(begun_from, &known.by_hand).map_err(|error| refused::version(&error))?;
        let labels = labels(&range(commit::seq_of(to), "reading labels"), &partition, to).await?;
        let history = range(commit::seq_of(to), "reading the history of alerts");
        let dataset = dataset(&history, &partition, labels, (from, to)).await?;
        history::tell(listener, "learning", 0, 1);
        let version = known.registry.next_version();
        let settings = TrainingSettings {
            seed: request.seed.unwrap_or(1),
            code: self.options.code.clone(),
            parent: GroupingWeights { version: begun_from, ..parent },
            version,
        };
        let trainer = Arc::clone(&self.options.trainer);
        let learnt = tokio::task::spawn_blocking(move || {
            let learnt = train::train(trainer.as_ref(), &dataset, &settings);
            learnt.map_err(|error| too_few(&error, &dataset))
        });
        let candidate = learnt.await.map_err(|error| refused::ended(&error))??;
        history::tell(listener, "learning", 1, 1);
        if let Some(registered) = known.registry.by_hash(&candidate.hash) {
            return Ok(known.shown(registered));
        }
        self.register(known, &candidate, &partition, by, listener).await
    }

    async fn register(
        &self,
        known: KnownVersions,
        candidate: &CandidateVersion,
        partition: &Partition,
        by: &str,
        listener: &Listener,
    ) -> Result<ModelVersion, Problem> {
        let version = candidate.weights.version;
        let fact = NewFact::new(format!("{PAIR_SCORER}/{version}"), by, candidate.registered());
        let whole = Partition::whole(&partition.tenant);
        let receipt =
            self.options.writer.submit(&whole, vec![fact]).await.map_err(|error| refused::unwritten(&error))?;
        // Another process may have taken the number first: then ours is nobody's version.
        let range = Range {
            ledger: Shared::clone(&self.options.ledger),
            first: 1,
            last: commit::seq_of(receipt.position()),
            step: "registering".to_owned(),
            listener: listener.clone(),
        };
        let known = known.catch_up(&range, &partition.tenant).await?;
        match known.registry.registered(version) {
            Some(registered) if registered.hash == candidate.hash => Ok(known.shown(registered)),
            _ => Err(Problem::new(
                Code::Conflict,
                format!("version {version} was registered by somebody else meanwhile"),
            )
            .remedy("Train again.")),
        }
    }
}

/// The partition of a request's environment.
pub(crate) fn partition_of(environment: Option<&str>) -> Partition {
    Partition::of_environment(environment.unwrap_or(Partition::ENVIRONMENT))
}

/// Labels as they stand at `to`.
async fn labels(range: &Range, partition: &Partition, to: u64) -> Result<Labels, ReadingEnd> {
    let of = partition.clone();
    let wants = move |subject: &hindcast_ledger::Subject, _| {
        *subject.partition() == of && history::is_lane(subject, names::LABELS)
    };
    let take = move |labels: &mut Labels, record: &Record| -> Result<(), ReadError> {
        for recorded in history::events(record, |kind| kind.starts_with("label."))? {
            if recorded.position <= to {
                labels.evolve(&recorded);
            }
        }
        Ok(())
    };
    range.fold(wants, Labels::default(), take).await
}

async fn dataset(
    range: &Range,
    partition: &Partition,
    labels: Labels,
    (from, to): (u64, u64),
) -> Result<Dataset, ReadingEnd> {
    let of = partition.clone();
    let wants = move |subject: &hindcast_ledger::Subject, _| {
        let catalogue = subject.partition().is_whole() && subject.partition().tenant == of.tenant;
        (catalogue && history::is_lane(subject, names::CONTROL))
            || (*subject.partition() == of && history::is_lane(subject, names::INCIDENTS))
    };
    let take = |builder: &mut dataset::DatasetBuilder, record: &Record| -> Result<(), ReadError> {
        let wanted =
            |kind: &str| kind.starts_with("alert.") || kind.starts_with("incident.") || kind == "control.configured";
        for recorded in history::events(record, wanted)? {
            builder.see(&recorded);
        }
        Ok(())
    };
    let builder = dataset::DatasetBuilder::new(&labels, from, to);
    Ok(range.fold(wants, builder, take).await?.finish())
}

/// What is missing, in words.
fn too_few(error: &train::Error, dataset: &Dataset) -> Problem {
    let same = dataset.examples.iter().filter(|example| example.same).count();
    let apart = dataset.examples.len() - same;
    match error {
        train::Error::TooFew(_) | train::Error::OneSided => refused::too_few(format!(
            "{error}; {} labels about pairs gave {same} pairs that are one problem and {apart} that are two, {} had no \
             features in that range and {} are said both ways",
            dataset.labels, dataset.unmatched, dataset.undecided
        )),
        train::Error::NoFit(_) => Problem::new(Code::Internal, error.to_string()),
    }
}
