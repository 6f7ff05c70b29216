//! Dots: two by four a cell, drawn as Braille. One cell has one ink, the last that touched it.

use super::theme::{StyleRole, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Bits of the dots of a cell, by column and row.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Dots beyond the edge that are reckoned with.
const FAR: f64 = 10_000.0;

/// The dots of an area.
pub struct Raster {
    width: usize,
    height: usize,
    cells: Vec<(u8, StyleRole)>,
}

impl Raster {
    /// Empty, of so many cells.
    pub fn new(width: u16, height: u16) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        Raster { width, height, cells: vec![(0, StyleRole::Text); width * height] }
    }

    /// Dots in a row of the raster, two a cell.
    pub fn across(&self) -> usize {
        2 * self.width
    }

    /// Dots in a column of the raster, four a cell.
    pub fn down(&self) -> usize {
        4 * self.height
    }

    /// Sets a dot; outside nothing happens.
    pub fn dot(&mut self, x: i32, y: i32, ink: StyleRole) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.across() && y < self.down() {
            let cell = &mut self.cells[y / 4 * self.width + x / 2];
            *cell = (cell.0 | BITS[x % 2][y % 4], ink);
        }
    }

    /// A straight line (Bresenham 1965).
    pub fn line(&mut self, from: (i32, i32), to: (i32, i32), ink: StyleRole) {
        let ((mut x, mut y), (dx, dy)) = (from, ((to.0 - from.0).abs(), -(to.1 - from.1).abs()));
        let (sx, sy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let mut error = dx + dy;
        // At most as many dots as the line is long, whatever the ends are.
        for _ in 0..=(dx - dy) {
            self.dot(x, y, ink);
            if (x, y) == to {
                return;
            }
            let twice = 2 * error;
            if twice >= dy {
                error += dy;
                x += sx;
            }
            if twice <= dx {
                error += dx;
                y += sy;
            }
        }
    }

    /// A line of so many dots beside each other, in the middle of which the straight one lies.
    pub fn stroke(&mut self, from: (i32, i32), to: (i32, i32), dots: i32, ink: StyleRole) {
        let flat = (to.0 - from.0).abs() >= (to.1 - from.1).abs();
        for n in 0..dots {
            // 0, 1, -1, 2, -2 …
            let aside = if n % 2 == 1 { (n + 1) / 2 } else { -n / 2 };
            let moved = |(x, y): (i32, i32)| if flat { (x, y + aside) } else { (x + aside, y) };
            self.line(moved(from), moved(to), ink);
        }
    }

    /// A curve through all values, from the left edge to the right, `low` at the bottom.
    pub fn curve(&mut self, values: &[f64], (low, high): (f64, f64), ink: StyleRole) {
        let (across, down) = (self.across(), self.down());
        if across == 0 || down == 0 || values.is_empty() {
            return;
        }
        let steps = (values.len().max(2) - 1) as f64;
        let height = |v: f64| ((high - v) / (high - low) * (down - 1) as f64).round().clamp(-FAR, FAR) as i32;
        let point = |i: usize, v: f64| ((i as f64 / steps * (across - 1) as f64).round() as i32, height(v));
        let mut last = point(0, values[0]);
        for (i, v) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let next = point(i, *v);
            self.line(last, next, ink);
            last = next;
        }
    }

    fn symbol(bits: u8) -> char {
        char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ')
    }

    /// Puts the dots over what is there.
    pub fn paint(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        for (n, (bits, ink)) in self.cells.iter().enumerate().filter(|(_, c)| c.0 != 0) {
            let (x, y) = (area.x + (n % self.width) as u16, area.y + (n / self.width) as u16);
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.set_char(Raster::symbol(*bits)).set_style(theme.of(*ink));
            }
        }
    }

    /// The dots as lines of text.
    pub fn lines(&self, theme: &Theme) -> Vec<Line<'static>> {
        let row = |cells: &[(u8, StyleRole)]| {
            let mut spans: Vec<Span<'static>> = Vec::new();
            let mut run = (String::new(), StyleRole::Text);
            for (bits, ink) in cells {
                if run.1 != *ink && !run.0.is_empty() {
                    spans.push(Span::styled(std::mem::take(&mut run.0), theme.of(run.1)));
                }
                run.1 = *ink;
                run.0.push(if *bits == 0 { ' ' } else { Raster::symbol(*bits) });
            }
            spans.push(Span::styled(run.0, theme.of(run.1)));
            Line::from(spans)
        };
        self.cells.chunks(self.width.max(1)).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(r: &Raster) -> Vec<String> {
        let theme = Theme::shipped("terminal", true).unwrap();
        r.lines(&theme).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_reaches_both_ends_and_nothing_outside_is_touched() {
        let mut r = Raster::new(2, 1);
        r.line((0, 3), (3, 0), StyleRole::Good);
        assert_eq!(text(&r), ["⡠⠊"]);
        r.line((-50, -50), (90, -50), StyleRole::Bad);
        r.dot(4, 0, StyleRole::Bad);
        assert_eq!(text(&r), ["⡠⠊"]);
    }

    #[test]
    fn a_stroke_is_as_thick_as_asked_for_across_its_way() {
        let mut r = Raster::new(3, 1);
        r.stroke((0, 1), (5, 1), 3, StyleRole::Good);
        assert_eq!(text(&r), ["⠿⠿⠿"]);
        let mut r = Raster::new(1, 2);
        r.stroke((0, 0), (0, 7), 2, StyleRole::Good);
        assert_eq!(text(&r), ["⣿", "⣿"]);
    }

    #[test]
    fn a_curve_goes_from_edge_to_edge_and_hostile_values_do_no_harm() {
        let mut r = Raster::new(3, 1);
        r.curve(&[0.0, 1.0], (0.0, 1.0), StyleRole::Open);
        assert!(text(&r)[0].starts_with('⡠') && text(&r)[0].ends_with('⠊'), "{:?}", text(&r));
        r.curve(&[f64::NAN, 1e300, -1e300], (0.0, 0.0), StyleRole::Open);
        r.curve(&[], (0.0, 1.0), StyleRole::Open);
        Raster::new(0, 0).curve(&[1.0], (0.0, 1.0), StyleRole::Open);
    }
}
