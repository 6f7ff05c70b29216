//! Each format from small rows written by hand: what is told, what is refused, what is counted.

mod contracts;
mod doors;

use super::*;
use crate::domain::{
    Bar, ContractTerms, Event, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp, Universe,
};
use crate::market::source::{SourceBytes as Text, SourceFile, Window};
use crate::market::tape::TapeReader;
use crate::market::{FeedError, Market};
use std::fmt::Write as _;

/// What an import made of files.
#[derive(Debug)]
struct ImportedFiles {
    written: WrittenTape,
    events: Vec<MarketEvent>,
    files: Vec<FileSurvey>,
}

impl ImportedFiles {
    fn universe(&self) -> &Universe {
        &self.written.header.universe
    }

    /// The number of an instrument by its symbol and kind.
    fn id(&self, symbol: &str, kind: InstrumentKind) -> InstrumentId {
        let all = &self.universe().instruments;
        all.iter().find(|i| i.symbol == symbol && i.kind == kind).unwrap_or_else(|| panic!("{all:?}")).id
    }

    fn bars(&self, id: InstrumentId) -> Vec<(Stamp, Bar)> {
        let bar = |e: &MarketEvent| match *e {
            MarketEvent::Bar { instrument, at, bar } if instrument == id => Some((at, bar)),
            _ => None,
        };
        self.events.iter().filter_map(bar).collect()
    }
}

fn made(settings: &ImportSettings, files: &[(&str, &str)]) -> Result<ImportedFiles, FeedError> {
    let open =
        |(name, text): &(&str, &str)| Box::new(Text::new(name, text.as_bytes())) as Box<dyn SourceFile>;
    let mut sources: Vec<Box<dyn SourceFile>> = files.iter().map(open).collect();
    let survey = survey(settings, &mut sources)?;
    let (written, bytes) = survey.write(&sources, Vec::new())?;
    let mut reader = TapeReader::open("made", bytes.as_slice())?;
    let mut events = Vec::new();
    while let Some(event) = reader.next()? {
        let Event::Market(event) = event else { panic!("{event:?}") };
        events.push(event);
    }
    assert_eq!(written.events, events.len() as u64);
    Ok(ImportedFiles { written, events, files: survey.files })
}

fn import(files: &[(&str, &str)]) -> ImportedFiles {
    made(&ImportSettings { name: "test".to_owned(), ..ImportSettings::default() }, files).unwrap()
}

fn t(text: &str) -> Stamp {
    Stamp::parse(text).unwrap()
}

const BTC: (&str, &str) = (
    "d/BTC_USDT-1m.json",
    "[[1609459200000,100,101,99,100.5,5],[1609459260000,100.5,102,100,101,6],[1609459320000,101,101,101,101,0]]",
);

#[test]
fn bars_of_several_pairs_become_a_triangle() {
    let made = import(&[
        BTC,
        (
            "d/ETH_BTC-1m.json",
            "[[1609459200000,0.05,0.06,0.04,0.055,7],[1609459260000,0.055,0.055,0.055,0.055,1]]",
        ),
        (
            "d/ETH_USDT-1m.csv",
            "timestamp,open,high,low,close,volume\n2021-01-01T00:00:00Z,5,6,4,5,1\n2021-01-01T00:01:00Z,5,5,5,5,1\n",
        ),
    ]);
    let u = made.universe();
    let names: Vec<&str> = u.assets.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["BTC", "ETH"]);
    let symbols: Vec<&str> = u.instruments.iter().map(|i| i.symbol.as_str()).collect();
    // The desk's first, one an asset; what is quoted in coins follows.
    assert_eq!(symbols, ["BTCUSDT", "ETHUSDT", "ETHBTC"]);
    let cross = &u.instruments[2];
    assert_eq!((cross.quote, cross.asset), (Some(u.assets[0].id), u.assets[1].id));
    assert_eq!((u.instruments[0].quote, u.instruments[0].kind), (None, InstrumentKind::Margin));
    // A bar is told at its close.
    let first = Bar { open: 100.0, high: 101.0, low: 99.0, close: 100.5, volume: 5.0 };
    assert_eq!(made.bars(InstrumentId(0))[0], (t("2021-01-01T00:01:00Z"), first));
    assert_eq!(made.events.len(), 7);
    assert!(made.events.windows(2).all(|w| w[0].at() <= w[1].at()));
}

