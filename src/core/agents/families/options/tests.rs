//! A short straddle, a long one, a vertical and a covered call, each against sums by hand.

use super::*;
use crate::agents::structures::realised::STEP;
use crate::agents::structures::stage::{CAPITAL, OneLife, draws};
use crate::domain::{FamilyId, Reason, SideRule, Verb};
use proptest::prelude::*;

const PERP: InstrumentId = InstrumentId(0);
const CALL: InstrumentId = InstrumentId(1);
const PUT: InstrumentId = InstrumentId(2);
const WING: InstrumentId = InstrumentId(3);
const F: f64 = 100_000.0;
const EXPIRY: Stamp = Stamp(27 * Span::HOUR.0);

fn rig(set: &[(&str, f64)]) -> OneLife {
    let option = |strike: f64, call: bool| {
        (InstrumentKind::Option, ContractTerms::Option { expiry: EXPIRY, strike, call, inverse: false })
    };
    let what = [
        (InstrumentKind::Perp, ContractTerms::Plain),
        option(F, true),
        option(F, false),
        option(103_000.0, true),
        option(103_000.0, false),
    ];
    let quick = [
        ("style", 0.0),
        ("warm", 2.0),
        ("nearest", 6.0),
        ("farthest", 48.0),
        ("hurdle", 0.02),
        ("margin", 0.3),
    ];
    let all: Vec<(&str, f64)> = set.iter().chain(&quick).copied().collect();
    OneLife::of_contracts(FamilyId::Options, &all, &what)
}

/// Everything at this forward and volatility, half a spread of 10 on each option; then the stamp is over.
fn market(rig: &mut OneLife, forward: f64, sigma: f64) {
    let at = rig.now;
    rig.quote(PERP, forward - 5.0, forward + 5.0);
    let left = EXPIRY.since(at).in_units_of(Span::YEAR);
    for i in 1..5 {
        let id = InstrumentId(i);
        let ContractTerms::Option { strike, call, .. } = rig.listed.get(id).terms else { unreachable!() };
        let right = if call { Right::Call } else { Right::Put };
        let value =
            black(forward, 1.0, option::OptionTerms { right, strike, years: left }, sigma).unwrap().value;
        rig.tell(MarketEvent::Implied { instrument: id, at, sigma, forward });
        rig.quote(id, (value - 10.0).max(0.01), value + 10.0);
    }
    rig.judge();
}

/// Three hours in which the perp moved at 30 % per year.
fn warm(rig: &mut OneLife) {
    let r = 0.3 / libm::sqrt(STEP.per_year());
    for i in 0..36 {
        let mid = F * libm::exp(if i % 2 == 0 { r } else { 0.0 });
        rig.quote(PERP, mid - 5.0, mid + 5.0);
        rig.pass(STEP);
    }
}

fn settle(rig: &mut OneLife, price: f64) {
    rig.now = EXPIRY;
    for i in 1..5 {
        assert!(rig.tell(MarketEvent::Settled { instrument: InstrumentId(i), at: EXPIRY, price }));
    }
    rig.judge();
}

