//! Whom a swarm that grows takes in next.
//!
//! # Invariants
//!
//! 1. A rule knows returns up to the day on which it hires, and chance knows none.
//! 2. Who was taken in stays: that more take part is all that changes.

use crate::agents::Population;
use crate::domain::random;
use crate::lab::stats;

/// Days between two hirings.
pub const EVERY_DAYS: usize = 90;
/// Scouts that are taken in at once.
pub const AT_ONCE: usize = 6;

/// By what a scout is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HireRule {
    /// By what it would add to the rest: how surely its returns, those of the rest taken off, have paid.
    Adds,
    /// By its own record: how surely its returns have paid.
    Record,
    /// By a draw of this number.
    Chance(u32),
}

/// How surely returns have paid: mean over standard error; nothing where there is no spread.
fn sureness(returns: &[f64]) -> f64 {
    let error = stats::deviation(returns) / libm::sqrt(returns.len() as f64);
    if error > 0.0 { stats::mean(returns) / error } else { 0.0 }
}

/// What is left of returns once their part of the rest's is taken off.
fn residual(of: &[f64], rest: &[f64]) -> Vec<f64> {
    let (mean_of, mean_rest) = (stats::mean(of), stats::mean(rest));
    let with: f64 = of.iter().zip(rest).map(|(x, y)| (x - mean_of) * (y - mean_rest)).sum();
    let spread: f64 = rest.iter().map(|y| (y - mean_rest) * (y - mean_rest)).sum();
    let beta = if spread > 0.0 { with / spread } else { 0.0 };
    of.iter().zip(rest).map(|(x, y)| x - beta * y).collect()
}

impl HireRule {
    /// The scouts to take in, best first: who takes part has a weight, and daily returns are by agent.
    pub fn choose(self, cast: &Population, weights: &[f64], daily: &[Vec<f64>]) -> Vec<usize> {
        let days = daily.first().map_or(0, Vec::len);
        let parts = weights.iter().filter(|w| **w > 0.0).count() as f64;
        let members = || daily.iter().zip(weights).filter(|(_, w)| **w > 0.0);
        let rest: Vec<f64> =
            (0..days).map(|d| members().map(|(of, _)| of[d]).sum::<f64>() / parts.max(1.0)).collect();
        let score = |i: usize| match self {
            HireRule::Adds => sureness(&residual(&daily[i], &rest)),
            HireRule::Record => sureness(&daily[i]),
            HireRule::Chance(draw) => {
                let name = random::name(&cast.agents[i].name);
                random::uniform(random::key(cast.seed, &[random::name("hires"), u64::from(draw), name]))
            }
        };
        let free = |i: &usize| cast.agents[*i].scout && cast.agents[*i].heard && weights[*i] == 0.0;
        let mut scored: Vec<(f64, usize)> =
            (0..cast.agents.len()).filter(free).map(|i| (score(i), i)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.into_iter().take(AT_ONCE).map(|(_, i)| i).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_copy_of_the_rest_adds_is_nothing() {
        let rest = [0.01, -0.005, 0.02, 0.003, -0.01, 0.008];
        let copy: Vec<f64> = rest.iter().map(|r| 2.0 * r).collect();
        assert!(sureness(&copy) > 0.5 && residual(&copy, &rest).iter().all(|e| e.abs() < 1e-12));
        let other = [0.002, 0.001, 0.002, 0.003, 0.002, 0.001];
        assert!(sureness(&residual(&other, &rest)) > 3.0);
        assert_eq!(sureness(&[0.0; 4]), 0.0);
    }
}
