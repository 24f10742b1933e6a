//! What a person did, made durable: who they are and what they may do, which incident it is about, and one commit
//! with the fact and what follows from it. Refuses to decide what becomes of a command.

use std::time::Duration;

use hindcast_advice::proposed;
use hindcast_api::{Code, Incident, Problem};
use hindcast_chat_cards::{Interaction, Vendor, Verb};
use hindcast_domain::chat::{Act, Received, received_id};
use hindcast_domain::command::{self, Command};
use hindcast_domain::event::{Event, Verdict};
use hindcast_domain::incident::Status;
use hindcast_domain::label::{About, Judged};
use hindcast_domain::limits::TEXT_BYTES_MAX;
use hindcast_domain::{ChatId, IncidentId, Partition};
use hindcast_events::NewEvent;
use hindcast_http::{Refusal, Result};
use hindcast_queries::{IncidentFilter, Window};
use hindcast_redact::Redactor;

use super::{DURABLE_WITHIN, Door, To};
use crate::rules::{Known, Role, Rules, SECTION};
use crate::{key, surface};

/// How long the ledger's reader is waited for after a start.
const COMPLETE_WITHIN: Duration = Duration::from_secs(1);
/// How long a dialog may take to open: the vendor's permission lasts for three seconds.
const DIALOG_WITHIN: Duration = Duration::from_millis(2_500);
/// How long a proposal may take to be recorded before it is judged.
const PROPOSED_WITHIN: Duration = Duration::from_millis(1_000);
/// Incidents that a list is made of; what a message has no room for is counted there.
const LISTED_MAX: usize = 200;

/// What can be said.
const HELP: &str = "Ask anything about an incident. Or say: `list`, `show 7Q2K`, `ack 7Q2K`, `unack 7Q2K`, \
                    `resolve 7Q2K what it was`, `reopen 7Q2K`, `merge 7Q2K into 9F3C`. The beginning of an \
                    incident's id is enough.";

/// What a delivery comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// What the person is told at once, if anything.
    pub say: Option<Say>,
}

/// What one person is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// A few words.
    Words(String),
    /// An incident, as its card shows it.
    Incident(IncidentId),
    /// Incidents that go on.
    List(Vec<Incident>),
    /// A message as the vendor shows it.
    Message(serde_json::Value),
}

/// What follows from what a person did.
enum Plan {
    /// Nothing: they may not, or it makes no sense. They are told why.
    Refuse(&'static str, String),
    /// They see something.
    Look { say: Say, incident: Option<IncidentId> },
    /// A dialog opens.
    Dialog { body: serde_json::Value, incident: IncidentId },
    /// A question.
    Ask { incident: Option<IncidentId>, text: String },
    /// A command.
    Order { partition: Partition, incident: IncidentId, command: Command },
    /// A judgement.
    Judge { partition: Partition, incident: Option<IncidentId>, judged: Judged },
}

type Planned = core::result::Result<Plan, Problem>;

impl Door {
    /// Makes what a person did durable, once, and tells them at once what can be told.
    ///
    /// # Errors
    /// 503 where it is not durable: the vendor, or the person, has to try again.
    pub async fn receive(&self, interaction: Interaction, verified: Verdict) -> Result<Done> {
        let vendor = interaction.vendor;
        let hashed = key::hashed(vendor.word(), &interaction.key);
        let id = received_id(vendor.word(), &hashed);
        let entry = self.options().taken.entry(&id);
        // Whoever brings the same while it is under way waits for its outcome.
        let mut taken = entry.lock().await;
        if *taken || self.options().taken.knows(&id) {
            self.count(vendor, "repeated");
            return Ok(Done::default());
        }
        let done = self.take_first(&interaction, &id, hashed, verified).await?;
        *taken = true;
        Ok(done)
    }

