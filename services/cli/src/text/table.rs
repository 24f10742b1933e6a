//! Aligned tables fitted to a width. Owns alignment and what is cut; refuses to know what stands in them.

use unicode_width::UnicodeWidthStr as _;

use super::clean;
use super::ink::Ink;

/// Columns between two columns.
const GAP: usize = 2;
/// The widest that a column is filled up to where nothing is cut: a cell that is wider moves its own row alone.
const PAD_MAX: usize = 60;
/// The narrowest that a column is cut to.
const CUT_MIN: usize = 12;

/// A heading, with the alignment and width of the cells below it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    head: &'static str,
    right: bool,
    may_be_cut: bool,
}

/// A column of words that are never cut.
#[must_use]
pub const fn left(head: &'static str) -> Column {
    Column { head, right: false, may_be_cut: false }
}

/// A column of figures.
#[must_use]
pub const fn right(head: &'static str) -> Column {
    Column { head, right: true, may_be_cut: false }
}

/// A column of text that gives way where the width is short.
#[must_use]
pub const fn text(head: &'static str) -> Column {
    Column { head, right: false, may_be_cut: true }
}

/// What stands in one place of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    ink: Ink,
}

/// A cell in an ink.
#[must_use]
pub fn inked(text: impl AsRef<str>, ink: Ink) -> Cell {
    Cell { text: clean(text.as_ref()), ink }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        inked(text, Ink::Plain)
    }
}

/// Rows of cells under headings, fitted to the width of the terminal.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
}

impl Table {
    /// An empty one.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), indent: 0 }
    }

    /// The same, moved to the right.
    #[must_use]
    pub const fn indented(mut self, by: usize) -> Self {
        self.indent = by;
        self
    }

    /// Adds a row, which has a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut cells: Vec<Cell> = cells.into_iter().collect();
        cells.resize_with(self.columns.len(), Cell::default);
        self.rows.push(cells);
    }

    /// The table as lines. Without a width nothing is cut. Where no column has a head there is no head line,
    /// and columns that are empty throughout are left out.
    #[must_use]
    pub fn render(&self, width: Option<usize>, colour: bool) -> String {
        let widths = self.widths(width);
        let is_cut = width.is_some();
        let mut out = String::new();
        if self.columns.iter().any(|column| !column.head.is_empty()) {
            let heads: Vec<Cell> = self.columns.iter().map(|column| inked(column.head, Ink::Faint)).collect();
            self.line(&mut out, &heads, (&widths, is_cut), colour);
        }
        for row in &self.rows {
            self.line(&mut out, row, (&widths, is_cut), colour);
        }
        out
    }

    fn line(&self, out: &mut String, cells: &[Cell], (widths, is_cut): (&[usize], bool), colour: bool) {
        let mut line = String::new();
        let mut owed = self.indent;
        for ((column, cell), width) in self.columns.iter().zip(cells).zip(widths) {
            if *width == 0 {
                continue;
            }
            let text = if is_cut { cut(&cell.text, *width) } else { cell.text.clone() };
            let pad = width.saturating_sub(text.width());
            let before = owed + if column.right { pad } else { 0 };
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', before));
                line.push_str(&cell.ink.on(&text, colour));
                owed = GAP + if column.right { 0 } else { pad };
            } else {
                owed += width + GAP;
            }
        }
        out.push_str(&line);
        out.push('\n');
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.width()).max();
            widths.push(match cells.unwrap_or(0) {
                0 if !self.rows.is_empty() => 0,
                cells => cells.max(column.head.width()),
            });
        }
        let Some(limit) = width else {
            widths.iter_mut().for_each(|width| *width = (*width).min(PAD_MAX));
            return widths;
        };
        loop {
            let shown = widths.iter().filter(|width| **width > 0).count();
            let total: usize = self.indent + widths.iter().sum::<usize>() + GAP * shown.saturating_sub(1);
            let Some(over) = total.checked_sub(limit).filter(|over| *over > 0) else {
                return widths;
            };
            // The widest gives way first, down to the next one.
            let cuttable = widths.iter_mut().zip(&self.columns).filter(|(_, column)| column.may_be_cut);
            let Some(widest) = cuttable.map(|(width, _)| width).max_by_key(|width| **width) else {
                return widths;
            };
            if *widest <= CUT_MIN {
                return widths;
            }
            *widest = widest.saturating_sub(over.min(4)).max(CUT_MIN);
        }
    }
}

/// Text cut to a width, with a mark where something is missing.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        cut.push(c);
    }
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[left("ID"), right("ALERTS"), left("OWNER"), text("TITLE")]);
        table.row(["INC-3K7Q".into(), "412".into(), "".into(), "checkout fails because postgres is full".into()]);
        table.row(["INC-1F2M7".into(), "7".into(), "".into(), "disk ✓ 東京".into()]);
        table
    }

    #[test]
    fn columns_align_and_empty_ones_are_left_out() {
        let expect = "\
ID         ALERTS  TITLE
INC-3K7Q      412  checkout fails because postgres is full
INC-1F2M7       7  disk ✓ 東京
";
        assert_eq!(table().render(None, false), expect);
    }

    #[test]
    fn a_narrow_terminal_cuts_text_and_nothing_else() {
        let expect = "\
ID         ALERTS  TITLE
INC-3K7Q      412  checkout fails becau…
INC-1F2M7       7  disk ✓ 東京
";
        assert_eq!(table().render(Some(40), false), expect);
        let lines = table().render(Some(10), false);
        assert!(lines.contains("INC-1F2M7       7  disk ✓ 東京"), "ids and figures stay whole: {lines}");
        assert!(table().render(Some(40), true).contains("\u{1b}[2mID\u{1b}[0m"));
    }

    #[test]
    fn one_wide_cell_widens_its_own_row_and_no_other() {
        let mut table = table();
        let wide = "s".repeat(300);
        table.row([wide.as_str().into(), "1".into(), "".into(), "t".into()]);
        let lines = table.render(None, false);
        let widths: Vec<usize> = lines.lines().map(|line| line.width()).collect();
        assert!(lines.contains(&wide), "without a terminal nothing is cut");
        assert!(widths.iter().filter(|width| **width > 160).count() == 1, "{widths:?}");
    }

    #[test]
    fn wide_characters_are_cut_whole() {
        assert_eq!(cut("東京都", 5), "東京…");
        assert_eq!(cut("東京都", 4), "東…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