#[test]
fn bad_rows_duplicates_gaps_and_absurd_prices_are_counted_and_named() {
    let mut settings = ImportSettings { name: "test".to_owned(), ..ImportSettings::default() };
    let files = [(
        "kraken_BTCUSD_1h.csv",
        "date,open,high,low,close,volume\n\
         2021-01-01 00:00:00,10,11,9,10,1\n\
         2021-01-01 00:00:00,10,11,9,10,1\n\
         2021-01-01 01:00:00,10,9,11,10,1\n\
         2021-01-01 01:00:00,10,x,9,10,1\n\
         never,10,11,9,10,1\n\
         2021-01-01 02:00:00,10,11\n\
         2021-01-01 01:00:00,10,11,9,10,1\n\
         2021-01-01 02:00:00,500,500,500,500,1\n\
         2021-01-01 03:00:00,500,500,500,500,1\n\
         2021-01-01 05:00:00,500,500,500,500,-1\n\
         2021-01-01 06:00:00,500,500,500,500,1\n",
    )];
    let why = made(&settings, &files).unwrap_err().to_string();
    assert!(why.contains("line 9: at 2021-01-01T02:00:00Z the price goes from 10 to 500"), "{why}");
    settings.choices.set("jumps", "keep").unwrap();
    let made = made(&settings, &files).unwrap();
    let f = &made.files[0].findings;
    assert_eq!((f.bad.count, f.duplicates.count, f.gaps.count, f.absurd.count), (5, 1, 1, 1), "{f:?}");
    assert_eq!(f.bad.first[0], "line 4: high 9 is below low 11");
    assert!(f.duplicates.first[0].starts_with("line 3: "));
    assert_eq!(f.gaps.first[0], "line 12: nothing for 3h after 2021-01-01T03:00:00Z");
    assert!(f.absurd.first[0].starts_with("line 9: a close of 500 after 10"));
    assert_eq!((made.written.report.bad_rows, made.written.report.duplicates), (5, 1));
    assert!(made.written.report.first_bad[0].starts_with("kraken_BTCUSD_1h.csv, line 4"));
    assert_eq!(made.events.len(), 5);
    assert_eq!(made.universe().instruments[0].venue, "kraken");
}

#[test]
fn newest_first_is_put_in_order() {
    let made = import(&[(
        "bitstamp_BTCUSD_1h.csv",
        "https://somewhere\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n\
         1609466400,2021,BTC/USD,3,3,3,3,600,200\n\
         1609462800.0,2021,BTC/USD,2,2,2,2,300,600\n\
         1609459200,2021,BTC/USD,1,1,1,1,500,500\n",
    )]);
    let bars: Vec<(Stamp, f64, f64)> =
        made.bars(InstrumentId(0)).iter().map(|(at, b)| (*at, b.close, b.volume)).collect();
    let hour = |h: i64| t("2021-01-01").after(Span(h * Span::HOUR.0));
    // The two volumes of the last row stood in each other's columns.
    assert_eq!(bars, [(hour(1), 1.0, 500.0), (hour(2), 2.0, 300.0), (hour(3), 3.0, 200.0)]);
    assert_eq!(made.files[0].findings.unsorted.count, 2);
    assert!(made.written.header.notes[0].contains("change places in 1 rows"));
}

#[test]
fn ftx_volumes_are_in_dollars() {
    let made = import(&[(
        "ohlcv_ftx_perp_1m/btc-perp-2021_1m.csv",
        "timestamp,open,high,low,close,volume\n2021-12-31 23:01:00.000000,50,50,50,50,100\n",
    )]);
    assert_eq!(made.bars(made.id("BTC", InstrumentKind::Perp))[0].1.volume, 2.0);
}

#[test]
fn one_instrument_has_bars_of_one_length() {
    let hours = "date,close\n2021-01-01 00:00:00,1\n2021-01-01 01:00:00,1\n2021-01-01 02:00:00,1\n";
    let days = "date,close\n2021-01-01,1\n2021-01-02,1\n2021-01-03,1\n";
    let files = [("BTCUSDT_1h.csv", hours), ("BTCUSDT_1d.csv", days)];
    let why = made(&ImportSettings::default(), &files).unwrap_err().to_string();
    assert!(why.contains("BTCUSDT has bars of") && why.contains("--bar"), "{why}");
}

#[test]
fn options_of_the_import_are_stronger_than_names() {
    let settings = ImportSettings {
        venue: Some("okx".to_owned()),
        kind: Some(InstrumentKind::Spot),
        window: Window {
            from: Some(t("2021-01-01T00:01:00Z")),
            to: Some(t("2021-01-01T00:02:00Z")),
            assets: Some(vec!["BTC".to_owned()]),
        },
        ..ImportSettings::default()
    };
    let other = ("binance_LTC_USDT-1m.json", "[[1609459200000,1,1,1,1,1],[1609459260000,1,1,1,1,1]]");
    let made = made(&settings, &[BTC, other]).unwrap();
    let one = &made.universe().instruments[0];
    assert_eq!((one.venue.as_str(), one.kind, one.symbol.as_str()), ("okx", InstrumentKind::Spot, "BTCUSDT"));
    assert_eq!((made.universe().instruments.len(), made.events.len()), (1, 1));
}

