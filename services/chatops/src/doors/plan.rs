//! What follows from what a person did: whether they may, which incident it is about, and which command, judgement,
//! question, dialog or message it comes to. The acts and what each needs are the catalogue's. Writes nothing.

use std::time::Duration;

use hindcast_advice::proposed;
use hindcast_api::{Code, Incident, Problem};
use hindcast_chat_cards::view::DialogChoices;
use hindcast_chat_cards::{ChatVerb, Interaction, Vendor};
use hindcast_domain::act::{self, ActEntry, ActRole, ArgumentForm};
use hindcast_domain::command::Command;
use hindcast_domain::incident::Status;
use hindcast_domain::label::{About, Judged};
use hindcast_domain::limits::TEXT_BYTES_MAX;
use hindcast_domain::text::capitalized;
use hindcast_domain::{IncidentId, Partition};
use hindcast_queries::{AlertFilter, IncidentFilter, ListPart, Snapshot, references};
use hindcast_redact::Redactor;
use serde_json::{Map, Value};

use super::endpoints::ChatEndpoints;
use super::say::Say;
use crate::rules::{ChatRules, Known};
use crate::surface;

/// How long a proposal may take to be recorded before it is judged.
const PROPOSED_WITHIN: Duration = Duration::from_millis(1_000);
/// Incidents or alerts that a list is made of; what a message has no room for is counted there.
const LISTED_MAX: usize = 200;

/// What follows from what a person did.
pub(super) enum Plan {
    /// Nothing: they may not, or it makes no sense. They are told why.
    Refuse(&'static str, String),
    /// They see something.
    Look { say: Say, incident: Option<IncidentId> },
    /// A dialog opens.
    Dialog { body: Value, incident: IncidentId },
    /// A question.
    Ask { incident: Option<IncidentId>, text: String },
    /// A command.
    Order {
        /// Where it goes.
        partition: Partition,
        /// What it is about.
        incident: IncidentId,
        /// What is asked for.
        command: Command,
        /// Whether it would be another one later: its time was said relative to now.
        moves: bool,
    },
    /// A judgement.
    Judge { partition: Partition, incident: Option<IncidentId>, judged: Judged },
}

type Planned = Result<Plan, Problem>;

impl ChatEndpoints {
    /// What follows for whoever is known so.
    pub(super) async fn plan(&self, interaction: &Interaction, rules: &ChatRules, known: &Known) -> Planned {
        let needs = role_of(&interaction.verb);
        if known.role < needs {
            let say = format!(
                "That needs the role {}, and you have {}. Ask an administrator of Hindcast to add you ({}) to its people.",
                needs.word(),
                known.role.word(),
                interaction.user,
            );
            return Ok(Plan::Refuse("forbidden", say));
        }
        let seen = self.options().queries.now().await?;
        match &interaction.verb {
            ChatVerb::Act { act, incident, body } => self.order(&seen, act.entry(), incident.as_str(), body).await,
            ChatVerb::OpenAct { incident, .. } | ChatVerb::OpenMore(incident) | ChatVerb::OpenAsk(incident) => {
                self.dialog(&seen, interaction, incident).await
            }
            ChatVerb::Ask { incident, text } => Ok(ask(incident.clone(), text)),
            ChatVerb::Judge { incident, about, verdict, text } => {
                self.judge(&seen, incident.as_ref(), about, verdict, text.as_deref()).await
            }
            ChatVerb::Typed { word, incident, rest } => {
                let rest = people(rest, interaction.vendor, rules, known);
                self.typed(&seen, word, incident.as_deref(), &rest).await
            }
            ChatVerb::Help => Ok(Plan::Look { say: help(), incident: None }),
        }
    }

    async fn typed(&self, seen: &Snapshot, word: &str, named: Option<&str>, rest: &str) -> Planned {
        let (act, chat) = match (word, act::of_chat(word)) {
            ("list", _) => return list(seen).await,
            ("show", _) => return show(seen, named).await,
            (_, Some(found)) => found,
            (_, None) => return Ok(Plan::Look { say: help(), incident: None }),
        };
        let Some(named) = named else {
            let say =
                format!("Expected the beginning of an incident's id after `{word}`, such as `{}`.", example(chat));
            return Ok(Plan::Refuse("refused", say));
        };
        let mut body = Map::new();
        if let Some(argument) = chat.rest.and_then(|name| act.argument(name)) {
            let value = if rest.trim().is_empty() { None } else { argument.of_text(rest) };
            let is_needed = argument.required || !act.one_of.is_empty();
            if value.is_none() && is_needed {
                let say = format!("Expected more after `{word} {named}`, such as `{}`.", example(chat));
                return Ok(Plan::Refuse("refused", say));
            }
            body.extend(value.map(|value| (argument.name.to_owned(), value)));
        }
        self.order(seen, act, named, &Value::Object(body)).await
    }

