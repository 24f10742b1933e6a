//! What can be asked for, with its name and the plain question that stands for it.

/// One thing that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intent {
    /// How something stands: everything, an incident or a service.
    State,
    /// Whether something is fine.
    Fine,
    /// Whether an incident is over.
    Over,
    /// What caused it.
    Cause,
    /// Whether what the asker names caused it.
    WasIt,
    /// Deploys, flags and configuration changes.
    Changed,
    /// Why alerts are one incident.
    WhyGrouped,
    /// Why alerts or incidents are not one.
    WhyApart,
    /// Why somebody was notified.
    WhyPaged,
    /// Why nobody was.
    WhyNotPaged,
    /// Pages and notifications that went out.
    Notified,
    /// Who acknowledged, resolved or was assigned.
    Who,
    /// Who answers for a service, and who is on call.
    Owner,
    /// What is affected.
    Impact,
    /// How bad it is.
    Severity,
    /// When it began.
    SinceWhen,
    /// When it ended.
    EndWhen,
    /// A length of time.
    HowLong,
    /// What happened when.
    Timeline,
    /// Log lines.
    Logs,
    /// Values of metrics.
    Metrics,
    /// Two incidents or services beside each other.
    Compare,
    /// Whether it was seen before.
    Seen,
    /// What ended it.
    Fixed,
    /// What to do.
    Todo,
    /// The exact command of a step.
    Command,
    /// How many.
    Count,
    /// Names of alerts, incidents or services.
    List,
    /// What an alert says.
    AlertDetail,
    /// Silences and maintenance windows.
    Silences,
    /// Figures over a stretch of time.
    Reports,
    /// Versions of models.
    Models,
    /// What was known at a time.
    KnownAt,
    /// What the next shift must know.
    Handover,
    /// A status for people outside.
    Stakeholders,
    /// The draft that is written afterwards.
    Postmortem,
    /// What an answer rests on.
    Evidence,
    /// What can be asked.
    Help,
    /// A request to do something.
    Act,
    /// What no ledger knows.
    Beyond,
}

/// Each with its name in the file of examples, and the question that stands for it; `{x}` is what it is about.
const TABLE: [(Intent, &str, &str); 40] = [
    (Intent::State, "state", "What is going on with {x}?"),
    (Intent::Fine, "fine", "Is {x} fine?"),
    (Intent::Over, "over", "Is {x} over?"),
    (Intent::Cause, "cause", "What caused {x}?"),
    (Intent::WasIt, "was-it", "Was it {x}?"),
    (Intent::Changed, "changed", "What changed near {x}?"),
    (Intent::WhyGrouped, "why-grouped", "Why are the alerts of {x} grouped?"),
    (Intent::WhyApart, "why-apart", "Which alerts were not grouped with {x}, and why?"),
    (Intent::WhyPaged, "why-paged", "Why did {x} page?"),
    (Intent::WhyNotPaged, "why-not-paged", "Why did {x} not page?"),
    (Intent::Notified, "notified", "Who was notified of {x}?"),
    (Intent::Who, "who", "Who is on {x}?"),
    (Intent::Owner, "owner", "Who owns {x}?"),
    (Intent::Impact, "impact", "What is affected by {x}?"),
    (Intent::Severity, "severity", "How bad is {x}?"),
    (Intent::SinceWhen, "since-when", "When did {x} start?"),
    (Intent::EndWhen, "end-when", "When did {x} end?"),
    (Intent::HowLong, "how-long", "How long did {x} last?"),
    (Intent::Timeline, "timeline", "Show the timeline of {x}."),
    (Intent::Logs, "logs", "What do the logs of {x} say?"),
    (Intent::Metrics, "metrics", "Which metrics of {x} moved?"),
    (Intent::Compare, "compare", "How does {x} differ from the one before?"),
    (Intent::Seen, "seen", "Have we seen {x} before?"),
    (Intent::Fixed, "fixed", "What fixed {x}?"),
    (Intent::Todo, "todo", "What should we do about {x}?"),
    (Intent::Command, "command", "What is the exact command for {x}?"),
    (Intent::Count, "count", "How many incidents and alerts are there?"),
    (Intent::List, "list", "Which alerts fire on {x}?"),
    (Intent::AlertDetail, "alert-detail", "What does the alert {x} say?"),
    (Intent::Silences, "silences", "Which silences are active?"),
    (Intent::Reports, "reports", "What are the figures of the last 30 days?"),
    (Intent::Models, "models", "Which model version decides?"),
    (Intent::KnownAt, "known-at", "What was known at 04:44?"),
    (Intent::Handover, "handover", "Write a handover."),
    (Intent::Stakeholders, "stakeholders", "Write a status update on {x}."),
    (Intent::Postmortem, "postmortem", "Write a postmortem of {x}."),
    (Intent::Evidence, "evidence", "What is the evidence for the cause of {x}?"),
    (Intent::Help, "help", "What can I ask?"),
    (Intent::Act, "act", "Which command does that?"),
    (Intent::Beyond, "beyond", "What can I ask?"),
];

impl Intent {
    /// Every intent, in the order of the table.
    pub const ALL: [Self; 40] = {
        let mut all = [Self::State; 40];
        let mut index = 0;
        while index < TABLE.len() {
            all[index] = TABLE[index].0;
            index += 1;
        }
        all
    };

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        TABLE.iter().find(|(intent, ..)| *intent == self).unwrap_or(&TABLE[0])
    }

    /// The word for it, as the file of examples and the ledger spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The intent of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, word, _)| *word == name).map(|(intent, ..)| *intent)
    }

    /// The plain question for it about something.
    #[must_use]
    pub fn asked_of(self, what: &str) -> String {
        self.row().2.replace("{x}", what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_intent_stands_in_the_table_once() {
        for (index, intent) in Intent::ALL.into_iter().enumerate() {
            assert_eq!(Intent::of_name(intent.name()), Some(intent));
            assert!(!Intent::ALL[..index].contains(&intent), "{intent:?}");
        }
    }
}
