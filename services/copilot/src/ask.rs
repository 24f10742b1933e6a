//! The way of one question: taken, recorded, answered from evidence or by a model, judged, recorded, told.

pub(crate) mod composed;
mod wording;

use hindcast_domain::words::{AnswerMode, ModelOutcome};

use std::sync::Arc;

use async_trait::async_trait;
use hindcast_advice::Asker;
use hindcast_api::{Answer, AnswerProgress, Ask, Claim, ClaimVerdict, Problem};
use hindcast_domain::Partition;
use hindcast_domain::conversation::{Answered, Asked};
use hindcast_queries::Snapshots;
use hindcast_redact::Redactor;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::evidence::{self, Drafted};
use crate::failure::{AskFailure, Failure};
use crate::links::Links;
use crate::model::aliases::CitationAliases;
use crate::model::{ModelSession, Used, WordedAnswer};
use crate::record::{RecordedTurn, TurnPlace, millis};
use crate::resolve::{self, IncidentNamed};
use crate::situation::Situation;
use crate::taken::{AnswerContext, TakenQuestion};
use crate::teller::Teller;
use crate::verify::{self, Judge};
use crate::{AnsweringCopilot, history, model, oncall, question};
use composed::ComposedAnswer;

pub(crate) use wording::keep_struck;
use wording::{dollars, fall_back, fell, from_evidence, kept, looking_at, put, worded_by_model};

/// One answer in the making.
pub(crate) struct AnswerInProgress<'a> {
    pub(crate) taken: &'a TakenQuestion,
    pub(crate) world: &'a AnswerContext,
    pub(crate) situation: &'a Situation,
    /// What is said beside a model's words.
    pub(crate) drafted: &'a Drafted,
    /// The answer without a model.
    pub(crate) composed: &'a ComposedAnswer,
    pub(crate) teller: &'a Teller,
}

/// An answer that was made and judged.
pub(crate) struct JudgedAnswer {
    pub(crate) answer: Answer,
    /// Why no model wrote it, where one is configured.
    pub(crate) fell_back: Option<Failure>,
}

#[async_trait]
impl hindcast_advice::Copilot for AnsweringCopilot {
    async fn ask(
        &self,
        ask: Ask,
        asker: Asker,
        progress: Option<mpsc::Sender<AnswerProgress>>,
    ) -> Result<Answer, Problem> {
        let teller = Teller::new(progress);
        let answer = self.answer(&ask, asker, &teller).await?;
        teller.tell(AnswerProgress::Answer(Box::new(answer.clone()))).await;
        Ok(answer)
    }
}

impl AnsweringCopilot {
    async fn answer(&self, ask: &Ask, asker: Asker, teller: &Teller) -> Result<Answer, Problem> {
        let began = Instant::now();
        let options = &self.inner.options;
        let text = Redactor::default().text(question::text(ask)?);
        let base = Snapshots::from(Arc::clone(&options.queries)).open(question::as_of(ask)?).await?;
        let conversation = question::conversation(ask, base.position(), options.clock.now())?;
        let _busy = self.inner.conversations.take(&conversation)?;
        let is_new = ask.conversation.as_deref().is_none_or(|word| word.trim().is_empty());
        let (earlier, number) = if is_new {
            (Vec::new(), 1)
        } else {
            self.inner.conversations.earlier(&*options.queries, &conversation).await?
        };
        let beside = ask.incident.as_deref().filter(|id| !id.trim().is_empty());
        let named = beside.map_or(IncidentNamed::InWords, |id| IncidentNamed::Beside(id.trim()));
        let resolved =
            resolve::resolve(&base, &text, &earlier, named, options.clock.now(), &self.inner.examples).await?;
        let (moment, incident) = (resolved.moment.clone(), resolved.incident.clone());
        let taken = TakenQuestion { question: text, moment, conversation, earlier, incident, resolved };
        let mut turn = self.open(&taken, asker, number, began).await?;
        let world = AnswerContext { llm: self.inner.options.llm.clone(), capped: true, played: None, falls: None };
        let made = self.make(&taken, &world, &mut turn, teller).await;
        if made.is_err() {
            turn.fail();
        }
        self.finish(&taken, turn, made?).await
    }

