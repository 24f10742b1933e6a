//! Tells people over HTTP: one module for each vendor, and what they share. Owns the form of each vendor's messages;
//! refuses to know when somebody is told.
//!
//! The one contract of this crate: *only what the vendor's protocol calls taken counts as taken*, and no error and
//! no answer holds an address or a credential.

mod alertmanager;
mod discord;
mod mattermost;
mod ntfy;
mod opsgenie;
mod pace;
mod pagerduty;
mod slack;
mod step;
mod telegram;
mod template;
mod webhook;
mod wire;
mod words;

pub use alertmanager::AlertmanagerWebhook;
pub use discord::DiscordWebhook;
pub use mattermost::MattermostWebhook;
pub use ntfy::{Ntfy, NtfyOptions};
pub use opsgenie::Opsgenie;
pub use pagerduty::PagerDuty;
pub use slack::SlackWebhook;
pub use telegram::{Telegram, TelegramOptions};
pub use template::{HttpTemplate, HttpTemplateOptions};
pub use webhook::Webhook;
