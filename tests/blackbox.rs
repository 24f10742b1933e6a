//! Every black-box test of the built binary, one module per subject, in one binary, so that it is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)] // a test that cannot go on fails

mod advice;
mod asof;
mod chat;
mod chat_kills;
mod copies;
mod documents;
mod door;
mod kills;
mod learning;
mod lineage;
mod llm;
mod models_down;
mod observability;
mod one_position;
mod own_claims;
mod questions;
mod receivers;
mod recordings;
mod secrets;
mod silences;
mod spine;
#[path = "standin/slack.rs"]
mod standin_slack;
#[path = "standin/teams.rs"]
mod standin_teams;
mod support;
mod telemetry;
mod traced;
