//! What a person did, made durable: one commit with the fact and what follows from it. Refuses to know what follows
//! (`plan`), and to decide what becomes of a command.

use std::time::Duration;

use hindcast_api::Code;
use hindcast_chat_cards::{ChatVerb, Interaction, Vendor};
use hindcast_domain::chat::{Act, Received, received_id};
use hindcast_domain::command;
use hindcast_domain::event::Verdict;
use hindcast_domain::label::About;
use hindcast_domain::{ChatId, IncidentId, Partition};
use hindcast_facts::{Appended, NewFact, SubmitError};
use hindcast_http::{HttpRefusal, Result};
use hindcast_intake::NewCommand;

use super::endpoints::{ChatEndpoints, To};
use super::plan::{Plan, refused};
use super::say::{DeliveryResult, Say};
use crate::key;
use crate::rules::{ChatRules, SECTION};

/// How long the ledger's reader is waited for after a start.
const COMPLETE_WITHIN: Duration = Duration::from_secs(1);
/// How long a delivery may take to become durable: vendors wait for three seconds.
const DURABLE_WITHIN: Duration = Duration::from_millis(2_500);
/// How long a dialog may take to open: the vendor's permission lasts for three seconds.
const DIALOG_WITHIN: Duration = Duration::from_millis(2_500);