    async fn order(&self, seen: &Snapshot, act: &'static ActEntry, named: &str, body: &Value) -> Planned {
        let incident = incident_of(seen, named).await?;
        let id = id_of(&incident)?;
        let invalid = |error: act::ArgumentError| Problem::new(Code::Invalid, error.detail);
        let mut redactor = Redactor::default();
        let given = act.read(body).map_err(invalid)?.cleaned(|text| redactor.text(text));
        let (partition, found) = references(seen, &given, &incident).await?;
        // A card is always a moment behind while alerts join, so the revision that a person saw refuses nothing: what
        // makes no sense any more (resolved, merged away) is refused by the incident's own state.
        let command = given.command(found, self.options().clock.now()).map_err(invalid)?;
        Ok(Plan::Order { partition, incident: id, command, moves: given.span().is_some() })
    }

    async fn judge(
        &self,
        seen: &Snapshot,
        incident: Option<&IncidentId>,
        about: &About,
        verdict: &str,
        text: Option<&str>,
    ) -> Planned {
        let partition = match incident {
            Some(incident) => seen.partition_of(incident.as_str()).await?,
            None => Partition::whole(Partition::TENANT),
        };
        if let (About::Proposal { proposal }, Some(incident)) = (about, incident) {
            let stands = proposed::stands(seen, self.options().advice.as_ref(), incident.as_str(), proposal.as_str());
            // A word on what is proposed no more is a word all the same.
            if !matches!(tokio::time::timeout(PROPOSED_WITHIN, stands).await, Ok(Ok(()))) {
                tracing::debug!(%proposal, "a proposal that is judged stands in no ledger");
            }
        }
        let judged = Judged {
            about: about.clone(),
            verdict: verdict.into(),
            text: clean("the words", text.map(ToOwned::to_owned))?,
        };
        Ok(Plan::Judge { partition, incident: incident.cloned(), judged })
    }

    // ── dialogs ────────────────────────────────────────────────────────────────────────────────────

    async fn dialog(&self, seen: &Snapshot, interaction: &Interaction, id: &IncidentId) -> Planned {
        let incident = incident_of(seen, id.as_str()).await?;
        let vendor = interaction.vendor;
        let from = (interaction.channel.as_str(), interaction.thread.as_deref());
        let asked: Vec<&'static ActEntry> = match &interaction.verb {
            ChatVerb::OpenAct { act, .. } => vec![act.entry()],
            ChatVerb::OpenMore(_) => {
                hindcast_chat_cards::buttons::in_menu(incident.status).map(|(act, _)| act).collect()
            }
            _ => Vec::new(),
        };
        let choices = choices(seen, &incident, &asked).await?;
        let dialog = match &interaction.verb {
            ChatVerb::OpenAct { act, .. } => surface::Dialog::Act(act.entry(), &incident, &choices),
            ChatVerb::OpenMore(_) => surface::Dialog::More(&incident, &choices),
            _ => surface::Dialog::Ask(&incident),
        };
        let incident = id.clone();
        Ok(match surface::dialog(vendor, &dialog, from) {
            surface::DialogKind::Dialog(body) => Plan::Dialog { body, incident },
            surface::DialogKind::Message(body) => Plan::Look { say: Say::Message(body), incident: Some(incident) },
            surface::DialogKind::InPlace => Plan::Look { say: help(), incident: Some(incident) },
        })
    }
}

