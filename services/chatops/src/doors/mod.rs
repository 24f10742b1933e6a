//! The doors: what vendors deliver, from the socket to the ledger. Owns the order: signature or token first, then
//! rights, then one commit, then the vendor's answer; everything else is done afterwards. Refuses to know what a
//! command does: its lane decides that.

mod act;
mod endpoints;
mod plan;
mod say;
mod scan;
mod slack;
mod teams;

use axum::Router;
use axum::routing::post;

pub use endpoints::ChatEndpoints;
pub use say::{DeliveryResult, Say};

/// The vendors' doors. They guard themselves.
pub fn router(door: ChatEndpoints) -> Router {
    Router::new()
        .route("/slack/events", post(slack::events))
        .route("/slack/interactive", post(slack::interactive).get(slack::certificate))
        .route("/slack/commands", post(slack::commands).get(slack::certificate))
        .route("/teams/messages", post(teams::messages))
        .route("/teams/outgoing", post(teams::outgoing))
        .with_state(door)
}
