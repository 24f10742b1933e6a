//! The signature of an outgoing webhook of Teams: `Authorization: HMAC base64`, an HMAC-SHA256 over the body as it
//! came, under the security token that the team was shown, decoded from base64.
//! Source: Microsoft, "Create outgoing webhooks and connectors".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Why a delivery is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TeamsSignatureFault {
    /// The header is missing or comes twice.
    #[error("expected one Authorization header")]
    Header,
    /// The security token that is configured is none.
    #[error("the configured security token is no base64; copy it anew")]
    Token,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
}

/// Checks a delivery.
///
/// # Errors
/// Which check failed; nothing of the delivery is in it.
pub fn verify(token: &str, authorizations: &[&str], body: &[u8]) -> Result<(), TeamsSignatureFault> {
    let [authorization] = authorizations else { return Err(TeamsSignatureFault::Header) };
    let key = STANDARD.decode(token.trim()).ok().filter(|key| !key.is_empty()).ok_or(TeamsSignatureFault::Token)?;
    let mac = authorization.strip_prefix("HMAC ").and_then(|given| STANDARD.decode(given.trim()).ok());
    let mac = mac.ok_or(TeamsSignatureFault::Signature)?;
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| TeamsSignatureFault::Token)?;
    hmac.update(body);
    hmac.verify_slice(&mac).map_err(|_| TeamsSignatureFault::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"{\"type\":\"message\",\"text\":\"<at>Hindcast</at> status\"}";

    fn signed(key: &[u8], body: &[u8]) -> String {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        hmac.update(body);
        format!("HMAC {}", STANDARD.encode(hmac.finalize().into_bytes()))
    }

    #[test]
    fn only_what_was_signed_over_these_bytes_is_believed() {
        let token = STANDARD.encode(b"a key of this test");
        let good = signed(b"a key of this test", BODY);
        assert_eq!(verify(&token, &[&good], BODY), Ok(()));
        let mut changed = BODY.to_vec();
        changed[3] ^= 1;
        assert_eq!(verify(&token, &[&good], &changed), Err(TeamsSignatureFault::Signature));
        assert_eq!(verify(&token, &[&signed(b"another", BODY)], BODY), Err(TeamsSignatureFault::Signature));
        assert_eq!(verify(&token, &[&signed(token.as_bytes(), BODY)], BODY), Err(TeamsSignatureFault::Signature));
        assert_eq!(verify(&token, &[&good.replace("HMAC ", "Bearer ")], BODY), Err(TeamsSignatureFault::Signature));
        assert_eq!(verify(&token, &[], BODY), Err(TeamsSignatureFault::Header));
        assert_eq!(verify(&token, &[&good, &good], BODY), Err(TeamsSignatureFault::Header));
        assert_eq!(verify("", &[&signed(b"", BODY)], BODY), Err(TeamsSignatureFault::Token));
    }

    #[test]
    fn a_signature_that_another_program_made_fits() {
        // printf %s '{"type":"message","text":"why?"}' | openssl dgst -sha256 -hmac 'a key of this test' -binary | base64
        let made = "HMAC Ck7kWJpN13hRPPuc+bhOMtAL9V9ht10VMSfClwT/EJo=";
        let token = STANDARD.encode(b"a key of this test");
        assert_eq!(verify(&token, &[made], br#"{"type":"message","text":"why?"}"#), Ok(()));
        assert_eq!(verify(&format!(" {token}\n"), &[made], br#"{"type":"message","text":"why?"}"#), Ok(()));
    }

    #[test]
    fn what_was_written_anew_and_what_is_no_signature_are_refused() {
        let token = STANDARD.encode(b"a key of this test");
        let good = signed(b"a key of this test", BODY);
        let anew = serde_json::to_vec_pretty(&serde_json::from_slice::<serde_json::Value>(BODY).unwrap()).unwrap();
        assert_eq!(verify(&token, &[&good], &anew), Err(TeamsSignatureFault::Signature));
        let short = format!("HMAC {}", STANDARD.encode(b"short"));
        for other in ["", "HMAC", "HMAC ", "HMAC %%%", short.as_str(), &good[5..], &good.to_lowercase()] {
            assert_eq!(verify(&token, &[other], BODY), Err(TeamsSignatureFault::Signature), "{other:?}");
        }
        for token in ["", " ", "no base64!"] {
            assert_eq!(verify(token, &[&good], BODY), Err(TeamsSignatureFault::Token), "{token:?}");
        }
    }
}
