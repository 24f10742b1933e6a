//! One event of any kind, a command or a decision among them, into a ledger. Product code cannot do this: it appends
//! facts or commands, and decisions belong to lanes. A test that stands in for another service has to.

use hindcast_domain::event::Event;
use hindcast_domain::{Partition, Time};
use hindcast_events::Envelope;
use hindcast_intake::event_id;
use hindcast_ledger::commit::{self, CommitHeader, Hash};
use hindcast_ledger::port::{AppendError, Ledger, Seq};
use hindcast_ledger::subject::Subject;

/// Appends one event in an intake slot of tests, stamped `now`; the sequence number of its commit.
pub async fn event(
    ledger: &dyn Ledger,
    partition: &Partition,
    now: Time,
    (subject, actor): (&str, &str),
    event: Event,
) -> Seq {
    let slot = Subject::intake(partition, "by-hand");
    loop {
        let (expected, previous, counter) = match ledger.last(&slot).await.expect("the slot can be read") {
            Some(record) => {
                let (header, hash) = commit::decode_header(&record.payload).expect("a commit of this slot");
                (record.seq, hash, header.counter)
            }
            None => (0, Hash::ZERO, 0),
        };
        let ledger_id = ledger.info().ledger_id.clone();
        let encoded = hindcast_events::encode(&Envelope {
            id: event_id(&ledger_id, &slot, counter + 1, 0),
            subject: subject.to_owned(),
            revision: None,
            time: now,
            actor: actor.to_owned(),
            cause: None,
            traceparent: None,
            event: event.clone(),
        });
        let header = CommitHeader::next(ledger_id, slot.clone(), counter + 1, (expected, previous), now);
        let payload = commit::encode(header, &[encoded]).expect("one event fits a commit").0;
        match ledger.append(&slot, expected, payload).await {
            Ok(seq) => return seq,
            // Another task of the same test was faster.
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => panic!("expected the ledger to take an event, got {error}"),
        }
    }
}
