//! What every format is given and gives. Owns how a request becomes items, good and bad; refuses input and
//! output: a format is two pure functions, of which the second is run again when a parked item is retried.

pub(crate) mod alertmanager;
pub(crate) mod change;
pub(crate) mod fields;
pub(crate) mod generic;
pub(crate) mod github;
pub(crate) mod labels;
pub(crate) mod prometheus;
mod table;

use hindcast_api::Problem;
use hindcast_domain::alert::Observation;
use hindcast_domain::event::{Change, RejectedItem};
use hindcast_domain::{Partition, Span, Time};
use serde_json::Value;

use crate::auth::Verified;
use crate::fingerprint::TenantKey;
use crate::redact::Redactor;
use crate::source::Source;
use table::Normaliser;
pub use table::{FORMATS, Format, find};

/// The version of the tables below, which every delivery records. It rises when an answer changes.
pub const VERSION: u32 = 2;

/// Items of one request.
const ITEMS_MAX: usize = 200_000;
/// Unmapped fields that one request or alert names.
pub(crate) const UNMAPPED_MAX: usize = 64;

/// A request's body, with the headers that say what it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payload {
    pub(crate) json: Value,
    /// The name of the event, where the sender says it in a header.
    pub(crate) event: Option<String>,
    /// The sender's own id of the delivery, likewise.
    pub(crate) delivery: Option<String>,
}

/// What a format may know besides the payload.
pub(crate) struct Context<'a> {
    pub(crate) source: &'a Source,
    pub(crate) key: &'a TenantKey,
    pub(crate) now: Time,
    /// Where a retried item was parked: it stays there unless it says otherwise.
    pub(crate) environment: Option<&'a str>,
    /// The name of the event, where the sender says it in a header.
    pub(crate) event: Option<&'a str>,
}

impl Context<'_> {
    /// The partition's environment: the configured one, else the one that the sender's key names. It is
    /// cleaned first, since it becomes part of an address in the ledger.
    pub(crate) fn environment(&self, named: Option<&str>) -> String {
        let named = self.source.environment.as_deref().or(named).or(self.environment);
        let named = named.map_or_else(String::new, |named| Redactor::default().text(named));
        Partition::of_environment(&named).environment
    }

    pub(crate) fn stale_after(&self, default: Span) -> Span {
        self.source.stale_after.unwrap_or(default)
    }
}

/// A payload taken apart: its items, and what it says besides.
#[derive(Debug, Default)]
pub(crate) struct SplitPayload {
    pub(crate) items: Vec<Value>,
    pub(crate) envelope: Value,
    pub(crate) truncated: u64,
    pub(crate) unmapped: Vec<String>,
}

/// One thing that was told.
#[derive(Debug)]
pub(crate) enum Item {
    Alert { environment: String, observation: Box<Observation> },
    Change { environment: String, change: Box<Change> },
}

/// What is wrong with one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) remedy: &'static str,
}

impl Bad {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>, remedy: &'static str) -> Self {
        Self { code, detail: detail.into(), remedy }
    }
}

/// A bad item with its content.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) item: RejectedItem,
    pub(crate) payload: Value,
    pub(crate) environment: String,
}

/// What a format made of a request. It is not redacted yet.
#[derive(Debug, Default)]
pub(crate) struct Normalised {
    pub(crate) items: Vec<Item>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) unmapped: Vec<String>,
    pub(crate) truncated: u64,
    pub(crate) envelope: Value,
}

/// Reads a request by its source's format.
///
/// # Errors
/// When it is not of that format at all.
pub(crate) fn normalise(payload: Verified<Payload>, context: &Context<'_>) -> Result<Normalised, Problem> {
    let code = context.source.format.normaliser()?;
    let batch = (code.split)(payload.into_parts().0, context)?;
    if batch.items.len() > ITEMS_MAX {
        let detail = format!("expected at most {ITEMS_MAX} items a request, got {}", batch.items.len());
        return Err(Problem::new(hindcast_api::Code::TooLarge, detail).remedy("Send them in several requests."));
    }
    let mut normalised = Normalised {
        unmapped: batch.unmapped,
        truncated: batch.truncated,
        envelope: batch.envelope,
        ..Normalised::default()
    };
    for (index, value) in batch.items.into_iter().enumerate() {
        normalised.take(index, value, code, context);
    }
    normalised.unmapped.sort_unstable();
    normalised.unmapped.dedup();
    normalised.unmapped.truncate(UNMAPPED_MAX);
    Ok(normalised)
}

/// Reads one item again, as it lay in the ledger.
///
/// # Errors
/// When it is still bad.
pub(crate) fn again(item: Verified<Value>, context: &Context<'_>) -> Result<Normalised, Problem> {
    let mut normalised = Normalised::default();
    normalised.take(0, item.into_parts().0, context.source.format.normaliser()?, context);
    Ok(normalised)
}

impl Normalised {
    fn take(&mut self, index: usize, value: Value, code: Normaliser, context: &Context<'_>) {
        match (code.item)(&value, context) {
            Ok(item) => {
                if let Item::Alert { observation, .. } = &item {
                    self.unmapped.extend(observation.unmapped.iter().cloned());
                }
                if self.unmapped.len() > 4 * UNMAPPED_MAX {
                    self.unmapped.sort_unstable();
                    self.unmapped.dedup();
                }
                self.items.push(item);
            }
            Err(bad) => {
                let Bad { code, detail, remedy } = bad;
                let named = labels::environment_of(&value);
                self.faults.push(Fault {
                    item: RejectedItem {
                        index: u32::try_from(index).unwrap_or(u32::MAX),
                        code: code.into(),
                        detail,
                        remedy: remedy.to_owned(),
                    },
                    environment: context.environment(named.as_deref()),
                    payload: value,
                });
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Reads `json` as the source `format`, at 2026-11-24T13:30:00Z.
    pub(crate) fn read(format: &str, json: Value) -> Normalised {
        read_from(&Source::of_format(find(format).unwrap()), json, None).unwrap()
    }

    pub(crate) fn read_from(source: &Source, json: Value, event: Option<&str>) -> Result<Normalised, Problem> {
        let payload = Payload { json, event: event.map(ToOwned::to_owned), delivery: None };
        let context = Context {
            source,
            key: &TenantKey::new([7; 32]),
            now: "2026-11-24T13:30:00Z".parse().unwrap(),
            environment: None,
            event,
        };
        normalise(Verified::from_ledger(payload), &context)
    }

    pub(crate) fn alerts(normalised: &Normalised) -> Vec<&Observation> {
        let alert = |item: &'_ Item| matches!(item, Item::Alert { .. });
        assert!(normalised.items.iter().all(alert));
        normalised
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Alert { observation, .. } => Some(&**observation),
                Item::Change { .. } => None,
            })
            .collect()
    }

    pub(crate) fn changes(normalised: &Normalised) -> Vec<&Change> {
        normalised
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Change { change, .. } => Some(&**change),
                Item::Alert { .. } => None,
            })
            .collect()
    }

    pub(crate) fn codes(normalised: &Normalised) -> Vec<&str> {
        normalised.faults.iter().map(|fault| fault.item.code.as_str()).collect()
    }
}
