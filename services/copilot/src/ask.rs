//! The way of one question: taken, recorded, answered from evidence or by a model, judged, recorded, told.

use hindcast_domain::words::{AnswerMode, ModelOutcome};
use std::time::Duration;

use async_trait::async_trait;
use hindcast_advice::Asker;
use hindcast_api::{Answer, AnswerProgress, Ask, Claim, ClaimVerdict, Incident, Problem};
use hindcast_domain::conversation::{Answered, Asked};
use hindcast_domain::{ConversationId, Partition};
use hindcast_redact::Redactor;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::evidence::{self, Drafted};
use crate::history::Earlier;
use crate::links::Links;
use crate::model::aliases::CitationAliases;
use crate::model::{AskFailure, Failure, ModelSession, Used, WordedAnswer};
use crate::record::{RecordedTurn, TurnPlace, millis};
use crate::replay::RecordedToolOutputs;
use crate::situation::{self, QuestionMoment, Situation};
use crate::verify::{self, Judge};
use crate::{Copilot, history, intent, model, question};

/// Bytes of an answer that the ledger keeps whole; a longer one is kept without what can be concluded again.
const RECORDED_BYTES_MAX: usize = 192 * 1024;
/// How long a step of progress waits for a slow reader before it is left out.
const TELL_PATIENCE: Duration = Duration::from_secs(5);

/// Tells of an answer while it is made.
#[derive(Clone)]
pub(crate) struct Teller(Option<mpsc::Sender<AnswerProgress>>);

impl Teller {
    pub(crate) const fn new(to: Option<mpsc::Sender<AnswerProgress>>) -> Self {
        Self(to)
    }

    /// Tells a step. Whoever has gone away is told nothing more; the answer is made all the same.
    pub(crate) async fn tell(&self, step: AnswerProgress) {
        let Some(to) = &self.0 else { return };
        if let Err(error) = to.send_timeout(step, TELL_PATIENCE).await {
            tracing::debug!(%error, "a step of an answer was not heard");
        }
    }

    pub(crate) async fn status(&self, text: &str) {
        self.tell(AnswerProgress::Status(text.to_owned())).await;
    }
}

pub(crate) struct TakenQuestion {
    pub(crate) question: String,
    pub(crate) moment: QuestionMoment,
    pub(crate) conversation: ConversationId,
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) incident: Option<Incident>,
}

/// What an answer is made with: a model or none, and whether what it says was recorded before.
pub(crate) struct AnswerContext {
    pub(crate) llm: Option<hindcast_llm::Shared>,
    /// Whether caps are looked at, and answers that were given before are given again.
    pub(crate) capped: bool,
    /// What tools said, where a turn is played again.
    pub(crate) played: Option<RecordedToolOutputs>,
    /// Why no model is asked although one is configured, where that is known already.
    pub(crate) falls: Option<Failure>,
}

/// One answer in the making.
pub(crate) struct AnswerInProgress<'a> {
    pub(crate) taken: &'a TakenQuestion,
    pub(crate) world: &'a AnswerContext,
    pub(crate) situation: &'a Situation,
    pub(crate) drafted: &'a Drafted,
    pub(crate) teller: &'a Teller,
}

/// An answer that was made and judged.
pub(crate) struct JudgedAnswer {
    pub(crate) answer: Answer,
    /// Why no model wrote it, where one is configured.
    pub(crate) fell_back: Option<Failure>,
}

