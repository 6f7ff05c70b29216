//! Options: textbook values, bounds, parity, slopes and the way back from price to volatility.

use super::*;
use proptest::prelude::*;

fn call(strike: f64, years: f64) -> Terms {
    Terms { right: Right::Call, strike, years }
}

fn put(strike: f64, years: f64) -> Terms {
    Terms { right: Right::Put, ..call(strike, years) }
}

#[test]
fn black_scholes_gives_the_textbook_value() {
    // Hull, Options, Futures and Other Derivatives, example 15.6: S 42, K 40, r 10 %, σ 20 %, half a year.
    let c = black_scholes(42.0, 0.10, 0.0, call(40.0, 0.5), 0.20).unwrap();
    let p = black_scholes(42.0, 0.10, 0.0, put(40.0, 0.5), 0.20).unwrap();
    assert!((c.value - 4.759_422).abs() < 1e-6, "{}", c.value);
    assert!((p.value - 0.808_599).abs() < 1e-6, "{}", p.value);
    assert!((c.delta - 0.779_131).abs() < 1e-6 && (p.delta + 0.220_869).abs() < 1e-6);
}

#[test]
fn at_the_money_black_is_the_textbook_multiple_of_volatility() {
    let q = black(100_000.0, 1.0, call(100_000.0, 1.0), 0.5).unwrap();
    // F (2Φ(σ√t/2) − 1) = 100 000 × 0.197 412 651 36
    assert!((q.value - 19_741.265_136).abs() < 1e-5, "{}", q.value);
    let coin = inverse(100_000.0, call(100_000.0, 1.0), 0.5).unwrap();
    assert!((coin.premium - 0.197_412_651_36).abs() < 1e-11);
    assert!((coin.net_delta - (coin.delta - coin.premium)).abs() < 1e-15);
    // At the money forward a call's Black delta is Φ(σ√t/2), and net of the premium one half.
    assert!((coin.net_delta - (0.5 + 0.5 * coin.premium - coin.premium)).abs() < 1e-12);
}

#[test]
fn at_expiry_it_is_worth_what_it_pays() {
    for (settlement, strike) in [(90.0, 100.0), (100.0, 100.0), (130.0, 100.0)] {
        for terms in [call(strike, 0.0), put(strike, 0.0)] {
            let q = black(settlement, 1.0, terms, 0.8).unwrap();
            assert_eq!(q.value, payoff(terms.right, strike, settlement));
            assert_eq!(
                inverse(settlement, terms, 0.8).unwrap().premium,
                inverse_payoff(terms.right, strike, settlement)
            );
        }
    }
    assert_eq!(inverse_payoff(Right::Call, 100.0, 125.0), 0.2);
}

#[test]
fn no_volatility_gives_a_price_outside_the_bounds() {
    let terms = call(90.0, 0.25);
    for price in [-1.0, 0.0, 9.9, 10.0, 100.0, 101.0] {
        assert_eq!(implied_vol(100.0, 1.0, terms, price).unwrap(), None, "{price}");
    }
    assert_eq!(implied_vol(100.0, 1.0, call(90.0, 0.0), 12.0).unwrap(), None, "no time left");
    let vol = implied_vol(100.0, 1.0, terms, 10.5).unwrap().unwrap();
    assert!((black(100.0, 1.0, terms, vol).unwrap().value - 10.5).abs() < 1e-12);
}

#[test]
fn a_price_of_almost_nothing_and_one_of_almost_all_have_their_volatility() {
    for vol in [0.05, 0.3, 3.0, 9.0] {
        let terms = call(200.0, 1.0);
        let price = black(100.0, 1.0, terms, vol).unwrap().value;
        let back = implied_vol(100.0, 1.0, terms, price).unwrap().unwrap();
        assert!((back - vol).abs() < 1e-9 * vol, "{vol} came back as {back}");
    }
}