    async fn take_first(
        &self,
        interaction: &Interaction,
        id: &ChatId,
        hashed: String,
        verified: Verdict,
    ) -> Result<Done> {
        let vendor = interaction.vendor;
        let known = self.rules().await?.known(vendor, &interaction.user);
        let plan = match self.plan(interaction, &known).await {
            Ok(plan) => plan,
            Err(problem) if problem.status == 503 => return Err(problem.into()),
            Err(problem) => Plan::Refuse("refused", refused(&problem)),
        };
        let received = Received {
            vendor: vendor.word().to_owned(),
            key: hashed,
            user: interaction.user.clone(),
            person: known.person.clone(),
            channel: interaction.channel.clone(),
            thread: interaction.thread.clone(),
            incident: None,
            act: Act::Looked,
            text: None,
            service_url: interaction.service_url.clone(),
            verified,
        };
        let fact = Fact { id, actor: &known.actor, received };
        self.carry_out(interaction, plan, fact).await
    }

    async fn carry_out(&self, interaction: &Interaction, plan: Plan, fact: Fact<'_>) -> Result<Done> {
        let vendor = interaction.vendor;
        let whole = Partition::whole(Partition::TENANT);
        let (outcome, say) = match plan {
            Plan::Refuse(outcome, say) => (outcome, Some(Say::Words(say))),
            Plan::Look { say, incident } => {
                self.write(&whole, vec![fact.of(Act::Looked, incident, None)]).await?;
                ("looked", Some(say))
            }
            Plan::Dialog { body, incident } => {
                let events = vec![fact.of(Act::Looked, Some(incident), None)];
                let (opened, written) = tokio::join!(self.open(interaction, &body), self.write(&whole, events));
                written?;
                ("looked", opened.err().map(Say::Words))
            }
            Plan::Ask { incident, text } => {
                self.write(&whole, vec![fact.of(Act::Asked, incident, Some(text))]).await?;
                ("asked", None)
            }
            Plan::Order { partition, incident, command } => {
                let key = key::of_command(vendor.word(), &fact.received.key);
                // What becomes of it is told by whoever follows the ledger, also after a restart.
                if let Some(address) = &interaction.reply.response_url {
                    self.options().replies.keep(key.clone(), address.clone());
                }
                let received = command::Received { key, if_match: None, command };
                let order = fact.beside(incident.as_str(), Event::Command(received));
                let about = incident.clone();
                let events = vec![fact.of(Act::Commanded, Some(incident), None), order];
                self.write(&partition, events).await?;
                // Whoever presses sees the card; whoever types may be in another channel.
                let typed = matches!(interaction.verb, Verb::Typed { .. });
                let taken = || Say::Words(format!("Taken. What comes of it: {}", self.options().page(&about)));
                ("commanded", typed.then(taken))
            }
            Plan::Judge { partition, incident, judged } => {
                self.is_complete().await?;
                if self.options().taken.knows(fact.id) {
                    return Ok(Done::default());
                }
                let judgement = fact.beside(&subject_of(&judged.about), Event::LabelJudged(judged));
                self.write(&partition, vec![fact.of(Act::Judged, incident, None), judgement]).await?;
                ("judged", Some(Say::Words("Thank you: that is remembered.".to_owned())))
            }
        };
        self.count(vendor, outcome);
        Ok(Done { say })
    }

    /// A judgement has no key that its lane knows: whether it came already must be known here.
    async fn is_complete(&self) -> Result<()> {
        let complete = self.options().taken.completed();
        let early = |_| Refusal::new(Code::Unavailable, "the ledger is still being read");
        tokio::time::timeout(COMPLETE_WITHIN, complete).await.map_err(early)
    }

    async fn write(&self, partition: &Partition, events: Vec<NewEvent>) -> Result<()> {
        match tokio::time::timeout(DURABLE_WITHIN, self.options().writer.submit(partition, events)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a delivery of chat is not durable");
                Err(Refusal::new(Code::Unavailable, "the ledger takes nothing now"))
            }
            Err(_) => Err(Refusal::new(Code::Unavailable, "the ledger takes too long now")),
        }
    }

