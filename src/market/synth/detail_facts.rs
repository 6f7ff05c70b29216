//! The facts of the detail that the module's documentation states.

use super::detail_tests::{id, minutes, play, settings};
use super::facts::{correlation, mean, moment};
use super::*;
use crate::domain::{AssetId, ContractTerms, Event, InstrumentId, MarketEvent};
use std::collections::BTreeMap;

/// Minute series of a month: what the facts are stated of.
#[derive(Default)]
struct MinuteSeries {
    perp: Vec<f64>,
    index: Vec<f64>,
    spot: [Vec<f64>; 2],
    lean: Vec<f64>,
    half: Vec<f64>,
    triangle: Vec<f64>,
    quotes: Vec<[f64; 4]>,
}

fn month() -> (MinuteSeries, Vec<Event>) {
    let mut s = MinuteSeries::default();
    let mut funding = Vec::new();
    let mut top = BTreeMap::new();
    let mut names = Vec::new();
    play(settings(30, 30, minutes(1), false), |e, listed| {
        if names.is_empty() {
            names =
                ["BTCUSDT", "BTC/USDT", "BTC-USDT", "ETH/USDT", "ETH/BTC"].map(|n| id(listed, n)).to_vec();
        }
        match *e {
            Event::Market(MarketEvent::Quote { instrument, bid, ask, bid_size, ask_size, .. }) => {
                let mid = f64::midpoint(bid, ask);
                top.insert(instrument, (bid, ask));
                if instrument == names[0] {
                    s.perp.push(mid);
                    s.lean.push((bid_size - ask_size) / (bid_size + ask_size));
                    s.half.push((ask - bid) / 2.0 / mid);
                } else if instrument == names[1] {
                    s.spot[0].push(mid);
                } else if instrument == names[2] {
                    s.spot[1].push(mid);
                    let (a, b) = (top[&names[1]], top[&names[2]]);
                    s.quotes.push([a.0, a.1, b.0, b.1]);
                } else if instrument == names[4] {
                    let (btc, eth) = (top[&names[1]], top[&names[3]]);
                    // Either way round, before fees.
                    let one = eth.0 / (ask * btc.1);
                    let other = bid * btc.0 / eth.1;
                    s.triangle.push(one.max(other) - 1.0);
                }
            }
            Event::Market(MarketEvent::Mark { instrument, index, .. }) if instrument == names[0] => {
                s.index.push(index);
            }
            Event::Market(MarketEvent::Funding { .. }) => funding.push(*e),
            _ => {}
        }
    });
    (s, funding)
}

#[test]
fn venues_have_the_facts_that_are_documented() {
    let (s, funding) = month();
    let n = s.perp.len();
    assert_eq!(n, 30 * 1_440);
    let next: Vec<f64> = s.perp.windows(2).map(|w| w[1] / w[0] - 1.0).collect();
    let ahead = correlation(&s.lean[..n - 1], &next);
    assert!((0.08..0.2).contains(&ahead), "imbalance: {ahead}");
    let minute = moment(&next, 2).sqrt();
    assert!((5e-4..15e-4).contains(&minute) && mean(&s.half) < 0.2 * minute, "a spread that can be earned");
    let gap: Vec<f64> = s.spot[0].iter().zip(&s.spot[1]).map(|(a, b)| b / a - 1.0).collect();
    let lag = |x: &[f64], k: usize| correlation(&x[..x.len() - k], &x[k..]);
    assert!(lag(&gap, 1) > 0.8 && lag(&gap, 60) < 0.3);
    let edge: Vec<f64> = s.quotes.iter().map(|q| (q[0] / q[3]).max(q[2] / q[1]) - 1.0).collect();
    let share = |x: &[f64], cost: f64| x.iter().filter(|e| **e > cost).count() as f64 / x.len() as f64;
    assert!((0.002..0.08).contains(&share(&edge, 2e-3)));
    assert!((0.0005..0.05).contains(&share(&s.triangle, 3e-3)));
    // The premium of eight hours is what the settlement at their end is made from.
    let premium: Vec<f64> = s.perp.iter().zip(&s.index).map(|(p, i)| p / i - 1.0).collect();
    let perp = InstrumentId(3);
    let rates: Vec<(usize, f64)> = funding
        .iter()
        .filter_map(|e| match *e {
            Event::Market(MarketEvent::Funding { instrument, at, rate, .. }) if instrument == perp => {
                Some(((at.since(SynthSettings::default().from).0 / minutes(1).0) as usize, rate))
            }
            _ => None,
        })
        .collect();
    let mut worst = 0.0_f64;
    for &(end, rate) in rates.iter().filter(|r| r.0 >= 480) {
        let held = mean(&premium[end - 480..end]);
        worst = worst.max((super::path::funding_rate(held) - rate).abs());
    }
    assert!(rates.len() >= 89 && worst < 5e-5, "{worst}");
    let beta = funding.iter().filter(|e| matches!(e, Event::Market(MarketEvent::Funding { instrument, .. }) if instrument.index() >= 10)).count();
    assert_eq!(beta, 3 * 89, "beta settles from the second settlement on");
}

