//! An incident that is looked after: which looks at its metrics are due, and which windows are to be kept.
//! Pure; refuses to know what a look finds.

use hindcast_api::Incident;
use hindcast_domain::{IncidentId, Partition, Time};
use serde::{Deserialize, Serialize};

use crate::limits::{GRACE, LOOK_AFTER_END, LOOKS, PIN_AFTER, PIN_BEFORE, SPELL_MAX};

/// How far something that is due once has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Not yet.
    #[default]
    Waiting,
    /// Done because the clock said so; telemetry was behind, so it is done again when that has come.
    Early,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IncidentCase {
    /// Its correlation domain.
    pub partition: Partition,
    /// The earliest symptom; after a reopening, when it came back.
    pub onset: Time,
    /// When it was over.
    pub ended: Option<Time>,
    reopened: u64,
    /// The two looks after the onset and the one after the end.
    looks: [Stage; 3],
    /// The window at first, and the whole one.
    pins: [Stage; 2],
}

/// Something to be done for an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaseJob {
    /// Compare metrics of before the onset with those up to `until`.
    Look {
        /// Which look.
        at: usize,
        /// Points before it count.
        until: Time,
    },
    /// Keep a window.
    Pin {
        /// Which window.
        at: usize,
        /// Its first moment.
        from: Time,
        /// The moment behind its last.
        to: Time,
    },
}

impl IncidentCase {
    pub fn new(incident: &Incident, partition: Partition) -> Self {
        let mut case = Self {
            partition,
            onset: incident.started_at,
            ended: None,
            reopened: incident.reopened,
            looks: [Stage::Waiting; 3],
            pins: [Stage::Waiting; 2],
        };
        case.update(incident);
        case
    }

    /// Whether an alert that joins may move its onset: nothing was looked at yet.
    pub fn onset_moves(&self) -> bool {
        self.reopened == 0 && self.looks[0] == Stage::Waiting
    }

    /// Takes over what the views say now.
    pub fn update(&mut self, incident: &Incident) {
        if incident.reopened > self.reopened {
            self.reopened = incident.reopened;
            self.onset = incident.updated_at;
            self.looks = [Stage::Waiting; 3];
            self.pins = [Stage::Waiting; 2];
        } else if self.onset_moves() {
            self.onset = incident.started_at;
        }
        if self.ended != incident.resolved_at {
            self.looks[2] = Stage::Waiting;
            self.pins[1] = Stage::Waiting;
        }
        self.ended = incident.resolved_at;
    }

    /// When each job is due, by the telemetry's own time.
    fn due(&self) -> impl Iterator<Item = (Stage, Time, CaseJob)> + use<> {
        let (onset, ended, looks, pins) = (self.onset, self.ended, self.looks, self.pins);
        let first = LOOKS.into_iter().enumerate().zip(looks).map(move |((at, after), stage)| {
            let until = onset + after;
            (stage, until, CaseJob::Look { at, until })
        });
        let last = ended.map(move |ended| {
            let due = ended + LOOK_AFTER_END;
            (looks[2], due, CaseJob::Look { at: 2, until: due.clamped(onset, onset + SPELL_MAX) })
        });
        let ends = [Some(onset), ended];
        let kept = ends.into_iter().enumerate().zip(pins).filter_map(move |((at, end), stage)| {
            let to = end? + PIN_AFTER;
            Some((stage, to, CaseJob::Pin { at, from: onset - PIN_BEFORE, to }))
        });
        first.chain(last).chain(kept)
    }

    /// What is to be done now. `telemetry`: the latest moment that the partition's telemetry told.
    pub fn jobs(&self, telemetry: Time, clock: Time) -> Vec<(CaseJob, Stage)> {
        let ready = |(stage, due, job)| {
            let by_telemetry = telemetry >= due;
            let by_clock = clock >= due + GRACE;
            match stage {
                Stage::Waiting | Stage::Early if by_telemetry => Some((job, Stage::Done)),
                Stage::Waiting if by_clock => Some((job, Stage::Early)),
                _ => None,
            }
        };
        self.due().filter_map(ready).collect()
    }

    /// When the clock has to wake whoever waits for a job.
    pub fn wake(&self) -> Option<Time> {
        self.due().filter(|(stage, ..)| *stage == Stage::Waiting).map(|(_, due, _)| due + GRACE).min()
    }

    pub fn done(&mut self, job: CaseJob, stage: Stage) {
        match job {
            CaseJob::Look { at, .. } => self.looks[at.min(2)] = stage,
            CaseJob::Pin { at, .. } => self.pins[at.min(1)] = stage,
        }
    }

    /// Whether nothing more follows unless the incident comes back: it is over and what was due is done, late
    /// telemetry has been waited for a window longer.
    pub fn is_closed(&self, clock: Time) -> bool {
        let Some(ended) = self.ended else { return false };
        let all = self.looks.iter().chain(&self.pins);
        let late = clock >= ended + PIN_AFTER + PIN_AFTER;
        all.into_iter().all(|stage| *stage == Stage::Done || (*stage == Stage::Early && late))
    }
}

/// Which incident goes when there are too many: one that is over before one that is not, the oldest first.
pub(crate) fn least<'a>(cases: impl Iterator<Item = (&'a IncidentId, &'a IncidentCase)>) -> Option<IncidentId> {
    cases.min_by_key(|(id, case)| (case.ended.is_none(), case.onset, *id)).map(|(id, _)| id.clone())
}