#[test]
fn dear_volatility_is_sold_and_the_straddle_is_held_to_exercise() {
    // A band of a whole delta: no hedge, so that the sum can be done by hand.
    let mut rig = rig(&[("band", 1.0), ("stop", 5.0)]);
    warm(&mut rig);
    market(&mut rig, F, 0.6);
    let said = rig.actions();
    assert_eq!((said.len(), said[0].verb, said[0].side()), (1, Verb::Open, -1.0));
    let (v, e) = (rig.values(), Indicator::Implied);
    assert!((v.of(e) - 0.6).abs() < 1e-12 && (v.of(Indicator::Forecast) - 0.3).abs() < 0.01);
    // Twice as expensive: value is near linear in volatility at the money.
    assert!((v.of(Indicator::Rich) - 1.0).abs() < 0.05, "{v:?}");
    rig.pass(Span::seconds(60));
    market(&mut rig, F, 0.6);
    let units = -rig.life.legs.of(CALL);
    assert_eq!(rig.life.legs.of(PUT), -units);
    // 30 % of capital over the margin of both: 15 % of the underlying and the mark, each; whole lots.
    let years = EXPIRY.since(Stamp(3 * Span::HOUR.0)).in_units_of(Span::YEAR);
    let value = |years: f64| {
        black(F, 1.0, option::OptionTerms { right: Right::Call, strike: F, years }, 0.6).unwrap().value
    };
    let bound = 2.0 * (0.15 * F + value(years));
    assert!((units - 0.3 * CAPITAL / bound).abs() < 1e-4 + 1e-9, "{units}");
    settle(&mut rig, 101_000.0);
    let last = rig.actions().pop().unwrap();
    assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Settled));
    assert!(rig.life.legs.orders.is_empty(), "no order for what has ended");
    rig.pass(Span::seconds(60));
    rig.judge();
    let outcome = rig.outcomes()[0];
    // Sold at the bids of the minute after, less 0.03 % of the underlying each; the call pays 1000 and
    // 0.015 % of the settlement.
    let later = EXPIRY.since(Stamp(3 * Span::HOUR.0).after(Span::MINUTE)).in_units_of(Span::YEAR);
    let by_hand = units * (2.0 * (value(later) - 10.0) - 2.0 * 30.0 - 1_000.0 - 15.15);
    assert!((outcome.pnl * CAPITAL - by_hand).abs() < 1e-6, "{} {by_hand}", outcome.pnl * CAPITAL);
}

#[test]
fn cheap_volatility_is_bought() {
    let mut rig = rig(&[]);
    warm(&mut rig);
    market(&mut rig, F, 0.15);
    let said = rig.actions();
    assert_eq!((said.len(), said[0].verb, said[0].side()), (1, Verb::Open, 1.0));
    assert!(rig.life.legs.orders.iter().all(|o| o.quantity > 0.0));
}

#[test]
fn its_delta_is_hedged_with_the_perp_once_it_leaves_the_band_and_comes_off_with_the_rest() {
    let mut rig = rig(&[("band", 0.2), ("stop", 9.0)]);
    warm(&mut rig);
    market(&mut rig, F, 0.6);
    rig.pass(Span::MINUTE);
    market(&mut rig, F, 0.6);
    let units = -rig.life.legs.of(CALL);
    rig.pass(Span::MINUTE);
    market(&mut rig, F, 0.6);
    assert_eq!(rig.life.legs.of(PERP), 0.0, "at the money it has no delta to speak of");
    let cash = rig.life.legs.cash;
    rig.pass(Span::MINUTE);
    market(&mut rig, 102_000.0, 0.6);
    let years = EXPIRY.since(rig.now).in_units_of(Span::YEAR);
    let delta =
        |right| black(102_000.0, 1.0, option::OptionTerms { right, strike: F, years }, 0.6).unwrap().delta;
    let wanted = units * (delta(Right::Call) + delta(Right::Put));
    assert!(wanted > 0.2 * units);
    rig.pass(Span::MINUTE);
    market(&mut rig, 102_000.0, 0.6);
    let held = rig.life.legs.of(PERP);
    assert!(held <= wanted && wanted - held <= 1e-4, "{held} {wanted}");
    // Bought at the offer at 0.05 %.
    assert!((cash - rig.life.legs.cash - held * 102_005.0 * 1.0005).abs() < 1e-6);
    assert_eq!(rig.actions().len(), 1, "hedging is not said");
    settle(&mut rig, 102_000.0);
    assert!(rig.life.legs.orders.iter().all(|o| o.instrument == PERP && o.quantity == -held));
    assert!(rig.outcomes().is_empty(), "the hedge is still on");
    rig.pass(Span::MINUTE);
    rig.quote(PERP, 101_995.0, 102_005.0);
    rig.judge();
    let by_hand = cash - held * (102_005.0 * 1.0005 - 101_995.0 * 0.9995) - units * (2_000.0 + 15.3);
    assert!((rig.outcomes()[0].pnl * CAPITAL - by_hand).abs() < 1e-6);
    assert_eq!(rig.life.legs.held, []);
}

