//! The vocabularies of labels: what a label says, and the rule by which it was given.

use crate::vocabulary;

vocabulary! {
    /// What a label says. A cause in a person's words, or a severity, is an unknown word.
    pub enum LabelValue: open {
        /// Two alerts are one problem.
        Same = "same",
        /// Two alerts are two problems.
        Different = "different",
        /// An incident was worth somebody's time.
        Useful = "useful",
        /// An incident was not worth anybody's time.
        Noise = "noise",
        /// An incident was acknowledged and needed nothing.
        NoAction = "no_action",
        /// Somebody looked at a notice.
        Opened = "opened",
        /// Nobody looked at a notice.
        Unopened = "unopened",
        /// What ended an incident did not hold.
        CameBack = "came_back",
        /// What ended an incident was none of the proposals.
        FixedOutside = "fixed_outside",
        /// What was proposed ended an incident.
        FixedByIt = "fixed_by_it",
        /// What was proposed did not end an incident.
        NotFixedByIt = "not_fixed_by_it",
        /// A person approved a proposal.
        Approved = "approved",
        /// A person rejected a proposal.
        Rejected = "rejected",
        /// Nobody judged a proposal.
        Ignored = "ignored",
        /// An earlier incident was the same problem.
        Confirmed = "confirmed",
        /// An earlier incident was another problem.
        Dismissed = "dismissed",
        /// An answer helped.
        Helpful = "helpful",
        /// An answer did not help.
        NotHelpful = "not_helpful",
    }
}

vocabulary! {
    /// The rule by which a label was given: a line of the table in `docs/labels.md`.
    pub enum RuleName: open {
        /// A person merged two incidents: pairs across them.
        Merged = "merged",
        /// A merge was undone: the labels of the merge are retracted, its pairs are.
        MergeUndone = "merge_undone",
        /// A person split an incident: pairs of those that left and those that stayed.
        Split = "split",
        /// Those that left together.
        SplitTogether = "split_together",
        /// A split was undone: the labels of the split are retracted, its pairs are.
        SplitUndone = "split_undone",
        /// A person said that two alerts are one problem.
        PairSame = "pair_same",
        /// A person said that two alerts are two problems.
        PairDifferent = "pair_different",
        /// A person resolved an incident and named its cause, or added it later.
        ResolvedWithCause = "resolved_with_cause",
        /// A person said what the cause of an incident was, apart from resolving it.
        CauseConfirmed = "cause_confirmed",
        /// Its members, each with the one that it was most like.
        CauseTogether = "cause_together",
        /// Its members, with those of an incident that they were kept out of and that people worked on by itself.
        CauseApart = "cause_apart",
        /// A person acknowledged an incident; retracted when that is taken back.
        Acknowledged = "acknowledged",
        /// A person said that an incident was useful or helpful, or confirmed it.
        FeedbackUseful = "feedback_useful",
        /// A person said that an incident was noise or not helpful.
        FeedbackNoise = "feedback_noise",
        /// A silence held an alert back (a maintenance window says nothing); retracted when that is undone.
        Silenced = "silenced",
        /// A person set an incident's severity.
        SeveritySet = "severity_set",
        /// A person opened a notice.
        NoticeOpened = "notice_opened",
        /// A person reopened an incident.
        ReopenedByPerson = "reopened_by_person",
        /// A person approved a proposal.
        ProposalApproved = "proposal_approved",
        /// A person rejected a proposal.
        ProposalRejected = "proposal_rejected",
        /// A person said that what was proposed fixed it.
        ProposalFixed = "proposal_fixed",
        /// A person said that what was proposed did not fix it.
        ProposalDidNotFix = "proposal_did_not_fix",
        /// A person said that an earlier incident was the same problem.
        RecallConfirmed = "recall_confirmed",
        /// A person dismissed an earlier incident that was shown.
        RecallDismissed = "recall_dismissed",
        /// A person said that an answer helped.
        AnswerHelpful = "answer_helpful",
        /// A person said that an answer did not help.
        AnswerNotHelpful = "answer_not_helpful",
        /// An incident ended by itself, and nobody touched it within a day.
        Untouched = "untouched",
        /// A page about such an incident that nobody opened within a day.
        Unopened = "unopened",
        /// An incident was acknowledged, ended by itself, and nobody did more within a day.
        AcknowledgedWithoutAction = "acknowledged_without_action",
        /// People worked on an incident, and a day after its end none of its proposals was approved.
        FixedOutside = "fixed_outside",
        /// Nobody judged a proposal within a day.
        ProposalExpired = "proposal_expired",
        /// An incident came back by itself within a day of its end.
        CameBack = "came_back",
    }
}
