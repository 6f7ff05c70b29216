//! The constant-product pool: golden amounts, reverts, and the laws of its rounding.

use super::*;
use Direction::{OneForZero, ZeroForOne};
use proptest::prelude::*;

const E18: u128 = 1_000_000_000_000_000_000;
const E6: u128 = 1_000_000;

/// 1 000 ETH against 2 000 000 USDC.
fn golden() -> PoolV2 {
    PoolV2::new(1_000 * E18, 2_000_000 * E6, E18, FEE_V2_PPM).unwrap()
}

#[test]
fn the_golden_swap() {
    let mut pool = golden();
    assert_eq!(pool.swap(ZeroForOne, E18), Ok(1_992_013_962));
    assert_eq!(pool.reserves(), (1_001 * E18, 2_000_000 * E6 - 1_992_013_962));
    let needed = golden().amount_in(ZeroForOne, 1_992_013_962).unwrap();
    assert!(needed <= E18 && golden().amount_out(ZeroForOne, needed) == Ok(1_992_013_962));
}

#[test]
fn the_golden_arbitrage_of_two_pools() {
    // USDC is token 1: buy where ETH costs 2 000, sell where it costs 2 050.
    let cheap = golden();
    let dear = PoolV2::new(1_000 * E18, 2_050_000 * E6, E18, FEE_V2_PPM).unwrap();
    let optimum = two_pool_optimum((2.0e6, 1e3, 0.997), (1e3, 2.05e6, 0.997));
    assert!((optimum - 9_427.951).abs() < 5e-4, "{optimum}");
    let best = between_pools(&cheap, &dear, OneForZero).unwrap().unwrap();
    assert_eq!((best.amount_in, best.profit()), (9_427_951_411, 88_486_679));
    assert_eq!(between_pools(&dear, &cheap, OneForZero), Ok(None));
    assert_eq!(between_pools(&cheap, &cheap, OneForZero), Ok(None));
    // Two per cent to either side earn less.
    for x in [best.amount_in * 98 / 100, best.amount_in * 102 / 100] {
        let out = dear.amount_out(ZeroForOne, cheap.amount_out(OneForZero, x).unwrap()).unwrap();
        assert!(out - x < best.profit());
    }
}

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
fn shares_and_what_they_are_worth() {
    let (mut pool, minted) = PoolV2::create(4 * E18, 9 * E18, FEE_V2_PPM).unwrap();
    assert_eq!((pool.shares(), minted), (6 * E18, 6 * E18 - 1_000));
    assert_eq!(pool.deposit(2 * E18, 100 * E18), Ok(3 * E18), "the scarcer token counts");
    assert_eq!(pool.withdraw(9 * E18), Ok((6 * E18, 109 * E18)));
    assert_eq!(PoolV2::create(1_000, 1_000, 0), Err(PoolError::Nothing), "the locked minimum");
    assert!((impermanent_loss(4.0).unwrap() + 0.2).abs() < 1e-15);
    assert_eq!(impermanent_loss(1.0), Ok(0.0));
}

#[test]
fn what_the_contract_would_revert_is_an_error_and_changes_nothing() {
    let mut pool = golden();
    assert_eq!(pool.swap(ZeroForOne, 0), Err(PoolError::Nothing));
    assert_eq!(pool.swap(ZeroForOne, RESERVE_MAX), Err(PoolError::Reserve(RESERVE_MAX + 1_000 * E18)));
    assert_eq!(pool.swap(ZeroForOne, u128::MAX), Err(PoolError::Reserve(u128::MAX)));
    let all = 2_000_000 * E6;
    assert_eq!(pool.amount_in(ZeroForOne, all), Err(PoolError::Liquidity { held: all, asked: all }));
    assert_eq!(pool.withdraw(E18 + 1), Err(PoolError::Liquidity { held: E18, asked: E18 + 1 }));
    assert_eq!(pool.deposit(1, 0), Err(PoolError::Nothing));
    assert_eq!(pool, golden());
    assert_eq!(PoolV2::new(1, 1, 1, 1_000_000), Err(PoolError::Fee(1_000_000)));
    assert!(PoolV2::new(RESERVE_MAX + 1, 1, 1, 0).is_err());
    assert!(PoolV2::new(0, 0, 0, 0).unwrap().amount_out(ZeroForOne, 5).is_err());
}

