//! The words that the grammar knows, as a closed list. A word that is not here, and that is no value of an event, is a
//! word that nobody checked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Words that a phrase has at most.
pub(crate) const WORDS_MAX: usize = 4;

/// What a verb says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Fire,
    Raise,
    Receive,
    Clear,
    Resolve,
    Suppress,
    Open,
    Exist,
    Declare,
    Acknowledge,
    Unacknowledge,
    Reopen,
    Merge,
    Split,
    Assign,
    Snooze,
    Set,
    Last,
    Join,
    Recur,
    Deploy,
    Flag,
    Up,
    Down,
    Went,
    Reach,
    Appear,
    Write,
    Page,
    Go,
    Show,
    Say,
    Depend,
    Happen,
    Take,
    Lie,
    Rank,
    Name,
    /// `did`: what the clause before says.
    Did,
}

/// What a noun names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noun {
    Alert,
    Alerts,
    Incident,
    Line,
    Deploy,
    Deploys,
    Change,
    Version,
    Sign,
    Page,
    Severity,
    Score,
    Time,
    Service,
    Services,
    Minute,
    New,
    Cause,
    Config,
    Flag,
}

/// A word before a thing that says what the thing is to the verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prep {
    At,
    On,
    Of,
    By,
    From,
    To,
    Until,
    Into,
    With,
    Instead,
    Since,
    Between,
}

/// What stands between two clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClauseLink {
    Before,
    After,
    And,
    Until,
    /// `led to`, `caused`: the left one is said to be the cause.
    Causes,
    /// `because of`: the right one is.
    CausedBy,
}

/// A word of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Verb(Verb),
    Noun(Noun),
    Prep(Prep),
    ClauseLink(ClauseLink),
    /// A form of *to be*.
    Be,
    /// Says nothing: articles, pronouns, auxiliaries.
    Free,
    /// `it`, `its`: what the clause before was about.
    It,
    DidNot,
    Not,
    Nobody,
    /// `somebody`: whoever it was.
    Somebody,
    /// A verb as it stands behind `did not`, and in an order.
    Base(Verb),
    /// A severity, or the level of a log line.
    Severity(&'static str),
    Up,
    Down,
}

/// The entry of a phrase in lower case.
pub(crate) fn find(words: &[&str]) -> Option<Entry> {
    PHRASES.get(words.join(" ").as_str()).copied()
}

static PHRASES: LazyLock<BTreeMap<&'static str, Entry>> = LazyLock::new(|| {
    let verbs = VERBS.iter().flat_map(|(verb, words)| words.split('|').map(|word| (word, Entry::Verb(*verb))));
    let nouns = NOUNS.iter().flat_map(|(noun, words)| words.split('|').map(|word| (word, Entry::Noun(*noun))));
    let preps = PREPS.iter().flat_map(|(prep, words)| words.split('|').map(|word| (word, Entry::Prep(*prep))));
    let links = LINKS.iter().flat_map(|(link, words)| words.split('|').map(|word| (word, Entry::ClauseLink(*link))));
    let rest = REST.iter().flat_map(|(entry, words)| words.split('|').map(|word| (word, *entry)));
    let bases = BASES.iter().map(|(verb, word)| (*word, Entry::Base(*verb)));
    let levels = LEVELS.iter().map(|word| (*word, Entry::Severity(word)));
    verbs.chain(nouns).chain(preps).chain(links).chain(rest).chain(bases).chain(levels).collect()
});

