//! Everything that was measured about one onset, as the hypotheses read it. Owns the collection and the series in
//! it; refuses to know files, views and events.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::Time;
use hindcast_domain::text::figure;
use hindcast_metric_shifts::{DirectionEffect, SeriesEffect, SeriesShape, effect};

use crate::effect::{EffectSource, SignalEffect};
use crate::kind::{SignalKind, SignalSide, SignalWay, kind, words};
use crate::parameters::CauseParameters;

/// What alarmed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmView {
    /// The services that alarmed, with the weight of the worst alert of each, 0 to 1.
    pub services: BTreeMap<String, f64>,
    /// What the alarm is about, where that is known.
    pub kind: Option<SignalKind>,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Effects, those that speak against a change among them.
    pub effects: Vec<SignalEffect>,
    /// Services of which anything was measured.
    pub services: BTreeSet<String>,
    /// Usual requests of a service behind the onset; one unit for all.
    pub requests: BTreeMap<String, f64>,
    /// Whether spans of requests were seen: they replace the symptoms that metrics show.
    pub traced: bool,
    /// Who calls whom, by the catalogue and by spans.
    pub calls: BTreeSet<(String, String)>,
    /// Services of which it is known whom they call, those that call nobody among them.
    pub catalogued: BTreeSet<String>,
    /// What alarmed.
    pub alarm: AlarmView,
    /// What is known of a service beside what was measured.
    pub beside: BTreeMap<String, KnownBeside>,
    /// When the first sign of a service may have begun at the earliest, and when it was seen.
    pub since: BTreeMap<String, (Time, Time)>,
}

/// What is known of a service beside what was measured, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KnownBeside {
    /// How far it was among the first to show anything.
    pub early: f64,
    /// How suspect a change of it is.
    pub changed: f64,
    /// Whether a service that depends on it names it in its lines.
    pub named: f64,
    /// How like the incidents of the past are that it was the cause of.
    pub past: f64,
    /// Whether several services alarmed and the catalogue does not know it.
    pub strange: f64,
}

impl Observed {
    /// Adds what a series says about the window from `onset` to `until`. `alarmed`: it is the metric that alarmed.
    pub fn add_series(
        &mut self,
        (service, metric): (&str, &str),
        points: &[(Time, f64)],
        window: (Time, Time),
        alarmed: bool,
        parameters: &CauseParameters,
    ) {
        self.services.insert(service.to_owned());
        let (kind, side) = kind(metric);
        let Some(found) = effect(points, window, shape(kind, metric), &parameters.effect) else { return };
        for way in [SignalWay::Up, SignalWay::Down] {
            let told = match way {
                SignalWay::Up => found.up,
                SignalWay::Down => found.down,
            };
            self.effects.push(SignalEffect {
                service: service.to_owned(),
                kind,
                side,
                way,
                llr: told.llr,
                change: told.change,
                since: told.since,
                source: EffectSource::Metric,
                alarmed,
                text: series_words(metric, &found, &told),
                citation: None,
            });
        }
        if (kind, side) == (SignalKind::Traffic, SignalSide::Own) {
            let inside = points.iter().filter(|(time, _)| *time >= window.0 && *time <= window.1);
            let raw = hindcast_domain::statistics::median(inside.map(|(_, value)| *value).collect());
            let usual = if found.as_rate { found.up.after } else { raw };
            let known = self.requests.entry(service.to_owned()).or_insert(usual);
            *known = known.max(usual);
        }
    }
}

/// Words by which a name says that its series counts up.
const COUNTS: [&str; 4] = ["total", "sum", "count", "bucket"];

/// What a metric's kind and name say of its values.
#[must_use]
pub fn shape(kind: SignalKind, metric: &str) -> SeriesShape {
    match kind {
        SignalKind::Availability => SeriesShape::Share,
        SignalKind::Unknown => SeriesShape::Open,
        _ if words(metric).iter().any(|word| COUNTS.contains(&word.as_str())) => SeriesShape::Open,
        _ => SeriesShape::Gauge,
    }
}

fn series_words(metric: &str, found: &SeriesEffect, told: &DirectionEffect) -> String {
    let verb = if told.after >= found.before { "rose" } else { "fell" };
    let unit = if found.as_rate { " a second" } else { "" };
    format!("{metric} {verb} from {} to {}{unit}", figure(found.before), figure(told.after))
}
