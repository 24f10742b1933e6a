//! Who may come in: one token, kept as its SHA-256, sent as `Authorization: Bearer` or as the password of
//! HTTP basic. Roles come later; until then whoever has the token may do everything. Owns where a
//! credential stands in a request; refuses to know where the hash is kept.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use hindcast_api::{Code, Problem};
use hindcast_domain::SecretHash;

use crate::fallback;

/// Paths that stay open: probes, and what every page is drawn with.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/favicon.ico"];

/// Lets through who has the token; everybody where there is none. The state is the token's check.
pub async fn check(State(token): State<Option<SecretHash>>, request: Request, next: Next) -> Response {
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
