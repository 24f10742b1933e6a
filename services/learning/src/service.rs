//! Training and backtests over a ledger. Owns what is read for them and what is recorded of them; how a version
//! is learnt, compared and judged is `hindcast_learn`'s.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use hindcast_api::{
    AsOf, BacktestRequest, Code, Comparison, LearnProgress, ModelStatus, ModelVersion, Problem, TrainRequest,
};
use hindcast_domain::event::{Event, Recorded};
use hindcast_domain::lane::Decider;
use hindcast_domain::model::Registered;
use hindcast_domain::{Partition, Span, Time};
use hindcast_engines::cluster::Weights;
use hindcast_events::NewEvent;
use hindcast_learn::compare::compare;
use hindcast_learn::dataset::{self, Knowledge};
use hindcast_learn::gate::{self, Judgement};
use hindcast_learn::outcome::Outcome;
use hindcast_learn::redecide::{Run, SECTION, Weighing};
use hindcast_learn::train::{self, NAME, Settings, train};
use hindcast_learn::truth;
use hindcast_learning_port::{Learning, Listener};
use hindcast_ledger::ReadError;
use hindcast_queries::Window;
use sha2::{Digest, Sha256};

use crate::Options;
use crate::read::{Part, walk};

/// How often a listener is told, in commits.
const TOLD_EVERY: u64 = 500;

/// Trains and backtests. Only one of either runs at a time: they take memory and a core.
pub struct Service<D, F> {
    options: Options,
    decider: F,
    busy: AtomicBool,
    deciders: std::marker::PhantomData<fn() -> D>,
}

impl<D: Decider, F: Fn() -> D + Send + Sync + 'static> Service<D, F> {
    /// A service that decides the past again with what `decider` makes: the decider that serves.
    pub fn new(options: Options, decider: F) -> Self {
        Self { options, decider, busy: AtomicBool::new(false), deciders: std::marker::PhantomData }
    }

    fn only_one(&self) -> Result<Busy<'_>, Problem> {
        if self.busy.swap(true, Ordering::AcqRel) {
            let problem = Problem::new(Code::Conflict, "another training or backtest runs");
            return Err(problem.remedy("Wait until it has ended, or stop it by closing its connection."));
        }
        Ok(Busy(&self.busy))
    }

    /// A position, a time, or a span back from `end` such as `30d`.
    async fn place(&self, word: &str, end: Time) -> Result<u64, Problem> {
        let as_of = match span(word) {
            Some(back) => AsOf::Time(end - back),
            None => word.parse()?,
        };
        match as_of {
            AsOf::Position(position) => Ok(position),
            AsOf::Time(_) => Ok(self.options.queries.moment(Some(as_of)).await?.0),
        }
    }

    async fn versions(&self) -> Result<Vec<ModelVersion>, Problem> {
        let window = Window { limit: Some(hindcast_api::LIMIT_MAX), ..Window::default() };
        let page = self.options.queries.models(window).await?;
        Ok(page.items.into_iter().filter(|version| version.name == NAME).collect())
    }

    /// The weights that people set, as they are in force now.
    async fn by_hand(&self) -> Result<Weights, Problem> {
        let rules = self.options.queries.configured(SECTION, None).await?;
        let weights = rules.and_then(|(_, rules)| serde_json::from_value(rules.get("weights")?.clone()).ok());
        Ok(Weights { version: 1, ..weights.unwrap_or_default() })
    }

    /// The weights of a version, proven to be those that were registered.
    async fn weights(&self, version: &ModelVersion) -> Result<Weights, Problem> {
        let (Some(hash), Some(lineage)) = (&version.hash, &version.lineage) else { return self.by_hand().await };
        let damaged = |detail: String| {
            Problem::new(Code::Unprocessable, format!("version {} cannot be loaded: {detail}", version.version))
        };
        let weights = train::from_map(&version.weights).map_err(damaged)?;
        if train::hash(&weights, lineage) != *hash {
            return Err(damaged("its weights do not give its hash".to_owned()));
        }
        Ok(weights)
    }

    async fn history(&self, partition: &Partition, to: u64, tell: &Tell) -> Result<Vec<Recorded>, Problem> {
        let mut history = Vec::new();
        let told = |done, of| tell.progress("reading what was decided and labelled", done, of);
        let keep = |event: Recorded| history.push(event);
        walk(&self.options.ledger, partition, Part::History, (0, to), told, keep).await.map_err(unread)?;
        Ok(history)
    }

    async fn write(&self, partition: &Partition, subject: String, by: &str, event: Event) -> Result<String, Problem> {
        let new = NewEvent { subject, actor: by.to_owned(), event, traceparent: None };
        let receipt = self.options.writer.submit(partition, vec![new]).await.map_err(|error| {
            Problem::new(Code::Unavailable, format!("what came of it could not be recorded: {error}"))
        })?;
        let id = receipt.ids.first().map(ToString::to_string).unwrap_or_default();
        let position = receipt.positions.last().copied().unwrap_or_default();
        // Whoever asks next finds it.
        let mut reached = self.options.queries.position();
        let seen = async { reached.wait_for(|reached| *reached >= position).await.is_ok() };
        if tokio::time::timeout(std::time::Duration::from_secs(5), seen).await.is_err() {
            tracing::debug!("the views have not reached what was recorded");
        }
        Ok(id)
    }

    /// The candidate and what it is compared with.
    async fn sides(&self, request: &BacktestRequest, versions: &[ModelVersion]) -> Result<Sides, Problem> {
        let of = |number: u32| {
            let found = versions.iter().find(|version| version.version == number);
            found.ok_or_else(|| {
                Problem::new(Code::NotFound, format!("expected a version of {NAME}, got {number}"))
                    .remedy("List them with: hindcast models list")
            })
        };
        let against = match request.against {
            Some(number) => number,
            None => versions
                .iter()
                .find(|version| version.status == ModelStatus::InForce)
                .map_or(1, |version| version.version),
        };
        let champion = weighing(against, self.weights(of(against)?).await?);
        if let Some(given) = &request.weights {
            let in_force = match &champion {
                Weighing::With(weights) => weights.clone(),
                Weighing::ByHand => self.by_hand().await?,
            };
            let mut map = train::to_map(&in_force);
            for (name, value) in given {
                if map.insert(name.clone(), *value).is_none() || name == "version" {
                    let known: Vec<_> = map.keys().filter(|known| *known != name && *known != "version").cloned().collect();
                    let detail = format!("expected weights of {}, got {name:?}", known.join(", "));
                    return Err(Problem::new(Code::Unprocessable, detail));
                }
            }
            let weights = train::from_map(&map)
                .map_err(|detail| Problem::new(Code::Unprocessable, format!("the weights make no sense: {detail}")))?;
            let weights = Weights { version: 0, ..weights };
            return Ok(Sides { version: None, against, learnt_to: 0, champion, candidate: Weighing::With(weights) });
        }
        let newest = || versions.iter().map(|version| version.version).max().filter(|newest| *newest > 1);
        let number = request.version.or_else(newest).ok_or_else(|| {
            Problem::new(Code::Unprocessable, "expected a candidate, got none: no version was learnt yet")
                .remedy("Learn one with: hindcast models train")
        })?;
        let version = of(number)?;
        Ok(Sides {
            version: Some(number),
            against,
            learnt_to: version.lineage.as_ref().map_or(0, |lineage| lineage.to),
            champion,
            candidate: weighing(number, self.weights(version).await?),
        })
    }
}

