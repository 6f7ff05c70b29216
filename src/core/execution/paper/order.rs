//! One order at the paper venue: what of it may still be done, and how what was done is written down.

use crate::domain::money::{from_estimate, to_estimate};
use crate::domain::{
    Decimal, Fill, InstrumentId, InstrumentKind, Money, OrderId, OrderKind, Stamp, TimeInForce,
};
use crate::execution::venue::PriceFeed;
use crate::ledger::exact::product;
use serde::{Deserialize, Serialize};

/// An order at the venue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Working {
    pub id: OrderId,
    pub kind: OrderKind,
    /// Signed: what is still to fill.
    pub remaining: Decimal,
    pub reduce_only: bool,
    /// When it was decided.
    pub at: Stamp,
    pub fills: u32,
    /// From when on it can meet quotes; bars are met from the decision on.
    pub live: Stamp,
    /// Whether it has met a quote.
    pub is_there: bool,
    /// Base units before it at its price; none until its price was seen.
    pub ahead: Option<f64>,
    /// By what prices it is met.
    pub meets: PriceFeed,
}

/// What was dealt of an order, in numbers of the books.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deal {
    pub instrument: InstrumentId,
    pub at: Stamp,
    /// Signed, in base units.
    pub quantity: Decimal,
    pub price: Decimal,
    pub mark: Decimal,
    pub fee: Money,
}

impl Working {
    /// An order of so much, signed, as it was decided; bars and quotes meet it from then on.
    pub fn new(id: OrderId, kind: OrderKind, quantity: Decimal, at: Stamp) -> Self {
        let (remaining, live) = (quantity, at);
        let meets = PriceFeed::Whichever;
        let (reduce_only, fills, is_there, ahead) = (false, 0, false, None);
        Working { id, kind, remaining, reduce_only, at, fills, live, is_there, ahead, meets }
    }

    /// Whether it is met by the fast clock and not by decision bars.
    pub fn is_post_only(&self) -> bool {
        matches!(self.kind, OrderKind::Limit(_, TimeInForce::PostOnly))
    }

    /// Writes down what was dealt of it; nothing changes where the numbers are no decimals.
    pub fn fill(&mut self, position: &mut Decimal, deal: &Deal) -> Option<Fill> {
        let Deal { instrument, at, quantity, price, mark, fee } = *deal;
        let (remaining, held) = (self.remaining.checked_sub(quantity)?, position.checked_add(quantity)?);
        self.remaining = remaining;
        self.fills += 1;
        *position = held;
        let (order, number) = (self.id, self.fills);
        Some(Fill { order, number, instrument, at, quantity, price, mark, fee, fee_in: None })
    }

    /// What of it may still be done: all, or what the position leaves where it may only reduce or nothing can be held short.
    pub fn allowed(&self, position: Decimal, kind: InstrumentKind) -> Decimal {
        let sells_spot = !kind.can_short() && self.remaining.is_sign_negative();
        if !self.reduce_only && !sells_spot {
            return self.remaining;
        }
        if position.is_zero() || position.is_sign_negative() == self.remaining.is_sign_negative() {
            return Decimal::ZERO;
        }
        if self.remaining.abs() > position.abs() { -position } else { self.remaining }
    }
}

/// An estimated part of `wanted` in whole lots; all of it where the estimate is all of it, so that no
/// dust is left working. `None` if it is less than a lot.
pub(super) fn part_of(wanted: Decimal, taken: f64, lot: Decimal) -> Option<Decimal> {
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

/// What of a purchase at a price can be paid with so many coins, its fee at this rate included, in whole lots; none where
/// that is less than one.
pub(super) fn afforded(
    purse: Decimal,
    quantity: Decimal,
    price: Decimal,
    rate: Decimal,
    lot: Decimal,
) -> Option<Decimal> {
    let each = price.checked_mul(Decimal::ONE.checked_add(rate)?)?;
    if quantity.checked_mul(each)? <= purse {
        return Some(quantity);
    }
    let lots = purse.checked_div(each)?.checked_div(lot)?.floor();
    lots.checked_mul(lot).filter(|q| *q > Decimal::ZERO)
}

/// The fee on what was written: rate × notional, at the scale of the books.
pub(super) fn fee(quantity: Decimal, price: Decimal, rate: f64) -> Option<Money> {
    let notional = product(quantity.abs(), price).ok()?;
    product(notional, from_estimate(rate, 12)?).ok()
}
