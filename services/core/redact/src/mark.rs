//! What stands in the place of a secret. A mark names the kind alone; where values must stay distinct, as those of labels
//! must, it also has a digest of the secret under the tenant's key: whoever reads the ledger sees which values are the
//! same, and can test no guess.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Hexadecimal digits of a digest: 48 bits, so that a million values of a tenant have one chance in 500 of a collision.
const DIGITS: usize = 12;
/// What sets these digests apart from everything else that is made with the same key.
const PURPOSE: &[u8] = b"hindcast redacted value 1";

/// The key under which redacted values are told apart.
#[derive(Clone)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    /// The key of a tenant's 32 secret bytes, which must outlive every process.
    #[must_use]
    pub fn derive(tenant: &[u8; 32]) -> Self {
        Self(mac(tenant, &[PURPOSE]))
    }

    fn digest(&self, kind: &str, secret: &str) -> String {
        let digest = mac(&self.0, &[kind.as_bytes(), b"\0", secret.as_bytes()]);
        let mut digits = hindcast_domain::hex::hex(&digest);
        digits.truncate(DIGITS);
        digits
    }
}

impl fmt::Debug for RedactionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedactionKey(hidden)")
    }
}

/// HMAC-SHA256. It pads a key with zeros to the block of its hash, so this is the key itself.
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The mark of a secret; with its digest where there is a key. The point between them is in
/// no rule: behind a colon the digest would be taken for a secret, and a hash sign ends an address.
pub(super) fn mark(kind: &str, secret: &str, key: Option<&RedactionKey>) -> String {
    match key {
        Some(key) => format!("[redacted:{kind}.{}]", key.digest(kind, secret)),
        None => format!("[redacted:{kind}]"),
    }
}

/// Whether a text is a mark and nothing else.
pub(super) fn is_mark(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("[redacted:").and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    let (kind, digest) = inner.split_once('.').map_or((inner, None), |(kind, digest)| (kind, Some(digest)));
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    !kind.is_empty()
        && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        && digest.is_none_or(|digest| digest.len() == DIGITS && digest.bytes().all(is_digit))
}
