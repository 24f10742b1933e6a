//! One measured effect on one service, whatever it was read from. Owns its shape; refuses to know who caused it.

use hindcast_api::Citation;
use hindcast_domain::Time;

use crate::kind::{SignalKind, SignalSide, SignalWay};

/// What an effect was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectSource {
    /// A series of numbers.
    Metric,
    /// Spans of requests.
    Span,
    /// Log lines.
    Log,
    /// What a sender's rule fired on.
    Alert,
}

/// How strongly one signal speaks for a change of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalEffect {
    /// The service, by its one name where the catalogue knows it.
    pub service: String,
    /// What the signal is about.
    pub kind: SignalKind,
    /// Whose view it is.
    pub side: SignalSide,
    /// Which way it moved.
    pub way: SignalWay,
    /// Log Bayes factor, in nats: negative where the signal was seen and did not move.
    pub llr: f64,
    /// Absolute change in the signal's own unit; 0 where it has none.
    pub change: f64,
    /// When it began.
    pub since: Time,
    /// What it was read from.
    pub source: EffectSource,
    /// It is the very signal that alarmed.
    pub alarmed: bool,
    /// In plain words, without the service's name.
    pub text: String,
    /// The event that says so, where one does.
    pub citation: Option<Citation>,
}
