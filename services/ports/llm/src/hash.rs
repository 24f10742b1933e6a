//! The identity of a request: a hash over its canonical form, by which a recorded reply is found again.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ModelRequest;

impl ModelRequest {
    /// SHA-256 of the request in canonical form (keys sorted, no spaces), in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        // A request of ours is made of texts, numbers and JSON, so it always has a JSON form.
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut text = String::new();
        canonical(&value, &mut text);
        hindcast_domain::hex::hex(&Sha256::digest(text.as_bytes()))
    }
}

/// Appends a value as JSON with the keys of every object sorted, whatever order the map keeps them in.
pub fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                canonical(fields.get(key).unwrap_or(&Value::Null), out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PromptMessage, Speaker, Tool};

    fn request(schema: &str) -> ModelRequest {
        ModelRequest {
            messages: vec![PromptMessage::new(Speaker::User, "why?")],
            tools: vec![Tool {
                name: "get_causes".into(),
                about: "…".into(),
                schema: serde_json::from_str(schema).unwrap(),
            }],
            schema: None,
            tokens_max: 100,
            seed: Some(1),
        }
    }

    #[test]
    fn the_order_of_keys_is_no_difference_and_everything_else_is() {
        let one = request(r#"{"type":"object","additionalProperties":false}"#);
        let same = request(r#"{"additionalProperties":false,"type":"object"}"#);
        assert_eq!(one.hash(), same.hash());
        assert_eq!(one.hash().len(), 64);
        assert_ne!(one.hash(), request(r#"{"additionalProperties":true,"type":"object"}"#).hash());
        let mut other = one.clone();
        other.tokens_max += 1;
        assert_ne!(one.hash(), other.hash());
    }
}
