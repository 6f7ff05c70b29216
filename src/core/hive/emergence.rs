//! Whether the whole is more than its parts, and how sure that is: the difference of two Sharpe ratios
//! measured on the same days, with an interval that allows for fat tails, for the correlation of the
//! two and for days that depend on each other.
//!
//! ```text
//! Δ = μa/σa − μb/σb of daily returns                              y = (a, b, a², b²)
//! ψ = T/(T−4) · (γ0 + 2 Σ_{0<l<L} (1 − l/L)·γ_l),   γ_l = autocovariance of ∇Δ·y at lag l
//! interval = Δ ± cv(L/T) · √(ψ/T),                  per year: × √365.25
//! ```
//!
//! The delta method with a kernel estimate is Ledoit & Wolf's (2008); the kernel Bartlett's (Newey & West
//! 1987) with L = 40 days (a quarter of the days while there are fewer than 160), which weighs lags as
//! the stationary bootstrap with a mean block of 20 days does in sum. Since L is not small beside T, the
//! critical value is that of Kiefer & Vogelsang (2005): cv(b) = 1.96 + 2.9694 b + 0.4160 b² − 0.5324 b³.
//!
//! The interval is for one look, at a moment fixed beforehand. What may be looked at daily is the evidence
//! beside it ([`super::evidence`]), and only that says that something is so.
//!
//! # Invariants
//!
//! 1. Memory does not grow with the days: lagged sums, and the first and the last L days.
//! 2. With fewer than [`DAYS_MIN`] days, or a side without spread, there is no reading.
//! 3. a = b gives a gain of 0; swapping them changes its sign and nothing else.

use super::evidence::Evidence;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

pub use crate::domain::evidence::DAYS_MIN;

/// L, and the most lags that are kept.
const LAGS: usize = 40;
const DAYS_A_YEAR: f64 = 365.25;

type DayMoments = [f64; 4];

/// Two daily returns side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    days: u32,
    sum: DayMoments,
    /// By lag: `Σ y_t·y_{t−l}ᵀ`, row by row.
    products: Vec<[f64; 16]>,
    first: Vec<DayMoments>,
    /// The days that are still in some lag's reach, newest first.
    last: VecDeque<DayMoments>,
    evidence: Evidence,
}

/// A gain in the Sharpe ratio per year, with the ends of its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SharpeGain {
    /// The one's Sharpe ratio less the other's.
    pub sharpe: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Days it was measured on.
    pub days: u32,
    /// The most evidence there ever was for more, 1 for none.
    pub more: f64,
    /// The most evidence there ever was for less, 1 for none.
    pub less: f64,
}

impl Paired {
    /// The returns of a day.
    pub fn push(&mut self, a: f64, b: f64) {
        self.evidence.push(a, b);
        // In per cent, so that returns and their squares are of one size.
        let (a, b) = (100.0 * a, 100.0 * b);
        let y = [a, b, a * a, b * b];
        self.days += 1;
        self.sum.iter_mut().zip(y).for_each(|(s, y)| *s += y);
        if self.first.len() < LAGS {
            self.first.push(y);
            self.products.push([0.0; 16]);
        }
        if self.last.len() == LAGS {
            self.last.pop_back();
        }
        self.last.push_front(y);
        for (products, then) in self.products.iter_mut().zip(&self.last) {
            for (row, y) in products.chunks_exact_mut(4).zip(y) {
                row.iter_mut().zip(then).for_each(|(p, then)| *p += y * then);
            }
        }
    }

    /// Days so far.
    pub fn days(&self) -> u32 {
        self.days
    }

    /// Means, and standard deviations; none without spread.
    fn moments(&self) -> Option<[(f64, f64); 2]> {
        let n = f64::from(self.days);
        let of = |i: usize| {
            let (mean, square) = (self.sum[i] / n, self.sum[i + 2] / n);
            let variance = square - mean * mean;
            // Nothing but rounding is no spread.
            (variance > 1e-12 * square).then(|| (mean, libm::sqrt(variance)))
        };
        Some([of(0)?, of(1)?])
    }

    /// Both Sharpe ratios per year.
    pub fn sharpes(&self) -> Option<(f64, f64)> {
        let [a, b] = self.moments()?;
        let year = libm::sqrt(DAYS_A_YEAR);
        Some((year * a.0 / a.1, year * b.0 / b.1))
    }

    /// The gain of a over b without its interval, which is most of the work: none where [`Paired::gain`] is none.
    pub fn sharpe_gain(&self) -> Option<f64> {
        let [(ma, sa), (mb, sb)] = self.moments()?;
        (self.days >= DAYS_MIN).then(|| libm::sqrt(DAYS_A_YEAR) * (ma / sa - mb / sb))
    }

    /// The gain of a over b.
    pub fn gain(&self) -> Option<SharpeGain> {
        if self.days < DAYS_MIN {
            return None;
        }
        let [(ma, sa), (mb, sb)] = self.moments()?;
        let n = f64::from(self.days);
        let (ca, cb) = (1.0 / (sa * sa * sa), 1.0 / (sb * sb * sb));
        let (qa, qb) = (self.sum[2] / n, self.sum[3] / n);
        let gradient = [qa * ca, -qb * cb, -0.5 * ma * ca, 0.5 * mb * cb];
        let lags = LAGS.min(self.days as usize / 4);
        let variance = self.long_run(&gradient, lags) * n / (n - 4.0) / n;
        let b = lags as f64 / n;
        let critical = 1.96 + b * (2.9694 + b * (0.4160 - b * 0.5324));
        let year = libm::sqrt(DAYS_A_YEAR);
        let sharpe = year * (ma / sa - mb / sb);
        let half = year * critical * libm::sqrt(variance.max(0.0));
        Some(SharpeGain {
            sharpe,
            low: sharpe - half,
            high: sharpe + half,
            days: self.days,
            more: self.evidence.for_more(),
            less: self.evidence.for_less(),
        })
    }

