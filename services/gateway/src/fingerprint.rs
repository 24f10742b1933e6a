//! Who an alert is: our fingerprint, and the one that the Prometheus family computes for itself.
//! Owns the keyed hash and the borders between its parts; refuses to know where a key part comes from.

use std::collections::BTreeMap;
use std::fmt;

use hindcast_domain::{Fingerprint, Partition};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::redact::{RedactionKey, Redactor};

/// The tenant's key: with it, nobody who reads the ledger can test a guess of what was redacted.
#[derive(Clone)]
pub struct TenantKey([u8; 32]);

impl TenantKey {
    /// From 32 secret bytes that stay the same for the life of the ledger.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Cleans a request, and keeps redacted labels distinct.
    pub(crate) fn redactor(&self) -> Redactor {
        Redactor::telling_apart(RedactionKey::derive(&self.0))
    }
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantKey(hidden)")
    }
}

/// HMAC-SHA256 over tenant, environment, format family and the sender's own key, each behind its length.
#[must_use]
pub fn of<'a>(
    key: &TenantKey,
    environment: &'a str,
    family: &'a str,
    parts: impl IntoIterator<Item = &'a str>,
) -> Fingerprint {
    // HMAC pads a key with zeros to the block of its hash, so this is the key itself.
    let mut block = [0_u8; 64];
    block[..32].copy_from_slice(&key.0);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in [Partition::TENANT, environment, family].into_iter().chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    Fingerprint::from_mac(&mac.finalize().into_bytes().into())
}

/// The fingerprint of a label set: names and values in the order of the names.
#[must_use]
pub fn of_labels(key: &TenantKey, environment: &str, family: &str, labels: &BTreeMap<String, String>) -> Fingerprint {
    of(key, environment, family, labels.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]))
}

/// What Prometheus and Alertmanager call the fingerprint of a label set: FNV-1a 64 over name, 0xff, value,
/// 0xff of the sorted labels, as 16 hexadecimal digits (`model.Labels.Fingerprint` of prometheus/common).
#[must_use]
pub fn of_prometheus(labels: &BTreeMap<String, String>) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    let text = |hash: u64, text: &str| byte(text.bytes().fold(hash, byte), 0xff);
    let hash = labels.iter().fold(OFFSET, |hash, (name, value)| text(text(hash, name), value));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_senders_fingerprint_is_the_one_that_alertmanager_shows() {
        let seen = labels(&[
            ("alertname", "CacheRatioUnknown"),
            ("app_kubernetes_io_name", "shop"),
            ("cluster", "eu-west-1-prod"),
            ("instance", "shop-7c9d5b6f4-x2x9k:8000"),
            ("job", "shop"),
            ("namespace", "shop"),
            ("note", "  spaced  "),
            ("pod", "shop-7c9d5b6f4-x2x9k"),
            ("region", "eu-west-1"),
            ("severity", "info"),
            ("tier", "edge"),
        ]);
        assert_eq!(of_prometheus(&seen), "27018bff78d5fcce");
        assert_eq!(of_prometheus(&BTreeMap::new()), "cbf29ce484222325", "of no labels at all");
    }

    #[test]
    fn everything_that_is_part_of_an_identity_changes_it() {
        let key = TenantKey::new([7; 32]);
        let base = of(&key, "production", "prometheus", ["a", "bc"]);
        assert_eq!(base, of(&key, "production", "prometheus", ["a", "bc"]));
        assert_ne!(base, of(&key, "production", "prometheus", ["ab", "c"]), "borders count");
        assert_ne!(base, of(&key, "staging", "prometheus", ["a", "bc"]));
        assert_ne!(base, of(&key, "production", "generic", ["a", "bc"]));
        assert_ne!(base, of(&TenantKey::new([8; 32]), "production", "prometheus", ["a", "bc"]));
        assert!(!format!("{key:?}").contains('7'));
    }

    proptest! {
        #[test]
        fn a_fingerprint_does_not_depend_on_the_order_in_which_labels_came(
            pairs in proptest::collection::btree_map("[a-z]{1,4}", ".{0,8}", 1..6)
        ) {
            let key = TenantKey::new([1; 32]);
            let backward: BTreeMap<String, String> = pairs.clone().into_iter().rev().collect();
            prop_assert_eq!(
                of_labels(&key, "production", "prometheus", &pairs),
                of_labels(&key, "production", "prometheus", &backward)
            );
        }
    }
}
