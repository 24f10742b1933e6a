//! What a lane decided and has not appended yet: as it is written, and as it was decided, so that nobody in this process
//! has to read it again. Refuses to know when it is appended.

use hindcast_domain::event::Recorded;
use hindcast_ledger::RecordMemo;

use crate::read::WrittenEvents;

/// Decisions on their way into a commit.
#[derive(Default)]
pub(super) struct DecidedBatch {
    encoded: Vec<Vec<u8>>,
    events: Vec<Recorded>,
    bytes: usize,
}

impl DecidedBatch {
    pub(super) fn push(&mut self, decision: Recorded) {
        let encoded = hindcast_events::encode_decision(&decision);
        self.bytes += encoded.len();
        self.encoded.push(encoded);
        self.events.push(decision);
    }

    pub(super) const fn len(&self) -> usize {
        self.encoded.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// Bytes of it, before compression.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Each decision as it is written.
    pub(super) fn encoded(&self) -> &[Vec<u8>] {
        &self.encoded
    }

    /// The memo of the commit that holds it.
    pub(super) fn memo(&mut self) -> RecordMemo {
        RecordMemo::written(WrittenEvents(std::mem::take(&mut self.events)))
    }

    /// Lets go of what was appended.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
