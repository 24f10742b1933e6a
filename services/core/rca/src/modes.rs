//! How a service may fail, what each way is expected to show, and the parts of a score. Owns the expectations; refuses
//! to know what was measured.

use crate::classes::SignClass;
use crate::parameters::CauseParameters;

/// How a service broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseMode {
    /// A resource ran out.
    Resource,
    /// It became slow.
    Slow,
    /// The way to it became slow.
    Network,
    /// It fails.
    Errors,
    /// It no longer calls what it called.
    Calls,
}

/// What a part of a score is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermKind {
    /// What is known of the mode beforehand.
    Prior,
    /// The mode's own sign is not measured there.
    Unseen,
    /// What the service itself shows.
    Own,
    /// What its direct callers show.
    Callers,
    /// What those above its callers show.
    Further,
    /// What those that it calls show.
    Callees,
    /// What lies beneath it explains it.
    Explained,
    /// Errors beneath it are as large.
    Deeper,
    /// It does not reach what alarmed.
    Outside,
    /// Nothing of it is measured.
    Unmeasured,
    /// It was among the first to show anything.
    Early,
    /// It was changed just before.
    Changed,
    /// What depends on it names it.
    Named,
    /// It was the cause of the same problem before.
    Past,
    /// Several services alarmed, and the catalogue does not know it.
    Strange,
}

/// A part of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreTerm {
    /// What it is about.
    pub kind: TermKind,
    /// Log odds, in nats.
    pub llr: f64,
    /// The effects that it rests on, by their place.
    pub effects: Vec<usize>,
}

/// A service that may have broken.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceHypothesis {
    /// Its one name, where the catalogue knows it.
    pub service: String,
    /// Log odds over all modes.
    pub score: f64,
    /// The likeliest mode.
    pub mode: CauseMode,
    /// What makes up the score of that mode.
    pub terms: Vec<ScoreTerm>,
    /// Its share among all services and "nothing of this is a cause", 0 to 1.
    pub probability: f64,
}

/// Whose sign a mode expects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Own,
    Callers,
    Further,
    Above,
    Callees,
}

pub(crate) struct ModeRules {
    pub mode: CauseMode,
    pub prior: f64,
    pub main: SignClass,
    pub expects: &'static [(Whose, SignClass, f64)],
}

pub(crate) fn modes(parameters: &CauseParameters) -> [ModeRules; 5] {
    use SignClass::{Called, Client, Errors, Idle, Latency, Resource, Slower};
    use Whose::{Above, Callees, Callers, Further, Own};
    let prior = &parameters.prior;
    let rules = |mode, prior, main, expects| ModeRules { mode, prior, main, expects };
    [
        rules(
            CauseMode::Resource,
            prior.resource,
            Resource,
            &[(Own, Resource, 0.95), (Own, Slower, 0.5), (Callers, Client, 0.3), (Above, Latency, 0.3)],
        ),
        rules(
            CauseMode::Slow,
            prior.slow,
            Latency,
            &[(Own, Latency, 0.95), (Callers, Client, 0.4), (Callers, Latency, 0.5), (Further, Latency, 0.3)],
        ),
        rules(
            CauseMode::Network,
            prior.network,
            Slower,
            &[
                (Own, Slower, 0.7),
                (Own, Client, 0.4),
                (Callers, Client, 0.7),
                (Callees, Called, 0.5),
                (Callers, Latency, 0.5),
                (Further, Latency, 0.3),
            ],
        ),
        rules(CauseMode::Errors, prior.errors, Errors, &[(Own, Errors, 0.95), (Above, Errors, 0.5)]),
        rules(CauseMode::Calls, prior.calls, Slower, &[(Callees, Idle, 0.5), (Own, Latency, 0.3)]),
    ]
}
