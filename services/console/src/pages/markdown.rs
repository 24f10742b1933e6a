//! The little of Markdown that drafts are written in: headings, paragraphs, lists, tables, quotes, fenced code,
//! bold, code and links. Owns that nothing of a text can become markup: HTML in it is shown as text, and a link
//! leads only where the page allows. Refuses to know what a draft says.

use maud::{Markup, html};

/// Lines of a text that are rendered; the rest is counted.
const LINES_MAX: usize = 20_000;

/// Where a link may lead; nowhere, and it is shown as text.
pub type Link<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The text as HTML.
#[must_use]
pub fn render(text: &str, link: Link<'_>) -> Markup {
    let all: Vec<&str> = text.lines().collect();
    let shown = all.get(..LINES_MAX.min(all.len())).unwrap_or(&all);
    let blocks = blocks(shown);
    html! {
        @for block in &blocks { (block.html(link)) }
        @if all.len() > LINES_MAX { p.sub { (all.len() - LINES_MAX) " lines more" } }
    }
}

/// A piece of a text.
enum Block<'a> {
    Heading(usize, &'a str),
    Paragraph(Vec<&'a str>),
    List { ordered: bool, items: Vec<Item<'a>> },
    Quote(Vec<&'a str>),
    Code(Vec<&'a str>),
    Table(Vec<Vec<&'a str>>),
    Rule,
}

/// An item of a list, with the lines that go on with it.
struct Item<'a> {
    deep: bool,
    lines: Vec<&'a str>,
}

fn blocks<'a>(lines: &[&'a str]) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut lines = lines.iter().copied().peekable();
    while let Some(line) = lines.next() {
        let plain = line.trim();
        if let Some(fence) = ["```", "~~~"].into_iter().find(|fence| plain.starts_with(fence)) {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| !line.trim().starts_with(fence)).collect();
            blocks.push(Block::Code(inside));
        } else if plain.is_empty() {
            blocks.push(Block::Paragraph(Vec::new()));
        } else {
            add(&mut blocks, line, plain);
        }
    }
    blocks.retain(|block| !matches!(block, Block::Paragraph(lines) if lines.is_empty()));
    blocks
}

/// Adds a line to the block that it goes on with, or begins one.
fn add<'a>(blocks: &mut Vec<Block<'a>>, line: &'a str, plain: &'a str) {
    if let Some((level, text)) = heading(plain) {
        return blocks.push(Block::Heading(level, text));
    }
    if plain.len() >= 3 && plain.bytes().all(|byte| byte == b'-' || byte == b'*' || byte == b'_') {
        return blocks.push(Block::Rule);
    }
    if let Some(quoted) = plain.strip_prefix('>') {
        return match blocks.last_mut() {
            Some(Block::Quote(lines)) => lines.push(quoted.trim()),
            _ => blocks.push(Block::Quote(vec![quoted.trim()])),
        };
    }
    if let Some(cells) = cells(plain) {
        return match blocks.last_mut() {
            Some(Block::Table(rows)) => rows.push(cells),
            _ => blocks.push(Block::Table(vec![cells])),
        };
    }
    if let Some((is_ordered, text)) = bullet(plain) {
        let item = Item { deep: line.starts_with([' ', '\t']), lines: vec![text] };
        return match blocks.last_mut() {
            Some(Block::List { ordered, items }) if *ordered == is_ordered || item.deep => items.push(item),
            _ => blocks.push(Block::List { ordered: is_ordered, items: vec![item] }),
        };
    }
    match blocks.last_mut() {
        Some(Block::Paragraph(lines)) => lines.push(plain),
        Some(Block::List { items, .. }) if line.starts_with([' ', '\t']) => {
            if let Some(item) = items.last_mut() {
                item.lines.push(plain);
            }
        }
        _ => blocks.push(Block::Paragraph(vec![plain])),
    }
}

fn heading(plain: &str) -> Option<(usize, &str)> {
    let level = plain.bytes().take_while(|byte| *byte == b'#').count();
    let text = plain.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level, text.trim()))
}

fn bullet(plain: &str) -> Option<(bool, &str)> {
    for sign in ["- ", "* ", "+ "] {
        if let Some(text) = plain.strip_prefix(sign) {
            return Some((false, text.trim()));
        }
    }
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    let text = plain.get(digits..)?.strip_prefix(". ")?;
    (1..=4).contains(&digits).then_some((true, text.trim()))
}

