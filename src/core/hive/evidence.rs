//! Evidence that may be looked at on every day: a bet, day by day, that one of two does better than the
//! other.
//!
//! ```text
//! d_t = a_t − b_t                   daily returns at the same target risk
//! x_t = clip(d_t / (4·s), −1, 1)    s: spread of the differences before day t (span 90 days, known after 20)
//! e_t = e_{t−1}·(1 + λ_t·x_t)       λ_t = clip(m/(v + m²), 0, ½), m and v of the x before day t
//! ```
//!
//! Whatever is done with it, if the clipped differences have no mean above zero given the days before,
//! then e is a nonnegative supermartingale that starts at 1, and the chance that it *ever* reaches 20 is
//! at most 5 % (Ville 1939; betting as in Waudby-Smith and Ramdas 2024). So nobody has to fix beforehand
//! when to look, and looking daily is no mistake, which an interval would make of it. The same process
//! with the sign turned is the evidence for less.
//!
//! # Invariants
//!
//! 1. What is bet on a day depends on the days before it alone.
//! 2. a = b, or swapping them, gives no evidence, or that of the other side.

use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

pub use crate::domain::evidence::ENOUGH;

/// Memory of the spread of differences, in days.
const SPAN_DAYS: f64 = 90.0;
/// Days of it that must be known before anything is bet.
const KNOWN_DAYS: u32 = 20;
/// Spreads at which a difference is clipped.
const SPREADS: f64 = 4.0;
/// The most that is bet.
const BET_MAX: f64 = 0.5;

/// One side's wealth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Wealth {
    /// e, as a logarithm.
    now: f64,
    /// The highest it ever was, as a logarithm.
    most: f64,
}

/// Evidence for and against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    spread: Weighted,
    /// Days that were bet on.
    days: u32,
    sum: f64,
    squares: f64,
    more: Wealth,
    less: Wealth,
}

impl Default for Evidence {
    fn default() -> Self {
        let even = Wealth { now: 0.0, most: 0.0 };
        Evidence { spread: Weighted::new(SPAN_DAYS), days: 0, sum: 0.0, squares: 0.0, more: even, less: even }
    }
}

impl Evidence {
    /// The returns of a day, as fractions.
    pub fn push(&mut self, a: f64, b: f64) {
        let difference = a - b;
        let scale = SPREADS * libm::sqrt(self.spread.mean());
        if self.spread.seen() >= KNOWN_DAYS && scale > 0.0 {
            let x = (difference / scale).clamp(-1.0, 1.0);
            let n = f64::from(self.days) + 1.0;
            // As if one day of nothing but spread had gone before.
            let mean = self.sum / n;
            let variance = (1.0 / (SPREADS * SPREADS) + self.squares) / n - mean * mean;
            let bet = mean / (variance + mean * mean);
            self.more.bet(bet, x);
            self.less.bet(-bet, -x);
            self.days += 1;
            self.sum += x;
            self.squares += x * x;
        }
        self.spread.push(difference * difference);
    }

    /// The most evidence there ever was that the one does better; 1 is none, [`ENOUGH`] is enough.
    pub fn for_more(&self) -> f64 {
        libm::exp(self.more.most)
    }

    /// Evidence that the one does worse than the other, 1 for none.
    pub fn for_less(&self) -> f64 {
        libm::exp(self.less.most)
    }
}

impl Wealth {
    fn bet(&mut self, bet: f64, x: f64) {
        self.now += libm::log1p(bet.clamp(0.0, BET_MAX) * x);
        self.most = self.most.max(self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;

    /// Nearly normal, now and then five times as wide.
    fn noise(key: u64, i: u64) -> f64 {
        let normal = (0..12).map(|k| random::uniform(random::key(key, &[i, k]))).sum::<f64>() - 6.0;
        if random::uniform(random::key(key, &[i, 99])) < 0.05 { 5.0 * normal } else { normal }
    }

    fn of(key: u64, days: u64, edge: f64) -> Evidence {
        let mut e = Evidence::default();
        (0..days).for_each(|i| e.push(0.001 * (edge + noise(key, i)), 0.0));
        e
    }

    #[test]
    fn worthless_evidence_is_hardly_ever_enough_however_often_one_looks() {
        let worlds = 2_000;
        let found = (0..worlds).filter(|k| of(*k, 1_500, 0.0).for_more() >= ENOUGH).count();
        assert!(found as f64 <= 0.05 * worlds as f64, "{found} of {worlds}");
    }

    #[test]
    fn a_true_edge_is_found_and_so_is_a_loss() {
        let found = (0..200).filter(|k| of(*k, 1_200, 0.15).for_more() >= ENOUGH).count();
        assert!(found > 150, "{found} of 200");
        let worse = of(3, 2_000, -0.2);
        assert!(worse.for_less() >= ENOUGH && worse.for_more() < ENOUGH, "{worse:?}");
    }

    #[test]
    fn swapping_swaps_and_equals_say_nothing() {
        let (mut ab, mut ba, mut same) = (Evidence::default(), Evidence::default(), Evidence::default());
        for i in 0..400 {
            let (a, b) = (0.01 * noise(5, i) + 0.001, 0.01 * noise(6, i));
            ab.push(a, b);
            ba.push(b, a);
            same.push(a, a);
        }
        assert_eq!((ab.for_more(), ab.for_less()), (ba.for_less(), ba.for_more()));
        assert_eq!((same.for_more(), same.for_less()), (1.0, 1.0));
    }

    #[test]
    fn what_is_bet_on_a_day_knows_only_the_days_before() {
        let (mut one, mut other) = (of(8, 300, 0.1), of(8, 300, 0.1));
        let before = one;
        one.push(0.002, 0.0);
        other.push(-0.002, 0.0);
        // The same bet won in one and lost in the other.
        let (up, down) = (one.more.now - before.more.now, other.more.now - before.more.now);
        assert!(up > 0.0 && (libm::expm1(up) + libm::expm1(down)).abs() < 1e-12, "{up} {down}");
    }
}
