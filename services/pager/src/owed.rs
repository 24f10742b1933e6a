//! What is owed: for one incident and one receiver, whether what it heard still agrees with what is so, and by when it
//! is to be told otherwise. Owns the rules of paging; refuses to know how a message is worded or held.
//!
//! Nothing here looks at an event: a change that is taken back before its time leaves nothing owed, and so is never
//! told.

mod calls;

use hindcast_domain::incident::{Incident, Status};
use hindcast_domain::notice::Reason;
use hindcast_domain::{IncidentId, Severity, Span, Time};

use crate::escalation::EscalatedIncident;
use crate::rules::ReceiverRules;
use crate::state::NoticesState;
use crate::state::firing::{AlertNews, Audibility};
use crate::state::heard::{HeardMessage, HeardOfIncident, KnownOfIncident};
use crate::state::index::UntoldAlert;

/// How old an incident is while other kinds of alerts in it are held to be of the same fault.
const YOUNG: Span = Span::hours(1);
/// News that is compared with what is known, at most; more than that is told at once.
const COMPARED_MAX: usize = 64;
/// Words in a row that were given up and wake nobody; then their receiver is left in peace.
const LOST_QUIET_MAX: usize = 12;
/// What one delivery changes happens at one time; this is after it.
pub(crate) const MOMENT: Span = Span::millis(1);

/// Something that one receiver is to hear, and by when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwedWord {
    /// When it is to be said.
    pub(crate) due: Time,
    /// The difference between what it heard and what is so.
    pub(crate) reason: Reason,
    /// Whether it wakes somebody.
    pub(crate) page: bool,
    /// Whether nothing is to be said, and a hold is to be let go.
    pub(crate) silent: bool,
    /// When it was asked for first, where that was given up.
    pub(crate) lost_since: Option<Time>,
}

impl OwedWord {
    const fn new(due: Time, reason: Reason, page: bool) -> Self {
        Self { due, reason, page, silent: false, lost_since: None }
    }
}

/// One incident and one receiver, as the rules look at them.
struct OwedQuestion<'a> {
    state: &'a NoticesState,
    incident: &'a Incident,
    receiver: &'a ReceiverRules,
    heard: Option<&'a HeardOfIncident>,
    last: Option<&'a HeardMessage>,
}

impl NoticesState {
    /// What a receiver is owed about an incident; nothing while a hold covers it and the incident goes on.
    pub(crate) fn owed(&self, incident: &Incident, receiver: &ReceiverRules) -> Option<OwedWord> {
        let held = self.is_held(&incident.id, &receiver.name);
        let owed = if held && incident.is_live() { None } else { self.owed_past_hold(incident, receiver) };
        match owed {
            // What was held until it was over is let go without a word.
            None if held && !incident.is_live() => {
                let due = (self.turned(&incident.id) + self.settle()).max(self.not_before(&incident.id));
                Some(OwedWord { silent: true, ..OwedWord::new(due, Reason::Resolved, false) })
            }
            other => other,
        }
    }

    /// The same as if no hold were there.
    pub(crate) fn owed_past_hold(&self, incident: &Incident, receiver: &ReceiverRules) -> Option<OwedWord> {
        let heard = self.heard.of(&incident.id, &receiver.name);
        let lost = |notice: &_| self.is_lost(notice);
        let last = heard.and_then(|heard| heard.last(&lost));
        let owed = OwedQuestion { state: self, incident, receiver, heard, last }.owed()?;
        Some(OwedWord { due: owed.due.max(self.not_before(&incident.id)), ..owed })
    }

    /// Whether an alert would page a receiver that knows what its pages said.
    pub(crate) fn is_new_to(&self, incident: &Incident, receiver: &ReceiverRules, news: &AlertNews) -> bool {
        let heard = self.heard.of(&incident.id, &receiver.name);
        let question = OwedQuestion { state: self, incident, receiver, heard, last: None };
        question.new_to(&question.known(), news).is_some()
    }

    /// Nothing is said of an incident as of before what is known of it, nor in the midst of one delivery, and no two
    /// words at one moment.
    fn not_before(&self, id: &IncidentId) -> Time {
        let touched = self.seen.touched.get(id).map(|at| *at + MOMENT);
        let said = self.heard.of_all(id).filter_map(|(_, heard)| Some(heard.messages.back()?.at + MOMENT)).max();
        // What was given up is owed again from then on.
        let heard = self.heard.of_all(id).flat_map(|(_, heard)| &heard.messages);
        let lost = heard.filter_map(|message| self.seen.expired.get(&message.notice).copied()).max();
        let known = [touched, said, lost, self.let_go.get(id).copied(), Some(self.seen.configured_at)];
        known.into_iter().flatten().max().unwrap_or(Time::ZERO)
    }

