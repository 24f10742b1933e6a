//! The events of a commit as one packed body: length u32 LE and JSON, repeated, under zstd. Owns the buffers that this
//! takes: they are of megabytes, and memory that is asked for anew each time costs more than packing does. Refuses to
//! know what stands around a body.

use std::cell::RefCell;
use std::ops::Range;

const ZSTD_LEVEL: i32 = 1;
/// No commit of ours unpacks to more than this; a larger one is damage, not data.
const UNPACKED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a buffer that a thread keeps.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

thread_local! {
    // Making one of these costs more than to pack a small commit with it.
    static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> =
        RefCell::new(zstd::bulk::Compressor::new(ZSTD_LEVEL).ok());
    static UNPACKER: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        RefCell::new(zstd::bulk::Decompressor::new().ok());
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Lends a buffer of this thread.
fn with_buffer<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    let made = work(&mut buffer);
    if buffer.capacity() <= KEPT_BYTES_MAX {
        buffer.clear();
        BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    }
    made
}

/// Packs events behind what stands in `framed`; false where memory does not take it.
pub(crate) fn pack(events: &[Vec<u8>], framed: &mut Vec<u8>) -> bool {
    with_buffer(|body| {
        body.reserve(events.iter().map(|event| event.len() + 4).sum());
        for event in events {
            body.extend_from_slice(&u32::try_from(event.len()).unwrap_or(u32::MAX).to_le_bytes());
            body.extend_from_slice(event);
        }
        with_buffer(|packed| {
            packed.reserve(zstd::zstd_safe::compress_bound(body.len()));
            let pack = |packer: &mut Option<zstd::bulk::Compressor<'static>>| {
                packer.as_mut().is_some_and(|packer| packer.compress_to_buffer(body.as_slice(), packed).is_ok())
            };
            let done = PACKER.with_borrow_mut(pack) && !packed.is_empty();
            framed.extend_from_slice(packed);
            done
        })
    })
}

/// Unpacks a body of so many events and shows `read` its bytes and where each event lies; `None` where it is none.
pub(crate) fn unpacked<T>(events: u32, body: &[u8], read: impl FnOnce(&[u8], Vec<Range<usize>>) -> T) -> Option<T> {
    if events == 0 {
        return Some(read(&[], Vec::new()));
    }
    let announced = zstd::zstd_safe::get_frame_content_size(body).ok().flatten().unwrap_or(0);
    let size = usize::try_from(announced).unwrap_or(usize::MAX).min(UNPACKED_BYTES_MAX);
    with_buffer(|bytes| {
        bytes.reserve(size);
        let unpack = |unpacker: &mut Option<zstd::bulk::Decompressor<'static>>| {
            unpacker.as_mut().is_some_and(|unpacker| unpacker.decompress_to_buffer(body, bytes).is_ok())
        };
        if !UNPACKER.with_borrow_mut(unpack) {
            return None;
        }
        let places = places(events, bytes)?;
        Some(read(bytes, places))
    })
}

/// Where each event lies, if there are so many and nothing else.
fn places(events: u32, bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    // A count that a body cannot hold is no reason to ask for memory.
    let mut places = Vec::with_capacity((events as usize).min(bytes.len() / 4));
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 4) {
        let start = at + 4;
        at = start.checked_add(u32::from_le_bytes(length.try_into().ok()?) as usize)?;
        places.push(start..at);
    }
    (at == bytes.len() && places.len() == events as usize).then_some(places)
}

/// A commit's events as they were written, in one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnpackedEvents {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl UnpackedEvents {
    /// Unpacks a body of so many events; `None` where it is none.
    pub(crate) fn of(events: u32, body: &[u8]) -> Option<Self> {
        unpacked(events, body, |bytes, places| Self { bytes: bytes.to_vec(), places })
    }

    /// The event at an index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.bytes.get(self.places.get(index)?.clone())
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Bytes of all.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_and_a_buffer_remembers_nothing() {
        for length in [100_000, 3, 70_000, 0] {
            let events: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; length]).collect();
            let mut framed = b"head".to_vec();
            assert!(pack(&events, &mut framed));
            let body = &framed[4..];
            let back = UnpackedEvents::of(5, body).unwrap();
            assert!((0..5).all(|n| back.get(n) == Some(events[n].as_slice())) && back.get(5).is_none());
            assert_eq!(UnpackedEvents::of(4, body), None, "another count");
            assert_eq!(UnpackedEvents::of(5, &body[..body.len() - 1]), None, "cut short");
        }
        assert_eq!(UnpackedEvents::of(0, b"anything").map(|none| none.len()), Some(0));
    }
}
