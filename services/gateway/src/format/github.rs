//! GitHub's webhooks as changes: deployments and their outcome, releases, pushes to the default branch and
//! finished workflow runs. Owns which of them is a change; refuses the rest quietly: it is no mistake of
//! GitHub's to send what a hook was set up for.

use hindcast_api::{Code, Problem};
use hindcast_domain::event::Change;
use serde_json::Value;

use super::{Bad, Context, Item, Payload, SplitPayload, change, fields};
use crate::time;

/// The payload, if its event is a change.
pub(crate) fn split(payload: Payload, context: &Context<'_>) -> Result<SplitPayload, Problem> {
    let Some(event) = payload.event.as_deref() else {
        let problem = Problem::new(Code::Invalid, "expected the header X-GitHub-Event, got none");
        return Err(problem.remedy("Point a webhook of GitHub with the content type application/json at this address."));
    };
    if !payload.json.is_object() {
        let detail = format!("expected an object, got {}", fields::kind(&payload.json));
        return Err(Problem::new(Code::Invalid, detail));
    }
    let is_change = told(event, &payload.json, context).is_some();
    let mut envelope = serde_json::json!({ "event": event });
    if let (Some(delivery), Some(fields)) = (&payload.delivery, envelope.as_object_mut()) {
        fields.insert("delivery".to_owned(), Value::String(delivery.clone()));
    }
    let items = if is_change { vec![payload.json] } else { Vec::new() };
    Ok(SplitPayload { items, envelope, ..SplitPayload::default() })
}

/// The change that the payload is.
pub(crate) fn item(value: &Value, context: &Context<'_>) -> Result<Item, Bad> {
    let told = told(context.event.unwrap_or_default(), value, context);
    let Some((environment, change)) = told else {
        return Err(Bad::new("no_change", "expected an event that is a change", "Discard it."));
    };
    change::bounded(&change)?;
    Ok(Item::Change { environment, change: Box::new(change) })
}

fn told(event: &str, payload: &Value, context: &Context<'_>) -> Option<(String, Change)> {
    let told = GithubReader { payload, context };
    match event {
        "deployment" => Some(told.deployment("started".to_owned(), "deployment.created_at")),
        "deployment_status" => {
            let state = told.text("deployment_status.state")?;
            let mut change = told.deployment(outcome(&state), "deployment_status.created_at");
            let url = told.text("deployment_status.target_url").or_else(|| told.text("deployment_status.log_url"));
            change.1.url = url.or(change.1.url);
            Some(change)
        }
        "release" => told.release(),
        "workflow_run" => told.workflow_run(),
        "push" => told.push(),
        _ => None,
    }
}

/// GitHub's word for how something ended, as ours.
fn outcome(state: &str) -> String {
    match state {
        "success" => "succeeded",
        "failure" | "error" | "timed_out" | "startup_failure" => "failed",
        "pending" | "queued" | "in_progress" | "waiting" => "started",
        other => other,
    }
    .to_owned()
}

struct GithubReader<'a> {
    payload: &'a Value,
    context: &'a Context<'a>,
}

