//! The doors of the stand-in: key service, token endpoint, connector and workflow, and what its switches do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rsa::KeyPair;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use super::cards::check_activity;
use super::tokens::{part, pool, public};
use super::{APP_ID, Inner, Kept, MESSAGE_MAX, Mode, PASSWORD, TENANT, WORKFLOW_SIGNATURE, World};

pub(super) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/v1/.well-known/openidconfiguration", get(metadata))
        .route("/v1/.well-known/keys", get(keys))
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/emea/v3/conversations", post(create))
        .route("/emea/v3/conversations/{conversation}/activities", post(add))
        .route("/emea/v3/conversations/{conversation}/activities/{activity}", put(change))
        .route("/workflows/notices/triggers/manual/paths/invoke", post(workflow))
        .fallback(elsewhere)
        .with_state(world)
}

async fn metadata(State(world): State<Arc<World>>) -> Response {
    let mut inner = world.lock();
    inner.counts.metadata += 1;
    if inner.keys_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Json(json!({
        "issuer": "https://api.botframework.com",
        "authorization_endpoint": "https://invalid.botframework.com",
        "jwks_uri": format!("{}/v1/.well-known/keys", world.url),
        "id_token_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }))
    .into_response()
}

async fn keys(State(world): State<Arc<World>>) -> Response {
    let mut inner = world.lock();
    inner.counts.keys += 1;
    if inner.keys_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let jwk = |key: &KeyPair, kid: &str, endorsements: Value| {
        let (n, e) = public(key);
        json!({"kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": n, "e": e, "endorsements": endorsements})
    };
    let teams = json!(["msteams", "skype"]);
    let current =
        if inner.rotated { jwk(&pool().next, "key-next", teams) } else { jwk(&pool().current, "key-current", teams) };
    let mut bare = jwk(&pool().other, "key-bare", Value::Null);
    bare.as_object_mut().unwrap().remove("endorsements");
    let elliptic = json!({"kty": "EC", "crv": "P-256", "kid": "key-ec", "x": "AA", "y": "AA"});
    let other = jwk(&pool().other, "key-other", json!(["webchat", "directline"]));
    Json(json!({"keys": [elliptic, 7, other, bare, current]})).into_response()
}

async fn token(State(world): State<Arc<World>>, Path(tenant): Path<String>, body: Bytes) -> Response {
    let fields: Vec<(String, String)> = form(&body);
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let mut inner = world.lock();
    inner.counts.tokens += 1;
    let refused = |error: &str, number: u64| {
        let words = format!("AADSTS{number}: refused for {}", String::from_utf8_lossy(&body));
        let said = json!({"error": error, "error_description": words, "error_codes": [number]});
        (StatusCode::UNAUTHORIZED, Json(said)).into_response()
    };
    let wanted = (field("grant_type"), field("scope"));
    if tenant != TENANT || wanted != (Some("client_credentials"), Some("https://api.botframework.com/.default")) {
        return refused("invalid_request", 90_002);
    }
    if field("client_id") != Some(APP_ID) {
        return refused("unauthorized_client", 700_016);
    }
    if inner.password_wrong || field("client_secret") != Some(PASSWORD) {
        return refused("invalid_client", 7_000_215);
    }
    let number = inner.counts.tokens;
    let token = format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(format!("{{\"n\":{number}}}")));
    inner.tokens.insert(token.clone());
    let lasts = inner.expires_in.unwrap_or(3599);
    Json(json!({"token_type": "Bearer", "expires_in": lasts, "ext_expires_in": lasts, "access_token": token}))
        .into_response()
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(body))).unwrap();
    url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

impl Inner {
    pub(super) fn id(&mut self) -> String {
        self.ids += 1;
        (1_795_526_950_000 + self.ids).to_string()
    }

    fn turn(&mut self) -> Mode {
        self.next.pop_front().or(self.mode).unwrap_or(Mode::Well)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        header.strip_prefix("Bearer ").is_some_and(|token| self.tokens.contains(token))
    }

    fn keep(&mut self, id: &str, conversation: &str, activity: Value, only_for: Option<String>) {
        let versions = vec![activity.clone()];
        self.kept.push(Kept { id: id.to_owned(), conversation: conversation.to_owned(), activity, versions, only_for });
    }
}

fn refused(status: u16, code: &str) -> Response {
    let said = json!({"error": {"code": code, "message": format!("{code} is what went wrong")}});
    (StatusCode::from_u16(status).unwrap(), Json(said)).into_response()
}

/// What a mode does before a request is looked at.
async fn before(mode: Mode) -> Option<Response> {
    match mode {
        Mode::Well | Mode::CutAfterAccept => None,
        Mode::Down => Some(refused(503, "ServiceUnavailable")),
        Mode::Slow(pause) => {
            tokio::time::sleep(pause).await;
            None
        }
        Mode::Limited(seconds) => {
            let mut response = refused(429, "Throttled");
            response.headers_mut().insert("retry-after", seconds.into());
            Some(response)
        }
        Mode::Refuse(status, code) => Some(refused(status, code)),
        Mode::Redirect => Some((StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response()),
        Mode::Endless => Some("x".repeat(300 * 1024).into_response()),
    }
}

/// What a mode makes of an answer.
fn after(mode: Mode, answer: Response) -> Response {
    if mode != Mode::CutAfterAccept {
        return answer;
    }
    // The status and a first byte get through, and then nothing more.
    let begun = stream::once(async { Ok(Bytes::from_static(b"{")) });
    let cut = stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("cut"))
    });
    Response::builder().status(201).body(Body::from_stream(begun.chain(cut))).unwrap()
}