/// What the acts' dialogs let people choose from.
async fn choices(seen: &Snapshot, incident: &Incident, acts: &[&'static ActEntry]) -> Result<DialogChoices, Problem> {
    let has = |form: ArgumentForm| acts.iter().any(|act| act.fields().any(|argument| argument.form == form));
    let mut choices = DialogChoices::default();
    if has(ArgumentForm::Incident) {
        choices.incidents = others(seen, incident).await?;
    }
    if has(ArgumentForm::Fingerprints) {
        let filter = AlertFilter { incident: Some(incident.id.clone()), ..AlertFilter::default() };
        let alerts = seen.alerts(filter, ListPart::first(LISTED_MAX)).await?.items;
        let named = |alert: hindcast_api::Alert| match alert.service {
            Some(service) => (format!("{} ({service})", alert.name), alert.fingerprint),
            None => (alert.name, alert.fingerprint),
        };
        choices.alerts = alerts.into_iter().map(named).collect();
    }
    Ok(choices)
}

async fn incident_of(seen: &Snapshot, named: &str) -> Result<Incident, Problem> {
    let named = named.trim();
    if named.is_empty() {
        return Err(Problem::new(Code::Invalid, "expected an incident's id, got nothing"));
    }
    seen.incident(Some(named)).await
}

/// Live incidents of the same environment.
async fn others(seen: &Snapshot, incident: &Incident) -> Result<Vec<Incident>, Problem> {
    let filter = IncidentFilter {
        status: vec![Status::Open, Status::Acknowledged],
        environment: Some(incident.environment.clone()),
        ..IncidentFilter::default()
    };
    let page = seen.incidents(filter, ListPart::first(LISTED_MAX)).await?;
    Ok(page.items.into_iter().filter(|other| other.id != incident.id).collect())
}

async fn list(seen: &Snapshot) -> Planned {
    let filter = IncidentFilter { status: vec![Status::Open, Status::Acknowledged], ..IncidentFilter::default() };
    let page = seen.incidents(filter, ListPart::first(LISTED_MAX)).await?;
    Ok(Plan::Look { say: Say::List(page.items), incident: None })
}

async fn show(seen: &Snapshot, named: Option<&str>) -> Planned {
    let incident = seen.incident(named.map(str::trim)).await?;
    let id = id_of(&incident)?;
    Ok(Plan::Look { say: Say::Incident(id.clone()), incident: Some(id) })
}

/// What somebody has to be for it.
fn role_of(verb: &ChatVerb) -> ActRole {
    match verb {
        ChatVerb::Ask { .. } | ChatVerb::OpenAsk(_) | ChatVerb::Help => ActRole::Viewer,
        ChatVerb::Typed { word, .. } => act::of_chat(word).map_or(ActRole::Viewer, |(act, _)| act.role),
        ChatVerb::Act { act, .. } | ChatVerb::OpenAct { act, .. } => act.entry().role,
        ChatVerb::OpenMore(_) | ChatVerb::Judge { .. } => ActRole::Responder,
    }
}

/// People who are named by a mention, by their names here; `me` is whoever says it.
fn people(rest: &str, vendor: Vendor, rules: &ChatRules, known: &Known) -> String {
    let said = rest.trim();
    if said.eq_ignore_ascii_case("me") {
        return known.actor.clone();
    }
    let mentioned = said.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>'));
    match mentioned.map(|id| id.split_once('|').map_or(id, |(id, _)| id)) {
        Some(id) if vendor == Vendor::Slack => rules.known(vendor, id).actor,
        _ => rest.to_owned(),
    }
}

fn ask(incident: Option<IncidentId>, text: &str) -> Plan {
    match clean("the question", Some(text.to_owned())) {
        Ok(Some(text)) => Plan::Ask { incident, text },
        Ok(None) => Plan::Look { say: help(), incident },
        Err(problem) => Plan::Refuse("refused", capitalized(&problem.detail)),
    }
}

/// What somebody wrote, without its secrets; nothing where it says nothing.
fn clean(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.len() > TEXT_BYTES_MAX {
        let detail = format!("expected at most {TEXT_BYTES_MAX} bytes as {name}, got {}", text.len());
        return Err(Problem::new(Code::Invalid, detail));
    }
    Ok(Some(Redactor::default().text(&text)))
}

fn id_of(incident: &Incident) -> Result<IncidentId, Problem> {
    incident.id.parse().map_err(|_| Problem::new(Code::Internal, "a view holds no id of an incident"))
}

/// Why not, in words for people in a channel: remedies of the API lead nowhere there.
pub(super) fn refused(problem: &Problem) -> String {
    let detail = capitalized(&problem.detail);
    match problem.status {
        404 => format!("{detail}. Say `list` to see what goes on."),
        409 if problem.code == Code::Ambiguous => format!("{detail}. Use more of the id."),
        _ => format!("{detail}."),
    }
}

/// What can be said: the acts of the catalogue, each with an example.
pub(super) fn help() -> Say {
    let acts: Vec<String> = act::in_chat().map(|(_, chat)| format!("`{}`", example(chat))).collect();
    Say::Words(format!(
        "Ask anything about an incident. Or say: `list`, `show 7Q2K`, {}. The beginning of an incident's id is enough.",
        acts.join(", "),
    ))
}

/// An act as somebody would type it.
fn example(chat: act::ChatWord) -> String {
    format!("{} 7Q2K {}", chat.word, chat.example).trim_end().to_owned()
}
