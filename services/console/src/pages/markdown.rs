//! Renders Markdown that drafts and model cards are written in, by CommonMark with tables and task lists. Owns that
//! nothing of a text can become markup: HTML in it is shown as text, no image is loaded, and a link leads only where
//! the page allows. Refuses to know what a draft says.

use maud::{Escaper, Markup, PreEscaped, html};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};
use std::fmt::Write as _;

/// Lines of a text that are rendered; the rest is counted.
const LINES_MAX: usize = 20_000;
/// Elements inside each other; deeper ones are left out, and their text is kept.
const DEPTH_MAX: usize = 24;

/// Where a link may lead; nowhere, and it is shown as text.
pub type Link<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The text as HTML.
#[must_use]
pub fn render(text: &str, link: Link<'_>) -> Markup {
    let lines = text.lines().count();
    let shown = match text.match_indices('\n').nth(LINES_MAX - 1) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    };
    let mut writer = MarkdownWriter { out: String::new(), open: Vec::new(), in_head: false, link };
    for event in Parser::new_ext(shown, Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS) {
        writer.event(event);
    }
    html! {
        (PreEscaped(writer.out))
        @if lines > LINES_MAX { p.sub { (lines - LINES_MAX) " lines more" } }
    }
}

/// Writes the elements that this page allows, and everything else as text.
struct MarkdownWriter<'a> {
    out: String,
    /// What closes each open element; of an element that is left out, nothing.
    open: Vec<String>,
    in_head: bool,
    link: Link<'a>,
}

impl MarkdownWriter<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(_) => {
                let end = self.open.pop().unwrap_or_default();
                self.out.push_str(&end);
            }
            Event::Code(text) => self.element("<code>", &text, "</code>"),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => self.text(&text),
            Event::SoftBreak => self.out.push(' '),
            Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<hr>"),
            Event::TaskListMarker(done) => self.out.push_str(if done { "☑ " } else { "☐ " }),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let (begin, end) = self.markup(tag);
        if self.open.len() >= DEPTH_MAX {
            return self.open.push(String::new());
        }
        self.out.push_str(&begin);
        self.open.push(end);
    }

    /// What opens and what closes an element.
    fn markup(&mut self, tag: &Tag<'_>) -> (String, String) {
        let fixed = |begin: &str, end: &str| (begin.to_owned(), end.to_owned());
        match tag {
            Tag::Paragraph => fixed("<p>", "</p>"),
            Tag::Heading { level: HeadingLevel::H1, .. } => fixed("<h1>", "</h1>"),
            Tag::Heading { level: HeadingLevel::H2, .. } => fixed("<h2>", "</h2>"),
            Tag::Heading { .. } => fixed("<h3>", "</h3>"),
            Tag::BlockQuote(_) => fixed("<blockquote>", "</blockquote>"),
            Tag::CodeBlock(_) => fixed("<pre><code>", "</code></pre>"),
            Tag::List(None) => fixed("<ul>", "</ul>"),
            Tag::List(Some(1)) => fixed("<ol>", "</ol>"),
            Tag::List(Some(first)) => (format!("<ol start=\"{first}\">"), "</ol>".to_owned()),
            Tag::Item => fixed("<li>", "</li>"),
            Tag::Table(_) => fixed("<div class=\"scroll\"><table>", "</tbody></table></div>"),
            Tag::TableHead => {
                self.in_head = true;
                fixed("<thead><tr>", "</tr></thead><tbody>")
            }
            Tag::TableRow => {
                self.in_head = false;
                fixed("<tr>", "</tr>")
            }
            Tag::TableCell if self.in_head => fixed("<th>", "</th>"),
            Tag::TableCell => fixed("<td>", "</td>"),
            Tag::Emphasis => fixed("<em>", "</em>"),
            Tag::Strong => fixed("<b>", "</b>"),
            Tag::Link { dest_url, .. } => self.linked(dest_url),
            // An image is never loaded: its text stays, with the address beside it.
            Tag::Image { dest_url, .. } => (String::new(), beside(dest_url)),
            _ => (String::new(), String::new()),
        }
    }

    fn linked(&self, to: &str) -> (String, String) {
        match (self.link)(to).filter(|href| is_safe(href)) {
            Some(href) => {
                let begin = format!("<a href=\"{}\" rel=\"noreferrer noopener\">", escaped(&href));
                (begin, "</a>".to_owned())
            }
            None => (String::new(), beside(to)),
        }
    }

    fn element(&mut self, begin: &str, text: &str, end: &str) {
        self.out.push_str(begin);
        self.text(text);
        self.out.push_str(end);
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(&escaped(text));
    }
}

/// The address of a link that leads nowhere, as text.
fn beside(to: &str) -> String {
    if to.is_empty() { String::new() } else { format!(" ({})", escaped(to)) }
}

