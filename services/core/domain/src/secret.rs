//! A secret in memory, and the hash by which one is recognised. Owns that neither `Debug` nor a comparison gives it
//! away; refuses to know where it comes from.

use std::fmt;

use sha2::{Digest, Sha256};

/// A token, password or signing key. It has no `Display` and no serialized form, its `Debug` form says only that it
/// is there, and a comparison takes the same time wherever two secrets of one length differ.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that sends it or computes with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        is_equal(self.0.as_bytes(), other.0.as_bytes())
    }
}

/// Whether every byte is the same. Takes the same time wherever two texts of one length differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |differing, (a, b)| differing | (a ^ b));
    // Without the black box the compiler could leave the loop at the first byte that differs.
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

impl Eq for Secret {}

/// The SHA-256 of a token: enough to recognise the token, useless to whoever reads our memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits, with white space around them.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        crate::hex::unhex_array(digits.trim()).map(Self)
    }

    /// The 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        crate::hex::hex(&self.0)
    }

    /// Whether this is the token. Whole hashes are compared, so that the time tells nothing of where they differ.
    #[must_use]
    pub fn is(&self, token: &str) -> bool {
        is_equal(&self.0, &Self::of(token).0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_and_is_exposed_on_request() {
        let secret = Secret::new("xoxb-1");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret Some(Secret)");
        assert_eq!(secret.expose(), "xoxb-1");
    }

    #[test]
    fn secrets_are_equal_when_every_byte_is() {
        assert_eq!(Secret::from("abc"), Secret::from("abc".to_owned()));
        for other in ["", "ab", "abcd", "xbc", "abx", "ABC"] {
            assert_ne!(Secret::from("abc"), Secret::from(other), "{other:?}");
        }
        assert_eq!(Secret::from(""), Secret::from(""));
    }

    #[test]
    fn a_token_is_recognised_by_its_hash() {
        let hash = SecretHash::of("hc_secret");
        assert!(hash.is("hc_secret") && !hash.is("hc_secre") && !hash.is(""));
        assert_eq!(SecretHash::from_hex(&format!(" {}\n", hash.hex())), Some(hash));
        assert_eq!(SecretHash::from_hex("zz"), None);
    }
}
