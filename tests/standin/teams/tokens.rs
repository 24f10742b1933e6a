//! The tokens that the stand-in sends with deliveries: good ones, and one for each way to be bad. Owns the keys.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{APP_ID, Teams};

/// A token, as it should be or with one defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Good,
    Good384,
    Good512,
    AlgNone,
    AlgNoneInCapitals,
    /// HS256 with the public key as the shared secret.
    HmacWithPublicDer,
    /// The same, as a text file would hold it.
    HmacWithPublicPem,
    Pss,
    OtherAudience,
    ListOfAudiences,
    NoAudience,
    OtherIssuer,
    IssuerWithSlash,
    NoIssuer,
    Expired,
    NoExpiry,
    NotYet,
    /// By a key that may speak for another channel.
    NotEndorsed,
    /// By a key that may speak for none.
    EndorsedForNothing,
    OtherServiceUrl,
    NoServiceUrl,
    TwoServiceUrls,
    IssuerTwice,
    UnknownKid,
    NoKid,
    /// By a stranger, under the id of a known key.
    StolenKid,
    /// By a stranger whose key stands in the token.
    KeyAlong,
    Critical,
    SignatureByteChanged,
    ClaimChanged,
    SignatureEmpty,
    SignatureMissing,
    Doubled,
    Basic,
    Bare,
    Nothing,
}

impl Token {
    pub const GOOD: [Self; 3] = [Self::Good, Self::Good384, Self::Good512];
    pub const BAD: [Self; 33] = [
        Self::AlgNone,
        Self::AlgNoneInCapitals,
        Self::HmacWithPublicDer,
        Self::HmacWithPublicPem,
        Self::Pss,
        Self::OtherAudience,
        Self::ListOfAudiences,
        Self::NoAudience,
        Self::OtherIssuer,
        Self::IssuerWithSlash,
        Self::NoIssuer,
        Self::Expired,
        Self::NoExpiry,
        Self::NotYet,
        Self::NotEndorsed,
        Self::EndorsedForNothing,
        Self::OtherServiceUrl,
        Self::NoServiceUrl,
        Self::TwoServiceUrls,
        Self::IssuerTwice,
        Self::UnknownKid,
        Self::NoKid,
        Self::StolenKid,
        Self::KeyAlong,
        Self::Critical,
        Self::SignatureByteChanged,
        Self::ClaimChanged,
        Self::SignatureEmpty,
        Self::SignatureMissing,
        Self::Doubled,
        Self::Basic,
        Self::Bare,
        Self::Nothing,
    ];
}

impl Teams {
    fn now(&self) -> i64 {
        let machine = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        self.world.lock().now.unwrap_or_else(|| i64::try_from(machine()).unwrap())
    }

    /// What a good token says.
    pub fn claims(&self) -> Value {
        let now = self.now();
        json!({
            "serviceurl": self.service_url(),
            "nbf": now - 10,
            "exp": now + 3600,
            "iss": "https://api.botframework.com",
            "aud": APP_ID,
        })
    }

    /// A header with these claims, signed as it should be.
    pub fn signed(&self, claims: &Value) -> String {
        let (key, kid) = self.signer();
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": kid, "x5t": kid});
        format!("Bearer {}", jwt(key, &signature::RSA_PKCS1_SHA256, &header, &claims.to_string()))
    }

    fn signer(&self) -> (&'static KeyPair, &'static str) {
        if self.world.lock().rotated { (&pool().next, "key-next") } else { (&pool().current, "key-current") }
    }

    /// A token of our claims, with one algorithm, key and key id.
    fn by(&self, alg: &str, by: &KeyPair, kid: Option<&str>, claims: &Value) -> String {
        let mut header = json!({"typ": "JWT", "alg": alg});
        if let Some(kid) = kid {
            header["kid"] = json!(kid);
        }
        let encoding: &'static dyn RsaEncoding = match alg {
            "RS384" => &signature::RSA_PKCS1_SHA384,
            "RS512" => &signature::RSA_PKCS1_SHA512,
            "PS256" => &signature::RSA_PSS_SHA256,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        format!("Bearer {}", jwt(by, encoding, &header, &claims.to_string()))
    }

    /// A token that is right, of these claims.
    fn rs256(&self, claims: &Value) -> String {
        let (key, kid) = self.signer();
        self.by("RS256", key, Some(kid), claims)
    }