#[test]
fn what_means_nothing_is_refused_by_name() {
    let t = call(100.0, 1.0);
    assert_eq!(black(f64::NAN, 1.0, t, 0.5).unwrap_err().what, "the forward");
    assert_eq!(black(1.0, 1.0, call(0.0, 1.0), 0.5).unwrap_err().what, "the strike");
    assert_eq!(black(1.0, 1.0, call(1.0, -1.0), 0.5).unwrap_err().what, "the time to expiry");
    assert_eq!(black(1.0, 1.0, t, f64::INFINITY).unwrap_err().what, "the volatility");
    assert_eq!(black_scholes(1.0, f64::NAN, 0.0, t, 0.5).unwrap_err().what, "the rate");
    assert_eq!(implied_vol(1.0, 1.0, t, f64::NAN).unwrap_err().what, "the option price");
}

#[test]
fn fee_and_margin_of_a_short_option() {
    assert!((capped_fee(1.0, 0.02, 0.0003, 0.125) - 0.0003).abs() < 1e-18);
    assert!((capped_fee(1.0, 0.001, 0.0003, 0.125) - 0.000_125).abs() < 1e-18);
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
    fn greeks_are_the_slopes((spot, strike, years, vol, rate) in market()) {
        // Where the curve is steeper than the step of the difference, the slope is not to be had.
        prop_assume!(vol * years.sqrt() > 0.05);
        for terms in [call(strike, years), put(strike, years)] {
            let at = |s: f64, t: f64, v: f64| black_scholes(s, rate, 0.03, Terms { years: t, ..terms }, v).unwrap();
            let q = at(spot, years, vol);
            let (h, t, v) = (spot * 1e-5, years * 1e-5, 1e-5);
            let delta = (at(spot + h, years, vol).value - at(spot - h, years, vol).value) / (2.0 * h);
            let gamma = (at(spot + h, years, vol).delta - at(spot - h, years, vol).delta) / (2.0 * h);
            let vega = (at(spot, years, vol + v).value - at(spot, years, vol - v).value) / (2.0 * v);
            let theta = -(at(spot, years + t, vol).value - at(spot, years - t, vol).value) / (2.0 * t);
            prop_assert!((delta - q.delta).abs() < 1e-5);
            prop_assert!((gamma - q.gamma).abs() * spot < 1e-4);
            prop_assert!((vega / 100.0 - q.vega_per_point).abs() < 1e-7 * spot);
            prop_assert!((theta / 365.25 - q.theta_per_day).abs() < 1e-6 * spot);
        }
    }

    #[test]
    fn volatility_comes_back((forward, strike, years, vol, rate) in market()) {
        let discount = libm::exp(-rate * years);
        for terms in [call(strike, years), put(strike, years)] {
            let q = black(forward, discount, terms, vol).unwrap();
            if let Some(back) = implied_vol(forward, discount, terms, q.value).unwrap() {
                let again = black(forward, discount, terms, back).unwrap().value;
                prop_assert!((again - q.value).abs() <= 1e-11 * forward.max(strike));
                // The volatility itself is known as well as vega allows.
                let known = 1e-13 * forward.max(strike) / q.vega_per_point.max(1e-300);
                prop_assert!((back - vol).abs() <= 1e-9 + known, "{vol} came back as {back}");
            } else {
                // Only where the price has no digit of time value left, or only time value.
                let least = discount * payoff(terms.right, strike, forward);
                let time = (q.value - least) / (discount * forward.min(strike));
                prop_assert!(!(1e-12..=1.0 - 1e-12).contains(&time));
            }
        }
    }

    #[test]
    fn a_coin_option_pays_its_linear_twin_in_coins((forward, strike, years, vol, _) in market()) {
        for terms in [call(strike, years), put(strike, years)] {
            let coin = inverse(forward, terms, vol).unwrap();
            let linear = black(forward, 1.0, terms, vol).unwrap();
            prop_assert!((coin.premium * forward - linear.value).abs() < 1e-12 * forward.max(strike));
            if terms.right == Right::Call {
                prop_assert!(coin.premium <= 1.0 + 1e-12, "a call is never worth more than its coin");
            }
        }
    }
}
