//! Facts of the detail beside those of real files, with bands that both have to lie in.
//!
//! The bands were set by hand from what the files say, and wide: a month of one seed is one sample, and
//! real markets differ more between venues and years than the bands are wide. No family was run to set them.

use crate::figures::{correlation, feed, id, lag, mean, returns, within};
use crate::recorded::real;
use hive_domain::{Event, InstrumentId, MarketEvent, Span};
use hive_market::Feed;
use hive_market::synth::SynthFeed;
use std::collections::BTreeMap;
use std::path::Path;

/// Two columns of a packed CSV by time, rows without a number left out.
fn columns(path: &Path, names: [&str; 2]) -> Vec<(String, f64, f64)> {
    let file = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
    let mut rows = csv::Reader::from_reader(file);
    let head = rows.headers().unwrap().clone();
    let places = names.map(|n| head.iter().position(|h| h == n).unwrap());
    let all = rows.records().map(Result::unwrap);
    all.filter_map(|r| {
        let number = |i: usize| r[places[i]].parse::<f64>().ok();
        Some((r[0].to_owned(), number(0)?, number(1)?))
    })
    .collect()
}

/// Mids of quotes at whole steps, by instrument.
fn mids(mut feed: SynthFeed, step: Span, symbols: &[&str]) -> Vec<Vec<f64>> {
    let ids: Vec<InstrumentId> = symbols.iter().map(|s| id(&feed, s)).collect();
    let mut all = vec![Vec::new(); ids.len()];
    while let Some(event) = feed.next().unwrap() {
        if let Event::Market(MarketEvent::Quote { instrument, at, bid, ask, .. }) = event
            && let Some(i) = ids.iter().position(|x| *x == instrument)
            && at.floor(step) == at
        {
            all[i].push(f64::midpoint(bid, ask));
        }
    }
    all
}

fn moves(name: &str, btc: &[f64], eth: &[f64]) {
    for (coin, r) in [("BTC", btc), ("ETH", eth)] {
        let size: Vec<f64> = r.iter().map(|x| x.abs()).collect();
        let square: Vec<f64> = r.iter().map(|x| x * x).collect();
        let fourth: Vec<f64> = square.iter().map(|x| x * x).collect();
        let of = |what: &str| format!("{name} {coin}, 5 minutes, {what}");
        // Real: 14 and 15 bp (a calm half year), 20 … 30 bp in 2021 and 2022.
        within(&of("standard deviation in bp"), mean(&square).sqrt() * 1e4, 8.0..=40.0);
        // Real: 37 and 62; single jumps make most of it.
        within(&of("kurtosis"), mean(&fourth) / mean(&square).powi(2), 8.0..=150.0);
        // Real: −0.03; embedded −0.06 … −0.08, since a price that meets its hour's high or low turns there.
        within(&of("lag 1"), lag(r, 1), -0.12..=0.08);
        // Real: 0.29 … 0.34, 0.14 … 0.19, 0.09 … 0.12.
        within(&of("size, lag 1"), lag(&size, 1), 0.15..=0.50);
        within(&of("size, an hour"), lag(&size, 12), 0.08..=0.40);
        within(&of("size, a day"), lag(&size, 288), 0.03..=0.30);
    }
    // Real: 0.87, and −0.02 five minutes later.
    within(&format!("{name}, ETH with BTC"), correlation(btc, eth), 0.55..=0.95);
    let n = btc.len() - 1;
    within(&format!("{name}, ETH after BTC"), correlation(&btc[..n], &eth[1..]), -0.08..=0.08);
}

#[test]
fn moves_of_five_minutes_cluster_and_go_together_as_real_ones() {
    let step = Span(5 * Span::MINUTE.0);
    let all = mids(feed(180, step), step, &["BTCUSDT", "ETHUSDT"]);
    moves("embedded", &returns(&all[0]), &returns(&all[1]));
    let Some(path) = real("ohlcv_spot_5m") else { return };
    let close = |coin: &str| -> BTreeMap<String, f64> {
        let rows = columns(&path.join(format!("{coin}_USDT-5m.csv.gz")), ["close", "close"]);
        rows.into_iter().map(|r| (r.0, r.1)).collect()
    };
    let (btc, eth) = (close("BTC"), close("ETH"));
    let both: Vec<(f64, f64)> = btc.iter().filter_map(|(t, b)| Some((*b, *eth.get(t)?))).collect();
    let prices: (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
    moves("real", &returns(&prices.0), &returns(&prices.1));
}

#[test]
fn the_premium_of_perps_over_spot_is_small_and_lasts_for_hours() {
    let premium = |name: &str, p: &[f64]| {
        let bp: Vec<f64> = p.iter().map(|x| x * 1e4).collect();
        let square: Vec<f64> = bp.iter().map(|x| (x - mean(&bp)).powi(2)).collect();
        // Real, Binance's AVAX: mean −1 bp, standard deviation 15 bp, 0.67, 0.52 and 0.46.
        within(&format!("{name}, mean premium in bp"), mean(&bp), -10.0..=10.0);
        within(&format!("{name}, standard deviation in bp"), mean(&square).sqrt(), 3.0..=30.0);
        within(&format!("{name}, an hour"), lag(&bp, 1), 0.5..=0.995);
        within(&format!("{name}, eight hours"), lag(&bp, 8), 0.3..=0.95);
        within(&format!("{name}, a day"), lag(&bp, 24), 0.05..=0.8);
    };
    let all = mids(feed(180, Span::HOUR), Span::HOUR, &["ETHUSDT", "ETH/USDT"]);
    let over = |perp: &[f64], spot: &[f64]| -> Vec<f64> {
        perp.iter().zip(spot).map(|(p, s)| p / s - 1.0).collect()
    };
    premium("embedded", &over(&all[0], &all[1]));
    let file = "xexchange_spot_perp_funding_1h/binance_AVAX_2020-09-22_2026-03-06.csv.gz";
    let Some(path) = real(file) else { return };
    let rows = columns(&path, ["close_perp_binance", "close_spot_binance"]);
    let rows = rows.iter().filter(|r| ("2021-01".."2023-07").contains(&r.0.as_str()));
    let (perp, spot): (Vec<f64>, Vec<f64>) = rows.map(|r| (r.1, r.2)).unzip();
    premium("real", &over(&perp, &spot));
}
