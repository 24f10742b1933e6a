//! Whose rhythm it is, and the alert that says that it is silent. Owns that alert's name, labels and fingerprint.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::alert::Labels;
use crate::id::{Fingerprint, Partition};

/// Whose rhythm it is: a sender's, or that of one watchdog of a sender.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RhythmKey {
    /// The configured source's name.
    pub source: String,
    /// The watchdog, where it is one's.
    pub watchdog: Option<Fingerprint>,
}

/// The source of the alerts that Hindcast raises itself.
pub const OWN_SOURCE: &str = "hindcast";
/// The name of the alert that a sender is silent.
pub const SENDER_SILENT: &str = "SenderSilent";
/// The label of that alert that names the sender.
const LABEL_SOURCE: &str = "source";
/// The label of that alert that has the fingerprint of the watchdog.
const LABEL_WATCHDOG: &str = "watchdog";

impl RhythmKey {
    /// A sender's.
    #[must_use]
    pub fn sender(source: &str) -> Self {
        Self { source: source.to_owned(), watchdog: None }
    }

    /// The fingerprint of the alert that it is silent.
    #[must_use]
    pub fn alert(&self, partition: &Partition) -> Fingerprint {
        let mut hasher = Sha256::new();
        let watchdog = self.watchdog.as_ref().map_or("", Fingerprint::as_str);
        let environment = format!("{}/{}", partition.tenant, partition.environment);
        for part in [OWN_SOURCE, SENDER_SILENT, &environment, &self.source, watchdog] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Fingerprint::from_mac(&hasher.finalize().into())
    }

    /// The labels of that alert.
    #[must_use]
    pub fn labels(&self) -> Labels {
        let mut labels = Labels::from([
            ("alertname".to_owned(), SENDER_SILENT.to_owned()),
            (LABEL_SOURCE.to_owned(), self.source.clone()),
        ]);
        if let Some(watchdog) = &self.watchdog {
            labels.insert(LABEL_WATCHDOG.to_owned(), watchdog.to_string());
        }
        labels
    }

    /// Whose silence an alert is about; `None` where it is no such alert.
    #[must_use]
    pub fn of(source: &str, name: &str, labels: &Labels) -> Option<Self> {
        if source != OWN_SOURCE || name != SENDER_SILENT {
            return None;
        }
        let watchdog = labels.get(LABEL_WATCHDOG).and_then(|text| text.parse().ok());
        Some(Self { source: labels.get(LABEL_SOURCE)?.clone(), watchdog })
    }
}
