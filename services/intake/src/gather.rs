//! Which requests share a commit, and what each of them is answered.

use hindcast_domain::EventId;
use hindcast_domain::events;
use hindcast_domain::limits::COMMIT_EVENTS_MAX;
use hindcast_events::NewEvent;
use hindcast_facts::{Appended, SubmitError};
use tokio::sync::mpsc;

use crate::repeats::RequestShare;
use crate::submission::Submission;

/// Bytes of events, before compression, that go into one commit.
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Takes what waits already, up to a commit's limits. What does not fit any more waits for the next one.
pub(crate) fn gather(
    first: Submission,
    queue: &mut mpsc::Receiver<Submission>,
) -> (Vec<Submission>, Option<Submission>) {
    let mut events = first.events.len();
    let mut bytes = weigh(&first.events);
    let mut submissions = vec![first];
    while let Ok(next) = queue.try_recv() {
        let weight = weigh(&next.events);
        if events + next.events.len() > COMMIT_EVENTS_MAX || bytes + weight > BATCH_BYTES_MAX {
            return (submissions, Some(next));
        }
        events += next.events.len();
        bytes += weight;
        submissions.push(next);
    }
    (submissions, None)
}

/// About how many bytes events have: texts dominate.
fn weigh(events: &[NewEvent]) -> usize {
    use hindcast_domain::Event;
    let of = |event: &NewEvent| match &event.event {
        Event::Observed(observation) => {
            let texts = observation.labels.iter().chain(&observation.annotations);
            512 + texts.map(|(name, value)| name.len() + value.len() + 8).sum::<usize>()
        }
        Event::Delivery(delivery) => 512 + rough(&delivery.envelope),
        Event::Parked(parked) => 512 + rough(&parked.payload),
        Event::Command(_) => 4_096,
        Event::Repeats(batch) => 512 + 64 * batch.alerts.len(),
        Event::DoorOpened(_)
        | Event::Change(_)
        | Event::Unparked(_)
        | events! { finding, conversation, proposal, label, model, chat, alert, incident, silence, control, notice } => {
            1_024
        }
    };
    events.iter().map(of).sum()
}

fn rough(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => text.len() + 8,
        serde_json::Value::Array(items) => items.iter().map(rough).sum::<usize>() + 8,
        serde_json::Value::Object(object) => object.iter().map(|(key, value)| key.len() + rough(value) + 8).sum(),
        _ => 8,
    }
}

/// Answers each request with its own share of the positions.
pub(crate) fn answer(shares: Vec<RequestShare>, result: Result<Vec<(u64, EventId)>, SubmitError>) {
    for RequestShare { places, answer } in shares {
        let told = match &result {
            Ok(appended) => {
                let mine = places.iter().filter_map(|place| appended.get(*place).cloned());
                let (positions, ids) = mine.unzip();
                Ok(Appended { positions, ids })
            }
            Err(error) => Err(error.clone()),
        };
        if answer.send(told).is_err() {
            tracing::debug!("a request went away before its answer");
        }
    }
}
