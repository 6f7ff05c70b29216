//! Columns that fit what stands in them: nothing is clipped, whatever the sums and names.
//!
//! # Invariants
//!
//! 1. All rows of a table have their columns at the same places.
//! 2. Numbers are never cut; names are, with an ellipsis, where the caller says at how many letters.

use std::fmt::Write;

/// Spaces between two columns.
const GAP: usize = 2;

/// Rows of text, the first being the header.
pub struct TextTable {
    /// Which columns start at their left edge; the others end at their right one.
    left: usize,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// A table whose first `left` columns are words.
    pub fn new(left: usize, header: &[&str]) -> Self {
        TextTable { left, rows: vec![header.iter().map(|h| (*h).to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// Adds a line of its own between rows.
    pub fn remark(&mut self, text: String) {
        self.rows.push(vec![text]);
    }

    /// Writes it out.
    pub fn render(&self, out: &mut String) -> std::fmt::Result {
        let columns = self.rows.first().map_or(0, Vec::len);
        let wide = |column: usize| {
            let full = self.rows.iter().filter(|r| r.len() == columns);
            full.filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(wide).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let gap = if i == 0 { 0 } else { GAP };
                if row.len() < columns {
                    line.push_str(cell);
                } else if i < self.left {
                    write!(line, "{:gap$}{cell:<width$}", "")?;
                } else {
                    write!(line, "{:gap$}{cell:>width$}", "")?;
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A name cut to at most `letters`.
pub fn short(name: &str, letters: usize) -> String {
    if name.chars().count() <= letters {
        return name.to_owned();
    }
    name.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}

/// Breaks a text at spaces into lines of at most `width`, the first after `first` and the others after
/// as many spaces. A word that is longer than a line stays whole.
pub fn wrap(first: &str, text: &str, width: usize) -> String {
    let indent = first.chars().count();
    let (mut out, mut line) = (String::new(), first.to_owned());
    for word in text.split_whitespace() {
        if line.chars().count() > indent {
            if line.chars().count() + 1 + word.chars().count() > width {
                out.push_str(&line);
                out.push('\n');
                line = " ".repeat(indent);
            } else {
                line.push(' ');
            }
        }
        line.push_str(word);
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_with_what_stands_in_them() {
        let mut table = TextTable::new(1, &["name", "sum"]);
        table.row(["a".to_owned(), "123,456,789".to_owned()]);
        table.remark("… and more".to_owned());
        table.row(["Zoë".to_owned(), "-1".to_owned()]);
        let mut out = String::new();
        table.render(&mut out).unwrap();
        assert_eq!(out, "name          sum\na     123,456,789\n… and more\nZoë            -1\n");
    }

    #[test]
    fn long_names_end_in_an_ellipsis() {
        assert_eq!(short("Mira", 12), "Mira");
        assert_eq!(short("Übergrößenträger", 12), "Übergrößent…");
    }

    #[test]
    fn sentences_are_broken_at_spaces() {
        assert_eq!(wrap("! ", "one two three", 9), "! one two\n  three\n");
        assert_eq!(wrap("! ", "incomprehensibilities", 9), "! incomprehensibilities\n");
        assert_eq!(wrap("! ", "", 9), "! \n");
    }
}
