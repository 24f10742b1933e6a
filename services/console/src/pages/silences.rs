//! Silences and maintenance windows, and the form for a new one.

use hindcast_api::{Page, Silence};
use hindcast_domain::silence::{Kind, SilenceState};
use hindcast_domain::text::count;
use maud::{Markup, html};

use super::{Frame, parts, words};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct SilencesPage {
    /// What stands around it.
    pub frame: Frame,
    /// The part of the list that is shown.
    pub silences: Page<Silence>,
}

/// Renders the HTML.
#[must_use]
pub fn page(view: &SilencesPage) -> Markup {
    let frame = &view.frame;
    frame.page(&html! {
        h1 { "Silences" }
        p.lead { "A silence loses nothing: each suppressed alert is recorded, and counts again when the silence ends." }
        @if frame.is_now() { (form(frame)) }
        @if view.silences.items.is_empty() {
            (parts::empty("No silence.", "No alert is suppressed by a person or by planned work."))
        } @else {
            ul.silences { @for silence in &view.silences.items { (row(frame, silence)) } }
        }
        (parts::further(frame, view.silences.next.as_deref(), "Older silences"))
    })
}

fn row(frame: &Frame, silence: &Silence) -> Markup {
    let terms = &silence.terms;
    let live = silence.state != SilenceState::Expired;
    html! {
        li.card.silence.(words::silence_state(silence.state).0) {
            div.what {
                p.badges {
                    (words::status(words::silence_state(silence.state)))
                    @if terms.kind == Kind::Maintenance { span.chip { "maintenance" } }
                    @for matcher in &terms.matchers { code.chip { (matcher.to_string()) } }
                    @if let Some(environment) = &terms.environment { span.chip { "in " (environment) } }
                }
                p.comment { (terms.comment) }
                p.sub {
                    (frame.clock(terms.starts_at)) " to " (frame.clock(terms.ends_at))
                    @if live { " · ends " (frame.age(terms.ends_at)) } @else if let Some(ended) = &silence.ended { " · " (ended) " " (frame.age(silence.updated_at)) }
                    @if let Some(holds) = silence.holds.filter(|holds| *holds > 0) { " · holds " (count(holds, "alert")) " now" }
                    @if silence.matched == Some(false) { " · held no alert yet" }
                    " · by " (terms.created_by) " · " (words::id(&silence.id))
                    " · " a.pos href=(frame.link(&format!("/events/{}", silence.event))) { "event" }
                }
            }
            @if frame.is_now() && live {
                form.inline method="post" action=(format!("/silences/{}/expire", silence.id)) {
                    input type="hidden" name="actor" value=(frame.value("me"));
                    input type="hidden" name="event" value=(silence.event);
                    button type="submit" { "End now" }
                    button.quiet type="submit" formaction="/undo" title="undo the silence, as if it had not been created" { "Undo" }
                }
            }
        }
    }
}

fn form(frame: &Frame) -> Markup {
    html! {
        details.card.declare open[!frame.value("matchers").is_empty()] {
            summary { "New silence or maintenance window" }
            form.fields method="post" action="/silences" {
                label.wide { "Matchers, one a line; all of them must match"
                    textarea name="matchers" rows="2" required placeholder="service=\"checkout\"\nseverity=~\"low|medium\"" { (frame.value("matchers")) }
                }
                label { "For" input type="text" name="duration" placeholder="2h" value="2h"; }
                label { "or until" input type="text" name="ends_at" placeholder="2026-11-20T06:00:00Z"; }
                label { "From" input type="text" name="starts_at" placeholder="now"; }
                label { "Kind" select name="kind" { option value="silence" { "silence" } option value="maintenance" { "maintenance" } } }
                label { "Environment" input type="text" name="environment" placeholder="all"; }
                (parts::name_field(frame.value("me")))
                label.wide { "Why?" input type="text" name="comment" required; }
                button.primary type="submit" { "Suppress" }
            }
        }
    }
}
