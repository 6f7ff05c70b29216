//! A curve of bounded length: when it is full, every second point goes, and a point then stands for
//! twice as many pushes. Whole history at falling resolution, in fixed memory.
//!
//! # Invariants
//!
//! 1. At most as many finished points as it was made for, whatever was pushed.
//! 2. The same pushes give the same points; nothing depends on when it is looked at.

use serde::{Deserialize, Serialize};

/// Most points that a curve keeps or sends.
pub const POINTS_MAX: usize = 512;

/// What a point keeps of the pushes it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Downsampling {
    /// The last: equity.
    Last,
    /// The largest: drawdown, whose worst must not be lost.
    Most,
}

/// A curve that keeps its whole history in bounded memory; see the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampledCurve {
    keep: Downsampling,
    /// Most finished points.
    most: usize,
    points: Vec<f64>,
    /// Pushes that a point stands for.
    stride: u64,
    /// The point that is being made, and how many pushes are in it.
    open: f64,
    filled: u64,
}

impl SampledCurve {
    /// Empty, for [`POINTS_MAX`] points.
    pub fn new(keep: Downsampling) -> Self {
        SampledCurve::short(keep, POINTS_MAX)
    }

    /// Empty, for fewer points.
    pub fn short(keep: Downsampling, most: usize) -> Self {
        SampledCurve {
            keep,
            most: most.clamp(2, POINTS_MAX),
            points: Vec::new(),
            stride: 1,
            open: 0.0,
            filled: 0,
        }
    }

    /// Takes the next value; what is not finite is left out.
    pub fn push(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.open = self.joined(value);
        self.filled += 1;
        if self.filled < self.stride {
            return;
        }
        self.filled = 0;
        self.points.push(self.open);
        if self.points.len() == self.most {
            self.halve();
        }
    }

    fn joined(&self, value: f64) -> f64 {
        if self.filled > 0 && self.keep == Downsampling::Most { self.open.max(value) } else { value }
    }

    fn halve(&mut self) {
        let keep = self.keep;
        let pair = |p: &[f64]| match (keep, p) {
            (Downsampling::Most, [a, b]) => a.max(*b),
            (_, p) => p.last().copied().unwrap_or_default(),
        };
        self.points = self.points.chunks(2).map(pair).collect();
        self.stride *= 2;
    }

    /// All finished points and the one being made: never more than it was made for.
    pub fn values(&self) -> Vec<f64> {
        let mut values = self.points.clone();
        if self.filled > 0 {
            values.push(self.open);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_longer_than_its_bound_and_ends_with_the_last() {
        let mut s = SampledCurve::new(Downsampling::Last);
        for i in 0..100_000 {
            s.push(f64::from(i));
            assert!(s.values().len() <= POINTS_MAX);
            assert_eq!(s.values().last(), Some(&f64::from(i)));
        }
        assert!(s.values().len() >= POINTS_MAX / 2);
        assert!(s.values().windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn a_short_one_is_bounded_too() {
        let mut s = SampledCurve::short(Downsampling::Last, 32);
        for i in 0..1_000 {
            s.push(f64::from(i));
            assert!(s.values().len() <= 32);
        }
        assert_eq!(s.values().last(), Some(&999.0));
    }

    #[test]
    fn the_worst_is_never_lost() {
        let mut s = SampledCurve::new(Downsampling::Most);
        for i in 0..5_000 {
            s.push(if i == 1_234 { 9.0 } else { 0.5 });
        }
        assert!(s.values().contains(&9.0));
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let mut s = SampledCurve::new(Downsampling::Last);
        s.push(f64::NAN);
        s.push(f64::INFINITY);
        assert!(s.values().is_empty());
    }
}
