//! Who is at the endpoint. Owns the schemes and the two states that a payload can be in, [`Unverified`] and [`Verified`]; refuses to know what a payload means: a signature is checked
//! over the bytes as they came, before anything reads them.

use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hindcast_api::Code;
use hindcast_domain::SecretHash;
use hindcast_domain::event::Verdict;
use hindcast_http::HttpRefusal;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What nobody has vouched for yet: it can be verified, and nothing else.
pub struct Unverified<T>(T);

/// What its sender's credential vouches for. Formats read nothing else.
#[derive(Clone)]
pub struct Verified<T> {
    value: T,
    verdict: Verdict,
}

impl<T> Verified<T> {
    /// What was verified.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// How the sender was recognised.
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// What was verified, and how the sender was recognised.
    pub(crate) fn into_parts(self) -> (T, Verdict) {
        (self.value, self.verdict)
    }

    /// Another form of the same content.
    ///
    /// # Errors
    /// When it does not have that form.
    pub fn try_map<U, E>(self, turn: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified { value: turn(self.value)?, verdict: self.verdict })
    }

    /// What was verified when it first came and has lain in the ledger since.
    pub(crate) fn from_ledger(value: T) -> Self {
        Self { value, verdict: Verdict { scheme: "ledger".into(), key_id: None } }
    }
}

impl<T: AsRef<[u8]>> Unverified<T> {
    /// What has just come in.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Asks the guard.
    ///
    /// # Errors
    /// 401 when the credential is missing or wrong.
    pub fn verify(self, guard: &Guard, headers: &HeaderMap) -> Result<Verified<T>, HttpRefusal> {
        match guard.verdict(headers, self.0.as_ref()) {
            Some(verdict) => Ok(Verified { value: self.0, verdict }),
            None => Err(guard.refusal()),
        }
    }
}

/// A key that is recognised by its hash.
#[derive(Clone)]
pub(crate) struct KnownKey {
    pub(crate) id: String,
    pub(crate) hash: SecretHash,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base 64.
    Base64,
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Hex => hindcast_domain::hex::unhex(text),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Scheme {
    Open,
    Bearer { keys: Vec<KnownKey>, or_password: bool },
    Basic { username: String, keys: Vec<KnownKey> },
    Hmac { header: String, prefix: String, encoding: Encoding, keys: Vec<(String, Vec<u8>)> },
}

/// A door's guard. Cheap to clone; shows nothing of its keys.
#[derive(Clone)]
pub struct Guard(Arc<Scheme>);

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({})", self.name())
    }
}

impl Guard {
    /// Lets everybody in.
    #[must_use]
    pub fn open() -> Self {
        Self(Arc::new(Scheme::Open))
    }

    /// Lets in who has the token of that hash, as a bearer or as the password of HTTP basic.
    #[must_use]
    pub fn token(id: &str, hash: SecretHash) -> Self {
        let keys = vec![KnownKey { id: id.to_owned(), hash }];
        Self(Arc::new(Scheme::Bearer { keys, or_password: true }))
    }

    pub(crate) fn new(scheme: Scheme) -> Self {
        Self(Arc::new(scheme))
    }

    /// The scheme's name, as a delivery records it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &*self.0 {
            Scheme::Open => "open",
            Scheme::Bearer { .. } => "bearer",
            Scheme::Basic { .. } => "basic",
            Scheme::Hmac { .. } => "hmac-sha256",
        }
    }

    /// Whether a wrong credential shows before the body is read.
    pub(crate) fn reads_headers_alone(&self) -> bool {
        !matches!(&*self.0, Scheme::Hmac { .. })
    }

    /// Whether it lets everybody in.
    pub(crate) fn is_open(&self) -> bool {
        matches!(&*self.0, Scheme::Open)
    }

    /// Looks at the headers alone.
    ///
    /// # Errors
    /// 401 when the credential is missing or wrong.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<Verdict, HttpRefusal> {
        self.verdict(headers, &[]).ok_or_else(|| self.refusal())
    }

    fn verdict(&self, headers: &HeaderMap, body: &[u8]) -> Option<Verdict> {
        let key_id = match &*self.0 {
            Scheme::Open => None,
            Scheme::Bearer { keys, or_password } => {
                let basic = || basic(headers).filter(|_| *or_password).map(|(_, password)| password);
                let secret = bearer(headers).map(ToOwned::to_owned).or_else(basic)?;
                Some(known(keys, &secret)?)
            }
            Scheme::Basic { username, keys } => {
                let (name, password) = basic(headers)?;
                let name_is_right = SecretHash::of(username).is(&name);
                Some(known(keys, &password).filter(|_| name_is_right)?)
            }
            Scheme::Hmac { header, prefix, encoding, keys } => {
                let shown = headers.get(header)?.to_str().ok()?;
                Some(signed(shown, prefix, *encoding, keys, body)?)
            }
        };
        Some(Verdict { scheme: self.name().into(), key_id })
    }

    fn refusal(&self) -> HttpRefusal {
        let (what, remedy) = match &*self.0 {
            Scheme::Open | Scheme::Bearer { .. } => {
                ("a token", "Send `Authorization: Bearer` with this source's token.".to_owned())
            }
            Scheme::Basic { .. } => ("a name and a password", "Send this source's HTTP basic credential.".to_owned()),
            Scheme::Hmac { header, .. } => {
                ("a signature", format!("Sign the body with this source's secret and send it as {header}."))
            }
        };
        let problem =
            hindcast_api::Problem::new(Code::Unauthorized, format!("expected {what}, it is missing or wrong"));
        HttpRefusal(problem.remedy(remedy))
    }
}

