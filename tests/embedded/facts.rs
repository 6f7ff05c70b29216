//! Facts of the detail beside those of real files, with bands that both have to lie in.
//!
//! The bands were set by hand from what the files say, and wide: a month of one seed is one sample, and
//! real markets differ more between venues and years than the bands are wide. No family was run to set them.

use super::hive;
use hive::domain::{Event, InstrumentId, MarketEvent, Span, Stamp};
use hive::market::Feed;
use hive::market::synth::{AssetSet, Detail, SynthFeed, SynthSettings};
use hive::market::tape::TapeReader;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A real file; none, with the reason, where it is not there.
fn real(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let path = folder.join(name);
    if path.exists() {
        return Some(path.canonicalize().unwrap());
    }
    eprintln!("skipped: no {}; set HIVE_TEST_DATA to the folder with it", path.display());
    None
}

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

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (a, b) = (mean(x), mean(y));
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| f(x - a, y - b)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

fn lag(x: &[f64], k: usize) -> f64 {
    correlation(&x[..x.len() - k], &x[k..])
}

fn returns(prices: &[f64]) -> Vec<f64> {
    prices.windows(2).map(|w| (w[1] / w[0]).ln()).collect()
}

/// Holds a number to its band, and says it.
fn within(what: &str, x: f64, band: std::ops::RangeInclusive<f64>) {
    eprintln!("{what}: {x:.3} in {band:?}");
    assert!(band.contains(&x), "{what}: {x} is not in {band:?}");
}

fn feed(days: u32, step: Span) -> SynthFeed {
    let start = SynthSettings { bars_days: days, ..SynthSettings::default() };
    let assets = AssetSet::parse("BTC+ETH").unwrap();
    let detail = Detail { step, assets, ..Detail::last(days, start.from, days) };
    SynthFeed::new(SynthSettings { detail: Some(detail), ..start }).unwrap()
}

fn id(feed: &SynthFeed, symbol: &str) -> InstrumentId {
    feed.universe().instruments.iter().find(|i| i.symbol == symbol).unwrap().id
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

/// What prints did: their stamp, side, size, distance from the mid before them and where the mid went in the
/// five seconds after, both in bp the taker's way. Prints of one stamp and side are one.
struct Flow {
    at: Vec<Stamp>,
    side: Vec<f64>,
    size: Vec<f64>,
    distance: Vec<f64>,
    impact: Vec<f64>,
}

fn flow(events: impl Iterator<Item = MarketEvent>, id: InstrumentId) -> Flow {
    let mut f = Flow { at: vec![], side: vec![], size: vec![], distance: vec![], impact: vec![] };
    let mut mid = f64::NAN;
    // Mids at prints, and of all quotes since the oldest print whose impact is still to be seen.
    let mut before: Vec<f64> = vec![];
    let mut quotes: Vec<(Stamp, f64)> = vec![];
    for event in events.filter(|e| e.instrument() == Some(id)) {
        match event {
            MarketEvent::Quote { at, bid, ask, .. } => {
                mid = f64::midpoint(bid, ask);
                quotes.push((at, mid));
            }
            MarketEvent::Trade { at, price, size, buys, .. } if mid > 0.0 => {
                let side = if buys { 1.0 } else { -1.0 };
                let distance = (side * (price / mid - 1.0) * 1e4).max(0.0);
                // Sweeps are told price by price, and some venues tell them some milliseconds apart.
                let same = f.at.last().is_some_and(|t| at.since(*t).0 < 2_000_000);
                if same && f.side.last() == Some(&side) {
                    let n = f.size.len() - 1;
                    f.distance[n] = (f.distance[n] * f.size[n] + distance * size) / (f.size[n] + size);
                    f.size[n] += size;
                } else {
                    f.at.push(at);
                    f.side.push(side);
                    f.size.push(size);
                    f.distance.push(distance);
                    before.push(mid);
                }
            }
            _ => {}
        }
    }
    for ((at, side), mid) in f.at.iter().zip(&f.side).zip(before) {
        let then = at.after(Span::seconds(5));
        let place = quotes.partition_point(|q| q.0 <= then);
        if place < quotes.len() && place > 0 {
            f.impact.push(side * (quotes[place - 1].1 / mid - 1.0) * 1e4);
        }
    }
    f
}

/// Facts that real and embedded prints share; gives distance and impact.
fn prints(name: &str, f: &Flow) -> (f64, f64) {
    assert!(f.at.len() > 500, "{name}: {} prints", f.at.len());
    let of = |what: &str| format!("{name}, {what}");
    // Real: 0.11 … 0.55 at lag 1, −0.09 … 0.15 at lag 10: orders come in parts.
    within(&of("side, lag 1"), lag(&f.side, 1), 0.05..=0.65);
    within(&of("side, lag 10"), lag(&f.side, 10), -0.15..=0.30);
    let log: Vec<f64> = f.size.iter().map(|s| s.ln()).collect();
    let spread = (mean(&log.iter().map(|x| x * x).collect::<Vec<_>>()) - mean(&log).powi(2)).sqrt();
    within(&of("logarithm of sizes, standard deviation"), spread, 0.7..=4.0);
    // The mean dollar pays more than the mean print: large orders go deeper.
    let paid = f.distance.iter().zip(&f.size).map(|(d, s)| d * s).sum::<f64>() / f.size.iter().sum::<f64>();
    assert!(paid > mean(&f.distance), "{name}: {paid} for a dollar");
    let (distance, impact) = (mean(&f.distance), mean(&f.impact));
    eprintln!(
        "{name}: a print pays {distance:.2} bp (a dollar {paid:.2}), five seconds later {impact:.2} bp"
    );
    // Who takes knows something: real 0.07 … 0.8 bp.
    within(&of("impact of five seconds in bp"), impact, 0.03..=3.0);
    (distance, impact)
}

#[test]
fn takers_come_in_parts_know_something_and_go_deeper_when_they_are_large() {
    let mut market = feed(3, Span::MINUTE);
    let swap = id(&market, "BTC-USDT-SWAP");
    let all = std::iter::from_fn(|| market.next().unwrap());
    let told = all.filter_map(|e| if let Event::Market(m) = e { Some(m) } else { None });
    let (distance, impact) = prints("embedded", &flow(told, swap));
    // A small venue with a wide spread: a part of what takers pay is left to makers, before they are run
    // over between quotes. On a venue whose spread is a tick there is nothing left, see below.
    within("embedded, impact over distance", impact / distance, 0.2..=0.9);
    for file in ["usdm_btcusdt_20240808.gz", "usdm_ethusdt_20240808.gz", "cm_btcusd_perp_20240808.gz"] {
        let Some(path) = real(&format!("l2_ws_recordings_binance/{file}")) else { return };
        let desk = tempfile::tempdir().unwrap();
        let mut import = hive();
        let import = import.current_dir(desk.path()).args(["data", "import", "--out", "r.tape"]).arg(&path);
        let done = import.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let bytes = std::fs::read(desk.path().join("r.tape")).unwrap();
        let packed = bytes.starts_with(&[0x1f, 0x8b]);
        let from: Box<dyn std::io::Read> = if packed {
            Box::new(flate2::read::MultiGzDecoder::new(&bytes[..]))
        } else {
            Box::new(&bytes[..])
        };
        let mut tape = TapeReader::open(file, from).unwrap();
        let told = std::iter::from_fn(|| tape.next().unwrap());
        let (distance, impact) = prints(file, &flow(told, InstrumentId(0)));
        assert!(impact > 0.7 * distance, "{file}: makers at the best price keep {}", distance - impact);
    }
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
