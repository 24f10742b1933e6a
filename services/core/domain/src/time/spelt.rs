//! The one spelling of an instant, RFC 3339 in UTC, written and read digit by digit: an alert's decisions and documents
//! hold dozens of them. What has another form is left to whoever knows all of RFC 3339.

const NANOS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// The text of an instant: at most `2026-11-20T03:12:00.123456789Z`.
pub(crate) struct SpeltTime {
    bytes: [u8; 30],
    length: usize,
}

impl SpeltTime {
    /// The text of an instant in nanoseconds since the epoch.
    pub(crate) fn of(nanos: i64) -> Self {
        let (seconds, mut fraction) = (nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS));
        let (year, month, day) = civil(seconds.div_euclid(DAY_S));
        let clock = seconds.rem_euclid(DAY_S);
        let mut bytes = *b"0000-00-00T00:00:00.000000000Z";
        digits(&mut bytes[0..4], year);
        digits(&mut bytes[5..7], month);
        digits(&mut bytes[8..10], day);
        digits(&mut bytes[11..13], clock / 3_600);
        digits(&mut bytes[14..16], clock / 60 % 60);
        digits(&mut bytes[17..19], clock % 60);
        if fraction == 0 {
            bytes[19] = b'Z';
            return Self { bytes, length: 20 };
        }
        let mut places = 9;
        while fraction % 10 == 0 {
            fraction /= 10;
            places -= 1;
        }
        digits(&mut bytes[20..20 + places], fraction);
        bytes[20 + places] = b'Z';
        Self { bytes, length: 21 + places }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// The instant of a text of the one spelling, in nanoseconds since the epoch; `None` for every other form.
pub(crate) fn read(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (head, rest) = bytes.split_at_checked(19)?;
    let number = |from: usize, to: usize| of_digits(head.get(from..to)?);
    let borders = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if borders.iter().any(|(at, border)| head.get(*at) != Some(border)) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let fraction = match rest {
        [b'Z'] => 0,
        [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => {
            let missing = u32::try_from(9 - fraction.len()).ok()?;
            of_digits(fraction)? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    let days = days(year, month, day);
    // A day that its month does not have is none.
    if hour > 23 || minute > 59 || second > 59 || civil(days) != (year, month, day) {
        return None;
    }
    let seconds = days * DAY_S + hour * 3_600 + minute * 60 + second;
    i64::try_from(i128::from(seconds) * i128::from(NANOS) + i128::from(fraction)).ok()
}

fn digits(into: &mut [u8], mut number: i64) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

fn of_digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Year, month and day of a day since the epoch, in the Gregorian calendar. By Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>): years begin in March, so that the leap day is their last.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// The other way round: `days_from_civil` of the same page.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jiff(nanos: i64) -> String {
        jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap().to_string()
    }

    #[test]
    fn the_spelling_is_that_of_the_calendar_library() {
        let edges = [0, 1, -1, NANOS, -NANOS, i64::MAX, i64::MIN, 951_782_400 * NANOS, 1_709_164_800 * NANOS + 120];
        let mut state = 7_u64;
        let random = (0..20_000).map(|round: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let nanos = state.cast_signed();
            // Whole days, seconds and milliseconds too.
            nanos - nanos % [1, 1_000_000, NANOS, NANOS * DAY_S][round as usize % 4]
        });
        for nanos in edges.into_iter().chain(random) {
            let spelt = SpeltTime::of(nanos);
            assert_eq!(spelt.as_str(), jiff(nanos));
            assert_eq!(read(spelt.as_str()), Some(nanos), "{}", spelt.as_str());
        }
    }

    #[test]
    fn what_has_another_form_is_left_alone() {
        let others = [
            "",
            "2026-11-20",
            "2026-11-20T03:12:00",
            "2026-11-20t03:12:00Z",
            "2026-11-20T03:12:00z",
            "2026-11-20T03:12:00+00:00",
            "2026-11-20T03:12:60Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T03:12:00.Z",
            "2026-11-20T03:12:00.1234567890Z",
            "2026-11-20 03:12:00Z",
            "9999-01-01T00:00:00Z",
            "2026-1x-20T03:12:00Z",
        ];
        for text in others {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
