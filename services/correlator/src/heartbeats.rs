//! When a sender is dead: its silence becomes an alert of its own, and ends when the sender is heard again. Owns what
//! is decided about it; how a rhythm is known is [`hindcast_domain::rhythm`].

use hindcast_correlation::traits::Newcomer;
use hindcast_domain::alert::{Fired, Labels, Resolved};
use hindcast_domain::event::{Draft, Event, Recorded};
use hindcast_domain::incident::Grouping;
use hindcast_domain::rhythm::{OWN_SOURCE, Rhythm, RhythmKey, SENDER_SILENT};
use hindcast_domain::words::GroupingRule;
use hindcast_domain::{Partition, Span, Time};

use crate::grouping;
use crate::provisional::provisional;
use crate::state::CorrelatorState;

/// How long the alert may stand; a sender that is silent for a year is gone.
const KEPT: Span = Span::hours(365 * 24);

/// A sender that owes a repeat is silent for too long.
pub(crate) fn silent(state: &CorrelatorState, lane: &Partition, key: &RhythmKey, now: Time) -> Vec<Draft> {
    let Some((rhythm, interval)) = state.seen.rhythms.get(key).and_then(|rhythm| Some((rhythm, rhythm.interval()?)))
    else {
        return Vec::new();
    };
    let fingerprint = key.alert(lane);
    let known = state.book.alerts.get(&fingerprint);
    let fired = Fired {
        observed: rhythm.heard_in.clone(),
        occurrence: known.map_or(0, |alert| alert.fired) + 1,
        source_fingerprint: None,
        source: OWN_SOURCE.to_owned(),
        replica_of: None,
        sender_ahead: None,
        name: SENDER_SILENT.to_owned(),
        service: None,
        about: None,
        severity: state.seen.rules.heartbeats.severity,
        labels: key.labels(),
        annotations: words(key, rhythm, interval),
        starts_at: rhythm.heard_at,
        starts_at_sent: None,
        stale_at: now + KEPT,
        url: None,
    };
    let firing = Newcomer {
        fingerprint: &fingerprint,
        source: &fired.source,
        name: &fired.name,
        service: None,
        about: None,
        severity: fired.severity,
        labels: &fired.labels,
        annotations: &fired.annotations,
        starts_at: fired.starts_at,
    };
    let follow_up = match grouping::silence_over(state, lane, &firing, |silence| silence.terms.ends_at > now) {
        Some(silence) => vec![grouping::suppress(&fingerprint, silence)],
        None => {
            // It is a problem of its own: nothing of what its sender said before it fell silent is a sign of it.
            let grouping = Grouping {
                rule: GroupingRule::First,
                weights: 0,
                score: 0,
                threshold: state.seen.weights().threshold,
                parts: std::collections::BTreeMap::new(),
                like: None,
                considered: Vec::new(),
            };
            grouping::back_or_alone(state, &firing, grouping, &rhythm.heard_in, now)
        }
    };
    let mut drafts = vec![Draft::system(&fingerprint, Event::AlertFired(fired.clone()))];
    drafts.extend(follow_up);
    drafts
}

fn words(key: &RhythmKey, rhythm: &Rhythm, interval: Span) -> Labels {
    let source = &key.source;
    let (what, advice) = match (&key.watchdog, &rhythm.alert) {
        (Some(_), name) => {
            let name = name.as_deref().unwrap_or("watchdog");
            (format!("{name} of {source}"), format!("Whatever evaluates {name} sends to {source} no more."))
        }
        (None, _) => (format!("Sender {source}"), format!("Look whether {source} runs and reaches Hindcast.")),
    };
    let every = brief(interval);
    let open = rhythm.firing();
    // To the second, for people.
    let last = Time::from_millis(rhythm.heard_at.millis().div_euclid(1_000) * 1_000);
    Labels::from([
        ("summary".to_owned(), format!("{what} is silent: nothing since {last}, usually every {every}")),
        (
            "description".to_owned(),
            format!(
                "It repeated what fires every {every}, and {open} of its alerts fire by its last word. Until it is heard again nothing new \
                 that it knows arrives. {advice}"
            ),
        ),
    ])
}

fn brief(span: Span) -> String {
    let seconds = (span.as_millis() + 500) / 1_000;
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1_800) / 3_600),
    }
}

/// Whoever speaks is not dead.
pub(crate) fn heard(state: &CorrelatorState, lane: &Partition, input: &Recorded, now: Time) -> Vec<Draft> {
    if state.is_nobody_silent() {
        return Vec::new();
    }
    let keys = state.seen.rhythms.heard_in(input);
    let keys: Vec<_> = keys.into_iter().filter(|key| state.silent_alert(key).is_some()).collect();
    // Both may belong to one incident: each is decided in sight of what was decided about the one before.
    let mut ahead = (keys.len() > 1).then(|| state.clone());
    let mut drafts = Vec::new();
    for key in keys {
        let state = ahead.as_ref().unwrap_or(state);
        let Some(alert) = state.silent_alert(&key) else { continue };
        let over =
            Resolved { observed: input.id.clone(), ends_at: now, ends_at_sent: None, source: None, replica_of: None };
        let mut decided = vec![Draft::system(&alert.fingerprint, Event::AlertResolved(over))];
        decided
            .extend(alert.incident.as_ref().and_then(|incident| grouping::quiet(state, incident, &alert.fingerprint)));
        if let Some(ahead) = &mut ahead {
            decided.iter().for_each(|draft| ahead.evolve(&provisional(draft, lane, now)));
        }
        drafts.extend(decided);
    }
    drafts
}
