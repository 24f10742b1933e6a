//! Says whether a token is the connector's own, for our app, and for this conversation: every check of "Authenticate
//! requests from the Bot Connector service to your bot" in the Bot Framework's documentation, and a few more.
//! Refuses to show a token, or to be told to skip a check.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hindcast_messaging::chat::{Authority, Denied};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::hosts::{self, HOSTS, Hosts};
use crate::keys::{ALGORITHMS, VendorKeys};
use crate::{UnixClock, wire};
use hindcast_messaging::Misconfigured;

/// How far the vendor's clock and ours may be apart, in seconds.
const LEEWAY_S: i64 = 300;
/// The longest token that is looked at, in bytes.
const TOKEN_MAX: usize = 16 * 1024;
/// The longest key id, in bytes.
const KID_MAX: usize = 256;
/// The one channel that we are spoken to through. On others, such as Direct Line, a sender names itself.
const CHANNEL: &str = "msteams";

/// What a token is held against.
#[derive(Clone)]
pub struct AuthorityOptions {
    /// The app's id: whom a token is for.
    pub app_id: String,
    /// Where the vendor says where its keys are. Plain HTTP to this very machine is for tests, and allows
    /// conversations there too.
    pub metadata_url: String,
    /// Who issues tokens.
    pub issuer: String,
    /// The hosts that a conversation may be served at.
    pub hosts: Vec<String>,
    /// How long one fetch may take.
    pub timeout: Duration,
    /// Tells the time.
    pub clock: UnixClock,
}

impl AuthorityOptions {
    /// What suits the public cloud.
    #[must_use]
    pub fn new(app_id: impl Into<String>, clock: UnixClock) -> Self {
        Self {
            app_id: app_id.into(),
            metadata_url: "https://login.botframework.com/v1/.well-known/openidconfiguration".into(),
            issuer: "https://api.botframework.com".into(),
            hosts: HOSTS.map(str::to_owned).to_vec(),
            timeout: Duration::from_secs(5),
            clock,
        }
    }
}

impl std::fmt::Debug for AuthorityOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorityOptions").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// The Bot Framework's authority.
pub struct BotAuthority {
    app_id: String,
    issuer: String,
    hosts: Hosts,
    keys: Arc<VendorKeys>,
    clock: UnixClock,
}

impl std::fmt::Debug for BotAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotAuthority").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// What a token says. Claims that come twice are refused by the reader.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    nbf: Option<i64>,
    serviceurl: Option<String>,
    #[serde(rename = "serviceUrl")]
    service_url: Option<String>,
}

impl BotAuthority {
    /// An authority, by its settings alone: keys are fetched when the first token comes.
    ///
    /// # Errors
    /// When a setting cannot be worked with.
    pub fn new(options: AuthorityOptions) -> Result<Self, Misconfigured> {
        for (what, word) in [("teams.app_id", &options.app_id), ("teams.issuer", &options.issuer)] {
            if word.is_empty() {
                return Err(Misconfigured { what, expected: "a word", got: "nothing".into() });
            }
        }
        let metadata = hosts::trusted(&options.metadata_url).ok_or_else(|| Misconfigured {
            what: "teams.metadata_url",
            expected: "an https URL",
            got: "another one".into(),
        })?;
        let hosts = Hosts::new(&options.hosts, hosts::is_loopback(&metadata));
        let keys =
            Arc::new(VendorKeys::new(wire::client(options.timeout)?, metadata, UnixClock::clone(&options.clock)));
        Ok(Self { app_id: options.app_id, issuer: options.issuer, hosts, keys, clock: options.clock })
    }

    /// What can be said of a token without asking anybody: its algorithm and the id of its key.
    fn read(authorization: &str) -> Result<(&str, Algorithm, String), Denied> {
        let token = bearer(authorization)?;
        let header = decode_header(token).map_err(|_| invalid("the token is no JWT of an algorithm that is known"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(invalid("the token's algorithm is not RS256, RS384 or RS512"));
        }
        if header.crit.is_some() {
            return Err(invalid("the token wants something understood that is not"));
        }
        let kid = header.kid.filter(|kid| !kid.is_empty() && kid.len() <= KID_MAX);
        Ok((token, header.alg, kid.ok_or_else(|| invalid("the token names no key"))?))
    }

    fn claims(&self, claims: &Claims, service_url: &str) -> Result<(), Denied> {
        if claims.iss != self.issuer {
            return Err(invalid("the token's issuer is not the Bot Framework's; check teams.issuer"));
        }
        if claims.aud != self.app_id {
            return Err(invalid("the token is not for our app; check teams.app_id"));
        }
        let now = (self.clock)();
        if now >= claims.exp.saturating_add(LEEWAY_S) {
            return Err(invalid("the token has run out; check this machine's clock"));
        }
        if claims.nbf.is_some_and(|nbf| now < nbf.saturating_sub(LEEWAY_S)) {
            return Err(invalid("the token is not valid yet; check this machine's clock"));
        }
        let said = [&claims.serviceurl, &claims.service_url];
        let mut said = said.into_iter().flatten().peekable();
        if said.peek().is_none() || said.any(|said| said != service_url) {
            return Err(invalid("the token is for another service URL than the delivery"));
        }
        Ok(())
    }
}

#[async_trait]
impl Authority for BotAuthority {
    async fn check(&self, authorization: &str, service_url: &str, channel_id: &str) -> Result<String, Denied> {
        let (token, algorithm, kid) = Self::read(authorization)?;
        if channel_id != CHANNEL {
            return Err(invalid("the delivery's channelId is not msteams"));
        }
        self.hosts.check(service_url).map_err(invalid)?;
        let key = self.keys.get(&kid).await?;
        if !key.algorithms.contains(&algorithm) {
            return Err(invalid("the token's algorithm is not one that its key signs with"));
        }
        let claims =
            decode::<Claims>(token, &key.key, &signature_alone(algorithm)).map_err(|error| broken(&error))?.claims;
        if !key.endorsements.iter().any(|endorsed| endorsed == channel_id) {
            return Err(invalid("the token's key is not endorsed for Teams"));
        }
        self.claims(&claims, service_url)?;
        Ok(kid)
    }
}

/// The library checks the signature; time, issuer and audience are checked here, by the clock that was handed in.
fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

/// The token of a header: one scheme, one token, nothing more. Two headers that were joined are none.
fn bearer(authorization: &str) -> Result<&str, Denied> {
    let (scheme, token) =
        authorization.split_once(' ').ok_or_else(|| invalid("expected Authorization: Bearer with a token"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(invalid("expected Authorization: Bearer, got another scheme"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if token.is_empty() || token.len() > TOKEN_MAX || !token.bytes().all(plain) {
        return Err(invalid("expected one token of at most 16 KiB in Authorization"));
    }
    Ok(token)
}

fn invalid(why: &str) -> Denied {
    Denied::Invalid(why.to_owned())
}

/// Why a token does not hold. The library's own words may quote it.
fn broken(error: &jsonwebtoken::errors::Error) -> Denied {
    invalid(match error.kind() {
        ErrorKind::InvalidSignature => "the token's signature does not hold",
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => {
            "the token's claims cannot be read; iss, aud and exp are needed, each once"
        }
        _ => "the token cannot be verified",
    })
}
