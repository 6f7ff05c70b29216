//! Liquidity at the paper venue: what each holder provides to a pool, in base that the venue keeps and quote that stays money.
//!
//! ```text
//! put in, taken out  at the first state after its latency; its base is bought or sold in the pool itself, for gas
//! in between         the price moves base through it: L·(1/√p' − 1/√p) at √(p·p'), which is L·(√p − √p') of quote
//! ```
//!
//! # Invariants (tests carry their names)
//!
//! 1. The base that is kept is that of the price at which it was last reckoned, to fourteen digits; what it was exchanged for
//!    depends on the two prices alone and not on the way between them, so that it may be reckoned whenever it is asked for.
//! 2. No more is taken out than is in, and a pool gives its base back whole.
//! 3. Fees are earned by the state that pays them, and told with the next reckoning.

use super::PaperVenue;
use super::VENUE_ORDERS;
use crate::agents::structures::ranges::{Bounds, LiquidityDeal, PoolRange};
use crate::domain::money::{MONEY_SCALE, from_estimate, to_estimate};
use crate::domain::{Decimal, Fill, Instrument, InstrumentId, Money, OrderId, Stamp};
use crate::execution::venue::PlacedLiquidity;
use crate::ledger::exact::{PRICE_SCALE, QUANTITY_SCALE};
use crate::market::quotes::PoolState;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A change that waits for a state of its pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct AskedLiquidity {
    id: OrderId,
    holder: u32,
    pool: InstrumentId,
    bounds: Bounds,
    change: f64,
    at: Stamp,
    live: Stamp,
}

/// What one holder provides to one pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct HeldLiquidity {
    holder: u32,
    range: PoolRange,
    /// Base that is in it, as last reckoned, and the price at which it was.
    base: Decimal,
    told: f64,
    /// Fees that were earned since.
    earned: Money,
}

/// Liquidity in pools, and what is asked of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PaperPools {
    asked: Vec<AskedLiquidity>,
    held: Vec<HeldLiquidity>,
    said: VecDeque<PoolReport>,
}

/// What became of liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PoolNews {
    /// Since it was last told, the price moved base through it, and swaps paid their fees.
    Moved {
        /// Base for quote; none where none was exchanged.
        trade: Option<Fill>,
        /// Fees earned, in quote currency.
        earned: Money,
    },
    /// A change was done.
    Changed {
        /// The request for it.
        order: OrderId,
        /// Between which prices it lies.
        bounds: Bounds,
        /// How much more lies there; negative: less.
        change: f64,
        /// Price of the pool as it was done.
        price: f64,
        /// Base bought or sold in the pool itself; none where the change has none.
        trade: Option<Fill>,
        /// Quote that was put in beside it, signed.
        quote: f64,
        /// Gas paid, in quote currency.
        gas: Money,
    },
    /// The venue ended it: its base is held as it would be outside of a pool.
    Ended,
}

/// What a pool says of what a holder provides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolReport {
    /// Whose liquidity it is.
    pub holder: u32,
    /// In which pool.
    pub pool: InstrumentId,
    /// What became of it.
    pub news: PoolNews,
}

impl HeldLiquidity {
    /// What the price did to it since it was last told; nothing where it did nothing. Gives the base that came.
    fn reckon(&mut self, (at, order): (Stamp, OrderId)) -> Option<(Decimal, PoolNews)> {
        let PoolRange { pool, bounds, liquidity, last, .. } = self.range;
        let base = from_estimate(liquidity * bounds.base(last), QUANTITY_SCALE)?;
        let within = |price: f64| price.clamp(bounds.lower, bounds.upper);
        let price = from_estimate(libm::sqrt(within(self.told) * within(last)), PRICE_SCALE)?;
        let quantity = base.checked_sub(self.base)?;
        let (number, fee, fee_in, mark) = (1, Money::ZERO, None, price);
        let fill = Fill { order, number, instrument: pool, at, quantity, price, mark, fee, fee_in };
        let trade = (!quantity.is_zero()).then_some(fill);
        let earned = std::mem::take(&mut self.earned);
        (self.base, self.told) = (base, last);
        (trade.is_some() || !earned.is_zero()).then_some((quantity, PoolNews::Moved { trade, earned }))
    }
}

impl PaperVenue {
    /// Takes a change of liquidity; it is done at the first state of its pool after its latency that has room for it.
    pub fn provide(&mut self, placed: &PlacedLiquidity) {
        let order = placed.approved();
        let (id, pool, at) = (order.id(), order.instrument(), order.at());
        let PlacedLiquidity { holder, bounds, change, live, .. } = *placed;
        self.pools.asked.push(AskedLiquidity { id, holder, pool, bounds, change, at, live });
    }

    /// Takes back what a holder asked for and was not done, but for what is in `kept`.
    pub fn take_back_liquidity(&mut self, holder: u32, kept: &[OrderId]) {
        self.pools.asked.retain(|a| a.holder != holder || kept.contains(&a.id));
    }

    /// What it says next of liquidity; none when there is no more for now.
    pub fn pool_report(&mut self) -> Option<PoolReport> {
        self.pools.said.pop_front()
    }

    /// Tells what prices did to all liquidity, as of this moment.
    pub fn reckon_liquidity(&mut self, at: Stamp) {
        for i in 0..self.pools.held.len() {
            self.reckon(i, at);
        }
    }

