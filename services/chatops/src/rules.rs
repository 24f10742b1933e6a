//! Which channels see what, and who may do what in chat: the configuration section `chat`, with defaults.
//! It stands in the ledger, so it holds no secret; refuses to know tokens and addresses.

use std::collections::BTreeSet;

use hindcast_chat_cards::Vendor;
use hindcast_domain::act::ActRole as Role;
use hindcast_domain::event::SYSTEM;
use hindcast_domain::incident::Incident;
use hindcast_domain::words::ChatVendor;
use hindcast_domain::{Severity, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The configuration section's name.
pub const SECTION: &str = "chat";

/// Channels in the section.
const CHANNELS_MAX: usize = 256;
/// People in the section.
const PEOPLE_MAX: usize = 10_000;
/// Ids of one person at one vendor.
const IDS_MAX: usize = 16;
/// Words of one list of a channel.
const LIST_MAX: usize = 256;
/// Characters of a name, an id or a channel.
const WORD_CHARS_MAX: usize = 256;
/// The longest that an answer may take, in seconds.
const EXPIRES_MAX_S: i64 = 24 * 3_600;

/// A channel, and which incidents are shown there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// `slack` or `teams`.
    pub vendor: ChatVendor,
    /// The channel or conversation, as the vendor names it.
    pub channel: String,
    /// Only incidents of this severity or worse.
    #[serde(default = "info")]
    pub at_least: Severity,
    /// Only incidents of one of these services; of all where empty.
    #[serde(default)]
    pub services: Vec<String>,
    /// Only incidents of one of these teams; of all where empty.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Only incidents of one of these environments; of all where empty.
    #[serde(default)]
    pub environments: Vec<String>,
}

const fn info() -> Severity {
    Severity::Info
}

/// Somebody whom we know, by the ids that vendors give them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their name, as it stands beside what they do.
    pub name: String,
    /// Their ids in Slack, such as `U012AB3CD`.
    #[serde(default)]
    pub slack: Vec<String>,
    /// Their ids in Teams: the directory's object id, or the conversation's (`29:…`).
    #[serde(default)]
    pub teams: Vec<String>,
    /// What they may do.
    #[serde(default)]
    pub role: Role,
}

impl Person {
    fn ids(&self, vendor: Vendor) -> &[String] {
        match vendor {
            Vendor::Slack => &self.slack,
            Vendor::Teams => &self.teams,
        }
    }
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChatRules {
    /// Which channels see what. Without any, incidents are shown nowhere; questions are answered all the same.
    pub channels: Vec<Channel>,
    /// The people whose chat accounts are known.
    pub people: Vec<Person>,
    /// What somebody may do who is not among the people.
    pub default_role: Role,
    /// How long an answer is tried before it is given up, in seconds.
    pub answer_expires_s: i64,
}

impl Default for ChatRules {
    fn default() -> Self {
        Self { channels: Vec::new(), people: Vec::new(), default_role: Role::Viewer, answer_expires_s: 900 }
    }
}

/// What is wrong with the section.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidChatRules(String);

/// Who somebody is, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Their name, where they are among the people.
    pub person: Option<String>,
    /// Who did it, as the ledger says: the name, or vendor and id.
    pub actor: String,
    /// What they may do.
    pub role: Role,
}

impl ChatRules {
    /// Checks that the section makes sense.
    ///
    /// # Errors
    /// What was expected and what stands there.
    pub fn check(&self) -> Result<(), InvalidChatRules> {
        at_most("channels", self.channels.len(), CHANNELS_MAX)?;
        at_most("people", self.people.len(), PEOPLE_MAX)?;
        if !(1..=EXPIRES_MAX_S).contains(&self.answer_expires_s) {
            let got = self.answer_expires_s;
            return Err(InvalidChatRules(format!("expected answer_expires_s of 1 to {EXPIRES_MAX_S}, got {got}")));
        }
        let mut seen = BTreeSet::new();
        for channel in &self.channels {
            channel.check()?;
            if !seen.insert((&channel.vendor, &channel.channel)) {
                return Err(InvalidChatRules(format!("expected one entry a channel, got {} twice", channel.channel)));
            }
        }
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for person in &self.people {
            person.check()?;
            if !names.insert(&person.name) {
                return Err(InvalidChatRules(format!("expected one entry a person, got {:?} twice", person.name)));
            }
            for vendor in [Vendor::Slack, Vendor::Teams] {
                for id in person.ids(vendor) {
                    if !ids.insert((vendor, id)) {
                        return Err(InvalidChatRules(format!(
                            "expected one person for {id:?} in {}, got two",
                            vendor.word()
                        )));
                    }
                }
            }
        }
        Ok(())
    }

    /// Who a vendor's id is. A name that the vendor tells is never asked: people choose it themselves.
    #[must_use]
    pub fn known(&self, vendor: Vendor, user: &str) -> Known {
        let person = self.people.iter().find(|person| person.ids(vendor).iter().any(|id| id == user));
        match person {
            Some(person) => Known { person: Some(person.name.clone()), actor: person.name.clone(), role: person.role },
            None => {
                Known { person: None, actor: format!("{}:{}", vendor.word(), bounded(user)), role: self.default_role }
            }
        }
    }