    async fn open(&self, interaction: &Interaction, body: &serde_json::Value) -> core::result::Result<(), String> {
        let vendor = interaction.vendor;
        let closed = || "The dialog could not be opened. Press the button again.".to_owned();
        let (Some(chat), Some(trigger)) = (self.options().vendor(vendor.word()), &interaction.reply.trigger) else {
            return Err(closed());
        };
        match tokio::time::timeout(DIALOG_WITHIN, chat.open(trigger, body)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                self.count(vendor, "unopened");
                Err(closed())
            }
        }
    }

    pub(super) async fn rules(&self) -> Result<Rules> {
        let section = self.options().queries.configured(SECTION, None).await?;
        let Some((_, content)) = section else { return Ok(Rules::default()) };
        serde_json::from_value(content).map_err(|_| Refusal::new(Code::Internal, "the section chat cannot be read"))
    }

    // ── what follows ───────────────────────────────────────────────────────────────────────────────

    async fn plan(&self, interaction: &Interaction, known: &Known) -> Planned {
        let needs = role_of(&interaction.verb);
        if known.role < needs {
            let say = format!(
                "That needs the role {}, and you have {}. Ask whoever runs Hindcast to add you ({}) to its people.",
                needs.word(),
                known.role.word(),
                interaction.user,
            );
            return Ok(Plan::Refuse("forbidden", say));
        }
        let incident = |id: &IncidentId| id.to_string();
        match &interaction.verb {
            Verb::Acknowledge(id) => self.order(&incident(id), Word::Acknowledge).await,
            Verb::Unacknowledge(id) => self.order(&incident(id), Word::Unacknowledge).await,
            Verb::Reopen(id) => self.order(&incident(id), Word::Reopen).await,
            Verb::Resolve { incident: id, cause, resolution } => {
                let word = Word::Resolve { cause: cause.clone(), resolution: resolution.clone() };
                self.order(&incident(id), word).await
            }
            Verb::Merge { incident: id, into } => {
                self.order(&incident(id), Word::Merge { into: into.to_string() }).await
            }
            Verb::OpenResolve(id) | Verb::OpenMerge(id) | Verb::OpenAsk(id) => self.dialog(interaction, id).await,
            Verb::Ask { incident, text } => Ok(ask(incident.clone(), text)),
            Verb::Judge { incident, about, verdict, text } => {
                self.judge(incident.as_ref(), about, verdict, text.as_deref()).await
            }
            Verb::Typed { word, incident, rest } => self.typed(word, incident.as_deref(), rest).await,
            Verb::Help => Ok(Plan::Look { say: help(), incident: None }),
        }
    }

    async fn typed(&self, word: &str, named: Option<&str>, rest: &str) -> Planned {
        let said = Some(rest.trim().to_owned()).filter(|text| !text.is_empty());
        let word = match (word, named) {
            ("list", _) => return self.list().await,
            ("show", named) => return self.show(named).await,
            ("ack" | "unack" | "resolve" | "reopen" | "merge", None) => {
                let say = format!("Expected the beginning of an incident's id after `{word}`, such as `{word} 7Q2K`.");
                return Ok(Plan::Refuse("refused", say));
            }
            ("ack", Some(_)) => Word::Acknowledge,
            ("unack", Some(_)) => Word::Unacknowledge,
            ("reopen", Some(_)) => Word::Reopen,
            ("resolve", Some(_)) => Word::Resolve { cause: said, resolution: None },
            ("merge", Some(_)) => match said.as_deref().map(|text| text.strip_prefix("into ").unwrap_or(text)) {
                Some(into) => Word::Merge { into: into.trim().to_owned() },
                None => {
                    let say = "Expected what it is merged into, such as `merge 7Q2K into 9F3C`.".to_owned();
                    return Ok(Plan::Refuse("refused", say));
                }
            },
            _ => return Ok(Plan::Look { say: help(), incident: None }),
        };
        self.order(named.unwrap_or_default(), word).await
    }

    async fn order(&self, named: &str, word: Word) -> Planned {
        let incident = self.incident(named).await?;
        let id = id_of(&incident)?;
        let partition = self.options().queries.partition_of(&incident.id).await?;
        // A card is always a moment behind while alerts join, so the revision that a person saw refuses nothing: what
        // makes no sense any more (resolved, merged away) is refused by the incident's own state.
        let command = match word {
            Word::Acknowledge => Command::AcknowledgeIncident { incident: id.clone() },
            Word::Unacknowledge => Command::UnacknowledgeIncident { incident: id.clone() },
            Word::Reopen => Command::ReopenIncident { incident: id.clone() },
            Word::Resolve { cause, resolution } => {
                let (cause, resolution) = (clean("the cause", cause)?, clean("the resolution", resolution)?);
                Command::ResolveIncident { incident: id.clone(), cause, resolution }
            }
            Word::Merge { into } => {
                let into = self.incident(&into).await?;
                if into.id == incident.id {
                    return Err(Problem::new(Code::Invalid, "expected two incidents to merge, got one twice"));
                }
                if self.options().queries.partition_of(&into.id).await? != partition {
                    return Err(Problem::new(Code::CrossPartition, "expected two incidents of one environment"));
                }
                Command::MergeIncident { incident: id.clone(), into: id_of(&into)? }
            }
        };
        Ok(Plan::Order { partition, incident: id, command })
    }

    async fn judge(&self, incident: Option<&IncidentId>, about: &About, verdict: &str, text: Option<&str>) -> Planned {
        let partition = match incident {
            Some(incident) => self.options().queries.partition_of(incident.as_str()).await?,
            None => Partition::whole(Partition::TENANT),
        };
        if let (About::Proposal { proposal }, Some(incident)) = (about, incident) {
            let (queries, advice) = (self.options().queries.as_ref(), self.options().advice.as_ref());
            let stands = proposed::stands(queries, advice, incident.as_str(), proposal.as_str());
            // A word on what is proposed no more is a word all the same.
            if !matches!(tokio::time::timeout(PROPOSED_WITHIN, stands).await, Ok(Ok(()))) {
                tracing::debug!(%proposal, "a proposal that is judged stands in no ledger");
            }
        }
        let judged = Judged {
            about: about.clone(),
            verdict: verdict.to_owned(),
            text: clean("the words", text.map(ToOwned::to_owned))?,
        };
        Ok(Plan::Judge { partition, incident: incident.cloned(), judged })
    }

    async fn dialog(&self, interaction: &Interaction, id: &IncidentId) -> Planned {
        let incident = self.incident(id.as_str()).await?;
        let vendor = interaction.vendor;
        let from = (interaction.channel.as_str(), interaction.thread.as_deref());
        let form = match &interaction.verb {
            Verb::OpenMerge(_) => {
                let others = self.others(&incident).await?;
                surface::dialog(vendor, &surface::Dialog::Merge(&incident, &others), from)
            }
            Verb::OpenAsk(_) => surface::dialog(vendor, &surface::Dialog::Ask(&incident), from),
            _ => surface::dialog(vendor, &surface::Dialog::Resolve(&incident), from),
        };
        let incident = id.clone();
        Ok(match form {
            surface::Form::Dialog(body) => Plan::Dialog { body, incident },
            surface::Form::Message(body) => Plan::Look { say: Say::Message(body), incident: Some(incident) },
            surface::Form::InPlace => Plan::Look { say: help(), incident: Some(incident) },
        })
    }

    // ── what is read for it ────────────────────────────────────────────────────────────────────────

    async fn incident(&self, named: &str) -> core::result::Result<Incident, Problem> {
        let named = named.trim();
        if named.is_empty() {
            return Err(Problem::new(Code::Invalid, "expected an incident's id, got nothing"));
        }
        self.options().queries.incident(Some(named), None).await
    }

    /// Live incidents of the same environment.
    async fn others(&self, incident: &Incident) -> core::result::Result<Vec<Incident>, Problem> {
        let filter = IncidentFilter {
            status: vec![Status::Open, Status::Acknowledged],
            environment: Some(incident.environment.clone()),
            ..IncidentFilter::default()
        };
        let window = Window { limit: Some(LISTED_MAX), ..Window::default() };
        let page = self.options().queries.incidents(filter, window).await?;
        Ok(page.items.into_iter().filter(|other| other.id != incident.id).collect())
    }

    async fn list(&self) -> Planned {
        let filter = IncidentFilter { status: vec![Status::Open, Status::Acknowledged], ..IncidentFilter::default() };
        let window = Window { limit: Some(LISTED_MAX), ..Window::default() };
        let page = self.options().queries.incidents(filter, window).await?;
        Ok(Plan::Look { say: Say::List(page.items), incident: None })
    }

    async fn show(&self, named: Option<&str>) -> Planned {
        let incident = self.options().queries.incident(named.map(str::trim), None).await?;
        let id = id_of(&incident)?;
        Ok(Plan::Look { say: Say::Incident(id.clone()), incident: Some(id) })
    }

    /// Tells somebody something after the vendor was answered.
    pub(super) fn say(&self, vendor: Vendor, to: To, done: Done) {
        if let Some(say) = done.say {
            self.whisper(vendor, to, say);
        }
    }
}

