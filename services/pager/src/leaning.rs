//! Words that wake nobody and lean on a page: they were quiet because that page had named the kind, severity or entity.
//! Where the page is given up afterwards they told nobody enough, and what they named is owed again.

use hindcast_domain::incident::Incident;
use hindcast_domain::{IncidentId, NoticeId, Time};

use crate::rules::ReceiverRules;
use crate::state::NoticesState;
use crate::state::firing::AlertNews;
use crate::state::heard::HeardMessage;

impl NoticesState {
    /// The quiet messages about an incident that a receiver got between a page and its loss, where an alert is news
    /// without that page.
    pub(crate) fn leaning(&self, id: &IncidentId, receiver: &ReceiverRules, news: &AlertNews) -> Vec<NoticeId> {
        let Some(heard) = self.heard.of(id, &receiver.name) else { return Vec::new() };
        let lost = self.lost_pages(id, &receiver.name);
        if lost.is_empty() {
            return Vec::new();
        }
        let leans = |message: &&HeardMessage| {
            !message.page && lost.iter().any(|(asked, lost)| *asked <= message.at && message.at < *lost)
        };
        let quiet: Vec<NoticeId> = heard.messages.iter().filter(leans).map(|message| message.notice.clone()).collect();
        let is_news = |incident: &Incident| self.is_new_to(incident, receiver, news);
        if quiet.is_empty() || !self.any_incident(id).is_some_and(is_news) { Vec::new() } else { quiet }
    }

    /// When each page about an incident, or about one that became a part of it, was asked for, and when it was given up.
    fn lost_pages(&self, id: &IncidentId, receiver: &str) -> Vec<(Time, Time)> {
        if self.seen.expired.is_empty() {
            return Vec::new();
        }
        let lineage = self.lineage(id);
        let heard = lineage.iter().filter_map(|id| self.heard.of(id, receiver)).flat_map(|heard| &heard.messages);
        heard
            .filter(|message| message.page)
            .filter_map(|message| Some((message.at, *self.seen.expired.get(&message.notice)?)))
            .collect()
    }
}
