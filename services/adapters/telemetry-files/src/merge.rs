//! Lines of many frames in the order of their time, without all of them in memory. Owns what waits; refuses to
//! know what a line says.

use std::collections::BTreeMap;

use hindcast_domain::Time;

/// Bytes that wait at most; beyond, the oldest go on although an older one might still come.
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// When, and where in the order of arrival: frame, and number within it.
pub(crate) type ArrivalKey = (Time, u64, usize);

/// Lines that wait until none that is older can come.
#[derive(Default)]
pub(crate) struct LineMerge {
    waiting: BTreeMap<ArrivalKey, Vec<u8>>,
    bytes: usize,
}

impl LineMerge {
    pub(crate) fn push(&mut self, key: ArrivalKey, line: Vec<u8>) {
        self.bytes += line.len();
        if let Some(before) = self.waiting.insert(key, line) {
            self.bytes -= before.len();
        }
    }

    /// Hands on what is older than `time`, the beginning of all frames that come, or what is too much to wait.
    pub(crate) fn release(&mut self, time: Time, mut on: impl FnMut(Time, Vec<u8>)) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 >= time && self.bytes <= WAITING_BYTES_MAX {
                return;
            }
            let ((time, ..), line) = first.remove_entry();
            self.bytes -= line.len();
            on(time, line);
        }
    }

    /// Hands on all that is left.
    pub(crate) fn finish(self, mut on: impl FnMut(Time, Vec<u8>)) {
        for ((time, ..), line) in self.waiting {
            on(time, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_the_order_of_their_time_and_then_of_arrival() {
        let at = Time::from_millis;
        let mut merge = LineMerge::default();
        let mut out = Vec::new();
        for (key, line) in [((at(3), 1, 0), "c"), ((at(1), 2, 1), "b"), ((at(1), 2, 0), "a")] {
            merge.push(key, line.into());
        }
        merge.release(at(3), |_, line| out.push(line));
        assert_eq!(out, [b"a", b"b"]);
        merge.finish(|_, line| out.push(line));
        assert_eq!(out.last().unwrap(), b"c");
    }
}