#[test]
fn a_format_that_nobody_knows_lists_those_that_are_known() {
    let why =
        made(&ImportSettings::default(), &[("x.csv", "what,is,this\n1,2,3\n")]).unwrap_err().to_string();
    for word in ["x.csv", "--format", "ohlcv", "binance-ws", "pool-minutes"] {
        assert!(why.contains(word), "{why}");
    }
    let lenient = ImportSettings { lenient: true, ..ImportSettings::default() };
    let mut sources: Vec<Box<dyn SourceFile>> = vec![Box::new(Text::new("x.csv", &b"what\n1\n"[..]))];
    assert_eq!(survey(&lenient, &mut sources).unwrap().files[0].format, None);
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let cut = ("BTC_USDT-1m.json", "[[1609459200000,100,101,99,100.5,5],[1609459260000,100");
    let why = made(&ImportSettings::default(), &[cut]).unwrap_err().to_string();
    assert!(why.contains("BTC_USDT-1m.json") && why.contains("cut off"), "{why}");
}

#[test]
fn funding_follows_the_bar_and_has_its_mark_where_it_is_told() {
    let made = import(&[
        (
            "binance_perp_BTCUSDT_1h.csv",
            "date,close\n2021-01-01 06:00:00,90\n2021-01-01 07:00:00,100\n2021-01-01 08:00:00,110\n2021-01-01 09:00:00,120\n",
        ),
        (
            "binance_funding_BTCUSDT.csv",
            "symbol,funding_time,funding_rate,mark_price\n\
             BTCUSDT,2021-01-01 00:00:00+00:00,0.0001,\n\
             BTCUSDT,2021-01-01 08:00:00+00:00,0.0002,\n\
             BTCUSDT,2021-01-01 10:00:00+00:00,0.0003,119\n\
             BTCUSDT,2021-01-01 11:00:00+00:00,0.5,119\n",
        ),
    ]);
    let paid: Vec<(Stamp, f64, f64)> = made
        .events
        .iter()
        .filter_map(|e| match *e {
            MarketEvent::Funding { at, rate, mark, .. } => Some((at, rate, mark)),
            _ => None,
        })
        .collect();
    // Its mark is the price of the bar that opens then, which is known once that is over: who runs the tape takes it.
    let told: Vec<(Stamp, f64, bool)> =
        paid.iter().map(|(at, rate, mark)| (*at, *rate, mark.is_nan())).collect();
    let at = |hour: &str| t(&format!("2021-01-01T{hour}:00:00Z"));
    assert_eq!(told, [(at("00"), 0.0001, true), (at("08"), 0.0002, true), (at("10"), 0.0003, false)]);
    assert_eq!(paid[2].2, 119.0);
    // A rate in other units.
    assert_eq!(made.written.report.bad_rows, 1, "{:?}", made.written.report);
    let settled =
        made.events.iter().rposition(|e| matches!(e, MarketEvent::Funding { rate: 0.0002, .. })).unwrap();
    assert!(
        matches!(made.events[settled - 1], MarketEvent::Bar { at, .. } if at == t("2021-01-01T08:00:00Z"))
    );
}

#[test]
fn funding_that_was_stamped_ahead_is_moved_back() {
    let rows = "Symbol,Date,Funding Rate\nBTC-USDT,2021-01-01 03:00:00.001,0.0001\n";
    let bars = "date,close\n2020-12-31 22:00:00,90\n2020-12-31 23:00:00,90\n";
    for (venue, at) in [("bybit", "2021-01-01T00:00:00.001Z"), ("gate", "2021-01-01T03:00:00.001Z")] {
        let name = format!("BTC-USDT_{venue}_funding_history.csv");
        let made = import(&[(&name, rows), ("okx_BTCUSDT_1h.csv", bars)]);
        assert_eq!(made.events.last().map(MarketEvent::at), Some(t(at)), "{venue}");
    }
}

