//! E, emergence: is the hive more than the sum of its deaf parts? The Sharpe ratio of all sim lives
//! together less that of all alone lives together, from the same days, with its 95 % interval.
//!
//! The interval is that of Jobson and Korkie (1981) as corrected by Memmel (2003), for two ratios of
//! correlated returns:
//!
//! ```text
//! se² = (2 − 2ρ + ½·(s₁² + s₂² − 2·s₁·s₂·ρ²)) / n        s: Sharpe ratio a day, n: days
//! ```
//!
//! # Invariants
//!
//! 1. Nothing is said before [`DAYS_MIN`] days: the interval would be wider than anything it could say.
//! 2. Constant memory: running moments (Welford 1962).

use super::cockpit::Emergence;

/// Days that are needed: a year.
pub const DAYS_MIN: u32 = 365;
const DAYS_A_YEAR: f64 = 365.25;
/// Of the normal distribution, 95 %.
const WIDTH: f64 = 1.959_964;

/// Running moments of two series of daily returns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pair {
    before: Option<(f64, f64)>,
    n: f64,
    mean: (f64, f64),
    squares: (f64, f64),
    product: f64,
}

impl Pair {
    /// Equity of alone and sim at the end of a day, in multiples of the capital.
    pub fn day(&mut self, alone: f64, sim: f64) {
        if !(alone.is_finite() && sim.is_finite()) {
            return;
        }
        let Some((a, b)) = self.before.replace((alone, sim)) else { return };
        let (a, b) = (alone - a, sim - b);
        self.n += 1.0;
        let (da, db) = (a - self.mean.0, b - self.mean.1);
        self.mean.0 += da / self.n;
        self.mean.1 += db / self.n;
        self.squares.0 += da * (a - self.mean.0);
        self.squares.1 += db * (b - self.mean.1);
        self.product += da * (b - self.mean.1);
    }

    /// Whole days so far.
    pub fn days(&self) -> u32 {
        self.n as u32
    }

    /// The gauge; none with fewer than [`DAYS_MIN`] days, or without risk.
    pub fn read(&self) -> Option<Emergence> {
        let sd = ((self.squares.0 / self.n).sqrt(), (self.squares.1 / self.n).sqrt());
        if self.days() < DAYS_MIN || sd.0 <= 0.0 || sd.1 <= 0.0 {
            return None;
        }
        let (alone, sim) = (self.mean.0 / sd.0, self.mean.1 / sd.1);
        let rho = (self.product / self.n / (sd.0 * sd.1)).clamp(-1.0, 1.0);
        let spread = 0.5 * (alone * alone + sim * sim - 2.0 * alone * sim * rho * rho);
        let se = ((2.0 - 2.0 * rho + spread).max(0.0) / self.n).sqrt();
        let year = DAYS_A_YEAR.sqrt();
        let gain = year * (sim - alone);
        Some(Emergence { gain, from: gain - WIDTH * year * se, to: gain + WIDTH * year * se })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(days: u32, sim: impl Fn(u32) -> f64) -> Pair {
        let mut pair = Pair::default();
        let (mut a, mut b) = (1.0, 1.0);
        for d in 0..=days {
            pair.day(a, b);
            a += if d % 2 == 0 { 0.01 } else { -0.009 };
            b += sim(d);
        }
        pair
    }

    #[test]
    fn nothing_is_said_before_a_year() {
        assert_eq!(run(364, |_| 0.001).read(), None);
        assert!(run(365, |d| 0.002 * f64::from(d % 3)).read().is_some());
        assert_eq!(run(400, |_| 0.0).read(), None, "without risk there is no ratio");
    }

    #[test]
    fn equal_lives_have_no_gain_and_no_doubt() {
        let same = run(730, |d| if d % 2 == 0 { 0.01 } else { -0.009 }).read().unwrap();
        assert!(same.gain.abs() < 1e-9 && (same.to - same.from).abs() < 1e-6, "{same:?}");
    }

    #[test]
    fn a_better_life_has_a_gain_within_its_interval() {
        let better = run(730, |d| if d % 2 == 0 { 0.012 } else { -0.008 }).read().unwrap();
        assert!(better.gain > 0.0 && better.from < better.gain && better.gain < better.to);
    }
}
