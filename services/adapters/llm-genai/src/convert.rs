//! Our request in genai's types.

use genai::chat::{
    ChatMessage, ChatRequest, ChatResponseFormat, ContentPart, JsonSpec, MessageContent, Tool, ToolCall, ToolResponse,
};
use hindcast_llm::{ModelRequest, PromptMessage, Speaker};
use serde_json::{Map, Value, json};

use crate::Options;

/// Names of models that count tokens under another field: those of a vendor that renamed it.
const COMPLETION_TOKENS: [&str; 5] = ["gpt-5", "gpt-6", "o1", "o3", "o4"];

pub(crate) fn request(request: ModelRequest) -> ChatRequest {
    let chat = ChatRequest::from_messages(request.messages.into_iter().map(message).collect());
    if request.tools.is_empty() {
        return chat;
    }
    let tools = request
        .tools
        .into_iter()
        .map(|tool| Tool::new(tool.name).with_description(tool.about).with_schema(tool.schema));
    chat.with_tools(tools)
}

fn message(message: PromptMessage) -> ChatMessage {
    match message.speaker {
        Speaker::System => ChatMessage::system(message.text),
        Speaker::User => ChatMessage::user(message.text),
        Speaker::Tool => ChatMessage::from(ToolResponse::new(message.answers.unwrap_or_default(), message.text)),
        Speaker::Assistant => {
            let text = (!message.text.is_empty()).then(|| ContentPart::Text(message.text));
            let calls = message.calls.into_iter().map(|call| {
                ContentPart::ToolCall(ToolCall {
                    call_id: call.id,
                    fn_name: call.name,
                    fn_arguments: call.arguments,
                    thought_signatures: None,
                })
            });
            ChatMessage::assistant(MessageContent::from_parts(text.into_iter().chain(calls).collect::<Vec<_>>()))
        }
    }
}

/// The schema of the reply.
pub(crate) fn format(name: &str, schema: &Value) -> ChatResponseFormat {
    ChatResponseFormat::JsonSpec(JsonSpec::new(name, schema.clone()))
}

/// Fields that genai would name otherwise, and those that the settings add.
pub(crate) fn body(options: &Options, tokens_max: u32) -> Value {
    let mut fields: Map<String, Value> = Map::new();
    fields.insert("model".to_owned(), json!(options.model));
    let renamed = COMPLETION_TOKENS.iter().any(|name| options.model.starts_with(name));
    let tokens = if renamed { "max_completion_tokens" } else { "max_tokens" };
    fields.insert(tokens.to_owned(), json!(tokens_max));
    if let Some(Value::Object(more)) = &options.extra_body {
        fields.extend(more.clone());
    }
    Value::Object(fields)
}
