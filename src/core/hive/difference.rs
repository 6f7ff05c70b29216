//! The difference reward (Wolpert & Tumer 2002): the hive with an agent less the hive without it, in the
//! terms of an account that pays γ/2 for variance. It explains and moves no money.
//!
//! ```text
//! D_i = E[x_i·R − cost_i] − γ·(cov(x_i·R, H) − ½·var(x_i·R))        H the hive's PnL, all per day
//!     = U(H) − U(H − x_i·R),   U(H) = E[H] − γ/2·var(H)
//! γ   = 0.5/σ target: the aversion at which the target volatility is what a Sharpe ratio of 0.5, the prior
//!       of points, asks for (Merton 1969)
//! ```
//!
//! Moments are exponentially weighted over a span of a year of days. `x_i·R − cost_i` is the day's change
//! of the agent's exact book over the account's equity, so costs, funding and borrow are in it.
//!
//! # Invariants
//!
//! 1. O(agents) per day; nothing is kept but moments.
//! 2. Σ over agents (and the desk's own book) of `E[x_i·R − cost_i]` is E\[H\], since the books sum to the account.

use serde::{Deserialize, Serialize};

/// Span of the moments in days.
const SPAN_DAYS: f64 = 365.0;
const DAYS_A_YEAR: f64 = 365.25;
/// The Sharpe ratio per year that γ takes the target volatility for.
const SHARPE: f64 = 0.5;

/// One agent's moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Moments {
    mean: f64,
    square: f64,
    /// Mean of its PnL times the hive's.
    product: f64,
}

/// All declared agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    agents: Vec<Moments>,
    hive: f64,
    /// Σ of the weights so far: 1 after a long time.
    weight: f64,
}

impl Difference {
    /// No day has passed.
    pub fn new(agents: usize) -> Self {
        Difference { agents: vec![Moments::default(); agents], hive: 0.0, weight: 0.0 }
    }

    /// A day: what each agent added to the account and what the account made, as fractions of its equity.
    pub fn push(&mut self, added: impl Iterator<Item = f64>, hive: f64) {
        let keep = 1.0 - 2.0 / (SPAN_DAYS + 1.0);
        let take = 1.0 - keep;
        self.weight = keep * self.weight + take;
        self.hive = keep * self.hive + take * hive;
        for (m, x) in self.agents.iter_mut().zip(added) {
            m.mean = keep * m.mean + take * x;
            m.square = keep * m.square + take * x * x;
            m.product = keep * m.product + take * x * hive;
        }
    }

    /// D of an agent per year, as a fraction of the account; 0 before the first day.
    pub fn of(&self, agent: usize, target_vol: f64) -> f64 {
        let Some(m) = self.agents.get(agent).filter(|_| self.weight > 0.0) else { return 0.0 };
        let [mean, square, product, hive] = [m.mean, m.square, m.product, self.hive].map(|x| x / self.weight);
        let gamma = SHARPE / target_vol;
        let (covariance, variance) = (product - mean * hive, square - mean * mean);
        DAYS_A_YEAR * (mean - gamma * (covariance - 0.5 * variance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Utility per year of daily PnL.
    fn utility(hive: &[f64], gamma: f64) -> f64 {
        let n = hive.len() as f64;
        let mean = hive.iter().sum::<f64>() / n;
        let variance = hive.iter().map(|h| (h - mean) * (h - mean)).sum::<f64>() / n;
        DAYS_A_YEAR * (mean - 0.5 * gamma * variance)
    }

    fn day(i: u32) -> [f64; 3] {
        let wave = |k: f64| 0.01 * libm::sin(k * f64::from(i));
        [wave(1.3) + 0.002, 0.5 * wave(1.3) - wave(2.1), -wave(1.3) + 0.001]
    }

    #[test]
    fn it_is_the_hive_with_less_the_hive_without() {
        // Days that repeat for long enough forget how they began; equal weights then do as well.
        let mut d = Difference::new(3);
        let period = 400;
        for i in 0..20 * period {
            let x = day(i % period);
            d.push(x.into_iter(), x.iter().sum());
        }
        let gamma = 0.5 / 0.15;
        let all: Vec<f64> = (0..period).map(|i| day(i).iter().sum()).collect();
        for k in 0..3 {
            let without: Vec<f64> = (0..period).map(|i| day(i).iter().sum::<f64>() - day(i)[k]).collect();
            let exact = utility(&all, gamma) - utility(&without, gamma);
            assert!((d.of(k, 0.15) - exact).abs() < 0.06 * exact.abs().max(0.5), "{k}: {exact}");
        }
    }

    #[test]
    fn who_hedges_the_others_is_worth_more_than_it_earns() {
        let mut d = Difference::new(3);
        let mut earned = 0.0;
        for i in 0..4_000 {
            let x = day(i);
            d.push(x.into_iter(), x.iter().sum());
            earned += x[2] / 4_000.0;
        }
        assert!(d.of(2, 0.15) > DAYS_A_YEAR * earned, "{}", d.of(2, 0.15));
        assert_eq!(Difference::new(3).of(0, 0.15), 0.0);
        assert_eq!(d.of(9, 0.15), 0.0, "nobody");
    }
}