    /// The right claims but for one.
    fn but(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    /// The right claims without one.
    fn without(&self, name: &str) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    /// A token that says it needs no signature.
    fn unsigned(&self, alg: &str) -> String {
        let header = json!({"typ": "JWT", "alg": alg, "kid": self.signer().1});
        format!("Bearer {}.{}.", part(header.to_string()), part(self.claims().to_string()))
    }

    /// A token signed with a shared secret.
    fn hmac(&self, secret: &[u8]) -> String {
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": self.signer().1});
        let text = format!("{}.{}", part(header.to_string()), part(self.claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
        format!("Bearer {text}.{}", part(tag))
    }

    /// A token whose header has more than it should, by some key.
    fn headed(&self, by: &KeyPair, more: &Value, claims: &str) -> String {
        let mut header = json!({"typ": "JWT", "alg": "RS256", "kid": self.signer().1});
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("Bearer {}", jwt(by, &signature::RSA_PKCS1_SHA256, &header, claims))
    }

    /// A right token with one byte of its signature changed.
    fn byte_changed(&self) -> String {
        let good = self.rs256(&self.claims());
        let (text, signed) = good.rsplit_once('.').unwrap();
        let mut signed = URL_SAFE_NO_PAD.decode(signed).unwrap();
        signed[100] ^= 1;
        format!("{text}.{}", part(signed))
    }

    /// A right token whose claims were exchanged after it was signed.
    fn claim_changed(&self) -> String {
        let good = self.rs256(&self.claims());
        let parts: Vec<&str> = good.split('.').collect();
        format!("{}.{}.{}", parts[0], part(self.but("exp", json!(self.now() + 7200)).to_string()), parts[2])
    }

    /// An `Authorization` header.
    pub fn authorization(&self, token: Token) -> String {
        let (key, kid) = self.signer();
        let good = || self.rs256(&self.claims());
        let but = |name: &str, value: Value| self.rs256(&self.but(name, value));
        let without = |name: &str| self.rs256(&self.without(name));
        let by = |alg: &str, by: &KeyPair, kid: Option<&str>| self.by(alg, by, kid, &self.claims());
        let now = self.now();
        match token {
            Token::Good => good(),
            Token::Good384 => by("RS384", key, Some(kid)),
            Token::Good512 => by("RS512", key, Some(kid)),
            Token::AlgNone => self.unsigned("none"),
            Token::AlgNoneInCapitals => self.unsigned("NONE"),
            Token::HmacWithPublicDer => self.hmac(key.public_key().as_ref()),
            Token::HmacWithPublicPem => self.hmac(pem(key).as_bytes()),
            Token::Pss => by("PS256", key, Some(kid)),
            Token::OtherAudience => but("aud", json!("00000000-0000-4000-8000-000000000000")),
            Token::ListOfAudiences => but("aud", json!([APP_ID, "another"])),
            Token::NoAudience => without("aud"),
            Token::OtherIssuer => but("iss", json!("https://sts.windows.net/evil/")),
            Token::IssuerWithSlash => but("iss", json!("https://api.botframework.com/")),
            Token::NoIssuer => without("iss"),
            Token::Expired => but("exp", json!(now - 300)),
            Token::NoExpiry => without("exp"),
            Token::NotYet => but("nbf", json!(now + 310)),
            Token::NotEndorsed => by("RS256", &pool().other, Some("key-other")),
            Token::EndorsedForNothing => by("RS256", &pool().other, Some("key-bare")),
            Token::OtherServiceUrl => but("serviceurl", json!("https://smba.trafficmanager.net/evil/")),
            Token::NoServiceUrl => without("serviceurl"),
            Token::TwoServiceUrls => but("serviceUrl", json!("https://smba.trafficmanager.net/evil/")),
            Token::IssuerTwice => {
                let twice = self.claims().to_string().replacen('{', r#"{"iss":"https://evil.example","#, 1);
                self.headed(key, &json!({}), &twice)
            }
            Token::UnknownKid => by("RS256", &pool().stranger, Some("key-nobody-knows")),
            Token::NoKid => by("RS256", key, None),
            Token::StolenKid => by("RS256", &pool().stranger, Some(kid)),
            Token::KeyAlong => {
                let (n, e) = public(&pool().stranger);
                let jwk = json!({"kty": "RSA", "n": n, "e": e, "kid": kid});
                let more = json!({"jwk": jwk, "jku": "https://evil.example/"});
                self.headed(&pool().stranger, &more, &self.claims().to_string())
            }
            Token::Critical => self.headed(key, &json!({"crit": ["b64"], "b64": false}), &self.claims().to_string()),
            Token::SignatureByteChanged => self.byte_changed(),
            Token::ClaimChanged => self.claim_changed(),
            Token::SignatureEmpty => format!("{}.", good().rsplit_once('.').unwrap().0),
            Token::SignatureMissing => good().rsplit_once('.').unwrap().0.to_owned(),
            Token::Doubled => format!("{}, {}", good(), good()),
            Token::Basic => good().replacen("Bearer", "Basic", 1),
            Token::Bare => good().replacen("Bearer ", "", 1),
            Token::Nothing => "Bearer ".into(),
        }
    }
}

pub(super) struct Pool {
    pub(super) current: KeyPair,
    pub(super) next: KeyPair,
    /// Published, but not for Teams.
    pub(super) other: KeyPair,
    /// Published nowhere.
    stranger: KeyPair,
}

pub(super) fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    let key = || KeyPair::generate(KeySize::Rsa2048).unwrap();
    POOL.get_or_init(|| Pool { current: key(), next: key(), other: key(), stranger: key() })
}

pub(super) fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn jwt(key: &KeyPair, encoding: &'static dyn RsaEncoding, header: &Value, claims: &str) -> String {
    let text = format!("{}.{}", part(header.to_string()), part(claims));
    let mut signed = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), text.as_bytes(), &mut signed).unwrap();
    format!("{text}.{}", part(signed))
}

/// The `Authorization` header of an outgoing webhook: HMAC-SHA256 over the body as it is sent.
pub fn outgoing(security_token: &str, body: &str) -> String {
    let secret = STANDARD.decode(security_token).unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), body.as_bytes());
    format!("HMAC {}", STANDARD.encode(tag))
}

fn pem(key: &KeyPair) -> String {
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let lines: Vec<String> =
        STANDARD.encode(der.as_ref()).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// Modulus and exponent, out of SEQUENCE { INTEGER, INTEGER }.
pub(super) fn public(key: &KeyPair) -> (String, String) {
    fn next(bytes: &[u8]) -> (&[u8], &[u8]) {
        let (length, from) = match bytes[1] {
            short @ 0..0x80 => (usize::from(short), 2),
            long => {
                let of = usize::from(long & 0x7f);
                (bytes[2..2 + of].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), 2 + of)
            }
        };
        (&bytes[from..from + length], &bytes[from + length..])
    }
    let public = key.public_key();
    let (inside, _) = next(public.as_ref());
    let (n, rest) = next(inside);
    let (e, _) = next(rest);
    (part(n.strip_prefix(&[0]).unwrap_or(n)), part(e))
}
