//! The tools of one answer: those of the toolbox as of its moment, and the naming of a runbook, which is checked
//! and recorded elsewhere and runs nothing. A replay plays what they said and asks nobody.

use hindcast_api::ProposalStatus;
use std::collections::BTreeSet;

use hindcast_api::{Code, Problem};
use hindcast_llm::{Call, Tool};
use hindcast_redact::Redactor;
use serde_json::{Value, json};

use crate::Options;
use crate::limits::NAMED_RUNBOOKS_MAX;
use crate::situation::Situation;
use crate::taken::{AnswerContext, TakenQuestion};
use crate::tools::Toolbox;

/// The tool by which a model names a runbook.
const PROPOSE: &str = "propose_runbook";
/// The tool that has no past.
const LOGS: &str = "search_logs";
/// Tools that say again what every prompt says already.
const TOLD: [&str; 3] = ["get_incident", "get_causes", "get_proposals"];

pub(crate) struct AnswerTools<'a> {
    options: &'a Options,
    taken: &'a TakenQuestion,
    situation: &'a Situation,
    offered: Vec<Tool>,
    /// What was asked already, so that a model that turns in circles is told so.
    asked: BTreeSet<String>,
    /// Calls that were looked at, and those of them that had been asked before.
    counts: (usize, usize),
    named: usize,
    missing: Vec<String>,
}

impl<'a> AnswerTools<'a> {
    pub(crate) fn new(options: &'a Options, taken: &'a TakenQuestion, situation: &'a Situation) -> Self {
        let live = taken.moment.is_now();
        let fits = |name: &str| !TOLD.contains(&name) && (name != LOGS || live && options.toolbox.telemetry.is_some());
        let of_box = Toolbox::specs().into_iter().filter(|spec| fits(spec.name));
        let mut offered: Vec<Tool> = of_box
            .map(|spec| Tool { name: spec.name.to_owned(), about: spec.about.to_owned(), schema: spec.schema })
            .collect();
        // Of the past nothing can be proposed.
        if live && !situation.proposals.is_empty() {
            offered.push(propose());
        }
        Self {
            options,
            taken,
            situation,
            offered,
            asked: BTreeSet::new(),
            counts: (0, 0),
            named: 0,
            missing: Vec::new(),
        }
    }

    pub(crate) fn offered(&self) -> &[Tool] {
        &self.offered
    }

    /// Calls that were looked at so far, and how many of them had been asked before.
    pub(crate) const fn answered(&self) -> (usize, usize) {
        self.counts
    }

    /// Whether every call since `before` had been asked before: more of them would say nothing new.
    pub(crate) const fn turns_in_circles(&self, before: (usize, usize)) -> bool {
        let (calls, repeated) = (self.counts.0 - before.0, self.counts.1 - before.1);
        calls > 0 && calls == repeated
    }

    /// What could not be done, in plain words.
    pub(crate) fn into_missing(self) -> Vec<String> {
        self.missing
    }

    /// Uses a tool: its output, redacted, or what is told to the model instead. An error is one of ours.
    pub(crate) async fn call(
        &mut self,
        world: &AnswerContext,
        call: &Call,
        step: u32,
    ) -> Result<Result<Value, String>, Problem> {
        let mut key = call.name.clone();
        hindcast_llm::hash::canonical(&call.arguments, &mut key);
        let is_new = self.asked.insert(key);
        self.counts.0 += 1;
        self.counts.1 += usize::from(!is_new);
        if let Some(played) = &world.played {
            let output = played.tool(step, &call.name)?;
            if call.name == PROPOSE
                && let Err(error) = &output
            {
                self.refused(&call.arguments, error);
            }
            return Ok(output);
        }
        if !is_new {
            return Ok(Err("you have asked exactly this already; use what it said".to_owned()));
        }
        let output = if call.name == PROPOSE { self.propose(&call.arguments).await } else { self.look(call).await };
        let mut redactor = Redactor::default();
        match output {
            Ok(value) => Ok(Ok(redactor.value(value))),
            Err(problem) if problem.status >= 500 && problem.code != Code::Unavailable => Err(problem),
            Err(problem) => Ok(Err(redactor.text(&format!("{} {}", problem.detail, problem.remedy)))),
        }
    }

    async fn look(&self, call: &Call) -> Result<Value, Problem> {
        if !self.offered.iter().any(|tool| tool.name == call.name) {
            let names: Vec<&str> = self.offered.iter().map(|tool| tool.name.as_str()).collect();
            let shown: String = call.name.chars().take(64).collect();
            let said = format!("expected one of the tools {}, got {shown:?}", names.join(", "));
            return Err(Problem::new(Code::NotFound, said).remedy("Use a tool's name as it is listed."));
        }
        self.options.toolbox.call_of(&self.taken.moment, &call.name, call.arguments.clone()).await
    }

    async fn propose(&mut self, arguments: &Value) -> Result<Value, Problem> {
        if !self.offered.iter().any(|tool| tool.name == PROPOSE) {
            let said = "no runbook can be named here";
            return Err(Problem::new(Code::Invalid, said).remedy("Leave it out."));
        }
        self.named += 1;
        if self.named > NAMED_RUNBOOKS_MAX {
            let said = format!("at most {NAMED_RUNBOOKS_MAX} runbooks are taken in one answer");
            return Err(Problem::new(Code::Invalid, said).remedy("Leave it out."));
        }
        let runbook: String =
            arguments.get("runbook").and_then(Value::as_str).unwrap_or_default().chars().take(128).collect();
        let params = arguments.get("params").cloned().unwrap_or_else(|| json!({}));
        let by = self.options.llm.as_ref().map_or("model", |llm| llm.model());
        let made =
            self.options.advice.propose(&self.taken.moment, &self.situation.incident.id, &runbook, params, by).await;
        let refusal = match &made {
            Ok(proposal) if proposal.status == ProposalStatus::Rejected => Some(proposal.why.clone()),
            Ok(_) => None,
            Err(problem) => Some(problem.detail.clone()),
        };
        if let Some(reason) = refusal {
            self.refused(arguments, &reason);
            return Err(Problem::new(Code::Invalid, reason).remedy("Use a runbook of the list, within its bounds."));
        }
        let proposal = made?;
        Ok(
            json!({"proposal": proposal.id, "runbook": proposal.runbook, "status": proposal.status, "note": "nothing runs"}),
        )
    }

    fn refused(&mut self, arguments: &Value, reason: &str) {
        self.options.metrics.count("hindcast_copilot_runbooks_refused_total", &[], 1.0);
        let runbook: String =
            arguments.get("runbook").and_then(Value::as_str).unwrap_or("no runbook").chars().take(64).collect();
        let reason: String = reason.chars().take(200).collect();
        self.missing.push(format!("the model named {runbook:?}, which was refused: {reason}"));
    }
}

fn propose() -> Tool {
    Tool {
        name: PROPOSE.to_owned(),
        about:
            "Name a runbook with other parameters than those that are listed. It is checked and recorded; nothing runs."
                .to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "runbook": {"type": "string", "maxLength": 128, "description": "The runbook's name."},
                "params": {"type": "object", "description": "Its parameters by name."},
            },
            "required": ["runbook", "params"],
            "additionalProperties": false,
        }),
    }
}
