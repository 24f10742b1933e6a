//! Backtests: the past is decided again with what is in force and with a candidate, and the two are compared on
//! what people said was right. Owns which past and which weights a request means; refuses to judge, which the
//! gate does.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_api::problem::Code;
use hindcast_api::{BacktestRequest, Comparison, Problem};
use hindcast_correlation::weights::GroupingWeights;
use hindcast_domain::lane::{Decider, names};
use hindcast_domain::model::Judged;
use hindcast_domain::model::PAIR_SCORER;
use hindcast_domain::{EventId, Partition};
use hindcast_engine::ENGINE_VERSION;
use hindcast_facts::NewFact;
use hindcast_ledger::{ReadError, Record, Shared, commit};
use hindcast_mlops::compare::compare;
use hindcast_mlops::gate::{self, ComparedSides, Judgement};
use hindcast_mlops::registry::BY_HAND;
use hindcast_mlops::train;
use hindcast_mlops::truth::{LabelledProblems, Quality, TruthReader};
use hindcast_training::Listener;

use crate::history::{self, Range, ReadingEnd};
use crate::known::KnownVersions;
use crate::lanes::{self, Past};
use crate::service::LearningService;
use crate::training::partition_of;
use crate::{place, refused};

/// Who is compared with whom.
struct Sides {
    champion: GroupingWeights,
    candidate: GroupingWeights,
    against: u32,
    /// SHA-256 of what it is compared with.
    against_hash: String,
    version: Option<u32>,
    /// SHA-256 of the candidate, where it is a version.
    hash: Option<String>,
    /// The last position that the candidate was learnt from; 0 where nobody knows.
    learnt_to: u64,
}

impl<D: Decider, F: Fn() -> D + Send + Sync + 'static> LearningService<F> {
    /// Decides the past again and compares; with `judge`, what the gate says becomes a fact.
    pub(crate) async fn decide_again(
        &self,
        request: &BacktestRequest,
        by: &str,
        judge: bool,
        listener: &Listener,
    ) -> Result<Comparison, Problem> {
        let (ledger, queries) = (&self.options.ledger, &self.options.queries);
        let partition = partition_of(request.environment.as_deref());
        let (last, head) = place::head(ledger).await?;
        let to = place::to(queries, request.to.as_deref(), head).await?;
        let range = |last, step: &str| Range {
            ledger: Shared::clone(ledger),
            first: 1,
            last,
            step: step.to_owned(),
            listener: listener.clone(),
        };
        let known = KnownVersions::read(&range(last, "reading versions"), &partition.tenant, to).await?;
        let sides = sides(request, &known)?;
        let from = begin(queries, request, sides.learnt_to, to).await?;
        let labels = range(commit::seq_of(to), "reading labels");
        let (truth, training) = truth(&labels, &partition, sides.learnt_to, from, to).await?;
        let intake_from = if from > to { last + 1 } else { commit::seq_of(place::warm(queries, from).await?) };
        let past = Past {
            range: range(commit::seq_of(to), &format!("deciding with {}", named(sides.version))),
            partition: partition.clone(),
            intake_from,
            to,
            compared: compared(&truth),
        };
        let decided = lanes::decide(past, &self.make, &sides.champion, &sides.candidate).await?;
        history::tell(listener, "comparing", 0, 1);
        let (inputs, hash, unpaired) = (decided.inputs, decided.hash.clone(), decided.unpaired);
        let engine = engine_changed(&decided.engines);
        let seed = request.seed.unwrap_or(1);
        let comparing = tokio::task::spawn_blocking(move || {
            let mut report = compare(&truth, &decided.champion, &decided.candidate, seed);
            // Only firings of labelled problems were kept; the others were counted as they came.
            report.unpaired = report.unpaired.max(unpaired);
            let gated = gate::judge(&Judgement { report: &report, training, learnt_to: sides.learnt_to });
            (report, gated)
        });
        let (report, gated) = comparing.await.map_err(|error| refused::ended(&error))?;
        history::tell(listener, "comparing", 1, 1);
        let event = match sides.compared().filter(|_| judge) {
            None => None,
            Some(compared) => {
                let version = compared.version;
                let judged = gate::judged(&gated, &report, compared, &partition.environment, known.environments);
                Some(self.record(&partition, by, version, judged).await?)
            }
        };
        Ok(Comparison {
            name: PAIR_SCORER.to_owned(),
            version: sides.version,
            against: sides.against,
            verdict: gated.verdict,
            reasons: gated.reasons,
            from,
            to,
            inputs,
            decided: hash,
            engine,
            report: serde_json::to_value(&report).unwrap_or_default(),
            event,
        })
    }

    async fn record(&self, partition: &Partition, by: &str, version: u32, judged: Judged) -> Result<String, Problem> {
        let fact = NewFact::new(format!("{PAIR_SCORER}/{version}"), by, judged);
        let whole = Partition::whole(&partition.tenant);
        let written = self.options.writer.submit(&whole, vec![fact]).await;
        let receipt = written.map_err(|error| refused::unwritten(&error))?;
        Ok(receipt.ids.last().map(ToString::to_string).unwrap_or_default())
    }
}

impl Sides {
    /// The two, where both are versions.
    fn compared(&self) -> Option<ComparedSides> {
        Some(ComparedSides {
            version: self.version?,
            hash: self.hash.clone()?,
            against: self.against,
            against_hash: self.against_hash.clone(),
        })
    }
}

