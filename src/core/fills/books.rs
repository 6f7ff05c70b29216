//! The books of the simulated lives: f64, one position a book, filled by the same model as paper.
//!
//! # Invariants
//!
//! 1. A book's equity is its cash plus its position at the mark; all costs are in the cash.
//! 2. An order decided at a close fills at the next bar of its asset, at most `participation` of it.
//! 3. [`Patient`] is the only code for alone (as shown) and open: with the same intents they are equal
//!    bit for bit (law 2).

use super::pace::{Moves, PositionPace, Width, Zone};
use crate::domain::{Bar, InstrumentKind, Span};
use crate::fills::{self, Costs};
use serde::{Deserialize, Serialize};

/// How far beyond a limit a bar must trade to fill it, as a fraction of the price: a touch is not enough, since others wait
/// there too.
pub const THROUGH: f64 = 1e-4;

/// One position and the cash it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SimulatedBook {
    /// Base units held, signed.
    pub quantity: f64,
    /// Currency received less currency paid, costs included.
    pub cash: f64,
    /// Base units to be traded at the next bar, signed.
    pub order: f64,
    /// Base units that rest at `limit`, signed: traded by the first bar that goes through it, what is left is taken off.
    pub resting: f64,
    /// Price of what rests; once that was filled, the price that was paid.
    pub limit: f64,
    /// Notional traded so far.
    pub traded: f64,
    /// Fees, spread, impact, funding and borrow paid so far.
    pub costs: f64,
    /// Funding received less paid so far; in `costs` with the other sign.
    pub funded: f64,
}

impl SimulatedBook {
    /// Worth at this price.
    pub fn equity(&self, mark: f64) -> f64 {
        if self.quantity == 0.0 { self.cash } else { self.cash + self.quantity * mark }
    }

    /// Fills what is on order at this bar; the rest stays on order. Holding costs of the bar follow.
    #[inline]
    pub fn bar(&mut self, costs: &Costs, kind: InstrumentKind, bar: &Bar, sigma_before: f64, span: Span) {
        // Nearly all books of a large swarm wait: they are passed over where they stand, shorts that borrow nothing too.
        if self.order != 0.0 || self.resting != 0.0 || (self.quantity < 0.0 && fills::pays_borrow(kind)) {
            self.fill(costs, kind, bar, sigma_before, span);
        }
    }

    fn fill(&mut self, costs: &Costs, kind: InstrumentKind, bar: &Bar, sigma_before: f64, span: Span) {
        if self.order != 0.0 {
            let taken = fills::take(costs, kind, bar.open, sigma_before, bar.volume, self.order);
            if taken.quantity != 0.0 {
                let whole = taken.quantity == self.order;
                self.order = if whole { 0.0 } else { self.order - taken.quantity };
                self.quantity += taken.quantity;
                self.cash -= taken.quantity * taken.price + taken.fee;
                self.traded += libm::fabs(taken.quantity) * taken.price;
                self.costs += taken.fee + taken.quantity * (taken.price - taken.mark);
                if libm::fabs(self.quantity) * bar.open < 1e-9 {
                    self.cash += self.quantity * bar.open;
                    self.quantity = 0.0;
                }
            }
        }
        if self.resting != 0.0 {
            let taken = fills::rest(costs, kind, bar, self.limit, THROUGH * self.limit, self.resting);
            if taken.quantity != 0.0 {
                self.quantity += taken.quantity;
                self.cash -= taken.quantity * taken.price + taken.fee;
                self.traded += libm::fabs(taken.quantity) * taken.price;
                self.costs += taken.fee;
                (self.resting, self.limit) = (0.0, taken.price);
            }
        }
        self.hold(costs, kind, bar.open, span);
    }

    /// The holding costs of a bar by themselves, where what was on order has met finer prices.
    pub fn hold(&mut self, costs: &Costs, kind: InstrumentKind, open: f64, span: Span) {
        if self.quantity < 0.0 {
            self.pay(fills::borrow_cost(costs, kind, self.quantity, open, span));
        }
    }

    /// Rests so many base units at this price in place of what rests now.
    pub fn rest(&mut self, quantity: f64, limit: f64) {
        (self.resting, self.limit) = (quantity, if quantity == 0.0 { 0.0 } else { limit });
    }

    /// A funding settlement.
    #[inline]
    pub fn funding(&mut self, costs: &Costs, mark: f64, rate: f64) {
        if self.quantity != 0.0 {
            let cost = fills::funding_cost(costs, self.quantity, mark, rate);
            self.funded -= cost;
            self.pay(cost);
        }
    }

    /// Closes at the last price of an asset that is gone: the fee is paid, there is no market to move.
    pub fn delist(&mut self, costs: &Costs, kind: InstrumentKind, last: f64) {
        self.order = -self.quantity;
        self.rest(0.0, 0.0);
        let bar = Bar { open: last, high: last, low: last, close: last, volume: f64::INFINITY };
        self.bar(costs, kind, &bar, 0.0, Span(0));
        self.order = 0.0;
    }

    /// Cuts what is on order to what may be opened: a position of `most` base units, or as much as is held.
    pub fn order_within(&mut self, most: f64) {
        let held = self.quantity;
        let goal = (held + self.order).min(most.max(held)).max((-most).min(held));
        // The sum of what is held and on order has lost digits of the order.
        if goal != held + self.order {
            self.order = goal - held;
        }
    }

    /// A venue takes over what is held, at this price.
    pub(super) fn give_up(&mut self, price: f64) {
        self.cash += self.quantity * price;
        self.traded += libm::fabs(self.quantity) * price;
        self.quantity = 0.0;
    }

