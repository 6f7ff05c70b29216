//! The paper venue: fills at level B, with ticks and lots of any size and an own record of positions. It counts base units,
//! so that the size of a contract is nothing to it, and takes its fees in the account's currency.
//!
//! # Invariants (tests carry their names)
//!
//! 1. Σ fills of an order ≤ its quantity; fills are numbered from 1 without a gap.
//! 2. An order decided at t fills at the first bar that opens at t or later. What the bar's volume does
//!    not give keeps working.
//! 3. One market order works per instrument; a new one takes the old one back. Beside it one order may
//!    rest, which is worked on the fast clock.
//! 4. A market order's price is rounded to the tick against us and is at least a tick from the open, and a limit that a
//!    bar opens beyond is filled at that open, rounded so too. With [`Costs::Flat`] it is the open itself, to twelve digits.
//! 5. A reduce-only order never turns a position over, and spot is never sold short, whatever happened
//!    between decision and fill.
//!
//! Never: looks into the books, which would make reconciliation compare a thing with itself.

use super::venue::{PlacedOrder, VENUE_ORDERS, Venue, VenueRequest};
use crate::domain::money::{from_estimate, to_estimate};
use crate::domain::step::Rounding;
use crate::domain::venue::RejectReason;
use crate::domain::{
    Bar, Decimal, Fill, Instrument, InstrumentId, InstrumentKind, Money, OrderId, OrderKind, PriceStep,
    Stamp, TimeInForce, VenueEvent,
};
use crate::fills::{BarCosts, Costs, PerKind, Taken, fee_rate, rest, take, worked};
use crate::ledger::exact::{PRICE_SCALE, product};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// An order at the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Working {
    id: OrderId,
    kind: OrderKind,
    /// Signed: what is still to fill.
    remaining: Decimal,
    reduce_only: bool,
    at: Stamp,
    fills: u32,
}

impl Working {
    /// Fills so much of it at a price; nothing changes where the numbers are no decimals.
    fn fill(
        &mut self,
        position: &mut Decimal,
        instrument: InstrumentId,
        at: Stamp,
        (quantity, price): (Decimal, Decimal),
        bar: &Bar,
        rate: f64,
    ) -> Option<Fill> {
        let fill = Fill {
            order: self.id,
            number: self.fills + 1,
            instrument,
            at,
            quantity,
            price,
            mark: from_estimate(bar.open, PRICE_SCALE)?,
            fee: fee(quantity, price, rate)?,
            fee_in: None,
        };
        let (remaining, held) = (self.remaining.checked_sub(quantity)?, position.checked_add(quantity)?);
        self.remaining = remaining;
        self.fills += 1;
        *position = held;
        Some(fill)
    }
}

/// What the venue knows of one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PaperInstrument {
    position: Decimal,
    order: Option<Working>,
    /// An order that is worked beside it: rests at a limit, moved bar by bar.
    resting: Option<Working>,
}

/// The venue inside the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperVenue {
    desks: Vec<PaperInstrument>,
    /// The highest id taken; ids ascend.
    last: Option<OrderId>,
    /// Closings the venue made on its own.
    closings: u64,
    /// What it has to say, oldest first; empty between two steps.
    said: VecDeque<VenueEvent>,
}

impl PaperVenue {
    /// Lists instruments 0..`instruments`, nothing held.
    pub fn new(instruments: usize) -> Self {
        PaperVenue { desks: vec![PaperInstrument::default(); instruments], ..PaperVenue::default() }
    }

    fn desk(&self, instrument: InstrumentId) -> Option<&PaperInstrument> {
        self.desks.get(instrument.index())
    }

