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

use super::venue::{VENUE_ORDERS, Venue, VenueError};
use crate::domain::money::{from_estimate, to_estimate};
use crate::domain::step::Rounding;
use crate::domain::{
    Bar, Decimal, Fill, Instrument, InstrumentId, InstrumentKind, Money, OrderId, OrderKind, PriceStep, Stamp,
};
use crate::fills::{BarCosts, Costs, PerKind, Taken, fee_rate, rest, take, worked};
use crate::ledger::exact::{PRICE_SCALE, product};
use crate::treasury::ApprovedOrder;
use serde::{Deserialize, Serialize};

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
}

impl PaperVenue {
    /// Lists instruments 0..`instruments`, nothing held.
    pub fn new(instruments: usize) -> Self {
        PaperVenue { desks: vec![PaperInstrument::default(); instruments], last: None, closings: 0 }
    }

    fn desk(&self, instrument: InstrumentId) -> Option<&PaperInstrument> {
        self.desks.get(instrument.index())
    }

    /// A bar of an instrument, which opened at `open_at`: fills what works there, as far as the bar
    /// allows. `sigma` is the volatility of one bar as a fraction, known before it. A bar that cannot be
    /// believed, or whose numbers are no decimals, fills nothing.
    pub fn on_bar(
        &mut self,
        instrument: &Instrument,
        open_at: Stamp,
        bar: &Bar,
        sigma: f64,
        costs: &Costs,
    ) -> Option<Fill> {
        let desk = self.desks.get_mut(instrument.id.index())?;
        let order = desk.order.as_mut()?;
        if open_at < order.at || !bar.is_valid() {
            return None;
        }
        let wanted = allowed(order, desk.position, instrument.kind);
        if wanted.is_zero() {
            // Nothing left that it may do: the venue takes it back.
            desk.order = None;
            return None;
        }
        let quote = meet(order.kind, instrument, bar, sigma, costs, to_estimate(wanted));
        let quantity = part_of(wanted, quote.quantity, instrument.lot)?;
        let price = price_of(&quote, order.kind, instrument.tick, costs, quantity)?;
        let is_maker = order.kind != OrderKind::Market;
        let rate = fee_rate(costs, instrument.kind, is_maker);
        let fill = order.fill(&mut desk.position, instrument.id, open_at, (quantity, price), bar, rate)?;
        desk.order.take_if(|o| o.remaining.is_zero());
        Some(fill)
    }

    /// Takes an order that is worked: it rests at its limit beside a market order of the instrument. A new
    /// one takes the old one back.
    pub fn rest(&mut self, order: &ApprovedOrder, limit: Decimal) -> Result<Option<OrderId>, VenueError> {
        if self.last.is_some_and(|last| last >= order.id()) {
            return Err(VenueError::Duplicate(order.id()));
        }
        if limit <= Decimal::ZERO {
            return Err(VenueError::NoPrice(limit));
        }
        let listed = VenueError::NotListed(order.instrument());
        let desk = self.desks.get_mut(order.instrument().index()).ok_or(listed)?;
        self.last = Some(order.id());
        let new = Working {
            id: order.id(),
            kind: OrderKind::Limit(limit),
            remaining: order.quantity(),
            reduce_only: order.reduce_only(),
            at: order.at(),
            fills: 0,
        };
        Ok(desk.resting.replace(new).map(|old| old.id))
    }

    /// Moves a resting order to another limit; what it is and how much of it is left stay.
    pub fn move_to(&mut self, instrument: InstrumentId, limit: Decimal) {
        let resting = self.desks.get_mut(instrument.index()).and_then(|d| d.resting.as_mut());
        if let Some(order) = resting.filter(|_| limit > Decimal::ZERO) {
            order.kind = OrderKind::Limit(limit);
        }
    }

