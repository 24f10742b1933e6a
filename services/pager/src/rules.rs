//! Who is told, and how much at once: the configuration section `paging`, with defaults.

use hindcast_domain::oncall::OnCallRules;
use hindcast_domain::silence::RepeatingWindow;
use hindcast_domain::{Severity, Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The configuration section's name.
pub const SECTION: &str = "paging";

/// The receiver that exists without configuration: the terminal's log and the web pages.
pub const SCREEN: &str = "screen";

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverRules {
    /// Name of the receiver in the settings.
    pub name: String,
    /// Only incidents of this severity or worse.
    #[serde(default = "low")]
    pub at_least: Severity,
    /// Whether it wants pages only, and no quieter notices.
    #[serde(default)]
    pub pages_only: bool,
    /// Its quiet hours, such as `daily 22:00-07:00 Europe/Berlin`: the first word about an incident that does not page
    /// waits for their end. Pages, and what is said of an incident at a paging severity, never wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<String>,
    /// Pages that it takes within the window before the storm rule holds the rest.
    #[serde(default = "pages_max")]
    pub pages_max: u32,
    /// That window, in seconds.
    #[serde(default = "window_s")]
    pub window_s: i64,
}

const fn low() -> Severity {
    Severity::Low
}

const fn pages_max() -> u32 {
    20
}

const fn window_s() -> i64 {
    600
}

/// Who is told, and for how long it is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PagingRules {
    /// Who is told. Without any, the screen is.
    pub receivers: Vec<ReceiverRules>,
    /// How long a delivery is tried before it is given up and requested anew, in seconds.
    pub give_up_after_s: i64,
    /// Whether people are told that an incident is over.
    pub tell_resolved: bool,
    /// How long what begins is watched before the first message about its incident, in seconds.
    pub first_after_s: i64,
    /// How long any other change is watched before people are told of it, in seconds.
    pub settle_s: i64,
    /// Within how many seconds people are told of more of what they know: the same kind of alert at the same severity.
    pub more_within_s: i64,
    /// How long after a page another kind of alert of its incident, which is younger than an hour and not acknowledged, is
    /// told without a page, in seconds.
    pub kind_quiet_s: i64,
    /// How long after a page the return of its incident is told without a page at first, in seconds.
    pub return_quiet_s: i64,
    /// How long such a return may last until it pages, in seconds.
    pub return_page_after_s: i64,
    /// Services that must fail at once for an incident to page at any severity; 0 switches the rule off.
    pub breadth_services: u32,
    /// Entities that must fail at once for that.
    pub breadth_entities: u32,
    /// How long after the last page of an incident that nobody acknowledged its receivers are paged again, in seconds; 0
    /// switches reminders off.
    pub remind_after_s: i64,
    /// How many reminders follow each other, at most.
    pub remind_max: u32,
    /// How long before its end people are told of a silence that holds something that still fires, in seconds; 0 for never.
    pub warn_before_silence_end_s: i64,
    /// Who is told at once and who later, by service, severity and time; the first that fits an incident counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<EscalationRules>,
}

/// Who is told of an incident at once, and who if nobody acknowledges it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationRules {
    /// The name that notifications and the list of steps show.
    pub name: String,
    /// Incidents of one of these services alone; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Only incidents of this severity or worse.
    #[serde(default = "high")]
    pub at_least: Severity,
    /// Only incidents that begin at these times, such as `daily 18:00-09:00 Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<String>,
    /// Who is notified after how long, in any order.
    pub steps: Vec<EscalationStep>,
}

/// Whom one step of an escalation reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// How long after its incident began, while nobody acknowledges it, in seconds.
    #[serde(default)]
    pub after_s: i64,
    /// Receivers by their names in the settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receivers: Vec<String>,
    /// Whoever is on call by the schedule of this name: the receiver of the same name as that person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_call: Option<String>,
}

const fn high() -> Severity {
    Severity::High
}

impl Default for PagingRules {
    fn default() -> Self {
        Self {
            receivers: Vec::new(),
            give_up_after_s: 600,
            tell_resolved: true,
            first_after_s: 2,
            settle_s: 10,
            more_within_s: 30,
            kind_quiet_s: 300,
            return_quiet_s: 600,
            return_page_after_s: 30,
            breadth_services: 4,
            breadth_entities: 10,
            remind_after_s: 0,
            remind_max: 10,
            warn_before_silence_end_s: 900,
            escalations: Vec::new(),
        }
    }
}