/// Both sides of a comparison.
struct Sides {
    version: Option<u32>,
    against: u32,
    learnt_to: u64,
    champion: Weighing,
    candidate: Weighing,
}

fn weighing(version: u32, weights: Weights) -> Weighing {
    if version == 1 { Weighing::ByHand } else { Weighing::With(weights) }
}

/// What is read on behalf of somebody who waits.
struct Tell(Listener);

impl Tell {
    fn progress(&self, step: &str, done: u64, of: u64) {
        if let Some(listener) = &self.0
            && (done % TOLD_EVERY < 64 || done == of)
        {
            // Whoever does not listen loses a word and nothing else.
            listener.try_send(LearnProgress { step: step.to_owned(), done, of }).ok();
        }
    }
}

/// Whoever trains or backtests; the next may when it is dropped.
struct Busy<'a>(&'a AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn unread(error: ReadError) -> Problem {
    Problem::new(Code::Unavailable, format!("the ledger could not be read: {error}"))
}

/// A span such as `30d`, `12h`, `45m`.
fn span(word: &str) -> Option<Span> {
    let (digits, unit) = word.trim().split_at_checked(word.trim().len().checked_sub(1)?)?;
    let count: i64 = digits.parse().ok().filter(|count| (0..=100_000).contains(count))?;
    match unit {
        "d" => Some(Span::hours(24 * count)),
        "h" => Some(Span::hours(count)),
        "m" => Some(Span::seconds(60 * count)),
        _ => None,
    }
}

fn partition(environment: Option<&String>) -> Partition {
    Partition::of_environment(environment.map_or(Partition::ENVIRONMENT, String::as_str))
}

fn too_few(error: &train::Error) -> Problem {
    Problem::new(Code::Unprocessable, error.to_string())
        .remedy("Label more of the past: merge, split, name causes, or judge pairs with: hindcast labels add")
}

