//! Realised variance of the path known so far, and what is expected of it from there: a fast mean that reverts to
//! a slow one.

use crate::domain::Span;
use serde::{Deserialize, Serialize};

/// Memories in hours of the fast and the slow realised variance.
const FAST_HOURS: f64 = 48.0;
const SLOW_HOURS: f64 = 720.0;
/// How fast variance is expected to come back, in years.
const REVERSION: f64 = 8.0 / 365.25;

/// Realised variance per year, of hourly returns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct RealisedVariance {
    last: f64,
    fast: f64,
    slow: f64,
    long: f64,
}

impl RealisedVariance {
    pub fn start(price: f64, usual: f64) -> RealisedVariance {
        let long = usual * usual;
        RealisedVariance { last: price, fast: long, slow: long, long }
    }

    /// Takes the close of an hour.
    pub fn hour(&mut self, close: f64) {
        let r = libm::log(close / self.last);
        let square = r * r * Span::HOUR.per_year();
        self.fast += (square - self.fast) / FAST_HOURS;
        self.slow += (square - self.slow) / SLOW_HOURS;
        self.last = close;
    }

    /// Total variance that is expected over so many years.
    pub fn expected(&self, years: f64) -> f64 {
        let mean = 0.85 * self.slow + 0.15 * self.long;
        mean * years + (self.fast - mean) * REVERSION * (1.0 - libm::exp(-years / REVERSION))
    }
}