    const fn settle(&self) -> Span {
        Span::seconds(self.seen.rules.settle_s)
    }
}

impl OwedQuestion<'_> {
    fn owed(&self) -> Option<OwedWord> {
        if !self.incident.is_live() {
            return self.of_end();
        }
        match self.last {
            None => self.first(),
            Some(last) if last.status == Some(Status::Resolved) => self.back(last),
            Some(last) => self.more(last),
        }
        .and_then(|owed| self.after_losses(owed))
    }

    /// A word that was given up is said again: as a page for as long as it is needed, else a few times.
    fn after_losses(&self, owed: OwedWord) -> Option<OwedWord> {
        let lost = |notice: &_| self.state.is_lost(notice);
        let messages: Vec<&HeardMessage> = self.heard.into_iter().flat_map(|heard| heard.lost(&lost)).collect();
        let Some(oldest) = messages.last() else { return Some(owed) };
        let quiet = messages.iter().filter(|message| !message.page).count();
        if !owed.page && quiet >= LOST_QUIET_MAX {
            return None;
        }
        // Refused, and not merely late: it is tried again when its time is up, and not in a circle.
        let given_up = |message: &&HeardMessage| {
            let at = self.state.seen.expired.get(&message.notice).copied().unwrap_or(message.at);
            at.max(message.expires_at)
        };
        let not_before = messages.iter().map(given_up).max().unwrap_or(owed.due);
        let reason = if owed.page && oldest.page { Reason::Retried } else { owed.reason };
        Some(OwedWord { due: owed.due.max(not_before), reason, lost_since: Some(oldest.at), ..owed })
    }

    fn settled(&self, at: Time) -> Time {
        at + self.state.settle()
    }

    fn turned(&self) -> Time {
        self.state.turned(&self.incident.id)
    }

    fn is_open(&self) -> bool {
        self.incident.status == Status::Open
    }

    fn wants(&self, severity: Severity, page: bool) -> bool {
        self.state.seen.rules.wants(&self.receiver.name, severity, page)
    }

    fn known(&self) -> KnownOfIncident {
        let mut known = self.state.known(&self.incident.id, &self.receiver.name);
        if self.incident.status == Status::Acknowledged
            && let Some(saw) = self.state.seen.acknowledged.get(&self.incident.id)
        {
            known.add(saw);
        }
        known
    }

    /// Since when so many entities and services fail that it pages at any severity.
    fn wide_since(&self) -> Option<Time> {
        self.state.seen.wide_since.get(&self.incident.id).copied()
    }

    /// How bad it is for whoever is to be told.
    fn loudness(&self) -> Severity {
        let severity = self.state.severity(self.incident);
        if self.wide_since().is_some() { severity.max(Severity::High) } else { severity }
    }

    // ── by name ────────────────────────────────────────────────────────────────────────────────────────

    /// What the receiver is to be told of by name, oldest first.
    fn untold(&self) -> impl Iterator<Item = (UntoldAlert, &AlertNews)> {
        let (index, receiver) = (&self.state.index, &self.receiver.name);
        let untold = index.untold(&self.incident.id, receiver).into_iter().flatten();
        let news = &self.state.seen.firing.alerts;
        untold
            .filter_map(move |(_, fingerprint)| Some((index.untold_of(fingerprint, receiver)?, news.get(fingerprint)?)))
    }

    /// How bad the worst of what is untold was.
    fn worst_untold(&self) -> Option<Severity> {
        self.untold().take(COMPARED_MAX).map(|(untold, _)| untold.peak.max(Severity::High)).max()
    }

    /// When the first news is due of which a page is owed, with the reason for it, and since when there is some of
    /// which none is.
    fn news(&self) -> (Option<(Time, Reason)>, Option<Time>) {
        let known = self.known();
        let (mut novel, mut more, mut many) = (None, None, 0);
        for (UntoldAlert { since, .. }, news) in self.untold() {
            many += 1;
            if many > COMPARED_MAX {
                break;
            }
            match self.new_to(&known, news) {
                Some(reason) if novel.is_none() => novel = Some((self.settled_news(since, news), reason)),
                // What became worse is the best reason of all.
                Some(Reason::Worse) => novel = novel.map(|(since, _)| (since, Reason::Worse)),
                Some(_) => {}
                None if more.is_none() => more = Some(since),
                None => {}
            }
        }
        (novel, more)
    }

    /// When news is settled: an alert that comes and goes is waited for, but not for long.
    fn settled_news(&self, since: Time, news: &AlertNews) -> Time {
        let within = Span::seconds(self.state.seen.rules.more_within_s);
        self.settled(news.stretch.since).min(since + within).max(self.settled(since))
    }

    /// In what an alert is new to whoever knows that much of its incident.
    fn new_to(&self, known: &KnownOfIncident, news: &AlertNews) -> Option<Reason> {
        if news.audibility != Audibility::Loud || !news.severity.pages() {
            return None;
        }
        if known.severity.is_none_or(|severity| news.severity > severity) {
            return Some(Reason::Worse);
        }
        // Where nobody cares yet the page stands; what is new to somebody who does must reach them.
        let cares = self.incident.status == Status::Acknowledged;
        if cares && !self.incident.teams.is_subset(&known.teams) {
            return Some(Reason::NewTeam);
        }
        if cares && news.service.as_ref().is_some_and(|service| !known.services.contains(service)) {
            return Some(Reason::NewService);
        }
        let is_told = !cares && (self.was_paged_shortly_before(news.stretch.since) || self.was_named(&news.name));
        let new_kind = !known.kinds.contains(&news.name) && !is_told;
        (new_kind || cares && !known.entities.contains(&news.entity)).then_some(Reason::NewAlert)
    }

    /// Whether the receiver was paged for the young incident a short while before: a fault sets off one rule after the
    /// other, and nobody is woken for each. What joins an old one is another matter.
    fn was_paged_shortly_before(&self, at: Time) -> bool {
        if at.since(self.incident.started_at) > YOUNG {
            return false;
        }
        let lost = |notice: &_| self.state.is_lost(notice);
        let page = self.heard.and_then(|heard| heard.last_page(&lost)).map(|page| page.at);
        let quiet = Span::seconds(self.state.seen.rules.kind_quiet_s);
        page.is_some_and(|page| at.since(page) <= quiet)
    }

    /// Whether a message named alerts of a kind, be it a notice; whoever acknowledged counts on pages alone.
    fn was_named(&self, kind: &str) -> bool {
        let lost = |notice: &_| self.state.is_lost(notice);
        self.heard.is_some_and(|heard| heard.names(kind, &lost))
    }

    // ── the life of what a receiver heard ──────────────────────────────────────────────────────────────

    /// The receiver heard nothing of it yet.
    fn first(&self) -> Option<OwedWord> {
        let untold = self.untold().next().map(|(untold, _)| untold.since);
        let severity = self.worst_untold().map_or(self.loudness(), |alerts| alerts.max(self.loudness()));
        let turn = self.state.seen.turned.get(&self.incident.id)?;
        if untold.is_none() && self.is_of_before(turn.position) {
            return None;
        }
        let known = self.known();
        let (novel, _) = self.news();
        let page = severity.pages()
            && match (self.incident.status, known.severity) {
                (Status::Acknowledged, _) => novel.is_some() || self.called().is_some(),
                // People were paged for what became a part of it.
                (_, Some(paged)) => novel.is_some() || severity > paged,
                (_, None) => true,
            };
        if !self.wants(severity, page) {
            return None;
        }
        let raised = self.call(Reason::Worse).map(|call| call.at);
        let since = untold.or(raised).unwrap_or(turn.at).max(turn.at);
        let any_lost = self.heard.is_some_and(|heard| !heard.messages.is_empty());
        // A quiet word about what only began is not said again.
        if any_lost && !page && untold.is_none() {
            return None;
        }
        let wide = self.wide_since().is_some() && !self.state.severity(self.incident).pages();
        let reason = match (self.incident.reopened > 0 && turn.at > self.incident.opened_at, wide) {
            (_, true) => Reason::Breadth,
            (true, _) => Reason::Reopened,
            (false, _) => Reason::Opened,
        };
        let step = self.step(since)?;
        // Whoever is told later is told of what nobody cares for.
        if step > Span::seconds(0) && !self.is_open() {
            return None;
        }
        let due = since + step.max(Span::seconds(self.state.seen.rules.first_after_s));
        let waits = if page || severity.pages() { None } else { self.receiver.quiet_until(due) };
        Some(OwedWord::new(waits.unwrap_or(due), reason, page))
    }

    /// How long after `since` the receiver is told of it first.
    fn step(&self, since: Time) -> Option<Span> {
        let seen = &self.state.seen;
        let of = EscalatedIncident { incident: self.incident, severity: self.loudness(), since };
        seen.rules.told_after(&self.receiver.name, &seen.on_call, &of)
    }

    /// Whether the receiver heard of it, or was to hear of what began at `since` before it was over.
    fn is_reached(&self, since: Time) -> bool {
        let any_heard = self.heard.is_some_and(|heard| !heard.messages.is_empty());
        any_heard || self.step(since).is_some_and(|step| since + step <= self.turned())
    }

    /// Whether it was so before the receiver was one, and somebody was told.
    fn is_of_before(&self, position: u64) -> bool {
        let since = self.state.seen.receiver_since.get(&self.receiver.name).copied().unwrap_or(0);
        position <= since && self.state.heard.of_all(&self.incident.id).next().is_some()
    }

    /// The receiver heard that it is over, and it is not.
    fn back(&self, _: &HeardMessage) -> Option<OwedWord> {
        let severity = self.loudness();
        let lost = |notice: &_| self.state.is_lost(notice);
        let paged = self.heard.and_then(|heard| heard.last_page(&lost)).map(|page| page.at);
        let lately = Span::seconds(self.state.seen.rules.return_quiet_s);
        let long_ago = paged.is_none_or(|at| self.turned().since(at) > lately);
        let (novel, _) = self.news();
        // What is new pages as it does while the incident goes on, whatever severity a person set before it came.
        let page = novel.is_some() || severity.pages() && self.is_open() && long_ago;
        Some(OwedWord::new(self.settled(self.turned()), Reason::Reopened, page))
    }

    /// The receiver knows that it goes on.
    fn more(&self, last: &HeardMessage) -> Option<OwedWord> {
        let (novel, more) = self.news();
        let by_name = novel.map(|(due, reason)| OwedWord::new(due, reason, true));
        let cared_for = self.cared_for(last).filter(|owed| owed.page);
        let pages = [by_name, self.called(), cared_for, self.returned(), self.wide(), self.reminder()];
        // A page takes everything else with it.
        if let Some(page) = pages.into_iter().flatten().min_by_key(|owed| owed.due) {
            let reason = by_name.map_or(page.reason, |owed| owed.reason);
            return Some(OwedWord { reason, ..page });
        }
        let within = Span::seconds(self.state.seen.rules.more_within_s);
        let heard = self.worst_untold().is_some_and(|severity| self.wants(severity, false));
        let many = self.untold().nth(COMPARED_MAX).is_some();
        let more = more.filter(|_| heard).map(|since| if many { self.settled(since) } else { since + within });
        let more = more.map(|due| OwedWord::new(due, Reason::NewAlert, false));
        [more, self.cared_for(last)].into_iter().flatten().min_by_key(|owed| owed.due)
    }

    /// Somebody acknowledged it, or does not care any more.
    fn cared_for(&self, last: &HeardMessage) -> Option<OwedWord> {
        let turn = self.state.seen.turned.get(&self.incident.id).map_or(0, |turn| turn.position);
        let knows = last.status.map_or(turn <= last.through, |status| status == self.incident.status);
        if knows || last.unnamed || self.receiver.pages_only {
            return None;
        }
        let reason = if self.is_open() { Reason::Unacknowledged } else { Reason::Acknowledged };
        // Where nobody cares any more somebody is to.
        let page = self.is_open() && self.loudness().pages() && self.wants(self.loudness(), true);
        Some(OwedWord::new(self.settled(self.turned()), reason, page))
    }

    /// It is over: whoever was told that it goes on is told, and who fired meanwhile is named.
    fn of_end(&self) -> Option<OwedWord> {
        let merged = self.incident.merged_into.is_some();
        let reason = if merged { Reason::Merged } else { Reason::Resolved };
        let knows = self.last.is_some_and(|last| last.status != Some(Status::Resolved) && !last.unnamed);
        let tells = self.state.seen.rules.tell_resolved && !self.receiver.pages_only;
        let end = (knows && tells).then(|| self.settled(self.turned()));
        // A hold with an end covered what ended under it.
        let let_go = self.state.let_go.get(&self.incident.id).copied().unwrap_or(Time::ZERO);
        let held = self.state.is_held(&self.incident.id, &self.receiver.name);
        let is_owed = |(_, news): &(UntoldAlert, &AlertNews)| {
            let uncovered = !held && news.ended.is_none_or(|ended| ended > let_go);
            news.audibility == Audibility::Loud || knows || uncovered
        };
        let reached = |(untold, _): &(UntoldAlert, &AlertNews)| self.is_reached(untold.since);
        let owed = self.untold().filter(is_owed).filter(reached);
        let untold: Vec<(UntoldAlert, &AlertNews)> = owed.take(COMPARED_MAX).collect();
        let severity = untold.iter().map(|(of_it, _)| of_it.peak.max(Severity::High)).max();
        let heard = severity.is_some_and(|severity| self.wants(severity, false));
        let untold = untold.first().filter(|_| heard).map(|(of_it, _)| self.settled(of_it.since.max(self.turned())));
        // One word says both, and not before its end is settled.
        let due = end.or(untold)?;
        self.after_losses(OwedWord::new(due, reason, false))
    }
}
