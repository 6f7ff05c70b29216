//! Points → funds and risk limits. Funds are weights in the hive (Σ = 1 over the funded); the ledger
//! holds the money they stand for.
//!
//! ```text
//! weight_i ∝ clip(√points_i / mean √points, floor, cap)        equal without points
//! largest unit of the real life, and loss allowed before an agent is stopped out: × clip(points_i, ⅓, 1)
//! drawdown_by = "risk": the loss allowed × max(1, σ_i/σ̄) as well, σ_i of its real results over its grant,
//! day by day with a span of 90 days, known after 20, σ̄ the mean over the funded
//! ```
//!
//! # Invariants
//!
//! 1. Weights are spread only at the rebalance, or when somebody loses or regains funds.
//! 2. Moving funds conserves the total; nobody's equity is moved below zero.
//! 3. An agent that is stopped out keeps its alone and open lives, and has funds again after a time that is known
//!    when it is stopped out. Its loss is then counted anew.

use super::settings::{DrawdownBy, FundSettings};
use crate::agents::Population;
use crate::domain::money::{from_estimate, to_estimate};
use crate::domain::{AgentId, Decimal, Money, Span, Stamp};
use crate::ledger::{Ledger, LedgerAccount, LedgerError};
use crate::market::indicators::Weighted;
use serde::{Deserialize, Serialize};

/// Funds are moved in whole cents.
const CENTS: u32 = 2;
/// Span in days of what is known of an agent's swings.
const SWING_DAYS: f64 = 90.0;
/// Days that must be known of an agent's swings before they count.
const SWING_KNOWN: u32 = 20;

/// Who has funds and how much of the hive they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Funds {
    /// By declared agent: its share of the hive's capital; 0 without funds.
    weights: Vec<f64>,
    /// By declared agent: whether it should have funds (the file, later the operator).
    wanted: Vec<bool>,
    /// By declared agent: when it was stopped out.
    stopped_out: Vec<Option<Stamp>>,
    /// Highest attributed PnL so far.
    peak: Vec<Money>,
    /// What the last spread gave it.
    granted: Vec<Money>,
    spread_at: Option<Stamp>,
    /// Its daily results over what it was granted.
    swing: Vec<Weighted>,
    /// Attributed PnL at the last review.
    reviewed: Vec<Money>,
}

impl Funds {
    /// Equal weights for those who have funds from the start.
    pub fn new(cast: &Population) -> Self {
        let declared = &cast.agents[..cast.declared];
        let wanted: Vec<bool> = declared.iter().map(|a| a.funded).collect();
        let mut funds = Funds {
            weights: vec![0.0; declared.len()],
            stopped_out: vec![None; declared.len()],
            peak: vec![Decimal::ZERO; declared.len()],
            granted: vec![Decimal::ZERO; declared.len()],
            wanted,
            spread_at: None,
            swing: vec![Weighted::new(SWING_DAYS); declared.len()],
            reviewed: vec![Decimal::ZERO; declared.len()],
        };
        funds
            .weigh(&vec![1.0; declared.len()], &FundSettings { by_points: false, ..FundSettings::default() });
        funds
    }

    /// An agent's weight.
    pub fn weight(&self, agent: AgentId) -> f64 {
        self.weights.get(agent.index()).copied().unwrap_or(0.0)
    }

    /// When an agent was stopped out, if it is.
    pub fn stopped_out(&self, agent: AgentId) -> Option<Stamp> {
        self.stopped_out.get(agent.index()).copied().flatten()
    }

    /// Whether the operator, or the file, wants it to have funds.
    pub fn wanted(&self, agent: AgentId) -> bool {
        self.wanted.get(agent.index()).copied().unwrap_or(false)
    }