#[test]
fn moves_inside_hours_have_the_variance_of_hours() {
    let (mut inner, mut outer) = (BTreeMap::<InstrumentId, f64>::new(), BTreeMap::<InstrumentId, f64>::new());
    let mut last = BTreeMap::new();
    let s = SynthSettings { clock: Span::HOUR, ..settings(700, 700, minutes(20), false) };
    play(s, |e, _| match *e {
        Event::Market(MarketEvent::Mark { instrument, mark, .. }) if instrument.index() < 10 => {
            if let Some(before) = last.insert(instrument, mark) {
                *inner.entry(instrument).or_default() += (mark / before).ln().powi(2);
            }
        }
        Event::Market(MarketEvent::Bar { instrument, bar, .. }) => {
            *outer.entry(instrument).or_default() += (bar.close / bar.open).ln().powi(2);
        }
        _ => {}
    });
    for (instrument, inner) in inner {
        let ratio = inner / outer[&instrument];
        assert!((0.85..1.15).contains(&ratio), "{ratio}");
    }
}

#[test]
fn futures_converge_and_their_basis_is_positive_on_average_and_varies() {
    let mut basis = Vec::new();
    let mut near = Vec::new();
    play(settings(360, 360, Span::HOUR, false), |e, listed| {
        if let Event::Market(MarketEvent::Mark { instrument, at, mark, index }) = *e
            && let ContractTerms::Future { expiry } = listed[instrument.index()].terms
            && expiry > at
        {
            let years = expiry.since(at).in_units_of(Span::YEAR);
            if expiry.since(at) < Span::DAY {
                near.push((mark / index - 1.0).abs());
            } else {
                basis.push((mark / index - 1.0) / years);
            }
        }
    });
    let (m, sd) = (mean(&basis), moment(&basis, 2).sqrt());
    assert!((0.02..0.10).contains(&m) && (0.02..0.08).contains(&sd));
    assert!(near.iter().all(|b| *b < 1e-3));
}

#[test]
fn implied_volatility_pays_a_premium_that_varies() {
    // Daily: the index of implied volatility, and what the thirty days after it realised.
    let (mut vol, mut close) = (Vec::new(), Vec::new());
    play(settings(720, 720, Span::HOUR, false), |e, _| match *e {
        Event::Market(MarketEvent::VolIndex { asset: AssetId(3), at, sigma })
            if at.floor(Span::DAY) == at =>
        {
            vol.push(sigma);
        }
        Event::Market(MarketEvent::Bar { instrument: InstrumentId(3), bar, .. }) => {
            close.push(bar.close.ln());
        }
        _ => {}
    });
    let r: Vec<f64> = close.windows(2).map(|w| w[1] - w[0]).collect();
    let realised = |day: usize| {
        let r = &r[day * 6..(day + 30) * 6];
        (r.iter().map(|x| x * x).sum::<f64>() / 180.0 * Span(4 * Span::HOUR.0).per_year()).sqrt()
    };
    let gap: Vec<f64> = (0..vol.len() - 32).map(|d| vol[d] - realised(d)).collect();
    assert!((0.01..0.15).contains(&mean(&gap)), "{}", mean(&gap));
    assert!(moment(&gap, 2).sqrt() > 0.05 && gap.iter().any(|g| *g < 0.0));
}

#[test]
fn pools_follow_the_index_within_the_fee_most_of_the_time() {
    let mut index = f64::NAN;
    let mut inside = BTreeMap::new();
    let mut swapped: BTreeMap<InstrumentId, f64> = BTreeMap::new();
    let (mut gas_low, mut gas_high) = (f64::MAX, 0.0_f64);
    // Fees of a unit of liquidity, and what moves of the index take from it, in parts of one side.
    let (mut earned, mut lost) = (BTreeMap::<u32, f64>::new(), 0.0);
    play(settings(14, 14, minutes(1), false), |e, listed| match *e {
        Event::Market(MarketEvent::Mark { instrument, index: i, .. })
            if listed[instrument.index()].symbol == "ETHUSDT" =>
        {
            if index > 0.0 {
                lost += (i / index).ln().powi(2) / 4.0;
            }
            index = i;
        }
        Event::Market(MarketEvent::Pool { instrument, price, swapped: s, gas, liquidity, .. }) => {
            let ContractTerms::Pool { fee_ppm, .. } = listed[instrument.index()].terms else {
                panic!("a pool")
            };
            let fee = f64::from(fee_ppm) / 1e6;
            let x = inside.entry(fee_ppm).or_insert((0.0, 0.0, 0.0_f64));
            let off = (price / index - 1.0).abs();
            *x = (x.0 + f64::from(u8::from(off <= fee / (1.0 - fee) + 1e-9)), x.1 + 1.0, x.2.max(off));
            *swapped.entry(instrument).or_default() += s;
            *earned.entry(fee_ppm).or_default() += s * fee / (liquidity * price.sqrt());
            (gas_low, gas_high) = (gas_low.min(gas), gas_high.max(gas));
            assert!(liquidity > 0.0);
        }
        _ => {}
    });
    for (fee, (inside, all, worst)) in &inside {
        assert!(inside / all > 0.6 && *worst < 0.01 + f64::from(*fee) / 1e6);
    }
    assert!(swapped.len() == 2 && gas_high / gas_low > 4.0);
    eprintln!("inside, all, worst: {inside:?}; swapped {swapped:?}; gas {gas_low} … {gas_high}");
    // Polygon, five days of August 2023, 5 bp: 0.7 together, 1.4 … 2.7 on calm days, 0.6 on a wild one.
    let pays = |fee: u32| earned[&fee] / lost;
    eprintln!("fees over losses: v3 {:.2}, v2 {:.2}", pays(500), pays(3_000));
    assert!((0.4..1.4).contains(&pays(500)), "{}", pays(500));
    assert!((0.8..3.5).contains(&pays(3_000)), "{}", pays(3_000));
}
