//! What a taker gets, and what a maker must wait for, on the level that a market is known at. One
//! implementation for every life.
//!
//! | level | a taker | a maker |
//! |---|---|---|
//! | B | the open of the next bar, half-spread and impact ([`super::bar`]) | a bar that trades through it |
//! | L1 | the opposite quote; beyond its size a tick worse per multiple | prints beyond what was shown before it, or through it |
//! | L2 | walks the book as far as it reaches | the queue before it: less by prints, never more than the price shows |
//!
//! A pool's price follows x · y = L² around its price, its fee taken from what is swapped in.
//!
//! # Invariants
//!
//! 1. A taker is never better off than the best opposite price; more size is never cheaper.
//! 2. Nothing fills on a market that is not quoted.
//! 3. Of what a market shows no more is taken than it shows, by whoever keeps what was taken in a [`Consumed`].
//!
//! By itself [`hit`] remembers nothing: the next who asks meets the same sizes until the market tells others.
//! With [`Consumed`] and [`beyond`] a size that was taken is gone until the feed shows another one at that price (the
//! `liquidity_consumption` of `NautilusTrader`): an unchanged quote that is told again gives nothing twice.

use crate::domain::{ContractTerms, Instrument, InstrumentId, InstrumentKind};
use crate::market::Market;
use crate::market::book::BookLevel;
use crate::market::quotes::{DetailLevel, PoolState, Top};
use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// What a taker got.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Base units, signed; less than asked for where the book is thin.
    pub quantity: f64,
    /// Average price, the fee of a pool included.
    pub price: f64,
    /// On which level.
    pub level: DetailLevel,
}

/// Most of a pool's base that one swap may take: beyond it the formula is no market any more.
const POOL_SHARE: f64 = 0.2;

/// Takes `quantity` (signed) at once; none where nothing can be had. `tick` at a price, in quote currency.
pub fn hit(
    market: &Market,
    instrument: &Instrument,
    tick: impl Fn(f64) -> f64,
    quantity: f64,
) -> Option<Hit> {
    if quantity == 0.0 || !quantity.is_finite() {
        return None;
    }
    let quoted = market.get(instrument.id).filter(|q| q.settled.is_none())?;
    if instrument.kind == InstrumentKind::Pool {
        return swap(&quoted.pool?.value, &instrument.terms, quantity);
    }
    if let Some(book) = market.book(instrument.id) {
        return walk(book.against(quantity > 0.0), quantity);
    }
    let top = quoted.top?.value;
    touch(&top, tick(if quantity > 0.0 { top.ask } else { top.bid }), quantity)
}

/// Walks price levels, best first.
pub fn walk(levels: &[(f64, f64)], quantity: f64) -> Option<Hit> {
    let (wanted, mut got, mut paid) = (libm::fabs(quantity), 0.0, 0.0);
    for &(price, size) in levels {
        let part = size.min(wanted - got);
        got += part;
        paid += part * price;
        if got >= wanted {
            break;
        }
    }
    (got > 0.0).then(|| Hit {
        quantity: libm::copysign(got, quantity),
        price: paid / got,
        level: DetailLevel::Depth,
    })
}

/// Takes the best price; each further multiple of its size is a tick worse.
pub fn touch(top: &Top, tick: f64, quantity: f64) -> Option<Hit> {
    let (best, size) = if quantity > 0.0 { (top.ask, top.ask_size) } else { (top.bid, top.bid_size) };
    if size <= 0.0 {
        return None;
    }
    let multiples = libm::fabs(quantity) / size;
    let whole = libm::floor(multiples);
    // Σ of 0, 1, 2 … ticks over the whole multiples, and the rest at the last.
    let ticks = (whole * (whole - 1.0) / 2.0 + (multiples - whole) * whole) / multiples;
    let price = best + libm::copysign(ticks.max(0.0) * tick, quantity);
    (price > 0.0).then_some(Hit { quantity, price, level: DetailLevel::Quotes })
}

