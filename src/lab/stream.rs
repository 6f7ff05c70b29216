//! What an arm leaves behind: its daily returns, what it traded and paid, its decisions.
//!
//! # Invariants
//!
//! 1. Returns are aggregated to days of UTC; a barrier at midnight closes the day before it.
//! 2. A stream that is scaled is scaled by what was known before the bar, by the desk's own rule:
//!    k = min(kmax, target volatility / ewσ), nothing until 60 bars are known.

use super::across_days::AcrossDay;
use crate::domain::{Digest, Fill, Span, Stamp, money};
use crate::engine::passive_execution::ExecutionCost;
use crate::engine::real::{Real, RealSpec};
pub use crate::treasury::scale::Scale;
use serde::{Deserialize, Serialize};

/// One arm on one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmTrack {
    /// The day of the first return, in days since 1970-01-01 (UTC); every calendar day after it has one too.
    pub first_day: i64,
    /// Returns by day, as fractions of the equity at the day's start.
    pub daily: Vec<f64>,
    /// Fills per year: one for each order that is filled in one piece. Accounts and hives count what their venue
    /// filled, agents alone the trades of their own books once their stream is scaled.
    pub orders: f64,
    /// Notional traded at the venue per year, in multiples of equity.
    pub turnover: f64,
    /// Fees, spread and impact per year, as a fraction of equity.
    pub cost: f64,
    /// Share of what agents wanted to trade that was crossed inside.
    pub crossed: f64,
    /// Share of barriers at which trading was not halted.
    pub running: f64,
    /// Digest of every decision, in hex.
    pub decisions: String,
    /// How alike the agents were: those with funds, and all voices. Kept with `alone`.
    pub company: Option<[Likeness; 2]>,
    /// What services gave; none where there were none.
    pub served: Option<ServiceGains>,
    /// How an account grew that hires.
    pub grown: Vec<Grown>,
    /// Days on which worked orders were filled: the day, and of it notional, cost against the arrival price and
    /// cost of taking, as fractions of the capital.
    pub worked: Vec<(i64, [f64; 3])>,
    /// Deeds of open lives that somebody swayed.
    pub deeds: f64,
    /// Share of barriers at which an open life differed from its alone one, mean over agents.
    pub apart: f64,
    /// Days told apart, in an account that hears across assets.
    pub across: Vec<AcrossDay>,
}

/// An account that hires, from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    /// The day, counted from 1970-01-01 (UTC).
    pub day: i64,
    /// Who takes part from then on.
    pub voices: u32,
    /// Intents that those who took part until then have closed.
    pub closed: u64,
}

impl Default for ArmTrack {
    /// No days; nothing traded, nothing halted.
    fn default() -> Self {
        ArmTrack {
            first_day: 0,
            daily: Vec::new(),
            orders: 0.0,
            turnover: 0.0,
            cost: 0.0,
            crossed: 0.0,
            running: 1.0,
            decisions: String::new(),
            company: None,
            served: None,
            grown: Vec::new(),
            worked: Vec::new(),
            deeds: 0.0,
            apart: 0.0,
            across: Vec::new(),
        }
    }
}

impl ArmTrack {
    /// Another on the same capital beside it: what both gained, traded and paid adds.
    pub fn join(&mut self, other: &ArmTrack) {
        self.daily.iter_mut().zip(&other.daily).for_each(|(d, o)| *d += o);
        self.orders += other.orders;
        self.turnover += other.turnover;
        self.cost += other.cost;
        self.running = self.running.min(other.running);
        self.decisions = format!("{}+{}", self.decisions, other.decisions);
    }
}

/// What services gave an account over the run: each bar's as a fraction of its equity then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceGains {
    /// The carrier's book: funding and basis less the cost of changing over.
    pub carry: f64,
    /// Taking at the arrival price less what working the orders cost.
    pub liquidity: f64,
    /// Share of worked notional that was filled while it rested.
    pub rested: f64,
}

/// What the books of the carry have gained so far and paid to makers, less what those saved on its switches, and what they
/// saved in all, in currency.
pub fn receipts(real: &Real, spec: &RealSpec) -> (f64, f64) {
    let owners = spec.services.carrying();
    let books = owners.iter().filter_map(|o| real.account.ledger.pnl(*o, &real.account.marks).ok());
    let carry: f64 = books.map(money::to_estimate).sum();
    let services = &real.execution.services;
    let carry = carry + money::to_estimate(services.paid_by_carriers()) - services.switched().saved();
    (carry, services.worked().saved())
}

