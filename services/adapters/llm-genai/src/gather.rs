//! A reply out of its pieces, within its bound. Calls come in pieces too: the first has a name, the others only
//! more of the arguments.

use genai::chat::{StopReason, StreamEnd, ToolCall};
use hindcast_llm::{Call, Error, ModelReply};
use serde_json::Value;

/// Calls of one reply.
const CALLS_MAX: usize = 32;

/// What the stream's raw events tell that genai does not: the model's name, and that a choice has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamFacts {
    model: Option<String>,
    finish: Option<String>,
}

impl StreamFacts {
    /// Looks at an event. Most say nothing new, and are not read.
    pub(crate) fn look(&mut self, data: &str) {
        let may_end = data.contains("\"finish_reason\":\"") || data.contains("\"finish_reason\": \"");
        if self.model.is_some() && !may_end {
            return;
        }
        let Ok(event) = serde_json::from_str::<Value>(data) else { return };
        let word = |value: Option<&Value>| value.and_then(Value::as_str).map(|text| text.chars().take(128).collect());
        self.model = self.model.take().or_else(|| word(event.get("model")));
        self.finish = word(event.pointer("/choices/0/finish_reason")).or_else(|| self.finish.take());
    }
}

/// A reply that is coming.
pub(crate) struct Gathered {
    bytes_max: usize,
    bytes: usize,
    reply: ModelReply,
    /// Arguments of the calls, as text.
    arguments: Vec<String>,
    ended: bool,
}

impl Gathered {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, reply: ModelReply::default(), arguments: Vec::new(), ended: false }
    }

    /// Counts bytes, kept or not.
    pub(crate) fn weigh(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bytes_max { Err(Error::TooLarge(self.bytes_max)) } else { Ok(()) }
    }

    /// More text.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Error> {
        self.weigh(text.len())?;
        self.reply.text.push_str(text);
        Ok(())
    }

    /// A piece of a call.
    pub(crate) fn call(&mut self, piece: ToolCall) -> Result<(), Error> {
        let arguments = match piece.fn_arguments {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        self.weigh(arguments.len() + piece.fn_name.len() + piece.call_id.len())?;
        let at = if piece.fn_name.is_empty() { self.place(&piece.call_id) } else { None };
        match at.and_then(|at| self.arguments.get_mut(at)) {
            Some(known) => known.push_str(&arguments),
            None if piece.fn_name.is_empty() => {
                return Err(Error::Malformed("a piece of a tool call came before its name".to_owned()));
            }
            None if self.reply.calls.len() >= CALLS_MAX => {
                return Err(Error::Malformed(format!("more than {CALLS_MAX} tool calls in one reply")));
            }
            None => {
                self.reply.calls.push(Call { id: piece.call_id, name: piece.fn_name, arguments: Value::Null });
                self.arguments.push(arguments);
            }
        }
        Ok(())
    }

    /// The call that a piece without a name goes on with: by its id where the server repeats it, by its number
    /// where genai made an id of that, else the last one.
    fn place(&self, id: &str) -> Option<usize> {
        let by_id = self.reply.calls.iter().position(|call| call.id == id);
        let number = || id.strip_prefix("call_").and_then(|digits| digits.parse::<usize>().ok());
        by_id.or_else(|| number().filter(|at| *at < self.reply.calls.len())).or(self.reply.calls.len().checked_sub(1))
    }

    /// The stream says that it is over.
    pub(crate) fn end(&mut self, end: &StreamEnd) {
        self.ended = true;
        let count = |count: Option<i32>| u64::try_from(count.unwrap_or(0)).unwrap_or(0);
        if let Some(usage) = &end.captured_usage {
            self.reply.tokens_in = count(usage.prompt_tokens);
            self.reply.tokens_out = count(usage.completion_tokens);
        }
        self.reply.cut = matches!(end.captured_stop_reason, Some(StopReason::MaxTokens(_)));
    }

    /// The whole reply; an error where it broke off.
    pub(crate) fn finish(mut self, seen: StreamFacts) -> Result<ModelReply, Error> {
        if !self.ended && seen.finish.is_none() {
            return Err(Error::Malformed("it broke off before its end".to_owned()));
        }
        self.reply.cut |= seen.finish.as_deref() == Some("length");
        self.reply.model = seen.model.unwrap_or_default();
        for (call, text) in self.reply.calls.iter_mut().zip(self.arguments) {
            // Arguments that are no JSON are kept as text: the tool refuses them and the model is told.
            let empty = || Value::Object(serde_json::Map::new());
            let read = if text.trim().is_empty() { Ok(empty()) } else { serde_json::from_str(&text) };
            call.arguments = read.unwrap_or(Value::String(text));
        }
        if self.reply.text.is_empty() && self.reply.calls.is_empty() && !self.reply.cut {
            return Err(Error::Malformed("it is empty".to_owned()));
        }
        Ok(self.reply)
    }
}
