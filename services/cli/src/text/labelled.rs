//! Lines with a label in front and places behind: `broke  02:41:07 postgres …  #8812`. Owns alignment and the
//! breaking of long lines at words; nothing is cut. Refuses to know what is told.

use unicode_width::UnicodeWidthStr as _;

use super::clean;
use super::ink::Ink;

/// Columns between the parts of a line.
const GAP: usize = 2;
/// The narrowest that text is broken to.
const TEXT_MIN: usize = 24;
/// Places behind a line before the rest is only counted.
const PLACES_MAX: usize = 4;

#[derive(Clone, Debug)]
struct LabelledLine {
    label: String,
    label_ink: Ink,
    text: String,
    ink: Ink,
    places: String,
}

/// Lines with labels.
#[derive(Clone, Debug, Default)]
pub struct Labelled {
    lines: Vec<LabelledLine>,
}

impl Labelled {
    /// Adds a line, with the positions that stand behind it.
    pub fn add(&mut self, label: &str, text: impl AsRef<str>, positions: &[u64]) -> &mut Self {
        self.inked((label, Ink::Faint), (text.as_ref(), Ink::Plain), positions)
    }

    /// Adds a line in inks of its own.
    pub fn inked(&mut self, label: (&str, Ink), text: (&str, Ink), positions: &[u64]) -> &mut Self {
        self.lines.push(LabelledLine {
            label: clean(label.0),
            label_ink: label.1,
            text: clean(text.0),
            ink: text.1,
            places: places(positions),
        });
        self
    }

    /// Label, text and places of each line, for a table of another kind.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.lines.iter().map(|line| (line.label.as_str(), line.text.as_str(), line.places.as_str()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines, moved to the right and broken to a width; unbroken without one.
    #[must_use]
    pub fn render(&self, indent: usize, width: Option<usize>, colour: bool) -> String {
        let labels = self.lines.iter().map(|line| line.label.width()).max().unwrap_or(0);
        let mut out = String::new();
        for line in &self.lines {
            let begin = indent + labels + GAP;
            let pad = labels - line.label.width() + GAP;
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(&line.label_ink.on(&line.label, colour));
            out.extend(std::iter::repeat_n(' ', pad));
            out.push_str(&line.body(begin, width, colour));
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
        out
    }
}

impl LabelledLine {
    fn body(&self, begin: usize, width: Option<usize>, colour: bool) -> String {
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(begin).max(TEXT_MIN));
        let mut rows = broken(&self.text, room);
        let last = rows.last().map_or(0, |row| row.width());
        let fits = self.places.is_empty() || last + GAP + self.places.width() <= room;
        if !fits {
            rows.push(String::new());
        }
        let count = rows.len();
        let mut out = String::new();
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', begin));
            }
            out.push_str(&self.ink.on(row, colour));
            if index + 1 == count && !self.places.is_empty() {
                if !row.is_empty() {
                    out.push_str("  ");
                }
                out.push_str(&Ink::Faint.on(&self.places, colour));
            }
        }
        out
    }
}

fn places(positions: &[u64]) -> String {
    let mut shown: Vec<String> = positions.iter().take(PLACES_MAX).map(|position| format!("#{position}")).collect();
    if positions.len() > PLACES_MAX {
        shown.push(format!("+{}", positions.len() - PLACES_MAX));
    }
    shown.join(" ")
}

/// Text broken at blanks; a word that is too long for a line stands alone on it.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut row = String::new();
    for word in text.split(' ') {
        if !row.is_empty() && row.width() + 1 + word.width() > room {
            rows.push(std::mem::take(&mut row).trim_end().to_owned());
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Labelled {
        let mut lines = Labelled::default();
        lines.add("broke", "02:41:07 postgres  connections 100/100", &[8_812, 8_840]);
        lines.add("alarmed", "nginx", &[1, 2, 3, 4, 5, 6]);
        lines.add("", "x\u{1b}[2J", &[]);
        lines
    }

    #[test]
    fn labels_align_and_places_stand_behind() {
        let expect = "  broke    02:41:07 postgres  connections 100/100  #8812 #8840
  alarmed  nginx  #1 #2 #3 #4 +2
           x\u{fffd}[2J
";
        assert_eq!(lines().render(2, None, false), expect);
    }

    #[test]
    fn long_lines_are_broken_at_words_and_nothing_is_cut() {
        let expect = "  broke    02:41:07 postgres
           connections 100/100
           #8812 #8840
";
        let text = lines().render(2, Some(36), false);
        assert!(text.starts_with(expect), "{text}");
        assert!(text.lines().all(|line| line.width() <= 36), "{text}");
    }
}