    /// The operator gives an agent funds or takes them back; whether that is news. Who is stopped out and is
    /// given funds starts over from the PnL that it has. The next spread moves the money.
    pub fn want(
        &mut self,
        agent: AgentId,
        funded: bool,
        ledger: &Ledger,
        marks: &[Decimal],
    ) -> Result<bool, LedgerError> {
        let i = agent.index();
        let Some(wanted) = self.wanted.get_mut(i) else { return Ok(false) };
        let revived = funded && self.stopped_out[i].is_some();
        let news = std::mem::replace(wanted, funded) != funded || revived;
        if news && funded {
            self.stopped_out[i] = None;
            self.peak[i] = ledger.pnl(agent, marks)?;
        }
        Ok(news)
    }

    fn is_funded(&self, i: usize) -> bool {
        self.wanted[i] && self.stopped_out[i].is_none()
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

    /// Once a day: who has lost more than it may is stopped out, and who was so for long enough returns. True
    /// if anything changed.
    pub fn review(
        &mut self,
        at: Stamp,
        ledger: &Ledger,
        marks: &[Decimal],
        points: &[f64],
        settings: &FundSettings,
    ) -> Result<bool, LedgerError> {
        self.watch(ledger, marks)?;
        let risks = self.risks(settings);
        let mut changed = false;
        let probation = Span(Span::DAY.0 * i64::from(settings.probation_days));
        for (i, points) in points.iter().enumerate() {
            let agent = AgentId(i as u32);
            let pnl = ledger.pnl(agent, marks)?;
            if let Some(since) = self.stopped_out[i] {
                if at.since(since) >= probation {
                    self.stopped_out[i] = None;
                    self.peak[i] = pnl;
                    changed = true;
                }
                continue;
            }
            self.peak[i] = self.peak[i].max(pnl);
            // Of what the last spread gave it, not of what was ever moved in: a winner's gains are moved out.
            let allowed = to_estimate(self.granted[i])
                * settings.drawdown_max
                * points.clamp(1.0 / 3.0, 1.0)
                * risks[i];
            // Before the first spread nothing was given that could be lost.
            let is_given = self.spread_at.is_some() && self.weights[i] > 0.0;
            if is_given && to_estimate(self.peak[i] - pnl) > allowed {
                self.stopped_out[i] = Some(at);
                changed = true;
            }
        }
        Ok(changed)
    }

    /// What every agent won or lost since the last review, over its grant.
    fn watch(&mut self, ledger: &Ledger, marks: &[Decimal]) -> Result<(), LedgerError> {
        for i in 0..self.swing.len() {
            let pnl = ledger.pnl(AgentId(i as u32), marks)?;
            let gained = to_estimate(pnl - std::mem::replace(&mut self.reviewed[i], pnl));
            let granted = to_estimate(self.granted[i]);
            if self.weights[i] > 0.0 && granted > 0.0 {
                let result = gained / granted;
                self.swing[i].push(result * result);
            }
        }
        Ok(())
    }

    /// How much more risk than the mean of the funded each agent carries, at least 1.
    fn risks(&self, settings: &FundSettings) -> Vec<f64> {
        let mut risks = vec![1.0; self.swing.len()];
        if settings.drawdown_by == DrawdownBy::Funds {
            return risks;
        }
        let known = |i: &usize| self.weights[*i] > 0.0 && self.swing[*i].seen() >= SWING_KNOWN;
        let of = |i: usize| libm::sqrt(self.swing[i].mean());
        let all = || (0..risks.len()).filter(known);
        let mean = all().map(of).sum::<f64>() / all().count().max(1) as f64;
        let more: Vec<(usize, f64)> = all().map(|i| (i, of(i) / mean)).collect();
        for (i, more) in more.into_iter().filter(|(_, more)| *more > 1.0) {
            risks[i] = more;
        }
        risks
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
        let total = to_estimate(ledger.total_equity(marks)?);
        let mut missing: Vec<(AgentId, Money)> = Vec::new();
        for i in 0..self.weights.len() {
            let agent = AgentId(i as u32);
            let equity = ledger.equity(agent, marks)?;
            let due = from_estimate(self.weights[i] * total.max(0.0), CENTS).unwrap_or_default();
            self.granted[i] = due;
            // Rounded toward the treasury on both sides.
            let change = (due - equity)
                .round_dp_with_strategy(CENTS, rust_decimal::RoundingStrategy::ToNegativeInfinity);
            if change.is_sign_negative() && !change.is_zero() {
                let most = equity.round_dp_with_strategy(CENTS, rust_decimal::RoundingStrategy::ToZero);
                let surplus = (-change).min(most);
                if surplus > Decimal::ZERO {
                    ledger.transfer(LedgerAccount::Agent(agent), LedgerAccount::Treasury, surplus, marks)?;
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
                ledger.transfer(LedgerAccount::Treasury, LedgerAccount::Agent(agent), amount, marks)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::InstrumentId;

    const N: usize = 3;

    /// Three agents with equal funds, one unit of something held by the first at 100.
    fn stage() -> (Funds, Ledger, FundSettings) {
        let mut funds = Funds {
            weights: vec![0.0; N],
            wanted: vec![true; N],
            stopped_out: vec![None; N],
            peak: vec![Decimal::ZERO; N],
            granted: vec![Decimal::ZERO; N],
            spread_at: None,
            swing: vec![Weighted::new(SWING_DAYS); N],
            reviewed: vec![Decimal::ZERO; N],
        };
        let mut ledger = Ledger::new(N, 1);
        ledger.deposit(Decimal::new(300, 0)).unwrap();
        let settings = FundSettings { drawdown_max: 0.5, ..FundSettings::default() };
        funds.spread(Stamp(0), &mut ledger, &[Decimal::ONE], &[1.0; N], &settings).unwrap();
        let (up, down) = (AgentId(0), AgentId(1));
        ledger
            .trade(
                InstrumentId(0),
                Decimal::new(100, 0),
                &[(up, Decimal::ONE), (down, Decimal::NEGATIVE_ONE)],
                None,
            )
            .unwrap();
        (funds, ledger, settings)
    }

    fn day(n: i64) -> Stamp {
        Stamp(n * Span::DAY.0)
    }

    #[test]
    fn nobody_is_stopped_out_of_what_was_not_given_yet() {
        let (given, mut ledger, settings) = stage();
        let mut funds = Funds { spread_at: None, granted: vec![Decimal::ZERO; N], ..given.clone() };
        let marks = [Decimal::new(101, 0)];
        assert!(!funds.review(day(1), &ledger, &marks, &[1.0; N], &settings).unwrap());
        assert_eq!((0..N).filter(|i| funds.stopped_out[*i].is_some()).count(), 0);
        funds.spread(day(1), &mut ledger, &marks, &[1.0; N], &settings).unwrap();
        // From then on what it lost counts, and all of it.
        let marks = [Decimal::new(190, 0)];
        assert!(funds.review(day(2), &ledger, &marks, &[1.0; N], &settings).unwrap());
        assert_eq!(funds.stopped_out, [None, Some(day(2)), None]);
    }

    #[test]
    fn money7_spreading_conserves_the_total_and_follows_points_within_floor_and_cap() {
        let (mut funds, mut ledger, settings) = stage();
        let marks = [Decimal::new(120, 0)];
        let before = ledger.total_equity(&marks).unwrap();
        funds.spread(day(7), &mut ledger, &marks, &[3.0, 1.0 / 3.0, 1.0], &settings).unwrap();
        assert_eq!(ledger.total_equity(&marks).unwrap(), before);
        ledger.check(&marks).unwrap();
        assert!(funds.weight(AgentId(0)) > funds.weight(AgentId(2)));
        assert!(funds.weight(AgentId(2)) > funds.weight(AgentId(1)));
        assert!((funds.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for i in 0..N {
            let equity = to_estimate(ledger.equity(AgentId(i as u32), &marks).unwrap());
            assert!((equity - 300.0 * funds.weights[i]).abs() < 0.03, "{i}: {equity}");
        }
    }

    #[test]
    fn a_winner_whose_gains_were_moved_out_keeps_its_funds() {
        let (mut funds, mut ledger, settings) = stage();
        let marks = [Decimal::new(190, 0)];
        for d in 1..=3 {
            funds.spread(day(d), &mut ledger, &marks, &[1.0; N], &settings).unwrap();
            // A gain of 90 on 100 was moved out; a fall of 4 is nothing.
            let changed =
                funds.review(day(d), &ledger, &[Decimal::new(186, 0)], &[1.0; N], &settings).unwrap();
            assert!(!changed || funds.stopped_out(AgentId(0)).is_none());
            assert_eq!(funds.stopped_out(AgentId(0)), None);
        }
    }

    #[test]
    fn who_loses_more_than_it_may_is_stopped_out_and_returns_after_its_time() {
        let (mut funds, mut ledger, settings) = stage();
        let settings = FundSettings { drawdown_by: DrawdownBy::Funds, ..settings };
        let bad = [Decimal::new(151, 0)];
        assert!(funds.review(day(1), &ledger, &bad, &[1.0; N], &settings).unwrap());
        assert_eq!(funds.stopped_out(AgentId(1)), Some(day(1)));
        funds.spread(day(1), &mut ledger, &bad, &[1.0; N], &settings).unwrap();
        assert_eq!(funds.weight(AgentId(1)), 0.0);
        assert!(!funds.review(day(30), &ledger, &bad, &[1.0; N], &settings).unwrap(), "a day too early");
        // Whatever its record: points are slow, and would keep most of them out for ever.
        assert!(funds.review(day(31), &ledger, &bad, &[0.4; N], &settings).unwrap());
        assert_eq!(funds.stopped_out(AgentId(1)), None);
        funds.spread(day(31), &mut ledger, &bad, &[0.4; N], &settings).unwrap();
        assert!(funds.weight(AgentId(1)) > 0.0);
        assert!(!funds.review(day(32), &ledger, &bad, &[0.4; N], &settings).unwrap(), "counted anew");
    }

    #[test]
    fn by_risk_who_carries_more_may_lose_more_and_nobody_less_than_by_funds() {
        let ends = |by: DrawdownBy| {
            let (mut funds, mut ledger, settings) = stage();
            let settings = FundSettings { drawdown_by: by, drawdown_max: 0.2, ..settings };
            // The second agent is short four, the third one more: four times the swing of the first.
            let (calm, wild) = (AgentId(0), AgentId(1));
            ledger
                .trade(
                    InstrumentId(0),
                    Decimal::new(100, 0),
                    &[(wild, Decimal::new(-3, 0)), (AgentId(2), Decimal::new(3, 0))],
                    None,
                )
                .unwrap();
            let mark = |d: i64| [Decimal::new(if d % 2 == 0 { 100 } else { 101 }, 0)];
            for d in 1..=30 {
                let changed = funds.review(day(d), &ledger, &mark(d), &[1.0; N], &settings).unwrap();
                assert!(!changed, "day {d}: a swing of four is within twenty");
            }
            // A move of six costs the wild one 24 of 100.
            let fell = [Decimal::new(106, 0)];
            funds.review(day(31), &ledger, &fell, &[1.0; N], &settings).unwrap();
            (funds.stopped_out(wild).is_some(), funds.stopped_out(calm).is_some(), funds, ledger, settings)
        };
        let (wild, calm, ..) = ends(DrawdownBy::Funds);
        assert!(wild && !calm);
        let (wild, calm, mut funds, ledger, settings) = ends(DrawdownBy::Risk);
        assert!(!wild && !calm, "σ is 1.5 times the mean of 1, 4 and 3: thirty may be lost");
        assert!(funds.risks(&settings).iter().all(|r| *r >= 1.0));
        funds.review(day(32), &ledger, &[Decimal::new(120, 0)], &[1.0; N], &settings).unwrap();
        assert!(funds.stopped_out(AgentId(1)).is_some(), "there is a limit all the same");
    }

    #[test]
    fn fewer_points_allow_a_smaller_loss() {
        let (mut funds, ledger, settings) = stage();
        let marks = [Decimal::new(120, 0)];
        assert!(!funds.review(day(1), &ledger, &marks, &[1.0; N], &settings).unwrap());
        assert!(funds.review(day(2), &ledger, &marks, &[1.0 / 3.0; N], &settings).unwrap());
    }
}