impl PagingRules {
    /// The receivers in force.
    #[must_use]
    pub fn receivers(&self) -> Vec<ReceiverRules> {
        if self.receivers.is_empty() {
            return vec![ReceiverRules {
                name: SCREEN.to_owned(),
                at_least: low(),
                pages_only: false,
                quiet: None,
                pages_max: pages_max(),
                window_s: window_s(),
            }];
        }
        self.receivers.clone()
    }

    /// Who is to be told of something of a severity: those who want it, or all where nobody does, so that rules lose
    /// nothing. What wakes nobody goes to those who take more than pages, where there are any.
    #[must_use]
    pub fn wanting(&self, severity: Severity, page: bool) -> Vec<ReceiverRules> {
        let all = self.receivers();
        let mut wanting: Vec<ReceiverRules> = all.iter().filter(|r| severity >= r.at_least).cloned().collect();
        if wanting.is_empty() && severity.pages() {
            wanting = all;
        }
        if !page && (wanting.iter().any(|receiver| !receiver.pages_only) || !severity.pages()) {
            wanting.retain(|receiver| !receiver.pages_only);
        }
        wanting
    }

    /// Whether a receiver is to be told of something of a severity; see [`PagingRules::wanting`].
    #[must_use]
    pub fn wants(&self, receiver: &str, severity: Severity, page: bool) -> bool {
        self.wanting(severity, page).iter().any(|wanting| wanting.name == receiver)
    }

    /// Whether an incident that so many services and entities are a part of pages whatever its severity.
    #[must_use]
    pub const fn is_wide(&self, services: usize, entities: usize) -> bool {
        self.breadth_services > 0
            && services >= self.breadth_services as usize
            && entities >= self.breadth_entities as usize
    }

    /// Checks that each escalation reaches somebody at once, and names receivers and schedules that there are.
    ///
    /// # Errors
    /// The first that does not, by name.
    pub fn check_escalations(&self, schedules: &OnCallRules) -> Result<(), String> {
        let receivers: Vec<String> = self.receivers().into_iter().map(|receiver| receiver.name).collect();
        let is_schedule = |name: &String| schedules.schedules.iter().any(|schedule| schedule.name == *name);
        for escalation in &self.escalations {
            let name = &escalation.name;
            if let Some(between) = &escalation.between {
                between.parse::<RepeatingWindow>().map_err(|error| format!("the escalation {name}: {error}"))?;
            }
            if escalation.steps.first().is_none_or(|step| step.after_s != 0) {
                return Err(format!("expected the first step of the escalation {name} with after_s = 0"));
            }
            for step in &escalation.steps {
                if step.after_s < 0 || step.receivers.is_empty() && step.on_call.is_none() {
                    return Err(format!(
                        "expected receivers or on_call, and after_s of 0 or more, in each step of {name}"
                    ));
                }
                if let Some(unknown) = step.receivers.iter().find(|it| !receivers.contains(it)) {
                    return Err(format!("expected the name of a receiver in the escalation {name}, got {unknown:?}"));
                }
                if let Some(unknown) = step.on_call.as_ref().filter(|it| !is_schedule(it)) {
                    return Err(format!("expected the name of a schedule in the escalation {name}, got {unknown:?}"));
                }
            }
        }
        Ok(())
    }

    /// See [`PagingRules::give_up_after_s`].
    #[must_use]
    pub const fn give_up_after(&self) -> Span {
        Span::seconds(self.give_up_after_s)
    }
}

impl ReceiverRules {
    /// When the quiet hours end in which a moment lies; `None` where it lies in none.
    #[must_use]
    pub fn quiet_until(&self, at: Time) -> Option<Time> {
        let hours = self.quiet.as_ref()?.parse::<RepeatingWindow>().ok()?;
        let (begins, ends) = hours.next(None, at).ok().flatten()?;
        (begins <= at).then_some(ends)
    }

    /// See [`ReceiverRules::window_s`].
    #[must_use]
    pub const fn window(&self) -> Span {
        Span::seconds(self.window_s)
    }
}
