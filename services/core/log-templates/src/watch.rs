//! What is remarkable about a stream of log lines: templates that are new, and templates that burst. Owns the
//! history of each template and when to speak; refuses to know where lines come from and what names mean.
//!
//! Time is the lines' own. The same lines in the same order give the same signs, so a stream that is read
//! again after a crash says nothing new.

use std::collections::BTreeMap;

use hindcast_domain::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::rate::{Burst, Rate};
use crate::templates::{Learnt, Miner, TemplateHandle};

/// For how long the first lines of a stream are only learnt from.
pub const WARM_UP: Span = Span::seconds(60);
/// And at least so many lines.
pub const WARM_UP_LINES: u64 = 50;
/// Signs of one stream in one minute; more are counted, and told with the next.
pub const SIGNS_PER_MINUTE_MAX: u32 = 12;
/// Lines of a new template at a quiet level that make it worth a sign.
const QUIET_REPEATS: u64 = 5;
/// Within this time of its first line.
const QUIET_WITHIN: Span = Span::minutes(2);
/// How long a template must have been calm before it may burst again.
const CALM: Span = Span::minutes(2);
/// Histories that are kept; the one that was quiet for longest goes first.
const TRACKS_MAX: usize = 20_000;
/// Bytes of a sample line.
const SAMPLE_BYTES_MAX: usize = 1_024;

/// How bad a line says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Weight {
    /// For developers, or all is well.
    Quiet,
    /// Something is odd.
    Warning,
    /// Something failed.
    Error,
    /// Cannot go on.
    Fatal,
}

/// A log line with its time and service.
#[derive(Clone, Copy, Debug)]
pub struct WatchedLine<'a> {
    /// The time that the line is counted at.
    pub time: Time,
    /// Who wrote it.
    pub service: &'a str,
    /// How bad.
    pub weight: Weight,
    /// The message of the line.
    pub text: &'a str,
}

/// What a sign is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateSignKind {
    /// The service never wrote this template before.
    New,
    /// It writes it, at this level, far more often than before.
    Burst,
}

/// Something remarkable.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateSign {
    /// What it is about.
    pub kind: TemplateSignKind,
    /// Who wrote it.
    pub service: String,
    /// The template's id.
    pub template: String,
    /// Rises each time that the template is generalised, from one.
    pub version: u32,
    /// Its text as it stands.
    pub text: String,
    /// The line that made us speak, cut.
    pub sample: String,
    /// When it began: the first line's own time.
    pub at: Time,
    /// The line's time that made us speak.
    pub until: Time,
    /// Lines a minute before.
    pub before: f64,
    /// Lines a minute now.
    pub after: f64,
    /// Lines that it rests on.
    pub count: u64,
    /// How sure, in thousandths.
    pub score: i32,
    /// The worst level among them.
    pub weight: Weight,
    /// Signs that were left out since the last one, because there were too many.
    pub left_out: u64,
}

/// A stream of lines of one correlation domain.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    miner: Miner,
    began: Option<Time>,
    now: Time,
    lines: u64,
    tracks: BTreeMap<String, Vec<Option<Pair>>>,
    kept: usize,
    minute: (i64, u32),
    /// Since the last sign.
    untold: u64,
    left_out: u64,
}

/// The histories of a template: of its quiet lines and of its bad ones.
type Pair = [Option<Box<Track>>; 2];

#[derive(Debug, Serialize, Deserialize)]
struct Track {
    rate: Rate,
    first: Time,
    lines: u64,
    /// Its first line was the first of its template, after the warm-up.
    is_new: bool,
    worst: Weight,
    /// It was spoken of as new.
    told: bool,
    /// The last moment of the burst that was spoken of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bursting: Option<Time>,
}

impl Watch {
    /// Takes a line; says what is remarkable about it.
    pub fn line(&mut self, line: WatchedLine<'_>) -> Option<TemplateSign> {
        let began = *self.began.get_or_insert(line.time);
        self.now = self.now.max(line.time);
        self.lines += 1;
        let learnt = self.miner.learn(line.service, line.text)?;
        self.unite(line.service, &learnt);
        let is_warm = self.lines > WARM_UP_LINES && line.time.since(began) >= WARM_UP;
        let is_bad = line.weight > Weight::Quiet;
        let known_since = self.now.since(began);
        let is_new = learnt.is_new && is_warm;
        let track = self.track(line.service, learnt.handle, is_bad, || Track::new(line, is_new))?;
        let (kind, burst) = track.see(line, known_since, is_warm)?;
        let (score, lines) = (track.score(kind, burst.as_ref()), track.lines);
        if kind == TemplateSignKind::New {
            track.told = true;
        }
        let (at, weight) = (burst.as_ref().map_or(track.first, |burst| burst.at), track.worst);
        if !self.may_speak() {
            return None;
        }
        let template = self.miner.template(line.service, learnt.handle)?;
        let left_out = std::mem::take(&mut self.untold);
        let minutes = (line.time.since(at).as_secs_f64() / 60.0).max(1.0 / 60.0);
        #[allow(clippy::cast_precision_loss)] // a rate for people
        let new_rate = lines as f64 / minutes.max(0.5);
        Some(TemplateSign {
            kind,
            service: line.service.to_owned(),
            template: template.id.to_owned(),
            version: template.version,
            text: crate::mask::within(&template.text, SAMPLE_BYTES_MAX).0.to_owned(),
            sample: crate::mask::within(line.text, SAMPLE_BYTES_MAX).0.to_owned(),
            at,
            until: line.time,
            before: burst.as_ref().map_or(0.0, |burst| burst.before_per_minute),
            after: burst.as_ref().map_or(new_rate, |burst| burst.after_per_minute),
            count: burst.as_ref().map_or(lines, |burst| burst.lines),
            score,
            weight,
            left_out,
        })
    }