    /// What a liquidation left goes to the venue, which bears what is lacking.
    pub(super) fn settle(&mut self, left: f64) {
        self.cash -= left;
        self.costs += left.max(0.0);
    }

    fn pay(&mut self, cost: f64) {
        self.cash -= cost;
        self.costs += cost;
    }
}

/// A book that follows an aim at a pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Patient {
    /// Where it is going, as a signed fraction of the hive's capital.
    pub aim: f64,
    /// What it holds.
    pub book: SimulatedBook,
    /// How much its aim moves; kept only where a zone asks for it.
    moves: Option<Moves>,
}

impl AsRef<Patient> for Patient {
    fn as_ref(&self) -> &Patient {
        self
    }
}

impl AsMut<Patient> for Patient {
    fn as_mut(&mut self) -> &mut Patient {
        self
    }
}

impl Patient {
    /// It was liquidated: it goes nowhere until it decides anew.
    pub(super) fn end(&mut self) {
        (self.aim, self.book.order) = (0.0, 0.0);
        self.book.rest(0.0, 0.0);
    }

    /// Decides at a close: one step toward x (a fraction of `capital`), and an order if it is worth one; whether it is.
    pub fn decide(&mut self, x: f64, pace: PositionPace, capital: f64, close: f64) -> bool {
        if x == 0.0 && self.aim == 0.0 && self.book.quantity == 0.0 {
            self.book.order = 0.0;
            return false;
        }
        self.aim = pace.step(self.aim, x);
        let units = capital / close;
        let (target, held) = (pace.owned(self.aim) * units, self.book.quantity);
        self.book.order = pace.width.scaled(units).goal(target, held) - held;
        self.book.order != 0.0
    }

    /// The same with a zone, which is as wide as the aim's own movement over `span_bars` says.
    pub fn decide_in_zone(
        &mut self,
        x: f64,
        pace: PositionPace,
        zone: &(Zone, f64),
        capital: f64,
        close: f64,
    ) -> bool {
        let (zone, span_bars) = zone;
        let moves = self.moves.get_or_insert_with(|| Moves::new(*span_bars));
        moves.push(pace.owned(x));
        let width = Width::Zone(zone.width(moves));
        self.decide(x, PositionPace { width, ..pace }, capital, close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Decimal, money, random};

    fn bar(open: f64) -> Bar {
        Bar { open, high: open * 1.01, low: open * 0.99, close: open, volume: 1e9 }
    }

    #[test]
    fn patience_goes_a_tenth_of_the_way_and_the_band_waits() {
        let pace = PositionPace { patience: 0.1, width: Width::Band(0.4), shorts: true };
        let mut p = Patient::default();
        p.decide(1.0, pace, 1_000.0, 10.0);
        assert!((p.aim - 0.1).abs() < 1e-15);
        assert!((p.book.order - 10.0).abs() < 1e-12);
        p.book.bar(&Costs::Flat(0.0), InstrumentKind::Perp, &bar(10.0), 0.01, Span::HOUR);
        p.decide(1.0, pace, 1_000.0, 10.0);
        assert!((p.aim - 0.19).abs() < 1e-15);
        assert!(p.book.order > 0.0, "0.19 against 0.10 is beyond the band");
        p.book.bar(&Costs::Flat(0.0), InstrumentKind::Perp, &bar(10.0), 0.01, Span::HOUR);
        p.decide(1.0, pace, 1_000.0, 10.0);
        assert_eq!(p.book.order, 0.0, "0.271 against 0.19 is not");
    }

    #[test]
    fn where_nothing_can_be_short_a_short_aim_holds_nothing_and_still_moves() {
        let pace = PositionPace { patience: 0.5, width: Width::Band(0.4), shorts: false };
        let mut p = Patient::default();
        p.decide(-1.0, pace, 1_000.0, 10.0);
        assert_eq!((p.aim, p.book.order), (-0.5, 0.0));
        p.decide(1.0, pace, 1_000.0, 10.0);
        assert_eq!((p.aim, p.book.order), (0.25, 25.0));
    }

    #[test]
    fn law06_a_book_agrees_with_a_decimal_run_to_1e_9_of_notional() {
        let mut book = SimulatedBook::default();
        let mut cash = Decimal::ZERO;
        let mut quantity = Decimal::ZERO;
        let mut turnover = Decimal::ZERO;
        let d = |x: f64| money::from_estimate(x, 12).unwrap();
        for i in 0..5_000_u64 {
            let price = 100.0 * (1.0 + 0.3 * random::uniform(random::key(1, &[i])));
            book.order = libm::rint(1e3 * (random::uniform(random::key(2, &[i])) - 0.5)) / 1e3;
            let want = book.order;
            book.bar(&Costs::Flat(0.0007), InstrumentKind::Perp, &bar(price), 0.01, Span::HOUR);
            let (q, p) = (d(want), d(price));
            let fee = Decimal::new(7, 4) * q.abs() * p;
            cash -= q * p + fee;
            quantity += q;
            turnover += (q * p).abs();
        }
        let exact = money::to_estimate(cash + quantity * Decimal::new(120, 0));
        assert!((book.equity(120.0) - exact).abs() < 1e-9 * money::to_estimate(turnover));
    }

    #[test]
    fn a_delisted_position_is_closed_at_the_last_price() {
        let mut book = SimulatedBook { quantity: -2.0, cash: 220.0, order: 5.0, ..SimulatedBook::default() };
        book.delist(&Costs::Flat(0.001), InstrumentKind::Margin, 100.0);
        assert_eq!((book.quantity, book.order), (0.0, 0.0));
        assert!((book.cash - 19.8).abs() < 1e-12);
    }
}