    /// A bar of an instrument, which opened at `open_at`: fills what works there, as far as the bar
    /// allows. `sigma` is the volatility of one bar as a fraction, known before it. A bar that cannot be
    /// believed, or whose numbers are no decimals, fills nothing.
    pub fn on_bar(&mut self, instrument: &Instrument, open_at: Stamp, bar: &Bar, sigma: f64, costs: &Costs) {
        let Some(desk) = self.desks.get_mut(instrument.id.index()) else { return };
        let Some(order) = desk.order.as_mut().filter(|o| open_at >= o.at && bar.is_valid()) else { return };
        let wanted = allowed(order, desk.position, instrument.kind);
        let is_immediate = matches!(order.kind, OrderKind::Limit(_, TimeInForce::ImmediateOrCancel));
        let fill = meet(order.kind, instrument, bar, sigma, costs, wanted).and_then(|(quantity, price)| {
            let is_maker = !is_immediate && order.kind != OrderKind::Market;
            let rate = fee_rate(costs, instrument.kind, is_maker);
            order.fill(&mut desk.position, instrument.id, open_at, (quantity, price), bar, rate)
        });
        self.said.extend(fill.map(VenueEvent::Fill));
        let done = order.remaining.is_zero();
        // Nothing left that it may do, or that it waits for: the venue takes it back.
        if !done && (wanted.is_zero() || is_immediate) {
            self.said.push_back(VenueEvent::Cancelled { order: order.id, at: open_at });
        }
        if done || wanted.is_zero() || is_immediate {
            desk.order = None;
        }
    }

    /// The order that rests in an instrument, with its signed quantity still to fill and its limit.
    pub fn resting(&self, instrument: InstrumentId) -> Option<(OrderId, Decimal, Decimal)> {
        let order = self.desk(instrument)?.resting.as_ref()?;
        let OrderKind::Limit(limit, _) = order.kind else { return None };
        Some((order.id, order.remaining, limit))
    }

    /// What the venue says is held, signed.
    pub fn position(&self, instrument: InstrumentId) -> Decimal {
        self.desk(instrument).map_or(Decimal::ZERO, |d| d.position)
    }

    /// The order working in an instrument, with its signed quantity still to fill.
    pub fn working(&self, instrument: InstrumentId) -> Option<(OrderId, Decimal)> {
        let order = self.desk(instrument).and_then(|d| d.order.as_ref());
        order.map(|o| (o.id, o.remaining))
    }

    /// A bar of the fast clock, which opened at `open_at`: what rests fills at its limit where the bar
    /// trades beyond it by the fraction `through`, as far as the bar's volume allows.
    pub fn on_inside(
        &mut self,
        instrument: &Instrument,
        open_at: Stamp,
        bar: &Bar,
        through: f64,
        costs: &Costs,
    ) {
        let Some(desk) = self.desks.get_mut(instrument.id.index()) else { return };
        let Some(order) = desk.resting.as_mut().filter(|o| open_at >= o.at && bar.is_valid()) else { return };
        let OrderKind::Limit(limit, _) = order.kind else { return };
        let wanted = allowed(order, desk.position, instrument.kind);
        let taken = worked(costs, instrument.kind, bar, to_estimate(limit), through, to_estimate(wanted));
        let rate = fee_rate(costs, instrument.kind, true);
        let fill = part_of(wanted, taken.quantity, instrument.lot).and_then(|quantity| {
            order.fill(&mut desk.position, instrument.id, open_at, (quantity, limit), bar, rate)
        });
        self.said.extend(fill.map(VenueEvent::Fill));
        if !order.remaining.is_zero() && wanted.is_zero() {
            self.said.push_back(VenueEvent::Cancelled { order: order.id, at: open_at });
        }
        if order.remaining.is_zero() || wanted.is_zero() {
            desk.resting = None;
        }
    }

    /// The instrument is gone: takes its orders back and closes what is held at the last price, for the
    /// taker fee. The fill's order is the venue's own (see [`VENUE_ORDERS`]).
    pub fn on_delisted(&mut self, instrument: &Instrument, at: Stamp, last_price: f64, costs: &Costs) {
        let Some(desk) = self.desks.get_mut(instrument.id.index()) else { return };
        let ended = [desk.order.take(), desk.resting.take()].into_iter().flatten();
        self.said.extend(ended.map(|o| VenueEvent::Cancelled { order: o.id, at }));
        let Some(price) = from_estimate(last_price, PRICE_SCALE) else { return };
        let Some(fee) = fee(desk.position, price, fee_rate(costs, instrument.kind, false)) else { return };
        self.take_over(instrument.id, at, price, fee);
    }