#[test]
fn after_its_stop_it_pauses_though_volatility_is_dearer_still() {
    let mut rig = rig(&[("stop", 0.5)]);
    warm(&mut rig);
    for sigma in [0.6, 0.6, 1.2] {
        market(&mut rig, F, sigma);
        rig.pass(Span::MINUTE);
    }
    let stopped = rig.actions().pop().unwrap();
    assert_eq!((stopped.verb, stopped.reason), (Verb::Close, Reason::Stop));
    for _ in 0..59 {
        market(&mut rig, F, 1.2);
        rig.pass(Span::MINUTE);
    }
    assert_eq!((rig.actions().len(), rig.outcomes().len()), (2, 1));
    market(&mut rig, F, 1.2);
    let again = rig.actions().pop().unwrap();
    assert_eq!((again.verb, again.reason, again.side()), (Verb::Open, Reason::ReEntry, -1.0));
}

#[test]
fn a_difference_that_costs_would_eat_is_left_alone() {
    let opens = |sigma: f64| {
        let mut rig = rig(&[("hurdle", 0.0), ("band", 0.2)]);
        warm(&mut rig);
        market(&mut rig, F, sigma);
        (rig.actions().len(), rig.values())
    };
    // Where the edge goes from loss to gain, to a hundredth of a point.
    let (mut low, mut high) = (0.30, 0.60);
    while high - low > 1e-4 {
        let middle = f64::midpoint(low, high);
        if opens(middle).0 == 0 { low = middle } else { high = middle }
    }
    let (inside, beyond) = (opens(low), opens(high));
    assert_eq!((inside.0, beyond.0), (0, 1));
    assert!(inside.1.of(Indicator::Implied) > inside.1.of(Indicator::Forecast) + 0.02, "{low}");
    assert!(inside.1.of(Indicator::Edge) <= 0.0 && beyond.1.of(Indicator::Edge) > 0.0);
    assert!(inside.1.of(Indicator::Edge) > -20.0, "{:?}", inside.1);
}

#[test]
fn a_short_whose_margin_is_more_than_the_capital_is_not_opened() {
    let mut rig = rig(&[]);
    rig.traits.aggression = 3.0;
    rig.preset.unit = 2.0;
    warm(&mut rig);
    market(&mut rig, F, 0.6);
    assert_eq!(rig.actions().len(), 0);
}

#[test]
fn what_is_stale_is_not_traded() {
    let mut rig = rig(&[("stale", 30.0)]);
    warm(&mut rig);
    // Quoted, but the stamp is over a minute later.
    rig.side = SideRule::Long;
    market(&mut rig, F, 0.6);
    assert_eq!(rig.actions().len(), 0, "not on this side");
    rig.side = SideRule::Both;
    rig.pass(Span::MINUTE);
    rig.judge();
    assert_eq!(rig.actions().len(), 0);
    assert!(rig.values().of(Indicator::Implied).is_nan());
}

#[test]
fn a_vertical_sells_at_the_money_and_buys_the_wing() {
    let mut rig = rig(&[("style", 1.0), ("wing", 0.7)]);
    warm(&mut rig);
    market(&mut rig, F, 0.6);
    let orders: Vec<(InstrumentId, bool)> =
        rig.life.legs.orders.iter().map(|o| (o.instrument, o.quantity > 0.0)).collect();
    assert_eq!(orders, [(CALL, false), (WING, true)]);
}

#[test]
fn a_covered_call_holds_the_coin_and_is_a_long() {
    let mut rig = rig(&[("style", 2.0), ("wing", 0.7)]);
    warm(&mut rig);
    market(&mut rig, F, 0.6);
    let orders: Vec<(InstrumentId, bool)> =
        rig.life.legs.orders.iter().map(|o| (o.instrument, o.quantity > 0.0)).collect();
    assert_eq!(orders, [(PERP, true), (WING, false)]);
    let said = rig.actions();
    assert_eq!(said[0].side(), 1.0);
}