prop_compose! {
    fn pools()(a in 1_u32..112, b in 1_u32..112, x in any::<u128>(), y in any::<u128>(), fee in 0_u32..100_000)
        -> PoolV2 {
        // Reserves of every length.
        let reserve = |bits: u32, n: u128| (n >> (128 - bits)).max(1);
        PoolV2::new(reserve(a, x), reserve(b, y), 1 << 60, fee).unwrap()
    }
}

proptest! {
    #[test]
    fn the_product_never_falls_and_a_round_trip_never_gains(
        pool in pools(), bits in 1_u32..112, n in any::<u128>(), up in any::<bool>(),
    ) {
        let (there, back) = if up { (ZeroForOne, OneForZero) } else { (OneForZero, ZeroForOne) };
        let (amount, mut after) = (n >> (128 - bits), pool);
        if let Ok(out) = after.swap(there, amount) {
            let k = |p: &PoolV2| product(p.reserves().0, p.reserves().1);
            prop_assert!(k(&after) >= k(&pool));
            if let Ok(home) = after.swap(back, out) {
                prop_assert!(home <= amount);
            }
            prop_assert_eq!(postcard::from_bytes::<PoolV2>(&postcard::to_allocvec(&after).unwrap()), Ok(after));
        } else {
            prop_assert_eq!(after, pool);
        }
    }

    #[test]
    fn the_amount_in_is_enough_and_at_most_a_hair_too_much(pool in pools(), n in any::<u128>(), bits in 1_u32..112) {
        let out = n >> (128 - bits);
        if let Ok(needed) = pool.amount_in(ZeroForOne, out) {
            prop_assert!(pool.amount_out(ZeroForOne, needed).unwrap() >= out);
            // The contract rounds up by one always, so one less may do but two less never.
            if needed > 2 && let Ok(less) = pool.amount_out(ZeroForOne, needed - 2) {
                prop_assert!(less < out);
            }
        }
    }

    #[test]
    fn a_deposit_taken_out_at_once_never_gains(pool in pools(), n in any::<u64>(), m in any::<u64>()) {
        let mut after = pool;
        if let Ok(minted) = after.deposit(n.into(), m.into()) {
            let (a, b) = after.worth(minted).unwrap();
            prop_assert!(a <= u128::from(n) && b <= u128::from(m));
        }
    }

    #[test]
    fn no_amount_beats_the_optimum(
        base in 100.0_f64..1e5, price in 1.0_f64..1e4, other in 0.9_f64..1.1, share in 0.01_f64..3.0,
    ) {
        let (a, b) = ((base * price, base, 0.997), (2.0 * base, 2.0 * base * price * other, 0.999));
        let earned = |x: f64| {
            let y = a.2 * x * a.1 / (a.0 + a.2 * x);
            b.2 * y * b.1 / (b.0 + b.2 * y) - x
        };
        let best = two_pool_optimum(a, b);
        if best > 0.0 {
            prop_assert!(earned(best) > 0.0);
            prop_assert!(earned(best * share) <= earned(best) + 1e-9 * a.0);
        } else {
            prop_assert!(earned(a.0 * share * 1e-3) <= 1e-9 * a.0);
        }
    }

    #[test]
    fn liquidity_in_a_pool_never_beats_holding(ratio in 1e-6_f64..1e6) {
        let loss = impermanent_loss(ratio).unwrap();
        prop_assert!((-1.0..=1e-15).contains(&loss));
        prop_assert!((loss - impermanent_loss(1.0 / ratio).unwrap()).abs() < 1e-12);
    }
}
