//! What is noted of the events of one type in one commit, in one value: a commit has hundreds of events of few types, and
//! an entry for each would be the most of what is written. Refuses to know what a note says.

use crate::error::Error;

/// Bytes before a note: its event's index in the commit, and its length.
const HEAD: usize = 6;

/// Notes on their way into a value.
#[derive(Default)]
pub(super) struct PackedNotes(Vec<u8>);

impl PackedNotes {
    /// Adds an event by its index in the commit, with what is noted of it.
    pub(super) fn push(&mut self, index: u16, note: &[u8]) {
        self.0.extend_from_slice(&index.to_be_bytes());
        self.0.extend_from_slice(&u32::try_from(note.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(note);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The indexes and notes of a value, in their order.
pub(super) fn unpacked(mut value: &[u8]) -> Result<Vec<(u16, &[u8])>, Error> {
    let form = || Error::Form { expected: "notes of a commit's events" };
    let mut found = Vec::with_capacity(value.len() / HEAD);
    while !value.is_empty() {
        let (head, rest) = value.split_first_chunk::<HEAD>().ok_or_else(form)?;
        let [a, b, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| form())?;
        let (note, rest) = rest.split_at_checked(length).ok_or_else(form)?;
        found.push((u16::from_be_bytes([a, b]), note));
        value = rest;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_what_is_cut_is_refused() {
        let mut notes = PackedNotes::default();
        notes.push(3, b"");
        notes.push(4_095, b"services");
        let value = notes.into_bytes();
        assert_eq!(unpacked(&value).unwrap(), [(3, &b""[..]), (4_095, &b"services"[..])]);
        assert!(unpacked(&value[..value.len() - 1]).is_err());
        assert!(unpacked(&value[..4]).is_err());
    }
}