#[test]
fn spot_and_perp_stand_side_by_side() {
    let made = import(&[(
        "xexchange_1h/okx_SOL_2021.csv",
        "timestamp,open_perp_okx,high_perp_okx,low_perp_okx,close_perp_okx,volume_perp_okx,vwap_perp_okx,\
         open_spot_okx,high_spot_okx,low_spot_okx,close_spot_okx,volume_spot_okx,mark_price_okx,funding_rate_raw_okx\n\
         2021-01-01T06:00:00Z,,,,,,,1,2,1,2,9,,\n\
         2021-01-01T07:00:00Z,2,3,2,3,8,2,2,3,2,3,9,2.9,0.0001\n\
         2021-01-01T08:00:00Z,3,3,3,3,8,3,3,3,3,3,9,3.1,0.0002\n",
    )]);
    let (spot, perp) = (made.id("SOLUSDT", InstrumentKind::Margin), made.id("SOLUSDT", InstrumentKind::Perp));
    assert_eq!((made.bars(spot).len(), made.bars(perp).len()), (3, 2));
    let told: Vec<MarketEvent> =
        made.events.iter().filter(|e| !matches!(e, MarketEvent::Bar { .. })).copied().collect();
    assert_eq!(
        told,
        [
            // The mark is that of the end of its hour; the rate settles once in eight.
            MarketEvent::Mark { instrument: perp, at: t("2021-01-01T08:00:00Z"), mark: 2.9, index: 3.0 },
            MarketEvent::Funding { instrument: perp, at: t("2021-01-01T08:00:00Z"), rate: 0.0002, mark: 3.0 },
            MarketEvent::Mark { instrument: perp, at: t("2021-01-01T09:00:00Z"), mark: 3.1, index: 3.0 },
        ]
    );
}

#[test]
fn dated_futures_have_their_expiry_and_settle() {
    let made = import(&[
        (
            "future_cme_hour.zip:es_trade_201312.csv",
            "20131220 11:00,1800,1801,1799,1800,5\n20131220 12:00,1800,1805,1800,1804,5\n",
        ),
        ("future_cme_hour.zip:es_trade_201403.csv", "20131220 13:00,1790,1791,1789,1790,5\n"),
        (
            "future_cme_hour.zip:es_quote_201403.csv",
            "20131220 13:00,1,1,1,1790,3,2,2,2,1790.5,4\n20131220 14:00,1,1,1,1790,3,2,2,2,,\n",
        ),
    ]);
    let (near, far) =
        (made.id("ES201312", InstrumentKind::Future), made.id("ES201403", InstrumentKind::Future));
    let expiry = t("2013-12-20T13:30:00Z");
    assert_eq!(made.universe().instruments[near.index()].terms, ContractTerms::Future { expiry });
    assert_eq!(made.universe().instruments[near.index()].venue, "cme");
    assert!(made.events.contains(&MarketEvent::Settled { instrument: near, at: expiry, price: 1_804.0 }));
    let at = t("2013-12-20T14:00:00Z");
    let (bid, ask, bid_size, ask_size) = (1_790.0, 1_790.5, 3.0, 4.0);
    assert!(made.events.contains(&MarketEvent::Quote { instrument: far, at, bid, ask, bid_size, ask_size }));
    assert_eq!(made.written.report.bad_rows, 1);
}

#[test]
fn a_days_options_come_with_their_underlying() {
    let made = import(&[(
        "option_usa_universes_aapl_20140609.csv",
        "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility\n\
         ,,,92,93,91,92.5,100,,\n\
         20140613,90,C,3,3.5,2.5,3,7,1,0.25\n\
         20140613,85,P,0,0,0,0,0,,0.4\n\
         20140613,85,X,1,1,1,1,0,,0.4\n",
    )]);
    let (stock, call) =
        (made.id("AAPL", InstrumentKind::Margin), made.id("AAPL-20140613-90-C", InstrumentKind::Option));
    let at = t("2014-06-09");
    assert_eq!(made.bars(stock)[0].0, at);
    let terms = made.universe().instruments[call.index()].terms;
    let expiry = t("2014-06-13T20:00:00Z");
    assert_eq!(terms, ContractTerms::Option { expiry, strike: 90.0, call: true, inverse: false });
    assert!(made.events.contains(&MarketEvent::Implied { instrument: call, at, sigma: 0.25, forward: 92.5 }));
    assert_eq!((made.events.len(), made.written.report.bad_rows), (4, 1));
}

