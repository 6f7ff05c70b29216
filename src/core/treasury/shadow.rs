//! A shadow desk: aims, sized, patient and traded as the desk does it, into books of estimates. Two of
//! them side by side are paired: what they differ in is what they were asked to hold.
//!
//! # Invariants
//!
//! 1. Sizing is the desk's own code ([`super::sizing`]); fills, fees, funding and borrow are those of all
//!    simulated lives ([`crate::fills::books`]).
//! 2. It has no gate, no lots and no agents' parts, and the operator's hand and the breaker are not on it.
//! 3. Equal aims, knobs and bars give equal books, bit for bit.

use super::desk::{DeskQuote, RiskControls};
use super::sizing::{SizeRules, Sizing};
use crate::domain::{Bar, InstrumentId, Span};
use crate::fills::Costs;
use crate::fills::books::SimulatedBook;
use crate::fills::pace::PositionPace;
use crate::market::InstrumentState;
use serde::{Deserialize, Serialize};

/// A shadow desk: its aims, its sizing and its books of estimates; see the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// By instrument: where it is going, as a fraction of equity before it is sized.
    pub aims: Vec<f64>,
    sizing: Sizing,
    books: Vec<SimulatedBook>,
    capital: f64,
    /// Equity as of the last mark, in currency.
    pub equity: f64,
    /// Notional traded so far, in multiples of equity.
    pub traded: f64,
    /// Notional traded so far, in currency.
    notional: f64,
}

impl Shadow {
    /// Holds nothing yet.
    pub fn new(rules: &SizeRules, capital: f64) -> Self {
        let n = rules.kinds.len();
        Shadow {
            aims: vec![0.0; n],
            sizing: Sizing::new(rules),
            books: vec![SimulatedBook::default(); n],
            capital,
            equity: capital,
            traded: 0.0,
            notional: 0.0,
        }
    }

    /// A bar of an instrument: what is on order fills.
    pub fn bar(
        &mut self,
        rules: &SizeRules,
        costs: &Costs,
        id: InstrumentId,
        listing: &InstrumentState,
        span: Span,
    ) {
        let bar: &Bar = listing.last();
        self.books[id.index()].bar(costs, rules.kinds[id.index()], bar, listing.sigma_before, span);
    }

    /// A funding settlement.
    pub fn funding(&mut self, costs: &Costs, id: InstrumentId, mark: f64, rate: f64) {
        self.books[id.index()].funding(costs, mark, rate);
    }

    /// The asset is gone: what is held is closed at its last price.
    pub fn delist(&mut self, rules: &SizeRules, costs: &Costs, id: InstrumentId, last: f64) {
        let i = id.index();
        self.books[i].delist(costs, rules.kinds[i], last);
        (self.aims[i], self.sizing.aims[i]) = (0.0, 0.0);
    }

    /// One step of an aim toward x.
    pub fn aim(&mut self, id: InstrumentId, x: f64, pace: PositionPace) {
        let aim = &mut self.aims[id.index()];
        *aim = pace.step(*aim, x);
    }

    /// Marks the books, and counts what they traded since: in the order of instruments, whatever the order of
    /// their bars.
    pub fn mark(&mut self, desk: &[InstrumentState]) {
        let notional: f64 = self.books.iter().map(|b| b.traded).sum();
        if self.equity > 0.0 {
            self.traded += (notional - self.notional) / self.equity;
        }
        self.notional = notional;
        let equities = self.books.iter().zip(desk).map(|(b, l)| b.equity(l.last().close));
        self.equity = self.capital + equities.sum::<f64>();
    }

    /// Decides on every instrument that has a price now. The equity of `steer` is not looked at: it trades
    /// its own.
    pub fn decide(&mut self, rules: &SizeRules, quotes: &[DeskQuote], steer: &RiskControls) {
        self.sizing.learn(quotes);
        self.sizing.aims.copy_from_slice(&self.aims);
        let scale = self.sizing.scale(rules, steer);
        let steer = RiskControls { equity: self.equity.max(0.0), ..*steer };
        for quote in quotes {
            let i = quote.instrument.index();
            let aim = if rules.kinds[i].can_short() { self.aims[i] } else { self.aims[i].max(0.0) };
            let (width, least) = self.sizing.follow(rules, quote, &steer, scale * aim);
            let units = steer.equity / quote.close;
            let (target, book) = (scale * aim * units, &mut self.books[i]);
            book.order = width.scaled(units).goal(target, book.quantity) - book.quantity;
            if target != 0.0 && libm::fabs(book.order) < least * units {
                book.order = 0.0;
            }
        }
    }

    /// Whether it knows the volatility of its aims and so trades.
    pub fn is_sized(&self) -> bool {
        self.sizing.risk_multiple > 0.0
    }
}
