//! What was read of the alert at hand. Owns that an alert is taken apart once while it is decided about and folded, which
//! asks for its traits four times; refuses to change what they are: they follow from the alert alone.

use std::sync::{Mutex, PoisonError};

use hindcast_domain::alert::Labels;
use hindcast_domain::entity::AlertSubject;
use hindcast_domain::{Fingerprint, Severity};

use crate::traits::{AlertTraits, Newcomer};

/// The traits of the last alert that was asked about.
#[derive(Debug, Default)]
pub(crate) struct TraitsMemo(Mutex<Option<ReadAlert>>);

/// An alert with all that its traits follow from.
#[derive(Debug)]
struct ReadAlert {
    fingerprint: Fingerprint,
    name: String,
    service: Option<String>,
    about: Option<AlertSubject>,
    severity: Severity,
    labels: Labels,
    annotations: Labels,
    traits: AlertTraits,
}

impl TraitsMemo {
    /// The traits of an alert.
    pub(crate) fn traits(&self, alert: &Newcomer<'_>) -> AlertTraits {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(read) if read.is_of(alert) => read.traits.clone(),
            _ => {
                let traits = AlertTraits::of(alert);
                *last = Some(ReadAlert::of(alert, traits.clone()));
                traits
            }
        }
    }
}

impl ReadAlert {
    fn of(alert: &Newcomer<'_>, traits: AlertTraits) -> Self {
        Self {
            fingerprint: alert.fingerprint.clone(),
            name: alert.name.to_owned(),
            service: alert.service.map(ToOwned::to_owned),
            about: alert.about.cloned(),
            severity: alert.severity,
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            traits,
        }
    }

    /// Labels that share their memory are the same without being compared.
    fn is_of(&self, alert: &Newcomer<'_>) -> bool {
        let same = |a: &Labels, b: &Labels| std::ptr::eq(&raw const **a, &raw const **b) || a == b;
        self.fingerprint == *alert.fingerprint
            && self.severity == alert.severity
            && self.name == alert.name
            && self.service.as_deref() == alert.service
            && self.about.as_ref() == alert.about
            && same(&self.labels, alert.labels)
            && same(&self.annotations, alert.annotations)
    }
}

impl Clone for TraitsMemo {
    /// A copy remembers for itself.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for TraitsMemo {
    /// It follows from what it was asked, so that two states never differ in it.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for TraitsMemo {}

#[cfg(test)]
mod tests {
    use super::*;
    use hindcast_domain::Time;

    #[test]
    fn traits_are_those_of_the_alert_that_is_asked_about() {
        let (memo, fingerprint) = (TraitsMemo::default(), Fingerprint::from_mac(&[7; 32]));
        let pod = |pod: &str| Labels::from([("pod".to_owned(), pod.to_owned())]);
        let ([db, web], none) = ([pod("db"), pod("web")], Labels::new());
        let asked = [(&db, Severity::High), (&web, Severity::High), (&web, Severity::Low), (&db, Severity::Low)];
        for (labels, severity) in asked {
            let alert = Newcomer {
                fingerprint: &fingerprint,
                source: "prometheus",
                name: "DiskFull",
                service: None,
                about: None,
                severity,
                labels,
                annotations: &none,
                starts_at: Time::ZERO,
            };
            assert_eq!(memo.traits(&alert), AlertTraits::of(&alert));
            assert_eq!(memo.traits(&alert), AlertTraits::of(&alert), "asked again");
        }
    }
}
