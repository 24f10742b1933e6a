//! What chat is made of: ports, vendors, and the secrets of their doors.

use std::sync::Arc;

use hindcast_clock as clock;
use hindcast_domain::Secret;
use hindcast_facts::FactsWriter;
use hindcast_intake::CommandWriter;
use hindcast_ledger::Shared;
use hindcast_messaging::chat as port;
use hindcast_metrics::MetricRegistry;

use crate::replies::ReplyAddresses;
use crate::status::Handle;
use crate::taken::TakenDeliveries;

/// Slack's doors.
#[derive(Clone, Debug)]
pub struct SlackDoors {
    /// The signing secrets in force: several while one is exchanged.
    pub signing_secrets: Vec<Secret>,
}

/// The HTTP endpoints that Teams calls.
#[derive(Clone, Default)]
pub struct TeamsDoors {
    /// Says whether a bot's delivery is the vendor's own; without it `/teams/messages` is not configured.
    pub authority: Option<Arc<dyn port::Authority>>,
    /// The security token of an outgoing webhook; without it `/teams/outgoing` is not configured.
    pub outgoing_secret: Option<Secret>,
    /// The directory whose people are served; all where absent.
    pub tenant: Option<String>,
}

impl core::fmt::Debug for TeamsDoors {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TeamsDoors").field("authority", &self.authority.is_some()).finish_non_exhaustive()
    }
}

/// Where a guarantee may be broken on purpose, so that its test can be seen to turn red.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailPoint {
    /// Nowhere.
    #[default]
    None,
    /// After an attempt whose outcome is unknown, the vendor is not asked before it is tried again.
    SkipFind,
}

/// What chat is made of. Cheap to clone; all clones share their state.
#[derive(Clone)]
pub struct Options {
    /// The ledger that requests, deliveries and messages are read from and appended to.
    pub ledger: Shared,
    /// Writes facts.
    pub writer: FactsWriter,
    /// Appends the commands of people who press or type in chat.
    pub commands: CommandWriter,
    /// The source of time, stepped in tests.
    pub clock: clock::Shared,
    /// This installation's id, which lies outside ledger and backup.
    pub install: String,
    /// Who holds the lease of delivery on behalf of this process; the same after a restart.
    pub holder: String,
    /// Answers every query, as of a position.
    pub queries: hindcast_queries::Snapshots,
    /// What is concluded.
    pub advice: hindcast_advice::Shared,
    /// Answers questions.
    pub copilot: hindcast_advice::SharedCopilot,
    /// Vendors that are set up.
    pub vendors: Vec<port::Shared>,
    /// Slack's doors; `None` where they are not set up.
    pub slack: Option<SlackDoors>,
    /// Teams' doors.
    pub teams: TeamsDoors,
    /// What the URL of an incident's page begins with, such as `http://localhost:8080/incidents`.
    pub public_url: String,
    /// Figures.
    pub metrics: MetricRegistry,
    /// How chat is, for whoever asks.
    pub handle: Handle,
    /// Doors that vendors opened for answers, in memory alone.
    pub replies: ReplyAddresses,
    /// What was taken in lately, so that a delivery that comes again is known.
    pub taken: TakenDeliveries,
    /// Where a guarantee is broken on purpose.
    pub fail: FailPoint,
}

impl Options {
    pub(crate) fn vendor(&self, word: &str) -> Option<&port::Shared> {
        self.vendors.iter().find(|vendor| vendor.vendor() == word)
    }
}
