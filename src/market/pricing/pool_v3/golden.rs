//! Whole swaps whose outcome the contract's own tests record (Uniswap/v3-core, test/__snapshots__ of
//! `UniswapV3Pool.swaps`): amounts, fee growth and tick to the last unit, through all the words and ticks
//! on the way. Fee 0.3 %, ticks 60 apart, 2e18 of liquidity in each position.

use super::super::wide::square_root;
use super::*;
use Direction::{OneForZero, ZeroForOne};

const E18: u128 = 1_000_000_000_000_000_000;
const WIDE: (i32, i32) = (-887_220, 887_220);

struct Case {
    start: U256,
    ranges: &'static [(i32, i32)],
    direction: Direction,
    amount: Exact,
    limit: Option<U256>,
    amount_in: u128,
    amount_out: u128,
    growth: &'static str,
    tick: i32,
}

fn n(text: &str) -> U256 {
    U256::from_str_radix(text, 10).unwrap()
}

/// √(a/b) in 96 digits, down.
fn root(a: u128, b: u128) -> U256 {
    square_root((U256::new(a) << 192_u32) / U256::new(b))
}

fn check(case: &Case) {
    let mut pool = PoolV3::new(3_000, 60, case.start).unwrap();
    for (lower, upper) in case.ranges {
        pool.mint(&mut Position::over(*lower, *upper), 2 * E18).unwrap();
    }
    let swap = pool.swap(case.direction, case.amount, case.limit).unwrap();
    assert_eq!((swap.amount_in, swap.amount_out), (case.amount_in, case.amount_out));
    assert_eq!(swap.tick, case.tick);
    let token_in = usize::from(case.direction == OneForZero);
    assert_eq!(pool.growth[token_in], n(case.growth));
    assert_eq!(pool.growth[1 - token_in], U256::ZERO);
}

#[test]
fn one_range_over_all_ticks() {
    let case = |direction, amount, limit, (amount_in, amount_out), growth, tick| Case {
        start: Q96,
        ranges: &[WIDE],
        direction,
        amount,
        limit,
        amount_in,
        amount_out,
        growth,
        tick,
    };
    check(&case(
        OneForZero,
        Exact::Out(U256::new(E18)),
        None,
        (2_006_018_054_162_487_463, E18),
        "1023918857334819954209013958517557896",
        13_863,
    ));
    check(&case(
        OneForZero,
        Exact::In(U256::MAX >> 1_u32),
        Some(root(5, 2)),
        (1_165_774_985_123_750_584, 735_088_935_932_648_267),
        "595039006852697554786973994761078087",
        9_163,
    ));
}

#[test]
fn through_ticks_where_liquidity_doubles() {
    let case = |direction, amount, limit, (amount_in, amount_out), growth, tick| Case {
        start: Q96,
        ranges: &[WIDE, (WIDE.0, -60), (60, WIDE.1)],
        direction,
        amount,
        limit,
        amount_in,
        amount_out,
        growth,
        tick,
    };
    for (direction, ticks) in [(ZeroForOne, [-4_476, -5_794, -9_164]), (OneForZero, [4_475, 5_793, 9_163])] {
        check(&case(
            direction,
            Exact::In(U256::new(E18)),
            None,
            (E18, 795_933_705_287_758_544),
            "256749882580179971840679703106063897",
            ticks[0],
        ));
        check(&case(
            direction,
            Exact::Out(U256::new(E18)),
            None,
            (1_342_022_152_495_072_924, E18),
            "344037963272993171369654596359692757",
            ticks[1],
        ));
        let limit = if direction == ZeroForOne { root(2, 5) } else { root(5, 2) };
        check(&case(
            direction,
            Exact::In(U256::MAX >> 1_u32),
            Some(limit),
            (2_325_523_181_756_544_449, 1_464_187_161_953_474_971),
            "595039006852697724928157455230309818",
            ticks[2],
        ));
    }
}

#[test]
fn from_one_end_of_the_range_to_the_other() {
    let case = |start, direction, amount, (amount_in, amount_out), growth, tick| Case {
        start,
        ranges: &[WIDE],
        direction,
        amount,
        limit: None,
        amount_in,
        amount_out,
        growth,
        tick,
    };
    check(&case(
        root(1, 10),
        OneForZero,
        Exact::In(U256::new(E18)),
        (E18, 3_869_747_612_262_812_753),
        "510423550381407865336245371616884047",
        -4_099,
    ));
    check(&case(
        root(1, 10),
        ZeroForOne,
        Exact::Out(U256::new(E18)),
        (36_907_032_419_362_389_223_785_084_665_766_560_335, 632_455_532_033_675_838),
        "18838218521532665615644565874197034349094564536667752274",
        -887_272,
    ));
    // From a price of 2¹²⁷.
    check(&case(
        n("1033437718471923706666374484006904511252097097914"),
        ZeroForOne,
        Exact::In(U256::new(E18)),
        (E18, 26_087_635_650_665_564_420_687_107_504_180_041_533),
        "510423550381413479995299567101531162",
        13_923,
    ));
    // From 5.9e-39, which is 2⁻¹²⁷ to the digits that the recorded test starts from.
    check(&case(
        U256::new(6_085_630_636),
        ZeroForOne,
        Exact::Out(U256::new(1_000)),
        (10_790_901_831_095_468_191_587_263_901_270_792_610, 0),
        "5507930424444982259736347157352787128931407551935325049",
        -887_272,
    ));
}
