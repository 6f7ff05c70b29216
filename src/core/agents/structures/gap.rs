//! How a logarithm of prices moves: the gap between two that should be equal, or one price's own.
//!
//! # Invariants
//!
//! 1. A sample counts only if it is later than the last by [`SAMPLE`]: quotes closer together are one.
//! 2. O(1) in time and memory; old samples are forgotten at a fixed pace, squares and seconds alike.

use crate::domain::{Span, Stamp};
use serde::{Deserialize, Serialize};

/// Samples closer than this are one.
pub const SAMPLE: Span = Span(100_000_000);
/// Samples needed before anything is known of it.
pub const WARM: u32 = 20;
/// Weight that a sample keeps when the next one comes: a memory of 200.
const KEEP: f64 = 0.995;

/// What is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceGap {
    since: Stamp,
    /// The last sample: when, and what it was.
    last: Option<(Stamp, f64)>,
    count: u32,
    squares: f64,
    seconds: f64,
    weight: f64,
}

impl PriceGap {
    /// Whether a sample at this stamp would count.
    pub fn is_due(&self, at: Stamp) -> bool {
        self.last.is_none_or(|l| at.since(l.0).0 >= SAMPLE.0)
    }

    /// Takes a sample; the seconds since the one before, if there was one and this one counts.
    pub fn tell(&mut self, at: Stamp, log: f64) -> Option<f64> {
        if !self.is_due(at) || !log.is_finite() {
            return None;
        }
        let Some((before, last)) = self.last.replace((at, log)) else {
            self.since = at;
            return None;
        };
        let passed = seconds(at.since(before));
        self.squares = KEEP * self.squares + (log - last) * (log - last);
        self.seconds = KEEP * self.seconds + passed;
        self.weight = KEEP * self.weight + 1.0;
        self.count = self.count.saturating_add(1);
        Some(passed)
    }

    /// Samples so far, but for the first.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Seconds from the first sample to the last.
    pub fn covered(&self) -> f64 {
        self.last.map_or(0.0, |l| seconds(l.0.since(self.since)))
    }

    /// Seconds between two samples, on average.
    pub fn step(&self) -> f64 {
        if self.weight > 0.0 { self.seconds / self.weight } else { 0.0 }
    }

    /// One standard deviation of its move over so many seconds; none while that is not known.
    pub fn risk(&self, seconds: f64) -> Option<f64> {
        (self.count >= WARM && self.seconds > 0.0)
            .then(|| libm::sqrt(self.squares / self.seconds * seconds))
            .filter(|r| r.is_finite())
    }
}

/// A span in seconds.
pub fn seconds(span: Span) -> f64 {
    span.0 as f64 / 1e9
}

/// A span of so many seconds.
pub fn span(seconds: f64) -> Span {
    Span((seconds * 1e9) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_of_a_basis_point_a_second_is_two_in_four() {
        let mut gap = PriceGap::default();
        for n in 0..=400_i64 {
            let log = if n % 2 == 0 { 0.0 } else { 1e-4 };
            gap.tell(Stamp(n * 1_000_000_000), log);
            // Too close to count.
            assert_eq!(gap.tell(Stamp(n * 1_000_000_000 + 1), 1.0), None);
        }
        assert!((gap.risk(4.0).unwrap() - 2e-4).abs() < 1e-9);
        assert!((gap.step() - 1.0).abs() < 1e-9 && (gap.covered() - 400.0).abs() < 1e-9);
    }
}
