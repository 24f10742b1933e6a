//! What the auditor reads of the configuration: who wants which messages, and where wide begins. It reads the recorded
//! section by the names of its keys, so that it shares no type with whoever follows it.

use std::collections::{BTreeMap, BTreeSet};

use hindcast_domain::{Severity, Span};
use serde_json::Value;

/// The receiver that there is where none is configured.
const SCREEN: &str = "screen";

/// What one receiver wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiverWish {
    pub(crate) at_least: Severity,
    pub(crate) pages_only: bool,
}

/// The settings that say what is owed.
#[derive(Clone, Debug)]
pub(crate) struct AuditSettings {
    receivers: BTreeMap<String, ReceiverWish>,
    /// Receivers that are told later than at once alone, if nobody acknowledges.
    later: BTreeSet<String>,
    pub(crate) tells_resolved: bool,
    pub(crate) breadth: bool,
    pub(crate) breadth_services: usize,
    pub(crate) breadth_entities: usize,
    /// How long after its end a state that is sent again is late and not back.
    pub(crate) late: Span,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            receivers: BTreeMap::new(),
            later: BTreeSet::new(),
            tells_resolved: true,
            breadth: true,
            breadth_services: 4,
            breadth_entities: 10,
            late: Span::seconds(30),
        }
    }
}

impl AuditSettings {
    /// Takes a section of the configuration in.
    pub(crate) fn configure(&mut self, section: &str, content: &Value) {
        match section {
            "paging" => self.paging(content),
            "correlation" => self.late = Span::seconds(content["late_s"].as_i64().unwrap_or(30)),
            _ => {}
        }
    }

    fn paging(&mut self, content: &Value) {
        let defaults = Self::default();
        let count = |name: &str| content[name].as_u64().and_then(|count| usize::try_from(count).ok());
        self.tells_resolved = content["tell_resolved"].as_bool().unwrap_or(true);
        self.breadth_services = count("breadth_services").unwrap_or(defaults.breadth_services);
        self.breadth_entities = count("breadth_entities").unwrap_or(defaults.breadth_entities);
        self.breadth = self.breadth_services > 0;
        let wish = |receiver: &Value| {
            let at_least = receiver["at_least"].as_str().and_then(|text| text.parse().ok()).unwrap_or(Severity::Low);
            let pages_only = receiver["pages_only"].as_bool().unwrap_or(false);
            Some((receiver["name"].as_str()?.to_owned(), ReceiverWish { at_least, pages_only }))
        };
        let steps = content["escalations"].as_array().into_iter().flatten();
        let steps: Vec<&Value> = steps.flat_map(|it| it["steps"].as_array().into_iter().flatten()).collect();
        let named = |at_once: bool| {
            let of = steps.iter().filter(move |step| (step["after_s"].as_i64().unwrap_or(0) == 0) == at_once);
            of.flat_map(|step| step["receivers"].as_array().into_iter().flatten())
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect::<BTreeSet<String>>()
        };
        self.later = named(false).difference(&named(true)).cloned().collect();
        self.receivers = content["receivers"].as_array().into_iter().flatten().filter_map(wish).collect();
    }

    /// What a receiver wants; `None` where it is no receiver any more. Without receivers the screen is one.
    pub(crate) fn wish(&self, receiver: &str) -> Option<ReceiverWish> {
        if self.receivers.is_empty() {
            return Some(ReceiverWish { at_least: Severity::Low, pages_only: false });
        }
        self.receivers.get(receiver).copied()
    }

    /// Whether nobody can be told of something of a severity: every receiver that takes it fails. What wakes nobody is
    /// taken by those who take more than pages, where there are any.
    pub(crate) fn all_fail(&self, severity: Severity, page: bool, fails: impl Fn(&str) -> bool) -> bool {
        if self.receivers.is_empty() {
            return fails(SCREEN);
        }
        let nobody_wants = !self.receivers.values().any(|wish| severity >= wish.at_least);
        let wants = |wish: &ReceiverWish| nobody_wants || severity >= wish.at_least;
        let takes_more = self.receivers.values().any(|wish| wants(wish) && !wish.pages_only);
        let takes = |wish: &ReceiverWish| wants(wish) && (page || !takes_more || !wish.pages_only);
        let at_once = |name: &String| !self.later.contains(name);
        self.receivers.iter().filter(|(name, wish)| takes(wish) && at_once(name)).all(|(name, _)| fails(name))
    }
}