/// The cells of a table's row. A bar that is escaped, or stands in code, parts nothing.
fn cells(plain: &str) -> Option<Vec<&str>> {
    let inner = plain.strip_prefix('|')?;
    let mut cells = Vec::new();
    let (mut begin, mut in_code, mut escaped) = (0, false, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '`' => in_code = !in_code,
            '|' if !in_code => {
                cells.push(inner.get(begin..at)?.trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    let rest = inner.get(begin..)?.trim();
    if !rest.is_empty() {
        cells.push(rest);
    }
    Some(cells)
}

fn is_ruler(row: &[&str]) -> bool {
    !row.is_empty() && row.iter().all(|cell| !cell.is_empty() && cell.bytes().all(|byte| b"-: ".contains(&byte)))
}

impl Block<'_> {
    fn html(&self, link: Link<'_>) -> Markup {
        match self {
            Self::Heading(1, text) => html! { h1 { (inline(text, link)) } },
            Self::Heading(2, text) => html! { h2 { (inline(text, link)) } },
            Self::Heading(_, text) => html! { h3 { (inline(text, link)) } },
            Self::Paragraph(lines) => html! { p { (inline(&lines.join(" "), link)) } },
            Self::Quote(lines) => html! { blockquote { (inline(&lines.join(" "), link)) } },
            Self::Code(lines) => html! { pre { code { (lines.join("\n")) } } },
            Self::Rule => html! { hr; },
            Self::List { ordered, items } => {
                let items = html! { @for item in items { li class=[item.deep.then_some("deep")] { (inline(&item.lines.join(" "), link)) } } };
                if *ordered {
                    html! { ol { (items) } }
                } else {
                    html! { ul { (items) } }
                }
            }
            Self::Table(rows) => table(rows, link),
        }
    }
}

fn table(rows: &[Vec<&str>], link: Link<'_>) -> Markup {
    let (head, body) = match rows {
        [head, ruler, body @ ..] if is_ruler(ruler) => (Some(head), body),
        rows => (None, rows),
    };
    html! {
        div.scroll { table {
            @if let Some(head) = head { thead { tr { @for cell in head { th { (inline(cell, link)) } } } } }
            tbody { @for row in body { tr { @for cell in row { td { (inline(cell, link)) } } } } }
        } }
    }
}

/// A line's inside: code, bold, links; everything else is text.
fn inline(text: &str, link: Link<'_>) -> Markup {
    let pieces = pieces(text);
    html! {
        @for piece in &pieces {
            @match piece {
                Piece::Text(text) => (text),
                Piece::Code(text) => code { (text) },
                Piece::Bold(text) => b { (inline_flat(text, link)) },
                Piece::Link(text, to) => (linked(text, to, link)),
            }
        }
    }
}

/// The same within bold text, one level deep.
fn inline_flat(text: &str, link: Link<'_>) -> Markup {
    let pieces = pieces(text);
    html! {
        @for piece in &pieces {
            @match piece {
                Piece::Text(text) => (text),
                Piece::Bold(text) => (text),
                Piece::Code(text) => code { (text) },
                Piece::Link(text, to) => (linked(text, to, link)),
            }
        }
    }
}

fn linked(text: &str, to: &str, link: Link<'_>) -> Markup {
    html! {
        @match link(to) {
            Some(href) => a href=(href) rel="noreferrer noopener" { (text.trim_matches('`')) },
            None => { (text) @if !to.is_empty() { " (" (to) ")" } }
        }
    }
}

enum Piece<'a> {
    Text(String),
    Code(&'a str),
    Bold(&'a str),
    Link(&'a str, &'a str),
}

/// Takes a line apart in one pass; a sign without its other half is text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let found = match c {
            '`' => between(rest, "`", "`").map(|(inside, after)| (Piece::Code(inside), after)),
            '*' => between(rest, "**", "**").map(|(inside, after)| (Piece::Bold(inside), after)),
            '[' => link_at(rest),
            _ => None,
        };
        if let Some((piece, after)) = found {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
            rest = after;
            continue;
        }
        let mut after = rest.get(c.len_utf8()..).unwrap_or_default();
        match after.chars().next().filter(|next| c == '\\' && next.is_ascii_punctuation()) {
            Some(next) => {
                plain.push(next);
                after = after.get(next.len_utf8()..).unwrap_or_default();
            }
            None => plain.push(c),
        }
        rest = after;
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    let (inside, after) = text.strip_prefix(open)?.split_once(close)?;
    (!inside.is_empty()).then_some((inside, after))
}

/// `[text](target)`; neither goes over another bracket.
fn link_at(text: &str) -> Option<(Piece<'_>, &str)> {
    let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
    let (to, after) = after.strip_prefix('(')?.split_once(')')?;
    let clean = !inside.contains('[') && !to.contains(char::is_whitespace);
    clean.then_some((Piece::Link(inside, to), after))
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
            ("> said", "<blockquote>said</blockquote>"),
            ("```\n<b>\n```", "<pre><code>&lt;b&gt;</code></pre>"),
            ("[e](/events/EVT-1)", "<p><a href=\"/events/EVT-1\" rel=\"noreferrer noopener\">e</a></p>"),
        ] {
            assert_eq!(html_of(text), expect, "{text}");
        }
        let table = html_of("| a | b |\n|---|---|\n| `x|y` | 2 |");
        assert!(table.contains("<th>a</th>") && table.contains("<td><code>x|y</code></td><td>2</td>"), "{table}");
    }

    #[test]
    fn nothing_of_a_text_becomes_markup_or_a_foreign_link() {
        let evil = html_of("<script>alert(1)</script> [x](javascript:alert(1)) [y](//evil.example) <a href=\"x\">");
        assert!(!evil.contains("<script") && !evil.contains("href=\""), "{evil}");
        let halves = html_of("a ** b ` c [d](e f) \\*\\*g\\*\\*");
        assert_eq!(halves, "<p>a ** b ` c [d](e f) **g**</p>");
    }

    #[test]
    fn a_hostile_text_takes_no_time() {
        let long = "[".repeat(20_000) + &"*".repeat(20_000) + &"`".repeat(20_001);
        assert!(html_of(&long).len() < 200_000);
    }
}