/// How alike the members of a group are, from their lives alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    /// Members that traded at all.
    pub members: f64,
    /// Mean Sharpe ratio of a member on its own.
    pub sharpe: f64,
    /// Mean correlation of daily results between two members.
    pub correlation: f64,
    /// n/(1 + (n−1)·ρ): as many independent members would spread risk as well.
    pub independent: f64,
}

impl Likeness {
    /// From daily results, member by member.
    pub fn of(daily: &[Vec<f64>]) -> Self {
        // Each member's days less their mean, at length 1: a product of two is their correlation.
        let lively: Vec<&Vec<f64>> = daily.iter().filter(|d| d.iter().any(|r| *r != 0.0)).collect();
        let unit = |d: &Vec<f64>| -> Vec<f64> {
            let mean = d.iter().sum::<f64>() / d.len() as f64;
            let length = libm::sqrt(d.iter().map(|r| (r - mean) * (r - mean)).sum());
            d.iter().map(|r| if length > 0.0 { (r - mean) / length } else { 0.0 }).collect()
        };
        let n = lively.len() as f64;
        if n < 2.0 {
            return Likeness { members: n, independent: n, ..Likeness::default() };
        }
        // |Σ units|² = n + Σ of all pairs twice.
        let mut sum = vec![0.0; lively[0].len()];
        for units in lively.iter().map(|d| unit(d)) {
            sum.iter_mut().zip(units).for_each(|(s, u)| *s += u);
        }
        let squares: f64 = sum.iter().map(|s| s * s).sum();
        let correlation = (squares - n) / (n * (n - 1.0));
        Likeness {
            members: n,
            sharpe: lively.iter().map(|d| super::stats::sharpe(d)).sum::<f64>() / n,
            correlation,
            independent: n / (1.0 + (n - 1.0) * correlation.max(0.0)),
        }
    }
}

/// Equity becomes daily returns.
#[derive(Clone, Debug)]
pub struct DailyReturns {
    first: Option<i64>,
    day: Option<i64>,
    open: f64,
    equity: f64,
    daily: Vec<f64>,
}

impl DailyReturns {
    /// From this equity on.
    pub fn new(equity: f64) -> Self {
        DailyReturns { first: None, day: None, open: equity, equity, daily: Vec::new() }
    }

    /// Equity at a barrier.
    pub fn push(&mut self, at: Stamp, equity: f64) {
        let day = Stamp(at.0 - 1).day();
        if self.day.is_some_and(|d| d != day) {
            self.close();
        }
        self.first.get_or_insert(day);
        self.day = Some(day);
        self.equity = equity;
    }

    /// The first day, in days since 1970-01-01; 0 before it.
    pub fn first_day(&self) -> i64 {
        self.first.unwrap_or(0)
    }

    /// Equity as of the last barrier.
    pub fn equity(&self) -> f64 {
        self.equity
    }

    fn close(&mut self) {
        let r = if self.open > 0.0 { (self.equity / self.open - 1.0).max(-1.0) } else { 0.0 };
        self.daily.push(r);
        self.open = self.equity;
    }

    /// All days, the last one too.
    pub fn finish(mut self) -> Vec<f64> {
        if self.day.is_some() {
            self.close();
        }
        self.daily
    }
}

/// Meters an arm bar by bar.
#[derive(Clone, Debug)]
pub struct ArmMeter {
    days: DailyReturns,
    orders: u64,
    traded: f64,
    cost: f64,
    barriers: u64,
    bars_per_year: f64,
    capital: f64,
    /// Worked orders as of the last barrier, and day by day.
    so_far: ExecutionCost,
    worked: Vec<(i64, [f64; 3])>,
    /// Receipts as of the last barrier.
    reported: (f64, f64),
    served: ServiceGains,
}

impl ArmMeter {
    /// From this equity on.
    pub fn new(equity: f64, clock: Span) -> Self {
        ArmMeter {
            days: DailyReturns::new(equity),
            orders: 0,
            traded: 0.0,
            cost: 0.0,
            barriers: 0,
            bars_per_year: clock.per_year(),
            capital: equity,
            so_far: ExecutionCost::default(),
            worked: Vec::new(),
            reported: (0.0, 0.0),
            served: ServiceGains::default(),
        }
    }

    /// Services of an account as of a barrier, before it is marked.
    pub fn serve(&mut self, at: Stamp, real: &Real, spec: &RealSpec) {
        let now = receipts(real, spec);
        let before = std::mem::replace(&mut self.reported, now);
        let equity = self.days.equity();
        if equity > 0.0 {
            self.served.carry += (now.0 - before.0) / equity;
            self.served.liquidity += (now.1 - before.1) / equity;
        }
        self.works(at, real.execution.services.worked());
    }

