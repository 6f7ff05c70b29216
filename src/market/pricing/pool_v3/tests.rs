//! Concentrated liquidity: ticks, fees and positions, and the laws of swaps there and back.

use super::*;
use Direction::{OneForZero, ZeroForOne};
use proptest::prelude::*;

const E18: u128 = 1_000_000_000_000_000_000;

fn exactly(n: u128) -> Exact {
    Exact::In(U256::new(n))
}

/// A pool at price 1 with 2e18 of liquidity over all ticks: a constant-product pool of 2e18 each.
fn full_range() -> (PoolV3, Position) {
    let mut pool = PoolV3::new(3_000, 60, Q96).unwrap();
    let mut all = Position::over(-887_220, 887_220);
    let paid = pool.mint(&mut all, 2 * E18).unwrap();
    assert_eq!(paid, [2 * E18, 2 * E18]);
    (pool, all)
}

/// Liquidity in layers around price 1.
fn layered(spacing: i32, fee: u32) -> (PoolV3, Vec<Position>) {
    let mut pool = PoolV3::new(fee, spacing, Q96).unwrap();
    let mut positions = Vec::new();
    for (lower, upper, liquidity) in
        [(-600, 600, E18), (-60, 120, 5 * E18), (180, 2_400, 3 * E18), (-30_000, -240, E18)]
    {
        let mut p = Position::over(lower, upper);
        pool.mint(&mut p, liquidity).unwrap();
        positions.push(p);
    }
    (pool, positions)
}

fn liquidity_by_ticks(pool: &PoolV3) -> i128 {
    pool.ticks().filter(|(at, _)| *at <= pool.tick()).map(|(_, t)| t.net).sum()
}

#[test]
fn over_all_ticks_it_is_the_constant_product_pool() {
    let (mut v3, _) = full_range();
    let mut v2 = super::super::pool_v2::PoolV2::new(2 * E18, 2 * E18, E18, 3_000).unwrap();
    let (amount, swapped) = (E18 / 10, v3.swap(ZeroForOne, exactly(E18 / 10), None).unwrap());
    assert_eq!(swapped.amount_in, amount);
    let out = v2.swap(ZeroForOne, amount).unwrap();
    assert!(out.abs_diff(swapped.amount_out) <= 2, "{out} and {}", swapped.amount_out);
    // 0.3 %; every word between price 1 and the new one rounds in the pool's favour.
    assert!((300_000_000_000_000..300_000_000_000_020).contains(&swapped.fee), "{}", swapped.fee);
}

#[test]
fn a_swap_through_ticks_takes_in_and_leaves_liquidity() {
    let (mut pool, _) = layered(60, 500);
    assert_eq!((pool.liquidity(), pool.tick()), (6 * E18, 0));
    let up = pool.swap(OneForZero, exactly(E18), Some(sqrt_price_at(300).unwrap())).unwrap();
    assert_eq!((up.crossed, up.tick, pool.liquidity()), (2, 300, 4 * E18));
    assert!(up.amount_in < E18, "the limit stopped it");
    let down = pool.swap(ZeroForOne, exactly(E18), Some(sqrt_price_at(-300).unwrap())).unwrap();
    assert_eq!((down.crossed, down.tick, pool.liquidity()), (4, -300, 2 * E18));
    assert_eq!(liquidity_by_ticks(&pool), 2 * E18 as i128);
    // Down to a tick exactly, the price is on it and the tick is the one below.
    let on = pool.swap(ZeroForOne, exactly(E18), Some(sqrt_price_at(-600).unwrap())).unwrap();
    assert_eq!((on.tick, on.sqrt_price), (-601, sqrt_price_at(-600).unwrap()));
    assert_eq!(pool.liquidity(), E18);
}

#[test]
fn beyond_the_last_liquidity_the_price_runs_to_the_end() {
    let (mut pool, _) = layered(60, 500);
    let all = pool.swap(OneForZero, Exact::Out(U256::new(100 * E18)), None).unwrap();
    assert!(all.amount_out < 100 * E18);
    assert_eq!((pool.liquidity(), pool.sqrt_price()), (0, SQRT_PRICE_MAX - U256::ONE));
    let back = pool.swap(ZeroForOne, exactly(1), Some(Q96)).unwrap();
    assert!(back.tick < TICK_MAX, "and comes back for next to nothing");
}

