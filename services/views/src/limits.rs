//! Every bound of the views in one place, with its unit last in its name.

/// Events after which a batch is written, data and checkpoint together.
pub(crate) const BATCH_EVENTS: usize = 4_096;
/// Bytes of a batch after which it is written.
pub(crate) const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Alerts of which it is known in memory where they began to fire: one that joins an incident did so just now.
pub(crate) const FIRED_KEPT: usize = 8_192;
/// How often the projection's journal is synced to disk, in seconds. The ledger is the truth; what is lost
/// here is projected again.
pub(crate) const SYNC_EVERY_SECS: u64 = 5;
/// Bytes of blocks that are kept in memory.
pub(crate) const CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes of a keyspace's newest writes that are kept in memory.
pub(crate) const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of journals on the disk: what stands in them and in no table yet is written to tables beyond that.
pub(crate) const JOURNAL_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of one block of documents: versions of one entity lie side by side and compress each other away.
pub(crate) const DOCUMENT_BLOCK_BYTES: u32 = 32 * 1024;
/// Bytes of events that stay unpacked in memory for whoever reads them next.
pub(crate) const UNPACKED_BYTES: u64 = 16 * 1024 * 1024;
/// Commits that this is expected to be.
pub(crate) const UNPACKED_COMMITS: usize = 1_024;
/// Steps of a receipt; the first and the last ones are kept.
pub(crate) const RECEIPT_STEPS_MAX: usize = 200;
/// Steps that are kept from the beginning of a receipt that is too long.
pub(crate) const RECEIPT_STEPS_FIRST: usize = 50;
/// Events of one alert, or of one incident's notices, that a receipt reads.
pub(crate) const RECEIPT_EVENTS_MAX: usize = 20_000;
/// Lines of an incident's timeline before they are folded together.
pub(crate) const TIMELINE_EVENTS_MAX: usize = 200_000;
/// Alerts that are named as kept out of an incident.
pub(crate) const KEPT_OUT_MAX: usize = 100;
/// Decisions that are read for these, the newest first: each is an event of the ledger.
pub(crate) const CONSIDERED_READ_MAX: usize = 200;
/// Commands whose outcome may still come after a restart.
pub(crate) const COMMANDS_MAX: usize = 10_000;
/// Batches of repeats after which the counts are written.
pub(crate) const REPEAT_BATCHES_UNWRITTEN: usize = 256;
/// Repeats of alerts after which the counts are written, however few the batches: so many are read for an answer as of
/// a past position.
pub(crate) const REPEAT_ALERTS_UNWRITTEN: usize = 8_192;
/// Changes that are named for one incident.
pub(crate) const CHANGES_MAX: usize = 100;
/// Events by which the end of an incomplete search is told apart from a long one.
pub(crate) const LOOK_BACK_EVENTS_MAX: usize = 1_000;

const _: () = assert!(RECEIPT_STEPS_FIRST < RECEIPT_STEPS_MAX, "a long receipt keeps its end too");

/// Positions whose counts are kept at hand: at a hundred batches a second, those of the last ten seconds and more.
pub(crate) const RECENT_COUNTS: usize = 1_024;
/// Findings or services that are looked through for one question.
pub(crate) const FINDINGS_READ_MAX: usize = 10_000;