    /// The order that rests in an instrument, with its signed quantity still to fill and its limit.
    pub fn resting(&self, instrument: InstrumentId) -> Option<(OrderId, Decimal, Decimal)> {
        let order = self.desk(instrument)?.resting.as_ref()?;
        let OrderKind::Limit(limit) = order.kind else { return None };
        Some((order.id, order.remaining, limit))
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
    ) -> Option<Fill> {
        let desk = self.desks.get_mut(instrument.id.index())?;
        let order = desk.resting.as_mut()?;
        let OrderKind::Limit(limit) = order.kind else { return None };
        if open_at < order.at || !bar.is_valid() {
            return None;
        }
        let wanted = allowed(order, desk.position, instrument.kind);
        if wanted.is_zero() {
            desk.resting = None;
            return None;
        }
        let taken = worked(costs, instrument.kind, bar, to_estimate(limit), through, to_estimate(wanted));
        let quantity = part_of(wanted, taken.quantity, instrument.lot)?;
        let rate = fee_rate(costs, instrument.kind, true);
        let fill = order.fill(&mut desk.position, instrument.id, open_at, (quantity, limit), bar, rate)?;
        desk.resting.take_if(|o| o.remaining.is_zero());
        Some(fill)
    }

    /// The instrument is gone: takes its order back and closes what is held at the last price, for the
    /// taker fee. The fill's order is the venue's own (see [`VENUE_ORDERS`]).
    pub fn on_delisted(
        &mut self,
        instrument: &Instrument,
        at: Stamp,
        last_price: f64,
        costs: &Costs,
    ) -> Option<Fill> {
        let desk = self.desks.get_mut(instrument.id.index())?;
        (desk.order, desk.resting) = (None, None);
        if desk.position.is_zero() {
            return None;
        }
        let price = from_estimate(last_price, PRICE_SCALE)?;
        let quantity = -desk.position;
        let fee = fee(quantity, price, fee_rate(costs, instrument.kind, false))?;
        let order = OrderId(VENUE_ORDERS + self.closings);
        self.closings += 1;
        desk.position = Decimal::ZERO;
        let instrument = instrument.id;
        Some(Fill { order, number: 1, instrument, at, quantity, price, mark: price, fee, fee_in: None })
    }
}

impl Venue for PaperVenue {
    fn submit(&mut self, order: &ApprovedOrder, kind: OrderKind) -> Result<Option<OrderId>, VenueError> {
        if self.last.is_some_and(|last| last >= order.id()) {
            return Err(VenueError::Duplicate(order.id()));
        }
        if let OrderKind::Limit(price) = kind
            && price <= Decimal::ZERO
        {
            return Err(VenueError::NoPrice(price));
        }
        let listed = VenueError::NotListed(order.instrument());
        let desk = self.desks.get_mut(order.instrument().index()).ok_or(listed)?;
        self.last = Some(order.id());
        let new = Working {
            id: order.id(),
            kind,
            remaining: order.quantity(),
            reduce_only: order.reduce_only(),
            at: order.at(),
            fills: 0,
        };
        Ok(desk.order.replace(new).map(|old| old.id))
    }

    fn cancel(&mut self, id: OrderId) -> bool {
        let is_it = |desk: &&mut PaperInstrument| desk.order.as_ref().is_some_and(|o| o.id == id);
        let rests = |desk: &&mut PaperInstrument| desk.resting.as_ref().is_some_and(|o| o.id == id);
        self.desks.iter_mut().find(is_it).is_some_and(|desk| desk.order.take().is_some())
            || self.desks.iter_mut().find(rests).is_some_and(|desk| desk.resting.take().is_some())
    }

    fn position(&self, instrument: InstrumentId) -> Decimal {
        self.desk(instrument).map_or(Decimal::ZERO, |d| d.position)
    }

    fn working(&self, instrument: InstrumentId) -> Option<(OrderId, Decimal)> {
        let order = self.desk(instrument).and_then(|d| d.order.as_ref());
        order.map(|o| (o.id, o.remaining))
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

/// What the bar gives, in estimates.
fn meet(
    kind: OrderKind,
    instrument: &Instrument,
    bar: &Bar,
    sigma: f64,
    costs: &Costs,
    wanted: f64,
) -> Taken {
    let tick = |price: f64| to_estimate(instrument.tick.at(price));
    match kind {
        OrderKind::Market => {
            let costs = with_tick(costs, tick(bar.open) / bar.open);
            take(&costs, instrument.kind, bar.open, sigma, bar.volume, wanted)
        }
        OrderKind::Limit(limit) => {
            let limit = to_estimate(limit);
            rest(costs, instrument.kind, bar, limit, tick(limit), wanted)
        }
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
        (OrderKind::Limit(limit), _) if taken.price == to_estimate(limit) => Some(limit),
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
