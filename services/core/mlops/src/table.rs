//! The one table: which event gives which label, how much it weighs, and which model learns from it. Owns
//! names and weights; refuses to know how an event is recognised, which stands in [`crate::labeller`].
//!
//! `docs/labels.md` shows the same table, and a test compares the two.

use std::fmt::Write as _;

use hindcast_domain::label::{Kind, Provenance};
pub use hindcast_domain::words::Learner;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRule {
    /// Its name, as it stands on each label.
    pub name: &'static str,
    /// What happened.
    pub when: &'static str,
    /// What kind of thing the label says.
    pub kind: Kind,
    /// What it says; `…` where the event says it.
    pub value: &'static str,
    /// How much it counts, in thousandths.
    pub weight: u32,
    /// Said, or concluded.
    pub provenance: Provenance,
    /// Which model learns from it.
    pub learns: Learner,
}

const fn said(
    name: &'static str,
    when: &'static str,
    kind: Kind,
    value: &'static str,
    weight: u32,
    learns: Learner,
) -> LabelRule {
    LabelRule { name, when, kind, value, weight, provenance: Provenance::Explicit, learns }
}

const fn concluded(
    name: &'static str,
    when: &'static str,
    kind: Kind,
    value: &'static str,
    weight: u32,
    learns: Learner,
) -> LabelRule {
    LabelRule { name, when, kind, value, weight, provenance: Provenance::Implicit, learns }
}

macro_rules! rules {
    ($($constant:ident = $form:ident($name:literal, $when:literal, $kind:ident, $value:literal, $weight:literal, $learns:ident);)*) => {
        $(
            #[doc = $when]
            pub const $constant: LabelRule = $form($name, $when, Kind::$kind, $value, $weight, Learner::$learns);
        )*
        /// Every rule, in the order of the document.
        pub const RULES: &[LabelRule] = &[$($constant),*];
    };
}

rules! {
    MERGED = said("merged", "a person merged two incidents: pairs across them", Grouping, "same", 1_000, PairScorer);
    MERGE_UNDONE = said("merge_undone", "a merge was undone: the labels of the merge are retracted, its pairs are", Grouping, "different", 500, PairScorer);
    SPLIT = said("split", "a person split an incident: pairs of those that left and those that stayed", Grouping, "different", 1_000, PairScorer);
    SPLIT_TOGETHER = concluded("split_together", "those that left together", Grouping, "same", 250, PairScorer);
    SPLIT_UNDONE = said("split_undone", "a split was undone: the labels of the split are retracted, its pairs are", Grouping, "same", 500, PairScorer);
    PAIR_SAME = said("pair_same", "a person said that two alerts are one problem", Grouping, "same", 1_000, PairScorer);
    PAIR_DIFFERENT = said("pair_different", "a person said that two alerts are two problems", Grouping, "different", 1_000, PairScorer);
    CAUSE = said("resolved_with_cause", "a person resolved an incident and named its cause, or added it later", Cause, "…", 1_000, Causes);
    CAUSE_CONFIRMED = said("cause_confirmed", "a person said what the cause of an incident was, apart from resolving it", Cause, "…", 1_000, Causes);
    CAUSE_TOGETHER = concluded("cause_together", "its members, each with the one that it was most like", Grouping, "same", 250, PairScorer);
    CAUSE_APART = concluded("cause_apart", "its members, with those of an incident that they were kept out of and that people worked on by itself", Grouping, "different", 250, PairScorer);
    ACKNOWLEDGED = said("acknowledged", "a person acknowledged an incident; retracted when that is taken back", Attention, "useful", 600, Paging);
    FEEDBACK_USEFUL = said("feedback_useful", "a person said that an incident was useful or helpful, or confirmed it", Attention, "useful", 1_000, Paging);
    FEEDBACK_NOISE = said("feedback_noise", "a person said that an incident was noise or not helpful", Attention, "noise", 1_000, Paging);
    SILENCED = said("silenced", "a silence held an alert back (a maintenance window says nothing); retracted when that is undone", Attention, "noise", 400, Paging);
    SEVERITY_SET = said("severity_set", "a person set an incident's severity", Severity, "…", 1_000, Paging);
    NOTICE_OPENED = said("notice_opened", "a person opened a notice", Notice, "opened", 600, Paging);
    REOPENED = said("reopened_by_person", "a person reopened an incident", Resolution, "came_back", 1_000, Runbooks);
    PROPOSAL_APPROVED = said("proposal_approved", "a person approved a proposal", Proposal, "approved", 1_000, Runbooks);
    PROPOSAL_REJECTED = said("proposal_rejected", "a person rejected a proposal", Proposal, "rejected", 1_000, Runbooks);
    PROPOSAL_FIXED = said("proposal_fixed", "a person said that what was proposed fixed it", Resolution, "fixed_by_it", 1_000, Runbooks);
    PROPOSAL_DID_NOT_FIX = said("proposal_did_not_fix", "a person said that what was proposed did not fix it", Resolution, "not_fixed_by_it", 1_000, Runbooks);
    RECALL_CONFIRMED = said("recall_confirmed", "a person said that an earlier incident was the same problem", Recall, "confirmed", 1_000, Recall);
    RECALL_DISMISSED = said("recall_dismissed", "a person dismissed an earlier incident that was shown", Recall, "dismissed", 1_000, Recall);
    ANSWER_HELPFUL = said("answer_helpful", "a person said that an answer helped", Answer, "helpful", 1_000, Copilot);
    ANSWER_NOT_HELPFUL = said("answer_not_helpful", "a person said that an answer did not help", Answer, "not_helpful", 1_000, Copilot);
    UNTOUCHED = concluded("untouched", "an incident ended by itself, and nobody touched it within a day", Attention, "noise", 200, Paging);
    UNOPENED = concluded("unopened", "a page about such an incident that nobody opened within a day", Notice, "unopened", 200, Paging);
    NO_ACTION = concluded("acknowledged_without_action", "an incident was acknowledged, ended by itself, and nobody did more within a day", Attention, "no_action", 200, Paging);
    FIXED_OUTSIDE = concluded("fixed_outside", "people worked on an incident, and a day after its end none of its proposals was approved", Resolution, "fixed_outside", 300, Runbooks);
    PROPOSAL_EXPIRED = concluded("proposal_expired", "nobody judged a proposal within a day", Proposal, "ignored", 200, Runbooks);
    CAME_BACK = concluded("came_back", "an incident came back by itself within a day of its end", Resolution, "came_back", 400, Runbooks);
}

