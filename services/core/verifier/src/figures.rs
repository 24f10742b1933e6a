//! Numbers: how one is read, and when a written one is a measured one, rounded as a person rounds. Refuses to
//! know what is counted.

/// What stands behind a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FigureUnit {
    /// Nothing.
    None,
    /// A share of a hundred.
    Percent,
    /// A factor: thousands or millions.
    Times(f64),
    /// Bytes, with the two sizes that the unit may have.
    Bytes(f64, f64),
}

impl FigureUnit {
    /// The unit of a word in lower case.
    pub fn of(word: &str) -> Self {
        let bytes = |power: i32| Self::Bytes(1_000_f64.powi(power), 1_024_f64.powi(power));
        match word.trim() {
            "%" | "percent" | "per cent" => Self::Percent,
            "k" | "thousand" => Self::Times(1e3),
            "m" | "million" => Self::Times(1e6),
            "bn" | "billion" => Self::Times(1e9),
            "byte" | "bytes" => Self::Bytes(1.0, 1.0),
            "kb" | "kib" => bytes(1),
            "mb" | "mib" => bytes(2),
            "gb" | "gib" => bytes(3),
            "tb" | "tib" => bytes(4),
            "pb" | "pib" => bytes(5),
            _ => Self::None,
        }
    }
}

/// What the words before a number make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hedge {
    /// It is meant as it stands.
    None,
    About,
    More,
    Less,
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WrittenFigure {
    /// As it stands, without its unit.
    pub value: f64,
    /// Digits behind the point.
    pub decimals: u32,
    /// What stands behind it.
    pub unit: FigureUnit,
    /// What the words before it make of it.
    pub hedge: Hedge,
    /// Whether it is written as a word.
    pub word: bool,
}

impl WrittenFigure {
    /// Reads digits with separators.
    pub fn read(digits: &str, unit: FigureUnit, hedge: Hedge) -> Option<Self> {
        let plain: String = digits
            .chars()
            .filter(|c| !matches!(c, ',' | '\u{202f}' | '\u{2009}' | '+'))
            .map(|c| if c == '−' { '-' } else { c })
            .collect();
        let mantissa = plain.split(['e', 'E']).next().unwrap_or_default();
        let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let value: f64 = plain.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(Self { value, decimals: u32::try_from(decimals).ok()?, unit, hedge, word: false })
    }

    /// Whether it is how a person would write `measured`, which is in the same unit.
    pub fn is(&self, measured: f64) -> bool {
        if !measured.is_finite() {
            return false;
        }
        let (written, measured) = (self.value.abs(), measured.abs());
        match self.hedge {
            Hedge::None => rounded(written, self.decimals, measured),
            Hedge::About => {
                rounded(written, self.decimals, measured) || (written - measured).abs() <= 0.1 * written.max(measured)
            }
            // a bound that is true and of no use is no lie, but nobody says "more than 3" of 4,000
            Hedge::More => {
                rounded(written, self.decimals, measured) || (measured >= written && measured <= 1.34 * written)
            }
            Hedge::Less => {
                rounded(written, self.decimals, measured) || (measured <= written && measured >= 0.66 * written)
            }
        }
    }
}

/// Whether `written`, with so many decimals, is `measured` rounded to them, or to two significant digits or
/// more.
fn rounded(written: f64, decimals: u32, measured: f64) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9);
    let step = 10_f64.powi(-i32::try_from(decimals).unwrap_or(9));
    let finer = !near(measured, (measured / step).round() * step);
    // cut off instead of rounded is forgiven only behind a point
    let half = if decimals > 0 { 0.5 * step } else { 0.5 };
    if near(written, measured) || (finer && (written - measured).abs() <= half * (1.0 + 1e-9)) {
        return true;
    }
    if written < 100.0 || measured == 0.0 {
        return false;
    }
    #[allow(clippy::cast_possible_truncation)] // the size of a finite number
    let size = measured.log10().floor() as i32;
    (2..=4).any(|digits| {
        let step = 10_f64.powi(size + 1 - digits);
        near(written, (measured / step).round() * step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(written: &str, measured: f64) -> bool {
        WrittenFigure::read(written, FigureUnit::None, Hedge::None).unwrap().is(measured)
    }

    #[test]
    fn a_person_rounds() {
        for (written, measured) in [
            ("41", 41.3),
            ("41.3", 41.34),
            ("1,200", 1_204.0),
            ("1,204", 1_204.0),
            ("0.2", 0.213),
            ("100", 100.0),
            ("38", 37.6),
        ] {
            assert!(says(written, measured), "{written} is {measured}");
        }
    }

    #[test]
    fn a_person_does_not_change_a_count() {
        for (written, measured) in
            [("42", 41.3), ("97", 100.0), ("100", 97.0), ("4", 3.0), ("1,300", 1_204.0), ("0.4", 0.213), ("40", 41.0)]
        {
            assert!(!says(written, measured), "{written} is not {measured}");
        }
    }

    #[test]
    fn a_hedge_widens_and_has_an_end() {
        let about = WrittenFigure::read("40", FigureUnit::None, Hedge::About).unwrap();
        assert!(about.is(38.0) && !about.is(30.0));
        let more = WrittenFigure::read("1,000", FigureUnit::None, Hedge::More).unwrap();
        assert!(more.is(1_204.0) && !more.is(900.0) && !more.is(9_000.0));
    }
}
