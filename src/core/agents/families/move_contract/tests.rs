//! MOVE contracts sold and bought against sums by hand.

use super::*;
use crate::agents::families::Rules;
use crate::agents::structures::realised::STEP;
use crate::agents::structures::stage::{CAPITAL, COIN, OneLife, draws, listed, parameters};
use crate::domain::{FamilyId, Reason, Verb};
use proptest::prelude::*;

const PERP: InstrumentId = InstrumentId(0);
const MOVE: InstrumentId = InstrumentId(1);
const S: f64 = 100_000.0;

const WHAT: [(InstrumentKind, ContractTerms); 2] = [
    (InstrumentKind::Perp, ContractTerms::Plain),
    (
        InstrumentKind::Move,
        ContractTerms::Move { fixing: Stamp(Span::DAY.0), expiry: Stamp(2 * Span::DAY.0) },
    ),
];

fn rig(set: &[(&str, f64)]) -> OneLife {
    let quick = [("warm", 2.0), ("hurdle", 0.02), ("margin", 0.2)];
    let all: Vec<(&str, f64)> = set.iter().chain(&quick).copied().collect();
    OneLife::of_contracts(FamilyId::Move, &all, &WHAT)
}

/// Three hours in which the perp moved at 50 % per year, from `start` on.
fn warm(rig: &mut OneLife, start: Stamp) {
    rig.now = start;
    let r = 0.5 / libm::sqrt(STEP.per_year());
    for i in 0..36 {
        let mid = S * libm::exp(if i % 2 == 0 { r } else { 0.0 });
        rig.quote(PERP, mid - 5.0, mid + 5.0);
        rig.pass(STEP);
    }
}

fn market(rig: &mut OneLife, index: f64, price: f64) {
    rig.quote(PERP, index - 5.0, index + 5.0);
    rig.quote(MOVE, price - 10.0, price + 10.0);
    rig.judge();
    rig.pass(Span::MINUTE);
}

/// Every five minutes until `end`.
fn until(rig: &mut OneLife, end: Stamp, index: f64, price: f64) {
    while rig.now < end {
        market(rig, index, price);
        rig.now = rig.now.after(Span(4 * Span::MINUTE.0));
    }
}

#[test]
fn before_its_fixing_it_is_worth_the_golden_value_and_sold_above_it() {
    let mut rig = rig(&[("band", 1.0), ("stop", 9.0)]);
    warm(&mut rig, Stamp(0));
    market(&mut rig, S, 2_500.0);
    let said = rig.actions();
    assert_eq!((said.len(), said[0].verb, said[0].side()), (1, Verb::Open, -1.0));
    let v = rig.values();
    let value = 2_028.63 * v.of(Indicator::Forecast) / 0.5;
    assert!((v.of(Indicator::Forecast) - 0.5).abs() < 0.01);
    assert!((v.of(Indicator::Rich) - (2_500.0 / value - 1.0)).abs() < 1e-5, "{v:?}");
    market(&mut rig, S, 2_500.0);
    let units = -rig.life.legs.of(MOVE);
    // 20 % of capital over 15 % of the index and the mark, in whole lots.
    assert!((units - 0.2 * CAPITAL / (0.15 * S + 2_500.0)).abs() <= 1e-4 + 1e-9, "{units}");
    rig.now = Stamp(2 * Span::DAY.0);
    let at = rig.now;
    assert!(rig.tell(MarketEvent::Settled { instrument: MOVE, at, price: 1_500.0 }));
    rig.judge();
    rig.pass(Span::MINUTE);
    rig.judge();
    let last = rig.actions().pop().unwrap();
    assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Settled));
    // Sold at the bid at 0.05 %, settled at 0.025 %.
    let by_hand = units * (2_490.0 * 0.9995 - 1_500.0 * 1.00025);
    assert!((rig.outcomes()[0].pnl * CAPITAL - by_hand).abs() < 1e-6, "{:?}", rig.outcomes());
}

#[test]
fn cheap_movement_is_bought() {
    let mut rig = rig(&[]);
    warm(&mut rig, Stamp(0));
    market(&mut rig, S, 1_400.0);
    assert_eq!(rig.actions()[0].side(), 1.0);
}

