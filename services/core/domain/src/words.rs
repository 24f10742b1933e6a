//! The vocabularies that events, state and the API share. Each word is what events already contain, so none of
//! them is ever renamed; a word that this version does not know is kept as `Other`.

mod labels;

use crate::vocabulary;

pub use labels::{LabelValue, RuleName};

vocabulary! {
    /// What ended an incident.
    pub enum ResolvedBy: open {
        /// All its alerts cleared.
        Quiet = "quiet",
        /// The senders of its alerts fell silent.
        Stale = "stale",
        /// A person resolved it.
        Person = "person",
        /// It was merged into another incident.
        Merged = "merged",
    }
}

vocabulary! {
    /// How alerts moved between two incidents.
    pub enum LineageKind: open {
        /// The other incident came in.
        Merged = "merged",
        /// The other incident went out.
        Split = "split",
    }
}

vocabulary! {
    /// The rule that put an alert into an incident.
    pub enum GroupingRule: open {
        /// It opened the incident.
        First = "first",
        /// Its score reached the threshold.
        Score = "score",
        /// The same alert was a member before.
        SameFingerprint = "same_fingerprint",
        /// It was said to fire long after a person resolved its incident.
        StillFiring = "still_firing",
    }
}

vocabulary! {
    /// What kind of silence suppresses an alert.
    pub enum SuppressionKind: open {
        /// A person asked for quiet.
        Silence = "silence",
        /// Announced work.
        Maintenance = "maintenance",
        /// It is usual, and pages nobody.
        Usual = "usual",
    }
}

vocabulary! {
    /// Why a silence, or the suppression of an alert, ended.
    pub enum SilenceEnd: open {
        /// Its time was over.
        Elapsed = "elapsed",
        /// A person ended it.
        Expired = "expired",
        /// Another silence replaced it.
        Replaced = "replaced",
        /// A person took it back.
        Undone = "undone",
        /// The alert changed, and the silence does not match it any more.
        NoLongerCovered = "no_longer_covered",
    }
}

vocabulary! {
    /// Why a notification is suppressed, or how its suppression ended.
    pub enum HoldReason: open {
        /// The incident is snoozed.
        Snoozed = "snoozed",
        /// Too many pages at once.
        Storm = "storm",
        /// A silence matches.
        Silence = "silence",
        /// A maintenance window matches.
        Maintenance = "maintenance",
        /// The receiver refused it for good.
        Refused = "refused",
        /// Ended: a later message or digest covered it.
        Told = "told",
        /// Ended: nothing is left to say.
        Over = "over",
        /// Ended: a page or another suppression takes its place.
        Held = "held",
        /// Ended: its incident became a part of another one.
        Merged = "merged",
    }
}

vocabulary! {
    /// What became of a dead letter.
    pub enum ParkedStatus: open {
        /// Nobody has decided about it yet.
        Parked = "parked",
        /// It was taken in after all.
        Retried = "retried",
        /// It was thrown away.
        Discarded = "discarded",
    }
}

vocabulary! {
    /// What kind of change was announced.
    pub enum ChangeKind: open {
        /// Another version of a service.
        Deploy = "deploy",
        /// A feature flag.
        Flag = "flag",
        /// Configuration.
        Config = "config",
    }
}

vocabulary! {
    /// How a sender was recognised.
    pub enum AuthScheme: open {
        /// Not at all: the endpoint is open.
        Open = "open",
        /// A bearer token.
        Bearer = "bearer",
        /// A name and a password.
        Basic = "basic",
        /// A signature over the raw bytes.
        HmacSha256 = "hmac-sha256",
        /// A signed token of Microsoft Teams.
        Jwt = "jwt",
        /// A connection that we opened ourselves.
        Socket = "socket",
        /// It was in the ledger already.
        Ledger = "ledger",
    }
}

vocabulary! {
    /// Where a question was asked.
    pub enum AskChannel: open {
        /// The HTTP API.
        Api = "api",
        /// The command line in a terminal.
        Cli = "cli",
        /// The web pages.
        Web = "web",
        /// Another program, over MCP.
        Mcp = "mcp",
        /// Some chat.
        Chat = "chat",
        /// A message to the bot in Slack.
        Slack = "slack",
        /// Microsoft Teams.
        Teams = "teams",
    }
}

impl Default for AskChannel {
    /// Whoever names no channel uses the API.
    fn default() -> Self {
        Self::Api
    }
}

vocabulary! {
    /// Who worded an answer.
    pub enum AnswerMode: open {
        /// Nobody: it was put together from the evidence.
        Evidence = "evidence",
        /// A language model.
        Model = "model",
    }
}

