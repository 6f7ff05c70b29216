//! One equity curve, streaming: drawdown, time under water, daily returns and what follows from them.

use crate::domain::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Daily returns kept for the tail: a year of them.
const TAIL_DAYS: usize = 365;
const DAYS_A_YEAR: f64 = 365.25;

/// What a return is a fraction of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Base {
    /// The capital at the start: gains are not reinvested (alone and open).
    Fixed,
    /// Equity at the start of the day (real).
    Compound,
}

/// An equity curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EquityCurve {
    base: Base,
    start: f64,
    equity: f64,
    peak: f64,
    drawdown_max: f64,
    bars: u64,
    bars_under: u64,
    day: Option<i64>,
    day_open: f64,
    days: f64,
    mean: f64,
    squares: f64,
    downside: f64,
    tail: VecDeque<f64>,
}

impl EquityCurve {
    /// Starts at this capital.
    pub fn new(base: Base, capital: f64) -> Self {
        EquityCurve {
            base,
            start: capital,
            equity: capital,
            peak: capital,
            drawdown_max: 0.0,
            bars: 0,
            bars_under: 0,
            day: None,
            day_open: capital,
            days: 0.0,
            mean: 0.0,
            squares: 0.0,
            downside: 0.0,
            tail: VecDeque::new(),
        }
    }

    /// Equity at a barrier. A barrier at midnight closes the day before it.
    pub fn push(&mut self, at: Stamp, equity: f64) {
        let day = Stamp(at.0 - 1).day();
        if let Some(before) = self.day
            && day != before
        {
            self.close_day();
        }
        self.day = Some(day);
        self.equity = equity;
        self.peak = self.peak.max(equity);
        self.drawdown_max = self.drawdown_max.max(self.drawdown());
        self.bars += 1;
        self.bars_under += u64::from(equity < self.peak);
    }

    // Welford's running moments (1962).
    fn close_day(&mut self) {
        let base = match self.base {
            Base::Fixed => self.start,
            Base::Compound => self.day_open,
        };
        let r = if base > 0.0 { (self.equity - self.day_open) / base } else { 0.0 };
        self.day_open = self.equity;
        self.days += 1.0;
        let d = r - self.mean;
        self.mean += d / self.days;
        self.squares += d * (r - self.mean);
        self.downside += r.min(0.0) * r.min(0.0);
        if self.tail.len() == TAIL_DAYS {
            self.tail.pop_front();
        }
        self.tail.push_back(r);
    }

    /// Equity as of the last point, in currency.
    pub fn equity(&self) -> f64 {
        self.equity
    }

    /// Gain since the start.
    pub fn pnl(&self) -> f64 {
        self.equity - self.start
    }

    /// Fall from the highest point so far, as a fraction of it.
    pub fn drawdown(&self) -> f64 {
        if self.peak > 0.0 { 1.0 - self.equity / self.peak } else { 0.0 }
    }

    /// The deepest drawdown so far.
    pub fn drawdown_max(&self) -> f64 {
        self.drawdown_max
    }

    /// Share of bars spent below the highest point.
    pub fn time_under_water(&self) -> f64 {
        if self.bars == 0 { 0.0 } else { self.bars_under as f64 / self.bars as f64 }
    }

    /// Whole days closed.
    pub fn days(&self) -> f64 {
        self.days
    }

    /// Volatility per year of daily returns; 0 with fewer than two days.
    pub fn volatility(&self) -> f64 {
        if self.days < 2.0 { 0.0 } else { libm::sqrt(self.squares / (self.days - 1.0) * DAYS_A_YEAR) }
    }

    /// Mean return per year, not compounded.
    pub fn mean_return(&self) -> f64 {
        self.mean * DAYS_A_YEAR
    }

    /// Sharpe ratio per year of daily returns, no risk-free rate; 0 without spread.
    pub fn sharpe(&self) -> f64 {
        let v = self.volatility();
        if v > 0.0 { self.mean_return() / v } else { 0.0 }
    }

    /// Growth per year, compounded from start to now; 0 before a day has passed.
    pub fn growth(&self) -> f64 {
        if self.days < 1.0 || self.equity <= 0.0 {
            return 0.0;
        }
        libm::pow(self.equity / self.start, DAYS_A_YEAR / self.days) - 1.0
    }

    /// Mean of the worst 5 % of the last year's daily returns, as a positive loss; 0 with fewer than
    /// twenty days.
    pub fn cvar95(&self) -> f64 {
        let n = self.tail.len() / 20;
        if n == 0 {
            return 0.0;
        }
        let mut returns: Vec<f64> = self.tail.iter().copied().collect();
        let (worst, last, _) = returns.select_nth_unstable_by(n - 1, f64::total_cmp);
        // In order, so that the sum is the same whatever the selection did.
        worst.sort_unstable_by(f64::total_cmp);
        (-(worst.iter().sum::<f64>() + *last) / n as f64).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Span;

    fn days(base: Base, equities: &[f64]) -> EquityCurve {
        let mut c = EquityCurve::new(base, 100.0);
        for (i, e) in equities.iter().enumerate() {
            c.push(Stamp((i as i64 + 1) * Span::DAY.0), *e);
        }
        // The first bar of the next day closes the last.
        c.push(Stamp((equities.len() as i64 + 1) * Span::DAY.0), *equities.last().unwrap());
        c
    }

    #[test]
    fn drawdown_is_from_the_highest_point() {
        let c = days(Base::Compound, &[110.0, 99.0, 104.5]);
        assert!((c.drawdown_max() - 0.10).abs() < 1e-12);
        assert!((c.drawdown() - 0.05).abs() < 1e-12);
        assert!((c.time_under_water() - 0.75).abs() < 1e-12);
    }

    #[test]
    fn daily_returns_are_of_the_day_or_of_the_capital() {
        let c = days(Base::Compound, &[110.0, 121.0]);
        assert_eq!(c.days(), 2.0);
        assert!((c.mean_return() / DAYS_A_YEAR - 0.10).abs() < 1e-12);
        let f = days(Base::Fixed, &[110.0, 121.0]);
        assert!((f.mean_return() / DAYS_A_YEAR - 0.105).abs() < 1e-12);
        assert!(f.sharpe() > 0.0);
    }

    #[test]
    fn cvar_is_the_mean_of_the_worst_twentieth() {
        let mut equity = 100.0;
        let path: Vec<f64> = (0..40)
            .map(|i| {
                equity *= if i % 20 == 0 { 0.9 } else { 1.001 };
                equity
            })
            .collect();
        assert!((days(Base::Compound, &path).cvar95() - 0.1).abs() < 1e-12);
    }
}