#[test]
fn a_price_that_is_dear_by_no_more_than_costs_is_left_alone() {
    let opens = |price: f64| {
        let mut rig = rig(&[("hurdle", 0.0), ("band", 0.2)]);
        warm(&mut rig, Stamp(0));
        market(&mut rig, S, price);
        (rig.actions().len(), rig.values())
    };
    let (mut low, mut high) = (2_030.0, 4_000.0);
    while high - low > 0.1 {
        let middle = f64::midpoint(low, high);
        if opens(middle).0 == 0 { low = middle } else { high = middle }
    }
    let inside = opens(low);
    // Half the spread; 0.05 % and 0.025 %; hedging (2φ(0))² / 0.2 of the index at 0.05 % and half of 10.
    let costs = 10.0
        + 0.0005 * low
        + 0.000_25 * 2_028.63
        + std::f64::consts::FRAC_2_PI / 0.2 * S * (0.0005 + 5.0 / S);
    let value = low / (1.0 + inside.1.of(Indicator::Rich));
    assert!((low - value - costs).abs() < 1.0, "{low} {value} {costs}");
    assert_eq!((inside.0, opens(high).0), (0, 1));
}

#[test]
fn the_index_makes_its_strike_and_the_perp_hedges_it_afterwards() {
    let mut rig = rig(&[("band", 0.2), ("stop", 9.0)]);
    warm(&mut rig, Stamp(20 * Span::HOUR.0));
    until(&mut rig, Stamp(Span::DAY.0), S, 2_500.0);
    assert_eq!((rig.actions().len(), rig.life.legs.of(PERP)), (1, 0.0));
    // The first hour: half of it at 100 000, half at 101 000.
    until(&mut rig, Stamp(Span::DAY.0 + 30 * Span::MINUTE.0), S, 2_500.0);
    until(&mut rig, Stamp(Span::DAY.0 + 65 * Span::MINUTE.0), 101_000.0, 4_000.0);
    let Rules::Move(memory) = &rig.rules else { unreachable!() };
    let strike = memory.watch(MOVE).unwrap().contract.strike(rig.now).unwrap();
    assert!((strike - 100_500.0).abs() < 1e-6, "{strike}");
    let units = -rig.life.legs.of(MOVE);
    for _ in 0..3 {
        market(&mut rig, 102_000.0, 4_000.0);
    }
    let Rules::Move(memory) = &rig.rules else { unreachable!() };
    let at = rig.now;
    let (value, _, _) = memory.value(memory.watch(MOVE).unwrap(), at).unwrap();
    let held = rig.life.legs.of(PERP);
    assert!(value.delta > 0.3 && (held - units * value.delta).abs() < 0.01 * units, "{held} {value:?}");
    // It has lost on the way up and not yet fallen back: the stop is far, the plan is as it was.
    assert_eq!(rig.actions().len(), 1);
}

#[test]
fn a_contract_whose_first_hour_was_not_heard_is_left_alone() {
    let mut rig = rig(&[]);
    warm(&mut rig, Stamp(Span::DAY.0 + 30 * Span::MINUTE.0));
    market(&mut rig, S, 4_000.0);
    assert_eq!(rig.actions().len(), 0);
    let mut rig = super::tests::rig(&[]);
    warm(&mut rig, Stamp(20 * Span::HOUR.0));
    rig.now = Stamp(Span::DAY.0 + 2 * Span::HOUR.0);
    market(&mut rig, S, 4_000.0);
    assert_eq!(rig.actions().len(), 0, "silent over the whole window");
}

#[test]
fn it_stands_by_where_there_is_no_contract_or_no_perp() {
    let p = parameters(FamilyId::Move, &[]);
    let why =
        |what: &[(InstrumentKind, ContractTerms)]| MoveMemory::new(&p, COIN, &listed(what)).unwrap_err();
    assert!(why(&WHAT[..1]).contains("MOVE contracts"));
    assert!(why(&WHAT[1..]).contains("perp"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_that_is_random_makes_it_say_nonsense(events in draws(), opened: bool) {
        let mut rig = rig(&[("stale", 120.0)]);
        warm(&mut rig, Stamp(20 * Span::HOUR.0));
        if opened {
            market(&mut rig, S, 2_500.0);
        }
        rig.chaos(&events, Span::seconds(120), |id| if id == PERP { S } else { 2_500.0 });
    }
}
