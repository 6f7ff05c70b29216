//! The account: who has funds, what it holds and is worth by the books, and how it halts.

use super::derived::Derived;
use crate::agents::Population;
use crate::domain::{AgentId, Decimal, Fill, InstrumentId, Money, Stamp, money};
use crate::engine::{Outputs, Settings};
use crate::hive::curve::{Base, EquityCurve};
use crate::ledger::{Ledger, LedgerError, TradeReport};
use crate::treasury::funds::Funds;
use crate::treasury::{Breaker, Mode, OperatorControls};
use serde::{Deserialize, Serialize};

/// What ended an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruin {
    /// Barrier at which it was found out, by when all bars of the stamp were in.
    pub at: Stamp,
    /// The instrument that did it, and the price at which the venue took it over; none if nothing was held any more.
    pub taken_over: Option<(InstrumentId, Decimal)>,
    /// Equity after it; below zero it is owed.
    pub left: Money,
}

/// What is not known of an account whose venue is outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccountDoubt {
    /// Since when the fate of an order has been open, or the venue has not spoken; none while all is settled.
    pub unsettled: Option<Stamp>,
    /// Whether that has lasted longer than it may.
    pub is_long: bool,
    /// Whether the venue says that something else is held, and a fill may be on its way that explains it.
    pub is_of_position: bool,
    /// When venues were last asked again because of it.
    pub asked_again: Option<Stamp>,
}

/// What is owned and owed, whoever trades for it and wherever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Who has funds.
    pub funds: Funds,
    /// Cash and positions of all agents, exact.
    pub ledger: Ledger,
    /// Marked equity over time.
    pub curve: EquityCurve,
    /// By instrument: the last close; zero before the first.
    pub marks: Vec<Decimal>,
    /// By instrument: the close before the last, by which the gate knows a jump.
    pub(super) confirmed: Vec<Decimal>,
    /// The drawdown breaker.
    pub breaker: Breaker,
    /// The operator's hand.
    pub hand: OperatorControls,
    /// Why trading is halted, if it is.
    pub halted: Option<String>,
    /// What ended it, once it is ruined: then it is halted for good.
    pub ruin: Option<Ruin>,
    /// Whether it is because the venue holds something else: then it ends by looking again.
    pub(super) is_different: bool,
    /// What is not known of the account, and since when.
    pub(super) doubt: AccountDoubt,
    /// Whether the operator wants a halt to end with the first answer that agrees.
    pub(super) is_rechecking: bool,
    /// By instrument: who held how much when funding was last settled, where the venue bills it.
    pub(super) settled: Vec<Vec<(AgentId, Decimal)>>,
    pub(super) barriers: u64,
    pub(super) running: u64,
    /// Fees, spread and impact since the day was taken.
    pub(super) paid: Money,
    day_equity: Money,
    pub(super) equity: Money,
    /// By declared agent, and of the account: PnL when the last day closed.
    day_pnl: (Vec<Money>, Money),
    /// Σ|position| and Σ position at the marks.
    exposure: Derived<(Money, Money)>,
}

impl Account {
    /// All capital is with the treasury, of an account that may hold so many instruments.
    pub fn new(cast: &Population, settings: &Settings, instruments: usize) -> Self {
        let mut ledger = Ledger::new(cast.declared, instruments);
        let deposited = ledger.deposit(settings.money);
        Account {
            funds: Funds::new(cast),
            ledger,
            curve: EquityCurve::new(Base::Compound, settings.capital),
            marks: vec![Decimal::ZERO; instruments],
            confirmed: vec![Decimal::ZERO; instruments],
            breaker: Breaker::new(settings.breaker),
            hand: OperatorControls::new(cast.declared),
            halted: deposited.err().map(|e| format!("the capital could not be booked: {e}")),
            ruin: None,
            is_different: false,
            doubt: AccountDoubt::default(),
            is_rechecking: false,
            settled: vec![Vec::new(); instruments],
            barriers: 0,
            running: 0,
            paid: Decimal::ZERO,
            day_equity: settings.money,
            equity: settings.money,
            day_pnl: (vec![Decimal::ZERO; cast.declared], settings.money),
            exposure: Derived::default(),
        }
    }

    /// Whether new risk may be taken.
    pub fn mode(&self) -> Mode {
        match () {
            () if self.halted.is_some() => Mode::Halted,
            // What may still come is not known: what is held may shrink, and nothing is opened on top of it.
            () if self.doubt.is_long => Mode::Reducing.max(self.breaker.mode()).max(self.hand.mode()),
            () => self.breaker.mode().max(self.hand.mode()),
        }
    }

