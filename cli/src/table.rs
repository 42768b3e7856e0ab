//! Text in columns for a terminal.

#![forbid(unsafe_code)]

/// The terminal width at which lines are wrapped.
const WIDTH: usize = 100;

/// The indentation of a row's details.
const INDENT: &str = "    ";

/// The width of a detail's label.
const LABEL_WIDTH: usize = 10;

/// Rows of aligned cells, each with details below it.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<String>,
    details: Vec<(&'static str, String)>,
}

impl Table {
    /// A table with a line of headings and no rows.
    pub fn new(headings: &[&str]) -> Self {
        let cells = headings.iter().map(|&heading| heading.to_owned()).collect();
        Self { rows: vec![Row { cells, details: Vec::new() }] }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: &[&str]) {
        let cells = cells.iter().map(|cell| printable(cell)).collect();
        self.rows.push(Row { cells, details: Vec::new() });
    }

    /// Adds a line below the last row, unless the text is empty.
    pub fn detail(&mut self, label: &'static str, text: &str) {
        if let Some(row) = self.rows.last_mut().filter(|_| !text.is_empty()) {
            row.details.push((label, printable(text)));
        }
    }

    /// The whole table; each line ends.
    pub fn to_text(&self) -> String {
        let num_columns = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let width_of = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..num_columns).map(width_of).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
            for (label, detail) in &row.details {
                let start = INDENT.len() + LABEL_WIDTH;
                let lines = wrapped(detail, WIDTH - start);
                text.push_str(&format!("{INDENT}{label:LABEL_WIDTH$}"));
                text.push_str(&lines.join(&format!("\n{}", " ".repeat(start))));
                text.push('\n');
            }
        }
        text
    }
}

/// A text with control characters escaped: file names and plugin strings may hold anything.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Lines of at most `width` characters, wrapped between words; a longer word gets its own line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() {
            if line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            } else {
                line.push(' ');
            }
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_details_broken() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.push(&["qoa", "used"]);
        table.detail("decodes", "qoa");
        table.detail("needs", "");
        table.push(&["a\x1b[31m.so", "REFUSED"]);
        table.detail("because", &["word"; 30].join(" "));
        let words = ["word"; 17].join(" ");
        let rest = ["word"; 13].join(" ");
        let expected = format!(
            "NAME            STATE\n\
             qoa             used\n    decodes   qoa\n\
             a\\u{{1b}}[31m.so  REFUSED\n    because   {words}\n              {rest}\n"
        );
        assert_eq!(table.to_text(), expected);
        assert!(table.to_text().lines().all(|line| line.len() <= WIDTH));
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        assert_eq!(wrapped("a bbbbbb c", 3), ["a", "bbbbbb", "c"]);
        assert_eq!(wrapped("", 3), [""]);
    }
}
