//! What an alert is about, apart from who observed it.
//!
//! The one contract of this crate: *the same labels and the same rules give the same answer*, in a few microseconds.
//! The rules are data (`rules.yaml`, each exporter with its source) and are compiled once. In order:
//!
//! 1. The exporter is found: by the job, by the alert's name, by other labels that name programs, by labels that only
//!    it has.
//! 2. The first of its subjects whose labels are there is what the alert is about.
//! 3. Without an exporter the labels that name a service decide, as a program that reports on itself sends them; then
//!    labels whose names say what they name.
//!
//! Refuses to know any exporter by name, and to guess a thing that no label names.

mod memo;
mod pattern;
mod resolve;
mod rules;
mod workload;

use std::sync::LazyLock;

use hindcast_domain::alert::Labels;
use hindcast_domain::entity::AlertSubject;

pub use resolve::host;
pub use rules::RulesError;

/// The rules that the product ships with.
pub const SHIPPED: &str = include_str!("../rules.yaml");

/// An alert as its sender labels it.
#[derive(Clone, Copy, Debug)]
pub struct LabelledAlert<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// All labels.
    pub labels: &'a Labels,
}

/// What was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What it is about, who observed it, and the rule that decided.
    pub about: AlertSubject,
    /// The service that it is about: by the entity where that is or has one, never the observer's.
    pub service: Option<String>,
}

/// Compiled rules.
#[derive(Clone, Debug)]
pub struct EntityRules {
    compiled: rules::CompiledRules,
}

impl EntityRules {
    /// Compiles a rules file.
    ///
    /// # Errors
    /// When the text is no rules file, or a rule cannot be followed; the message names the line or the exporter.
    pub fn compile(text: &str) -> Result<Self, RulesError> {
        rules::compile(text).map(|compiled| Self { compiled })
    }

    /// The shipped rules, compiled once a process.
    ///
    /// # Panics
    /// Never in a build whose tests pass: they compile the shipped file.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static RULES: LazyLock<EntityRules> = LazyLock::new(|| match EntityRules::compile(SHIPPED) {
            Ok(rules) => rules,
            Err(error) => panic!("the shipped rules do not compile: {error}"),
        });
        &RULES
    }

    /// What an alert is about.
    #[must_use]
    pub fn resolve(&self, alert: &LabelledAlert<'_>) -> Resolution {
        resolve::resolve(&self.compiled, alert)
    }

    /// The labels that say nothing to these rules: they name neither the subject nor its scope, nor the scrape target,
    /// nor a severity, and no resolution reads them.
    #[must_use]
    pub fn unmapped<'a>(&self, alert: &LabelledAlert<'a>) -> Vec<&'a str> {
        resolve::unmapped(&self.compiled, alert)
    }
}
