//! Protobuf before it is decoded: how many messages there are in it. An empty message takes two bytes on the
//! wire and hundreds in memory, so that a small body could become a very large one. Owns the walk; refuses to
//! keep anything of what it sees.

use hindcast_api::{Code, Problem};
use hindcast_http::{HttpRefusal, Result};

use super::{NODES_MAX, too_many};

/// Levels of nesting that are read.
const DEPTH_MAX: usize = 64;

/// Which fields of a message are messages themselves, by their numbers.
pub(super) struct Shape(pub(super) &'static [(u64, &'static Self)]);

/// A message without messages in it.
pub(super) static LEAF: Shape = Shape(&[]);

/// Checks that a body is protobuf of this shape's nesting, whole, and not too much.
///
/// # Errors
/// 400 when it breaks off or is no protobuf, 413 when it is too much.
pub(super) fn check(body: &[u8], shape: &'static Shape) -> Result<()> {
    let mut left = NODES_MAX;
    match walk(body, shape, 0, &mut left) {
        Some(()) => Ok(()),
        None if left == 0 => Err(too_many("messages", NODES_MAX)),
        None => {
            let problem = Problem::new(Code::Malformed, "expected protobuf, the body breaks off or is another thing");
            Err(HttpRefusal(problem.remedy("Send the complete message, in the encoding that Content-Type names.")))
        }
    }
}

fn walk(mut body: &[u8], shape: &'static Shape, depth: usize, left: &mut usize) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    while !body.is_empty() {
        let tag = varint(&mut body)?;
        match tag & 7 {
            0 => drop(varint(&mut body)?),
            1 => drop(take(&mut body, 8)?),
            2 => {
                let size = usize::try_from(varint(&mut body)?).ok()?;
                let inner = take(&mut body, size)?;
                if let Some((_, shape)) = shape.0.iter().find(|(field, _)| *field == tag >> 3) {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        return None;
                    }
                    walk(inner, shape, depth + 1, left)?;
                }
            }
            5 => drop(take(&mut body, 4)?),
            _ => return None,
        }
    }
    Some(())
}

fn take<'a>(body: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (taken, rest) = body.split_at_checked(size)?;
    *body = rest;
    Some(taken)
}

fn varint(body: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = body.split_first()?;
        *body = rest;
        value |= u64::from(first & 0x7f) << shift;
        if *first < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    static INNER: Shape = Shape(&[(1, &LEAF)]);
    static OUTER: Shape = Shape(&[(1, &INNER)]);
    static RING: Shape = Shape(&[(1, &RING)]);

    /// A message in field 1.
    fn nested(inner: &[u8]) -> Vec<u8> {
        let mut bytes = vec![10];
        let mut size = inner.len();
        while size >= 0x80 {
            bytes.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        bytes.push(size as u8);
        bytes.extend_from_slice(inner);
        bytes
    }

    #[test]
    fn what_breaks_off_is_no_protobuf() {
        // A message that holds an empty one, a number, and two of fixed size.
        let inner = [10, 0, 16, 200, 1, 25, 1, 2, 3, 4, 5, 6, 7, 8, 37, 1, 2, 3, 4];
        let whole = nested(&inner);
        assert!(check(&whole, &OUTER).is_ok());
        for end in 1..whole.len() {
            assert_eq!(check(&whole[..end], &OUTER).unwrap_err().0.status, 400, "cut at {end}");
        }
        assert_eq!(check(&[11, 0], &OUTER).unwrap_err().0.status, 400, "a group");
    }

    #[test]
    fn many_small_messages_are_too_much_and_deep_ones_are_refused() {
        let many = [10, 0].repeat(NODES_MAX + 1);
        assert_eq!(check(&many, &OUTER).unwrap_err().0.status, 413);
        assert!(check(&many, &LEAF).is_ok(), "what is not read is not counted");
        let deep = |levels: usize| (0..levels).fold(Vec::new(), |inner, _| nested(&inner));
        assert!(check(&deep(DEPTH_MAX), &RING).is_ok());
        assert_eq!(check(&deep(DEPTH_MAX + 2), &RING).unwrap_err().0.status, 400);
    }
}
