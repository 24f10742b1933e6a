//! Bytes as hexadecimal digits and back. Owns the only code that writes or reads them, so that every hash, key and
//! id of an installation is spelt in one way: small digits, two per byte, without a prefix.

/// The digits by their value.
const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

/// The bytes in small hexadecimal digits, two per byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| DIGITS[usize::from(value & 0x0f)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The bytes that the digits stand for, small or capital; `None` where a digit is missing or is something else.
#[must_use]
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

/// Exactly `N` bytes from `2 * N` digits; `None` where there are more, fewer, or something else.
#[must_use]
pub fn unhex_array<const N: usize>(digits: &str) -> Option<[u8; N]> {
    unhex(digits)?.try_into().ok()
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_written_as_the_formatter_writes_it_and_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        let written = hex(&all);
        assert_eq!(written, all.iter().map(|byte| format!("{:0>2}", format!("{byte:x}"))).collect::<String>());
        assert_eq!(unhex(&written), Some(all.clone()));
        assert_eq!(unhex(&written.to_uppercase()), Some(all));
        assert_eq!((hex(&[]), unhex("")), (String::new(), Some(Vec::new())));
    }

    #[test]
    fn what_is_not_whole_bytes_of_digits_is_refused() {
        for wrong in ["f", "abc", "+f", "-1", "0x", " f", "g0", "fé", "é", "\u{ff10}\u{ff10}"] {
            assert_eq!(unhex(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_array_has_exactly_its_length() {
        assert_eq!(unhex_array::<2>("0aFf"), Some([0x0a, 0xff]));
        assert_eq!(unhex_array::<2>("0a"), None);
        assert_eq!(unhex_array::<2>("0aff00"), None);
        assert_eq!(unhex_array::<2>("0agg"), None);
    }
}