    /// The latest time that any line told.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Signs that were left out because there were too many in a minute.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The templates found so far.
    #[must_use]
    pub const fn miner(&self) -> &Miner {
        &self.miner
    }

    fn track(
        &mut self,
        service: &str,
        handle: TemplateHandle,
        is_bad: bool,
        fresh: impl FnOnce() -> Track,
    ) -> Option<&mut Track> {
        if self.kept >= TRACKS_MAX {
            self.forget();
        }
        if !self.tracks.contains_key(service) {
            self.tracks.insert(service.to_owned(), Vec::new());
        }
        let of_service = self.tracks.get_mut(service)?;
        if of_service.len() <= handle.index() {
            of_service.resize_with(handle.index() + 1, || None);
        }
        let slot = of_service.get_mut(handle.index())?.get_or_insert_default().get_mut(usize::from(is_bad))?;
        if slot.is_none() {
            self.kept += 1;
        }
        Some(slot.get_or_insert_with(|| Box::new(fresh())))
    }

    /// Templates that became one have one history.
    fn unite(&mut self, service: &str, learnt: &Learnt) {
        let Some(of_service) = self.tracks.get_mut(service).filter(|_| !learnt.merged.is_empty()) else {
            return;
        };
        for merged in &learnt.merged {
            let Some(pair) = of_service.get_mut(merged.index()).and_then(Option::take) else { continue };
            let Some(mine) = of_service.get_mut(learnt.handle.index()) else { continue };
            for (mine, theirs) in mine.get_or_insert_default().iter_mut().zip(pair) {
                match (mine, theirs) {
                    (Some(mine), Some(theirs)) => {
                        mine.take_in(&theirs);
                        self.kept -= 1;
                    }
                    (slot, Some(theirs)) => *slot = Some(theirs),
                    (_, None) => {}
                }
            }
        }
    }

    /// Drops the histories that were quiet for longest: half of them, so that it is rare.
    fn forget(&mut self) {
        let all = || self.tracks.values().flatten().flatten().flatten().flatten();
        let mut last: Vec<Time> = all().map(|track| track.rate.last()).collect();
        last.sort_unstable();
        let Some(edge) = last.get(last.len() / 2).copied() else { return };
        for slot in self.tracks.values_mut().flatten().flatten().flatten() {
            if slot.as_ref().is_some_and(|track| track.rate.last() <= edge) {
                *slot = None;
                self.kept -= 1;
            }
        }
    }

    fn may_speak(&mut self) -> bool {
        let minute = self.now.nanos().div_euclid(60_000_000_000);
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 += 1;
        let may = self.minute.1 <= SIGNS_PER_MINUTE_MAX;
        self.untold += u64::from(!may);
        self.left_out += u64::from(!may);
        may
    }
}

impl Track {
    fn new(line: WatchedLine<'_>, is_new: bool) -> Self {
        let (first, worst) = (line.time, line.weight);
        Self { rate: Rate::default(), first, lines: 0, is_new, worst, told: false, bursting: None }
    }

    /// Counts a line; says whether it is to be spoken of.
    fn see(
        &mut self,
        line: WatchedLine<'_>,
        known_since: Span,
        is_warm: bool,
    ) -> Option<(TemplateSignKind, Option<Burst>)> {
        self.lines += 1;
        self.worst = self.worst.max(line.weight);
        self.rate.add(line.time);
        if self.is_new && !self.told {
            let repeats = self.lines >= QUIET_REPEATS && line.time.since(self.first) <= QUIET_WITHIN;
            if line.weight > Weight::Quiet || repeats {
                return Some((TemplateSignKind::New, None));
            }
        }
        let burst = self.rate.burst(line.time, known_since, line.weight > Weight::Quiet)?;
        let calm = self.bursting.is_none_or(|last| line.time.since(last) >= CALM);
        self.bursting = Some(self.bursting.map_or(line.time, |last| last.max(line.time)));
        (calm && is_warm).then_some((TemplateSignKind::Burst, Some(burst)))
    }

    fn score(&self, kind: TemplateSignKind, burst: Option<&Burst>) -> i32 {
        match (kind, burst, self.worst) {
            (TemplateSignKind::Burst, Some(burst), Weight::Quiet) => burst.score * 4 / 5,
            (TemplateSignKind::Burst, Some(burst), _) => burst.score,
            (_, _, Weight::Quiet) => 500,
            (_, _, Weight::Warning) => 550,
            (_, _, Weight::Error) => 650,
            (_, _, Weight::Fatal) => 750,
        }
    }

    fn take_in(&mut self, other: &Self) {
        self.rate.take_in(&other.rate);
        self.lines += other.lines;
        self.first = self.first.min(other.first);
        self.worst = self.worst.max(other.worst);
        self.is_new &= other.is_new;
        self.told |= other.told;
        self.bursting = self.bursting.max(other.bursting);
    }
}
