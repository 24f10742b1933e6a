//! The web pages: data in, HTML out. Every page is a pure function of what was read, so that any of them can
//! be shown as of any position. Nothing here asks the views, the clock or the network, and there is no
//! script: what a page offers works with links and forms.

pub mod about;
pub mod alerts;
pub mod ask;
pub mod error;
pub mod event;
pub mod findings;
pub mod frame;
pub mod incident;
pub mod incidents;
pub mod labels;
pub mod markdown;
pub mod models;
pub mod notices;
pub mod parts;
pub mod postmortem;
pub mod receipt;
pub mod silences;
pub mod style;
pub mod topology;
pub mod words;

pub use frame::{Frame, Seen, Tab};
