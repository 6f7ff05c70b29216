//! Points: the record of families and agents, slow and shrunk toward a prior, so that it takes years
//! and not weeks to tell skill from luck.
//!
//! ```text
//! u_j      = clip(net PnL_j / ex-ante vol of p_j, ±5)                       a bar
//! S_k      = d·S_k + mean(u of active members),  n_k = d·n_k + 1            d = 1 − 2/(span+1)
//! q_k      = (S_k + κ·q0)/(n_k + κ),  q0 = 0.5/√(bars per year),  κ = one year of bars
//! Points_k = clip(q_k/q0, ⅓, 3);  an agent's = ½ family + ½ own with κ = two years
//! ```
//!
//! 1 is the prior (a yearly Sharpe ratio of 0.5); on the screen points are × 100.

use crate::agents::Population;
use crate::domain::{AgentId, FamilyId, Span};
use serde::{Deserialize, Serialize};

const LIMIT: f64 = 5.0;
const LEAST: f64 = 1.0 / 3.0;
const MOST: f64 = 3.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ResultSum {
    sum: f64,
    count: f64,
}

impl ResultSum {
    fn push(&mut self, u: f64, keep: f64) {
        self.sum = keep * self.sum + u;
        self.count = keep * self.count + 1.0;
    }

    fn points(&self, prior: f64, kappa: f64) -> f64 {
        let edge = (self.sum + kappa * prior) / (self.count + kappa);
        (edge / prior).clamp(LEAST, MOST)
    }
}

/// The record of a family.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct FamilyRecord {
    family: FamilyId,
    results: ResultSum,
    /// As of the last bar, so that reading is cheap.
    points: f64,
}

/// The records of families and agents, from which points are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Points {
    /// Of the families that somebody is of, as the population lists them.
    families: Vec<FamilyRecord>,
    agents: Vec<ResultSum>,
    keep: f64,
    prior: f64,
    year: f64,
}

/// A result of a bar, as far as a record takes it.
pub fn bounded(result: f64) -> f64 {
    result.clamp(-LIMIT, LIMIT)
}

/// What a bar leaves of the record before it, where a record spans so many days of this clock.
pub fn kept(clock: Span, span_days: f64) -> f64 {
    let span = span_days * Span::DAY.in_units_of(clock);
    1.0 - 2.0 / (span + 1.0)
}

impl Points {
    /// No record yet: everybody has 1.
    pub fn new(cast: &Population, clock: Span, span_days: f64) -> Self {
        let year = clock.per_year();
        Points {
            families: cast
                .families
                .iter()
                .map(|f| FamilyRecord { family: *f, results: ResultSum::default(), points: 1.0 })
                .collect(),
            agents: vec![ResultSum::default(); cast.agents.len()],
            keep: kept(clock, span_days),
            prior: 0.5 / libm::sqrt(year),
            year,
        }
    }

    /// Takes the results of a bar: per agent, net PnL over ex-ante volatility; NaN for the inactive.
    pub fn push(&mut self, cast: &Population, results: &[f64]) {
        let mut sums = vec![(0.0, 0.0); self.families.len()];
        for ((agent, record), u) in cast.agents.iter().zip(&mut self.agents).zip(results) {
            if u.is_finite() {
                let u = bounded(*u);
                record.push(u, self.keep);
                let (sum, n) = &mut sums[agent.family_index];
                *sum += u;
                *n += 1.0;
            }
        }
        for (record, (sum, n)) in self.families.iter_mut().zip(sums) {
            if n > 0.0 {
                record.results.push(sum / n, self.keep);
                record.points = record.results.points(self.prior, self.year);
            }
        }
    }

    /// Points of a family, ⅓ … 3; 1 for one that nobody is of.
    pub fn family(&self, family: FamilyId) -> f64 {
        self.families.iter().find(|r| r.family == family).map_or(1.0, |r| r.points)
    }

    /// Points of an agent, ⅓ … 3.
    pub fn agent(&self, cast: &Population, agent: AgentId) -> f64 {
        let family = cast.agents[agent.index()].family_index;
        0.5 * self.families[family].points
            + 0.5 * self.agents[agent.index()].points(self.prior, 2.0 * self.year)
    }

    /// What an agent's points would lack without results that come to `sum` of its own record as it is now: what one intent
    /// did to the half of them that is the agent's own. The family's half is of all of its members, and nobody's alone.
    /// Before the bounds of points, which would make of two intents that each lost enough for the lower one that neither
    /// did anything.
    pub fn effect(&self, agent: AgentId, sum: f64) -> f64 {
        let record = &self.agents[agent.index()];
        0.5 * sum / (record.count + 2.0 * self.year) / self.prior
    }

    /// The weight of each family's voices, as the population lists them: √points, or all alike.
    pub fn voices(&self, by_points: bool) -> Vec<f64> {
        self.families.iter().map(|r| if by_points { libm::sqrt(r.points) } else { 1.0 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_is_worth_one_and_a_record_moves_slowly() {
        let year = 2_191.5;
        let prior = 0.5 / libm::sqrt(year);
        let mut r = ResultSum::default();
        assert_eq!(r.points(prior, year), 1.0);
        // A year of a Sharpe ratio of 2.5 (five times the prior): half-way there at most.
        for _ in 0..2_191 {
            r.push(5.0 * prior, 1.0 - 2.0 / 4_501.0);
        }
        let p = r.points(prior, year);
        assert!((2.4..3.0).contains(&p), "{p}");
    }

    #[test]
    fn points_stay_between_a_third_and_three() {
        let mut r = ResultSum::default();
        for _ in 0..10_000 {
            r.push(LIMIT, 0.999);
        }
        assert_eq!(r.points(0.01, 2_000.0), MOST);
        for _ in 0..20_000 {
            r.push(-LIMIT, 0.999);
        }
        assert_eq!(r.points(0.01, 2_000.0), LEAST);
    }
}
