//! The statistics that the facts of a market are stated in; for tests only.

use crate::domain::{Event, MarketEvent};

/// Log closes by instrument of a feed of `n`.
pub(crate) fn closes(events: &[Event]) -> Vec<Vec<f64>> {
    let mut out = vec![Vec::new(); 10];
    for e in events {
        if let Event::Market(MarketEvent::Bar { instrument, bar, .. }) = e {
            out[instrument.index()].push(bar.close.ln());
        }
    }
    out
}

pub(crate) fn returns(closes: &[f64]) -> Vec<f64> {
    closes.windows(2).map(|w| w[1] - w[0]).collect()
}

pub(crate) fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

pub(crate) fn moment(x: &[f64], k: i32) -> f64 {
    let m = mean(x);
    x.iter().map(|v| (v - m).powi(k)).sum::<f64>() / x.len() as f64
}

pub(crate) fn kurtosis(x: &[f64]) -> f64 {
    moment(x, 4) / moment(x, 2).powi(2)
}

pub(crate) fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    let cov: f64 = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum::<f64>() / x.len() as f64;
    cov / (moment(x, 2) * moment(y, 2)).sqrt()
}

pub(crate) fn lagged(x: &[f64], lag: usize) -> f64 {
    correlation(&x[..x.len() - lag], &x[lag..])
}

pub(crate) fn absolute(x: &[f64]) -> Vec<f64> {
    x.iter().map(|v| v.abs()).collect()
}

pub(crate) fn variance_ratio(x: &[f64], q: usize) -> f64 {
    let m = mean(x);
    let sums: Vec<f64> = x.windows(q).map(|w| w.iter().sum::<f64>() - q as f64 * m).collect();
    sums.iter().map(|s| s * s).sum::<f64>() / sums.len() as f64 / q as f64 / moment(x, 2)
}

/// Mean over pairs of different assets.
pub(crate) fn pairs(r: &[Vec<f64>], f: impl Fn(&[f64], &[f64]) -> f64) -> f64 {
    let all: Vec<f64> =
        (0..r.len()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| f(&r[i], &r[j])).collect();
    mean(&all)
}