/// What each style would earn on the margin that it binds, at this volatility, and the legs that it would trade.
fn rated(rig: &OneLife, memory: &OptionsMemory) -> Vec<(f64, Vec<StructureLeg>)> {
    let nothing = crate::agents::structures::legs::Legs::default();
    let seen = rig.seen(&nothing);
    let e = memory.expiry(&seen).unwrap();
    let all = [Style::Straddle, Style::Vertical, Style::Covered];
    let weighed = all.into_iter().filter_map(|style| memory.weigh_style(&seen, &e, style));
    let opens = weighed.filter(|w| w.volatility > memory.hurdle && OptionsMemory::may_open(&seen, &e, w));
    opens.map(|w| (w.edge * seen.units(w.size, w.notional) / w.bound, w.legs)).collect()
}

#[test]
fn of_all_styles_it_trades_the_one_that_earns_most_on_its_margin() {
    let mut chosen = std::collections::BTreeSet::new();
    for (sigma, side) in [
        (0.15, SideRule::Both),
        (0.6, SideRule::Both),
        (0.6, SideRule::Long),
        (0.6, SideRule::Short),
        (0.7, SideRule::Both),
    ] {
        let mut rig = rig(&[("style", 3.0), ("wing", 0.7), ("band", 0.3)]);
        rig.side = side;
        warm(&mut rig);
        market(&mut rig, F, sigma);
        let crate::agents::families::Rules::Options(memory) = &rig.rules else { unreachable!() };
        let rated = rated(&rig, memory);
        let best = rated.iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        let said = rig.actions();
        assert_eq!(said[0].plan.legs, best.1, "{sigma} {side}");
        chosen.insert(format!("{:?}", said[0].plan.legs.iter().map(|l| l.instrument).collect::<Vec<_>>()));
        assert!(rated.len() > 1 || side == SideRule::Long, "there was a choice: {sigma} {side}");
    }
    assert!(chosen.len() > 1, "not always the same: {chosen:?}");
}

#[test]
fn a_covered_call_that_was_the_best_is_not_hedged_away_and_a_straddle_is() {
    for (style, covered) in [(3.0, true), (0.0, false)] {
        let mut rig = rig(&[("style", style), ("wing", 0.7), ("band", 0.2), ("stop", 9.0)]);
        rig.side = if covered { SideRule::Long } else { SideRule::Short };
        warm(&mut rig);
        market(&mut rig, F, 0.6);
        rig.pass(Span::MINUTE);
        market(&mut rig, F, 0.6);
        let (coins, sold) = (rig.life.legs.of(PERP), rig.life.legs.of(WING));
        assert_eq!((coins > 0.0, sold < 0.0), (covered, covered));
        for _ in 0..3 {
            rig.pass(Span::MINUTE);
            market(&mut rig, 98_500.0, 0.6);
        }
        assert_eq!(rig.life.legs.of(PERP) == coins, covered, "{:?}", rig.life.legs.held);
    }
}

#[test]
fn what_delivery_takes_is_a_share_of_the_underlying_and_at_most_an_eighth_of_what_is_paid_out() {
    let fee = |settled: f64| {
        let mut rig = rig(&[("band", 1.0), ("stop", 9.0)]);
        warm(&mut rig);
        market(&mut rig, F, 0.6);
        rig.pass(Span::seconds(60));
        market(&mut rig, F, 0.6);
        let (units, before) = (-rig.life.legs.of(CALL), rig.life.legs.totals.fees);
        settle(&mut rig, settled);
        (rig.life.legs.totals.fees - before) / units
    };
    let near = |got: f64, wanted: f64| assert!((got - wanted).abs() < 1e-9, "{got} {wanted}");
    near(fee(101_000.0), 0.000_15 * 101_000.0);
    near(fee(99_000.0), 0.000_15 * 99_000.0);
    // In the money by eighty: an eighth is ten, and 0.015 % would be fifteen.
    near(fee(100_080.0), 10.0);
    near(fee(100_000.0), 0.0);
}

#[test]
fn it_stands_by_where_nothing_pairs() {
    let what = [(InstrumentKind::Perp, ContractTerms::Plain)];
    let listed = crate::agents::structures::stage::listed(&what);
    let p = crate::agents::structures::stage::parameters(FamilyId::Options, &[]);
    let why = OptionsMemory::new(&p, crate::agents::structures::stage::COIN, &listed).unwrap_err();
    assert!(why.contains("a call and a put"), "{why}");
}

