//! A message as a mail: headers, plain text and HTML. Owns that foreign text makes no header and no markup.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use hindcast_domain::text::cut;
use hindcast_messaging::notify::Notification;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

/// The longest subject, in characters; some clients show less.
const SUBJECT_MAX: usize = 200;
/// The longest text of a mail, in characters.
const TEXT_MAX: usize = 100_000;
/// What stands where a text was cut.
const CUT: &str = "\n[cut; the whole text is on the page of the incident]";

/// A mail to one person.
pub(crate) fn mail(message: &Notification, from: &Mailbox, to: &Mailbox) -> Result<Message, lettre::error::Error> {
    let domain = from.email.domain();
    let id = |word: &str| format!("<{}@{domain}>", word.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "-"));
    let thread = id(&format!("hindcast-{}", message.group()));
    let nanos = u64::try_from(message.at.nanos()).unwrap_or_default();
    let mut builder = Message::builder()
        .from(from.clone())
        .to(to.clone())
        .subject(cut(&one_line(&message.headline()), SUBJECT_MAX))
        .date(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos))
        .message_id(Some(id(&message.key)))
        .in_reply_to(thread.clone())
        .references(thread);
    let importance = if message.page { "high" } else { "normal" };
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("Importance", importance)] {
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
    }
    builder.multipart(MultiPart::alternative_plain_html(text(message), html(message)))
}

/// Foreign text in one line: no end of a line can begin a header, and no mark turns its direction.
pub(crate) fn one_line(text: &str) -> String {
    let hidden = |c: &char| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(hidden).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn bounded(mut text: String) -> String {
    if text.chars().count() > TEXT_MAX {
        text = text.chars().take(TEXT_MAX).collect();
        text.push_str(CUT);
    }
    text
}

fn text(message: &Notification) -> String {
    let mut out = format!("{}\n\n", one_line(&message.headline()));
    for line in &message.lines {
        out.push_str(&one_line(line));
        out.push('\n');
    }
    let mut out = bounded(out);
    if let Some(url) = &message.url {
        write!(out, "\n{url}\n").ok();
    }
    out
}

fn html(message: &Notification) -> String {
    let lines: Vec<String> = message.lines.iter().map(|line| escaped(&one_line(line))).collect();
    let lines = bounded(lines.join("<br>\n"));
    let link = message.url.as_ref().map(|url| format!("<p><a href=\"{}\">Open the incident</a></p>\n", escaped(url)));
    format!(
        "<!doctype html>\n<html><body>\n<h3>{}</h3>\n<p>{lines}</p>\n{}</body></html>\n",
        escaped(&one_line(&message.headline())),
        link.unwrap_or_default()
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
