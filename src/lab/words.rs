//! Numbers as reports write them: with a sign where they are differences, and a dash where there is none.

use super::bootstrap::Interval;
use super::goals::{Compared, Goal};
use super::metrics::Months;

/// In place of a number that is not told.
pub const EMPTY: &str = "–";

/// With so many digits behind the point.
pub fn plain(x: Option<f64>, digits: usize) -> String {
    x.map_or_else(|| EMPTY.to_owned(), |x| format!("{x:.digits$}"))
}

/// A number with its sign.
pub fn signed(x: Option<f64>, digits: usize) -> String {
    x.map_or_else(|| EMPTY.to_owned(), |x| format!("{x:+.digits$}"))
}

/// A fraction as a percentage, `12.3 %`.
pub fn percent(x: Option<f64>, digits: usize) -> String {
    x.map_or_else(|| EMPTY.to_owned(), |x| format!("{:.digits$} %", 100.0 * x))
}

/// Likewise, with its sign.
pub fn signed_percent(x: Option<f64>, digits: usize) -> String {
    x.map_or_else(|| EMPTY.to_owned(), |x| format!("{:+.digits$} %", 100.0 * x))
}

/// How often, `12.3×`.
pub fn times(x: Option<f64>, digits: usize) -> String {
    x.map_or_else(|| EMPTY.to_owned(), |x| format!("{x:.digits$}×"))
}

/// `[-0.10, +0.30]` of numbers × factor.
pub fn ends(i: Option<Interval>, factor: f64, digits: usize) -> String {
    i.map_or_else(
        || EMPTY.to_owned(),
        |i| format!("[{:+.digits$}, {:+.digits$}]", factor * i.lo, factor * i.hi),
    )
}

/// `+0.10 [-0.10, +0.30]` of numbers × factor.
pub fn between(i: Option<Interval>, factor: f64, digits: usize) -> String {
    i.map_or_else(
        || EMPTY.to_owned(),
        |i| format!("{:+.digits$} {}", factor * i.mean, ends(Some(i), factor, digits)),
    )
}

/// A goal's difference with its interval.
pub fn told(c: &Compared, goal: &Goal) -> String {
    between(c.goals.get(goal.key).copied().flatten(), goal.factor, goal.digits)
}

/// `3.5 m`, or `never`.
pub fn months(m: Option<Months>) -> String {
    match m {
        None => EMPTY.to_owned(),
        Some(Months::In(months)) => format!("{months:.1} m"),
        Some(Months::Never(_)) => "never".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::metrics::Never;

    #[test]
    fn what_is_not_told_is_a_dash() {
        let i = Interval { mean: 0.1, lo: -0.1, hi: 0.3 };
        assert_eq!(between(Some(i), 1.0, 2), "+0.10 [-0.10, +0.30]");
        assert_eq!(ends(Some(i), 100.0, 0), "[-10, +30]");
        assert_eq!((plain(Some(1.0), 1), signed(Some(1.0), 1)), ("1.0".to_owned(), "+1.0".to_owned()));
        assert_eq!((percent(Some(0.5), 0), times(Some(2.0), 1)), ("50 %".to_owned(), "2.0×".to_owned()));
        assert_eq!(signed_percent(Some(0.5), 0), "+50 %");
        assert_eq!((months(Some(Months::In(3.0))), months(Some(Months::Never(Never::Never)))), {
            ("3.0 m".to_owned(), "never".to_owned())
        });
        for empty in [
            plain(None, 1),
            signed(None, 1),
            percent(None, 1),
            signed_percent(None, 1),
            times(None, 1),
            between(None, 1.0, 1),
            ends(None, 1.0, 1),
            months(None),
        ] {
            assert_eq!(empty, EMPTY);
        }
    }
}