impl ChatEndpoints {
    /// Makes what a person did durable, once, and tells them at once what can be told.
    ///
    /// # Errors
    /// 503 where it is not durable: the vendor, or the person, has to try again.
    pub async fn receive(&self, interaction: Interaction, verified: Verdict) -> Result<DeliveryResult> {
        let vendor = interaction.vendor;
        let hashed = key::hashed(vendor.word(), &interaction.key);
        let id = received_id(vendor.word(), &hashed);
        let entry = self.options().taken.entry(&id);
        // Whoever brings the same while it is under way waits for its outcome.
        let mut taken = entry.lock().await;
        if *taken || self.options().taken.knows(&id) {
            self.count(vendor, "repeated");
            return Ok(DeliveryResult::default());
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
    ) -> Result<DeliveryResult> {
        let vendor = interaction.vendor;
        let rules = self.rules().await?;
        let known = rules.known(vendor, &interaction.user);
        let plan = match self.plan(interaction, &rules, &known).await {
            Ok(plan) => plan,
            Err(problem) if problem.status == 503 => return Err(problem.into()),
            Err(problem) => Plan::Refuse("refused", refused(&problem)),
        };
        let received = Received {
            vendor: vendor.word().into(),
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
        let fact = ChatFact { id, actor: &known.actor, received };
        self.carry_out(interaction, plan, fact).await
    }

    async fn carry_out(&self, interaction: &Interaction, plan: Plan, fact: ChatFact<'_>) -> Result<DeliveryResult> {
        let vendor = interaction.vendor;
        let whole = Partition::whole(Partition::TENANT);
        let (outcome, say) = match plan {
            Plan::Refuse(outcome, say) => (outcome, Some(Say::Words(say))),
            Plan::Look { say, incident } => {
                self.write(&whole, vec![fact.of(Act::Looked, incident, None)]).await?;
                ("looked", Some(say))
            }
            Plan::Dialog { body, incident } => {
                let facts = vec![fact.of(Act::Looked, Some(incident), None)];
                let (opened, written) = tokio::join!(self.open(interaction, &body), self.write(&whole, facts));
                written?;
                ("looked", opened.err().map(Say::Words))
            }
            Plan::Ask { incident, text } => {
                self.write(&whole, vec![fact.of(Act::Asked, incident, Some(text))]).await?;
                ("asked", None)
            }
            Plan::Order { partition, incident, command, moves } => {
                // Its lane would take the same words a moment later for another command under the same key.
                if moves && self.is_known(fact.id).await? {
                    return Ok(DeliveryResult::default());
                }
                let key = key::of_command(vendor.word(), &fact.received.key);
                // What becomes of it is told by whoever follows the ledger, also after a restart.
                if let Some(address) = &interaction.reply.response_url {
                    self.options().replies.keep(key.clone(), address.clone());
                }
                let order = NewCommand {
                    subject: incident.to_string(),
                    actor: fact.actor.to_owned(),
                    command: command::Received { key, if_match: None, command },
                    traceparent: None,
                };
                let about = incident.clone();
                let facts = vec![fact.of(Act::Commanded, Some(incident), None)];
                self.append_order(&partition, facts, order).await?;
                // Whoever presses sees the card; whoever types may be in another channel.
                let typed = matches!(interaction.verb, ChatVerb::Typed { .. });
                let taken = || Say::Words(format!("Taken. What comes of it: {}", self.options().page(&about)));
                ("commanded", typed.then(taken))
            }
            Plan::Judge { partition, incident, judged } => {
                if self.is_known(fact.id).await? {
                    return Ok(DeliveryResult::default());
                }
                let judgement = fact.beside(&subject_of(&judged.about), judged);
                self.write(&partition, vec![fact.of(Act::Judged, incident, None), judgement]).await?;
                ("judged", Some(Say::Words("Thank you: that is remembered.".to_owned())))
            }
        };
        self.count(vendor, outcome);
        Ok(DeliveryResult { say })
    }

    /// Whether a delivery came already, once the ledger was read. A judgement has no key that its lane knows.
    async fn is_known(&self, id: &ChatId) -> Result<bool> {
        let complete = self.options().taken.completed();
        let early = |_| HttpRefusal::new(Code::Unavailable, "the ledger is still being read");
        tokio::time::timeout(COMPLETE_WITHIN, complete).await.map_err(early)?;
        Ok(self.options().taken.knows(id))
    }

    async fn write(&self, partition: &Partition, facts: Vec<NewFact>) -> Result<()> {
        durable(self.options().writer.submit(partition, facts)).await
    }

    async fn append_order(&self, partition: &Partition, facts: Vec<NewFact>, command: NewCommand) -> Result<()> {
        durable(self.options().commands.submit_after(partition, facts, command)).await
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

    pub(super) async fn rules(&self) -> Result<ChatRules> {
        let section = self.options().queries.now().await?.configured(SECTION).await?;
        let Some((_, content)) = section else { return Ok(ChatRules::default()) };
        serde_json::from_value(content).map_err(|_| HttpRefusal::new(Code::Internal, "the section chat cannot be read"))
    }

    /// Tells somebody something after the vendor was answered.
    pub(super) fn say(&self, vendor: Vendor, to: To, done: DeliveryResult) {
        if let Some(say) = done.say {
            self.whisper(vendor, to, say);
        }
    }
}

/// Waits for durability as long as the vendor waits for its answer.
async fn durable(appended: impl Future<Output = core::result::Result<Appended, SubmitError>>) -> Result<()> {
    match tokio::time::timeout(DURABLE_WITHIN, appended).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a delivery of chat is not durable");
            Err(HttpRefusal::new(Code::Unavailable, "the ledger takes nothing now"))
        }
        Err(_) => Err(HttpRefusal::new(Code::Unavailable, "the ledger takes too long now")),
    }
}

/// The fact of what a person did, and whatever stands beside it.
struct ChatFact<'a> {
    id: &'a ChatId,
    actor: &'a str,
    received: Received,
}

impl ChatFact<'_> {
    fn of(&self, act: Act, incident: Option<IncidentId>, text: Option<String>) -> NewFact {
        let received = Received { incident, act, text, ..self.received.clone() };
        self.beside(self.id.as_str(), received)
    }

    fn beside(&self, subject: &str, fact: impl Into<hindcast_domain::fact::Fact>) -> NewFact {
        NewFact::new(subject, self.actor, fact)
    }
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

// A dialog's own bound lies below what the vendor waits for.
const _: () = assert!(DIALOG_WITHIN.as_millis() <= DURABLE_WITHIN.as_millis());