    /// The operator has looked and wants to go on; whether the breaker had tripped. A reset of one that
    /// has not would give up the peak that it measures from.
    pub fn reset_breaker(&mut self) -> bool {
        let tripped = self.breaker.latched().is_some();
        if tripped {
            self.breaker.reset(self.equity);
        }
        tripped
    }

    /// What the account holds by the books' own record of its counterparty.
    pub(super) fn booked(&self, id: InstrumentId) -> Decimal {
        self.ledger.venue_position(id).map_or(Decimal::ZERO, |p| -p)
    }

    /// Books a trade: nothing else changes what is held.
    pub(super) fn trade(
        &mut self,
        instrument: InstrumentId,
        mark: Decimal,
        deltas: &[(AgentId, Decimal)],
        fill: Option<&Fill>,
    ) -> Result<TradeReport, LedgerError> {
        self.exposure.0 = None;
        self.ledger.trade(instrument, mark, deltas, fill)
    }

    /// Marks an instrument.
    pub(super) fn mark(&mut self, id: InstrumentId, price: Decimal) {
        self.exposure.0 = None;
        self.marks[id.index()] = price;
    }

    /// Σ|position| and Σ position at the marks.
    pub(super) fn exposed(&mut self) -> Result<(Money, Money), LedgerError> {
        let exposed = match self.exposure.0 {
            Some(exposed) => exposed,
            None => self.ledger.exposed(&self.marks)?,
        };
        debug_assert_eq!(
            self.ledger.exposed(&self.marks),
            Ok(exposed),
            "what is held or marked went another way"
        );
        self.exposure.0 = Some(exposed);
        Ok(exposed)
    }

    /// Gross and net exposure in multiples of equity.
    pub fn exposure(&self) -> (f64, f64) {
        let equity = money::to_estimate(self.equity).max(f64::MIN_POSITIVE);
        let notional = |(i, mark): (usize, &Decimal)| {
            money::to_estimate(self.booked(InstrumentId(i as u16))) * money::to_estimate(*mark) / equity
        };
        let each = self.marks.iter().enumerate().map(notional);
        each.fold((0.0, 0.0), |(gross, net), w| (gross + libm::fabs(w), net + w))
    }

    /// Marked equity as of the last barrier.
    pub fn equity(&self) -> Money {
        self.equity
    }

    /// Share of barriers at which trading was not halted; 1 before the first.
    pub fn running_share(&self) -> f64 {
        if self.barriers == 0 { 1.0 } else { self.running as f64 / self.barriers as f64 }
    }

    /// Profit before trading costs, and the costs, since this was last asked.
    pub fn take_day(&mut self) -> (f64, f64) {
        let cost = money::to_estimate(std::mem::take(&mut self.paid));
        let before = std::mem::replace(&mut self.day_equity, self.equity);
        (money::to_estimate(self.equity - before) + cost, cost)
    }

    /// What each agent's book and the account gained since this was last asked, as fractions of the equity
    /// then.
    pub fn gains(&mut self) -> Result<(Vec<f64>, f64), LedgerError> {
        let base = money::to_estimate(self.day_pnl.1).max(f64::MIN_POSITIVE);
        let mut gained = Vec::with_capacity(self.day_pnl.0.len());
        for (i, before) in self.day_pnl.0.iter_mut().enumerate() {
            let pnl = self.ledger.pnl(AgentId(i as u32), &self.marks)?;
            gained.push(money::to_estimate(pnl - std::mem::replace(before, pnl)) / base);
        }
        let before = std::mem::replace(&mut self.day_pnl.1, self.equity);
        Ok((gained, money::to_estimate(self.equity - before) / base))
    }

    /// Once a day: who is stopped out, who returns, and the spread of funds when it is due.
    pub fn review(&mut self, settings: &Settings, at: Stamp, points: &[f64], out: &mut Outputs) {
        let changed = match self.funds.review(at, &self.ledger, &self.marks, points, &settings.funds) {
            Ok(changed) => changed,
            Err(e) => return self.halt(format!("funds could not be reviewed: {e}"), out),
        };
        if changed || self.funds.is_due(at, &settings.funds) {
            let spread = self.funds.spread(at, &mut self.ledger, &self.marks, points, &settings.funds);
            self.guard("funds", &spread, out);
        }
    }

    pub(super) fn guard<T>(&mut self, what: &str, result: &Result<T, LedgerError>, out: &mut Outputs) {
        if let Err(e) = result {
            self.halt(format!("{what} could not be booked: {e}"), out);
        }
    }

    /// Fails closed, and keeps the first reason.
    pub(super) fn halt(&mut self, why: String, out: &mut Outputs) {
        out.alarms.push(format!("halted: {why}"));
        self.halted.get_or_insert(why);
    }
}