    /// See [`ChatRules::answer_expires_s`].
    #[must_use]
    pub const fn answer_expires(&self) -> Span {
        Span::seconds(self.answer_expires_s)
    }
}

/// A vendor's word that goes into an actor: short, and without what breaks a line.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn at_most(name: &str, got: usize, max: usize) -> Result<(), InvalidChatRules> {
    if got > max { Err(InvalidChatRules(format!("expected at most {max} {name}, got {got}"))) } else { Ok(()) }
}

fn word(name: &str, text: &str) -> Result<(), InvalidChatRules> {
    let fits = !text.trim().is_empty() && text.chars().count() <= WORD_CHARS_MAX && !text.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    Err(InvalidChatRules(format!("expected 1 to {WORD_CHARS_MAX} characters as {name}, got {text:.64?}")))
}

impl Channel {
    fn check(&self) -> Result<(), InvalidChatRules> {
        if ![Vendor::Slack, Vendor::Teams].iter().any(|vendor| vendor.word() == self.vendor.as_str()) {
            return Err(InvalidChatRules(format!(
                "expected slack or teams as a channel's vendor, got {:.64?}",
                self.vendor.as_str()
            )));
        }
        word("a channel", &self.channel)?;
        for (name, list) in [("services", &self.services), ("teams", &self.teams), ("environments", &self.environments)]
        {
            at_most(name, list.len(), LIST_MAX)?;
            list.iter().try_for_each(|item| word(name, item))?;
        }
        Ok(())
    }

    /// Whether an incident is shown there, as it stands now.
    #[must_use]
    pub fn shows(&self, incident: &Incident, environment: &str) -> bool {
        let one_of = |wanted: &[String], has: &BTreeSet<String>| {
            wanted.is_empty() || wanted.iter().any(|word| has.contains(word))
        };
        incident.severity >= self.at_least
            && one_of(&self.services, &incident.services)
            && one_of(&self.teams, &incident.teams)
            && (self.environments.is_empty() || self.environments.iter().any(|word| word == environment))
    }
}

impl Person {
    fn check(&self) -> Result<(), InvalidChatRules> {
        word("a person's name", &self.name)?;
        if self.name.eq_ignore_ascii_case(SYSTEM) {
            return Err(InvalidChatRules(format!("expected a person's name, got the system's own: {:?}", self.name)));
        }
        // Whoever is in no list acts as vendor and id: nobody else may be called so.
        if [Vendor::Slack, Vendor::Teams].iter().any(|vendor| self.name.starts_with(&format!("{}:", vendor.word()))) {
            return Err(InvalidChatRules(format!(
                "expected a person's name, got one as strangers have: {:?}",
                self.name
            )));
        }
        for vendor in [Vendor::Slack, Vendor::Teams] {
            at_most("ids of a person", self.ids(vendor).len(), IDS_MAX)?;
            self.ids(vendor).iter().try_for_each(|id| word("a person's id", id))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(value: serde_json::Value) -> ChatRules {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_stranger_has_the_default_role_and_acts_under_the_vendors_id() {
        let rules = rules(json!({"people": [{"name": "ada", "slack": ["U1"], "role": "responder"}]}));
        rules.check().unwrap();
        let ada = Known { person: Some("ada".into()), actor: "ada".into(), role: Role::Responder };
        assert_eq!(rules.known(Vendor::Slack, "U1"), ada);
        let stranger = Known { person: None, actor: "slack:U2".into(), role: Role::Viewer };
        assert_eq!(rules.known(Vendor::Slack, "U2"), stranger);
        assert_eq!(rules.known(Vendor::Teams, "U1").role, Role::Viewer, "an id means something at one vendor alone");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_was_expected() {
        let wrong = [
            (json!({"channels": [{"vendor": "irc", "channel": "#ops"}]}), "expected slack or teams"),
            (json!({"channels": [{"vendor": "slack", "channel": " "}]}), "as a channel"),
            (
                json!({"channels": [{"vendor": "slack", "channel": "C"}, {"vendor": "slack", "channel": "C"}]}),
                "one entry a channel",
            ),
            (json!({"people": [{"name": "System"}]}), "the system's own"),
            (json!({"people": [{"name": "slack:U1"}]}), "as strangers have"),
            (json!({"people": [{"name": "a", "slack": ["U"]}, {"name": "b", "slack": ["U"]}]}), "one person for"),
            (json!({"answer_expires_s": 0}), "answer_expires_s"),
        ];
        for (value, said) in wrong {
            let error = rules(value.clone()).check().unwrap_err().to_string();
            assert!(error.contains(said), "{value}: {error}");
        }
        assert!(serde_json::from_value::<ChatRules>(json!({"token": "xoxb"})).is_err(), "what is unknown is refused");
    }

    #[test]
    fn roles_rise() {
        assert!(Role::Viewer < Role::Responder && Role::Responder < Role::Admin);
    }
}