/// Where the stretch begins: where it is asked for, or behind the labels that the candidate was learnt from.
async fn begin(
    queries: &hindcast_queries::Shared,
    request: &BacktestRequest,
    learnt_to: u64,
    to: u64,
) -> Result<u64, Problem> {
    let Some(since) = request.since.as_deref() else { return Ok(learnt_to + 1) };
    let from = place::since(queries, since, to).await?.max(1);
    if from > to {
        let detail = format!("expected a stretch that begins before its end, got {from} to {to}");
        return Err(Problem::new(Code::BadParameter, detail));
    }
    Ok(from)
}

/// Says that another engine decided the past, where one did. Commits from before engines were numbered count as 0.
fn engine_changed(engines: &BTreeSet<u32>) -> Option<String> {
    let others: Vec<String> = engines.iter().filter(|it| **it != ENGINE_VERSION).map(u32::to_string).collect();
    (!others.is_empty()).then(|| {
        format!(
            "engine changed: engine {} decided this past and engine {ENGINE_VERSION} decides it again, so outcomes are \
             compared and not decisions",
            others.join(", ")
        )
    })
}

fn named(version: Option<u32>) -> String {
    version.map_or_else(|| "weights that are not registered".to_owned(), |version| format!("version {version}"))
}

/// Who is compared with whom, by a request; weights are proven by their version's hash.
fn sides(request: &BacktestRequest, known: &KnownVersions) -> Result<Sides, Problem> {
    let refuse = |error| refused::version(&error);
    let against = request.against.unwrap_or_else(|| known.registry.in_force());
    let by_hand = known.registry.pinned_by_hand().unwrap_or(&known.by_hand);
    let champion = known.registry.weights(against, by_hand).map_err(refuse)?;
    let hash_of = |version: u32| match version {
        BY_HAND => Ok(train::hand_hash(by_hand)),
        learnt => known.registry.hash_of(learnt).map_err(refuse),
    };
    let against_hash = hash_of(against)?;
    match (request.version, &request.weights) {
        (Some(_), Some(_)) => {
            Err(Problem::new(Code::BadParameter, "expected a version or weights, got both").remedy("Name one of them."))
        }
        (None, Some(changed)) => {
            let in_force = known.registry.in_force();
            let before = known.registry.weights(in_force, by_hand).map_err(refuse)?;
            let candidate = changed_by(&before, changed)?;
            Ok(Sides { champion, candidate, against, against_hash, version: None, hash: None, learnt_to: 0 })
        }
        (version, None) => {
            let newest = known.registry.newest().map(|registered| registered.version);
            let Some(version) = version.or(newest) else {
                return Err(Problem::new(Code::NotFound, format!("no version of {PAIR_SCORER} is registered"))
                    .remedy("Train one, or name weights."));
            };
            let candidate = known.registry.weights(version, by_hand).map_err(refuse)?;
            let lineage = known.registry.registered(version).map(|registered| &registered.lineage);
            let learnt_to = lineage.map_or(0, |lineage| lineage.to);
            let hash = Some(hash_of(version)?);
            Ok(Sides { champion, candidate, against, against_hash, version: Some(version), hash, learnt_to })
        }
    }
}

/// Weights with some of them changed by name.
fn changed_by(before: &GroupingWeights, changed: &BTreeMap<String, i64>) -> Result<GroupingWeights, Problem> {
    let mut all = train::to_map(before);
    all.insert("version".to_owned(), 0);
    for (name, weight) in changed {
        match all.get_mut(name).filter(|_| name != "version") {
            Some(slot) => *slot = *weight,
            None => {
                let names: Vec<_> = all.into_keys().filter(|name| name != "version").collect();
                let detail = format!("expected weights named {}, got {name:?}", names.join(", "));
                return Err(Problem::new(Code::BadParameter, detail));
            }
        }
    }
    train::from_map(&all).map_err(|error| Problem::new(Code::BadParameter, error))
}

fn compared(truth: &LabelledProblems) -> BTreeSet<EventId> {
    let problems = truth.problems.iter().flat_map(|problem| problem.firings.iter().cloned());
    let strangers = truth.strangers.iter().flat_map(|it| std::iter::once(&it.firing).chain(it.apart.keys()).cloned());
    problems.chain(strangers).collect()
}

struct PastReading {
    reader: TruthReader,
    learnt_to: u64,
    training: Option<Quality>,
}

/// Problems that began from `from` on with labels as known at `to`, and how far the labels agreed that the
/// candidate was learnt from: both in one reading.
async fn truth(
    range: &Range,
    partition: &Partition,
    learnt_to: u64,
    from: u64,
    to: u64,
) -> Result<(LabelledProblems, Quality), ReadingEnd> {
    let of = partition.clone();
    let wants = move |subject: &hindcast_ledger::Subject, _| {
        let lane = |name| history::is_lane(subject, name);
        *subject.partition() == of && (lane(names::INCIDENTS) || lane(names::LABELS))
    };
    let take = move |reading: &mut PastReading, record: &Record| -> Result<(), ReadError> {
        let wanted = |kind: &str| kind == "alert.fired" || kind.starts_with("incident.") || kind.starts_with("label.");
        for recorded in history::events(record, wanted)? {
            if recorded.position > reading.learnt_to && reading.training.is_none() {
                reading.training = Some(reading.reader.quality());
            }
            if recorded.position <= to {
                reading.reader.see(&recorded);
            }
        }
        Ok(())
    };
    let reading = PastReading { reader: TruthReader::default(), learnt_to, training: None };
    let read = range.fold(wants, reading, take).await?;
    let grouping = tokio::task::spawn_blocking(move || {
        let training = read.training.unwrap_or_else(|| read.reader.quality());
        (read.reader.truth(from), training)
    });
    Ok(grouping.await?)
}
