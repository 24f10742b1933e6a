//! Owns `POST /mark`: how a scenario tells what is really the case, and how that becomes the [`GroundTruth`].
//!
//! One JSON object a request, with one key:
//!
//! ```json
//! {"fault": {"id": "pool-1", "kind": "postgres-connections-exhausted", "service": "postgres", "title": "…",
//!            "alerts": ["PostgresConnectionsNearLimit"], "services": ["postgres", "checkout"], "same_as": null, "looks_like": null}}
//! {"end": {"id": "pool-1", "ended_by": "the idle transactions were terminated"}}
//! {"change": {"id": "deploy-v42", "service": "checkout", "title": "checkout v42", "innocent": true}}
//! {"healthy": "begin"}
//! {"healthy": "end"}
//! ```
//!
//! The moment is that of the request, unless `fault`, `end` or `change` names another as `at` (RFC 3339).

use jiff::Timestamp;
use serde::Deserialize;

use crate::format::{GroundTruth, Healthy, InjectedFault, RecordedChange};

/// One thing that a scenario says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Mark {
    Fault(FaultMark),
    End(EndMark),
    Change(ChangeMark),
    Healthy(HealthyMark),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultMark {
    id: String,
    kind: String,
    service: String,
    title: String,
    at: Option<Timestamp>,
    #[serde(default)]
    alerts: Vec<String>,
    #[serde(default)]
    services: Vec<String>,
    same_as: Option<String>,
    looks_like: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndMark {
    id: String,
    ended_by: String,
    at: Option<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeMark {
    id: String,
    service: String,
    title: String,
    innocent: bool,
    at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HealthyMark {
    Begin,
    End,
}

/// Why a mark contradicts those before it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MarkError {
    #[error("the id `{0}` is taken; every fault and change has its own")]
    Taken(String),
    #[error("no fault `{0}` has begun; mark it with {{\"fault\":…}} first")]
    Unknown(String),
    #[error("the fault `{0}` has ended already")]
    Ended(String),
    #[error("a healthy stretch is open already; end it first")]
    HealthyTwice,
    #[error("no healthy stretch is open; begin one first")]
    NotHealthy,
    #[error("a healthy stretch cannot begin while the fault `{0}` lasts; end it first")]
    StillFaulty(String),
}

/// The truth as far as it has been told.
#[derive(Debug, Clone, Default)]
pub(crate) struct TruthMarks {
    truth: GroundTruth,
    healthy_since: Option<Timestamp>,
}

/// Faults of this kind touch nothing that the recording is about, so that a stretch is healthy in spite of them.
const UNRELATED: &str = "unrelated";

impl TruthMarks {
    pub(crate) fn hear(&mut self, mark: Mark, now: Timestamp) -> Result<(), MarkError> {
        match mark {
            Mark::Fault(mark) => self.fault(mark, now),
            Mark::End(mark) => self.end(mark, now),
            Mark::Change(mark) => self.change(mark, now),
            Mark::Healthy(HealthyMark::Begin) => self.healthy_begins(now),
            Mark::Healthy(HealthyMark::End) => self.healthy_ends(now),
        }
    }

    /// The truth at this moment; a healthy stretch that is still open ends here, a fault that lasts has no end.
    pub(crate) fn truth(&self, now: Timestamp) -> GroundTruth {
        let mut truth = self.truth.clone();
        truth.healthy.extend(self.healthy_since.map(|from| Healthy { from, to: now }));
        truth
    }

    fn fault(&mut self, mark: FaultMark, now: Timestamp) -> Result<(), MarkError> {
        self.free(&mark.id)?;
        for other in [&mark.same_as, &mark.looks_like].into_iter().flatten() {
            self.truth
                .faults
                .iter()
                .find(|fault| fault.id == *other)
                .ok_or_else(|| MarkError::Unknown(other.clone()))?;
        }
        self.truth.faults.push(InjectedFault {
            id: mark.id,
            kind: mark.kind,
            service: mark.service,
            title: mark.title,
            injected_at: mark.at.unwrap_or(now),
            ended_at: None,
            ended_by: None,
            alerts: mark.alerts,
            services: mark.services,
            same_as: mark.same_as,
            looks_like: mark.looks_like,
        });
        Ok(())
    }

    fn end(&mut self, mark: EndMark, now: Timestamp) -> Result<(), MarkError> {
        let fault = self
            .truth
            .faults
            .iter_mut()
            .find(|fault| fault.id == mark.id)
            .ok_or_else(|| MarkError::Unknown(mark.id.clone()))?;
        if fault.ended_at.is_some() {
            return Err(MarkError::Ended(mark.id));
        }
        fault.ended_at = Some(mark.at.unwrap_or(now));
        fault.ended_by = Some(mark.ended_by);
        Ok(())
    }

    fn change(&mut self, mark: ChangeMark, now: Timestamp) -> Result<(), MarkError> {
        self.free(&mark.id)?;
        let at = mark.at.unwrap_or(now);
        self.truth.changes.push(RecordedChange {
            id: mark.id,
            service: mark.service,
            at,
            title: mark.title,
            innocent: mark.innocent,
        });
        Ok(())
    }

    fn healthy_begins(&mut self, now: Timestamp) -> Result<(), MarkError> {
        if self.healthy_since.is_some() {
            return Err(MarkError::HealthyTwice);
        }
        if let Some(fault) = self.truth.faults.iter().find(|fault| fault.ended_at.is_none() && fault.kind != UNRELATED)
        {
            return Err(MarkError::StillFaulty(fault.id.clone()));
        }
        self.healthy_since = Some(now);
        Ok(())
    }

    fn healthy_ends(&mut self, now: Timestamp) -> Result<(), MarkError> {
        let from = self.healthy_since.take().ok_or(MarkError::NotHealthy)?;
        self.truth.healthy.push(Healthy { from, to: now });
        Ok(())
    }

    fn free(&self, id: &str) -> Result<(), MarkError> {
        let mut ids =
            self.truth.faults.iter().map(|fault| &fault.id).chain(self.truth.changes.iter().map(|change| &change.id));
        if ids.any(|taken| taken == id) { Err(MarkError::Taken(id.to_owned())) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    fn told(marks: &[(i64, &str)]) -> Result<TruthMarks, MarkError> {
        let mut told = TruthMarks::default();
        for (second, mark) in marks {
            told.hear(serde_json::from_str(mark).unwrap(), at(*second))?;
        }
        Ok(told)
    }

    const FAULT: &str =
        r#"{"fault":{"id":"f","kind":"k","service":"db","title":"t","alerts":["A"],"services":["db"]}}"#;
    const END: &str = r#"{"end":{"id":"f","ended_by":"it was mended"}}"#;

    #[test]
    fn a_fault_lasts_from_its_mark_to_its_end() {
        let truth = told(&[(1, FAULT), (61, END)]).unwrap().truth(at(90));
        assert_eq!((truth.faults[0].injected_at, truth.faults[0].ended_at), (at(1), Some(at(61))));
        assert_eq!(truth.faults[0].ended_by.as_deref(), Some("it was mended"));
    }

    #[test]
    fn a_mark_may_name_its_own_moment() {
        let mark = format!(r#"{{"change":{{"id":"c","service":"db","title":"t","innocent":true,"at":"{}"}}}}"#, at(3));
        assert_eq!(told(&[(9, &mark)]).unwrap().truth(at(10)).changes[0].at, at(3));
    }

    #[test]
    fn an_open_healthy_stretch_ends_with_the_recording_and_an_open_fault_does_not() {
        let begin = r#"{"healthy":"begin"}"#;
        let truth = told(&[(1, begin), (2, r#"{"healthy":"end"}"#), (3, begin)]).unwrap().truth(at(9));
        assert_eq!(truth.healthy, [Healthy { from: at(1), to: at(2) }, Healthy { from: at(3), to: at(9) }]);
        assert_eq!(told(&[(1, FAULT)]).unwrap().truth(at(9)).faults[0].ended_at, None);
    }

    #[test]
    fn what_contradicts_is_refused() {
        let begin = r#"{"healthy":"begin"}"#;
        assert_eq!(told(&[(1, FAULT), (2, FAULT)]).unwrap_err(), MarkError::Taken("f".into()));
        assert_eq!(told(&[(1, END)]).unwrap_err(), MarkError::Unknown("f".into()));
        assert_eq!(told(&[(1, FAULT), (2, END), (3, END)]).unwrap_err(), MarkError::Ended("f".into()));
        assert_eq!(told(&[(1, FAULT), (2, begin)]).unwrap_err(), MarkError::StillFaulty("f".into()));
        assert_eq!(told(&[(1, begin), (2, begin)]).unwrap_err(), MarkError::HealthyTwice);
        assert_eq!(told(&[(1, r#"{"healthy":"end"}"#)]).unwrap_err(), MarkError::NotHealthy);
    }

    #[test]
    fn an_unrelated_fault_leaves_the_stretch_healthy() {
        let unrelated = FAULT.replace("\"k\"", "\"unrelated\"");
        assert!(told(&[(1, &unrelated), (2, r#"{"healthy":"begin"}"#)]).is_ok());
    }
}