/// The id of the key that this is. All are asked, so that time does not tell which.
fn known(keys: &[KnownKey], secret: &str) -> Option<String> {
    keys.iter().fold(None, |found, key| if key.hash.is(secret) { Some(key.id.clone()) } else { found })
}

/// The id of the key that signed. A header may list several signatures with commas between; one is enough.
fn signed(shown: &str, prefix: &str, encoding: Encoding, keys: &[(String, Vec<u8>)], body: &[u8]) -> Option<String> {
    let signatures = shown.split(',').filter_map(|part| encoding.decode(part.trim().strip_prefix(prefix)?));
    let signatures: Vec<Vec<u8>> = signatures.take(8).collect();
    keys.iter().find_map(|(id, secret)| {
        let mac = Hmac::<Sha256>::new_from_slice(secret).ok()?.chain_update(body);
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()).then(|| id.clone())
    })
}

fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (name, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then_some(rest.trim())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    authorization(headers, "bearer")
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let plain = String::from_utf8(STANDARD.decode(authorization(headers, "basic")?).ok()?).ok()?;
    let (name, password) = plain.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    fn key(id: &str, secret: &str) -> KnownKey {
        KnownKey { id: id.to_owned(), hash: SecretHash::of(secret) }
    }

    fn id_of(guard: &Guard, headers: &HeaderMap, body: &'static [u8]) -> Option<Option<String>> {
        let verified = Unverified::new(body).verify(guard, headers).ok()?;
        Some(verified.verdict().key_id.clone())
    }

    #[test]
    fn a_token_is_known_during_its_rotation_by_either_key() {
        let guard = Guard::new(Scheme::Bearer { keys: vec![key("old", "a"), key("new", "b")], or_password: false });
        assert_eq!(id_of(&guard, &headers("authorization", "Bearer a"), b""), Some(Some("old".to_owned())));
        assert_eq!(id_of(&guard, &headers("authorization", "bearer b"), b""), Some(Some("new".to_owned())));
        assert_eq!(id_of(&guard, &headers("authorization", "Bearer c"), b""), None);
        assert_eq!(id_of(&guard, &headers("authorization", "Basic YTphYQ=="), b""), None);
        assert_eq!(id_of(&guard, &HeaderMap::new(), b""), None);
    }

    #[test]
    fn basic_wants_both_the_name_and_the_password() {
        let guard = Guard::new(Scheme::Basic { username: "am".into(), keys: vec![key("k", "pw")] });
        let shown = |text: &str| headers("authorization", &format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(id_of(&guard, &shown("am:pw"), b""), Some(Some("k".to_owned())));
        assert_eq!(id_of(&guard, &shown("ma:pw"), b""), None);
        assert_eq!(id_of(&guard, &shown("am:pw2"), b""), None);
    }

    #[test]
    fn the_servers_token_is_taken_as_a_bearer_or_a_password() {
        let guard = Guard::token("api", SecretHash::of("hc_token"));
        assert!(id_of(&guard, &headers("authorization", "Bearer hc_token"), b"").is_some());
        let basic = format!("Basic {}", STANDARD.encode("ada:hc_token"));
        assert!(id_of(&guard, &headers("authorization", &basic), b"").is_some());
    }

    #[test]
    fn a_signature_is_checked_over_the_bytes_as_they_came() {
        // The example of GitHub's documentation on validating webhook deliveries.
        let guard = Guard::new(Scheme::Hmac {
            header: "x-hub-signature-256".into(),
            prefix: "sha256=".into(),
            encoding: Encoding::Hex,
            keys: vec![("k".into(), b"It's a Secret to Everybody".to_vec())],
        });
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(id_of(&guard, &headers("x-hub-signature-256", good), b"Hello, World!"), Some(Some("k".to_owned())));
        assert_eq!(id_of(&guard, &headers("x-hub-signature-256", good), b"Hello, World"), None);
        let bare = good.strip_prefix("sha256=").unwrap();
        assert_eq!(id_of(&guard, &headers("x-hub-signature-256", bare), b"Hello, World!"), None);
        let listed = format!("sha256=00,{good}");
        assert!(id_of(&guard, &headers("x-hub-signature-256", &listed), b"Hello, World!").is_some());
        assert_eq!(id_of(&guard, &HeaderMap::new(), b"Hello, World!"), None);
    }

    #[test]
    fn a_guard_shows_nothing_of_its_keys() {
        let guard = Guard::new(Scheme::Bearer { keys: vec![key("old", "a")], or_password: false });
        assert_eq!(format!("{guard:?}"), "Guard(bearer)");
    }
}