const VERBS: [(Verb, &str); 39] = [
    (
        Verb::Fire,
        "fired|alarmed|alerted|went off|began to alarm|began alarming|began to fire|began firing|started to alarm|started alarming|started to fire|started firing|was triggered|triggered an alert|rang",
    ),
    (Verb::Raise, "raised"),
    (Verb::Receive, "received|heard|known|learnt of|reported"),
    (Verb::Clear, "cleared|stopped firing|recovered"),
    (Verb::Resolve, "resolved|closed"),
    (Verb::Suppress, "suppressed|silenced|muted"),
    (Verb::Open, "opened"),
    (Verb::Exist, "exists|has existed"),
    (Verb::Declare, "declared"),
    (Verb::Acknowledge, "acknowledged|acked"),
    (Verb::Unacknowledge, "unacknowledged|withdrew the acknowledgement of"),
    (Verb::Reopen, "reopened"),
    (Verb::Merge, "merged"),
    (Verb::Split, "split"),
    (Verb::Assign, "assigned"),
    (Verb::Snooze, "snoozed"),
    (Verb::Set, "set|changed the severity of"),
    (Verb::Last, "lasted"),
    (Verb::Join, "joined|became a member of|became part of|was grouped with|was grouped into|was added to"),
    (Verb::Recur, "is a recurrence of|was a recurrence of"),
    (
        Verb::Deploy,
        "deployed|released|shipped|rolled out|was changed to|was updated to|was upgraded to|went to|was moved to|brought",
    ),
    (Verb::Flag, "recorded"),
    (Verb::Up, "rose|increased|climbed|jumped|grew|went up"),
    (Verb::Down, "fell|decreased|dropped|declined|sank|went down"),
    (Verb::Went, "went|moved|changed"),
    (Verb::Reach, "reach|reached"),
    (Verb::Appear, "appeared|came up|began to appear|started to appear|showed up"),
    (Verb::Write, "wrote|logged|logs|printed|emitted"),
    (Verb::Page, "paged"),
    (Verb::Go, "sent|went out to"),
    (Verb::Show, "showed a sign|showed signs|showed it|was affected|were affected|was hit|were hit"),
    (Verb::Say, "says|said|reads|read|stated|states|reported that"),
    (Verb::Depend, "depends|depend|depended"),
    (Verb::Happen, "happened|came|took place|occurred|started|began"),
    (Verb::Take, "took"),
    (Verb::Lie, "lie|lies|lay|passed"),
    (Verb::Rank, "ranks|ranked"),
    (Verb::Name, "named the cause"),
    (Verb::Did, "did"),
];

const NOUNS: [(Noun, &str); 20] = [
    (Noun::Alert, "alert|alarm"),
    (Noun::Alerts, "alerts|alarms"),
    (Noun::Incident, "incident"),
    (Noun::Line, "line|lines|log line|log lines|log message|log messages|message|messages|log template|template"),
    (Noun::Deploy, "deploy|deployment|release|rollout"),
    (Noun::Deploys, "deploys|deployments|releases|rollouts"),
    (Noun::Change, "change|changes"),
    (Noun::Version, "version"),
    (Noun::Sign, "sign|signs"),
    (Noun::Page, "page"),
    (Noun::Severity, "severity|priority"),
    (Noun::Score, "score"),
    (Noun::Time, "time|times"),
    (Noun::Service, "service"),
    (Noun::Services, "services"),
    (Noun::Minute, "a minute|per minute|minute"),
    (Noun::New, "new|previously unseen"),
    (Noun::Cause, "cause"),
    (Noun::Config, "config|configuration"),
    (Noun::Flag, "flag|feature flag"),
];

const PREPS: [(Prep, &str); 12] = [
    (Prep::At, "at"),
    (Prep::On, "on|in"),
    (Prep::Of, "of|for"),
    (Prep::By, "by"),
    (Prep::From, "from"),
    (Prep::To, "to"),
    (Prep::Until, "until"),
    (Prep::Into, "into"),
    (Prep::With, "with|as"),
    (Prep::Instead, "instead of"),
    (Prep::Since, "since"),
    (Prep::Between, "between"),
];

const LINKS: [(ClauseLink, &str); 6] = [
    (ClauseLink::Before, "before|followed by|ahead of|came before|and then|then"),
    (ClauseLink::After, "after|later than|came after|following"),
    (ClauseLink::And, "and|while|whereas|but|which|who"),
    (ClauseLink::Until, "before it was"),
    (ClauseLink::Causes, "led to|caused|causes|resulted in|triggered|took down|brought down"),
    (
        ClauseLink::CausedBy,
        "because|because of|due to|caused by|as a result of|owing to|was caused by|were caused by|is due to",
    ),
];

const BASES: [(Verb, &str); 10] = [
    (Verb::Fire, "fire"),
    (Verb::Clear, "clear"),
    (Verb::Resolve, "resolve"),
    (Verb::Acknowledge, "acknowledge"),
    (Verb::Reopen, "reopen"),
    (Verb::Join, "join"),
    (Verb::Up, "rise"),
    (Verb::Down, "fall"),
    (Verb::Write, "write"),
    (Verb::Merge, "merge"),
];

const REST: [(Entry, &str); 9] = [
    (Entry::Be, "stands in|is|was|are|were|be|been|being|got"),
    (
        Entry::Free,
        "number of|a|an|the|from opening to end|from opening to resolution|has|had|have|this|that|these|those|there|utc|such|does|do|what|s",
    ),
    (Entry::It, "it|its"),
    (Entry::DidNot, "did not|did never"),
    (Entry::Not, "not|never"),
    (Entry::Nobody, "nobody|no one"),
    (Entry::Somebody, "somebody|someone"),
    (Entry::Up, "upwards"),
    (Entry::Down, "downwards"),
];

/// Severities, and levels of log lines.
const LEVELS: [&str; 9] = ["critical", "high", "medium", "low", "info", "warning", "error", "errors", "fatal"];
