//! What takers do in the detail beside what they do in recordings, with bands that both have to lie in.

use super::hive;
use crate::common::recorded::real;
use hive::domain::{Event, InstrumentId, MarketEvent, Span, Stamp};
use hive::market::Feed;
use hive::market::tape::TapeReader;

#[path = "../../src/market/tests/figures.rs"]
mod figures;

use figures::{feed, id, lag, mean, within};

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
        let told = std::iter::from_fn(|| tape.next().unwrap()).filter_map(|event| match event {
            Event::Market(event) => Some(event),
            _ => None,
        });
        let (distance, impact) = prints(file, &flow(told, InstrumentId(0)));
        assert!(impact > 0.7 * distance, "{file}: makers at the best price keep {}", distance - impact);
    }
}