#[async_trait]
impl hindcast_advice::Copilot for Copilot {
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

impl Copilot {
    async fn answer(&self, ask: &Ask, asker: Asker, teller: &Teller) -> Result<Answer, Problem> {
        let began = Instant::now();
        let options = &self.inner.options;
        let text = Redactor::default().text(question::text(ask)?);
        let moment = QuestionMoment::of(&*options.queries, question::as_of(ask)?).await?;
        let conversation = question::conversation(ask, moment.position, options.clock.now())?;
        let _busy = self.inner.conversations.take(&conversation)?;
        let is_new = ask.conversation.as_deref().is_none_or(|word| word.trim().is_empty());
        let (earlier, number) = if is_new {
            (Vec::new(), 1)
        } else {
            self.inner.conversations.earlier(&*options.queries, &conversation).await?
        };
        // A question that names no incident goes on with the one that was spoken of.
        let named = ask.incident.as_deref().filter(|id| !id.trim().is_empty());
        let goes_on = question::named_incident(&text).is_none().then(|| history::incident(&earlier)).flatten();
        let incident = situation::choose(&*options.queries, moment, named.or(goes_on), &text).await?;
        let taken = TakenQuestion { question: text, moment, conversation, earlier, incident };
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
            Some(incident) => options.queries.partition_of(&incident.id).await?,
            None => Partition::whole(Partition::TENANT),
        };
        let asked = Asked {
            turn: number,
            question: taken.question.clone(),
            incident: taken.incident.as_ref().and_then(|incident| incident.id.parse().ok()),
            as_of: taken.moment.position,
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
        let Some(incident) = taken.incident.clone() else {
            answer.missing.push("no incident is recorded".to_owned());
            answer.answer = "Nothing is wrong as far as is recorded: there is no incident.".to_owned();
            return Ok(JudgedAnswer { answer, fell_back: None });
        };
        teller.status(&format!("looking at {} as of position {}", incident.id, taken.moment.position)).await;
        let environment = incident.environment.clone();
        let situation = Situation::gather(options, taken.moment, incident).await?;
        let mut judge = Judge::open(&*options.queries, taken.moment, Some(&environment)).await?;
        judge.call(&*options.queries, &verify::of_situation(&situation)).await?;
        let drafted = evidence::draft(&situation, &intent::of(&taken.question));
        judge.call(&*options.queries, drafted.drafts.iter().flat_map(|draft| &draft.citations)).await?;

        put(&situation, &mut answer);
        answer.missing.extend(drafted.missing.iter().cloned());
        let fell_back = match (&world.llm, &world.falls) {
            (None, None) => {
                answer.missing.push("no language model is configured: answered from evidence alone".to_owned());
                from_evidence(&mut answer, &drafted, &judge);
                None
            }
            (_, Some(failure)) => {
                teller.status(&fell(failure)).await;
                fall_back(&mut answer, &drafted, &judge, failure, Vec::new());
                Some(failure.clone())
            }
            (Some(_), None) => {
                let work = AnswerInProgress { taken, world, situation: &situation, drafted: &drafted, teller };
                self.by_model(&work, &mut judge, turn, &mut answer).await?
            }
        };
        answer.answer = compose(&answer.claims, &drafted.proposed, &answer.missing);
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
                None => return Ok(None),
                Some((failure, struck)) => {
                    fall_back(answer, work.drafted, judge, &failure, struck);
                    failure
                }
            },
            Err(AskFailure::Problem(problem)) => return Err(problem),
            Err(AskFailure::Fell(failure)) => {
                fall_back(answer, work.drafted, judge, &failure, Vec::new());
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
        judge.call(&*self.inner.options.queries, written.claims.iter().flat_map(|claim| &claim.citations)).await?;
        let mut services: Vec<String> = judge.services().to_vec();
        services.extend(work.situation.services().into_iter().map(ToOwned::to_owned));
        services.extend(answer.hypotheses.iter().map(|hypothesis| hypothesis.service.clone()));
        let ranked = if work.situation.unresolved() { Vec::new() } else { answer.hypotheses.clone() };
        let mut claims = written.claims;
        for claim in &mut claims {
            judge.judge_leniently(claim);
            if let Some(reason) = model::claims::overrides(claim, &ranked, &services) {
                (claim.verdict, claim.reason) = (ClaimVerdict::Unsupported, Some(reason));
            }
        }
        answer.missing.extend(written.missing);
        if claims.iter().all(|claim| claim.verdict != ClaimVerdict::Supported) {
            let failure = Failure::new(
                ModelOutcome::NothingStands,
                "nothing that the model said stands in the events that it cites",
            );
            return Ok(Some((failure, claims)));
        }
        answer.mode = AnswerMode::Model;
        answer.model = Some(written.model);
        let said = claims.clone();
        // What we conclude leads; what the model adds follows.
        let always = work.drafted.drafts.iter().filter(|draft| draft.always);
        answer.claims.extend(always.filter_map(|draft| judge.choose(draft)));
        answer.claims.extend(claims);
        judge.strike(answer);
        keep_struck(&mut answer.claims, &said);
        Ok(None)
    }

