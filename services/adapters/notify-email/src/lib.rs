//! Tells people by e-mail, over SMTP. Owns the form of a mail and what a server's replies mean; refuses to know when
//! somebody is told.
//!
//! The one contract of this crate: *a mail counts as taken when the server replied 250 to its data*. Every attempt of
//! a message carries the same `Message-ID`, and the mails about one incident are one thread.
//! Source: RFC 5321 (replies), RFC 5322 (headers, `References`), RFC 3834 (`Auto-Submitted`), RFC 4954 (replies that
//! refuse a credential).

mod mail;
mod server;

use std::collections::{BTreeSet, VecDeque};

use async_trait::async_trait;
use hindcast_domain::Secret;
use hindcast_messaging::Misconfigured;
use hindcast_messaging::notify::{Error, Notification, Notifier, ReceiverTrouble};
use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use tokio::sync::Mutex;

/// Addresses that one receiver has at most: each is sent a mail of its own.
const TO_MAX: usize = 50;
/// Messages of which is remembered who has them, so that another attempt spares those.
const REMEMBERED_MAX: usize = 256;
/// The most that is shown of a server's words, in characters.
const WORDS_MAX: usize = 160;
/// The most that a receipt is long, in characters.
const RECEIPT_MAX: usize = 500;

/// What mail is sent by.
#[derive(Clone, Debug)]
pub struct EmailOptions {
    /// `smtps://HOST[:PORT]`, or `smtp://HOST[:PORT]` with STARTTLS.
    pub url: String,
    /// Whether the connection may stay in clear: a relay on this machine or in a network of one's own.
    pub in_clear: bool,
    /// The account, where the server wants one.
    pub user: Option<String>,
    /// Its secret word, which no error shows.
    pub password: Option<Secret>,
    /// Who writes.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
}

/// People with mailboxes.
pub struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    secrets: Vec<Secret>,
    /// Who has which message already.
    taken: Mutex<VecDeque<(String, BTreeSet<String>)>>,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").finish_non_exhaustive()
    }
}

impl Email {
    /// Writes to these people through this server.
    ///
    /// # Errors
    /// When an address is none, or when a password would travel in clear to another machine.
    pub fn new(options: EmailOptions) -> Result<Self, Misconfigured> {
        let transport = server::transport(&options)?;
        let EmailOptions { from, to, password, .. } = options;
        let from = mailbox("from", &from)?;
        if to.is_empty() || to.len() > TO_MAX {
            let got = format!("{} addresses", to.len());
            return Err(Misconfigured { what: "to", expected: "1 to 50 addresses", got });
        }
        let to = to.iter().map(|to| mailbox("to", to)).collect::<Result<_, _>>()?;
        Ok(Self { transport, from, to, secrets: password.into_iter().collect(), taken: Mutex::default() })
    }

    async fn has(&self, key: &str, to: &Mailbox) -> bool {
        let taken = self.taken.lock().await;
        taken.iter().any(|(known, who)| known == key && who.contains(&to.email.to_string()))
    }

    async fn remember(&self, key: &str, to: &Mailbox) {
        let mut taken = self.taken.lock().await;
        if let Some((_, who)) = taken.iter_mut().find(|(known, _)| known == key) {
            who.insert(to.email.to_string());
            return;
        }
        if taken.len() >= REMEMBERED_MAX {
            taken.pop_front();
        }
        taken.push_back((key.to_owned(), BTreeSet::from([to.email.to_string()])));
    }

    async fn send_one(&self, message: &Notification, to: &Mailbox) -> Result<String, Error> {
        let mail = mail::mail(message, &self.from, to).map_err(|error| Error::Never(error.to_string()))?;
        let reply = self.transport.send(mail).await.map_err(|error| self.refusal(&error))?;
        self.remember(&message.key, to).await;
        let words: Vec<&str> = reply.message().collect();
        Ok(self.short(&format!("{} {}", reply.code(), words.join(" "))))
    }

    /// What a failure means. Reply codes of RFC 4954 refuse the credential; other 5yz refuse this mail.
    fn refusal(&self, error: &SmtpError) -> Error {
        let code = error.status().map(|code| code.to_string()).unwrap_or_default();
        let words = self.short(&deepest(error));
        let again = |detail: String, trouble| Error::Again { detail, after: None, trouble };
        let lower = words.to_ascii_lowercase();
        match code.as_str() {
            "530" | "534" | "535" | "538" | "454" => {
                let remedy = "it refuses the account; check user, and token_env or token_file";
                again(format!("the mail server replied {code} {words}: {remedy}"), ReceiverTrouble::Credential)
            }
            "" if error.is_client() => {
                again(format!("the mail server cannot be used: {words}"), ReceiverTrouble::Credential)
            }
            "" => again(format!("the mail server cannot be reached: {words}"), ReceiverTrouble::Unavailable),
            _ if error.is_permanent() => Error::Never(format!("the mail server replied {code} {words}")),
            _ => {
                let limits = ["rate", "too many", "throttl", "quota", "limit"];
                let limited = limits.iter().any(|word| lower.contains(word));
                let trouble = if limited { ReceiverTrouble::RateLimit } else { ReceiverTrouble::Unavailable };
                again(format!("the mail server replied {code} {words}"), trouble)
            }
        }
    }

    /// A text of others in one short line, without the password.
    fn short(&self, text: &str) -> String {
        let secrets = self.secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty());
        let text = secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "[secret]"));
        hindcast_domain::text::cut(mail::one_line(&text).trim(), WORDS_MAX)
    }
}

#[async_trait]
impl Notifier for Email {
    /// Each address gets a mail of its own, so that one that is refused takes nothing from the others. It counts as
    /// taken when one of them has it and no other may still get it.
    async fn send(&self, message: &Notification) -> Result<String, Error> {
        let (mut taken, mut refused, mut again) = (Vec::new(), Vec::new(), None);
        for to in &self.to {
            if self.has(&message.key, to).await {
                taken.push(format!("{}: taken before", to.email));
                continue;
            }
            match self.send_one(message, to).await {
                Ok(reply) => taken.push(format!("{}: {reply}", to.email)),
                Err(Error::Never(why)) => refused.push(format!("{}: {why}", to.email)),
                Err(error) => again = Some(error),
            }
        }
        match again {
            Some(error) => Err(error),
            None if taken.is_empty() => Err(Error::Never(refused.join("; "))),
            None => Ok(hindcast_domain::text::cut(&[taken, refused].concat().join("; "), RECEIPT_MAX)),
        }
    }
}

fn mailbox(what: &'static str, text: &str) -> Result<Mailbox, Misconfigured> {
    text.parse().map_err(|_| Misconfigured {
        what,
        expected: "an e-mail address, such as ops@example.com or \"Ops <ops@example.com>\"",
        got: hindcast_domain::text::one_line(text),
    })
}

fn deepest(error: &SmtpError) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