    async fn open(
        &self,
        taken: &TakenQuestion,
        asker: Asker,
        number: u32,
        began: Instant,
    ) -> Result<RecordedTurn, Problem> {
        let options = &self.inner.options;
        let Some(writer) = options.writer.clone() else { return Ok(RecordedTurn::unrecorded(began)) };
        let partition = match &taken.incident {
            Some(incident) => taken.moment.partition_of(&incident.id).await?,
            None => Partition::whole(Partition::TENANT),
        };
        let asked = Asked {
            turn: number,
            question: taken.question.clone(),
            incident: taken.incident.as_ref().and_then(|incident| incident.id.parse().ok()),
            as_of: taken.moment.position(),
            channel: asker.channel,
        };
        let actor = if asker.actor.is_empty() { "api".to_owned() } else { asker.actor };
        let place = TurnPlace { writer, partition, conversation: taken.conversation.clone(), turn: number, actor };
        RecordedTurn::open(place, asked, began).await
    }

    /// Makes an answer and judges it.
    pub(crate) async fn make(
        &self,
        taken: &TakenQuestion,
        world: &AnswerContext,
        turn: &mut RecordedTurn,
        teller: &Teller,
    ) -> Result<JudgedAnswer, Problem> {
        let options = &self.inner.options;
        let mut answer = self.blank(taken);
        teller.status(&looking_at(taken)).await;
        let gathers = world.llm.is_some() || taken.resolved.is_of_incident();
        let situation = match taken.incident.clone().filter(|_| gathers) {
            Some(incident) => Some(Situation::gather(options, &taken.moment, incident).await?),
            None => None,
        };
        let composed = ComposedAnswer::of(options, taken, situation.as_ref()).await?;
        let environment = situation.as_ref().map(|situation| situation.incident.environment.as_str());
        let mut judge = Judge::open(&taken.moment, environment).await?;
        judge.call(&taken.moment, composed.drafts().flat_map(|draft| &draft.citations)).await?;
        let on_call = oncall::claims(&taken.moment, &taken.question, options.clock.now()).await?;
        answer.claims.extend(on_call);
        if taken.incident.is_none() {
            answer.missing.push("no incident is recorded".to_owned());
        }
        let drafted = match &situation {
            Some(situation) => {
                judge.conclude(situation);
                judge.call(&taken.moment, &verify::of_situation(situation)).await?;
                put(situation, &mut answer);
                let drafted = evidence::always(situation);
                answer.missing.extend(drafted.missing.iter().cloned());
                judge.call(&taken.moment, drafted.drafts.iter().flat_map(|draft| &draft.citations)).await?;
                drafted
            }
            None => Drafted::default(),
        };
        let fell_back = match (&world.llm, &world.falls, &situation) {
            (_, Some(failure), _) => {
                teller.status(&fell(failure)).await;
                fall_back(&mut answer, &composed, &judge, failure, Vec::new());
                Some(failure.clone())
            }
            (Some(_), None, Some(situation)) => {
                let (drafted, composed) = (&drafted, &composed);
                let work = AnswerInProgress { taken, world, situation, drafted, composed, teller };
                self.by_model(&work, &mut judge, turn, &mut answer).await?
            }
            (Some(_), None, None) => {
                answer.missing.push(
                    "there is no incident that a language model could word: answered from evidence alone".to_owned(),
                );
                from_evidence(&mut answer, &composed, &judge);
                None
            }
            (None, None, _) => {
                answer.missing.push("no language model is configured: answered from evidence alone".to_owned());
                from_evidence(&mut answer, &composed, &judge);
                None
            }
        };
        Ok(JudgedAnswer { answer, fell_back })
    }

