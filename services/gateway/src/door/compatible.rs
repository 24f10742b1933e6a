//! Refusals as an Alertmanager gives them: a string in JSON, under one of the statuses that its clients know. `amtool`
//! and other clients that are generated from its description can read nothing else.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hindcast_api::Problem;

/// Where an Alertmanager's API begins.
const API: &str = "/api/v2/";
/// Where alerts come in. Senders there are told what our own doors tell, unless they ask for plain JSON.
const INTAKE: &str = "/api/v2/alerts";
/// Bytes of a refusal at most; ours are far smaller.
const REFUSAL_MAX: usize = 64 << 10;

/// Rewrites refusals of an Alertmanager's routes.
pub(super) async fn refusals(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path());
    let concerns = path.starts_with(API) && (path != INTAKE || method != Method::POST || wants_json(request.headers()));
    let answer = next.run(request).await;
    let is_problem = |kind: &HeaderValue| kind == "application/problem+json";
    if concerns && answer.headers().get(header::CONTENT_TYPE).is_some_and(is_problem) {
        rewritten(answer, &method).await
    } else {
        answer
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains("*/*") && !accept.contains("problem")
}

async fn rewritten(answer: Response, method: &Method) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, REFUSAL_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let text = match problem.remedy.is_empty() {
        true => problem.detail,
        false => format!("{}. {}", problem.detail.trim_end_matches('.'), problem.remedy),
    };
    parts.status = known(parts.status, method);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(serde_json::Value::String(text).to_string()))
}

/// The status that Alertmanager's description has for it: what cannot be done is 400, or 500 where something is to be
/// ended. What concerns the connection and not the request stays as it is.
fn known(status: StatusCode, method: &Method) -> StatusCode {
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::CONFLICT
        | StatusCode::PRECONDITION_FAILED => match *method {
            Method::DELETE => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        },
        other => other,
    }
}
