//! MCP over HTTP: other copilots and programs ask what we know, at `/mcp`.
//!
//! The one contract of this crate: *whoever asks over MCP gets what the API gives, and can change nothing*.
//! Every tool reads, as of a position where one is named; `ask` answers with evidence. There are no sessions:
//! each request stands alone, so that any server of an installation answers any of them. It knows neither
//! how anything is found nor who may come in: guards are laid around it by whoever serves it.
//!
//! - [`door`]: what a request may look like before the protocol sees it.
//! - [`server`]: the protocol's questions, answered from the tools.
//! - [`tools`]: the tools as they are offered: those of the copilot, and `ask`.

pub mod door;
pub mod server;
pub mod tools;

use axum::Router;
use hindcast_advice::SharedCopilot;
use hindcast_advice::tools::SharedTools;

/// Where it is served.
pub const PATH: &str = "/mcp";

/// The router of `/mcp`, without a guard: lay the API's own around it.
///
/// `version` is told to whoever connects.
pub fn router(tools: SharedTools, copilot: SharedCopilot, version: &'static str) -> Router {
    door::router(server::McpServer::new(tools, copilot, version))
}
