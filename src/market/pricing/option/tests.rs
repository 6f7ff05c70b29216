//! Options: textbook values, bounds, parity and slopes.

use super::*;
use proptest::prelude::*;

fn call(strike: f64, years: f64) -> OptionTerms {
    OptionTerms { right: Right::Call, strike, years }
}

fn put(strike: f64, years: f64) -> OptionTerms {
    OptionTerms { right: Right::Put, ..call(strike, years) }
}

/// What exercise would pay now.
fn payoff(right: Right, strike: f64, settlement: f64) -> f64 {
    (right.sign() * (settlement - strike)).max(0.0)
}

#[test]
fn black_gives_the_textbook_value() {
    // Hull, Options, Futures and Other Derivatives, example 15.6: S 42, K 40, r 10 %, σ 20 %, half a year.
    let (growth, discount) = (libm::exp(0.05), libm::exp(-0.05));
    let c = black(42.0 * growth, discount, call(40.0, 0.5), 0.20).unwrap();
    let p = black(42.0 * growth, discount, put(40.0, 0.5), 0.20).unwrap();
    assert!((c.value - 4.759_422).abs() < 1e-6, "{}", c.value);
    assert!((p.value - 0.808_599).abs() < 1e-6, "{}", p.value);
    // Of the spot: what the forward's delta is times the growth.
    assert!((c.delta * growth - 0.779_131).abs() < 1e-6 && (p.delta * growth + 0.220_869).abs() < 1e-6);
}

#[test]
fn at_the_money_black_is_the_textbook_multiple_of_volatility() {
    let q = black(100_000.0, 1.0, call(100_000.0, 1.0), 0.5).unwrap();
    // F (2Φ(σ√t/2) − 1) = 100 000 × 0.197 412 651 36
    assert!((q.value - 19_741.265_136).abs() < 1e-5, "{}", q.value);
    // At the money forward a call's delta is Φ(σ√t/2), one half and half of what it costs.
    assert!((q.delta - (0.5 + 0.5 * 0.197_412_651_36)).abs() < 1e-11);
}

#[test]
fn at_expiry_it_is_worth_what_it_pays() {
    for (settlement, strike) in [(90.0, 100.0), (100.0, 100.0), (130.0, 100.0)] {
        for terms in [call(strike, 0.0), put(strike, 0.0)] {
            let q = black(settlement, 1.0, terms, 0.8).unwrap();
            assert_eq!(q.value, payoff(terms.right, strike, settlement));
            assert_eq!((q.gamma, q.vega_per_point), (0.0, 0.0));
            let inside = if q.value > 0.0 { terms.right.sign() } else { 0.0 };
            assert_eq!(q.delta, inside);
        }
    }
}

#[test]
fn without_volatility_it_is_worth_its_discounted_payoff() {
    let q = black(120.0, 0.9, call(100.0, 1.0), 0.0).unwrap();
    assert!((q.value - 18.0).abs() < 1e-12 && (q.delta - 0.9).abs() < 1e-15);
    let q = black(80.0, 0.9, put(100.0, 1.0), 0.0).unwrap();
    assert!((q.value - 18.0).abs() < 1e-12 && (q.delta + 0.9).abs() < 1e-15);
}

#[test]
fn what_means_nothing_is_refused_by_name() {
    let t = call(100.0, 1.0);
    assert_eq!(black(f64::NAN, 1.0, t, 0.5).unwrap_err().what, "the forward");
    assert_eq!(black(1.0, 1.0, call(0.0, 1.0), 0.5).unwrap_err().what, "the strike");
    assert_eq!(black(1.0, 1.0, call(1.0, -1.0), 0.5).unwrap_err().what, "the time to expiry");
    assert_eq!(black(1.0, 1.0, t, f64::INFINITY).unwrap_err().what, "the volatility");
    assert_eq!(black(1.0, 0.0, t, 0.5).unwrap_err().what, "the discount");
}

#[test]
fn margin_of_a_short_option() {
    // At the money: 15 % and 7.5 %; 3 % out: 12 %; far out: the floor of 10 %.
    let m = |right, strike| short_margin(right, strike, 10_000.0, 200.0).unwrap();
    assert_eq!(m(Right::Call, 10_000.0), ShortMargin { initial: 1_700.0, maintenance: 950.0 });
    assert_eq!(m(Right::Call, 10_300.0).initial, 1_400.0);
    assert_eq!(m(Right::Call, 20_000.0).initial, 1_200.0);
    assert_eq!(m(Right::Put, 9_700.0).initial, 1_400.0);
    // A put far in the money is worth more than the underlying: its own price carries the margin.
    let deep = short_margin(Right::Put, 40_000.0, 10_000.0, 30_000.0).unwrap();
    assert_eq!(deep.maintenance, 32_250.0);
    assert_eq!(deep.initial, 32_250.0);
    assert_eq!(short_margin(Right::Call, 0.0, 1.0, 1.0).unwrap_err().what, "the strike");
    assert_eq!(short_margin(Right::Call, 1.0, f64::NAN, 1.0).unwrap_err().what, "the underlying");
    let mark = short_margin(Right::Put, 1.0, 1.0, -1.0).unwrap_err();
    assert_eq!(mark.what, "the mark price of the option");
}

