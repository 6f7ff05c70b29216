//! Liquidity and arbitrage against sums by hand.

use super::*;
use crate::agents::structures::realised::STEP;
use crate::agents::structures::stage::{CAPITAL, COIN, OneLife, draws, listed, parameters};
use crate::domain::{FamilyId, Reason, Verb};
use proptest::prelude::*;

const PERP: InstrumentId = InstrumentId(0);
const V2: InstrumentId = InstrumentId(1);
const V3: InstrumentId = InstrumentId(2);
const P: f64 = 2_000.0;
/// √(base · quote) in either pool: 89 million in all.
const L: f64 = 1e6;
/// Swapped in five minutes: a busy pool.
const BUSY: f64 = 2e7;

const WHAT: [(InstrumentKind, ContractTerms); 3] = [
    (InstrumentKind::Perp, ContractTerms::Plain),
    (InstrumentKind::Pool, ContractTerms::Pool { fee_ppm: 3_000, concentrated: false }),
    (InstrumentKind::Pool, ContractTerms::Pool { fee_ppm: 500, concentrated: true }),
];

fn rig(set: &[(&str, f64)]) -> OneLife {
    let quick = [
        ("warm", 2.0),
        ("horizon", 0.05),
        ("hurdle", 10.0),
        ("size", 0.5),
        ("stop", 5_000.0),
        ("stale", 400.0),
    ];
    let quick = quick.into_iter().filter(|q| set.iter().all(|s| s.0 != q.0));
    let all: Vec<(&str, f64)> = set.iter().copied().chain(quick).collect();
    OneLife::of_contracts(FamilyId::Defi, &all, &WHAT)
}

fn state(rig: &mut OneLife, pool: InstrumentId, price: f64, swapped: f64) {
    let at = rig.now;
    rig.tell(MarketEvent::Pool { instrument: pool, at, price, liquidity: L, swapped, gas: 2.0 });
}

/// The perp and one pool, the stamp over, five minutes gone.
fn market(rig: &mut OneLife, perp: f64, pool: InstrumentId, price: f64, swapped: f64) {
    rig.quote(PERP, perp - 0.1, perp + 0.1);
    state(rig, pool, price, swapped);
    rig.judge();
    rig.pass(STEP);
}

/// Three hours in which the perp moved at 30 % per year and one pool was busy.
fn warm(rig: &mut OneLife, pool: InstrumentId, swapped: f64) {
    let r = 0.3 / libm::sqrt(STEP.per_year());
    let side = rig.side;
    rig.side = crate::domain::SideRule::Short;
    for i in 0..36 {
        market(rig, P * libm::exp(if i % 2 == 0 { r } else { 0.0 }), pool, P, swapped);
    }
    rig.side = side;
}

#[test]
fn liquidity_earns_its_share_of_fees_and_pays_for_both_ends() {
    // A band of all the base: no hedge, so that the sum can be done by hand.
    let mut rig = rig(&[("band", 1.0)]);
    warm(&mut rig, V2, BUSY);
    market(&mut rig, P, V2, P, BUSY);
    let said = rig.actions();
    assert_eq!((said.len(), said[0].verb, said[0].side()), (1, Verb::Open, 1.0));
    assert!(rig.life.legs.orders.is_empty() && rig.life.legs.ranges.asked.len() == 1);
    market(&mut rig, P, V2, P, BUSY);
    let l = 0.5 * CAPITAL / (2.0 * libm::sqrt(P));
    let range = rig.life.legs.ranges.held[0];
    assert!((range.liquidity - l).abs() < 1e-9 && range.earned == 0.0, "{range:?}");
    let mut states = 0.0;
    while rig.actions().len() == 1 {
        market(&mut rig, 2_100.0, V2, 2_100.0, BUSY);
        states += 1.0;
    }
    let last = &rig.actions()[1];
    assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Expired));
    rig.side = crate::domain::SideRule::Short;
    market(&mut rig, 2_100.0, V2, 2_100.0, BUSY);
    market(&mut rig, 2_100.0, V2, 2_100.0, BUSY);
    // The state at which it is taken out still pays.
    let earned = (states + 1.0) * BUSY * 0.003 * l / (L + l);
    let swap = |price: f64, size: f64| {
        let (x, y) = (L / libm::sqrt(price), L * libm::sqrt(price));
        if size > 0.0 { y * size / (x - size) / 0.997 } else { y * 0.997 * size / (x - 0.997 * size) }
    };
    let (before, after) = (l / libm::sqrt(P), l / libm::sqrt(2_100.0));
    let by_hand =
        -swap(P, before) - l * libm::sqrt(P) - swap(2_100.0, -after) + l * libm::sqrt(2_100.0) + earned
            - 2.0 * (1.0 + 1.5) * 2.0;
    assert!((rig.outcomes()[0].pnl * CAPITAL - by_hand).abs() < 1e-6, "{:?} {by_hand}", rig.outcomes());
    assert!(rig.life.legs.ranges.held.is_empty() && rig.life.legs.held.is_empty());
}