impl GithubReader<'_> {
    fn text(&self, path: &str) -> Option<String> {
        fields::text(fields::path(self.payload, path))
    }

    fn change(&self, kind: &str, title: String, at: &str) -> Change {
        let at = time::lenient(fields::path(self.payload, at)).ok().flatten();
        Change {
            source: self.context.source.name.clone(),
            kind: kind.into(),
            title,
            service: self.context.source.service.clone().or_else(|| self.text("repository.name")),
            version: None,
            status: None,
            at: at.unwrap_or(self.context.now),
            author: self.text("sender.login"),
            url: self.text("repository.html_url"),
            source_id: None,
        }
    }

    fn repository(&self) -> String {
        self.text("repository.full_name").unwrap_or_else(|| "a repository".to_owned())
    }

    fn deployment(&self, status: String, at: &str) -> (String, Change) {
        let named = self.text("deployment.environment");
        let reference = self.text("deployment.ref").unwrap_or_default();
        let to = named.as_deref().unwrap_or("an environment");
        let title = format!("Deploy {} {reference} to {to}: {status}", self.repository());
        let mut change = self.change("deploy", title, at);
        change.version = self.text("deployment.sha").or(Some(reference).filter(|reference| !reference.is_empty()));
        change.status = Some(status);
        change.source_id = self.text("deployment.id").map(|id| format!("deployment/{id}"));
        (self.context.environment(named.as_deref()), change)
    }

    fn release(&self) -> Option<(String, Change)> {
        if !matches!(self.text("action")?.as_str(), "published" | "released") {
            return None;
        }
        let tag = self.text("release.tag_name").unwrap_or_default();
        let mut change = self.change("release", format!("Release {} {tag}", self.repository()), "release.published_at");
        change.version = Some(tag).filter(|tag| !tag.is_empty());
        change.status = Some("succeeded".to_owned());
        change.url = self.text("release.html_url").or(change.url);
        change.source_id = self.text("release.id").map(|id| format!("release/{id}"));
        Some((self.context.environment(None), change))
    }

    fn workflow_run(&self) -> Option<(String, Change)> {
        if self.text("action")? != "completed" {
            return None;
        }
        let status = outcome(&self.text("workflow_run.conclusion")?);
        let name = self.text("workflow_run.name").or_else(|| self.text("workflow.name")).unwrap_or_default();
        let branch = self.text("workflow_run.head_branch").unwrap_or_default();
        let title = format!("Workflow {name} of {} on {branch}: {status}", self.repository());
        let mut change = self.change("pipeline", title, "workflow_run.updated_at");
        change.version = self.text("workflow_run.head_sha");
        change.status = Some(status);
        change.url = self.text("workflow_run.html_url").or(change.url);
        change.source_id = self.text("workflow_run.id").map(|id| format!("workflow_run/{id}"));
        Some((self.context.environment(None), change))
    }

    /// Only the default branch is what is going to run.
    fn push(&self) -> Option<(String, Change)> {
        let default = format!("refs/heads/{}", self.text("repository.default_branch")?);
        if self.text("ref")? != default || self.text("deleted").as_deref() == Some("true") {
            return None;
        }
        let message = self.text("head_commit.message").unwrap_or_default();
        let line = message.lines().next().unwrap_or_default().to_owned();
        let mut change = self.change("push", format!("Push to {}: {line}", self.repository()), "head_commit.timestamp");
        change.version = self.text("after");
        change.author = self.text("pusher.name").or(change.author);
        change.url = self.text("compare").or(change.url);
        change.source_id = self.text("after").map(|after| format!("push/{after}"));
        Some((self.context.environment(None), change))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{changes, read_from};
    use crate::source::Source;
    use serde_json::{Value, json};

    fn read(event: &str, json: Value) -> super::super::Normalised {
        read_from(&Source::of_format(super::super::find("github").unwrap()), json, Some(event)).unwrap()
    }

    fn with_repository(mut json: Value) -> Value {
        json["repository"] = json!({"name": "shop", "full_name": "acme/shop", "html_url": "https://git.example.com/s",
                                    "default_branch": "main"});
        json["sender"] = json!({"login": "ada"});
        json
    }

    #[test]
    fn deployments_and_their_outcome_are_changes() {
        let deployment = json!({"id": 7, "ref": "v1.4", "sha": "abc", "environment": "staging",
                                "created_at": "2026-11-24T13:00:00Z"});
        let started = read("deployment", with_repository(json!({"deployment": deployment.clone()})));
        let change = changes(&started)[0];
        assert_eq!(change.title, "Deploy acme/shop v1.4 to staging: started");
        assert_eq!((change.service.as_deref(), change.version.as_deref()), (Some("shop"), Some("abc")));
        let ended = with_repository(json!({
            "deployment": deployment,
            "deployment_status": {"state": "failure", "created_at": "2026-11-24T13:05:00Z", "target_url": "https://ci"}
        }));
        let ended = read("deployment_status", ended);
        let change = changes(&ended)[0];
        assert_eq!((change.status.as_deref(), change.source_id.as_deref()), (Some("failed"), Some("deployment/7")));
    }

    #[test]
    fn pushes_count_on_the_default_branch_alone() {
        let push = |reference: &str| {
            with_repository(json!({"ref": reference, "after": "abc", "deleted": false,
                                   "head_commit": {"message": "fix: cart\n\nmore", "timestamp": "2026-11-24T13:00:00Z"}}))
        };
        let main = read("push", push("refs/heads/main"));
        assert_eq!(changes(&main)[0].title, "Push to acme/shop: fix: cart");
        assert!(read("push", push("refs/heads/idea")).items.is_empty());
        assert!(read("star", with_repository(json!({}))).items.is_empty());
        let run = json!({"action": "completed", "workflow_run": {"id": 1, "name": "ci", "conclusion": "success",
                                                                 "head_branch": "main", "head_sha": "abc"}});
        let run = read("workflow_run", with_repository(run));
        assert_eq!(changes(&run)[0].title, "Workflow ci of acme/shop on main: succeeded");
    }
}
