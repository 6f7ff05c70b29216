//! Steady risk: the desk's size by what tomorrow's volatility is expected to be, in place of what it was on the
//! average of the last month. It is for steadiness, and no promise of return.
//!
//! ```text
//! σ_d = √Σ r²                       realised volatility of a day from its decision bars, by asset
//! m   = mean of all σ_d so far      x = (σ_d, mean of 7, mean of 30)/m − 1
//! σ̂   = m · (1 + b·x)               HAR (Corsi 2009), b one for all assets (pooled, scaled and centred as in
//!                                   Bollerslev, Hood, Huss and Pedersen 2018), least squares on all days so far
//! g   = Σ|aim|·σ̂ / Σ|aim|·σ̄          σ̄ = exponential mean of σ_d, of the same span as ewσ of the aims' PnL
//! k   = target volatility / (ewσ · g)
//! ```
//!
//! Weeks and months are 7 and 30 days: these markets have no weekends.
//!
//! # Invariants
//!
//! 1. A day's volatility enters the fit with what was known when the day before closed.
//! 2. g is between ½ and 2, and 1 until enough is known.

use super::desk::Quote;
use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Days of a week and of a month.
const BACK: [usize; 2] = [7, 30];
/// Pairs of days before the fit is used.
const KNOWN_PAIRS: u32 = 200;
/// Bounds of g.
const BOUNDS: (f64, f64) = (0.5, 2.0);

/// What is known of an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Asset {
    squares: f64,
    bars: u32,
    days: VecDeque<f64>,
    total: f64,
    count: u32,
    slow: Weighted,
    /// x and m as the last day closed.
    known: Option<([f64; 3], f64)>,
}

/// The state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steady {
    bars_a_day: u32,
    bars: u32,
    assets: Vec<Asset>,
    /// Σ x xᵀ and Σ x·y.
    xx: [[f64; 3]; 3],
    xy: [f64; 3],
    pairs: u32,
}

impl Asset {
    fn forecast(&self, b: [f64; 3]) -> Option<f64> {
        self.known.map(|(x, m)| m * (1.0 + dot(b, x)))
    }
}

impl Steady {
    /// Of so many assets; the span is that of the slow mean, in days.
    pub fn new(assets: usize, bars_per_year: f64, span_days: f64) -> Self {
        let asset = Asset {
            squares: 0.0,
            bars: 0,
            days: VecDeque::new(),
            total: 0.0,
            count: 0,
            slow: Weighted::new(span_days),
            known: None,
        };
        Steady {
            bars_a_day: libm::rint(bars_per_year / 365.25).max(1.0) as u32,
            bars: 0,
            assets: vec![asset; assets],
            xx: [[0.0; 3]; 3],
            xy: [0.0; 3],
            pairs: 0,
        }
    }

    /// A bar of all assets.
    pub fn learn(&mut self, quotes: &[Quote]) {
        for q in quotes {
            let asset = &mut self.assets[q.instrument.index()];
            asset.squares += q.change * q.change;
            asset.bars += 1;
        }
        self.bars += 1;
        if self.bars < self.bars_a_day {
            return;
        }
        self.bars = 0;
        for i in 0..self.assets.len() {
            let asset = &mut self.assets[i];
            let (squares, bars) = (std::mem::take(&mut asset.squares), std::mem::take(&mut asset.bars));
            if 2 * bars < self.bars_a_day {
                asset.known = None;
            } else {
                let day = libm::sqrt(squares * f64::from(self.bars_a_day) / f64::from(bars));
                self.day(i, day);
            }
        }
    }

    fn day(&mut self, i: usize, volatility: f64) {
        let asset = &mut self.assets[i];
        if let Some((x, m)) = asset.known.take() {
            let y = volatility / m - 1.0;
            for (r, xr) in x.iter().enumerate() {
                self.xy[r] += xr * y;
                x.iter().zip(&mut self.xx[r]).for_each(|(xc, sum)| *sum += xr * xc);
            }
            self.pairs += 1;
        }
        asset.total += volatility;
        asset.count += 1;
        asset.slow.push(volatility);
        asset.days.push_back(volatility);
        if asset.days.len() > BACK[1] {
            asset.days.pop_front();
        }
        let m = asset.total / f64::from(asset.count);
        if asset.days.len() == BACK[1] && m > 0.0 {
            let mean = |n: usize| asset.days.iter().rev().take(n).sum::<f64>() / n as f64;
            asset.known = Some(([volatility, mean(BACK[0]), mean(BACK[1])].map(|v| v / m - 1.0), m));
        }
    }

