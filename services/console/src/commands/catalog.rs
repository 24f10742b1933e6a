//! The service catalogue: read as JSON or YAML, put in force as a configuration section.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hindcast_api::Code;
use hindcast_domain::Partition;
use hindcast_domain::catalog::Catalog;
use hindcast_domain::command::{Command, Configured};
use hindcast_domain::words::ConfigSection;
use hindcast_http::{HttpRefusal, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::body::{self, invalid};
use super::{CommandAnswer, CommandResult, Order, Relative, RequestActor};
use crate::Console;
use crate::look::Look;

/// The section's name.
const SECTION: &str = "catalog";

/// The active catalogue, as JSON, or as YAML where `Accept` asks for it.
///
/// # Errors
/// What the views refuse.
pub async fn read(look: Look, headers: HeaderMap) -> Result<Response> {
    let catalog = look.seen().catalog().await?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("yaml") {
        return Ok(Json(catalog).into_response());
    }
    let yaml = hindcast_domain::yaml::write(&catalog)
        .map_err(|_| HttpRefusal::new(Code::Internal, "the catalogue has no form in YAML"))?;
    Ok(([(header::CONTENT_TYPE, "application/yaml")], yaml).into_response())
}

/// Activates a catalogue.
///
/// # Errors
/// 400 for what is neither YAML nor JSON, 415 for another type, 422 for a catalogue that contradicts itself.
pub async fn put(
    State(console): State<Console>,
    asker: RequestActor,
    headers: HeaderMap,
    body: Body,
) -> Result<CommandAnswer<Catalog>> {
    let bytes = hindcast_http::read(&headers, body).await?;
    let catalog = parse(body::media_type(&headers).as_deref(), &bytes)?;
    catalog.check().map_err(|error| invalid(error.to_string()))?;
    let content = serde_json::to_value(&catalog)
        .map_err(|_| HttpRefusal::new(Code::Internal, "the catalogue has no form in JSON"))?;
    let order = Order {
        partition: Partition::whole(Partition::TENANT),
        subject: SECTION.to_owned(),
        command: Command::Configure(Configured { section: ConfigSection::Catalog, hash: hash(&content), content }),
        relative: Relative::No,
    };
    match console.submit(&asker, order).await? {
        CommandResult::Pending(pending) => Ok(CommandAnswer::Pending(pending)),
        CommandResult::Accepted { .. } => Ok(CommandAnswer::Changed(console.queries().now().await?.catalog().await?)),
    }
}

/// SHA-256 of a content's JSON, whose maps are sorted by key.
fn hash(content: &Value) -> String {
    let bytes = content.to_string();
    hindcast_domain::hex::hex(&Sha256::digest(bytes.as_bytes()))
}

fn parse(media_type: Option<&str>, bytes: &[u8]) -> Result<Catalog> {
    let value = match media_type {
        Some("application/json") => hindcast_http::json(bytes)?,
        // JSON is YAML, so that an unnamed type can be either.
        None | Some("application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" | "text/plain") => {
            yaml(bytes)?
        }
        Some(other) => {
            let detail = format!("expected application/json or application/yaml, got {other:?}");
            return Err(HttpRefusal::new(Code::UnsupportedMediaType, detail));
        }
    };
    body::read(value)
}

fn yaml(bytes: &[u8]) -> Result<Value> {
    hindcast_domain::yaml::read_bytes(bytes)
        .map_err(|error| HttpRefusal::new(Code::Malformed, format!("expected YAML or JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_are_one_catalogue() {
        let yaml = b"services:\n- name: shop\n  depends_on: [pg]\n- name: pg\n  tier: 1\n";
        let json = br#"{"services":[{"name":"shop","depends_on":["pg"]},{"name":"pg","tier":1}]}"#;
        let expect = parse(Some("application/yaml"), yaml).unwrap();
        assert_eq!(parse(Some("application/json"), json).unwrap(), expect);
        assert_eq!(parse(None, json).unwrap(), expect);
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert_eq!(parse(None, b"a: [").unwrap_err().0.status, 400);
        assert_eq!(parse(Some("image/png"), b"").unwrap_err().0.status, 415);
        assert_eq!(parse(None, b"services: [{nmae: x}]").unwrap_err().0.status, 422);
    }
}