#[test]
fn fees_go_to_who_was_in_range() {
    let (mut pool, mut positions) = layered(60, 3_000);
    let limit = Some(sqrt_price_at(60).unwrap());
    let swap = pool.swap(OneForZero, exactly(E18), limit).unwrap();
    let fees: Vec<[u128; 2]> = positions.iter().map(|p| pool.worth(p).unwrap().1).collect();
    // 1 : 5 by liquidity, nothing in token 0, nothing out of range, and never more than was paid.
    assert!(fees[0][1] > 0 && fees[1][1].abs_diff(5 * fees[0][1]) <= 5);
    assert_eq!((fees[0][0], fees[2], fees[3]), (0, [0, 0], [0, 0]));
    let total: u128 = fees.iter().map(|f| f[1]).sum();
    assert!(total <= swap.fee && swap.fee - total <= 2);
    assert_eq!(pool.burn(&mut positions[0], 0), Ok([0, 0]));
    assert_eq!(positions[0].collect(), fees[0]);
    assert_eq!(pool.worth(&positions[0]).unwrap().1, [0, 0]);
}

#[test]
fn a_position_minted_and_burnt_leaves_no_tick_behind() {
    let mut pool = PoolV3::new(500, 10, sqrt_price_of(2_000.0).unwrap()).unwrap();
    let at = pool.tick().div_euclid(10) * 10;
    let mut p = Position::over(at - 1_000, at + 1_000);
    let liquidity = pool.liquidity_for(p.lower, p.upper, [E18, 2_000 * E18]).unwrap();
    let paid = pool.mint(&mut p, liquidity).unwrap();
    assert!(paid[0] <= E18 + 1 && paid[1] <= 2_000 * E18 + 1);
    assert!(paid[0] > E18 * 9 / 10 || paid[1] > 2_000 * E18 * 9 / 10);
    let value = pool.value(&p).unwrap();
    let (zero, one) = holdings_at(
        pool.price(),
        price_of(sqrt_price_at(p.lower).unwrap()),
        price_of(sqrt_price_at(p.upper).unwrap()),
        liquidity,
    );
    assert!((zero * pool.price() + one - value).abs() < 1e-9 * value);
    let back = pool.burn(&mut p, liquidity).unwrap();
    assert!((0..2).all(|i| back[i] <= paid[i] && paid[i] - back[i] <= 2));
    assert_eq!((pool.ticks().count(), pool.liquidity(), p.liquidity), (0, 0, 0));
}

#[test]
fn what_the_contract_would_revert_is_an_error_and_changes_nothing() {
    let (mut pool, mut all) = full_range();
    let before = (pool.clone(), all);
    assert_eq!(pool.swap(ZeroForOne, exactly(0), None), Err(V3Error::Nothing));
    assert_eq!(pool.swap(ZeroForOne, exactly(1), Some(Q96)), Err(V3Error::Limit(Q96)));
    assert_eq!(pool.swap(OneForZero, exactly(1), Some(SQRT_PRICE_MAX)), Err(V3Error::Limit(SQRT_PRICE_MAX)));
    assert_eq!(pool.burn(&mut all, 2 * E18 + 1), Err(V3Error::Liquidity(2 * E18 + 1)));
    assert_eq!(pool.mint(&mut all, 0), Err(V3Error::Nothing));
    assert_eq!(pool.mint(&mut all, u128::MAX >> 8), Err(V3Error::Liquidity(u128::MAX >> 8)));
    let off = pool.mint(&mut Position::over(-59, 60), 1);
    assert_eq!(off, Err(V3Error::Range { lower: -59, upper: 60, spacing: 60 }));
    assert!(pool.mint(&mut Position::over(60, 60), 1).is_err());
    assert!(pool.mint(&mut Position::over(0, 900_000), 1).is_err());
    assert_eq!((pool, all), before);
    assert!(PoolV3::new(1_000_000, 60, Q96).is_err() && PoolV3::new(500, 0, Q96).is_err());
}

#[test]
fn arbitrage_goes_to_where_the_next_unit_would_lose() {
    let (pool, _) = layered(60, 3_000);
    assert_eq!(pool.arbitrage_limit(1.002_9, 1.003), Ok(None), "inside the fee");
    assert_eq!(pool.arbitrage_limit(0.9, 0.997_1), Ok(None), "inside the fee");
    let far = Exact::In(U256::new(u128::MAX >> 8));
    for (price, direction) in [(1.05, OneForZero), (0.95, ZeroForOne)] {
        let (way, limit) = pool.arbitrage_limit(price, price).unwrap().unwrap();
        assert_eq!(way, direction);
        let profit = |limit: U256| {
            let swap = pool.quote(way, far, Some(limit)).unwrap();
            let (paid, got) = (swap.amount_in as f64, swap.amount_out as f64);
            if way == OneForZero { got * price - paid } else { got - paid * price }
        };
        let best = profit(limit);
        assert!(best > 0.0);
        for other in [limit * U256::new(999) / U256::new(1_000), limit * U256::new(1_001) / U256::new(1_000)]
        {
            assert!(profit(other) < best);
        }
    }
    assert!(pool.arbitrage_limit(f64::NAN, 1.0).is_err());
}

