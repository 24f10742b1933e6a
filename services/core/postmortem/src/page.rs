//! A Markdown page that remembers what it cites. Owns escaping and links; refuses to let foreign text make
//! any Markdown of its own.

use hindcast_api::Citation;

use hindcast_api::cited;

/// Characters of one foreign text.
const TEXT_CHARS_MAX: usize = 600;

/// A page in the making.
#[derive(Debug, Default)]
pub(super) struct DraftPage {
    text: String,
    citations: Vec<Citation>,
}

impl DraftPage {
    pub fn heading(&mut self, level: usize, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&format!("{} {text}\n\n", "#".repeat(level)));
    }

    /// A sentence with its events; `not recorded` where it has none.
    pub fn sentence(&mut self, text: &str, citations: &[Citation]) {
        let links = self.links(citations);
        self.text.push_str(&format!("{text}{links}\n"));
    }

    /// An item of a list, likewise.
    pub fn item(&mut self, text: &str, citations: &[Citation]) {
        let links = self.links(citations);
        self.text.push_str(&format!("- {text}{links}\n"));
    }

    /// A line that says of the page itself, or that something is missing; it cites nothing.
    pub fn note(&mut self, text: &str) {
        self.text.push_str(&format!("*{text}*\n"));
    }

    /// Something to decide; it cites nothing unless it is given what speaks for it.
    pub fn task(&mut self, text: &str, citations: &[Citation]) {
        let links = if citations.is_empty() { String::new() } else { self.links(citations) };
        self.text.push_str(&format!("- [ ] {text}{links}\n"));
    }

    fn links(&mut self, citations: &[Citation]) -> String {
        if citations.is_empty() {
            return " *(not recorded)*".to_owned();
        }
        let links: Vec<String> = citations
            .iter()
            .map(|citation| {
                format!("[{}](/api/v1/events?from={1}&to={1})", escaped(&citation.event), citation.position)
            })
            .collect();
        self.citations.extend(citations.iter().cloned());
        format!(" {}", links.join(" "))
    }

    pub fn done(self) -> (String, Vec<Citation>) {
        (self.text, cited(self.citations))
    }
}

/// Foreign text on one line, so that no character of it is Markdown or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for c in line.chars().take(TEXT_CHARS_MAX) {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    // what renderers make links of by themselves
    let out = out.replace("://", ":&#47;&#47;").replace("www.", "www&#46;");
    if line.chars().count() > TEXT_CHARS_MAX { format!("{out} …") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_makes_no_markdown() {
        let evil = "<script>x</script> [a](http://evil) ![i](//e) `c` | *b* \n# h";
        let text = escaped(evil);
        assert!(!text.contains("<script") && !text.contains("](") && !text.contains("http://") && !text.contains('\n'));
        assert!(text.contains("\\`c\\`") && text.contains("\\[a\\]"));
    }

    #[test]
    fn a_sentence_without_events_says_so() {
        let mut page = DraftPage::default();
        page.sentence("It was nobody.", &[]);
        assert!(page.done().0.contains("not recorded"));
    }
}