/// What somebody wants done with an incident.
enum Word {
    Acknowledge,
    Unacknowledge,
    Reopen,
    Resolve { cause: Option<String>, resolution: Option<String> },
    Merge { into: String },
}

/// The fact of what a person did, and whatever stands beside it.
struct Fact<'a> {
    id: &'a ChatId,
    actor: &'a str,
    received: Received,
}

impl Fact<'_> {
    fn of(&self, act: Act, incident: Option<IncidentId>, text: Option<String>) -> NewEvent {
        let received = Received { incident, act, text, ..self.received.clone() };
        self.beside(self.id.as_str(), Event::ChatReceived(received))
    }

    fn beside(&self, subject: &str, event: Event) -> NewEvent {
        NewEvent { subject: subject.to_owned(), actor: self.actor.to_owned(), event, traceparent: None }
    }
}

/// What somebody has to be for it.
fn role_of(verb: &Verb) -> Role {
    match verb {
        Verb::Ask { .. } | Verb::OpenAsk(_) | Verb::Help => Role::Viewer,
        Verb::Typed { word, .. } if !matches!(word.as_str(), "ack" | "unack" | "resolve" | "reopen" | "merge") => {
            Role::Viewer
        }
        _ => Role::Responder,
    }
}

fn ask(incident: Option<IncidentId>, text: &str) -> Plan {
    match clean("the question", Some(text.to_owned())) {
        Ok(Some(text)) => Plan::Ask { incident, text },
        Ok(None) => Plan::Look { say: help(), incident },
        Err(problem) => Plan::Refuse("refused", sentence(&problem.detail)),
    }
}

