//! The vendor's keys: fetched where its metadata says, kept for a day, and used for five while the vendor
//! cannot be reached. Refuses to fetch because somebody asks often: between two attempts lies a pause.
//!
//! The clock is the one that was handed in. Where it steps back, an attempt is due at once, and one pause begins.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use hindcast_messaging::chat::Denied;
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{UnixClock, hosts, wire};

/// So long keys are used without a look at the vendor's, in seconds.
pub(crate) const FRESH_S: i64 = 24 * 3600;
/// So long they are used while the vendor cannot be reached, in seconds.
pub(crate) const STALE_MAX_S: i64 = 5 * 24 * 3600;
/// Between two attempts for the sake of a key that is not known, in seconds.
pub(crate) const PAUSE_UNKNOWN_S: i64 = 60;
/// Between two attempts while there are no keys at all, in seconds.
pub(crate) const PAUSE_NONE_S: i64 = 5;
/// Between two attempts while old keys still do, in seconds: whoever makes one waits for it.
pub(crate) const PAUSE_STALE_S: i64 = 300;
/// The most that the vendor's documents may be long, in bytes.
const DOCUMENT_MAX: usize = 1024 * 1024;
/// The most keys that are kept.
const KEYS_MAX: usize = 256;
/// Who is spoken to, in errors.
const WHO: &str = "the Bot Framework's key service";

/// The algorithms that may ever sign: public ones of RSA. Whoever is not here is refused by type, so that a
/// public key is never taken for a shared secret.
pub(crate) const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// One key of the vendor's.
pub(crate) struct SigningKey {
    pub(crate) key: DecodingKey,
    /// The channels that it may speak for.
    pub(crate) endorsements: Vec<String>,
    /// What it signs with, of [`ALGORITHMS`].
    pub(crate) algorithms: Vec<Algorithm>,
}

#[derive(Default)]
struct KnownKeys {
    keys: HashMap<String, Arc<SigningKey>>,
    /// When they were fetched.
    at: Option<i64>,
}

#[derive(Default)]
struct Tried {
    at: Option<i64>,
    failed: Option<String>,
}

pub(crate) struct VendorKeys {
    pub(crate) client: Client,
    pub(crate) metadata: Url,
    pub(crate) clock: UnixClock,
    known: RwLock<KnownKeys>,
    /// Held while an attempt is made: there is one at a time.
    tried: Arc<Mutex<Tried>>,
}

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: String,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// A key as it is published. What else stands there, such as certificates, is not used.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    endorsements: Vec<String>,
}

impl VendorKeys {
    pub(crate) fn new(client: Client, metadata: Url, clock: UnixClock) -> Self {
        Self { client, metadata, clock, known: RwLock::default(), tried: Arc::default() }
    }

    /// The key of that id.
    ///
    /// # Errors
    /// `Invalid` when the vendor has none of that id; `Unavailable` when it cannot be known.
    pub(crate) async fn get(self: &Arc<Self>, kid: &str) -> Result<Arc<SigningKey>, Denied> {
        match self.look(kid) {
            (Some(key), Some(age)) if age <= FRESH_S => Ok(key),
            (Some(key), Some(age)) if age <= STALE_MAX_S => match Arc::clone(&self.tried).try_lock_owned() {
                Ok(tried) => {
                    self.attempt(tried, PAUSE_STALE_S).await;
                    // Only what the vendor still has; all of the old ones where it could not be asked.
                    self.look(kid).0.ok_or_else(unknown)
                }
                // Old keys do for now: whoever comes while somebody is at it does not wait.
                Err(_) => Ok(key),
            },
            _ => self.learn(kid).await,
        }
    }

    /// Looks for a key that is not known, or too old.
    async fn learn(self: &Arc<Self>, kid: &str) -> Result<Arc<SigningKey>, Denied> {
        let tried = Arc::clone(&self.tried).lock_owned().await;
        // Somebody else may have fetched meanwhile.
        let (found, age) = self.usable(kid);
        if let Some(key) = found {
            return Ok(key);
        }
        let tried = self.attempt(tried, if age.is_some() { PAUSE_UNKNOWN_S } else { PAUSE_NONE_S }).await;
        match (self.usable(kid), &tried.failed) {
            ((Some(key), _), _) => Ok(key),
            ((None, Some(_)), None) => Err(unknown()),
            (_, failed) => {
                let why = failed.as_deref().unwrap_or("there are none yet");
                Err(Denied::Unavailable(format!("the vendor's keys cannot be had, so nothing is believed: {why}")))
            }
        }
    }

