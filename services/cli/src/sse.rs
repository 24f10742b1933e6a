//! Server-sent events as a client reads them: messages with their name and data, found across chunks.
//! Owns the bound on what one message may hold; refuses to know what a message means.

use crate::error::{Error, Result};

/// Bytes of the longest message that is read.
const MESSAGE_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSentEvent {
    /// Its name; empty where it has none.
    pub event: String,
    /// The payload; several `data:` lines are joined by line breaks.
    pub data: String,
}

/// Finds messages in what arrives.
#[derive(Debug, Default)]
pub struct EventParser {
    rest: Vec<u8>,
    event: String,
    data: Option<String>,
}

impl EventParser {
    /// The messages that end in this chunk.
    ///
    /// # Errors
    /// When one is too long.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Vec<ServerSentEvent>> {
        self.rest.extend_from_slice(chunk);
        let mut messages = Vec::new();
        let mut begin = 0;
        while let Some(length) = self.rest.iter().skip(begin).position(|byte| *byte == b'\n') {
            let bytes = self.rest.get(begin..begin + length).unwrap_or_default();
            let line = String::from_utf8_lossy(bytes).into_owned();
            messages.extend(self.line(line.trim_end_matches('\r')));
            begin += length + 1;
        }
        self.rest.drain(..begin);
        if self.rest.len() + self.data.as_ref().map_or(0, String::len) > MESSAGE_BYTES_MAX {
            return Err(Error::failed("expected shorter lines on the stream", "Use the server's own version."));
        }
        Ok(messages)
    }

    fn line(&mut self, line: &str) -> Option<ServerSentEvent> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return self.data.take().map(|data| ServerSentEvent { event, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => match &mut self.data {
                None => self.data = Some(value.to_owned()),
                Some(before) => {
                    before.push('\n');
                    before.push_str(value);
                }
            },
            // Ids and comments are none of a message's content.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_across_chunks_and_comments_are_not_messages() {
        let mut messages = EventParser::default();
        let of = |event: &str, data: &str| ServerSentEvent { event: event.to_owned(), data: data.to_owned() };
        assert!(messages.feed(b": still here\n\nid: 1\nevent: a.b\nda").unwrap().is_empty());
        assert_eq!(messages.feed(b"ta: {\"a\":\r\ndata: 1}\r\n\r\ndata:x\n").unwrap(), [of("a.b", "{\"a\":\n1}")]);
        assert_eq!(messages.feed(b"\n").unwrap(), [of("", "x")]);
    }

    #[test]
    fn a_message_without_an_end_is_not_kept_for_ever() {
        let mut messages = EventParser::default();
        let chunk = vec![b'x'; MESSAGE_BYTES_MAX / 2 + 1];
        assert!(messages.feed(&chunk).is_ok());
        assert!(messages.feed(&chunk).is_err());
    }
}