/// Whatever the page allows, a link leads over http or to this server.
fn is_safe(href: &str) -> bool {
    let local = href.starts_with('/') && !href.starts_with("//") && !href.contains('\\');
    local || href.starts_with("https://") || href.starts_with("http://")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _done = Escaper::new(&mut out).write_str(text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html_of(text: &str) -> String {
        render(text, &|to| (to.starts_with('/') && !to.starts_with("//")).then(|| to.to_owned())).into_string()
    }

    #[test]
    fn what_drafts_are_written_in_becomes_html() {
        for (text, expect) in [
            ("# A\n\nb\nc", "<h1>A</h1><p>b c</p>"),
            ("- a\n- **b** `c`\n  goes on\n\nx", "<ul><li>a</li><li><b>b</b> <code>c</code> goes on</li></ul><p>x</p>"),
            ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
            ("- a\n  - b", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
            ("- [ ] a", "<ul><li>☐ a</li></ul>"),
            ("> said", "<blockquote><p>said</p></blockquote>"),
            ("*not recorded*", "<p><em>not recorded</em></p>"),
            ("```\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
            ("a &lt;b&gt; snake_case_name", "<p>a &lt;b&gt; snake_case_name</p>"),
            ("[e](/events/EVT-1)", "<p><a href=\"/events/EVT-1\" rel=\"noreferrer noopener\">e</a></p>"),
        ] {
            assert_eq!(html_of(text), expect, "{text}");
        }
        let table = html_of("| a | b |\n|---|---|\n| `x` | 2 |");
        let expect = "<div class=\"scroll\"><table><thead><tr><th>a</th><th>b</th></tr></thead>\
                      <tbody><tr><td><code>x</code></td><td>2</td></tr></tbody></table></div>";
        assert_eq!(table, expect);
    }

    #[test]
    fn nothing_of_a_text_becomes_markup_or_a_foreign_link() {
        let evil = html_of("<script>alert(1)</script> [x](javascript:alert(1)) [y](//evil.example) <a href=\"x\">");
        assert!(!evil.contains("<script") && !evil.contains("href=\""), "{evil}");
        let halves = html_of("a ** b ` c [d](e f) \\*\\*g\\*\\*");
        assert_eq!(halves, "<p>a ** b ` c [d](e f) **g**</p>");
    }

    #[test]
    fn a_page_that_allows_everything_still_links_only_over_http() {
        for text in [
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:x)",
            "[x](//evil.example)",
            "[x](/\\\\evil.example)",
            "<javascript:alert(1)>",
            "[x][r]\n\n[r]: javascript:alert(1)",
        ] {
            let html = render(text, &|to| Some(to.to_owned())).into_string();
            assert!(!html.contains("<a "), "{text}: {html}");
        }
        let html = render("[x](https://a.example/\"onclick=\"b)", &|to| Some(to.to_owned())).into_string();
        assert!(html.contains("href=\"https://a.example/&quot;onclick=&quot;b\""), "{html}");
    }

    #[test]
    fn hostile_html_and_images_stay_text() {
        for text in [
            "<img src=x onerror=alert(1)>",
            "<div>\n<script>\nalert(1)\n</script>\n</div>",
            "<!-- --><svg onload=alert(1)>",
            "a <b onclick=x>c</b> <?php ?> <![CDATA[<i>]]>",
            "![<script>](http://evil.example/pixel.png)",
            "```<script>\n</code></pre><script>\n```",
            "| <script> |\n|---|\n| </td><script> |",
            "# <script> {#id onclick=x}",
            "&lt;script&gt;&#60;script&#62;",
        ] {
            let html = html_of(text);
            let left = ["<script", "<img", "<svg", "<b ", "<i>", "<div>\n", "onclick=x\""];
            assert!(!left.iter().any(|sign| html.contains(sign)), "{text}: {html}");
        }
        assert_eq!(html_of("![cat](http://a.example/c.png)"), "<p>cat (http://a.example/c.png)</p>");
    }

    #[test]
    fn a_hostile_text_takes_no_time_and_nests_no_deeper_than_the_bound() {
        let long = "[".repeat(20_000) + &"*".repeat(20_000) + &"`".repeat(20_001);
        assert!(html_of(&long).len() < 200_000);
        let deep = html_of(&format!("{} a", ">".repeat(5_000)));
        assert!(deep.matches("<blockquote>").count() <= DEPTH_MAX && deep.contains('a'), "{}", deep.len());
        assert_eq!(deep.matches("<blockquote>").count(), deep.matches("</blockquote>").count());
        assert!(html_of(&"a\n".repeat(LINES_MAX + 7)).contains("7 lines more"));
    }
}