/// The rule of that name.
#[must_use]
pub fn rule(name: &str) -> Option<&'static LabelRule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// The word of a kind, as it stands in JSON.
#[must_use]
pub const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Grouping => "grouping",
        Kind::Cause => "cause",
        Kind::Attention => "attention",
        Kind::Severity => "severity",
        Kind::Resolution => "resolution",
        Kind::Proposal => "proposal",
        Kind::Recall => "recall",
        Kind::Notice => "notice",
        Kind::Answer => "answer",
    }
}

/// The table in Markdown, as it stands in `docs/labels.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| rule | when | kind | value | weight | said or concluded | who learns |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for rule in RULES {
        let provenance = match rule.provenance {
            Provenance::Explicit => "said",
            Provenance::Implicit => "concluded",
        };
        let written = writeln!(
            text,
            "| `{}` | {} | {} | {} | {}.{:03} | {provenance} | {} |",
            rule.name,
            rule.when,
            kind_word(rule.kind),
            rule.value,
            rule.weight / 1_000,
            rule.weight % 1_000,
            rule.learns.as_str(),
        );
        debug_assert!(written.is_ok(), "a string takes what is written to it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_concluded_weighs_less_than_what_is_said() {
        let most = |provenance| RULES.iter().filter(move |rule| rule.provenance == provenance).map(|rule| rule.weight);
        let concluded = most(Provenance::Implicit).max().unwrap();
        assert!(most(Provenance::Explicit).all(|said| said >= concluded), "{concluded}");
    }

    #[test]
    fn a_name_stands_for_one_rule() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn events_know_every_rule_and_every_value() {
        use hindcast_domain::words::{LabelValue, RuleName};
        let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names, RuleName::WORDS);
        for rule in RULES.iter().filter(|rule| rule.value != "…") {
            assert!(LabelValue::WORDS.contains(&rule.value), "{}", rule.value);
        }
    }

    #[test]
    fn the_document_shows_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/labels.md");
        let document = std::fs::read_to_string(path).unwrap();
        assert!(document.contains(&markdown()), "docs/labels.md is not what the code says; it says:\n{}", markdown());
    }
}