prop_compose! {
    fn market()(
        forward in 1.0_f64..1e5,
        moneyness in -1.5_f64..1.5,
        years in 0.001_f64..3.0,
        vol in 0.02_f64..3.0,
        rate in -0.05_f64..0.2,
    ) -> (f64, f64, f64, f64, f64) {
        (forward, forward * libm::exp(moneyness), years, vol, rate)
    }
}

proptest! {
    #[test]
    fn puts_and_calls_are_at_parity((forward, strike, years, vol, rate) in market()) {
        let discount = libm::exp(-rate * years);
        let c = black(forward, discount, call(strike, years), vol).unwrap();
        let p = black(forward, discount, put(strike, years), vol).unwrap();
        let gap = c.value - p.value - discount * (forward - strike);
        prop_assert!(gap.abs() < 1e-12 * (forward + strike));
        prop_assert!((c.delta - p.delta - discount).abs() < 1e-12);
        prop_assert!((c.gamma - p.gamma).abs() < 1e-12);
    }

    #[test]
    fn values_keep_their_bounds_and_rise_with_volatility((forward, strike, years, vol, rate) in market()) {
        let discount = libm::exp(-rate * years);
        for terms in [call(strike, years), put(strike, years)] {
            let q = black(forward, discount, terms, vol).unwrap();
            let least = discount * payoff(terms.right, strike, forward);
            let most = discount * if terms.right == Right::Call { forward } else { strike };
            prop_assert!(q.value >= least && q.value <= most * (1.0 + 1e-12));
            prop_assert!(q.vega_per_point >= 0.0 && q.gamma >= 0.0);
            let more = black(forward, discount, terms, vol * 1.01).unwrap();
            prop_assert!(more.value >= q.value * (1.0 - 1e-12));
        }
    }

    #[test]
    fn calls_fall_and_puts_rise_with_the_strike((forward, strike, years, vol, _) in market()) {
        let value = |terms| black(forward, 1.0, terms, vol).unwrap().value;
        let slack = 1e-12 * (forward + strike);
        prop_assert!(value(call(strike * 1.05, years)) <= value(call(strike, years)) + slack);
        prop_assert!(value(put(strike * 1.05, years)) >= value(put(strike, years)) - slack);
    }

    #[test]
    fn greeks_are_the_slopes((forward, strike, years, vol, rate) in market()) {
        // Where the curve is steeper than the step of the difference, the slope is not to be had.
        prop_assume!(vol * years.sqrt() > 0.05);
        let discount = libm::exp(-rate * years);
        for terms in [call(strike, years), put(strike, years)] {
            let at = |f: f64, v: f64| black(f, discount, terms, v).unwrap();
            let q = at(forward, vol);
            let (h, v) = (forward * 1e-5, 1e-5);
            let delta = (at(forward + h, vol).value - at(forward - h, vol).value) / (2.0 * h);
            let gamma = (at(forward + h, vol).delta - at(forward - h, vol).delta) / (2.0 * h);
            let vega = (at(forward, vol + v).value - at(forward, vol - v).value) / (2.0 * v);
            prop_assert!((delta - q.delta).abs() < 1e-5);
            prop_assert!((gamma - q.gamma).abs() * forward < 1e-4);
            prop_assert!((vega / 100.0 - q.vega_per_point).abs() < 1e-7 * forward);
        }
    }

    #[test]
    fn value_and_strike_scale_with_the_forward((forward, strike, years, vol, _) in market(), by in 0.01_f64..100.0) {
        let at = |by: f64| black(forward * by, 1.0, call(strike * by, years), vol).unwrap();
        let (one, other) = (at(1.0), at(by));
        prop_assert!((other.value - by * one.value).abs() <= 1e-9 * by * (forward + strike));
        prop_assert!((other.delta - one.delta).abs() < 1e-9);
    }

    #[test]
    fn a_short_option_binds_at_least_what_it_must_keep(
        strike in 1.0_f64..1e5, underlying in 1.0_f64..1e5, mark in 0.0_f64..1e5,
    ) {
        for right in [Right::Call, Right::Put] {
            let m = short_margin(right, strike, underlying, mark).unwrap();
            prop_assert!(m.initial >= m.maintenance && m.maintenance > mark);
            // Further out of the money it binds no more.
            let out = strike * if right == Right::Call { 1.1 } else { 0.9 };
            prop_assert!(short_margin(right, out, underlying, mark).unwrap().initial <= m.initial);
        }
    }
}