    /// A key and the age of all, in seconds. A clock before the fetch makes them new, not old.
    fn look(&self, kid: &str) -> (Option<Arc<SigningKey>>, Option<i64>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let age = known.at.map(|at| (self.clock)().saturating_sub(at).max(0));
        (known.keys.get(kid).cloned(), age)
    }

    /// The same, as long as keys are not too old to be used.
    fn usable(&self, kid: &str) -> (Option<Arc<SigningKey>>, Option<i64>) {
        match self.look(kid) {
            (found, Some(age)) if age <= STALE_MAX_S => (found, Some(age)),
            _ => (None, None),
        }
    }

    /// Fetches, unless that was tried within `pause` seconds. Whoever asked may go away; the attempt is ended.
    async fn attempt(self: &Arc<Self>, mut tried: OwnedMutexGuard<Tried>, pause: i64) -> OwnedMutexGuard<Tried> {
        let now = (self.clock)();
        if tried.at.is_some_and(|at| (at..at.saturating_add(pause)).contains(&now)) {
            return tried;
        }
        tried.at = Some(now);
        tried.failed = Some("the last attempt was broken off".into());
        let this = Arc::clone(self);
        let attempt = tokio::spawn(async move {
            match this.fetch().await {
                Ok(keys) => {
                    *this.known.write().unwrap_or_else(PoisonError::into_inner) = KnownKeys { keys, at: Some(now) };
                    tried.failed = None;
                }
                Err(why) => {
                    tracing::warn!(why, "the vendor's keys could not be fetched");
                    tried.failed = Some(why);
                }
            }
            tried
        });
        match attempt.await {
            Ok(tried) => tried,
            Err(_) => Arc::clone(&self.tried).lock_owned().await,
        }
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<SigningKey>>, String> {
        let metadata: Metadata = self.document(self.metadata.clone()).await?;
        let named = hosts::trusted(&metadata.jwks_uri)
            .filter(|url| !hosts::is_loopback(url) || hosts::is_loopback(&self.metadata))
            .ok_or_else(|| format!("{WHO} names a jwks_uri that is not https"))?;
        let set: Set = self.document(named).await?;
        let supported = metadata.id_token_signing_alg_values_supported;
        let keys: HashMap<_, _> =
            set.keys.into_iter().take(KEYS_MAX).filter_map(|jwk| usable(jwk, &supported)).collect();
        if keys.is_empty() {
            return Err(format!("{WHO} lists no RSA key that signs"));
        }
        Ok(keys)
    }

    async fn document<T: serde::de::DeserializeOwned>(&self, url: Url) -> Result<T, String> {
        let response = self.client.get(url).send().await.map_err(|error| wire::unreached(WHO, error).to_string())?;
        if !response.status().is_success() {
            return Err(wire::refusal(WHO, response).await.to_string());
        }
        let bytes = wire::body(WHO, response, DOCUMENT_MAX).await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map_err(|_| format!("{WHO} answered something else than was expected"))
    }
}

fn unknown() -> Denied {
    Denied::Invalid("the token is signed by no key of the vendor's".into())
}

/// A published key, if it is one that may sign. One that cannot be read does not take the others along.
fn usable(jwk: Value, supported: &[String]) -> Option<(String, Arc<SigningKey>)> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    if jwk.kty != "RSA" || jwk.purpose.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    // Where the metadata names nothing, only what every signer has.
    let named = |algorithm: &Algorithm| {
        let name = format!("{algorithm:?}");
        let listed = if supported.is_empty() { name == "RS256" } else { supported.contains(&name) };
        listed && jwk.alg.as_ref().is_none_or(|alg| *alg == name)
    };
    let algorithms: Vec<Algorithm> = ALGORITHMS.into_iter().filter(named).collect();
    if algorithms.is_empty() {
        return None;
    }
    let key = DecodingKey::from_rsa_components(&jwk.n?, &jwk.e?).ok()?;
    Some((jwk.kid?, Arc::new(SigningKey { key, endorsements: jwk.endorsements, algorithms })))
}