/// Swaps with a pool whose liquidity reaches as far as the swap.
pub fn swap(pool: &PoolState, terms: &ContractTerms, quantity: f64) -> Option<Hit> {
    let ContractTerms::Pool { fee_ppm, .. } = *terms else { return None };
    let keep = 1.0 - f64::from(fee_ppm) / 1e6;
    let root = libm::sqrt(pool.price);
    let (base, quote) = (pool.liquidity / root, pool.liquidity * root);
    let size = libm::fabs(quantity);
    if size > POOL_SHARE * base {
        return None;
    }
    let money = if quantity > 0.0 {
        quote * size / (base - size) / keep
    } else {
        let into = size * keep;
        quote * into / (base + into)
    };
    Some(Hit { quantity, price: money / size, level: DetailLevel::Quotes })
}

/// A price of which something was taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct TakenLevel {
    price: f64,
    /// Size that the feed showed there.
    shown: f64,
    taken: f64,
}

/// What was taken of what one market shows, and is not there for who comes next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Consumed {
    /// Of the bids, and of the offers; no more prices than the market shows.
    bids: Vec<TakenLevel>,
    asks: Vec<TakenLevel>,
    /// Base units that swaps have taken out of a pool since its feed last told its state, signed, without their fee.
    swapped: f64,
}

impl Consumed {
    /// Forgets what the feed has answered: sizes at prices that show another one now or are gone. Where nothing may be
    /// read at the moment, as in the midst of an update, all is kept.
    pub fn refresh(&mut self, market: &Market, instrument: InstrumentId) {
        for buys in [true, false] {
            let side = self.of(buys);
            if side.is_empty() {
                continue;
            }
            if let Some(levels) = shown(market, instrument, buys) {
                side.retain(|t| levels.contains(&(t.price, t.shown)));
            }
        }
    }

    /// So much of what was shown at a price was taken.
    pub fn take(&mut self, buys: bool, (price, shown): BookLevel, size: f64) {
        let side = self.of(buys);
        match side.iter_mut().find(|t| t.price == price) {
            Some(t) => t.taken += size,
            None => side.push(TakenLevel { price, shown, taken: size }),
        }
    }

    fn of(&mut self, buys: bool) -> &mut Vec<TakenLevel> {
        if buys { &mut self.asks } else { &mut self.bids }
    }

    /// The feed told the state of the pool: what was swapped before is in it or was answered.
    pub fn pool_told(&mut self) {
        self.swapped = 0.0;
    }

    /// Most that one swap may still take of a pool, in base units.
    pub fn room(&self, pool: &PoolState, buys: bool) -> f64 {
        let base = pool.liquidity / libm::sqrt(pool.price);
        let along = if buys { self.swapped } else { -self.swapped };
        // What was swapped the other way is no room beyond the share: the formula holds around the told price alone.
        let most = POOL_SHARE * base - along.max(0.0);
        most.min(POOL_SHARE * (base - self.swapped)).max(0.0)
    }

    /// Swaps with a pool as those before it have left it; none beyond [`Consumed::room`].
    pub fn swap(&self, pool: &PoolState, terms: &ContractTerms, quantity: f64) -> Option<Hit> {
        if libm::fabs(quantity) > self.room(pool, quantity > 0.0) {
            return None;
        }
        swap(&self.left_of(pool), terms, quantity)
    }

    /// A swap of so much, signed, was done.
    pub fn swap_done(&mut self, terms: &ContractTerms, quantity: f64) {
        let ContractTerms::Pool { fee_ppm, .. } = *terms else { return };
        // The fee of what is swapped in stays with who provides, beside the curve.
        self.swapped += if quantity > 0.0 { quantity } else { quantity * (1.0 - f64::from(fee_ppm) / 1e6) };
    }

