//! A secret in memory. Owns that neither `Debug` nor a comparison gives it away; refuses to know where it comes from.

use std::fmt;

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
        let (one, other) = (self.0.as_bytes(), other.0.as_bytes());
        let differing = one.iter().zip(other).fold(0, |differing, (a, b)| differing | (a ^ b));
        // Without the black box the compiler could leave the loop at the first byte that differs.
        one.len() == other.len() && std::hint::black_box(differing) == 0
    }
}

impl Eq for Secret {}

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
}
