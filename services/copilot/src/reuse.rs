//! One call for one state of an incident: a question of the same class about the same incident at the same
//! revision gets the answer that a model gave before, checked again. Owns when two states are the same.

use hindcast_api::{Answer, AsOf, ClaimVerdict, Problem};
use hindcast_domain::conversation::Answered;
use hindcast_domain::words::AnswerMode;
use hindcast_queries::Snapshot;

use crate::ask::{AnswerInProgress, keep_struck};
use crate::spend::AskedBefore;
use crate::verify::Judge;
use crate::{AnsweringCopilot, history, intent};

/// Earlier answers that are looked at.
const CANDIDATES_MAX: usize = 3;

impl AnsweringCopilot {
    /// Puts an earlier answer of a model to the same question at the same state into `answer`, if there is one.
    pub(crate) async fn given_before(
        &self,
        work: &AnswerInProgress<'_>,
        judge: &mut Judge,
        answer: &mut Answer,
    ) -> Result<bool, Problem> {
        // What follows on something that was said is a question of its own.
        if !work.taken.earlier.is_empty() {
            return Ok(false);
        }
        let class = intent::class(&work.taken.question);
        let before = self.inner.spend.asked_before(&class, &work.situation.incident.id);
        let fits = |asked: &&AskedBefore| {
            asked.as_of <= work.taken.moment.position() && asked.conversation != work.taken.conversation.as_str()
        };
        for asked in before.iter().filter(fits).take(CANDIDATES_MAX) {
            if let Some((given, event)) = self.given(asked).await?
                && self.is_same_state(work, asked, &given, answer).await?
            {
                self.give_again(&work.taken.moment, judge, answer, given, &event).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was answered, if a model wrote it with the prompts and by the name of today.
    async fn given(&self, asked: &AskedBefore) -> Result<Option<(Answer, String)>, Problem> {
        let options = &self.inner.options;
        let Ok(id) = asked.conversation.parse() else { return Ok(None) };
        for event in history::events(&*options.queries, &id).await?.into_iter().rev() {
            if event.event_type != "conversation.answered" {
                continue;
            }
            let Ok(answered) = serde_json::from_value::<Answered>(event.data) else { continue };
            if answered.turn != asked.turn || answered.mode != AnswerMode::Model {
                continue;
            }
            let Ok(given) = serde_json::from_value::<Answer>(answered.answer) else { continue };
            let is_current = given.prompt_version == options.prompts.version();
            return Ok(is_current.then_some((given, event.id)));
        }
        Ok(None)
    }

    /// Whether the incident stood then as it stands now, and the same was concluded of it.
    async fn is_same_state(
        &self,
        work: &AnswerInProgress<'_>,
        asked: &AskedBefore,
        given: &Answer,
        answer: &Answer,
    ) -> Result<bool, Problem> {
        let id = Some(work.situation.incident.id.as_str());
        let then = work.taken.moment.earlier(AsOf::Position(asked.as_of)).await?.incident(id).await?;
        let causes =
            |answer: &Answer| -> Vec<String> { answer.hypotheses.iter().map(|one| one.cause.clone()).collect() };
        let similar =
            |answer: &Answer| -> Vec<String> { answer.similar.iter().map(|one| one.incident.clone()).collect() };
        let proposals =
            |answer: &Answer| -> Vec<String> { answer.proposals.iter().map(|one| one.id.clone()).collect() };
        Ok(then.revision == work.situation.incident.revision
            && causes(given) == causes(answer)
            && similar(given) == similar(answer)
            && proposals(given) == proposals(answer))
    }

    async fn give_again(
        &self,
        seen: &Snapshot,
        judge: &mut Judge,
        answer: &mut Answer,
        given: Answer,
        event: &str,
    ) -> Result<(), Problem> {
        judge.call(seen, given.claims.iter().flat_map(|claim| &claim.citations)).await?;
        answer.mode = given.mode;
        answer.model = given.model;
        answer.claims.clone_from(&given.claims);
        judge.strike(answer);
        keep_struck(&mut answer.claims, &given.claims);
        // Striking the same conclusions again finds the same again; each is told once.
        let mut seen = Vec::new();
        answer.claims.retain(|claim| {
            let is_new = !seen.contains(&(claim.text.clone(), claim.verdict == ClaimVerdict::Unsupported));
            seen.push((claim.text.clone(), claim.verdict == ClaimVerdict::Unsupported));
            is_new
        });
        answer.missing.push(format!("nothing has changed since this was asked before: the answer is that of {event}"));
        self.inner.options.metrics.count("hindcast_copilot_reused_total", &[], 1.0);
        Ok(())
    }
}