    /// An answer that says nothing yet.
    fn blank(&self, taken: &TakenQuestion) -> Answer {
        Answer {
            answer: String::new(),
            mode: AnswerMode::Evidence,
            claims: Vec::new(),
            hypotheses: Vec::new(),
            similar: Vec::new(),
            proposals: Vec::new(),
            missing: Vec::new(),
            incident: taken.incident.as_ref().map(|incident| incident.id.clone()),
            severity: taken.incident.as_ref().map(|incident| incident.severity),
            model: None,
            prompt_version: self.inner.options.prompts.version().to_owned(),
            position: taken.moment.position,
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

/// Puts what was concluded into an answer, in the order in which it was concluded.
fn put(situation: &Situation, answer: &mut Answer) {
    answer.hypotheses = situation.causes.as_ref().map(|causes| causes.items.clone()).unwrap_or_default();
    answer.similar = situation.similar.as_ref().map(|page| page.items.clone()).unwrap_or_default();
    answer.proposals = situation.proposals.clone();
    answer.severity = Some(situation.incident.severity);
}

/// Puts sentences of ours into an answer, each in the words that stand, and judges the whole.
fn from_evidence(answer: &mut Answer, drafted: &Drafted, judge: &Judge) {
    answer.claims.extend(drafted.drafts.iter().filter_map(|draft| judge.choose(draft)));
    judge.strike(answer);
}

/// Answers from evidence because no model did. What it said and does not stand is kept, struck.
fn fall_back(answer: &mut Answer, drafted: &Drafted, judge: &Judge, failure: &Failure, struck: Vec<Claim>) {
    from_evidence(answer, drafted, judge);
    answer.claims.extend(struck);
    answer.missing.push(fell(failure));
}

/// Why an answer is from evidence alone, as `missing` and a step of progress say it.
fn fell(failure: &Failure) -> String {
    format!("the language model did not write this ({}): answered from evidence alone", failure.text)
}

/// Claims that were struck for a reason that the verifier does not know stay struck.
pub(crate) fn keep_struck(claims: &mut [Claim], before: &[Claim]) {
    for claim in claims {
        let struck = |known: &&Claim| {
            known.verdict == ClaimVerdict::Unsupported && known.text == claim.text && known.citations == claim.citations
        };
        if let Some(known) = before.iter().find(struck) {
            (claim.verdict, claim.reason) = (known.verdict, known.reason.clone());
        }
    }
}

#[allow(clippy::cast_precision_loss)] // money of one answer
fn dollars(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

/// The claims that stand, what is proposed and what is missing, as one text.
fn compose(claims: &[Claim], proposed: &[String], missing: &[String]) -> String {
    let stands = |claim: &&Claim| claim.verdict != ClaimVerdict::Unsupported;
    let told = claims.iter().filter(stands).map(|claim| match claim.verdict {
        ClaimVerdict::Unverifiable => sentence(&format!("{} (not checked)", claim.text.trim_end_matches('.'))),
        _ => sentence(&claim.text),
    });
    // Claims may begin with a name, which keeps its spelling; what is missing begins with a word of ours.
    let beside = proposed.iter().chain(missing).map(|text| sentence(&capital(text)));
    told.chain(beside).collect::<Vec<_>>().join(" ")
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// A text that ends like a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let ends = text.ends_with(['.', '!', '?', '…']);
    if ends { text.to_owned() } else { format!("{text}.") }
}

/// The answer as the ledger keeps it: redacted, and within its bound.
fn kept(answer: &Answer) -> Value {
    let mut value = serde_json::to_value(answer).unwrap_or_default();
    if value.to_string().len() > RECORDED_BYTES_MAX
        && let Some(fields) = value.as_object_mut()
    {
        for name in ["hypotheses", "similar", "proposals"] {
            fields.insert(name.to_owned(), Value::Array(Vec::new()));
        }
        fields.insert("shortened".to_owned(), Value::Bool(true));
    }
    Redactor::default().value(value)
}
