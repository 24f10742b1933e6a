//! The signs of an incident in a form that can be compared: alerts, log templates, metric shifts. Owns their
//! keys and how two templates are told to be one; refuses to weigh.

use std::collections::BTreeSet;

use hindcast_api::Citation;
use hindcast_similarity::jaccard;

use super::template::{bag, template_key};
use super::{AlertSign, Remembered};

/// Two templates of one service are one from this share of common words on: a template is
/// generalised while it is mined, so its text may differ between two incidents.
const TEMPLATES_ALIKE: f64 = 0.6;
/// What sort of sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Template,
    Alert,
    Shift,
}

#[derive(Clone, Debug)]
pub(super) struct RecallSign<'a> {
    pub(super) sort: Sort,
    pub(super) service: &'a str,
    /// Equal for equal signs.
    pub(super) key: String,
    /// In plain words.
    pub(super) words: String,
    /// The words of a template.
    bag: BTreeSet<String>,
    pub(super) citation: &'a Citation,
    /// Services of the same incident that show it too, this one included: a rule that rings at many of them
    /// says little about any.
    pub(super) spread: usize,
}

impl RecallSign<'_> {
    /// Whether two signs are one and the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        if self.sort != other.sort || self.service != other.service {
            return false;
        }
        self.key == other.key || self.sort == Sort::Template && alike(&self.bag, &other.bag)
    }
}

/// All signs of an incident.
pub(super) fn signs(of: &Remembered) -> Vec<RecallSign<'_>> {
    let mut all = Vec::with_capacity(of.alerts.len() + of.templates.len() + of.shifts.len());
    for template in &of.templates {
        let bag = bag(&template.text);
        let spread = of.templates.iter().filter(|other| alike(&bag, &super::template::bag(&other.text))).count();
        all.push(RecallSign {
            sort: Sort::Template,
            service: &template.service,
            key: template_key(&template.service, &template.text),
            words: format!("log line at {}: “{}”", template.service, short(&template.text)),
            bag,
            citation: &template.citation,
            spread: spread.max(1),
        });
    }
    for alert in &of.alerts {
        all.push(RecallSign {
            sort: Sort::Alert,
            service: &alert.service,
            key: format!("a|{}|{}", alert.service, alert.name),
            words: alert_words(alert),
            bag: BTreeSet::new(),
            citation: &alert.citation,
            spread: of.alerts.iter().filter(|other| other.name == alert.name).count().max(1),
        });
    }
    for shift in &of.shifts {
        let way = if shift.up { "rose" } else { "fell" };
        let same = |other: &&super::RememberedShift| other.metric == shift.metric && other.up == shift.up;
        all.push(RecallSign {
            sort: Sort::Shift,
            service: &shift.service,
            key: format!("m|{}|{}|{way}", shift.service, shift.metric),
            words: format!("{} of {} {way}", shift.metric, shift.service),
            bag: BTreeSet::new(),
            citation: &shift.citation,
            spread: of.shifts.iter().filter(same).count().max(1),
        });
    }
    all
}

/// An alert in plain words.
pub(super) fn alert_words(alert: &AlertSign) -> String {
    let place = if alert.service.is_empty() { String::new() } else { format!(" at {}", alert.service) };
    format!("alert {}{place}", alert.name)
}

fn alike(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    jaccard(a, b) >= TEMPLATES_ALIKE
}

/// A text in one short line.
pub(super) fn short(text: &str) -> String {
    const CHARS_MAX: usize = 110;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    hindcast_domain::text::cut(&line, CHARS_MAX)
}
