//! What the venue does to packages: fills, funding, borrow, and closings that nobody asked for, booked to their agents.
//!
//! # Invariants
//!
//! 1. What is paid in coins is booked as two trades: the coins that came, and the coins that they were paid with, at what these
//!    are worth at that moment. What an option that is quoted in coins costs is reckoned in the account's currency at its
//!    forward, as its simulated lives do.
//! 2. A closing of the venue's own is shared by what each held: packages all of theirs, the desk the rest.

use super::context::StepContext;
use super::life::Real;
use crate::agents::structures::legs::LegFill;
use crate::domain::{Decimal, Fill, InstrumentId, InstrumentKind, MarketEvent, Money, OrderId, money};
use crate::engine::Outputs;
use crate::execution::venue::{VENUE_ORDERS, is_venue_order};
use crate::execution::{PaperVenue, paid_in_coins};
use crate::fills::{borrow_fraction, pays_borrow};
use crate::ledger::exact::{PRICE_SCALE, product};
use crate::ledger::{Ledger, LedgerError};
use crate::market::DetailLevel;

/// A fill in numbers of the account: what is booked, and what its legs are told.
struct BookedFill {
    /// Trades to be booked, in this order.
    trades: Vec<Fill>,
    /// What was paid with coins, and in which, signed.
    paid: Option<(InstrumentId, Decimal)>,
    /// Account currency that came, fees deducted; an estimate.
    cash: f64,
    /// Fees in the account's currency; an estimate.
    fees: f64,
    /// Notional in the account's currency; an estimate.
    traded: f64,
}

impl Real {
    /// Books a fill to the package that it belongs to.
    pub(super) fn book_package(
        &mut self,
        cx: &StepContext<'_>,
        i: usize,
        (fill, order): (&Fill, Option<OrderId>),
        out: &mut Outputs,
    ) {
        let symbol = &cx.spec.instruments[fill.instrument.index()].symbol;
        let Some(booked) = in_currency(cx, fill) else {
            return self.account.halt(format!("{symbol}: a fill whose worth nobody knows: {fill:?}"), out);
        };
        let agent = self.execution.packages.all[i].agent;
        for trade in &booked.trades {
            let change = [(agent, trade.quantity)];
            match self.account.trade(trade.instrument, trade.mark, &change, Some(trade)) {
                Ok(report) => {
                    self.account.paid += report.fee + report.slippage;
                    out.keep(trade, agent);
                }
                Err(e) => return self.account.halt(format!("{symbol}: the books refused a trade: {e}"), out),
            }
            // What the desk trades is marked with its bars; anything else may have been held by nobody for long.
            if trade.instrument.index() >= cx.spec.traded {
                let value = cx.value_of(trade.instrument).unwrap_or(trade.mark);
                self.account.mark(trade.instrument, value);
            }
        }
        out.fills.push(*fill);
        let coin = cx.spec.listed.coin(fill.instrument);
        let package = &mut self.execution.packages.all[i];
        package.held.add(coin, fill.quantity);
        package.dealt.add(fill.instrument, fill.quantity);
        let mut moved = vec![(coin, money::to_estimate(fill.quantity))];
        if let Some((pays, paid)) = booked.paid {
            package.held.add(pays, -paid);
            moved.push((pays, -money::to_estimate(paid)));
        }
        package.is_broken |= order.is_none();
        package.life.legs.filled(&LegFill {
            order,
            quantity: money::to_estimate(fill.quantity),
            moved: &moved,
            cash: booked.cash,
            fees: booked.fees,
            traded: booked.traded,
            level: cx.market.get(fill.instrument).map_or(DetailLevel::Bars, |q| q.level),
        });
        package.tidy_legs();
        if order.is_some() {
            self.send_waiting(cx, i, out);
        }
    }

