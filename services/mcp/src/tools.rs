//! The tools as they are offered over MCP: each of the toolbox, with `as_of` where it has none of its own,
//! and `ask`. Owns their schemas and the reading of their arguments; refuses to know what they answer.

use hindcast_advice::tools::Spec;
use hindcast_api::{AsOf, Ask, Code, Problem};
use serde_json::{Map, Value, json};

/// The name of the tool that asks the copilot.
pub const ASK: &str = "ask";
/// Longest question that is accepted.
const QUESTION_BYTES_MAX: usize = 4_096;
/// Bytes of an incident's or a conversation's name.
const NAME_BYTES_MAX: usize = 128;
/// The argument that every tool understands.
const AS_OF: &str = "as_of";

/// A tool's arguments as MCP offers them: the tool's own, and `as_of`.
#[must_use]
pub fn schema(spec: &Spec) -> Map<String, Value> {
    let mut schema = spec.schema.as_object().cloned().unwrap_or_default();
    schema.entry("type").or_insert_with(|| json!("object"));
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.entry(AS_OF).or_insert_with(as_of_schema);
    }
    schema
}

/// Whether a tool reads `as_of` itself.
fn has_as_of(spec: &Spec) -> bool {
    spec.schema.get("properties").and_then(|properties| properties.get(AS_OF)).is_some()
}

fn as_of_schema() -> Value {
    json!({
        "type": ["string", "integer"],
        "description": "What was known by then: a position of the ledger, or a time in RFC 3339. Now where absent.",
    })
}

/// The arguments of `ask`.
#[must_use]
pub fn ask_spec() -> Spec {
    Spec {
        name: ASK,
        about: "Asks the copilot a question in plain words and gets a checked answer: claims with the events that they \
                cite and the verifier's verdict, ranked causes, similar incidents of the past, proposed runbooks, and \
                what is missing. Nothing is executed.",
        schema: json!({
            "type": "object",
            "properties": {
                "question": {"type": "string", "minLength": 1, "maxLength": QUESTION_BYTES_MAX},
                "incident": {"type": "string", "description": "An incident's id or a unique prefix. Where absent: the \
                             one that the question names, else the worst that is open, else the newest."},
                "conversation": {"type": "string", "description": "The `conversation` of an earlier answer, to go on."},
                AS_OF: as_of_schema(),
            },
            "required": ["question"],
            "additionalProperties": false,
        }),
    }
}

/// Takes `as_of` out of the arguments of a tool that does not read it itself.
///
/// # Errors
/// When it is neither a position nor a time.
pub fn take_as_of(spec: &Spec, arguments: &mut Map<String, Value>) -> Result<Option<AsOf>, Problem> {
    if has_as_of(spec) {
        return Ok(None);
    }
    match arguments.remove(AS_OF) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some),
        Some(Value::Number(number)) => number.to_string().parse().map(Some),
        Some(_) => Err(Problem::new(Code::BadAsOf, "expected as_of as a text or a whole number")),
    }
}

/// The arguments of `ask` as a question.
///
/// # Errors
/// When they are not.
pub fn question(arguments: Map<String, Value>) -> Result<Ask, Problem> {
    let invalid = |detail: String| Problem::new(Code::Invalid, detail);
    let ask: Ask = serde_json::from_value(Value::Object(arguments))
        .map_err(|error| invalid(format!("the arguments of {ASK}: {error}")))?;
    let length = ask.question.len();
    if ask.question.trim().is_empty() || length > QUESTION_BYTES_MAX {
        return Err(invalid(format!("expected a question of 1 to {QUESTION_BYTES_MAX} bytes, got {length}")));
    }
    if [&ask.incident, &ask.conversation].into_iter().flatten().any(|name| name.len() > NAME_BYTES_MAX) {
        return Err(invalid(format!("expected at most {NAME_BYTES_MAX} bytes as incident and as conversation")));
    }
    Ok(ask)
}
