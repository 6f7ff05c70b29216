//! What working orders costs, with its interval: the question that a single number does not answer.
//!
//! ```text
//! c_d, n_d   cost against the arrival price and notional of a day, all seeds together
//! e  = Σc / Σn
//! se = √( D/(D−1) · Σ (c_d − e·n_d)² ) / Σn          ratio estimator, linearised (Cochran 1977, § 6)
//! ```
//!
//! Days are the units: what is filled on a day meets the same market in all assets and all seeds, so more seeds
//! make no interval narrower than the days allow. The interval is e ± t·se with t of D − 1 degrees of freedom.
//!
//! # Invariants
//!
//! 1. Days on which nothing was filled count nothing; of fewer than two nothing is told.

use super::bootstrap::Interval;
use super::stream::ArmTrack;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Cost of worked orders, in basis points of notional.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkingCost {
    /// Against the arrival price, fees included, with its 95 % interval.
    pub effective_bp: Interval,
    /// By taking at the arrival price.
    pub taking_bp: f64,
    /// Days on which orders were filled.
    pub days: usize,
    /// Notional of a seed, in multiples of its capital at the start.
    pub notional: f64,
}

/// Of the tracks of an arm, seed by seed; none if nothing was worked, or on one day only.
pub fn cost<'a>(tracks: impl Iterator<Item = &'a ArmTrack>) -> Option<WorkingCost> {
    let mut by_day: BTreeMap<i64, [f64; 3]> = BTreeMap::new();
    let mut seeds = 0;
    for track in tracks {
        seeds += 1;
        for (day, sums) in &track.worked {
            let all = by_day.entry(*day).or_default();
            all.iter_mut().zip(sums).for_each(|(a, x)| *a += x);
        }
    }
    let sum = |i: usize| by_day.values().map(|d| d[i]).sum::<f64>();
    let (notional, cost, taking) = (sum(0), sum(1), sum(2));
    let (e, days) = (cost / notional, by_day.len());
    if notional <= 0.0 || days < 2 {
        return None;
    }
    let squares: f64 = by_day.values().map(|[n, c, _]| (c - e * n) * (c - e * n)).sum();
    let free = days.saturating_sub(1) as f64;
    let half = student(free) * libm::sqrt(days as f64 / free * squares) / notional;
    let bp = 1e4;
    Some(WorkingCost {
        effective_bp: Interval { mean: bp * e, lo: bp * (e - half), hi: bp * (e + half) },
        taking_bp: bp * taking / notional,
        days,
        notional: notional / f64::from(seeds),
    })
}

/// The 97.5 % quantile of Student's t, by the Cornish–Fisher expansion about the normal's (Abramowitz and
/// Stegun 26.7.5); within 1 % from three degrees of freedom on.
fn student(free: f64) -> f64 {
    let z = 1.959_963_984_540_054;
    let (z3, z5, z7) = (libm::pow(z, 3.0), libm::pow(z, 5.0), libm::pow(z, 7.0));
    z + (z3 + z) / (4.0 * free)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * free * free)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * free * free * free)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random;

    fn track(worked: Vec<(i64, [f64; 3])>) -> ArmTrack {
        ArmTrack { worked, ..ArmTrack::default() }
    }

    #[test]
    fn by_hand() {
        let t = [track(vec![(1, [1.0, 0.002, 0.001]), (3, [3.0, 0.002, 0.003])])];
        let c = cost(t.iter()).unwrap();
        // e = 10 bp; residuals ±0.001: se = √(2·2e-6)/4.
        assert!((c.effective_bp.mean - 10.0).abs() < 1e-9 && (c.taking_bp - 10.0).abs() < 1e-9);
        let half = student(1.0) * 0.002 / 4.0;
        assert!((c.effective_bp.hi - 1e4 * (0.001 + half)).abs() < 1e-9);
        assert_eq!((c.days, c.notional), (2, 4.0));
        assert_eq!(cost([track(vec![])].iter()), None);
        assert_eq!(cost([track(vec![(1, [1.0, 0.002, 0.001])])].iter()), None, "one day has no spread");
    }

    #[test]
    fn the_same_days_again_are_no_more_evidence() {
        let days: Vec<(i64, [f64; 3])> =
            (0..40).map(|d| (d, [1.0, 0.01 * random::normal(random::key(1, &[d as u64])), 0.0])).collect();
        let one = cost([track(days.clone())].iter()).unwrap();
        let eight = cost(vec![track(days); 8].iter()).unwrap();
        assert!((one.effective_bp.hi - eight.effective_bp.hi).abs() < 1e-9);
    }

    #[test]
    fn ninety_five_of_a_hundred_intervals_hold_the_truth() {
        let truth = 0.0005;
        let hold = |i: u64| {
            let day = |d: i64| {
                let key = random::key(i, &[d as u64]);
                let n = 0.5 + random::uniform(key);
                (d, [n, n * (truth + 0.01 * random::normal(random::mix(key, 1))), 0.0])
            };
            let c = cost([track((0..25).map(day).collect())].iter()).unwrap();
            c.effective_bp.lo <= 1e4 * truth && 1e4 * truth <= c.effective_bp.hi
        };
        let held = (0..1_000).filter(|i| hold(*i)).count();
        assert!((925..=975).contains(&held), "{held}");
    }

    #[test]
    fn student_as_in_the_tables() {
        for (free, t) in [(3.0, 3.182), (10.0, 2.228), (30.0, 2.042), (1e6, 1.960)] {
            assert!((student(free) / t - 1.0).abs() < 0.01, "{free}");
        }
    }
}
