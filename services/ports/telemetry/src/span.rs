//! What is kept of a trace: one span of a request, and how spans are asked for.

use hindcast_domain::Time;
use serde::{Deserialize, Serialize};

/// Whose side of a call a span is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanKind {
    /// Work within a service.
    #[default]
    Internal,
    /// A request that the service was asked.
    Server,
    /// A request that the service asks another.
    Client,
    /// A message that the service sends.
    Producer,
    /// A message that the service received.
    Consumer,
}

impl SpanKind {
    /// All kinds, each at its number.
    pub const ALL: [Self; 5] = [Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];

    /// Whether the span is a call of another, whose side it does not see.
    #[must_use]
    pub const fn calls(self) -> bool {
        matches!(self, Self::Client | Self::Producer)
    }
}

/// One span of a request, redacted. Ids are 0 where the sender gave none that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceSpan {
    /// When it began, as its sender says.
    pub time: Time,
    /// Nanoseconds that it took.
    pub nanos: u64,
    /// The service that it ran in, as its sender says.
    pub service: String,
    /// What was done.
    pub name: String,
    /// Whose side of a call it is.
    #[serde(default)]
    pub kind: SpanKind,
    /// The request that it belongs to.
    #[serde(with = "trace_id")]
    pub trace: u128,
    /// Its own id within the request.
    #[serde(with = "span_id")]
    pub id: u64,
    /// The span that it is within; 0 at the root.
    #[serde(with = "span_id", default)]
    pub parent: u64,
    /// Whether it says that it failed.
    #[serde(default)]
    pub failed: bool,
    /// Whom a call says that it reaches; empty where it does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub peer: String,
}

/// What a search for spans is narrowed to; nothing where all is empty.
#[derive(Clone, Debug)]
pub struct SpanFilter {
    /// Keeps spans of one service.
    pub service: Option<String>,
    /// At most so many, the newest ones.
    pub limit: usize,
}

impl Default for SpanFilter {
    fn default() -> Self {
        Self { service: None, limit: 100_000 }
    }
}

impl SpanFilter {
    /// Whether it takes a span; the limit is the caller's business.
    #[must_use]
    pub fn takes(&self, service: &str) -> bool {
        self.service.as_ref().is_none_or(|wanted| wanted == service)
    }
}

/// A trace's id as 32 hexadecimal digits.
mod trace_id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{id:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        u128::from_str_radix(&String::deserialize(from)?, 16).map_err(D::Error::custom)
    }
}

/// A span's id as 16 hexadecimal digits.
mod span_id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{id:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        u64::from_str_radix(&String::deserialize(from)?, 16).map_err(D::Error::custom)
    }
}