#[async_trait]
impl<D: Decider, F: Fn() -> D + Send + Sync + 'static> Learning for Service<D, F> {
    async fn train(&self, request: TrainRequest, by: &str, listener: Listener) -> Result<ModelVersion, Problem> {
        let _busy = self.only_one()?;
        let tell = Tell(listener);
        let partition = partition(request.environment.as_ref());
        let (head, now) = self.options.queries.moment(None).await?;
        let to = match &request.to {
            Some(word) => self.place(word, now).await?.min(head),
            None => head,
        };
        let versions = self.versions().await?;
        let in_force = versions.iter().find(|version| version.status == ModelStatus::InForce);
        let parent = match in_force {
            Some(version) => self.weights(version).await?,
            None => self.by_hand().await?,
        };
        let history = self.history(&partition, to, &tell).await?;
        tell.progress("learning", 0, 0);
        let settings = Settings {
            seed: request.seed.unwrap_or(1),
            code: self.options.code.clone(),
            version: versions.iter().map(|version| version.version).max().unwrap_or(1).max(1) + 1,
            parent,
        };
        let trainer = std::sync::Arc::clone(&self.options.trainer);
        let from = request.from.unwrap_or(1);
        let learnt = tokio::task::spawn_blocking(move || {
            let scale = settings.parent.time_scale_s;
            let dataset = dataset::build(&history, from, to, scale, Knowledge::AsKnown);
            train(trainer.as_ref(), &dataset, &settings)
        });
        let learnt = learnt.await.map_err(|error| Problem::new(Code::Internal, format!("the training broke down: {error}")))?;
        let registered: Registered = learnt.map_err(|error| too_few(&error))?.registered();
        let version = registered.version;
        let tenant = Partition::whole(&partition.tenant);
        self.write(&tenant, format!("{NAME}/{version}"), by, Event::ModelRegistered(registered)).await?;
        self.options.queries.model(NAME, Some(version), None).await
    }

    async fn backtest(
        &self,
        request: BacktestRequest,
        by: &str,
        judge: bool,
        listener: Listener,
    ) -> Result<Comparison, Problem> {
        let _busy = self.only_one()?;
        let tell = Tell(listener);
        let partition = partition(request.environment.as_ref());
        let (head, now) = self.options.queries.moment(None).await?;
        let to = match &request.to {
            Some(word) => self.place(word, now).await?.min(head),
            None => head,
        };
        let versions = self.versions().await?;
        let sides = self.sides(&request, &versions).await?;
        let from = match &request.since {
            Some(word) => self.place(word, now).await?,
            None => sides.learnt_to + 1,
        };
        let history = self.history(&partition, to, &tell).await?;
        let truth = truth::read(&history, from, to);
        let training = truth::read(&history, 0, sides.learnt_to).quality;
        drop(history);

        let mut runs = [&sides.champion, &sides.candidate]
            .map(|weighing| (Run::new((self.decider)(), &partition, weighing.clone()), Outcome::default(), Sha256::new()));
        let (mut inputs, mut last) = (0, Time::ZERO);
        let told = |done, of| tell.progress("deciding the past again", done, of);
        let decide = |input: Recorded| {
            inputs += 1;
            last = last.max(input.time);
            for (run, outcome, hasher) in &mut runs {
                run.input(&input, &mut |decided| note(outcome, hasher, &decided));
            }
        };
        walk(&self.options.ledger, &partition, Part::Inputs, (from, to), told, decide).await.map_err(unread)?;
        for (run, outcome, hasher) in &mut runs {
            run.pass(last, &mut |decided| note(outcome, hasher, &decided));
        }
        tell.progress("comparing", 0, 0);
        let [(_, champion, _), (_, candidate, hasher)] = runs;
        let report = compare(&truth, &champion, &candidate, request.seed.unwrap_or(1));
        let gated = gate::judge(&Judgement { report: &report, training, learnt_to: sides.learnt_to });
        let figures = serde_json::to_value(&report)
            .map_err(|error| Problem::new(Code::Internal, format!("the figures have no JSON form: {error}")))?;
        let mut event = None;
        if let Some(version) = sides.version.filter(|_| judge) {
            let judged = gate::judged(&gated, &report, version, sides.against);
            let tenant = Partition::whole(&partition.tenant);
            let subject = format!("{NAME}/{version}");
            event = Some(self.write(&tenant, subject, by, Event::ModelJudged(judged)).await?);
        }
        Ok(Comparison {
            name: NAME.to_owned(),
            version: sides.version,
            against: sides.against,
            verdict: gated.verdict,
            reasons: gated.reasons,
            from,
            to,
            inputs,
            decided: hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            report: figures,
            event,
        })
    }
}

/// Folds a decision, and takes it into the hash of all.
fn note(outcome: &mut Outcome, hasher: &mut Sha256, decided: &Recorded) {
    outcome.see(decided);
    hasher.update(decided.id.as_str());
    hasher.update(&decided.subject);
    hasher.update(decided.time.nanos().to_be_bytes());
    if let Ok(event) = serde_json::to_vec(&decided.event) {
        hasher.update((event.len() as u64).to_be_bytes());
        hasher.update(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_from_a_position_and_a_time() {
        assert_eq!(span("30d"), Some(Span::hours(720)));
        assert_eq!(span(" 12h"), Some(Span::hours(12)));
        for other in ["8192", "2026-11-20T03:12:00Z", "d", "", "-3d", "3w"] {
            assert_eq!(span(other), None, "{other}");
        }
    }
}