#[test]
fn an_option_chain_gives_quotes_volatilities_and_marks() {
    let made = import(&[
        (
            "btc_chain.csv",
            "instrument_name,timestamp,underlying_price,index_price,mark_price,mark_iv,best_bid_price,best_bid_amount,best_ask_price,best_ask_amount\n\
             BTC-22MAY20-9250-P,1590103193775,9096,9095,0.0212,85,0.02,9,0.023,8\n\
             BTC-22MAY20-9000-C,1590103193775,9096,9095,0.01,80,0,0,0.012,8\n\
             BTC-22MAY20-9500-C,1590103193775,9096,9095,0.01,80,0.02,1,0.012,8\n\
             BTC-PERPETUAL,1590103193775,9096,9095,0.01,80,0,0,0.012,8\n",
        ),
        (
            "options/summary.csv",
            "mid_price,creation_timestamp,estimated_delivery_price,underlying_price,mark_price,ask_price,bid_price,instrument_name\n\
             0.0007,1590103193775,2200,2241,0.00085,0.001,0.0004,ETH-26JAN24-1200-P\n",
        ),
        ("dvol_btc.json", "[[1589932800000.0, 56.5],[1590019200000, -1]]"),
    ]);
    let (put, call) = (
        made.id("BTC-22MAY20-9250-P", InstrumentKind::Option),
        made.id("BTC-22MAY20-9000-C", InstrumentKind::Option),
    );
    let at = Stamp(1_590_103_193_775_000_000);
    let quote =
        MarketEvent::Quote { instrument: put, at, bid: 0.02, ask: 0.023, bid_size: 9.0, ask_size: 8.0 };
    assert!(made.events.contains(&quote));
    assert!(made.events.contains(&MarketEvent::Implied {
        instrument: put,
        at,
        sigma: 0.85,
        forward: 9_096.0
    }));
    assert!(made.events.contains(&MarketEvent::Mark { instrument: call, at, mark: 0.01, index: 9_095.0 }));
    // One side is no quote.
    assert!(
        !made
            .events
            .iter()
            .any(|e| matches!(e, MarketEvent::Quote { instrument, .. } if *instrument == call))
    );
    let ContractTerms::Option { inverse: true, strike: 9_250.0, call: false, expiry } =
        made.universe().instruments[put.index()].terms
    else {
        panic!("{:?}", made.universe().instruments[put.index()]);
    };
    assert_eq!(expiry, t("2020-05-22T08:00:00Z"));
    let btc = made.universe().asset("BTC").unwrap().id;
    // A day's value is known when the day is over.
    assert!(made.events.contains(&MarketEvent::VolIndex { asset: btc, at: t("2020-05-21"), sigma: 0.565 }));
    assert_eq!(made.written.report.bad_rows, 3, "{:?}", made.written.report);
}

/// What a market that nobody follows at bars keeps of the events of an import.
fn played(made: &ImportedFiles) -> Market {
    let mut market = Market::quoted(made.universe().instruments.len());
    for event in &made.events {
        assert!(market.take(event), "{event:?}");
    }
    market
}

