//! A stream of syslog as messages (RFC 6587): with their number of bytes before them, or each on a line. Owns which of the
//! two a sender means, message by message, and that no message takes more than its bound; refuses to read any.

/// Bytes of a message; what is beyond is passed over.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Digits of a number of bytes.
const DIGITS_MAX: usize = 7;

/// What has come of a stream and is no whole message yet.
#[derive(Debug, Default)]
pub(super) struct SyslogStream {
    buffer: Vec<u8>,
    /// Bytes of a message that was too long, which are still to come and to be passed over.
    skip: usize,
    /// A line was too long, and its end is still to come.
    skips_line: bool,
}

/// How the message at the beginning of the buffer ends.
enum MessageEnd {
    /// Behind a number of bytes, after its head.
    Counted { head: usize, bytes: usize },
    /// At the next line feed.
    Line,
    /// Not known before more comes.
    Unknown,
}

impl SyslogStream {
    /// Takes what came, and hands out the messages that are whole.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut on: impl FnMut(&[u8])) {
        let skipped = self.skip.min(bytes.len());
        bytes = bytes.get(skipped..).unwrap_or_default();
        self.skip -= skipped;
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(length) = self.next(at, &mut on) {
            at += length;
        }
        self.buffer.drain(..at.min(self.buffer.len()));
    }

    /// What is left when the stream ends is the last message.
    pub(super) fn finish(mut self, on: impl FnOnce(&[u8])) {
        if self.skips_line {
            return;
        }
        if let MessageEnd::Counted { head, .. } = end(&self.buffer) {
            self.buffer.drain(..head);
        }
        if !self.buffer.is_empty() {
            on(&self.buffer);
        }
    }

    /// Hands out the message that begins there, if it is whole; how many bytes it took.
    fn next(&mut self, at: usize, on: &mut impl FnMut(&[u8])) -> Option<usize> {
        let rest = self.buffer.get(at..).filter(|rest| !rest.is_empty())?;
        if self.skips_line {
            let length = rest.iter().position(|byte| is_end(*byte)).map_or(rest.len(), |end| end + 1);
            self.skips_line = length == rest.len() && !rest.last().is_some_and(|byte| is_end(*byte));
            return Some(length);
        }
        match end(rest) {
            MessageEnd::Unknown => None,
            MessageEnd::Counted { head, bytes } => {
                let kept = bytes.min(MESSAGE_BYTES_MAX);
                let message = rest.get(head..head + kept)?;
                on(message);
                let came = (rest.len() - head).min(bytes);
                self.skip = bytes - came;
                Some(head + came)
            }
            MessageEnd::Line => match rest.iter().position(|byte| is_end(*byte)) {
                Some(end) => {
                    let line = rest.get(..end.min(MESSAGE_BYTES_MAX)).unwrap_or_default();
                    if !line.trim_ascii().is_empty() {
                        on(line);
                    }
                    Some(end + 1)
                }
                None if rest.len() >= MESSAGE_BYTES_MAX => {
                    on(rest.get(..MESSAGE_BYTES_MAX).unwrap_or_default());
                    self.skips_line = true;
                    Some(rest.len())
                }
                None => None,
            },
        }
    }
}

/// A line ends with a line feed, or with a zero as some senders do.
const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | 0)
}

/// A number, a space and an angle bracket begin a message of so many bytes; all else is a line.
fn end(rest: &[u8]) -> MessageEnd {
    let digits = rest.iter().take(DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > DIGITS_MAX || rest.first() == Some(&b'0') {
        return MessageEnd::Line;
    }
    match (rest.get(digits), rest.get(digits + 1)) {
        (None, _) | (Some(b' '), None) => MessageEnd::Unknown,
        (Some(b' '), Some(b'<')) => {
            let number = rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            number.map_or(MessageEnd::Line, |bytes| MessageEnd::Counted { head: digits + 1, bytes })
        }
        _ => MessageEnd::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The messages of a stream that comes in pieces of a size.
    fn messages(stream: &[u8], piece: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut frames = SyslogStream::default();
        for bytes in stream.chunks(piece) {
            frames.push(bytes, |message| found.push(String::from_utf8_lossy(message).into_owned()));
        }
        frames.finish(|message| found.push(String::from_utf8_lossy(message).into_owned()));
        found
    }

    #[test]
    fn counted_messages_and_lines_are_told_apart_in_one_stream() {
        let stream = b"10 <13>a\nb c\n<14>next line\r\n8 <15>four<16>d\0<17>e\n7 <18>xyz7 is a line\n\n<19>last";
        let expected =
            ["<13>a\nb c\n", "<14>next line\r", "<15>four", "<16>d", "<17>e", "<18>xyz", "7 is a line", "<19>last"];
        for piece in 1..stream.len() {
            let found = messages(stream, piece);
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "pieces of {piece}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_its_rest_passed_over() {
        let long = "x".repeat(MESSAGE_BYTES_MAX * 2);
        let counted = format!("{} <13>{long}<14>next\n", long.len() + 4);
        let line = format!("<13>{long}\n<14>next\n");
        for stream in [counted, line] {
            for piece in [1_000, 70_000, 1_000_000] {
                let found = messages(stream.as_bytes(), piece);
                let shown: Vec<usize> = found.iter().map(String::len).collect();
                assert_eq!(shown, [MESSAGE_BYTES_MAX, 8], "pieces of {piece}");
            }
        }
    }

    proptest! {
        /// However a stream is cut into pieces, its messages are the same, and what waits is bounded.
        #[test]
        fn pieces_change_nothing(
            parts in prop::collection::vec("[<>0-9 a\\n\\x00é]{0,30}", 0..20),
            piece in 1_usize..50,
        ) {
            let stream = parts.concat();
            prop_assert_eq!(messages(stream.as_bytes(), piece), messages(stream.as_bytes(), stream.len().max(1)));
        }
    }
}
