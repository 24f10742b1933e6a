//! Subjects: who writes where. One subject has one writer, one order, one chain.

use std::fmt;
use std::str::FromStr;

use hindcast_domain::Partition;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `hc.{tenant}.{environment}.intake.{slot}` for facts, `hc.{tenant}.{environment}.{lane}` for decisions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    partition: Partition,
    place: SubjectPlace,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum SubjectPlace {
    Intake(String),
    Lane(String),
}

/// A text that is no subject of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a subject such as hc.default.production.incidents, got {0:?}")]
pub struct NotASubject(pub String);

impl Subject {
    /// What every subject begins with.
    pub const ROOT: &'static str = hindcast_domain::lane::SUBJECT_ROOT;

    /// The subject of a writer's slot.
    ///
    /// # Panics
    /// When `slot` is no word of `a–z 0–9 - _`.
    #[must_use]
    pub fn intake(partition: &Partition, slot: &str) -> Self {
        assert!(is_word(slot), "a slot is a word, got {slot:?}");
        Self { partition: partition.clone(), place: SubjectPlace::Intake(slot.to_owned()) }
    }

    /// The subject of a lane.
    ///
    /// # Panics
    /// When `lane` is no word of `a–z 0–9 - _`, or is `intake`.
    #[must_use]
    pub fn lane(partition: &Partition, lane: &str) -> Self {
        assert!(is_word(lane) && lane != "intake", "a lane is a word, got {lane:?}");
        Self { partition: partition.clone(), place: SubjectPlace::Lane(lane.to_owned()) }
    }

    /// The correlation domain.
    #[must_use]
    pub const fn partition(&self) -> &Partition {
        &self.partition
    }

    /// The writer's slot, where this is intake.
    #[must_use]
    pub fn slot(&self) -> Option<&str> {
        match &self.place {
            SubjectPlace::Intake(slot) => Some(slot),
            SubjectPlace::Lane(_) => None,
        }
    }

    /// The lane's name, where this is a lane.
    #[must_use]
    pub fn lane_name(&self) -> Option<&str> {
        match &self.place {
            SubjectPlace::Lane(lane) => Some(lane),
            SubjectPlace::Intake(_) => None,
        }
    }
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Partition { tenant, environment } = &self.partition;
        match &self.place {
            SubjectPlace::Intake(slot) => write!(f, "{}.{tenant}.{environment}.intake.{slot}", Self::ROOT),
            SubjectPlace::Lane(lane) => f.write_str(&hindcast_domain::lane::subject(&self.partition, lane)),
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Subject {
    type Err = NotASubject;
    fn from_str(text: &str) -> Result<Self, NotASubject> {
        let parts: Vec<&str> = text.split('.').collect();
        let refuse = || NotASubject(text.to_owned());
        if !parts.iter().all(|part| is_word(part)) {
            return Err(refuse());
        }
        let partition = |tenant: &str, environment: &str| Partition {
            tenant: tenant.to_owned(),
            environment: environment.to_owned(),
        };
        match parts.as_slice() {
            [Self::ROOT, tenant, environment, "intake", slot] => {
                Ok(Self { partition: partition(tenant, environment), place: SubjectPlace::Intake((*slot).to_owned()) })
            }
            [Self::ROOT, tenant, environment, lane] if *lane != "intake" => {
                Ok(Self { partition: partition(tenant, environment), place: SubjectPlace::Lane((*lane).to_owned()) })
            }
            _ => Err(refuse()),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_as_it_was_written() {
        let partition = Partition::of_environment("production");
        for subject in [Subject::intake(&partition, "w0"), Subject::lane(&partition, "incidents")] {
            assert_eq!(subject.to_string().parse(), Ok(subject));
        }
        for bad in ["hc.default.production", "hc.default.production.intake", "hc.a.b.c.d", "xx.a.b.c", "hc.a.b.C"] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }
}
