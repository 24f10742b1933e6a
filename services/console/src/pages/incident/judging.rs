//! Judging on an incident's page: what people said of its causes, its like and its proposals, and the buttons by which
//! somebody says more. A button carries the body that the API takes; all belong to the one form of the page, where
//! the name of whoever acts is written once. An incident that is over can be judged like any other.

use hindcast_api::{JudgeRequest, Label, Problem};
use hindcast_domain::IncidentId;
use hindcast_domain::label::{About, Kind};
use maud::{Markup, html};

use crate::pages::parts;

/// People who are named beside one thing.
const NAMED_MAX: usize = 8;

/// What people said of an incident, and whether more can be said here.
#[derive(Clone, Debug)]
pub struct Judging {
    /// The incident's whole id.
    pub incident: String,
    /// Labels that count and that people gave, newest first.
    pub said: Result<Vec<Label>, Problem>,
    /// Whether there are buttons: not in the past, and not where it became a part of another incident.
    pub open: bool,
}

impl Judging {
    fn labels(&self) -> impl Iterator<Item = &Label> {
        self.said.iter().flatten()
    }

    fn id(&self) -> Option<IncidentId> {
        self.incident.parse().ok()
    }

    /// Beside a ranked cause.
    pub(super) fn of_cause(&self, cause: &str) -> Markup {
        let said =
            self.labels().filter(|label| label.kind == Kind::Cause && plain(label.value.as_str()) == plain(cause));
        let said = said.map(|label| (label.by.as_str(), "this was the cause".to_owned()));
        let about = self.id().map(|incident| About::Incident { incident });
        let text = Some(cause.to_owned());
        self.beside(said.collect(), about, &[("This was the cause", "cause")], text.as_ref())
    }

    /// Causes that people named and that are none of the ranked ones.
    pub(super) fn other_causes(&self, ranked: &[&str]) -> Markup {
        let ranked: Vec<String> = ranked.iter().map(|cause| plain(cause)).collect();
        let named =
            self.labels().filter(|label| label.kind == Kind::Cause && !ranked.contains(&plain(label.value.as_str())));
        let named: Vec<&Label> = named.take(NAMED_MAX).collect();
        html! {
            @if let Err(problem) = &self.said { (parts::unavailable(problem)) }
            @if !named.is_empty() {
                ul.plainly.named { @for label in &named { li { b { (label.by) } " says it was: " (label.value.as_str()) } } }
            }
        }
    }

    /// Beside an earlier incident that is shown as similar.
    pub(super) fn of_recall(&self, earlier: &str) -> Markup {
        let said = self.labels().filter_map(|label| match &label.about {
            About::Recall { similar, .. } if similar.as_str() == earlier => {
                let word = if label.value == "confirmed" { "the same problem" } else { "not the same" };
                Some((label.by.as_str(), word.to_owned()))
            }
            _ => None,
        });
        let ids = self.id().zip(earlier.parse().ok());
        let about = ids.map(|(incident, similar)| About::Recall { incident, similar });
        self.beside(said.collect(), about, &[("Same problem", "confirmed"), ("Not the same", "dismissed")], None)
    }

    /// Beside a proposal.
    pub(super) fn of_proposal(&self, id: &str) -> Markup {
        const VERDICTS: [(&str, &str); 4] =
            [("Approve", "approved"), ("Reject", "rejected"), ("Fixed it", "fixed"), ("Did not fix it", "not_fixed")];
        let said = self.labels().filter_map(|label| match &label.about {
            About::Proposal { proposal } if proposal.as_str() == id => {
                let word = match label.value.as_str() {
                    "fixed_by_it" => "fixed it",
                    "not_fixed_by_it" => "did not fix it",
                    other => other,
                };
                Some((label.by.as_str(), word.to_owned()))
            }
            _ => None,
        });
        let about = id.parse().ok().map(|proposal| About::Proposal { proposal });
        self.beside(said.collect(), about, &VERDICTS, None)
    }

    /// Whether it was worth somebody's time, as people say.
    pub(super) fn of_worth(&self) -> Markup {
        let said = self.labels().filter(|label| label.rule.as_str().starts_with("feedback_"));
        said_by(&said.map(|label| (label.by.as_str(), label.value.as_str().replace('_', " "))).collect::<Vec<_>>())
    }

    fn beside(
        &self,
        said: Vec<(&str, String)>,
        about: Option<About>,
        verdicts: &[(&str, &str)],
        text: Option<&String>,
    ) -> Markup {
        let about = about.filter(|_| self.open);
        html! {
            @if about.is_some() || !said.is_empty() {
                p.judge {
                    @if let Some(about) = about {
                        @for (word, verdict) in verdicts { (button(&self.incident, about.clone(), word, verdict, text)) }
                    }
                    (said_by(&said))
                }
            }
        }
    }
}

fn button(incident: &str, about: About, word: &str, verdict: &str, text: Option<&String>) -> Markup {
    let request = JudgeRequest { about, verdict: verdict.into(), text: text.cloned(), incident: None };
    // A request of ours has a JSON form.
    let carried = serde_json::to_string(&request).unwrap_or_default();
    html! {
        button.small type="submit" form="act" formaction=(format!("/{incident}/judge")) name="judgement" value=(carried) { (word) }
    }
}

/// Who said what, each person's word once.
fn said_by(said: &[(&str, String)]) -> Markup {
    let mut once: Vec<&(&str, String)> = Vec::new();
    for one in said {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    html! {
        @for (index, (by, word)) in once.iter().take(NAMED_MAX).enumerate() {
            @if index > 0 { " · " }
            span.sub { b { (by) } ": " (word) }
        }
        @if once.len() > NAMED_MAX { span.sub { " and " (once.len() - NAMED_MAX) " more" } }
    }
}

/// Words without their spacing and case, as two people may write the same cause.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