/// What somebody wrote, without its secrets; nothing where it says nothing.
fn clean(name: &str, text: Option<String>) -> core::result::Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.len() > TEXT_BYTES_MAX {
        let detail = format!("expected at most {TEXT_BYTES_MAX} bytes as {name}, got {}", text.len());
        return Err(Problem::new(Code::Invalid, detail));
    }
    Ok(Some(Redactor::default().text(&text)))
}

fn id_of(incident: &Incident) -> core::result::Result<IncidentId, Problem> {
    incident.id.parse().map_err(|_| Problem::new(Code::Internal, "a view holds no id of an incident"))
}

/// What a judgement is about, by its id.
fn subject_of(about: &About) -> String {
    match about {
        About::Incident { incident } | About::Recall { incident, .. } => incident.to_string(),
        About::Alert { fingerprint, .. } => fingerprint.to_string(),
        About::Pair { younger, .. } => younger.to_string(),
        About::Proposal { proposal } => proposal.to_string(),
        About::Notice { notice } => notice.to_string(),
        About::Conversation { conversation } => conversation.to_string(),
    }
}

/// Why not, in words for people in a channel: remedies of the API lead nowhere there.
fn refused(problem: &Problem) -> String {
    let detail = sentence(&problem.detail);
    match problem.status {
        404 => format!("{detail}. Say `list` to see what goes on."),
        409 if problem.code == Code::Ambiguous.parts().0 => format!("{detail}. Use more of the id."),
        _ => format!("{detail}."),
    }
}

fn help() -> Say {
    Say::Words(HELP.to_owned())
}

fn sentence(detail: &str) -> String {
    let mut chars = detail.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

// A dialog's own bound lies below what the vendor waits for.
const _: () = assert!(DIALOG_WITHIN.as_millis() <= DURABLE_WITHIN.as_millis());
