//! The words of an answer while its JSON is still being written: what stands between the quotes of each `text`.
//! For people who watch; what they are shown in the end is the checked answer.

/// Bytes of a key that is compared at all.
const KEY_BYTES_MAX: usize = 16;

/// Picks the texts out of pieces of JSON.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    state: ScanState,
    /// The last string that was read and may be a key.
    key: String,
    escaped: bool,
    /// Digits of a `\u` escape that are still to come, and their value so far.
    unicode: Option<(u8, u32)>,
    told: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ScanState {
    /// Between strings.
    #[default]
    Between,
    /// In a string that may be a key.
    Key,
    /// Behind a key and its colon.
    Value,
    /// In a text that is told.
    Text,
    /// In another value.
    Other,
}

impl Texts {
    /// The words in the next piece.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        let mut out = String::new();
        for c in piece.chars() {
            self.take(c, &mut out);
        }
        out
    }

    fn take(&mut self, c: char, out: &mut String) {
        match self.state {
            ScanState::Between => match c {
                '"' => {
                    self.key.clear();
                    self.state = ScanState::Key;
                }
                ':' => self.state = ScanState::Value,
                _ => {}
            },
            ScanState::Value => match c {
                '"' if self.key == "text" => {
                    if self.told {
                        out.push('\n');
                    }
                    self.told = true;
                    self.state = ScanState::Text;
                }
                '"' => self.state = ScanState::Other,
                ' ' | '\n' | '\t' | '\r' => {}
                _ => self.state = ScanState::Between,
            },
            ScanState::Key | ScanState::Text | ScanState::Other => self.inside(c, out),
        }
    }

    fn inside(&mut self, c: char, out: &mut String) {
        if let Some((left, value)) = self.unicode {
            let value = value * 16 + c.to_digit(16).unwrap_or(0);
            self.unicode = (left > 1).then(|| (left - 1, value));
            if left == 1 {
                // Half of a pair is no character; the checked answer has it whole.
                self.keep(char::from_u32(value).unwrap_or('…'), out);
            }
            return;
        }
        if std::mem::take(&mut self.escaped) {
            match c {
                'u' => self.unicode = Some((4, 0)),
                'n' | 'r' | 't' => self.keep(' ', out),
                'b' | 'f' => {}
                other => self.keep(other, out),
            }
            return;
        }
        match c {
            '\\' => self.escaped = true,
            '"' => self.state = ScanState::Between,
            other => self.keep(other, out),
        }
    }

    fn keep(&mut self, c: char, out: &mut String) {
        match self.state {
            ScanState::Key if self.key.len() < KEY_BYTES_MAX => self.key.push(c),
            ScanState::Text => out.push(c),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_told_however_the_json_is_cut() {
        let json = r#"{"claims": [{"events":["E1"], "says":"text: \"no\"", "text": "It \"broke\" \u00e4t\n12:00"}, {"text":"Two"}]}"#;
        for size in [1, 2, 3, 7, 200] {
            let mut texts = Texts::default();
            let chars: Vec<char> = json.chars().collect();
            let told: String = chars.chunks(size).map(|chunk| texts.push(&chunk.iter().collect::<String>())).collect();
            assert_eq!(told, "It \"broke\" ät 12:00\nTwo", "pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_json_tells_nothing() {
        assert_eq!(Texts::default().push("I would say that redis broke."), "");
    }
}
