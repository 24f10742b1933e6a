//! What of an incident is embedded. Owns the text and its version; refuses to know the embedder.

use std::fmt::Write as _;

use super::Remembered;

/// Templates, alerts and shifts in a text: an embedder reads a few hundred words at most.
const SIGNS_MAX: usize = 8;

/// The text of an incident: what sets it apart first, since a long text is cut by the embedder at its end.
#[must_use]
pub fn text(of: &Remembered) -> String {
    let root = of.root.as_ref().map(|root| root.service.as_str());
    let mut text = String::new();
    let mut line = |parts: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        text.write_fmt(parts).unwrap_or_default();
    };
    if let Some(root) = &of.root {
        line(format_args!("{}: {}\n", root.service, root.cause.as_deref().unwrap_or(&of.title)));
    } else {
        line(format_args!("{}\n", of.title));
    }
    for template in at_root_first(&of.templates, root, |template| &template.service) {
        line(format_args!("{}: {}\n", template.service, template.text.replace("<*>", " ")));
    }
    for alert in at_root_first(&of.alerts, root, |alert| &alert.service) {
        line(format_args!("{} {}\n", alert.service, spaced(&alert.name)));
    }
    for shift in at_root_first(&of.shifts, root, |shift| &shift.service) {
        let way = if shift.up { "rose" } else { "fell" };
        line(format_args!("{} {} {way}\n", shift.service, shift.metric.replace('_', " ")));
    }
    for word in [&of.cause, &of.resolution].into_iter().flatten() {
        line(format_args!("{word}\n"));
    }
    text
}

/// The text of a log template.
#[must_use]
pub fn template_text(service: &str, template: &str) -> String {
    format!("{service}: {}", template.replace("<*>", " "))
}

fn at_root_first<'a, T>(
    all: &'a [T],
    root: Option<&'a str>,
    service: impl Fn(&T) -> &String + Copy + 'a,
) -> impl Iterator<Item = &'a T> {
    let at = move |one: &&T| root == Some(service(one).as_str());
    all.iter().filter(at).chain(all.iter().filter(move |one| !at(one))).take(SIGNS_MAX)
}

/// `DiskAlmostFull` as `Disk Almost Full`.
fn spaced(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 8);
    let mut before_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && before_lower {
            spaced.push(' ');
        }
        before_lower = c.is_lowercase() || c.is_ascii_digit();
        spaced.push(if c == '_' { ' ' } else { c });
    }
    spaced
}
