//! What the pager decides on: notices, what each receiver heard, how much each receiver had lately; and, as seen of the
//! incident lanes and of delivery, their books and what was given up. What is owed to whom follows from both, and is
//! kept as they change.

pub(crate) mod firing;
pub(crate) mod heard;
pub(crate) mod index;
pub(crate) mod observed;
pub(crate) mod silenced;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hindcast_domain::book::Book;
use hindcast_domain::incident::Incident;
use hindcast_domain::lane::Timer;
use hindcast_domain::notice::{Notice, Notices};
use hindcast_domain::{IncidentId, NoticeId, Partition, SilenceId, Span, Time};
use serde::{Deserialize, Serialize};

use self::heard::{HeardWords, ToldOf};
use self::index::OwedIndex;
pub use self::observed::ObservedState;

/// The longest window of a budget.
pub const WINDOW_MAX: Span = Span::hours(24);

/// The state of the notices lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoticesState {
    /// Requests of the last month, and what is held now.
    pub notices: Notices,
    /// What each receiver heard.
    pub(crate) heard: HeardWords,
    /// When each receiver was paged lately, oldest first.
    pub paged: BTreeMap<String, VecDeque<Time>>,
    /// Receivers in a storm: until when.
    pub storms: BTreeMap<String, Time>,
    /// Pages about no single incident by their notice, for as long as their expiry is understood.
    pub(crate) pages: BTreeMap<NoticeId, OpenPage>,
    /// Requests, oldest first.
    pub(crate) requests: VecDeque<ToldOf>,
    /// Holds by when they end.
    pub(crate) holds: BTreeSet<(Time, NoticeId)>,
    /// When a hold of each incident's messages ended last.
    pub(crate) let_go: BTreeMap<IncidentId, Time>,
    /// Holds by their incident.
    pub(crate) held: BTreeMap<IncidentId, BTreeSet<NoticeId>>,
    /// Silences of whose end people were warned, with that end.
    #[serde(default)]
    pub(crate) warned: BTreeMap<SilenceId, Time>,
    /// What was seen of other lanes and of delivery.
    pub seen: ObservedState,
    /// What is owed. Follows from the above.
    pub(crate) index: OwedIndex,
}

/// What is kept of a page until its expiry is of no interest any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenPage {
    /// When it was asked for first, through all that were given up.
    pub since: Time,
    /// Its words, where they do not follow from an incident.
    pub lines: Vec<String>,
    /// Whether it tells of no incident that is told of again by itself.
    pub is_general: bool,
}

impl NoticesState {
    /// The book of a partition.
    #[must_use]
    pub fn book(&self, partition: &Partition) -> Option<&Book> {
        self.seen.books.get(&partition.to_string())
    }

    /// The book that an incident stands in.
    #[must_use]
    pub fn book_of(&self, id: &IncidentId) -> Option<&Book> {
        self.seen.books.values().find(|book| book.incidents.contains_key(id))
    }

    /// An incident of any partition.
    #[must_use]
    pub fn any_incident(&self, id: &IncidentId) -> Option<&Incident> {
        self.seen.books.values().find_map(|book| book.incidents.get(id))
    }

    /// Whether a request reached nobody: it was given up.
    pub(crate) fn is_lost(&self, notice: &NoticeId) -> bool {
        self.seen.expired.contains_key(notice)
    }

    /// What is kept of a page about no single incident.
    #[must_use]
    pub fn page(&self, notice: &NoticeId) -> Option<&OpenPage> {
        self.pages.get(notice)
    }

    /// What is held now, by when it ends.
    pub fn held(&self) -> impl Iterator<Item = &Notice> {
        self.holds.iter().filter_map(|(_, id)| self.notices.0.get(id))
    }

    /// Holds that concern an incident.
    pub fn holds_of<'a>(&'a self, incident: &IncidentId) -> impl Iterator<Item = &'a Notice> {
        self.held.get(incident).into_iter().flatten().filter_map(|id| self.notices.0.get(id))
    }

    /// Whether messages about an incident to a receiver are held.
    pub(crate) fn is_held(&self, incident: &IncidentId, receiver: &str) -> bool {
        self.holds_of(incident).any(|held| held.receiver.as_deref().is_none_or(|of| of == receiver))
    }

    /// What is due next: a hold that ends, or a word that is owed. Words about one incident at one moment are told
    /// apart by what was read until then.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timer> {
        let hold = self.holds.first().map(|(due, id)| Timer { due: *due, id: format!("hold/{id}") });
        let word = self.index.first().map(|(due, id)| Timer { due, id: format!("tell/{id}/{}", self.seen.position) });
        let warning = self.next_warning().map(|(due, silence)| Timer { due, id: format!("warn/{silence}") });
        hold.into_iter().chain(word).chain(warning).min()
    }
}