    /// The pool after what was swapped: less base at a higher price on the same x · y.
    fn left_of(&self, pool: &PoolState) -> PoolState {
        if self.swapped == 0.0 {
            return *pool;
        }
        let base = pool.liquidity / libm::sqrt(pool.price) - self.swapped;
        let root = pool.liquidity / base;
        PoolState { price: root * root, ..*pool }
    }
}

/// What a market shows to a taker of a side, best first. It reads as a slice of price levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ShownLevels<'a> {
    /// The best price alone, where nothing else is told.
    Best([BookLevel; 1]),
    /// A whole book.
    Book(&'a [BookLevel]),
}

impl Deref for ShownLevels<'_> {
    type Target = [BookLevel];

    fn deref(&self) -> &[BookLevel] {
        match self {
            ShownLevels::Best(best) => best,
            ShownLevels::Book(levels) => levels,
        }
    }
}

/// What a market shows to a taker of a side; none where nothing may be read.
pub fn shown(market: &Market, instrument: InstrumentId, buys: bool) -> Option<ShownLevels<'_>> {
    let quoted = market.get(instrument).filter(|q| q.settled.is_none())?;
    match quoted.level {
        DetailLevel::Bars => None,
        DetailLevel::Quotes => {
            let top = quoted.top?.value;
            let best = if buys { (top.ask, top.ask_size) } else { (top.bid, top.bid_size) };
            Some(ShownLevels::Best([best]))
        }
        DetailLevel::Depth => Some(ShownLevels::Book(market.book(instrument)?.against(buys))),
    }
}