const RECORDED: &str = "\
1723161253000000000 {\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":90,\"u\":100,\"b\":[[\"90\",\"7\"]],\"a\":[]}}
1723161253100000000 {\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":101,\"u\":105,\"b\":[[\"99\",\"2\"]],\"a\":[]}}
1723161253200000000 {\"lastUpdateId\":102,\"bids\":[[\"98\",\"1\"]],\"asks\":[[\"101\",\"1\"]]}
1723161253300000000 {\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":1,\"s\":\"BTCUSDT\",\"b\":\"99\",\"B\":\"2\",\"a\":\"101\",\"A\":\"1\"}}
1723161253400000000 {\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"101\",\"q\":\"0.5\",\"T\":1,\"m\":false,\"M\":true}}
1723161253500000000 {\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":106,\"u\":106,\"b\":[],\"a\":[[\"100.5\",\"3\"]]}}
";

#[test]
fn a_recorded_book_joins_its_snapshot_and_follows_its_changes() {
    let made = import(&[("binance/spot_btcusdt.log", RECORDED)]);
    let market = played(&made);
    let book = market.book(InstrumentId(0)).unwrap();
    // The change before the snapshot is old, the one that spans it is joined.
    assert_eq!(book.bids, [(99.0, 2.0), (98.0, 1.0)]);
    assert_eq!(book.asks, [(100.5, 3.0), (101.0, 1.0)]);
    assert_eq!(market.get(InstrumentId(0)).unwrap().trade.map(|t| t.value), Some((101.0, 0.5, true)));
    assert_eq!(made.universe().instruments[0].venue, "binance");
    assert_eq!(made.written.report.bad_rows, 0);
}

#[test]
fn a_gap_in_the_numbers_drops_the_book_until_the_next_snapshot() {
    let gap = "1723161253600000000 {\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":108,\"u\":109,\"b\":[[\"97\",\"1\"]],\"a\":[]}}\n";
    let made = import(&[("spot_btcusdt.log", &format!("{RECORDED}{gap}"))]);
    assert!(played(&made).book(InstrumentId(0)).is_none());
    assert_eq!(made.written.report.bad_rows, 1);
    assert!(made.written.report.first_bad[0].contains("line 7: updates 108 … 109 do not follow 106"));
    assert!(made.written.header.notes[0].contains("was lost 1 times"));
    let again =
        "1723161253700000000 {\"lastUpdateId\":110,\"bids\":[[\"96\",\"1\"]],\"asks\":[[\"98\",\"1\"]]}\nx\n";
    let made = import(&[("spot_btcusdt.log", &format!("{RECORDED}{gap}{again}"))]);
    assert_eq!(played(&made).book(InstrumentId(0)).unwrap().bids, [(96.0, 1.0)]);
    assert_eq!(made.written.report.bad_rows, 2, "a line that is no message is counted");
}

#[test]
fn contracts_in_dollars_are_counted_in_coins() {
    let line = "1723161253300000000 {\"stream\":\"btcusd_perp@bookTicker\",\"data\":{\"u\":1,\"e\":\"bookTicker\",\"s\":\"BTCUSD_PERP\",\"ps\":\"BTCUSD\",\"b\":\"50000\",\"B\":\"10\",\"a\":\"50000\",\"A\":\"5\"}}\n";
    let made = import(&[("cm_btcusd_perp.log", line)]);
    let id = made.id("BTCUSD_PERP", InstrumentKind::Perp);
    let MarketEvent::Quote { instrument, bid_size, ask_size, .. } = made.events[0] else { panic!() };
    assert_eq!((instrument, bid_size, ask_size), (id, 0.02, 0.01));
}

#[test]
fn hyperliquid_books_are_whole_and_old_trades_no_news() {
    let made = import(&[(
        "hl.log",
        "1737918843893903000 {\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\",\"time\":1,\"levels\":[[{\"n\":5,\"px\":\"100\",\"sz\":\"3\"}],[{\"n\":1,\"px\":\"101\",\"sz\":\"2\"},{\"n\":1,\"px\":\"102\",\"sz\":\"1\"}]]}}\n\
         1737918844167767000 {\"channel\":\"trades\",\"data\":[{\"coin\":\"BTC\",\"px\":\"101\",\"side\":\"B\",\"sz\":\"0.5\",\"time\":1737918794873},{\"coin\":\"BTC\",\"px\":\"100\",\"side\":\"A\",\"sz\":\"0.25\",\"time\":1737918844000}]}\n\
         1737918845167767000 {\"channel\":\"trades\",\"data\":[{\"coin\":\n",
    )]);
    let market = played(&made);
    assert_eq!(market.book(InstrumentId(0)).unwrap().asks, [(101.0, 2.0), (102.0, 1.0)]);
    assert_eq!(market.get(InstrumentId(0)).unwrap().trade.map(|t| t.value), Some((100.0, 0.25, false)));
    assert_eq!(made.written.report.bad_rows, 1);
    assert!(made.written.header.notes[0].contains("1 trades from before"));
}

#[test]
fn files_of_tardis_are_told_when_they_arrived_and_contracts_in_dollars_are_not_read() {
    let made = import(&[
        (
            "binance-futures_trades_2024-01-01_BTCUSDT.csv",
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n\
             binance-futures,BTCUSDT,1704067200000000,1704067200005000,1,buy,42000,0.1\n\
             binance-futures,BTCUSDT,1704067201000000,1704067201005000,2,unknown,42000,0.1\n\
             binance-futures,BTCUSDT,1704067202000000,1704067202005000,3,sell,41999,0\n",
        ),
        (
            "quotes.csv",
            "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n\
             binance,BTCUSDT,1704067200000000,1704067200004000,1.5,42001,42000,0.7\n\
             binance,BTCUSDT,1704067200000000,1704067200006000,,,42000,0.7\n\
             bitmex,XBTUSD,1704067200000000,1704067200006000,100,42001,42000,200\n",
        ),
        (
            "book_snapshot_5.csv",
            "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,asks[1].price,asks[1].amount,bids[1].price,bids[1].amount\n\
             binance,BTCUSDT,1704067200000000,1704067200007000,42001,1.5,42000,0.7,42002,3,,\n",
        ),
    ]);
    let (perp, spot) = (made.id("BTCUSDT", InstrumentKind::Perp), made.id("BTCUSDT", InstrumentKind::Margin));
    let at = |us: i64| Stamp(us * 1_000);
    let trade = MarketEvent::Trade {
        instrument: perp,
        at: at(1_704_067_200_005_000),
        price: 42_000.0,
        size: 0.1,
        buys: true,
    };
    let (bid, ask, bid_size, ask_size) = (42_000.0, 42_001.0, 0.7, 1.5);
    let quote =
        MarketEvent::Quote { instrument: spot, at: at(1_704_067_200_004_000), bid, ask, bid_size, ask_size };
    assert_eq!(made.events[..2], [quote, trade]);
    let book = played(&made).book(spot).map(|b| (b.bids.clone(), b.asks.clone()));
    assert_eq!(book, Some((vec![(42_000.0, 0.7)], vec![(42_001.0, 1.5), (42_002.0, 3.0)])));
    assert_eq!(made.events.len(), 5);
    let report = &made.written.report;
    assert_eq!(report.bad_rows, 2, "{report:?}");
    assert!(
        report.first_bad.iter().any(|b| b.contains("XBTUSD at bitmex count contracts in dollars")),
        "{report:?}"
    );
}

#[test]
fn a_pool_has_its_price_liquidity_flow_and_gas() {
    let made = import(&[
        (
            "polygon-0x45dda9cb7c25131df268515131f647d726f50608-2023-08-14.minute.csv",
            "timestamp,netAmount0,netAmount1,closeTick,inAmount0,inAmount1,currentLiquidity\n\
             2023-08-14 00:01:00,0,0,201149,1000000000,1000000000000000000,2402545990706448841\n\
             2023-08-14 00:02:00,0,0,9999999,0,0,1\n",
        ),
        (
            "ethereum-0x82c427adfdf2d245ec51d8046b41c4ee87f0d29c-2023-08-14.minute.csv",
            "timestamp,closeTick,inAmount0,inAmount1,currentLiquidity\n2023-08-14 00:02:00,29256.0,0,0,3457417610809793205050\n",
        ),
        ("gas_price.csv", "block_timestamp,gas_price\n2023-08-14 00:00:00,50\n"),
    ]);
    let pool = |e: &MarketEvent| match *e {
        MarketEvent::Pool { instrument, price, liquidity, swapped, gas, .. } => {
            Some((instrument, price, liquidity, swapped, gas))
        }
        _ => None,
    };
    let pools: Vec<_> = made.events.iter().filter_map(pool).collect();
    let (id, price, liquidity, swapped, gas) = pools[0];
    assert_eq!(id, made.id("ETH/USDC@500", InstrumentKind::Pool));
    // By hand: 10^12 / 1.0001^201149.
    assert!((price - 1_839.28).abs() < 0.01, "{price}");
    assert!((liquidity - 2_402_545.990_706).abs() < 1e-3, "{liquidity}");
    assert!((swapped - (1_000.0 + price)).abs() < 1e-6, "{swapped}");
    assert!((gas - 0.0045).abs() < 1e-12, "{gas}");
    let (id, price, _, _, gas) = pools[1];
    assert_eq!(id, made.id("OSQTH/ETH@3000", InstrumentKind::Pool));
    assert!((price - 0.0536).abs() < 1e-3, "{price}");
    assert!((gas - 0.0075).abs() < 1e-12, "gas in ether: {gas}");
    let osqth = &made.universe().instruments[id.index()];
    assert_eq!(osqth.quote, made.universe().asset("ETH").map(|a| a.id));
    assert_eq!(osqth.terms, ContractTerms::Pool { fee_ppm: 3_000, concentrated: true });
    assert_eq!(made.written.report.bad_rows, 1);
}

#[test]
fn a_pool_of_no_known_address_is_refused() {
    let text = "timestamp,closeTick,inAmount0,inAmount1,currentLiquidity\n";
    let why = made(&ImportSettings::default(), &[("polygon-0x12.csv", text)]).unwrap_err().to_string();
    assert!(why.contains("0x45dda9cb"), "{why}");
}

#[test]
fn prices_of_tokens_are_bars() {
    let made = import(&[
        (
            "price_weth_usdc.csv",
            ",WETH,USDC\n2023-08-13 00:00:00,1848.1,1\n2023-08-13 00:01:00,1848.2,1\n2023-08-13 00:02:00,0,1\n",
        ),
        (
            "squeeth.csv",
            "block_timestamp,norm_factor,WETH,OSQTH\n2023-08-14 00:00:00,0.28,1839,0.0536\n2023-08-14 00:01:00,0.28,1840,0.0537\n",
        ),
    ]);
    let symbols: Vec<&str> = made.universe().instruments.iter().map(|i| i.symbol.as_str()).collect();
    assert_eq!(symbols, ["ETHUSD", "OSQTHETH"]);
    assert_eq!(made.bars(InstrumentId(0))[0].0, t("2023-08-13T00:01:00Z"));
    assert_eq!((made.events.len(), made.written.report.bad_rows), (6, 1));
}

#[test]
fn swaps_are_trades_of_pools() {
    let head = "abi_name,block_number,contract_address,token_in_address,token_in_amount,token_out_address,token_out_amount,error\n";
    let (weth, usdc) =
        ("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48");
    let made = import(&[(
        "swaps.csv",
        &format!(
            "{head}UniswapV2Pair,12634825.0,0xabcdef0123,{usdc},5000000000,{weth},2e18,\n\
             UniswapV2Pair,12634826.0,0xabcdef0123,{weth},1e18,{usdc},2400000000,\n\
             UniswapV2Pair,12634826.0,0xabcdef0123,{weth},1e18,{usdc},2400000000,reverted\n\
             UniswapV2Pair,12634826.0,0xabcdef0123,0x99,1e18,{usdc},2400000000,\n"
        ),
    )]);
    let trades: Vec<(f64, f64, bool)> = made
        .events
        .iter()
        .filter_map(|e| match *e {
            MarketEvent::Trade { price, size, buys, .. } => Some((price, size, buys)),
            _ => None,
        })
        .collect();
    assert_eq!(trades, [(2_500.0, 2.0, true), (2_400.0, 1.0, false)]);
    assert_eq!(made.events[0].at().to_string().get(..10), Some("2021-06-15"));
    assert_eq!(made.written.report.bad_rows, 1);
    assert!(made.written.header.notes.iter().any(|n| n.contains("1 swaps of other tokens")));
}

#[test]
fn pools_by_the_day_tell_flow_and_depth() {
    let made = import(&[(
        "pool_data.csv",
        "date,tvlUSD,volumeUSD,feesUSD,pool_id,pool_name\n\
         2021-05-24,400000,150000,75,0x00cef0386ed94d738c8f8a74e8bfd0376926d24c,BUSD_USDC_05\n\
         2021-05-25,400000,150000,75,0x00cef0386ed94d738c8f8a74e8bfd0376926d24c,ETH_USDC_05\n",
    )]);
    let at = t("2021-05-25");
    let instrument = InstrumentId(0);
    let pool =
        MarketEvent::Pool { instrument, at, price: 1.0, liquidity: 200_000.0, swapped: 150_000.0, gas: 0.0 };
    assert_eq!(made.events, [pool]);
    assert_eq!(
        made.universe().instruments[0].terms,
        ContractTerms::Pool { fee_ppm: 500, concentrated: true }
    );
    assert_eq!(made.written.report.bad_rows, 1, "a pool without a price");
}

#[test]
fn the_same_files_make_the_same_tape_in_any_order() {
    let eth = ("d/ETH_USDT-1m.json", "[[1609459200000,5,5,5,5,5],[1609459260000,5,5,5,5,6]]");
    let (one, two) = (import(&[BTC, eth]), import(&[eth, BTC]));
    assert_eq!(one.written.hash, two.written.hash);
}

#[test]
fn funding_of_a_venue_is_paid_by_the_one_perp_that_has_bars() {
    let made = import(&[
        ("perp_BTCUSDT_1h.csv", "date,close\n2021-01-01 00:00:00,1\n2021-01-01 01:00:00,1\n"),
        ("funding_binance_8h/BTCUSDT.csv", "datetime,funding_rate\n2021-01-01 08:00:00,0.0001\n"),
    ]);
    assert_eq!(made.universe().instruments.len(), 1);
    let paid = made
        .events
        .iter()
        .filter(|e| matches!(e, MarketEvent::Funding { instrument, .. } if instrument.0 == 0));
    assert_eq!(paid.count(), 1);
}

#[test]
fn settlements_before_the_bars_do_not_make_the_tick_coarse() {
    let (mut bars, mut rates) =
        (String::from("timestamp,symbol,open,high,low,close,volume\n"), String::new());
    rates += "timestamp,symbol,rate\n";
    for hour in 0..600_i64 {
        let at = t("2024-01-01").after(Span(hour * Span::HOUR.0));
        let _ = writeln!(bars, "{at},BTCUSDT,42000.25,42100.5,41900.1,42050.75,3");
        let _ = writeln!(rates, "{at},BTCUSDT,{}", 1e-5 * (hour % 5) as f64);
    }
    let made = import(&[("a_funding.csv", rates.as_str()), ("b_perp.csv", bars.as_str())]);
    let tick = made.universe().instruments[0].tick;
    assert_eq!(tick, crate::domain::Decimal::new(1, 2).into());
}
