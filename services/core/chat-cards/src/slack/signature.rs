//! Slack's signature over a delivery, version 0: an HMAC-SHA256 over `v0:timestamp:body` under the signing secret.
//! Owns the check over the bytes as they came; nothing is parsed before it holds.
//! Source: Slack, "Verifying requests from Slack".

use hindcast_domain::Time;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How far a timestamp may be from ours, in seconds: what is older may be a replay.
const SKEW_MAX_S: u64 = 300;
/// The same, in nanoseconds.
const SKEW_MAX_NS: u128 = SKEW_MAX_S as u128 * 1_000_000_000;

/// Why a delivery is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackSignatureFault {
    /// A header is missing or comes twice.
    #[error("expected one {0} header")]
    Header(&'static str),
    /// The timestamp is no plain number.
    #[error("expected a timestamp in whole seconds")]
    Timestamp,
    /// The timestamp is too far from ours.
    #[error("expected a timestamp within {SKEW_MAX_S} s of ours")]
    Stale,
    /// No secret of ours gives this signature.
    #[error("the signature does not fit")]
    Signature,
}

/// Checks a delivery against each secret in force.
///
/// # Errors
/// Which check failed; nothing of the delivery is in it.
pub fn verify(
    secrets: &[&str],
    timestamps: &[&str],
    signatures: &[&str],
    body: &[u8],
    now: Time,
) -> Result<(), SlackSignatureFault> {
    let [timestamp] = timestamps else { return Err(SlackSignatureFault::Header("X-Slack-Request-Timestamp")) };
    let [signature] = signatures else { return Err(SlackSignatureFault::Header("X-Slack-Signature")) };
    let at: u64 = timestamp.parse().map_err(|_| SlackSignatureFault::Timestamp)?;
    // What a parser would mend (a sign, a zero in front) was not what was signed by the vendor.
    if at.to_string() != *timestamp {
        return Err(SlackSignatureFault::Timestamp);
    }
    let skew = i128::from(at) * 1_000_000_000 - i128::from(now.nanos());
    if skew.unsigned_abs() > SKEW_MAX_NS {
        return Err(SlackSignatureFault::Stale);
    }
    let digits = signature.strip_prefix("v0=").ok_or(SlackSignatureFault::Signature)?;
    let mac = bytes(digits).ok_or(SlackSignatureFault::Signature)?;
    let fits = |secret: &&&str| {
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).is_ok_and(|mut hmac| {
            for part in [b"v0:", timestamp.as_bytes(), b":", body] {
                hmac.update(part);
            }
            hmac.verify_slice(&mac).is_ok()
        })
    };
    secrets.iter().filter(|secret| !secret.is_empty()).find(fits).map(|_| ()).ok_or(SlackSignatureFault::Signature)
}

/// 32 bytes from 64 small hexadecimal digits.
fn bytes(digits: &str) -> Option<[u8; 32]> {
    let is_small = !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    is_small.then(|| hindcast_domain::hex::unhex_array(digits)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of this test";
    const AT: i64 = 1_795_526_950;
    const BODY: &[u8] = br#"{"type":"event_callback","event":{"type":"app_mention"}}"#;

    fn signed(secret: &str, timestamp: &str, body: &[u8]) -> String {
        let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        for part in [b"v0:", timestamp.as_bytes(), b":", body] {
            hmac.update(part);
        }
        let digits = hindcast_domain::hex::hex(&hmac.finalize().into_bytes());
        format!("v0={digits}")
    }

    fn check(timestamp: &str, signature: &str, body: &[u8], skew: i64) -> Result<(), SlackSignatureFault> {
        let now = Time::from_nanos((AT + skew) * 1_000_000_000);
        verify(&["an older secret", SECRET], &[timestamp], &[signature], body, now)
    }

    #[test]
    fn what_the_vendor_signed_is_believed_within_five_minutes() {
        let at = AT.to_string();
        let good = signed(SECRET, &at, BODY);
        for skew in [0, 300, -300] {
            assert_eq!(check(&at, &good, BODY, skew), Ok(()), "{skew}");
        }
        for skew in [301, -301] {
            assert_eq!(check(&at, &good, BODY, skew), Err(SlackSignatureFault::Stale), "{skew}");
        }
        let late = Time::from_nanos((AT + 300) * 1_000_000_000 + 1);
        assert_eq!(
            verify(&[SECRET], &[&at], &[&good], BODY, late),
            Err(SlackSignatureFault::Stale),
            "a nanosecond late is late"
        );
    }

    #[test]
    fn a_signature_that_another_program_made_fits() {
        // printf 'v0:1795526950:text=ack+7Q2K&user_id=U1' | openssl dgst -sha256 -hmac 'a secret of this test'
        let made = "v0=03aea25ce356b57e9861d0a173484c39c910f7bb98dcdd7d3ea87006036777c6";
        assert_eq!(check("1795526950", made, b"text=ack+7Q2K&user_id=U1", 0), Ok(()));
    }

    #[test]
    fn what_anybody_changed_is_refused() {
        let at = AT.to_string();
        let good = signed(SECRET, &at, BODY);
        assert_eq!(check(&at, &signed("another", &at, BODY), BODY, 0), Err(SlackSignatureFault::Signature));
        let mut changed = BODY.to_vec();
        changed[10] ^= 1;
        assert_eq!(check(&at, &good, &changed, 0), Err(SlackSignatureFault::Signature));
        let written_anew = serde_json::to_vec_pretty(&serde_json::from_slice::<serde_json::Value>(BODY).unwrap());
        assert_eq!(check(&at, &good, &written_anew.unwrap(), 0), Err(SlackSignatureFault::Signature));
        assert_eq!(check(&(AT + 1).to_string(), &good, BODY, 0), Err(SlackSignatureFault::Signature));
        let capitals = format!("v0={}", good[3..].to_uppercase());
        assert_ne!(capitals, good, "there is a letter in it");
        for other in [good.replace("v0=", "v1="), good.to_uppercase(), capitals, good[..66].to_owned(), String::new()] {
            assert_eq!(check(&at, &other, BODY, 0), Err(SlackSignatureFault::Signature), "{other}");
        }
        for word in ["+1795526950", "-1795526950", "01795526950", " 1795526950", "1795526950.0", "", "soon"] {
            assert_eq!(
                check(word, &signed(SECRET, word, BODY), BODY, 0),
                Err(SlackSignatureFault::Timestamp),
                "{word:?}"
            );
        }
    }

    #[test]
    fn each_header_comes_once() {
        let (at, now) = (AT.to_string(), Time::from_nanos(AT * 1_000_000_000));
        let good = signed(SECRET, &at, BODY);
        let (at, good) = (at.as_str(), good.as_str());
        for (stamps, signatures) in [(&[][..], &[good][..]), (&[at, at], &[good]), (&[at], &[]), (&[at], &[good, good])]
        {
            let refused = verify(&[SECRET], stamps, signatures, BODY, now);
            assert!(matches!(refused, Err(SlackSignatureFault::Header(_))), "{stamps:?} {signatures:?}");
        }
        assert_eq!(
            verify(&[], &[at], &[good], BODY, now),
            Err(SlackSignatureFault::Signature),
            "no secret believes nobody"
        );
        assert_eq!(verify(&[""], &[at], &[&signed("", at, BODY)], BODY, now), Err(SlackSignatureFault::Signature));
    }
}
