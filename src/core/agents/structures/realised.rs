//! The volatility that an asset is expected to have, from its own prices: exponential means of squared
//! returns with memories of a day, a week and a month, put together as in the HAR model (Corsi 2009), and
//! drawn to the longer means the farther the horizon lies.
//!
//! # Invariants
//!
//! 1. O(1) an event: at most one return every [`STEP`], of the prices as they were.
//! 2. Time in which nothing was heard counts with the return over it; what is not known yet has no weight,
//!    so a short history is not taken for a calm one.
//! 3. A return of more than [`OUTLIER`] deviations counts as one of so many: a bad tick is no volatility.

use crate::domain::{Span, Stamp};
use serde::{Deserialize, Serialize};

/// Time from one return to the next, at least.
pub const STEP: Span = Span(5 * Span::MINUTE.0);
/// Largest return that is believed, in deviations.
const OUTLIER: f64 = 8.0;
/// Memories, in years.
const MEMORY: [f64; 3] = [1.0 / 365.25, 7.0 / 365.25, 30.0 / 365.25];
/// How much of what a shorter mean shows over the next longer one is believed: the weights of day, week and
/// month are then near Corsi's 0.4, 0.35 and 0.25.
const BELIEVED: [f64; 2] = [0.75, 0.55];

/// What is remembered of returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::agents) struct ReturnMemory {
    last: Option<(Stamp, f64)>,
    /// Weighted sums of squared returns, and of the years they took.
    squares: [f64; 3],
    years: [f64; 3],
    /// Years heard of, and returns.
    heard: f64,
    returns: u32,
}

impl ReturnMemory {
    /// A price; most of them only look at the time.
    pub fn hear(&mut self, at: Stamp, price: f64) {
        if !(price.is_finite() && price > 0.0) {
            return;
        }
        let Some((then, before)) = self.last else {
            self.last = Some((at, price));
            return;
        };
        let span = at.since(then);
        if span.0 < STEP.0 {
            return;
        }
        let dt = span.in_units_of(Span::YEAR);
        let r = libm::log(price / before);
        let mut square = r * r;
        if self.returns >= 24 {
            square = square.min(OUTLIER * OUTLIER * self.squares[1] / self.years[1] * dt);
        }
        for ((s, y), memory) in self.squares.iter_mut().zip(&mut self.years).zip(MEMORY) {
            let keep = libm::exp(-dt / memory);
            *s = *s * keep + square;
            *y = *y * keep + dt;
        }
        self.heard += dt;
        self.returns = self.returns.saturating_add(1);
        self.last = Some((at, price));
    }

    /// Volatility expected over the next `years`, per year, as a fraction; none before `warm` was heard, or
    /// where nothing ever moved.
    pub fn forecast(&self, years: f64, warm: Span) -> Option<f64> {
        let known = self.heard >= warm.in_units_of(Span::YEAR) && self.returns >= 24;
        if !known || !years.is_finite() || years < 0.0 {
            return None;
        }
        let mean = |i: usize| self.squares[i] / self.years[i];
        // What is left on average, over the horizon, of a difference that decays with this memory.
        let left = |memory: f64| {
            let x = years / memory;
            if x < 1e-6 { 1.0 } else { (1.0 - libm::exp(-x)) / x }
        };
        let (day, week, month) = (mean(0), mean(1), mean(2));
        let variance = month
            + BELIEVED[0] * (week - month) * left(MEMORY[2])
            + BELIEVED[1] * BELIEVED[0] * (day - week) * left(MEMORY[1]);
        // A sum of the three with weights that are not negative, but for rounding.
        (variance > 0.0).then(|| libm::sqrt(variance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prices that go up and down by `r` every step: volatility r·√(steps per year).
    fn walk(r: f64, steps: i64) -> ReturnMemory {
        let mut heard = ReturnMemory::default();
        for i in 0..steps {
            heard.hear(Stamp(i * STEP.0), 100.0 * libm::exp(if i % 2 == 0 { r } else { 0.0 }));
        }
        heard
    }

    #[test]
    fn a_steady_market_is_expected_to_stay_as_it_is_over_any_horizon() {
        let r = 0.5 / libm::sqrt(STEP.per_year());
        let heard = walk(r, 600);
        for years in [0.0, 0.003, 0.1] {
            let sigma = heard.forecast(years, Span::DAY).unwrap();
            assert!((sigma - 0.5).abs() < 1e-9, "{years}: {sigma}");
        }
    }

    #[test]
    fn it_is_not_known_before_it_was_heard_long_enough() {
        let heard = walk(0.001, 200);
        assert_eq!(heard.forecast(0.01, Span::DAY), None);
        assert!(heard.forecast(0.01, Span::HOUR).is_some());
        assert_eq!(ReturnMemory::default().forecast(0.01, Span(0)), None);
    }

    #[test]
    fn a_burst_counts_less_the_farther_the_horizon_lies() {
        let mut heard = walk(0.001, 6_000);
        let calm = heard.forecast(0.003, Span::DAY).unwrap();
        for i in 6_000..6_100 {
            heard.hear(Stamp(i * STEP.0), 100.0 * if i % 2 == 0 { 1.004 } else { 1.0 });
        }
        let (near, far) =
            (heard.forecast(0.003, Span::DAY).unwrap(), heard.forecast(0.5, Span::DAY).unwrap());
        assert!(near > far && far > calm, "{calm} {far} {near}");
    }

    #[test]
    fn one_bad_tick_does_not_make_a_storm() {
        let mut heard = walk(0.001, 2_000);
        let before = heard.forecast(0.003, Span::DAY).unwrap();
        heard.hear(Stamp(2_000 * STEP.0), 1_000.0);
        heard.hear(Stamp(2_001 * STEP.0), 100.0);
        let after = heard.forecast(0.003, Span::DAY).unwrap();
        // Ten times the price is 230 % in a step; it counts as 8 deviations.
        assert!(after < 1.4 * before, "{before} {after}");
        heard.hear(Stamp(2_002 * STEP.0), f64::NAN);
        assert!(heard.forecast(0.003, Span::DAY).unwrap().is_finite());
    }
}