    fn reckon(&mut self, i: usize, at: Stamp) {
        let id = OrderId(VENUE_ORDERS + self.closings);
        let Some(held) = self.pools.held.get_mut(i) else { return };
        let (holder, pool) = (held.holder, held.range.pool);
        let Some((moved, news)) = held.reckon((at, id)) else { return };
        self.closings += 1;
        self.keep(pool, moved);
        self.pools.said.push_back(PoolReport { holder, pool, news });
    }

    fn keep(&mut self, pool: InstrumentId, more: Decimal) {
        if let Some(position) = self.positions.get_mut(pool.index()) {
            *position += more;
        }
    }

    /// A state of a pool: what lies in it earns its fees, and what was asked of it is done.
    pub(super) fn hear_pool(&mut self, instrument: &Instrument, at: Stamp, state: &PoolState) {
        let pool = instrument.id;
        for held in self.pools.held.iter_mut().filter(|h| h.range.pool == pool) {
            let more = held.range.hear(state, &instrument.terms);
            held.earned += from_estimate(more, MONEY_SCALE).unwrap_or_default();
        }
        let is_due = |a: &AskedLiquidity| a.pool == pool && at >= a.live && at > a.at;
        let due: Vec<AskedLiquidity> = self.pools.asked.iter().copied().filter(is_due).collect();
        for asked in due {
            if self.serve(instrument, at, state, &asked).is_some() {
                self.pools.asked.retain(|a| a.id != asked.id);
            }
        }
    }

    /// Puts in or takes out; none where the pool is too small to swap the base, or numbers are no decimals.
    fn serve(
        &mut self,
        instrument: &Instrument,
        at: Stamp,
        state: &PoolState,
        asked: &AskedLiquidity,
    ) -> Option<()> {
        let (AskedLiquidity { id: order, holder, pool, .. }, terms) = (*asked, &instrument.terms);
        let is_own = |h: &HeldLiquidity| h.holder == holder && h.range.pool == pool;
        let place = self.pools.held.iter().position(is_own);
        if let Some(i) = place {
            self.reckon(i, at);
        }
        let held = place.map(|i| self.pools.held[i]);
        let has = held.map_or(0.0, |h| h.range.liquidity);
        let (change, bounds) = (asked.change.max(-has), held.map_or(asked.bounds, |h| h.range.bounds));
        let LiquidityDeal { base, quote, gas } = LiquidityDeal::new(bounds, change, state, terms);
        let (left, before) = (has + change, held.map_or(Decimal::ZERO, |h| h.base));
        let is_over = left <= 1e-12 * has;
        let quantity = match () {
            () if change > 0.0 => from_estimate(base, QUANTITY_SCALE)?,
            () if is_over => -before,
            () => from_estimate(left * bounds.base(state.price), QUANTITY_SCALE)?.checked_sub(before)?,
        };
        let gas = if change == 0.0 { Money::ZERO } else { from_estimate(gas, MONEY_SCALE)? };
        let trade = if quantity.is_zero() {
            None
        } else {
            Some(self.swap((order, instrument, at), quantity, state)?)
        };
        self.keep(pool, quantity);
        match place {
            Some(i) if is_over => {
                self.pools.held.remove(i);
            }
            Some(i) => {
                let held = &mut self.pools.held[i];
                (held.range.liquidity, held.base) = (left, before + quantity);
            }
            None if change > 0.0 => {
                let range = PoolRange { pool, bounds, liquidity: change, earned: 0.0, last: state.price };
                let (base, told, earned) = (quantity, state.price, Money::ZERO);
                self.pools.held.push(HeldLiquidity { holder, range, base, told, earned });
            }
            None => {}
        }
        let price = state.price;
        let news = PoolNews::Changed { order, bounds, change, price, trade, quote, gas };
        self.pools.said.push_back(PoolReport { holder, pool, news });
        Some(())
    }

    /// Swaps base in the pool as those before it have left it.
    fn swap(
        &mut self,
        (order, instrument, at): (OrderId, &Instrument, Stamp),
        quantity: Decimal,
        state: &PoolState,
    ) -> Option<Fill> {
        let (pool, terms) = (instrument.id, &instrument.terms);
        let consumed = &mut self.desks.get_mut(pool.index())?.consumed;
        let price = from_estimate(consumed.swap(state, terms, to_estimate(quantity))?.price, PRICE_SCALE)?;
        let mark = from_estimate(state.price, PRICE_SCALE)?;
        consumed.swap_done(terms, to_estimate(quantity));
        let (number, fee, fee_in) = (1, Money::ZERO, None);
        Some(Fill { order, number, instrument: pool, at, quantity, price, mark, fee, fee_in })
    }

    /// Nothing lies in a pool any more, and nothing is asked of it: the base that was in it is held as any other.
    pub(super) fn end_liquidity(&mut self, pool: InstrumentId, at: Stamp) {
        for i in
            (0..self.pools.held.len()).filter(|i| self.pools.held[*i].range.pool == pool).collect::<Vec<_>>()
        {
            self.reckon(i, at);
        }
        let PaperPools { asked, held, said } = &mut self.pools;
        let held = held.extract_if(.., |h| h.range.pool == pool).map(|h| h.holder);
        let asked = asked.extract_if(.., |a| a.pool == pool).map(|a| a.holder);
        said.extend(held.chain(asked).map(|holder| PoolReport { holder, pool, news: PoolNews::Ended }));
    }
}

#[cfg(test)]
#[path = "pools_tests.rs"]
mod tests;