/// A message to be posted: it can be held before and after it is taken.
async fn posted(
    world: &World,
    headers: &HeaderMap,
    body: &Bytes,
    what: impl FnOnce(&mut Inner, Value) -> Response,
) -> Response {
    if world.trap.arrived().await {
        return refused(503, "ServiceUnavailable");
    }
    let answer = connector(world, headers, body, what).await;
    world.trap.taken().await;
    answer
}

/// A request to the connector: its mode, then its token, then what it wants.
async fn connector(
    world: &World,
    headers: &HeaderMap,
    body: &Bytes,
    what: impl FnOnce(&mut Inner, Value) -> Response,
) -> Response {
    let mode = {
        let mut inner = world.lock();
        inner.counts.connector += 1;
        inner.turn()
    };
    if let Some(response) = before(mode).await {
        return response;
    }
    let mut inner = world.lock();
    if !inner.knows(headers) {
        let said = json!({"message": "Authorization has been denied for this request."});
        return (StatusCode::UNAUTHORIZED, Json(said)).into_response();
    }
    if body.len() > MESSAGE_MAX {
        return refused(413, "MessageSizeTooBig");
    }
    match serde_json::from_slice(body) {
        Ok(wanted) => after(mode, what(&mut inner, wanted)),
        Err(_) => refused(400, "BadSyntax"),
    }
}

async fn create(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response {
    posted(&world, &headers, &body, |inner, wanted| {
        let channel = wanted["channelData"]["channel"]["id"].as_str().unwrap_or_default().to_owned();
        if wanted["isGroup"] != true || !channel.starts_with("19:") {
            return refused(400, "BadArgument");
        }
        if inner.closed.contains(&channel) {
            return refused(404, "ConversationNotFound");
        }
        if let Err(why) = check_activity(&wanted["activity"]) {
            return refused_words(&why);
        }
        let id = inner.id();
        let conversation = format!("{channel};messageid={id}");
        inner.keep(&id, &conversation, wanted["activity"].clone(), None);
        (StatusCode::CREATED, Json(json!({"id": conversation, "activityId": id}))).into_response()
    })
    .await
}

fn refused_words(why: &str) -> Response {
    let said = json!({"error": {"code": "BadArgument", "message": why}});
    (StatusCode::BAD_REQUEST, Json(said)).into_response()
}

async fn add(
    State(world): State<Arc<World>>,
    Path(conversation): Path<String>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    posted(&world, &headers, &body, |inner, activity| {
        let base = conversation.split(";messageid=").next().unwrap().to_owned();
        if inner.closed.contains(&base) || inner.closed.contains(&conversation) {
            return refused(404, "ConversationNotFound");
        }
        if let Err(why) = check_activity(&activity) {
            return refused_words(&why);
        }
        let targeted = asked.get("isTargetedActivity").is_some_and(|word| word == "true");
        let only_for = activity["recipient"]["id"].as_str().filter(|_| targeted).map(str::to_owned);
        if targeted && (inner.cannot_target || only_for.is_none()) {
            return refused(400, "BadArgument");
        }
        let id = inner.id();
        inner.keep(&id, &conversation, activity, only_for);
        (StatusCode::CREATED, Json(json!({"id": id}))).into_response()
    })
    .await
}

async fn change(
    State(world): State<Arc<World>>,
    Path((conversation, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    connector(&world, &headers, &body, |inner, activity| {
        if inner.closed.contains(&id) || inner.closed.contains(&conversation) {
            return refused(404, "ActivityNotFoundInConversation");
        }
        if let Err(why) = check_activity(&activity) {
            return refused_words(&why);
        }
        let Some(kept) = inner.kept.iter_mut().find(|kept| kept.id == id && kept.conversation == conversation) else {
            return refused(404, "ActivityNotFoundInConversation");
        };
        kept.activity = activity.clone();
        kept.versions.push(activity);
        Json(json!({"id": id})).into_response()
    })
    .await
}

async fn workflow(
    State(world): State<Arc<World>>,
    Query(asked): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    let mode = world.lock().turn();
    if let Some(response) = before(mode).await {
        return response;
    }
    if asked.get("sig").is_none_or(|sig| sig != WORKFLOW_SIGNATURE) {
        return refused(401, "DirectApiInvalidAuthorizationScheme");
    }
    let Ok(notice) = serde_json::from_slice::<Value>(&body) else { return refused(400, "BadSyntax") };
    if body.len() > MESSAGE_MAX {
        return refused(413, "RequestEntityTooLarge");
    }
    if let Err(why) = check_activity(&notice) {
        return refused_words(&why);
    }
    world.lock().notices.push(notice);
    after(mode, StatusCode::ACCEPTED.into_response())
}

async fn elsewhere(State(world): State<Arc<World>>) -> Response {
    world.lock().counts.elsewhere += 1;
    StatusCode::NOT_FOUND.into_response()
}
