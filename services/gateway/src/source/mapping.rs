//! Where the fields of a payload stand, for the format `generic`. Owns the form of the setting; refuses to look.

use std::collections::BTreeMap;

use hindcast_domain::Severity;
use hindcast_domain::alert::Signal;
use serde::{Deserialize, Serialize};

/// Where a payload's fields stand: dotted paths (`check.title`) or JSON pointers (`/check/title`), from the
/// item that they describe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// The list of items inside the payload; the payload is the item (or the list) where absent.
    pub items: Option<String>,
    /// The rule's name.
    pub name: Option<String>,
    /// The service that the alert is about.
    pub service: Option<String>,
    /// The severity's word.
    pub severity: Option<String>,
    /// The status' word.
    pub status: Option<String>,
    /// An object of labels.
    pub labels: Option<String>,
    /// Single labels, by name.
    pub label: BTreeMap<String, String>,
    /// An object of annotations.
    pub annotations: Option<String>,
    /// Single annotations, by name.
    pub annotation: BTreeMap<String, String>,
    /// When it began.
    pub starts_at: Option<String>,
    /// When it ended.
    pub ends_at: Option<String>,
    /// The sender's own key: all of these together.
    pub key: Vec<String>,
    /// The environment. It becomes part of the key, so it must stand in every message.
    pub environment: Option<String>,
    /// Where the sender shows it.
    pub url: Option<String>,
    /// Severities of words that our table does not have.
    pub severity_words: BTreeMap<String, Severity>,
    /// Status words: `firing` or `resolved`.
    pub status_words: BTreeMap<String, Signal>,
}