vocabulary! {
    /// How a call of a language model ended, or why no further call was made.
    pub enum ModelOutcome: open {
        /// The whole reply came.
        Done = "done",
        /// It took too long.
        Timeout = "timeout",
        /// The asker went away.
        Stopped = "stopped",
        /// The server could not be reached.
        Unreachable = "unreachable",
        /// The server refused the request.
        Refused = "refused",
        /// The reply is over the limit.
        TooLarge = "too_large",
        /// The reply is none.
        Malformed = "malformed",
        /// The recording has no reply to this request.
        Stale = "stale",
        /// The answer was cut off by its token limit.
        Cut = "cut",
        /// The answer is not of the form that was asked for.
        Nonsense = "nonsense",
        /// The prompts could not be filled in.
        Prompts = "prompts",
        /// Nothing that was said is supported by the evidence.
        NothingStands = "nothing_stands",
        /// A replay repeats that the answer fell back.
        Recorded = "recorded",
        /// The tokens of one answer are used up.
        CapAnswerTokens = "cap_answer_tokens",
        /// The cost of one answer is used up.
        CapAnswerCost = "cap_answer_cost",
        /// The calls of one day are used up.
        CapDayCalls = "cap_day_calls",
        /// The cost of one day is used up.
        CapDayCost = "cap_day_cost",
        /// The calls for this incident are used up.
        CapIncidentCalls = "cap_incident_calls",
        /// The cost for this incident is used up.
        CapIncidentCost = "cap_incident_cost",
    }
}

vocabulary! {
    /// The verdict of a person about something that was shown.
    pub enum UserVerdict: open {
        /// Two alerts are one problem.
        Same = "same",
        /// Two alerts are two problems.
        Different = "different",
        /// A proposal is right.
        Approved = "approved",
        /// A proposal is wrong.
        Rejected = "rejected",
        /// What was proposed fixed it.
        Fixed = "fixed",
        /// What was proposed did not fix it.
        NotFixed = "not_fixed",
        /// It is what it was said to be.
        Confirmed = "confirmed",
        /// It is not.
        Dismissed = "dismissed",
        /// It helped.
        Helpful = "helpful",
        /// It did not help.
        NotHelpful = "not_helpful",
        /// A notification was looked at.
        Opened = "opened",
        /// It was worth somebody's time.
        Useful = "useful",
        /// It was not.
        Noise = "noise",
        /// Nothing was wrong.
        FalseAlarm = "false_alarm",
        /// The text names the cause.
        Cause = "cause",
    }
}

vocabulary! {
    /// Which model learns from a label.
    pub enum Learner: open {
        /// Whether two alerts are one problem.
        PairScorer = "pair scorer",
        /// What is worth a page.
        Paging = "paging",
        /// What caused it.
        Causes = "causes",
        /// Which earlier incidents are alike.
        Recall = "recall",
        /// Which runbooks are proposed.
        Runbooks = "runbooks",
        /// How the copilot answers.
        Copilot = "copilot",
    }
}

vocabulary! {
    /// The worst severity among log lines.
    pub enum LogLevel: open {
        /// The program could not go on.
        Fatal = "fatal",
        /// Something failed.
        Error = "error",
        /// Something may fail.
        Warning = "warning",
        /// For the record.
        Info = "info",
    }
}

vocabulary! {
    /// A section of the configuration.
    pub enum ConfigSection: open {
        /// Services, who owns them and what they depend on.
        Catalog = "catalog",
        /// How alerts are grouped.
        Correlation = "correlation",
        /// The weights of the pair scorer's production version.
        PairScorer = "pair-scorer",
        /// Who is paged, and when.
        Paging = "paging",
        /// What is shown in chat, and who may do what there.
        Chat = "chat",
        /// The configured runbooks.
        Runbooks = "runbooks",
    }
}

vocabulary! {
    /// The vendor whose chat shows cards and takes presses.
    pub enum ChatVendor: open {
        /// Slack, over its Web API and Socket Mode.
        Slack = "slack",
        /// Microsoft Teams.
        Teams = "teams",
    }
}

impl Default for ChatVendor {
    /// None that is known.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

vocabulary! {
    /// What is wrong with an item that a sender sent.
    pub enum ItemFault: open {
        /// It is not what its format says.
        Malformed = "malformed",
        /// It is no JSON object.
        NotAnObject = "not_an_object",
        /// It is larger, deeper or longer than a limit.
        OverLimit = "over_limit",
        /// Its time cannot be read.
        BadTime = "bad_time",
        /// No field gives the alert or metric a name.
        NoName = "no_name",
        /// No field says what changed.
        NoTitle = "no_title",
        /// Not one label came with it.
        NoLabels = "no_labels",
        /// Its labels are no texts with names.
        BadLabels = "bad_labels",
        /// It has no text.
        NoMessage = "no_message",
        /// It tells of no change.
        NoChange = "no_change",
        /// Its samples are not in the order of time.
        OutOfOrder = "out_of_order",
        /// It names more environments than one request may.
        Environments = "environments",
        /// It is one of many that are counted and not listed.
        NotListed = "not_listed",
        /// It is an event of a type or version that is not known here.
        UnknownEvent = "unknown_event",
    }
}
