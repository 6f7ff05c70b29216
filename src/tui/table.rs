//! Columns of a table: the most important ones that fit, a head, and rows below it.

use super::theme::{StyleRole, Theme};
use super::words;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// A column: title, width, right-aligned, rank (the highest go first), and what stands in it.
pub struct Column<T> {
    pub title: &'static str,
    pub width: usize,
    pub right: bool,
    pub rank: u8,
    pub of: fn(&T) -> (String, StyleRole),
}

// By hand: a derived one would ask the rows to be copied as well.
impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

/// A number that is there, or a dash.
pub fn or_dash(there: bool, text: impl FnOnce() -> String) -> (String, StyleRole) {
    if there { (text(), StyleRole::Text) } else { ("–".to_owned(), StyleRole::Dim) }
}

/// Cut or filled up to its width.
pub fn padded(text: &str, width: usize, right: bool) -> String {
    let text = words::cut(text, width);
    if right { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

/// Cells of columns, each with the gap after it.
pub fn width<T>(columns: &[Column<T>]) -> usize {
    columns.iter().map(|c| c.width + 1).sum()
}

/// The most important ones that fit beside `reserve` cells; those of `kept` and less stay.
pub fn fitting<T>(
    mut columns: Vec<Column<T>>,
    width_max: usize,
    reserve: impl Fn(u8) -> usize,
) -> Vec<Column<T>> {
    while columns.len() > 2 {
        let last = columns.iter().map(|c| c.rank).max().unwrap_or(0);
        if width(&columns) + reserve(last) <= width_max + 1 {
            break;
        }
        columns.retain(|c| c.rank != last);
    }
    columns
}

/// The titles, and what stands over the rest of the line.
pub fn head<T>(frame: &mut Frame<'_>, t: &Theme, columns: &[Column<T>], rest: &str, at: Rect) {
    let text: String = columns.iter().map(|c| padded(c.title, c.width, c.right) + " ").collect();
    let room = usize::from(at.width);
    frame.buffer_mut().set_stringn(at.x, at.y, text + rest, room, t.of(StyleRole::Dim));
}

/// A row: its columns, and what is written into the rest of the line, which is told its cells.
pub fn row<T>(
    frame: &mut Frame<'_>,
    t: &Theme,
    columns: &[Column<T>],
    of: &T,
    at: Rect,
    rest: impl FnOnce(&T, usize) -> (String, StyleRole),
) {
    let mut spans = Vec::with_capacity(2 * columns.len() + 1);
    for c in columns {
        let (text, role) = (c.of)(of);
        spans.push(Span::styled(padded(&text, c.width, c.right), t.of(role)));
        spans.push(Span::raw(" "));
    }
    let left = usize::from(at.width).saturating_sub(width(columns));
    let (text, role) = rest(of, left);
    spans.push(Span::styled(text, t.of(role)));
    frame.buffer_mut().set_line(at.x, at.y, &Line::from(spans), at.width);
}

/// Marks the row under the cursor, behind its text: its own colours stay where the theme has a background.
pub fn mark(frame: &mut Frame<'_>, t: &Theme, at: Rect, focused: bool) {
    let style = t.of(if focused { StyleRole::Selected } else { StyleRole::Cursor });
    let behind = style.bg.is_some();
    frame.buffer_mut().set_style(at, if behind { Style { fg: None, ..style } } else { style });
}

/// The first row that is shown, so that the cursor is in sight with as little scrolling as possible and no row
/// is empty.
pub fn top(was: usize, cursor: usize, rows: usize, shown: usize) -> usize {
    was.clamp((cursor + 1).saturating_sub(shown), cursor).min(rows.saturating_sub(shown))
}

/// Whether there is more above or below.
pub fn more(top: usize, rows: usize, shown: usize) -> &'static str {
    match (top > 0, top + shown < rows) {
        (true, true) => " ↕",
        (true, false) => " ↑",
        (false, true) => " ↓",
        (false, false) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_columns_go_first_and_two_always_stay() {
        let column = |title, width, rank| Column::<()> {
            title,
            width,
            right: false,
            rank,
            of: |()| (String::new(), StyleRole::Text),
        };
        let all = vec![column("a", 4, 0), column("b", 4, 2), column("c", 4, 1)];
        let left = |width| fitting(all.clone(), width, |_| 0).iter().map(|c| c.title).collect::<String>();
        assert_eq!([left(14), left(13), left(1)], ["abc", "ac", "ac"]);
    }

    #[test]
    fn scrolling_keeps_the_cursor_in_sight_and_no_row_empty() {
        assert_eq!((top(0, 9, 10, 4), top(9, 2, 10, 4), top(9, 9, 10, 20)), (6, 2, 0));
        assert_eq!((more(0, 10, 4), more(3, 10, 4), more(6, 10, 4), more(0, 3, 4)), (" ↓", " ↕", " ↑", ""));
    }
}
