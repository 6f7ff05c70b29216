//! A maker's result is established where it has one sign by through and by touch, and only there: two
//! tapes of one market, in which takers reach a maker's price and no farther, or go through it.

use super::hive;
use hive::domain::instrument::Asset;
use hive::domain::{
    AssetId, ContractTerms, Decimal, Instrument, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp,
    Universe,
};
use hive::market::FeedReport;
use hive::market::tape::{TapeHeader, TapeWriter};
use serde_json::Value;
use std::path::Path;

/// Hours of the tape.
const HOURS: i64 = 30;
const PERP: InstrumentId = InstrumentId(0);

/// One maker that joins the best prices of a market whose tick is half of its spread.
const ROSTER: &str = r#"
config_version = 1

[hive]
name = "maker"
scouts = 8

[preset.automated]

[personality.plain]

[[agent]]
name = "Mia"
family = "market_making"
assets = "BTC"
goal = "automated"
personality = "plain"
params = { aversion = 0.0001, hurdle = 0.2, size = 0.05, cap = 1, calm = 20, after = 2, memory = 10, hold = 100000, age = 5 }
"#;

fn universe() -> Universe {
    let start = Stamp::parse("2022-01-01").unwrap();
    let asset = Asset { id: AssetId(0), name: "BTC".into(), money_like: false, first: start };
    let perp = Instrument {
        id: PERP,
        asset: AssetId(0),
        symbol: "BTCUSDT".into(),
        kind: InstrumentKind::Perp,
        venue: "tape".into(),
        quote: None,
        terms: ContractTerms::Plain,
        tick: Decimal::new(1, 1).into(),
        lot: Decimal::new(1, 3),
        min_notional: Decimal::from(5),
        contract: Decimal::ONE,
    };
    Universe { assets: vec![asset], instruments: vec![perp], by_volume: vec![] }
}

/// A quote of a tick a side each second, and half a second later a print: `mids` of ten at the mid, the
/// others `beyond` ticks past the best price of the buyers and of the sellers in turn. Every five minutes
/// the price falls by four ticks and then rises again, through whatever rests there.
fn write(path: &Path, mids: i64, beyond: i64) {
    let start = Stamp::parse("2022-01-01").unwrap();
    let header = TapeHeader {
        name: "makers".into(),
        universe: universe(),
        tells: vec![hive::market::tape::Tells { bar: None, trades: true, quotes: true }],
        ..TapeHeader::default()
    };
    let mut tape = TapeWriter::new(std::fs::File::create(path).unwrap(), &header).unwrap();
    for second in 0..HOURS * 3_600 {
        let at = start.after(Span::seconds(second + 1));
        // In ticks of 0.1.
        let mid = 2_000 - if second / 300 % 2 == 0 { 0 } else { 4 };
        let price = |ticks: i64| ticks as f64 / 10.0;
        let quote = MarketEvent::Quote {
            instrument: PERP,
            at,
            bid: price(mid - 1),
            ask: price(mid + 1),
            bid_size: 1.0,
            ask_size: 1.0,
        };
        let buys = second % 2 == 0;
        let away = if second / 2 % 10 < mids { 0 } else { 1 + beyond };
        let print = MarketEvent::Trade {
            instrument: PERP,
            at: Stamp(at.0 + 500_000_000),
            price: price(if buys { mid + away } else { mid - away }),
            size: 1_000.0,
            buys,
        };
        tape.push(&quote).unwrap();
        tape.push(&print).unwrap();
    }
    tape.finish(&FeedReport::default()).unwrap();
}

/// The maker's row of the table by family, as a user gets it.
fn row(mids: i64, beyond: i64) -> Value {
    let desk = tempfile::tempdir().unwrap();
    write(&desk.path().join("m.tape"), mids, beyond);
    std::fs::write(desk.path().join("r.toml"), ROSTER).unwrap();
    let run = hive()
        .current_dir(desk.path())
        .args(["backtest", "--agents", "r.toml", "--feed", "tape:m.tape", "--clock", "1h", "--quiet"])
        .args(["--by-family", "--json", "t.json"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let told: Value = serde_json::from_slice(&std::fs::read(desk.path().join("t.json")).unwrap()).unwrap();
    let row = told["rows"][0].clone();
    eprintln!("{row}");
    assert_eq!((row["family"].as_str(), row["level"].as_str()), (Some("market_making"), Some("L1")));
    row
}

fn results(row: &Value) -> (f64, f64, bool) {
    let number = |name: &str| row[name].as_f64().unwrap();
    (number("pnl"), number("pnl_touch"), row["established"].as_bool().unwrap())
}

#[test]
fn a_result_that_depends_on_who_was_first_in_the_queue_is_not_established() {
    // Prints at its price: by touch each of them may be its own, by through only falls and rises are.
    let (through, touch, established) = results(&row(2, 0));
    assert!(through < 0.0 && touch > 0.0, "{through} {touch}");
    assert!(!established);
}

#[test]
fn a_result_of_prints_beyond_its_price_is_established() {
    let (through, touch, established) = results(&row(5, 1));
    assert!(through > 0.0 && touch > 0.0, "{through} {touch}");
    assert!(established);
}
