//! The layout of keys: how a kind, an id and a position become bytes whose order is the order of the lists.
//! Refuses to know what stands behind a key.
//!
//! Nothing is ever overwritten but the checkpoint: a key holds the position at which its value became
//! known, so that a reader as of `p` finds what it may see by a bound on the key.

/// Versioned documents; the letter is the first byte of their keys, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum DocumentKind {
    /// An alert's fold, by fingerprint.
    Alert = b'a',
    /// An incident's fold without its members, by id.
    Incident = b'i',
    /// A member of an incident, by (incident, fingerprint); empty once it left.
    Member = b'm',
    /// An incident's counts, by id.
    Tally = b't',
    /// A silence's fold, by id.
    Silence = b's',
    /// A notice's fold, by id.
    Notice = b'n',
    /// A parked item, by the id of its event.
    Parked = b'p',
    /// What became of a parked item, by the id of its event.
    Unparked = b'u',
    /// A configuration section, by name.
    Section = b'c',
    /// A service of an environment, by both; only where it was first seen.
    Watched = b'w',
    /// A label's fold, by id.
    Label = b'b',
    /// Which version of a model is in force, by the model's name.
    Alias = b'g',
    /// Where the oldest notice began that is requested or held, by [`OPEN_NOTICES`]; empty where there is none.
    Mark = b'k',
    /// What people say of a thing, by kind and thing: whether they differ.
    Dispute = b'd',
    /// Totals of labels and of closed incidents: of all under no name, and by service.
    Cover = b'v',
    /// Whether an incident is over, and whether its cause is named, by id.
    Closed = b'x',
    /// An incident as a report counts it, by [`row`].
    Row = b'r',
    /// Repeats of an alert by its fingerprint, and of an incident's alerts by its id, as of every so many batches.
    Repeats = b'h',
}

/// The id of the mark of open notices.
pub(crate) const OPEN_NOTICES: &str = "notices";

/// The id of the mark of where the counts of repeats were last written.
pub(crate) const WRITTEN_REPEATS: &str = "repeats";

/// What is noted beside an alert's joining in the index of types, where the decision gives reasons; where the alert came
/// back there are none.
pub(crate) const GROUPING: &[u8] = b"g";

/// Lists in the order of positions; the letter is the first byte of their keys, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum List {
    /// Alerts by the position at which they were first seen → fingerprint.
    Alerts = b'A',
    /// Incidents by the position at which they began → id.
    Incidents = b'I',
    /// Silences by the position at which they were created → id.
    Silences = b'S',
    /// Notices by the position at which they were asked for or held → id.
    Notices = b'N',
    /// Parked items by position → the id of their event.
    Parked = b'P',
    /// Configuration sections by the position at which they were first seen → name.
    Sections = b'C',
    /// Labels by the position at which they were given → id.
    Labels = b'B',
    /// Models by the position at which a version was first put in force → name.
    Aliases = b'G',
}

/// Events that have to do with something, by its id; the letter is the first byte of their keys, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum MentionIndex {
    /// An incident's timeline.
    Timeline = b'l',
    /// An alert's receipt.
    Receipt = b'r',
    /// A notice's events.
    Notice = b'n',
    /// The notices of an incident, by the position at which they began.
    NoticesOf = b'o',
    /// Events that follow from a command.
    Caused = b'c',
    /// Alerts of a name, by the position at which they were first seen.
    Named = b'm',
    /// Alerts of a sender's fingerprint, likewise.
    SentAs = b's',
    /// Commands of an idempotency key.
    Key = b'y',
    /// Events of a conversation, a proposal or a finding, by its id.
    Subject = b'j',
    /// Alerts that joined an incident, by the position at which each was first seen → fingerprint. One that left since
    /// has an empty member's document.
    AlertsOf = b'a',
    /// Proposals and questions about an incident, by their event → their id.
    MadeFor = b'i',
    /// Labels of a thing, by its id → the label's id.
    LabelsOn = b'b',
    /// Labels that people gave, by kind and thing → the label's id.
    Topic = b'p',
}

/// Events that have to do with something, all of one commit in one entry; the letter is the second byte of their keys,
/// for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum PackedIndex {
    /// Events of a type.
    Type = b't',
    /// Grouping decisions that considered an incident and chose another one.
    Considered = b'k',
}

/// The one key that is overwritten.
pub(crate) const CHECKPOINT: &[u8] = b"!checkpoint";

const FIRST: u8 = b'1';
const EVENT: u8 = b'2';
const COMMIT: u8 = b'3';
const CHANGE: u8 = b'4';
const LIST: u8 = b'5';
const ABOUT: u8 = b'6';
const FINDING: u8 = b'7';
const RECORDED: u8 = b'8';
const PACKED: u8 = b'9';

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The versions of a document, without the position.
pub(crate) fn document_prefix(kind: DocumentKind, id: &str) -> Vec<u8> {
    join(&[&[kind as u8], id.as_bytes(), &[0]])
}

