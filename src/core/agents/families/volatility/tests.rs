//! A straddle that is bought and one that is sold, against sums by hand; how large they are; and where there is none.

use super::*;
use crate::agents::structures::realised::STEP;
use crate::agents::structures::stage::{self, CAPITAL, ContractRow, OneLife, draws};
use crate::domain::{ContractTerms, FamilyId, InstrumentKind, Reason, SideRule, Stamp, Verb};
use crate::market::pricing::option::{OptionTerms, Right, black, short_margin};
use proptest::prelude::*;

const PERP: InstrumentId = InstrumentId(0);
const CALL: InstrumentId = InstrumentId(1);
const PUT: InstrumentId = InstrumentId(2);
const F: f64 = 100_000.0;
/// Half a spread of every option.
const HALF: f64 = 10.0;
const EXPIRY: Stamp = Stamp(51 * Span::HOUR.0);
/// When the three hours of prices are over that it forecasts from.
const OPENED: Stamp = Stamp(3 * Span::HOUR.0);

fn listed() -> [ContractRow; 3] {
    let option = |call| {
        (InstrumentKind::Option, ContractTerms::Option { expiry: EXPIRY, strike: F, call, inverse: false })
    };
    [(InstrumentKind::Perp, ContractTerms::Plain), option(true), option(false)]
}

/// Three hours in which the perp moved at 30 % per year; no hedge, so that sums can be done by hand.
fn warm(set: &[(&str, f64)]) -> OneLife {
    let quick = [("warm", 2.0), ("nearest", 6.0), ("farthest", 96.0), ("band", 1.0), ("stop", 9.0)];
    let all: Vec<(&str, f64)> = set.iter().chain(&quick).copied().collect();
    let mut rig = OneLife::of_contracts(FamilyId::Volatility, &all, &listed());
    let r = 0.3 / libm::sqrt(STEP.per_year());
    for i in 0..36 {
        let mid = F * libm::exp(if i % 2 == 0 { r } else { 0.0 });
        rig.quote(PERP, mid - 5.0, mid + 5.0);
        rig.pass(STEP);
    }
    assert_eq!(rig.now, OPENED);
    rig
}

/// What one of its options is worth, all in the account's currency.
fn worth(at: Stamp, sigma: f64) -> f64 {
    let years = EXPIRY.since(at).in_units_of(Span::YEAR);
    // At the money a call and a put are worth the same.
    black(F, 1.0, OptionTerms { right: Right::Call, strike: F, years }, sigma).unwrap().value
}

fn vega_per_point(sigma: f64) -> f64 {
    let years = EXPIRY.since(OPENED).in_units_of(Span::YEAR);
    2.0 * black(F, 1.0, OptionTerms { right: Right::Call, strike: F, years }, sigma).unwrap().vega_per_point
}

fn market(rig: &mut OneLife, sigma: f64) {
    let at = rig.now;
    rig.quote(PERP, F - 5.0, F + 5.0);
    for id in [CALL, PUT] {
        rig.tell(MarketEvent::Implied { instrument: id, at, sigma, forward: F });
        rig.quote(id, worth(at, sigma) - HALF, worth(at, sigma) + HALF);
    }
    rig.judge();
}

/// Opens at this implied volatility, is filled a minute later, and is held to exercise at this price: what it
/// gained, and its units of the straddle, signed.
fn held_to_exercise(rig: &mut OneLife, sigma: f64, price: f64) -> (f64, f64) {
    market(rig, sigma);
    rig.pass(Span::MINUTE);
    market(rig, sigma);
    let units = rig.life.legs.of(CALL);
    assert_eq!((rig.life.legs.of(PUT), rig.life.legs.of(PERP)), (units, 0.0));
    rig.now = EXPIRY;
    for id in [CALL, PUT] {
        assert!(rig.tell(MarketEvent::Settled { instrument: id, at: EXPIRY, price }));
    }
    rig.judge();
    let last = rig.actions().pop().unwrap();
    assert_eq!((last.verb, last.reason), (Verb::Close, Reason::Settled));
    rig.pass(Span::seconds(60));
    rig.judge();
    (rig.outcomes()[0].pnl * CAPITAL, units)
}

#[test]
fn cheap_volatility_is_bought_and_the_straddle_pays_what_the_price_moved_less_its_cost() {
    let mut rig = warm(&[("vega", 0.001), ("gamma", 1.0)]);
    let (gained, units) = held_to_exercise(&mut rig, 0.15, 102_500.0);
    assert_eq!(rig.actions()[0].side(), 1.0);
    assert!(units > 0.0);
    // The offers of the minute after and 0.03 % of the underlying each; the call pays 2500 less 0.015 % of the
    // settlement, the put nothing and for nothing.
    let paid = 2.0 * (worth(OPENED.after(Span::MINUTE), 0.15) + HALF + 30.0);
    let by_hand = units * (2_500.0 - 0.000_15 * 102_500.0 - paid);
    assert!((gained - by_hand).abs() < 1e-6, "{gained} {by_hand}");
    assert!(gained > 0.0);
}

#[test]
fn dear_volatility_is_sold_and_the_straddle_loses_what_the_price_moved_beyond_its_premium() {
    let mut rig = warm(&[("vega", 0.001), ("gamma", 1.0)]);
    let (gained, units) = held_to_exercise(&mut rig, 0.6, 92_000.0);
    assert_eq!(rig.actions()[0].side(), -1.0);
    assert!(units < 0.0);
    let got = 2.0 * (worth(OPENED.after(Span::MINUTE), 0.6) - HALF - 30.0);
    let by_hand = -units * (got - 8_000.0 - 0.000_15 * 92_000.0);
    assert!((gained - by_hand).abs() < 1e-6, "{gained} {by_hand}");
    assert!(gained < 0.0);
}

