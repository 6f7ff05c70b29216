//! Four trackers, one for each goal of the whole (LR-BM-F-A). Each computes its numbers from the real
//! account and says them once a day. A score is 0 … 1 and means how far the goal is reached; the
//! numbers behind it stand beside it.

use super::curve::EquityCurve;
use super::settings::GoalTargets;
use crate::domain::{Goal, GoalReading};
use serde::{Deserialize, Serialize};

/// Months that stand for "never at this pace".
pub const NEVER_MONTHS: f64 = 999.0;

/// What the trackers look at.
#[derive(Clone, Copy, Debug)]
pub struct GoalInputs<'a> {
    /// The real curve.
    pub curve: &'a EquityCurve,
    /// Σ|position| over equity.
    pub gross: f64,
    /// Σ position over equity.
    pub net: f64,
    /// The volatility per year that the desk aims at.
    pub target_vol: f64,
    /// Orders of the desk so far.
    pub trades: u64,
    /// Commands of the operator so far.
    pub interventions: u64,
    /// Share of barriers at which trading was not halted.
    pub running: f64,
}

/// LR, low risk: what the account may lose, and has lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LowRisk {
    /// 1 without risk, ½ at the budget, 0 at twice the budget: the worse of drawdown and CVaR95.
    pub score: f64,
    /// Fall from the highest point, as a fraction.
    pub drawdown: f64,
    /// The deepest so far.
    pub max_drawdown: f64,
    /// Mean of the worst 5 % of daily returns, as a positive fraction.
    pub cvar95: f64,
    /// Multiples of equity.
    pub gross: f64,
    /// Multiples of equity.
    pub net: f64,
}

/// BM, big money: how fast the account grows at its target risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BigMoney {
    /// Growth at target risk over what is asked for, 0 … 1.
    pub score: f64,
    /// A year, compounded, as it was.
    pub growth: f64,
    /// A year, scaled to the target volatility: equal risk.
    pub growth_at_target_risk: f64,
}

/// F, fast: how soon a gain is reached at target risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fast {
    /// Months asked for over months needed, 0 … 1.
    pub score: f64,
    /// Months to +10 % at target risk and the mean return so far; 999 for never.
    pub months_to_10: f64,
    /// Share of bars below the highest point.
    pub time_under_water: f64,
}

/// A, automated: how seldom anybody has to step in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Automated {
    /// 1 without interventions and halts, ½ at the tolerated number, 0 at twice it.
    pub score: f64,
    /// Per 1 000 orders of the desk.
    pub interventions_per_1000: f64,
    /// Share of barriers at which trading was not halted.
    pub running: f64,
}

/// The readings of all four goals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Goals {
    /// The reading of LR, low risk.
    pub low_risk: LowRisk,
    /// The reading of BM, big money.
    pub big_money: BigMoney,
    /// The reading of F, fast.
    pub fast: Fast,
    /// The reading of A, automated.
    pub automated: Automated,
}

fn within(x: f64, budget: f64) -> f64 {
    (1.0 - x / (2.0 * budget)).clamp(0.0, 1.0)
}

impl Goals {
    /// Reads all four.
    pub fn read(account: &GoalInputs<'_>, targets: &GoalTargets) -> Self {
        let c = account.curve;
        let (drawdown, cvar95) = (c.drawdown(), c.cvar95());
        let scale = if c.volatility() > 0.0 { account.target_vol / c.volatility() } else { 0.0 };
        let at_risk = c.mean_return() * scale;
        let months = if at_risk > 0.0 { (0.10 / (at_risk / 12.0)).min(NEVER_MONTHS) } else { NEVER_MONTHS };
        let per_1000 = 1_000.0 * account.interventions as f64 / (account.trades.max(1)) as f64;
        Goals {
            low_risk: LowRisk {
                score: within(drawdown, targets.drawdown).min(within(cvar95, targets.cvar95)),
                drawdown,
                max_drawdown: c.drawdown_max(),
                cvar95,
                gross: account.gross,
                net: account.net,
            },
            big_money: BigMoney {
                score: (at_risk / targets.growth).clamp(0.0, 1.0),
                growth: c.growth(),
                growth_at_target_risk: at_risk,
            },
            fast: Fast {
                score: (targets.months_to_10 / months).clamp(0.0, 1.0),
                months_to_10: months,
                time_under_water: c.time_under_water(),
            },
            automated: Automated {
                score: within(per_1000, targets.interventions) * account.running,
                interventions_per_1000: per_1000,
                running: account.running,
            },
        }
    }

    /// As messages: LR its drawdown, BM growth at target risk, F months to +10 %, A interventions
    /// per 1 000 orders.
    pub fn readings(&self, targets: &GoalTargets) -> [GoalReading; 4] {
        let reading = |goal, score, value, target| GoalReading { goal, score, value, target };
        [
            reading(Goal::LowRisk, self.low_risk.score, self.low_risk.drawdown, targets.drawdown),
            reading(
                Goal::BigMoney,
                self.big_money.score,
                self.big_money.growth_at_target_risk,
                targets.growth,
            ),
            reading(Goal::Fast, self.fast.score, self.fast.months_to_10, targets.months_to_10),
            reading(
                Goal::Automated,
                self.automated.score,
                self.automated.interventions_per_1000,
                targets.interventions,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Span, Stamp};
    use crate::hive::curve::Base;

    fn read(step: f64, interventions: u64) -> Goals {
        let mut curve = EquityCurve::new(Base::Compound, 100.0);
        let mut equity = 100.0;
        for i in 1..=400_i64 {
            equity *= 1.0 + step + if i % 2 == 0 { 0.01 } else { -0.01 };
            curve.push(Stamp(i * Span::DAY.0), equity);
        }
        let account = GoalInputs {
            curve: &curve,
            gross: 2.0,
            net: 1.0,
            target_vol: 0.15,
            trades: 1_000,
            interventions,
            running: 1.0,
        };
        Goals::read(&account, &GoalTargets::default())
    }

    #[test]
    fn a_rising_account_reaches_its_goals_and_a_falling_one_does_not() {
        let (up, down) = (read(0.002, 0), read(-0.002, 0));
        assert!(up.low_risk.score > 0.8 && down.low_risk.score < 0.2);
        assert_eq!((up.big_money.score, down.big_money.score), (1.0, 0.0));
        assert!(up.fast.months_to_10 < 3.0);
        assert_eq!(down.fast.months_to_10, NEVER_MONTHS);
    }

    #[test]
    fn interventions_cost_automation() {
        assert_eq!(read(0.0, 0).automated.score, 1.0);
        assert_eq!(read(0.0, 1).automated.score, 0.5);
        assert_eq!(read(0.0, 9).automated.score, 0.0);
    }
}
