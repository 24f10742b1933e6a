//! Views that show the sample evening, known since long before it, and what a test asked of them.

use hindcast_api::Notice;
use hindcast_domain::{notice, silence};
use hindcast_queries::memory::{MemoryViews, Question};
use hindcast_queries::{CommandOutcome, FindingFilter, IncidentFilter, LabelFilter, Window};

use super::{learnt, sample};

/// The position that the views have reached.
pub(super) const NOW: u64 = 36_095_500;
/// Documents are known from here on.
const KNOWN: u64 = 1;

pub(super) fn evening() -> MemoryViews {
    let views = MemoryViews::at(NOW);
    // Lists begin with what was put last.
    sample::incidents().into_iter().rev().for_each(|incident| views.put(KNOWN, incident));
    for alert in sample::alerts().into_iter().rev() {
        views.put(KNOWN, sample::receipt(alert.clone()));
        views.put(KNOWN, alert);
    }
    sample::findings().into_iter().rev().for_each(|finding| views.put(KNOWN, finding));
    learnt::labels().into_iter().rev().for_each(|label| views.put(KNOWN, label));
    learnt::models().into_iter().for_each(|version| views.put(KNOWN, version));
    views.put(KNOWN, sample::why());
    views.put(KNOWN, sample::change());
    views.put(KNOWN, sample::silence(silence::SilenceState::Active));
    let expired = sample::silence(silence::SilenceState::Expired);
    views.put(KNOWN, hindcast_api::Silence { id: "SIL-0000000000000000".into(), ..expired });
    let held = sample::notice(notice::Status::Held, Some("snoozed"));
    views.put(KNOWN, Notice { id: "NTC-0000000000000000".into(), ..held });
    views.put(KNOWN, sample::notice(notice::Status::Delivered, None));
    sample::timeline().into_iter().for_each(|entry| views.tell(sample::OPEN, entry));
    views.record(sample::event(36_095_300, "incident.merged", sample::OPEN));
    views.record(sample::proposed(36_095_310));
    views.record(hindcast_api::Event {
        recorded_at: sample::now(),
        ..sample::event(NOW, "incident.snoozed", sample::OPEN)
    });
    views.covered(learnt::coverage());
    views.reported(sample::report());
    views.decide(CommandOutcome::Accepted { subjects: vec![sample::OPEN.into()], position: 36_095_300 });
    views
}

/// The filter and the window of the last question of a kind.
macro_rules! last {
    ($name:ident, $filter:ty, $question:path) => {
        pub(super) fn $name(views: &MemoryViews) -> ($filter, Window) {
            let mut asked = views.asked().into_iter().rev();
            let found = asked.find_map(|asked| match asked {
                $question(filter, window) => Some((filter, window)),
                _ => None,
            });
            found.expect("it was asked")
        }
    };
}

last!(last_incidents, IncidentFilter, Question::Incidents);
last!(last_findings, FindingFilter, Question::Findings);
last!(last_labels, LabelFilter, Question::Labels);