/// What is left of what a market shows to a taker of a side, best first: price, the size shown and the size left there.
pub fn beyond(
    consumed: &Consumed,
    market: &Market,
    instrument: InstrumentId,
    buys: bool,
) -> Vec<(BookLevel, f64)> {
    let taken = if buys { &consumed.asks } else { &consumed.bids };
    let shown = shown(market, instrument, buys);
    let levels = shown.as_deref().unwrap_or_default();
    let left = |&(price, size): &BookLevel| {
        let taken = taken.iter().find(|t| t.price == price).map_or(0.0, |t| t.taken);
        ((price, size), (size - taken).max(0.0))
    };
    levels.iter().map(left).filter(|(_, left)| *left > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOP: Top = Top { bid: 99.0, ask: 101.0, bid_size: 2.0, ask_size: 2.0 };

    #[test]
    fn beyond_the_top_each_multiple_is_a_tick_worse() {
        let price = |q| touch(&TOP, 1.0, q).unwrap().price;
        assert_eq!((price(2.0), price(-2.0)), (101.0, 99.0));
        // Two at 101, two at 102.
        assert_eq!(price(4.0), 101.5);
        // Two at 99, one at 98.
        assert!((price(-3.0) - (2.0 * 99.0 + 98.0) / 3.0).abs() < 1e-12);
        assert_eq!(touch(&Top { ask_size: 0.0, ..TOP }, 1.0, 1.0), None);
    }

    #[test]
    fn a_book_is_walked_as_far_as_it_reaches() {
        let hit = walk(&[(101.0, 1.0), (103.0, 1.0)], 5.0).unwrap();
        assert_eq!((hit.quantity, hit.price), (2.0, 102.0));
        assert_eq!(walk(&[], 1.0), None);
    }

    #[test]
    fn a_swap_follows_the_product_and_pays_the_fee() {
        // x = 1000, y = 2 000 000: golden 1 992 013 962 / 1e6 for one base sold at 0.3 %.
        let root = libm::sqrt(2_000.0);
        let pool = PoolState { price: 2_000.0, liquidity: 1_000.0 * root, swapped: 0.0, gas: 0.0 };
        let terms = ContractTerms::Pool { fee_ppm: 3_000, concentrated: false };
        let sold = swap(&pool, &terms, -1.0).unwrap();
        assert!((sold.price - 1_992.013_962).abs() < 1e-6, "{sold:?}");
        let bought = swap(&pool, &terms, 1.0).unwrap();
        assert!(bought.price > 2_000.0 / 0.997);
        assert_eq!(swap(&pool, &terms, 300.0), None);
    }

    #[test]
    fn what_was_taken_is_gone_until_the_feed_answers() {
        use crate::domain::{MarketEvent, Stamp};
        let id = InstrumentId(0);
        let mut market = Market::quoted(1);
        let mut consumed = Consumed::default();
        let mut quoted = |consumed: &mut Consumed, at, (ask, ask_size)| {
            let quote =
                MarketEvent::Quote { instrument: id, at: Stamp(at), bid: 99.0, ask, bid_size: 2.0, ask_size };
            assert!(market.take(&quote));
            consumed.refresh(&market, id);
            let walked: Vec<_> =
                beyond(consumed, &market, id, true).iter().map(|(l, left)| (l.0, *left)).collect();
            walk(&walked, 9.0).map(|hit| (hit.quantity, hit.price))
        };
        assert_eq!(quoted(&mut consumed, 1, (101.0, 3.0)), Some((3.0, 101.0)));
        consumed.take(true, (101.0, 3.0), 2.0);
        assert_eq!(quoted(&mut consumed, 2, (101.0, 3.0)), Some((1.0, 101.0)));
        consumed.take(true, (101.0, 3.0), 1.0);
        assert_eq!(quoted(&mut consumed, 3, (101.0, 3.0)), None);
        assert_eq!(quoted(&mut consumed, 4, (101.0, 2.0)), Some((2.0, 101.0)));
        consumed.take(true, (101.0, 2.0), 2.0);
        assert_eq!(quoted(&mut consumed, 5, (102.0, 2.0)), Some((2.0, 102.0)));
        assert_eq!(quoted(&mut consumed, 6, (101.0, 2.0)), Some((2.0, 101.0)));
        assert_eq!(consumed, Consumed::default(), "what is gone is not kept");
    }

    proptest! {
        #[test]
        fn swaps_one_after_another_pay_what_one_would_and_nobody_gains_by_turning(
            parts in prop::collection::vec(0.1_f64..40.0, 1..5), fee_ppm in 0_u32..10_000, sells: bool,
        ) {
            let pool = PoolState { price: 2_000.0, liquidity: 1_000.0 * libm::sqrt(2_000.0), swapped: 0.0, gas: 0.0 };
            let terms = ContractTerms::Pool { fee_ppm, concentrated: false };
            let side = if sells { -1.0 } else { 1.0 };
            let (mut consumed, mut paid, mut size) = (Consumed::default(), 0.0, 0.0);
            for part in parts {
                let hit = consumed.swap(&pool, &terms, side * part).unwrap();
                consumed.swap_done(&terms, side * part);
                (paid, size) = (paid + hit.price * part, size + part);
            }
            let one = swap(&pool, &terms, side * size).unwrap();
            prop_assert!(libm::fabs(paid - one.price * size) <= 1e-9 * paid);
            prop_assert!(consumed.swap(&pool, &terms, side * (POOL_SHARE * 1_000.0 - size + 2.0)).is_none());
            // What was taken is given back: what it costs is no less than what it brings.
            let back = consumed.swap(&pool, &terms, -side * size.min(consumed.room(&pool, sells))).unwrap();
            prop_assert!(side * (paid / size - back.price) >= -1e-9 * one.price);
        }

        #[test]
        fn more_is_never_cheaper_and_never_better_than_the_best(q in 0.01_f64..50.0, more in 1.0_f64..3.0, sells: bool) {
            let side = if sells { -1.0 } else { 1.0 };
            let best = if sells { TOP.bid } else { TOP.ask };
            let (one, two) = (touch(&TOP, 0.5, side * q), touch(&TOP, 0.5, side * q * more));
            if let (Some(one), Some(two)) = (one, two) {
                prop_assert!(side * (one.price - best) >= -1e-9);
                prop_assert!(side * (two.price - one.price) >= -1e-9);
            }
        }
    }
}