    /// b, once enough is known and it can be told.
    fn fit(&self) -> Option<[f64; 3]> {
        if self.pairs < KNOWN_PAIRS {
            return None;
        }
        let [a, b, c] = self.xx;
        let det = dot(a, cross(b, c));
        let size = a[0] * b[1] * c[2];
        (det > 1e-9 * size).then(|| {
            let rows = [cross(b, c), cross(c, a), cross(a, b)];
            // The matrix is its own transpose.
            [0, 1, 2].map(|i| (0..3).map(|r| rows[r][i] * self.xy[r]).sum::<f64>() / det)
        })
    }

    /// g, for these aims.
    pub fn scale(&self, aims: &[f64]) -> f64 {
        let Some(b) = self.fit() else { return 1.0 };
        let (mut expected, mut slow) = (0.0, 0.0);
        for (asset, aim) in self.assets.iter().zip(aims) {
            if let Some(forecast) = asset.forecast(b) {
                expected += libm::fabs(*aim) * forecast;
                slow += libm::fabs(*aim) * asset.slow.mean();
            }
        }
        if slow > 0.0 { (expected / slow).clamp(BOUNDS.0, BOUNDS.1) } else { 1.0 }
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{InstrumentId, random};

    /// Days that follow a HAR of these coefficients about 0.04, with shocks.
    fn fed(b: [f64; 3], shock: f64, days: usize) -> Steady {
        let mut steady = Steady::new(3, 365.25, 30.0);
        for i in 0..3 {
            for d in 0..days {
                let noise = shock * random::normal(random::key(i as u64, &[d as u64]));
                let mean = steady.assets[i].known.map_or(0.04, |(x, m)| m * (1.0 + dot(b, x)));
                steady.day(i, (mean * (1.0 + noise)).max(1e-4));
            }
        }
        steady
    }

    #[test]
    fn the_fit_finds_what_made_the_days() {
        let b = [0.3, 0.3, 0.2];
        let fit = fed(b, 0.2, 4_000).fit().unwrap();
        for (found, true_one) in fit.iter().zip(b) {
            assert!((found - true_one).abs() < 0.08, "{fit:?}");
        }
    }

    #[test]
    fn the_scale_by_hand() {
        let mut steady = fed([0.3, 0.3, 0.2], 0.2, 400);
        let b = steady.fit().unwrap();
        let known = |s: &Steady, i: usize| (s.assets[i].forecast(b).unwrap(), s.assets[i].slow.mean());
        let ((f0, s0), (f1, s1)) = (known(&steady, 0), known(&steady, 1));
        let by_hand = (0.2 * f0 + 0.1 * f1) / (0.2 * s0 + 0.1 * s1);
        assert!((steady.scale(&[0.2, -0.1, 0.0]) - by_hand).abs() < 1e-12);
        steady.day(0, 0.5);
        assert_eq!(steady.scale(&[1.0, 0.0, 0.0]), BOUNDS.1, "a fuse");
        steady.day(0, 1e-6);
        let calm: Vec<f64> = (0..3).map(|i| steady.scale(&[f64::from(i == 0), 0.0, 0.0])).collect();
        assert!(calm[0] >= BOUNDS.0 && calm[1] == 1.0, "nothing is aimed at there");
    }

    #[test]
    fn it_is_one_where_nothing_can_be_told() {
        assert_eq!(fed([0.3, 0.3, 0.2], 0.2, 60).scale(&[1.0; 3]), 1.0, "too few days");
        let mut still = Steady::new(1, 365.25, 30.0);
        (0..500).for_each(|_| still.day(0, 0.03));
        assert_eq!(still.scale(&[1.0]), 1.0, "every day the same");
    }

    #[test]
    fn a_day_is_all_of_its_bars() {
        let mut steady = Steady::new(2, 6.0 * 365.25, 30.0);
        for bar in 0..6 {
            let q = |i: u16, change| Quote {
                instrument: InstrumentId(i),
                close: 1.0,
                change,
                sigma: 0.01,
                volume: 1.0,
            };
            let all = [q(0, 0.01), q(1, 0.02)];
            steady.learn(if bar < 2 { &all } else { &all[..1] });
        }
        assert!((steady.assets[0].total - 0.01 * 6_f64.sqrt()).abs() < 1e-12);
        assert_eq!(steady.assets[1].count, 0, "two bars of six are no day");
    }
}