    /// A closing of the venue's own in something that packages hold: each gives up what it has. What is left of the fill is the
    /// desk's; none if nothing is.
    pub(super) fn share_closing(
        &mut self,
        cx: &StepContext<'_>,
        fill: &Fill,
        out: &mut Outputs,
    ) -> Option<Fill> {
        if !is_venue_order(fill.order) {
            return Some(*fill);
        }
        let mut left = *fill;
        for i in 0..self.execution.packages.all.len() {
            let held = self.execution.packages.all[i].held.of(fill.instrument);
            if held.is_zero() {
                continue;
            }
            let part = -held;
            // In proportion to what is left: the last one has the rest, to the last digit.
            let is_last = part == left.quantity;
            let fee = if is_last { left.fee } else { share(left.fee, part, left.quantity) };
            left.quantity -= part;
            left.fee -= fee;
            let own = Fill { quantity: part, fee, fee_in: None, ..*fill };
            self.book_package(cx, i, (&own, None), out);
        }
        let dust = self.execution.packages.dust.of(fill.instrument);
        if !dust.is_zero() {
            let own = Fill { quantity: -dust, fee: Money::ZERO, fee_in: None, ..*fill };
            left.quantity += dust;
            self.execution.packages.dust.add(fill.instrument, -dust);
            let change = [(Ledger::TREASURY, own.quantity)];
            let booked = self.account.trade(own.instrument, own.mark, &change, Some(&own));
            self.account.guard("what was less than a lot", &booked, out);
            if booked.is_ok() {
                out.keep(&own, Ledger::TREASURY);
            }
        }
        (!left.quantity.is_zero()).then_some(left)
    }

    /// The venue has closed all that the account held of an instrument, and nobody of the desk had a part in it: what the desk and
    /// packages hold against each other, of which the venue knows nothing, is closed at this price as well.
    pub(super) fn close_opposites(
        &mut self,
        cx: &StepContext<'_>,
        id: InstrumentId,
        price: Decimal,
        out: &mut Outputs,
    ) {
        let order = OrderId(VENUE_ORDERS);
        let (quantity, fee) = (Decimal::ZERO, Money::ZERO);
        let nothing = Fill {
            order,
            number: 0,
            instrument: id,
            at: cx.at,
            quantity,
            price,
            mark: price,
            fee,
            fee_in: None,
        };
        let left = if self.execution.packages.position(id).is_zero() {
            None
        } else {
            self.share_closing(cx, &nothing, out)
        };
        if id.index() < cx.spec.traded {
            self.book(cx, id, price, left, Decimal::ZERO, out);
        }
    }