    fn works(&mut self, at: Stamp, now: ExecutionCost) {
        let new = now.plus(&std::mem::replace(&mut self.so_far, now), -1.0);
        let notional = new.rested + new.crossed;
        if notional > 0.0 {
            let day = Stamp(at.0 - 1).day();
            if self.worked.last().is_none_or(|d| d.0 != day) {
                self.worked.push((day, [0.0; 3]));
            }
            if let Some((_, sums)) = self.worked.last_mut() {
                for (sum, x) in sums.iter_mut().zip([notional, new.cost, new.taking]) {
                    *sum += x / self.capital;
                }
            }
        }
    }

    /// So many orders were filled of which only the sums are known.
    pub fn orders(&mut self, filled: u64) {
        self.orders += filled;
    }

    /// Fills of an account, each an order.
    pub fn fills(&mut self, fills: &[Fill]) {
        self.orders += fills.len() as u64;
        for f in fills {
            let [quantity, price, mark, fee] = [f.quantity, f.price, f.mark, f.fee].map(money::to_estimate);
            self.trade(libm::fabs(quantity) * price, fee + quantity * (price - mark));
        }
    }

    /// A trade of this notional that cost so much, in currency.
    pub fn trade(&mut self, notional: f64, cost: f64) {
        let equity = self.days.equity();
        if equity > 0.0 {
            self.traded += notional / equity;
            self.cost += cost / equity;
        }
    }

    /// Equity at a barrier.
    pub fn mark(&mut self, at: Stamp, equity: f64) {
        self.barriers += 1;
        self.days.push(at, equity);
    }

    /// Equity as of the last barrier.
    pub fn equity(&self) -> f64 {
        self.days.equity()
    }

    /// Costs so far, each as a fraction of the equity then.
    pub fn paid(&self) -> f64 {
        self.cost
    }

    /// What is left behind.
    pub fn finish(self, crossed: f64, running: f64, decisions: &Digest) -> ArmTrack {
        let years = self.barriers as f64 / self.bars_per_year;
        let a_year = |x: f64| if years > 0.0 { x / years } else { 0.0 };
        let (rested, all) = (self.so_far.rested, self.so_far.rested + self.so_far.crossed);
        ArmTrack {
            first_day: self.days.first_day(),
            orders: a_year(self.orders as f64),
            turnover: a_year(self.traded),
            cost: a_year(self.cost),
            daily: self.days.finish(),
            crossed,
            running,
            decisions: decisions.to_string(),
            company: None,
            served: (self.served != ServiceGains::default() || all > 0.0)
                .then(|| ServiceGains { rested: if all > 0.0 { rested / all } else { 0.0 }, ..self.served }),
            worked: self.worked,
            ..ArmTrack::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Stamp {
        Stamp(hours * Span::HOUR.0)
    }

    #[test]
    fn days_end_at_midnight_and_the_last_one_counts() {
        let mut days = DailyReturns::new(100.0);
        for (hour, equity) in [(12, 105.0), (24, 110.0), (36, 99.0)] {
            days.push(at(hour), equity);
        }
        assert_eq!(days.first_day(), 0);
        let daily = days.finish();
        assert!((daily[0] - 0.10).abs() < 1e-12 && (daily[1] + 0.10).abs() < 1e-12);
        assert_eq!(daily.len(), 2);
    }

    #[test]
    fn company_by_hand() {
        let (a, b) = (vec![0.01, -0.01, 0.01, -0.01], vec![0.01, 0.01, -0.01, -0.01]);
        let strangers = Likeness::of(&[a.clone(), b.clone(), vec![0.0; 4]]);
        assert!((strangers.members, strangers.correlation.abs() < 1e-12) == (2.0, true));
        assert!((strangers.independent - 2.0).abs() < 1e-9);
        let twins = Likeness::of(&[a.clone(), a.clone(), a]);
        assert!((twins.correlation - 1.0).abs() < 1e-12 && (twins.independent - 1.0).abs() < 1e-9);
        assert_eq!(Likeness::of(&[b]).independent, 1.0);
    }

    #[test]
    fn turnover_is_in_equities_a_year() {
        let mut meter = ArmMeter::new(100.0, Span::DAY);
        for day in 1..=365 {
            meter.trade(200.0, 1.0);
            meter.orders(2);
            meter.mark(at(24 * (day + 10)), 100.0);
        }
        let track = meter.finish(0.0, 1.0, &Digest::default());
        assert!((track.turnover - 730.5).abs() < 1e-9 && (track.cost - 3.6525).abs() < 1e-9);
        assert_eq!((track.daily.len(), track.first_day), (365, 10));
        assert!((track.orders - 730.5).abs() < 1e-9);
    }
}