#[test]
fn its_conditions_read_as_a_trader_would_say_them() {
    let mut rig = rig(&[]);
    warm(&mut rig);
    market(&mut rig, F, 0.6);
    let text = rig.actions()[0].to_string();
    for part in [
        "stop: close if it loses more than 75 %",
        "exit: close if implied volatility falls under 98 % of forecast volatility",
        "hedge: take half of it off, once, if less than 3 hours are left to expiry",
        "go short again if volatility is expensive by more than",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_that_is_random_makes_it_say_nonsense(events in draws(), style in 0.0_f64..3.0, opened: bool) {
        let mut rig = rig(&[("style", style), ("stale", 120.0)]);
        warm(&mut rig);
        if opened {
            market(&mut rig, F, 0.6);
        }
        rig.chaos(&events, Span::seconds(120), |id| if id == PERP { F } else { 1_000.0 });
    }
}

/// Forty days of a price that moves at 50 % per year and of options of one day at `implied`: what each
/// straddle earned, in basis points of capital.
fn days(implied: f64) -> Vec<f64> {
    const DAYS: i64 = 40;
    const A_DAY: i64 = Span::DAY.0 / STEP.0;
    let step = 0.5 / libm::sqrt(STEP.per_year());
    let mut path = vec![F];
    for i in 0..(DAYS + 1) * A_DAY {
        let z = crate::domain::random::normal(crate::domain::random::key(11, &[i as u64]));
        path.push(path[i as usize] * libm::exp(step * z - 0.5 * step * step));
    }
    let option = |day: i64, call: bool| {
        let expiry = Stamp((day + 1) * Span::DAY.0);
        let strike = libm::round(path[(day * A_DAY) as usize]);
        (InstrumentKind::Option, ContractTerms::Option { expiry, strike, call, inverse: false })
    };
    let options = (0..DAYS).flat_map(|d| [option(d, true), option(d, false)]);
    let what: Vec<_> = std::iter::once((InstrumentKind::Perp, ContractTerms::Plain)).chain(options).collect();
    let set = [
        ("style", 0.0),
        ("warm", 24.0),
        ("nearest", 12.0),
        ("farthest", 24.0),
        ("stop", 10.0),
        ("band", 0.2),
    ];
    let mut rig = OneLife::of_contracts(FamilyId::Options, &set, &what);
    for i in 0..DAYS * A_DAY {
        rig.now = Stamp(i * STEP.0);
        let (at, forward, day) = (rig.now, path[i as usize], i / A_DAY);
        rig.quote(PERP, forward * 0.999_95, forward * 1.000_05);
        for n in 0..2 {
            let id = |d: i64| InstrumentId((1 + 2 * d + n) as u16);
            if i % A_DAY == 0 && day > 0 {
                rig.tell(MarketEvent::Settled { instrument: id(day - 1), at, price: forward });
            }
            let ContractTerms::Option { expiry, strike, call, .. } = rig.listed.get(id(day)).terms else {
                unreachable!()
            };
            let right = if call { Right::Call } else { Right::Put };
            let years = expiry.since(at).in_units_of(Span::YEAR);
            let value =
                black(forward, 1.0, option::OptionTerms { right, strike, years }, implied).unwrap().value;
            rig.tell(MarketEvent::Implied { instrument: id(day), at, sigma: implied, forward });
            rig.quote(id(day), (value - 10.0).max(0.01), value + 10.0);
        }
        rig.judge();
    }
    rig.outcomes().iter().map(|o| o.pnl * 1e4).collect()
}

#[test]
fn over_many_days_it_earns_what_was_dear_and_leaves_what_is_fair() {
    let earned = days(0.65);
    let n = earned.len() as f64;
    let mean = earned.iter().sum::<f64>() / n;
    let deviation = libm::sqrt(earned.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / n);
    // 30 % of capital as margin is about 0.95 straddles of capital; 15 points of volatility of a day are
    // 0.626 % of it, costs 0.2 to 0.3 %. The middle of all defaults.
    assert!(n > 30.0 && mean > 2.0 * deviation / libm::sqrt(n), "{n} {mean} {deviation}");
    assert!((20.0..70.0).contains(&mean), "{n} {mean} {deviation}");
    assert!(days(0.5).is_empty());
}