    /// Long-run variance of g·y.
    fn long_run(&self, g: &DayMoments, lags: usize) -> f64 {
        let n = f64::from(self.days);
        let dot = |y: &DayMoments| y.iter().zip(g).map(|(y, g)| y * g).sum::<f64>();
        let all = dot(&self.sum);
        let mean = all / n;
        let (mut head, mut tail, mut sum) = (0.0, 0.0, 0.0);
        for (lag, products) in self.products.iter().take(lags).enumerate() {
            let rows = products.chunks_exact(4).zip(g);
            let product: f64 =
                rows.map(|(row, g1)| g1 * row.iter().zip(g).map(|(p, g2)| p * g2).sum::<f64>()).sum();
            // Days after the first `lag`, and days before the last `lag`.
            let gamma = product - (all - head) * mean - mean * (all - tail) + (n - lag as f64) * mean * mean;
            let weight = if lag == 0 { 1.0 } else { 2.0 * (1.0 - lag as f64 / lags as f64) };
            sum += weight * gamma / n;
            head += self.first.get(lag).map_or(0.0, dot);
            tail += self.last.get(lag).map_or(0.0, dot);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;

    /// A number that is nearly normal with variance 1: twelve uniform ones less six.
    fn noise(key: u64, i: u64) -> f64 {
        (0..12).map(|k| random::uniform(random::key(key, &[i, k]))).sum::<f64>() - 6.0
    }

    /// Two strategies with a common part, days that lean on the day before, and edges as given.
    fn world(key: u64, days: u64, edges: [f64; 2]) -> Paired {
        let mut paired = Paired::default();
        let mut own = [0.0; 2];
        for i in 0..days {
            let common = noise(key, 3 * i);
            for (k, x) in own.iter_mut().enumerate() {
                *x = 0.2 * *x + noise(key, 3 * i + 1 + k as u64);
            }
            let r = |k: usize| 0.01 * (edges[k] + 0.8 * common + 0.6 * own[k]);
            paired.push(r(0), 0.5 * r(1));
        }
        paired
    }

    #[test]
    fn nothing_is_said_before_there_are_days_or_where_there_is_no_spread() {
        assert_eq!(world(1, u64::from(DAYS_MIN) - 1, [0.0; 2]).gain(), None);
        assert!(world(1, u64::from(DAYS_MIN), [0.0; 2]).gain().is_some());
        let mut flat = Paired::default();
        (0..200).for_each(|i| flat.push(0.01 * noise(1, i), 0.0));
        assert_eq!((flat.gain(), flat.days()), (None, 200));
    }

    #[test]
    fn equal_returns_gain_nothing_and_swapping_changes_the_sign() {
        let (mut same, mut ab, mut ba) = (Paired::default(), Paired::default(), Paired::default());
        for i in 0..300 {
            let (a, b) = (0.01 * noise(5, i) + 0.001, 0.02 * noise(6, i));
            same.push(a, a);
            ab.push(a, b);
            ba.push(b, a);
        }
        let g = same.gain().unwrap();
        assert!(g.sharpe == 0.0 && g.high.abs() < 1e-4, "{g:?}");
        let (x, y) = (ab.gain().unwrap(), ba.gain().unwrap());
        assert!((x.sharpe + y.sharpe).abs() < 1e-9 && (x.low + y.high).abs() < 1e-6);
    }

    #[test]
    fn the_sums_kept_give_the_autocovariances_of_all_days() {
        let days: Vec<(f64, f64)> = (0..500).map(|i| (noise(8, i), noise(9, i) + noise(8, i))).collect();
        let mut paired = Paired::default();
        days.iter().for_each(|(a, b)| paired.push(a / 100.0, b / 100.0));
        let g = [0.3, -0.2, 0.05, 0.4];
        let z: Vec<f64> =
            days.iter().map(|(a, b)| g[0] * a + g[1] * b + g[2] * a * a + g[3] * b * b).collect();
        let mean = z.iter().sum::<f64>() / 500.0;
        let gamma = |l: usize| (l..500).map(|t| (z[t] - mean) * (z[t - l] - mean)).sum::<f64>() / 500.0;
        let direct = gamma(0) + (1..40).map(|l| 2.0 * (1.0 - l as f64 / 40.0) * gamma(l)).sum::<f64>();
        assert!((paired.long_run(&g, 40) - direct).abs() < 1e-9 * direct.abs());
    }

    #[test]
    fn ninety_five_intervals_of_a_hundred_hold_the_truth() {
        for days in [90, 500] {
            let worlds = 1_500;
            let held = (0..worlds)
                .filter(|k| {
                    let g = world(1_000 + k, days, [0.03, 0.03]).gain().unwrap();
                    g.low <= 0.0 && 0.0 <= g.high
                })
                .count();
            let share = held as f64 / worlds as f64;
            assert!((0.925..=0.975).contains(&share), "{days} days: {share}");
        }
    }

    #[test]
    fn an_edge_is_seen_and_so_is_a_loss() {
        let better = world(3, 2_000, [0.15, 0.0]).gain().unwrap();
        let worse = world(3, 2_000, [0.0, 0.15]).gain().unwrap();
        assert!(better.low > 0.0 && worse.high < 0.0, "{better:?} {worse:?}");
    }
}
