//! The embedded market in detail, and figures of what a market says.
// Each program of tests that measures a market uses its part of it.
#![allow(dead_code)]

use hive_domain::{InstrumentId, Span};
use hive_market::Feed;
use hive_market::synth::{AssetSet, Detail, SynthFeed, SynthSettings};

pub fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

pub fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (a, b) = (mean(x), mean(y));
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| f(x - a, y - b)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

pub fn lag(x: &[f64], k: usize) -> f64 {
    correlation(&x[..x.len() - k], &x[k..])
}

pub fn returns(prices: &[f64]) -> Vec<f64> {
    prices.windows(2).map(|w| (w[1] / w[0]).ln()).collect()
}

/// Holds a number to its band, and says it.
pub fn within(what: &str, x: f64, band: std::ops::RangeInclusive<f64>) {
    eprintln!("{what}: {x:.3} in {band:?}");
    assert!(band.contains(&x), "{what}: {x} is not in {band:?}");
}

pub fn feed(days: u32, step: Span) -> SynthFeed {
    let start = SynthSettings { bars_days: days, ..SynthSettings::default() };
    let assets = AssetSet::parse("BTC+ETH").unwrap();
    let detail = Detail { step, assets, ..Detail::last(days, start.from, days) };
    SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap()
}

pub fn id(feed: &SynthFeed, symbol: &str) -> InstrumentId {
    feed.universe().instruments.iter().find(|i| i.symbol == symbol).unwrap().id
}
