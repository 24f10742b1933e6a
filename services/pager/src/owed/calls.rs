//! What asks for a page although no alert is new: a snooze or hold that ended, an incident that became worse or came back
//! and stays, breadth, and a reminder. Owns when each is due; which one is sent is the parent's.

use hindcast_domain::notice::Reason;
use hindcast_domain::{Severity, Span};

use super::{OwedQuestion, OwedWord};
use crate::state::observed::NoticeCall;

impl OwedQuestion<'_> {
    pub(super) fn call(&self, reason: Reason) -> Option<NoticeCall> {
        self.state.seen.calls.get(&self.incident.id)?.get(&reason).copied()
    }

    /// Something asks for a page although no alert is new.
    pub(super) fn called(&self) -> Option<OwedWord> {
        let lost = |notice: &_| self.state.is_lost(notice);
        let page = self.heard.and_then(|heard| heard.last_page(&lost));
        let severity = self.state.severity(self.incident);
        if !severity.pages() || !self.wants(severity, true) {
            return None;
        }
        // A hold that ended at the same moment paged already.
        let fresh = |reason: Reason| {
            self.call(reason).filter(|call| page.is_none_or(|page| call.position > page.through && call.at > page.at))
        };
        let worse = fresh(Reason::Worse).filter(|_| self.known().severity.is_none_or(|known| severity > known));
        let open = |reason: Reason| fresh(reason).filter(|_| self.is_open());
        let soon = Span::seconds(self.state.seen.rules.first_after_s);
        let awake = open(Reason::StillThere).map(|call| OwedWord::new(call.at + soon, Reason::StillThere, true));
        let turn = self.state.seen.turned.get(&self.incident.id).map(|turn| turn.position);
        let left = open(Reason::Unacknowledged).filter(|call| Some(call.position) == turn);
        let left = left.map(|call| OwedWord::new(self.settled(call.at), Reason::Unacknowledged, true));
        let worse = worse.map(|call| OwedWord::new(self.settled(call.at), Reason::Worse, true));
        [awake, left, worse].into_iter().flatten().min_by_key(|owed| owed.due)
    }

    /// It came back, people were told without a page, and it stays.
    pub(super) fn returned(&self) -> Option<OwedWord> {
        let lost = |notice: &_| self.state.is_lost(notice);
        let mut since_page = self.heard?.messages.iter().rev().filter(|message| !lost(&message.notice));
        let told = since_page.find(|message| message.page || message.reason == Reason::Reopened)?;
        let fires = self.state.seen.loud_since.get(&self.incident.id).copied()?;
        if told.page || !self.is_open() || !self.wants(self.loudness(), true) {
            return None;
        }
        let stays = Span::seconds(self.state.seen.rules.return_page_after_s);
        Some(OwedWord::new((told.at + stays).max(self.settled(fires)), Reason::Reopened, true))
    }

    /// It is wide, and paged nobody.
    pub(super) fn wide(&self) -> Option<OwedWord> {
        let lost = |notice: &_| self.state.is_lost(notice);
        let paged = self.heard.is_some_and(|heard| heard.last_page(&lost).is_some());
        let since = self.wide_since().filter(|_| !paged && self.is_open())?;
        self.wants(Severity::High, true).then(|| OwedWord::new(self.settled(since), Reason::Breadth, true))
    }

    /// Nobody acknowledged it since the last page.
    pub(super) fn reminder(&self) -> Option<OwedWord> {
        let rules = &self.state.seen.rules;
        let every = Span::seconds(rules.remind_after_s);
        if every <= Span::seconds(0)
            || !self.is_open()
            || !self.loudness().pages()
            || !self.wants(self.loudness(), true)
        {
            return None;
        }
        let lost = |notice: &_| self.state.is_lost(notice);
        let page = self.heard?.last_page(&lost)?;
        let pages = self.heard?.messages.iter().rev().filter(|message| message.page);
        let reminders = pages.take_while(|message| message.reason == Reason::Reminder).count();
        let goes_on = reminders < usize::try_from(rules.remind_max).unwrap_or(usize::MAX);
        goes_on.then(|| OwedWord::new(page.at + every, Reason::Reminder, true))
    }
}