/// One version of a document.
pub(crate) fn document(kind: DocumentKind, id: &str, position: u64) -> Vec<u8> {
    join(&[&document_prefix(kind, id), &position.to_be_bytes()])
}

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

/// The id of an incident's row: those of a day stand together, the days in order.
pub(crate) fn row(opened_at: i64, incident: &str) -> String {
    format!("{}{incident}", row_day(opened_at))
}

/// What the ids of a day's rows begin with.
pub(crate) fn row_day(at: i64) -> String {
    format!("{:08}/", at.div_euclid(DAY).max(0))
}

/// What stands behind all rows of a day.
pub(crate) fn row_day_end(at: i64) -> String {
    format!("{:08}0", at.div_euclid(DAY).max(0))
}

/// Whose row it is: what stands behind the day of opening.
pub(crate) fn row_incident(id: &str) -> &str {
    id.split_once('/').map_or(id, |(_, incident)| incident)
}

/// The id of a member's document.
pub(crate) fn member(incident: &str, fingerprint: &str) -> String {
    format!("{incident}\u{1}{fingerprint}")
}

/// Where an id of that kind was first seen.
pub(crate) fn first(kind: DocumentKind, id: &str) -> Vec<u8> {
    join(&[&[FIRST, kind as u8], id.as_bytes()])
}

/// Where an event stands, by its id.
pub(crate) fn event(id: &str) -> Vec<u8> {
    join(&[&[EVENT], id.as_bytes()])
}

/// A commit, by the time at which it was known.
pub(crate) fn commit(recorded_at: i64, seq: u64) -> Vec<u8> {
    join(&[&[COMMIT], &ordered(recorded_at), &seq.to_be_bytes()])
}

/// When a commit that holds events was recorded, by its sequence.
pub(crate) fn recorded(seq: u64) -> Vec<u8> {
    join(&[&[RECORDED], &seq.to_be_bytes()])
}

/// A change, by the time at which it happened.
pub(crate) fn change(at: i64, position: u64) -> Vec<u8> {
    join(&[&[CHANGE], &ordered(at), &position.to_be_bytes()])
}

/// A finding, by the time at which it began.
pub(crate) fn finding(at: i64, position: u64) -> Vec<u8> {
    join(&[&[FINDING], &ordered(at), &position.to_be_bytes()])
}

/// The id under which a service of an environment is noted.
pub(crate) fn watched(environment: &str, service: &str) -> String {
    format!("{environment}\u{1}{service}")
}

/// The id under which a shadow's words about an alert are found.
pub(crate) fn shadowed(fingerprint: &str) -> String {
    format!("shadow/{fingerprint}")
}

/// An entry of a list.
pub(crate) fn list(list: List, position: u64) -> Vec<u8> {
    join(&[&[LIST, list as u8], &position.to_be_bytes()])
}

/// What an id has to do with, without the positions.
pub(crate) fn about_prefix(about: MentionIndex, id: &str) -> Vec<u8> {
    join(&[&[ABOUT, about as u8], id.as_bytes(), &[0]])
}

/// An event that has to do with an id, and the position since which that is known.
pub(crate) fn about(about: MentionIndex, id: &str, position: u64, known: u64) -> Vec<u8> {
    join(&[&about_prefix(about, id), &position.to_be_bytes(), &known.to_be_bytes()])
}

/// Events of one commit that have to do with an id, by the first of them.
pub(crate) fn packed(index: PackedIndex, id: &str, first: u64) -> Vec<u8> {
    join(&[&[PACKED, index as u8], id.as_bytes(), &[0], &first.to_be_bytes()])
}

/// Eight bytes whose order is the order of the signed number.
fn ordered(signed: i64) -> [u8; 8] {
    (signed.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The number in the last eight bytes.
pub(crate) fn tail(key: &[u8]) -> Option<u64> {
    tail_before(key, 0)
}

/// The number in the eight bytes that end `skip` bytes before the end.
pub(crate) fn tail_before(key: &[u8], skip: usize) -> Option<u64> {
    let end = key.len().checked_sub(skip)?;
    let bytes = key.get(end.checked_sub(8)?..end)?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// The smallest key behind all that begin with `prefix`; `None` where there is none.
pub(crate) fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_their_positions_and_times_do() {
        assert!(document(DocumentKind::Alert, "ab", 255) < document(DocumentKind::Alert, "ab", 256));
        assert!(commit(-1, 9) < commit(0, 1));
        assert!(commit(5, 1) < commit(5, 2));
    }

    #[test]
    fn an_id_that_begins_like_another_has_other_versions() {
        assert!(
            !document(DocumentKind::Section, "paging2", 7)
                .starts_with(&document_prefix(DocumentKind::Section, "paging"))
        );
    }

    #[test]
    fn both_positions_are_read_back() {
        let key = about(MentionIndex::Receipt, "f", 7, 9);
        assert_eq!((tail_before(&key, 8), tail(&key)), (Some(7), Some(9)));
    }
}