#[test]
fn it_is_kept_and_read_back_as_it_is() {
    let (mut pool, positions) = layered(60, 500);
    pool.swap(OneForZero, exactly(E18 / 100), None).unwrap();
    let bytes = postcard::to_allocvec(&(&pool, &positions)).unwrap();
    assert_eq!(postcard::from_bytes::<(PoolV3, Vec<Position>)>(&bytes).unwrap(), (pool, positions));
}

proptest! {
    #[test]
    fn swaps_there_and_back_never_gain_and_keep_the_books(
        swaps in prop::collection::vec((any::<bool>(), any::<bool>(), 1_u128..1 << 60), 1..12),
        fee in 0_u32..10_000, narrow in any::<bool>(),
    ) {
        let (mut pool, positions) = layered(if narrow { 1 } else { 60 }, fee);
        let mut held = [0_i128; 2];
        for (there, out, amount) in swaps {
            let direction = if there { ZeroForOne } else { OneForZero };
            let amount = if out { Exact::Out(U256::new(amount)) } else { exactly(amount) };
            let quoted = pool.quote(direction, amount, None);
            let done = pool.swap(direction, amount, None);
            prop_assert_eq!(quoted, done);
            let Ok(done) = done else { continue };
            let (i, o) = if there { (0, 1) } else { (1, 0) };
            held[i] += done.amount_in as i128;
            held[o] -= done.amount_out as i128;
            prop_assert_eq!(liquidity_by_ticks(&pool), pool.liquidity() as i128);
            if done.sqrt_price < SQRT_PRICE_MAX {
                let at = tick_at(done.sqrt_price).unwrap();
                // On a tick's very price the tick may be the one below, where a fall ended.
                prop_assert!(at == done.tick || at == done.tick + 1);
            }
        }
        // Back to price 1: whoever did all this has not gained in either token.
        let back = if pool.sqrt_price() > Q96 { ZeroForOne } else { OneForZero };
        if pool.sqrt_price() != Q96 {
            let done = pool.swap(back, Exact::In(U256::new(u128::MAX >> 8)), Some(Q96)).unwrap();
            let (i, o) = if back == ZeroForOne { (0, 1) } else { (1, 0) };
            held[i] += done.amount_in as i128;
            held[o] -= done.amount_out as i128;
        }
        prop_assert_eq!(pool.sqrt_price(), Q96);
        prop_assert!(held[0] >= 0 && held[1] >= 0, "the pool lost {held:?}");
        // All positions leave with their fees, and the pool can pay them.
        let mut left = held;
        for mut p in positions {
            let paid = layered_cost(&p);
            let all = p.liquidity;
            let returned = pool.burn(&mut p, all).unwrap();
            let fees = p.collect();
            for i in 0..2 {
                left[i] += paid[i] as i128 - returned[i] as i128 - fees[i] as i128;
            }
        }
        prop_assert!(left[0] >= 0 && left[1] >= 0, "the pool cannot pay {left:?}");
        prop_assert_eq!(pool.ticks().count(), 0);
    }

    #[test]
    fn two_halves_never_give_more_than_the_whole(amount in 2_u128..1 << 62, there in any::<bool>()) {
        let direction = if there { ZeroForOne } else { OneForZero };
        let (mut once, _) = layered(60, 3_000);
        let (mut twice, _) = layered(60, 3_000);
        let whole = once.swap(direction, exactly(amount), None).unwrap();
        let first = twice.swap(direction, exactly(amount / 2), None).unwrap();
        if let Ok(second) = twice.swap(direction, exactly(amount - amount / 2), None) {
            prop_assert!(first.amount_out + second.amount_out <= whole.amount_out);
        }
    }
}

/// What a position of [`layered`] cost at price 1.
fn layered_cost(p: &Position) -> [u128; 2] {
    PoolV3::new(0, 1, Q96).unwrap().amounts(p.lower, p.upper, p.liquidity, Round::Up).unwrap()
}