    /// Orders of packages meet an event of the market, told of an instrument that it may fill.
    pub(super) fn meet_packages(&mut self, cx: &StepContext<'_>, event: &MarketEvent, out: &mut Outputs) {
        let Some(id) = event.instrument() else { return };
        self.earn_liquidity(cx, event);
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            let instrument = &cx.spec.instruments[id.index()];
            paper.on_market(instrument, cx.market, event, cx.settings.costs.of(instrument));
            self.hear_venue(cx, out);
        }
        self.count_tries(cx, id, event);
    }

    /// Orders that take and were met by an offer have had a try.
    pub(super) fn count_tries(&mut self, cx: &StepContext<'_>, id: InstrumentId, event: &MarketEvent) {
        let is_offer = match event {
            MarketEvent::Bar { .. } => cx.market.get(id).is_none_or(|q| q.level == DetailLevel::Bars),
            MarketEvent::Quote { .. } | MarketEvent::Pool { .. } | MarketEvent::Level { last: true, .. } => {
                true
            }
            _ => false,
        };
        if matches!(event, MarketEvent::Pool { .. }) {
            self.count_pool_tries(cx, id);
        }
        // What rests has no tries, and is nearly all that stands.
        let takes = |paper: &PaperVenue| paper.working(id).is_some();
        if !is_offer || !self.execution.router.venue.paper().is_some_and(takes) {
            return;
        }
        for package in &mut self.execution.packages.all {
            for o in &mut package.life.legs.orders {
                let has_met = o.instrument == id && o.limit.is_none() && cx.at >= o.live && cx.at > o.decided;
                o.tries = o.tries.saturating_add(u8::from(has_met && o.number.is_some()));
            }
        }
    }

    /// Funding was settled on a perp: what packages make of it. The books have it already, or have it from the venue.
    pub(super) fn fund_packages(&mut self, id: InstrumentId, (rate, mark): (f64, f64)) {
        for package in &mut self.execution.packages.all {
            package.life.life.fund(id, mark * rate);
            package.life.legs.funded(id, mark * rate);
        }
    }

    /// Borrow of what packages are short of outside the desk, for the time since the last barrier.
    pub(super) fn charge_borrow(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        let decide = cx.settings.clock.decide;
        for id in self.execution.packages.instruments() {
            let instrument = &cx.spec.instruments[id.index()];
            if id.index() < cx.spec.traded || !pays_borrow(instrument.kind) {
                continue;
            }
            let owed = borrow_fraction(cx.settings.costs.of(instrument), instrument.kind, decide);
            let Some(fraction) = money::from_estimate(owed, 10).filter(|f| !f.is_zero()) else { continue };
            let mark = self.account.marks[id.index()];
            let charged = self.account.ledger.borrow(id, mark, fraction);
            self.account.guard("borrow", &charged, out);
        }
    }

    /// What is left of coins that their market takes no order for goes to the treasury at the mark.
    pub(super) fn sweep(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        for i in 0..self.execution.packages.all.len() {
            let package = &self.execution.packages.all[i];
            // What is asked for and never leaves is all that is left to wait for.
            let has_left = package.life.legs.orders.iter().any(|o| o.number.is_some());
            let is_over = package.life.life.open().is_none() && !has_left;
            if !is_over || package.held.is_empty() {
                continue;
            }
            let dust: Vec<(InstrumentId, Decimal)> =
                package.held.iter().filter(|h| self.is_dust(cx, *h)).collect();
            for (id, held) in dust {
                let swept = self.sweep_one(i, id, held);
                self.account.guard("what was less than a lot", &swept, out);
            }
        }
    }

    fn is_dust(&self, cx: &StepContext<'_>, (id, held): (InstrumentId, Decimal)) -> bool {
        let instrument = &cx.spec.instruments[id.index()];
        instrument.kind == InstrumentKind::Spot && (held < instrument.lot || !self.is_order(instrument, held))
    }

    fn sweep_one(&mut self, i: usize, id: InstrumentId, held: Decimal) -> Result<(), LedgerError> {
        let mark = self.account.marks[id.index()];
        let agent = self.execution.packages.all[i].agent;
        self.account.trade(id, mark, &[(agent, -held), (Ledger::TREASURY, held)], None)?;
        self.execution.packages.dust.add(id, held);
        let package = &mut self.execution.packages.all[i];
        package.held.add(id, -held);
        package.life.legs.orders.retain(|o| o.number.is_some() || o.instrument != id);
        package.life.legs.swept(id, money::to_estimate(held) * money::to_estimate(mark));
        Ok(())
    }
}

/// What a fill comes to in the account's currency; none where nobody knows.
fn in_currency(cx: &StepContext<'_>, fill: &Fill) -> Option<BookedFill> {
    let (listed, id) = (&cx.spec.listed, fill.instrument);
    let scale = cx.scale_of(id)?;
    let worth = |x: Decimal| product(x, scale).ok().map(|w| w.round_dp(PRICE_SCALE));
    let (price, mark) = (worth(fill.price)?, worth(fill.mark)?);
    let coin = listed.coin(id);
    let notional = money::to_estimate(fill.quantity) * money::to_estimate(price);
    let fee = if scale == Decimal::ONE { fill.fee } else { product(fill.fee, scale).ok()? };
    let (fees, traded) = (money::to_estimate(fee), libm::fabs(notional));
    let own = Fill { instrument: coin, price, mark, fee, ..*fill };
    let Some(pays) = listed.pays(id) else {
        return Some(BookedFill { trades: vec![own], paid: None, cash: -notional - fees, fees, traded });
    };
    let paid = paid_in_coins(fill)?;
    let with = Fill { instrument: pays, quantity: -paid, price: scale, mark: scale, fee_in: None, ..own };
    let trades = vec![Fill { fee: Money::ZERO, fee_in: None, ..own }, with];
    Some(BookedFill { trades, paid: Some((pays, paid)), cash: 0.0, fees, traded })
}

/// A part of a fee, by quantity, rounded once.
fn share(fee: Money, part: Decimal, of: Decimal) -> Money {
    let fraction = money::to_estimate(part) / money::to_estimate(of);
    let estimate = money::from_estimate(money::to_estimate(fee) * fraction, 8).unwrap_or_default();
    estimate.min(fee.max(Money::ZERO)).max(fee.min(Money::ZERO))
}
