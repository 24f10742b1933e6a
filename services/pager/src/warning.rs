//! A warning before a silence ends over something that still fires. Owns who is told and the words. It wakes nobody, and
//! names nothing in the sense of the paging contract: what fires still when the silence ends is told then.

use hindcast_domain::alert::Alert;
use hindcast_domain::event::{Draft, Event};
use hindcast_domain::notice::{Reason, Requested};
use hindcast_domain::silence::Silence;
use hindcast_domain::{Severity, SilenceId, Span, Time};

use crate::question::NoticeQuestion;
use crate::rules::ReceiverRules;
use crate::state::NoticesState;

/// Alerts that a warning spells out.
const SPELLED_MAX: usize = 10;

impl NoticesState {
    /// The next silence of whose end people are to be told, and when.
    pub(crate) fn next_warning(&self) -> Option<(Time, SilenceId)> {
        let before = Span::seconds(self.seen.rules.warn_before_silence_end_s);
        if before <= Span::seconds(0) {
            return None;
        }
        let ending = self.seen.silenced.ending(before);
        let untold = ending.filter(|(_, silence)| self.warned.get(&silence.id) != Some(&silence.terms.ends_at));
        let heard = untold.filter(|(_, silence)| !self.warns(silence).is_empty());
        heard.map(|(due, silence)| (due.max(self.seen.configured_at), silence.id.clone())).min()
    }

    /// Whom a warning is for.
    fn warns(&self, silence: &Silence) -> Vec<ReceiverRules> {
        let worst = self.silenced_alerts(silence).map(|alert| alert.severity).max();
        worst.map(|worst| self.seen.rules.wanting(worst, false)).unwrap_or_default()
    }

    fn silenced_alerts(&self, silence: &Silence) -> impl Iterator<Item = &Alert> {
        let held = self.seen.silenced.of(&silence.id);
        held.filter_map(|id| self.seen.books.values().find_map(|book| book.alerts.get(id)))
    }
}

impl NoticeQuestion<'_> {
    /// Tells people that a silence is about to end.
    pub(crate) fn warn(&self, id: &SilenceId) -> Vec<Draft> {
        let Some(silence) = self.state.seen.silenced.silences.0.get(id) else { return Vec::new() };
        let mut alerts: Vec<&Alert> = self.state.silenced_alerts(silence).collect();
        alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), &alert.name, &alert.fingerprint));
        let severity = alerts.first().map_or(Severity::Low, |alert| alert.severity);
        let terms = &silence.terms;
        let many = if alerts.len() == 1 {
            "1 alert still fires".to_owned()
        } else {
            format!("{} alerts still fire", alerts.len())
        };
        let end = Time::from_millis(terms.ends_at.millis().div_euclid(1_000) * 1_000);
        let mut lines: Vec<String> = alerts.iter().take(SPELLED_MAX).map(|alert| spelt(alert)).collect();
        if alerts.len() > SPELLED_MAX {
            lines.push(format!("… and {} more", alerts.len() - SPELLED_MAX));
        }
        lines.push(format!("silenced by {}: {}", terms.created_by, terms.comment));
        let asked = |receiver: &ReceiverRules| Requested {
            incident: None,
            receiver: receiver.name.clone(),
            reason: Reason::SilenceEnds,
            page: false,
            severity,
            title: format!("Silence {id} of {} ends at {end}, and {many}", terms.created_by),
            lines: lines.clone(),
            services: Vec::new(),
            teams: Vec::new(),
            holds_until: None,
            expires_at: self.expires_at(),
            delayed_by: None,
            status: None,
            alerts: Vec::new(),
            incidents: Vec::new(),
            through: Some(self.state.seen.position),
            silence: Some(id.clone()),
        };
        let draft =
            |receiver: &ReceiverRules| self.draft(&receiver.name, id.as_str(), Event::NoticeRequested(asked(receiver)));
        self.state.warns(silence).iter().map(draft).collect()
    }
}

fn spelt(alert: &Alert) -> String {
    let entity = alert.about.as_ref().and_then(|about| about.entity.as_ref()).map(ToString::to_string);
    let place = entity.or_else(|| alert.service.clone()).map(|place| format!(" on {place}")).unwrap_or_default();
    format!("{}{place} ({}) since {}", alert.name, alert.severity, alert.occurrence().starts_at)
}