    /// Closes what is held at this price, for this fee: of an instrument that is gone, or of an account whose margin is.
    /// The fill's order is the venue's own.
    pub fn take_over(&mut self, instrument: InstrumentId, at: Stamp, price: Decimal, fee: Money) {
        let Some(desk) = self.desks.get_mut(instrument.index()).filter(|d| !d.position.is_zero()) else {
            return;
        };
        let quantity = -desk.position;
        let order = OrderId(VENUE_ORDERS + self.closings);
        self.closings += 1;
        desk.position = Decimal::ZERO;
        self.said.push_back(VenueEvent::Fill(Fill {
            order,
            number: 1,
            instrument,
            at,
            quantity,
            price,
            mark: price,
            fee,
            fee_in: None,
        }));
    }

    /// Takes an order. A new market order for an instrument replaces the one still working there, a new one that rests
    /// the one that rests.
    fn place(&mut self, order: &PlacedOrder) {
        let (id, at, kind) = (order.id(), order.at(), order.kind());
        let price = if let OrderKind::Limit(price, _) = kind { Some(price) } else { None };
        let why = match self.desks.get_mut(order.instrument().index()) {
            _ if self.last.is_some_and(|last| last >= id) => RejectReason::Duplicate,
            _ if price.is_some_and(|p| p <= Decimal::ZERO) => RejectReason::Price,
            None => RejectReason::NotListed,
            Some(desk) => {
                self.last = Some(id);
                let (remaining, reduce_only) = (order.quantity(), order.reduce_only());
                let new = Working { id, kind, remaining, reduce_only, at, fills: 0 };
                let is_worked = matches!(kind, OrderKind::Limit(_, TimeInForce::PostOnly));
                let old = if is_worked { desk.resting.replace(new) } else { desk.order.replace(new) };
                self.said.extend(old.map(|o| VenueEvent::Cancelled { order: o.id, at }));
                return self.said.push_back(VenueEvent::Accepted { order: id, at });
            }
        };
        self.said.push_back(VenueEvent::Rejected { order: id, at, why });
    }

    /// The place of an order that still works.
    fn find(&mut self, id: OrderId) -> Option<&mut Option<Working>> {
        let each = self.desks.iter_mut().flat_map(|d| [&mut d.order, &mut d.resting]);
        each.into_iter().find(|o| o.as_ref().is_some_and(|o| o.id == id))
    }

    fn cancel(&mut self, id: OrderId) {
        let taken = self.find(id).and_then(Option::take);
        let at = taken.as_ref().map_or(Stamp(0), |o| o.at);
        self.said.push_back(match taken {
            Some(order) => VenueEvent::Cancelled { order: order.id, at },
            None => VenueEvent::CancelRefused { order: id, at },
        });
    }
}

impl Venue for PaperVenue {
    fn is_prompt(&self) -> bool {
        true
    }

    fn request(&mut self, request: VenueRequest) {
        match request {
            VenueRequest::Place(order) => self.place(&order),
            VenueRequest::Cancel(id) => self.cancel(id),
            VenueRequest::Amend(id, limit) => {
                if let Some(OrderKind::Limit(price, _)) =
                    self.find(id).and_then(|o| o.as_mut()).map(|o| &mut o.kind)
                    && limit > Decimal::ZERO
                {
                    *price = limit;
                }
            }
            VenueRequest::Query(order, at) => {
                let works = self.find(order).is_some();
                self.said.push_back(if works {
                    VenueEvent::Accepted { order, at }
                } else {
                    VenueEvent::Cancelled { order, at }
                });
            }
            VenueRequest::Positions(at) => {
                let each = self.desks.iter().enumerate();
                self.said.extend(each.map(|(i, desk)| VenueEvent::Position {
                    instrument: InstrumentId(i as u16),
                    at,
                    quantity: desk.position,
                }));
            }
        }
    }

    fn poll(&mut self) -> Option<VenueEvent> {
        self.said.pop_front()
    }
}