    /// Lets the model write, and falls back to evidence where it cannot.
    async fn by_model(
        &self,
        work: &AnswerInProgress<'_>,
        judge: &mut Judge,
        turn: &mut RecordedTurn,
        answer: &mut Answer,
    ) -> Result<Option<Failure>, Problem> {
        let options = &self.inner.options;
        if work.world.capped {
            let latest = self.inner.conversations.latest();
            history::seen(&*options.queries, latest).await;
            self.inner.spend.catch_up(&*options.queries, options.clock.now()).await?;
            if self.given_before(work, judge, answer).await? {
                worded_by_model(answer, work, judge);
                return Ok(None);
            }
        }
        let mut session = self.session(work);
        let written = session.write(turn).await;
        let used = session.used;
        if used.calls > 0 {
            answer.tokens = Some(used.tokens);
            answer.cost = Some(dollars(used.cost_micros));
        }
        let failure = match written {
            Ok(written) => match self.judged(work, judge, answer, written).await? {
                None => {
                    worded_by_model(answer, work, judge);
                    return Ok(None);
                }
                Some((failure, struck)) => {
                    fall_back(answer, work.composed, judge, &failure, struck);
                    failure
                }
            },
            Err(AskFailure::Problem(problem)) => return Err(problem),
            Err(AskFailure::Fell(failure)) => {
                fall_back(answer, work.composed, judge, &failure, Vec::new());
                failure
            }
        };
        work.teller.status(&fell(&failure)).await;
        Ok(Some(failure))
    }

