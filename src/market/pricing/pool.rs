//! A constant-product pool (Uniswap v2 and its forks) beside an exchange: two reserves, x·y = k, a fee on
//! what comes in, and the most profitable trade between the two.
//!
//! # Invariants
//!
//! 1. No amount earns more than the one that is given, and one that earns nothing is never given.
//!
//! Gas, queues and sandwiches are not in the pool: they are costs that the caller hands in or adds.

use super::{BadInput, not_negative, positive};
use serde::{Deserialize, Serialize};

/// A trade between a pool and an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolAndExchange {
    /// Whether the base is bought in the pool and sold on the exchange, or the other way round.
    pub buy_in_pool: bool,
    /// What goes into the pool: quote if `buy_in_pool`, else base.
    pub pool_in: f64,
    /// What the pool gives: base if `buy_in_pool`, else quote.
    pub pool_out: f64,
    /// Profit after the exchange's fee and gas, in quote.
    pub profit: f64,
}

/// The most profitable trade between a pool (reserves of base and quote in whole tokens, γ) and an
/// exchange where the base is bought at `ask` and sold at `bid`, deep enough for the size, at a taker fee
/// (a fraction), with `gas` in quote for the pool's transaction. None where none is profitable.
/// Buying in the pool with x quote earns b·(1−f)·γ·x·base/(quote + γ·x) − x, largest at
/// x = (√(γ·base·b(1−f)·quote) − quote)/γ; selling is its mirror with a cost of a·(1+f) a unit.
///
/// # Errors
///
/// A reserve, price or γ that is not positive, a bid above the ask, a fee or gas below zero.
pub fn between_pool_and_exchange(
    (base, quote, keep): (f64, f64, f64),
    (bid, ask, fee): (f64, f64, f64),
    gas: f64,
) -> Result<Option<PoolAndExchange>, BadInput> {
    let base = positive("the base reserve", base)?;
    let quote = positive("the quote reserve", quote)?;
    let keep = positive("the share kept after the pool's fee", keep)?;
    let (bid, ask) = (positive("the bid", bid)?, positive("the ask", ask)?);
    not_negative("the ask less the bid", ask - bid)?;
    let (fee, gas) = (not_negative("the taker fee", fee)?, not_negative("the gas", gas)?);
    let (got, paid) = (bid * (1.0 - fee), ask * (1.0 + fee));
    let give = |x: f64, held_in: f64, held_out: f64| keep * x * held_out / (held_in + keep * x);
    let buy = (libm::sqrt(keep * base * got.max(0.0) * quote) - quote) / keep;
    let sell = (libm::sqrt(keep * quote * base / paid) - base) / keep;
    // The pool's price is on one side of the exchange's at most, so at most one of them is above 0.
    let trade = if buy > 0.0 {
        let out = give(buy, quote, base);
        PoolAndExchange { buy_in_pool: true, pool_in: buy, pool_out: out, profit: got * out - buy - gas }
    } else if sell > 0.0 {
        let out = give(sell, base, quote);
        PoolAndExchange { buy_in_pool: false, pool_in: sell, pool_out: out, profit: out - paid * sell - gas }
    } else {
        return Ok(None);
    };
    Ok((trade.profit > 0.0).then_some(trade))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_exchange_that_pays_more_is_sold_to_and_one_inside_the_fee_is_not() {
        let pool = (1_000.0, 2_000_000.0, 0.997);
        let up = between_pool_and_exchange(pool, (2_050.0, 2_051.0, 0.001), 5.0).unwrap().unwrap();
        assert!(up.buy_in_pool && up.profit > 0.0);
        let earned = |x: f64| 2_050.0 * 0.999 * (0.997 * x * 1_000.0 / (2e6 + 0.997 * x)) - x - 5.0;
        assert!((earned(up.pool_in) - up.profit).abs() < 1e-6);
        assert!(earned(up.pool_in * 1.02) < up.profit && earned(up.pool_in * 0.98) < up.profit);
        let down = between_pool_and_exchange(pool, (1_949.0, 1_950.0, 0.001), 5.0).unwrap().unwrap();
        assert!(!down.buy_in_pool && down.profit > 0.0);
        // 0.4 % of costs on either side: 2 007 and 1 993 are inside.
        for (bid, ask) in [(2_007.0, 2_007.5), (1_992.5, 1_993.0), (2_000.0, 2_000.0)] {
            assert_eq!(between_pool_and_exchange(pool, (bid, ask, 0.001), 0.0), Ok(None), "{bid}");
        }
        assert_eq!(between_pool_and_exchange(pool, (2_050.0, 2_051.0, 0.001), 1e6), Ok(None), "gas eats it");
        assert!(between_pool_and_exchange(pool, (2_050.0, 2_000.0, 0.001), 0.0).is_err(), "crossed");
    }

    #[test]
    fn after_the_trade_the_pools_price_with_its_fee_is_the_exchanges_with_its_own() {
        // dout/din at the end of the trade, γ·k/(held + γ·in)², is what a unit is worth on the exchange.
        let (base, quote, keep) = (1_000.0, 2_000_000.0, 0.997);
        let up = between_pool_and_exchange((base, quote, keep), (2_100.0, 2_101.0, 0.001), 0.0);
        let up = up.unwrap().unwrap();
        let held = quote + keep * up.pool_in;
        assert!((keep * base * quote / (held * held) * 2_100.0 * 0.999 - 1.0).abs() < 1e-12);
        let down = between_pool_and_exchange((base, quote, keep), (1_899.0, 1_900.0, 0.001), 0.0);
        let down = down.unwrap().unwrap();
        let held = base + keep * down.pool_in;
        assert!((keep * base * quote / (held * held) / (1_900.0 * 1.001) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_golden_trade_and_what_gas_leaves_of_it() {
        // √(0.997·1000·2097.9·2·10⁶) = 2 045 284.527…; by hand of the formula in the head.
        let root = (0.997_f64 * 1_000.0 * 2_100.0 * 0.999 * 2e6).sqrt();
        let trade = |gas| {
            let found = between_pool_and_exchange((1_000.0, 2e6, 0.997), (2_100.0, 2_101.0, 0.001), gas);
            found.unwrap()
        };
        let free = trade(0.0).unwrap();
        assert!((free.pool_in - (root - 2e6) / 0.997).abs() < 1e-6);
        let paid = trade(100.0).unwrap();
        assert_eq!((paid.pool_in, paid.pool_out), (free.pool_in, free.pool_out), "gas moves no size");
        assert!((free.profit - paid.profit - 100.0).abs() < 1e-9);
        assert_eq!(trade(free.profit + 1e-6), None, "to the last of the profit");
        assert!(trade(free.profit - 1e-6).is_some());
    }

    #[test]
    fn what_means_nothing_is_refused_by_name() {
        let refused = |pool, exchange, gas| between_pool_and_exchange(pool, exchange, gas).unwrap_err().what;
        let (pool, exchange) = ((1.0, 2.0, 0.997), (2.0, 2.1, 0.001));
        assert_eq!(refused((0.0, 2.0, 0.997), exchange, 0.0), "the base reserve");
        assert_eq!(refused((1.0, f64::NAN, 0.997), exchange, 0.0), "the quote reserve");
        assert_eq!(refused((1.0, 2.0, 0.0), exchange, 0.0), "the share kept after the pool's fee");
        assert_eq!(refused(pool, (0.0, 2.1, 0.001), 0.0), "the bid");
        assert_eq!(refused(pool, (2.0, f64::INFINITY, 0.001), 0.0), "the ask");
        assert_eq!(refused(pool, (2.0, 2.1, -0.001), 0.0), "the taker fee");
        assert_eq!(refused(pool, exchange, -1.0), "the gas");
    }

    proptest! {
        #[test]
        fn no_amount_beats_the_one_that_is_given(
            base in 10.0_f64..1e5, price in 1.0_f64..1e4, off in 0.8_f64..1.25, fee in 0.0_f64..0.01,
            keep in 0.98_f64..1.0, share in 0.0_f64..3.0,
        ) {
            let (quote, bid, ask) = (base * price, price * off, price * off * 1.001);
            let (got, paid) = (bid * (1.0 - fee), ask * (1.0 + fee));
            let buy = |x: f64| got * keep * x * base / (quote + keep * x) - x;
            let sell = |x: f64| keep * x * quote / (base + keep * x) - paid * x;
            let slack = 1e-9 * quote;
            match between_pool_and_exchange((base, quote, keep), (bid, ask, fee), 0.0).unwrap() {
                Some(t) if t.buy_in_pool => prop_assert!(buy(t.pool_in * share) <= t.profit + slack),
                Some(t) => prop_assert!(sell(t.pool_in * share) <= t.profit + slack),
                None => {
                    prop_assert!(buy(share * quote * 1e-2) <= slack);
                    prop_assert!(sell(share * base * 1e-2) <= slack);
                }
            }
        }
    }
}
