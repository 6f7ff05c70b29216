//! An interval as a line of cells on a scale, to half a cell: `···╺━━◆━━╸···┊······`.

use super::theme::{StyleRole, Theme};
use crate::view::certainty;
use ratatui::text::Span;

/// An interval and what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Whisker {
    pub from: f64,
    pub here: f64,
    pub to: f64,
}

/// What an interval around zero lets one say.
pub fn sure(from: f64, to: f64) -> StyleRole {
    match () {
        () if from > 0.0 => StyleRole::Good,
        () if to < 0.0 => StyleRole::Bad,
        () => StyleRole::Warn,
    }
}

/// What evidence for more and for less is shown as.
pub fn proven(more: f64, less: f64) -> StyleRole {
    match certainty(more, less) {
        Some(true) => StyleRole::Good,
        Some(false) => StyleRole::Bad,
        None => StyleRole::Warn,
    }
}

/// The smallest of 1, 2 or 5 times a power of ten, not below a tenth, that reaches as far as all values.
pub fn reach(values: impl Iterator<Item = f64>) -> f64 {
    let far = values.map(f64::abs).filter(|v| v.is_finite()).fold(0.0, f64::max);
    [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].into_iter().find(|r| *r >= far).unwrap_or(20.0)
}

/// The cell of zero, if it is on the scale.
pub fn cell_of_zero((low, high): (f64, f64), width: usize) -> Option<usize> {
    let share = -low / (high - low);
    let cell = (share * width as f64) as usize;
    (width > 0 && (0.0..=1.0).contains(&share)).then(|| cell.min(width - 1))
}

/// The cells, in the ink of `role`; what lies beyond the scale ends in an arrow.
pub fn cells(
    t: &Theme,
    w: Whisker,
    (low, high): (f64, f64),
    width: usize,
    role: StyleRole,
) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut run = (String::new(), StyleRole::Faint);
    for (symbol, ink) in symbols(w, (low, high), width, role) {
        if run.1 != ink && !run.0.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut run.0), t.of(run.1)));
        }
        run.1 = ink;
        run.0.push(symbol);
    }
    spans.push(Span::styled(run.0, t.of(run.1)));
    spans
}

fn symbols(w: Whisker, (low, high): (f64, f64), width: usize, role: StyleRole) -> Vec<(char, StyleRole)> {
    // In half cells; what is no number stands nowhere.
    let halves = 2 * width as i64;
    let at = |x: f64| {
        let share = (x - low) / (high - low);
        let half = (share.clamp(-1.0, 2.0) * halves as f64).floor() as i64;
        // The end of the scale is the end of the last cell.
        share.is_finite().then(|| if share <= 1.0 { half.min(halves - 1) } else { half.max(halves) })
    };
    let within = |h: Option<i64>, cell: i64| h.is_some_and(|h| h.div_euclid(2) == cell);
    let (from, here, to, zero) = (at(w.from), at(w.here), at(w.to), at(0.0));
    let covers = |half: i64| matches!((from, to), (Some(f), Some(t)) if (f..=t).contains(&half));
    let last = halves - 1;
    let symbol = |cell: i64| {
        let (left, right) = (covers(2 * cell), covers(2 * cell + 1));
        let at_zero = within(zero, cell);
        match () {
            () if within(here, cell) => ('◆', role),
            () if cell == 0 && from.is_some_and(|f| f < 0) => ('◂', role),
            () if 2 * cell + 1 == last && to.is_some_and(|t| t > last) => ('▸', role),
            () if at_zero && left && right => ('┿', role),
            () if at_zero => ('┊', StyleRole::Dim),
            () if left && right => ('━', role),
            () if right => ('╺', role),
            () if left => ('╸', role),
            () => ('·', StyleRole::Faint),
        }
    };
    (0..width as i64).map(symbol).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: f64, here: f64, to: f64, width: usize) -> String {
        symbols(Whisker { from, here, to }, (-1.0, 1.0), width, StyleRole::Good).iter().map(|s| s.0).collect()
    }

    #[test]
    fn an_interval_lies_where_its_numbers_are() {
        assert_eq!(text(0.3, 0.5, 0.7, 11), "·····┊·━◆╸·");
        assert_eq!(text(-0.8, 0.4, 0.8, 11), "·━━━━┿━◆━━·");
        assert_eq!(text(-0.7, -0.5, -0.3, 11), "·╺◆━·┊·····");
    }

    #[test]
    fn what_lies_beyond_the_scale_ends_in_an_arrow_and_nothing_panics() {
        assert_eq!(text(-9.0, 0.0, 9.0, 5), "◂━◆━▸");
        assert_eq!(text(2.0, 3.0, 4.0, 5), "··┊·▸");
        assert_eq!(text(-4.0, -3.0, -2.0, 5), "◂·┊··");
        assert_eq!(text(f64::NAN, f64::NAN, f64::NAN, 5), "··┊··");
        for width in 0..4 {
            assert_eq!(text(-0.5, 0.0, 0.5, width).chars().count(), width);
        }
        assert_eq!(
            symbols(Whisker { from: 0.0, here: 0.0, to: 0.0 }, (0.0, 0.0), 3, StyleRole::Good).len(),
            3
        );
    }

    #[test]
    fn scales_are_round_and_reach_as_far_as_the_values() {
        assert_eq!(reach([0.03, -0.31, f64::NAN].into_iter()), 0.5);
        assert_eq!(reach(std::iter::empty()), 0.1);
        assert_eq!(reach([99.0].into_iter()), 20.0);
    }
}