    fn session<'a>(&'a self, work: &'a AnswerInProgress<'a>) -> ModelSession<'a> {
        let options = &self.inner.options;
        let mut links = Links::new(options.public_url.as_deref());
        for symptom in &work.situation.symptoms {
            links.learn(&serde_json::json!([symptom.alert.url, symptom.alert.annotations]));
        }
        for change in &work.situation.changes {
            links.learn(&serde_json::json!(change.change.url));
        }
        ModelSession {
            options,
            world: work.world,
            spend: &self.inner.spend,
            taken: work.taken,
            situation: work.situation,
            teller: work.teller,
            aliases: CitationAliases::default(),
            links,
            used: Used::default(),
            step: 0,
            deadline: Instant::now() + options.caps.answer_timeout,
        }
    }

    /// Judges what a model wrote and puts it into the answer. Where nothing of it stands, says so and gives the
    /// struck claims back.
    async fn judged(
        &self,
        work: &AnswerInProgress<'_>,
        judge: &mut Judge,
        answer: &mut Answer,
        written: WordedAnswer,
    ) -> Result<Option<(Failure, Vec<Claim>)>, Problem> {
        judge.call(&work.taken.moment, written.claims.iter().flat_map(|claim| &claim.citations)).await?;
        let mut services: Vec<String> = judge.services().to_vec();
        services.extend(work.situation.services().into_iter().map(ToOwned::to_owned));
        services.extend(answer.hypotheses.iter().map(|hypothesis| hypothesis.service.clone()));
        let ranked = if work.situation.unresolved() { Vec::new() } else { answer.hypotheses.clone() };
        let mut claims = written.claims;
        for claim in &mut claims {
            judge.judge_leniently(claim);
            if let Some(reason) = model::claims::forbidden(claim, &ranked, &services) {
                (claim.verdict, claim.reason) = (ClaimVerdict::Unsupported, Some(reason));
            }
        }
        answer.missing.extend(written.missing);
        if claims.iter().all(|claim| claim.verdict == ClaimVerdict::Unsupported) {
            let failure = Failure::new(
                ModelOutcome::NothingStands,
                "every claim of the model is contradicted by the events, or cites none of them",
            );
            return Ok(Some((failure, claims)));
        }
        answer.mode = AnswerMode::Model;
        answer.model = Some(written.model);
        let said = claims.clone();
        // What answers leads, then what we conclude; what the model adds follows.
        let lead = work.composed.lead(judge);
        let is_led = |claim: &Claim| lead.as_ref().is_some_and(|lead| lead.text == claim.text);
        answer.claims.extend(lead.clone());
        let always = work.drafted.drafts.iter().filter_map(|draft| judge.choose(draft));
        answer.claims.extend(always.filter(|claim| !is_led(claim)));
        answer.claims.extend(claims);
        judge.strike(answer);
        keep_struck(&mut answer.claims, &said);
        Ok(None)
    }

    /// An answer that says nothing yet.
    fn blank(&self, taken: &TakenQuestion) -> Answer {
        Answer {
            answer: String::new(),
            lead: None,
            mode: AnswerMode::Evidence,
            claims: Vec::new(),
            details: Vec::new(),
            hypotheses: Vec::new(),
            similar: Vec::new(),
            proposals: Vec::new(),
            missing: Vec::new(),
            incident: taken.incident.as_ref().map(|incident| incident.id.clone()),
            severity: taken.incident.as_ref().map(|incident| incident.severity),
            model: None,
            prompt_version: self.inner.options.prompts.version().to_owned(),
            position: taken.moment.position(),
            tokens: None,
            cost: None,
            elapsed_ms: 0,
            conversation: taken.conversation.to_string(),
            recorded: Vec::new(),
        }
    }

    /// Records and counts a finished answer.
    async fn finish(
        &self,
        taken: &TakenQuestion,
        mut turn: RecordedTurn,
        made: JudgedAnswer,
    ) -> Result<Answer, Problem> {
        let JudgedAnswer { mut answer, fell_back } = made;
        answer.elapsed_ms = millis(turn.began());
        answer.recorded = turn.recorded().to_vec();
        let struck = answer.claims.iter().filter(|claim| claim.verdict == ClaimVerdict::Unsupported).count();
        let fell_back = fell_back.map(|failure| failure.word);
        turn.answered(Answered {
            turn: turn.number(),
            mode: answer.mode.clone(),
            claims: u32::try_from(answer.claims.len()).unwrap_or(u32::MAX),
            struck: u32::try_from(struck).unwrap_or(u32::MAX),
            fell_back: fell_back.clone(),
            elapsed_ms: answer.elapsed_ms,
            answer: kept(&answer),
        })
        .await?;
        answer.recorded = turn.recorded().to_vec();
        let position = answer.recorded.last().map_or(0, |citation| citation.position);
        self.inner.conversations.remember(&taken.conversation, turn.number(), position);
        self.count(&answer, fell_back.as_ref());
        Ok(answer)
    }

    fn count(&self, answer: &Answer, fell_back: Option<&ModelOutcome>) {
        let metrics = &self.inner.options.metrics;
        if let Some(tokens) = answer.tokens {
            for (kind, count) in [("input", tokens.input), ("output", tokens.output)] {
                #[allow(clippy::cast_precision_loss)] // tokens of one answer
                metrics.count("hindcast_copilot_tokens_total", &[("kind", kind)], count as f64);
            }
            metrics.count("hindcast_copilot_cost_dollars_total", &[], answer.cost.unwrap_or(0.0));
        }
        metrics.count("hindcast_copilot_answers_total", &[("mode", answer.mode.as_str())], 1.0);
        for claim in &answer.claims {
            let verdict = match claim.verdict {
                ClaimVerdict::Supported => "supported",
                ClaimVerdict::Unsupported => "unsupported",
                ClaimVerdict::Unverifiable => "unverifiable",
            };
            metrics.count("hindcast_copilot_claims_total", &[("verdict", verdict)], 1.0);
        }
        if let Some(reason) = fell_back {
            metrics.count("hindcast_copilot_fallback_total", &[("reason", reason.as_str())], 1.0);
        }
    }
}
