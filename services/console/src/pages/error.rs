//! A refusal as a page: what was expected, what came, and what to do.

use hindcast_api::Problem;
use maud::{Markup, html};

use super::frame::document;

/// The page of a refusal.
#[must_use]
pub fn page(problem: &Problem) -> Markup {
    document(
        &problem.title,
        html! {
            header.top { nav.bar { a.brand href="/" { span.mark {} "Hindcast" } } }
            main.narrow {
                section.card.trouble {
                    p.code { (problem.status) " · " (problem.code) }
                    h1 { (problem.title) }
                    p.detail { (problem.detail) }
                    p.remedy { (problem.remedy) }
                    p { a.button href="/" { "All incidents" } }
                }
            }
        },
    )
}

/// The page of a command that is written and not decided yet.
#[must_use]
pub fn pending(position: u64, command: &str, back: &str) -> Markup {
    document(
        "Not decided yet",
        html! {
            header.top { nav.bar { a.brand href="/" { span.mark {} "Hindcast" } } }
            main.narrow {
                section.card {
                    p.code { "202 · pending" }
                    h1 { "Accepted, and still being processed" }
                    p.detail { "Your command is stored at position #" (position) " as " (command) " and will be processed." }
                    p { a.button href=(back) { "Back" } }
                }
            }
        },
    )
}
