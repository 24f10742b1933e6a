//! How answers become text. Owns tables, colours, times and short ids as people read them; refuses to know
//! where an answer came from.

pub mod ids;
pub mod ink;
pub mod labelled;
pub mod table;
pub mod times;

/// Text from telemetry made harmless: what would move the cursor, colour the screen or turn the direction of
/// writing becomes a visible mark, and a line stays one line.
#[must_use]
pub fn clean(text: &str) -> String {
    let harmless = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.trim().chars().map(harmless).collect()
}

/// The same for a text of several lines, such as Markdown: line breaks and tabs stay.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let margin: String = line.chars().take_while(|c| *c == ' ').collect();
        out.push_str(&margin);
        out.push_str(&clean(line));
        out.push('\n');
    }
    out
}

/// The word for a value, as it stands in JSON.
#[must_use]
pub fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_telemetry_cannot_command_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{202e}d\u{7}"), "a\u{fffd}[2Jb c\u{fffd}d\u{fffd}");
        assert_eq!(word(&hindcast_domain::incident::Status::Open), "open");
    }
}
