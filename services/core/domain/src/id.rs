//! Identities. Owns how ids are derived (hashes of their cause) and their one spelling; refuses to draw
//! a random number: an id is a function of what it identifies, so a replay gives the same ones.
//!
//! Ids are copied and compared for every event, and each has twenty characters: a [`CompactString`] holds them without
//! memory of its own.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Crockford's base 32: no I, L, O or U, so that an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of an id: 80 bits.
const DIGITS: usize = 16;

/// The first 80 bits of SHA-256 over the parts (each behind its length), in base 32.
#[must_use]
pub fn derive(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    base32(&hasher.finalize())
}

/// The first 80 bits of `bytes` (at least 10) in base 32.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(DIGITS);
    let mut buffer: u32 = 0;
    let mut bits = 0;
    for byte in bytes.iter().take(10) {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits) as usize & 31]));
        }
    }
    text
}

/// A text that is not of the form that an id has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {got:?}")]
pub struct NotAnId {
    /// The form, with an example.
    pub expected: &'static str,
    /// What came.
    pub got: CompactString,
}

/// Whether a text is what stands behind an id's prefix.
fn are_digits(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|b| ALPHABET.contains(&b))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] CompactString);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Derives the id from what it identifies.
            #[must_use]
            pub fn derive(parts: &[&[u8]]) -> Self {
                Self::spelt(&derive(parts))
            }

            fn spelt(digits: &str) -> Self {
                let mut id = CompactString::const_new($prefix);
                id.push_str(digits);
                Self(id)
            }

            /// The id as it is spelt everywhere.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                if text.strip_prefix($prefix).is_some_and(are_digits) {
                    return Ok(Self(text.into()));
                }
                // As a person types it: in any case, and perhaps without its prefix.
                let mut upper = CompactString::from(text.trim());
                upper.make_ascii_uppercase();
                match upper.strip_prefix($prefix).unwrap_or(&upper) {
                    digits if are_digits(digits) => Ok(Self::spelt(digits)),
                    _ => Err(NotAnId { expected: concat!("an id such as ", $example), got: text.into() }),
                }
            }
        }
    };
}

id!(
    /// One event of the ledger.
    EventId, "EVT-", "EVT-0123456789ABCDEF");
id!(
    /// Id of an incident, derived from the event that opened it.
    IncidentId, "INC-", "INC-7Q2K5M8N3P4R6S9T");
id!(
    /// One silence or maintenance window.
    SilenceId, "SIL-", "SIL-7Q2K5M8N3P4R6S9T");
id!(
    /// One notice to one receiver.
    NoticeId, "NTC-", "NTC-7Q2K5M8N3P4R6S9T");
id!(
    /// One finding of a detector.
    FindingId, "FND-", "FND-7Q2K5M8N3P4R6S9T");
id!(
    /// One conversation with the copilot.
    ConversationId, "CNV-", "CNV-7Q2K5M8N3P4R6S9T");
id!(
    /// One proposal of a runbook.
    ProposalId, "PRP-", "PRP-7Q2K5M8N3P4R6S9T");
id!(
    /// Id of a label, derived from the event that gave it.
    LabelId, "LBL-", "LBL-7Q2K5M8N3P4R6S9T");
id!(
    /// One message of ours in Slack or Teams.
    MessageId, "MSG-", "MSG-7Q2K5M8N3P4R6S9T");
id!(
    /// One thing that a person did in Slack or Teams.
    ChatId, "CHT-", "CHT-7Q2K5M8N3P4R6S9T");

id!(
    /// A link between two services, or a service and a team: derived from what it says.
    LinkId, "LNK-", "LNK-7Q2K5M8N3P4R6S9T");

/// The identity of an alert: an HMAC of tenant, environment, format family and the sender's own key
/// under the tenant's key; 20 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fingerprint(#[schemars(with = "String")] CompactString);

impl Fingerprint {
    /// Digits of a fingerprint.
    pub const DIGITS: usize = 20;

    /// From the first 80 bits of a keyed hash.
    #[must_use]
    pub fn from_mac(mac: &[u8; 32]) -> Self {
        Self(crate::hex::hex(&mac[..Self::DIGITS / 2]).into())
    }

    /// The fingerprint as it is spelt everywhere.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let trimmed = text.trim();
        if trimmed.len() == Self::DIGITS && trimmed.bytes().all(|b| b.is_ascii_hexdigit()) {
            let mut lower = CompactString::from(trimmed);
            lower.make_ascii_lowercase();
            Ok(Self(lower))
        } else {
            Err(NotAnId { expected: "a fingerprint of 20 hexadecimal digits", got: text.into() })
        }
    }
}

/// A correlation domain: tenant × environment. Nothing is ever grouped or merged across two of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Partition {
    /// Who the data belong to; `default` today.
    pub tenant: String,
    /// Where the software runs, such as `production`; `_` for what concerns the whole tenant.
    pub environment: String,
}

impl Partition {
    /// The tenant of an installation that has only one.
    pub const TENANT: &'static str = "default";
    /// The environment that stands for the tenant as a whole.
    pub const WHOLE_TENANT: &'static str = "_";
    /// Where an alert goes whose sender names no environment.
    pub const ENVIRONMENT: &'static str = "production";

    /// A partition of the default tenant. The environment is folded to a word that fits a subject:
    /// lower case, `a–z 0–9 - _`, at most 64 characters; what is left empty becomes `production`.
    #[must_use]
    pub fn of_environment(environment: &str) -> Self {
        let mut word: String = environment
            .trim()
            .chars()
            .take(64)
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' })
            .collect();
        if word.is_empty() {
            Self::ENVIRONMENT.clone_into(&mut word);
        }
        Self { tenant: Self::TENANT.to_owned(), environment: word }
    }

    /// The tenant's own partition, for what concerns all its environments.
    #[must_use]
    pub fn whole(tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), environment: Self::WHOLE_TENANT.to_owned() }
    }

    /// Whether this stands for the whole tenant.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.environment == Self::WHOLE_TENANT
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.environment)
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_function_of_its_parts_and_their_borders() {
        assert_eq!(IncidentId::derive(&[b"a", b"bc"]), IncidentId::derive(&[b"a", b"bc"]));
        assert_ne!(IncidentId::derive(&[b"a", b"bc"]), IncidentId::derive(&[b"ab", b"c"]));
    }

    #[test]
    fn an_id_is_read_in_any_case_with_or_without_its_prefix() {
        let id = EventId::derive(&[b"x"]);
        assert_eq!(id.as_str().to_lowercase().parse(), Ok(id.clone()));
        assert_eq!(id.as_str()[4..].parse(), Ok(id));
        assert!("EVT-short".parse::<EventId>().is_err());
    }

    #[test]
    fn an_environment_becomes_a_word_that_fits_a_subject() {
        assert_eq!(Partition::of_environment(" EU.west 1 ").environment, "eu-west-1");
        assert_eq!(Partition::of_environment("").environment, "production");
        assert_eq!(Partition::of_environment("_").environment, "-", "only we name the whole tenant");
    }
}