#[test]
fn the_base_in_the_pool_is_hedged_as_the_price_moves_it() {
    let mut rig = rig(&[("band", 0.02)]);
    warm(&mut rig, V2, BUSY);
    for _ in 0..3 {
        market(&mut rig, P, V2, P, BUSY);
    }
    let l = rig.life.legs.ranges.held[0].liquidity;
    assert!((rig.life.legs.of(PERP) + l / libm::sqrt(P)).abs() <= 1e-4, "{:?}", rig.life.legs.held);
    for _ in 0..2 {
        market(&mut rig, 2_200.0, V2, 2_200.0, BUSY);
    }
    assert!((rig.life.legs.of(PERP) + l / libm::sqrt(2_200.0)).abs() <= 1e-4);
    // Hedged after the move, not before it: what it lost is the gap, not the whole way.
    assert_eq!(rig.actions().len(), 1);
}

#[test]
fn hedged_liquidity_without_fees_loses_an_eighth_of_the_variance() {
    let mut rig = rig(&[("band", 0.005), ("memory", 1_000.0), ("horizon", 365.0)]);
    rig.costs = crate::fills::Costs::Flat(0.0).into();
    warm(&mut rig, V2, BUSY);
    for _ in 0..3 {
        market(&mut rig, P, V2, P, BUSY);
    }
    let l = rig.life.legs.ranges.held[0].liquidity;
    let (start, step, years) = (rig.market_value(), 0.8 / libm::sqrt(STEP.per_year()), 1.0 / STEP.per_year());
    let (mut price, mut expected) = (P, 0.0);
    for i in 0..30 * 288 {
        let z = crate::domain::random::normal(crate::domain::random::key(5, &[i]));
        expected -= l * libm::sqrt(price) * 0.64 / 4.0 * years;
        price *= libm::exp(step * z - 0.5 * step * step);
        market(&mut rig, price, V2, price, 0.0);
    }
    let lost = rig.market_value() - start;
    // About σ²/8 of 50 000 over 30 days: 330, to within the noise of the path and of the band.
    assert!((expected + 330.0).abs() < 60.0 && (lost / expected - 1.0).abs() < 0.12, "{lost} {expected}");
    assert_eq!(rig.actions().len(), 1);
}

#[test]
fn out_of_its_range_it_is_taken_out() {
    let mut rig = rig(&[("width", 0.05), ("band", 0.1)]);
    // Fees are a sixth of those of the other pool, but the range is narrow.
    warm(&mut rig, V3, BUSY);
    for _ in 0..2 {
        market(&mut rig, P, V3, P, BUSY);
    }
    let range = rig.life.legs.ranges.held[0];
    assert!((range.bounds.upper - 2_100.0).abs() < 1e-9 && range.pool == V3);
    market(&mut rig, 2_090.0, V3, 2_090.0, BUSY);
    let away = rig.values().of(Indicator::Away);
    assert!((away - libm::log(1.045) / libm::log(1.05)).abs() < 1e-9, "{away}");
    let halved = rig.actions().pop().unwrap();
    assert_eq!((halved.verb, halved.reason), (Verb::Decrease, Reason::Hedge));
    market(&mut rig, 2_110.0, V3, 2_110.0, BUSY);
    let last = rig.actions().pop().unwrap();
    assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Exit));
    assert!(last.plan.exit.to_string().contains("the price leaves its range"), "{last}");
    market(&mut rig, 2_110.0, V3, 2_110.0, BUSY);
    market(&mut rig, 2_110.0, V3, 2_110.0, BUSY);
    assert_eq!(rig.outcomes().len(), 1);
}

