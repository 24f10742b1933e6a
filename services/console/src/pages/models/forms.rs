//! What can be done about a model and its versions: learn, compare, promote, go back, run beside. Forms alone; they
//! ask for the same things as the API, and whoever decides refuses them in the same words.

use hindcast_api::{ModelStatus, ModelVersion};
use hindcast_domain::model::Verdict;
use hindcast_mlops::registry::BY_HAND;
use maud::{Markup, html};

use crate::pages::{Frame, parts, words};

fn to(name: &str, word: &str) -> String {
    words::path(&["models", name, word])
}

/// Words for a process that does not learn.
fn elsewhere() -> Markup {
    html! { p.sub { "This process does not train models: use one with the role " code { "learning" } "." } }
}

/// What can be done about the model as a whole.
pub(super) fn of_model(frame: &Frame, name: &str, in_force: &ModelVersion, learns: bool) -> Markup {
    html! {
        details.card.declare {
            summary { "Train a new version" }
            @if learns {
                form.fields method="post" action=(to(name, "train")) {
                    label { "Environment" input type="text" name="environment" placeholder="production"; }
                    label { "Up to" input type="text" name="to" placeholder="now, a time or #"; }
                    label { "Seed" input type="text" name="seed" placeholder="1" inputmode="numeric"; }
                    (parts::name_field(frame.value("me")))
                    button.primary type="submit" { "Train" }
                }
                p.sub.behind { "Training creates a candidate, which decides nothing. The page shows its progress; leaving the page stops the training." }
            } @else { (elsewhere()) }
        }
        @if in_force.version != BY_HAND {
            details.card.declare {
                summary { "Roll back to the previous version" }
                form.fields method="post" action=(to(name, "rollback")) {
                    label.wide { "Why?" input type="text" name="why" required maxlength="1000" placeholder="it splits one problem into two incidents"; }
                    (parts::name_field(frame.value("me")))
                    button type="submit" { "Roll back" }
                }
            }
        }
    }
}

/// What can be done about one version, as one form: every button names its own action.
pub(super) fn of_version(frame: &Frame, version: &ModelVersion, in_force: u32, learns: bool) -> Markup {
    let name = version.name.as_str();
    if version.version == in_force && in_force == BY_HAND {
        return html! { section.card { p.sub { "This is the production version. Train another version to replace it." } } };
    }
    html! {
        section.card.actions {
            form #act method="post" action=(to(name, "compare")) {
                // The first button is what the return key presses: a disabled one makes it do nothing.
                button.none type="submit" disabled hidden {}
                input type="hidden" name="version" value=(version.version);
                (promote(version, in_force))
                (parts::name_field(frame.value("me")))
                @if version.version == in_force { (roll_back(name)) }
                @else if version.version != BY_HAND { (compare(name, in_force, learns)) (shadow(version)) }
            }
        }
    }
}

fn promote(version: &ModelVersion, in_force: u32) -> Markup {
    html! {
        @match hindered(version, in_force) {
            None => div.buttons { button.primary type="submit" formaction=(to(&version.name, "promote")) { "Promote" } },
            Some(why) => p.sub.ahead { (why) @if version.version != in_force { " So it cannot be promoted." } },
        }
    }
}

fn compare(name: &str, in_force: u32, learns: bool) -> Markup {
    html! {
        details open {
            summary { "Compare on the past" }
            @if learns {
                label { "With version" input type="text" name="against" placeholder=(format!("{in_force}, production")) inputmode="numeric"; }
                label { "Since" input type="text" name="since" placeholder="after its training data"; }
                label { "Environment" input type="text" name="environment" placeholder="production"; }
                button type="submit" formaction=(to(name, "compare")) { "Compare" }
            } @else { (elsewhere()) }
        }
    }
}

fn shadow(version: &ModelVersion) -> Markup {
    let action = to(&version.name, "shadow");
    html! {
        @if version.status == ModelStatus::Shadow {
            details open {
                summary { "It runs as a shadow of the production version" }
                button type="submit" formaction=(action) name="end" value="true" { "End the shadow" }
            }
        } @else {
            details {
                summary { "Run as a shadow" }
                label { "From position" input type="text" name="from" placeholder="now" inputmode="numeric"; }
                button type="submit" formaction=(action) { "Run as a shadow" }
            }
        }
    }
}

fn roll_back(name: &str) -> Markup {
    html! {
        details {
            summary { "Roll back to the previous version" }
            label { "Why?" input type="text" name="why" maxlength="1000" placeholder="it splits one problem into two incidents"; }
            button type="submit" formaction=(to(name, "rollback")) { "Roll back" }
        }
    }
}

/// Why a version cannot be promoted now; `None` where it can. Whoever decides has the last word.
fn hindered(version: &ModelVersion, in_force: u32) -> Option<String> {
    if version.version == in_force {
        return Some("It is the production version.".to_owned());
    }
    if version.version == BY_HAND {
        return Some("These are the default weights: a rollback can return to them, a promotion cannot.".to_owned());
    }
    let last = version.judged.iter().rev().find(|judged| judged.against == in_force);
    match last.map(|judged| judged.verdict) {
        Some(Verdict::Pass) => None,
        None => Some(format!("It was not compared with version {in_force}, the production version.")),
        Some(other) => {
            let word = match other {
                Verdict::Fail => "failed",
                Verdict::Error => "did not work",
                _ => "was inconclusive",
            };
            Some(format!("Its last comparison with version {in_force}, the production version, {word}."))
        }
    }
}