/// What of an order may still be done: all, or what the position leaves (invariant 5).
fn allowed(order: &Working, position: Decimal, kind: InstrumentKind) -> Decimal {
    let sells_spot = !kind.can_short() && order.remaining.is_sign_negative();
    if !order.reduce_only && !sells_spot {
        return order.remaining;
    }
    if position.is_zero() || position.is_sign_negative() == order.remaining.is_sign_negative() {
        return Decimal::ZERO;
    }
    if order.remaining.abs() > position.abs() { -position } else { order.remaining }
}

/// What the bar gives, and at which price as the venue writes it; none where it gives nothing.
fn meet(
    kind: OrderKind,
    instrument: &Instrument,
    bar: &Bar,
    sigma: f64,
    costs: &Costs,
    wanted: Decimal,
) -> Option<(Decimal, Decimal)> {
    let tick = |price: f64| to_estimate(instrument.tick.at(price));
    let estimate = to_estimate(wanted);
    let taken = match kind {
        OrderKind::Limit(limit, TimeInForce::UntilCancelled | TimeInForce::PostOnly) => {
            let limit = to_estimate(limit);
            rest(costs, instrument.kind, bar, limit, tick(limit), estimate)
        }
        OrderKind::Market | OrderKind::Limit(_, TimeInForce::ImmediateOrCancel) => {
            let costs = with_tick(costs, tick(bar.open) / bar.open);
            take(&costs, instrument.kind, bar.open, sigma, bar.volume, estimate)
        }
    };
    let quantity = part_of(wanted, taken.quantity, instrument.lot)?;
    let price = price_of(&taken, kind, instrument.tick, costs, quantity)?;
    match kind {
        // The collar: what would cost more is not bought.
        OrderKind::Limit(limit, TimeInForce::ImmediateOrCancel) => {
            let is_within = if quantity.is_sign_negative() { price >= limit } else { price <= limit };
            is_within.then_some((quantity, price))
        }
        _ => Some((quantity, price)),
    }
}

/// The half-spread is at least a tick, given as a fraction of the price.
fn with_tick(costs: &Costs, tick: f64) -> Costs {
    match costs {
        Costs::Flat(charge) => Costs::Flat(*charge),
        Costs::Bars(b) => {
            let PerKind { spot, perp } = b.half_spread;
            let half_spread = PerKind { spot: spot.max(tick), perp: perp.max(tick) };
            Costs::Bars(BarCosts { half_spread, ..*b })
        }
    }
}

/// An estimated part of `wanted` in whole lots; all of it where the estimate is all of it, so that no
/// dust is left working. `None` if it is less than a lot.
fn part_of(wanted: Decimal, taken: f64, lot: Decimal) -> Option<Decimal> {
    if taken == 0.0 {
        return None;
    }
    if libm::fabs(taken) >= libm::fabs(to_estimate(wanted)) {
        return Some(wanted);
    }
    let lots = libm::floor(libm::fabs(taken) / to_estimate(lot));
    let size = from_estimate(lots, 0)?.checked_mul(lot)?.min(wanted.abs());
    let signed = if wanted.is_sign_negative() { -size } else { size };
    (!size.is_zero()).then_some(signed)
}

/// The price as the venue writes it.
fn price_of(
    taken: &Taken,
    kind: OrderKind,
    tick: PriceStep,
    costs: &Costs,
    quantity: Decimal,
) -> Option<Decimal> {
    let against = if quantity.is_sign_negative() { Rounding::Down } else { Rounding::Up };
    match (kind, costs) {
        // At the limit exactly, unless the open was better.
        (OrderKind::Limit(limit, TimeInForce::UntilCancelled | TimeInForce::PostOnly), _)
            if taken.price == to_estimate(limit) =>
        {
            Some(limit)
        }
        (_, Costs::Flat(_)) => from_estimate(taken.price, PRICE_SCALE),
        (_, Costs::Bars(_)) => tick.round_estimate(taken.price, against),
    }
}

/// The fee on what was written: rate × notional, at the scale of the books.
fn fee(quantity: Decimal, price: Decimal, rate: f64) -> Option<Money> {
    let notional = product(quantity.abs(), price).ok()?;
    product(notional, from_estimate(rate, 12)?).ok()
}

#[cfg(test)]
#[path = "paper_tests.rs"]
mod tests;
