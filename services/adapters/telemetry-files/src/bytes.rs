//! Numbers and texts as bytes and back. Owns LEB128, zigzag, and that a length that is not there reserves nothing; refuses
//! to know what the bytes mean.

use std::collections::HashMap;

/// Bytes on their way out.
#[derive(Default)]
pub(crate) struct ByteWriter(pub(crate) Vec<u8>);

#[allow(clippy::cast_possible_truncation)] // the low seven bits are what is meant
impl ByteWriter {
    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    #[allow(clippy::cast_sign_loss)] // zigzag
    pub(crate) fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// Bytes that are read from the front; `None` where they do not hold what is asked for.
#[derive(Clone, Copy)]
pub(crate) struct ByteReader<'a>(pub(crate) &'a [u8]);

impl<'a> ByteReader<'a> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A count of things that take at least one byte each, so that a wrong one reserves nothing.
    pub(crate) fn count(&mut self) -> Option<usize> {
        self.size().filter(|count| *count <= self.0.len())
    }

    #[allow(clippy::cast_possible_wrap)] // zigzag
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let size = self.size()?;
        self.take(size)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

/// Numbers things in the order in which they first come.
pub(crate) struct StringTable<K> {
    numbers: HashMap<K, u64>,
    pub(crate) order: Vec<K>,
}

impl<K: Copy + Eq + std::hash::Hash> StringTable<K> {
    pub(crate) fn new() -> Self {
        Self { numbers: HashMap::new(), order: Vec::new() }
    }

    pub(crate) fn number(&mut self, key: K) -> u64 {
        let next = self.order.len() as u64;
        *self.numbers.entry(key).or_insert_with(|| {
            self.order.push(key);
            next
        })
    }
}
