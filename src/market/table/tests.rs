//! Tables from small texts: what each is found to be, what is read of it, and what has to be decided first.

use super::*;
use crate::domain::{Bar, Span, Stamp};
use crate::market::FeedError;
use crate::market::source::SourceBytes;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::io::Read;
use std::sync::Arc;

type ReadRows = Vec<Result<(Stamp, Bar), String>>;

fn decided(text: &str) -> Choices {
    let mut choices = Choices::default();
    for part in text.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = part.split_once('=').unwrap();
        choices.set(key, value).unwrap();
    }
    choices
}

fn look(name: &str, text: &str, choices: &str) -> Result<TableShape, FeedError> {
    TableShape::look(&SourceBytes::new(name, text.as_bytes()), &decided(choices))
}

fn rows(name: &str, text: &str, choices: &str) -> ReadRows {
    let shape = look(name, text, choices).unwrap_or_else(|e| panic!("{e}: {text}"));
    let mut rows = TableRows::new(name, Arc::new(shape), text.as_bytes()).unwrap();
    let mut all = Vec::new();
    while rows.advance().unwrap() {
        let at = rows.stamp();
        all.push(at.and_then(|at| Ok((at, rows.bar()?))));
    }
    all
}

fn refused(name: &str, text: &str) -> String {
    match look(name, text, "") {
        Err(e @ (FeedError::Undecided { .. } | FeedError::Column { .. })) => e.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lists_of_lists_are_rows_and_a_cut_is_told() {
    let text =
        "[[1609459200000, 1, 2.5, 1, 2, 7],\n [1609462800000,\"2\",3,1,2.5,8], [1609466400000,2,3,1,null,8]]";
    let read = rows("BTCUSDT-1h.json", text, "");
    let bar = |at: i64, [open, high, low, close, volume]: [f64; 5]| {
        (Stamp(at * 1_000_000_000), Bar { open, high, low, close, volume })
    };
    assert_eq!(read[0], Ok(bar(1_609_459_200, [1.0, 2.5, 1.0, 2.0, 7.0])));
    assert_eq!(read[1], Ok(bar(1_609_462_800, [2.0, 3.0, 1.0, 2.5, 8.0])));
    assert!(read[2].as_ref().is_err_and(|e| e.contains("close `null`")), "{read:?}");
    let text = "[[1609459200000,1,2,1,2],[3";
    let shape = Arc::new(look("a.json", text, "").unwrap());
    let mut cut = TableRows::new("a.json", shape, text.as_bytes()).unwrap();
    assert!(cut.advance().unwrap(), "what stands before the cut is read");
    let why = cut.advance().unwrap_err().to_string();
    assert!(why.contains("cut off"), "{why}");
    let text = |json: &str| {
        let mut out = String::new();
        arrays::TableText::new(json.as_bytes(), true)
            .read_to_string(&mut out)
            .map(|_| out)
            .map_err(|e| e.to_string())
    };
    for (bad, why) in [
        ("[[1,2],{\"a\":1}]", "some of its rows are lists and some objects"),
        ("[[1,2}]", "a list ends as an object"),
        ("[1,2]]", "a list ends that did not begin"),
        ("[[1,2]] x", "something stands outside"),
        ("[[1,2", "cut off"),
    ] {
        assert!(text(bad).is_err_and(|e| e.contains(why)), "{bad}: {:?}", text(bad));
    }
    assert!(text(&format!("[[{}]]", "1,".repeat(70_000))).is_err_and(|e| e.contains("a row is longer")));
    assert!(text(&"[".repeat(100)).is_err_and(|e| e.contains("too deep")));
}

#[test]
fn objects_however_they_stand_are_rows_with_a_header() {
    let rows_of = |text: &str| rows("BTCUSDT-1h.json", text, "");
    let right = rows(
        "BTCUSDT-1h.csv",
        "time,open,high,low,close,volume\n1609459200000,1,2.5,0.1,0.30000000000000004,7\n1609462800000,2,3,1,2.5,8\n",
        "",
    );
    assert!(right.iter().all(Result::is_ok) && right.len() == 2, "{right:?}");
    let one = r#"{"time": 1609459200000, "open": "1", "high": 2.5, "low": 0.1, "close": 0.30000000000000004, "volume": 7}"#;
    // Another order, and a name that the first has not.
    let two = r#"{"open":2,"time":1609462800000,"high":3,"low":1,"close":2.5,"trades":[],"volume":8}"#
        .replace(",\"trades\":[]", ",\"trades\":5");
    for text in [
        format!("[{one}, {two}]"),
        format!("{one}\n{two}\n"),
        format!("{{\"s\":\"ok\",\"meta\":{{\"n\":2,\"m\":3}},\"errors\":[],\"data\":[{one},\n {two}]}}"),
        format!("{{\"result\":{{\"symbol\":\"BTCUSDT\",\"list\":[{one},{two}]}}}}"),
    ] {
        assert_eq!(rows_of(&text), right, "{text}");
    }
    let lists = r#"{"retCode":0,"result":{"list":[["1609459200000","1","2.5","0.1","0.30000000000000004","7"],["1609462800000","2","3","1","2.5","8"]]}}"#;
    assert_eq!(rows_of(lists), right);
}

#[test]
fn numbers_with_a_comma_and_rates_without_a_header_are_read() {
    let text = "date;open;high;low;close;volume\n2024-01-01;42.140,00;42.200,5;42.000;42.100,25;1.000,5\n2024-01-02;42.140,00;42.200,5;42.000;42.100,25;7\n";
    let read = rows("BTCUSDT-1d.csv", text, "");
    let bar = Bar { open: 42_140.0, high: 42_200.5, low: 42_000.0, close: 42_100.25, volume: 1_000.5 };
    assert_eq!(read[0].as_ref().unwrap().1, bar);
    for (text, symbol) in [
        ("1704067200000,0.0001\n1704096000000,-0.0002\n", None),
        ("1704067200000,8,0.0001\n1704096000000,8,-0.0002\n", None),
        ("1704067200000,BTCUSDT,0.0001\n1704096000000,BTCUSDT,-0.0002\n", Some(&b"BTCUSDT"[..])),
    ] {
        let shape = look("BTCUSDT-fundingRate-2024-01.csv", text, "").unwrap();
        assert_eq!(shape.kind, TableKind::Funding);
        let mut rows = TableRows::new("f", Arc::new(shape), text.as_bytes()).unwrap();
        let mut all = Vec::new();
        while rows.advance().unwrap() {
            assert_eq!(rows.symbol(), symbol.unwrap_or_default());
            let at = rows.stamp().unwrap();
            all.push(rows.settlement(at).unwrap().unwrap().1);
        }
        assert_eq!(all, [0.0001, -0.0002], "{text}");
    }
}

/// Days of a walk as a table in some way of writing.
fn days(header: &str, row: impl Fn(i64, [f64; 5]) -> String) -> String {
    let mut text = String::from(header);
    for day in 0..30_i64 {
        let open = 100.0 + (day * 7 % 11) as f64;
        let close = 100.0 + ((day + 1) * 7 % 11) as f64;
        text +=
            &row(day, [open, open.max(close) + 1.0, open.min(close) - 1.0, close, 5.0 + (day % 3) as f64]);
        text.push('\n');
    }
    text
}

fn expected() -> ReadRows {
    rows("ABCUSDT.csv", &days("timestamp,open,high,low,close,volume\n", |d, p| plain(&iso(d), p, ",")), "")
}

fn at(day: i64) -> Stamp {
    Stamp::parse("2024-01-01").unwrap().after(Span(day * Span::DAY.0))
}

fn iso(day: i64) -> String {
    at(day).to_string()
}

fn plain(stamp: &str, [o, h, l, c, v]: [f64; 5], s: &str) -> String {
    format!("{stamp}{s}{o}{s}{h}{s}{l}{s}{c}{s}{v}")
}

type WrittenRow = Box<dyn Fn(i64, [f64; 5]) -> String>;

/// Ways of writing one market: what has to be decided, the header, and a row.
#[allow(clippy::too_many_lines)] // A table.
fn ways() -> Vec<(&'static str, &'static str, WrittenRow)> {
    let date = |d: i64| iso(d)[..10].to_owned();
    vec![
        (
            "",
            "Date,Open,High,Low,Close,Volume\n",
            Box::new(move |d, p| plain(&date(d).replace('-', ""), p, ",")),
        ),
        ("", "", Box::new(|d, p| plain(&(at(d).0 / 1_000_000).to_string(), p, ","))),
        (
            "",
            "date;open;high;low;close;volume\n",
            Box::new(move |d, p| plain(&date(d), p, ";").replace('.', ",")),
        ),
        (
            "",
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n",
            Box::new(move |d, p| plain(&format!("{}\t00:00:00", date(d).replace('-', ".")), p, "\t")),
        ),
        ("", "", Box::new(move |d, p| plain(&format!("{},00:00", date(d).replace('-', ".")), p, ","))),
        ("", "time,open,high,low,close,vol\n", Box::new(|d, p| plain(&(45_292 + d).to_string(), p, ","))),
        (
            "",
            "unix,date,symbol,open,high,low,close,Volume ABC,Volume USDT\n",
            Box::new(move |d, [o, h, l, c, v]| {
                format!("{},{} 12-AM,ABC/USDT,{o},{h},{l},{c},{v},{}", at(d).0 / 1_000_000, date(d), v * c)
            }),
        ),
        (
            "",
            "unix,open,high,low,close,VolumeABC\n",
            Box::new(|d, p| plain(&(at(d).0 / 1_000_000_000).to_string(), p, ",")),
        ),
        (
            "",
            "open_time,open,high,low,close,volume,close_time,quote_volume\n",
            Box::new(|d, p| {
                format!(
                    "{},{},{}",
                    plain(&(at(d).0 / 1_000).to_string(), p, ","),
                    at(d + 1).0 / 1_000 - 1,
                    p[3] * p[4]
                )
            }),
        ),
        (
            "",
            "close_time,open,high,low,close,volume\n",
            Box::new(|d, p| plain(&(at(d + 1).0 / 1_000_000 - 1).to_string(), p, ",")),
        ),
        (
            "",
            "date,open,high,low,close,volume\n",
            Box::new(|d, p| plain(&at(d).to_string().replace('Z', "+01:00").replace("T00:", "T01:"), p, ",")),
        ),
        (
            "dates=dmy",
            "date,open,high,low,close,volume\n",
            Box::new(move |d, p| {
                plain(&format!("{}/{}/{}", &date(d)[8..], &date(d)[5..7], &date(d)[..4]), p, ",")
            }),
        ),
        (
            "map=time=Day+Clock,open=First,high=Top,low=Bottom,close=Last,volume=Size",
            "Size,Last,Bottom,Top,First,Clock,Day\n",
            Box::new(move |d, [o, h, l, c, v]| format!("{v},{c},{l},{h},{o},00:00,{}", date(d))),
        ),
        (
            "volume=quote",
            "date,open,high,low,close,volume\n",
            Box::new(move |d, [o, h, l, c, v]| plain(&date(d), [o, h, l, c, v * c], ",")),
        ),
        (
            "volume=base*0.5",
            "date,open,high,low,close,volume\n",
            Box::new(move |d, [o, h, l, c, v]| plain(&date(d), [o, h, l, c, v * 2.0], ",")),
        ),
        (
            "",
            "date,open,high,low,close,quote_volume\n",
            Box::new(move |d, [o, h, l, c, v]| plain(&date(d), [o, h, l, c, v * c], ",")),
        ),
        (
            "",
            "date,open,high,low,close,volume,base_asset_volume\n",
            Box::new(move |d, [o, h, l, c, v]| {
                format!("{},{v}", plain(&date(d), [o, h, l, c, (v * c / 100.0).round()], ","))
            }),
        ),
    ]
}

#[test]
fn one_market_is_read_from_each_way_of_writing_it() {
    let right = expected();
    assert!(right.iter().all(Result::is_ok) && right.len() == 30);
    for (choices, header, row) in ways() {
        let text = days(header, row);
        let read = rows("ABCUSDT.csv", &text, choices);
        for (n, (one, other)) in read.iter().zip(&right).enumerate() {
            let (Ok((at, bar)), Ok((right_at, right_bar))) = (one, other) else {
                panic!("{one:?} in row {n} of {text}")
            };
            let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-12;
            assert_eq!((at, bar.close), (right_at, right_bar.close), "row {n} of {text}");
            assert!(
                near(bar.volume, right_bar.volume),
                "{} for {} in row {n} of {text}",
                bar.volume,
                right_bar.volume
            );
        }
        assert_eq!(read.len(), right.len(), "{text}");
    }
}

#[test]
fn what_would_be_guessed_is_refused_with_the_choice_that_reads_it() {
    let hours = |header: &str, cells: &dyn Fn(i64) -> String| {
        let row = |h: i64| format!("{},{}\n", Stamp(at(0).0 + h * Span::HOUR.0), cells(h));
        format!("timestamp,{header}\n{}", (0..48).map(row).collect::<String>())
    };
    let early = "time,close\n20000,5\n20060,6\n";
    let dates = "date,close\n01/02/2024,5\n02/02/2024,6\n";
    let percent = hours("rate", &|h| format!("{}", 0.01 + 0.001 * (h % 3) as f64));
    let often = (0..48)
        .map(|m| [&(at(0).0 / 1_000_000_000 + m * 900).to_string(), ",0.0001\n"].concat())
        .collect::<String>();
    let filled = hours("rate", &|h| format!("0.000{}", 1 + h / 8 % 3));
    let dollars = days("date,open,high,low,close,volume\n", |d, [o, h, l, c, _]| {
        plain(&iso(d), [o, h, l, c, 5e10], ",")
    });
    let unlike = days("date,open,high,low,close,volume,quote_volume\n", |d, p| {
        format!("{},{}", plain(&iso(d), p, ","), 123_456.5)
    });
    let coins = days("open_time,open,high,low,close,volume\n", |d, p| plain(&iso(d), p, ","));
    for (name, text, found, way) in [
        ("a.csv", early, "line 2: the stamp `20000`", "early=keep"),
        ("a.csv", dates, "day or the month", "dates=dmy"),
        ("f.csv", &percent, "half of its rates", "rates=percent"),
        ("f.csv", &format!("timestamp,rate\n{often}"), "every 15m", "settle=8h"),
        ("f.csv", &filled, "change only when they are paid", "settle=8h"),
        ("ABC-USD.csv", &dollars, "dollars a day", "volume=quote"),
        ("ABCUSDT.csv", &unlike, "times its quote volume", "volume=base"),
        ("BTCUSD_PERP-1d.csv", &coins, "paid in coins", "volume=quote*100"),
        ("a.csv", "time,last\n2024-01-01,5\n", "no column `close`", "map=close=COLUMN"),
        ("a.csv", "time,open,close\n2024-01-01,5,5\n", "no column `high`", "map=high=COLUMN"),
    ] {
        let said = refused(name, text);
        assert!(
            said.contains(found) && said.contains(way) && said.contains("--read") | said.contains("--map"),
            "{said}"
        );
    }
}

#[test]
fn what_a_table_is_follows_from_all_of_its_columns_and_its_name() {
    let bar = "1704067200000,1,2,1,2,5\n1704070800000,2,3,1,2,5\n";
    let klines = "open_time,open,high,low,close,volume\n";
    for (name, text, kind) in [
        ("BTCUSDT_1h.csv", format!("{klines}{bar}"), TableKind::Bars),
        ("BTCUSDT_1h.csv", format!("{}{}", klines.replace("volume", "funding_rate"), bar), TableKind::Bars),
        ("markPriceKlines/BTCUSDT-1h.csv", format!("{klines}{bar}"), TableKind::Reference),
        ("BTC_USDT_USDT-8h-mark.json", "[[1704067200000,1,2,1,2,5]]".to_owned(), TableKind::Reference),
        ("BTC_USDT_USDT-8h-funding_rate.json", "[[1704067200000,0.0001,0,0,0,0]]".to_owned(), TableKind::Funding),
        ("f.csv", "calc_time,funding_interval_hours,last_funding_rate\n1704067200000,8,0.0001\n".to_owned(), TableKind::Funding),
        ("t.csv", "symbol,timestamp,funding_timestamp,funding_rate,mark_price\nBTCUSDT,1704067200000000,1704096000000000,0.0001,5\n".to_owned(), TableKind::Ticker),
    ] {
        assert_eq!(look(name, &text, "").unwrap().kind, kind, "{name}: {text}");
    }
    let shape = look("markPriceKlines/BTCUSDT-1h.csv", &format!("{klines}{bar}"), "reference=trade").unwrap();
    assert_eq!(shape.kind, TableKind::Bars);
}

#[test]
fn choices_are_written_and_read_and_the_last_one_counts() {
    let choices = decided("volume=quote&stamps=close&volume=base&map=close=Last");
    assert_eq!(choices.text(), "map=close=Last&stamps=close&volume=base");
    assert_eq!(Choices::default().with(&choices).text(), choices.text());
    for (key, value) in [
        ("volume", "dollars"),
        ("rates", "2"),
        ("map", "shut=Last"),
        ("x", "y"),
        ("settle", "often"),
        ("jumps", ""),
    ] {
        let why = Choices::default().set(key, value).unwrap_err();
        assert!(why.contains(value), "{why}");
    }
}

/// The names of the columns of a moment, and its cells at an hour.
type WrittenMoment = (&'static [&'static str], fn(i64) -> Vec<String>);

/// Ways of writing the moment of an hour.
const MOMENTS: [WrittenMoment; 9] = [
    (&["timestamp"], |h| vec![hour(h).to_string()]),
    (&["Unix Timestamp"], |h| vec![(hour(h).0 / 1_000_000_000).to_string()]),
    (&["open_time"], |h| vec![(hour(h).0 / 1_000_000).to_string()]),
    (&["t"], |h| vec![hour(h).0.to_string()]),
    (&["Date", "Time"], |h| {
        vec![hour(h).to_string()[..10].to_owned(), hour(h).to_string()[11..19].to_owned()]
    }),
    (&["<DATE>", "<TIME>"], |h| {
        vec![hour(h).to_string()[..10].replace('-', "."), hour(h).to_string()[11..16].to_owned()]
    }),
    (&["datetime"], |h| vec![hour(h).to_string()[..16].replace(['-', ':'], "").replace('T', " ")]),
    (&["date"], |h| vec![format!("{:.10}", 45_292.0 + h as f64 / 24.0)]),
    (&["close_time"], |h| vec![(hour(h + 1).0 / 1_000_000 - 1).to_string()]),
];

fn hour(h: i64) -> Stamp {
    Stamp(at(0).0 + h * Span::HOUR.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_table_is_read_whatever_it_calls_its_columns_and_wherever_they_stand(
        way in 0..MOMENTS.len(),
        separator in prop::sample::select(vec![",", ";", "\t", "|"]),
        volume in prop::sample::select(vec!["Volume", "VolumeABC", "Volume_(ABC)", "vol", "base_volume", "tick_volume", "Volume ABC"]),
        short in any::<bool>(),
        is_packed in any::<bool>(),
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
        closes in prop::collection::vec(10_u32..20, 30..60),
    ) {
        let (names, cells) = MOMENTS[way];
        let prices = if short { ["o", "h", "l", "c"] } else { ["Open", "High", "Low", "Close"] };
        let mut columns: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        columns.extend(prices.map(str::to_owned));
        columns.extend([volume.to_owned(), "trades".to_owned()]);
        let order: Vec<usize> = order.into_iter().filter(|c| *c < columns.len()).collect();
        let line = |cells: &[String]| order.iter().map(|c| cells[*c].clone()).collect::<Vec<_>>().join(separator);
        let end = if is_packed { "\r\n" } else { "\n" };
        let mut text = line(&columns) + end;
        let mut right: ReadRows = Vec::new();
        for (h, close) in closes.iter().enumerate() {
            let (open, close) = (f64::from(if h == 0 { *close } else { closes[h - 1] }), f64::from(*close));
            let bar = Bar { open, high: open.max(close) + 0.5, low: open.min(close) - 0.5, close, volume: 7.0 + h as f64 };
            let mut row = cells(h as i64);
            row.extend([bar.open, bar.high, bar.low, bar.close, bar.volume].map(|x| x.to_string()));
            row.push("3".to_owned());
            text += &(line(&row) + end);
            right.push(Ok((hour(h as i64), bar)));
        }
        prop_assert_eq!(rows("ABCUSDT.csv", &text, ""), right, "{}", text);
    }

    #[test]
    fn nothing_in_a_file_panics(text in "[0-9,;:.\\-TZ\"\\[\\]a-z\n ]{0,300}", head in prop::sample::select(vec!["", "time,close,volume,rate\n", "date,time,open,high,low,close\n", "funding_timestamp,funding_rate,timestamp\n"])) {
        let text = format!("{head}{text}");
        if let Ok(shape) = look("BTCUSDT-1h.csv", &text, "")
            && let Ok(mut rows) = TableRows::new("x", Arc::new(shape), text.as_bytes())
        {
            while rows.advance().unwrap_or(false) {
                let (at, _) = (rows.stamp(), rows.bar());
                let _ = at.map(|at| rows.settlement(at));
            }
        }
    }
}

#[test]
fn dumps_without_a_header_have_their_volume_where_their_venue_puts_it() {
    let stamp = |d: i64| (at(d).0 / 1_000_000_000).to_string();
    let right = expected();
    // Kraken: an average before the volume, a count behind it.
    let kraken = days("", |d, [o, h, l, c, v]| format!("{},{o},{h},{l},{c},{c},{v},12", stamp(d)));
    assert_eq!(rows("ABCUSDT.csv", &kraken, ""), right);
    // OKX: contracts, coins, dollars, and whether the bar is over.
    let okx =
        days("", |d, [o, h, l, c, v]| format!("{},{o},{h},{l},{c},{},{v},{},1", stamp(d), v * 100.0, v * c));
    assert_eq!(rows("ABC-USDT-SWAP.csv", &okx, ""), right);
    // Coinbase: the low first.
    let coinbase = days("", |d, [o, h, l, c, v]| format!("{},{l},{h},{o},{c},{v}", stamp(d)));
    assert_eq!(rows("ABCUSDT.csv", &coinbase, ""), right);
}

#[test]
fn volumes_of_symbols_in_a_column_are_judged_like_those_of_a_file() {
    let head = "timestamp,symbol,open,high,low,close,volume\n";
    let of = |symbol: &str, times: f64| {
        days(head, |d, [o, h, l, c, v]| format!("{},{symbol},{o},{h},{l},{c},{}", iso(d), v * times))
    };
    let contracts = refused("all.csv", &of("ABCUSD_PERP", 1.0));
    assert!(contracts.contains("counts contracts") && contracts.contains("volume=quote*100"), "{contracts}");
    let dollars = refused("all.csv", &of("ABC-USD", 1e10));
    assert!(dollars.contains("dollars a day"), "{dollars}");
    assert!(look("all.csv", &of("ABC-USD", 1.0), "").is_ok());
    let zero = look("ABCUSD.csv", &of("ABCUSD", 0.0), "").unwrap();
    assert!(zero.notes.iter().any(|n| n.contains("its volumes are zero")), "{:?}", zero.notes);
}

#[test]
fn rates_that_are_filled_in_are_found_beside_a_column_of_symbols() {
    let mut text = "timestamp,symbol,rate\n".to_owned();
    for hour in 0..96_i64 {
        for symbol in ["ABCUSDT", "XYZUSDT"] {
            let at = at(0).after(Span(hour * Span::HOUR.0));
            let _ = writeln!(text, "{at},{symbol},{}", 1e-4 + 1e-5 * (hour / 8 % 3) as f64);
        }
    }
    let why = refused("funding.csv", &text);
    assert!(why.contains("settle=8h"), "{why}");
    assert!(look("funding.csv", &text, "settle=8h").is_ok());
}

#[test]
fn a_rate_with_a_sign_of_percent_is_in_percent() {
    let text =
        "timestamp,symbol,rate\n2024-01-01T00:00:00Z,ABCUSDT,0.0100%\n2024-01-01T08:00:00Z,ABCUSDT,-0.02%\n";
    let shape = Arc::new(look("funding.csv", text, "").unwrap());
    let mut rows = TableRows::new("funding.csv", shape, text.as_bytes()).unwrap();
    for rate in [0.000_1, -0.000_2] {
        assert!(rows.advance().unwrap());
        let at = rows.stamp().unwrap();
        let read = rows.settlement(at).unwrap().unwrap().1;
        assert!((read - rate).abs() < 1e-12, "{read}");
    }
}

#[test]
fn lines_around_a_header_are_no_rows() {
    let body = |head: &str, s: &str| days(head, |d, p| plain(&iso(d), p, s));
    for text in [
        body("sep=;\ntimestamp;open;high;low;close;volume\n", ";"),
        body("# written by hand\ntimestamp,open,high,low,close,volume\n", ","),
        body(
            "Price,Open,High,Low,Close,Volume\nTicker,ABC-USD,ABC-USD,ABC-USD,ABC-USD,ABC-USD\nDatetime,,,,,\n",
            ",",
        ),
    ] {
        assert_eq!(rows("ABCUSDT.csv", &text, ""), expected(), "{text}");
    }
    let two =
        "Price,Close,Close,Open,Open\nTicker,ABC-USD,XYZ-USD,ABC-USD,XYZ-USD\nDate,,,,\n2024-01-01,1,2,1,2\n";
    let why = refused("ABC.csv", two);
    assert!(why.contains("several symbols side by side"), "{why}");
}