#[test]
fn fees_that_do_not_pay_for_the_ends_are_left_to_others() {
    let opens = |swapped: f64| {
        let mut rig = rig(&[("hurdle", 1.0)]);
        warm(&mut rig, V2, swapped);
        market(&mut rig, P, V2, P, swapped);
        (rig.actions().len(), rig.values().of(Indicator::Edge))
    };
    let (mut low, mut high) = (0.0, BUSY);
    while high - low > 1e3 {
        let middle = f64::midpoint(low, high);
        if opens(middle).0 == 0 { low = middle } else { high = middle }
    }
    assert!(opens(low).1 <= 1.0 && opens(high).1 > 1.0);
    // Half of it swapped at 0.3 % and the perp at 0.05 % and half of 0.2, twice: 35.5 bp; gas of 10 on
    // 50 000: 2 bp; 12.5 of 22 361 base swapped, both ways: 5.6 bp; the hurdle of 1. The fees of 72 minutes
    // are those of 14.4 states.
    let l = 0.5 * CAPITAL / (2.0 * libm::sqrt(P));
    let fees = 14.4 * low * 0.003 / (L + l) / (2.0 * libm::sqrt(P)) * 1e4;
    assert!(fees > 43.5 && fees < 45.0, "{fees}");
}

/// Warm, with the pool a little above the exchange and a little below it, three states each.
fn waves(rig: &mut OneLife) {
    for i in 0..36 {
        let off = if (i / 3) % 2 == 0 { 0.001 } else { -0.001 };
        market(rig, P * if i % 2 == 0 { 1.000_1 } else { 1.0 }, V3, P * (1.0 + off), 1e5);
    }
}

#[test]
fn coins_that_are_cheaper_in_a_pool_are_bought_there_and_the_perp_is_sold() {
    let mut rig = rig(&[("mode", 1.0), ("stop", 300.0), ("size", 0.2)]);
    waves(&mut rig);
    assert_eq!(rig.actions().len(), 0, "ten points are within costs");
    market(&mut rig, P, V3, P * 0.985, 1e5);
    let said = rig.actions();
    assert_eq!((said.len(), said[0].verb, said[0].side()), (1, Verb::Open, 1.0));
    let orders: Vec<(InstrumentId, bool)> =
        rig.life.legs.orders.iter().map(|o| (o.instrument, o.quantity > 0.0)).collect();
    assert_eq!(orders, [(V3, true), (PERP, false)]);
    market(&mut rig, P, V3, P * 0.985, 1e5);
    let units = rig.life.legs.of(V3);
    assert!((units - 0.2 * CAPITAL / P).abs() < 1e-3, "{units}");
    assert_eq!(rig.life.legs.of(PERP), -units);
    market(&mut rig, P, V3, P * 1.002, 1e5);
    let last = rig.actions().pop().unwrap();
    assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Exit));
    market(&mut rig, P, V3, P * 1.002, 1e5);
    market(&mut rig, P, V3, P * 1.002, 1e5);
    let swap = |price: f64, size: f64| {
        let (x, y) = (L / libm::sqrt(price), L * libm::sqrt(price));
        if size > 0.0 { y * size / (x - size) / 0.9995 } else { y * 0.9995 * size / (x - 0.9995 * size) }
    };
    let perp = units * ((P - 0.1) * 0.9995 - (P + 0.1) * 1.0005);
    let by_hand = -swap(P * 0.985, units) - swap(P * 1.002, -units) + perp - 2.0 * 2.0;
    assert!((rig.outcomes()[0].pnl * CAPITAL - by_hand).abs() < 1e-6, "{:?} {by_hand}", rig.outcomes());
    assert!(by_hand > 0.0);
}

#[test]
fn a_distance_that_never_lasts_is_not_run_after() {
    let mut rig = rig(&[("mode", 1.0), ("stop", 300.0)]);
    // One state away, the next one back: by the time an order is there, so is everybody.
    for i in 0..48 {
        let price = if i % 6 == 5 { P * 0.985 } else { P };
        market(&mut rig, P * if i % 2 == 0 { 1.000_1 } else { 1.0 }, V3, price, 1e5);
    }
    assert_eq!(rig.actions().len(), 0);
}

#[test]
fn coins_of_one_pool_are_not_those_of_another() {
    let listed = listed(&WHAT);
    assert_eq!((listed.coin(V2), listed.coin(V3)), (V2, V3));
}

#[test]
fn it_stands_by_without_a_pool_or_a_perp() {
    let p = parameters(FamilyId::Defi, &[]);
    let why =
        |what: &[(InstrumentKind, ContractTerms)]| DefiMemory::new(&p, COIN, &listed(what)).unwrap_err();
    assert!(why(&WHAT[..1]).contains("a pool") && why(&WHAT[1..]).contains("a perp"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_that_is_random_makes_it_say_nonsense(events in draws(), mode in 0.0_f64..1.0, v3: bool) {
        let mut rig = rig(&[("mode", mode), ("stale", 400.0), ("stop", 300.0)]);
        let pool = if v3 { V3 } else { V2 };
        warm(&mut rig, pool, BUSY);
        market(&mut rig, P, pool, P, BUSY);
        rig.chaos(&events, Span::seconds(400), |_| P);
    }
}
