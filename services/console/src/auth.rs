//! Who may come in: one token, kept as its SHA-256, sent as `Authorization: Bearer` or as the password of
//! HTTP basic. Roles come later; until then whoever has the token may do everything. Owns the comparison in
//! constant time; refuses to know where the hash is kept.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use hindcast_api::{Code, Problem};
use sha2::{Digest, Sha256};

use crate::fallback;

/// Paths that stay open: probes, and what every page is drawn with.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/favicon.ico"];

/// Knows the right token by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCheck {
    sha256: [u8; 32],
}

impl TokenCheck {
    /// From the token's SHA-256.
    #[must_use]
    pub const fn new(sha256: [u8; 32]) -> Self {
        Self { sha256 }
    }

    /// From the token itself.
    #[must_use]
    pub fn of_token(token: &str) -> Self {
        Self { sha256: Sha256::digest(token.as_bytes()).into() }
    }

    /// From the hash in hexadecimal, as it is kept.
    #[must_use]
    pub fn of_hex(hex: &str) -> Option<Self> {
        Some(Self { sha256: hindcast_domain::hex::unhex_array(hex.trim())? })
    }

    /// The hash in hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        hindcast_domain::hex::hex(&self.sha256)
    }

    /// Whether this is the token. Hashes are compared whole, so that time tells nothing.
    #[must_use]
    pub fn is(&self, token: &str) -> bool {
        let other: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let differs = self.sha256.iter().zip(other).fold(0_u8, |differs, (a, b)| differs | (a ^ b));
        std::hint::black_box(differs) == 0
    }
}

/// Lets through who has the token; everybody where there is none. The state is the token's check.
pub async fn check(State(token): State<Option<TokenCheck>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let open = OPEN.contains(&path) || path.starts_with("/assets/");
    let Some(token) = token.filter(|_| !open) else {
        return next.run(request).await;
    };
    if credential(request.headers()).is_some_and(|credential| token.is(&credential.secret)) {
        return next.run(request).await;
    }
    let problem = Problem::new(Code::Unauthorized, "expected the token of this server, it is missing or wrong")
        .remedy("Send `Authorization: Bearer TOKEN`, or HTTP basic with the token as its password.");
    let mut response = fallback::refuse(request.headers(), problem);
    if fallback::wants_html(request.headers()) {
        let basic = HeaderValue::from_static("Basic realm=\"hindcast: your name, and the token\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
    }
    response
}

/// What a request shows of itself.
struct Credential {
    /// The name of HTTP basic.
    name: Option<String>,
    secret: String,
}

fn credential(headers: &HeaderMap) -> Option<Credential> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credential { name: None, secret: rest.trim().to_owned() });
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let (name, secret) = plain.split_once(':')?;
    Some(Credential { name: Some(name.to_owned()).filter(|name| !name.is_empty()), secret: secret.to_owned() })
}

/// The name that HTTP basic carries, if it does.
#[must_use]
pub fn basic_name(headers: &HeaderMap) -> Option<String> {
    credential(headers)?.name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let check = TokenCheck::of_token("hc_secret");
        assert!(check.is("hc_secret") && !check.is("hc_secreT") && !check.is(""));
        assert_eq!(TokenCheck::of_hex(&check.hex()), Some(check));
        assert_eq!(TokenCheck::of_hex("zz"), None);
    }
}
