//! Protobuf before it is decoded: how many messages there are in it. An empty message takes two bytes on the
//! wire and hundreds in memory, so that a small body could become a very large one. Owns the walk, and how a message is
//! taken apart and put together again; refuses to keep anything of what it sees.

use hindcast_api::{Code, Problem};
use hindcast_http::{HttpRefusal, Result};

use super::{NODES_MAX, too_many};

/// Levels of nesting that are read.
const DEPTH_MAX: usize = 64;

/// Which fields of a message are messages themselves, by their numbers.
pub(super) struct Shape(pub(super) &'static [(u64, &'static Self)]);

/// A message without messages in it.
pub(super) static LEAF: Shape = Shape(&[]);

/// Why a body is not read.
enum Unread {
    /// It breaks off, or is no protobuf.
    Broken,
    TooDeep,
    TooMany,
}

/// Checks that a body is whole, and not too much when it is decoded by this shape. A message within it that is broken in
/// itself is left to whoever decodes: it costs itself.
///
/// # Errors
/// 400 when it breaks off, is no protobuf or is nested too deep, 413 when it is too much.
pub(super) fn check(body: &[u8], shape: &'static Shape) -> Result<()> {
    let mut left = NODES_MAX;
    match walk(body, shape, 0, &mut left) {
        Ok(()) => Ok(()),
        Err(Unread::TooMany) => Err(too_many("messages", NODES_MAX)),
        Err(Unread::Broken | Unread::TooDeep) => {
            let problem = Problem::new(Code::Malformed, "expected protobuf, the body breaks off or is another thing");
            Err(HttpRefusal(problem.remedy("Send the complete message, in the encoding that Content-Type names.")))
        }
    }
}

fn walk(mut body: &[u8], shape: &'static Shape, depth: usize, left: &mut usize) -> std::result::Result<(), Unread> {
    if depth > DEPTH_MAX {
        return Err(Unread::TooDeep);
    }
    while !body.is_empty() {
        let (number, inner) = field(&mut body).ok_or(Unread::Broken)?;
        let within = shape.0.iter().find(|(field, _)| *field == number);
        if let (Some(inner), Some((_, shape))) = (inner, within) {
            *left = left.checked_sub(1).ok_or(Unread::TooMany)?;
            match walk(inner, shape, depth + 1, left) {
                Ok(()) | Err(Unread::Broken) => {}
                Err(too_much) => return Err(too_much),
            }
        }
    }
    Ok(())
}

/// The next field of a message: its number, and what it holds where that has a length; `None` where none begins there.
fn field<'a>(body: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let tag = varint(body)?;
    let size = match tag & 7 {
        0 => {
            varint(body)?;
            return Some((tag >> 3, None));
        }
        1 => 8,
        2 => usize::try_from(varint(body)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let inner = take(body, size)?;
    Some((tag >> 3, (tag & 7 == 2).then_some(inner)))
}

/// The fields of a message that have a length, by their numbers, as far as it can be read.
pub(super) fn fields(mut body: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let all = std::iter::from_fn(move || if body.is_empty() { None } else { field(&mut body) });
    all.filter_map(|(number, inner)| Some((number, inner?)))
}

/// A message in a field of another.
pub(super) fn wrapped(field: u64, inner: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(inner.len() + 8);
    prost::encoding::encode_varint(field << 3 | 2, &mut bytes);
    prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
    bytes.extend_from_slice(inner);
    bytes
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
        assert!(check(&nested(&[11, 0]), &OUTER).is_ok(), "a broken message within costs itself");
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
