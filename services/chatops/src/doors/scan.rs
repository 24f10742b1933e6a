//! The few fields of an activity that its token is checked against, found without building anything of the
//! delivery. Owns that scan; refuses what could be read in two ways: a field that is there twice.

/// Levels of nesting that are followed.
const DEPTH_MAX: usize = 64;
const FIELD_BYTES_MAX: usize = 2_048;

/// What the token must be for. Nothing of it is believed before that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ExpectedToken {
    pub(super) service_url: String,
    pub(super) channel: Option<String>,
    /// Whether the sender waits for an answer in the response.
    pub(super) invoke: bool,
}

/// Finds them; `None` where the address is missing, one is there twice or too long, or it is no object.
pub(super) fn fields(body: &[u8]) -> Option<ExpectedToken> {
    let mut scan = Scan { body, at: 0 };
    scan.space();
    scan.eat(b'{')?;
    let (mut service_url, mut channel, mut kind) = (None, None, None);
    scan.space();
    if scan.peek() == Some(b'}') {
        return None;
    }
    loop {
        scan.space();
        let name = scan.text()?;
        scan.space();
        scan.eat(b':')?;
        scan.space();
        let slot = match name.as_str() {
            "serviceUrl" => Some(&mut service_url),
            "channelId" => Some(&mut channel),
            "type" => Some(&mut kind),
            _ => None,
        };
        match slot {
            Some(slot) if slot.is_none() && scan.peek() == Some(b'"') => *slot = Some(scan.text()?),
            Some(_) => return None,
            None => scan.skip()?,
        }
        scan.space();
        match scan.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    Some(ExpectedToken { service_url: service_url?, channel, invoke: kind.as_deref() == Some("invoke") })
}

struct Scan<'a> {
    body: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// A string with its escapes resolved, as any reader resolves them.
    fn text(&mut self) -> Option<String> {
        let from = self.at;
        self.string()?;
        let raw = self.body.get(from..self.at)?;
        if raw.len() > FIELD_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(raw).ok()
    }

    fn string(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            match self.next()? {
                b'\\' => {
                    self.next()?;
                }
                b'"' => return Some(()),
                _ => {}
            }
        }
    }

    /// Goes past any value.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    if depth > DEPTH_MAX {
                        return None;
                    }
                    self.at += 1;
                }
                b'}' | b']' => {
                    // The end of what this value stands in.
                    if depth == 0 {
                        return Some(());
                    }
                    depth -= 1;
                    self.at += 1;
                }
                b',' if depth == 0 => return Some(()),
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_wherever_they_stand() {
        let body =
            br#"{"a":{"serviceUrl":"no","x":[1,"}"]}, "type":"invoke","serviceUrl" : "https:\/\/s.example\u002f",
            "n":-1.5e3,"t":true,"channelId":"msteams"}"#;
        let found = fields(body).unwrap();
        assert_eq!(found.service_url, "https://s.example/");
        assert_eq!((found.channel.as_deref(), found.invoke), (Some("msteams"), true));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for body in [
            r#"{"serviceUrl":"a","serviceUrl":"b"}"#,
            r#"{"serviceUrl":"a","service\u0055rl":"b"}"#,
            r#"{"serviceUrl":["a"]}"#,
            r#"{"channelId":"msteams"}"#,
            r#"["serviceUrl"]"#,
            r#"{"serviceUrl":"a""#,
            "{}",
            "",
        ] {
            assert_eq!(fields(body.as_bytes()), None, "{body}");
        }
        assert_eq!(fields(format!(r#"{{"a":{},"serviceUrl":"x"}}"#, "[".repeat(1_000)).as_bytes()), None);
    }
}