#[test]
fn what_its_delivery_costs_is_capped_at_an_eighth_of_what_it_pays() {
    let mut rig = warm(&[("vega", 0.001), ("gamma", 1.0)]);
    // A point in the money: 0.015 % of the underlying would be fifteen.
    let (gained, units) = held_to_exercise(&mut rig, 0.15, 100_001.0);
    let paid = 2.0 * (worth(OPENED.after(Span::MINUTE), 0.15) + HALF + 30.0);
    let by_hand = units * (1.0 - 0.125 - paid);
    assert!((gained - by_hand).abs() < 1e-6, "{gained} {by_hand}");
}

#[test]
fn between_the_margins_nothing_is_opened() {
    let opens = |implied: f64, margin: f64| {
        let mut rig = warm(&[("margin", margin)]);
        market(&mut rig, implied);
        rig.actions().len()
    };
    assert_eq!([0.15, 0.28, 0.31, 0.6].map(|implied| opens(implied, 0.02)), [1, 0, 0, 1]);
    // The same difference, and a margin that is more than it.
    assert_eq!([0.15, 0.6].map(|implied| opens(implied, 0.5)), [0, 0]);
}

/// Base units of what it would open at this implied volatility.
fn units(set: &[(&str, f64)], implied: f64) -> f64 {
    let mut rig = warm(set);
    market(&mut rig, implied);
    let call = rig.life.legs.orders.iter().find(|o| o.instrument == CALL);
    libm::fabs(call.map_or(0.0, |o| o.quantity))
}

#[test]
fn it_is_as_large_as_its_vega_its_gamma_and_its_margin_allow_whatever_comes_first() {
    let near = |got: f64, wanted: f64| assert!((got - wanted).abs() <= 1e-4 + 1e-9, "{got} {wanted}");
    let forecast = {
        let mut rig = warm(&[]);
        market(&mut rig, 0.6);
        rig.values().of(Indicator::Forecast)
    };
    let of_vega = 0.001 * CAPITAL / vega_per_point(forecast);
    near(units(&[("vega", 0.001), ("gamma", 1.0), ("bound", 1.0)], 0.6), of_vega);
    near(units(&[("vega", 0.000_5), ("gamma", 1.0), ("bound", 1.0)], 0.6), 0.5 * of_vega);
    let years = EXPIRY.since(OPENED).in_units_of(Span::YEAR);
    let gamma =
        2.0 * black(F, 1.0, OptionTerms { right: Right::Put, strike: F, years }, forecast).unwrap().gamma;
    // Three deviations of a day at the larger of the two volatilities.
    let leap = 3.0 * 0.6 / libm::sqrt(365.25) * F;
    let of_gamma = 0.01 * CAPITAL / (0.5 * gamma * leap * leap);
    near(units(&[("vega", 0.05), ("gamma", 0.01), ("bound", 1.0)], 0.6), of_gamma);
    let each = [Right::Call, Right::Put].map(|r| short_margin(r, F, F, worth(OPENED, 0.6)).unwrap().initial);
    let of_margin = 0.2 * CAPITAL / (each[0] + each[1]);
    near(units(&[("vega", 0.05), ("gamma", 1.0), ("bound", 0.2)], 0.6), of_margin);
}

#[test]
fn a_side_that_it_may_not_take_is_left_alone() {
    for (side, implied, opened) in [
        (SideRule::Long, 0.6, 0),
        (SideRule::Short, 0.6, 1),
        (SideRule::Long, 0.15, 1),
        (SideRule::Short, 0.15, 0),
    ] {
        let mut rig = warm(&[]);
        rig.side = side;
        market(&mut rig, implied);
        assert_eq!(rig.actions().len(), opened, "{side} at {implied}");
    }
}

#[test]
fn where_no_options_are_listed_there_is_no_straddle_and_it_says_why() {
    let perp = stage::listed(&[(InstrumentKind::Perp, ContractTerms::Plain)]);
    let p = stage::parameters(FamilyId::Volatility, &[]);
    let why = VolatilityFamily::in_legs(&p, (stage::COIN, &[]), &perp).unwrap_err();
    assert!(why.contains("a call and a put"), "{why}");
    let bars = VolatilityFamily::at_bars(&p);
    assert!(matches!(bars.subscriptions(), Subscriptions::Bars(keys) if keys.len() == 5));
    assert!(bars.ears().is_empty() && !bars.is_hedged());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_that_is_random_makes_it_say_nonsense(events in draws(), opened: bool) {
        let mut rig = warm(&[("stale", 120.0)]);
        if opened {
            market(&mut rig, 0.6);
        }
        rig.chaos(&events, Span::seconds(120), |id| if id == PERP { F } else { 1_000.0 });
    }

    #[test]
    fn no_size_is_over_any_of_its_bounds(
        implied in 0.05_f64..2.0, vega in 0.000_1_f64..0.01, gamma in 0.002_f64..0.2, bound in 0.05_f64..1.0,
    ) {
        let units = units(&[("vega", vega), ("gamma", gamma), ("bound", bound)], implied);
        let each = [Right::Call, Right::Put]
            .map(|r| short_margin(r, F, F, worth(OPENED, implied)).unwrap().initial);
        prop_assert!(units * (each[0] + each[1]) <= bound * CAPITAL * (1.0 + 1e-9));
        prop_assert!(units * vega_per_point(0.3) <= vega * CAPITAL * 1.01);
    }
}
