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
//!
//! What is taken is not remembered: the next who asks meets the same sizes until the market tells others.

use crate::domain::{ContractTerms, Instrument, InstrumentKind};
use crate::market::Market;
use crate::market::quotes::{DetailLevel, PoolState, Top};

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

    proptest! {
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
