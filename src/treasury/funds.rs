//! Points → funds and risk limits. Funds are weights in the hive (Σ = 1 over the funded); the ledger
//! holds the money they stand for.
//!
//! ```text
//! weight_i ∝ clip(√points_i / mean √points, floor, cap)        equal without points
//! largest unit in real, and loss allowed before an agent is broke: × clip(points_i, ⅓, 1)
//! ```
//!
//! # Invariants
//!
//! 1. Weights are spread only at the rebalance, or when somebody loses or regains funds.
//! 2. Moving funds conserves the total; nobody's equity is moved below zero.
//! 3. A broke agent goes on alone and in sim; after its probation, points of at least 1 earn its
//!    funds back.

use super::settings::FundSettings;
use crate::agents::Cast;
use crate::domain::{AgentId, Decimal, Money, Span, Stamp};
use crate::ledger::{Account, Ledger, LedgerError};
use serde::{Deserialize, Serialize};

/// Funds are moved in whole cents.
const CENTS: u32 = 2;

/// Who has funds and how much of the hive they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Funds {
    /// By declared agent; 0 without funds.
    weights: Vec<f64>,
    /// By declared agent: whether it should have funds (the file, later the operator).
    wanted: Vec<bool>,
    /// When it went broke.
    broke: Vec<Option<Stamp>>,
    /// Highest attributed PnL so far.
    peak: Vec<Money>,
    spread_at: Option<Stamp>,
}

impl Funds {
    /// Equal weights for those who have funds from the start.
    pub fn new(cast: &Cast) -> Self {
        let declared = &cast.agents[..cast.declared];
        let wanted: Vec<bool> = declared.iter().map(|a| a.funded).collect();
        let mut funds = Funds {
            weights: vec![0.0; declared.len()],
            broke: vec![None; declared.len()],
            peak: vec![Decimal::ZERO; declared.len()],
            wanted,
            spread_at: None,
        };
        funds
            .weigh(&vec![1.0; declared.len()], &FundSettings { by_points: false, ..FundSettings::default() });
        funds
    }

    /// An agent's weight.
    pub fn weight(&self, agent: AgentId) -> f64 {
        self.weights.get(agent.index()).copied().unwrap_or(0.0)
    }

    /// When an agent went broke, if it is.
    pub fn broke(&self, agent: AgentId) -> Option<Stamp> {
        self.broke.get(agent.index()).copied().flatten()
    }

    fn is_funded(&self, i: usize) -> bool {
        self.wanted[i] && self.broke[i].is_none()
    }

    /// Weights from points (per declared agent).
    fn weigh(&mut self, points: &[f64], settings: &FundSettings) {
        let n = (0..self.weights.len()).filter(|i| self.is_funded(*i)).count();
        let root = |i: usize| if settings.by_points { libm::sqrt(points[i]) } else { 1.0 };
        let mean = (0..points.len()).filter(|i| self.is_funded(*i)).map(root).sum::<f64>() / n.max(1) as f64;
        for i in 0..self.weights.len() {
            self.weights[i] =
                if self.is_funded(i) { (root(i) / mean).clamp(settings.floor, settings.cap) } else { 0.0 };
        }
        let sum: f64 = self.weights.iter().sum();
        if sum > 0.0 {
            self.weights.iter_mut().for_each(|w| *w /= sum);
        }
    }

    /// Once a day: who has lost more than it may is broke, who has served its probation with points of
    /// at least 1 is not any more. True if anything changed.
    pub fn review(
        &mut self,
        at: Stamp,
        ledger: &Ledger,
        marks: &[Decimal],
        points: &[f64],
        settings: &FundSettings,
    ) -> Result<bool, LedgerError> {
        let mut changed = false;
        let probation = Span(Span::DAY.0 * i64::from(settings.probation_days));
        for i in 0..self.weights.len() {
            let agent = AgentId(i as u32);
            let pnl = ledger.pnl(agent, marks)?;
            if let Some(since) = self.broke[i] {
                if at.since(since) >= probation && points[i] >= 1.0 {
                    self.broke[i] = None;
                    self.peak[i] = pnl;
                    changed = true;
                }
                continue;
            }
            self.peak[i] = self.peak[i].max(pnl);
            let funded = ledger.book(agent).map_or(Decimal::ZERO, crate::ledger::Book::funded);
            let allowed = crate::domain::money::to_estimate(funded)
                * settings.drawdown_max
                * points[i].clamp(1.0 / 3.0, 1.0);
            if self.weights[i] > 0.0 && crate::domain::money::to_estimate(self.peak[i] - pnl) > allowed {
                self.broke[i] = Some(at);
                changed = true;
            }
        }
        Ok(changed)
    }

    /// Whether the next spread is due.
    pub fn is_due(&self, at: Stamp, settings: &FundSettings) -> bool {
        let period = Span(Span::DAY.0 * i64::from(settings.rebalance_days));
        self.spread_at.is_none_or(|last| at.since(last) >= period)
    }

    /// Weighs anew and moves the money: each agent's equity becomes its weight of the total, as far as
    /// whole cents go; what is left over stays with the treasury.
    pub fn spread(
        &mut self,
        at: Stamp,
        ledger: &mut Ledger,
        marks: &[Decimal],
        points: &[f64],
        settings: &FundSettings,
    ) -> Result<(), LedgerError> {
        self.spread_at = Some(at);
        self.weigh(points, settings);
        let total = crate::domain::money::to_estimate(ledger.total_equity(marks)?);
        let mut missing: Vec<(AgentId, Money)> = Vec::new();
        for i in 0..self.weights.len() {
            let agent = AgentId(i as u32);
            let equity = ledger.equity(agent, marks)?;
            let due = crate::domain::money::from_estimate(self.weights[i] * total.max(0.0), CENTS)
                .unwrap_or_default();
            // Rounded toward the treasury on both sides.
            let change = (due - equity)
                .round_dp_with_strategy(CENTS, rust_decimal::RoundingStrategy::ToNegativeInfinity);
            if change.is_sign_negative() && !change.is_zero() {
                let most = equity.round_dp_with_strategy(CENTS, rust_decimal::RoundingStrategy::ToZero);
                let surplus = (-change).min(most);
                if surplus > Decimal::ZERO {
                    ledger.transfer(Account::Agent(agent), Account::Treasury, surplus, marks)?;
                }
            } else if change > Decimal::ZERO {
                missing.push((agent, change));
            }
        }
        for (agent, amount) in missing {
            let left = ledger.equity(Ledger::TREASURY, marks)?;
            let amount =
                amount.min(left.round_dp_with_strategy(CENTS, rust_decimal::RoundingStrategy::ToZero));
            if amount > Decimal::ZERO {
                ledger.transfer(Account::Treasury, Account::Agent(agent), amount, marks)?;
            }
        }
        Ok(())
    }
}
